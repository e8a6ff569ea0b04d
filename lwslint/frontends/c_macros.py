"""Lowering of macros: what a ``#define`` stands for, as a value or as a function.

A replacement text is parsed by itself, inside the smallest program that makes it a whole, and its tree
is then moved to the macro's own place in the file, so that its spans need no correction afterwards.
"""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Point, Tree

from lwslint.facts import (
    Declare,
    Evaluate,
    Function,
    Macro,
    Name,
    Null,
    Number,
    Parameter,
    Span,
    Statement,
    Value,
)
from lwslint.frontends import c_literals
from lwslint.frontends.c_expressions import value
from lwslint.frontends.c_statements import body
from lwslint.frontends.c_unit import Dialect, Sink, Unit, children_of

MAX_TEXT = 16_384
"""The longest replacement text that is read, in bytes."""

_CONTINUED: Final = re.compile(rb"\\\r?\n")
_PASTED: Final = re.compile(rb"[ \t]*##[ \t]*")
_QUOTED: Final = re.compile(rb"#(?=[ \t]*[A-Za-z_])")
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_DIGITS: Final = re.compile(rb"\(*-?(0[xX][0-9a-fA-F]+|\d+)[uUlL]{0,3}\)*")
_RESERVED: Final = frozenset(
    b"auto break case char const continue default do double else enum extern float for goto if inline int "
    b"long register restrict return short signed sizeof static struct switch typedef union unsigned void "
    b"volatile while class namespace template typename using virtual public private protected constexpr "
    b"noexcept override final explicit friend mutable operator bool".split()
)
_LITERALS: Final = frozenset((b"true", b"false", b"this"))
_AS_VALUE: Final = (b"int m=", b"\n;")
_AS_BODY: Final = (b"void m(){", b"\n;}")


