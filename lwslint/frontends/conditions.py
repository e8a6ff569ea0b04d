"""Preprocessor expressions, evaluated three-valued: true, false, or not decided by what is known.

The grammar is that of ``#if`` (ISO C 6.10.1): ``defined``, integer and character constants, identifiers,
the operators of integer constant expressions, and calls of function-like macros, which are never expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

MAX_TOKENS = 256
MAX_EXPANSIONS = 16
_MAX_PARENTHESES = 32

Atoms = dict[str, int]
"""Assumptions: ``defined X``, ``value X`` or the text of an undecided expression, with its value."""


class Unknown:
    """The state of a macro of which nothing is known."""


UNKNOWN = Unknown()
State = str | None | Unknown
"""A macro: its replacement text, None when it is not defined, or :data:`UNKNOWN`."""
Lookup = Callable[[str], State]


class Expression(NamedTuple):
    """A node of a preprocessor expression.

    ``op`` is an operator, or ``number``, ``name``, ``defined`` or ``opaque`` (something that can only be
    known as a whole: a macro call, a syntax error); ``text`` is the source with white space folded.
    """

    op: str
    text: str
    operands: tuple[Expression, ...] = ()
    number: int = 0


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:0[xX][0-9a-fA-F']+|0[bB][01']+|[0-9][0-9']*)[uUlLzZ]*)(?![\w.])
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\])')
    |(?P<other>"(?:[^"\\]|\\.)*"|<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%<>!~&|^?:(),.]|\S))""",
    re.VERBOSE,
)
_PARENTHESIS = re.compile(r"[()]")
_NAME = re.compile(r"(?<![\w$'])[A-Za-z_$][\w$]*")
_ALTERNATIVE = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "not_eq": "!=",
    "bitand": "&",
    "bitor": "|",
    "compl": "~",
}
_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
}
_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))
_WRAP = 1 << 64
# Spellings of one platform: assumed one way, they are assumed all the same way.
_ALIASES = {"WIN32": "_WIN32", "__WIN32__": "_WIN32", "linux": "__linux__", "__linux": "__linux__"}


class _Malformed(Exception):
    """The text is no preprocessor expression, or is larger than the limits above."""


def fold(text: str) -> str:
    """``text`` with runs of white space replaced by one space."""
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[str, ...]:
    """The macro names in a condition, each once, in the order of their first appearance."""
    found = dict.fromkeys(_NAME.findall(re.sub(r'"[^"]*"|\b\d\w*', " ", text)))
    return tuple(name for name in found if name != "defined" and name not in _ALTERNATIVE)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression in ``text``; what is malformed or too large becomes one ``opaque`` node."""
    folded = fold(text)
    try:
        tokens = _tokens(folded)
        parser = _Parser(tokens)
        expression = parser.ternary()
        if parser.at != len(tokens):
            raise _Malformed
    except _Malformed:
        return Expression("opaque", folded)
    return expression


def defined(name: str) -> Expression:
    """``defined(name)``."""
    return Expression("defined", name)


def negate(expression: Expression) -> Expression:
    """``!expression``."""
    if expression.op == "!":
        return expression.operands[0]
    return Expression("!", _negated_text(expression), (expression,))


def describe(expression: Expression) -> str:
    """The text of an expression as a reader of a report should see it."""
    if expression.op == "defined":
        return f"defined({expression.text})"
    return expression.text


def conjunction(expressions: list[Expression]) -> str:
    """The text of ``a && b && …``, with parentheses only where they are needed."""
    if len(expressions) == 1:
        return describe(expressions[0])
    return " && ".join(
        f"({describe(part)})" if part.op in ("||", "?", "opaque") else describe(part) for part in expressions
    )


def _negated_text(expression: Expression) -> str:
    text = describe(expression)
    return f"!{text}" if expression.op in ("defined", "name", "call") else f"!({text})"


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(text):
        if len(found) >= MAX_TOKENS:
            raise _Malformed
        kind = match.lastgroup or ""
        token = match[kind]
        if kind == "name" and token in _ALTERNATIVE:
            kind, token = "other", _ALTERNATIVE[token]
        found.append((kind, token))
    if not found:
        raise _Malformed
    return found


class _Parser:
    """Precedence climbing over a bounded number of tokens and parentheses."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, expected: str) -> None:
        if self.peek() != expected:
            raise _Malformed
        self.at += 1

    def text(self, start: int) -> str:
        return _join([token for _, token in self.tokens[start : self.at]])

    def ternary(self) -> Expression:
        self.depth += 1
        if self.depth > _MAX_PARENTHESES:
            raise _Malformed
        start = self.at
        test = self.binary(1)
        if self.peek() == "?":
            self.at += 1
            then = self.ternary()
            self.take(":")
            other = self.ternary()
            test = Expression("?", self.text(start), (test, then, other))
        self.depth -= 1
        return test

    def binary(self, least: int) -> Expression:
        start = self.at
        left = self.unary()
        while (precedence := _PRECEDENCE.get(self.peek(), 0)) >= least:
            op = self.peek()
            self.at += 1
            right = self.binary(precedence + 1)
            left = Expression(op, self.text(start), (left, right))
        return left

    def unary(self) -> Expression:
        start = self.at
        operators = []
        while self.peek() in ("!", "-", "+", "~"):
            operators.append(self.at)
            self.at += 1
        operand = self.primary()
        for position in reversed(operators):
            op = self.tokens[position][1]
            operand = Expression("!" if op == "!" else f"u{op}", self.text(position), (operand,))
        assert start <= self.at
        return operand

    def primary(self) -> Expression:
        start = self.at
        if self.at >= len(self.tokens):
            raise _Malformed
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Expression("number", token, (), _number(token))
        if kind == "char":
            return Expression("number", token, (), _character(token))
        if token == "(":
            inner = self.ternary()
            self.take(")")
            return inner._replace(text=f"({inner.text})") if inner.op not in ("name", "defined") else inner
        if kind != "name":
            raise _Malformed
        if token == "defined":
            return self.defined()
        if self.peek() == "(":
            self.skip_arguments()
            return Expression("call", self.text(start))
        return Expression("name", token)

    def defined(self) -> Expression:
        parenthesised = self.peek() == "("
        self.at += parenthesised
        if self.at >= len(self.tokens) or self.tokens[self.at][0] != "name":
            raise _Malformed
        name = self.tokens[self.at][1]
        self.at += 1
        if parenthesised:
            self.take(")")
        return Expression("defined", name)

    def skip_arguments(self) -> None:
        depth = 0
        while self.at < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return
        raise _Malformed


