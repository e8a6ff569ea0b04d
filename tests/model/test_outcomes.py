"""What the symbolic walk says about callbacks written in every common way, asked reason by reason."""

from __future__ import annotations

import time

import pytest

from lwslint import facts
from lwslint.facts import Value
from lwslint.model.control import graph_of
from lwslint.model.names import call_name
from lwslint.model.outcomes import Outcome, Reason, leave, named_reasons, outcomes, returns_zero
from tests.model.parsed import functions

HTTP = Reason("LWS_CALLBACK_HTTP", 12)
RECEIVE = Reason("LWS_CALLBACK_RECEIVE", 6)
FILE_COMPLETION = Reason("LWS_CALLBACK_HTTP_FILE_COMPLETION", 15)
NUMBERS = {"LWS_CALLBACK_HTTP": 12, "LWS_CALLBACK_RECEIVE": 6, "LWS_CALLBACK_HTTP_FILE_COMPLETION": 15}
WATCHED = frozenset({"lws_callback_http_dummy", "lws_http_transaction_completed", "lws_serve_http_file"})
SPAN = facts.Span(0, 1)
HEAD = "static int cb(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)\n"
DUMMY = "lws_callback_http_dummy(wsi, reason, user, in, len)"


def resolve(value: Value) -> int | None:
    return NUMBERS.get(value.id) if isinstance(value, facts.Name) else None


def ways(body: str, reason: Reason = HTTP) -> tuple[Outcome, ...]:
    (function,) = functions(HEAD + "{" + body + "}", "cpp" if "catch" in body or "auto " in body else "c")
    return outcomes(function, "reason", reason, resolve, WATCHED)


def said(body: str, reason: Reason = HTTP) -> list[str]:
    """Each way out in a word or two: the constant or the call that is returned, and what is unsure."""
    return [_word(outcome) for outcome in ways(body, reason)]


def _word(outcome: Outcome) -> str:
    match outcome.value:
        case facts.Number(value=number):
            word = str(number)
        case facts.Call() as call:
            word = call_name(call) or "pointer"
        case None:
            word = outcome.kind
        case _:
            word = "unknown"
    return word if outcome.decided else word + "?"


@pytest.mark.parametrize(
    ("body", "http", "receive"),
    [
        ("return 0;", ["0"], ["0"]),
        (f"return {DUMMY};", ["lws_callback_http_dummy"], ["lws_callback_http_dummy"]),
        ("switch (reason) { case LWS_CALLBACK_HTTP: return -1; default: break; } return 0;", ["-1"], ["0"]),
        (
            "switch ((int)reason) { case LWS_CALLBACK_RECEIVE: case LWS_CALLBACK_HTTP: n();"
            " default: return 1; }",
            ["1"],
            ["1"],
        ),
        (
            "switch (reason) { case LWS_CALLBACK_HTTP: x(); case LWS_CALLBACK_RECEIVE: return 5; } return 0;",
            ["5"],
            ["5"],
        ),
        (
            f"switch (reason) {{ default: return {DUMMY}; case LWS_CALLBACK_RECEIVE: break; }} return 0;",
            ["lws_callback_http_dummy"],
            ["0"],
        ),
        ("if (reason == LWS_CALLBACK_HTTP) return -1; return 0;", ["-1"], ["0"]),
        ("if (LWS_CALLBACK_HTTP != reason) return 0; return -1;", ["-1"], ["0"]),
        ("if (!(reason == LWS_CALLBACK_HTTP)) return 0; return -1;", ["-1"], ["0"]),
        (
            "if (reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_RECEIVE) return 7; return 0;",
            ["7"],
            ["7"],
        ),
        ("if (reason == LWS_CALLBACK_HTTP && in) return 7; return 0;", ["7", "0"], ["0"]),
        ("if (reason > LWS_CALLBACK_RECEIVE && reason <= 20) return 7; return 0;", ["7"], ["0"]),
        ("return reason == LWS_CALLBACK_HTTP ? -1 : 0;", ["-1"], ["0"]),
        ("int r = (int)reason; if (r == LWS_CALLBACK_HTTP) return 3; return 0;", ["3"], ["0"]),
        ("int r; r = reason; switch (r) { case 12: return 3; } return 0;", ["3"], ["0"]),
        (
            "switch (reason) { case LWS_CALLBACK_HTTP: return 3; case LWS_CALLBACK_WSI_CREATE: return 4; }",
            ["3"],
            ["end"],
        ),
    ],
)
def test_tests_on_the_reason_are_decided(body: str, http: list[str], receive: list[str]) -> None:
    assert said(body, HTTP) == http
    assert said(body, RECEIVE) == receive


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("int ret = 0; switch (reason) { case LWS_CALLBACK_RECEIVE: ret = -1; break; } return ret;", ["0"]),
        (f"int ret = 0; ret = {DUMMY}; return ret;", ["lws_callback_http_dummy"]),
        (f"int ret = 0; {DUMMY}; return ret;", ["0"]),
        (f"int ret; if (user) ret = {DUMMY}; else ret = 0; return ret;", ["0", "lws_callback_http_dummy"]),
        ("int ret = -1; if (in) goto done; ret = 0; done: return ret;", ["0", "-1"]),
        ("int n = 4; n |= 3; n += 1; return n;", ["8"]),
        ("int n = 0; n++; return n;", ["unknown"]),
        ("int n = 0; fill(&n); return n;", ["unknown"]),
        ("int n = 0; each(wsi, reason, n); return n;", ["unknown"]),
        ("static int n = 0; return n;", ["unknown"]),
        ("int n = 0; return (size_t)(n ? n : 0);", ["0"]),
        ("int n = 0; for (int i = 0; i < 9; i++) { if (in) break; n = 1; } return n;", ["0", "1"]),
        ("while (1) { if (in) return 2; if (user) break; } return 3;", ["2", "3"]),
        ("for (;;) { if (in) return 2; }", ["2"]),
        ("do { if (in) break; return 2; } while (0); return 3;", ["2", "3"]),
        ("again: if (in) { use(in); goto again; } return 0;", ["0"]),
        ("if (in) abort(); return 0;", ["exit", "0"]),
        ("if (in) goto nowhere; return 0;", ["unknown?", "0"]),
        ("return user && in;", ["0", "unknown"]),
        (
            "bool retry = false; if (reason == LWS_CALLBACK_RECEIVE) retry = true;"
            f" if (!retry) return {DUMMY}; return 0;",
            ["lws_callback_http_dummy"],
        ),
        ("try { if (in) throw 1; return 4; } catch (...) { return 5; }", ["throw", "4", "5"]),
    ],
)
def test_the_result_is_followed(body: str, expected: list[str]) -> None:
    assert sorted(said(body)) == sorted(expected)


