"""The command line: ``lwslint PATH…`` and its sub-commands.

The report goes to standard output, everything else to standard error.  Exit code 0: no finding at or
above ``--fail-on``; 1: there is one; 2: usage, configuration, a path that could not be analysed, or
an internal error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import msgspec

from lwslint import __version__, config, output, registry, witness
from lwslint.config import ConfigError, ConfigFile, Options
from lwslint.knowledge import ruff_rules
from lwslint.output import STDOUT, Output
from lwslint.progress import Bar
from lwslint.registry import RegistryError, SelectorError
from lwslint.replay import Recording
from lwslint.reporters import FORMATS, TEXT, WIDTH, View, logs
from lwslint.reporters.style import Style, wants_colour
from lwslint.rule import LoadedRule
from lwslint.source import clean, clean_lines
from lwslint.streams import OutputError, make_printable, use_utf8
from lwslint.streams import complain as _complain
from lwslint.streams import print_lines as _print
from lwslint.streams import say as _say

if TYPE_CHECKING:
    from lwslint.baseline import Baseline
    from lwslint.cache import Cache
    from lwslint.engine import Result
    from lwslint.fixes.rounds import Outcome as FixOutcome
    from lwslint.fixes.rounds import Workplace
    from lwslint.ignores import Exclusion
    from lwslint.settings import Settings
    from lwslint.shards import Union
    from lwslint.suppressions import PathIgnore

CLEAN, FOUND, BROKEN, INTERRUPTED = 0, 1, 2, 130
_COMMANDS = """\
commands:
  lwslint PATH ...          lint files and folders (default: the current folder)
  lwslint rule NAME|CODE    explain a rule
  lwslint rules             list all rules
  lwslint new-rule CODE NAME --family FAMILY --pack FOLDER
                            write the files of a new rule, for rule authors
  lwslint init [PATH]       write a commented lwslint.toml from what the tree says
  lwslint baseline PATH ... write the findings to a file that --baseline then hides
  lwslint completion SHELL  print the completion for bash, zsh or fish
  lwslint clean             remove what runs have kept in the cache
  lwslint facts PATH ...    write what files say to a shard, for `lwslint link`
  lwslint link SHARD ...    lint what shards hold

A path that is called like a command is given as ./rule.
Exit code: 0 nothing found, 1 findings at or above --fail-on, 2 error.
"""


class UsageError(Exception):
    """The command line asks for something that does not exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and raises nothing but SystemExit (argparse)."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    make_printable()
    try:
        match argv[:1]:
            case ["rule"]:
                return _explain(argv[1:])
            case ["rules"]:
                return _list(argv[1:])
            case ["init"]:
                return _init(argv[1:])
            case ["baseline"]:
                return _baseline(_baseline_parser().parse_args(argv[1:]))
            case ["completion"]:
                return _complete(argv[1:])
            case ["clean"]:
                return _clean(_clean_parser().parse_args(argv[1:]))
            case ["facts"]:
                return _facts(_facts_parser().parse_args(argv[1:]))
            case ["link"]:
                return _link(_link_parser().parse_args(argv[1:]))
            case ["new-rule"]:
                return _new_rule(argv[1:])
            case _:
                return _lint(argv, _checked(_parser().parse_args(argv)))
    except (UsageError, ConfigError, SelectorError, RegistryError, OutputError) as error:
        _complain(str(error))
        return BROKEN
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED


# ------------------------------------------------------------------------------------- arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BROKEN, f"{self.prog}: error: {clean(message)}\nTry `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lwslint",
        usage="lwslint [options] [PATH ...]",
        description="Finds what makes a program that uses libwebsockets hang, crash or lose its protection.",
        epilog=_COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_analysis(parser)
    _add_memory(parser)
    _add_narrowing(parser)
    _add_fixing(parser)
    _add_report(parser)
    return parser


def _baseline_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lwslint baseline",
        usage="lwslint baseline [options] [PATH ...]",
        description="Writes the findings of a run to a file; --baseline FILE then hides them.",
        allow_abbrev=False,
    )
    _add_analysis(parser)
    _add_memory(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        dest="baseline",
        help="the file (default: that of the configuration, else ./lwslint-baseline.json)",
    )
    parser.add_argument(
        "--prune", action="store_true", help="only take out of the file what is not found any more"
    )
    return parser


