"""What a ``Sec-WebSocket-Protocol`` offer consists of, and what servers are known to speak."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lwslint.settings import Settings

# lib/roles/ws/server-ws.c:455,548-552@v5.0.0: an lws server copies the header into 128 bytes.
MAX_LIST = 127
MAX_NAME = 63
# What lws's own test server and its public instance have: plugins/protocol_lws_mirror,
# plugins/protocol_dumb_increment, plugins/protocol_lws_status, minimal-examples-lowlevel/ws-server@v5.0.0.
LWS_SERVERS = ("libwebsockets.org", "warmcat.com")
LWS_NAMES = frozenset(
    ["dumb-increment-protocol", "lws-mirror-protocol", "lws-status", "lws-minimal", "lws-echo"]
)
# RFC 6455 section 4.1 and RFC 7230 section 3.2.6: a subprotocol is a token.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def names_of(text: str) -> tuple[str, ...]:
    """The names in a comma-separated offer, without the spaces around them, empty ones left out."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def faults(text: str) -> tuple[str, ...]:
    """What is wrong with the form of an offer, worst first; each says what happens because of it."""
    if not text.strip():
        return ("the header is sent without a name",)
    found: list[str] = []
    elements = text.split(",")
    if any(not element.strip() for element in elements):
        found.append("there is an empty name in the list")
    # client-ws.c:350-362@v5.0.0 skips spaces after a comma only.
    if any(element != element.rstrip() for element in elements[:-1]):
        found.append("there is a space before a comma: lws then does not find the name that the server chose")
    if elements[0] != elements[0].lstrip() or elements[-1] != elements[-1].rstrip():
        found.append("there are spaces around the list")
    names = names_of(text)
    for name in names:
        if not _TOKEN.fullmatch(name):
            bad = next(c for c in name if not _TOKEN.fullmatch(c))
            shown = "a space" if bad == " " else f"'{bad}'" if bad.isprintable() else "a control character"
            found.append(f'"{name}" holds {shown}, which no subprotocol may')
        elif len(name) > MAX_NAME:
            found.append(f'"{name[:20]}…" is longer than the {MAX_NAME} bytes that an lws server takes')
    if len(text.encode()) > MAX_LIST:
        found.append(f"the list is longer than the {MAX_LIST} bytes that an lws server takes")
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        found.append(f'"{repeated[0]}" is offered twice')
    return tuple(found)


def is_often_overlooked(text: str) -> bool:
    """Whether servers are known to take an offer in spite of its faults: an lws server and Python's
    websockets pass over a name that is offered twice and an empty one after the first (seen with lws
    4.1.6, ``tests/real/test_protocols.py``); Node's ws refuses both."""
    elements = text.split(",")
    spaced = any(element != element.rstrip() for element in elements) or text != text.lstrip()
    tidy = ",".join(dict.fromkeys(names_of(text)))
    return bool(elements[0]) and not spaced and not faults(tidy)


def is_malformed(text: str) -> bool:
    return bool(faults(text))


def server_says(settings: Settings, hosts: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """The configured subprotocols of the server at one of ``hosts``, and how to call it; None when the
    configuration says nothing about it."""
    wanted = {_bare_host(host): host for host in hosts}
    for server in settings.servers:
        host = wanted.get(_bare_host(server.host))
        if host is not None:
            return server.subprotocols, host
    if settings.subprotocols is not None:
        return settings.subprotocols, "the configured server"
    return None


def is_lws_server(host: str) -> bool:
    """Whether a literal host is a public server of the lws project."""
    name = _bare_host(host)
    return any(name == known or name.endswith(f".{known}") for known in LWS_SERVERS)


def _bare_host(host: str) -> str:
    """A host name without port, brackets and letter case."""
    name = host.casefold().rstrip(".")
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name if name.count(":") > 1 else name.partition(":")[0]
