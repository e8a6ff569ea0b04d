"""Which variables, fields and results may hold something that linking follows: a function, or an object
that lws made.

Locals and parameters are told apart by their function, everything else by its name alone: where a function
or an object flows into a field ``x``, every field ``x`` may hold it.  That takes one look at each value and
asks no type, and leaves few values to be resolved by :mod:`lwslint.model.flow`: in most programs nineteen of
twenty hold numbers and texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Declare,
    Index,
    Initializer,
    Lambda,
    Member,
    Name,
    Return,
    Unary,
    Unknown,
    Value,
)
from lwslint.model import apis
from lwslint.model.apis import Handover
from lwslint.model.bodies import LITERALS, Site
from lwslint.model.names import callee_name, last_component
from lwslint.model.symbols import Definition, Symbols, class_name, element_type, plain_name

ASSIGNING = ("=", "(", "+=")
HANDING_ON = frozenset((",", "||", "+", "-"))
"""The binary operators whose result may be one of their operands, or point into it."""

# Calls that hand their first argument on as it is.
_PASS_THROUGH = frozenset(
    [
        *("bind", "boost::bind", "std::bind", "std::bind_front", "std::ref", "std::cref", "std::move"),
        *(
            "std::forward",
            "std::function",
            "boost::function",
            "std::mem_fn",
            "std::make_shared",
            "std::make_unique",
        ),
        *("std::addressof", "std::make_pair", "std::make_tuple", "G_CALLBACK", "GINT_TO_POINTER"),
    ]
)
STORING_METHODS = frozenset(
    [
        *(
            "push_back",
            "push",
            "push_front",
            "emplace_back",
            "emplace",
            "emplace_front",
            "insert",
            "append",
            "add",
        ),
        *("enqueue", "store", "assign", "reset", "swap", "set", "put", "post"),
    ]
)
READING_METHODS = frozenset(
    [
        *(
            "front",
            "back",
            "top",
            "at",
            "get",
            "find",
            "begin",
            "end",
            "cbegin",
            "rbegin",
            "pop",
            "load",
            "value",
        ),
        *("lock", "data", "take", "dequeue", "takeFirst", "first", "last", "exchange", "target"),
    ]
)
NESTED = (Initializer, Cast)
"""The types of values that may have items, each of which flows somewhere else."""
PAIR = ("first", "second")
"""The fields of a pair, which are not told apart from it."""

T = TypeVar("T")


def passes_through(name: str) -> bool:
    """Whether a call of that name hands its first argument on as it is."""
    return name.split("<", 1)[0] in _PASS_THROUGH or name.startswith(("std::function<", "std::make_"))


Word = str | tuple[int, str]
"""The last name of a field or a variable; for a local or a parameter with the id of its function."""


def word_of(name: str, definition: Definition, symbols: Symbols) -> Word:
    """The word for what a name means in a function."""
    current: Definition | None = definition
    while current is not None:
        if name in current.names:
            return current.id, name
        current = symbols.parent(current)
    return last_component(name)


def target_word(target: Value, definition: Definition, symbols: Symbols) -> Word:
    """The word for what an assignment writes; "" for what is no variable and no field."""
    node: Any = target
    while True:
        kind = type(node)
        if kind is Name:
            return word_of(node.id, definition, symbols)
        if kind is Member:
            return str(node.field)
        if kind is Index:
            node = node.object
        elif kind is Cast or (kind is Unary and node.op in ("*", "&")):
            node = node.operand
        else:
            return ""


def returned(name: str) -> str:
    """The word for what the functions of a name return."""
    return name + "()"


def spread(
    symbols: Symbols, into: T, written: str, value: Value, path: str, field: Callable[[str, str], T]
) -> Iterator[tuple[T, Value]]:
    """Where a value that something of the type ``written`` gets flows: ``into``, or, as an item of an
    initialiser, into what ``field`` says of a class and a field's name."""
    stack: list[tuple[T, str, Value]] = [(into, written, value)]
    while stack:
        target, kind, node = stack.pop()
        while isinstance(node, Cast) and isinstance(node.operand, Initializer):
            kind, node = node.type, node.operand
        if not isinstance(node, Initializer):
            yield target, node
            continue
        kind = node.type or kind
        array = kind.endswith("]")
        element = element_type(kind) if array or not class_name(kind) else ""
        declared = symbols.class_named(kind, path) if not array else None
        for position, item in enumerate(node.items):
            inner, designator = item.value, item.designator
            if type(inner) in LITERALS:
                continue
            if array or isinstance(designator, int):
                stack.append((target, element or element_type(kind), inner))
            elif isinstance(designator, str):
                nested = type(inner) in NESTED
                type_ = symbols.field_type(class_name(kind), designator, path) if nested else ""
                stack.append((field(kind, designator), type_, inner))
            elif declared is not None and position < len(declared.fields):
                member = declared.fields[position]
                stack.append((field(kind, member.name), member.type, inner))
            else:
                stack.append((target, "", inner))


