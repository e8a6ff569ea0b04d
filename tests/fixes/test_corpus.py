"""What holds for fixtures holds for programs that nobody wrote for lwslint.

``LWSLINT_CORPUS`` names a folder of checkouts (or several, separated as in ``PATH``); without it, nothing is
tried.  The checkouts are not written to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lwslint import config, engine
from lwslint.engine import Result
from lwslint.fixes import rounds
from lwslint.fixes.workplaces import Copies
from tests.fixes.repair import counted
from tests.fixture_runs import rules

CORPUS = os.environ.get("LWSLINT_CORPUS", "")


def checkouts() -> Iterator[Path]:
    for folder in filter(None, CORPUS.split(os.pathsep)):
        yield from sorted(path for path in Path(folder).iterdir() if path.is_dir())


TREES = list(checkouts())


@pytest.mark.skipif(not TREES, reason="LWSLINT_CORPUS names no checkouts")
@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.name)
def test_real_programs_are_fixed(tree: Path, tmp_path: Path) -> None:
    settings = config.settings(config.Options())

    def lint(copies: dict[str, str] | None = None) -> Result:
        return engine.lint(["."], settings, rules(), cwd=str(tree), copies=copies or {})

    before = lint()
    copies = Copies([str(tree)], str(tmp_path), lambda made: lint(dict(made)))
    outcome = rounds.run(before, copies, settings, unsafe=True)
    assert (outcome.refused, outcome.settled) == ((), True)
    assert [d for d in outcome.result.diagnostics if d.fix] == []
    after = counted(outcome.result)
    # A list that is spelled right for the first time is looked at by the rule on its names.
    spelled = {made.path for made in outcome.made if made.code == "LWS202"}
    new = {found for found in after - counted(before) if not (found[0] == "LWS201" and found[1] in spelled)}
    assert not new
    assert after.total() - len(new) <= counted(before).total() - len(outcome.made) + len(spelled)
