"""Which build files of a tree are read, and what they say.

A build file counts when it stands in the folder of a source that uses libwebsockets or above it, when such a
file includes it, when it mentions libwebsockets itself, or when it was named on the command line.  Nothing
outside of the linted tree is opened.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache

import msgspec

from lwslint import source
from lwslint.build import readers
from lwslint.build.facts import BuildFile
from lwslint.discovery import Found
from lwslint.source import ReadError, TooLarge
from lwslint.workers import Pool, Text, read_build_files

MAX_FILES = 2_000
_MAX_ROUNDS = 32


class Surveyed(msgspec.Struct, frozen=True):
    """``files`` by path.  ``problem`` says what a limit left out."""

    files: tuple[BuildFile, ...] = ()
    problem: str = ""


Reader = Callable[[Sequence[Text]], list[BuildFile]]


def in_turn(texts: Sequence[Text]) -> list[BuildFile]:
    """What each build file says."""
    return read_build_files(texts, Pool(1))


def survey(candidates: Sequence[Found], sources: Iterable[str], reader: Reader = in_turn) -> Surveyed:
    """Read those of ``candidates`` that matter.  ``sources`` are the paths of the sources that use
    libwebsockets.  ``reader`` may remember what they said before."""
    by_path = {file.path: file for file in candidates}
    around = _folders(sources)
    chosen = {
        path: None for path, file in by_path.items() if file.explicit or (around and _leads(path, around))
    }
    known: dict[str, BuildFile] = {}
    for path, file in by_path.items():
        if path not in chosen and len(chosen) < MAX_FILES and _mentions(file):
            chosen[path] = None
    waiting = list(chosen)[:MAX_FILES]
    problem = f"only {MAX_FILES} build files were read" if len(chosen) > MAX_FILES else ""
    for _ in range(_MAX_ROUNDS):
        found = [_located(file, by_path) for file in read([by_path[path] for path in waiting], reader)]
        known.update((file.path, file) for file in found)
        included = (path for file in found for path in file.includes if path in by_path and path not in known)
        waiting = list(dict.fromkeys(included))[: MAX_FILES - len(known)]
        if not waiting:
            break
    return Surveyed(tuple(known[path] for path in sorted(known)), problem)


def _located(file: BuildFile, known: Collection[str]) -> BuildFile:
    """``file`` with its includes as files of the tree, as far as they are there.

    ``${CMAKE_SOURCE_DIR}`` is one of the folders above, most likely the outermost that has such a file.
    """
    if not any("${" in path for path in file.includes):
        return file
    folder, above = posixpath.dirname(file.path), []
    while folder not in above:
        above.append(folder)
        folder = posixpath.dirname(folder)
    found: list[str] = []
    for path in file.includes:
        variable = re.match(r"\$\{([^{}]*)\}/?", path)
        tail = path[variable.end() :] if variable else path
        places = above if variable and variable[1].startswith("CMAKE_CURRENT") else above[::-1]
        options = [posixpath.join(place, tail) for place in places] if variable else [path]
        found += [option for option in options if option in known][:1] or [path]
    return msgspec.structs.replace(file, includes=tuple(found))


def _folders(sources: Iterable[str]) -> frozenset[str]:
    """The folders of the sources and all above them."""
    found: set[str] = set()
    for path in sources:
        folder = posixpath.dirname(path)
        while folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)


def _leads(path: str, around: Collection[str]) -> bool:
    """Whether a file is read for where it stands, without a look inside.

    Of what CMake left in build folders discovery gives those of the tree only.
    """
    row = readers.format_of(path)
    if row is None or not row.beside or row.kind == "compile_commands":
        return False
    return row.kind == "cmake-cache" or posixpath.dirname(path) in around


def _mentions(file: Found) -> bool:
    row = readers.format_of(file.path)
    if row is None or not row.signs:
        return False
    try:
        return (
            _compiled(row.signs).search(source.read(file.real, row.limit, expected=file.identity)) is not None
        )
    except (ReadError, MemoryError):
        return False


@cache
def _compiled(signs: bytes) -> re.Pattern[bytes]:
    return re.compile(signs)


def read(files: Iterable[Found], reader: Reader) -> list[BuildFile]:
    """What each of the files says, in their order; a file that cannot be read says why."""
    found: list[BuildFile | None] = []
    texts: list[Text] = []
    for file in files:
        text = _text(file)
        found.append(text if isinstance(text, BuildFile) else None)
        texts += [] if isinstance(text, BuildFile) else [text]
    told = iter(reader(texts))
    return [file if file is not None else next(told) for file in found]


def _text(file: Found) -> Text | BuildFile:
    """The bytes of a file, or what is to be said of one that cannot be read."""
    row = readers.format_of(file.path)
    assert row is not None  # discovery took it for its name
    try:
        return Text(file.path, source.read(file.real, row.limit, expected=file.identity))
    except TooLarge:
        return BuildFile(file.path, row.kind, problem=f"not read: larger than {row.limit} bytes")
    except ReadError as error:
        return BuildFile(file.path, row.kind, problem=f"cannot be read: {error}")
    except MemoryError:
        return BuildFile(file.path, row.kind, problem="cannot be read: out of memory")
