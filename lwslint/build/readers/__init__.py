"""The build file formats: which names they have, and which module reads them.

One table.  A format is added by a module beside this one with a function ``read(path, data) -> BuildFile``
and a row here.  Importing this module brings no parser; each reader is imported with its first file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Final

import msgspec

from lwslint.build.facts import BuildFile

MENTIONS_LWS: Final = rb"(?i)lws|libwebsockets?"


class Format(msgspec.Struct, frozen=True):
    """A kind of build file.

    ``names`` are patterns as in a shell, without regard to case; one with ``/`` is compared with the end
    of the path, any other with the file's name.  The first row of :data:`FORMATS` that takes a name wins.
    A file is read for where it stands when ``beside`` (in the folder of a source that uses libwebsockets, or
    above); anywhere else it is read when ``signs``, a regular expression over bytes, matches (an empty one
    never does).  A file of more than ``limit`` bytes is not read.  ``comments`` says how its comments, which
    suppress findings, are written: ``cmake``, ``json`` (none), ``other`` (``#`` to the end of the line).
    """

    kind: str
    module: str
    names: tuple[str, ...]
    signs: bytes = MENTIONS_LWS
    limit: int = 1_000_000
    beside: bool = True
    comments: str = "other"


FORMATS: Final[tuple[Format, ...]] = (
    # Before `*.cmake`; read only where `configure_file` names it.
    Format(
        "cmake-template",
        "cmake_template",
        tuple(
            f"*.{suffix}.{end}" for suffix in ("h", "hh", "hpp", "hxx") for end in ("in", "cmake", "cmake.in")
        ),
        signs=b"",
        beside=False,
        comments="c",
    ),
    Format("cmake", "cmake", ("cmakelists.txt", "*.cmake"), comments="cmake"),
    Format("cmake-presets", "cmake_presets", ("cmakepresets.json", "cmakeuserpresets.json"), comments="json"),
    Format("cmake-cache", "cmake_cache", ("cmakecache.txt",)),
    Format(
        "compile_commands",
        "compile_commands",
        ("compile_commands.json",),
        signs=b"",
        limit=64_000_000,
        comments="json",
    ),
    Format(
        "make",
        "make",
        ("makefile", "gnumakefile", "makefile.am", "makefile.inc", "makefile.common", "*.mk", "debian/rules"),
    ),
    Format("autoconf", "autoconf", ("configure.ac", "configure.in")),
    Format("meson", "meson", ("meson.build", "meson_options.txt", "meson.options")),
    Format("wrap", "wrap", ("*.wrap",)),
    Format("sdkconfig", "sdkconfig", ("sdkconfig", "sdkconfig.*")),
    Format("kconfig", "kconfig", ("kconfig", "kconfig.projbuild")),
    Format("idf-component", "idf_component", ("idf_component.yml",)),
    Format("conan", "conan", ("conanfile.txt", "conanfile.py")),
    Format("vcpkg", "vcpkg", ("vcpkg.json",), comments="json"),
    Format("gitmodules", "gitmodules", (".gitmodules",)),
    Format("recipe", "recipe", ("*.bb", "*.bbappend")),
    Format("dockerfile", "dockerfile", ("dockerfile", "dockerfile.*", "*.dockerfile", "containerfile")),
    Format(
        "ci",
        "ci",
        (
            ".github/workflows/*.yml",
            ".github/workflows/*.yaml",
            ".gitlab-ci.yml",
            ".travis.yml",
            "azure-pipelines.yml",
        ),
    ),
    Format("shell", "shell", ("*.sh", "apkbuild", "pkgbuild")),
)


def _expression(pattern: str) -> str:
    """A shell pattern as a regular expression; ``*`` and ``?`` stay within one name."""
    parts = {"*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(character) or re.escape(character) for character in pattern.lower())


def _alternatives(patterns: Iterable[tuple[int, str]]) -> re.Pattern[str]:
    """One expression for many patterns; the group that matched names the row."""
    by_row: dict[int, list[str]] = {}
    for row, pattern in patterns:
        by_row.setdefault(row, []).append(_expression(pattern))
    groups = [f"(?P<f{row}>{'|'.join(texts)})" for row, texts in by_row.items()]
    return re.compile(f"(?:.*/)?(?:{'|'.join(groups) or '(?!)'})", re.DOTALL)


_PATTERNS = [(number, name) for number, row in enumerate(FORMATS) for name in row.names]
_BY_NAME = _alternatives((row, name) for row, name in _PATTERNS if "/" not in name)
_BY_PATH = _alternatives((row, name) for row, name in _PATTERNS if "/" in name)
# What any of the names ends in, from its last dot on, or those with a variable end begin with.
_ENDS = frozenset(re.split(r"[./]", name)[-1] for _, name in _PATTERNS)
_BEGINNINGS = frozenset(name.partition(".")[0] for _, name in _PATTERNS if name.endswith(".*"))


def format_of(path: str) -> Format | None:
    """The format that a file's name says; None for any other file.  ``path`` has ``/`` between parts."""
    path = path.lower()
    name = path[path.rfind("/") + 1 :]
    if name.rpartition(".")[2] not in _ENDS and name.partition(".")[0] not in _BEGINNINGS:
        return None  # nearly every file of a large tree
    found = [match for match in (_BY_NAME.fullmatch(name), _BY_PATH.fullmatch(path)) if match]
    rows = [int(match.lastgroup[1:]) for match in found if match.lastgroup]
    return FORMATS[min(rows)] if rows else None


def read(path: str, data: bytes) -> BuildFile:
    """What the build file ``path`` with the content ``data`` says.

    Never raises on what the file holds: a file that is too large, or that brings its reader down, comes
    back empty with a :attr:`~lwslint.build.facts.BuildFile.problem`.  Raises ValueError for a name that
    is no build file's.
    """
    row = format_of(path)
    if row is None:
        raise ValueError(f"{path} is no build file")
    if len(data) > row.limit:
        return BuildFile(path, row.kind, problem=f"larger than {row.limit} bytes")
    try:
        module = import_module(f"{__name__}.{row.module}")
        found: BuildFile = module.read(path, data)
    except Exception as error:
        return BuildFile(path, row.kind, problem=f"its reader failed: {type(error).__name__}: {error}")
    return found
