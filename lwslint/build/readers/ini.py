"""Files of ``[section]`` and ``key = value`` lines, with places: ``.gitmodules``, Meson's ``*.wrap``,
``conanfile.txt``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lwslint.build.readers.records import decode, text_start
from lwslint.facts import Span

_LINE = re.compile(
    rb"^[ \t]*+(?:(?P<comment>[#;])|\[(?P<section>[^\]\n]*+)\]"
    rb"|(?P<key>[^=:\[\s][^=\n]*+)(?:=(?P<value>[^\n]*+))?)",
    re.MULTILINE,
)


class Entry(NamedTuple):
    """One line; ``value`` is None without ``=``; ``span`` reaches from the key to the value's end."""

    section: str
    key: str
    value: str | None
    span: Span


def entries(data: bytes) -> Iterator[Entry]:
    """The lines that hold something, in order; quotes around a value are removed."""
    section = ""
    for match in _LINE.finditer(data, text_start(data)):
        if match["section"] is not None:
            section = decode(match["section"]).strip()
        elif match["key"] is not None:
            value = match["value"]
            text = None if value is None else decode(value).strip().strip('"')
            start = match.start("key")
            yield Entry(
                section, decode(match["key"]).strip(), text, Span(start, start + len(match[0].strip()))
            )
