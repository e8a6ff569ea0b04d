"""Issues of Azure Pipelines: logging commands, one a line.

``##vso[task.logissue type=…;sourcepath=…;linenumber=…;columnnumber=…;code=…]message``.  A percent
sign is escaped as ``%AZP25``, line ends in percent form, and in properties ``;`` and ``]`` too
(microsoft/azure-pipelines-task-lib, node/taskcommand.ts).  Azure knows no notes: they are warnings
that say so.
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.engine import Result
from lwslint.reporters import View, logs
from lwslint.reporters.places import region
from lwslint.reporters.words import paragraphs
from lwslint.source import clean


def report(result: Result, view: View) -> Iterator[str]:
    for diagnostic in result.diagnostics:
        yield _issue(result, diagnostic)
    for problem in result.problems:
        path = f";sourcepath={_property(clean(problem.path))}" if problem.path else ""
        yield f"##vso[task.logissue type=error{path}]{_data(clean(problem.message))}"


def _issue(result: Result, diagnostic: Diagnostic) -> str:
    place = region(result, diagnostic.place)
    note = diagnostic.severity is Severity.NOTE
    properties = {
        "type": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "sourcepath": place.path,
        "linenumber": str(place.line),
        "columnnumber": str(place.column),
        "code": diagnostic.code,
    }
    listed = ";".join(f"{key}={_property(value)}" for key, value in properties.items())
    text = ("note: " if note else "") + paragraphs(result, diagnostic)
    return f"##vso[task.logissue {listed}]{_data(text)}"


def _data(text: str) -> str:
    text = logs.inert(text)
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
