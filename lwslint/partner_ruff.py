"""ruff as a partner: what it already finds in Python files that talk WebSocket, merged under its own codes.

lwslint does not repeat what ruff does well.  It runs the ruff that is installed beside it (or, else, one on
PATH) once over these files, with only the rules of :mod:`lwslint.knowledge.ruff_rules`, says what each
finding means for a WebSocket connection, and drops those that a rule of its own explains better.  ``noqa``
comments are ruff's business and work as ever; lwslint's own suppressions work on what is left.

ruff is optional.  Without it a run is complete but for these findings, and says so; a ruff that is there
and fails is a problem of the run.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from lwslint import witness
from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.facts import Place, Span
from lwslint.knowledge.ruff_rules import OLDEST, RULES, RuffRule
from lwslint.problem import Problem
from lwslint.settings import Ladder
from lwslint.source import Texts

if TYPE_CHECKING:
    import subprocess

    from lwslint.model.project import Project
    from lwslint.model.symbols import Definition

TIMEOUT: Final = 60  # seconds for one batch; ruff reads a thousand files in less than one
OUTPUT_LIMIT: Final = 64_000_000  # bytes of one batch's report
BATCH: Final = 20_000  # characters of file names in one command: Windows takes 32,767 in all


class Source(msgspec.Struct, frozen=True):
    """A file for ruff: ``path`` as reports name it, ``real`` where it is."""

    path: str
    real: str


class Finding(msgspec.Struct, frozen=True):
    """What ruff said of one place.  Rows and columns count from 1; a column counts characters."""

    rule: RuffRule
    path: str
    start: tuple[int, int]
    end: tuple[int, int]
    message: str


class Outcome(msgspec.Struct, frozen=True):
    """``unasked`` are the codes that nobody looked for, as there is no usable ruff; ``remark`` says so."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    remark: str = ""
    unasked: frozenset[str] = frozenset()


class RuffError(Exception):
    """ruff could not be run to its end; the text says why."""


# ------------------------------------------------------------------------------------- which ruff


def find(distrusted: Iterable[str]) -> str | None:
    """The absolute path of ruff: the one beside the running Python, else the first on PATH that is not
    inside a ``distrusted`` folder, as the linted tree is; None when there is none."""
    import shutil

    beside = shutil.which("ruff", path=sysconfig.get_path("scripts"))
    if beside is not None:
        return beside
    folders = [os.path.realpath(folder) for folder in distrusted]
    for folder in os.get_exec_path():
        found = shutil.which("ruff", path=folder) if os.path.isabs(folder) else None
        if found is not None and not any(_within(name, folders) for name in (folder, found)):
            return found
    return None


