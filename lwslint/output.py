"""Where reports go: ``--output-format FORMAT[:FILE]``, and files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from lwslint.reporters import FORMATS
from lwslint.streams import OutputError

STDOUT = "-"


class Output(NamedTuple):
    """A report that was asked for; ``file`` is a path or :data:`STDOUT`."""

    format: str
    file: str


def parse(values: Sequence[str]) -> tuple[Output, ...]:
    """The outputs of a command line.  At most one goes to standard output, and no two to one file."""
    outputs = tuple(map(_parse, values))
    seen: dict[str, Output] = {}
    for output in outputs:
        same = output.file if output.file == STDOUT else os.path.realpath(output.file)
        if same in seen:
            target = "standard output" if same == STDOUT else output.file
            formats = f"{seen[same].format} and {output.format}"
            raise OutputError(f"{formats} both go to {target}; write FORMAT:FILE to give each a file")
        seen[same] = output
    for output in outputs:
        if output.file != STDOUT:
            check(output.file)
    return outputs


def _parse(value: str) -> Output:
    name, colon, file = value.partition(":")
    if name not in FORMATS:
        near = difflib.get_close_matches(name, FORMATS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FORMATS)}"
        raise OutputError(f"no format is called {name!r}; {hint}")
    if colon and not file:
        raise OutputError(f"{value} names no file")
    return Output(name, file or STDOUT)


def check(file: str) -> None:
    """Raises :class:`OutputError` unless a report may be written to ``file``.

    The linted tree is not trusted, and is often the current folder: what looks like a file of it
    must not turn out, through a symbolic link, to be a place that the user did not name.
    """
    folder = os.path.dirname(file) or "."
    if not os.path.isdir(folder):
        raise OutputError(f"{file}: there is no folder {folder}")
    named = os.path.isabs(file) or ".." in file.replace(os.sep, "/").split("/")
    root = os.path.realpath(".")
    if not named and os.path.commonpath((root, os.path.realpath(folder))) != root:
        raise OutputError(f"{file}: a symbolic link leads out of the current folder; give the path it means")
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(file).st_mode
        if stat.S_ISLNK(mode):
            raise OutputError(f"{file}: is a symbolic link; give the path it means")
        if not stat.S_ISREG(mode):
            raise OutputError(f"{file}: is not a regular file")


def write(file: str, lines: Iterable[str]) -> None:
    """Write a report as UTF-8, complete or not at all; raises :class:`OutputError`.

    The lines go to a new file beside ``file``, which then takes its name: a reader never sees half
    a report, and a link that has appeared under the name meanwhile is replaced, not followed.
    """
    with _replacing(file) as stream:
        stream.writelines(f"{line}\n".encode("utf-8", "backslashreplace") for line in lines)


def write_bytes(file: str, data: bytes) -> None:
    """As :func:`write`, for what is no text."""
    with _replacing(file) as stream:
        stream.write(data)


@contextlib.contextmanager
def _replacing(file: str) -> Iterator[BinaryIO]:
    check(file)
    import secrets  # late, as it brings much along

    new = f"{file}.{secrets.token_hex(8)}.tmp"
    try:
        with open(new, "xb") as stream:
            yield stream
        os.replace(new, file)
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new)
