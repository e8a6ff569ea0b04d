"""What the proofs share: programs built once, runs and servers that end with their test."""

from __future__ import annotations

import hashlib
import shutil
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tests.real import harness
from tests.real.certificates import Certificates
from tests.real.harness import Run, Start
from tests.real.servers import SilentServer, WebSocketServer

_not_run: list[str] = []


def not_proved(what: str) -> NoReturn:
    """Skips a test, and says so in the last lines of the run."""
    _not_run.append(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def library() -> str:
    """The release of the library that all this is proved against; skips where there is none."""
    if reason := harness.lacking():
        _not_run.append(f"tests/real: NOTHING PROVED AGAINST THE REAL LIBRARY: {reason}")
        pytest.skip(f"NOT PROVED: {reason} (Debian: apt-get install libwebsockets-dev gcc g++ pkg-config)")
    return harness.version()


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """Skips a test for a reason that the end of pytest's output repeats."""

    def skip(reason: str) -> NoReturn:
        _not_run.append(f"tests/real: {reason}")
        pytest.skip(f"NOT PROVED: {reason}")

    return skip


@pytest.fixture(scope="session")
def helgrind() -> Sequence[str]:
    """The command that runs a program under valgrind's race detector; skips where there is none."""
    if shutil.which("valgrind") is None:
        _not_run.append("tests/real: NO RACES LOOKED FOR: no valgrind")
        pytest.skip("NOT PROVED: no valgrind (Debian: apt-get install valgrind)")
    return harness.HELGRIND


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A race shows in most runs of a racing program, not in each; and on a machine that is busy a program
    under valgrind may miss its server.  Such a test runs again, from the start, up to three times."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=3, reruns_delay=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in dict.fromkeys(_not_run):
        terminalreporter.write_line(line, red=True)


@pytest.fixture(scope="session")
def build(library: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Builds the program in a folder or a file, once in a session."""
    folder = tmp_path_factory.mktemp("programs")

    def built(place: Path) -> Path:
        name = f"{place.stem}-{hashlib.sha256(str(place).encode()).hexdigest()[:12]}"
        if not (folder / name).exists():
            harness.build(harness.sources(place), folder / name)
        return folder / name

    return built


@pytest.fixture
def ws_server() -> Iterator[Callable[..., WebSocketServer]]:
    servers: list[WebSocketServer] = []

    def started(
        speaks: Sequence[str] | None = None, tls: ssl.SSLContext | None = None, flood: bool = False
    ) -> WebSocketServer:
        servers.append(WebSocketServer(speaks, tls, flood))
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def silent_server() -> Iterator[Callable[..., SilentServer]]:
    servers: list[SilentServer] = []

    def started(tls: ssl.SSLContext | None = None, answer: bytes = b"") -> SilentServer:
        servers.append(SilentServer(tls, answer))
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def start(build: Callable[[Path], Path], ws_server: object, silent_server: object) -> Iterator[Start]:
    """Starts a program: the place of its sources, or itself, its arguments, ``tool=`` to run it under,
    and the spy's settings by name (``port=``, ``ca=``, ``tls=``, ``sleep_ms=``, …).

    It asks for the servers only to be torn down before them: they would wait for their clients.
    """
    runs: list[Run] = []

    def started(place: Path, *arguments: str, tool: Sequence[str] = (), **settings: object) -> Run:
        environment = {f"SPY_{name.upper()}": str(value) for name, value in settings.items()}
        program = build(place) if place.is_dir() or place.suffix else place
        runs.append(Run([*tool, str(program), *arguments], environment))
        return runs[-1]

    yield started
    for run in runs:
        run.stop()


@pytest.fixture
def lws_server(start: Start) -> Callable[..., int]:
    """Starts the lws server of ``programs/server.c`` and returns its port."""

    def started(*arguments: str) -> int:
        run = start(harness.PROGRAMS / "server.c", *arguments)
        return int(run.expect(r"^listening (\d+)", "the server listens")[1])

    return started


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
