"""How much of one build file is read before its reader gives up."""

from __future__ import annotations

MAX_BYTES = 1_000_000  # larger build files are generated, or not what their name says
MAX_RECORDS = 20_000
# Of processor time, which other programs on the machine do not change, for all the texts of one file.
# Scripts that people wrote take less than a tenth of a second.
MAX_SECONDS = 1.5


class TooMuch(Exception):
    """A file has more of something than anybody wrote by hand; the text says of what."""


class Budget:
    """The time that parsing the texts of one file may still take."""

    def __init__(self) -> None:
        self.left = MAX_SECONDS


def excess(data: bytes) -> str:
    """Why ``data`` is not read at all; "" when it is."""
    if len(data) > MAX_BYTES:
        return f"larger than {MAX_BYTES} bytes, which is more than a build file that somebody wrote has"
    if b"\0" in data:
        return "contains NUL bytes, so it is not a text file"
    return ""
