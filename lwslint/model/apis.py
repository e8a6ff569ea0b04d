"""The questions that linking asks of the knowledge: what does a call by that name do?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import msgspec

from lwslint.facts import Call, Member, Name, Value, walk
from lwslint.knowledge import api
from lwslint.knowledge import threads as thread_table
from lwslint.knowledge.api import Category, ThreadClass
from lwslint.knowledge.threads import ThreadApi
from lwslint.model.names import callee_name

CREATED = {
    Category.CREATE_CONTEXT: "context",
    Category.CREATE_VHOST: "vhost",
    Category.CONNECT: "wsi",
}


def creates(name: str) -> str | None:
    """The kind of object that a call makes (``context``, ``vhost``, ``wsi``), or None."""
    return CREATED.get(api.category(name))


def argument(call: Call, position: int | None) -> Value | None:
    """The argument at a position, or None when the call has fewer."""
    if position is None or not 0 <= position < len(call.arguments):
        return None
    return call.arguments[position]


def context_of(call: Call) -> Value | None:
    """The argument of an lws call that is the context."""
    known = api.function(callee_name(call))
    return argument(call, known.context) if known is not None else None


def wsi_of(call: Call) -> Value | None:
    """The argument of an lws call that is the connection."""
    known = api.function(callee_name(call))
    return argument(call, known.wsi) if known is not None else None


@cache
def service_thread_calls() -> tuple[str, ...]:
    """The functions that only the service thread may call, by name; servicing itself is not among them."""
    return tuple(
        name
        for name in api.function_names()
        if api.thread_class(name) is ThreadClass.SERVICE and api.category(name) is not Category.SERVICE
    )


class Handover(msgspec.Struct, frozen=True):
    """A call that hands functions over to run later: the row of the table, the functions, and what each
    of them gets as which of its parameters."""

    api: ThreadApi
    routines: tuple[Value, ...]
    passed: tuple[tuple[int, Value], ...]
    handle: int | str | None


def may_be_thread_api(call: Call) -> bool:
    """Whether :func:`thread_apis` may know a call, by its name alone."""
    return names_thread_api(callee_name(call))


@cache
def names_thread_api(name: str) -> bool:
    """Whether the thread table has a function, a method or a class of that name."""
    return bool(thread_table.called(name) or thread_table.method(name) or thread_table.constructed(name))


def thread_apis(call: Call, owner: Callable[[], str]) -> tuple[ThreadApi, ...]:
    """The rows of the thread table that a call may mean; ``owner`` gives the type of ``x`` in ``x.f()``."""
    callee = call.function
    if isinstance(callee, Member):
        if not thread_table.method(callee.field):
            return ()
        type = owner()
        return thread_table.method(callee.field, type) if type else ()
    name = callee_name(call)
    if call.kind in ("new", "construct"):
        return thread_table.constructed(name)
    return thread_table.called(name) or thread_table.constructed(name)


def handovers(call: Call, owner: Callable[[], str]) -> Iterator[Handover]:
    """What a call hands over, by the rows that it may mean."""
    for row in thread_apis(call, owner):
        if not row.entries:
            continue
        shift = _shift(row, call)
        routines = [argument(call, _index(position, shift, call)) for position in row.entries]
        passed: list[tuple[int, Value]] = []
        if row.user is not None:
            value = argument(call, _index(row.user, shift, call))
            if value is not None:
                passed.append((row.parameter, value))
        if row.rest is not None:
            passed.extend(enumerate(call.arguments[row.rest + shift :]))
        handle = row.handle + shift if isinstance(row.handle, int) else row.handle
        yield Handover(row, tuple(r for r in routines if r is not None), tuple(passed), handle)


def _shift(row: ThreadApi, call: Call) -> int:
    """1 when a policy or pool comes first (``std::async(std::launch::async, f)``)."""
    if not row.shift or not call.arguments:
        return 0
    first = call.arguments[0]
    return int(any(isinstance(node, Name) and node.id.startswith(row.shift) for node in walk(first)))


def _index(position: int, shift: int, call: Call) -> int:
    return position + shift if position >= 0 else len(call.arguments) + position
