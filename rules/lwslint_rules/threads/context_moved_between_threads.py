"""A context is set up on one thread while another thread already services it.

## What it reports

The thread that created the context and started its service thread goes on to set it up: it adds a vhost,
starts a client connection, or schedules a timer after the service thread runs.

Doing all of that before the service thread starts is fine, and is not reported. Other calls of that
thread (writes, closing) are LWS101.

## What happens at run time

When the service thread is already asleep in `poll()`, a library that is built with support for event
libraries, as distributions build it, does not tell it of the new socket: the connection hangs before its
handshake, with neither an event nor an error, until something else wakes the loop. Whether the thread is
asleep by then changes from start to start.

A build without event libraries wakes it, so it works most of the time there. On one start in many the new
connection is linked into the lists while the service thread walks them, and it hangs, or the program
crashes.

Seen with Debian's 4.1.6: the hang, and by valgrind's helgrind the race in `lws_client_connect_via_info()`.

## Example

```c
context = lws_create_context(&info);
pthread_create(&thread, NULL, service_loop, context);
lws_client_connect_via_info(&i);            /* service_loop is already running */
```

## Write instead

```c
context = lws_create_context(&info);
lws_client_connect_via_info(&i);            /* nobody services the context yet */
pthread_create(&thread, NULL, service_loop, context);
```

Later connections are made on the service thread: from `LWS_CALLBACK_EVENT_WAIT_CANCELLED` after
`lws_cancel_service()`, or from an `lws_sul` timer.

## Known limits

Only calls in the functions that start the thread, or that those call, are told apart from LWS101.

## References

READMEs/README.coding.md:186-196@v5.0.0; lib/core-net/client/connect.c:171-172@v5.0.0 (assertion in
builds with LWS_MAX_SMP > 1).
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.knowledge import api
from lwslint.model import apis
from lwslint.model.chains import chain, clearest, confidence, thread_of
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS103",
    name="context-moved-between-threads",
    family="threads",
    impact=Impact.CRASH,
    severity=Severity.WARNING,
)

HELP = (
    "do it before the service thread starts; later, do it on the service thread: call "
    "lws_cancel_service(context) and act in LWS_CALLBACK_EVENT_WAIT_CANCELLED, or in an lws_sul timer"
)


def check(project: Project) -> Iterator[Diagnostic]:
    for name in apis.service_thread_calls():
        category = api.category(name)
        for located in project.calls_to(name):
            found = project.threads.off_thread(*located)
            found = tuple(f for f in found if project.threads.is_creators(f, category))
            if not found:
                continue
            best = clearest(found)
            yield rule.report(
                located.place,
                f"a hang or a crash on one start in many: {name}() sets the context up on "
                f"{thread_of(best.route)} while the service thread already runs",
                confidence=confidence(project.threads, best),
                help=HELP,
                related=chain(project.threads, best),
                function=located.definition.qualified,
            )
