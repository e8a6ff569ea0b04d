"""Where a program uses what only some releases, or only some builds, of libwebsockets have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lwslint.facts import Call, Member, Place, Span
from lwslint.knowledge import api
from lwslint.model.names import callee_name
from lwslint.model.project import Project
from lwslint.settings import Version

_STRUCTS = ("lws_client_connect_info", "lws_context_creation_info")
# An `#if` that asks for the library, its release or its options has thought of the difference.
_ASKS = re.compile(r"(?i)lws|libwebsockets?|__has_include|\bhave_")


class Use(NamedTuple):
    """One use of a function or of a struct's field: its name for a report, and the releases that have it."""

    name: str
    place: Place
    since: Version
    removed: Version | None

    def exists_in(self, version: Version) -> bool:
        return self.since <= version and (self.removed is None or version < self.removed)


def uses(project: Project) -> Iterator[Use]:
    """The first use of each function and field that not every release has, in the order of their places,
    where no ``#if`` around it asks for the library."""
    found = [*_calls(project, lambda name: True), *_fields(project)]
    found.sort(key=lambda use: (use.place, use.name))
    seen: set[str] = set()
    for use in found:
        if use.name not in seen:
            seen.add(use.name)
            yield use


def calls(project: Project, wanted: Callable[[str], bool]) -> list[Use]:
    """The calls of those functions of the library whose name is ``wanted``, by place."""
    return sorted(_calls(project, wanted), key=lambda use: (use.place, use.name))


def _calls(project: Project, wanted: Callable[[str], bool]) -> Iterator[Use]:
    symbols = project.symbols
    for name in api.function_names():
        if not wanted(name) or name in symbols.functions or name in symbols.macros:
            continue
        if name in symbols.function_macros:
            continue
        function = api.function(name)
        assert function is not None
        for located in project.calls_to(name):
            node = located.site.node
            # A method or a function pointer of that name is the program's own.
            if isinstance(node, Call) and callee_name(node) == name:
                if not isinstance(node.function, Member) and not _asked(project, located.place):
                    yield Use(f"{name}()", located.place, function.since, function.removed)
                    break


def _fields(project: Project) -> Iterator[Use]:
    writes = project.values.writes
    for struct in _STRUCTS:
        for field in api.fields(struct):
            if field.since is None:
                continue
            for write in writes.named(field.name):
                target = write.target
                if not isinstance(target, Member) or _asked(project, write.place):
                    continue
                if writes.class_of(target.object, write.definition) == struct:
                    place = Place(write.definition.path, Span(*target.field_span))
                    yield Use(f"{struct}.{field.name}", place, field.since, field.removed)
                    break


def _asked(project: Project, place: Place) -> bool:
    return any(_ASKS.search(condition.text) for condition in project.conditions_at(place.path, place.span))
