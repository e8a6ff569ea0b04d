"""What CMake's conditions are, as far as the build files tell: true, false or unknown.

Two languages: the arguments of ``if()`` (cmake-commands(7), "Condition Syntax") and the conditions of
generator expressions (cmake-generator-expressions(7)).  Both come from an untrusted file: whatever is not
understood, too long or too deep is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from lwslint.build.facts import When


class Unknown:
    """The type of :data:`UNKNOWN`, the value of a variable that nothing decides."""


UNKNOWN: Final = Unknown()
Lookup = Callable[[str], str | Unknown | None]
"""A variable's value; None when it is certainly not set."""

MAX_TOKENS = 400
_MAX_DEPTH = 24

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([()])|((?:[^\s()"$]|\$\{[^}]*\}|\$)+)')
_VARIABLE = re.compile(r"\$\{([\w.+/-]+)\}")
_TRUE: Final = frozenset({"1", "ON", "YES", "TRUE", "Y"})
_FALSE: Final = frozenset({"0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND", ""})
_ONE_ARGUMENT: Final = frozenset(
    {"EXISTS", "COMMAND", "POLICY", "TARGET", "TEST", "IS_DIRECTORY", "IS_ABSOLUTE"}
)
_VERSIONS: Final = {
    "VERSION_LESS": lambda a, b: a < b,
    "VERSION_GREATER": lambda a, b: a > b,
    "VERSION_EQUAL": lambda a, b: a == b,
    "VERSION_LESS_EQUAL": lambda a, b: a <= b,
    "VERSION_GREATER_EQUAL": lambda a, b: a >= b,
}
_NUMBERS: Final = {
    "EQUAL": lambda a, b: a == b,
    "LESS": lambda a, b: a < b,
    "GREATER": lambda a, b: a > b,
    "LESS_EQUAL": lambda a, b: a <= b,
    "GREATER_EQUAL": lambda a, b: a >= b,
}
_COMPARE: Final = frozenset({"STREQUAL", "MATCHES", "IN_LIST", *_VERSIONS, *_NUMBERS})

_OPERATORS: Final = frozenset({("word", "AND"), ("word", "OR"), (")", ")")})

Token = tuple[str, str]
"""``word``, ``quoted``, ``(`` or ``)``, and the text."""


def holds(conditions: Iterable[When], lookup: Lookup) -> bool | None:
    """Whether all of ``conditions`` hold."""
    result: bool | None = True
    for when in conditions:
        truth = condition(when.text, lookup)
        if truth is None:
            result = None
        elif truth is not when.wanted:
            return False
    return result


def condition(text: str, lookup: Lookup) -> bool | None:
    """Whether the condition of an ``if()`` or of a generator expression holds."""
    if text.startswith("$<"):
        return _generator(text, lookup, 0)
    tokens = _tokens(text)
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    parser = _Condition(tokens, lookup)
    result = parser.either(0)
    return result if parser.at_end and not parser.broken else None


def _tokens(text: str) -> list[Token]:
    return [
        (match[2], match[2]) if match[2] else ("quoted", match[1]) if match[3] is None else ("word", match[3])
        for match in _TOKEN.finditer(text)
    ]


def variables(text: str) -> tuple[str, ...]:
    """The variables that a condition reads, in order; what something is compared with is none."""
    if text.startswith("$<"):
        names = _VARIABLE.findall(text)
        return tuple(dict.fromkeys([*names, "CMAKE_BUILD_TYPE"] if "$<CONFIG:" in text else names))
    found: list[str] = []
    before = ""
    for kind, token in _tokens(text):
        found += _VARIABLE.findall(token)
        plain = kind == "word" and _IDENTIFIER.fullmatch(token) and constant(token) is None
        if plain and token not in _WORDS and before not in (*_COMPARE, *_ONE_ARGUMENT):
            found.append(token)
        before = token if kind == "word" else ""
    return tuple(dict.fromkeys(found))


_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.+/-]*")
_WORDS: Final = frozenset({"AND", "OR", "NOT", "DEFINED", *_ONE_ARGUMENT, *_COMPARE})


def is_true(value: str) -> bool:
    """Whether CMake takes a variable's value for true."""
    return constant(value) is not False


def constant(text: str) -> bool | None:
    """The truth of a named constant or a number; None for any other text."""
    upper = text.upper()
    if upper in _TRUE:
        return True
    if upper in _FALSE or upper.endswith("-NOTFOUND"):
        return False
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return float(text) != 0
    return None


def substitute(text: str, lookup: Lookup) -> str | None:
    """``text`` with all variables replaced (one that is not set is empty); None where one is unknown."""
    parts: list[str] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        value = lookup(match[1])
        if isinstance(value, Unknown):
            return None
        parts += (text[position : match.start()], value or "")
        position = match.end()
    parts.append(text[position:])
    joined = "".join(parts)
    return None if "${" in joined or "$ENV{" in joined else joined


class _Condition:
    """A recursive-descent reader of one condition; recursion is bounded by :data:`_MAX_DEPTH`."""

    def __init__(self, tokens: list[Token], lookup: Lookup) -> None:
        self._tokens = tokens
        self._lookup = lookup
        self._at = 0
        self.broken = False

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def either(self, depth: int) -> bool | None:
        result = self._both(depth)
        while self._accept("OR"):
            right = self._both(depth)
            result = True if result or right else None if result is None or right is None else False
        return result

    def _both(self, depth: int) -> bool | None:
        result = self._negated(depth)
        while self._accept("AND"):
            right = self._negated(depth)
            result = False if result is False or right is False else None if None in (result, right) else True
        return result

    def _negated(self, depth: int) -> bool | None:
        negative = False
        while self._accept("NOT"):
            negative = not negative
        result = self._test(depth)
        return result if result is None or not negative else not result

    def _test(self, depth: int) -> bool | None:
        token = self._next()
        if token is None or depth > _MAX_DEPTH or token in _OPERATORS:
            self.broken = True
            return None
        kind, text = token
        if kind == "(":
            result = self.either(depth + 1)
            closing = self._next()
            self.broken |= closing is None or closing[0] != ")"
            return result
        if kind == "word" and text == "DEFINED":
            return self._defined(self._next())
        if kind == "word" and text in _ONE_ARGUMENT:
            self._next()
            return None
        operator = self._peek()
        if operator is not None and operator[0] == "word" and operator[1] in _COMPARE:
            self._next()
            right = self._next()
            return None if right is None else self._compare(token, operator[1], right)
        return self._truth(token)

    def _defined(self, token: Token | None) -> bool | None:
        if token is None or token[1].startswith(("ENV{", "CACHE{")):
            return None
        value = self._lookup(token[1])
        return None if isinstance(value, Unknown) else value is not None

    def _truth(self, token: Token) -> bool | None:
        kind, text = token
        replaced = substitute(text, self._lookup)
        if replaced is None:
            return None
        known = constant(replaced)
        if known is not None:
            return known
        if kind == "quoted":
            return False
        value = self._lookup(replaced)
        if isinstance(value, Unknown):
            return None
        return value is not None and is_true(value)

    def _compare(self, left: Token, operator: str, right: Token) -> bool | None:
        first, second = self._value(left), self._value(right)
        if first is None or second is None:
            return None
        if operator == "STREQUAL":
            return first == second
        if operator in _NUMBERS:
            if not all(re.fullmatch(r"-?\d+", text) for text in (first, second)):
                return None
            return bool(_NUMBERS[operator](int(first), int(second)))
        if operator in _VERSIONS:
            versions = [[int(part) for part in re.findall(r"\d+", text)] for text in (first, second)]
            return bool(_VERSIONS[operator](*versions)) if all(versions) else None
        if operator == "MATCHES" and re.fullmatch(r"\^?[\w ]*\$?", second):
            return re.search(second, first) is not None
        return None

    def _value(self, token: Token) -> str | None:
        """An operand: a variable's value where a bare word names one, else the text; None: unknown."""
        kind, text = token
        replaced = substitute(text, self._lookup)
        if replaced is None or kind == "quoted" or "${" in text:
            return replaced
        value = self._lookup(replaced)
        if isinstance(value, Unknown):
            # A word that no build file sets is most likely meant as it stands, but that is a guess.
            return replaced if re.match(r"[\d]", replaced) or replaced in _BUILD_TYPES else None
        return replaced if value is None else value

    def _accept(self, word: str) -> bool:
        if self._peek() == ("word", word):
            self._at += 1
            return True
        return False

    def _peek(self) -> Token | None:
        return None if self.at_end else self._tokens[self._at]

    def _next(self) -> Token | None:
        token = self._peek()
        self._at += 1
        return token


_BUILD_TYPES: Final = frozenset({"Debug", "Release", "RelWithDebInfo", "MinSizeRel", "DEBUG", "RELEASE"})


def _generator(text: str, lookup: Lookup, depth: int) -> bool | None:
    """The truth of ``$<…>``."""
    if depth > _MAX_DEPTH or not (text.startswith("$<") and text.endswith(">")):
        known = substitute(text, lookup)
        return None if known is None else constant(known)
    name, _, rest = text[2:-1].partition(":")
    arguments = _arguments(rest)
    match name:
        case "0" | "1":
            return name == "1"
        case "CONFIG":
            kind = lookup("CMAKE_BUILD_TYPE")
            if isinstance(kind, Unknown):
                return None
            return any(argument.lower() == (kind or "").lower() for argument in arguments)
        case "NOT":
            inner = _generator(rest, lookup, depth + 1)
            return None if inner is None else not inner
        case "AND" | "OR":
            truths = [_generator(argument, lookup, depth + 1) for argument in arguments]
            decisive = name == "OR"
            if decisive in truths:
                return decisive
            return None if None in truths else not decisive
        case "BOOL":
            value = substitute(rest, lookup)
            return None if value is None else is_true(value)
        case "STREQUAL":
            sides = [substitute(argument, lookup) for argument in arguments]
            if len(sides) != 2 or None in sides or any("$<" in (side or "") for side in sides):
                return None
            return sides[0] == sides[1]
        case _:
            return None


def _arguments(text: str) -> list[str]:
    """The arguments of a generator expression, split at commas that stand in no nested one."""
    found: list[str] = []
    depth = start = 0
    for position, character in enumerate(text):
        if character == "<" and text[position - 1 : position] == "$":
            depth += 1
        elif character == ">":
            depth -= 1
        elif character == "," and depth == 0:
            found.append(text[start:position])
            start = position + 1
    return [*found, text[start:]]
