"""LWS401 to LWS403 for Python: what the model found, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Severity, Step
from lwslint.model.project import Project
from lwslint.model.python_exposure import exposure
from lwslint.model.python_native import flags
from lwslint.model.python_tls import EFFECTS, Weakness, overrides, weaknesses
from lwslint.model.python_weak import settings
from lwslint.rule import Rule
from lwslint_rules.tls._python_remedies import of_flags, remedy

# include/libwebsockets/lws-client.h:37-60@v5.0.0; the values are those of 4.1.6, too.
USE_SSL = 1
_NAMES = {
    "LCCSCF_ALLOW_SELFSIGNED": 2,
    "LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK": 4,
    "LCCSCF_ALLOW_EXPIRED": 8,
    "LCCSCF_ALLOW_INSECURE": 16,
}
WEAK = 30
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
    yield from native_flags(project, rule, plaintext=False)


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
        remedy=remedy(weakness, severity),
    )


def overridden(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Checks that are replaced or answered by the program."""
    if not project.python_files:
        return
    for override in overrides(project):
        if override.exposure.kind == "never":
            continue
        severity = _SEVERITIES[override.exposure.kind]
        if not override.effective:
            severity = min(severity, Severity.WARNING)
        decided = f"; {override.exposure.text}" if override.exposure.text else ""
        yield rule.report(
            override.place,
            f"{override.cause}: {override.effect}{decided}",
            severity=severity,
            help=override.help,
            function=override.definition.qualified,
        )


def weak_settings(project: Project, rule: Rule, help: str) -> Iterator[Diagnostic]:
    """TLS versions and ciphers of WebSocket connections that are broken."""
    if not project.python_files:
        return
    for setting in settings(project.python):
        decided = setting.exposure
        if decided.kind == "never":
            continue
        text = f"; {decided.text}" if decided.text else ""
        steps = (
            [] if decided.place is None else [Step(decided.place, f"this condition decides: {decided.text}")]
        )
        yield rule.report(
            setting.place,
            setting.message + text,
            severity=min(_SEVERITIES[decided.kind], rule.severity),
            help=help,
            related=steps,
            function=setting.definition.qualified,
        )


def native_flags(project: Project, rule: Rule, *, plaintext: bool) -> Iterator[Diagnostic]:
    """``ssl_connection`` of a connect info that is filled through ctypes or cffi."""
    if not project.python_files:
        return
    for found in flags(project):
        tls, weak = found.value & USE_SSL, found.value & WEAK
        decided = exposure(project.python, found.definition, found.place.span)
        severity = _SEVERITIES.get(decided.kind, Severity.NOTE)
        text = f"; {decided.text}" if decided.text else ""
        if plaintext and found.value and not tls:
            message = f"the connection is plaintext: ssl_connection = {found.value} has no LCCSCF_USE_SSL (1)"
        elif not plaintext and tls and weak:
            names = " | ".join(name for name, value in _NAMES.items() if value & weak)
            message = (
                "anybody on the way can pose as the server of this TLS connection: "
                f"ssl_connection = {found.value} = LCCSCF_USE_SSL | {names}"
            )
        else:
            continue
        yield rule.report(
            found.place,
            message + text,
            severity=severity,
            help="ssl_connection = 1 (LCCSCF_USE_SSL), and the CA in client_ssl_ca_filepath",
            function=found.definition.qualified,
            remedy=of_flags(project, found, severity, WEAK),
        )
