"""CMake's conditions in three values: what is known decides, everything else stays open."""

from __future__ import annotations

import pytest

from lwslint.build import cmake
from lwslint.build.cmake import UNKNOWN, Unknown

KNOWN = {
    "YES": "ON",
    "NO": "OFF",
    "EMPTY": "",
    "NAME": "lab",
    "MISSING": "x-NOTFOUND",
    "CMAKE_BUILD_TYPE": "Release",
    "V": "4.3.2",
}


def lookup(name: str) -> str | Unknown | None:
    if name.startswith("U"):
        return UNKNOWN
    return KNOWN.get(name)


CONDITIONS = {
    "YES": True,
    "NO": False,
    "EMPTY": False,
    "MISSING": False,
    "NAME": True,
    "NOT_SET": False,
    "UNKNOWN": None,
    "1": True,
    "0": False,
    "on": True,
    "${YES}": True,
    "${NO}": False,
    "${NOT_SET}": False,
    "${UNKNOWN}": None,
    '"YES"': True,
    '"NAME"': False,
    "NOT YES": False,
    "NOT NOT YES": True,
    "NOT UNKNOWN": None,
    "YES AND NO": False,
    "NO AND UNKNOWN": False,
    "YES AND UNKNOWN": None,
    "YES OR UNKNOWN": True,
    "NO OR UNKNOWN": None,
    "NO AND NO OR YES": True,
    "NO AND (NO OR YES)": False,
    "(YES)": True,
    "DEFINED YES": True,
    "DEFINED NOT_SET": False,
    "DEFINED UNKNOWN": None,
    "DEFINED ENV{X}": None,
    'NAME STREQUAL "lab"': True,
    'NAME STREQUAL "field"': False,
    '"${NAME}" STREQUAL "lab"': True,
    "CMAKE_BUILD_TYPE STREQUAL Release": True,
    "CMAKE_BUILD_TYPE STREQUAL Debug": False,
    'CMAKE_BUILD_TYPE MATCHES "Rel"': True,
    'CMAKE_BUILD_TYPE MATCHES "^Debug$"': False,
    'CMAKE_BUILD_TYPE MATCHES "(a+)+$"': None,
    "V VERSION_LESS 4.10": True,
    "V VERSION_GREATER_EQUAL 4.4": False,
    "1 LESS 2": True,
    "UNKNOWN STREQUAL x": None,
    "EXISTS /etc/passwd": None,
    "TARGET app": None,
    "NOT_SET IN_LIST X": None,
    "": None,
    "(YES": None,
    "YES NO": None,
    "AND": None,
    "$<CONFIG:Release>": True,
    "$<CONFIG:release,Debug>": True,
    "$<CONFIG:Debug>": False,
    "$<NOT:$<CONFIG:Debug>>": True,
    "$<AND:$<CONFIG:Release>,$<BOOL:${YES}>>": True,
    "$<AND:$<CONFIG:Release>,$<BOOL:${UNKNOWN}>>": None,
    "$<OR:$<CONFIG:Debug>,$<BOOL:${NO}>>": False,
    "$<STREQUAL:${NAME},lab>": True,
    "$<PLATFORM_ID:Linux>": None,
    "$<1:x>": True,
    "function(lab)": None,
}


@pytest.mark.parametrize("text, expected", CONDITIONS.items())
def test_conditions(text: str, expected: bool | None) -> None:
    assert cmake.condition(text, lookup) is expected


VARIABLES = {
    "A AND NOT (B OR ${C})": ("A", "B", "C"),
    'CMAKE_BUILD_TYPE STREQUAL "Debug" AND LAB': ("CMAKE_BUILD_TYPE", "LAB"),
    "CMAKE_BUILD_TYPE STREQUAL Debug": ("CMAKE_BUILD_TYPE",),
    '"${A}" STREQUAL "${B}"': ("A", "B"),
    "DEFINED A AND EXISTS b AND ON": ("A",),
    "$<AND:$<CONFIG:Debug>,$<BOOL:${LAB}>>": ("LAB", "CMAKE_BUILD_TYPE"),
    "$<PLATFORM_ID:Linux>": (),
    "": (),
}


@pytest.mark.parametrize("text, expected", VARIABLES.items())
def test_variables(text: str, expected: tuple[str, ...]) -> None:
    assert cmake.variables(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "NOT " * 10_000 + "YES",
        "A AND " * 10_000 + "A",
        "$<NOT:" * 10_000,
        '"' * 9_999,
        "${" * 5_000,
    ],
)
def test_a_hostile_condition_is_unknown(text: str) -> None:
    assert cmake.condition(text, lookup) is None
