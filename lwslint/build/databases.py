"""Compilation databases: which file of the tree each entry is about, and what they say of a source.

A database may come from another machine or container.  Its absolute paths are matched with the tree by their
ends: the pair of beginnings (of the database, of the tree) that most files agree on is the one.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from lwslint import source
from lwslint.build.facts import BuildFile, Define
from lwslint.build.model import Origin
from lwslint.build.readers import compile_commands, format_of
from lwslint.discovery import Found
from lwslint.facts import Place
from lwslint.settings import Build
from lwslint.source import ReadError, TooLarge

_MAX_VOTES = 2_000
_OPTIMISED = "__OPTIMIZE__"

Where = Callable[[Place], str]


class Mapping:
    """From the absolute paths of a database to the tree's files as reports name them."""

    def __init__(self, compiled: Iterable[str], tree: Iterable[Found]) -> None:
        self._known: set[str] = set()
        self._real: dict[str, str] = {}
        by_name: dict[str, list[str]] = {}
        for file in tree:
            self._known.add(file.path)
            self._real[file.real.replace("\\", "/")] = file.path
            by_name.setdefault(posixpath.basename(file.path), []).append(file.path)
        votes: Counter[tuple[str, str]] = Counter()
        for path in list(compiled)[:_MAX_VOTES]:
            if path in self._real:
                continue
            found = {_beginnings(path, other) for other in by_name.get(posixpath.basename(path), ())}
            # The more of the path is alike, the shorter is what is left of it.
            nearest = min((len(pair[0]) for pair in found), default=0)
            votes.update(pair for pair in found if len(pair[0]) == nearest)
        ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
        self._pair = ranked[0][0] if ranked else ("", "")

    def __call__(self, path: str) -> str:
        """The tree's file that a database calls ``path``; "" for none."""
        if path in self._real:
            return self._real[path]
        theirs, ours = self._pair
        if not theirs or not path.startswith(theirs + "/"):
            return ""
        name = posixpath.join(ours, path[len(theirs) + 1 :])
        return name if name in self._known else ""


def _beginnings(first: str, second: str) -> tuple[str, str]:
    """What is left of two paths without the longest end that they have in common."""
    left, right = first.split("/"), second.split("/")
    while left and right and left[-1] == right[-1]:
        left.pop()
        right.pop()
    return "/".join(left), "/".join(right)


def read(found: Found, tree: Sequence[Found], wanted: Collection[str]) -> BuildFile:
    """One database: its targets, and the macros of the sources that are ``wanted``."""
    row = format_of("compile_commands.json")
    assert row is not None
    try:
        data = source.read(found.real, row.limit, expected=found.identity)
    except TooLarge:
        return BuildFile(found.path, row.kind, problem=f"not read: larger than {row.limit} bytes")
    except (ReadError, MemoryError) as error:
        return BuildFile(found.path, row.kind, problem=f"cannot be read: {error}")
    names = {posixpath.basename(file.path) for file in tree}
    asked = {posixpath.basename(path) for path in wanted}
    try:
        entries = list(compile_commands.compilations(data, names, asked))
    except (ValueError, RecursionError) as error:
        return BuildFile(found.path, row.kind, problem=f"is not a compilation database: {error}")
    return compile_commands.records(found.path, entries, Mapping((c.file for c in entries), tree), wanted)


class Compiled:
    """What databases say of each source.

    A database of a debug build says nothing about a production build, and the other way round; ``idle`` are
    those.  The one that the user ``named`` counts in any case, but the macros of the ``profile`` stay.
    """

    def __init__(self, files: Iterable[BuildFile], profile: Build, named: str = "") -> None:
        self._entries: dict[str, list[dict[str, Define]]] = {}
        self._production = profile.production
        self.idle: list[BuildFile] = []
        for file in files:
            fits = is_production(file) is profile.production
            if not fits and file.path != named:
                self.idle.append(file)
                continue
            settled = () if fits else (*profile.defines, *profile.undefined)
            by_entry: dict[tuple[str, Place], dict[str, Define]] = {}
            for define in file.defines:
                entry = by_entry.setdefault((define.target, define.place), {})
                if define.name not in settled:
                    entry[define.name] = define
            for (path, _), macros in by_entry.items():
                self._entries.setdefault(path, []).append(macros)

    def origins(self, path: str, where: Where) -> tuple[Origin, ...]:
        """What is certain of a source: what all its entries agree on."""
        entries = self._entries.get(path)
        if not entries:
            return ()
        found = [
            Origin(define.name, define.value, f"{where(define.place)} defines it", define.place)
            for name, define in entries[0].items()
            if all(name in entry and entry[name].value == define.value for entry in entries)
        ]
        optimised = [entry[_OPTIMISED] for entry in entries if _OPTIMISED in entry]
        if self._production and len(optimised) == len(entries) and not any("NDEBUG" in e for e in entries):
            place = optimised[0].place
            found.append(Origin("NDEBUG", None, f"{where(place)} does not define it", place))
        return tuple(found)


def is_production(file: BuildFile) -> bool:
    """Whether a database is of a build for production: assertions are off, or the compiler optimises.

    Of a database without any macro nothing can be told, and it is taken for a debug build.
    """
    return any(define.name in ("NDEBUG", _OPTIMISED) and define.value is not None for define in file.defines)
