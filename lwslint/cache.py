"""What one run leaves on disk for the next: a folder of entries, each under the digest of all it depends on.

An entry is never changed: another input is another key.  So runs need no lock.  A writer puts a file of
its own in place in one step; a reader finds a whole entry or none.  An entry that is damaged, cut off or
moved to another name is no entry.  What goes wrong here never ends a run: it goes on without its past.

Entries hold plain data that is checked again when it is decoded; nothing in them is ever run.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from typing import NamedTuple

VARIABLE = "LWSLINT_CACHE_DIR"
"""The environment variable that names the folder; set but empty, it turns the cache off."""

STARTED = time.time_ns()
"""When this process began, near enough: this module is among the first that are imported."""

SIZE_LIMIT = 256_000_000  # bytes of all entries
AGE_LIMIT = 30 * 86_400  # seconds since an entry was of use
_ENTRY_LIMIT = 64_000_000  # bytes of one entry on disk
_RAW_LIMIT = 512_000_000  # and of its content
_STALE = 3_600  # seconds after which an unfinished file has no writer any more
_USED = 86_400  # seconds between two marks of use
_SWEEP_AFTER = 4_000_000  # bytes that a run writes before it looks at the size of the whole

_MAGIC = b"lwslint cache 1\n"
_DIGEST = 32
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache of lwslint; `lwslint clean` removes it.  See https://bford.info/cachedir/\n"
)
_MARKS = {"CACHEDIR.TAG": _TAG, ".gitignore": "*\n"}


def digest(*parts: bytes | str) -> str:
    """A key: the digest, in hexadecimal, of ``parts`` and of where each of them ends."""
    import hashlib

    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(8, "little"))
        hashed.update(data)
    return hashed.hexdigest()


# ------------------------------------------------------------------------------------- the place


def default_folder() -> str | None:
    """Where the platform keeps caches; None when that cannot be told, or the variable turns it off."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return os.path.abspath(chosen) if chosen else None
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return os.path.join(local, "lwslint", "Cache") if os.path.isabs(local) else None
    if sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        # A relative path is to be ignored (XDG Base Directory Specification).
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return os.path.join(base, "lwslint") if os.path.isabs(base) else None


def find(named: str | None) -> Cache | None:
    """The cache in the folder that the user ``named`` ("": none), else in the default one; None for no
    cache.

    A default folder that belongs to somebody else, or that others may write to, is not used: what it
    holds would be believed.  Nor is one in a home that does not exist.  A folder that was named is the
    user's own choice.
    """
    if named is not None:
        return Cache(os.path.abspath(named)) if named else None
    folder = default_folder()
    if folder is None:
        return None
    chosen = os.environ.get(VARIABLE) is not None
    at_home = os.path.isdir(os.path.dirname(os.path.dirname(folder)))
    return Cache(folder) if chosen or (at_home and _is_own(folder)) else None


def _is_own(folder: str) -> bool:
    try:
        status = os.lstat(folder)
    except FileNotFoundError:
        return True  # it will be made with rights for its owner alone
    except (OSError, ValueError):
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    return sys.platform == "win32" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


# ------------------------------------------------------------------------------------- entries


class Cache:
    """The entries in one folder, which is made when the first of them is kept."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._written = 0
        self._due = False
        self._refused = False

    def get(self, key: str) -> bytes | None:
        """What was kept under ``key``, unharmed."""
        path = self._path(key)
        try:
            raw = _read(path)
        except OSError:
            return None
        content = _unpacked(key, raw)
        if content is None:
            with contextlib.suppress(OSError):
                os.unlink(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content``, if that is possible.  After one failure (no space, no right) no other try
        is made."""
        if self._refused or len(content) > _RAW_LIMIT:
            return
        packed = _packed(key, content)
        if len(packed) > _ENTRY_LIMIT:
            return
        try:
            self._prepare()
            _write(self._path(key), packed)
        except OSError:
            self._refused = True
            return
        self._written += len(packed)
        # One entry in sixteen: runs that write little look at the whole now and then, too.
        self._due = self._due or key.startswith("0")

    def close(self) -> None:
        """Take out what is old or too much, when it is time to look."""
        if self._written > _SWEEP_AFTER or (self._written and self._due):
            sweep(self.folder)
        self._written, self._due = 0, False

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, key[:2], key[2:])

    def _prepare(self) -> None:
        if self._written:
            return
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        for name, text in _MARKS.items():
            path = os.path.join(self.folder, name)
            with contextlib.suppress(FileExistsError), open(path, "x", encoding="ascii") as file:
                file.write(text)


