"""Lints a tree in this process, with the first-party rules and no configuration from above the tree."""

from __future__ import annotations

import functools
from pathlib import Path

from lwslint import config, engine, registry
from lwslint.rule import LoadedRule
from tests.fixture_marks import Place, Report

PACK = "lwslint_rules"


@functools.cache
def rules() -> tuple[LoadedRule, ...]:
    return registry.load([PACK])


def lint(tree: Path) -> engine.Result:
    """Lint ``tree`` as a tree of its own, with the ``lwslint.toml`` at its root if it has one."""
    own = tree / config.FILE_NAME
    options = config.read(str(own)).options if own.is_file() else config.Options()
    return engine.lint(["."], config.settings(options, folder=str(tree)), rules(), cwd=str(tree))


def reports(tree: Path, result: engine.Result) -> list[Report]:
    """The findings of ``result`` by line.

    Lines are counted here, in the bytes, so that a fault in lwslint's own counting shows.
    """
    return [
        Report(
            Place(
                diagnostic.place.path,
                (tree / diagnostic.place.path).read_bytes().count(b"\n", 0, diagnostic.place.span.start) + 1,
                diagnostic.code,
            ),
            diagnostic.severity.name.lower(),
            diagnostic.message,
        )
        for diagnostic in result.diagnostics
    ]
