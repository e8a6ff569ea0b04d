"""Where threads start: every call, constructor and framework class that runs a function on a new thread.

A function or macro that passes a parameter on to a thread API is itself a thread API, so the start
belongs to its callers; a routine that only runs what a wrapper was given lends its thread to that.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Declare,
    Initializer,
    Lambda,
    Member,
    Name,
    Number,
    Place,
    Unary,
    Value,
    walk,
)
from lwslint.knowledge.threads import Runs
from lwslint.model import apis
from lwslint.model.bodies import Site
from lwslint.model.flow import Edge
from lwslint.model.names import (
    callee_name,
    contains,
    last_component,
    last_name,
)
from lwslint.model.nearby import nearness
from lwslint.model.symbols import Definition, class_name

if TYPE_CHECKING:
    from lwslint.model.project import Project

# An external function or macro whose name says that it starts a thread, given a function.
_START_NAME = re.compile(
    r"(?i)(?:thread|task).*(?:create|start|new|spawn|launch|begin|run|init|add)|(?:create|start|new|spawn|launch|begin|run|fork).*(?:thread|task)(?!.*pool)"
)
_THREAD_LIST_ADDERS = frozenset(("emplace_back", "push_back", "emplace"))
_THREAD_BASES = frozenset(
    [
        "QThread",
        "Thread",
        "juce::Thread",
        "wxThread",
        "Poco::Runnable",
        "QRunnable",
        "Runnable",
        "Runner",
        "IRunnable",
        "ofThread",
    ]
)
# From a thread's routine to the function that the object keeps: the routine, and a method or two.
_RUNNER_DEPTH = 3
# What such a class runs on its thread, and the calls that start it.
_RUN_METHODS = ("run", "Run", "threadedFunction")
_START_METHODS = ("start", "startThread", "Start", "StartThread")


class Start(msgspec.Struct, frozen=True):
    """A place where a thread starts: ``call`` in ``definition`` runs ``root`` on a new thread.

    ``handle`` is the name that the thread's handle is kept under, "" when unknown; ``repeated``
    when the place lies in a loop.  ``guess`` when only the callee's name says that it starts one.
    """

    definition: Definition
    site: Site
    root: Definition
    handle: str
    repeated: bool
    guess: bool = False

    @property
    def place(self) -> Place:
        return self.definition.place(self.site.node.span)


class Starts:
    """All thread starts of a project.

    ``all`` lists them, ``by_root`` groups them by the routine that runs (the definition's id), and
    ``trampolines`` are routines that only run what a wrapper was given.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.all: tuple[Start, ...] = tuple(self._find_starts())
        self.by_root: dict[int, list[Start]] = defaultdict(list)
        for start in self.all:
            self.by_root[start.root.id].append(start)
        self.trampolines = self._find_trampolines()

    def crosses_thread(self, edge: Edge) -> bool:
        """A trampoline's call of its routine is that routine's own thread, not the trampoline's."""
        return edge.caller.id in self.trampolines and edge.kind == "pointer"

    def is_root(self, definition: Definition) -> bool:
        """Whether a thread runs this function as its routine."""
        return definition.id in self.by_root and definition.id not in self.trampolines

    def _find_starts(self) -> Iterator[Start]:
        seen: set[tuple[int, int, int]] = set()
        calls: dict[int, list[Site]] = defaultdict(list)
        for located in self.project.calls_where(_may_start):
            calls[located.definition.id].append(located.site)
        for definition in self.project.busy:
            for site in calls.get(definition.id, ()):
                call = site.node
                assert isinstance(call, Call)
                for routine, handle, guess in self._routines(definition, site):
                    for start in self._expand(definition, site, routine, handle, guess):
                        key = (start.definition.id, start.site.order, start.root.id)
                        if key not in seen:
                            seen.add(key)
                            yield start
            for site in (*definition.body.assigns, *definition.body.declares):
                if type(site.node.value) is Initializer:  # type: ignore[union-attr]
                    yield from self._constructed(definition, site, seen)
        yield from self._runnable_classes()

    def _routines(self, definition: Definition, site: Site) -> Iterator[tuple[Value, str, bool]]:
        """The routines that a call starts on a thread, with the handle's name."""
        call = site.node
        assert isinstance(call, Call)
        name = callee_name(call)
        known = False
        for handover in self.flow.handovers(definition, call):
            if handover.api.runs not in (Runs.THREAD, Runs.WORKER):
                continue
            known = True
            handle = self._handle(definition, site, handover.handle)
            for routine in handover.routines:
                yield routine, handle, False
        if known:
            return
        if isinstance(call.function, Member) and call.function.field in _THREAD_LIST_ADDERS:
            type = self.symbols.type_of(call.function.object, definition)
            if re.search(r"\bj?thread\b", type) and call.arguments:
                yield call.arguments[0], last_name(call.function.object), False
            return
        if _START_NAME.search(last_component(name)) and not self.flow.targets(definition, call):
            for argument in call.arguments:
                if self._names_function(argument, definition):
                    first = 0 if argument is not call.arguments[0] else None
                    handle = self._handle(definition, site, None) or self._handle(definition, site, first)
                    yield argument, handle, True
                    return

    def _names_function(self, value: Value, definition: Definition) -> bool:
        while isinstance(value, (Cast, Unary)):
            value = value.operand
        if isinstance(value, Lambda):
            return True
        return isinstance(value, Name) and bool(
            self.symbols.local_type(definition, value.id) is None
            and self.symbols.function_named(value.id, definition, definition.path).definitions
        )

    def _handle(self, definition: Definition, site: Site, where: int | str | None) -> str:
        """The name under which a start's handle is kept: an argument's, or the variable assigned."""
        call = site.node
        assert isinstance(call, Call)
        if isinstance(where, int):
            return last_name(apis.argument(call, where))
        if where == "object" and isinstance(call.function, Member):
            return last_name(call.function.object)
        for other in definition.body.assigns:
            assert isinstance(other.node, Assign)
            if contains(other.node.value, call):
                return last_name(other.node.target)
        for other in definition.body.declares:
            assert isinstance(other.node, Declare)
            if other.node.value is not None and contains(other.node.value, call):
                return other.node.name
        for other in definition.body.calls:
            outer = other.node
            assert isinstance(outer, Call)
            if outer is not call and isinstance(outer.function, Member):
                if any(node is call for argument in outer.arguments for node in walk(argument)):
                    return last_name(outer.function.object)
        return ""

    def _expand(
        self, definition: Definition, site: Site, routine: Value, handle: str, guess: bool
    ) -> Iterator[Start]:
        """A start whose routine is a parameter belongs to the callers of the function around it."""
        queue = deque([(definition, site, routine, 0)])
        seen: set[tuple[int, int]] = set()
        while queue:
            where, at, value, depth = queue.popleft()
            if (where.id, at.order) in seen:
                continue
            seen.add((where.id, at.order))
            position = self._parameter(value, where)
            callers = self.flow.callers.get(where.id, ()) if position is not None else ()
            forwarded = False
            for edge in callers:
                outer = edge.site.node
                assert isinstance(outer, Call)
                if position is not None and position < len(outer.arguments) and depth < 6:
                    forwarded = True
                    queue.append((edge.caller, edge.site, outer.arguments[position], depth + 1))
            if forwarded:
                continue
            roots = self.flow.functions_of(value, where)
            again = _repeats(at) and _is_literal(value)
            outer = at.node
            assert isinstance(outer, Call)
            name = handle if where is definition else last_name(outer.arguments[0]) if outer.arguments else ""
            for root in roots:
                yield Start(where, at, root, name, again and _one_object(outer, root), guess)

    def _parameter(self, value: Value, definition: Definition) -> int | None:
        """Which of the function's parameters a value is, or holds it in a local of that value."""
        for _ in range(6):
            while isinstance(value, (Cast, Unary)):
                value = value.operand
            if isinstance(value, Call) and value.arguments and "bind" in callee_name(value):
                value = value.arguments[0]
                continue
            break
        if not isinstance(value, Name):
            return None
        for position, parameter in enumerate(definition.function.parameters):
            if parameter.name == value.id:
                return position
        return None

    def _constructed(
        self, definition: Definition, site: Site, seen: set[tuple[int, int, int]]
    ) -> Iterator[Start]:
        """``worker_(&C::run, this)`` in a constructor's initialiser list, or a braced thread."""
        node = site.node
        if isinstance(node, Assign):
            if not isinstance(node.value, Initializer):
                return
            type = self.symbols.type_of(node.target, definition)
            if not type:
                owner = self.symbols.owner(definition)
                type = self.symbols.field_type(owner, last_name(node.target), definition.path)
            name = last_name(node.target)
            items = node.value.items
        else:
            assert isinstance(node, Declare)
            if not isinstance(node.value, Initializer):
                return
            type, name, items = node.type, node.name, node.value.items
        if not re.fullmatch(r"(?:std::|boost::)j?thread", type.strip()) or not items:
            return
        for root in self.flow.functions_of(items[0].value, definition):
            key = (definition.id, site.order, root.id)
            if key not in seen:
                seen.add(key)
                yield Start(definition, site, root, name, site.in_loop)

    def _runnable_classes(self) -> Iterator[Start]:
        """``run()`` of a class derived from a framework's thread class; started where ``start`` is called."""
        for name in sorted(self.symbols.classes):
            for path, declared in self.symbols.classes[name]:
                if not any(
                    base in _THREAD_BASES or last_component(base) in _THREAD_BASES for base in declared.bases
                ):
                    continue
                for root in (d for run in _RUN_METHODS for d in self.symbols.methods.get((name, run), ())):
                    if nearness(root.path, path) < 0 and root.path != path:
                        continue
                    for located in (c for start in _START_METHODS for c in self.project.calls_to(start)):
                        call = located.site.node
                        assert isinstance(call, Call)
                        receiver = call.function
                        if isinstance(receiver, Member):
                            type = class_name(self.symbols.type_of(receiver.object, located.definition))
                        else:
                            type = self.symbols.owner(located.definition)
                        if last_component(type) == name:
                            handle = last_name(receiver.object) if isinstance(receiver, Member) else "this"
                            yield Start(located.definition, located.site, root, handle, located.site.in_loop)

    def _runner(self, root: Definition) -> list[Edge] | None:
        """The call that runs, once, what an object of a thread class was given, where several objects were
        given functions; a loop that runs one after the other is one thread's task queue."""
        where = root
        if not self.symbols.owner(root):
            return None
        for _ in range(_RUNNER_DEPTH):
            edges = self.flow.calls.get(where.id, ())
            pointers = [e for e in edges if e.kind == "pointer" and not e.site.in_loop]
            if len({e.callee.id for e in pointers}) > 1 and len({id(e.site) for e in pointers}) == 1:
                return pointers
            own = {
                e.callee.id: e.callee
                for e in edges
                if self.symbols.owner(e.callee) == self.symbols.owner(root)
            }
            if len(own) != 1:
                return None
            (where,) = own.values()
        return None

    def _find_trampolines(self) -> frozenset[int]:
        """Start routines that only run what was handed to the wrapper that started them.

        ``wrapper(fn, arg)`` keeps ``fn`` in a record and starts ``trampoline(record)``, which calls
        ``record->fn(record->arg)``: the thread is ``fn``'s, one for each caller of the wrapper.  So it is
        where an object of a thread class keeps the function that its thread runs.
        """
        found: set[int] = set()
        extra: list[Start] = []
        for start in self.all:
            pointers = [e for e in self.flow.calls.get(start.root.id, ()) if e.kind == "pointer"]
            if not pointers:
                continue
            run = {e.callee.id for e in pointers}
            for edge in self.flow.callers.get(start.definition.id, ()):
                call = edge.site.node
                assert isinstance(call, Call)
                for argument in call.arguments:
                    for root in self.flow.functions_of(argument, edge.caller):
                        if root.id in run:
                            found.add(start.root.id)
                            handle = last_name(call.arguments[0])
                            again = _repeats(edge.site) and _is_literal(argument)
                            extra.append(Start(edge.caller, edge.site, root, handle, again))
        for start in self.all:
            runner = self._runner(start.root)
            if runner is not None:
                found.update((start.root.id, runner[0].caller.id))
                extra.extend(
                    Start(start.definition, start.site, edge.callee, start.handle, start.repeated)
                    for edge in runner
                )
        if extra:
            for added in extra:
                if not any(
                    s.site is added.site and s.root is added.root for s in self.by_root[added.root.id]
                ):
                    self.by_root[added.root.id].append(added)
            self.all = (*self.all, *extra)
        return frozenset(found)


def _may_start(name: str) -> bool:
    """Whether a call of that name may start a thread."""
    return bool(
        apis.names_thread_api(name) or name in _THREAD_LIST_ADDERS or _START_NAME.search(last_component(name))
    )


def _repeats(site: Site) -> bool:
    """Whether a loop runs a place again and again: not ``if (i == 0)``, which picks one of its rounds."""
    picked = any(
        guard.holds
        and isinstance(guard.test, Binary)
        and guard.test.op == "=="
        and isinstance(guard.test.right, Number)
        for guard in site.guards
    )
    return site.in_loop and not picked


def _is_literal(routine: Value) -> bool:
    """Whether a routine is named where the thread starts, so that a loop starts it again and again; a
    routine read from a table is another one each time."""
    while isinstance(routine, (Cast, Unary)):
        routine = routine.operand
    if isinstance(routine, Call):
        return bool(routine.arguments) and _is_literal(routine.arguments[0])
    return isinstance(routine, (Name, Lambda))


def _one_object(call: Call, root: Definition) -> bool:
    """Whether a method runs on the same object each time: on ``this``, or on a named one."""
    if not root.function.owner or len(call.arguments) < 2:
        return True
    target = call.arguments[1]
    while isinstance(target, (Cast, Unary)):
        target = target.operand
    return isinstance(target, Name)
