"""The client connections of a project, and the protocol names of its servers and clients.

A connection is one ``struct lws_client_connect_info`` object, wherever its fields are filled in, or
one call of the positional functions before it (``lws_client_connect``, removed in 3.1, and
``libwebsocket_client_connect`` up to 1.5).  Entries of protocol tables are joined with
:mod:`lwslint.model.protocol_tables`, which knows who uses a table.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import Binary, Call, Member, Name, Place, Span, Text, Unary, Value, walk
from lwslint.model.alternatives import (
    Alternative,
    Object,
    Pointee,
    Possible,
    Scope,
    Write,
    dict_of,
    is_null,
)
from lwslint.model.bodies import left_before
from lwslint.model.exposure import spell
from lwslint.model.names import callee_name, uncast
from lwslint.model.protocol_tables import Key, field_key
from lwslint.model.symbols import Definition
from lwslint.model.values import Values

if TYPE_CHECKING:
    from lwslint.model.project import Located, Project

MAX_CALLS = 8
INFO = "lws_client_connect_info"
TABLE = "lws_protocols"
FIELDS = (
    *("protocol", "local_protocol_name", "ssl_connection", "method", "address", "host", "port", "alpn"),
    *("context", "vhost", "path", "origin", "auth_password"),
)
# lws-client.h@v1.6.0: context, address, port, ssl, path, host, origin, protocol, ietf version.
_POSITIONS = {
    0: "context",
    1: "address",
    2: "port",
    3: "ssl_connection",
    4: "path",
    5: "host",
    6: "origin",
    7: "protocol",
}
_POSITIONAL_CALLS = (
    *("lws_client_connect", "lws_client_connect_extended"),
    *("libwebsocket_client_connect", "libwebsocket_client_connect_extended"),
)
_SERVER_REASONS = frozenset(
    [
        *("LWS_CALLBACK_ESTABLISHED", "LWS_CALLBACK_RECEIVE", "LWS_CALLBACK_SERVER_WRITEABLE"),
        *("LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION", "LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED"),
    ]
)
_CLIENT_REASONS = frozenset(
    [
        *("LWS_CALLBACK_CLIENT_ESTABLISHED", "LWS_CALLBACK_CLIENT_RECEIVE", "LWS_CALLBACK_CLIENT_WRITEABLE"),
        *("LWS_CALLBACK_CLIENT_CONNECTION_ERROR", "LWS_CALLBACK_CLIENT_CLOSED"),
    ]
)


class Written(msgspec.Struct, frozen=True, eq=False):
    """A write to one field of a connection, and how the object came to be written there."""

    write: Write
    pointee: Pointee

    @property
    def place(self) -> Place:
        return self.write.place


class Connection(msgspec.Struct, frozen=True, eq=False):
    """One client connection.

    ``calls`` are the connect calls that get the object, none when that link was not found.
    ``positional`` names the function whose arguments the fields are, else it is "".
    """

    object: Object
    fields: dict[str, tuple[Written, ...]]
    calls: tuple[Located, ...] = ()
    positional: str = ""

    @property
    def ancient(self) -> bool:
        """Whether the call exists in lws before 1.6 only."""
        return self.positional.startswith("libwebsocket_")

    def writes(self, field: str) -> tuple[Written, ...]:
        return self.fields.get(field, ())


class Offer(msgspec.Struct, frozen=True, eq=False):
    """What one write puts into ``protocol``; ``from_table`` says that it is ``table[n].name``."""

    written: Written
    possible: Possible
    from_table: bool

    @property
    def place(self) -> Place:
        return self.written.place


class Entry(msgspec.Struct, frozen=True, eq=False):
    """The name of one row of a protocol table.  ``server`` says that a context or vhost that listens
    uses the table, or a plugin exports it; ``client`` that a client's context does."""

    table: Key
    slot: int | None
    name: str
    place: Place
    server: bool
    client: bool
    ports: tuple[int, ...] = ()


