"""The values of C and C++ literals (C17 6.4.4 and 6.4.5, C++20 [lex.literal])."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_INTEGER = re.compile(
    r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)(?:[uUlLzZ]{0,4}|[uU]?i(?:8|16|32|64))"
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\r?\n|(.))", re.DOTALL
)
_RAW = re.compile(r'(?:u8|[uUL])?R"([^()\\\s]{0,16})\((.*)\)\1"', re.DOTALL)
_SIMPLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@lru_cache(maxsize=4096)
def integer(text: str) -> int | None:
    """The value of an integer literal, or None for a floating or malformed one.

    The grammars take a sign that directly precedes the digits for a part of the literal.
    """
    match = _INTEGER.fullmatch(text.replace("'", "") if "'" in text else text)
    if match is None:
        return None
    sign, digits = match.groups()
    if len(digits) > 80:  # no C integer has that many; int() would also refuse absurd lengths
        return None
    match digits[:2]:
        case "0x" | "0X":
            value = int(digits, 16)
        case "0b" | "0B":
            value = int(digits, 2)
        case _:
            value = int(digits, 8 if digits[0] == "0" else 10)
    return -value if sign == "-" else value


def string(literal: str) -> str:
    """The characters of one string literal, prefix and quotes included in ``literal``."""
    if literal[0] == literal[-1] == '"' and "\\" not in literal:
        return literal[1:-1]
    if literal[0] != '"' and "R" in literal[:4].partition('"')[0]:
        raw = _RAW.fullmatch(literal)
        if raw is not None:
            return raw[2]
    body = literal[literal.find('"') + 1 :]
    if body.endswith('"'):
        body = body[:-1]
    return unescape(body)


def pieces(literal: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The bytes that a string literal stands for, piece by piece, each with its place in ``literal``: a run
    that is written as it is, or one escape sequence."""
    text = literal.decode("latin-1")  # one character a byte
    raw = _RAW.fullmatch(text)
    if raw is not None:
        yield literal[raw.start(2) : raw.end(2)], raw.start(2), raw.end(2)
        return
    at, end = text.find('"') + 1, len(text) - text.endswith('"')
    for match in _ESCAPE.finditer(text, at, end):
        if match.start() > at:
            yield literal[at : match.start()], at, match.start()
        yield _resolve(match).encode("utf-8"), *match.span()
        at = match.end()
    if at < end:
        yield literal[at:end], at, end


def character(literal: str) -> int | None:
    """The value of a character literal; several characters count as GCC does, most significant first."""
    body = unescape(literal[literal.find("'") + 1 :].removesuffix("'"))
    if not body or len(body) > 4:
        return None
    value = 0
    for char in body:
        value = value << 8 | ord(char)
    return value


def unescape(body: str) -> str:
    """``body`` with its escape sequences resolved; ones that name no character become U+FFFD."""
    if "\\" in body:
        # The commonest escape by far; where another backslash is left, it may have been the one of this.
        plain = body.replace("\\n", "\n")
        return _ESCAPE.sub(_resolve, body) if "\\" in plain else plain
    return body


def _resolve(match: re.Match[str]) -> str:
    hexadecimal, octal, short, long, other = match.groups()
    if other is not None:
        return _SIMPLE.get(other, other)
    digits = hexadecimal or short or long
    if digits is None and octal is None:
        return ""  # a line continued by a backslash
    code = int(octal, 8) if digits is None else int(digits[-8:], 16)
    # Surrogates are no characters, and could not be written out as UTF-8 later.
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else _REPLACEMENT
