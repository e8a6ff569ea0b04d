"""Lowering of C and C++ statements.

Every handler appends to ``out`` what its node stands for, which may be nothing (``;``), one statement,
or several (``a = 1, b = 2;``).  Declarations, nested functions and classes are lowered by
:mod:`lwslint.frontends.c_declarations`, which adds its handlers to the table here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tree_sitter import Node

from lwslint.facts import (
    Arm,
    Assign,
    Block,
    Declare,
    Evaluate,
    If,
    Jump,
    Label,
    Loop,
    Name,
    Return,
    Span,
    Statement,
    Switch,
    Unary,
    Unknown,
    Value,
)
from lwslint.frontends.c_declarators import declarator, type_text
from lwslint.frontends.c_expressions import value
from lwslint.frontends.c_unit import (
    MAX_DEPTH,
    StatementHandler,
    StrayCase,
    Unit,
    skip_statement,
    span_of,
)

CONDITIONALS: Final = frozenset(
    ("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef")
)
"""Conditionals that the preprocessor left standing: both arms count."""

_LABELLED: Final = frozenset(("case_statement",)) | CONDITIONALS


def statement(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    if depth > MAX_DEPTH:
        unit.note(f"nesting too deep at byte {node.start_byte}")
        return
    unit.statements[node.kind_id](unit, node, depth + 1, out)


def statements(unit: Unit, nodes: list[Node], depth: int, out: list[Statement]) -> None:
    if depth > MAX_DEPTH:
        for node in nodes:
            statement(unit, node, depth, out)
        return
    handlers = unit.statements
    depth += 1
    for node in nodes:
        handlers[node.kind_id](unit, node, depth, out)


def body(unit: Unit, node: Node | None, depth: int) -> tuple[Statement, ...]:
    """The statements of a block, or the one statement that stands in its place."""
    out: list[Statement] = []
    if node is None:
        return ()
    if unit.names[node.kind_id] == "compound_statement":
        statements(unit, node.named_children, depth, out)
    else:
        statement(unit, node, depth, out)
    return tuple(out)


def expression(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """An expression statement; the operands of a top-level comma are statements of their own."""
    children = node.children
    if len(children) == 2:  # the expression and its semicolon
        kind = children[0].kind_id
        if kind != unit.comma and kind != unit.comment:
            out.append(Evaluate(span_of(node), value(unit, children[0], depth)))
            return
    rest: list[Node] = [child for child in node.named_children if child.kind_id != unit.comment]
    if len(rest) == 1 and rest[0].kind_id != unit.comma:
        out.append(Evaluate(span_of(node), value(unit, rest[0], depth)))
        return
    rest.reverse()
    while rest:
        child = rest.pop()
        if child.kind_id == unit.comma:
            operands = [c for c in child.named_children if c.kind_id != unit.comment]
            rest.extend(reversed(operands))
        else:
            out.append(Evaluate(span_of(child), value(unit, child, depth)))


def bare_value(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """An expression where a statement should be: a piece of text that did not parse."""
    out.append(Evaluate(span_of(node), value(unit, node, depth)))


def broken(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """An ERROR node: the statements and the whole expressions in it."""
    standing = unit.dialect.standing
    for child in node.named_children:
        if child.kind_id in standing:
            statement(unit, child, depth, out)


def conditional(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """A conditional that was left standing: what it holds, in place, but not its condition."""
    standing = unit.dialect.standing
    tested = node.child_by_field_id(unit.fields.condition)
    for child in node.named_children:
        if child.kind_id in standing and (tested is None or child.id != tested.id):
            statement(unit, child, depth, out)


def stray_case(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """A case label in a loop or an if inside a switch: a Label here, to which an arm of the switch jumps."""
    label = node.child_by_field_id(unit.fields.value)
    if unit.strays is not None:
        name = f"case@{node.start_byte}"
        found = None if label is None else value(unit, label, depth)
        place = Span(node.start_byte, node.start_byte + (7 if label is None else 4))
        out.append(Label(place, name))
        unit.strays.append(StrayCase(place, found, name))
    for child in node.named_children:
        if label is None or child.id != label.id:
            statement(unit, child, depth, out)


WHOLE: Final = frozenset(
    (
        "assignment_expression",
        "binary_expression",
        "call_expression",
        "conditional_expression",
        "comma_expression",
        "delete_expression",
        "field_expression",
        "lambda_expression",
        "new_expression",
        "parenthesized_expression",
        "pointer_expression",
        "update_expression",
    )
)
"""Expressions that make sense where they stand in an ERROR node."""


def compound(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    out.append(Block(span_of(node), body(unit, node, depth)))


def inlined(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """What is inside, in place: an attributed statement, a linkage specification."""
    for child in node.named_children:
        statement(unit, child, depth, out)


# --------------------------------------------------------------------------- branches


def condition(unit: Unit, node: Node | None, depth: int, out: list[Statement]) -> Value:
    """The condition of if, switch and while; what it declares goes to ``out``, before the statement."""
    if node is None:
        return Unknown(Span(0, 0))
    if not unit.cpp or node.type != "condition_clause":
        return value(unit, node, depth)
    first = node.child_by_field_id(unit.fields.initializer)
    if first is not None:
        for child in first.named_children:
            statement(unit, child, depth, out)
    tested = node.child_by_field_id(unit.fields.value)
    if tested is None:
        return Unknown(span_of(node))
    if tested.type != "declaration":
        return value(unit, tested, depth)
    statement(unit, tested, depth, out)
    declared = out[-1] if out else None
    return (
        Name(declared.name_span, declared.name) if isinstance(declared, Declare) else Unknown(span_of(tested))
    )


def if_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """An if with its whole chain of ``else if``, read in a loop.

    A chain is nested in the facts, which whoever sends or compares them follows by recursion.  So after
    :data:`MAX_LINKS` links it goes on behind the If, and a jump leaves it from each earlier branch.
    """
    children = node.children
    if len(children) == 3:  # no else
        before: list[Statement] = []
        test = condition(unit, children[1], depth, before)
        out += before
        out.append(If(span_of(node), test, body(unit, children[2], depth)))
        return
    chain = _chain(unit, node, depth)
    groups = [chain[at : at + MAX_LINKS] for at in range(0, len(chain), MAX_LINKS)]
    end = f"else@{node.end_byte}"
    jump = Jump(Span(node.end_byte, node.end_byte), "goto", end)
    for group in groups:
        other: tuple[Statement, ...] = ()
        for link in reversed(group):
            then = link.then if group is groups[-1] else (*link.then, jump)
            other = (*link.before, If(link.span, link.test, then, other or link.other))
        out.extend(other)
    if len(groups) > 1:
        out.append(Label(jump.span, end))


MAX_LINKS: Final = 32
"""How many links of an else-if chain are nested in one another."""


class _Link(NamedTuple):
    """One ``if`` of a chain; ``other`` is the ``else`` that is no ``if``, ``before`` what the condition
    declares."""

    span: Span
    before: tuple[Statement, ...]
    test: Value
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


def _chain(unit: Unit, node: Node, depth: int) -> list[_Link]:
    fields, kind = unit.fields, node.kind_id
    chain: list[_Link] = []
    following: Node | None = node
    while following is not None:
        node, following = following, None
        level = depth + len(chain) % MAX_LINKS
        before: list[Statement] = []
        test = condition(unit, node.child_by_field_id(fields.condition), level, before)
        then = body(unit, node.child_by_field_id(fields.consequence), level)
        alternative = node.child_by_field_id(fields.alternative)
        other: list[Statement] = []
        for child in () if alternative is None else alternative.named_children:
            if child.kind_id == kind and following is None:
                following = child
            else:
                other.extend(body(unit, child, level))
        chain.append(_Link(span_of(node), tuple(before), test, then, tuple(other)))
    return chain


class _Arms:
    """The arms of one switch while its body is read."""

    def __init__(self) -> None:
        self.arms: list[Arm] = []
        self.start = 0
        self.end = 0
        self.labels: list[Value] = []
        self.default = False
        self.body: list[Statement] = []

    def label(self, node: Node, found: Value | None) -> None:
        if self.body:
            self.close()
        if not self.labels and not self.default:
            self.start = node.start_byte
        self.end = node.end_byte
        if found is None:
            self.default = True
        else:
            self.labels.append(found)

    def close(self) -> None:
        if self.labels or self.default or self.body:
            span = Span(self.start or self.body[0].span.start, max(self.end, self.start))
            self.arms.append(Arm(span, tuple(self.labels), self.default, tuple(self.body)))
        self.start = self.end = 0
        self.labels, self.default, self.body = [], False, []


def switch(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    fields = unit.fields
    subject = condition(unit, node.child_by_field_id(fields.condition), depth, out)
    inner = node.child_by_field_id(fields.body)
    arms = _Arms()
    around, unit.strays = unit.strays, []
    if inner is not None:
        _collect_arms(unit, inner, depth, arms)
    arms.close()
    strays, unit.strays = unit.strays, around
    if arms.arms and not arms.arms[0].labels and not arms.arms[0].default:
        # No label leads to what stands before the first one: it declares, and never runs.
        out.extend(s for s in arms.arms.pop(0).body if isinstance(s, Declare))
    # They leave at once, so before all others nothing falls through into them.
    out.append(Switch(span_of(node), subject, (*map(_stray_arm, strays), *arms.arms)))


def _stray_arm(stray: StrayCase) -> Arm:
    labels = () if stray.label is None else (stray.label,)
    return Arm(stray.span, labels, stray.label is None, (Jump(stray.span, "goto", stray.name),))


def _collect_arms(unit: Unit, node: Node, depth: int, arms: _Arms) -> None:
    """Read the body of a switch; a block that holds case labels itself is part of the sequence."""
    stack = [node]
    while stack:
        child = stack.pop()
        kind = child.type
        if kind == "case_statement":
            label = child.child_by_field_id(unit.fields.value)
            arms.label(child, None if label is None else value(unit, label, depth))
            stack.extend(c for c in reversed(child.named_children) if label is None or c.id != label.id)
        elif (
            child.id == node.id
            or kind in CONDITIONALS
            or (
                kind in ("compound_statement", "ERROR")
                and any(c.type in _LABELLED for c in child.named_children)
            )
        ):
            stack.extend(reversed(child.named_children))
        else:
            statement(unit, child, depth, arms.body)
            arms.end = child.end_byte


# --------------------------------------------------------------------------- loops


def while_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    before: list[Statement] = []
    test = condition(unit, node.child_by_field_id(unit.fields.condition), depth, before)
    test = _each_turn(before, test)
    out.append(
        Loop(
            span_of(node),
            "while",
            test,
            body(unit, node.child_by_field_id(unit.fields.body), depth),
            tuple(before),
        )
    )


def _each_turn(before: list[Statement], test: Value) -> Value:
    """``while (auto p = next())`` assigns before every turn: the test says so, the Declare does not."""
    declared = before[-1] if before else None
    if isinstance(declared, Declare) and isinstance(test, Name) and declared.value is not None:
        before[-1] = Declare(
            declared.span, declared.name, declared.name_span, declared.type, None, declared.static
        )
        return Assign(declared.span, test, "=", declared.value)
    return test


def do(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    fields = unit.fields
    inner = body(unit, node.child_by_field_id(fields.body), depth)
    test = condition(unit, node.child_by_field_id(fields.condition), depth, out)
    out.append(Loop(span_of(node), "do", test, inner))


def for_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    fields = unit.fields
    before: list[Statement] = []
    step: list[Statement] = []
    _clause(unit, node.child_by_field_id(fields.initializer), depth, before)
    tested = node.child_by_field_id(fields.condition)
    test = None if tested is None else value(unit, tested, depth)
    _clause(unit, node.child_by_field_id(fields.update), depth, step)
    inner = body(unit, node.child_by_field_id(fields.body), depth)
    out.append(Loop(span_of(node), "for", test, inner, tuple(before), tuple(step)))


def range_for(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """C++'s ``for (auto &x : range)``; of a structured binding every name is declared."""
    fields = unit.fields
    before: list[Statement] = []
    first = node.child_by_field_id(fields.initializer)
    for child in [] if first is None else first.named_children:
        statement(unit, child, depth, before)
    found = declarator(unit, node.child_by_field_id(fields.declarator))
    right = node.child_by_field_id(fields.right)
    ranged = () if right is None else (value(unit, right, depth),)
    written = type_text(unit, node.child_by_field_id(fields.type)) + found.suffix
    name = found.name
    names = [] if name is None else [name]
    if name is not None and name.type == "structured_binding_declarator":
        names = [child for child in name.named_children if child.type == "identifier"]
    for inner in names:
        span = span_of(inner)
        before.append(Declare(span, unit.text(inner), span, written, Unknown(span, ranged)))
        ranged = ()
    inner_body = body(unit, node.child_by_field_id(fields.body), depth)
    out.append(Loop(span_of(node), "range", None, inner_body, tuple(before)))


