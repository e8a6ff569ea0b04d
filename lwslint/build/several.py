"""Several builds of one tree: whether the code can tell them apart, and their findings together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from lwslint.diagnostics import Diagnostic
from lwslint.facts import FileFacts, Place
from lwslint.settings import Build

Profile = Callable[[str], Build]
"""How the source of that path is compiled."""


def differs(files: Iterable[FileFacts], one: Profile, other: Profile) -> bool:
    """Whether any preprocessor condition asks for a macro that the two builds treat differently.

    An arm inside one that is out of the first build needs no look: the outer condition must change first.
    """
    for file in files:
        names = {name for c in (*file.conditions, *file.inactive) for name in c.names}
        first, second = one(file.path), other(file.path)
        if any(_state(first, name) != _state(second, name) for name in names):
            return True
    return False


def _state(build: Build, name: str) -> str | bool | None:
    """A macro's text, False where it is not defined, None where that is unknown."""
    if name in build.defines:
        return build.defines[name]
    return False if name in build.undefined else None


def merge(found: Sequence[tuple[str, Sequence[Diagnostic]]]) -> tuple[Diagnostic, ...]:
    """The findings of several builds, each once: what holds in one holds, and what does not hold in all says
    where it does.

    Of one finding in several builds the most severe stands, then the surest.
    """
    groups: dict[tuple[str, Place], list[tuple[str, Diagnostic]]] = {}
    for name, diagnostics in found:
        for diagnostic in diagnostics:
            groups.setdefault((diagnostic.code, diagnostic.place), []).append((name, diagnostic))
    merged: list[Diagnostic] = []
    for group in groups.values():
        worst = max((d for _, d in group), key=lambda d: (d.severity, d.confidence))
        names = list(dict.fromkeys(name for name, d in group if d.severity == worst.severity))
        if len(names) < len(found):
            words = (
                f"only in the build {names[0]}" if len(names) == 1 else f"in the builds {', '.join(names)}"
            )
            worst = msgspec.structs.replace(worst, message=f"{worst.message}; {words}")
        merged.append(worst)
    return tuple(merged)
