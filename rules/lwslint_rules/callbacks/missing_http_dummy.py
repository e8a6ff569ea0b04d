"""Events that `lws_callback_http_dummy` must see end in another return.

## What it reports

A function in the callback slot of `protocols[0]`, or of the protocol that an `LWSMPRO_CALLBACK` mount
names, that neither deals with an HTTP event itself nor returns what `lws_callback_http_dummy` says to it.
Functions that the callback hands `reason` on to are looked into.

- **error** when the vhost listens and `LWS_CALLBACK_HTTP` is lost;
- **warning** when the callback answers `LWS_CALLBACK_HTTP` itself, but loses an event that its own way of
  answering needs (it serves files and loses `LWS_CALLBACK_HTTP_FILE_COMPLETION`, say);
- **note** for a client (the dummy does nothing for a client that is no proxy), for events that the
  callback has no use for, and for the API before libwebsockets 2.1, which has no
  `lws_callback_http_dummy`.

A protocol at index 1 or higher that is not mounted never gets these events and is never reported. Neither
is a callback that returns non-zero for `LWS_CALLBACK_HTTP`: that closes the connection, so nothing hangs.

In Python: a ctypes or cffi callback in the first row of a table of protocols that never calls
`lws_callback_http_dummy` (warning).

## What happens at run time

libwebsockets takes 0 for "dealt with" and waits for the callback to answer. A plain GET to such a server
is never answered, not even with 404: the client waits until its own timeout. After one file the
next request on the same keep-alive connection gets its headers and no body, until lws or the client gives
up (before 5.0.0). WebSocket clients of the same server notice nothing.

Seen with 4.1.6: no byte for the GET, and 404 at once with the dummy; the second file's body never comes, and
lws closes the connection after five seconds.

## Example

```c
static int callback_http(struct lws *wsi, enum lws_callback_reasons reason,
                         void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return receive(user, in, len);
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    { "chat", callback_http, sizeof(struct session), 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 }
};
```

## Write instead

```c
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
```

or give HTTP a row of its own, at index 0: `{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 }`.

## Fix

Safe: requests that hung get 404 (a file's connection goes on), and what the dummy does not know gets 0 as
before. The `return 0;` where the events are lost becomes the call, with the callback's own parameters;
unnamed ones get a name. Where an event that a case of its own has dealt with ends there as well, the call
goes to the `default:`. There is none for a callback of another shape, for another value than 0, nor
where the body of an HTTP client's answer would reach the dummy.

## Known limits

Whether a vhost listens is read off `info.port` where the creation info can be found, else guessed from
the reasons that the table's callbacks handle. Dispatch through a table of handlers is not followed: then
nothing is reported. The events of CGI and proxy mounts are not counted.

## References

include/libwebsockets/lws-callbacks.h:33-34@v5.0.0 (0 means "OK"),
lib/core-net/dummy-callback.c:309-352@v5.0.0, READMEs/README.coding.md@v5.0.0;
`lws_callback_http_dummy` exists since 2.1.0.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Parameter, Place
from lwslint.knowledge import api as knowledge
from lwslint.model.callbacks import WRITING, Callback, Callbacks, Verdict
from lwslint.model.project import Project
from lwslint.model.releases import may_lack
from lwslint.remedies import Remedy
from lwslint.rule import Rule
from lwslint.settings import Version
from lwslint_rules.callbacks._python import loses_http_events
from lwslint_rules.callbacks._ways_out import to_dummy

rule = Rule(
    code="LWS301",
    name="missing-http-dummy",
    family="callbacks",
    impact=Impact.CONNECTION,
    languages=("c", "cpp", "python"),
)

FIRST = Version(2, 1)
"""The release that brought lws_callback_http_dummy."""

HTTP = "LWS_CALLBACK_HTTP"
BODY_COMPLETION = "LWS_CALLBACK_HTTP_BODY_COMPLETION"
BODY = "LWS_CALLBACK_HTTP_BODY"
FILE_COMPLETION = "LWS_CALLBACK_HTTP_FILE_COMPLETION"
WRITEABLE = "LWS_CALLBACK_HTTP_WRITEABLE"
_SERVER_BUILDS = ("", "defined(LWS_WITH_SERVER)", "!defined(LWS_NO_SERVER)")
_SERVING = frozenset({"lws_serve_http_file", "libwebsockets_serve_http_file"})
_NO_CONNECTION = frozenset(
    f"LWS_CALLBACK_{name}"
    for name in (
        "PROTOCOL_INIT",
        "PROTOCOL_DESTROY",
        "TIMER",
        "USER",
        "EVENT_WAIT_CANCELLED",
        "GET_THREAD_ID",
    )
)
_MAX_STEPS = 8


def check(project: Project) -> Iterator[Diagnostic]:
    callbacks = project.callbacks
    reported: set[Place] = set()
    for callback in callbacks.all:
        if not (callback.first or callback.mounted):
            continue
        if only_raw(callback):
            continue
        lost = lost_events(callbacks, callback, project.settings.lws_version)
        subject = callbacks.subject(callback.definition)
        place = subject.place()
        if not lost or place in reported:
            continue
        reported.add(place)
        if (project.settings.lws_version or FIRST) < FIRST:
            callback = msgspec.structs.replace(callback, legacy=True)
        severity, shown = weigh(callbacks, callback, lost)
        yield rule.report(
            place,
            message(callback, subject.name, severity, shown),
            severity=severity,
            confidence=confidence(callback, lost),
            help=help_text(callback, subject.function.parameters),
            related=steps(callback, shown),
            function=subject.qualified,
            remedy=remedy(project, callback, lost),
        )
    yield from loses_http_events(project, rule)


def only_raw(callback: Callback) -> bool:
    """Whether a vhost that does not listen gives the callback nothing but raw sockets and files."""
    connected = [r for r in callback.reasons if r not in _NO_CONNECTION]
    raw = bool(connected) and all(r.startswith("LWS_CALLBACK_RAW_") for r in connected)
    return raw and callback.role != "server"


def lost_events(callbacks: Callbacks, callback: Callback, version: Version | None) -> dict[str, Verdict]:
    """The events that every server gets and that end in a return of the callback's own, HTTP first."""
    names = [h.reason for h in knowledge.http_dummy(version) if h.condition in _SERVER_BUILDS]
    if not names:
        # Before 2.1 a callback had to answer by itself.
        names = [HTTP]
    names = [name for name in names if name != "LWS_CALLBACK_SSL_INFO"]
    verdicts = {name: callbacks.verdict(callback.definition, name) for name in sorted(names)}
    return {name: verdict for name, verdict in verdicts.items() if verdict.kind == "lost"}


