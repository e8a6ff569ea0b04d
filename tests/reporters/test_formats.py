"""The formats of other tools, read back as those tools read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from lwslint.diagnostics import Severity
from lwslint.engine import Result
from lwslint.facts import Place, Span
from lwslint.fingerprint import fingerprints
from lwslint.reporters import FORMATS, View, render
from lwslint.reporters.words import headline
from lwslint.source import Texts
from tests.conftest import BAD_RULE, WriteTree
from tests.reporters.results import TAME, VIEW, document, report, tame


@pytest.fixture
def outcome(tmp_path: Path) -> Result:
    return tame(tmp_path)


def test_grouped(outcome: Result) -> None:
    lines = report("grouped", outcome, VIEW._replace(summary=False))
    assert lines[0] == "tame.c: 3 findings"
    assert lines[1].startswith("  3:2  error    LWS901  [*unsafe] the program crashes: plain words")
    assert lines[2].startswith("  4:2  note     LWS902  [*] plain words")
    assert lines[3:] == ["  1:1  warning  LWS999  m", ""]


def test_json_lines_say_what_json_says(outcome: Result) -> None:
    whole = json.loads(document("json", outcome))
    *found, last = map(json.loads, report("jsonl", outcome))
    assert [{k: v for k, v in line.items() if k != "kind"} for line in found] == whole["diagnostics"]
    assert {line["kind"] for line in found} == {"diagnostic"}
    assert last == {"kind": "summary", "version": 1, **whole["summary"]}


def test_gitlab(outcome: Result) -> None:
    issues = json.loads(document("gitlab", outcome))
    assert issues[0] == {
        "description": f"LWS901 bad-call: {outcome.diagnostics[0].message}",
        "check_name": "bad-call",
        "fingerprint": fingerprints(outcome.diagnostics, outcome.texts)[0],
        "severity": "critical",
        "location": {
            "path": TAME,
            "positions": {"begin": {"line": 3, "column": 2}, "end": {"line": 3, "column": 11}},
            "lines": {"begin": 3, "end": 3},
        },
    }
    assert [issue["severity"] for issue in issues] == ["critical", "info", "major"]


def test_a_fingerprint_counts_hidden_equals(write_tree: WriteTree) -> None:
    text = "x();\nx();\n"
    root = write_tree({"a.c": text})
    first, second = (BAD_RULE.report(Place("a.c", Span(at, at + 1)), "m") for at in (0, 5))
    outcome = Result((second,), (), (), (), Texts({"a.c": f"{root}/a.c"}, 99), everything=(first, second))
    wanted = fingerprints((first, second), outcome.texts)[1]
    assert json.loads(document("gitlab", outcome))[0]["fingerprint"] == wanted


def test_rdjson_counts_bytes(write_tree: WriteTree) -> None:
    text = '\té("连") bad();\n'.encode()
    root = write_tree({"a.c": text})
    start = text.index(b"bad")
    found = BAD_RULE.report(Place("a.c", Span(start, start + 5)), "m")
    outcome = Result((found,), (), (), (), Texts({"a.c": f"{root}/a.c"}, 99))
    diagnostic = json.loads(document("rdjson", outcome))["diagnostics"][0]
    assert diagnostic["location"]["range"] == {
        "start": {"line": 1, "column": start + 1},
        "end": {"line": 1, "column": start + 6},
    }
    assert diagnostic["code"] == {"value": "LWS901", "url": BAD_RULE.url}
    assert diagnostic["severity"] == "ERROR"


def test_rdjson_has_the_chain(outcome: Result) -> None:
    diagnostics = json.loads(document("rdjson", outcome))["diagnostics"]
    related = [item["location"]["range"]["start"]["line"] for item in diagnostics[0]["relatedLocations"]]
    assert related == [1, 4]
    assert "relatedLocations" not in diagnostics[1]


def test_checkstyle(outcome: Result) -> None:
    root = ElementTree.fromstring(document("checkstyle", outcome))
    assert [(file.get("name"), len(file)) for file in root] == [(TAME, 3), (TAME, 1), ("", 1)]
    assert root[0][0].attrib == {
        "line": "3",
        "column": "2",
        "severity": "error",
        "message": outcome.diagnostics[0].message,
        "source": "lwslint.LWS901",
    }
    assert [error.get("severity") for error in root.iter("error")] == [
        "error",
        "info",
        "warning",
        *["error"] * 2,
    ]


def test_junit_as_a_ci_system_counts_it(outcome: Result, tmp_path: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    path = tmp_path / "junit.xml"
    path.write_text(document("junit", outcome), encoding="utf-8")
    suites = junitparser.JUnitXml.fromfile(str(path))
    counted = {suite.name: (suite.tests, suite.failures, suite.errors) for suite in suites}
    assert counted == {"clean.c": (1, 0, 0), TAME: (3, 2, 0), "not analysed": (2, 0, 2)}
    assert (suites.tests, suites.failures, suites.errors) == (6, 2, 2)
    passed = [case.name for suite in suites for case in suite if case.is_passed]
    assert passed == ["no findings", "LWS902 lost-call at line 4, column 2"]  # a note, below --fail-on


@pytest.mark.parametrize(
    ("fail_on", "failures"), [(None, 0), (Severity.ERROR, 1), (Severity.WARNING, 2), (Severity.NOTE, 3)]
)
def test_junit_fails_what_makes_the_run_fail(
    outcome: Result, fail_on: Severity | None, failures: int
) -> None:
    root = ElementTree.fromstring(document("junit", outcome, View(fail_on=fail_on)))
    assert root.get("failures") == str(failures) == str(len(list(root.iter("failure"))))


def test_html_numbers_its_steps_and_links_lead_somewhere(outcome: Result) -> None:
    text = document("html", outcome)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets and targets <= set(ids)
    assert re.findall(r'<text class="lane"[^>]*>([^<]+)<', text)[1] == "the service thread"
    assert '<tr class="meant"><td>3</td><td>    <mark>lws_write</mark>(' in text


def test_an_html_report_of_nothing(outcome: Result) -> None:
    text = document("html", msgspec.structs.replace(outcome, diagnostics=(), problems=()))
    assert "No findings." in text and "<form" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reports_nothing_and_is_the_same_twice(name: str, outcome: Result) -> None:
    assert report(name, outcome) == report(name, outcome)
    nothing = msgspec.structs.replace(outcome, diagnostics=(), problems=(), parsed=())
    for line in report(name, nothing):
        assert TAME not in line


def test_an_unknown_format_is_refused(outcome: Result) -> None:
    with pytest.raises(ValueError, match="no format"):
        list(render("pdf", outcome, VIEW))


LONG = "lws_x() " + "runs " * 30


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("short: and sweet", ("short: and sweet", "")),
        (f"the connection hangs for ever: {LONG}", ("the connection hangs for ever", LONG)),
        # A header's name and value stay together, and so does what is in brackets or quotes.
        (f"offers Sec-WebSocket-Protocol: chat.v1, which {LONG}", None),
        (f'goes to the row "a; b: c, d" of table(x, y; z), {LONG}', None),
        (f"x: a first clause that says enough; {LONG}", ("x: a first clause that says enough", LONG)),
        ("w" * 200, ("w" * 200, "")),
    ],
)
def test_a_headline_ends_with_a_clause(message: str, expected: tuple[str, str] | None) -> None:
    head, rest = headline(message)
    if expected is not None:
        assert (head, rest) == expected
    else:
        assert head in ("offers Sec-WebSocket-Protocol: chat.v1", message.removesuffix(f", {LONG}"))
    assert re.sub(r"[:;,\s]", "", head + rest) == re.sub(r"[:;,\s]", "", message)


def test_a_headline_without_a_clause_is_cut_between_words() -> None:
    head, rest = headline(LONG.strip())
    assert len(head) <= 110 and f"{head} {rest}" == LONG.strip()
    within = "a " * 55 + "b " * 10 + ", end" + " c" * 50
    assert headline(within)[0] == ("a " * 55 + "b " * 10)


def test_full_wraps_a_headline_that_no_clause_ends_in_time(tmp_path: Path) -> None:
    lines = report("full", tame(tmp_path, "word " * 60), VIEW._replace(width=70))
    header = lines[: next(number for number, line in enumerate(lines) if "-->" in line)]
    assert header[0].startswith("error[LWS901] the program crashes")
    assert len(header) > 2
    assert all(len(line) <= 70 for line in header), header


# ------------------------------------------------------------------------------------- fixes


def test_json_has_the_edits_of_a_fix(outcome: Result) -> None:
    found = json.loads(document("json", outcome))["diagnostics"]
    assert [d["fix"] and d["fix"]["applicability"] for d in found] == ["unsafe", "safe", None]
    assert found[1]["fix"] == {
        "message": "do it",
        "applicability": "safe",
        "edits": [
            {
                "path": "tame.c",
                "line": 4,
                "column": 2,
                "end_line": 4,
                "end_column": 8,
                "replacement": "exit",
            }
        ],
    }


def test_sarif_has_the_edits_of_a_fix(outcome: Result) -> None:
    found = json.loads(document("sarif", outcome))["runs"][0]["results"]
    assert [len(r.get("fixes", ())) for r in found] == [1, 1, 0]
    assert found[1]["fixes"][0]["description"]["text"] == "do it (--fix)"
    change = found[1]["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "tame.c"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 8},
            "insertedContent": {"text": "exit"},
        }
    ]


def test_rdjson_suggests_what_a_fix_changes(outcome: Result) -> None:
    found = json.loads(document("rdjson", outcome))["diagnostics"]
    assert found[1]["suggestions"] == [
        {"range": {"start": {"line": 4, "column": 2}, "end": {"line": 4, "column": 8}}, "text": "exit"}
    ]
    assert "suggestions" not in found[2]


def test_people_are_told_of_a_fix_and_of_the_option_it_takes(outcome: Result) -> None:
    lines = report("full", outcome)
    assert "  fix: do it (--fix)" in lines
    assert "1 fixable with --fix (1 more with --unsafe-fixes)." in lines
    assert report("concise", outcome)[1].startswith("tame.c:4:2: note[LWS902] [*] plain")


def test_html_shows_the_lines_that_a_fix_changes(outcome: Result) -> None:
    text = document("html", outcome)
    assert "<h4>Fix: do it</h4>" in text
    assert '<tr class="removed"><td>-</td><td>    return run();</td></tr>' in text
    assert '<tr class="added"><td>+</td><td>    exit run();</td></tr>' in text


def test_a_file_that_has_changed_meanwhile_is_shown_without_its_fix(outcome: Result, tmp_path: Path) -> None:
    (tmp_path / "source.c").write_text("int main(void)\n{ lws_write(\n")
    assert '<tr class="added">' not in document("html", outcome)
