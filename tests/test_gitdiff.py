"""What is new since a revision, with real repositories of git."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lwslint import cli, gitdiff, registry
from lwslint.diagnostics import Diagnostic, Step
from lwslint.facts import Place, Span
from lwslint.rule import LoadedRule
from tests.conftest import BAD_RULE, WriteTree

Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

BAD = "lws_bad_error();"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration but the repository's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def commit(root: Path, message: str = "x") -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", message)
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def tree(
    write_tree: WriteTree, fake_analysis: tuple[LoadedRule, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    root = write_tree({"src/a.c": f"int x;\n{BAD}\n", "src/b.c": f"{BAD}\n", "src/old.c": "lws\n"})
    git(root, "init", "-q", "-b", "main")
    commit(root)
    monkeypatch.chdir(root)
    return root


def lint(capsys: Output, *arguments: str) -> tuple[int, list[str]]:
    code = cli.main(["--output-format", "concise", "--quiet", *arguments])
    out, err = capsys.readouterr()
    return code, [line.split(": ")[0] for line in (out + err).splitlines()]


def test_old_findings_are_hidden_and_counted(tree: Path, capsys: Output) -> None:
    assert lint(capsys, "--new-since", "HEAD") == (0, [])
    cli.main(["--new-since", "HEAD"])
    assert "Not shown: 2 not new since HEAD." in capsys.readouterr().out


def test_added_and_changed_lines_are_new(tree: Path, capsys: Output) -> None:
    (tree / "src/a.c").write_text(f"int x;\n{BAD}\nint y;\n{BAD} // and this\n")
    (tree / "src/c.c").write_text(BAD)  # not even added to git
    assert lint(capsys, "--new-since", "HEAD") == (1, ["src/a.c:4:1", "src/c.c:1:1"])


def test_moved_lines_are_not(tree: Path, capsys: Output) -> None:
    (tree / "src/a.c").write_text("// top\n" * 20 + f"int z;\n{BAD}\n")
    assert lint(capsys, "--new-since", "HEAD", "--select", "LWS902") == (0, [])
    # `int x;` in line 1 belongs to the chain of the stand-in's findings: the file begins elsewhere now.
    assert lint(capsys, "--new-since", "HEAD") == (1, ["src/a.c:22:1"])
    (tree / "src/a.c").write_text(f"int x;\n\n\n{BAD}\n")
    assert lint(capsys, "--new-since", "HEAD") == (0, [])


def chain(project: Any) -> Iterator[Diagnostic]:
    """A finding in b.c whose chain begins in old.c."""
    if any(f.path == "src/b.c" for f in project.facts):
        start = Step(Place("src/old.c", Span(0, 3)), "it starts here")
        yield BAD_RULE.report(Place("src/b.c", Span(0, 3)), "the program crashes", related=[start])


def test_any_place_of_the_chain_makes_a_finding_new(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load", lambda names=None: (LoadedRule(BAD_RULE, "x", chain),))
    assert lint(capsys, "--new-since", "HEAD") == (0, [])
    (tree / "src/old.c").write_text("lws // changed\n")
    assert lint(capsys, "--new-since", "HEAD") == (1, ["src/b.c:1:1"])
    assert lint(capsys, "--staged") == (0, [])
    git(tree, "add", "src/old.c")
    assert lint(capsys, "--staged") == (1, ["src/b.c:1:1"])


def cause(project: Any) -> Iterator[Diagnostic]:
    """A finding in b.c for a reason that stands on no line: old.c is gone."""
    if not any(f.path == "src/old.c" for f in project.facts):
        yield BAD_RULE.report(Place("src/b.c", Span(0, 3)), "the program crashes")


def test_a_finding_that_the_revision_did_not_have_is_new(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load", lambda names=None: (LoadedRule(BAD_RULE, "x", cause),))
    (tree / "src/old.c").unlink()
    assert lint(capsys, "--new-since", "HEAD") == (1, ["src/b.c:1:1"])
    commit(tree)
    assert lint(capsys, "--new-since", "HEAD") == (0, [])
    assert lint(capsys, "--new-since", "HEAD~1") == (1, ["src/b.c:1:1"])


def test_a_finding_whose_suppression_was_removed_is_new(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "src/b.c").write_text(
        f"// lwslint: ignore[LWS901] why\n\n// lwslint: ignore[LWS901] why\n{BAD}\n"
    )
    commit(tree)
    assert lint(capsys, "--new-since", "HEAD") == (0, [])
    (tree / "src/b.c").write_text(f"// lwslint: ignore[LWS901] why\n\n{BAD}\n")
    assert lint(capsys, "--new-since", "HEAD") == (1, ["src/b.c:3:1"])


def test_a_branch_answers_for_its_own_changes_only(tree: Path, capsys: Output) -> None:
    git(tree, "checkout", "-q", "-b", "feature")
    (tree / "src/new.c").write_text(BAD)
    commit(tree)
    git(tree, "checkout", "-q", "main")
    (tree / "src/b.c").write_text("lws_fixed();\n")
    commit(tree)
    git(tree, "checkout", "-q", "feature")
    assert lint(capsys, "--new-since", "main") == (1, ["src/new.c:1:1"])


def test_what_is_ignored_and_excluded_now_is_so_at_the_revision(tree: Path, capsys: Output) -> None:
    (tree / ".gitignore").write_text("src/gen_*\n")
    (tree / "lwslint.toml").write_text("exclude = ['src/b.c']\n")
    (tree / "src/gen_a.c").write_text(BAD)
    git(tree, "add", "-f", "src/gen_a.c")
    commit(tree)
    assert lint(capsys) == (1, ["src/a.c:2:1"])
    assert lint(capsys, "--new-since", "HEAD") == (0, [])
    assert lint(capsys, "src", "--new-since", "HEAD") == (0, [])


def test_from_below_and_from_outside(tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "src/c.c").write_text(BAD)
    monkeypatch.chdir(tree / "src")
    assert lint(capsys, "--new-since", "HEAD") == (1, ["c.c:1:1"])
    monkeypatch.chdir(tree.parent)
    assert lint(capsys, "tree", "--new-since", "HEAD") == (1, ["tree/src/c.c:1:1"])
    os.symlink("tree", tree.parent / "link")
    assert lint(capsys, "link", "--new-since", "HEAD") == (1, ["link/src/c.c:1:1"])


def test_line_ends_are_not_changes(tree: Path, capsys: Output) -> None:
    (tree / "src/a.c").write_bytes(f"int x;\r\n{BAD}\r\n".encode())
    assert lint(capsys, "--new-since", "HEAD") == (0, [])


# ------------------------------------------------------------------------------------- what is staged


def test_staged_lines_count_and_others_do_not(tree: Path, capsys: Output) -> None:
    (tree / "src/b.c").write_text(f"{BAD}\n{BAD} // staged\n")
    git(tree, "add", "src/b.c")
    (tree / "src/b.c").write_text(f"{BAD}\n// shift\n{BAD} // not staged\n{BAD} // staged\n")
    (tree / "src/c.c").write_text(BAD)
    assert lint(capsys, "--staged") == (1, ["src/b.c:4:1"])


def test_of_a_new_file_only_staged_lines_count(tree: Path, capsys: Output) -> None:
    (tree / "src/c.c").write_text(f"lws\n{BAD}\n")
    git(tree, "add", "src/c.c")
    (tree / "src/c.c").write_text(f"// not staged\nlws\n{BAD} // not staged\n{BAD}\n")
    # The stand-in's chain begins with the file, so the finding in line 3 takes part through line 1 only.
    assert lint(capsys, "--staged") == (1, ["src/c.c:4:1"])


def test_staged_before_the_first_commit(
    write_tree: WriteTree, fake_analysis: Any, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    root = write_tree({"a.c": BAD, "b.c": BAD})
    git(root, "init", "-q")
    git(root, "add", "a.c")
    monkeypatch.chdir(root)
    assert lint(capsys, "--staged") == (1, ["a.c:1:1"])


def test_a_hooks_own_index_is_used_and_another_is_not(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tree / "src/c.c").write_text(BAD)
    shutil.copy(tree / ".git/index", tree / ".git/next-index-1.lock")
    subprocess.run(
        ["git", "add", "src/c.c"],
        cwd=tree,
        env={**os.environ, "GIT_INDEX_FILE": ".git/next-index-1.lock"},
        check=True,
        timeout=60,
    )
    assert lint(capsys, "--staged") == (0, [])
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index-1.lock")
    assert lint(capsys, "--staged") == (1, ["src/c.c:1:1"])
    shutil.copy(tree / ".git/next-index-1.lock", tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere"))
    assert lint(capsys, "--staged") == (0, [])


# ------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--new-since", "nowhere"], "there is no revision 'nowhere' here"),
        (["--new-since", "--output=x"], "--new-since"),
        (["--new-since=--output=x"], "'--output=x' is no revision"),
        (["--new-since", ""], "there is no revision '' here"),
        (["--new-since", "HEAD", "--staged"], "not allowed with"),
    ],
)
def test_a_wrong_revision_is_told(tree: Path, capsys: Output, arguments: list[str], said: str) -> None:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tree / "x").exists()


def test_outside_of_a_work_tree(
    write_tree: WriteTree, fake_analysis: Any, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(write_tree({"a.c": BAD}))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")
    assert cli.main(["--staged"]) == 2
    assert "is in no work tree of git" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert cli.main(["--staged"]) == 2
    assert "git is not installed" in capsys.readouterr().err


def test_histories_without_a_common_commit(tree: Path, capsys: Output) -> None:
    git(tree, "checkout", "-q", "--orphan", "other")
    commit(tree, "another beginning")
    assert cli.main(["--new-since", "main"]) == 2
    assert "have no common history here" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- hostile repositories


def test_nothing_that_the_repository_configures_is_run(tree: Path, capsys: Output) -> None:
    trap = tree / "trap"
    trap.write_text(f"#!/bin/sh\necho x >> {tree}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "core.sshCommand",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.x.textconv",
        "diff.x.command",
        "alias.rev-parse",
    ):
        git(tree, "config", key, str(trap))
    (tree / ".gitattributes").write_text("*.c filter=x diff=x\n")
    hooks = tree / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        shutil.copy(trap, hooks / name)
    (tree / "src/a.c").write_text(f"int x;\n{BAD}\n{BAD}\n")
    assert lint(capsys, "--new-since", "HEAD")[0] == 1
    assert lint(capsys, "--staged")[0] == 0
    assert not (tree / "sprung").exists()
    # The trap would have sprung: an ordinary command does run it.
    subprocess.run(["git", "status"], cwd=tree, capture_output=True, timeout=60)
    assert (tree / "sprung").exists()


def test_the_callers_git_variables_do_not_count(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert not [name for name in gitdiff.environment() if name in ("GIT_DIR", "GIT_EXTERNAL_DIFF")]
    assert lint(capsys, "--new-since", "HEAD") == (0, [])


def test_an_export_stays_in_its_folder(tree: Path, tmp_path: Path) -> None:
    os.symlink("/etc/passwd", tree / "src/link.c")
    (tree / "src/big.c").write_text("lws" * 1000)
    (tree / "README").write_text("no source")
    name = commit(tree)
    folder = tmp_path / "out"
    folder.mkdir()
    gitdiff.export(gitdiff.find(str(tree)), name, str(folder), 1000)
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() or p.is_symlink())
    assert files == ["src/a.c", "src/b.c", "src/old.c"]


@pytest.mark.parametrize(
    "path", ["../a.c", "/a.c", "a/../../b.c", ".git/a.c", "a/.GIT/b.c", "a\\b.c", "c:a.c", ""]
)
def test_a_path_that_leads_elsewhere_is_not_written(path: str) -> None:
    assert not gitdiff._is_plain(path)
    assert gitdiff._is_plain("a/b-c/.d/e.c")


def test_odd_names_in_the_tree(tree: Path, capsys: Output) -> None:
    name = 'src/a\n\t"ü\x1b.c'
    (tree / name).write_text(f"{BAD}\n")
    os.rename(tree / "src/b.c", tree / "src" / os.fsdecode(b"\xff.c"))
    commit(tree)
    assert lint(capsys, "--new-since", "HEAD") == (0, [])


# ------------------------------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a b c", "a b c", [0, 1, 2]),
        ("a b c", "a x b c", [0, -1, 1, 2]),
        ("a b c", "a c", [0, 2]),
        ("a b c", "a X c", [0, -1, 2]),
        ("", "a", [-1]),
        ("a", "", [-1]),
        ("{ a } { b }", "{ a } { n } { b }", [0, 1, 2, 3, -1, -1, -1, 4, 5]),
        ("a b c d", "c d a b", [-1, -1, 0, 1]),
        ("x x x", "x x x x", [0, 1, 2, -1]),
    ],
)
def test_matching_lines(old: str, new: str, expected: list[int]) -> None:
    def lines(text: str) -> list[bytes]:
        return [word.encode() for word in text.split(" ")]

    found = gitdiff.matching(lines(old), lines(new))
    assert [line for line in found if line >= 0] == sorted(line for line in found if line >= 0)
    assert found == expected


def test_matched_lines_are_equal_and_in_order() -> None:
    dice = random.Random(7)
    for _ in range(300):
        old = [bytes([dice.randrange(65, 75)]) for _ in range(dice.randrange(30))]
        new = list(old)
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(new) + 1)
            new[at : at + dice.randrange(2)] = [b"new"] * dice.randrange(3)
        found = gitdiff.matching(old, new)
        pairs = [(index, line) for index, line in enumerate(found) if line >= 0]
        assert all(new[index] == old[line] for index, line in pairs)
        assert [line for _, line in pairs] == sorted({line for _, line in pairs})


def test_matching_takes_no_square() -> None:
    dice = random.Random(7)
    old = [b"%d" % dice.randrange(40_000) for _ in range(150_000)]
    new = old[::-1] + [b"x"] * 100_000
    started = time.process_time()
    gitdiff.matching(old, new)
    assert time.process_time() - started < 5
