"""``python -m lwslint``."""

import gc
import os
import sys
from typing import NoReturn

# ``python -m`` puts the current folder first on the import path.  It may be the tree to lint, and no
# code of a linted tree is ever run, so it goes unless this package itself was imported from there.
_here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if sys.path and sys.path[0] in ("", os.getcwd()) and os.path.realpath(_here) != os.path.realpath(os.getcwd()):
    del sys.path[0]

from lwslint import replay  # noqa: E402


def run() -> NoReturn:
    """The console script.  Ends the process at once, and never looks for cycles: taking the linked project
    apart, object by object, costs a tenth of a run and helps nobody."""
    gc.disable()
    code = replay.again(sys.argv[1:])
    if code is None:
        # Imported late: a run that only says again what the last one said needs none of it.
        from lwslint.cli import main

        code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # The reader is gone; the exit code stays what it is.
        pass
    os._exit(code)


if __name__ == "__main__":
    run()
