"""What the evaluator says about small programs: the values, their pieces and their conditions."""

from __future__ import annotations

import pytest

from lwslint.facts import Assign
from lwslint.model.exposure import spell
from lwslint.model.project import Project
from tests.model.linked import link, value_of

USE, SELF, SKIP = 1, 2, 4


def numbers(source: str, language: str = "c") -> list[int]:
    return sorted(a.number for a in value_of(source, language=language).numbers)


def texts(source: str, language: str = "c") -> list[str]:
    return sorted(a.text for a in value_of(source, language=language).texts)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("3", 3),
        ("0x1f", 31),
        ("LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED", 3),
        ("(1 << 0) | (1 << 2)", 5),
        ("0x1f & ~2", 29),
        ("(int)LCCSCF_USE_SSL + LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK", 5),
        ("MINE", 9),
        ("SECOND", 6),
        ("TWICE(3)", 6),
    ],
)
def test_constants_are_folded(expression: str, expected: int) -> None:
    source = f"""
        #define MINE (LCCSCF_USE_SSL | 8)
        #define TWICE(x) ((x) + (x))
        enum mode {{ FIRST = 5, SECOND }};
        void f(void) {{ int out; out = {expression}; }}
    """
    assert numbers(source) == [expected]


def test_pieces_name_each_flag() -> None:
    possible = value_of("void f(void) { int out; out = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED; }")
    (alternative,) = possible.numbers
    assert [piece.text for piece in alternative.pieces] == ["LCCSCF_USE_SSL", "LCCSCF_ALLOW_SELFSIGNED"]
    assert [piece.number for piece in alternative.pieces] == [USE, SELF]


def test_conditional_has_both_sides_with_their_condition() -> None:
    possible = value_of("void f(int lax) { int out; out = lax ? 2 : 1; }")
    found = {
        a.number: [(spell(c.guard.test), c.guard.holds) for c in a.when if c.guard] for a in possible.numbers
    }
    assert found == {2: [("lax", True)], 1: [("lax", False)]}


def test_assignment_replaces_and_or_adds() -> None:
    source = """
        void f(int lax) {
            int flags = 16, out;
            flags = LCCSCF_USE_SSL;
            if (lax)
                flags |= LCCSCF_ALLOW_SELFSIGNED;
            out = flags;
        }
    """
    assert numbers(source) == [USE, USE | SELF]


def test_or_under_the_same_condition_always_happens() -> None:
    source = """
        void f(int tls) {
            int flags = 0, out;
            if (tls) {
                flags = LCCSCF_USE_SSL;
                flags |= LCCSCF_ALLOW_SELFSIGNED;
            }
            out = flags;
        }
    """
    assert numbers(source) == [0, USE | SELF]


def test_both_branches_replace_what_was_there() -> None:
    source = """
        void f(int tls) {
            int flags = 7, out;
            if (tls) flags = 1; else flags = 0;
            out = flags;
        }
    """
    assert numbers(source) == [0, 1]


def test_later_assignments_do_not_count() -> None:
    assert numbers("void f(void) { int a = 1, out; out = a; a = 2; }") == [1]


def test_other_branch_does_not_count() -> None:
    source = """
        void f(int x) {
            const char *name = 0, *out;
            if (x) { name = "a"; } else { name = "b"; out = name; }
        }
    """
    assert texts(source) == ["b"]


def test_parameter_is_the_argument_of_each_call() -> None:
    source = """
        static int out;
        static void set(int flags) { out = flags; }
        void a(void) { set(1); }
        void b(int dev) { if (dev) set(3); }
    """
    possible = value_of(source)
    assert sorted(a.number for a in possible.numbers) == [1, 3]
    (weak,) = [a for a in possible.numbers if a.number == 3]
    assert [spell(c.guard.test) for c in weak.when if c.guard] == ["dev"]
    assert "passed as flags to set()" in weak.pieces[0].via[-1].what


def test_returned_values_keep_the_call_apart() -> None:
    source = """
        static int pick(int x) { return x; }
        void a(void) { int other, out; other = pick(7); out = pick(1); }
    """
    assert numbers(source) == [1]


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_out_parameter_is_written_by_the_callee(language: str) -> None:
    pointer, argument, use = ("int *p", "&flags", "*p") if language == "c" else ("int &p", "flags", "p")
    source = f"""
        static void weaken({pointer}) {{ {use} |= LCCSCF_ALLOW_SELFSIGNED; }}
        void f(void) {{ int flags = LCCSCF_USE_SSL, out; weaken({argument}); out = flags; }}
    """
    assert numbers(source, language) == [USE | SELF]


def test_a_way_out_of_the_callee_keeps_what_it_wrote() -> None:
    source = """
        static int parse(int c, int *tls) {
            if (c == 's') { *tls = 9; return 1; }
            if (c == 't') *tls = 5;
            *tls = 0;
            return 0;
        }
        void f(int c) { int tls = 3; parse(c, &tls); int out; out = tls; }
    """
    assert sorted(numbers(source)) == [0, 9]


