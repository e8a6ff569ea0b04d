"""Python that calls libwebsockets itself, through ctypes or cffi.

The names of the C API are attributes there (``lib.lws_callback_on_writable``), its flags are plain
numbers, and its callbacks are Python functions behind ``CFUNCTYPE`` or ``ffi.def_extern``.  Measured with
ctypes on lws 4.1.6: the GIL is released in every call, so it protects nothing; a callback that raises or
returns None gives lws an indeterminate int, and the process crashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Step
from lwslint.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Declare,
    Evaluate,
    If,
    Index,
    Initializer,
    Lambda,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Place,
    Return,
    Statement,
    Switch,
    Unary,
    Value,
    walk,
)
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model import apis
from lwslint.model.names import statements, values_of
from lwslint.model.python_program import Origin, PythonProgram, written
from lwslint.model.python_threads import Reached
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

_FACTORIES = frozenset(["ctypes.CFUNCTYPE", "ctypes.PYFUNCTYPE", "ctypes.WINFUNCTYPE"])
_BROAD = frozenset(["", "Exception", "BaseException"])
CALLBACK_PARAMETERS = 5  # wsi, reason, user, in, len
MAX_DEPTH = 60
MAX_CALLS = 6


class OffThreadCall(msgspec.Struct, frozen=True, eq=False):
    """An lws function called on a thread that does not service the context."""

    place: Place
    name: str
    reached: Reached
    serviced: Step | None


class Callback(msgspec.Struct, frozen=True, eq=False):
    """A Python function that lws calls; ``first`` when it is known to stand in ``protocols[0]``."""

    definition: Definition
    made: Place
    protocol: bool
    first: bool = False


class Fault(msgspec.Struct, frozen=True, eq=False):
    """A way out of a callback that hands lws no int; ``certain`` when every such path is in the text."""

    place: Place
    callback: Callback
    message: str
    certain: bool


class Flags(msgspec.Struct, frozen=True, eq=False):
    """A known value of ``ssl_connection``."""

    place: Place
    definition: Definition
    value: int


def is_native(program: PythonProgram, definition: Definition) -> bool:
    return program.imports(definition.file, "ctypes", "cffi", "_cffi_backend") or any(
        "lws" in name or "websockets_c" in name for name in definition.file.includes
    )


# ------------------------------------------------------------------------------------- threads


def off_thread(project: Project) -> Iterator[OffThreadCall]:
    """Calls of service-thread functions on threads that the program starts."""
    program = project.python
    names = frozenset(apis.service_thread_calls()) - {"lws_service"}
    calls = [use for name in names for use in program.calls_named(name)]
    if not any(is_native(program, use.definition) for use in calls):
        return
    threads = program.threads
    services = [use for name in ("lws_service", "lws_service_tsi") for use in program.calls_named(name)]
    seen: set[Place] = set()
    for reached in threads.reached:
        if any(use.definition.id in threads.own(reached.start) for use in services):
            continue  # this thread is the one that services
        for site in reached.definition.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if not isinstance(call.function, Member) or call.function.field not in names:
                continue
            name = call.function.field
            if api.category(name) in (Category.CREATE_CONTEXT, Category.DESTROY_CONTEXT):
                continue
            place = reached.definition.place(call.span)
            if place not in seen and services:
                seen.add(place)
                step = Step(services[0].place, f"{services[0].definition.name}() services the context here")
                yield OffThreadCall(place, name, reached, step)


# ------------------------------------------------------------------------------------- callbacks


def callbacks(project: Project) -> tuple[Callback, ...]:
    """The functions that lws calls, in order of file."""
    program = project.python
    found: dict[int, Callback] = {}
    native = _native_files(program)
    for definition in program.definitions:
        if definition.path not in native:
            continue
        for decorator in definition.function.decorators:
            kind = _decorates(program, decorator, definition)
            if kind:
                found.setdefault(definition.id, Callback(definition, definition.place(), kind == "protocol"))
    for use in program.calls:
        if use.definition.path not in native or len(use.call.arguments) != 1:
            continue
        if not isinstance(use.call.function, (Name, Member, Call)):
            continue
        kind = _function_type(program, use.call.function, use.definition)
        if not kind:
            continue
        for target in program.functions_of(use.call.arguments[0], use.definition):
            found.setdefault(target.id, Callback(target, use.place, kind == "protocol"))
    rows = _first_rows(program, native) if found else frozenset()
    return tuple(
        msgspec.structs.replace(callback, first=callback.definition.id in rows)
        for _, callback in sorted(found.items())
    )


def _native_files(program: PythonProgram) -> frozenset[str]:
    makers = [file for file in program.files if program.imports(file, "ctypes", "cffi")]
    stems = {file.path.rpartition("/")[2].rpartition(".")[0] for file in makers}
    users = [file for file in program.files if any(stems & set(name.split(".")) for name in file.includes)]
    return frozenset(file.path for file in (*makers, *users))


def _function_type(program: PythonProgram, value: Value, definition: Definition) -> str:
    """What C type of function that returns int ``value`` is: "protocol" with five arguments, or "other"."""
    for origin in program.origins(value, definition):
        made = origin.value
        if not isinstance(made, Call) or program.dotted(made.function, origin.definition) not in _FACTORIES:
            continue
        if not made.arguments or isinstance(made.arguments[0], Null):
            return ""
        if not program.dotted(made.arguments[0], origin.definition).endswith("c_int"):
            return ""
        return "protocol" if len(made.arguments) == 1 + CALLBACK_PARAMETERS else "other"
    return ""


def _decorates(program: PythonProgram, decorator: Value, definition: Definition) -> str:
    parent = program.parent(definition) or definition
    if isinstance(decorator, Call):
        last = written(decorator.function).rpartition(".")[2]
        five = len(definition.function.parameters) == CALLBACK_PARAMETERS
        if last == "def_extern":
            # cffi's `error=` says what to return when the function raises.
            handled = any(k.name == "error" for k in decorator.keywords)
            return "protocol" if five and not handled else ""
        if last == "callback" and program.imports(definition.file, "cffi"):
            return "protocol" if five else ""
    return _function_type(program, decorator, parent)


def _first_rows(program: PythonProgram, native: frozenset[str]) -> frozenset[int]:
    """The functions that stand in the first row of a table of protocols."""
    found: set[int] = set()
    for definition in program.definitions:
        if definition.path not in native:
            continue
        for statement in statements(definition.function.body):
            for value in values_of(statement) if not isinstance(statement, (If, Loop, Block, Switch)) else ():
                for node in walk(value):
                    row: Value | None = None
                    if isinstance(node, Initializer) and node.type in ("list", "tuple") and node.items:
                        row = node.items[0].value
                    elif (
                        isinstance(node, Call)
                        and node.arguments
                        and not isinstance(node.function, (Name, Member))
                    ):
                        row = node.arguments[0]  # (lws_protocols * 2)(row, row)
                    elif isinstance(node, Assign) and isinstance(node.target, Member):
                        found |= _slot(program, node, definition)
                    if row is not None:
                        found |= _in_row(program, row, definition)
    return frozenset(found)


def _in_row(program: PythonProgram, row: Value, definition: Definition) -> set[int]:
    values: list[Value] = []
    if isinstance(row, Call):
        values = [*row.arguments[1:2], *(k.value for k in row.keywords if k.name == "callback")]
    elif isinstance(row, Initializer) and len(row.items) > 1:
        values = [row.items[1].value]
    return {d.id for value in values for d in _wrapped(program, value, definition)}


def _slot(program: PythonProgram, node: Assign, definition: Definition) -> set[int]:
    """``protocols[0].callback = f``."""
    target = node.target
    assert isinstance(target, Member)
    if target.field != "callback" or not isinstance(target.object, Index):
        return set()
    index = target.object.index
    if not isinstance(index, Number) or index.value != 0:
        return set()
    return {d.id for d in _wrapped(program, node.value, definition)}


def _wrapped(program: PythonProgram, value: Value, definition: Definition) -> tuple[Definition, ...]:
    """The function behind ``CALLBACK(f)`` or a decorated name."""
    found = list(program.functions_of(value, definition))
    for origin in program.origins(value, definition):
        if isinstance(origin.value, Call) and origin.value.arguments:
            found += program.functions_of(origin.value.arguments[0], origin.definition)
    return tuple(found)


def loses_http(project: Project) -> Iterator[Callback]:
    """Callbacks of protocols[0] that never hand an event to lws_callback_http_dummy."""
    for callback in callbacks(project):
        if callback.first and callback.protocol and not _mentions_dummy(project.python, callback.definition):
            yield callback


def _mentions_dummy(program: PythonProgram, definition: Definition) -> bool:
    seen = {definition.id}
    waiting = [definition]
    while waiting and len(seen) < 50:
        current = waiting.pop()
        for site in current.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if written(call.function).endswith("callback_http_dummy"):
                return True
            for target in program.functions_of(call.function, current):
                if target.id not in seen:
                    seen.add(target.id)
                    waiting.append(target)
    return False


# ------------------------------------------------------------------------------------- results


def faults(project: Project) -> Iterator[Fault]:
    """Ways out of callbacks that give lws no int, and callback objects that nobody keeps."""
    for callback in callbacks(project):
        function = callback.definition.function
        if function.kind == "lambda":
            continue
        for site in callback.definition.body.returns:
            node = site.node
            assert isinstance(node, Return)
            if node.value is None or isinstance(node.value, Null):
                place = callback.definition.place(node.span)
                yield Fault(place, callback, "this return gives no int", True)
        if not _leaves(function.body):
            yield Fault(callback.definition.place(), callback, "it can end without a return", True)
        risky = _escapes(project.python, callback.definition, frozenset())
        if risky is not None:
            raised = isinstance(risky, Unary)
            text = "an exception escapes here" if raised else "an exception that is raised here escapes"
            yield Fault(callback.definition.place(risky.span), callback, text, raised)
    yield from _not_kept(project.python)


def _not_kept(program: PythonProgram) -> Iterator[Fault]:
    """``lib.lws_…(CALLBACK(f))``: the object is gone when the call returns, and lws still has the pointer."""
    for use in program.calls:
        name = written(use.call.function).rpartition(".")[2]
        if not name.startswith("lws_"):
            continue
        for argument in use.call.arguments:
            if (
                isinstance(argument, Call)
                and argument.arguments
                and _is_function_type(program, argument, use.definition)
            ):
                callback = Callback(use.definition, use.place, False)
                place = use.definition.place(argument.span)
                yield Fault(place, callback, "nothing keeps this callback object after the call", True)


def _is_function_type(program: PythonProgram, call: Call, definition: Definition) -> bool:
    return any(
        isinstance(o.value, Call) and program.dotted(o.value.function, o.definition) in _FACTORIES
        for o in program.origins(call.function, definition)
    )


def _leaves(body: Sequence[Statement], depth: int = 0) -> bool:
    """Whether every way through ``body`` ends in a return or an exception."""
    if depth > MAX_DEPTH:
        return True
    for index, statement in enumerate(body):
        match statement:
            case Return():
                return True
            case Evaluate(value=Unary(op="throw")):
                return True
            case If():
                if _leaves(statement.then, depth + 1) and _leaves(statement.other, depth + 1):
                    return True
            case Block(kind="try"):
                arms = _handlers(body, index)
                if _leaves(statement.body, depth + 1) and all(_leaves(a.body, depth + 1) for a in arms):
                    return True
            case Block(kind="catch"):
                continue
            case Block():
                if _leaves(statement.body, depth + 1):
                    return True
            case Switch():
                complete = any(arm.default for arm in statement.arms)
                if complete and all(_leaves(arm.body, depth + 1) for arm in statement.arms):
                    return True
            case Loop(kind="while", test=Number()):
                return True
    return False


def _handlers(body: Sequence[Statement], index: int) -> tuple[Block, ...]:
    found: list[Block] = []
    for statement in body[index + 1 :]:
        if not isinstance(statement, Block) or statement.kind != "catch":
            break
        found.append(statement)
    return tuple(found)


def _is_broad(handlers: Sequence[Block]) -> bool:
    for handler in handlers:
        first = handler.body[0] if handler.body else None
        if isinstance(first, Declare) and not _BROAD.isdisjoint(first.type.split(", ")):
            return True
    return False


def _escapes(program: PythonProgram, definition: Definition, seen: frozenset[int]) -> Value | None:
    """What in a function may let an exception out: a raise, else the first call that may."""
    known = program.escapes
    if definition.id not in known:
        known[definition.id] = None  # for cycles
        risky = list(_risky(program, definition, definition.function.body, seen | {definition.id}))
        raised = (value for value in risky if isinstance(value, Unary))
        known[definition.id] = next(raised, risky[0] if risky else None)
    return known[definition.id]


def _risky(
    program: PythonProgram,
    definition: Definition,
    body: Sequence[Statement],
    seen: frozenset[int],
    caught: bool = False,
    depth: int = 0,
) -> Iterator[Value]:
    """The raises and calls outside a broad ``try``; ``caught``: some exceptions are caught around here."""
    if depth > MAX_DEPTH:
        return
    for index, statement in enumerate(body):
        handlers = _handlers(body, index) if isinstance(statement, Block) and statement.kind == "try" else ()
        if _is_broad(handlers) or (isinstance(statement, Block) and statement.kind == "catch"):
            continue
        for value in _own_values(statement):
            if isinstance(value, Unary) and value.op == "throw":
                if not caught:
                    yield value
                continue
            for node in walk(value):
                if isinstance(node, Call) and not _is_harmless(program, definition, node, seen):
                    yield node
        for part in _inner(statement):
            yield from _risky(program, definition, part, seen, caught or bool(handlers), depth + 1)


def _inner(statement: Statement) -> tuple[Sequence[Statement], ...]:
    match statement:
        case If():
            return (statement.then, statement.other)
        case Loop():
            return (statement.before, statement.body)
        case Block():
            return (statement.body,)
        case Switch():
            return tuple(arm.body for arm in statement.arms)
    return ()


def _own_values(statement: Statement) -> Iterator[Value]:
    match statement:
        case Evaluate():
            yield statement.value
        case Declare() if statement.type == "def":
            return
        case Declare() | Return():
            if statement.value is not None:
                yield statement.value
        case If():
            yield statement.test
        case Switch():
            yield statement.subject
        case Loop():
            if statement.test is not None:
                yield statement.test


_HARMLESS = frozenset(
    ["print", "len", "bool", "isinstance", "id", "hasattr", "append", "debug", "info", "warning", "error"]
)


def _is_harmless(program: PythonProgram, definition: Definition, call: Call, seen: frozenset[int]) -> bool:
    """Calls of lws, some that hardly raise, and functions of the program that let nothing out."""
    name = written(call.function).rpartition(".")[2]
    if name.startswith(("lws_", "libwebsocket_")) or name in _HARMLESS or isinstance(call.function, Lambda):
        return True
    targets = program.functions_of(call.function, definition)
    return bool(targets) and all(
        target.id in seen or (len(seen) < MAX_CALLS and _escapes(program, target, seen) is None)
        for target in targets
    )


# ------------------------------------------------------------------------------------- flags


def flags(project: Project) -> Iterator[Flags]:
    """The known values that get into ``ssl_connection`` of a connect info."""
    program = project.python
    for definition in program.definitions:
        for site in definition.body.assigns:
            node = site.node
            assert isinstance(node, Assign)
            if isinstance(node.target, Member) and node.target.field == "ssl_connection":
                if is_native(program, definition):
                    yield from _flags(program, node.value, definition)
    for use in program.calls:
        for keyword in use.call.keywords:
            if keyword.name == "ssl_connection" and is_native(program, use.definition):
                yield from _flags(program, keyword.value, use.definition)


def _flags(program: PythonProgram, value: Value, definition: Definition) -> Iterator[Flags]:
    found = fold(program, Origin(value, definition))
    if found is not None:
        yield Flags(definition.place(value.span), definition, found)


def fold(program: PythonProgram, origin: Origin, depth: int = 0) -> int | None:
    """The integer that an expression of constants is; lws's own names are known."""
    value, definition = origin
    if depth > 20:
        return None
    if isinstance(value, Binary) and value.op in ("|", "<<", "&", "+"):
        left = fold(program, Origin(value.left, definition), depth + 1)
        right = fold(program, Origin(value.right, definition), depth + 1)
        if left is None or right is None:
            return None
        match value.op:
            case "|":
                return left | right
            case "&":
                return left & right
            case "<<":
                return left << right if 0 <= right < 64 else None
        return left + right
    if isinstance(value, Unary) and value.op == "~":
        inner = fold(program, Origin(value.operand, definition), depth + 1)
        return None if inner is None else ~inner
    if isinstance(value, Number):
        return value.value
    if (
        isinstance(value, Call)
        and len(value.arguments) == 1
        and written(value.function) in ("int", "c_int", "ctypes.c_int")
    ):
        return fold(program, Origin(value.arguments[0], definition), depth + 1)
    if isinstance(value, (Name, Member)):
        known = api.constant_value(written(value).rpartition(".")[2])
        if known is not None:
            return known
        origins = program.origins(value, definition)
        if len(origins) == 1 and origins[0].value is not value:
            return fold(program, origins[0], depth + 1)
    return None
