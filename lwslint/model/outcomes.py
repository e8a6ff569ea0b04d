"""What a callback does when ``reason`` is X: a small symbolic executor over one function's body.

The body is turned into a flow graph once (:func:`flow`); :func:`leave` then walks the graph for one
reason.  Tests on the reason are decided, both sides of every other test are explored, loops take no
turn or one, and local variables that hold the result are followed to the ``return``.  Each way out
is an :class:`Outcome`.

What cannot be known is said to be unknown and never guessed: a test on the reason that cannot be
decided (``handlers[reason]``, ``table[i].reason == reason``) makes the outcomes behind it undecided,
and so does a limit that bites.  Nothing is read but the facts of the one function; what names stand
for is asked of ``resolve``.

Limits: 120 levels of nested statements, 20,000 steps, 48 states at one place (then variables that
differ are forgotten).  Variables are known by name, so a shadowed local shares its outer namesake's value.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Set
from typing import NamedTuple

import msgspec

from lwslint import facts
from lwslint.facts import Span, Statement, Value

DEPTH_LIMIT = 120
STEP_LIMIT = 20_000
STATE_LIMIT = 48
FLAG_LIMIT = 8
SIZE_LIMIT = 32

Resolve = Callable[[Value], int | str | None]

#: Calls that do not come back (C11 7.22.4, C++ [support.start.term]).
LEAVING = frozenset(
    {"abort", "exit", "_exit", "_Exit", "quick_exit", "longjmp", "terminate", "__builtin_unreachable"}
)

#: Calls that only talk: a reason whose arm makes no other call was not acted upon.
_TALKING = frozenset(
    {"printf", "fprintf", "puts", "fputs", "putchar", "perror", "syslog", "fflush", "snprintf", "sprintf"}
    | {"debug", "info", "warn", "warning", "error", "log", "trace", "assert", "UNUSED", "NSLog"}
)
_TALKING_PARTS = ("lwsl_", "log", "debug", "dbg", "trace", "print")


class Reason(msgspec.Struct, frozen=True):
    """A callback reason: its enumerator's name, and its value in ``enum lws_callback_reasons`` where
    the target's headers give one (lws-callbacks.h)."""

    name: str
    number: int | None = None


class Made(msgspec.Struct, frozen=True):
    """A call that was made on the way.  ``reason`` is the position of the argument that hands the
    reason on unchanged, None when the call does not get it."""

    call: facts.Call
    reason: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """One way out of the function for one reason.

    ``kind`` is ``return``, ``end`` (the closing brace), ``throw``, ``exit`` (a call that does not
    come back) or ``unknown`` (a jump to a label that is not there, a limit).  ``value`` is what is
    returned, resolved through local variables; ``span`` the statement's.

    ``made`` holds the watched calls and those that hand the reason on, in the order of the text.
    ``matched``: a case label or an equality test named this reason.  ``acts``: after that, a call was
    made that does more than log.  ``decided`` is False when a test or a dispatch that depends on the
    reason could not be followed: then the outcome may not belong to this reason at all.
    """

    kind: str
    value: Value | None
    span: Span
    made: tuple[Made, ...] = ()
    matched: bool = False
    acts: bool = False
    decided: bool = True


# --------------------------------------------------------------------------- the flow graph


class _Step(NamedTuple):
    """Evaluate for effect.  ``name`` set: a declaration that binds it."""

    value: Value | None
    follow: int
    name: str = ""
    keep: bool = True


class _Branch(NamedTuple):
    test: Value
    then: int
    other: int


class _Dispatch(NamedTuple):
    subject: Value
    arms: tuple[tuple[tuple[Value, ...], int], ...]
    default: int


class _Choice(NamedTuple):
    targets: tuple[int, ...]


class _Leave(NamedTuple):
    kind: str
    value: Value | None
    span: Span


_Node = _Step | _Branch | _Dispatch | _Choice | _Leave


class Flow(NamedTuple):
    """A function's flow graph for one ``parameter``; higher node numbers come earlier in the text.
    ``tracked`` are the local variables whose values are followed."""

    parameter: str
    nodes: tuple[_Node, ...]
    entry: int
    tracked: frozenset[str]


class _TooDeep(Exception):
    pass


class _Targets(NamedTuple):
    leave: int
    again: int


