"""A program that is only a client listens on a port.

## What it reports

A context or vhost whose `port` is never set, with protocols whose callbacks handle the events of clients and
none of servers.

## What happens at run time

`port` is 0 then, and 0 does not mean "none": the system chooses a port, and lws listens on it on all
interfaces. Anybody who reaches the machine can connect, and gets the callback of `protocols[0]`, which was
written for the other side. Two such contexts in one program do not even fail.

## Example

```c
memset(&info, 0, sizeof(info));
info.protocols = protocols;
context = lws_create_context(&info);
```

## Write instead

```c
memset(&info, 0, sizeof(info));
info.port = CONTEXT_PORT_NO_LISTEN;
info.protocols = protocols;
context = lws_create_context(&info);
```

## Fix

Safe: `port` is set to `CONTEXT_PORT_NO_LISTEN` beside the table. At run time the listening socket is gone,
and the connections that the program makes are as before.

## Known limits

Only a creation info that is a variable of the function that creates the context, and that no other function
gets, is judged: a helper may set the port.

## References

- include/libwebsockets/lws-context-vhost.h:409-411@v5.0.0: what `port` means
- seen with 4.1.6: `*:42081` in the list of listening sockets
- warmcat/libwebsockets issues 2787, 2823
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Assign, Call, Declare, Initializer, Member, Name, Place, Unary, Value
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model.bodies import Site
from lwslint.model.names import callee_name, uncast
from lwslint.model.project import Project
from lwslint.model.protocol_tables import Vhost
from lwslint.model.symbols import Definition
from lwslint.remedies import Applicability, Remedy, SetBeside
from lwslint.rule import Rule

rule = Rule(
    code="LWS502",
    name="client-listens",
    family="setup",
    impact=Impact.SECURITY,
    severity=Severity.WARNING,
)

INFO = "lws_context_creation_info"
# Functions that may get the info and leave its port alone.
_HARMLESS = frozenset(["memset", "bzero", "ZeroMemory", "SecureZeroMemory", "sizeof", "std::memset"])
_CREATING = frozenset([Category.CREATE_CONTEXT, Category.CREATE_VHOST])


def check(project: Project) -> Iterator[Diagnostic]:
    unset = _without_port(project)
    if not unset:
        return
    for definition in project.busy:
        for info, value, place in _tables_of(definition):
            vhost = unset.get(place)
            if vhost is None or not _is_own(definition, info):
                continue
            creation = _creation(definition, info)
            if creation is None:
                continue
            name = callee_name(creation)
            yield rule.report(
                definition.place(creation.span),
                f"this client accepts connections, from anywhere, on a port that the system chooses: "
                f"{info}.port is 0 in {name}()",
                help=f"{info}.port = CONTEXT_PORT_NO_LISTEN;",
                related=[Step(vhost.place, "its callbacks handle the events of clients only")],
                function=definition.qualified,
                remedy=Remedy(
                    "do not listen",
                    Applicability.SAFE,
                    SetBeside(value, "port", "CONTEXT_PORT_NO_LISTEN", order=api.field_names(INFO)),
                ),
            )


def _without_port(project: Project) -> dict[Place, Vhost]:
    """The uses of tables of clients by infos whose port nothing sets, by the place where the table is set."""
    found: dict[Place, Vhost] = {}
    served: set[Place] = set()
    for callback in project.callbacks.all:
        vhosts = [v for row in callback.rows for v in project.callbacks.tables.users(row.table)]
        if callback.role == "client" and not callback.role_known:
            found.update({v.place: v for v in vhosts if v.port is None and v.listens is None})
        else:
            served.update(v.place for v in vhosts)
    return {place: vhost for place, vhost in found.items() if place not in served}


def _tables_of(definition: Definition) -> Iterator[tuple[str, Place, Place]]:
    """The local infos that get a table: name, place of the table's name, place of the assignment."""
    for site in definition.body.assigns:
        node = site.node
        if isinstance(node, Assign) and isinstance(node.target, Member) and node.target.field == "protocols":
            info = node.target.object
            if isinstance(info, Name) and _is_info(definition, info.id):
                yield info.id, definition.place(node.value.span), definition.place(node.span)
    for site in definition.body.declares:
        node = site.node
        if (
            isinstance(node, Declare)
            and isinstance(node.value, Initializer)
            and _is_info(definition, node.name)
        ):
            for item in node.value.items:
                if item.designator == "protocols":
                    yield node.name, definition.place(item.value.span), definition.place(item.span)


def _is_info(definition: Definition, name: str) -> bool:
    """Whether a local variable is a creation info itself, no pointer to one."""
    declared = definition.body.locals.get(name)
    return (
        declared is not None
        and INFO in declared.type
        and not declared.type.rstrip().endswith(("*", "&", "]"))
    )


def _is_own(definition: Definition, info: str) -> bool:
    """Whether nobody but this function and lws gets at the info."""
    for site in definition.body.calls:
        call = site.node
        if isinstance(call, Call) and any(_gives(argument, info) for argument in call.arguments):
            if not _creates(call) and callee_name(call) not in _HARMLESS:
                return False
    return not any(
        isinstance(site.node, Assign) and _gives(site.node.value, info) for site in definition.body.assigns
    ) and not any(_hands_out(site, info) for site in definition.body.declares)


def _hands_out(site: Site, info: str) -> bool:
    value = site.node.value if isinstance(site.node, Declare) else None
    return value is not None and _gives(value, info)


def _gives(value: Value, info: str) -> bool:
    """Whether a value is the info or its address."""
    value = uncast(value)
    if isinstance(value, Unary) and value.op == "&":
        value = uncast(value.operand)
    return isinstance(value, Name) and value.id == info


def _creation(definition: Definition, info: str) -> Call | None:
    """The call that makes a context or vhost of the info."""
    for site in definition.body.calls:
        call = site.node
        if isinstance(call, Call) and _creates(call) and any(_gives(a, info) for a in call.arguments):
            return call
    return None


def _creates(call: Call) -> bool:
    known = api.function(callee_name(call))
    return known is not None and known.category in _CREATING
