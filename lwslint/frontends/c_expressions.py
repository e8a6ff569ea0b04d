"""Lowering of C and C++ expressions to values.

Every handler takes the unit, the node and the depth of nesting, and returns one value.  Chains that a
program can make long without nesting anything (``a | b | c``) are followed in a loop; everything else
stops at ``MAX_DEPTH`` and becomes an :class:`~lwslint.facts.Unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tree_sitter import Node

from lwslint.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Declare,
    Evaluate,
    If,
    Index,
    Initializer,
    Item,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Return,
    Span,
    Statement,
    Switch,
    Text,
    Unary,
    Unknown,
    Value,
)
from lwslint.frontends import c_literals, documents
from lwslint.frontends.c_unit import (
    MAX_DEPTH,
    MAX_ITEMS,
    TOO_DEEP,
    Unit,
    ValueHandler,
    children_of,
    decoded,
    fold,
    span_of,
)

_CAST: Final = re.compile(r"(?:static|reinterpret|const|dynamic|bit)_cast<(.*)>", re.DOTALL)

_SIMPLE: Final = frozenset(
    ("identifier", "field_identifier", "type_identifier", "primitive_type", "sized_type_specifier", "auto")
)
"""Names that an ERROR node is full of, and that say nothing without what stood around them."""


def value(unit: Unit, node: Node, depth: int) -> Value:
    """The value that ``node`` stands for."""
    if depth > MAX_DEPTH:
        return Unknown(span_of(node))
    return unit.values[node.kind_id](unit, node, depth + 1)


def operand(unit: Unit, node: Node | None, around: Node, depth: int) -> Value:
    """The value of a part of ``around``: an empty Unknown at its end where the text broke off."""
    if node is None:
        return Unknown(Span(around.end_byte, around.end_byte))
    return Unknown(span_of(node)) if depth > MAX_DEPTH else unit.values[node.kind_id](unit, node, depth + 1)


def infix(unit: Unit, node: Node) -> Sequence[Node | None]:
    """What stands left of an operator, the operator, and what stands right of it.

    Three children can be nothing else: comments and what does not parse come on top.  To take them as they
    come is the faster way, here as in all other handlers that look at the number of children.
    """
    children = node.children
    if len(children) == 3:
        return children
    fields = unit.fields
    return [node.child_by_field_id(number) for number in (fields.left, fields.operator, fields.right)]


def values(unit: Unit, nodes: list[Node], depth: int) -> tuple[Value, ...]:
    """The values of ``nodes``, comments left out."""
    comment, handlers = unit.comment, unit.values if depth <= MAX_DEPTH else TOO_DEEP
    depth += 1
    return tuple([handlers[kind](unit, node, depth) for node in nodes if (kind := node.kind_id) != comment])


# --------------------------------------------------------------------------- names and literals


def name(unit: Unit, node: Node, depth: int) -> Value:
    start, end = node.start_byte, node.end_byte
    text = unit.source[start:end]
    return Name(Span(start, end), text if text.isascii() else decoded(text))


def folded_name(unit: Unit, node: Node, depth: int) -> Value:
    return Name(span_of(node), fold(unit.text(node)))


def null(unit: Unit, node: Node, depth: int) -> Value:
    return Null(span_of(node))


def true(unit: Unit, node: Node, depth: int) -> Value:
    return Number(span_of(node), 1)


def false(unit: Unit, node: Node, depth: int) -> Value:
    return Number(span_of(node), 0)


def number(unit: Unit, node: Node, depth: int) -> Value:
    span = span_of(node)
    found = c_literals.integer(unit.source[span.start : span.end])
    return Unknown(span) if found is None else Number(span, found)


def character(unit: Unit, node: Node, depth: int) -> Value:
    found = c_literals.character(unit.text(node))
    return Unknown(span_of(node)) if found is None else Number(span_of(node), found)


def string(unit: Unit, node: Node, depth: int) -> Value:
    start, end = node.start_byte, node.end_byte
    written = unit.source[start:end]
    if not written.isascii():
        written = decoded(written)
    if written[0] in " \t":
        return _glued(node, written)
    found = c_literals.string(written)
    if documents.SIGN in found:
        _document(unit, [node])
    return Text(Span(start, end), found)


def _document(unit: Unit, literals: list[Node]) -> None:
    """Keep the JSON text that adjacent literals are, where libwebsockets reads such a text."""
    literal = documents.Literal()
    for node in literals:
        start = node.start_byte
        for piece, first, last in c_literals.pieces(unit.data[start : node.end_byte]):
            literal.add(piece, start + first, start + last)
    document = literal.document()
    if document is not None and document not in unit.sink.documents:
        unit.sink.documents.append(document)


def _glued(node: Node, written: str) -> Value:
    """A macro between string literals, which the parser took for one of them (neutralise.readable)."""
    inner = written.lstrip()
    span = Span(node.end_byte - len(inner.encode("utf-8", "replace")), node.end_byte)
    return Name(span, inner) if inner.isidentifier() else Unknown(span)


def concatenated(unit: Unit, node: Node, depth: int) -> Value:
    """Adjacent string literals are one Text; with a macro among them, ``+`` joins the pieces."""
    literals = [child for child in node.named_children if child.kind_id != unit.comment]
    pieces: list[Value] = []
    run: list[Text] = []
    for child in literals:
        piece = value(unit, child, depth)
        if isinstance(piece, Text):
            run.append(piece)
            continue
        if run:
            pieces.append(_joined(run))
            run = []
        pieces.append(piece)
        if depth + len(pieces) > MAX_DEPTH:
            return Unknown(span_of(node), tuple(pieces))
    if run:
        pieces.append(_joined(run))
    result = pieces[0]
    if len(pieces) == 1 and isinstance(result, Text) and documents.SIGN in result.value:
        _document(unit, literals)
    for piece in pieces[1:]:
        result = Binary(Span(result.span.start, piece.span.end), "+", result, piece)
    return result


def _joined(run: list[Text]) -> Text:
    return Text(Span(run[0].span.start, run[-1].span.end), "".join([piece.value for piece in run]))


def user_literal(unit: Unit, node: Node, depth: int) -> Value:
    """``"x"s`` is as good as a string; what ``100ms`` is depends on its suffix."""
    literal = value(unit, node.named_children[0], depth)
    return literal if isinstance(literal, Text) else Unknown(span_of(node), (literal,))


# --------------------------------------------------------------------------- operators


def parenthesized(unit: Unit, node: Node, depth: int) -> Value:
    """The value inside; any number of parentheses costs one level."""
    kind = node.kind_id
    while node.kind_id == kind:
        only = node.named_child(0) if node.named_child_count == 1 else None
        if only is not None and only.kind_id != unit.comment:
            node = only
            continue
        inner = [c for c in node.named_children if c.kind_id != unit.comment]
        if len(inner) != 1:
            return Unknown(span_of(node), values(unit, inner, depth))
        node = inner[0]
    return value(unit, node, depth)


def operator(unit: Unit, node: Node | None) -> str:
    """What the operator ``node`` is."""
    return "" if node is None else unit.operators[node.kind_id] or _written_operator(unit, node)


def _written_operator(unit: Unit, node: Node) -> str:
    """The operator as the text has it, where the parser may have been shown another one."""
    written = unit.data[node.start_byte : node.start_byte + 3]
    for op in (b"...", b"->*", b".*"):
        if written.startswith(op):
            return op.decode()
    return "" if node.is_error else unit.dialect.names[node.kind_id]


def binary(unit: Unit, node: Node, depth: int) -> Value:
    """A chain of binary operators, followed down its left spine."""
    kind = node.kind_id
    spine: list[tuple[Node, Node | None, Node | None]] = []
    left: Node | None = node
    while left is not None and left.kind_id == kind:
        link = left
        left, op, right = infix(unit, link)
        spine.append((link, op, right))
    count = len(spine)
    if depth + count > MAX_DEPTH:
        operands = [] if left is None else [value(unit, left, depth)]
        operands += [operand(unit, right, link, depth) for link, _, right in reversed(spine)]
        return Unknown(span_of(node), tuple(operands))
    start = node.start_byte
    result = Unknown(Span(start, start)) if left is None else value(unit, left, depth + count)
    while spine:
        link, op, right = spine.pop()
        found = operand(unit, right, link, depth + len(spine))
        result = Binary(Span(start, link.end_byte), operator(unit, op), result, found)
    return result


def assignment(unit: Unit, node: Node, depth: int) -> Value:
    left, op, right = infix(unit, node)
    target = operand(unit, left, node, depth)
    given = operand(unit, right, node, depth)
    return Assign(Span(node.start_byte, node.end_byte), target, operator(unit, op), given)


def unary(unit: Unit, node: Node, depth: int) -> Value:
    """A prefix or postfix operator; ``update`` is the only one that can be either."""
    op: Node | None
    inner: Node | None
    fields, children = unit.fields, node.children
    if len(children) == 2 and node.kind_id != unit.update:
        op, inner = children
    else:
        op, inner = node.child_by_field_id(fields.operator), node.child_by_field_id(fields.argument)
    return Unary(span_of(node), operator(unit, op), operand(unit, inner, node, depth))


def conditional(unit: Unit, node: Node, depth: int) -> Value:
    """``a ? b : c``; GNU's ``a ?: c`` says ``a`` twice."""
    fields = unit.fields
    test = operand(unit, node.child_by_field_id(fields.condition), node, depth)
    middle = node.child_by_field_id(fields.consequence)
    then = test if middle is None else value(unit, middle, depth)
    other = operand(unit, node.child_by_field_id(fields.alternative), node, depth)
    return Conditional(span_of(node), test, then, other)


