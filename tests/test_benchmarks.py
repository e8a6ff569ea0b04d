"""The benchmarks run, and the trees that they make hold what they say."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from benchmarks import timing, trees
from lwslint.diagnostics import Severity
from lwslint.engine import lint
from lwslint.registry import load
from lwslint.settings import Settings

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_a_tree_of_programs_has_the_lines_and_the_findings_that_were_asked_for(
    tmp_path: pathlib.Path,
) -> None:
    lines = trees.programs(tmp_path, 1500, each=500)
    assert lines == sum(path.read_text().count("\n") for path in tmp_path.rglob("*.[ch]"))
    assert 1300 < lines < 1700
    result = lint(["."], Settings(), load(), cwd=str(tmp_path))
    assert not result.problems
    # Each program takes any certificate when its operator says so.
    notes = [d for d in result.diagnostics if d.code == "LWS401"]
    assert [d.severity for d in notes] == [Severity.NOTE] * len(list(tmp_path.iterdir()))


def test_the_same_tree_is_made_each_time(tmp_path: pathlib.Path) -> None:
    for name in ("a", "b"):
        trees.unrelated(tmp_path / name, 40, 2)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.c")}
        for name in ("a", "b")
    )
    assert first == second
    assert sum(b"libwebsockets" in data for data in first.values()) == 2


def test_ratios_are_those_of_neighbouring_runs() -> None:
    times = {
        "ours": timing.Times((timing.Run(1.0, 1.0, 1), timing.Run(4.0, 1.0, 1), timing.Run(2.0, 1.0, 1))),
        "other": timing.Times((timing.Run(3.0, 1.0, 1), timing.Run(8.0, 1.0, 1), timing.Run(2.0, 1.0, 1))),
    }
    assert timing.ratio(times, "other", "ours") == (2.0, 1.0, 3.0)


def test_a_command_that_is_killed_is_no_measurement(tmp_path: pathlib.Path) -> None:
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    with pytest.raises(RuntimeError, match="signal 9"):
        timing.run(killed, tmp_path, {})


def test_the_command_prints_what_it_measured_and_what_it_left_out() -> None:
    command = [sys.executable, "-m", "benchmarks", "examples", "scaling", "--runs", "1", "--lines", "300,600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "SKIPPED: give --examples FOLDER" in done.stdout
    assert "of the median cost of a line" in done.stdout
