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

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Declare,
    Initializer,
    Lambda,
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
from lwslint.knowledge import api
from lwslint.knowledge import threads as thread_apis
from lwslint.knowledge.api import Category
from lwslint.knowledge.threads import Runs
from lwslint.model import apis
from lwslint.model.bodies import Site
from lwslint.model.flow import Edge
from lwslint.model.names import (
    callee_name,
    contains,
    folder,
    last_component,
    last_name,
    names_in,
    statements,
    values_of,
)
from lwslint.model.symbols import Definition, class_name, nearness

if TYPE_CHECKING:
    from lwslint.model.project import Located, Project

MAX_ROUTE = 24
SET_UP = frozenset([Category.CONNECT, Category.CREATE_VHOST, Category.TIMER, Category.ADOPT])
MAX_STATES = 4000
MAINS = ("main", "wmain", "WinMain", "app_main")

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


# On which thread a function runs that was handed to a loop, to lws or to the system.
_HANDLER_ROLES = {
    Runs.LOOP: Role.CALLBACK,
    Runs.SERVICE: Role.CALLBACK,
    Runs.SIGNAL: Role.SIGNAL,
    Runs.EXIT: Role.SIGNAL,
}


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
    """A place that services a context, and the entry whose thread does it.

    For a started thread there is one record for each place that starts it (``start``), with the
    contexts that are handed over there.
    """

    entry: Entry
    located: Located
    contexts: frozenset[int]
    edges: tuple[Edge, ...]
    start: Start | None = None


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
        self._event_cache: dict[tuple[int, Place, int], tuple[list[Site], list[Site]]] = {}
        self._ancestor_cache: dict[int, frozenset[int]] = {}
        self._wait_cache: dict[int, list[Site]] = {}
        self._off_cache: dict[tuple[int, int], tuple[OffThread, ...]] = {}
        self._start_reaches: dict[int, frozenset[int]] = {}

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
            again = at.in_loop and _is_literal(value)
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
                            again = edge.site.in_loop and _is_literal(argument)
                            extra.append(Start(edge.caller, edge.site, root, handle, again))
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
                for handover in self.flow.handovers(definition, call):
                    role = _HANDLER_ROLES.get(handover.api.runs)
                    if role is None:
                        continue
                    for routine in handover.routines:
                        for handler in self.flow.functions_of(routine, definition):
                            found.setdefault(handler.id, role)
        for row in (row for kind in thread_apis.Role for row in thread_apis.in_role(kind)):
            role = _HANDLER_ROLES.get(row.runs)
            if row.form is not thread_apis.Form.FIELD or role is None:
                continue
            for name in row.names:
                for owner, functions in self.flow.cells_of_field(name):
                    if owner in row.owners:
                        for handler in functions:
                            found.setdefault(handler.id, role)
        return found

    def _callback_functions(self) -> Iterator[Definition]:
        """Functions with the signature of an lws callback (those in a table are found by their field)."""
        for definition in self.symbols.definitions:
            if is_lws_callback(definition):
                yield definition

    def _stored(self) -> frozenset[int]:
        """Functions whose address stands in a file-scope initialiser (tables of commands and handlers)."""
        found: set[int] = set()
        for file in self.project.files:
            values = (*(v.value for v in file.variables), *(m.value for m in file.macros))
            tables = [value for value in values if isinstance(value, Initializer)]
            for table in tables:
                for node in walk(table):
                    if isinstance(node, Name):
                        binding = self.symbols.function_named(node.id, None, file.path)
                        found.update(d.id for d in binding.definitions)
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
        if definition.name in MAINS and not definition.function.owner:
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
        """Who services which context: one for each service call and each thread that reaches it."""
        from lwslint.model.project import Located

        found: dict[tuple[object, ...], Service] = {}
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                if not self._is_service(callee_name(call), definition, call):
                    continue
                contexts = self._context_argument(definition, call)
                for route in self.routes(definition, site, None):
                    entry = route.entry
                    if entry.role not in (Role.THREAD, Role.MAIN, Role.PUBLIC, Role.STORED):
                        continue
                    starts = self.roots[entry.definition.id] if entry.role is Role.THREAD else [None]
                    for start in starts:
                        service = Service(
                            entry,
                            Located(definition, site),
                            self._handed_contexts(start, contexts),
                            route.edges,
                            start,
                        )
                        place = start.place if start is not None else None
                        found.setdefault(
                            (definition.place(call.span), entry.definition.place(), place), service
                        )
        return tuple(found.values())

    def _handed_contexts(self, start: Start | None, contexts: frozenset[int]) -> frozenset[int]:
        """Of the contexts that a thread may service, those that the place that starts it hands over."""
        if start is None or len(contexts) < 2 or not isinstance(start.site.node, Call):
            return contexts
        handed = {
            thing.id
            for argument in start.site.node.arguments
            for thing in self.flow.things_of(argument, start.definition)
            if thing.kind == "context"
        }
        return frozenset(handed & contexts) or contexts

    def _is_service(self, name: str, definition: Definition, call: Call) -> bool:
        if api.category(name) is Category.SERVICE:
            return not self.symbols.call_target(call, definition).definitions
        if self._foreign_loop:
            rows = apis.thread_apis(call, lambda: self._receiver_type(definition, call))
            return any(row.role is thread_apis.Role.RUN_LOOP for row in rows)
        return False

    def _receiver_type(self, definition: Definition, call: Call) -> str:
        assert isinstance(call.function, Member)
        return self.symbols.type_of(call.function.object, definition)

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
        value = apis.context_of(call)
        return frozenset() if value is None else self.flow.objects_of(value, definition, "context")

    def contexts_at(self, definition: Definition, call: Call) -> frozenset[int]:
        """The contexts that a call of an lws function is about, where that can be known: from its context
        argument, or from the ``context`` member of the info struct that it takes."""
        known = api.function(callee_name(call))
        if known is None:
            return frozenset()
        if known.info is not None and known.context is None:
            return self._context_of_info(definition, apis.argument(call, known.info))
        return self._context_argument(definition, call)

    def _context_of_info(self, definition: Definition, info: Value | None) -> frozenset[int]:
        name = last_name(info)
        found: set[int] = set()
        for site in definition.body.assigns:
            assign = site.node
            assert isinstance(assign, Assign)
            target = assign.target
            if isinstance(target, Member) and target.field == "context" and last_name(target.object) == name:
                found |= self.flow.objects_of(assign.value, definition, "context")
        declared = definition.body.locals.get(name)
        if declared is not None and isinstance(declared.value, Initializer):
            for item in declared.value.items:
                if item.designator == "context":
                    found |= self.flow.objects_of(item.value, definition, "context")
        return frozenset(found)

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

    def _start_reach(self, start: Start) -> frozenset[int]:
        """The functions that reach the place where a thread starts."""
        key = start.definition.id
        if key not in self._start_reaches:
            self._start_reaches[key] = self._reaching([start.definition])
        return self._start_reaches[key]

    @cached_property
    def joins(self) -> tuple[tuple[Definition, Site, str], ...]:
        """Every place that waits for a thread to end, with the handle's name ("" when unknown)."""
        found: list[tuple[Definition, Site, str]] = []
        for definition in self.symbols.definitions:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                name = callee_name(call)
                rows = apis.thread_apis(call, lambda d=definition, c=call: self._receiver_type(d, c))  # type: ignore[misc]
                joins = [row for row in rows if row.role is thread_apis.Role.JOIN]
                if joins:
                    handle = joins[0].handle
                    if isinstance(handle, int):
                        found.append((definition, site, last_name(apis.argument(call, handle))))
                    else:
                        assert isinstance(call.function, Member)
                        found.append((definition, site, last_name(call.function.object)))
                elif isinstance(call.function, Member) and call.function.field in ("join", "waitForFinished"):
                    found.append((definition, site, last_name(call.function.object)))
                elif _JOIN_NAME.search(last_component(name)) and not self.flow.targets(definition, call):
                    found.append((definition, site, last_name(call.arguments[0]) if call.arguments else ""))
        return tuple(found)

    def joins_of(self, root: Definition) -> list[tuple[Definition, Site]]:
        """The places that wait for the threads that run ``root``; none for a detached thread.

        A join of an unnamed handle, or of a local one (an element of a list of threads), counts when it
        stands in the class or file that starts the thread.
        """
        starts = self.roots.get(root.id, [])
        if starts and all(self._detached(start) for start in starts):
            return []
        handles = {s.handle for s in starts if s.handle}
        near = {s.definition.path for s in starts}
        owners = {self.symbols.owner(s.definition) for s in starts} - {""}
        found = []
        for definition, site, handle in self.joins:
            local = self.symbols.local_type(definition, handle) if handle else ""
            if handle in handles:
                found.append((definition, site))
            elif local is not None and (not local or "thread" in local or local.startswith("auto")):
                if definition.path in near or self.symbols.owner(definition) in owners:
                    found.append((definition, site))
        return found

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
        for root in sorted(self.roots):
            joins = self.joins_of(self.symbols.definitions[root])
            sites: dict[Place, list[Site]] = defaultdict(list)
            for definition, site in joins:
                sites[definition.place()].append(site)
            result[root] = (self._reaching([d for d, _ in joins]), sites)
        return result

    def _events(self, definition: Definition, start: Start) -> tuple[list[Site], list[Site]]:
        """Where ``definition`` starts the thread and where it waits for it; calls of functions that do so
        count.  The variants of one function under different ``#if`` arms count as one."""
        key = (definition.id, start.place, start.root.id)
        if key not in self._event_cache:
            self._event_cache[key] = self._find_events(definition, start)
        return self._event_cache[key]

    def _find_events(self, definition: Definition, start: Start) -> tuple[list[Site], list[Site]]:
        root = start.root
        starts = [start.site] if start.definition.place() == definition.place() else []
        reach = self._start_reach(start)
        joined, sites = self._joined.get(root.id, (frozenset(), {}))
        joins = list(sites.get(definition.place(), ()))
        for edge in self.flow.calls.get(definition.id, ()):
            if edge.callee.id == definition.id or self._crosses_thread(edge):
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
        if any(j.node.span.start > here and set(_tests(j)) <= set(_tests(site)) for j in joins):
            return Phase.RUNNING
        return Phase.UNKNOWN

    def _comes_after(self, definition: Definition, start: Site, site: Site) -> bool:
        """Whether control that started the thread can go on to ``site`` with the thread running."""
        if start.node.span == site.node.span:
            return False
        results = self._results_of(definition, start)
        start_tests = _tests(start)
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
            set(_tests(returned)) <= around
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

    # ------------------------------------------------------------------ routes

    def routes(self, definition: Definition, site: Site, start: Start | None) -> tuple[Route, ...]:
        """How ``site`` is reached: one route for each entry, with its phase in the life of the thread that
        ``start`` starts.  Of an entry's routes one on which the thread runs is preferred.
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
            if phase is Phase.UNKNOWN and start is not None:
                phase = self.phase(where, at, start)
                decided = where.place(at.node.span) if phase is not Phase.UNKNOWN else None
            if (where.id, phase) in seen or len(edges) > MAX_ROUTE:
                continue
            seen.add((where.id, phase))
            for entry in self.entries_of(where):
                at_end = phase
                if start is not None and entry.definition.name == "operator()":
                    at_end = self._deleter_phase(entry.definition, start)
                route = Route(entry, edges, at_end, decided)
                key = (entry.role, entry.definition.id)
                known = best.get(key)
                if known is None or rank[at_end] > rank[known.phase]:
                    best[key] = route
            for edge in self.flow.callers.get(where.id, ()):
                if edge.caller.id == where.id or self._crosses_thread(edge):
                    continue
                queue.append((edge.caller, edge.site, phase, decided, (edge, *edges)))
        return tuple(best[key] for key in sorted(best, key=lambda k: (k[0].value, k[1])))

    def _deleter_phase(self, deleter: Definition, start: Start) -> Phase:
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
    def _mains(self) -> dict[str, set[str]]:
        """For each group of files the files that hold a ``main``: each is a program of its own."""
        found: dict[str, set[str]] = defaultdict(set)
        for name in MAINS:
            for definition in self.symbols.functions.get(name, ()):
                found[self._components[definition.path]].add(definition.path)
        return found

    def related(self, a: Definition, b: Definition) -> bool:
        """Whether two functions plausibly belong to one program.

        Code in one folder does, unless each of two files there has a ``main`` of its own; so does code of
        one group of files that call each other.  Where such a group holds several programs, the two must
        be reachable from one function.
        """
        if a.path == b.path:
            return True
        left, right = self._components[a.path], self._components[b.path]
        if left != right:
            return folder(a.path) == folder(b.path) and not (self._mains[left] and self._mains[right])
        if len(self._mains[left]) < 2 or folder(a.path) == folder(b.path):
            return True
        return bool(self._ancestors(a) & self._ancestors(b)) or self._both_loose(a, b)

    def _ancestors(self, definition: Definition) -> frozenset[int]:
        if definition.id not in self._ancestor_cache:
            self._ancestor_cache[definition.id] = self._reaching([definition])
        return self._ancestor_cache[definition.id]

    def _both_loose(self, a: Definition, b: Definition) -> bool:
        """Whether no program of the tree reaches ``a``, and both are in one top-level folder."""
        mains = {d.id for name in MAINS for d in self.symbols.functions.get(name, ())}
        return not mains & self._ancestors(a) and a.path.split("/")[0] == b.path.split("/")[0]

    def services_for(self, definition: Definition, contexts: frozenset[int]) -> tuple[Service, ...]:
        """The services that may be of the context that code in ``definition`` is about."""
        return tuple(s for s in self.services if self._may_service(s, definition, contexts))

    def _may_service(self, service: Service, definition: Definition, contexts: frozenset[int]) -> bool:
        if contexts and service.contexts:
            return bool(contexts & service.contexts)
        return self.related(definition, service.located.definition)

    def _entries_to(self, start: Start) -> frozenset[Place]:
        """The mains and public functions from which a thread's start is reached."""
        reach = self._start_reach(start)
        tops = (self.symbols.definitions[d] for d in sorted(reach))
        return frozenset(
            d.place() for d in tops if any(e.role in (Role.MAIN, Role.PUBLIC) for e in self.entries_of(d))
        )

    def together(self, a: Start, b: Start) -> bool:
        """Whether two threads plausibly run in one program: something starts both, or one folder does."""
        if a.definition.path == b.definition.path:
            return True
        left, right = self._entries_to(a), self._entries_to(b)
        if left and right:
            return bool(left & right)
        return folder(a.definition.path) == folder(b.definition.path)

    def _mains_to(self, start: Start) -> list[Definition]:
        reach = self._start_reach(start)
        return [d for name in MAINS for d in self.symbols.functions.get(name, ()) if d.id in reach]

    def _same_program(self, start: Start, main: Definition) -> bool:
        """Whether a thread may run in the program of ``main``: that main reaches its start, or none does."""
        mains = self._mains_to(start)
        return not mains or main in mains

    def _runs_beside(self, start: Start, service: Service) -> bool:
        """Whether a thread plausibly runs in the program that services the context."""
        if service.start is not None:
            return self.together(start, service.start)
        if service.entry.role is Role.MAIN:
            return self._same_program(start, service.entry.definition)
        mains = self._mains_to(start)
        served = self._reaching([service.located.definition])
        return not mains or any(main.id in served for main in mains)

    def off_thread(self, definition: Definition, site: Site) -> tuple[OffThread, ...]:
        """The ways in which a call reaches lws on a thread that does not service its context.

        Ways that only run before the service thread starts or after it was joined don't count; ways
        whose thread nothing tells count only against a service thread that the project starts.
        """
        key = (definition.id, site.order)
        if key not in self._off_cache:
            self._off_cache[key] = self._find_off_thread(definition, site)
        return self._off_cache[key]

    def _find_off_thread(self, definition: Definition, site: Site) -> tuple[OffThread, ...]:
        call = site.node
        assert isinstance(call, Call)
        if self.flow.is_deferred(definition, call):
            return ()
        services = self.services_for(definition, self.contexts_at(definition, call))
        own = {s.entry.definition.place() for s in services}
        threaded = not self._serviced_elsewhere(services)
        found: dict[tuple[int, int], OffThread] = {}
        for service in services:
            for route in self.routes(definition, site, service.start):
                if self._is_off(route, service, own, threaded):
                    key = (route.entry.definition.id, service.entry.definition.id)
                    found.setdefault(key, OffThread(route, service))
        return tuple(found[key] for key in sorted(found))

    def _serviced_elsewhere(self, services: Sequence[Service]) -> bool:
        """Whether some program of the tree services the context on its main thread, without the service
        threads that another program starts."""
        starts = [s.start for s in services if s.start is not None]
        return any(
            not any(self._reaches_start(s.entry.definition, start) for start in starts)
            for s in services
            if s.entry.role is Role.MAIN
        )

    def _reaches_start(self, definition: Definition, start: Start) -> bool:
        return definition.id in self._start_reach(start)

    def _is_off(self, route: Route, service: Service, own: set[Place], threaded: bool) -> bool:
        entry = route.entry
        if entry.role in (Role.CALLBACK, Role.SIGNAL) or entry.definition.place() in own:
            return False
        if route.phase in (Phase.BEFORE, Phase.AFTER):
            return False
        if entry.role is Role.THREAD:
            return any(self._runs_beside(start, service) for start in self.roots[entry.definition.id])
        if service.start is None or not threaded:
            # Some program of the tree services this context on the very thread that calls.
            return False
        return entry.role is not Role.MAIN or self._same_program(service.start, entry.definition)

    def is_creators(self, found: OffThread, category: Category) -> bool:
        """Whether a set-up call comes from the thread that made the context, after another one began to
        service it."""
        if category not in SET_UP:
            return False
        route = found.route
        makers = self._reaching(
            [located.definition for located in self.project.calls_to("lws_create_context")]
        )
        if route.entry.role is Role.THREAD:
            return route.entry.definition.id in makers and found.service.entry.definition.id not in makers
        if route.phase is not Phase.RUNNING or found.service.start is None:
            return False
        starters = self._start_reach(found.service.start)
        functions = {e.caller.id for e in route.edges} | {route.entry.definition.id}
        return any(f in starters and f in makers for f in functions)


def is_lws_callback(definition: Definition) -> bool:
    """A function with an lws callback's parameters (5 since 1.6, 6 before: lws-callbacks.h)."""
    types = [class_name(p.type) for p in definition.function.parameters]
    return "lws_callback_reasons" in types or "libwebsocket_callback_reasons" in types


def _tests(site: Site) -> tuple[tuple[Span, bool], ...]:
    """The run-time tests around a site, each with the side that it lies on."""
    return tuple(
        (guard.test.span, guard.holds)
        for guard in site.guards
        if guard.test is not None and guard.kind not in ("loop", "catch")
    )


def _failure_path(join: Site, site: Site) -> bool:
    """Whether a join lies on a side of a test that the site does not lie on, and leaves there."""
    return bool(set(_tests(join)) - set(_tests(site))) and any(
        (span, not side) in _tests(site) for span, side in _tests(join)
    )


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


def _is_success_test(test: Value) -> bool:
    """Whether a test of a start's result holds on success: ``== 0``, ``!x``; failure otherwise."""
    if isinstance(test, Unary):
        return test.op == "!"
    if isinstance(test, Binary) and test.op == "==":
        return isinstance(test.right, Null) or (isinstance(test.right, Number) and test.right.value == 0)
    return False
