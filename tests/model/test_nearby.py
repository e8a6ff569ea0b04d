"""Indexes by folder give the answers that comparing with every candidate gives."""

from __future__ import annotations

import random

import pytest

from lwslint.facts import FileFacts
from lwslint.frontends.c import extract
from lwslint.model import symbols as symbols_module
from lwslint.model import writes as writes_module
from lwslint.model.nearby import Nearby, nearness
from lwslint.model.project import Project
from lwslint.settings import Settings


def some_path(chance: random.Random) -> str:
    folders = [chance.choice("abc") for _ in range(chance.randint(0, 3))]
    return "/".join([*folders, f"f{chance.randint(0, 3)}.{chance.choice(['c', 'c', 'h'])}"])


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_things_are_among_those_around(seed: int) -> None:
    chance = random.Random(seed)
    things = [(some_path(chance), number) for number in range(40)]
    nearby = Nearby(things)
    for _ in range(40):
        path = some_path(chance)
        best = max(nearness(path, place) for place, _ in things)
        nearest = [number for place, number in things if nearness(path, place) == best]
        around = nearby.around(path)
        assert [number for number in around if number in nearest] == nearest
        assert around == sorted(around)


def test_nothing_is_around_where_there_is_nothing() -> None:
    assert Nearby[int]([]).around("a/b.c") == []


def tree(chance: random.Random) -> list[FileFacts]:
    """Files that define the same few names, some of them static, some in headers, and include each other."""
    files: dict[str, str] = {}
    for number in range(40):
        path = some_path(chance)
        static = chance.choice(["", "static "])
        files[path] = (
            f'#include "f{chance.randint(0, 3)}.{chance.choice("ch")}"\n'
            f"{static}int run(int a) {{ return {number}; }}\n"
            f"{chance.choice(['', 'static ', 'extern '])}int limit{chance.choice(['', f' = {number}'])};\n"
            f"struct session {{ {chance.choice(['', f'int kept{number};'])} }};\n"
            f"#define SIZE {number}\n"
        )
    return [extract(path, text.encode(), "c", Settings()) for path, text in sorted(files.items())]


def answers(files: list[FileFacts]) -> list[object]:
    project = Project(files, Settings())
    symbols = project.symbols
    found: list[object] = []
    for path in [*(file.path for file in files), "a/b/other.c", "other.c"]:
        bound = symbols.function_named("run", None, path)
        found.append(([d.id for d in bound.definitions], bound.ambiguous))
        variable = symbols.variable("limit", path)
        found.append(None if variable is None else variable.place)
        declared = symbols.class_named("session", path)
        found.append(None if declared is None else declared.fields)
        macro = symbols.macro("SIZE", path)
        found.append(None if macro is None else macro.value)
        found.append(project.values.writes.home("session", path))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_names_bind_the_same_with_an_index_and_without(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tree(random.Random(seed))
    monkeypatch.setattr(symbols_module, "FEW", 0)
    monkeypatch.setattr(writes_module, "FEW", 0)
    indexed = answers(files)
    monkeypatch.setattr(symbols_module, "FEW", 10_000)
    monkeypatch.setattr(writes_module, "FEW", 10_000)
    assert indexed == answers(files)
