"""A loop without an end ignores that libwebsockets has given up.

## What it reports

A call of `lws_service()`, `lws_service_tsi()` or their kin whose result is thrown away, in a loop that has no
condition and nothing else that leaves it (`while (1)`, `for (;;)`).

## What happens at run time

`lws_service()` returns a negative number when the context cannot be serviced any more: it is being destroyed,
or `poll()` failed. From then on each call returns at once, so the loop spins at full speed and the program
neither ends nor says why.

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

A loop with a condition (`while (!stop)`) is not reported: it ends when somebody says so. Neither is one
that an `exit()` or `throw` inside leaves; an exception of a called function is not looked for.

## References

- include/libwebsockets/lws-service.h:37-60@v5.0.0: what the result means
- lib/plat/unix/unix-service.c:104@v5.0.0
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.facts import Call, Evaluate, Jump, Loop, Number, Return, Span, Unary
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

_ENDING = frozenset(["exit", "_exit", "_Exit", "quick_exit", "abort", "longjmp", "siglongjmp", "terminate"])


def check(project: Project) -> Iterator[Diagnostic]:
    for name in sorted(api.functions_in(Category.SERVICE)):
        for located in project.calls_to(name):
            definition = located.definition
            if located.site.used or not located.site.in_loop:
                continue
            loop = _innermost(definition, located.site.node.span)
            if loop is None or not _endless(loop) or _leaves(loop, definition):
                continue
            yield rule.report(
                located.place,
                f"the program spins at full speed, and never ends, once the context is done for: nobody "
                f"looks at what {name}() returns, and nothing else ends the loop",
                help=f"leave the loop when the result is negative: while ({name}(...) >= 0) ...",
                function=definition.qualified,
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