def _within(path: str, folders: Sequence[str]) -> bool:
    real = os.path.realpath(path)
    return any(real == folder or real.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


# ------------------------------------------------------------------------------------- asking


def ask(
    sources: Sequence[Source], codes: Sequence[str], *, distrusted: Iterable[str], isolated: bool = True
) -> Outcome:
    """What ruff says about ``sources`` under ``codes``.

    ``isolated`` leaves the configuration of the linted tree out; else its ``per-file-ignores``, excludes
    and target version count, and ``codes`` stay those that are looked for.
    """
    if not sources:
        return Outcome()
    ruff = find(distrusted)
    if not isolated or sys.platform == "win32":  # its configuration, and PATHEXT, are beyond a witness
        witness.doubt()
    for folder in (sysconfig.get_path("scripts"), *os.get_exec_path()):
        witness.look(os.path.join(os.path.abspath(folder), "ruff"))
    if ruff is None:
        return _without("ruff is not installed", codes)
    findings: list[Finding] = []
    problems: list[Problem] = []
    for batch in batches(sources):
        try:
            findings += _ask(ruff, batch, codes, isolated)
        except RuffError as error:
            if (version := _version(ruff)) is not None and version < OLDEST:
                name = ".".join(map(str, version))
                return _without(f"ruff {name} is too old", codes)
            problems.append(Problem("", f"{error} (--no-ruff does without)"))
            break  # what broke it once breaks it again
    return Outcome(tuple(findings), tuple(problems))


def _without(why: str, codes: Sequence[str]) -> Outcome:
    oldest = ".".join(map(str, OLDEST))
    remark = (
        f"{why}: what its rules find ({', '.join(codes)}) is not reported;"
        f' pip install "ruff>={oldest}", or --no-ruff'
    )
    return Outcome(remark=remark, unasked=frozenset(codes))


def batches(sources: Sequence[Source]) -> Iterator[dict[str, Source]]:
    """The files in lots that one command takes, by the name that ruff's report will give them.

    A name that is not UTF-8 comes back with replacement characters; two that then look the same go into
    different lots.
    """
    batch: dict[str, Source] = {}
    room = BATCH
    for source in sources:
        name = os.fsencode(source.real).decode("utf-8", "replace")
        if batch and (name in batch or len(name) >= room):
            yield batch
            batch, room = {}, BATCH
        batch[name] = source
        room -= len(name) + 1
    if batch:
        yield batch


class _Point(msgspec.Struct):
    row: int
    column: int


class _Reported(msgspec.Struct):
    filename: str
    location: _Point
    end_location: _Point
    message: str
    code: str | None = None


_REPORT = msgspec.json.Decoder(list[_Reported])


def _ask(ruff: str, batch: Mapping[str, Source], codes: Sequence[str], isolated: bool) -> Iterator[Finding]:
    command = [ruff, "check", "--isolated" if isolated else "--force-exclude", "--no-cache", "--no-fix"]
    command += ["--exit-zero", "--quiet", "--output-format", "json", "--select", ",".join(codes), "--"]
    output = _run([*command, *(source.real for source in batch.values())])
    try:
        reported = _REPORT.decode(output or b"[]")
    except msgspec.MsgspecError as error:
        raise RuffError(f"ruff's report cannot be read: {error}") from error
    by_code = {row.code: row for row in RULES if row.code in codes}
    for item in reported:
        row, source = by_code.get(item.code or ""), batch.get(item.filename)
        # What is no rule of ours is a syntax error, which the front end tells in its own way.
        if row is not None and source is not None:
            start, end = item.location, item.end_location
            yield Finding(row, source.path, (start.row, start.column), (end.row, end.column), item.message)


def _run(command: Sequence[str]) -> bytes:
    """The output of one command; raises :class:`RuffError`."""
    import subprocess
    import tempfile
    import threading

    environment = {name: text for name, text in os.environ.items() if not name.startswith("RUFF_")}
    expired = threading.Event()
    with contextlib.ExitStack() as stack:
        complaints = stack.enter_context(tempfile.TemporaryFile())
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
            )
        except OSError as error:
            raise RuffError(f"ruff cannot be run: {command[0]}: {error.strerror}") from error
        stack.callback(_end, process)

        def expire() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(TIMEOUT, expire)
        timer.daemon = True
        timer.start()
        stack.callback(timer.cancel)
        assert process.stdout is not None
        output = process.stdout.read(OUTPUT_LIMIT + 1)
        if len(output) > OUTPUT_LIMIT:
            raise RuffError(f"ruff's report is larger than {OUTPUT_LIMIT} bytes")
        code = process.wait()
        if expired.is_set():
            raise RuffError(f"ruff did not end within {TIMEOUT} seconds")
        if code != 0:
            complaints.seek(0)
            said = " ".join(complaints.read(2000).decode("utf-8", "replace").split())
            raise RuffError(f"ruff failed ({_ending(code)}): {said or 'it said nothing'}")
    return output


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    assert process.stdout is not None
    process.stdout.close()
    process.wait()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _version(ruff: str) -> tuple[int, int] | None:
    try:
        match = re.match(rb"ruff (\d{1,4})\.(\d{1,4})", _run([ruff, "--version"]))
    except RuffError:
        return None
    return (int(match[1]), int(match[2])) if match else None


# ------------------------------------------------------------------------------------- merging


