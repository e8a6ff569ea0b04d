"""The report formats: one module each, imported when it is asked for.

Each has ``report(result, view)``, which yields the report's lines without line ends.  A reporter only
arranges what the diagnostics say; it asks no rule and writes no file.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from lwslint.reporters import logs
from lwslint.reporters.style import Style

if TYPE_CHECKING:
    from lwslint.diagnostics import Severity
    from lwslint.engine import Result
    from lwslint.rule import LoadedRule

FORMATS = {
    "full": "for people: the line, the steps that lead to it, what to write instead",
    "concise": "one line for each finding",
    "grouped": "one line for each finding, under its file",
    "json": "one versioned document",
    "jsonl": "one JSON document a line, the summary last",
    "sarif": "SARIF 2.1.0, for code scanning",
    "github": "annotations of GitHub Actions",
    "gitlab": "GitLab Code Quality",
    "junit": "JUnit XML: a test suite for each file",
    "checkstyle": "Checkstyle XML",
    "rdjson": "Reviewdog Diagnostic Format",
    "azure": "issues of Azure Pipelines",
    "html": "one page to filter and read in a browser",
}
TEXT = ("full", "concise", "grouped")  # the formats that end with a summary and may be coloured

WIDTH = 100  # columns where no terminal says otherwise


class View(NamedTuple):
    """What a report depends on beside the findings."""

    style: Style = Style()
    width: int = WIDTH
    rules: tuple[LoadedRule, ...] = ()  # those that ran, for formats that explain rules
    fail_on: Severity | None = None  # the least severity that makes the run fail
    statistics: bool = False
    summary: bool = True


def render(name: str, result: Result, view: View) -> Iterator[str]:
    """The lines of one report, safe to print to a terminal and to the log of a CI job."""
    if name not in FORMATS:
        raise ValueError(f"no format is called {name}")
    lines = importlib.import_module(f"lwslint.reporters.{name}").report(result, view)
    if name in TEXT:
        yield from map(logs.inert, lines)
        yield from closing(result, view)
    else:
        yield from lines


def closing(result: Result, view: View) -> Iterator[str]:
    """The statistics and the summary, where they are wanted."""
    from lwslint.reporters import summary

    if view.statistics and result.diagnostics:
        yield from map(logs.inert, summary.statistics(result, view.style))
    if view.summary:
        yield from map(logs.inert, summary.lines(result, view.style))
