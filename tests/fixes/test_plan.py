"""Which fixes go together, and what bytes come out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from lwslint.diagnostics import Applicability, Diagnostic, Edit, Fix
from lwslint.facts import Place, Span
from lwslint.fixes import plan
from lwslint.source import SourceText
from tests.conftest import BAD_RULE

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


def edit(start: int, end: int, new: str = "", path: str = "a.c") -> Edit:
    return Edit(Place(path, Span(start, end)), new)


def finding(at: int, *edits: Edit, kind: Applicability = SAFE) -> Diagnostic:
    fix = Fix("change it", kind, edits) if edits else None
    return BAD_RULE.report(Place("a.c", Span(at, at + 1)), "m", fix=fix)


def chosen(diagnostics: Sequence[Diagnostic], *, unsafe: bool = True) -> list[int]:
    return [d.place.span.start for d in plan.choose(diagnostics, unsafe=unsafe).chosen]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (edit(1, 3), edit(4, 6), True),
        (edit(1, 3), edit(3, 6), False),  # what is written between the two would be a matter of chance
        (edit(1, 5), edit(2, 3), False),
        (edit(2, 3), edit(1, 5), False),
        (edit(4, 4, "x"), edit(4, 4, "y"), False),
        (edit(4, 4, "x"), edit(5, 5, "y"), True),
        (edit(4, 4, "x"), edit(4, 5), False),
        (edit(1, 3, "x"), edit(1, 3, "x"), True),  # the same edit is made once
        (edit(1, 3, "x"), edit(1, 3, "y"), False),
        (edit(1, 3), edit(1, 3, path="b.c"), True),
    ],
)
def test_of_two_fixes_that_touch_the_first_is_made(first: Edit, second: Edit, together: bool) -> None:
    found = plan.choose([finding(20, second), finding(10, first)], unsafe=True)
    assert [d.place.span.start for d in found.chosen] == ([10, 20] if together else [10])
    assert found.later is not together


def test_a_fix_is_made_whole_or_not_at_all() -> None:
    found = plan.choose([finding(1, edit(5, 6)), finding(2, edit(6, 7), edit(9, 9, "x"))], unsafe=True)
    assert found.edits == {"a.c": (edit(5, 6),)}


def test_unsafe_fixes_are_made_where_they_are_asked_for() -> None:
    both = [finding(1, edit(1, 2)), finding(2, edit(5, 6), kind=UNSAFE), finding(3)]
    assert (chosen(both, unsafe=False), chosen(both)) == ([1], [1, 2])


def test_a_fix_in_a_file_that_may_not_change_is_not_made() -> None:
    found = plan.choose(
        [finding(1, edit(1, 2), edit(1, 2, path="b.h"))], unsafe=True, allowed=lambda path: path == "a.c"
    )
    assert (found.chosen, found.edits, found.later) == ((), {}, False)


@pytest.mark.parametrize("seed", range(40))
def test_random_edits_come_out_as_if_made_one_by_one(seed: int) -> None:
    """From the back of the file to its front, where an edit moves nothing that is still to come."""
    dice = random.Random(seed)
    data = bytes(dice.choice(b"abcdef\n") for _ in range(60))
    found = []
    for number in range(12):
        start = dice.randrange(61)
        end = min(start + dice.randrange(6), 60)
        found.append(finding(number, edit(start, end, "x" * dice.randrange(4))))
    dice.shuffle(found)
    made = plan.choose(found, unsafe=True)
    spans = [e.place.span for e in made.edits["a.c"]]
    assert spans == sorted(spans)
    assert all(a.end < b.start for a, b in itertools.pairwise(spans))
    expected = data
    for each in reversed(made.edits["a.c"]):
        start, end = each.place.span
        expected = expected[:start] + each.replacement.encode() + expected[end:]
    assert plan.changed(SourceText(data), made.edits["a.c"]) == expected
    rest = [d for d in found if d not in made.chosen]
    assert bool(rest) == made.later
    assert sorted(d.place.span.start for d in made.chosen)[0] == 0  # the first is always made


@pytest.mark.parametrize(
    ("data", "after"),
    [
        (b"a\nb\n", b"a\nx\ny\n"),
        (b"a\r\nb\r\n", b"a\r\nx\r\ny\r\n"),
        (b"a\r\nb\n", b"a\r\nx\ny\n"),  # mixed: LF, as most editors do
    ],
)
def test_line_ends_are_those_of_the_file(data: bytes, after: bytes) -> None:
    start = data.index(b"b")
    assert plan.changed(SourceText(data), [edit(start, start + 1, "x\ny")]) == after


def test_the_encoding_is_that_of_the_file() -> None:
    data = "// Grüße\nx\n".encode("latin-1")
    assert plan.changed(SourceText(data), [edit(9, 10, "ü")]) == "// Grüße\nü\n".encode("latin-1")
    with pytest.raises(ValueError, match="latin-1"):
        plan.changed(SourceText(data), [edit(9, 10, "你")])


def test_a_byte_order_mark_stays() -> None:
    assert plan.changed(SourceText(b"\xef\xbb\xbfx;"), [edit(3, 4, "y")]) == b"\xef\xbb\xbfy;"


@pytest.mark.parametrize("bad", [[edit(1, 9)], [edit(2, 3), edit(1, 2)], [edit(1, 3), edit(2, 3)]])
def test_edits_that_fit_no_file_are_refused(bad: list[Edit]) -> None:
    with pytest.raises(ValueError, match="outside"):
        plan.changed(SourceText(b"abcd"), bad)
