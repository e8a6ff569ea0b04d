"""Turns C and C++ source into text that a parser without a preprocessor understands, byte for byte in place.

Conditionals are evaluated three-valued under the build profile.  Arms that are out of the build are
blanked; arms that nothing decides are taken in :class:`Variant` s, each of them a consistent set of
assumptions.  Every variant has the length and the line breaks of the input, so that a byte offset in a
syntax tree is a byte offset in the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from lwslint.facts import Condition, Span
from lwslint.frontends import conditions as cond
from lwslint.frontends.neutralise import Uses, neutralise, readable
from lwslint.frontends.scan import Directive, blank_spans, logical, scan, without_comments
from lwslint.settings import Settings, Version

MAX_VARIANTS = 4
NEWEST_RELEASE = Version(5, 0, 0)
_MAX_CHAIN = 64  # arms of one conditional, and depth of nesting, that assumptions are made about
_MAX_CANDIDATES = 1000
_CPLUSPLUS = "201703L"


class Variant(msgspec.Struct, frozen=True):
    """One reading of the file.

    ``conditions`` are the arms that are in it (outermost first, in file order), with ``truth`` True where
    the build profile decides so and None where the variant assumes it.  ``inactive`` are the outermost
    arms that are blanked: out of the build (``truth`` False) or not assumed here (None).  ``assumed``
    lists the assumptions with their value: ``("defined FOO", 1)``, ``("FOO > 2", 0)``.

    ``parsed`` is for the parser, and differs from ``text`` where the grammar lacks a construct; names,
    literals and operators are read from ``text``.
    """

    text: bytes
    parsed: bytes
    conditions: tuple[Condition, ...] = ()
    inactive: tuple[Condition, ...] = ()
    assumed: tuple[tuple[str, int], ...] = ()


class MacroText(msgspec.Struct, frozen=True):
    """A ``#define`` that is not out of the build.  ``parameters`` is None for an object-like macro;
    ``start`` and ``end`` are the byte span of the replacement text, which may hold continuations."""

    name: str
    parameters: tuple[str, ...] | None
    start: int
    end: int


class Preprocessed(msgspec.Struct, frozen=True):
    """``includes`` are the header names as written, without quotes or angle brackets, in file order."""

    variants: tuple[Variant, ...]
    macros: tuple[MacroText, ...]
    includes: tuple[str, ...]


# --------------------------------------------------------------------------- the tree of conditionals


class _Arm(NamedTuple):
    """One arm of a conditional, as the source has it; ``body`` is its span without directive lines."""

    number: int
    conditional: int
    parent: int  # number of the enclosing arm, or -1
    depth: int
    body: Span
    earlier: tuple[cond.Expression, ...]  # the negated tests of the arms before it
    own: cond.Expression | None  # None for `#else`
    guard: bool


class _Define(NamedTuple):
    name: str
    parameters: tuple[str, ...] | None
    start: int
    end: int


class _Opens(NamedTuple):
    """An arm begins; whatever arm of the same conditional was open ends."""

    arm: int
    first: bool


class _Closes(NamedTuple):
    """``#endif``, or the end of the file."""


class _Defines(NamedTuple):
    """``#define`` or ``#undef`` (``text`` None) of a macro."""

    name: str
    text: str | None


class _Outline(NamedTuple):
    """A file's directives, independent of any build profile."""

    arms: list[_Arm]
    events: list[_Opens | _Closes | _Defines | _Define | str]


_CONDITIONAL = frozenset((b"if", b"ifdef", b"ifndef", b"elif", b"elifdef", b"elifndef", b"else", b"endif"))
_OPENING = frozenset((b"if", b"ifdef", b"ifndef"))
_SPACE = rb"(?:\s|\\\r?\n)*+"
_DEFINE = re.compile(_SPACE + rb"([A-Za-z_$][\w$]*)(\([^()]*\))?" + _SPACE)
_INCLUDE = re.compile(rb'\s*(?:"([^"\r\n]+)"|<([^>\r\n]+)>)')
_WORD = re.compile(rb"[A-Za-z_$][\w$]*")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _test(directive: Directive, data: bytes) -> cond.Expression | None:
    """The expression that a conditional directive tests; None for ``#else``."""
    if directive.keyword == b"else":
        return None
    rest = logical(data[directive.rest : directive.end])
    if directive.keyword in (b"if", b"elif"):
        return cond.parse(_text(rest))
    word = _WORD.search(rest)
    test = cond.defined(_text(word[0])) if word else cond.Expression("opaque", cond.fold(_text(rest)))
    return cond.negate(test) if directive.keyword in (b"ifndef", b"elifndef") else test


