"""Expressions that weaken the TLS checks of a client connection, and who decides that they do.

Two ways lead to such an expression: backwards from the ``ssl_connection`` of a connection, which also
finds numbers (``3``), and forwards from every other place that or-es ``LCCSCF_`` flags into something
whose way to a connection is not followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Conditional,
    Declare,
    Initializer,
    Name,
    Place,
    Return,
    Span,
    Unary,
    Value,
    parts,
    walk,
)
from lwslint.frontends import conditions as preprocessor
from lwslint.knowledge import api
from lwslint.knowledge.api import Flag
from lwslint.model.alternatives import Alternative, Circumstance, Piece, Scope, Via
from lwslint.model.bodies import Guard, Site
from lwslint.model.connections import Connection, is_loopback
from lwslint.model.exposure import ALWAYS, Exposure, Judge
from lwslint.model.names import callee_name
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

USE_SSL = 1
# Bits 1 to 4 weaken the checks of the certificate; the other permissive flags concern redirects and replay.
CHECKS = 0b11110
_RANK = {"always": 0, "configured": 1, "fail-open": 2, "build": 3, "switch": 4, "never": 5}
_PRINTS = ("lwsl_", "log", "Log", "LOG", "print", "debug", "DEBUG", "trace", "assert", "EXPECT", "ASSERT")


class Use(msgspec.Struct, frozen=True, eq=False):
    """A flag where it is written; ``spelled`` is ``LCCSCF_…`` or the number it is a bit of."""

    flag: Flag
    place: Place
    spelled: str


class Weakness(msgspec.Struct, frozen=True, eq=False):
    """One expression that weakens TLS.

    ``tls`` is False when bit 0 is missing on every way, so that lws 3.0 and later connect without
    TLS.  ``legacy`` says that the code is for lws before 3.0, where 2 meant TLS with self-signed
    certificates.  ``loopback`` says that the peer is this machine, ``sink`` is the place that sets
    ``ssl_connection``, where it is known.
    """

    root: Place
    definition: Definition
    uses: tuple[Use, ...]
    exposure: Exposure
    number: int
    tls: bool
    via: tuple[Via, ...] = ()
    legacy: str = ""
    loopback: bool = False
    resolved: bool = True
    sink: Place | None = None

    @property
    def place(self) -> Place:
        return self.uses[0].place


def weaknesses(project: Project) -> tuple[Weakness, ...]:
    """All of them, by place; one for each expression."""
    finder = _Finder(project)
    found: dict[Place, Weakness] = {}
    for connection in project.connections.all:
        for weakness in finder.of_connection(connection):
            _keep(found, weakness)
    covered: dict[str, list[Span]] = defaultdict(list)
    for root in finder.covered:
        covered[root.path].append(root.span)
    for weakness in finder.elsewhere():
        root = weakness.root
        if not any(_overlaps(root.span, span) for span in covered.get(root.path, ())):
            _keep(found, weakness)
    return tuple(sorted(found.values(), key=lambda w: (w.place, w.root)))


def _keep(found: dict[Place, Weakness], weakness: Weakness) -> None:
    """Of several ways to one expression the most exposed one counts, with the flags of all."""
    known = found.get(weakness.root)
    if known is None:
        found[weakness.root] = weakness
        return
    first, second = sorted((known, weakness), key=lambda w: (not w.tls, _RANK[w.exposure.kind], w.loopback))
    uses = {(use.place, use.flag.name): use for use in (*known.uses, *weakness.uses)}
    ordered = tuple(sorted(uses.values(), key=lambda use: (use.place, use.flag.value)))
    found[weakness.root] = msgspec.structs.replace(
        first, uses=ordered, loopback=first.loopback and second.loopback, number=first.number | second.number
    )


def _overlaps(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


class _Finder:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.values = project.values
        self.judge = Judge(project)
        # The expressions whose way to a connection is known, weak or not.
        self.covered: dict[Place, None] = {}

    # ------------------------------------------------------------------ backwards from a connection

    def of_connection(self, connection: Connection) -> Iterator[Weakness]:
        possible = self.project.connections.possible(connection, "ssl_connection")
        numbers = [a for a in possible.alternatives if a.kind == "number" or a.number]
        for alternative in numbers:
            self.covered.update(dict.fromkeys(piece.root for piece in alternative.pieces))
        if not possible.unknown:
            self.covered.update(dict.fromkeys(_settled(connection)))
        strong = [a for a in numbers if a.number & USE_SSL]
        loopback = self._stays_here(connection)
        for alternative in numbers:
            bits = self._bits(connection, alternative)
            if not bits:
                continue
            legacy = self._legacy(connection, alternative)
            tls = bool(alternative.number & USE_SSL) or alternative.partial or bool(legacy)
            if not tls and (self.judge.tls_refused(alternative.when) or (strong and not _lone(alternative))):
                # No TLS is wanted here, and without it the other bits do nothing.
                continue
            for weakness in self._pieces(alternative, bits, strong, tls, legacy, loopback):
                sink = self.project.connections.sink(connection, "ssl_connection", weakness.place)
                yield msgspec.structs.replace(weakness, sink=sink)

    def _stays_here(self, connection: Connection) -> bool:
        """Whether the peer is this machine, whatever is configured."""
        connections = self.project.connections
        hosts = connections.texts(connection, "address")
        fixed = not connections.possible(connection, "address").unknown
        return fixed and bool(hosts) and all(map(is_loopback, hosts))

    def _bits(self, connection: Connection, alternative: Alternative) -> int:
        """The permissive bits, as lws of the connection's time reads them."""
        number = alternative.number
        if connection.positional:
            # A two-bit field: 2 and 3 accept self-signed certificates (client-handshake.c:539@v1.7.9).
            return number & 2
        return sum(flag.value for flag in api.permissive_flags() if number & flag.value)

    def _pieces(
        self,
        alternative: Alternative,
        bits: int,
        strong: Sequence[Alternative],
        tls: bool,
        legacy: str,
        loopback: bool,
    ) -> Iterator[Weakness]:
        roots: dict[Place, list[Piece]] = {}
        for piece in alternative.pieces:
            if piece.number is not None and piece.number & bits:
                root = piece.place if self._inside(piece.place, piece.root) else piece.root
                roots.setdefault(root, []).append(piece)
        for root, pieces in roots.items():
            mine = bits & _joined(piece.number for piece in pieces)
            strict = [a.when for a in strong if not a.number & mine & CHECKS]
            when = pieces[0].when
            if not tls:
                when = alternative.when
            left = self.judge.left_before(pieces[0].definition, pieces[0].place)
            when = (*left, *when, *self._inside(root, pieces[0].root))
            exposure = self.judge.expose(when, pieces[0].definition, strict)
            if exposure.kind == "never":
                continue
            yield Weakness(
                root,
                pieces[0].definition,
                tuple(_uses(pieces, mine)),
                exposure,
                alternative.number,
                tls,
                pieces[0].via,
                legacy,
                loopback,
            )

    def _inside(self, place: Place, root: Place) -> tuple[Circumstance, ...]:
        """The conditions of an ``#if`` in the middle of the expression ``root`` around a part of it."""
        if place.path != root.path:
            return ()
        around = self.project.conditions_at(root.path, root.span)
        return tuple(
            Circumstance(place.path, None, None, condition)
            for condition in self.project.conditions_at(place.path, place.span)
            if condition not in around
        )

    def _legacy(self, connection: Connection, alternative: Alternative) -> str:
        """Why the number is read as lws before 3.0 reads it; "" when it is not."""
        if connection.positional:
            return f"{connection.positional}() is of lws before 3.1"
        version = self.project.settings.lws_version
        if version is not None and version.major < 3:
            return f"the target is lws {version}"
        for circumstance in alternative.when:
            condition = circumstance.condition
            if condition is not None and for_old_lws(condition.text):
                return f"under #if {condition.text}"
        return ""

    # ------------------------------------------------------------------ forwards from the flags

    def elsewhere(self) -> Iterator[Weakness]:
        """Expressions that or LCCSCF_ flags together, wherever they stand."""
        for file in self.project.files:
            scope = self.project.flow.file_scope(file.path)
            for variable in file.variables:
                if variable.value is not None and not _is_data(variable.value):
                    yield from self._expression(variable.value, scope, (), variable.span, "=", None)
        for definition in self.project.symbols.definitions:
            if definition.function.kind == "macro":
                continue
            yield from self._function(definition)

    def _function(self, definition: Definition) -> Iterator[Weakness]:
        body = definition.body
        if body.words.isdisjoint(_CHECK_NAMES):
            return
        for site in (*body.declares, *body.assigns, *body.returns):
            node = site.node
            match node:
                case Declare() if node.value is not None and not _is_data(node.value):
                    yield from self._expression(node.value, definition, site.guards, node.span, "=", site)
                case Assign(op="=" | "|=" | "+="):
                    yield from self._expression(node.value, definition, site.guards, node.span, node.op, site)
                case Return() if node.value is not None:
                    yield from self._expression(node.value, definition, site.guards, node.span, "=", site)
                case _:
                    pass
        for site in body.calls:
            if not isinstance(site.node, Call) or not _mentions_check(site.node):
                continue
            if any(word in callee_name(site.node) for word in _PRINTS):
                continue
            for argument in site.node.arguments:
                yield from self._expression(argument, definition, site.guards, argument.span, "=", site)

    def _expression(
        self,
        value: Value,
        definition: Definition,
        guards: tuple[Guard, ...],
        span: Span,
        op: str,
        site: Site | None,
    ) -> Iterator[Weakness]:
        if not _mentions_check(value):
            return
        if isinstance(value, Initializer | Call | Assign) or _is_test(value):
            return
        order = site.order if site is not None else None
        scope = Scope(definition, None, order, guards, span)
        possible = self.values.possible_in(value, scope)
        root = Place(definition.path, value.span)
        around = self.values.circumstances(definition, guards, span)
        strict = op != "=" or self._has_strict_sibling(definition, site)
        for alternative in possible.alternatives:
            pieces = [
                p
                for p in alternative.pieces
                if p.place.path == definition.path
                and value.span.start <= p.place.span.start < value.span.end
                and p.number is not None
            ]
            split: dict[Place, list[Piece]] = {}
            for piece in pieces:
                split.setdefault(piece.place if self._inside(piece.place, root) else root, []).append(piece)
            for part, mine in split.items():
                bits = sum(f.value for f in api.permissive_flags()) & _joined(p.number for p in mine)
                if not bits or alternative.kind != "number":
                    continue
                inner: tuple[Circumstance, ...] = tuple(
                    c for c in alternative.when if not any(c.same(a) for a in around)
                )
                siblings = [a for a in possible.numbers if a.number & USE_SSL and not a.number & bits]
                chosen: list[tuple[Circumstance, ...]] = [(*around, *a.when) for a in siblings]
                if strict:
                    chosen.append(())
                left = self.judge.left_before(definition, mine[0].place)
                when = (*left, *around, *inner, *self._inside(part, root))
                exposure = self.judge.expose(when, definition, chosen)
                if exposure.kind == "never":
                    continue
                yield Weakness(
                    part,
                    definition,
                    tuple(_uses(mine, bits)),
                    exposure,
                    alternative.number,
                    True,
                    resolved=False,
                )

    def _has_strict_sibling(self, definition: Definition, site: Site | None) -> bool:
        """Whether the function also sets or returns plain LCCSCF_USE_SSL."""
        for other in (*definition.body.assigns, *definition.body.returns, *definition.body.declares):
            node = other.node
            if other is site or not isinstance(node, Assign | Return | Declare) or node.value is None:
                continue
            names = {n.id for n in walk(node.value) if isinstance(n, Name)}
            if "LCCSCF_USE_SSL" in names and not any(_is_permissive(n) for n in walk(node.value)):
                return True
        return False


