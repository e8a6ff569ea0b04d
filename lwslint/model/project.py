"""The linked project: the one object that rules ask.

It is built once from the facts of all files; every part is computed when first asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lwslint.build.facts import BuildFile
from lwslint.build.model import Builds
from lwslint.facts import Assign, Condition, Declare, FileFacts, Member, Name, Place, Span
from lwslint.model.bodies import Body, Site
from lwslint.model.flow import Flow
from lwslint.model.names import last_component
from lwslint.model.symbols import Definition, Symbols
from lwslint.settings import Settings

if TYPE_CHECKING:
    from lwslint.model.callbacks import Callbacks
    from lwslint.model.connections import Connections
    from lwslint.model.permissive import Weakness
    from lwslint.model.protocol_tables import Tables
    from lwslint.model.python_program import PythonProgram
    from lwslint.model.threads import Threads
    from lwslint.model.values import Values


class Located(NamedTuple):
    """A site, and the function it stands in."""

    definition: Definition
    site: Site

    @property
    def place(self) -> Place:
        return self.definition.place(self.site.node.span)


def _in_file_order(located: Located) -> tuple[int, int]:
    return located.definition.id, located.site.order


class Project:
    """All facts of one run, linked: C and C++ in one model, Python in another (:attr:`python`)."""

    def __init__(
        self,
        files: Sequence[FileFacts],
        settings: Settings,
        bodies: Mapping[int, Body] | None = None,
        build: Builds | None = None,
    ) -> None:
        self.settings = settings
        self.build = Builds() if build is None else build
        usable = sorted((f for f in files if not f.problem or f.functions), key=lambda f: f.path)
        # The rules for C and C++ ask `files` and what is made of them, and never see Python.
        self.files = tuple(f for f in usable if f.language in ("c", "cpp"))
        self.python_files = tuple(f for f in usable if f.language == "python")
        self.documents = tuple((f.path, document) for f in usable for document in f.documents)
        self.symbols = Symbols(self.files, bodies or {})
        self._around: dict[tuple[str, int, int], tuple[Condition, ...]] = {}

    @property
    def build_files(self) -> tuple[BuildFile, ...]:
        """The build and configuration files that may matter, by path."""
        return self.build.files

    @cached_property
    def flow(self) -> Flow:
        """Points-to sets and the call graph."""
        return Flow(self.symbols)

    @cached_property
    def threads(self) -> Threads:
        """Which function runs on which threads."""
        from lwslint.model.threads import Threads

        return Threads(self)

    @cached_property
    def values(self) -> Values:
        """What constants a value may be."""
        from lwslint.model.values import Values

        return Values(self)

    @cached_property
    def tables(self) -> Tables:
        """The protocol tables: their rows, and who uses them."""
        from lwslint.model.protocol_tables import Tables

        return Tables(self)

    @cached_property
    def connections(self) -> Connections:
        """Client connections and protocol names."""
        from lwslint.model.connections import Connections

        return Connections(self)

    @cached_property
    def weaknesses(self) -> tuple[Weakness, ...]:
        """Expressions that weaken the TLS checks of client connections."""
        from lwslint.model.permissive import weaknesses

        return weaknesses(self)

    @cached_property
    def callbacks(self) -> Callbacks:
        """The functions in the callback slots of protocol tables."""
        from lwslint.model.callbacks import Callbacks

        return Callbacks(self)

    @cached_property
    def python(self) -> PythonProgram:
        """The Python files, linked on their own."""
        from lwslint.model.python_program import PythonProgram

        return PythonProgram(self)

    # ------------------------------------------------------------------ indexes

    @cached_property
    def _calls(self) -> dict[str, list[Located]]:
        index: dict[str, list[Located]] = defaultdict(list)
        several: set[str] = set()
        for name, calls in self._calls_by_name.items():
            last = last_component(name)
            if last in index:
                several.add(last)
            index[last].extend(calls)
        for last in several:
            index[last].sort(key=_in_file_order)
        return index

    @cached_property
    def busy(self) -> tuple[Definition, ...]:
        """The functions that call, assign or declare something, or hold a lambda, in file order.  In a big
        program many only compute: whoever looks for a call or an assignment need not go through them."""
        # The call graph adds functions for what macros put off: only with it are all of them known.
        definitions = self.flow.symbols.definitions
        bodies = ((definition, definition.body) for definition in definitions)
        return tuple(d for d, body in bodies if body.calls or body.assigns or body.declares or body.lambdas)

    @cached_property
    def _calls_by_name(self) -> dict[str, list[Located]]:
        index: dict[str, list[Located]] = defaultdict(list)
        for definition in self.busy:
            for site in definition.body.calls:
                index[site.name].append(Located(definition, site))
        return index

    def calls_where(self, wanted: Callable[[str], object]) -> list[Located]:
        """All calls whose name as written (``f``, ``ns::f``, the method's name, "" for anything else) is
        ``wanted``, in file order; asked once for each name, not for each call."""
        found = [located for name, calls in self._calls_by_name.items() if wanted(name) for located in calls]
        return sorted(found, key=_in_file_order)

    def calls_to(self, name: str) -> Sequence[Located]:
        """All calls written with that name (``ns::f`` and ``x.f`` count as ``f``), in file order."""
        return self._calls.get(name, ())

    @cached_property
    def _field_writes(self) -> dict[str, list[Located]]:
        index: dict[str, list[Located]] = defaultdict(list)
        for definition in self.busy:
            for site in definition.body.assigns:
                assert isinstance(site.node, Assign)
                target = site.node.target
                if isinstance(target, Member):
                    index[target.field].append(Located(definition, site))
                elif isinstance(target, Name):
                    index[last_component(target.id)].append(Located(definition, site))
        return index

    def writes_to(self, name: str) -> Sequence[Located]:
        """All assignments whose target is the field or variable of that name, in file order."""
        return self._field_writes.get(name, ())

    @cached_property
    def _declares_by_type(self) -> dict[str, list[Located]]:
        index: dict[str, list[Located]] = defaultdict(list)
        for definition in self.busy:
            for site in definition.body.declares:
                assert isinstance(site.node, Declare)
                index[site.node.type].append(Located(definition, site))
        return index

    def declares_where(self, wanted: Callable[[str], object]) -> list[tuple[Definition, Declare]]:
        """All declarations inside functions whose type as written is ``wanted``, in file order; asked once
        for each type, not for each declaration."""
        found = [located for type, all in self._declares_by_type.items() if wanted(type) for located in all]
        found.sort(key=_in_file_order)
        return [(definition, site.node) for definition, site in found if isinstance(site.node, Declare)]

    @cached_property
    def enumerators(self) -> dict[str, int]:
        """The project's own enum constants whose value is known."""
        values: dict[str, int] = {}
        for file in self.files:
            for entry in file.enumerators:
                if entry.value is None:
                    if not entry.previous:
                        values.setdefault(entry.name, 0)
                    elif entry.previous in values:
                        values.setdefault(entry.name, values[entry.previous] + 1)
                elif hasattr(entry.value, "value") and isinstance(entry.value.value, int):
                    values.setdefault(entry.name, entry.value.value)
        return values

    # ------------------------------------------------------------------ preprocessor conditions

    @cached_property
    def _conditions(self) -> dict[str, list[Condition]]:
        return {file.path: sorted(file.conditions, key=lambda c: c.span.start) for file in self.files}

    def conditions_at(self, path: str, span: Span) -> tuple[Condition, ...]:
        """The preprocessor conditions around a span, outermost first."""
        conditions = self._conditions.get(path)
        if not conditions:
            return ()
        key = (path, span.start, span.end)
        if key not in self._around:
            start, end = span.start, span.end
            self._around[key] = tuple(c for c in conditions if c.span.start <= start and end <= c.span.end)
        return self._around[key]
