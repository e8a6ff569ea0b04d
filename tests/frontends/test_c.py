"""What C and C++ have in common: expressions, statements, functions, variables, types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tree_sitter import Tree

from lwslint.facts import Declare, Evaluate, If, Name, Place, Span, Switch, Text, walk
from lwslint.frontends.c import reparsed
from lwslint.frontends.c_declarations import dialect
from tests.frontends.c_spelling import block, body, lower, spell, value

BOTH = pytest.mark.parametrize("language", ["c", "cpp"])


@BOTH
@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("1", "1"),
        ("-1", "-1"),
        ("0x1fUL", "31"),
        ("017", "15"),
        ("0b101", "5"),
        ("1.5", "?()"),
        ("'a'", "97"),
        (r"'\n'", "10"),
        (r"'\x41'", "65"),
        ("true", "1"),
        ("NULL", "null"),
        (r'"a\tb\x41"', r"'a\tbA'"),
        ('"a" "b"', "'ab'"),
        ("a | b | c", "((a | b) | c)"),
        ("a - (b - c)", "(a - (b - c))"),
        ("((((a))))", "a"),
        ("a ? b : c", "(a ? b : c)"),
        ("a ?: c", "(a ? a : c)"),
        ("(struct x *)p", "<struct x*>p"),
        ("(const char *) p", "<char*>p"),
        ("p->a.b[3]", "p.a.b[3]"),
        ("!a", "(! a)"),
        ("*p++", "(* (++ p))"),
        ("&info", "(& info)"),
        ("sizeof(struct x)", "(sizeof struct x)"),
        ("sizeof x", "(sizeof x)"),
        ("f(a, &b, 3)", "f(a, (& b), 3)"),
        ("(*fp)(x)", "(* fp)(x)"),
        ("ops->cb(x)", "ops.cb(x)"),
        ("(a, b)", "(a , b)"),
        ("w = 3", "w = 3"),
        ("w |= LCCSCF_USE_SSL", "w |= LCCSCF_USE_SSL"),
        ("(struct x){ .a = 1, .b.c = 2 }", "struct x{a: 1, b: {c: 2}}"),
        ("({ int q = g(); q; })", "?(g(), q)"),
        ("a /* c */ | /* d */ b", "(a | b)"),
        ("f(/* none */)", "f()"),
    ],
)
def test_expressions(source: str, spelled: str, language: str) -> None:
    assert value(source, language) == spelled


def test_strings_around_a_macro_are_joined() -> None:
    assert value('"a" "b" X "c" "d"') == "(('ab' + X) + 'cd')"


@BOTH
@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("a(); b();", "a(); b();"),
        (";", ""),
        ("a = 1, b = 2;", "a = 1; b = 2;"),
        ("if (x) a(); else if (y) b(); else { c(); }", "if x {a();} else {if y {b();} else {c();}}"),
        ("while (x) { a(); continue; }", "while (|x|) {a(); continue;}"),
        ("do a(); while (x);", "do (|x|) {a();}"),
        (
            "for (int i = 0, j = 1; i < 3; i++, j--) a();",
            "for (int i = 0; int j = 1;|(i < 3)|(++ i); (-- j);) {a();}",
        ),
        ("for (;;) a();", "for (|-|) {a();}"),
        ("goto out; out: return;", "goto out; out: return -;"),
        ("{ a(); }", "block {a();}"),
        (
            "static struct x *p, q[2], **r = 0;",
            "static struct x* p = -; static struct x[] q = -; static struct x** r = 0;",
        ),
        ("int (*fp)(int, char *) = g;", "int(*)(int,char*) fp = g;"),
        ("const volatile unsigned  long n = 1;", "unsigned long n = 1;"),
        ("struct x i = { 0 };", "struct x i = {0};"),
        ("return (a);", "return a;"),
        ("LOCK(m) work();", "LOCK(m); work();"),
    ],
)
def test_statements(source: str, spelled: str, language: str) -> None:
    assert body(source, language) == spelled


@BOTH
@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        (
            "switch (r) { case A: case B: x(); break; default: y(); }",
            "switch r [A|B: x(); break; / default: y();]",
        ),
        # Control falls from one arm to the next, and labels may stand inside a block.
        ("switch (r) { case A: x(); { y(); case B: z(); } w(); }", "switch r [A: x(); y(); / B: z(); w();]"),
        (
            "switch (r) { case A: { x(); break; } case B: y(); }",
            "switch r [A: block {x(); break;} / B: y();]",
        ),
        ("switch (r) { int z; default: x(); }", "int z = -; switch r [default: x();]"),
        ("switch (r) { default: case A: x(); }", "switch r [A|default: x();]"),
        (
            "switch (r) { case A: while (x) { case B: y(); } }",
            "switch r [B: goto case@48; / A: while (|x|) {case@48: y();}]",
        ),
        (
            "switch (r) { case A: if (x) { default: y(); switch (s) { case C: z(); } } break; case B: w(); }",
            "switch r [default: goto case@45; / A: if x {case@45: y(); switch s [C: z();]} break; / B: w();]",
        ),
        ("switch (r) { case A: x(); { case B: y(); } z(); }", "switch r [A: x(); / B: y(); z();]"),
        (
            "switch (r) { case A ... B: x(); case 1 ... 5: case ':' ... ';': y(); case N(1) ... N(2): z(); }",
            "switch r [(A ... B): x(); / (1 ... 5)|(58 ... 59): y(); / (N(1) ... N(2)): z();]",
        ),
        ("switch (r) { case A...B: g(x || y); }", "switch r [(A ... B): g((x || y));]"),
    ],
)
def test_switch(source: str, spelled: str, language: str) -> None:
    assert body(source, language) == spelled


def test_initializers_keep_designators() -> None:
    (found,) = lower("struct x y = { .a = 1, [2] = 3, d: 4, [E] = 5, 6 };").variables
    assert spell(found.value) == "{a: 1, 2: 3, d: 4, [E]: 5, 6}"
    assert found.type == "struct x"


def test_protocol_table() -> None:
    (found,) = lower(
        'static const struct lws_protocols p[] = { { "x", cb, 0 }, LWS_PROTOCOL_LIST_TERM };'
    ).variables
    assert (found.name, found.type, found.static) == ("p", "struct lws_protocols[]", True)
    assert spell(found.value) == "{{'x', cb, 0}, LWS_PROTOCOL_LIST_TERM}"


FUNCTIONS = [
    ("int f(void) { }", "f", "int", [], False),
    ("static const char *f(int a, ...) { }", "f", "char*", [("a", "int"), ("...", "...")], True),
    (
        "int (f)(struct lws *wsi, size_t n[2]) { }",
        "f",
        "int",
        [("wsi", "struct lws*"), ("n", "size_t[]")],
        False,
    ),
    (
        "void (*f(int s, void (*g)(int)))(int) { }",
        "f",
        "void(*)(int)",
        [("s", "int"), ("g", "void(*)(int)")],
        False,
    ),
    ("__attribute__((noinline)) static inline int f(a_t a) { }", "f", "int", [("a", "a_t")], True),
]


@BOTH
@pytest.mark.parametrize(("source", "name", "returns", "parameters", "static"), FUNCTIONS)
def test_functions(
    source: str, name: str, returns: str, parameters: object, static: bool, language: str
) -> None:
    (found,) = lower(source, language).functions
    assert (found.name, found.qualified, found.returns, found.static) == (name, name, returns, static)
    assert [(p.name, p.type) for p in found.parameters] == parameters


def test_old_style_parameters() -> None:
    (found,) = lower("int f(a, b) int a; char *b; { return a; }").functions
    assert [(p.name, p.type) for p in found.parameters] == [("a", "int"), ("b", "char*")]


@BOTH
def test_prototypes_are_no_variables(language: str) -> None:
    found = lower("int f(int a), x; void g(void) { int h(int); }", language)
    assert [(p.name, p.qualified, p.static) for p in found.prototypes] == [
        ("f", "f", False),
        ("h", "h", False),
    ]
    assert [v.name for v in found.variables] == ["x"]


@BOTH
def test_structs_unions_enums_and_typedefs(language: str) -> None:
    found = lower(
        """
        struct s { int a, *b, c[3]; int (*cb)(struct lws *, int);
                   union { int u1; }; struct { int in; } anon; };
        typedef struct { struct lws_context *context; } state_t, *state_p;
        typedef struct s s_t;
        typedef int (*cb_t)(int);
        enum e { A, B = 3, C };
        """,
        language,
    )
    classes = {c.name: [(x.name, x.type) for x in c.fields] for c in found.classes}
    nested = next(name for name in classes if name.startswith("anonymous@"))
    assert classes[nested] == [("in", "int")]
    assert classes["state_t"] == [("context", "struct lws_context*")]
    assert classes["s"] == [
        ("a", "int"),
        ("b", "int*"),
        ("c", "int[]"),
        ("cb", "int(*)(struct lws*,int)"),
        ("u1", "int"),
        ("anon", f"struct {nested}"),
    ]
    assert [(a.name, a.type) for a in found.aliases] == [
        ("state_p", "state_t*"),
        ("s_t", "struct s"),
        ("cb_t", "int(*)(int)"),
    ]
    assert [(e.name, spell(e.value), e.previous) for e in found.enumerators] == [
        ("A", "-", ""),
        ("B", "3", "A"),
        ("C", "-", "B"),
    ]


@BOTH
def test_spans_are_byte_offsets_of_the_file(language: str) -> None:
    source = '/* \u4e2d\u6587 */ int f(void) { i.protocol = "chat"; }\n'.encode()
    (found,) = lower(source, language).functions
    assert source[slice(*found.name_span)] == b"f"
    assert source[slice(*found.span)] == source[source.index(b"int") : -1]
    (statement,) = found.body
    assert isinstance(statement, Evaluate)
    spans = {type(v).__name__: source[slice(*v.span)] for v in walk(statement.value)}
    assert spans == {
        "Text": b'"chat"',
        "Name": b"i",
        "Member": b"i.protocol",
        "Assign": b'i.protocol = "chat"',
    }
    assert Place("f.c", statement.span).span == Span(*statement.span)


def test_bytes_that_are_no_utf8() -> None:
    (found,) = lower(b'char *s = "\xd6\xd0";').variables
    assert isinstance(found.value, Text) and found.value.value == "\ufffd\ufffd"


# --------------------------------------------------------------------------- conditionals


def test_both_arms_of_an_undecided_conditional() -> None:
    source = """
