"""Macros rewritten in place: what they become, what is left alone, and that the result parses."""

from __future__ import annotations

import re

import pytest
import tree_sitter
import tree_sitter_c
import tree_sitter_cpp

from lwslint.frontends.preprocessor import preprocess
from lwslint.settings import Settings

PARSERS = {
    "c": tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language())),
    "cpp": tree_sitter.Parser(tree_sitter.Language(tree_sitter_cpp.language())),
}


def neutral(source: str, language: str = "c") -> str:
    """Variant 0 as the parser gets it; fails unless the lengths agree, line breaks stay and it parses
    without an error."""
    data = source.encode()
    text = preprocess(data, language, Settings(), re.compile(rb"lws_")).variants[0].parsed
    assert len(text) == len(data)
    assert [i for i, c in enumerate(text) if c in b"\r\n"] == [i for i, c in enumerate(data) if c in b"\r\n"]
    tree = PARSERS[language].parse(text)
    assert not tree.root_node.has_error, text.decode()
    return text.decode()


def folded(source: str, language: str = "c") -> str:
    return " ".join(neutral(source, language).split())


def tight(text: str) -> str:
    """``text`` with white space folded, and none around semicolons."""
    return re.sub(r" ?; ?", ";", " ".join(text.split()))


def in_function(body: str) -> str:
    return f"void f(void)\n{{\n\t{body}\n}}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "lws_start_foreach_dll(struct lws_dll2 *, d, head(&o->x)) {\n\t\tg(d);\n\t} "
            "lws_end_foreach_dll(d);",
            "for(;;) {struct lws_dll2 * d= head(&o->x); { g(d); } } ;",
        ),
        (
            "lws_start_foreach_dll_safe(struct lws_dll2 *, d, d1, o.head) {\n\t\tg(d);\n\t} "
            "lws_end_foreach_dll_safe(d, d1);",
            "for(;;) {struct lws_dll2 * d = o.head; { g(d); } } ;",
        ),
        (
            "lws_start_foreach_ll(struct pss *, p, v->list)\n\t\tg(p);\n\tlws_end_foreach_ll(p, next);",
            "for(;;) {struct pss * p= v->list; g(p); } ;",
        ),
        (
            "lws_start_foreach_ll_safe(struct pss *, p, v->list, next) {\n\t\tg(p);\n\t} "
            "lws_end_foreach_ll_safe(p);",
            "for(;;) {struct pss * p= v->list ; { g(p); } } ;",
        ),
        (
            "lws_start_foreach_llp(struct pss **, pp, v->list) {\n\t\tg(pp);\n\t} "
            "lws_end_foreach_llp(pp, next);",
            "for(;;) {struct pss ** pp= v->list; { g(pp); } } ;",
        ),
    ],
)
def test_lws_iterators_become_loops(body: str, expected: str) -> None:
    assert expected in folded(in_function(body))


def test_unmatched_iterators_become_empty_statements() -> None:
    assert "{ ; g(); }" in folded(in_function("lws_start_foreach_dll(struct x *, d, h)\n\tg();"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("lws_container_of(d, struct pss, list)", "lws_container_of(d, pss, list)"),
        ("container_of(d, pss_t, list)", "container_of(d, pss_t, list)"),
        ("va_arg(ap, char *)", "va_arg(ap, char__)"),
        ("va_arg(ap, int)", "va_arg(ap, _nt)"),
        ("search(&o, 3, struct pss, list)", "search(&o, 3, pss, list)"),
        ("SIZEOF(struct pss)", "SIZEOF( pss)"),
        ("sizeof(struct pss)", "sizeof(struct pss)"),
        ("(struct pss)*q", "(struct pss)*q"),
        ("g((struct pss *)q, 1)", "g((struct pss *)q, 1)"),
    ],
)
def test_types_as_arguments(expression: str, expected: str) -> None:
    assert f"p = {expected};" in folded(in_function(f"p = {expression};"))


