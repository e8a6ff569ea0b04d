"""What the front ends say about one file: plain, frozen records that hold no syntax node.

Every front end (C, C++, and later Python and the build files) lowers its language into these
records, so that the project model and the rules know no syntax.  They can be pickled, hashed by
content and sent to another process.

Spans are byte offsets into the file as it is on disk (``start`` inclusive, ``end`` exclusive);
:mod:`lwslint.source` turns them into lines and columns when a report is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec


class Span(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """A half-open range of byte offsets in one file.

    Every fact has one: no other kind of record is made as fast.  It unpacks as a pair.
    """

    start: int
    end: int

    def __iter__(self) -> Iterator[int]:
        return iter((self.start, self.end))


class Place(NamedTuple):
    """A span in a named file; ``path`` is relative to the linted root, with forward slashes."""

    path: str
    span: Span


class Fact(msgspec.Struct, frozen=True, gc=False, tag_field="node", array_like=True):
    """Base of all records: immutable, compared by value.  Written down as arrays, which are half as long as
    maps with the names of the fields."""


# --------------------------------------------------------------------------- values (expressions)


class Number(Fact, frozen=True, tag=True):
    """An integer literal (also a character literal, ``true`` and ``false``)."""

    span: Span
    value: int


class Text(Fact, frozen=True, tag=True):
    """A string literal, adjacent literals joined, escapes resolved."""

    span: Span
    value: str


class Null(Fact, frozen=True, tag=True):
    """``NULL``, ``nullptr`` or ``None``."""

    span: Span


class Name(Fact, frozen=True, tag=True):
    """An identifier as written; C++ qualifiers are kept (``ws::Client::run``), ``this`` too."""

    span: Span
    id: str


class Member(Fact, frozen=True, tag=True):
    """``object.field`` or ``object->field``; ``field_span`` is the span of the field's name alone."""

    span: Span
    object: Value
    field: str
    field_span: Span


class Index(Fact, frozen=True, tag=True):
    """``object[index]``."""

    span: Span
    object: Value
    index: Value


class Unary(Fact, frozen=True, tag=True):
    """A prefix or postfix operator: ``& * ! ~ - + ++ -- sizeof await delete throw``."""

    span: Span
    op: str
    operand: Value


class Binary(Fact, frozen=True, tag=True):
    """A binary operator, as spelled in C (``&&``, ``|``, ``==`` …)."""

    span: Span
    op: str
    left: Value
    right: Value


class Conditional(Fact, frozen=True, tag=True):
    """``test ? then : other``."""

    span: Span
    test: Value
    then: Value
    other: Value


class Cast(Fact, frozen=True, tag=True):
    """A C cast, or ``static_cast<T>(x)`` and its kin; ``type`` as written, white space folded."""

    span: Span
    type: str
    operand: Value


class Assign(Fact, frozen=True, tag=True):
    """An assignment, which is a value in C.  ``op`` is ``=``, ``|=``, ``&=`` …, or ``(`` where a C++
    constructor's initialiser list constructs a member from arguments (``value`` is then an
    :class:`Initializer` of the arguments)."""

    span: Span
    target: Value
    op: str
    value: Value


class Keyword(Fact, frozen=True):
    """A named argument of a call (Python)."""

    span: Span
    name: str
    value: Value


class Call(Fact, frozen=True, tag=True):
    """A call; ``kind`` is ``call``, ``new`` (``new T(args)``, ``function`` is the type's Name) or
    ``construct`` (``T name(args)``, ``T{args}``; ``function`` is the type's Name)."""

    span: Span
    function: Value
    arguments: tuple[Value, ...]
    keywords: tuple[Keyword, ...] = ()
    kind: str = "call"


class Item(Fact, frozen=True):
    """One element of an initialiser.  ``designator`` is the outermost field name (``.name =``), or
    the index (``[2] =``), or None when positional."""

    span: Span
    value: Value
    designator: str | int | None = None


class Initializer(Fact, frozen=True, tag=True):
    """``{ a, .b = c }``; also Python's lists, tuples (positional) and dicts (designated)."""

    span: Span
    items: tuple[Item, ...]
    type: str | None = None


class Lambda(Fact, frozen=True, tag=True):
    """A lambda expression; ``function`` is its index in :attr:`FileFacts.functions`."""

    span: Span
    function: int


class Unknown(Fact, frozen=True, tag=True):
    """An expression of no interest, or one that did not parse; ``parts`` are the values inside it."""

    span: Span
    parts: tuple[Value, ...] = ()


