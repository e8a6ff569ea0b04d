"""Loops that a started thread runs, and what other threads do to them.

``Thread(target=loop.run_forever)`` gives a program a loop in the background.  From then on that loop, what
its coroutines wait for and the connections that they opened belong to that thread; the thread that started
it, and whoever calls the methods of its class, must hop.  What is done before the start, or after the
thread was joined, is set-up and tear-down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import msgspec

from lwslint.diagnostics import Step
from lwslint.facts import Call, Member, Name, Place, Span, Value, walk
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Bound
from lwslint.model.bodies import Guard, Site
from lwslint.model.python_program import Origin, PythonProgram, passed_values, written
from lwslint.model.python_threads import Misuse, PythonThreads, Start, calls_in
from lwslint.model.symbols import Definition

_RUN = frozenset(["run_forever", "run_until_complete"])
_REACTOR = "twisted.internet.reactor.run"
_WAITS = {"get": "queue", "put": "queue", "join": "queue", "wait": "event"}
MAX_FUNCTIONS = 400
MAX_BACKGROUNDS = 40  # a program has one or two; each costs a walk over what it reaches

Key = tuple[str, Span]


class Background(msgspec.Struct, frozen=True, eq=False):
    """A thread that runs a loop.  ``objects`` are the loop, and the events and queues that its coroutines
    wait for, by the place that makes each; ``functions`` are what runs on that thread."""

    definition: Definition
    place: Place
    how: str
    runs: Place
    objects: frozenset[Key]
    functions: frozenset[int]
    twisted: bool = False
    blocking: bool = False  # whoever wants may run it on his own thread instead


class Elsewhere(msgspec.Struct, frozen=True, eq=False):
    """A call that another thread than the loop's makes, while that runs.  ``path`` leads there from the
    start; it is empty where only a method's being public says so (not ``certain``), and then ``always`` says
    whether the loop runs on a thread of its own in each use of the class."""

    site: Site
    definition: Definition
    path: tuple[Step, ...]
    certain: bool
    always: bool = True


def misuses(threads: PythonThreads) -> Iterator[Misuse]:
    """What other threads do to a loop that a started thread runs."""
    finder = _Finder(threads)
    for background in finder.backgrounds():
        for elsewhere in finder.elsewhere(background):
            found = list(finder.judge(elsewhere, background))
            if found and not threads.decides_itself(elsewhere.definition, elsewhere.site.node.span):
                yield from found


class _Finder:
    def __init__(self, threads: PythonThreads) -> None:
        self.threads = threads
        self.program: PythonProgram = threads.program
        self.bound = {(row.on, method): row for row in threads.table.bound for method in row.method}
        self.methods = frozenset(method for _, method in self.bound)
        self._callees: dict[int, dict[Span, tuple[Definition, ...]]] = {}

    # ------------------------------------------------------------------ which threads run a loop

    def backgrounds(self) -> Iterator[Background]:
        yield from islice(self._direct(), MAX_BACKGROUNDS)
        seen: set[int] = set()
        for start in self.threads.starts:
            if len(seen) < MAX_BACKGROUNDS and start.entry.id not in seen:
                if start.entry is not start.definition:
                    seen.add(start.entry.id)
                    found = self._of_start(start)
                    if found is not None:
                        yield found

    def _direct(self) -> Iterator[Background]:
        """``Thread(target=loop.run_forever)``: what runs there is no function of the program."""
        for use in self.program.calls:
            entry = next((k.value for k in use.call.keywords if k.name == "target"), None)
            if not isinstance(entry, Member) or not written(use.call.function).endswith("Thread"):
                continue
            twisted = self.program.dotted(entry, use.definition) == _REACTOR
            if entry.field not in _RUN and not twisted:
                continue
            loops = frozenset() if twisted else self._makers(entry.object, use.definition)
            if loops or twisted:
                how = f"{written(use.call.function)}() starts the thread that runs it"
                yield self._background(use.definition, use.place, how, use.place, loops, set(), twisted)

    def _of_start(self, start: Start) -> Background | None:
        own = {reached.definition.id for reached in self.threads.reach(start)}
        for reached in self.threads.reach(start):
            where = reached.definition
            for call in calls_in(where):
                function = call.function
                if self.program.dotted(function, where) == _REACTOR:
                    loops: frozenset[Key] = frozenset()
                elif isinstance(function, Member) and function.field in _RUN:
                    loops = self._makers(function.object, where)
                elif self.program.dotted(function, where) in self.threads.table.drive:
                    loops = frozenset()
                else:
                    continue
                twisted = self.program.dotted(function, where) == _REACTOR
                found = self._background(
                    start.definition, start.place, start.how, where.place(call.span), loops, own, twisted
                )
                public = bool(start.entry.function.owner) and not start.entry.name.startswith("_")
                return msgspec.structs.replace(found, blocking=public)
        return None

    def _background(
        self,
        definition: Definition,
        place: Place,
        how: str,
        runs: Place,
        loops: frozenset[Key],
        own: set[int],
        twisted: bool,
    ) -> Background:
        functions = self._on_the_loop(own, loops)
        objects = set(loops)
        for other in functions.values():
            objects |= self._own_loops(other)
            objects |= self._awaited(other)
        return Background(definition, place, how, runs, frozenset(objects), frozenset(functions), twisted)

    def _on_the_loop(self, own: set[int], loops: frozenset[Key]) -> dict[int, Definition]:
        """What the thread runs: the functions that it calls, every coroutine that these make, and those that
        others hand to its loop."""
        waiting = [d for d in self.program.definitions if d.id in own]
        for use in self.program.calls_named("run_coroutine_threadsafe"):
            coroutine, *rest = use.call.arguments or (None,)
            rest += [k.value for k in use.call.keywords if k.name == "loop"]
            if isinstance(coroutine, Call) and any(self._makers(v, use.definition) & loops for v in rest):
                waiting += self.program.functions_of(coroutine.function, use.definition)
        found: dict[int, Definition] = {}
        while waiting and len(found) < MAX_FUNCTIONS:
            current = waiting.pop()
            if current.id in found:
                continue
            found[current.id] = current
            waiting += (target for targets in self._called(current).values() for target in targets)
        return found

    def _called(self, definition: Definition) -> dict[Span, tuple[Definition, ...]]:
        """The functions that each call of a function may run, coroutines included."""
        known = self._callees.get(definition.id)
        if known is None:
            known = self._callees[definition.id] = {
                call.span: targets
                for call in calls_in(definition)
                if (targets := self.program.functions_of(call.function, definition))
            }
        return known

    def _own_loops(self, definition: Definition) -> set[Key]:
        """``asyncio.get_running_loop()`` on the thread is its loop."""
        return {
            (definition.path, call.span)
            for call in calls_in(definition)
            if libraries.objects().get(self.program.called(call, definition)) == "loop"
        }

    def _awaited(self, definition: Definition) -> set[Key]:
        """The queues and events that a coroutine waits for."""
        found: set[Key] = set()
        for site in definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
            function = call.function
            if isinstance(function, Member) and function.field in _WAITS and definition.function.coroutine:
                kind, makers = self.threads.kind(function.object, definition)
                if kind == _WAITS[function.field]:
                    found.update(map(_key, makers))
        return found

    def _makers(self, value: Value, definition: Definition) -> frozenset[Key]:
        kind, makers = self.threads.kind(value, definition)
        return frozenset(map(_key, makers)) if kind == "loop" else frozenset()

    # ------------------------------------------------------------------ what runs elsewhere

    def elsewhere(self, background: Background) -> Iterator[Elsewhere]:
        """The calls after the start on the thread that started it, then those of public methods."""
        followed: dict[int, None] = {}
        for call_site, definition, path in self._after(background, followed):
            yield Elsewhere(call_site, definition, path, True)
        owner = self.program.owner(background.definition)
        if owner is None or not self._is_plain(owner.cls.bases):
            return
        always = not self._may_run_here(background.definition)
        starters = self._starters(background)
        for method in self.program.methods(owner):
            if method.id in followed or method.id in background.functions or method.id in starters:
                continue
            if self._is_for_callers(method):
                for site in _before_join(method):
                    yield Elsewhere(site, method, (), False, always)

    def _may_run_here(self, definition: Definition) -> bool:
        """Whether the function that starts the thread may run the loop itself instead (``if threaded: …``):
        the class is then made for callbacks on the loop's thread too."""
        return any(
            (isinstance(call.function, Member) and call.function.field in _RUN)
            or self.program.dotted(call.function, definition) == _REACTOR
            for call in calls_in(definition)
        )

    def _is_plain(self, bases: tuple[str, ...]) -> bool:
        """Whether nobody but the program calls the methods of a class with these bases."""
        return all(base.rpartition(".")[2] in ("object", "ABC", "Thread", "Generic") for base in bases)

    def _is_for_callers(self, method: Definition) -> bool:
        """A plain public method that is called from outside, and handed to nobody as a callback."""
        function = method.function
        if function.coroutine or method.name.startswith(("_", "on_")) or function.decorators:
            return False
        if any(self._may_be(method, *origin) for origin in self._handed.get(method.name, ())):
            return False
        return not any(use.definition.function.coroutine for use in self.program.callers(method))

    def _may_be(self, method: Definition, value: Value, definition: Definition) -> bool:
        """Whether a value, whose last name is that of the method, may be the method."""
        functions = self.program.functions_of(value, definition)
        if functions:
            return method in functions
        if self.program.dotted(value, definition):
            return False  # something imported
        return not (isinstance(value, Member) and self.threads.kind(value.object, definition)[0])

    @cached_property
    def _handed(self) -> dict[str, list[Origin]]:
        """What is passed or stored instead of called, by its last name."""
        found: dict[str, list[Origin]] = defaultdict(list)
        for definition in self.program.definitions:
            for value in passed_values(definition):
                for node in _not_called(value):
                    found[written(node).rpartition(".")[2]].append(Origin(node, definition))
        return found

    def _starters(self, background: Background) -> dict[int, Definition]:
        """The function that starts the thread, and those that call it, directly or not."""
        found = {background.definition.id: background.definition}
        waiting = [background.definition]
        while waiting and len(found) < MAX_FUNCTIONS:
            for use in self.program.callers(waiting.pop()):
                caller = use.definition
                if caller.id not in found and not caller.function.coroutine:
                    found[caller.id] = caller
                    waiting.append(caller)
        return found

    def _after(
        self, background: Background, followed: dict[int, None]
    ) -> Iterator[tuple[Site, Definition, tuple[Step, ...]]]:
        """The calls that the starting thread makes once the thread runs, each with the way there."""
        starters = self._starters(background)
        waiting: list[tuple[Definition, tuple[Site, ...], tuple[Step, ...]]] = []
        for starter in starters.values():
            if starter.id in background.functions or starter.function.coroutine:
                continue
            began = self._began(starter, background, starters)
            if began is not None:
                sites = tuple(
                    site
                    for site in _before_join(starter, began.order)
                    if site.order > began.order and not _excludes(began.guards, site.guards)
                )
                waiting.append((starter, sites, ()))
        while waiting and len(followed) < MAX_FUNCTIONS:
            definition, sites, path = waiting.pop(0)
            for site in sites:
                yield site, definition, path
                assert isinstance(site.node, Call)
                for target in self._called(definition).get(site.node.span, ()):
                    if target.function.coroutine or target.id in followed or target.id in starters:
                        continue
                    if target.id in background.functions:
                        continue
                    followed[target.id] = None
                    step = Step(
                        definition.place(site.node.span), f"{definition.name}() calls {target.name}()"
                    )
                    waiting.append((target, tuple(_before_join(target)), (*path, step)))

    def _began(
        self, starter: Definition, background: Background, starters: dict[int, Definition]
    ) -> Site | None:
        """The call in a starter by which the thread runs."""
        for site in starter.body.calls:
            assert isinstance(site.node, Call)
            if starter is background.definition:
                if site.node.span == background.place.span:
                    return site
            elif any(f.id in starters for f in self._called(starter).get(site.node.span, ())):
                return site
        return None

    # ------------------------------------------------------------------ what is wrong there

    def judge(self, elsewhere: Elsewhere, background: Background) -> Iterator[Misuse]:
        call, definition = elsewhere.site.node, elsewhere.definition
        assert isinstance(call, Call)
        function = call.function
        name = written(function).rpartition(".")[2]
        if name not in self.methods and name not in ("ensure_future", "run_until_complete"):
            return
        if call.span in self.threads.handed_back(definition):
            return
        named = {k.name: k.value for k in call.keywords}
        if self.program.dotted(function, definition) == "asyncio.ensure_future" and "loop" in named:
            if self._belongs(named["loop"], definition, background, "loop"):
                yield _misuse(
                    call,
                    elsewhere,
                    background,
                    "asyncio.ensure_future(..., loop=...)",
                    "an idle loop does not wake up: the coroutine never starts, and nothing is raised",
                    "asyncio.run_coroutine_threadsafe(coroutine, loop)",
                )
            return
        if not isinstance(function, Member):
            return
        if function.field == "run_until_complete" and call.span != background.runs.span:
            if self._belongs(function.object, definition, background, "loop"):
                yield _misuse(
                    call,
                    elsewhere,
                    background,
                    f"{written(function)}()",
                    "RuntimeError: this event loop is already running",
                    f"asyncio.run_coroutine_threadsafe(coroutine, {written(function.object)}).result()",
                    # A class with `run()` and `start()` may as well be made to block its caller.
                    instead_of_thread=background.blocking and not elsewhere.certain,
                )
            return
        if function.field not in self.methods:
            return
        row = self._row(function, definition, background)
        if row is not None:
            yield _misuse(
                call, elsewhere, background, f"{written(function)}()", row.effect, instead(row, call)
            )

    def _row(self, function: Member, definition: Definition, background: Background) -> Bound | None:
        if background.twisted:
            kind, _ = self.threads.kind(function.object, definition)
            by_name = function.field in ("sendMessage", "sendClose", "sendPing") and not kind
            if by_name and self.program.imports(definition.file, "autobahn.twisted", "twisted"):
                kind = "twisted"
            return self.bound.get((kind, function.field)) if kind in ("twisted", "reactor") else None
        for kind in ("loop", "event", "queue"):
            row = self.bound.get((kind, function.field))
            if row is not None and self._belongs(function.object, definition, background, kind):
                return row
        return None

    def _belongs(self, value: Value, definition: Definition, background: Background, kind: str) -> bool:
        found, makers = self.threads.kind(value, definition)
        return found == kind and bool(makers) and all(_key(maker) in background.objects for maker in makers)


