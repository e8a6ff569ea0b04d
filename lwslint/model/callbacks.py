"""The lws callbacks of a project: where each stands, which vhosts it serves, what it does with a reason.

A callback is judged together with the project functions to which it hands the reason on, hop by hop.
:meth:`Callbacks.verdict` says where an event ends; what that means is the rules' business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

import msgspec

from lwslint import facts
from lwslint.facts import Place
from lwslint.knowledge import api as knowledge
from lwslint.model.control import Graph, graph_of
from lwslint.model.names import call_name, folder, last_component, uncast
from lwslint.model.outcomes import Made, Outcome, Reason, leave, named_reasons, returns_zero
from lwslint.model.project import Project
from lwslint.model.protocol_tables import Row, Tables, Vhost
from lwslint.model.symbols import Definition

DUMMY = "lws_callback_http_dummy"
HOPS = 8

#: Calls that answer an HTTP request or end its transaction (lws-http.h), and the one that reads a
#: client's body.
ANSWERING = frozenset(
    {
        "lws_http_transaction_completed",
        "lws_return_http_status",
        "lws_serve_http_file",
        "lws_http_redirect",
        "libwebsockets_serve_http_file",
        "libwebsockets_return_http_status",
    }
)
READING = frozenset({"lws_http_client_read"})
WRITING = frozenset({"lws_callback_on_writable", "libwebsocket_callback_on_writable"})
_WATCHED = ANSWERING | READING | WRITING | {DUMMY}

_SERVER_REASONS = frozenset(
    f"LWS_CALLBACK_{name}"
    for name in (
        *("ESTABLISHED", "RECEIVE", "SERVER_WRITEABLE", "HTTP", "HTTP_BODY", "HTTP_WRITEABLE"),
        *("HTTP_BODY_COMPLETION", "HTTP_FILE_COMPLETION", "FILTER_PROTOCOL_CONNECTION"),
        *("FILTER_NETWORK_CONNECTION", "FILTER_HTTP_CONNECTION", "SERVER_NEW_CLIENT_INSTANTIATED"),
    )
)
_HTTP_CLIENT_REASONS = frozenset(
    f"LWS_CALLBACK_{name}"
    for name in (
        "ESTABLISHED_CLIENT_HTTP",
        "RECEIVE_CLIENT_HTTP",
        "RECEIVE_CLIENT_HTTP_READ",
        "COMPLETED_CLIENT_HTTP",
    )
)


class Verdict(msgspec.Struct, frozen=True):
    """Where an event ends.

    ``kind`` is ``dummy`` (lws_callback_http_dummy gets it), ``handled`` (a case for it acts, or the
    request is answered), ``closes`` (every way returns non-zero), ``lost`` (it ends in a return of 0 and
    nothing was done) or ``unknown``.  ``returns`` are the places where a lost event ends; ``sure`` is
    False when what is returned there is not known to be 0.  ``calls`` are the watched calls on the way.
    """

    kind: str
    returns: tuple[Place, ...] = ()
    sure: bool = True
    calls: frozenset[str] = frozenset()


class Callback(msgspec.Struct, frozen=True):
    """A function that stands in the callback slot of at least one protocol table.

    ``rows`` and ``vhosts`` come in the order of their places; ``vhosts`` are those whose first protocol it
    is (or may be, when its row's index is not known).  ``role`` is ``server``, ``client`` or ``unknown``;
    ``role_known`` tells a role read off a port from one guessed from the reasons that are handled.
    """

    definition: Definition
    rows: tuple[Row, ...]
    vhosts: tuple[Vhost, ...]
    first: bool
    mounted: bool
    role: str
    role_known: bool
    http_client: bool
    legacy: bool
    reasons: tuple[str, ...]


class Callbacks:
    """All callbacks of a project; every part is computed when first asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = project.tables
        self._named: dict[int, tuple[str, ...]] = {}
        self._reasons: dict[int, tuple[str, ...]] = {}
        self._graphs: dict[tuple[int, str], Graph] = {}
        self._outcomes: dict[tuple[int, str, str], tuple[Outcome, ...]] = {}
        self._verdicts: dict[tuple[int, str, str], Verdict] = {}

    @cached_property
    def all(self) -> tuple[Callback, ...]:
        """Every registered callback with a body in the project, in the order of the files."""
        by_definition: dict[int, list[Row]] = defaultdict(list)
        for row in self.tables.rows:
            by_definition[row.callback.id].append(row)
        return tuple(self._callback(rows) for _, rows in sorted(by_definition.items()))

    def _callback(self, rows: list[Row]) -> Callback:
        definition = rows[0].callback
        reasons = self.reasons(definition)
        leading = [row for row in rows if row.slot in (0, None) and row.table not in self.tables.plugins]
        vhosts = {use: None for row in leading for use in self.tables.users(row.table)}
        legacy = all(row.legacy for row in rows)
        role, known = self._role(tuple(vhosts), leading or rows, reasons)
        http = any(name in _HTTP_CLIENT_REASONS for name in reasons) and self.makes_requests(definition)
        return Callback(
            definition=definition,
            rows=tuple(rows),
            vhosts=tuple(vhosts),
            first=bool(leading) and not self._asks_another(leading, tuple(vhosts)),
            mounted=any(
                isinstance(row.name, facts.Text) and row.name.value in self.tables.mounted for row in rows
            ),
            role=role,
            role_known=known,
            http_client=http,
            legacy=legacy,
            reasons=reasons,
        )

    def _asks_another(self, leading: list[Row], vhosts: tuple[Vhost, ...]) -> bool:
        """Whether a mount puts another protocol than ``leading`` in charge of HTTP, wherever they serve."""
        names = {row.name.value for row in leading if isinstance(row.name, facts.Text)}
        return bool(vhosts) and all(vhost.asked and vhost.asked not in names for vhost in vhosts)

    def _role(self, vhosts: tuple[Vhost, ...], rows: list[Row], reasons: tuple[str, ...]) -> tuple[str, bool]:
        listens = {vhost.listens for vhost in vhosts}
        if True in listens:
            return "server", True
        if listens == {False}:
            return "client", True
        tables = dict.fromkeys(row.table for row in rows)
        siblings = {row.callback.id: row.callback for table in tables for row in self.tables.rows_of(table)}
        named = [*reasons, *(name for sibling in siblings.values() for name in self.reasons(sibling))]
        server = any(name in _SERVER_REASONS for name in named)
        client = any("_CLIENT_" in name.replace("_NEW_CLIENT_", "_") for name in named)
        if server == client:
            return "unknown", False
        return ("server" if server else "client"), False

    def makes_requests(self, definition: Definition) -> bool:
        """Whether code beside the callback (same folder) asks for an HTTP method, so that lws makes an
        HTTP request and no WebSocket handshake (``lws_client_connect_info.method``)."""
        return folder(definition.path) in self._requesting

    @cached_property
    def _requesting(self) -> frozenset[str]:
        """The folders with code that asks for an HTTP method."""
        return frozenset(folder(path) for path, value in self._methods() if not _no_request(value))

    def _methods(self) -> Iterator[tuple[str, facts.Value]]:
        """What is written to the ``method`` of connect infos, and the file in which that happens."""
        for located in self.project.writes_to("method"):
            node = located.site.node
            if isinstance(node, facts.Assign) and isinstance(uncast(node.target), facts.Member):
                target = uncast(node.target)
                assert isinstance(target, facts.Member)
                type = self.project.symbols.type_of(target.object, located.definition)
                if "connect_info" in type:
                    yield located.definition.path, node.value
        for definition, node in self.project.declares_where(lambda type: "connect_info" in type):
            if isinstance(node.value, facts.Initializer):
                for item in node.value.items:
                    if item.designator == "method":
                        yield definition.path, item.value

    # ------------------------------------------------------------------ one function

    def parameter(self, definition: Definition) -> str | None:
        """The name of a registered callback's ``reason`` parameter; None when it has none."""
        parameters = definition.function.parameters
        for parameter in parameters:
            if "callback_reasons" in parameter.type:
                return parameter.name
        # Modern callbacks get (wsi, reason, user, in, len); the legacy ones a context before that.
        position = 2 if len(parameters) == 6 else 1
        return parameters[position].name if len(parameters) in (5, 6) else None

    def reasons(self, definition: Definition) -> tuple[str, ...]:
        """The reasons that a callback, or what it hands the reason on to, has a case or a test for."""
        known = self._reasons.get(definition.id)
        if known is None:
            known = self._reasons[definition.id] = self._find_reasons(definition)
        return known

    def named(self, definition: Definition) -> tuple[str, ...]:
        """The reasons that a function itself has a case or a test for."""
        known = self._named.get(definition.id)
        if known is None:
            known = self._named[definition.id] = named_reasons(definition.function)
        return known

    def _find_reasons(self, definition: Definition) -> tuple[str, ...]:
        parameter = self.parameter(definition)
        if parameter is None:
            return ()
        found: dict[str, None] = {}
        seen = {(definition.id, parameter)}
        front = [(definition, parameter)]
        for _ in range(HOPS):
            fresh: list[tuple[Definition, str]] = []
            for current, name in front:
                found.update(dict.fromkeys(self.named(current)))
                for made in self._handing(current, name):
                    for target in self._receivers(current, made):
                        if (target[0].id, target[1]) not in seen:
                            seen.add((target[0].id, target[1]))
                            fresh.append(target)
            front = fresh
        return tuple(found)

    def _handing(self, definition: Definition, parameter: str) -> Iterator[Made]:
        """The calls anywhere in a function that hand ``parameter`` on as it is."""
        for site in definition.body.calls:
            call = site.node
            if isinstance(call, facts.Call) and call_name(call) != DUMMY:
                for position, argument in enumerate(call.arguments):
                    argument = uncast(argument)
                    if isinstance(argument, facts.Name) and argument.id == parameter:
                        yield Made(call, position)
                        break

    def _receivers(self, definition: Definition, made: Made) -> list[tuple[Definition, str]]:
        """The project functions that a call hands the reason to, with their parameter for it.

        A call through the slot of a protocol that was looked up at run time could be any callback.
        """
        found: list[tuple[Definition, str]] = []
        function = uncast(made.call.function)
        if isinstance(function, facts.Member) and function.field == "callback":
            return found
        for target in self.project.flow.targets(definition, made.call):
            parameters = target.function.parameters
            if made.reason is not None and made.reason < len(parameters):
                found.append((target, parameters[made.reason].name))
        return found

    def outcomes(self, definition: Definition, parameter: str, reason: str) -> tuple[Outcome, ...]:
        """All ways out of one function for one reason; see :mod:`lwslint.model.outcomes`."""
        key = (definition.id, parameter, reason)
        if key not in self._outcomes:
            graph = self._graphs.get(key[:2])
            if graph is None:
                graph = self._graphs[key[:2]] = graph_of(definition.function, parameter)
            asked = Reason(reason, knowledge.constant_value(reason))
            self._outcomes[key] = leave(graph, asked, self._resolver(definition), _WATCHED)
        return self._outcomes[key]

    def _resolver(self, definition: Definition) -> _Resolver:
        return _Resolver(self.tables, definition)

    # ------------------------------------------------------------------ verdicts

    def verdict(self, definition: Definition, reason: str) -> Verdict:
        """Where a registered callback lets an event of ``reason`` end."""
        parameter = self.parameter(definition)
        if parameter is None:
            return Verdict("unknown")
        return self._verdict(definition, parameter, reason, frozenset())

    def _verdict(self, definition: Definition, parameter: str, reason: str, above: frozenset[int]) -> Verdict:
        key = (definition.id, parameter, reason)
        if key in self._verdicts:
            return self._verdicts[key]
        if definition.id in above or len(above) > HOPS:
            return Verdict("unknown")
        found = [
            self._one(outcome, definition, reason, above | {definition.id})
            for outcome in self.outcomes(definition, parameter, reason)
        ]
        result = _combined(found)
        if not above:
            self._verdicts[key] = result
        return result

    def _one(self, outcome: Outcome, definition: Definition, reason: str, above: frozenset[int]) -> Verdict:
        calls = frozenset(call_name(made.call) for made in outcome.made) & _WATCHED
        if DUMMY in calls:
            return Verdict("dummy", calls=calls)
        if not outcome.decided or outcome.kind == "unknown":
            return Verdict("unknown", calls=calls)
        here = (definition.place(outcome.span),)
        for made in outcome.made:
            if made.reason is None:
                continue
            receivers = self._receivers(definition, made)
            returned = uncast(outcome.value) is made.call if outcome.value is not None else False
            if not (returned or self._can_finish(made, definition)):
                continue
            if not receivers:
                return Verdict("unknown", calls=calls)
            inner = _combined([self._verdict(to, name, reason, above) for to, name in receivers])
            if returned or inner.kind in ("dummy", "handled", "unknown"):
                return msgspec.structs.replace(inner, calls=inner.calls | calls)
        if calls & ANSWERING or (outcome.matched and outcome.acts):
            return Verdict("handled", calls=calls)
        if outcome.kind in ("exit", "throw"):
            return Verdict("closes", calls=calls)
        zero = returns_zero(outcome, self._resolver(definition))
        if zero is False:
            return Verdict("closes", calls=calls)
        return Verdict("lost", here, zero is True, calls)

    def _can_finish(self, made: Made, definition: Definition) -> bool:
        """Whether the called function gets enough to deal with the event: more of the callback's
        parameters than the reason, or an object of its own.  One that gets the reason alone names it."""
        if isinstance(uncast(made.call.function), facts.Member):
            return True
        names = {parameter.name for parameter in definition.function.parameters}
        others = [a for i, a in enumerate(made.call.arguments) if i != made.reason]
        return any(isinstance(uncast(a), facts.Name) and bare_name(a) in names for a in others)

    def is_dummy(self, call: facts.Call) -> bool:
        """Whether ``call`` is one of lws_callback_http_dummy."""
        return call_name(call) == DUMMY

    def closes(self, definition: Definition, outcome: Outcome) -> bool:
        """Whether an outcome is known to return non-zero, which closes the connection."""
        return returns_zero(outcome, self._resolver(definition)) is False

    # ------------------------------------------------------------------ presenting

    def subject(self, definition: Definition) -> Definition:
        """The function to point at: a lambda that only hands everything on stands for its target."""
        for _ in range(2):
            if definition.function.kind != "lambda":
                break
            parameter = self.parameter(definition)
            if parameter is None:
                break
            targets = {
                target.id: target
                for made in self._handing(definition, parameter)
                for target, _ in self._receivers(definition, made)
            }
            if len(targets) != 1:
                break
            definition = next(iter(targets.values()))
        return definition

    def reaches(self, definition: Definition, names: frozenset[str], limit: int = 200) -> bool:
        """Whether a function, or what it calls in the project, calls one of ``names``."""
        seen = {definition.id}
        stack = [definition]
        while stack and limit:
            limit -= 1
            current = stack.pop()
            for site in current.body.calls:
                if isinstance(site.node, facts.Call) and call_name(site.node) in names:
                    return True
            for edge in self.project.flow.calls.get(current.id, ()):
                if edge.callee.id not in seen:
                    seen.add(edge.callee.id)
                    stack.append(edge.callee)
        return False


class _Resolver:
    """What a name stands for, seen from one function; see :func:`lwslint.model.outcomes.leave`."""

    def __init__(self, tables: Tables, definition: Definition) -> None:
        self.tables = tables
        self.definition = definition

    def __call__(self, value: facts.Value) -> int | str | None:
        return self.tables.integer(value, self.definition)


def bare_name(value: facts.Value) -> str:
    """The identifier that ``value`` is, casts aside; empty for anything else."""
    value = uncast(value)
    return last_component(value.id) if isinstance(value, facts.Name) else ""


def _combined(found: list[Verdict]) -> Verdict:
    """The verdict over all ways out (or all targets): one good way is enough, a guard that closes or
    returns early does not make the others bad."""
    calls = frozenset(name for verdict in found for name in verdict.calls)
    for kind in ("dummy", "unknown", "handled"):
        if any(verdict.kind == kind for verdict in found):
            return Verdict(kind, calls=calls)
    lost = [verdict for verdict in found if verdict.kind == "lost"]
    if not lost:
        return Verdict("closes" if found else "unknown", calls=calls)
    places = {place: None for verdict in lost for place in verdict.returns}
    return Verdict("lost", tuple(places), any(verdict.sure for verdict in lost), calls)


def _no_request(value: facts.Value) -> bool:
    """Whether a ``method`` makes no HTTP request: NULL, or one of the protocols that are no HTTP."""
    match uncast(value):
        case facts.Null() | facts.Number():
            return True
        case facts.Text(value=text):
            return text in ("RAW", "MQTT", "QUIC")
        case _:
            return False
