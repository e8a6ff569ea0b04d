"""``python -m lwslint``."""

import gc
import os
import sys

# ``python -m`` puts the current folder first on the import path.  It may be the tree to lint, and no
# code of a linted tree is ever run, so it goes unless this package itself was imported from there.  Until
# then nothing is imported but what the interpreter has loaded already.
_here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if sys.path and sys.path[0] in ("", os.getcwd()) and os.path.realpath(_here) != os.path.realpath(os.getcwd()):
    del sys.path[0]

from typing import NoReturn  # noqa: E402

from lwslint import __version__  # noqa: E402


def _run(argv: list[str]) -> int:
    # All imports are late: what is not needed is what a short run is slow by.
    if argv == ["--version"]:
        sys.stdout.write(f"lwslint {__version__}\n")
        return 0
    from lwslint import replay

    code = replay.again(argv)
    if code is None:
        from lwslint.cli import main

        code = main()
    return code


def run() -> NoReturn:
    """The console script.  Ends the process at once, and never looks for cycles: taking the linked project
    apart, object by object, costs a tenth of a run and helps nobody."""
    gc.disable()
    code = _run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # The reader is gone; the exit code stays what it is.
        pass
    os._exit(code)


if __name__ == "__main__":
    run()
