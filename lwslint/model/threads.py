"""Which functions run on which threads.

An *entry* is where a thread enters the project's code: ``main``, the start routine of a thread, an
lws callback or timer (it runs on the service thread), a loop's handler, a signal handler, or a
public function that nobody in the project calls (an unknown caller's thread).  A *route* is a chain
of calls from an entry to a place.

Order inside the functions of a route matters: what comes before the service thread starts is
set-up, what comes after it was joined is tear-down; :meth:`Threads.routes` tells the phases apart.
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lwslint import knowledge
from lwslint.facts import (
    Assign,
    Call,
    Cast,
    Conditional,
    Declare,
    Index,
    Initializer,
    Lambda,
    Loop,
    Member,
    Name,
    Place,
    Return,
    Statement,
    Unary,
    Value,
    walk,
)
from lwslint.model.bodies import Site
from lwslint.model.flow import Edge, callee_name, names_in
from lwslint.model.symbols import Definition, class_name, last_component, nearness

if TYPE_CHECKING:
    from lwslint.model.project import Located, Project

MAX_ROUTE = 24
MAX_STATES = 4000

# An external function or macro whose name says that it starts a thread, given a function.
_START_NAME = re.compile(
    r"(?i)(?:thread|task).*(?:create|start|new|spawn|launch|begin|run|init|add)|(?:create|start|new|spawn|launch|begin|run|fork).*(?:thread|task)(?!.*pool)"
)
_JOIN_NAME = re.compile(r"(?i)thread.*(?:join|wait)|(?:join|wait).*thread")
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
    ]
)
_WAIT_CALL = re.compile(r"(?i)sleep|wait|yield|delay")


class Role(enum.Enum):
    """How a thread enters the project's code."""

    THREAD = "thread"
    MAIN = "main"
    CALLBACK = "callback"  # on the service thread: lws callbacks, sul handlers, loop handlers
    SIGNAL = "signal"
    PUBLIC = "public"  # called from outside the project, on a thread that nothing here tells
    STORED = "stored"  # in a table of commands or handlers that something outside calls


class Entry(NamedTuple):
    role: Role
    definition: Definition


class Phase(enum.Enum):
    """When a place runs, relative to a service thread's life."""

    BEFORE = "before it starts"
    RUNNING = "while it runs"
    AFTER = "after it was joined"
    UNKNOWN = "unknown"


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


class Service(msgspec.Struct, frozen=True):
    """A place that services a context, and the entry whose thread does it."""

    entry: Entry
    located: Located
    contexts: frozenset[int]
    edges: tuple[Edge, ...]


class Route(msgspec.Struct, frozen=True):
    """A chain of calls from ``entry`` to a place.  ``phase`` is relative to the service thread that
    the question was about; ``decided_at`` is the site that decided it."""

    entry: Entry
    edges: tuple[Edge, ...]
    phase: Phase
    decided_at: Place | None = None

    @property
    def ambiguous(self) -> bool:
        return any(edge.ambiguous for edge in self.edges)

    @property
    def indirect(self) -> bool:
        return any(edge.kind == "pointer" for edge in self.edges)


class OffThread(msgspec.Struct, frozen=True):
    """A call that runs on another thread (``route``) than the one that services its context."""

    route: Route
    service: Service