class Rows:
    """The bytes of a file by ruff's rows and columns: LF, CRLF and a lone CR each end a row, and a byte
    order mark is no character."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = [3 if data.startswith(b"\xef\xbb\xbf") else 0]
        self._starts += [match.end() for match in re.finditer(rb"\r\n|\n|\r", data)]

    def offset(self, row: int, column: int) -> int:
        """Clamped to the file: it may have changed since ruff read it."""
        if not 1 <= row <= len(self._starts):
            return len(self._data)
        start = self._starts[row - 1]
        end = self._starts[row] if row < len(self._starts) else len(self._data)
        line = self._data[start:end]
        if line.isascii():
            return start + min(max(column - 1, 0), len(line))
        text = line.decode("utf-8", "replace")[: max(column - 1, 0)]
        return start + len(text.encode("utf-8"))


def places(findings: Sequence[Finding], texts: Texts) -> Iterator[tuple[Finding, Place]]:
    """Each finding with the bytes that it is about."""
    rows: dict[str, Rows] = {}
    for finding in findings:
        if finding.path not in rows:
            rows[finding.path] = Rows(texts.data(finding.path))
        start, end = (rows[finding.path].offset(*point) for point in (finding.start, finding.end))
        yield finding, Place(finding.path, Span(start, max(start, end)))


def diagnostics(
    findings: Sequence[Finding], texts: Texts, ladder: Ladder, project: Project | None
) -> list[Diagnostic]:
    """The findings in lwslint's form, as severe as the code around them makes them.

    What weakens TLS in tests, examples and development, or behind an operator's switch, is a note; what
    only stops an event loop is nobody's business there.  A file that ``project`` has no facts of is
    judged by its path alone.
    """
    around: dict[str, list[Definition]] = {}
    if project is not None and project.python_files:
        for definition in project.python.definitions:
            around.setdefault(definition.path, []).append(definition)
    made = (
        _diagnostic(finding, place, ladder, project, around.get(place.path, ()))
        for finding, place in places(findings, texts)
    )
    return [diagnostic for diagnostic in made if diagnostic is not None]


def _diagnostic(
    finding: Finding,
    place: Place,
    ladder: Ladder,
    project: Project | None,
    definitions: Sequence[Definition],
) -> Diagnostic | None:
    # Imported late: a run without Python needs no model of it.
    from lwslint.model.python_exposure import PRODUCTION, exposure, of_path

    row = finding.rule
    inside = [d for d in definitions if _contains(d.function.span, place.span)]
    definition = min(inside, key=lambda d: d.function.span.end - d.function.span.start, default=None)
    if definition is not None and project is not None and row.impact is Impact.SECURITY:
        decided = exposure(project.python, definition, place.span)
    else:
        decided = of_path(place.path, ladder) or PRODUCTION
    softer = decided.kind not in ("production", "unless")
    if softer and row.impact is Impact.HYGIENE:
        return None
    reason = f"; {decided.text}" if softer and decided.text else ""
    return row.rule.report(
        place,
        f"{row.effect}: {finding.message} (ruff){reason}",
        severity=Severity.NOTE if softer else row.severity,
        help=row.help,
        function=definition.qualified if definition is not None else "",
    )


def _contains(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def without_covered(
    theirs: Sequence[Diagnostic], ours: Iterable[Diagnostic], texts: Texts
) -> list[Diagnostic]:
    """Those of ruff's findings that no finding of lwslint, with the same meaning and on one of the same
    lines, says better."""
    said: dict[str, set[tuple[str, int]]] = {}
    for own in ours:
        said.setdefault(own.code, set()).update(_lines(own, texts))
    covered = {row.code: row.covered for row in RULES}
    return [
        their
        for their in theirs
        if all(said.get(code, set()).isdisjoint(_lines(their, texts)) for code in covered[their.code])
    ]


def _lines(diagnostic: Diagnostic, texts: Texts) -> Iterator[tuple[str, int]]:
    """The lines that a finding is about, with their file; of a very long one, the first hundred."""
    path, (start, end) = diagnostic.place
    first = texts[path].position(start).line
    last = texts[path].position(max(start, end - 1)).line
    return ((path, line) for line in range(first, min(last, first + 99) + 1))
