"""Fixes all that can be fixed in a tree, as ``lwslint --fix --unsafe-fixes`` does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lwslint import config
from lwslint.engine import Result
from lwslint.fixes import rounds
from lwslint.fixes.workplaces import Disk
from tests.fixture_runs import lint


def repair(tree: Path, *, unsafe: bool = True) -> tuple[Result, rounds.Outcome]:
    """Fix the files below ``tree`` in place; returns what was found before, and the outcome."""
    before = lint(tree)
    own = tree / config.FILE_NAME
    options = config.read(str(own)).options if own.is_file() else config.Options()
    disk = Disk([str(tree)], lambda: lint(tree))
    return before, rounds.run(before, disk, config.settings(options), unsafe=unsafe)


def counted(result: Result) -> Counter[tuple[str, str, str]]:
    """The findings by rule, file and function: what they are, wherever the fixed lines have moved."""
    return Counter((d.code, d.place.path, d.function) for d in result.diagnostics)