def _add_analysis(parser: argparse.ArgumentParser, paths: str = "PATH") -> None:
    """What is linted and how: the same for every command that lints."""
    add = parser.add_argument
    if paths == "PATH":
        add(
            "paths", nargs="*", metavar=paths, help="a file or a folder to lint (default: the current folder)"
        )
    else:
        add("paths", nargs="+", metavar=paths, help="a file that `lwslint facts` has written")
    add("--version", action="version", version=f"lwslint {__version__}")
    add(
        "--select",
        action="append",
        metavar="RULES",
        help="only these rules: codes, beginnings of codes, names or families, separated by commas",
    )
    add("--ignore", action="append", metavar="RULES", help="all rules but these")
    add("--min-confidence", choices=tuple(config.CONFIDENCES), help="leave out findings that are less sure")
    add(
        "--fail-on",
        choices=tuple(config.FAIL_ON),
        help="the least severity that makes the exit code 1 (default: warning)",
    )
    add(
        "--exit-zero", action="store_const", const="never", dest="fail_on", help="the same as --fail-on never"
    )
    add(
        "--build",
        metavar="NAME",
        help="the build that is judged: production (NDEBUG defined, DEBUG not), development, or one of the"
        " configuration (default: all of these that go into production, else production)",
    )
    add(
        "-D",
        action="append",
        default=[],
        metavar="NAME[=TEXT]",
        dest="defines",
        help="the build defines this macro",
    )
    add(
        "-U",
        action="append",
        default=[],
        metavar="NAME",
        dest="undefines",
        help="the build does not define this macro",
    )
    add(
        "-p",
        metavar="FOLDER",
        dest="database",
        help="the folder that holds compile_commands.json, or that file (default: one in the tree or its"
        " build* folders, if it is of the kind of build that is judged)",
    )
    add(
        "--lws-version",
        metavar="VERSION",
        help="the libwebsockets release the program is built with, such as 4.3.2",
    )
    add(
        "--exclude",
        action="append",
        metavar="PATTERN",
        help="leave out what this pattern, written as in .gitignore, matches",
    )
    add(
        "--no-ruff",
        action="store_const",
        const=False,
        dest="ruff",
        help="do not ask ruff about Python files that talk WebSocket",
    )
    add("--config", metavar="FILE", help="use this configuration file")
    add("--isolated", action="store_true", help="use no configuration file")
    add(
        "--jobs",
        type=_jobs,
        metavar="N",
        help="work in at most this many processes (default: as many as the machine gives)",
    )


def _add_memory(parser: argparse.ArgumentParser) -> None:
    """What is known from earlier runs."""
    _add_cache(parser)
    parser.add_argument(
        "--no-cache", action="store_true", help="use nothing of earlier runs and keep nothing for later ones"
    )


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache-dir",
        metavar="FOLDER",
        help="where runs keep what later ones need not find out again (default: the user's cache)",
    )


def _jobs(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 6 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return number


def _part(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and len(text) < 12 and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part such as 1/4")
    return int(number), int(count)


def _clean_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lwslint clean",
        description="Remove what runs have kept in the cache.",
        allow_abbrev=False,
    )
    _add_cache(parser)
    return parser


def _facts_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lwslint facts",
        usage="lwslint facts [options] -o SHARD [PATH ...]",
        description="Writes what files say to a shard.  Run it and `lwslint link` in the same folder (or in"
        " copies of it), with the same options.",
        allow_abbrev=False,
    )
    _add_analysis(parser)
    add = parser.add_argument
    add("-o", "--output", metavar="SHARD", required=True, dest="shard", help="the file to write")
    add("--all", action="store_true", help="lower files without libwebsockets too, so that linking need not")
    add("--part", type=_part, metavar="I/N", help="only the I-th of N parts of the paths; link needs all N")
    return parser


def _link_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lwslint link",
        usage="lwslint link [options] SHARD ...",
        description="Lints what shards made by `lwslint facts` hold, as one run on all their paths would.",
        allow_abbrev=False,
    )
    _add_analysis(parser, paths="SHARD")
    _add_baseline(parser)
    _add_report(parser)
    parser.set_defaults(
        project=None, new_since=None, staged=False, add_ignores=False, reason=None, fix=False, diff=False
    )
    return parser


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--baseline", metavar="FILE", help="leave out the findings in this file, made by `lwslint baseline`")
    add("--no-baseline", action="store_const", const="", dest="baseline", help="use no baseline")


def _add_narrowing(parser: argparse.ArgumentParser) -> None:
    """Which of the findings are reported."""
    add = parser.add_argument
    add(
        "--project",
        metavar="FOLDER",
        help="read all of this folder, and report only what is in the given paths",
    )
    _add_baseline(parser)
    new = parser.add_mutually_exclusive_group()
    new.add_argument(
        "--new-since", metavar="REV", help="only what is new since the branch left this revision"
    )
    new.add_argument("--staged", action="store_true", help="only what lines take part in that git has staged")