@pytest.mark.parametrize(
    "body",
    [
        "return handlers[reason](wsi, user, in, len);",
        "handlers[reason](wsi, user, in, len); return 0;",
        "for (int i = 0; i < 5; i++) if (table[i].reason == reason) return table[i].fn(wsi, in); return 0;",
        "auto it = handlers.find(reason); if (it == handlers.end()) return 0; return it->second(wsi, in);",
        "struct event e; e.reason = reason; e.in = in; handle(&e); return 0;",
        "struct event e = { reason, in }; handle(&e); return 0;",
        "fn *f = table[reason]; f(wsi, in); return 0;",
        "if (is_mine(reason)) return 0; return 0 + other();",
        "switch (map[reason]) { case 1: return 0; default: return 1; }",
    ],
)
def test_dispatch_through_a_table_is_not_claimed_to_return_zero(body: str) -> None:
    found = ways(body)
    assert found
    assert not any(outcome.decided and returns_zero(outcome, resolve) for outcome in found)


def test_a_test_that_changes_nothing_does_not_make_the_outcome_undecided() -> None:
    found = ways('if (reason < count) lwsl_info("%s", names[reason]); return 0;')
    assert [(returns_zero(o, resolve), o.decided) for o in found] == [(True, True)]


def test_the_calls_on_the_way_are_listed() -> None:
    body = """
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        if (lws_serve_http_file(wsi, "a", "b", NULL, 0) < 0) return -1;
        break;
    default:
        return self->on_event(wsi, reason, in);
    }
    return 0;"""
    calls = {_word(o): [(call_name(m.call), m.reason) for m in o.made] for o in ways(body)}
    assert calls == {"-1": [("lws_serve_http_file", None)], "0": [("lws_serve_http_file", None)]}
    (other,) = ways(body, RECEIVE)
    assert [(call_name(m.call), m.reason) for m in other.made] == [("on_event", 1)]


def test_a_logged_reason_is_not_handed_on() -> None:
    (only,) = ways('lwsl_notice("%d", reason); printf("%d", (int)reason); return 0;')
    assert only.made == ()


def test_matched_and_acted_upon() -> None:
    body = """
    if (reason != LWS_CALLBACK_RECEIVE) tick();
    switch (reason) {
    case LWS_CALLBACK_HTTP: lwsl_notice("http"); break;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION: finish(wsi); break;
    default: other(); break;
    }
    return 0;"""
    state = {r.name: [(o.matched, o.acts) for o in ways(body, r)] for r in (HTTP, FILE_COMPLETION, RECEIVE)}
    assert state == {
        HTTP.name: [(True, False)],
        FILE_COMPLETION.name: [(True, True)],
        RECEIVE.name: [(True, True)],
    }
    (unmatched,) = ways(body, Reason("LWS_CALLBACK_WSI_CREATE", 29))
    assert (unmatched.matched, unmatched.acts) == (False, False)


