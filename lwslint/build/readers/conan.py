"""Conan: ``conanfile.txt`` and ``conanfile.py``, the latter as a syntax tree that nobody runs."""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, versions
from lwslint.build.readers.ini import entries
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.records import Records, decode, text_start
from lwslint.facts import Span

MAX_DEPTH = 60
MAX_RECIPE = 200_000  # bytes of Python
# Mappings of a recipe whose keys become cmake's -D (CMakeToolchain and the CMake helper of Conan 1 and 2).
_CMAKE_MAPPINGS = frozenset({"variables", "cache_variables", "definitions"})
_BLANKS = re.compile(r"\s+")


def read(path: str, data: bytes) -> BuildFile:
    """What a Conan file requires of libwebsockets, and which of its options it chooses."""
    return Records(path, "conan", data).read(_read)


def _read(records: Records) -> None:
    if posixpath.basename(records.path).lower().endswith(".py"):
        _recipe(records)
    else:
        _text(records)


def _text(records: Records) -> None:
    for entry in entries(records.data):
        if entry.section in ("requires", "tool_requires", "build_requires"):
            # A range has signs of its own: libwebsockets/[>=4.2].
            line = decode(records.data[entry.span.start : entry.span.end]).partition(" #")[0].strip()
            commands.conan_reference(records, line, entry.span)
        elif entry.section == "options" and entry.value is not None:
            commands.conan_option(records, entry.key, entry.value, entry.span)


# --------------------------------------------------------------------------- conanfile.py


class _Task(NamedTuple):
    node: ast.stmt
    when: tuple[When, ...]


def _recipe(records: Records) -> None:
    from lwslint.frontends.python_limits import excess as too_deep

    if len(records.data) > MAX_RECIPE:
        raise TooMuch(f"larger than {MAX_RECIPE} bytes")
    if reason := too_deep(records.data):
        raise TooMuch(f"{reason}; the file was not read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the file's strings
            tree = ast.parse(records.data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        records.problem = f"does not parse as Python: {getattr(error, 'msg', None) or error}"
        return
    reader = _Recipe(records)
    waiting = [_Task(node, ()) for node in reversed(tree.body)]
    while waiting:
        node, when = waiting.pop()
        if len(when) > MAX_DEPTH:
            raise TooMuch(f"conditions nested more than {MAX_DEPTH} deep; the rest was not read")
        with records.under(*when):
            reader.statement(node)
        waiting += reversed(list(reader.inner(node, when)))
    reader.own_release()


class _Recipe:
    def __init__(self, records: Records) -> None:
        self.records = records
        start = text_start(records.data)
        self._lines = [start, *(match.end() for match in re.finditer(rb"\n", records.data))]
        self._name = ""
        self._own_options: list[tuple[str, str, Span]] = []
        self._version: tuple[str, Span] | None = None

    def inner(self, node: ast.stmt, when: tuple[When, ...]) -> Iterator[_Task]:
        """The statements in a statement, with the conditions around them."""
        if isinstance(node, ast.If):
            test = self._when(node.test)
            yield from (_Task(part, (*when, test)) for part in node.body)
            other = When(test.text, test.place, not test.wanted)
            yield from (_Task(part, (*when, other)) for part in node.orelse)
            return
        for name in ("body", "orelse", "finalbody"):
            yield from (_Task(part, when) for part in getattr(node, name, ()))

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._attribute(name, value)
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Attribute(attr=mapping), slice=key)], value=value
            ):
                self._mapping(mapping, key, value)
            case ast.Assign(
                targets=[
                    ast.Attribute(
                        value=ast.Subscript(
                            value=ast.Attribute(attr="options"), slice=ast.Constant(value=str(package))
                        ),
                        attr=option,
                    ) as target
                ],
                value=ast.Constant(value=value),
            ):
                commands.conan_option(
                    self.records, f"{package}:{option}", str(value), self._over(target, node)
                )
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires"), args=[first, *_])):
                self._references(first)

    def own_release(self) -> None:
        """The release that a recipe of libwebsockets itself packages, and its options' defaults."""
        if self._name != "libwebsockets":
            return
        for key, value, span in self._own_options:
            self.records.setting(f"libwebsockets:{key}", value, span, "package")
        if self._version is not None:
            version, span = self._version
            self.records.requirement(version, "conan", span, exact=versions.is_release(version))

    def _attribute(self, name: str, value: ast.expr) -> None:
        if name == "requires":
            self._references(value)
        elif name == "default_options":
            self._options(value)
        elif name == "name" and isinstance(value, ast.Constant):
            self._name = str(value.value)
        elif name == "version" and isinstance(value, ast.Constant):
            if version := versions.of_tag(str(value.value)):
                self._version = version, self._span(value)

    def _references(self, value: ast.expr) -> None:
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        for part in parts:
            if isinstance(part, ast.Tuple | ast.List) and part.elts:  # ("libwebsockets/4.3.2", "private")
                part = part.elts[0]
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                commands.conan_reference(self.records, part.value, self._span(part))

    def _options(self, value: ast.expr) -> None:
        if isinstance(value, ast.Dict):
            for key, chosen in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(chosen, ast.Constant):
                    span = self._over(key, chosen)
                    commands.conan_option(self.records, str(key.value), str(chosen.value), span)
                    if ":" not in str(key.value):
                        self._own_options.append((str(key.value), str(chosen.value), span))
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                name, equals, text = part.value.partition("=")
                if equals:
                    commands.conan_option(self.records, name, text, self._span(part))

    def _mapping(self, mapping: str, key: ast.expr, value: ast.expr) -> None:
        """``tc.variables["LWS_WITH_SSL"] = True``."""
        if not isinstance(key, ast.Constant) or not isinstance(value, ast.Constant):
            return
        span = self._over(key, value)
        switch = {True: "ON", False: "OFF"}
        text = switch[value.value] if isinstance(value.value, bool) else str(value.value)
        if mapping in _CMAKE_MAPPINGS:
            self.records.setting(str(key.value), text, span, "package")
        elif mapping == "preprocessor_definitions":
            self.records.define(str(key.value), str(value.value), span)

    # ------------------------------------------------------------------ places

    def _when(self, test: ast.expr) -> When:
        wanted = True
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, wanted = test.operand, not wanted
        span = self._span(test)
        text = _BLANKS.sub(" ", decode(self.records.data[span.start : span.end]))
        return When(text, self.records.place(span), wanted)

    def _span(self, node: ast.expr | ast.stmt) -> Span:
        return self._over(node, node)

    def _over(self, first: ast.expr | ast.stmt, last: ast.expr | ast.stmt) -> Span:
        """ast counts bytes of the UTF-8 text, as the file has them."""
        end_line, end_column = last.end_lineno or last.lineno, last.end_col_offset or last.col_offset
        return Span(self._offset(first.lineno, first.col_offset), self._offset(end_line, end_column))

    def _offset(self, line: int, column: int) -> int:
        line = min(line, len(self._lines))
        return min(self._lines[line - 1] + column, len(self.records.data))
