"""Which fixes can be made together, and what the files look like afterwards."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from lwslint.diagnostics import Applicability, Diagnostic, Edit
from lwslint.source import SourceText


class Plan(NamedTuple):
    """``chosen`` are the findings whose fixes are made, ``edits`` what they do to each file, in order.

    ``later`` says that there are more, which overlap these: their places are known again when these are
    made and the files linted afresh.
    """

    chosen: tuple[Diagnostic, ...]
    edits: Mapping[str, tuple[Edit, ...]]
    later: bool


def is_offered(diagnostic: Diagnostic, *, unsafe: bool) -> bool:
    """Whether a finding has a fix of a kind that was asked for."""
    fix = diagnostic.fix
    return fix is not None and (unsafe or fix.applicability is Applicability.SAFE)


def choose(
    diagnostics: Iterable[Diagnostic], *, unsafe: bool, allowed: Callable[[str], bool] | None = None
) -> Plan:
    """The fixes that do not overlap, by the place of their findings; of two that do, the first.

    Two insertions at one place overlap too: which comes first would be a matter of chance.  With
    ``allowed``, a fix that changes a file for which it says no is not made.
    """
    chosen: list[Diagnostic] = []
    taken: dict[str, list[Edit]] = {}
    known: set[Edit] = set()
    later = False
    for diagnostic in sorted(diagnostics, key=lambda d: (d.place, d.code)):
        if not is_offered(diagnostic, unsafe=unsafe):
            continue
        fix = diagnostic.fix
        assert fix is not None
        if allowed is not None and not all(allowed(edit.place.path) for edit in fix.edits):
            continue
        fresh = [edit for edit in fix.edits if edit not in known]
        if any(_meets(edit, taken.get(edit.place.path, [])) for edit in fresh):
            later = True
            continue
        chosen.append(diagnostic)
        known.update(fresh)
        for edit in fresh:
            bisect.insort(taken.setdefault(edit.place.path, []), edit, key=lambda e: e.place.span)
    return Plan(tuple(chosen), {path: tuple(edits) for path, edits in sorted(taken.items())}, later)


def _meets(edit: Edit, others: list[Edit]) -> bool:
    """Whether an edit touches a byte or a border that one of ``others`` (in order) touches."""
    start, end = edit.place.span
    at = bisect.bisect_right(others, start, key=lambda other: other.place.span.start)
    near = others[max(at - 1, 0) : at + 1]
    return any(other.place.span.start <= end and start <= other.place.span.end for other in near)


def changed(text: SourceText, edits: Iterable[Edit]) -> bytes:
    """The file with ``edits`` (in order) made, in its encoding and with its line ends.

    Raises ValueError where a replacement cannot be written in that encoding, or an edit reaches beyond
    the file.
    """
    data = text.data
    line_end = b"\r\n" if b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n") else b"\n"
    pieces: list[bytes] = []
    done = 0
    for edit in edits:
        start, end = edit.place.span
        if not done <= start <= end <= len(data):
            raise ValueError("an edit lies outside of the file")
        new = edit.replacement.encode(text.encoding)
        pieces += [data[done:start], new.replace(b"\n", line_end)]
        done = end
    return b"".join((*pieces, data[done:]))