class _Builder:
    """Builds the graph backwards, so that what follows a statement always has its number already."""

    def __init__(self) -> None:
        self.nodes: list[_Node] = []
        self.labels: dict[str, int] = {}
        self.placed: set[str] = set()

    def add(self, node: _Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def label(self, name: str, span: Span) -> int:
        if name not in self.labels:
            self.labels[name] = self.add(_Leave("unknown", None, span))
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
                follow = self.add(_Choice((follow, *reversed(catches))))
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
                self.nodes[number] = _Choice((follow,))
                return number
            case facts.Block():
                return self.sequence(statement.body, follow, targets, depth + 1)

    def declare(self, statement: facts.Declare, follow: int, depth: int) -> int:
        # A static local keeps what an earlier call left in it.
        keep = not statement.static and "&" not in statement.type
        value = statement.value
        if isinstance(value, facts.Conditional) and depth < DEPTH_LIMIT:
            then = self.add(_Step(value.then, follow, statement.name, keep))
            other = self.add(_Step(value.other, follow, statement.name, keep))
            return self.test(value.test, then, other, depth + 1)
        return self.add(_Step(value, follow, statement.name, keep))

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
        return self.add(_Dispatch(statement.subject, tuple(reversed(arms)), default))

    def loop(self, statement: facts.Loop, follow: int, targets: _Targets, depth: int) -> int:
        endless = statement.kind != "range" and (
            statement.test is None or (isinstance(statement.test, facts.Number) and statement.test.value != 0)
        )
        # Nothing comes after an endless loop that is never broken out of.
        after = self.add(_Choice(())) if endless and not _breaks(statement.body) else follow
        step = self.sequence(statement.step, after, _Targets(follow, after), depth + 1)
        if statement.kind == "do":
            turn = step if statement.test is None else self.test(statement.test, step, step, depth + 1)
            return self.sequence(statement.body, turn, _Targets(follow, turn), depth + 1)
        body = self.sequence(statement.body, step, _Targets(follow, step), depth + 1)
        if statement.kind == "range":
            head = self.add(_Choice((body, follow)))
        elif statement.test is None:
            head = body
        else:
            head = self.test(statement.test, body, follow, depth + 1)
        return self.sequence(statement.before, head, targets, depth + 1)

    def jump(self, statement: facts.Jump, targets: _Targets) -> int:
        if statement.kind == "goto":
            return self.label(statement.label, statement.span)
        target = targets.leave if statement.kind == "break" else targets.again
        return target if target >= 0 else self.add(_Leave("unknown", None, statement.span))

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
        return self.add(_Branch(value, then, other))

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
                        _Step(facts.Assign(value.span, value.target, value.op, choice.then), follow)
                    )
                    other = self.add(
                        _Step(facts.Assign(value.span, value.target, value.op, choice.other), follow)
                    )
                    return self.test(choice.test, then, other, depth + 1)
                case facts.Unary(op="throw"):
                    return self.add(_Step(value.operand, self.add(_Leave("throw", None, span))))
                case facts.Call() if call_name(value) in LEAVING:
                    return self.add(_Leave("exit", None, span))
        return self.add(_Step(value, follow))

    def result(self, value: Value | None, span: Span, depth: int) -> int:
        if depth < DEPTH_LIMIT:
            match value:
                case facts.Conditional():
                    then = self.result(value.then, span, depth + 1)
                    other = self.result(value.other, span, depth + 1)
                    return self.test(value.test, then, other, depth + 1)
                case facts.Binary(op="&&" | "and"):
                    then = self.result(value.right, span, depth + 1)
                    other = self.add(_Leave("return", facts.Number(value.span, 0), span))
                    return self.test(value.left, then, other, depth + 1)
                case facts.Binary(op="||" | "or"):
                    then = self.add(_Leave("return", facts.Number(value.span, 1), span))
                    other = self.result(value.right, span, depth + 1)
                    return self.test(value.left, then, other, depth + 1)
                case facts.Binary(op=","):
                    last = self.result(value.right, span, depth + 1)
                    return self.effect(value.left, span, last, depth + 1)
                case facts.Cast(operand=facts.Conditional() | facts.Binary()):
                    return self.result(value.operand, span, depth + 1)
                case facts.Unary(op="throw"):
                    return self.effect(value, span, 0, depth + 1)
        return self.add(_Leave("return", value, span))


