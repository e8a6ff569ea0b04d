"""What the report formats print, to the byte."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
import pytest

from lwslint import documentation, engine
from lwslint.diagnostics import Diagnostic, Severity, Step
from lwslint.engine import Parsed, Result
from lwslint.facts import Place, Span
from lwslint.fingerprint import fingerprints
from lwslint.problem import Problem
from lwslint.reporters import View, render, summary
from lwslint.reporters.style import Style, wants_colour
from lwslint.source import Texts
from tests.conftest import BAD_RULE, FAKE_RULES, LOST_RULE, WriteTree

RELAY = "int main(void)\n{\n\tlws_write(wsi);\n\treturn run();\n}\n"
PLAIN = Style()


def span(text: str, needle: str) -> Span:
    start = text.encode().index(needle.encode())
    return Span(start, start + len(needle.encode()))


def result(root: Path, *diagnostics: Diagnostic, problems: tuple[Problem, ...] = ()) -> Result:
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return Result(
        diagnostics=diagnostics,
        parsed=tuple(Parsed(path, "c", (root / path).stat().st_size, 0) for path in paths),
        skipped=(),
        problems=problems,
        texts=Texts({path: str(root / path) for path in paths}, 1000),
    )


def report(name: str, outcome: Result, *, width: int = 100) -> list[str]:
    return list(render(name, outcome, View(width=width, summary=False)))


@pytest.fixture
def relay(write_tree: WriteTree) -> Result:
    root = write_tree({"src/relay.c": RELAY})
    place = Place("src/relay.c", span(RELAY, "lws_write(wsi)"))
    crash = BAD_RULE.report(
        place,
        "the relay crashes: `lws_write` runs on `main`",
        help=(
            "Queue the frame, wake the service thread with lws_cancel_service(), and write it in "
            "LWS_CALLBACK_SERVER_WRITEABLE.\n    queue_push(frame);\nNothing else is safe."
        ),
        related=[
            Step(Place("src/relay.c", span(RELAY, "main")), "the thread starts here"),
            Step(Place("src/relay.c", span(RELAY, "run()")), "and serves the context here"),
        ],
    )
    lost = LOST_RULE.report(Place("src/relay.c", span(RELAY, "return")), "the connection is lost")
    return result(root, crash, lost)


def test_full(relay: Result) -> None:
    assert "\n".join(report("full", relay, width=80)) == (
        """\
error[LWS901] the relay crashes: `lws_write` runs on `main`
  --> src/relay.c:3:2
3 |     lws_write(wsi);
  |     ^^^^^^^^^^^^^^

  1. src/relay.c:1:5: the thread starts here
     1 | int main(void)
       |     ^^^^
  2. src/relay.c:4:9: and serves the context here
     4 |     return run();
       |            ^^^^^

  help: Queue the frame, wake the service thread with lws_cancel_service(), and
        write it in LWS_CALLBACK_SERVER_WRITEABLE.
            queue_push(frame);
        Nothing else is safe.
  at stake: crash · https://lwslint.readthedocs.io/rules/bad-call

warning[LWS902] the connection is lost
  --> src/relay.c:4:2
4 |     return run();
  |     ^^^^^^
  at stake: connection · https://lwslint.readthedocs.io/rules/lost-call
