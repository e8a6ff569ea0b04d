"""An HTTP client that does not read the answer's body, or leaves it to `lws_callback_http_dummy`.

## What it reports

A callback that handles an HTTP client's events, beside code that asks for an HTTP method
(`lws_client_connect_info.method`), when

- `LWS_CALLBACK_RECEIVE_CLIENT_HTTP` or `LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ` reaches
  `lws_callback_http_dummy`, because their case ends in `break` or is missing;
- `LWS_CALLBACK_RECEIVE_CLIENT_HTTP` ends without `lws_http_client_read()`.

## What happens at run time

The header says of `LWS_CALLBACK_RECEIVE_CLIENT_HTTP` that it must be handled and the body read: until
then the socket stays readable, and the service loop spins at full CPU load without any progress
(seen with 4.1.6: thousands of events a second, and no byte of the body).

`lws_callback_http_dummy` does not read it. In a library built with `LWS_WITH_HTTP_PROXY` it goes further
and takes every such event for a proxied answer: it asserts that the connection has a parent, or writes to
the parent that is not there. The same program works with one build of the library and crashes with another.

## Example

```c
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: {
        char buffer[1024 + LWS_PRE], *at = buffer + LWS_PRE;
        int room = sizeof(buffer) - LWS_PRE;

        if (lws_http_client_read(wsi, &at, &room) < 0)
            return -1;
        break; /* goes on to lws_callback_http_dummy() */
    }
    }
    return lws_callback_http_dummy(wsi, reason, user, in, len);
```

## Write instead

```c
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return take(user, in, len); /* 0: go on */

    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: {
        char buffer[1024 + LWS_PRE], *at = buffer + LWS_PRE;
        int room = sizeof(buffer) - LWS_PRE;

        if (lws_http_client_read(wsi, &at, &room) < 0)
            return -1;
        return 0; /* not for lws_callback_http_dummy() */
    }
```

## Fix

Safe: `return 0;` in place of the `break` in the cases for these reasons. A client that does not read the body
has to be written, not fixed.

## Known limits

A proxy that means to hand these events to `lws_callback_http_dummy` sets `parent_wsi`, or asks for it with
`lws_get_parent()` where a mount makes the onward connection; neither is reported. Reading in a function
that is reached only through a pointer is not seen: then nothing is reported either.

## References

include/libwebsockets/lws-callbacks.h:363-380@v5.0.0, lib/core-net/dummy-callback.c:499-540@v5.0.0,
lib/context.c:376-391@v2.4.2, minimal-http-client.c:216,231@v5.0.0 ("don't passthru").
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.model.callbacks import READING, Callback, Callbacks
from lwslint.model.project import Project
from lwslint.rule import Rule
from lwslint_rules.callbacks._ways_out import away_from_dummy

rule = Rule(
    code="LWS302",
    name="http-client-falls-through",
    family="callbacks",
    impact=Impact.CONNECTION,
    severity=Severity.WARNING,
)

RECEIVE = "LWS_CALLBACK_RECEIVE_CLIENT_HTTP"
READ = "LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ"
_PARENT = frozenset({"lws_get_parent"})
COMPLETED = "LWS_CALLBACK_COMPLETED_CLIENT_HTTP"
ESTABLISHED = "LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP"


def check(project: Project) -> Iterator[Diagnostic]:
    callbacks = project.callbacks
    reported: set[Place] = set()
    for callback in callbacks.all:
        if not callback.http_client or callback.legacy or is_proxy(project, callback):
            continue
        if not expects_a_body(callbacks, callback):
            continue
        subject = callbacks.subject(callback.definition)
        place = subject.place()
        if place in reported:
            continue
        fallen = [reason for reason in (RECEIVE, READ) if falls_through(callbacks, callback, reason)]
        unread = reads_nothing(callbacks, callback)
        if not fallen and not unread:
            continue
        reported.add(place)
        if unread:
            text = (
                f"the service loop spins without progress as soon as an answer has a body: nothing reads it "
                f"when {subject.name}() gets {RECEIVE}"
            )
        else:
            text = (
                f"a library built with LWS_WITH_HTTP_PROXY asserts or crashes here: {subject.name}() hands "
                f"{' and '.join(fallen)} on to lws_callback_http_dummy(), which takes it for a proxied answer"
            )
        yield rule.report(
            place,
            text,
            confidence=Confidence.HIGH if not unread else Confidence.MEDIUM,
            help=f"call lws_http_client_read() in the case for {RECEIVE}; return 0 from it and from {READ}",
            related=list(steps(callbacks, callback, fallen)),
            function=subject.qualified,
            remedy=None if unread else away_from_dummy(callbacks, callback, fallen),
        )


def is_proxy(project: Project, callback: Callback) -> bool:
    """Whether the callback's own file makes client connections on behalf of a parent, or lws does so for a
    mount, and the callback asks for the parent."""
    if project.callbacks.reaches(callback.definition, _PARENT):
        return True
    return any(w.definition.path == callback.definition.path for w in project.writes_to("parent_wsi"))


def falls_through(callbacks: Callbacks, callback: Callback, reason: str) -> bool:
    return callbacks.verdict(callback.definition, reason).kind == "dummy"


def reads_nothing(callbacks: Callbacks, callback: Callback) -> bool:
    """Whether the event ends, in the callback's own code, without a read anywhere in its reach."""
    verdict = callbacks.verdict(callback.definition, RECEIVE)
    if verdict.kind not in ("lost", "dummy") or verdict.calls & READING:
        return False
    return not callbacks.reaches(callback.definition, READING)


def expects_a_body(callbacks: Callbacks, callback: Callback) -> bool:
    """Whether the program wants more than the status: one that closes when it has that never gets
    as far as the body."""
    if any(reason in callback.reasons for reason in (RECEIVE, READ, COMPLETED)):
        return True
    parameter = callbacks.parameter(callback.definition)
    if parameter is None:
        return False
    outcomes = callbacks.outcomes(callback.definition, parameter, ESTABLISHED)
    return not any(outcome.matched and callbacks.closes(callback.definition, outcome) for outcome in outcomes)


def steps(callbacks: Callbacks, callback: Callback, fallen: list[str]) -> Iterator[Step]:
    row = callback.rows[0]
    yield Step(row.place, "registered here")
    parameter = callbacks.parameter(callback.definition)
    if parameter is None:
        return
    ends: dict[Place, list[str]] = {}
    for reason in fallen:
        for outcome in callbacks.outcomes(callback.definition, parameter, reason):
            if any(callbacks.is_dummy(made.call) for made in outcome.made):
                ends.setdefault(callback.definition.place(outcome.span), []).append(reason)
    for place, reasons in sorted(ends.items()):
        yield Step(place, f"{' and '.join(reasons)} reach lws_callback_http_dummy() here")
