"""The Python files of a run, linked: what a name stands for, where a value comes from, who calls what.

Everything is asked on demand.  Names bind as Python binds them: in the function, in the functions
around it, in the module, in what the module imports.  An imported module is the file whose path ends in
its dotted name, the nearest one where several do.  Values are followed without regard to order
(assignments, parameters to the calls that fill them, ``self.x`` to the assignments in the class and its
bases, results of functions to what they return).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from lwslint.facts import (
    Alias,
    Assign,
    Binary,
    Call,
    Class,
    Conditional,
    Declare,
    FileFacts,
    Index,
    Initializer,
    Item,
    Keyword,
    Lambda,
    Member,
    Name,
    Number,
    Parameter,
    Place,
    Return,
    Span,
    Text,
    Unary,
    Unknown,
    Value,
    walk,
)
from lwslint.knowledge import python_libraries as libraries
from lwslint.knowledge.python_libraries import Entry
from lwslint.model.bodies import Site
from lwslint.model.symbols import Definition

if TYPE_CHECKING:
    from lwslint.model.project import Project
    from lwslint.model.python_connections import Connection
    from lwslint.model.python_contexts import Contexts
    from lwslint.model.python_threads import PythonThreads

MAX_ORIGINS = 40
MAX_STEPS = 300
MAX_CALLERS = 60
MAX_DEPTH = 20  # of questions that need the answer to another question first
MODULE = "<module>"
_NAMES = "<names>"
_TRANSPARENT = frozenset(["await", "with", "*", "**", "yield"])
_CASTS = {"typing.cast": 1, "cast": 1, "weakref.proxy": 0, "weakref.ref": 0}


class Origin(NamedTuple):
    """Where a value comes from: an expression that is not followed further, and the function it is in."""

    value: Value
    definition: Definition

    @property
    def place(self) -> Place:
        return self.definition.place(self.value.span)


class Target(NamedTuple):
    """A class of the program and the file it stands in."""

    file: FileFacts
    cls: Class


class Use(NamedTuple):
    """A call, and the function it stands in."""

    definition: Definition
    site: Site

    @property
    def call(self) -> Call:
        assert isinstance(self.site.node, Call)
        return self.site.node

    @property
    def place(self) -> Place:
        return self.definition.place(self.site.node.span)


class PythonProgram:
    """All Python facts of one run, linked."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.settings = project.settings
        self.files = project.python_files
        self._by_file: dict[str, list[Definition]] = {}
        number = 0
        for file in self.files:
            own: list[Definition] = []
            for function in file.functions:
                own.append(Definition(number, file, function))
                number += 1
            self._by_file[file.path] = own
        self.definitions = tuple(d for own in self._by_file.values() for d in own)
        self._files = {file.path: file for file in self.files}
        self._aliases = {file.path: _alias_map(file) for file in self.files}
        self._origins: dict[tuple[int, Span, str], tuple[Origin, ...]] = {}
        self._modules: dict[tuple[str, str], FileFacts | None] = {}
        self._locals: dict[int, dict[str, list[Value]]] = {}
        self._depth = 0
        # What may let an exception out of a function, by its id; see python_native.
        self.escapes: dict[int, Value | None] = {}

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """The calls that open client connections."""
        from lwslint.model.python_connections import find_connections

        return find_connections(self)

    @cached_property
    def contexts(self) -> Contexts:
        """The TLS contexts that the program makes."""
        from lwslint.model.python_contexts import find_contexts

        return find_contexts(self)

    @cached_property
    def served(self) -> dict[str, Place]:
        """The subprotocols that Python servers have, with where they say so."""
        from lwslint.model.python_subprotocols import find_served

        return find_served(self)

    @cached_property
    def threads(self) -> PythonThreads:
        """Which function runs on which threads."""
        from lwslint.model.python_threads import PythonThreads

        return PythonThreads(self)

    # ------------------------------------------------------------------ files and modules

    def imports(self, file: FileFacts, *prefixes: str) -> bool:
        """Whether the file imports one of these modules or something inside it."""
        return any(
            name == prefix or name.startswith(prefix + ".") for name in file.includes for prefix in prefixes
        )

    @cached_property
    def _stems(self) -> dict[str, list[tuple[str, FileFacts]]]:
        """Files by the last part of their dotted name."""
        found: dict[str, list[tuple[str, FileFacts]]] = defaultdict(list)
        for file in self.files:
            dotted = _module_name(file.path)
            found[dotted.rpartition(".")[2]].append((dotted, file))
        return found

    def module(self, name: str, asker: FileFacts) -> FileFacts | None:
        """The file of the module ``name`` (absolute or with leading dots) as seen from ``asker``."""
        key = (name, asker.path)
        if key not in self._modules:
            self._modules[key] = self._find_module(name, asker)
        return self._modules[key]

    def _find_module(self, name: str, asker: FileFacts) -> FileFacts | None:
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if level:
            parts = _package(asker.path)
            parts = parts[: len(parts) - (level - 1)] if level > 1 else parts
            wanted = ".".join((*parts, *(bare.split(".") if bare else ())))
            for dotted, file in self._stems.get(wanted.rpartition(".")[2], ()):
                if dotted == wanted:
                    return file
            return None
        candidates = [
            (_shared(asker.path, file.path), file)
            for dotted, file in self._stems.get(bare.rpartition(".")[2], ())
            if dotted == bare or dotted.endswith("." + bare)
        ]
        return max(candidates, key=lambda item: item[0])[1] if candidates else None

    def top(self, file: FileFacts) -> Definition:
        """The module's own statements."""
        return self._by_file[file.path][0]

    def function_at(self, file: FileFacts, index: int) -> Definition | None:
        own = self._by_file[file.path]
        return own[index] if 0 <= index < len(own) else None

    def parent(self, definition: Definition) -> Definition | None:
        index = definition.function.parent
        return None if index is None else self.function_at(definition.file, index)

    # ------------------------------------------------------------------ names

    def locals(self, definition: Definition) -> dict[str, list[Value]]:
        """Every name that the function binds, with the values that it binds it to."""
        found = self._locals.get(definition.id)
        if found is None:
            found = defaultdict(list)
            outer: set[str] = set()
            for site in (*definition.body.declares, *definition.body.assigns):
                node = site.node
                if isinstance(node, Declare):
                    if node.type == "global":
                        outer.add(node.name)
                    elif node.value is not None or node.type != "def":
                        found[node.name].append(node.value if node.value is not None else Unknown(node.span))
                elif isinstance(node, Assign):
                    _bind(node.target, node.value, found)
            for name in outer:
                found.pop(name, None)
            self._locals[definition.id] = found
        return found

    def parameter(self, definition: Definition, name: str) -> Parameter | None:
        for parameter in definition.function.parameters:
            if parameter.name.lstrip("*") == name:
                return parameter
        return None

    def dotted(self, value: Value, definition: Definition) -> str:
        """The full name of something imported or built in (``ssl.CERT_NONE``), "" for anything else."""
        fields: list[str] = []
        while isinstance(value, Member):
            fields.append(value.field)
            value = value.object
        if not isinstance(value, Name):
            return ""
        scope: Definition | None = definition
        while scope is not None:
            bound = self.locals(scope).get(value.id)
            if self.parameter(scope, value.id) is not None:
                return ""
            if bound:
                # `connect = websockets.connect` is as good as an import.
                if len(bound) == 1 and isinstance(bound[0], Member) and len(fields) < 4:
                    inner = bound[0]
                    name = self.dotted(inner, scope) if not _mentions(inner, value.id) else ""
                    return ".".join((name, *reversed(fields))) if name else ""
                return ""
            scope = self.parent(scope)
        base = self._aliases[definition.path].get(value.id, value.id)
        return ".".join((base, *reversed(fields)))

    def called(self, call: Call, definition: Definition) -> str:
        """:meth:`dotted` of what a call calls, also for a method of something: then ``?.method``."""
        name = self.dotted(call.function, definition)
        if name:
            return name
        return f"?.{call.function.field}" if isinstance(call.function, Member) else ""

    # ------------------------------------------------------------------ classes

    @cached_property
    def _classes(self) -> dict[str, list[Target]]:
        found: dict[str, list[Target]] = defaultdict(list)
        for file in self.files:
            for cls in file.classes:
                found[cls.name].append(Target(file, cls))
        return found

    def class_named(self, name: str, asker: FileFacts) -> Target | None:
        """The class that ``name``, as written in ``asker``, means."""
        last = name.rpartition(".")[2]
        for target in self._classes.get(last, ()):
            if target.file is asker and target.cls.qualified in (name, last):
                return target
        full = self._aliases[asker.path].get(name.partition(".")[0])
        if full is None:
            return None
        rest = name.partition(".")[2]
        full = f"{full}.{rest}" if rest else full
        found = self._exported(full, asker)
        return found if isinstance(found, Target) else None

    def owner(self, definition: Definition) -> Target | None:
        """The class whose method this is, also for functions inside a method."""
        scope: Definition | None = definition
        while scope is not None:
            if scope.function.owner:
                for target in self._classes.get(scope.function.owner.rpartition(".")[2], ()):
                    if target.file is scope.file and target.cls.qualified == scope.function.owner:
                        return target
                return None
            scope = self.parent(scope)
        return None

    def lineage(self, target: Target) -> tuple[Target, ...]:
        """The class and its bases in the program, nearest first."""
        found = [target]
        for current in found:
            for base in current.cls.bases:
                parent = self.class_named(base, current.file)
                if parent is not None and parent not in found and len(found) < 20:
                    found.append(parent)
        return tuple(found)

    def base_names(self, target: Target) -> tuple[str, ...]:
        """The full names of all bases, those outside the program too."""
        found: list[str] = []
        for current in self.lineage(target):
            for base in current.cls.bases:
                head, _, rest = base.partition(".")
                full = self._aliases[current.file.path].get(head, head)
                found.append(f"{full}.{rest}" if rest else full)
        return tuple(dict.fromkeys(found))

    def method(self, target: Target, name: str) -> Definition | None:
        for current in self.lineage(target):
            own = self._methods_by_name.get((current.file.path, current.cls.qualified, name))
            if own is not None:
                return own
        return None

    @cached_property
    def _methods_by_name(self) -> dict[tuple[str, str, str], Definition]:
        """The first method of each name, by file and class."""
        found: dict[tuple[str, str, str], Definition] = {}
        for definition in self.definitions:
            if definition.function.owner:
                key = (definition.path, definition.function.owner, definition.name)
                found.setdefault(key, definition)
        return found

    def methods(self, target: Target) -> tuple[Definition, ...]:
        """The methods of the class itself."""
        return tuple(d for d in self._by_file[target.file.path] if d.function.owner == target.cls.qualified)

    @cached_property
    def _field_sites(self) -> dict[tuple[str, str, str], list[tuple[Assign, Definition]]]:
        found: dict[tuple[str, str, str], list[tuple[Assign, Definition]]] = defaultdict(list)
        for definition in self.definitions:
            owner = self.owner(definition)
            for site in definition.body.assigns:
                node = site.node
                assert isinstance(node, Assign)
                for target in _targets(node.target):
                    if not isinstance(target, Member) or not isinstance(target.object, Name):
                        continue
                    if target.object.id in ("self", "cls") and owner is not None:
                        key = (owner.file.path, owner.cls.qualified, target.field)
                        found[key].append((node, definition))
                    elif named := self.class_named(target.object.id, definition.file):
                        key = (named.file.path, named.cls.qualified, target.field)
                        found[key].append((node, definition))
        return found

    def field_writes(self, target: Target, field: str) -> tuple[tuple[Assign, Definition], ...]:
        """Assignments to ``self.field`` in the class, its bases, and the classes derived from it."""
        found: list[tuple[Assign, Definition]] = []
        for current in (*self.lineage(target), *self._derived(target)):
            found += self._field_sites.get((current.file.path, current.cls.qualified, field), ())
        return tuple(found)

    @cached_property
    def _derivations(self) -> dict[str, list[Target]]:
        """Classes by the last names of their bases."""
        found: dict[str, list[Target]] = defaultdict(list)
        for group in self._classes.values():
            for target in group:
                for base in target.cls.bases:
                    found[base.rpartition(".")[2]].append(target)
        return found

    def _derived(self, target: Target) -> tuple[Target, ...]:
        candidates = self._derivations.get(target.cls.name, ())
        return tuple(other for other in candidates if other != target and target in self.lineage(other))

    def classes_of(self, value: Value, definition: Definition) -> tuple[Target, ...]:
        """The classes of the program that the value may be an instance of."""
        found: dict[tuple[str, str], Target] = {}
        for origin in self.origins(value, definition):
            target = self._class_of(origin)
            if target is not None:
                found.setdefault((target.file.path, target.cls.qualified), target)
        return tuple(found.values())

    def _class_of(self, origin: Origin) -> Target | None:
        value, definition = origin
        if isinstance(value, Name) and value.id in ("self", "cls"):
            return self.owner(definition)
        if isinstance(value, Call):
            name = _written(value.function)
            return self.class_named(name, definition.file) if name else None
        if isinstance(value, Name):
            parameter = self.parameter(definition, value.id)
            if parameter is not None and parameter.type:
                return self.class_named(_annotation(parameter.type), definition.file)
        return None

    # ------------------------------------------------------------------ functions

    def _exported(self, full: str, asker: FileFacts, depth: int = 0) -> Target | Definition | None:
        """The class or function that ``package.module.name`` is, following re-exports."""
        module_name, _, name = full.rpartition(".")
        if not module_name or depth > 4:
            return None
        if full.startswith(".") and not module_name.strip("."):
            module_name = full[: len(full) - len(name)]
        module = self.module(module_name, asker)
        if module is None:
            return None
        for cls in module.classes:
            if cls.qualified == name:
                return Target(module, cls)
        for definition in self._by_file[module.path]:
            if definition.qualified == name:
                return definition
        again = self._aliases[module.path].get(name)
        return self._exported(again, module, depth + 1) if again and again != full else None

    def functions_of(self, value: Value, definition: Definition, depth: int = 0) -> tuple[Definition, ...]:
        """The functions of the program that calling ``value`` may run; a class stands for its constructor."""
        if depth > 3:
            return ()
        found: dict[int, Definition] = {}
        for function in self._functions_of(value, definition, depth):
            found.setdefault(function.id, function)
        if not found and isinstance(value, (Name, Member)):
            for target in self.classes_of(value, definition):
                own = self.method(target, "__call__")
                if own is not None:
                    found.setdefault(own.id, own)
        return tuple(found.values())

    def _functions_of(self, value: Value, definition: Definition, depth: int) -> Iterator[Definition]:
        match value:
            case Lambda():
                own = self.function_at(definition.file, value.function)
                if own is not None:
                    yield own
            case Name():
                yield from self._functions_named(value, definition, depth)
            case Member():
                yield from self._methods_named(value, definition, depth)
            case Call() if self.dotted(value.function, definition) in ("functools.partial", "partial"):
                if value.arguments:
                    yield from self.functions_of(value.arguments[0], definition, depth + 1)

    def _functions_named(self, value: Name, definition: Definition, depth: int) -> Iterator[Definition]:
        scope: Definition | None = definition
        while scope is not None:
            bound = self.locals(scope).get(value.id)
            if bound or self.parameter(scope, value.id) is not None:
                for origin in self.origins(value, definition):
                    if origin.value is not value:
                        yield from self.functions_of(origin.value, origin.definition, depth + 1)
                return
            scope = self.parent(scope)
        target = self.class_named(value.id, definition.file)
        if target is not None:
            constructor = self.method(target, "__init__")
            if constructor is not None:
                yield constructor
            return
        full = self._aliases[definition.path].get(value.id)
        found = self._exported(full, definition.file) if full else None
        if isinstance(found, Definition):
            yield found

    def _methods_named(self, value: Member, definition: Definition, depth: int) -> Iterator[Definition]:
        name = _written(value)
        if name and not name.startswith(("self.", "cls.")):
            target = self.class_named(name, definition.file)
            if target is not None:
                constructor = self.method(target, "__init__")
                if constructor is not None:
                    yield constructor
                return
            dotted = self.dotted(value, definition)
            found = self._exported(dotted, definition.file) if dotted else None
            if isinstance(found, Definition):
                yield found
                return
            owner = self.class_named(name.rpartition(".")[0], definition.file)
            if owner is not None:
                own = self.method(owner, value.field)
                if own is not None:
                    yield own
                return
        if isinstance(value.object, Call) and _written(value.object.function) == "super":
            owner = self.owner(definition)
            for base in self.lineage(owner)[1:] if owner is not None else ():
                own = self.method(base, value.field)
                if own is not None:
                    yield own
                    return
            return
        targets = self.classes_of(value.object, definition)
        known = False
        for target in targets:
            own = self.method(target, value.field)
            if own is not None:
                known = True
                yield own
        if not known and depth < 2:
            for origin in self.origins(value, definition):
                if origin.value is not value and not isinstance(origin.value, Call):
                    yield from self.functions_of(origin.value, origin.definition, depth + 1)

    def is_read(self, target: Value, definition: Definition) -> bool:
        """Whether what was assigned to a name or a field is passed on, returned or stored anywhere: more
        than having methods called and attributes set."""
        if isinstance(target, Name):
            return target.id in self._read[_NAMES]
        if not isinstance(target, Member):
            return True
        return any(target.field in self._read[key] for key in ("", self._class_key(target, definition)))

    def _class_key(self, member: Member, definition: Definition) -> str:
        """The class of ``self.field``; "" for a field of anything else."""
        if not isinstance(member.object, Name) or member.object.id not in ("self", "cls"):
            return ""
        owner = self.owner(definition)
        return owner.cls.name if owner is not None and not owner.cls.bases else ""

    @cached_property
    def _read(self) -> dict[str, set[str]]:
        """What is read: plain names, and fields by the class of ``self``."""
        found: dict[str, set[str]] = defaultdict(set)
        for definition in self.definitions:
            for value in passed_values(definition):
                for node in walk(value):
                    if isinstance(node, Name):
                        found[_NAMES].add(node.id)
                    elif isinstance(node, Member):
                        found[self._class_key(node, definition)].add(node.field)
                    elif isinstance(node, Text):
                        found[""].add(node.value)  # getattr(self, "context")
        return found

    # ------------------------------------------------------------------ calls

    @cached_property
    def calls(self) -> tuple[Use, ...]:
        """All calls, in order of file and of evaluation; behind them those that threads and partials make
        of what they are given: ``Thread(target=f, args=(1,))`` is also ``f(1)``."""
        written_out = tuple(Use(d, site) for d in self.definitions for site in d.body.calls)
        deferred = (self._deferred(use) for use in written_out if _last(use.call.function) in _deferring())
        return (*written_out, *(use for use in deferred if use is not None))

    def _deferred(self, use: Use) -> Use | None:
        """The call that ``use`` has somebody make later."""
        call = use.call
        full = self.called(call, use.definition)
        for name in dict.fromkeys((full, f"?.{_last(call.function)}")):
            for row in _deferring()[_last(call.function)]:
                if name not in row.call or (row.needs and not self.imports(use.definition.file, *row.needs)):
                    continue
                made = _made_later(row, call)
                if made is not None:
                    return Use(use.definition, Site(made, use.site.order, use.site.guards))
        return None

    @cached_property
    def _calls_named(self) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = defaultdict(list)
        for use in self.calls:
            found[_written(use.call.function).rpartition(".")[2]].append(use)
        return found

    def calls_named(self, name: str) -> Sequence[Use]:
        """All calls whose last written name is ``name``."""
        return self._calls_named.get(name, ())

    @cached_property
    def _callers(self) -> dict[int, list[Use]]:
        return {}

    def callers(self, definition: Definition) -> Sequence[Use]:
        """The calls that run a function of the program; of a constructor, those that make its class."""
        known = self._callers.get(definition.id)
        if known is not None:
            return known
        found: list[Use] = []
        self._callers[definition.id] = found  # a cycle sees what is there so far
        name = definition.name
        if definition.function.kind == "constructor":
            name = definition.function.owner.rpartition(".")[2]
            extra = [use for use in self.calls_named("__init__") if use.definition is not definition]
        else:
            extra = []
        names = [name]
        if definition.function.kind == "constructor":
            owner = self.owner(definition)
            names += [t.cls.name for t in self._derived(owner)] if owner is not None else []
        for wanted in dict.fromkeys(names):
            for use in self.calls_named(wanted)[:MAX_CALLERS]:
                if definition in self.functions_of(use.call.function, use.definition):
                    found.append(use)
        for use in extra[:MAX_CALLERS]:
            if definition in self.functions_of(use.call.function, use.definition):
                found.append(use)
        return found

    def argument(self, call: Call, definition: Definition, name: str) -> Value | None:
        """What a call of ``definition`` passes for its parameter ``name``; None when nothing or unknown."""
        for keyword in call.keywords:
            if keyword.name == name:
                return keyword.value
        parameters = [p.name for p in definition.function.parameters if not p.name.startswith("*")]
        if definition.function.kind in ("method", "constructor") and parameters:
            static = any(_written(d) == "staticmethod" for d in definition.function.decorators)
            if not static:
                parameters = parameters[1:]
        if name not in parameters:
            return None
        index = parameters.index(name)
        if index >= len(call.arguments) or any(_is_star(a) for a in call.arguments[: index + 1]):
            return None
        return call.arguments[index]

    # ------------------------------------------------------------------ origins

    def origins(self, value: Value, definition: Definition) -> tuple[Origin, ...]:
        """The expressions that ``value`` may come from, each not followed further.

        At most :data:`MAX_ORIGINS`; what cannot be followed is its own origin.
        """
        key = (definition.id, value.span, type(value).__name__)
        known = self._origins.get(key)
        if known is None:
            itself = (Origin(value, definition),)
            if self._depth >= MAX_DEPTH:
                return itself
            self._origins[key] = itself  # for cycles
            self._depth += 1
            try:
                known = tuple(self._follow(value, definition))
            finally:
                self._depth -= 1
            self._origins[key] = known
        return known

    def _follow(self, value: Value, definition: Definition) -> list[Origin]:
        found: list[Origin] = []
        seen: set[tuple[int, Span, str]] = set()
        waiting = [Origin(value, definition)]
        for _ in range(MAX_STEPS):
            if not waiting or len(found) >= MAX_ORIGINS:
                break
            origin = waiting.pop(0)
            key = (origin.definition.id, origin.value.span, type(origin.value).__name__)
            if key in seen:
                continue
            seen.add(key)
            further = self._step(*origin)
            if further is None:
                found.append(origin)
            else:
                waiting += further
        return found

    def _step(self, value: Value, definition: Definition) -> list[Origin] | None:
        """One step back from ``value``; None when it is an origin."""
        match value:
            case Unary(op=op) if op in _TRANSPARENT:
                return [Origin(value.operand, definition)]
            case Assign():
                return [Origin(value.value, definition)]
            case Conditional():
                return [Origin(value.then, definition), Origin(value.other, definition)]
            case Binary(op="||" | "&&"):
                return [Origin(value.left, definition), Origin(value.right, definition)]
            case Name():
                return self._step_name(value, definition)
            case Member():
                return self._step_member(value, definition)
            case Call():
                return self._step_call(value, definition)
            case Index():
                return self._step_index(value, definition)
        return None

    def _step_name(self, value: Name, definition: Definition) -> list[Origin] | None:
        if value.id in ("self", "cls"):
            return None
        scope: Definition | None = definition
        while scope is not None:
            bound = self.locals(scope).get(value.id)
            found = [Origin(v, scope) for v in bound or () if not (isinstance(v, Name) and v.id == value.id)]
            parameter = self.parameter(scope, value.id)
            if parameter is not None:
                found += self._passed(scope, parameter)
                return found or None
            if found:
                if scope.name == MODULE:
                    found += self._global_writes(scope.file, value.id)
                return found
            scope = self.parent(scope)
        full = self._aliases[definition.path].get(value.id)
        return self._imported(full, definition.file) if full else None

    def _global_writes(self, file: FileFacts, name: str) -> list[Origin]:
        """What functions assign to a variable of their module that they declare ``global``."""
        found: list[Origin] = []
        for definition in self._by_file[file.path][1:]:
            declares = [s.node for s in definition.body.declares]
            if not any(isinstance(d, Declare) and d.type == "global" and d.name == name for d in declares):
                continue
            for site in definition.body.assigns:
                node = site.node
                if isinstance(node, Assign) and isinstance(node.target, Name) and node.target.id == name:
                    found.append(Origin(node.value, definition))
        return found

    def _imported(self, full: str, asker: FileFacts) -> list[Origin] | None:
        module_name, _, name = full.rpartition(".")
        module = self.module(module_name, asker) if module_name else None
        if module is None:
            return None
        top = self.top(module)
        found = [Origin(v, top) for v in self.locals(top).get(name, ()) if not isinstance(v, Lambda)]
        return [*found, *self._global_writes(module, name)] or None

    def _passed(self, definition: Definition, parameter: Parameter) -> list[Origin]:
        found: list[Origin] = []
        if parameter.default is not None:
            found.append(Origin(parameter.default, definition))
        if parameter.name.startswith("*"):
            return found
        for use in self.callers(definition):
            passed = self.argument(use.call, definition, parameter.name)
            if passed is not None:
                found.append(Origin(passed, use.definition))
        return found

    def _step_member(self, value: Member, definition: Definition) -> list[Origin] | None:
        dotted = self.dotted(value, definition)
        if dotted:
            return self._imported(dotted, definition.file)
        found: list[Origin] = []
        for target in self.classes_of(value.object, definition):
            for node, where in self.field_writes(target, value.field):
                found.append(Origin(_value_for(node, value.field), where))
        return found or None

    def _step_call(self, value: Call, definition: Definition) -> list[Origin] | None:
        name = self.dotted(value.function, definition)
        if name in _CASTS and len(value.arguments) > _CASTS[name]:
            return [Origin(value.arguments[_CASTS[name]], definition)]
        found: list[Origin] = []
        for function in self.functions_of(value.function, definition):
            if function.function.kind == "constructor":
                return None
            for site in function.body.returns:
                node = site.node
                if isinstance(node, Return) and node.value is not None:
                    found.append(Origin(node.value, function))
        return found or None

    def _step_index(self, value: Index, definition: Definition) -> list[Origin] | None:
        if not isinstance(value.index, (Text, Number)):
            return None
        found = self.items(value.object, definition, value.index.value)
        return list(found) or None

    def items(self, value: Value, definition: Definition, key: str | int) -> tuple[Origin, ...]:
        """What a dict, list or tuple holds under ``key``: in its literal, in ``dict(key=…)``, and by
        ``d[key] = …``."""
        if self._depth >= MAX_DEPTH:
            return ()
        self._depth += 1
        try:
            return tuple(self._items(value, definition, key))
        finally:
            self._depth -= 1

    def _items(self, value: Value, definition: Definition, key: str | int) -> list[Origin]:
        found: list[Origin] = []
        for origin in self.origins(value, definition):
            node = origin.value
            if isinstance(node, Initializer):
                for number, item in enumerate(node.items):
                    if item.designator == key or (node.type != "dict" and number == key):
                        found.append(Origin(item.value, origin.definition))
                    elif isinstance(item.value, Unary) and item.value.op == "**":
                        found += self.items(item.value.operand, origin.definition, key)
            elif isinstance(node, Call) and self.dotted(node.function, origin.definition) == "dict":
                found += [Origin(k.value, origin.definition) for k in node.keywords if k.name == key]
        if isinstance(value, (Name, Member)):
            found += self._stored(value, definition, key)
        return found[:MAX_ORIGINS]

    def _stored(self, value: Name | Member, definition: Definition, key: str | int) -> Iterator[Origin]:
        """``d[key] = …`` and ``d.update(key=…)`` in the same function, or class for ``self.d``."""
        wanted = _written(value)
        scopes = [definition]
        if wanted.startswith("self."):
            owner = self.owner(definition)
            scopes = list(self.methods(owner)) if owner is not None else scopes
        for scope in scopes:
            for site in scope.body.assigns:
                node = site.node
                assert isinstance(node, Assign)
                target = node.target
                if isinstance(target, Index) and _written(target.object) == wanted:
                    if isinstance(target.index, (Text, Number)) and target.index.value == key:
                        yield Origin(node.value, scope)
            for site in scope.body.calls:
                call = site.node
                assert isinstance(call, Call)
                function = call.function
                if isinstance(function, Member) and function.field == "update":
                    if _written(function.object) == wanted:
                        yield from (Origin(k.value, scope) for k in call.keywords if k.name == key)

    def keyword(self, call: Call, definition: Definition, *names: str) -> tuple[Origin, ...]:
        """What a call passes for a keyword: written out, or inside a ``**options`` that is known."""
        found: list[Origin] = []
        for keyword in call.keywords:
            if keyword.name in names:
                found.append(Origin(keyword.value, definition))
            elif keyword.name == "**":
                for name in names:
                    found += self.items(keyword.value, definition, name)
        return tuple(found)


