"""Meson: ``meson.build``, ``meson_options.txt`` and ``meson.options``.

Conditions keep the text that the file has (``get_option('dev_tls')``).  Variables are followed as far as
they hold strings, lists of strings, targets and dependencies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, versions
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.meson_syntax import Expression, Statement, parse
from lwslint.build.readers.records import Records, decode, text_start
from lwslint.build.readers.words import Word, add_flags
from lwslint.facts import Span

MAX_ITEMS = 5_000  # elements of one list
MAX_CONDITIONS = 60  # nested in each other, or in one chain of elif
_DEEP = f"conditions nested more than {MAX_CONDITIONS} deep; the rest was not read"
_BLANKS = re.compile(r"\s+")

_TARGETS: Final = {
    "executable": "program",
    "library": "library",
    "shared_library": "library",
    "static_library": "library",
    "both_libraries": "library",
    "shared_module": "module",
    "jar": "",
}
_ARGUMENTS: Final = frozenset({"add_project_arguments", "add_global_arguments"})


class _Item(NamedTuple):
    """A string that an expression may give: ``kind`` ``text``, ``target`` or ``dependency`` (their names)."""

    text: str
    span: Span
    when: tuple[When, ...] = ()
    kind: str = "text"


def read(path: str, data: bytes) -> BuildFile:
    """What a Meson file says; what does not parse is left out, and told."""
    return Records(path, "meson", data).read(_read)


def _read(records: Records) -> None:
    parsed = parse(records.data, text_start(records.data))
    records.problem = parsed.problem
    _Reader(records).read(parsed.statements)


class _Reader:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.variables: dict[str, list[_Item]] = {}

    def read(self, statements: Iterable[Statement]) -> None:
        """Follow the statements; ``if`` blocks are kept as a stack of what holds inside them."""
        stack: list[list[When]] = []
        for statement in statements:
            match statement.kind:
                case "if":
                    if len(stack) == MAX_CONDITIONS:
                        raise TooMuch(_DEEP)
                    stack.append([self._when(statement.expression)])
                case "elif" | "else":
                    if stack:
                        if len(stack[-1]) == MAX_CONDITIONS:
                            raise TooMuch(_DEEP)
                        stack[-1][-1] = _negated(stack[-1][-1])
                        if statement.kind == "elif":
                            stack[-1].append(self._when(statement.expression))
                case "endif":
                    if stack:
                        stack.pop()
                case "assign" | "add" | "expression":
                    conditions = [when for group in stack for when in group]
                    with self.records.under(*conditions):
                        self._statement(statement)

    def _statement(self, statement: Statement) -> None:
        expression = statement.expression
        if expression is None:
            return
        self._call(expression)
        if statement.kind == "expression":
            return
        items = [
            item._replace(when=(*self.records.conditions, *item.when)) for item in self._items(expression)
        ]
        keep = statement.kind == "add" or bool(self.records.conditions)
        known = self.variables.get(statement.name, []) if keep else []
        self.variables[statement.name] = [*known, *items][:MAX_ITEMS]

    # ------------------------------------------------------------------ values

    def _when(self, expression: Expression | None, wanted: bool = True) -> When:
        assert expression is not None
        while expression.kind == "not":
            expression, wanted = expression.items[0], not wanted
        span = expression.span
        text = _BLANKS.sub(" ", decode(self.records.data[span.start : span.end]))
        return When(text, self.records.place(span), wanted)

    def _items(self, expression: Expression | None) -> list[_Item]:
        """The strings, targets and dependencies that ``expression`` may give, each with its conditions."""
        if expression is None:
            return []
        items: list[_Item] = []
        waiting: list[tuple[Expression, tuple[When, ...]]] = [(expression, ())]
        while waiting and len(items) < MAX_ITEMS:
            node, when = waiting.pop()
            match node.kind:
                case "string":
                    items.append(_Item(node.value, node.span, when))
                case "name":
                    for item in self.variables.get(node.value, []):
                        more = tuple(part for part in item.when if part not in self.records.conditions)
                        items.append(item._replace(when=(*when, *more)))
                case "list":
                    waiting += [(part, when) for part in reversed(node.items)]
                case "binary" if node.value == "+":
                    joined = self._joined(node)
                    if joined:
                        items.append(_Item(joined, node.span, when))
                    else:
                        waiting += [(part, when) for part in reversed(node.items)]
                case "binary" if node.value == "/":
                    parts = [self._text(part) for part in node.items]
                    if all(parts):
                        items.append(_Item("/".join(parts), node.span, when))
                case "choose":
                    condition, then, other = node.items
                    waiting.append((other, (*when, self._when(condition, False))))
                    waiting.append((then, (*when, self._when(condition))))
                case "call":
                    items += [item._replace(when=(*when, *item.when)) for item in self._result(node)]
                case "method" if node.value == "find_library" and len(node.items) > 1:
                    name = self._text(node.items[1])
                    items.append(_Item(name, node.span, when, "dependency"))
                case "method" if node.value in ("get_supported_arguments", "first_supported_argument"):
                    waiting += [(part, when) for part in reversed(node.items[1:])]
        return items

    def _joined(self, node: Expression) -> str:
        """The text of ``'-DX=' + name``; "" when it is no sum of strings, or one of lists."""
        if any(part.kind not in ("string", "name") for part in node.items):
            return ""
        if not any(part.kind == "string" for part in node.items):
            return ""
        texts = [self._text(part) for part in node.items]
        return "".join(texts) if all(texts) else ""

    def _text(self, expression: Expression) -> str:
        """The one string that an expression gives; "" when it may give none or several."""
        if expression.kind == "string":
            return expression.value
        if expression.kind == "name":
            items = self.variables.get(expression.value, [])
            if len(items) == 1 and items[0].kind == "text" and not items[0].when:
                return items[0].text
        return ""

    def _result(self, node: Expression) -> list[_Item]:
        if node.value == "files":
            return [item for part in node.items for item in self._items(part)]
        name = self._text(node.items[0]) if node.items else ""
        if node.value in _TARGETS and name:
            return [_Item(name, node.span, (), "target")]
        if node.value == "dependency" and name:
            linked = "websockets" if versions.names_library(name) else name
            return [_Item(linked, node.span, (), "dependency")]
        if node.value == "declare_dependency":
            return [
                item
                for key in ("link_with", "dependencies")
                for item in self._items(node.argument(key))
                if item.kind != "text"
            ]
        return []

    # ------------------------------------------------------------------ calls

    def _call(self, expression: Expression) -> None:
        """What the calls in a statement say, those in arguments (``dependencies: dependency(…)``) too."""
        waiting = [expression]
        while waiting:
            node = waiting.pop()
            waiting += [*reversed(node.items), *(value for _, value in reversed(node.named))]
            if node.kind == "call":
                handler = _CALLS.get(node.value)
                if handler is not None:
                    handler(self, node)
            elif node.kind == "method":
                self._method(node)

    def _flags(self, items: Sequence[_Item], target: str = "") -> None:
        for item in items:
            if item.kind == "text":
                with self.records.under(*item.when):
                    add_flags(self.records, [Word(item.text, item.span)], target)

    def arguments(self, node: Expression) -> None:
        """``add_project_arguments('-DX', language: 'c')``."""
        self._flags([item for part in node.items for item in self._items(part)])

    def target(self, node: Expression) -> None:
        """``executable('client', 'client.c', dependencies: lws)``."""
        name = self._text(node.items[0]) if node.items else ""
        if not name or not _TARGETS[node.value]:
            return
        given = [item for part in node.items[1:] for item in self._items(part)]
        given += self._items(node.argument("sources"))
        sources = [
            path
            for item in given
            if item.kind == "text"
            and commands.is_source(item.text)
            and (path := self.records.here(item.text))
        ]
        links = [
            item.text
            for key in ("dependencies", "link_with", "link_whole")
            for item in self._items(node.argument(key))
            if item.kind != "text"
        ]
        links += [
            item.text[2:] for item in self._items(node.argument("link_args")) if item.text.startswith("-l")
        ]
        self.records.target(name, _TARGETS[node.value], sources, node.items[0].span, links)
        for key in ("c_args", "cpp_args"):
            self._flags(self._items(node.argument(key)), name)

    def dependency(self, node: Expression) -> None:
        """``dependency('libwebsockets', version: '>=4.0')``."""
        if not node.items or self._text(node.items[0]) != "libwebsockets":
            return
        for item in self._items(node.argument("version")):
            version, exact = versions.bound(item.text)
            if version:
                with self.records.under(*item.when):
                    self.records.requirement(version, "pkg-config", item.span, exact=exact)

    def project(self, node: Expression) -> None:
        """``project('x', 'c', default_options: ['buildtype=release'])``."""
        self._defaults(node, "option")

    def subproject(self, node: Expression) -> None:
        """``subproject('libwebsockets', default_options: […])``: options of that project only."""
        name = self._text(node.items[0]) if node.items else ""
        if versions.names_library(name):
            with self.records.configured(f"subproject {name}"):
                self._defaults(node, "cache")

    def _defaults(self, node: Expression, scope: str) -> None:
        options = node.argument("default_options")
        if options is not None and options.kind == "dict":
            for name, value in zip(options.items[::2], options.items[1::2], strict=False):
                if name.kind == "string" and value.kind in ("string", "name", "number"):
                    self.records.setting(name.value, value.value, name.span, scope)
            return
        for item in self._items(options):
            key, equals, text = item.text.partition("=")
            if equals:
                with self.records.under(*item.when):
                    self.records.setting(key.strip(), text.strip(), item.span, scope)

    def option(self, node: Expression) -> None:
        """``option('dev_tls', type: 'boolean', value: false)``."""
        name = self._text(node.items[0]) if node.items else ""
        value = node.argument("value")
        if not name:
            return
        text = value.value if value is not None and value.kind in ("string", "name", "number") else ""
        kind = node.argument("type")
        if value is None and kind is not None:
            # Meson reference, "Build options": what an option has when it names no value.
            text = {"boolean": "true", "feature": "auto"}.get(kind.value, "")
        self.records.setting(name, text, node.span, "option")

    def subdir(self, node: Expression) -> None:
        name = self._text(node.items[0]) if node.items else ""
        if name:
            self.records.include(f"{name}/meson.build")

    def _method(self, node: Expression) -> None:
        """``conf.set('X', 1)`` of configuration data, ``options.add_cmake_defines({…})``."""
        arguments = node.items[1:]
        if node.value in ("set", "set10", "set_quoted") and len(arguments) >= 2:
            name, value = self._text(arguments[0]), arguments[1]
            if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                self._configured(name, value, node)
        elif node.value == "add_cmake_defines":
            for part in arguments:
                if part.kind == "dict":
                    for key, value in zip(part.items[::2], part.items[1::2], strict=False):
                        text = {"true": "ON", "false": "OFF"}.get(value.value, value.value)
                        if key.kind == "string" and value.kind in ("string", "name", "number"):
                            self.records.setting(key.value, text, key.span, "cache")

    def _configured(self, name: str, value: Expression, node: Expression) -> None:
        """One macro of a ``config.h`` that ``configure_file`` writes; unknown values are left out."""
        if value.kind == "string":
            text = f'"{value.value}"' if node.value == "set_quoted" else value.value
            self.records.define(name, text, node.span)
        elif value.kind == "number":
            self.records.define(name, value.value, node.span)
        elif value.value == "true":
            self.records.define(name, "1", node.span)
        elif value.value == "false":
            self.records.define(name, "0" if node.value == "set10" else None, node.span)


def _negated(when: When) -> When:
    return When(when.text, when.place, not when.wanted)


_CALLS: Final[dict[str, Callable[[_Reader, Expression], None]]] = {
    **dict.fromkeys(_TARGETS, _Reader.target),
    **dict.fromkeys(_ARGUMENTS, _Reader.arguments),
    "dependency": _Reader.dependency,
    "project": _Reader.project,
    "subproject": _Reader.subproject,
    "option": _Reader.option,
    "subdir": _Reader.subdir,
}