def _define(directive: Directive, data: bytes) -> _Define | None:
    # Comments are blanked in place: they may stand in front of the text and must not trail it.
    line = without_comments(data[directive.rest : directive.end])
    match = _DEFINE.match(line)
    if match is None:
        return None
    parameters = None
    if match[2] is not None:
        inner = _text(match[2][1:-1].replace(b"\\", b" "))
        parameters = tuple(part.strip() for part in inner.split(",") if part.strip())
    start = match.end()
    end = max(start, len(line.rstrip(b" \t\r\n\v\f\\")))
    return _Define(_text(match[1]), parameters, directive.rest + start, directive.rest + end)


def _is_guard(test: cond.Expression | None, following: Directive | None, data: bytes) -> bool:
    """``#ifndef X`` or ``#if !defined(X)``, directly followed by an empty ``#define X``."""
    if test is None or test.op != "!" or test.operands[0].op != "defined":
        return False
    if following is None or following.keyword != b"define":
        return False
    defined = _define(following, data)
    return defined is not None and defined.name == test.operands[0].text and defined.start == defined.end


def _outline(data: bytes, directives: tuple[Directive, ...]) -> _Outline:
    """Builds the list of arms and the sequence of events; unbalanced directives are taken as they come."""
    arms: list[_Arm] = []
    events: list[_Opens | _Closes | _Defines | _Define | str] = []
    stack: list[tuple[int, tuple[cond.Expression, ...]]] = []  # (open arm, negated tests so far)
    conditionals = 0

    def close(index: int, at: int) -> None:
        arm = arms[index]
        arms[index] = arm._replace(body=Span(arm.body.start, max(arm.body.start, at)))

    for position, directive in enumerate(directives):
        keyword = directive.keyword
        if keyword in _CONDITIONAL:
            opening = keyword in _OPENING
            if not opening:
                if not stack:
                    continue
                open_arm, tests = stack.pop()
                close(open_arm, directive.start)
                if keyword == b"endif":
                    events.append(_Closes())
                    continue
            else:
                tests = ()
                conditionals += 1
            test = _test(directive, data)
            following = directives[position + 1] if position + 1 < len(directives) else None
            arm = _Arm(
                number=len(arms),
                conditional=conditionals if opening else arms[open_arm].conditional,
                parent=stack[-1][0] if stack else -1,
                depth=len(stack),
                body=Span(directive.end, directive.end),
                earlier=tests,
                own=test,
                guard=opening and _is_guard(test, following, data),
            )
            arms.append(arm)
            more = test is not None and len(tests) < _MAX_CHAIN
            stack.append((arm.number, (*tests, cond.negate(test)) if more and test is not None else tests))
            events.append(_Opens(arm.number, opening))
        elif keyword == b"define":
            defined = _define(directive, data)
            if defined is not None:
                events.append(defined)
        elif keyword == b"undef":
            word = _WORD.search(logical(data[directive.rest : directive.end]))
            if word:
                events.append(_Defines(_text(word[0]), None))
        elif keyword in (b"include", b"include_next", b"import"):
            included = _INCLUDE.match(data, directive.rest, directive.end)
            if included:
                events.append(_text(included[1] or included[2]))
    while stack:
        open_arm, _ = stack.pop()
        close(open_arm, len(data))
        events.append(_Closes())
    return _Outline(arms, events)


# --------------------------------------------------------------------------- one reading


class _Plan(msgspec.Struct):
    """What a variant must have: assumptions, and the arm to take of some conditionals."""

    atoms: cond.Atoms = {}
    take: dict[int, int] = {}