def _settled(connection: Connection) -> Iterator[Place]:
    """The values that functions give to ``ssl_connection`` and then connect: what is not among the possible
    ones there has been overwritten."""
    connecting = {call.definition.id for call in connection.calls}
    for written in connection.writes("ssl_connection"):
        if written.write.definition.id in connecting:
            yield Place(written.write.definition.path, written.write.value.span)


def for_old_lws(text: str) -> bool:
    """Whether a preprocessor condition holds for lws 2 and fails for lws 4."""
    expression = preprocessor.parse(text)

    def lookup(major: int) -> preprocessor.Lookup:
        known = {
            "LWS_LIBRARY_VERSION_MAJOR": str(major),
            "LWS_LIBRARY_VERSION_MINOR": "4",
            "LWS_LIBRARY_VERSION_PATCH": "2",
            "LWS_LIBRARY_VERSION_NUMBER": str(major * 1_000_000 + 4_002),
        }
        return lambda name: known.get(name, preprocessor.UNKNOWN)

    new = preprocessor.truth(expression, lookup(4), {})
    old = preprocessor.truth(expression, lookup(2), {})
    return new is False and old is not False


def _uses(pieces: Sequence[Piece], bits: int) -> Iterator[Use]:
    """The permissive flags among the pieces of one expression, in the order in which they are written."""
    seen: set[str] = set()
    for piece in sorted(pieces, key=lambda p: (p.place, p.text)):
        for flag in api.flags_in((piece.number or 0) & bits):
            if flag.weakens and flag.name not in seen:
                seen.add(flag.name)
                yield Use(flag, piece.place, piece.text)


