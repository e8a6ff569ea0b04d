"""A Python file's tokens with their byte offsets, by Python's own tokenizer."""

from __future__ import annotations

import bisect
import io
import itertools
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from lwslint.source import SourceText

# Tokens that are no code: `NL` is a line end inside brackets or on an empty line.
_SILENT = frozenset([tokenize.NL, tokenize.COMMENT])
_OPENING = frozenset(["(", "[", "{"])
_CLOSING = frozenset([")", "]", "}"])
_BORDERS = frozenset([tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING])


class Token(NamedTuple):
    """A token of the kind that :mod:`tokenize` says, with its text and its bytes in the file."""

    kind: int
    text: str
    start: int
    end: int


class PythonCode:
    """The tokens of a file, none where Python's tokenizer does not accept it as a whole."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.data = text.data
        try:
            self.tokens = tuple(_tokens(text.data))
        except (tokenize.TokenError, SyntaxError, ValueError, LookupError, RecursionError):
            self.tokens = ()
        self._starts = [token.start for token in self.tokens]

    def first(self, at: int) -> int | None:
        """The index of the code token that begins at ``at``."""
        for index in range(bisect.bisect_left(self._starts, at), len(self.tokens)):
            token = self.tokens[index]
            if token.start != at:
                return None
            if token.kind not in _SILENT and token.kind not in _BORDERS:
                return index
        return None

    def after(self, at: int) -> int | None:
        """The index of the first code token or border of a statement that begins at or behind ``at``."""
        for index in range(bisect.bisect_left(self._starts, at), len(self.tokens)):
            if self.tokens[index].kind not in _SILENT:
                return index
        return None

    def next(self, index: int) -> int | None:
        """The index of the code token or border behind the token of that index."""
        for other in range(index + 1, len(self.tokens)):
            if self.tokens[other].kind not in _SILENT:
                return other
        return None

    def before(self, index: int) -> int | None:
        """The index of the code token or border before the token of that index."""
        for other in range(index - 1, -1, -1):
            if self.tokens[other].kind not in _SILENT:
                return other
        return None

    def is_balanced(self, first: int, end: int) -> bool:
        """Whether each bracket among the tokens from ``first`` up to ``end`` has its counterpart there."""
        depth = 0
        for token in self.tokens[first:end]:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            if depth < 0:
                return False
        return depth == 0

    def line_start(self, at: int) -> int:
        return self.data.rfind(b"\n", 0, at) + 1

    def next_line(self, at: int) -> int:
        """Where the line after that of ``at`` begins."""
        end = self.data.find(b"\n", at)
        return len(self.data) if end < 0 else end + 1


def is_border(token: Token) -> bool:
    """Whether a statement may begin behind the token, on a line of its own."""
    return token.kind in _BORDERS


def _tokens(data: bytes) -> Iterator[Token]:
    lines = data.split(b"\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    encoding = "utf-8"

    def offset(row: int, column: int) -> int:
        if not 1 <= row <= len(lines):
            return 0 if row < 1 else len(data)
        bom = 3 if row == 1 and data.startswith(b"\xef\xbb\xbf") else 0
        text = lines[row - 1][bom:].decode(encoding)
        return starts[row - 1] + bom + len(text[:column].encode(encoding))

    for token in tokenize.tokenize(io.BytesIO(data).readline):
        if token.type == tokenize.ENCODING:
            encoding = token.string.removesuffix("-sig")
        yield Token(token.type, token.string, offset(*token.start), offset(*token.end))
