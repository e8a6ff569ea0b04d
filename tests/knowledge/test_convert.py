"""The converter: from an extracted API model and corrections to the shipped rows."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lwslint.knowledge import convert

CORRECTIONS = tomllib.loads((Path(convert.__file__).parent / "corrections.toml").read_text(encoding="utf-8"))


def entry(signature: str, thread: str = "utility", **more: Any) -> dict[str, Any]:
    base = {"signature": signature, "thread": thread, "since": "v4.0.0", "removed": None}
    return {**base, "confidence": "pattern", "cite": "include/x.h:1@v5.0.0", **more}


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("int f(void)", []),
        ("int f()", []),
        ("int f(struct lws *wsi)", ["struct lws *wsi"]),
        ("int f(int (*cb)(int, void *), void *u)", ["int (*cb)(int, void *)", "void *u"]),
        ("void f(const char *format, ...)", ["const char *format", "..."]),
    ],
)
def test_parameters(signature: str, expected: list[str]) -> None:
    assert convert.parameters(signature) == expected


def test_roles_skip_what_receives_a_value() -> None:
    declared = ["struct lws **pwsi", "const struct lws_protocols *p", "struct lws *wsi", "struct lws *other"]
    assert convert.roles(declared) == {"wsi": 2, "protocol": 1}


def test_roles_tell_similar_types_apart() -> None:
    assert convert.roles(["struct lws_context *c", "struct lws_vhost *v"]) == {"context": 0, "vhost": 1}
    assert convert.roles(["struct lws_context_per_thread *pt", "struct lws_spa *s"]) == {}


def test_a_name_beats_a_pattern() -> None:
    groups = {"first": ["lws_*"], "second": ["lws_x"]}
    assert convert.chosen("lws_x", groups) == "second"
    assert convert.chosen("lws_y", groups) == "first"
    assert convert.chosen("other", groups) is None


def test_renames_are_followed_to_the_end_and_stop() -> None:
    known = {"lws_old": 1, "lws_new": 1}
    assert convert.modern("libwebsocket_old", known, {"lws_old": "lws_new"}) == "lws_new"
    assert convert.modern("lws_new", known, {}) is None
    assert convert.modern("libwebsocket_gone", known, {}) is None
    assert convert.modern("a", known, {"a": "b", "b": "a"}) == "b"


def test_function_rows() -> None:
    model = {
        "functions": {
            "lws_write": entry("int lws_write(struct lws *wsi)", "service-thread"),
            "libwebsocket_write": entry("int libwebsocket_write(struct libwebsocket *wsi)", "utility"),
            "lws_thing": entry("void lws_thing(void)"),
        },
        "macros": {
            "lws_wsi_close": {"kind": "function-macro", "since": "v4.0.0", "removed": None, "cite": "c"}
        },
    }
    rows = convert.function_rows(model, CORRECTIONS)
    assert list(rows) == sorted(rows)
    assert rows["lws_write"][:4] == ["4.0.0", None, "service", "write"]
    assert rows["libwebsocket_write"][2:4] == ["service", "write"]
    assert rows["libwebsocket_write"][-1] == "lws_write"
    assert rows["lws_thing"][2:4] == ["pure", ""]
    assert rows["lws_wsi_close"][2] == "service" and rows["lws_wsi_close"][6] == -1


def test_rows_are_written_one_per_line_and_read_back() -> None:
    document = {"rows": {"a": [1, {"b": 2}], "c": []}, "list": [{"x": 1}, {"y": 2}], "plain": "t"}
    text = convert.pretty(document)
    assert json.loads(text) == document
    assert '"a":[1,{"b":2}],\n"c":[]' in text


def test_no_name_is_written_out_in_two_groups() -> None:
    for table in ("thread", "category"):
        names = [n for members in CORRECTIONS[table].values() for n in members if "*" not in n]
        assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


def test_usage() -> None:
    assert convert.main(["a", "b"]) == 2
