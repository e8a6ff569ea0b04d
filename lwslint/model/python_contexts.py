"""The TLS contexts of a Python program: what makes them, what is set on them, and who uses them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lwslint.facts import Assign, Call, Member, Name, Number, Span, Text
from lwslint.knowledge import python_libraries as libraries
from lwslint.model.python_connections import Connection
from lwslint.model.python_program import Origin, PythonProgram, Use
from lwslint.model.symbols import Definition

_CONTEXT_WORDS = frozenset(["ssl", "ssl_context", "sslcontext", "context", "tls_context", "sslctx", "ctx"])


class Context(msgspec.Struct, eq=False):
    """A call that makes an ``ssl.SSLContext``, and what is done with it.

    ``verify`` is what it checks right away: ``full``, ``hostname`` (the chain only), ``all`` (everything is
    given away), ``purpose``, ``server``.  ``writes`` are assignments to its attributes, ``calls`` are of its
    methods.
    """

    use: Use
    verify: str
    writes: list[tuple[Assign, Definition]]
    calls: list[Use]
    clients: list[Connection]
    servers: list[Use]
    others: list[Use]
    unknown: list[Use]

    @property
    def has_certificate(self) -> bool:
        """Whether it proves who its own side is, as that of a server must."""
        functions = (use.call.function for use in self.calls)
        return any(isinstance(f, Member) and f.field == "load_cert_chain" for f in functions)


class Contexts(msgspec.Struct, frozen=True, eq=False):
    """All contexts, in order of file; ``orphans`` are assignments to attributes of contexts that come from
    outside the program's text."""

    made: tuple[Context, ...]
    orphans: tuple[tuple[Assign, Definition], ...]


def find_contexts(program: PythonProgram) -> Contexts:
    """The contexts that the program makes."""
    made = _made(program)
    if not made:
        return Contexts((), ())
    orphans = _collect_writes(program, made)
    _collect_uses(program, made, program.connections)
    return Contexts(tuple(made.values()), tuple(orphans))


Key = tuple[str, Span]


def key_of(origin: Origin) -> Key:
    return (origin.definition.path, origin.value.span)


def _made(program: PythonProgram) -> dict[Key, Context]:
    rows = {name: row for row in libraries.load().context for name in row.call}
    found: dict[Key, Context] = {}
    for use in program.calls:
        row = rows.get(program.dotted(use.call.function, use.definition))
        if row is not None:
            verify = _verify(program, use, row.verify)
            found[(use.definition.path, use.call.span)] = Context(use, verify, [], [], [], [], [], [])
    return found


def _verify(program: PythonProgram, use: Use, how: str) -> str:
    """What a context checks right after it was made (Lib/ssl.py; measured)."""
    call, definition = use.call, use.definition
    if how == "purpose":
        given = program.keyword(call, definition, "purpose") or tuple(
            Origin(a, definition) for a in call.arguments[:1]
        )
        purposes = [program.dotted(o.value, o.definition) for g in given for o in program.origins(*g)]
        return "purpose" if any(p.endswith("CLIENT_AUTH") for p in purposes) else "full"
    if how == "cert_reqs":
        required = [
            program.dotted(o.value, o.definition)
            for given in program.keyword(call, definition, "cert_reqs")
            for o in program.origins(*given)
        ]
        return "hostname" if required and all(r.endswith("CERT_REQUIRED") for r in required) else "all"
    given = program.keyword(call, definition, "protocol") or tuple(
        Origin(a, definition) for a in call.arguments[:1]
    )
    protocols = [program.dotted(o.value, o.definition) for g in given for o in program.origins(*g)]
    if any(p.endswith("PROTOCOL_TLS_CLIENT") for p in protocols):
        return "full"
    if any(p.endswith("PROTOCOL_TLS_SERVER") for p in protocols):
        return "server"
    return "all" if not given or all("PROTOCOL_" in p for p in protocols) else "full"


_WRITTEN = frozenset(
    ["check_hostname", "verify_mode", "verify_flags", "minimum_version", "maximum_version", "options"]
)
_CALLED = frozenset(["set_ciphers", "load_cert_chain"])


def _collect_writes(program: PythonProgram, made: dict[Key, Context]) -> list[tuple[Assign, Definition]]:
    """Attach ``context.x = …`` to the contexts that it may change; what is left over is returned."""
    orphans: list[tuple[Assign, Definition]] = []
    for definition in program.definitions:
        for site in definition.body.assigns:
            node = site.node
            assert isinstance(node, Assign)
            if not isinstance(node.target, Member) or node.target.field not in _WRITTEN:
                continue
            targets = [made.get(key_of(o)) for o in program.origins(node.target.object, definition)]
            hit = [m for m in targets if m is not None]
            for context in hit:
                context.writes.append((node, definition))
            if not hit:
                orphans.append((node, definition))
        for site in definition.body.calls:
            node = site.node
            assert isinstance(node, Call)
            function = node.function
            if isinstance(function, Name) and function.id == "setattr" and len(node.arguments) == 3:
                owner, field, value = node.arguments
                if isinstance(field, Text) and field.value in _WRITTEN:
                    target = Member(owner.span, owner, field.value, field.span)
                    for origin in program.origins(owner, definition):
                        if found := made.get(key_of(origin)):
                            found.writes.append((Assign(node.span, target, "=", value), definition))
            elif isinstance(function, Member) and function.field in _CALLED:
                for origin in program.origins(function.object, definition):
                    if found := made.get(key_of(origin)):
                        found.calls.append(Use(definition, site))
    return orphans


def _collect_uses(program: PythonProgram, made: dict[Key, Context], known: Sequence[Connection]) -> None:
    clients = {(c.use.definition.id, c.use.call.span): c for c in known}
    roles = {name: row.role for row in libraries.load().context_use for name in row.call}
    for use in program.calls:
        call, definition = use.call, use.definition
        values = [k.value for k in call.keywords if k.name in _CONTEXT_WORDS]
        values += [
            o.value
            for o in program.keyword(call, definition, *sorted(_CONTEXT_WORDS))
            if o.value not in values
        ]
        client = clients.get((definition.id, call.span))
        if client is not None:
            for given in program.keyword(call, definition, *client.row.sslopt):
                values += [o.value for o in program.items(given.value, given.definition, "context")]
        name = program.called(call, definition)
        role = roles.get(name) or roles.get(f"?.{name.rpartition('.')[2]}")
        server_side = any(
            k.name == "server_side" and isinstance(k.value, Number) and k.value.value for k in call.keywords
        )
        if role is not None or server_side:
            values += call.arguments
        elif isinstance(call.function, Member) and call.function.field == "wrap_socket":
            values.append(call.function.object)
        elif client is None and not values:
            continue
        if server_side and isinstance(call.function, Member):
            values.append(call.function.object)
        for value in values:
            for origin in program.origins(value, definition):
                context = made.get(key_of(origin))
                if context is None:
                    continue
                if client is not None:
                    context.clients.append(client)
                elif role == "server" or server_side:
                    context.servers.append(use)
                elif role == "other":
                    context.others.append(use)
                else:
                    context.unknown.append(use)
