"""Replacing make's variables and text functions, with the origin of every byte kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lwslint.build.facts import When
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.records import Snippet, decode
from lwslint.build.readers.words import Word
from lwslint.facts import Span

MAX_DEPTH = 20  # of variables in variables, functions in functions
MAX_WORK = 1_500_000  # bytes written for one file

_FUNCTION = re.compile(rb"([a-z][a-z-]*)[ \t]+")
_SUBSTITUTION = re.compile(rb"([\w.-]+):([^=]*)=([\s\S]*)\Z")
_WORD = re.compile(rb"(?:[^\s\\]|\\(?!\r?\n))+")
_PLAIN = re.compile(rb"[^\s-]\S*")
_CLOSE = {0x28: 0x29, 0x7B: 0x7D}  # ( and {


class Value(NamedTuple):
    """One assignment to a variable; ``weak`` when ``?=`` leaves an earlier value alone.

    ``snippet`` is the value, ``span`` the whole assignment.
    """

    snippet: Snippet
    conditions: tuple[When, ...]
    span: Span
    weak: bool = False


class Expander:
    """Expands references to ``variables``; those that are not in there stay as they are written."""

    def __init__(self, variables: Mapping[str, Sequence[Value]]) -> None:
        self._variables = variables
        self._work = 0

    def expand(
        self,
        snippet: Snippet,
        *,
        every: bool = False,
        automatic: Mapping[str, Sequence[Word]] | None = None,
        keep: Callable[[str], bool] | None = None,
    ) -> Snippet:
        """``snippet`` with its references replaced.

        A variable that is set under a condition is replaced with ``every`` of its values, else only by
        those that are set without one.  ``automatic`` are ``$@``, ``$<``, … of a recipe; variables that
        ``keep`` takes are not replaced.  Raises :class:`TooMuch` when the text grows beyond reason.
        """
        if b"$" not in snippet.text:
            return snippet
        return _Run(self, every, automatic or {}, keep).expand(snippet, 0, ())

    def values(self, name: str) -> Sequence[Value]:
        return self._variables.get(name, ())

    def worked(self, count: int) -> None:
        self._work += count
        if self._work > MAX_WORK:
            raise TooMuch("variables that grow beyond reason; the rest was not read")


class _Run:
    def __init__(
        self,
        expander: Expander,
        every: bool,
        automatic: Mapping[str, Sequence[Word]],
        keep: Callable[[str], bool] | None,
    ) -> None:
        self.expander = expander
        self.every = every
        self.automatic = automatic
        self.keep = keep

    def expand(self, snippet: Snippet, depth: int, open_names: tuple[str, ...]) -> Snippet:
        text, pieces, position = snippet.text, list[Snippet](), 0
        while (dollar := text.find(b"$", position)) >= 0:
            pieces.append(snippet.part(position, dollar))
            following = text[dollar + 1 : dollar + 2]
            if following == b"$":
                position = dollar + 2
                pieces.append(snippet.part(dollar + 1, position))
                continue
            if following in (b"(", b"{"):
                end = _closing(text, dollar + 1)
                inner = snippet.part(dollar + 2, end - 1)
                position = end
            else:
                position = min(dollar + 2, len(text))
                inner = snippet.part(dollar + 1, position)
            whole = snippet.part(dollar, position)
            pieces.append(
                self._reference(inner, whole, depth + 1, open_names) if depth < MAX_DEPTH else whole
            )
        pieces.append(snippet.part(position, len(text)))
        return self._joined(pieces)

    def _reference(self, inner: Snippet, whole: Snippet, depth: int, open_names: tuple[str, ...]) -> Snippet:
        function = _FUNCTION.match(inner.text)
        if function is not None:
            arguments = inner.part(function.end(), len(inner.text))
            return self._function(decode(function[1]), arguments, whole, depth, open_names)
        if substitution := _SUBSTITUTION.match(inner.text):
            name = inner.part(0, substitution.end(1))
            words = _words(self._variable(decode(name.text), whole, depth, open_names))
            old, new = substitution[2], substitution[3]
            if b"%" not in old:
                old, new = b"%" + old, b"%" + new
            return self._join_words([(_patsubst(word, old, new), at) for word, at in words])
        if b"$" in inner.text:
            inner = self.expand(inner, depth, open_names)
        return self._variable(decode(inner.text), whole, depth, open_names)

    def _variable(self, name: str, whole: Snippet, depth: int, open_names: tuple[str, ...]) -> Snippet:
        if name in self.automatic:
            return self._join_words([(word.text.encode(), word.span) for word in self.automatic[name]])
        if name in open_names or (self.keep is not None and self.keep(name)):
            return self._joined([]) if name in open_names else whole
        values = self.expander.values(name)
        if not values:
            return whole
        chosen = [value for value in values if self.every or not value.conditions]
        pieces: list[Snippet] = []
        for value in chosen:
            pieces += [self.expand(value.snippet, depth, (*open_names, name)), _SPACE]
        joined = self._joined(pieces[:-1])
        if _PLAIN.fullmatch(joined.text):  # $(CC): the place to show is where it is used
            at = whole.span(0, len(whole.text))
            return Snippet(joined.text, [*_spread(at, len(joined.text)), at.end])
        return joined

    def _function(
        self, name: str, arguments: Snippet, whole: Snippet, depth: int, open_names: tuple[str, ...]
    ) -> Snippet:
        counted = {"patsubst": 3, "subst": 3, "addprefix": 2, "addsuffix": 2, "filter": 2, "filter-out": 2}
        if name not in counted and name not in ("wildcard", "notdir", "sort", "strip", "basename"):
            return whole
        parts = [self.expand(part, depth, open_names) for part in _arguments(arguments, counted.get(name, 1))]
        if len(parts) < counted.get(name, 1):
            return whole
        words = _words(parts[-1])
        first = parts[0].text.strip()
        match name:
            case "patsubst":
                changed = [(_patsubst(word, first, parts[1].text.strip()), at) for word, at in words]
            case "subst":
                changed = [(word.replace(first, parts[1].text) if first else word, at) for word, at in words]
            case "addprefix":
                changed = [(first + word, at) for word, at in words]
            case "addsuffix":
                changed = [(word + first, at) for word, at in words]
            case "filter" | "filter-out":
                patterns = first.split()
                wanted = name == "filter"
                changed = [
                    (word, at)
                    for word, at in words
                    if any(_stem(word, pattern) is not None for pattern in patterns) == wanted
                ]
            case "notdir":
                changed = [(word.rpartition(b"/")[2], at) for word, at in words]
            case "basename":
                changed = [(re.sub(rb"\.[^./]*\Z", b"", word), at) for word, at in words]
            case _:
                changed = words
        return self._join_words(changed)

    # ------------------------------------------------------------------ texts

    def _joined(self, pieces: Sequence[Snippet]) -> Snippet:
        pieces = [piece for piece in pieces if piece.text]
        if len(pieces) == 1:
            return pieces[0]
        text = b"".join(piece.text for piece in pieces)
        self.expander.worked(len(text))
        origins: list[int] = []
        last = 0
        for piece in pieces:
            if piece is _SPACE:
                origins.append(last)
                continue
            origins.extend(piece.origins[: len(piece.text)])
            last = piece.origins[len(piece.text)]
        origins.append(last)
        return Snippet(text, origins)

    def _join_words(self, words: Sequence[tuple[bytes, Span]]) -> Snippet:
        words = [(word, span) for word, span in words if word]
        text = b" ".join(word for word, _ in words)
        self.expander.worked(len(text))
        origins: list[int] = []
        for word, span in words:
            origins.extend(_spread(span, len(word)))
            origins.append(span.end)  # the space behind
        return Snippet(text, origins or [0])


_SPACE = Snippet(b" ", (0, 0))


def _closing(text: bytes, start: int) -> int:
    """The offset behind the bracket that closes the one at ``start``; the end of the text when none does."""
    opening, closing = text[start], _CLOSE[text[start]]
    depth = 0
    for match in re.compile(rb"[(){}]").finditer(text, start):
        mark = match[0][0]
        depth += (mark == opening) - (mark == closing)
        if depth == 0:
            return match.end()
    return len(text) + 1


def _arguments(snippet: Snippet, count: int) -> list[Snippet]:
    """The ``count`` arguments of a function; the last one takes the commas that are left."""
    parts: list[Snippet] = []
    start = depth = 0
    for match in re.finditer(rb"[(){},]", snippet.text):
        mark = match[0]
        if mark in b"({":
            depth += 1
        elif mark in b")}":
            depth -= 1
        elif depth == 0 and len(parts) < count - 1:
            parts.append(snippet.part(start, match.start()))
            start = match.end()
    parts.append(snippet.part(start, len(snippet.text)))
    return parts


def _spread(span: Span, count: int) -> list[int]:
    """Origins for ``count`` bytes that stand for those of ``span``, however many these are."""
    return [span.start] * (count - 1) + [max(span.start, span.end - 1)]


def _words(snippet: Snippet) -> list[tuple[bytes, Span]]:
    return [(match[0], snippet.span(match.start(), match.end())) for match in _WORD.finditer(snippet.text)]


def _stem(word: bytes, pattern: bytes) -> bytes | None:
    """What ``%`` stands for when ``pattern`` takes ``word``."""
    before, percent, behind = pattern.partition(b"%")
    if not percent:
        return b"" if word == pattern else None
    if len(word) < len(before) + len(behind) or not word.startswith(before) or not word.endswith(behind):
        return None
    return word[len(before) : len(word) - len(behind)]


def _patsubst(word: bytes, old: bytes, new: bytes) -> bytes:
    stem = _stem(word, old)
    if stem is None:
        return word
    return new.replace(b"%", stem, 1) if b"%" in old else new
