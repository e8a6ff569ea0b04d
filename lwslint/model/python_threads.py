"""Which Python functions run on a thread other than their event loop's, and what they must not do there.

A function is handed to a thread by a row of the table (``threading.Thread(target=f)``, an executor, a
signal of GStreamer, a consumer callback of kombu).  From there calls are followed: plain calls, and
awaited ones where the thread drives a loop of its own.  Making a coroutine object runs nothing, and what
is given to ``call_soon_threadsafe`` and its kin runs on the loop's thread.

Loop-bound objects are told by what makes them.  An object made by code that the same thread reaches is
that thread's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lwslint.diagnostics import Step
from lwslint.facts import (
    Assign,
    Block,
    Call,
    Declare,
    FileFacts,
    Initializer,
    Lambda,
    Member,
    Name,
    Place,
    Span,
    Statement,
    Text,
    Unary,
    Unknown,
    Value,
    parts,
    walk,
)
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Entry
from lwslint.model.python_collections import Collections
from lwslint.model.python_exposure import around, guards_at
from lwslint.model.python_program import Origin, PythonProgram, Target, Use, passed_values, written
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    pass

MAX_REACH = 400
MAX_REACHED = 20_000  # of all starts
MAX_COROUTINES = 40


class Start(msgspec.Struct, frozen=True, eq=False):
    """A place that makes ``entry`` run on another thread.  ``how`` says so to the reader."""

    place: Place
    entry: Definition
    how: str
    definition: Definition
    handed: tuple[Origin, ...] = ()
    drives: bool = False


class Reached(msgspec.Struct, frozen=True, eq=False):
    """A function on that thread, with the calls that led there; ``driven``: on a loop of the thread."""

    definition: Definition
    start: Start
    chain: tuple[Step, ...]
    driven: bool


class Misuse(msgspec.Struct, frozen=True, eq=False):
    """A call on the wrong thread; ``where`` says so where no ``start`` does.

    ``severe`` is False where it costs time instead of messages, or depends on who calls; ``possible`` where
    the program may be made so that it never happens.
    """

    place: Place
    definition: Definition
    what: str
    effect: str
    help: str
    start: Start | None
    chain: tuple[Step, ...] = ()
    certain: bool = True
    severe: bool = True
    possible: bool = False
    where: str = ""


class Closure(NamedTuple):
    """The ids of functions, and whether one of them serves connections."""

    functions: frozenset[int]
    serves: bool


class PythonThreads:
    """The thread starts of a program and what they reach."""

    def __init__(self, program: PythonProgram) -> None:
        self.program = program
        self.table = libraries.load()
        self._own: dict[int, frozenset[int]] = {}
        self._reached: dict[int, tuple[Start, list[Reached]]] = {}
        self._run: dict[tuple[int, bool], tuple[tuple[Definition, Span, bool], ...]] = {}
        self._kinds: dict[tuple[int, Span], str] = {}
        self._uses: dict[int, tuple[Origin, ...]] = {}
        self._using: set[int] = set()
        self._handed: dict[int, frozenset[Span]] = {}
        self._closures: dict[int, Closure] = {}

    # ------------------------------------------------------------------ starts

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """All places that run a function of the program on another thread, in order of file."""
        found = [*self._calls(), *self._fields(), *self._methods(), *self._decorated()]
        return tuple(sorted(found, key=lambda s: (s.place, s.entry.id)))

    def _rows(self, use: Use) -> Iterator[Entry]:
        name = self.program.called(use.call, use.definition) or f"?.{written(use.call.function)}"
        bare = f"?.{name.rpartition('.')[2]}"
        for row in self.table.entry:
            if name in row.call or (bare in row.call and ("." in name or name.startswith("?"))):
                if not row.needs or self.program.imports(use.definition.file, *row.needs):
                    yield row

    def _calls(self) -> Iterator[Start]:
        for use in self.program.calls:
            for row in self._rows(use):
                yield from self._start(use, row)

    def _start(self, use: Use, row: Entry) -> Iterator[Start]:
        call, definition = use.call, use.definition
        if row.text and not (call.arguments and isinstance(call.arguments[0], Text)):
            return
        entries = [k.value for k in call.keywords if row.keyword and k.name == row.keyword]
        if not entries and row.at is not None and row.at < len(call.arguments):
            entries = [call.arguments[row.at]]
        for entry in list(entries):
            if isinstance(entry, Initializer):
                entries.remove(entry)
                entries += [item.value for item in entry.items]
        rest: list[Value] = list(call.arguments[row.rest :]) if row.rest is not None else []
        for keyword in call.keywords:
            if row.rest_keyword and keyword.name == row.rest_keyword:
                rest += _elements(keyword.value)
        how = row.what or f"{written(call.function)}() starts it on another thread"
        for entry in entries:
            if self.is_driver(entry, definition):
                yield from self._driven(use, rest, how)
                continue
            handed = tuple(Origin(value, definition) for value in rest)
            for target in self.program.functions_of(entry, definition):
                yield Start(use.place, target, how, definition, handed, target.function.coroutine)

    def _driven(self, use: Use, rest: Sequence[Value], how: str) -> Iterator[Start]:
        """``Thread(target=asyncio.run, args=(coroutine(…),))``."""
        for value in rest[:1]:
            for origin in self.coroutines(value, use.definition):
                coroutine = origin.value
                assert isinstance(coroutine, Call)
                given = (*coroutine.arguments, *(k.value for k in coroutine.keywords))
                handed = tuple(Origin(v, origin.definition) for v in given)
                targets = self.program.functions_of(coroutine.function, origin.definition)
                for target in targets:
                    yield Start(use.place, target, how, use.definition, handed, True)
                if not targets:
                    # Nobody knows the coroutine, but what it is given goes to the thread.
                    yield Start(use.place, use.definition, how, use.definition, handed, True)

    def coroutines(self, value: Value, definition: Definition) -> Iterator[Origin]:
        """The calls that make the coroutine ``value``; what a coroutine function returns is not one."""
        if isinstance(value, Call):
            yield Origin(value, definition)
            return
        for origin in self.program.origins(value, definition):
            if isinstance(origin.value, Call):
                yield origin

    def is_driver(self, value: Value, definition: Definition) -> bool:
        """Whether calling ``value`` runs a coroutine to its end (``asyncio.run``)."""
        name = self.program.dotted(value, definition)
        if name in self.table.drive:
            return True
        return isinstance(value, Member) and f"?.{value.field}" in self.table.drive

    def _fields(self) -> Iterator[Start]:
        for definition in self.program.definitions:
            for site in definition.body.assigns:
                node = site.node
                assert isinstance(node, Assign)
                if not isinstance(node.target, Member):
                    continue
                for row in self.table.entry_field:
                    if node.target.field not in row.field or not self.program.imports(
                        definition.file, *row.needs
                    ):
                        continue
                    starts = [u for name in row.starts for u in self.program.calls_named(name)]
                    if not any(self._may_mean(u.definition.file, definition.file) for u in starts):
                        continue
                    for target in self.program.functions_of(node.value, definition):
                        yield Start(definition.place(node.span), target, row.what, definition)

    def _may_mean(self, file: FileFacts, module: FileFacts) -> bool:
        """Whether what ``file`` starts may be an object of ``module``: it is that file, or imports it."""
        names = {part for name in file.includes for part in (name, name.rpartition(".")[0]) if part}
        return file is module or any(self.program.module(name, file) is module for name in sorted(names))

    def _methods(self) -> Iterator[Start]:
        for file in self.program.files:
            for cls in file.classes:
                target = Target(file, cls)
                bases = self.program.base_names(target)
                for row in self.table.entry_method:
                    if not set(bases) & set(row.base):
                        continue
                    method = next((m for m in self.program.methods(target) if m.name == row.method), None)
                    if method is not None:
                        base = next(b for b in bases if b in row.base)
                        how = f"{row.method}() of a {base.rpartition('.')[2]} runs on a thread of its own"
                        yield Start(method.place(), method, how, method)

    def _decorated(self) -> Iterator[Start]:
        for definition in self.program.definitions:
            function = definition.function
            if function.coroutine:
                continue
            for decorator in function.decorators:
                if not isinstance(decorator, Call) or not isinstance(decorator.function, Member):
                    continue
                path = decorator.arguments[:1]
                if not path or not isinstance(path[0], Text) or not path[0].value.startswith("/"):
                    continue
                for row in self.table.entry_decorator:
                    if decorator.function.field in row.decorator:
                        if self.program.imports(definition.file, *row.needs):
                            yield Start(definition.place(), definition, row.what, definition)

    # ------------------------------------------------------------------ reach

    @cached_property
    def reached(self) -> tuple[Reached, ...]:
        """Every function that a start reaches, by the shortest way."""
        found: list[Reached] = []
        seen: set[tuple[int, bool]] = set()
        for start in self.starts:
            # Another start of the same function reaches the same calls.
            key = (start.entry.id, start.drives)
            if (start.entry is start.definition and start.drives) or key in seen:
                continue
            seen.add(key)
            found += self.reach(start)
            if len(found) > MAX_REACHED:
                break
        return tuple(found)

    def reach(self, start: Start) -> list[Reached]:
        """Every function that the start's thread runs, by the shortest way."""
        known = self._reached.get(id(start))
        if known is None or known[0] is not start:
            known = (start, self._search(start))
            self._reached[id(start)] = known
        return known[1]

    def _search(self, start: Start) -> list[Reached]:
        first = Reached(start.entry, start, (Step(start.place, start.how),), start.drives)
        found = [first]
        seen = {start.entry.id}
        waiting = deque([first])
        while waiting and len(found) < MAX_REACH:
            current = waiting.popleft()
            key = (current.definition.id, current.driven)
            if key not in self._run:
                self._run[key] = tuple(self._runs(current.definition, current.driven))
            for target, site_span, driven in self._run[key]:
                if target.id in seen:
                    continue
                seen.add(target.id)
                step = Step(
                    current.definition.place(site_span), f"{current.definition.name}() calls {target.name}()"
                )
                reached = Reached(target, start, (*current.chain, step), driven)
                found.append(reached)
                waiting.append(reached)
        return found

    def _runs(self, definition: Definition, driven: bool) -> Iterator[tuple[Definition, Span, bool]]:
        """The functions that run when ``definition`` runs, on the same thread."""
        program = self.program
        handed = self.handed_back(definition)
        awaited = _awaited(definition)
        for call in calls_in(definition):
            if call.span in handed:
                continue
            if self.is_driver(call.function, definition):
                for coroutine in call.arguments[:1]:
                    for origin in self.coroutines(coroutine, definition):
                        if isinstance(origin.value, Call):
                            for target in program.functions_of(origin.value.function, origin.definition):
                                yield target, call.span, True
                continue
            for target in program.functions_of(call.function, definition):
                if not target.function.coroutine:
                    yield target, call.span, driven
                elif call.span in awaited:
                    yield target, call.span, True

    def handed_back(self, definition: Definition) -> frozenset[Span]:
        """The calls that are arguments of a hop: they only make a coroutine."""
        known = self._handed.get(definition.id)
        if known is None:
            found: set[Span] = set()
            for call in calls_in(definition):
                if self.is_hop(call, definition):
                    for argument in (*call.arguments, *(k.value for k in call.keywords)):
                        found.update(node.span for node in walk(argument) if isinstance(node, Call))
            known = self._handed[definition.id] = frozenset(found)
        return known

    def is_hop(self, call: Call, definition: Definition) -> bool:
        name = self.program.called(call, definition)
        return name in self.table.hop or f"?.{name.rpartition('.')[2]}" in self.table.hop

    def own(self, start: Start) -> frozenset[int]:
        """The ids of the functions that the start's thread runs."""
        key = id(start)
        if key not in self._own:
            self._own[key] = frozenset(r.definition.id for r in self.reach(start))
        return self._own[key]

    def closure(self, target: Definition) -> Closure:
        """What may run because ``target`` runs: what it calls, and what it hands to others to call."""
        known = self._closures.get(target.id)
        if known is None:
            found: dict[int, None] = {}
            serves = False
            waiting = [target]
            while waiting and len(found) < MAX_REACH:
                current = waiting.pop()
                if current.id in found:
                    continue
                found[current.id] = None
                for call in calls_in(current):
                    serves = serves or _serves(call)
                    waiting += self.program.functions_of(call.function, current)
                for value in passed_values(current):
                    if isinstance(value, (Name, Member, Lambda)):
                        waiting += self.program.functions_of(value, current)
            known = self._closures[target.id] = Closure(frozenset(found), serves)
        return known

    def serves(self, start: Start) -> bool:
        """Whether the thread runs a server of its own, whose connections are then its own, too."""
        return any(_serves(call) for reached in self.reach(start) for call in calls_in(reached.definition))

    # ------------------------------------------------------------------ objects

    def kind(self, value: Value, definition: Definition) -> tuple[str, tuple[Origin, ...]]:
        """What a value is ("loop", "event", "asyncio", …; "" when unknown), and what made it."""
        kinds = libraries.objects()
        makers: list[Origin] = []
        found = ""
        for origin in self._with_elements(self.program.origins(value, definition)):
            kind = self._kind_of(origin, kinds)
            if kind:
                found = found or kind
                if kind == found:
                    makers.append(origin)
        if found:
            return found, tuple(makers)
        return self._by_name(value, definition), ()

    def _with_elements(self, origins: Sequence[Origin]) -> Iterator[Origin]:
        """The origins; for what a loop takes out of a collection, what was put in."""
        for origin in origins:
            over = _looped_over(origin.value)
            if over is None:
                yield origin
            else:
                for element in self.collections.elements(over, origin.definition):
                    yield from self.program.origins(*element)

    @cached_property
    def collections(self) -> Collections:
        """What is put into the program's lists, sets and dicts."""
        return Collections(self.program)

    def _kind_of(self, origin: Origin, kinds: dict[str, str]) -> str:
        value, definition = origin
        program = self.program
        if isinstance(value, Call):
            name = program.called(value, definition)
            if name in kinds:
                return kinds[name]
            bare = f"?.{name.rpartition('.')[2]}"
            if bare in kinds:
                return kinds[bare]
            if bare == "?.ws_connect" and program.imports(definition.file, "aiohttp"):
                return "asyncio"
            target = program.class_named(written(value.function), definition.file) if name else None
            return self._kind_of_class(target) if target is not None else ""
        if isinstance(value, (Name, Member)):
            name = program.dotted(value, definition)
            if name in kinds:
                return kinds[name]
        if isinstance(value, Name):
            if value.id == "self":
                target = program.owner(definition)
                return self._kind_of_class(target) if target is not None else ""
            parameter = program.parameter(definition, value.id)
            if parameter is not None and parameter.type:
                return self._kind_of_annotation(parameter.type, definition)
            if parameter is not None and self._is_handed_connection(definition, value.id):
                return "asyncio"
        return ""

    @cached_property
    def handlers(self) -> frozenset[int]:
        """The coroutine functions that a server runs for each connection, which is their first parameter."""
        rows = {name: row for row in self.table.handler for name in row.call}
        found: set[int] = set()
        for use in self.program.calls:
            row = rows.get(self.program.called(use.call, use.definition))
            if row is None:
                continue
            given = [k.value for k in use.call.keywords if k.name in row.keyword]
            for value in given or use.call.arguments[:1]:
                found.update(d.id for d in self.program.functions_of(value, use.definition))
        return frozenset(found)

    def _is_handed_connection(self, definition: Definition, name: str) -> bool:
        own = [p.name for p in definition.function.parameters if p.name not in ("self", "cls")]
        return bool(own) and own[0] == name and definition.id in self.handlers

    def _kind_of_class(self, target: Target) -> str:
        kinds = libraries.objects()
        for base in self.program.base_names(target):
            if base in kinds:
                return kinds[base]
        return ""

    def _kind_of_annotation(self, text: str, definition: Definition) -> str:
        name = text.strip("\"' ").removeprefix("Optional[").rstrip("]").split("|")[0].strip()
        span = Span(0, 0)
        head, *rest = name.split(".")
        value: Value = Name(span, head)
        for part in rest:
            value = Member(span, value, part, span)
        aliases = {alias.name: alias.type for alias in definition.file.aliases}
        full = ".".join((aliases.get(head, head), *rest))
        kinds = libraries.objects()
        if full in kinds:
            return kinds[full]
        target = self.program.class_named(name, definition.file)
        return self._kind_of_class(target) if target is not None else ""

    def _by_name(self, value: Value, definition: Definition) -> str:
        """What only the name tells, in a file that imports a library of coroutines."""
        name = written(value).rpartition(".")[2].lstrip("_").lower()
        if name in self.table.connection_names:
            if self.program.imports(definition.file, *self.table.asyncio_modules):
                return "asyncio"
        if name in ("loop", "event_loop", "main_loop", "asyncio_loop", "aio_loop"):
            return "loop" if self.program.imports(definition.file, "asyncio") else ""
        return ""

    def foreign(self, value: Value, makers: Sequence[Origin], reached: Reached) -> bool:
        """Whether an object belongs to another thread than the one that ``reached`` is on."""
        if not makers:
            # A name alone: a local variable of unknown origin may well be the thread's own.
            return isinstance(value, Member) and written(value).startswith(("self.", "cls."))
        own = self.own(reached.start)
        return not any(maker.definition.id in own for maker in makers)

    def decides_itself(self, definition: Definition, span: Span, *, raises: bool = False) -> bool:
        """Whether the code at ``span`` has asked which thread or loop it is on, and hops where it must.

        Either a condition around it asks, or it stands in a ``try`` that finds out; code that ``raises``
        RuntimeError on the wrong thread finds out itself.
        """
        if any(
            self._asks(part, definition)
            for guard in guards_at(definition, span)
            if guard.test is not None
            for part in walk(guard.test)
        ):
            return True
        for body, index in around(definition, span):
            block = body[index]
            if not isinstance(block, Block) or block.kind != "try":
                continue
            caught = [declared.type for declared in _caught(body[index + 1 :])]
            if raises and any(name.rpartition(".")[2] == "RuntimeError" for name in caught):
                return True
            if any(_inside(call, block) and self._asks(call, definition) for call in calls_in(definition)):
                return bool(caught)
        return False

    def _asks(self, value: Value, definition: Definition) -> bool:
        if not isinstance(value, (Name, Member, Call)):
            return False
        origins = self.program.origins(value, definition)
        return any(
            isinstance(origin.value, Call)
            and self.program.called(origin.value, origin.definition) in self.table.asks_thread
            for origin in origins
        )

    # ------------------------------------------------------------------ coroutines that use a connection

    def connection_uses(self, definition: Definition) -> tuple[Origin, ...]:
        """The connections of an event loop that running the coroutine ``definition`` touches: the object
        expressions, with the functions they stand in."""
        known = self._uses.get(definition.id)
        if known is not None:
            return known
        if definition.id in self._using or len(self._using) > MAX_COROUTINES:
            return ()
        self._using.add(definition.id)
        found: list[Origin] = []
        try:
            awaited = _awaited(definition)
            for call in calls_in(definition):
                if call.span not in awaited:
                    continue
                function = call.function
                if isinstance(function, Member) and function.field in self.table.coroutine_methods:
                    kind, _ = self.kind(function.object, definition)
                    if kind == "asyncio":
                        found.append(Origin(function.object, definition))
                        continue
                for target in self.program.functions_of(function, definition):
                    if target.function.coroutine:
                        found += self.connection_uses(target)
        finally:
            self._using.discard(definition.id)
        self._uses[definition.id] = tuple(found[:10])
        return self._uses[definition.id]


