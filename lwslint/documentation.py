"""A rule's documentation, as the terminal and the documentation's pages show it.

The text is the rule module's docstring: a first line that says what the rule reports, then sections
in reStructuredText or Markdown style.  It is printed as written; only headings are set off.
"""

from __future__ import annotations

from collections.abc import Sequence

from lwslint.reporters.style import Style
from lwslint.rule import LoadedRule, Rule
from lwslint.source import width_of

_UNDERLINES = frozenset("=-~^\"'")
_LANGUAGES = {"c": "C", "cpp": "C++", "python": "Python"}


def explain(loaded: LoadedRule, style: Style) -> str:
    """A rule's page for the terminal, ending in a line feed."""
    rule = loaded.rule
    facts = ", ".join(
        (rule.family, rule.severity.name.lower(), f"costs {rule.impact.name.lower()}", _languages(rule))
    )
    lines = [
        f"{style.strong(rule.code)} {style.strong(rule.name)}",
        style.dim(f"{facts}, since {rule.since}"),
    ]
    lines += ["", *_body(loaded.documentation, style), "", style.dim(rule.url)]
    return "\n".join(lines) + "\n"


def _body(text: str, style: Style) -> list[str]:
    """The docstring's lines with headings (underlined, or ``## ``) in bold, underlines dropped."""
    lines = text.splitlines()
    shown: list[str] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if is_underline(line) and shown and shown[-1]:
            continue
        heading = line.startswith("#") or (line and is_underline(following))
        shown.append(style.strong(line.lstrip("# ")) if heading else line)
    return shown


def is_underline(line: str) -> bool:
    return len(line) >= 3 and line[0] in _UNDERLINES and set(line) == {line[0]}


def table(rules: Sequence[LoadedRule], style: Style) -> str:
    """One line per rule: code, name, family, severity, what it reports."""
    rows = [
        (r.rule.code, r.rule.name, r.rule.family, r.rule.severity.name.lower(), summary(r)) for r in rules
    ]
    head = ("code", "name", "family", "severity", "reports")
    widths = [max(width_of(row[i]) for row in (head, *rows)) for i in range(4)]
    lines = [style.dim(_row(head, widths)), *(_row(row, widths) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join((*padded, cells[-1])).rstrip()


def summary(loaded: LoadedRule) -> str:
    """The docstring's first line, without a closing full stop."""
    return loaded.documentation.partition("\n")[0].strip().rstrip(".")


def page(loaded: LoadedRule) -> str:
    """The rule's page of the documentation, in Markdown."""
    rule = loaded.rule
    lines = [
        f"# {rule.name} ({rule.code})",
        "",
        f"Family `{rule.family}` · {rule.severity.name.lower()} · impact: {rule.impact.name.lower()} · "
        f"{_languages(rule)} · since {rule.since}",
        "",
        *markdown(loaded.documentation),
    ]
    return "\n".join(lines) + "\n"


def markdown(text: str) -> list[str]:
    """The docstring's lines with underlined headings as ``##`` and ``::`` literal blocks left as
    indented code, which is what both notations share."""
    lines = text.splitlines()
    shown: list[str] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if is_underline(line) and index > 0 and lines[index - 1]:
            continue
        if line and is_underline(following):
            shown.append(f"## {line}")
        elif line.endswith("::") and not line.startswith(" "):
            shown.append(line[:-1])
        else:
            shown.append(line)
    return shown


def _languages(rule: Rule) -> str:
    return ", ".join(_LANGUAGES.get(language, language) for language in rule.languages)
