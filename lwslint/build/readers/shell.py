"""Shell scripts, and the shell inside other files: which builds they start, with which options.

``APKBUILD`` and ``PKGBUILD``, the recipes of Alpine and Arch, are scripts as well.

tree-sitter-bash finds the commands; what each one says is :mod:`lwslint.build.readers.commands`'s.
Variables are followed as far as their text stands in the script; nothing is run.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tree_sitter import Language, Node, Parser

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, syntax, versions
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.records import Records, Snippet, decode, whole
from lwslint.build.readers.words import MAX_WORDS, Word, split, unquote

MAX_DEPTH = 400  # of the syntax tree; nobody nests as deep by hand
_LONG = f"a command of more than {MAX_WORDS} words; the rest was not read"
_MAX_VALUES = 50  # of one variable
_MAX_REFERENCES = 8  # in one word
_MAX_TESTS = 30  # of one chain of elif that are kept
_MAX_NESTED_SHELLS = 3  # bash -c "bash -c …"

# A script that names none of these builds nothing that matters here.
_INTEREST = re.compile(rb"(?i)libwebsockets|lws|\bcmake\b|\bmeson\b")
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?(?::?-([^{}$]*))?\})", re.ASCII)
_BLANKS = re.compile(r"\s+")


# Variables that are set around a script, each with the words of its value.
Environment = Mapping[str, Sequence[Word]]


class _Value(NamedTuple):
    """What a variable may hold: ``words`` when it is used as a list, ``text`` when as a part of a word."""

    text: str
    words: tuple[Word, ...]
    conditions: tuple[When, ...]


class _Choice(NamedTuple):
    """A word of a command, and the conditions beside the command's own under which it stands there."""

    word: Word
    conditions: tuple[When, ...] = ()


def read(path: str, data: bytes) -> BuildFile:
    """A ``*.sh`` file; empty when it has nothing to do with building libwebsockets or by CMake or Meson."""
    return Records(path, "shell", data).read(_read)


def _read(records: Records) -> None:
    if _INTEREST.search(records.data):
        read_snippet(records, whole(records.data))


def read_snippet(
    records: Records, snippet: Snippet, environment: Environment | None = None, depth: int = 0
) -> None:
    """Add what the commands in ``snippet`` say.  ``environment`` are the variables set around it.

    Raises :class:`TooMuch` for a script that is nested or repeated beyond reason.
    """
    _Script(records, snippet, environment or {}, depth).read()


@functools.cache
def _parser() -> Parser:
    import tree_sitter_bash

    return Parser(Language(tree_sitter_bash.language()))


