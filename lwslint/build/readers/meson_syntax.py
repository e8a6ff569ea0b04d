"""Meson's language, as much as a linter needs: statements and expressions with their places.

The grammar is that of mesonbuild.com/Syntax.html and small enough for one page.  No tree-sitter grammar of
it is published for Python.  Nesting is limited, so nothing here can exhaust the stack; a statement that
does not parse is left out, and the parser goes on with the next line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from lwslint.build.readers.limits import TooMuch
from lwslint.facts import Span

MAX_DEPTH = 60
MAX_TOKENS = 100_000


class Expression(NamedTuple):
    """A node of an expression.

    ``kind``: ``string`` (``value`` is its text), ``number``, ``name``, ``list``, ``dict`` (keys and values
    take turns in ``items``), ``call`` (``value`` is the function, ``items`` the arguments), ``method``
    (``items[0]`` is the object), ``choose`` (condition, then, else), ``binary`` (``value`` is the
    operator), ``not``, ``index``.  ``named`` are keyword arguments.
    """

    kind: str
    span: Span
    value: str = ""
    items: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()

    def argument(self, name: str) -> Expression | None:
        """The keyword argument ``name``, the last one where a file names it twice."""
        return next((value for key, value in reversed(self.named) if key == name), None)


class Statement(NamedTuple):
    """``kind``: ``expression``, ``assign`` or ``add`` (to the variable ``name``), ``if``, ``elif``,
    ``else``, ``endif``, ``foreach``, ``endforeach``."""

    kind: str
    expression: Expression | None = None
    name: str = ""


class _Token(NamedTuple):
    kind: str
    text: str
    span: Span


class _Error(Exception):
    pass


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\\\r?\n|\#[^\n]*)
      | (?P<line>\n)
      | (?P<string>f?'''(?:[^']|'(?!''))*+'''|f?'(?:[^'\\\n]|\\.)*+')
      | (?P<number>0[xX][0-9a-fA-F]+|0[bo]\d+|\d+)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>==|!=|<=|>=|\+=|[-+*/%<>=?:.,()\[\]{}])
      | (?P<other>.)""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\([\\'n t])")
_BLOCKS: Final = frozenset({"else", "endif", "endforeach", "break", "continue"})
_BINARY: Final = (
    ("or",),
    ("and",),
    ("==", "!=", "<", ">", "<=", ">=", "in", "not in"),
    ("+", "-"),
    ("*", "/", "%"),
)


class Parsed(NamedTuple):
    statements: tuple[Statement, ...]
    problem: str


def parse(data: bytes, start: int = 0) -> Parsed:
    """The statements of a ``meson.build``; ``problem`` says where something was left out.

    Raises :class:`TooMuch` for a file of more tokens than anybody writes.
    """
    # Latin-1 keeps one character for each byte, so that offsets are those of the file.
    parser = _Parser(_tokens(data.decode("latin-1"), start))
    return Parsed(tuple(parser.statements()), parser.problem)


def _tokens(text: str, start: int) -> list[_Token]:
    tokens: list[_Token] = []
    depth = 0
    for match in _TOKEN.finditer(text, start):
        kind = match.lastgroup or "other"
        if kind == "space" or (kind == "line" and depth):
            continue
        if kind == "mark":
            depth = max(0, depth + (match[0] in "([{") - (match[0] in ")]}"))
        tokens.append(_Token(kind, match[0], Span(match.start(), match.end())))
        if len(tokens) > MAX_TOKENS:
            raise TooMuch(f"more than {MAX_TOKENS} words and marks, which is more than anybody wrote")
    tokens.append(_Token("end", "", Span(len(text), len(text))))
    return tokens


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.problem = ""

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        while self._now.kind != "end":
            if self._now.kind == "line":
                self._at += 1
                continue
            try:
                found.append(self._statement())
                if self._now.kind not in ("line", "end"):
                    raise _Error
            except _Error:
                self.problem = "does not parse as Meson in full"
                self._depth = 0
                while self._now.kind not in ("line", "end"):
                    self._at += 1
        return found

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        if self._now.kind in ("mark", "name") and self._now.text == text:
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise _Error

    def _statement(self) -> Statement:
        token = self._now
        if token.kind == "name":
            if token.text in _BLOCKS:
                self._at += 1
                return Statement(token.text)
            if token.text in ("if", "elif"):
                self._at += 1
                return Statement(token.text, self._expression())
            if token.text == "foreach":
                while self._now.kind not in ("line", "end"):
                    self._at += 1
                return Statement("foreach")
            following = self._tokens[self._at + 1]
            if following.text in ("=", "+=") and following.kind == "mark":
                self._at += 2
                kind = "assign" if following.text == "=" else "add"
                return Statement(kind, self._expression(), token.text)
        return Statement("expression", self._expression())

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Error
        left = self._binary(0)
        if self._take("?"):
            then = self._expression()
            self._need(":")
            other = self._expression()
            left = Expression("choose", _over(left, other), items=(left, then, other))
        self._depth -= 1
        return left

    def _binary(self, level: int) -> Expression:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        chain = 0
        while (operator := self._operator(_BINARY[level])) and chain < 1_000:
            right = self._binary(level + 1)
            if left.kind == "binary" and left.value == operator and operator in ("+", "or", "and"):
                left = Expression("binary", _over(left, right), operator, (*left.items, right))
            else:
                left = Expression("binary", _over(left, right), operator, (left, right))
            chain += 1
        return left

    def _operator(self, wanted: tuple[str, ...]) -> str:
        if "not in" in wanted and self._now.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return "not in"
        return next((text for text in wanted if self._take(text)), "")

    def _unary(self) -> Expression:
        token = self._now
        turns = 0
        while self._now.kind in ("name", "mark") and self._now.text in ("not", "-"):
            turns += self._now.text == "not"
            self._at += 1
        operand = self._postfix()
        if turns % 2:
            return Expression("not", Span(token.span.start, operand.span.end), items=(operand,))
        return operand

    def _postfix(self) -> Expression:
        value = self._primary()
        while True:
            if self._take("."):
                name = self._now
                if name.kind != "name":
                    raise _Error
                self._at += 1
                self._need("(")
                items, named, end = self._arguments(")")
                value = Expression("method", Span(value.span.start, end), name.text, (value, *items), named)
            elif self._take("["):
                inner = self._expression()
                end = self._now.span.end
                self._need("]")
                value = Expression("index", Span(value.span.start, end), items=(value, inner))
            else:
                return value

    def _primary(self) -> Expression:
        token = self._now
        self._at += token.kind != "end"
        if token.kind == "string":
            return Expression("string", token.span, _string(token.text))
        if token.kind == "number":
            return Expression("number", token.span, token.text)
        if token.kind == "name":
            if self._take("("):
                items, named, end = self._arguments(")")
                return Expression("call", Span(token.span.start, end), token.text, items, named)
            return Expression("name", token.span, token.text)
        if token.text == "(" and token.kind == "mark":
            inner = self._expression()
            self._need(")")
            return inner
        if token.text in ("[", "{") and token.kind == "mark":
            close = "]" if token.text == "[" else "}"
            items, _, end = self._arguments(close, pairs=close == "}")
            return Expression("list" if close == "]" else "dict", Span(token.span.start, end), "", items)
        raise _Error

    def _arguments(
        self, close: str, *, pairs: bool = False
    ) -> tuple[tuple[Expression, ...], tuple[tuple[str, Expression], ...], int]:
        """Arguments or elements up to ``close``, and the offset behind it."""
        items: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while True:
            end = self._now.span.end
            if self._take(close):
                return tuple(items), tuple(named), end
            value = self._expression()
            if self._take(":"):
                if pairs:
                    items += [value, self._expression()]
                elif value.kind == "name":
                    named.append((value.value, self._expression()))
                else:
                    raise _Error
            else:
                items.append(value)
            if not self._take(","):
                end = self._now.span.end
                self._need(close)
                return tuple(items), tuple(named), end


def _string(raw: str) -> str:
    text = raw.removeprefix("f").encode("latin-1").decode("utf-8", "replace")
    if text.startswith("'''"):
        return text[3:-3]
    return _ESCAPE.sub(_escaped, text[1:-1])


def _escaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1], match[1])


def _over(first: Expression, last: Expression) -> Span:
    return Span(first.span.start, last.span.end)
