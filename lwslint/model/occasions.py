"""For which reasons a place in the code runs: the cases around it, and around the calls that lead there.

A place in a callback is told by the labels of its ``switch`` and by tests of the reason; a place in a helper
by the places that call it, a few calls far.  What cannot be told is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from lwslint.facts import Arm, Binary, Block, Jump, Name, Return, Statement, Switch, Value
from lwslint.model.bodies import Guard, Site
from lwslint.model.flow import Edge
from lwslint.model.names import last_component, statements, uncast
from lwslint.model.project import Project
from lwslint.model.symbols import Definition

PREFIX = "LWS_CALLBACK_"
MAX_CALLS = 4
MAX_PLACES = 200


class Occasion(msgspec.Struct, frozen=True):
    """Reasons for which a place runs; ``edges`` lead from the callback's case to it."""

    callback: Definition
    reasons: tuple[str, ...]
    site: Site
    edges: tuple[Edge, ...] = ()


def occasions(project: Project, definition: Definition, site: Site) -> tuple[Occasion, ...]:
    """The occasions of one place that are known, the nearest first."""
    found: list[Occasion] = []
    waiting: deque[tuple[Definition, Site, tuple[Edge, ...]]] = deque([(definition, site, ())])
    seen: set[tuple[int, int]] = set()
    while waiting and len(seen) < MAX_PLACES:
        where, at, edges = waiting.popleft()
        if (where.id, at.order) in seen:
            continue
        seen.add((where.id, at.order))
        parameter = reason_parameter(project, where)
        if parameter is not None:
            reasons = reasons_at(where, at, parameter)
            if reasons:
                found.append(Occasion(where, reasons, at, edges))
            continue
        if len(edges) < MAX_CALLS:
            for edge in project.flow.callers.get(where.id, ()):
                if not edge.ambiguous and edge.caller.id != where.id:
                    waiting.append((edge.caller, edge.site, (edge, *edges)))
    return tuple(found)


def reason_parameter(project: Project, definition: Definition) -> str | None:
    """The name of the parameter that is a callback reason; None in any other function."""
    for parameter in definition.function.parameters:
        if "callback_reasons" in parameter.type:
            return parameter.name
    registered = {callback.definition.id for callback in project.callbacks.all}
    return project.callbacks.parameter(definition) if definition.id in registered else None


def reasons_at(definition: Definition, site: Site, parameter: str) -> tuple[str, ...]:
    """The reasons for which a place in a callback runs; empty when they are not known."""
    known: tuple[str, ...] = ()
    for guard in site.guards:
        known = _of_guard(definition, guard, parameter) or known
    return known


def _of_guard(definition: Definition, guard: Guard, parameter: str) -> tuple[str, ...]:
    if guard.test is None:
        return ()
    if guard.kind == "switch":
        if guard.arm is None or not _is(guard.test, parameter):
            return ()
        arms = next(
            (
                statement.arms
                for statement in statements(definition.function.body)
                if isinstance(statement, Switch) and any(arm is guard.arm for arm in statement.arms)
            ),
            (guard.arm,),
        )
        return _of_arm(arms, guard.arm)
    if guard.kind in ("if", "and") and guard.holds:
        return tuple(_tested(guard.test, parameter))
    return ()


def _of_arm(arms: Sequence[Arm], arm: Arm) -> tuple[str, ...]:
    """The labels of an arm, and of those before it that fall through; empty with a ``default`` among them."""
    at = next(index for index, other in enumerate(arms) if other is arm)
    first = at
    while first > 0 and _falls_through(arms[first - 1].body):
        first -= 1
    group = arms[first : at + 1]
    if any(other.default for other in group):
        return ()
    names = [_reason(label) for other in group for label in other.labels]
    return tuple(name for name in names if name) if all(names) else ()


def _falls_through(body: Sequence[Statement]) -> bool:
    if not body:
        return True
    last = body[-1]
    if isinstance(last, Block):
        return _falls_through(last.body)
    return not isinstance(last, (Jump, Return))


def _tested(test: Value, parameter: str) -> Iterator[str]:
    """The reasons that a condition names: ``reason == A || reason == B``; nothing when it says more."""
    waiting = [test]
    found: list[str] = []
    while waiting:
        value = uncast(waiting.pop())
        if isinstance(value, Binary) and value.op == "||":
            waiting += [value.left, value.right]
        elif isinstance(value, Binary) and value.op == "&&":
            inner = [*_tested(value.left, parameter), *_tested(value.right, parameter)]
            if not inner:
                return
            found += inner
        elif isinstance(value, Binary) and value.op == "==":
            sides = (value.left, value.right)
            name = next((_reason(side) for side in sides if _reason(side)), "")
            if not name or not any(_is(side, parameter) for side in sides):
                return
            found.append(name)
        else:
            return
    yield from found


def _is(value: Value, parameter: str) -> bool:
    value = uncast(value)
    return isinstance(value, Name) and value.id == parameter


def _reason(value: Value) -> str:
    value = uncast(value)
    name = last_component(value.id) if isinstance(value, Name) else ""
    return name if name.startswith(PREFIX) else ""
