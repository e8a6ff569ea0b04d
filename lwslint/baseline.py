"""The baseline: a file of the findings that a project has decided to live with for now.

It holds one line for each finding, in a fixed order, so that a version control system can merge it and
a reviewer can read it.  Findings are recognised by their fingerprints (:mod:`lwslint.fingerprint`), in
which paths are relative to the baseline's own folder: it means the same from wherever lwslint runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

import msgspec

from lwslint import fingerprint, source
from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result, hidden
from lwslint.facts import Place
from lwslint.source import Texts, clean

FILE_NAME = "lwslint-baseline.json"
VERSION = 1
_LIMIT = 50_000_000


class BaselineError(Exception):
    """A baseline that cannot be used; the text names the file."""


class Entry(msgspec.Struct, frozen=True, order=True):
    """One known finding.  All but ``fingerprint`` is for the reader (and, of ``path`` and ``code``, for
    telling whether a run could have found it)."""

    path: str
    code: str
    fingerprint: str
    name: str = ""
    function: str = ""
    message: str = ""


class _Document(msgspec.Struct, frozen=True):
    version: int
    findings: tuple[Entry, ...]
    fingerprints: int = fingerprint.VERSION


class Baseline(msgspec.Struct, frozen=True):
    """``path`` is absolute; its folder is where the entries' paths begin."""

    path: str
    entries: tuple[Entry, ...]

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)


# ------------------------------------------------------------------------------------- the file


def read(path: str) -> Baseline:
    """The baseline at ``path``.  Raises :class:`BaselineError`."""
    path = os.path.abspath(path)
    try:
        document = msgspec.json.decode(source.read(path, _LIMIT), type=_Document)
    except (source.ReadError, MemoryError) as error:
        raise BaselineError(f"{path}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"{path}: is no baseline of lwslint: {error}") from error
    if document.version != VERSION or document.fingerprints != fingerprint.VERSION:
        raise BaselineError(
            f"{path}: was written by another version of lwslint; write it anew with `lwslint baseline`"
        )
    return Baseline(path, document.findings)


def lines(entries: Iterable[Entry]) -> list[str]:
    """The file's text, line by line: the same for the same findings in any order."""
    rows = [
        json.dumps({name: getattr(entry, name) for name in Entry.__struct_fields__}, ensure_ascii=True)
        for entry in sorted(set(entries))
    ]
    head = f'{{"version": {VERSION}, "fingerprints": {fingerprint.VERSION}, "findings": ['
    return [head, *(f"{row}," for row in rows[:-1]), *rows[-1:], "]}"]


# ------------------------------------------------------------------------------------- matching


def fingerprints(result: Result, folder: str) -> dict[Diagnostic, str]:
    """The fingerprint of everything that a run found, shown or not, with paths relative to ``folder``."""
    names = {d.place.path: _name(result, d.place.path, folder) for d in result.everything}
    real = {names[path]: result.texts.real(path) for path in names}
    moved = [
        msgspec.structs.replace(d, place=Place(names[d.place.path], d.place.span)) for d in result.everything
    ]
    found = fingerprint.fingerprints(moved, Texts(real, result.texts.limit))
    return dict(zip(result.everything, found, strict=True))


def _name(result: Result, path: str, folder: str) -> str:
    real = result.texts.real(path)
    try:
        if not real:
            return path
        return os.path.relpath(os.path.realpath(real), os.path.realpath(folder)).replace(os.sep, "/")
    except ValueError:  # another drive
        return path


def entries(result: Result, folder: str) -> list[Entry]:
    """An entry for each finding that ``result`` reports."""
    known = fingerprints(result, folder)
    return [
        Entry(
            path=clean(_name(result, d.place.path, folder)),
            code=d.code,
            fingerprint=known[d],
            name=d.name,
            function=clean(d.function),
            message=clean(d.message),
        )
        for d in result.diagnostics
    ]


def hide(result: Result, baseline: Baseline, stale: Sequence[Entry] = ()) -> Result:
    """``result`` without the findings that the baseline knows."""
    known = {entry.fingerprint for entry in baseline.entries}
    found = fingerprints(result, baseline.folder)
    shown = tuple(d for d in result.diagnostics if found[d] not in known)
    return msgspec.structs.replace(
        result,
        diagnostics=shown,
        hidden=result.hidden
        + hidden(
            (f"known from {os.path.basename(baseline.path)}", len(result.diagnostics) - len(shown)),
        ),
        stale=len(stale),
    )


def stale(result: Result, baseline: Baseline, codes: Iterable[str], roots: Sequence[str]) -> list[Entry]:
    """The entries that match nothing that this run found, and that it would have found.

    ``codes`` are those of the rules that ran and ``roots`` the absolute paths that were linted whole.  An
    entry counts for gone only when its file lies below one of these and nothing went wrong.
    """
    if result.problems:
        return []
    ran = set(codes) - result.unasked
    found = set(fingerprints(result, baseline.folder).values())
    return [
        entry
        for entry in baseline.entries
        if entry.fingerprint not in found and entry.code in ran and _below(entry, baseline.folder, roots)
    ]


def _below(entry: Entry, folder: str, roots: Sequence[str]) -> bool:
    path = os.path.normpath(os.path.join(folder, entry.path))
    return any(path.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
