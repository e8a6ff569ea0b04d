"""What makes a finding the same one after the code around it has moved.

A fingerprint is a hash of the rule's code, the path, the function around the primary place, that
place's line without comments and spacing, and an ordinal among findings that agree in all of these.
Line numbers, messages and chains are left out: they change when something else does.  Shared by the
baseline and by the formats whose readers follow a finding over time (SARIF, GitLab).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lwslint.diagnostics import Diagnostic
from lwslint.source import Texts

VERSION = 1  # goes up when the same finding would get another fingerprint

_DIGITS = 32  # 128 bits in hexadecimal: no two findings of one tree collide by chance
_LONGEST = 2000  # characters of a line that count; a generated line of a megabyte needs no more
_HASH_COMMENTS = (".py", ".pyi", ".cmake", ".toml", ".yaml", ".yml", ".cfg", ".conf", "CMakeLists.txt")
# Each alternative also ends where the line does, so that an unclosed quote costs no second look.
_STRING = r""""(?:\\.|[^"\\])*+(?:"|\\?$)|'(?:\\.|[^'\\])*+(?:'|\\?$)"""
_SLASHES = re.compile(rf"({_STRING})|(?:\s|//.*|/\*.*?(?:\*/|$))++")
_HASH = re.compile(rf"({_STRING})|(?:\s|#.*)++")


class Identity(NamedTuple):
    """The parts of a fingerprint but the ordinal; findings with equal identities are told apart by it."""

    code: str
    path: str
    function: str
    text: str


def fingerprints(diagnostics: Sequence[Diagnostic], texts: Texts) -> tuple[str, ...]:
    """The fingerprint of each finding, in the order given; all differ, but for exact repetitions.

    Findings of equal identity are numbered by their place, not by the order given.  Pass all that a
    run found: a finding left out would lend its number to the next of its equals.
    """
    identities = [identity(diagnostic, texts) for diagnostic in diagnostics]
    order = sorted(range(len(diagnostics)), key=lambda index: _place(diagnostics[index]))
    seen: Counter[Identity] = Counter()
    found = [""] * len(diagnostics)
    for index in order:
        found[index] = _digest(identities[index], seen[identities[index]])
        seen[identities[index]] += 1
    return tuple(found)


def identity(diagnostic: Diagnostic, texts: Texts) -> Identity:
    """What a finding is, wherever it now stands in its file."""
    path, span = diagnostic.place
    text = texts[path]
    line = text.line(text.position(span.start).line)
    return Identity(diagnostic.code, path, diagnostic.function, normalised(line, path))


def normalised(line: str, path: str = "") -> str:
    """``line`` without comments, and outside strings with no more white space than keeps words apart.

    A comment that explains or ignores a finding, or a formatter, must not make it a new one.
    ``path`` tells by its ending how the language writes comments.
    """
    gaps = _HASH if path.endswith(_HASH_COMMENTS) else _SLASHES
    return gaps.sub(_kept, line[:_LONGEST]).strip()


def _kept(match: re.Match[str]) -> str:
    """A string as it is; for a gap one space between two words, nothing elsewhere."""
    if match[1]:
        return match[1]
    around = (
        match.string[max(match.start() - 1, 0) : match.start()] + match.string[match.end() : match.end() + 1]
    )
    return " " if len(around) == 2 and all(c.isalnum() or c == "_" for c in around) else ""


def _place(diagnostic: Diagnostic) -> tuple[int, int, str]:
    return (*diagnostic.place.span, diagnostic.message)


def _digest(identity: Identity, ordinal: int) -> str:
    data = "\0".join((str(VERSION), *identity, str(ordinal))).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
