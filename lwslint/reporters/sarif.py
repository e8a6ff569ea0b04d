"""SARIF 2.1.0 (OASIS), with what GitHub code scanning and editors make use of.

The chain of a finding is a code flow that ends at the finding; the same places are related locations.
URIs are relative to ``%SRCROOT%``, whose own place is left to the reader: a report holds no absolute
path.  Columns count characters (``columnKind: unicodeCodePoints``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from lwslint import __version__, discovery, documentation
from lwslint.diagnostics import Confidence, Diagnostic, Edit, Impact, Severity
from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.fingerprint import VERSION as FINGERPRINT_VERSION
from lwslint.problem import Problem
from lwslint.reporters import View, json
from lwslint.reporters.fixes import sentence
from lwslint.reporters.places import marks, region, uri
from lwslint.reporters.words import message
from lwslint.rule import LoadedRule, Rule
from lwslint.source import clean, clean_lines

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://lwslint.readthedocs.io/"
ROOT = "%SRCROOT%"

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}
_RANK = {Confidence.HIGH: 90.0, Confidence.MEDIUM: 60.0, Confidence.LOW: 30.0}
# GitHub shows a security severity instead of the level where there is one, so only what is a security
# matter has it; 7.0 and more is "high".
_SECURITY = {Severity.ERROR: "8.0", Severity.WARNING: "6.0", Severity.NOTE: "3.0"}
_LANGUAGE = {"c": "c", "cpp": "cplusplus", "python": "python"}

_LONGEST = 1000  # characters of a line that are quoted
_MOST = 20  # lines that are quoted

Json = dict[str, Any]


def report(result: Result, view: View) -> Iterator[str]:
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result, view)]}
    yield from json.dump(document, indent=2).split("\n")


def _run(result: Result, view: View) -> Json:
    rules = [*map(_rule, view.rules), *_unlisted(result.diagnostics, view.rules)]
    indexes = {rule["id"]: index for index, rule in enumerate(rules)}
    artifacts = _Artifacts(result)
    results = [
        _result(result, diagnostic, mark, indexes[diagnostic.code], artifacts)
        for diagnostic, mark in zip(result.diagnostics, marks(result), strict=True)
    ]
    return {
        "tool": {
            "driver": {
                "name": "lwslint",
                "informationUri": HOME,
                "semanticVersion": __version__,
                "rules": rules,
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            ROOT: {"description": {"text": "The folder that lwslint was started in, or was given."}}
        },
        "invocations": [_invocation(result, artifacts)],
        "artifacts": artifacts.listed,
        "results": results,
    }


# ------------------------------------------------------------------------------------- rules


def _rule(loaded: LoadedRule) -> Json:
    rule, text = loaded.rule, loaded.documentation.strip()
    return {
        **_bare_rule(rule),
        "shortDescription": {"text": documentation.summary(loaded) + "."},
        "fullDescription": {"text": text.partition("\n## ")[0].strip()},
        "help": {"text": text, "markdown": text},
    }


def _bare_rule(rule: Rule) -> Json:
    security = {"security-severity": _SECURITY[rule.severity]} if rule.impact is Impact.SECURITY else {}
    return {
        "id": rule.code,
        "name": rule.name,
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {
            "tags": [rule.family, rule.impact.name.lower()],
            "problem.severity": "recommendation" if rule.severity is Severity.NOTE else _LEVEL[rule.severity],
            **security,
        },
    }


def _unlisted(diagnostics: Sequence[Diagnostic], rules: Sequence[LoadedRule]) -> Iterator[Json]:
    """What lwslint reports without a rule that ran, in the order in which it first occurs."""
    known = {loaded.rule.code for loaded in rules}
    for diagnostic in diagnostics:
        if diagnostic.code not in known:
            known.add(diagnostic.code)
            yield {
                "id": diagnostic.code,
                "name": diagnostic.name,
                "shortDescription": {"text": f"{diagnostic.name}."},
            }


# ------------------------------------------------------------------------------------- results


def _result(result: Result, diagnostic: Diagnostic, mark: str, index: int, artifacts: _Artifacts) -> Json:
    text = _plain(message(diagnostic))
    help = clean_lines(diagnostic.help.strip())
    places = _distinct(diagnostic)
    steps = [_location(result, place, artifacts, text=_plain(clean(said))) for place, said in places]
    own = _location(result, diagnostic.place, artifacts, function=diagnostic.function)
    related = [{"id": number, **step} for number, step in enumerate(steps, 1)]
    flow = [*steps, {**own, "message": {"text": text}}]
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _LEVEL[diagnostic.severity],
        "rank": _RANK[diagnostic.confidence],
        "message": {"text": f"{text}\n\nInstead: {_plain(help)}" if help else text},
        "locations": [own],
        **({"relatedLocations": related, "codeFlows": [_flow(flow)]} if related else {}),
        **_fixes(result, diagnostic, artifacts),
        "partialFingerprints": {f"lwslintFingerprint/v{FINGERPRINT_VERSION}": mark},
        "properties": {
            "confidence": _PRECISION[diagnostic.confidence],
            "impact": diagnostic.impact.name.lower(),
        },
    }


def _fixes(result: Result, diagnostic: Diagnostic, artifacts: _Artifacts) -> Json:
    fix = diagnostic.fix
    if fix is None:
        return {}
    changes = [
        {
            "artifactLocation": artifacts.reference(path),
            "replacements": [_replacement(result, edit) for edit in edits],
        }
        for path, edits in groupby(fix.edits, key=lambda edit: edit.place.path)
    ]
    return {"fixes": [{"description": {"text": _plain(sentence(fix))}, "artifactChanges": changes}]}


def _replacement(result: Result, edit: Edit) -> Json:
    found = region(result, edit.place)
    return {
        "deletedRegion": {
            "startLine": found.line,
            "startColumn": found.column,
            "endLine": found.end_line,
            "endColumn": found.end_column,
        },
        "insertedContent": {"text": edit.replacement},
    }


def _distinct(diagnostic: Diagnostic) -> list[tuple[Place, str]]:
    """The related places, without exact repetitions."""
    return list(dict.fromkeys((step.place, step.message) for step in diagnostic.related))


def _flow(locations: Sequence[Json]) -> Json:
    steps = [{"executionOrder": number, "location": location} for number, location in enumerate(locations, 1)]
    return {"threadFlows": [{"locations": steps}]}


def _location(
    result: Result, place: Place, artifacts: _Artifacts, *, text: str = "", function: str = ""
) -> Json:
    found = region(result, place)
    location: Json = {
        "physicalLocation": {
            "artifactLocation": artifacts.reference(place.path),
            "region": {
                "startLine": found.line,
                "startColumn": found.column,
                "endLine": found.end_line,
                "endColumn": found.end_column,
            },
            "contextRegion": _context(result, place.path, found.line, found.end_line),
        }
    }
    if function:
        location["logicalLocations"] = [{"fullyQualifiedName": clean(function), "kind": "function"}]
    if text:
        location["message"] = {"text": text}
    return location


def _context(result: Result, path: str, first: int, last: int) -> Json:
    """Whole lines around a region; a very long region is not quoted."""
    text = result.texts[path]
    numbers = range(first, last + 1) if last - first < _MOST else range(0)
    snippet = "\n".join(clean(text.line(number).replace("\t", "    "))[:_LONGEST] for number in numbers)
    return {"startLine": first, "endLine": last, **({"snippet": {"text": snippet}} if snippet else {})}


def _plain(text: str) -> str:
    """Text that holds no embedded link: ``[words](target)`` is one even in plain text (3.11.6)."""
    return text.replace("](", "] (")


# ------------------------------------------------------------------------------------- files


class _Artifacts:
    """The files of the run, numbered; one that was not analysed is added when it is referred to."""

    def __init__(self, result: Result) -> None:
        self.listed: list[Json] = []
        self._indexes: dict[str, int] = {}
        for parsed in result.parsed:
            facts: Json = {"length": parsed.size, "sourceLanguage": _LANGUAGE.get(parsed.language)}
            self._add(parsed.path, {key: value for key, value in facts.items() if value is not None})

    def reference(self, path: str) -> Json:
        if path not in self._indexes:
            self._add(path, {})
        return {"uri": uri(path), "uriBaseId": ROOT, "index": self._indexes[path]}

    def _add(self, path: str, facts: Mapping[str, Any]) -> None:
        self._indexes[path] = len(self.listed)
        self.listed.append({"location": {"uri": uri(path), "uriBaseId": ROOT}, **facts})


def _invocation(result: Result, artifacts: _Artifacts) -> Json:
    """Whether the run was complete, and what it had to leave out."""
    notifications = [_notification(problem, artifacts) for problem in result.problems]
    for reason, number in discovery.count(result.skipped).items():
        notifications.append({"level": "note", "message": {"text": f"left out {number}: {reason}"}})
    return {
        "executionSuccessful": not result.problems,
        **({"toolExecutionNotifications": notifications} if notifications else {}),
    }


def _notification(problem: Problem, artifacts: _Artifacts) -> Json:
    found: Json = {"level": "error", "message": {"text": _plain(clean(problem.message))}}
    if problem.path:
        place = {"physicalLocation": {"artifactLocation": artifacts.reference(problem.path)}}
        found["locations"] = [place]
    return found
