"""What `lwslint --show-build` prints: what was found, from where, and what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from lwslint.build.model import Builds, Compilation, Origin, Switch
from lwslint.facts import Place
from lwslint.settings import Build, Settings
from lwslint.source import Texts, clean

MAX_LISTED = 20
VERSION = 1
_Macro = TypeVar("_Macro", Origin, Switch)


def text(builds: Builds, settings: Settings, texts: Texts) -> Iterator[str]:
    """For people; paths and names come from the tree and are made fit to be printed."""
    yield from map(clean, _text(builds, settings, texts))


def _text(builds: Builds, settings: Settings, texts: Texts) -> Iterator[str]:
    for build in (settings.build, *settings.other_builds):
        yield f"Build {build.name} ({'production' if build.production else 'not production'})"
        yield f"  defined: {_defined(build)}"
        yield f"  not defined: {', '.join(build.undefined) or 'nothing'}"
    yield f"libwebsockets: {_release(builds, settings)}"
    yield f"Build files: {_count(builds)}"
    for path in sorted(builds.idle):
        yield f"  {path}: of another kind of build; its macros decide nothing"
    for file in builds.files:
        if file.problem:
            yield f"  {file.path}: {file.problem}"
    if builds.problem:
        yield f"  {builds.problem}"
    yield from _macros(builds.compilations.values())
    yield from _programs(builds, texts)


def _defined(build: Build) -> str:
    return ", ".join(name if value == "1" else f"{name}={value}" for name, value in build.defines.items())


def _release(builds: Builds, settings: Settings) -> str:
    found = builds.release
    if settings.lws_version is not None and settings.lws_version != found.version:
        return f"{settings.lws_version} (as you say; the build files: {_found(builds)})"
    return _found(builds)


def _found(builds: Builds) -> str:
    release = builds.release
    if release.version is None:
        return f"not decided: {release.reason}"
    return f"{release.version}, from {release.reason}"


def _count(builds: Builds) -> str:
    kinds = Counter(file.kind for file in builds.files)
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "none that matter"


def _macros(compilations: Iterable[Compilation]) -> Iterator[str]:
    """The macros that a build file decides for any source, each with the number of its sources."""
    certain: Counter[Origin] = Counter()
    chosen: Counter[Switch] = Counter()
    for compilation in compilations:
        certain.update(compilation.origins)
        chosen.update(compilation.switches)
    if certain:
        yield "Certain in this build:"
        for origin, number in _listed(certain):
            yield f"  {_spelled(origin)} in {_sources(number)}: {origin.text}"
        yield from _more(certain)
    if chosen:
        yield "Chosen by whoever builds:"
        for switch, number in _listed(chosen):
            state = "defined" if switch.on else "not defined"
            yield f"  {switch.macro} ({state} by default) in {_sources(number)}: {switch.text}"
            for other in switch.elsewhere:
                yield f"    {'not defined' if switch.on else 'defined'} in {other.name}"
        yield from _more(chosen)


def _spelled(origin: Origin) -> str:
    if origin.value is None:
        return f"{origin.macro} is not defined"
    return origin.macro if origin.value == "1" else f"{origin.macro}={origin.value}"


def _listed(counted: Counter[_Macro]) -> list[tuple[_Macro, int]]:
    return sorted(counted.items(), key=lambda item: (item[0].macro, item[0].place))[:MAX_LISTED]


def _more(counted: Counter[_Macro]) -> Iterator[str]:
    if len(counted) > MAX_LISTED:
        yield f"  … and {len(counted) - MAX_LISTED} more (all of them with --output-format json)"


def _sources(number: int) -> str:
    return "1 source" if number == 1 else f"{number} sources"


def _programs(builds: Builds, texts: Texts) -> Iterator[str]:
    if builds.programs:
        yield "Programs and libraries:"
    for program in builds.programs[:MAX_LISTED]:
        kind = f" ({program.kind})" if program.kind else ""
        yield f"  {program.name}{kind}, {_sources(len(program.sources))}: {_where(program.place, texts)}"
    if len(builds.programs) > MAX_LISTED:
        yield f"  … and {len(builds.programs) - MAX_LISTED} more (all of them with --output-format json)"


def _where(place: Place, texts: Texts) -> str:
    return f"{place.path}:{texts[place.path].position(place.span.start).line}"


# ------------------------------------------------------------------------------------- for programs


def document(builds: Builds, settings: Settings, texts: Texts) -> dict[str, Any]:
    """For programs: one versioned document, to which later releases only add keys."""

    def place(found: Place) -> dict[str, Any]:
        return {"path": clean(found.path), "line": texts[found.path].position(found.span.start).line}

    release = builds.release
    return {
        "version": VERSION,
        "builds": [
            {
                "name": build.name,
                "production": build.production,
                "defines": {clean(name): clean(value) for name, value in build.defines.items()},
                "undefined": list(build.undefined),
            }
            for build in (settings.build, *settings.other_builds)
        ],
        "lws_version": str(settings.lws_version or release.version or "") or None,
        "lws_version_reason": clean(release.reason),
        "files": [
            {"path": clean(file.path), "kind": file.kind, "problem": clean(file.problem)}
            for file in builds.files
        ],
        "idle": [clean(path) for path in builds.idle],
        "sources": [
            {
                "path": clean(found.path),
                "programs": [clean(name) for name in found.programs],
                "certain": [
                    {
                        "macro": clean(origin.macro),
                        "value": None if origin.value is None else clean(origin.value),
                        "reason": clean(origin.text),
                        **place(origin.place),
                    }
                    for origin in found.origins
                ],
                "switches": [
                    {
                        "macro": clean(switch.macro),
                        "default": switch.on,
                        "reason": clean(switch.text),
                        **place(switch.place),
                        "elsewhere": [
                            {"name": clean(other.name), **place(other.place)} for other in switch.elsewhere
                        ],
                    }
                    for switch in found.switches
                ],
            }
            for _, found in sorted(builds.compilations.items())
        ],
        "programs": [
            {
                "name": clean(program.name),
                "kind": program.kind,
                **place(program.place),
                "sources": [clean(path) for path in program.sources],
            }
            for program in builds.programs
        ],
    }
