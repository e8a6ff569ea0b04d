"""A rule's documentation, as the terminal and the documentation's pages show it.

The text is the rule module's docstring, written in Markdown: a first line that says what goes wrong,
then sections headed ``##``, with code between fences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lwslint.reporters.style import Style
from lwslint.rule import LoadedRule, Rule

_FENCE = "```"
_LANGUAGES = {
    "c": "C",
    "cpp": "C++",
    "python": "Python",
    "build": "build files",
    "lwsws": "lwsws configurations",
    "policy": "Secure Streams policies",
}


def explain(loaded: LoadedRule, style: Style) -> str:
    """A rule's page for the terminal, ending in a line feed."""
    lines = [
        style.strong(f"{loaded.rule.code} {loaded.rule.name}"),
        style.dim(facts(loaded.rule)),
        "",
        *_body(loaded.documentation, style),
        "",
        style.dim(loaded.rule.url),
    ]
    return "\n".join(lines) + "\n"


def facts(rule: Rule) -> str:
    """The line under a rule's name: family, severity, what suffers, languages, first release."""
    languages = ", ".join(_LANGUAGES.get(language, language) for language in rule.languages)
    return (
        f"family: {rule.family} · severity: {rule.severity.name.lower()} · "
        f"at stake: {rule.impact.name.lower()} · {languages} · since {rule.since}"
    )


def _body(text: str, style: Style) -> Iterator[str]:
    """Headings set off, code indented instead of fenced; a ``#`` in code is no heading."""
    code = False
    for line in text.splitlines():
        if line.startswith(_FENCE):
            code = not code
        elif code:
            yield f"    {line}".rstrip()
        elif line.startswith("#"):
            yield style.strong(line.lstrip("# "))
        else:
            yield line


def table(rules: Sequence[LoadedRule], style: Style) -> str:
    """One line per rule: code, name, family, severity, what it reports; ends in a line feed."""
    head = ("code", "name", "family", "severity")
    rows = [(r.rule.code, r.rule.name, r.rule.family, r.rule.severity.name.lower()) for r in rules]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [style.dim(_row(head, widths) + "reports")]
    lines += [_row(row, widths) + summary(loaded) for row, loaded in zip(rows, rules, strict=True)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(cell.ljust(width + 2) for cell, width in zip(cells, widths, strict=True))


def summary(loaded: LoadedRule) -> str:
    """The docstring's first line, without a closing full stop."""
    return loaded.documentation.partition("\n")[0].strip().rstrip(".")


class Block(NamedTuple):
    """A piece of code in a rule's documentation: the heading it stands under, the language that its fence
    names, and its text, which ends in a line feed."""

    section: str
    language: str
    text: str


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced code of a documentation, in order."""
    found: list[Block] = []
    section = ""
    language: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if language is not None:
            if line.startswith(_FENCE):
                found.append(Block(section, language, "".join(f"{code}\n" for code in lines)))
                language = None
            else:
                lines.append(line)
        elif line.startswith(_FENCE):
            language, lines = line.removeprefix(_FENCE).strip(), []
        elif line.startswith("## "):
            section = line.removeprefix("## ").strip()
    return tuple(found)


def page(loaded: LoadedRule) -> str:
    """The rule's page of the documentation, in Markdown."""
    rule = loaded.rule
    return f"# {rule.name} ({rule.code})\n\n{facts(rule)}\n\n{loaded.documentation.rstrip()}\n"
