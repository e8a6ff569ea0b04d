"""Reports limited to some files while the whole project is read for context."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from lwslint import witness
from lwslint.engine import Result, hidden
from lwslint.problem import Problem


def only(result: Result, paths: Sequence[str], project: str, cwd: str) -> Result:
    """``result`` with the findings whose primary place is in one of ``paths``, files or folders.

    A path that does not exist, or lies outside of the folder ``project`` that was read, is a problem:
    its findings would be missing without a word.
    """
    top = os.path.realpath(os.path.join(cwd, project))
    witness.leads(os.path.join(cwd, project), top)
    problems: list[Problem] = []
    for path in paths:
        witness.leads(os.path.join(cwd, path), os.path.realpath(os.path.join(cwd, path)))
        if not path or not os.path.exists(os.path.join(cwd, path)):
            problems.append(Problem(path, "no such file or folder"))
        elif not _below(os.path.realpath(os.path.join(cwd, path)), (top,)):
            problems.append(Problem(path, f"lies outside of the project {project}"))
    asked = {path: is_named(result, path, paths, cwd) for path in {d.place.path for d in result.diagnostics}}
    shown = tuple(diagnostic for diagnostic in result.diagnostics if asked[diagnostic.place.path])
    return msgspec.structs.replace(
        result,
        diagnostics=shown,
        problems=(*result.problems, *problems),
        hidden=result.hidden + hidden(("in other files", len(result.diagnostics) - len(shown))),
    )


def is_named(result: Result, path: str, paths: Sequence[str], cwd: str) -> bool:
    """Whether the file that reports call ``path`` is, or lies below, one of ``paths``."""
    named = [os.path.realpath(os.path.join(cwd, other)) for other in paths if other]
    return _below(os.path.realpath(result.texts.real(path)), named)


def _below(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
