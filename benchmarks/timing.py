"""Running commands in turn, and what their times say."""

from __future__ import annotations

import os
import pathlib
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

LONG = 20.0
"""Seconds from which on a command is timed once: its own noise is small beside that."""


class Run(NamedTuple):
    """One run of a command: wall and processor time in seconds, the largest resident set of one of its
    processes in bytes."""

    wall: float
    cpu: float
    memory: int


class Times(NamedTuple):
    """The runs of one command."""

    runs: tuple[Run, ...]

    @property
    def wall(self) -> float:
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        return statistics.median(run.cpu for run in self.runs)

    @property
    def memory(self) -> int:
        return max(run.memory for run in self.runs)


def run(command: Sequence[str], cwd: pathlib.Path, environment: Mapping[str, str]) -> Run:
    """Run a command to its end.  Its output goes nowhere and its exit code does not matter; a command that
    was ended by a signal raises."""
    started = time.perf_counter()
    # Its working folder is the tree that is read, so that nothing of this folder is imported by accident.
    with subprocess.Popen(
        command, cwd=cwd, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode < 0:
        raise RuntimeError(f"{command[0]} was ended by signal {-process.returncode}")
    return Run(wall, used.ru_utime + used.ru_stime, _bytes(used))


def _bytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)


def in_turn(commands: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Times]:
    """Run the commands one after the other, ``rounds`` times: a machine whose speed drifts, or that others
    use too, then slows all of them.  One round before that fills the caches and is not counted, except for
    a command so slow that it is not run again."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    slow: set[str] = set()
    for turn in range(rounds + 1):
        for name, command in commands.items():
            if name in slow:
                continue
            took = command()
            if took.wall > LONG:
                slow.add(name)
                found[name] = [took]
            elif turn:
                found[name].append(took)
    return {name: Times(tuple(runs)) for name, runs in found.items()}


def wall(run: Run) -> float:
    return run.wall


def processor(run: Run) -> float:
    """Less disturbed by what else a machine does, and blind to what several processes win."""
    return run.cpu


def ratio(
    times: Mapping[str, Times], other: str, ours: str, of: Callable[[Run], float] = wall
) -> tuple[float, float, float]:
    """How many times longer ``other`` takes than ``ours``: the median of the ratios of neighbouring runs,
    the smallest and the largest of them."""
    first, second = [list(map(of, times[name].runs)) for name in (other, ours)]
    pairs = (
        list(zip(first, second, strict=True))
        if len(first) == len(second)
        else [(a, statistics.median(second)) for a in first]
    )
    ratios = sorted(a / max(b, 0.001) for a, b in pairs)
    return statistics.median(ratios), ratios[0], ratios[-1]
