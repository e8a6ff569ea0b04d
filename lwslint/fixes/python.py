"""Remedies for Python, turned into edits; None where the text is not of a shape that is known."""

from __future__ import annotations

import tokenize
from collections.abc import Sequence

from lwslint.diagnostics import Edit
from lwslint.facts import Place, Span
from lwslint.fixes.python_code import PythonCode, is_border
from lwslint.fixes.sources import Piece, Sources, edits
from lwslint.remedies import DropElements, DropStatements, Respell

Edits = tuple[Edit, ...]


def _by_path(places: Sequence[Place]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for place in sorted(set(places)):
        found.setdefault(place.path, []).append(place.span)
    return found


# ------------------------------------------------------------------------------------- elements


def drop_elements(change: DropElements, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.DropElements`."""
    found: list[Edit] = []
    for path, spans in _by_path(change.places).items():
        code = sources.python(path)
        if code is None:
            return None
        pieces: list[Piece] = []
        for span in spans:
            piece = _element(code, span, pieces)
            if piece is None:
                return None
            pieces.append(piece)
        made = edits(path, code.text, pieces)
        if made is None:
            return None
        found += made
    return tuple(found)


def _element(code: PythonCode, span: Span, gone: Sequence[Piece]) -> Piece | None:
    """An element with the comma that goes with it, but for what is ``gone`` already; its whole lines where
    it has them for itself."""
    first, behind = code.first(span.start), code.after(span.end)
    before = code.before(first) if first is not None else None
    while before is not None and any(p.start <= code.tokens[before].start < p.end for p in gone):
        before = code.before(before)
    if first is None or behind is None or before is None:
        return None
    opening, comma = code.tokens[before], code.tokens[behind]
    if opening.text not in ("(", "[", "{", ",") or not code.is_balanced(first, behind):
        return None
    start, end = span
    if comma.text == ",":
        end = comma.end
    elif comma.text not in (")", "]", "}"):
        return None
    alone = not code.data[code.line_start(start) : start].strip() and _ends_line(code, end)
    if alone:
        return Piece(code.line_start(start), code.next_line(end))
    if comma.text == ",":
        while code.data[end : end + 1] in (b" ", b"\t"):
            end += 1
        return Piece(start, end)
    return Piece(opening.start if opening.text == "," else opening.end, end)


def _ends_line(code: PythonCode, at: int) -> bool:
    """Whether nothing but a comment stands behind ``at`` on its line."""
    rest = code.data[at : code.next_line(at)].strip()
    return not rest or rest.startswith(b"#")


# ------------------------------------------------------------------------------------- statements


def drop_statements(change: DropStatements, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.DropStatements`."""
    found: list[Edit] = []
    for path, spans in _by_path(change.places).items():
        code = sources.python(path)
        if code is None:
            return None
        pieces = _statements(code, spans)
        made = edits(path, code.text, pieces) if pieces is not None else None
        if made is None:
            return None
        found += made
    return tuple(found)


def _statements(code: PythonCode, spans: Sequence[Span]) -> list[Piece] | None:
    pieces: list[Piece] = []
    gone: set[int] = set()  # indices of the first tokens of statements that go with their lines
    for span in spans:
        first, behind = code.first(span.start), code.after(span.end)
        before = code.before(first) if first is not None else None
        if first is None or behind is None or before is None:
            return None
        opening, closing = code.tokens[before], code.tokens[behind]
        if is_border(opening) and closing.kind == tokenize.NEWLINE:
            if _is_last_left(code, before, behind, gone):
                pieces.append(Piece(span.start, span.end, b"pass"))
            else:
                gone.add(first)
                pieces.append(Piece(code.line_start(span.start), code.next_line(span.end)))
        elif opening.text in (":", ";") or is_border(opening) or closing.text == ";":
            pieces.append(Piece(span.start, span.end, b"pass"))
        else:
            return None
    return pieces


def _is_last_left(code: PythonCode, before: int, behind: int, gone: set[int]) -> bool:
    """Whether the body around a statement would be empty without it, and without those in ``gone``."""
    following = code.next(behind)
    if following is None or code.tokens[following].kind != tokenize.DEDENT:
        return False
    index: int | None = before
    while index is not None and code.tokens[index].kind == tokenize.NEWLINE:
        # One statement back: it counts as gone when its first token is known to go.
        start = _statement_start(code, index)
        if start is None or start not in gone:
            return False
        index = code.before(start)
    return index is not None and code.tokens[index].kind == tokenize.INDENT


def _statement_start(code: PythonCode, newline: int) -> int | None:
    """The index of the first token of the statement that the ``NEWLINE`` token of that index ends."""
    start: int | None = None
    index = code.before(newline)
    while index is not None and not is_border(code.tokens[index]):
        start = index
        index = code.before(index)
    return start


# ------------------------------------------------------------------------------------- literals


def respell(change: Respell, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.Respell`."""
    path, span = change.place
    code = sources.python(path)
    if code is None:
        return None
    written = code.data[slice(*span)]
    quote = written[:1]
    if quote not in (b'"', b"'") or written != quote + change.before.encode() + quote or len(written) < 2:
        return None
    names = change.elements or (change.after,)
    if any(not name.isprintable() or not set(name).isdisjoint("\"'\\") for name in names):
        return None
    new = b", ".join(quote + name.encode() + quote for name in names)
    return edits(path, code.text, [Piece(span.start, span.end, b"[" + new + b"]" if change.listed else new)])