def weigh(
    callbacks: Callbacks, callback: Callback, lost: dict[str, Verdict]
) -> tuple[Severity, dict[str, Verdict]]:
    """How bad it is, and which of the lost events make it so."""
    if callback.legacy or not (callback.mounted or callback.role == "server"):
        return Severity.NOTE, lost
    if HTTP in lost:
        if not lost[HTTP].sure:
            return Severity.NOTE, lost
        return (Severity.WARNING if takes_posts(callback) else Severity.ERROR), lost
    needed = {name: verdict for name, verdict in lost.items() if needs(callbacks, callback, name)}
    return (Severity.WARNING, needed) if needed else (Severity.NOTE, lost)


def takes_posts(callback: Callback) -> bool:
    """Whether this is a mount's POST handler: 0 for the request is right there when a body follows."""
    return callback.mounted and not callback.first and BODY in callback.reasons


def needs(callbacks: Callbacks, callback: Callback, reason: str) -> bool:
    """Whether the way in which the callback answers requests depends on this event."""
    if callbacks.verdict(callback.definition, HTTP).kind == "closes":
        return False
    if reason == FILE_COMPLETION:
        return any(v.mounts for v in callback.vhosts) or callbacks.reaches(callback.definition, _SERVING)
    if reason == BODY_COMPLETION:
        return BODY in callback.reasons
    if reason == WRITEABLE:
        return bool(callbacks.verdict(callback.definition, HTTP).calls & WRITING)
    return False


def confidence(callback: Callback, lost: dict[str, Verdict]) -> Confidence:
    if not all(verdict.sure for verdict in lost.values()):
        return Confidence.LOW
    return Confidence.HIGH if callback.role_known or callback.mounted else Confidence.MEDIUM


