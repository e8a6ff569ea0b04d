"""Makefiles of GNU make, automake, Android's ndk-build, Buildroot and OpenWrt.

make's grammar is one of logical lines (GNU make manual, "Parsing Makefiles"), and so is this reader; a
tree-sitter grammar for it exists, but gives up on automake's ``if`` and on whole files of kbuild.  What a
recipe runs is for :mod:`lwslint.build.readers.shell`, after the variables are replaced as make does it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, shell, versions
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.make_expand import Expander, Value
from lwslint.build.readers.make_objects import Objects
from lwslint.build.readers.records import Records, Snippet, decode, whole
from lwslint.build.readers.words import Word, add_flags, holds_flags, library_flags, split

EMPTY = '""'  # a side of a comparison
MAX_CONDITIONS = 60  # nested in each other, or in one chain of else
_DEEP = f"conditions nested more than {MAX_CONDITIONS} deep; the rest was not read"

_ASSIGNMENT = re.compile(
    rb"[ \t]*(?:(?:export|override|private)[ \t]+)*"
    rb"(?P<name>(?:[\w.%/-]|\$\(\w+\)|\$\{\w+\})+)[ \t]*(?P<how>\?=|::?:?=|\+=|!=|=)[ \t]*(?P<value>[\s\S]*)"
)
_DIRECTIVE = re.compile(
    rb"\s*(?P<word>ifdef|ifndef|ifeq|ifneq|if|elif|else|endif|-?include|sinclude|define|endef|export|unexport|vpath)"
    rb"(?=$|[\s(\"'])[ \t]*(?P<rest>[\s\S]*)"
)
_COMPARISON = re.compile(
    rb"""\((?P<left>[\s\S]*)\)\Z
       | ["'](?P<first>[^"']*)["'] \s* ["'](?P<second>[^"']*)["']""",
    re.VERBOSE,
)
_NAMES = re.compile(r"\$[({](\w+)[)}]", re.ASCII)
_AUTOMAKE = re.compile(r"(?:(?:nobase|dist|nodist)_)*[a-z0-9]+_(PROGRAMS|LIBRARIES|LTLIBRARIES)\Z")
_CMAKE_VARIABLE = re.compile(r"(?:^|_)(?:CONF_OPTS?|CMAKE_(?:OPTIONS|OPTS|ARGS|FLAGS|PARAMS))\Z")
_CMAKE = re.compile(rb"\$[({](?:HOST_)?CMAKE[)}]|\bcmake\b")
# The variable that names the package whose version another variable holds: OpenWrt, FreeBSD's ports.
_VERSIONS = {"PKG_VERSION": "PKG_NAME", "DISTVERSION": "PORTNAME", "PORTVERSION": "PORTNAME"}
_PORT_OPTION = re.compile(r"(\w+)_CMAKE_(ON|OFF)")  # FreeBSD: for one option of the port
_SWITCH = re.compile(r"LWS|LIBWEBSOCKETS|\A(?:CMAKE_)?BUILD_?TYPE\Z|\A(?:N?DEBUG|RELEASE)\Z")
_PROGRAM = re.compile(r"[\w.+/-]+\Z", re.ASCII)
_NOT_GOALS = frozenset({"all", "clean", "install", "uninstall", "test", "check", "distclean", "default"})
_BLANKS = re.compile(r"(?:\\\r?\n|\s)+")
# Recipes without any of these say nothing about a build.
_INTEREST = re.compile(rb"(?i)(?:^|\s)-[DUo]|cmake|meson|libwebsockets|lws|\bar\b|\.o\b|\.c(?:c|pp|xx)?\b")


class _Rule(NamedTuple):
    targets: Snippet
    prerequisites: Snippet
    conditions: tuple[When, ...]
    recipes: list[tuple[Snippet, tuple[When, ...]]]


class _Target(NamedTuple):
    """A variable that is set for one target only."""

    target: Snippet
    name: str
    value: Value


def read(path: str, data: bytes) -> BuildFile:
    """A makefile: what it compiles with, which programs it makes of what, which builds its recipes start."""
    return Records(path, "make", data).read(_read)


def _read(records: Records) -> None:
    _Makefile(records).read()


class _Makefile:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.variables: dict[str, list[Value]] = {}
        self.rules: list[_Rule] = []
        self.specific: list[_Target] = []
        self.compared: set[str] = set()  # variables that conditions look at
        self.for_cmake: set[str] = set()  # variables that a recipe hands to cmake
        self.conditions: list[list[When]] = []
        self.local: dict[str, list[Value]] = {}  # Android's LOCAL_… since CLEAR_VARS
        self.expander = Expander(self.variables)

    # ------------------------------------------------------------------ first pass: lines

    def read(self) -> None:
        rule: _Rule | None = None
        hidden = 0  # inside of define … endef
        for line in _logical_lines(whole(self.records.data)):
            if line.text.startswith(b"\t") and rule is not None and not hidden:
                rule.recipes.append((line, self._here()))
                continue
            text = _without_comment(line)
            directive = _DIRECTIVE.match(text.text)
            word = directive["word"] if directive else b""
            if hidden:
                hidden += (word == b"define") - (word == b"endef")
                continue
            if not text.text.strip():
                continue
            assignment = _ASSIGNMENT.match(text.text)
            if assignment is not None:
                rule = None
                self._assign(text, assignment)
            elif directive is not None:
                if word == b"define":
                    hidden = 1
                elif not self._conditional(text, directive):
                    rest = text.part(directive.start("rest"), directive.end("rest"))
                    if word in (b"include", b"-include", b"sinclude"):
                        self._include(rest)
            else:
                rule = self._rule(text) or rule
        self._second_pass()

    def _here(self) -> tuple[When, ...]:
        return tuple(when for group in self.conditions for when in group)

    def _assign(self, line: Snippet, match: re.Match[bytes]) -> None:
        name = decode(match["name"])
        value = line.part(match.start("value"), match.end("value"))
        span = line.span(match.start("name"), len(line.text.rstrip()))
        self._set(name, Value(value, self._here(), span, match["how"] == b"?="), match["how"] == b"+=")

    def _set(self, name: str, value: Value, appended: bool) -> None:
        known = self.variables.setdefault(name, [])
        refers = any(reference in value.snippet.text for reference in _references(name))
        if not (appended or refers or value.conditions or value.weak):
            known.clear()
        known.append(value)
        if name.startswith("LOCAL_"):
            local = self.local.setdefault(name, [])
            if not (appended or refers):
                local.clear()
            local.append(value)

    def _conditional(self, line: Snippet, match: re.Match[bytes]) -> bool:
        """Open, turn or close a condition; False when ``line`` does neither."""
        word, rest = decode(match["word"]), line.part(match.start("rest"), match.end("rest"))
        if word == "endif":
            if self.conditions:
                self.conditions.pop()
            return True
        if word == "else":
            if self.conditions:
                group = self.conditions[-1]
                if len(group) == MAX_CONDITIONS:
                    raise TooMuch(_DEEP)
                group[-1] = When(group[-1].text, group[-1].place, not group[-1].wanted)
                again = _DIRECTIVE.match(rest.text)
                if again is not None and again["word"].startswith(b"if"):
                    inner = rest.part(again.start("rest"), again.end("rest"))
                    group.append(self._when(decode(again["word"]), inner))
            return True
        if not word.startswith("if"):
            return False
        if len(self.conditions) < MAX_CONDITIONS:
            self.conditions.append([self._when(word, rest)])
        else:
            raise TooMuch(_DEEP)
        return True

    def _when(self, word: str, rest: Snippet) -> When:
        text = rest.text.strip()
        start = len(rest.text) - len(rest.text.lstrip())
        place = self.records.place(rest.span(start, start + len(text)))
        if word in ("ifeq", "ifneq"):
            left, right = _compared(text)
            self.compared.update(_NAMES.findall(left + right))
            return When(f"{left or EMPTY} = {right or EMPTY}", place, word == "ifeq")
        name = _BLANKS.sub(" ", decode(text))
        negated = word == "if" and name.startswith("!")  # automake
        self.compared.add(name.lstrip("!"))
        return When(name.lstrip("!"), place, not (word == "ifndef" or negated))

    def _include(self, rest: Snippet) -> None:
        text = decode(rest.text)
        kind = re.search(r"\$\(BUILD_(EXECUTABLE|SHARED_LIBRARY|STATIC_LIBRARY)\)", text)
        if kind is not None:
            self._android(kind[1], rest)
        elif "$(CLEAR_VARS)" in text:
            self.local.clear()
        else:
            for word in split(self.expander.expand(rest)):
                if "$" not in word.text and "*" not in word.text:
                    self.records.include(word.text)

    def _rule(self, line: Snippet) -> _Rule | None:
        colon = _colon(line.text)
        if colon < 0:
            return None
        end = colon + (2 if line.text[colon : colon + 2] == b"::" else 1)
        targets, rest = line.part(0, colon), line.part(end, len(line.text))
        assignment = _ASSIGNMENT.match(rest.text)
        if assignment is not None:
            value = rest.part(assignment.start("value"), assignment.end("value"))
            span = rest.span(assignment.start("name"), len(rest.text.rstrip()))
            name = decode(assignment["name"])
            self.specific.append(_Target(targets, name, Value(value, self._here(), span)))
            return None
        recipes: list[tuple[Snippet, tuple[When, ...]]] = []
        semicolon = rest.text.find(b";")
        if semicolon >= 0:
            recipes.append((rest.part(semicolon + 1, len(rest.text)), self._here()))
            rest = rest.part(0, semicolon)
        rule = _Rule(targets, rest, self._here(), recipes)
        self.rules.append(rule)
        return rule

    # ------------------------------------------------------------------ second pass: meaning

    def _second_pass(self) -> None:
        rules = [(rule, self._words(rule.targets), self._words(rule.prerequisites)) for rule in self.rules]
        objects = Objects(self._all_sources(), self.records.data)
        for _, targets, prerequisites in rules:
            objects.learn([word.text for word in targets], [word.text for word in prerequisites])
        self.records.source_of = objects.source_of
        cooked = {word.text for rule, targets, _ in rules if rule.recipes for word in targets}
        self._automake()
        for rule, targets, prerequisites in rules:
            with self.records.under(*rule.conditions):
                self._make(rule, targets, prerequisites, cooked)
        self._implicit(rules)
        self._variables()
        self._target_specific()

    def _words(self, snippet: Snippet) -> list[Word]:
        return split(self.expander.expand(snippet, every=True))

    def _all_sources(self) -> list[str]:
        values = [value.snippet for values in self.variables.values() for value in values]
        return [
            word.text
            for snippet in [*values, *(rule.prerequisites for rule in self.rules)]
            if b"." in snippet.text
            for word in self._words(snippet)
            if commands.is_source(word.text)
        ]

    def _variables(self) -> None:
        for name, values in self.variables.items():
            target = self._owner(name)
            for value in values:
                with self.records.under(*value.conditions):
                    self._variable(name, value, target)

    def _variable(self, name: str, value: Value, target: str) -> None:
        if holds_flags(name):
            if name not in self.for_cmake and not name.startswith("LOCAL_"):
                add_flags(self.records, split(self.expander.expand(value.snippet)), target)
        elif _CMAKE_VARIABLE.search(name):
            commands.cmake_arguments(self.records, split(self.expander.expand(value.snippet)), "package")
        elif option := _PORT_OPTION.fullmatch(name):
            when = When(f"port option {option[1]}", self.records.place(value.span), option[2] == "ON")
            with self.records.under(when):
                commands.cmake_arguments(self.records, split(self.expander.expand(value.snippet)), "package")
        elif name in ("CMAKE_ON", "CMAKE_OFF"):  # FreeBSD's ports
            for word in split(self.expander.expand(value.snippet)):
                self.records.setting(word.text, name.removeprefix("CMAKE_"), word.span, "package")
        elif name in ("LIBWEBSOCKETS_VERSION", "LWS_VERSION") or (
            self._text(_VERSIONS.get(name, "")) == "libwebsockets"
        ):
            text = decode(value.snippet.text).strip()
            if version := versions.of_tag(text):
                span = value.snippet.span(0, len(value.snippet.text.rstrip()))
                self.records.requirement(version, "package", span, exact=versions.is_release(version))
        elif name in self.compared or _SWITCH.search(name):
            text = _BLANKS.sub(" ", decode(value.snippet.text)).strip()
            if not text.startswith("-"):  # not a list of flags
                self.records.setting(name, text, value.span, "option" if value.weak else "variable")

    def _text(self, name: str) -> str:
        values = self.variables.get(name, [])
        return decode(values[-1].snippet.text).strip() if values else ""

    def _owner(self, name: str) -> str:
        """The automake target whose flags ``name`` holds (``client_CPPFLAGS``); "" for all."""
        match = re.fullmatch(r"(\w+)_(?:CFLAGS|CPPFLAGS|CXXFLAGS)", name, re.ASCII)
        return match[1] if match and f"{match[1]}_SOURCES" in self.variables else ""

    def _automake(self) -> None:
        for name, values in list(self.variables.items()):
            match = _AUTOMAKE.match(name)
            if match is None:
                continue
            for value in values:
                with self.records.under(*value.conditions):
                    for word in split(self.expander.expand(value.snippet, every=True)):
                        if "$" not in word.text and "@" not in word.text:
                            self._automake_target(word, match[1] == "PROGRAMS")

    def _automake_target(self, word: Word, program: bool) -> None:
        base = re.sub(r"\W", "_", word.text, flags=re.ASCII)
        sources = [
            path
            for prefix in ("", "nodist_", "dist_")
            for source in self._value(f"{prefix}{base}_SOURCES")
            if commands.is_source(source.text) and (path := self.records.here(source.text))
        ]
        if not sources and f"{base}_SOURCES" not in self.variables:
            sources = [path] if (path := self.records.here(f"{word.text.partition('.')[0]}.c")) else []
        flags = [part for key in ("LDADD", "LIBADD", "LDFLAGS") for part in self._value(f"{base}_{key}")]
        if not any(f"{base}_{key}" in self.variables for key in ("LDADD", "LIBADD")):
            flags += self._value("LDADD")
        kind = "program" if program else "library"
        if any(flag.text == "-module" for flag in flags):
            kind = "module"
        links = library_flags([*flags, *self._value("LIBS"), *self._value("AM_LDFLAGS")])
        self.records.target(base, kind, sources, word.span, links)

    def _value(self, name: str) -> list[Word]:
        return [
            word
            for value in self.variables.get(name, [])
            for word in split(self.expander.expand(value.snippet, every=True))
        ]

    # ------------------------------------------------------------------ rules

    def _make(self, rule: _Rule, targets: list[Word], prerequisites: list[Word], cooked: set[str]) -> None:
        """One rule; ``cooked`` are the targets that some rule has a recipe for."""
        names = [word.text for word in targets]
        if len(names) == 1 and names[0] not in cooked:
            stem = names[0].rpartition("/")[2].partition(".")[0]
            own = [word for word in prerequisites if _stem(word.text) == stem]
            if own and _PROGRAM.match(names[0]) and "." not in names[0].rpartition("/")[2]:
                self._linked(targets[0], prerequisites)
        for snippet, conditions in rule.recipes:
            more = conditions[len(rule.conditions) :]
            with self.records.under(*more):
                self._recipe(snippet, targets, prerequisites)

    def _linked(self, target: Word, prerequisites: list[Word]) -> None:
        """A program that make's built-in rules link."""
        sources = [path for word in prerequisites if (path := self._source(word.text))]
        flags = [part for name in ("LDLIBS", "LOADLIBES", "LDFLAGS") for part in self._value(name)]
        name = target.text.rpartition("/")[2]
        self.records.target(name, "program", sources, target.span, library_flags(flags))

    def _source(self, name: str) -> str:
        found = name if commands.is_source(name) else self.records.source_of(name)
        return self.records.here(found) if found else ""

    def _implicit(self, rules: list[tuple[_Rule, list[Word], list[Word]]]) -> None:
        """``all: client server`` where nothing says how: each is compiled from ``client.c``."""
        made = {word.text for _, targets, _ in rules for word in targets}
        for _, targets, prerequisites in rules:
            if not any(word.text == "all" for word in targets):
                continue
            for word in prerequisites:
                if word.text in made or word.text in _NOT_GOALS or not re.fullmatch(r"[\w+/-]+", word.text):
                    continue
                if self.records.source_of(f"{word.text}.o"):
                    self._linked(word, [Word(f"{word.text}.o", word.span)])

    def _recipe(self, snippet: Snippet, targets: list[Word], prerequisites: list[Word]) -> None:
        if not _INTEREST.search(snippet.text) and b"$" not in snippet.text:
            return
        automatic = {
            "@": [targets[0]] if targets else [],
            "<": prerequisites[:1],
            "^": prerequisites,
            "+": prerequisites,
            "?": prerequisites,
        }
        for target in targets if len(targets) <= 8 else targets[:1]:
            automatic["@"] = [target]
            cmake = _CMAKE.search(snippet.text) is not None
            expanded = self.expander.expand(snippet, automatic=automatic, keep=None if cmake else holds_flags)
            if not _INTEREST.search(expanded.text):
                return
            start = len(expanded.text) - len(expanded.text.lstrip(b"@-+ \t"))
            shell.read_snippet(self.records, expanded.part(start, len(expanded.text)))
            if cmake:
                self._cmake_variables(snippet)

    def _cmake_variables(self, snippet: Snippet) -> None:
        """The options that variables add to a ``cmake`` command under conditions of their own."""
        names = dict.fromkeys(_NAMES.findall(decode(snippet.text)))
        command = _CMAKE.search(snippet.text)
        line = self.records.line(snippet.origins[command.start() if command else 0])
        self.for_cmake.update(names)
        for name in names:
            for value in self.variables.get(name, []):
                if value.conditions:
                    with (
                        self.records.under(*value.conditions),
                        self.records.configured(f"cmake on line {line}"),
                    ):
                        words = split(self.expander.expand(value.snippet))
                        commands.cmake_arguments(self.records, words)

    def _target_specific(self) -> None:
        """``debug: CFLAGS += -DDEBUG``: for one program or file, or for whatever ``make debug`` makes."""
        programs = {target.name for target in self.records.targets}
        for target, name, value in self.specific:
            if not holds_flags(name):
                continue
            words = split(self.expander.expand(value.snippet))
            for word in split(self.expander.expand(target)):
                owner = self._source(word.text) if word.text.endswith((".o", ".obj")) else ""
                base = word.text.rpartition("/")[2]
                if base in programs:
                    owner = base
                goal = () if owner else (When(f"make {word.text}", self.records.place(word.span)),)
                with self.records.under(*value.conditions, *goal):
                    add_flags(self.records, words, owner)

    def _android(self, kind: str, rest: Snippet) -> None:
        """``include $(BUILD_EXECUTABLE)``: what the ``LOCAL_…`` variables say up to here."""

        def local(name: str) -> list[Word]:
            return [
                word
                for value in self.local.get(name, [])
                for word in split(self.expander.expand(value.snippet, every=True))
            ]

        module = local("LOCAL_MODULE")
        if not module:
            return
        sources = [
            path
            for word in local("LOCAL_SRC_FILES")
            if commands.is_source(word.text)
            and "$" not in word.text
            and (path := self.records.here(word.text))
        ]
        links = library_flags([*local("LOCAL_LDLIBS"), *local("LOCAL_LDFLAGS")])
        for name in ("LOCAL_STATIC_LIBRARIES", "LOCAL_SHARED_LIBRARIES"):
            links += [word.text for word in local(name)]
        span = rest.span(0, len(rest.text.rstrip()))
        with self.records.under(*self._here()):
            target = module[0].text
            self.records.target(
                target, "program" if kind == "EXECUTABLE" else "library", sources, span, links
            )
            for name in ("LOCAL_CFLAGS", "LOCAL_CPPFLAGS"):
                add_flags(self.records, local(name), target)