def _add_fixing(parser: argparse.ArgumentParser) -> None:
    """What is changed in the linted files."""
    add = parser.add_argument
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--fix", action="store_true", help="change the code where that is safe")
    change.add_argument(
        "--diff", action="store_true", help="print what --fix would change, and change nothing; 1 if anything"
    )
    change.add_argument(
        "--add-ignores", action="store_true", help="suppress all that is reported by comments in the code"
    )
    add(
        "--unsafe-fixes",
        action="store_true",
        help="with --fix or --diff: also change what others may rely on (see the rule's page)",
    )
    add("--reason", metavar="TEXT", help="what the comments of --add-ignores give as their reason")


def _add_report(parser: argparse.ArgumentParser) -> None:
    """How the findings are reported."""
    add = parser.add_argument
    add(
        "--output-format",
        action="append",
        metavar="FORMAT[:FILE]",
        dest="outputs",
        help=f"how to report, and into which file (default: full, to standard output); can be given several "
        f"times; formats: {', '.join(FORMATS)}",
    )
    add("--statistics", action="store_true", help="also count the findings of each rule")
    add(
        "--show-files",
        action="store_true",
        help="print which files are analysed and why others are not, no findings",
    )
    add(
        "--show-build",
        action="store_true",
        help="print what the build files say: builds, macros, programs, the release of libwebsockets; no"
        " findings (--output-format json: for programs)",
    )
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="findings only, no summary")
    volume.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also say what did not parse, what was left out and what is suppressed",
    )


def _checked(arguments: argparse.Namespace) -> argparse.Namespace:
    """Options that need or exclude each other; raises :class:`UsageError`."""
    if arguments.add_ignores and arguments.reason is None:
        raise UsageError("--add-ignores needs --reason TEXT")
    if arguments.reason is not None and not arguments.add_ignores:
        raise UsageError("--reason belongs to --add-ignores")
    if arguments.add_ignores and arguments.show_files:
        raise UsageError("--add-ignores and --show-files exclude each other")
    if arguments.unsafe_fixes and not (arguments.fix or arguments.diff):
        raise UsageError("--unsafe-fixes belongs to --fix or --diff")
    if (arguments.fix or arguments.diff) and arguments.show_files:
        raise UsageError(f"--{'fix' if arguments.fix else 'diff'} and --show-files exclude each other")
    if arguments.show_build:
        others = ("add_ignores", "fix", "diff", "show_files")
        if other := next((name for name in others if getattr(arguments, name)), ""):
            raise UsageError(f"--{other.replace('_', '-')} and --show-build exclude each other")
        if unfit := set(arguments.outputs or ()) - {"full", "json"}:
            raise UsageError(f"--show-build is printed as full or json, not as {min(unfit)}")
    if arguments.diff and arguments.outputs:
        raise UsageError("--diff prints a diff and no report: leave --output-format out")
    return arguments


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        select=_words(arguments.select),
        ignore=_words(arguments.ignore),
        min_confidence=arguments.min_confidence,
        fail_on=arguments.fail_on,
        lws_version=arguments.lws_version,
        ruff=arguments.ruff,
    )


