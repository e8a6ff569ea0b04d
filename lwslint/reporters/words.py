"""What a finding says, cut and joined for the room that a format has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result
from lwslint.reporters import fixes
from lwslint.reporters.places import where
from lwslint.source import clean, clean_lines

HEADLINE = 110  # characters
_LONGER = 140  # where no clause ends before
_SHORTEST = 24  # a headline of fewer characters says too little
# Where a sentence can be cut.  What is in quotes, back quotes or round brackets stays together, and so
# does a header's name with its value.
_PIECE = re.compile(
    r'"[^"]*(?:"|$)|`[^`]*(?:`|$)|\([^()]*(?:\)|$)|[A-Za-z]+(?:-[A-Za-z]+)+: '
    r"|(?P<strong>[:;] )|(?P<weak>, )|.",
    re.DOTALL,
)


def headline(message: str) -> tuple[str, str]:
    """A message as a first line of about :data:`HEADLINE` characters, and the rest (perhaps empty).

    It is cut where a clause ends if one ends there, else between words; both parts together are the
    whole text but for the white space, and the mark (``: ; ,``), between them.  ``message`` is clean.
    """
    if len(message) <= HEADLINE:
        return message, ""
    cuts = [m for m in _PIECE.finditer(message, 0, _LONGER + 2) if m.start() >= _SHORTEST]
    near = [m for m in cuts if m.start() <= HEADLINE]
    strong = [m for m in near if m["strong"]]
    weak = [m for m in near if m["weak"]]
    later = [m for m in cuts if m["strong"] or m["weak"]]
    if cut := strong[:1] or weak[-1:] or later[:1]:
        return message[: cut[0].start()], message[cut[0].end() :]
    if len(message) <= _LONGER:
        return message, ""
    at = message.rfind(" ", _SHORTEST, HEADLINE + 1)
    return (message[:at], message[at + 1 :]) if at > 0 else (message, "")


def message(diagnostic: Diagnostic) -> str:
    return clean(diagnostic.message)


def title(diagnostic: Diagnostic) -> str:
    """The short name of a finding: its headline with the rule."""
    return f"{diagnostic.code} {diagnostic.name}: {headline(message(diagnostic))[0]}"


def chain(result: Result, diagnostic: Diagnostic) -> Iterator[str]:
    """The related places as numbered lines."""
    for number, step in enumerate(diagnostic.related, 1):
        yield f"{number}. {where(result, step.place)}: {clean(step.message)}"


def paragraphs(result: Result, diagnostic: Diagnostic) -> str:
    """All that a finding says as plain text of several lines, for formats with one field for it."""
    parts = [message(diagnostic), "\n".join(chain(result, diagnostic))]
    if diagnostic.help:
        parts.append(f"Instead: {clean_lines(diagnostic.help.strip())}")
    if diagnostic.fix is not None:
        parts.append(f"Fix: {fixes.sentence(diagnostic.fix)}")
    parts.append(clean(diagnostic.url))
    return "\n\n".join(part for part in parts if part)
