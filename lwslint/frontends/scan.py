"""The lexical skeleton of a C or C++ translation unit: literals, comments and preprocessor directives.

One linear walk over the bytes.  Everything later works on offsets into the file as it is on disk, so
nothing here (or behind it) ever inserts or removes a byte.  Byte order marks, CRLF line ends and bytes
that are not UTF-8 are ordinary bytes to this module.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STRING_REST = rb'[^"\\\n]*+(?:\\(?:\r\n|[\s\S])[^"\\\n]*+)*+"?'
_CHARACTER_REST = rb"(?:[^'\\\n]|\\[^\n]){1,16}'"
_LINE_COMMENT_REST = rb"/[^\\\n]*+(?:\\(?:\r\n|[\s\S])?[^\\\n]*+)*+"
_BLOCK_COMMENT_REST = rb"\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?"

# One leading character class, so that the regex engine skips plain code and megabytes of digits fast.
_TOKEN = re.compile(
    rb"""["'/\#](?:(?<=")"""
    + _STRING_REST
    + rb"|(?<=/)(?:"
    + _LINE_COMMENT_REST
    + rb"|"
    + _BLOCK_COMMENT_REST
    + rb")|(?<=')(?<![0-9]')"
    + _CHARACTER_REST
    + rb"|(?<=\#))"
)
_DIRECTIVE_REST = re.compile(
    rb"""(?:[^\n\\/"']++|\\\r?\n|\\|/"""
    + _BLOCK_COMMENT_REST
    + rb"|/"
    + _LINE_COMMENT_REST
    + rb"""|"""
    + rb'"'
    + _STRING_REST
    + rb"|'"
    + _CHARACTER_REST
    + rb"|/|')*+"
)
_QUIET_IN_DIRECTIVE = re.compile(
    rb"(?P<comment>/" + _BLOCK_COMMENT_REST + rb"|/" + _LINE_COMMENT_REST + rb')|"' + _STRING_REST
)
_CONTINUATION = re.compile(rb"\\\r?\n")
_KEYWORD = re.compile(rb"#(?:[ \t]|\\\r?\n)*([A-Za-z_]*)")
_RAW_PREFIX = re.compile(rb"(?<![A-Za-z0-9_])(?:u8|[uUL])?R\Z")
_RAW_OPEN = re.compile(rb'"([^ ()\\\t\v\f\r\n"]{0,16})\(')

_BLANK = bytes(c if c in b"\r\n" else 0x20 for c in range(256))
_FILL = bytes(c if c in b"\r\n" else 0x2E for c in range(256))


class Directive(NamedTuple):
    """One preprocessor line with its continuations, from ``#`` (``start``) up to its line end.

    ``rest`` is where the text behind the keyword begins.
    """

    start: int
    end: int
    keyword: bytes
    rest: int


class Scan(NamedTuple):
    """``code`` has the length and line breaks of the input, with comments and directives blanked and
    the insides of string and character literals replaced by dots: what is left is code."""

    code: bytes
    directives: tuple[Directive, ...]


def blank(text: bytes) -> bytes:
    """``text`` with every byte but CR and LF replaced by a space."""
    return text.translate(_BLANK)


def blank_spans(text: bytes, spans: list[tuple[int, int]]) -> bytes:
    """``text`` with the given spans (ascending, not overlapping) blanked."""
    pieces = []
    at = 0
    for start, end in spans:
        pieces.append(text[at:start])
        pieces.append(text[start:end].translate(_BLANK))
        at = end
    pieces.append(text[at:])
    return b"".join(pieces)


def logical(text: bytes) -> bytes:
    """One directive's text on one line: continuations joined, comments turned into a space."""
    joined = _CONTINUATION.sub(b"", text)
    if b"/" not in joined:
        return joined
    return _QUIET_IN_DIRECTIVE.sub(lambda m: b" " if m["comment"] else m[0], joined)


def without_comments(text: bytes) -> bytes:
    """``text`` of one directive with its comments blanked in place."""
    if b"/" not in text:
        return text
    return _QUIET_IN_DIRECTIVE.sub(lambda m: blank(m[0]) if m["comment"] else m[0], text)


def _raw_string_end(data: bytes, quote: int) -> int | None:
    """Where the C++ raw string literal ends whose first quote is at ``quote``, or None if it is none."""
    if data[quote - 1 : quote] != b"R" or not _RAW_PREFIX.search(data[max(0, quote - 4) : quote]):
        return None
    opening = _RAW_OPEN.match(data, quote)
    if opening is None:
        return None
    closing = b")" + opening[1] + b'"'
    end = data.find(closing, opening.end())
    return len(data) if end < 0 else end + len(closing)


def scan(data: bytes, language: str) -> Scan:
    """Finds literals, comments and directives of ``data``; ``language`` is ``c`` or ``cpp``.

    An unterminated block comment runs to the end of the file, an unterminated string to the end of its
    line, as compilers recover from them.
    """
    pieces: list[bytes] = []
    directives: list[Directive] = []
    done = 0  # everything before is in `pieces`
    line_start = 0
    hash_seen = 0
    line_taken = -1  # start of the line on which a `#` was met last
    comment = (0, 0)
    raw_strings = language == "cpp"
    tokens = _TOKEN.finditer(data)
    while match := next(tokens, None):
        start, end = match.span()
        first = data[start]
        replacement = _BLANK
        if first == 0x2F:  # '/'
            comment = (start, end)
        elif first == 0x23:  # '#'
            newline = data.rfind(b"\n", hash_seen, start)
            hash_seen = end
            if newline >= 0:
                line_start = newline + 1
            if line_start == line_taken:
                continue
            line_taken = line_start
            if not _opens_line(data, line_start, start, comment):
                continue
            end = _DIRECTIVE_REST.match(data, end).end()  # type: ignore[union-attr]
            keyword = _KEYWORD.match(data, start, end)
            assert keyword is not None
            directives.append(Directive(start, end, keyword[1], keyword.end()))
            tokens = _TOKEN.finditer(data, end)
        else:
            if raw_strings and first == 0x22 and (raw_end := _raw_string_end(data, start)):
                end = raw_end
                tokens = _TOKEN.finditer(data, end)
            if end - start < 2:
                continue
            start += 1
            end -= data[end - 1] == first
            replacement = _FILL
        pieces.append(data[done:start])
        pieces.append(data[start:end].translate(replacement))
        done = end
    pieces.append(data[done:])
    return Scan(b"".join(pieces), tuple(directives))


def _opens_line(data: bytes, line_start: int, at: int, comment: tuple[int, int]) -> bool:
    """Whether only white space and the last comment lie between the line's start and ``at``."""
    if not data[line_start:at].strip(b" \t\v\f\r\xef\xbb\xbf"):
        return True
    if comment[1] <= line_start or data[comment[1] : at].strip():
        return False
    return comment[0] < line_start or not data[line_start : comment[0]].strip()


def quiet(data: bytes, language: str) -> tuple[tuple[int, int], ...]:
    """Where the comments and literals of ``data`` stand, those behind directives included, in order.

    ``language`` is ``c`` or ``cpp``.  A comment begins with a slash, a raw string's span at its quote.
    """
    found: list[tuple[int, int]] = []
    at = 0
    search = _TOKEN.search
    while match := search(data, at):
        start, at = match.span()
        if data[start] == 0x23:  # '#'
            continue
        if data[start] == 0x22 and language == "cpp":  # '"'
            at = _raw_string_end(data, start) or at
        found.append((start, at))
    return tuple(found)
