"""Where a thread enters the project's code.

An *entry* is ``main``, the routine of a thread, an lws callback or timer (it runs on the service
thread), a loop's handler, a signal handler, or a public function that nobody in the project calls (an
unknown caller's thread).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lwslint.facts import (
    Call,
    Initializer,
    Name,
    walk,
)
from lwslint.knowledge import threads as thread_apis
from lwslint.knowledge.threads import Runs
from lwslint.model import apis
from lwslint.model.names import (
    last_component,
)
from lwslint.model.starts import Starts
from lwslint.model.symbols import Definition, class_name

if TYPE_CHECKING:
    from lwslint.model.project import Project

MAINS = ("main", "wmain", "WinMain", "app_main")


class Role(enum.Enum):
    """How a thread enters the project's code."""

    THREAD = "thread"
    MAIN = "main"
    CALLBACK = "callback"  # on the service thread: lws callbacks, sul handlers, loop handlers
    SIGNAL = "signal"
    PUBLIC = "public"  # called from outside the project, on a thread that nothing here tells
    STORED = "stored"  # in a table of commands or handlers that something outside calls


# On which thread a function runs that was handed to a loop, to lws or to the system.
_HANDLER_ROLES = {
    Runs.LOOP: Role.CALLBACK,
    Runs.SERVICE: Role.CALLBACK,
    Runs.SIGNAL: Role.SIGNAL,
    Runs.EXIT: Role.SIGNAL,
}


class Entry(NamedTuple):
    role: Role
    definition: Definition


class Entries:
    """Which functions are entries, and of which role."""

    def __init__(self, project: Project, starts: Starts) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.starts = starts

    @cached_property
    def mains(self) -> tuple[Definition, ...]:
        """Every ``main`` of the tree: each is a program of its own."""
        return tuple(d for name in MAINS for d in self.symbols.functions.get(name, ()))

    @cached_property
    def handlers(self) -> dict[int, Role]:
        """Functions registered to be called by lws, a loop or the system: lws callbacks, timers, signals."""
        found: dict[int, Role] = {}
        for definition in self._callback_functions():
            found[definition.id] = Role.CALLBACK
        for definition, site in self.project.calls_where(apis.names_thread_api):
            call = site.node
            assert isinstance(call, Call)
            for handover in self.flow.handovers(definition, call):
                role = _HANDLER_ROLES.get(handover.api.runs)
                if role is None:
                    continue
                for routine in handover.routines:
                    for handler in self.flow.functions_of(routine, definition):
                        found.setdefault(handler.id, role)
        for row in (row for kind in thread_apis.Role for row in thread_apis.in_role(kind)):
            role = _HANDLER_ROLES.get(row.runs)
            if row.form is not thread_apis.Form.FIELD or role is None:
                continue
            for name in row.names:
                for owner, functions in self.flow.cells_of_field(name):
                    if owner in row.owners:
                        for handler in functions:
                            found.setdefault(handler.id, role)
        return found

    def _callback_functions(self) -> Iterator[Definition]:
        """Functions with the signature of an lws callback (those in a table are found by their field)."""
        for definition in self.symbols.definitions:
            if is_lws_callback(definition):
                yield definition

    def _stored(self) -> frozenset[int]:
        """Functions whose address stands in a file-scope initialiser (tables of commands and handlers)."""
        found: set[int] = set()
        functions = self.symbols.functions
        for file in self.project.files:
            values = (*(v.value for v in file.variables), *(m.value for m in file.macros))
            tables = [value for value in values if isinstance(value, Initializer)]
            for table in tables:
                for node in walk(table):
                    if isinstance(node, Name) and ("<" in node.id or last_component(node.id) in functions):
                        binding = self.symbols.function_named(node.id, None, file.path)
                        found.update(d.id for d in binding.definitions)
        return frozenset(found)

    @cached_property
    def stored(self) -> frozenset[int]:
        return self._stored() | self._handed_out()

    def _handed_out(self) -> frozenset[int]:
        """Functions that are named in calls of functions or macros from elsewhere, which keep them."""
        found: set[int] = set()
        functions = self.symbols.functions
        for definition in self.project.busy:
            for site in definition.body.calls:
                call = site.node
                assert isinstance(call, Call)
                named = [a for a in call.arguments if type(a) is Name and a.id in functions]
                if named and not self.flow.targets(definition, call):
                    for argument in named:
                        found.update(d.id for d in self.flow.functions_of(argument, definition))
        return frozenset(found)

    @cached_property
    def _public_methods(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, method)
            for name, entries in self.symbols.classes.items()
            for _, declared in entries
            for method in declared.public
        )

    @cached_property
    def _class_methods(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, method)
            for name, entries in self.symbols.classes.items()
            for _, declared in entries
            for method in declared.methods
        )

    def is_public(self, definition: Definition) -> bool:
        """Whether code outside the project may call a function."""
        function = definition.function
        if function.kind in ("lambda", "macro", "file"):
            return False
        if function.owner:
            key = (last_component(function.owner), function.name)
            if function.kind == "destructor":
                return True
            return key in self._public_methods or key not in self._class_methods
        return not function.static

    def of(self, definition: Definition) -> tuple[Entry, ...]:
        """The entries that ``definition`` itself is."""
        found: list[Entry] = []
        if self.starts.is_root(definition):
            found.append(Entry(Role.THREAD, definition))
        handler = self.handlers.get(definition.id)
        if handler is not None:
            found.append(Entry(handler, definition))
        if definition.name in MAINS and not definition.function.owner:
            found.append(Entry(Role.MAIN, definition))
        if found:
            return tuple(found)
        if not self.flow.callers.get(definition.id):
            if definition.id in self.stored:
                found.append(Entry(Role.STORED, definition))
            elif self.is_public(definition):
                found.append(Entry(Role.PUBLIC, definition))
        return tuple(found)


def is_lws_callback(definition: Definition) -> bool:
    """A function with an lws callback's parameters (5 since 1.6, 6 before: lws-callbacks.h)."""
    return any(
        class_name(parameter.type) in ("lws_callback_reasons", "libwebsocket_callback_reasons")
        for parameter in definition.function.parameters
        if "callback_reasons" in parameter.type
    )
