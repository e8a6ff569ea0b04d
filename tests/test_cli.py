"""The command line as a user meets it: output, exit codes, and bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lwslint
from lwslint import cli, progress
from lwslint.rule import LoadedRule
from tests.conftest import WriteTree

Rules = tuple[LoadedRule, ...]
Output = pytest.CaptureFixture[str]

BAD = "lws_bad_error();\n"
IMPORT_PATH = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def run(capsys: Output, *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def tree(write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree({"src/a.c": BAD, "src/b.c": "lws_bad_warning() lws_bad_note()", "other.c": ""})
    monkeypatch.chdir(root)
    return root


def test_a_tree_with_findings(tree: Path, capsys: Output) -> None:
    code, out, err = run(capsys, "src", "--output-format", "concise")
    assert (code, err) == (1, "")
    assert out == (
        "src/a.c:1:1: error[LWS901] the program crashes here\n"
        "src/b.c:1:1: warning[LWS901] the program crashes here\n"
        "src/b.c:1:19: note[LWS901] the program crashes here\n"
        "Analysed 2 files.\n"
        "Found 3 findings in 2 files: 1 error, 1 warning, 1 note.\n"
        "Fix first: src/a.c:1:1 LWS901 bad-call (crash).\n"
    )


def test_the_full_format_and_the_current_folder_are_the_defaults(tree: Path, capsys: Output) -> None:
    code, out, _ = run(capsys)
    assert code == 1
    assert "1 | lws_bad_error();\n  | ^^^^^^^^^^^^^^^\n" in out
    assert "Analysed 2 files; 1 more does not use libwebsockets." in out


def test_json_is_one_document_and_the_same_every_time(tree: Path, capsys: Output) -> None:
    first = run(capsys, "--output-format", "json")
    assert first == run(capsys, "--output-format=json", ".")
    document = json.loads(first[1])
    assert [d["path"] for d in document["diagnostics"]] == ["src/a.c", "src/b.c", "src/b.c"]
    assert document["summary"]["skipped"] == {"does not mention libwebsockets": 1}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["src/a.c"], 1),
        (["src/a.c", "--fail-on", "never"], 0),
        (["src/a.c", "--exit-zero"], 0),
        (["src/b.c", "--fail-on", "error"], 0),
        (["src/b.c"], 1),
        (["other.c"], 0),
        (["src", "--ignore", "LWS901"], 0),
        (["src", "--select", "other"], 0),
        (["src", "--select", "LWS902,bad-call"], 1),
        (["src", "--select", "LWS902", "--select", "bad-call"], 1),
        (["missing"], 2),
        (["missing", "--exit-zero"], 2),
        (["--nonsense"], 2),
        (["--fail-on", "eror"], 2),
        (["--lws-version", "x"], 2),
        (["-D", "1"], 2),
        (["--config", "missing.toml"], 2),
        (["--quiet", "--verbose"], 2),
        (["src", "--show-files"], 0),
    ],
)
def test_exit_codes(tree: Path, capsys: Output, arguments: list[str], code: int) -> None:
    assert run(capsys, *arguments)[0] == code


def test_a_path_that_does_not_exist_is_told_and_the_rest_is_linted(tree: Path, capsys: Output) -> None:
    code, out, err = run(capsys, "missing", "src/a.c", "--output-format", "concise")
    assert code == 2
    assert err == "lwslint: error: missing: no such file or folder\n"
    assert "src/a.c:1:1: error[LWS901]" in out
    assert "1 problem kept the analysis from being complete." in out


def test_an_unknown_rule_is_blamed_on_where_it_was_written(tree: Path, capsys: Output) -> None:
    assert run(capsys, "--select", "bad-cal")[::2] == (
        2,
        "lwslint: error: --select: no rule, family or code is called 'bad-cal'; did you mean 'bad-call'?\n",
    )
    (tree / "lwslint.toml").write_text("ignore = ['LWS99']")
    code, _, err = run(capsys, ".")
    assert code == 2
    assert f"{tree / 'lwslint.toml'}: ignore: no rule, family or code is called 'LWS99'" in err


def test_the_command_line_beats_the_configuration(tree: Path, capsys: Output) -> None:
    (tree / "lwslint.toml").write_text("fail-on = 'never'\nselect = ['LWS901']\nexclude = ['b.c']")
    assert run(capsys, "src")[0] == 0
    assert "b.c" not in run(capsys, "src")[1]
    assert run(capsys, "src", "--fail-on", "note")[0] == 1
    assert "LWS901" not in run(capsys, "src", "--select", "LWS902")[1]
    assert "b.c" in run(capsys, "src", "--isolated")[1]


def test_the_configuration_is_found_from_the_first_path(tree: Path, capsys: Output) -> None:
    (tree / "src" / "lwslint.toml").write_text("select = ['LWS902']")
    assert run(capsys, "src")[0] == 0
    assert run(capsys, ".")[0] == 1
    assert run(capsys, ".", "--config", "src/lwslint.toml")[0] == 0


def test_a_broken_configuration_stops_the_run(tree: Path, capsys: Output) -> None:
    (tree / "lwslint.toml").write_text("select = [")
    code, out, err = run(capsys, "src")
    assert (code, out) == (2, "")
    assert "lwslint.toml: is not TOML" in err


def test_exclude_on_the_command_line_adds_to_the_configuration(tree: Path, capsys: Output) -> None:
    (tree / "lwslint.toml").write_text("exclude = ['a.c']")
    assert "Nothing to lint" in run(capsys, "src", "--exclude", "b.c")[1]
    assert "exclude" in run(capsys, "src", "--exclude", "!")[2]


def test_an_empty_tree_is_clean(tmp_path: Path, capsys: Output, fake_analysis: Rules) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(capsys, str(empty)) == (0, "Nothing to lint: no C, C++ or Python files found.\n", "")


def test_quiet_verbose_and_statistics(tree: Path, capsys: Output) -> None:
    quiet = run(capsys, "src", "-q", "--output-format", "concise")[1]
    assert len(quiet.splitlines()) == 3
    assert "3  LWS901 bad-call\n" in run(capsys, "src", "--statistics")[1]
    err = run(capsys, ".", "--verbose")[2]
    assert "lwslint: configuration: none\n" in err
    assert "lwslint: left out 1: does not mention libwebsockets\n" in err


def test_show_files_prints_files_and_reasons(tree: Path, capsys: Output) -> None:
    (tree / "notes.txt").touch()
    code, out, _ = run(capsys, "--show-files")
    assert code == 0
    assert out == (
        "lint  src/a.c  (c)\n"
        "lint  src/b.c  (c)\n"
        "skip  other.c  (does not mention libwebsockets)\n"
        "skip  1 file that is neither C nor C++\n"
    )


def test_rules_and_rule(capsys: Output, fake_analysis: Rules) -> None:
    assert run(capsys, "rules")[1].splitlines()[1].split()[:2] == ["LWS901", "bad-call"]
    assert run(capsys, "rule", "lws901") == run(capsys, "rule", "bad-call")
    assert run(capsys, "rule", "lws901")[1].startswith("LWS901 bad-call\n")
    assert run(capsys, "rule", "bad-cal")[::2] == (
        2,
        "lwslint: error: no rule is called 'bad-cal'; did you mean 'bad-call'?\n",
    )
    assert run(capsys, "rule")[0] == 2


def test_a_path_named_like_a_command_is_given_with_its_folder(
    write_tree: WriteTree, capsys: Output, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_tree({"rule/a.c": BAD}))
    assert run(capsys, "./rule", "--output-format", "concise")[1].startswith("rule/a.c:1:1: ")


def test_hostile_names_do_not_reach_the_terminal(
    write_tree: WriteTree, capsys: Output, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree({"a\x1b[2J\n.c": BAD, os.fsdecode(b"\xff\xfe.c"): BAD})
    monkeypatch.chdir(root)
    for arguments in (["--show-files"], ["--output-format=json"], [], ["-v", "x\x1b"]):
        _, out, err = run(capsys, *arguments)
        assert "\x1b" not in out + err
        (out + err).encode()
    assert "\x1b" not in run(capsys, "--\x1b")[2]


def test_an_interrupt_is_no_traceback(tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lwslint.engine.lint", interrupt)
    assert run(capsys, "src") == (130, "", "lwslint: error: interrupted\n")


# ------------------------------------------------------------------------------------- processes


def process(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "lwslint", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH, **environment},
        capture_output=True,
        timeout=120,
    )


def test_version_rules_and_help_need_no_parser() -> None:
    code = (
        "import sys; from lwslint.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "bad = [m for m in sys.modules if m.startswith(('tree_sitter', 'pathspec'))]\n"
        "sys.exit(', '.join(bad) or 0)"
    )
    for arguments in (["--version"], ["--help"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
    assert process("--version").stdout == f"lwslint {lwslint.__version__}\n".encode()


def test_no_code_of_the_linted_tree_is_imported(write_tree: WriteTree) -> None:
    trap = "open('trapped', 'w').close()\n"
    modules = ["msgspec", "pathspec", "argparse", "lwslint_rules/__init__", "sitecustomize", "tomllib"]
    modules += ["typing", "re", "enum", "hashlib", "array", "zlib", "json", "tempfile"]
    root = write_tree({**{f"{name}.py": trap for name in modules}, "a.c": "lws_x();"})
    process(".", cwd=root)
    assert not (root / "trapped").exists()


def test_a_closed_pipe_is_no_traceback(write_tree: WriteTree) -> None:
    root = write_tree({f"f{number}.txt": "" for number in range(3)} | {"a.c": "int x;"})
    child = subprocess.Popen(
        [sys.executable, "-m", "lwslint", str(root), "--show-files"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    assert child.stderr.read() == b""
    assert child.wait(60) == 0
    child.stderr.close()


def test_a_terminal_that_knows_only_ascii_gets_escapes(write_tree: WriteTree) -> None:
    root = write_tree({"é.c": "int x;"})
    done = process(str(root), "--show-files", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert rb"skip  \xe9.c" in done.stdout


def test_hostile_files_end_no_run(write_tree: WriteTree) -> None:
    """The whole tool, nothing replaced: garbage in, an answer out, no traceback and no hang."""
    root = write_tree(
        {
            "nul.c": b"lws\0\0\0" * 100,
            "garbage.c": bytes(range(256)) * 50 + b"lws_write",
            "garbage.cpp": bytes(range(255, -1, -1)) * 50 + b"lws_write",
            "hex.c": "unsigned char x[] = {" + "0x1f, " * 170_000 + "};",
            "deep.c": "int lws = " + "(" * 20_000 + ")" * 20_000 + ";",
            "blocks.c": "void lws_f(void)" + "{" * 20_000,
            "conditions.c": "#if lws\n" * 5_000,
            "utf16.c": "lws_write();".encode("utf-16"),
            "good.c": "int lws_good(void) { return 0; }\n",
        }
    )
    os.mkfifo(root / "fifo.c")
    (root / "passwd.c").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(".")
    done = process(".", "--output-format", "json", cwd=root)
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr
    document = json.loads(done.stdout)
    assert document["summary"]["files"] >= 1
    assert not [p for p in document["summary"]["problems"] if "internal error" in p["message"]]


# ------------------------------------------------------------------------------------- progress


class Terminal:
    def __init__(self, *, terminal: bool) -> None:
        self.text = ""
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def draw(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, times: list[float]) -> str:
    clock = iter(times)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = Terminal(terminal=terminal)
    bar = progress.Bar(stream)  # type: ignore[arg-type]
    bar(1, 4)
    bar.close()
    return stream.text


def test_the_bar_waits_a_second_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw(monkeypatch, terminal=True, times=[0.0, 0.9]) == ""
    shown = draw(monkeypatch, terminal=True, times=[0.0, 1.1, 1.1])
    assert "1/4 files" in shown
    assert shown.endswith("\r\x1b[K")
    assert draw(monkeypatch, terminal=False, times=[0.0, 5.0]) == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_no_finding_and_no_traceback(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lwslint", str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": IMPORT_PATH},
            check=False,
        )
    assert done.returncode == 2
    assert (
        done.stderr.decode() == "lwslint: error: cannot write to standard output: No space left on device\n"
    )
