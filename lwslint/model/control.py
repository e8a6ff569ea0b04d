"""A function's control flow as a graph, and which of its variables are worth following.

Built for one question, "what happens when this parameter is X" (:mod:`lwslint.model.outcomes`), so
short-circuit operators, conditional expressions and compiler hints are taken apart into branches,
loops take no turn or one, and ``catch`` blocks are another way through their ``try``.

Nesting deeper than ``DEPTH_LIMIT`` gives a graph whose only outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lwslint import facts
from lwslint.facts import Span, Statement, Value
from lwslint.model.names import breaks, call_name, root_name, statements, values, variables_in

DEPTH_LIMIT = 120
FLAG_LIMIT = 8
_ROUNDS = 4

#: Calls that do not come back (C11 7.22.4, C++ [support.start.term]).
LEAVING = frozenset(
    {"abort", "exit", "_exit", "_Exit", "quick_exit", "longjmp", "terminate", "__builtin_unreachable"}
)

# --------------------------------------------------------------------------- the flow graph


class Step(NamedTuple):
    """Evaluate for effect.  ``name`` set: a declaration that binds it."""

    value: Value | None
    follow: int
    name: str = ""
    keep: bool = True


class Branch(NamedTuple):
    test: Value
    then: int
    other: int


class Dispatch(NamedTuple):
    subject: Value
    arms: tuple[tuple[tuple[Value, ...], int], ...]
    default: int


class Choice(NamedTuple):
    targets: tuple[int, ...]


class Leave(NamedTuple):
    kind: str
    value: Value | None
    span: Span


Node = Step | Branch | Dispatch | Choice | Leave


class Graph(NamedTuple):
    """A function's flow graph for one ``parameter``; higher node numbers come earlier in the text.
    ``tracked`` are the local variables whose values are followed.  ``doing`` are the assignments, calls and
    the like in each value of a node, by the value's identity: the graph is walked for many values of the
    parameter, and most tests do nothing."""

    parameter: str
    nodes: tuple[Node, ...]
    entry: int
    tracked: frozenset[str]
    doing: dict[int, tuple[Value, ...]]


class _TooDeep(Exception):
    pass


class _Targets(NamedTuple):
    leave: int
    again: int


class _Builder:
    """Builds the graph backwards, so that what follows a statement always has its number already."""

    def __init__(self, carriers: frozenset[str]) -> None:
        self.carriers = carriers
        self.nodes: list[Node] = []
        self.labels: dict[str, int] = {}
        self.placed: set[str] = set()

    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def label(self, name: str, span: Span) -> int:
        if name not in self.labels:
            self.labels[name] = self.add(Leave("unknown", None, span))
        return self.labels[name]

    def sequence(self, body: tuple[Statement, ...], follow: int, targets: _Targets, depth: int) -> int:
        if depth > DEPTH_LIMIT:
            raise _TooDeep
        after = follow
        catches: list[int] = []
        for statement in reversed(body):
            if isinstance(statement, facts.Block) and statement.kind == "catch":
                if not catches:
                    after = follow
                catches.append(self.sequence(statement.body, after, targets, depth + 1))
                continue
            follow = self.statement(statement, follow, targets, depth)
            if catches and isinstance(statement, facts.Block) and statement.kind == "try":
                follow = self.add(Choice((follow, *reversed(catches))))
            catches = []
        return follow

    def statement(self, statement: Statement, follow: int, targets: _Targets, depth: int) -> int:
        match statement:
            case facts.Evaluate():
                return self.effect(statement.value, statement.span, follow, depth)
            case facts.Declare():
                return self.declare(statement, follow, depth)
            case facts.If():
                return self.conditional(statement, follow, targets, depth)
            case facts.Switch():
                return self.switch(statement, follow, targets, depth)
            case facts.Loop():
                return self.loop(statement, follow, targets, depth)
            case facts.Return():
                return self.result(statement.value, statement.span, depth)
            case facts.Jump():
                return self.jump(statement, targets)
            case facts.Label():
                number = self.label(statement.name, statement.span)
                self.nodes[number] = Choice((follow,))
                return number
            case facts.Block():
                return self.sequence(statement.body, follow, targets, depth + 1)

    def declare(self, statement: facts.Declare, follow: int, depth: int) -> int:
        # A static local keeps what an earlier call left in it.
        keep = not statement.static and "&" not in statement.type
        value = statement.value
        if isinstance(value, facts.Conditional) and depth < DEPTH_LIMIT:
            then = self.add(Step(value.then, follow, statement.name, keep))
            other = self.add(Step(value.other, follow, statement.name, keep))
            return self.test(value.test, then, other, depth + 1)
        return self.add(Step(value, follow, statement.name, keep))

    def conditional(self, statement: facts.If, follow: int, targets: _Targets, depth: int) -> int:
        # An else-if chain is as long as its author likes, so it is a loop here.
        chain = [statement]
        while len(chain[-1].other) == 1 and isinstance(chain[-1].other[0], facts.If):
            chain.append(chain[-1].other[0])
        other = self.sequence(chain[-1].other, follow, targets, depth + 1)
        for link in reversed(chain):
            then = self.sequence(link.then, follow, targets, depth + 1)
            other = self.test(link.test, then, other, depth + 1)
        return other

    def switch(self, statement: facts.Switch, follow: int, targets: _Targets, depth: int) -> int:
        inner = _Targets(follow, targets.again)
        fall = follow
        arms: list[tuple[tuple[Value, ...], int]] = []
        default = follow
        for arm in reversed(statement.arms):
            fall = self.sequence(arm.body, fall, inner, depth + 1)
            arms.append((arm.labels, fall))
            if arm.default:
                default = fall
        return self.add(Dispatch(statement.subject, tuple(reversed(arms)), default))

    def loop(self, statement: facts.Loop, follow: int, targets: _Targets, depth: int) -> int:
        endless = statement.kind != "range" and (
            statement.test is None or (isinstance(statement.test, facts.Number) and statement.test.value != 0)
        )
        # Nothing comes after an endless loop that is never broken out of.
        after = self.add(Choice(())) if endless and not any(breaks(statement.body)) else follow
        step = self.sequence(statement.step, after, _Targets(follow, after), depth + 1)
        if statement.kind == "do":
            turn = step if statement.test is None else self.test(statement.test, step, step, depth + 1)
            return self.sequence(statement.body, turn, _Targets(follow, turn), depth + 1)
        body = self.sequence(statement.body, step, _Targets(follow, step), depth + 1)
        if self.asks(statement.body) or (statement.kind != "range" and statement.test is None):
            # A search for the reason's entry in a table finds one, or looked in vain: never no turn.
            head = body
        elif statement.test is None:
            head = self.add(Choice((body, follow)))
        else:
            head = self.test(statement.test, body, follow, depth + 1)
        return self.sequence(statement.before, head, targets, depth + 1)

    def asks(self, body: tuple[Statement, ...]) -> bool:
        """Whether anything in ``body`` depends on the parameter."""
        return any(name in self.carriers for value in values(body) for name in variables_in(value))

    def jump(self, statement: facts.Jump, targets: _Targets) -> int:
        if statement.kind == "goto":
            return self.label(statement.label, statement.span)
        target = targets.leave if statement.kind == "break" else targets.again
        return target if target >= 0 else self.add(Leave("unknown", None, statement.span))

    def test(self, value: Value, then: int, other: int, depth: int) -> int:
        """A branch on ``value``, with ``&&``, ``||``, ``!`` and compiler hints taken apart."""
        if depth < DEPTH_LIMIT:
            match value:
                case facts.Binary(op="&&" | "and"):
                    right = self.test(value.right, then, other, depth + 1)
                    return self.test(value.left, right, other, depth + 1)
                case facts.Binary(op="||" | "or"):
                    right = self.test(value.right, then, other, depth + 1)
                    return self.test(value.left, then, right, depth + 1)
                case facts.Unary(op="!" | "not"):
                    return self.test(value.operand, other, then, depth + 1)
                case facts.Conditional():
                    first = self.test(value.then, then, other, depth + 1)
                    second = self.test(value.other, then, other, depth + 1)
                    return self.test(value.test, first, second, depth + 1)
                case facts.Call(function=facts.Name(), arguments=(hinted, *_)) if _is_hint(value):
                    return self.test(hinted, then, other, depth + 1)
        return self.add(Branch(value, then, other))

    def effect(self, value: Value, span: Span, follow: int, depth: int) -> int:
        if depth < DEPTH_LIMIT:
            match value:
                case facts.Binary(op="&&" | "||" | "and" | "or"):
                    stays = value.op in ("||", "or")
                    right = self.effect(value.right, span, follow, depth + 1)
                    then, other = (follow, right) if stays else (right, follow)
                    return self.test(value.left, then, other, depth + 1)
                case facts.Binary(op=","):
                    right = self.effect(value.right, span, follow, depth + 1)
                    return self.effect(value.left, span, right, depth + 1)
                case facts.Conditional():
                    then = self.effect(value.then, span, follow, depth + 1)
                    other = self.effect(value.other, span, follow, depth + 1)
                    return self.test(value.test, then, other, depth + 1)
                case facts.Assign(value=facts.Conditional() as choice):
                    then = self.add(
                        Step(facts.Assign(value.span, value.target, value.op, choice.then), follow)
                    )
                    other = self.add(
                        Step(facts.Assign(value.span, value.target, value.op, choice.other), follow)
                    )
                    return self.test(choice.test, then, other, depth + 1)
                case facts.Unary(op="throw"):
                    return self.add(Step(value.operand, self.add(Leave("throw", None, span))))
                case facts.Call() if call_name(value) in LEAVING:
                    return self.add(Leave("exit", None, span))
        return self.add(Step(value, follow))

    def result(self, value: Value | None, span: Span, depth: int) -> int:
        if depth < DEPTH_LIMIT:
            match value:
                case facts.Conditional():
                    then = self.result(value.then, span, depth + 1)
                    other = self.result(value.other, span, depth + 1)
                    return self.test(value.test, then, other, depth + 1)
                case facts.Binary(op="&&" | "and"):
                    then = self.result(value.right, span, depth + 1)
                    other = self.add(Leave("return", facts.Number(value.span, 0), span))
                    return self.test(value.left, then, other, depth + 1)
                case facts.Binary(op="||" | "or"):
                    then = self.add(Leave("return", facts.Number(value.span, 1), span))
                    other = self.result(value.right, span, depth + 1)
                    return self.test(value.left, then, other, depth + 1)
                case facts.Binary(op=","):
                    last = self.result(value.right, span, depth + 1)
                    return self.effect(value.left, span, last, depth + 1)
                case facts.Cast(operand=facts.Conditional() | facts.Binary()):
                    return self.result(value.operand, span, depth + 1)
                case facts.Unary(op="throw"):
                    return self.effect(value, span, 0, depth + 1)
        return self.add(Leave("return", value, span))


def graph_of(function: facts.Function, parameter: str) -> Graph:
    """The flow graph of ``function`` for asking what it does with ``parameter``.

    A body nested deeper than the limit gives a graph whose only outcome is unknown.
    """
    content = _content(function)
    carriers = _carriers(content, parameter)
    builder = _Builder(carriers)
    end = Span(max(function.span.start, function.span.end - 1), function.span.end)
    last = builder.add(Leave("end", None, end))
    try:
        entry = builder.sequence(function.body, last, _Targets(-1, -1), 0)
    except _TooDeep:
        return Graph(parameter, (Leave("unknown", None, function.span),), 0, frozenset(), {})
    evaluated = [value for node in builder.nodes for value in _evaluated(node)]
    doing = {id(value): doing_in(value) for value in evaluated}
    return Graph(parameter, tuple(builder.nodes), entry, _tracked(function, content, carriers), doing)


def _evaluated(node: Node) -> tuple[Value, ...]:
    """The values that are evaluated at a node."""
    match node:
        case Step() | Leave():
            return () if node.value is None else (node.value,)
        case Branch():
            return (node.test,)
        case Dispatch():
            return (node.subject,)
        case Choice():
            return ()


def doing_in(value: Value) -> tuple[Value, ...]:
    """What ``value`` does beside being a value, inner parts first: assignments, calls, ``++``, ``&``."""
    return tuple([node for node in facts.walk(value) if type(node) in _DOING])


_DOING = frozenset((facts.Assign, facts.Call, facts.Unary))


class _Content(NamedTuple):
    """A function's statements and values, all of them and in the order of the text, and what each variable is
    given: None where that is not a plain value."""

    statements: tuple[Statement, ...]
    values: tuple[Value, ...]
    assigned: dict[str, list[Value | None]]


def _content(function: facts.Function) -> _Content:
    inside = tuple(statements(function.body))
    nodes = tuple([node for value in values(function.body) for node in facts.walk(value)])
    return _Content(inside, nodes, _assigned(inside, nodes))


# --------------------------------------------------------------------------- looking into values


def _is_hint(call: facts.Call) -> bool:
    name = call_name(call).lower().strip("_")
    return name in ("likely", "unlikely", "builtin_expect", "lws_likely", "g_likely", "g_unlikely")


# --------------------------------------------------------------------------- which variables matter


def _result_names(value: Value | None) -> Iterator[str]:
    """Variables whose value can become ``value``'s value; arguments of calls cannot."""
    stack = [value] if value is not None else []
    while stack:
        node = stack.pop()
        match node:
            case facts.Name():
                yield node.id
            case facts.Cast() | facts.Unary() | facts.Binary() | facts.Conditional() | facts.Assign():
                stack.extend(facts.parts(node))
            case _:
                pass


