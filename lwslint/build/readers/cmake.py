"""Reads CMakeLists.txt and ``*.cmake``: options, macros, targets, and the libwebsockets they ask for.

One file at a time and without running anything: variables that the file sets are replaced, all others stay
as ``${NAME}`` in what is recorded, and conditions are recorded with their text.  Commands that are not
known are left alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from lwslint.build import cmake
from lwslint.build.facts import BuildFile, Define, Requirement, Setting, Target, When
from lwslint.build.readers.cmake_commands import Argument, Command, parse
from lwslint.facts import Place, Span

MAX_TEXT = 65_536
# Stands for the linted root at the start of a path that a variable gave: `${CMAKE_CURRENT_LIST_DIR}/a.c` is
# complete, where plain `a.c` is relative to the file's folder.
_ROOT: Final = "\0/"
_MAX_GENERATOR_DEPTH = 16

_VARIABLE = re.compile(r"\$\{([\w.+/-]+)\}")
_MACRO = re.compile(r"([A-Za-z_]\w*)(?:\([^)]*\))?(?:=(.*))?", re.DOTALL)
_FLAG = re.compile(r"""(?:^|(?<=[\s;"]))[-/]([DU])\s*([A-Za-z_]\w*)(?:=((?:\\?"[^"]*"|[^\s;"])*))?""")
_LWS = re.compile(r"(?i)libwebsockets?")
_RELEASE = re.compile(r"v?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)$")
_ARCHIVE = re.compile(
    r"/(v\d+\.\d+(?:\.\d+)?)\.(?:tar\.\w+|zip|tgz)$|libwebsockets-(\d+\.\d+\.\d+)\.(?:tar|zip|tgz)"
)
_PKG = re.compile(r"libwebsockets(?:\s*(>=|=|<=|>|<)\s*([\d.]+))?$")
_SCOPES: Final = frozenset({"PRIVATE", "PUBLIC", "INTERFACE", "LINK_PRIVATE", "LINK_PUBLIC"})
_LIBRARY_KINDS: Final = {"STATIC", "SHARED", "OBJECT", "INTERFACE"}
_PROGRAMS: Final = frozenset(
    {"add_executable", "qt_add_executable", "qt5_add_executable", "qt6_add_executable"}
)
_LIBRARIES: Final = frozenset({"add_library", "qt_add_library"})
_SOURCE_WORDS: Final = frozenset({"WIN32", "MACOSX_BUNDLE", "EXCLUDE_FROM_ALL", "MANUAL_FINALIZATION"})
_FLAG_VARIABLE = re.compile(r"CMAKE_(?:C|CXX)_FLAGS(?:_([A-Z]+))?$")
# A file that CMake fills in, of whatever language.
_HEADER = re.compile(r"\.(?:h|hh|hpp|hxx)\.(?:in|cmake|cmake\.in)$")
_TEMPLATE = re.compile(r"(?i)\.(?:h|hh|hpp|hxx|c|cc|cpp|cxx|pc|js|in|ini|conf|sh|py|rc|txt|json|xml)\.cmake$")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MAX_NAMES = 16
_WITHOUT_EFFECT: Final = frozenset(
    {
        *("message", "install", "include_directories", "target_include_directories", "link_directories"),
        *("add_test", "add_dependencies", "add_custom_target", "add_custom_command", "link_libraries"),
        *("target_compile_features", "target_link_options", "cmake_minimum_required", "mark_as_advanced"),
        *("set_tests_properties", "include_guard", "cmake_policy", "return", "export"),
        *("enable_language", "target_precompile_headers", "target_link_directories", "source_group"),
    }
)
_LINK_WORDS: Final = frozenset({*_SCOPES, "debug", "optimized", "general", "LINK_INTERFACE_LIBRARIES"})


def read(path: str, data: bytes) -> BuildFile:
    """What the CMake file ``path`` says; ``problem`` tells what could not be read."""
    if _TEMPLATE.search(path):
        return BuildFile(path, "cmake")
    parsed = parse(path, data)
    reader = _Reader(path)
    for command in parsed.commands:
        reader.take(command)
    return BuildFile(
        path,
        "cmake",
        settings=tuple(reader.settings),
        defines=tuple(reader.defines),
        targets=tuple(reader.targets),
        requirements=tuple(reader.requirements),
        includes=tuple(dict.fromkeys(reader.includes)),
        problem=parsed.problem,
    )


class _Reader:
    """The records of one file, and its variables while it is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.settings: list[Setting] = []
        self.defines: list[Define] = []
        self.targets: list[Target] = []
        self.requirements: list[Requirement] = []
        self.includes: list[str] = []
        here = posixpath.dirname(path)
        # What an included file is relative to is its includer's folder, which only the whole tree tells.
        listed = posixpath.basename(path).lower() == "cmakelists.txt"
        self.folder = here if listed else "${CMAKE_CURRENT_SOURCE_DIR}"
        self.variables: dict[str, list[str]] = {"CMAKE_CURRENT_LIST_DIR": [_ROOT + here]}
        if listed:
            self.variables["CMAKE_CURRENT_SOURCE_DIR"] = [_ROOT + here]

    def take(self, command: Command) -> None:
        """Record what one command says."""
        if command.arguments:
            _HANDLERS.get(command.name, _unknown)(self, command)

    # ------------------------------------------------------------------ variables

    def text(self, argument: Argument) -> str:
        """An argument with the variables that have one known value replaced."""
        return argument.text if argument.literal else self.expand(argument.text)

    def expand(self, text: str) -> str:
        """``text`` with known variables replaced; a variable of several possible values stays."""
        for _ in range(4):  # ${A_${B}}
            if "${" not in text:
                break
            replaced = self._replaced(text)
            if replaced is None or replaced == text:
                break
            text = replaced
        return text

    def _replaced(self, text: str) -> str | None:
        """``text`` with its variables replaced once; None where that would be too long."""
        parts: list[str] = []
        length = position = 0
        for match in _VARIABLE.finditer(text):
            values = self.variables.get(match[1], ())
            value = values[0] if len(values) == 1 else match[0]
            parts += (text[position : match.start()], value)
            length += len(parts[-2]) + len(value)
            position = match.end()
            if length > MAX_TEXT:
                return None
        return "".join((*parts, text[position:]))

    def items(self, arguments: Iterable[Argument]) -> Iterator[tuple[str, Argument]]:
        """The elements of a list of arguments; a variable set under conditions gives all it may hold."""
        for argument in _rejoined(arguments):
            for text in self._unfold(argument):
                for item in _elements(text):
                    yield item, argument

    def _unfold(self, argument: Argument) -> list[str]:
        alone = None if argument.literal else _VARIABLE.fullmatch(argument.text)
        if alone is not None and len(self.variables.get(alone[1], ())) > 1:
            return self.variables[alone[1]]
        return [self.text(argument)]

    def assign(self, name: str, value: str, command: Command, *, add: bool = False) -> None:
        """Note a variable's value; under a condition it is one more value that the variable may have."""
        known = self.variables.setdefault(name, [])
        if add and known:
            if len(known) == 1 and not command.when:
                known[0] = f"{known[0]};{value}"[:MAX_TEXT]
            elif len(known) < 256:
                known.append(value[:MAX_TEXT])
        elif command.when or not command.sure:
            if value not in known and len(known) < 256:
                known.append(value[:MAX_TEXT])
        else:
            self.variables[name] = [value[:MAX_TEXT]]

    # ------------------------------------------------------------------ records

    def place(self, span: Span) -> Place:
        return Place(self.path, span)

    def located(self, name: str) -> str:
        """A file's or folder's path from the linted root; ``${…}`` at its start stays in front."""
        if name.startswith(_ROOT):
            return posixpath.normpath(name.removeprefix(_ROOT).lstrip("/") or ".")
        if name.startswith("${") or posixpath.isabs(name):
            return posixpath.normpath(name)
        return posixpath.normpath(posixpath.join(self.folder, name))

    def define(
        self,
        text: str,
        command: Command,
        span: Span,
        target: str = "",
        when: tuple[When, ...] = (),
        spreads: bool = False,
    ) -> None:
        """A macro as CMake writes it: ``X``, ``X=1``, ``-DX``, or a generator expression around these."""
        for inner, conditions in _generated(text, self.place(span)):
            for item in inner.split(";"):
                item = item.strip()
                if item.startswith(("-D", "/D")):
                    item = item[2:].strip()
                match = _MACRO.fullmatch(item)
                if match is not None:
                    value = "1" if match[2] is None else match[2]
                    around = (*command.when, *when, *conditions)
                    self.defines.append(
                        Define(match[1], value, self.place(span), target, around, spreads=spreads)
                    )

    def flags(
        self,
        text: str,
        command: Command,
        span: Span,
        target: str = "",
        when: tuple[When, ...] = (),
        spreads: bool = False,
    ) -> None:
        """The ``-D`` and ``-U`` in a text of compiler flags."""
        for inner, conditions in _generated(text, self.place(span)):
            for match in _FLAG.finditer(inner):
                value = None if match[1] == "U" else "1" if match[3] is None else match[3].replace('\\"', '"')
                around = (*command.when, *when, *conditions)
                self.defines.append(
                    Define(match[2], value, self.place(span), target, around, spreads=spreads)
                )

    def setting(
        self, key: str, value: str, command: Command, scope: str, when: tuple[When, ...] = ()
    ) -> None:
        shown = value.replace(_ROOT, "")
        self.settings.append(Setting(key, shown, self.place(command.span), scope, (*command.when, *when)))

    def require(self, version: str, how: str, command: Command, span: Span, *, exact: bool) -> None:
        release = _RELEASE.match(version)
        text = release[1] if release else version
        self.requirements.append(Requirement(text, how, self.place(span), exact, command.when))


# --------------------------------------------------------------------------- generator expressions


def _generated(text: str, place: Place) -> Iterator[tuple[str, tuple[When, ...]]]:
    """The plain pieces of a text with generator expressions, each with the conditions around it.

    ``$<cond:text>`` gives ``text`` under ``$<cond>``; every other expression is of unknown content and is
    left out.
    """
    waiting: list[tuple[str, tuple[When, ...], int]] = [(text, (), 0)]
    while waiting:
        current, when, depth = waiting.pop()
        plain: list[str] = []
        position = 0
        while (start := current.find("$<", position)) >= 0:
            plain.append(current[position:start])
            end = _closing(current, start)
            inner = current[start + 2 : end - 1]
            condition, colon, content = _split(inner)
            if colon and condition.startswith(("$<", "${")) and depth < _MAX_GENERATOR_DEPTH:
                waiting.append((content, (*when, When(condition, place)), depth + 1))
            elif colon and condition in ("0", "1") and depth < _MAX_GENERATOR_DEPTH:
                if condition == "1":
                    waiting.append((content, when, depth + 1))
            elif colon and condition == "BUILD_INTERFACE" and depth < _MAX_GENERATOR_DEPTH:
                waiting.append((content, when, depth + 1))
            position = end
        plain.append(current[position:])
        joined = "".join(plain)
        if joined.strip():
            yield joined, when


def _rejoined(arguments: Iterable[Argument]) -> Iterator[Argument]:
    """The arguments, with a generator expression that spaces split in one piece again: CMake joins the
    arguments with semicolons before it evaluates them."""
    open_: Argument | None = None
    for argument in arguments:
        whole = argument
        if open_ is not None:
            span = Span(open_.span.start, argument.span.end)
            whole = open_._replace(text=f"{open_.text};{argument.text}", span=span)
        unclosed = whole.text.count("$<") > whole.text.count(">")
        if unclosed and not whole.literal and len(whole.text) <= MAX_TEXT:
            open_ = whole
        else:
            open_ = None
            yield whole
    if open_ is not None:
        yield open_


def _elements(text: str) -> list[str]:
    """The elements of a list; a ``;`` inside a generator expression separates none."""
    if "$<" not in text:
        return [item for item in text.split(";") if item]
    found: list[str] = []
    start = position = 0
    while position < len(text):
        if text.startswith("$<", position):
            position = _closing(text, position)
            continue
        if text[position] == ";":
            found.append(text[start:position])
            start = position + 1
        position += 1
    return [item for item in (*found, text[start:]) if item]


def _closing(text: str, start: int) -> int:
    """The offset behind the ``>`` that closes the ``$<`` at ``start``; the text's end when none does."""
    depth = 0
    position = start
    while position < len(text):
        if text.startswith("$<", position):
            depth += 1
            position += 2
            continue
        if text[position] == ">":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return len(text) + 1


def _split(inner: str) -> tuple[str, str, str]:
    """``cond:content`` at the colon that stands in no nested expression."""
    if inner.startswith("$<"):
        end = _closing(inner, 0)
        return inner[:end], inner[end : end + 1], inner[end + 1 :]
    return inner.partition(":")


# --------------------------------------------------------------------------- commands

_Handler = Callable[[_Reader, Command], None]


def _option(reader: _Reader, command: Command) -> None:
    name, *rest = command.arguments
    value = reader.text(rest[1]) if len(rest) > 1 else "OFF"
    reader.setting(reader.text(name), value, command, "option")


def _dependent_option(reader: _Reader, command: Command) -> None:
    if len(command.arguments) < 5:
        return
    name, _, value, depends, otherwise = map(reader.text, command.arguments[:5])
    condition = When(
        " AND ".join(f"({d})" for d in depends.split(";")), reader.place(command.arguments[3].span)
    )
    reader.setting(name, value, command, "option", (condition,))
    reader.setting(name, otherwise, command, "option", (When(condition.text, condition.place, wanted=False),))


def _set(reader: _Reader, command: Command) -> None:
    name = reader.text(command.arguments[0])
    values = command.arguments[1:]
    words = [argument.text for argument in values]
    if "PARENT_SCOPE" in words[-1:]:
        values = values[:-1]
    if flags := _FLAG_VARIABLE.match(name):
        when = _in_configuration(reader, command, flags[1])
        for argument in values:
            reader.flags(reader.text(argument), command, argument.span, when=when)
    if "CACHE" in words:
        index = words.index("CACHE")
        value = ";".join(item for item, _ in reader.items(values[:index]))
        kind = words[index + 1] if index + 1 < len(words) else ""
        fixed = "FORCE" in words[index:] or kind == "INTERNAL"
        reader.setting(name, value, command, "cache" if fixed else "option")
        if fixed:
            reader.assign(name, value, command)
        return
    value = ";".join(item for item, _ in reader.items(values))
    reader.assign(name, value, command)
    if command.sure or command.when:
        reader.setting(name, value, command, "variable")


def _unknown(reader: _Reader, command: Command) -> None:
    """A command that is not known, most often a function of the project: it may set what it is given.

    One that is called like ``option`` and has its arguments declares an option.
    """
    words = [reader.text(argument) for argument in command.arguments]
    if "option" in command.name and len(words) == 3 and cmake.constant(words[2]) is not None:
        reader.setting(words[0], words[2], command, "option")
    elif command.name not in _WITHOUT_EFFECT:
        for word in words[:_MAX_NAMES]:
            if _NAME.fullmatch(word):
                reader.setting(word, "", command, "computed")


def _unset(reader: _Reader, command: Command) -> None:
    if not command.when:
        reader.variables.pop(command.arguments[0].text, None)


def _in_configuration(reader: _Reader, command: Command, name: str | None) -> tuple[When, ...]:
    return (When(f"$<CONFIG:{name}>", reader.place(command.arguments[0].span)),) if name else ()


def _string(reader: _Reader, command: Command) -> None:
    """``string(APPEND CMAKE_C_FLAGS " -DX")``."""
    if len(command.arguments) < 3 or command.arguments[0].text != "APPEND":
        return
    flags = _FLAG_VARIABLE.match(command.arguments[1].text)
    if flags is not None:
        when = _in_configuration(reader, command, flags[1])
        for argument in command.arguments[2:]:
            reader.flags(reader.text(argument), command, argument.span, when=when)


def _list(reader: _Reader, command: Command) -> None:
    if len(command.arguments) < 3 or command.arguments[0].text not in ("APPEND", "PREPEND"):
        return
    name = reader.text(command.arguments[1])
    value = ";".join(item for item, _ in reader.items(command.arguments[2:]))
    reader.assign(name, value, command, add=True)
    if flags := _FLAG_VARIABLE.match(name):
        when = _in_configuration(reader, command, flags[1])
        for argument in command.arguments[2:]:
            reader.flags(reader.text(argument), command, argument.span, when=when)


def _file(reader: _Reader, command: Command) -> None:
    words = [reader.text(argument) for argument in command.arguments]
    if words[0] not in ("GLOB", "GLOB_RECURSE") or len(words) < 3:
        return
    patterns = []
    skip = 0
    for word in words[2:]:
        if skip:
            skip -= 1
        elif word == "RELATIVE":
            skip = 1
        elif word in ("CONFIGURE_DEPENDS", "FOLLOW_SYMLINKS"):
            continue
        elif word in ("LIST_DIRECTORIES",):
            skip = 1
        else:
            head, _, tail = word.rpartition("/")
            patterns.append("/".join(p for p in (head, "**", tail) if p) if words[0] != "GLOB" else word)
    reader.assign(words[1], ";".join(patterns), command)


def _source_directory(reader: _Reader, command: Command) -> None:
    if len(command.arguments) >= 2:
        folder, name = map(reader.text, command.arguments[:2])
        patterns = ";".join(f"{folder}/*.{suffix}" for suffix in ("c", "cc", "cpp", "cxx"))
        reader.assign(name, patterns, command, add=True)


def _add_definitions(reader: _Reader, command: Command) -> None:
    for item, argument in reader.items(command.arguments):
        if item.startswith(("-D", "/D", "-U", "/U")):
            reader.flags(item, command, argument.span)
        elif "$<" in item:
            reader.define(item, command, argument.span)


def _remove_definitions(reader: _Reader, command: Command) -> None:
    for item, argument in reader.items(command.arguments):
        if item.startswith(("-D", "/D")):
            name = item[2:].partition("=")[0]
            reader.defines.append(Define(name, None, reader.place(argument.span), when=command.when))


def _add_compile_definitions(reader: _Reader, command: Command) -> None:
    for item, argument in reader.items(command.arguments):
        reader.define(item, command, argument.span)


def _add_compile_options(reader: _Reader, command: Command) -> None:
    for item, argument in reader.items(command.arguments):
        reader.flags(item, command, argument.span)


def _target_definitions(reader: _Reader, command: Command) -> None:
    for target, scope, item, argument in _scoped(reader, command):
        reader.define(item, command, argument.span, target, spreads=scope in ("PUBLIC", "INTERFACE"))


def _target_options(reader: _Reader, command: Command) -> None:
    for target, scope, item, argument in _scoped(reader, command):
        reader.flags(item, command, argument.span, target, spreads=scope in ("PUBLIC", "INTERFACE"))


def _scoped(reader: _Reader, command: Command) -> Iterator[tuple[str, str, str, Argument]]:
    """Target, scope and element of ``target_…(target PRIVATE element …)``."""
    target, scope = reader.text(command.arguments[0]), "PRIVATE"
    for item, argument in reader.items(command.arguments[1:]):
        if item in _SCOPES:
            scope = item
        elif item not in ("BEFORE", "SYSTEM"):
            yield target, scope, item, argument


def _properties(reader: _Reader, command: Command) -> None:
    """``set_target_properties`` and ``set_source_files_properties``."""
    words = [reader.text(argument) for argument in command.arguments]
    if "PROPERTIES" not in words:
        return
    index = words.index("PROPERTIES")
    whole = command.name == "set_target_properties"
    names = words[:index] if whole else [reader.located(word) for word in words[:index]]
    for position in range(index + 1, len(words) - 1, 2):
        _property(reader, command, names, words[position], command.arguments[position + 1 : position + 2])


def _set_property(reader: _Reader, command: Command) -> None:
    words = [reader.text(argument) for argument in command.arguments]
    if "PROPERTY" not in words or words[0] not in ("TARGET", "SOURCE", "DIRECTORY"):
        return
    index = words.index("PROPERTY")
    names = [word for word in words[1:index] if word not in ("APPEND", "APPEND_STRING")]
    if words[0] == "SOURCE":
        names = [reader.located(name) for name in names]
    elif words[0] == "DIRECTORY":
        names = [""]
    if index + 1 < len(words):
        _property(reader, command, names, words[index + 1], command.arguments[index + 2 :])


def _property(
    reader: _Reader, command: Command, names: Sequence[str], key: str, values: Sequence[Argument]
) -> None:
    definitions = re.fullmatch(r"COMPILE_DEFINITIONS(?:_([A-Z]+))?", key)
    if definitions is not None:
        when = _in_configuration(reader, command, definitions[1])
        for name in names:
            for item, argument in reader.items(values):
                reader.define(item, command, argument.span, name, when)
    elif key in ("COMPILE_FLAGS", "COMPILE_OPTIONS"):
        for name in names:
            for item, argument in reader.items(values):
                reader.flags(item, command, argument.span, name)


def _target(reader: _Reader, command: Command) -> None:
    """``add_executable``, ``add_library``; an alias or an imported library has no sources of its own."""
    words = [reader.text(argument) for argument in command.arguments]
    if {"ALIAS", "IMPORTED"} & set(words[1:3]):
        if "ALIAS" in words[1:3] and len(words) > 2:
            reader.targets.append(Target(words[0], "library", (), reader.place(command.span), (words[2],)))
        return
    rest = command.arguments[1:]
    kind = "program"
    if command.name in _LIBRARIES:
        kind = "module" if "MODULE" in words[1:2] else "library"
        rest = rest[1:] if words[1:2] and words[1] in (*_LIBRARY_KINDS, "MODULE") else rest
    sources, links = _sources(reader, rest)
    reader.targets.append(Target(words[0], kind, sources, reader.place(command.span), links, command.when))


def _component(reader: _Reader, command: Command) -> None:
    """ESP-IDF's ``idf_component_register(SRCS a.c INCLUDE_DIRS . REQUIRES x)``."""
    groups: dict[str, list[Argument]] = {}
    current = ""
    for argument in command.arguments:
        if argument.text.isupper() and not argument.quoted and "." not in argument.text:
            current = argument.text
        else:
            groups.setdefault(current, []).append(argument)
    sources, _ = _sources(reader, groups.get("SRCS", ()))
    folders = [item for item, _ in reader.items(groups.get("SRC_DIRS", ()))]
    sources += tuple(reader.located(f"{folder}/*.{suffix}") for folder in folders for suffix in ("c", "cpp"))
    links = tuple(
        item for key in ("REQUIRES", "PRIV_REQUIRES") for item, _ in reader.items(groups.get(key, ()))
    )
    name = posixpath.basename(posixpath.dirname(reader.path)) or "component"
    reader.targets.append(Target(name, "library", sources, reader.place(command.span), links, command.when))


def _target_sources(reader: _Reader, command: Command) -> None:
    scoped = [argument for _, _, _, argument in _scoped(reader, command)]
    sources, links = _sources(reader, tuple(dict.fromkeys(scoped)))
    name = reader.text(command.arguments[0])
    reader.targets.append(Target(name, "", sources, reader.place(command.span), links, command.when))


def _sources(reader: _Reader, arguments: Sequence[Argument]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The source files among ``arguments``, and the object libraries that are linked in as sources."""
    found: list[str] = []
    links: list[str] = []
    for item, _ in reader.items(arguments):
        if objects := re.fullmatch(r"\$<TARGET_OBJECTS:([^<>]+)>", item):
            links.append(objects[1])
        elif item not in _SOURCE_WORDS and "$<" not in item:
            found.append(reader.located(item))
    return tuple(dict.fromkeys(found)), tuple(links)


def _link(reader: _Reader, command: Command) -> None:
    name = reader.text(command.arguments[0])
    links = tuple(
        dict.fromkeys(item for item, _ in reader.items(command.arguments[1:]) if item not in _LINK_WORDS)
    )
    reader.targets.append(Target(name, "", (), reader.place(command.span), links, command.when))


def _include(reader: _Reader, command: Command) -> None:
    name = reader.text(command.arguments[0])
    if "." in posixpath.basename(name):
        reader.includes.append(reader.located(name))
        return
    for folder in reader.variables.get("CMAKE_MODULE_PATH", ()):
        reader.includes += [reader.located(f"{part}/{name}.cmake") for part in folder.split(";") if part]


def _configure_file(reader: _Reader, command: Command) -> None:
    """The header that is filled in; any other file says nothing about macros."""
    name = reader.text(command.arguments[0])
    if _HEADER.search(name):
        reader.includes.append(reader.located(name))


def _subdirectory(reader: _Reader, command: Command) -> None:
    folder = reader.text(command.arguments[0])
    reader.includes.append(reader.located(f"{folder}/CMakeLists.txt"))


def _project(reader: _Reader, command: Command) -> None:
    here = reader.variables.get("CMAKE_CURRENT_SOURCE_DIR")
    if here is not None:
        reader.variables["PROJECT_SOURCE_DIR"] = here
        reader.variables["PROJECT_NAME"] = [reader.text(command.arguments[0])]


def _find_package(reader: _Reader, command: Command) -> None:
    words = [reader.text(argument) for argument in command.arguments]
    if not _LWS.fullmatch(words[0]) or len(words) < 2 or not words[1][:1].isdigit():
        return
    lowest = words[1].partition("...")[0]
    reader.require(lowest, "find_package", command, command.arguments[1].span, exact="EXACT" in words)


def _pkg_config(reader: _Reader, command: Command) -> None:
    for item, argument in reader.items(command.arguments[1:]):
        match = _PKG.match(item)
        if match is not None and match[2] and match[1] in ("=", ">=", ">"):
            reader.require(match[2], "pkg-config", command, argument.span, exact=match[1] == "=")


def _fetch(reader: _Reader, command: Command) -> None:
    """``FetchContent_Declare``, ``ExternalProject_Add`` and ``CPMAddPackage``."""
    words = [reader.text(argument) for argument in command.arguments]
    url = next((word for word in words if _LWS.search(word)), "")
    if not url:
        return
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        span = command.arguments[min(index + 1, len(words) - 1)].span
        if word in ("GIT_TAG", "VERSION") and following and "${" not in following:
            reader.require(following, "tag", command, span, exact=_RELEASE.match(following) is not None)
            break
        archive = _ARCHIVE.search(word) if _LWS.search(word) else None
        short = re.search(r"libwebsockets?(?:\.git)?[#@](v?[\d.]+)$", word)
        if archive or short:
            version = (archive[1] or archive[2]) if archive else short[1] if short else ""
            reader.require(version, "tag", command, command.arguments[index].span, exact=True)
            break
    for argument in command.arguments:
        for match in re.finditer(r"-D(\w+)(?::\w+)?=([^\s;]*)", reader.text(argument)):
            reader.settings.append(
                Setting(match[1], match[2], reader.place(argument.span), "cache", command.when, words[0])
            )
    if "OPTIONS" in words:
        for argument in command.arguments[words.index("OPTIONS") + 1 :]:
            key, _, value = reader.text(argument).partition(" ")
            if value and re.fullmatch(r"\w+", key):
                reader.settings.append(
                    Setting(key, value.strip(), reader.place(argument.span), "cache", command.when, words[0])
                )


def _vcpkg_configure(reader: _Reader, command: Command) -> None:
    """``vcpkg_cmake_configure`` of a port: what follows ``OPTIONS`` is for every build type."""
    configuration = ""
    for argument in command.arguments:
        text = reader.text(argument)
        if re.fullmatch(r"OPTIONS(?:_DEBUG|_RELEASE)?", text):
            configuration = text.partition("_")[2].lower()
        match = re.fullmatch(r"-D(\w+)(?::\w+)?=(.*)", text, re.DOTALL)
        if match is not None:
            reader.settings.append(
                Setting(
                    match[1], match[2], reader.place(argument.span), "package", command.when, configuration
                )
            )


_HANDLERS: Final[dict[str, _Handler]] = {
    "option": _option,
    "cmake_dependent_option": _dependent_option,
    "set": _set,
    "unset": _unset,
    "string": _string,
    "list": _list,
    "file": _file,
    "aux_source_directory": _source_directory,
    "add_definitions": _add_definitions,
    "remove_definitions": _remove_definitions,
    "add_compile_definitions": _add_compile_definitions,
    "add_compile_options": _add_compile_options,
    "target_compile_definitions": _target_definitions,
    "target_compile_options": _target_options,
    "set_target_properties": _properties,
    "set_source_files_properties": _properties,
    "set_property": _set_property,
    **dict.fromkeys(_PROGRAMS, _target),
    "add_library": _target,
    "qt_add_library": _target,
    "idf_component_register": _component,
    "target_sources": _target_sources,
    "target_link_libraries": _link,
    "include": _include,
    "add_subdirectory": _subdirectory,
    "configure_file": _configure_file,
    "project": _project,
    "find_package": _find_package,
    "pkg_check_modules": _pkg_config,
    "pkg_search_module": _pkg_config,
    "fetchcontent_declare": _fetch,
    "externalproject_add": _fetch,
    "vcpkg_cmake_configure": _vcpkg_configure,
    "vcpkg_configure_cmake": _vcpkg_configure,
    "cpmaddpackage": _fetch,
    "cpmfindpackage": _fetch,
}
