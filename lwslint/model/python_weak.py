"""Where Python's WebSocket clients and servers allow TLS versions and ciphers that are broken."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lwslint.facts import Assign, Binary, Member, Number, Place, Text, Unary
from lwslint.knowledge import python_libraries as libraries
from lwslint.model import ciphers
from lwslint.model.python_contexts import Context
from lwslint.model.python_exposure import Exposure, exposure
from lwslint.model.python_program import Origin, PythonProgram
from lwslint.model.symbols import Definition

# What a version of ssl.TLSVersion or a constant PROTOCOL_* stands for (Lib/ssl.py, Modules/_ssl.c).
_OLD = {
    "SSLv2": "SSL 2.0",
    "SSLv3": "SSL 3.0",
    "TLSv1": "TLS 1.0",
    "TLSv1_1": "TLS 1.1",
}
_ANY = "MINIMUM_SUPPORTED"


class Setting(msgspec.Struct, frozen=True, eq=False):
    """One place that lets weak TLS be spoken; ``message`` says which, and by what."""

    place: Place
    definition: Definition
    message: str
    exposure: Exposure


def settings(program: PythonProgram) -> Iterator[Setting]:
    """Everything of the kind in the TLS of WebSocket connections, in order of file."""
    for context in program.contexts.made:
        if _speaks_websocket(context):
            yield from _of_context(program, context)
    yield from _of_options(program)


def _speaks_websocket(context: Context) -> bool:
    return any(not client.plain for client in context.clients) or bool(context.servers)


def _of_context(program: PythonProgram, context: Context) -> Iterator[Setting]:
    definition, call = context.use.definition, context.use.call
    for given in (*call.arguments[:1], *(k.value for k in call.keywords if k.name == "protocol")):
        yield from _protocol(program, Origin(given, definition), "ssl.SSLContext()")
    for node, where in context.writes:
        assert isinstance(node.target, Member)
        match node.target.field:
            case "minimum_version":
                yield from _version(program, node, where, "as old as {} may be spoken")
            case "maximum_version":
                yield from _version(program, node, where, "nothing newer than {} can be spoken")
            case "options":
                yield from _options(program, node, where)
    for use in context.calls:
        if isinstance(use.call.function, Member) and use.call.function.field == "set_ciphers":
            for given in use.call.arguments[:1]:
                yield from _ciphers(program, Origin(given, use.definition), "set_ciphers()")


def _protocol(program: PythonProgram, given: Origin, where: str) -> Iterator[Setting]:
    """``PROTOCOL_TLSv1`` and its kin speak that one version."""
    for origin in program.origins(*given):
        name = program.dotted(origin.value, origin.definition).rpartition(".PROTOCOL_")[2]
        if name in _OLD:
            message = f"nothing but {_OLD[name]} can be spoken: {where} is given PROTOCOL_{name}"
            yield _setting(program, origin, given, message)


def _version(program: PythonProgram, node: Assign, where: Definition, effect: str) -> Iterator[Setting]:
    assert isinstance(node.target, Member)
    given = Origin(node.value, where)
    for origin in program.origins(*given):
        name = program.dotted(origin.value, origin.definition).rpartition(".TLSVersion.")[2]
        shown = "whatever the TLS library still has" if name == _ANY else _OLD.get(name)
        if shown is None or (name == _ANY and node.target.field == "maximum_version"):
            continue
        message = f"{effect.format(shown)}: {node.target.field} = TLSVersion.{name}"
        yield _setting(program, origin, given, message)


def _options(program: PythonProgram, node: Assign, where: Definition) -> Iterator[Setting]:
    """``options &= ~ssl.OP_NO_TLSv1`` and ``options |= ssl.OP_LEGACY_SERVER_CONNECT``."""
    given = Origin(node.value, where)
    if node.op == "&=" and isinstance(node.value, Unary) and node.value.op == "~":
        allowed = ciphers.allowed_by_clearing(_bits(program, Origin(node.value.operand, where)))
        if allowed:
            message = f"{allowed} may be spoken again: options clears what is against it"
            yield _setting(program, given, given, message)
    elif node.op == "|=":
        left = ciphers.weakened_by_setting(_bits(program, given))
        if left:
            yield _setting(program, given, given, f"connections may get {left}: options asks for it")


def _bits(program: PythonProgram, given: Origin) -> int:
    """The options in an or-ed expression: the ``OP_`` of Python's ssl are the ``SSL_OP_`` of OpenSSL."""
    found = 0
    waiting = [given]
    for _ in range(50):
        if not waiting:
            break
        value, where = waiting.pop()
        if isinstance(value, Binary) and value.op == "|":
            waiting += [Origin(value.left, where), Origin(value.right, where)]
            continue
        for origin in program.origins(value, where):
            name = program.dotted(origin.value, origin.definition).rpartition(".")[2]
            if isinstance(origin.value, Number):
                found |= origin.value.value
            elif name.startswith("OP_"):
                found |= ciphers.OPTIONS.get(f"SSL_{name}", 0)
    return found


def _ciphers(program: PythonProgram, given: Origin, where: str) -> Iterator[Setting]:
    for origin in program.origins(*given):
        found = ciphers.weak(origin.value.value) if isinstance(origin.value, Text) else ()
        if found:
            reasons = "; or ".join(list(dict.fromkeys(entry.why for entry in found))[:3])
            words = ", ".join(list(dict.fromkeys(entry.word for entry in found))[:6])
            message = f"connections may get {reasons}: {where} allows {words}"
            yield _setting(program, origin, given, message)


def _of_options(program: PythonProgram) -> Iterator[Setting]:
    """websocket-client's ``sslopt``, and paho's ``tls_set()``."""
    for connection in program.connections:
        if connection.plain:
            continue
        use, row = connection.use, connection.row
        for given in program.keyword(use.call, use.definition, *row.sslopt):
            if program.items(*given, "context"):
                continue
            for item in program.items(*given, "ssl_version"):
                yield from _protocol(program, item, '"ssl_version"')
            for item in program.items(*given, "ciphers"):
                yield from _ciphers(program, item, '"ciphers"')
    rows = {name: row for row in libraries.load().tls_settings for name in row.call}
    for use in program.calls:
        called = program.called(use.call, use.definition)
        found = rows.get(called) or rows.get(f"?.{called.rpartition('.')[2]}")
        if found is None or not program.imports(use.definition.file, *found.needs):
            continue
        for given in program.keyword(use.call, use.definition, found.version):
            yield from _protocol(program, given, found.version)
        for given in program.keyword(use.call, use.definition, found.ciphers):
            yield from _ciphers(program, given, found.ciphers)


def _setting(program: PythonProgram, origin: Origin, given: Origin, message: str) -> Setting:
    decided = exposure(program, origin.definition, origin.value.span)
    if decided.kind == "production" and given.value is not origin.value:
        decided = exposure(program, given.definition, given.value.span)
    return Setting(origin.place, origin.definition, message, decided)
