"""What a rule module consists of: one :class:`Rule`, one docstring, one ``check`` function.

A rule module lives in ``lwslint_rules/<family>/<rule_name>.py`` and reads::

    \"\"\"<documentation, in the sections that docs/ and `lwslint rule` print>\"\"\"

    rule = Rule(code="LWS401", name="permissive-tls-flags", family="tls", impact=Impact.SECURITY)

    def check(project: Project) -> Iterator[Diagnostic]:
        yield rule.report(place, "...", severity=Severity.ERROR, help="...")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from lwslint.diagnostics import Confidence, Diagnostic, Fix, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.remedies import Remedy

if TYPE_CHECKING:
    from lwslint.model.project import Project

URL = "https://lwslint.readthedocs.io/rules/"


class Rule(msgspec.Struct, frozen=True):
    """A rule's identity.  ``severity`` is the one it has where nothing softens it; ``pages`` is where the
    page with its name is."""

    code: str
    name: str
    family: str
    impact: Impact
    severity: Severity = Severity.ERROR
    languages: tuple[str, ...] = ("c", "cpp")
    since: str = "0.1.0"
    pages: str = URL

    @property
    def url(self) -> str:
        return f"{self.pages}{self.name}"

    def report(
        self,
        place: Place,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
        help: str = "",
        related: Iterable[Step] = (),
        function: str = "",
        fix: Fix | None = None,
        remedy: Remedy | None = None,
    ) -> Diagnostic:
        """A finding of this rule at ``place``.

        Give a ``fix`` where the facts hold the exact spans to edit, else a ``remedy`` if there is one.
        """
        return Diagnostic(
            code=self.code,
            name=self.name,
            severity=self.severity if severity is None else severity,
            confidence=confidence,
            impact=self.impact,
            place=place,
            message=message,
            help=help,
            related=tuple(related),
            function=function,
            url=self.url,
            fix=fix,
            remedy=remedy,
        )


class LoadedRule(msgspec.Struct, frozen=True):
    """A rule as the registry found it: its identity, its documentation and its check."""

    rule: Rule
    documentation: str
    check: Callable[[Project], Iterator[Diagnostic]]
