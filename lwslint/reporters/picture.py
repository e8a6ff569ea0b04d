"""A chain of steps as a picture (SVG), the finding at its end.

Where the steps name threads, each thread has a lane; otherwise the steps are read like a text, row by
row.

Sizes are in the picture's own units, pixels at full width.  The text is wrapped here, since SVG does not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.reporters.words import headline, message
from lwslint.source import clean, width_of

_WIDE, _LINE, _PAD, _GAP = 290, 16, 10, 26  # a box's width, a line's height, space in and between boxes
_BETWEEN = 36  # lanes
_HEAD = 26  # a lane's title
_CHARACTERS, _MOST = 36, 4  # of a line, and lines, of a box's text
_LANES = 4  # more than that would be too small to read
_ROW = 3  # boxes side by side where there are no lanes
_ROOM = _WIDE - 46  # for a line of text in a box


class Box(NamedTuple):
    """A step: its number (0 for the finding), the lane and what stands in it."""

    number: int
    lane: int
    place: str
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        return 2 * _PAD + _LINE * (len(self.lines) + 1)


class Placed(NamedTuple):
    box: Box
    x: int
    y: int

    @property
    def bottom(self) -> int:
        return self.y + self.box.height


def draw(result: Result, number: int, diagnostic: Diagnostic) -> str:
    """The ``svg`` element; ``number`` is the finding's, for links to its steps."""
    titles, boxes = _boxes(result, diagnostic)
    placed = _in_lanes(boxes) if titles else _in_rows(boxes)
    wide = max(item.x for item in placed) + _WIDE + 1
    high = max(item.bottom for item in placed) + 2
    parts = [
        f'<svg role="img" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">'
        f"<title>The chain of {len(boxes) - 1} steps that leads to the finding</title>"
    ]
    for lane, title in enumerate(titles):
        parts.append(f'<text class="lane" x="{_across(lane)}" y="15">{escape(_shortened(title, 46))}</text>')
    parts += _between_lanes(placed) if titles else _between_rows(placed)
    parts += [_drawn(item, number) for item in placed]
    return "".join((*parts, "</svg>"))


def _boxes(result: Result, diagnostic: Diagnostic) -> tuple[list[str], list[Box]]:
    """The lanes' titles and the boxes; without threads, or with too many, there are no lanes."""
    titles = list(dict.fromkeys(clean(step.thread) for step in diagnostic.related))
    if not 1 < len(titles) <= _LANES or "" in titles:
        titles = []
    lanes = {title: lane for lane, title in enumerate(titles)}
    boxes = [
        Box(n, lanes.get(clean(s.thread), 0), _spot(result, s.place), _wrapped(clean(s.message)))
        for n, s in enumerate(diagnostic.related, 1)
    ]
    # The chain begins on the thread that the finding is about.
    lane = boxes[0].lane if boxes else 0
    text = _wrapped(headline(message(diagnostic))[0])
    return titles, [*boxes, Box(0, lane, _spot(result, diagnostic.place), text)]


def _spot(result: Result, place: Place) -> str:
    line = result.texts[place.path].position(place.span.start).line
    name = _shortened(clean(place.path).rpartition("/")[2], _CHARACTERS - 8)
    return f"{name}:{line}"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str) -> tuple[str, ...]:
    lines = textwrap.wrap(text, _CHARACTERS, max_lines=_MOST, placeholder=" …", break_on_hyphens=False)
    return tuple(lines) or ("",)


def _across(column: int) -> int:
    return column * (_WIDE + _BETWEEN) + 1


def _in_rows(boxes: Sequence[Box]) -> list[Placed]:
    placed: list[Placed] = []
    y = 1
    for first in range(0, len(boxes), _ROW):
        row = boxes[first : first + _ROW]
        placed += [Placed(box, _across(column), y) for column, box in enumerate(row)]
        y += max(box.height for box in row) + _GAP
    return placed


