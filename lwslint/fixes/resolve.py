"""The remedies of findings, turned into fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from lwslint.diagnostics import Diagnostic, Edit, Fix
from lwslint.fixes import c, python
from lwslint.fixes.sources import Piece, Sources, edits
from lwslint.remedies import (
    AddDefault,
    Change,
    DropElements,
    DropFlags,
    DropStatements,
    LeaveWith,
    Respell,
    Rewrite,
    SetBeside,
)
from lwslint.source import Texts


def resolve(
    diagnostics: Iterable[Diagnostic], texts: Texts, languages: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    """The findings, in order, with their remedies turned into fixes where the files' text allows it.

    ``languages`` maps the path of each analysed file to its language.
    """
    sources = Sources(texts, languages)
    return tuple(
        diagnostic if diagnostic.remedy is None else _resolved(diagnostic, sources)
        for diagnostic in diagnostics
    )


def _resolved(diagnostic: Diagnostic, sources: Sources) -> Diagnostic:
    remedy = diagnostic.remedy
    assert remedy is not None
    made = edits_of((remedy.change, *remedy.more), sources)
    fix = Fix(remedy.message, remedy.applicability, made) if made else None
    return msgspec.structs.replace(diagnostic, fix=fix, remedy=None)


def edits_of(changes: Iterable[Change], sources: Sources) -> tuple[Edit, ...] | None:
    """The edits of all changes, in order; None where one of them has none."""
    found: list[Edit] = []
    for change in changes:
        made = _edits(change, sources)
        if made is None:
            return None
        found += made
    found.sort(key=lambda edit: edit.place)
    return tuple(found)


def _edits(change: Change, sources: Sources) -> tuple[Edit, ...] | None:
    match change:
        case DropFlags():
            return c.drop_flags(change, sources)
        case SetBeside():
            return c.set_beside(change, sources)
        case LeaveWith():
            return c.leave_with(change, sources)
        case AddDefault():
            return c.add_default(change, sources)
        case DropElements():
            return python.drop_elements(change, sources)
        case DropStatements():
            return python.drop_statements(change, sources)
        case Rewrite():
            return _rewrite(change, sources)
        case Respell() if sources.language(change.place.path) == "python":
            return python.respell(change, sources)
        case Respell():
            return c.respell(change, sources)


def _rewrite(change: Rewrite, sources: Sources) -> tuple[Edit, ...] | None:
    """See :class:`lwslint.remedies.Rewrite`."""
    found: list[Edit] = []
    for (path, span), before, after in sorted(change.changes):
        if before and sources.text(path).data[slice(*span)] != before.encode():
            return None
        made = edits(path, sources.text(path), [Piece(span.start, span.end, after.encode())])
        if made is None:
            return None
        found += made
    return tuple(found)
