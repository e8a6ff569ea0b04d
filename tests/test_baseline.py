"""The baseline: known findings stay hidden while the code around them moves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lwslint import baseline, cli
from lwslint.baseline import BaselineError, Entry
from lwslint.rule import LoadedRule
from tests.conftest import WriteTree

Rules = tuple[LoadedRule, ...]
Output = pytest.CaptureFixture[str]

BAD = "lws_bad_error();"
FILE = "lwslint-baseline.json"


@pytest.fixture
def tree(write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree(
        {"src/a.c": f"int x;\n{BAD}\n{BAD}\n", "src/b.c": "lws_bad_warning();", "more/c.c": BAD}
    )
    monkeypatch.chdir(root)
    return root


def run(capsys: Output, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def lint(capsys: Output, *arguments: str) -> tuple[int, list[str]]:
    """Exit code, and the findings' places with what is told about those that are hidden."""
    code, out, err = run(capsys, "--output-format", "concise", *arguments)
    assert err == ""
    return code, [
        line.split(": ")[0] if ": error" in line or ": warning" in line else line
        for line in out.splitlines()
        if not line.startswith(("Analysed", "Fix first", "Found"))
    ]


def write(capsys: Output, *arguments: str) -> None:
    assert run(capsys, "baseline", *arguments)[0] == 0


def test_what_is_known_is_hidden_and_counted(tree: Path, capsys: Output) -> None:
    assert run(capsys, "baseline") == (0, f"Wrote 4 findings to {FILE}.\n", "")
    assert lint(capsys, "--baseline", FILE) == (0, ["No findings.", f"Not shown: 4 known from {FILE}."])
    assert lint(capsys)[0] == 1


def test_moved_lines_and_renames_of_other_things_change_nothing(tree: Path, capsys: Output) -> None:
    write(capsys)
    text = (tree / "src/a.c").read_text()
    (tree / "src/a.c").write_text(
        "// a\n" * 30 + text.replace("int x", "int renamed").replace(BAD, f"  {BAD} // y")
    )
    assert lint(capsys, "--baseline", FILE) == (0, ["No findings.", f"Not shown: 4 known from {FILE}."])


def test_one_more_of_the_same_is_new(tree: Path, capsys: Output) -> None:
    write(capsys)
    with open(tree / "src/a.c", "a") as file:
        file.write(f"{BAD}\n")
    assert lint(capsys, "--baseline", FILE) == (1, ["src/a.c:4:1", f"Not shown: 4 known from {FILE}."])


def test_a_suppressed_one_does_not_lend_its_place(tree: Path, capsys: Output) -> None:
    """Of two equal findings, the second is known as the second even when the first is suppressed."""
    write(capsys)
    (tree / "src/a.c").write_text(f"{BAD}\n{BAD}\n")
    (tree / "lwslint.toml").write_text('[per-file-ignores]\n"src/a.c" = ["LWS9"]\n')
    assert lint(capsys, "--baseline", FILE)[0] == 0