# ---------------------------------------------------------------------- calls that are made later


@cache
def _deferring() -> dict[str, tuple[Entry, ...]]:
    """The rows of calls that pass on arguments, by the last name of the call."""
    found: dict[str, tuple[Entry, ...]] = {}
    for row in (_PARTIAL, *libraries.load().entry):
        if row.rest is not None or row.rest_keyword:
            for name in row.call:
                last = name.rpartition(".")[2]
                found[last] = (*found.get(last, ()), row)
    return found


_PARTIAL = Entry(("functools.partial", "partial"), "", "Python library reference, functools", at=0, rest=1)
# ``Thread(target=f, args=(…), kwargs={…})``; the keywords of other callers are those of the function.
_OWN_KEYWORDS = frozenset(["target", "function", "args", "kwargs", "name", "daemon", "group"])


def _made_later(row: Entry, call: Call) -> Call | None:
    named = {keyword.name: keyword.value for keyword in call.keywords}
    function = named.get(row.keyword) if row.keyword else None
    if function is None and row.at is not None and row.at < len(call.arguments):
        function = call.arguments[row.at]
    if not isinstance(function, (Name, Member)):
        return None
    if row.rest_keyword:
        arguments = _items(named.get(row.rest_keyword))
        keywords = tuple(
            Keyword(item.span, item.designator, item.value)
            for item in _items(named.get("kwargs"))
            if isinstance(item.designator, str)
        )
        return Call(call.span, function, tuple(item.value for item in arguments), keywords)
    rest = call.arguments[row.rest :] if row.rest is not None else ()
    return Call(call.span, function, rest, tuple(k for k in call.keywords if k.name not in _OWN_KEYWORDS))


