"""Making fixes: choose those that can be made together, write, lint afresh, until nothing is left to fix.

All files that one fix changes are written, or none of them.  A file is only ever written when it still has
the bytes that the fix was made from, and when its front end understands the outcome as well as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from lwslint.diagnostics import Applicability, Diagnostic
from lwslint.engine import Parsed, Result
from lwslint.facts import FileFacts
from lwslint.fixes import plan
from lwslint.rewrite import RewriteError
from lwslint.settings import Settings
from lwslint.workers import Unit, lower

# Each round makes all fixes that do not overlap; more rounds than these are rules that disagree.
ROUNDS = 10
_PARSED = ("c", "cpp", "python")


class Workplace(Protocol):
    """Where fixed files go, and how they are linted there."""

    def write(self, result: Result, path: str, before: bytes, after: bytes) -> None:
        """Give the file that ``result`` calls ``path`` the bytes ``after``, all or none of them.

        Raises :class:`lwslint.rewrite.RewriteError` where it no longer has the bytes ``before``, or may
        not be written.
        """

    def lint(self) -> Result:
        """What is reported of the files as they are now."""


class Made(NamedTuple):
    """A fix that was made: ``line`` is that of its finding in the file as it was read in that round."""

    path: str
    line: int
    code: str
    name: str
    message: str
    applicability: Applicability


class Outcome(NamedTuple):
    """``result`` reports what is left, ``before`` holds the first bytes of each file that was changed.

    ``refused`` says of files why they were not fixed.  ``settled`` is False where fixes were left after
    the last round.
    """

    result: Result
    made: tuple[Made, ...]
    before: Mapping[str, bytes]
    refused: tuple[str, ...]
    settled: bool


def run(
    result: Result,
    workplace: Workplace,
    settings: Settings,
    *,
    unsafe: bool,
    allowed: Callable[[str], bool] = lambda path: True,
    limit: int = ROUNDS,
) -> Outcome:
    """Make the fixes of ``result`` and of what is found after them, in at most ``limit`` rounds.

    ``unsafe`` asks for unsafe fixes too; ``allowed`` says of a path whether that file may be changed.
    """
    made: list[Made] = []
    before: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for _ in range(limit):
        chosen = plan.choose(
            result.diagnostics, unsafe=unsafe, allowed=lambda path: allowed(path) and path not in refused
        )
        written: set[str] = set()
        for group in _groups(chosen):
            texts = {path: result.texts[path].data for path in group}
            why = _write(result, group, chosen, workplace, settings)
            if why is not None:
                refused.update({path: why[path] for path in group})
                continue
            written.update(group)
            for path, data in texts.items():
                before.setdefault(path, data)
        made += [_made(result, d) for d in chosen.chosen if _paths(d) <= written]
        if not written:
            break
        result = workplace.lint()
    else:
        settled = not any(plan.is_offered(diagnostic, unsafe=unsafe) for diagnostic in result.diagnostics)
        return Outcome(result, tuple(made), before, _listed(refused), settled)
    return Outcome(result, tuple(made), before, _listed(refused), True)


def _listed(refused: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{path}: {why}" for path, why in sorted(refused.items()))


def _paths(diagnostic: Diagnostic) -> set[str]:
    return {edit.place.path for edit in diagnostic.fix.edits} if diagnostic.fix is not None else set()


def _made(result: Result, diagnostic: Diagnostic) -> Made:
    fix = diagnostic.fix
    assert fix is not None
    path, span = diagnostic.place
    line = result.texts[path].position(span.start).line
    return Made(path, line, diagnostic.code, diagnostic.name, fix.message, fix.applicability)


def _groups(chosen: plan.Plan) -> list[list[str]]:
    """The files to change, in groups: those that one fix changes stand in the same one."""
    leader: dict[str, str] = {path: path for path in chosen.edits}

    def find(path: str) -> str:
        while leader[path] != path:
            path = leader[path]
        return path

    for diagnostic in chosen.chosen:
        first, *others = sorted(_paths(diagnostic))
        for other in others:
            low, high = sorted((find(first), find(other)))
            leader[high] = low
    groups: dict[str, list[str]] = {}
    for path in sorted(leader):
        groups.setdefault(find(path), []).append(path)
    return list(groups.values())


def _write(
    result: Result, group: Sequence[str], chosen: plan.Plan, workplace: Workplace, settings: Settings
) -> dict[str, str] | None:
    """Write the files of one group; where one cannot be, none is: then why, for each of them."""
    after: dict[str, bytes] = {}
    done: list[str] = []
    path = group[0]
    try:
        for path in group:
            after[path] = _changed(result, path, chosen, settings)
        for path in group:
            workplace.write(result, path, result.texts[path].data, after[path])
            done.append(path)
    except (RewriteError, ValueError) as error:
        why = dict.fromkeys(group, f"not fixed, since {path} was not") | {path: str(error)}
        for other in reversed(done):
            try:
                workplace.write(result, other, after[other], result.texts[other].data)
            except RewriteError as again:
                why[other] = f"changed, and could not be changed back ({again})"
        return why
    return None


def _changed(result: Result, path: str, chosen: plan.Plan, settings: Settings) -> bytes:
    """The new bytes of a file.  Raises ValueError where they could not be trusted."""
    text = result.texts[path]
    data = plan.changed(text, chosen.edits[path])
    parsed = next((file for file in result.parsed if file.path == path), None)
    if parsed is None:  # a build file or a configuration
        return data
    if parsed.size != len(text.data):
        raise ValueError("changed since it was read")
    if parsed.language in _PARSED and not _is_sound(result, path, data, parsed, settings):
        raise ValueError("not fixed: the outcome would not parse any more")
    return data


def _is_sound(result: Result, path: str, data: bytes, parsed: Parsed, settings: Settings) -> bool:
    """Whether the front end understands the new bytes at least as well as those it has read."""
    facts = lower(Unit(path, data, parsed.language), settings)
    if not isinstance(facts, FileFacts) or facts.error_bytes > parsed.error_bytes:
        return False
    return not facts.problem or any(problem.path == path for problem in result.problems)
