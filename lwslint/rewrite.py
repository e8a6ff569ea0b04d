"""Changing the user's source files: whole or not at all, and only what was looked at.

A file is replaced only when it is a regular file below a folder that the user named, reached without a
symbolic link below that folder, and still has the bytes that the change was made from.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence

from lwslint import source
from lwslint.source import ReadError


class RewriteError(Exception):
    """A file was not changed; the text says why, without the path."""


def replace(path: str, roots: Sequence[str], before: bytes, after: bytes) -> None:
    """Give the file at the absolute ``path`` the bytes ``after`` if it still has ``before``.

    ``roots`` are the folders and files that the user named, as absolute paths.  The new bytes go to a
    file beside the old one, with its permissions, which then takes its name.  Raises
    :class:`RewriteError` and leaves the old file as it was.
    """
    try:
        status = check(path, roots)
        if source.read(path, len(before), expected=source.identity(status)) != before:
            raise RewriteError("changed since it was read")
    except (OSError, ReadError) as error:
        raise RewriteError(f"changed since it was read ({_text(error)})") from error
    new = os.path.join(os.path.dirname(path), f".lwslint-{secrets.token_hex(8)}.tmp")
    try:
        with open(new, "xb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(new, stat.S_IMODE(status.st_mode))
        os.replace(new, path)
    except OSError as error:
        raise RewriteError(f"cannot be written: {_text(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new)


def check(path: str, roots: Sequence[str]) -> os.stat_result:
    """The status of the file at ``path`` if it may be changed; else raises :class:`RewriteError`."""
    _check_place(path, roots)
    try:
        status = os.lstat(path)
    except OSError as error:
        raise RewriteError(f"changed since it was read ({_text(error)})") from error
    if not stat.S_ISREG(status.st_mode):
        raise RewriteError("not a regular file")
    if not os.access(path, os.W_OK):
        raise RewriteError("not writable")
    return status


def _check_place(path: str, roots: Sequence[str]) -> None:
    for root in roots:
        if path == root:
            if os.path.islink(path):
                raise RewriteError("is a symbolic link")
            return
        if path.startswith(root.rstrip(os.sep) + os.sep):
            below = os.path.relpath(path, root)
            if os.path.realpath(path) == os.path.join(os.path.realpath(root), below):
                return
            raise RewriteError("reached through a symbolic link")
    raise RewriteError("outside the given paths")


def _text(error: OSError | ReadError) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).lower()