Value = (
    Number
    | Text
    | Null
    | Name
    | Member
    | Index
    | Unary
    | Binary
    | Conditional
    | Cast
    | Assign
    | Call
    | Initializer
    | Lambda
    | Unknown
)


# --------------------------------------------------------------------------- statements


class Evaluate(Fact, frozen=True, tag=True):
    """An expression statement."""

    span: Span
    value: Value


class Declare(Fact, frozen=True, tag=True):
    """A variable's declaration, local or at file scope.  ``type`` is as written, without storage
    class, with ``*`` and ``[]`` of the declarator appended (``struct lws_protocols[]``)."""

    span: Span
    name: str
    name_span: Span
    type: str
    value: Value | None = None
    static: bool = False


class If(Fact, frozen=True, tag=True):
    """``else if`` is an If in ``other``.  So that facts never nest without bound, the front ends break a
    chain of more than 32 links: it goes on behind the If, and each earlier branch jumps over the rest."""

    span: Span
    test: Value
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


class Arm(Fact, frozen=True):
    """One run of ``case`` labels and the statements up to the next label.  Control falls through
    to the next arm unless the body leaves."""

    span: Span
    labels: tuple[Value, ...]
    default: bool
    body: tuple[Statement, ...]


class Switch(Fact, frozen=True, tag=True):
    span: Span
    subject: Value
    arms: tuple[Arm, ...]


class Loop(Fact, frozen=True, tag=True):
    """``kind``: ``while``, ``do``, ``for``, ``range`` (C++ range-for, Python for: ``before`` then
    declares the loop variable, with the range as its value's only part).  ``before`` runs once,
    ``step`` after each turn."""

    span: Span
    kind: str
    test: Value | None
    body: tuple[Statement, ...]
    before: tuple[Statement, ...] = ()
    step: tuple[Statement, ...] = ()


class Return(Fact, frozen=True, tag=True):
    span: Span
    value: Value | None = None


class Jump(Fact, frozen=True, tag=True):
    """``break``, ``continue`` (``label`` empty) or ``goto`` (``label`` named)."""

    span: Span
    kind: str
    label: str = ""


class Label(Fact, frozen=True, tag=True):
    span: Span
    name: str


class Block(Fact, frozen=True, tag=True):
    """A nested block; ``kind``: ``block``, ``try``, ``catch``, ``with``, ``critical``."""

    span: Span
    body: tuple[Statement, ...]
    kind: str = "block"


Statement = Evaluate | Declare | If | Switch | Loop | Return | Jump | Label | Block


# --------------------------------------------------------------------------- definitions


class Parameter(Fact, frozen=True):
    """``default``: Python only."""

    name: str
    type: str
    span: Span
    default: Value | None = None


class Function(Fact, frozen=True):
    """A function, method, lambda or function-like macro that has a body.

    ``qualified`` carries namespaces and classes (``ws::Client::run``); ``owner`` is the qualified
    class of a method, else empty.  ``static`` means internal linkage (a ``static`` free function,
    an anonymous namespace), not a static method.  ``parent`` is the index of the function that
    holds a lambda.  ``variant`` tells bodies apart that come from different arms of ``#if``.
    ``coroutine`` (``async def``) and ``decorators`` are Python's; a Python module's own statements are a
    function called ``<module>``.
    """

    name: str
    qualified: str
    span: Span
    name_span: Span
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    kind: str = "function"  # function, method, constructor, destructor, lambda, macro
    owner: str = ""
    static: bool = False
    returns: str = ""
    parent: int | None = None
    variant: int = 0
    virtual: bool = False
    coroutine: bool = False
    decorators: tuple[Value, ...] = ()


class Field(Fact, frozen=True):
    name: str
    type: str
    span: Span
    value: Value | None = None


class Class(Fact, frozen=True):
    """A struct, class or union; ``methods`` are the names it declares (with or without body), and
    ``public`` those of them that other code may call."""

    name: str
    qualified: str
    span: Span
    fields: tuple[Field, ...]
    bases: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    public: tuple[str, ...] = ()


class Enumerator(Fact, frozen=True):
    """A constant of an enum.  ``value`` None: one more than the one before it, else 0."""

    name: str
    span: Span
    value: Value | None
    previous: str = ""


class Alias(Fact, frozen=True):
    """``typedef``/``using``: ``name`` stands for ``type``."""

    name: str
    type: str
    span: Span


class Macro(Fact, frozen=True):
    """An object-like macro whose text is one expression."""

    name: str
    span: Span
    value: Value