def _items(value: Value | None) -> tuple[Item, ...]:
    return value.items if isinstance(value, Initializer) else ()


def _last(value: Value) -> str:
    return _written(value).rpartition(".")[2]


# ---------------------------------------------------------------------- small helpers


def passed_values(definition: Definition) -> Iterator[Value]:
    """The values that a function passes, stores and returns."""
    for site in definition.body.calls:
        assert isinstance(site.node, Call)
        yield from site.node.arguments
        yield from (keyword.value for keyword in site.node.keywords)
    for site in (*definition.body.assigns, *definition.body.declares, *definition.body.returns):
        if isinstance(site.node, (Assign, Declare, Return)) and site.node.value is not None:
            yield site.node.value


def _alias_map(file: FileFacts) -> dict[str, str]:
    found: dict[str, str] = {}
    for alias in file.aliases:
        if alias.name and alias.name != "*":
            found[alias.name] = _absolute(alias, file.path)
    return found


def _absolute(alias: Alias, path: str) -> str:
    """A relative import's full name, as far as the path tells the package."""
    bare = alias.type.lstrip(".")
    level = len(alias.type) - len(bare)
    if not level:
        return alias.type
    parts = _package(path)
    parts = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join((*parts, bare))


def _module_name(path: str) -> str:
    parts = path.rpartition(".")[0].split("/")
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(part for part in parts if part not in ("", "."))


