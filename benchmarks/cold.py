"""How long a cold run takes, as ratios measured in one go.

    python benchmarks/cold.py examples FOLDER --semgrep SEMGREP   against a general pattern tool
    python benchmarks/cold.py python FOLDER --bandit BANDIT       against a security linter for Python
    python benchmarks/cold.py unrelated [--files 10000]           against reading a tree without lws

``examples`` runs lwslint and semgrep (with patterns.yaml, no network, no metrics) on the same files in
turn.  ``python`` does the same with bandit, on any folder; it also prints how many of the Python files
there talk WebSocket, as only these are parsed.  ``unrelated`` makes a tree of C files that never mention
libwebsockets, and compares a lwslint run with a Python process that only reads them.  Each pair is timed
back to back, so that a machine whose speed drifts gives the same ratio; the median of the ratios is what
counts.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
READ = (
    "import os, sys\n"
    "for folder, _, files in os.walk(sys.argv[1]):\n"
    "    for name in files:\n"
    "        open(os.path.join(folder, name), 'rb').read()\n"
)


def seconds(command: list[str], cwd: pathlib.Path) -> float:
    """The wall time of one run; its output goes nowhere, its exit code does not matter."""
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started


def compare(ours: list[str], theirs: list[str], cwd: pathlib.Path, runs: int) -> None:
    """Print the medians of both and of the ratio theirs / ours, pair by pair."""
    seconds(ours, cwd)
    seconds(theirs, cwd)
    pairs = [(seconds(ours, cwd), seconds(theirs, cwd)) for _ in range(runs)]
    ratios = sorted(b / a for a, b in pairs)
    print(
        f"lwslint {statistics.median(a for a, _ in pairs):.2f} s, "
        f"other {statistics.median(b for _, b in pairs):.2f} s"
    )
    print(
        f"other / lwslint: median {statistics.median(ratios):.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )


def python_files(folder: pathlib.Path) -> int:
    return sum(1 for _ in folder.rglob("*.py"))


def parsed(folder: pathlib.Path) -> int:
    """How many files lwslint analyses."""
    command = [sys.executable, "-m", "lwslint", "--isolated", "--show-files", "--no-cache", "."]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    return sum(1 for line in shown.splitlines() if line.startswith("lint"))


def unrelated(folder: pathlib.Path, files: int) -> None:
    """A tree of C files of 2 to 12 KB without any mention of libwebsockets."""
    random.seed(1)
    for number in range(files):
        place = folder / f"m{number % 97}"
        place.mkdir(exist_ok=True)
        body = "".join(
            f"static int f{number}_{i}(int a) {{ return a * {i}; }}\n" for i in range(random.randint(40, 260))
        )
        (place / f"f{number}.c").write_text(body)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["examples", "python", "unrelated"])
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--semgrep", default="semgrep")
    parser.add_argument("--bandit", default="bandit")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    ours = [sys.executable, "-m", "lwslint", "--exit-zero", "--quiet", "--no-cache", "."]
    if options.what == "examples":
        theirs = [
            options.semgrep, "scan", "--config", str(HERE / "patterns.yaml"), "--metrics=off",
            "--disable-version-check", "--no-git-ignore", "--quiet", ".",
        ]  # fmt: skip
        compare(ours, theirs, options.folder, options.runs)
        return
    if options.what == "python":
        print(f"{python_files(options.folder)} Python files, {parsed(options.folder)} talk WebSocket")
        compare(ours, [options.bandit, "-r", "-q", "."], options.folder, options.runs)
        return
    with tempfile.TemporaryDirectory() as made:
        tree = pathlib.Path(made)
        unrelated(tree, options.files)
        size = sum(os.path.getsize(p) for p in tree.rglob("*.c"))
        print(f"{options.files} files, {size / 1e6:.0f} MB")
        compare(ours, [sys.executable, "-c", READ, "."], tree, options.runs)


if __name__ == "__main__":
    main()
