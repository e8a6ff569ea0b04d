"""LWS101, LWS102, LWS103, LWS104: what another thread's calls do to a context that is being serviced.

TLS is taken away from the programs here: it has no part in this, and valgrind needs long for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from tests.real.harness import FIXTURES, PROGRAMS, SILENCE, SOON, Run, Start, has_event_libs, races
from tests.real.servers import WebSocketServer

Python = Callable[..., WebSocketServer]

LATE = PROGRAMS / "late.c"
WORDS = "late?"
ESTABLISHED = r" CLIENT_ESTABLISHED "

# A thread that was just started has reached poll() by then, with and without valgrind.
ASLEEP_MS, ASLEEP_UNDER_VALGRIND_MS = 500, 2500
UNDER_VALGRIND = 25.0


def race_in(run: Run, function: str, seconds: float = UNDER_VALGRIND) -> bool:
    """Whether helgrind sees a race inside libwebsockets below ``function``, now or within ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(function in race for race in races(run)):
            return True
        time.sleep(0.2)
    return False


# ------------------------------------------------------------------------------------- LWS101


def test_on_writable_from_another_thread_waits_for_something_else_to_wake_the_loop(
    start: Start, ws_server: Python
) -> None:
    server = ws_server()
    run = start(LATE, "writable", port=server.port)
    run.expect("^asked", "the call returns as if all were well")
    if not has_event_libs():
        assert server.got(WORDS, SOON), run.complaint("a build without event libraries wakes poll()")
        return
    assert not server.got(WORDS, 2 * SILENCE), run.complaint("no WRITEABLE while the loop is idle")
    server.poke()
    assert server.got(WORDS, SOON), run.complaint("WRITEABLE when a message from the server wakes the loop")


def test_queue_and_cancel_service_delivers_at_once(start: Start, ws_server: Python) -> None:
    server = ws_server()
    run = start(LATE, "cancel", port=server.port)
    run.expect("^asked", "the call returns")
    assert server.got(WORDS, SILENCE), run.complaint("EVENT_WAIT_CANCELLED, WRITEABLE and the write at once")


