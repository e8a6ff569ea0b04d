"""The subprotocols that Python clients offer, and those that Python servers in the tree have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Severity
from lwslint.facts import Binary, Call, Initializer, Member, Place, Text, Unary, Value, walk
from lwslint.knowledge import python_libraries as libraries
from lwslint.model.names import values_of
from lwslint.model.offers import faults, names_of
from lwslint.model.python_connections import Connection
from lwslint.model.python_program import Origin, PythonProgram
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project

HEADER = "sec-websocket-protocol"


class Offer(msgspec.Struct, frozen=True, eq=False):
    """A list of names that a connection offers; ``complete`` when all of them are known."""

    connection: Connection
    place: Place
    definition: Definition
    names: tuple[tuple[str, Place], ...]
    complete: bool


class Malformed(msgspec.Struct, frozen=True, eq=False):
    """An offer that breaks the handshake by its form."""

    place: Place
    definition: Definition
    message: str
    help: str
    severity: Severity = Severity.ERROR


def offers(project: Project) -> tuple[Offer, ...]:
    """What clients offer in lists and tuples, in order of file."""
    found: list[Offer] = []
    for connection in project.python.connections:
        for given in _given(project.python, connection):
            for origin in project.python.origins(*given):
                if isinstance(origin.value, Initializer) and origin.value.type != "dict":
                    found.append(_offer(project.python, connection, origin))
    return tuple(found)


def _given(program: PythonProgram, connection: Connection) -> tuple[Origin, ...]:
    name = connection.row.subprotocols
    return program.keyword(connection.use.call, connection.use.definition, name) if name else ()


def _offer(program: PythonProgram, connection: Connection, origin: Origin) -> Offer:
    names: list[tuple[str, Place]] = []
    assert isinstance(origin.value, Initializer)
    complete = True
    for item in origin.value.items:
        texts = [
            o
            for o in element_origins(program, Origin(item.value, origin.definition))
            if isinstance(o.value, Text)
        ]
        complete = complete and bool(texts)
        names += [(o.value.value, o.place) for o in texts if isinstance(o.value, Text)]
    return Offer(connection, origin.place, origin.definition, tuple(names), complete)


def element_origins(program: PythonProgram, origin: Origin) -> Iterator[Origin]:
    """Where one name comes from, seen through ``websockets.Subprotocol("x")``."""
    for found in program.origins(*origin):
        value = found.value
        if isinstance(value, Call) and value.arguments:
            if program.dotted(value.function, found.definition).endswith("Subprotocol"):
                yield from program.origins(value.arguments[0], found.definition)
                continue
        yield found


# ------------------------------------------------------------------------------------- form


def malformed(project: Project) -> Iterator[Malformed]:
    """Offers that break the handshake, one for each place."""
    seen: set[Place] = set()
    for found in _all_malformed(project):
        if found.place not in seen:
            seen.add(found.place)
            yield found


def _all_malformed(project: Project) -> Iterator[Malformed]:
    program = project.python
    for connection in project.python.connections:
        for given in _given(program, connection):
            for origin in program.origins(*given):
                if isinstance(origin.value, Text):
                    yield from _bare(connection, origin, origin.value.value)
        yield from _headers(program, connection)
    for offer in offers(project):
        yield from _elements(offer)


def _bare(connection: Connection, origin: Origin, text: str) -> Iterator[Malformed]:
    """One string where a list is expected."""
    row = connection.row
    match row.bare:
        case "raises":
            message = f"{row.library} raises TypeError (before 10.0 it sent one name for each character)"
        case "characters" if text:
            sent = ",".join(text[:8]) + (",…" if len(text) > 8 else "")
            message = f"the handshake offers one name for each character ({sent}), and the server drops it"
        case _:
            return
    yield Malformed(
        origin.place,
        origin.definition,
        f"{message}: {row.subprotocols} is the string {_shown(text)}, not a list",
        f"{row.subprotocols}=[{', '.join(_shown(name) for name in names_of(text)) or _shown(text)}]",
    )


def _elements(offer: Offer) -> Iterator[Malformed]:
    option = offer.connection.row.subprotocols
    for name, place in offer.names:
        if "," in name:
            split = ", ".join(_shown(part) for part in names_of(name))
            yield Malformed(
                place,
                offer.definition,
                f"{_shown(name)} is one element with a comma in it: the library refuses it, or never finds"
                " the name that the server chose",
                f"{option}=[{split}]",
            )
            continue
        wrong = faults(name)
        if wrong:
            yield Malformed(
                place,
                offer.definition,
                f"the handshake fails: {'; '.join(wrong)}",
                "names are tokens (RFC 6455, 4.1)",
            )
    known = [name for name, _ in offer.names]
    for name in dict.fromkeys(known):
        if known.count(name) > 1 and offer.complete and len(known) == len(_unique_places(offer)):
            place = [p for n, p in offer.names if n == name][1]
            yield Malformed(
                place,
                offer.definition,
                f"the handshake fails: {_shown(name)} is offered twice",
                "offer each name once",
            )


def _unique_places(offer: Offer) -> set[Place]:
    return {place for _, place in offer.names}


def _headers(program: PythonProgram, connection: Connection) -> Iterator[Malformed]:
    """The header written by hand beside a library that has an option for it."""
    row, use = connection.row, connection.use
    if not row.subprotocols or not row.header_effect:
        return
    for given in program.keyword(use.call, use.definition, *row.headers):
        for origin in program.origins(*given):
            if not isinstance(origin.value, Initializer):
                continue
            for item in origin.value.items:
                key = item.designator
                text = key if isinstance(key, str) else _leading(item.value)
                if text.partition(":")[0].strip().lower() == HEADER:
                    yield Malformed(
                        origin.definition.place(item.span),
                        origin.definition,
                        f"Sec-WebSocket-Protocol among the headers: {row.header_effect} ({row.library})",
                        f"pass {row.subprotocols}=[...] instead of the header",
                        # Where the connection is made all the same, only who asks for the name is hurt.
                        severity=Severity.WARNING if row.header_refused else Severity.NOTE,
                    )


def _leading(value: object) -> str:
    while isinstance(value, Binary) and value.op in ("+", "%"):
        value = value.left
    return value.value if isinstance(value, Text) else ""


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:60]}…"'


# ------------------------------------------------------------------------------------- the name chosen


class Compared(msgspec.Struct, frozen=True, eq=False):
    """A comparison of websocket-client's ``.subprotocol`` with a name that it cannot be."""

    place: Place
    definition: Definition
    name: str
    op: str


