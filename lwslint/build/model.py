"""What the build files say together: the builds of a tree's programs."""

from __future__ import annotations

import msgspec

from lwslint.build.facts import BuildFile


class Builds(msgspec.Struct, frozen=True):
    """``files`` are the build and configuration files that may matter, by path."""

    files: tuple[BuildFile, ...] = ()
