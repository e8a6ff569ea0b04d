"""Reads headers that CMake's ``configure_file`` fills in: macros that its variables switch on."""

from __future__ import annotations

import re
from typing import Final

from lwslint.build.facts import BuildFile, Define, When
from lwslint.facts import Place, Span

MAX_MACROS = 2_000
_DEFINED: Final = re.compile(rb"^[ \t]*#[ \t]*cmakedefine(?:01)?[ \t]+([A-Za-z_]\w*)", re.MULTILINE)


def read(path: str, data: bytes) -> BuildFile:
    """Each ``#cmakedefine NAME`` (or ``#cmakedefine01``), which depends on the variable of that name.

    The file counts as one of CMake's: its macros are for the sources below the CMakeLists.txt that names it.
    """
    defines: list[Define] = []
    for match in _DEFINED.finditer(data):
        if len(defines) >= MAX_MACROS:
            problem = f"only its first {MAX_MACROS} macros were read"
            return BuildFile(path, "cmake", defines=tuple(defines), problem=problem)
        name = match[1].decode()
        place = Place(path, Span(match.start(1), match.end(1)))
        defines.append(Define(name, "1", place, when=(When(name, place),)))
    return BuildFile(path, "cmake", defines=tuple(defines))
