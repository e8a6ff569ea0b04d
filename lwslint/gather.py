"""Reads the discovered files, keeps those that use libwebsockets, and runs their front end.

One file at a time, each on its own: a file that cannot be read, or that brings a front end down,
becomes a :class:`~lwslint.problem.Problem` and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from lwslint import source
from lwslint.discovery import (
    NO_IDIOM,
    NO_LWS,
    NO_WEBSOCKET,
    NOT_PYTHON,
    NOT_PYTHON_3,
    Found,
    Skipped,
    is_python,
    language_of,
)
from lwslint.facts import FileFacts
from lwslint.model.bodies import Body
from lwslint.problem import Problem
from lwslint.settings import Settings
from lwslint.source import ReadError, TooLarge
from lwslint.workers import Unit, lower_all

# A file above the size limit is only a problem when it uses libwebsockets: amalgamations and data
# arrays of megabytes are common and of no interest.  It is looked at in pieces, up to this many bytes.
_SCAN_LIMIT = 64_000_000
_CHUNK = 1 << 20
_OVERLAP = 16

Progress = Callable[[int, int], None]


class Gathered(msgspec.Struct, frozen=True):
    """``facts`` in the order of the files; ``skipped`` are the files without libwebsockets.  ``bodies`` are
    the flattened bodies of functions, by identity, as far as they were needed on the way."""

    facts: tuple[FileFacts, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    bodies: dict[int, Body] = {}


Decide = Callable[[Sequence[str]], Settings]


def gather(
    files: Sequence[Found],
    settings: Settings,
    progress: Progress | None = None,
    decide: Decide | None = None,
) -> Gathered:
    """The facts of all files that mention libwebsockets.

    ``decide`` is told their paths before any is parsed, and returns the settings to parse them with.
    """
    facts: list[FileFacts] = []
    skipped: dict[str, Found] = {}
    python: dict[str, Found] = {}
    reasons: dict[str, str] = {}
    left_out: list[Skipped] = []
    problems: list[Problem] = []
    units: list[Unit] = []
    for number, file in enumerate(files, 1):
        outcome = _one(file, settings)
        match outcome:
            case Unit():
                units.append(outcome)
            case Skipped(reason=reason) if reason == NO_LWS:
                skipped[file.path] = file
            case Skipped(reason=reason) if reason in (NO_WEBSOCKET, NO_IDIOM):
                python[file.path] = file
                reasons[file.path] = reason
            case Problem():
                problems.append(outcome)
        if progress is not None:
            progress(number, len(files))
    if decide is not None:
        settings = decide([unit.path for unit in units])
    _take(lower_all(units, settings), facts, problems, left_out)
    facts.sort(key=lambda file: file.path)
    native = [file for file in facts if file.language != "python"]
    bodies: dict[int, Body] = {}
    if native and skipped:
        facts.extend(_pull(native, skipped, settings, problems, bodies))
    if python:
        from lwslint import gather_python

        linked = gather_python.pull([f for f in facts if f.language == "python"], python, settings)
        _take(lower_all(linked, settings), facts, problems, left_out)
    facts.sort(key=lambda file: file.path)
    left_out += [Skipped(path, NO_LWS) for path in skipped]
    left_out += [Skipped(path, reasons[path]) for path in python]
    return Gathered(tuple(facts), tuple(left_out), tuple(problems), bodies)


def _take(
    outcomes: Sequence[FileFacts | Problem],
    facts: list[FileFacts],
    problems: list[Problem],
    left_out: list[Skipped],
) -> None:
    """Sort what the front ends said; facts may hold a problem of their own.

    Python 2 and broken Python are a reason to leave a file out, not a failure of the run.
    """
    for outcome in outcomes:
        if isinstance(outcome, Problem):
            problems.append(outcome)
            continue
        if outcome.problem in (NOT_PYTHON_3, NOT_PYTHON):
            left_out.append(Skipped(outcome.path, outcome.problem))
            continue
        facts.append(outcome)
        if outcome.problem:
            problems.append(Problem(outcome.path, outcome.problem))


def _pull(
    facts: list[FileFacts],
    skipped: dict[str, Found],
    settings: Settings,
    problems: list[Problem],
    bodies: dict[int, Body],
) -> list[FileFacts]:
    """Parse the files without libwebsockets that define or call what the parsed ones leave open.

    Takes what it parses out of ``skipped``, and leaves the bodies that it flattened in ``bodies``.
    """
    from lwslint import demand

    asker = demand.Asker(bodies)
    asker.add(facts)
    asked: set[str | tuple[str, str]] = set()
    pulled: list[FileFacts] = []
    for _ in range(demand.ROUNDS):
        wanted = asker.ask()
        callers = sorted(wanted.callers - asked)
        definitions = sorted(wanted.definitions - asked)
        asked.update(callers, definitions)
        chosen = _choose(skipped, callers, definitions, settings)[: demand.MAX_FILES - len(pulled)]
        if not chosen:
            break
        outcomes = [_one(skipped.pop(path), settings, linked=True) for path in chosen]
        problems.extend(outcome for outcome in outcomes if isinstance(outcome, Problem))
        fresh: list[FileFacts] = []
        _take(lower_all([o for o in outcomes if isinstance(o, Unit)], settings), fresh, problems, [])
        asker.add(fresh, pulled=True)
        pulled.extend(fresh)
    return pulled


def _choose(
    skipped: dict[str, Found],
    callers: Sequence[tuple[str, str]],
    definitions: Sequence[str],
    settings: Settings,
) -> list[str]:
    """The files that define one of ``definitions`` or mention one of ``callers``, in order of path.

    A name that many files mention is a common word and pulls none of them in.
    """
    from lwslint import demand

    mentioned: dict[tuple[str, str], list[str]] = {}
    chosen: set[str] = set()
    if not callers and not definitions:
        return []
    for path, file in skipped.items():
        try:
            data = source.read(file.real, settings.max_file_size, expected=file.identity)
        except (ReadError, MemoryError):
            continue
        for caller in callers:
            if demand.calls(data, *caller):
                mentioned.setdefault(caller, []).append(path)
        if any(demand.defines(data, name) for name in definitions):
            chosen.add(path)
    for paths in mentioned.values():
        if len(paths) <= demand.MAX_MENTIONS:
            chosen.update(paths)
    return sorted(chosen)


def mentions_lws(data: bytes) -> bool:
    """Whether the bytes can be of a file that uses libwebsockets, directly or by a macro."""
    folded = data.lower()
    return b"lws" in folded or b"libwebsocket" in folded


def _one(file: Found, settings: Settings, linked: bool = False) -> Unit | Skipped | Problem:
    """What there is to lower of one file; with ``linked``, also of one that does not
    mention libwebsockets."""
    try:
        data = source.read(file.real, settings.max_file_size, expected=file.identity)
    except TooLarge as error:
        return _too_large(file, str(error))
    except ReadError as error:
        return Problem(file.path, f"cannot be read: {error}")
    except MemoryError:
        return Problem(file.path, "cannot be read: out of memory")
    if is_python(file.path):
        from lwslint import gather_python

        return gather_python.one(file, data)
    if not linked and not mentions_lws(data):
        return Skipped(file.path, NO_LWS)
    return Unit(file.path, data, language_of(file.path, data))


def _too_large(file: Found, message: str) -> Skipped | Problem:
    mentions, reason = mentions_lws, NO_LWS
    if is_python(file.path):
        from lwslint.frontends.python_prefilter import talks_websocket

        mentions, reason = talks_websocket, NO_WEBSOCKET
    try:
        seen = 0
        tail = b""
        for chunk in _chunks(file):
            if mentions(tail + chunk):
                break
            tail = chunk[-_OVERLAP:]
            seen += len(chunk)
            if seen > _SCAN_LIMIT:
                break
        else:
            return Skipped(file.path, reason)
    except (ReadError, OSError) as error:
        return Problem(file.path, f"cannot be read: {error}")
    return Problem(file.path, f"not analysed: {message} (max-file-size)")


def _chunks(file: Found) -> Iterator[bytes]:
    handle = source.open_regular(file.real, expected=file.identity)
    with open(handle, "rb", buffering=0) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
