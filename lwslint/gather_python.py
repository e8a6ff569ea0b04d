"""Which Python files are parsed: those that talk WebSocket, and those next to them that matter.

Next to them are the modules that they import a TLS context from, the programs that import them and start
threads, and modules of the same package that use event loops on other threads.
"""

from __future__ import annotations

from collections.abc import Sequence

from lwslint import source
from lwslint.discovery import NO_IDIOM, NO_WEBSOCKET, Found, Skipped
from lwslint.facts import FileFacts
from lwslint.frontends import python_prefilter as prefilter
from lwslint.model.python_exposure import of_path
from lwslint.settings import Settings
from lwslint.source import ReadError
from lwslint.workers import Unit

MAX_FILES = 100
MAX_IMPORTERS = 24  # a module that more files import is a common helper and pulls none of them in
_PACKAGE = "__init__"


def one(file: Found, data: bytes) -> Unit | Skipped:
    """The file as something to lower, when it talks WebSocket."""
    if not prefilter.uses_websocket(data):
        return Skipped(file.path, NO_WEBSOCKET)
    if not prefilter.holds_idiom(data):
        return Skipped(file.path, NO_IDIOM)
    return Unit(file.path, data, "python")


def pull(facts: Sequence[FileFacts], skipped: dict[str, Found], settings: Settings) -> list[Unit]:
    """The files next to the parsed ones that the rules need, to be lowered too; takes them out of
    ``skipped``.

    ``facts`` may be empty: a thread may start in one file and use a connection in another, and neither
    alone has anything to report.
    """
    wanted = _wanted(facts, skipped, settings)[:MAX_FILES]
    return [Unit(path, _read(skipped.pop(path), settings), "python") for path in wanted]


def _wanted(facts: Sequence[FileFacts], skipped: dict[str, Found], settings: Settings) -> list[str]:
    imported = frozenset(part for file in facts for name in file.includes for part in name.split(".") if part)
    folders = frozenset(file.path.rpartition("/")[0] for file in facts)
    parsed = frozenset(_stem(file.path) for file in facts) - {_PACKAGE}
    wanted: set[str] = set()
    importers: dict[str, list[str]] = {}  # the files that start threads, by what they import
    waiting: dict[str, list[str]] = {}  # the files that use a connection but start none, by their names
    for path, file in skipped.items():
        if of_path(path) is not None:
            continue  # what tests and examples start threads with says nothing about the program
        data = _read(file, settings)
        stem = _stem(path)
        lends_context = stem in imported and prefilter.is_tls_helper(data)
        beside = path.rpartition("/")[0] in folders and prefilter.uses_loops_on_threads(data)
        if lends_context or beside:
            wanted.add(path)
        elif prefilter.starts_threads(data):
            for name in prefilter.imported_modules(data):
                importers.setdefault(name, []).append(path)
        elif prefilter.uses_loops(data) and prefilter.uses_websocket(data):
            waiting.setdefault(stem, []).append(path)
    for name in sorted(importers):
        if len(importers[name]) <= MAX_IMPORTERS and (name in parsed or name in waiting):
            wanted.update(importers[name])
            wanted.update(waiting.get(name, ()))
    return sorted(wanted)


def _read(file: Found, settings: Settings) -> bytes:
    try:
        return source.read(file.real, settings.max_file_size, expected=file.identity)
    except (ReadError, MemoryError):
        return b""


def _stem(path: str) -> str:
    """The name by which others import the file: its folder's for a package."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return folder.rpartition("/")[2] if stem == _PACKAGE and folder else stem
