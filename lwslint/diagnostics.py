"""What a rule says: one finding with its place, its chain, and what to write instead."""

from __future__ import annotations

import enum

import msgspec

from lwslint.facts import Place
from lwslint.remedies import Applicability as Applicability
from lwslint.remedies import Remedy


class Severity(enum.IntEnum):
    """How bad a finding is in the linted build; ordered, so that ``>=`` means "at least as bad"."""

    NOTE = 1
    WARNING = 2
    ERROR = 3


class Confidence(enum.IntEnum):
    """How sure the analysis is: LOW where a link between functions or files was ambiguous."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Impact(enum.IntEnum):
    """What suffers at run time, in the order in which a reader wants to know it."""

    CONNECTION = 1
    CRASH = 2
    SECURITY = 3
    DATA = 4
    HYGIENE = 5


class Step(msgspec.Struct, frozen=True):
    """A related place; the steps of a call chain come in the order in which they happen.

    ``thread`` names, in words, the thread that a step of a chain happens on; pictures give each
    thread a lane.  It is empty where threads do not matter.
    """

    place: Place
    message: str
    thread: str = ""


class Edit(msgspec.Struct, frozen=True):
    """The bytes of ``place`` become ``replacement``, written in the encoding and with the line ends (``\\n``
    stands for them) of the file."""

    place: Place
    replacement: str


class Fix(msgspec.Struct, frozen=True):
    """A change that ends a finding: all of its edits or none, in one file or in several.

    ``message`` says in the imperative what it does.  The edits come in the order of their places and do
    not overlap.
    """

    message: str
    applicability: Applicability
    edits: tuple[Edit, ...]


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding.

    ``message`` says first what happens at run time; ``help`` what to write instead.  Both are plain
    text; names taken from the linted code may stand in them (reporters clean what they print).
    ``function`` is the qualified name of the function around the place, for fingerprints.

    ``fix`` are exact edits.  A rule that knows what to change but not how the file spells it says so in
    ``remedy``; the engine then looks at the file's text and puts the ``fix`` in, or finds that there is
    none (:mod:`lwslint.fixes.resolve`).
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    impact: Impact
    place: Place
    message: str
    help: str = ""
    related: tuple[Step, ...] = ()
    function: str = ""
    url: str = ""
    fix: Fix | None = None
    remedy: Remedy | None = None


def sort_key(diagnostic: Diagnostic) -> tuple[object, ...]:
    """The one order of findings: by file, in a file worst first (severity, then impact), then by place.

    Defined here only.  Every later field is there so that equal places never depend on the order in
    which rules ran.
    """
    span = diagnostic.place.span
    return (
        diagnostic.place.path,
        -diagnostic.severity,
        diagnostic.impact,
        span.start,
        span.end,
        diagnostic.code,
        diagnostic.message,
    )
