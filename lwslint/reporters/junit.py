"""JUnit's XML: a test suite for each analysed file, a test case for each finding.

A finding below ``--fail-on`` is a test that passed, with the finding as its output; a file without
findings is one test that passed; what could not be analysed is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.engine import Result
from lwslint.problem import Problem
from lwslint.reporters import View, xml
from lwslint.reporters.places import region
from lwslint.reporters.words import headline, message, paragraphs
from lwslint.source import clean


def report(result: Result, view: View) -> Iterator[str]:
    by_file: dict[str, list[Diagnostic]] = {parsed.path: [] for parsed in result.parsed}
    for diagnostic in result.diagnostics:
        by_file.setdefault(diagnostic.place.path, []).append(diagnostic)
    root = xml.Element("testsuites", {"name": "lwslint"})
    tests = failures = 0
    for path, found in sorted(by_file.items()):
        suite = _suite(root, result, path, found, view.fail_on)
        tests += int(suite.attrib["tests"])
        failures += int(suite.attrib["failures"])
    _problems(root, result.problems)
    root.attrib |= {
        "tests": str(tests + len(result.problems)),
        "failures": str(failures),
        "errors": str(len(result.problems)),
    }
    yield from xml.lines(root)


def _suite(
    root: xml.Element, result: Result, path: str, found: Sequence[Diagnostic], fail_on: Severity | None
) -> xml.Element:
    failing = [fail_on is not None and diagnostic.severity >= fail_on for diagnostic in found]
    counts = {"tests": max(len(found), 1), "failures": sum(failing), "errors": 0}
    suite = xml.add(root, "testsuite", {"name": clean(path), **counts})
    for diagnostic, fails in zip(found, failing, strict=True):
        _case(suite, result, diagnostic, fails=fails)
    if not found:
        xml.add(suite, "testcase", {"name": "no findings", "classname": clean(path), "file": clean(path)})
    return suite


def _case(suite: xml.Element, result: Result, diagnostic: Diagnostic, *, fails: bool) -> None:
    place = region(result, diagnostic.place)
    name = f"{diagnostic.code} {diagnostic.name} at line {place.line}, column {place.column}"
    attributes = {"name": name, "classname": place.path, "file": place.path, "line": place.line}
    case = xml.add(suite, "testcase", attributes)
    text = f"{place.path}:{place.line}:{place.column}: {paragraphs(result, diagnostic)}"
    if fails:
        kind = diagnostic.severity.name.lower()
        xml.add(case, "failure", {"message": headline(message(diagnostic))[0], "type": kind}, text)
    else:
        xml.add(case, "system-out", {}, text)


def _problems(root: xml.Element, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    counts = {"tests": len(problems), "failures": 0, "errors": len(problems)}
    suite = xml.add(root, "testsuite", {"name": "not analysed", **counts})
    for problem in problems:
        path = clean(problem.path)
        case = xml.add(suite, "testcase", {"name": path or "lwslint", "classname": "lwslint"})
        xml.add(case, "error", {"message": clean(problem.message), "type": "not analysed"})