def _words(values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    return tuple(word for value in values for part in value.split(",") if (word := part.strip()))


# ------------------------------------------------------------------------------------- linting


class _Run(NamedTuple):
    """What a command line and its configuration ask for."""

    arguments: argparse.Namespace
    file: ConfigFile | None
    settings: Settings
    catalogue: tuple[LoadedRule, ...]
    rules: tuple[LoadedRule, ...]
    union: Union | None = None

    @property
    def roots(self) -> list[str]:
        """The absolute paths that are read: the project's folder, else the given paths."""
        project = getattr(self.arguments, "project", None)
        paths = self.arguments.paths if project is None else [project]
        return [os.path.normpath(os.path.join(os.getcwd(), path)) for path in paths or ["."]]

    @property
    def folder(self) -> str:
        first = self.roots[0]
        return first if os.path.isdir(first) else os.path.dirname(first)

    @property
    def baseline(self) -> str:
        """The baseline's path, from the command line or the configuration; "" for none."""
        if self.arguments.baseline is not None:
            return str(self.arguments.baseline)
        chosen = self.file.options.baseline if self.file else None
        if self.file is None or not chosen:
            return ""
        path = os.path.join(self.file.folder, chosen)
        # The configuration may belong to code that is not trusted, and `lwslint baseline` writes.
        top, folder = os.path.realpath(self.file.folder), os.path.realpath(os.path.dirname(path))
        if os.path.commonpath((top, folder)) != top:
            raise UsageError(
                f"{self.file.path}: baseline: {chosen!r} leads out of the configuration's folder"
            )
        return path


def _prepare(arguments: argparse.Namespace) -> _Run:
    file = _config_file(arguments)
    under = file.options if file is not None else Options()
    options = config.merge(_options(arguments), under)
    folder = file.folder if file is not None else ""
    settings = config.settings(
        options, arguments.defines, arguments.undefines, build=arguments.build, folder=folder
    )
    catalogue = _catalogue()
    rules = _select(catalogue, options, file, arguments)
    if settings.ruff == "off":
        rules = tuple(loaded for loaded in rules if loaded.rule.family != ruff_rules.FAMILY)
    return _Run(arguments, file, settings, catalogue, rules)


def _catalogue() -> tuple[LoadedRule, ...]:
    """All rules that a run may report: those of the packs, and those of ruff that it passes on."""
    return (*registry.load(), *ruff_rules.loaded())


def _cache(run: _Run) -> Cache | None:
    """The cache of a run; the default one is not used where the linted tree holds it."""
    from lwslint import cache

    if run.union is not None:
        return run.union.facts
    if run.arguments.no_cache:
        return None
    found = cache.find(run.arguments.cache_dir)
    if found is None or run.arguments.cache_dir is not None:
        return found
    place = os.path.realpath(found.folder)
    inside = any(place.startswith(os.path.join(os.path.realpath(root), "")) for root in run.roots)
    return None if inside else found


def _analyse(
    run: _Run, at: Callable[[str], str] | None = None, copies: Mapping[str, str] | None = None
) -> Result:
    """Lint what the command line names; with ``at``, in another place for each absolute path; with
    ``copies``, these in the place of the files whose real paths they are listed by."""
    from lwslint import engine

    paths = [at(root) for root in run.roots] if at is not None else None
    if paths is None:
        project = getattr(run.arguments, "project", None)
        paths = [project] if project is not None else run.arguments.paths or ["."]
    bar = Bar(sys.stderr)
    cache = _cache(run) if not copies else None  # a copy must not be taken for the file later
    settings = run.settings
    if at is not None and settings.python.folder:
        ladder = msgspec.structs.replace(settings.python, folder=at(settings.python.folder))
        settings = msgspec.structs.replace(settings, python=ladder)
    try:
        return engine.lint(
            paths,
            settings,
            run.rules,
            cwd=os.getcwd(),
            exclude=_exclusions(run, at),
            per_file_ignores=_path_ignores(run, at),
            catalogue=run.catalogue,
            progress=bar,
            distrusted=run.roots,
            cache=cache,
            jobs=run.arguments.jobs,
            discovery=run.union.discovery if run.union is not None else None,
            copies=copies or {},
            database=_database(run.arguments.database),
        )
    finally:
        bar.close()
        if cache is not None:
            cache.close()


def _database(path: str | None) -> str:
    """The compilation database that ``-p`` names; "" without one."""
    if path is None:
        return ""
    witness.look(os.path.abspath(path))
    file = os.path.join(path, "compile_commands.json") if os.path.isdir(path) else path
    if not os.path.isfile(file):
        where = f"{path} has no compile_commands.json" if os.path.isdir(path) else f"{path}: no such file"
        raise UsageError(f"-p: {where}")
    return file


# What may be asked for in a run that an equal one can repeat from memory: nothing that writes files or
# asks git.
_REPEATABLE = frozenset(
    [
        *("paths", "select", "ignore", "min_confidence", "fail_on", "build", "defines", "undefines"),
        *("lws_version", "exclude", "config", "isolated", "baseline", "project", "outputs", "statistics"),
        *("show_files", "quiet", "verbose", "jobs", "cache_dir", "ruff", "database"),
    ]
)


def _is_repeatable(arguments: argparse.Namespace) -> bool:
    asked = {name for name, value in vars(arguments).items() if value not in (None, False, [])}
    to_files = any(file != STDOUT for _, file in output.parse(arguments.outputs or ["full"]))
    return asked <= _REPEATABLE and not to_files


def _lint(argv: Sequence[str], arguments: argparse.Namespace) -> int:
    recording = Recording(argv if _is_repeatable(arguments) else None)
    with recording.running():
        run = _prepare(arguments)
        code = _show_build(run) if arguments.show_build else _linted(run)
    if code in (CLEAN, FOUND):
        recording.keep(_cache(run), code, registry.folders(run.catalogue))
    return code


def _linted(run: _Run) -> int:
    arguments = run.arguments
    outputs = output.parse(arguments.outputs or ["full"])
    if arguments.add_ignores:
        _check_reason(arguments.reason)
    known = _known(run)
    # Imported late: the engine brings the file walk, and with the first file the parsers.
    from lwslint import engine

    result = _analyse(run)
    if not arguments.show_files:
        result = _narrow(result, run, known)
    _tell(result, run.file, arguments)
    if arguments.show_files:
        _print(_shown_files(result))
        return BROKEN if result.problems else CLEAN
    refused: Sequence[str] = ()
    if arguments.add_ignores:
        result, refused = _add_ignores(result, run)
    elif arguments.diff:
        return _diff(result, run)
    elif arguments.fix:
        result, refused = _fix(result, run, known)
    written = _write(result, outputs, _view(arguments, run.settings, run.rules))
    if result.problems or refused or not written:
        return BROKEN
    return FOUND if engine.fails(result, run.settings.fail_on) else CLEAN


def _show_build(run: _Run) -> int:
    from lwslint.build import show

    result = _analyse(run._replace(rules=()))
    _tell(result, run.file, run.arguments)
    if "json" in (run.arguments.outputs or ()):
        from lwslint.reporters import json

        document = show.document(result.builds, run.settings, result.texts)
        _print([json.dump(document, indent=2)])
    else:
        _print(map(logs.inert, show.text(result.builds, run.settings, result.texts)))
    return BROKEN if result.problems else CLEAN


def _init(argv: Sequence[str]) -> int:
    parser = _Parser(
        prog="lwslint init",
        description="Write a commented lwslint.toml from what a tree says; it is never overwritten.",
        allow_abbrev=False,
    )
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="the tree (default: here)")
    folder = parser.parse_args(argv).path
    if not os.path.isdir(folder):
        raise UsageError(f"{folder}: no such folder")
    file = os.path.join(folder, config.FILE_NAME)
    if os.path.lexists(file):
        raise UsageError(f"{file} exists already, and is left as it is")
    from lwslint.build import initial

    text = "\n".join(initial.lines(initial.project_of(folder, os.getcwd(), config.settings(Options()))))
    try:
        with open(file, "x", encoding="utf-8") as opened:
            opened.write(text + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror}") from error
    _print([f"Wrote {clean(file)}."])
    return CLEAN


