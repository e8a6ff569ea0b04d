"""configure.ac: the libwebsockets that pkg-config must find."""

from __future__ import annotations

import pytest

from lwslint.build import readers
from tests.build.telling import pointed, tell

CASES = {
    "a lower bound": (
        "PKG_CHECK_MODULES([LWS], [libwebsockets >= 4.0])\n",
        ["lws >= 4.0 (pkg-config) @1"],
    ),
    "one version": ("PKG_CHECK_MODULES(LWS, libwebsockets = 4.3.2)\n", ["lws == 4.3.2 (pkg-config) @1"]),
    "among others, with actions": (
        "PKG_CHECK_MODULES([DEPS],\n  [glib-2.0 >= 2.34 libwebsockets >= 3.1.0\n   jansson],\n"
        "  [AC_DEFINE([HAVE_LWS], [1])], [AC_MSG_ERROR([no libwebsockets >= 9.9, (sorry)])])\n",
        ["lws >= 3.1.0 (pkg-config) @2"],
    ),
    "a project's own macro": (
        "MY_ARG_WITH_CHECK([OPTS], [libwebsockets support], [libwebsockets], [LWS],\n"
        "  [libwebsockets >= 2.0.2])\n",
        ["lws >= 2.0.2 (pkg-config) @2"],
    ),
    "a version in a variable": (
        "WS_REQUIRED=4.0.20\nPKG_CHECK_MODULES(WS, [libwebsockets >= $WS_REQUIRED])\n",
        ["lws >= 4.0.20 (pkg-config) @2"],
    ),
    "a version that nobody knows": ("PKG_CHECK_MODULES(WS, [libwebsockets >= $WS])\n", []),
    "any version, an upper bound": (
        "PKG_CHECK_MODULES([A], [libwebsockets])\nPKG_CHECK_MODULES([B], [libwebsockets < 5])\n",
        [],
    ),
    "a comment": (
        "dnl PKG_CHECK_MODULES([A], [libwebsockets >= 1.0])\n"
        "# PKG_CHECK_MODULES([A], [libwebsockets >= 1.0])\n",
        [],
    ),
    "another library": ("PKG_CHECK_MODULES([A], [websocketspp >= 1.0 libwebsockets])\n", []),
}


@pytest.mark.parametrize("case", CASES)
def test_requirements(case: str) -> None:
    text, expected = CASES[case]
    assert tell("configure.ac", text) == expected


def test_places() -> None:
    text = "PKG_CHECK_MODULES([LWS], [zlib libwebsockets >= 4.0])\n"
    assert pointed("configure.ac", text) == ["libwebsockets >= 4.0"]


@pytest.mark.parametrize(
    "text",
    [
        "PKG_CHECK_MODULES(" * 50_000 + "libwebsockets >= 4.0",
        "PKG_CHECK_MODULES([A], [" + "[" * 10_000 + "libwebsockets >= 4.0",
        "PKG_CHECK_MODULES([A], [" + "zlib " * 100_000 + "libwebsockets >= 4.0])",
        "",
    ],
)
def test_calls_without_end(text: str) -> None:
    assert tell("configure.ac", text) == []


def test_too_large() -> None:
    assert "larger than" in readers.read("configure.ac", b"x" * 5_000_000).problem
