"""Remedies in C and C++: which bytes go with a flag, a field, a return."""

from __future__ import annotations

from pathlib import Path

import pytest

from lwslint.facts import Place
from lwslint.remedies import AddDefault, DropFlags, LeaveWith, Respell, Rewrite, SetBeside
from tests.fixes.snippets import apply

Places = tuple[Place, ...]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = A | «F»;", "x = A;"),
        ("x = «F» | A;", "x = A;"),
        ("x = «F» | A | «G»;", "x = A;"),
        ("x = «F» | «G» | A;", "x = A;"),
        ("x = A | «F» | B | «G»;", "x = A | B;"),
        ("x = A |\n    «F» |\n    B;", "x = A |\n    B;"),
        ("x = A\n    | «F»\n    | «G»;", "x = A;"),
        ("x = (A | («F»));", "x = (A);"),
        ("f(«F» | A, A | «G»);", "f(A, A);"),
        ("x = t ? A | «F» : 0;", "x = t ? A : 0;"),
        ("x = t ? «F» | A : 0;", "x = t ? A : 0;"),
        ("S s = { .f = A | «F», .g = 1 };", "S s = { .f = A, .g = 1 };"),
        ("int f(void) { return «F» | A; }", "int f(void) { return A; }"),
        ("x = a & b | «F»;", "x = a & b;"),
        # A comment stays, with what it belongs to.
        ("x = A |  // why A\n    «F»;\ny;", "x = A;  // why A\ny;"),
        ("x = A |  // why A\r\n    «F»;\r\ny;", "x = A;  // why A\r\ny;"),
        ("x = A | /* odd */ «F» | B;", "x = A /* odd */  | B;"),
        ("x = «F» | // weak\n    A;", "x = // weak\n    A;"),
        # A statement that only adds flags goes, with its line and the comment on it.
        ("{\n  a = 1;\n  x |= «F»;  // weak\n  b = 2;\n}", "{\n  a = 1;\n  b = 2;\n}"),
        ("{ a = 1; x->y[3].z |= «F»; b = 2; }", "{ a = 1; b = 2; }"),
        ("{\n#if X\n  x |= «F» | «G»;\n#endif\n}", "{\n#if X\n#endif\n}"),
        ("{\n  x = x | «F» | «G»;\n  y;\n}", "{\n  y;\n}"),
        # Macros, also over several lines.
        ("#define X A | «F»\n", "#define X A\n"),
        ("#define X (A | \\\n    «F» | \\\n    B)\n", "#define X (A | \\\n    B)\n"),
        ("#define X (A \\\n    | «F» \\\n    | B)\n", "#define X (A \\\n    | B)\n"),
        ("#define X «F» | A // c\n", "#define X A // c\n"),
        ("x = A\n#if T\n    | «F»\n#endif\n    | B;", "x = A\n#if T\n#endif\n    | B;"),
    ],
)
def test_flags_are_dropped(before: str, after: str, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.cpp", before, lambda places: DropFlags(places)) == after


@pytest.mark.parametrize(
    "before",
    [
        "x = «F»;",  # 0 would be something else altogether
        "x = t ? «F» : 0;",
        "#define X «F»\n",
        "if (t)\n    x |= «F»;\n",
        "else x |= «F»;",
        "switch (a) { case 1: x |= «F»; }",
        "x = A | «F» + 1;",
        "x = A | «F» & m;",
        "x = A | f(«F»);",
        "x = A | (int)«F»;",
        "x = A | ns::«F»;",
        "x = A\n#if T\n    | «F»\n#endif\n    & m;",
        "x = A | F«(1)»;",
    ],
)
def test_where_something_else_hangs_on_a_flag_there_is_no_fix(before: str, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.cpp", before, lambda places: DropFlags(places)) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = «2»;", "x = T;"),
        ("x = «F» | «G»;", "x = T;"),
        ("x = static_cast<int>(«F»);", "x = static_cast<int>(T);"),
        ("f(c, «2», d);", "f(c, T, d);"),
    ],
)
def test_a_flag_is_replaced(before: str, after: str, tmp_path: Path) -> None:
    def change(places: Places) -> DropFlags:
        return DropFlags(places[1:], ((places[0], "T"),))

    assert apply(tmp_path, "a.cpp", before, change) == after


def test_alone_stands_for_an_expression_of_which_nothing_is_left(tmp_path: Path) -> None:
    assert apply(tmp_path, "a.c", "x = «F» | «G»;", lambda places: DropFlags(places, alone="1")) == "x = 1;"


