"""Parsing with tree-sitter in bounded time.

A grammar may need time that grows with the square of a text's length when the text nests without end:
tree-sitter-bash 0.25 takes half a minute for 60 kB of ``x=(``.
"""

from __future__ import annotations

from time import thread_time

from tree_sitter import Node, Parser, Point

from lwslint.build.readers.records import TooMuch

# Of processor time, which other programs on the machine do not change.  Scripts that people wrote take less
# than a tenth of a second.
MAX_SECONDS = 3.0
_CHUNK = 65_536


def parse(parser: Parser, text: bytes) -> Node:
    """The root of the syntax tree; raises :class:`TooMuch` when that takes more than MAX_SECONDS."""
    end = thread_time() + MAX_SECONDS

    def stop(offset: int, has_error: bool) -> bool:
        return thread_time() > end

    def read(offset: int, point: Point) -> bytes:
        return text[offset : offset + _CHUNK]

    try:
        return parser.parse(read, progress_callback=stop).root_node
    except ValueError as error:
        parser.reset()
        raise TooMuch(f"takes more than {MAX_SECONDS:g} seconds to parse") from error
