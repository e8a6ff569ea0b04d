"""A whole run with stand-ins for front end, model and rules: order, filters, and what breaks."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lwslint import engine
from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity
from lwslint.engine import Result
from lwslint.facts import Place, Span
from lwslint.problem import Problem
from lwslint.rule import LoadedRule, Rule
from lwslint.settings import Settings
from tests.conftest import BAD_RULE, WriteTree, fake_facts

Rules = tuple[LoadedRule, ...]


def lint(root: Path, rules: Sequence[LoadedRule], *paths: str, settings: Settings | None = None) -> Result:
    return engine.lint(paths or ["."], settings or Settings(), rules, cwd=str(root))


def found(result: Result) -> list[tuple[str, str, int]]:
    return [(d.place.path, d.severity.name, d.place.span.start) for d in result.diagnostics]


def test_findings_come_by_file_and_the_worst_first(write_tree: WriteTree, fake_analysis: Rules) -> None:
    root = write_tree(
        {
            "b.c": "lws_bad_error()",
            "a.c": "lws_bad_note() lws_bad_warning() lws_bad_error() lws_bad_error()",
            "c.c": "lws_fine()",
            "d.c": "bad_error()",
        }
    )
    result = lint(root, fake_analysis)
    assert found(result) == [
        ("a.c", "ERROR", 33),
        ("a.c", "ERROR", 49),
        ("a.c", "WARNING", 15),
        ("a.c", "NOTE", 0),
        ("b.c", "ERROR", 0),
    ]
    assert [parsed.path for parsed in result.parsed] == ["a.c", "b.c", "c.c"]
    assert [(item.path, item.reason) for item in result.skipped] == [
        ("d.c", "does not mention libwebsockets")
    ]
    assert not result.problems


def test_the_order_does_not_depend_on_the_order_of_the_rules(
    write_tree: WriteTree, fake_analysis: Rules
) -> None:
    root = write_tree({"lost.c": "lws_bad_error() lws_bad_note()", "a.c": "lws_bad_note()"})
    expected = lint(root, fake_analysis).diagnostics
    shuffled = list(fake_analysis)
    random.Random(1).shuffle(shuffled)
    assert lint(root, [*shuffled, *fake_analysis]).diagnostics == expected  # nor are any told twice


def test_findings_that_are_not_sure_enough_are_left_out(write_tree: WriteTree, fake_analysis: Rules) -> None:
    def check(project: Any) -> Iterator[Diagnostic]:
        for number, confidence in enumerate(Confidence):
            yield BAD_RULE.report(Place("a.c", Span(number, number)), "x", confidence=confidence)

    rules = [LoadedRule(BAD_RULE, "doc", check)]
    root = write_tree({"a.c": "lws_"})
    result = lint(root, rules, settings=Settings(min_confidence=Confidence.MEDIUM))
    assert [d.confidence for d in result.diagnostics] == [Confidence.MEDIUM, Confidence.HIGH]


@pytest.mark.parametrize("error", [ValueError("oops"), RecursionError("deep"), MemoryError()])
def test_a_rule_that_breaks_is_told_and_the_others_still_run(
    write_tree: WriteTree, fake_analysis: Rules, error: Exception
) -> None:
    def check(project: Any) -> Iterator[Diagnostic]:
        yield broken.report(Place("a.c", Span(0, 1)), "found before it broke")
        raise error

    broken = Rule(code="LWS900", name="broken", family="fake", impact=Impact.DATA)
    result = lint(write_tree({"a.c": "lws_bad_error()"}), [LoadedRule(broken, "doc", check), *fake_analysis])
    assert [d.code for d in result.diagnostics] == ["LWS901", "LWS900"]
    (problem,) = result.problems
    assert "internal error in rule LWS900 broken" in problem.message
    assert type(error).__name__ in problem.message
    assert "test_engine.py:" in problem.message


@pytest.mark.parametrize("error", [ValueError("oops"), RecursionError("deep"), MemoryError()])
def test_a_front_end_that_breaks_costs_one_file(
    write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def extract(path: str, data: bytes, language: str, settings: Settings) -> object:
        if path == "b.c":
            raise error
        return fake_facts(path, data)

    monkeypatch.setattr("lwslint.frontends.c.extract", extract)
    result = lint(write_tree(dict.fromkeys(["a.c", "b.c", "c.c"], "lws_bad_error()")), fake_analysis)
    assert [d.place.path for d in result.diagnostics] == ["a.c", "c.c"]
    (problem,) = result.problems
    assert problem.path == "b.c"
    assert "internal error in the front end" in problem.message


def test_a_model_that_breaks_is_told(
    write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(facts: object, settings: object, bodies: object = None, build: object = None) -> None:
        raise KeyError("x")

    monkeypatch.setattr("lwslint.model.project.Project", refuse)
    result = lint(write_tree({"a.c": "lws_bad_error()"}), fake_analysis)
    assert not result.diagnostics
    assert len(result.parsed) == 1
    assert "internal error in the project model: KeyError" in result.problems[0].message


def test_a_file_above_the_limit_is_a_problem_only_when_it_uses_lws(
    write_tree: WriteTree, fake_analysis: Rules
) -> None:
    pad = b" " * 3_000_000
    root = write_tree({"data.c": pad, "app.c": pad + b"lws_bad_error()", "a.c": "lws_bad_error()"})
    result = lint(root, fake_analysis, settings=Settings(max_file_size=1000))
    assert [d.place.path for d in result.diagnostics] == ["a.c"]
    assert [(p.path, p.message) for p in result.problems] == [
        ("app.c", "not analysed: larger than 1000 bytes (max-file-size)")
    ]
    assert [item.path for item in result.skipped] == ["data.c"]


def test_a_file_that_cannot_be_read_is_a_problem(
    write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    root = write_tree({"a.c": "lws_bad_error()", "b.c": "lws_bad_error()"})
    real = os.open

    def refuse(path: Any, *rest: Any) -> int:
        if str(path).endswith("a.c"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    result = lint(root, fake_analysis)
    assert [(p.path, p.message) for p in result.problems] == [("a.c", "cannot be read: permission denied")]
    assert [d.place.path for d in result.diagnostics] == ["b.c"]


def test_what_the_front_end_complains_of_is_a_problem(
    write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    monkeypatch.setattr(
        "lwslint.frontends.c.extract",
        lambda path, data, language, settings: msgspec.structs.replace(
            fake_facts(path, data), problem="nested too deeply"
        ),
    )
    result = lint(write_tree({"a.c": "lws_bad_error()"}), fake_analysis)
    assert [(p.path, p.message) for p in result.problems] == [("a.c", "nested too deeply")]
    assert len(result.diagnostics) == 1


def test_the_first_to_fix_is_the_one_that_costs_the_connection(
    write_tree: WriteTree, fake_analysis: Rules
) -> None:
    root = write_tree({"a.c": "lws_bad_error()", "lost.c": "lws_x() lws_bad_error()"})
    first = engine.first_to_fix(lint(root, fake_analysis).diagnostics)
    assert first is not None
    assert (first.code, first.place.path) == ("LWS902", "lost.c")
    assert engine.first_to_fix(()) is None


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [(Severity.ERROR, False), (Severity.WARNING, True), (Severity.NOTE, True), (None, False)],
)
def test_what_makes_a_run_fail(
    write_tree: WriteTree, fake_analysis: Rules, fail_on: Severity | None, expected: bool
) -> None:
    result = lint(write_tree({"a.c": "lws_bad_warning()"}), fake_analysis)
    assert engine.fails(result, fail_on) is expected


def test_no_parser_is_loaded_for_files_without_lws(write_tree: WriteTree) -> None:
    root = write_tree({"hex.c": "char x[] = {" + "0x1f, " * 170_000 + "};", "README": "lws"})
    code = (
        "import sys; from lwslint.cli import main; "
        "code = main([sys.argv[1]]); "
        "sys.exit('parser' if any(m.startswith('tree_sitter') for m in sys.modules) else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "none uses libwebsockets" in done.stdout


@pytest.mark.parametrize("breaks", [False, True])
def test_the_collector_rests_during_the_run_only(
    breaks: bool, write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def check(*_: object) -> tuple[tuple[Diagnostic, ...], tuple[Problem, ...]]:
        seen.append(gc.isenabled())
        if breaks:
            raise KeyboardInterrupt
        return (), ()

    monkeypatch.setattr(engine, "check", check)
    root = write_tree({"a.c": "lws_write"})
    assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt) if breaks else nullcontext():
        lint(root, fake_analysis)
    assert seen == [False] and gc.isenabled()
