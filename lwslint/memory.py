"""What a run need not find out again about files that have not changed.

Three things are kept.  For a tree: what its files' bytes say, each file known by its stamp, so that it need
not even be read.  For a file's content, wherever it lies: its facts.  For all facts together: what the
rules find in them.  They lie in the :mod:`~lwslint.cache` under keys that hold the code of lwslint, the
versions of the parsers and the settings that count; an entry is never out of date, only unused.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from lwslint import source, witness
from lwslint.build.facts import BuildFile
from lwslint.cache import STARTED, Cache, digest
from lwslint.diagnostics import Diagnostic
from lwslint.discovery import Found
from lwslint.facts import FileFacts
from lwslint.settings import Settings
from lwslint.source import ReadError
from lwslint.witness import Stamp
from lwslint.workers import Pool, Text, read_build_files

if TYPE_CHECKING:
    from lwslint.demand import Demand

_Answer = TypeVar("_Answer", bool, frozenset[str])
_Kept = TypeVar("_Kept")


class Known(msgspec.Struct, array_like=True):
    """What the bytes of one file say.

    ``reason``: why the file is not lowered for its own sake, empty when it is.  ``digest``: of its bytes; it
    and ``language`` are empty where nobody has asked.  ``hints``: answers to questions about the bytes, by
    the question's name.  ``rounds``: how many rounds of names (:class:`_Tree`) the file was searched for,
    and ``hits`` the numbers of the names that were found.
    """

    stamp: Stamp
    reason: str
    digest: str = ""
    language: str = ""
    hints: dict[str, bool | frozenset[str]] = {}
    rounds: int = 0
    hits: tuple[int, ...] = ()


class _Tree(msgspec.Struct, array_like=True):
    """What is kept of a tree: its files by their real paths, and the names that were asked for, round
    by round.  Names count through all rounds."""

    files: dict[str, Known]
    rounds: tuple[tuple[str, ...], ...] = ()


class Memory:
    """The memory of one run; without a cache it knows nothing and keeps nothing.

    ``tree`` names the tree (its roots, and the folder that paths are relative to); without it only facts
    are remembered.  Call :meth:`save` when the run is over.
    """

    def __init__(self, cache: Cache | None, settings: Settings, tree: Sequence[str] = ()) -> None:
        self._cache = cache
        self._began = time.time_ns()
        self.limit = settings.max_file_size
        self._key = digest("tree", code(), str(self.limit), *tree) if cache is not None and tree else ""
        self._before = self._load()
        self._now = _Tree({})
        self._asked: list[dict[str, int]] = []
        self._known_rounds: list[dict[str, int]] = _numbered(self._before.rounds)

    # ------------------------------------------------------------------ files

    def read(self, file: Found) -> bytes:
        """The bytes of a file; raises as :func:`lwslint.source.read` does."""
        return source.read(file.real, self.limit, expected=file.identity)

    def known(self, file: Found) -> Known | None:
        """What is known of a file that has not changed since."""
        found = self._now.files.get(file.real)
        if found is None and (found := self._before.files.get(file.real)) is not None:
            if found.stamp != file.stamp:
                return None
            found = msgspec.structs.replace(found, rounds=0, hits=())
            self._now.files[file.real] = found
        return found

    def learn(self, file: Found, reason: str) -> None:
        """Remember why a file is not lowered for its own sake ("" when it is)."""
        if self._key and file.stamp is not None:
            self._now.files[file.real] = Known(file.stamp, reason)

    def identify(self, file: Found, data: bytes, language: str) -> str:
        """Remember the language of a file; returns the digest of its bytes ("" without a cache)."""
        if self._cache is None:
            return ""
        found = hashlib.sha256(data).hexdigest()
        if (known := self._now.files.get(file.real)) is not None:
            known.digest, known.language = found, language
        return found

    def hints(self, file: Found) -> Hints:
        """Answers questions about the bytes of a file."""
        return Hints(self.known(file), partial(self._bytes, file))

    def _bytes(self, file: Found) -> bytes:
        try:
            return self.read(file)
        except (ReadError, MemoryError):
            self._now.files.pop(file.real, None)
            return b""

    # ------------------------------------------------------------------ names

    def ask(
        self,
        names: Collection[str],
        answer: Callable[[bytes], set[str]],
        answers: Mapping[str, set[str]] = {},
    ) -> Callable[[Found], set[str]]:
        """Begin a round of names; ``answer`` tells which of them hold for a file's bytes, ``answers`` what it
        has told of some files, by their real paths.  Returns what finds them for a file; one that was asked
        for all of the names before is not read again."""
        start = sum(map(len, self._asked))
        numbers = {name: start + index for index, name in enumerate(names)}
        self._asked.append(numbers)
        turn = len(self._asked)

        def find(file: Found) -> set[str]:
            found, unknown = self._recall(file, names)
            if unknown and file.real in answers:
                found = answers[file.real]
            elif unknown:
                try:
                    data = self.read(file)
                except (ReadError, MemoryError):
                    return set()
                found = answer(data)
            known = self._now.files.get(file.real)
            if known is not None and known.rounds == turn - 1:
                known.rounds = turn
                known.hits += tuple(sorted(numbers[name] for name in found))
            return found

        return find

    def recalls(self, file: Found, names: Collection[str]) -> bool:
        """Whether a file was asked for all of ``names`` before."""
        return not self._recall(file, names)[1]

    def _recall(self, file: Found, names: Collection[str]) -> tuple[set[str], Collection[str]]:
        """Which of ``names`` the file is known to pass, and which it was not tested for."""
        before = self._before.files.get(file.real)
        if before is None or before.stamp != file.stamp or not 0 < before.rounds <= len(self._known_rounds):
            return set(), names
        numbers, hits = self._known_rounds[before.rounds - 1], set(before.hits)
        found = {name for name in names if numbers.get(name) in hits}
        return found, [name for name in names if name not in numbers]

    # ------------------------------------------------------------------ facts

    def base(self, settings: Settings) -> str:
        """What the facts of all files depend on: a part of their keys."""
        return _base(settings) if self._cache is not None else ""

    def facts_key(self, base: str, path: str, language: str, data_digest: str) -> str:
        """Under what the facts of a file of that content are kept; empty without a cache."""
        return digest("facts", base, path, language, data_digest) if data_digest else ""

    def facts(self, key: str, path: str) -> FileFacts | None:
        """The facts of the file called ``path``, from an earlier run."""
        facts = self._get(key, _facts_decoder())
        return facts if facts is not None and facts.path == path else None

    def keep(self, key: str, facts: FileFacts) -> None:
        """Remember the facts of a file's content."""
        self._put(key, facts)

    def demand_key(self, keys: Sequence[str]) -> str:
        """Under what is kept what the facts of these keys leave open."""
        return digest("demand", code(), *keys) if self._cache is not None else ""

    def demand(self, key: str) -> Demand | None:
        from lwslint.demand import Demand

        found = self._get(key, _demand_decoder())
        return Demand(*found) if found is not None else None

    def keep_demand(self, key: str, found: Demand) -> None:
        """Remember what facts leave open."""
        self._put(key, (found.callers, found.definitions))

    # ------------------------------------------------------------------ build files

    def build_files(self, texts: Sequence[Text], pool: Pool) -> list[BuildFile]:
        """As :func:`lwslint.workers.read_build_files`."""
        keys = [self._build_file_key(text) for text in texts]
        found = [self._get(key, _build_file_decoder()) for key in keys]
        known = [file if file and file.path == t.path else None for file, t in zip(found, texts, strict=True)]
        missing = [number for number, file in enumerate(known) if file is None]
        read = read_build_files([texts[number] for number in missing], pool)
        for number, file in zip(missing, read, strict=True):
            known[number] = file
            self._put(keys[number], file)
        return [file for file in known if file is not None]

    def _build_file_key(self, text: Text) -> str:
        return digest("build file", code(), *text) if self._cache is not None else ""

    # ------------------------------------------------------------------ findings

    def findings_key(self, folders: Iterable[str], *parts: object) -> str:
        """Under what the findings are kept that the code in ``folders`` makes of ``parts``; empty when these
        cannot be written down, or there is no cache."""
        if self._cache is None:
            return ""
        here = os.path.dirname(os.path.abspath(__file__))
        packs = [folder for folder in folders if folder != here]
        try:
            encoded = [msgspec.msgpack.encode(part, order="deterministic") for part in parts]
        except (OverflowError, UnicodeEncodeError, RecursionError, MemoryError):
            return ""
        return digest("findings", code(*packs), *encoded)

    def findings(self, key: str) -> tuple[Diagnostic, ...] | None:
        return self._get(key, _findings_decoder())

    def keep_findings(self, key: str, found: tuple[Diagnostic, ...]) -> None:
        """Remember what rules found."""
        self._put(key, found)

    # ------------------------------------------------------------------ entries

    def _get(self, key: str, decoder: msgspec.msgpack.Decoder[_Kept]) -> _Kept | None:
        content = self._cache.get(key) if self._cache is not None and key else None
        if content is None:
            return None
        try:
            return decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError):
            return None

    def _put(self, key: str, value: object) -> None:
        if self._cache is None or not key:
            return
        try:
            content = msgspec.msgpack.encode(value)
        except (OverflowError, UnicodeEncodeError, RecursionError, MemoryError):
            return  # a number of more than 64 bits, or a text that is none: found out anew each time
        self._cache.put(key, content)

    # ------------------------------------------------------------------ the tree's entry

    def _load(self) -> _Tree:
        return self._get(self._key, msgspec.msgpack.Decoder(_Tree)) or _Tree({})

    def save(self) -> None:
        """Keep what is known of the tree.  A file that changed while the run began is left out: its stamp
        may not tell the next change."""
        if self._cache is None or not self._key:
            return
        settled = {
            real: known
            for real, known in self._now.files.items()
            if witness.settled(known.stamp, self._began) and _is_text(real)
        }
        tree = _Tree(settled, tuple(tuple(names) for names in self._asked))
        if tree != self._before:
            self._put(self._key, tree)


