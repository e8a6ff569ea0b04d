"""The example for clusters: what a run on one machine says, from the workers of an executor."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import WriteTree
from tests.test_memory import FILES

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "dask_lint.py"
IMPORT_PATH = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)


@pytest.fixture
def root(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree({name: variants[0] for name, variants in FILES.items()})
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", IMPORT_PATH)
    return root


@pytest.fixture
def example() -> ModuleType:
    found = importlib.util.spec_from_file_location("dask_lint", EXAMPLE)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def run(*command: str) -> tuple[int, bytes]:
    done = subprocess.run([sys.executable, *command], capture_output=True, check=False, timeout=300)
    return done.returncode, done.stdout


@pytest.mark.usefixtures("root")
def test_any_executor_will_do(example: ModuleType, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    one = run("-m", "lwslint", "--output-format", "json", ".")
    with ThreadPoolExecutor(2) as executor:
        code = example.lint(executor, ["."], 3, ["--output-format", "json"])
    assert (code, capfdbinary.readouterr().out) == one
    assert code == 1


@pytest.mark.usefixtures("root")
def test_a_part_that_cannot_be_made_is_an_error(example: ModuleType) -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="lies outside"):
        example.lint(executor, [".."], 1, [])


@pytest.mark.usefixtures("root")
def test_the_workers_of_dask_say_the_same() -> None:
    pytest.importorskip("distributed")
    options = ["--output-format", "sarif"]
    one = run("-m", "lwslint", *options, ".")
    assert run(str(EXAMPLE), "--parts", "2", ".", "--", *options) == one
