"""Builds programs against the installed libwebsockets and watches them run.

A program is never changed for its proof: ``programs/spy.c`` is linked beside it, the linker's ``--wrap``
hands a few of its calls over, and what lws tells the program comes out on standard output, one line for
each event (the forms are listed at the top of ``spy.c``).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FIXTURES = FOLDER.parent.parent / "fixtures"
PROGRAMS = FOLDER / "programs"

WRAPPED = (
    "lws_create_context",
    "lws_client_connect_via_info",
    "pthread_create",
    "lws_context_destroy",
    "lws_vhost_destroy",
    "lws_serve_http_file",
    "nanosleep",
    "clock_nanosleep",
)
# Longest wait for something that lws does at once when it does it; generous for a machine under load.
SOON = 8.0
# How long nothing must happen before a test says that it does not happen.
SILENCE = 1.5

# One call in a stack that valgrind prints: function, and where it is.
_CALL = re.compile(r"==\d+==\s+(?:at|by) 0x[0-9A-F]+: (.*)")
HELGRIND = ("valgrind", "--tool=helgrind", "-q", "--history-level=approx")

_COMPILER = {".c": ("gcc", "-std=gnu11"), ".cpp": ("g++", "-std=c++20")}


def lacking() -> str:
    """What this machine lacks to build and run programs with libwebsockets; empty when nothing."""
    if not sys.platform.startswith("linux"):
        return "no Linux"
    for tool in ("gcc", "g++", "pkg-config"):
        if shutil.which(tool) is None:
            return f"no {tool}"
    if subprocess.run(["pkg-config", "--exists", "libwebsockets"], check=False).returncode:
        return "no libwebsockets with its headers"
    probe = "#include <libwebsockets.h>\n#if !defined(LWS_WITH_TLS)\n#error no TLS\n#endif\n"
    command = ["gcc", "-fsyntax-only", *_package("--cflags"), "-xc", "-"]
    done = subprocess.run(command, input=probe, capture_output=True, text=True, check=False)
    return "no libwebsockets with TLS" if done.returncode else ""


def version() -> str:
    """The release of the installed libwebsockets, such as ``4.1.6``."""
    return _package("--modversion")[0].rstrip("-")


def has_event_libs() -> bool:
    """Whether the installed library can run on libuv, libev and the like, as distributions build it: then
    it is without the code that tells a sleeping poll() of what another thread changed
    (lib/core-net/pollfd.c:46@v5.0.0)."""
    command = ["gcc", "-E", "-dM", *_package("--cflags"), "-xc", "-"]
    text = "#include <libwebsockets.h>\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    return re.search(r"(?m)^#define LWS_WITH_EVENT_LIBS\b", done.stdout) is not None


def build(sources: Sequence[Path], target: Path, prefix: Path | None = None, *, spied: bool = True) -> None:
    """Compiles and links C and C++ sources, with the spy unless it is not ``spied``; raises AssertionError
    with the compiler's words.

    ``prefix`` is where another libwebsockets than the system's is installed (see ``libraries.py``).
    """
    objects: list[Path] = []
    includes = _package("--cflags", prefix)
    for source in (*([PROGRAMS / "spy.c"] if spied else []), *sources):
        objects.append(target.with_name(f"{target.name}.{len(objects)}.o"))
        compiler = _COMPILER[source.suffix]
        options = ["-g", "-O1", f"-I{source.parent}", *includes]
        _tool([*compiler, *options, "-c", str(source), "-o", str(objects[-1])])
    wraps = [f"-Wl,--wrap={name}" for name in WRAPPED] if spied else []
    linker = "g++" if any(source.suffix == ".cpp" for source in sources) else "gcc"
    # Libraries of another TLS implementation define functions of OpenSSL's names: only what asks for
    # OpenSSL itself gets it.
    openssl = [] if prefix else ["-lssl", "-lcrypto"]
    tail = [*_package("--libs", prefix), *openssl, "-lpthread"]
    if prefix:
        tail.append(f"-Wl,-rpath,{prefix / 'lib'}")
    _tool([linker, *wraps, *map(str, objects), "-o", str(target), *tail])


def _package(question: str, prefix: Path | None = None) -> list[str]:
    """What pkg-config says about libwebsockets; ``PKG_CONFIG_PATH`` chooses another one than the system's."""
    chosen = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")} if prefix else {}
    done = subprocess.run(
        ["pkg-config", question, "libwebsockets"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, **chosen},
    )
    return done.stdout.split()


def _tool(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


class Run:
    """One run of a program, its lines as they come, and its end, which :meth:`stop` brings about."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._command = command
        self._more = threading.Condition()
        self._closed = False
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            with self._more:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._closed = True
            self._more.notify_all()

    def expect(self, pattern: str, why: str, seconds: float = SOON) -> re.Match[str]:
        """The first line that matches; fails when the program ends or time is up before there is one."""
        match = self.seen(pattern, seconds)
        assert match is not None, self.complaint(f"expected of lws: {why} (/{pattern}/)")
        return match

    def seen(self, pattern: str, seconds: float = 0.0) -> re.Match[str] | None:
        """The first line that matches, now or within ``seconds``; None when there is none."""
        wanted = re.compile(pattern)
        end = time.monotonic() + seconds
        at = 0
        with self._more:
            while True:
                for line in self.lines[at:]:
                    if match := wanted.search(line):
                        return match
                at = len(self.lines)
                left = end - time.monotonic()
                if self._closed or left <= 0:
                    return None
                self._more.wait(left)

    def never(self, pattern: str, why: str, seconds: float = SILENCE) -> None:
        """Fails when a line matches, now or within ``seconds``."""
        assert self.seen(pattern, seconds) is None, self.complaint(
            f"expected of lws: {why} (no /{pattern}/ within {seconds} s)"
        )

    def wait(self, seconds: float = SOON) -> int | None:
        """The exit status (negative: the signal); None while the program still runs after ``seconds``."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(SOON)
        return status

    def cpu_seconds(self) -> float:
        """CPU time that the running program has used, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def complaint(self, expected: str) -> str:
        """What was expected, and all that was seen: the text of a failed assertion."""
        status = self._process.poll()
        state = "still runs" if status is None else f"ended with {status}"
        shown = self.lines if len(self.lines) <= 120 else [*self.lines[:60], "…", *self.lines[-60:]]
        return "\n".join((expected, f"seen ({' '.join(self._command)}, {state}):", *shown))

    def stop(self) -> None:
        """Ends the program and whatever it started; harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(SOON)
        self._reader.join(SOON)
        if self._process.stdout is not None:
            self._process.stdout.close()


def races(run: Run) -> list[str]:
    """What helgrind says about accesses of one thread to what another uses, inside libwebsockets: the
    calls from the access outwards.  Races on the program's own variables are left out."""
    found = []
    for at, line in enumerate(run.lines):
        if "Possible data race" not in line:
            continue
        calls = itertools.takewhile(
            lambda text: _CALL.search(text),
            itertools.dropwhile(lambda text: "Locks held" in text, run.lines[at + 1 :]),
        )
        names = [match[1] for text in calls if (match := _CALL.search(text))]
        if names and "libwebsockets" in names[0]:
            found.append(" < ".join(name.split(" ")[0] for name in names))
    return found


# How tests start a program: the sources' folder or file, arguments, and settings of the spy.
Start = Callable[..., Run]


def sources(place: Path) -> list[Path]:
    """The sources of a program: those in a folder, or the one file itself."""
    if place.is_file():
        return [place]
    return sorted(path for path in place.iterdir() if path.suffix in _COMPILER)
