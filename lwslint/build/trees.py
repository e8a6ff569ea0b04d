"""How the CMake files of a tree hang together, and the variables that hold in each.

``add_subdirectory`` and ``include`` make one or several trees of the files.  What a file sets holds in those
that it includes; options hold everywhere below the tree's root.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from lwslint.build import cmake
from lwslint.build.cmake import UNKNOWN, Unknown
from lwslint.build.facts import BuildFile, Define, Setting, Target

MAX_CHAIN = 64
MAX_PARTS = 2_000
# What the user's machine and compiler decide, CMake itself, or a find module.
_FROM_OUTSIDE: Final = re.compile(
    r"(?:CMAKE|MSVC|CPACK|CTEST)(?:_\w+|\d*)$|(?:BUILD_TESTING|WIN32|UNIX|APPLE|ANDROID|IOS|CYGWIN|MINGW|MSYS|LINUX|BSD|XCODE"
    r"|ESP_PLATFORM|IDF_TARGET|EMSCRIPTEN|BORLAND|WATCOM)$|\w+_FOUND$|\w+_VERSION(?:_\w+)?$|HAVE_\w+$|\w*_HAVE_\w+$"
    r"|ENV\b|\w+_(?:DIRS?|LIBRARY|LIBRARIES|PATH|ROOT)$|CONFIG_\w+$|TARGET_\w+$|\w+_(?:INCLUDES?|LIBS?)$"
)


class Scope(NamedTuple):
    """The CMake files that hold for a folder: ``files`` from the root down; ``root`` is its folder."""

    files: tuple[BuildFile, ...]
    root: str


class Trees:
    """The CMake files of one run."""

    def __init__(self, files: Sequence[BuildFile]) -> None:
        self.files = {file.path: file for file in files if file.kind == "cmake"}
        self.caches = [file for file in files if file.kind in ("cmake-presets", "cmake-cache")]
        self._parents: dict[str, str] = {}
        for file in self.files.values():
            for path in file.includes:
                if path in self.files and path != file.path:
                    self._parents.setdefault(path, file.path)

    def chain(self, path: str) -> tuple[str, ...]:
        """The file and those that lead to it, from the root down."""
        found = [path]
        while (parent := self._parents.get(found[-1])) and parent not in found and len(found) < MAX_CHAIN:
            found.append(parent)
        return tuple(reversed(found))

    def folder(self, path: str) -> str:
        """The folder that relative paths in a file start from: for an included file, its includer's."""
        for name in reversed(self.chain(path)):
            if _lists(name):
                return posixpath.dirname(name)
        return posixpath.dirname(path)

    @cached_property
    def _lists_by_folder(self) -> dict[str, str]:
        return {posixpath.dirname(path): path for path in self.files if _lists(path)}

    @cached_property
    def _included(self) -> dict[str, list[str]]:
        """By CMakeLists.txt the ``*.cmake`` files that it includes."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.files):
            if not _lists(path):
                owner = next((name for name in reversed(self.chain(path)) if _lists(name)), "")
                found.setdefault(owner, []).append(path)
        return found

    def scope_of_folder(self, folder: str) -> Scope | None:
        """The files that hold for the sources of a folder: its own or the nearest CMakeLists.txt above, and
        what leads there."""
        while folder not in self._lists_by_folder:
            parent = posixpath.dirname(folder)
            if parent == folder:
                return None
            folder = parent
        return self.scope(self._lists_by_folder[folder])

    def scope(self, path: str) -> Scope:
        """The files that hold where the CMakeLists.txt ``path`` is read."""
        names: list[str] = []
        for name in self.chain(path):
            names += [name, *self._included.get(name, ())]
        files = tuple(self.files[name] for name in dict.fromkeys(names))
        return Scope(files, posixpath.dirname(names[0]))

    # ------------------------------------------------------------------ what has places left open

    def expand(self, text: str, path: str, scope: Scope) -> list[str]:
        """The paths that one recorded in the file ``path`` may stand for, its variables replaced.

        A variable that another file sets holds paths from that file's folder or complete ones, which only a
        look at the tree could tell: both are given.
        """
        if "${" not in text:
            return [text]
        here = self.folder(path)
        values = {
            **variables(scope.files),
            "CMAKE_SOURCE_DIR": scope.root or ".",
            "PROJECT_SOURCE_DIR": scope.root or ".",
            "CMAKE_CURRENT_SOURCE_DIR": here or ".",
        }
        replaced = cmake.substitute(text, lambda name: _decided(values, name))
        parts = [part for part in (replaced or "").split(";") if part][:MAX_PARTS]
        both = (p for part in parts for p in (part, posixpath.join(here, part)))
        return list(dict.fromkeys(posixpath.normpath(path) for path in both))

    def targets(self) -> Iterator[tuple[Target, Scope]]:
        """All targets with their sources' paths complete, by file."""
        for path in sorted(self.files):
            scope = self.scope(next((n for n in reversed(self.chain(path)) if _lists(n)), path))
            for target in self.files[path].targets:
                sources = [found for source in target.sources for found in self.expand(source, path, scope)]
                name = self._name(target.name, path, scope)
                yield (
                    Target(name, target.kind, tuple(sources), target.place, target.links, target.when),
                    scope,
                )

    def defines(self, scope: Scope) -> Iterator[Define]:
        """The macros of a scope's files, with their targets' names complete."""
        for file in scope.files:
            for define in file.defines:
                if "${" not in define.target:
                    yield define
                    continue
                yield Define(
                    define.name,
                    define.value,
                    define.place,
                    self._name(define.target, file.path, scope),
                    define.when,
                    define.configuration,
                    define.spreads,
                )

    def _name(self, name: str, path: str, scope: Scope) -> str:
        if "${" not in name:
            return name
        values = variables(scope.files)
        # A name that cannot be completed stays as it is written, which is the same at every use.
        return cmake.substitute(name, lambda variable: _decided(values, variable)) or name


def _decided(values: Mapping[str, str | None], name: str) -> str | Unknown:
    value = values.get(name)
    return UNKNOWN if value is None else value


def variables(files: Iterable[BuildFile]) -> dict[str, str | None]:
    """The variables that are set to one value, on every way; None for those with several values.

    Options are not among them.
    """
    found: dict[str, str | None] = {}
    for file in files:
        for setting in file.settings:
            if setting.scope == "computed":
                found[setting.key] = None
            elif setting.scope == "variable":
                same = not setting.when and found.get(setting.key, setting.value) == setting.value
                found[setting.key] = setting.value if same else None
    return found


def options(files: Iterable[BuildFile]) -> dict[str, list[Setting]]:
    """By name, what whoever builds may choose, with the defaults."""
    found: dict[str, list[Setting]] = {}
    for file in files:
        for setting in file.settings:
            if setting.scope == "option":
                found.setdefault(setting.key, []).append(setting)
    return found


def from_outside(name: str) -> bool:
    """Whether the machine, the compiler or CMake itself sets a variable, not whoever builds."""
    return _FROM_OUTSIDE.match(name) is not None


def fixed(files: Iterable[BuildFile]) -> Mapping[str, str]:
    """What the files put into the cache with FORCE, without a condition."""
    return {
        setting.key: setting.value
        for file in files
        for setting in file.settings
        if setting.scope == "cache" and not setting.when and not setting.configuration
    }


def _lists(path: str) -> bool:
    return posixpath.basename(path).lower() == "cmakelists.txt"
