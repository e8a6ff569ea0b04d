"""The Reviewdog Diagnostic Format: one JSON document (reviewdog, proto/rdf).

Columns count bytes of the line in UTF-8, from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.reporters import View, json
from lwslint.reporters.places import region
from lwslint.reporters.words import paragraphs
from lwslint.source import clean

_SEVERITY = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO"}


def report(result: Result, view: View) -> Iterator[str]:
    document = {
        "source": {"name": "lwslint", "url": "https://lwslint.readthedocs.io/"},
        "diagnostics": [_diagnostic(result, diagnostic) for diagnostic in result.diagnostics],
    }
    yield from json.dump(document, indent=2).split("\n")


def _diagnostic(result: Result, diagnostic: Diagnostic) -> dict[str, Any]:
    related = [
        {"message": clean(step.message), "location": _location(result, step.place)}
        for step in diagnostic.related
    ]
    return {
        "message": paragraphs(result, diagnostic),
        "location": _location(result, diagnostic.place),
        "severity": _SEVERITY[diagnostic.severity],
        "code": {"value": diagnostic.code, "url": clean(diagnostic.url)},
        **({"relatedLocations": related} if related else {}),
        **_suggestions(result, diagnostic),
    }


def _suggestions(result: Result, diagnostic: Diagnostic) -> dict[str, Any]:
    """The fix; a suggestion can only change the file of its finding."""
    edits = diagnostic.fix.edits if diagnostic.fix is not None else ()
    if not edits or any(edit.place.path != diagnostic.place.path for edit in edits):
        return {}
    return {
        "suggestions": [
            {"range": _location(result, edit.place)["range"], "text": edit.replacement} for edit in edits
        ]
    }


def _location(result: Result, place: Place) -> dict[str, Any]:
    found = region(result, place)
    return {
        "path": found.path,
        "range": {
            "start": _position(result, place.path, found.line, found.column),
            "end": _position(result, place.path, found.end_line, found.end_column),
        },
    }


def _position(result: Result, path: str, line: int, column: int) -> dict[str, int]:
    prefix = result.texts[path].line(line)[: column - 1]
    return {"line": line, "column": len(prefix.encode("utf-8", "replace")) + 1}