def flow(function: facts.Function, parameter: str) -> Flow:
    """The flow graph of ``function`` for asking what it does with ``parameter``.

    A body nested deeper than the limit gives a graph whose only outcome is unknown.
    """
    builder = _Builder()
    end = Span(max(function.span.start, function.span.end - 1), function.span.end)
    last = builder.add(_Leave("end", None, end))
    try:
        entry = builder.sequence(function.body, last, _Targets(-1, -1), 0)
    except _TooDeep:
        return Flow(parameter, (_Leave("unknown", None, function.span),), 0, frozenset())
    return Flow(parameter, tuple(builder.nodes), entry, _tracked(function, parameter))


# --------------------------------------------------------------------------- walking statements


def statements(body: Iterable[Statement]) -> Iterator[Statement]:
    """All statements in ``body`` and inside them, in the order of the text; iterative."""
    stack = list(reversed(tuple(body)))
    while stack:
        statement = stack.pop()
        yield statement
        inner: tuple[Statement, ...] = ()
        match statement:
            case facts.If():
                inner = (*statement.then, *statement.other)
            case facts.Switch():
                inner = tuple(inside for arm in statement.arms for inside in arm.body)
            case facts.Loop():
                inner = (*statement.before, *statement.body, *statement.step)
            case facts.Block():
                inner = statement.body
            case _:
                pass
        stack.extend(reversed(inner))


def values(body: Iterable[Statement]) -> Iterator[Value]:
    """The outermost values of all statements in ``body``, case labels included."""
    for statement in statements(body):
        match statement:
            case facts.Evaluate():
                yield statement.value
            case facts.Declare() | facts.Return():
                if statement.value is not None:
                    yield statement.value
            case facts.If():
                yield statement.test
            case facts.Loop():
                if statement.test is not None:
                    yield statement.test
            case facts.Switch():
                yield statement.subject
                for arm in statement.arms:
                    yield from arm.labels
            case _:
                pass


def bare(value: Value) -> Value:
    """``value`` without casts around it."""
    while isinstance(value, facts.Cast):
        value = value.operand
    return value


def call_name(call: facts.Call) -> str:
    """The last component of what is called: ``run`` of ``ws::Client::run`` and of ``self->run``;
    empty when it is an expression (``table[i].fn`` is ``fn``)."""
    match bare(call.function):
        case facts.Name(id=name):
            return name.rpartition("::")[2]
        case facts.Member(field=field):
            return field
        case _:
            return ""


def _is_hint(call: facts.Call) -> bool:
    name = call_name(call).lower().strip("_")
    return name in ("likely", "unlikely", "builtin_expect", "lws_likely", "g_likely", "g_unlikely")


def _talks(call: facts.Call) -> bool:
    name = call_name(call)
    return name in _TALKING or any(part in name.lower() for part in _TALKING_PARTS)


def _breaks(body: tuple[Statement, ...]) -> bool:
    """Whether ``body`` holds a ``break`` of its own loop; those of inner loops and switches are not."""
    stack = list(body)
    while stack:
        statement = stack.pop()
        match statement:
            case facts.Jump(kind="break"):
                return True
            case facts.If():
                stack.extend((*statement.then, *statement.other))
            case facts.Block():
                stack.extend(statement.body)
            case _:
                pass
    return False


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


def _names(value: Value) -> Iterator[str]:
    return (node.id for node in facts.walk(value) if isinstance(node, facts.Name))


