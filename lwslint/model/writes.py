"""All writes of a project: what gives which variable, field or element a value, and where.

Assignments, declarations, initialisers taken apart field by field, library functions that copy a
text, and calls that get something's address.  Whether a write concerns the thing one asks about is
:mod:`lwslint.model.values`' question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Class,
    Declare,
    Index,
    Initializer,
    Item,
    Member,
    Name,
    Number,
    Span,
    Text,
    Unary,
    Unknown,
    Value,
)
from lwslint.knowledge import api
from lwslint.model.alternatives import Object, Scope, Write
from lwslint.model.bodies import LITERALS, Site
from lwslint.model.names import callee_name, last_component, uncast
from lwslint.model.nearby import FEW, Nearby, nearness
from lwslint.model.symbols import Definition, class_name, element_type

if TYPE_CHECKING:
    from lwslint.model.project import Project

MAX_DEPTH = 32
MAX_ITEMS = 64

# --------------------------------------------------------------------------- library functions

# name → (destination, source) arguments of functions that copy a text.
_COPIES = {
    **dict.fromkeys(("strcpy", "strncpy", "stpcpy", "memcpy", "memmove", "lws_strncpy", "wcscpy"), (0, 1)),
    **dict.fromkeys(("strlcpy", "g_strlcpy", "MEMCPY", "STRCPY", "STRNCPY", "copyMem", "bcopy_s"), (0, 1)),
    **dict.fromkeys(("strcpy_s", "strncpy_s"), (0, 2)),
}
_FORMATS = {
    **dict.fromkeys(("sprintf", "wsprintf"), 1),
    **dict.fromkeys(("snprintf", "lws_snprintf", "g_snprintf", "sprintf_s", "_snprintf", "SNPRINTF"), 2),
}
_APPENDS = {**dict.fromkeys(("strcat", "strncat", "strlcat", "g_strlcat"), (0, 1))}
# Calls whose result holds the text of one argument.
SAME_TEXT = {
    **dict.fromkeys(("strdup", "_strdup", "g_strdup", "xstrdup", "lws_strdup", "strndup", "g_strndup"), 0),
    **dict.fromkeys(("std::string", "string", "std::move", "std::string_view", "QString", "QByteArray"), 0),
    **dict.fromkeys(("QStringLiteral", "QLatin1String", "QString::fromUtf8", "QString::fromLatin1"), 0),
    **dict.fromkeys(("xmlStrdup", "sdsnew", "TEXT", "_T", "std::forward", "std::to_string", "String"), 0),
    **dict.fromkeys(("apr_pstrdup", "PQstrdup", "talloc_strdup", "pj_strdup3", "switch_core_strdup"), 1),
}
_SETTERS = frozenset(["assign", "setValue", "operator="])
_ADDERS = frozenset(["append", "push_back", "emplace_back", "insert", "push_front"])


def target_of(value: Value) -> tuple[Name | Member | None, Value | None]:
    """The name or field that an lvalue is about, and the last index on the way to it."""
    index: Value | None = None
    for _ in range(MAX_DEPTH):
        match value:
            case Name() | Member():
                return value, index
            case Index():
                index = value.index if index is None else index
                value = value.object
            case Unary(op="*" | "&") | Cast():
                value = value.operand
            case Assign():
                value = value.target
            case Binary(op="+" | "-"):
                value = value.left
            case Call() if isinstance(value.function, Member) and value.function.field in (
                "data",
                "get",
                "at",
            ):
                index = value.arguments[0] if value.arguments and index is None else index
                value = value.function.object
            case Call(kind="call") if callee_name(value) in SAME_TEXT and value.arguments:
                value = value.arguments[0]
            case _:
                return None, index
    return None, index


POSITIONAL: dict[str, tuple[str, ...]] = {
    "lws_protocols": (
        *("name", "callback", "per_session_data_size", "rx_buffer_size", "id", "user", "tx_packet_size"),
    ),
    "lws_client_connect_info": (
        *("context", "address", "port", "ssl_connection", "path", "host", "origin", "protocol"),
        *("ietf_version_or_minus_one", "userdata", "client_exts", "method"),
    ),
}
_LEGACY_TYPES = {
    "libwebsocket_protocols": "lws_protocols",
    "libwebsocket_context_creation_info": "lws_context_creation_info",
}
_SCALARS = frozenset(["int", "unsigned", "bool", "long", "short", "uint32_t", "int32_t", "size_t", "uint8_t"])


_PLAIN = frozenset((*LITERALS, Unary, Binary, Member))
"""The types of elements that are no initialisers, nor macros or constructors that stand for one."""


class _Elements(NamedTuple):
    """The elements of an array that ``write`` gives a value, not made into writes yet."""

    write: Write
    value: Initializer
    kind: str


class _Part(NamedTuple):
    """One field or element of what ``write`` gives a value, not made into a write yet: ``slot`` is the
    field's name, or the element's index."""

    write: Write
    slot: str | int
    item: Item

    @property
    def key(self) -> str:
        return self.slot if isinstance(self.slot, str) else _key(self.write.target)

    def made(self) -> Write:
        write, slot, item = self
        if isinstance(slot, int):
            place = Number(item.span, slot)
            return msgspec.structs.replace(write, op="=", value=item.value, index=place, span=item.span)
        base = write.target if write.index is None else Index(write.target.span, write.target, write.index)
        member = Member(item.span, base, slot, item.span)
        return msgspec.structs.replace(
            write, target=member, op="=", value=item.value, index=None, span=item.span, owner=""
        )


class _Fields(NamedTuple):
    """The fields of a class in ``ordered``, each with its type; the types by name; and by name the position
    that comes next."""

    ordered: tuple[tuple[str, str], ...]
    types: dict[str, str]
    after: dict[str, int]


def _fields_of(fields: Sequence[tuple[str, str]]) -> _Fields:
    after: dict[str, int] = {}
    for position, (name, _) in enumerate(fields, 1):
        after.setdefault(name, position)
    return _Fields(tuple(fields), dict(fields), after)


_NO_FIELDS = _fields_of(())
_Entry = Write | _Elements | _Part


class Writes:
    """The writes of one project, and what is needed to tell classes and elements apart."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self._named: dict[str, list[Write]] = {}
        self._fields_of: dict[tuple[str, str], _Fields] = {}
        self._near_homes: dict[str, Nearby[tuple[str, Class]]] = {}
        self._homes: dict[tuple[str, str], str] = {}

    def type_name(self, type: str, path: str) -> str:
        """The class that a type as written names, typedefs followed, in the name of today's lws."""
        name = last_component(class_name(type))
        for _ in range(8):
            aliases = self.symbols.aliases.get(name)
            if not aliases or name in self.symbols.classes:
                break
            target = last_component(class_name(aliases[0][1].type))
            if not target or target == name:
                break
            name = target
        return _modern(name)

    def instance(self, class_: str, path: str) -> Object:
        """Some instance of the class of that name as seen from ``path``."""
        return ("class", class_, self.home(class_, path))

    def home(self, class_: str, path: str) -> str:
        """The file that declares the class of that name nearest to ``path``."""
        key = (class_, path)
        known = self._homes.get(key)
        if known is None:
            candidates: Sequence[tuple[str, Class]] = self.symbols.classes.get(class_, ())
            if len(candidates) > FEW:
                if class_ not in self._near_homes:
                    bodied = [entry for entry in candidates if entry[1].fields] or candidates
                    self._near_homes[class_] = Nearby((entry[0], entry) for entry in bodied)
                candidates = self._near_homes[class_].around(path)
            bodied = [entry for entry in candidates if entry[1].fields] or candidates
            known = max(
                (entry[0] for entry in bodied), key=lambda home: (nearness(path, home), home), default=""
            )
            self._homes[key] = known
        return known

    def class_of(self, value: Value, definition: Definition) -> str:
        """The class of ``value`` or of what it points to; "" when unknown."""
        type = self.symbols.type_of(value, definition)
        if not type:
            return ""
        # What is written to a container's element stands as written to the container.
        element = element_type(type) if "<" in type else ""
        return self.type_name(element or type, definition.path)

    def element(self, write: Write) -> int | None:
        """The constant index of the array element that a write goes to or into."""
        at = write.index
        if isinstance(write.target, Member):
            at = index_of(write.target.object) or at
        return self.index_number(at, write.definition.path)

    def index_number(self, index: Value | None, path: str) -> int | None:
        if index is None:
            return None
        inner = uncast(index)
        if isinstance(inner, Number):
            return inner.value
        if isinstance(inner, Name):
            return self.constant(inner.id, path)
        return None

    # ------------------------------------------------------------------ all writes of the project

    @cached_property
    def _index(self) -> dict[str, list[_Entry]]:
        """Every write, by the name of the variable or field that is written."""
        index: dict[str, list[_Entry]] = defaultdict(list)
        for file in self.symbols.files:
            scope = self.project.flow.file_scope(file.path)
            for variable in file.variables:
                if variable.value is not None:
                    name = Name(variable.name_span, variable.name)
                    write = Write(name, "=", variable.value, scope, 0, (), variable.span)
                    self._add(index, write, variable.type)
            for declared in file.classes:
                for field in declared.fields:
                    if field.value is not None:
                        target = Name(field.span, field.name)
                        write = Write(target, "=", field.value, scope, 0, (), field.span, owner=declared.name)
                        self._add(index, write, field.type)
        for definition in self.project.busy:
            self._collect(definition, index)
        return index

    def _collect(self, definition: Definition, index: dict[str, list[_Entry]]) -> None:
        body = definition.body
        for site in body.declares:
            node = site.node
            if isinstance(node, Declare) and node.value is not None:
                name = Name(node.name_span, node.name)
                write = Write(name, "=", node.value, definition, site.order, site.guards, node.span)
                self._add(index, write, node.type)
        for site in body.assigns:
            node = site.node
            if not isinstance(node, Assign):
                continue
            target, at = target_of(node.target)
            if target is not None:
                op = "=" if node.op == "(" else node.op
                value = node.value
                if node.op == "(" and isinstance(value, Initializer) and len(value.items) == 1:
                    value = value.items[0].value
                write = Write(
                    target, op, value, definition, site.order, site.guards, node.span, at, site=site
                )
                type = self.symbols.type_of(target, definition) if isinstance(value, Initializer) else ""
                self._add(index, write, type if at is None else element_type(type) or type)
        for site in body.calls:
            if isinstance(site.node, Call):
                self._collect_call(definition, site, site.node, index)

    def _collect_call(
        self, definition: Definition, site: Site, call: Call, index: dict[str, list[_Entry]]
    ) -> None:
        plain = last_component(site.name)
        arguments = call.arguments

        def add(target: Value, op: str, value: Value, argument: int = -1) -> None:
            named, at = target_of(target)
            if named is None:
                return
            span = call.span
            write = Write(
                named, op, value, definition, site.order, site.guards, span, at, argument, site=site
            )
            type = self.symbols.type_of(named, definition) if isinstance(value, Initializer) else ""
            self._add(index, write, element_type(type) or type)

        if isinstance(call.function, Member):
            if plain in _SETTERS and arguments:
                add(call.function.object, "=", arguments[0])
            elif plain in _ADDERS and arguments:
                add(call.function.object, "+=" if plain == "append" else "item", arguments[-1])
        if plain in _COPIES and len(arguments) > _COPIES[plain][1]:
            to, source = _COPIES[plain]
            add(arguments[to], "=", arguments[source])
            return
        if plain in _APPENDS and len(arguments) > 1:
            add(arguments[0], "+=", arguments[1])
            return
        if plain in _FORMATS and len(arguments) > _FORMATS[plain]:
            add(arguments[0], "=", _formatted(call.span, arguments[_FORMATS[plain] :]))
            return
        if plain in ("memset", "bzero", "MEMSET", "ZeroMemory", "SecureZeroMemory"):
            return
        callees: tuple[Definition, ...] | None = None
        for position, argument in enumerate(arguments):
            inner = uncast(argument)
            if isinstance(inner, Unary) and inner.op == "&":
                add(inner.operand, "out", call, position)
            elif isinstance(inner, Name | Member):
                if callees is None:
                    callees = self.symbols.call_target(call, definition).definitions
                if callees and _by_reference(callees, position):
                    add(inner, "out", call, position)

    def _add(self, index: dict[str, list[_Entry]], write: Write, written: str) -> None:
        """Record a write, and those to the fields and elements when its value is an initialiser of the
        type that is ``written``."""
        if type(write.value) in _PLAIN:
            index[_key(write.target)].append(write)
            return
        stack: list[tuple[Write | _Part, str, int]] = [(write, written, 0)]
        while stack:
            entry, kind, depth = stack.pop()
            if isinstance(entry, _Part):
                if type(entry.item.value) in _PLAIN:
                    index[entry.key].append(entry)
                    continue
                entry = entry.made()
            current = entry
            index[_key(current.target)].append(current)
            value = current.value
            while isinstance(value, Cast):
                kind, value = value.type, value.operand
            if isinstance(value, Name) and value.id in self.symbols.macros:
                # A macro that stands for a whole initialiser (LWS_PLUGIN_PROTOCOL_…).
                macro = self.symbols.macro(value.id, current.definition.path)
                if macro is not None and isinstance(macro.value, Initializer):
                    value = macro.value
            if isinstance(value, Call) and value.kind == "construct" and isinstance(value.function, Name):
                built = self.type_name(value.function.id, current.definition.path)
                if built in POSITIONAL and value.arguments:
                    kind = built
                    items = tuple(Item(argument.span, argument) for argument in value.arguments)
                    value = Initializer(value.span, items, built)
            if not isinstance(value, Initializer) or depth > 6:
                continue
            kind = value.type or kind
            if kind.endswith("]") and all(type(item.value) in _PLAIN for item in value.items):
                # Elements that hold nothing further are of this name too: made when it is asked for.
                index[_key(current.target)].append(_Elements(current, value, kind))
                continue
            stack.extend((*part, depth + 1) for part in reversed(self._parts(current, value, kind)))

    def _parts(self, write: Write, value: Initializer, kind: str) -> list[tuple[_Part, str]]:
        """The fields or elements to which an initialiser gives a value, with their types."""
        found: list[tuple[_Part, str]] = []
        if len(value.items) > MAX_ITEMS and not any(
            isinstance(uncast(item.value), Initializer) for item in value.items[:4]
        ):
            return found
        path = write.definition.path
        listed = kind.strip().endswith("]") or bool(element_type(kind))
        fields = _NO_FIELDS
        if not listed:
            fields = self._fields(kind, path)
            if (
                not fields.ordered
                and value.items
                and all(isinstance(uncast(item.value), Initializer | Name) for item in value.items)
            ):
                nested = [item for item in value.items if isinstance(uncast(item.value), Initializer)]
                listed = bool(nested) and all(not isinstance(item.designator, str) for item in value.items)
        element = element_type(kind) or ("" if listed else kind)
        position = 0
        for item in value.items:
            designator = item.designator
            if listed:
                if isinstance(designator, str):
                    designator = self.constant(designator, path)
                position = designator if designator is not None else position
                found.append((_Part(write, position, item), element))
                position += 1
            elif isinstance(designator, str) and designator:
                position = fields.after.get(designator, position)
                found.append((_Part(write, designator, item), fields.types.get(designator, "")))
            elif position < len(fields.ordered):
                name, type = fields.ordered[position]
                position += 1
                if name:
                    found.append((_Part(write, name, item), type))
        return found

    def _fields(self, type: str, path: str) -> _Fields:
        """The fields of a class."""
        known = self._fields_of.get((type, path))
        if known is None:
            known = self._fields_of[type, path] = self._find_fields(type, path)
        return known

    def _find_fields(self, type: str, path: str) -> _Fields:
        name = self.type_name(type, path)
        if name in POSITIONAL:
            return _fields_of([(field, "") for field in POSITIONAL[name]])
        declared = self.symbols.class_named(name, path) if name else None
        return _fields_of([(field.name, field.type) for field in declared.fields] if declared else [])

    def scope_at(self, definition: Definition, site: Site) -> Scope:
        """The place of a site, to evaluate what stands there."""
        return Scope(definition, None, site.order, site.guards, site.node.span)

    def named(self, name: str) -> Sequence[Write]:
        """All writes to variables and fields of that name, in file order."""
        key = last_component(name)
        found = self._named.get(key)
        if found is None:
            found = self._named[key] = [
                write for entry in self._index.get(key, ()) for write in self._made(entry)
            ]
        return found

    def _made(self, entry: _Entry) -> Sequence[Write]:
        if isinstance(entry, _Elements):
            return [part.made() for part, _ in self._parts(*entry)]
        return (entry.made() if isinstance(entry, _Part) else entry,)

    def constant(self, name: str, path: str) -> int | None:
        """The value of an enumerator or of a macro that is a plain number, the project's or lws's."""
        number = self.project.enumerators.get(last_component(name))
        if number is None:
            macro = self.symbols.macro(name, path)
            if macro is not None and isinstance(uncast(macro.value), Number):
                inner = uncast(macro.value)
                return inner.value if isinstance(inner, Number) else None
            number = api.constant_value(name)
        return number


