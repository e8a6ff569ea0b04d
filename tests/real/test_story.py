"""The program of the README, run: with its four mistakes against real servers, and repaired.

The radio in the story negotiates no subprotocol.  The programs are ``fixtures/wave_relay`` as they stand;
the spy only sends them to loopback and shortens their sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.real.certificates import OTHER_HOST, Certificates
from tests.real.harness import FIXTURES, SILENCE, SOON, Start
from tests.real.servers import GREETING, SilentServer, WebSocketServer
from tests.real.test_threads import UNDER_VALGRIND, race_in

Python = Callable[..., WebSocketServer]

BAD, REPAIRED = FIXTURES / "wave_relay" / "bad", FIXTURES / "wave_relay" / "repaired"
RADIO = "radio.example.net"
NAME = "wave_relay_protocol"
COMMAND = "start"

ESTABLISHED = rf"^event 0 {NAME} CLIENT_ESTABLISHED "
FAILED = r" CLIENT_CONNECTION_ERROR count=1 user=\w+ (.*)"
BRIEFLY_MS = 1000  # instead of the program's two seconds and sixty


# ------------------------------------------------------------------------------------- the bad program


def test_bad_program_fails_with_an_lws_server(
    start: Start, lws_server: Callable[..., int], certificates: Certificates
) -> None:
    radio = certificates.good(RADIO)
    run = start(BAD, port=lws_server(str(radio.chain), str(radio.key)), ca=certificates.trusted)
    text = run.expect(FAILED, "TLS comes up, then the server drops the connection")[1]
    assert "protocol" not in text.lower() and not run.seen("(?i)^log .*protocol"), run.complaint(
        "no word about the subprotocol"
    )


def test_bad_program_fails_with_a_server_that_negotiates_none(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server([], certificates.good(RADIO).context())
    run = start(BAD, port=server.port, ca=certificates.trusted)
    run.expect(FAILED, "the server's 400 ends the handshake")
    assert server.offers.all == [NAME]


def test_bad_program_hangs_with_a_server_that_keeps_silent(
    start: Start, silent_server: Callable[..., SilentServer], certificates: Certificates
) -> None:
    server = silent_server(certificates.good(RADIO).context())
    run = start(BAD, port=server.port, ca=certificates.trusted)
    offer = f"Sec-WebSocket-Protocol: {NAME}\r\n".encode()
    assert server.received.wait(lambda data: offer in data, SOON), run.complaint(f"{offer!r} on the wire")
    run.never(f"{ESTABLISHED}|{FAILED}", "silence, as in the story", 2 * SILENCE)


def test_bad_program_talks_to_an_impostor(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    """Whose certificate is self-signed and for another name, and who takes any offer."""
    server = ws_server(None, certificates.self_signed(OTHER_HOST).context())
    run = start(BAD, port=server.port)
    run.expect(ESTABLISHED, "the flags let any certificate pass")
    run.expect(rf" CLIENT_RECEIVE .*{GREETING}", "and the impostor's data is taken")


def test_bad_program_never_ends(start: Start, ws_server: Python) -> None:
    run = start(BAD, port=ws_server().port, tls="off", sleep_ms=BRIEFLY_MS)
    run.expect("^destroyed", "the destructor has destroyed the context")
    assert run.wait(2 * SILENCE) is None, run.complaint("the jthread never leaves poll(), the join waits")


def test_helgrind_sees_the_bad_program_write_on_main(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    run = start(BAD, port=ws_server().port, tls="off", sleep_ms=3 * BRIEFLY_MS, tool=helgrind)
    assert race_in(run, "lws_write"), run.complaint("a race in lws_write(), called by RelayClient::send()")


# ------------------------------------------------------------------------------------- the repaired twin


@pytest.mark.parametrize("speaks", [[], None], ids=["strict", "lenient"])
def test_repaired_program_exchanges_a_message(
    speaks: list[str] | None, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(speaks, certificates.good(RADIO).context())
    run = start(REPAIRED, port=server.port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(ESTABLISHED, "the handshake without an offer succeeds, and the row's callback runs")
    run.expect(rf" CLIENT_RECEIVE .*{GREETING}", "the samples arrive")
    assert server.got(COMMAND, SOON), run.complaint("the command that main queued is written")
    assert server.offers.all == [None]
    assert run.wait() == 0, run.complaint("the program ends")


def test_repaired_program_exchanges_a_message_with_an_lws_server(
    start: Start, lws_server: Callable[..., int], certificates: Certificates
) -> None:
    radio = certificates.good(RADIO)
    port = lws_server(str(radio.chain), str(radio.key))
    run = start(REPAIRED, port=port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(rf" CLIENT_RECEIVE .*{COMMAND}", "the server's echo of the command arrives")
    assert run.wait() == 0, run.complaint("the program ends")


def test_repaired_program_refuses_the_impostor(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(None, certificates.self_signed(OTHER_HOST).context())
    run = start(REPAIRED, port=server.port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(FAILED, "LCCSCF_USE_SSL alone refuses the certificate")
    assert not run.seen(ESTABLISHED)


def test_helgrind_sees_nothing_wrong_with_the_repaired_program(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    server = ws_server()
    run = start(REPAIRED, port=server.port, tls="off", sleep_ms=3 * BRIEFLY_MS, tool=helgrind)
    assert server.got(COMMAND, UNDER_VALGRIND), run.complaint("the command arrives")
    assert run.wait(UNDER_VALGRIND) == 0, run.complaint("the program ends")
    assert not race_in(run, "", 0.1), run.complaint("no race inside libwebsockets")
