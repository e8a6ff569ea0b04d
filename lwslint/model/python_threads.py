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
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Step
from lwslint.facts import (
    Assign,
    Call,
    Initializer,
    Member,
    Name,
    Place,
    Span,
    Text,
    Unary,
    Unknown,
    Value,
    parts,
    walk,
)
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Bound, Entry
from lwslint.model.python_program import Origin, PythonProgram, Target, Use, written
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

MAX_REACH = 400
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
    """A call on the wrong thread."""

    place: Place
    definition: Definition
    what: str
    effect: str
    help: str
    start: Start | None
    chain: tuple[Step, ...] = ()
    certain: bool = True
    severe: bool = True


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

    # ------------------------------------------------------------------ starts

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """All places that run a function of the program on another thread, in order of file."""
        found = [*self._calls(), *self._fields(), *self._methods()]
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
                    if not any(u.definition.file is definition.file for u in starts):
                        continue
                    for target in self.program.functions_of(node.value, definition):
                        yield Start(definition.place(node.span), target, row.what, definition)

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
        for site in definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
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
        found: set[Span] = set()
        for site in definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if self.is_hop(call, definition):
                for argument in (*call.arguments, *(k.value for k in call.keywords)):
                    found.update(node.span for node in walk(argument) if isinstance(node, Call))
        return frozenset(found)

    def is_hop(self, call: Call, definition: Definition) -> bool:
        name = self.program.called(call, definition)
        return name in self.table.hop or f"?.{name.rpartition('.')[2]}" in self.table.hop

    def own(self, start: Start) -> frozenset[int]:
        """The ids of the functions that the start's thread runs."""
        key = id(start)
        if key not in self._own:
            self._own[key] = frozenset(r.definition.id for r in self.reach(start))
        return self._own[key]

    # ------------------------------------------------------------------ objects

    def kind(self, value: Value, definition: Definition) -> tuple[str, tuple[Origin, ...]]:
        """What a value is ("loop", "event", "asyncio", …; "" when unknown), and what made it."""
        kinds = libraries.objects()
        makers: list[Origin] = []
        found = ""
        for origin in self.program.origins(value, definition):
            kind = self._kind_of(origin, kinds)
            if kind:
                found = found or kind
                if kind == found:
                    makers.append(origin)
        if found:
            return found, tuple(makers)
        return self._by_name(value, definition), ()

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
        return ""

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
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
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


# ------------------------------------------------------------------------------------- misuse


def misuses(project: Project) -> tuple[Misuse, ...]:
    """Every call that drives a loop's objects from another thread, one for each place."""
    finder = _Finder(project.python.threads)
    unique: dict[Place, Misuse] = {}
    for misuse in finder.all():
        unique.setdefault(misuse.place, misuse)
    return tuple(sorted(unique.values(), key=lambda m: m.place))