def test_parameters_keep_their_types() -> None:
    source = "int f(struct lws *wsi, enum lws_callback_reasons reason, struct s, union u *);\n"
    assert "struct lws *wsi, enum lws_callback_reasons reason," in neutral(source)


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("LWS_VISIBLE LWS_EXTERN int lws_x(void);\n", "c", "int lws_x(void);"),
        ("LWS_EXTERN int LWS_WARN_UNUSED_RESULT\nf(int a) LWS_FORMAT(1);\n", "c", "int f(int a) ;"),
        ("static LWS_INLINE int f(void) { return 1; }\n", "c", "static int f(void) { return 1; }"),
        ('int x __attribute__((aligned(4), section("a)")));\n', "c", "int x ;"),
        ("__declspec(dllexport) int f(void);\n", "c", "int f(void);"),
        ("a;\nEXPORT_API int f(void);\n", "c", "a; int f(void);"),
        ("a;\nPRIVATE_API STATUS f(PCHAR p)\n{\n}\n", "c", "a; STATUS f(PCHAR p) { }"),
        ("a;\nLOCAL struct context *g = 0;\n", "c", "a; struct context *g = 0;"),
        ("a;\nDWORDLONG const mask = 1;\n", "c", "a; DWORDLONG const mask = 1;"),
        ("a;\nSTATUS f(int x)\n{\n}\n", "c", "a; STATUS f(int x) { }"),
        ("a;\nSTATUS\nf(int x)\n{\n}\n", "c", "a; STATUS f(int x) { }"),
        ("JNIEXPORT void JNICALL f(JNIEnv *env);\n", "c", "void f(JNIEnv *env);"),
        ("a;\nint CALLBACK f(int x);\n", "c", "a; int f(int x);"),
        ("#define MINE\nint MINE f(int x);\n", "c", "int f(int x);"),
        ("class API_DLL Foo : public Bar {};\n", "cpp", "class Foo : public Bar {};"),
        ("class FOO final {};\n", "cpp", "class FOO final {};"),
        ("a;\nNS_NET_BEGIN\nnamespace x { int y; }\nNS_NET_END\n", "cpp", "a; namespace x { int y; }"),
        ('extern "C" {\nint f(void);\n}\n', "c", "int f(void);"),
        ('extern "C" int f(void);\n', "c", "extern int f(void);"),
        (
            "class A : QObject {\n Q_OBJECT\npublic slots:\n void a();\nsignals:\n void b();\n};\n",
            "cpp",
            "class A : QObject { public : void a(); public : void b(); };",
        ),
        ("a;\nenum e {\n\tFIRST,\n\tLAST\n};\n", "c", "a; enum e { FIRST, LAST };"),
        (
            "namespace n {\n\tTEST_F(A, b) {\n\t\tg();\n\t}\n}\n",
            "cpp",
            "namespace n { TEST_F(A, b) { g(); } }",
        ),
        (
            f"enum e {{\n\tA = 1,\n/*{'x' * 2000}*/\n\tLAST\n}};\n",
            "c",
            f"enum e {{ A = 1, /*{'x' * 2000}*/ LAST }};",
        ),
        ("int x[] = { 1,\n\tFOO(2),\n\tBAR(3)\n};\n", "c", "int x[] = { 1, FOO(2), BAR(3) };"),
    ],
)
def test_declarations(source: str, language: str, expected: str) -> None:
    assert folded(source, language) == expected


