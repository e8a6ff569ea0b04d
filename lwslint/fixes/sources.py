"""The files that a remedy looks at, and the edits that it makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lwslint.diagnostics import Edit
from lwslint.facts import Place, Span
from lwslint.fixes.code import Code
from lwslint.fixes.python_code import PythonCode
from lwslint.source import SourceText, Texts


class Sources:
    """The texts of the analysed files; ``languages`` maps the path of each to its language."""

    def __init__(self, texts: Texts, languages: Mapping[str, str]) -> None:
        self._texts = texts
        self._languages = languages
        self._code: dict[str, Code] = {}
        self._python: dict[str, PythonCode] = {}

    def language(self, path: str) -> str:
        """``c``, ``cpp``, ``python`` …; "" for a file that no front end has read."""
        return self._languages.get(path, "")

    def text(self, path: str) -> SourceText:
        return self._texts[path]

    def code(self, path: str) -> Code | None:
        """A C or C++ file; None for any other."""
        language = self.language(path)
        if language not in ("c", "cpp"):
            return None
        if path not in self._code:
            self._code[path] = Code(self.text(path), language)
        return self._code[path]

    def python(self, path: str) -> PythonCode | None:
        """A Python file; None for any other."""
        if self.language(path) != "python":
            return None
        if path not in self._python:
            self._python[path] = PythonCode(self.text(path))
        return self._python[path]


class Piece(NamedTuple):
    """New bytes for a range of a file; line ends are LF."""

    start: int
    end: int
    new: bytes = b""


def edits(path: str, text: SourceText, pieces: Iterable[Piece]) -> tuple[Edit, ...] | None:
    """The pieces as edits, in order, those that touch joined; None where they contradict each other or
    what they copy cannot be read in the file's encoding."""
    joined: list[Piece] = []
    for piece in sorted(set(pieces)):
        if joined and piece.start < joined[-1].end and (piece.new or joined[-1].new):
            return None
        if joined and piece.start <= joined[-1].end:
            last = joined.pop()
            piece = Piece(last.start, max(last.end, piece.end), last.new + piece.new)
        joined.append(piece)
    found: list[Edit] = []
    for start, end, new in joined:
        try:
            replacement = new.replace(b"\r\n", b"\n").decode(text.encoding)
        except UnicodeDecodeError:
            return None
        if not replacement.replace("\n", "").replace("\t", "").isprintable():
            return None  # hidden characters in what a fix moves: not without a person
        found.append(Edit(Place(path, Span(start, end)), replacement))
    return tuple(found)
