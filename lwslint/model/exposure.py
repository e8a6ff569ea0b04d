"""Who decides that something happens in production: nobody, an operator, or a build option?

A weakened TLS check is an error where every TLS connection of the program gets it, a note where
somebody must ask for it.  Conditions are judged by what they are about: whether TLS is wanted at
all, whether checks shall be weaker, whether a CA file is there, or something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Condition,
    Conditional,
    Index,
    Member,
    Name,
    Null,
    Number,
    Place,
    Text,
    Unary,
    Value,
    walk,
)
from lwslint.frontends import conditions as preprocessor
from lwslint.model.alternatives import Circumstance
from lwslint.model.bodies import Guard, left_before
from lwslint.model.names import callee_name, last_component, names_in, uncast
from lwslint.model.symbols import Definition
from lwslint.model.values import Values

if TYPE_CHECKING:
    from lwslint.model.project import Project

MAX_CALL_DEPTH = 3


class Exposure(msgspec.Struct, frozen=True, eq=False):
    """The verdict.

    ``kind``: ``always``; ``configured`` (a production configuration of the tree chooses so);
    ``fail-open`` (where something an operator should configure is missing); ``switch`` (an operator's
    run-time choice); ``build`` (a build option); ``never`` (a condition that is constant and false).
    ``cause`` is the condition that decided and ``text`` its source; ``decider`` is the place of the build
    file that says so.
    """

    kind: str
    cause: Circumstance | None = None
    text: str = ""
    weak: bool = False
    decider: Place | None = None

    @property
    def place(self) -> Place | None:
        """Where the deciding condition stands."""
        if self.cause is None:
            return None
        if self.cause.condition is not None:
            return Place(self.cause.path, self.cause.condition.span)
        test = self.cause.guard.test if self.cause.guard is not None else None
        return Place(self.cause.path, test.span) if test is not None else None


ALWAYS = Exposure("always")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Parts of a word that tell that somebody asks for weaker checks, wherever they stand in a name.
_WEAKER = re.compile(
    r"(?i)insecure|self_?-?signed|verif|unsafe|untrust|(?:no|skip|bypass|ignore|without)_?-?(?:cert|check|host|tls|ssl)"
    r"|expired|allow_?-?any|trust_?-?all|accept_?-?(?:all|any|invalid)|permissive|(?:cert|host|name|peer)\w*_?-?check"
    r"|cert\w*_?(?:req|mode|policy|optional)|check_?-?(?:cert|host|name|peer|server)|non_?-?strict|skip_?-?\w*(?:cert|host|name|check)"
)
_WEAKER_WORDS = frozenset(
    [
        *("skip", "debug", "dev", "devel", "development", "test", "testing", "lab", "strict", "bypass"),
        *(
            "localhost",
            "loopback",
            "staging",
            "trust",
            "trusted",
            "lax",
            "relaxed",
            "allow",
            "mock",
            "ignore",
        ),
    ]
)
_TLS_WORDS = frozenset(
    [
        *(
            "ssl",
            "tls",
            "secure",
            "https",
            "wss",
            "443",
            "8443",
            "encrypted",
            "encryption",
            "crypto",
            "secured",
        ),
        *("openssl", "mbedtls", "wolfssl", "gnutls", "boringssl", "usessl", "issecure", "usetls", "tlson"),
        *("sslon", "bessl", "scheme", "issl", "isssl", "dossl", "withssl", "enablessl"),
    ]
)
_ANCHOR_WORDS = frozenset(
    [
        *("ca", "cafile", "capath", "cabundle", "cert", "certs", "certificate", "certificates", "truststore"),
        *("pem", "bundle", "anchor", "anchors", "cacert", "cacerts", "rootca", "cacertificate"),
    ]
)
_DECIDED_BY_BUILD = re.compile(
    r"^(?:LWS_LIBRARY_VERSION\w*|_?_?(?:WIN32|WIN64|linux|linux__|APPLE|ANDROID|FreeBSD|unix|EMSCRIPTEN)_?_?"
    r"|__\w+__|_WIN32|_WIN64|_MSC_VER|TARGET_OS\w*|ESP_PLATFORM|CONFIG_IDF\w*|\w*PLATFORM\w*|OS_\w+|LWS_HAVE_\w+"
    r"|LWS_PLAT_\w+|__cplusplus)$"
)
# Constants of lws and OpenSSL, and what OpenSSL calls the result of its own checks: conditions on these
# are about what was found, not about what somebody wants.
_SAYS_NOTHING = re.compile(
    r"^(?:X509_V_|SSL_|LWS_|LCCSCF_|MBEDTLS_)|^(?:pre_?verif\w*|verify_?(?:ok|result|status|err\w*)|ok|reason)$"
)
# What a switch on these is about is how far the program has come, not what somebody wants.
_PROGRESS = frozenset(["reason", "state", "status", "phase", "step", "stage", "event"])
_NEGATIVE_CALLS = frozenset(["empty", "isEmpty", "isNull", "IsEmpty", "is_null", "is_empty"])


def of_platform(name: str) -> bool:
    """Whether a macro tells the platform, the compiler or the release of lws, and is no option of the
    program's own."""
    return bool(_DECIDED_BY_BUILD.match(name))


