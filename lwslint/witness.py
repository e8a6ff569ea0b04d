"""What a run has seen of the file system, so that a later one can tell whether it would see the same.

The few places that look at the file system tell the witness of the run, if it has one.  What it
remembers is small: a file or folder is known by its stamp, of a folder's entries nothing else is kept.
Imports next to nothing, since an unchanged tree is told from a changed one before anything else is done.
"""

from __future__ import annotations

import os
import stat
import sys
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Stamp(NamedTuple):
    """By what a file or folder is known not to have changed: times are in nanoseconds, ``changed`` is that
    of the inode, which nobody can set back (on Windows: when the file was made)."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


_SLACK = 2_000_000_000  # ns: the coarsest clock of a file system (FAT), and some skew of a server's
_NONE = Stamp(0, 0, 0, 0, 0)
_MASK = (1 << 64) - 1
# The latter for what is looked for below a file: `.git/info/exclude` in a submodule.
_ABSENT = (FileNotFoundError, NotADirectoryError)


def stamp(status: os.stat_result) -> Stamp:
    """The stamp of what has this status."""
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def settled(found: Stamp, began: int) -> bool:
    """Whether a file that had this stamp in a run that ``began`` (ns since 1970) will have another one
    after any later change.

    A change within the same tick of the clock as the last one before the run would leave no trace.
    """
    last = found.modified if sys.platform == "win32" else found.changed
    return last < began - _SLACK


class Witness:
    """Stamps by absolute path (:data:`_NONE` for what was not there) and where links lead ("" for
    nowhere).  ``fresh`` holds, for what is not :func:`settled`, the digest of what was seen in it.

    ``complete`` turns false when something was seen that cannot be told again.
    """

    def __init__(self, began: int) -> None:
        self.began = began
        self.stamps: dict[str, Stamp] = {}
        self.links: dict[str, str] = {}
        self.fresh: dict[str, str] = {}
        self.complete = True

    def saw(self, path: str, status: os.stat_result) -> bool:
        """A file or folder.  True when its stamp is too young to tell, and what was seen in it counts."""
        found = self.stamps.setdefault(path, stamp(status))
        if settled(found, self.began):
            return False
        self.fresh.setdefault(path, "")
        return True

    def saw_inside(self, path: str, digest: str) -> None:
        """What was in a file or folder whose stamp is too young."""
        if self.fresh.setdefault(path, digest) in ("", digest):
            self.fresh[path] = digest
        else:
            self.complete = False  # it changed during the run

    def missed(self, path: str) -> None:
        """Nothing was there."""
        self.stamps.setdefault(path, _NONE)

    def followed(self, link: str, real: str) -> None:
        self.links.setdefault(link, real)

    def is_complete(self) -> bool:
        """Whether all that was seen can be told again."""
        return self.complete and all(self.fresh.values())


_witness: Witness | None = None


def current() -> Witness | None:
    return _witness


@contextmanager
def testifying(witness: Witness | None) -> Iterator[None]:
    """Within this block, ``witness`` is told what is seen."""
    global _witness
    before, _witness = _witness, witness
    try:
        yield
    finally:
        _witness = before


# ------------------------------------------------------------------------------------- looking


def exists(path: str) -> bool:
    """``os.path.lexists``, and the witness knows."""
    try:
        os.lstat(path)
    except (OSError, ValueError):
        if _witness is not None:
            _witness.missed(path)
        return False
    if _witness is not None:
        look(path)
    return True


def look(path: str) -> None:
    """Tell the witness of a file, a folder and what is in it, or that there is neither."""
    if _witness is None:
        return
    try:
        status = os.stat(path)
        if _witness.saw(path, status) and stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                _witness.saw_inside(path, listing(entries))
    except _ABSENT:
        _witness.missed(path)
    except (OSError, ValueError):
        doubt()


def leads(link: str, real: str) -> None:
    """Tell the witness where a path leads."""
    if _witness is not None:
        _witness.followed(link, real)
        look(real)


def doubt() -> None:
    """Tell the witness that something was seen that cannot be told again."""
    if _witness is not None:
        _witness.complete = False


def read(path: str | os.PathLike[str], data: bytes) -> None:
    """Tell the witness of the bytes of a file that was opened before."""
    if _witness is not None and (name := os.path.abspath(path)) in _witness.fresh:
        _witness.saw_inside(name, content(data))


def needs_digest(path: str) -> bool:
    """Whether the witness wants to know the bytes of a file that it has seen, as its stamp is too young."""
    return _witness is not None and path in _witness.fresh


def listing(entries: Iterable[os.DirEntry[str]]) -> str:
    """The digest of a folder's entries: names and kinds."""
    import hashlib

    rows = sorted(f"{e.name}\0{e.is_symlink()}{e.is_dir(follow_symlinks=False)}" for e in entries)
    return hashlib.sha256("\0\0".join(rows).encode("utf-8", "surrogateescape")).hexdigest()


def content(data: bytes) -> str:
    """The digest of a file's bytes."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------------------------- telling again


class Testimony(NamedTuple):
    """What a witness saw, as it is kept: ``paths`` with their ``stamps`` in a row, and as with the
    witness ``links`` and ``fresh``."""

    paths: list[str]
    stamps: array[int]
    links: dict[str, str]
    fresh: dict[str, str]


def testimony(witness: Witness) -> Testimony:
    row = array("Q")
    for found in witness.stamps.values():
        row.extend(number & _MASK for number in found)
    return Testimony(list(witness.stamps), row, witness.links, witness.fresh)


def holds(told: Testimony) -> bool:
    """Whether everything looks as it did."""
    numbers = iter(told.stamps)
    for path, *expected in zip(told.paths, numbers, numbers, numbers, numbers, numbers, strict=True):
        try:
            status = os.stat(path)
        except _ABSENT:
            if any(expected) or os.path.lexists(path):
                return False
        except (OSError, ValueError):
            return False
        else:
            if not _same(status, expected):
                return False
    return all(map(_leads, told.links.items())) and all(map(_same_inside, told.fresh.items()))


def _same(status: os.stat_result, expected: list[int]) -> bool:
    device, inode, size, modified, changed = expected
    return (
        status.st_ino == inode
        and status.st_mtime_ns & _MASK == modified
        and status.st_ctime_ns & _MASK == changed
        and status.st_size == size
        and status.st_dev & _MASK == device
    )


def are_settled(told: Testimony, began: int) -> bool:
    """Whether the stamps of all that was too young will do from now on."""
    young = [index for index, path in enumerate(told.paths) if path in told.fresh]
    return all(settled(Stamp(*told.stamps[5 * index : 5 * index + 5]), began) for index in young)


def _leads(link: tuple[str, str]) -> bool:
    path, real = link
    try:
        return os.path.realpath(path, strict=True) == real
    except (OSError, ValueError):
        return real == ""


def _same_inside(seen: tuple[str, str]) -> bool:
    path, digest = seen
    try:
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                return listing(entries) == digest
        with open(path, "rb") as file:
            return content(file.read()) == digest
    except (OSError, ValueError):
        return False
