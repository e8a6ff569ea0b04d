"""A client speaks plaintext to a port where TLS is spoken, or to a host that is not this machine.

## What it reports

In C and C++, connections whose `ssl_connection` is 0 on every way, or never set:

- warning: to port 443, 8443 or 8883, or with an `auth_password` to a host that is not in a private network;
- note: a WebSocket connection to any other literal host that is neither this machine nor in a private
  network.

In Python, a call of a WebSocket client library whose URL is a literal, or begins with one:

- warning: `ws://` with port 443 or 8443;
- note: `ws://` to any other host that is neither this machine nor in a private network.

## What happens at run time

To a TLS port: the server takes the HTTP request for a broken TLS record and closes the connection; a client
with lws gets `LWS_CALLBACK_CLIENT_CONNECTION_ERROR` ("read failed", "closed before established"), others
report "connection closed" before the handshake. To other ports: it works, and everybody on the way reads and
changes what is sent, the credentials of the handshake first.

## Example

```c
i.address = "radio.example.com";
i.port = 443;
i.ssl_connection = 0;
```

```python
ws = websocket.create_connection("ws://radio.example.com:443/feed")
```

## Write instead

```c
i.address = "radio.example.com";
i.port = 443;
i.ssl_connection = LCCSCF_USE_SSL;
```

```python
ws = websocket.create_connection("wss://radio.example.com/feed")
```

## Known limits

Hosts, ports and flags that come from the configuration are not judged, nor connections that use TLS on any
way. Raw sockets, which may begin TLS later, are left alone.

## References

- RFC 6455 sections 3 and 10.6
- lib/roles/http/client/client-http.c:34,230@v4.1.6, lib/tls/tls-client.c:193@v5.0.0: bit 0 alone asks for TLS
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.model.alternatives import Possible
from lwslint.model.connections import Connection, is_loopback, is_private
from lwslint.model.exposure import Judge
from lwslint.model.project import Project
from lwslint.model.python_exposure import Url, of_path
from lwslint.rule import Rule

rule = Rule(
    code="LWS411",
    name="plaintext-to-tls-port",
    family="tls",
    impact=Impact.SECURITY,
    severity=Severity.WARNING,
    languages=("c", "cpp", "python"),
)

TLS_PORTS = (443, 8443)
_NATIVE_TLS_PORTS = (*TLS_PORTS, 8883)


def check(project: Project) -> Iterator[Diagnostic]:
    judge = Judge(project)
    for connection in project.connections.all:
        yield from _native(project, judge, connection)
    if project.python_files:
        yield from _python(project)


# ------------------------------------------------------------------------------------- C and C++


def _native(project: Project, judge: Judge, connection: Connection) -> Iterator[Diagnostic]:
    """What a connection without TLS is about to meet."""
    if not connection.calls or not _is_plaintext(project, judge, connection):
        return
    hosts = project.connections.possible(connection, "address")
    ports = project.connections.possible(connection, "port")
    names = project.connections.texts(connection, "address")
    if _is_raw(project, connection) or (names and all(map(_is_here, names))):
        return
    place = _set_at(connection, "port")
    if place is not None and ports.alternatives and _all_in(ports, _NATIVE_TLS_PORTS):
        number = ports.numbers[0].number
        yield _report(
            connection,
            place,
            f"the server closes the connection before the handshake: plaintext to port {number}, where TLS is"
            " spoken",
            Severity.WARNING,
        )
        return
    place = _set_at(connection, "address")
    public = [name for name in names if not is_private(name)]
    if place is None or not public or hosts.unknown or len(public) < len(names):
        return
    if connection.writes("auth_password"):
        message = f"everybody on the way reads the password: it is sent to {public[0]} without TLS"
        yield _report(connection, place, message, Severity.WARNING)
    elif not project.connections.is_http(connection):
        message = f"everybody on the way reads and changes what is sent: {public[0]} is spoken to without TLS"
        yield _report(connection, place, message, Severity.NOTE)


def _is_plaintext(project: Project, judge: Judge, connection: Connection) -> bool:
    """Whether no way leads to TLS.  Bits without bit 0 are another rule's matter (LWS402)."""
    if not connection.writes("ssl_connection"):
        # An object that is known by its class only is filled in elsewhere, too.
        return connection.object[0] not in ("class", "call")
    possible = project.connections.possible(connection, "ssl_connection")
    found = possible.alternatives
    if not found or possible.unknown or any(a.kind == "text" or a.number for a in found):
        return False
    return not any(judge.tls_refused(alternative.when) for alternative in found)


def _is_raw(project: Project, connection: Connection) -> bool:
    methods = project.connections.possible(connection, "method")
    return methods.unknown or any(a.text.upper() in ("RAW", "UDP") for a in methods.texts)


def _is_here(name: str) -> bool:
    return is_loopback(name) or name.startswith("+")


def _all_in(possible: Possible, numbers: tuple[int, ...]) -> bool:
    return not possible.unknown and all(a.number in numbers for a in possible.alternatives)


def _set_at(connection: Connection, field: str) -> Place | None:
    written = connection.writes(field)
    return Place(written[-1].place.path, written[-1].write.value.span) if written else None


def _report(connection: Connection, place: Place, message: str, severity: Severity) -> Diagnostic:
    tls = _set_at(connection, "ssl_connection")
    return rule.report(
        place,
        message,
        severity=severity,
        help="ssl_connection = LCCSCF_USE_SSL",
        related=[Step(tls, "this asks for no TLS")] if tls is not None else (),
        function=connection.calls[0].definition.qualified,
    )


# ------------------------------------------------------------------------------------- Python


def _python(project: Project) -> Iterator[Diagnostic]:
    seen: set[tuple[Place, str]] = set()
    for connection in project.python.connections:
        for url in () if connection.repeated else connection.urls:
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