@lru_cache(maxsize=20_000)
def words_of(name: str) -> tuple[str, ...]:
    """``useSSLFlag_x`` → ``use``, ``ssl``, ``flag``, ``x``; and the name itself, folded."""
    return (*(w.lower() for w in _WORD.findall(name)), re.sub(r"[^a-z0-9]", "", name.lower()))


def spell(value: Value | None, depth: int = 0) -> str:
    """An expression as C, short: what a reader needs to recognise it."""
    if value is None or depth > 8:
        return "…"
    inner = depth + 1
    match value:
        case Number():
            return str(value.value)
        case Text():
            return f'"{value.value}"' if len(value.value) < 40 else '"…"'
        case Null():
            return "NULL"
        case Name():
            return value.id
        case Member():
            return f"{spell(value.object, inner)}.{value.field}"
        case Index():
            return f"{spell(value.object, inner)}[{spell(value.index, inner)}]"
        case Unary():
            return f"{value.op}{spell(value.operand, inner)}"
        case Binary():
            return f"{spell(value.left, inner)} {value.op} {spell(value.right, inner)}"
        case Conditional():
            return f"{spell(value.test, inner)} ? … : …"
        case Cast():
            return spell(value.operand, inner)
        case Call():
            if isinstance(value.function, Member):
                return f"{spell(value.function, inner)}({'' if not value.arguments else '…'})"
            first = spell(value.arguments[-1], inner) if value.arguments else ""
            return f"{callee_name(value)}({'…, ' if len(value.arguments) > 1 else ''}{first})"
        case Assign():
            return f"{spell(value.target, inner)} {value.op} {spell(value.value, inner)}"
        case _:
            return "…"


