"""Colour, and only where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lwslint.diagnostics import Diagnostic, Severity

_SEVERITY = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}


class Style(NamedTuple):
    """Wraps text in terminal colours when ``colour`` is true; the text must be clean already."""

    colour: bool = False

    def strong(self, text: str) -> str:
        return self._paint(text, "1")

    def dim(self, text: str) -> str:
        return self._paint(text, "2")

    def of(self, severity: Severity, text: str) -> str:
        return self._paint(text, _SEVERITY[severity])

    def help(self, text: str) -> str:
        return self._paint(text, "1;32")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def kind(diagnostic: Diagnostic, style: Style) -> str:
    """``error[LWS101]``, as every report for people names it."""
    return style.of(diagnostic.severity, f"{diagnostic.severity.name.lower()}[{diagnostic.code}]")


def wants_colour(environment: Mapping[str, str], *, terminal: bool) -> bool:
    """NO_COLOR (no-color.org) beats FORCE_COLOR, and both beat what the stream is."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"
