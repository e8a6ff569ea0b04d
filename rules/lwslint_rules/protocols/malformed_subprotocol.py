"""The offered subprotocol list has a form that breaks the handshake.

## What it reports

A text that reaches `protocol` of a WebSocket client connection and is no list of subprotocol names: only
spaces, an empty element, a space before a comma, a character that no name may hold (`/`, `:`, `@`, a space,
…), the same name twice, a name over 63 or a list over 127 bytes.

In Python: a bare string where the library takes a list (most libraries then send one name for each
character), an element with a comma in it, names that are no tokens, and a `Sec-WebSocket-Protocol` header
written by hand beside a library that has an option for it (a warning where it costs the connection, else a
note).

## What happens at run time

lws sends the text as it is. With a character that no name may hold, servers answer 400 (Python's
websockets) or drop the connection (an lws server: "read failed"). With a space before a comma or around the
list lws itself fails: it does not recognise the name that the server chose, and ends with "HS: PROTOCOL
malformed". An lws server reads at most 127 bytes of the list and refuses longer ones. A name offered twice
or an empty name between commas is refused by strict servers only, such as Node's ws.

An empty text, `""`, is not sent at all and does no harm: like NULL, it offers nothing.

Seen with 4.1.6, OpenSSL 3, against an lws server and Python's websockets.

## Example

```c
i.protocol = "v12.stomp , v11.stomp";
```

## Write instead

```c
i.protocol = "v12.stomp, v11.stomp";    /* no space before the comma */
i.local_protocol_name = "feed";
```

## Fix

Safe, since no handshake can rely on the text as it is: the same names, each once, separated by a comma and a
space. In Python a list around the string, and an element for each name. Not where a name itself is wrong.

## Known limits

Only texts that are wholly known are checked; a list put together at run time is not. HTTP requests
(`method` is set) send no list.

## References

- lib/roles/ws/client-ws.c:350-368@v5.0.0: how the client reads its own list back
- lib/roles/ws/server-ws.c:455,548-552@v5.0.0: what an lws server takes
- RFC 6455 sections 4.1, 11.3.4
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Step
from lwslint.facts import Place
from lwslint.model.alternatives import Alternative
from lwslint.model.offers import faults, is_often_overlooked, names_of
from lwslint.model.project import Project
from lwslint.remedies import Applicability, Remedy, Respell
from lwslint.rule import Rule
from lwslint_rules.protocols._python import malformed_offers

rule = Rule(
    code="LWS202",
    name="malformed-subprotocol",
    family="protocols",
    impact=Impact.CONNECTION,
    languages=("c", "cpp", "python"),
)


def check(project: Project) -> Iterator[Diagnostic]:
    seen: set[tuple[Place, str]] = set()
    for connection in project.connections.all:
        if project.connections.is_http(connection):
            continue
        for offer in project.connections.offers(connection):
            for alternative in offer.possible.texts:
                # An empty text is not sent: lib/roles/http/parsers.c:739-747@v5.0.0, :685-693@v4.1.6.
                judged = alternative.text != "" and not alternative.partial
                wrong = faults(alternative.text) if judged else ()
                if not wrong or (offer.place, alternative.text) in seen:
                    continue
                seen.add((offer.place, alternative.text))
                places = [piece.place for piece in alternative.pieces if piece.place != offer.place]
                overlooked = is_often_overlooked(alternative.text)
                effect = "a strict server refuses the handshake" if overlooked else "the handshake fails"
                yield rule.report(
                    offer.place,
                    f"{effect}: {'; '.join(wrong)} (Sec-WebSocket-Protocol: {alternative.text})",
                    help=_help(alternative.text),
                    related=[Step(place, "the text comes from here") for place in places],
                    function=offer.written.write.definition.qualified,
                    remedy=_remedy(project, alternative),
                )
    yield from malformed_offers(project, rule)


def _remedy(project: Project, alternative: Alternative) -> Remedy | None:
    """The same names, well spelled.  The text also selects the local row when it is one's name."""
    names = tuple(dict.fromkeys(names_of(alternative.text)))
    text = ", ".join(names)
    if not names or faults(text) or len(alternative.pieces) != 1:
        return None
    if alternative.text in project.connections.local:
        return None
    change = Respell(alternative.pieces[0].place, alternative.text, text)
    return Remedy(f'spell the list "{text}"', Applicability.SAFE, change)


def _help(text: str) -> str:
    names = tuple(dict.fromkeys(names_of(text)))
    if not names:
        return "use NULL to offer no subprotocol"
    return f'names are tokens, separated by ", ": "{", ".join(names)}" when each of them is one'
