"""Which further files the linking needs: those that define or call what the parsed files leave open.

Only files that mention libwebsockets are parsed at first.  A thread may start in a file that doesn't,
and call through three more until it reaches lws.  So the parsed facts *ask* for names, and exactly
the files that define or mention those names are parsed too, until nothing new is asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from functools import cache

import msgspec

from lwslint.facts import Assign, Call, Cast, FileFacts, Function, Lambda, Member, Name, Unary, Value, walk
from lwslint.knowledge import api, threads
from lwslint.knowledge.api import Category, ThreadClass
from lwslint.model.bodies import Body, flatten
from lwslint.model.names import callee_name, last_component

MIN_NAME = 5
MIN_CONSTANT = 4
MAX_MENTIONS = 24  # a name in more files than this is a common word, not a link
ROUNDS = 4
MAX_FILES = 300
_ASKED_FIELDS = frozenset(
    ["protocol", "local_protocol_name", "ssl_connection", "address", "host", "method", "port", "name"]
)
_BINDERS = frozenset(["bind", "bind_front", "mem_fn"])
_THREAD_WORD = re.compile(r"(?i)thread|task|async|spawn|worker|launch")


class Demand(msgspec.Struct, frozen=True):
    """Names that the linking needs: ``callers`` wants files that mention the function (and, for a method,
    its class: ``(name, class)``, the class empty for a free function), ``definitions``
    files that define the function, macro or class."""

    callers: frozenset[tuple[str, str]] = frozenset()
    definitions: frozenset[str] = frozenset()


class Asker:
    """Adds up the facts of all parsed files and says what they leave open."""

    def __init__(self, bodies: dict[int, Body] | None = None) -> None:
        # Flattened here first; the model takes them over, by identity: the facts are kept as they are.
        self.bodies = {} if bodies is None else bodies
        self._calls: dict[str, set[str]] = defaultdict(set)  # callee name → names of the functions around
        self._owners: dict[str, set[str]] = defaultdict(set)
        self._defined: set[str] = set()
        self._classes: set[str] = set()
        self._bases: set[str] = set()
        self._missing: set[str] = set()
        self._public: dict[str, set[str]] = defaultdict(set)  # name → classes, "" for a free function
        self._seeds: set[str] = set()
        self._constants: set[str] = set()
        self._aliases: dict[str, str] = {}

    def add(self, facts: Sequence[FileFacts], pulled: bool = False) -> None:
        """Take in more facts.  Files that were only pulled in ask for callers and for what starts
        threads, not for their own classes and constants."""
        for file in facts:
            self._classes.update(c.name for c in file.classes if c.fields or c.methods)
            self._aliases.update((alias.name, _plain(alias.type)) for alias in file.aliases)
            if not pulled:
                self._bases.update(_plain(base) for c in file.classes for base in c.bases)
            self._defined.update(m.name for m in file.macros)
            self._defined.update(e.name for e in file.enumerators)
            self._defined.update(last_component(v.name) for v in file.variables)
            names = [_name_of(file, function) for function in file.functions]
            for function, name in zip(file.functions, names, strict=True):
                self._add_function(function, name, pulled)

    def _add_function(self, function: Function, name: str, pulled: bool) -> None:
        self._defined.add(name)
        if function.owner and not pulled:
            self._owners[last_component(function.owner)].add(name)
        if not function.static and function.kind not in ("lambda", "macro"):
            self._public[name].add(last_component(function.owner))
        body = self.bodies[id(function)] = flatten(function)
        for site in body.calls:
            if not site.name:
                continue
            callee = last_component(site.name)
            self._calls[callee].add(name)
            if _matters(callee):
                self._seeds.add(name)
            elif _unknown_starter(callee):
                assert isinstance(site.node, Call)
                if any(_may_be_function(a) for a in site.node.arguments):
                    self._missing.add(callee)
        for site in () if pulled else body.assigns:
            assert isinstance(site.node, Assign)
            target = site.node.target
            if isinstance(target, Member) and target.field in _ASKED_FIELDS:
                local = {*body.locals, *(p.name for p in function.parameters)}
                self._constants.update(_constants(site.node.value, local))

    def ask(self) -> Demand:
        """What is still open after all the facts so far."""
        leading = set(self._seeds)
        queue = deque(sorted(leading))
        while queue:
            for caller in self._calls.get(queue.popleft(), ()):
                if caller not in leading:
                    leading.add(caller)
                    queue.append(caller)
        callers = {
            (name, owner)
            for name in leading
            for owner in self._public.get(name, ())
            if owner or (len(name) >= MIN_NAME and name not in _COMMON)
        }
        missing = {self._aliases.get(n, n) for n in self._missing | self._constants if n not in self._defined}
        missing -= self._defined
        missing |= {n for n in (*self._owners, *self._bases) if n not in self._classes}
        return Demand(frozenset(callers), frozenset(missing))


def _plain(type: str) -> str:
    """A base class's name without its namespace and template arguments."""
    return last_component(type.split("<", 1)[0].strip())


