"""Rules that are shared between two processes: the same answers, whatever becomes of the other process."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from lwslint import asking, engine, registry
from lwslint.diagnostics import Diagnostic
from lwslint.model.project import Project
from lwslint.rule import LoadedRule
from lwslint.settings import Settings

Death = Callable[[], object]
HERE = os.getpid()
FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Programs with mistakes of all four families."""
    for name in ("wave_relay", "destroy-while-serviced", "plaintext-despite-tls-flags", "missing-http-dummy"):
        shutil.copytree(FIXTURES / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("rules are asked in one process here")
    monkeypatch.setattr(asking, "WORTH_IT", 0)


def linted(root: Path, jobs: int, rules: list[LoadedRule]) -> engine.Result:
    return engine.lint(["."], Settings(), rules, cwd=str(root), jobs=jobs)


def behaving(rule: LoadedRule, elsewhere: Callable[[], object]) -> LoadedRule:
    """``rule``, but for what it does first in any other process than this one."""

    def check(project: Project) -> Iterator[Diagnostic]:
        if os.getpid() != HERE:
            elsewhere()
        yield from rule.check(project)

    return msgspec.structs.replace(rule, check=check)


@pytest.mark.usefixtures("sharing")
def test_two_processes_say_what_one_says(tree: Path) -> None:
    rules = list(registry.load())
    alone, shared = linted(tree, 1, rules), linted(tree, 2, rules)
    assert alone.diagnostics == shared.diagnostics
    assert alone.problems == shared.problems == ()
    assert {"LWS101", "LWS104", "LWS201", "LWS301", "LWS402"} <= {d.code for d in alone.diagnostics}


@pytest.mark.usefixtures("sharing")
def test_each_rule_is_asked_in_one_of_the_processes(tree: Path) -> None:
    marks = tree / "marks"
    marks.mkdir()
    here: list[str] = []

    def watched(rule: LoadedRule) -> LoadedRule:
        def check(project: Project) -> Iterator[Diagnostic]:
            if os.getpid() == HERE:
                here.append(rule.rule.code)
            else:
                (marks / rule.rule.code).touch()
            yield from rule.check(project)

        return msgspec.structs.replace(rule, check=check)

    rules = [watched(rule) for rule in registry.load()]
    expected = linted(tree, 1, rules).diagnostics
    assert list(marks.iterdir()) == []
    helped = 0
    # Which of the two gets hold of how many is up to the system: of a few tries, one will do.
    for _ in range(5):
        here.clear()
        assert linted(tree, 2, rules).diagnostics == expected
        there = [mark.name for mark in marks.iterdir()]
        assert sorted((*here, *there)) == sorted(rule.rule.code for rule in rules)
        helped += len(there)
        for name in there:
            (marks / name).unlink()
    assert helped


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize(
    "death",
    [
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: (_ for _ in ()).throw(KeyboardInterrupt),
    ],
)
def test_what_a_process_that_died_has_not_said_is_asked_again(
    tree: Path, death: Callable[[], object]
) -> None:
    rules = list(registry.load())
    expected = linted(tree, 1, rules).diagnostics
    dying = [behaving(rule, death) for rule in rules]
    for _ in range(3):
        result = linted(tree, 2, dying)
        assert (result.diagnostics, result.problems) == (expected, ())


@pytest.mark.usefixtures("sharing")
def test_a_rule_that_breaks_is_a_problem_wherever_it_does(tree: Path) -> None:
    rules = list(registry.load())

    def check(project: Project) -> Iterator[Diagnostic]:
        raise ValueError("broken")
        yield

    rules = [
        msgspec.structs.replace(rule, check=check) if rule.rule.code in ("LWS101", "LWS401") else rule
        for rule in rules
    ]
    alone, shared = linted(tree, 1, rules), linted(tree, 2, rules)
    assert len(alone.problems) == 2
    assert (alone.problems, alone.diagnostics) == (shared.problems, shared.diagnostics)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("missing", ["fork", "pipe"])
def test_where_no_process_is_to_be_had_rules_are_asked_here(
    tree: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    rules = list(registry.load())
    expected = linted(tree, 1, rules)

    def refuse() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, missing, refuse)
    result = linted(tree, 2, rules)
    assert (result.diagnostics, result.problems) == (expected.diagnostics, ())


def test_no_process_is_copied_while_threads_run() -> None:
    assert asking.processes_for(asking.WORTH_IT - 1, 2) == 1
    assert asking.processes_for(asking.TOO_MUCH + 1, 2) == 1
    assert asking.processes_for(asking.WORTH_IT, 1) == 1
    if sys.platform == "linux" and threading.active_count() == 1:
        assert asking.processes_for(asking.WORTH_IT, 2) == 2
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert asking.processes_for(asking.WORTH_IT, 2) == 1
    finally:
        stop.set()
        thread.join()
