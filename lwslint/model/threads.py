"""Which functions run on which threads.

An *entry* is where a thread enters the project's code: ``main``, the start routine of a thread, an
lws callback or timer (it runs on the service thread), a loop's handler, a signal handler, or a
public function that nobody in the project calls (an unknown caller's thread).  A *route* is a chain
of calls from an entry to a place.

Thread starts are in :mod:`starts`, entries in :mod:`entries`, the order of things in :mod:`order`, the
programs of a tree in :mod:`programs`; here they come together.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import (
    Assign,
    Call,
    Initializer,
    Member,
    Place,
    Value,
)
from lwslint.knowledge import api
from lwslint.knowledge import threads as thread_apis
from lwslint.knowledge.api import Category
from lwslint.model import apis
from lwslint.model.bodies import Site
from lwslint.model.entries import Entries, Entry, Role
from lwslint.model.flow import Edge
from lwslint.model.names import (
    callee_name,
    last_name,
    names_in,
    shared_folders,
)
from lwslint.model.order import Order, Phase, guarding_tests
from lwslint.model.programs import Programs
from lwslint.model.starts import Start, Starts
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Located, Project

MAX_ROUTE = 24
MAX_STATES = 4000
# An interface with more implementations than that tells nothing about which of them a thread runs.
MAX_DISPATCH = 2
SET_UP = frozenset([Category.CONNECT, Category.CREATE_VHOST, Category.TIMER, Category.ADOPT])


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
    the question was about."""

    entry: Entry
    edges: tuple[Edge, ...]
    phase: Phase

    @property
    def ambiguous(self) -> bool:
        return any(edge.ambiguous for edge in self.edges)


class OffThread(msgspec.Struct, frozen=True):
    """A call that runs on another thread (``route``) than the one that services its context."""

    route: Route
    service: Service


