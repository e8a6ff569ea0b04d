"""The lines at the end of a report for people."""

from __future__ import annotations

from collections import Counter

from lwslint import discovery
from lwslint.diagnostics import Diagnostic, Severity
from lwslint.engine import Result, first_to_fix
from lwslint.fixes import plan
from lwslint.reporters.places import where
from lwslint.reporters.style import Style
from lwslint.source import width_of


def plural(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def lines(result: Result, style: Style) -> list[str]:
    """What was looked at, what was found, and which finding to fix first."""
    found = [_coverage(result)]
    if result.diagnostics:
        found.append(_counts(result, style))
        if fixable := _fixable(result):
            found.append(fixable)
        first = first_to_fix(result.diagnostics)
        if first is not None and len(result.diagnostics) > 1:
            found.append(_first(result, first, style))
    elif result.parsed:
        found.append("No findings.")
    if result.hidden:
        found.append(f"Not shown: {', '.join(f'{item.number} {item.reason}' for item in result.hidden)}.")
    if result.stale:
        number = "1 finding" if result.stale == 1 else f"{result.stale} findings"
        found.append(f"{number} of the baseline can be taken out: lwslint baseline --prune")
    if result.problems:
        found.append(f"{plural(len(result.problems), 'problem')} kept the analysis from being complete.")
    return found


def _coverage(result: Result) -> str:
    copies = sum(1 for item in result.skipped if item.reason == discovery.LIBWEBSOCKETS)
    left_out = f" A copy of libwebsockets was left out ({plural(copies, 'path')})." if copies else ""
    others = sum(1 for item in result.skipped if item.reason == discovery.NO_LWS)
    if result.parsed:
        verb = "does" if others == 1 else "do"
        rest = f"; {others} more {verb} not use libwebsockets" if others else ""
        return f"Analysed {plural(len(result.parsed), 'file')}{rest}.{left_out}"
    if result.diagnostics:  # of a partner tool
        return f"Nothing for lwslint's own rules to analyse.{left_out}"
    if others and not result.problems:
        return f"Nothing to lint: {plural(others, 'C or C++ file')}, none uses libwebsockets.{left_out}"
    if result.problems:
        return f"No file could be analysed.{left_out}"
    if result.builds.files:
        return f"Read {plural(len(result.builds.files), 'build file')}, no C, C++ or Python files.{left_out}"
    return f"Nothing to lint: no C, C++ or Python files found.{left_out}"


def _counts(result: Result, style: Style) -> str:
    parts = [
        style.of(severity, plural(number, severity.name.lower()))
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if (number := result.of(severity))
    ]
    files = len({diagnostic.place.path for diagnostic in result.diagnostics})
    total = plural(len(result.diagnostics), "finding")
    return f"Found {total} in {plural(files, 'file')}: {', '.join(parts)}."


def _fixable(result: Result) -> str:
    """How many of the findings ``--fix`` would end; "" for none."""
    safe = sum(1 for d in result.diagnostics if plan.is_offered(d, unsafe=False))
    more = sum(1 for d in result.diagnostics if plan.is_offered(d, unsafe=True)) - safe
    if not safe:
        return f"{more} fixable with --fix --unsafe-fixes." if more else ""
    return f"{safe} fixable with --fix{f' ({more} more with --unsafe-fixes)' if more else ''}."


def _first(result: Result, first: Diagnostic, style: Style) -> str:
    impact = first.impact.name.lower()
    return f"Fix first: {style.strong(where(result, first.place))} {first.code} {first.name} ({impact})."


def statistics(result: Result, style: Style) -> list[str]:
    """How often each rule reported, most first."""
    counts = Counter((d.code, d.name) for d in result.diagnostics)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    wide = max((width_of(str(number)) for _, number in rows), default=1)
    return [f"{number:>{wide}}  {style.strong(code)} {name}" for (code, name), number in rows]
