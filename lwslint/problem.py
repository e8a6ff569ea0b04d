"""What kept a file or a rule from being analysed: told to the user, and exit code 2."""

from __future__ import annotations

import os
import traceback

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """``path`` is empty when no single file is to blame."""

    path: str
    message: str


def crash(where: str, error: Exception, path: str = "") -> Problem:
    """An exception that escaped from ``where``: an error of lwslint itself, with where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return Problem(path, f"internal error in {where}: {type(error).__name__}: {error}{at}")
