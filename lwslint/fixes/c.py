"""Remedies for C and C++, turned into edits.

Each function returns None where the text around a place is not of a shape that it knows: a macro that
could expand to anything, a ``#if`` in the middle of an expression, a branch without braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from lwslint.diagnostics import Edit
from lwslint.facts import Place, Span
from lwslint.fixes.code import Code, Token, View, is_word
from lwslint.fixes.sources import Piece, Sources, edits
from lwslint.remedies import AddDefault, DropFlags, LeaveWith, Respell, SetBeside

Edits = tuple[Edit, ...]

# What may stand before the first operand of an expression of flags, and behind the last one.
_STARTS = frozenset([b"=", b"|=", b"(", b",", b"{", b"return", b"?", b":", b"&&", b"||"])
_ENDS = frozenset([b";", b")", b",", b"}", b":", b"|", b"&&", b"||", b""])
_STATEMENT_STARTS = frozenset([b";", b"{", b"}", b":"])
_CONSTANT = re.compile(rb"[A-Za-z_]\w*|0[xX][0-9a-fA-F]+|[0-9]+")
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+[A-Za-z_]\w*\Z")
_PLAIN_STRING = re.compile(rb'"([^"\\\r\n]*)"')
_LEAVING = re.compile(rb"return\b[^;{}]*;|break\s*;")
_CONTINUED = re.compile(rb"\\\r?\n")
_INDENT = b"    "


# ------------------------------------------------------------------------------------- flags


def drop_flags(change: DropFlags, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.DropFlags`."""
    places = sorted({*change.places, *(place for place, _ in change.instead)})
    found: list[Edit] = []
    for path in dict.fromkeys(place.path for place in places):
        code = sources.code(path)
        if code is None:
            return None
        instead = {place.span: text.encode() for place, text in change.instead if place.path == path}
        spans = [place.span for place in places if place.path == path]
        pieces = _Dropping(code, change.alone.encode()).pieces(spans, instead)
        made = edits(path, code.text, pieces) if pieces is not None else None
        if made is None:
            return None
        found += made
    return tuple(found)


class _Dropping:
    """Takes flags out of one file, one after the other: each sees what the ones before have left."""

    def __init__(self, code: Code, alone: bytes) -> None:
        self.code = code
        self.alone = alone
        self._views: dict[Span, View] = {}
        self._pieces: list[Piece] = []
        self._comments = set(code.line_comments)  # where they end, those that are moved included

    def pieces(self, spans: Iterable[Span], instead: dict[Span, bytes]) -> list[Piece] | None:
        for span in spans:
            room = self.code.room(span)
            if room is None or not _CONSTANT.fullmatch(self.code.data, *span):
                return None
            view = self._views.setdefault(room, self.code.view(room))
            if span in instead:
                self._pieces.append(Piece(span.start, span.end, instead[span]))
            elif not self._drop(view, _unwrapped(view, span)):
                return None
        return self._pieces

    def _drop(self, view: View, span: Span) -> bool:
        before, after = view.before(span.start), view.after(span.end)
        if not after.text and not self.code.in_directive(span.start):
            after = self.code.flat.after(span.end)  # the end of one arm of a conditional
        opens = before.text in _STARTS or self._is_macro(view, before)
        if before.text == b"|" and after.text in _ENDS:
            self._drop_right(view, before, span, after)
            self._drop_self_assignment(view, before, after)
        elif after.text == b"|" and opens:
            self._drop_left(view, span, after)
        elif before.text == b"|=" and after.text == b";" and not self.alone:
            return self._drop_statement(view, before, after)
        elif self.alone and opens and after.text in _ENDS:
            self._pieces.append(Piece(span.start, span.end, self.alone))
        else:
            return False
        return True

    def _is_macro(self, view: View, before: Token) -> bool:
        """Whether ``before`` is the name of the macro whose text begins behind it."""
        return bool(_DEFINE.fullmatch(self.code.data, view.room.start, before.end))

    def _drop_right(self, view: View, operator: Token, span: Span, after: Token) -> None:
        """``a | FLAG`` becomes ``a``."""
        data = self.code.data
        start = _skip_back(data, operator.start, self._comments)
        if _is_blank(data[operator.end : span.start]):
            self._take(view, Span(start, span.end))
            return
        # A comment stands between the two, and belongs to what comes before: `a | // why a`.
        self._take(view, Span(start, operator.end))
        first = data.rfind(b"\n", 0, span.start)
        tail = after.text in (b";", b",", b")") and not data[span.end : after.start].strip()
        tail = tail and _is_last(self.code, after.end)
        if tail and first >= operator.end and not data[first : span.start].strip():
            self._pieces.append(Piece(operator.end, operator.end, after.text))
            first -= data[first - 1 : first] == b"\r"
            self._pieces.append(Piece(first, after.end))
            self._comments.add(after.end)
            view.blank(Span(first, span.end))
        else:
            self._take(view, span)

    def _drop_self_assignment(self, view: View, operator: Token, end: Token) -> None:
        """``x = x;``, which is what ``x = x | FLAG;`` leaves, goes as a whole where it is a statement."""
        last = view.before(operator.start)
        value = view.lvalue(last.end) if end.text == b";" else None
        equals = view.before(value) if value is not None else last
        start = view.lvalue(equals.start) if equals.text == b"=" else None
        if value is None or start is None:
            return
        target = self.code.data[start : view.before(equals.start).end]
        if target == self.code.data[value : last.end]:
            pieces = self._pieces[:]
            if self._drop_statement(view, equals, end):
                whole = self._pieces[-1]
                self._pieces = [p for p in pieces if p.end <= whole.start or p.start >= whole.end] + [whole]

    def _drop_left(self, view: View, span: Span, operator: Token) -> None:
        """``FLAG | a`` becomes ``a``."""
        data = self.code.data
        end = operator.end
        while end < view.room.end and data[end : end + 1].isspace():
            end += 1
        if data[span.end : operator.start].strip():
            self._take(view, span)
            self._take(view, Span(operator.start, end))
        else:
            self._take(view, Span(span.start, end))

    def _drop_statement(self, view: View, operator: Token, end: Token) -> bool:
        """``x |= FLAG;`` goes."""
        start = view.lvalue(operator.start)
        if start is None or not _is_statement(self.code, start):
            return False
        flat = self.code.flat
        if flat.before(start).text == b":" and flat.after(end.end).text == b"}":
            return False  # a label needs a statement
        whole = _lines(self.code, Span(start, end.end))
        self._take(
            view,
            whole if whole is not None else Span(_skip_back(self.code.data, start, self._comments), end.end),
        )
        return True

    def _take(self, view: View, span: Span) -> None:
        self._pieces.append(Piece(*span))
        view.blank(span)


