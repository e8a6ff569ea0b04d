"""The client offers a WebSocket subprotocol that the server does not speak, and the handshake fails.

## What it reports

The place that sets `protocol` of a connect info (or passes it to the functions before 1.7) where the
name that goes on the wire is

- error: none of those that the server speaks, as the configuration says (`subprotocols`, `servers`), or
  as the server in the same tree on the same port says;
- warning: the name of a row of the program's own protocol table, or a URL scheme (`ws`, `wss`): names made
  up here that no server in the tree has. Also when it is only the default of something configurable. A name
  that only the test server of libwebsockets is known to have, sent to another public server;
- note: neither registered nor known, a local name for a server on this machine or one that is configured
  beside `local_protocol_name`, or a name of the test server of libwebsockets.

Silent for names of the IANA registry and other well-known ones, names that a server in the tree has, values
that come from the user, and HTTP requests (`method` is set: `protocol` then only selects the callback).

In Python: names that are known in the text and that no server speaks, neither those of the configuration
nor the `lws_protocols[]` tables and `serve(subprotocols=...)` calls in the tree (error for a server on this
machine, warning where the address is configured; silent where the tree has no server). And a client that
offers nothing to a host that, as `[[servers]]` says, speaks something: a warning.

## What happens at run time

`protocol` does two things: without `local_protocol_name` it selects the row of the program's own table, and
it is always sent: `Sec-WebSocket-Protocol: my-radio`. Some servers ignore an offer they do not know. An lws
server drops the TCP connection, others answer 400, 403 or 404, or wait. The client sees "closed before
established", "read failed", "HS: ws upgrade response not 101" or a time-out after TLS went well: no error
of lws names the subprotocol.

Seen with 4.1.6, OpenSSL 3: "read failed" from an lws server; "HS: ws upgrade response not 101" from Python's
websockets where the server is told to insist, and no trouble where it is not; silence for as long as the
server is silent. With `protocol = NULL` and `local_protocol_name` each of them connects.

## Example

```c
static const struct lws_protocols protocols[] = {
    { "my-radio", callback_feed, 0, 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 }
};
/* … */
i.protocol = protocols[0].name;
```

## Write instead

```c
i.protocol = NULL;                      /* offer nothing */
i.local_protocol_name = "my-radio";     /* the row of our own table, never sent (lws 3.0) */
```

If the server does speak it, say so in `lwslint.toml`:

```toml
subprotocols = ["my-radio"]
```

or for one server: `[[servers]]`, `host = "radio.example.com"`, `subprotocols = []` (it negotiates none).

## Fix

Unsafe: nothing is offered any more (or, where the server's one name or the registered spelling is known,
that), which a server that did want the old name will notice. The expression moves to
`local_protocol_name`, so the same callback runs. For errors and warnings where the value has one source, and
targets from 3.0 on.

## Known limits

The server is matched by literal address and port. A name put together at run time is not judged. Where a
tree holds several programs, a name that any of its servers has is taken as known.

## References

- include/libwebsockets/lws-client.h:153@v5.0.0, lib/core-net/client/connect.c:136,163@v5.0.0
- lib/roles/ws/client-ws.c:327-368@v5.0.0; lib/roles/ws/server-ws.c:642-646@v5.0.0 (the server's side)
- warmcat/libwebsockets issue 3398; RFC 6455 sections 4.1, 11.5
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.knowledge import api, subprotocols
from lwslint.model.connections import INFO, Connection, Connections, Entry, Offer, is_loopback, is_private
from lwslint.model.offers import LWS_NAMES, is_lws_server, is_malformed, names_of, server_says
from lwslint.model.project import Project
from lwslint.model.releases import may_lack
from lwslint.remedies import Applicability, Remedy, SetBeside
from lwslint.rule import Rule
from lwslint.settings import Version
from lwslint_rules.protocols._python import unsupported_offers

rule = Rule(
    code="LWS201",
    name="unsupported-subprotocol",
    family="protocols",
    impact=Impact.CONNECTION,
    severity=Severity.WARNING,
    languages=("c", "cpp", "python"),
)

LOCAL = "local_protocol_name"
FIRST_LOCAL = Version(3, 0)
"""The release that brought local_protocol_name (include/libwebsockets/lws-client.h@v3.0.0)."""

_SCHEMES = frozenset(["ws", "wss", "http", "https", "tcp", "tls"])
_CONSEQUENCE = (
    "a server without it drops the connection, answers 4xx or stays silent, and the client sees at most"
    ' "closed before established" or a time-out'
)


def check(project: Project) -> Iterator[Diagnostic]:
    worst: dict[Place, Diagnostic] = {}
    for connection in project.connections.all:
        for offer in project.connections.offers(connection):
            if project.connections.is_http(connection, offer.written.write.definition):
                continue
            for found in _of_offer(project, connection, offer):
                known = worst.get(found.place)
                if known is None or found.severity > known.severity:
                    worst[found.place] = found
    yield from worst.values()
    yield from unsupported_offers(project, rule)


def _of_offer(project: Project, connection: Connection, offer: Offer) -> Iterator[Diagnostic]:
    configurable = offer.possible.unknown
    for alternative in offer.possible.texts:
        if alternative.partial and alternative.text.strip(", ") not in project.connections.local:
            continue
        if is_malformed(alternative.text) and not alternative.partial:
            continue
        names = names_of(alternative.text)
        verdict = _verdict(project, connection, names, bool(alternative.pieces) and configurable)
        if verdict is not None and names:
            places = [piece.place for piece in alternative.pieces]
            yield _report(project, connection, offer, ", ".join(names), verdict, places)
    if not offer.from_table:
        return
    for alternative in offer.possible.alternatives:
        for piece in alternative.pieces[:1]:
            # A macro from a header that is not in the tree: a constant, and the name of a row here.
            if alternative.kind == "unknown" and piece.text.isupper() and piece.text.isidentifier():
                reason = "which is the name of a row of this program's own protocol table"
                yield _report(
                    project,
                    connection,
                    offer,
                    piece.text,
                    (Severity.WARNING, reason),
                    [piece.place],
                    quoted=False,
                )


def _verdict(
    project: Project, connection: Connection, names: tuple[str, ...], configurable: bool
) -> tuple[Severity, str] | None:
    """How bad an offer is, and why; None when nothing speaks against it."""
    connections = project.connections
    hosts = connections.hosts(connection)
    said = server_says(project.settings, hosts)
    if said is not None:
        speaks, who = said
        if any(name in speaks for name in names):
            return None
        listed = f"only {', '.join(speaks)}" if speaks else "no subprotocol"
        return Severity.ERROR, f"but {who} speaks {listed}"
    if any(subprotocols.known(name) for name in names):
        return None
    if any(name in project.python.served for name in names):
        return None  # a server in Python, in the same tree
    public = bool(hosts) and not any(is_private(host) or is_lws_server(host) for host in hosts)
    if any(name in connections.served for name in names):
        if not public:
            return None
        return Severity.NOTE, f"which a server in this tree has, but is it the one at {hosts[0]}?"
    if any(name in LWS_NAMES for name in names):
        if any(is_lws_server(host) for host in hosts):
            return None
        if public:
            reason = f"which the test server of libwebsockets is known to have, not {hosts[0]}"
            return Severity.WARNING, reason
        return Severity.NOTE, "which the test server of libwebsockets has, but does yours?"
    loopback = any(is_loopback(host) for host in hosts)
    if rivals := _rivals(connections, connection):
        others = ", ".join(dict.fromkeys(e.name for e in rivals))
        return Severity.ERROR, f"but the server in this tree on that port has {others}"
    unless = ", unless something else is configured" if configurable else ""
    if any(name in connections.local for name in names):
        reason = f"which is the name of a row of this program's own protocol table{unless}"
        # Who sets both means the name for the wire, unless it goes to somebody else's server.
        quiet = loopback or (connection.writes(LOCAL) and not public)
        return Severity.NOTE if quiet else Severity.WARNING, reason
    if names and all(name in _SCHEMES for name in names):
        return Severity.WARNING, "which is a URL scheme and no subprotocol"
    for name in names:
        right = subprotocols.misspelt(name)
        if right is not None:
            return Severity.WARNING, f'and "{right}" is the registered name: the comparison is case-sensitive'
    return Severity.NOTE, f"which is not registered with IANA, nor the name of a server in this tree{unless}"


def _report(
    project: Project,
    connection: Connection,
    offer: Offer,
    names: str,
    verdict: tuple[Severity, str],
    places: list[Place],
    quoted: bool = True,
) -> Diagnostic:
    severity, reason = verdict
    write = offer.written.write
    shown = f'"{names}"' if quoted else names
    steps = [Step(place, f"{shown} comes from here") for place in places if place != offer.place]
    # A row has an entry for each arm of an `#if` in its table.
    rows = dict.fromkeys(entry.place for entry in project.connections.local.get(names, ()))
    for row in [place for place in rows if place not in places][:3]:
        steps.append(Step(row, f"{shown} is the name of this row"))
    return rule.report(
        offer.place,
        f"the handshake offers Sec-WebSocket-Protocol: {names}, {reason}; {_CONSEQUENCE}",
        severity=severity,
        confidence=Confidence.MEDIUM if connection.object[0] == "class" else Confidence.HIGH,
        help=_help(project, connection, offer, shown),
        related=steps,
        function=write.definition.qualified,
        remedy=_remedy(project, connection, offer) if severity > Severity.NOTE else None,
    )


def _remedy(project: Project, connection: Connection, offer: Offer) -> Remedy | None:
    """Offer what the server speaks, else nothing, and select the row by ``local_protocol_name``.

    Not where the name is only the default of something configurable, nor where the server has several
    names to choose from.  Before 3.0 a client that offers nothing gets row 0.
    """
    if connection.positional or len(offer.possible.alternatives) != 1 or may_lack(project, FIRST_LOCAL):
        return None
    spoken = _spoken(project, connection) or _meant(offer)
    if len(spoken) > 1:
        return None
    instead = f'"{spoken[0]}"' if spoken else ""
    message = f"offer {instead or 'no subprotocol'}"
    write = offer.written.write
    value = Place(write.definition.path, write.value.span)
    if connection.writes(LOCAL):
        return Remedy(message, Applicability.UNSAFE, SetBeside(value, instead=instead))
    change = SetBeside(value, LOCAL, instead=instead, order=api.field_names(INFO))
    return Remedy(f"{message}, and select the row with {LOCAL}", Applicability.UNSAFE, change)


def _spoken(project: Project, connection: Connection) -> tuple[str, ...]:
    """The names that the server of a connection is known to have."""
    said = server_says(project.settings, project.connections.hosts(connection))
    if said is not None:
        return said[0]
    return tuple(dict.fromkeys(entry.name for entry in _rivals(project.connections, connection)))


def _meant(offer: Offer) -> tuple[str, ...]:
    """The registered name that the one offered must mean."""
    names = names_of(offer.possible.alternatives[0].text)
    right = subprotocols.misspelt(names[0]) if len(names) == 1 else None
    return (right,) if right is not None else ()


def _rivals(connections: Connections, connection: Connection) -> list[Entry]:
    """The rows of the servers in the tree that listen where a connection to this machine goes."""
    if not any(is_loopback(host) for host in connections.hosts(connection)):
        return []
    ports = set(connections.ports(connection))
    return [entry for entry in connections.entries if entry.server and ports & set(entry.ports)]


def _help(project: Project, connection: Connection, offer: Offer, shown: str) -> str:
    write = offer.written.write
    null = "nullptr" if write.definition.file.language == "cpp" else "NULL"
    version = project.settings.lws_version
    say = f"if the server does speak it, put subprotocols = [{shown}] into lwslint.toml"
    if connection.positional:
        return f"pass {null} as the protocol; {say}"
    protocol = project.connections.spell_field(write, "protocol")
    if version is not None and version.major < 3:
        return f"{protocol} = {null}; {say}"
    if connection.writes("local_protocol_name"):
        return f"{protocol} = {null}; (local_protocol_name selects the callback); {say}"
    local = project.connections.spell_field(write, "local_protocol_name")
    return f"{protocol} = {null}; {local} = {shown}; (lws 3.0 and later); {say}"
