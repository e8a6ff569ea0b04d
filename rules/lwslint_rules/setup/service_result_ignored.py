"""A loop ignores that libwebsockets has given up.

## What it reports

A call of `lws_service()`, `lws_service_tsi()` or their kin whose result is thrown away, in a loop, or in a
function that is called in a loop and tells its caller nothing.

## What happens at run time

`lws_service()` returns a negative number when the context cannot be serviced any more: it is being destroyed,
or `poll()` failed. From then on each call returns at once, so the loop spins at full speed. Where it has no
condition and nothing else leaves it (`while (1)`, `for (;;)`), the program never ends, and does not say why;
else it spins until something else ends it.

## Example

```c
for (;;)
    lws_service(context, 0);
```

## Write instead

```c
while (lws_service(context, 0) >= 0)
    ;
```

## Known limits

Loops that count their turns are not reported, nor is `lws_service_fd()`, which serves one socket. A function
that is called in a loop is followed to its callers once.

## References

- include/libwebsockets/lws-service.h:37-60@v5.0.0: what the result means
- lib/plat/unix/unix-service.c:104@v5.0.0
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Call, Evaluate, Jump, Loop, Number, Place, Return, Span, Unary
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model.names import breaks, callee_name, last_component, statements
from lwslint.model.project import Project
from lwslint.model.symbols import Definition
from lwslint.rule import Rule

rule = Rule(
    code="LWS505",
    name="service-result-ignored",
    family="setup",
    impact=Impact.HYGIENE,
    severity=Severity.NOTE,
)

_ENDLESS = (
    "the program spins at full speed, and never ends, once the context is done for: nobody looks at what {}()"
    " returns, and nothing else ends the loop"
)
_SPINS = (
    "the loop spins at full speed once the context is done for, until something else ends it: nobody looks at"
    " what {}() returns"
)
# What comes of one socket says nothing about the context.
_OF_ONE_SOCKET = frozenset(["lws_service_fd", "lws_service_fd_tsi", "libwebsocket_service_fd"])
_ENDING = frozenset(["exit", "_exit", "_Exit", "quick_exit", "abort", "longjmp", "siglongjmp", "terminate"])


def check(project: Project) -> Iterator[Diagnostic]:
    for name in sorted(api.functions_in(Category.SERVICE)):
        for located in project.calls_to(name):
            definition = located.definition
            if located.site.used or name in _OF_ONE_SOCKET:
                continue
            loop = _innermost(definition, located.site.node.span) if located.site.in_loop else None
            around = _calling_loop(project, definition) if loop is None else None
            if (loop is None and around is None) or (loop is not None and _is_counted(loop)):
                continue
            endless = loop is not None and _endless(loop) and not _leaves(loop, definition)
            yield rule.report(
                located.place,
                _ENDLESS.format(name) if endless else _SPINS.format(name),
                help=f"leave the loop when the result is negative: while ({name}(...) >= 0) ..."
                if around is None
                else f"return what {name}() returned, and leave the loop when it is negative",
                related=[Step(around, "the loop is here")] if around is not None else [],
                function=definition.qualified,
            )


def _calling_loop(project: Project, definition: Definition) -> Place | None:
    """Where a loop calls a function that returns nothing, or only one and the same value."""
    for edge in project.flow.callers.get(definition.id, ()):
        if edge.site.in_loop and not edge.ambiguous and (not edge.site.used or _says_nothing(definition)):
            return edge.caller.place(edge.site.node.span)
    return None


def _says_nothing(definition: Definition) -> bool:
    """Whether a function returns the same value on every way."""
    values = [site.node.value for site in definition.body.returns if isinstance(site.node, Return)]
    return not any(
        not isinstance(value, Number) or value.value != getattr(values[0], "value", None)
        for value in values
        if value is not None
    )


def _innermost(definition: Definition, span: Span) -> Loop | None:
    """The smallest loop around a place."""
    around = [
        statement
        for statement in statements(definition.function.body)
        if isinstance(statement, Loop)
        and statement.span.start <= span.start
        and span.end <= statement.span.end
    ]
    return min(around, key=lambda loop: loop.span.end - loop.span.start, default=None)


def _endless(loop: Loop) -> bool:
    return loop.test is None or (isinstance(loop.test, Number) and loop.test.value != 0)


def _is_counted(loop: Loop) -> bool:
    """Whether the loop takes a number of turns: over contexts, say."""
    return loop.kind == "range" or (loop.kind == "for" and loop.test is not None and bool(loop.step))


def _leaves(loop: Loop, definition: Definition) -> bool:
    """Whether something in the loop ends it, or the program."""
    for statement in statements(loop.body):
        match statement:
            case Return() | Jump(kind="goto") | Evaluate(value=Unary(op="throw")):
                return True
            case _:
                pass
    if any(breaks(loop.body)):
        return True
    return any(
        isinstance(site.node, Call) and last_component(callee_name(site.node)) in _ENDING
        for site in definition.body.calls
        if loop.span.start <= site.node.span.start < loop.span.end
    )