def test_helgrind_sees_on_writable_change_the_poll_table(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    run = start(LATE, "writable", port=ws_server().port, tool=helgrind)
    run.expect("^asked", "the call returns", UNDER_VALGRIND)
    assert race_in(run, "lws_callback_on_writable"), run.complaint("a race in lws_callback_on_writable()")


def test_helgrind_sees_nothing_wrong_with_cancel_service(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    server = ws_server()
    run = start(LATE, "cancel", port=server.port, tool=helgrind)
    assert server.got(WORDS, UNDER_VALGRIND), run.complaint("the words")
    assert races(run) == [], run.complaint("no race inside libwebsockets")


def test_helgrind_sees_writes_of_two_threads_meet(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    folder = FIXTURES / "off-thread-call"
    server = ws_server()
    bad = start(folder / "bad-producer-writes-c", port=server.port, tls="off", tool=helgrind)
    assert race_in(bad, "lws_write"), bad.complaint("a race in lws_write()")
    bad.stop()
    server = ws_server()
    good = start(folder / "good-producer-queues-c", port=server.port, tls="off", tool=helgrind)
    assert server.got("reading", UNDER_VALGRIND), good.complaint("the queued readings arrive")
    assert races(good) == [], good.complaint("no race inside libwebsockets")


# ------------------------------------------------------------------------------------- LWS102


def outcome(run: Run, messages: int) -> str:
    """How a client fares with a server that floods it: ``fine`` after so many messages, or what broke."""
    far = rf" CLIENT_RECEIVE count={messages} "
    broken = r" CLIENT_CONNECTION_ERROR | CLIENT_CLOSED "
    match = run.seen(f"{far}|{broken}", 3.0)
    if match is None:
        status = run.wait(0.2)
        return "stuck" if status is None else f"killed by signal {-status}"
    return "lost the connection" if "CLIENT_C" in match[0] else "fine"


@pytest.mark.parametrize("name", ["bad-same-routine-c", "bad-main-and-thread-c"])
def test_two_service_threads_break_the_connection(name: str, start: Start, ws_server: Python) -> None:
    server = ws_server(flood=True)
    seen = []
    for _ in range(8):
        run = start(FIXTURES / "concurrent-service" / name, port=server.port, tls="off")
        seen.append(outcome(run, 1 << 17))
        run.stop()
        if seen[-1] != "fine":
            return
    raise AssertionError(f"expected of lws: a crash, a stuck or a lost connection; seen: {seen}")


def test_a_context_for_each_thread_survives_the_flood(start: Start, ws_server: Python) -> None:
    server = ws_server(flood=True)
    run = start(FIXTURES / "concurrent-service" / "good-two-contexts-c", port=server.port)
    assert outcome(run, 1 << 14) == "fine", run.complaint("both contexts go on receiving")


def test_helgrind_sees_two_service_threads_meet(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    bad = start(
        FIXTURES / "concurrent-service" / "bad-same-routine-c",
        port=ws_server().port,
        tls="off",
        tool=helgrind,
    )
    assert race_in(bad, "lws_service"), bad.complaint("a race in lws_service()")


# ------------------------------------------------------------------------------------- LWS103

MOVED = FIXTURES / "context-moved-between-threads"


def test_connection_started_beside_a_sleeping_loop_hangs(start: Start, ws_server: Python) -> None:
    server = ws_server()
    run = start(MOVED / "bad-main-connects-c", port=server.port, tls="off", start_ms=ASLEEP_MS)
    run.expect("^connect returned a wsi", "lws_client_connect_via_info() returns as if all were well")
    if not has_event_libs():
        run.expect(ESTABLISHED, "a build without event libraries wakes poll()")
        return
    run.never(
        r"CLIENT_ESTABLISHED|CLIENT_CONNECTION_ERROR|APPEND_HANDSHAKE_HEADER",
        "the loop does not hear of the new connection: neither a handshake nor an error",
        2 * SILENCE,
    )


def test_connection_started_before_the_loop_is_established(start: Start, ws_server: Python) -> None:
    server = ws_server()
    run = start(MOVED / "good-main-connects-first-c", port=server.port, tls="off", start_ms=ASLEEP_MS)
    run.expect(ESTABLISHED, "the handshake succeeds")


def test_helgrind_sees_the_connection_made_on_two_threads(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    settings = {"port": ws_server().port, "tls": "off", "start_ms": ASLEEP_UNDER_VALGRIND_MS}
    bad = start(MOVED / "bad-main-connects-c", tool=helgrind, **settings)
    assert race_in(bad, "lws_client_connect_via_info"), bad.complaint(
        "a race in lws_client_connect_via_info()"
    )
    bad.stop()
    good = start(MOVED / "good-main-connects-first-c", tool=helgrind, **settings)
    good.expect(ESTABLISHED, "the handshake succeeds", UNDER_VALGRIND)
    assert races(good) == [], good.complaint("no race inside libwebsockets")


# ------------------------------------------------------------------------------------- LWS104

DESTROYED = FIXTURES / "destroy-while-serviced"


def test_destroying_beside_a_sleeping_loop_never_ends(start: Start, ws_server: Python) -> None:
    server = ws_server()
    run = start(DESTROYED / "bad-destroy-before-join-c", port=server.port, tls="off", start_ms=ASLEEP_MS)
    run.expect("^destroyed", "lws_context_destroy() returns")
    assert run.wait(2 * SILENCE) is None, run.complaint(
        "the service thread sleeps on, on sockets that are closed, and main waits for it"
    )


def test_destroying_after_the_join_ends(start: Start, ws_server: Python) -> None:
    server = ws_server()
    run = start(DESTROYED / "good-destroy-after-join-c", port=server.port, tls="off", start_ms=ASLEEP_MS)
    run.expect("^destroyed", "lws_context_destroy() returns")
    assert run.wait() == 0, run.complaint("the program ends")


def test_helgrind_sees_the_context_taken_apart_under_the_loop(
    start: Start, ws_server: Python, helgrind: Sequence[str]
) -> None:
    settings = {"port": ws_server().port, "tls": "off", "start_ms": ASLEEP_UNDER_VALGRIND_MS}
    bad = start(DESTROYED / "bad-destroy-before-join-c", tool=helgrind, **settings)
    assert race_in(bad, "lws_context_destroy"), bad.complaint("a race in lws_context_destroy()")
    bad.stop()
    good = start(DESTROYED / "good-destroy-after-join-c", tool=helgrind, **settings)
    good.expect("^destroyed", "lws_context_destroy() returns", UNDER_VALGRIND)
    assert good.wait(UNDER_VALGRIND) == 0, good.complaint("the program ends")
    assert races(good) == [], good.complaint("no race inside libwebsockets")
