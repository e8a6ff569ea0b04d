"""Reads CMakePresets.json and CMakeUserPresets.json (cmake-presets(7)): what each preset chooses."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from lwslint.build.facts import BuildFile, Setting
from lwslint.facts import Place, Span

MAX_PRESETS = 200
_MAX_PARENTS = 16
_TRUTH: Final = {True: "ON", False: "OFF"}


class _Preset(msgspec.Struct):
    name: str = ""
    hidden: bool = False
    inherits: str | list[str] = []
    cacheVariables: dict[str, Any] = {}


class _Presets(msgspec.Struct):
    configurePresets: list[_Preset] = []


def read(path: str, data: bytes) -> BuildFile:
    """The cache variables of each preset that a user may choose, inherited ones included."""
    try:
        presets = msgspec.json.decode(data, type=_Presets).configurePresets
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return BuildFile(path, "cmake-presets", problem=f"is not a presets file: {error}")
    by_name = {preset.name: preset for preset in presets[:MAX_PRESETS]}
    settings: list[Setting] = []
    for preset in by_name.values():
        if preset.hidden:
            continue
        for key, (value, owner) in sorted(_variables(preset, by_name).items()):
            place = Place(path, _span(data, owner.name, key))
            settings.append(Setting(key, value, place, "cache", configuration=f"preset {preset.name}"))
    problem = f"only its first {MAX_PRESETS} presets were read" if len(presets) > MAX_PRESETS else ""
    return BuildFile(path, "cmake-presets", settings=tuple(settings), problem=problem)


def _variables(preset: _Preset, presets: dict[str, _Preset]) -> dict[str, tuple[str, _Preset]]:
    """Each variable with its value and the preset that gives it; a preset's own come before its parents'."""
    found: dict[str, tuple[str, _Preset]] = {}
    waiting, seen = [preset], {preset.name}
    while waiting and len(seen) <= _MAX_PARENTS:
        current = waiting.pop(0)
        for key, raw in current.cacheVariables.items():
            value = raw.get("value") if isinstance(raw, dict) else raw
            if isinstance(value, bool):
                found.setdefault(key, (_TRUTH[value], current))
            elif isinstance(value, str):
                found.setdefault(key, (value, current))
        parents = [current.inherits] if isinstance(current.inherits, str) else current.inherits
        fresh = [presets[name] for name in parents if name in presets and name not in seen]
        seen.update(parent.name for parent in fresh)
        waiting = fresh + waiting
    return found


def _span(data: bytes, preset: str, key: str) -> Span:
    """Where a preset names a variable: the key's first place behind the preset's name."""
    start = max(0, data.find(msgspec.json.encode(preset)))
    word = msgspec.json.encode(key)
    found = data.find(word, start)
    found = data.find(word) if found < 0 else found
    return Span(max(0, found), max(0, found) + len(word)) if found >= 0 else Span(start, start + 1)
