"""Where Python's WebSocket clients give up what TLS promises.

Contexts are followed from where they are made to the connections that use them; attribute writes on the
way are added up.  Libraries' own options come from the table.  What each weakening does was measured
against servers with bad certificates; see ``python_libraries.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Step
from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Declare,
    Member,
    Name,
    Null,
    Number,
    Place,
    Return,
    Value,
)
from lwslint.knowledge import python_libraries as libraries
from lwslint.model.python_connections import Connection
from lwslint.model.python_contexts import Context
from lwslint.model.python_exposure import PRODUCTION, Exposure, Url, exposure, speaks_plaintext, url_of
from lwslint.model.python_program import Origin, PythonProgram, Use, written
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h)."""

EFFECTS = {
    "all": "any certificate from anybody is accepted: self-signed, expired, or for another host",
    "hostname": "a certificate that any accepted CA issued for any other host is accepted",
    "expiry": "certificates that have expired are accepted",
    "purpose": "a context made for servers (Purpose.CLIENT_AUTH) verifies nothing before Python 3.10, and"
    " cannot connect at all since",
}


class Weakness(msgspec.Struct, frozen=True, eq=False):
    """One place that weakens TLS.  ``uses`` are the connections that suffer; ``certain`` when some do."""

    place: Place
    definition: Definition
    effect: str
    cause: str
    exposure: Exposure
    help: str
    uses: tuple[Connection, ...] = ()
    certain: bool = True
    also: tuple[Step, ...] = ()

    @property
    def loopback(self) -> bool:
        return bool(self.uses) and all(use.loopback for use in self.uses)


# ------------------------------------------------------------------------------------- weaknesses


def weaknesses(project: Project) -> tuple[Weakness, ...]:
    """Everything that weakens the TLS of Python's WebSocket clients, one for each place."""
    program = project.python
    known = program.connections
    found = [
        *_contexts(program, known),
        *_options(program, known),
        *_tls_rows(program),
        *_defaults(program, known),
    ]
    unique: dict[Place, Weakness] = {}
    for weakness in found:
        unique.setdefault(weakness.place, weakness)
    return tuple(sorted(unique.values(), key=lambda w: w.place))


def _contexts(program: PythonProgram, known: Sequence[Connection]) -> Iterator[Weakness]:
    for context in program.contexts.made:
        yield from _judge(program, context)
    for node, definition in program.contexts.orphans:
        yield from _orphan(program, node, definition, known)


def _judge(program: PythonProgram, context: Context) -> Iterator[Weakness]:
    clients = [c for c in context.clients if not c.plain]
    if context.clients and not clients:
        return
    if not clients and (context.servers or context.others or context.has_certificate):
        return
    definition = context.use.definition
    known = bool(clients or context.unknown)
    if not known and not (_talks(program, definition) and _is_read(program, context)):
        return
    changes = [
        (effect, node, where) for node, where in context.writes if (effect := _weakens(program, node, where))
    ]
    restored = [node for node, where in context.writes if _restores(program, node, where)]
    effects = {effect for effect, _, _ in changes}
    certain = bool(clients)
    uses = tuple(dict.fromkeys(clients))
    if changes:
        effect, node, where = min(changes, key=lambda c: (c[2].path, c[1].span.start))
        worst = "all" if "all" in effects or context.verify == "all" else effect
        also = tuple(
            Step(w.place(n.span), f"{written(n.target)}: {EFFECTS[e]}")
            for e, n, w in changes
            if n is not node
        )
        cause = " and ".join(
            dict.fromkeys(_spell(program, n, w) for _, n, w in sorted(changes, key=lambda c: c[1].span))
        )
        yield Weakness(
            where.place(node.span),
            where,
            worst,
            cause,
            exposure(program, where, node.span),
            _HELP_CONTEXT,
            uses,
            certain,
            also,
        )
        return
    verify = context.verify
    if verify == "all" and any(
        node.target.field == "verify_mode" for node in restored if isinstance(node.target, Member)
    ):
        hostname = any(isinstance(n.target, Member) and n.target.field == "check_hostname" for n in restored)
        verify = "full" if hostname else "hostname"
    if verify in ("full", "server"):
        return
    name = program.dotted(context.use.call.function, definition)
    shown = f"{name}(Purpose.CLIENT_AUTH)" if verify == "purpose" else f"{name}()"
    yield Weakness(
        context.use.place,
        definition,
        verify,
        shown,
        exposure(program, definition, context.use.call.span),
        _HELP_MADE
        if verify != "purpose"
        else "leave the purpose out: ssl.create_default_context(cafile=...)",
        uses,
        certain,
    )


