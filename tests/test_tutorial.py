"""The tutorial, followed: its commands print what it says, and its hand edits apply and end the findings."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
CUT = "…\n"
# Commands of other programs that the tutorial names; they are not run here.
OTHERS = ("pip", "pre-commit", "git add")
_MARK = re.compile(r" *// expect: .*")


def prepare(folder: Path) -> None:
    """The reader's program: the README's, without the marks of its tests, under version control."""
    shutil.copytree(ROOT / "fixtures" / "wave_relay" / "bad", folder / "relay")
    for path in (folder / "relay").glob("*.[ch]pp"):
        path.write_text(_MARK.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "relay" / "lwslint.toml").unlink()


def run(commands: str, folder: Path) -> str:
    """What the commands print, errors included."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "rules"), os.environ.get("PYTHONPATH", "")]),
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home"),
    }
    printed = []
    for command in commands.splitlines():
        words = shlex.split(command, comments=True)
        if not words or command.startswith(OTHERS):
            continue
        assert words[0] == "lwslint", command
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        printed.append(done.stdout)
    return "".join(printed)


def apply(diff: str, folder: Path) -> None:
    """Make a hand edit of the tutorial's."""
    git = ["git", "-c", "core.autocrlf=false", "apply", "--recount", "-p0", "-"]
    environment = {**os.environ, "GIT_DIR": os.devnull, "GIT_CEILING_DIRECTORIES": str(folder)}
    done = subprocess.run(
        git, cwd=folder, env=environment, input=diff, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def append(text: str, folder: Path) -> None:
    """What the reader writes into lwslint.toml."""
    with open(folder / "lwslint.toml", "a", encoding="utf-8") as opened:
        opened.write(text)


def matches(shown: str, printed: str) -> bool:
    """Whether the text is what was printed, with any lines where it says ``…``."""
    pattern = r"(?:.*\n)?".join(re.escape(part) for part in shown.split(CUT))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_tutorial_can_be_followed(tmp_path: Path) -> None:
    prepare(tmp_path)
    printed = ""
    shown = 0
    for language, text in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        match language:
            case "sh":
                printed = run(text, tmp_path)
            case "text":
                assert matches(text, printed), f"the tutorial says:\n{text}\nlwslint says:\n{printed}"
                shown += 1
            case "diff":
                apply(text, tmp_path)
            case "toml":
                append(text, tmp_path)
            case "yaml":
                pass
            case _:
                raise AssertionError(f"a block in {language}")
    assert shown >= 5
    assert "Found" not in printed, printed


def test_a_wrong_output_is_noticed() -> None:
    assert matches("a\n…\nd\n", "a\nb\nc\nd\n")
    assert matches("a\n…\nd\n", "a\nd\n")
    assert not matches("a\n…\nd\n", "a\nb\nc\n")
    assert not matches("a\nb\n", "a\nc\n")
