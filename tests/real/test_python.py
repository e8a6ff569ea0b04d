"""The Python rules: what clients with such mistakes really do.

The programs are in ``python/``; each line that lwslint reports there says so, and is checked first.  Each
case runs in a process of its own, against servers on loopback; a case whose library is not installed is
skipped.
"""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import fixture_marks
from tests.fixture_runs import lint, reports
from tests.real.certificates import Certificates, Identity
from tests.real.conftest import not_proved
from tests.real.servers import SilentServer, WebSocketServer

PROGRAMS = Path(__file__).parent / "python"
TIMEOUT = 40  # seconds that a case may take on a machine that is busy
SOON = 1.0

Server = Callable[..., WebSocketServer]
LIBRARIES = {
    "websockets": "websockets",
    "websocket_client": "websocket",
    "aiohttp": "aiohttp",
    "tornado": "tornado",
    "httpx": "httpx_ws",
    "autobahn": "autobahn.twisted",
    "paho": "paho",
}


def test_lwslint_reports_what_is_proved_here() -> None:
    wrong = fixture_marks.complaints(fixture_marks.read(PROGRAMS), reports(PROGRAMS, lint(PROGRAMS)))
    assert not wrong, "\n".join(wrong)


def run(program: str, case: str, *arguments: object) -> str:
    """What one case prints; it is killed when it takes too long."""
    library = next((module for name, module in LIBRARIES.items() if case.startswith(name)), "websockets")
    try:
        found = importlib.util.find_spec(library)
    except ModuleNotFoundError:
        found = None
    if found is None:
        not_proved(f"tests/real: NOT PROVED WITHOUT {library.partition('.')[0]}: {program} {case}")
    command = [sys.executable, "-P", str(PROGRAMS / f"{program}.py"), case, *map(str, arguments)]
    # asyncio's debug mode raises where asyncio itself is silent.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONASYNCIODEBUG", "PYTHONDEVMODE")}
    environment["PYTHONWARNINGS"] = "ignore"
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment,
        check=False,
    )
    return done.stdout + done.stderr


# ------------------------------------------------------------------------------------- LWS202


@pytest.mark.parametrize("library", ["websocket_client", "aiohttp", "tornado", "httpx"])
def test_a_bare_string_is_offered_letter_by_letter(ws_server: Server, library: str) -> None:
    server = ws_server(["chat.v1"])
    said = run("offers", f"{library}_bare", server.port)
    assert re.sub(r"\s", "", str(server.offers.all[0])) == "c,h,a,t,.,v,1"
    assert said.startswith("failed"), said


def test_websockets_raises_for_a_bare_string(ws_server: Server) -> None:
    server = ws_server(["chat.v1"])
    assert run("offers", "websockets_bare", server.port).startswith("failed TypeError")
    assert not server.offers.all


@pytest.mark.parametrize("library", ["websockets", "websocket_client"])
def test_a_comma_in_an_element(ws_server: Server, library: str) -> None:
    server = ws_server(["chat.v1", "chat.v2"])
    assert run("offers", f"{library}_comma", server.port).startswith("failed")
    assert run("offers", f"{library}_list", server.port).startswith("chosen chat.v")


def test_the_header_by_hand(ws_server: Server) -> None:
    server = ws_server(["chat.v1"])
    assert run("offers", "websockets_header", server.port).startswith("failed")
    assert run("offers", "websocket_client_header", server.port) == "chosen None\n"


def test_websocket_client_gives_the_choice_in_lower_case(ws_server: Server) -> None:
    port = ws_server(["Chat.V3"]).port
    assert run("offers", "websocket_client_upper", port) == "chosen ('chat.v3', False)\n"


# ------------------------------------------------------------------------------------- LWS401, LWS403

BAD: dict[str, Callable[[Certificates], Identity]] = {
    "self-signed": Certificates.self_signed,
    "wrong-host": Certificates.wrong_host,
    "expired": Certificates.expired,
}
EVERYTHING = frozenset(BAD)


