"""A callback returns what `lws_write()` returned, and the connection closes.

## What it reports

`return lws_write(…);` in a callback of a protocol table, or `return f(…);` there where `f()` of the program
ends in `return lws_write(…);`.

## What happens at run time

`lws_write()` returns the number of bytes. What a callback returns is no length: 0 keeps the connection,
anything else closes it. So the message goes out, and right after it the connection is closed.

## Example

```c
case LWS_CALLBACK_CLIENT_WRITEABLE:
    return lws_write(wsi, frame + LWS_PRE, size, LWS_WRITE_TEXT);
```

## Write instead

```c
case LWS_CALLBACK_CLIENT_WRITEABLE:
    if (lws_write(wsi, frame + LWS_PRE, size, LWS_WRITE_TEXT) < (int)size)
        return -1;
    break;
```

## Fix

Safe: `< 0 ? -1 : 0` behind the call, so that only a write that failed closes the connection.

## Known limits

A length that is put into a variable first is not followed.

## References

- include/libwebsockets/lws-callbacks.h:33-34@v5.0.0: what a callback's result means
- include/libwebsockets/lws-write.h:174-180@v5.0.0: what lws_write() returns
- warmcat/libwebsockets issue 1729
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Step
from lwslint.facts import Call, Place, Return, Span
from lwslint.model.bodies import Site
from lwslint.model.names import callee_name, uncast
from lwslint.model.project import Project
from lwslint.model.symbols import Definition
from lwslint.remedies import Applicability, Remedy, Rewrite
from lwslint.rule import Rule

rule = Rule(code="LWS313", name="returned-write-length", family="callbacks", impact=Impact.CONNECTION)


# Functions that return a number of bytes; the others that write return 0 when all is well.
WRITING = frozenset(["lws_write", "libwebsocket_write"])


def check(project: Project) -> Iterator[Diagnostic]:
    reported: set[Place] = set()
    for callback in project.callbacks.all:
        definition = callback.definition
        for site, call in _returned(definition):
            place = definition.place(site.node.span)
            name, steps = _length(project, definition, call)
            if not name or place in reported:
                continue
            reported.add(place)
            yield rule.report(
                place,
                f"the connection closes after this message: the callback returns the length from {name}(), "
                f"and anything but 0 means that lws shall close",
                help=f"if ({name}(...) < (int)length) return -1; and return 0 otherwise",
                related=steps,
                function=definition.qualified,
                remedy=_remedy(definition, call),
            )


def _remedy(definition: Definition, call: Call) -> Remedy:
    """lws_write() returns the length or -1: what it cannot send at once lws keeps
    (include/libwebsockets/lws-write.h:174-180@v5.0.0)."""
    end = definition.place(Span(call.span.end, call.span.end))
    change = Rewrite(((end, "", " < 0 ? -1 : 0"),))
    return Remedy("return 0 unless the write failed", Applicability.SAFE, change)


def _returned(definition: Definition) -> Iterator[tuple[Site, Call]]:
    """The calls whose result a function returns as it is."""
    for site in definition.body.returns:
        if isinstance(site.node, Return) and site.node.value is not None:
            value = uncast(site.node.value)
            if isinstance(value, Call):
                yield site, value


def _length(project: Project, definition: Definition, call: Call) -> tuple[str, list[Step]]:
    """The function that the length comes from ("" when none), and the way to it."""
    name = callee_name(call)
    if name in WRITING:
        return name, []
    for target in project.flow.targets(definition, call):
        ends = list(_returned(target))
        # Every way out of it, or it is no length: a helper may return 0 elsewhere and mean it.
        if ends and len(ends) == len(target.body.returns):
            names = {callee_name(inner) for _, inner in ends}
            if len(names) == 1 and names <= WRITING:
                (found,) = names
                return found, [Step(target.place(site.node.span), "the length") for site, _ in ends]
    return "", []
