"""Byte spans of libcst's nodes.

libcst keeps no positions: they come from writing the tree out again and counting.  Its own providers
compute a line and column for every token, which takes as long as the parse.  Rules need offsets only,
so this counts bytes and nothing else (a quarter of that time).
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from types import TracebackType

import libcst as cst

from lwslint.facts import Span


class _Mark:
    """Records a node without the brackets and spaces that it owns."""

    __slots__ = ("_end", "_key", "_start", "_state")

    def __init__(self, state: _Counter, node: cst.CSTNode, start: cst.CSTNode | None, end: object) -> None:
        self._state = state
        self._key = id(node)
        self._start = start
        self._end = end

    def __enter__(self) -> None:
        if self._start is None:
            self._state.marked[self._key] = (self._state.position, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spans, marked = self._state.spans, self._state.marked
        if self._start is None:
            start = marked.get(self._key, (0, 0))[0]
        else:
            key = id(self._start)
            start = (marked.get(key) or spans[key])[0]
        end = self._state.position
        if self._end is not None:
            key = id(self._end)
            end = (marked.get(key) or spans[key])[1]
        marked[self._key] = (start, end)


class _Counter:
    """What libcst's nodes write themselves to (the methods are those of its own code generator)."""

    def __init__(self, module: cst.Module, length: Callable[[str], int]) -> None:
        self.default_indent = module.default_indent
        self.default_newline = module.default_newline
        self.indent_tokens: list[str] = []
        self.tokens = ("",)  # libcst asks whether there are any
        self.position = 0
        self.spans: dict[int, tuple[int, int]] = {}
        self.marked: dict[int, tuple[int, int]] = {}
        self._starts: list[int] = []
        self._indent = 0
        self._length = length

    def increase_indent(self, value: str) -> None:
        self.indent_tokens.append(value)
        self._indent += self._length(value)

    def decrease_indent(self) -> None:
        self._indent -= self._length(self.indent_tokens.pop())

    def add_indent_tokens(self) -> None:
        self.position += self._indent

    def add_token(self, value: str) -> None:
        self.position += self._length(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.spans[id(node)] = (self._starts.pop(), self.position)

    def pop_trailing_newline(self) -> None:
        pass

    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Mark:
        return _Mark(self, node, start_node, end_node)


class Positions:
    """The spans of all nodes of one module; the module must stay alive, nodes are known by identity."""

    def __init__(self, module: cst.Module, data: bytes, removed: Sequence[int] = ()) -> None:
        """``removed``: the offsets of the bytes of ``data`` that the parsed text does without."""
        encoding = module.encoding.removesuffix("-sig")
        length: Callable[[str], int] = len if data.isascii() else lambda text: len(text.encode(encoding))
        counter = _Counter(module, length)
        module._codegen(counter)  # type: ignore[arg-type]
        self._spans = counter.spans | counter.marked
        self._offset = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        self._module = module
        # In the parsed text, where each removed byte would stand.
        self._gaps = [offset - self._offset - number for number, offset in enumerate(removed)]

    def span(self, node: cst.CSTNode) -> Span:
        """The node's bytes, without white space and brackets around it; an empty span when unknown."""
        start, end = self._spans.get(id(node), (0, 0))
        if self._gaps:
            start += bisect.bisect_right(self._gaps, start)
            end += bisect.bisect_left(self._gaps, end)
        return Span(start + self._offset, end + self._offset)
