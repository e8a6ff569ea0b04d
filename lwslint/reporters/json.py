"""For programs: one versioned document, the same bytes on every run.

Version 1 only ever gains keys.  Lines and columns count from 1, columns in characters; the end is
the place after the last character.  Strings are cleaned as in the text reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lwslint import discovery
from lwslint.diagnostics import Diagnostic, Severity, Step
from lwslint.engine import Result
from lwslint.reporters import View, fixes, logs
from lwslint.reporters.places import marks, region
from lwslint.source import clean, clean_lines

VERSION = 1


def report(result: Result, view: View) -> Iterator[str]:
    document = {"version": VERSION, "diagnostics": list(diagnostics(result)), "summary": summary(result)}
    yield from dump(document, indent=2).split("\n")


def dump(document: object, *, indent: int | None = None) -> str:
    """``document`` as JSON that may be printed anywhere: hidden characters are escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    if not text.replace("\n", "").isprintable():
        text = "".join(character if character == "\n" else _escaped(character) for character in text)
    return logs.inert_json(text)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def diagnostics(result: Result) -> Iterator[dict[str, Any]]:
    for diagnostic, mark in zip(result.diagnostics, marks(result), strict=True):
        yield _diagnostic(result, diagnostic, mark)


def _diagnostic(result: Result, diagnostic: Diagnostic, fingerprint: str) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.name.lower(),
        "confidence": diagnostic.confidence.name.lower(),
        "impact": diagnostic.impact.name.lower(),
        **region(result, diagnostic.place)._asdict(),
        "message": clean(diagnostic.message),
        "help": clean_lines(diagnostic.help),
        "url": clean(diagnostic.url),
        "related": [_step(result, step) for step in diagnostic.related],
        "fix": fixes.document(result, diagnostic.fix),
        "fingerprint": fingerprint,
    }


def _step(result: Result, step: Step) -> dict[str, Any]:
    place = region(result, step.place)
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "message": clean(step.message),
    }


def summary(result: Result) -> dict[str, Any]:
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
        "hidden": {clean(item.reason): item.number for item in result.hidden},
        "stale": result.stale,
        "problems": [
            {"path": clean(problem.path), "message": clean(problem.message)} for problem in result.problems
        ],
    }