def comma(unit: Unit, node: Node, depth: int) -> Value:
    left, _, right = infix(unit, node)
    first = operand(unit, left, node, depth)
    return Binary(span_of(node), ",", first, operand(unit, right, node, depth))


def prefixed(op: str) -> ValueHandler:
    """A handler for an operator that is a keyword."""

    def handler(unit: Unit, node: Node, depth: int) -> Value:
        inner = [child for child in node.named_children if child.kind_id != unit.comment]
        operand = value(unit, inner[-1], depth) if inner else Unknown(Span(node.end_byte, node.end_byte))
        return Unary(span_of(node), op, operand)

    return handler


def cast(unit: Unit, node: Node, depth: int) -> Value:
    typed: Node | None
    inner: Node | None
    children = node.children
    if len(children) == 4:  # ( type ) value
        _, typed, _, inner = children
    else:
        typed, inner = node.child_by_field_id(unit.fields.type), node.child_by_field_id(unit.fields.value)
    written = "" if typed is None else fold(unit.text(typed))
    return Cast(span_of(node), written, operand(unit, inner, node, depth))


def type_name(unit: Unit, node: Node, depth: int) -> Value:
    """A type where a value is expected: the operand of sizeof, an argument of a macro."""
    return Name(span_of(node), fold(unit.text(node)))