def instead(row: Bound, call: Call) -> str:
    """What to write instead of a call that a row of the table is about."""
    function = call.function
    assert isinstance(function, Member)
    text = row.instead.replace("{object}", written(function.object) or "object")
    text = text.replace("{method}", function.field)
    return text.replace(", {arguments}", ", ..." if call.arguments else "").replace(
        "{arguments}", "..." if call.arguments else ""
    )


def _misuse(
    call: Call,
    elsewhere: Elsewhere,
    background: Background,
    what: str,
    effect: str,
    help: str,
    instead_of_thread: bool = False,
) -> Misuse:
    steps = [Step(background.place, background.how)]
    if background.runs != background.place:
        steps.append(Step(background.runs, "the loop runs here, on that thread"))
    name = elsewhere.definition.name
    where = " while another thread runs the loop"
    if not elsewhere.certain:
        where = f" in {name}(), when another thread than the loop's calls it"
    return Misuse(
        elsewhere.definition.place(call.span),
        elsewhere.definition,
        what,
        effect,
        help,
        None,
        (*steps, *elsewhere.path),
        certain=elsewhere.certain,
        severe=elsewhere.certain,
        possible=not elsewhere.always or instead_of_thread,
        where=where,
    )


def _before_join(definition: Definition, after: int = 0) -> Iterator[Site]:
    """The calls of a function up to where it waits for a thread's end: then the loop does not run any
    more.  Joins before the site number ``after`` wait for something else."""
    for site in definition.body.calls:
        call = site.node
        assert isinstance(call, Call)
        if site.order > after and isinstance(call.function, Member) and call.function.field == "join":
            if not call.arguments or call.keywords:
                return
        yield site


def _excludes(left: tuple[Guard, ...], right: tuple[Guard, ...]) -> bool:
    """Whether two sites stand on different sides of one condition."""
    sides = {guard.test.span: guard.holds for guard in left if guard.kind == "if" and guard.test is not None}
    return any(
        guard.kind == "if" and guard.test is not None and sides.get(guard.test.span) == (not guard.holds)
        for guard in right
    )


def _not_called(value: Value) -> Iterator[Value]:
    """The names and fields in a value, but for what is called and what a field is taken of."""
    inner = {node.function.span for node in walk(value) if isinstance(node, Call)}
    inner |= {node.object.span for node in walk(value) if isinstance(node, Member)}
    for node in walk(value):
        if isinstance(node, (Name, Member)) and node.span not in inner:
            yield node


def _key(origin: Origin) -> Key:
    return origin.definition.path, origin.value.span
