"""The fixtures: little programs that say themselves, at the end of a line, what must be reported there.

``// expect: LWS101 error`` (or ``/* expect: LWS101 error */``; ``# expect: LWS101 error`` where ``#`` opens
comments; several are separated by commas) is a report that must come, on this line, with this severity.
``// miss: LWS101 why`` is one that should come and does not yet.  A line without a mark must stay silent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"
OWN = (".toml", ".md")
"""Files of a case that are not linted: lwslint's own configuration, and words about the case."""

_MARK = re.compile(rb"(?://|/\*|#)\s*(expect|miss)\s*:(.*?)(?:\*/)?\s*\\?\s*$")
# Whoever mistypes a mark must hear of it: an ignored mark is a test that tests nothing.
_LOOKS_LIKE_MARK = re.compile(rb"(?://|/\*|#)\s*(?:expect(?:s|ed)?|miss(?:es|ed|ing)?)\b\s*:?", re.IGNORECASE)
_EXPECTED = re.compile(r"(LWS\d{3}) (error|warning|note)")
_MISSED = re.compile(r"(LWS\d{3}) \S.*")


class MarkError(Exception):
    """A comment that looks like a mark and is none."""


class Place(NamedTuple):
    """A rule's report on one line; ``path`` is relative to the case, lines count from 1."""

    path: str
    line: int
    code: str


class Marks(NamedTuple):
    """What a case says about itself; ``expected`` maps a place to the severities marked there."""

    expected: Mapping[Place, tuple[str, ...]]
    missed: frozenset[Place]

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(place.code for place in (*self.expected, *self.missed))


class Report(NamedTuple):
    """One finding of a run, as far as a mark can speak of it; ``message`` is for the reader."""

    place: Place
    severity: str
    message: str


def cases() -> list[Path]:
    """All cases, ``<rule-name>/<case>``, in order."""
    return sorted(case for case in FOLDER.glob("*/*") if case.is_dir())


def sources(case: Path) -> list[Path]:
    return sorted(path for path in case.rglob("*") if path.is_file() and path.suffix not in OWN)


def read(case: Path) -> Marks:
    """The marks of all sources below ``case``.  Raises :class:`MarkError`."""
    expected: dict[Place, tuple[str, ...]] = {}
    missed: set[Place] = set()
    for path in sources(case):
        name = path.relative_to(case).as_posix()
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            mark = _MARK.search(line)
            if mark is None:
                if _LOOKS_LIKE_MARK.search(line):
                    raise MarkError(f"{path}:{number}: not a mark: {line.decode(errors='replace').strip()}")
                continue
            text = mark[2].decode().strip()
            if mark[1] == b"miss":
                missed.add(Place(name, number, _parse(_MISSED, text, path, number)[1]))
                continue
            for part in text.split(","):
                found = _parse(_EXPECTED, part.strip(), path, number)
                place = Place(name, number, found[1])
                expected[place] = (*expected.get(place, ()), found[2])
    return Marks(expected, frozenset(missed))


def _parse(pattern: re.Pattern[str], text: str, path: Path, number: int) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise MarkError(f"{path}:{number}: not a mark: {text!r}")
    return match


def complaints(marks: Marks, reports: Iterable[Report]) -> list[str]:
    """Every way in which ``reports`` are not what ``marks`` say, one line each, in order of place."""
    found: dict[Place, list[Report]] = {}
    for report in reports:
        found.setdefault(report.place, []).append(report)
    lines: list[str] = []
    for place in sorted({*found, *marks.expected, *marks.missed}):
        where = f"{place.path}:{place.line}: {place.code}"
        got = found.get(place, [])
        if place in marks.missed and place not in marks.expected:
            lines += [f"{where} {r.severity}: a known miss is found now, mark it: {r.message}" for r in got]
            continue
        lines += _compare(where, Counter(marks.expected.get(place, ())), got)
    return lines


def _compare(where: str, expected: Counter[str], got: list[Report]) -> list[str]:
    extra: list[Report] = []
    for report in got:
        if expected[report.severity]:
            expected[report.severity] -= 1
        else:
            extra.append(report)
    missing = sorted(expected.elements())
    # One that came with the wrong severity is one complaint, not a missing and an extra one.
    wrong = list(zip(missing, extra, strict=False))
    return [
        *(
            f"{where}: {report.severity} instead of {severity}: {report.message}"
            for severity, report in wrong
        ),
        *(f"{where} {severity}: missing" for severity in missing[len(wrong) :]),
        *(f"{where} {report.severity}: extra: {report.message}" for report in extra[len(wrong) :]),
    ]
