"""Rule packs: what is found, what is refused, and how rules are selected."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lwslint import registry
from lwslint.registry import RegistryError, SelectorError

RULE = '''"""Reports {name}."""
from lwslint.diagnostics import Impact
from lwslint.rule import Rule

rule = Rule(code="{code}", name="{name}", family="{family}", impact=Impact.DATA)

def check(project):
    return iter(())
'''

MakePack = Callable[[dict[str, str]], str]
_number = itertools.count()


def module(code: str, name: str, family: str) -> str:
    return RULE.format(code=code, name=name, family=family)


@pytest.fixture
def make_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePack:
    """Writes an import package of rule modules (path to text) and returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(files: dict[str, str]) -> str:
        pack = f"pack_for_test_{next(_number)}"
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / pack / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            (path.parent / "__init__.py").touch()
        return pack

    return make


def test_the_rules_of_all_families_come_sorted_by_code(make_pack: MakePack) -> None:
    pack = make_pack(
        {
            "b/one_rule.py": module("ABC101", "one-rule", "b"),
            "b/two_rule.py": module("ABC099", "two-rule", "b"),
            "a/three.py": module("ABC300", "three", "a"),
            "a/_helper.py": "x = 1",
            "helper.py": "x = 1",
        }
    )
    rules = registry.load([pack])
    assert [loaded.rule.code for loaded in rules] == ["ABC099", "ABC101", "ABC300"]
    assert rules[0].documentation == "Reports two-rule."


def test_several_packs_are_one_list(make_pack: MakePack) -> None:
    first = make_pack({"a/x.py": module("ABC200", "x", "a")})
    second = make_pack({"a/y.py": module("ABC100", "y", "a")})
    assert [loaded.rule.name for loaded in registry.load([first, second])] == ["y", "x"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a/x.py", module("ABC101", "x", "b"), r"a\.x: family 'b' does not match its folder 'a'"),
        ("a/x.py", module("ABC101", "y", "a"), r"a\.x: name 'y' does not match its file x\.py"),
        ("a/x.py", module("abc", "x", "a"), r"code 'abc' is not capital letters followed by digits"),
        ("a/x_y.py", module("ABC101", "x_y", "a"), r"name 'x_y' is not lower-case words joined by hyphens"),
        ("a/x.py", module("ABC101", "x", "a").replace("rule =", "rul ="), r"has no `rule: Rule`"),
        (
            "a/x.py",
            module("ABC101", "x", "a").replace("check", "chek"),
            r"has no function `check\(project\)`",
        ),
        (
            "a/x.py",
            module("ABC101", "x", "a").replace("(project)", "()"),
            r"has no function `check\(project\)`",
        ),
        ("a/x.py", module("ABC101", "x", "a").replace("Reports x.", " "), r"has no docstring"),
        ("a/x.py", "1 / 0", r"cannot import \w+\.a\.x: ZeroDivisionError"),
        ("a/x.py", "def", r"cannot import \w+\.a\.x: SyntaxError"),
    ],
)
def test_a_malformed_rule_is_refused_by_name(make_pack: MakePack, file: str, text: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        registry.load([make_pack({file: text})])


@pytest.mark.parametrize("second", [("ABC101", "y"), ("ABC102", "x")])
def test_codes_and_names_are_unique(make_pack: MakePack, second: tuple[str, str]) -> None:
    first = make_pack({"a/x.py": module("ABC101", "x", "a")})
    code, name = second
    other = make_pack({f"b/{name}.py": module(code, name, "b")})
    with pytest.raises(RegistryError, match=r"\.a\.x and \w+\.b\.\w both claim"):
        registry.load([first, other])


def test_a_pack_that_is_missing_is_an_error() -> None:
    with pytest.raises(RegistryError, match="cannot import no_such_pack"):
        registry.load(["no_such_pack"])


def test_the_first_party_pack_is_there_and_well_formed() -> None:
    assert registry.FIRST_PARTY in registry.packs()
    codes = [loaded.rule.code for loaded in registry.load()]
    assert codes == sorted(set(codes))
    assert all(code.startswith("LWS") for code in codes)


@pytest.fixture
def pack(make_pack: MakePack) -> str:
    return make_pack(
        {
            "tls/weak.py": module("ABC401", "weak", "tls"),
            "tls/lost_flag.py": module("ABC402", "lost-flag", "tls"),
            "threads/race.py": module("ABC101", "race", "threads"),
        }
    )


@pytest.mark.parametrize(
    ("chosen", "left_out", "expected"),
    [
        ([], [], ["race", "weak", "lost-flag"]),
        (["ABC402"], [], ["lost-flag"]),
        (["abc402"], [], ["lost-flag"]),
        (["ABC4"], [], ["weak", "lost-flag"]),
        (["ABC"], ["weak"], ["race", "lost-flag"]),
        (["lost-flag"], [], ["lost-flag"]),
        (["tls"], ["ABC401"], ["lost-flag"]),
        ([], ["tls"], ["race"]),
        (["tls", "race"], [], ["race", "weak", "lost-flag"]),
    ],
)
def test_selecting(pack: str, chosen: list[str], left_out: list[str], expected: list[str]) -> None:
    rules = registry.select(registry.load([pack]), chosen, left_out)
    assert [loaded.rule.name for loaded in rules] == expected


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("lost-flg", "did you mean 'lost-flag'"),
        ("ABC40Z", "did you mean 'ABC40"),
        ("thread", "did you mean 'threads'"),
        ("", "no rule, family or code is called ''$"),
        ("zzzzzz", "called 'zzzzzz'$"),
        ("a" * 10_000, "called 'aaa"),
    ],
)
def test_an_unknown_selector_is_an_error_with_the_nearest_name(pack: str, selector: str, hint: str) -> None:
    with pytest.raises(SelectorError, match=hint):
        registry.select(registry.load([pack]), [selector])
    with pytest.raises(SelectorError, match=hint):
        registry.select(registry.load([pack]), [], [selector])


def test_finding_one_rule(pack: str) -> None:
    rules = registry.load([pack])
    assert registry.find(rules, "abc402").rule.name == "lost-flag"
    assert registry.find(rules, "race").rule.code == "ABC101"
    with pytest.raises(SelectorError, match="did you mean 'race'"):
        registry.find(rules, "rase")
    with pytest.raises(SelectorError):
        registry.find(rules, "tls")
