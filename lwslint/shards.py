"""Facts and linking on different machines: ``lwslint facts`` writes shards, ``lwslint link`` reads them.

A shard is of some files of a tree.  It holds what discovery found, the facts of the files that use
libwebsockets, and the bytes of all, packed: linking looks for names in the other files too, lowers the few
that have them, and reports show lines of code.  Shards hold no time and no place, so that the same files give
the same bytes.

Linking is a run like any other, on what the shards hold in place of the disk: it says what one run on
all the files would say.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from lwslint import memory, source
from lwslint.cache import Cache
from lwslint.discovery import Discovery, Found, Skipped, discover, named_file
from lwslint.ignores import Exclusion
from lwslint.problem import Problem
from lwslint.settings import Settings
from lwslint.source import ReadError
from lwslint.workers import Pool

_MAGIC = b"lwslint shard 1\n"
_SHARD_LIMIT = 4_000_000_000  # bytes of a shard on disk
_FACTS_LIMIT = 512_000_000  # bytes of what one file says
_FILE_LIMIT = 64_000_000  # bytes of a file that count: no more of one is looked at for a mention either


class Part(NamedTuple):
    """One of ``total`` parts of the same paths; ``number`` counts from 1."""

    number: int
    total: int

    def holds(self, path: str) -> bool:
        """Whether a file is in this part: each is in exactly one."""
        return zlib.crc32(os.fsencode(path)) % self.total == self.number - 1


WHOLE = Part(1, 1)


class ShardError(Exception):
    """A shard that cannot be made or used; the text says why."""


class File(msgspec.Struct, frozen=True, array_like=True):
    """One file.  ``path`` and, where the file could not be read, ``problem`` are in the file system's own
    bytes; ``data`` is packed.  ``kind`` is the name of the field of :class:`Discovery` that it is in."""

    path: bytes
    kind: str
    explicit: bool
    data: bytes
    problem: bytes = b""


class Extracted(msgspec.Struct, frozen=True):
    """A shard as it is written, the number of files in it, and what discovery could not look at."""

    data: bytes
    files: int
    problems: tuple[Problem, ...]


class Shard(msgspec.Struct, frozen=True, array_like=True):
    """``roots`` are the paths that were named, of which the shard holds a ``part``.  ``facts`` are entries as
    in the cache, by their keys, and ``code`` tells the lwslint that made them."""

    code: str
    roots: tuple[bytes, ...]
    part: Part
    files: tuple[File, ...]
    skipped: tuple[tuple[bytes, str], ...]
    problems: tuple[tuple[bytes, bytes], ...]
    other: int
    facts: dict[str, bytes]


_KINDS = ("files", "build_files", "documents", "copies")


# ------------------------------------------------------------------------------------- making one


def extract(
    paths: Sequence[str],
    settings: Settings,
    *,
    cwd: str,
    exclude: Sequence[Exclusion] = (),
    jobs: int | None = None,
    everything: bool = False,
    part: Part = WHOLE,
    database: str = "",
) -> Extracted:
    """The shard of a ``part`` of ``paths``, which lie below ``cwd``.

    ``database`` is the compilation database to use, which linking needs too.  With ``everything``, files
    without libwebsockets are lowered too, so that linking need not.  Depends on nothing but the files and
    the arguments.  Raises :class:`ShardError`.
    """
    from lwslint.build.builder import Builder
    from lwslint.gather import gather

    top = os.path.join(cwd, "")
    for path in paths:
        if not os.path.join(os.path.normpath(os.path.join(cwd, path)), "").startswith(top):
            raise ShardError(f"{path}: lies outside of the current folder, which paths are relative to")
    found = discover(paths, cwd=cwd, exclude=exclude)
    shelf = Shelf({})
    remembered = memory.Memory(shelf, settings)
    named = named_file(database, cwd) if database else None
    files = [file for file in found.files if part.holds(file.path)]
    with Pool(jobs) as pool:
        reader = partial(remembered.build_files, pool=pool)
        builder = Builder(found.build_files, found.files, settings, named, reader, found.copies)
        gather(files, settings, None, builder, remembered, pool, everything=everything)
    first = part.number == 1  # what is known of the paths as a whole is told once
    shard = Shard(
        code=memory.code(),
        roots=tuple(os.fsencode(os.path.relpath(os.path.join(cwd, path), cwd)) for path in paths),
        part=part,
        files=tuple(
            _file(file, kind) for kind in _KINDS for file in getattr(found, kind) if part.holds(file.path)
        ),
        skipped=tuple((os.fsencode(item.path), item.reason) for item in found.skipped if first),
        problems=tuple((os.fsencode(p.path), os.fsencode(p.message)) for p in found.problems if first),
        other=found.other if first else 0,
        facts=dict(sorted(shelf.entries.items())),
    )
    return Extracted(_MAGIC + msgspec.msgpack.encode(shard), len(shard.files), found.problems)


def _file(file: Found, kind: str) -> File:
    path = os.fsencode(file.path)
    try:
        handle = source.open_regular(file.real, expected=file.identity)
        with open(handle, "rb", buffering=0) as opened:
            data = _read(opened.fileno())
    except ReadError as error:
        return File(path, kind, file.explicit, b"", os.fsencode(str(error)))
    except OSError as error:
        return File(path, kind, file.explicit, b"", os.fsencode((error.strerror or str(error)).lower()))
    return File(path, kind, file.explicit, zlib.compress(data, 6))


def _read(handle: int) -> bytes:
    pieces: list[bytes] = []
    room = _FILE_LIMIT
    while room > 0 and (piece := os.read(handle, min(room, 1 << 20))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


# ------------------------------------------------------------------------------------- putting them together


class Shelf(Cache):
    """A cache in memory; its ``entries`` are packed."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        super().__init__("")
        self.entries = entries

    def get(self, key: str) -> bytes | None:
        try:
            return _unpacked(self.entries[key], _FACTS_LIMIT)
        except (KeyError, zlib.error):
            return None

    def put(self, key: str, content: bytes) -> None:
        self.entries[key] = zlib.compress(content, 1)


