"""What Python code does on a thread that it must leave to the thread of an event loop.

Three sides: what a started thread does to objects of another loop (here), what other threads do to a loop
that a started thread runs (:mod:`lwslint.model.python_background`), and what a loop made for one call does to
the connections of another (:mod:`lwslint.model.python_fresh_loops`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lwslint.diagnostics import Step
from lwslint.facts import Call, Member, Place, Value
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Bound
from lwslint.model import python_background, python_fresh_loops
from lwslint.model.python_background import instead
from lwslint.model.python_program import Target, written
from lwslint.model.python_threads import Misuse, PythonThreads, Reached, Start, calls_in
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project


def misuses(project: Project) -> tuple[Misuse, ...]:
    """Every call that drives a loop's objects from another thread, one for each place."""
    finder = _Finder(project.python.threads)
    unique: dict[Place, Misuse] = {}
    for misuse in finder.all():
        unique.setdefault(misuse.place, misuse)
    return tuple(sorted(unique.values(), key=lambda m: m.place))


# These take the current loop of the thread, which need not run yet, and these make one current.
_ASK_CURRENT = frozenset(["asyncio.ensure_future", "tornado.ioloop.IOLoop.current"])
_KEEP_LOOP = (
    "keep the loop in a variable on its own thread (asyncio.get_running_loop() there), and use"
    " asyncio.run_coroutine_threadsafe(coroutine, loop) here"
)
_BROADCAST = frozenset(
    ["websockets.broadcast", "websockets.asyncio.server.broadcast", "websockets.legacy.protocol.broadcast"]
)
_GIVE_LOOP = frozenset(["asyncio.set_event_loop", "tornado.ioloop.IOLoop", "?.make_current"])


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
        yield from python_background.misuses(self.threads)
        yield from python_fresh_loops.misuses(self.threads)
        yield from self._on_the_loop()

    def _in(self, reached: Reached) -> Iterator[Misuse]:
        definition = reached.definition
        handed = self.threads.handed_back(definition)
        told: list[Misuse] = []
        asked: list[Misuse] = []
        for call in calls_in(definition):
            if call.span in handed:
                continue
            found = [*self._driving(call, reached), *self._bound(call, reached)]
            if found and not self.threads.decides_itself(definition, call.span):
                told += found
            found = list(self._no_loop(call, reached))
            if found and not self.threads.decides_itself(definition, call.span, raises=True):
                told += found
            found = list(self._asks_in_vain(call, reached))
            if found and not self.threads.decides_itself(definition, call.span, raises=True):
                asked += found
        # What is done with the loop says more than where it was asked for.
        yield from told or asked

    # -- a connection of another loop is driven by a loop of this thread

    def _driving(self, call: Call, reached: Reached) -> Iterator[Misuse]:
        definition = reached.definition
        if not self.threads.is_driver(call.function, definition) or not call.arguments:
            return
        if self.threads.serves(reached.start):
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
            closure = self.threads.closure(target)
            if closure.serves:
                continue
            for use in self.threads.connection_uses(target):
                _, makers = self.threads.kind(*use)
                made_here = any(maker.definition.id in closure.functions for maker in makers)
                if not made_here and (self.threads.foreign(use.value, makers, reached) or not makers):
                    return written(use.value) or "a connection"
        return ""

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
        yield self._misuse(call, reached, f"{written(function)}()", row.effect, instead(row, call))

    def _captured(self, value: Value) -> bool:
        """Whether the loop comes from outside by its looks: ``self.loop``, ``self._loop``."""
        return written(value).startswith(("self.", "cls."))

    def _runs_itself(self, loop: Value, reached: Reached) -> bool:
        """Whether the thread is the one that runs this loop."""
        name = written(loop).rpartition(".")[2]
        for other in self.threads.reach(reached.start):
            for call in calls_in(other.definition):
                function = call.function
                if isinstance(function, Member) and function.field in ("run_forever", "run_until_complete"):
                    if written(function.object).rpartition(".")[2] == name:
                        return True
                if self.program.dotted(function, other.definition) == "asyncio.set_event_loop":
                    if call.arguments and written(call.arguments[0]).rpartition(".")[2] == name:
                        return True
        return False

    def _has_own_loop(self, reached: Reached) -> bool:
        """Whether the thread gives itself a loop, which is then its current one: there the coroutine waits
        for the loop to run."""
        return any(
            self.program.called(call, other.definition) in _GIVE_LOOP
            for other in self.threads.reach(reached.start)
            for call in calls_in(other.definition)
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
        elif name in _BROADCAST:
            yield self._misuse(
                call,
                reached,
                f"{name}()",
                "the frames are written beside the event loop that owns the sockets: late, or mixed up",
                f"loop.call_soon_threadsafe({name}, ...)",
            )
        elif name in _ASK_CURRENT and self._has_own_loop(reached):
            return
        elif name in ("asyncio.create_task", "asyncio.get_running_loop", "asyncio.ensure_future"):
            yield self._misuse(
                call,
                reached,
                f"{name}()",
                "this thread has no running event loop: RuntimeError, and the message is lost",
                _KEEP_LOOP,
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

    def _asks_in_vain(self, call: Call, reached: Reached) -> Iterator[Misuse]:
        """``asyncio.get_event_loop()`` makes a loop on the main thread only."""
        if self.program.dotted(call.function, reached.definition) != "asyncio.get_event_loop":
            return
        if reached.driven or reached.definition.function.coroutine or self._has_own_loop(reached):
            return
        yield self._misuse(
            call,
            reached,
            "asyncio.get_event_loop()",
            "this thread has no event loop: RuntimeError, and the message is lost",
            _KEEP_LOOP,
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
                    instead(found[0][2], found[0][1]),
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
                        instead(row, call),
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
            for call in calls_in(method):
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
            for call in calls_in(definition):
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