def _clause(unit: Unit, node: Node | None, depth: int, out: list[Statement]) -> None:
    """One of the clauses of a for: a declaration, or an expression without its semicolon."""
    if node is None:
        return
    if node.type == "comma_expression":
        expression(unit, node, depth, out)
    elif node.type == "declaration":
        statement(unit, node, depth, out)
    else:
        out.append(Evaluate(span_of(node), value(unit, node, depth)))


# --------------------------------------------------------------------------- leaving


def return_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    children = node.children
    if len(children) == 3 and (kind := children[1].kind_id) and kind != unit.comment:
        out.append(Return(span_of(node), value(unit, children[1], depth)))
        return
    inner = [child for child in node.named_children if child.kind_id != unit.comment]
    out.append(Return(span_of(node), value(unit, inner[0], depth) if inner else None))


def throw(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    inner = [child for child in node.named_children if child.kind_id != unit.comment]
    thrown = value(unit, inner[0], depth) if inner else Unknown(Span(node.end_byte, node.end_byte))
    out.append(Evaluate(span_of(node), Unary(span_of(node), "throw", thrown)))


def yield_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    out.append(Evaluate(span_of(node), Unknown(span_of(node), (value(unit, node.named_children[0], depth),))))


def break_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    out.append(Jump(span_of(node), "break"))


def continue_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    out.append(Jump(span_of(node), "continue"))


def goto(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    label = node.child_by_field_id(unit.fields.label)
    out.append(Jump(span_of(node), "goto", "" if label is None else unit.text(label)))


def labelled(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """A label and the statement behind it, as two statements; runs of labels cost no depth."""
    while node.type == "labeled_statement":
        label = node.child_by_field_id(unit.fields.label)
        if label is not None:
            out.append(Label(span_of(label), unit.text(label)))
        last = node.named_children[-1]
        if label is not None and last.id == label.id:
            return
        node = last
    statement(unit, node, depth, out)


def try_(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """try and its handlers, as blocks one after the other."""
    fields = unit.fields
    inner = node.child_by_field_id(fields.body)
    if inner is not None:
        out.append(Block(span_of(inner), body(unit, inner, depth), "try"))
    for child in node.named_children:
        if child.type not in ("catch_clause", "seh_except_clause", "seh_finally_clause"):
            continue
        caught: list[Statement] = []
        listed = child.child_by_field_id(fields.parameters)
        for parameter in [] if listed is None else listed.named_children:
            found = declarator(unit, parameter.child_by_field_id(fields.declarator))
            if found.name is not None:
                written = type_text(unit, parameter.child_by_field_id(fields.type)) + found.suffix
                name_span = span_of(found.name)
                caught.append(Declare(span_of(parameter), unit.text(found.name), name_span, written))
        handler = child.child_by_field_id(fields.body) or child.named_children[-1]
        kind = "block" if child.type == "seh_finally_clause" else "catch"
        out.append(Block(span_of(child), (*caught, *body(unit, handler, depth)), kind))


STATEMENTS: Final[dict[str, StatementHandler]] = {
    "ERROR": broken,
    "attributed_statement": inlined,
    "break_statement": break_,
    "case_statement": stray_case,
    "co_return_statement": return_,
    "co_yield_statement": yield_,
    "compound_statement": compound,
    "continue_statement": continue_,
    "do_statement": do,
    "expression_statement": expression,
    "for_range_loop": range_for,
    "for_statement": for_,
    "goto_statement": goto,
    "if_statement": if_,
    "labeled_statement": labelled,
    "linkage_specification": inlined,
    "declaration_list": inlined,
    "return_statement": return_,
    "seh_try_statement": try_,
    "switch_statement": switch,
    "throw_statement": throw,
    "try_statement": try_,
    "while_statement": while_,
    **dict.fromkeys(CONDITIONALS, conditional),
    **dict.fromkeys(
        (
            "access_specifier",
            "attribute_declaration",
            "attribute_specifier",
            "comment",
            "field_identifier",
            "identifier",
            "namespace_alias_definition",
            "preproc_arg",
            "preproc_call",
            "preproc_def",
            "preproc_defined",
            "preproc_directive",
            "preproc_function_def",
            "preproc_include",
            "statement_identifier",
            "static_assert_declaration",
            "type_descriptor",
            "type_identifier",
            "using_declaration",
        ),
        skip_statement,
    ),
}
