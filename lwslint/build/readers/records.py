"""What the readers share: limits, a snippet of a file, and the records in the making."""

from __future__ import annotations

import bisect
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from lwslint.build.facts import BuildFile, Define, Requirement, Setting, Target, When
from lwslint.build.readers.limits import MAX_RECORDS, Budget, TooMuch, excess
from lwslint.facts import Place, Span

_BOM = b"\xef\xbb\xbf"


class Snippet(NamedTuple):
    """A text in a language of its own inside a file: a recipe, a ``run:`` block, a variable's value.

    ``origins[i]`` is the offset in the file of the byte ``text[i]``; there is one more, for the end.
    """

    text: bytes
    origins: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        """The file's span of ``text[start:end]``; its first byte's where the text is pasted together."""
        first = self.origins[start]
        last = self.origins[end - 1] + 1 if end > start else first
        return Span(first, last if last > first else first + (end > start))

    def part(self, start: int, end: int) -> Snippet:
        return Snippet(self.text[start:end], self.origins[start : end + 1])


def whole(data: bytes) -> Snippet:
    """A file as a snippet of itself."""
    return Snippet(data, range(len(data) + 1))


class Records:
    """The records found so far in one file.  ``path`` is relative to the linted root.

    Every record gets the conditions that are open when it is added, the outermost first.
    """

    def __init__(self, path: str, kind: str, data: bytes) -> None:
        self.path = path
        self.kind = kind
        self.data = data
        self.conditions: list[When] = []
        self.configuration = ""
        self.settings: list[Setting] = []
        self.defines: list[Define] = []
        self.targets: list[Target] = []
        self.requirements: list[Requirement] = []
        self.includes: list[str] = []
        self.problem = ""
        # The source that an object file is made from, "" when nothing says it; make's reader knows.
        self.source_of: Callable[[str], str] = lambda name: ""
        self.budget = Budget()
        self._count = 0
        self._variant = ""
        self._line_ends = [match.start() for match in re.finditer(rb"\n", data)]

    # ------------------------------------------------------------------ places

    def place(self, span: Span) -> Place:
        return Place(self.path, span)

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 1."""
        return bisect.bisect_left(self._line_ends, offset) + 1

    def here(self, name: str) -> str:
        """A file named in this one, relative to the linted root; "" for one outside of it."""
        return beside(self.path, name)

    # ------------------------------------------------------------------ records

    def setting(self, key: str, value: str, span: Span, scope: str) -> None:
        self._room()
        self.settings.append(
            Setting(key, value, self.place(span), scope, tuple(self.conditions), self.configuration)
        )

    def define(self, name: str, value: str | None, span: Span, target: str = "") -> None:
        self._room()
        self.defines.append(
            Define(name, value, self.place(span), target, tuple(self.conditions), self.configuration)
        )

    def target(
        self, name: str, kind: str, sources: Sequence[str], span: Span, links: Sequence[str] = ()
    ) -> None:
        self._room(len(sources) + len(links))
        self.targets.append(
            Target(
                name,
                kind,
                tuple(dict.fromkeys(sources)),
                self.place(span),
                tuple(dict.fromkeys(links)),
                tuple(self.conditions),
            )
        )

    def requirement(self, version: str, how: str, span: Span, *, exact: bool = True) -> None:
        self._room()
        self.requirements.append(Requirement(version, how, self.place(span), exact, tuple(self.conditions)))

    def include(self, name: str) -> None:
        """A file that this one reads, as it names it."""
        path = self.here(name)
        if path and path not in self.includes:
            self._room()
            self.includes.append(path)

    @contextmanager
    def under(self, *conditions: When) -> Iterator[None]:
        """Records made inside hold only under ``conditions`` as well."""
        self.conditions.extend(conditions)
        try:
            yield
        finally:
            if conditions:
                del self.conditions[-len(conditions) :]

    @contextmanager
    def configured(self, name: str) -> Iterator[None]:
        """Records made inside belong to the configuration ``name`` (of the variant that is open)."""
        before = self.configuration
        self.configuration = f"{name} with {self._variant}" if self._variant else name
        try:
            yield
        finally:
            self.configuration = before

    @contextmanager
    def variant(self, words: str) -> Iterator[None]:
        """Configurations made inside are one of several of the same text, told apart by ``words``."""
        before, self._variant = self._variant, words
        try:
            yield
        finally:
            self._variant = before

    def read(self, fill: Callable[[Records], None]) -> BuildFile:
        """What ``fill`` adds to the records of the file; where there is too much of something it ends
        there, and the problem says so."""
        self.problem = excess(self.data)
        if not self.problem:
            try:
                fill(self)
            except TooMuch as error:
                self.problem = str(error)
        return self._done()

    def _done(self) -> BuildFile:
        return BuildFile(
            self.path,
            self.kind,
            tuple(dict.fromkeys(self.settings)),
            tuple(dict.fromkeys(self.defines)),
            tuple(dict.fromkeys(self.targets)),
            tuple(dict.fromkeys(self.requirements)),
            tuple(self.includes),
            self.problem,
        )

    def _room(self, count: int = 1) -> None:
        self._count += count
        if self._count > MAX_RECORDS:
            raise TooMuch(f"more than {MAX_RECORDS} settings, macros and targets; the rest was not read")


def text_start(data: bytes) -> int:
    """Where the text begins: behind a byte order mark."""
    return len(_BOM) if data.startswith(_BOM) else 0


def decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def beside(path: str, name: str) -> str:
    """``name`` as the file ``path`` means it, relative to the linted root; "" when that is outside of it."""
    if not name or name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        return ""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    return "" if joined in (".", "..") or joined.startswith("../") else joined
