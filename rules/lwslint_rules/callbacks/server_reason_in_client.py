"""A WebSocket client waits for a close that only servers are told of.

## What it reports

A callback of a client that has a case for `LWS_CALLBACK_CLOSED` and none for `LWS_CALLBACK_CLIENT_CLOSED`,
nor for the end of the `wsi` itself (`LWS_CALLBACK_WSI_DESTROY`). A callback that serves connections too, or
whose program may be either, is not reported.

## What happens at run time

Since 3.0 a client's connection that closes is told as `LWS_CALLBACK_CLIENT_CLOSED`; `LWS_CALLBACK_CLOSED` is
for servers. The code for the end of the connection never runs: nothing reconnects, what belongs to the
connection is not freed, and a pointer to the `wsi` outlives it.

## Example

```c
case LWS_CALLBACK_CLOSED:
    session.wsi = NULL;
    session.retry = 1;
    break;
```

## Write instead

```c
case LWS_CALLBACK_CLIENT_CLOSED:
    session.wsi = NULL;
    session.retry = 1;
    break;
```

For releases before 3.0, where clients got `LWS_CALLBACK_CLOSED`, have both cases there.

## Fix

Safe: the case becomes `LWS_CALLBACK_CLIENT_CLOSED`. At run time the code under it runs from now on when the
connection closes, which is what it was written for.

## Known limits

When the configured `lws-version` is older than 3.0, or an `#if` on the version says so, nothing is reported.
Neither is it in a program that calls what later releases no longer have, such as
`lws_get_internal_extensions()`.
Whether a callback is a client's is told from the port of its vhost, else from the reasons that it handles.

## References

- changelog:518@v5.0.0: clients get their own reason for a close since 3.0
- include/libwebsockets/lws-callbacks.h:540-546@v5.0.0
- a pull request of a widely copied sample, simple-libwebsockets-example, is about this mistake (number 8)
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.facts import Name, Place, walk
from lwslint.knowledge import api
from lwslint.model.api_uses import calls
from lwslint.model.callbacks import Callback, Callbacks
from lwslint.model.names import last_component, values_of
from lwslint.model.project import Project
from lwslint.model.releases import may_lack
from lwslint.remedies import Applicability, Remedy, Rewrite
from lwslint.rule import Rule
from lwslint.settings import Version

rule = Rule(
    code="LWS308",
    name="server-reason-in-client",
    family="callbacks",
    impact=Impact.CONNECTION,
    severity=Severity.WARNING,
)

FIRST = Version(3, 0)
"""The release that brought LWS_CALLBACK_CLIENT_CLOSED (changelog:518@v5.0.0)."""
LAST = Version(3, 1)
"""What it lacks, only one release with LWS_CALLBACK_CLIENT_CLOSED had, and all without it."""

SERVER, CLIENT = "LWS_CALLBACK_CLOSED", "LWS_CALLBACK_CLIENT_CLOSED"
# What only the callback of a WebSocket client has a case for.
_OF_CLIENTS = frozenset(
    f"LWS_CALLBACK_CLIENT_{name}" for name in ("ESTABLISHED", "RECEIVE", "WRITEABLE", "CONNECTION_ERROR")
)
# Cases that see the end of a client's connection whatever it is called.
_ENDS = frozenset([CLIENT, "LWS_CALLBACK_WSI_DESTROY", "LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL"])


def check(project: Project) -> Iterator[Diagnostic]:
    version = project.settings.lws_version
    if version is not None and version.major < 3:
        return
    reported: set[Place] = set()
    gone = {use.place.path for use in calls(project, _is_gone)}
    for callback in project.callbacks.all:
        if not _is_clients(callback):
            continue
        for place in _cases(project.callbacks, callback):
            if place in reported or _for_old_releases(project, place, gone):
                continue
            reported.add(place)
            yield rule.report(
                place,
                f"the code for the end of the connection never runs: {SERVER} is for servers, a client gets "
                f"{CLIENT}",
                help=f"case {CLIENT}:",
                function=callback.definition.qualified,
                remedy=_remedy(project, place),
            )


def _remedy(project: Project, place: Place) -> Remedy | None:
    """Not where a release may be older than the reason: there it takes both cases."""
    if may_lack(project, FIRST):
        return None
    return Remedy(f"wait for {CLIENT}", Applicability.SAFE, Rewrite(((place, SERVER, CLIENT),)))


def _is_clients(callback: Callback) -> bool:
    """Whether a callback gets the events of WebSocket clients, of this release, and of nobody else."""
    if callback.legacy or callback.role != "client" or _ENDS.intersection(callback.reasons):
        return False
    return SERVER in callback.reasons and any(reason in _OF_CLIENTS for reason in callback.reasons)


def _cases(callbacks: Callbacks, callback: Callback) -> Iterator[Place]:
    """Where the callback itself names the reason."""
    definition = callback.definition
    if SERVER not in callbacks.named(definition):
        return
    for statement in definition.function.body:
        for value in values_of(statement):
            for node in walk(value):
                if isinstance(node, Name) and last_component(node.id) == SERVER:
                    yield definition.place(node.span)


def _for_old_releases(project: Project, place: Place, gone: set[str]) -> bool:
    """Whether the place stands under an ``#if`` on the release, or in a program of the files ``gone``, which
    builds with old releases only."""
    if any("LWS_LIBRARY_VERSION" in c.text for c in project.conditions_at(place.path, place.span)):
        return True
    related = project.threads.programs.files_related
    return any(path == place.path or related(path, place.path) for path in gone)


def _is_gone(name: str) -> bool:
    """Whether the library has lost a function no later than with the release after :data:`FIRST`."""
    function = api.function(name)
    return function is not None and function.removed is not None and function.removed <= LAST
