"""The command line: ``lwslint PATH…``, ``lwslint rule NAME|CODE``, ``lwslint rules``.

The report goes to standard output, everything else to standard error.  Exit code 0: no finding at or
above ``--fail-on``; 1: there is one; 2: usage, configuration, a path that could not be analysed, or
an internal error.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from lwslint import __version__, config, output, registry
from lwslint.config import ConfigError, ConfigFile, Options
from lwslint.output import STDOUT, Output, OutputError
from lwslint.progress import Bar
from lwslint.registry import RegistryError, SelectorError
from lwslint.reporters import FORMATS, TEXT, WIDTH, View, logs
from lwslint.reporters.style import Style, wants_colour
from lwslint.rule import LoadedRule
from lwslint.source import clean

if TYPE_CHECKING:
    from lwslint.discovery import Exclusion
    from lwslint.engine import Result
    from lwslint.settings import Settings

CLEAN, FOUND, BROKEN, INTERRUPTED = 0, 1, 2, 130
_COMMANDS = """\
commands:
  lwslint PATH ...          lint files and folders (default: the current folder)
  lwslint rule NAME|CODE    explain a rule
  lwslint rules             list all rules

A path that is called `rule` or `rules` is given as ./rule.
Exit code: 0 nothing found, 1 findings at or above --fail-on, 2 error.
"""


class UsageError(Exception):
    """The command line asks for something that does not exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and raises nothing but SystemExit (argparse)."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _make_printable()
    try:
        match argv[:1]:
            case ["rule"]:
                return _explain(argv[1:])
            case ["rules"]:
                return _list(argv[1:])
            case _:
                return _lint(_parser().parse_args(argv))
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
    add = parser.add_argument
    add("paths", nargs="*", default=["."], metavar="PATH", help="a file or a folder to lint")
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
        choices=tuple(config.BUILDS),
        help="the build that is judged (default: production: NDEBUG defined, DEBUG not)",
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
    add("--config", metavar="FILE", help="use this configuration file")
    add("--isolated", action="store_true", help="use no configuration file")
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
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="findings only, no summary")
    volume.add_argument(
        "-v", "--verbose", action="store_true", help="also say what did not parse and what was left out"
    )
    return parser


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        select=_words(arguments.select),
        ignore=_words(arguments.ignore),
        min_confidence=arguments.min_confidence,
        fail_on=arguments.fail_on,
        build=arguments.build,
        lws_version=arguments.lws_version,
    )


def _words(values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    return tuple(word for value in values for part in value.split(",") if (word := part.strip()))


# ------------------------------------------------------------------------------------- linting


def _lint(arguments: argparse.Namespace) -> int:
    file = _config_file(arguments)
    under = file.options if file is not None else Options()
    options = config.merge(_options(arguments), under)
    settings = config.settings(options, arguments.defines, arguments.undefines)
    rules = _select(options, file, arguments)
    outputs = output.parse(arguments.outputs or ["full"])
    # Imported late: the engine brings the file walk, and with the first file the parsers.
    from lwslint import engine

    cwd = os.getcwd()
    bar = Bar(sys.stderr)
    try:
        result = engine.lint(
            arguments.paths,
            settings,
            rules,
            cwd=cwd,
            exclude=_exclusions(arguments, file, cwd),
            progress=bar,
        )
    finally:
        bar.close()
    code = BROKEN if result.problems else FOUND if engine.fails(result, settings.fail_on) else CLEAN
    _tell(result, file, arguments)
    if arguments.show_files:
        _print(_shown_files(result))
        return BROKEN if result.problems else CLEAN
    written = _write(result, outputs, _view(arguments, settings, rules))
    return code if written else BROKEN


def _exclusions(arguments: argparse.Namespace, file: ConfigFile | None, cwd: str) -> list[Exclusion]:
    """The configuration's patterns start in its folder, those of the command line in the current one."""
    from lwslint.discovery import Exclusion

    found: list[Exclusion] = []
    for where, folder, patterns in (
        (file.path if file else "", file.folder if file else cwd, file.options.exclude if file else ()),
        ("--exclude", cwd, arguments.exclude),
    ):
        try:
            found += [Exclusion(folder, patterns)] if patterns else []
        except ValueError as error:
            raise UsageError(f"{where}: exclude: {error}") from error
    return found


def _config_file(arguments: argparse.Namespace) -> ConfigFile | None:
    if arguments.config is not None and arguments.isolated:
        raise UsageError("--config and --isolated exclude each other")
    if arguments.isolated:
        return None
    if arguments.config is not None:
        return config.read(arguments.config)
    first = os.path.abspath(arguments.paths[0])
    return config.find(first if os.path.isdir(first) else os.path.dirname(first))


def _select(
    options: Options, file: ConfigFile | None, arguments: argparse.Namespace
) -> tuple[LoadedRule, ...]:
    """The rules to run; a wrong selector is blamed on where it was written."""
    rules = registry.load()
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
    if printed not in TEXT and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    _print(reporters.render(printed, result, shown))
    return complete


def _shown_files(result: Result) -> Iterator[str]:
    for parsed in result.parsed:
        yield logs.inert(f"lint  {clean(parsed.path)}  ({parsed.language})")
    for item in result.skipped:
        yield logs.inert(f"skip  {clean(item.path)}  ({item.reason})")
    if result.other:
        files = "1 file that is" if result.other == 1 else f"{result.other} files that are"
        yield f"skip  {files} neither C nor C++"


def _tell(result: Result, file: ConfigFile | None, arguments: argparse.Namespace) -> None:
    """Problems always, and with ``--verbose`` what a reader may wonder about."""
    for problem in result.problems:
        _complain(f"{problem.path}: {problem.message}" if problem.path else problem.message)
    if not arguments.verbose:
        return
    from lwslint import discovery

    _say(f"configuration: {file.path if file is not None else 'none'}")
    for parsed in result.parsed:
        if parsed.error_bytes:
            lines = _error_lines(result, parsed.path, (span.start for span in parsed.errors))
            _say(f"{parsed.path}: {parsed.error_bytes} of {parsed.size} bytes did not parse{lines}")
    for reason, number in discovery.count(result.skipped).items():
        _say(f"left out {number}: {reason}")


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

    _print([documentation.explain(registry.find(registry.load(), label), _style()).rstrip("\n")])
    return CLEAN


def _list(argv: Sequence[str]) -> int:
    _Parser(prog="lwslint rules", description="List all rules.", allow_abbrev=False).parse_args(argv)
    from lwslint import documentation

    _print([documentation.table(registry.load(), _style()).rstrip("\n")])
    return CLEAN


# ------------------------------------------------------------------------------------- streams


def _make_printable() -> None:
    """A terminal that cannot show a character gets its escape, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print(lines: Iterable[str]) -> None:
    try:
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the report has seen enough.  What is left in the buffer must not be flushed
        # into the closed pipe when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> None:
    sys.stderr.write(f"lwslint: error: {logs.inert(clean(message))}\n")


def _say(message: str) -> None:
    sys.stderr.write(f"lwslint: {logs.inert(clean(message))}\n")


def _style() -> Style:
    return Style(wants_colour(os.environ, terminal=sys.stdout.isatty()))


def _width(default: int) -> int:
    return shutil.get_terminal_size((default, 24)).columns if sys.stdout.isatty() else default
