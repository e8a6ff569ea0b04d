"""Projects linked from sources given as text, for tests of the model and of rules."""

from __future__ import annotations

from collections.abc import Sequence

from lwslint.diagnostics import Diagnostic
from lwslint.facts import Assign, Place
from lwslint.frontends.c import extract
from lwslint.model.alternatives import Possible
from lwslint.model.project import Project
from lwslint.rule import LoadedRule
from lwslint.settings import Settings


def link(files: dict[str, str], settings: Settings | None = None) -> Project:
    """The project that consists of ``files`` (name to text); ``.cpp`` and ``.hpp`` are C++."""
    chosen = settings or Settings()
    facts = [
        extract(name, text.encode(), "cpp" if name.endswith(("pp", "cc")) else "c", chosen)
        for name, text in files.items()
    ]
    return Project(facts, chosen)


def value_of(source: str, variable: str = "out", language: str = "c") -> Possible:
    """What the last assignment to ``variable`` in ``source`` may assign."""
    project = link({f"main.{'cpp' if language == 'cpp' else 'c'}": source})
    located = project.writes_to(variable)[-1]
    node = located.site.node
    assert isinstance(node, Assign)
    scope = project.values.writes.scope_at(located.definition, located.site)
    return project.values.possible_in(node.value, scope)


def line(files: dict[str, str], place: Place) -> int:
    """The line of a place, counted from 1."""
    return files[place.path].encode()[: place.span.start].count(b"\n") + 1


def reports(
    files: dict[str, str], rules: Sequence[LoadedRule], settings: Settings | None = None
) -> list[tuple[str, int, str]]:
    """What ``rules`` find: path, line and severity, sorted."""
    project = link(files, settings)
    found = [diagnostic for rule in rules for diagnostic in rule.check(project)]
    return sorted((d.place.path, line(files, d.place), d.severity.name.lower()) for d in found)


def diagnostics(
    files: dict[str, str], rule: LoadedRule, settings: Settings | None = None
) -> list[Diagnostic]:
    """What one rule finds, in its own order."""
    return list(rule.check(link(files, settings)))
