"""Which of many things of one name lies nearest to a file.

In a tree of hundreds of programs each has its ``main``, its ``callback``, its ``struct session``.  To compare
every use of such a name with every definition would cost the square of the tree's size; an index by
folder answers from the definitions around the use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")

FEW = 12
"""Of so few things each is looked at, which costs less than an index."""


@lru_cache(maxsize=100_000)
def nearness(a: str, b: str) -> int:
    """How many leading folders two paths share (a whole shared path counts one more)."""
    left, right = a.split("/"), b.split("/")
    shared = 0
    for x, y in zip(left[:-1], right[:-1], strict=False):
        if x != y:
            break
        shared += 1
    depth = len(left) + len(right) - 2
    # Sharing all folders beats sharing as many with further ones below.
    return shared * 1000 - depth + (1_000_000 if a == b else 0)


class Nearby(Generic[T]):
    """Things with the paths of their files, in a fixed order, which every answer keeps."""

    def __init__(self, things: Iterable[tuple[str, T]]) -> None:
        self._in_file: dict[str, list[T]] = defaultdict(list)
        self._below: dict[str, list[T]] = defaultdict(list)
        for path, thing in things:
            self._in_file[path].append(thing)
            folder = path
            while folder:
                folder = folder.rpartition("/")[0]
                self._below[folder].append(thing)

    def __bool__(self) -> bool:
        return bool(self._in_file)

    def in_file(self, path: str) -> list[T]:
        """The things in the file itself."""
        return self._in_file.get(path, [])

    def around(self, path: str) -> list[T]:
        """The things among which all the nearest to ``path`` are (by :func:`nearness`): those in the file,
        or else those that share the most folders with it."""
        found = self._in_file.get(path)
        folder = path
        while not found and folder:
            folder = folder.rpartition("/")[0]
            found = self._below.get(folder)
        return found or []
