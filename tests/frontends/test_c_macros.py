"""Macros as values and as functions, at their own places."""

from __future__ import annotations

import pytest

from lwslint.facts import Binary, Call, Evaluate
from tests.frontends.c_spelling import block, lower, spell


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("31", "31"),
        ("(-1)", "-1"),
        ("0x10u", "16"),
        ("NULL", "null"),
        ("OTHER", "OTHER"),
        ('"a" \\\n  "b"', "'ab'"),
        ("(LCCSCF_USE_SSL | 2) /* why */", "(LCCSCF_USE_SSL | 2)"),
        ('{ "x", cb, sizeof(struct s), 0 }', "{'x', cb, (sizeof struct s), 0}"),
        ("{ NULL, NULL, 0 },", "{null, null, 0}"),
        ("lws_service(ctx, 0);", "lws_service(ctx, 0)"),
    ],
)
def test_object_like_macros_are_values(text: str, spelled: str) -> None:
    (found,) = lower(f"#define M {text}\n").macros
    assert (found.name, spell(found.value)) == ("M", spelled)


@pytest.mark.parametrize("text", ["", "if (x) {", "struct lws *", "const", "} while (0)", "int a"])
def test_text_that_is_no_expression_is_no_macro(text: str) -> None:
    found = lower(f"#define M {text}\n")
    assert found.macros == () and found.functions == () and found.error_bytes == 0


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("START(t, fn) pthread_create(&(t), NULL, fn, 0)", "pthread_create((& t), null, fn, 0);"),
        (
            "RUN(c) do { while (!done) \\\n lws_service(c, 0); } while (0)",
            "do (|0|) {while (|(! done)|) {lws_service(c, 0);}}",
        ),
        ("ENTRY(n) { n, cb_##n, 0 }", "{n, cb___n, 0};"),
        ("STR(x) #x", "x;"),
        ("BOTH(a, b) a(); b();", "a(); b();"),
    ],
)
def test_function_like_macros_are_functions(text: str, spelled: str) -> None:
    (found,) = lower(f"#define {text}\n").functions
    assert (found.kind, block(found.body)) == ("macro", spelled)


def test_statements_without_parameters_are_a_function_too() -> None:
    (found,) = lower("#define RUN do { go(); } while (0)\n").functions
    assert (found.name, found.kind, found.parameters) == ("RUN", "macro", ())


def test_macros_point_at_their_own_text() -> None:
    source = (
        b"int a;\n#define START(thread, fn) \\\n\tpthread_create(&(thread), NULL, fn, 0)\n#define F (A | B)\n"
    )
    found = lower(source)
    (start,) = found.functions
    assert source[slice(*start.name_span)] == b"START"
    assert [source[slice(*p.span)] for p in start.parameters] == [b"thread", b"fn"]
    (statement,) = start.body
    assert isinstance(statement, Evaluate) and isinstance(statement.value, Call)
    assert source[slice(*statement.value.function.span)] == b"pthread_create"
    (flags,) = found.macros
    assert isinstance(flags.value, Binary)
    assert source[slice(*flags.value.span)] == b"A | B"
    assert source[slice(*flags.value.right.span)] == b"B"