class Threads:
    """The service threads, the routes to a place, and the calls that are off their thread."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.starts = Starts(project)
        self.roots = self.starts.by_root
        self.entries = Entries(project, self.starts)
        self.order = Order(project, self.starts)
        self.programs = Programs(project, self.entries, self.order)
        self._service_cache: dict[tuple[int, frozenset[int]], tuple[Service, ...]] = {}
        self._near_cache: dict[str, list[tuple[int, bool]]] = {}
        self._off_cache: dict[tuple[int, int], tuple[OffThread, ...]] = {}

    # ------------------------------------------------------------------ the service threads

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Who services which context: one for each service call and each thread that reaches it."""
        found: dict[tuple[object, ...], Service] = {}
        for located in self.project.calls_where(self._may_be_service):
            definition, site = located
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
                    handed = self._handed_contexts(start, contexts)
                    place = start.place if start is not None else None
                    found.setdefault(
                        (definition.place(call.span), entry.definition.place(), place),
                        Service(entry, located, handed, route.edges, start),
                    )
        return tuple(found.values())

    def _may_be_service(self, name: str) -> bool:
        return api.category(name) is Category.SERVICE or (self._foreign_loop and apis.names_thread_api(name))

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
            rows = apis.thread_apis(call, lambda: self.flow.receiver_type(definition, call))
            return any(row.role is thread_apis.Role.RUN_LOOP for row in rows)
        return False

    @cached_property
    def _foreign_loop(self) -> bool:
        """Whether the program hands lws an event loop of its own."""
        if any(self.project.writes_to("foreign_loops")):
            return True
        wanted = re.compile(r"LWS_SERVER_OPTION_(?:LIBUV|LIBEVENT|LIBEV|GLIB|UV_|ULOOP|SDEVENT)")
        for definition in self.project.busy:
            words = definition.body.words
            if not any(word.startswith("LWS_SERVER_OPTION_") and wanted.match(word) for word in words):
                continue
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

    # ------------------------------------------------------------------ routes

    def routes(
        self,
        definition: Definition,
        site: Site,
        start: Start | None,
        contexts: frozenset[int] = frozenset(),
    ) -> tuple[Route, ...]:
        """How ``site`` is reached: one route for each entry, with its phase in the life of the thread that
        ``start`` starts.  Of an entry's routes one on which the thread runs is preferred.  A route on which
        ``contexts`` have just been made, and no thread started since, is before the thread's life too.
        """
        best: dict[tuple[Role, int], Route] = {}
        rank = {Phase.RUNNING: 3, Phase.UNKNOWN: 2, Phase.AFTER: 1, Phase.BEFORE: 1}
        queue: deque[tuple[Definition, Site, Phase, tuple[Edge, ...]]] = deque()
        queue.append((definition, site, Phase.UNKNOWN, ()))
        seen: set[tuple[int, Phase]] = set()
        states = 0
        while queue and states < MAX_STATES:
            states += 1
            where, at, phase, edges = queue.popleft()
            if phase is Phase.UNKNOWN and start is not None:
                phase = self.order.phase(where, at, start)
                if phase is Phase.UNKNOWN and contexts and self._is_fresh(where, at, contexts):
                    phase = Phase.BEFORE
            if (where.id, phase) in seen or len(edges) > MAX_ROUTE:
                continue
            seen.add((where.id, phase))
            for entry in self.entries.of(where):
                at_end = phase
                if start is not None and entry.definition.name == "operator()":
                    at_end = self.order.deleter_phase(entry.definition, start)
                route = Route(entry, edges, at_end)
                key = (entry.role, entry.definition.id)
                known = best.get(key)
                if known is None or rank[at_end] > rank[known.phase]:
                    best[key] = route
            for edge in self.flow.callers.get(where.id, ()):
                if edge.caller.id == where.id or self.starts.crosses_thread(edge):
                    continue
                queue.append((edge.caller, edge.site, phase, (edge, *edges)))
        return tuple(best[key] for key in sorted(best, key=lambda k: (k[0].value, k[1])))

    # ------------------------------------------------------------------ off the service thread

    def services_for(self, definition: Definition, contexts: frozenset[int]) -> tuple[Service, ...]:
        """The services that may be of the context that code in ``definition`` is about.

        Where the contexts are not known, the services nearest to the code count: a tree may hold several
        programs, or several bindings of one, each with a service thread of its own.
        """
        key = (definition.id, contexts)
        if key not in self._service_cache:
            chosen = {at for context in contexts for at in self._services_of_context.get(context, ())}
            for at, related in self._services_near(definition.path):
                service = self.services[at]
                if not (contexts and service.contexts) and (
                    related or self.programs.related(definition, service.located.definition)
                ):
                    chosen.add(at)
            found = [self.services[at] for at in sorted(chosen)]
            sure = [s for s in found if contexts & s.contexts]
            if not sure and found:
                near = max(shared_folders(definition.path, s.located.definition.path) for s in found)
                found = [
                    s for s in found if shared_folders(definition.path, s.located.definition.path) == near
                ]
            self._service_cache[key] = tuple(found)
        return self._service_cache[key]

    def _is_fresh(self, definition: Definition, site: Site, contexts: frozenset[int]) -> bool:
        """Whether a call is about a context that the function has just made, before any thread started.

        The variable may get other contexts elsewhere; here it holds the new one, if it was made on every way.
        """
        here = site.node.span.start
        made = [
            other.node.span.start
            for context, other in self._creations_in.get(definition.id, ())
            if context in contexts
            and other.node.span.start < here
            and set(guarding_tests(other)) <= set(guarding_tests(site))
        ]
        if not made:
            return False
        return not any(
            max(made) < event.node.span.start < here
            for start in self.order.started_by(definition)
            for event in self.order.starts_in(definition, start)
        )

    @cached_property
    def _creations_in(self) -> dict[int, list[tuple[int, Site]]]:
        """Function → what it makes, by rank in the flow's creations, and where."""
        found: dict[int, list[tuple[int, Site]]] = defaultdict(list)
        for rank, creation in enumerate(self.flow.creations):
            for site in creation.definition.body.calls:
                if site.node is creation.call:
                    found[creation.definition.id].append((rank, site))
        return found

    @cached_property
    def _services_of_context(self) -> dict[int, list[int]]:
        """Context → the services of it, by their rank."""
        found: dict[int, list[int]] = defaultdict(list)
        for at, service in enumerate(self.services):
            for context in service.contexts:
                found[context].append(at)
        return found

    def _services_near(self, path: str) -> list[tuple[int, bool]]:
        """The services, by their rank, that may be of the program to which a file belongs; False with those
        where it depends on the function."""
        if path not in self._near_cache:
            related: dict[str, bool | None] = {}
            ranks = {
                at for shared in self.programs.surroundings(path) for at in self._services_in.get(shared, ())
            }
            for at in ranks:
                place = self.services[at].located.definition.path
                if place not in related:
                    related[place] = place == path or self.programs.files_related(path, place)
            verdicts = ((at, related[self.services[at].located.definition.path]) for at in sorted(ranks))
            self._near_cache[path] = [
                (at, verdict is True) for at, verdict in verdicts if verdict is not False
            ]
        return self._near_cache[path]

    @cached_property
    def _services_in(self) -> dict[tuple[str, str], list[int]]:
        """The services, by their rank, in each folder and group of files."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, service in enumerate(self.services):
            for shared in self.programs.surroundings(service.located.definition.path):
                found[shared].append(at)
        return dict(found)

    def _runs_beside(self, start: Start, service: Service) -> bool:
        """Whether a thread plausibly runs in the program that services the context."""
        if service.start is not None:
            return self.programs.together(start, service.start)
        if service.entry.role is Role.MAIN:
            return self.programs.holds(start, service.entry.definition)
        mains = self.programs.mains_to(start)
        served = self.order.ancestors(service.located.definition)
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
        contexts = self.contexts_at(definition, call)
        if self._is_fresh(definition, site, contexts):
            return ()
        services = self.services_for(definition, contexts)
        own = {s.entry.definition.place() for s in services}
        threaded = not self._serviced_elsewhere(services)
        found: dict[tuple[int, int], OffThread] = {}
        # A tree of hundreds of test programs has as many services; they share the routes.
        routes: dict[Place | None, list[Route]] = {}
        # The loop of a thread says more than a single call that it makes before.
        for service in sorted(services, key=lambda s: not s.located.site.in_loop):
            start = service.start
            place = start.place if start is not None else None
            if place not in routes:
                routes[place] = [
                    route
                    for route in self.routes(definition, site, start, contexts)
                    if self._may_be_off(route, start, own, threaded)
                ]
            for route in routes[place]:
                if self._is_off(route, service):
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
        return definition.id in self.order.ancestors(start.definition)

    def _may_be_off(self, route: Route, start: Start | None, own: set[Place], threaded: bool) -> bool:
        """Whether a route is off the thread that ``start`` starts, for some service on that thread."""
        entry = route.entry
        if entry.role in (Role.CALLBACK, Role.SIGNAL) or entry.definition.place() in own:
            return False
        if route.phase in (Phase.BEFORE, Phase.AFTER):
            return False
        if any(self.flow.dispatches(edge) > MAX_DISPATCH for edge in route.edges):
            return False
        # Otherwise some program of the tree services this context on the very thread that calls.
        return entry.role is Role.THREAD or (start is not None and threaded)

    def _is_off(self, route: Route, service: Service) -> bool:
        entry = route.entry
        if entry.role is Role.THREAD:
            return any(self._runs_beside(start, service) for start in self.roots[entry.definition.id])
        if entry.role is not Role.MAIN:
            return True
        return service.start is not None and self.programs.holds(service.start, entry.definition)

    @cached_property
    def _makers(self) -> frozenset[int]:
        """The functions that make a context, themselves or through what they call."""
        makers = [located.definition for located in self.project.calls_to("lws_create_context")]
        return self.order.reaching(makers)

    def is_creators(self, found: OffThread, category: Category) -> bool:
        """Whether a set-up call comes from the thread that made the context, after another one began to
        service it."""
        if category not in SET_UP:
            return False
        route = found.route
        makers = self._makers
        if route.entry.role is Role.THREAD:
            return route.entry.definition.id in makers and found.service.entry.definition.id not in makers
        if route.phase is not Phase.RUNNING or found.service.start is None:
            return False
        starters = self.order.ancestors(found.service.start.definition)
        functions = {e.caller.id for e in route.edges} | {route.entry.definition.id}
        return any(f in starters and f in makers for f in functions)
