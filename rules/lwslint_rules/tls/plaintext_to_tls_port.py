"""A Python client speaks plaintext WebSocket to a host that is not this machine.

## What it reports

A call of a WebSocket client library whose URL is a literal, or begins with one:

- warning: `ws://` with port 443 or 8443, where servers speak TLS;
- note: `ws://` to any other host that is neither this machine nor in a private network.

## What happens at run time

To a TLS port: the server takes the HTTP request for a broken TLS record and closes the connection; the
client reports "connection closed" before the handshake. To other ports: it works, and everybody on the way
reads and changes what is sent, the credentials of the handshake first.

## Example

```python
ws = websocket.create_connection("ws://radio.example.com:443/feed")
```

## Write instead

```python
ws = websocket.create_connection("wss://radio.example.com/feed")
```

## Known limits

Hosts that come from the configuration are not judged. Only Python so far.

## References

RFC 6455 sections 3 and 10.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.facts import Place
from lwslint.model.connections import is_private
from lwslint.model.project import Project
from lwslint.model.python_exposure import Url, of_path
from lwslint.rule import Rule

rule = Rule(
    code="LWS411",
    name="plaintext-to-tls-port",
    family="tls",
    impact=Impact.SECURITY,
    severity=Severity.WARNING,
    languages=("python",),
)

TLS_PORTS = (443, 8443)


def check(project: Project) -> Iterator[Diagnostic]:
    if not project.python_files:
        return
    seen: set[tuple[Place, str]] = set()
    for connection in project.python.connections:
        for url in connection.urls:
            found = _judge(url)
            if found is None or (connection.use.place, url.text) in seen:
                continue
            seen.add((connection.use.place, url.text))
            severity, message = found
            step = of_path(connection.use.definition.path, project.settings.python)
            yield rule.report(
                connection.use.place,
                message + (f" ({step.text})" if step is not None else ""),
                severity=Severity.NOTE if step is not None else severity,
                help=f"wss://{url.host}",
                function=connection.use.definition.qualified,
            )


def _judge(url: Url) -> tuple[Severity, str] | None:
    if url.scheme != "ws" or url.loopback:
        return None
    if url.port in TLS_PORTS:
        return (
            Severity.WARNING,
            f"the server closes the connection before the handshake: ws:// to port {url.port}, where"
            " TLS is spoken",
        )
    # A name without a dot is a machine in the same network, or a container.
    if not url.host or is_private(url.host) or "." not in url.host:
        return None
    return Severity.NOTE, f"everybody on the way reads and changes what is sent: ws:// to {url.host}"
