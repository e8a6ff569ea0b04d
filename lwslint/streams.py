"""Standard output and standard error, as every command uses them.

A run can be taped, so that an equal one later can say the same again (:mod:`lwslint.replay`).
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class OutputError(Exception):
    """An output that cannot be had; the text says which and why."""


class Tape:
    """What a run has said: ``pieces`` are texts, each with whether it went to standard error.

    ``complete`` turns false when something could not be said, or was an error.
    """

    def __init__(self) -> None:
        self.pieces: list[tuple[bool, str]] = []
        self.utf8 = False
        self.complete = True


_tape: Tape | None = None


@contextmanager
def taping(tape: Tape | None) -> Iterator[None]:
    """Within this block, what is said is kept on ``tape`` too."""
    global _tape
    before, _tape = _tape, tape
    try:
        yield
    finally:
        _tape = before


def make_printable() -> None:
    """A terminal that cannot show a character gets its escape, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def use_utf8() -> None:
    """From here on standard output is UTF-8, whatever the terminal's encoding is."""
    if _tape is not None:
        _tape.utf8 = True
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def print_lines(lines: Iterable[str]) -> None:
    """Print a report; raises :class:`OutputError`."""
    try:
        for line in lines:
            text = line + "\n"
            if _tape is not None:
                _tape.pieces.append((False, text))
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the report has seen enough.  What is left in the buffer must not be flushed
        # into the closed pipe when the interpreter ends.
        _drop_output()
    except OSError as error:
        _drop_output()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def _drop_output() -> None:
    if _tape is not None:
        _tape.complete = False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """Tell of an error."""
    if _tape is not None:
        _tape.complete = False
    _tell(f"error: {message}")


def say(message: str) -> None:
    _tell(message)


def _tell(message: str) -> None:
    from lwslint.reporters import logs
    from lwslint.source import clean

    text = f"lwslint: {logs.inert(clean(message))}\n"
    if _tape is not None:
        _tape.pieces.append((True, text))
    sys.stderr.write(text)
