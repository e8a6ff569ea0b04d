"""Which Python files are parsed: those that talk WebSocket, and those next to them that matter.

Next to them are the modules that they import a TLS context from, the programs that import them and start
threads, and modules of the same package that use event loops on other threads.
"""

from __future__ import annotations

from collections.abc import Sequence

from lwslint.discovery import NO_IDIOM, NO_WEBSOCKET, Found
from lwslint.facts import FileFacts
from lwslint.frontends import python_prefilter as prefilter
from lwslint.memory import Memory
from lwslint.model.python_exposure import of_path
from lwslint.settings import Ladder

MAX_FILES = 100
MAX_IMPORTERS = 24  # a module that more files import is a common helper and pulls none of them in
_PACKAGE = "__init__"


def reason_against(data: bytes) -> str:
    """Why the file is not parsed for its own sake; empty when it is."""
    if not prefilter.uses_websocket(data):
        return NO_WEBSOCKET
    return "" if prefilter.holds_idiom(data) else NO_IDIOM


def pull(
    facts: Sequence[FileFacts], skipped: dict[str, Found], memory: Memory, ladder: Ladder
) -> list[Found]:
    """The files next to the parsed ones that the rules need, to be lowered too; takes them out of
    ``skipped``.

    ``facts`` may be empty: a thread may start in one file and use a connection in another, and neither
    alone has anything to report.
    """
    return [skipped.pop(path) for path in _wanted(facts, skipped, memory, ladder)[:MAX_FILES]]


def _wanted(
    facts: Sequence[FileFacts], skipped: dict[str, Found], memory: Memory, ladder: Ladder
) -> list[str]:
    imported = frozenset(part for file in facts for name in file.includes for part in name.split(".") if part)
    folders = frozenset(file.path.rpartition("/")[0] for file in facts)
    parsed = frozenset(_stem(file.path) for file in facts) - {_PACKAGE}
    wanted: set[str] = set()
    importers: dict[str, list[str]] = {}  # the files that start threads, by what they import
    waiting: dict[str, list[str]] = {}  # the files that use a connection but start none, by their names
    for path, file in skipped.items():
        if of_path(path, ladder) is not None:
            continue  # what tests and examples start threads with says nothing about the program
        says = memory.hints(file)
        stem = _stem(path)
        lends_context = stem in imported and says(prefilter.is_tls_helper)
        beside = path.rpartition("/")[0] in folders and says(prefilter.uses_loops_on_threads)
        if lends_context or beside:
            wanted.add(path)
        elif says(prefilter.starts_threads):
            for name in says(prefilter.imported_modules):
                importers.setdefault(name, []).append(path)
        elif says(prefilter.uses_loops) and says(prefilter.uses_websocket):
            waiting.setdefault(stem, []).append(path)
    for name in sorted(importers):
        if len(importers[name]) <= MAX_IMPORTERS and (name in parsed or name in waiting):
            wanted.update(importers[name])
            wanted.update(waiting.get(name, ()))
    return sorted(wanted)


def _stem(path: str) -> str:
    """The name by which others import the file: its folder's for a package."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return folder.rpartition("/")[2] if stem == _PACKAGE and folder else stem
