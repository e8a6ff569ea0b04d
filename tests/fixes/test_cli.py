"""``--fix``, ``--unsafe-fixes`` and ``--diff`` as a user meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lwslint import cli
from tests.conftest import WriteTree
from tests.fixture_marks import FOLDER

Output = pytest.CaptureFixture[str]

CLIENT = """\
#include <libwebsockets.h>

int dial(struct lws_context *context)
{
	struct lws_client_connect_info i = { 0 };

	i.context = context;
	i.address = i.host = i.origin = "radio.example.com";
	i.port = 443;
	i.protocol = "mqtt , soap";
	i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;
	return lws_client_connect_via_info(&i) ? 0 : -1;
}
"""
SAFE = CLIENT.replace("mqtt , soap", "mqtt, soap")
ALL = SAFE.replace(" | LCCSCF_ALLOW_SELFSIGNED", "")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(capsys: Output, *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def tree(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree({"src/client.c": CLIENT, "src/other.c": CLIENT.replace("dial", "call")})
    monkeypatch.chdir(root)
    return root


def client(tree: Path) -> str:
    return (tree / "src/client.c").read_text()


def test_fix_makes_the_safe_fixes_and_reports_what_is_left(tree: Path, capsys: Output) -> None:
    code, out, err = run(capsys, "src/client.c", "--fix", "--output-format", "json")
    assert client(tree) == SAFE
    assert [d["code"] for d in json.loads(out)["diagnostics"]] == ["LWS401"]
    assert err.splitlines() == [
        'lwslint: fixed src/client.c:10 LWS202 malformed-subprotocol: spell the list "mqtt, soap"',
        "lwslint: fixed 1 finding in 1 file",
    ]
    assert code == 1


def test_unsafe_fixes_are_made_where_they_are_asked_for(tree: Path, capsys: Output) -> None:
    code, _, err = run(capsys, "src", "--fix", "--unsafe-fixes", "-q")
    assert client(tree) == ALL
    assert (code, err) == (0, "lwslint: fixed 4 findings in 2 files\n")
    code, _, err = run(capsys, "src", "--fix", "--unsafe-fixes")
    assert (code, err) == (0, "lwslint: fixed nothing\n")


def test_diff_prints_what_fix_would_do_and_writes_nothing(tree: Path, capsys: Output) -> None:
    code, out, err = run(capsys, "src/client.c", "--diff", "--unsafe-fixes")
    assert (code, err) == (1, "lwslint: would fix 2 findings in 1 file\n")
    assert client(tree) == CLIENT
    assert out.startswith("--- src/client.c\n+++ src/client.c\n@@ ")
    if shutil.which("patch"):
        subprocess.run(["patch", "-p0"], input=out.encode(), cwd=tree, check=True, capture_output=True)
        assert client(tree) == ALL


def test_diff_of_nothing(tree: Path, capsys: Output) -> None:
    (tree / "src/client.c").write_text(ALL)
    assert run(capsys, "src/client.c", "--diff", "--unsafe-fixes") == (0, "", "lwslint: would fix nothing\n")


def test_diff_takes_as_many_rounds_as_fix(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Two labels of one directive, whose commas overlap."""
    text = CLIENT.replace(
        "\ti.protocol", "\t/* lwslint: ignore[LWS101,LWS102,LWS104] none of them */\n\ti.protocol"
    )
    root = write_tree({"a.c": text})
    monkeypatch.chdir(root)
    code, out, _ = run(capsys, ".", "--diff")
    assert code == 1
    assert "-\t/* lwslint: ignore[LWS101,LWS102,LWS104] none of them */\n" in out
    assert "+\t/* lwslint" not in out
    run(capsys, ".", "--fix")
    assert (root / "a.c").read_text() == SAFE


