"""Names of the linked project: which definition a name means, seen from where it is used.

Several programs often share one tree, and names repeat.  A name binds, in this order, within its
class (and the bases), within its file, and then to the nearest file: the one whose folder shares
the longest part of the path.  Where two are equally near the binding is ambiguous; callers lower
their confidence then, they never invent a call.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, cached_property

import msgspec

from lwslint.facts import (
    Alias,
    Call,
    Cast,
    Class,
    Declare,
    Evaluate,
    FileFacts,
    Function,
    Index,
    Macro,
    Member,
    Name,
    Place,
    Span,
    Unary,
    Value,
)
from lwslint.model.bodies import Body, flatten
from lwslint.model.names import RETURN_TYPES, callee_name, last_component
from lwslint.model.nearby import FEW, Nearby, nearness


class Definition:
    """A function with a body, and the file it stands in.  Compared by identity; ``id`` is its rank."""

    __slots__ = ("_body", "_names", "file", "function", "id", "path")

    def __init__(self, id: int, file: FileFacts, function: Function, body: Body | None = None) -> None:
        self.id = id
        self.file = file
        self.path = file.path
        self.function = function
        self._body = body
        self._names: frozenset[str] | None = None

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def qualified(self) -> str:
        return self.function.qualified

    @property
    def body(self) -> Body:
        if self._body is None:
            self._body = flatten(self.function)
        return self._body

    @property
    def names(self) -> frozenset[str]:
        """The names of its parameters and local variables."""
        if self._names is None:
            self._names = frozenset((*self.body.locals, *(p.name for p in self.function.parameters)))
        return self._names

    def place(self, span: Span | None = None) -> Place:
        """A place in this definition's file; its own name when no span is given."""
        return Place(self.path, self.function.name_span if span is None else span)

    def __repr__(self) -> str:
        return f"<{self.path}:{self.qualified}>"


class Binding(msgspec.Struct, frozen=True):
    """What a name was bound to.  ``definitions`` holds more than one entry for the variants of one
    function under different ``#if`` arms, or when the name is ambiguous."""

    definitions: tuple[Definition, ...] = ()
    ambiguous: bool = False


_NOTHING = Binding()


class Variable(msgspec.Struct, frozen=True):
    """A variable at file scope, and the file it stands in."""

    path: str
    declare: Declare

    @property
    def place(self) -> Place:
        return Place(self.path, self.declare.name_span)


MAX_DERIVED = 64

_TEMPLATE = re.compile(r"<[^<>]*>")
_SMART = re.compile(
    r"^(?:std::|boost::|absl::|Q)?(?:shared_ptr|unique_ptr|weak_ptr|optional|reference_wrapper|atomic|SharedPointer"
    r"|ScopedPointer|Pointer|sp|Ref)<(.*)>\s*[*&]*$"
)
_CONTAINER = re.compile(
    r"^(?:std::)?(?:vector|list|deque|array|set|unordered_set|queue|multiset|span|initializer_list)<(.*)>[*&]*$"
)
_AUTO = re.compile(r"auto\b|__auto_type\b")
_MADE = re.compile(r"(?:std::)?make_(?:shared|unique)<(.*)>$")
_MAP = re.compile(r"^(?:std::)?(?:unordered_)?(?:multi)?map<(.*)>[*&]*$")


@cache
def class_name(type: str) -> str:
    """The class that a type as written names: without struct, pointers, references and smart pointers."""
    text = type.strip()
    while True:
        smart = _SMART.match(text)
        if smart is None:
            break
        text = first_argument(smart.group(1))
    text = _TEMPLATE.sub("", text)
    text = re.sub(r"\[[^\]]*\]|[*&]", " ", text)
    words = [
        w
        for w in text.split()
        if w not in ("struct", "class", "enum", "union", "const", "typename", "unsigned")
    ]
    return words[0] if words else ""


def first_argument(arguments: str) -> str:
    """The first of a comma-separated list of template arguments."""
    depth = 0
    for position, char in enumerate(arguments):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            return arguments[:position].strip()
    return arguments.strip()


