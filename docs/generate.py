"""Writes what is made from the code: the rules' pages and the output shown in README.md.

Run from the checkout: ``python docs/generate.py``.  The tests compare the files with what this makes.
"""

from __future__ import annotations

import io
import re
from contextlib import chdir, redirect_stdout
from pathlib import Path

from lwslint import cli, documentation, registry

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "fixtures/wave_relay/bad"
_OUTPUT = re.compile(r"(?<=<!-- output -->\n```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def files() -> dict[Path, str]:
    """Each generated file with its text."""
    rules = registry.load()
    pages = {ROOT / "docs" / "rules" / f"{r.rule.name}.md": documentation.page(r) for r in rules}
    return {**pages, ROOT / "docs" / "rules" / "README.md": _index(), ROOT / "README.md": _readme()}


def _index() -> str:
    rows = [
        f"| {r.rule.code} | [{r.rule.name}]({r.rule.name}.md) | {r.rule.family} | "
        f"{r.rule.severity.name.lower()} | {documentation.summary(r)} |"
        for r in registry.load()
    ]
    head = ["# Rules", "", "| code | name | family | severity | reports |", "|---|---|---|---|---|"]
    return "\n".join((*head, *rows)) + "\n"


def _readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    output = example_output()
    return _OUTPUT.sub(lambda match: output, text, count=1)


def example_output() -> str:
    """What ``lwslint fixtures/wave_relay/bad`` prints where standard output is no terminal."""
    printed = io.StringIO()
    with chdir(ROOT), redirect_stdout(printed):
        cli.main([EXAMPLE])
    return printed.getvalue()


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
