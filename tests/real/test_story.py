"""The program of the README, run: with its four mistakes against real servers, and repaired.

The radio in the story negotiates no subprotocol.  The bad program is ``fixtures/wave_relay/bad`` as it
stands.  The repaired one is what ``lwslint --fix --unsafe-fixes`` makes of it, with the two edits by hand
that the report then still asks for.  The spy only sends them to loopback and shortens their sleep.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from lwslint import cli
from tests.real.certificates import OTHER_HOST, Certificates
from tests.real.harness import FIXTURES, SILENCE, SOON, Start
from tests.real.servers import GREETING, SilentServer, WebSocketServer
from tests.real.test_threads import UNDER_VALGRIND, race_in

Python = Callable[..., WebSocketServer]

BAD = FIXTURES / "wave_relay" / "bad"
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


# ------------------------------------------------------------------------------------- the repair


class Edit(NamedTuple):
    """A change by hand: in ``file``, the one place that says ``old`` now says ``new``."""

    file: str
    old: str
    new: str


# What the help of LWS104 says: stop, lws_cancel_service(), join, and destroy after that.
JOIN_FIRST = (
    Edit(
        "relay_client.cpp",
        "    if (context_)\n        lws_context_destroy(context_);",
        "    if (service_.joinable()) {\n"
        "        service_.request_stop();\n"
        "        lws_cancel_service(context_);\n"
        "        service_.join();\n"
        "    }\n"
        "    if (context_)\n        lws_context_destroy(context_);",
    ),
)
# What the help of LWS101 says: queue, lws_cancel_service(), EVENT_WAIT_CANCELLED, on_writable, WRITEABLE.
QUEUE = (
    Edit(
        "relay_client.hpp", "#include <string>\n", "#include <deque>\n#include <mutex>\n#include <string>\n"
    ),
    Edit("relay_client.hpp", "    bool connect();\n", "    bool connect();\n    int write_next();\n"),
    Edit(
        "relay_client.hpp",
        "    std::jthread service_;\n",
        "    std::mutex mutex_;\n    std::deque<std::string> commands_;\n    std::jthread service_;\n",
    ),
    Edit(
        "relay_client.cpp",
        "    if (!wsi_)\n        return;\n    std::vector",
        "    {\n"
        "        std::lock_guard<std::mutex> hold(mutex_);\n"
        "        commands_.push_back(command);\n"
        "    }\n"
        "    if (context_)\n"
        "        lws_cancel_service(context_);\n"
        "}\n\n"
        "int RelayClient::write_next()\n"
        "{\n"
        "    std::lock_guard<std::mutex> hold(mutex_);\n"
        "    if (commands_.empty())\n"
        "        return 0;\n"
        "    const std::string command = commands_.front();\n"
        "    commands_.pop_front();\n"
        "    if (!commands_.empty())\n"
        "        lws_callback_on_writable(wsi_);\n"
        "    std::vector",
    ),
    Edit(
        "relay_client.cpp",
        "    lws_write(wsi_, frame.data() + LWS_PRE, command.size(), LWS_WRITE_TEXT);",
        "    return lws_write(wsi_, frame.data() + LWS_PRE, command.size(), LWS_WRITE_TEXT) < 0 ? -1 : 0;",
    ),
    Edit(
        "relay_client.cpp",
        "        self->wsi_ = wsi;\n        break;\n",
        "        self->wsi_ = wsi;\n"
        "        lws_callback_on_writable(wsi);\n"
        "        break;\n"
        "    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:\n"
        "        if (self->wsi_)\n"
        "            lws_callback_on_writable(self->wsi_);\n"
        "        break;\n"
        "    case LWS_CALLBACK_CLIENT_WRITEABLE:\n"
        "        return self->write_next();\n",
    ),
)


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bad program, repaired as lwslint says: by its fixes, and where it has none by hand."""
    tree = tmp_path_factory.mktemp("story") / "relay"
    shutil.copytree(BAD, tree)
    assert run_lwslint(tree) == ["LWS101", "LWS104", "LWS201", "LWS301", "LWS401"]
    assert run_lwslint(tree, "--fix", "--unsafe-fixes") == ["LWS101", "LWS104"]
    edit_by_hand(tree, JOIN_FIRST)
    assert run_lwslint(tree) == ["LWS101"]
    edit_by_hand(tree, QUEUE)
    assert run_lwslint(tree) == []
    return tree


def run_lwslint(tree: Path, *options: str) -> list[str]:
    """The codes of what ``lwslint`` reports (at the end, if it is to fix)."""
    printed = io.StringIO()
    with chdir(tree), redirect_stdout(printed), redirect_stderr(io.StringIO()):
        cli.main([".", "--no-cache", "--output-format", "json", *options])
    return sorted(found["code"] for found in json.loads(printed.getvalue())["diagnostics"])


def edit_by_hand(tree: Path, edits: Sequence[Edit]) -> None:
    for file, old, new in edits:
        text = (tree / file).read_text()
        assert text.count(old) == 1, f"{file} says once:\n{old}\nin:\n{text}"
        (tree / file).write_text(text.replace(old, new))


def test_the_repair_ends_every_finding(repaired: Path) -> None:
    """Told here too, so that it is checked where the library is not installed."""
    text = (repaired / "relay_client.cpp").read_text()
    assert "LCCSCF_USE_SSL;" in text and "info.protocol = nullptr;" in text


# ------------------------------------------------------------------------------------- the repaired program


@pytest.mark.parametrize("speaks", [[], None], ids=["strict", "lenient"])
def test_repaired_program_exchanges_a_message(
    speaks: list[str] | None, start: Start, ws_server: Python, certificates: Certificates, repaired: Path
) -> None:
    server = ws_server(speaks, certificates.good(RADIO).context())
    run = start(repaired, port=server.port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(ESTABLISHED, "the handshake without an offer succeeds, and the row's callback runs")
    run.expect(rf" CLIENT_RECEIVE .*{GREETING}", "the samples arrive")
    assert server.got(COMMAND, SOON), run.complaint("the command that main queued is written")
    assert server.offers.all == [None]
    assert run.wait() == 0, run.complaint("the program ends")


def test_repaired_program_exchanges_a_message_with_an_lws_server(
    start: Start, lws_server: Callable[..., int], certificates: Certificates, repaired: Path
) -> None:
    radio = certificates.good(RADIO)
    port = lws_server(str(radio.chain), str(radio.key))
    run = start(repaired, port=port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(rf" CLIENT_RECEIVE .*{COMMAND}", "the server's echo of the command arrives")
    assert run.wait() == 0, run.complaint("the program ends")


def test_repaired_program_refuses_the_impostor(
    start: Start, ws_server: Python, certificates: Certificates, repaired: Path
) -> None:
    server = ws_server(None, certificates.self_signed(OTHER_HOST).context())
    run = start(repaired, port=server.port, ca=certificates.trusted, sleep_ms=BRIEFLY_MS)
    run.expect(FAILED, "LCCSCF_USE_SSL alone refuses the certificate")
    assert not run.seen(ESTABLISHED)


def test_helgrind_sees_nothing_wrong_with_the_repaired_program(
    start: Start, ws_server: Python, helgrind: Sequence[str], repaired: Path
) -> None:
    server = ws_server()
    run = start(repaired, port=server.port, tls="off", sleep_ms=3 * BRIEFLY_MS, tool=helgrind)
    assert server.got(COMMAND, UNDER_VALGRIND), run.complaint("the command arrives")
    assert run.wait(UNDER_VALGRIND) == 0, run.complaint("the program ends")
    assert not race_in(run, "", 0.1), run.complaint("no race inside libwebsockets")
