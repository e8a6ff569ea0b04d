"""Small questions about expressions, asked all over the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lwslint.facts import (
    Block,
    Call,
    Cast,
    Conditional,
    Declare,
    Evaluate,
    Fact,
    If,
    Index,
    Jump,
    Loop,
    Member,
    Name,
    Return,
    Statement,
    Switch,
    Unary,
    Value,
    walk,
)


def last_component(name: str) -> str:
    """``ws::Client::run`` → ``run``."""
    return name.rsplit("::", 1)[-1] if ":" in name else name


def callee_name(call: Call) -> str:
    """The name written in a call: ``f``, ``ns::f``; the method's name for ``x.f()``; else ""."""
    callee = call.function
    if type(callee) is Name:  # nearly always, and asked very often
        return callee.id
    while isinstance(callee, (Cast, Unary)):
        callee = callee.operand
    if isinstance(callee, Name):
        return callee.id
    if isinstance(callee, Member):
        return callee.field
    return ""


def call_name(call: Call) -> str:
    """The last component of :func:`callee_name`: ``run`` of ``ws::Client::run()`` and of ``self->run()``."""
    return last_component(callee_name(call))


def uncast(value: Value) -> Value:
    """``value`` without casts around it."""
    while isinstance(value, Cast):
        value = value.operand
    return value


def root_name(value: Value) -> str:
    """The variable at the root of ``a.b[i].c``; empty when there is none."""
    while True:
        match value:
            case Name():
                return value.id
            case Member() | Index():
                value = value.object
            case Unary() | Cast():
                value = value.operand
            case _:
                return ""


def variables_in(value: Value) -> Iterator[str]:
    """All identifiers inside a value, field names apart, in the order of :func:`~lwslint.facts.walk`."""
    return (node.id for node in walk(value) if isinstance(node, Name))


def names_in(value: Value) -> set[str]:
    """All identifiers and field names inside a value."""
    found: set[str] = set()
    for node in walk(value):
        if isinstance(node, Name):
            found.add(node.id)
        elif isinstance(node, Member):
            found.add(node.field)
    return found


def last_name(value: Value | None) -> str:
    """The last name of an lvalue: ``&self->threads[i].tid`` → ``tid``; "" for anything else."""
    while True:
        match value:
            case Member():
                return value.field
            case Name():
                return last_component(value.id)
            case Unary() | Cast():
                value = value.operand
            case Index():
                value = value.object
            case Call() if isinstance(value.function, Member) and not value.arguments:
                value = value.function.object
            case Conditional():
                value = value.then
            case _:
                return ""


def contains(value: Value | None, node: Fact) -> bool:
    """Whether ``node`` is ``value`` or inside it.  Compared by place, so that the variants of one function
    under different ``#if`` arms agree."""
    span = getattr(node, "span", None)
    return value is not None and any(
        inner.span == span and type(inner) is type(node) for inner in walk(value)
    )


def folder(path: str) -> str:
    """The folder of a path, "" at the root."""
    return path.rpartition("/")[0]


def shared_folders(a: str, b: str) -> int:
    """How many leading folders two paths share; one more for the same file."""
    left, right = a.split("/"), b.split("/")
    shared = 0
    for x, y in zip(left, right, strict=False):
        if x != y:
            break
        shared += 1
    return shared


def statements(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """All statements of a body, nested ones after the one that holds them."""
    stack: list[Statement] = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        inner = _INNER.get(type(statement))
        if inner is not None:
            stack.extend(inner(statement)[::-1])


def breaks(body: tuple[Statement, ...]) -> Iterator[Jump]:
    """The ``break`` statements that leave the loop or switch around ``body``; those of loops and switches
    inside it are not."""
    stack = list(body)
    while stack:
        match stack.pop():
            case Jump(kind="break") as jump:
                yield jump
            case If(then=then, other=other):
                stack += (*then, *other)
            case Block(body=inner):
                stack += inner
            case _:
                pass


_INNER: dict[type, Callable[[Any], tuple[Statement, ...]]] = {
    If: lambda s: s.then + s.other,
    Switch: lambda s: tuple([inner for arm in s.arms for inner in arm.body]),
    Loop: lambda s: s.before + s.body + s.step,
    Block: lambda s: s.body,
}
"""The statements directly inside one, by its type: most have none."""


def values_of(statement: Statement) -> Iterator[Value]:
    """The outermost values written in a statement and in the statements inside it, case labels too."""
    for inner in statements((statement,)):
        match inner:
            case Evaluate():
                yield inner.value
            case Declare() | Return():
                if inner.value is not None:
                    yield inner.value
            case If():
                yield inner.test
            case Switch():
                yield inner.subject
                for arm in inner.arms:
                    yield from arm.labels
            case Loop():
                if inner.test is not None:
                    yield inner.test
            case _:
                pass


def values(body: tuple[Statement, ...]) -> Iterator[Value]:
    """The outermost values of all statements of a body."""
    return (value for statement in body for value in values_of(statement))


# Results whose type matters to linking (declarations in include/libwebsockets/*.h@v5.0.0).
RETURN_TYPES = {
    "lws_create_context": "lws_context*",
    "lws_get_context": "lws_context*",
    "lws_create_vhost": "lws_vhost*",
    "lws_get_vhost": "lws_vhost*",
    "lws_get_protocol": "lws_protocols*",
    "lws_system_get_ops": "lws_system_ops_t*",
    "lws_client_connect_via_info": "lws*",
}
