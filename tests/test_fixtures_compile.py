"""Each fixture is a real program: gcc and g++ accept it against the installed libwebsockets headers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import fixture_marks

COMMANDS = {".c": ("gcc", "-std=gnu11"), ".cpp": ("g++", "-std=c++20")}
# -Wextra's complaints about what is idiomatic with libwebsockets: callbacks have parameters that they
# do not use, and tables leave fields out.
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-missing-field-initializers")
WORKERS = 2

UNITS = [
    path for case in fixture_marks.cases() for path in fixture_marks.sources(case) if path.suffix in COMMANDS
]


def compile_unit(path: Path) -> str:
    """What the compiler says about one translation unit; empty when it accepts it."""
    done = subprocess.run(
        [*COMMANDS[path.suffix], "-fsyntax-only", *WARNINGS, f"-I{path.parent}", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stderr if done.returncode else ""


def lacking() -> str:
    """What this machine lacks to compile a program that uses libwebsockets; empty when nothing."""
    for tool, _ in COMMANDS.values():
        if shutil.which(tool) is None:
            return f"no {tool}"
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder, "probe.c")
        probe.write_text("#include <libwebsockets.h>\n#include <uv.h>\n#include <openssl/ssl.h>\n")
        return "no headers of libwebsockets, libuv and OpenSSL" if compile_unit(probe) else ""


@pytest.fixture(scope="module")
def verdicts() -> Iterator[dict[Path, Future[str]]]:
    """The verdict on each unit.  All start at once, so that two compilers run while one test waits."""
    if reason := lacking():
        warnings.warn(pytest.PytestWarning(f"fixtures are not compiled: {reason}"), stacklevel=1)
        pytest.skip(f"FIXTURES NOT COMPILED: {reason} (Debian: apt-get install libwebsockets-dev gcc g++)")
    with ThreadPoolExecutor(WORKERS) as pool:
        yield {path: pool.submit(compile_unit, path) for path in UNITS}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.relative_to(fixture_marks.FOLDER)))
def test_fixture_compiles(path: Path, verdicts: dict[Path, Future[str]]) -> None:
    said = verdicts[path].result()
    assert not said, said


@pytest.mark.parametrize("suffix", COMMANDS)
def test_a_broken_unit_is_noticed(suffix: str, tmp_path: Path, verdicts: object) -> None:
    broken = tmp_path / f"broken{suffix}"
    broken.write_text("#include <libwebsockets.h>\nint main(void) { return lws_no_such_function(); }\n")
    assert "lws_no_such_function" in compile_unit(broken)
