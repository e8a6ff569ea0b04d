"""One run: discover, gather facts, link them, ask the rules, suppress, filter and sort.

Prints nothing and knows no command line.  Whatever fails is recorded as a problem and the rest of
the run goes on: half of the findings and a clear message are worth more than a traceback.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec

from lwslint import gather_documents, registry, source, suppressions, witness
from lwslint.asking import ask, processes_for
from lwslint.build.builder import Builder
from lwslint.build.facts import BuildFile
from lwslint.build.model import Builds
from lwslint.build.readers import format_of
from lwslint.diagnostics import Diagnostic, Severity, sort_key
from lwslint.discovery import NO_IDIOM, Discovery, Found, Skipped, discover, named_file
from lwslint.facts import FileFacts, Place, Span
from lwslint.ignores import Exclusion
from lwslint.knowledge.ruff_rules import FAMILY
from lwslint.partner_ruff import Finding
from lwslint.partner_ruff import Outcome as RuffOutcome
from lwslint.problem import Problem, crash
from lwslint.rule import LoadedRule
from lwslint.settings import Ladder, Settings
from lwslint.source import Texts, identity
from lwslint.suppressions import Outcome, PathIgnore, Suppressed

if TYPE_CHECKING:
    from lwslint.cache import Cache
    from lwslint.gather import Gathered
    from lwslint.memory import Memory
    from lwslint.model.bodies import Body
    from lwslint.model.project import Project
    from lwslint.workers import Pool

Progress = Callable[[int, int], None]


class Parsed(msgspec.Struct, frozen=True):
    """How well one file parsed: its size, and how many bytes lie in syntax that was not understood."""

    path: str
    language: str
    size: int
    error_bytes: int
    errors: tuple[Span, ...] = ()


class Hidden(msgspec.Struct, frozen=True):
    """How many findings are not shown for one reason."""

    reason: str
    number: int


class Result(msgspec.Struct, frozen=True):
    """What a run found.  ``parsed`` are the files analysed; ``other`` counts the files that are not
    source code; ``texts`` gives reporters the lines to show.

    ``diagnostics`` are those to report.  ``everything`` holds those that are hidden too (``hidden`` says
    how many and why): a fingerprint depends on its equals, shown or not.  ``stale`` counts the entries
    of the baseline that match nothing any more.  ``unasked`` are codes of rules whose partner tool is not
    installed, which ``remarks`` then say.  ``builds`` is what the build files say.
    """

    diagnostics: tuple[Diagnostic, ...]
    parsed: tuple[Parsed, ...]
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    texts: Texts
    other: int = 0
    everything: tuple[Diagnostic, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    stale: int = 0
    remarks: tuple[str, ...] = ()
    unasked: frozenset[str] = frozenset()
    builds: Builds = Builds()

    def of(self, severity: Severity) -> int:
        return sum(1 for diagnostic in self.diagnostics if diagnostic.severity is severity)


def lint(
    paths: Sequence[str],
    settings: Settings,
    rules: Sequence[LoadedRule],
    *,
    cwd: str,
    exclude: Sequence[Exclusion] = (),
    per_file_ignores: Sequence[PathIgnore] = (),
    catalogue: Sequence[LoadedRule] = (),
    progress: Progress | None = None,
    distrusted: Sequence[str] = (),
    cache: Cache | None = None,
    jobs: int | None = None,
    copies: Mapping[str, str] = {},
    discovery: Discovery | None = None,
    database: str = "",
) -> Result:
    """Lint ``paths`` with ``rules`` (already selected).

    ``exclude`` stands for ``settings.exclude``, bound to the folders that its patterns start in.
    ``catalogue`` are all rules there are (default: ``rules``), which a suppression may name.
    ``progress`` is called with files done and files in all.  No partner tool is run from below ``paths``
    or the folders in ``distrusted``.  Neither ``cache``, where earlier runs have left what they know, nor
    ``jobs``, the number of processes, changes what is found.  ``copies`` are files to read in the place of
    others, by the real path of these.  ``discovery`` is what the walk over ``paths`` found, when that was
    done before.  ``database`` is the compilation database to use, wherever it lies.
    """
    # Imported late, with the parsers: `lwslint rules` and `--version` need neither.
    from lwslint.gather import gather
    from lwslint.memory import Memory
    from lwslint.prefilter import Scout
    from lwslint.workers import Pool

    memory = Memory(cache, settings, [cwd, *paths])
    with _uncollected(), Pool(jobs) as pool:
        scout = Scout(memory, pool)
        found = discovery
        if found is None:
            found = discover(paths, cwd=cwd, exclude=exclude, found=scout.take)
        settings = msgspec.structs.replace(settings, python=_applied(settings.python, found.files))
        files, build_files, documents_found = (
            tuple(_copied(file, copies) for file in kind)
            for kind in (found.files, found.build_files, found.documents)
        )
        named_database = named_file(database, cwd) if database else None
        reader = partial(memory.build_files, pool=pool)
        builder = Builder(build_files, files, settings, named_database, reader, found.copies)
        gathered = gather(files, settings, progress, builder, memory, pool, scout)
        settings = builder.settings
        documents = gather_documents.gather(documents_found, settings)
        facts = (*gathered.facts, *documents.facts)
        linking = _Linking(gathered, documents.facts, settings, builder.builds)
        found_by_rules, crashes = _findings(linking, rules, memory, pool)
        lint_in = partial(_in_build, files, rules, memory, pool, documents.facts)
        found_by_rules, in_others = _in_all_builds(found_by_rules, facts, builder, lint_in)
        readable = (*found.files, *found.build_files, *found.documents)
        readable += (named_database,) if named_database is not None else ()
        texts = Texts({file.path: file.real for file in readable}, settings.max_file_size, copies)
        places = [os.path.join(cwd, path) for path in paths]
        ruff = _ask_ruff(files, gathered, rules, settings, memory, (*places, *distrusted))
        found_by_rules = _merge(found_by_rules, ruff, texts, settings, linking)
    ran = [loaded for loaded in rules if loaded.rule.code not in ruff.unasked]
    problems = (
        *found.problems,
        *gathered.problems,
        *documents.problems,
        *crashes,
        *in_others,
        *ruff.problems,
        *builder.problems,
        # What was asked for by name, and decides nothing now.
        *(
            Problem(file.path, file.problem)
            for file in builder.builds.files
            if file.problem and named_database is not None and file.path == named_database.path
        ),
    )
    try:
        found_by_rules = _with_fixes(found_by_rules, facts, texts)
    except Exception as error:
        problems = (*problems, crash("the fixes", error))
    # A file that was named alone is seen without what calls it, and a run with problems has gaps: a
    # finding may be missing there, which does not make its suppression superfluous.
    named = {file.path for file in readable if file.explicit}
    named_so = {file.path: file for file in files}
    speaking = [
        file
        for file in facts
        if file.path not in named_so or memory.hints(named_so[file.path])(suppressions.mentions_lwslint)
    ]
    memory.save()
    try:
        outcome = suppressions.apply(
            found_by_rules,
            (*speaking, *_only_in(ruff.findings, facts), *map(_commented, builder.builds.files)),
            texts,
            ran,
            catalogue or rules,
            judged=lambda path: not problems and path not in named,
        )
    except Exception as error:
        outcome = Outcome(found_by_rules, (), ())
        problems = (*problems, crash("the suppressions", error))
    everything = tuple(sorted((*found_by_rules, *outcome.complaints), key=sort_key))
    kept, by_path = suppressions.by_path(
        sorted((*outcome.kept, *outcome.complaints), key=sort_key), per_file_ignores, texts, rules
    )
    # Last, so that a comment that suppresses an unsure finding is not called unused.
    shown = tuple(diagnostic for diagnostic in kept if diagnostic.confidence >= settings.min_confidence)
    return Result(
        diagnostics=shown,
        parsed=tuple(map(_parsed, sorted(facts, key=lambda file: file.path))),
        skipped=tuple(
            sorted((*found.skipped, *gathered.skipped, *documents.skipped), key=lambda item: item.path)
        ),
        problems=problems,
        texts=texts,
        other=found.other + documents.other,
        everything=everything,
        suppressed=(*outcome.suppressed, *by_path),
        hidden=hidden(
            ("suppressed by a comment", len(outcome.suppressed)),
            ("suppressed by per-file-ignores", len(by_path)),
        ),
        remarks=(ruff.remark,) if ruff.remark else (),
        unasked=ruff.unasked,
        builds=builder.builds,
    )


def _copied(file: Found, copies: Mapping[str, str]) -> Found:
    """``file``, or the copy that stands for it."""
    copy = copies.get(file.real) if copies else None
    if copy is None:
        return file
    status = os.stat(copy)
    return msgspec.structs.replace(file, real=copy, identity=identity(status), stamp=witness.stamp(status))


def _with_fixes(
    found: tuple[Diagnostic, ...], facts: Sequence[FileFacts], texts: Texts
) -> tuple[Diagnostic, ...]:
    """The findings with their remedies turned into fixes."""
    if all(diagnostic.remedy is None for diagnostic in found):
        return found
    from lwslint.fixes.resolve import resolve

    return resolve(found, texts, {file.path: file.language for file in facts})


def _applied(ladder: Ladder, files: Sequence[Found]) -> Ladder:
    """The ladder with the files that its patterns match."""

    def matched(patterns: Sequence[str]) -> dict[str, str]:
        spec = [(pattern, Exclusion(ladder.folder or os.getcwd(), [pattern])) for pattern in patterns]
        places = ((file.path, os.path.abspath(file.real)) for file in files if spec)
        found = ((path, next((p for p, m in spec if m(real, folder=False)), "")) for path, real in places)
        return {path: pattern for path, pattern in found if pattern}

    return msgspec.structs.replace(
        ladder,
        production=matched(ladder.production_paths),
        development=matched(ladder.development_paths),
    )


def hidden(*counts: tuple[str, int]) -> tuple[Hidden, ...]:
    """The reasons that hid anything."""
    return tuple(Hidden(reason, number) for reason, number in counts if number)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cyclic collector: facts and models live to the end of the run, and it would walk ever
    more of them for next to nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _in_all_builds(
    found: tuple[Diagnostic, ...],
    facts: Sequence[FileFacts],
    builder: Builder,
    lint_in: Callable[[Builder], Checked],
) -> Checked:
    """The findings of all builds that are judged; ``found`` are those of the first.

    A build that no condition in the code tells from the first has the same findings.
    """
    others = builder.settings.other_builds
    if not others:
        return found, ()
    from lwslint.build import several

    results = [(builder.settings.build.name, found)]
    problems: list[Problem] = []
    for build in others:
        other = builder.of(build)
        other.decide([file.path for file in facts])
        diagnostics = found
        if several.differs(facts, builder.compiled, other.compiled):
            diagnostics, more = lint_in(other)
            problems += more
        results.append((build.name, diagnostics))
    return _once(several.merge(results)), tuple(problems)


def _in_build(
    files: Sequence[Found],
    rules: Sequence[LoadedRule],
    memory: Memory,
    pool: Pool,
    documents: Sequence[FileFacts],
    builder: Builder,
) -> Checked:
    """What the rules find in one more build of the same files."""
    from lwslint.gather import gather

    gathered = gather(files, builder.settings, None, builder, memory, pool)
    linking = _Linking(gathered, documents, builder.settings, builder.builds)
    return _findings(linking, rules, memory, pool)


class _Linking:
    """What makes a project, which is linked when it is first asked for."""

    def __init__(
        self, gathered: Gathered, documents: Sequence[FileFacts], settings: Settings, builds: Builds
    ) -> None:
        self._gathered = gathered
        self._documents = documents
        self._settings = settings
        self._builds = builds

    @cached_property
    def linked(self) -> tuple[Project | None, tuple[Problem, ...]]:
        facts = (*self._gathered.facts, *self._documents)
        return _link(facts, self._settings, self._gathered.bodies, self._builds)

    @property
    def size(self) -> int:
        """The bytes of the sources."""
        return sum(file.size for file in self._gathered.facts)

    def key(self, rules: Sequence[LoadedRule], memory: Memory) -> str:
        """Under what the findings are kept; empty when the facts of some file are not."""
        if not all(self._gathered.keys):
            return ""
        codes = [loaded.rule.code for loaded in rules]
        parts = (self._gathered.keys, self._documents, self._settings, self._builds, codes)
        return memory.findings_key(registry.folders(rules), *parts)


def _findings(linking: _Linking, rules: Sequence[LoadedRule], memory: Memory, pool: Pool) -> Checked:
    """What the rules find, now or in an earlier run on the same facts."""
    key = linking.key(rules, memory)
    known = memory.findings(key)
    if known is not None:
        return known, ()
    project, unlinked = linking.linked
    pool.close()  # its processes would be copied, too
    found, crashes = check(project, rules, processes_for(linking.size, pool.size))
    if not unlinked and not crashes:
        memory.keep_findings(key, found)
    return found, (*unlinked, *crashes)


def _link(
    facts: Sequence[FileFacts], settings: Settings, bodies: Mapping[int, Body], build: Builds
) -> tuple[Project | None, tuple[Problem, ...]]:
    """The project that facts and build files make: none where there are none, as a tree without
    libwebsockets has no project.

    ``bodies`` are those that were flattened before, by the identity of their function.
    """
    if not facts and not build.files:
        return None, ()
    try:
        from lwslint.model.project import Project

        return Project(facts, settings, bodies, build), ()
    except Exception as error:
        return None, (crash("the project model", error),)


Checked = tuple[tuple[Diagnostic, ...], tuple[Problem, ...]]


def check(project: Project | None, rules: Sequence[LoadedRule], processes: int = 1) -> Checked:
    """Ask each rule; the findings come sorted and without repetition."""
    if project is None:
        return (), ()
    answers = ask(project, rules, processes)
    found = [diagnostic for answer in answers for diagnostic in answer.found]
    problems = [answer.problem for answer in answers if answer.problem is not None]
    if project.build.compilations:
        from lwslint.build import notes

        found = [notes.annotated(diagnostic, project) for diagnostic in found]
    return _once(found), tuple(problems)


# ------------------------------------------------------------------------------------- the partner tool


def _ask_ruff(
    files: Sequence[Found],
    gathered: Gathered,
    rules: Sequence[LoadedRule],
    settings: Settings,
    memory: Memory,
    distrusted: Sequence[str],
) -> RuffOutcome:
    """What ruff says, under those of its rules that are selected, about Python that talks WebSocket."""
    codes = tuple(loaded.rule.code for loaded in rules if loaded.rule.family == FAMILY)
    if not codes:
        return RuffOutcome()
    from lwslint import partner_ruff

    parsed = {file.path for file in gathered.facts if file.language == "python"}
    talk = {item.path for item in gathered.skipped if item.reason == NO_IDIOM}
    if parsed:
        from lwslint.frontends.python_prefilter import uses_websocket

        # What was only parsed because a file that talks WebSocket needs it is none of ruff's business here.
        talk |= {f.path for f in files if f.path in parsed and memory.hints(f)(uses_websocket)}
    sources = [partner_ruff.Source(file.path, file.real) for file in files if file.path in talk]
    try:
        with source.on_disk(item.real for item in sources) as places:
            sources = [msgspec.structs.replace(item, real=places[item.real]) for item in sources]
            isolated = settings.ruff != "project"
            return partner_ruff.ask(sources, codes, distrusted=distrusted, isolated=isolated)
    except Exception as error:
        return RuffOutcome(problems=(crash("the partner ruff", error),))


def _merge(
    own: Sequence[Diagnostic], ruff: RuffOutcome, texts: Texts, settings: Settings, linking: _Linking
) -> tuple[Diagnostic, ...]:
    """The findings of lwslint with those that ruff adds."""
    if not ruff.findings:
        return tuple(own)
    from lwslint import partner_ruff

    project, _ = linking.linked
    theirs = partner_ruff.diagnostics(ruff.findings, texts, settings.python, project)
    return _once([*own, *partner_ruff.without_covered(theirs, own, texts)])


def _only_in(findings: Sequence[Finding], facts: Sequence[FileFacts]) -> Iterator[FileFacts]:
    """The files in which only ruff found something, and which were not parsed: their comments count too."""
    known = {file.path for file in facts}
    for path in sorted({finding.path for finding in findings} - known):
        yield FileFacts(path, "python", 0)


def _once(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in order, one of each rule at a place: the worst, and of those the surest.

    A function that is compiled in several ways under ``#if`` would be reported once for each.
    """
    best: dict[tuple[str, Place], Diagnostic] = {}
    for diagnostic in sorted(found, key=sort_key):
        key = (diagnostic.code, diagnostic.place)
        known = best.get(key)
        if known is None or (diagnostic.severity, diagnostic.confidence) > (known.severity, known.confidence):
            best[key] = diagnostic
    return tuple(sorted(best.values(), key=sort_key))


def _commented(file: BuildFile) -> FileFacts:
    """A build file as suppressions see it: a path, and how its comments are written."""
    row = format_of(file.path)
    return FileFacts(file.path, row.comments if row is not None else "other", 0)


def _parsed(facts: FileFacts) -> Parsed:
    return Parsed(facts.path, facts.language, facts.size, facts.error_bytes, facts.errors)


def first_to_fix(diagnostics: Sequence[Diagnostic]) -> Diagnostic | None:
    """The finding that explains most: a lost connection before a crash before lost protection; among
    equals the more severe and the surer one."""
    return min(
        diagnostics,
        key=lambda d: (d.severity is Severity.NOTE, d.impact, -d.severity, -d.confidence, *sort_key(d)),
        default=None,
    )


def fails(result: Result, fail_on: Severity | None) -> bool:
    """Whether a finding is at or above the severity that makes a run fail (None: nothing is)."""
    return fail_on is not None and any(d.severity >= fail_on for d in result.diagnostics)