def _tracked(function: facts.Function, parameter: str) -> frozenset[str]:
    """The locals worth following: those that reach a return, carry the reason, or are flags."""
    local = {p.name for p in function.parameters}
    assigned: dict[str, list[Value | None]] = {}
    declared: dict[str, int] = {}
    results: set[str] = set()
    tested: set[str] = set()
    exposed: set[str] = set()
    for statement in statements(function.body):
        match statement:
            case facts.Declare():
                local.add(statement.name)
                declared[statement.name] = declared.get(statement.name, 0) + 1
                assigned.setdefault(statement.name, []).append(statement.value)
                if statement.static or "&" in statement.type:
                    exposed.add(statement.name)
            case facts.Return():
                results.update(_result_names(statement.value))
            case facts.If() | facts.Loop():
                if statement.test is not None:
                    tested.update(_names(statement.test))
            case facts.Switch():
                tested.update(_names(statement.subject))
            case _:
                pass
    for value in values(function.body):
        for node in facts.walk(value):
            match node:
                case facts.Assign(target=facts.Name(id=name)):
                    assigned.setdefault(name, []).append(node.value if node.op == "=" else None)
                case facts.Unary(op="++" | "--" | "&", operand=facts.Name(id=name)):
                    assigned.setdefault(name, []).append(None)
                case facts.Call():
                    exposed.update(a.id for a in node.arguments if isinstance(a, facts.Name))
                case facts.Conditional():
                    tested.update(_names(node.test))
                case _:
                    pass

    carriers = {parameter}
    for _ in range(4):
        before = len(results) + len(carriers)
        for name, sources in assigned.items():
            for source in sources:
                if source is None:
                    continue
                if name in results:
                    results.update(_result_names(source))
                if any(inside in carriers for inside in _names(source)):
                    carriers.add(name)
        if len(results) + len(carriers) == before:
            break
    flags = [
        name
        for name, sources in assigned.items()
        if name in tested and name not in exposed and declared.get(name) == 1 and all(map(_constant, sources))
    ]
    return frozenset({parameter} | ((results | carriers) & local) | set(flags[:FLAG_LIMIT]))


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


# --------------------------------------------------------------------------- states

_NOWHERE = Span(-1, -1)
#: What stands for the reason in the environment, whatever the variable is called.
_REASON = facts.Name(_NOWHERE, "")


class _Bound(NamedTuple):
    """A variable's value.  ``derived``: it was computed from the reason; ``holds``: it is an object
    that carries the reason in a member."""

    value: Value
    derived: bool = False
    holds: bool = False


_Environment = tuple[tuple[str, _Bound], ...]
#: A test on the reason that could not be decided, and the side taken.
_Fork = tuple[int, int]


class _State(NamedTuple):
    environment: _Environment
    made: tuple[int, ...] = ()
    matched: bool = False
    acts: bool = False
    dispatched: bool = False
    forks: tuple[_Fork, ...] = ()


class _Truth(NamedTuple):
    """``value`` None: both can be.  ``named``: an equality named the reason.  ``open``: it depends on
    the reason and could not be decided."""

    value: bool | None
    named: bool = False
    open: bool = False