@pytest.mark.parametrize(
    ("case", "accepted"),
    [
        ("websockets_strict", frozenset()),
        ("websockets_no_hostname", {"wrong-host"}),
        ("websockets_unverified", EVERYTHING),
        ("websockets_bare_context", EVERYTHING),
        ("websockets_no_check_time", {"expired"}),
        ("websocket_client_strict", frozenset()),
        ("websocket_client_cert_none", EVERYTHING),
        ("websocket_client_no_hostname", {"wrong-host"}),
        ("websocket_client_context", frozenset()),
        ("websocket_client_unknown_key", frozenset()),
        ("aiohttp_strict", frozenset()),
        ("aiohttp_ssl_false", EVERYTHING),
        ("tornado_strict", frozenset()),
        ("tornado_validate_cert", EVERYTHING),
        ("httpx_strict", frozenset()),
        ("httpx_verify", EVERYTHING),
        ("autobahn_strict", frozenset()),
        ("autobahn_default", EVERYTHING),
    ],
)
def test_which_certificates_are_accepted(
    ws_server: Server, certificates: Certificates, case: str, accepted: frozenset[str]
) -> None:
    said = {}
    for name, make in {"good": Certificates.good, **BAD}.items():
        server = ws_server(tls=make(certificates).context())
        said[name] = run("certificates", case, server.port, certificates.trusted)
    connected = {name for name, text in said.items() if "connected" in text.splitlines()}
    assert connected == {"good", *accepted}, said


def test_paho_shakes_hands_with_anybody(
    silent_server: Callable[..., SilentServer], certificates: Certificates
) -> None:
    """Its WebSocket handshake needs a broker; whether TLS was accepted shows before it."""
    done = {}
    for case in ("paho_strict", "paho_cert_none"):
        server = silent_server(tls=certificates.wrong_host().context(), answer=b"HTTP/1.1 400 No\r\n\r\n")
        run("certificates", case, server.port, certificates.trusted)
        done[case] = any(data.startswith(b"GET /mqtt") for data in server.received.all)
    assert done == {"paho_strict": False, "paho_cert_none": True}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_spoken_where_they_are_let_in(ws_server: Server, certificates: Certificates) -> None:
    context = certificates.good().context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    port = ws_server(tls=context).port
    assert "TLSv1\nconnected" in run("certificates", "old_version", port, certificates.trusted)
    assert run("certificates", "websockets_strict", port, certificates.trusted).startswith("failed SSL")


def test_which_patches_of_ssl_count(ws_server: Server, certificates: Certificates) -> None:
    port = ws_server(tls=certificates.self_signed().context()).port
    said = run("certificates", "patched", port, certificates.trusted)
    assert "_create_default_https_context does not count" in said
    assert said.endswith("connected\n")


# ------------------------------------------------------------------------------------- LWS109


def test_a_task_that_another_thread_makes_waits_for_the_loop_to_wake(ws_server: Server) -> None:
    server = ws_server()
    began = time.monotonic()
    run("threads", "task", server.port)
    late = [at - began for at, text in server.messages.all if text == "by create_task"]
    server = ws_server()
    began = time.monotonic()
    run("threads", "hop", server.port)
    [prompt] = [at - began for at, text in server.messages.all if text == "by hop"]
    # Never, or when the case's own time-out woke the loop three seconds later.
    assert not late or late[0] > prompt + SOON


@pytest.mark.parametrize("kind", ["event", "queue"])
def test_who_waits_for_an_event_or_a_queue_is_not_woken(ws_server: Server, kind: str) -> None:
    port = ws_server().port
    late, prompt = (woken(run("threads", case, port)) for case in (kind, f"{kind}_hop"))
    # The thread speaks after 0.3 seconds; the loop wakes for its own time-out after three.
    assert late > 2.5
    assert prompt < 2


def woken(said: str) -> float:
    match = re.fullmatch(r"woken after (\S+)\n", said)
    assert match is not None, said
    return float(match[1])


def test_a_second_loop_cannot_receive(ws_server: Server) -> None:
    assert "failed RuntimeError" in run("threads", "own_loop_recv", ws_server().port)


def test_a_thread_without_a_loop_cannot_make_tasks(ws_server: Server) -> None:
    assert "failed RuntimeError no running event loop" in run("threads", "current", ws_server().port)


def test_the_main_thread_does_not_wake_a_background_loop(ws_server: Server) -> None:
    server = ws_server()
    run("threads", "background", server.port)
    assert not server.messages.all
    run("threads", "background_hop", server.port)
    assert [text for _, text in server.messages.all] == ["from the main thread by hop"]


def test_a_background_loop_is_already_running(ws_server: Server) -> None:
    said = run("threads", "background_wait", ws_server().port)
    assert "failed RuntimeError This event loop is already running" in said


def test_waiting_for_ones_own_loop_is_a_deadlock() -> None:
    assert run("threads", "deadlock", 0) == "deadlock\n"


def test_a_blocking_client_stops_the_loop(silent_server: Callable[..., SilentServer]) -> None:
    said = run("threads", "blocking", silent_server().port)
    assert "ticks while connecting: 0" in said
