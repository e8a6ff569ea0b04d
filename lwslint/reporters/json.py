"""For programs: one versioned document, the same bytes on every run.

Version 1 only ever gains keys.  Lines and columns count from 1, columns in characters; the end is
the place after the last character.  Strings are cleaned as in the text reports.
"""

from __future__ import annotations

import json
from typing import Any

from lwslint import discovery
from lwslint.diagnostics import Diagnostic, Severity, Step
from lwslint.engine import Result
from lwslint.source import clean, clean_lines

VERSION = 1


def report(result: Result) -> str:
    """The document, ending in a line feed."""
    document = {
        "version": VERSION,
        "diagnostics": [_diagnostic(result, diagnostic) for diagnostic in result.diagnostics],
        "summary": _summary(result),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _diagnostic(result: Result, diagnostic: Diagnostic) -> dict[str, Any]:
    text = result.texts[diagnostic.place.path]
    start, end = (text.position(offset) for offset in diagnostic.place.span)
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.name.lower(),
        "confidence": diagnostic.confidence.name.lower(),
        "impact": diagnostic.impact.name.lower(),
        "path": clean(diagnostic.place.path),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "message": clean(diagnostic.message),
        "help": clean_lines(diagnostic.help),
        "url": diagnostic.url,
        "related": [_step(result, step) for step in diagnostic.related],
        "fix": None,
    }


def _step(result: Result, step: Step) -> dict[str, Any]:
    position = result.texts[step.place.path].position(step.place.span.start)
    return {
        "path": clean(step.place.path),
        "line": position.line,
        "column": position.column,
        "message": clean(step.message),
    }


def _summary(result: Result) -> dict[str, Any]:
    return {
        "files": len(result.parsed),
        "errors": result.of(Severity.ERROR),
        "warnings": result.of(Severity.WARNING),
        "notes": result.of(Severity.NOTE),
        "parse": {
            "files": len(result.parsed),
            "files_with_errors": sum(1 for parsed in result.parsed if parsed.error_bytes),
            "bytes": sum(parsed.size for parsed in result.parsed),
            "error_bytes": sum(parsed.error_bytes for parsed in result.parsed),
        },
        "skipped": discovery.count(result.skipped),
        "problems": [
            {"path": clean(problem.path), "message": clean(problem.message)} for problem in result.problems
        ],
    }
