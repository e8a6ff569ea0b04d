"""When a place runs in the life of a thread: before it starts, while it runs, or after it was joined.

What comes before the service thread starts is set-up, what comes after it was joined is tear-down;
neither is a race.
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Declare,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Place,
    Span,
    Unary,
    Value,
    walk,
)
from lwslint.knowledge import threads as thread_apis
from lwslint.model import apis
from lwslint.model.bodies import Site
from lwslint.model.names import (
    callee_name,
    contains,
    last_component,
    last_name,
    names_in,
    statements,
    values_of,
)
from lwslint.model.starts import Start, Starts
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

_JOIN_NAME = re.compile(r"(?i)thread.*(?:join|wait)|(?:join|wait).*thread")
_JOIN_METHODS = frozenset(("join", "waitForFinished"))
_WAIT_CALL = re.compile(r"(?i)sleep|wait|yield|delay")


class Phase(enum.Enum):
    """When a place runs, relative to a service thread's life."""

    BEFORE = "before it starts"
    RUNNING = "while it runs"
    AFTER = "after it was joined"
    UNKNOWN = "unknown"


class Order:
    """Starts, joins and waits in the order in which the functions of a route run them."""

    def __init__(self, project: Project, starts: Starts) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.starts = starts
        self._event_cache: dict[tuple[int, Place, int], tuple[list[Site], list[Site]]] = {}
        self._wait_cache: dict[int, list[Site]] = {}
        self._reach_cache: dict[int, frozenset[int]] = {}
        self._join_cache: dict[frozenset[tuple[str, str]], list[tuple[Definition, Site]]] = {}

    def reaching(self, definitions: Sequence[Definition]) -> frozenset[int]:
        """All functions from which one of ``definitions`` can be reached, themselves included."""
        seen = {d.id for d in definitions}
        queue = deque(definitions)
        while queue:
            current = queue.popleft()
            for edge in self.flow.callers.get(current.id, ()):
                if edge.caller.id not in seen and not self.starts.crosses_thread(edge):
                    seen.add(edge.caller.id)
                    queue.append(edge.caller)
        return frozenset(seen)

    def ancestors(self, definition: Definition) -> frozenset[int]:
        """All functions from which ``definition`` can be reached, itself included."""
        if definition.id not in self._reach_cache:
            self._reach_cache[definition.id] = self.reaching([definition])
        return self._reach_cache[definition.id]

    @cached_property
    def joins(self) -> tuple[tuple[Definition, Site, str], ...]:
        """Every place that waits for a thread to end, with the handle's name ("" when unknown)."""
        found: list[tuple[Definition, Site, str]] = []
        for definition, site in self.project.calls_where(_may_join):
            call = site.node
            assert isinstance(call, Call)
            rows = apis.thread_apis(call, lambda d=definition, c=call: self.flow.receiver_type(d, c))  # type: ignore[misc]
            joins = [row for row in rows if row.role is thread_apis.Role.JOIN]
            if joins:
                handle = joins[0].handle
                if isinstance(handle, int):
                    found.append((definition, site, last_name(apis.argument(call, handle))))
                else:
                    assert isinstance(call.function, Member)
                    found.append((definition, site, last_name(call.function.object)))
            elif isinstance(call.function, Member) and call.function.field in _JOIN_METHODS:
                found.append((definition, site, last_name(call.function.object)))
            elif _JOIN_NAME.search(last_component(callee_name(call))):
                if not self.flow.targets(definition, call):
                    found.append((definition, site, last_name(call.arguments[0]) if call.arguments else ""))
        return tuple(found)

    def joins_of(self, root: Definition) -> list[tuple[Definition, Site]]:
        """The places that wait for the threads that run ``root``; none for a detached thread.

        A join of an unnamed handle, or of a local one (an element of a list of threads), counts when it
        stands in the class or file that starts the thread.
        """
        starts = self.starts.by_root.get(root.id, [])
        if starts and all(self._detached(start) for start in starts):
            return []
        places: set[tuple[str, str]] = set()
        for start in starts:
            if start.handle:
                places.add(("handle", start.handle))
            places.add(("file", start.definition.path))
            places.add(("class", self.symbols.owner(start.definition)))
        # Programs that are made alike call their handles alike, and share the answer.
        key = frozenset(place for place in places if place in self._joins_by)
        if key not in self._join_cache:
            chosen = {rank for place in key for rank in self._joins_by[place]}
            self._join_cache[key] = [self.joins[rank][:2] for rank in sorted(chosen)]
        return self._join_cache[key]

    @cached_property
    def _joins_by(self) -> dict[tuple[str, str], list[int]]:
        """The ranks in :attr:`joins` by the handle's name, and, for a handle that has none or is local, by
        the file and the class of the function."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for rank, (definition, _, handle) in enumerate(self.joins):
            found["handle", handle].append(rank)
            local = self.symbols.local_type(definition, handle) if handle else ""
            if local is not None and (not local or "thread" in local or local.startswith("auto")):
                found["file", definition.path].append(rank)
                owner = self.symbols.owner(definition)
                if owner:
                    found["class", owner].append(rank)
        return dict(found)

    def _detached(self, start: Start) -> bool:
        for site in start.definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if callee_name(call).rsplit("_", 1)[-1] != "detach":
                continue
            handle = call.function.object if isinstance(call.function, Member) else apis.argument(call, 0)
            if last_name(handle) == start.handle or contains(handle, start.site.node):
                return True
        return False

    @cached_property
    def _joined(self) -> dict[int, tuple[frozenset[int], dict[Place, list[Site]]]]:
        """For each root: functions that reach a join of it, and the joins by function."""
        result: dict[int, tuple[frozenset[int], dict[Place, list[Site]]]] = {}
        same: dict[int, tuple[frozenset[int], dict[Place, list[Site]]]] = {}
        for root in sorted(self.starts.by_root):
            joins = self.joins_of(self.symbols.definitions[root])
            key = id(joins)  # the roots that share their joins share the list
            if key not in same:
                sites: dict[Place, list[Site]] = defaultdict(list)
                for definition, site in joins:
                    sites[definition.place()].append(site)
                same[key] = (self.reaching([d for d, _ in joins]), sites)
            result[root] = same[key]
        return result

    def _events(self, definition: Definition, start: Start) -> tuple[list[Site], list[Site]]:
        """Where ``definition`` starts the thread and where it waits for it; calls of functions that do so
        count.  The variants of one function under different ``#if`` arms count as one."""
        key = (definition.id, start.place, start.root.id)
        if key not in self._event_cache:
            self._event_cache[key] = self._find_events(definition, start)
        return self._event_cache[key]

    def started_by(self, definition: Definition) -> list[Start]:
        """The starts that ``definition`` may make, itself or through what it calls."""
        return [*self._starts_reached.get(definition.id, ()), *self._starts_at.get(definition.place(), ())]

    @cached_property
    def _starts_reached(self) -> dict[int, list[Start]]:
        """Function → the starts that it reaches."""
        found: dict[int, list[Start]] = defaultdict(list)
        for starts in self.starts.by_root.values():
            for start in starts:
                for reaching in self.ancestors(start.definition):
                    found[reaching].append(start)
        return found

    @cached_property
    def _starts_at(self) -> dict[Place, list[Start]]:
        """Function's place → the starts in it, or in a variant of it under another ``#if`` arm."""
        found: dict[Place, list[Start]] = defaultdict(list)
        for starts in self.starts.by_root.values():
            for start in starts:
                found[start.definition.place()].append(start)
        return found

    def starts_in(self, definition: Definition, start: Start) -> list[Site]:
        """The sites of ``definition`` at which the thread starts, in calls of other functions too."""
        return self._events(definition, start)[0]

    def _find_events(self, definition: Definition, start: Start) -> tuple[list[Site], list[Site]]:
        root = start.root
        starts = [start.site] if start.definition.place() == definition.place() else []
        reach = self.ancestors(start.definition)
        joined, sites = self._joined.get(root.id, (frozenset(), {}))
        joins = list(sites.get(definition.place(), ()))
        for edge in self.flow.calls.get(definition.id, ()):
            if edge.callee.id == definition.id or self.starts.crosses_thread(edge):
                continue
            if edge.callee.id in reach:
                starts.append(edge.site)
            elif edge.callee.id in joined:
                joins.append(edge.site)
        joins.extend(self._waits(definition))
        return starts, joins

    def _waits(self, definition: Definition) -> list[Site]:
        """Loops that sleep or wait until a flag changes: they wait for the other thread's end."""
        if definition.id not in self._wait_cache:
            self._wait_cache[definition.id] = self._find_waits(definition)
        return self._wait_cache[definition.id]

    def _find_waits(self, definition: Definition) -> list[Site]:
        found: list[Site] = []
        by_node = {id(site.node): site for site in definition.body.calls}
        for loop in statements(definition.function.body):
            if not isinstance(loop, Loop) or loop.test is None or isinstance(loop.test, Call):
                continue
            inside = [value for statement in loop.body for value in values_of(statement)]
            calls = [node for value in inside for node in walk(value) if isinstance(node, Call)]
            if calls and all(_WAIT_CALL.search(callee_name(c)) for c in calls) and id(calls[0]) in by_node:
                found.append(by_node[id(calls[0])])
        return found

    def phase(self, definition: Definition, site: Site, start: Start) -> Phase:
        """When ``site`` runs relative to the thread that ``start`` starts, as far as ``definition`` tells."""
        starts, joins = self._events(definition, start)
        here = site.node.span.start
        before = [s.node.span.start for s in starts if s.node.span.start < here]
        started = [
            s.node.span.start
            for s in starts
            if s.node.span.start < here and self._comes_after(definition, s, site)
        ]
        joined = [j.node.span.start for j in joins if j.node.span.start < here and not _failure_path(j, site)]
        if started:
            return Phase.AFTER if any(j > max(started) for j in joined) else Phase.RUNNING
        if before and not joined:
            return Phase.BEFORE  # on a way on which the start failed or was never reached
        if joined:
            return Phase.AFTER
        if any(s.node.span.start > here for s in starts):
            return Phase.BEFORE
        if any(
            j.node.span.start > here and set(guarding_tests(j)) <= set(guarding_tests(site)) for j in joins
        ):
            return Phase.RUNNING
        return Phase.UNKNOWN

    def _comes_after(self, definition: Definition, start: Site, site: Site) -> bool:
        """Whether control that started the thread can go on to ``site`` with the thread running."""
        if start.node.span == site.node.span:
            return False
        results = self._results_of(definition, start)
        start_tests = guarding_tests(start)
        for guard in site.guards:
            if guard.kind != "if" or guard.test is None:
                continue
            key = (guard.test.span, not guard.holds)
            if key in start_tests:
                return False
            if contains(guard.test, start.node):
                return guard.holds == _is_success_test(guard.test)
            later = guard.test.span.start > start.node.span.start
            if later and results & names_in(guard.test):
                return guard.holds == _is_success_test(guard.test)
        around = set(start_tests)
        return not any(
            set(guarding_tests(returned)) <= around
            for returned in definition.body.returns
            if start.node.span.start < returned.node.span.start < site.node.span.start
        )

    def _results_of(self, definition: Definition, start: Site) -> set[str]:
        """Names that hold a start's result or its error."""
        names: set[str] = set()
        for site in (*definition.body.assigns, *definition.body.declares):
            node = site.node
            if isinstance(node, Assign) and contains(node.value, start.node):
                names.add(last_name(node.target))
            elif isinstance(node, Declare) and node.value is not None and contains(node.value, start.node):
                names.add(node.name)
        if isinstance(start.node, Call):
            for argument in start.node.arguments:
                if isinstance(argument, Unary) and argument.op == "&" and isinstance(argument.operand, Name):
                    if "rr" in argument.operand.id:
                        names.add(argument.operand.id)
        return names - {""}

    def deleter_phase(self, deleter: Definition, start: Start) -> Phase:
        """When a deleter runs for a member, relative to the thread that another member of the class holds.

        Members are destroyed in the reverse order of their declaration ([class.dtor]); a ``std::jthread``
        joins when it is destroyed, and a destructor's body runs before all of them.
        """
        name = last_component(deleter.function.owner)
        for entries in self.symbols.classes.values():
            for path, declared in entries:
                fields = [f.name for f in declared.fields]
                held = [
                    i for i, f in enumerate(declared.fields) if re.search(rf"\b{re.escape(name)}\b", f.type)
                ]
                if not held or start.handle not in fields or path != start.definition.path:
                    continue
                thread = fields.index(start.handle)
                joined, _ = self._joined.get(start.root.id, (frozenset(), {}))
                destructors = self.symbols.methods.get((declared.name, "~" + declared.name), ())
                if any(d.id in joined for d in destructors):
                    return Phase.AFTER
                if "jthread" in declared.fields[thread].type and held[0] < thread:
                    return Phase.AFTER
                return Phase.RUNNING
        return Phase.AFTER


def _may_join(name: str) -> bool:
    """Whether a call of that name may wait for a thread."""
    return bool(
        apis.names_thread_api(name) or name in _JOIN_METHODS or _JOIN_NAME.search(last_component(name))
    )


def guarding_tests(site: Site) -> tuple[tuple[Span, bool], ...]:
    """The run-time tests around a site, each with the side that it lies on."""
    return tuple(
        (guard.test.span, guard.holds)
        for guard in site.guards
        if guard.test is not None and guard.kind not in ("loop", "catch")
    )


def _failure_path(join: Site, site: Site) -> bool:
    """Whether a join lies on a side of a test that the site does not lie on, and leaves there."""
    return bool(set(guarding_tests(join)) - set(guarding_tests(site))) and any(
        (span, not side) in guarding_tests(site) for span, side in guarding_tests(join)
    )


def _is_success_test(test: Value) -> bool:
    """Whether a test of a start's result holds on success: ``== 0``, ``!x``; failure otherwise."""
    if isinstance(test, Unary):
        return test.op == "!"
    if isinstance(test, Binary) and test.op == "==":
        return isinstance(test.right, Null) or (isinstance(test.right, Number) and test.right.value == 0)
    return False
