"""What the lowering of C and C++ shares: grammars, dispatch tables, and the facts found so far.

The lowering is a set of functions over syntax nodes, one per node kind, that are found through
tables indexed by the grammar's kind numbers: this is the hot loop of the linter, and a list index is
the cheapest dispatch there is.  Nesting is followed by recursion down to :data:`MAX_DEPTH` only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import tree_sitter_c
import tree_sitter_cpp
from tree_sitter import Language, Node, Parser

from lwslint.facts import (
    Alias,
    Class,
    Declare,
    Document,
    Enumerator,
    Function,
    Macro,
    Prototype,
    Span,
    Statement,
    Unknown,
    Value,
)

MAX_DEPTH = 160
"""How deep statements and expressions may nest together.  Each level costs up to three Python frames
here, and as many again in whatever pickles or encodes the facts: well below the default limit of 1000."""

MAX_ITEMS = 4096
"""How many elements of one initialiser are kept: longer ones are data, not configuration."""

# C++ [lex.digraph]: other spellings of operators.
ALTERNATIVE = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "bitand": "&",
    "bitor": "|",
    "xor": "^",
    "compl": "~",
    "and_eq": "&=",
    "or_eq": "|=",
    "xor_eq": "^=",
    "not_eq": "!=",
}

STAND_INS = frozenset(("||", "%", ".*"))
"""Operators that the parser also sees where the text has another one (neutralise.readable)."""

ERROR_KIND = 65535
"""The kind number of tree-sitter's ERROR nodes, in every grammar."""

ValueHandler = Callable[["Unit", Node, int], Value]
StatementHandler = Callable[["Unit", Node, int, list[Statement]], None]
DefinitionHandler = Callable[["Unit", Node, int, "Scope"], None]


class Fields(msgspec.Struct, frozen=True):
    """The numbers that a grammar gives to its field names; 0 (no node has it) where it lacks one."""

    alternative: int
    argument: int
    arguments: int
    body: int
    captures: int
    condition: int
    consequence: int
    declarator: int
    default_value: int
    designator: int
    field: int
    function: int
    index: int
    indices: int
    initializer: int
    label: int
    left: int
    length: int
    name: int
    operator: int
    parameters: int
    right: int
    scope: int
    type: int
    update: int
    value: int


class Scope(msgspec.Struct, frozen=True):
    """Where a definition stands: ``prefix`` names its namespaces and classes (``ws::Client``),
    ``owner`` is the prefix when the innermost of them is a class, ``static`` means that an anonymous
    namespace is around it."""

    prefix: str = ""
    owner: str = ""
    static: bool = False

    def qualify(self, name: str) -> str:
        return f"{self.prefix}::{name}" if self.prefix else name


class StrayCase(NamedTuple):
    """A case label deeper in a switch than its arms are: ``label`` (None: default), and the name of the
    :class:`~lwslint.facts.Label` that stands in its place."""

    span: Span
    label: Value | None
    name: str


class Tables(NamedTuple):
    """Handlers by name of node kind; a :class:`Dialect` turns them into lists by kind number."""

    values: dict[str, ValueHandler]
    other_value: ValueHandler
    statements: dict[str, StatementHandler]
    other_statement: StatementHandler
    whole: frozenset[str]  # expressions that are kept when they stand in an ERROR node


class Dialect:
    """One grammar with its parser and its dispatch tables."""

    __slots__ = (
        "comma",
        "comment",
        "cpp",
        "fields",
        "kinds",
        "names",
        "operators",
        "parser",
        "standing",
        "statements",
        "values",
    )

    def __init__(self, language: str, tables: Tables) -> None:
        grammar = Language(tree_sitter_cpp.language() if language == "cpp" else tree_sitter_c.language())
        self.cpp = language == "cpp"
        self.parser = Parser(grammar)
        self.names = {i: grammar.node_kind_for_id(i) or "" for i in range(grammar.node_kind_count)}
        # What an operator's token stands for; empty where the text has to be looked at (neutralise.readable).
        self.operators: dict[int, str] = {
            i: "" if name in STAND_INS else ALTERNATIVE.get(name, name) for i, name in self.names.items()
        }
        self.operators[ERROR_KIND] = ""
        self.kinds = {name: i for i, name in reversed(self.names.items())}
        self.fields = Fields(*(grammar.field_id_for_name(name) or 0 for name in Fields.__struct_fields__))
        self.comment = self.kinds["comment"]
        self.comma = self.kinds["comma_expression"]
        named = [grammar.node_kind_is_named(i) for i in range(grammar.node_kind_count)]
        # ERROR has a number far above all others: dictionaries, which are no slower than lists here.
        self.values: dict[int, ValueHandler] = {
            i: tables.values.get(name, tables.other_value) if named[i] else tables.other_value
            for i, name in self.names.items()
        }
        self.statements: dict[int, StatementHandler] = {
            i: tables.statements.get(name, tables.other_statement) if named[i] else skip_statement
            for i, name in self.names.items()
        }
        self.standing = frozenset(
            i
            for i, name in self.names.items()
            if named[i] and (name in tables.whole or name in tables.statements)
        ) | {ERROR_KIND}
        self.names[ERROR_KIND] = "ERROR"
        self.values[ERROR_KIND] = tables.values["ERROR"]
        self.statements[ERROR_KIND] = tables.statements["ERROR"]