@cache
def _matters(name: str) -> bool:
    """Calls whose thread or order matters to a rule."""
    category = api.category(name)
    return category in (Category.SERVICE, Category.DESTROY_CONTEXT) or (
        api.thread_class(name) is ThreadClass.SERVICE and category is not Category.CREATE_CONTEXT
    )


@cache
def _unknown_starter(name: str) -> bool:
    """Whether a name sounds like starting a thread and is no API that the thread table knows."""
    return bool(_THREAD_WORD.search(name)) and not name.startswith("pthread_") and not threads.called(name)


def _name_of(file: FileFacts, function: Function) -> str:
    """A lambda counts as the function around it."""
    while function.kind == "lambda" and function.parent is not None:
        function = file.functions[function.parent]
    return function.name


def _may_be_function(value: Value) -> bool:
    while isinstance(value, (Cast, Unary)):
        value = value.operand
    if isinstance(value, Call):
        return last_component(callee_name(value)) in _BINDERS
    return isinstance(value, (Lambda, Name))


def _constants(value: Value, local: Collection[str]) -> Iterator[str]:
    """The names in a value that may be constants of another file."""
    for node in walk(value):
        if isinstance(node, Name) and node.id not in local and api.constant_value(node.id) is None:
            name = last_component(node.id)
            if len(name) >= MIN_CONSTANT:
                yield name


class Search:
    """Looks for the names that the linking asks for in the bytes of one file after the other.

    Each name is a question: ``call NAME CLASS`` for a function that the file may call (it holds the name,
    and the class's name), ``define NAME`` for one that it may define.
    """

    def __init__(self, callers: Sequence[tuple[str, str]], definitions: Sequence[str]) -> None:
        # By the function's name: the question, and the class that has to be named, too.
        self._callers: dict[bytes, list[tuple[str, bytes]]] = defaultdict(list)
        for name, owner in callers:
            self._callers[name.encode()].append((" ".join(("call", name, owner)), owner.encode()))
        self._definitions = {f"define {name}": (name, name.encode()) for name in definitions}
        calls = (question for questions in self._callers.values() for question, _ in questions)
        self.questions = (*calls, *self._definitions)
        names = {word.encode() for both in callers for word in both if word}
        names.update(encoded for _, encoded in self._definitions.values())
        self._words = frozenset(filter(_WORD.fullmatch, names))
        # Names such as `operator()` are no words, and are looked for where there is a word of theirs.
        self._odd = {
            name: (_word_in(name), re.compile(rb"\b" + re.escape(name) + rb"\b"))
            for name in names - self._words
        }
        self._wanted = self._words.union(word for word, _ in self._odd.values() if word)

    def answer(self, data: bytes) -> set[str]:
        """The questions to which a file of these bytes is an answer."""
        held = self._held(data)
        found = {
            question
            for name in held & self._callers.keys()
            for question, owner in self._callers[name]
            if not owner or owner in held
        }
        for question, (text, name) in self._definitions.items():
            if (name in held or name in self._odd) and defines(data, text):
                found.add(question)
        return found

    def _held(self, data: bytes) -> frozenset[bytes]:
        """The names that the bytes hold as whole words."""
        if len(self._wanted) > _MANY:
            found = self._wanted.intersection(data.translate(_SPACED).split())
        else:
            found = frozenset(word for word in self._wanted if word in data and _mentions(data, word))
        odd = [
            name
            for name, (word, pattern) in self._odd.items()
            if (not word or word in found) and pattern.search(data)
        ]
        return found.union(odd) if odd else found


def _word_in(name: bytes) -> bytes:
    """The longest word in a name."""
    return max(_WORD.findall(name), key=len, default=b"")


_WORD = re.compile(rb"\w+")
_SPACED = bytes(byte if _WORD.fullmatch(bytes([byte])) else 0x20 for byte in range(256))
_MANY = 20
"""From so many names on, taking a file apart into its words costs less than looking for each of them."""


