"""Preprocessor expressions: grammar, three-valued evaluation, assumptions and how conditions are told."""

from __future__ import annotations

import time

import pytest

from lwslint.frontends import conditions as cond

KNOWN: dict[str, cond.State] = {
    "YES": "1",
    "TWO": "2",
    "INDIRECT": "TWO + 1",
    "NO": None,
    "EMPTY": "",
    "LOOP": "LOOP",
}


def lookup(name: str) -> cond.State:
    return KNOWN.get(name, cond.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", True),
        ("0", False),
        ("0x10 == 16", True),
        ("010 == 8", True),
        ("0b101 == 5 && 1'000 == 1000", True),
        ("200112L >= 200112L", True),
        ("'A' == 65", True),
        ("1 + 2 * 3 == 7", True),
        ("(1 + 2) * 3 == 7", False),
        ("1 << 3 == 8", True),
        ("-7 / 2 == -3 && -7 % 2 == -1", True),
        ("~0 == -1", True),
        ("10 - 4 - 3 == 3", True),
        ("1 ? 0 : 1", False),
        ("defined YES", True),
        ("defined(NO)", False),
        ("!defined(NO) && defined ( YES )", True),
        ("INDIRECT == 3", True),
        ("NO", False),
        ("YES", True),
        ("YES and not NO", True),
        ("UNKNOWN", None),
        ("defined(UNKNOWN)", None),
        ("UNKNOWN && 0", False),
        ("0 && UNKNOWN", False),
        ("UNKNOWN || YES", True),
        ("UNKNOWN || 0", None),
        ("!UNKNOWN", None),
        ("UNKNOWN > 3", None),
        ("HAS(1, (2)) || 1", True),
        ("__has_include(<a/b.h>)", None),
        ("__has_include(<a/b.h>) && NO", False),
        ("UNKNOWN ? 1 : 0", None),
        ("1 / 0", None),
        ("LOOP", None),
        ("EMPTY", None),
        ("(1", None),
        ("1 +", None),
        ("", None),
        ("1 2", None),
    ],
)
def test_truth(text: str, expected: bool | None) -> None:
    assert cond.truth(cond.parse(text), lookup, {}) is expected


def test_size_and_depth_are_capped() -> None:
    assert cond.parse("(" * 5000 + "1" + ")" * 5000).op == "opaque"
    assert cond.parse("1 || " * 5000 + "1").op == "opaque"
    assert cond.parse("!" * 200 + "X").op == "!"
    assert cond.truth(cond.parse("!" * 200 + "NO"), lookup, {}) is False


def test_an_atom_keeps_its_value_in_every_spelling() -> None:
    atoms: cond.Atoms = {}
    assert cond.assume(cond.parse("defined(A) && !defined(B)"), True, lookup, atoms)
    assert cond.truth(cond.defined("A"), lookup, atoms) is True
    assert cond.truth(cond.negate(cond.defined("B")), lookup, atoms) is True
    assert cond.truth(cond.parse("B"), lookup, atoms) is False  # not defined: 0
    assert not cond.assume(cond.defined("B"), True, lookup, atoms)


def test_a_comparison_assumed_true_settles_the_others() -> None:
    atoms: cond.Atoms = {}
    assert cond.assume(cond.parse("MODE == 1"), True, lookup, atoms)
    assert cond.truth(cond.parse("MODE == 2"), lookup, atoms) is False
    assert cond.truth(cond.parse("defined(MODE)"), lookup, atoms) is True


@pytest.mark.parametrize(
    ("assumed", "wanted", "then", "expected"),
    [
        ("X", True, "X == 0", False),
        ("X", True, "X != 0", True),
        ("X", True, "defined(X)", True),
        ("X", True, "X == 2", None),
        ("X", False, "X == 0", True),
        ("X", False, "X > 1", False),
        ("X == 0", False, "X", True),
        ("X != 0", True, "X", True),
        ("X == 0", True, "X", False),
        ("X != 3", False, "X == 3", True),
        ("X > 3", False, "X > 3", False),
        ("defined(WIN32)", True, "defined(_WIN32)", True),
        ("defined(_WIN32)", False, "WIN32", False),
    ],
)
def test_one_assumption_settles_another(assumed: str, wanted: bool, then: str, expected: bool | None) -> None:
    atoms: cond.Atoms = {}
    assert cond.assume(cond.parse(assumed), wanted, lookup, atoms)
    assert cond.truth(cond.parse(then), lookup, atoms) is expected


def test_of_an_alternative_one_operand_is_assumed() -> None:
    atoms: cond.Atoms = {}
    assert cond.assume(cond.parse("NO || defined(A) || defined(B)"), True, lookup, atoms)
    assert atoms == {"defined A": 1}


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        (["defined(A)"], "defined(A)"),
        (["!defined(A)", "B > 2 || C"], "!defined(A) && (B > 2 || C)"),
        (["  A  >=\t3 "], "A >= 3"),
    ],
)
def test_conjunction(tests: list[str], expected: str) -> None:
    assert cond.conjunction([cond.parse(text) for text in tests]) == expected


def test_negation_is_readable() -> None:
    assert cond.describe(cond.negate(cond.defined("A"))) == "!defined(A)"
    assert cond.describe(cond.negate(cond.negate(cond.defined("A")))) == "defined(A)"
    assert cond.describe(cond.negate(cond.parse("A > 2 && B"))) == "!(A > 2 && B)"


def test_names() -> None:
    assert cond.names("defined(A) && B > 0x10L || !A || f('x', C)") == ("A", "B", "f", "C")


@pytest.mark.parametrize("text", ["x y", "(x) y", "(x) y (z)", "x)) y", "((x y"])
def test_parentheses_around_the_whole_make_no_other_atom(text: str) -> None:
    """What is too large to be parsed is an atom as a whole; 5,000 parentheses cost no square of that."""
    atoms: cond.Atoms = {}
    started = time.process_time()
    assert cond.assume(cond.parse("(" * 5000 + text + ")" * 5000), True, lambda name: cond.UNKNOWN, atoms)
    (key,) = atoms
    assert (key == text) is (text.count("(") == text.count(")"))
    assert time.process_time() - started < 2