int before(void) { lws_a(); }
int f(void) {
#if defined(WITH_X)
    lws_x();
#else
    lws_y();
#endif
    lws_z();
}
#if !defined(WITH_X)
struct lws_only { int a; };
static int lws_other;
#endif
int after(void) { lws_b(); }
"""
    found = lower(source)
    assert [(x.name, x.variant, block(x.body)) for x in found.functions] == [
        ("before", 0, "lws_a();"),
        ("f", 0, "lws_x(); lws_z();"),
        ("after", 0, "lws_b();"),
        ("f", 1, "lws_y(); lws_z();"),
    ]
    assert [v.name for v in found.variables] == ["lws_other"]
    assert [c.name for c in found.classes] == ["lws_only"]
    assert found.functions[1].span == found.functions[3].span
    assert {c.text for c in found.conditions} >= {"defined(WITH_X)", "!defined(WITH_X)"}
    assert found.inactive == ()


@BOTH
@pytest.mark.parametrize("broken", ["", "int f( {"])
def test_a_later_variant_parses_as_if_it_were_alone(language: str, broken: str) -> None:
    filler = "static int g(int a) { return a ? h(a) : 0; }\n" * 40
    before = f"{filler}int f(void) {{ {'use(1);':40} return 1; }}\n{filler}{broken:10}".encode()
    after = f"{filler}int f(void) {{ {'if (x) {':40} return 1; }}}}{filler}{broken:10}".encode()
    parser = dialect(language).parser

    again = reparsed(parser, parser.parse(before), before, after)

    assert list(_shape(again)) == list(_shape(parser.parse(after)))


def _shape(tree: Tree) -> Iterator[tuple[str, tuple[int, int]]]:
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        yield node.type, node.byte_range
        stack.extend(node.children)


def test_lambdas_of_a_later_variant_are_numbered_on() -> None:
    found = lower(
        "void f() {\n#ifdef X\n go([] { lws_a(); });\n#else\n go([] { lws_b(); });\n#endif\n}\n", "cpp"
    )
    assert [(x.name, x.variant, x.parent) for x in found.functions] == [
        ("f", 0, None),
        ("<lambda>", 0, 0),
        ("f", 1, None),
        ("<lambda>", 1, 2),
    ]
    assert block(found.functions[2].body) == "go(lambda#3);"


def test_what_the_build_leaves_out_is_only_named() -> None:
    found = lower("void f(void) {\n#ifdef DEBUG\n flags |= LCCSCF_ALLOW_SELFSIGNED;\n#endif\n}\n")
    assert found.functions[0].body == ()
    assert [(c.text, c.truth) for c in found.inactive] == [("defined(DEBUG)", False)]


def test_includes() -> None:
    assert lower('#include <libwebsockets.h>\n#include "a/b.h"\n').includes == ("libwebsockets.h", "a/b.h")


# --------------------------------------------------------------------------- what does not parse


def test_a_function_survives_a_broken_header() -> None:
    found = lower("static struct foo *lost(a b c d) { bar(); }\nint h(void) { ok(); }")
    assert [x.name for x in found.functions] == ["lost", "h"]
    assert block(found.functions[0].body) == "bar();"
    assert found.error_bytes > 0 and found.errors


def test_a_function_survives_a_missing_brace() -> None:
    found = lower("int broken(void) { if (a) { x(); return 1; \nint h(void) { ok(); }")
    assert [x.name for x in found.functions] == ["broken", "h"]
    assert "x();" in block(found.functions[0].body)


def test_old_style_functions_without_a_type() -> None:
    found = lower("int n;\nmain(argc, argv) int argc; char **argv; { run(argv); }\nint g(void) { ok(); }")
    assert [(x.name, block(x.body)) for x in found.functions] == [("main", "run(argv);"), ("g", "ok();")]
    assert [(p.name, p.type) for p in found.functions[0].parameters] == [("argc", "int"), ("argv", "char**")]
    assert [x.name for x in found.variables] == ["n"]


def test_declarations_behind_a_macro_stay_variables() -> None:
    found = lower("REGISTER(a, b)\nint a;\nint other;\nint g(void) { ok(); }")
    assert [x.name for x in found.variables] == ["a", "other"]
    assert [x.name for x in found.functions] == ["g"]


def test_a_function_whose_header_is_a_macro_call() -> None:
    found = lower("START_TEST(a, b) { x(); }\nmain() { y(); }")
    assert [(x.name, block(x.body)) for x in found.functions] == [("START_TEST", "x();"), ("main", "y();")]


def test_error_bytes_are_counted_once() -> None:
    assert lower("int f(void) { return 1 }").error_bytes == 1  # a missing semicolon
    found = lower("int a; @@@ int b;")
    assert found.error_bytes == sum(span.end - span.start for span in found.errors) >= 3
    assert lower("int a;").errors == ()


def test_an_if_in_a_statement_is_where_a_reader_sees_it() -> None:
    (found,) = lower(
        "int f(int r) { if (r == 1) return 0; switch (r) { case 2: return 1; } return 2; }"
    ).functions
    first, second, _ = found.body
    assert isinstance(first, If) and isinstance(second, Switch)
    assert isinstance(second.subject, Name)


def test_local_declarations_point_at_their_names() -> None:
    source = b"void f(void) { struct lws *a, *b = 0; }"
    (found,) = lower(source).functions
    names = [d for d in found.body if isinstance(d, Declare)]
    assert [source[slice(*d.name_span)] for d in names] == [b"a", b"b"]
    assert [source[slice(*d.span)] for d in names] == [b"struct lws *a", b"*b = 0"]
