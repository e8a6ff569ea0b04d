"""Asking the rules, in this process or shared with a copy of it.

The linked project cannot be sent anywhere: it is a web of objects.  A copy of this process that is made when
it is linked has it, though, and then asks some of the rules while this process asks the others.  What is
found does not depend on that: a rule is asked in one process, and its answers do not depend on who asked
before.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lwslint.diagnostics import Diagnostic
from lwslint.problem import Problem, crash
from lwslint.rule import LoadedRule

if TYPE_CHECKING:
    from lwslint.model.project import Project

# Bytes of source.  Below, a second process costs more than it saves; above, two copies of what the rules
# find out may be more than the memory holds.
WORTH_IT = 500_000
TOO_MUCH = 60_000_000


class Answers(NamedTuple):
    """What one rule found, up to where it broke, and why it did (None: it did not)."""

    found: list[Diagnostic]
    problem: Problem | None


def processes_for(size: int, available: int) -> int:
    """In how many processes rules are asked about so many bytes of source, where ``available`` may work."""
    # A fork of a process with threads could wait for ever for what one of them holds.
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    return 2 if can_fork and available > 1 and WORTH_IT <= size <= TOO_MUCH else 1


def ask(project: Project, rules: Sequence[LoadedRule], processes: int) -> list[Answers]:
    """The answers of the rules, in their order."""
    if processes > 1 and len(rules) > 1:
        try:
            return _shared(project, rules)
        except OSError:  # no process or no pipe is to be had
            pass
    return [_ask(rule, project) for rule in rules]


def _ask(rule: LoadedRule, project: Project) -> Answers:
    found: list[Diagnostic] = []
    try:
        for diagnostic in rule.check(project):
            found.append(diagnostic)
    except Exception as error:
        return Answers(found, crash(f"rule {rule.rule.code} {rule.rule.name}", error))
    return Answers(found, None)


# ------------------------------------------------------------------------------------- two processes

_Numbered = dict[int, Answers]


def _shared(project: Project, rules: Sequence[LoadedRule]) -> list[Answers]:
    # What nearly every rule needs, so that it is found out once.
    _ = project.flow
    project.calls_to("")
    groups = _families(rules)
    with _Pipe() as waiting, _Pipe() as told:
        os.write(waiting.give, bytes(range(len(groups))))
        waiting.seal()
        child = os.fork()
        if child == 0:
            _help(project, rules, groups, waiting.take, told.give)
        told.seal()
        answers = _work(project, rules, groups, waiting.take)
        answers |= _decoded(told.rest())
    with contextlib.suppress(ChildProcessError):  # where the system reaps children by itself
        os.waitpid(child, 0)
    # What the other process took and did not answer, because it died, is asked here.
    return [answers.get(number) or _ask(rule, project) for number, rule in enumerate(rules)]


class _Pipe:
    """A pipe whose ends are closed, whatever happens."""

    def __init__(self) -> None:
        self.take, self.give = os.pipe()
        self._sealed = False

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.take)
        self.seal()

    def seal(self) -> None:
        """Close the end that is written to in this process."""
        if not self._sealed:
            self._sealed = True
            os.close(self.give)

    def rest(self) -> bytes:
        """All that comes until every process has closed its other end."""
        with open(self.take, "rb", closefd=False) as file:
            return file.read()


def _families(rules: Sequence[LoadedRule]) -> list[list[int]]:
    """The numbers of the rules of each family.  One process asks the whole of it: what the project finds out
    for one of them serves the others."""
    families: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        families.setdefault(rule.rule.family, []).append(number)
    # As many as one byte tells apart.
    groups = list(families.values())
    return [*groups[:255], [number for group in groups[255:] for number in group]]


def _work(
    project: Project, rules: Sequence[LoadedRule], groups: Sequence[Sequence[int]], waiting: int
) -> _Numbered:
    """The answers of the families that this process gets hold of, one after the other."""
    answers: _Numbered = {}
    while taken := os.read(waiting, 1):
        for number in groups[taken[0]]:
            answers[number] = _ask(rules[number], project)
    return answers


def _help(
    project: Project,
    rules: Sequence[LoadedRule],
    groups: Sequence[Sequence[int]],
    waiting: int,
    tell: int,
) -> None:
    """What the copied process does; it ends here."""
    try:
        encoded = msgspec.msgpack.encode(_work(project, rules, groups, waiting))
        with open(tell, "wb") as pipe:
            pipe.write(encoded)
    except BaseException:
        # The process that waits asks again, and tells what is wrong.
        os._exit(1)
    os._exit(0)


def _decoded(data: bytes) -> _Numbered:
    try:
        return msgspec.msgpack.decode(data, type=_Numbered)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
