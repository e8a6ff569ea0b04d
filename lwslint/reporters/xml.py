"""XML documents, shared by the formats that are XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from lwslint.reporters import logs

Element = ElementTree.Element
# What XML 1.0 has no way to write, not even as a reference; the rest of it is cleaned already.
_IMPOSSIBLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def add(parent: Element, tag: str, attributes: Mapping[str, object], text: str = "") -> Element:
    """A new child of ``parent``."""
    child = ElementTree.SubElement(parent, tag, {key: possible(str(v)) for key, v in attributes.items()})
    child.text = possible(text) or None
    return child


def possible(text: str) -> str:
    return _IMPOSSIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def lines(root: Element) -> Iterator[str]:
    """The document, indented."""
    ElementTree.indent(root)
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")
    yield from logs.inert_markup(text).split("\n")
