"""Reading source files without trusting them, and turning byte spans into what a person sees.

Bytes are the truth: front ends parse them and facts hold byte offsets.  Decoding happens here only,
for lines, columns and excerpts.
"""

from __future__ import annotations

import bisect
import codecs
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from lwslint import witness
from lwslint.facts import Span

TAB = 4  # columns between tab stops in an excerpt
_CHUNK = 1 << 20
_BOM = codecs.BOM_UTF8


class ReadError(Exception):
    """A file could not be read; the text says why, without the path."""


class TooLarge(ReadError):
    """A file has more bytes than the limit allows."""


Identity = tuple[int, int]
"""What makes two paths the same file: the device and the inode."""


class Position(NamedTuple):
    """A place for people: both counted from 1, ``column`` in characters (a tab is one)."""

    line: int
    column: int


class Excerpt(NamedTuple):
    """One line ready to print, with the caret's first display column (from 0) and width."""

    line: int
    text: str
    caret: int
    width: int


# ------------------------------------------------------------------------------------- reading


def identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):  # not every system has all
    _FLAGS |= getattr(os, _name, 0)


def open_regular(path: str | os.PathLike[str], *, expected: Identity | None = None) -> int:
    """A descriptor of the regular file at ``path``, or :class:`ReadError`.

    A FIFO or a device would block or never end, so the type is looked at before and after opening
    (the file can be swapped in between) and the open itself does not wait.  With ``expected``, the
    look before was discovery's, and a file other than the one it found is refused.
    """
    return _opened(path, expected)[0]


def _opened(path: str | os.PathLike[str], expected: Identity | None) -> tuple[int, int]:
    """As :func:`open_regular`; with the size that the system reports."""
    if (data := _mounted_at(path)) is not None:
        return _unnamed(data), len(data)
    try:
        if expected is None and not stat.S_ISREG(os.stat(path).st_mode):
            witness.look(os.path.abspath(path))
            raise ReadError("not a regular file")
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        witness.look(os.path.abspath(path))
        raise ReadError(_reason(error)) from error
    status = os.fstat(handle)
    if (seen := witness.current()) is not None:
        seen.saw(os.path.abspath(path), status)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise ReadError("not a regular file")
    if expected is not None and identity(status) != expected:
        os.close(handle)
        raise ReadError("changed while the tree was being read")
    return handle, status.st_size


def read(path: str | os.PathLike[str], limit: int, *, expected: Identity | None = None) -> bytes:
    """All bytes of a regular file of at most ``limit`` bytes.

    Raises :class:`TooLarge` or :class:`ReadError`.  The size is checked on what is really read: a
    file that grows, or whose reported size is a lie (``/proc``), cannot exceed the limit either.
    """
    handle, size = _opened(path, expected)
    try:
        data = _up_to(handle, limit + 1, size)
    except OSError as error:
        raise ReadError(_reason(error)) from error
    finally:
        os.close(handle)
    if len(data) > limit:
        raise TooLarge(f"larger than {limit} bytes")
    witness.read(path, data)
    return data


def _up_to(handle: int, limit: int, size: int) -> bytes:
    """The bytes of an open file that should have ``size``, at most ``limit``.

    Without a file object, and asking for one byte more than there should be: where that is not to be had,
    the file ends, and one call was enough.
    """
    first = os.read(handle, min(limit, size + 1))
    if not first or len(first) in (size, limit):
        return first
    pieces = [first]
    room = limit - len(first)
    while room > 0 and (piece := os.read(handle, min(room, _CHUNK))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def peek(path: str | os.PathLike[str], size: int, *, expected: Identity | None = None) -> bytes:
    """The first bytes of a regular file, at most ``size``.  Raises :class:`ReadError`."""
    handle = open_regular(path, expected=expected)
    try:
        with open(handle, "rb", buffering=0) as file:
            return file.read(size)
    except OSError as error:
        raise ReadError(_reason(error)) from error


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).lower()


# ------------------------------------------------------------------------------------- without a disk


