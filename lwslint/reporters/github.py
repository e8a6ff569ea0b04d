"""Annotations of GitHub Actions: workflow commands, one a line.

``::error file=…,line=…,col=…,title=…::message``; percent signs and line ends are escaped everywhere,
colons and commas in properties too (actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.engine import Result
from lwslint.reporters import View, logs
from lwslint.reporters.places import region
from lwslint.reporters.words import paragraphs, title
from lwslint.source import clean

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def report(result: Result, view: View) -> Iterator[str]:
    for diagnostic in result.diagnostics:
        yield _annotation(result, diagnostic)
    for problem in result.problems:
        file = f" file={_property(clean(problem.path))}" if problem.path else ""
        yield f"::error{file}::{_data(clean(problem.message))}"


def _annotation(result: Result, diagnostic: Diagnostic) -> str:
    place = region(result, diagnostic.place)
    properties = {"file": place.path, "line": str(place.line), "endLine": str(place.end_line)}
    if place.line == place.end_line:  # columns of a place of several lines are refused
        properties |= {"col": str(place.column), "endColumn": str(place.end_column)}
    properties["title"] = title(diagnostic)
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMAND[diagnostic.severity]} {listed}::{_data(paragraphs(result, diagnostic))}"


def _data(text: str) -> str:
    text = logs.inert(text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
