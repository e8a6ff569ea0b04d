"""What a finding says, cut and joined for the room that a format has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result
from lwslint.reporters.places import where
from lwslint.source import clean, clean_lines

HEADLINE = 110  # characters
_SHORTEST = 30  # a headline of fewer characters says too little
# Where a sentence can be cut.  What is in quotes, back quotes or round brackets stays together, and so
# does a header's name with its value.
_PIECE = re.compile(
    r'"[^"]*(?:"|$)|`[^`]*(?:`|$)|\([^()]*(?:\)|$)|[A-Za-z]+(?:-[A-Za-z]+)+: '
    r"|(?P<strong>[:;] )|(?P<weak>, )|.",
    re.DOTALL,
)


def headline(message: str) -> tuple[str, str]:
    """A message as a first line of at most :data:`HEADLINE` characters, and the rest (perhaps empty).

    It is cut where a clause ends if one ends there, else between words; both parts together are the
    whole text.  ``message`` is clean.
    """
    if len(message) <= HEADLINE:
        return message, ""
    cuts = [m for m in _PIECE.finditer(message, 0, HEADLINE + 2) if _SHORTEST <= m.start() <= HEADLINE]
    strong = [m for m in cuts if m["strong"]]
    weak = [m for m in cuts if m["weak"]]
    if strong or weak:
        cut = strong[0] if strong else weak[-1]
        return message[: cut.start()], message[cut.end() :]
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
    parts.append(clean(diagnostic.url))
    return "\n\n".join(part for part in parts if part)
