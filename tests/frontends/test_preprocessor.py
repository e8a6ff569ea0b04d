"""Conditionals, variants, macro texts: what of a file is read, under which assumptions."""

from __future__ import annotations

import re
import time

import pytest

from lwslint.frontends.preprocessor import MAX_VARIANTS, Preprocessed, preprocess
from lwslint.settings import Build, Settings, Version

INTERESTING = re.compile(rb"lws_")


def run(source: str | bytes, language: str = "c", settings: Settings | None = None) -> Preprocessed:
    data = source.encode() if isinstance(source, str) else source
    result = preprocess(data, language, settings or Settings(), INTERESTING)
    for variant in result.variants:
        assert len(variant.text) == len(data)
        assert [i for i, c in enumerate(variant.text) if c in b"\r\n"] == [
            i for i, c in enumerate(data) if c in b"\r\n"
        ]
    return result


def words(text: bytes) -> list[str]:
    return text.decode().split()


def kept(source: str, language: str = "c", settings: Settings | None = None) -> list[list[str]]:
    return [words(variant.text) for variant in run(source, language, settings).variants]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("#if 0\na;\n#endif\nb;\n", "b;"),
        ("#if 1\na;\n#else\nb;\n#endif\n", "a;"),
        ("#ifdef NDEBUG\na;\n#else\nb;\n#endif\n", "a;"),
        ("#ifdef DEBUG\na;\n#else\nb;\n#endif\n", "b;"),
        ("#if defined(DEBUG) || defined(_DEBUG)\na;\n#endif\nb;\n", "b;"),
        ("#ifdef __cplusplus\na;\n#else\nb;\n#endif\n", "b;"),
        ("#if LWS_LIBRARY_VERSION_NUMBER >= 4003000\na;\n#else\nb;\n#endif\n", "a;"),
        ("#define X 3\n#if X > 2\na;\n#elif X\nb;\n#else\nc;\n#endif\n", "a;"),
        ("#define X\n#undef X\n#ifdef X\na;\n#endif\nb;\n", "b;"),
        ("#if 0\n#if 1\na;\n#else\nb;\n#endif\nc;\n#else\nd;\n#endif\n", "d;"),
        ("#if 0\n#define X 1\n#endif\n#undef Y\n#ifdef Y\na;\n#elif 1\nb;\n#endif\n", "b;"),
        ("#if \\\n 0\na;\n#endif\nb;\n", "b;"),
        ("#if 0 /* not\nyet */\na;\n#endif\nb;\n", "b;"),
        ("#if 1 // a \\\n comment\na;\n#endif\n", "a;"),
        ("  #  if 0\na;\n  #  endif\nb;\n", "b;"),
        ("/* x */ #if 0\na;\n/* x */ #endif\nb;\n", "/* x */ b;"),
        ("#if 0\r\na;\r\n#endif\r\nb;\r\n", "b;"),
        ("#ifndef NDEBUG\na;\n#elif defined(NDEBUG)\nb;\n#endif\n", "b;"),
        ("#ifdef DEBUG\na;\n#elifdef NDEBUG\nb;\n#endif\n", "b;"),
        ("#if 0\nit's /* open\n#endif\n*/ \"\n#endif\nb;\n", "b;"),
    ],
)
def test_decided(source: str, expected: str) -> None:
    assert kept(source) == [expected.split()]


def test_language_and_version_decide() -> None:
    assert kept("#ifdef __cplusplus\na;\n#endif\nb;\n", "cpp") == [["a;", "b;"]]
    old = Settings(lws_version=Version(3, 2, 3))
    assert kept("#if LWS_LIBRARY_VERSION_MAJOR < 4\na;\n#else\nb;\n#endif\n", settings=old) == [["a;"]]


def test_profile_decides() -> None:
    build = Build(defines={"MODE": "2", "HAVE": ""}, undefined=("NOT",))
    source = "#if MODE == 2 && defined(HAVE) && !defined(NOT)\na;\n#else\nb;\n#endif\n"
    assert kept(source, settings=Settings(build=build)) == [["a;"]]