def _mentions(data: bytes, word: bytes) -> bool:
    """Whether the bytes hold ``word`` as a whole word."""
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if not (_is_word(data[at - 1 : at]) or _is_word(data[end : end + 1])):
            return True
        at = data.find(word, end)
    return False


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


# ------------------------------------------------------------------------------------- definitions

# How a definition goes on behind its name.
_DEFINED = re.compile(rb"\b")
_CLASS = re.compile(rb"\s*(?:final\s*)?[:{]")
_FUNCTION = re.compile(rb"\s*\([^;{}]*\)\s*\{")
_VARIABLE = re.compile(rb"\s*(?:\[[^\]\n]*\])?\s*[={]")
_STRING = re.compile(rb"\s*[={(]")
_ENUMERATOR = re.compile(rb"\s*(?:=[^,;\n]*)?,?\s*(?://|/\*|$)", re.MULTILINE)
_USING = re.compile(rb"\s*=")
_TYPEDEF_END = re.compile(rb"\s*;")
# What stands before it on the same line.
_TYPEDEF = re.compile(rb"\btypedef\b[^;{}()]*\Z")
_IN_NO_DEFINITION = re.compile(rb"[=;#]")
_TYPE = re.compile(rb"\b(?:char|auto|int|unsigned)\b[^\n=;(){}]*\Z")


def defines(data: bytes, name: str) -> bool:
    """Whether the bytes seem to define a function, macro, constant or class of that name."""
    word = name.encode()
    at = data.find(word)
    while at >= 0:
        if _begins_definition(data, at, at + len(word)):
            return True
        at = data.find(word, at + 1)
    return False


def _begins_definition(data: bytes, start: int, end: int) -> bool:
    """Whether the name from ``start`` to ``end`` seems to be the one that is defined there."""
    line = data.rfind(b"\n", 0, start) + 1
    if _FUNCTION.match(data, end) and _DEFINED.match(data, start):
        if not _IN_NO_DEFINITION.search(data, line, start):
            return True
    before = _text_end(data, start)
    if before <= line and _ENUMERATOR.match(data, end):
        return True
    if _VARIABLE.match(data, end) and (before < start or data[start - 1 : start] in (b"*", b"&")):
        above = data.rfind(b"\n", 0, start - 1) + 1
        if _TYPE.search(data[above : start - 1]):
            return True
    if before == start:
        return False
    word = _word_start(data, before)
    kind = data[word:before]
    if kind == b"define" and _ends_in_hash(data, word) and _DEFINED.match(data, end):
        return True
    if kind == b"using" and _USING.match(data, end):
        return True
    if _TYPEDEF_END.match(data, end) and _TYPEDEF.search(data[line:start]):
        return True
    if kind in (b"string", b"string_view") and _STRING.match(data, end):
        return True
    return _is_class(data, word, before, end)


def _is_class(data: bytes, word: int, before: int, end: int) -> bool:
    """Whether a class is defined whose name ends at ``end``, behind the word from ``word`` to ``before``: its
    keyword, or a macro between the two."""
    if word == before or not _CLASS.match(data, end):
        return False
    keywords = (b"class", b"struct")
    if data[word:before] in keywords:
        return True
    outer = _text_end(data, word)
    return outer < word and data[_word_start(data, outer) : outer] in keywords


def _ends_in_hash(data: bytes, at: int) -> bool:
    """Whether the last character before ``at`` that is no space is the ``#`` of a directive."""
    end = _text_end(data, at)
    return data[end - 1 : end] == b"#"


def _text_end(data: bytes, at: int) -> int:
    """Where the white space before ``at`` begins."""
    near = data[max(0, at - 100) : at]
    if text := near.rstrip():
        return at - len(near) + len(text)
    return len(data[:at].rstrip())


def _word_start(data: bytes, at: int) -> int:
    """Where the word that ends at ``at`` begins; ``at`` when there is none."""
    while at > 0 and _is_word(data[at - 1 : at]):
        at -= 1
    return at


# Function names that are words of every project.
_COMMON = frozenset(
    [
        *("WinMain", "wmain", "TEST_F", "TEST_P", "setup", "teardown", "setUp", "tearDown"),
        *("close", "connect", "create", "destroy", "error", "event", "init_", "main", "operator", "process"),
        *("reset", "service", "start", "state", "timer", "update", "write", "flush", "handle", "handler"),
        *("message", "notify", "onOpen", "onClose", "onMessage", "request", "response", "client", "server"),
    ]
)