def compared(program: PythonProgram) -> Iterator[Compared]:
    """Comparisons with names that are not in lower case, as websocket-client makes the chosen one
    (websocket/_handshake.py; measured), in order of file."""
    for definition in program.definitions:
        if not program.imports(definition.file, "websocket"):
            continue
        for statement in definition.function.body:
            for node in (node for value in values_of(statement) for node in walk(value)):
                if isinstance(node, Binary) and node.op in ("==", "!="):
                    for chosen, text in ((node.left, node.right), (node.right, node.left)):
                        if isinstance(text, Text) and text.value != text.value.lower():
                            if _is_chosen(program, chosen, definition):
                                place = definition.place(text.span)
                                yield Compared(place, definition, text.value, node.op)


def _is_chosen(program: PythonProgram, value: Value, definition: Definition) -> bool:
    """Whether a value is the ``.subprotocol`` of a connection of websocket-client."""
    for origin in program.origins(value, definition):
        chosen = origin.value
        if isinstance(chosen, Member) and chosen.field == "subprotocol":
            for made in program.origins(chosen.object, origin.definition):
                if isinstance(made.value, Call):
                    if program.called(made.value, made.definition) in _CLIENTS:
                        return True
    return False


_CLIENTS = frozenset(["websocket.create_connection", "websocket.WebSocket"])


def silent(project: Project) -> Iterator[Connection]:
    """The connections that offer no name, though their library has an option for it."""
    program = project.python
    for connection in program.connections:
        row, use = connection.row, connection.use
        keywords = {keyword.name for keyword in use.call.keywords}
        if row.subprotocols and row.subprotocols not in keywords and not keywords & {"**", *row.headers}:
            if not any(isinstance(a, Unary) and a.op == "*" for a in use.call.arguments):
                yield connection


# ------------------------------------------------------------------------------------- servers


def find_served(program: PythonProgram) -> dict[str, Place]:
    """The subprotocols that Python servers in the tree have, with where they say so."""
    rows = {name: row for row in libraries.load().server for name in row.call}
    found: dict[str, Place] = {}
    for use in program.calls:
        row = rows.get(program.called(use.call, use.definition))
        if row is None:
            continue
        for given in program.keyword(use.call, use.definition, row.keyword) if row.keyword else ():
            for origin in program.origins(*given):
                if isinstance(origin.value, Initializer):
                    for item in origin.value.items:
                        for name in element_origins(program, Origin(item.value, origin.definition)):
                            if isinstance(name.value, Text):
                                found.setdefault(name.value.value, name.place)
        if row.mapping is not None and row.mapping < len(use.call.arguments):
            for origin in program.origins(use.call.arguments[row.mapping], use.definition):
                if isinstance(origin.value, Initializer):
                    for item in origin.value.items:
                        if isinstance(item.designator, str):
                            found.setdefault(item.designator, origin.definition.place(item.span))
    return found