def _unwrapped(view: View, span: Span) -> Span:
    """``span`` with the round brackets that hold nothing else, unless they belong to a call or a cast."""
    while True:
        before, after = view.before(span.start), view.after(span.end)
        if before.text != b"(" or after.text != b")" or after.end > view.room.end:
            return span
        if view.before(before.start).text not in _STARTS | {b"|"}:
            return span
        span = Span(before.start, after.end)


def _skip_back(data: bytes, end: int, comments: Set[int]) -> int:
    """The end of what stands before the white space, and continued line ends, before ``end``; ``end`` where
    that is a comment that the end of its line ends: one of ``comments``."""
    at = end
    while True:
        while at > 0 and data[at - 1 : at].isspace():
            at -= 1
        if at in comments:
            return end
        if not (data[at - 1 : at] == b"\\" and data[at : at + 2].lstrip(b"\r").startswith(b"\n")):
            return at
        at -= 1


def _is_blank(data: bytes) -> bool:
    """Whether there is nothing but white space and continued line ends."""
    return not _CONTINUED.sub(b"", data).strip()


def _is_statement(code: Code, start: int) -> bool:
    """Whether a statement of a block begins at ``start``: not the branch of an ``if`` without braces."""
    return code.flat.before(start).text in _STATEMENT_STARTS and not code.in_directive(start)


def _lines(code: Code, span: Span) -> Span | None:
    """The whole lines of ``span`` where it shares them with nothing but a comment behind it."""
    if not code.opens_line(span.start) or not _is_last(code, span.end):
        return None
    following = code.data.find(b"\n", span.end)
    return Span(code.line_start(span.start), len(code.data) if following < 0 else following + 1)


def _is_last(code: Code, at: int) -> bool:
    """Whether nothing but a comment that ends there stands behind ``at`` on its line."""
    rest = code.data[at : code.line_end(at)].strip()
    comment = rest.startswith(b"//") or (rest.startswith(b"/*") and rest.find(b"*/") == len(rest) - 2)
    return (not rest or comment) and not rest.endswith(b"\\")


# ------------------------------------------------------------------------------------- fields


