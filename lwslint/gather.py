"""Reads the discovered files, keeps those that use libwebsockets, and runs their front end.

One file at a time, each on its own: a file that cannot be read, or that brings a front end down,
becomes a :class:`~lwslint.problem.Problem` and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from lwslint import prefilter, source
from lwslint.discovery import (
    NO_LWS,
    NO_WEBSOCKET,
    NOT_PYTHON,
    NOT_PYTHON_3,
    Found,
    Skipped,
    is_python,
    language_of,
)
from lwslint.facts import FileFacts
from lwslint.memory import Memory
from lwslint.model.bodies import Body
from lwslint.prefilter import Scout, reason_against
from lwslint.problem import Problem
from lwslint.settings import Build, Settings
from lwslint.source import ReadError, TooLarge
from lwslint.workers import Pool, Unit, lower_all

if TYPE_CHECKING:
    from lwslint.demand import Demand

# A file above the size limit is only a problem when it uses libwebsockets: amalgamations and data
# arrays of megabytes are common and of no interest.  It is looked at in pieces, up to this many bytes.
_SCAN_LIMIT = 64_000_000
_CHUNK = 1 << 20
_OVERLAP = 16

Progress = Callable[[int, int], None]


class Gathered(msgspec.Struct, frozen=True):
    """``facts`` in the order of the files; ``skipped`` are the files without libwebsockets.  ``bodies`` are
    the flattened bodies of functions, by identity, as far as they were needed on the way.  ``keys`` stand for
    the facts, as :meth:`Memory.facts_key` makes them."""

    facts: tuple[FileFacts, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    bodies: dict[int, Body] = {}
    keys: tuple[str, ...] = ()


class Builds(Protocol):
    """What :class:`lwslint.build.builder.Builder` says: asked before anything is parsed."""

    def decide(self, sources: Sequence[str]) -> Settings:
        """The settings to parse with, when ``sources`` are the files that mention libwebsockets."""

    def profile(self, path: str) -> Build | None:
        """How one file is compiled, where that is not the build of the settings."""


class Candidate(msgspec.Struct, frozen=True):
    """A file to lower.  ``data`` is None when an earlier run knew the file, whose ``digest`` then names its
    facts; without a cache ``digest`` is empty."""

    file: Found
    language: str
    digest: str
    data: bytes | None


def gather(
    files: Sequence[Found],
    settings: Settings,
    progress: Progress | None = None,
    builds: Builds | None = None,
    memory: Memory | None = None,
    pool: Pool | None = None,
    scout: Scout | None = None,
    *,
    everything: bool = False,
) -> Gathered:
    """The facts of all files that mention libwebsockets.

    ``builds`` decides how each is compiled before any is parsed.
    ``memory`` is what earlier runs know, ``pool`` the processes that may help (default: none), ``scout``
    has looked at some files before.  With ``everything``, the other files are lowered too, for the memory
    alone.
    """
    memory = Memory(None, settings) if memory is None else memory
    facts: list[FileFacts] = []
    skipped: dict[str, Found] = {}
    python: dict[str, Found] = {}
    reasons: dict[str, str] = {}
    left_out: list[Skipped] = []
    problems: list[Problem] = []
    wanted: list[Candidate] = []
    looked_at = {} if scout is None else scout.reasons()
    for number, file in enumerate(files, 1):
        if (reason := looked_at.get(file.real)) is not None:
            memory.learn(file, reason)
        else:
            outcome = _one(file, memory)
            if isinstance(outcome, Candidate):
                wanted.append(outcome)
            elif isinstance(outcome, Problem):
                problems.append(outcome)
            else:
                reason = outcome.reason
        if reason == NO_LWS:
            skipped[file.path] = file
        elif reason is not None:
            python[file.path] = file
            reasons[file.path] = reason
        if progress is not None:
            progress(number, len(files))
    if builds is not None:
        settings = builds.decide([candidate.file.path for candidate in wanted])
    pool = Pool(1) if pool is None else pool
    lower = _Lowering(settings, memory, pool, builds)
    _take(lower(wanted), facts, problems, left_out)
    facts.sort(key=lambda file: file.path)
    native = [file for file in facts if file.language != "python"]
    bodies: dict[int, Body] = {}
    if native and skipped:
        facts.extend(_pull(native, skipped, memory, lower, pool, problems, bodies))
    if python:
        from lwslint import gather_python

        linked = gather_python.pull(
            [f for f in facts if f.language == "python"], python, memory, settings.python
        )
        outcomes = [_one(file, memory, linked=True) for file in linked]
        problems.extend(outcome for outcome in outcomes if isinstance(outcome, Problem))
        _take(lower([o for o in outcomes if isinstance(o, Candidate)]), facts, problems, left_out)
    if everything:
        others = [_one(file, memory, linked=True) for file in (*skipped.values(), *python.values())]
        lower([outcome for outcome in others if isinstance(outcome, Candidate)])
    facts.sort(key=lambda file: file.path)
    left_out += [Skipped(path, NO_LWS) for path in skipped]
    left_out += [Skipped(path, reasons[path]) for path in python]
    keys = tuple(lower.keys[file.path] for file in facts)
    return Gathered(tuple(facts), tuple(left_out), tuple(problems), bodies, keys)


class _Lowering:
    """The front ends, for the files whose facts no earlier run has left."""

    def __init__(self, settings: Settings, memory: Memory, pool: Pool, builds: Builds | None) -> None:
        self._settings = settings
        self._memory = memory
        self._pool = pool
        self._builds = builds
        self._base = memory.base(settings)
        self.keys: dict[str, str] = {}  # by path, of all that was lowered; empty without a cache

    def __call__(self, candidates: Sequence[Candidate]) -> list[FileFacts | Problem]:
        """The facts of the candidates, in their order."""
        builds = [self._build(candidate) for candidate in candidates]
        keys = [
            self._key(c.file.path, c.language, c.digest, b) for c, b in zip(candidates, builds, strict=True)
        ]
        found: list[FileFacts | Problem | None] = [
            self._memory.facts(key, c.file.path) for key, c in zip(keys, candidates, strict=True)
        ]
        missing: list[int] = []
        units: list[Unit] = []
        for index, candidate in enumerate(candidates):
            if found[index] is not None:
                continue
            data = candidate.data if candidate.data is not None else _read(candidate.file, self._memory)
            if not isinstance(data, bytes):  # it has changed since discovery
                found[index] = Problem(candidate.file.path, "changed while the tree was being read")
                continue
            missing.append(index)
            units.append(Unit(candidate.file.path, data, candidate.language, builds[index]))
        lowered = lower_all(units, self._settings, self._pool)
        for index, unit, outcome in zip(missing, units, lowered, strict=True):
            found[index] = outcome
            if isinstance(outcome, FileFacts):
                content = self._memory.identify(candidates[index].file, unit.data, unit.language)
                keys[index] = self._key(unit.path, unit.language, content, unit.build)
                self._memory.keep(keys[index], outcome)
        self.keys.update((c.file.path, key) for c, key in zip(candidates, keys, strict=True))
        return [outcome for outcome in found if outcome is not None]

    def _build(self, candidate: Candidate) -> Build | None:
        return None if self._builds is None else self._builds.profile(candidate.file.path)

    def _key(self, path: str, language: str, content: str, build: Build | None) -> str:
        base = self._base
        if build is not None:
            base = self._memory.base(msgspec.structs.replace(self._settings, build=build))
        return self._memory.facts_key(base, path, language, content)


def _take(
    outcomes: Sequence[FileFacts | Problem],
    facts: list[FileFacts],
    problems: list[Problem],
    left_out: list[Skipped],
) -> None:
    """Sort what the front ends said; facts may hold a problem of their own.

    Python 2 and broken Python are a reason to leave a file out, not a failure of the run.
    """
    for outcome in outcomes:
        if isinstance(outcome, Problem):
            problems.append(outcome)
            continue
        if outcome.problem in (NOT_PYTHON_3, NOT_PYTHON):
            left_out.append(Skipped(outcome.path, outcome.problem))
            continue
        facts.append(outcome)
        if outcome.problem:
            problems.append(Problem(outcome.path, outcome.problem))


def _pull(
    facts: list[FileFacts],
    skipped: dict[str, Found],
    memory: Memory,
    lower: _Lowering,
    pool: Pool,
    problems: list[Problem],
    bodies: dict[int, Body],
) -> list[FileFacts]:
    """Parse the files without libwebsockets that define or call what the parsed ones leave open.

    Takes what it parses out of ``skipped``, and leaves the bodies that it flattened in ``bodies``.
    """
    from lwslint import demand

    asker = _Asker(memory, lower, bodies)
    asker.add(facts)
    asked: set[str | tuple[str, str]] = set()
    pulled: list[FileFacts] = []
    for _ in range(demand.ROUNDS):
        wanted = asker.ask()
        callers = sorted(wanted.callers - asked)
        definitions = sorted(wanted.definitions - asked)
        asked.update(callers, definitions)
        chosen = _choose(skipped, callers, definitions, memory, pool)[: demand.MAX_FILES - len(pulled)]
        if not chosen:
            break
        outcomes = [_one(skipped.pop(path), memory, linked=True) for path in chosen]
        problems.extend(outcome for outcome in outcomes if isinstance(outcome, Problem))
        fresh: list[FileFacts] = []
        _take(lower([o for o in outcomes if isinstance(o, Candidate)]), fresh, problems, [])
        asker.add(fresh, pulled=True)
        pulled.extend(fresh)
    return pulled


class _Asker:
    """Says what facts leave open, as :class:`lwslint.demand.Asker` does, and remembers it: with nothing new,
    no body is looked at."""

    def __init__(self, memory: Memory, lower: _Lowering, bodies: dict[int, Body]) -> None:
        from lwslint import demand

        self._memory = memory
        self._lower = lower
        self._asker = demand.Asker(bodies)
        self._waiting: list[tuple[Sequence[FileFacts], bool]] = []
        self._keys: list[str] = []

    def add(self, facts: Sequence[FileFacts], pulled: bool = False) -> None:
        self._waiting.append((facts, pulled))
        self._keys += [self._lower.keys[file.path] for file in facts]
        self._keys.append(str(pulled))

    def ask(self) -> Demand:
        key = self._memory.demand_key(self._keys) if all(self._keys) else ""
        known = self._memory.demand(key)
        if known is None:
            for facts, pulled in self._waiting:
                self._asker.add(facts, pulled)
            self._waiting.clear()
            known = self._asker.ask()
            self._memory.keep_demand(key, known)
        return known


def _choose(
    skipped: dict[str, Found],
    callers: Sequence[tuple[str, str]],
    definitions: Sequence[str],
    memory: Memory,
    pool: Pool,
) -> list[str]:
    """The files that define one of ``definitions`` or mention one of ``callers``, in order of path.

    A name that many files mention is a common word and pulls none of them in.
    """
    from lwslint import demand

    if not callers and not definitions:
        return []
    search = demand.Search(callers, definitions)
    answers = prefilter.answers(skipped.values(), search, memory, pool)
    find = memory.ask(search.questions, search.answer, answers)
    mentioned: dict[str, list[str]] = {}
    chosen: set[str] = set()
    for path, file in skipped.items():
        for question in find(file):
            if question.startswith("call"):
                mentioned.setdefault(question, []).append(path)
            else:
                chosen.add(path)
    for paths in mentioned.values():
        if len(paths) <= demand.MAX_MENTIONS:
            chosen.update(paths)
    return sorted(chosen)


def _one(file: Found, memory: Memory, linked: bool = False) -> Candidate | Skipped | Problem:
    """What there is to lower of one file; with ``linked``, also of one that does not mention libwebsockets
    (or, in Python, WebSocket)."""
    known = memory.known(file)
    if known is not None:
        if known.reason and not linked:
            return Skipped(file.path, known.reason)
        if known.digest:
            return Candidate(file, known.language, known.digest, None)
    data = _read(file, memory)
    if not isinstance(data, bytes):
        return data
    reason = reason_against(file.path, data)
    if known is None:
        memory.learn(file, reason)
    if reason and not linked:
        return Skipped(file.path, reason)
    language = language_of(file.path, data)
    return Candidate(file, language, memory.identify(file, data, language), data)


def _read(file: Found, memory: Memory) -> bytes | Skipped | Problem:
    try:
        return memory.read(file)
    except TooLarge as error:
        return _too_large(file, str(error))
    except ReadError as error:
        return Problem(file.path, f"cannot be read: {error}")
    except MemoryError:
        return Problem(file.path, "cannot be read: out of memory")


def _too_large(file: Found, message: str) -> Skipped | Problem:
    try:
        seen = 0
        tail = b""
        for chunk in _chunks(file):
            if not reason_against(file.path, tail + chunk):
                break
            tail = chunk[-_OVERLAP:]
            seen += len(chunk)
            if seen > _SCAN_LIMIT:
                break
        else:
            return Skipped(file.path, NO_WEBSOCKET if is_python(file.path) else NO_LWS)
    except (ReadError, OSError) as error:
        return Problem(file.path, f"cannot be read: {error}")
    return Problem(file.path, f"not analysed: {message} (max-file-size)")


def _chunks(file: Found) -> Iterator[bytes]:
    handle = source.open_regular(file.real, expected=file.identity)
    with open(handle, "rb", buffering=0) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
