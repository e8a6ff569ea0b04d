"""LWS401 and LWS403 for Python: what the model found, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Severity, Step
from lwslint.model.project import Project
from lwslint.model.python_tls import EFFECTS, Weakness, weaknesses
from lwslint.rule import Rule

_SEVERITIES = {
    "production": Severity.ERROR,
    "unless": Severity.WARNING,
    "switch": Severity.NOTE,
    "test": Severity.NOTE,
    "development": Severity.NOTE,
    "local": Severity.NOTE,
}


def permissive(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Clients that accept certificates which they should refuse."""
    if not project.python_files:
        return
    for weakness in weaknesses(project):
        if weakness.exposure.kind != "never":
            yield _report(weakness, rule)


def _report(weakness: Weakness, rule: Rule) -> Diagnostic:
    severity = _SEVERITIES[weakness.exposure.kind]
    decided = f"; {weakness.exposure.text}" if weakness.exposure.text else ""
    if weakness.loopback and severity > Severity.NOTE:
        severity, decided = Severity.NOTE, "; the peer is this machine"
    elif not weakness.certain and severity is Severity.ERROR:
        severity = Severity.WARNING
        decided = "; whether the connection uses TLS is decided elsewhere" if weakness.uses else decided
    if weakness.effect == "purpose":
        head = "the TLS connection fails or is not protected"
    else:
        head = "anybody on the way can pose as the server of this TLS connection"
    steps = [*weakness.also]
    for use in weakness.uses[:4]:
        if use.use.place != weakness.place:
            steps.append(Step(use.use.place, f"this connection ({use.row.library}) is made with it"))
    if weakness.exposure.place is not None:
        steps.append(Step(weakness.exposure.place, f"this condition decides: {weakness.exposure.text}"))
    return rule.report(
        weakness.place,
        f"{head}: {weakness.cause}: {EFFECTS[weakness.effect]}{decided}",
        severity=severity,
        confidence=Confidence.HIGH if weakness.uses else Confidence.MEDIUM,
        help=weakness.help,
        related=steps,
        function=weakness.definition.qualified,
    )
