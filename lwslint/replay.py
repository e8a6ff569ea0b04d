"""A run on a tree in which nothing has changed says again what the last one said.

The whole of a run is kept in the :mod:`~lwslint.cache` under all that it depends on beside files: the
command line, the current folder, the terminal, the Python.  With it goes what the run has seen of the
file system (:mod:`~lwslint.witness`), its own code among it.  When all of that still looks the same, the
run would say the same, and there is no need to load anything for it.
"""

from __future__ import annotations

import os
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from lwslint import cache, streams, witness
from lwslint.cache import Cache
from lwslint.streams import OutputError, Tape
from lwslint.witness import Testimony, Witness

_FORMAT = "run 1"
# What the reports, and the search for ruff, look at.
_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "PATH", "HOME")
_ROW = 5 * 8  # bytes of a stamp


class Record(NamedTuple):
    """A run as it is kept: its exit code, what it said, and what it saw."""

    code: int
    utf8: bool
    pieces: list[tuple[bool, str]]
    seen: Testimony


# ------------------------------------------------------------------------------------- saying it again


def again(argv: Sequence[str]) -> int | None:
    """Say what the last equal run said and return its exit code; None when a run is needed."""
    if "--no-cache" in argv:
        return None
    store = cache.find(_named(argv))
    if store is None:
        return None
    began = time.time_ns()
    key = _key(argv)
    record = _decoded(store.get(key))
    if record is None or not witness.holds(record.seen):
        return None
    if record.seen.fresh and witness.are_settled(record.seen, began):
        # From now on stamps will do: what they stand for was just compared.
        store.put(key, _encoded(record._replace(seen=record.seen._replace(fresh={}))))
    return _say(record)


def _named(argv: Sequence[str]) -> str | None:
    """The value of ``--cache-dir``.  Should it stand where it means something else, nothing is found
    there."""
    found = None
    for word, following in zip(argv, [*argv[1:], None], strict=False):
        if word == "--cache-dir":
            found = following
        elif word.startswith("--cache-dir="):
            found = word.partition("=")[2]
    return found


def _say(record: Record) -> int:
    streams.make_printable()
    if record.utf8:
        streams.use_utf8()
    try:
        for is_error, text in record.pieces:
            if is_error:
                sys.stderr.write(text)
        streams.print_lines(text[:-1] for is_error, text in record.pieces if not is_error)
    except OutputError as error:
        streams.complain(str(error))
        return 2
    return record.code


# ------------------------------------------------------------------------------------- keeping it


class Recording:
    """A run that is being watched.  Without ``argv`` nothing is watched, nor kept."""

    def __init__(self, argv: Sequence[str] | None) -> None:
        self._argv = argv
        self.witness = Witness(time.time_ns()) if argv is not None else None
        self.tape = Tape() if argv is not None else None

    @contextmanager
    def running(self) -> Iterator[None]:
        with witness.testifying(self.witness), streams.taping(self.tape):
            yield

    def keep(self, store: Cache | None, code: int, packages: Iterable[str]) -> None:
        """Keep the run, when all it depended on is known.  ``packages`` are the folders of the code that
        ran."""
        if self._argv is None or self.witness is None or self.tape is None or store is None:
            return
        if not self.tape.complete:
            return
        with witness.testifying(self.witness):
            for folder in (*packages, *sys.path):
                witness.look(os.path.abspath(folder))
            for folder in packages:
                _look_inside(folder)
        if self.witness.is_complete():
            seen = witness.testimony(self.witness)
            record = Record(code, self.tape.utf8, self.tape.pieces, seen)
            store.put(_key(self._argv), _encoded(record))
            store.close()


def _look_inside(folder: str) -> None:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*folders, *names):
            witness.look(os.path.join(place, name))


def _key(argv: Sequence[str]) -> str:
    """All that a run depends on beside files."""
    out = sys.stdout
    terminal = out.isatty()
    try:
        width = str(os.get_terminal_size(out.fileno()).columns) if terminal else ""
    except (OSError, ValueError):
        width = ""
    return cache.digest(
        _FORMAT,
        os.getcwd(),
        sys.version,
        sys.byteorder,
        str(len(argv)),
        *argv,
        str(len(sys.path)),
        *sys.path,
        *(f"{name}={os.environ.get(name)!r}" for name in _VARIABLES),
        f"{terminal} {sys.stderr.isatty()} {width} {out.encoding} {sys.stderr.encoding}",
    )


# ------------------------------------------------------------------------------------- on disk


def _encoded(record: Record) -> bytes:
    import json

    head = [record.code, record.utf8, record.pieces, record.seen.links, record.seen.fresh]
    text = json.dumps(head).encode()
    paths = "\0".join(record.seen.paths).encode("utf-8", "surrogateescape")
    numbers = record.seen.stamps.tobytes()
    lengths = array("Q", [len(text), len(record.seen.paths)]).tobytes()
    return b"".join((lengths, text, numbers, paths))


def _decoded(data: bytes | None) -> Record | None:
    if data is None:
        return None
    import json

    try:
        length, count = array("Q", data[:16])
        start = 16 + length
        stamps = array("Q")
        stamps.frombytes(data[start : start + count * _ROW])
        paths = data[start + count * _ROW :].decode("utf-8", "surrogateescape").split("\0")
        code, utf8, pieces, links, fresh = json.loads(data[16:start])
        if len(paths) != count or len(stamps) != 5 * count or not isinstance(code, int):
            return None
        said = [(bool(is_error), str(text)) for is_error, text in pieces]
        return Record(code, bool(utf8), said, Testimony(paths, stamps, dict(links), dict(fresh)))
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError):
        return None
