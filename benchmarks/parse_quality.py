"""How much of real C and C++ the parser understands, before and after preprocessing.

    python benchmarks/parse_quality.py [--mentions REGEX] [--worst N] FOLDER…

Prints for each folder the share of bytes inside ERROR and MISSING nodes of the raw text, of variant 0 and
of all variants together, the speed of :func:`lwslint.frontends.preprocessor.preprocess` and of the bare
parser, and the files that come out worst.  A MISSING node counts as one byte.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tree_sitter
import tree_sitter_c
import tree_sitter_cpp

from lwslint.frontends.preprocessor import preprocess
from lwslint.settings import Settings

SUFFIXES = {".c": "c", ".h": "c", ".cpp": "cpp", ".cc": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp"}
INTERESTING = re.compile(rb"lws|LWS|LCCSCF|ibwebsocket|pthread|thread")
CPLUSPLUS = re.compile(rb"^\s*(?:class\s+\w+[^;]*$|namespace\b|template\s*<|using\s|public:|private:)", re.M)
PARSERS = {
    "c": tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language())),
    "cpp": tree_sitter.Parser(tree_sitter.Language(tree_sitter_cpp.language())),
}


class Row(NamedTuple):
    path: Path
    size: int
    raw: int
    first: int
    every: int
    variants: int
    places: list[tuple[int, int]]
    seconds: float
    parsing: float


def errors(tree: tree_sitter.Tree) -> list[tuple[int, int]]:
    """The outermost ERROR and MISSING nodes, by bytes."""
    found = []
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            found.append((node.start_byte, node.end_byte))
        elif node.has_error:
            stack.extend(reversed(node.children))
    return found


def weight(places: list[tuple[int, int]]) -> int:
    return sum(max(1, end - start) for start, end in places)


def files(folder: Path, mentions: re.Pattern[bytes] | None) -> Iterator[tuple[Path, str, bytes]]:
    for path in sorted(folder.rglob("*")):
        language = SUFFIXES.get(path.suffix)
        if language is None or not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        if mentions is not None and not mentions.search(data):
            continue
        if path.suffix == ".h" and CPLUSPLUS.search(data):
            language = "cpp"
        yield path, language, data


def measure(path: Path, language: str, data: bytes, raw: bool) -> Row:
    started = time.perf_counter()
    result = preprocess(data, language, Settings(), INTERESTING)
    seconds = time.perf_counter() - started
    parser = PARSERS[language]
    started = time.perf_counter()
    trees = [parser.parse(variant.text) for variant in result.variants]
    parsing = time.perf_counter() - started
    places = [errors(tree) for tree in trees]
    before = weight(errors(parser.parse(data))) if raw else 0
    return Row(
        path,
        len(data),
        before,
        weight(places[0]),
        sum(map(weight, places)),
        len(places),
        sorted({place for each in places for place in each}),
        seconds,
        parsing,
    )


def report(folder: Path, rows: list[Row], worst: int, raw: bool) -> None:
    size = sum(row.size for row in rows) or 1
    every = sum(row.size * row.variants for row in rows) or 1
    seconds = sum(row.seconds for row in rows) or 1e-9
    parsing = sum(row.parsing for row in rows) or 1e-9
    print(
        f"{folder}: {len(rows)} files, {size / 1e6:.2f} MB, {every / size:.2f} variants;"
        f" in errors: raw {sum(r.raw for r in rows) / size:.3%}{' (not measured)' if not raw else ''},"
        f" variant 0 {sum(r.first for r in rows) / size:.4%},"
        f" all variants {sum(r.every for r in rows) / every:.4%};"
        f" files with errors {sum(r.every > 0 for r in rows)};"
        f" preprocess {size / seconds / 1e6:.1f} MB/s, parse {every / parsing / 1e6:.1f} MB/s"
    )
    for row in sorted(rows, key=lambda r: (-r.every, r.path))[:worst]:
        if row.every:
            data = row.path.read_bytes()
            where = ", ".join(str(data.count(b"\n", 0, start) + 1) for start, _ in row.places[:6])
            print(f"  {row.every:7d} of {row.size:7d}  {row.path}: lines {where}")


def main() -> None:
    parser = argparse.ArgumentParser(description="share of bytes that do not parse")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--mentions", help="only files that match this regular expression")
    parser.add_argument("--worst", type=int, default=5)
    parser.add_argument("--no-raw", action="store_true", help="leave out the unprocessed text")
    arguments = parser.parse_args()
    mentions = re.compile(arguments.mentions.encode()) if arguments.mentions else None
    for folder in arguments.folders:
        rows = [measure(*found, not arguments.no_raw) for found in files(folder, mentions)]
        report(folder, rows, arguments.worst, not arguments.no_raw)


if __name__ == "__main__":
    main()
