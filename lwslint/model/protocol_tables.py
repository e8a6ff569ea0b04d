"""Protocol tables: which function stands in which row, and which contexts and vhosts use the table.

A row is found wherever a ``struct lws_protocols`` (or the legacy ``libwebsocket_protocols``) gets its
callback: initialisers of variables, locals and class members, macros such as LWS_PLUGIN_PROTOCOL_…,
``table[i].callback = f``, ``table[i] = {…}`` and ``table.push_back({…})``.

A table is known by a :data:`Key`; :class:`Tables` follows copies of a table, pointers to one and
parameters that receive one, up to ``HOPS`` steps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from lwslint import facts
from lwslint.facts import Place, Span, Value
from lwslint.knowledge import api as knowledge
from lwslint.model.bodies import LITERALS
from lwslint.model.names import last_component, root_name, uncast
from lwslint.model.project import Project
from lwslint.model.symbols import Definition, class_name

HOPS = 4
# Whether plugins are compiled into a program (plugins/protocol_lws_mirror.c@v5.0.0).
PLUGIN_SWITCH = "LWS_PLUGIN_STATIC"

#: ("local", definition, name), ("parameter", definition, position), ("global", path, name) or
#: ("field", home and name of the class, name): files share names such as ``Impl`` for their classes.
Key = tuple[str, int | str, int | str]

_MOUNT = "lws_http_mount"
_MODERN, _LEGACY = "lws_protocols", "libwebsocket_protocols"
#: CONTEXT_PORT_NO_LISTEN, CONTEXT_PORT_NO_LISTEN_SERVER (adopts, but opens no listener itself), and 0:
#: a random port that a client mostly did not mean (lws-context-vhost.h), so it says nothing.
_LISTENING = {-1: False, -2: False, 0: None}
#: Options and a role that make all connections raw: no HTTP is spoken.
_RAW_OPTIONS = frozenset({"LWS_SERVER_OPTION_ONLY_RAW", "LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG"})
_ADDING = frozenset({"push_back", "emplace_back", "append", "push", "insert"})


class Row(NamedTuple):
    """One row of a table.  ``slot`` is its index, None when that is not known (``table[i]``)."""

    table: Key
    slot: int | None
    name: Value | None
    callback: Definition
    place: Place
    legacy: bool


class Vhost(NamedTuple):
    """One use of a table by a context's or vhost's creation info.

    ``listens`` is False for CONTEXT_PORT_NO_LISTEN, True for any other port, None when no port was
    found.  ``place`` is the table's assignment, ``port`` the port's, if any.  ``asked`` is the name of the
    protocol that a mount of the whole site puts in charge of HTTP, "" without one.
    """

    table: Key
    listens: bool | None
    place: Place
    port: Place | None
    mounts: bool
    asked: str


class _Written(NamedTuple):
    """A value written to a field, and whether that happens under a condition."""

    value: Value
    definition: Definition
    guarded: bool


class Tables:
    """All protocol tables of a project; every part is computed when first asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self._listed: set[Key] = set()
        self._families: dict[str, str] = {}
        self._written_cache: dict[str, dict[Key, list[_Written]]] = {}

    # ------------------------------------------------------------------ rows

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All rows whose callback is a function of the project, by place."""
        found = {*self._declared(), *self._assigned()}
        # A struct that an array of pointers lists is a row of that array, not a table of its own.
        found = {row for row in found if row.slot is not None or row.table not in self._listed}
        return tuple(sorted(found, key=lambda row: (row.place, row.callback.id, str(row.table))))

    @cached_property
    def _rows_by_table(self) -> dict[Key, list[Row]]:
        found: dict[Key, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.table].append(row)
        return dict(found)

    def rows_of(self, table: Key) -> Sequence[Row]:
        """The rows of one table, by place."""
        return self._rows_by_table.get(table, ())

    def family(self, type: str) -> str:
        """``lws_protocols`` or ``libwebsocket_protocols`` when ``type`` is made of it, else empty."""
        known = self._families.get(type)
        if known is None:
            known = self._families[type] = self._family(type)
        return known

    def _family(self, type: str) -> str:
        for word in re.findall(r"\w+", type):
            if word in (_MODERN, _LEGACY):
                return str(word)
            for _, alias in self.symbols.aliases.get(word, ()):
                target = re.findall(r"\w+", alias.type)
                if _MODERN in target:
                    return _MODERN
                if _LEGACY in target:
                    return _LEGACY
        return ""

    def _declared(self) -> Iterator[Row]:
        flow = self.project.flow
        for file in self.symbols.files:
            scope = flow.file_scope(file.path)
            for variable in file.variables:
                family = self.family(variable.type)
                if family and variable.value is not None:
                    key: Key = ("global", file.path, variable.name)
                    owner = variable.name.rpartition("::")[0]
                    array = "[" in variable.type
                    yield from self._initialised(key, variable.value, scope, family, array, owner)
            for declared in file.classes:
                for field in declared.fields:
                    family = self.family(field.type)
                    if family and field.value is not None:
                        key = field_key(declared.name, file.path, field.name)
                        array = "[" in field.type
                        yield from self._initialised(
                            key, field.value, scope, family, array, str(declared.qualified)
                        )
        for definition, node in self.project.declares_where(self.family):
            if node.value is not None:
                key = ("local", definition.id, node.name)
                array = "[" in node.type
                family = self.family(node.type)
                yield from self._initialised(key, node.value, definition, family, array, "")

    def _initialised(
        self, key: Key, value: Value, scope: Definition, family: str, array: bool, owner: str
    ) -> Iterator[Row]:
        initializer = self._initializer(value, scope)
        if initializer is None:
            return
        while len(initializer.items) == 1:
            # std::array<lws_protocols, 2> is written with two pairs of braces.
            only = self._initializer(initializer.items[0].value, scope)
            if only is None or not all(isinstance(i.value, facts.Initializer) for i in only.items):
                break
            initializer = only
        many = any(self._initializer(item.value, scope) for item in initializer.items)
        if not (array or many):
            yield from self._row(key, None, initializer, initializer.span, scope, family, owner)
            return
        position = 0
        for item in initializer.items:
            if isinstance(item.designator, int):
                position = item.designator
            inner = self._initializer(item.value, scope)
            held = [] if inner is not None else self._held_rows(item.value, scope)
            if inner is not None:
                yield from self._row(key, position, inner, item.span, scope, family, owner)
                position += 1
            elif held:
                for row, where in held:
                    yield from self._row(key, position, row, row.span, where, family, owner)
                position += 1
            elif many:
                # A macro of another file: a row, though it cannot be read here.
                position += 1
            else:
                # An array of pointers to rows; or inner braces left out: each function starts a row.
                listed = uncast(item.value)
                if isinstance(listed, facts.Unary) and listed.op == "&":
                    struct = self.key(listed, scope)
                    if struct is not None:
                        self._listed.add(struct)
                for callback in self._functions(item.value, scope, owner):
                    place = Place(scope.path, item.span)
                    yield Row(key, position, None, callback, place, family == _LEGACY)
                    position += 1

    def _held_rows(self, value: Value, scope: Definition) -> list[tuple[facts.Initializer, Definition]]:
        """The rows that a struct of their own holds, which a table lists by name, each with the function
        that writes it out: a variable's, or what is passed for a parameter."""
        value = uncast(value)
        if not isinstance(value, facts.Name) or not self.family(self.symbols.type_of(value, scope)):
            return []
        key = self.key(value, scope)
        if key is None:
            return []
        if key[0] == "parameter":
            found = []
            for edge in self.project.flow.callers.get(int(key[1]), ()):
                call, position = edge.site.node, int(key[2])
                if isinstance(call, facts.Call) and position < len(call.arguments):
                    row = self._initializer(call.arguments[position], edge.caller)
                    if row is not None:
                        found.append((row, edge.caller))
            return found
        declared = self._declaration(key)
        row = self._initializer(declared.value, scope) if declared is not None and declared.value else None
        if row is None:
            return []
        self._listed.add(key)
        return [(row, scope if key[0] == "local" else self.project.flow.file_scope(str(key[1])))]

    def _initializer(self, value: Value, scope: Definition) -> facts.Initializer | None:
        """The initialiser that ``value`` is, perhaps as a macro or a compound literal."""
        for _ in range(HOPS):
            value = uncast(value)
            match value:
                case facts.Initializer():
                    return value
                case facts.Name():
                    macro = self.symbols.macro(value.id, scope.path)
                    if macro is None:
                        return None
                    value = macro.value
                case facts.Call(kind="construct") if self.family(root_name(value.function)):
                    items = tuple(facts.Item(a.span, a) for a in value.arguments)
                    return facts.Initializer(value.span, items)
                case facts.Unknown(parts=(only,)):
                    value = only
                case _:
                    return None
        return None

    def _row(
        self,
        key: Key,
        index: int | None,
        row: facts.Initializer,
        span: Span,
        scope: Definition,
        family: str,
        owner: str,
    ) -> Iterator[Row]:
        name = _member(row, "name", 0)
        callback = _member(row, "callback", 1)
        if callback is None:
            return
        # A row that a macro writes out lies where the macro is used.
        inside = span.start <= callback.span.start and callback.span.end <= span.end
        place = Place(scope.path, callback.span if inside else span)
        for definition in self._functions(callback, scope, owner):
            yield Row(key, index, name, definition, place, family == _LEGACY)

    def _functions(self, value: Value, scope: Definition, owner: str) -> tuple[Definition, ...]:
        """The functions that a callback slot may hold.  The slot of another row says nothing: all rows
        share one field."""
        value = uncast(value)
        if isinstance(value, facts.Unary) and value.op in ("&", "*", "+"):
            value = uncast(value.operand)
        if isinstance(value, facts.Member) and value.field == "callback":
            return ()
        if owner and isinstance(value, facts.Name):
            methods = self.symbols.methods.get((last_component(owner), last_component(value.id)))
            if methods:
                return self.symbols.nearest(methods, scope.path).definitions
        if isinstance(value, facts.Name | facts.Lambda | facts.Member | facts.Conditional | facts.Call):
            return self.project.flow.functions_of(value, scope)
        return ()

    def _assigned(self) -> Iterator[Row]:
        for definition, node in self._assignments:
            if node.op in ("=", "("):  # "(": a constructor's list of members
                yield from self._assignment(node, definition)
        pushed: dict[int, dict[Key, int]] = defaultdict(lambda: defaultdict(int))
        for definition, site in self.project.calls_where(_ADDING.__contains__):
            if isinstance(site.node, facts.Call):
                yield from self._pushed(site.node, definition, pushed[definition.id])

    @cached_property
    def _assignments(self) -> list[tuple[Definition, facts.Assign]]:
        """The assignments to what may be a table, a row or a row's callback, by the last name of the target:
        that of few variables and fields is of a row's type, and only theirs is asked for."""
        return [
            (definition, node)
            for definition in self.project.busy
            for site in definition.body.assigns
            if isinstance(node := site.node, facts.Assign) and self._may_be_row(node.target)
        ]

    def _may_be_row(self, target: Value) -> bool:
        node = target
        while True:
            match node:
                case facts.Name():
                    return last_component(node.id) in self._named_so
                case facts.Member():
                    return node.field == "callback" or node.field in self._named_so
                case facts.Index():
                    node = node.object
                case facts.Unary(op="*" | "&"):
                    node = node.operand
                case _:
                    return True

    @cached_property
    def _named_so(self) -> frozenset[str]:
        """The names of all variables, parameters and fields whose type is that of a row, a pointer to one or
        a list of them, or is left to the compiler to find out."""
        symbols = self.symbols
        typed = [(v.name, v.type) for file in symbols.files for v in file.variables]
        typed += [(f.name, f.type) for file in symbols.files for c in file.classes for f in c.fields]
        typed += [(p.name, p.type) for d in self.project.busy for p in d.function.parameters]
        typed += [(node.name, node.type) for _, node in self.project.declares_where(self._may_be_typed_so)]
        names = {last_component(name) for name, type in typed if self._may_be_typed_so(type)}
        return frozenset({"this", *names})

    def _may_be_typed_so(self, type: str) -> bool:
        return bool(self.family(type)) or "auto" in type

    def _assignment(self, node: facts.Assign, definition: Definition) -> Iterator[Row]:
        target = uncast(node.target)
        if isinstance(target, facts.Member) and target.field == "callback":
            family = self.family(self.symbols.type_of(target.object, definition))
            if not family:
                return
            key = self.key(target.object, definition)
            if key is None:
                return
            index = self._index(target.object, definition)
            place = Place(definition.path, node.value.span)
            for callback in self._functions(node.value, definition, ""):
                yield Row(key, index, None, callback, place, family == _LEGACY)
        elif isinstance(target, facts.Name):
            if node.op == "(" and isinstance(node.value, facts.Initializer):
                type = self.symbols.type_of(target, definition)
                family = self.family(type)
                key = self.key(target, definition) if family else None
                if key is not None:
                    array = "[" in type or "<" in type
                    yield from self._initialised(key, node.value, definition, family, array, "")
        elif isinstance(target, facts.Index | facts.Unary):
            initializer = self._initializer(node.value, definition)
            if initializer is None:
                return
            family = self.family(self.symbols.type_of(target, definition))
            key = self.key(target, definition)
            if family and key is not None:
                index = self._index(target, definition)
                yield from self._row(key, index, initializer, initializer.span, definition, family, "")

    def _pushed(self, call: facts.Call, definition: Definition, pushed: dict[Key, int]) -> Iterator[Row]:
        function = uncast(call.function)
        if not isinstance(function, facts.Member) or function.field not in _ADDING or not call.arguments:
            return
        family = self.family(self.symbols.type_of(function.object, definition))
        key = self.key(function.object, definition) if family else None
        if key is None:
            return
        index = pushed[key]
        pushed[key] += 1
        value = call.arguments[-1]
        if function.field == "emplace_back":
            items = tuple(facts.Item(a.span, a) for a in call.arguments)
            value = facts.Initializer(call.span, items)
        initializer = self._initializer(value, definition)
        if initializer is None and isinstance(value, facts.Name):
            declared = definition.body.locals.get(value.id)
            if declared is not None and declared.value is not None:
                initializer = self._initializer(declared.value, definition)
        if initializer is not None:
            yield from self._row(key, index, initializer, initializer.span, definition, family, "")

    def _index(self, value: Value, definition: Definition) -> int | None:
        """The row that ``table[3]`` or ``*table`` means."""
        value = uncast(value)
        if isinstance(value, facts.Index):
            return self.integer(value.index, definition)
        if isinstance(value, facts.Unary) and value.op == "*":
            return 0 if isinstance(uncast(value.operand), facts.Name | facts.Member) else None
        return None

    # ------------------------------------------------------------------ constants and keys

    def integer(self, value: Value, definition: Definition) -> int | None:
        """The integer that ``value`` is known to be: a literal, an enumerator, a macro, a constant."""
        for _ in range(2 * HOPS):
            value = uncast(value)
            match value:
                case facts.Number():
                    return value.value
                case facts.Null():
                    return 0
                case facts.Unary(op="-"):
                    inner = uncast(value.operand)
                    return -inner.value if isinstance(inner, facts.Number) else None
                case facts.Name():
                    known = knowledge.constant_value(last_component(value.id))
                    if known is None:
                        known = self.project.enumerators.get(last_component(value.id))
                    if known is not None:
                        return known
                    macro = self.symbols.macro(value.id, definition.path)
                    if macro is not None:
                        value = macro.value
                        continue
                    variable = self.symbols.variable(value.id, definition.path)
                    if variable is None or "const" not in variable.declare.type.split():
                        return None
                    if variable.declare.value is None:
                        return None
                    value = variable.declare.value
                case _:
                    return None
        return None

    def key(self, value: Value, definition: Definition) -> Key | None:
        """The variable, parameter or class member in which ``value`` lies or to which it points."""
        for _ in range(16):
            value = uncast(value)
            match value:
                case facts.Unary(op="&" | "*"):
                    value = value.operand
                case facts.Index():
                    value = value.object
                case facts.Binary(op="+" | "-"):
                    value = value.left
                case facts.Assign():
                    value = value.value
                case facts.Call(function=facts.Member(field="data" | "begin" | "get" | "front") as method):
                    value = method.object
                case facts.Member():
                    owner = last_component(class_name(self.symbols.type_of(value.object, definition)))
                    return self._field_key(owner, value.field, definition)
                case facts.Name():
                    return self._name_key(value.id, definition)
                case _:
                    return None
        return None

    def _name_key(self, name: str, definition: Definition) -> Key | None:
        current: Definition | None = definition
        while current is not None:
            if name in current.body.locals:
                return ("local", current.id, name)
            for position, parameter in enumerate(current.function.parameters):
                if parameter.name == name:
                    return ("parameter", current.id, position)
            current = self.symbols.parent(current)
        variable = self.symbols.variable(name, definition.path)
        if variable is not None:
            return ("global", variable.path, variable.declare.name)
        owner = self.symbols.owner(definition)
        if owner:
            for class_ in self.symbols.lineage(owner, definition.path):
                declared = self.symbols.class_named(class_, definition.path)
                if declared is not None and any(field.name == name for field in declared.fields):
                    return self._field_key(declared.name, name, definition)
        return None

    def _field_key(self, class_: str, field: str, definition: Definition) -> Key:
        return field_key(class_, self.project.values.writes.home(class_, definition.path), field)

    # ------------------------------------------------------------------ users

    @cached_property
    def _copies(self) -> dict[Key, tuple[Key, ...]]:
        """Table → the variables and members that are set to it, point to it or get its rows."""
        found: dict[Key, dict[Key, None]] = defaultdict(dict)
        for definition, declared in self.project.declares_where(self.family):
            source = None if declared.value is None else self.key(declared.value, definition)
            if source is not None:
                found[source]["local", definition.id, declared.name] = None
        for definition, node in self._assignments:
            target, value = uncast(node.target), uncast(node.value)
            if type(value) in LITERALS:
                continue
            if isinstance(target, facts.Member) and target.field == "callback":
                if not isinstance(value, facts.Member) or value.field != "callback":
                    continue
                target, value = uncast(target.object), uncast(value.object)
            if self.family(self.symbols.type_of(target, definition)):
                source, copy = self.key(value, definition), self.key(target, definition)
                if source is not None and copy is not None and source != copy:
                    found[source][copy] = None
        return {key: tuple(copies) for key, copies in found.items()}

    @cached_property
    def _uses(self) -> dict[Key, tuple[Vhost, ...]]:
        """The creation infos that name a table, by that table's key or the parameter it came in."""
        found: dict[Key, list[Vhost]] = defaultdict(list)
        for field in ("protocols", "pprotocols"):
            for located in self.project.writes_to(field):
                node, definition = located.site.node, located.definition
                if not isinstance(node, facts.Assign) or not isinstance(uncast(node.target), facts.Member):
                    continue
                key = self.key(node.value, definition)
                if key is not None:
                    target = uncast(node.target)
                    assert isinstance(target, facts.Member)
                    if "plugin" in self.symbols.type_of(target.object, definition):
                        continue
                    found[key].append(self._vhost(key, target.object, node.span, definition))
        for definition, declared in self.project.declares_where(lambda type: "creation_info" in type):
            self._initialised_info(declared, definition, found)
        for file in self.symbols.files:
            for variable in file.variables:
                self._initialised_info(variable, self.project.flow.file_scope(file.path), found)
        return {key: tuple(uses) for key, uses in found.items()}

    def _initialised_info(
        self, declared: facts.Declare, definition: Definition, found: dict[Key, list[Vhost]]
    ) -> None:
        if "creation_info" not in declared.type or not isinstance(declared.value, facts.Initializer):
            return
        for item in declared.value.items:
            if item.designator in ("protocols", "pprotocols"):
                key = self.key(item.value, definition)
                if key is not None:
                    info = facts.Name(declared.name_span, declared.name)
                    found[key].append(self._vhost(key, info, item.span, definition))

    def _vhost(self, key: Key, info: Value, span: Span, definition: Definition) -> Vhost:
        ports = self._written(info, "port", definition)
        port = Place(ports[0].definition.path, ports[0].value.span) if ports else None
        return Vhost(
            table=key,
            listens=self._listens(ports) and not self._raw(info, definition),
            place=Place(definition.path, span),
            port=port,
            mounts=bool(self._written(info, "mounts", definition)),
            asked=self._asked(info, definition),
        )

    def _asked(self, info: Value, definition: Definition) -> str:
        """The protocol that is bound to every request, whatever file there is
        (lib/roles/http/server/server.c:2246,2356@v5.0.0)."""
        mounts = self._written(info, "mounts", definition)
        if len(mounts) != 1:
            return ""
        mount, scope = mounts[0].value, mounts[0].definition
        key = self.key(mount, scope)
        initializer = None if key is None else self._info_initializer(key)

        def text(field: str, position: int) -> str:
            value = _member(initializer, field, position) if initializer is not None else None
            values = [value] if value is not None else [w.value for w in self._written(mount, field, scope)]
            texts = [v.value for v in map(uncast, values) if isinstance(v, facts.Text)]
            return texts[0] if len(texts) == len(values) == 1 else ""

        return text("protocol", 4) if text("mountpoint", 1) == "/" else ""

    def _listens(self, ports: list[_Written]) -> bool | None:
        found = [(written, answer) for written in ports for answer in self._listening(written)]
        answers = {answer for _, answer in found}
        if answers == {False}:
            return False
        if True not in answers:
            return None
        # `info.port = 7681; if (client) info.port = CONTEXT_PORT_NO_LISTEN;` can end either way.
        return None if any(written.guarded and answer is False for written, answer in found) else True

    def _raw(self, info: Value, definition: Definition) -> bool:
        """Whether the vhost takes only raw connections (``options``, ``listen_accept_role``)."""
        for written in self._written(info, "listen_accept_role", definition):
            if isinstance(written.value, facts.Text) and written.value.value.startswith("raw"):
                return True
        for written in self._written(info, "options", definition):
            for node in facts.walk(written.value):
                if isinstance(node, facts.Name) and node.id in _RAW_OPTIONS:
                    return True
        return False

    def _written(self, info: Value, field: str, definition: Definition) -> list[_Written]:
        """What is written to ``info.field``, in the same function or to the same class member."""
        key = self.key(info, definition)
        found = [] if key is None else list(self._writes_by_key(field).get(key, ()))
        initializer = None if key is None else self._info_initializer(key)
        if key is not None and initializer is not None:
            scope = definition if key[0] == "local" else self.project.flow.file_scope(str(key[1]))
            for item in initializer.items:
                if item.designator == field:
                    found.append(_Written(item.value, scope, False))
        return found

    def _writes_by_key(self, field: str) -> dict[Key, list[_Written]]:
        """All assignments to members of that name, by the struct in which the member lies."""
        if field not in self._written_cache:
            index: dict[Key, list[_Written]] = defaultdict(list)
            for located in self.project.writes_to(field):
                node = located.site.node
                target = uncast(node.target) if isinstance(node, facts.Assign) else None
                if isinstance(node, facts.Assign) and isinstance(target, facts.Member):
                    key = self.key(target.object, located.definition)
                    if key is not None:
                        index[key].append(_Written(node.value, located.definition, bool(located.site.guards)))
            self._written_cache[field] = index
        return self._written_cache[field]

    def _info_initializer(self, key: Key) -> facts.Initializer | None:
        declared = self._declaration(key)
        value = None if declared is None else declared.value
        return value if isinstance(value, facts.Initializer) else None

    def _declaration(self, key: Key) -> facts.Declare | None:
        if key[0] == "local":
            return self.symbols.definitions[int(key[1])].body.locals.get(str(key[2]))
        variable = self.symbols.variable(str(key[2]), str(key[1])) if key[0] == "global" else None
        return variable.declare if variable is not None else None

    def _listening(self, written: _Written) -> Iterator[bool | None]:
        value = uncast(written.value)
        sides = (value.then, value.other) if isinstance(value, facts.Conditional) else (value,)
        for side in sides:
            yield self._listens_on(uncast(side), written.definition)

    def _listens_on(self, port: Value, definition: Definition) -> bool | None:
        number = self.integer(port, definition)
        if number is not None:
            return _LISTENING.get(number, True)
        local = definition.body.locals.get(port.id) if isinstance(port, facts.Name) else None
        if local is not None and local.value is not None:
            # A local that starts out as "do not listen" may or may not be set to a port later.
            return None if self.integer(local.value, definition) == -1 else True
        return True

    def users(self, table: Key) -> tuple[Vhost, ...]:
        """The contexts and vhosts that use ``table``, through copies and parameters, by place."""
        seen = {table: None}
        front = [table]
        for _ in range(HOPS):
            fresh: list[Key] = []
            for key in front:
                for copy in (*self._copies.get(key, ()), *self._passed(key)):
                    if copy not in seen:
                        seen[copy] = None
                        fresh.append(copy)
            front = fresh
        found = {use for key in seen for use in self._uses.get(key, ())}
        return tuple(sorted(found, key=lambda use: (use.place, str(use.table))))

    @cached_property
    def _handed(self) -> dict[Key, tuple[Key, ...]]:
        """Table → the parameters of project functions that receive it."""
        found: dict[Key, dict[Key, None]] = defaultdict(dict)
        for edge in self.project.flow.edges:
            call = edge.site.node
            if not isinstance(call, facts.Call):
                continue
            parameters = edge.callee.function.parameters
            for position, argument in enumerate(call.arguments[: len(parameters)]):
                if self.family(parameters[position].type):
                    source = self.key(argument, edge.caller)
                    if source is not None:
                        found[source][("parameter", edge.callee.id, position)] = None
        return {key: tuple(copies) for key, copies in found.items()}

    def _passed(self, key: Key) -> tuple[Key, ...]:
        return self._handed.get(key, ())

    @cached_property
    def plugins(self) -> frozenset[Key]:
        """Tables that a plugin exports: their rows are added behind those of each vhost.

        A source of protocols that may also be included into a program keeps its table for that under
        ``#if !defined(LWS_PLUGIN_STATIC)`` (plugins/*.c@v5.0.0).
        """
        found: set[Key] = set()
        for located in self.project.writes_to("protocols"):
            node, definition = located.site.node, located.definition
            if isinstance(node, facts.Assign) and isinstance(uncast(node.target), facts.Member):
                target = uncast(node.target)
                assert isinstance(target, facts.Member)
                key = self.key(node.value, definition)
                if key is not None and "plugin" in self.symbols.type_of(target.object, definition):
                    found.add(key)
        for file in self.symbols.files:
            for variable in file.variables:
                conditions = self.project.conditions_at(file.path, variable.span)
                if any(PLUGIN_SWITCH in condition.names for condition in conditions):
                    found.add(("global", file.path, variable.name))
                if "plugin" not in variable.type or not isinstance(variable.value, facts.Initializer):
                    continue
                scope = self.project.flow.file_scope(file.path)
                for item in variable.value.items:
                    key = self.key(item.value, scope)
                    if key is not None and item.designator in ("protocols", None):
                        found.add(key)
        return frozenset(found)

    # ------------------------------------------------------------------ mounts

    @cached_property
    def mounted(self) -> frozenset[str]:
        """Protocol names that a mount anywhere in the project puts in charge of HTTP."""
        names = {use.asked for uses in self._uses.values() for use in uses} - {""}
        for value in self._mount_initializers():
            if any(_is_callback_mount(item.value) for item in value.items):
                named = _member(value, "protocol", 4)
                if isinstance(named, facts.Text):
                    names.add(named.value)
        for located in self.project.writes_to("origin_protocol"):
            node = located.site.node
            if isinstance(node, facts.Assign) and _is_callback_mount(node.value):
                names.update(self._mount_names(node, located.definition))
        return frozenset(names)

    def _mount_initializers(self) -> Iterator[facts.Initializer]:
        declared = [v for file in self.symbols.files for v in file.variables if _MOUNT in v.type]
        declared += [node for _, node in self.project.declares_where(lambda type: _MOUNT in type)]
        for variable in declared:
            if isinstance(variable.value, facts.Initializer):
                yield variable.value
                for item in variable.value.items:
                    if isinstance(item.value, facts.Initializer):
                        yield item.value

    def _mount_names(self, node: facts.Assign, definition: Definition) -> Iterator[str]:
        target = uncast(node.target)
        assert isinstance(target, facts.Member)
        key = self.key(target.object, definition)
        for located in self.project.writes_to("protocol"):
            other = located.site.node
            if not isinstance(other, facts.Assign) or not isinstance(other.value, facts.Text):
                continue
            written = uncast(other.target)
            if isinstance(written, facts.Member) and self.key(written.object, located.definition) == key:
                yield other.value.value


def field_key(class_: str, home: str, field: str) -> Key:
    """The key of a class's field; ``home`` is the file that declares the class."""
    return ("field", f"{home}:{class_}", field)


def _member(initializer: facts.Initializer, field: str, position: int) -> Value | None:
    """The value of a struct's member: by designator, or by position when nothing is designated."""
    for item in initializer.items:
        if item.designator == field:
            return item.value
    if any(isinstance(item.designator, str) for item in initializer.items):
        return None
    return initializer.items[position].value if position < len(initializer.items) else None


def _is_callback_mount(value: Value) -> bool:
    value = uncast(value)
    return isinstance(value, facts.Name) and last_component(value.id) == "LWSMPRO_CALLBACK"
