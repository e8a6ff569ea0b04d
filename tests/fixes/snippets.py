"""Remedies applied to snippets of code.

``«…»`` in a snippet marks a place; the marks are taken out before anything looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from lwslint.facts import Place, Span
from lwslint.fixes import plan
from lwslint.fixes.resolve import edits_of
from lwslint.fixes.sources import Sources
from lwslint.remedies import Change
from lwslint.source import Texts

_LANGUAGES = {".c": "c", ".cpp": "cpp", ".py": "python"}
_MARK = re.compile("«(.*?)»", re.DOTALL)


def marked(text: str, path: str) -> tuple[bytes, tuple[Place, ...]]:
    """The snippet without its marks, and the places that were marked."""
    places: list[Place] = []
    clean = b""
    done = 0
    for match in _MARK.finditer(text):
        clean += text[done : match.start()].encode()
        places.append(Place(path, Span(len(clean), len(clean) + len(match[1].encode()))))
        clean += match[1].encode()
        done = match.end()
    return clean + text[done:].encode(), tuple(places)


def apply(folder: Path, name: str, text: str, change: Callable[[tuple[Place, ...]], Change]) -> str | None:
    """The snippet after the remedy that ``change`` makes of the marked places; None if there is no fix."""
    data, places = marked(text, name)
    file = folder / name
    file.write_bytes(data)
    texts = Texts({name: str(file)}, 1_000_000)
    found = edits_of((change(places),), Sources(texts, {name: _LANGUAGES[file.suffix]}))
    return plan.changed(texts[name], found).decode() if found else None