class _Machine:
    """One walk over one graph for one reason."""

    def __init__(self, graph: Flow, reason: Reason, resolve: Resolve, watch: Set[str]) -> None:
        self.graph = graph
        self.reason = reason
        self.resolve = resolve
        self.watch = watch
        self.made: list[Made] = []
        self.positions: dict[tuple[Span, int | None], int] = {}

    # ---- values

    def settle(self, value: Value, environment: dict[str, _Bound]) -> Value:
        """``value`` with casts gone, locals replaced by what they hold, and constants folded."""
        value = bare(value)
        if isinstance(value, facts.Assign):
            value = bare(value.target if value.op != "=" else value.value)
        if isinstance(value, facts.Name) and value.id in environment:
            return environment[value.id].value
        if isinstance(value, facts.Unary | facts.Binary):
            number = self.number(value, environment, 0)
            if number is not None:
                return facts.Number(value.span, number)
        return value

    def number(self, value: Value, environment: dict[str, _Bound], depth: int) -> int | None:
        if depth > 24:
            return None
        value = bare(value)
        if value is _REASON:
            return self.reason.number
        match value:
            case facts.Number():
                return value.value
            case facts.Null():
                return 0
            case facts.Name():
                if value.id in environment:
                    held = environment[value.id].value
                    return None if held == value else self.number(held, environment, depth + 1)
                if value.id.rpartition("::")[2] == self.reason.name:
                    return self.reason.number
            case facts.Assign(op="="):
                return self.number(value.value, environment, depth + 1)
            case facts.Unary():
                inner = self.number(value.operand, environment, depth + 1)
                return None if inner is None else _unary(value.op, inner)
            case facts.Binary():
                left = self.number(value.left, environment, depth + 1)
                right = self.number(value.right, environment, depth + 1)
                return None if left is None or right is None else _binary(value.op, left, right)
            case facts.Call() | facts.Initializer() | facts.Lambda() | facts.Unknown() | facts.Text():
                return None
            case _:
                pass
        known = self.resolve(value)
        return known if isinstance(known, int) else None

    def depends(self, value: Value, environment: dict[str, _Bound]) -> bool:
        """Whether ``value`` was computed from the reason."""
        for name in _names(value):
            bound = environment.get(name)
            if bound is not None and (bound.derived or bound.value is _REASON):
                return True
        return False

    def same(self, label: Value, environment: dict[str, _Bound]) -> bool | None:
        """Whether ``label`` is the reason asked about; None when its value is not known."""
        label = self.settle(label, environment)
        if label is _REASON:
            return True
        name = label.id.rpartition("::")[2] if isinstance(label, facts.Name) else ""
        if name == self.reason.name:
            return True
        if isinstance(label, facts.Binary) and label.op == "...":
            low = self.number(label.left, environment, 0)
            high = self.number(label.right, environment, 0)
            if low is None or high is None or self.reason.number is None:
                return None
            return low <= self.reason.number <= high
        number = self.number(label, environment, 0)
        if number is not None and self.reason.number is not None:
            return number == self.reason.number
        # Two enumerators of one enum are different reasons even when no header was found.
        return False if name.startswith("LWS_CALLBACK_") else None

    def truth(self, test: Value, environment: dict[str, _Bound], depth: int = 0) -> _Truth:
        test = bare(test)
        match test:
            case facts.Binary(op="==" | "!="):
                left = self.settle(test.left, environment)
                right = self.settle(test.right, environment)
                if left is _REASON or right is _REASON:
                    same = self.same(test.right if left is _REASON else test.left, environment)
                    if same is None:
                        return _Truth(None, open=True)
                    return _Truth(same == (test.op == "=="), named=same)
            case facts.Binary(op="&&" | "||") if depth < 24:
                left_truth = self.truth(test.left, environment, depth + 1)
                right_truth = self.truth(test.right, environment, depth + 1)
                stop = test.op == "||"
                if left_truth.value is stop or right_truth.value is stop:
                    return _Truth(stop, left_truth.named or right_truth.named)
                if left_truth.value is None or right_truth.value is None:
                    return _Truth(None, open=left_truth.open or right_truth.open)
                return _Truth(not stop, left_truth.named or right_truth.named)
            case _:
                pass
        number = self.number(test, environment, 0)
        if number is not None:
            return _Truth(number != 0)
        return _Truth(None, open=self.depends(test, environment))

    # ---- effects

    def effects(self, value: Value, state: _State) -> _State:
        """``state`` after ``value`` was evaluated: assignments to locals, and calls of interest."""
        environment = dict(state.environment)
        made = list(state.made)
        acts, dispatched = state.acts, state.dispatched
        for node in facts.walk(value):
            match node:
                case facts.Assign():
                    self.assign(node, environment)
                case facts.Unary(op="++" | "--" | "&", operand=facts.Name(id=name)) if name in environment:
                    held = environment[name]
                    # The address of an object that carries the reason still leads to the reason.
                    environment[name] = _Bound(facts.Unknown(node.span), held.derived, held.holds)
                case facts.Call():
                    handed = self.handed(node, environment)
                    if handed is not None or call_name(node) in self.watch:
                        made.append(self.record(node, handed))
                    if handed is not None:
                        # A result variable that travels with the reason may be a reference.
                        for argument in node.arguments:
                            if isinstance(argument, facts.Name) and argument.id in environment:
                                held = environment[argument.id]
                                if held.value is not _REASON and isinstance(held.value, facts.Number):
                                    environment[argument.id] = _Bound(facts.Unknown(argument.span), True)
                    talks = _talks(node)
                    acts = acts or (state.matched and not talks)
                    dispatched = dispatched or self.dispatches(node, environment, talks)
                case _:
                    pass
        return state._replace(
            environment=tuple(sorted(environment.items(), key=_by_name)),
            made=tuple(sorted(set(made))),
            acts=acts,
            dispatched=dispatched,
        )

    def assign(self, node: facts.Assign, environment: dict[str, _Bound]) -> None:
        target = bare(node.target)
        if isinstance(target, facts.Name):
            if target.id not in environment:
                return
            value = node.value
            if node.op != "=":
                value = facts.Binary(
                    node.span, node.op.removesuffix("="), environment[target.id].value, value
                )
            environment[target.id] = self.bound(value, environment)
            return
        root = _root(target)
        if root in environment and self.depends(node.value, environment):
            environment[root] = environment[root]._replace(holds=True)

    def bound(self, value: Value, environment: dict[str, _Bound]) -> _Bound:
        settled = self.settle(value, environment)
        if settled is _REASON:
            return _Bound(_REASON)
        derived = self.depends(value, environment)
        holds = derived and isinstance(bare(value), facts.Initializer | facts.Call)
        if _size(settled) > SIZE_LIMIT:
            settled = facts.Unknown(value.span)
        return _Bound(settled, derived, holds)

    def handed(self, call: facts.Call, environment: dict[str, _Bound]) -> int | None:
        for position, argument in enumerate(call.arguments):
            if self.settle(argument, environment) is _REASON:
                return None if _talks(call) else position
        return None

    def dispatches(self, call: facts.Call, environment: dict[str, _Bound], talks: bool) -> bool:
        """Whether the reason chooses what is called, or travels in an object that is handed on."""
        if self.depends(call.function, environment) and not isinstance(call.function, facts.Name):
            return True
        if talks:
            return False
        for name in _names(call):
            held = environment.get(name)
            if held is None:
                continue
            if held.holds or (
                held.derived and isinstance(call.function, facts.Name) and call.function.id == name
            ):
                return True
        return False

    def record(self, call: facts.Call, handed: int | None) -> int:
        key = (call.span, handed)
        if key not in self.positions:
            self.positions[key] = len(self.made)
            self.made.append(Made(call, handed))
        return self.positions[key]

    # ---- the walk

    def start(self) -> _State:
        environment = {name: _Bound(facts.Unknown(_NOWHERE)) for name in self.graph.tracked}
        environment[self.graph.parameter] = _Bound(_REASON)
        return _State(tuple(sorted(environment.items(), key=_by_name)))

    def run(self) -> tuple[Outcome, ...]:
        waiting: dict[int, list[_State]] = {self.graph.entry: [self.start()]}
        seen: dict[int, set[_State]] = {}
        queue = [-self.graph.entry]
        outcomes: list[tuple[_Leave, _State]] = []
        steps = 0
        while queue:
            number = -heapq.heappop(queue)
            fresh = _joined(waiting.pop(number, []))
            known = seen.setdefault(number, set())
            node = self.graph.nodes[number]
            for state in fresh:
                if state in known:
                    continue
                known.add(state)
                steps += 1
                if steps > STEP_LIMIT:
                    return (Outcome("unknown", None, _NOWHERE, decided=False),)
                if isinstance(node, _Leave):
                    outcomes.append((node, self.leaving(node, state)))
                    continue
                for target, after in self.successors(number, node, state):
                    if target not in waiting:
                        waiting[target] = []
                        heapq.heappush(queue, -target)
                    waiting[target].append(after)
        return self.outcomes(outcomes)

    def leaving(self, node: _Leave, state: _State) -> _State:
        return state if node.value is None else self.effects(node.value, state)

    def successors(self, number: int, node: _Node, state: _State) -> Iterator[tuple[int, _State]]:
        match node:
            case _Step():
                yield node.follow, self.step(node, state)
            case _Choice():
                for target in node.targets:
                    yield target, state
            case _Branch():
                after = self.effects(node.test, state)
                truth = self.truth(node.test, dict(after.environment))
                if truth.named:
                    after = after._replace(matched=True)
                for side, target in ((1, node.then), (0, node.other)):
                    if truth.value is None or truth.value == bool(side):
                        yield target, _forked(after, number, side) if truth.open else after
            case _Dispatch():
                yield from self.dispatch(number, node, self.effects(node.subject, state))
            case _Leave():
                pass

    def step(self, node: _Step, state: _State) -> _State:
        if node.value is not None:
            state = self.effects(node.value, state)
        if not node.name:
            return state
        environment = dict(state.environment)
        if node.name not in environment:
            return state
        if node.value is None or not node.keep:
            environment[node.name] = _Bound(facts.Unknown(_NOWHERE))
        else:
            environment[node.name] = self.bound(node.value, environment)
        return state._replace(environment=tuple(sorted(environment.items(), key=_by_name)))

    def dispatch(self, number: int, node: _Dispatch, state: _State) -> Iterator[tuple[int, _State]]:
        environment = dict(state.environment)
        subject = self.settle(node.subject, environment)
        if subject is not _REASON:
            yield from self.other_switch(number, node, state, environment)
            return
        possible = False
        for side, (labels, target) in enumerate(node.arms):
            same = [self.same(label, environment) for label in labels]
            if True in same:
                after = state._replace(matched=True)
                yield target, _forked(after, number, side) if possible else after
                return
            if None in same:
                possible = True
                yield target, _forked(state, number, side)
        yield node.default, _forked(state, number, -1) if possible else state

    def other_switch(
        self, number: int, node: _Dispatch, state: _State, environment: dict[str, _Bound]
    ) -> Iterator[tuple[int, _State]]:
        """A switch on something else than the reason itself."""
        subject = self.number(node.subject, environment, 0)
        cases = [[self.number(label, environment, 0) for label in labels] for labels, _ in node.arms]
        if subject is not None and all(None not in case for case in cases):
            hits = [target for case, (_, target) in zip(cases, node.arms, strict=True) if subject in case]
            yield (hits[0] if hits else node.default), state
            return
        depends = self.depends(node.subject, environment)
        sides = [target for labels, target in node.arms if labels]
        for side, target in enumerate((*sides, node.default)):
            yield target, _forked(state, number, side) if depends else state

    def outcomes(self, ends: list[tuple[_Leave, _State]]) -> tuple[Outcome, ...]:
        """The distinct outcomes, in the order of the text."""
        states: dict[tuple[_Leave, Value | None], list[_State]] = {}
        for node, state in ends:
            value = node.value
            if value is not None:
                value = self.settle(value, dict(state.environment))
                if value is _REASON:
                    value = facts.Unknown(node.span) if node.value is None else bare(node.value)
            # Two states that leave with the same value differ in nothing that anybody can see.
            states.setdefault((node, value), []).append(state._replace(environment=()))
        found = {
            Outcome(
                kind=node.kind,
                value=value,
                span=node.span,
                made=tuple(sorted((self.made[i] for i in state.made), key=_by_span)),
                matched=state.matched,
                acts=state.acts,
                decided=node.kind != "unknown" and not state.forks and not state.dispatched,
            ): None
            for (node, value), group in states.items()
            for state in _joined(group)
        }
        return tuple(sorted(found, key=_order))