def _join(tokens: list[str]) -> str:
    """The tokens as one would write them: spaces around binary operators and after commas only."""
    parts: list[str] = []
    operand_before = False
    for token in tokens:
        binary = operand_before and (token in _PRECEDENCE or token in ("?", ":"))
        parts.append(f" {token} " if binary else ", " if token == "," else token)
        operand_before = token == ")" or token[0].isalnum() or token[0] in "_$'\"<"
        if token in _PRECEDENCE:
            operand_before = False
    return re.sub(r"\bdefined(?=[A-Za-z_])", "defined ", "".join(parts))


def _number(token: str) -> int:
    digits = token.rstrip("uUlLzZ").replace("'", "")
    try:
        if len(digits) > 40:
            raise _Malformed
        if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
            return int(digits, 8)
        return int(digits, 0)
    except ValueError:
        raise _Malformed from None


_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, "'": 39, '"': 34}


def _character(token: str) -> int:
    inner = token[token.index("'") + 1 : -1]
    return _ESCAPES.get(inner[1], 0) if inner[0] == "\\" else ord(inner)


# --------------------------------------------------------------------------- evaluation


def truth(
    expression: Expression, lookup: Lookup, atoms: Mapping[str, int], budget: int = MAX_EXPANSIONS
) -> bool | None:
    """Whether the expression holds, given what ``lookup`` knows and ``atoms`` assumes; None: undecided.

    ``budget`` caps how deep macros are expanded into one another.
    """
    op = expression.op
    if op == "!":
        inner = truth(expression.operands[0], lookup, atoms, budget)
        return None if inner is None else not inner
    if op in ("&&", "||"):
        absorbing = op == "||"
        left = truth(expression.operands[0], lookup, atoms, budget)
        if left is absorbing:
            return absorbing
        right = truth(expression.operands[1], lookup, atoms, budget)
        if right is absorbing:
            return absorbing
        return None if left is None or right is None else not absorbing
    number = value(expression, lookup, atoms, budget)
    if number is not None:
        return bool(number)
    assumed = atoms.get(_key(expression))
    if assumed is not None:
        return bool(assumed)
    name = _compared_with_zero(expression, lookup, atoms)
    return expression.op == "!=" if name and atoms.get(name) else None


def _compared_with_zero(expression: Expression, lookup: Lookup, atoms: Mapping[str, int]) -> str:
    """The name in ``NAME == 0`` or ``NAME != 0``, else an empty string."""
    if expression.op not in ("==", "!="):
        return ""
    left, right = expression.operands
    return left.text if left.op == "name" and value(right, lookup, atoms) == 0 else ""


def value(
    expression: Expression, lookup: Lookup, atoms: Mapping[str, int], budget: int = MAX_EXPANSIONS
) -> int | None:
    """The expression's number (signed 64 bits, as preprocessors compute), or None where undecided."""
    op = expression.op
    if op == "number":
        return expression.number
    if op == "name":
        return _value_of(expression.text, lookup, atoms, budget)
    if op == "defined":
        state = lookup(expression.text)
        return (
            atoms.get(f"defined {expression.text}") if isinstance(state, Unknown) else int(state is not None)
        )
    if op in ("opaque", "call"):
        return None
    if op in ("!", "&&", "||"):
        known = truth(expression, lookup, atoms, budget)
        return None if known is None else int(known)
    if op == "?":
        test, then, other = expression.operands
        chosen = truth(test, lookup, atoms, budget)
        if chosen is None:
            return None
        return value(then if chosen else other, lookup, atoms, budget)
    operands = [value(operand, lookup, atoms, budget) for operand in expression.operands]
    numbers = [number for number in operands if number is not None]
    return _compute(op, numbers) if len(numbers) == len(operands) else None


