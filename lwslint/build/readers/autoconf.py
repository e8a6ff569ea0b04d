"""configure.ac: the libwebsockets that ``PKG_CHECK_MODULES``, or a project's macro around it, asks for.

M4 is expanded by nobody here.  A call is found by its macro's name and read with M4's quotes (``[…]``) and
parentheses; text behind ``dnl`` is no call.
"""

from __future__ import annotations

import re

from lwslint.build.facts import BuildFile
from lwslint.build.readers.records import Records, decode
from lwslint.facts import Span

_MAX_CALL = 2_000  # bytes

_CALL = re.compile(rb"\bdnl\b[^\n]*|^[ \t]*#[^\n]*|\b[A-Z][A-Z0-9_]*(?:PKG|CHECK)[A-Z0-9_]*\(", re.MULTILINE)
# A word of an argument that lists pkg-config modules: [glib-2.0 libwebsockets >= 4.0.0].
_WORD = re.compile(r"[\w.+${}-]+|[<>=]+[\w.${}]*|", re.ASCII)
_BOUND = re.compile(
    r"libwebsockets(?:_static)?\s*(>=|<=|=|>|<)\s*(?:v?(\d+(?:\.\d+){0,2})|\$\{?(\w+)\}?)", re.ASCII
)


def read(path: str, data: bytes) -> BuildFile:
    """A ``configure.ac`` or ``configure.in``."""
    return Records(path, "autoconf", data).read(_read)


def _read(records: Records) -> None:
    if b"libwebsockets" not in records.data:
        return
    for match in _CALL.finditer(records.data):
        end = match.end()
        if match[0].endswith(b"(") and records.data.find(b"libwebsockets", end, end + _MAX_CALL) >= 0:
            for argument in call_arguments(records.data, end):
                _modules(records, argument)


def _modules(records: Records, span: Span) -> None:
    text = records.data[span.start : min(span.end, span.start + 500)].decode("latin-1")
    if not all(_WORD.fullmatch(word) for word in re.split(r"[\s,]+", text.strip(' \t\r\n[]"'))):
        return
    for match in _BOUND.finditer(text):
        version = match[2] or _variable(records.data, match[3])
        if version and match[1] in (">=", ">", "="):
            place = Span(span.start + match.start(), span.start + match.end())
            records.requirement(version, "pkg-config", place, exact=match[1] == "=")


def _variable(data: bytes, name: str) -> str:
    """The version that a shell variable of the script holds; "" when it holds another text."""
    match = re.search(rf"^\s*{name}=[\"']?(\d+(?:\.\d+){{0,2}})[\"']?\s*$".encode(), data, re.MULTILINE)
    return decode(match[1]) if match else ""


def call_arguments(data: bytes, start: int) -> list[Span]:
    """The arguments of the call whose parenthesis opens before ``start``; none when it is never closed."""
    arguments: list[Span] = []
    brackets = parentheses = 0
    begin = start
    for match in re.compile(rb"[][(),]").finditer(data, start, start + _MAX_CALL):
        mark, position = match[0], match.start()
        if mark == b"[":
            brackets += 1
        elif mark == b"]":
            brackets = max(0, brackets - 1)
        elif brackets:
            continue
        elif mark == b"(":
            parentheses += 1
        elif mark == b")" and parentheses:
            parentheses -= 1
        elif mark == b")":
            arguments.append(Span(begin, position))
            return arguments
        elif not parentheses:
            arguments.append(Span(begin, position))
            begin = position + 1
    return []