"""
    )


def test_concise(relay: Result) -> None:
    assert list(report("concise", relay)) == [
        "src/relay.c:3:2: error[LWS901] the relay crashes: `lws_write` runs on `main`",
        "src/relay.c:4:2: warning[LWS902] the connection is lost",
    ]


def test_json(relay: Result) -> None:
    document = json.loads("\n".join(report("json", relay)))
    assert document["version"] == 1
    first = document["diagnostics"][0]
    assert first == {
        "code": "LWS901",
        "name": "bad-call",
        "severity": "error",
        "confidence": "high",
        "impact": "crash",
        "path": "src/relay.c",
        "line": 3,
        "column": 2,
        "end_line": 3,
        "end_column": 16,
        "message": "the relay crashes: `lws_write` runs on `main`",
        "help": relay.diagnostics[0].help,
        "url": "https://lwslint.readthedocs.io/rules/bad-call",
        "related": [
            {"path": "src/relay.c", "line": 1, "column": 5, "message": "the thread starts here"},
            {"path": "src/relay.c", "line": 4, "column": 9, "message": "and serves the context here"},
        ],
        "fix": None,
        "fingerprint": fingerprints(relay.diagnostics, relay.texts)[0],
    }
    assert document["summary"] == {
        "files": 1,
        "errors": 1,
        "warnings": 1,
        "notes": 0,
        "parse": {"files": 1, "bytes": len(RELAY), "files_with_errors": 0, "error_bytes": 0},
        "skipped": {},
        "hidden": {},
        "stale": 0,
        "problems": [],
    }


def test_the_summary_counts_and_says_what_to_fix_first(relay: Result) -> None:
    assert summary.lines(relay, PLAIN) == [
        "Analysed 1 file.",
        "Found 2 findings in 1 file: 1 error, 1 warning.",
        "Fix first: src/relay.c:4:2 LWS902 lost-call (connection).",
    ]
    assert summary.statistics(relay, PLAIN) == ["1  LWS901 bad-call", "1  LWS902 lost-call"]


def test_the_summary_of_nothing_says_so(tmp_path: Path) -> None:
    assert summary.lines(result(tmp_path), PLAIN) == ["Nothing to lint: no C, C++ or Python files found."]
    broken = result(tmp_path, problems=(Problem("a.c", "cannot be read"),))
    assert summary.lines(broken, PLAIN) == [
        "No file could be analysed.",
        "1 problem kept the analysis from being complete.",
    ]


EVIL_NAME = "a\x1b[2J\n\u202eb.c"
EVIL_TEXT = 'lws_x("\x1b]0;owned\x07\u202e\x9b\u2028");\n'


def test_nothing_from_the_linted_tree_can_move_hide_or_fake_output(write_tree: WriteTree) -> None:
    root = write_tree({EVIL_NAME: EVIL_TEXT})
    place = Place(EVIL_NAME, span(EVIL_TEXT, ");"))
    evil = BAD_RULE.report(
        place,
        "call of \x1b[31m\nfake.c:1:1: error",
        help="not \x1b[31m\nthis",
        related=[Step(place, "\x07\n\u2066")],
    )
    outcome = result(root, evil, problems=(Problem(EVIL_NAME, "\x1b"),))
    texts = [
        *report("full", outcome, width=80),
        *report("concise", outcome),
        *summary.lines(outcome, PLAIN),
        *report("json", outcome),
    ]
    assert all(text.isprintable() for text in texts)
    assert list(report("concise", outcome)) == [
        r"a\x1b[2J\n\u202eb.c:1:22: error[LWS901] call of \x1b[31m\nfake.c:1:1: error"
    ]
    shown = [line for line in texts if line.startswith("1 | ")]
    assert shown == [r'1 | lws_x("\x1b]0;owned\x07\u202e\x9b\u2028");']
    caret = texts[texts.index(shown[0]) + 1]
    assert caret.index("^") == shown[0].index(");")


def test_wide_characters_keep_the_carets_in_place(write_tree: WriteTree) -> None:
    text = '\tlog("连接", bad);\n'
    root = write_tree({"a.c": text.encode("gbk")})
    data = text.encode("gbk")
    start = data.index(b"bad")
    outcome = result(root, BAD_RULE.report(Place("a.c", Span(start, start + 3)), "x"))
    lines = list(report("full", outcome))
    assert lines[1] == "  --> a.c:1:12"
    assert lines[2:4] == ['1 |     log("连接", bad);', "  |                 ^^^"]


def test_a_place_that_cannot_be_shown_is_reported_without_its_line(tmp_path: Path) -> None:
    outcome = result(tmp_path, BAD_RULE.report(Place("gone.c", Span(10, 20)), "x"))
    assert list(report("full", outcome))[:3] == [
        "error[LWS901] x",
        "  --> gone.c:1:1",
        "  at stake: crash · https://lwslint.readthedocs.io/rules/bad-call",
    ]


def test_colour_changes_nothing_but_colour(relay: Result) -> None:
    import re

    coloured = "\n".join(render("full", relay, View(Style(colour=True), 80, summary=False)))
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == "\n".join(report("full", relay, width=80))


@pytest.mark.parametrize(
    ("environment", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_when_there_is_colour(environment: dict[str, str], terminal: bool, expected: bool) -> None:
    assert wants_colour(environment, terminal=terminal) is expected


def test_a_rule_is_explained_with_its_code_indented() -> None:
    assert documentation.explain(FAKE_RULES[0], PLAIN) == (
        "LWS901 bad-call\n"
        "family: fake · severity: error · at stake: crash · C, C++ · since 0.1.0\n\n"
        "A bad call.\n\nWhat it reports\n\nCalls.\n\n    #include <x.h>\n\n"
        "https://lwslint.readthedocs.io/rules/bad-call\n"
    )


def test_rules_are_listed_in_columns() -> None:
    assert documentation.table(FAKE_RULES, PLAIN) == (
        "code    name       family  severity  reports\n"
        "LWS901  bad-call   fake    error     A bad call\n"
        "LWS902  lost-call  other   warning   A lost call\n"
    )


def test_counts_by_severity(relay: Result) -> None:
    assert [relay.of(severity) for severity in Severity] == [0, 1, 1]
    assert engine.fails(relay, Severity.ERROR)


def test_many_findings_on_one_long_line_are_still_quick(write_tree: WriteTree) -> None:
    call = "lws_x(); "
    text = call * 60_000
    root = write_tree({"a.c": text})
    found = [BAD_RULE.report(Place("a.c", Span(at, at + 5)), "x") for at in range(0, len(text), 9 * 30)]
    outcome = result(root, *found)
    outcome = msgspec.structs.replace(outcome, texts=Texts({"a.c": str(root / "a.c")}, 1_000_000))
    before = time.process_time()
    assert sum(1 for line in report("full", outcome) if "^" in line) == 2000
    assert time.process_time() - before < 10
