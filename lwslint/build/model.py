"""What the build files say together: which programs a tree has, and what is switched on in their builds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lwslint.build.facts import BuildFile
from lwslint.facts import Condition, Place
from lwslint.frontends import conditions
from lwslint.settings import Build, Version


class Elsewhere(msgspec.Struct, frozen=True):
    """A production configuration that chooses otherwise than the default does: a preset, a ``docker build``.

    ``name`` is in words for a report: ``preset release (CMakePresets.json:7)``.
    """

    name: str
    place: Place


class Switch(msgspec.Struct, frozen=True):
    """A macro that whoever builds the program switches on or off.

    ``on`` is its state in a production build that chooses nothing; ``value`` its text where it is on.
    ``text`` says who decides (``CMake option DEV_TLS (CMakeLists.txt:12), default OFF``) and ``place`` is
    there.  ``elsewhere`` are the production configurations in which the state is the other one.
    """

    macro: str
    on: bool
    value: str
    text: str
    place: Place
    elsewhere: tuple[Elsewhere, ...] = ()


class Origin(msgspec.Struct, frozen=True):
    """Why a macro is (or is not) defined in every production build: the place, and the build file's words."""

    macro: str
    value: str | None
    text: str
    place: Place


class Compilation(msgspec.Struct, frozen=True):
    """How one source is compiled: what is certain (``origins``) and what is somebody's choice (``switches``).

    ``programs`` are the names of the programs and libraries that it is part of.
    """

    path: str
    origins: tuple[Origin, ...] = ()
    switches: tuple[Switch, ...] = ()
    programs: tuple[str, ...] = ()


class Program(msgspec.Struct, frozen=True):
    """A program or library of the tree, with all its sources (those of the libraries it links too)."""

    name: str
    kind: str
    sources: tuple[str, ...]
    place: Place


class Release(msgspec.Struct, frozen=True):
    """The libwebsockets release that the tree is built with: None where the files do not decide it, with
    ``reason`` in words, always."""

    version: Version | None = None
    reason: str = "no build file names one"
    place: Place | None = None


class Builds(msgspec.Struct, frozen=True):
    """``files`` are the build and configuration files that may matter, by path; ``compilations`` are
    how the sources are compiled that they say something about.

    ``profile`` is the build that is judged; ``release`` the release of libwebsockets.  ``idle`` are the
    compilation databases of builds of another kind, which decide nothing.  ``shared`` are the switches that
    all sources below a folder have (a sdkconfig).  ``problem`` says what a limit left out.
    """

    files: tuple[BuildFile, ...] = ()
    profile: Build = Build()
    compilations: Mapping[str, Compilation] = {}
    programs: tuple[Program, ...] = ()
    release: Release = Release()
    idle: tuple[str, ...] = ()
    shared: tuple[tuple[str, Mapping[str, Switch]], ...] = ()
    problem: str = ""

    def programs_of(self) -> dict[str, frozenset[int]]:
        """By source the numbers of the programs that it is part of, where all of these are programs: what a
        library is linked into may not be known."""
        found: dict[str, list[int]] = {}
        for number, program in enumerate(self.programs):
            for path in program.sources:
                found.setdefault(path, []).append(number)
        return {
            path: frozenset(numbers)
            for path, numbers in found.items()
            if all(self.programs[number].kind == "program" for number in numbers)
        }

    def decided(self, path: str, condition: Condition) -> tuple[Switch | None, bool | None]:
        """Whether a preprocessor condition in the source ``path`` holds in a production build that chooses
        nothing, and the switch that decides it; None where the build files leave it open."""
        found = self.compilations.get(path)
        switches = [s for s in found.switches if s.macro in condition.names] if found is not None else []
        for folder, shared in self.shared:
            if not folder or path.startswith(folder + "/"):
                switches += [shared[name] for name in condition.names if name in shared]
        if not switches:
            return None, None
        states: dict[str, conditions.State] = {s.macro: s.value if s.on else None for s in switches}
        expression = conditions.parse(condition.text)
        return switches[0], conditions.truth(
            expression, lambda name: states.get(name, conditions.UNKNOWN), {}
        )
