"""Kconfig files (ESP-IDF's ``Kconfig``, ``Kconfig.projbuild``): the options and their defaults."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from tree_sitter import Language, Node, Parser

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import syntax
from lwslint.build.readers.limits import TooMuch
from lwslint.build.readers.records import Records, decode
from lwslint.facts import Span

MAX_DEPTH = 60
_BLANKS = re.compile(r"\s+")


def read(path: str, data: bytes) -> BuildFile:
    """Each option's defaults as settings ``CONFIG_NAME``, under the conditions that the file gives them.

    A switch without a default is ``n`` (Kconfig language, "Menu attributes").
    """
    return Records(path, "kconfig", data).read(_read)


def _read(records: Records) -> None:
    root = syntax.parse(_parser(), records.data, records.budget)
    records.problem = "does not parse as Kconfig in full" if root.has_error else ""
    _walk(records, root)


@functools.cache
def _parser() -> Parser:
    import tree_sitter_kconfig

    return Parser(Language(tree_sitter_kconfig.language()))


def _walk(records: Records, root: Node) -> None:
    waiting: list[tuple[Node, tuple[When, ...]]] = [(root, ())]
    while waiting:
        node, conditions = waiting.pop()
        if len(conditions) > MAX_DEPTH:
            raise TooMuch(f"conditions nested more than {MAX_DEPTH} deep; the rest was not read")
        match node.type:
            case "config" | "menuconfig":
                with records.under(*conditions):
                    _option(records, node)
            case "source":
                if (name := _string(records, node)) and "$" not in name:
                    records.include(name)
            case _:
                inner = conditions
                condition = node.child_by_field_name("condition") if node.type == "if" else None
                if condition is not None:
                    inner = (*conditions, _when(records, condition))
                elif node.type in ("menu", "choice"):
                    inner = (*conditions, *_dependencies(records, node))
                waiting += [(child, inner) for child in reversed(node.named_children)]


def _option(records: Records, node: Node) -> None:
    name_node = node.child_by_field_name("name")
    if name_node is None:
        return
    name = f"CONFIG_{_raw(records, name_node)}"
    defaults = [
        child for child in node.named_children if child.type in ("default_value", "type_definition_default")
    ]
    with records.under(*_dependencies(records, node)):
        before: tuple[When, ...] = ()  # the conditions of the defaults above, which did not hold
        for default in defaults:
            when = _clause(records, default)
            value = next((part for part in default.named_children if part.type != "conditional_clause"), None)
            if value is not None:
                with records.under(*before, *when):
                    span = Span(default.start_byte, default.end_byte)
                    records.setting(name, _raw(records, value).strip("\"'"), span, "option")
            if not when:
                return
            before = (*before, *(When(part.text, part.place, not part.wanted) for part in when))
            if len(before) > MAX_DEPTH:
                return
        if _is_switch(node) and not defaults:
            records.setting(name, "n", Span(name_node.start_byte, name_node.end_byte), "option")


def _is_switch(node: Node) -> bool:
    return any(
        child.type == "type_definition" and child.children and child.children[0].type == "bool"
        for child in node.named_children
    )


def _dependencies(records: Records, node: Node) -> Sequence[When]:
    return [
        _when(records, child.named_children[0])
        for child in node.named_children
        if child.type == "dependencies" and child.named_children
    ]


def _clause(records: Records, node: Node) -> tuple[When, ...]:
    for child in node.named_children:
        if child.type == "conditional_clause" and child.named_children:
            return (_when(records, child.named_children[0]),)
    return ()


def _when(records: Records, node: Node) -> When:
    wanted = True
    while node.type == "unary_expression" and node.named_children:
        node, wanted = node.named_children[0], not wanted
    place = records.place(Span(node.start_byte, node.end_byte))
    return When(_BLANKS.sub(" ", _raw(records, node)), place, wanted)


def _string(records: Records, node: Node) -> str:
    part = next((child for child in node.named_children if child.type == "string"), None)
    return _raw(records, part).strip("\"'") if part is not None else ""


def _raw(records: Records, node: Node) -> str:
    return decode(records.data[node.start_byte : node.end_byte]).strip()
