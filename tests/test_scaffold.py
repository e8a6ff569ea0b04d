"""`lwslint new-rule` writes a rule that works, where it should, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lwslint import cli, scaffold

ROOT = Path(__file__).resolve().parent.parent


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The package of somebody's rule pack."""
    folder = tmp_path / "acme_rules"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    return folder


def new_rule(*arguments: str) -> int:
    return cli.main(["new-rule", *arguments])


def test_new_rule_in_a_checkout_passes_its_own_tests(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("lwslint", "rules", "docs"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignore)
    (checkout / "fixtures").mkdir()
    (checkout / "tests").mkdir()
    for name in ("fixture_marks", "fixture_runs", "test_fixtures_compile", "test_pages", "test_fixtures"):
        shutil.copy(ROOT / "tests" / f"{name}.py", checkout / "tests")
    environment = {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'rules'}"}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    made = run("lwslint", "new-rule", "LWS998", "first-try", "--family", "setup")
    assert made.returncode == 0, made.stderr
    written = [line.removeprefix("wrote ") for line in made.stdout.splitlines() if line.startswith("wrote ")]
    assert "rules/lwslint_rules/setup/first_try.py" in written
    assert all((checkout / name).is_file() for name in written)
    tests = run("pytest", "-q", "-p", "no:cacheprovider", "tests", "-k", "first-try")
    assert tests.returncode == 0, tests.stdout
    assert "12 passed" in tests.stdout, tests.stdout


def test_new_rule_in_a_pack_is_one_module(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_rule("ACME101", "no-log-level", "--family", "setup", "--pack", str(pack)) == 0
    assert sorted(tree(pack)) == ["__init__.py", "setup/__init__.py", "setup/no_log_level.py"]
    assert "no_log_level.py" in capsys.readouterr().out
    text = (pack / "setup" / "no_log_level.py").read_text()
    compile(text, "no_log_level.py", "exec")
    assert 'code="ACME101"' in text


def test_nothing_is_overwritten(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "setup").mkdir()
    (pack / "setup" / "no_log_level.py").write_text("mine")
    before = tree(pack)
    assert new_rule("ACME101", "no-log-level", "--family", "setup", "--pack", str(pack)) == 2
    assert tree(pack) == before
    assert "no_log_level.py: is there already; nothing was written" in capsys.readouterr().err


def test_a_failure_leaves_nothing_half_done(pack: Path) -> None:
    files = {pack / "first.py": "1\n", pack / "__init__.py": "2\n"}
    before = tree(pack)
    with pytest.raises(scaffold.ScaffoldError, match="is there already"):
        scaffold.write(files)
    assert tree(pack) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("acme", "no-log-level", "--family", "setup"), "'acme' is no code"),
        (("ACME101", "NoLogLevel", "--family", "setup"), "'NoLogLevel' is no name"),
        (("ACME101", "no-log-level", "--family", "../setup"), "'../setup' is no family"),
        (("LWS101", "no-log-level", "--family", "setup"), "LWS101 off-thread-call exists"),
        (("ACME101", "off-thread-call", "--family", "setup"), "LWS101 off-thread-call exists"),
    ],
)
def test_what_cannot_be_made_is_said(
    arguments: tuple[str, ...], words: str, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(pack)
    assert new_rule(*arguments, "--pack", str(pack)) == 2
    assert words in capsys.readouterr().err
    assert tree(pack) == before


def test_a_folder_that_is_no_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_rule("ACME101", "no-log-level", "--family", "setup", "--pack", str(tmp_path)) == 2
    assert "is not the folder of a rule pack" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
