"""Which statements of a callback are to change so that events reach, or do not reach, the dummy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from lwslint.facts import (
    Arm,
    Block,
    Declare,
    Function,
    Jump,
    Name,
    Number,
    Place,
    Return,
    Statement,
    Switch,
    Value,
    walk,
)
from lwslint.knowledge import api
from lwslint.model.callbacks import DUMMY, Callback, Callbacks, Verdict
from lwslint.model.names import breaks, statements, uncast, values
from lwslint.model.symbols import Definition
from lwslint.remedies import AddDefault, Applicability, LeaveWith, Remedy

# How lws-callbacks.h names the parameters of a callback, and what their types must hold.
_PARAMETERS = (
    ("wsi", "lws", "*"),
    ("reason", "lws_callback_reasons"),
    ("user", "*"),
    ("in", "*"),
    ("len", "size_t"),
)
# What an HTTP client gets with an answer's body; a build with LWS_WITH_HTTP_PROXY asserts when the dummy
# gets these without a parent (lib/core-net/dummy-callback.c:499-540@v5.0.0).
_BODY = ("LWS_CALLBACK_RECEIVE_CLIENT_HTTP", "LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ")


def to_dummy(callbacks: Callbacks, callback: Callback, lost: dict[str, Verdict]) -> Remedy | None:
    """Return what the dummy says where the lost events end, if nothing else ends there that it must not
    see; else from a ``default:`` of the callback's ``switch``."""
    subject = callbacks.subject(callback.definition)
    call = _call(subject)
    if call is None:
        return None
    places = tuple(sorted({place for verdict in lost.values() for place in verdict.returns}))
    if not set(places) <= {subject.place(s.span) for s in _zero_returns(subject.function.body)}:
        return None
    message = "return lws_callback_http_dummy() there"
    if not _taken(callbacks, subject, places, makes_requests=callbacks.makes_requests(callback.definition)):
        return Remedy(message, Applicability.SAFE, LeaveWith(places, call.text, call.named))
    change = _default(callbacks, subject, call, lost)
    return Remedy(message.replace("there", "by default"), Applicability.SAFE, change) if change else None


class _Call(NamedTuple):
    """The dummy called with a callback's own parameters, and those that need a name for it."""

    text: str
    named: tuple[tuple[Place, str], ...]


def _call(subject: Definition) -> _Call | None:
    """How ``subject`` can call the dummy; None for a function of another shape."""
    function = subject.function
    if len(function.parameters) != len(_PARAMETERS) or function.returns.split()[-1:] != ["int"]:
        return None
    used = _names(function)
    names: list[str] = []
    named: list[tuple[Place, str]] = []
    for parameter, (usual, *needed) in zip(function.parameters, _PARAMETERS, strict=True):
        if not all(word in parameter.type for word in needed):
            return None
        if not parameter.name:
            if usual in used:
                return None
            named.append((subject.place(parameter.span), usual))
        names.append(parameter.name or usual)
    return _Call(f"{DUMMY}({', '.join(names)})", tuple(named))


def _names(function: Function) -> set[str]:
    """What is named in a function, as far as a new parameter could hide it."""
    found = {parameter.name for parameter in function.parameters}
    for statement in statements(function.body):
        if isinstance(statement, Declare):
            found.add(statement.name)
    for value in values(function.body):
        found |= {node.id for node in walk(value) if isinstance(node, Name)}
    return found


def _zero_returns(body: Sequence[Statement]) -> Iterator[Return]:
    """The statements that are ``return 0;``."""
    for statement in statements(tuple(body)):
        if isinstance(statement, Return) and statement.value is not None:
            value = uncast(statement.value)
            if isinstance(value, Number) and value.value == 0:
                yield statement


def _taken(
    callbacks: Callbacks, subject: Definition, places: Sequence[Place], *, makes_requests: bool
) -> bool:
    """Whether an event that the dummy acts on ends at one of ``places`` after a case of the callback's own
    has dealt with it, or is none that the dummy may see."""
    parameter = callbacks.parameter(subject)
    if parameter is None:
        return True
    for handled in api.http_dummy():
        for outcome in callbacks.outcomes(subject, parameter, handled.reason):
            own = outcome.matched or not outcome.decided or (makes_requests and handled.reason in _BODY)
            if own and subject.place(outcome.span) in places:
                return True
    return False


def _default(
    callbacks: Callbacks, subject: Definition, call: _Call, lost: Collection[str]
) -> LeaveWith | AddDefault | None:
    """Let the ``switch`` on the reason, with nothing but ``return 0;`` behind it, call the dummy by
    default; not where a lost event has a case of its own, which does nothing."""
    body = subject.function.body
    parameter = callbacks.parameter(subject)
    if len(body) < 2 or parameter is None or callbacks.makes_requests(subject):
        return None
    switch, last = body[-2], body[-1]
    if not isinstance(switch, Switch) or last not in tuple(_zero_returns(body)) or not switch.arms:
        return None
    if not _is(switch.subject, parameter):
        return None
    default = next((arm for arm in switch.arms if arm.default), None)
    if any(outcome.matched for name in lost for outcome in callbacks.outcomes(subject, parameter, name)):
        return None
    if default is None:
        leaves = isinstance(_last(switch.arms[-1]), Jump | Return)
        return AddDefault(subject.place(switch.span), *call) if leaves else None
    leaving = _last(default)
    if default.labels or not isinstance(leaving, Jump) or leaving.kind != "break":
        return None
    return LeaveWith((subject.place(leaving.span),), *call)


def _is(value: Value, name: str) -> bool:
    value = uncast(value)
    return isinstance(value, Name) and value.id == name


def _last(arm: Arm) -> Statement | None:
    """The last statement of an arm, its own braces aside."""
    body: Sequence[Statement] = arm.body
    while body and isinstance(body[-1], Block) and body[-1].kind == "block":
        body = body[-1].body
    return body[-1] if body else None


def away_from_dummy(callbacks: Callbacks, callback: Callback, reasons: Sequence[str]) -> Remedy | None:
    """Return 0 from the cases for ``reasons`` that go on to the dummy with a ``break``."""
    definition = callback.definition
    parameter = callbacks.parameter(definition)
    ways = [
        statement
        for statement in statements(definition.function.body)
        if isinstance(statement, Switch) and parameter and _is(statement.subject, parameter)
    ]
    places: list[Place] = []
    for reason in reasons:
        arms = [arm for switch in ways for arm in switch.arms if reason in _labels(arm)]
        if len(arms) != 1 or not _labels(arms[0]) <= set(_BODY):
            return None
        leaving = _last(arms[0])
        if not isinstance(leaving, Jump) or leaving.kind != "break":
            return None
        places += [definition.place(jump.span) for jump in breaks(arms[0].body)]
    change = LeaveWith(tuple(sorted(set(places))), "0")
    return Remedy("return 0 from the case", Applicability.SAFE, change)


def _labels(arm: Arm) -> set[str]:
    labels = {label.id for label in map(uncast, arm.labels) if isinstance(label, Name)}
    return labels | {"default"} if arm.default or len(labels) != len(arm.labels) else labels