def test_directives_in_literals_and_comments_are_none() -> None:
    source = 'x = "\\\n#if 0\\\n";\n/*\n#if 0\n*/\ny;\n'
    assert run(source).variants[0].text == source.encode()
    raw = 'x = R"y(\n#if 0\n)y";\ny;\n'
    assert run(raw, "cpp").variants[0].text == raw.encode()


def test_undecided_takes_the_first_arm_and_stays_consistent() -> None:
    source = (
        "#ifdef A\none;\n#else\ntwo;\n#endif\n"
        "#ifndef A\nthree;\n#else\nfour;\n#endif\n"
        "#if defined(A) && defined(B)\nfive;\n#endif\n"
        "#if !defined(B)\nsix;\n#endif\n"
    )
    assert kept(source) == [["one;", "four;", "five;"]]


def test_another_variant_only_where_it_is_interesting() -> None:
    source = (
        "#ifdef A\none;\n#else\nlws_two;\n#endif\n#ifdef A\nthree;\n#endif\n#ifdef B\nb;\n#else\nc;\n#endif\n"
    )
    assert kept(source) == [["one;", "three;", "b;"], ["lws_two;", "b;"]]


def test_groups_share_a_variant_unless_they_exclude_each_other() -> None:
    shared = "#ifdef A\n#else\nlws_a;\n#endif\n#ifdef B\n#else\nlws_b;\n#endif\n"
    assert kept(shared) == [[], ["lws_a;", "lws_b;"]]
    apart = "#if X == 1\nlws_a;\n#elif X == 2\nlws_b;\n#else\nlws_c;\n#endif\n"
    assert kept(apart) == [["lws_a;"], ["lws_b;"], ["lws_c;"]]


def test_at_most_four_variants() -> None:
    arms = "".join(f"#elif X == {n}\nlws_{n};\n" for n in range(2, 9))
    result = kept(f"#if X == 1\nlws_1;\n{arms}#endif\n")
    assert result == [[f"lws_{n};"] for n in range(1, MAX_VARIANTS + 1)]


def test_wanted_arms_agree_with_the_arms_around_them() -> None:
    nested = "#if P\na;\n#ifdef I\nb;\n#else\nlws_c;\n#endif\n#endif\n"
    source = f"{nested}#if P == 0\nlws_d;\n#endif\n#if P\ne;\n#endif\n"
    assert kept(source) == [["a;", "b;", "e;"], ["a;", "lws_c;", "e;"], ["lws_d;"]]


def test_nested_arm_is_switched_on_with_what_is_around_it() -> None:
    source = "#ifdef A\nx;\n#else\ny;\n#ifdef B\nz;\n#else\nlws_deep;\n#endif\n#endif\n"
    assert kept(source) == [["x;"], ["y;", "lws_deep;"]]


def test_a_macro_defined_in_an_assumed_arm_counts_in_that_variant_only() -> None:
    source = "#ifdef A\n#define B 1\n#endif\n#ifndef B\nlws_x;\n#else\ny;\n#endif\n"
    result = run(source)
    assert [words(variant.text) for variant in result.variants] == [["y;"], ["lws_x;"]]
    assert [c.truth for c in result.variants[0].conditions] == [None, None]


def test_default_definition_idiom() -> None:
    assert kept("#ifndef N\n#define N 4\n#endif\n#if N > 2\na;\n#else\nb;\n#endif\n") == [["a;"]]


def test_arms_that_are_false_never_appear() -> None:
    assert kept("#if 0\nlws_a;\n#elif defined(DEBUG)\nlws_b;\n#else\nc;\n#endif\n") == [["c;"]]


