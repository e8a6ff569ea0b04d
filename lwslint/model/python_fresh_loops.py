"""Connections that are driven by a loop which is made for that one call.

``asyncio.run(connection.send(…))`` makes a loop, and the connection was opened on another: that is wrong
on whichever thread it stands, so nothing need be known about threads here.  The same holds for a callback
that drives a coroutine function, where the connection is one that a server hands to its handler, and
nothing that the coroutine runs has to do with that server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from lwslint.diagnostics import Step
from lwslint.facts import Call, Member, Name, walk
from lwslint.model.python_program import Origin, PythonProgram, passed_values, written
from lwslint.model.python_threads import Misuse, PythonThreads, Reached, calls_in
from lwslint.model.symbols import Definition

_MAKES_LOOP = frozenset(["asyncio.new_event_loop", "uvloop.new_event_loop"])
# Only connections have these; `send` and `close` are found on many things.
_TELLING = frozenset(["send_text", "send_json", "send_str", "receive_text", "receive_json"])
_CALLED_SO = re.compile(r"(?:^|_)(?:ws|wss)\d*(?:_|$)|web_?socket")

_EFFECT = (
    "short messages seem to go out; a full buffer, recv() or close() raises RuntimeError, and frames of two"
    " threads mix in the stream"
)
_HELP = "asyncio.run_coroutine_threadsafe(coroutine, loop).result(), with the loop that opened the connection"


def misuses(threads: PythonThreads) -> Iterator[Misuse]:
    """Every call that drives somebody else's connection on a loop of its own."""
    finder = _Finder(threads)
    for definition in threads.program.definitions:
        for call in calls_in(definition):
            if call.arguments and finder.is_fresh(call, definition):
                yield from finder.judge(call, definition)


class _Finder:
    def __init__(self, threads: PythonThreads) -> None:
        self.threads = threads
        self.program: PythonProgram = threads.program

    def is_fresh(self, call: Call, definition: Definition) -> bool:
        """Whether the call runs a coroutine to its end on a loop that is made for it."""
        if not self.threads.is_driver(call.function, definition):
            return False
        function = call.function
        if not isinstance(function, Member) or function.field != "run_until_complete":
            return True
        origins = self.program.origins(function.object, definition)
        return all(
            isinstance(made, Call)
            and where is definition
            and self.program.dotted(made.function, where) in _MAKES_LOOP
            for made, where in origins
        )

    def judge(self, call: Call, definition: Definition) -> Iterator[Misuse]:
        for coroutine, where in self.threads.coroutines(call.arguments[0], definition):
            assert isinstance(coroutine, Call)
            makers = self._of_method(coroutine, where, call)
            if makers is not None:
                driven = written(coroutine.function).rpartition(".")[0]
                yield self._misuse(call, definition, coroutine, driven, makers)
                return
            for use, made in self._of_coroutine(coroutine, where, definition):
                yield self._misuse(call, definition, coroutine, written(use.value) or "a connection", made)
                return

    def _misuse(
        self, call: Call, definition: Definition, coroutine: Call, driven: str, makers: tuple[Origin, ...]
    ) -> Misuse:
        what = f"{written(call.function) or 'run_until_complete'}()"
        sources = (maker.definition.place(maker.value.span) for maker in makers[:2])
        steps = tuple(Step(place, f"{driven} comes from here") for place in sources)
        reached = self._reached.get(definition.id)
        start = reached.start if reached is not None else None
        steps = (*reached.chain, *steps) if reached is not None else steps
        if definition.function.coroutine:
            return Misuse(
                definition.place(call.span),
                definition,
                f"{what} in a coroutine",
                "RuntimeError, as an event loop runs here already: nothing is sent",
                f"await {written(coroutine.function)}(...)",
                start,
                steps,
            )
        return Misuse(
            definition.place(call.span),
            definition,
            f"{what} drives {driven}, which belongs to another event loop",
            _EFFECT,
            _HELP,
            start,
            steps,
        )

    @cached_property
    def _reached(self) -> dict[int, Reached]:
        """What started threads reach, the shortest way of each."""
        found: dict[int, Reached] = {}
        for reached in self.threads.reached:
            found.setdefault(reached.definition.id, reached)
        return found

    # ------------------------------------------------------------------ asyncio.run(connection.send(…))

    def _of_method(self, coroutine: Call, definition: Definition, driver: Call) -> tuple[Origin, ...] | None:
        """What made the connection whose method the coroutine is; None when it is no such method."""
        function = coroutine.function
        if not isinstance(function, Member) or function.field not in self.threads.table.coroutine_methods:
            return None
        if self.program.functions_of(function, definition):
            return None  # a method of the program's own
        kind, makers = self.threads.kind(function.object, definition)
        if kind not in ("", "asyncio"):
            return None
        if not kind and not self._is_named_so(function, definition):
            return None
        if not self._is_run(driver) and self._comes_of_driving(function, definition):
            return None
        return makers

    def _is_named_so(self, function: Member, definition: Definition) -> bool:
        if self.program.classes_of(function.object, definition):
            return False
        if function.field in _TELLING:
            return self.program.imports(definition.file, *self.threads.table.asyncio_modules)
        name = written(function.object).rpartition(".")[2].lower()
        return bool(_CALLED_SO.search(name))

    def _is_run(self, driver: Call) -> bool:
        return not (isinstance(driver.function, Member) and driver.function.field == "run_until_complete")

    def _comes_of_driving(self, function: Member, definition: Definition) -> bool:
        """``ws = loop.run_until_complete(connect(…))``: then the loop is the connection's own."""
        return any(
            isinstance(made, Call) and self.threads.is_driver(made.function, where)
            for made, where in self.program.origins(function.object, definition)
        )

    # ------------------------------------------------------------------ asyncio.run(tell_clients(…))

    def _of_coroutine(
        self, coroutine: Call, where: Definition, driver: Definition
    ) -> list[tuple[Origin, tuple[Origin, ...]]]:
        """The connections of a server's handlers that a coroutine function uses, each with what made it,
        where a callback drives the coroutine."""
        found: list[tuple[Origin, tuple[Origin, ...]]] = []
        for target in self.program.functions_of(coroutine.function, where):
            if not target.function.coroutine or not self._is_callback(driver):
                continue
            closure = self.threads.closure(target)
            for use in () if closure.serves else self.threads.connection_uses(target):
                _, makers = self.threads.kind(*use)
                handed = [m for m in makers if isinstance(m.value, Name)]
                if handed and len(handed) == len(makers):
                    if not any(maker.definition.id in closure.functions for maker in makers):
                        found.append((use, makers))
        return found

    def _is_callback(self, definition: Definition) -> bool:
        """Whether the function is handed to somebody who calls it, other than as the start of a thread,
        which may well serve the connection."""
        if definition.id in self._entries:
            return False
        return any(
            definition in self.program.functions_of(value, where)
            for value, where in self._handed.get(definition.name, ())
        )

    @cached_property
    def _entries(self) -> frozenset[int]:
        return frozenset(start.entry.id for start in self.threads.starts)

    @cached_property
    def _handed(self) -> dict[str, list[Origin]]:
        """The functions that are passed or stored, by name."""
        found: dict[str, list[Origin]] = {}
        for definition in self.program.definitions:
            for value in passed_values(definition):
                called = {node.function.span for node in walk(value) if isinstance(node, Call)}
                for node in walk(value):
                    if isinstance(node, (Name, Member)) and node.span not in called:
                        last = written(node).rpartition(".")[2]
                        found.setdefault(last, []).append(Origin(node, definition))
        return found
