"""The documentation's site: every page is listed, every link between pages leads somewhere."""

from __future__ import annotations

import importlib.util
import posixpath
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_of_docs", ROOT / "docs" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SITE = load()
PAGES: dict[str, str] = SITE.pages()


def test_every_page_is_listed() -> None:
    listed = [name for section in SITE.contents(set(PAGES)) for names in section.values() for name in names]
    assert sorted(listed) == sorted(PAGES)


def test_a_page_that_is_not_listed_ends_the_build() -> None:
    with pytest.raises(SystemExit, match=r"unheard-of\.md"):
        SITE.contents({*PAGES, "unheard-of.md"})
    with pytest.raises(SystemExit, match=r"threads\.md"):
        SITE.contents(set(PAGES) - {"threads.md"})


@pytest.mark.parametrize("name", sorted(PAGES))
def test_links_between_pages_lead_somewhere(name: str) -> None:
    for target in LINK.findall(PAGES[name]):
        place, _, anchor = target.partition("#")
        if "://" in place:
            continue
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), place)) if place else name
        assert page in PAGES, target
        assert not anchor or anchor in anchors(PAGES[page]), target


def anchors(text: str) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    return {re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_to_files_of_the_checkout_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        place = target.partition("#")[0]
        if place and "://" not in place:
            assert (path.parent / place).exists(), target