@pytest.mark.parametrize(
    ("body", "language", "expected"),
    [
        ("HASH_ITER(hh, t, a, b) {\n\t\tg(a);\n\t}", "c", "while (hh, t, a, b) { g(a); }"),
        ("cJSON_ArrayForEach(a, list)\n\t\tg(a);", "c", "while (a, list) g(a);"),
        ("Q_FOREACH(const T &t, list) {\n\t\tg(t);\n\t}", "cpp", "for (const T &t: list) { g(t); }"),
        ("CHECK(a)\n\tg();", "c", "CHECK(a); g();"),
        ("CHECK(a) /* why */\n\tg();", "c", "CHECK(a);/* why */ g();"),
        ("WITH_LOCK(a) {\n\t\tg();\n\t}", "c", "if (a) { g(); }"),
        ("x = MAX(a, b)\n\t\t+ 1;", "c", "x = MAX(a, b) + 1;"),
        ("goto done;\ndone:\n\t}\n\tvoid g(void) {", "c", "done: ;} void g(void) {"),
        ('g("a" NAME "b" OTHER, 1);', "cpp", 'g("a""..." "b""....", 1);'),
        ('g("a" STR(x) "b");', "c", 'g("a""....." "b");'),
        ('g("a" STR(x,\n\t\ty) "b" NAME);', "cpp", 'g("a" "b""...");'),
        ("switch (r) {\n\tcase A ... B:\n\t\tg();\n\t}", "c", "switch (r) { case A || B: g(); }"),
        ("(this->*t[i])(x); (o->*f)(x);", "cpp", "(this% t[i])(x); (o.* f)(x);"),
        ('g(L"a" L"b", u8"c");', "cpp", 'g(L"a" L"b", u8"c");'),
    ],
)
def test_statements(body: str, language: str, expected: str) -> None:
    assert tight(expected) in tight(neutral(in_function(body), language))


def test_macros_of_the_file_get_their_separator() -> None:
    statements = "#define DO(x) g(x);\n#define LEAVE return;\n" + in_function("DO(1) DO(2)\n\tLEAVE\n\th();")
    assert "{ DO(1);DO(2) ;LEAVE ;h(); }" in folded(statements)
    rows = "#define ROW(x) { x, 1 },\nint t[] = {\n\tROW(a)\n\tROW(b)\n};\n"
    assert folded(rows) in ("int t[] = { ROW(a) ,ROW(b) };",)


def test_secure_streams_templates() -> None:
    source = 'LWS_SS_USER_TYPEDEF\n\tint x;\n} s_t;\nstatic LWS_SS_INFO("default", s_t)\n\t.rx = rx,\n};\n'
    assert folded(source) == 'typedef struct { int x; } s_t; static LWS_SS i = {"default", .rx = rx, };'


def test_macro_around_an_initialiser() -> None:
    assert folded("a;\nstatic T t =\n\tINIT_T (\n\t\t.f = g,\n\t);\n") == "a; static T t = { .f = g, };"


@pytest.mark.parametrize(
    "source",
    [
        'char *s = "LWS_VISIBLE __attribute__((x)) lws_start_foreach_dll(a, b, c) struct x, )";\n',
        "/* LWS_VISIBLE lws_container_of(a, struct b, c) */\nint a;\n// HASH_ITER(a, b) {\nint b;\n",
        'int a;\n/*\nEXPORT int f(void);\n */\nchar b[] = "x \\\nNAME int f(void)";\n',
    ],
)
def test_literals_and_comments_are_never_touched(source: str) -> None:
    assert neutral(source) == source
    assert neutral(source, "cpp") == source


def test_numeric_data_is_emptied() -> None:
    numbers = ",\n".join(["0x12, 0x34, 255, 1.5f"] * 100)
    assert folded(f"unsigned char a[] = {{ {numbers} }};\nint b;\n") == "unsigned char a[] = { }; int b;"
    assert folded(f"int m[][4] = {{ {{ {numbers} }}, {{ {numbers} }} }};\n") == "int m[][4] = { };"
    assert folded(f'struct s t = {{ "x", {{ {numbers} }}, f }};\n') == 'struct s t = { "x", { }, f };'
    assert folded(f"/* blob */\n{numbers}\n") == "/* blob */"


def test_short_or_mixed_initialisers_stay() -> None:
    mixed = "int a[] = { " + "1, " * 300 + "name };\n"
    assert neutral(mixed) == mixed
    assert neutral("int a[] = { 1, 2, 3 };\n") == "int a[] = { 1, 2, 3 };\n"
