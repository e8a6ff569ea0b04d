"""Connections taken from a process-wide list while several service threads run.

Each service thread owns a context; a callback that drains a list shared by all of them may pick up
a connection that belongs to another thread.  The call itself is inside an lws callback, so nothing
that only asks "is this the service thread" sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lwslint.diagnostics import Confidence, Step
from lwslint.facts import Assign, Call, Cast, Declare, Index, Member, Name, Unary, Unknown, Value
from lwslint.model import apis
from lwslint.model.bodies import Site
from lwslint.model.entries import Role
from lwslint.model.names import folder, names_in
from lwslint.model.project import Located, Project
from lwslint.model.symbols import Definition, Variable
from lwslint.model.threads import Service

_FILTER = re.compile(r"(?i)vhd|vhost|context|ctx|tsi")
_READERS = ("begin", "front", "back", "top", "at", "find", "pop", "end", "get", "first", "data")


class SharedListUse(msgspec.Struct, frozen=True):
    located: Located
    name: str
    list: str
    steps: tuple[Step, ...]
    confidence: Confidence


def shared_list_uses(project: Project) -> Iterator[SharedListUse]:
    """Calls with a wsi that comes from a list shared by several service threads."""
    crowd = [s for s in project.threads.services if _is_crowd(project, s)]
    if not crowd:
        return
    for name in (
        "lws_callback_on_writable",
        "lws_write",
        "lws_close_reason",
        "lws_set_timeout",
        "lws_wsi_close",
    ):
        for located in project.calls_to(name):
            home = folder(located.definition.path)
            services = [s for s in crowd if folder(s.located.definition.path) == home]
            call = located.site.node
            assert isinstance(call, Call)
            value = apis.wsi_of(call)
            if not services or value is None or not _on_service_thread(project, located):
                continue
            source = _origin(project, located.definition, value)
            if source is None or _filtered(located.site):
                continue
            variable, via = source
            yield SharedListUse(
                located,
                name,
                variable.declare.name,
                tuple(_steps(project, services[0], variable, via, located)),
                Confidence.MEDIUM,
            )


def _is_crowd(project: Project, service: Service) -> bool:
    """A service thread that runs several times, each time with a context that it makes itself."""
    if service.entry.role is not Role.THREAD:
        return False
    root = service.entry.definition
    starts = project.threads.roots[root.id]
    several = (
        len({s.place for s in starts}) > 1
        or any(s.repeated for s in starts)
        or _started_in_turn(project, root)
    )
    if not several:
        return False
    reach = {root.id} | {edge.callee.id for edge in project.flow.calls.get(root.id, ())}
    return any(located.definition.id in reach for located in project.calls_to("lws_create_context"))


def _started_in_turn(project: Project, root: Definition) -> bool:
    """Whether the function that starts the thread is itself called in a loop."""
    return any(
        edge.site.in_loop
        for start in project.threads.roots[root.id]
        for edge in project.flow.callers.get(start.definition.id, ())
    )


def _on_service_thread(project: Project, located: Located) -> bool:
    routes = project.threads.routes(*located, None)
    return any(route.entry.role is Role.CALLBACK for route in routes)


def _filtered(site: Site) -> bool:
    """Whether a condition around the call compares the entry's context or vhost."""
    return any(
        guard.test is not None and any(_FILTER.search(name) for name in names_in(guard.test))
        for guard in site.guards
    )


def _origin(project: Project, definition: Definition, value: Value) -> tuple[Variable, Site | None] | None:
    """The process-wide variable from which a value is read, through locals and iterators."""
    via: Site | None = None
    seen: set[str] = set()
    for _ in range(12):
        base = _base(value)
        if base is None or base.id in seen or base.id == "this":
            return None
        seen.add(base.id)
        if any(p.name == base.id for p in definition.function.parameters):
            return None
        next_value: Value | None = None
        for site in (*definition.body.declares, *definition.body.assigns):
            node = site.node
            if _sets(node, base.id):
                assert isinstance(node, (Declare, Assign))
                next_value, via = node.value, site
                break
        if next_value is not None:
            value = next_value
            continue
        if project.symbols.local_type(definition, base.id) is not None:
            return None
        variable = project.symbols.variable(base.id, definition.path)
        if variable is None or not _holds_many(variable.declare.type):
            return None
        return variable, via
    return None


def _sets(node: object, name: str) -> bool:
    """Whether a declaration or an assignment gives the local ``name`` its value."""
    if isinstance(node, Declare):
        return node.name == name and not node.static and node.value is not None
    return isinstance(node, Assign) and isinstance(node.target, Name) and node.target.id == name


def _holds_many(type: str) -> bool:
    return bool(re.search(r"list|vector|queue|deque|set<|map<|\[|List|Queue|\*", type))


def _base(value: Value) -> Name | None:
    """The variable at the root of ``(*it)->wsi``, ``list.front().wsi``, ``entries[i].wsi``."""
    for _ in range(24):
        match value:
            case Name():
                return value
            case Member():
                value = value.object
            case Index():
                value = value.object
            case Unary(op="*" | "&" | "++" | "--"):
                value = value.operand
            case Cast():
                value = value.operand
            case Call() if isinstance(value.function, Member):
                value = value.function.object
            case Unknown() if len(value.parts) == 1:
                value = value.parts[0]
            case _:
                return None
    return None


def _steps(
    project: Project, service: Service, variable: Variable, via: Site | None, located: Located
) -> Iterator[Step]:
    start = project.threads.roots[service.entry.definition.id][0]
    yield Step(start.place, f"several threads are started that run {service.entry.definition.qualified}()")
    yield Step(service.located.place, "each of them services a context of its own")
    yield Step(variable.place, f"{variable.declare.name} is one list for all of them")
    if via is not None:
        yield Step(located.definition.place(via.node.span), "the entry is taken from the list here")
