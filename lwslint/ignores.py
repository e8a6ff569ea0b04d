"""What git ignores, and what the configuration leaves out, in the language of .gitignore.

A tree has hundreds of patterns and thousands of names, and nearly no name matches any pattern: one regular
expression for all patterns of a file tells that, and only what it matches is compared with each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

from lwslint import source, witness
from lwslint.source import ReadError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_IGNORE_FILE_LIMIT = 1_000_000

# What the regular expressions of pathspec hold: the group that matches the slash behind a folder, and how
# those of patterns begin that match at any depth.
_FOLDER_MARK = "ps_d"
_FOLDER_GROUP = f"(?P<{_FOLDER_MARK}>"
_ANYWHERE = "^(?:.+/)?"

# An expression as pathspec makes it of a pattern, and whether a match leaves the file out (or takes it back).
Row = tuple[str, bool]

_compiled = cache(re.compile)


class Patterns:
    """The patterns of one ignore file, which apply below ``folder``."""

    def __init__(self, folder: str, rows: Sequence[Row]) -> None:
        """Raises ValueError for an expression that does not compile."""
        self.folder = folder
        self._rows = tuple(reversed(rows))
        self._any = _any_of([expression for expression, _ in rows])

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """What the last pattern that matches says.

        Only matches of ``path`` itself count, none of a folder above it, which the walk has dealt with:
        pathspec's own verdict lets ``*`` win over a later ``!*/``.
        """
        name = relative(path, self.folder)
        if not self.may_match(name) and not (folder and self.may_match(name + "/")):
            return None
        for expression, include in self._rows:
            if _is_about(_compiled(expression), name, folder):
                return include
        return None

    def may_match(self, name: str) -> bool:
        """Whether any pattern matches ``name``, or a folder above it."""
        return self._any.search(name) is not None


def _any_of(expressions: Iterable[str]) -> re.Pattern[str]:
    """One regular expression that matches where any of ``expressions`` does.  Raises ValueError."""
    anywhere: list[str] = []
    others: list[str] = []
    for expression in expressions:
        unnamed = expression.replace(_FOLDER_GROUP, "(?:")
        if unnamed.startswith(_ANYWHERE):
            anywhere.append(unnamed.removeprefix(_ANYWHERE))
        else:
            others.append(unnamed)
    alternatives = [f"(?:{one})" for one in others]
    if anywhere:  # the common beginning is tried once, which takes most of the time
        alternatives.append(f"{_ANYWHERE}(?:{'|'.join(anywhere)})")
    try:
        return re.compile("|".join(alternatives) or "(?!)")
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _rows_of(lines: Iterable[str]) -> list[Row]:
    """The patterns in the lines of an ignore file.  Raises ValueError for what git would not accept."""
    # Imported late: a tree without ignore files needs none of it.
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    translated = (GitIgnoreSpecPattern.pattern_to_regex(line) for line in lines)
    return [(str(row), include) for row, include in translated if row is not None and include is not None]


def _is_about(pattern: re.Pattern[str], name: str, folder: bool) -> bool:
    """Whether a pattern matches the entry ``name``, and not just a folder above it or what is below it."""
    if any(_folder_end(found) is None for found in pattern.finditer(name)):
        return True
    return folder and any(_folder_end(found) == len(name) + 1 for found in pattern.finditer(name + "/"))


def _folder_end(match: re.Match[str]) -> int | None:
    """Where the folder ends that a pattern of pathspec matched, None when it matched no folder."""
    return match.end(_FOLDER_MARK) if _FOLDER_MARK in match.re.groupindex and match[_FOLDER_MARK] else None


# ------------------------------------------------------------------------------------- the configuration


class Exclusion:
    """Patterns in the language of .gitignore that leave files out, relative to ``folder``.

    Raises ValueError for a pattern that git would not accept, or that has too many wildcards.
    """

    def __init__(self, folder: str, patterns: Sequence[str]) -> None:
        if costly := next(filter(_is_costly, patterns), None):
            raise ValueError(f"{costly[:80]!r} has too many wildcards")
        self._lines = tuple(patterns)
        self._patterns = Patterns(folder, _rows_of(self._lines))

    def __call__(self, path: str, *, folder: bool) -> bool:
        if not below(path, self._patterns.folder) or path == self._patterns.folder:
            return False
        name = relative(path, self._patterns.folder) + ("/" if folder else "")
        return self._patterns.may_match(name) and self._spec.check_file(name).include is True

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(self._lines)


# ------------------------------------------------------------------------------------- .gitignore

Ignores = tuple[Patterns, ...]


def ignore_files_above(folder: str) -> Ignores:
    """The .gitignore files that git would apply to ``folder`` from above, outermost first.

    Empty outside a work tree.  Empty too when they ignore ``folder`` itself: whoever names an
    ignored folder wants it linted.
    """
    above: list[str] = []
    current = folder
    while not witness.exists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return ()
        current = parent
        above.append(current)
    found: list[Patterns] = []
    for place in reversed(above):
        found += ignore_files_of(place)
    path = ""
    for part in os.path.relpath(folder, current).split(os.sep) if above else ():
        path = os.path.join(path or current, part)
        if ignored(tuple(found), path, folder=True):
            return ()
    return tuple(found)


def ignore_files_of(folder: str) -> Ignores:
    """The rules that start in ``folder``: ``.git/info/exclude``, then its own .gitignore."""
    return tuple(filter(None, (_read(folder, name) for name in _IGNORE_FILES)))


_IGNORE_FILES = (os.path.join(".git", "info", "exclude"), ".gitignore")


def _read(folder: str, name: str) -> Patterns | None:
    try:
        data = source.read(os.path.join(folder, name), _IGNORE_FILE_LIMIT)
    except ReadError:
        return None
    lines = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    patterns = [line.rstrip("\r") for line in lines if line.strip() and not _is_costly(line)]
    try:
        rows = _rows_of(patterns)
        return Patterns(folder, rows) if rows else None
    except (ValueError, RecursionError):  # one pattern that git would not take either
        return Patterns(folder, list(_good_rows(patterns)))


def _good_rows(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        try:
            rows = _rows_of([line])
            _any_of(expression for expression, _ in rows)
        except (ValueError, RecursionError):
            continue
        yield from rows


def ignored(rules: Ignores, path: str, *, folder: bool) -> bool:
    """Whether git ignores ``path``: the innermost file with an opinion decides."""
    for patterns in reversed(rules):
        verdict = patterns.verdict(path, folder=folder)
        if verdict is not None:
            return verdict
    return False


# Patterns become regular expressions that try every way to share a name out among their wildcards.
# With a handful of them, which no real pattern has, a hostile tree could keep one match busy for hours.
_STARS_IN_A_NAME = 3
_DOUBLE_STARS = 2


def _is_costly(pattern: str) -> bool:
    """Whether a pattern of .gitignore has more wildcards than may be matched; such a pattern ignores
    nothing, which lints a file too many at worst."""
    names = pattern.split("/")
    doubles = sum(1 for name in names if "**" in name)
    return doubles > _DOUBLE_STARS or any(name.count("*") > _STARS_IN_A_NAME for name in names)


# ------------------------------------------------------------------------------------- paths


def below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def relative(path: str, base: str) -> str:
    """``path`` from ``base``, which it lies below; os.path.relpath would normalise both each time."""
    return slashes(path[len(base) :].lstrip(os.sep)) or "."


def slashes(path: str) -> str:
    return path.replace(os.sep, "/")