# --------------------------------------------------------------------------- access and calls


def member(unit: Unit, node: Node, depth: int) -> Value:
    around: Node | None
    op: Node | None
    inner: Node | None
    children = node.children
    if len(children) == 3:
        around, op, inner = children
    else:
        fields = unit.fields
        around, op = node.child_by_field_id(fields.argument), node.child_by_field_id(fields.operator)
        inner = node.child_by_field_id(fields.field)
    target = operand(unit, around, node, depth)
    if inner is None:
        return Unknown(span_of(node), (target,))
    if unit.cpp:
        accessed = operator(unit, op)
        if accessed.endswith("*"):
            return Binary(span_of(node), accessed, target, name(unit, inner, depth))
    written = unit.text(inner)
    if unit.cpp and inner.type == "dependent_name":
        written = written.removeprefix("template").lstrip()
    return Member(
        Span(node.start_byte, node.end_byte),
        target,
        written if written.isidentifier() else fold(written),
        Span(inner.start_byte, inner.end_byte),
    )


def index(unit: Unit, node: Node, depth: int) -> Value:
    fields = unit.fields
    target = operand(unit, node.child_by_field_id(fields.argument), node, depth)
    inner = node.child_by_field_id(fields.index)
    if inner is not None:
        return Index(span_of(node), target, value(unit, inner, depth))
    several = node.child_by_field_id(fields.indices)
    found = () if several is None else values(unit, several.named_children, depth)
    if len(found) == 1:
        return Index(span_of(node), target, found[0])
    return Unknown(span_of(node), (target, *found))


def arguments(unit: Unit, node: Node | None, depth: int) -> tuple[Value, ...]:
    if node is None or node.child_count == 2:  # the parentheses
        return ()
    passed = node.named_children
    return values(unit, passed if len(passed) <= MAX_ITEMS else passed[:MAX_ITEMS], depth)


