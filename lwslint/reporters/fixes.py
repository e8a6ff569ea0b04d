"""What a finding's fix would change, in the shapes that formats want."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from lwslint.diagnostics import Applicability, Diagnostic, Edit, Fix
from lwslint.engine import Result
from lwslint.facts import Span
from lwslint.fixes import plan
from lwslint.reporters.places import region
from lwslint.source import SourceText, clean

_LONGEST = 8_000  # bytes of the changed lines of one file that are shown


class Changed(NamedTuple):
    """The lines of one file around a fix; each with ``-``, ``+`` or a space before it."""

    path: str
    line: int
    rows: tuple[str, ...]


def option(fix: Fix) -> str:
    """What to call lwslint with for the fix to be made."""
    return "--fix" if fix.applicability is Applicability.SAFE else "--fix --unsafe-fixes"


def mark(diagnostic: Diagnostic) -> str:
    """``[*]`` for a finding that ``--fix`` would end, ``[*unsafe]`` where it takes ``--unsafe-fixes``."""
    if diagnostic.fix is None:
        return ""
    return "[*]" if diagnostic.fix.applicability is Applicability.SAFE else "[*unsafe]"


def sentence(fix: Fix) -> str:
    return f"{clean(fix.message)} ({option(fix)})"


def document(result: Result, fix: Fix | None) -> dict[str, Any] | None:
    """A fix as ``json`` has it; the replacements are verbatim."""
    if fix is None:
        return None
    return {
        "message": clean(fix.message),
        "applicability": str(fix.applicability),
        "edits": [
            {**region(result, edit.place)._asdict(), "replacement": edit.replacement} for edit in fix.edits
        ],
    }


def preview(result: Result, fix: Fix) -> Iterator[Changed]:
    """The lines that a fix changes, for each file; none for a change that is too long to show."""
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.place.path, []).append(edit)
    for path, edits in by_path.items():
        text = result.texts[path]
        try:
            after = SourceText(plan.changed(text, edits))
        except ValueError:
            continue  # the file has changed since it was linted
        span = _lines(text, edits)
        grown = len(after.data) - len(text.data)
        if span.end - span.start <= _LONGEST:
            old = _shown(text, span)
            new = _shown(after, Span(span.start, span.end + grown))
            line = text.position(span.start).line
            yield Changed(path, line, tuple(_rows(old, new)))


def _lines(text: SourceText, edits: list[Edit]) -> Span:
    """The whole lines that the edits lie in."""
    first = text.line_span(text.position(edits[0].place.span.start).line)
    last = text.line_span(text.position(edits[-1].place.span.end).line)
    return Span(first.start, last.end)


def _shown(text: SourceText, span: Span) -> list[str]:
    if span.start >= span.end:
        return []
    first, last = text.position(span.start).line, text.position(span.end - 1).line
    return [clean(text.line(number).expandtabs(4)) for number in range(first, last + 1)]


def _rows(old: list[str], new: list[str]) -> Iterator[str]:
    """What differs, with a line around it; ``…`` stands for what is left out between."""
    for number, group in enumerate(difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(1)):
        if number:
            yield " …"
        for kind, first, last, start, end in group:
            if kind == "equal":
                yield from (f" {line}" for line in old[first:last])
                continue
            yield from (f"-{line}" for line in old[first:last])
            yield from (f"+{line}" for line in new[start:end])