class Carriers(NamedTuple):
    """``words`` are those for all that may hold a function or an object of lws, with the :func:`returned`
    words of the functions that may return one.  ``idle`` are the initialisers, by identity, that put nothing
    into any of them."""

    words: frozenset[Word]
    idle: frozenset[int]


def carriers(
    symbols: Symbols,
    scopes: Mapping[str, Definition],
    calls: Mapping[int, Sequence[Site]],
    handovers: Callable[[Definition, Call], Iterable[Handover]],
) -> Carriers:
    """What in a project may hold a function or an object of lws.

    ``scopes`` stand for the function around what is written at file scope; ``calls`` are those of each
    function that may run something of the project, or keep it.
    """
    finder = _Finder(symbols)
    for file in symbols.files:
        scope = scopes[file.path]
        for variable in file.variables:
            if variable.value is not None:
                finder.initialised(last_component(variable.name), variable.type, variable.value, scope)
        for macro in file.macros:
            if isinstance(macro.value, Initializer):
                finder.initialised(macro.name, "", macro.value, scope)
    for definition in symbols.definitions:
        finder.function(definition)
        for site in calls.get(definition.id, ()):
            finder.called(definition, site, handovers)
    words = frozenset(finder.settled())
    idle = frozenset(id for id, targets in finder.targets.items() if words.isdisjoint(targets))
    return Carriers(words, idle)


class _Open(NamedTuple):
    """A value that goes to the parameter at ``position`` of whatever function one of ``words`` holds; of
    any function where there are none."""

    words: tuple[Word, ...]
    position: int
    value: Value
    definition: Definition


