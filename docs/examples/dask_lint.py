"""lwslint on a cluster: facts on its workers, linking here.

    pip install "lwslint[dask]"
    python docs/examples/dask_lint.py [--scheduler ADDRESS] [--parts N] [PATH ...] [-- LINK OPTIONS]

Without a scheduler the workers are processes of this machine.  They must see the same files under the same
path as this process, as on a shared disk.  Any executor with the interface of ``concurrent.futures`` will
do in the place of Dask's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import Executor
from functools import partial


def facts(cwd: str, paths: list[str], parts: int, number: int) -> bytes:
    """The shard of one part, as bytes; runs on a worker."""
    with tempfile.TemporaryDirectory() as folder:
        shard = os.path.join(folder, "part.shard")
        command = [sys.executable, "-m", "lwslint", "facts", "--jobs", "1", "--part", f"{number}/{parts}"]
        command += ["-o", shard, *paths]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if not os.path.exists(shard):
            raise RuntimeError(done.stderr)
        with open(shard, "rb") as file:
            return file.read()


def lint(executor: Executor, paths: list[str], parts: int, options: list[str]) -> int:
    """Lint ``paths`` with the workers of ``executor``; returns the exit code of ``lwslint link``."""
    shards = executor.map(partial(facts, os.getcwd(), paths, parts), range(1, parts + 1))
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, shard in enumerate(shards):
            names.append(os.path.join(folder, f"{number}.shard"))
            with open(names[-1], "wb") as file:
                file.write(shard)
        command = [sys.executable, "-m", "lwslint", "link", *names, *options]
        return subprocess.run(command, check=False).returncode


def main() -> int:
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description="lwslint on a Dask cluster")
    parser.add_argument("--scheduler", help="the address of a running scheduler (default: processes here)")
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("paths", nargs="*", default=["."])
    arguments = parser.parse_args(sys.argv[1:end])
    from distributed import Client

    with Client(arguments.scheduler) if arguments.scheduler else Client(processes=True) as client:
        return lint(client.get_executor(), arguments.paths, arguments.parts, sys.argv[end + 1 :])


if __name__ == "__main__":
    sys.exit(main())