def call(unit: Unit, node: Node, depth: int) -> Value:
    function: Node | None
    listed: Node | None
    children = node.children
    if len(children) == 2:
        function, listed = children
    else:
        fields = unit.fields
        function, listed = node.child_by_field_id(fields.function), node.child_by_field_id(fields.arguments)
    passed = arguments(unit, listed, depth)
    if function is None:
        return Unknown(span_of(node), passed)
    if unit.cpp and len(passed) == 1:
        kind = function.type
        if kind == "template_function":
            matched = _CAST.fullmatch(fold(unit.text(function)))
            if matched is not None:
                return Cast(span_of(node), matched[1], passed[0])
        elif kind == "primitive_type" or kind == "sized_type_specifier":
            return Cast(span_of(node), fold(unit.text(function)), passed[0])
    handlers = unit.values if depth <= MAX_DEPTH else TOO_DEEP
    called = handlers[function.kind_id](unit, function, depth + 1)
    return Call(Span(node.start_byte, node.end_byte), called, passed)


def new(unit: Unit, node: Node, depth: int) -> Value:
    """``new T(args)``; of ``new T[n]`` the argument is ``n``."""
    fields = unit.fields
    type_node = node.child_by_field_id(fields.type)
    if type_node is None:
        return Unknown(span_of(node), values(unit, node.named_children, depth))
    passed = list(arguments(unit, node.child_by_field_id(fields.arguments), depth))
    written = fold(unit.text(type_node))
    declarator = node.child_by_field_id(fields.declarator)
    length = None if declarator is None else declarator.child_by_field_id(fields.length)
    if length is not None:
        written += "[]"
        passed.insert(0, value(unit, length, depth))
    return Call(span_of(node), Name(span_of(type_node), written), tuple(passed), kind="new")


def compound_literal(unit: Unit, node: Node, depth: int) -> Value:
    """``(struct x){ … }`` and ``T{ .a = 1 }`` initialise; C++'s ``T{a, b}`` constructs."""
    fields = unit.fields
    type_node = node.child_by_field_id(fields.type)
    braces = node.child_by_field_id(fields.value)
    if type_node is None or braces is None:
        return Unknown(span_of(node), values(unit, node.named_children, depth))
    written = fold(unit.text(type_node))
    items = initializer_items(unit, braces, depth)
    if (
        not unit.cpp
        or type_node.type == "type_descriptor"
        or any(item.designator is not None for item in items)
    ):
        return Initializer(span_of(node), items, written)
    passed = tuple(item.value for item in items)
    return Call(span_of(node), Name(span_of(type_node), written), passed, kind="construct")


def initializer(unit: Unit, node: Node, depth: int) -> Value:
    return Initializer(span_of(node), initializer_items(unit, node, depth))


def initializer_items(unit: Unit, node: Node, depth: int) -> tuple[Item, ...]:
    """The elements between braces, at most ``MAX_ITEMS`` of them."""
    comment, pair = unit.comment, unit.pair
    items: list[Item] = []
    for child in (
        node.named_children[:MAX_ITEMS] if node.named_child_count <= MAX_ITEMS else first_items(node)
    ):
        kind = child.kind_id
        if kind == pair:
            items.append(initializer_pair(unit, child, depth))
        elif kind != comment:
            found = value(unit, child, depth)
            items.append(Item(found.span, found))
    return tuple(items)


def first_items(node: Node) -> list[Node]:
    """The first elements of a very long list, without making a node of each of the others."""
    found: list[Node] = []
    child: Node | None = node.named_child(0)
    while child is not None and len(found) < MAX_ITEMS:
        found.append(child)
        child = child.next_named_sibling
    return found


def initializer_pair(unit: Unit, node: Node, depth: int) -> Item:
    """``.a = x``, ``[1] = x``, ``a: x``; ``.a.b = x`` is an initialiser in an initialiser."""
    span = span_of(node)
    children = node.children
    if len(children) == 3:
        written, _, given = children
        return Item(span, operand(unit, given, node, depth), designator(unit, written, depth))
    found = operand(unit, node.child_by_field_id(unit.fields.value), node, depth)
    path = [designator(unit, child, depth) for child in children_of(node, unit.fields.designator)][:8]
    for inner in reversed(path[1:]):
        found = Initializer(span, (Item(span, found, inner),))
    return Item(span, found, path[0] if path else None)


