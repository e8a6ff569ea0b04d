"""Which macros a source is compiled with: always, never, or when somebody chooses so.

Each ``-D`` of a build file is judged in a few worlds: a production build that chooses nothing, the same with
every choice left open, and each configuration of the tree that chooses something (a preset, the ``cmake`` of
a Dockerfile).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from lwslint.build import cmake
from lwslint.build.cmake import UNKNOWN, Unknown
from lwslint.build.facts import Define, Setting, When
from lwslint.build.model import Elsewhere, Origin, Switch
from lwslint.build.readers import format_of
from lwslint.build.trees import Scope, fixed, from_outside, options, variables
from lwslint.facts import Place

RELEASE: Final = "Release"
DEBUG: Final = "Debug"
UNSET: Final = ""
_WITHOUT_NDEBUG: Final = frozenset({UNSET, "debug"})
_MAX_OPTION_DEPTH = 8

Where = Callable[[Place], str]
"""A place in words: ``CMakeLists.txt:12``."""


def is_template(path: str) -> bool:
    """Whether a build file is a header that is filled in."""
    row = format_of(path)
    return row is not None and row.kind == "cmake-template"


class World(NamedTuple):
    """``kind`` is the build type, ``chosen`` what is chosen by name; ``free``: all else is left open."""

    kind: str
    chosen: Mapping[str, str] = {}
    free: bool = False

    @property
    def has_ndebug(self) -> bool:
        """Whether CMake passes -DNDEBUG: its CMAKE_<LANG>_FLAGS_<CONFIG> have it for all but Debug."""
        return self.kind.lower() not in _WITHOUT_NDEBUG


class _Unasked:
    """The type of what a macro's verdict is before it was asked for."""


_UNASKED: Final = _Unasked()


class Configuration(NamedTuple):
    """A configuration that a build file chooses, with its place in words."""

    name: str
    place: Place
    chosen: Mapping[str, str]

    @property
    def kind(self) -> str:
        return self.chosen.get("CMAKE_BUILD_TYPE", RELEASE)


class Chooser:
    """What CMake's variables are in each world, in one scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._options = options(scope.files)
        self._variables = variables(scope.files)
        self._fixed = fixed(scope.files)

    def value(self, name: str, world: World, depth: int = 0) -> str | Unknown | None:
        """The value of a variable; None when it is not set."""
        if name == "CMAKE_BUILD_TYPE":
            return world.kind or None
        if name in world.chosen:
            return world.chosen[name]
        if name in self._fixed:
            return self._fixed[name]
        if name in self._options:
            return UNKNOWN if world.free else self._default(name, world, depth)
        if name in self._variables:
            value = self._variables[name]
            return UNKNOWN if value is None or "${" in value else value
        if world.free or from_outside(name):
            return UNKNOWN
        return None

    def _default(self, name: str, world: World, depth: int) -> str | Unknown:
        """An option's default; of several, under conditions, the one whose condition holds."""
        if depth > _MAX_OPTION_DEPTH:
            return UNKNOWN
        settings = self._options[name]
        truths = [
            cmake.holds(setting.when, lambda other: self.value(other, world, depth + 1))
            for setting in settings
        ]
        possible = {s.value for s, truth in zip(settings, truths, strict=True) if truth is not False}
        value = possible.pop() if len(possible) == 1 else None
        return UNKNOWN if value is None or "${" in value or "$<" in value else value

    def holds(self, when: Sequence[When], world: World) -> bool | None:
        """Whether the conditions hold in a world."""
        return cmake.holds(when, lambda name: self.value(name, world))

    def choices(self, when: Sequence[When], world: World) -> Iterator[tuple[str, Setting | None, When]]:
        """The names in conditions that whoever builds chooses, with the option that declares each."""
        for condition in when:
            for name in cmake.variables(condition.text):
                if name in self._options:
                    yield name, self._options[name][0], condition
                elif (
                    name not in self._variables
                    and name != "CMAKE_BUILD_TYPE"
                    and not from_outside(name)
                    and self.value(name, world) is None
                ):
                    yield name, None, condition

    @property
    def default_kind(self) -> str | None:
        """The build type of a build that names none, where the files set one; None where they leave it."""
        unset = World(UNSET)
        for file in self.scope.files:
            for setting in file.settings:
                if setting.key != "CMAKE_BUILD_TYPE" or not setting.value or setting.configuration:
                    continue
                if self.holds(setting.when, unset) is not False:
                    return setting.value
        return None

    @property
    def names(self) -> frozenset[str]:
        """All names that may be chosen here."""
        read = (
            name
            for f in self.scope.files
            for d in f.defines
            for w in d.when
            for name in cmake.variables(w.text)
        )
        return frozenset((*self._options, *read, "CMAKE_BUILD_TYPE"))


