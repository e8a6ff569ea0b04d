"""For programs that read line by line: each finding as in ``json``, then the summary.

The key ``kind`` of each line is ``diagnostic`` or ``summary``.
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.engine import Result
from lwslint.reporters import View
from lwslint.reporters import json as document


def report(result: Result, view: View) -> Iterator[str]:
    for diagnostic in document.diagnostics(result):
        yield document.dump({"kind": "diagnostic", **diagnostic})
    last = {"kind": "summary", "version": document.VERSION, **document.summary(result)}
    yield document.dump(last)
