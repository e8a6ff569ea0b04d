"""Which Python code is production, and which step of the ladder said so.

Python has no compile flag that takes code out of a release.  What tells is the path, the name of the
switch around the code, the settings module, and the peer.  The first step that matches decides; reports
name it.  Only switches that are *called* something decide: measured over 16 repositories, most ``if``s
around a weakened check (``url.startswith("wss")``) have nothing to do with production.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from lwslint.facts import (
    Binary,
    Block,
    Call,
    Conditional,
    Declare,
    Evaluate,
    If,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Place,
    Return,
    Span,
    Statement,
    Switch,
    Text,
    Unary,
    Value,
    parts,
    walk,
)
from lwslint.model.bodies import MAX_NESTING, Guard
from lwslint.model.python_program import PythonProgram, written
from lwslint.model.symbols import Definition
from lwslint.settings import Ladder


class Exposure(msgspec.Struct, frozen=True):
    """The verdict.

    ``kind``: ``production``; ``unless`` (production, but weaker than meant: ``__debug__``, or a switch whose
    default is the insecure side); ``switch`` (an operator asks for it); ``test``, ``development`` and
    ``local`` (not production); ``never`` (does not run).  ``text`` says which step decided.
    """

    kind: str
    text: str = ""
    place: Place | None = None


PRODUCTION = Exposure("production")

_TEST_FOLDER = re.compile(r"(?:tests?|testing|examples?|docs?|samples?|benchmarks?)")
_TEST_FILE = re.compile(r"(?:test_.*|.*_test|conftest)\.pyw?")
_DEVELOPMENT = re.compile(
    r"(?:^|/)settings/(?:dev\w*|local|test\w*)\.py$|(?:^|/)(?:dev|local)_settings\.py$|(?:^|/)scripts/dev/"
)
_PRODUCTION = re.compile(r"(?:^|/)settings/prod\w*\.py$|(?:^|/)prod\w*_settings\.py$")
# Names that ask for weaker checks when true, and names that ask for checks when true.
_WEAKER = re.compile(
    r"insecure|(?:no|skip|disable|ignore|without|bypass)_?-?(?:ssl_?|tls_?)?(?:verif|cert|check|host)|nocert|self_?-?signed"
    r"|accept_?(?:any|all|invalid)|trust_?all|unverified|allow_?(?:any|invalid|expired|unsafe)|unsafe"
)
_WEAKER_WORDS = frozenset(
    ["debug", "dev", "development", "devel", "testing", "test", "local", "localhost", "staging", "mock"]
)
_STRONGER = re.compile(
    r"verif|validate_?(?:ssl_?|tls_?|https_?)?cert|check_?(?:cert|host|ssl|tls)|cert_?(?:check|verif|valid)|strict_?(?:ssl|tls)"
)
_STRONGER_WORDS = frozenset(["prod", "production"])
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def of_path(path: str, ladder: Ladder) -> Exposure | None:
    """What the path alone says; None for production, and for whatever else has to decide."""
    if path in ladder.production:
        return None
    if path in ladder.development:
        pattern = ladder.development[path]
        return Exposure("development", f'development-paths of the configuration has "{pattern}"')
    folders, name = path.split("/")[:-1], path.rpartition("/")[2]
    for folder in folders:
        if _TEST_FOLDER.fullmatch(folder.lower()):
            return Exposure("test", f"the file is in {folder}/")
    if _TEST_FILE.fullmatch(name):
        return Exposure("test", f"{name} is a test by its name")
    if _DEVELOPMENT.search(path):
        return Exposure("development", f"{path} holds settings for development")
    return None


def exposure(program: PythonProgram, definition: Definition, span: Span) -> Exposure:
    """The verdict for the code at ``span``."""
    guards = guards_at(definition, span)
    for guard in guards:
        if guard.test is not None and guard.holds and written(guard.test).endswith("TYPE_CHECKING"):
            return Exposure("never", "TYPE_CHECKING is never true")
    ladder = program.settings.python
    found = of_path(definition.path, ladder)
    if found is not None:
        return found
    if _PRODUCTION.search(definition.path):
        return Exposure("production", f"{definition.path} holds the settings of production")
    for guard in (*guards, *_around(program, definition)):
        found = _of_guard(program, definition, guard)
        if found is not None:
            return found
    return PRODUCTION


def _around(program: PythonProgram, definition: Definition) -> Iterator[Guard]:
    """The guards around a nested function, and around all calls of a function that has one caller."""
    parent = program.parent(definition)
    if parent is not None and definition.function.kind == "lambda":
        yield from guards_at(parent, definition.function.span)
    callers = program.callers(definition) if definition.name not in ("<module>", "__init__") else ()
    if len(callers) == 1 and callers[0].definition is not definition:
        yield from callers[0].site.guards


# ------------------------------------------------------------------------------------- guards


def guards_at(definition: Definition, span: Span) -> tuple[Guard, ...]:
    """The conditions around ``span``, outermost first, those inside its own expression included."""
    found: list[Guard] = []
    for body, index in around(definition, span):
        found += _left_before(body[:index])
        match body[index]:
            case If() as inner:
                if _within(span, inner.test.span):
                    found += _inside(inner.test, span)
                else:
                    found.append(Guard("if", inner.test, any(_within(span, s.span) for s in inner.then)))
            case Evaluate(value=value) | Declare(value=value) | Return(value=value) if value is not None:
                found += _inside(value, span)
    return tuple(found)


def around(definition: Definition, span: Span) -> Iterator[tuple[Sequence[Statement], int]]:
    """The statements around ``span``, outermost first: each as a list of statements and its index there."""
    body: Sequence[Statement] = definition.function.body
    for _ in range(MAX_NESTING):
        index = next((n for n, statement in enumerate(body) if _within(span, statement.span)), None)
        if index is None:
            return
        yield body, index
        match body[index]:
            case If() as inner:
                if _within(span, inner.test.span):
                    return
                body = inner.then if any(_within(span, s.span) for s in inner.then) else inner.other
            case Loop() as inner:
                body = (*inner.before, *inner.body, *inner.step)
            case Block() as inner:
                body = inner.body
            case Switch() as inner:
                body = tuple(s for arm in inner.arms for s in arm.body)
            case _:
                return


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _left_before(earlier: Sequence[Statement]) -> Iterator[Guard]:
    """``if verify: return`` before the code is as good as an ``else`` around it."""
    for statement in earlier:
        if isinstance(statement, If) and not statement.other and statement.then:
            if isinstance(statement.then[-1], Return):
                yield Guard("if", statement.test, False)


def _inside(value: Value, span: Span) -> list[Guard]:
    """The conditions inside one expression."""
    found: list[Guard] = []
    for _ in range(MAX_NESTING):
        if isinstance(value, Conditional):
            if _within(span, value.then.span):
                found.append(Guard("?", value.test))
            elif _within(span, value.other.span):
                found.append(Guard("?", value.test, False))
        elif isinstance(value, Binary) and value.op in ("&&", "||") and _within(span, value.right.span):
            found.append(Guard("and", value.left, value.op == "&&"))
        inner = next((part for part in parts(value) if _within(span, part.span)), None)
        if inner is None:
            break
        value = inner
    return found


def _of_guard(program: PythonProgram, definition: Definition, guard: Guard) -> Exposure | None:
    if guard.test is None or guard.kind == "catch":
        return None
    for leaf, holds in _leaves(guard.test, guard.holds):
        name = _name_of(leaf)
        if name == "__debug__":
            if holds:
                return Exposure(
                    "unless", "__debug__ is true unless Python runs with -O", _at(definition, leaf)
                )
            return Exposure("switch", "only with python -O", _at(definition, leaf))
        weak = _asks(name, program.settings.python.opt_in_names)
        if weak is None or (weak > 0) != holds:
            continue
        default = _default(program, definition, leaf, name)
        if default is not None and default == (weak > 0):
            text = f"{name} is {_shown(default)} unless something else is configured"
            return Exposure("unless", text, _at(definition, leaf))
        return Exposure("switch", f"only when {name} is {_shown(holds)}", _at(definition, leaf))
    return None


_TLS_SCHEMES = ("wss", "https")
_PLAIN_SCHEMES = ("ws", "http")
_TLS_NAMES = frozenset(
    ["ssl", "tls", "secure", "wss", "https", "is_ssl", "is_tls", "is_secure", "is_wss", "use_ssl", "use_tls"]
)


def speaks_plaintext(definition: Definition, span: Span) -> bool:
    """Whether a condition around ``span`` says that the connection is one without TLS: options of TLS then
    decide nothing."""
    return any(
        guard.test is not None and guard.kind != "catch" and _says_plaintext(guard.test, guard.holds)
        for guard in guards_at(definition, span)
    )


def _says_plaintext(test: Value, holds: bool, depth: int = 0) -> bool:
    if depth > 20:
        return False
    match test:
        case Unary(op="!"):
            return _says_plaintext(test.operand, not holds, depth + 1)
        case Binary(op="&&" | "||"):
            sides = (test.left, test.right)
            said = [_says_plaintext(side, holds, depth + 1) for side in sides]
            if (test.op == "&&") == holds:
                return any(said)
            # `if wss and context is None: … elif context is not None: …` leaves the plain URL.
            return any(said) and all(known or _is_none_test(s) for s, known in zip(sides, said, strict=True))
        case Binary(op="==" | "!="):
            for side in (test.left, test.right):
                if isinstance(side, Text):
                    return _says_scheme(side.value, holds == (test.op == "=="))
        case Binary(op="in" | "not in") if isinstance(test.left, Text):
            return _says_scheme(test.left.value, holds == (test.op == "in"))
        case Call(function=Member(field="startswith"), arguments=(Text() as text, *_)):
            return _says_scheme(text.value, holds)
        case Name() | Member():
            return not holds and written(test).rpartition(".")[2].lower().strip("_") in _TLS_NAMES
    return False


def _says_scheme(text: str, holds: bool) -> bool:
    scheme = text.partition(":")[0].lower()
    return scheme in (_PLAIN_SCHEMES if holds else _TLS_SCHEMES)


def _is_none_test(value: Value) -> bool:
    return (
        isinstance(value, Binary)
        and value.op in ("==", "!=", "is", "is not")
        and isinstance(value.right, Null)
    )


def _shown(holds: bool) -> str:
    return "set" if holds else "off"


def _at(definition: Definition, value: Value) -> Place:
    return definition.place(value.span)


def _leaves(test: Value, holds: bool) -> Iterator[tuple[Value, bool]]:
    """The names in a condition, each with what it must be for the condition to be ``holds``."""
    stack = [(test, holds)]
    for _ in range(200):
        if not stack:
            return
        value, wanted = stack.pop()
        match value:
            case Unary(op="!"):
                stack.append((value.operand, not wanted))
            case Binary(op="&&" | "||"):
                stack += [(value.right, wanted), (value.left, wanted)]
            case Binary(op="==" | "is" | "!=" | "is not"):
                same = value.op in ("==", "is")
                for side, other in ((value.left, value.right), (value.right, value.left)):
                    if isinstance(other, (Number, Null)):
                        truth = isinstance(other, Number) and other.value != 0
                        stack.append((side, wanted if truth == same else not wanted))
                        break
                    if written(other).endswith("CERT_NONE"):
                        # `if cert_reqs == CERT_NONE`: whoever passes it asks for it.
                        yield Name(side.span, "insecure option"), wanted if same else not wanted
                        break
                    if isinstance(other, Text):
                        # `os.environ["X"] == "1"`, `env == "dev"`
                        word = other.value.lower()
                        yes = word not in ("0", "false", "no", "off", "")
                        if word in _WEAKER_WORDS | _STRONGER_WORDS or _WEAKER.search(word):
                            yield Name(other.span, word), wanted if same else not wanted
                        else:
                            stack.append((side, wanted if yes == same else not wanted))
                        break
            case Binary(op="in" | "not in"):
                if isinstance(value.left, Text):
                    yield Name(value.left.span, value.left.value), wanted == (value.op == "in")
                else:
                    stack.append((value.left, wanted if value.op == "in" else not wanted))
            case Call():
                yield value, wanted
                if isinstance(value.function, Member) and value.function.field in ("lower", "strip", "upper"):
                    stack.append((value.function.object, wanted))
            case _:
                yield value, wanted


def _name_of(leaf: Value) -> str:
    """The name that a leaf of a condition is about: ``VERIFY`` of ``os.getenv("VERIFY")``."""
    if isinstance(leaf, Call):
        texts = [a.value for a in leaf.arguments if isinstance(a, Text)]
        if texts and written(leaf.function).rpartition(".")[2] in (
            "get",
            "getenv",
            "getboolean",
            "pop",
            "getattr",
        ):
            return texts[-1] if len(texts) == 1 else texts[0]
        return written(leaf.function)
    if isinstance(leaf, (Name, Member)):
        return written(leaf)
    for node in walk(leaf):
        if isinstance(node, Text):
            return node.value
    return ""


def _asks(name: str, opt_in_names: Sequence[str] = ()) -> int | None:
    """1 when a true value asks for weaker checks, -1 when it asks for checks, None when neither."""
    last = re.split(r"[./ ]", name)[-1] if not name.startswith("insecure") else name
    folded = last.lower().replace("-", "_")
    if folded.strip("_") in (own.lower().replace("-", "_").strip("_") for own in opt_in_names):
        return 1
    words = {word.lower() for word in _WORD.findall(last)}
    if _WEAKER.search(folded) or words & _WEAKER_WORDS:
        return 1
    if _STRONGER.search(folded) or words & _STRONGER_WORDS:
        return -1
    return None


def _default(program: PythonProgram, definition: Definition, leaf: Value, name: str) -> bool | None:
    """What a switch is when nobody sets it, where the code says."""
    if isinstance(leaf, Call):
        return _environment_default(leaf)
    last = name.rpartition(".")[2]
    if isinstance(leaf, Name):
        parameter = program.parameter(definition, last)
        if parameter is not None:
            return _truth(parameter.default) if parameter.default is not None else None
    for use in program.calls_named("add_argument"):
        if use.definition.file is definition.file and _is_option(use.call, last):
            return _option_default(use.call)
    for origin in program.origins(leaf, definition):
        if origin.value is leaf:
            continue
        if isinstance(origin.value, Call):
            return _environment_default(origin.value)
        if isinstance(origin.value, Number):
            return origin.value.value != 0
    return None


def _is_option(call: Call, name: str) -> bool:
    flags = [a.value.lstrip("-").replace("-", "_") for a in call.arguments if isinstance(a, Text)]
    flags += [k.value.value for k in call.keywords if k.name == "dest" and isinstance(k.value, Text)]
    return name in flags


def _option_default(call: Call) -> bool | None:
    named = {k.name: k.value for k in call.keywords}
    if "default" in named:
        return _truth(named["default"])
    action = named.get("action")
    if isinstance(action, Text):
        return {"store_true": False, "store_false": True}.get(action.value)
    return None


def _environment_default(call: Call) -> bool | None:
    """``os.environ.get("X", "1")`` is on by default, ``os.getenv("X")`` off."""
    name = written(call.function)
    if not name.endswith(("environ.get", "getenv")):
        return None
    return _truth(call.arguments[1]) if len(call.arguments) > 1 else False


def _truth(value: Value | None) -> bool | None:
    match value:
        case Number():
            return value.value != 0
        case Text():
            return value.value.lower() not in ("", "0", "false", "no", "off")
        case Null():
            return False
    return None


# ------------------------------------------------------------------------------------- addresses

_URL = re.compile(
    r"(?P<scheme>wss?|https?)://(?:[^@/]*@)?(?P<host>\[[^\]]*\]|[^:/?#]*)(?::(?P<port>\d+))?", re.IGNORECASE
)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0|.*\.localhost", re.IGNORECASE)


class Url(msgspec.Struct, frozen=True):
    """The literal beginning of a URL; ``host`` is "" when it is not in the literal part."""

    scheme: str
    host: str
    port: int | None
    text: str

    @property
    def loopback(self) -> bool:
        return bool(_LOOPBACK.fullmatch(self.host))


def url_of(value: Value) -> Url | None:
    """The URL that a text or an f-string begins with."""
    whole = True
    while isinstance(value, Binary) and value.op in ("+", "%"):
        value = value.left
        whole = False
    if isinstance(value, Call) and isinstance(value.function, Member) and value.function.field == "format":
        value = value.function.object
        whole = False
    if not isinstance(value, Text):
        return None
    match = _URL.match(value.value)
    if match is None:
        return None
    host = match["host"]
    known = bool(host) and (whole or match.end("host") < len(value.value)) and not set("{%}") & set(host)
    port = match["port"]
    return Url(match["scheme"].lower(), host if known else "", int(port) if port else None, value.value)