class _Finder:
    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._live: set[Word] = set()
        self._waiting: list[Word] = []  # live words whose content has not been followed yet
        self._into: dict[Word, list[Word]] = defaultdict(list)  # word → the words that its content flows into
        self._pointed: dict[int, Definition] = {}  # the functions whose address is taken, by id
        self._open: list[_Open] = []
        self.targets: dict[int, set[Word]] = defaultdict(set)  # an initialiser's words, by its identity

    # ------------------------------------------------------------------ one look at each value

    def function(self, definition: Definition) -> None:
        body = definition.body
        for site in body.declares:
            declare = site.node
            assert isinstance(declare, Declare)
            if declare.value is not None:
                self.initialised((definition.id, declare.name), declare.type, declare.value, definition)
        for site in body.assigns:
            assign = site.node
            assert isinstance(assign, Assign)
            if assign.op in ASSIGNING and type(assign.value) not in LITERALS:
                word = target_word(assign.target, definition, self.symbols)
                listed = isinstance(assign.value, Initializer | Cast)
                written = self.symbols.type_of(assign.target, definition) if listed else ""
                self.initialised(word, written, assign.value, definition)
        for site in body.returns:
            statement = site.node
            assert isinstance(statement, Return)
            if statement.value is not None:
                self._flow(statement.value, returned(definition.name), definition)

    def called(
        self,
        definition: Definition,
        site: Site,
        handovers: Callable[[Definition, Call], Iterable[Handover]],
    ) -> None:
        call = site.node
        assert isinstance(call, Call)
        for handover in handovers(definition, call):
            self._hands_over(handover, definition)
        callees = self.symbols.call_target(call, definition).definitions
        if isinstance(call.function, Lambda):
            callees = (self.symbols.function_at(definition.path, call.function.function),)
        for position, argument in enumerate(call.arguments):
            self._passed(argument, position, callees, definition)
        if callees:
            return
        if isinstance(call.function, Member) and call.function.field in STORING_METHODS:
            word = target_word(call.function.object, definition, self.symbols)
            for argument in call.arguments:
                self.initialised(word, "", argument, definition)
        words = (word_of(site.name, definition, self.symbols),) if site.name else ()
        for position, argument in enumerate(call.arguments):
            self._leave_open(words, position, argument, definition)

    def _hands_over(self, handover: Handover, definition: Definition) -> None:
        for routine in handover.routines:
            words, functions, _ = self._carried(routine, definition)
            for position, value in handover.passed:
                self._passed(value, position, functions, definition)
                self._leave_open(tuple(words), position, value, definition)

    def _passed(
        self, value: Value, position: int, callees: Iterable[Definition], definition: Definition
    ) -> None:
        for callee in callees:
            parameters = callee.function.parameters
            if -len(parameters) <= position < len(parameters):
                parameter = parameters[position]
                self.initialised((callee.id, parameter.name), parameter.type, value, definition)

    def _leave_open(
        self, words: tuple[Word, ...], position: int, value: Value, definition: Definition
    ) -> None:
        if type(value) not in LITERALS:
            _, functions, _ = self._carried(value, definition)
            self._pointed.update((function.id, function) for function in functions)
            self._open.append(_Open(words, position, value, definition))

    def initialised(self, word: Word, written: str, value: Value, definition: Definition) -> None:
        """What ``word`` stands for, of the type ``written``, gets a value."""
        if type(value) in NESTED:
            targets = self.targets[id(value)]
            for target, part in spread(self.symbols, word, written, value, definition.path, _field_word):
                targets.add(target)
                self._flow(part, target, definition)
        else:
            self._flow(value, word, definition)

    def _flow(self, value: Value, word: Word, definition: Definition) -> None:
        kind = type(value)
        if kind in LITERALS or (kind is Binary and value.op not in HANDING_ON):  # type: ignore[union-attr]
            return
        words, functions, sure = self._carried(value, definition)
        if functions:
            self._pointed.update((function.id, function) for function in functions)
            sure = True
        for source in words:
            self._into[source].append(word)
            sure = sure or source in self._live
        if sure:
            self._mark(word)

    def _carried(self, value: Value, definition: Definition) -> tuple[list[Word], list[Definition], bool]:
        """The words for what ``value`` may be, the functions among them, and whether it may be an object
        as it stands."""
        words: list[Word] = []
        functions: list[Definition] = []
        sure = False
        stack: list[Any] = [value]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is Name:
                word = word_of(node.id, definition, self.symbols)
                words.append(word)
                if type(word) is str and plain_name(node.id) in self.symbols.functions:
                    binding = self.symbols.function_named(node.id, definition, definition.path)
                    functions += binding.definitions
            elif kind is Member:
                if node.field in PAIR:
                    stack.append(node.object)
                else:
                    words.append(node.field)
            elif kind is Call:
                name = callee_name(node)
                if apis.creates(name) is not None:
                    sure = True
                elif passes_through(name):
                    stack += node.arguments[:1]
                else:
                    if type(node.function) is Member and node.function.field in READING_METHODS:
                        stack.append(node.function.object)
                    words += (word_of(name, definition, self.symbols), returned(plain_name(name)))
                    sure = sure or not name
            elif kind is Lambda:
                functions.append(self.symbols.function_at(definition.path, node.function))
            elif kind is Cast or kind is Unary:
                stack.append(node.operand)
            elif kind is Index:
                stack.append(node.object)
            elif kind is Assign:
                stack.append(node.value)
            elif kind is Conditional:
                stack += (node.then, node.other)
            elif kind is Binary:
                if node.op in HANDING_ON:
                    stack += (node.left, node.right)
            elif kind is Unknown:
                stack += node.parts
            elif kind is Initializer:
                stack += [item.value for item in node.items]
        return words, functions, sure

    # ------------------------------------------------------------------ what follows from that

    def _mark(self, word: Word) -> None:
        if word not in self._live:
            self._live.add(word)
            self._waiting.append(word)

    def settled(self) -> set[Word]:
        """All words into which a function or an object may flow."""
        types: dict[int, set[str]] = {}
        while True:
            while self._waiting:
                for word in self._into.get(self._waiting.pop(), ()):
                    self._mark(word)
            ready = [o for o in self._open if not o.words or not self._live.isdisjoint(o.words)]
            if not ready:
                return self._live
            self._open = [o for o in self._open if o.words and self._live.isdisjoint(o.words)]
            for entry in ready:
                if entry.position not in types:
                    types[entry.position] = self._open_up(entry.position)
                for type_ in types[entry.position] if type(entry.value) in NESTED else ("",):
                    self.initialised(_any(entry.position), type_, entry.value, entry.definition)

    def _open_up(self, position: int) -> set[str]:
        """Let what a pointer's call passes at a position flow into any function whose address is taken;
        returns the types that they have there."""
        types: set[str] = set()
        for function in self._pointed.values():
            parameters = function.function.parameters
            if -len(parameters) <= position < len(parameters):
                self._into[_any(position)].append((function.id, parameters[position].name))
                types.add(parameters[position].type)
        return types


def _any(position: int) -> Word:
    """The word for the parameters at a position, of all functions whose address is taken."""
    return position, ""


def _field_word(kind: str, field: str) -> str:
    return field
