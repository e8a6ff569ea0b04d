"""Where fixed files go: to the disk (``--fix``), or to copies that nobody else sees (``--diff``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from lwslint import rewrite
from lwslint.engine import Result
from lwslint.rewrite import RewriteError


class Disk:
    """The user's own files, below ``roots`` (absolute paths) only."""

    def __init__(self, roots: Sequence[str], lint: Callable[[], Result]) -> None:
        self._roots = roots
        self._lint = lint

    def write(self, result: Result, path: str, before: bytes, after: bytes) -> None:
        rewrite.replace(result.texts.real(path), self._roots, before, after)

    def lint(self) -> Result:
        return self._lint()


class Copies:
    """Copies of the files that change, in ``folder``, which stand for them when they are linted."""

    def __init__(
        self, roots: Sequence[str], folder: str, lint: Callable[[Mapping[str, str]], Result]
    ) -> None:
        self._roots = roots
        self._folder = folder
        self._lint = lint
        self._copies: dict[str, str] = {}

    def write(self, result: Result, path: str, before: bytes, after: bytes) -> None:
        real = result.texts.real(path)
        rewrite.check(real, self._roots)
        # Its name tells other tools, too, what kind of file it is.
        name = f"{len(self._copies)}-{os.path.basename(real)}"
        copy = self._copies.setdefault(real, os.path.join(self._folder, name))
        try:
            with open(copy, "wb") as file:
                file.write(after)
        except OSError as error:
            raise RewriteError(f"no copy can be made: {(error.strerror or str(error)).lower()}") from error

    def lint(self) -> Result:
        return self._lint(self._copies)

    def data(self, real: str) -> bytes:
        """The bytes of the copy of the file with the real path ``real``."""
        with open(self._copies[real], "rb") as file:
            return file.read()