class Condition(Fact, frozen=True):
    """The text that one arm of a preprocessor conditional switches on.

    ``text`` is the whole condition as it holds for this arm (``!defined(DEBUG)`` for the ``#else``
    of ``#ifdef DEBUG``).  ``truth`` is True when the build profile decides that it holds, None when
    nothing decides it and the arm was parsed on the assumption that it does.  Arms known to be out
    of the build are blanked before parsing and have no record, except in ``FileFacts.inactive``.
    """

    span: Span
    text: str
    truth: bool | None
    names: tuple[str, ...] = ()


class Prototype(Fact, frozen=True):
    """A function's declaration without a body."""

    name: str
    qualified: str
    span: Span
    parameters: tuple[Parameter, ...] = ()
    static: bool = False


# --------------------------------------------------------------------------- documents (JSON)


class JsonText(Fact, frozen=True, tag=True):
    """A string; ``value`` with its escapes resolved, ``span`` with its quotes."""

    span: Span
    value: str


class JsonNumber(Fact, frozen=True, tag=True):
    """A number as it is written."""

    span: Span
    text: str


class JsonWord(Fact, frozen=True, tag=True):
    """``true``, ``false`` or ``null``."""

    span: Span
    word: str


class JsonArray(Fact, frozen=True, tag=True):
    span: Span
    items: tuple[Json, ...]


class JsonMember(Fact, frozen=True):
    """``"key": value``; ``key_span`` with the quotes."""

    key: str
    key_span: Span
    value: Json


class JsonObject(Fact, frozen=True, tag=True):
    """An object; a key that is written twice is there twice."""

    span: Span
    members: tuple[JsonMember, ...]

    def member(self, key: str) -> JsonMember | None:
        """The last member of that name, which is the one that counts."""
        return next((m for m in reversed(self.members) if m.key == key), None)


Json = JsonText | JsonNumber | JsonWord | JsonArray | JsonObject


class Document(Fact, frozen=True):
    """A JSON text that libwebsockets reads: a file, or string literals of a program.

    ``kind`` is ``lwsws`` (configuration of the lwsws server) or ``policy`` (Secure Streams).  Where the text
    is not well-formed, ``root`` is None and ``problem`` says why, at ``span``; else ``span`` is the whole.
    ``rest`` is text behind the root, which the library never reads.
    """

    kind: str
    span: Span
    root: JsonObject | None = None
    problem: str = ""
    rest: Span | None = None


class FileFacts(Fact, frozen=True):
    """Everything the front end says about one file."""

    path: str
    language: str  # c, cpp, python; json, lwsws (JSON with comments)
    size: int
    functions: tuple[Function, ...] = ()
    prototypes: tuple[Prototype, ...] = ()
    variables: tuple[Declare, ...] = ()
    classes: tuple[Class, ...] = ()
    enumerators: tuple[Enumerator, ...] = ()
    aliases: tuple[Alias, ...] = ()
    macros: tuple[Macro, ...] = ()
    includes: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    inactive: tuple[Condition, ...] = ()
    documents: tuple[Document, ...] = ()
    error_bytes: int = 0
    errors: tuple[Span, ...] = ()
    problem: str = ""


# --------------------------------------------------------------------------- walking


_PARTS: Final[dict[type, Callable[[Any], tuple[Value, ...]]]] = {
    Call: lambda v: (
        (v.function, *v.arguments, *(k.value for k in v.keywords))
        if v.keywords
        else (v.function, *v.arguments)
    ),
    Binary: lambda v: (v.left, v.right),
    Assign: lambda v: (v.value, v.target),
    Member: lambda v: (v.object,),
    Unary: lambda v: (v.operand,),
    Cast: lambda v: (v.operand,),
    Index: lambda v: (v.object, v.index),
    Conditional: lambda v: (v.test, v.then, v.other),
    Initializer: lambda v: tuple([item.value for item in v.items]),
    Unknown: lambda v: v.parts,
}
"""By type, not by ``match``: every rule walks every value, and most values are the last cases of a match."""


def parts(value: Value) -> tuple[Value, ...]:
    """The values directly inside ``value``, in the order C evaluates or writes them.

    A lambda's body is a function of its own and is not entered.
    """
    inner = _PARTS.get(type(value))
    return () if inner is None else inner(value)


def walk(value: Value) -> Iterator[Value]:
    """``value`` and all values inside it, inner ones first; iterative, so depth costs no stack."""
    found: list[Value] = []
    stack: list[Value] = [value]
    while stack:
        node = stack.pop()
        found.append(node)
        inside = _PARTS.get(type(node))
        if inside is not None:
            stack.extend(inside(node))
    # Found outermost first and last part first; backwards, that is every part before what holds it.
    return reversed(found)
