"""Checkstyle's XML, which many CI systems and editors read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lwslint.diagnostics import Severity
from lwslint.engine import Result
from lwslint.reporters import View, xml
from lwslint.reporters.places import region
from lwslint.reporters.words import message
from lwslint.source import clean

_SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "info"}


def report(result: Result, view: View) -> Iterator[str]:
    root = xml.Element("checkstyle", {"version": "4.3"})
    for path, found in groupby(result.diagnostics, key=lambda diagnostic: diagnostic.place.path):
        file = xml.add(root, "file", {"name": clean(path)})
        for diagnostic in found:
            place = region(result, diagnostic.place)
            attributes = {
                "line": place.line,
                "column": place.column,
                "severity": _SEVERITY[diagnostic.severity],
                "message": message(diagnostic),
                "source": f"lwslint.{diagnostic.code}",
            }
            xml.add(file, "error", attributes)
    for problem in result.problems:
        file = xml.add(root, "file", {"name": clean(problem.path)})
        attributes = {"severity": "error", "message": clean(problem.message), "source": "lwslint"}
        xml.add(file, "error", attributes)
    yield from xml.lines(root)
