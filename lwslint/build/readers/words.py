"""Words of a command line with their places, and the flags of compilers among them.

The quoting is that of the POSIX shell, which make, CMake's ``*_FLAGS`` and Docker hand flags to.
References to variables (``$X``, ``${X}``, ``$(X)``) stay in the text as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.records import Records, Snippet, decode
from lwslint.facts import Span

MAX_WORDS = 20_000

_FLAGS = re.compile(r"FLAGS$|(?:^|_)(?:DEFS|DEFINES?|DEFINITIONS|MACROS)$")
# Flags, but not the C compiler's.
_OTHERS = re.compile(r"(?:LD|LINK|AR|AS|LEX|YACC|MAKE|RC|JAVA|GO|RUST|CONF|CONFIGURE|MESON)_?FLAGS$")

_PKG_CONFIG = re.compile(
    r"(?i)pkg-?config\b.*libwebsockets|[$@][({]?\w*(?:lws|websockets)\w*_(?:libs|ldflags)\b"
)
_LONGEST_REFERENCE = 500  # bytes
_MACRO = re.compile(r"([A-Za-z_]\w*)(?:\([\w, .]*\))?(?:=(.*))?\Z", re.ASCII | re.DOTALL)

# One word: runs of plain characters, quoted strings, escapes, and $(…) with up to a few levels inside.
_NESTED = rb"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+\))*+\)"
_WORD = re.compile(
    rb"""(?: [^\s"'\\$`]++
           | \\(?!\r?\n)[\s\S]
           | "(?:[^"\\]|\\[\s\S])*+(?:"|\Z)
           | '[^']*+(?:'|\Z)
           | \$"""
    + _NESTED
    + rb"""
           | \$\{[^{}\n]*+\}
           | `[^`]*+(?:`|\Z)
           | [$\\](?!\r?\n)
         )++""",
    re.VERBOSE,
)
_QUOTED = re.compile(
    r"""'([^']*+)'? | "((?:[^"\\]|\\[\s\S])*+)"? | \\([\s\S]) | (\$?[^'"\\]+|[\s\S])""", re.VERBOSE
)
_ESCAPED = re.compile(r"\\([\\\"$`\n])")


class Word(NamedTuple):
    """One word after the quotes are gone.  ``span`` is that of the word as written, quotes included."""

    text: str
    span: Span


def split(snippet: Snippet) -> list[Word]:
    """The words of a text; an unclosed quote reaches to its end.

    Raises :class:`TooMuch` for a list that nobody wrote by hand.
    """
    words: list[Word] = []
    for match in _WORD.finditer(snippet.text):
        words.append(Word(unquote(decode(match[0])), snippet.span(match.start(), match.end())))
        if len(words) > MAX_WORDS:
            raise TooMuch(f"a list of more than {MAX_WORDS} words; the rest was not read")
    return words


def unquote(raw: str) -> str:
    """A word's text without its quotes and escapes."""
    if not any(mark in raw for mark in "'\"\\"):
        return raw
    pieces: list[str] = []
    for match in _QUOTED.finditer(raw):
        single, double, escaped, plain = match.groups()
        if double is not None:
            pieces.append(_ESCAPED.sub(r"\1", double))
        elif escaped is not None:
            pieces.append("" if escaped == "\n" else escaped)
        else:
            pieces.append(single if single is not None else plain)
    return "".join(pieces)


def over(first: Span, last: Span) -> Span:
    """From the start of one word to the end of another behind it; one that stands elsewhere is its own."""
    return Span(first.start, last.end) if last.start >= first.end else last


class Flag(NamedTuple):
    """A macro that a command line defines (``-D``) or, with None as the value, undefines (``-U``)."""

    name: str
    value: str | None
    span: Span


def macro_flags(words: Sequence[Word]) -> Iterator[Flag]:
    """The ``-D`` and ``-U`` of a compiler's command line, in their order.

    ``-DX`` is ``-DX=1`` (GCC manual, "Preprocessor Options").
    """
    pending: tuple[str, Span] | None = None
    for word in words:
        if pending is not None:
            option, start = pending
            pending = None
            text, span = word.text, over(start, word.span)
        elif word.text in ("-D", "-U"):
            pending = word.text[1], word.span
            continue
        elif word.text[:2] in ("-D", "-U"):
            option, text, span = word.text[1], word.text[2:], word.span
        else:
            continue
        match = _MACRO.match(text)
        if match is None:
            continue
        if option == "U":
            yield Flag(match[1], None, span)
        else:
            yield Flag(match[1], "1" if match[2] is None else match[2], span)


def add_flags(records: Records, words: Sequence[Word], target: str = "") -> None:
    """The macros among a compiler's flags, as records."""
    for flag in macro_flags(words):
        records.define(flag.name, flag.value, flag.span, target)


def library_flags(words: Sequence[Word]) -> list[str]:
    """The libraries that a linker's command line names: ``-lwebsockets``, ``path/libwebsockets.a``.

    ``websockets`` also for what pkg-config or ``PKG_CHECK_MODULES`` gives: ``$(LIBWEBSOCKETS_LIBS)``.
    """
    names: list[str] = []
    for word in words:
        if word.text.startswith("-l") and len(word.text) > 2 and "$" not in word.text:
            names.append(word.text[2:])
        elif match := re.search(r"(?:^|/)lib([\w+-]+)\.(?:a|so(?:\.[\d.]+)?|dylib|la)$", word.text, re.ASCII):
            names.append(match[1])
        elif len(word.text) <= _LONGEST_REFERENCE and _PKG_CONFIG.search(word.text):
            names.append("websockets")
    return names


def holds_flags(name: str) -> bool:
    """Whether a variable of this name holds compiler flags (``CFLAGS``, ``AM_CPPFLAGS``, ``DEFS``)."""
    return bool(_FLAGS.search(name)) and not _OTHERS.search(name)
