"""The JSON files among the discovered ones that libwebsockets reads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lwslint import source
from lwslint.discovery import NO_LWS, Found, Skipped
from lwslint.facts import FileFacts
from lwslint.problem import Problem, crash
from lwslint.settings import Settings
from lwslint.source import ReadError, TooLarge


class Gathered(msgspec.Struct, frozen=True):
    """``other`` counts the files that are something else; those of them that were named are ``skipped``."""

    facts: tuple[FileFacts, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    other: int = 0


def gather(files: Sequence[Found], settings: Settings) -> Gathered:
    """The facts of the files that are an lwsws configuration or a Secure Streams policy."""
    facts: list[FileFacts] = []
    skipped: list[Skipped] = []
    problems: list[Problem] = []
    for file in files:
        outcome = _one(file, settings)
        if isinstance(outcome, FileFacts) and outcome.problem:
            problems.append(Problem(file.path, outcome.problem))
        elif isinstance(outcome, FileFacts):
            facts.append(outcome)
        elif isinstance(outcome, Problem):
            problems.append(outcome)
        elif file.explicit:
            skipped.append(Skipped(file.path, NO_LWS))
    other = len(files) - len(facts) - len(problems) - len(skipped)
    return Gathered(tuple(facts), tuple(skipped), tuple(problems), other)


def _one(file: Found, settings: Settings) -> FileFacts | Problem | None:
    # Imported late: most trees have no file of the kind, and need no parser for it.
    from lwslint.frontends.prefilter_documents import PEEK, begins_like_json, mentions

    try:
        head = source.peek(file.real, PEEK, expected=file.identity)
        if not begins_like_json(head):
            return None
        data = source.read(file.real, settings.max_file_size, expected=file.identity)
    except TooLarge as error:
        # Most JSON of that size is data; what libwebsockets reads says so early.
        return Problem(file.path, f"not analysed: {error} (max-file-size)") if mentions(head) else None
    except ReadError as error:
        return Problem(file.path, f"cannot be read: {error}")
    except MemoryError:
        return Problem(file.path, "cannot be read: out of memory")
    if not mentions(data):
        return None
    from lwslint.frontends import documents

    try:
        return documents.extract(file.path, data)
    except Exception as error:
        return crash("the front end", error, file.path)
