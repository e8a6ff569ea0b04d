"""Runs over trees with JSON that libwebsockets reads: which files count, bad input, suppressions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lwslint import add_ignores, config, engine
from lwslint.suppressions import PathIgnore
from tests.conftest import WriteTree
from tests.fixture_runs import lint, rules

SECONDS = 8.0  # of CPU time, as in test_fixtures_hostile.py

GLOBAL = '{ "global": { "init-ssl": "yes" } }\n'
VHOST = (
    '{ "vhosts": [{ "name": "a.example", "port": "443",\n'
    '  "host-ssl-key": "/k", "host-ssl-cert": "/c",\n'
    '  "allow-non-tls": "0",\n'
    '  "mounts": [] }] }\n'
)
STREAM = {"endpoint": "www.meadow.org", "port": 443, "protocol": "ws", "http_url": "", "tls": "true"}
POLICY = json.dumps({"schema-version": 1, "s": [{"feed": STREAM}]}, indent=1)


def codes(result: engine.Result) -> list[tuple[str, str]]:
    return [(d.place.path, d.code) for d in result.diagnostics]


def test_files_count_by_what_they_say(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "etc/conf": GLOBAL,
            "etc/conf.d/site.example.org": VHOST,
            "settings.json": POLICY,
            "package.json": '{"name": "x", "s": 1}',
            "data/big": b"\x00" * 100,
            "README": "a text",
        }
    )
    result = lint(root)
    assert codes(result) == [("etc/conf.d/site.example.org", "LWS603"), ("settings.json", "LWS604")]
    assert [file.path for file in result.parsed] == [
        "etc/conf",
        "etc/conf.d/site.example.org",
        "settings.json",
    ]
    assert result.other == 3
    assert not result.problems


def test_a_file_that_is_named_is_read_whatever_it_is_called(write_tree: WriteTree) -> None:
    root = write_tree({"conf": VHOST.replace('"vhosts"', '"global": {}, "vhosts"'), "other.json": "{}"})
    settings = config.settings(config.Options())
    result = engine.lint(["conf", "other.json"], settings, rules(), cwd=str(root))
    assert codes(result) == [("conf", "LWS603")]
    assert [skipped.path for skipped in result.skipped] == ["other.json"]


def test_links_that_lead_out_are_not_followed(write_tree: WriteTree, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(VHOST)
    root = write_tree({"conf": GLOBAL})
    (root / "conf.d").mkdir()
    os.symlink(tmp_path / "outside", root / "conf.d" / "site")
    assert codes(lint(root)) == []


HOSTILE = {
    "empty": b"",
    "nul-bytes": VHOST.encode() + bytes(100_000),
    "utf-16": VHOST.encode("utf-16"),
    "bom": b"\xef\xbb\xbf" + VHOST.encode(),
    "lone-carriage-returns": VHOST.replace("\n", "\r").encode(),
    "bidi-and-escape": VHOST.replace("a.example", "\u202e\x1b[31m").encode(),
    "broken-utf-8": VHOST.encode().replace(b"a.example", b"\xc3\x28\xff"),
    "deep-arrays": b'{"vhosts": ' + b"[" * 200_000,
    "deep-objects": b'{"vhosts":' * 100_000,
    "long-string": b'{"vhosts": [{"mounts": [], "name": "' + b"x" * 1_500_000,
    "many-keys": b'{"vhosts": [{"mounts": [], ' + b'"host-ssl-cart": "x", ' * 30_000 + b'"port": "1"}]}',
    "many-vhosts": b'{"vhosts": [' + b'{"mounts": [], "port": "443"},' * 20_000 + b"{}]}",
    "many-streams": b'{"s": [' + b'{"a": {"http_url": "", "retry": "x", "tls": "true"}},' * 20_000 + b"{}]}",
    "comments": b'{"vhosts": [ ' + b"# x\n" * 200_000 + b"{}]}",
    "huge-number": b'{"vhosts": [{"mounts": [], "port": ' + b"9" * 500_000 + b"}]}",
    "long-ciphers": b'{"vhosts": [{"mounts": [], "ciphers": "' + b"RC4-MD5:!x:" * 20_000 + b'"}]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_ends_soon_and_spares_the_file_beside_it(write_tree: WriteTree, name: str) -> None:
    root = write_tree({"bad/conf": HOSTILE[name], "good/conf": GLOBAL, "good/conf.d/site": VHOST})
    start = time.process_time()
    result = lint(root)
    assert time.process_time() - start < SECONDS
    assert ("good/conf.d/site", "LWS603") in codes(result)
    assert not [problem for problem in result.problems if "internal" in problem.message]


def test_a_file_over_the_limit_is_told(write_tree: WriteTree) -> None:
    root = write_tree({"policy.json": POLICY + " " * 5_000})
    settings = config.settings(config.Options(max_file_size=1_000))
    result = engine.lint(["."], settings, rules(), cwd=str(root))
    assert [(problem.path, "max-file-size" in problem.message) for problem in result.problems] == [
        ("policy.json", True)
    ]


@pytest.mark.parametrize(
    ("addition", "limit"), [(" " * 1_100_000, "bytes"), ('"x": [' + "0," * 50_000 + "0],", "values")]
)
def test_json_beyond_the_limits_of_a_configuration_is_told(
    write_tree: WriteTree, addition: str, limit: str
) -> None:
    root = write_tree({"policy.json": POLICY.replace("{", "{" + addition, 1), "conf": GLOBAL})
    result = lint(root)
    assert [problem.path for problem in result.problems] == ["policy.json"]
    assert limit in result.problems[0].message
    assert [file.path for file in result.parsed] == ["conf"]


# ------------------------------------------------------------------------------------- suppressions


def suppressed(root: Path, ignores: Sequence[PathIgnore] = ()) -> engine.Result:
    settings = config.settings(config.Options())
    return engine.lint(["."], settings, rules(), cwd=str(root), per_file_ignores=ignores)


def test_comments_suppress(write_tree: WriteTree) -> None:
    said = VHOST.replace('  "allow', '  # lwslint: ignore[LWS603] behind a proxy that speaks TLS\n  "allow')
    result = suppressed(write_tree({"conf": GLOBAL, "conf.d/site": said}))
    assert codes(result) == [] and len(result.suppressed) == 1


def test_comments_that_suppress_nothing_are_told(write_tree: WriteTree) -> None:
    said = "# lwslint: ignore-file[LWS603] left over\n" + GLOBAL
    assert codes(suppressed(write_tree({"conf": said}))) == [("conf", "LWS002")]


def test_a_json_file_is_suppressed_by_its_path(write_tree: WriteTree) -> None:
    root = write_tree({"policy.json": POLICY})
    ignore = PathIgnore("*.json", lambda path: path.endswith(".json"), ("LWS604",))
    assert codes(suppressed(root, [ignore])) == []


@pytest.mark.parametrize(("path", "text", "written"), [("conf.d/site", VHOST, 1), ("a.json", POLICY, 0)])
def test_ignores_are_added_where_comments_may_stand(
    write_tree: WriteTree, path: str, text: str, written: int
) -> None:
    root = write_tree({"conf": GLOBAL, path: text})
    added = add_ignores.add(suppressed(root), "as agreed", [str(root)])
    assert (added.findings, len(added.refused)) == (written, 1 - written)
    left = [code for where, code in codes(suppressed(root)) if where == path]
    assert left == [] if written else left == ["LWS604"]


def test_a_suppression_in_a_pasted_policy(write_tree: WriteTree) -> None:
    pieces = [json.dumps(line) for line in POLICY.splitlines()]
    mark = next(number for number, piece in enumerate(pieces) if "true" in piece)
    source = "#include <libwebsockets.h>\nconst char *policy =\n{}\n;\n"
    root = write_tree({"main.c": source.format("\n".join(pieces))})
    assert codes(suppressed(root)) == [("main.c", "LWS604")]
    pieces[mark] += " /* lwslint: ignore[LWS604] a test bench */"
    root = write_tree({"main.c": source.format("\n".join(pieces))})
    assert codes(suppressed(root)) == []


# ------------------------------------------------------------------------------------- fixes


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("policy.json", POLICY, POLICY.replace('"tls": "true"', '"tls": true')),
        (
            "main.c",
            f"#include <libwebsockets.h>\nconst char *p = {json.dumps(POLICY)};\n",
            f"#include <libwebsockets.h>\nconst char *p = {json.dumps(POLICY)};\n".replace(
                '\\"true\\"', "true"
            ),
        ),
    ],
)
def test_the_word_true_is_written(write_tree: WriteTree, path: str, before: str, after: str) -> None:
    result = lint(write_tree({path: before}))
    (finding,) = result.diagnostics
    assert finding.fix is not None and finding.fix.applicability.value == "unsafe"
    (edit,) = finding.fix.edits
    data = before.encode()
    start, end = edit.place.span
    assert (data[:start] + edit.replacement.encode() + data[end:]).decode() == after


def test_a_literal_that_is_split_is_left_alone(write_tree: WriteTree) -> None:
    source = f"#include <libwebsockets.h>\nconst char *p = {json.dumps(POLICY)};\n".replace("tru", 'tr" "u')
    (finding,) = lint(write_tree({"main.c": source})).diagnostics
    assert finding.code == "LWS604" and finding.fix is None