def _by_name(item: tuple[str, _Bound]) -> str:
    return item[0]


def _by_span(made: Made) -> Span:
    return made.call.span


def _order(outcome: Outcome) -> tuple[object, ...]:
    value = outcome.value
    return (
        outcome.span,
        outcome.kind,
        (-1, -1) if value is None else tuple(value.span),
        type(value).__name__,
        tuple(made.call.span for made in outcome.made),
        outcome.matched,
        outcome.acts,
        outcome.decided,
    )


def _root(value: Value) -> str:
    """The variable at the root of ``a.b[i].c``; empty when there is none."""
    while True:
        match value:
            case facts.Name():
                return value.id
            case facts.Member() | facts.Index():
                value = value.object
            case facts.Unary() | facts.Cast():
                value = value.operand
            case _:
                return ""


def _size(value: Value) -> int:
    """The number of values in ``value``, counted no further than one past the limit."""
    count = 0
    stack: list[Value] = [value]
    while stack and count <= SIZE_LIMIT:
        count += 1
        stack.extend(facts.parts(stack.pop()))
    return count


def _forked(state: _State, number: int, side: int) -> _State:
    if any(fork[0] == number for fork in state.forks):
        return state
    return state._replace(forks=tuple(sorted({*state.forks, (number, side)})))


