"""What to take out of a Python program so that its TLS is checked again."""

from __future__ import annotations

from collections.abc import Sequence

from lwslint.diagnostics import Severity
from lwslint.facts import Binary, Initializer, Item, Member, Name, Place, Value
from lwslint.model import python_places as places
from lwslint.model.project import Project
from lwslint.model.python_native import Flags, fold
from lwslint.model.python_program import Origin, written
from lwslint.model.python_tls import Weakness
from lwslint.model.symbols import Definition
from lwslint.remedies import Applicability, Change, DropElements, DropStatements, Remedy, Rewrite

_WRITTEN = ("check_hostname", "verify_mode", "verify_flags")
_KEYS = ("cert_reqs", "check_hostname")
_DEFAULT = "create_default_context"
# What makes a context that checks nothing; called without arguments, or with those below alone.
_UNCHECKED = ("_create_unverified_context", "_create_stdlib_context", "SSLContext")


def remedy(weakness: Weakness, severity: Severity) -> Remedy | None:
    """Not where a user asks for it, in tests, or towards this machine: there it is meant."""
    if severity is not Severity.ERROR:
        return None
    found = _writes(weakness) or _made(weakness) or _option(weakness)
    if found is None:
        return None
    message, changes = found
    return Remedy(message, Applicability.UNSAFE, *changes)


Found = tuple[str, tuple[Change, tuple[Change, ...]]]


def _writes(weakness: Weakness) -> Found | None:
    """``context.check_hostname = False``, with the other writes to the same context: one without the
    other raises ValueError."""
    node = places.assignment(weakness.definition, weakness.place.span)
    if node is None or not isinstance(node.target, Member) or node.target.field not in _WRITTEN:
        return None
    all = (weakness.place, *(step.place for step in weakness.also))
    return "leave the context's checks on", (DropStatements(all), ())


def _made(weakness: Weakness) -> Found | None:
    """A context that was made without checks, or for a server."""
    definition, span = weakness.definition, weakness.place.span
    call = places.call(definition, span)
    if call is None or not isinstance(call.function, Member) or not isinstance(call.function.object, Name):
        return None
    field, field_span = call.function.field, call.function.field_span
    given = [*call.arguments, *(argument.value for argument in call.keywords)]
    dropped = tuple(
        definition.place(s) for s in (*(a.span for a in call.arguments), *(k.span for k in call.keywords))
    )
    if any(not _is_constant(value) for value in given) or len(given) > 1:
        return None
    rest = (DropElements(dropped),) if dropped else ()
    if field == _DEFAULT and rest and weakness.effect == "purpose":
        return "leave the purpose out", (rest[0], ())
    if field not in _UNCHECKED:
        return None
    rename = Rewrite(((definition.place(field_span), field, _DEFAULT),))
    return f"make the context with {_DEFAULT}()", (rename, rest)


def _is_constant(value: Value) -> bool:
    """``ssl.PROTOCOL_TLS``, ``ssl.Purpose.CLIENT_AUTH``, ``ssl.CERT_NONE``."""
    return isinstance(value, Member) and value.field.isupper()


def _option(weakness: Weakness) -> Found | None:
    """An argument, or a key of websocket-client's ``sslopt``, that turns the checks off."""
    definition, span = weakness.definition, weakness.place.span
    if places.call(definition, span) is not None:
        return None  # a context that is made in the argument
    if found := places.keyword(definition, span):
        argument = found[1]
        return f"leave {argument.name} out", (DropElements((definition.place(argument.span),)), ())
    if found_item := places.item(definition, span):
        return _key(definition, *found_item)
    call = places.argument(definition, span)
    if call is not None and isinstance(call.function, Member) and call.function.field == "tls_insecure_set":
        return f"leave {call.function.field}() out", (DropStatements((definition.place(call.span),)), ())
    return None


def _key(definition: Definition, options: Initializer, found: Item) -> Found | None:
    weak = [item for item in options.items if item.designator in _KEYS]
    if options.type != "dict" or found not in weak:
        return None
    if len(weak) == len(options.items):
        around = places.keyword(definition, options.span)
        if around is None:
            return None
        return f"leave {around[1].name} out", (DropElements((definition.place(around[1].span),)), ())
    dropped: Sequence[Place] = [definition.place(item.span) for item in weak]
    return "leave these keys out", (DropElements(tuple(dropped)), ())


def of_flags(project: Project, found: Flags, severity: Severity, weak: int) -> Remedy | None:
    """``ssl_connection`` with bit 0 and without the bits in ``weak``, as far as it is written out."""
    value = places.assigned(found.definition, found.place.span)
    if value is None or severity is not Severity.ERROR:
        return None
    operands = _operands(value)
    known = [fold(project.python, Origin(operand, found.definition)) for operand in operands]
    kept = [written(o) for o, number in zip(operands, known, strict=True) if number and not number & weak]
    if None in known or not all(kept):
        return None
    tls = any(number and number & 1 and not number & weak for number in known)
    text = " | ".join(kept if tls else ["1", *kept])
    change = Rewrite(((found.place, "", text),))
    return Remedy(f"write {text}", Applicability.UNSAFE, change)


def _operands(value: Value) -> list[Value]:
    """What is or-ed together, from left to right."""
    found: list[Value] = []
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Binary) and node.op == "|":
            stack += [node.right, node.left]
        else:
            found.append(node)
    return found