def _in_lanes(boxes: Sequence[Box]) -> list[Placed]:
    """Each lane from the top down; the finding, which comes last, where every other lane has ended."""
    below: dict[int, int] = {}
    placed = []
    for box in boxes:
        y = below.get(box.lane, _HEAD + 1)
        if not box.number:
            ends = (end for lane, end in below.items() if lane != box.lane)
            y = max((y, *(end - box.height // 2 for end in ends)))
        placed.append(Placed(box, _across(box.lane), y))
        below[box.lane] = y + box.height + _GAP
    return placed


def _between_rows(placed: Sequence[Placed]) -> list[str]:
    """To the box on the right, or from the row's end to the beginning of the next."""
    paths = []
    for item, after in pairwise(placed):
        if after.y == item.y:
            y = item.y + 20
            paths.append(_arrow(f"M{item.x + _WIDE} {y}H{after.x - 1}", after.x - 1, y, "right"))
        else:
            x, middle = after.x + _WIDE // 2, after.y - _GAP + 8
            path = f"M{item.x + _WIDE // 2} {item.bottom}V{middle}H{x}V{after.y - 1}"
            paths.append(_arrow(path, x, after.y - 1, "down"))
    return paths


def _between_lanes(placed: Sequence[Placed]) -> list[str]:
    """From each box to the next of its lane, and dashed from where another lane ends to the finding."""
    paths = []
    last: dict[int, Placed] = {}
    for item in placed:
        before = last.get(item.box.lane)
        if before is not None:
            x = item.x + _WIDE // 2
            paths.append(_arrow(f"M{x} {before.bottom}V{item.y - 1}", x, item.y - 1, "down"))
        last[item.box.lane] = item
    finding = placed[-1]
    for lane, item in last.items():
        if lane != finding.box.lane:
            paths.append(_meeting(item, finding))
    return paths


def _meeting(item: Placed, finding: Placed) -> str:
    """Down from the other lane's end, and into the finding's side."""
    y = finding.y + finding.box.height // 2
    right = item.x > finding.x
    edge = finding.x + _WIDE + 1 if right else finding.x - 1
    path = f"M{item.x + _WIDE // 2} {item.bottom}V{y}H{edge}"
    return _arrow(path, edge, y, "left" if right else "right", "meets")


def _arrow(path: str, x: int, y: int, to: str, kind: str = "next") -> str:
    heads = {"down": "l-5 -8h10z", "left": "l8 -5v10z", "right": "l-8 -5v10z"}
    return f'<path class="{kind}" d="{path}"/><path class="head" d="M{x} {y}{heads[to]}"/>'


def _drawn(item: Placed, number: int) -> str:
    box, x, y = item
    kind = "box" if box.number else "box finding"
    target = f"#f{number}s{box.number}" if box.number else f"#f{number}"
    label = str(box.number) if box.number else "!"
    rows = "".join(_line(text, x + 36, y + _PAD + _LINE * row - 4) for row, text in enumerate(box.lines, 2))
    frame = f'x="{x}" y="{y}" width="{_WIDE}" height="{box.height}" rx="6"'
    return (
        f'<a href="{target}"><rect class="{kind}" {frame}/>'
        f'<circle class="{kind}" cx="{x + 18}" cy="{y + 20}" r="11"/>'
        f'<text class="number" x="{x + 18}" y="{y + 24}">{label}</text>'
        f'<text class="spot" x="{x + 36}" y="{y + _PAD + _LINE - 4}">{escape(box.place)}</text>{rows}</a>'
    )


def _line(text: str, x: int, y: int) -> str:
    """A line of text, squeezed when it would be too wide in most fonts."""
    squeezed = f' textLength="{_ROOM}" lengthAdjust="spacingAndGlyphs"' if _width(text) > _ROOM else ""
    return f'<text x="{x}" y="{y}"{squeezed}>{escape(text)}</text>'


def _width(text: str) -> float:
    """About how wide a text of 12 pixels is: what matters is capitals, and characters of two cells."""
    return sum(8.5 if c.isupper() or c in "_mwMW@%" else 6.5 for c in text) + 6.0 * (
        width_of(text) - len(text)
    )