def designator(unit: Unit, node: Node, depth: int) -> str | int:
    """A field's name, a literal index, or any other index as ``[TEXT]``."""
    inner = node.named_children
    if not inner:
        return unit.text(node)
    if node.type == "field_designator":
        return unit.text(inner[-1])
    found = value(unit, inner[0], depth)
    if node.type == "subscript_designator" and isinstance(found, Number):
        return found.value
    return f"[{fold(unit.text(node).strip('[]'))}]"


# --------------------------------------------------------------------------- all the rest


def block(unit: Unit, node: Node, depth: int) -> Value:
    """A GNU statement expression, or a block as a macro's argument: the values inside it."""
    out: list[Statement] = []
    unit.statements[node.kind_id](unit, node, depth, out)
    return Unknown(span_of(node), statement_values(out))


def statement_values(statements: list[Statement]) -> tuple[Value, ...]:
    """The values that stand directly in ``statements`` and in the ones nested in them, in order."""
    found: list[Value | None] = []
    stack: list[Statement] = statements[::-1]
    while stack:
        statement = stack.pop()
        match statement:
            case Evaluate() | Declare() | Return():
                found.append(statement.value)
            case If():
                found.append(statement.test)
                stack.extend(reversed(statement.then + statement.other))
            case Switch():
                found.append(statement.subject)
                stack.extend(s for arm in reversed(statement.arms) for s in reversed(arm.body))
            case Loop():
                found.append(statement.test)
                stack.extend(reversed(statement.before + statement.body + statement.step))
            case Block():
                stack.extend(reversed(statement.body))
    return tuple(part for part in found if part is not None)


def nothing(unit: Unit, node: Node, depth: int) -> Value:
    return Unknown(span_of(node))


def unknown(unit: Unit, node: Node, depth: int) -> Value:
    """An expression that has no fact of its own: what is inside it."""
    return Unknown(span_of(node), values(unit, node.named_children, depth))


def broken(unit: Unit, node: Node, depth: int) -> Value:
    """An ERROR node: the values in it that still make sense by themselves."""
    whole = [child for child in node.named_children if child.type not in _SIMPLE]
    return Unknown(span_of(node), values(unit, whole, depth))


VALUES: Final[dict[str, ValueHandler]] = {
    "ERROR": broken,
    "alignof_expression": nothing,
    "assignment_expression": assignment,
    "auto": name,
    "binary_expression": binary,
    "call_expression": call,
    "cast_expression": cast,
    "char_literal": character,
    "co_await_expression": prefixed("await"),
    "comma_expression": comma,
    "compound_literal_expression": compound_literal,
    "compound_statement": block,
    "concatenated_string": concatenated,
    "conditional_expression": conditional,
    "delete_expression": prefixed("delete"),
    "dependent_name": folded_name,
    "destructor_name": folded_name,
    "enum_specifier": type_name,
    "extension_expression": parenthesized,
    "false": false,
    "field_expression": member,
    "field_identifier": name,
    "identifier": name,
    "initializer_list": initializer,
    "namespace_identifier": name,
    "new_expression": new,
    "null": null,
    "number_literal": number,
    "offsetof_expression": nothing,
    "operator_name": folded_name,
    "parameter_pack_expansion": parenthesized,
    "parenthesized_expression": parenthesized,
    "placeholder_type_specifier": folded_name,
    "pointer_expression": unary,
    "primitive_type": name,
    "qualified_identifier": folded_name,
    "raw_string_literal": string,
    "requires_expression": nothing,
    "sized_type_specifier": folded_name,
    "sizeof_expression": prefixed("sizeof"),
    "statement_identifier": name,
    "string_literal": string,
    "struct_specifier": type_name,
    "subscript_expression": index,
    "template_function": folded_name,
    "template_method": folded_name,
    "template_type": folded_name,
    "this": name,
    "true": true,
    "type_descriptor": type_name,
    "type_identifier": name,
    "unary_expression": unary,
    "update_expression": unary,
    "user_defined_literal": user_literal,
}
"""Lambdas are added by :mod:`lwslint.frontends.c_declarations`: they are functions."""
