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

## Example

```c
static void *loop(void *context)
{
    while (!stop)
        lws_service(context, 0);
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

from lwslint import knowledge
from lwslint.diagnostics import Confidence, Diagnostic, Impact, Step
from lwslint.facts import Call, Number
from lwslint.model.chains import entry_step, title
from lwslint.model.flow import callee_name
from lwslint.model.project import Project
from lwslint.model.threads import Phase, Role, Route, Service
from lwslint.rule import Rule

rule = Rule(code="LWS102", name="concurrent-service", family="threads", impact=Impact.CRASH)

HELP = (
    "let one thread service the context and hand work to it with lws_cancel_service(context); for several service "
    "threads set info.count_threads (a libwebsockets built with LWS_MAX_SMP > 1) and give each its own index: "
    "lws_service_tsi(context, 0, tsi)"
)


def check(project: Project) -> Iterator[Diagnostic]:
    by_site: dict[tuple[int, int], list[Service]] = defaultdict(list)
    for service in project.threads.services:
        if service.entry.role in (Role.THREAD, Role.MAIN) and not has_own_index(service):
            by_site[service.located.definition.id, service.located.site.order].append(service)
    for key in sorted(by_site):
        services = by_site[key]
        threads = distinct_threads(project, services)
        if len(threads) < 2:
            continue
        first = services[0]
        name = callee_name(first.located.site.node) if isinstance(first.located.site.node, Call) else ""
        names = sorted({title(s.entry.definition) for s in services})
        yield rule.report(
            first.located.place,
            f"{name}() runs on several threads at once with one context ({', '.join(names)}): connections are serviced "
            "twice at the same time and freed under each other",
            confidence=Confidence.HIGH if all(s.contexts for s in services) else Confidence.MEDIUM,
            help=HELP,
            related=[step for s in services for step in steps(project, s)],
            function=first.located.definition.qualified,
        )


def has_own_index(service: Service) -> bool:
    """lws_service_tsi() with an index that is not a constant: each thread has its own."""
    call = service.located.site.node
    assert isinstance(call, Call)
    position = knowledge.tsi_argument(callee_name(call))
    value = knowledge.argument(call, position) if position is not None else None
    return value is not None and not isinstance(value, Number)


def distinct_threads(project: Project, services: list[Service]) -> list[object]:
    """The threads that may run one service call with one context."""
    found: list[object] = []
    for service in services:
        if not shares_context(project, service):
            continue
        starts = project.threads.roots.get(service.entry.definition.id, [])
        if service.entry.role is Role.MAIN:
            found.append("main")
            continue
        for start in starts:
            found.append((start.definition.id, start.site.order))
            if start.repeated:
                found.append((start.definition.id, start.site.order, "again"))
    if "main" in found and len(found) > 1 and not main_runs_beside(project, services):
        found.remove("main")
    return found


def main_runs_beside(project: Project, services: list[Service]) -> bool:
    """Whether main reaches its service call while one of the threads runs."""
    main = next(s for s in services if s.entry.role is Role.MAIN)
    for other in services:
        if other.entry.role is not Role.THREAD:
            continue
        for route in project.threads.routes(*main.located, other.entry.definition):
            if route.entry == main.entry and route.phase is Phase.RUNNING:
                return True
    return False


def shares_context(project: Project, service: Service) -> bool:
    """Whether the context outlives the thread's own functions: made outside the thread, or kept in a
    place that is shared (one creation reached by several threads is a singleton's)."""
    if len(service.contexts) != 1:
        return False
    creation = project.flow.creations[next(iter(service.contexts))]
    chain = {service.entry.definition.id, service.located.definition.id}
    chain |= {edge.caller.id for edge in service.edges}
    return creation.definition.id not in chain


def steps(project: Project, service: Service) -> list[Step]:
    route = Route(service.entry, service.edges, Phase.UNKNOWN)
    return [
        entry_step(project.threads, route),
        *(
            Step(e.caller.place(e.site.node.span), f"{title(e.caller)} calls {title(e.callee)}")
            for e in service.edges
        ),
    ]