def test_it_means_the_same_from_any_folder(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(capsys)
    monkeypatch.chdir(tree / "src")
    assert lint(capsys, "--baseline", f"../{FILE}", "..")[0] == 0
    assert lint(capsys, "--baseline", f"../{FILE}", str(tree))[0] == 0
    monkeypatch.chdir(tree.parent)
    assert lint(capsys, "--baseline", f"tree/{FILE}", "tree/src")[0] == 0


def test_the_configuration_can_name_it(tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "known").mkdir()
    (tree / "lwslint.toml").write_text("baseline = 'known/all.json'\n")
    assert run(capsys)[0] == 2  # it does not exist yet
    monkeypatch.chdir(tree / "src")
    write(capsys, "..")
    assert (tree / "known" / "all.json").is_file()
    assert lint(capsys, "..")[0] == 0
    assert lint(capsys, "..", "--no-baseline")[0] == 1
    assert lint(capsys, "..", "--isolated")[0] == 1


@pytest.mark.parametrize("name", ["../out.json", "/tmp/out.json", "link/out.json", "a/../../out.json"])
def test_a_configuration_cannot_have_files_written_elsewhere(tree: Path, capsys: Output, name: str) -> None:
    os.symlink("..", tree / "link")
    (tree / "lwslint.toml").write_text(f"baseline = '{name}'\n")
    before = sorted(os.listdir(tree.parent))
    code, _, err = run(capsys, "baseline")
    assert code == 2
    assert "leads out of the configuration's folder" in err
    assert sorted(os.listdir(tree.parent)) == before


# ------------------------------------------------------------------------------------- stale entries


def test_stale_entries_are_told_and_pruned(tree: Path, capsys: Output) -> None:
    write(capsys)
    (tree / "src/a.c").write_text(f"{BAD}\nlws\n")
    (tree / "more/c.c").unlink()
    told = "2 findings of the baseline can be taken out: lwslint baseline --prune"
    assert lint(capsys, "--baseline", FILE) == (0, ["No findings.", f"Not shown: 2 known from {FILE}.", told])
    # What this run did not look at is not stale.
    assert lint(capsys, "--baseline", FILE, "src/b.c")[1][-1].startswith("Not shown")
    assert lint(capsys, "--baseline", FILE, "src", "--ignore", "LWS901")[1] == ["No findings."]
    assert lint(capsys, "--baseline", FILE, "src")[1][-1].startswith("1 finding of the baseline can be")
    (tree / "src/new.c").write_text(BAD)
    assert run(capsys, "baseline", "--prune") == (0, f"Took 2 findings out of {FILE}; 2 left.\n", "")
    assert lint(capsys, "--baseline", FILE) == (1, ["src/new.c:1:1", f"Not shown: 2 known from {FILE}."])


def test_nothing_is_pruned_after_a_run_with_a_gap(tree: Path, capsys: Output) -> None:
    write(capsys)
    before = (tree / FILE).read_bytes()
    (tree / "src/a.c").write_text("lws")
    code, out, err = run(capsys, "baseline", "--prune", ".", "missing")
    assert (code, out) == (2, f"Took 0 findings out of {FILE}; 4 left.\n")
    assert "missing: no such file" in err
    assert (tree / FILE).read_bytes() == before


# ------------------------------------------------------------------------------------- the file


def test_the_file_is_readable_and_the_same_every_time(tree: Path, capsys: Output) -> None:
    write(capsys)
    first = (tree / FILE).read_bytes()
    write(capsys, "src", "more")
    assert (tree / FILE).read_bytes() == first
    document = json.loads(first)
    assert document["version"] == 1
    assert [entry["path"] for entry in document["findings"]] == ["more/c.c", "src/a.c", "src/a.c", "src/b.c"]
    assert all(len(line) > 100 for line in first.decode().splitlines()[1:-1])  # one line each


def test_an_empty_baseline_is_one_too(tree: Path, capsys: Output) -> None:
    write(capsys, "--select", "LWS902", "src")
    assert baseline.read(FILE).entries == ()
    assert lint(capsys, "--baseline", FILE)[0] == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no baseline of lwslint"),
        (b"{}", "is no baseline of lwslint"),
        (b"[" * 100_000, "is no baseline of lwslint"),
        (b'{"version": 1, "findings": [{"path": 1}]}', "is no baseline of lwslint"),
        (b"\xff\xfe", "is no baseline of lwslint"),
        (b'{"version": 2, "findings": []}', "another version of lwslint"),
        (b'{"version": 1, "fingerprints": 99, "findings": []}', "another version of lwslint"),
    ],
)
def test_a_broken_baseline_stops_the_run(tree: Path, capsys: Output, content: bytes, why: str) -> None:
    (tree / FILE).write_bytes(content)
    code, out, err = run(capsys, "--baseline", FILE)
    assert (code, out) == (2, "")
    assert why in err
    assert run(capsys, "--baseline", "missing.json")[0] == 2


def test_it_is_not_written_through_a_link(tree: Path, capsys: Output) -> None:
    (tree / "other").write_text("keep")
    os.symlink("other", tree / FILE)
    assert run(capsys, "baseline")[0] == 2
    assert (tree / "other").read_text() == "keep"


def test_hostile_text_is_escaped_in_it() -> None:
    entry = Entry("a\x1b[2J.c", "LWS901", "0" * 32, "n", "f\n\u202e", "m\u2028")
    text = "\n".join(baseline.lines([entry, entry]))
    assert text.isascii() and text.replace("\n", "").isprintable()
    assert len(json.loads(text)["findings"]) == 1


def test_reading_reports_where(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="no such file"):
        baseline.read(str(tmp_path / "x.json"))
