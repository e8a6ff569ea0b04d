"""Fingerprints stay when code moves, and differ when findings do."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import pytest

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.facts import Place, Span
from lwslint.fingerprint import fingerprints, normalised
from lwslint.source import Texts
from tests.conftest import BAD_RULE, LOST_RULE, WriteTree

CODE = "void f(void)\n{\n\tlws_x(a);\n\tlws_x(a);\n\tlws_y(b);\n}\n"


def of(write_tree: WriteTree, text: str, *needles: str, path: str = "a.c") -> tuple[str, ...]:
    """The fingerprints of one finding at each occurrence of each needle."""
    root = write_tree({path: text})
    found = [
        BAD_RULE.report(Place(path, Span(at, at + len(needle))), f"line {at}", function="f")
        for needle in needles
        for at in _all(text, needle)
    ]
    return _of(root, path, found)


def _of(root: object, path: str, found: Sequence[Diagnostic]) -> tuple[str, ...]:
    return fingerprints(found, Texts({path: f"{root}/{path}"}, 100_000))


def _all(text: str, needle: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(needle, at)]


def test_moving_spacing_and_comments_change_nothing(write_tree: WriteTree) -> None:
    before = of(write_tree, CODE, "lws_x", "lws_y")
    assert len(set(before)) == 3
    moved = "/* new */\n\n" + CODE.replace("\tlws_x(a);", "    if (ready)\n  lws_x( a ); // reason")
    assert of(write_tree, moved, "lws_x", "lws_y") == before


def test_equal_findings_are_numbered_by_place_not_by_order(write_tree: WriteTree) -> None:
    root = write_tree({"a.c": CODE})
    first, second = (
        BAD_RULE.report(Place("a.c", Span(at, at + 5)), "x", function="f") for at in _all(CODE, "lws_x")
    )
    assert _of(root, "a.c", [first, second]) == tuple(reversed(_of(root, "a.c", [second, first])))


@pytest.mark.parametrize(
    "other",
    [
        {"code": LOST_RULE.code},
        {"function": "g"},
        {"place": Place("a.c", Span(CODE.index("lws_y"), CODE.index("lws_y") + 1))},
        {"place": Place("b.c", Span(0, 1))},
    ],
)
def test_what_tells_findings_apart(write_tree: WriteTree, other: dict[str, object]) -> None:
    root = write_tree({"a.c": CODE})
    at = CODE.index("lws_x")
    one = BAD_RULE.report(Place("a.c", Span(at, at + 5)), "x", function="f")
    two = msgspec.structs.replace(one, **other)
    assert _of(root, "a.c", [one]) != _of(root, "a.c", [two])


def test_wording_and_severity_do_not_count(write_tree: WriteTree) -> None:
    root = write_tree({"a.c": CODE})
    one = BAD_RULE.report(Place("a.c", Span(18, 20)), "x", function="f")
    two = msgspec.structs.replace(one, message="y", help="z", severity=Severity.NOTE)
    assert _of(root, "a.c", [one]) == _of(root, "a.c", [two])


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("\tinfo . port  = 1; // lwslint: ignore[LWS401] x", "a.c", "info.port=1;"),
        ("return  /* here */ x; /* open", "a.c", "return x;"),
        ('c("https://x  y"); // z', "a.c", 'c("https://x  y");'),
        (r'c("\"//");//', "a.c", r'c("\"//");'),
        ("x = 7 // 2  # why", "a.py", "x=7//2"),
        ("set(A  '#')  # why", "CMakeLists.txt", "set(A'#')"),
        ("#if  X", "a.c", "#if X"),
        ('a "open \\', "a.c", 'a"open \\'),
    ],
)
def test_a_line_is_normalised(line: str, path: str, expected: str) -> None:
    assert normalised(line, path) == expected


def test_a_hostile_line_takes_no_time(write_tree: WriteTree) -> None:
    before = time.process_time()
    for line in ('"\\' * 500_000, "/*" * 500_000, " " * 1_000_000, "'" * 1_000_001):
        normalised(line)
    assert time.process_time() - before < 1


def test_a_path_that_is_not_utf8_has_a_fingerprint(write_tree: WriteTree) -> None:
    found = BAD_RULE.report(Place("\udcff.c", Span(0, 1)), "x")
    assert len(fingerprints([found], Texts({}, 10))[0]) == 32
