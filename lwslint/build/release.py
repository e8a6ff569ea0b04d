"""Which libwebsockets release a tree is built with.

Only what is exact decides: a tag that is fetched, ``find_package(… EXACT)``, a copy of the sources.
``find_package(libwebsockets 4.0)`` only says what is too old, and a rule that needs to know the release must
not take the lowest one for the one in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from lwslint.build.facts import BuildFile, Requirement
from lwslint.build.model import Release
from lwslint.facts import Place
from lwslint.settings import Version

_NUMBER = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")

Where = Callable[[Place], str]


def version_of(text: str) -> Version | None:
    """The release that a tag or version number names; None for a branch, a commit, a range."""
    match = _NUMBER.fullmatch(text.strip())
    return Version(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def release(asked: Iterable[tuple[Requirement, bool]], where: Where) -> Release:
    """The one release that all exact requirements name; each comes with whether every build has it."""
    requirements = list(asked)
    sure = [(version, r) for r, certain in requirements if certain and (version := version_of(r.version))]
    exact = [(version, r) for version, r in sure if r.exact]
    versions = sorted({version for version, _ in exact})
    if len(versions) == 1:
        first = exact[0][1]
        lower = next((r for _, r in sure if not r.exact and r.place.path != first.place.path), None)
        if lower is not None:
            words = f"{where(first.place)} has {versions[0]}, but {where(lower.place)} takes {lower.version}"
            return Release(None, f"{words} or any later one", first.place)
        return Release(versions[0], f"{where(first.place)} ({first.how})", first.place)
    if versions:
        words = " and ".join(f"{version} ({where(_first(exact, version).place)})" for version in versions)
        return Release(None, f"the files disagree: {words}")
    if sure:
        version, requirement = max(sure, key=lambda pair: pair[0])
        words = f"{version} or later ({where(requirement.place)}, {requirement.how})"
        return Release(None, f"{words}: a lower bound decides none", requirement.place)
    if not requirements:
        return Release()
    other, certain = requirements[0]
    why = "which is no release" if certain else "but not every build has it"
    return Release(None, f"{where(other.place)} asks for {other.version}, {why}", other.place)


def lower_bounds(files: Iterable[BuildFile]) -> Iterator[tuple[Requirement, Version]]:
    """The strictest lower bound of each file that has one and is no recipe of a CI system."""
    for file in files:
        found = [
            (requirement, version)
            for requirement in file.requirements
            if not requirement.exact and not requirement.when
            if (version := version_of(requirement.version)) is not None
        ]
        if found and file.kind != "ci":
            yield max(found, key=lambda pair: pair[1])


def _first(exact: list[tuple[Version, Requirement]], version: Version) -> Requirement:
    return next(requirement for found, requirement in exact if found == version)


def own_release(file: BuildFile) -> Requirement | None:
    """The release that the CMakeLists.txt of libwebsockets itself is of; None for any other file."""
    values = {setting.key: setting for setting in file.settings if setting.scope == "variable"}
    if "LWS_LIBRARY_VERSION" not in values:
        return None
    # The patch's name has changed with 3.0, where a commit's hash was added to what it was before.
    names = ("MAJOR", "MINOR", "PATCH_NUMBER" if "CPACK_PACKAGE_VERSION_PATCH_NUMBER" in values else "PATCH")
    found = [values.get(f"CPACK_PACKAGE_VERSION_{name}") for name in names]
    numbers = [setting.value for setting in found if setting is not None]
    if found[0] is None or len(numbers) != len(found):
        return None
    # Between releases the patch is 99, and what is there is more than the one before and less than the next.
    return Requirement(".".join(numbers), "the sources themselves", found[0].place, exact=numbers[2] != "99")
