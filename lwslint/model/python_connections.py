"""The calls by which Python programs open WebSocket client connections."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lwslint.facts import Binary, Call, Member, Text, Unknown, Value
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Connect
from lwslint.model.bodies import Site
from lwslint.model.python_exposure import Url, url_of
from lwslint.model.python_program import Origin, PythonProgram, Use, written


class Connection(msgspec.Struct, frozen=True, eq=False):
    """A call that opens a client connection."""

    use: Use
    row: Connect
    urls: tuple[Url, ...]
    repeated: bool = False  # the URLs are those of a call before, which is a connection of its own

    @property
    def plain(self) -> bool:
        """Every URL it may have is ``ws://``."""
        return bool(self.urls) and all(url.scheme in ("ws", "http") for url in self.urls)

    @property
    def loopback(self) -> bool:
        return bool(self.urls) and all(url.loopback for url in self.urls)


def find_connections(program: PythonProgram) -> tuple[Connection, ...]:
    """All calls that open a WebSocket client connection, in order of file."""
    found: list[Connection] = []
    for use in program.calls:
        for row in rows_of(program, use):
            urls = tuple(_urls(program, use, row))
            found.append(Connection(use, row, urls, repeated=not _takes_url(row)))
    return tuple(found)


def rows_of(program: PythonProgram, use: Use) -> Iterator[Connect]:
    """The rows of the table that a call is; a class derived from a library's counts as that library's."""
    table = libraries.connects()
    file = use.definition.file
    name = program.called(use.call, use.definition)
    if name in table:
        yield from (row for row in table[name] if not row.needs or program.imports(file, *row.needs))
        return
    last = name.rpartition(".")[2]
    for row in table.get(f"?.{last}", ()):
        if name and program.imports(file, *row.needs) and _fits(program, use, row):
            yield row
    target = program.class_named(written(use.call.function), file) if last[:1].isupper() else None
    if target is not None:
        for base in program.base_names(target):
            for row in table.get(base, ()):
                yield row
                return


def _fits(program: PythonProgram, use: Use, row: Connect) -> bool:
    """A method by its bare name counts where an option of the row is passed, or where the name is telling."""
    named = {k.name for k in use.call.keywords}
    telling = any(call == "?.ws_connect" for call in row.call)
    return telling or bool(named & {*row.sslopt, *row.context, row.subprotocols, *row.headers} - {""})


def _takes_url(row: Connect) -> bool:
    return row.url is not None or bool(row.url_keyword)


def _urls(program: PythonProgram, use: Use, row: Connect) -> Iterator[Url]:
    call = use.call
    if not _takes_url(row):
        yield from _urls_of_object(program, use)
        return
    given = list(program.keyword(call, use.definition, row.url_keyword)) if row.url_keyword else []
    if not given and row.url is not None and row.url < len(call.arguments):
        given = [Origin(call.arguments[row.url], use.definition)]
    for value, definition in given:
        for origin in program.origins(value, definition):
            url = url_of(_with_host(program, origin))
            if url is not None:
                yield url


def _with_host(program: PythonProgram, origin: Origin) -> Value:
    """``f"wss://{HOST}:{PORT}/feed"`` with what ``HOST`` is, where that is one text; else what it was."""
    addends: list[Value] = []
    rest = origin.value
    while isinstance(rest, Binary) and rest.op == "+":
        addends.append(rest.right)
        rest = rest.left
    if not addends or not isinstance(rest, Text) or not rest.value.endswith("://"):
        return origin.value
    host = addends.pop()
    if isinstance(host, Unknown) and len(host.parts) == 1:
        host = host.parts[0]
    known = [found.value for found in program.origins(host, origin.definition)]
    if len(known) != 1 or not isinstance(known[0], Text):
        return origin.value
    value: Value = Text(rest.span, rest.value + known[0].value)
    while addends:
        following = addends.pop()
        if isinstance(value, Text) and isinstance(following, Text):
            value = Text(value.span, value.value + following.value)
        else:
            value = Binary(origin.value.span, "+", value, following)
    return value


def _urls_of_object(program: PythonProgram, use: Use) -> Iterator[Url]:
    """The URL that the object was made with: ``WebSocketApp(url)`` connects when ``run_forever()`` is
    called."""
    function = use.call.function
    if not isinstance(function, Member):
        return
    for maker, definition in program.origins(function.object, use.definition):
        if not isinstance(maker, Call):
            continue
        made = Use(definition, Site(maker, 0, ()))
        for row in rows_of(program, made):
            if row.url is not None:
                yield from _urls(program, made, row)
