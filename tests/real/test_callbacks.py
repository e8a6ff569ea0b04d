"""LWS301, LWS302: what hangs or spins when an event does not reach the code that has to see it.  LWS306: what
is written in front of a message."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.real.harness import FIXTURES, PROGRAMS, SILENCE, SOON, Run, Start
from tests.real.servers import LOOPBACK, SilentServer

DUMMY = FIXTURES / "missing-http-dummy"
HTTP_CLIENT = FIXTURES / "http-client-falls-through"

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"x" * 1000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n" + BODY
# What a closed connection adds to what was read.
CLOSED = b"<closed>"
BODY_WAITS = r" RECEIVE_CLIENT_HTTP count=%d "


def listening(run: Run) -> int:
    return int(run.expect(r"^listening (\d+)", "the server listens")[1])


def read_until(client: socket.socket, wanted: bytes, seconds: float) -> bytes:
    """What arrives until ``wanted`` is in it, the connection closes, or time is up."""
    end = time.monotonic() + seconds
    data = b""
    while wanted not in data and (left := end - time.monotonic()) > 0:
        client.settimeout(left)
        try:
            more = client.recv(65536)
        except TimeoutError:
            break
        if not more:
            return data + CLOSED
        data += more
    return data


# ------------------------------------------------------------------------------------- LWS301


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_get_without_the_dummy_is_never_answered(language: str, start: Start) -> None:
    run = start(DUMMY / f"bad-server-first-protocol-{language}")
    with socket.create_connection((LOOPBACK, listening(run))) as client:
        client.sendall(GET)
        run.expect(r"^event 0 \S+ HTTP count=1 ", "the callback is asked about the GET")
        assert read_until(client, b"\r\n", SILENCE) == b"", run.complaint("no answer at all, and no close")


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_get_with_the_dummy_is_404_at_once(language: str, start: Start) -> None:
    run = start(DUMMY / f"good-server-first-protocol-{language}")
    with socket.create_connection((LOOPBACK, listening(run))) as client:
        started = time.monotonic()
        client.sendall(GET)
        answer = read_until(client, b"\r\n", SOON)
        took = time.monotonic() - started
    assert answer.startswith(b"HTTP/1.1 404"), run.complaint(f"404; the client got {answer!r}")
    assert took < SILENCE, f"404 at once; it took {took:.1f} s"


def test_websocket_works_without_the_dummy(start: Start) -> None:
    """Why the mistake is not noticed: what the server is made for does work."""
    run = start(DUMMY / "bad-server-first-protocol-c")
    with connect(f"ws://{LOOPBACK}:{listening(run)}/", compression=None) as client:
        client.send("anything")
        assert client.recv(timeout=SOON) == "ok"


def second_get(run: Run) -> tuple[float, bytes]:
    """Two requests on one connection: how long the second takes (at most ``SOON``), and its answer."""
    with socket.create_connection((LOOPBACK, listening(run))) as client:
        client.sendall(GET)
        first = read_until(client, BODY, SOON)
        assert first.endswith(BODY), run.complaint(f"the first GET gets the file; the client got {first!r}")
        started = time.monotonic()
        client.sendall(GET)
        answer = read_until(client, BODY, SOON)
        return time.monotonic() - started, answer


def test_second_get_has_no_body_when_file_completion_is_lost(
    start: Start, library: str, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(BODY)
    run = start(DUMMY / "bad-file-completion-c", file=page)
    took, answer = second_get(run)
    run.expect(r" HTTP_FILE_COMPLETION ", "the callback is told of the end of the file")
    if int(library.split(".")[0]) >= 5:
        assert answer.endswith(BODY), run.complaint(f"5.0 serves it all the same; the client got {answer!r}")
        return
    assert BODY[:1] not in answer.partition(b"\r\n\r\n")[2].removesuffix(CLOSED) and took > 3, run.complaint(
        f"a stall, and no body; the second GET took {took:.2f} s and got {answer!r}"
    )


def test_second_get_is_served_when_file_completion_is_seen(start: Start, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(BODY)
    run = start(DUMMY / "good-file-completion-c", file=page)
    took, answer = second_get(run)
    assert answer.endswith(BODY) and took < SILENCE, run.complaint(
        f"the second GET at once; it took {took:.2f} s and got {answer!r}"
    )


# ------------------------------------------------------------------------------------- LWS302


@pytest.mark.parametrize("name", ["bad-body-never-read-c", "bad-body-reaches-dummy-c"])
def test_unread_body_spins(name: str, start: Start, silent_server: Callable[..., SilentServer]) -> None:
    server = silent_server(answer=ANSWER)
    run = start(HTTP_CLIENT / name, port=server.port, tls="off")
    run.expect(BODY_WAITS % 4096, "the callback is asked to read thousands of times")
    before = run.cpu_seconds()
    time.sleep(1)
    used = run.cpu_seconds() - before
    assert used > 0.3, run.complaint(f"a loop that spins; it used {used:.2f} s of CPU in one second")
    assert not run.seen(r" RECEIVE_CLIENT_HTTP_READ "), run.complaint("no byte of the body is delivered")
    assert not run.seen(r" COMPLETED_CLIENT_HTTP "), run.complaint("and no end")


def test_read_body_arrives_and_the_loop_rests(
    start: Start, silent_server: Callable[..., SilentServer]
) -> None:
    server = silent_server(answer=ANSWER)
    run = start(HTTP_CLIENT / "good-body-read-c", port=server.port, tls="off")
    run.expect(r" RECEIVE_CLIENT_HTTP_READ ", "the body is delivered")
    run.expect(r" COMPLETED_CLIENT_HTTP ", "the transaction ends")
    assert not run.seen(BODY_WAITS % 64), run.complaint("a few reads are enough")
    assert run.wait() == 0


# ------------------------------------------------------------------------------------- LWS306

ROOM = PROGRAMS / "room.c"
MEMCHECK = ("valgrind", "-q", "--error-exitcode=0")


def message_of(run: Run) -> str | bytes:
    with connect(f"ws://{LOOPBACK}:{listening(run)}/", compression=None) as client:
        return client.recv(timeout=SOON)


def test_a_message_with_room_in_front_arrives(start: Start) -> None:
    assert message_of(start(ROOM, "room")) == "hello"


def test_a_literal_is_a_crash_at_once(start: Start) -> None:
    """The header goes into memory that cannot be written."""
    run = start(ROOM, "literal")
    with pytest.raises(ConnectionClosed):
        message_of(run)
    assert run.wait() == -signal.SIGSEGV, run.complaint("the server crashes on its first message")


def test_in_front_of_a_heap_block_the_heap_is_written_to(
    start: Start, lacking: Callable[[str], object]
) -> None:
    if shutil.which("valgrind") is None:
        lacking("NO WRITES TO THE HEAP LOOKED FOR: no valgrind")
    run = start(ROOM, "heap", tool=MEMCHECK)
    # The message arrives all the same: nobody notices in a test.
    assert message_of(run) == "hello"
    run.expect(r"Invalid write", "the header lands in front of the block")
    run.expect(r"is 2 bytes before a block of size 5 alloc'd", "namely two bytes of it")
