"""LWS301 for Python callbacks behind ctypes or cffi."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Severity
from lwslint.model.project import Project
from lwslint.model.python_native import loses_http
from lwslint.rule import Rule


def loses_http_events(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Callbacks of protocols[0] that never call lws_callback_http_dummy."""
    if not project.python_files:
        return
    for callback in loses_http(project):
        names = [p.name for p in callback.definition.function.parameters]
        yield rule.report(
            callback.definition.place(),
            f"a plain HTTP request to this server is never answered: {callback.definition.name}() stands in"
            " protocols[0] and hands no event to lws_callback_http_dummy()",
            severity=Severity.WARNING,
            confidence=Confidence.MEDIUM,
            help=f"end with: return lib.lws_callback_http_dummy({', '.join(names)})",
            function=callback.definition.qualified,
        )