def _joined(numbers: Iterator[int | None]) -> int:
    result = 0
    for number in numbers:
        result |= number or 0
    return result


def _lone(alternative: Alternative) -> bool:
    """Whether a number is one literal, not flags put together."""
    return len(alternative.pieces) == 1 and alternative.pieces[0].text.isdigit()


_CHECK_NAMES = frozenset(flag.name for flag in api.permissive_flags() if flag.value & CHECKS)


def _is_permissive(node: Value) -> bool:
    return isinstance(node, Name) and node.id in _CHECK_NAMES


def _mentions_check(value: Value) -> bool:
    """Whether a flag that concerns the certificate stands anywhere in a value; asked of every
    expression of the project, hence without a generator."""
    stack: list[Value] = [value]
    while stack:
        node = stack.pop()
        if type(node) is Name:
            if node.id in _CHECK_NAMES:
                return True
        else:
            stack.extend(parts(node))
    return False


def _is_data(value: Value) -> bool:
    """A table of names and flags says nothing about what is used."""
    return isinstance(value, Initializer)


def _is_test(value: Value) -> bool:
    """``flags & LCCSCF_X`` asks, it does not set; so do comparisons, and ``~`` takes away."""
    match value:
        case Binary(op="&" | "==" | "!=" | "&&" | "||"):
            return True
        case Unary():
            return True
        case Conditional():
            return False
        case _:
            return False


__all__ = ["ALWAYS", "CHECKS", "Use", "Weakness", "for_old_lws", "weaknesses"]
