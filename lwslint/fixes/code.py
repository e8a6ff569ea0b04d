"""One file's bytes as a fix looks at them: tokens around a place, statements, lines and indentation."""

from __future__ import annotations

import bisect
import re
from functools import cached_property
from typing import NamedTuple

from lwslint.facts import Span
from lwslint.frontends import scan
from lwslint.source import SourceText

_WORD = re.compile(rb"[A-Za-z_0-9$\x80-\xff]+")
_WORD_END = re.compile(rb"[A-Za-z_0-9$\x80-\xff]+\Z")
_SPACE = b" \t\r\n\v\f"
_OPERATORS = (
    *(b"<<=", b">>=", b"...", b"->*"),
    *(b"||", b"|=", b"&&", b"&=", b"==", b"!=", b"<=", b">=", b"->", b"::", b"+=", b"-=", b"*=", b"/="),
    *(b"%=", b"^=", b"<<", b">>", b"++", b"--", b":=", b"**", b"//", b"@="),
)
_OPENING = frozenset([b"(", b"[", b"{"])
_CLOSING = frozenset([b")", b"]", b"}"])
_JOINING = frozenset([b".", b"->", b"::"])
_PREFIXES = frozenset([b"*", b"&"])
_KEYWORDS = frozenset([b"if", b"while", b"for", b"switch", b"return", b"else", b"do", b"sizeof", b"case"])
_LONGEST = 200  # bytes of a word that are looked at
_MOST_TOKENS = 2000


class Token(NamedTuple):
    """A token with its bytes; ``text`` is empty at the border of what may be looked at."""

    text: bytes
    start: int
    end: int


