"""What is made from the code is what the code makes now: rule pages, and the output in README.md."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from lwslint.config import Options

ROOT = Path(__file__).resolve().parent.parent


def generate() -> dict[Path, str]:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[Path, str] = module.files()
    return made


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_generated_files_are_current() -> None:
    made = generate()
    stale = [str(path.relative_to(ROOT)) for path, text in made.items() if read(path) != text]
    extra = [path.name for path in (ROOT / "docs" / "rules").glob("*.md") if path not in made]
    assert not stale + extra, "run: python docs/generate.py"


def read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def test_the_readme_shows_findings() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "error[LWS101]" in text
    assert "Fix first:" in text


def test_the_readme_has_one_command_to_try_it_and_one_to_test_it() -> None:
    """.ci/run takes both from there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert [command.split()[-1] for command in commands] == ["fixtures/wave_relay/bad", ".venv/bin/pytest"]


def test_every_configuration_key_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    example = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    keys = {name.replace("_", "-") for name in Options.__struct_fields__}
    assert set(example) == keys