class _Frame(msgspec.Struct):
    """An open conditional during one reading."""

    arm: int
    truth: bool | None
    selected: bool
    decided: bool | None  # whether an earlier arm, or this one, holds
    taken: bool  # whether this reading has taken an arm
    known: bool  # whether everything around is decided true
    alive: bool  # whether everything around is selected
    possible: bool  # whether nothing around is decided false


class _Reading(NamedTuple):
    selected: list[_Arm]
    truths: dict[int, bool | None]  # by arm; an arm inside a false arm is false
    blanked: list[_Arm]  # outermost
    asking: frozenset[int]  # the arms of which `needs` is to be found out
    needs: dict[int, _Plan]  # what an undecided arm asks for
    atoms: cond.Atoms
    macros: list[MacroText]
    includes: list[str]


class _Macros:
    """Macro states in the order of the file: what is known, and what one variant adds by assumption."""

    def __init__(self, initial: dict[str, cond.State]) -> None:
        self.initial = initial
        self.known: dict[str, cond.State] = {}
        self.supposed: dict[str, cond.State] = {}

    def lookup_known(self, name: str) -> cond.State:
        state = self.known.get(name, _MISSING)
        return state if state is not _MISSING else self.initial.get(name, cond.UNKNOWN)

    def lookup_supposed(self, name: str) -> cond.State:
        state = self.supposed.get(name, _MISSING)
        return state if state is not _MISSING else self.lookup_known(name)

    def change(self, name: str, state: cond.State, *, certain: bool, alive: bool) -> None:
        if certain:
            self.known[name] = state
            self.supposed.pop(name, None)
            return
        # Outside the assumed arms the name keeps, for this variant, the state it had.
        supposed = state if alive else self.lookup_supposed(name)
        self.known[name] = cond.UNKNOWN
        self.supposed[name] = supposed


_MISSING = cond.Unknown()


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return True if left and right else None


def _not(known: bool | None) -> bool | None:
    return None if known is None else not known


def _read(
    data: bytes,
    outline: _Outline,
    initial: dict[str, cond.State],
    plan: _Plan,
    asking: frozenset[int] = frozenset(),
) -> _Reading:
    """Walks the file once, decides every arm, and follows the plan where nothing is decided."""
    arms = outline.arms
    macros = _Macros(initial)
    reading = _Reading([], {}, [], asking, {}, dict(plan.atoms), [], [])
    frames: list[_Frame] = []
    for event in outline.events:
        if isinstance(event, _Opens):
            if event.first:
                outer = frames[-1] if frames else None
                frames.append(
                    _Frame(
                        arm=event.arm,
                        truth=True,
                        selected=True,
                        decided=False,
                        taken=False,
                        known=outer is None or (outer.known and outer.truth is True),
                        alive=outer is None or (outer.alive and outer.selected),
                        possible=outer is None or (outer.possible and outer.truth is not False),
                    )
                )
            _open(arms[event.arm], frames[-1], macros, plan, reading)
        elif isinstance(event, _Closes):
            frames.pop()
        else:
            frame = frames[-1] if frames else None
            if frame is not None and not (frame.possible and frame.truth is not False):
                continue
            if isinstance(event, str):
                reading.includes.append(event)
                continue
            state: cond.State = None
            if isinstance(event, _Define):
                reading.macros.append(MacroText(event.name, event.parameters, event.start, event.end))
                # A function-like macro is defined, and its value is never computed.
                state = "" if event.parameters is not None else _text(logical(data[event.start : event.end]))
            certain = frame is None or (frame.known and frame.truth is True)
            alive = frame is None or (frame.alive and frame.selected)
            macros.change(event.name, state, certain=certain, alive=alive)
    return reading


