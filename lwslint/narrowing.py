"""Reports limited to some files while the whole project is read for context."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from lwslint.engine import Result, hidden
from lwslint.problem import Problem


def only(result: Result, paths: Sequence[str], project: str, cwd: str) -> Result:
    """``result`` with the findings whose primary place is in one of ``paths``, files or folders.

    A path that does not exist, or lies outside of the folder ``project`` that was read, is a problem:
    its findings would be missing without a word.
    """
    top = os.path.realpath(os.path.join(cwd, project))
    named: list[str] = []
    problems: list[Problem] = []
    for path in paths:
        real = os.path.realpath(os.path.join(cwd, path))
        if not path or not os.path.exists(real):
            problems.append(Problem(path, "no such file or folder"))
        elif not _below(real, (top,)):
            problems.append(Problem(path, f"lies outside of the project {project}"))
        else:
            named.append(real)
    asked = {
        path: _below(os.path.realpath(result.texts.real(path)), named)
        for path in {diagnostic.place.path for diagnostic in result.diagnostics}
    }
    shown = tuple(diagnostic for diagnostic in result.diagnostics if asked[diagnostic.place.path])
    return msgspec.structs.replace(
        result,
        diagnostics=shown,
        problems=(*result.problems, *problems),
        hidden=result.hidden + hidden(("in other files", len(result.diagnostics) - len(shown))),
    )


def _below(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