def _joined(states: list[_State]) -> list[_State]:
    """The distinct states that meet at one place.

    Where all sides of an undecided test came to the same, the test did not matter and is forgotten.
    Too many states are told apart by their calls only; their variables that differ become unknown.
    """
    states = list(dict.fromkeys(states))
    if len(states) > 1 and any(state.forks for state in states):
        states = _reunited(states)
    if len(states) <= STATE_LIMIT:
        return states
    groups: dict[_State, list[_Environment]] = {}
    for state in states:
        groups.setdefault(state._replace(environment=()), []).append(state.environment)
    widened = [key._replace(environment=_widened(group)) for key, group in groups.items()]
    if len(widened) <= STATE_LIMIT:
        return widened
    return [
        _State(
            _widened([state.environment for state in widened]),
            tuple(sorted({index for state in widened for index in state.made})),
            any(state.matched for state in widened),
            any(state.acts for state in widened),
            True,
        )
    ]


def _reunited(states: list[_State]) -> list[_State]:
    groups: dict[_State, set[tuple[_Fork, ...]]] = {}
    for state in states:
        groups.setdefault(state._replace(forks=()), set()).add(state.forks)
    result: list[_State] = []
    for key, forks in groups.items():
        kept = set(forks)
        for number in sorted({fork[0] for taken in forks for fork in taken}, reverse=True):
            for taken in sorted(kept):
                sides = {side for at, side in taken if at == number}
                if 1 not in sides:
                    continue
                rest = tuple(fork for fork in taken if fork[0] != number)
                twin = tuple(sorted((*rest, (number, 0))))
                if twin in kept:
                    kept -= {taken, twin}
                    kept.add(rest)
        if () in kept:
            kept = {()}
        result.extend(key._replace(forks=taken) for taken in sorted(kept))
    return result


