"""The other tools, each as a command that does what comes nearest to lwslint's work."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORDS = "lws|libwebsocket"


def search_path(extra: str) -> str:
    """Where tools are looked for: ``extra`` first."""
    return os.pathsep.join(filter(None, (extra, os.environ.get("PATH", ""))))


def find(name: str, extra: str = "") -> str | None:
    """The program of that name, or None."""
    return shutil.which(name, path=search_path(extra))


def lwslint(*options: str) -> list[str]:
    """A run of this checkout's lwslint on the working folder."""
    return [sys.executable, "-m", "lwslint", "--isolated", "--exit-zero", "--quiet", *options, "."]


def others(folder: pathlib.Path, extra: str = "") -> dict[str, list[str] | None]:
    """The commands for the working folder ``folder`` by the tool's name; None for one that is not here.

    clang-tidy gets every C file and no compilation database, as it is run on code that was not built:
    without the generated headers it sees less than in a build, and is faster.
    """
    sources = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.c"))]
    cores = str(os.cpu_count() or 1)
    commands = {
        "semgrep": [
            *("scan", "--config", str(HERE / "patterns.yaml"), "--metrics=off", "--disable-version-check"),
            *("--no-git-ignore", "--quiet", "."),
        ],
        "ast-grep": ["scan", "--rule", str(HERE / "ast_grep.yml"), "--report-style", "short", "."],
        "cppcheck": ["--quiet", "--enable=warning,style", "-j", cores, "."],
        "clang-tidy": ["--quiet", "--checks=-*,bugprone-*,concurrency-*", *sources, "--", "-w"],
        "rg": ["--files-with-matches", "--ignore-case", WORDS, "."],
    }
    found: dict[str, list[str] | None] = {}
    for name, arguments in commands.items():
        program = find(name, extra)
        found[name] = None if program is None else [program, *arguments]
    return found
