"""The cache and the processes as the command line shows them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lwslint import cli, workers
from lwslint.rule import LoadedRule
from tests.conftest import WriteTree

Output = pytest.CaptureFixture[str]
BAD = "lws_bad_error();\n"


@pytest.fixture
def tree(
    write_tree: WriteTree, fake_analysis: tuple[LoadedRule, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    root = write_tree({"a.c": BAD, "b.c": "lws_fine()"})
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("LWSLINT_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    return folder


def run(capsys: Output, *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(["--isolated", *arguments] if arguments[:1] != ("clean",) else arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("**/??/*"))


@pytest.mark.usefixtures("tree")
def test_runs_keep_what_they_know_in_the_users_cache(home: Path, capsys: Output) -> None:
    cold = run(capsys, "--no-cache")
    assert not entries(home)
    assert run(capsys) == cold
    assert entries(home / "lwslint")
    assert run(capsys) == cold


@pytest.mark.usefixtures("home")
def test_a_folder_of_ones_own(tree: Path, tmp_path: Path, capsys: Output) -> None:
    cold = run(capsys, "--no-cache")
    assert run(capsys, "--cache-dir", str(tmp_path / "own")) == cold
    assert entries(tmp_path / "own")
    assert run(capsys, "--cache-dir", ".cache") == cold  # inside the tree, as it was asked for
    assert entries(tree / ".cache")
    assert run(capsys, "--cache-dir", ".cache") == cold


def test_no_default_cache_inside_the_linted_tree(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LWSLINT_CACHE_DIR", str(tree / "cache"))
    assert run(capsys)[0] == 1
    assert not (tree / "cache").exists()


@pytest.mark.usefixtures("tree")
def test_without_a_home_to_write_to_there_is_no_cache_and_no_word(home: Path, capsys: Output) -> None:
    cold = run(capsys, "--no-cache")
    home.rmdir()
    home.write_text("a file where a folder should be")
    assert run(capsys) == cold


@pytest.mark.usefixtures("tree")
def test_cleaning_removes_what_runs_have_kept(home: Path, capsys: Output) -> None:
    run(capsys)
    kept = len(entries(home))
    code, out, err = run(capsys, "clean")
    assert (code, err) == (0, "")
    assert out.startswith(f"Removed {kept} entries (0.0 MB) from {home}")
    assert not (home / "lwslint").exists()
    assert run(capsys, "clean")[1].startswith("Removed 0 entries")


def test_cleaning_another_folder_by_mistake_does_no_harm(tree: Path, capsys: Output) -> None:
    assert run(capsys, "clean", "--cache-dir", str(tree))[0] == 0
    assert (tree / "a.c").read_text() == BAD


@pytest.mark.usefixtures("tree")
def test_cleaning_without_a_cache(capsys: Output) -> None:
    assert run(capsys, "clean") == (0, "There is no cache.\n", "")


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "1" * 5000])
def test_jobs_is_a_number_of_processes(number: str, capsys: Output) -> None:
    code, out, err = run(capsys, f"--jobs={number}")
    assert (code, out) == (2, "")
    assert "is not a number of processes" in err


@pytest.mark.usefixtures("tree")
def test_jobs_reach_the_front_ends(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    monkeypatch.setattr(workers, "BATCH", 1)
    pool = workers._pool

    def counted(count: int) -> object:
        asked.append(count)
        return pool(count)

    monkeypatch.setattr(workers, "_pool", counted)
    alone = run(capsys, "--no-cache", "--jobs", "1")
    assert asked == []
    assert run(capsys, "--no-cache", "--jobs", "2") == alone
    assert asked == [2]
    assert os.environ["LWSLINT_CACHE_DIR"] == ""