def _known(run: _Run) -> Baseline | None:
    """Read before anything is linted: a mistyped name is told at once."""
    if not run.baseline:
        return None
    from lwslint import baseline

    try:
        return baseline.read(run.baseline)
    except baseline.BaselineError as error:
        raise UsageError(str(error)) from error


def _narrow(result: Result, run: _Run, known: Baseline | None) -> Result:
    """Leave out what was not asked for: first by file, then what is known, then what is not new."""
    arguments = run.arguments
    if arguments.project is not None and arguments.paths:
        from lwslint import narrowing

        result = narrowing.only(result, arguments.paths, arguments.project, os.getcwd())
    if known is not None:
        from lwslint import baseline

        stale = baseline.stale(result, known, (rule.rule.code for rule in run.rules), run.roots)
        result = baseline.hide(result, known, stale)
    if arguments.new_since is None and not arguments.staged:
        return result
    from lwslint import gitdiff

    try:
        if arguments.staged:
            return gitdiff.new_in_index(result, run.folder)
        limit = run.settings.max_file_size
        return gitdiff.new_since(result, run.folder, arguments.new_since, partial(_analyse, run), limit)
    except gitdiff.GitError as error:
        raise UsageError(f"{'--staged' if arguments.staged else '--new-since'}: {error}") from error


def _check_reason(reason: str) -> None:
    from lwslint import suppressions

    try:
        suppressions.check_reason(reason)
    except ValueError as error:
        raise UsageError(f"--reason: {error}") from error


def _add_ignores(result: Result, run: _Run) -> tuple[Result, Sequence[str]]:
    from lwslint import add_ignores
    from lwslint.reporters.summary import plural

    added = add_ignores.add(result, run.arguments.reason, run.roots)
    for place in added.refused:
        _complain(f"no suppression written: {place}")
    _say(f"suppressed {plural(added.findings, 'finding')} in {plural(added.files, 'file')}")
    return added.result, added.refused


def _fix(result: Result, run: _Run, known: Baseline | None) -> tuple[Result, Sequence[str]]:
    """Make the fixes; returns what is left, and why what could not be made was not."""
    from lwslint.fixes.workplaces import Disk

    disk = Disk(run.roots, lambda: _narrow(_analyse(run), run, known))
    outcome = _make_fixes(result, run, disk)
    if not run.arguments.quiet:
        for made in outcome.made:
            _say(f"fixed {made.path}:{made.line} {made.code} {made.name}: {made.message}")
    _say_fixed("fixed", outcome)
    return outcome.result, outcome.refused