def _package(path: str) -> list[str]:
    return [part for part in path.split("/")[:-1] if part not in ("", ".")]


def _shared(left: str, right: str) -> tuple[int, int]:
    """How near two files are: folders in common, then the shorter path."""
    ours, theirs = left.split("/")[:-1], right.split("/")[:-1]
    common = 0
    for a, b in zip(ours, theirs, strict=False):
        if a != b:
            break
        common += 1
    return common, -len(theirs)


def _written(value: Value) -> str:
    """``a.b.c`` as written; "" for anything else, and the method alone behind a call (``f().m`` → ``m``)."""
    fields: list[str] = []
    while isinstance(value, Member):
        fields.append(value.field)
        value = value.object
    if isinstance(value, Name):
        fields.append(value.id)
    return ".".join(reversed(fields))


written = _written


def _annotation(text: str) -> str:
    """The class in an annotation: ``Optional["Foo"]`` and ``Foo | None`` are ``Foo``."""
    plain = text.strip("\"' ")
    for wrapper in ("Optional[", "typing.Optional[", "Type[", "type["):
        if plain.startswith(wrapper) and plain.endswith("]"):
            plain = plain[len(wrapper) : -1].strip("\"' ")
    options = [part.strip("\"' ") for part in plain.split("|")]
    return next((part for part in options if part != "None"), plain)


def _mentions(value: Value, name: str) -> bool:
    while isinstance(value, Member):
        value = value.object
    return isinstance(value, Name) and value.id == name


def _is_star(value: Value) -> bool:
    return isinstance(value, Unary) and value.op == "*"


def _targets(target: Value) -> Iterator[Value]:
    if isinstance(target, Initializer):
        for item in target.items:
            yield item.value
    else:
        yield target


def _value_for(node: Assign, field: str) -> Value:
    """What an assignment gives to ``field``; of an unpacked tuple, its element."""
    if isinstance(node.target, Initializer):
        for number, item in enumerate(node.target.items):
            if isinstance(item.value, Member) and item.value.field == field:
                return _element(node.value, number)
    return node.value


def _element(value: Value, number: int) -> Value:
    if isinstance(value, Initializer) and number < len(value.items):
        return value.items[number].value
    return Unknown(value.span, (value,))


def _bind(target: Value, value: Value, found: dict[str, list[Value]]) -> None:
    if isinstance(target, Name):
        found[target.id].append(value)
    elif isinstance(target, Initializer):
        for number, item in enumerate(target.items):
            if isinstance(item.value, Name):
                found[item.value.id].append(_element(value, number))