class Judge:
    """Judges circumstances of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.values: Values = project.values
        self._atoms_known: dict[tuple[int, bool, int, bool], tuple[Value, str]] = {}

    def expose(
        self,
        when: Sequence[Circumstance],
        definition: Definition,
        strict: Sequence[Sequence[Circumstance]],
    ) -> Exposure:
        """Who decides that what stands in ``definition`` under ``when`` happens.

        ``strict`` are the circumstances under which the program has TLS without the weakness.  A
        condition that does not say by its words what it is about is a choice between the two when
        some of them lack it; otherwise it only chooses whether to connect.
        """
        verdicts = [self._one(c, any(not any(c.same(s) for s in other) for other in strict)) for c in when]
        # The innermost condition that says what it is about explains best.
        verdicts.sort(key=lambda v: (v.kind != "never", v.weak))
        for kinds in (("never",), ("switch", "build"), ("fail-open",), ("configured",)):
            chosen = [v for v in verdicts if v.kind in kinds]
            sure = [v for v in chosen if not v.weak]
            if kinds[0] == "switch" and chosen and not sure and any(v.kind == "fail-open" for v in verdicts):
                continue
            if chosen:
                return (sure or chosen)[-1]
        return self._callers(definition, 0)

    def left_before(self, definition: Definition, place: Place) -> tuple[Circumstance, ...]:
        """The operator's switches by which a function would have left before it reaches a place:
        ``if (!insecure) return;``."""
        if definition.id < 0 or place.path != definition.path:
            return ()
        guards = left_before(definition.function, place.span)
        return tuple(
            Circumstance(definition.path, definition, guard)
            for guard in guards
            if guard.test is not None and any(_asks_weaker(name) for name in _spelled_names(guard.test))
        )

    def tls_refused(self, when: Sequence[Circumstance]) -> bool:
        """Whether a condition says that TLS is not wanted here."""
        for circumstance in when:
            condition = circumstance.condition
            if condition is not None:
                if condition.text.startswith("!") and _names_tls(" ".join(condition.names)):
                    return True
                continue
            guard = circumstance.guard
            if guard is None or guard.test is None or circumstance.definition is None:
                continue
            for atom, holds in _atoms(guard.test, guard.holds):
                words = self._words(atom, circumstance.definition)
                positive = holds != _negative(atom)
                if not positive and words & _TLS_WORDS:
                    return True
        return False

    def _callers(self, definition: Definition, depth: int) -> Exposure:
        """The condition under which all callers call a function, where there is one."""
        edges = self.project.flow.callers.get(definition.id, ())
        if not edges or depth >= MAX_CALL_DEPTH or definition.id < 0:
            return ALWAYS
        found = ALWAYS
        for edge in edges[:16]:
            when = self.values.circumstances(edge.caller, edge.site.guards, edge.site.node.span)
            verdicts = [self._one(c, False) for c in when]
            chosen = [v for v in verdicts if v.kind in ("switch", "build", "never")]
            if not chosen:
                chosen = [self._callers(edge.caller, depth + 1)]
            if chosen[0].kind == "always":
                return ALWAYS
            found = chosen[0]
        return found

    # ------------------------------------------------------------------ one condition

    def _one(self, circumstance: Circumstance, choice: bool) -> Exposure:
        if circumstance.condition is not None:
            return self._build_condition(circumstance)
        guard, definition = circumstance.guard, circumstance.definition
        if guard is None or guard.test is None or definition is None:
            return ALWAYS
        if guard.kind == "switch":
            return self._case(circumstance, guard, choice)
        if guard.kind == "or":
            return ALWAYS
        verdict = ALWAYS
        for atom, holds in _atoms(guard.test, guard.holds):
            kind = self._atom(atom, holds, definition, choice)
            text = spell(guard.test) if guard.holds else f"not ({spell(guard.test)})"
            if kind in ("switch", "never"):
                return Exposure(kind, circumstance, text)
            if kind in ("fail-open", "choice"):
                verdict = Exposure(
                    kind if kind != "choice" else "switch", circumstance, text, kind == "choice"
                )
        return verdict

    def _build_condition(self, circumstance: Circumstance) -> Exposure:
        condition = circumstance.condition
        if condition is None or condition.truth is True:
            return ALWAYS
        decided = self._decided_by_switch(circumstance, condition)
        if decided is not None:
            return decided
        names = list(condition.names or preprocessor.names(condition.text))
        if any(_asks_weaker(name) for name in names if not of_platform(name)):
            return Exposure("build", circumstance, condition.text)
        return ALWAYS

    def _decided_by_switch(self, circumstance: Circumstance, condition: Condition) -> Exposure | None:
        """What the build files say about a preprocessor condition; None where they leave it open."""
        switch, state = self.project.build.decided(circumstance.path, condition)
        if switch is None or state is None:
            return None
        if state:
            return ALWAYS
        words = f"{switch.macro} {'undefined' if switch.on else 'defined'}"
        if switch.elsewhere:
            other = switch.elsewhere[0]
            return Exposure(
                "configured", circumstance, f"{other.name} builds it in: {words}", decider=other.place
            )
        return Exposure("build", circumstance, f"{words}: {switch.text}", decider=switch.place)

    def _case(self, circumstance: Circumstance, guard: Guard, choice: bool) -> Exposure:
        labels = guard.arm.labels if guard.arm is not None else ()
        spelled = " ".join(spell(label) for label in labels)
        if spelled and "LWS_CALLBACK_" not in spelled and _asks_weaker(spelled):
            return Exposure("switch", circumstance, f"case {spelled}")
        if labels and all(isinstance(uncast(label), Number) for label in labels):
            subject = self._words(guard.test, circumstance.definition) if guard.test is not None else set()
            # getopt's letters say nothing, its long options are compared as texts.
            letters = [label.value for label in map(uncast, labels) if isinstance(label, Number)]
            spelled = " ".join(f"'{chr(n)}'" if 32 < n < 127 else str(n) for n in letters)
            if subject & {"opt", "getopt", "option", "optarg"}:
                return Exposure("switch", circumstance, f"case {spelled}", weak=True)
        subject = self._words(guard.test, circumstance.definition)
        named = names_in(guard.test) if guard.test is not None else set()
        if choice and "LWS_CALLBACK_" not in spelled and not (named | subject) & _PROGRESS:
            text = f"case {spelled}" if spelled else f"default of switch ({spell(guard.test)})"
            return Exposure("switch", circumstance, text, weak=True)
        return ALWAYS

    def _atom(self, atom: Value, holds: bool, definition: Definition, choice: bool) -> str:
        """What one condition without ``&&`` and ``||`` decides: an :attr:`Exposure.kind`."""
        key = (id(atom), holds, definition.id, choice)
        if key not in self._atoms_known:
            # The condition is kept with its answer, so that its identity stays its own.
            self._atoms_known[key] = (atom, self._find_atom(atom, holds, definition, choice))
        return self._atoms_known[key][1]

    def _find_atom(self, atom: Value, holds: bool, definition: Definition, choice: bool) -> str:
        constant = self._constant(atom, definition)
        if constant is not None:
            return "always" if constant == holds else "never"
        positive = holds != _negative(atom)
        if any(name.startswith("LWS_CALLBACK_") for name in names_in(atom)):
            return "always"
        words = self._words(atom, definition)
        spelled = " ".join(sorted(words))
        if any(_asks_weaker(word) for word in words) or _WEAKER.search(spelled):
            return "fail-open" if self._by_default(atom, holds, definition) else "switch"
        if words & _ANCHOR_WORDS and not words & {"client"}:
            return "always" if positive else "fail-open"
        if words & _TLS_WORDS or any(
            w.startswith(("ssl", "tls")) or w.endswith(("ssl", "tls")) for w in words
        ):
            return "always"
        if "reason" in words or not choice or _is_error_check(atom):
            return "always"
        return "choice"

    def _constant(self, atom: Value, definition: Definition | None) -> bool | None:
        """The truth of a condition that is the same in every run, as far as all writes tell."""
        if definition is None or not isinstance(_bare_test(atom), Name | Member | Number):
            return None
        possible = self.values.possible(atom, definition)
        if possible.unknown or not possible.alternatives:
            return None
        if any(a.kind not in ("number", "null") or not a.pieces for a in possible.alternatives):
            return None
        truths = {a.kind == "number" and a.number != 0 for a in possible.alternatives}
        if truths == {True} and all(a.when for a in possible.alternatives):
            return None  # where none of the conditions held, it is still off
        return truths.pop() if len(truths) == 1 else None

    def _by_default(self, atom: Value, holds: bool, definition: Definition) -> bool:
        """Whether a switch is on until somebody turns it off: a field or global that starts out so."""
        if not isinstance(_bare_test(atom), Name | Member):
            return False
        for a in self.values.possible(atom, definition).alternatives:
            initial = a.pieces and all(piece.definition.id < 0 for piece in a.pieces)
            if initial and not a.when and a.kind in ("number", "null"):
                return holds == (a.kind == "number" and a.number != 0)
        return False

    def _words(self, value: Value | None, definition: Definition | None, depth: int = 0) -> set[str]:
        """The words in a condition, and in what its local variables were computed from."""
        found: set[str] = set()
        if value is None:
            return found
        for node in walk(value):
            match node:
                case Name() if _SAYS_NOTHING.match(node.id):
                    pass
                case Name():
                    name = last_component(node.id)
                    found.update(words_of(name))
                    found.add(name.lower())
                    if definition is not None and depth < 2:
                        found.update(self._computed_from(node, definition, depth))
                case Member():
                    found.update(words_of(node.field))
                    found.add(node.field.lower())
                case Text():
                    found.update(words_of(node.value))
                    found.add(node.value.lower())
                case Number() if node.value in (443, 8443):
                    found.add(str(node.value))
                case _:
                    pass
        return found

    def _computed_from(self, name: Name, definition: Definition, depth: int) -> set[str]:
        found: set[str] = set()
        declaring = self.values.declaring(definition, name.id)
        if declaring is None or name.id not in declaring.body.locals:
            return found
        writes = [w for w in self.values.writes.named(name.id) if w.definition is declaring]
        for write in writes[:16]:
            if isinstance(write.target, Name) and write.op != "out":
                found |= self._words(write.value, declaring, depth + 1)
        return found


@lru_cache(maxsize=20_000)
def _asks_weaker(text: str) -> bool:
    """Whether a name or a text says that checks shall be weaker, or that this is no production run."""
    return bool(_WEAKER.search(text)) or bool(_WEAKER_WORDS & set(words_of(text)))


def _spelled_names(test: Value) -> list[str]:
    """The names and fields in a test, in the order in which they are written."""
    found = [
        node.id if isinstance(node, Name) else node.field
        for node in walk(test)
        if isinstance(node, Name | Member)
    ]
    return [last_component(name) for name in found]


def _names_tls(text: str) -> bool:
    return bool(_TLS_WORDS & set(words_of(text))) or bool(re.search(r"(?i)ssl|tls", text))


def _atoms(test: Value, holds: bool) -> list[tuple[Value, bool]]:
    """The conditions that must hold (or fail) together: ``a && b`` holds when both do, ``a || b``
    fails when both fail.  Anything else is one condition."""
    found: list[tuple[Value, bool]] = []
    stack = [(test, holds)]
    while stack and len(found) < 16:
        value, side = stack.pop()
        value = uncast(value)
        if isinstance(value, Binary) and value.op == ("&&" if side else "||"):
            stack.extend(((value.right, side), (value.left, side)))
        elif isinstance(value, Unary) and value.op == "!" and isinstance(uncast(value.operand), Binary):
            stack.append((value.operand, not side))
        else:
            found.append((value, side))
    return found


def _negative(atom: Value) -> bool:
    """Whether a condition holds when the thing it is about is absent, empty, equal to nothing."""
    atom = uncast(atom)
    match atom:
        case Unary(op="!"):
            inner = uncast(atom.operand)
            # !strcmp(x, "wss") asks whether x is "wss".
            return not _compares(inner) and not _negative(inner)
        case Binary(op="==" | "!="):
            for side, other in ((atom.left, atom.right), (atom.right, atom.left)):
                plain = uncast(side)
                if isinstance(plain, Null) or (isinstance(plain, Number) and plain.value == 0):
                    same = atom.op == "=="
                    return not same if _compares(uncast(other)) else same
                if isinstance(plain, Text) and not plain.value:
                    return atom.op == "=="
            return atom.op == "!="
        case Call():
            if callee_name(atom) in _NEGATIVE_CALLS:
                return True
            return _compares(atom)
        case _:
            return False


def _compares(value: Value) -> bool:
    """Whether a value is 0 when two texts are equal."""
    name = last_component(callee_name(value)) if isinstance(value, Call) else ""
    return "cmp" in name.lower() or name == "compare"


def _bare_test(atom: Value) -> Value:
    atom = uncast(atom)
    while isinstance(atom, Unary) and atom.op == "!":
        atom = uncast(atom.operand)
    return atom


def _is_error_check(atom: Value) -> bool:
    """``if (!x)``, ``x == NULL``, ``f() < 0``: about success, not about choice."""
    atom = uncast(atom)
    if isinstance(atom, Binary):
        sides = (uncast(atom.left), uncast(atom.right))
        if any(isinstance(side, Null) for side in sides):
            return True
        negative = any(isinstance(s, Unary) and s.op == "-" for s in sides)
        zero = any(isinstance(s, Number) and s.value == 0 for s in sides)
        called = any(isinstance(s, Call) and not _compares(s) for s in sides)
        return negative or (zero and atom.op in ("<", ">=", ">", "<=")) or (zero and called)
    return False