def _tracked(function: facts.Function, content: _Content, carriers: frozenset[str]) -> frozenset[str]:
    """The locals worth following: those that reach a return, carry the reason, or are flags."""
    local = {p.name for p in function.parameters}
    assigned = content.assigned
    declared: dict[str, int] = {}
    results: set[str] = set()
    tested: set[str] = set()
    exposed: set[str] = set()
    for statement in content.statements:
        match statement:
            case facts.Declare():
                local.add(statement.name)
                declared[statement.name] = declared.get(statement.name, 0) + 1
                if statement.static or "&" in statement.type:
                    exposed.add(statement.name)
            case facts.Return():
                results.update(_result_names(statement.value))
            case facts.If() | facts.Loop():
                if statement.test is not None:
                    tested.update(variables_in(statement.test))
            case facts.Switch():
                tested.update(variables_in(statement.subject))
            case _:
                pass
    for node in content.values:
        if isinstance(node, facts.Call):
            exposed.update(a.id for a in node.arguments if isinstance(a, facts.Name))
        elif isinstance(node, facts.Conditional):
            tested.update(variables_in(node.test))
    for _ in range(_ROUNDS):
        before = len(results)
        for name in sorted(results & assigned.keys()):
            for source in assigned[name]:
                results.update(_result_names(source))
        if len(results) == before:
            break
    flags = [
        name
        for name, sources in assigned.items()
        if name in tested and name not in exposed and declared.get(name) == 1 and all(map(_constant, sources))
    ]
    return carriers | frozenset(results & local) | frozenset(flags[:FLAG_LIMIT])


