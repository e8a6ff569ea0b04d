"""A progress bar on a terminal, for runs that take longer than a moment."""

from __future__ import annotations

import time
from typing import TextIO

_PATIENCE = 1.0  # seconds before anything is shown
_INTERVAL = 0.1  # seconds between two drawings
_CELLS = 30


class Bar:
    """Draws on ``stream`` while called with the files done and the files in all.

    Draws nothing when the stream is no terminal, and leaves nothing behind after :meth:`close`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._wanted = stream.isatty()
        self._next = time.monotonic() + _PATIENCE
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        if not self._wanted or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _INTERVAL
        self._drawn = True
        self._stream.write("\r" + line(done, total))
        self._stream.flush()

    def close(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False


def line(done: int, total: int) -> str:
    """The bar as text."""
    filled = _CELLS * done // max(total, 1)
    return f"[{'#' * filled}{'.' * (_CELLS - filled)}] {done}/{total} files"