def test_condition_records() -> None:
    source = "#ifdef A\na;\n#elif defined( B )&&C>2\nb;\n#else\nlws_c;\n#endif\n#ifdef DEBUG\nd;\n#endif\n"
    first, second = run(source).variants
    (active,) = first.conditions
    assert (active.text, active.truth, active.names) == ("defined(A)", None, ("A",))
    assert source[slice(*active.span)].strip() == "a;"
    assert [(c.text, c.truth) for c in first.inactive] == [
        ("!defined(A) && defined(B) && C > 2", None),
        ("!defined(A) && !(defined(B) && C > 2)", None),
        ("defined(DEBUG)", False),
    ]
    assert second.conditions[0].text == "!defined(A) && !(defined(B) && C > 2)"
    assert second.conditions[0].names == ("A", "B", "C")
    assert dict(second.assumed)["defined A"] == 0


def test_decided_condition_is_recorded_as_true() -> None:
    (variant,) = run("#ifdef NDEBUG\na;\n#else\nb;\n#endif\n").variants
    assert [(c.text, c.truth) for c in variant.conditions] == [("defined(NDEBUG)", True)]
    assert [(c.text, c.truth) for c in variant.inactive] == [("!defined(NDEBUG)", False)]


@pytest.mark.parametrize("opening", ["#ifndef X_H", "#if !defined(X_H)", "#if !defined X_H"])
def test_include_guard_is_true_and_no_condition(opening: str) -> None:
    (variant,) = run(f"{opening}\n#define X_H\n#ifdef X_H\na;\n#endif\n#endif\n").variants
    assert words(variant.text) == ["a;"]
    assert [c.text for c in variant.conditions] == ["defined(X_H)"]
    assert variant.conditions[0].truth is True


def test_macros_and_includes() -> None:
    source = (
        '#include "a b.h" // x\n#include <libwebsockets.h>\n#if 0\n#include "no.h"\n#define NO 1\n#endif\n'
        "#define ONE 1 // one\n#define TWO(a, b) a + \\\n  b /* c */\n"
        "#define EMPTY\n#define VA(...) f(__VA_ARGS__)\n"
        '#define URL "http://x" /* u */\n'
    )
    result = run(source)
    assert result.includes == ("a b.h", "libwebsockets.h")
    assert [(m.name, m.parameters, source[m.start : m.end]) for m in result.macros] == [
        ("ONE", None, "1"),
        ("TWO", ("a", "b"), "a + \\\n  b"),
        ("EMPTY", None, ""),
        ("VA", ("...",), "f(__VA_ARGS__)"),
        ("URL", None, '"http://x"'),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "#endif\n#else\n#elif 1\na;\n",
        "#if 1\na;\n",
        "#if\n#ifdef\n#elif\n#else\n#else\n#endif\n#endif\na;\n",
        "#define\n#undef\n#include\n#\n# \na;",
        "#define 3\n#define (x)\n#if (\na;\n#endif",
        "\\",
        "#if 1 \\",
        '"',
        "'",
        "/*",
        "/",
        "",
    ],
)
def test_broken_input_never_crashes(source: str) -> None:
    run(source)
    run(source, "cpp")


def test_bytes_that_are_no_text() -> None:
    data = bytes(range(256)) * 40 + b"\n#if \xff\xfe\n\xb0\n#endif\n#define \xe9 \xff\n"
    run(data)
    run(b"\xef\xbb\xbf#if 0\na;\n#endif\nb;\n")


@pytest.mark.parametrize(
    "source",
    [
        "0x12, " * 170_000,
        "{" * 300_000,
        "(" * 300_000,
        "#" * 300_000,
        "'" * 300_000,
        '"' * 300_000,
        "/" * 300_000,
        "\\\n" * 150_000,
        "F(" * 100_000,
        "\nFOO(" * 60_000,
        "#if A\n" * 20_000,
        "#if A\n" + "#elif B == 3\nlws_x;\n" * 6_000,
        "#if A\n#else\nlws_x;\n#endif\n" * 10_000,
        "a /* * " * 40_000,
        "\n" + " " * 300_000,
        "lws_start_foreach_dll(" * 10_000,
        "for_each_foreach" * 20_000,
    ],
    ids=lambda source: repr(source[:12]),
)
def test_hostile_input_costs_a_linear_scan(source: str) -> None:
    started = time.process_time()
    run(source)
    assert time.process_time() - started < 8