def test_out_parameter_of_an_unknown_function_is_unknown() -> None:
    assert value_of("void f(void) { int x = 1, out; elsewhere(&x); out = x; }").unknown


@pytest.mark.parametrize(("index", "expected"), [("0", ["a"]), ("SECOND", ["b"]), ("i", ["a", "b"])])
def test_table_entries_by_index(index: str, expected: list[str]) -> None:
    source = f"""
        enum {{ FIRST, SECOND }};
        static const struct lws_protocols protocols[] = {{
            {{ "a", cb, 0, 0 }}, {{ .name = "b", .callback = cb }}, {{ NULL, NULL, 0, 0 }}
        }};
        void f(int i) {{ const char *out; out = protocols[{index}].name; }}
    """
    assert texts(source) == expected


def test_table_filled_by_assignments() -> None:
    source = """
        void f(int i) {
            struct lws_protocols *t = calloc(3, sizeof(*t));
            const char *out;
            t[0].name = "a"; t[1].name = "b";
            out = t[1].name;
        }
    """
    assert texts(source) == ["b"]


@pytest.mark.parametrize(
    "fill",
    [
        'strcpy(buffer, "chat");',
        'strncpy(buffer, "chat", 5);',
        'snprintf(buffer, sizeof(buffer), "chat");',
        'snprintf(buffer, sizeof(buffer), "%s", "chat");',
    ],
)
def test_buffers_hold_what_is_copied_into_them(fill: str) -> None:
    assert texts(f"void f(void) {{ char buffer[16]; const char *out; {fill} out = buffer; }}") == ["chat"]


def test_strings_and_members_of_cpp() -> None:
    source = """
        class Client {
            std::string name_{"chat"};
            int flags_ = LCCSCF_USE_SSL;
            void f() { const char *out; out = name_.c_str(); }
        };
    """
    assert texts(source, "cpp") == ["chat"]


def test_field_of_one_object_is_not_that_of_another() -> None:
    source = """
        struct cfg { const char *name; };
        void g(void) { struct cfg other; other.name = "other"; }
        void f(void) { struct cfg mine; const char *out; mine.name = "mine"; out = mine.name; }
    """
    assert texts(source) == ["mine"]


def test_fields_reach_across_functions() -> None:
    source = """
        struct cfg { const char *name; };
        void g(struct cfg *c) { c->name = "set"; }
        void f(struct cfg *c) { const char *out; out = c->name; }
    """
    assert texts(source) == ["set"]


def test_environment_with_a_default() -> None:
    source = 'void f(void) { const char *out; out = getenv("X") ? getenv("X") : "made-up"; }'
    possible = value_of(source)
    assert [a.text for a in possible.texts] == ["made-up"]
    assert possible.unknown


def test_preprocessor_condition_is_on_the_way() -> None:
    source = """
        void f(void) {
            int flags = LCCSCF_USE_SSL, out;
        #ifdef SOME_OPTION
            flags |= LCCSCF_ALLOW_SELFSIGNED;
        #endif
            out = flags;
        }
    """
    possible = value_of(source)
    (weak,) = [a for a in possible.numbers if a.number == 3]
    assert [c.condition.text for c in weak.when if c.condition] == ["defined(SOME_OPTION)"]


def test_cycles_and_depth_end() -> None:
    cycle = "static int a, b, out; void f(void) { a = b; b = a; out = a; }"
    assert isinstance(numbers(cycle), list)
    deep = "".join(f"static int f{i}(int x) {{ return f{i + 1}(x) | f{i + 1}(x); }}\n" for i in range(60))
    last = "static int f60(int x) { return x; } void g(void) { int out; out = f0(1); }"
    assert value_of(deep + last).alternatives


def test_a_long_chain_costs_no_depth() -> None:
    chain = " | ".join(["LCCSCF_USE_SSL"] * 100)
    assert numbers(f"void f(void) {{ int out; out = {chain}; }}") == [1]


def test_answers_do_not_depend_on_the_order_of_questions() -> None:
    source = """
        static int a, b;
        void f(int x) { a = x ? b : 1; b = x ? a : 2; }
        void g(void) { int out; out = a | b; }
    """
    first, second = link({"main.c": source}), link({"main.c": source})
    assigned(second, "b")
    assert assigned(first, "out") == assigned(second, "out")


def assigned(project: Project, variable: str) -> list[tuple[str, int]]:
    located = project.writes_to(variable)[-1]
    node = located.site.node
    assert isinstance(node, Assign)
    scope = project.values.writes.scope_at(located.definition, located.site)
    return sorted((a.kind, a.number) for a in project.values.possible_in(node.value, scope).alternatives)