@cache
def element_type(type: str) -> str:
    """The type of an element of an array, pointer or standard container as written; "" when unknown."""
    text = type.strip()
    container = _CONTAINER.match(text)
    if container:
        return first_argument(container.group(1))
    mapped = _MAP.match(text)
    if mapped:
        return mapped.group(1)[len(first_argument(mapped.group(1))) :].lstrip(", ")
    if text.endswith("]"):
        return text[: text.rindex("[")].strip()
    if text.endswith("*"):
        return text[:-1].strip()
    return ""


def plain_name(name: str) -> str:
    """The last component of a name, template arguments apart."""
    return last_component(_TEMPLATE.sub("", name) if "<" in name else name)


_HEADERS = frozenset(("h", "hpp", "hh", "hxx", "inl", "ipp"))


class _Definitions:
    """The definitions of one name, many of them, with an index of which are near to a file."""

    def __init__(self, all: Sequence[Definition]) -> None:
        self.all = all
        self.in_file: dict[str, list[Definition]] = defaultdict(list)
        self.statics: set[str] = set()  # the names of the source files that have a static one
        for definition in all:
            self.in_file[definition.path].append(definition)
            if _is_private(definition.path, definition.function.static):
                self.statics.add(_file_name(definition.path))
        self.shared = Nearby((d.path, d) for d in all if not _is_private(d.path, d.function.static))

    def around(self, path: str, included: frozenset[str]) -> Sequence[Definition]:
        """Those among which the nearest that ``path`` sees are; ``included`` are the files it includes."""
        here = self.in_file.get(path)
        if here:
            return here
        return self.shared.around(path) if self.statics.isdisjoint(included) else self.all


class _Variables:
    """The file-scope variables of one name, many of them."""

    def __init__(self, all: Sequence[Variable]) -> None:
        self.all = all
        self.in_file: dict[str, list[Variable]] = defaultdict(list)
        self.statics: set[str] = set()
        for variable in all:
            self.in_file[variable.path].append(variable)
            if _is_private(variable.path, variable.declare.static):
                self.statics.add(_file_name(variable.path))
        shared = [v for v in all if not _is_private(v.path, v.declare.static)]
        self.shared = Nearby((v.path, v) for v in shared)
        self.valued = Nearby((v.path, v) for v in shared if _defines(v.declare))

    def around(self, path: str, included: frozenset[str]) -> Sequence[Variable]:
        """Those among which the one is that the name means at ``path``."""
        here = self.in_file.get(path, [])
        if any(_defines(v.declare) for v in here):
            return here
        if not self.statics.isdisjoint(included):
            return self.all
        return self.valued.around(path) or (*here, *self.shared.around(path))


def _is_private(path: str, static: bool) -> bool:
    """Whether only the file itself, and what includes it by name, sees a static of ``path``: not so for
    headers."""
    return static and path.rsplit(".", 1)[-1] not in _HEADERS


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


