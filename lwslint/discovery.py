"""Which files of the given paths are linted, and why the others are not.

Nothing here decides by what a file says about libwebsockets (:mod:`lwslint.gather` does), with two
exceptions that need a look inside: the language of a ``.h`` file, and whether a ``libwebsockets.h``
really is a copy of the library's header.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from operator import attrgetter

import msgspec

from lwslint import source, witness
from lwslint.build.readers import format_of
from lwslint.frontends.prefilter_documents import begins_like_json
from lwslint.ignores import (
    Exclusion,
    Ignores,
    below,
    ignore_files_above,
    ignore_files_of,
    ignored,
    relative,
    slashes,
)
from lwslint.problem import Problem
from lwslint.source import Identity, ReadError
from lwslint.witness import Stamp

C_SUFFIXES = frozenset({".c"})
CPP_SUFFIXES = frozenset(
    {".cc", ".cpp", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".inl", ".ipp", ".tcc", ".tpp", ".ino"}
)
# C or C++, as the bytes say; ``.C`` is C++ to a Unix compiler and C on a disk that ignores case.
UNSURE_SUFFIXES = frozenset({".h", ".C", ".H"})
PYTHON_SUFFIXES = frozenset({".py", ".pyw"})

_DOCUMENT_SUFFIXES = (".json", ".conf", ".json.in", ".conf.in")

VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS"})

IGNORED = "ignored by git"
EXCLUDED = "excluded by the configuration"
LIBWEBSOCKETS = "copy of libwebsockets itself"
OUTSIDE = "symbolic link that leads out of the linted path"
DANGLING = "symbolic link that leads nowhere"
SPECIAL = "not a regular file"
NO_LWS = "does not mention libwebsockets"
NO_WEBSOCKET = "Python that does not talk WebSocket"
NO_IDIOM = "Python that talks WebSocket, in no way that a rule of lwslint is about"
NOT_PYTHON_3 = "not Python 3"
NOT_PYTHON = "does not parse as Python"
TWICE = "another name of a file that is linted"

_BUILD_FOLDER = re.compile(r"(?i)_?build[\w.-]*|cmake-build[\w.-]*|out")
_MAX_BUILD_FOLDERS = 16
_PEEK = 200_000


class Found(msgspec.Struct, frozen=True):
    """A file to lint: ``path`` as reports name it, ``real`` as the system opens it, ``stamp`` as it was
    before anything was read."""

    path: str
    real: str
    identity: Identity
    explicit: bool = False
    stamp: Stamp | None = None


class Skipped(msgspec.Struct, frozen=True):
    """A file or (``path`` ending in ``/``) a folder that is left out."""

    path: str
    reason: str


class Discovery(msgspec.Struct, frozen=True):
    """``build_files`` are those that a build system or a tool may read, and ``documents`` those that may be
    JSON which libwebsockets reads, by their names.  ``other`` counts the files that are none of C, C++,
    Python and these, which are not listed.  ``copies`` are the files that tell which release the copies of
    libwebsockets are that are left out."""

    files: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    other: int = 0
    build_files: tuple[Found, ...] = ()
    documents: tuple[Found, ...] = ()
    copies: tuple[Found, ...] = ()


def discover(
    paths: Sequence[str],
    *,
    cwd: str,
    exclude: Sequence[Exclusion] = (),
    found: Callable[[Found], None] | None = None,
) -> Discovery:
    """Walk ``paths`` (files or folders, absolute or relative to ``cwd``).

    A path that was given by name is always taken, excluded or not.  ``found`` is told of each source file
    as soon as it is known.
    """
    absolute = [os.path.normpath(os.path.join(cwd, path)) for path in paths]
    walk = _Walk(_Names(cwd, absolute), tuple(exclude), found)
    for path, given in zip(absolute, paths, strict=True):
        walk.start(path, given)
    walk.follow_links()
    return walk.result()


def named_file(path: str, cwd: str) -> Found:
    """A file that the user named for another purpose than to be linted.  Raises OSError."""
    real = os.path.normpath(os.path.join(cwd, path))
    return Found(_Names(cwd, [real])(real), real, source.identity(os.stat(real)), explicit=True)


# ------------------------------------------------------------------------------------- names


class _Names:
    """How reports name a file: relative to the current directory when below it, else to the given
    path (to the given paths' common folder when several lie outside)."""

    def __init__(self, cwd: str, paths: Sequence[str]) -> None:
        self._cwd = cwd
        self._here = cwd.rstrip(os.sep) + os.sep
        outside = [p if os.path.isdir(p) else os.path.dirname(p) for p in paths if not below(p, cwd)]
        try:
            self._base = os.path.commonpath(outside) if outside else cwd
        except ValueError:  # different drives
            self._base = ""
        # The same relative name can stand below the current directory and below another root.
        self._taken: dict[str, str] | None = {} if 0 < len(outside) < len(paths) else None

    def __call__(self, path: str) -> str:
        if path.startswith(self._here):
            name = slashes(path[len(self._here) :])
        elif path == self._cwd:
            name = "."
        else:
            name = relative(path, self._base) if self._base and below(path, self._base) else slashes(path)
        if self._taken is None or self._taken.setdefault(name, path) == path:
            return name
        return slashes(path)


# ------------------------------------------------------------------------------------- libwebsockets

# Any one of these groups makes a folder the library's own tree: 1.x and 2.x, 3.x, then 4.x and later.
# A header alone does not: a program may keep a copy of libwebsockets.h in its own lib/ or include/.
_TREE = (
    ("lib/libwebsockets.c",),
    ("lib/core/context.c", "lib/roles"),
    ("lib/core-net/vhost.c",),
)
# The library's sources copied without their surroundings: lib/ of 1.x and 2.x, lib/ of 3.x and later.
_LIBRARY = (
    ("libwebsockets.h", "libwebsockets.c"),
    ("private-libwebsockets.h", "context.c"),
    ("core", "event-libs", "plat", "roles", "tls"),
)
_HEADER_FOLDER = ("lws-callbacks.h", "lws-context-vhost.h")
_HEADERS = frozenset({"libwebsockets.h", "libwebsockets.hxx", "lws_config.h", "lws_config_private.h"})
_HEADER_ENDS = (".h", ".hxx")
_PRIVATE = re.compile(r"private-(libwebsockets|lib-[\w-]+)\.h")
_HEADER_SIGN = re.compile(
    rb"LWS_LIBRARY_VERSION|LWS_CALLBACK_ESTABLISHED|\blws_callback_reasons\b|\bLWS_WITH(OUT)?_"
)


def is_libwebsockets_tree(folder: str) -> bool:
    """Whether ``folder`` is a source tree of libwebsockets (a clone, a fork, a vendored copy)."""
    return any(all(witness.exists(os.path.join(folder, name)) for name in group) for group in _TREE)


def is_libwebsockets_library(folder: str, names: Iterable[str]) -> bool:
    """Whether ``folder`` with its entries ``names`` holds the library's own sources or headers."""
    present = frozenset(names)
    return any(present.issuperset(group) for group in (*_LIBRARY, _HEADER_FOLDER))


def is_libwebsockets_header(path: str) -> bool:
    """Whether one file is a copy of a header of the library."""
    if not path.endswith(_HEADER_ENDS):
        return False
    name = os.path.basename(path)
    if name in _HEADERS:
        return _HEADER_SIGN.search(_peek(path)) is not None
    return _PRIVATE.fullmatch(name) is not None


def _peek(path: str) -> bytes:
    try:
        handle = source.open_regular(path)
    except ReadError:
        return b""
    with open(handle, "rb") as file:
        try:
            return file.read(_PEEK)
        except OSError:
            return b""


# ------------------------------------------------------------------------------------- languages

_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_CPP = re.compile(
    rb"""^[ \t]*(?: class\s+\w[\w\s]*[:{;] | namespace\s+[\w:\s]*\{ | template\s*< | using\s+[\w:]+
                  | (?:public|private|protected)\s*: | virtual\s | \#\s*include\s*<\w+> )
        | \b\w+::~?\w""",
    re.MULTILINE | re.VERBOSE,
)


_TEXT = re.compile(_COMMENT.pattern + rb"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_QUALIFIED = re.compile(rb"\b[A-Za-z_]\w*::~?[A-Za-z_]")


def language_of(path: str, data: bytes) -> str:
    """``c``, ``cpp`` or ``python`` for a file that :func:`takes` accepts."""
    if is_python(path):
        return "python"
    suffix = _suffix(path[path.rfind("/") + 1 :])
    if suffix.lower() in C_SUFFIXES and suffix not in UNSURE_SUFFIXES:
        # Some projects call all their sources .c, and tell their compiler that they are C++.
        qualified = b"::" in data and _QUALIFIED.search(_TEXT.sub(b" ", data))
        return "cpp" if qualified else "c"
    if suffix.lower() in CPP_SUFFIXES:
        return "cpp"
    return "cpp" if _CPP.search(_COMMENT.sub(b" ", data)) else "c"


def is_python(path: str) -> bool:
    """Whether a file's name says that it is Python; ``.py`` alone is the name of a hidden file."""
    return path[-4:].lower().endswith(_PYTHON_ENDS) and os.path.basename(path).lower() not in _PYTHON_ENDS


class Kind(Enum):
    """What a file can be, as its name says."""

    SOURCE = "C, C++ or Python"
    BUILD_FILE = "a build or configuration file"
    DOCUMENT = "JSON that libwebsockets reads, or not"


def kind_of(path: str) -> Kind | None:
    """What the name of a file says that it may be; None for what is of no interest.

    Conan's recipes are Python that describes a package, and build files.
    """
    name = path[path.rfind(os.sep) + 1 :]
    if _suffix(name).lower() in _SUFFIXES and name.lower() != "conanfile.py":
        return Kind.SOURCE
    if format_of(slashes(path)) is not None:
        return Kind.BUILD_FILE
    return Kind.DOCUMENT if _may_be_json(name, path) else None


def takes(path: str) -> bool:
    """Whether a file's name says that it is C, C++ or Python."""
    return kind_of(path) is Kind.SOURCE


def _suffix(name: str) -> str:
    """As os.path.splitext, which takes several times as long for any name."""
    dot = name.rfind(".")
    return name[dot:] if dot > 0 and name[dot - 1] != "." else os.path.splitext(name)[1]


def _may_be_json(name: str, path: str) -> bool:
    """Whether a file can be JSON that libwebsockets reads: lwsws reads every file in a folder ``conf.d``,
    whatever it is called (README.lwsws.md), and most have no suffix elsewhere."""
    return (
        "." not in name
        or name.lower().endswith(_DOCUMENT_SUFFIXES)
        or "lwsws" in name
        or path.endswith(f"{os.sep}conf.d{os.sep}{name}")
    )


_SUFFIXES = C_SUFFIXES | CPP_SUFFIXES | PYTHON_SUFFIXES | {".h"}
_PYTHON_ENDS = tuple(sorted(PYTHON_SUFFIXES))


# ------------------------------------------------------------------------------------- walking


class _Walk:
    """One discovery: collects files, reasons and problems.  Folders wait on a list, not the stack."""

    def __init__(
        self, name: _Names, exclude: Sequence[Exclusion], found: Callable[[Found], None] | None
    ) -> None:
        self._name = name
        self._exclude = exclude
        self._found = found
        self._witness = witness.current()
        self._sources: dict[Identity, Found] = {}
        self._build_files: dict[Identity, Found] = {}
        self._documents: dict[Identity, Found] = {}
        self._copies: list[str] = []
        self._skipped: dict[str, Skipped] = {}
        self._problems: dict[str, Problem] = {}
        self._folders: set[Identity] = set()
        self._links: list[tuple[str, str]] = []
        self._other = 0

    def start(self, path: str, given: str) -> None:
        """Take a path from the command line: symbolic links in it are the user's own choice."""
        try:
            status = os.stat(path if given else given)  # an empty path is a mistake, not the folder
        except (OSError, ValueError) as error:
            self._problem(path, _unreadable(error))
            return
        if stat.S_ISDIR(status.st_mode):
            self._folder(
                path,
                root=path,
                ignores=ignore_files_above(path),
                own=path if is_libwebsockets_tree(path) else None,
            )
            self._build_folders(path)
        elif stat.S_ISREG(status.st_mode):
            self._take(path, status, _kind_of_named(path), explicit=True)
        else:
            self._problem(path, SPECIAL)

    def _versions_of_copies(self) -> Iterator[Found]:
        """The files that say which release the copies of libwebsockets are."""
        for folder in self._copies:
            path = os.path.join(folder, "CMakeLists.txt")
            try:
                status = os.lstat(path)
            except OSError:
                continue
            witness.look(path)
            if stat.S_ISREG(status.st_mode):
                yield Found(self._name(path), path, source.identity(status), stamp=witness.stamp(status))

    def _build_folders(self, top: str) -> None:
        """What a build of the tree has left of its choices, in the usual folders that git ignores."""
        try:
            with os.scandir(top) as entries:
                folders = [e for e in entries if _BUILD_FOLDER.fullmatch(e.name)]
                names = sorted(e.name for e in folders if e.is_dir(follow_symlinks=False))
        except OSError:
            return
        for folder in names[:_MAX_BUILD_FOLDERS]:
            for name in ("compile_commands.json", "CMakeCache.txt"):
                path = os.path.join(top, folder, name)
                if witness.exists(path):
                    self._file(path, os.lstat(path), Kind.BUILD_FILE)

    def follow_links(self) -> None:
        """Links come last, so that a file is known by its own name where it has one."""
        while self._links:
            waiting, self._links = sorted(self._links), []
            for path, root in waiting:
                self._follow(path, root)

    def result(self) -> Discovery:
        by_path = attrgetter("path")
        return Discovery(
            files=tuple(sorted(self._sources.values(), key=by_path)),
            skipped=tuple(sorted(self._skipped.values(), key=by_path)),
            problems=tuple(sorted(self._problems.values(), key=by_path)),
            other=self._other,
            build_files=tuple(sorted(self._build_files.values(), key=by_path)),
            copies=tuple(sorted(self._versions_of_copies(), key=by_path)),
            documents=tuple(sorted(self._documents.values(), key=by_path)),
        )

    def _follow(self, path: str, root: str) -> None:
        try:
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)
        except (OSError, ValueError):  # also a loop of links
            self._seen_link(path, "")
            self._skip(path, DANGLING)
            return
        self._seen_link(path, real)
        self._seen(real, status)
        folder = stat.S_ISDIR(status.st_mode)
        top = os.path.realpath(root)
        self._seen_link(root, top)
        if not below(real, top):
            if folder or takes(path):
                self._skip(path, OUTSIDE, folder=folder)
        elif folder:
            self._folder(path, root=root, ignores=ignore_files_above(path), own=None)
        elif (kind := kind_of(path)) is not None:
            self._file(path, status, kind)

    def _folder(self, top: str, *, root: str, ignores: Ignores, own: str | None) -> None:
        """Walk down from ``top``.  ``own`` is ``top`` when that is libwebsockets itself: whoever
        lints the library gets its examples, test programs and plugins."""
        waiting = [(top, ignores)]
        while waiting:
            folder, rules = waiting.pop()
            entries = self._entries(folder)
            if entries is None:
                continue
            names = [entry.name for entry in entries]
            if folder != top and self._is_copy(folder, names, own):
                self._skip(folder, LIBWEBSOCKETS, folder=True)
                self._copies += [folder] if "CMakeLists.txt" in names else []
                continue
            rules += ignore_files_of(folder) if {".git", ".gitignore"} & set(names) else ()
            below = [path for entry in entries if (path := self._entry(entry, root, rules))]
            waiting += [(path, rules) for path in reversed(below)]

    def _entry(self, entry: os.DirEntry[str], root: str, rules: Ignores) -> str | None:
        """Deal with one entry; a folder to enter is returned."""
        path = entry.path
        try:
            link = entry.is_symlink()
            folder = entry.is_dir(follow_symlinks=False)
            kind = None if folder or link else kind_of(path)
            if kind is None and not folder and not link:
                self._other += 1
            elif reason := self._left_out(entry.name, path, folder, rules):
                self._skip(path, reason, folder=folder)
            elif link:
                self._links.append((path, root))
            elif folder:
                return path
            elif kind is not None:
                self._file(path, entry.stat(follow_symlinks=False), kind)
        except OSError as error:
            self._problem(path, _unreadable(error))
        return None

    def _left_out(self, name: str, path: str, folder: bool, rules: Ignores) -> str | None:
        if folder and name in VERSION_CONTROL:
            return "version control folder"
        for excluded in self._exclude:
            if excluded(path, folder=folder):
                return EXCLUDED
        return IGNORED if ignored(rules, path, folder=folder) else None

    def _is_copy(self, folder: str, names: Sequence[str], own: str | None) -> bool:
        if own is not None and os.path.dirname(folder) == own:
            return os.path.basename(folder) in ("lib", "include")
        if is_libwebsockets_library(folder, names):
            return True
        # All that tells a tree lies in its lib/; most folders have none, and need no look at the disk.
        return "lib" in map(str.lower, names) and is_libwebsockets_tree(folder)

    def _entries(self, folder: str) -> list[os.DirEntry[str]] | None:
        """The folder's entries by name; None when it cannot be listed or was entered before."""
        try:
            status = os.stat(folder)
            seen = source.identity(status)
            young = self._seen(folder, status)
            if seen in self._folders:
                return None
            self._folders.add(seen)
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=attrgetter("name"))
            if young and self._witness is not None:
                self._witness.saw_inside(folder, witness.listing(entries))
            return entries
        except OSError as error:
            self._problem(folder, _unreadable(error))
            return None

    def _seen(self, path: str, status: os.stat_result) -> bool:
        return self._witness is not None and self._witness.saw(path, status)

    def _seen_link(self, path: str, real: str) -> None:
        if self._witness is not None:
            self._witness.followed(path, real)

    def _file(self, path: str, status: os.stat_result, kind: Kind) -> None:
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, SPECIAL)
        elif is_libwebsockets_header(path):
            self._skip(path, LIBWEBSOCKETS)
        else:
            self._take(path, status, kind)

    def _take(self, path: str, status: os.stat_result, kind: Kind, *, explicit: bool = False) -> None:
        if kind is Kind.SOURCE:
            taken = self._sources
        else:
            taken = self._build_files if kind is Kind.BUILD_FILE else self._documents
        identity = source.identity(status)
        known = taken.get(identity)
        if known is None or (explicit and not known.explicit and known.real == path):
            self._seen(path, status)
            found = Found(self._name(path), path, identity, explicit, witness.stamp(status))
            taken[identity] = found
            self._skipped.pop(found.path, None)
            if self._found is not None and kind is Kind.SOURCE:
                self._found(found)
        elif known.real != path:
            self._skip(path, TWICE)

    def _skip(self, path: str, reason: str, *, folder: bool = False) -> None:
        name = self._name(path) + ("/" if folder else "")
        self._skipped.setdefault(name, Skipped(name, reason))

    def _problem(self, path: str, message: str) -> None:
        self._problems.setdefault(path, Problem(self._name(path), message))


def _kind_of_named(path: str) -> Kind:
    """What a file is that the user named: without a suffix C, unless it begins like JSON."""
    kind = kind_of(path)
    if kind is None or (kind is Kind.DOCUMENT and not begins_like_json(_peek(path))):
        return Kind.SOURCE
    return kind


def _unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    text = error.strerror if isinstance(error, OSError) else str(error)
    return f"cannot be read: {(text or type(error).__name__).lower()}"


def count(skipped: Iterable[Skipped]) -> dict[str, int]:
    """How many were left out for each reason, most first."""
    counts: dict[str, int] = {}
    for item in skipped:
        counts[item.reason] = counts.get(item.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
