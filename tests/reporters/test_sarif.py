"""SARIF: the right shape, and references that lead somewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
import pytest

from lwslint.engine import Result
from lwslint.reporters import View
from lwslint.reporters.places import uri
from tests.conftest import FAKE_RULES
from tests.reporters.results import TAME, document, hostile, tame
from tests.reporters.sarif_shape import LOG

jsonschema = pytest.importorskip("jsonschema")
OFFICIAL = os.environ.get("LWSLINT_SARIF_SCHEMA", "")


def run_of(result: Result, view: View | None = None) -> dict[str, Any]:
    text = document("sarif", result) if view is None else document("sarif", result, view)
    log = json.loads(text)
    jsonschema.Draft202012Validator(LOG).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_the_shape_is_that_of_the_standard(tmp_path: Path) -> None:
    run_of(tame(tmp_path / "a"))
    run_of(hostile(tmp_path / "b"))
    run_of(msgspec.structs.replace(tame(tmp_path / "c"), diagnostics=(), parsed=(), problems=()), View())


@pytest.mark.skipif(not OFFICIAL, reason="LWSLINT_SARIF_SCHEMA names no copy of the standard's schema")
def test_the_standards_own_schema_accepts_it(tmp_path: Path) -> None:
    schema = json.loads(Path(OFFICIAL).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)
    for result in (tame(tmp_path / "a"), hostile(tmp_path / "b")):
        log = json.loads(document("sarif", result))
        validator(schema, format_checker=validator.FORMAT_CHECKER).validate(log)


def test_indexes_lead_to_what_they_name(tmp_path: Path) -> None:
    run = run_of(hostile(tmp_path))
    rules, artifacts = run["tool"]["driver"]["rules"], run["artifacts"]
    assert [rule["id"] for rule in rules] == ["LWS901", "LWS902", "LWS999"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    for location in _artifact_locations(run["results"]) + _artifact_locations(run["invocations"]):
        assert artifacts[location["index"]]["location"]["uri"] == location["uri"]


def _artifact_locations(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value["artifactLocation"]] if "artifactLocation" in value else []
        return own + [found for item in value.values() for found in _artifact_locations(item)]
    return [found for item in value for found in _artifact_locations(item)] if isinstance(value, list) else []


def test_the_chain_is_a_flow_that_ends_at_the_finding(tmp_path: Path) -> None:
    result = run_of(tame(tmp_path))["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["executionOrder"] for step in steps] == [1, 2, 3]
    place = result["locations"][0]["physicalLocation"]
    assert steps[-1]["location"]["physicalLocation"] == place
    assert place["region"] == {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 11}
    assert place["contextRegion"]["snippet"]["text"].startswith("    lws_write(")
    assert [related["id"] for related in result["relatedLocations"]] == [1, 2]
    assert [step["location"]["physicalLocation"] for step in steps[:2]] == [
        related["physicalLocation"] for related in result["relatedLocations"]
    ]
    assert "codeFlows" not in run_of(tame(tmp_path))["results"][1]


def test_problems_are_notifications_and_the_run_no_success(tmp_path: Path) -> None:
    outcome = tame(tmp_path)
    invocation = run_of(outcome)["invocations"][0]
    assert not invocation["executionSuccessful"]
    notifications = invocation["toolExecutionNotifications"]
    assert [item["level"] for item in notifications] == ["error", "error"]
    assert notifications[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == TAME
    whole = msgspec.structs.replace(outcome, problems=())
    assert run_of(whole)["invocations"] == [{"executionSuccessful": True}]


def test_rules_explain_themselves(tmp_path: Path) -> None:
    rule = run_of(tame(tmp_path))["tool"]["driver"]["rules"][0]
    assert rule["shortDescription"] == {"text": "A bad call."}
    assert rule["help"]["markdown"] == FAKE_RULES[0].documentation
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {"tags": ["fake", "crash"], "problem.severity": "error"}


def test_plain_text_holds_no_link(tmp_path: Path) -> None:
    run = run_of(hostile(tmp_path))
    texts = [result["message"]["text"] for result in run["results"]]
    assert all("](" not in text for text in texts) and any("[l] (1)" in text for text in texts)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.c", "src/a.c"),
        ("a b/%41:c?#.c", "a%20b/%2541%3Ac%3F%23.c"),
        ("../x/./a.c", "x/a.c"),
        ("/etc/a.c", "etc/a.c"),
        ("\udcff\u00e9.c", "%FF%C3%A9.c"),
    ],
)
def test_a_path_as_a_relative_uri(path: str, expected: str) -> None:
    assert uri(path) == expected
    assert os.fsdecode(unquote_to_bytes(expected)).endswith(path.lstrip("./").replace("./", ""))