class Threads:
    """Thread starts, entries, service threads and the routes between them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.starts: tuple[Start, ...] = tuple(self._find_starts())
        self.roots: dict[int, list[Start]] = defaultdict(list)
        for start in self.starts:
            self.roots[start.root.id].append(start)
        self._trampolines = self._find_trampolines()

    # ------------------------------------------------------------------ thread starts

    def _find_starts(self) -> Iterator[Start]:
        seen: set[tuple[int, int, int]] = set()
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                for routine, handle, guess in self._routines(definition, site):
                    for start in self._expand(definition, site, routine, handle, guess):
                        key = (start.definition.id, start.site.order, start.root.id)
                        if key not in seen:
                            seen.add(key)
                            yield start
            for site in (*definition.body.assigns, *definition.body.declares):
                yield from self._constructed(definition, site, seen)
        yield from self._runnable_classes()

    def _routines(self, definition: Definition, site: Site) -> Iterator[tuple[Value, str, bool]]:
        """The routines that a call starts on a thread, with the handle's name."""
        call = site.node
        assert isinstance(call, Call)
        name = callee_name(call)
        start = knowledge.thread_start(name)
        if start is not None and not self.symbols.call_target(call, definition).definitions:
            routine = knowledge.argument(call, start.routine)
            if routine is not None:
                yield routine, self._handle(definition, site, start.handle), False
            return
        if isinstance(call.function, Member) and call.function.field in (
            "emplace_back",
            "push_back",
            "emplace",
        ):
            type = self.symbols.type_of(call.function.object, definition)
            if re.search(r"\bj?thread\b", type) and call.arguments:
                yield call.arguments[0], last_name(call.function.object), False
            return
        if _START_NAME.search(last_component(name)) and not self.flow.targets(definition, call):
            for argument in call.arguments:
                if self._names_function(argument, definition):
                    yield argument, self._handle(definition, site, 0), True
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

    def _handle(self, definition: Definition, site: Site, where: int | None) -> str:
        """The name under which a start's handle is kept: an argument's, or the variable assigned."""
        call = site.node
        assert isinstance(call, Call)
        if where is not None and where >= 0:
            argument = knowledge.argument(call, where)
            return last_name(argument) if argument is not None else ""
        for other in definition.body.assigns:
            assert isinstance(other.node, Assign)
            if any(node is call for node in walk(other.node.value)):
                return last_name(other.node.target)
        for other in definition.body.declares:
            assert isinstance(other.node, Declare)
            if other.node.value is not None and any(node is call for node in walk(other.node.value)):
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
            outer = at.node
            assert isinstance(outer, Call)
            name = handle if where is definition else last_name(outer.arguments[0]) if outer.arguments else ""
            for root in roots:
                yield Start(where, at, root, name, at.in_loop, guess)

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
                    base in _THREAD_BASES or last_component(base) == "QThread" for base in declared.bases
                ):
                    continue
                for root in (
                    *self.symbols.methods.get((name, "run"), ()),
                    *self.symbols.methods.get((name, "Run"), ()),
                ):
                    if nearness(root.path, path) < 0 and root.path != path:
                        continue
                    for located in (*self.project.calls_to("start"), *self.project.calls_to("startThread")):
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

    def _find_trampolines(self) -> frozenset[int]:
        """Start routines that only run what was handed to the wrapper that started them.

        ``wrapper(fn, arg)`` keeps ``fn`` in a record and starts ``trampoline(record)``, which calls
        ``record->fn(record->arg)``: the thread is ``fn``'s, one for each caller of the wrapper.
        """
        found: set[int] = set()
        extra: list[Start] = []
        for start in self.starts:
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
                            extra.append(Start(edge.caller, edge.site, root, handle, edge.site.in_loop))
        if extra:
            for added in extra:
                if not any(s.site is added.site and s.root is added.root for s in self.roots[added.root.id]):
                    self.roots[added.root.id].append(added)
            self.starts = (*self.starts, *extra)
        return frozenset(found)

    # ------------------------------------------------------------------ entries

    @cached_property
    def handlers(self) -> dict[int, Role]:
        """Functions registered to be called by lws, a loop or the system: lws callbacks, timers, signals."""
        found: dict[int, Role] = {}
        for definition in self._callback_functions():
            found[definition.id] = Role.CALLBACK
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                registration = knowledge.registration(callee_name(call))
                if registration is None:
                    continue
                value = knowledge.argument(call, registration.routine)
                if value is not None:
                    role = Role.SIGNAL if registration.kind == "signal" else Role.CALLBACK
                    for handler in self.flow.functions_of(value, definition):
                        found.setdefault(handler.id, role)
            for site in definition.body.assigns:
                assign = site.node
                assert isinstance(assign, Assign)
                if isinstance(assign.target, Member) and assign.target.field in (
                    "sa_handler",
                    "sa_sigaction",
                ):
                    for handler in self.flow.functions_of(assign.value, definition):
                        found.setdefault(handler.id, Role.SIGNAL)
                elif isinstance(assign.target, Member) and assign.target.field == "cb":
                    type = self.symbols.type_of(assign.target.object, definition)
                    if "sorted_usec_list" in type or "sul" in last_name(assign.target.object):
                        for handler in self.flow.functions_of(assign.value, definition):
                            found.setdefault(handler.id, Role.CALLBACK)
        return found

    def _callback_functions(self) -> Iterator[Definition]:
        """Functions with the signature of an lws callback, or in the callback slot of a table."""
        for definition in self.symbols.definitions:
            if is_lws_callback(definition):
                yield definition
        for cell, held in self.flow.cells_of_field("callback"):
            if cell in ("lws_protocols", "libwebsocket_protocols"):
                for definition in held:
                    yield definition

    def _stored(self) -> frozenset[int]:
        """Functions whose address stands in a file-scope initialiser (tables of commands and handlers)."""
        found: set[int] = set()
        for file in self.project.files:
            scope = self.flow.file_scope(file.path)
            for variable in file.variables:
                if not isinstance(variable.value, Initializer):
                    continue
                for node in walk(variable.value):
                    if isinstance(node, Name):
                        binding = self.symbols.function_named(node.id, None, file.path)
                        found.update(d.id for d in binding.definitions)
            del scope
        return frozenset(found)

    @cached_property
    def stored(self) -> frozenset[int]:
        return self._stored()

    @cached_property
    def _public_methods(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, method)
            for name, entries in self.symbols.classes.items()
            for _, declared in entries
            for method in declared.public
        )

    @cached_property
    def _class_methods(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, method)
            for name, entries in self.symbols.classes.items()
            for _, declared in entries
            for method in declared.methods
        )

    def is_public(self, definition: Definition) -> bool:
        """Whether code outside the project may call a function."""
        function = definition.function
        if function.kind in ("lambda", "macro", "file"):
            return False
        if function.owner:
            key = (last_component(function.owner), function.name)
            if function.kind == "destructor":
                return True
            return key in self._public_methods or key not in self._class_methods
        return not function.static

    def entries_of(self, definition: Definition) -> tuple[Entry, ...]:
        """The entries that ``definition`` itself is."""
        found: list[Entry] = []
        if definition.id in self.roots and definition.id not in self._trampolines:
            found.append(Entry(Role.THREAD, definition))
        handler = self.handlers.get(definition.id)
        if handler is not None:
            found.append(Entry(handler, definition))
        if definition.name in ("main", "wmain", "WinMain", "app_main") and not definition.function.owner:
            found.append(Entry(Role.MAIN, definition))
        if found:
            return tuple(found)
        if not self.flow.callers.get(definition.id):
            if definition.id in self.stored:
                found.append(Entry(Role.STORED, definition))
            elif self.is_public(definition):
                found.append(Entry(Role.PUBLIC, definition))
        return tuple(found)

    # ------------------------------------------------------------------ the service threads

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Who services which context: one for each service call and each entry that reaches it."""
        found: list[Service] = []
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                name = callee_name(call)
                if not self._is_service(name, definition, call):
                    continue
                from lwslint.model.project import Located

                located = Located(definition, site)
                contexts = self._context_argument(definition, call)
                for route in self.routes(definition, site, None):
                    if route.entry.role in (Role.THREAD, Role.MAIN, Role.PUBLIC, Role.STORED):
                        found.append(Service(route.entry, located, contexts, route.edges))
        return tuple(found)

    def _is_service(self, name: str, definition: Definition, call: Call) -> bool:
        if knowledge.category(name) == "service":
            return not self.symbols.call_target(call, definition).definitions
        if knowledge.runs_loop(name):
            return self._foreign_loop and not self.symbols.call_target(call, definition).definitions
        return False

    @cached_property
    def _foreign_loop(self) -> bool:
        """Whether the program hands lws an event loop of its own."""
        if any(self.project.writes_to("foreign_loops")):
            return True
        wanted = re.compile(r"LWS_SERVER_OPTION_(?:LIBUV|LIBEVENT|LIBEV|GLIB|UV_|ULOOP|SDEVENT)")
        for definition in self.symbols.definitions:
            for site in definition.body.assigns:
                assert isinstance(site.node, Assign)
                if any(wanted.match(name) for name in names_in(site.node.value)):
                    return True
        return False

    def _context_argument(self, definition: Definition, call: Call) -> frozenset[int]:
        position = knowledge.context_argument(callee_name(call))
        value = knowledge.argument(call, position) if position is not None else None
        return frozenset() if value is None else self.flow.objects_of(value, definition, "context")

    def contexts_at(self, definition: Definition, call: Call) -> frozenset[int]:
        """The contexts that a call of an lws function is about, where that can be known."""
        return self._context_argument(definition, call)

    # ------------------------------------------------------------------ order

    def _reaching(self, definitions: Sequence[Definition]) -> frozenset[int]:
        """All functions from which one of ``definitions`` can be reached, themselves included."""
        seen = {d.id for d in definitions}
        queue = deque(definitions)
        while queue:
            current = queue.popleft()
            for edge in self.flow.callers.get(current.id, ()):
                if edge.caller.id not in seen and not self._crosses_thread(edge):
                    seen.add(edge.caller.id)
                    queue.append(edge.caller)
        return frozenset(seen)

    def _crosses_thread(self, edge: Edge) -> bool:
        """A trampoline's call of its routine is that routine's own thread, not the trampoline's."""
        return edge.caller.id in self._trampolines and edge.kind == "pointer"

    @cached_property
    def _start_reach(self) -> dict[int, frozenset[int]]:
        return {
            root: self._reaching([s.definition for s in starts])
            for root, starts in sorted(self.roots.items())
        }

    @cached_property
    def joins(self) -> tuple[tuple[Definition, Site, str], ...]:
        """Every place that waits for a thread to end, with the handle's name ("" when unknown)."""
        found: list[tuple[Definition, Site, str]] = []
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                name = callee_name(call)
                join = knowledge.thread_join(name)
                if join is not None:
                    if isinstance(call.function, Member) and not knowledge.is_function_join(name):
                        found.append((definition, site, last_name(call.function.object)))
                    else:
                        argument = knowledge.argument(call, max(join, 0))
                        found.append((definition, site, last_name(argument) if argument is not None else ""))
                elif isinstance(call.function, Member) and call.function.field in (
                    "join",
                    "wait",
                    "waitForFinished",
                ):
                    if call.function.field == "join" or "hread" in self.symbols.type_of(
                        call.function.object, definition
                    ):
                        found.append((definition, site, last_name(call.function.object)))
                elif isinstance(call.function, Member) and call.function.field == "get":
                    if "future" in self.symbols.type_of(call.function.object, definition):
                        found.append((definition, site, last_name(call.function.object)))
                elif _JOIN_NAME.search(last_component(name)) and not self.flow.targets(definition, call):
                    found.append((definition, site, last_name(call.arguments[0]) if call.arguments else ""))
        return tuple(found)

    def joins_of(self, root: Definition) -> list[tuple[Definition, Site]]:
        """The places that wait for the threads that run ``root``."""
        starts = self.roots.get(root.id, [])
        handles = {s.handle for s in starts if s.handle}
        near = {s.definition.path for s in starts}
        owners = {self.symbols.owner(s.definition) for s in starts} - {""}
        found = []
        for definition, site, handle in self.joins:
            if handle and handle in handles:
                found.append((definition, site))
            elif not handle or not handles or handle not in {s.handle for s in self.starts}:
                # A handle under a name that no start uses (an element of a list, a copy).
                if definition.path in near or self.symbols.owner(definition) in owners:
                    found.append((definition, site))
        return found

    @cached_property
    def _joined(self) -> dict[int, tuple[frozenset[int], dict[int, list[int]]]]:
        """For each root: functions that reach a join of it, and the joins' orders by function."""
        result: dict[int, tuple[frozenset[int], dict[int, list[int]]]] = {}
        for root in sorted(self.roots):
            joins = self.joins_of(self.symbols.definitions[root])
            orders: dict[int, list[int]] = defaultdict(list)
            for definition, site in joins:
                orders[definition.id].append(site.order)
            result[root] = (self._reaching([d for d, _ in joins]), orders)
        return result

    def _events(self, definition: Definition, root: Definition) -> tuple[list[tuple[int, Site]], list[int]]:
        """Where ``definition`` starts threads on ``root`` and where it waits for them, by order;
        calls of functions that do so count."""
        starts: list[tuple[int, Site]] = []
        joins: list[int] = []
        for start in self.roots.get(root.id, ()):
            if start.definition.id == definition.id:
                starts.append((start.site.order, start.site))
        reach = self._start_reach.get(root.id, frozenset())
        joined, orders = self._joined.get(root.id, (frozenset(), {}))
        joins.extend(orders.get(definition.id, ()))
        for edge in self.flow.calls.get(definition.id, ()):
            if edge.callee.id == definition.id or self._crosses_thread(edge):
                continue
            if edge.callee.id in reach:
                starts.append((edge.site.order, edge.site))
            if edge.callee.id in joined and not (edge.callee.id in reach and edge.callee.id != root.id):
                joins.append(edge.site.order)
        joins.extend(self._waits(definition))
        return starts, joins

    def _waits(self, definition: Definition) -> list[int]:
        """Loops that sleep or wait until a flag changes: they wait for the other thread's end."""
        found: list[int] = []
        by_span = {id(site.node): site.order for site in definition.body.calls}
        for loop in _loops(definition.function.body):
            if loop.test is None or isinstance(loop.test, Call):
                continue
            calls = [node for s in _values(loop.body) for node in walk(s) if isinstance(node, Call)]
            if calls and all(_WAIT_CALL.search(callee_name(c)) for c in calls) and id(calls[0]) in by_span:
                found.append(by_span[id(calls[0])])
        return found

    def phase(self, definition: Definition, site: Site, root: Definition) -> Phase:
        """When ``site`` runs relative to the threads on ``root``, as far as ``definition`` tells."""
        starts, joins = self._events(definition, root)
        order = site.order
        joined_before = [j for j in joins if j < order]
        joined_after = [j for j in joins if j > order]
        started = [o for o, s in starts if o < order and self._comes_after(definition, s, site)]
        if started:
            if any(j > max(started) for j in joined_before):
                return Phase.AFTER
            return Phase.RUNNING
        if any(o < order for o, _ in starts) and not joined_before:
            return Phase.BEFORE  # on a way on which the start failed or was never reached
        if joined_before:
            return Phase.AFTER
        if any(o > order for o, _ in starts):
            return Phase.BEFORE
        if joined_after:
            return Phase.RUNNING
        return Phase.UNKNOWN

    def _comes_after(self, definition: Definition, start: Site, site: Site) -> bool:
        """Whether control that started the thread can go on to ``site`` with the thread running."""
        if start.order == site.order:
            return False
        failed = names_in(start.node) if isinstance(start.node, Call) else set()
        results = self._results_of(definition, start)
        start_guards = {id(g.test): g.holds for g in start.guards if g.kind == "if"}
        for guard in site.guards:
            if (
                guard.kind == "if"
                and id(guard.test) in start_guards
                and guard.holds != start_guards[id(guard.test)]
            ):
                return False
            if guard.kind != "if" or guard.test is None:
                continue
            if any(node is start.node for node in walk(guard.test)):
                return not guard.holds if not _is_success_test(guard.test) else guard.holds
            if (
                id(guard.test) not in start_guards
                and results & names_in(guard.test)
                and self._follows(definition, start, guard.test)
            ):
                return guard.holds == _is_success_test(guard.test)
        del failed
        return not any(
            not returned.guards or set(map(id, returned.guards)) <= set(map(id, start.guards))
            for returned in definition.body.returns
            if start.order < returned.order < site.order
        )

    def _follows(self, definition: Definition, start: Site, test: Value) -> bool:
        return test.span.start > start.node.span.start

    def _results_of(self, definition: Definition, start: Site) -> set[str]:
        """Names that hold a start's result or its error."""
        names: set[str] = set()
        for site in (*definition.body.assigns, *definition.body.declares):
            node = site.node
            if isinstance(node, Assign) and any(v is start.node for v in walk(node.value)):
                names.add(last_name(node.target))
            elif (
                isinstance(node, Declare)
                and node.value is not None
                and any(v is start.node for v in walk(node.value))
            ):
                names.add(node.name)
        if isinstance(start.node, Call):
            for argument in start.node.arguments:
                if isinstance(argument, Unary) and argument.op == "&" and isinstance(argument.operand, Name):
                    if "rr" in argument.operand.id:
                        names.add(argument.operand.id)
        return names - {""}

    # ------------------------------------------------------------------ routes

    def routes(self, definition: Definition, site: Site, root: Definition | None) -> tuple[Route, ...]:
        """How ``site`` is reached: one route for each entry.

        With ``root`` (a service thread's start routine), routes on which the site runs before the
        thread starts or after it was joined are left out unless every route of that entry is such;
        a route whose phase is RUNNING is preferred to one whose phase is UNKNOWN.
        """
        best: dict[tuple[Role, int], Route] = {}
        rank = {Phase.RUNNING: 3, Phase.UNKNOWN: 2, Phase.AFTER: 1, Phase.BEFORE: 1}
        queue: deque[tuple[Definition, Site, Phase, Place | None, tuple[Edge, ...]]] = deque()
        queue.append((definition, site, Phase.UNKNOWN, None, ()))
        seen: set[tuple[int, Phase]] = set()
        states = 0
        while queue and states < MAX_STATES:
            states += 1
            where, at, phase, decided, edges = queue.popleft()
            if phase is Phase.UNKNOWN and root is not None:
                phase = self.phase(where, at, root)
                decided = where.place(at.node.span) if phase is not Phase.UNKNOWN else None
            if (where.id, phase) in seen or len(edges) > MAX_ROUTE:
                continue
            seen.add((where.id, phase))
            for entry in self.entries_of(where):
                route = Route(entry, edges, phase, decided)
                key = (entry.role, entry.definition.id)
                known = best.get(key)
                if known is None or rank[phase] > rank[known.phase]:
                    best[key] = route
            for edge in self.flow.callers.get(where.id, ()):
                if edge.caller.id == where.id or self._crosses_thread(edge):
                    continue
                queue.append((edge.caller, edge.site, phase, decided, (edge, *edges)))
        return tuple(best[key] for key in sorted(best, key=lambda k: (k[0].value, k[1])))

    # ------------------------------------------------------------------ off the service thread

    @cached_property
    def _components(self) -> dict[str, str]:
        """Files that call into each other, by a representative file of each group."""
        leader = {file.path: file.path for file in self.project.files}

        def find(path: str) -> str:
            while leader[path] != path:
                leader[path] = leader[leader[path]]
                path = leader[path]
            return path

        for edge in self.flow.edges:
            a, b = find(edge.caller.path), find(edge.callee.path)
            if a != b and not edge.ambiguous:
                leader[max(a, b)] = min(a, b)
        return {path: find(path) for path in leader}

    @cached_property
    def _mains(self) -> frozenset[str]:
        """The groups of files that hold a ``main``: each is a program of its own."""
        return frozenset(self._components[d.path] for d in self.symbols.functions.get("main", ()))

    def related(self, a: str, b: str) -> bool:
        """Whether two files plausibly belong to one program."""
        left, right = self._components[a], self._components[b]
        if left == right:
            return True
        if left in self._mains and right in self._mains:
            return False
        return (
            a.rsplit("/", 1)[0] == b.rsplit("/", 1)[0]
            if "/" in a and "/" in b
            else "/" not in a and "/" not in b
        )

    def services_for(self, definition: Definition, contexts: frozenset[int]) -> tuple[Service, ...]:
        """The services that may be of the context that code in ``definition`` is about."""
        return tuple(
            s
            for s in self.services
            if (
                contexts & s.contexts
                if contexts and s.contexts
                else self.related(definition.path, s.located.definition.path)
            )
        )

    def off_thread(self, definition: Definition, site: Site) -> tuple[OffThread, ...]:
        """The ways in which a call reaches lws on a thread that does not service its context.

        Ways that only run before the service thread starts or after it was joined don't count; ways
        whose thread nothing tells count only against a service thread that the project starts.
        """
        call = site.node
        assert isinstance(call, Call)
        services = self.services_for(definition, self.contexts_at(definition, call))
        own = {s.entry.definition.id for s in services}
        found: dict[tuple[int, int], OffThread] = {}
        for service in services:
            started = service.entry.role is Role.THREAD
            root = service.entry.definition if started else None
            for route in self.routes(definition, site, root):
                entry = route.entry
                if entry.role in (Role.CALLBACK, Role.SIGNAL) or entry.definition.id in own:
                    continue
                if entry.role is not Role.THREAD and not started:
                    continue
                if route.phase in (Phase.BEFORE, Phase.AFTER):
                    continue
                key = (entry.definition.id, service.entry.definition.id)
                found.setdefault(key, OffThread(route, service))
        return tuple(found[key] for key in sorted(found))

    def is_creators(self, found: OffThread, category: str) -> bool:
        """Whether a set-up call comes from the thread that made the context and started its service."""
        if category not in ("connect", "create-vhost", "timer", "adopt"):
            return False
        route = found.route
        if route.phase is not Phase.RUNNING or route.entry.role is Role.THREAD:
            return False
        functions = {e.caller.id for e in route.edges} | {route.entry.definition.id}
        starters = self._start_reach.get(found.service.entry.definition.id, frozenset())
        makers = self._reaching(
            [located.definition for located in self.project.calls_to("lws_create_context")]
        )
        return any(f in starters and f in makers for f in functions)


