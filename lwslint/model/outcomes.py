"""What a callback does when ``reason`` is X: a small symbolic executor over one function's body.

The body is turned into a flow graph once (:mod:`lwslint.model.control`); :func:`leave` then walks it for one
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

import functools
import heapq
import operator
from collections.abc import Callable, Iterator, Set
from typing import NamedTuple

import msgspec

from lwslint import facts
from lwslint.facts import Span, Value
from lwslint.model.control import (
    Branch,
    Choice,
    Dispatch,
    Graph,
    Leave,
    Node,
    Step,
    doing_in,
    graph_of,
)
from lwslint.model.names import call_name, root_name, statements, uncast, values, variables_in

STEP_LIMIT = 20_000
STATE_LIMIT = 48
SIZE_LIMIT = 32

Resolve = Callable[[Value], int | str | None]

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
    """``made`` has a bit for each call in :attr:`_Machine.made`: a callback may make thousands of calls,
    and a tuple of them for every step would cost the square of that."""

    environment: _Environment
    made: int = 0
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

    def __init__(self, graph: Graph, reason: Reason, resolve: Resolve, watch: Set[str]) -> None:
        self.graph = graph
        self.reason = reason
        self.resolve = resolve
        self.watch = watch
        self.made: list[Made] = []
        self.positions: dict[tuple[Span, int | None], int] = {}

    # ---- values

    def settle(self, value: Value, environment: dict[str, _Bound]) -> Value:
        """``value`` with casts gone, locals replaced by what they hold, and constants folded."""
        value = uncast(value)
        if isinstance(value, facts.Assign):
            value = uncast(value.target if value.op != "=" else value.value)
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
        value = uncast(value)
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
        for name in variables_in(value):
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
        test = uncast(test)
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
        doing = self.graph.doing.get(id(value))
        if doing is None:
            doing = doing_in(value)
        if not doing:
            return state
        environment = dict(state.environment)
        made = state.made
        acts, dispatched = state.acts, state.dispatched
        for node in doing:
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
                        made |= 1 << self.record(node, handed)
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
            made=made,
            acts=acts,
            dispatched=dispatched,
        )

    def assign(self, node: facts.Assign, environment: dict[str, _Bound]) -> None:
        target = uncast(node.target)
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
        root = root_name(target)
        if root in environment and self.depends(node.value, environment):
            environment[root] = environment[root]._replace(holds=True)

    def bound(self, value: Value, environment: dict[str, _Bound]) -> _Bound:
        settled = self.settle(value, environment)
        if settled is _REASON:
            return _Bound(_REASON)
        derived = self.depends(value, environment)
        holds = derived and isinstance(uncast(value), facts.Initializer | facts.Call)
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
        for name in variables_in(call):
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

    def members(self, made: int) -> Iterator[Made]:
        return (call for at, call in enumerate(self.made) if made >> at & 1)

    # ---- the walk

    def start(self) -> _State:
        environment = {name: _Bound(facts.Unknown(_NOWHERE)) for name in self.graph.tracked}
        environment[self.graph.parameter] = _Bound(_REASON)
        return _State(tuple(sorted(environment.items(), key=_by_name)))

    def run(self) -> tuple[Outcome, ...]:
        waiting: dict[int, list[_State]] = {self.graph.entry: [self.start()]}
        seen: dict[int, set[_State]] = {}
        queue = [-self.graph.entry]
        outcomes: list[tuple[Leave, _State]] = []
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
                if isinstance(node, Leave):
                    outcomes.append((node, self.leaving(node, state)))
                    continue
                for target, after in self.successors(number, node, state):
                    if target not in waiting:
                        waiting[target] = []
                        heapq.heappush(queue, -target)
                    waiting[target].append(after)
        return self.outcomes(outcomes)

    def leaving(self, node: Leave, state: _State) -> _State:
        return state if node.value is None else self.effects(node.value, state)

    def successors(self, number: int, node: Node, state: _State) -> Iterator[tuple[int, _State]]:
        match node:
            case Step():
                yield node.follow, self.step(node, state)
            case Choice():
                for target in node.targets:
                    yield target, state
            case Branch():
                after = self.effects(node.test, state)
                truth = self.truth(node.test, dict(after.environment))
                if truth.named:
                    after = after._replace(matched=True)
                for side, target in ((1, node.then), (0, node.other)):
                    if truth.value is None or truth.value == bool(side):
                        yield target, _forked(after, number, side) if truth.open else after
            case Dispatch():
                yield from self.dispatch(number, node, self.effects(node.subject, state))
            case Leave():
                pass

    def step(self, node: Step, state: _State) -> _State:
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

    def dispatch(self, number: int, node: Dispatch, state: _State) -> Iterator[tuple[int, _State]]:
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
        self, number: int, node: Dispatch, state: _State, environment: dict[str, _Bound]
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

    def outcomes(self, ends: list[tuple[Leave, _State]]) -> tuple[Outcome, ...]:
        """The distinct outcomes, in the order of the text."""
        states: dict[tuple[Leave, Value | None], list[_State]] = {}
        for node, state in ends:
            value = node.value
            if value is not None:
                value = self.settle(value, dict(state.environment))
                if value is _REASON:
                    value = facts.Unknown(node.span) if node.value is None else uncast(node.value)
            # Two states that leave with the same value differ in nothing that anybody can see.
            states.setdefault((node, value), []).append(state._replace(environment=()))
        found = {
            Outcome(
                kind=node.kind,
                value=value,
                span=node.span,
                made=tuple(sorted(self.members(state.made), key=_by_span)),
                matched=state.matched,
                acts=state.acts,
                decided=node.kind != "unknown" and not state.forks and not state.dispatched,
            ): None
            for (node, value), group in states.items()
            for state in _joined(group)
        }
        return tuple(sorted(found, key=_order))


def _talks(call: facts.Call) -> bool:
    name = call_name(call)
    return name in _TALKING or any(part in name.lower() for part in _TALKING_PARTS)


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
            functools.reduce(operator.or_, (state.made for state in widened)),
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
    graph: Graph, reason: Reason, resolve: Resolve, watch: Set[str] = frozenset()
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
    return leave(graph_of(function, parameter), reason, resolve, watch)


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


def named_reasons(function: facts.Function) -> tuple[str, ...]:
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
    value = uncast(value)
    if isinstance(value, facts.Name):
        name = value.id.rpartition("::")[2]
        if name.startswith("LWS_CALLBACK_"):
            found.setdefault(name)