def _widened(environments: list[_Environment]) -> _Environment:
    first = dict(environments[0])
    for environment in environments[1:]:
        for name, bound in environment:
            held = first[name]
            if held != bound:
                first[name] = _Bound(
                    facts.Unknown(_NOWHERE), held.derived or bound.derived, held.holds or bound.holds
                )
    return tuple(sorted(first.items(), key=_by_name))


def _unary(op: str, value: int) -> int | None:
    match op:
        case "-":
            return -value
        case "+":
            return value
        case "~":
            return ~value
        case "!" | "not":
            return int(value == 0)
        case _:
            return None


def _binary(op: str, left: int, right: int) -> int | None:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "|":
            return left | right
        case "&":
            return left & right
        case "^":
            return left ^ right
        case "==":
            return int(left == right)
        case "!=":
            return int(left != right)
        case "<":
            return int(left < right)
        case "<=":
            return int(left <= right)
        case ">":
            return int(left > right)
        case ">=":
            return int(left >= right)
        case "&&" | "and":
            return int(bool(left) and bool(right))
        case "||" | "or":
            return int(bool(left) or bool(right))
        case "<<" if 0 <= right < 64:
            return left << right
        case ">>" if 0 <= right < 64:
            return left >> right
        case _:
            return None


# --------------------------------------------------------------------------- asking


def leave(
    graph: Flow, reason: Reason, resolve: Resolve, watch: Set[str] = frozenset()
) -> tuple[Outcome, ...]:
    """All ways out of ``graph`` when its parameter is ``reason``, in the order of the text.

    ``resolve`` says what a name, member or call stands for outside the function (an enumerator's or
    macro's value), None when it does not know.  Calls named in ``watch`` are listed in
    :attr:`Outcome.made`.
    """
    return _Machine(graph, reason, resolve, watch).run()


def outcomes(
    function: facts.Function,
    parameter: str,
    reason: Reason,
    resolve: Resolve,
    watch: Set[str] = frozenset(),
) -> tuple[Outcome, ...]:
    """All ways out of ``function`` when ``parameter`` is ``reason``; see :func:`leave`."""
    return leave(flow(function, parameter), reason, resolve, watch)


def returns_zero(outcome: Outcome, resolve: Resolve) -> bool | None:
    """Whether ``outcome`` returns 0; None when what it returns is not known.

    Falling off the end counts as 0: what a caller then sees is undefined in C, and mostly 0.
    """
    if outcome.kind == "end":
        return True
    if outcome.kind != "return" or outcome.value is None:
        return None
    match outcome.value:
        case facts.Number(value=number):
            return number == 0
        case facts.Null():
            return True
        case facts.Name() | facts.Member():
            known = resolve(outcome.value)
            return known == 0 if isinstance(known, int) else None
        case _:
            return None


def named_reasons(function: facts.Function, parameter: str) -> tuple[str, ...]:
    """The reasons that ``function`` has a case label or an equality test for, in order of appearance.

    Reads the text only: which of them are reached is :func:`leave`'s question.
    """
    found: dict[str, None] = {}
    for value in values(function.body):
        for node in facts.walk(value):
            if isinstance(node, facts.Binary) and node.op in ("==", "!=", "<", "<=", ">", ">=", "..."):
                for side in (node.left, node.right):
                    _note_reason(side, found)
    for statement in statements(function.body):
        if isinstance(statement, facts.Switch):
            for arm in statement.arms:
                for label in arm.labels:
                    _note_reason(label, found)
    return tuple(found)


def _note_reason(value: Value, found: dict[str, None]) -> None:
    value = bare(value)
    if isinstance(value, facts.Name):
        name = value.id.rpartition("::")[2]
        if name.startswith("LWS_CALLBACK_"):
            found.setdefault(name)
