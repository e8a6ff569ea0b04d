"""The front ends in several processes, where that pays.

Facts are plain data, so a worker lowers a batch of files and sends their facts back.  A worker that dies
(out of memory, a crash in a parser) costs the file that killed it: its batch is done again, one file a
process.  The outcome does not depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import msgspec

from lwslint.facts import FileFacts
from lwslint.problem import Problem, crash
from lwslint.settings import Settings

# Below this many bytes a second process costs more than it saves.
WORTH_IT = 600_000
MAX_PROCESSES = 8
BATCH = 120_000


class Unit(msgspec.Struct, frozen=True):
    """A file to lower: its path in reports, its bytes and its language (``c``, ``cpp`` or ``python``)."""

    path: str
    data: bytes
    language: str


def lower(unit: Unit, settings: Settings) -> FileFacts | Problem:
    """The facts of one file; a front end that fails is a problem of that file."""
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
    """How many processes this one may really run at a time."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return min(cores, MAX_PROCESSES)


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


def _lower_batch(batch: list[Unit], settings: Settings) -> list[FileFacts | Problem]:
    return [lower(unit, settings) for unit in batch]


def _in_processes(
    batches: list[list[Unit]], settings: Settings, count: int
) -> list[list[FileFacts | Problem]]:
    found: list[list[FileFacts | Problem] | None] = [None] * len(batches)
    with _pool(min(count, len(batches))) as pool:
        futures = [pool.submit(_lower_batch, batch, settings) for batch in batches]
        for number, future in enumerate(futures):
            try:
                found[number] = future.result()
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
            return pool.submit(_lower_batch, [unit], settings).result()[0]
        except BrokenProcessPool:
            return Problem(unit.path, "not analysed: the front end's process died on it")


def _pool(count: int) -> ProcessPoolExecutor:
    # A fork has the parsers' modules already; elsewhere each process starts from nothing.
    method = "fork" if sys.platform == "linux" else None
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context(method))