class _Script:
    def __init__(self, records: Records, snippet: Snippet, environment: Environment, depth: int) -> None:
        self.records = records
        self.snippet = snippet
        self.depth = depth
        self.variables = {
            name: [_Value(" ".join(word.text for word in words), tuple(words), ())]
            for name, words in environment.items()
        }
        self.cloned = False  # libwebsockets, without a word on the release

    def read(self) -> None:
        """Walk the syntax tree in the script's order."""
        root = syntax.parse(_parser(), self.snippet.text, self.records.budget)
        stack: list[tuple[Node, tuple[When, ...], int]] = [(root, (), 0)]
        outer = len(self.records.conditions)
        while stack:
            node, conditions, depth = stack.pop()
            if depth > MAX_DEPTH:
                raise TooMuch(f"nested more than {MAX_DEPTH} deep; the rest was not read")
            del self.records.conditions[outer:]
            self.records.conditions.extend(conditions)
            stack.extend(
                (child, conditions + more, depth + 1) for child, more in reversed(self._children(node))
            )
        del self.records.conditions[outer:]
        self._own_release()

    def _own_release(self) -> None:
        """``pkgver`` of a recipe of libwebsockets itself."""
        name, version = (self.variables.get(key, []) for key in ("pkgname", "pkgver"))
        if name and version and name[-1].text == "libwebsockets" and version[-1].words:
            release = versions.of_tag(version[-1].text)
            if release:
                span = version[-1].words[0].span
                self.records.requirement(release, "package", span, exact=versions.is_release(release))

    def _children(self, node: Node) -> Sequence[tuple[Node, tuple[When, ...]]]:
        """What to look into below ``node``, each part with the conditions that it adds."""
        match node.type:
            case "command":
                self._command(node)
                return []
            case "variable_assignment":
                self._assign(node)
                return []
            case "declaration_command":
                return [(child, ()) for child in node.named_children if child.type == "variable_assignment"]
            case "for_statement":
                if name := node.child_by_field_name("variable"):
                    self.variables.pop(decode(self._raw(name)), None)
            case "if_statement":
                return self._branches(node)
            case "case_statement":
                return self._cases(node)
            case "list":
                return self._both_sides(node)
            case "heredoc_body" | "comment" | "string" | "raw_string":
                return []
        return [(child, ()) for child in node.named_children]

    # ------------------------------------------------------------------ conditions

    def _branches(self, node: Node) -> list[tuple[Node, tuple[When, ...]]]:
        parts: list[tuple[Node, tuple[When, ...]]] = []
        before: tuple[When, ...] = ()  # the tests above that failed
        test = self._test(node)
        parts += [(inner, test) for inner in _body(node)]
        for child in node.named_children:
            if child.type == "elif_clause":
                before = (*before, *(_negated(part) for part in test))[-_MAX_TESTS:]
                test = self._test(child)
                parts += [(inner, before + test) for inner in _body(child)]
            elif child.type == "else_clause":
                before += tuple(_negated(part) for part in test)
                parts += [(inner, before) for inner in child.named_children]
        return parts

    def _test(self, node: Node) -> tuple[When, ...]:
        tests = [child for child in node.children_by_field_name("condition") if child.is_named]
        if not tests:  # tree-sitter-bash 0.25 names no field in ``elif``
            tests = [child for child in node.children if child.is_named][:1]
        return (self._when(tests[0].start_byte, tests[-1].end_byte),) if tests else ()

    def _when(self, start: int, end: int, prefix: str = "") -> When:
        text = _BLANKS.sub(" ", decode(self.snippet.text[start:end])).strip()
        return When(prefix + text, self.records.place(self.snippet.span(start, end)))

    def _cases(self, node: Node) -> list[tuple[Node, tuple[When, ...]]]:
        value = node.child_by_field_name("value")
        subject = decode(self._raw(value)) if value is not None else ""
        parts: list[tuple[Node, tuple[When, ...]]] = []
        for item in node.named_children:
            if item.type != "case_item":
                continue
            patterns = item.children_by_field_name("value")
            when = (
                (self._when(patterns[0].start_byte, patterns[-1].end_byte, f"{subject} is "),)
                if patterns
                else ()
            )
            inner = [child for child in item.named_children if child not in patterns]
            parts += [(child, when) for child in inner]
        return parts

    def _both_sides(self, node: Node) -> list[tuple[Node, tuple[When, ...]]]:
        """``[ -n "$DEBUG" ] && X=1``: the right side holds under the left one, when that only tests."""
        left, right = node.named_children[0], node.named_children[-1]
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        if left.type != "test_command" or operator not in ("&&", "||") or left == right:
            return [(child, ()) for child in node.named_children]
        when = self._when(left.start_byte, left.end_byte)
        return [(right, (when if operator == "&&" else _negated(when),))]

    # ------------------------------------------------------------------ commands

    def _command(self, node: Node) -> None:
        choices: list[_Choice] = []
        for start, end, literal in _arguments(node):
            choices += self._words(start, end, literal)
            if len(choices) > MAX_WORDS:
                raise TooMuch(_LONG)
        if not choices:
            return
        plain = [choice.word for choice in choices if not choice.conditions]
        if self._shell_inside(node, plain):
            return
        self._read(plain)
        groups: dict[tuple[When, ...], list[Word]] = {}
        for choice in choices:
            if choice.conditions:
                groups.setdefault(choice.conditions, plain[:1]).append(choice.word)
        for conditions, words in groups.items():
            with self.records.under(*conditions):
                self._read(words)

    def _read(self, words: Sequence[Word]) -> None:
        commands.read(self.records, words)
        if commands.clones_library(words):
            self.cloned = True
        elif self.cloned and (release := commands.checked_out(words)):
            version, span = release
            self.records.requirement(version, "tag", span, exact=versions.is_release(version))
            self.cloned = False

    def _shell_inside(self, node: Node, words: Sequence[Word]) -> bool:
        """``bash -c "…"``: the text is a script of its own."""
        names = [word.text for word in words]
        if "-c" not in names or not any(
            commands.program_name(name) in ("sh", "bash", "dash", "zsh") for name in names[:3]
        ):
            return False
        last = node.named_children[-1]
        if self.depth < _MAX_NESTED_SHELLS and last.type in ("string", "raw_string"):
            inner = self.snippet.part(last.start_byte + 1, last.end_byte - 1)
            environment = {
                name: values[0].words
                for name, values in self.variables.items()
                if len(values) == 1 and not values[0].conditions
            }
            outer = self.records.conditions
            self.records.conditions = list(outer)
            read_snippet(self.records, inner, environment, self.depth + 1)
            self.records.conditions = outer
        return True

    # ------------------------------------------------------------------ variables

    def _assign(self, node: Node) -> None:
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None or value is None:
            return
        name = decode(self._raw(name_node)).partition("[")[0]
        appended = any(child.type == "+=" for child in node.children)
        choices: list[_Choice] = []
        if value.type == "array":
            for start, end, literal in _arguments(value):
                choices += self._words(start, end, literal)
        elif value.type == "string":
            inner = self.snippet.part(value.start_byte + 1, max(value.start_byte + 1, value.end_byte - 1))
            itself = (f"${name}", f"${{{name}}}")
            for word in split(inner):
                if word.text in itself:
                    appended = True
                else:
                    choices += self._expanded(word)
        else:
            choices = self._words(value.start_byte, value.end_byte, value.type == "raw_string")
        if len(choices) > MAX_WORDS:
            raise TooMuch(_LONG)
        conditions = tuple(self.records.conditions)
        groups: dict[tuple[When, ...], list[Word]] = {(): []}
        for choice in choices:
            groups.setdefault(choice.conditions, []).append(choice.word)
        values = [
            _Value(" ".join(word.text for word in words), tuple(words), (*conditions, *more))
            for more, words in groups.items()
            if words or len(groups) == 1
        ]
        kept = self.variables.get(name, []) if appended or conditions else []
        self.variables[name] = [*kept, *values][-_MAX_VALUES:]
        for more, words in groups.items():
            with self.records.under(*more):
                commands.variable(self.records, name, words)

    def _words(self, start: int, end: int, literal: bool) -> list[_Choice]:
        """The words that one argument stands for; nothing is replaced in a ``literal`` one."""
        word = Word(unquote(decode(self.snippet.text[start:end])), self.snippet.span(start, end))
        return [_Choice(word)] if literal else self._expanded(word)

    def _expanded(self, word: Word) -> list[_Choice]:
        """The words that stand for one with references to variables; unknown references stay."""
        whole = _REFERENCE.fullmatch(word.text)
        if whole is not None and (values := self._values(whole)):
            return [
                _Choice(self._standing(inner, word, value), self._more(value))
                for value in values
                for inner in value.words
            ]
        choices = [_Choice(word)]
        for match in itertools.islice(_REFERENCE.finditer(word.text), _MAX_REFERENCES):
            values = [value for value in self._values(match) if "$" not in value.text]
            if not values and match[3] is not None:  # ${X:-default}
                values = [_Value(match[3], (), ())]
            if values and len(choices) * len(values) <= _MAX_VALUES:
                choices = [
                    _Choice(
                        Word(choice.word.text.replace(match[0], value.text), word.span),
                        (*choice.conditions, *self._more(value)),
                    )
                    for choice in choices
                    for value in values
                ]
        return choices

    def _values(self, reference: re.Match[str]) -> Sequence[_Value]:
        return self.variables.get(reference[1] or reference[2], ())

    def _standing(self, inner: Word, reference: Word, value: _Value) -> Word:
        """A list's word stands where it is written, a single value where it is used."""
        if len(value.words) == 1 and not inner.text.startswith("-"):
            return Word(inner.text, reference.span)
        return inner

    def _more(self, value: _Value) -> tuple[When, ...]:
        """The conditions of a value that do not hold here already."""
        return tuple(when for when in value.conditions if when not in self.records.conditions)

    def _raw(self, node: Node) -> bytes:
        return self.snippet.text[node.start_byte : node.end_byte]


def _arguments(node: Node) -> list[tuple[int, int, bool]]:
    """Start and end of each argument of a command or an array, and whether it is in single quotes.

    tree-sitter-bash 0.25 makes two of ``$A.$B``: what no blank divides is one.
    """
    found: list[tuple[int, int, bool]] = []
    for child in node.children:
        if not child.is_named or child.type.endswith("_redirect"):
            continue
        if found and found[-1][1] == child.start_byte:
            found[-1] = (found[-1][0], child.end_byte, False)
        else:
            found.append((child.start_byte, child.end_byte, child.type == "raw_string"))
    return found


def _body(node: Node) -> list[Node]:
    """The commands between ``then`` and the next branch."""
    behind = False
    found: list[Node] = []
    for child in node.children:
        if child.type == "then":
            behind = True
        elif child.type in ("elif_clause", "else_clause", "fi"):
            break
        elif behind and child.is_named:
            found.append(child)
    return found


def _negated(when: When) -> When:
    return When(when.text, when.place, not when.wanted)
