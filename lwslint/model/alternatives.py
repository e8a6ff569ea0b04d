"""Alternatives of a value: what it may be, from where, and under which conditions; and their algebra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from lwslint.facts import Condition, Member, Name, Place, Span, Value
from lwslint.model.bodies import Guard, Site
from lwslint.model.symbols import Definition

MAX_ALTERNATIVES = 32
MAX_OBJECTS = 24
MAX_CIRCUMSTANCES = 24
MAX_PIECES = 32
MAX_VIA = 12


class Circumstance(msgspec.Struct, frozen=True, eq=False):
    """One condition on a value's way: a run-time ``guard`` in ``definition``, or a preprocessor
    ``condition`` of the file ``path``.  Two are the same when they stand in the same place."""

    path: str
    definition: Definition | None = None
    guard: Guard | None = None
    condition: Condition | None = None

    def same(self, other: Circumstance) -> bool:
        if self.condition is not None:
            return other.condition is not None and self.condition.text == other.condition.text
        a, b = self.guard, other.guard
        return a is not None and b is not None and a.test is b.test and a.holds == b.holds and a.arm is b.arm

    def opposes(self, other: Circumstance) -> bool:
        """Whether the two never hold together, as far as their form tells."""
        if self.condition is not None:
            return other.condition is not None and _opposed(self.condition.text, other.condition.text)
        a, b = self.guard, other.guard
        if a is None or b is None or a.test is not b.test:
            return False
        return a.holds != b.holds or (a.arm is not None and b.arm is not None and a.arm is not b.arm)


def _opposed(a: str, b: str) -> bool:
    """Whether one preprocessor condition starts with the negation of the other."""
    return any(
        text.startswith((f"!({negated})", f"!{negated}")) for text, negated in ((a, b), (b, a)) if negated
    )


class Via(msgspec.Struct, frozen=True):
    """A station on a value's way, nearest to the asked-for place first."""

    place: Place
    what: str


class Piece(msgspec.Struct, frozen=True, eq=False):
    """A constant as it stands in the source.  ``root`` is the whole expression around it (the right
    side of an assignment, a returned value, an argument, a macro's text)."""

    text: str
    place: Place
    root: Place
    definition: Definition
    number: int | None = None
    via: tuple[Via, ...] = ()
    when: tuple[Circumstance, ...] = ()