def _by_reference(callees: Sequence[Definition], position: int) -> bool:
    """Whether an argument is passed to a parameter that is a non-const reference, or a pointer that
    the callee may write through (``int *flags`` handed on by its name)."""
    for callee in callees:
        parameters = callee.function.parameters
        if position < len(parameters):
            type = parameters[position].type
            if "&" in type and not type.strip().startswith("const"):
                return True
            if type.count("*") == 1 and _scalar(type):
                return True
    return False


def _modern(name: str) -> str:
    return _LEGACY_TYPES.get(name, name)


def _scalar(type: str) -> bool:
    words = set(type.replace("*", " ").split())
    return bool(words & _SCALARS) and "const" not in words


def _key(target: Name | Member) -> str:
    return target.field if isinstance(target, Member) else last_component(target.id)


def index_of(object: Value | None) -> Value | None:
    """The innermost index in ``protocols[2]`` or ``(&protocols[2])->``."""
    for _ in range(MAX_DEPTH):
        match object:
            case Index():
                return object.index
            case Unary(op="*" | "&") | Cast():
                object = object.operand
            case Call() if isinstance(object.function, Member) and object.function.field == "at":
                return object.arguments[0] if object.arguments else None
            case _:
                return None
    return None


def _formatted(span: Span, arguments: Sequence[Value]) -> Value:
    """What ``snprintf(buffer, size, arguments…)`` writes."""
    format = uncast(arguments[0])
    if not isinstance(format, Text):
        return Unknown(span)
    if "%" not in format.value:
        return format
    if format.value == "%s" and len(arguments) > 1:
        return arguments[1]
    return Unknown(span)
