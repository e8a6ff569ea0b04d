"""YAML as plain nodes that keep the place of every byte.

tree-sitter-yaml, not PyYAML: its composer recurses with the input and counts characters, and a file that is
broken in one place says nothing at all.  Aliases are not followed: what they repeat is read where it stands.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tree_sitter import Language, Node, Parser

from lwslint.build.readers import syntax
from lwslint.build.readers.limits import Budget, TooMuch
from lwslint.build.readers.records import Snippet, decode
from lwslint.facts import Span

MAX_DEPTH = 60
# tree-sitter-yaml 0.7 keeps the columns of open blocks in a buffer of fixed size, and writes behind its end
# at about 250 of them.
MAX_BLOCKS = 100
MAX_NODES = 200_000
_DEEP = f"nested more than {MAX_DEPTH} deep; the rest was not read"

_SIMPLE = {b"n": b"\n", b"t": b"\t", b"0": b"\0", b'"': b'"', b"\\": b"\\", b"/": b"/", b" ": b" "}
_INDICATOR = re.compile(rb"[-?:][ \t]+(?=\S)")
_ESCAPE = re.compile(rb"\\(?:\r?\n[ \t]*|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])")


class Yaml(NamedTuple):
    """A mapping (``pairs``), a sequence (``items``) or a scalar (``snippet``, its text unquoted)."""

    span: Span
    pairs: tuple[tuple[str, Yaml], ...] = ()
    items: tuple[Yaml, ...] = ()
    snippet: Snippet | None = None

    @property
    def text(self) -> str:
        """A scalar's text; "" for a mapping or a sequence."""
        return decode(self.snippet.text) if self.snippet is not None else ""

    def get(self, key: str) -> Yaml:
        """The value of a key, the last one when it is repeated; an empty node when it is not there."""
        return next((value for name, value in reversed(self.pairs) if name == key), _NOTHING)

    def scalars(self) -> Iterator[Yaml]:
        """The scalar itself, or those of a list (and of lists in it, as GitLab flattens them)."""
        if self.snippet is not None:
            yield self
        for item in self.items:
            yield from item.scalars()


_NOTHING = Yaml(Span(0, 0))


BROKEN = "does not parse as YAML in full"


def parse(data: bytes, budget: Budget) -> tuple[Yaml, bool]:
    """The first document of ``data``, and whether a part of it could not be read.

    Raises :class:`TooMuch` for a tree deeper or larger than anybody writes.
    """
    if _block_depth(data) > MAX_BLOCKS:
        raise TooMuch(_DEEP)
    root = syntax.parse(_parser(), data, budget)
    converted = _Converter(data).value(root, 0)
    return converted or _NOTHING, root.has_error


def _block_depth(data: bytes) -> int:
    """No less than the number of blocks that are open at once anywhere in ``data``.

    A block starts at the first character of a line or behind an indicator, at a column of its own.
    """
    deepest = 0
    columns: list[int] = []
    for line in data.split(b"\n"):
        text = line.lstrip(b" ")
        if not text:
            continue
        first = len(line) - len(text)
        while columns and columns[-1] > first:
            columns.pop()
        starts = [first, *(first + match.end() for match in _INDICATOR.finditer(text))]
        columns += [column for column in starts if not columns or column > columns[-1]]
        deepest = max(deepest, len(columns))
    return deepest


@functools.cache
def _parser() -> Parser:
    import tree_sitter_yaml

    return Parser(Language(tree_sitter_yaml.language()))


class _Converter:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._count = 0

    def value(self, node: Node, depth: int) -> Yaml | None:
        """The node as plain data; None for what is no value (a comment, an anchor, an alias)."""
        if depth > MAX_DEPTH:
            raise TooMuch(_DEEP)
        self._count += 1
        if self._count > MAX_NODES:
            raise TooMuch(f"more than {MAX_NODES} values; the file was not read")
        span = Span(node.start_byte, node.end_byte)
        match node.type:
            case "stream" | "document" | "block_node" | "flow_node":
                for child in node.named_children:
                    found = self.value(child, depth)
                    if found is not None:
                        return found
                return None
            case "block_mapping" | "flow_mapping":
                return Yaml(span, pairs=tuple(self._pairs(node, depth)))
            case "block_sequence" | "flow_sequence":
                return Yaml(span, items=tuple(self._items(node, depth)))
            case "plain_scalar" | "single_quote_scalar" | "double_quote_scalar" | "block_scalar":
                return Yaml(span, snippet=self._scalar(node))
            case _:
                return None

    def _pairs(self, node: Node, depth: int) -> Iterator[tuple[str, Yaml]]:
        for child in node.named_children:
            if child.type not in ("block_mapping_pair", "flow_pair"):
                continue
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            name = self.value(key, depth + 1) if key is not None else None
            found = self.value(value, depth + 1) if value is not None else None
            if name is not None:
                yield name.text, found or Yaml(Span(child.end_byte, child.end_byte))

    def _items(self, node: Node, depth: int) -> Iterator[Yaml]:
        for child in node.named_children:
            inner = child.named_children if child.type == "block_sequence_item" else [child]
            for part in inner:
                found = self.value(part, depth + 1)
                if found is not None:
                    yield found

    def _scalar(self, node: Node) -> Snippet:
        start, end = node.start_byte, node.end_byte
        raw = self._data[start:end]
        match node.type:
            case "plain_scalar":
                return Snippet(_folded(raw), range(start, end + 1))
            case "single_quote_scalar":
                return _joined(self._data, start + 1, end - 1, re.compile(rb"''"), lambda text: b"'")
            case "double_quote_scalar":
                return _joined(self._data, start + 1, end - 1, _ESCAPE, _unescaped)
            case _:
                return self._block(raw, start)

    def _block(self, raw: bytes, start: int) -> Snippet:
        """The lines of ``|`` and ``>`` without their indentation; folded ones joined by spaces."""
        header, _, body = raw.partition(b"\n")
        folded = header.startswith(b">")
        position = start + len(header) + 1
        text, origins = bytearray(), list[int]()
        indent = -1
        for line in body.split(b"\n"):
            blank = not line.strip()
            if indent < 0 and not blank:
                indent = len(line) - len(line.lstrip(b" "))
            cut = min(max(indent, 0), len(line) - len(line.lstrip(b" ")))
            text += line[cut:] + (b" " if folded and not blank else b"\n")
            origins += range(position + cut, position + len(line) + 1)
            position += len(line) + 1
        return Snippet(bytes(text), [*origins, start + len(raw)])


def _unescaped(text: bytes) -> bytes:
    if text[1:2] in (b"x", b"u"):
        return chr(int(text[2:], 16)).encode("utf-8", "replace")
    if text[1:2] in (b"\n", b"\r"):
        return b""
    return _SIMPLE.get(text[1:2], text)


def _joined(
    data: bytes, start: int, end: int, pattern: re.Pattern[bytes], replace: Callable[[bytes], bytes]
) -> Snippet:
    """``data[start:end]`` with every match replaced; line ends become spaces, as YAML folds them."""
    text, origins = bytearray(), list[int]()
    position = start
    for match in pattern.finditer(data, start, max(start, end)):
        text += _folded(data[position : match.start()])
        origins += range(position, match.start())
        new = replace(match[0])
        text += new
        origins += [match.start()] * (len(new) - 1) + [match.end() - 1] * (len(new) > 0)
        position = match.end()
    text += _folded(data[position:end])
    origins += range(position, max(position, end))
    return Snippet(bytes(text), [*origins, max(position, end)])


def _folded(text: bytes) -> bytes:
    return text.replace(b"\r", b" ").replace(b"\n", b" ")
