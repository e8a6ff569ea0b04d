"""One run: discover, gather facts, link them, ask the rules, filter and sort.

Prints nothing and knows no command line.  Whatever fails is recorded as a problem and the rest of
the run goes on: half of the findings and a clear message are worth more than a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Diagnostic, Severity, sort_key
from lwslint.discovery import Exclusion, Skipped, discover
from lwslint.facts import FileFacts, Span
from lwslint.problem import Problem, crash
from lwslint.rule import LoadedRule
from lwslint.settings import Settings
from lwslint.source import Texts

if TYPE_CHECKING:
    from lwslint.model.project import Project

Progress = Callable[[int, int], None]


class Parsed(msgspec.Struct, frozen=True):
    """How well one file parsed: its size, and how many bytes lie in syntax that was not understood."""

    path: str
    language: str
    size: int
    error_bytes: int
    errors: tuple[Span, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """What a run found.  ``parsed`` are the files analysed; ``other`` counts the files that are not
    source code; ``texts`` gives reporters the lines to show."""

    diagnostics: tuple[Diagnostic, ...]
    parsed: tuple[Parsed, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    texts: Texts
    other: int = 0

    def of(self, severity: Severity) -> int:
        return sum(1 for diagnostic in self.diagnostics if diagnostic.severity is severity)


def lint(
    paths: Sequence[str],
    settings: Settings,
    rules: Sequence[LoadedRule],
    *,
    cwd: str,
    exclude: Sequence[Exclusion] = (),
    progress: Progress | None = None,
) -> Result:
    """Lint ``paths`` with ``rules`` (already selected).

    ``exclude`` stands for ``settings.exclude``, bound to the folders that its patterns start in.
    ``progress`` is called with files done and files in all.
    """
    found = discover(paths, cwd=cwd, exclude=exclude)
    # Imported late, with the parsers: `lwslint rules` and `--version` need neither.
    from lwslint.gather import gather

    gathered = gather(found.files, settings, progress)
    diagnostics, crashes = check(gathered.facts, settings, rules)
    return Result(
        diagnostics=diagnostics,
        parsed=tuple(map(_parsed, gathered.facts)),
        skipped=tuple(sorted((*found.skipped, *gathered.skipped), key=lambda item: item.path)),
        problems=(*found.problems, *gathered.problems, *crashes),
        texts=Texts({file.path: file.real for file in found.files}, settings.max_file_size),
        other=found.other,
    )


def check(
    facts: Sequence[FileFacts], settings: Settings, rules: Sequence[LoadedRule]
) -> tuple[tuple[Diagnostic, ...], tuple[Problem, ...]]:
    """Link the facts and ask each rule; the findings come filtered, sorted and without repetition.

    With no facts nothing is linked: a tree without libwebsockets has no project.
    """
    if not facts:
        return (), ()
    try:
        from lwslint.model.project import Project

        project = Project(facts, settings)
    except Exception as error:
        return (), (crash("the project model", error),)
    found: list[Diagnostic] = []
    problems: list[Problem] = []
    for rule in rules:
        problem = _ask(rule, project, found)
        if problem is not None:
            problems.append(problem)
    kept = [diagnostic for diagnostic in found if diagnostic.confidence >= settings.min_confidence]
    return tuple(dict.fromkeys(sorted(kept, key=sort_key))), tuple(problems)


def _ask(rule: LoadedRule, project: Project, found: list[Diagnostic]) -> Problem | None:
    """Add what a rule finds to ``found``, including what it found before it broke."""
    try:
        for diagnostic in rule.check(project):
            found.append(diagnostic)
    except Exception as error:
        return crash(f"rule {rule.rule.code} {rule.rule.name}", error)
    return None


def _parsed(facts: FileFacts) -> Parsed:
    return Parsed(facts.path, facts.language, facts.size, facts.error_bytes, facts.errors)


def first_to_fix(diagnostics: Sequence[Diagnostic]) -> Diagnostic | None:
    """The finding that explains most: a lost connection before a crash before lost protection; among
    equals the more severe and the surer one."""
    return min(
        diagnostics,
        key=lambda d: (d.severity is Severity.NOTE, d.impact, -d.severity, -d.confidence, *sort_key(d)),
        default=None,
    )


def fails(result: Result, fail_on: Severity | None) -> bool:
    """Whether a finding is at or above the severity that makes a run fail (None: nothing is)."""
    return fail_on is not None and any(d.severity >= fail_on for d in result.diagnostics)
