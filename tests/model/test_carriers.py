"""What is left out of the points-to analysis must not have changed its answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lwslint.frontends.c import extract
from lwslint.model import flow
from lwslint.model.carriers import Carriers, Word
from lwslint.model.flow import Flow
from lwslint.model.symbols import Symbols
from lwslint.settings import Settings
from tests.model.linked import link

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_SUFFIXES = {".c": "c", ".h": "c", ".cpp": "cpp", ".hpp": "cpp", ".cc": "cpp"}


class _Everything(frozenset[Word]):
    def __contains__(self, word: object) -> bool:
        return True

    def isdisjoint(self, words: object) -> bool:
        return False


@pytest.mark.parametrize("folder", sorted(p.name for p in _FIXTURES.iterdir() if p.is_dir()))
def test_the_words_leave_out_nothing_that_holds_anything(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        extract(str(path), path.read_bytes(), _SUFFIXES[path.suffix], Settings())
        for path in sorted((_FIXTURES / folder).rglob("*"))
        if path.suffix in _SUFFIXES
    ]
    some = Flow(Symbols(files))
    monkeypatch.setattr(flow, "carriers", lambda *_: Carriers(_Everything(), frozenset()))
    every = Flow(Symbols(files))
    assert [(e.caller.id, e.site.order, e.callee.id, e.kind) for e in some.edges] == [
        (e.caller.id, e.site.order, e.callee.id, e.kind) for e in every.edges
    ]
    assert dict(some._holds) == dict(every._holds)
    assert [(c.kind, c.definition.id, c.call.span) for c in some.creations] == [
        (c.kind, c.definition.id, c.call.span) for c in every.creations
    ]


def _held(source: str, name: str, language: str = "c") -> set[str]:
    """The functions that a field or a variable of file scope may hold."""
    project = link({f"main.{language}": source})
    definitions = project.symbols.definitions
    return {
        definitions[thing.id].name
        for cell, things in project.flow._holds.items()
        if cell[-1] == name and cell[0] in ("field", "global")
        for thing in things
        if thing.kind == "function"
    }


def test_a_function_that_goes_through_a_field_a_result_and_a_parameter() -> None:
    source = """
    struct ops { int (*run)(void); };
    static int (*last)(void);
    static int work(void) { return 0; }
    static struct ops first = { work };
    static int (*pick(struct ops *o))(void) { return o->run; }
    static void keep(int (*f)(void)) { last = f; }
    int main(void) { keep(pick(&first)); return last(); }
    """
    assert _held(source, "run") == {"work"}
    assert _held(source, "last") == {"work"}


def test_a_function_that_goes_through_the_call_of_a_pointer() -> None:
    source = """
    static void (*kept)(void);
    static void work(void) {}
    static void keep(int a, void (*f)(void)) { kept = f; }
    static void (*through)(int, void (*)(void)) = keep;
    int main(void) { through(1, work); return 0; }
    """
    assert _held(source, "kept") == {"work"}


def test_a_list_that_is_given_to_the_call_of_a_pointer() -> None:
    source = """
    struct ops { int n; void (*run)(); };
    static void (*kept)();
    static void work() {}
    static void keep(ops o) { kept = o.run; }
    static void (*through)(ops) = keep;
    int main() { through({1, work}); }
    """
    assert _held(source, "kept", "cpp") == {"work"}


def test_a_function_that_is_handed_over_with_a_thread() -> None:
    source = """
    static void (*kept)(void);
    static void work(void) {}
    static void *routine(void *given) { kept = given; return 0; }
    int main(void) { pthread_t t; pthread_create(&t, 0, routine, work); return 0; }
    """
    assert _held(source, "kept") == {"work"}
