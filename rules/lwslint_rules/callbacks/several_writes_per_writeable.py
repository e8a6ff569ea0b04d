"""A loop sends one message after the other, when the connection can take one.

## What it reports

Calls of `lws_write()` that send WebSocket messages in a loop while a `..._WRITEABLE` reason is dealt with, in
the callback itself or in a function that it calls in a loop.

Not reported: loops that stop after the write, or that ask `lws_send_pipe_choked()`; `LWS_WRITE_BUFLIST`.

## What happens at run time

`..._WRITEABLE` says that the socket takes something now, once. What the first message leaves no room for
libwebsockets copies and keeps, so a queue that is emptied in one go to a slow peer lies in memory a second
time, and the program cannot see that it should send less. Releases before 3.1 kept one partial message only:
the next one was sent into the middle of it, and the connection broke.

## Example

```c
case LWS_CALLBACK_SERVER_WRITEABLE:
        while (waiting) {
                if (lws_write(wsi, message + LWS_PRE, length, LWS_WRITE_TEXT) < 0)
                        return -1;
                waiting--;
        }
        break;
```

## Write instead

```c
case LWS_CALLBACK_SERVER_WRITEABLE:
        if (!waiting)
                break;
        if (lws_write(wsi, message + LWS_PRE, length, LWS_WRITE_TEXT) < 0)
                return -1;
        if (--waiting)
                lws_callback_on_writable(wsi);
        break;
```

## Known limits

Several calls in a row, without a loop, are not reported: a header and its body belong together.

## References

- READMEs/README.coding.md:60-80@v5.0.0: one write for each WRITEABLE
- include/libwebsockets/lws-write.h:126-134@v5.0.0
- warmcat/libwebsockets issues 852, 1180, 1807, 2891
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Jump, Loop, Place, Return, Statement
from lwslint.model.messages import WRITING, Sent, asks_first, sent
from lwslint.model.names import statements
from lwslint.model.occasions import Occasion, occasions
from lwslint.model.project import Located, Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS305",
    name="several-writes-per-writeable",
    family="callbacks",
    impact=Impact.CONNECTION,
    severity=Severity.WARNING,
)


def check(project: Project) -> Iterator[Diagnostic]:
    for name in WRITING:
        for located in project.calls_to(name):
            if sent(project, located) is not Sent.MESSAGE or asks_first(located):
                continue
            for occasion in occasions(project, *located):
                loop = _loop(located, occasion)
                if loop is not None and all("WRITEABLE" in reason for reason in occasion.reasons):
                    yield _report(located, name, occasion, loop)
                    break


def _report(located: Located, name: str, occasion: Occasion, loop: Place) -> Diagnostic:
    reasons = ", ".join(occasion.reasons)
    return rule.report(
        located.place,
        "what the first message leaves no room for piles up in memory (before lws 3.1 the connection breaks):"
        f" {name}() is called in a loop for one {reasons}",
        help="send one message, and call lws_callback_on_writable(wsi) while more wait",
        related=[Step(loop, "the loop is here")],
        function=located.definition.qualified,
    )


def _loop(located: Located, occasion: Occasion) -> Place | None:
    """The loop that repeats the write while one event is dealt with."""
    places = [located, *(Located(edge.caller, edge.site) for edge in reversed(occasion.edges))]
    for definition, site in places:
        if site.in_loop:
            span = site.node.span
            around = [
                statement
                for statement in statements(definition.function.body)
                if isinstance(statement, Loop) and statement.span.start <= span.start < statement.span.end
            ]
            loop = min(around, key=lambda each: each.span.end - each.span.start, default=None)
            if loop is not None and not _stops_after(loop.body, span.start):
                return definition.place(loop.span)
    return None


def _stops_after(body: tuple[Statement, ...], start: int) -> bool:
    """Whether the turn that makes the call is the last one: the loop's body ends in leaving it."""
    last = body[-1] if body else None
    return last is not None and last.span.start > start and isinstance(last, (Return, Jump))
