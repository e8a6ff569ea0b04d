"""The front ends and the readers of build files in several processes, where that pays.

What they make of a file is plain data, so a worker takes a batch of files and sends back what it made of
them.  A worker that dies (out of memory, a crash in a parser) costs the file that killed it: its batch is
done again, one file a process.  The outcome does not depend on the number of processes.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from lwslint.build.facts import BuildFile
from lwslint.facts import FileFacts
from lwslint.problem import Problem, crash
from lwslint.settings import Build, Settings

if TYPE_CHECKING:
    # Imported late: most runs are too small for more than one process.
    from concurrent.futures import ProcessPoolExecutor

# Below this many bytes a second process costs more than it saves.
WORTH_IT = 600_000
MAX_PROCESSES = 8
BATCH = 120_000
# The same for build files, which are small.  The processes are there for the sources then.
BUILD_WORTH_IT = 150_000
BUILD_BATCH = 20_000

_Batch = TypeVar("_Batch")
_Made = TypeVar("_Made")


class Unit(msgspec.Struct, frozen=True):
    """A file to lower: its path in reports, its bytes and its language (``c``, ``cpp`` or ``python``).

    ``build`` is how this file is compiled, where that is not the build of the settings.
    """

    path: str
    data: bytes
    language: str
    build: Build | None = None


def lower(unit: Unit, settings: Settings) -> FileFacts | Problem:
    """The facts of one file; a front end that fails is a problem of that file."""
    if unit.build is not None:
        settings = msgspec.structs.replace(settings, build=unit.build)
    try:
        # Imported late: trees without libwebsockets need no parser.
        if unit.language == "python":
            from lwslint.frontends import python

            return python.extract(unit.path, unit.data, unit.language, settings)
        from lwslint.frontends import c

        return c.extract(unit.path, unit.data, unit.language, settings)
    except Exception as error:
        return crash("the front end", error, unit.path)


def lower_all(units: Sequence[Unit], settings: Settings, pool: Pool) -> list[FileFacts | Problem]:
    """The facts of all files, in their order."""
    if not pool.pays(units, sum(map(_cost, units)), WORTH_IT):
        return [lower(unit, settings) for unit in units]
    work = partial(_lower_batch, settings=settings)
    batches = _batches(units, _cost, BATCH)
    return [
        outcome
        for batch, packed in zip(batches, pool.each(work, batches), strict=True)
        for outcome in (
            [_lower_alone(unit, work) for unit in batch] if packed is None else map(_unpacked, packed)
        )
    ]


class Text(NamedTuple):
    """A build file to read: its path in reports, and its bytes."""

    path: str
    data: bytes


def read_build_files(texts: Sequence[Text], pool: Pool) -> list[BuildFile]:
    """What each build file says, in their order: as :func:`lwslint.build.readers.read`."""
    if not pool.pays(texts, sum(map(_size, texts)), BUILD_WORTH_IT):
        return _read_batch(texts)
    batches = _batches(texts, _size, BUILD_BATCH)
    return [
        file
        for batch, files in zip(batches, pool.each(_read_batch, batches), strict=True)
        for file in (map(_read_alone, batch) if files is None else files)
    ]


class Pool:
    """Processes that work for one run: started when there is enough to do, and kept until the run ends.

    ``jobs`` is how many may work at a time; None: as many as the machine gives.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self._jobs = jobs
        self._executor: ProcessPoolExecutor | None = None
        self._refused = False  # the system gives no processes

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def size(self) -> int:
        return available() if self._jobs is None else self._jobs

    def pays(self, items: Sequence[object], cost: int, worth_it: int) -> bool:
        """Whether work that costs so much is better shared, and processes are there for it."""
        return len(items) > 1 and cost >= worth_it and self.size > 1 and self._start()

    def each(self, work: Callable[[_Batch], _Made], batches: Sequence[_Batch]) -> list[_Made | None]:
        """What ``work`` makes of each batch, in their order; None where a process died meanwhile."""
        begun = [self.begin(work, batch) for batch in batches]
        return [made() for made in begun]

    def begin(self, work: Callable[[_Batch], _Made], batch: _Batch) -> Callable[[], _Made | None]:
        """Have ``work`` done on a batch meanwhile.  What is returned waits for it, and says what it made of
        the batch; None where a process died, or there is none."""
        if not self._start() or (executor := self._executor) is None:
            return lambda: None
        from concurrent.futures import CancelledError
        from concurrent.futures.process import BrokenProcessPool

        def made() -> _Made | None:
            try:
                return future.result()
            except BrokenProcessPool:
                self._replace(executor)
            except (MemoryError, CancelledError):
                pass
            return None

        try:
            future = executor.submit(work, batch)
        except BrokenProcessPool:
            self._replace(executor)
            return lambda: None
        return made

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Have later work start other processes than those of a pool that lost one."""
        if self._executor is broken:
            self.close()

    def _start(self) -> bool:
        """Have the processes started; False where the system refuses to."""
        if self._executor is None and not self._refused:
            self._executor = _pool(self.size)
            try:
                self._executor.submit(os.getpid)
            except OSError:
                self._refused = True
                self.close()
                import multiprocessing

                # The pool forgets those that it did get, and they would wait for work for ever.
                for process in multiprocessing.active_children():
                    process.kill()
        return self._executor is not None

    def close(self) -> None:
        """End the processes; work that comes later starts others."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None


