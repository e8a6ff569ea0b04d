"""Every fixture, fixed: its findings with a fix are gone, no new one has come, and it is a program still."""

from __future__ import annotations

import ast
import random
import shutil
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from lwslint.engine import Result
from lwslint.fixes import plan, rounds
from lwslint.rewrite import replace
from tests import fixture_marks
from tests.fixes.repair import counted, repair
from tests.fixture_runs import lint
from tests.test_fixtures_compile import COMMANDS, WORKERS, compile_unit, lacking

CASES = fixture_marks.cases()
# The rules of which some fixture must be fixable, so that losing a fix is noticed.
FIXABLE = frozenset(
    ["LWS201", "LWS202", "LWS203", "LWS301", "LWS302", "LWS308", "LWS313", "LWS401", "LWS402"],
)


class Fixed(msgspec.Struct):
    """A copy of a case that was fixed in place."""

    tree: Path
    before: Result
    outcome: rounds.Outcome


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Fixed]:
    """All cases in which anything can be fixed."""
    found: dict[Path, Fixed] = {}
    for case in CASES:
        if any(d.fix for d in lint(case).diagnostics):
            tree = tmp_path_factory.mktemp("fixed") / "tree"
            shutil.copytree(case, tree)
            found[case] = Fixed(tree, *repair(tree))
    return found


def test_each_rule_with_fixes_is_fixed_somewhere(fixed: dict[Path, Fixed]) -> None:
    assert {made.code for each in fixed.values() for made in each.outcome.made} >= FIXABLE


def test_what_has_a_fix_is_fixed(fixed: dict[Path, Fixed]) -> None:
    for case, each in fixed.items():
        assert (each.outcome.refused, each.outcome.settled) == ((), True), case
        assert [d for d in each.outcome.result.diagnostics if d.fix] == [], case
        assert not each.outcome.result.problems, case


def test_findings_go_and_none_comes(fixed: dict[Path, Fixed]) -> None:
    for case, each in fixed.items():
        before, after = counted(each.before), counted(each.outcome.result)
        assert not after - before, case
        assert after.total() == before.total() - len(each.outcome.made), case


def test_a_second_run_changes_nothing(fixed: dict[Path, Fixed]) -> None:
    for case, each in fixed.items():
        _, again = repair(each.tree)
        assert (again.made, again.before) == ((), {}), case


def test_only_what_was_found_has_changed(fixed: dict[Path, Fixed]) -> None:
    """A fix touches the file of its finding, or one that its chain names."""
    for case, each in fixed.items():
        named = {
            place.path
            for d in each.before.diagnostics
            for place in (d.place, *(step.place for step in d.related))
        }
        for path in fixture_marks.sources(case):
            name = path.relative_to(case).as_posix()
            same = (each.tree / name).read_bytes() == path.read_bytes()
            assert same or name in named, f"{case}: {name}"


def test_the_fixed_python_files_parse(fixed: dict[Path, Fixed]) -> None:
    changed = [each.tree / path for each in fixed.values() for path in each.outcome.before]
    python = [path for path in changed if path.suffix == ".py"]
    assert len(python) > 2
    for path in python:
        ast.parse(path.read_bytes())


@pytest.fixture(scope="module")
def verdicts(fixed: dict[Path, Fixed]) -> Iterator[dict[Path, Future[str]]]:
    if reason := lacking():
        warnings.warn(pytest.PytestWarning(f"fixed fixtures are not compiled: {reason}"), stacklevel=1)
        pytest.skip(f"FIXED FIXTURES NOT COMPILED: {reason}")
    units = [each.tree / path for each in fixed.values() for path in each.outcome.before]
    with ThreadPoolExecutor(WORKERS) as pool:
        yield {unit: pool.submit(compile_unit, unit) for unit in units if unit.suffix in COMMANDS}


def test_the_fixed_units_compile(verdicts: dict[Path, Future[str]]) -> None:
    assert len(verdicts) > 20
    wrong = {str(unit): said for unit, verdict in verdicts.items() if (said := verdict.result())}
    assert not wrong, "\n".join(wrong.values())


@pytest.mark.parametrize("seed", range(3))
def test_one_fix_after_the_other_in_any_order_ends_the_same_findings(
    seed: int, fixed: dict[Path, Fixed], tmp_path: Path
) -> None:
    dice = random.Random(seed)
    several = [case for case, each in fixed.items() if len(each.outcome.made) > 1]
    assert len(several) > 5
    for case in several:
        tree = tmp_path / case.parent.name / case.name
        shutil.copytree(case, tree)
        for _ in range(30):
            result = lint(tree)
            offered = [d for d in result.diagnostics if d.fix]
            if not offered:
                break
            made = plan.choose([dice.choice(offered)], unsafe=True)
            for path, edits in made.edits.items():
                text = result.texts[path]
                replace(str(tree / path), [str(tree)], text.data, plan.changed(text, edits))
        assert counted(result) == counted(fixed[case].outcome.result), case


def test_nothing_unsafe_happens_unasked(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(fixture_marks.FOLDER / "wave_relay" / "bad", tree)
    _, outcome = repair(tree, unsafe=False)
    assert {made.code for made in outcome.made} == {"LWS301"}
    text = (tree / "relay_client.cpp").read_text()
    assert "LCCSCF_ALLOW_SELFSIGNED" in text and "info.protocol = protocols_[0].name" in text