class Symbols:
    """All definitions, variables, classes and macros of a project, and the binding of names to them."""

    def __init__(self, files: Sequence[FileFacts], bodies: Mapping[int, Body] | None = None) -> None:
        self._bodies = bodies or {}
        self.files = tuple(files)
        self.definitions: list[Definition] = []
        self.functions: dict[str, list[Definition]] = defaultdict(list)
        self.methods: dict[tuple[str, str], list[Definition]] = defaultdict(list)
        self._in_file: dict[str, list[Definition]] = {}
        self.children: dict[int, list[Definition]] = defaultdict(list)
        self.variables: dict[str, list[Variable]] = defaultdict(list)
        self.classes: dict[str, list[tuple[str, Class]]] = defaultdict(list)
        self.aliases: dict[str, list[tuple[str, Alias]]] = defaultdict(list)
        self.macros: dict[str, list[tuple[str, Macro]]] = defaultdict(list)
        self.function_macros: dict[str, list[Definition]] = defaultdict(list)
        self._variable_cache: dict[tuple[str, str], Variable | None] = {}
        self._free: dict[str, list[Definition]] = {}
        self._free_cache: dict[tuple[str, str], Binding] = {}
        self._near_definitions: dict[tuple[str, ...], _Definitions] = {}
        self._near_variables: dict[str, _Variables] = {}
        self._near_classes: dict[str, Nearby[tuple[str, Class]]] = {}
        self._near_macros: dict[str, Nearby[tuple[str, Macro]]] = {}
        self._target_cache: dict[tuple[int, int], tuple[Call, Binding]] = {}
        self._foreign: dict[str, bool] = {}
        self._class_cache: dict[tuple[str, str], Class | None] = {}
        self._key_cache: dict[tuple[str, str], str] = {}
        self._homes: dict[int, str] = {}
        self._lineage_cache: dict[tuple[str, str], list[str]] = {}
        for file in files:
            self._add(file)
        self.includes = {file.path: frozenset(i.rsplit("/", 1)[-1] for i in file.includes) for file in files}

    def _add(self, file: FileFacts) -> None:
        known = self._bodies.get
        first = len(self.definitions)
        here = [
            Definition(first + index, file, function, known(id(function)))
            for index, function in enumerate(file.functions)
        ]
        self._in_file[file.path] = here
        self.definitions += here
        for definition in here:
            function = definition.function
            if function.parent is not None:
                self.children[here[function.parent].id].append(definition)
            if function.kind == "macro":
                self.function_macros[function.name].append(definition)
                continue
            if function.kind == "lambda":
                continue
            self.functions[function.name].append(definition)
            if function.owner:
                self.methods[last_component(function.owner), function.name].append(definition)
        for variable in file.variables:
            self.variables[last_component(variable.name)].append(Variable(file.path, variable))
        for declared in file.classes:
            self.classes[declared.name].append((file.path, declared))
            self._homes[id(declared)] = file.path
        for alias in file.aliases:
            self.aliases[alias.name].append((file.path, alias))
        for macro in file.macros:
            self.macros[macro.name].append((file.path, macro))

    def add_argument(self, caller: Definition, argument: Value) -> Definition:
        """A function for what a macro's argument does when the macro puts it into a lambda: it sees the
        caller's names, and runs when the lambda runs."""
        index = next(i for i, f in enumerate(caller.file.functions) if f is caller.function)
        function = Function(
            name="<argument>",
            qualified="<argument>",
            span=argument.span,
            name_span=argument.span,
            parameters=(),
            body=(Evaluate(argument.span, argument),),
            kind="lambda",
            parent=index,
        )
        definition = Definition(len(self.definitions), caller.file, function)
        self.definitions.append(definition)
        return definition

    def function_at(self, path: str, index: int) -> Definition:
        """The function at an index of a file's facts."""
        return self._in_file[path][index]

    # ------------------------------------------------------------------ enclosing functions

    def parent(self, definition: Definition) -> Definition | None:
        """The function that holds a lambda."""
        index = definition.function.parent
        return None if index is None else self._in_file[definition.path][index]

    def owner(self, definition: Definition) -> str:
        """The class whose members a function sees (a lambda sees those of the method around it)."""
        current: Definition | None = definition
        while current is not None:
            if current.function.owner:
                return last_component(current.function.owner)
            current = self.parent(current)
        return ""

    # ------------------------------------------------------------------ classes

    def class_named(self, name: str, path: str) -> Class | None:
        """The class of that name nearest to ``path``; typedefs are followed."""
        key = (name, path)
        if key not in self._class_cache:
            self._class_cache[key] = self._class_named(name, path)
        return self._class_cache[key]

    def _class_named(self, name: str, path: str) -> Class | None:
        seen: set[str] = set()
        name = last_component(class_name(name)) if name else ""
        while name and name not in seen:
            seen.add(name)
            candidates = self.classes.get(name)
            if candidates:
                if len(candidates) > FEW:
                    candidates = self._classes_around(name, candidates, path)
                bodied = [entry for entry in candidates if entry[1].fields or entry[1].methods] or candidates
                if len(bodied) == 1:
                    return bodied[0][1]
                return max(bodied, key=lambda entry: self._likeness(entry, path))[1]
            aliases = self.aliases.get(name)
            if not aliases:
                return None
            target = max(aliases, key=lambda entry: (nearness(path, entry[0]), entry[0]))[1].type
            name = last_component(class_name(target))
        return None

    def _likeness(self, entry: tuple[str, Class], path: str) -> tuple[int, int, str]:
        """How likely a class is the one that is meant at ``path``: the file's own methods tell which class
        it implements, whatever lies near."""
        home, declared = entry
        here = self._methods_in.get((path, declared.name), frozenset())
        return len(here.intersection(declared.methods)), nearness(path, home), home

    @cached_property
    def _methods_in(self) -> dict[tuple[str, str], frozenset[str]]:
        """The methods of a class that have their bodies in a file."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for definition in self.definitions:
            if definition.function.owner:
                found[definition.path, last_component(definition.function.owner)].add(definition.name)
        return {key: frozenset(names) for key, names in found.items()}

    def _classes_around(
        self, name: str, candidates: Sequence[tuple[str, Class]], path: str
    ) -> list[tuple[str, Class]]:
        if name not in self._near_classes:
            bodied = [entry for entry in candidates if entry[1].fields or entry[1].methods] or candidates
            self._near_classes[name] = Nearby((entry[0], entry) for entry in bodied)
        return self._near_classes[name].around(path)

    def class_key(self, type: str, path: str) -> str:
        """An identity for the class that a type names at ``path``: classes of one name in different
        programs differ.  The bare name when the project does not define the class; "" without one."""
        name = last_component(class_name(type)) if type else ""
        if not name:
            return ""
        key = (name, path)
        if key not in self._key_cache:
            declared = self.class_named(name, path)
            home = self._homes.get(id(declared)) if declared is not None else None
            self._key_cache[key] = name if declared is None or home is None else f"{declared.name}@{home}"
        return self._key_cache[key]

    def lineage(self, name: str, path: str) -> list[str]:
        """A class and its bases, nearest first (names without namespaces)."""
        key = (name, path)
        if key not in self._lineage_cache:
            self._lineage_cache[key] = self._lineage(name, path)
        return self._lineage_cache[key]

    def _lineage(self, name: str, path: str) -> list[str]:
        result: list[str] = []
        queue = [last_component(class_name(name))]
        while queue and len(result) < 32:
            current = queue.pop(0)
            if current in result or not current:
                continue
            result.append(current)
            declared = self.class_named(current, path)
            if declared is not None:
                queue.extend(last_component(class_name(base)) for base in declared.bases)
        return result

    @cached_property
    def _derived_from(self) -> dict[str, list[str]]:
        """Base class → the classes that name it among their bases, by name."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.classes):
            bases = {last_component(class_name(base)) for _, c in self.classes[name] for base in c.bases}
            for base in sorted(bases):
                found[base].append(name)
        return found

    def derived(self, name: str) -> list[str]:
        """The classes that name ``name`` among their bases, directly or not, nearest first."""
        result: list[str] = []
        queue = [name]
        while queue and len(result) < MAX_DERIVED:
            for candidate in self._derived_from.get(queue.pop(0), ()):
                if candidate != name and candidate not in result:
                    result.append(candidate)
                    queue.append(candidate)
        return result

    def field_type(self, owner: str, field: str, path: str) -> str:
        """The type of a field as written; bases are searched too; "" when unknown."""
        for name in self.lineage(owner, path):
            declared = self.class_named(name, path)
            if declared is None:
                continue
            for candidate in declared.fields:
                if candidate.name == field:
                    return candidate.type
        return ""

    # ------------------------------------------------------------------ types of values

    def local_type(self, definition: Definition, name: str, depth: int = 0) -> str | None:
        """The type of a local variable or parameter seen from ``definition`` (a lambda sees its
        parents'); None when there is no such local."""
        current: Definition | None = definition
        while current is not None:
            if name not in current.names:
                current = self.parent(current)
                continue
            declared = current.body.locals.get(name)
            if declared is not None:
                if declared.value is not None and _AUTO.match(declared.type):
                    inferred = self.type_of(declared.value, current, depth + 1)
                    return inferred or declared.type
                return declared.type
            for parameter in current.function.parameters:
                if parameter.name == name:
                    return parameter.type
        return None

    def is_local(self, definition: Definition, name: str) -> bool:
        """Whether a name is a local variable or parameter, seen from ``definition`` outwards."""
        current: Definition | None = definition
        while current is not None:
            if name in current.names:
                return True
            current = self.parent(current)
        return False

    def knows(self, name: str, definition: Definition) -> bool:
        """Whether a name may be anything that the project declares, seen from ``definition``; a quick
        no for the functions of libraries."""
        return (
            name in self.functions
            or name in self.variables
            or "::" in name
            or "<" in name
            or bool(self.owner(definition))
            or self.is_local(definition, name)
        )

    def type_of(self, value: Value, definition: Definition, depth: int = 0) -> str:
        """The type of a value as written in the source, as far as declarations tell; "" when unknown."""
        if depth > 12:
            return ""
        path = definition.path
        match value:
            case Name(id="this"):
                return self.owner(definition) + "*"
            case Name():
                local = self.local_type(definition, value.id, depth)
                if local is not None:
                    return local
                owner = self.owner(definition)
                if owner:
                    field = self.field_type(owner, value.id, path)
                    if field:
                        return field
                variable = self.variable(value.id, path)
                return variable.declare.type if variable else ""
            case Member():
                owner_type = self.type_of(value.object, definition, depth + 1)
                return self.field_type(class_name(owner_type), value.field, path) if owner_type else ""
            case Index():
                return element_type(self.type_of(value.object, definition, depth + 1))
            case Unary(op="*"):
                inner = self.type_of(value.operand, definition, depth + 1)
                return element_type(inner) or inner
            case Unary(op="&"):
                inner = self.type_of(value.operand, definition, depth + 1)
                return inner + "*" if inner else ""
            case Cast():
                return value.type
            case Call(kind="new"):
                return value.function.id + "*" if isinstance(value.function, Name) else ""
            case Call(kind="construct"):
                return value.function.id if isinstance(value.function, Name) else ""
            case Call():
                if isinstance(value.function, Name):
                    made = _MADE.match(value.function.id)
                    if made:
                        return first_argument(made.group(1)) + "*"
                if isinstance(value.function, Member) and value.function.field in (
                    "get",
                    "load",
                    "lock",
                    "front",
                    "back",
                    "at",
                ):
                    inner = self.type_of(value.function.object, definition, depth + 1)
                    return element_type(inner) or inner
                binding = self.call_target(value, definition, depth + 1)
                if binding.definitions:
                    return binding.definitions[0].function.returns
                return RETURN_TYPES.get(callee_name(value), "")
            case _:
                return ""

    # ------------------------------------------------------------------ binding

    def variable(self, name: str, path: str) -> Variable | None:
        """The file-scope variable of that name nearest to ``path``; other files' statics don't count.
        An entry with an initialiser is preferred to an ``extern`` declaration."""
        key = (name, path)
        if key not in self._variable_cache:
            self._variable_cache[key] = self._nearest_variable(last_component(name), path)
        return self._variable_cache[key]

    def _nearest_variable(self, name: str, path: str) -> Variable | None:
        known: Sequence[Variable] = self.variables.get(name, ())
        if len(known) > FEW:
            if name not in self._near_variables:
                self._near_variables[name] = _Variables(known)
            known = self._near_variables[name].around(path, self.includes.get(path, frozenset()))
        here = [v for v in known if v.path == path and _defines(v.declare)]
        candidates = here or [
            v for v in known if v.path == path or not v.declare.static or self._included(v.path, path)
        ]
        if not candidates:
            return None
        valued = [v for v in candidates if _defines(v.declare)] or candidates
        return max(valued, key=lambda v: (nearness(path, v.path), v.path, -v.declare.span.start))

    def macro(self, name: str, path: str) -> Macro | None:
        """The object-like macro of that name nearest to ``path``."""
        candidates = self.macros.get(name)
        if not candidates:
            return None
        if len(candidates) > FEW:
            if name not in self._near_macros:
                self._near_macros[name] = Nearby((entry[0], entry) for entry in candidates)
            candidates = self._near_macros[name].around(path)
        return max(
            candidates,
            key=lambda entry: (
                nearness(path, entry[0]),
                entry[0],
                -entry[1].span.start,
            ),
        )[1]

    def _included(self, path: str, user: str) -> bool:
        """Whether ``user`` may see the statics of ``path``: a header, or a file it includes by name."""
        name = _file_name(path)
        return name in self.includes.get(user, ()) or name.rsplit(".", 1)[-1] in _HEADERS

    def _visible(self, definition: Definition, path: str) -> bool:
        return (
            definition.path == path or not definition.function.static or self._included(definition.path, path)
        )

    def nearest(self, candidates: Sequence[Definition], path: str, key: tuple[str, ...] = ()) -> Binding:
        """The candidates nearest to ``path``; ambiguous when different functions are equally near.

        ``key`` names the candidates where they are the same for every ``path``."""
        if key and len(candidates) > FEW:
            known = self._near_definitions.get(key)
            if known is None:
                known = self._near_definitions[key] = _Definitions(candidates)
            candidates = known.around(path, self.includes.get(path, frozenset()))
        visible = [d for d in candidates if self._visible(d, path)]
        if not visible:
            return Binding()
        best = max(nearness(path, d.path) for d in visible)
        chosen = [d for d in visible if nearness(path, d.path) == best]
        functions = {(d.path, d.qualified, len(d.function.parameters)) for d in chosen}
        return Binding(tuple(chosen), ambiguous=len({f[:2] for f in functions}) > 1)

    def function_named(self, name: str, definition: Definition | None, path: str) -> Binding:
        """What the bare or qualified name of a function means at ``path``, inside ``definition``."""
        plain = plain_name(name)
        if definition is not None and "::" not in name:
            owner = self.owner(definition)
            if owner:
                binding = self.method_named(owner, plain, path)
                if binding.definitions:
                    return binding
        candidates = self.functions.get(plain)
        if not candidates:
            return Binding()
        if "::" in name:
            qualifier = _TEMPLATE.sub("", name).rsplit("::", 1)[0].lstrip(":")
            if qualifier:
                suffix = last_component(qualifier)
                owned = [d for d in candidates if last_component(_qualifier(d)) == suffix]
                if not owned:
                    for class_ in self.lineage(suffix, path)[1:]:
                        owned = list(self.methods.get((class_, plain), ()))
                        if owned:
                            break
                if not owned and self._may_be_parameter(suffix, plain):
                    # Server::send() in a template: any class that has the method may be meant.
                    methods = tuple(d for d in candidates if d.function.owner)
                    return Binding(methods, ambiguous=True) if methods else Binding()
                return self.nearest(owned, path)
        key = (plain, path)
        if key not in self._free_cache:
            free = self._free.get(plain)
            if free is None:
                free = self._free[plain] = [d for d in candidates if not d.function.owner]
            self._free_cache[key] = self.nearest(free, path, ("free", plain))
        return self._free_cache[key]

    def _may_be_parameter(self, qualifier: str, name: str) -> bool:
        """Whether ``qualifier::name`` may name a template's parameter: no class of the project, and not the
        name of a library's namespace or a method that every library has."""
        return qualifier not in self.classes and qualifier[:1].isupper() and name not in _COMMON_METHODS

    def method_named(self, type: str, name: str, path: str) -> Binding:
        """A method called on an object of ``type``; virtual methods bind to the overriders too."""
        class_ = last_component(class_name(type))
        for candidate in self.lineage(class_, path):
            methods = self.methods.get((candidate, name))
            if methods:
                binding = self.nearest(methods, path, ("method", candidate, name))
                if any(d.function.virtual for d in methods):
                    extra = [d for sub in self.derived(candidate) for d in self.methods.get((sub, name), ())]
                    return Binding((*binding.definitions, *extra), binding.ambiguous)
                return binding
        declared = self.class_named(class_, path)
        if declared is not None and name in declared.methods:
            overriders = [d for sub in self.derived(class_) for d in self.methods.get((sub, name), ())]
            return Binding(tuple(overriders), len(overriders) > 1)
        return Binding()

    def call_target(self, call: Call, definition: Definition, depth: int = 0) -> Binding:
        """The functions that a direct call, a method call or a use of a function-like macro reaches.

        Calls through variables and fields are the call graph's work (it knows what they hold)."""
        callee = call.function
        if type(callee) is Name and self.is_foreign(callee.id) and not self.owner(definition):
            return _NOTHING
        if depth:
            return self._call_target(call, definition, depth)
        key = (id(call), definition.id)
        known = self._target_cache.get(key)
        if known is None:
            # The call is kept with its answer: while it lives, no other call has its identity.
            binding = _overloaded(self._call_target(call, definition, 0), call)
            known = self._target_cache[key] = (call, binding)
        return known[1]

    def is_foreign(self, name: str) -> bool:
        """Whether a name that code of no class calls is, whatever it is, no function or macro of the project,
        nor another name for one of its types: so are most that are called in most programs."""
        known = self._foreign.get(name)
        if known is None:
            ours = name in self.functions or name in self.function_macros or name in self.aliases
            known = self._foreign[name] = not (ours or "::" in name or "<" in name)
        return known

    def _call_target(self, call: Call, definition: Definition, depth: int) -> Binding:
        path = definition.path
        callee = call.function
        while isinstance(callee, Cast):
            callee = callee.operand
        if call.kind in ("new", "construct") and isinstance(callee, Name):
            class_ = last_component(class_name(callee.id))
            if class_ not in self.classes and class_ in self.aliases:
                declared = self.class_named(class_, path)
                class_ = declared.name if declared is not None else class_
            return self.nearest(self.methods.get((class_, class_), ()), path, ("method", class_, class_))
        match callee:
            case Name():
                if self.is_local(definition, callee.id):
                    return Binding()
                macros = self.function_macros.get(callee.id)
                if macros:
                    return self.nearest(macros, path, ("macro", callee.id))
                return self.function_named(callee.id, definition, path)
            case Member():
                type = self.type_of(callee.object, definition, depth + 1)
                if type:
                    return self.method_named(type, callee.field, path)
                methods = [d for d in self.functions.get(callee.field, ()) if d.function.owner]
                owners = {d.function.owner for d in methods}
                if len(owners) == 1 and callee.field not in _COMMON_METHODS:
                    return self.nearest(methods, path)
                return Binding()
            case _:
                return Binding()