class Connections:
    """All connections and protocol names of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.values: Values = project.values
        self.symbols = project.symbols
        self.tables = project.tables
        self._possible: dict[tuple[int, str], tuple[Connection, Possible]] = {}

    # ------------------------------------------------------------------ connections

    @cached_property
    def all(self) -> tuple[Connection, ...]:
        """Every connection, in the order of the places that fill them in."""
        fields: dict[Object, dict[str, list[Written]]] = defaultdict(lambda: defaultdict(list))
        calls: dict[Object, list[Located]] = defaultdict(list)
        for located in self.project.calls_to("lws_client_connect_via_info"):
            call = located.site.node
            if isinstance(call, Call) and call.arguments:
                for pointee in self.values.objects(call.arguments[0], located.definition, located.site.order):
                    object = _told_apart(pointee.object, located.definition)
                    calls[object].append(located)
                    fields[object]
        for field in FIELDS:
            for write in self.values.writes.named(field):
                for pointee in self._infos(write, calls):
                    object = _told_apart(pointee.object, write.definition)
                    fields[object][field].append(Written(write, pointee))
        found = [
            Connection(object, {f: tuple(w) for f, w in written.items()}, tuple(calls.get(object, ())))
            for object, written in fields.items()
        ]
        found.extend(self._positional())
        return tuple(sorted(found, key=_first_place))

    def _infos(self, write: Write, calls: dict[Object, list[Located]]) -> list[Pointee]:
        """The connect infos whose field a write sets."""
        if not isinstance(write.target, Member):
            return []
        class_ = self.values.writes.class_of(write.target.object, write.definition)
        if class_ and class_ != INFO:
            return []
        pointees = self.values.bases(write)
        if class_ == INFO:
            return pointees or [Pointee(("class", INFO, ""))]
        return [p for p in pointees if p.object in calls]

    def _positional(self) -> list[Connection]:
        found: list[Connection] = []
        for name in _POSITIONAL_CALLS:
            for located in self.project.calls_to(name):
                call = located.site.node
                if not isinstance(call, Call) or len(call.arguments) < 8:
                    continue
                fields: dict[str, tuple[Written, ...]] = {}
                object: Object = ("call", located.definition.path, str(call.span.start))
                for position, field in _POSITIONS.items():
                    argument = call.arguments[position]
                    target = Member(argument.span, Name(call.span, name), field, argument.span)
                    write = Write(
                        target,
                        "=",
                        argument,
                        located.definition,
                        located.site.order,
                        located.site.guards,
                        argument.span,
                        site=located.site,
                    )
                    fields[field] = (Written(write, Pointee(object)),)
                found.append(Connection(object, fields, (located,), name))
        return found

    def possible(self, connection: Connection, field: str) -> Possible:
        """What a field may hold when the connection is made; nothing when it is never written."""
        key = (id(connection), field)
        if key not in self._possible:
            # The connection is kept with its answer, so that its identity stays its own.
            self._possible[key] = (connection, self._find_possible(connection, field))
        return self._possible[key][1]

    def _find_possible(self, connection: Connection, field: str) -> Possible:
        written = connection.writes(field)
        if not written:
            return Possible(())
        writes = [entry.write for entry in written]
        pointees = dict_of((entry.write, entry.pointee) for entry in written)
        found: dict[tuple[object, ...], Alternative] = {}
        for scope in self._scopes(connection, writes):
            for a in self.values.written(writes, scope, pointees=pointees).alternatives:
                found.setdefault(a.key, a)
        return Possible(tuple(found.values()))

    def _scopes(self, connection: Connection, writes: Sequence[Write]) -> list[Scope]:
        """From where to look: the connect calls in functions that fill the object in, else afterwards."""
        writers = {write.definition.id for write in writes}
        calls = [call for call in connection.calls if call.definition.id in writers]
        if not calls:
            return [Scope(writes[-1].definition, None, None)]
        return [
            Scope(call.definition, None, call.site.order + 1, call.site.guards, call.site.node.span)
            for call in calls[:MAX_CALLS]
        ]

    def sink(self, connection: Connection, field: str, place: Place) -> Place:
        """The write to a field that a constant at ``place`` gets into, or ``place`` when it stands there."""
        written = connection.writes(field)
        for entry in written:
            span = entry.write.span
            if entry.place.path == place.path and span.start <= place.span.start < span.end:
                return place
        for entry in written:
            possible = self.values.possible_in(entry.write.value, entry.write.scope)
            if any(piece.place == place for a in possible.alternatives for piece in a.pieces):
                return entry.place
        return place

    # ------------------------------------------------------------------ what a rule asks of one

    def is_http(self, connection: Connection, set_up: Definition | None = None) -> bool:
        """Whether the connection surely is no WebSocket: ``method`` is set on every way.

        One object may serve several kinds of connections.  Where ``set_up`` fills in the address itself,
        what other functions that do so set is of another connection.
        """
        fillers = {written.write.definition.id for written in connection.writes("address")}
        others = fillers - {set_up.id} if set_up is not None and set_up.id in fillers else set()
        if any(w.write.definition.id in others for w in connection.writes("method")):
            kept = tuple(w for w in connection.writes("method") if w.write.definition.id not in others)
            connection = msgspec.structs.replace(connection, fields={**connection.fields, "method": kept})
        method = self.possible(connection, "method")
        if not method.alternatives:
            return False
        checked = all(_is_checked(written.write) for written in connection.writes("method"))
        return checked or not any(is_null(a) for a in method.alternatives)

    def texts(self, connection: Connection, field: str) -> tuple[str, ...]:
        """The literal texts that a field may be, each once."""
        found = self.possible(connection, field)
        return tuple(dict.fromkeys(a.text for a in found.texts if not a.partial))

    def hosts(self, connection: Connection) -> tuple[str, ...]:
        """The literal names or addresses of the peer."""
        both = (*self.texts(connection, "address"), *self.texts(connection, "host"))
        return tuple(dict.fromkeys(both))

    def ports(self, connection: Connection) -> tuple[int, ...]:
        """The literal port numbers."""
        found = self.possible(connection, "port")
        return tuple(dict.fromkeys(a.number for a in found.numbers if not a.partial and a.number > 0))

    def offers(self, connection: Connection) -> tuple[Offer, ...]:
        """What each write to ``protocol`` puts on the wire."""
        found: list[Offer] = []
        for entry in connection.writes("protocol"):
            write = entry.write
            if write.op != "=":
                continue
            possible = self.values.possible_in(write.value, write.scope)
            kept = [a for a in possible.alternatives if not self._ruled_out(a, write)]
            if any(a.kind == "text" and not a.text for a in kept) and len(kept) > 1:
                # A std::string starts out empty; what counts is what it is set to.
                kept = [a for a in kept if a.kind != "text" or a.text]
            possible = Possible(tuple(kept))
            value = uncast(write.value)
            from_table = (
                isinstance(value, Member)
                and value.field == "name"
                and self.values.writes.class_of(value.object, write.definition) == TABLE
            )
            found.append(Offer(entry, possible, from_table))
        return tuple(found)

    def _ruled_out(self, alternative: Alternative, write: Write) -> bool:
        """Whether a guard says that the value is not this text: the other branch of ``x == "NULL"``."""
        if alternative.kind != "text":
            return False
        for guard in write.guards:
            test, holds = guard.test, guard.holds
            if isinstance(test, Unary) and test.op == "!":
                test, holds = test.operand, not holds
            equal = True
            if isinstance(test, Binary) and test.op in ("==", "!="):
                equal = test.op == "=="
                sides: tuple[Value, ...] = (test.left, test.right)
            elif isinstance(test, Call) and "cmp" in callee_name(test):
                equal = False
                sides = test.arguments
            else:
                continue
            if holds != equal and any(self._is_text(s, alternative.text, write) for s in sides):
                return True
        return False

    def _is_text(self, value: Value, text: str, write: Write) -> bool:
        """Whether a side of a comparison is this text: a literal, or a constant of that value."""
        if isinstance(value, Text):
            return value.value == text
        if not isinstance(value, Name):
            return False
        found = self.values.possible_in(value, write.scope).alternatives
        return len(found) == 1 and found[0].kind == "text" and found[0].text == text

    def spell_field(self, write: Write, field: str) -> str:
        """Another field of the object that a write goes to, as the code would name it."""
        if not isinstance(write.target, Member):
            return field
        object = write.target.object
        type = self.symbols.type_of(object, write.definition)
        arrow = "->" if type.endswith("*") else "."
        return f"{spell(object)}{arrow}{field}"

    # ------------------------------------------------------------------ protocol tables

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The literal names in all protocol tables, in the order of their places."""
        found: dict[tuple[Key, int | None, str], Entry] = {}
        for write in self.values.writes.named("name"):
            if not isinstance(write.target, Member):
                continue
            if self.values.writes.class_of(write.target.object, write.definition) != TABLE:
                continue
            for pointee in self.values.bases(write):
                key = table_key(pointee.object)
                slot = self.values.writes.element(write)
                possible = self.values.possible_in(write.value, write.scope)
                for a in possible.texts:
                    if a.partial or not a.text:
                        continue
                    entry = self._entry(key, slot, a, write)
                    found.setdefault((key, slot, a.text), entry)
        return tuple(sorted(found.values(), key=lambda e: (e.place, e.name)))

    def _entry(self, key: Key, slot: int | None, name: Alternative, write: Write) -> Entry:
        users = self.tables.users(key)
        plugin = key in self.tables.plugins
        reasons = self._reasons(key, slot)
        serves = bool(reasons & _SERVER_REASONS)
        client_only = bool(reasons & _CLIENT_REASONS) and not serves
        listening = any(use.listens for use in users)
        # Where no port was found, or no user, the reasons that the callback handles decide.
        undecided = (plugin or not users or all(use.listens is None for use in users)) and serves
        place = name.pieces[0].place if name.pieces else write.place
        return Entry(
            key,
            slot,
            name.text,
            place,
            server=(listening and not client_only) or undecided,
            client=any(use.listens is False for use in users) or not serves,
            ports=self._ports(key),
        )

    def _reasons(self, key: Key, slot: int | None) -> frozenset[str]:
        """The reasons that the callback of a row names."""
        found: set[str] = set()
        for row in self.tables.rows_of(key):
            if slot is None or row.slot is None or row.slot == slot:
                found.update(self.project.callbacks.named(row.callback))
        return frozenset(found)

    def _ports(self, key: Key) -> tuple[int, ...]:
        """The literal ports on which the users of a table listen."""
        places = {use.port for use in self.tables.users(key) if use.port is not None and use.listens}
        found: dict[int, None] = {}
        for write in sorted(
            (write for place in places for write in self._port_writes.get(place, ())),
            key=self.values.writes.named("port").index,
        ):
            for a in self.values.possible_in(write.value, write.scope).numbers:
                if a.number > 0:
                    found[a.number] = None
        return tuple(found)

    @cached_property
    def _port_writes(self) -> dict[Place, list[Write]]:
        """The writes of ports, by the place of what is written."""
        found: dict[Place, list[Write]] = defaultdict(list)
        for write in self.values.writes.named("port"):
            found[Place(write.definition.path, write.value.span)].append(write)
        return found

    @cached_property
    def served(self) -> dict[str, tuple[Entry, ...]]:
        """The names that servers in the tree have."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.server:
                found[entry.name].append(entry)
        return {name: tuple(entries) for name, entries in found.items()}

    @cached_property
    def local(self) -> dict[str, tuple[Entry, ...]]:
        """All names in tables, the program's own."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            found[entry.name].append(entry)
        return {name: tuple(entries) for name, entries in found.items()}

    @cached_property
    def open_tables(self) -> bool:
        """Whether some row's name is not literal, or plugins bring rows from elsewhere."""
        if any(True for _ in self.project.writes_to("plugin_dirs")):
            return True
        for write in self.values.writes.named("name"):
            if not isinstance(write.target, Member):
                continue
            if self.values.writes.class_of(write.target.object, write.definition) != TABLE:
                continue
            if self.values.possible_in(write.value, write.scope).unknown:
                return True
        return False


