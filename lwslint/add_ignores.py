"""``--add-ignores``: a suppression, with the user's reason, for everything that a run reports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lwslint import rewrite, suppressions
from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result, hidden
from lwslint.rewrite import RewriteError
from lwslint.suppressions import MALFORMED, UNUSED


class Added(NamedTuple):
    """``result`` reports what is left.  ``refused`` says, for a place, why no suppression stands there."""

    result: Result
    findings: int
    files: int
    refused: tuple[str, ...]


def add(result: Result, reason: str, roots: Sequence[str]) -> Added:
    """Write a suppression for each finding of ``result`` into its file.

    ``roots`` are the absolute paths that the user named: nothing outside of them is touched.  Raises
    ValueError for a reason that cannot stand in a comment.
    """
    reason = suppressions.check_reason(reason)
    by_path: dict[str, list[Diagnostic]] = {}
    for diagnostic in result.diagnostics:
        if diagnostic.code not in (MALFORMED, UNUSED):  # these no comment can suppress
            by_path.setdefault(diagnostic.place.path, []).append(diagnostic)
    parsed = {file.path: file for file in result.parsed}
    written: set[Diagnostic] = set()
    refused: list[str] = []
    files = 0
    for path, diagnostics in by_path.items():
        text, real = result.texts[path], result.texts.real(path)
        language = parsed[path].language if path in parsed else _language(path)
        additions = suppressions.additions(text, language, diagnostics, reason)
        refused += [f"{_where(result, diagnostic)}: {why}" for diagnostic, why in additions.refused]
        if not additions.written:
            continue
        try:
            if path in parsed and parsed[path].size != len(text.data):
                raise RewriteError("changed since it was read")
            rewrite.replace(real, roots, text.data, additions.data)
        except RewriteError as error:
            refused.append(f"{path}: {error}")
            continue
        files += 1
        written.update(additions.written)
    left = tuple(diagnostic for diagnostic in result.diagnostics if diagnostic not in written)
    now = msgspec.structs.replace(
        result,
        diagnostics=left,
        hidden=result.hidden + hidden(("suppressed by a comment that was added now", len(written))),
    )
    return Added(now, len(written), files, tuple(refused))


def _language(path: str) -> str:
    """How comments are written in a file that no front end has named a language for."""
    name = os.path.basename(path)
    if name.endswith((".json", ".jsonc")):
        return "json"
    return "cmake" if name == "CMakeLists.txt" or name.endswith(".cmake") else "other"


def _where(result: Result, diagnostic: Diagnostic) -> str:
    path, span = diagnostic.place
    return f"{path}:{result.texts[path].position(span.start).line}"