def _overloaded(binding: Binding, call: Call) -> Binding:
    """Of several functions of one name those that take as many arguments as are given, where some do."""
    if len(binding.definitions) < 2:
        return binding
    given = len(call.arguments)
    exact = tuple(d for d in binding.definitions if len(d.function.parameters) == given)
    return Binding(exact, binding.ambiguous and len(exact) > 1) if exact else binding


# Methods of the standard library and of most frameworks: on an object of unknown type they say nothing.
_COMMON_METHODS = frozenset(
    [
        *("add", "append", "assign", "at", "back", "begin", "clear", "close", "connect", "count"),
        *("data", "emplace", "emplace_back", "empty", "end", "erase", "find", "first", "front", "get"),
        *("init", "insert", "join", "length", "load", "lock", "open", "pop", "pop_back", "pop_front"),
        *("post", "push", "push_back", "push_front", "read", "release", "remove", "reset", "resize", "run"),
        *("second", "send", "set", "size", "start", "stop", "store", "str", "swap", "top"),
        *("unlock", "update", "wait", "write"),
    ]
)


def _defines(declare: Declare) -> bool:
    """Whether a declaration at file scope gives a value; a string object without one is empty."""
    return declare.value is not None or re.search(r"\bstring\b(?!.*\*)", declare.type) is not None


def _qualifier(definition: Definition) -> str:
    qualified = definition.qualified
    return qualified.rsplit("::", 1)[0] if "::" in qualified else ""
