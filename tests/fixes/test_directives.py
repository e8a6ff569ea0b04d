"""Comments that suppress nothing, taken out or completed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lwslint import config, engine
from lwslint.diagnostics import Applicability
from lwslint.fixes import plan
from tests.conftest import WriteTree
from tests.fixture_runs import rules

HEAD = {
    "a.c": "#include <libwebsockets.h>\nstruct lws *w;\n",
    "a.py": 'import websocket\n\nwebsocket.create_connection("wss://h/", subprotocols=["chat"])\n',
}


def fixed(root: Path, name: str) -> tuple[str, list[Applicability]]:
    """The file of that name below ``root`` without its head, after one round of all fixes."""
    result = engine.lint(["."], config.settings(config.Options()), rules(), cwd=str(root))
    found = [d for d in result.diagnostics if d.fix]
    made = plan.choose(found, unsafe=True)
    text = plan.changed(result.texts[name], made.edits.get(name, ()))
    return text.decode()[len(HEAD[name]) :], [d.fix.applicability for d in found if d.fix]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.c", "/* lwslint: ignore[LWS401] why */\nint a;\n", "int a;\n"),
        ("a.c", "  // lwslint: ignore[LWS401] why\nint a;\n", "int a;\n"),
        ("a.c", "int a;  // lwslint: ignore[LWS401] why\n", "int a;\n"),
        ("a.c", "int a; /* lwslint: ignore[LWS401] why */ int b;\n", "int a; int b;\n"),
        ("a.c", "int/* lwslint: ignore[LWS401] why */a;\n", "int a;\n"),
        ("a.c", "int a; // NOLINT // lwslint: ignore[LWS401] why\n", "int a; // NOLINT\n"),
        ("a.c", "/* lwslint: ignore[LWS401] why,\n * at length */\nint a;\n", "int a;\n"),
        ("a.c", "#define A 1 /* lwslint: ignore[LWS401] why */ \\\n  + 2\n", "#define A 1 \\\n  + 2\n"),
        ("a.c", "// lwslint: ignore[LWS401, LWS402] w\nint a;\n", "// lwslint: ignore[LWS402] w\nint a;\n"),
        ("a.py", "# lwslint: ignore[LWS401] why\na = 1\n", "a = 1\n"),
        ("a.py", "a = 1  # lwslint: ignore[LWS401] why\n", "a = 1\n"),
        ("a.py", "a = 1  # noqa  # lwslint: ignore[LWS401] why\n", "a = 1  # noqa\n"),
    ],
)  # fmt: skip
def test_what_is_not_needed_is_taken_out(name: str, before: str, after: str, write_tree: WriteTree) -> None:
    root = write_tree({name: HEAD[name] + before})
    text, kinds = fixed(root, name)
    assert text == after
    assert set(kinds) == {Applicability.SAFE}


def test_a_comment_that_goes_on_with_something_else_is_left_alone(write_tree: WriteTree) -> None:
    before = "/* About a,\n * lwslint: ignore[LWS401] why\n */\nint a;\n"
    assert fixed(write_tree({"a.c": HEAD["a.c"] + before}), "a.c") == (before, [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("// lwslint ignore[LWS401] why\n", "// lwslint: ignore[LWS401] why\n"),
        ("// lwslint: ignore[permisive-tls-flags] why\n", "// lwslint: ignore[permissive-tls-flags] why\n"),
        ("// lwslint ignore[LWS401]\n", None),
        ("// lwslint: ignore[LWS444] why\n", None),
        ("// lwslint: ignore[nothing-like-it] why\n", None),
    ],
)
def test_what_is_plainly_meant_is_completed_when_unsafe_fixes_are_wanted(
    before: str, after: str | None, write_tree: WriteTree
) -> None:
    text, kinds = fixed(write_tree({"a.c": HEAD["a.c"] + before}), "a.c")
    assert text == (before if after is None else after)
    assert kinds == ([] if after is None else [Applicability.UNSAFE])