def test_an_unknown_number_decides_by_name_only() -> None:
    unnumbered = Reason("LWS_CALLBACK_BRAND_NEW")
    body = "switch (reason) { case LWS_CALLBACK_BRAND_NEW: return 9; case LWS_CALLBACK_HTTP: return 8; }"
    assert said(body, unnumbered) == ["9"]
    assert said("if (reason > LWS_CALLBACK_HTTP) return 1; return 0;", unnumbered) == ["1?", "0?"]


def test_named_reasons_come_in_the_order_of_the_text() -> None:
    (function,) = functions(
        HEAD + "{ if (reason == LWS_CALLBACK_RECEIVE) return 0;"
        " switch (reason) { case LWS_CALLBACK_HTTP: case LWS_CALLBACK_CLOSED: break; } return 0; }"
    )
    assert named_reasons(function) == (
        "LWS_CALLBACK_RECEIVE",
        "LWS_CALLBACK_HTTP",
        "LWS_CALLBACK_CLOSED",
    )


def test_nesting_past_the_limit_is_unknown_and_a_long_else_if_chain_is_not() -> None:
    body: tuple[facts.Statement, ...] = (facts.Return(SPAN, facts.Number(SPAN, 0)),)
    for _ in range(2000):
        body = (facts.Block(SPAN, body),)
    (only,) = outcomes(facts.Function("cb", "cb", SPAN, SPAN, (), body), "reason", HTTP, resolve)
    assert (only.kind, only.decided) == ("unknown", False)
    body = (facts.Return(SPAN, facts.Number(SPAN, -1)),)
    for number in range(100, 2100):
        test = facts.Binary(SPAN, "==", facts.Name(SPAN, "reason"), facts.Number(SPAN, number))
        body = (facts.If(SPAN, test, (facts.Return(SPAN, facts.Number(SPAN, number)),), body),)
    (only,) = outcomes(facts.Function("cb", "cb", SPAN, SPAN, (), body), "reason", HTTP, resolve)
    assert (_word(only), only.decided) == ("-1", True)


@pytest.mark.parametrize(("low", "high", "expected"), [(10, 14, "3"), (13, 14, "0"), (12, 12, "3")])
def test_a_range_of_case_labels(low: int, high: int, expected: str) -> None:
    label = facts.Binary(SPAN, "...", facts.Number(SPAN, low), facts.Number(SPAN, high))
    inside = facts.Arm(SPAN, (label,), False, (facts.Return(SPAN, facts.Number(SPAN, 3)),))
    other = facts.Arm(SPAN, (), True, (facts.Return(SPAN, facts.Number(SPAN, 0)),))
    switch = facts.Switch(SPAN, facts.Name(SPAN, "reason"), (inside, other))
    (only,) = outcomes(facts.Function("cb", "cb", SPAN, SPAN, (), (switch,)), "reason", HTTP, resolve)
    assert _word(only) == expected


def test_a_dispatch_that_the_limits_cut_short_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lwslint.model.outcomes.STEP_LIMIT", 5)
    (only,) = ways("if (in) a(); if (user) b(); if (len) c(); return 0;")
    assert (only.kind, only.decided) == ("unknown", False)


def test_variables_are_forgotten_before_anything_wrong_is_said() -> None:
    branches = "".join(f"if (in[{i}]) n |= {1 << i}; " for i in range(10))
    found = ways("int n = 0; " + branches + "return n;")
    # 1024 values of n cannot be told apart any more; that some are 0 is not a claim about all.
    assert "unknown" in [_word(outcome) for outcome in found]
    assert len(found) <= 64


def test_one_graph_answers_for_several_reasons_and_always_the_same() -> None:
    (function,) = functions(HEAD + "{ int ret = 0; if (in) ret = fail(); if (user) return 1; return ret; }")
    graph = graph_of(function, "reason")
    assert (
        leave(graph, HTTP, resolve)
        == leave(graph, HTTP, resolve)
        == outcomes(function, "reason", HTTP, resolve)
    )


def test_many_calls_cost_no_square() -> None:
    calls = 10_000
    (function,) = functions(HEAD + "{ " + "lws_serve_http_file(wsi); " * calls + f"return {DUMMY}; }}")
    graph = graph_of(function, "reason")
    started = time.process_time()
    (way,) = leave(graph, HTTP, resolve, WATCHED)
    assert time.process_time() - started < 1
    assert [call_name(made.call) for made in way.made] == [
        *["lws_serve_http_file"] * calls,
        "lws_callback_http_dummy",
    ]
