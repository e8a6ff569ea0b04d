"""From the build files of a tree to the builds of its programs: one object for one run."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import msgspec

from lwslint.build import databases as databases_of
from lwslint.build import plain
from lwslint.build.databases import Compiled
from lwslint.build.facts import BuildFile, Define, Requirement, Setting
from lwslint.build.macros import Configuration, Judge
from lwslint.build.model import Builds, Compilation, Origin, Switch
from lwslint.build.programs import Key, Owned, Sources, closure, programs
from lwslint.build.release import own_release, release
from lwslint.build.survey import Reader, in_turn, read, survey
from lwslint.build.trees import Scope, Trees
from lwslint.discovery import Found, is_python
from lwslint.facts import Place
from lwslint.problem import Problem, crash
from lwslint.settings import Build, Settings
from lwslint.source import Texts

# What these install is one machine's or image's; the program itself may be built with any other release.
_ENVIRONMENTS = frozenset({"dockerfile", "shell", "ci", "recipe"})
# CI builds tests, mostly: what it switches on is in no product.  What a CMake file chooses for an external
# project is not for this one.
_OF_ANOTHER_PURPOSE = frozenset({"ci", "cmake"})


class Builder:
    """Reads the build files when the sources that use libwebsockets are known.

    ``candidates`` are the build files that discovery saw, ``files`` the source files; ``settings`` is what
    was asked for, ``database`` the compilation database that the user named.  ``reader`` as in
    :func:`~lwslint.build.survey.survey`.  ``copies`` tell the release of the copies of libwebsockets.
    """

    def __init__(
        self,
        candidates: Sequence[Found],
        files: Sequence[Found],
        settings: Settings,
        database: Found | None = None,
        reader: Reader = in_turn,
        copies: Sequence[Found] = (),
    ) -> None:
        databases = [found for found in candidates if _is_database(found)]
        # The one that the user named stands for all that lie about.
        self._databases = databases if database is None else [database]
        self._candidates = [found for found in candidates if not _is_database(found)]
        self._named = database
        self._files = files
        self._reader = reader
        self._copies = copies
        self.settings = settings
        self.builds = Builds(profile=settings.build)
        self.problems: list[Problem] = []

    def decide(self, sources: Sequence[str]) -> Settings:
        """Read what matters for ``sources``, paths as reports name them; returns the settings to use.

        What fails in here costs what the build files say and is told in ``problems``; the run goes on.
        """
        if self._candidates or self._databases or self._copies:
            try:
                self._decide(sources)
            except Exception as error:
                self.builds = Builds(profile=self.settings.build)
                self.problems.append(crash("the build files", error))
        return self.settings

    def _decide(self, sources: Sequence[str]) -> None:
        surveyed = survey(self._candidates, sources, self._reader)
        wanted = frozenset(sources)
        databases = [databases_of.read(found, self._files, wanted) for found in self._databases if wanted]
        decided = _Decision(
            sorted((*surveyed.files, *databases), key=lambda file: file.path),
            (*self._candidates, *self._databases, *self._copies),
            [file.path for file in self._files],
            self.settings,
            "" if self._named is None else self._named.path,
            read(self._copies, self._reader) if sources else (),
        )
        self.builds = decided.builds(sources, surveyed.problem)
        found = self.builds.release.version
        if self.settings.lws_version is None and found is not None:
            self.settings = msgspec.structs.replace(self.settings, lws_version=found)

    def of(self, build: Build) -> Builder:
        """A builder for another build of the same files."""
        settings = msgspec.structs.replace(self.settings, build=build, other_builds=())
        candidates = (*self._candidates, *self._databases)
        return Builder(candidates, self._files, settings, self._named, self._reader, self._copies)

    def compiled(self, path: str) -> Build:
        """How one source is compiled."""
        return self.profile(path) or self.settings.build

    def profile(self, path: str) -> Build | None:
        """How one source is compiled, where that differs from the profile of the settings."""
        found = self.builds.compilations.get(path)
        return None if found is None else _applied(self.settings.build, found)


def _is_database(found: Found) -> bool:
    return posixpath.basename(found.path).lower() == "compile_commands.json"


def _applied(profile: Build, compilation: Compilation) -> Build | None:
    """The profile with what is certain of one source; what somebody chooses is unknown in it.

    What the user said on the command line or in the configuration stays.
    """
    defines = dict(profile.defines)
    undefined = list(profile.undefined)
    for switch in compilation.switches:
        if switch.macro not in profile.fixed:
            defines.pop(switch.macro, None)
            undefined = [name for name in undefined if name != switch.macro]
    for origin in compilation.origins:
        if origin.macro in profile.fixed:
            continue
        undefined = [name for name in undefined if name != origin.macro]
        if origin.value is None:
            defines.pop(origin.macro, None)
            undefined.append(origin.macro)
        else:
            defines[origin.macro] = origin.value
    found = msgspec.structs.replace(profile, defines=defines, undefined=tuple(undefined))
    return None if found == profile else found


class _Decision:
    """One look at all build files together."""

    def __init__(
        self,
        files: Sequence[BuildFile],
        candidates: Sequence[Found],
        sources: Iterable[str],
        settings: Settings,
        named: str,
        copies: Sequence[BuildFile],
    ) -> None:
        self.files = files
        self._copies = copies
        self.settings = settings
        self.trees = Trees(files)
        self.sources = Sources(sources)
        databases = [file for file in files if file.kind == "compile_commands"]
        self._compiled = Compiled(databases, settings.build, named)
        self._texts = Texts({found.path: found.real for found in candidates}, settings.max_file_size)
        self._judges: dict[tuple[str, ...], Judge] = {}
        self._targets = list(self.trees.targets())
        self._links: dict[Key, list[Key]] = {}
        self._owners: dict[str, list[tuple[str, Scope]]] = {}
        for target, scope in self._targets:
            key = (scope.root, target.name)
            self._links.setdefault(key, []).extend((scope.root, name) for name in target.links)
            for source in target.sources:
                for path in self.sources.matching(source):
                    self._owners.setdefault(path, []).append((target.name, scope))

    def where(self, place: Place) -> str:
        """A place in words: ``CMakeLists.txt:12``."""
        return f"{place.path}:{self._texts[place.path].position(place.span.start).line}"

    def builds(self, sources: Sequence[str], problem: str) -> Builds:
        compiled = (path for path in sources if not is_python(path))
        found = {path: one for path in compiled if (one := self._compilation(path)) is not None}
        owned = [Owned(target, scope.root) for target, scope in self._targets]
        # A database names objects of libraries and programs without telling what links what.
        others = plain.KINDS if owned else {*plain.KINDS, "compile_commands"}
        for file in self.files:
            if file.kind in others:
                owned += [Owned(target, file.path) for target in file.targets if target.name]
        return Builds(
            files=tuple(self.files),
            profile=self.settings.build,
            compilations=found,
            programs=programs(owned, self.sources),
            release=release(self._certain_requirements(), self.where),
            idle=tuple(file.path for file in self._compiled.idle),
            shared=tuple(
                (posixpath.dirname(file.path), plain.sdkconfig(file))
                for file in self.files
                if posixpath.basename(file.path) == "sdkconfig"
            ),
            problem=problem,
        )

    def _certain_requirements(self) -> Iterator[tuple[Requirement, bool]]:
        """What the files ask for, and whether a build that chooses nothing asks for it."""
        for file in (*self.files, *self._copies):
            if (release := own_release(file)) is not None:
                yield release, True
        for file in self.files:
            judge = self._judge(self.trees.scope(file.path)) if file.path in self.trees.files else None
            for requirement in file.requirements:
                sure = not requirement.when
                if file.kind in _ENVIRONMENTS:
                    sure = False
                elif judge is not None:
                    sure = judge.chooser.holds(requirement.when, judge.base) is True
                yield requirement, sure

    # ------------------------------------------------------------------ one source

    def _compilation(self, path: str) -> Compilation | None:
        """One source: a compilation database knows what was compiled, all else is worked out."""
        found = self._from_build_files(path)
        if found is not None:
            found = self._without_settled(found)
        certain = self._compiled.origins(path, self.where)
        if not certain:
            return found
        certain = tuple(origin for origin in certain if origin.macro not in self.settings.build.fixed)
        names = {origin.macro for origin in certain}
        found = found or Compilation(path)
        return msgspec.structs.replace(
            found,
            origins=(*certain, *(origin for origin in found.origins if origin.macro not in names)),
            switches=tuple(switch for switch in found.switches if switch.macro not in names),
        )

    def _without_settled(self, found: Compilation) -> Compilation:
        """Without the macros that the user has decided, and those that switch debugging on: that makes
        another build, not a variant of this one."""
        build = self.settings.build
        return msgspec.structs.replace(
            found,
            origins=tuple(origin for origin in found.origins if origin.macro not in build.fixed),
            switches=tuple(
                switch
                for switch in found.switches
                if switch.macro not in build.fixed and (switch.on or switch.macro not in build.undefined)
            ),
        )

    def _from_build_files(self, path: str) -> Compilation | None:
        owners = self._owners.get(path, [])
        found = [self._judge(scope).macros(self._of_target(scope, name, path)) for name, scope in owners]
        names = [name for name, _ in owners]
        for file, name in self._plain_owners.get(path, ()):
            conditions = plain.Conditions(file, self.files, self.where)
            defines = [define for define in file.defines if define.target in ("", name, path)]
            found.append(plain.macros(defines, conditions, self.where))
            names.append(name)
        if not found:
            scope = self.trees.scope_of_folder(posixpath.dirname(path))
            if scope is None:
                return None
            found = [self._judge(scope).macros(self._of_target(scope, None, path))]
        origins, switches = _common(found)
        return Compilation(path, origins, switches, tuple(dict.fromkeys(names)))

    @cached_property
    def _plain_owners(self) -> dict[str, list[tuple[BuildFile, str]]]:
        """By source the files of make and meson that compile it, and the name of the target."""
        found: dict[str, list[tuple[BuildFile, str]]] = {}
        for file in self.files:
            for target in file.targets if file.kind in plain.KINDS else ():
                for source in target.sources:
                    for path in self.sources.matching(source):
                        found.setdefault(path, []).append((file, target.name))
        return found

    def _judge(self, scope: Scope) -> Judge:
        key = tuple(file.path for file in scope.files)
        if key not in self._judges:
            self._judges[key] = Judge(
                scope, self._configurations(scope), self.where, production=self.settings.build.production
            )
        return self._judges[key]

    def _of_target(self, scope: Scope, target: str | None, path: str) -> Iterator[Define]:
        """The macros of one source in ``target``: the folder's, its own, and those of what it links."""
        linked = set()
        if target is not None:
            linked = {name for _, name in closure((scope.root, target), self._links)}
        for define in self.trees.defines(scope):
            if define.target in ("", path, target) or (define.spreads and define.target in linked):
                yield define

    def _configurations(self, scope: Scope) -> list[Configuration]:
        """What presets, caches and command lines choose for the build of a scope."""
        return [found for file, found in self._all_configurations if self._chooses_for(file, scope)]

    @cached_property
    def _all_configurations(self) -> list[tuple[BuildFile, Configuration]]:
        found: list[tuple[BuildFile, Configuration]] = []
        for file in self.files:
            groups: dict[str, list[Setting]] = {}
            for setting in file.settings if file.kind not in _OF_ANOTHER_PURPOSE else ():
                if setting.scope == "cache" and (setting.configuration or file.kind == "cmake-cache"):
                    groups.setdefault(setting.configuration, []).append(setting)
            for name, settings in groups.items():
                place = settings[0].place
                words = f"{name or 'the build'} ({self.where(place)})"
                found.append((file, Configuration(words, place, {s.key: s.value for s in settings})))
        return found

    def _chooses_for(self, file: BuildFile, scope: Scope) -> bool:
        """Whether a file's choices are for this build: a preset for its own folder, a cache for the tree
        around it, a command line for any build that knows what it chooses."""
        folder = posixpath.dirname(file.path)
        match file.kind:
            case "cmake-presets":
                return folder == scope.root
            case "cmake-cache":
                return not scope.root or folder == scope.root or folder.startswith(scope.root + "/")
            case _:
                return True


def _common(
    found: Sequence[tuple[list[Origin], list[Switch]]],
) -> tuple[tuple[Origin, ...], tuple[Switch, ...]]:
    """What holds of a source in every target that it is part of.

    A macro that one target certainly defines and another does not is neither; a switch of one is a switch.
    """
    origins: dict[str, list[Origin]] = {}
    switches: dict[str, Switch] = {}
    for some, chosen in found:
        for origin in some:
            origins.setdefault(origin.macro, []).append(origin)
        for switch in chosen:
            switches.setdefault(switch.macro, switch)
    certain = [
        group[0]
        for group in origins.values()
        if len(group) == len(found) and len({origin.value for origin in group}) == 1
    ]
    return (
        tuple(certain),
        tuple(switch for name, switch in switches.items() if name not in origins),
    )