def _looped_over(value: Value) -> Value | None:
    """The collection that a ``for`` takes ``value`` from."""
    for _ in range(3):  # a tuple of targets is one level deeper
        if not isinstance(value, Unknown) or len(value.parts) != 1 or value.parts[0].span != value.span:
            return None
        value = value.parts[0]
        if not isinstance(value, Unknown):
            return value
    return None


def _caught(following: Sequence[Statement]) -> Iterator[Declare]:
    """What the handlers right behind a ``try`` catch."""
    for statement in following:
        if not isinstance(statement, Block) or statement.kind != "catch":
            return
        yield from (s for s in statement.body[:1] if isinstance(s, Declare))


def _inside(call: Call, block: Block) -> bool:
    return block.span.start <= call.span.start and call.span.end <= block.span.end


_SERVES = frozenset(
    [
        "serve",
        "unix_serve",
        "serve_forever",
        "run_app",
        "AppRunner",
        "TCPSite",
        "start_server",
        "create_server",
    ]
)


def _serves(call: Call) -> bool:
    """Whether the call, by its last name, takes connections from now on."""
    return written(call.function).rpartition(".")[2] in _SERVES


def _elements(value: Value) -> tuple[Value, ...]:
    return tuple(item.value for item in value.items) if isinstance(value, Initializer) else ()


def _awaited(definition: Definition) -> frozenset[Span]:
    """The calls that are awaited on the spot (also ``async with`` and ``return f()`` of a coroutine)."""
    from lwslint.model.names import statements, values_of

    found: set[Span] = set()
    for statement in statements(definition.function.body):
        for value in values_of(statement):
            for node in walk(value):
                if isinstance(node, Unary) and node.op in ("await", "with"):
                    found.update(part.span for part in walk(node.operand) if isinstance(part, Call))
                elif isinstance(node, Unknown) and definition.function.coroutine:
                    found.update(part.span for part in parts(node) if isinstance(part, Call))
    return frozenset(found)


def calls_in(definition: Definition) -> Iterator[Call]:
    """The calls of a function, in the order in which they are evaluated."""
    for site in definition.body.calls:
        assert isinstance(site.node, Call)
        yield site.node