ORDER = ("address", "protocol", "userdata", "local", "alpn")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.c", "{\n\ti.p = «n»;\n}", "{\n\ti.p = NULL;\n\ti.local = n;\n}"),
        ("a.c", "{\r\n\ti.p = «n»;\r\n}", "{\r\n\ti.p = NULL;\r\n\ti.local = n;\r\n}"),
        ("a.c", "{\n  i->p = «t[0].name»; // c\n}", "{\n  i->p = NULL; // c\n  i->local = t[0].name;\n}"),
        ("a.c", "{ i.p = «n»; i.q = 1; }", "{ i.p = NULL; i.local = n; i.q = 1; }"),
        ("a.c", "case 1:\n  i.p = «n»;\n", "case 1:\n  i.p = NULL;\n  i.local = n;\n"),
        ("a.c", "S i = { .p = «n», .q = 1 };", "S i = { .p = NULL, .local = n, .q = 1 };"),
        ("a.c", "S i = {\n  .p = «n», // c\n};", "S i = {\n  .p = NULL,\n  .local = n, // c\n};"),
        ("a.cpp", "{ i.p = «n»; }", "{ i.p = NULL; i.local = n; }"),
        ("a.cpp", "{ a = nullptr; i.p = «n»; }", "{ a = nullptr; i.p = nullptr; i.local = n; }"),
        # C++ takes designated initialisers in the order of the declaration only.
        (
            "a.cpp",
            "S i = {\n  .protocol = «n»,\n  .userdata = f(1, {2}),\n  .alpn = 0,\n};",
            "S i = {\n  .protocol = NULL,\n  .userdata = f(1, {2}),\n  .local = n,\n  .alpn = 0,\n};",
        ),
        ("a.cpp", "T{.protocol = «n», .userdata = u};", "T{.protocol = NULL, .userdata = u, .local = n};"),
    ],
)  # fmt: skip
def test_a_field_is_set_beside_another(name: str, before: str, after: str, tmp_path: Path) -> None:
    def change(places: Places) -> SetBeside:
        return SetBeside(places[0], "local", instead="", order=ORDER)

    assert apply(tmp_path, name, before, change) == after


@pytest.mark.parametrize(
    "before",
    [
        "if (t)\n  i.p = «n»;\n",
        "for (;;) i.p = «n»;",
        "a = i.p = «n»;",
        "i.p = «n», b = 1;",
        "f(c, «n»);",
        "S i = { c, «n» };",
        "#define SET(i) i.p = «n»;\n",
    ],
)
def test_a_field_is_not_set_where_a_second_statement_would_go_astray(before: str, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.c", before, lambda places: SetBeside(places[0], "local", instead="")) is None


def test_a_field_is_set_to_a_text_of_its_own(tmp_path: Path) -> None:
    def change(places: Places) -> SetBeside:
        return SetBeside(places[0], "local", '"row"', instead='"spoken"')

    assert apply(tmp_path, "a.c", "{ i.p = «n»; }", change) == '{ i.p = "spoken"; i.local = "row"; }'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = «"a ,b"»;', 'x = "a, b";'),
        ('x = «"a ,"» "b";', None),
        ('x = L«"a ,b"»;', None),
        ("x = «A»;", None),
    ],
)
def test_a_literal_is_respelled(before: str, after: str | None, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.c", before, lambda places: Respell(places[0], "a ,b", "a, b")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("default:\n  «return 0;»\n}\n«return (0);»", "default:\n  return d();\n}\nreturn d();"),
        ("«break;»", "return d();"),
        ("«return f(a, b) ;»", "return d();"),
        ("«x = 0;»", None),
        ("«returned = 0;»", None),
    ],
)
def test_statements_become_returns(before: str, after: str | None, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.c", before, lambda places: LeaveWith(places, "d()")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int f(«void *», int b) { «return 0;» }", "int f(void *user, int b) { return d(user); }"),
        ("int f(«void*», int b) { «return 0;» }", "int f(void* user, int b) { return d(user); }"),
        ("int f(«void *» /* user */) { «return 0;» }", "int f(void *user) { return d(user); }"),
        ("int f(«void *» /* other */) { «return 0;» }", "int f(void *user /* other */) { return d(user); }"),
        ("int f(«size_t») { «return 0;» }", "int f(size_t user) { return d(user); }"),
        ("int f(«void *»name) { «return 0;» }", None),
    ],
)
def test_a_parameter_gets_the_name_that_a_return_needs(
    before: str, after: str | None, tmp_path: Path
) -> None:
    def change(places: Places) -> LeaveWith:
        return LeaveWith(places[1:], "d(user)", ((places[0], "user"),))

    assert apply(tmp_path, "a.cpp", before, change) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "\t«switch (r) {\n\tcase A:\n\t\tbreak;\n\t}»\n",
            "\tswitch (r) {\n\tcase A:\n\t\tbreak;\n\tdefault:\n\t\treturn d();\n\t}\n",
        ),
        (
            "  «switch (r) {\n    case A:\n      break;\n  }»\n",
            "  switch (r) {\n    case A:\n      break;\n    default:\n        return d();\n  }\n",
        ),
        ("«switch (r) { case A: break; }»", None),
    ],
)
def test_a_switch_gets_a_default(before: str, after: str | None, tmp_path: Path) -> None:
    assert apply(tmp_path, "a.c", before, lambda places: AddDefault(places[0], "d()")) == after


def test_what_is_moved_with_hidden_characters_is_left_to_a_person(tmp_path: Path) -> None:
    before = '{ i.p = «"a\N{RIGHT-TO-LEFT OVERRIDE}b"»; }'
    assert apply(tmp_path, "a.c", before, lambda places: SetBeside(places[0], "local", instead="")) is None


def test_brackets_that_never_close_end_the_search(tmp_path: Path) -> None:
    before = "x" + "[" * 100_000 + ")" * 100_000 + ".y |= «F»;"
    assert apply(tmp_path, "a.c", before, lambda places: DropFlags(places)) is None


@pytest.mark.parametrize(
    ("before", "old", "after"),
    [
        ("case «OLD»:", "OLD", "case NEW:"),
        ("case «OTHER»:", "OLD", None),
        ("return f(a)«»;", "", "return f(a)NEW;"),
    ],
)
def test_text_is_rewritten_where_it_reads_as_the_facts_say(
    before: str, old: str, after: str | None, tmp_path: Path
) -> None:
    assert apply(tmp_path, "a.c", before, lambda p: Rewrite(((p[0], old, "NEW"),))) == after