class Judge:
    """The macros of the sources of one scope."""

    def __init__(
        self, scope: Scope, configurations: Iterable[Configuration], where: Where, *, production: bool
    ):
        self.chooser = Chooser(scope)
        self.where = where
        names = self.chooser.names
        self.configurations = [
            found
            for found in configurations
            if production and names & found.chosen.keys() and found.kind.lower() != DEBUG.lower()
        ]
        self._verdicts: dict[tuple[int, ...], Origin | Switch | None] = {}
        self._kept: list[Define] = []  # an identity is one's own only as long as one lives
        self.base = World(RELEASE if production else DEBUG)
        self.unset = World(UNSET) if production and self._may_be_unset else None

    @property
    def _may_be_unset(self) -> bool:
        """Whether a build without a build type is one that people make: nothing in the tree chooses one."""
        chosen = any("CMAKE_BUILD_TYPE" in found.chosen for found in self.configurations)
        return not chosen and self.chooser.default_kind is None

    def macros(self, defines: Iterable[Define]) -> tuple[list[Origin], list[Switch]]:
        """What is certain and what is chosen of the macros that ``defines`` are about."""
        by_name: dict[str, list[Define]] = {}
        for define in defines:
            by_name.setdefault(define.name, []).append(define)
        origins: list[Origin] = []
        switches: list[Switch] = []
        for name, found in by_name.items():
            # Most sources of a scope get most of their macros from the same lines.
            key = tuple(map(id, found))
            verdict = self._verdicts.get(key, _UNASKED)
            if isinstance(verdict, _Unasked):
                verdict = self._macro(name, found)
                self._verdicts[key] = verdict
                self._kept += found
            if isinstance(verdict, Origin):
                origins.append(verdict)
            elif verdict is not None:
                switches.append(verdict)
        if "NDEBUG" not in by_name and self.unset is not None and (place := self._first_place) is not None:
            text = f"cmake without CMAKE_BUILD_TYPE, for which {place.path} sets no default"
            switches.append(Switch("NDEBUG", True, "1", text, place))
        return origins, switches

    @property
    def _first_place(self) -> Place | None:
        from lwslint.facts import Span

        files = self.chooser.scope.files
        return Place(files[0].path, Span(0, 1)) if files else None

    def _macro(self, name: str, defines: Sequence[Define]) -> Origin | Switch | None:
        if any(define.value is None for define in defines):
            return None
        state = self._state(defines, self.base)
        if state is None:
            return None
        first = next((d for d in defines if self.chooser.holds(d.when, self.base) is not False), defines[0])
        free = self._state(defines, World(self.base.kind, {}, free=True))
        if free is state and any(is_template(define.place.path) for define in defines):
            return None  # what is in a header holds for those who include it
        if free is state:
            if state and len({define.value for define in defines}) > 1:
                return None
            return Origin(name, first.value if state else None, self._certain(first, state), first.place)
        if free is not None:
            return None
        for define in defines:
            for option, setting, when in self.chooser.choices(define.when, self.base):
                return self._switch(name, state, define, (option, setting, when), defines)
        return None

    def _state(self, defines: Sequence[Define], world: World) -> bool | None:
        truths = [self.chooser.holds(define.when, world) for define in defines]
        return True if True in truths else None if None in truths else False

    def _certain(self, define: Define, state: bool) -> str:
        where = self.where(define.place)
        if state:
            return f"{where} defines it"
        conditions = " and ".join(w.text if w.wanted else f"not ({w.text})" for w in define.when)
        return f"{where} defines it only for {conditions}"

    def _switch(
        self,
        macro: str,
        on: bool,
        define: Define,
        choice: tuple[str, Setting | None, When],
        defines: Sequence[Define],
    ) -> Switch:
        option, setting, when = choice
        place = setting.place if setting is not None else when.place
        if setting is not None:
            default = self.chooser.value(option, self.base)
            default = setting.value if isinstance(default, Unknown) or default is None else default
            text = f"CMake option {option} ({self.where(place)}), default {default}"
        else:
            text = f"CMake variable {option} ({self.where(place)}), not set by default"
        elsewhere = tuple(
            Elsewhere(found.name, found.place)
            for found in self.configurations
            if self._state(defines, World(found.kind, found.chosen)) is (not on)
        )
        return Switch(macro, on, define.value or "", text, place, elsewhere)