def _diff(result: Result, run: _Run) -> int:
    """Print what ``--fix`` would change."""
    from lwslint.fixes import diff
    from lwslint.fixes.workplaces import Copies

    known = _known(run)
    # What is new in git is told from the files as they are on the disk, so one round has to do.
    once = run.arguments.staged or run.arguments.new_since is not None
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lwslint-") as folder:
        copies = Copies(run.roots, folder, lambda made: _narrow(_analyse(run, copies=made), run, known))
        outcome = _make_fixes(result, run, copies, rounds=1 if once else None)
        for path, before in sorted(outcome.before.items()):
            _print(diff.unified(path, before, copies.data(result.texts.real(path))))
    _say_fixed("would fix", outcome)
    if result.problems or outcome.refused:
        return BROKEN
    return FOUND if outcome.before else CLEAN


def _make_fixes(result: Result, run: _Run, workplace: Workplace, rounds: int | None = None) -> FixOutcome:
    from lwslint import narrowing
    from lwslint.fixes import rounds as fixing

    paths, cwd = run.arguments.paths, os.getcwd()

    def allowed(path: str) -> bool:
        """Reports are limited to the named files, and so are changes."""
        named = run.arguments.project is not None and paths
        return not named or narrowing.is_named(result, path, paths, cwd)

    outcome = fixing.run(
        result,
        workplace,
        run.settings,
        unsafe=run.arguments.unsafe_fixes,
        allowed=allowed,
        limit=fixing.ROUNDS if rounds is None else rounds,
    )
    for refused in outcome.refused:
        _complain(refused)
    if not outcome.settled and rounds is None:
        _complain(f"fixes are left after {fixing.ROUNDS} rounds; run lwslint again, and report this")
    return outcome


def _say_fixed(verb: str, outcome: FixOutcome) -> None:
    from lwslint.reporters.summary import plural

    findings, files = plural(len(outcome.made), "finding"), plural(len(outcome.before), "file")
    _say(f"{verb} {findings} in {files}" if outcome.made else f"{verb} nothing")


def _baseline(arguments: argparse.Namespace) -> int:
    from lwslint import baseline
    from lwslint.reporters.summary import plural

    run = _prepare(arguments)
    path = run.baseline or baseline.FILE_NAME
    output.check(path)
    known = baseline.Baseline(os.path.abspath(path), ())
    try:
        known = baseline.read(path) if arguments.prune else known
    except baseline.BaselineError as error:
        raise UsageError(str(error)) from error
    result = _analyse(run)
    _tell(result, run.file, None)
    if arguments.prune:
        stale = set(baseline.stale(result, known, (rule.rule.code for rule in run.rules), run.roots))
        kept = [entry for entry in known.entries if entry not in stale]
        if stale:
            output.write(path, baseline.lines(kept))
        _print([f"Took {plural(len(stale), 'finding')} out of {clean(path)}; {len(kept)} left."])
    else:
        kept = baseline.entries(result, known.folder)
        output.write(path, baseline.lines(kept))
        _print([f"Wrote {plural(len(kept), 'finding')} to {clean(path)}."])
    return BROKEN if result.problems else CLEAN


def _exclusions(run: _Run, at: Callable[[str], str] | None) -> list[Exclusion]:
    """The configuration's patterns start in its folder, those of the command line in the current one."""
    from lwslint.ignores import Exclusion

    file, cwd = run.file, os.getcwd()
    found: list[Exclusion] = []
    for where, folder, patterns in (
        (file.path if file else "", file.folder if file else cwd, file.options.exclude if file else ()),
        ("--exclude", cwd, run.arguments.exclude),
    ):
        try:
            found += [Exclusion(at(folder) if at else folder, patterns)] if patterns else []
        except ValueError as error:
            raise UsageError(f"{where}: exclude: {error}") from error
    return found


def _path_ignores(run: _Run, at: Callable[[str], str] | None) -> list[PathIgnore]:
    from lwslint.ignores import Exclusion
    from lwslint.suppressions import PathIgnore

    file = run.file
    found: list[PathIgnore] = []
    for pattern, selectors in ((file.options.per_file_ignores if file else None) or {}).items():
        assert file is not None
        try:
            registry.select(run.catalogue, selectors)
            matches = Exclusion(at(file.folder) if at else file.folder, [pattern])
        except (ValueError, SelectorError) as error:
            raise UsageError(f"{file.path}: per-file-ignores: {pattern}: {error}") from error
        found.append(PathIgnore(pattern, partial(matches, folder=False), selectors))
    return found


