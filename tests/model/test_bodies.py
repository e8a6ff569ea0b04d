"""A function's body, flattened: what its sites are and what guards them."""

from __future__ import annotations

from lwslint import facts
from lwslint.model.bodies import flatten
from tests.model.parsed import functions

SPAN = facts.Span(0, 1)


def test_every_link_of_an_else_if_chain_is_seen() -> None:
    """Whoever makes the facts: this chain is nested deeper than the C front end nests it."""
    other: tuple[facts.Statement, ...] = ()
    for number in reversed(range(600)):
        call = facts.Evaluate(SPAN, facts.Call(SPAN, facts.Name(SPAN, f"f{number}"), ()))
        other = (facts.If(SPAN, facts.Name(SPAN, f"t{number}"), (call,), other),)
    body = flatten(facts.Function("f", "f", SPAN, SPAN, (), other))
    assert [len(site.guards) for site in body.calls] == list(range(1, 601))
    assert [guard.holds for guard in body.calls[2].guards] == [False, False, True]


def test_the_last_else_is_behind_all_tests() -> None:
    (function,) = functions("void f(void) { if (a) x(); else if (b) y(); else z(); }")
    guards = [
        [(g.test.id, g.holds) for g in site.guards if isinstance(g.test, facts.Name)]
        for site in flatten(function).calls
    ]
    assert guards == [[("a", True)], [("a", False), ("b", True)], [("a", False), ("b", False)]]
