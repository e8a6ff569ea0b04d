"""Yocto recipes (``*.bb``, ``*.bbappend``): the options that a package is built with.

BitBake reads its files line by line (bitbake user manual, "Syntax and Operators"), and so does this reader.
Functions are left out, but for the tasks that are shell scripts: those go to the shell's reader.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, shell, versions
from lwslint.build.readers.records import Records, Snippet, decode, whole
from lwslint.build.readers.words import add_flags, holds_flags, split
from lwslint.facts import Span

_ASSIGNMENT = re.compile(
    rb"(?:export[ \t]+)?(?P<name>[\w.+${}-]+)(?P<overrides>(?::[\w${}-]+)*)(?:\[(?P<flag>[^\]\n]+)\])?"
    rb"[ \t]*(?:\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=)"
    rb"[ \t]*(?P<quote>[\"'])(?P<value>[\s\S]*)(?P=quote)[ \t\r\n]*\Z"
)
_FUNCTION = re.compile(
    rb"(?P<python>python\b[ \t]*)?(?:fakeroot[ \t]+)?(?P<name>[\w.:+${}-]*)[ \t]*\([ \t]*\)[ \t]*\{"
)
_INCLUDE = re.compile(rb"(?:include|require)[ \t]+(\S+)")
_FILE = re.compile(r"(?P<name>.+?)_(?P<version>[^_]+)\.bb(?:append)?\Z")
_OLD_OVERRIDE = re.compile(r"_(append|prepend|remove)(?=_|\Z)")
_CMAKE = re.compile(r"EXTRA_OECMAKE\Z|\w*_OECMAKE\Z")
_SRC_RELEASE = re.compile(r"libwebsockets[^;\s]*;(?:\S*;)?(?:branch|tag)=([^;\s\"]+)")


class _Assignment(NamedTuple):
    name: str
    overrides: tuple[str, ...]
    flag: str
    value: Snippet
    span: Span
    when: tuple[When, ...]


def read(path: str, data: bytes) -> BuildFile:
    """The options in ``EXTRA_OECMAKE`` and ``PACKAGECONFIG``, the macros in ``CFLAGS``, the release."""
    return Records(path, "recipe", data).read(_read)


def _read(records: Records) -> None:
    assignments = list(_assignments(records))
    for assignment in assignments:
        with records.under(*assignment.when):
            _assigned(records, assignment)
    _package_configuration(records, assignments)
    _release(records, assignments)


def _assigned(records: Records, assignment: _Assignment) -> None:
    if assignment.flag or "remove" in assignment.overrides:
        return
    if _CMAKE.match(assignment.name):
        commands.cmake_arguments(records, split(assignment.value), "package")
    elif holds_flags(assignment.name):
        add_flags(records, split(assignment.value))
    elif assignment.name == "SRC_URI":
        for match in _SRC_RELEASE.finditer(decode(assignment.value.text)):
            if version := versions.of_tag(match[1]):
                exact = versions.is_release(version)
                records.requirement(version, "package", assignment.span, exact=exact)


def _package_configuration(records: Records, assignments: list[_Assignment]) -> None:
    """``PACKAGECONFIG[ssl] = "-DLWS_WITH_SSL=ON,-DLWS_WITH_SSL=OFF,openssl"``: the first part where
    PACKAGECONFIG has the word, else the second."""
    chosen = [
        (word, assignment)
        for assignment in assignments
        if assignment.name == "PACKAGECONFIG" and not assignment.flag and "remove" not in assignment.overrides
        for word in split(assignment.value)
    ]
    for feature in assignments:
        if feature.name != "PACKAGECONFIG" or not feature.flag:
            continue
        parts = _parts(feature.value)
        users = [assignment for word, assignment in chosen if word.text == feature.flag]
        # ${@bb.utils.filter('DISTRO_FEATURES', 'ipv6', d)}: somebody else decides.
        open_ = [word for word, _ in chosen if word.text.startswith("${@") and feature.flag in word.text]
        for word in open_:
            when = When(f"{feature.flag} in PACKAGECONFIG", records.place(word.span))
            with records.under(when):
                _option(records, parts[:1])
        for assignment in users:
            with records.under(*assignment.when):
                _option(records, parts[:1])
        if not users and not open_:
            _option(records, parts[1:2])


def _option(records: Records, parts: list[Snippet]) -> None:
    for part in parts:
        commands.cmake_arguments(records, split(part), "package")


def _parts(value: Snippet) -> list[Snippet]:
    parts: list[Snippet] = []
    start = 0
    for match in re.finditer(rb",|\Z", value.text):
        parts.append(value.part(start, match.start()))
        start = match.end()
    return parts


def _release(records: Records, assignments: list[_Assignment]) -> None:
    """``PV``, or the version in the file's name, of a recipe of libwebsockets itself."""
    name = posixpath.basename(records.path)
    match = _FILE.match(name)
    if not versions.names_library((match["name"] if match else name).partition("_")[0]):
        return
    for assignment in assignments:
        if assignment.name == "PV" and (version := versions.of_package(decode(assignment.value.text))):
            exact = versions.is_release(version)
            records.requirement(version, "package", assignment.span, exact=exact)
            return
    if match and (version := versions.of_tag(match["version"])):
        records.requirement(version, "package", Span(0, 0), exact=versions.is_release(version))


# --------------------------------------------------------------------------- syntax


def _assignments(records: Records) -> Iterator[_Assignment]:
    file = whole(records.data)
    data = records.data
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while position < len(data):
        end = _logical_end(data, position)
        line = file.part(position, end)
        start, position = position, end + 1
        text = line.text.strip()
        if not text or text.startswith(b"#"):
            continue
        function = _FUNCTION.match(line.text)
        if function is not None:
            close = re.compile(rb"^\}", re.MULTILINE).search(data, start)
            stop = close.start() if close else len(data)
            if not function["python"]:
                shell.read_snippet(
                    records, file.part(start + function.end(), max(stop, start + function.end()))
                )
            position = _logical_end(data, stop) + 1
        elif include := _INCLUDE.match(line.text):
            records.include(decode(include[1]))
        elif match := _ASSIGNMENT.match(line.text):
            yield _assignment(records, line, match)


def _assignment(records: Records, line: Snippet, match: re.Match[bytes]) -> _Assignment:
    name = decode(match["name"])
    overrides = [part for part in decode(match["overrides"]).split(":") if part]
    if old := _OLD_OVERRIDE.search(name):  # EXTRA_OECMAKE_append_arm, until Yocto 3.4
        overrides = [part for part in name[old.start() :].split("_") if part] + overrides
        name = name[: old.start()]
    span = line.span(match.start("name"), len(line.text.rstrip()))
    when = tuple(
        When(f"override {part}", records.place(span))
        for part in overrides
        if part not in ("append", "prepend", "remove", "class-target")
    )
    value = line.part(match.start("value"), match.end("value"))
    return _Assignment(name, tuple(overrides), decode(match["flag"] or b""), value, span, when)


def _logical_end(data: bytes, position: int) -> int:
    while True:
        end = data.find(b"\n", position)
        if end < 0:
            return len(data)
        stop = end - 1 if data[end - 1 : end] == b"\r" else end
        if data[stop - 1 : stop] != b"\\":
            return end
        position = end + 1