class Definition:
    """A ``#define`` with its place: see :class:`lwslint.frontends.preprocessor.MacroText`."""

    __slots__ = ("end", "name", "name_start", "parameters", "start", "text")

    def __init__(
        self, data: bytes, name: str, parameters: tuple[str, ...] | None, start: int, end: int
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.start = start
        self.end = end
        self.name_start = max(data.rfind(name.encode(), 0, start), 0)
        self.text = _readable(data[start:end])


def _readable(text: bytes) -> bytes:
    """A replacement text of the same length without what only the preprocessor understands."""
    text = _CONTINUED.sub(lambda m: b" " * len(m[0]), text)
    if b"#" in text:
        text = _PASTED.sub(lambda m: b"_" * len(m[0]), text)
        text = _QUOTED.sub(b" ", text)
    return text


def lower(dialect: Dialect, data: bytes, sink: Sink, definition: Definition) -> None:
    """Add the macro to ``sink``: as a Macro when it is one expression, as a Function when it takes
    parameters; not at all when its text is empty or makes no sense by itself."""
    text = definition.text
    bare = text.strip()
    if not bare or len(text) > MAX_TEXT or bare in _RESERVED:
        return
    if definition.parameters is not None:
        _lower_function(dialect, data, sink, definition, definition.parameters)
        return
    found = _simple(definition)
    if found is None:
        stripped = text.rstrip().removesuffix(b";")
        stripped = stripped.rstrip().removesuffix(b",")
        found = _expression(dialect, data, sink, stripped, definition.start)
    if found is None:
        _lower_statements(dialect, data, sink, definition)
    else:
        sink.macros.append(Macro(definition.name, Span(definition.name_start, definition.end), found))


def _simple(definition: Definition) -> Value | None:
    """A number or a name needs no parser; headers are full of them."""
    bare = definition.text.strip()
    start = definition.start + definition.text.find(bare)
    span = Span(start, start + len(bare))
    if _DIGITS.fullmatch(bare):
        number = c_literals.integer(bare.strip(b"()").decode())
        return None if number is None else Number(span, number)
    if bare in (b"NULL", b"nullptr"):
        return Null(span)
    if _WORD.fullmatch(bare) and bare not in _LITERALS:
        return Name(span, bare.decode())
    return None


def _parse(dialect: Dialect, text: bytes, wrapping: tuple[bytes, bytes], start: int) -> Tree | None:
    """The tree of ``text`` inside ``wrapping``, moved to ``start``; None where it does not parse."""
    before, after = wrapping
    tree = dialect.parser.parse(before + text + after)
    if tree.root_node.has_error:
        return None
    moved = start - len(before)
    zero = Point(0, 0)
    if moved > 0:  # shorter than "#define x" no directive can be, so this always holds for real macros
        tree.edit(0, 0, moved, zero, zero, Point(0, moved))
    return tree


def _unit(dialect: Dialect, data: bytes, sink: Sink, text: bytes, start: int) -> Unit:
    """A unit that reads ``text`` at ``start``; the rest of the file is only there for its length."""
    end = start + len(text)
    return Unit(dialect, data[:start] + text + data[end:] if data[start:end] != text else data, sink)


def _expression(dialect: Dialect, data: bytes, sink: Sink, text: bytes, start: int) -> Value | None:
    tree = _parse(dialect, text, _AS_VALUE, start)
    if tree is None:
        return None
    unit = _unit(dialect, data, sink, text, start)
    # Text that closes the declaration and opens another one is no expression, even if it parses.
    whole = tree.root_node.named_children
    declarators = children_of(whole[0], unit.fields.declarator) if len(whole) == 1 else []
    given = declarators[0].child_by_field_id(unit.fields.value) if len(declarators) == 1 else None
    return None if given is None else value(unit, given, 0)


def _lower_function(
    dialect: Dialect, data: bytes, sink: Sink, definition: Definition, names: tuple[str, ...]
) -> None:
    start, text = definition.start, definition.text
    statements: tuple[Statement, ...]
    tree = _parse(dialect, text, _AS_BODY, start)
    unit = _unit(dialect, data, sink, text, start)
    at = sink.reserve()
    unit.function, unit.outer = at, definition.name
    if tree is None:
        given = _expression(dialect, data, sink, text.rstrip().removesuffix(b","), start)
        if given is None:  # half a statement, or two functions: keep what can be read of it
            tree = dialect.parser.parse(_AS_BODY[0] + text + _AS_BODY[1])
            zero = Point(0, 0)
            moved = max(start - len(_AS_BODY[0]), 0)
            tree.edit(0, 0, moved, zero, zero, Point(0, moved))
        else:
            statements = (Evaluate(given.span, given),)
    if tree is not None:
        whole = tree.root_node.named_children
        inner = whole[0].child_by_field_id(unit.fields.body) if whole else None
        statements = body(unit, inner, 0)
    sink.functions[at] = Function(
        name=definition.name,
        qualified=definition.name,
        span=Span(definition.name_start, definition.end),
        name_span=Span(definition.name_start, definition.name_start + len(definition.name.encode())),
        parameters=_parameters(data, definition, names),
        body=statements,
        kind="macro",
    )


def _lower_statements(dialect: Dialect, data: bytes, sink: Sink, definition: Definition) -> None:
    """``#define RUN do { … } while (0)``: a function without parameters, if it does anything at all."""
    tree = _parse(dialect, definition.text, _AS_BODY, definition.start)
    whole = [] if tree is None else tree.root_node.named_children
    if len(whole) != 1 or not any(mark in definition.text for mark in b"({="):
        return
    before = len(sink.functions)
    _lower_function(dialect, data, sink, definition, ())
    added = sink.functions[before]
    if added is None or all(isinstance(statement, Declare) for statement in added.body):
        del sink.functions[before:]


def _parameters(data: bytes, definition: Definition, names: tuple[str, ...]) -> tuple[Parameter, ...]:
    found = []
    at = definition.name_start + len(definition.name)
    for name in names:
        encoded = name.encode()
        place = data.find(encoded, at, definition.start)
        if place < 0:
            place = at
        at = place + len(encoded)
        found.append(Parameter(name, "", Span(place, at)))
    return tuple(found)
