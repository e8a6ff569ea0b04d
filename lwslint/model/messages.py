"""What a call of ``lws_write()`` sends: a WebSocket message, a part of an HTTP answer, or raw bytes."""

from __future__ import annotations

import enum

from lwslint.facts import Call, Name, walk
from lwslint.knowledge import api
from lwslint.model.names import call_name, last_component
from lwslint.model.project import Located, Project

WRITING = ("lws_write", "libwebsocket_write")
"""The functions that send, with what is sent at argument 1 and how at argument 3."""

_KIND = 0x1F  # the part of enum lws_write_protocol without its flags (lws-write.h)
_BUFLIST = 0x20  # LWS_WRITE_BUFLIST


class Sent(enum.Enum):
    """How a message goes out.  ``KEPT``: libwebsockets is asked to keep what the socket does not take."""

    MESSAGE = "message"
    HTTP = "http"
    RAW = "raw"
    KEPT = "kept"


def sent(project: Project, located: Located) -> Sent | None:
    """What the call sends, as far as its last argument tells; None for a call that is no such call."""
    call = located.site.node
    assert isinstance(call, Call)
    if len(call.arguments) != 4:
        return None
    how = call.arguments[3]
    names = {last_component(node.id) for node in walk(how) if isinstance(node, Name)}
    # LWS_WRITE_RAW has the value of LWS_WRITE_HTTP; a datagram goes out whole, or not at all.
    if names & {"LWS_WRITE_RAW", "LWS_WRITE_QUIC_DATAGRAM"}:
        return Sent.RAW
    numbers = [
        a.number or 0 for a in project.values.possible(how, located.definition, located.site.order).numbers
    ]
    if "LWS_WRITE_BUFLIST" in names or any(number & _BUFLIST for number in numbers):
        return Sent.KEPT
    http = {api.constant_value(f"LWS_WRITE_HTTP{end}") for end in ("", "_FINAL", "_HEADERS")}
    if any(name.startswith("LWS_WRITE_HTTP") for name in names) or any(n & _KIND in http for n in numbers):
        return Sent.HTTP
    return Sent.MESSAGE


_ASKING = frozenset(["lws_send_pipe_choked", "lws_partial_buffered"])


def asks_first(located: Located) -> bool:
    """Whether the function asks whether the connection can take more."""
    return any(
        isinstance(site.node, Call) and call_name(site.node) in _ASKING
        for site in located.definition.body.calls
    )
