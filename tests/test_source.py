"""Reading safely, lines and columns, and text that cannot harm a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lwslint import source
from lwslint.facts import Span
from lwslint.source import Position, ReadError, SourceText, TooLarge, clean, layout


def where(data: bytes, needle: bytes) -> Position:
    return SourceText(data).position(data.index(needle))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb X", Position(2, 3)),
        (b"a\r\nb X", Position(2, 3)),
        (b"a\rb X", Position(2, 3)),
        (b"a\rb\nc X", Position(2, 3)),  # CR alone is no line end where LF is
        (b"a\f\nb\fX", Position(2, 3)),
        (b"\tX", Position(1, 2)),
        (b"\xef\xbb\xbfX", Position(1, 1)),
        (b"\xef\xbb\xbfa\nX", Position(2, 1)),
        ("é X".encode(), Position(1, 3)),
        ("// ünïcödé é è ê\n// x é".encode() + b"\xff X", Position(2, 9)),
        ("é X".encode("latin-1"), Position(1, 3)),
        ("Müller X".encode("latin-1"), Position(1, 8)),
        ("连接服务器 X".encode("gbk"), Position(1, 7)),
        ("连接 X".encode(), Position(1, 4)),
        ("😀 X".encode(), Position(1, 3)),
        (b"\0\0X", Position(1, 3)),
    ],
)
def test_lines_and_columns_count_characters_from_one(data: bytes, expected: Position) -> None:
    assert where(data, b"X") == expected


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"plain", "utf-8"),
        ("连接服务器".encode(), "utf-8"),
        ("连接服务器".encode("gbk"), "gbk"),
        ("Müller, Käse".encode("latin-1"), "latin-1"),
        ("naïve".encode("latin-1"), "latin-1"),
        (b"\xff\xfe\x00\x80", "latin-1"),
        ("连接服务器连接服务器".encode() + b"\xff", "utf-8"),
    ],
)
def test_the_encoding_is_the_likely_one(data: bytes, encoding: str) -> None:
    assert source.encoding_of(data) == encoding


def test_any_offset_is_clamped_and_never_fails() -> None:
    text = SourceText(b"ab\n")
    assert text.position(-5) == Position(1, 1)
    assert text.position(99) == Position(1, 4)
    assert text.lines == 1
    assert SourceText(b"").position(7) == Position(1, 1)
    assert text.line(0) == text.line(2) == ""


def test_an_offset_inside_a_character_is_that_character() -> None:
    assert SourceText("aé".encode()).position(2) == Position(1, 2)


def test_a_line_comes_without_its_end_and_without_the_byte_order_mark() -> None:
    assert SourceText(b"\xef\xbb\xbfone\r\ntwo").line(1) == "one"


@pytest.mark.parametrize(
    ("line", "marked", "expected"),
    [
        ("call(x)", "x", "call(x)\n     ^"),
        ("\tcall(x)", "call", "    call(x)\n    ^^^^"),
        ("a\tb", "b", "a   b\n    ^"),
        ('"连接", x', "x", '"连接", x\n        ^'),
        ('"连接", x', "连接", '"连接", x\n ^^^^'),
        ("e\u0301 x", "x", "e\u0301 x\n  ^"),
        ("\x1b[2J x", "x", "\\x1b[2J x\n        ^"),
        ("\u202eevil x", "x", "\\u202eevil x\n           ^"),
    ],
)
def test_carets_stand_under_what_they_mark(line: str, marked: str, expected: str) -> None:
    start = line.index(marked)
    shown, caret, width = layout(line, start, start + len(marked), 80)
    assert f"{shown}\n{' ' * caret}{'^' * width}" == expected


@pytest.mark.parametrize("start", [0, 39, 40, 500, 99_999])
@pytest.mark.parametrize("filler", ["a", "连", "\t", "\x1b"])
def test_a_long_line_is_cut_around_the_mark(filler: str, start: int) -> None:
    line = filler * start + "X" + filler * (100_000 - start)
    shown, caret, width = layout(line, start, start + 1, 80)
    assert source.width_of(shown) <= 80
    assert width == 1
    before = 0
    for character in shown:
        if before == caret:
            assert character == "X"
            break
        before += source.width_of(character)
    else:
        pytest.fail("the mark was cut off")


def test_a_span_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    excerpt = SourceText(b"x = call(\n  a);\n").excerpt(Span(4, 13))
    assert (excerpt.line, excerpt.text, excerpt.caret, excerpt.width) == (1, "x = call(", 4, 5)


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain é 连", "plain é 连"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x7f\x9b\x00", r"\x7f\x9b\x00"),
        ("\u202e\u2066", r"\u202e\u2066"),
        ("\u2028\u2029\u200b", r"\u2028\u2029\u200b"),
        (b"\xff.c".decode("utf-8", "surrogateescape"), r"\xff.c"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_clean_shows_what_would_hide(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected
    clean(dirty).encode()


def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.c")
    with pytest.raises(ReadError, match="not a regular file"):
        source.read(tmp_path / "x.c", 10)


def test_a_file_swapped_for_a_fifo_after_the_check_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular, fifo = tmp_path / "a.c", tmp_path / "b.c"
    regular.write_bytes(b"")
    os.mkfifo(fifo)
    answer = regular.stat()
    with monkeypatch.context() as patch, pytest.raises(ReadError, match="not a regular file"):
        patch.setattr(source.os, "stat", lambda path: answer)
        source.read(fifo, 10)


def test_a_file_that_was_replaced_since_discovery_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.c", tmp_path / "b.c"
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    with pytest.raises(ReadError, match="changed"):
        source.read(second, 10, expected=source.identity(first.stat()))


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_bytes(b"12345")
    assert source.read(path, 5) == b"12345"
    with pytest.raises(TooLarge, match="larger than 4 bytes"):
        source.read(path, 4)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc")
def test_a_file_that_lies_about_its_size_is_limited_too() -> None:
    with pytest.raises(TooLarge):
        source.read("/proc/self/status", 16)


def test_a_name_with_a_nul_byte_is_a_read_error() -> None:
    with pytest.raises(ReadError):
        source.read("a\0b.c", 10)
