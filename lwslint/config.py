"""Settings of a run: defaults, then the configuration file, then the command line.

Three layers: :class:`Options` is what a file or a command line may say (nothing is set unless it was
said), :func:`merge` puts one over the other, :func:`settings` makes the plain
:class:`~lwslint.settings.Settings` that everything else reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lwslint import source, witness
from lwslint.diagnostics import Confidence, Severity
from lwslint.profiles import BUILDS, BuildOption, check_name, judged, profiles, with_macros
from lwslint.registry import nearest
from lwslint.settings import Build, Ladder, Server, Settings, Version

FILE_NAME = "lwslint.toml"
_FILE_LIMIT = 1_000_000

SEVERITIES = {severity.name.lower(): severity for severity in Severity}
CONFIDENCES = {confidence.name.lower(): confidence for confidence in Confidence}
RUFF: dict[bool | str, str] = {True: "isolated", False: "off", "isolated": "isolated", "project": "project"}
FAIL_ON: dict[str, Severity | None] = {**SEVERITIES, "never": None}

_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")
_SWITCH = re.compile(r"-{0,2}\w[\w-]*")
_TABLE = re.compile(r"\s*\[\[?\s*([\w.\-\"' ]+?)\s*\]\]?")


_Label = Callable[[str], str]


class ConfigError(Exception):
    """A configuration that cannot be used; the text names file, line (where known) and key."""


class ServerOption(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    host: str
    subprotocols: tuple[str, ...]


class PythonOptions(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Which Python code is production, where the built-in ladder gets it wrong."""

    production_paths: tuple[str, ...] = ()
    development_paths: tuple[str, ...] = ()
    opt_in_names: tuple[str, ...] = ()


class Options(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What may be said, in kebab case, in ``lwslint.toml`` or ``[tool.lwslint]``; None: not said."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    min_confidence: str | None = None
    fail_on: str | None = None
    build: str | dict[str, BuildOption] | None = None
    lws_version: str | None = None
    subprotocols: tuple[str, ...] | None = None
    servers: tuple[ServerOption, ...] | None = None
    exclude: tuple[str, ...] | None = None
    per_file_ignores: dict[str, tuple[str, ...]] | None = None
    baseline: str | None = None
    max_file_size: int | None = None
    ruff: bool | str | None = None
    python: PythonOptions | None = None


class ConfigFile(msgspec.Struct, frozen=True):
    path: str
    options: Options

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)


# ------------------------------------------------------------------------------------- the file


def find(start: str) -> ConfigFile | None:
    """The nearest configuration at or above the folder ``start``.

    In one folder ``lwslint.toml`` comes before ``pyproject.toml``; a ``pyproject.toml`` without
    ``[tool.lwslint]`` is passed over.  Raises :class:`ConfigError`.
    """
    folder = os.path.abspath(start)
    while True:
        for name in (FILE_NAME, "pyproject.toml"):
            path = os.path.join(folder, name)
            witness.look(path)
            if os.path.isfile(path) and (found := _load(path, required=name == FILE_NAME)):
                return found
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def read(path: str) -> ConfigFile:
    """The configuration in a file that was named; raises :class:`ConfigError`."""
    found = _load(os.path.abspath(path), required=True)
    if found is None:
        raise ConfigError(f"{path}: has no [tool.lwslint]")
    return found


def _load(path: str, *, required: bool) -> ConfigFile | None:
    try:
        text = source.read(path, _FILE_LIMIT).decode("utf-8-sig")
        # A pyproject.toml of somebody else's is not lwslint's to complain about.
        if not required and "lwslint" not in text:
            return None
    except source.ReadError as error:
        raise ConfigError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8") from error
    import tomllib  # late: most runs have no configuration

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply") from error
    prefix: tuple[str, ...] = ()
    if os.path.basename(path) == "pyproject.toml":
        prefix = ("tool", "lwslint")
        tool = document.get("tool")
        table = tool.get("lwslint") if isinstance(tool, dict) else None
        if table is None:
            return None
    else:
        table = document
    return ConfigFile(path, parse(table, _Where(path, text, prefix)))


class _Where:
    """Finds the line of a key: tomllib keeps none, so the text is searched for it."""

    def __init__(self, path: str, text: str, prefix: tuple[str, ...]) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._prefix = prefix

    def __call__(self, key: str, table: tuple[str, ...] = ()) -> str:
        line = self._line(key, (*self._prefix, *table))
        return f"{self._path}:{line}" if line else self._path

    def _line(self, key: str, wanted: tuple[str, ...]) -> int:
        assignment = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
        current: tuple[str, ...] = ()
        for number, line in enumerate(self._lines, 1):
            if header := _TABLE.match(line):
                current = tuple(part.strip(" \"'") for part in header[1].split("."))
                if current == (*wanted, key):
                    return number
            elif current == wanted and assignment.match(line):
                return number
        return 0


