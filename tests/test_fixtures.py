"""Each fixture is linted as a tree of its own; all its reports are compared with all its marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import fixture_marks
from tests.fixture_marks import MarkError, Marks, Place, Report, complaints
from tests.fixture_runs import lint, reports, rules

CASES = fixture_marks.cases()

# The one case that is about no single rule: the program of the README, with all its mistakes.
STORY = "wave_relay"

BAD, GOOD = "bad-", "good-"
LANGUAGES = {"c": ".c", "cpp": ".cpp"}
SUFFIXES = LANGUAGES | {
    "py": ".py",
    "lwsws": "",
    "policy": ".json",
    "cmake": ".txt",
    "make": "",
    "sh": ".sh",
    "docker": "",
    "ci": ".yml",
}
CORE_NAMES = {
    "LWS101": "off-thread-call",
    "LWS102": "concurrent-service",
    "LWS103": "context-moved-between-threads",
    "LWS104": "destroy-while-serviced",
    "LWS201": "unsupported-subprotocol",
    "LWS202": "malformed-subprotocol",
    "LWS203": "unknown-local-protocol",
    "LWS301": "missing-http-dummy",
    "LWS302": "http-client-falls-through",
    "LWS401": "permissive-tls-flags",
    "LWS402": "plaintext-despite-tls-flags",
    "LWS403": "verification-overridden",
}
# Rules to come whose programs are here already, as known misses.
LATER_NAMES = {"LWS105": "call-in-signal-handler"}
CODES = {rule.rule.name: rule.rule.code for rule in rules()} | {n: c for c, n in LATER_NAMES.items()}


def label(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


@pytest.mark.parametrize("case", CASES, ids=label)
def test_reports_are_what_the_marks_say(case: Path) -> None:
    marks = fixture_marks.read(case)
    result = lint(case)
    wrong = complaints(marks, reports(case, result))
    assert not result.problems, "\n".join(map(str, result.problems))
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_fixture_is_analysed_without_a_gap(case: Path) -> None:
    """A good program must not pass because it was not looked at, nor a rule be blamed for the parser."""
    parsed = lint(case).parsed
    words = ((b"<libwebsockets.h>",), (b"websocket", b"# expect"))
    users = [
        path
        for path in fixture_marks.sources(case)
        if any(word in path.read_bytes() for word in words[path.suffix == ".py"])
    ]
    assert {path.relative_to(case).as_posix() for path in users} <= {file.path for file in parsed}
    assert [f"{file.path}: {file.error_bytes}" for file in parsed if file.error_bytes] == []


# ------------------------------------------------------------------------------------- the set of cases


def test_every_core_rule_has_bad_and_good_programs_in_both_languages() -> None:
    present = {
        (case.parent.name, kind, language)
        for case in CASES
        for kind in (BAD, GOOD)
        for language in LANGUAGES
        if case.name.startswith(kind) and case.name.endswith(f"-{language}")
    }
    wanted = {
        (name, kind, lang) for name in CORE_NAMES.values() for kind in (BAD, GOOD) for lang in LANGUAGES
    }
    assert sorted(wanted - present) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.parent.name != STORY], ids=label)
def test_case_is_named_for_what_it_holds(case: Path) -> None:
    codes = fixture_marks.read(case).codes
    assert case.name.startswith((BAD, GOOD))
    assert (CODES[case.parent.name] in codes) == case.name.startswith(BAD)
    assert case.name.startswith(BAD) or not codes
    suffix = SUFFIXES[case.name.rpartition("-")[2]]
    assert any(path.suffix == suffix for path in fixture_marks.sources(case))


def test_rules_are_called_what_the_folders_are_called() -> None:
    names = {rule.rule.code: rule.rule.name for rule in rules()}
    assert {code: names.get(code) for code in CORE_NAMES} == CORE_NAMES


def test_the_story_has_all_four_mistakes_and_its_twin_none() -> None:
    bad = fixture_marks.read(fixture_marks.FOLDER / STORY / "bad")
    repaired = fixture_marks.read(fixture_marks.FOLDER / STORY / "repaired")
    assert {code[:4] for code in bad.codes} == {"LWS1", "LWS2", "LWS3", "LWS4"}
    assert not repaired.codes


# ------------------------------------------------------------------------------------- the comparison

LINE_2 = Place("a.c", 2, "LWS101")


def report(severity: str = "error", place: Place = LINE_2) -> Report:
    return Report(place, severity, "what happens")


def marks(expected: Mapping[Place, tuple[str, ...]], *missed: Place) -> Marks:
    return Marks(expected, frozenset(missed))


def write(folder: Path, text: str) -> Path:
    (folder / "a.c").write_text(text)
    return folder


def test_marks_are_read_in_both_comment_styles(tmp_path: Path) -> None:
    text = (
        "a(); // expect: LWS101 error, LWS401 note\n"
        "b(); /* expect: LWS201 warning */ \\\n"
        "c(); // miss: LWS101 why\n"
    )
    assert fixture_marks.read(write(tmp_path, text)) == marks(
        {
            Place("a.c", 1, "LWS101"): ("error",),
            Place("a.c", 1, "LWS401"): ("note",),
            Place("a.c", 2, "LWS201"): ("warning",),
        },
        Place("a.c", 3, "LWS101"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "a(); // expect: LWS101",
        "a(); // expect LWS101 error",
        "a(); // expect: LWS101 fatal",
        "a(); // expect: LWS101 error LWS102 error",
        "a(); // Expected: LWS101 error",
        "a(); // miss: LWS101",
        "a(); /* expect: LWS101 error */ b();",
    ],
)
def test_a_mistyped_mark_is_an_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(MarkError, match=r"a\.c:1"):
        fixture_marks.read(write(tmp_path, line + "\n"))


@pytest.mark.parametrize(
    ("said", "found", "complaint"),
    [
        (marks({}), [report()], "a.c:2: LWS101 error: extra: what happens"),
        (marks({LINE_2: ("error",)}), [], "a.c:2: LWS101 error: missing"),
        (
            marks({LINE_2: ("error",)}),
            [report("note")],
            "a.c:2: LWS101: note instead of error: what happens",
        ),
        (
            marks({LINE_2: ("error",)}),
            [report(), report()],
            "a.c:2: LWS101 error: extra: what happens",
        ),
        (
            marks({}, LINE_2),
            [report()],
            "a.c:2: LWS101 error: a known miss is found now, mark it: what happens",
        ),
    ],
)
def test_a_difference_is_one_complaint(said: Marks, found: list[Report], complaint: str) -> None:
    assert complaints(said, found) == [complaint]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (marks({}), []),
        (marks({LINE_2: ("error",)}), [report()]),
        (marks({LINE_2: ("note", "error")}), [report("error"), report("note")]),
        (marks({}, LINE_2), []),
    ],
)
def test_agreement_is_no_complaint(said: Marks, found: list[Report]) -> None:
    assert complaints(said, found) == []


def test_reports_of_another_line_or_rule_do_not_answer_a_mark() -> None:
    beside = [report(place=Place("a.c", 3, "LWS101")), report(place=Place("a.c", 2, "LWS102"))]
    assert len(complaints(marks({LINE_2: ("error",)}), beside)) == 3
