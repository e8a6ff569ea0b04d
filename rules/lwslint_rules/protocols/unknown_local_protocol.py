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

## Fix

Unsafe, since another callback gets the events from then on: the row whose name is nearly the same, or the
only row that the list offers. Where several could be meant there is none.

## Known limits

All tables of the tree count, whichever context uses them. Nothing is reported where a table holds names
that are not literal, or where plugins are loaded from elsewhere.

## References

- lib/core-net/client/connect.c:136,163,311,334@v5.0.0: what is looked up, and the INFO line
- lib/core-net/wsi.c:136-144@v5.0.0: the comparison; lib/roles/ws/client-ws.c:381-383@v5.0.0: kept
- warmcat/libwebsockets commit 83b3907fb: a warning, after 5.0.0
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.knowledge import api
from lwslint.knowledge.subprotocols import known
from lwslint.model.alternatives import Alternative
from lwslint.model.connections import INFO, Connection, Connections, Written
from lwslint.model.offers import is_malformed, names_of
from lwslint.model.project import Project
from lwslint.model.releases import may_lack
from lwslint.remedies import Applicability, Remedy, Respell, SetBeside
from lwslint.rule import Rule
from lwslint.settings import Version

rule = Rule(
    code="LWS203",
    name="unknown-local-protocol",
    family="protocols",
    impact=Impact.DATA,
    severity=Severity.WARNING,
)

_NEAR = 0.8  # of difflib's ratio: one letter in five may differ

LOCAL = "local_protocol_name"
FIRST_LOCAL = Version(3, 0)
"""The release that brought local_protocol_name (include/libwebsockets/lws-client.h@v3.0.0)."""


class _Bound(NamedTuple):
    """A literal name that selects a connection's row; ``local``: by :data:`LOCAL`, else by ``protocol``."""

    entry: Written
    name: Alternative
    local: bool


def check(project: Project) -> Iterator[Diagnostic]:
    connections = project.connections
    version = project.settings.lws_version
    if not connections.local or connections.open_tables or (version is not None and version.major < 3):
        return
    seen: set[tuple[Place, str]] = set()
    for connection in connections.all:
        if connection.positional:
            continue
        for bound in _local_names(connections, connection):
            place, text = bound.entry.place, bound.name.text
            if text not in connections.local and (place, text) not in seen and not is_malformed(text):
                seen.add((place, text))
                yield _report(project, bound)


def _local_names(connections: Connections, connection: Connection) -> Iterator[_Bound]:
    """The places that name the connection's row, with the literal names there."""
    local = bool(connection.writes(LOCAL))
    for entry in connection.writes(LOCAL if local else "protocol"):
        if entry.write.op != "=":
            continue
        possible = connections.values.possible_in(entry.write.value, entry.write.scope)
        for alternative in possible.texts:
            if not alternative.partial and alternative.text:
                yield _Bound(entry, alternative, local)


def _report(project: Project, bound: _Bound) -> Diagnostic:
    connections = project.connections
    place, text = bound.entry.place, bound.name.text
    # The program's own tables, where its file has some: a tree may hold many programs.
    rows = tuple(e for e in connections.entries if e.place.path == place.path) or connections.entries
    first = [entry for entry in rows if entry.slot == 0] or list(rows)
    names = list(dict.fromkeys(entry.name for entry in rows))
    listed = ", ".join(f'"{name}"' for name in names[:6])
    what = f'no protocol table has a row "{text}"'
    if "," in text:
        what = f'the list "{text}" as a whole is the name of no row, and local_protocol_name is not set'
    harmless = all(entry.slot in (0, None) for entry in rows) and known(text) is not None
    return rule.report(
        place,
        f"the events of this connection go to protocols[0]: {what}",
        severity=Severity.NOTE if harmless else Severity.WARNING,
        help=f"set local_protocol_name to the name of a row: {listed}",
        related=[Step(entry.place, "protocols[0] of a table") for entry in first[:3]],
        function=bound.entry.write.definition.qualified,
        remedy=None if may_lack(project, FIRST_LOCAL) else _remedy(bound, names),
    )


def _remedy(bound: _Bound, rows: Sequence[str]) -> Remedy | None:
    """The one row that can be meant: spelled nearly so, or the only one that the list offers."""
    write, text = bound.entry.write, bound.name.text
    if bound.local:
        near = difflib.get_close_matches(text, rows, 2, _NEAR)
        if len(near) != 1 or len(bound.name.pieces) != 1:
            return None
        respell = Respell(bound.name.pieces[0].place, text, near[0])
        return Remedy(f'select the row "{near[0]}"', Applicability.UNSAFE, respell)
    offered = [name for name in names_of(text) if name in rows]
    if len(offered) != 1:
        return None
    value = Place(write.definition.path, write.value.span)
    order = api.field_names(INFO)
    beside = SetBeside(value, LOCAL, f'"{offered[0]}"', order=order)
    return Remedy(f'select the row "{offered[0]}" with {LOCAL}', Applicability.UNSAFE, beside)
