"""Input that nobody writes by hand must neither crash nor take long, nor break who reads the facts."""

from __future__ import annotations

import pickle
import time

import msgspec
import pytest

from lwslint import facts
from lwslint.facts import Evaluate, Return, Unknown, walk
from lwslint.frontends.c_statements import MAX_LINKS
from lwslint.frontends.c_unit import MAX_DEPTH, MAX_ITEMS
from lwslint.model.outcomes import Reason, outcomes
from tests.frontends.c_spelling import lower

HOSTILE = {
    "parentheses": "int f(void) { return " + "(" * 20_000 + "1" + ")" * 20_000 + "; }",
    "sum": "int f(void) { return " + "1+" * 50_000 + "1; }",
    "calls": "int f(void) { f" + "(f" * 5_000 + ")" * 5_000 + "; }",
    "members": "int x = a" + ".b" * 20_000 + ";",
    "conditionals": "int x = " + "a?" * 10_000 + "b" + ":1" * 10_000 + ";",
    "assignments": "int f(void) { " + "a=" * 20_000 + "1; }",
    "commas": "int f(void) { " + "a," * 20_000 + "1; }",
    "blocks": "int f(void) {" + "if(a){" * 5_000 + "}" * 5_000 + "}",
    "ladder": "int f(void) {" + "if(a);else " * 5_000 + ";}",
    "labels": "int f(void) { switch (a) {" + "case 1:" * 10_000 + ";} }",
    "nested labels": "int f(void) { switch (a) {" + "{" * 5_000 + "case 1:;" + "}" * 5_000 + "} }",
    "braces": "int x = " + "{" * 20_000 + "}" * 20_000 + ";",
    "open braces": "{" * 50_000,
    "pointers": "int " + "*" * 20_000 + "x;",
    "arrays": "int a" + "[1]" * 20_000 + ";",
    "structs": "struct s{" * 3_000 + "int x;" + "};" * 3_000,
    "namespaces": "namespace a {" * 3_000,
    "templates": "template<class T>" * 3_000 + "void f(){}",
    "lambdas": "void f(){" + "[]{" * 500 + "}();" * 500 + "}",
    "arguments": "void f(){T x(" + "a(" * 3_000 + ")" * 3_000 + ");}",
    "qualifiers": "a::" * 20_000 + "x y;",
    "strings": "char *x = " + '"a"' * 20_000 + ";",
    "data": "int x[] = {" + "0x1f," * 100_000 + "};",
    "macro": "#define X (" + "(" * 5_000 + "1" + ")" * 5_000 + ")\n#define Y(a) " + "(" * 5_000 + "\n",
    "bytes": "".join(map(chr, range(256))) * 100,
    "statement expressions": "int f(void) { return " + "({" * 2_000 + "1;" + "})" * 2_000 + "; }",
}


@pytest.mark.parametrize("language", ["c", "cpp"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input(name: str, language: str) -> None:
    started = time.process_time()
    found = lower(HOSTILE[name], language)
    assert time.process_time() - started < 20
    # Whoever caches the facts or sends them to another process recurses over their depth.
    encoded = msgspec.msgpack.encode(found)
    assert msgspec.msgpack.decode(encoded, type=facts.FileFacts) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_long_sum_keeps_its_operands() -> None:
    (found,) = lower("int f(void) { return " + "a|" * 999 + "b; }").functions
    (statement,) = found.body
    assert isinstance(statement, Return) and isinstance(statement.value, Unknown)
    assert len(statement.value.parts) == 1000


def test_what_is_too_deep_is_told_and_the_rest_is_kept() -> None:
    found = lower(
        "int f(void) {" + "{" * (MAX_DEPTH + 9) + "a();" + "}" * (MAX_DEPTH + 9) + "}\nint g(void) { b(); }"
    )
    assert [x.name for x in found.functions] == ["f", "g"]
    assert found.problem.startswith("nesting too deep at byte ")
    assert lower("int f(void) {{{{ a(); }}}}").problem == ""


@pytest.mark.parametrize("links", [2, MAX_LINKS, MAX_LINKS + 1, 300])
def test_a_long_dispatcher_is_kept(links: int) -> None:
    """Whatever the chain's length: for each reason, what its link returns, and what the last else does."""
    chain = " else ".join(f"if (reason == {n}) x = {n};" for n in range(links))
    found = lower(f"int cb(int reason) {{ int x; {chain} else x = -1; return x; }}")
    assert found.problem == ""
    for number in (0, 1, links - 1, links):
        (way,) = outcomes(found.functions[0], "reason", Reason("R", number), lambda value: None)
        assert isinstance(way.value, facts.Number) and way.decided
        assert way.value.value == (number if number < links else -1)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=facts.FileFacts) == found


def test_many_case_ranges_on_a_line_cost_a_linear_scan() -> None:
    started = time.process_time()
    lower("int x; /* */ " + "case " * 50_000 + "...")
    assert time.process_time() - started < 5


def test_parentheses_cost_no_depth() -> None:
    (found,) = lower("int f(void) { " + "(" * 2_000 + "call()" + ")" * 2_000 + "; }").functions
    (statement,) = found.body
    assert isinstance(statement, Evaluate)
    assert any(isinstance(v, facts.Call) for v in walk(statement.value))


def test_long_tables_are_cut() -> None:
    (found,) = lower("char *x[] = {" + "name," * (2 * MAX_ITEMS) + "};").variables
    assert isinstance(found.value, facts.Initializer)
    assert len(found.value.items) == MAX_ITEMS


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_nothing(language: str) -> None:
    assert lower("", language).functions == ()
    assert lower("\ufeffint f(void) { }", language).functions[0].name == "f"
    assert lower("int f(void)\r\n{\r\n\ta();\r\n}\r\n", language).functions[0].name == "f"
