"""For people: each finding with its line, the steps that lead to it, and what to write instead.

All text from the linted tree is cleaned, so that a file cannot move the cursor, hide a line or fake
a finding of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from functools import partial

from lwslint.diagnostics import Diagnostic, Step
from lwslint.engine import Result
from lwslint.facts import Place
from lwslint.reporters import concise
from lwslint.reporters.style import Style
from lwslint.source import clean

WIDTH = 100  # columns where no terminal says otherwise
_NARROWEST = 40


def report(result: Result, style: Style, width: int = WIDTH) -> Iterator[str]:
    """The report's lines, without line ends; an empty line follows each finding."""
    width = max(width, _NARROWEST)
    for diagnostic in result.diagnostics:
        yield concise.header(result, diagnostic, style)
        yield from _finding(result, diagnostic, style, width)
        yield ""


def _finding(result: Result, diagnostic: Diagnostic, style: Style, width: int) -> Iterator[str]:
    yield from _excerpt(
        result, diagnostic.place, style, width, indent="", paint=partial(style.of, diagnostic.severity)
    )
    if diagnostic.related:
        yield ""
    for number, step in enumerate(diagnostic.related, 1):
        yield from _step(result, number, step, style, width)
    if diagnostic.help:
        yield ""
        yield from _help(diagnostic.help, style, width)
    if diagnostic.url:
        yield f"  {style.dim(clean(diagnostic.url))}"


def _step(result: Result, number: int, step: Step, style: Style, width: int) -> Iterator[str]:
    position = result.texts[step.place.path].position(step.place.span.start)
    label = f"  {number}. "
    place = f"{clean(step.place.path)}:{position.line}:{position.column}"
    yield from _wrap(f"{place}: {clean(step.message)}", width, label, " " * len(label))
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
