"""Which source files are worth parsing, told from their bytes alone.

Most files of a large tree have nothing to do with libwebsockets, and reading them to find that out is most
of what a run does there.  So other processes read them, while the walk is still finding more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lwslint import source, witness
from lwslint.discovery import NO_LWS, Found, is_python
from lwslint.memory import Memory
from lwslint.source import Identity, ReadError
from lwslint.workers import Pool

if TYPE_CHECKING:
    from lwslint.demand import Search

MANY = 3_000
"""Below so many files that nothing is known of, processes cost more than they save."""
_BATCH = 1_000


def mentions_lws(data: bytes) -> bool:
    """Whether the bytes can be of a file that uses libwebsockets, directly or by a macro."""
    folded = data.lower()
    # From the end: Python takes half the time for a short word then.
    return folded.rfind(b"lws") >= 0 or b"libwebsocket" in folded


def reason_against(path: str, data: bytes) -> str:
    """Why a file of these bytes is not lowered for its own sake; empty when it is."""
    if is_python(path):
        from lwslint import gather_python

        return gather_python.reason_against(data)
    return "" if mentions_lws(data) else NO_LWS


class Scout:
    """Finds out what speaks against the files of a walk, in the processes of ``pool`` while it goes on."""

    def __init__(self, memory: Memory, pool: Pool) -> None:
        self._memory = memory
        self._pool = pool
        self._alone = False
        self._next: list[Found] = []
        self._begun: list[tuple[list[Found], Callable[[], list[str | None] | None]]] = []
        self._reasons: dict[str, str] | None = None

    def take(self, file: Found) -> None:
        """Begin to look at ``file``, when there are more of its kind."""
        if self._alone or self._memory.known(file) is not None or witness.needs_digest(file.real):
            return
        self._next.append(file)
        if len(self._next) >= (_BATCH if self._begun else MANY):
            self._begin()

    def reasons(self) -> dict[str, str]:
        """What speaks against files, by their real paths; of any other file, nobody has found it out."""
        if self._reasons is None:
            self._reasons = {}
            if self._begun:
                self._begin()
            for files, made in self._begun:
                found = made() or ()
                self._reasons.update((file.real, why) for file, why in zip(files, found, strict=False) if why)
        return self._reasons

    def _begin(self) -> None:
        if self._pool.size < 2 or source.is_mounted():
            self._alone = True
            self._next.clear()
            return
        work = partial(_look, limit=self._memory.limit)
        for start in range(0, len(self._next), _BATCH):
            batch = self._next[start : start + _BATCH]
            made = self._pool.begin(work, [(file.real, file.identity) for file in batch])
            self._begun.append((batch, made))
        self._next = []


def answers(files: Collection[Found], search: Search, memory: Memory, pool: Pool) -> dict[str, set[str]]:
    """What ``search`` finds in files that it was not asked about before, by their real paths, where there are
    enough of them for other processes to help."""
    if len(files) < MANY or pool.size < 2 or source.is_mounted():
        return {}
    asked = [
        (file.real, file.identity)
        for file in files
        if not (memory.recalls(file, search.questions) or witness.needs_digest(file.real))
    ]
    if not pool.pays(asked, len(asked), MANY):
        return {}
    batches = [asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH)]
    found: dict[str, set[str]] = {}
    work = partial(_answers, search=search, limit=memory.limit)
    for batch, made in zip(batches, pool.each(work, batches), strict=True):
        of_batch = zip(batch, made or (), strict=False)
        found.update((path, answer) for (path, _), answer in of_batch if answer is not None)
    return found


def _answers(files: Sequence[tuple[str, Identity]], search: Search, limit: int) -> list[set[str] | None]:
    """What the search finds in each file; None for one that could not be read."""

    def answer(path: str, identity: Identity) -> set[str] | None:
        try:
            return search.answer(source.read(path, limit, expected=identity))
        except (ReadError, MemoryError):
            return None

    with witness.testifying(None):
        return [answer(path, identity) for path, identity in files]


def _look(files: Sequence[tuple[str, Identity]], limit: int) -> list[str | None]:
    """What speaks against each file; None for one that could not be read."""
    with witness.testifying(None):
        return [_reason(path, identity, limit) for path, identity in files]


def _reason(path: str, identity: Identity, limit: int) -> str | None:
    try:
        return reason_against(path, source.read(path, limit, expected=identity))
    except (ReadError, MemoryError):
        return None
