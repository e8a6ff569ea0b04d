"""Remedies in Python: which comma, line or `pass` goes with an argument or a statement."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lwslint.remedies import DropElements, DropStatements, Respell, Rewrite
from tests.fixes.snippets import apply


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, «b=1»)", "f(a)"),
        ("f(«b=1», a=2)", "f(a=2)"),
        ("f(«b=1»)", "f()"),
        ("f(«b=1»,)", "f()"),
        ("f(a, «b=1», «c=2», d)", "f(a, d)"),
        ("f(a, «b=1», «c=2»)", "f(a)"),
        ("f(«a», «b=1», «c=2»)", "f()"),
        ("f(«a», b, «c=2»)", "f(b)"),
        ("f(\n    a,\n    «b=1»,\n)", "f(\n    a,\n)"),
        ("f(\n    a,\n    «b=1»,  # weak\n    c,\n)", "f(\n    a,\n    c,\n)"),
        ("f(\r\n    a,\r\n    «b=1»,\r\n)", "f(\r\n    a,\r\n)"),
        ('x = {«"k": 1», "l": 2}', 'x = {"l": 2}'),
        ('x = ["é", «"b"»]', 'x = ["é"]'),
        ("f(a, «b=g(1, [2])»)", "f(a)"),
    ],
)
def test_elements_are_dropped(before: str, after: str, tmp_path: Path) -> None:
    ast.parse(after)
    assert apply(tmp_path, "a.py", before + "\n", DropElements) == after + "\n"


@pytest.mark.parametrize("before", ["f(a, «b=(1»))", "«x = 1»", "f(a + «b»)", "f(a «b=1»", "f('«b»')"])
def test_no_element_no_fix(before: str, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.py", before + "\n", DropElements) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\n«c.x = False»\nb = 2\n", "a = 1\nb = 2\n"),
        ("a = 1\n«c.x = False»  # weak\nb = 2\n", "a = 1\nb = 2\n"),
        ("«c.x = False»\n", ""),
        ("def f():\n    «c.x = False»\n", "def f():\n    pass\n"),
        ("def f():\n    «c.x = False»\n    «c.y = 0»\n\na = 1\n", "def f():\n    pass\n\na = 1\n"),
        ("def f():\n    # why\n    «c.x = False»\n    a = 1\n", "def f():\n    # why\n    a = 1\n"),
        ("def f():\n    a = 1\n    «c.x = False»\n\n\nb = 2\n", "def f():\n    a = 1\n\n\nb = 2\n"),
        ('def f():\n    """What."""\n    «c.x = False»\n', 'def f():\n    """What."""\n'),
        ("if a: «c.x = False»\n", "if a: pass\n"),
        ("a = 1; «c.x = False»; b = 2\n", "a = 1; pass; b = 2\n"),
        ("if a:\n    «c.x = False»\nelse:\n    b = 2\n", "if a:\n    pass\nelse:\n    b = 2\n"),
        ("if a:\n    «c.x = (\n        False\n    )»\n    b\n", "if a:\n    b\n"),
        ("«c.x = False»", ""),
    ],
)
def test_statements_are_dropped(before: str, after: str, tmp_path: Path) -> None:
    ast.parse(after)
    assert apply(tmp_path, "a.py", before, DropStatements) == after


@pytest.mark.parametrize("before", ["a = f(«g()»)\n", "x = («c»)\n"])
def test_no_statement_no_fix(before: str, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.py", before, DropStatements) is None


@pytest.mark.parametrize(
    ("before", "names", "listed", "after"),
    [
        ('f(s=«"a"»)', ("a",), True, 'f(s=["a"])'),
        ("f(s=«'a'»)", ("a",), True, "f(s=['a'])"),
        ('x = [«"a"»]', ("b", "c"), False, 'x = ["b", "c"]'),
        ('f(s=«r"a"»)', ("a",), True, None),
        ('f(s=«"""a"""»)', ("a",), True, None),
        ('f(s=«"\\x61"»)', ("a",), True, None),
        ('f(s=«"a" "b"»)', ("a",), True, None),
        ('f(s=«"a"»)', ('a"',), True, None),
    ],
)
def test_a_literal_becomes_elements(
    before: str, names: tuple[str, ...], listed: bool, after: str | None, tmp_path: Path
) -> None:
    found = apply(tmp_path, "a.py", before, lambda p: Respell(p[0], "a", elements=names, listed=listed))
    assert found == after


def test_text_is_rewritten_where_it_reads_as_the_facts_say(tmp_path: Path) -> None:
    assert apply(tmp_path, "a.py", "ssl.«old»()", lambda p: Rewrite(((p[0], "old", "new"),))) == "ssl.new()"
    assert apply(tmp_path, "a.py", "ssl.«odd»()", lambda p: Rewrite(((p[0], "old", "new"),))) is None