def table_key(object: Object) -> Key:
    """The key under which :mod:`~lwslint.model.protocol_tables` knows a table."""
    match object:
        case ("local", _, rank, name):
            return ("local", int(rank), name)
        case ("global", path, name):
            return ("global", path, name)
        case ("member", class_, field, home):
            return field_key(class_, home, field)
        case _:
            return ("class", "/".join(object[1:]), "")


def is_loopback(host: str) -> bool:
    """Whether a literal host is this machine."""
    name = host.strip("[]").lower()
    if name in ("localhost", "ip6-localhost") or name.endswith(".localhost") or name.startswith("+"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether a literal host is on this machine or in a network of one's own."""
    name = host.strip("[]").lower()
    if is_loopback(name) or name.endswith((".local", ".lan", ".internal", ".home", ".test", ".example")):
        return True
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name


def _told_apart(object: Object, definition: Definition) -> Object:
    """Objects known by their class only are one per function that uses them."""
    if object[0] != "class":
        return object
    return (*object, definition.path, str(definition.id))


def _is_named(value: Value, name: str) -> bool:
    value = uncast(value)
    return isinstance(value, Name) and value.id == name


def _is_checked(write: Write) -> bool:
    """Whether a function leaves before a write where the value is null: ``if (!text) return;``."""
    value = uncast(write.value)
    if not isinstance(value, Name):
        return False
    return any(
        isinstance(node, Unary) and node.op == "!" and _is_named(node.operand, value.id)
        for guard in left_before(write.definition.function, write.span)
        if guard.test is not None
        for node in walk(guard.test)
    )


def _first_place(connection: Connection) -> tuple[object, ...]:
    places = sorted(w.place for entries in connection.fields.values() for w in entries)
    places.extend(call.place for call in connection.calls)
    return (min(places) if places else Place("", Span(0, 0)), connection.object)
