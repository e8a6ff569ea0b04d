"""The front ends in several processes, where that pays.

Facts are plain data, so a worker lowers a batch of files and sends their facts back.  A worker that dies
(out of memory, a crash in a parser) costs the file that killed it: its batch is done again, one file a
process.  The outcome does not depend on the number of processes.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

import msgspec

from lwslint.facts import FileFacts
from lwslint.problem import Problem, crash
from lwslint.settings import Build, Settings

# Below this many bytes a second process costs more than it saves.
WORTH_IT = 600_000
MAX_PROCESSES = 8
BATCH = 120_000


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


def lower_all(
    units: Sequence[Unit], settings: Settings, processes: int | None = None
) -> list[FileFacts | Problem]:
    """The facts of all files, in their order.  ``processes`` None: as many as the machine gives."""
    count = available() if processes is None else processes
    if count < 2 or len(units) < 2 or sum(map(_cost, units)) < WORTH_IT:
        return [lower(unit, settings) for unit in units]
    return [outcome for outcomes in _in_processes(_batches(units), settings, count) for outcome in outcomes]


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


def _batches(units: Sequence[Unit]) -> list[list[Unit]]:
    """The files in runs of about :data:`BATCH` bytes, in order."""
    batches: list[list[Unit]] = []
    room = 0
    for unit in units:
        if room <= 0:
            batches.append([])
            room = BATCH
        batches[-1].append(unit)
        room -= _cost(unit)
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


def _in_processes(
    batches: list[list[Unit]], settings: Settings, count: int
) -> list[list[FileFacts | Problem]]:
    found: list[list[FileFacts | Problem] | None] = [None] * len(batches)
    with _pool(min(count, len(batches))) as pool:
        futures = [pool.submit(_lower_batch, batch, settings) for batch in batches]
        for number, future in enumerate(futures):
            try:
                found[number] = [_unpacked(packed) for packed in future.result()]
            except (BrokenProcessPool, MemoryError):
                continue
    return [
        outcomes if outcomes is not None else [_alone(unit, settings) for unit in batch]
        for batch, outcomes in zip(batches, found, strict=True)
    ]


def _alone(unit: Unit, settings: Settings) -> FileFacts | Problem:
    """One file in a process of its own: what kills that process is this file."""
    with _pool(1) as pool:
        try:
            return _unpacked(pool.submit(_lower_batch, [unit], settings).result()[0])
        except BrokenProcessPool:
            return Problem(unit.path, "not analysed: the front end's process died on it")


def _pool(count: int) -> ProcessPoolExecutor:
    # A fork has the parsers' modules already; elsewhere each process starts from nothing.
    method = "fork" if sys.platform == "linux" else None
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context(method))