def parse(table: object, where: _Where) -> Options:
    """The options of one parsed table; raises :class:`ConfigError`."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where('lwslint')}: lwslint is a table")
    _reject_unknown(table, Options, where, ())
    servers = table.get("servers", [])
    for server in servers if isinstance(servers, list) else []:
        if isinstance(server, dict):
            _reject_unknown(server, ServerOption, where, ("servers",))
    python = table.get("python")
    if isinstance(python, dict):
        _reject_unknown(python, PythonOptions, where, ("python",))
    _check_builds(table.get("build"), where)
    try:
        options = msgspec.convert(table, Options)
    except msgspec.ValidationError as error:
        raise ConfigError(_type_error(str(error), where)) from error
    _check(options, lambda key: f"{where(key)}: {key}")
    return options


def _reject_unknown(
    table: Mapping[str, object], kind: type[msgspec.Struct], where: _Where, inside: tuple[str, ...]
) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for key in table:
        if key not in known:
            name = ".".join((*inside, key))
            raise ConfigError(f"{where(key, inside)}: unknown key {name!r}{nearest(key, known)}")


def _check_builds(tables: object, where: _Where) -> None:
    """The ``[build.NAME]`` tables, one by one: an error names the table that it is in."""
    for name, table in tables.items() if isinstance(tables, dict) else ():
        place = where(name, ("build",))
        if not isinstance(table, dict):
            words = "a build is a table, such as [build.release]"
            raise ConfigError(f"{place}: build.{name}: {words}")
        _reject_unknown(table, BuildOption, where, ("build", name))
        try:
            check_name(name)
            profiles({name: msgspec.convert(table, BuildOption)})
        except (msgspec.ValidationError, ValueError) as error:
            raise ConfigError(f"{place}: build.{name}: {error}") from error


def _type_error(message: str, where: _Where) -> str:
    """msgspec's ``Expected `array`, got `str` - at `$.select` `` with the file's own terms."""
    text, _, path = message.partition(" - at ")
    keys = re.findall(r"[\w-]+", path)
    key = keys[0] if keys else ""
    text = re.sub(r"`(\w+)( \| null)?`", r"\1", text).replace("object", "table").replace(" | null", "")
    text = text[:1].lower() + text[1:]
    missing = re.search(r"missing required field (\S+)", text)
    return f"{where(key)}: {key}: {'needs ' + missing[1] if missing else text}"


# ------------------------------------------------------------------------------------- merging


def merge(over: Options, under: Options) -> Options:
    """``over`` where it says something, else ``under``."""
    said = {name: value for name in over.__struct_fields__ if (value := getattr(over, name)) is not None}
    return msgspec.structs.replace(under, **said)


def settings(
    options: Options,
    defines: Sequence[str] = (),
    undefines: Sequence[str] = (),
    *,
    build: str | None = None,
    folder: str = "",
) -> Settings:
    """The settings of merged options; ``defines`` (``NAME`` or ``NAME=text``) and ``undefines`` change
    the builds that are judged, which are those of the configuration or the one that is called ``build``.
    The patterns in ``[python]`` start in ``folder``.  Raises :class:`ConfigError`."""
    _check(options, lambda key: f"--{key}")
    first, *others = _builds(options.build, build, defines, undefines)
    default = Settings()
    return Settings(
        select=options.select or (),
        ignore=options.ignore or (),
        min_confidence=CONFIDENCES[options.min_confidence or "low"],
        fail_on=FAIL_ON[options.fail_on or "warning"],
        build=first,
        other_builds=tuple(others),
        lws_version=version(options.lws_version) if options.lws_version else None,
        subprotocols=options.subprotocols,
        servers=tuple(Server(server.host, server.subprotocols) for server in options.servers or ()),
        exclude=options.exclude or (),
        max_file_size=default.max_file_size if options.max_file_size is None else options.max_file_size,
        ruff=default.ruff if options.ruff is None else RUFF[options.ruff],
        python=_ladder(options.python or PythonOptions(), folder),
    )


def _ladder(options: PythonOptions, folder: str) -> Ladder:
    paths = (*options.production_paths, *options.development_paths)
    if paths:
        # Imported late: few configurations have patterns, and `--version` needs none.
        from lwslint.ignores import Exclusion

        try:
            Exclusion(folder, paths)
        except ValueError as error:
            raise ConfigError(f"python: {error}") from error
    for name in options.opt_in_names:
        if not _SWITCH.fullmatch(name):
            raise ConfigError(f"python: opt-in-names: {name!r} is not the name of a variable or an option")
    return Ladder(options.production_paths, options.development_paths, options.opt_in_names, folder=folder)


def version(text: str) -> Version:
    """``4.3``, ``4.3.2`` or ``v4.3.2`` as a version; raises :class:`ConfigError`."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a libwebsockets version such as 4.3 or 4.3.2")
    return Version(int(match[1]), int(match[2]), int(match[3] or 0))


def _check(options: Options, label: _Label) -> None:
    """Values that are one of a few words, or within bounds."""
    for key, value, known in (
        ("min-confidence", options.min_confidence, CONFIDENCES),
        ("fail-on", options.fail_on, FAIL_ON),
        ("build", options.build if isinstance(options.build, str) else None, BUILDS),
    ):
        if value is not None and value not in known:
            words = ", ".join(known)
            raise ConfigError(f"{label(key)}: {value!r} is none of {words}{nearest(value, list(known))}")
    if options.ruff is not None and options.ruff not in RUFF:
        raise ConfigError(f"{label('ruff')}: {options.ruff!r} is none of true, false, isolated, project")
    if options.lws_version is not None:
        try:
            version(options.lws_version)
        except ConfigError as error:
            raise ConfigError(f"{label('lws-version')}: {error}") from error
    if options.max_file_size is not None and options.max_file_size < 1:
        raise ConfigError(f"{label('max-file-size')}: {options.max_file_size} is not a number of bytes")


def _builds(
    said: str | dict[str, BuildOption] | None,
    chosen: str | None,
    defines: Sequence[str],
    undefines: Sequence[str],
) -> tuple[Build, ...]:
    """The builds that are judged, with ``-D`` and ``-U`` applied."""
    tables = said if isinstance(said, dict) else {}
    name = chosen if chosen is not None else said if isinstance(said, str) else None
    try:
        return tuple(with_macros(build, defines, undefines) for build in judged(tables, name))
    except KeyError as error:
        known = list(profiles(tables))
        hint = nearest(str(name), known)
        raise ConfigError(f"--build: {name!r} is none of {', '.join(known)}{hint}") from error
    except ValueError as error:
        raise ConfigError(str(error)) from error