def is_lws_callback(definition: Definition) -> bool:
    """A function with an lws callback's parameters (5 since 1.6, 6 before: lws-callbacks.h)."""
    types = [class_name(p.type) for p in definition.function.parameters]
    return "lws_callback_reasons" in types or "libwebsocket_callback_reasons" in types


def last_name(value: Value | None) -> str:
    """The last name of an lvalue: ``&self->threads[i].tid`` → ``tid``; "" for anything else."""
    while True:
        match value:
            case Member():
                return value.field
            case Name():
                return last_component(value.id)
            case Unary() | Cast():
                value = value.operand
            case Index():
                value = value.object
            case Call() if isinstance(value.function, Member) and not value.arguments:
                value = value.function.object
            case Conditional():
                value = value.then
            case _:
                return ""


def _is_success_test(test: Value) -> bool:
    """Whether a test of a start's result holds on success: ``== 0``, ``!x``; failure otherwise."""
    from lwslint.facts import Binary, Null, Number

    if isinstance(test, Unary) and test.op == "!":
        return True
    if isinstance(test, Binary) and test.op == "==":
        return isinstance(test.right, (Number, Null)) and getattr(test.right, "value", 0) == 0
    if isinstance(test, Name):
        return False
    return False


def _loops(body: tuple[Statement, ...]) -> Iterator[Loop]:
    stack: list[Statement] = list(reversed(body))
    while stack:
        statement = stack.pop()
        if isinstance(statement, Loop):
            yield statement
        for part in ("then", "other", "body", "before"):
            stack.extend(reversed(getattr(statement, part, ())))
        for arm in getattr(statement, "arms", ()):
            stack.extend(reversed(arm.body))


def _values(body: tuple[Statement, ...]) -> Iterator[Value]:
    stack: list[Statement] = list(reversed(body))
    while stack:
        statement = stack.pop()
        for part in ("value", "test", "subject"):
            value = getattr(statement, part, None)
            if value is not None and not isinstance(statement, (Return,)):
                yield value
        for part in ("then", "other", "body", "before", "step"):
            stack.extend(reversed(getattr(statement, part, ())))
        for arm in getattr(statement, "arms", ()):
            stack.extend(reversed(arm.body))
