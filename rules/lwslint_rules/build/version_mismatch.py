"""The build asks for a libwebsockets that does not have what the code uses.

## What it reports

- a release that is fetched or required exactly (`GIT_TAG v4.0.0`, `find_package(… EXACT)`, a package
  manager's manifest) and lacks functions or fields that the code uses, as they came later
  or are gone since;
- a lower bound (`find_package(libwebsockets 3.0)`, `libwebsockets >= 3.0`) below the release that brought
  what the code uses;
- a build option that leaves out what the code uses: `LWS_WITHOUT_CLIENT`, `LWS_WITHOUT_EXTENSIONS` and
  `LWS_WITH_SECURE_STREAMS`, `LWS_WITH_SYS_SMD`, `LWS_WITH_THREADPOOL`, `LWS_WITH_JOSE`, `LWS_WITH_CGI` and
  `LWS_WITH_LWSAC` switched off.

Uses inside of an `#if` that asks for the library, its release or its options do not count.

## What happens at run time

The program does not compile or link with the library that the build files name, or only on the machine
where a newer one happens to be installed. `info.extensions` alone compiles and does nothing:
permessage-deflate is never offered.

## Example

```cmake
find_package(libwebsockets 2.4 REQUIRED)    # the code calls lws_sul_schedule(), which came with 3.2
```

## Write instead

```cmake
find_package(libwebsockets 3.2 REQUIRED)
```

## Known limits

Functions and the fields of `struct lws_client_connect_info` and `struct lws_context_creation_info` are
known from 1.4 to 5.0. Of a lower bound only the first two numbers count. Requirements under a condition are
left alone, and so is a tree whose files ask for several releases.

## References

The headers of the release tags; CMakeLists.txt@v5.0.0 for the options; changelog (3.0: extensions are off).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lwslint.build.release import lower_bounds
from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Member, Place
from lwslint.model import api_uses
from lwslint.model.api_uses import Use
from lwslint.model.build_options import Choice, choices
from lwslint.model.project import Project
from lwslint.rule import Rule
from lwslint.settings import Version

rule = Rule(
    code="LWS605",
    name="version-mismatch",
    family="build",
    impact=Impact.HYGIENE,
    severity=Severity.WARNING,
    languages=("build",),
)

_MOST = 4  # uses that a report names
_CLIENT = ("lws_client_connect_via_info", "lws_client_connect", "lws_client_connect_extended")


def _begins(*prefixes: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(prefixes)


# option → whether "on" leaves something out, and the functions that are gone then.
_PARTS: dict[str, tuple[bool, Callable[[str], bool]]] = {
    "LWS_WITHOUT_CLIENT": (True, lambda name: name in _CLIENT),
    "LWS_WITH_SECURE_STREAMS": (False, _begins("lws_ss_")),
    "LWS_WITH_SYS_SMD": (False, _begins("lws_smd_")),
    "LWS_WITH_THREADPOOL": (False, _begins("lws_threadpool_")),
    "LWS_WITH_JOSE": (False, _begins("lws_jwk_", "lws_jws_", "lws_jwe_", "lws_jwt_")),
    "LWS_WITH_CGI": (False, _begins("lws_cgi")),
    "LWS_WITH_LWSAC": (False, _begins("lwsac_")),
}
_EXTENSIONS = "LWS_WITHOUT_EXTENSIONS"


def check(project: Project) -> Iterator[Diagnostic]:
    if not project.build_files or not project.files:
        return
    yield from _releases(project)
    for choice in choices(project, (*_PARTS, _EXTENSIONS)):
        if not choice.development and not choice.only and choice.kind != "ci":
            yield from _left_out(project, choice)


# ------------------------------------------------------------------------------------- releases


def _releases(project: Project) -> Iterator[Diagnostic]:
    release = project.build.release
    named = _named(project)
    bounds = [] if release.version is not None else list(lower_bounds(project.build_files))
    if named is None and not bounds:
        return
    used = list(api_uses.uses(project))
    if named is not None:
        place, version = named
        missing = [use for use in used if not use.exists_in(version)]
        if missing:
            yield rule.report(
                place,
                f"the program does not build with libwebsockets {version}, which this names:"
                f" {_reasons(missing, version)}",
                confidence=Confidence.MEDIUM,
                related=_steps(missing),
            )
    for requirement, version in bounds:
        missing = [use for use in used if _series(use.since) > _series(version)]
        if missing:
            needed = max(use.since for use in missing)
            yield rule.report(
                requirement.place,
                f"the program does not build with libwebsockets {requirement.version}, which this allows:"
                f" {_reasons(missing, version)}",
                confidence=Confidence.MEDIUM,
                help=f"ask for {needed.major}.{needed.minor} or later",
                related=_steps(missing),
            )


def _named(project: Project) -> tuple[Place, Version] | None:
    """The release that the files name, and where.  What is built with a copy of the sources is built with
    it: what does not fit is built by nobody."""
    release = project.build.release
    if release.version is None or release.place is None:
        return None
    for file in project.build_files:
        for requirement in file.requirements:
            if requirement.place == release.place and requirement.how != "copy":
                return release.place, release.version
    return None


def _series(version: Version) -> tuple[int, int]:
    return version.major, version.minor


def _reasons(missing: list[Use], version: Version) -> str:
    parts = [
        f"{use.name} came with {use.since}"
        if version < use.since
        else f"{use.name} is gone since {use.removed}"
        for use in missing[:_MOST]
    ]
    more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
    return ", ".join(parts) + more


def _steps(missing: list[Use]) -> list[Step]:
    return [Step(use.place, f"{use.name} is used here") for use in missing[:_MOST]]


# ------------------------------------------------------------------------------------- options


def _left_out(project: Project, choice: Choice) -> Iterator[Diagnostic]:
    if choice.key == _EXTENSIONS:
        if choice.on:
            yield from _extensions(project, choice)
        return
    when_on, wanted = _PARTS[choice.key]
    if not (choice.on if when_on else choice.off):
        return
    found = api_uses.calls(project, wanted)
    if found:
        state = "on" if when_on else "off"
        yield rule.report(
            choice.place,
            f"the program does not link: {choice.key} is {state}, and the library has no {found[0].name}",
            help=f"{choice.key} = {'OFF' if when_on else 'ON'}",
            related=_steps(found[:1]),
        )


def _extensions(project: Project, choice: Choice) -> Iterator[Diagnostic]:
    for write in project.values.writes.named("extensions"):
        target = write.target
        if isinstance(target, Member):
            class_ = project.values.writes.class_of(target.object, write.definition)
            if class_ == "lws_context_creation_info":
                yield rule.report(
                    choice.place,
                    "permessage-deflate is never offered: LWS_WITHOUT_EXTENSIONS is on, and info.extensions"
                    " does nothing then",
                    help="LWS_WITHOUT_EXTENSIONS = OFF",
                    related=[Step(write.place, "this asks for extensions")],
                )
                return
