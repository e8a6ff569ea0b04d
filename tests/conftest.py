"""Shared fixtures: trees on disk, and a run with one tiny rule in place of the real analysis."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lwslint import registry
from lwslint.build.model import Builds
from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import FileFacts, Function, Place, Span
from lwslint.rule import LoadedRule, Rule

# Tests import each other as `tests.…`.  The checkout goes last, so that an installed lwslint is what
# gets tested.
_ROOT = str(Path(__file__).resolve().parent.parent)
if _ROOT not in sys.path:
    sys.path.append(_ROOT)

# No test reads or writes the cache of whoever runs it; also none that starts a process.
os.environ["LWSLINT_CACHE_DIR"] = ""

WriteTree = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write_tree(tmp_path: Path) -> WriteTree:
    """Writes files (name to content) below a fresh folder and returns the folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


# A stand-in for a front end: each `lws_bad_N()` becomes a "function" whose name says which severity
# the stand-in for a rule gives it.
_BAD = re.compile(rb"lws_bad_(error|warning|note)\(\)")

BAD_RULE = Rule(code="LWS901", name="bad-call", family="fake", impact=Impact.CRASH)
LOST_RULE = Rule(
    code="LWS902", name="lost-call", family="other", impact=Impact.CONNECTION, severity=Severity.WARNING
)


def fake_facts(path: str, data: bytes) -> FileFacts:
    calls = tuple(
        Function(match[1].decode(), match[1].decode(), Span(*match.span()), Span(*match.span()), (), ())
        for match in _BAD.finditer(data)
    )
    return FileFacts(path=path, language="c", size=len(data), functions=calls)


class FakeProject:
    """A project without a model; what rules in two processes share is nothing."""

    flow = None

    def __init__(
        self, facts: Sequence[FileFacts], settings: object, bodies: object = None, build: object = None
    ) -> None:
        self.facts = facts
        self.build = build or Builds()

    def calls_to(self, *names: str) -> tuple[()]:
        return ()


def check_bad(project: Any) -> Iterator[Diagnostic]:
    for facts in project.facts:
        for call in facts.functions:
            place = Place(facts.path, call.span)
            yield BAD_RULE.report(
                place,
                "the program crashes here",
                severity=Severity[call.name.upper()],
                help="call `lws_good()` instead",
                related=[Step(Place(facts.path, Span(0, 1)), "the file begins here")],
            )


def check_lost(project: Any) -> Iterator[Diagnostic]:
    for facts in project.facts:
        if facts.path.endswith("lost.c"):
            yield LOST_RULE.report(Place(facts.path, Span(0, 3)), "the connection is lost")


FAKE_RULES = (
    LoadedRule(
        BAD_RULE, "A bad call.\n\n## What it reports\n\nCalls.\n\n```c\n#include <x.h>\n```", check_bad
    ),
    LoadedRule(LOST_RULE, "A lost call.", check_lost),
)


@pytest.fixture
def fake_analysis(monkeypatch: pytest.MonkeyPatch) -> tuple[LoadedRule, ...]:
    """Replaces front end, model and rules by the stand-ins above."""
    monkeypatch.setattr(registry, "load", lambda names=None: FAKE_RULES)
    monkeypatch.setattr(
        "lwslint.frontends.c.extract", lambda path, data, language, settings: fake_facts(path, data)
    )
    monkeypatch.setattr("lwslint.model.project.Project", FakeProject)
    return FAKE_RULES