def _config_file(arguments: argparse.Namespace) -> ConfigFile | None:
    if arguments.config is not None and arguments.isolated:
        raise UsageError("--config and --isolated exclude each other")
    if arguments.isolated:
        return None
    if arguments.config is not None:
        return config.read(arguments.config)
    project = getattr(arguments, "project", None)
    first = os.path.abspath(project if project is not None else (arguments.paths or ["."])[0])
    return config.find(first if os.path.isdir(first) else os.path.dirname(first))


def _select(
    rules: tuple[LoadedRule, ...], options: Options, file: ConfigFile | None, arguments: argparse.Namespace
) -> tuple[LoadedRule, ...]:
    """The rules to run; a wrong selector is blamed on where it was written."""
    for key, said in (("select", arguments.select), ("ignore", arguments.ignore)):
        try:
            registry.select(rules, getattr(options, key) or ())
        except SelectorError as error:
            place = f"--{key}" if said is not None or file is None else f"{file.path}: {key}"
            raise UsageError(f"{place}: {error}") from error
    return registry.select(rules, options.select or (), options.ignore or ())


def _view(arguments: argparse.Namespace, settings: Settings, rules: tuple[LoadedRule, ...]) -> View:
    return View(
        rules=rules,
        fail_on=settings.fail_on,
        statistics=arguments.statistics,
        summary=not arguments.quiet,
    )


def _write(result: Result, outputs: Sequence[Output], view: View) -> bool:
    """Write every report; false when one could not be written.

    When all go to files, standard output gets what a person wants to know: the summary.
    """
    from lwslint import reporters

    complete = True
    for name, file in outputs:
        if file == STDOUT:
            continue
        try:
            output.write(file, reporters.render(name, result, view))
        except OutputError as error:
            _complain(str(error))
            complete = False
    shown = view._replace(style=_style(), width=_width(WIDTH))
    printed = next((name for name, file in outputs if file == STDOUT), None)
    if printed is None:
        _print(reporters.closing(result, shown))
        return complete
    if printed not in TEXT:
        use_utf8()
    _print(reporters.render(printed, result, shown))
    return complete


def _shown_files(result: Result) -> Iterator[str]:
    for parsed in result.parsed:
        yield logs.inert(f"lint  {clean(parsed.path)}  ({parsed.language})")
    for file in result.builds.files:
        yield logs.inert(f"read  {clean(file.path)}  ({file.kind})")
    for item in result.skipped:
        yield logs.inert(f"skip  {clean(item.path)}  ({item.reason})")
    if result.other:
        files = "1 file that is" if result.other == 1 else f"{result.other} files that are"
        yield f"skip  {files} neither C nor C++"


def _tell(result: Result, file: ConfigFile | None, arguments: argparse.Namespace | None) -> None:
    """Problems always, and with ``--verbose`` what a reader may wonder about."""
    for problem in result.problems:
        _complain(f"{problem.path}: {problem.message}" if problem.path else problem.message)
    for remark in result.remarks:
        _say(remark)
    if arguments is None or not arguments.verbose:
        return
    from lwslint import discovery

    _say(f"configuration: {file.path if file is not None else 'none'}")
    _say(f"build files read: {len(result.builds.files)} (--show-build says what they decide)")
    for build_file in result.builds.files:
        if build_file.problem:
            _say(f"{build_file.path}: {build_file.problem}")
    for parsed in result.parsed:
        if parsed.error_bytes:
            lines = _error_lines(result, parsed.path, (span.start for span in parsed.errors))
            _say(f"{parsed.path}: {parsed.error_bytes} of {parsed.size} bytes did not parse{lines}")
    for reason, number in discovery.count(result.skipped).items():
        _say(f"left out {number}: {reason}")
    for item in result.suppressed:
        path, span = item.diagnostic.place
        line = result.texts[path].position(span.start).line
        _say(f"suppressed {path}:{line} {item.diagnostic.code} {item.diagnostic.name}: {item.reason}")


def _error_lines(result: Result, path: str, offsets: Iterable[int]) -> str:
    text = result.texts[path]
    lines = list(dict.fromkeys(text.position(offset).line for offset in offsets))
    shown = ", ".join(map(str, lines[:10])) + (" …" if len(lines) > 10 else "")
    return f" (line {shown})" if lines else ""


# ------------------------------------------------------------------------------------- rules


