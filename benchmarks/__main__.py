"""What lwslint's runs cost, as ratios measured in one go.

    python -m benchmarks                                all of it that needs no other tree
    python -m benchmarks --examples FOLDER              also the examples of libwebsockets
    python -m benchmarks examples --examples FOLDER     only that

FOLDER is ``minimal-examples-lowlevel`` (``minimal-examples`` before 5.0) of a libwebsockets checkout.
Tools that are not installed are left out, and said so; ``--tools FOLDER`` is looked into for them first.
Commands that are compared run in turn, so that a machine whose speed drifts, or that is busy, gives the
same ratio; medians of the ratios of neighbouring runs are what counts.  README.md has figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks import tools, trees
from benchmarks.timing import Run, Times, in_turn, processor, ratio, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
READ = (
    "import os, sys\n"
    "for folder, _, files in os.walk('.'):\n"
    "    for name in files:\n"
    "        open(os.path.join(folder, name), 'rb').read()\n"
)


class Bench:
    """The options, and where things lie during one call of this program."""

    def __init__(self, options: argparse.Namespace, scratch: pathlib.Path) -> None:
        self.rounds: int = options.runs
        self.examples: pathlib.Path | None = options.examples
        self.python: pathlib.Path | None = options.python
        self.tools: str = options.tools
        self.without: list[str] = options.without
        self.files: int = options.files
        self.lines: list[int] = options.lines
        self.scratch = scratch
        # As installed: with byte code, which a development environment may have switched off.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
        environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "rules")))
        self.environment = environment

    def command(self, arguments: list[str], cwd: pathlib.Path) -> Callable[[], Run]:
        return partial(run, arguments, cwd, self.environment)

    def cold(self, cwd: pathlib.Path) -> Callable[[], Run]:
        return self.command(tools.lwslint("--no-cache"), cwd)

    def warm(self, cwd: pathlib.Path) -> Callable[[], Run]:
        """A run behind one that found the same; the first fills the cache here.  A file that changed just
        before it is not trusted to be the same later, hence the pause."""
        command = self.command(tools.lwslint("--cache-dir", str(self.scratch / "cache")), cwd)
        time.sleep(3)
        command()
        return command

    @contextlib.contextmanager
    def tree(self, name: str) -> Iterator[pathlib.Path]:
        """A folder for a made tree, which is gone afterwards."""
        folder = self.scratch / name
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def head(text: str) -> None:
    print(f"\n== {text}", flush=True)


def line(name: str, times: Times, note: str = "") -> None:
    runs = f"{len(times.runs)} runs" if len(times.runs) > 1 else "1 run"
    print(
        f"{name:16s} {times.wall:8.3f} s wall, {times.cpu:8.3f} s processor, "
        f"{times.memory / 1e6:7.0f} MB  ({runs}) {note}",
        flush=True,
    )


def compared(times: Mapping[str, Times], other: str, ours: str, goal: str = "") -> None:
    middle, least, most = ratio(times, other, ours)
    used, *_ = ratio(times, other, ours, processor)
    note = f"; goal {goal}" if goal else ""
    print(
        f"   {other} / {ours}: {middle:.2f} (from {least:.2f} to {most:.2f}), "
        f"in processor time {used:.2f}{note}",
        flush=True,
    )


# --------------------------------------------------------------------------- the measurements


def examples(bench: Bench) -> None:
    """The examples of libwebsockets: cold and warm, beside the other tools."""
    head("the examples of libwebsockets, beside other tools")
    folder = bench.examples
    if folder is None:
        print("SKIPPED: give --examples FOLDER")
        return
    commands = {"cold": bench.cold(folder), "warm": bench.warm(folder)}
    for name, arguments in tools.others(folder, bench.tools).items():
        if name in bench.without:
            print(f"SKIPPED: {name}, as asked for")
        elif arguments is None:
            print(f"SKIPPED: {name} is not installed")
        else:
            commands[name] = bench.command(arguments, folder)
    times = in_turn(commands, bench.rounds)
    for name, taken in times.items():
        line(name, taken)
    goals = {("semgrep", "cold"): "10 or more", ("semgrep", "warm"): "50 or more"}
    for name in commands:
        if name not in ("cold", "warm"):
            for ours in ("cold", "warm"):
                compared(times, name, ours, goals.get((name, ours), ""))


def python(bench: Bench) -> None:
    """A tree of Python, beside bandit; only the files that talk WebSocket are parsed."""
    head("Python, beside bandit")
    folder = bench.python
    bandit = tools.find("bandit", bench.tools)
    if folder is None or bandit is None:
        print("SKIPPED: give --python FOLDER" if folder is None else "SKIPPED: bandit is not installed")
        return
    shown = [*tools.lwslint("--no-cache", "--show-files")]
    listed = subprocess.run(
        shown, cwd=folder, env=bench.environment, capture_output=True, text=True, check=False
    )
    parsed = sum(1 for row in listed.stdout.splitlines() if row.startswith("lint"))
    print(f"{sum(1 for _ in folder.rglob('*.py'))} Python files, of which {parsed} are analysed")
    commands = {"cold": bench.cold(folder), "warm": bench.warm(folder)}
    commands["bandit"] = bench.command([bandit, "--quiet", "--recursive", "--exit-zero", "."], folder)
    times = in_turn(commands, bench.rounds)
    for name, taken in times.items():
        line(name, taken)
    compared(times, "bandit", "cold")


def lowering(bench: Bench) -> None:
    """The front end beside the bare parser, on one core."""
    head("the front end beside the bare parser (goal: half its speed or more)")
    if bench.examples is None:
        print("SKIPPED: give --examples FOLDER")
        return
    sys.stdout.flush()
    command = [sys.executable, "-m", "benchmarks.lowering", str(bench.examples.resolve())]
    os.spawnve(os.P_WAIT, sys.executable, command, bench.environment)


def tree(bench: Bench) -> None:
    """A tree of many files of which one in a hundred uses libwebsockets."""
    with bench.tree("tree") as folder:
        trees.unrelated(folder, bench.files, max(1, bench.files // 100))
        size = sum(path.stat().st_size for path in folder.rglob("*.c"))
        head(f"a tree of {bench.files} files, {size / 1e6:.0f} MB, 1 % of them with libwebsockets")
        commands = {"cold": bench.cold(folder), "warm": bench.warm(folder)}
        commands["reading"] = bench.command([sys.executable, "-c", READ], folder)
        commands["parsing"] = bench.command([sys.executable, "-m", "benchmarks.parsing", "."], folder)
        listing = tools.others(folder, bench.tools)["rg"]
        if listing is None:
            print("SKIPPED: rg is not installed")
        else:
            commands["rg"] = bench.command(listing, folder)
        times = in_turn(commands, bench.rounds)
        for name, taken in times.items():
            line(name, taken)
        if listing is not None:
            compared(times, "cold", "rg", "3 or less")
            compared(times, "warm", "rg", "3 or less")
            # What no linter that parses gets below on one core, however fast the rest of it is.
            compared(times, "parsing", "rg")
        compared(times, "cold", "reading")


def large(bench: Bench) -> None:
    """One source file of 5 MB, beside the same amount of code in files of 50 KB."""
    head("5 MB of code in one file, beside the same in 100 files")
    with bench.tree("one") as one, bench.tree("many") as many:
        trees.large(one / "big.c", 5_000_000)
        (one / "lwslint.toml").write_text("max-file-size = 50_000_000\n")
        for number in range(100):
            trees.large(many / f"p{number}" / "part.c", 50_000)
        option = ["--config", str(one / "lwslint.toml")]
        command = [argument for argument in tools.lwslint("--no-cache", *option) if argument != "--isolated"]
        times = in_turn(
            {"one": bench.command(command, one), "many": bench.command(command, many)}, bench.rounds
        )
        for name, taken in times.items():
            line(name, taken)
        compared(times, "one", "many", "about 1 in processor time; the one file has one process")


def many(bench: Bench) -> None:
    """A thousand files that all use libwebsockets."""
    with bench.tree("thousand") as folder:
        for number in range(1000):
            trees.large(folder / f"p{number // 10}" / f"f{number}.c", 4_000)
        size = sum(path.stat().st_size for path in folder.rglob("*.c"))
        head(f"1000 files with libwebsockets, {size / 1e6:.1f} MB")
        commands = {"cold": bench.cold(folder), "warm": bench.warm(folder)}
        semgrep = tools.others(folder, bench.tools)["semgrep"]
        if semgrep is None:
            print("SKIPPED: semgrep is not installed")
        else:
            commands["semgrep"] = bench.command(semgrep, folder)
        times = in_turn(commands, bench.rounds)
        for name, taken in times.items():
            line(name, taken)
        if semgrep is not None:
            compared(times, "semgrep", "cold")


def scaling(bench: Bench) -> None:
    """Trees of programs from a thousand to a million lines: what a line costs."""
    head("scaling: trees of programs of 1000 lines (goal: a line costs the same)")
    empty = in_turn({"empty": bench.command(tools.lwslint("--no-cache"), bench.scratch / "empty")}, 3)
    base = empty["empty"].cpu
    costs: list[tuple[int, float]] = []
    for wanted in bench.lines:
        with bench.tree(f"lines{wanted}") as folder:
            lines = trees.programs(folder, wanted)
            rounds = bench.rounds if wanted <= 100_000 else 1
            times = in_turn({"cold": bench.cold(folder)}, rounds)["cold"]
            cost = (times.cpu - base) / lines
            costs.append((lines, cost))
            line(f"{lines} lines", times, f"{cost * 1e6:.1f} µs of processor a line, start-up apart")
    reference = statistics.median(cost for _, cost in costs)
    for lines, cost in costs:
        print(f"   {lines} lines: {cost / reference:.2f} of the median cost of a line")


def start(bench: Bench) -> None:
    """What a run costs before it reads anything."""
    head("start-up")
    folder = bench.scratch / "empty"
    commands = {
        "python -c pass": bench.command([sys.executable, "-c", "pass"], folder),
        "--version": bench.command([sys.executable, "-m", "lwslint", "--version"], folder),
        "no files": bench.command(tools.lwslint("--no-cache"), folder),
        "small, warm": bench.warm(ROOT / "fixtures" / "wave_relay" / "bad"),
        "small, cold": bench.cold(ROOT / "fixtures" / "wave_relay" / "bad"),
    }
    times = in_turn(commands, max(bench.rounds, 5))
    for name, taken in times.items():
        line(name, taken)
        if name != "python -c pass":
            compared(times, name, "python -c pass")
    allowed = 2 * times["python -c pass"].wall + 0.05
    print(
        f"   goal of the warm run: {allowed:.3f} s or less, twice `python -c pass` and 50 ms; 30 MB or less"
    )


MEASURES: dict[str, Callable[[Bench], None]] = {
    "start": start,
    "examples": examples,
    "lowering": lowering,
    "python": python,
    "tree": tree,
    "large": large,
    "many": many,
    "scaling": scaling,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--examples", type=pathlib.Path, help="the folder with libwebsockets' examples")
    parser.add_argument("--python", type=pathlib.Path, help="a folder of Python programs")
    parser.add_argument("--tools", default="", help="a folder with other tools, before those on the path")
    parser.add_argument("--without", action="append", default=[], metavar="TOOL", help="leave this tool out")
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs (default: 5)")
    parser.add_argument("--files", type=int, default=100_000, help="in the large tree (default: 100000)")
    parser.add_argument(
        "--lines",
        type=lambda text: [int(number) for number in text.split(",")],
        default=[1_000, 10_000, 100_000, 1_000_000],
        help="sizes of the trees for scaling",
    )
    options = parser.parse_args()
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}")
    for folder in (options.examples, options.python):
        if folder is not None and not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    with tempfile.TemporaryDirectory(prefix="lwslint-bench-") as made:
        scratch = pathlib.Path(made)
        (scratch / "empty").mkdir()
        bench = Bench(options, scratch)
        for name in options.measures or MEASURES:
            MEASURES[name](bench)


if __name__ == "__main__":
    main()
