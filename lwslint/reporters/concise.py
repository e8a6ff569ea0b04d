"""One line for each finding: ``path:line:col: severity[CODE] message``, with ``[*]`` where there is a fix."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.engine import Result
from lwslint.reporters import View, fixes
from lwslint.reporters.places import where
from lwslint.reporters.style import kind
from lwslint.reporters.words import message


def report(result: Result, view: View) -> Iterator[str]:
    for diagnostic in result.diagnostics:
        place = view.style.strong(where(result, diagnostic.place))
        fixable = f" {mark}" if (mark := fixes.mark(diagnostic)) else ""
        yield f"{place}: {kind(diagnostic, view.style)}{fixable} {message(diagnostic)}"
