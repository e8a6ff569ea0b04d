"""Which sources make one program, as the targets of the build files tell."""

from __future__ import annotations

import bisect
import itertools
import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from lwslint.build.facts import Target
from lwslint.build.model import Program

MAX_LINKS = 200


class Owned(NamedTuple):
    """A target as it was declared, with what tells targets of one name apart: the root of its build."""

    target: Target
    owner: str


class Sources:
    """The source files of a run by path and by folder, to find what a target's patterns mean."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths)
        self._known = frozenset(self._paths)
        self._by_folder: dict[str, list[str]] = {}
        for path in self._paths:
            self._by_folder.setdefault(posixpath.dirname(path), []).append(path)

    def matching(self, pattern: str) -> Sequence[str]:
        """The files that a source of a target stands for: itself, or what its ``*`` match.

        A pattern with more wildcards than real ones have, which could keep the match busy, matches nothing.
        """
        if "*" not in pattern and "?" not in pattern:
            return (pattern,) if pattern in self._known else ()
        parts = pattern.split("/")
        if parts.count("**") > 1 or any(part.count("*") > 2 for part in parts):
            return ()
        folder = posixpath.dirname(pattern)
        if "*" not in folder:
            candidates: Iterable[str] = self._by_folder.get(folder, ())
        else:
            top = folder.partition("*")[0]
            first = bisect.bisect_left(self._paths, top)
            candidates = itertools.takewhile(
                lambda path: path.startswith(top), itertools.islice(self._paths, first, None)
            )
        matches = _compiled(pattern).fullmatch
        return [path for path in candidates if matches(path)]


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*|\?)", pattern[:1_000])
    return re.compile("".join(parts.get(piece) or re.escape(piece) for piece in pieces))


def programs(targets: Sequence[Owned], sources: Sources) -> tuple[Program, ...]:
    """The targets merged by name, each with the sources of the libraries that it links.

    A library that a program of the tree links is not told on its own.
    """
    merged: dict[tuple[str, str], list[Target]] = {}
    for target, owner in targets:
        merged.setdefault((owner, target.name), []).append(target)
    own = {
        key: tuple(dict.fromkeys(p for target in group for s in target.sources for p in sources.matching(s)))
        for key, group in merged.items()
    }
    links = {key: [(key[0], name) for t in group for name in t.links] for key, group in merged.items()}
    linked = {library for key, libraries in links.items() for library in libraries if library != key}
    found: list[Program] = []
    for key, group in merged.items():
        kind = next((target.kind for target in group if target.kind), "")
        if kind != "program" and key in linked:
            continue
        files = dict.fromkeys(path for part in closure(key, links) for path in own.get(part, ()))
        if files:
            place = next((target.place for target in group if target.kind), group[0].place)
            found.append(Program(key[1], kind, tuple(sorted(files)), place))
    return tuple(sorted(found, key=lambda program: (program.place, program.name)))


Key = tuple[str, str]


def closure(start: Key, links: dict[Key, list[Key]]) -> list[Key]:
    """A target and all that it links, directly or not."""
    found = {start: None}
    waiting = [start]
    while waiting and len(found) < MAX_LINKS:
        for library in links.get(waiting.pop(), ()):
            if library not in found:
                found[library] = None
                waiting.append(library)
    return list(found)