def available() -> int:
    """How many processes this one may really run at a time: the cores that the system, and the quota of
    its container, give it."""
    if sys.version_info >= (3, 13):
        cores = os.process_cpu_count() or 1
    else:
        try:
            cores = len(os.sched_getaffinity(0))
        except AttributeError:  # not on macOS and Windows
            cores = os.cpu_count() or 1
    return max(1, min(cores, _quota() or cores, MAX_PROCESSES))


def _quota(cgroups: str = "/sys/fs/cgroup", own: str = "/proc/self/cgroup") -> int | None:
    """The whole processors that control groups (v2: ``cpu.max``, v1: ``cpu.cfs_quota_us``) leave to this
    process; None for no limit.  A group's limit holds for those below it too."""
    try:
        with open(own, encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return None
    limits: list[float] = []
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if controllers == "":
            read, top = _limit, cgroups
        elif "cpu" in controllers.split(","):
            read, top = _limit_v1, os.path.join(cgroups, "cpu")
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        # In a container the group's own folder is what is mounted, and its path leads nowhere.
        folders = (os.path.join(top, *parts[:depth]) for depth in range(len(parts) + 1))
        limits += [limit for folder in folders if (limit := read(folder)) is not None]
    return max(1, math.ceil(min(limits))) if limits else None


def _limit(folder: str) -> float | None:
    quota, _, period = _line(os.path.join(folder, "cpu.max")).partition(" ")
    return _ratio(quota, period)


def _limit_v1(folder: str) -> float | None:
    return _ratio(*(_line(os.path.join(folder, name)) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")))


def _ratio(quota: str, period: str) -> float | None:
    """``max`` and ``-1`` mean no limit."""
    if not quota.isdecimal() or not period.isdecimal() or int(period) == 0:
        return None
    return int(quota) / int(period)


def _line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _cost(unit: Unit) -> int:
    """The size, in bytes of C: libcst takes about three times as long for a byte of Python."""
    return len(unit.data) * (3 if unit.language == "python" else 1)


def _size(text: Text) -> int:
    return len(text.data)


def _batches(items: Sequence[_Batch], cost: Callable[[_Batch], int], each: int) -> list[list[_Batch]]:
    """The items in runs that cost about ``each``, in order."""
    batches: list[list[_Batch]] = []
    room = 0
    for item in items:
        if room <= 0:
            batches.append([])
            room = each
        batches[-1].append(item)
        room -= cost(item)
    return batches


# MessagePack: several times faster than pickle, which the pool would use for the records themselves.
_ENCODER = msgspec.msgpack.Encoder()


@cache
def _decoder() -> msgspec.msgpack.Decoder[FileFacts]:
    return msgspec.msgpack.Decoder(FileFacts)


Packed = bytes | FileFacts | Problem


def _packed(outcome: FileFacts | Problem) -> Packed:
    """Facts as bytes, for the way between processes; what MessagePack cannot hold stays as it is."""
    if isinstance(outcome, Problem):
        return outcome
    try:
        return _ENCODER.encode(outcome)
    except (OverflowError, UnicodeEncodeError):  # more than 64 bits; a path that is not UTF-8
        return outcome


def _unpacked(packed: Packed) -> FileFacts | Problem:
    return _decoder().decode(packed) if isinstance(packed, bytes) else packed


def _lower_batch(batch: list[Unit], settings: Settings) -> list[Packed]:
    return [_packed(lower(unit, settings)) for unit in batch]


def _lower_alone(unit: Unit, work: Callable[[list[Unit]], list[Packed]]) -> FileFacts | Problem:
    """One file in a process of its own: what kills that process is this file."""
    packed = _alone(work, [unit])
    if packed is None:
        return Problem(unit.path, "not analysed: the front end's process died on it")
    return _unpacked(packed[0])


def _read_batch(batch: Sequence[Text]) -> list[BuildFile]:
    # Imported late: trees without build files need no parser of these.
    from lwslint.build import readers

    return [readers.read(text.path, text.data) for text in batch]


def _read_alone(text: Text) -> BuildFile:
    from lwslint.build import readers

    found = _alone(_read_batch, [text])
    if found is not None:
        return found[0]
    row = readers.format_of(text.path)
    kind = "" if row is None else row.kind
    return BuildFile(text.path, kind, problem="not read: the process that read it died")


def _alone(work: Callable[[_Batch], _Made], batch: _Batch) -> _Made | None:
    """What ``work`` makes of ``batch`` in a process of its own; None when that dies."""
    with Pool(1) as pool:
        return pool.each(work, [batch])[0]


def _pool(count: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A fork has the parsers' modules already; elsewhere each process starts from nothing.
    method = "fork" if sys.platform == "linux" else None
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context(method))
