"""A function's body, flattened once: every call, assignment, declaration and return with its guards.

Rules ask "under which conditions does this run", "what comes before it", "what is assigned to this
name"; walking the statement tree for each question would be slow and said in many places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from lwslint.facts import (
    Arm,
    Assign,
    Binary,
    Block,
    Call,
    Conditional,
    Declare,
    Evaluate,
    Function,
    If,
    Jump,
    Label,
    Lambda,
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
    Value,
    parts,
)
from lwslint.model.names import callee_name

MAX_NESTING = 400

LITERALS = frozenset((Number, Text, Null))
"""The types of values that do nothing and hold nothing else."""


class Guard(msgspec.Struct, frozen=True, gc=False):
    """One condition around a site.

    ``kind`` is ``if`` (``holds`` says on which side the site lies), ``switch`` (``arm`` is the run of
    labels, ``test`` the subject), ``loop``, ``and``/``or``/``?`` (the left side inside an expression)
    or ``catch``.
    """

    kind: str
    test: Value | None = None
    holds: bool = True
    arm: Arm | None = None


class Site(msgspec.Struct, frozen=True, gc=False):
    """A call, an assignment, a declaration or a return, where it stands in its function.

    ``order`` counts sites in the order in which they are evaluated; ``used`` is False for a call
    whose result is thrown away.  ``name`` is the name that a call is written with, by
    :func:`~lwslint.model.names.callee_name`.
    """

    node: Call | Assign | Declare | Return | Lambda
    order: int
    guards: tuple[Guard, ...]
    used: bool = True
    name: str = ""

    @property
    def in_loop(self) -> bool:
        return any(guard.kind == "loop" for guard in self.guards)


class Body(msgspec.Struct, frozen=True):
    """The sites of one function, each list in evaluation order; ``words`` are the names and fields in all
    its values, for whoever looks for one of them."""

    calls: tuple[Site, ...]
    assigns: tuple[Site, ...]
    declares: tuple[Site, ...]
    returns: tuple[Site, ...]
    lambdas: tuple[Site, ...]
    locals: dict[str, Declare]
    words: frozenset[str]


class _Flattener:
    def __init__(self) -> None:
        self.calls: list[Site] = []
        self.assigns: list[Site] = []
        self.declares: list[Site] = []
        self.returns: list[Site] = []
        self.lambdas: list[Site] = []
        self.locals: dict[str, Declare] = {}
        self.words: set[str] = set()
        self.order = 0

    def statements(self, body: tuple[Statement, ...], guards: tuple[Guard, ...], depth: int = 0) -> None:
        if depth > MAX_NESTING:
            return
        for statement in body:
            match statement:
                case Evaluate():
                    self.value(statement.value, guards, used=False)
                case Declare():
                    if statement.value is not None:
                        self.value(statement.value, guards)
                    self.locals[statement.name] = statement
                    self.order += 1
                    self.declares.append(Site(statement, self.order, guards))
                case Return():
                    if statement.value is not None:
                        self.value(statement.value, guards)
                    self.order += 1
                    self.returns.append(Site(statement, self.order, guards))
                case If():
                    self.chain(statement, guards, depth + 1)
                case Switch():
                    self.value(statement.subject, guards)
                    for arm in statement.arms:
                        inner = (*guards, Guard("switch", statement.subject, True, arm))
                        self.statements(arm.body, inner, depth + 1)
                case Loop():
                    self.statements(statement.before, guards, depth + 1)
                    inner = (*guards, Guard("loop", statement.test))
                    if statement.test is not None:
                        self.value(statement.test, inner)
                    self.statements(statement.body, inner, depth + 1)
                    self.statements(statement.step, inner, depth + 1)
                case Block():
                    inner = (*guards, Guard("catch")) if statement.kind == "catch" else guards
                    self.statements(statement.body, inner, depth + 1)
                case Jump() | Label():
                    pass

    def chain(self, link: If, guards: tuple[Guard, ...], depth: int) -> None:
        """An if and its ``else if``s, in a loop: they nest only in the facts."""
        while True:
            self.value(link.test, guards)
            self.statements(link.then, (*guards, Guard("if", link.test)), depth)
            guards = (*guards, Guard("if", link.test, False))
            if len(link.other) != 1 or not isinstance(link.other[0], If):
                self.statements(link.other, guards, depth)
                return
            link = link.other[0]

    def value(self, value: Value, guards: tuple[Guard, ...], used: bool = True) -> None:
        """Record what ``value`` does, inner parts first, without recursion over its depth.

        Every value of the tree comes through here, most of them names and literals; the types are compared
        by ``is``, the commonest first.
        """
        words = self.words
        stack: list[tuple[Any, tuple[Guard, ...], bool, bool]] = [(value, guards, used, False)]
        while stack:
            node, around, is_used, entered = stack.pop()
            kind = type(node)
            while kind is Member:
                words.add(node.field)
                node = node.object
                kind = type(node)
            if kind is Name:
                words.add(node.id)
            elif kind in LITERALS:
                pass
            elif entered:
                self.order += 1
                if kind is Call:
                    self.calls.append(Site(node, self.order, around, is_used, callee_name(node)))
                else:
                    self.assigns.append(Site(node, self.order, around, is_used))
            elif kind is Lambda:
                self.order += 1
                self.lambdas.append(Site(node, self.order, around, is_used))
            elif kind is Conditional:
                stack.append((node.other, (*around, Guard("?", node.test, False)), True, False))
                stack.append((node.then, (*around, Guard("?", node.test)), True, False))
                stack.append((node.test, around, True, False))
            elif kind is Binary and node.op in ("&&", "||"):
                guard = Guard("and" if node.op == "&&" else "or", node.left, node.op == "&&")
                stack.append((node.right, (*around, guard), True, False))
                stack.append((node.left, around, True, False))
            else:
                if kind is Call or kind is Assign:
                    stack.append((node, around, is_used, True))
                for child in reversed(parts(node)):
                    inner = type(child)
                    if inner is Name:
                        words.add(child.id)  # type: ignore[union-attr]
                    elif inner not in LITERALS:
                        stack.append((child, around, True, False))


def flatten(function: Function) -> Body:
    """The sites of ``function``; nesting deeper than :data:`MAX_NESTING` is left out."""
    flattener = _Flattener()
    flattener.statements(function.body, ())
    return Body(
        tuple(flattener.calls),
        tuple(flattener.assigns),
        tuple(flattener.declares),
        tuple(flattener.returns),
        tuple(flattener.lambdas),
        flattener.locals,
        frozenset(flattener.words),
    )


def conditions(site: Site) -> Iterator[Guard]:
    """The run-time conditions around a site that choose whether it runs (loops do not)."""
    return (guard for guard in site.guards if guard.kind not in ("loop", "catch"))


def left_before(function: Function, span: Span) -> tuple[Guard, ...]:
    """The tests by which a function has not left when it reaches a place: ``if (test) return;`` before it,
    each as a guard that fails."""
    found: list[Guard] = []
    block: tuple[Statement, ...] = function.body
    while block:
        around: Statement | None = None
        for statement in block:
            if statement.span.start >= span.end:
                break
            if statement.span.start <= span.start and span.end <= statement.span.end:
                around = statement
                break
            if isinstance(statement, If) and not statement.other and _returns(statement.then):
                found.append(Guard("if", statement.test, False))
        block = _inside(around, span)
    return tuple(found)


def _returns(block: tuple[Statement, ...]) -> bool:
    """Whether a branch ends with a return, inside braces of its own or not."""
    while block and isinstance(block[-1], Block):
        block = block[-1].body
    return bool(block) and isinstance(block[-1], Return)


def _inside(statement: Statement | None, span: Span) -> tuple[Statement, ...]:
    """The block of a statement that holds a span; none for a statement without blocks."""
    match statement:
        case If():
            blocks = [statement.then, statement.other]
        case Switch():
            blocks = [arm.body for arm in statement.arms]
        case Loop():
            blocks = [statement.before, statement.body, statement.step]
        case Block():
            blocks = [statement.body]
        case _:
            return ()
    holds = (b for b in blocks if b and b[0].span.start <= span.start and span.end <= b[-1].span.end)
    return next(holds, ())