def _is_read(program: PythonProgram, context: Context) -> bool:
    """Whether anything may use the context: one that is only stored, and configured, protects nothing."""
    definition = context.use.definition
    for site in (*definition.body.assigns, *definition.body.declares):
        node = site.node
        assert isinstance(node, (Assign, Declare))
        if node.value is not None and node.value.span == context.use.call.span:
            target = Name(node.span, node.name) if isinstance(node, Declare) else node.target
            return program.is_read(target, definition)
    return True


def _talks(program: PythonProgram, definition: Definition) -> bool:
    """Whether the file opens a client connection that a context without a known use may be for."""
    table = libraries.connects()
    return any(
        program.called(use.call, use.definition) in table
        for use in program.calls
        if use.definition.file is definition.file
    )


def _orphan(
    program: PythonProgram, node: Assign, definition: Definition, known: Sequence[Connection]
) -> Iterator[Weakness]:
    """A write to a context that comes from outside the program's text."""
    effect = _weakens(program, node, definition)
    assert isinstance(node.target, Member)
    if effect is None or not program.imports(definition.file, "ssl"):
        return
    uses = [c for c in known if c.use.definition.file is definition.file and not c.plain]
    passed = [c for c in uses if _passes(program, c, node.target.object)]
    if not passed:
        return
    cause = _spell(program, node, definition)
    yield Weakness(
        definition.place(node.span),
        definition,
        effect,
        cause,
        exposure(program, definition, node.span),
        _HELP_CONTEXT,
        tuple(passed),
    )


def _passes(program: PythonProgram, connection: Connection, context: Value) -> bool:
    spelled = written(context)
    given = program.keyword(connection.use.call, connection.use.definition, *connection.row.context)
    return bool(spelled) and any(written(o.value) == spelled for o in given)


def _weakens(program: PythonProgram, node: Assign, definition: Definition) -> str | None:
    """What an attribute write on a context gives away."""
    assert isinstance(node.target, Member)
    field = node.target.field
    if field == "verify_flags":
        if node.op == "|=" and _has_no_check_time(program, node.value, definition):
            return "expiry"
        return None
    origins = program.origins(node.value, definition)
    if field == "check_hostname":
        return "hostname" if any(is_false(o.value) for o in origins) else None
    if field == "verify_mode":
        return "all" if any(is_cert_none(program, o) for o in origins) else None
    return None


def _restores(program: PythonProgram, node: Assign, definition: Definition) -> bool:
    assert isinstance(node.target, Member)
    origins = program.origins(node.value, definition)
    if node.target.field == "check_hostname":
        return any(isinstance(o.value, Number) and o.value.value for o in origins)
    return any(
        program.dotted(o.value, o.definition).endswith(("CERT_REQUIRED", "CERT_OPTIONAL")) for o in origins
    )


def _has_no_check_time(program: PythonProgram, value: Value, definition: Definition) -> bool:
    stack = [value]
    for _ in range(50):
        if not stack:
            return False
        node = stack.pop()
        if isinstance(node, Binary) and node.op == "|":
            stack += [node.left, node.right]
            continue
        for origin in program.origins(node, definition):
            if isinstance(origin.value, Number) and origin.value.value & NO_CHECK_TIME:
                return True
    return False


def _spell(program: PythonProgram, node: Assign, definition: Definition) -> str:
    assert isinstance(node.target, Member)
    match node.target.field:
        case "check_hostname":
            return "check_hostname = False"
        case "verify_mode":
            return "verify_mode = CERT_NONE"
    return "verify_flags |= X509_V_FLAG_NO_CHECK_TIME"


def is_false(value: Value) -> bool:
    return isinstance(value, Number) and value.value == 0


def is_cert_none(program: PythonProgram, origin: Origin) -> bool:
    return is_false(origin.value) or program.dotted(origin.value, origin.definition).endswith("CERT_NONE")


# ------------------------------------------------------------------------------------- options

_HELP_CONTEXT = (
    "leave check_hostname and verify_mode as ssl.create_default_context() sets them, and give it"
    " what signed the"
    " server's certificate: ssl.create_default_context(cafile=...); a self-signed certificate can be"
    " its own CA file"
)
_HELP_MADE = "use ssl.create_default_context(cafile=...), which checks the chain and the host name"
_HELP_SSLOPT = (
    'pass sslopt={"ca_certs": path} with what signed the server\'s certificate, and nothing that turns'
    " checks off"
)
_HELP_OPTION = (
    "leave the option out, and pass a context from ssl.create_default_context(cafile=...) where the CA"
    " is your own"
)


