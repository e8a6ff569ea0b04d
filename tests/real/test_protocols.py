"""LWS201, LWS202, LWS203: what goes on the wire as Sec-WebSocket-Protocol, and who gets the events."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.certificates import Certificates
from tests.real.harness import FIXTURES, PROGRAMS, SOON, Start
from tests.real.servers import GREETING, SilentServer, WebSocketServer

LwsServer = Callable[..., int]
Python = Callable[..., WebSocketServer]

CLIENT = PROGRAMS / "client.c"
LOCAL_NAME_SENT = FIXTURES / "unsupported-subprotocol" / "bad-local-name-sent-c"
LOCAL_NAME_KEPT = FIXTURES / "unsupported-subprotocol" / "good-null-and-local-name-c"
LOCAL_NAME = "radio_watch"
RADIO = "radio.example.net"

ESTABLISHED = r"^event (\d+) (\S+) CLIENT_ESTABLISHED "
FAILED = r"^event (\d+) (\S+) CLIENT_CONNECTION_ERROR count=\d+ user=\w+ (.*)"


# ------------------------------------------------------------------------------------- LWS201


def test_lws_server_drops_an_unknown_offer_without_a_word(
    start: Start, lws_server: LwsServer, certificates: Certificates
) -> None:
    radio = certificates.good(RADIO)
    port = lws_server(str(radio.chain), str(radio.key))
    run = start(LOCAL_NAME_SENT, port=port, ca=certificates.trusted)
    run.expect(rf"^connect protocol={LOCAL_NAME} ", "the program offers the name of its own table's row")
    text = run.expect(FAILED, "the server drops the connection, CLIENT_CONNECTION_ERROR")[3]
    assert "protocol" not in text.lower(), run.complaint("expected of lws: no word about the subprotocol")
    assert not run.seen(r"(?i)^log .*protocol"), run.complaint("expected of lws: nor in the client's log")
    assert not run.seen(ESTABLISHED)
    assert run.wait() == 0


def test_strict_python_server_answers_400(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server([], certificates.good(RADIO).context())
    run = start(LOCAL_NAME_SENT, port=server.port, ca=certificates.trusted)
    run.expect(FAILED + "(?<=HS: ws upgrade response not 101)", "the 400 becomes an error about status 101")
    assert server.offers.all == [LOCAL_NAME]


def test_silent_server_leaves_the_client_waiting(
    start: Start, silent_server: Callable[..., SilentServer], certificates: Certificates
) -> None:
    server = silent_server(certificates.good(RADIO).context())
    run = start(LOCAL_NAME_SENT, port=server.port, ca=certificates.trusted)
    assert server.received.wait(lambda data: LOCAL_NAME.encode() in data, SOON), run.complaint(
        "expected of lws: TLS comes up, and Sec-WebSocket-Protocol: radio_watch goes out"
    )
    run.never(FAILED, "the client waits in silence")


@pytest.mark.parametrize("kind", ["lws", "python-strict"])
def test_local_name_alone_connects_and_its_callback_runs(
    kind: str, start: Start, lws_server: LwsServer, ws_server: Python, certificates: Certificates
) -> None:
    radio = certificates.good(RADIO)
    if kind == "lws":
        port = lws_server(str(radio.chain), str(radio.key))
    else:
        port = ws_server([], radio.context()).port
    run = start(LOCAL_NAME_KEPT, port=port, ca=certificates.trusted)
    match = run.expect(ESTABLISHED, "the handshake without an offer succeeds")
    assert match.groups() == ("0", LOCAL_NAME), run.complaint("expected of lws: the row's own callback runs")


def test_a_lenient_server_ignores_the_offer(start: Start, ws_server: Python) -> None:
    """Why the mistake lives for years: some servers take no offence."""
    server = ws_server(None)
    run = start(CLIENT, "protocol=feed", port=server.port)
    match = run.expect(ESTABLISHED, "lws accepts that its offer was not honoured")
    assert match.groups() == ("1", "feed")
    assert server.offers.all == ["feed"]


# ------------------------------------------------------------------------------------- LWS202

LONG_LIST = ",".join(f"telemetry.example.com-v{n}" for n in range(1, 7))


@pytest.mark.parametrize(
    ("offered", "error"),
    [
        ("chat.v1 , other", "HS: PROTOCOL malformed"),  # the server chose chat.v1, lws forgot the offer
        ("chat v1", "read failed"),
        ("chat:v1", "read failed"),
        (f"chat.v1,{LONG_LIST}", "read failed"),
        ("chat.v1,,chat.v2", None),
        ("chat.v1, chat.v1", None),
        ("", None),
        ("chat.v2, chat.v1", None),
        ("chat.v2,chat.v1", None),
    ],
)
def test_lists_against_an_lws_server(
    offered: str, error: str | None, start: Start, lws_server: LwsServer
) -> None:
    run = start(CLIENT, f"protocol={offered}", "local=feed", port=lws_server())
    if error is None:
        run.expect(ESTABLISHED, f"the handshake that offers {offered!r} succeeds")
    else:
        assert run.expect(FAILED, f"the handshake that offers {offered!r} fails")[3] == error


@pytest.mark.parametrize(
    ("offered", "error"),
    [
        ("chat.v1 , other", "HS: PROTOCOL malformed"),
        ("chat v1", "HS: ws upgrade response not 101"),
        ("chat:v1", "HS: ws upgrade response not 101"),
        ("wss://chat.example.com/v1", "HS: ws upgrade response not 101"),
        ("chat.v1,,chat.v2", None),
        ("chat.v1, chat.v1", None),
        ("", None),
        ("chat.v2, chat.v1", None),
        (f"chat.v1,{LONG_LIST}", None),
    ],
)
def test_lists_against_a_python_server(
    offered: str, error: str | None, start: Start, ws_server: Python
) -> None:
    server = ws_server(["chat.v1", "chat.v2"])
    run = start(CLIENT, f"protocol={offered}", "local=feed", port=server.port)
    if error is None:
        run.expect(ESTABLISHED, f"the handshake that offers {offered!r} succeeds")
        assert (server.offers.all[0] or "") == offered
    else:
        assert run.expect(FAILED, f"the handshake that offers {offered!r} fails")[3] == error


@pytest.mark.parametrize("arguments", [[], ["protocol="], ["protocol=", "local=feed"]])
def test_neither_null_nor_empty_text_sends_a_header(
    arguments: list[str], start: Start, silent_server: Callable[..., SilentServer]
) -> None:
    server = silent_server()
    run = start(CLIENT, *arguments, port=server.port)
    assert server.received.wait(lambda data: data.endswith(b"\r\n\r\n"), SOON), run.complaint("a request")
    assert b"Sec-WebSocket-Protocol" not in server.received.all[0]


# ------------------------------------------------------------------------------------- LWS203


@pytest.mark.parametrize(
    ("arguments", "row", "why"),
    [
        (["local=feeds"], ("0", "first"), "a name in no table leaves the connection with protocols[0]"),
        (["local=feed"], ("1", "feed"), "the name of a row binds to it"),
        (["protocol=feed"], ("1", "feed"), "protocol alone is looked up the same way"),
        (["protocol=feed,chat.v1"], ("0", "first"), "a list is compared as a whole and matches no row"),
        (["protocol=feed,chat.v1", "local=feed"], ("1", "feed"), "the local name binds beside a list"),
        (["protocol="], ("0", "first"), "an empty text is no name of a row"),
        ([], ("0", "first"), "no name at all is protocols[0]"),
    ],
)
def test_who_gets_the_events(
    arguments: list[str], row: tuple[str, str], why: str, start: Start, ws_server: Python
) -> None:
    server = ws_server(["feed"])
    run = start(CLIENT, *arguments, port=server.port)
    match = run.expect(r"^event (\d+) (\S+) CLIENT_RECEIVE .*" + GREETING, "the greeting is received")
    assert match.groups() == row, run.complaint(f"expected of lws: {why}, so row {row}")
    assert not run.seen(r"(?i)^log .*unknown protocol"), run.complaint("expected of lws: no word in the log")


def test_list_fixture_gets_its_events_at_row_0(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(["scores.v2"], certificates.good("scores.example.com").context())
    folder = FIXTURES / "unknown-local-protocol"
    bad = start(folder / "bad-list-without-local-name-c", port=server.port, ca=certificates.trusted)
    assert bad.expect(ESTABLISHED, "the handshake succeeds").groups() == ("0", "default"), bad.complaint(
        "expected of lws: events go to row 0, though the server chose scores.v2 and the table has it"
    )
    good = start(folder / "good-list-with-local-name-c", port=server.port, ca=certificates.trusted)
    assert good.expect(ESTABLISHED, "the handshake succeeds").groups() == ("0", "scores")
