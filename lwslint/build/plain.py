"""Make, meson and ESP-IDF: which macros their files give a source, and who chooses them.

Their conditions are simpler than CMake's: a variable of make is set or compared, an option of meson is on, a
key of sdkconfig has a value.  Every other condition is unknown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from lwslint.build.facts import BuildFile, Define, Setting, When
from lwslint.build.model import Origin, Switch
from lwslint.facts import Place

Where = Callable[[Place], str]
Verdict = tuple[bool, str, Place]
"""Whether a condition holds by default; who decides it, in words; and where."""

_REFERENCE = re.compile(r"\$[({](\w+)[)}]")
_OPTION = re.compile(r"get_option\(\s*'([^']+)'\s*\)(?:\.enabled\(\))?")
_EMPTY = '""'
KINDS: Final = frozenset({"make", "meson"})


class Conditions:
    """The conditions of one build file, decided by what it and its neighbours set."""

    def __init__(self, file: BuildFile, files: Iterable[BuildFile], where: Where) -> None:
        self._where = where
        self._kind = file.kind
        self._settings: dict[str, list[Setting]] = {}
        folder = posixpath.dirname(file.path)
        for other in files:
            if other.kind == file.kind and (other is file or posixpath.dirname(other.path) == folder):
                for setting in other.settings:
                    if not setting.configuration:
                        self._settings.setdefault(setting.key, []).append(setting)

    def verdict(self, when: When) -> Verdict | None:
        """What one condition is by default; None where that is unknown."""
        found = self._meson(when.text) if self._kind == "meson" else self._make(when)
        if found is None:
            return None
        holds, text, place = found
        return holds is when.wanted, text, place

    def _make(self, when: When) -> Verdict | None:
        text = when.text
        if text.startswith("make "):
            goal = text.removeprefix("make ")
            return False, f"the goal {goal} ({self._where(when.place)}), not the default one", when.place
        if re.fullmatch(r"\w+", text):
            value = self._value(text)
            return None if value is None else (bool(value), *self._words("make variable", text, value, when))
        left, equals, right = text.partition(" = ")
        sides = [self._replaced(side) for side in (left, right)]
        names = _REFERENCE.findall(left) or _REFERENCE.findall(right)
        if not equals or not names or sides[0] is None or sides[1] is None:
            return None
        return sides[0] == sides[1], *self._words(
            "make variable", names[0], self._value(names[0]) or "", when
        )

    def _meson(self, text: str) -> Verdict | None:
        match = _OPTION.fullmatch(text)
        settings = self._settings.get(match[1], []) if match is not None else []
        if (
            match is None
            or len(settings) != 1
            or settings[0].value not in ("true", "false", "enabled", "disabled")
        ):
            return None
        on = settings[0].value in ("true", "enabled")
        place = settings[0].place
        return on, f"meson option {match[1]} ({self._where(place)}), default {settings[0].value}", place

    def _words(self, what: str, name: str, value: str, when: When) -> tuple[str, Place]:
        settings = self._settings.get(name)
        place = settings[0].place if settings else when.place
        default = f"default {value}" if value else "not set by default"
        return f"{what} {name} ({self._where(place)}), {default}", place

    def _value(self, name: str) -> str | None:
        """A variable's value, "" when nothing sets it; None where that is unknown."""
        settings = self._settings.get(name, [])
        if not settings:
            return ""
        if len(settings) > 1 or settings[0].when or "$" in settings[0].value:
            return None
        return settings[0].value

    def _replaced(self, side: str) -> str | None:
        """A side of a comparison with its variables replaced; None where one is unknown."""
        if side == _EMPTY:
            return ""
        values = {name: self._value(name) for name in _REFERENCE.findall(side)}
        if None in values.values():
            return None
        text = _REFERENCE.sub(lambda match: values[match[1]] or "", side)
        return None if "$" in text else text.strip()


def macros(
    defines: Iterable[Define], conditions: Conditions, where: Where
) -> tuple[list[Origin], list[Switch]]:
    """What is certain and what is chosen of the macros in ``defines``."""
    by_name: dict[str, list[Define]] = {}
    for define in defines:
        by_name.setdefault(define.name, []).append(define)
    origins: list[Origin] = []
    switches: list[Switch] = []
    for name, found in by_name.items():
        if any(define.value is None or define.configuration for define in found):
            continue
        always = [define for define in found if not define.when]
        if always and len({define.value for define in found}) == 1:
            first = always[0]
            origins.append(Origin(name, first.value, f"{where(first.place)} defines it", first.place))
        elif not always and (switch := _switch(name, found, conditions)) is not None:
            switches.append(switch)
    return origins, switches


def _switch(name: str, defines: Sequence[Define], conditions: Conditions) -> Switch | None:
    """A macro that is only defined under conditions, all of which are known."""
    on = False
    decider: tuple[str, Place] | None = None
    for define in defines:
        verdicts = [conditions.verdict(when) for when in define.when]
        known = [verdict for verdict in verdicts if verdict is not None]
        if len(known) < len(verdicts):
            return None
        holds = all(verdict[0] for verdict in known)
        on = on or holds
        if decider is None or holds:
            first = next((verdict for verdict in known if verdict[0] is holds), known[0])
            decider = first[1], first[2]
    if decider is None:
        return None
    return Switch(name, on, defines[0].value or "", *decider)


def sdkconfig(file: BuildFile) -> Mapping[str, Switch]:
    """The ``CONFIG_`` macros of the project that an ESP-IDF sdkconfig is of."""
    return {
        define.name: Switch(
            define.name,
            define.value is not None,
            define.value or "",
            f"{file.path} {'sets' if define.value is not None else 'does not set'} it",
            define.place,
        )
        for define in file.defines
    }
