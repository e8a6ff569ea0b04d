"""What Python programs put into their lists, sets and dicts.

Servers keep their connections in a collection, and what is sent to all of them is sent to what a loop takes
out again.  Collections are told apart by where they live: a variable of a module or function, or a field of
a class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from functools import cached_property

from lwslint.facts import Assign, Call, Index, Initializer, Member, Name, Value
from lwslint.model.python_program import Origin, PythonProgram, written
from lwslint.model.symbols import Definition

_PUTS = ("add", "append", "appendleft")
_COPIES = frozenset(["list", "tuple", "set", "frozenset", "sorted", "reversed", "enumerate"])
_VIEWS = frozenset(["copy", "values", "keys", "items", "get", "setdefault", "union", "difference"])
MAX_COPIES = 4
MAX_ELEMENTS = 20


class Collections:
    """The elements of every collection, by where it lives."""

    def __init__(self, program: PythonProgram) -> None:
        self.program = program

    def elements(self, collection: Value, definition: Definition, depth: int = 0) -> tuple[Origin, ...]:
        """What may be in the collection; dicts give their keys, too."""
        if depth > MAX_COPIES:
            return ()
        if isinstance(collection, Call):
            copied = _copied(collection)
            return self.elements(copied, definition, depth + 1) if copied is not None else ()
        home = self._home(collection, definition)
        found = list(self._elements.get(home, ())) if home is not None else []
        for origin in self.program.origins(collection, definition):
            if isinstance(origin.value, Call):
                found += self.elements(*origin, depth + 1)
        return tuple(found[:MAX_ELEMENTS])

    @cached_property
    def _elements(self) -> dict[Hashable, list[Origin]]:
        found: dict[Hashable, list[Origin]] = defaultdict(list)
        for name in _PUTS:
            for use in self.program.calls_named(name):
                function = use.call.function
                if isinstance(function, Member):
                    for value in use.call.arguments[:1]:
                        self._put(function.object, use.definition, value, found)
        for definition in self.program.definitions:
            for site in definition.body.assigns:
                node = site.node
                assert isinstance(node, Assign)
                if isinstance(node.target, Index):
                    for value in (node.value, node.target.index):
                        self._put(node.target.object, definition, value, found)
        return found

    def _put(
        self, collection: Value, definition: Definition, value: Value, found: dict[Hashable, list[Origin]]
    ) -> None:
        put = [item for item in _flat(value) if isinstance(item, (Name, Member))]
        home = self._home(collection, definition) if put else None
        if home is not None:
            found[home] += [Origin(item, definition) for item in put]

    def _home(self, collection: Value, definition: Definition) -> Hashable | None:
        """Where the collection lives; None when nothing tells."""
        if isinstance(collection, Index):
            collection = collection.object  # a dict of lists: what is in any of them
        full = self.program.dotted(collection, definition)
        if isinstance(collection, Name):
            scope: Definition | None = definition
            while scope is not None:
                if self.program.parameter(scope, collection.id) is not None:
                    return None
                if self.program.locals(scope).get(collection.id):
                    return (scope.id, collection.id)
                scope = self.program.parent(scope)
        module_name, _, name = full.rpartition(".")
        module = self.program.module(module_name, definition.file) if module_name else None
        if module is not None:
            return (self.program.top(module).id, name)
        if not isinstance(collection, Member):
            return None
        owners = [*self.program.classes_of(collection.object, definition)]
        named = self.program.class_named(written(collection.object), definition.file)
        owners += [named] if named is not None else []
        if not owners:
            return None
        base = self.program.lineage(owners[0])[-1]
        return (base.file.path, base.cls.qualified, collection.field)


def _copied(call: Call) -> Value | None:
    """The collection that the call copies, or shows a part of."""
    function = call.function
    if isinstance(function, Member) and function.field in _VIEWS:
        return function.object
    if isinstance(function, Name) and function.id in _COPIES and call.arguments:
        return call.arguments[0]
    return None


def _flat(value: Value) -> Iterator[Value]:
    if isinstance(value, Initializer):
        yield from (item.value for item in value.items)
    else:
        yield value