def _explain(argv: Sequence[str]) -> int:
    parser = _Parser(prog="lwslint rule", description="Explain a rule.", allow_abbrev=False)
    parser.add_argument("rule", metavar="NAME|CODE", help="such as off-thread-call or LWS101")
    label = parser.parse_args(argv).rule
    from lwslint import documentation

    _print([documentation.explain(registry.find(_catalogue(), label), _style()).rstrip("\n")])
    return CLEAN


def _complete(argv: Sequence[str]) -> int:
    from lwslint import completion

    parser = _Parser(prog="lwslint completion", description="Print a shell's completion.", allow_abbrev=False)
    parser.add_argument("shell", choices=tuple(completion.SHELLS))
    shell = parser.parse_args(argv).shell
    labels = [label for loaded in _catalogue() for label in (loaded.rule.code, loaded.rule.name)]
    _print(
        completion.script(
            shell,
            _parser(),
            {
                "baseline": _baseline_parser(),
                "clean": _clean_parser(),
                "facts": _facts_parser(),
                "link": _link_parser(),
            },
            labels,
        )
    )
    return CLEAN


def _clean(arguments: argparse.Namespace) -> int:
    from lwslint import cache

    found = cache.find(arguments.cache_dir)
    if found is None:
        _print(["There is no cache."])
        return CLEAN
    entries, size = cache.clean(found.folder)
    number = f"{entries} entry" if entries == 1 else f"{entries} entries"
    _print([f"Removed {number} ({size / 1e6:.1f} MB) from {clean(found.folder)}."])
    return CLEAN


def _new_rule(argv: Sequence[str]) -> int:
    from pathlib import Path

    from lwslint import scaffold

    parser = _Parser(
        prog="lwslint new-rule", description="Writes the files of a new rule; overwrites nothing."
    )
    parser.add_argument("code", metavar="CODE", help="such as ACME101; unique among all packs")
    parser.add_argument("name", metavar="NAME", help="such as no-log-level; unique among all packs")
    parser.add_argument("--family", required=True, help="the sub-package that it goes into, such as setup")
    parser.add_argument(
        "--pack",
        metavar="FOLDER",
        default="rules/lwslint_rules",
        help="the rule pack's import package (default: %(default)s)",
    )
    wanted = parser.parse_args(argv)
    for loaded in _catalogue():
        if wanted.code == loaded.rule.code or wanted.name == loaded.rule.name:
            raise UsageError(f"{loaded.rule.code} {loaded.rule.name} exists")
    try:
        files = scaffold.plan(wanted.code, wanted.name, wanted.family, Path(wanted.pack).absolute())
        scaffold.write(files)
    except scaffold.ScaffoldError as error:
        raise UsageError(str(error)) from error
    _print([clean_lines(scaffold.next_steps(files, os.getcwd()))])
    return CLEAN


def _facts(arguments: argparse.Namespace) -> int:
    from lwslint import shards
    from lwslint.reporters.summary import plural

    output.check(arguments.shard)
    arguments.baseline = ""
    run = _prepare(arguments)
    try:
        found = shards.extract(
            arguments.paths or ["."],
            run.settings,
            cwd=os.getcwd(),
            exclude=_exclusions(run, None),
            jobs=arguments.jobs,
            everything=arguments.all,
            part=shards.Part(*arguments.part) if arguments.part else shards.WHOLE,
            database=_database(arguments.database),
        )
    except shards.ShardError as error:
        raise UsageError(str(error)) from error
    output.write_bytes(arguments.shard, found.data)
    for problem in found.problems:
        _complain(f"{problem.path}: {problem.message}")
    _say(f"wrote {plural(found.files, 'file')} to {arguments.shard}")
    return BROKEN if found.problems else CLEAN


def _link(arguments: argparse.Namespace) -> int:
    from lwslint import shards, source

    try:
        union = shards.unite(((path, shards.read(path)) for path in arguments.paths), os.getcwd())
    except shards.ShardError as error:
        raise UsageError(str(error)) from error
    arguments.paths = list(union.roots)
    with source.mounted(union.files):
        return _linted(_prepare(arguments)._replace(union=union))


def _list(argv: Sequence[str]) -> int:
    _Parser(prog="lwslint rules", description="List all rules.", allow_abbrev=False).parse_args(argv)
    from lwslint import documentation

    _print([documentation.table(_catalogue(), _style()).rstrip("\n")])
    return CLEAN


# ------------------------------------------------------------------------------------- streams


def _style() -> Style:
    return Style(wants_colour(os.environ, terminal=sys.stdout.isatty()))


def _width(default: int) -> int:
    return shutil.get_terminal_size((default, 24)).columns if sys.stdout.isatty() else default