class Files:
    """The files of shards, as if they lay on the disk."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self._files = files

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def __getitem__(self, path: str) -> bytes:
        file = self._files[path]
        if file.problem:
            raise ReadError(os.fsdecode(file.problem))
        try:
            return _unpacked(file.data, _FILE_LIMIT)
        except zlib.error as error:
            raise ReadError("is damaged in its shard") from error


def _unpacked(data: bytes, limit: int) -> bytes:
    return zlib.decompressobj().decompress(data, limit)


class Union(msgspec.Struct, frozen=True):
    """What several shards hold together, at the folder where linking runs."""

    roots: tuple[str, ...]
    discovery: Discovery
    files: Files
    facts: Shelf


def read(path: str) -> Shard:
    """The shard at ``path``; raises :class:`ShardError`."""
    try:
        data = source.read(path, _SHARD_LIMIT)
        if not data.startswith(_MAGIC):
            raise ShardError(f"{path}: is no shard of lwslint")
        shard = msgspec.msgpack.decode(memoryview(data)[len(_MAGIC) :], type=Shard)
    except ReadError as error:
        raise ShardError(f"{path}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError) as error:
        raise ShardError(f"{path}: is damaged: {error}") from error
    if shard.code != memory.code():
        raise ShardError(f"{path}: was made by another version of lwslint, or with other parsers")
    return shard


def unite(shards: Iterable[tuple[str, Shard]], cwd: str) -> Union:
    """All shards (each with its name, for complaints) as one tree below ``cwd``.

    A file may be in several.  Raises :class:`ShardError` when they do not agree on what is in it.
    """
    files: dict[tuple[str, str], File] = {}  # by kind and path
    skipped: dict[str, Skipped] = {}
    problems: dict[str, Problem] = {}
    facts: dict[str, bytes] = {}
    roots: dict[str, None] = {}
    parts: dict[tuple[bytes, ...], set[Part]] = {}
    other = 0
    for name, shard in shards:
        parts.setdefault(shard.roots, set()).add(shard.part)
        for file in shard.files:
            if file.kind not in _KINDS:
                raise ShardError(f"{name}: is damaged")
            path = os.fsdecode(file.path)
            known = files.setdefault((file.kind, path), file)
            if (known.data, known.problem) != (file.data, file.problem):
                raise ShardError(f"{name}: {path} is not what it is in another shard")
            if file.explicit:
                files[file.kind, path] = file
        skipped.update((os.fsdecode(path), Skipped(os.fsdecode(path), why)) for path, why in shard.skipped)
        problems.update(
            (os.fsdecode(path), Problem(os.fsdecode(path), os.fsdecode(text)))
            for path, text in shard.problems
        )
        facts.update(shard.facts)
        roots.update((os.fsdecode(root), None) for root in shard.roots)
        other += shard.other
    for named, held in parts.items():
        _check_parts(" ".join(map(os.fsdecode, named)), held)
    found: dict[str, list[Found]] = {kind: [] for kind in _KINDS}
    for number, (kind, path) in enumerate(sorted(files)):
        explicit = files[kind, path].explicit
        found[kind].append(Found(path, os.path.join(cwd, path), (0, number), explicit))
    paths = {path for _, path in files}
    discovery = Discovery(
        **{kind: tuple(of_kind) for kind, of_kind in found.items()},
        skipped=tuple(skipped[path] for path in sorted(skipped) if path not in paths),
        problems=tuple(problems[path] for path in sorted(problems)),
        other=other,
    )
    at_real = Files({os.path.join(cwd, path): file for (_, path), file in files.items()})
    return Union(tuple(roots), discovery, at_real, Shelf(facts))


def _check_parts(roots: str, held: Collection[Part]) -> None:
    """Raises :class:`ShardError` unless ``held`` are all parts of ``roots``."""
    totals = {part.total for part in held}
    if len(totals) > 1:
        raise ShardError(f"{roots}: was divided in {' and in '.join(map(str, sorted(totals)))} parts")
    (total,) = totals
    numbers = {part.number for part in held}
    missing = next((number for number in range(1, total + 1) if number not in numbers), None)
    if missing is not None:
        raise ShardError(f"{roots}: the shard of part {missing}/{total} is missing")