def _open(arm: _Arm, frame: _Frame, macros: _Macros, plan: _Plan, reading: _Reading) -> None:
    """Decides whether ``arm`` is in this reading, and records it."""
    known = macros.lookup_known
    frame.arm = arm.number
    if arm.guard:
        own: bool | None = True
    else:
        own = True if arm.own is None else cond.truth(arm.own, known, {})
    frame.truth = _and(_not(frame.decided), own) if frame.possible else False
    chosen = False
    if frame.truth is None and frame.alive:
        chosen = not frame.taken and _chosen(arm, macros, plan, reading.atoms)
    frame.selected = frame.alive and (frame.truth is True or chosen)
    reading.truths[arm.number] = frame.truth
    if frame.selected:
        frame.taken = True
        reading.selected.append(arm)
    elif frame.alive:
        reading.blanked.append(arm)
    if frame.truth is None and arm.number in reading.asking:
        reading.needs[arm.number] = _needs(arm, known)
    decided = _and(_not(frame.decided), _not(own))
    frame.decided = None if decided is None else not decided


def _chosen(arm: _Arm, macros: _Macros, plan: _Plan, atoms: cond.Atoms) -> bool:
    """Whether an undecided arm, with none of its conditional taken before, is taken; assumes what it must."""
    forced = plan.take.get(arm.conditional)
    lookup = macros.lookup_supposed
    if forced is not None:
        if forced != arm.number:
            return False
        for test in arm.earlier:
            cond.assume(test, True, lookup, atoms)
        if arm.own is not None:
            cond.assume(arm.own, True, lookup, atoms)
        return True
    if arm.own is None:
        return True
    supposed = cond.truth(arm.own, lookup, atoms)
    return cond.assume(arm.own, True, lookup, atoms) if supposed is None else supposed


def _needs(arm: _Arm, lookup: cond.Lookup) -> _Plan:
    plan = _Plan({}, {arm.conditional: arm.number})
    for test in arm.earlier:
        cond.assume(test, True, lookup, plan.atoms)
    if arm.own is not None:
        cond.assume(arm.own, True, lookup, plan.atoms)
    return plan


# --------------------------------------------------------------------------- variants


def _candidates(
    data: bytes, outline: _Outline, first: _Reading, interesting: re.Pattern[bytes]
) -> list[_Arm]:
    """The arms that the first reading leaves out, though they may be in the build, and whose own text, nested
    arms apart, matches; deeper ones than a chain may be are left out."""
    taken = frozenset(arm.number for arm in first.selected)
    open_arms = [a for a in outline.arms if a.number not in taken and first.truths[a.number] is not False]
    if not open_arms:
        return []
    nested: dict[int, list[Span]] = {}
    for arm in outline.arms:
        if arm.parent >= 0:
            nested.setdefault(arm.parent, []).append(arm.body)
    found = []
    for arm in open_arms:
        if arm.depth >= _MAX_CHAIN:
            continue
        start = arm.body.start
        for inner in [*nested.get(arm.number, ()), Span(arm.body.end, arm.body.end)]:
            if interesting.search(data, start, inner.start):
                found.append(arm)
                break
            start = inner.end
    return found[:_MAX_CANDIDATES]


def _with_outer(candidates: list[_Arm], outline: _Outline) -> frozenset[int]:
    """The indices of the arms and of all arms around them."""
    found: set[int] = set()
    for arm in candidates:
        index = arm.number
        while index >= 0 and index not in found:
            found.add(index)
            index = outline.arms[index].parent
    return frozenset(found)


def _chain(arm: _Arm, outline: _Outline, first: _Reading) -> _Plan | None:
    """What ``arm`` and the arms around it ask for together, or None where they contradict each other."""
    plan = _Plan({}, {})
    index = arm.number
    while index >= 0:
        need = first.needs.get(index)
        if need is not None and not _merge(plan, need):
            return None
        index = outline.arms[index].parent
    return plan


def _merge(plan: _Plan, need: _Plan) -> bool:
    """Adds ``need`` to ``plan`` unless they exclude each other."""
    if not cond.compatible(plan.atoms, need.atoms):
        return False
    if any(plan.take.get(key, number) != number for key, number in need.take.items()):
        return False
    plan.atoms.update(need.atoms)
    plan.take.update(need.take)
    return True


