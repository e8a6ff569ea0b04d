"""Rounds of fixing on files in memory: what is written together, and what a failure leaves behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from lwslint.diagnostics import Applicability, Diagnostic, Edit, Fix
from lwslint.engine import Parsed, Result
from lwslint.facts import Place, Span
from lwslint.fixes import rounds
from lwslint.rewrite import RewriteError
from lwslint.settings import Settings
from lwslint.source import Texts
from tests.conftest import BAD_RULE

Rule = Callable[[Mapping[str, bytes]], Iterator[Diagnostic]]


class Files:
    """Files that a rule is asked about; those in ``locked`` cannot be written, from ``lock_at`` writes on."""

    def __init__(self, folder: Path, files: dict[str, bytes], rule: Rule, language: str = "text") -> None:
        self.folder, self.files, self.rule, self.language = folder, files, rule, language
        self.locked: set[str] = set()
        self.writes: list[str] = []

    def write(self, result: Result, path: str, before: bytes, after: bytes) -> None:
        if path in self.locked:
            raise RewriteError("not writable")
        if self.files[path] != before:
            raise RewriteError("changed since it was read")
        self.files[path] = after
        self.writes.append(path)

    def lint(self) -> Result:
        reals = {}
        for number, (path, data) in enumerate(self.files.items()):
            file = self.folder / str(number)
            file.write_bytes(data)
            reals[path] = str(file)
        parsed = tuple(Parsed(path, self.language, len(data), 0) for path, data in self.files.items())
        return Result(tuple(self.rule(self.files)), parsed, (), (), Texts(reals, 10_000))

    def fix(self, **options: bool) -> rounds.Outcome:
        return rounds.run(self.lint(), self, Settings(), unsafe=options.get("unsafe", False))


def report(path: str, at: int, *edits: tuple[str, int, int, str]) -> Diagnostic:
    fix = Fix("m", Applicability.SAFE, tuple(Edit(Place(p, Span(s, e)), new) for p, s, e, new in edits))
    return BAD_RULE.report(Place(path, Span(at, at + 1)), "m", fix=fix)


def each_b_is_an_a(files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    for path, data in files.items():
        for match in re.finditer(b"b", data):
            yield report(path, match.start(), (path, *match.span(), "a"))


def first_of_all(files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """One fix that changes every file at once."""
    if all(data.startswith(b"b") for data in files.values()):
        yield report("x", 0, *((path, 0, 1, "a") for path in files))


def test_fixes_that_touch_take_a_round_each(tmp_path: Path) -> None:
    outcome = (files := Files(tmp_path, {"x": b"bbb b"}, each_b_is_an_a)).fix()
    assert files.files == {"x": b"aaa a"}
    assert (len(outcome.made), outcome.before, outcome.refused) == (4, {"x": b"bbb b"}, ())
    assert outcome.settled and files.writes == ["x", "x"]
    assert outcome.result.diagnostics == ()


def test_a_fix_that_ends_nothing_is_given_up(tmp_path: Path) -> None:
    def stubborn(files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
        yield report("x", 0, ("x", 0, 0, "a"))

    outcome = (files := Files(tmp_path, {"x": b""}, stubborn)).fix()
    assert not outcome.settled
    assert files.files["x"] == b"a" * rounds.ROUNDS


def test_files_that_one_fix_changes_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    files = Files(tmp_path, {"x": b"b", "y": b"b", "z": b"b"}, first_of_all)
    files.locked = {"z"}
    outcome = files.fix()
    assert files.files == {"x": b"b", "y": b"b", "z": b"b"}
    assert (outcome.made, outcome.before) == ((), {})
    assert outcome.refused == (
        "x: not fixed, since z was not",
        "y: not fixed, since z was not",
        "z: not writable",
    )
    files.locked = set()
    assert len(files.fix().made) == 1
    assert files.files == {"x": b"a", "y": b"a", "z": b"a"}


def test_a_file_that_cannot_be_written_keeps_no_other_from_being_fixed(tmp_path: Path) -> None:
    files = Files(tmp_path, {"x": b"b", "y": b"bb"}, each_b_is_an_a)
    files.locked = {"y"}
    outcome = files.fix()
    assert files.files == {"x": b"a", "y": b"bb"}
    assert outcome.refused == ("y: not writable",)
    assert [made.path for made in outcome.made] == ["x"]
    assert [d.place.path for d in outcome.result.diagnostics] == ["y", "y"]


def test_a_file_that_has_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    files = Files(tmp_path, {"x": b"b"}, each_b_is_an_a)
    result = files.lint()
    (tmp_path / "0").write_bytes(b"b, and more")
    outcome = rounds.run(result, files, Settings(), unsafe=False)
    assert (files.files["x"], outcome.refused) == (b"b", ("x: changed since it was read",))


@pytest.mark.parametrize(("language", "text"), [("c", b"int f(void) { return b; }"), ("python", b"f(b)\n")])
def test_what_would_not_parse_any_more_is_not_written(language: str, text: bytes, tmp_path: Path) -> None:
    def break_it(files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
        at = files["x"].index(b"b")
        yield report("x", at, ("x", at, at + 1, "((("))

    files = Files(tmp_path, {"x": text}, break_it, language)
    outcome = files.fix()
    assert files.files["x"] == text
    assert outcome.refused == ("x: not fixed: the outcome would not parse any more",)


def test_what_was_made_is_told_with_its_line(tmp_path: Path) -> None:
    outcome = Files(tmp_path, {"x": b"a\nb"}, each_b_is_an_a).fix()
    assert outcome.made == (rounds.Made("x", 2, "LWS901", "bad-call", "m", Applicability.SAFE),)


def test_unsafe_fixes_wait_for_their_option(tmp_path: Path) -> None:
    def unsafe(files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
        for found in each_b_is_an_a(files):
            assert found.fix is not None
            fix = msgspec.structs.replace(found.fix, applicability=Applicability.UNSAFE)
            yield msgspec.structs.replace(found, fix=fix)

    files = Files(tmp_path, {"x": b"b"}, unsafe)
    assert (files.fix().made, files.files["x"]) == ((), b"b")
    assert len(files.fix(unsafe=True).made) == 1