def _cut(unit: Unit, node: Node, depth: int) -> Value:
    return Unknown(span_of(node))


TOO_DEEP: defaultdict[int, ValueHandler] = defaultdict(lambda: _cut)
"""The handlers of values behind :data:`MAX_DEPTH`, where :attr:`Unit.values` would be asked before it."""


def skip_statement(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """For what says nothing: punctuation, comments, ``using``, ``static_assert``."""


class Sink:
    """The facts of one file while they are collected; several variants of the text share it.

    A function's place in ``functions`` is taken before its body is lowered, because the lambdas in
    the body name it.
    """

    __slots__ = (
        "aliases",
        "classes",
        "documents",
        "enumerators",
        "functions",
        "macros",
        "names",
        "namespaces",
        "problem",
        "prototypes",
        "variables",
    )

    def __init__(self) -> None:
        self.functions: list[Function | None] = []
        self.prototypes: list[Prototype] = []
        self.variables: list[Declare] = []
        self.classes: list[Class] = []
        self.enumerators: list[Enumerator] = []
        self.aliases: list[Alias] = []
        self.macros: list[Macro] = []
        self.documents: list[Document] = []
        self.names: set[str] = set()
        self.namespaces: set[str] = set()
        self.problem = ""

    def reserve(self) -> int:
        self.functions.append(None)
        return len(self.functions) - 1


class Unit:
    """One text (a variant of the file, or a macro's replacement text) on its way into a sink."""

    __slots__ = (
        "comma",
        "comment",
        "cpp",
        "data",
        "dialect",
        "fields",
        "function",
        "names",
        "operators",
        "outer",
        "owner",
        "pair",
        "sink",
        "source",
        "statements",
        "strays",
        "update",
        "values",
        "variant",
        "wanted",
    )

    def __init__(
        self,
        dialect: Dialect,
        data: bytes,
        sink: Sink,
        variant: int = 0,
        wanted: tuple[Span, ...] | None = None,
    ) -> None:
        self.dialect = dialect
        self.data = data
        self.source = _as_characters(data)
        self.sink = sink
        self.variant = variant
        self.wanted = wanted  # None: everything; else only definitions that overlap one of these
        self.cpp = dialect.cpp
        self.comment = dialect.comment
        self.comma = dialect.comma
        self.pair = dialect.kinds["initializer_pair"]
        self.update = dialect.kinds["update_expression"]
        self.fields = dialect.fields
        self.names = dialect.names  # of node kinds: cheaper than Node.type, which makes a string each time
        self.operators = dialect.operators
        self.statements = dialect.statements
        self.values = dialect.values
        # The function being lowered: its index, its qualified name, and the class it belongs to.
        self.function: int | None = None
        self.outer = ""
        self.owner = ""
        # Case labels that were met inside the statements of the innermost switch; None outside of one.
        self.strays: list[StrayCase] | None = None

    def text(self, node: Node) -> str:
        """The node's text as it stands in the file; bytes that are no UTF-8 become U+FFFD."""
        start, end = node.byte_range
        found = self.source[start:end]
        return found if found.isascii() else decoded(found)

    def note(self, problem: str) -> None:
        """Remember the first problem; more of the same would say nothing new."""
        if not self.sink.problem:
            self.sink.problem = problem

    def overlaps(self, node: Node) -> bool:
        """True when ``node`` holds code that this variant is parsed for."""
        if self.wanted is None:
            return True
        start, end = node.start_byte, node.end_byte
        return any(span.start < end and start < span.end for span in self.wanted)


@lru_cache(maxsize=1)
def _as_characters(data: bytes) -> str:
    """The bytes as a string of one character each: a slice of it costs less than one that is decoded, and
    nearly all text is ASCII.  Kept for the macros of a file, each of which is a unit of its own."""
    return data.decode("latin-1")


def decoded(characters: str) -> str:
    """What a slice of :attr:`Unit.source` that is not ASCII says."""
    return characters.encode("latin-1").decode("utf-8", "replace")


def span_of(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)


_DROPPED = re.compile(
    r"\b(?:static|extern|register|const|volatile|inline|__inline|__inline__|constexpr|constinit|consteval|"
    r"mutable|thread_local|virtual|explicit|friend|typename|restrict|__restrict|__restrict__|"
    r"__extension__)\b(?:\s*\"C(?:\+\+)?\")?"
)
_SPACED = re.compile(r"\s*(::|&&|[<>*&,()\[\]])\s*")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A type or a qualified name in one spelling: no storage class, no cv-qualifiers, no white space
    but what keeps words apart.

    >>> fold("const struct lws_context  *")
    'struct lws_context*'
    """
    return " ".join(_SPACED.sub(r"\1", _DROPPED.sub("", text)).split())


def flattened(unit: Unit, nodes: list[Node], kinds: frozenset[str]) -> Iterator[Node]:
    """``nodes`` in order, those of ``kinds`` (and ERROR) replaced by what they hold, at any depth."""
    names = unit.names
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        kind = node.kind_id
        if kind == ERROR_KIND or names[kind] in kinds:
            stack.extend(reversed(node.children))
        else:
            yield node


def children_of(node: Node, field: int) -> list[Node]:
    """All children in one field; typed here because the binding's stub is not."""
    found: Any = node.children_by_field_id(field)
    children: list[Node] = found
    return children
