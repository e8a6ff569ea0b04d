"""One self-contained page: filter by severity, rule and path, read the excerpts, follow the chain.

The page is complete without its script, which only filters.  Everything is escaped, and a content
security policy allows nothing but the page's own style and script, by their hashes: text that slipped
through could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from itertools import groupby

from lwslint import __version__
from lwslint.diagnostics import Confidence, Diagnostic, Fix, Severity
from lwslint.engine import Result, first_to_fix
from lwslint.facts import Place
from lwslint.reporters import View, fixes, logs, picture
from lwslint.reporters.places import region, where
from lwslint.reporters.style import Style
from lwslint.reporters.summary import lines as summary_lines
from lwslint.reporters.summary import plural
from lwslint.reporters.words import headline, message
from lwslint.source import TAB, clean

_AROUND = 2  # lines shown before and after the one that is meant
_LONGEST = 240  # characters of a line that are shown
_OPEN = 8  # steps of a chain that is shown without being asked for, but for notes
_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)

Numbered = tuple[int, Diagnostic]


def report(result: Result, view: View) -> Iterator[str]:
    style, script = _own("page.css"), _own("page.js")
    head = (
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        "<title>lwslint report</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
    )
    yield from "\n".join(head).split("\n")
    for line in _body(result):
        yield from logs.inert_markup(line).split("\n")
    yield from f"<script>{script}</script>\n</body>\n</html>".split("\n")


def _own(name: str) -> str:
    return resources.files("lwslint.reporters").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _text(text: str) -> str:
    """Cleaned and escaped, for an element or a quoted attribute."""
    return escape(clean(text))


# ------------------------------------------------------------------------------------- the page


def _body(result: Result) -> Iterator[str]:
    numbered = list(enumerate(result.diagnostics, 1))
    yield "<header>"
    yield "<h1>lwslint report</h1>"
    yield from _summary(result, numbered)
    yield "</header>"
    if numbered:
        yield from _filters(result)
    yield "<main>"
    for path, found in groupby(numbered, key=lambda item: item[1].place.path):
        yield from _file(result, path, list(found))
    yield '<p id="nothing" hidden>No finding passes the filter.</p>'
    yield "</main>"
    yield from _problems(result)
    yield f"<footer>lwslint {__version__}</footer>"


def _summary(result: Result, numbered: Sequence[Numbered]) -> Iterator[str]:
    coverage = summary_lines(result, Style())[0]
    yield f"<p>{_text(coverage)}</p>"
    if not numbered:
        yield "<p>No findings.</p>" if result.parsed else ""
        return
    first = first_to_fix(result.diagnostics)
    number = next(number for number, diagnostic in numbered if diagnostic is first)
    head = headline(message(numbered[number - 1][1]))[0]
    yield f'<p class="first"><b>Fix first:</b> <a href="#f{number}">{escape(head)}</a></p>'


def _filters(result: Result) -> Iterator[str]:
    """Hidden until the script shows it."""
    yield '<form id="filters" hidden autocomplete="off">'
    yield "<fieldset><legend>severity</legend>"
    for severity in _SEVERITIES:
        if count := result.of(severity):
            name = severity.name.lower()
            yield (
                f'<label class="{name}"><input type="checkbox" name="severity" value="{name}" checked>'
                f"{plural(count, name)}</label>"
            )
    yield "</fieldset>"
    yield '<label>rule <select name="rule"><option value="">all</option>'
    for code, name in sorted({(d.code, d.name) for d in result.diagnostics}):
        yield f'<option value="{_text(code)}">{_text(code)} {_text(name)}</option>'
    yield "</select></label>"
    yield '<label>path <input type="search" name="path" placeholder="any part of it"></label>'
    yield '<output id="shown"></output>'
    yield "</form>"


def _file(result: Result, path: str, found: Sequence[Numbered]) -> Iterator[str]:
    yield f'<section data-path="{_text(path)}">'
    yield f"<h2>{_breakable(path)} <small>{plural(len(found), 'finding')}</small></h2>"
    for number, diagnostic in found:
        yield from _finding(result, number, diagnostic)
    yield "</section>"


def _breakable(path: str) -> str:
    return _text(path).replace("/", "/<wbr>")


def _problems(result: Result) -> Iterator[str]:
    if not result.problems:
        return
    yield '<section class="problems"><h2>Not analysed</h2><ul>'
    for problem in result.problems:
        place = f"<code>{_breakable(problem.path)}</code>: " if problem.path else ""
        yield f"<li>{place}{_text(problem.message)}</li>"
    yield "</ul></section>"


# ------------------------------------------------------------------------------------- a finding


def _finding(result: Result, number: int, diagnostic: Diagnostic) -> Iterator[str]:
    severity = diagnostic.severity.name.lower()
    text = message(diagnostic)
    head, rest = headline(text)
    yield (
        f'<article id="f{number}" class="{severity}" data-severity="{severity}" '
        f'data-rule="{_text(diagnostic.code)}">'
    )
    yield f'<p class="tags">{"".join(_tags(diagnostic))}</p>'
    yield f"<h3>{escape(head)}</h3>"
    if rest:
        yield f"<p>{escape(rest)}</p>"
    yield f'<p class="place"><code>{_breakable(where(result, diagnostic.place))}</code></p>'
    yield _excerpt(result, diagnostic.place, around=_AROUND)
    if diagnostic.related:
        yield from _chain(result, number, diagnostic)
    if diagnostic.help:
        yield '<div class="help"><h4>What to write instead</h4>'
        yield from _help(diagnostic.help)
        yield "</div>"
    if diagnostic.fix is not None:
        yield from _fix(result, diagnostic.fix)
    yield "</article>"


def _tags(diagnostic: Diagnostic) -> Iterator[str]:
    severity = diagnostic.severity.name.lower()
    yield f'<b class="severity">{severity}</b> '
    rule = f"{_text(diagnostic.code)} {_text(diagnostic.name)}"
    if diagnostic.url.startswith(("https://", "http://")):
        yield f'<a class="rule" href="{_text(diagnostic.url)}" rel="noreferrer">{rule}</a> '
    else:
        yield f'<span class="rule">{rule}</span> '
    yield f"<span>at stake: {diagnostic.impact.name.lower()}</span>"
    if diagnostic.confidence is not Confidence.HIGH:
        yield f" <span>confidence: {diagnostic.confidence.name.lower()}</span>"


def _chain(result: Result, number: int, diagnostic: Diagnostic) -> Iterator[str]:
    """The picture, and the same steps with their lines."""
    steps = len(diagnostic.related)
    opened = " open" if steps <= _OPEN and diagnostic.severity is not Severity.NOTE else ""
    yield f"<details{opened}><summary>How it comes to this: {plural(steps, 'step')}</summary>"
    if steps > 1:
        yield f'<div class="picture">{picture.draw(result, number, diagnostic)}</div>'
    yield '<ol class="steps">'
    for index, step in enumerate(diagnostic.related, 1):
        yield f'<li id="f{number}s{index}"><p>{_text(step.message)}</p>'
        yield f'<p class="place"><code>{_breakable(where(result, step.place))}</code></p>'
        yield f"{_excerpt(result, step.place, around=0)}</li>"
    yield "</ol></details>"


def _help(text: str) -> Iterator[str]:
    """Paragraphs; indented lines are code."""
    for code, group in groupby(text.strip("\n").split("\n"), key=lambda line: line[:1] in (" ", "\t")):
        shown = [_text(line.expandtabs(TAB)) for line in group]
        if code:
            yield f"<pre>{chr(10).join(shown)}</pre>"
        else:
            yield from (f"<p>{line}</p>" for line in shown if line.strip())


def _fix(result: Result, fix: Fix) -> Iterator[str]:
    yield f'<div class="fix"><h4>Fix: {escape(clean(fix.message))}</h4>'
    yield f"<p><code>lwslint {fixes.option(fix)}</code></p>"
    for changed in fixes.preview(result, fix):
        yield f'<p class="place"><code>{_breakable(changed.path)}:{changed.line}</code></p>'
        rows = "".join(_row(row) for row in changed.rows)
        yield f'<div class="excerpt"><table>{rows}</table></div>'
    yield "</div>"


def _row(row: str) -> str:
    kind = {"+": ' class="added"', "-": ' class="removed"'}.get(row[0], "")
    text = row[1:]
    cut = escape(text[:_LONGEST]) + ("…" if len(text) > _LONGEST else "")
    return f"<tr{kind}><td>{escape(row[0])}</td><td>{cut}</td></tr>"


def _excerpt(result: Result, place: Place, *, around: int) -> str:
    """The line with what is meant marked, and some lines around it; empty when it cannot be shown."""
    text = result.texts[place.path]
    found = region(result, place)
    if not text.line(found.line):
        return ""
    numbers = range(max(found.line - around, 1), min(found.line + around, text.lines) + 1)
    rows = []
    for number in numbers:
        line = text.line(number)
        if number == found.line:
            end = found.end_column - 1 if found.end_line == found.line else len(line)
            shown = _marked(line, found.column - 1, max(end, found.column))
        else:
            shown = _text(line[:_LONGEST].expandtabs(TAB)) + ("…" if len(line) > _LONGEST else "")
        kind = ' class="meant"' if number == found.line else ""
        rows.append(f"<tr{kind}><td>{number}</td><td>{shown}</td></tr>")
    return f'<div class="excerpt"><table>{"".join(rows)}</table></div>'


def _marked(line: str, start: int, end: int) -> str:
    """``line`` with ``line[start:end]`` marked, cut around the mark when it is very long."""
    first = max(start - _LONGEST // 2, 0) if len(line) > _LONGEST else 0
    last = min(max(end, first + _LONGEST), first + 2 * _LONGEST, len(line))
    end = min(end, last)
    # Tabs are expanded before the parts are told apart, so that each ends where it does in an editor.
    widths = [len(line[first:at].expandtabs(TAB)) for at in (start, end)]
    shown = line[first:last].expandtabs(TAB)
    before, meant, after = shown[: widths[0]], shown[widths[0] : widths[1]], shown[widths[1] :]
    return (
        f"{'…' if first else ''}{_text(before)}<mark>{_text(meant)}</mark>{_text(after)}"
        f"{'…' if last < len(line) else ''}"
    )
