"""For people: each finding with its line, the steps that lead to it, and what to write instead.

All text from the linted tree is cleaned, so that a file cannot move the cursor, hide a line or fake
a finding of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from functools import partial

from lwslint.diagnostics import Confidence, Diagnostic, Fix, Step
from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.reporters import View, fixes
from lwslint.reporters.places import where
from lwslint.reporters.style import Style, kind
from lwslint.reporters.words import headline, message
from lwslint.source import clean

_NARROWEST = 40


def report(result: Result, view: View) -> Iterator[str]:
    """An empty line follows each finding."""
    width = max(view.width, _NARROWEST)
    for diagnostic in result.diagnostics:
        yield from _finding(result, diagnostic, view.style, width)
        yield ""


def _finding(result: Result, diagnostic: Diagnostic, style: Style, width: int) -> Iterator[str]:
    yield from _header(diagnostic, style, width)
    yield f"  {style.dim('-->')} {style.strong(where(result, diagnostic.place))}"
    paint = partial(style.of, diagnostic.severity)
    yield from _excerpt(result, diagnostic.place, style, width, indent="", paint=paint)
    if diagnostic.related:
        yield ""
    for number, step in enumerate(diagnostic.related, 1):
        yield from _step(result, number, step, style, width)
    if diagnostic.help:
        yield ""
        yield from _help(diagnostic.help, style, width)
    if diagnostic.fix is not None:
        yield from _fix(diagnostic.fix, style, width)
    yield style.dim(f"  {_footer(diagnostic)}")


def _header(diagnostic: Diagnostic, style: Style, width: int) -> Iterator[str]:
    """What happens in one line, and below it what else the message says."""
    text = message(diagnostic)
    head, rest = headline(text)
    mark = text[len(head) : len(head) + 1].strip() if rest else ""
    label = kind(diagnostic, Style())
    first, *more = _wrap(head + mark, width, f"{label} ", "  ")
    yield f"{kind(diagnostic, style)} {style.strong(first.removeprefix(label + ' '))}"
    yield from map(style.strong, more)
    if rest:
        yield from _wrap(rest, width, "  ", "  ")


def _footer(diagnostic: Diagnostic) -> str:
    parts = [f"at stake: {diagnostic.impact.name.lower()}"]
    if diagnostic.confidence is not Confidence.HIGH:
        parts.append(f"confidence: {diagnostic.confidence.name.lower()}")
    return " · ".join((*parts, clean(diagnostic.url) or diagnostic.name))


def _step(result: Result, number: int, step: Step, style: Style, width: int) -> Iterator[str]:
    label = f"  {number}. "
    yield from _wrap(f"{where(result, step.place)}: {clean(step.message)}", width, label, " " * len(label))
    yield from _excerpt(result, step.place, style, width, indent=" " * len(label), paint=style.dim)


def _help(text: str, style: Style, width: int) -> Iterator[str]:
    """Paragraphs are wrapped; indented lines are code and stay as they are."""
    label, rest = "  help: ", "        "
    for index, line in enumerate(text.strip("\n").split("\n")):
        first = label if index == 0 else rest
        if line[:1] in (" ", "\t"):
            yield rest + clean(line.expandtabs(4))
            continue
        for shown in _wrap(clean(line), width, first, rest):
            yield shown.replace("help:", style.help("help:"), 1) if index == 0 else shown


def _fix(fix: Fix, style: Style, width: int) -> Iterator[str]:
    label = "  fix: "
    for index, line in enumerate(_wrap(fixes.sentence(fix), width, label, " " * len(label))):
        yield line.replace("fix:", style.help("fix:"), 1) if index == 0 else line


def _wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of at most ``width`` columns; a word longer than that (a path, a call) is not broken."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _excerpt(
    result: Result, place: Place, style: Style, width: int, *, indent: str, paint: Callable[[str], str]
) -> Iterator[str]:
    """The place's line between rulers; nothing when the file cannot be shown."""
    text = result.texts[place.path]
    number = str(text.position(place.span.start).line)
    gutter = f"{indent}{number} | "
    shown = text.excerpt(place.span, columns=max(width - len(gutter), _NARROWEST))
    if not shown.text:
        return
    margin = f"{indent}{' ' * len(number)} | "
    yield f"{style.dim(gutter)}{shown.text}"
    yield f"{style.dim(margin)}{' ' * shown.caret}{paint('^' * shown.width)}"
