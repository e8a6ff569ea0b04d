"""What build and configuration files say, as plain data: one :class:`BuildFile` for each file.

Readers know one format each and decide nothing; :mod:`lwslint.build` puts the files together.  Every
record keeps its place, so that a rule can point at it and a report can name where a fact comes from.
"""

from __future__ import annotations

import msgspec

from lwslint.facts import Place


class When(msgspec.Struct, frozen=True):
    """A condition around a record, as the file writes it (``DEV_TLS``, ``UNIX AND NOT APPLE``).

    ``wanted`` is False on the ``else`` side.
    """

    text: str
    place: Place
    wanted: bool = True


class Setting(msgspec.Struct, frozen=True):
    """A key that the file gives a value: ``CMAKE_BUILD_TYPE``, ``CONFIG_LWS_WITH_TLS``, ``init-ssl``.

    ``scope`` says what kind of key it is: ``option`` (a user may choose; ``value`` is the default),
    ``cache`` (chosen for one build: ``-D`` on a command line, a preset, CMakeCache.txt, sdkconfig),
    ``variable``, ``computed`` (a command of unknown effect is given the name, ``value`` is empty),
    ``environment``, ``package`` (an option of a package in a recipe or port) or ``configuration`` (read by
    the program at run time).

    ``configuration`` names the one configuration of several in the file that the record belongs to, in
    words for a report and unique in the file: a preset's name, ``cmake on line 12``.  Records with the
    same name are chosen together; ``""`` is the file as a whole.
    """

    key: str
    value: str
    place: Place
    scope: str
    when: tuple[When, ...] = ()
    configuration: str = ""


class Define(msgspec.Struct, frozen=True):
    """A macro that the compiler is given (``-D``) or denied (``-U``: ``value`` is None).

    ``target`` is the target, the source file or ``""`` (everything below the file's folder) it is for.
    ``configuration`` is as in :class:`Setting`.  ``spreads``: what links the target gets it too (CMake's
    ``PUBLIC`` and ``INTERFACE``).
    """

    name: str
    value: str | None
    place: Place
    target: str = ""
    when: tuple[When, ...] = ()
    configuration: str = ""
    spreads: bool = False


class Target(msgspec.Struct, frozen=True):
    """A program or library: its source files (relative to the linted root, ``/`` between parts), and the
    names of what it links.

    ``kind``: ``program``, ``library`` or ``module`` (loaded at run time).  A source may be a pattern
    (``src/*.c``, ``src/**/*.c``): readers do not look into folders.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    place: Place
    links: tuple[str, ...] = ()
    when: tuple[When, ...] = ()


class Requirement(msgspec.Struct, frozen=True):
    """A version of libwebsockets that a file asks for.

    ``how``: ``find_package``, ``pkg-config``, ``tag`` (FetchContent, ExternalProject, ``git clone -b``),
    ``conan``, ``vcpkg``, ``submodule``, ``package`` (distribution), ``wrap``, ``component``.
    ``exact`` is False for a lower bound.
    """

    version: str
    how: str
    place: Place
    exact: bool = True
    when: tuple[When, ...] = ()


class BuildFile(msgspec.Struct, frozen=True):
    """What one file says.  ``kind`` names its format (``cmake``, ``compile_commands``, ``make``, ``meson``,
    ``sdkconfig``, ``kconfig``, ``dockerfile``, ``shell``, ``ci``, ``conan``, ``vcpkg``, ``gitmodules``,
    ``recipe``, ``json``, …).

    ``includes`` are the files that it reads too, relative to the linted root; ``problem`` says why the
    file could not be read, or not in full.
    """

    path: str
    kind: str
    settings: tuple[Setting, ...] = ()
    defines: tuple[Define, ...] = ()
    targets: tuple[Target, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    includes: tuple[str, ...] = ()
    problem: str = ""
