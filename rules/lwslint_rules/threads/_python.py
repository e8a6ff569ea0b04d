"""LWS101 for Python that calls libwebsockets through ctypes or cffi."""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Severity, Step
from lwslint.knowledge import api
from lwslint.knowledge.api import Category
from lwslint.model.project import Project
from lwslint.model.python_native import off_thread
from lwslint.rule import Rule

_HELP = (
    "put the data into a queue.Queue, call lws_cancel_service(context) (the only call that is safe"
    " here), and do"
    " the lws call when LWS_CALLBACK_EVENT_WAIT_CANCELLED arrives on the service thread"
)


def native_calls(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Calls of service-thread functions on threads that the program starts."""
    if not project.python_files:
        return
    for found in off_thread(project):
        warned = api.category(found.name) in (Category.ON_WRITABLE, Category.CANCEL)
        steps = [*found.reached.chain, Step(found.place, f"{found.name}() is called here")]
        if found.serviced is not None:
            steps.append(found.serviced)
        yield rule.report(
            found.place,
            "two threads are inside libwebsockets at once, which crashes now and then (ctypes and cffi"
            f" release the GIL while lws_service() runs): {found.name}() runs on another thread"
            f" ({found.reached.start.how}), not on the service thread",
            severity=Severity.WARNING if warned else Severity.ERROR,
            help=_HELP,
            related=steps,
            function=found.reached.definition.qualified,
        )
