"""What a rule would have changed, in its own terms: an intention on places that facts gave it.

Rules know no syntax, so a rule names the flags to drop or the return to replace, and
:mod:`lwslint.fixes.resolve` finds out from the bytes of the file which operator, comma, line or
statement goes with them.  Where the text is not of a shape that it is sure about, there is no fix.
"""

from __future__ import annotations

import enum

import msgspec

from lwslint.facts import Place


class Applicability(enum.StrEnum):
    """Who decides about a fix.

    SAFE: ``--fix`` makes it; the program does what it was meant to do, or the same as before.  UNSAFE:
    only ``--unsafe-fixes`` makes it; what the program does to others, or what others see of it, changes
    in a way that lwslint cannot judge (a server may need the subprotocol, a test bench the flag).
    """

    SAFE = "safe"
    UNSAFE = "unsafe"


class DropFlags(msgspec.Struct, frozen=True, tag=True):
    """Take the flags at ``places`` out of the ``|`` expressions they stand in, C and C++.

    What stands at a place in ``instead``, a flag or a number, becomes the text beside it.  Where nothing
    would be left of an expression, ``alone`` stands there; without it, a statement that only adds flags
    goes as a whole, and anything else has no fix.
    """

    places: tuple[Place, ...] = ()
    instead: tuple[tuple[Place, str], ...] = ()
    alone: str = ""


class SetBeside(msgspec.Struct, frozen=True, tag=True):
    """Beside the write whose right side stands at ``value``, set ``field`` of the same object, C and C++.

    The field gets ``text``, or where that is empty what stands at ``value``; an empty ``field`` asks for
    neither.  The value itself becomes ``instead``, a null pointer where that is empty; None leaves it.
    ``order`` are the struct's fields as they are declared: C++ takes designated initialisers in that
    order only.
    """

    value: Place
    field: str = ""
    text: str = ""
    instead: str | None = None
    order: tuple[str, ...] = ()


class Respell(msgspec.Struct, frozen=True, tag=True):
    """The string literal at ``place``, which now says ``before``, says ``after``.

    In Python, where ``elements`` are given, these take its place, in a list of their own if ``listed``.
    """

    place: Place
    before: str
    after: str = ""
    elements: tuple[str, ...] = ()
    listed: bool = False


class LeaveWith(msgspec.Struct, frozen=True, tag=True):
    """The ``return`` or ``break`` statements at ``places`` become ``return text;``, C and C++.

    ``named`` are unnamed parameters, which C++ allows, with the names that ``text`` needs them to have.
    """

    places: tuple[Place, ...]
    text: str
    named: tuple[tuple[Place, str], ...] = ()


class AddDefault(msgspec.Struct, frozen=True, tag=True):
    """The ``switch`` statement at ``switch``, which has no ``default:``, gets one that returns ``text``.

    ``named`` as in :class:`LeaveWith`.
    """

    switch: Place
    text: str
    named: tuple[tuple[Place, str], ...] = ()


class DropElements(msgspec.Struct, frozen=True, tag=True):
    """Take the arguments, or the items of a list or dict, at ``places`` out, with their commas.

    Each place is that of the whole argument (``name=value``) or item (``key: value``).
    """

    places: tuple[Place, ...]


class DropStatements(msgspec.Struct, frozen=True, tag=True):
    """Take the simple statements at ``places`` out of a Python file; a body left empty gets ``pass``."""

    places: tuple[Place, ...]


class Rewrite(msgspec.Struct, frozen=True, tag=True):
    """What stands at each place, which now reads as the first text (``""``: whatever it reads), becomes
    the second one, in any language.  An empty place is an insertion."""

    changes: tuple[tuple[Place, str, str], ...]


Change = DropFlags | SetBeside | Respell | LeaveWith | AddDefault | DropElements | DropStatements | Rewrite


class Remedy(msgspec.Struct, frozen=True):
    """A change that would end a finding; ``message`` says in the imperative what it does.

    ``more`` are changes that belong to the first one: all are made or none.
    """

    message: str
    applicability: Applicability
    change: Change
    more: tuple[Change, ...] = ()
