"""Builds the documentation's site from README.md, docs/ and the rules' docstrings.

    pip install ".[docs]" && python docs/site.py FOLDER

The rules' pages are generated first (see generate.py), so the site never shows stale ones.  A page that the
table of contents lacks, and a link that leads nowhere, end the build.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CONTENTS: dict[str, tuple[str, ...]] = {
    "Start": ("index.md", "tutorial.md", "usage.md", "configuration.md", "builds.md"),
    "Rules": ("rules/README.md",),
    "In a project": ("ci.md", "fixing.md", "suppressing.md", "baseline.md", "ruff.md", "large-trees.md"),
    "How it works": ("threads.md", "build-files.md", "proof.md", "limits.md"),
    "Your own rules": ("adding-a-rule.md", "rule-packs.md"),
}
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def pages() -> dict[str, str]:
    """The text of each page by its place in the site."""
    found = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted([*DOCS.glob("*.md"), *(DOCS / "rules").glob("*.md")])
    }
    found["index.md"] = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    return {name: _inside(name, text) for name, text in found.items()}


def _inside(name: str, text: str) -> str:
    """The text without links to files of the checkout that the site does not hold."""

    def kept(match: re.Match[str]) -> str:
        target = match[2].partition("#")[0]
        if not target or "://" in target or target.endswith(".md"):
            return match[0]
        return match[1]

    return _LINK.sub(kept, text)


def contents(names: set[str]) -> list[dict[str, list[str]]]:
    """The table of contents; raises SystemExit when a page is missing in it, or it names one that is none."""
    rules = sorted(name for name in names if name.startswith("rules/") and name != "rules/README.md")
    listed = {name for section in CONTENTS.values() for name in section}
    if wrong := sorted((names - listed - set(rules)) | (listed - names)):
        raise SystemExit(f"docs/site.py: CONTENTS and docs/ do not agree on {', '.join(wrong)}")
    return [
        {title: [*section, *rules] if title == "Rules" else list(section)}
        for title, section in CONTENTS.items()
    ]


def settings(folder: Path, site: Path, names: set[str]) -> dict[str, object]:
    """The configuration of MkDocs; JSON is YAML."""
    return {
        "site_name": "lwslint",
        "site_description": "A static linter for programs that use libwebsockets",
        "docs_dir": str(folder),
        "site_dir": str(site),
        "nav": contents(names),
        "theme": {
            "name": "material",
            "font": False,
            "features": ["content.code.copy", "navigation.sections", "toc.follow"],
            "palette": [
                _palette("light", "default", "weather-night", "dark"),
                _palette("dark", "slate", "weather-sunny", "light"),
            ],
        },
        "markdown_extensions": ["tables", "toc", "pymdownx.highlight", "pymdownx.superfences"],
        "plugins": ["search"],
        "validation": {"links": {"not_found": "warn", "anchors": "warn", "unrecognized_links": "warn"}},
    }


def _palette(mode: str, scheme: str, icon: str, other: str) -> dict[str, object]:
    return {
        "media": f"(prefers-color-scheme: {mode})",
        "scheme": scheme,
        "primary": "teal",
        "toggle": {"icon": f"material/{icon}", "name": f"Switch to {other} mode"},
    }


def build(site: Path) -> int:
    """Writes the site; returns the exit code of MkDocs."""
    subprocess.run([sys.executable, str(DOCS / "generate.py")], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "pages")
        texts = pages()
        for name, text in texts.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        for extra in _assets():
            shutil.copy(extra, folder)
        configuration = Path(made, "mkdocs.yml")
        configuration.write_text(json.dumps(settings(folder, site.absolute(), set(texts))), encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(configuration)]
        # Material announces its successor in each run.
        quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        return subprocess.run(command, env=quiet, check=False).returncode


def _assets() -> Iterator[Path]:
    """Pictures that pages show."""
    yield from sorted([*DOCS.glob("*.png"), *DOCS.glob("*.svg")])


def main() -> int:
    parser = argparse.ArgumentParser(prog="site.py", description="Builds the documentation's site.")
    parser.add_argument("folder", type=Path, help="where the site goes")
    return build(parser.parse_args().folder)


if __name__ == "__main__":
    raise SystemExit(main())
