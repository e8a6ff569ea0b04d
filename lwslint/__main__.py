"""``python -m lwslint``."""

import os
import sys

# ``python -m`` puts the current folder first on the import path.  It may be the tree to lint, and no
# code of a linted tree is ever run, so it goes unless this package itself was imported from there.
_here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if sys.path and sys.path[0] in ("", os.getcwd()) and os.path.realpath(_here) != os.path.realpath(os.getcwd()):
    del sys.path[0]

from lwslint.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
