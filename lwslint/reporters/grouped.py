"""The findings of each file under its name, one line each in columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lwslint.engine import Result
from lwslint.reporters import View, fixes
from lwslint.reporters.summary import plural
from lwslint.reporters.words import message
from lwslint.source import clean


def report(result: Result, view: View) -> Iterator[str]:
    """An empty line follows each file."""
    for path, group in groupby(result.diagnostics, key=lambda diagnostic: diagnostic.place.path):
        found = list(group)
        yield f"{view.style.strong(clean(path))}: {plural(len(found), 'finding')}"
        text = result.texts[path]
        positions = [text.position(diagnostic.place.span.start) for diagnostic in found]
        places = [f"{position.line}:{position.column}" for position in positions]
        wide = max(map(len, places))
        for place, diagnostic in zip(places, found, strict=True):
            severity = view.style.of(diagnostic.severity, f"{diagnostic.severity.name.lower():<7}")
            fixable = f"{mark} " if (mark := fixes.mark(diagnostic)) else ""
            yield f"  {place:<{wide}}  {severity}  {diagnostic.code}  {fixable}{message(diagnostic)}"
        yield ""
