"""What one run was asked to do, after defaults, the configuration file and the command line are merged.

Plain data without any reading or merging: that is :mod:`lwslint.config`.
"""

from __future__ import annotations

import msgspec

from lwslint.diagnostics import Confidence, Severity


class Version(msgspec.Struct, frozen=True, order=True):
    """A libwebsockets release, ``4.3.2``; compares by number."""

    major: int
    minor: int = 0
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def number(self) -> int:
        """The value of ``LWS_LIBRARY_VERSION_NUMBER`` (lws_config.h)."""
        return self.major * 1_000_000 + self.minor * 1_000 + self.patch


class Server(msgspec.Struct, frozen=True):
    """What a peer is known to speak: ``subprotocols`` empty means it negotiates none."""

    host: str
    subprotocols: tuple[str, ...]


class Build(msgspec.Struct, frozen=True):
    """A build profile.  ``defines`` maps a macro to its text; ``undefined`` names macros that the
    build does not define.  Any other macro is unknown, unless a build file of the tree decides it; the
    macros in ``fixed`` the user has decided, whatever the build files say."""

    name: str = "production"
    production: bool = True
    defines: dict[str, str] = msgspec.field(default_factory=lambda: {"NDEBUG": "1"})
    undefined: tuple[str, ...] = ("DEBUG", "_DEBUG")
    fixed: tuple[str, ...] = ()


class Ladder(msgspec.Struct, frozen=True):
    """What the user says about which Python code is production; see :mod:`lwslint.model.python_exposure`.

    The paths are patterns in the language of .gitignore, which start in ``folder`` (absolute; empty: the
    current one).  ``production`` and ``development`` are the files of a run that they match, by the path
    that reports give them, each with its pattern.
    """

    production_paths: tuple[str, ...] = ()
    development_paths: tuple[str, ...] = ()
    opt_in_names: tuple[str, ...] = ()
    folder: str = ""
    production: dict[str, str] = {}
    development: dict[str, str] = {}


class Settings(msgspec.Struct, frozen=True):
    """``build`` is the build that is judged; what holds in one of ``other_builds`` is reported too."""

    """``ruff`` is ``isolated`` (from the configuration of the linted tree), ``project`` (with it) or
    ``off``."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence = Confidence.LOW
    fail_on: Severity | None = Severity.WARNING
    build: Build = Build()
    other_builds: tuple[Build, ...] = ()
    lws_version: Version | None = None
    subprotocols: tuple[str, ...] | None = None
    servers: tuple[Server, ...] = ()
    exclude: tuple[str, ...] = ()
    max_file_size: int = 4_000_000
    ruff: str = "isolated"
    python: Ladder = Ladder()