class Code:
    """A C or C++ file.  ``bare`` is its text with comments blanked and the insides of literals dotted.

    A preprocessor directive is a world of its own: :meth:`room` is what belongs together around a place.
    """

    def __init__(self, text: SourceText, language: str) -> None:
        self.text = text
        self.data = text.data
        self.language = language
        scanned = scan.scan(text.data, language)
        self._directives = scanned.directives
        self._starts = [directive.start for directive in scanned.directives]
        bare = bytearray(scanned.code)
        for directive in scanned.directives:
            bare[directive.start : directive.end] = _bare_directive(
                text.data[directive.start : directive.end], language
            )
        self.bare = bytes(bare)
        self._flat = scanned.code

    @cached_property
    def flat(self) -> View:
        """All code of the file, as if there were no directives."""
        return View(Span(0, len(self.data)), self._flat)

    @cached_property
    def line_comments(self) -> frozenset[int]:
        """Where the text of the comments ends that begin with two slashes."""
        spans = scan.quiet(self.data, self.language)
        return frozenset(
            start + len(self.data[start:end].rstrip())
            for start, end in spans
            if self.data.startswith(b"//", start)
        )

    def view(self, room: Span) -> View:
        """What stands in a room, for parts of it to be taken out."""
        return View(room, self.bare)

    # ------------------------------------------------------------------ borders

    def room(self, span: Span) -> Span | None:
        """The directive around ``span``, or the code between two directives; None across a border."""
        index = bisect.bisect_right(self._starts, span.start) - 1
        low = 0
        if index >= 0:
            directive = self._directives[index]
            if span.start < directive.end:
                return Span(directive.start, directive.end) if span.end <= directive.end else None
            low = directive.end
        following = index + 1
        high = self._starts[following] if following < len(self._starts) else len(self.data)
        return Span(low, high) if span.end <= high else None

    def in_directive(self, at: int) -> bool:
        index = bisect.bisect_right(self._starts, at) - 1
        return index >= 0 and at < self._directives[index].end

    # ------------------------------------------------------------------ lines

    def line_start(self, at: int) -> int:
        return self.data.rfind(b"\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Where the line's text ends, before its line end."""
        end = self.data.find(b"\n", at)
        end = len(self.data) if end < 0 else end
        return end - 1 if end > at and self.data[end - 1 : end] == b"\r" else end

    def indent(self, at: int) -> bytes:
        """The white space that the line of ``at`` begins with."""
        start = self.line_start(at)
        line = self.data[start : self.line_end(start)]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def opens_line(self, at: int) -> bool:
        """Whether only white space stands before ``at`` on its line."""
        return not self.data[self.line_start(at) : at].strip()

    def has(self, word: bytes) -> bool:
        return (
            re.search(rb"(?<![A-Za-z0-9_])" + re.escape(word) + rb"(?![A-Za-z0-9_])", self.bare) is not None
        )


def _bare_directive(data: bytes, language: str) -> bytes:
    """A directive with comments blanked, literals dotted, and the ends of continued lines blanked."""
    bare = bytearray(data)
    for start, end in scan.quiet(data, language):
        if data[start] == 0x2F:
            bare[start:end] = scan.blank(data[start:end])
        else:
            bare[start + 1 : max(end - 1, start + 1)] = b"." * max(end - start - 2, 0)
    return re.sub(rb"\\(\r?\n)", rb" \1", bytes(bare))


class View:
    """Tokens of a room of a file while parts of it are taken out: what is gone looks like white space.

    Offsets are those of the file.
    """

    def __init__(self, room: Span, data: bytes) -> None:
        self.room = room
        self._bytes = bytearray(data[room.start : room.end])

    def blank(self, span: Span) -> None:
        base = self.room.start
        self._bytes[span.start - base : span.end - base] = b" " * (span.end - span.start)

    def before(self, at: int) -> Token:
        """The token that ends last at or before ``at``."""
        low, data = self.room.start, self._bytes
        while at > low and data[at - 1 - low] in _SPACE:
            at -= 1
        if at <= low:
            return Token(b"", low, low)
        head = bytes(data[max(0, at - low - _LONGEST) : at - low])
        word = _WORD_END.search(head)
        if word is not None:
            return Token(word[0], at - len(word[0]), at)
        for operator in _OPERATORS:
            if head.endswith(operator):
                return Token(operator, at - len(operator), at)
        return Token(head[-1:], at - 1, at)

    def after(self, at: int) -> Token:
        """The first token that begins at or behind ``at``."""
        (low, high), data = self.room, self._bytes
        while at < high and data[at - low] in _SPACE:
            at += 1
        if at >= high:
            return Token(b"", high, high)
        tail = bytes(data[at - low : at - low + _LONGEST])
        word = _WORD.match(tail)
        if word is not None:
            return Token(word[0], at, at + word.end())
        for operator in _OPERATORS:
            if tail.startswith(operator):
                return Token(operator, at, at + len(operator))
        return Token(tail[:1], at, at + 1)

    def lvalue(self, end: int) -> int | None:
        """Where the expression begins that ends at ``end`` and is assigned to: names, members, indices,
        calls.  None when it is not understood."""
        at, operand = end, True  # `operand`: one must end at `at`
        for _ in range(_MOST_TOKENS):
            token = self.before(at)
            if not operand:
                if token.text in _JOINING:
                    operand = True
                elif token.text not in _PREFIXES:
                    return at
                at = token.start
            elif token.text in _CLOSING:
                opening = self.opening(token)
                if opening is None:
                    return None
                at = opening
                inner = self.before(at).text
                # f(x), a[i]: what is called or indexed goes with it.
                operand = inner in _CLOSING or (is_word(inner) and inner not in _KEYWORDS)
            elif is_word(token.text) and token.text not in _KEYWORDS:
                at, operand = token.start, False
            else:
                return None
        return None

    def opening(self, closing: Token) -> int | None:
        """Where the bracket is opened that ``closing`` closes."""
        depth, at = 0, closing.end
        for _ in range(_MOST_TOKENS):
            token = self.before(at)
            if not token.text:
                return None
            depth += (token.text in _CLOSING) - (token.text in _OPENING)
            at = token.start
            if depth == 0:
                return at
        return None

    def closing(self, at: int) -> int | None:
        """Where the bracket stands that closes the one around ``at``."""
        depth = 0
        for _ in range(_MOST_TOKENS):
            token = self.after(at)
            if not token.text:
                return None
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            at = token.end
            if depth < 0:
                return token.start
        return None


def is_word(text: bytes) -> bool:
    return bool(_WORD.fullmatch(text))
