"""A client connection is bound to protocols[0] because its protocol name is in no table.

## What it reports

`local_protocol_name`, or `protocol` where that is not set, with a name that no protocol table of the
project has; and a comma-separated list in `protocol` without `local_protocol_name`. A note where a
well-known subprotocol is offered and every table has one row: the events reach the right callback then.

## What happens at run time

lws compares the whole text with the names of the vhost's protocols. Where none matches, the connection
stays with protocols[0], and nothing above the INFO log level says so: its callback gets the events, with
per-session data of its own size. A list never matches, so even when the server chooses a name that the
table has, the events go to protocols[0]. (Up to 2.4 the server's choice decided.) Seen with 4.1.6.

## Example

```c
static const struct lws_protocols protocols[] = {
    { "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
    { "feed", callback_feed, sizeof(struct feed), 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 }
};
/* … */
i.local_protocol_name = "feeds";        /* no such row: lws_callback_http_dummy gets the events */
```

## Write instead

```c
i.local_protocol_name = "feed";
```

## Known limits

All tables of the tree count, whichever context uses them. Nothing is reported where a table holds names
that are not literal, or where plugins are loaded from elsewhere.

## References

- lib/core-net/client/connect.c:136,163,311,334@v5.0.0: what is looked up, and the INFO line
- lib/core-net/wsi.c:136-144@v5.0.0: the comparison; lib/roles/ws/client-ws.c:381-383@v5.0.0: kept
- warmcat/libwebsockets commit 83b3907fb: a warning, after 5.0.0
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.knowledge.subprotocols import known
from lwslint.model.connections import Connection, Connections
from lwslint.model.offers import is_malformed
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS203",
    name="unknown-local-protocol",
    family="protocols",
    impact=Impact.DATA,
    severity=Severity.WARNING,
)


def check(project: Project) -> Iterator[Diagnostic]:
    connections = project.connections
    version = project.settings.lws_version
    if not connections.local or connections.open_tables or (version is not None and version.major < 3):
        return
    seen: set[tuple[Place, str]] = set()
    for connection in connections.all:
        if connection.positional:
            continue
        for place, text, function in _local_names(connections, connection):
            if text not in connections.local and (place, text) not in seen and not is_malformed(text):
                seen.add((place, text))
                yield _report(connections, place, text, function)


def _local_names(connections: Connections, connection: Connection) -> Iterator[tuple[Place, str, str]]:
    """The places that name the connection's row, with the literal names there."""
    field = "local_protocol_name" if connection.writes("local_protocol_name") else "protocol"
    for entry in connection.writes(field):
        if entry.write.op != "=":
            continue
        possible = connections.values.possible_in(entry.write.value, entry.write.scope)
        for alternative in possible.texts:
            if not alternative.partial and alternative.text:
                yield entry.place, alternative.text, entry.write.definition.qualified


def _report(connections: Connections, place: Place, text: str, function: str) -> Diagnostic:
    # The program's own tables, where its file has some: a tree may hold many programs.
    rows = tuple(e for e in connections.entries if e.place.path == place.path) or connections.entries
    first = [entry for entry in rows if entry.slot == 0] or list(rows)
    names = ", ".join(f'"{name}"' for name in list(dict.fromkeys(entry.name for entry in rows))[:6])
    what = f'no protocol table has a row "{text}"'
    if "," in text:
        what = f'the list "{text}" as a whole is the name of no row, and local_protocol_name is not set'
    harmless = all(entry.slot in (0, None) for entry in rows) and known(text) is not None
    return rule.report(
        place,
        f"the events of this connection go to protocols[0]: {what}",
        severity=Severity.NOTE if harmless else Severity.WARNING,
        help=f"set local_protocol_name to the name of a row: {names}",
        related=[Step(entry.place, "protocols[0] of a table") for entry in first[:3]],
        function=function,
    )
