"""What variables, fields, parameters and results may hold: functions, contexts, vhosts.

A flow-insensitive points-to analysis over the linked project.  Only values that matter to linking
are followed (functions and the objects that lws itself creates), so the sets stay small.  Pointer
levels and array elements are not told apart; fields are told apart by class and name where the
class is known, else by name.

The call graph comes out of the same pass, because a call through a variable or a field has its
targets from here, and its arguments flow on into them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Declare,
    FileFacts,
    Function,
    Index,
    Initializer,
    Lambda,
    Member,
    Name,
    Return,
    Span,
    Unary,
    Unknown,
    Value,
    walk,
)
from lwslint.model import apis
from lwslint.model.apis import Handover
from lwslint.model.bodies import LITERALS, Site
from lwslint.model.carriers import (
    ASSIGNING,
    HANDING_ON,
    NESTED,
    PAIR,
    READING_METHODS,
    STORING_METHODS,
    Word,
    carriers,
    passes_through,
    returned,
    spread,
    target_word,
)
from lwslint.model.names import callee_name, folder, last_component, values_of
from lwslint.model.symbols import Definition, Symbols, class_name

ROUNDS = 10

# Library functions that call their function argument before they return.
_IMMEDIATE = frozenset(
    [
        *("for_each", "find_if", "any_of", "all_of", "none_of", "count_if", "remove_if", "erase_if", "sort"),
        *(
            "transform",
            "accumulate",
            "call_once",
            "visit",
            "apply",
            "invoke",
            "stable_sort",
            "partition",
            "generate",
        ),
        *(
            "copy_if",
            "replace_if",
            "max_element",
            "min_element",
            "lower_bound",
            "upper_bound",
            "find_if_not",
            "qsort",
        ),
    ]
)


class Thing(NamedTuple):
    """What a cell may hold: ``function`` (``id`` is the definition's), or an object that a call of
    the knowledge's creating functions made (``context``, ``vhost``, ``wsi``; ``id`` is the creation's
    rank in :attr:`Flow.creations`)."""

    kind: str
    id: int


class Creation(msgspec.Struct, frozen=True):
    """A call that makes a context, a vhost or a client wsi."""

    kind: str
    definition: Definition
    call: Call


class Edge(msgspec.Struct, frozen=True):
    """One possible call: ``site`` in ``caller`` runs ``callee``.  ``kind`` says how it was found:
    ``direct``, ``pointer`` (through a variable or field), ``argument`` (a library function calls it)."""

    caller: Definition
    site: Site
    callee: Definition
    kind: str = "direct"
    ambiguous: bool = False


Cell = tuple[str, ...] | tuple[str, int, str] | tuple[str, int, int]


class Flow:
    """The solved points-to sets and the call graph.

    Functions that are handed over to a thread or a loop get what is handed over with them as their
    parameters; those runs are no edges of the call graph.
    """

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.creations: list[Creation] = []
        self._created: dict[tuple[str, int], Thing] = {}
        self._holds: dict[Cell, set[Thing]] = defaultdict(set)
        self._next: dict[Cell, list[Cell]] = defaultdict(list)
        self._linked: set[tuple[Cell, Cell]] = set()
        self._dirty: list[Cell] = []
        self.edges: list[Edge] = []
        self.calls: dict[int, list[Edge]] = defaultdict(list)
        self.callers: dict[int, list[Edge]] = defaultdict(list)
        self._edge_keys: set[tuple[int, int, int]] = set()
        self._indirect: list[tuple[Definition, Site]] = []
        self._deferred: set[tuple[int, int]] = set()
        self._handed: list[tuple[Definition, Handover]] = []
        self._outside: dict[str, bool] = {}
        self._scopes = {file.path: _file_scope(file) for file in symbols.files}
        self._build()
        self._solve()

    # ------------------------------------------------------------------ asking

    def functions_of(self, value: Value, definition: Definition) -> tuple[Definition, ...]:
        """The functions with a body that ``value`` may be, in the order of their files."""
        things = self.things_of(value, definition)
        return tuple(self.symbols.definitions[t.id] for t in sorted(things) if t.kind == "function")

    def things_of(self, value: Value, definition: Definition) -> frozenset[Thing]:
        """Everything that ``value`` may hold."""
        found: set[Thing] = set()
        for source in self._sources(value, definition):
            if isinstance(source, Thing):
                found.add(source)
            else:
                found |= self._holds.get(source, set())
        return frozenset(found)

    def objects_of(self, value: Value, definition: Definition, kind: str) -> frozenset[int]:
        """The ranks in :attr:`creations` of the objects of one kind that ``value`` may hold."""
        return frozenset(t.id for t in self.things_of(value, definition) if t.kind == kind)

    def targets(self, definition: Definition, call: Call) -> tuple[Definition, ...]:
        """The project's functions that ``call`` in ``definition`` may run."""
        return tuple(e.callee for e in self._edges_of_call.get((definition.id, id(call)), ()))

    @cached_property
    def _edges_of_call(self) -> dict[tuple[int, int], list[Edge]]:
        """The edges of a call in a function; facts live as long as the project, so that a call is known by
        its identity."""
        found: dict[tuple[int, int], list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.caller.id, id(edge.site.node)].append(edge)
        return dict(found)

    def dispatches(self, edge: Edge) -> int:
        """How many functions the call of an edge may run that takes them from a field, as calls of an
        interface do: one of them runs.  0 for any other call: a queue of closures runs all that it holds."""
        call = edge.site.node
        assert isinstance(call, Call)
        if edge.kind != "pointer" or not isinstance(call.function, Member):
            return 0
        return len({e.callee.id for e in self.calls[edge.caller.id] if e.site is edge.site})

    def cells_of_field(self, field: str) -> Iterator[tuple[str, tuple[Definition, ...]]]:
        """The classes that have a field of that name, each with the functions the field may hold."""
        for cell in sorted((c for c in self._holds if c[0] == "field" and c[2] == field), key=str):
            functions = sorted(t.id for t in self._holds[cell] if t.kind == "function")
            yield str(cell[1]).partition("@")[0], tuple(self.symbols.definitions[f] for f in functions)

    def handovers(self, definition: Definition, call: Call) -> Iterator[Handover]:
        """The functions that a call hands over to a thread, a loop or the system, by the thread table."""
        if not apis.may_be_thread_api(call):
            return iter(())
        if isinstance(call.function, Name) and self.symbols.call_target(call, definition).definitions:
            return iter(())
        return apis.handovers(call, lambda: self.receiver_type(definition, call))

    def receiver_type(self, definition: Definition, call: Call) -> str:
        """The type of ``x`` in the call ``x.f()``, as written; "" when unknown."""
        assert isinstance(call.function, Member)
        return self.symbols.type_of(call.function.object, definition)

    def file_scope(self, path: str) -> Definition:
        """A stand-in for the function around file-scope initialisers."""
        return self._scopes[path]

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        calls = {d.id: found for d in self.symbols.definitions if (found := self._calls_inside(d))}
        self._carriers, self._idle = carriers(self.symbols, self._scopes, calls, self.handovers)
        self._deferring = any(
            self.symbols.children.get(macro.id)
            for macros in self.symbols.function_macros.values()
            for macro in macros
        )
        for file in self.symbols.files:
            scope = self._scopes[file.path]
            for variable in file.variables:
                if variable.value is not None:
                    word = last_component(variable.name)
                    cells = self._carrying(word, ("global", file.path, variable.name))
                    self._initialise(cells, variable.type, variable.value, scope)
            for macro in file.macros:
                if isinstance(macro.value, Initializer):
                    # A row of a table that a macro spells; the fields that it names get their values.
                    cells = self._carrying(macro.name, ("macro", file.path, macro.name))
                    self._initialise(cells, "", macro.value, scope)
        known = len(self.symbols.definitions)
        # Grows while it is walked: arguments that a macro defers become functions.
        for definition in self.symbols.definitions:
            here = calls.get(definition.id, ()) if definition.id < known else self._calls_inside(definition)
            body = definition.body
            if here or body.declares or body.assigns or returned(definition.name) in self._carriers:
                self._build_function(definition, here)

    def _calls_inside(self, definition: Definition) -> list[Site]:
        """The calls in a function that may run something of the project, or keep it for later."""
        calls = definition.body.calls
        if not calls or self.symbols.owner(definition):
            return list(calls)
        found: list[Site] = []
        names = definition.names
        parent = self.symbols.parent(definition)
        for site in calls:
            name = site.name
            outside = self._outside.get(name)
            if outside is None:
                outside = self._outside[name] = not self._may_be_inside(name)
            # Most calls in most programs are of functions that are none of the project's.
            if (
                not outside
                or type(site.node.function) is not Name  # type: ignore[union-attr]
                or name in names
                or (parent is not None and self.symbols.is_local(parent, name))
            ):
                found.append(site)
        return found

    def _may_be_inside(self, name: str) -> bool:
        """Whether a name that is called, in a function of no class, may concern the project."""
        known = not self.symbols.is_foreign(name) or name in self.symbols.variables
        return known or name in _IMMEDIATE or apis.names_thread_api(name)

    def _build_function(self, definition: Definition, calls: Sequence[Site]) -> None:
        body = definition.body
        carriers = self._carriers
        for site in calls if self._deferring else ():
            self._defer(definition, site)
        for site in body.declares:
            declare = site.node
            assert isinstance(declare, Declare)
            if declare.value is not None:
                cells = self._carrying((definition.id, declare.name), ("local", definition.id, declare.name))
                self._initialise(cells, declare.type, declare.value, definition)
        for site in body.assigns:
            assign = site.node
            assert isinstance(assign, Assign)
            if assign.op in ASSIGNING and type(assign.value) not in LITERALS:
                word = target_word(assign.target, definition, self.symbols)
                carried = not word or word in carriers
                listed = isinstance(assign.value, Initializer | Cast)
                if carried or listed:
                    targets = self._targets(assign.target, definition) if carried else None
                    written = self.symbols.type_of(assign.target, definition) if listed else ""
                    self._initialise(targets, written, assign.value, definition)
        for site in body.returns if returned(definition.name) in carriers else ():
            statement = site.node
            assert isinstance(statement, Return)
            if statement.value is not None:
                self._flow_into([("return", definition.id, "")], statement.value, definition)
        for site in calls:
            self._build_call(definition, site)

    def _carrying(self, word: Word, cell: Cell) -> list[Cell] | None:
        """The cell, where what bears such a name may hold anything."""
        return [cell] if word in self._carriers else None

    def _defer(self, definition: Definition, site: Site) -> None:
        """A macro's argument that the macro puts into a lambda runs when the lambda runs."""
        call = site.node
        assert isinstance(call, Call)
        macros = (
            self.symbols.function_macros.get(callee_name(call), ()) if isinstance(call.function, Name) else ()
        )
        for macro in macros:
            for inner in self.symbols.children.get(macro.id, ()):
                held = {name.id: name for name in _names_used(inner)}
                for parameter, argument in zip(macro.function.parameters, call.arguments, strict=False):
                    if parameter.name in held:
                        self._defer_argument(definition, argument, inner, held[parameter.name])

    def _defer_argument(self, definition: Definition, argument: Value, inner: Definition, use: Name) -> None:
        calls = [node for node in walk(argument) if isinstance(node, Call)]
        if not calls:
            return
        self._deferred.update((definition.id, id(node)) for node in calls)
        body = self.symbols.add_argument(definition, argument)
        here = Site(Call(use.span, use, ()), 1, ())
        self._add_edge(Edge(inner, here, body))

    def is_deferred(self, definition: Definition, call: Call) -> bool:
        """Whether a call is written here but runs some other time, in a lambda that a macro makes."""
        return (definition.id, id(call)) in self._deferred

    def _build_call(self, definition: Definition, site: Site) -> None:
        call = site.node
        assert isinstance(call, Call)
        if self.is_deferred(definition, call):
            return
        for handover in self.handovers(definition, call):
            self._handed.append((definition, handover))
        binding = self.symbols.call_target(call, definition)
        if binding.definitions:
            for callee in binding.definitions:
                self._add_edge(Edge(definition, site, callee, "direct", binding.ambiguous))
            return
        callee_value = call.function
        if isinstance(callee_value, Lambda):
            self._add_edge(
                Edge(definition, site, self.symbols.function_at(definition.path, callee_value.function))
            )
            return
        if isinstance(callee_value, Member) and callee_value.field in STORING_METHODS:
            word = target_word(callee_value.object, definition, self.symbols)
            carried = not word or word in self._carriers
            cells = self._targets(callee_value.object, definition) if carried else None
            for argument in call.arguments:
                self._initialise(cells, "", argument, definition)
        name = callee_name(call)
        if last_component(name) in _IMMEDIATE:
            for argument in call.arguments:
                for callee in self._function_literals(argument, definition):
                    self._add_edge(Edge(definition, site, callee, "argument"))
        if not self._is_external(call.function, definition):
            self._indirect.append((definition, site))

    def _is_external(self, callee: Value, definition: Definition) -> bool:
        """Whether a call is of a function that the project neither defines nor keeps in a variable."""
        if not isinstance(callee, Name):
            return False
        if not self.symbols.knows(callee.id, definition):
            return True
        sources = list(self._name_sources(callee.id, definition))
        return sources == [("global", "", callee.id)]

    def _function_literals(self, value: Value, definition: Definition) -> Iterator[Definition]:
        for source in self._sources(value, definition):
            if isinstance(source, Thing) and source.kind == "function":
                yield self.symbols.definitions[source.id]

    def _add_edge(self, edge: Edge) -> bool:
        key = (edge.caller.id, id(edge.site), edge.callee.id)
        if key in self._edge_keys:
            return False
        self._edge_keys.add(key)
        self.edges.append(edge)
        self.calls[edge.caller.id].append(edge)
        self.callers[edge.callee.id].append(edge)
        call = edge.site.node
        assert isinstance(call, Call)
        if edge.kind != "argument":
            self._pass(call.arguments, edge.callee, edge.caller)
            result: Cell = ("call", edge.caller.id, call.span.start)
            self._link(("return", edge.callee.id, ""), result)
        return True

    def _pass(self, arguments: tuple[Value, ...], callee: Definition, caller: Definition) -> None:
        for parameter, argument in zip(callee.function.parameters, arguments, strict=False):
            if parameter.name:
                cells = self._carrying((callee.id, parameter.name), ("local", callee.id, parameter.name))
                self._initialise(cells, parameter.type, argument, caller)

    def _hand_over(self, handover: Handover, callee: Definition, caller: Definition) -> None:
        parameters = callee.function.parameters
        for position, value in handover.passed:
            if -len(parameters) <= position < len(parameters) and parameters[position].name:
                name = parameters[position].name
                cells = self._carrying((callee.id, name), ("local", callee.id, name))
                self._initialise(cells, parameters[position].type, value, caller)

    def _initialise(
        self, cells: list[Cell] | None, written: str, value: Value, definition: Definition
    ) -> None:
        """Let ``value`` flow into ``cells``; an initialiser's items flow into the fields of the type that
        is ``written``.  None are cells that never hold anything."""
        if type(value) not in NESTED:
            if cells is not None:
                self._flow_into(cells, value, definition)
            return
        if id(value) in self._idle:
            return
        path = definition.path

        def field(type: str, name: str) -> list[Cell] | None:
            carried = name in self._carriers
            return self._field_targets(self.symbols.class_key(type, path), name) if carried else None

        for into, part in spread(self.symbols, cells, written, value, path, field):
            if into is not None:
                self._flow_into(into, part, definition)

    def _field_targets(self, owner: str, field: str) -> list[Cell]:
        """The cell that a write to a field goes to, with the cells that readers look at linked behind."""
        write: Cell = ("field", owner, field)
        self._link(write, ("any", "", field))
        if owner:
            self._link(write, ("read", owner, field))
            self._link(("field", "", field), ("read", owner, field))
        return [write]

    def _field_source(self, owner: str, field: str) -> Cell:
        if not owner:
            return ("any", "", field)
        self._link(("field", owner, field), ("read", owner, field))
        self._link(("field", "", field), ("read", owner, field))
        return ("read", owner, field)

    def _declaring(self, definition: Definition, name: str) -> Definition | None:
        """The function whose local or parameter ``name`` is, seen from ``definition`` outwards."""
        current: Definition | None = definition
        while current is not None:
            if name in current.names:
                return current
            current = self.symbols.parent(current)
        return None

    def _field_owner(self, definition: Definition, name: str) -> str | None:
        """The class whose field the bare name is, for code inside a method."""
        owner = self.symbols.owner(definition)
        if not owner:
            return None
        for class_ in self.symbols.lineage(owner, definition.path):
            declared = self.symbols.class_named(class_, definition.path)
            if declared is not None and any(f.name == name for f in declared.fields):
                return self.symbols.class_key(class_, definition.path)
        return None

    def _targets(self, target: Value, definition: Definition) -> list[Cell]:
        """The cells that an assignment to ``target`` writes."""
        match target:
            case Name():
                declaring = self._declaring(definition, target.id)
                if declaring is not None:
                    return [("local", declaring.id, target.id)]
                owner = self._field_owner(definition, target.id)
                if owner is not None:
                    return self._field_targets(owner, target.id)
                if "::" in target.id:
                    class_ = last_component(target.id.rsplit("::", 1)[0])
                    if class_ in self.symbols.classes:
                        return self._field_targets(
                            self.symbols.class_key(class_, definition.path), last_component(target.id)
                        )
                variable = self.symbols.variable(target.id, definition.path)
                if variable is not None:
                    return [("global", variable.path, variable.declare.name)]
                return [("global", "", target.id)]
            case Member():
                owner = self.symbols.class_key(
                    self.symbols.type_of(target.object, definition), definition.path
                )
                return self._field_targets(owner, target.field)
            case Index():
                return self._targets(target.object, definition)
            case Unary(op="*" | "&"):
                return self._targets(target.operand, definition)
            case Cast():
                return self._targets(target.operand, definition)
            case _:
                return []

    def _sources(self, value: Value, definition: Definition) -> list[Thing | Cell]:
        """The things and cells whose content ``value`` may be."""
        found: list[Thing | Cell] = []
        stack: list[Value] = [value]
        budget = 200
        while stack and budget:
            budget -= 1
            node = stack.pop()
            match node:
                case Name():
                    found.extend(self._name_sources(node.id, definition))
                case Member():
                    if node.field in PAIR:
                        stack.append(node.object)
                    else:
                        owner = self.symbols.class_key(
                            self.symbols.type_of(node.object, definition), definition.path
                        )
                        found.append(self._field_source(owner, node.field))
                case Index():
                    stack.append(node.object)
                case Unary(op="*" | "&" | "++" | "--"):
                    stack.append(node.operand)
                case Cast():
                    stack.append(node.operand)
                case Conditional():
                    stack.extend((node.then, node.other))
                case Assign():
                    stack.append(node.value)
                case Binary(op="," | "||"):
                    stack.append(node.right)
                case Binary(op="+" | "-"):
                    stack.append(node.left)
                case Lambda():
                    found.append(
                        Thing("function", self.symbols.function_at(definition.path, node.function).id)
                    )
                case Unknown():
                    stack.extend(node.parts)
                case Initializer():
                    stack.extend(item.value for item in node.items)
                case Call():
                    stack.extend(self._call_sources(node, definition, found))
                case _:
                    pass
        return found

    def _name_sources(self, name: str, definition: Definition) -> Iterator[Thing | Cell]:
        declaring = self._declaring(definition, name)
        if declaring is not None:
            yield ("local", declaring.id, name)
            return
        owner = self._field_owner(definition, name)
        if owner is not None:
            yield self._field_source(owner, name)
            return
        binding = self.symbols.function_named(name, definition, definition.path)
        if binding.definitions:
            for found in binding.definitions:
                yield Thing("function", found.id)
            return
        if "::" in name:
            class_ = last_component(name.rsplit("::", 1)[0])
            if class_ in self.symbols.classes:
                yield self._field_source(
                    self.symbols.class_key(class_, definition.path), last_component(name)
                )
                return
        variable = self.symbols.variable(name, definition.path)
        yield ("global", variable.path, variable.declare.name) if variable else ("global", "", name)

    def _call_sources(self, call: Call, definition: Definition, found: list[Thing | Cell]) -> list[Value]:
        """What a call's result may be: adds cells to ``found``, returns values to look into."""
        name = callee_name(call)
        kind = apis.creates(name)
        if kind is not None:
            found.append(self._created_by(kind, definition, call))
            return []
        if passes_through(name):
            return list(call.arguments[:1])
        reads = isinstance(call.function, Member) and call.function.field in READING_METHODS
        if reads and not self.symbols.call_target(call, definition).definitions:
            assert isinstance(call.function, Member)
            return [call.function.object]
        found.append(("call", definition.id, call.span.start))
        return []

    def _created_by(self, kind: str, definition: Definition, call: Call) -> Thing:
        key = (definition.path, call.span.start)
        thing = self._created.get(key)
        if thing is None:
            thing = Thing(kind, len(self.creations))
            self.creations.append(Creation(kind, definition, call))
            self._created[key] = thing
        return thing

    def _flow_into(self, cells: list[Cell], value: Value, definition: Definition) -> None:
        if type(value) in LITERALS or (isinstance(value, Binary) and value.op not in HANDING_ON):
            return
        for source in self._sources(value, definition):
            for cell in cells:
                if isinstance(source, Thing):
                    self._put(cell, source)
                else:
                    self._link(source, cell)

    # ------------------------------------------------------------------ solving

    def _put(self, cell: Cell, thing: Thing) -> None:
        held = self._holds[cell]
        if thing not in held:
            held.add(thing)
            self._dirty.append(cell)

    def _link(self, source: Cell, target: Cell) -> None:
        if source == target or (source, target) in self._linked:
            return
        self._linked.add((source, target))
        self._next[source].append(target)
        if self._holds.get(source):
            self._dirty.append(source)

    def _propagate(self) -> None:
        while self._dirty:
            cell = self._dirty.pop()
            held = self._holds[cell]
            for target in self._next.get(cell, ()):
                known = self._holds[target]
                if not held <= known:
                    known |= held
                    self._dirty.append(target)

    def _plausible(self, call: Call, definition: Definition) -> tuple[Definition, ...]:
        """The functions that a call through a pointer may run, as far as the pointer's field tells.

        A field of lws' own structs holds the callbacks of every program in the tree, and so does a
        field of a common name in a struct of unknown type: those bind within the folder only.
        """
        callees = self.functions_of(call.function, definition)
        if not isinstance(call.function, Member) or not callees:
            return callees
        owner = class_name(self.symbols.type_of(call.function.object, definition))
        if owner and not owner.startswith(("lws_", "libwebsocket")):
            return callees
        return tuple(c for c in callees if folder(c.path) == folder(definition.path))

    def _solve(self) -> None:
        for _ in range(ROUNDS):
            self._propagate()
            grew = False
            for definition, site in self._indirect:
                call = site.node
                assert isinstance(call, Call)
                for callee in self._plausible(call, definition):
                    grew |= self._add_edge(Edge(definition, site, callee, "pointer"))
            before = len(self._linked)
            for definition, handover in self._handed:
                for routine in handover.routines:
                    for callee in self.functions_of(routine, definition):
                        self._hand_over(handover, callee, definition)
            grew |= len(self._linked) != before
            if not grew and not self._dirty:
                return
        self._propagate()


def _names_used(definition: Definition) -> list[Name]:
    """The names in a body's statements."""
    values = (value for statement in definition.function.body for value in values_of(statement))
    return [node for value in values for node in walk(value) if isinstance(node, Name)]


def _file_scope(file: FileFacts) -> Definition:
    nothing = Span(0, 0)
    return Definition(-1, file, Function("", "", nothing, nothing, (), (), kind="file"))