def _plans(wanted: list[_Arm], outline: _Outline, first: _Reading) -> list[_Plan]:
    """At most :data:`MAX_VARIANTS` - 1 plans that together take as many wanted arms as they can."""
    plans: list[_Plan] = []
    for arm in wanted:
        need = _chain(arm, outline, first)
        if need is None or any(_merge(plan, need) for plan in plans):
            continue
        if len(plans) < MAX_VARIANTS - 1:
            plans.append(need)
    return plans


def _condition(arm: _Arm, truth: bool | None) -> Condition:
    parts = list(arm.earlier)
    if arm.own is not None:
        parts.append(arm.own)
    text = cond.conjunction(parts) if parts else ""
    return Condition(arm.body, text, truth, cond.names(text))


def _initial(language: str, settings: Settings) -> dict[str, cond.State]:
    """What is known of macros before the first line."""
    version = settings.lws_version or NEWEST_RELEASE
    states: dict[str, cond.State] = {
        "LWS_LIBRARY_VERSION_NUMBER": str(version.number),
        "LWS_LIBRARY_VERSION_MAJOR": str(version.major),
        "LWS_LIBRARY_VERSION_MINOR": str(version.minor),
        "LWS_LIBRARY_VERSION_PATCH": str(version.patch),
        "__cplusplus": _CPLUSPLUS if language == "cpp" else None,
    }
    if language == "cpp":
        states.update({"true": "1", "false": "0"})
    states.update(dict.fromkeys(settings.build.undefined))
    states.update(settings.build.defines)
    return states


def preprocess(
    data: bytes, language: str, settings: Settings, interesting: re.Pattern[bytes]
) -> Preprocessed:
    """Reads ``data`` as ``language`` (``c`` or ``cpp``) under the build profile of ``settings``.

    Variant 0 takes the first arm of every conditional that nothing decides, consistently.  Further
    variants, four in all at most, exist where an arm that was left out matches ``interesting``.  Never
    raises on what the file holds: unbalanced conditionals are read as far as they go.
    """
    scanned = scan(data, language)
    outline = _outline(data, scanned.directives)
    initial = _initial(language, settings)
    first = _read(data, outline, initial, _Plan())
    wanted = _candidates(data, outline, first, interesting)
    if wanted:
        first = _read(data, outline, initial, _Plan(), _with_outer(wanted, outline))
    readings = [first]
    for plan in _plans(wanted, outline, first):
        readings.append(_read(data, outline, initial, plan))
    lines = [(directive.start, directive.end) for directive in scanned.directives]
    uses = Uses.of(data, scanned.code, first.macros, language)
    records: dict[int, Condition] = {}
    variants = tuple(_variant(data, scanned.code, lines, uses, reading, records) for reading in readings)
    return Preprocessed(variants, tuple(first.macros), tuple(dict.fromkeys(first.includes)))


def _variant(
    data: bytes,
    code: bytes,
    lines: list[tuple[int, int]],
    uses: Uses,
    reading: _Reading,
    records: dict[int, Condition],
) -> Variant:
    """The text of one reading; ``records`` keeps each arm's condition, which all readings share."""

    def record(arm: _Arm) -> Condition:
        if arm.number not in records:
            records[arm.number] = _condition(arm, reading.truths[arm.number])
        return records[arm.number]

    conditions = [record(arm) for arm in reading.selected if not arm.guard]
    inactive = [record(arm) for arm in reading.blanked]
    gone = [(arm.body.start, arm.body.end) for arm in reading.blanked]
    kept_lines = _outside(lines, gone)
    code = blank_spans(code, gone)
    text = neutralise(blank_spans(data, sorted([*kept_lines, *gone])), code, uses)
    parsed = readable(text, code, uses.language)
    return Variant(text, parsed, tuple(conditions), tuple(inactive), tuple(reading.atoms.items()))


def _outside(spans: list[tuple[int, int]], holes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans that start in none of the ``holes``; both ascend."""
    kept = []
    hole = 0
    for span in spans:
        while hole < len(holes) and holes[hole][1] <= span[0]:
            hole += 1
        if hole == len(holes) or span[0] < holes[hole][0]:
            kept.append(span)
    return kept
