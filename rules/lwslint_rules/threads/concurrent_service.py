"""Several threads service one context.

## What it reports

A call of `lws_service()` (or `lws_service_fd()`, or `lws_service_tsi()` with the same thread index) that
two threads of the program can reach with the same context.

`lws_service_tsi()` with a thread index of its own in each thread, in a context that was created with
`count_threads`, is how lws wants it and is not reported. Neither are several threads that each create
and service a context of their own.

## What happens at run time

`lws_service()` is `lws_service_tsi(context, 0, 0)`: both threads poll and service the same table of
connections without a lock. A connection is serviced twice at once, its buffers are freed under the
other thread, and the program crashes or stalls at random.

Seen with 4.1.6 and a server that sends without pause: "double free or corruption", a segmentation fault, a
handshake that never ends or a lost connection within seconds, in nearly every run.

## Example

```c
static void *loop(void *context)
{
    while (!stop && lws_service(context, 0) >= 0)
        ;
    return NULL;
}

/* two threads, one context */
pthread_create(&first, NULL, loop, context);
pthread_create(&second, NULL, loop, context);
```

## Write instead

```c
/* one service thread; the others hand their work over with lws_cancel_service() */
pthread_create(&service_thread, NULL, loop, context);
```

or, with a libwebsockets built with `-DLWS_MAX_SMP=n`: set `info.count_threads`, and call
`lws_service_tsi(context, 0, tsi)` with another `tsi` in each thread.

## Known limits

Contexts are told apart by the places that create them.

## References

minimal-examples/http-server/minimal-http-server-smp/README.md:10-12@v4.3.3,
READMEs/README.coding.md:186-196@v5.0.0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Step
from lwslint.facts import Call, Name, Number
from lwslint.model import apis
from lwslint.model.chains import call_steps, entry_step, on, start_step, title
from lwslint.model.entries import Role
from lwslint.model.names import callee_name
from lwslint.model.order import Phase
from lwslint.model.project import Project
from lwslint.model.starts import Start
from lwslint.model.threads import Route, Service
from lwslint.rule import Rule

rule = Rule(code="LWS102", name="concurrent-service", family="threads", impact=Impact.CRASH)

HELP = (
    "let one thread service the context and hand work to it with lws_cancel_service(context); for several "
    "service threads set info.count_threads (a libwebsockets built with LWS_MAX_SMP > 1) and give each its "
    "own index: lws_service_tsi(context, 0, tsi)"
)

# lws-service.h:127@v5.0.0, lws-service.h:137@v5.0.0
TSI_ARGUMENT = {"lws_service_tsi": 2, "lws_service_fd_tsi": 2}


def check(project: Project) -> Iterator[Diagnostic]:
    by_context: dict[int, list[Service]] = defaultdict(list)
    for service in project.threads.services:
        threaded = service.entry.role in (Role.THREAD, Role.MAIN)
        if threaded and shares_context(project, service) and not has_own_index(service):
            by_context[next(iter(service.contexts))].append(service)
    for context in sorted(by_context):
        all_services = sorted(by_context[context], key=lambda s: (s.start is None, s.located.place))
        services = [s for s in all_services if s.start is not None or runs_beside(project, s, all_services)]
        if count_threads(project, services) < 2:
            continue
        # Told once, where a started thread services the context.
        first = services[0].located
        call = first.site.node
        assert isinstance(call, Call)
        names = sorted({title(s.entry.definition) for s in services})
        yield rule.report(
            first.place,
            "connections are serviced twice at the same time and freed under each other: "
            f"{callee_name(call)}() runs on several threads with one context ({', '.join(names)})",
            help=HELP,
            related=[step for s in services for step in on(thread_of(s), steps(project, s))],
            function=first.definition.qualified,
        )


def thread_of(service: Service) -> str:
    if service.entry.role is Role.MAIN:
        return "the main thread"
    return f"the thread of {title(service.entry.definition)}"


def has_own_index(service: Service) -> bool:
    """lws_service_tsi() with an index that is not a constant: each thread has its own."""
    call = service.located.site.node
    assert isinstance(call, Call)
    position = TSI_ARGUMENT.get(callee_name(call))
    value = apis.argument(call, position)
    return value is not None and not isinstance(value, Number)


def count_threads(project: Project, services: list[Service]) -> int:
    """How many threads may run one service call with one context at the same time, in one program; ``main``
    is among the services where it runs beside a thread."""
    starts = [s.start for s in services if s.start is not None]
    beside = any(s.entry.role is Role.MAIN for s in services)
    most = 0
    for first in starts:
        group = [start for start in starts if project.threads.programs.together(first, start)]
        handles = {handle_of(project, start) for start in group}
        again = any(start.repeated for start in group)
        most = max(most, len(handles) + again + beside)
    return most


def handle_of(project: Project, start: Start) -> tuple[object, object]:
    """What two starts share that do not run at the same time: a handle that is assigned again belonged to a
    thread that has ended.  A member of a class that is assigned in several ways holds one thread, whichever
    of them was taken."""
    owner = project.symbols.owner(start.definition)
    local = project.symbols.local_type(start.definition, start.handle) if start.handle else None
    member = owner and start.handle and local is None
    return (owner if member else start.root.place(), start.handle or start.place)


def runs_beside(project: Project, main: Service, services: list[Service]) -> bool:
    """Whether main reaches its service call while one of the threads of its program runs."""
    return any(
        route.entry == main.entry and route.phase is Phase.RUNNING
        for other in services
        if other.start is not None and project.threads.programs.holds(other.start, main.entry.definition)
        for route in project.threads.routes(*main.located, other.start)
    )


def shares_context(project: Project, service: Service) -> bool:
    """Whether several threads may see the context: it is known, and not made by the thread for itself
    (made in one of the thread's functions and kept in a local variable)."""
    if len(service.contexts) != 1:
        return False
    creation = project.flow.creations[next(iter(service.contexts))]
    chain = {service.entry.definition.id, service.located.definition.id}
    chain |= {edge.caller.id for edge in service.edges}
    if creation.definition.id in chain:
        return False
    call = service.located.site.node
    assert isinstance(call, Call)
    value = apis.context_of(call)
    local = isinstance(value, Name) and value.id in service.located.definition.body.locals
    makes = any(
        edge.callee is creation.definition for edge in project.flow.calls[service.located.definition.id]
    )
    return not (local and makes)


def steps(project: Project, service: Service) -> list[Step]:
    route = Route(service.entry, service.edges, Phase.UNKNOWN)
    entry = start_step(project.threads, service) or [entry_step(project.threads, route)]
    return [*entry, *call_steps(route), Step(service.located.place, "and services the context here")]
