"""Which functions, threads and service loops belong to one program, in a tree that holds several."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from lwslint.facts import (
    Place,
)
from lwslint.model.entries import Entries, Role
from lwslint.model.names import (
    folder,
)
from lwslint.model.order import Order
from lwslint.model.starts import Start
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project


class Programs:
    """The tree's programs, told apart by their ``main`` and by what calls what."""

    def __init__(self, project: Project, entries: Entries, order: Order) -> None:
        self.project = project
        self.symbols = project.symbols
        self.flow = project.flow
        self.entries = entries
        self.order = order

    @cached_property
    def _components(self) -> dict[str, str]:
        """Files that call into each other, by a representative file of each group."""
        leader = {file.path: file.path for file in self.project.files}

        def find(path: str) -> str:
            while leader[path] != path:
                leader[path] = leader[leader[path]]
                path = leader[path]
            return path

        for edge in self.flow.edges:
            a, b = find(edge.caller.path), find(edge.callee.path)
            if a != b and not edge.ambiguous:
                leader[max(a, b)] = min(a, b)
        return {path: find(path) for path in leader}

    @cached_property
    def _mains(self) -> dict[str, set[str]]:
        """For each group of files the files that hold a ``main``: each is a program of its own."""
        found: dict[str, set[str]] = defaultdict(set)
        for definition in self.entries.mains:
            found[self._components[definition.path]].add(definition.path)
        return found

    def related(self, a: Definition, b: Definition) -> bool:
        """Whether two functions plausibly belong to one program.

        Not where the build files know both files and make no program of the two.  Else code in one folder
        does, unless each of two files there has a ``main`` of its own; so does code of one group of files
        that call each other.  Where such a group holds several programs, the two must be reachable from
        one function.
        """
        if a.path == b.path:
            return True
        known = self.files_related(a.path, b.path)
        if known is not None:
            return known
        return bool(self.order.ancestors(a) & self.order.ancestors(b)) or self._both_loose(a, b)

    @cached_property
    def _built(self) -> dict[str, frozenset[int]]:
        """By source the programs that the build files make of it."""
        return self.project.build.programs_of()

    def surroundings(self, path: str) -> tuple[tuple[str, str], tuple[str, str]]:
        """What a file shares with each file whose functions may belong to one program with its own, by
        :meth:`files_related`: the group of files that call each other, or the folder."""
        return ("group", self._components[path]), ("folder", folder(path))

    def files_related(self, a: str, b: str) -> bool | None:
        """Whether the functions of two files belong to one program; None where the functions decide."""
        left, right = self._components[a], self._components[b]
        if left != right and a in self._built and b in self._built and not self._built[a] & self._built[b]:
            return False
        if left != right:
            return folder(a) == folder(b) and not (self._mains[left] and self._mains[right])
        return True if len(self._mains[left]) < 2 or folder(a) == folder(b) else None

    @cached_property
    def _main_ids(self) -> frozenset[int]:
        return frozenset(d.id for d in self.entries.mains)

    def _both_loose(self, a: Definition, b: Definition) -> bool:
        """Whether no program of the tree reaches ``a``, and both are in one top-level folder."""
        return not self._main_ids & self.order.ancestors(a) and a.path.split("/")[0] == b.path.split("/")[0]

    def _leading_to(self, start: Start) -> frozenset[int]:
        """The functions from which a thread's start is reached, on the threads that start its thread too."""
        starts = self.entries.starts.by_root
        reach: frozenset[int] = frozenset()
        waiting = [start.definition]
        while waiting:
            more = self.order.ancestors(waiting.pop()) - reach
            reach |= more
            waiting.extend(s.definition for root in sorted(more) for s in starts.get(root, ()))
        return reach

    def _entries_to(self, start: Start) -> frozenset[Place]:
        """The mains and public functions from which a thread's start is reached."""
        reach = self._leading_to(start)
        tops = (self.symbols.definitions[d] for d in sorted(reach))
        return frozenset(
            d.place() for d in tops if any(e.role in (Role.MAIN, Role.PUBLIC) for e in self.entries.of(d))
        )

    def together(self, a: Start, b: Start) -> bool:
        """Whether two threads plausibly run in one program: something starts both, or one folder does."""
        if a.definition.path == b.definition.path:
            return True
        if a.root.id in self._leading_to(b) or b.root.id in self._leading_to(a):
            return True
        left, right = self._entries_to(a), self._entries_to(b)
        if left and right:
            return bool(left & right)
        return folder(a.definition.path) == folder(b.definition.path)

    def mains_to(self, start: Start) -> list[Definition]:
        reach = self._leading_to(start)
        return [d for d in self.entries.mains if d.id in reach]

    def holds(self, start: Start, main: Definition) -> bool:
        """Whether a thread may run in the program of ``main``: that main reaches its start, or none does."""
        mains = self.mains_to(start)
        return not mains or main in mains