class Hints:
    """Answers questions about the bytes of one file, which is read when a new one is asked; a file that
    cannot be read is taken for empty."""

    def __init__(self, known: Known | None, read: Callable[[], bytes]) -> None:
        self._known = known
        self._answers = dict(known.hints) if known is not None else {}
        self._read = functools.cache(read)

    def __call__(self, question: Callable[[bytes], _Answer]) -> _Answer:
        name = question.__name__
        if name not in self._answers:
            self._answers[name] = question(self._read())
            if self._known is not None:
                self._known.hints = self._answers
        return cast("_Answer", self._answers[name])


def _is_text(path: str) -> bool:
    """Whether a path can be written down: a file name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _numbered(rounds: Sequence[Sequence[str]]) -> list[dict[str, int]]:
    """For each number of rounds the names asked for so far, with their numbers."""
    found: list[dict[str, int]] = []
    numbers: dict[str, int] = {}
    count = 0
    for names in rounds:
        for name in names:
            numbers[name] = count
            count += 1
        found.append(dict(numbers))
    return found


@functools.cache
def _facts_decoder() -> msgspec.msgpack.Decoder[FileFacts]:
    return msgspec.msgpack.Decoder(FileFacts)


@functools.cache
def _build_file_decoder() -> msgspec.msgpack.Decoder[BuildFile]:
    return msgspec.msgpack.Decoder(BuildFile)


@functools.cache
def _demand_decoder() -> msgspec.msgpack.Decoder[tuple[frozenset[tuple[str, str]], frozenset[str]]]:
    return msgspec.msgpack.Decoder(tuple[frozenset[tuple[str, str]], frozenset[str]])


@functools.cache
def _findings_decoder() -> msgspec.msgpack.Decoder[tuple[Diagnostic, ...]]:
    return msgspec.msgpack.Decoder(tuple[Diagnostic, ...])


# ------------------------------------------------------------------------------------- keys

# Settings that no front end looks at; any other may change what it says.
_LATER = (
    *(
        "select",
        "ignore",
        "min_confidence",
        "fail_on",
        "exclude",
        "servers",
        "subprotocols",
        "ruff",
        "python",
    ),
)
_PARSERS = ("tree_sitter", "libcst", "msgspec", "pathspec")


def _base(settings: Settings) -> str:
    """What the facts of every file depend on."""
    default = Settings()
    seen = msgspec.structs.replace(settings, **{name: getattr(default, name) for name in _LATER})
    return digest(code(), msgspec.msgpack.encode(seen, order="deterministic"))


@functools.cache
def code(*packages: str) -> str:
    """The digest of lwslint's own code and data, of the code in the folders ``packages``, and of the
    versions of what parses.

    Of the bytes, not of a version: that of a checkout stays the same while the code changes.  Where it
    changes while this process runs, nobody knows which of it is running, and the digest is of nothing else.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    parts: list[bytes | str] = [sys.version, *_parsers()]
    for folder in (here, *packages):
        for path in sorted(_sources(folder)):
            with open(path, "rb") as file:
                parts += [os.path.relpath(path, folder), file.read()]
                if os.fstat(file.fileno()).st_mtime_ns > STARTED:
                    parts.append(os.urandom(16))
    return digest(*parts)


def _sources(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (os.path.join(place, name) for name in names)


def _parsers() -> Iterable[str]:
    """The names and versions of the installed packages that parse, as their folders say them."""
    found: set[str] = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        found.update(n for n in names if n.endswith(".dist-info") and n.lower().startswith(_PARSERS))
    return sorted(found)
