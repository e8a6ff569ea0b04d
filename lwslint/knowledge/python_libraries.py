"""What Python libraries do with WebSockets, TLS and threads, as a table.

The table is ``python_libraries.toml``, whose head explains the columns; each row names its source.
Nothing here knows syntax: a front end reports calls, the model looks their names up here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Connect(msgspec.Struct, frozen=True):
    """A call that opens a client connection."""

    library: str
    call: tuple[str, ...]
    kind: str
    source: str
    needs: tuple[str, ...] = ()
    url: int | None = None
    url_keyword: str = ""
    context: tuple[str, ...] = ()
    sslopt: tuple[str, ...] = ()
    false_verifies_nothing: tuple[str, ...] = ()
    true_verifies_nothing: tuple[str, ...] = ()
    subprotocols: str = ""
    bare: str = ""
    headers: tuple[str, ...] = ()
    header_effect: str = ""
    header_refused: bool = False
    unverified: str = ""
    unless: tuple[str, ...] = ()


class TlsOption(msgspec.Struct, frozen=True):
    """A call whose argument weakens TLS when it is ``bad``; ``effect`` is ``all`` or ``hostname``."""

    library: str
    call: tuple[str, ...]
    keyword: str
    bad: str
    effect: str
    source: str
    needs: tuple[str, ...] = ()
    at: int | None = None


class TlsSettings(msgspec.Struct, frozen=True):
    """A call whose keywords ``version`` and ``ciphers`` choose what TLS is spoken."""

    library: str
    call: tuple[str, ...]
    needs: tuple[str, ...]
    version: str
    ciphers: str
    source: str


class Unverified(msgspec.Struct, frozen=True):
    """A call whose result verifies nothing unless one of ``unless`` is passed."""

    library: str
    call: tuple[str, ...]
    source: str
    unless: tuple[str, ...] = ()


class Context(msgspec.Struct, frozen=True):
    """A call that makes an ``ssl.SSLContext``; ``verify`` says what decides on its checks."""

    call: tuple[str, ...]
    verify: str
    source: str


class ContextUse(msgspec.Struct, frozen=True):
    """Calls that take a context for a server or for a client that speaks no WebSocket."""

    role: str
    call: tuple[str, ...]
    source: str


class Entry(msgspec.Struct, frozen=True):
    """A call that runs a function on another thread."""

    call: tuple[str, ...]
    runs: str
    source: str
    keyword: str = ""
    at: int | None = None
    rest: int | None = None
    rest_keyword: str = ""
    needs: tuple[str, ...] = ()
    text: bool = False
    what: str = ""


class EntryField(msgspec.Struct, frozen=True):
    """A field that takes a callback, which runs on a library's thread once one of ``starts`` is called."""

    field: tuple[str, ...]
    needs: tuple[str, ...]
    starts: tuple[str, ...]
    what: str
    source: str


class EntryMethod(msgspec.Struct, frozen=True):
    """A method that runs on another thread in classes derived from ``base``."""

    base: tuple[str, ...]
    method: str
    source: str


class EntryDecorator(msgspec.Struct, frozen=True):
    """Decorators, by their last name, that make a plain function run on another thread."""

    decorator: tuple[str, ...]
    needs: tuple[str, ...]
    what: str
    source: str


class Bound(msgspec.Struct, frozen=True):
    """Methods that only the event loop's thread may call on an object of kind ``on``."""

    on: str
    method: tuple[str, ...]
    effect: str
    instead: str
    source: str


class Object(msgspec.Struct, frozen=True):
    """Calls, annotations and base classes that tell an object's kind."""

    kind: str
    call: tuple[str, ...]
    source: str


class Server(msgspec.Struct, frozen=True):
    """A call that says which subprotocols a server speaks."""

    call: tuple[str, ...]
    source: str
    keyword: str = ""
    mapping: int | None = None


class Handler(msgspec.Struct, frozen=True):
    """A call whose first argument is a coroutine function that a server runs for each connection."""

    call: tuple[str, ...]
    keyword: tuple[str, ...]
    source: str


class Libraries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    connect: tuple[Connect, ...]
    tls: tuple[TlsOption, ...]
    tls_settings: tuple[TlsSettings, ...]
    unverified: tuple[Unverified, ...]
    context: tuple[Context, ...]
    context_use: tuple[ContextUse, ...]
    entry: tuple[Entry, ...]
    entry_field: tuple[EntryField, ...]
    entry_method: tuple[EntryMethod, ...]
    entry_decorator: tuple[EntryDecorator, ...]
    hop: tuple[str, ...]
    drive: tuple[str, ...]
    asks_thread: tuple[str, ...]
    bound: tuple[Bound, ...]
    object: tuple[Object, ...]
    coroutine_methods: tuple[str, ...]
    connection_names: tuple[str, ...]
    asyncio_modules: tuple[str, ...]
    handler: tuple[Handler, ...]
    server: tuple[Server, ...]
    known_lws: tuple[str, ...]


@cache
def load() -> Libraries:
    """The table; read only when a Python file is analysed."""
    data = files(__package__).joinpath("python_libraries.toml").read_bytes()
    return msgspec.toml.decode(data, type=Libraries)


@cache
def connects() -> dict[str, tuple[Connect, ...]]:
    """The rows of :attr:`Libraries.connect` by the name of the call."""
    found: dict[str, tuple[Connect, ...]] = {}
    for row in load().connect:
        for name in row.call:
            found[name] = (*found.get(name, ()), row)
    return found


@cache
def objects() -> dict[str, str]:
    """The kind of what a call makes, connections included."""
    found = {name: row.kind for row in load().object for name in row.call}
    for row in load().connect:
        for name in row.call:
            if not name.startswith("?."):
                found.setdefault(name, row.kind)
    return found