class Alternative(msgspec.Struct, frozen=True, eq=False):
    """One thing a value may be.  ``kind`` is ``number``, ``text``, ``null`` or ``unknown``.

    ``partial`` marks a number or a text of which only a part is known.
    """

    kind: str
    number: int = 0
    text: str = ""
    partial: bool = False
    pieces: tuple[Piece, ...] = ()
    when: tuple[Circumstance, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        return (
            self.kind,
            self.number,
            self.text,
            self.partial,
            tuple((p.place, p.text) for p in self.pieces),
            tuple((id(c.condition), id(c.guard)) for c in self.when),
        )


class Possible(msgspec.Struct, frozen=True):
    """The alternatives, in the order in which they were found."""

    alternatives: tuple[Alternative, ...]

    @property
    def numbers(self) -> tuple[Alternative, ...]:
        return tuple(a for a in self.alternatives if a.kind == "number")

    @property
    def texts(self) -> tuple[Alternative, ...]:
        return tuple(a for a in self.alternatives if a.kind == "text")

    @property
    def unknown(self) -> bool:
        return any(a.kind == "unknown" or a.partial for a in self.alternatives)

    @property
    def null(self) -> bool:
        return any(is_null(a) for a in self.alternatives)


def is_null(alternative: Alternative) -> bool:
    """Null, or the number 0 that stands for it."""
    return alternative.kind == "null" or (alternative.kind == "number" and alternative.number == 0)


class Frame(msgspec.Struct, frozen=True, eq=False):
    """The call through which a function was entered: its parameters are that call's arguments."""

    callee: Definition
    caller: Definition
    site: Site
    parent: Frame | None = None


class Scope(msgspec.Struct, frozen=True, eq=False):
    """Where a value is looked at: in which function, entered how, after how many of its sites, under
    which guards, and (``at``) inside which preprocessor conditions."""

    definition: Definition
    frame: Frame | None = None
    order: int | None = None
    guards: tuple[Guard, ...] = ()
    at: Span | None = None


class Write(msgspec.Struct, frozen=True, eq=False):
    """A place that gives something a value.

    ``target`` is what is written (a Name or a Member, pointers and indices stripped; ``index`` is
    that of the innermost stripped one).  ``op`` is ``=``, ``|=``, ``+=`` …, or ``out`` where ``value``
    is a call that gets the target's address as argument ``argument``.  ``span`` is the statement,
    ``owner`` the class where the target is a field's default.
    """

    target: Name | Member
    op: str
    value: Value
    definition: Definition
    order: int
    guards: tuple[Guard, ...]
    span: Span
    index: Value | None = None
    argument: int = -1
    owner: str = ""
    site: Site | None = None

    @property
    def place(self) -> Place:
        return Place(self.definition.path, self.span)

    @property
    def scope(self) -> Scope:
        return Scope(self.definition, None, self.order, self.guards, self.span)


Object = tuple[str, ...]
"""A struct that can be named: ``("local", file, function's rank, name)``, ``("global", file, name)``,
``("member", class, field, home)``, or ``("class", name, home)`` for some instance of that class.
``home`` is the file that declares the class, "" when no linted file does: programs that share a tree
often share the names of their classes."""


class Pointee(msgspec.Struct, frozen=True, eq=False):
    """An object that a value is or points to, and how the value came to it."""

    object: Object
    via: tuple[Via, ...] = ()
    when: tuple[Circumstance, ...] = ()


# --------------------------------------------------------------------------- algebra


def dict_of(writes: Iterable[tuple[Write, Pointee]]) -> dict[int, Pointee]:
    """The pointee of each write, by the write's identity."""
    return {id(write): pointee for write, pointee in writes}


def join(a: tuple[Circumstance, ...], b: tuple[Circumstance, ...]) -> tuple[Circumstance, ...]:
    if not a:
        return b
    extra = tuple(c for c in b if not any(c.same(d) for d in a))
    return (*a, *extra)[:MAX_CIRCUMSTANCES] if extra else a


def conflict(a: Sequence[Circumstance], b: Sequence[Circumstance]) -> bool:
    return any(c.opposes(d) for c in a for d in b)


def covers(held: Sequence[Circumstance], wanted: Sequence[Circumstance]) -> bool:
    return all(any(c.same(d) for d in held) for c in wanted)


def under(a: Alternative, when: tuple[Circumstance, ...]) -> Alternative:
    if not when:
        return a
    pieces = tuple(msgspec.structs.replace(p, when=join(when, p.when)) for p in a.pieces)
    return msgspec.structs.replace(a, when=join(when, a.when), pieces=pieces)


def passed(a: Alternative, step: Via) -> Alternative:
    pieces = tuple(
        p if len(p.via) >= MAX_VIA or step in p.via else msgspec.structs.replace(p, via=(*p.via, step))
        for p in a.pieces
    )
    return msgspec.structs.replace(a, pieces=pieces)


def rooted(a: Alternative, root: Place) -> Alternative:
    """Let pieces whose own text is all we know of them belong to the expression around them."""
    pieces = tuple(
        msgspec.structs.replace(p, root=root)
        if p.root.path == root.path
        and root.span.start <= p.root.span.start
        and p.root.span.end <= root.span.end
        else p
        for p in a.pieces
    )
    return msgspec.structs.replace(a, pieces=pieces)


def as_partial(a: Alternative) -> Alternative:
    return a if a.partial or a.kind == "unknown" else msgspec.structs.replace(a, partial=True)


def as_number(a: Alternative) -> int | None:
    if a.kind == "number":
        return a.number
    return 0 if a.kind == "null" else None


def compute(op: str, a: int, b: int) -> int | None:
    match op:
        case "|":
            return a | b
        case "&":
            return a & b
        case "^":
            return a ^ b
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b if abs(a) < 1 << 64 and abs(b) < 1 << 64 else None
        case "<<":
            return a << b if 0 <= b < 64 and abs(a) < 1 << 64 else None
        case ">>":
            return a >> b if 0 <= b < 64 else None
        case "==":
            return int(a == b)
        case "!=":
            return int(a != b)
        case "<":
            return int(a < b)
        case ">":
            return int(a > b)
        case "<=":
            return int(a <= b)
        case ">=":
            return int(a >= b)
        case "&&":
            return int(bool(a) and bool(b))
        case "||":
            return int(bool(a) or bool(b))
        case _:
            return None


def bounded(found: list[Alternative]) -> list[Alternative]:
    """The alternatives without repetition; too many become one whose number is only partly known."""
    kept: dict[tuple[object, ...], Alternative] = {}
    for a in found:
        kept.setdefault(a.key, a)
    result = list(kept.values())
    if len(result) <= MAX_ALTERNATIVES:
        return result
    pieces: dict[tuple[Place, str], Piece] = {}
    number = 0
    for a in result:
        number |= a.number
        for p in a.pieces:
            pieces.setdefault((p.place, p.text), p)
    first = result[: MAX_ALTERNATIVES - 1]
    rest = Alternative("unknown", number, partial=True, pieces=tuple(pieces.values())[:64])
    return [*first, rest]


def distinct(found: list[Pointee]) -> list[Pointee]:
    kept: dict[Object, Pointee] = {}
    for pointee in found:
        known = kept.get(pointee.object)
        # The way with the fewest conditions is the one that counts.
        if known is None or len(pointee.when) < len(known.when):
            kept[pointee.object] = pointee
    return list(kept.values())[:MAX_OBJECTS]
