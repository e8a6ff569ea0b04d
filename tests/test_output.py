"""``--output-format FORMAT[:FILE]``: several reports in one run, each whole or not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lwslint import cli, output
from lwslint.output import Output, OutputError
from lwslint.reporters import FORMATS
from lwslint.rule import LoadedRule
from tests.conftest import WriteTree

Rules = tuple[LoadedRule, ...]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def tree(write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree({"src/a.c": "lws_bad_error();\n"})
    monkeypatch.chdir(root)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return root


def lint(capsys: Captured, *outputs: str) -> tuple[int, str, str]:
    code = cli.main(["src", *(word for value in outputs for word in ("--output-format", value))])
    return code, *capsys.readouterr()


def test_several_reports_each_to_its_own_file(tree: Path, capsys: Captured) -> None:
    code, out, err = lint(capsys, "sarif:out.sarif", "junit:out.xml", "concise", "full:out.txt")
    assert (code, err) == (1, "")
    assert out.startswith("src/a.c:1:1: error[LWS901] the program crashes here\n")
    assert json.loads((tree / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert ElementTree.parse(tree / "out.xml").getroot().get("failures") == "1"
    assert (tree / "out.txt").read_text(encoding="utf-8").endswith("error.\n")
    assert sorted(path.name for path in tree.iterdir()) == ["out.sarif", "out.txt", "out.xml", "src"]


def test_every_format_can_be_written_and_printed(tree: Path, capsys: Captured) -> None:
    for name in FORMATS:
        assert lint(capsys, f"{name}:out") == (
            1,
            "Analysed 1 file.\nFound 1 finding in 1 file: 1 error.\n",
            "",
        )
        code, out, _ = lint(capsys, f"{name}:-")
        assert code == 1
        # Where output is no terminal, what is printed is what is written.
        assert out == (tree / "out").read_text(encoding="utf-8")


def test_a_file_has_no_colour(tree: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, _ = lint(capsys, "full:out.txt", "concise")
    assert "\x1b[" in out and "\x1b" not in (tree / "out.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["sarfi:x"], "no format is called 'sarfi'; did you mean sarif?"),
        (["pdf"], "no format is called 'pdf'; there are full, concise"),
        (["json:"], "json: names no file"),
        (["json", "concise"], "json and concise both go to standard output"),
        (["json:a", "jsonl:./a"], "json and jsonl both go to ./a"),
        (["json:missing/a"], "missing/a: there is no folder missing"),
        (["json:src"], "src: is not a regular file"),
    ],
)
def test_an_output_that_cannot_be_had_stops_before_the_run(
    tree: Path, capsys: Captured, values: list[str], message: str
) -> None:
    code, out, err = lint(capsys, *values)
    assert (code, out) == (2, "")
    assert err.startswith(f"lwslint: error: {message}")


def test_a_file_that_is_a_link_or_lies_behind_one_is_refused(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (tree / "report.html").symlink_to(outside / "precious")
    (tree / "reports").symlink_to(outside)
    with pytest.raises(OutputError, match="is a symbolic link"):
        output.parse(["html:report.html"])
    with pytest.raises(OutputError, match="leads out of the current folder"):
        output.parse(["html:reports/precious"])
    # What the user spells out is meant.
    assert output.parse([f"html:{outside}/new"]) == (Output("html", f"{outside}/new"),)
    assert output.parse(["html:../outside/new"]) == (Output("html", "../outside/new"),)


def test_a_fifo_is_refused(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(OutputError, match="not a regular file"):
        output.parse(["json:pipe"])


def test_a_report_that_breaks_off_leaves_the_old_one(tree: Path) -> None:
    def lines() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    (tree / "old").write_text("old")
    with pytest.raises(OutputError, match="old: cannot be written: no space left on device"):
        output.write("old", lines())
    assert (tree / "old").read_text() == "old"
    assert sorted(path.name for path in tree.iterdir()) == ["old", "src"]


def test_a_link_that_appears_meanwhile_is_replaced_not_followed(tree: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")

    def lines() -> Iterator[str]:
        (tree / "new").symlink_to(precious)
        yield "line"

    output.write("new", lines())
    assert precious.read_text() == "kept"
    assert not (tree / "new").is_symlink() and (tree / "new").read_text() == "line\n"


def test_a_report_is_as_readable_as_any_new_file(tree: Path) -> None:
    before = os.umask(0o022)
    try:
        output.write("new", ["x"])
    finally:
        os.umask(before)
    assert (tree / "new").stat().st_mode & 0o777 == 0o644


def test_what_utf8_cannot_say_is_escaped(tree: Path) -> None:
    output.write("new", ["\udcff é"])
    assert (tree / "new").read_bytes() == "\\udcff é\n".encode()


def test_one_report_that_cannot_be_written_spares_the_others(
    tree: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = output.write

    def broken(file: str, lines: Iterator[str]) -> None:
        if file == "a":
            raise OutputError("a: cannot be written: full")
        write(file, lines)

    monkeypatch.setattr(output, "write", broken)
    code, _, err = lint(capsys, "json:a", "json:b")
    assert code == 2
    assert err == "lwslint: error: a: cannot be written: full\n"
    assert (tree / "b").exists()


def test_formats_are_imported_when_they_are_used() -> None:
    program = (
        "import sys; from lwslint import cli; cli.main(['rules'])\n"
        "print(*(m for m in sys.modules if m.startswith('lwslint.reporters.') or m.startswith('xml')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded == {"lwslint.reporters.logs", "lwslint.reporters.style"}
