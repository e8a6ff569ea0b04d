"""Reads compile_commands.json (https://clang.llvm.org/docs/JSONCompilationDatabase.html): which macros
each source file is compiled with, and which program it belongs to."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from lwslint.build.facts import BuildFile, Define, Target
from lwslint.facts import Place, Span

MAX_ENTRIES = 20_000


_TARGET = re.compile(r"(?:^|[/\s])CMakeFiles/([^/]+)\.dir/")
_OPTIMISED = re.compile(r"[-/]O(?:[123sgz]|fast|x)?$")
_SOURCE: Final = frozenset({".c", ".cc", ".cpp", ".cxx", ".c++", ".C"})


class _Entry(msgspec.Struct):
    file: str
    directory: str = ""
    command: str = ""
    arguments: list[str] = []
    output: str = ""


class Compilation(NamedTuple):
    """One compilation: ``file`` is absolute as the database has it, ``target`` the program where it is named.

    ``macros`` has, as the compiler itself does, ``__OPTIMIZE__`` where the last ``-O`` asks for more than
    ``-O0``; a value of None is ``-U``.
    """

    file: str
    target: str
    macros: tuple[tuple[str, str | None], ...]
    span: Span


def read(path: str, data: bytes) -> BuildFile:
    """All compilations of a database, with absolute paths for files."""
    try:
        return records(path, compilations(data), lambda file: file)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return BuildFile(path, "compile_commands", problem=f"is not a compilation database: {error}")


def records(
    path: str,
    entries: Iterable[Compilation],
    known: Callable[[str], str],
    wanted: Container[str] | None = None,
) -> BuildFile:
    """The records that compilations make.

    ``known`` maps the absolute path of a source, as the database has it, to its path from the linted root,
    or to "" where it is none of the tree's.  The macros are those of the sources in ``wanted`` (default: of
    all); a macro's ``configuration`` is the target's name.  Every compilation makes a
    :class:`~lwslint.build.facts.Target` name its file, with the target's name where the database tells it.
    """
    defines: list[Define] = []
    sources: dict[str, list[str]] = {}
    places: dict[str, Place] = {}
    problem = ""
    for number, compilation in enumerate(entries):
        if number >= MAX_ENTRIES:
            problem = f"only its first {MAX_ENTRIES} entries were read"
            break
        file = known(compilation.file)
        if not file:
            continue
        place = Place(path, compilation.span)
        target = compilation.target
        if wanted is None or file in wanted:
            defines += [
                Define(n, value, place, file, configuration=target) for n, value in compilation.macros
            ]
        sources.setdefault(target, []).append(file)
        places.setdefault(target, place)
    targets = tuple(
        Target(name, "", tuple(dict.fromkeys(files)), places[name]) for name, files in sources.items()
    )
    return BuildFile(path, "compile_commands", defines=tuple(defines), targets=targets, problem=problem)


def compilations(
    data: bytes, known: Container[str] | None = None, wanted: Container[str] | None = None
) -> Iterator[Compilation]:
    """The entries one by one; an entry that is none is passed over.

    Only files with a name in ``known`` (default: all), and the macros only of those with a name in ``wanted``
    (default: of all): taking a command line apart is slow, and a database may have tens of thousands.
    Raises msgspec.DecodeError when the whole is not a list in JSON.
    """
    position = 0
    for raw in msgspec.json.decode(data, type=list[msgspec.Raw]):
        text = bytes(raw)
        position = data.index(text, position)
        span = Span(position, position + len(text))
        position = span.end
        try:
            entry = msgspec.json.decode(text, type=_Entry)
            name = posixpath.basename(entry.file.replace("\\", "/"))
            if known is not None and name not in known:
                continue
            words: Sequence[str] = ()
            if wanted is None or name in wanted:
                words = entry.arguments or split(entry.command)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        yield _compilation(entry, words, span)


def split(command: str) -> list[str]:
    """The words of a command line, of a shell or (where it has backslashes in paths) of Windows."""
    windows = re.match(r'"?[A-Za-z]:\\', command) is not None
    return shlex.split(command.replace("\\", "/") if windows else command)


def _compilation(entry: _Entry, words: Sequence[str], span: Span) -> Compilation:
    macros: dict[str, str | None] = {}
    optimised = False
    output = entry.output
    position = 1
    while position < len(words):
        word = words[position]
        position += 1
        if word in ("-D", "-U", "/D", "/U", "-o") and position < len(words):
            word, position = word + words[position], position + 1
        if word[:2] in ("-D", "/D"):
            name, equals, value = word[2:].partition("=")
            macros[name] = value if equals else "1"
        elif word[:2] in ("-U", "/U") and "/" not in word[2:]:
            macros[word[2:]] = None
        elif word.startswith("-o") and not output:
            output = word[2:]
        elif _OPTIMISED.match(word):
            optimised = word not in ("-O0", "/Od")
    file = entry.file.replace("\\", "/")
    if not posixpath.isabs(file) and not re.match(r"[A-Za-z]:/", file):
        file = posixpath.join(entry.directory.replace("\\", "/"), file)
    if optimised:
        macros.setdefault("__OPTIMIZE__", "1")
    found = _TARGET.search((output or entry.command or " ".join(entry.arguments)).replace("\\", "/"))
    valid = tuple((n.partition("(")[0], v) for n, v in macros.items() if re.match(r"[A-Za-z_]\w*", n))
    return Compilation(posixpath.normpath(file), found[1] if found else "", valid, span)