def _options(program: PythonProgram, known: Sequence[Connection]) -> Iterator[Weakness]:
    for connection in known:
        if connection.plain:
            continue
        use, row = connection.use, connection.row
        for given in program.keyword(use.call, use.definition, *row.sslopt):
            yield from _sslopt(program, connection, given)
        for name in (*row.false_verifies_nothing, *row.true_verifies_nothing):
            wanted = name in row.true_verifies_nothing
            for given in program.keyword(use.call, use.definition, name):
                for origin in program.origins(*given):
                    if not isinstance(origin.value, Number) or bool(origin.value.value) != wanted:
                        continue
                    if not speaks_plaintext(origin.definition, origin.value.span):
                        yield _option(
                            program, origin, given, f"{name}={wanted} ({row.library})", "all", (connection,)
                        )


def _option(
    program: PythonProgram,
    origin: Origin,
    given: Origin,
    cause: str,
    effect: str,
    uses: tuple[Connection, ...],
    help: str = _HELP_OPTION,
) -> Weakness:
    verdict = exposure(program, origin.definition, origin.value.span)
    if verdict is PRODUCTION and given.value is not origin.value:
        verdict = exposure(program, given.definition, given.value.span)
    return Weakness(origin.place, origin.definition, effect, cause, verdict, help, uses)


def _sslopt(program: PythonProgram, connection: Connection, given: Origin) -> Iterator[Weakness]:
    """websocket-client's dict: with a context in it the other keys are ignored (measured)."""
    if program.items(*given, "context"):
        return
    required: list[Origin] = [
        o for item in program.items(*given, "cert_reqs") for o in program.origins(*item)
    ]
    hostname: list[Origin] = [
        o for item in program.items(*given, "check_hostname") for o in program.origins(*item)
    ]
    uses = (connection,)
    off = [origin for origin in required if is_cert_none(program, origin)]
    for origin in off:
        cause = f'"cert_reqs": CERT_NONE ({connection.row.library}; turns the host name check off as well)'
        yield _option(program, origin, given, cause, "all", uses, _HELP_SSLOPT)
    if off:
        return
    for origin in hostname:
        if is_false(origin.value):
            cause = f'"check_hostname": False ({connection.row.library})'
            yield _option(program, origin, given, cause, "hostname", uses, _HELP_SSLOPT)


def _tls_rows(program: PythonProgram) -> Iterator[Weakness]:
    rows = [(name, row) for row in libraries.load().tls for name in row.call]
    by_name: dict[str, list[libraries.TlsOption]] = {}
    for name, row in rows:
        by_name.setdefault(name, []).append(row)
    for use in program.calls:
        name = program.called(use.call, use.definition)
        if not name:
            continue
        for row in (*by_name.get(name, ()), *by_name.get(f"?.{name.rpartition('.')[2]}", ())):
            if row.needs and not _anywhere(program, use.definition, row.needs):
                continue
            given = list(program.keyword(use.call, use.definition, row.keyword))
            if not given and row.at is not None and row.at < len(use.call.arguments):
                given = [Origin(use.call.arguments[row.at], use.definition)]
            for item in given:
                for origin in program.origins(*item):
                    if _is_bad(program, origin, row.bad):
                        shown = {"false": "False", "true": "True", "none": "CERT_NONE"}[row.bad]
                        method = name.rpartition(".")[2]
                        cause = f"{method}({row.keyword}={shown}) ({row.library})"
                        yield _option(program, origin, item, cause, row.effect, ())
    plain = {name: row for row in libraries.load().unverified for name in row.call}
    for use in program.calls:
        found = plain.get(program.dotted(use.call.function, use.definition))
        if found is None or any(program.keyword(use.call, use.definition, name) for name in found.unless):
            continue
        cause = f"{written(use.call.function)}() verifies nothing ({found.library})"
        help = "use twisted.internet.ssl.optionsForClientTLS(hostname)"
        yield Weakness(
            use.place, use.definition, "all", cause, exposure(program, use.definition, use.call.span), help
        )


def _anywhere(program: PythonProgram, definition: Definition, needs: Sequence[str]) -> bool:
    return program.imports(definition.file, *needs)


def _is_bad(program: PythonProgram, origin: Origin, bad: str) -> bool:
    if bad == "none":
        return is_cert_none(program, origin)
    return isinstance(origin.value, Number) and bool(origin.value.value) == (bad == "true")


