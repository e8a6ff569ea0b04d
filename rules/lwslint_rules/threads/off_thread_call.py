"""A libwebsockets function is called on a thread that does not service its context.

## What it reports

A call of a function that belongs to the service thread (`lws_write`, `lws_callback_on_writable`,
`lws_client_connect_via_info`, `lws_set_timeout`, `lws_sul_schedule`, …) on another thread: one that the
program starts, `main` after it has started the service thread, or a public function of a library that
starts a service thread of its own. The report shows the whole chain, from the place where the thread
starts, through each call, to the place where the context is serviced.

Set-up before the service thread starts and tear-down after it was joined are not reported. Neither is
code that runs in an lws callback or timer: it is on the service thread already. Only
`lws_cancel_service()` may be called from anywhere.

A callback that walks a process-wide list of connections is reported where several service threads run,
each with a context of its own: the `wsi` it takes from the list may belong to another thread.

In Python: the same functions through ctypes or cffi, on a thread that does not call `lws_service()`. The
GIL is released in every call, so it protects nothing. Objects of Python's own event loops are LWS109's
matter.

## What happens at run time

lws takes no locks around a connection. The other thread changes the poll table, the timer list or the
send queue while the service thread uses them: crashes in `_lws_change_pollfd()` or `lws_dll2_remove()`,
frames that overtake each other, a `wsi` freed in the middle of a write. `lws_callback_on_writable()`
often just seems late. Where the library is built with support for event libraries, as distributions build
it, nothing wakes a sleeping `poll()`: the request is noticed when something else does, seconds later or
never. Builds without event libraries wake it, and race all the same.

Seen with Debian's 4.1.6: no WRITEABLE until the server happens to send something; with a queue and
`lws_cancel_service()` at once. valgrind's helgrind shows the races in `lws_callback_on_writable()` and
`lws_write()`.

The manual of releases 3.0 to 4.3.0 allowed `lws_callback_on_writable()` from one other thread under
conditions; the sentence was withdrawn in 4.3.1 (commit 00e24e11e), so it is a warning, not an error.

## Example

```c
static void *producer(void *arg)
{
    struct session *s = arg;

    for (;;) {
        fill(s);
        lws_callback_on_writable(s->wsi);   /* not the service thread */
    }
    return NULL;
}
```

## Write instead

```c
static void *producer(void *arg)
{
    struct session *s = arg;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        queue_push(&s->queue, fill(s));
        pthread_mutex_unlock(&s->lock);
        lws_cancel_service(s->context);     /* wakes the service thread */
    }
    return NULL;
}

/* in the callback, on the service thread */
case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
    lws_callback_on_writable(s->wsi);
    break;
```

## Known limits

Calls through a queue of closures are not followed unless the queue is part of the project, calls through a
field that holds more than two functions (an interface with several implementations) not at all. A public
function without a caller in the project is assumed to be called while the service thread runs.

## References

READMEs/README.coding.md:186-196@v5.0.0, include/libwebsockets/lws-service.h:87@v5.0.0,
lib/core-net/service.c:40@v5.0.0; warmcat/libwebsockets issues 3200, 2684, 2669, 1586, 3398.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.facts import Call
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model import apis
from lwslint.model.chains import chain, clearest, confidence, thread_of
from lwslint.model.entries import Role
from lwslint.model.exposure import of_platform
from lwslint.model.names import callee_name
from lwslint.model.project import Located, Project
from lwslint.model.shared_lists import shared_list_uses
from lwslint.model.threads import OffThread
from lwslint.rule import Rule
from lwslint_rules.threads._python import native_calls

rule = Rule(
    code="LWS101",
    name="off-thread-call",
    family="threads",
    impact=Impact.CRASH,
    languages=("c", "cpp", "python"),
)

EFFECTS = {
    Category.WRITE: "frames get mixed up, or the connection is freed in the middle of the write",
    Category.CANCEL: "the connection may be freed at that very moment",
    Category.ON_WRITABLE: "WRITEABLE comes late or never, and the poll table may be corrupted",
    Category.CONNECT: "the service thread may crash on the lists that the new connection is linked into",
    Category.CLOSE: "the connection may be freed in the middle of the call",
    Category.TIMER: "the service thread may crash on its timer list",
}
GENERAL = "what the service thread is using changes under it, without a lock"
DEMONSTRATION = re.compile(r"(?i)illegal|unsafe|wrong|broken")
# May be called from any thread by its documentation, but takes a connection that may be gone
# (lws-callbacks.h:813@v5.0.0).
TAKES_WSI = ("lws_cancel_service_pt",)
WARNED = frozenset([Category.ON_WRITABLE, Category.CANCEL])
# Reported by LWS102 and LWS104, or never wrong on any thread.
ELSEWHERE = frozenset(
    [Category.CREATE_CONTEXT, Category.DESTROY_CONTEXT, Category.DESTROY_VHOST, Category.INTERNAL]
)
HELP = (
    "put the data into a queue of your own under a mutex and call lws_cancel_service(context), the only "
    "call that is safe here; when LWS_CALLBACK_EVENT_WAIT_CANCELLED arrives on the service thread, call "
    "lws_callback_on_writable(wsi), and write in the WRITEABLE callback"
)
WINDOW = (
    "; the manual of libwebsockets 3.0 to 4.3.0 allowed lws_callback_on_writable() from one other thread, "
    "later releases do not"
)


def check(project: Project) -> Iterator[Diagnostic]:
    for name in (*apis.service_thread_calls(), *TAKES_WSI):
        category = api.category(name)
        if category in ELSEWHERE:
            continue
        for located in project.calls_to(name):
            if callee_name_is_own(project, located):
                continue
            found = project.threads.off_thread(*located)
            found = tuple(f for f in found if not project.threads.is_creators(f, category))
            if name in TAKES_WSI:
                found = tuple(f for f in found if f.route.entry.role in (Role.THREAD, Role.MAIN))
            if found:
                yield report(project, located, name, clearest(found))
    for use in shared_list_uses(project):
        yield rule.report(
            use.located.place,
            f"a connection of another thread's context may be touched: {use.name}() takes it from "
            f"{use.list}, a list that service threads with a context each share",
            severity=Severity.WARNING if api.category(use.name) in WARNED else Severity.ERROR,
            confidence=use.confidence,
            help="keep one list for each context (in the per-vhost data, say), or skip entries whose context "
            "is not lws_get_context(wsi) of this callback",
            related=use.steps,
            function=use.located.definition.qualified,
        )
    yield from native_calls(project, rule)


def callee_name_is_own(project: Project, located: Located) -> bool:
    """Whether the name is a function of the project's own that merely looks like one of lws."""
    call = located.site.node
    assert isinstance(call, Call)
    return bool(project.symbols.call_target(call, located.definition).definitions) or "::" in callee_name(
        call
    )


