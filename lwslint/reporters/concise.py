"""One line for each finding: ``path:line:col: severity[CODE] message``."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result
from lwslint.reporters.style import Style
from lwslint.reporters.summary import location
from lwslint.source import clean


def report(result: Result, style: Style) -> Iterator[str]:
    """The report's lines, without line ends."""
    return (header(result, diagnostic, style) for diagnostic in result.diagnostics)


def header(result: Result, diagnostic: Diagnostic, style: Style) -> str:
    kind = style.of(diagnostic.severity, f"{diagnostic.severity.name.lower()}[{diagnostic.code}]")
    return f"{style.strong(location(result, diagnostic))}: {kind} {clean(diagnostic.message)}"
