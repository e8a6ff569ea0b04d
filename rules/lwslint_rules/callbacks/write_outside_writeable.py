"""A message is written when nobody has said that the connection can take it.

## What it reports

Calls of `lws_write()` that send a WebSocket or raw message for another reason than the `..._WRITEABLE` ones:
in `LWS_CALLBACK_RECEIVE`, when another connection's event arrives, on a timer. A helper function is followed
to the cases that call it. What is written for `..._ESTABLISHED` is a note, as nothing was sent before it, and
so is what is written with `LWS_WRITE_RAW`, which may be a datagram.

Not reported: HTTP headers and bodies; `LWS_WRITE_BUFLIST`, which asks for what happens; code that asks
`lws_send_pipe_choked()`.

## What happens at run time

`lws_write()` does not wait. What the socket does not take at once libwebsockets copies and keeps; with a slow
peer each further message is added, so memory grows without a limit, and nothing tells the program to stop.
Releases before 3.1 kept one partial message only: a second one was sent into the middle of it, and the
connection broke ("Illegal back-to-back write").

## Example

```c
case LWS_CALLBACK_RECEIVE:
        lws_write(wsi, message + LWS_PRE, length, LWS_WRITE_TEXT);
        break;
```

## Write instead

```c
case LWS_CALLBACK_RECEIVE:
        waiting = 1;
        lws_callback_on_writable(wsi);
        break;

case LWS_CALLBACK_SERVER_WRITEABLE:
        if (waiting && lws_write(wsi, message + LWS_PRE, length, LWS_WRITE_TEXT) < 0)
                return -1;
        waiting = 0;
        break;
```

## Known limits

A call whose reasons cannot be told (a table of handlers, a function that applications call) is not reported.

## References

- include/libwebsockets/lws-write.h:126-134@v5.0.0: when it may be called
- READMEs/README.coding.md:60-80@v5.0.0: one write for each WRITEABLE
- warmcat/libwebsockets issues 852, 1180, 1807, 2891, 3242
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.model.chains import title
from lwslint.model.messages import WRITING, Sent, asks_first, sent
from lwslint.model.occasions import PREFIX, Occasion, occasions
from lwslint.model.project import Located, Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS304",
    name="write-outside-writeable",
    family="callbacks",
    impact=Impact.CONNECTION,
    severity=Severity.WARNING,
)

# The first thing that is sent on a connection finds all buffers empty.
_FIRST = frozenset(
    f"{PREFIX}{name}" for name in ("ESTABLISHED", "CLIENT_ESTABLISHED", "RAW_ADOPT", "RAW_CONNECTED")
)


def check(project: Project) -> Iterator[Diagnostic]:
    for name in WRITING:
        for located in project.calls_to(name):
            how = sent(project, located)
            if how in (Sent.MESSAGE, Sent.RAW) and not asks_first(located):
                yield from _judge(project, located, name, raw=how is Sent.RAW)


def _judge(project: Project, located: Located, name: str, *, raw: bool) -> Iterator[Diagnostic]:
    outside = [o for o in occasions(project, *located) if all(_is_outside(r) for r in o.reasons)]
    if not outside:
        return
    worst = min(outside, key=lambda o: (all(r in _FIRST for r in o.reasons), len(o.edges)))
    first = all(reason in _FIRST for reason in worst.reasons)
    reasons = ", ".join(dict.fromkeys(worst.reasons))
    yield rule.report(
        located.place,
        "what the socket does not take at once piles up in memory, and breaks the connection before lws 3.1: "
        f"{name}() runs for {reasons}, when nobody has said that the connection can take more",
        severity=Severity.NOTE if first or raw else Severity.WARNING,
        help="keep the message in a queue, call lws_callback_on_writable(wsi), and write it for the"
        " ..._WRITEABLE reason that this brings, one message each time",
        related=_steps(worst),
        function=located.definition.qualified,
    )


def _steps(occasion: Occasion) -> list[Step]:
    reasons = ", ".join(occasion.reasons)
    steps = []
    for edge in occasion.edges:
        text = f"{title(edge.caller)} calls {title(edge.callee)}"
        if edge.caller is occasion.callback:
            text += f" for {reasons}"
        steps.append(Step(edge.caller.place(edge.site.node.span), text))
    return steps


def _is_outside(reason: str) -> bool:
    """HTTP has its own rules: headers and short bodies may be written where the request arrives."""
    return not any(part in reason for part in ("WRITEABLE", "HTTP", "HEADER", "CGI"))