def report(project: Project, located: Located, name: str, found: OffThread) -> Diagnostic:
    category = api.category(name)
    severity = Severity.WARNING if category in WARNED else Severity.ERROR
    if shown_as_wrong(project, located):
        severity = Severity.NOTE
    build = "".join(f"; only in a build with {text}" for text in own_conditions(project, located)[-1:])
    return rule.report(
        located.place,
        f"{EFFECTS.get(category, GENERAL)}: {name}() runs on {thread_of(found.route)}, not on the service "
        f"thread{build}",
        severity=severity,
        confidence=confidence(project.threads, found),
        help=HELP + (WINDOW if category is Category.ON_WRITABLE else ""),
        related=chain(project.threads, found),
        function=located.definition.qualified,
    )


def own_conditions(project: Project, located: Located) -> list[str]:
    """The build options of the program's own that decide inside the function whether the call is there."""
    conditions = project.conditions_at(located.place.path, located.site.node.span)
    body = located.definition.function.span
    return [
        c.text
        for c in conditions
        if c.truth is None and c.span.start > body.start and not all(map(of_platform, c.names))
    ]


def shown_as_wrong(project: Project, located: Located) -> bool:
    """Whether only a build option that calls itself wrong compiles the call (a demonstration, say)."""
    conditions = project.conditions_at(located.place.path, located.site.node.span)
    return any(c.truth is None and any(DEMONSTRATION.search(n) for n in c.names) for c in conditions)