def set_beside(change: SetBeside, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.SetBeside`."""
    path, span = change.value
    code = sources.code(path)
    if code is None or code.in_directive(span.start):
        return None
    view = code.flat
    operator = view.before(span.start)
    name = view.before(operator.start)
    value = change.text.encode() or code.data[slice(*span)]
    pieces = (
        []
        if change.instead is None
        else [Piece(span.start, span.end, change.instead.encode() or _null(code))]
    )
    if operator.text != b"=" or not is_word(name.text):
        return None
    if not change.field:
        return edits(path, code.text, pieces)
    dot = view.before(name.start)
    if dot.text == b"." and view.before(dot.start).text in (b"{", b","):
        beside = _beside_designator(code, view, dot, span, change, value)
    else:
        beside = _beside_assignment(code, view, operator, span, change, value)
    if beside is None:
        return None
    return edits(path, code.text, [*pieces, beside])


def _null(code: Code) -> bytes:
    """How the file writes a null pointer: NULL, unless it is C++ that says nullptr."""
    return b"nullptr" if code.language == "cpp" and code.has(b"nullptr") else b"NULL"


def _beside_assignment(
    code: Code, view: View, operator: Token, span: Span, change: SetBeside, value: bytes
) -> Piece | None:
    """``o.protocol = x;`` gets ``o.field = x;`` on a line of its own below."""
    start, end = view.lvalue(operator.start), view.after(span.end)
    if start is None or end.text != b";" or not _is_statement(code, start):
        return None
    name = view.before(operator.start)
    statement = code.data[start : name.start] + change.field.encode() + b" = " + value + b";"
    if not code.opens_line(start):
        return Piece(end.end, end.end, b" " + statement)
    lines = _lines(code, Span(start, end.end))
    at = code.line_end(end.end) if lines is not None else end.end
    return Piece(at, at, b"\n" + code.indent(start) + statement)


def _beside_designator(
    code: Code, view: View, dot: Token, span: Span, change: SetBeside, value: bytes
) -> Piece | None:
    """``.protocol = x`` gets ``.field = x`` behind it, in C++ where the struct declares it."""
    item = b"." + change.field.encode() + b" = " + value
    end = span.end
    if code.language == "cpp":
        last = _last_before(view, dot, change.field, change.order)
        if last is None:
            return None
        end = last
    if view.after(end).text not in (b",", b"}"):
        return None
    gap = b",\n" + code.indent(dot.start) if code.opens_line(dot.start) else b", "
    return Piece(end, end, gap + item)


def _last_before(view: View, dot: Token, field: str, order: tuple[str, ...]) -> int | None:
    """Where the last designated item ends that must stand before ``field``, from the one at ``dot`` on."""
    ranks = {name.encode(): rank for rank, name in enumerate(order)}
    at, end = dot.start, None
    while True:
        name = view.after(view.after(at).end)
        if ranks.get(name.text, len(order)) > ranks.get(field.encode(), -1):
            return end
        comma = _item_end(view, at)
        if comma is None:
            return None
        end = view.before(comma.start).end
        following = view.after(comma.end)
        if comma.text == b"}" or following.text == b"}":
            return end
        if following.text != b".":
            return None
        at = following.start


def _item_end(view: View, at: int) -> Token | None:
    """The comma or closing brace behind the initialiser's item that begins at ``at``."""
    while True:
        token = view.after(at)
        if token.text in (b",", b"}"):
            return token
        if token.text in (b"(", b"[", b"{"):
            closing = view.closing(token.end)
            if closing is None:
                return None
            at = closing + 1
        elif not token.text or token.text == b";":
            return None
        else:
            at = token.end


# ------------------------------------------------------------------------------------- literals


def respell(change: Respell, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.Respell`."""
    path, span = change.place
    code = sources.code(path)
    if code is None:
        return None
    match = _PLAIN_STRING.fullmatch(code.data, *span)
    if match is None or match[1] != change.before.encode():
        return None
    if code.bare[max(span.start - 1, 0) : span.start].isalnum():  # L"…", u8"…"
        return None
    return edits(path, code.text, [Piece(span.start, span.end, b'"' + change.after.encode() + b'"')])


# ------------------------------------------------------------------------------------- ways out


def leave_with(change: LeaveWith, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.LeaveWith`."""
    path = change.places[0].path
    code = sources.code(path)
    if code is None or any(place.path != path for place in change.places):
        return None
    pieces = _names(code, path, change.named)
    if pieces is None:
        return None
    for _, (start, end) in change.places:
        if not _LEAVING.fullmatch(code.bare, start, end) or code.in_directive(start):
            return None
        pieces.append(Piece(start, end, b"return " + change.text.encode() + b";"))
    return edits(path, code.text, pieces)


def _names(code: Code, path: str, named: Iterable[tuple[Place, str]]) -> list[Piece] | None:
    """Names for parameters that have none; None where one is written otherwise."""
    pieces: list[Piece] = []
    for place, name in named:
        start, end = place.span
        if place.path != path or code.flat.after(end).text not in (b",", b")"):
            return None
        written = code.data[start:end]
        gap = b"" if written.endswith((b" *", b" &")) else b" "
        # `void * /* user */` is how a name is written that is not needed.
        comment = re.compile(rb"[ \t]*/\*[ \t]*" + name.encode() + rb"[ \t]*\*/").match(code.data, end)
        pieces.append(Piece(end, comment.end() if comment else end, gap + name.encode()))
    return pieces


def add_default(change: AddDefault, sources: Sources) -> Edits | None:
    """See :class:`lwslint.remedies.AddDefault`."""
    path, span = change.switch
    code = sources.code(path)
    if code is None or code.in_directive(span.start) or code.bare[span.end - 1 : span.end] != b"}":
        return None
    brace = span.end - 1
    pieces = _names(code, path, change.named)
    if pieces is None or not code.opens_line(brace):
        return None
    outer = code.indent(brace)
    label = _first_label(code, span)
    indent = code.indent(label) if label is not None and code.opens_line(label) else outer
    step = b"\t" if indent.startswith(b"\t") or outer.startswith(b"\t") else _INDENT
    at = code.line_start(brace)
    lines = indent + b"default:\n" + indent + step + b"return " + change.text.encode() + b";\n"
    return edits(path, code.text, [*pieces, Piece(at, at, lines)])


def _first_label(code: Code, span: Span) -> int | None:
    match = re.compile(rb"\bcase\b").search(code.bare, *span)
    return match.start() if match else None
