"""A build file's records as short lines, with the places they point at: what the tables in the tests hold."""

from __future__ import annotations

from lwslint.build import readers
from lwslint.build.facts import BuildFile, Define, Setting, When
from lwslint.facts import Place


def tell(path: str, text: str | bytes) -> list[str]:
    """The records that reading ``path`` makes, through the table of formats.

    ``macro CLIENT_TLS=1 @2`` is a macro that line 2 defines; conditions follow behind ``if``, a
    configuration in brackets, the text that a record points at in angle brackets when it was asked for.
    """
    data = text.encode() if isinstance(text, str) else text
    file = readers.read(path, data)
    lines = [f"problem {file.problem}"] if file.problem else []
    for setting in file.settings:
        what = f"{setting.scope} {setting.key}={setting.value}"
        lines.append(what + _where(data, setting.place, setting.when, setting))
    for define in file.defines:
        what = f"no macro {define.name}" if define.value is None else f"macro {define.name}={define.value}"
        if define.target:
            what += f" for {define.target}"
        lines.append(what + _where(data, define.place, define.when, define))
    for target in file.targets:
        what = f"{target.kind} {target.name}: {' '.join(target.sources)}"
        if target.links:
            what += f" with {' '.join(target.links)}"
        lines.append(what + _where(data, target.place, target.when))
    for requirement in file.requirements:
        what = f"lws {'==' if requirement.exact else '>='} {requirement.version} ({requirement.how})"
        lines.append(what + _where(data, requirement.place, requirement.when))
    return lines + [f"includes {path}" for path in file.includes]


def shown(file: BuildFile, data: bytes) -> list[str]:
    """The text that each record of ``file`` points at, in the records' order."""
    records = [*file.settings, *file.defines, *file.targets, *file.requirements]
    return [data[r.place.span.start : r.place.span.end].decode() for r in records]


def pointed(path: str, text: str | bytes) -> list[str]:
    """The text that each record of a file points at."""
    data = text.encode() if isinstance(text, str) else text
    return shown(readers.read(path, data), data)


def _where(data: bytes, place: Place, when: tuple[When, ...], record: Setting | Define | None = None) -> str:
    line = data.count(b"\n", 0, place.span.start) + 1
    conditions = " and ".join(f"{'' if part.wanted else 'not '}{part.text}" for part in when)
    configuration = f" [{record.configuration}]" if record is not None and record.configuration else ""
    return f" @{line}" + (f" if {conditions}" if conditions else "") + configuration