class Mounted(Protocol):
    """Files that are read from elsewhere, by the path at which they appear."""

    def __contains__(self, path: object, /) -> bool: ...

    def __getitem__(self, path: str, /) -> bytes:
        """The bytes of a file; raises :class:`ReadError`."""


_mounted: Mounted | None = None


@contextmanager
def mounted(files: Mounted) -> Iterator[None]:
    """Within this block, ``files`` hide whatever the disk has at their paths."""
    global _mounted
    before, _mounted = _mounted, files
    try:
        yield
    finally:
        _mounted = before


def is_mounted() -> bool:
    """Whether any file may be read from elsewhere."""
    return _mounted is not None


def _mounted_at(path: str | os.PathLike[str]) -> bytes | None:
    name = os.fspath(path)
    return _mounted[name] if _mounted is not None and name in _mounted else None


def _unnamed(data: bytes) -> int:
    """A descriptor of a file of these bytes, which is nobody else's and goes when it is closed."""
    import tempfile  # late, as it brings much along

    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return os.dup(file.fileno())


@contextmanager
def on_disk(paths: Iterable[str]) -> Iterator[dict[str, str]]:
    """Where other programs find the files at ``paths``: those that are only mounted are written out."""
    places = {path: path for path in paths}
    absent = [path for path in places if _mounted is not None and path in _mounted]
    if not absent:
        yield places
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lwslint-") as folder:
        for number, path in enumerate(absent):
            places[path] = os.path.join(folder, str(number), os.path.basename(path))
            os.mkdir(os.path.dirname(places[path]))
            with open(places[path], "wb") as file:
                file.write(_mounted_at(path) or b"")
        yield places


# ------------------------------------------------------------------------------------- decoding


def encoding_of(data: bytes) -> str:
    """The encoding to show ``data`` in: ``utf-8``, ``gbk`` or ``latin-1``.

    UTF-8 stays the answer when a few bytes are broken: most of the text then still has the right
    columns.  GBK needs most of its pairs in the two-high-bytes plane where Chinese text lives,
    since nearly any single accented letter of Latin-1 followed by an ASCII one decodes as GBK too.
    """
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    lenient = data.decode("utf-8", "replace")
    broken = lenient.count("�")
    wide = len(re.findall("[^\x00-\x7f]", lenient)) - broken
    if wide > 4 * broken:
        return "utf-8"
    try:
        data.decode("gbk")
    except UnicodeDecodeError:
        return "latin-1"
    pairs = len(re.findall(rb"[\x81-\xfe][\x40-\xfe]", data))
    chinese = len(re.findall(rb"[\xa1-\xfe][\xa1-\xfe]", data))
    return "gbk" if 2 * chinese >= pairs else "latin-1"


class SourceText:
    """A file's bytes with their lines.  Any offset and any line number is accepted and clamped.

    LF and CRLF end a line; CR alone does so only in a file that has no LF at all, as editors and
    ``git blame`` count.  A form feed is white space inside a line.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = encoding_of(data)
        end = b"\n" if b"\n" in data else b"\r"
        self._starts = [0, *(match.end() for match in re.finditer(end, data))]
        if len(self._starts) > 1 and self._starts[-1] == len(data):
            self._starts.pop()
        self._last = (0, "")  # the line asked for last, often asked for again

    @property
    def lines(self) -> int:
        return len(self._starts)

    def position(self, offset: int) -> Position:
        """The line and column of a byte offset; inside a multi-byte character, that character's."""
        offset = min(max(offset, 0), len(self.data))
        line = bisect.bisect_right(self._starts, offset)
        prefix = self.data[self._text_start(line) : offset]
        # Nearly always so, and a line of a megabyte may hold thousands of findings.
        characters = len(prefix) if prefix.isascii() else len(self._decode(prefix, final=False))
        return Position(line, characters + 1)

    def line(self, number: int) -> str:
        """The text of a line, without its line end; empty outside the file."""
        if not 1 <= number <= self.lines:
            return ""
        if number == self._last[0]:
            return self._last[1]
        end = self._starts[number] if number < self.lines else len(self.data)
        text = self._decode(self.data[self._text_start(number) : end], final=True).rstrip("\r\n")
        self._last = (number, text)
        return text

    def line_span(self, number: int) -> Span:
        """The bytes of a line with its line end, without a byte order mark; empty outside the file."""
        if not 1 <= number <= self.lines:
            return Span(len(self.data), len(self.data))
        end = self._starts[number] if number < self.lines else len(self.data)
        return Span(self._text_start(number), end)

    def excerpt(self, span: Span, *, columns: int = 160) -> Excerpt:
        """The first line of ``span`` with the carets that mark it, at most ``columns`` wide."""
        start, end = self.position(span.start), self.position(max(span.start, span.end))
        text = self.line(start.line)
        stop = end.column - 1 if end.line == start.line else len(text)
        shown, caret, width = layout(text, start.column - 1, stop, columns)
        return Excerpt(start.line, shown, caret, width)

    def _text_start(self, line: int) -> int:
        bom = line == 1 and self.data.startswith(_BOM)
        return len(_BOM) if bom else self._starts[line - 1]

    def _decode(self, data: bytes, *, final: bool) -> str:
        return codecs.getincrementaldecoder(self.encoding)("replace").decode(data, final)


