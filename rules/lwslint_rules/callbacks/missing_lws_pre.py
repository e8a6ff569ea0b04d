"""What is sent has no room in front of it for the frame header that libwebsockets writes there.

## What it reports

Calls of `lws_write()` that send a WebSocket message from

- a string literal, or the inside of a `std::string` (`c_str()`, `data()`);
- the beginning of an array, or of a block from `malloc()`, `strdup()` or a JSON library.

The pointer is followed through local variables, and a parameter to the calls of its function. Where the
message is an HTTP body it is a note, as only HTTP/2 writes a header there.

## What happens at run time

libwebsockets puts the header into the up to 16 bytes (`LWS_PRE`) in front of the message, and a client
also masks the message where it lies. In front of an array or a heap block these bytes belong to something
else: the heap is corrupted and the program crashes later, in another place. A literal lies in memory that
cannot be written: it crashes at once.

## Example

```c
lws_write(wsi, (unsigned char *)"hello", 5, LWS_WRITE_TEXT);
```

## Write instead

```c
unsigned char message[LWS_PRE + 5];

memcpy(message + LWS_PRE, "hello", 5);
lws_write(wsi, message + LWS_PRE, 5, LWS_WRITE_TEXT);
```

## Known limits

A pointer that is moved, or whose origin is not known, is not reported; a member only where it is set right
before the write. What is sent with `LWS_WRITE_RAW` has no header.

## References

- include/libwebsockets/lws-write.h:30-75, 100-140@v5.0.0: LWS_PRE
- READMEs/README.coding.md:457-463@v5.0.0: the buffer is overwritten
- warmcat/libwebsockets issues 545, 827, 1283, 1548, 1729, 2563, 3242
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Index,
    Member,
    Name,
    Number,
    Place,
    Text,
    Unary,
    Value,
    walk,
)
from lwslint.model.messages import WRITING, Sent, sent
from lwslint.model.names import call_name, last_component, statements, uncast, values_of
from lwslint.model.project import Located, Project
from lwslint.model.symbols import Definition
from lwslint.rule import Rule

rule = Rule(code="LWS306", name="missing-lws-pre", family="callbacks", impact=Impact.CRASH)

_INSIDE_STRING = frozenset(["c_str", "data", "toStdString", "constData"])
_HEAP = frozenset(
    [
        *("malloc", "calloc", "strdup", "strndup", "g_strdup", "g_malloc", "g_strdup_printf"),
        *("cJSON_Print", "cJSON_PrintUnformatted", "json_dumps", "json_object_to_json_string"),
        *("json_object_to_json_string_ext", "json_to_string"),
    ]
)
MAX_STEPS = 6


class Origin(msgspec.Struct, frozen=True):
    """Where a message lies.  ``fatal``: the room in front of it surely cannot be written."""

    what: str
    place: Place
    fatal: bool = False


def check(project: Project) -> Iterator[Diagnostic]:
    for name in WRITING:
        for located in project.calls_to(name):
            call = located.site.node
            assert isinstance(call, Call)
            how = sent(project, located)
            if how is None or how is Sent.RAW:
                continue
            origin = _origin(project, call.arguments[1], located.definition, MAX_STEPS)
            if origin is None:
                origin = _of_member(project, located, uncast(call.arguments[1]))
            if origin is not None:
                yield _report(located, name, origin, http=how is Sent.HTTP)


def _report(located: Located, name: str, origin: Origin, *, http: bool) -> Diagnostic:
    if http:
        head = "over HTTP/2 memory in front of the body is overwritten"
    elif origin.fatal:
        head = "a frame header is written where nothing may be written: a crash, or another message's bytes"
    else:
        head = "a frame header is written over what lies in front of the message: a crash later, elsewhere"
    severity = Severity.NOTE if http else Severity.ERROR if origin.fatal else Severity.WARNING
    return rule.report(
        located.place,
        f"{head}: {name}() sends from {origin.what}, with no LWS_PRE bytes of room before it",
        severity=severity,
        confidence=Confidence.HIGH if origin.place == located.place else Confidence.MEDIUM,
        help="unsigned char message[LWS_PRE + MAX]; put the text at message + LWS_PRE, and send from there",
        related=[]
        if origin.place == located.place
        else [Step(origin.place, f"{origin.what} comes from here")],
        function=located.definition.qualified,
    )


def _origin(project: Project, value: Value, definition: Definition, left: int) -> Origin | None:
    """What ``value`` points to the beginning of, where that leaves no room; None when it may be all right."""
    value = uncast(value)
    place = definition.place(value.span)
    match value:
        case Text():
            return Origin("a string literal", place, fatal=True)
        case Unary(op="&", operand=Index(object=inner, index=Number(value=0))):
            return _origin(project, inner, definition, left)
        case Binary(op="+", left=inner, right=Number(value=0)):
            return _origin(project, inner, definition, left)
        case Call(function=Member(field=field)) if field in _INSIDE_STRING and _is_string(
            project, value, definition
        ):
            return Origin(f"the inside of a string ({field}())", place, fatal=True)
        case Call() if call_name(value) in _HEAP and isinstance(value.function, Name):
            return Origin(f"the beginning of what {call_name(value)}() returned", place)
        case Name() if left > 0:
            return _of_name(project, value, definition, left - 1)
    return None


def _is_string(project: Project, call: Call, definition: Definition) -> bool:
    assert isinstance(call.function, Member)
    if call.function.field == "c_str":
        return True
    type = project.symbols.type_of(call.function.object, definition)
    return last_component(type.split("<")[0].replace("const", "").strip(" &*")) in ("string", "string_view")


def _of_name(project: Project, name: Name, definition: Definition, left: int) -> Origin | None:
    type = project.symbols.local_type(definition, name.id)
    if type is None:
        variable = project.symbols.variable(name.id, definition.path)
        if variable is not None and _is_array(variable.declare.type):
            return Origin(
                f"the beginning of the array {name.id}", Place(variable.path, variable.declare.span)
            )
        return None
    declared = definition.body.locals.get(name.id)
    if _is_array(type) and declared is not None:
        return Origin(f"the beginning of the array {name.id}", definition.place(declared.span))
    written = _written(name.id, definition)
    if declared is None and not written:
        return _of_parameter(project, name.id, definition, left)
    if written is None:
        return None
    found = [_origin(project, value, definition, left) for value in written]
    return next(iter(found), None) if found and all(found) else None


def _of_member(project: Project, located: Located, member: Value) -> Origin | None:
    """What a field was set to on the way here, nothing else having touched it since."""
    if not isinstance(member, Member):
        return None
    latest = None
    for site in located.definition.body.assigns:
        node = site.node
        assert isinstance(node, Assign)
        if site.order < located.site.order and _same(node.target, member):
            latest = site
    if latest is None or latest.guards != located.site.guards[: len(latest.guards)]:
        return None
    assert isinstance(latest.node, Assign)
    if latest.node.op != "=":
        return None
    return _origin(project, latest.node.value, located.definition, MAX_STEPS)


def _same(left: Value, right: Value) -> bool:
    """Whether two expressions are the same fields of the same variable."""
    while isinstance(left, Member) and isinstance(right, Member):
        if left.field != right.field:
            return False
        left, right = left.object, right.object
    return isinstance(left, Name) and isinstance(right, Name) and left.id == right.id


def _is_array(type: str) -> bool:
    return type.endswith("[]") and "*" not in type


def _written(name: str, definition: Definition) -> list[Value] | None:
    """What a local variable is set to; None when it is moved, or handed out to be set."""
    found: list[Value] = []
    declared = definition.body.locals.get(name)
    if declared is not None and declared.value is not None:
        found.append(declared.value)
    for site in definition.body.assigns:
        node = site.node
        assert isinstance(node, Assign)
        if isinstance(node.target, Name) and node.target.id == name:
            if node.op != "=":
                return None
            found.append(node.value)
    return None if _is_moved(name, definition) else found


def _is_moved(name: str, definition: Definition) -> bool:
    """Whether a pointer is counted up, or its address handed out."""
    return any(
        isinstance(node, Unary)
        and node.op in ("++", "--", "&")
        and isinstance(node.operand, Name)
        and node.operand.id == name
        for statement in statements(definition.function.body)
        for value in values_of(statement)
        for node in walk(value)
    )


def _of_parameter(project: Project, name: str, definition: Definition, left: int) -> Origin | None:
    """What all callers of a function of the file pass for a parameter."""
    parameters = [parameter.name for parameter in definition.function.parameters]
    if name not in parameters:
        return None
    position = parameters.index(name)
    found: list[Origin] = []
    for edge in project.flow.callers.get(definition.id, ()):
        call = edge.site.node
        if not isinstance(call, Call) or edge.kind != "direct" or position >= len(call.arguments):
            return None
        origin = _origin(project, call.arguments[position], edge.caller, left)
        if origin is None:
            return None
        found.append(origin)
    return found[0] if found else None