# --------------------------------------------------------------------------- syntax


def _logical_lines(snippet: Snippet) -> list[Snippet]:
    """The lines of a makefile, those that end in a backslash joined with the next; without line ends."""
    lines: list[Snippet] = []
    start = position = 3 if snippet.text.startswith(b"\xef\xbb\xbf") else 0
    text = snippet.text
    while position < len(text):
        end = text.find(b"\n", position)
        end = len(text) if end < 0 else end
        stop = end - 1 if text[end - 1 : end] == b"\r" and end > start else end
        backslashes = 0
        while stop - backslashes > start and text[stop - backslashes - 1] == 0x5C:
            backslashes += 1
        position = end + 1
        if backslashes % 2 and position < len(text):
            continue
        lines.append(snippet.part(start, stop))
        start = position
    return lines


def _without_comment(line: Snippet) -> Snippet:
    match = re.search(rb"(?<!\\)#", line.text)
    return line.part(0, match.start()) if match else line


def _colon(text: bytes) -> int:
    """Where the colon of a rule stands, outside of ``$(…)``; -1 when there is none."""
    depth = 0
    for match in re.finditer(rb"[(){}:=]", text):
        mark = match[0]
        if mark in b"({":
            depth += 1
        elif mark in b")}":
            depth = max(0, depth - 1)
        elif depth == 0:
            return match.start() if mark == b":" else -1
    return -1


def _compared(text: bytes) -> tuple[str, str]:
    """The two sides of ``ifeq (a,b)`` or ``ifeq "a" "b"``."""
    match = _COMPARISON.match(text)
    if match is None:
        return decode(text), ""
    if match["left"] is None:
        return decode(match["first"]), decode(match["second"])
    inner, depth = match["left"], 0
    for position, mark in enumerate(inner):
        depth += (mark in b"({") - (mark in b")}")
        if mark == 0x2C and depth == 0:
            return decode(inner[:position]).strip(), decode(inner[position + 1 :]).strip()
    return decode(inner).strip(), ""


def _references(name: str) -> tuple[bytes, bytes]:
    return f"$({name})".encode(), f"${{{name}}}".encode()


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
