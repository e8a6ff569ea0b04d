"""Where findings are, in the shapes that formats want: lines and columns, and relative URIs."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import quote

from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.fingerprint import fingerprints
from lwslint.source import clean


class Region(NamedTuple):
    """A place for a report: the path cleaned, all numbers from 1, columns in characters, the end
    after the last character."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


def region(result: Result, place: Place) -> Region:
    text = result.texts[place.path]
    start, end = (text.position(offset) for offset in place.span)
    return Region(clean(place.path), *start, *max(start, end))


def where(result: Result, place: Place) -> str:
    """``path:line:column``, as terminals and editors make a link of it."""
    position = result.texts[place.path].position(place.span.start)
    return f"{clean(place.path)}:{position.line}:{position.column}"


def marks(result: Result) -> list[str]:
    """The fingerprints of the findings to report, in their order.

    They are taken among all findings of the run: a hidden one still counts among its equals.
    """
    everything = tuple(dict.fromkeys((*result.everything, *result.diagnostics)))
    known = dict(zip(everything, fingerprints(everything, result.texts), strict=True))
    return [known[diagnostic] for diagnostic in result.diagnostics]


def uri(path: str) -> str:
    """A relative URI reference (RFC 3986): percent-encoded bytes, no colon in a first segment.

    A file name that is not UTF-8 keeps its bytes.  Never absolute, and never out of the root.
    """
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return "/".join(quote(os.fsencode(part), safe="") for part in parts)