class Texts:
    """The texts of the linted files by their reported path, read when first asked for.

    Facts keep only offsets, so a report reads the few files it shows again.  A file that has gone
    or cannot be read any more is shown as empty.  ``copies`` are the files to read in the place of others,
    by the real path of these.
    """

    def __init__(self, files: Mapping[str, str], limit: int, copies: Mapping[str, str] = {}) -> None:
        self._files = files
        self._copies = copies
        self.limit = limit
        self._read: dict[str, SourceText] = {}

    def __getitem__(self, path: str) -> SourceText:
        if path not in self._read:
            self._read[path] = SourceText(self.data(path))
        return self._read[path]

    def real(self, path: str) -> str:
        """Where the system finds the file that reports call ``path``; empty for an unknown one."""
        return self._files.get(path, "")

    def data(self, path: str) -> bytes:
        """The bytes of one file, for a look that may not need its lines; they are not kept."""
        if path in self._read:
            return self._read[path].data
        real = self.real(path)
        try:
            return read(self._copies.get(real, real), self.limit) if real else b""
        except ReadError:
            return b""


# ------------------------------------------------------------------------------------- printing

_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# Control, format (bidi controls and zero-width characters are among them), surrogates, and the two
# separators that some terminals and most web pages break lines at.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    """``text`` with everything that could move, hide or fake output replaced by a visible escape."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def clean_lines(text: str) -> str:
    """As :func:`clean`, for a text of several lines: line feeds stay."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width_of(text: str) -> int:
    """Terminal columns of a cleaned text: East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def layout(line: str, start: int, stop: int, columns: int) -> tuple[str, int, int]:
    """A line as it is printed, and the column and width of the carets under ``line[start:stop]``.

    Tabs are expanded, hidden characters escaped, and a line wider than ``columns`` is cut around
    the marked part, which always keeps at least one caret.
    """
    start = min(max(start, 0), len(line))
    stop = min(max(stop, start), len(line))
    first = _window(line, start, columns * 3 // 4)
    pieces: list[str] = ["…"] if first else []
    used = len(pieces)
    caret, end = used, used
    for index in range(first, len(line)):
        if index == start:
            caret = used
        if index == stop:
            end = used
        character = line[index]
        piece = " " * (TAB - used % TAB) if character == "\t" else clean(character)
        wide = width_of(piece)
        if used + wide > columns - 1 and index < len(line) - 1:
            pieces.append("…")
            used += 1
            end = end if index > stop else used
            caret = caret if index > start else used - 1
            break
        pieces.append(piece)
        used += wide
    else:
        caret = used if start == len(line) else caret
        end = used if stop == len(line) else end
    return "".join(pieces).rstrip(), caret, max(1, end - caret)


def _window(line: str, start: int, room: int) -> int:
    """The first character to show so that ``start`` stands within ``room`` columns."""
    first = start
    while first > 0:
        room -= TAB if line[first - 1] == "\t" else width_of(clean(line[first - 1]))
        if room < 0:
            break
        first -= 1
    return first