class _Finder:
    def __init__(self, threads: PythonThreads) -> None:
        self.threads = threads
        self.program = threads.program
        self.bound: dict[tuple[str, str], Bound] = {
            (row.on, method): row for row in threads.table.bound for method in row.method
        }
        self.methods = frozenset(method for _, method in self.bound)

    def all(self) -> Iterator[Misuse]:
        for reached in self.threads.reached:
            yield from self._in(reached)
        for start in self.threads.starts:
            yield from self._escaped(start)
        yield from self._on_the_loop()

    def _in(self, reached: Reached) -> Iterator[Misuse]:
        definition = reached.definition
        handed = self.threads.handed_back(definition)
        for site in definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if call.span in handed:
                continue
            yield from self._driving(call, reached)
            yield from self._bound(call, reached)
            yield from self._no_loop(call, reached)

    # -- a connection of another loop is driven by a loop of this thread

    def _driving(self, call: Call, reached: Reached) -> Iterator[Misuse]:
        definition = reached.definition
        if not self.threads.is_driver(call.function, definition) or not call.arguments:
            return
        for origin in self.threads.coroutines(call.arguments[0], definition):
            coroutine = origin.value
            assert isinstance(coroutine, Call)
            hit = self._touches(coroutine, origin.definition, reached)
            if hit:
                yield self._misuse(
                    call,
                    reached,
                    f"{written(call.function)}() drives {hit}, which belongs to another event loop",
                    "short messages seem to go out; a full buffer, recv() or close() raises RuntimeError, and"
                    " frames of two threads mix in the stream",
                    "asyncio.run_coroutine_threadsafe(coroutine, loop).result(), with the loop that"
                    " opened the"
                    " connection",
                )
                return

    def _touches(self, coroutine: Call, definition: Definition, reached: Reached) -> str:
        """The connection of another loop that running ``coroutine`` touches, as written; "" for none."""
        function = coroutine.function
        if isinstance(function, Member) and function.field in self.threads.table.coroutine_methods:
            kind, makers = self.threads.kind(function.object, definition)
            if kind == "asyncio" and self.threads.foreign(function.object, makers, reached):
                return written(function.object)
        for target in self.program.functions_of(function, definition):
            if not target.function.coroutine:
                continue
            own = self._inside(target)
            for use in self.threads.connection_uses(target):
                _, makers = self.threads.kind(*use)
                made_here = any(maker.definition.id in own for maker in makers)
                if not made_here and (self.threads.foreign(use.value, makers, reached) or not makers):
                    return written(use.value) or "a connection"
        return ""

    def _inside(self, target: Definition) -> frozenset[int]:
        """The functions that run when the coroutine runs: what they make is of their own loop."""
        start = Start(target.place(), target, "", target, (), True)
        return frozenset(r.definition.id for r in self.threads.reach(start))

    # -- methods that only the loop's thread may call

    def _bound(self, call: Call, reached: Reached) -> Iterator[Misuse]:
        function = call.function
        if not isinstance(function, Member) or function.field not in self.methods:
            return
        definition = reached.definition
        kind, makers = self.threads.kind(function.object, definition)
        if function.field in ("write_message",) and not kind:
            kind = "tornado" if self.program.imports(definition.file, "tornado") else ""
        if function.field in ("sendMessage", "sendClose") and not kind:
            kind = "twisted" if self.program.imports(definition.file, "autobahn.twisted", "twisted") else ""
        row = self.bound.get((kind, function.field))
        if row is None:
            return
        if kind in ("loop", "event", "queue", "future", "picows"):
            if not makers and kind != "loop":
                return
            if makers and not self.threads.foreign(function.object, makers, reached):
                return
            if not makers and not self._captured(function.object):
                return
            if kind == "loop" and self._runs_itself(function.object, reached):
                return
        yield self._misuse(call, reached, f"{written(function)}()", row.effect, self._instead(row, call))

    def _captured(self, value: Value) -> bool:
        """Whether the loop comes from outside by its looks: ``self.loop``, ``self._loop``."""
        return written(value).startswith(("self.", "cls."))

    def _runs_itself(self, loop: Value, reached: Reached) -> bool:
        """Whether the thread is the one that runs this loop."""
        name = written(loop).rpartition(".")[2]
        for other in self.threads.reach(reached.start):
            for site in other.definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                function = call.function
                if isinstance(function, Member) and function.field in ("run_forever", "run_until_complete"):
                    if written(function.object).rpartition(".")[2] == name:
                        return True
                if self.program.dotted(function, other.definition) == "asyncio.set_event_loop":
                    if call.arguments and written(call.arguments[0]).rpartition(".")[2] == name:
                        return True
        return False

    def _instead(self, row: Bound, call: Call) -> str:
        function = call.function
        assert isinstance(function, Member)
        text = row.instead.replace("{object}", written(function.object) or "object")
        text = text.replace("{method}", function.field)
        return text.replace(", {arguments}", ", ..." if call.arguments else "").replace(
            "{arguments}", "..." if call.arguments else ""
        )

    # -- functions that need a running loop

    def _no_loop(self, call: Call, reached: Reached) -> Iterator[Misuse]:
        if reached.driven or reached.definition.function.coroutine:
            return
        name = self.program.dotted(call.function, reached.definition)
        named = {k.name: k.value for k in call.keywords}
        if name in ("asyncio.ensure_future", "asyncio.run_coroutine_threadsafe") and "loop" in named:
            if name == "asyncio.run_coroutine_threadsafe":
                return
            _, makers = self.threads.kind(named["loop"], reached.definition)
            if makers and not self.threads.foreign(named["loop"], makers, reached):
                return
            if self._runs_itself(named["loop"], reached):
                return
            yield self._misuse(
                call,
                reached,
                "asyncio.ensure_future(..., loop=...)",
                "an idle loop does not wake up: the coroutine never starts, and nothing is raised",
                "asyncio.run_coroutine_threadsafe(coroutine, loop)",
            )
        elif name in ("asyncio.create_task", "asyncio.get_running_loop", "asyncio.ensure_future"):
            yield self._misuse(
                call,
                reached,
                f"{name}()",
                "this thread has no running event loop: RuntimeError, and the message is lost",
                "keep the loop in a variable on its own thread (asyncio.get_running_loop() there), and use"
                " asyncio.run_coroutine_threadsafe(coroutine, loop) here",
            )
        elif name in ("tornado.ioloop.IOLoop.current", "tornado.ioloop.IOLoop.instance"):
            if not name.endswith("instance"):
                yield self._misuse(
                    call,
                    reached,
                    "IOLoop.current()",
                    "asked on this thread, it is not the loop of the connection: RuntimeError, or a"
                    " second loop that nobody runs",
                    "keep IOLoop.current() in a variable on the loop's own thread, and call"
                    " add_callback() of that",
                )

    def _misuse(self, call: Call, reached: Reached, what: str, effect: str, help: str) -> Misuse:
        return Misuse(
            reached.definition.place(call.span),
            reached.definition,
            what,
            effect,
            help,
            reached.start,
            reached.chain,
        )

    # -- objects that are handed to a thread with methods that are not for threads

    def _escaped(self, start: Start) -> Iterator[Misuse]:
        program = self.program
        for value, definition in start.handed:
            kind, _ = self.threads.kind(value, definition)
            if kind == "asyncio" and start.drives and self._uses_parameter(start, value):
                yield Misuse(
                    start.place,
                    start.definition,
                    f"{written(value)} is handed to a thread with an event loop of its own",
                    "the connection belongs to another loop: a full buffer, recv() or close() raises"
                    " RuntimeError, and"
                    " frames of two threads mix in the stream",
                    "asyncio.run_coroutine_threadsafe(coroutine, loop), with the loop that opened"
                    " the connection",
                    start,
                )
                return
            for target in program.classes_of(value, definition):
                found = [*self._loop_calls(target)]
                if not found:
                    continue
                shown = written(value) or target.cls.name
                methods = ", ".join(dict.fromkeys(f"{m.name}()" for m, _, _ in found))
                steps = tuple(
                    Step(m.place(c.span), f"{m.name}() calls {written(c.function)}()") for m, c, _ in found
                )
                yield Misuse(
                    start.place,
                    start.definition,
                    f"{shown} is handed to another thread, and its methods {methods} use a connection"
                    " of this one",
                    found[0][2].effect,
                    self._instead(found[0][2], found[0][1]),
                    start,
                    steps,
                )
                for method, call, row in found:
                    step = Step(start.place, f"{shown} is handed to another thread here")
                    yield Misuse(
                        method.place(call.span),
                        method,
                        f"{written(call.function)}()",
                        row.effect,
                        self._instead(row, call),
                        start,
                        (step,),
                        certain=False,
                    )

    def _uses_parameter(self, start: Start, value: Value) -> bool:
        return start.entry is not start.definition and bool(self.threads.connection_uses(start.entry))

    def _loop_calls(self, target: Target) -> Iterator[tuple[Definition, Call, Bound]]:
        """The calls in a class's public methods that only a loop's thread may make."""
        for method in self.program.methods(target):
            if method.name.startswith("_"):
                continue
            handed = self.threads.handed_back(method)
            for site in method.body.calls:
                call = site.node
                assert isinstance(call, Call)
                function = call.function
                if call.span in handed or not isinstance(function, Member):
                    continue
                if function.field not in self.methods:
                    continue
                kind, _ = self.threads.kind(function.object, method)
                if function.field == "write_message" and self.program.imports(method.file, "tornado"):
                    kind = "tornado"
                row = self.bound.get((kind, function.field))
                if row is not None and kind in ("tornado", "twisted", "picows"):
                    yield method, call, row

    # -- the other way round: waiting on the loop's own thread

    def _on_the_loop(self) -> Iterator[Misuse]:
        for definition in self.program.definitions:
            if not definition.function.coroutine:
                continue
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                yield from self._waits(call, definition)

    def _waits(self, call: Call, definition: Definition) -> Iterator[Misuse]:
        function = call.function
        if isinstance(function, Member) and function.field == "result":
            for origin in self.program.origins(function.object, definition):
                made = origin.value
                if not isinstance(made, Call) or origin.definition is not definition:
                    continue
                if self.program.dotted(made.function, definition) != "asyncio.run_coroutine_threadsafe":
                    continue
                loop = made.arguments[1] if len(made.arguments) > 1 else None
                same = loop is not None and any(
                    isinstance(o.value, Call)
                    and o.definition is definition
                    and self.program.dotted(o.value.function, definition)
                    in ("asyncio.get_running_loop", "asyncio.get_event_loop")
                    for o in self.program.origins(loop, definition)
                )
                yield Misuse(
                    definition.place(call.span),
                    definition,
                    "run_coroutine_threadsafe(...).result() in a coroutine",
                    "it waits on the loop's own thread for something that only this thread can do: deadlock"
                    if same
                    else "it stops this event loop until the other one has answered; on the same loop it is a"
                    " deadlock",
                    "await the coroutine, or asyncio.wrap_future(future) when it runs on another loop",
                    None,
                    severe=same,
                )
                return
        name = self.program.dotted(function, definition)
        rows = libraries.connects().get(name, ())
        if any(row.kind == "blocking" for row in rows):
            yield Misuse(
                definition.place(call.span),
                definition,
                f"{name}() in a coroutine",
                "it blocks the event loop: no other connection is served until the handshake is"
                " over, and each recv()"
                " blocks it again",
                "use the library's asyncio client, or await asyncio.to_thread(...)",
                None,
                severe=False,
            )
