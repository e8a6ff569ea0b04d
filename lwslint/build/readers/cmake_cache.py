"""Reads CMakeCache.txt: what one build of a tree has chosen."""

from __future__ import annotations

import re
from typing import Final

from lwslint.build.facts import BuildFile, Setting
from lwslint.facts import Place, Span

_ENTRY: Final = re.compile(
    rb"^([A-Za-z_][\w.+-]*):(BOOL|STRING|PATH|FILEPATH|UNINITIALIZED)=([^\r\n]*)", re.MULTILINE
)


def read(path: str, data: bytes) -> BuildFile:
    """The entries that a user can choose; what CMake keeps for itself (INTERNAL, STATIC) is left out."""
    settings = tuple(
        Setting(
            match[1].decode(),
            match[3].decode("utf-8", "replace").strip(),
            Place(path, Span(match.start(), match.end())),
            "cache",
        )
        for match in _ENTRY.finditer(data)
    )
    return BuildFile(path, "cmake-cache", settings=settings)