def _defaults(program: PythonProgram, known: Sequence[Connection]) -> Iterator[Weakness]:
    """Libraries that verify nothing unless they are told to."""
    for connection in known:
        row, use = connection.row, connection.use
        if not row.unverified:
            continue
        asked = [name for name in row.unless if not name.isdigit()]
        positions = [int(name) for name in row.unless if name.isdigit()]
        given = [*program.keyword(use.call, use.definition, *asked)]
        arguments = use.call.arguments
        given += [Origin(arguments[p], use.definition) for p in positions if p < len(arguments)]
        # None is what these libraries take for "not given".
        if any(not isinstance(o.value, Null) for item in given for o in program.origins(*item)):
            continue
        urls = connection.urls or tuple(_factory_urls(program, use))
        if urls and all(url.scheme in ("ws", "http") for url in urls):
            continue
        certain = any(url.scheme in ("wss", "https") for url in urls)
        help = (
            "pass a context factory as second argument: twisted.internet.ssl.optionsForClientTLS(host)"
            if row.kind == "twisted"
            else 'pass ssl_options={"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": path}'
        )
        shown = msgspec.structs.replace(connection, urls=urls)
        cause = f"{written(use.call.function)}() of {row.library}: {row.unverified}"
        yield Weakness(
            use.place,
            use.definition,
            "all",
            cause,
            exposure(program, use.definition, use.call.span),
            help,
            (shown,),
            certain,
        )


def _factory_urls(program: PythonProgram, use: Use) -> Iterator[Url]:
    """The URL of the factory that ``connectWS`` is given."""
    for argument in use.call.arguments[:1]:
        for origin in program.origins(argument, use.definition):
            if not isinstance(origin.value, Call):
                continue
            for value in (
                *origin.value.arguments[:1],
                *(k.value for k in origin.value.keywords if k.name == "url"),
            ):
                for inner in program.origins(value, origin.definition):
                    url = url_of(inner.value)
                    if url is not None:
                        yield url


# ------------------------------------------------------------------------------------- overridden checks


class Override(msgspec.Struct, frozen=True, eq=False):
    """Code that replaces or answers a check.  ``effective``: WebSocket clients are touched by it."""

    place: Place
    definition: Definition
    cause: str
    effect: str
    help: str
    exposure: Exposure
    effective: bool = True


_PATCHES = {
    "ssl.create_default_context": True,
    "ssl.SSLContext": True,
    # Measured: urllib and http.client ask for it, no WebSocket library does.
    "ssl._create_default_https_context": False,
}
_UNVERIFIED = ("_create_unverified_context", "_create_stdlib_context")


def overrides(project: Project) -> Iterator[Override]:
    """Monkeypatched constructors of contexts, and verify callbacks that accept everything."""
    program = project.python
    for definition in program.definitions:
        for site in definition.body.assigns:
            node = site.node
            assert isinstance(node, Assign)
            name = written(node.target) if isinstance(node.target, Member) else ""
            full = program.dotted(node.target, definition) if name else ""
            if full in _PATCHES and _is_unverified(program, node.value, definition):
                yield _patch(program, node, definition, full)
    for use in program.calls_named("set_verify"):
        if program.imports(use.definition.file, "OpenSSL", "twisted", "autobahn"):
            yield from _set_verify(program, use)


def _is_unverified(program: PythonProgram, value: Value, definition: Definition) -> bool:
    if program.dotted(value, definition).endswith(_UNVERIFIED):
        return True
    for target in program.functions_of(value, definition):
        for site in target.body.calls:
            call = site.node
            assert isinstance(call, Call)
            if program.dotted(call.function, target).endswith(_UNVERIFIED):
                return True
    return False


def _patch(program: PythonProgram, node: Assign, definition: Definition, full: str) -> Override:
    effective = _PATCHES[full]
    effect = (
        "every TLS connection of the whole process, in every library, accepts any certificate"
        if effective
        else "this changes nothing for WebSocket clients, and makes urllib and http.client accept any"
        " certificate"
    )
    return Override(
        definition.place(node.span),
        definition,
        f"{full} is replaced",
        effect,
        "give the one connection that needs it a context of its own: ssl.create_default_context(cafile=...)",
        exposure(program, definition, node.span),
        effective,
    )


def _set_verify(program: PythonProgram, use: Use) -> Iterator[Override]:
    """pyOpenSSL's ``Context.set_verify(mode, callback)``."""
    call, definition = use.call, use.definition
    if not call.arguments:
        return
    modes = [program.dotted(o.value, o.definition) for o in program.origins(call.arguments[0], definition)]
    cause = ""
    if any(mode.endswith("VERIFY_NONE") for mode in modes):
        cause = "set_verify(VERIFY_NONE)"
    elif len(call.arguments) > 1:
        for target in program.functions_of(call.arguments[1], definition):
            values = [site.node.value for site in target.body.returns if isinstance(site.node, Return)]
            if values and all(isinstance(v, Number) and v.value for v in values):
                cause = f"the verify callback {target.name}() accepts every certificate"
    if cause:
        yield Override(
            use.place,
            definition,
            cause,
            EFFECTS["all"],
            "load what signed the server's certificate, and return what OpenSSL found (the last parameter)",
            exposure(program, definition, call.span),
        )
