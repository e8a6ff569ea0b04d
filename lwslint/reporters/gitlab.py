"""GitLab Code Quality: a list of issues that a merge request compares by fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Severity
from lwslint.engine import Result
from lwslint.reporters import View, json
from lwslint.reporters.places import marks, region
from lwslint.reporters.words import message

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def report(result: Result, view: View) -> Iterator[str]:
    issues = []
    for diagnostic, mark in zip(result.diagnostics, marks(result), strict=True):
        place = region(result, diagnostic.place)
        issues.append(
            {
                "description": f"{diagnostic.code} {diagnostic.name}: {message(diagnostic)}",
                "check_name": diagnostic.name,
                "fingerprint": mark,
                "severity": _SEVERITY[diagnostic.severity],
                "location": {
                    "path": place.path,
                    "positions": {
                        "begin": {"line": place.line, "column": place.column},
                        "end": {"line": place.end_line, "column": place.end_column},
                    },
                    # Older servers read this form only.
                    "lines": {"begin": place.line, "end": place.end_line},
                },
            }
        )
    yield from json.dump(issues, indent=2).split("\n")
