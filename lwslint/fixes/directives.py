"""Fixes for comments that suppress nothing: taken out where they are not needed, completed where the
author's meaning is plain."""

from __future__ import annotations

from lwslint.diagnostics import Applicability, Edit, Fix
from lwslint.facts import Place, Span
from lwslint.source import SourceText
from lwslint.suppressions import DECORATION, Directive, Label


def removal(text: SourceText, path: str, directive: Directive, label: Label) -> Fix | None:
    """Take ``label`` out of its directive, or the whole directive if it names nothing else.

    None where the comment goes on with something else that the directive cannot be told from.
    """
    if len(directive.labels) > 1:
        return _fix(f"take {label.text} out of the brackets", path, _without(directive, label), "")
    span = _comment(text.data, directive)
    if span is None:
        return None
    span, rest = _with_spacing(text, span)
    return _fix("remove the comment", path, span, rest)


def colon(path: str, at: int) -> Fix:
    """``lwslint ignore[…]`` with the colon that it lacks; ``at`` is where the word ``lwslint`` ends."""
    edit = Edit(Place(path, Span(at, at)), ":")
    return Fix('write the colon behind "lwslint"', Applicability.UNSAFE, (edit,))


def respelled(path: str, label: Label, name: str) -> Fix:
    """A word between the brackets, spelled as the rule that it must mean."""
    return Fix(f"write {name}", Applicability.UNSAFE, (Edit(Place(path, label.span), name),))


def _fix(message: str, path: str, span: Span, replacement: str) -> Fix:
    return Fix(message, Applicability.SAFE, (Edit(Place(path, span), replacement),))


def _without(directive: Directive, label: Label) -> Span:
    """A label with the comma that goes with it."""
    index = directive.labels.index(label)
    if index + 1 < len(directive.labels):
        return Span(label.span.start, directive.labels[index + 1].span.start)
    return Span(directive.labels[index - 1].span.end, label.span.end)


def _comment(data: bytes, directive: Directive) -> Span | None:
    """The comment, or what a directive takes of the end of a comment of one line."""
    start, end = directive.comment
    before = data[start : directive.span.start]
    if directive.end != end:
        return None
    kept = before.rstrip(DECORATION)
    if not kept:
        return Span(start, end)
    if data.startswith((b"//", b"#"), start) and not kept.endswith(b"\n"):
        return Span(start + len(kept), end)
    return None


def _with_spacing(text: SourceText, span: Span) -> tuple[Span, str]:
    """``span`` with the white space or the lines that go with it, and what must stand there instead."""
    data = text.data
    first = text.line_span(text.position(span.start).line).start
    last = text.line_span(text.position(max(span.start, span.end - 1)).line).end
    start, end = span
    if not data[end:last].strip():
        if not data[first:start].strip():
            return Span(first, last), ""
        while data[start - 1 : start] in (b" ", b"\t"):
            start -= 1
        return Span(start, end), ""
    if data[end : end + 1] in (b" ", b"\t"):
        while data[end : end + 1] in (b" ", b"\t"):
            end += 1
        return Span(start, end), ""
    joins = start > first and not data[start - 1 : start].isspace()
    return Span(start, end), " " if joins else ""
