"""Which source file an object file is compiled from, as far as a makefile says it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from lwslint.build.readers import commands

_OBJECT = re.compile(r"\.(?:o|obj|lo)\Z")
_CPP = re.compile(rb"\.(?:cpp|cc|cxx)\b|\bCXX|\bg\+\+")


class Objects:
    """Learns from rules (``obj/%.o: src/%.c``) and the source files that are named anywhere."""

    def __init__(self, sources: Sequence[str], data: bytes) -> None:
        self._patterns: list[tuple[str, str]] = []
        self._explicit: dict[str, str] = {}
        self._sources = dict.fromkeys(posixpath.normpath(source) for source in sources)
        self._by_stem: dict[str, list[str]] = {}
        for source in self._sources:
            self._by_stem.setdefault(posixpath.splitext(posixpath.basename(source))[0], []).append(source)
        self._suffix = ".c*" if _CPP.search(data) else ".c"

    def learn(self, targets: Sequence[str], prerequisites: Sequence[str]) -> None:
        """A rule, its variables replaced."""
        sources = [name for name in prerequisites if commands.is_source(name)]
        if not sources:
            return
        for target in targets:
            if not _OBJECT.search(target):
                continue
            if "%" in target:
                self._patterns += [(target, source) for source in sources if "%" in source]
            else:
                self._explicit.setdefault(target, sources[0])

    def source_of(self, name: str) -> str:
        """The source of an object file, as the makefile would name it; "" for what is no object file.

        Where nothing tells C from C++ the answer is a pattern, ``name.c*``.
        """
        if not _OBJECT.search(name) or "$" in name or "%" in name:
            return ""
        if name in self._explicit:
            return self._explicit[name]
        stem = posixpath.splitext(name)[0]
        candidates = [found for found in (_match(name, *pattern) for pattern in self._patterns) if found]
        named = [found for found in candidates if posixpath.normpath(found) in self._sources]
        if named or len(set(candidates)) == 1:
            return (named or candidates)[0]
        same = [
            source for source in self._sources if posixpath.splitext(source)[0] == posixpath.normpath(stem)
        ]
        known = same or self._by_stem.get(posixpath.basename(stem), [])
        if len(known) == 1:
            return known[0]
        return stem + self._suffix


def _match(name: str, target: str, source: str) -> str:
    before, _, behind = target.partition("%")
    if not (name.startswith(before) and name.endswith(behind)) or len(name) < len(before) + len(behind):
        return ""
    return source.replace("%", name[len(before) : len(name) - len(behind)], 1)