def _read(path: str) -> bytes:
    """The bytes of a regular file; raises OSError for anything else."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # not every system has all
        flags |= getattr(os, name, 0)
    handle = os.open(path, flags)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        with open(handle, "rb", buffering=0, closefd=False) as file:
            raw = file.read(_ENTRY_LIMIT + 1)
        if time.time() - status.st_mtime > _USED:
            with contextlib.suppress(OSError):
                os.utime(path)
    finally:
        os.close(handle)
    return raw


def _write(path: str, raw: bytes) -> None:
    """Put a file in place in one step; raises OSError and then leaves nothing behind."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    new = f"{path}.{os.getpid()}-{time.monotonic_ns()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(new, flags, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(raw)
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def _packed(key: str, content: bytes) -> bytes:
    packed = zlib.compress(content, 1)
    return b"".join((_MAGIC, bytes.fromhex(digest(key, packed)), packed))


def _unpacked(key: str, raw: bytes) -> bytes | None:
    head, packed = raw[: len(_MAGIC) + _DIGEST], raw[len(_MAGIC) + _DIGEST :]
    if head != _MAGIC + bytes.fromhex(digest(key, packed)):
        return None
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _RAW_LIMIT)
    except (zlib.error, MemoryError):
        return None
    return content if unpacker.eof else None


# ------------------------------------------------------------------------------------- room


class Removed(NamedTuple):
    """How many entries were removed, and their bytes on disk."""

    entries: int
    size: int


def sweep(folder: str, size_limit: int = SIZE_LIMIT, age_limit: float = AGE_LIMIT) -> Removed:
    """Remove entries that are of no use any more, and of the others the oldest until four fifths of
    ``size_limit`` (bytes) are left.  ``age_limit`` is in seconds."""
    now = time.time()
    kept: list[tuple[float, int, str]] = []
    removed = Removed(0, 0)
    for path, status in _files(folder):
        age = now - status.st_mtime
        if age > age_limit or (path.endswith(".tmp") and age > _STALE):
            removed = _remove(path, status.st_size, removed)
        else:
            kept.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in kept)
    if total > size_limit:
        for _, size, path in sorted(kept):
            if total <= size_limit * 4 // 5:
                break
            total -= size
            removed = _remove(path, size, removed)
    return removed


def clean(folder: str) -> Removed:
    """Remove all entries, and the folder when nothing else is in it.

    Nothing but entries is touched: the folder's name may have been mistyped.
    """
    removed = Removed(0, 0)
    shelves: set[str] = set()
    for path, status in list(_files(folder)):
        removed = _remove(path, status.st_size, removed)
        shelves.add(os.path.dirname(path))
    for shelf in sorted(shelves):
        with contextlib.suppress(OSError):
            os.rmdir(shelf)
    with contextlib.suppress(OSError):
        if set(os.listdir(folder)) == set(_MARKS):
            for name in _MARKS:
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    return removed


def _remove(path: str, size: int, removed: Removed) -> Removed:
    try:
        os.unlink(path)
    except OSError:
        return removed
    return Removed(removed.entries + 1, removed.size + size)


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """The entries, and what writers have left unfinished."""
    for shelf in _entries(folder):
        if not _is_shelf(shelf.name) or not shelf.is_dir(follow_symlinks=False):
            continue
        for entry in _entries(shelf.path):
            if _is_entry(entry.name):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield entry.path, status


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_shelf(name: str) -> bool:
    return len(name) == 2 and _is_hexadecimal(name)


def _is_entry(name: str) -> bool:
    head, dot, rest = name.partition(".")
    return len(head) == 62 and _is_hexadecimal(head) and (not dot or rest.endswith(".tmp"))


def _is_hexadecimal(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)
