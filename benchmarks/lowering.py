"""How fast the C and C++ front end is beside the bare parser: same files, one core, processor time.

    python -m benchmarks.lowering FOLDER

Prints megabytes per second of bare tree-sitter parsing, of preprocessing, and of the whole front end (from
bytes to facts), and the share of the bare parser's speed that the whole front end reaches.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable

from lwslint.discovery import discover, is_python, language_of
from lwslint.frontends import c
from lwslint.frontends.c_declarations import dialect
from lwslint.frontends.preprocessor import preprocess
from lwslint.prefilter import mentions_lws
from lwslint.settings import Settings

ROUNDS = 5


def read(folder: str) -> list[tuple[str, bytes, str]]:
    """The files that the front end gets: path, bytes, language."""
    found = []
    for file in discover(["."], cwd=folder).files:
        if is_python(file.path):
            continue
        with open(file.real, "rb") as opened:
            data = opened.read()
        if mentions_lws(data):
            found.append((file.path, data, language_of(file.path, data)))
    return found


def shortest(work: Callable[[], object]) -> float:
    """The processor time of the fastest of a few rounds."""
    took = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return min(took)


def measure(folder: str) -> tuple[int, float, float, float]:
    """The bytes, and the times of the bare parser, the preprocessor and the whole front end."""
    settings = Settings()
    files = read(folder)
    parsers = {language: dialect(language).parser for language in ("c", "cpp")}
    gc.disable()  # as a run does

    def parse() -> None:
        for _, data, language in files:
            parsers[language].parse(data)

    def prepare() -> None:
        for _, data, language in files:
            preprocess(data, language, settings, c.INTERESTING)

    def lower() -> None:
        for path, data, language in files:
            c.extract(path, data, language, settings)

    return sum(len(data) for _, data, _ in files), shortest(parse), shortest(prepare), shortest(lower)


def main() -> None:
    size, parsing, preparing, lowering = measure(os.path.abspath(sys.argv[1]))
    print(
        f"{size / 1e6:.2f} MB: bare parser {size / parsing / 1e6:.1f} MB/s, "
        f"preprocessor {size / preparing / 1e6:.1f} MB/s, whole front end {size / lowering / 1e6:.1f} MB/s, "
        f"{parsing / lowering:.2f} of the bare parser's speed"
    )


if __name__ == "__main__":
    main()