def _assigned(inside: Iterable[Statement], nodes: Iterable[Value]) -> dict[str, list[Value | None]]:
    assigned: dict[str, list[Value | None]] = {}
    for statement in inside:
        if isinstance(statement, facts.Declare):
            assigned.setdefault(statement.name, []).append(statement.value)
    for node in nodes:
        match node:
            case facts.Assign(target=facts.Name(id=name)):
                assigned.setdefault(name, []).append(node.value if node.op == "=" else None)
            case facts.Unary(op="++" | "--" | "&", operand=facts.Name(id=name)):
                assigned.setdefault(name, []).append(None)
            case _:
                pass
    return assigned


def _carriers(content: _Content, parameter: str) -> frozenset[str]:
    """``parameter``, and the locals that are computed from it or hold it in a member."""
    local = {s.name for s in content.statements if isinstance(s, facts.Declare)}
    sources = [(name, value) for name, given in content.assigned.items() for value in given if value]
    for node in content.values:
        if isinstance(node, facts.Assign) and not isinstance(node.target, facts.Name):
            sources.append((root_name(node.target), node.value))
    carriers = {parameter}
    for _ in range(_ROUNDS):
        fresh = {
            name
            for name, value in sources
            if name in local and name not in carriers and any(n in carriers for n in variables_in(value))
        }
        if not fresh:
            break
        carriers |= fresh
    return frozenset(carriers)


def _constant(value: Value | None) -> bool:
    """Whether ``value`` looks like a constant: a literal, or a name in capitals (``TRUE``)."""
    match value:
        case facts.Number() | facts.Null():
            return True
        case facts.Name(id=name):
            return name in ("true", "false") or name.isupper()
        case facts.Unary(op="-" | "!" | "~", operand=facts.Number()):
            return True
        case _:
            return False
