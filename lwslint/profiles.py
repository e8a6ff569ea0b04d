"""Build profiles: those that are always there, those of the configuration, and which of them are judged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from lwslint.settings import Build

PRODUCTION: Final = Build()
DEVELOPMENT: Final = Build(
    name="development", production=False, defines={"DEBUG": "1", "_DEBUG": "1"}, undefined=("NDEBUG",)
)
BUILDS: Final = {build.name: build for build in (PRODUCTION, DEVELOPMENT)}
MAX_BUILDS = 8

_MACRO = re.compile(r"[A-Za-z_]\w*")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class BuildOption(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A ``[build.NAME]`` table.  ``defines`` is a table of texts or a list as behind ``-D``."""

    defines: dict[str, str | int | bool] | tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    production: bool = True


def profiles(tables: Mapping[str, BuildOption]) -> dict[str, Build]:
    """The profiles by name: the built-in ones, over them those of the configuration in their order.

    A table starts from the built-in profile of its kind.  Raises ValueError for what is no macro's name.
    """
    found = dict(BUILDS)
    for name, table in tables.items():
        base = PRODUCTION if table.production else DEVELOPMENT
        defines = (
            table.defines
            if isinstance(table.defines, tuple)
            else [f"{macro}={_text(macro, value)}" for macro, value in table.defines.items()]
        )
        found[name] = with_macros(
            msgspec.structs.replace(base, name=name), defines, table.undefined, ("defines", "undefined")
        )
    return found


def judged(tables: Mapping[str, BuildOption], chosen: str | None) -> tuple[Build, ...]:
    """The builds to judge: the ``chosen`` one, else all of the configuration that go into production, else
    the built-in production build.  Raises KeyError for an unknown name."""
    found = profiles(tables)
    if chosen is not None:
        return (found[chosen],)
    own = tuple(found[name] for name in tables if found[name].production)[:MAX_BUILDS]
    return own or (found["production"],)


def check_name(name: str) -> None:
    """Raise ValueError for a name that could not be given to ``--build``."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a build")


def with_macros(
    profile: Build,
    defines: Sequence[str],
    undefined: Sequence[str],
    options: tuple[str, str] = ("-D", "-U"),
) -> Build:
    """The profile with macros (``NAME`` or ``NAME=text``) defined and others not; as in C, ``-D X``
    means ``X=1``.  Raises ValueError, which says which of ``options`` holds what is no macro's name."""
    texts = dict(profile.defines)
    gone = list(profile.undefined)
    for item in defines:
        name, equals, text = item.partition("=")
        texts[_macro(name, options[0])] = text if equals else "1"
        gone = [other for other in gone if other != name]
    for item in undefined:
        texts.pop(_macro(item, options[1]), None)
        gone += [item] if item not in gone else []
    said = (*profile.fixed, *(item.partition("=")[0] for item in defines), *undefined)
    return msgspec.structs.replace(
        profile, defines=texts, undefined=tuple(gone), fixed=tuple(dict.fromkeys(said))
    )


def _text(macro: str, value: str | int | bool) -> str:
    if value is False:
        raise ValueError(f"defines: {macro} = false: name a macro that is not defined in `undefined`")
    return "1" if value is True else str(value)


def _macro(name: str, option: str) -> str:
    if not _MACRO.fullmatch(name):
        raise ValueError(f"{option}: {name!r} is not a macro's name")
    return name
