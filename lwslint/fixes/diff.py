"""What fixes change, as a unified diff that ``patch -p0`` and people read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from lwslint.reporters import logs
from lwslint.source import clean, encoding_of

_NO_END = "\\ No newline at end of file"
# What a CI system would obey when it is printed (see lwslint.reporters.logs); a qualified name of C++
# (`::close(fd)`) is no command, and must stay as it is for the diff to be one.
_COMMAND = re.compile(
    r"\s*::(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher|save-state"
    r"|set-env|set-output|stop-commands|warning|internal-[\w-]+)\b.*::|.*##\w{0,40}\["
)


def unified(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """The lines of the diff of one file, without line ends.

    Control characters (tabs and the CR of a line end aside), and text that a CI system would take for a
    command, are escaped.
    """
    encoding = encoding_of(before)
    name = clean(path)
    for line in difflib.unified_diff(
        _lines(before, encoding), _lines(after, encoding), name, name, lineterm="\n"
    ):
        body, end = (line[:-1], True) if line.endswith("\n") else (line, False)
        yield _inert("\t".join(map(_clean_part, body.split("\t"))))
        if not end:
            yield _NO_END


def _lines(data: bytes, encoding: str) -> list[str]:
    """Lines with their line feeds; bytes that are no text are told apart all the same."""
    pieces = [piece.decode(encoding, "backslashreplace") for piece in data.split(b"\n")]
    return [f"{piece}\n" for piece in pieces[:-1]] + [piece for piece in pieces[-1:] if piece]


def _clean_part(text: str) -> str:
    return clean(text[:-1]) + "\r" if text.endswith("\r") else clean(text)


def _inert(line: str) -> str:
    return logs.inert(line) if _COMMAND.match(line) else line
