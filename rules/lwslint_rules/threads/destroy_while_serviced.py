"""A context or vhost is destroyed while its service thread still runs.

## What it reports

`lws_context_destroy()` (or `lws_vhost_destroy()`) on another thread than the one that services the
context, where that thread has not been joined: `main` destroys before `pthread_join()`, a destructor
destroys before a `std::jthread` member joins, an unload function destroys while detached service threads
are still in `lws_service()`.

Destroying after the join is not reported, and neither is a service thread that destroys its own context
after its loop.

## What happens at run time

The sockets are closed and the connections freed under the service thread. Two things come of that,
usually at shutdown, where they are taken for an accident:

- the service thread sleeps on in `poll()`, on sockets that nobody has any more. It never looks at the stop
  flag, the join that follows never returns, and the program never ends;
- the service thread wakes and goes on with what was freed: use after free in `lws_service()`.

A stop flag does not help: the service thread may be anywhere between two looks at it. Releases from 4.0 on
put the destruction off when they find the service thread inside a callback, not when it is in `poll()`.

Seen with 4.1.6: the program that never ends, and by valgrind's helgrind the races in
`lws_context_destroy()`.

## Example

```c
stop = 1;
lws_context_destroy(context);               /* service_loop is still in lws_service() */
pthread_join(thread, NULL);
```

## Write instead

```c
stop = 1;
lws_cancel_service(context);                /* wake it, so that it sees the flag */
pthread_join(thread, NULL);
lws_context_destroy(context);
```

## Known limits

A wait that is neither a join nor a loop that sleeps until a flag changes is not recognised as one.

## References

lib/core/context.c:2232@v5.0.0 (destroy is only deferred when it is called on the service thread itself);
warmcat/libwebsockets issues 2593, 2168, 1473, 3398.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact
from lwslint.facts import Call, Name, walk
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model.chains import chain, clearest, confidence, thread_of, title
from lwslint.model.entries import Role
from lwslint.model.names import callee_name, last_component, names_in
from lwslint.model.order import Phase
from lwslint.model.project import Located, Project
from lwslint.model.symbols import Definition
from lwslint.model.threads import OffThread
from lwslint.rule import Rule

rule = Rule(code="LWS104", name="destroy-while-serviced", family="threads", impact=Impact.CRASH)

HELP = (
    "set the stop flag, call lws_cancel_service(context) so that the loop sees it, join the service "
    "thread, and destroy the context after that (or let the service thread destroy it after its loop)"
)

# The second half of a destroy, called right after it where it is called at all (2.x).
FOLLOW_UP = frozenset(["lws_context_destroy2"])
REFERENCE = re.compile(r"(?i)ref_?c(?:oun)?t|dec_and_test|unref|use_count|refs?$")
STOPS = re.compile(r"(?i)stop|shut|terminat|wait|join|quit|exit|finish|end")
WAITS = re.compile(r"(?i)wait|join")


def check(project: Project) -> Iterator[Diagnostic]:
    destroying = api.functions_in(Category.DESTROY_CONTEXT) | api.functions_in(Category.DESTROY_VHOST)
    for name in sorted(destroying - FOLLOW_UP):
        for located in project.calls_to(name):
            found = tuple(f for f in project.threads.off_thread(*located) if convincing(project, located, f))
            if not found:
                continue
            best = clearest(found)
            root = best.service.entry.definition
            yield rule.report(
                located.place,
                f"the program hangs at its end, or crashes: {name}() runs on {thread_of(best.route)}, and "
                f"{title(root)}, which services it, has not been joined",
                confidence=min(confidence(project.threads, best), Confidence.HIGH),
                help=HELP,
                related=chain(project.threads, best),
                function=located.definition.qualified,
            )


def convincing(project: Project, located: Located, found: OffThread) -> bool:
    """Where nothing tells the order, the report needs a service thread that nobody ever joins."""
    if found.service.entry.role is not Role.THREAD:
        return found.route.entry.role is Role.THREAD
    if drops_last_reference(project, located, found) or outlives(project, found):
        return False
    if found.route.phase is Phase.RUNNING:
        return True
    return not project.threads.order.joins_of(found.service.entry.definition)


def drops_last_reference(project: Project, located: Located, found: OffThread) -> bool:
    """Whether the destroy runs when a reference count reaches zero, or after a wait for the thread's end:
    then the service thread's own reference, or its last word, comes first."""
    levels = [located, *(Located(edge.caller, edge.site) for edge in reversed(found.route.edges))]
    for level in levels:
        for guard in level.site.guards:
            if guard.test is not None and any(REFERENCE.search(name) for name in names_in(guard.test)):
                return True
        for edge in project.flow.calls.get(level.definition.id, ()):
            before = edge.site.node.span.start < level.site.node.span.start
            if before and STOPS.search(edge.callee.name) and waits(edge.callee):
                return True
    return False


def outlives(project: Project, found: OffThread) -> bool:
    """Whether the object whose destructor destroys is kept by the closure that the service thread runs."""
    destructor, closure = found.route.entry.definition, found.service.entry.definition
    if destructor.function.kind != "destructor" or closure.function.kind != "lambda":
        return False
    held = re.compile(rf"\bshared_ptr<.*\b{re.escape(last_component(destructor.function.owner))}>")
    calls = [site.node for site in closure.body.calls if isinstance(site.node, Call)]
    return any(
        isinstance(node, Name) and held.search(project.symbols.type_of(node, closure))
        for call in calls
        for node in walk(call)
    )


def waits(definition: Definition) -> bool:
    """Whether a function waits for a condition or a join."""
    calls = (site.node for site in definition.body.calls)
    return any(WAITS.search(callee_name(call)) for call in calls if isinstance(call, Call))
