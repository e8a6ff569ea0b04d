"""One line for each finding: ``path:line:col: severity[CODE] message``."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.engine import Result
from lwslint.reporters import View
from lwslint.reporters.places import where
from lwslint.reporters.style import kind
from lwslint.reporters.words import message


def report(result: Result, view: View) -> Iterator[str]:
    for diagnostic in result.diagnostics:
        place = view.style.strong(where(result, diagnostic.place))
        yield f"{place}: {kind(diagnostic, view.style)} {message(diagnostic)}"