def test_diff_cannot_forge_a_terminal_sequence_or_a_command(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    evil = '\ti.protocol = "mqtt , soap"; // \x1b[2J ##[error]x\n  ::error::forged\n  ::close(3);\n'
    text = CLIENT.replace('\ti.protocol = "mqtt , soap";\n', evil)
    monkeypatch.chdir(write_tree({"a.c": text}))
    code, out, _ = run(capsys, ".", "--diff")
    assert code == 1
    assert "\x1b" not in out and "##[" not in out and "::error" not in out
    assert "   ::close(3);\n" in out


def test_what_is_suppressed_or_in_the_baseline_is_not_fixed(tree: Path, capsys: Output) -> None:
    ignored = CLIENT.replace(
        "\ti.protocol", "\t/* lwslint: ignore[LWS202] its server wants it */\n\ti.protocol"
    )
    (tree / "src/client.c").write_text(ignored)
    run(capsys, "baseline", "src/other.c", "-o", "known.json")
    code, _, err = run(capsys, "src", "--fix", "--unsafe-fixes", "--baseline", "known.json")
    assert client(tree) == ignored.replace(" | LCCSCF_ALLOW_SELFSIGNED", "")
    assert "call" in (tree / "src/other.c").read_text() and "mqtt ," in (tree / "src/other.c").read_text()
    assert (code, err.splitlines()[-1]) == (0, "lwslint: fixed 1 finding in 1 file")


def test_only_named_files_change(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """The flags stand in a header that was not named."""
    files = {
        "flags.h": "#define FLAGS (LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED)\n#include <libwebsockets.h>\n",
        "a.c": CLIENT.replace("LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED", "FLAGS").replace(
            "#include", '#include "flags.h"\n#include', 1
        ),
    }
    root = write_tree(files)
    monkeypatch.chdir(root)
    run(capsys, "a.c", "--project", ".", "--fix", "--unsafe-fixes")
    assert (root / "flags.h").read_text() == files["flags.h"]
    assert "mqtt, soap" in (root / "a.c").read_text()
    run(capsys, ".", "--fix", "--unsafe-fixes")
    assert "ALLOW_SELFSIGNED" not in (root / "flags.h").read_text()


def test_what_cannot_be_written_is_a_problem_and_stays_as_it_is(tree: Path, capsys: Output) -> None:
    outside = tree.parent / "outside.c"
    shutil.move(tree / "src/client.c", outside)
    os.symlink(outside, tree / "src/client.c")
    code, _, err = run(capsys, "src/client.c", "--fix")
    assert code == 2
    assert "src/client.c: is a symbolic link" in err
    assert outside.read_text() == CLIENT
    assert run(capsys, "src/client.c", "--diff")[0] == 2


def test_permissions_encoding_and_line_ends_stay(tree: Path, capsys: Output) -> None:
    path = tree / "src/client.c"
    before = CLIENT.replace("\treturn", "\t/* Grüße */\n\treturn").replace("\n", "\r\n").encode("latin-1")
    path.write_bytes(before)
    path.chmod(0o640)
    run(capsys, "src/client.c", "--fix", "--unsafe-fixes")
    expected = before.replace(b"mqtt ,", b"mqtt,").replace(b" | LCCSCF_ALLOW_SELFSIGNED", b"")
    assert path.read_bytes() == expected
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(path.parent)) == ["client.c", "other.c"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--unsafe-fixes"],
        ["--fix", "--diff"],
        ["--fix", "--show-files"],
        ["--diff", "--show-files"],
        ["--diff", "--output-format", "json"],
        ["--fix", "--add-ignores", "--reason", "x"],
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], tree: Path, capsys: Output) -> None:
    code, out, err = run(capsys, "src", *arguments)
    assert (code, out) == (2, "")
    assert arguments[0] in err
    assert client(tree) == CLIENT


def test_staged_findings_are_fixed_and_no_others(tree: Path, capsys: Output) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=tree, check=True)

    if shutil.which("git") is None:
        pytest.skip("no git")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (tree / "src/client.c").write_text(CLIENT.replace('"mqtt , soap"', '"wamp , mqtt"'))
    git("add", ".")
    assert run(capsys, "--staged", "--diff")[0] == 1
    run(capsys, "--staged", "--fix")
    assert '"wamp, mqtt"' in client(tree)
    assert "mqtt ," in (tree / "src/other.c").read_text()


def test_the_program_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    shutil.copytree(FOLDER / "wave_relay" / "bad", tmp_path / "relay")
    monkeypatch.chdir(tmp_path / "relay")
    _, out, err = run(capsys, ".", "--fix", "--unsafe-fixes", "--output-format", "json")
    left = {d["code"] for d in json.loads(out)["diagnostics"]}
    assert left == {"LWS101", "LWS104"}
    assert err.splitlines()[-1] == "lwslint: fixed 3 findings in 1 file"
    text = Path("relay_client.cpp").read_text()
    assert "    info.local_protocol_name = protocols_[0].name;\n" in text
    assert "void *user, void *in, size_t len)" in text
    assert "    return lws_callback_http_dummy(wsi, reason, user, in, len);\n}" in text


def test_a_build_file_is_fixed_as_well(tree: Path, capsys: Output) -> None:
    code = "set(CMAKE_C_STANDARD 11)\n"
    (tree / "CMakeLists.txt").write_text(f"# lwslint: ignore[LWS601,LWS602] once it was on\n{code}")
    status, out, _ = run(capsys, ".", "--diff")
    assert status == 1
    assert "-# lwslint: ignore[LWS601,LWS602] once it was on\n" in out and "+# lwslint" not in out
    run(capsys, ".", "--fix")
    assert (tree / "CMakeLists.txt").read_text() == code