def _value_of(name: str, lookup: Lookup, atoms: Mapping[str, int], budget: int) -> int | None:
    state = lookup(name)
    if isinstance(state, Unknown):
        if atoms.get(_defined_key(name)) == 0:
            return 0
        return atoms.get(f"value {name}")
    if state is None:
        return int(name == "true")
    if budget == 0 or not state.strip():
        return None
    return value(parse(state), lookup, atoms, budget - 1)


def _compute(op: str, numbers: list[int]) -> int | None:
    first = numbers[0]
    if len(numbers) == 1:
        return {"u-": -first, "u+": first, "u~": ~first}[op]
    second = numbers[1]
    if op in ("/", "%"):
        if second == 0:
            return None
        quotient = abs(first) // abs(second) * (1 if (first < 0) == (second < 0) else -1)
        return quotient if op == "/" else first - quotient * second
    if op in ("<<", ">>"):
        if not 0 <= second < 64:
            return None
        return _wrap(first << second if op == "<<" else first >> second)
    if op in _COMPARISONS:
        return int(_compare(op, first, second))
    return _wrap(
        {
            "+": first + second,
            "-": first - second,
            "*": first * second,
            "&": first & second,
            "|": first | second,
            "^": first ^ second,
        }[op]
    )


def _compare(op: str, first: int, second: int) -> bool:
    return {
        "==": first == second,
        "!=": first != second,
        "<": first < second,
        ">": first > second,
        "<=": first <= second,
        ">=": first >= second,
    }[op]


def _wrap(number: int) -> int:
    number %= _WRAP
    return number - _WRAP if number >= _WRAP // 2 else number


# --------------------------------------------------------------------------- assumptions


def _key(expression: Expression) -> str:
    if expression.op == "defined":
        return _defined_key(expression.text)
    return _unwrapped(expression.text)


def _defined_key(name: str) -> str:
    return f"defined {_ALIASES.get(name, name)}"


def _unwrapped(text: str) -> str:
    """``text`` without the parentheses that are around all of it."""
    if not text.startswith("("):
        return text
    opened: list[int] = []
    closed_at: dict[int, int] = {}
    for match in _PARENTHESIS.finditer(text):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            closed_at[opened.pop()] = match.start()
    depth = 0
    while closed_at.get(depth) == len(text) - 1 - depth:
        depth += 1
    return text[depth : len(text) - depth]


def assume(expression: Expression, wanted: bool, lookup: Lookup, atoms: Atoms) -> bool:
    """Adds to ``atoms`` what makes the expression ``wanted``; False when that contradicts them.

    Of an alternative, the first open operand is chosen.  Iterative, and adds nothing that is known.
    """
    pending = [(expression, wanted)]
    while pending:
        node, goal = pending.pop()
        known = truth(node, lookup, atoms)
        if known is not None:
            if known is not goal:
                return False
            continue
        if node.op == "!":
            pending.append((node.operands[0], not goal))
        elif node.op in ("&&", "||"):
            if goal is (node.op == "&&"):
                pending.extend((operand, goal) for operand in reversed(node.operands))
            else:
                still_open = [part for part in node.operands if truth(part, lookup, atoms) is None]
                pending.append((still_open[0], goal))
        else:
            _assume_atom(node, goal, lookup, atoms)
    return True


def compatible(atoms: Mapping[str, int], more: Mapping[str, int]) -> bool:
    """Whether both sets of assumptions can hold at once, as far as the atoms themselves show."""
    if any(atoms.get(key, number) != number for key, number in more.items()):
        return False
    both = {**atoms, **more}
    for key in more:
        name = key.removeprefix("defined ").removeprefix("value ")
        number = both.get(f"value {name}")
        holds = both.get(name)
        if number is not None and holds is not None and bool(number) != bool(holds):
            return False
        if both.get(_defined_key(name)) == 0 and (number or holds):
            return False
    return True


def _assume_atom(node: Expression, goal: bool, lookup: Lookup, atoms: Atoms) -> None:
    atoms[_key(node)] = int(goal)
    name = node.text if node.op == "name" else ""
    number = int(goal) if name and not goal else None  # false: not defined, or 0
    if node.op in ("==", "!=") and node.operands[0].op == "name":
        # `#if MODE == 1` assumed true settles `#elif MODE == 2` and a later `#if MODE`.
        compared = value(node.operands[1], lookup, atoms)
        name = node.operands[0].text
        if goal is (node.op == "=="):
            number = compared
            goal = compared != 0
        elif compared == 0:
            atoms.setdefault(name, 1)
            goal = True
        else:
            return
        if compared is None:
            return
    if not name or not isinstance(lookup(name), Unknown):
        return
    if number is not None:
        atoms.setdefault(f"value {name}", number)
    if goal:
        atoms.setdefault(_defined_key(name), 1)
