"""Finds the C files that mention libwebsockets and parses each with tree-sitter; does nothing with the trees.

    python -m benchmarks.parsing FOLDER

The measure ``tree`` runs it beside lwslint: it is the part of a cold run that is not lwslint's own.
"""

from __future__ import annotations

import os
import sys

import tree_sitter_c
from tree_sitter import Language, Parser


def main() -> None:
    parser = Parser(Language(tree_sitter_c.language()))
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            if name.endswith((".c", ".h")):
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                folded = data.lower()
                if b"lws" in folded or b"libwebsocket" in folded:
                    parser.parse(data)


if __name__ == "__main__":
    main()