def message(callback: Callback, name: str, severity: Severity, lost: dict[str, Verdict]) -> str:
    listed = ", ".join(lost)
    first = next(iter(lost))
    where = "protocols[0]" if callback.first else "the protocol of a callback mount"
    if callback.legacy:
        effect = "a plain HTTP request would hang"
        if callback.role == "client":
            effect = "harmless in a client, a hang in a server"
        elif HTTP not in lost:
            effect = "nothing hangs as long as requests are answered the way they are now"
        return (
            f"{effect}: {name}() is {where} and ends with 0 for {listed}; this API has no "
            "lws_callback_http_dummy() yet (2.1)"
        )
    if callback.mounted or callback.role == "server":
        if severity is Severity.NOTE and HTTP not in lost:
            return (
                f"nothing hangs as long as {name}() answers requests the way it does now, but {listed} "
                "end in its own return, not in lws_callback_http_dummy()"
            )
        what = knowledge_of(first)
        if takes_posts(callback):
            what = "a GET to the mount is never answered, only a POST is"
        if callback.first:
            where += " of a vhost that listens"
        return f"{what}: {name}() is {where}, and ends with 0 for {listed}"
    if callback.http_client:
        return (
            f"harmless while this vhost only makes requests, a hang once it listens: {name}() is"
            f" {where} of a "
            f"vhost that makes HTTP requests, and ends with 0 for {listed}"
        )
    kind = "a client that speaks only WebSocket" if callback.role == "client" else "a vhost of unknown kind"
    return (
        f"harmless while nothing but WebSocket clients use this vhost, a hang once it listens: {name}() is "
        f"{where} of {kind}, and ends with 0 for {listed}"
    )


def knowledge_of(reason: str) -> str:
    """What is lost at run time with ``reason``."""
    for handled in knowledge.http_dummy():
        if handled.reason == reason and handled.lost:
            return handled.lost
    return "the event is lost"


def help_text(callback: Callback, parameters: tuple[Parameter, ...]) -> str:
    """The line to write, with the callback's own parameter names."""
    if callback.legacy:
        return (
            f"answer {HTTP} (libwebsockets_return_http_status() and a return of -1 will do), or move to 2.1 "
            "or later and lws_callback_http_dummy()"
        )
    if takes_posts(callback):
        return (
            f"in a case for {HTTP} return 0 when a body follows (lws_hdr_total_length(wsi, "
            "WSI_TOKEN_POST_URI)), and what lws_callback_http_dummy() returns for anything else"
        )
    names = [parameter.name for parameter in parameters]
    if len(names) != 5 or not all(names):
        names = ["wsi", "reason", "user", "in", "len"]
    return (
        f"end the callback with `return lws_callback_http_dummy({', '.join(names)});`, or put "
        '`{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 }` first in the table'
    )


def remedy(project: Project, callback: Callback, lost: dict[str, Verdict]) -> Remedy | None:
    """Not for the POST handler of a mount, whose 0 may be right, nor for an API without the dummy."""
    if callback.legacy or takes_posts(callback) or may_lack(project, FIRST):
        return None
    return to_dummy(project.callbacks, callback, lost)


def steps(callback: Callback, lost: dict[str, Verdict]) -> Iterator[Step]:
    row = next((row for row in callback.rows if row.slot in (0, None)), callback.rows[0])
    slot = "in a protocol table" if row.slot is None else f"as protocols[{row.slot}]"
    yield Step(row.place, f"registered here {slot}")
    if callback.vhosts:
        vhost = callback.vhosts[0]
        yield Step(vhost.place, "this context or vhost uses the table")
        if vhost.port is not None and vhost.listens is not None:
            yield Step(vhost.port, "and listens" if vhost.listens else "and does not listen")
    ends: dict[Place, list[str]] = {}
    for reason, verdict in lost.items():
        for place in verdict.returns:
            ends.setdefault(place, []).append(reason)
    for place in sorted(ends)[:_MAX_STEPS]:
        yield Step(place, f"ends here for {', '.join(ends[place])}")
