"""The name of the subprotocol that was chosen is compared with one that it can never be.

## What it reports

In Python, `ws.subprotocol` of a connection of websocket-client compared (`==`, `!=`) with a text that holds
upper-case letters.

## What happens at run time

websocket-client gives the server's choice in lower case, whatever was offered. `==` is never true and `!=`
always: the program takes a connection that was made as asked for a wrong one, and closes it or falls back.

Seen with 1.9.2: offered and chosen `MQTT`, `.subprotocol` is `mqtt`.

## Example

```python
ws = websocket.create_connection(url, subprotocols=["MQTT"])
if ws.subprotocol != "MQTT":
    raise ConnectionError("the broker does not speak MQTT")
```

## Write instead

```python
if ws.subprotocol != "mqtt":    # websocket-client gives it in lower case
```

## Fix

Safe, since the comparison has no use as it is: the text in lower case.

## Known limits

A connection that comes from a callback of `WebSocketApp` is not recognised.

## References

- websocket/_handshake.py of websocket-client 1.9.2, `_validate()`
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.model.python_exposure import of_path
from lwslint.model.python_subprotocols import compared
from lwslint.remedies import Applicability, Remedy, Respell
from lwslint.rule import Rule

rule = Rule(
    code="LWS205",
    name="never-equal-subprotocol",
    family="protocols",
    impact=Impact.CONNECTION,
    languages=("python",),
)


def check(project: Project) -> Iterator[Diagnostic]:
    if not project.python_files:
        return
    for found in compared(project.python):
        step = of_path(found.definition.path, project.settings.python)
        always = "never" if found.op == "==" else "always"
        lower = found.name.lower()
        yield rule.report(
            found.place,
            f"the connection is taken for a wrong one: this is {always} true, as websocket-client gives"
            f' .subprotocol in lower case, and "{found.name}" is not'
            + (f" ({step.text})" if step is not None else ""),
            severity=rule.severity if step is None else Severity.NOTE,
            help=f'"{lower}"',
            function=found.definition.qualified,
            remedy=Remedy(
                "write it in lower case", Applicability.SAFE, Respell(found.place, found.name, lower)
            ),
        )
