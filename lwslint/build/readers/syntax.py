"""Parsing with tree-sitter in bounded time.

A grammar may need time that grows with the square of a text's length when the text nests without end:
tree-sitter-bash 0.25 takes half a minute for 60 kB of ``x=(``.
"""

from __future__ import annotations

import itertools
from time import thread_time

from tree_sitter import Node, Parser, Point

from lwslint.build.readers import limits
from lwslint.build.readers.limits import Budget, TooMuch

_CALLS = 16  # between two looks at the clock
_CHUNK = 65_536
_SHORT = 2_000  # bytes, which no grammar takes long for


def parse(parser: Parser, text: bytes, budget: Budget) -> Node:
    """The root of the syntax tree of ``text``; raises :class:`TooMuch` when the budget is used up."""
    start = thread_time()
    try:
        if len(text) < _SHORT:
            return parser.parse(text).root_node
        return _parse(parser, text, start + budget.left)
    finally:
        budget.left -= thread_time() - start
        if budget.left < 0:
            raise TooMuch(f"takes more than {limits.MAX_SECONDS:g} seconds to parse; the rest was not read")


def _parse(parser: Parser, text: bytes, end: float) -> Node:
    calls = itertools.count()

    def stop(offset: int, has_error: bool) -> bool:
        return next(calls) % _CALLS == 0 and thread_time() > end

    def read(offset: int, point: Point) -> bytes:
        return text[offset : offset + _CHUNK]

    try:
        return parser.parse(read, progress_callback=stop).root_node
    except ValueError:  # stopped
        parser.reset()
        raise
