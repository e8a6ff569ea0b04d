"""The knowledge against the libwebsockets headers that are installed here, as a C compiler reads them."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from lwslint.knowledge import api
from lwslint.settings import Version

INCLUDE = "#include <libwebsockets.h>\n#include <stddef.h>\n"


def gcc(source: str, *options: str) -> str:
    """Standard output of gcc on ``source``; fails the test when it complains."""
    done = subprocess.run(
        ["gcc", "-xc", *options, "-"], input=source, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[:3000]
    return done.stdout


pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or not Path("/usr/include/libwebsockets.h").exists(),
    reason="needs gcc and the libwebsockets headers",
)


@cache
def macros() -> dict[str, str]:
    lines = gcc(INCLUDE, "-E", "-dM").splitlines()
    return {
        name: value
        for _, name, *value_ in (line.split(" ", 2) for line in lines)
        for value in (value_ or [""])
    }


@cache
def identifiers() -> frozenset[str]:
    """Every word of the headers after preprocessing, and every macro."""
    return frozenset(re.findall(r"\w+", gcc(INCLUDE, "-E", "-P"))) | frozenset(
        name.split("(")[0] for name in macros()
    )


def installed() -> Version:
    return api.parse_version(macros()["LWS_LIBRARY_VERSION"].strip('"').split("-")[0])


def assert_values(expected: dict[str, int]) -> None:
    """One compilation that holds every name to its value."""
    lines = [f'_Static_assert((long long)({n}) == {v}LL, "{n}");' for n, v in sorted(expected.items())]
    gcc(INCLUDE + "\n".join(lines), "-fsyntax-only")


def present(since: Version, removed: Version | None) -> bool:
    return since <= installed() and (removed is None or installed() < removed)


def test_callback_reasons() -> None:
    reasons = [r for name in api.reason_names() if (r := api.reason(name)) and present(r.since, r.removed)]
    assert len(reasons) > 100 or installed() < Version(4)
    assert_values({reason.name: reason.number for reason in reasons})


def test_no_callback_reason_of_the_header_is_missing() -> None:
    written = {word for word in identifiers() if re.fullmatch(r"LWS_CALLBACK_[A-Z0-9_]+", word)}
    missing = [word for word in sorted(written) if api.reason(word) is None]
    assert missing == [] or installed() > Version(5)


def test_flags_and_options() -> None:
    rows = [(flag.name, flag.value, flag.since) for flag in api.flags()]
    rows += [(option.name, option.value, option.since) for option in api.options()]
    old = {name: value for name, value, since in rows if api.parse_version(since) <= installed()}
    assert "LCCSCF_ALLOW_SELFSIGNED" in old
    assert_values(old)


def test_constants() -> None:
    known = {
        word: value
        for word in sorted(identifiers())
        if word.startswith(
            ("LWS_WRITE_", "LWS_CLOSE_STATUS_", "PENDING_TIMEOUT_", "HTTP_STATUS_", "LLL_", "CONTEXT_PORT_")
        )
        and (value := api.constant_value(word)) is not None
    }
    assert len(known) > 80
    for name in (
        "LWS_PRE",
        "LWS_SEND_BUFFER_PRE_PADDING",
        "LWS_US_PER_SEC",
        "LWS_US_PER_MS",
        "LWS_SOCK_INVALID",
    ):
        value = api.constant_value(name)
        assert value is not None and name in identifiers()
        known[name] = value
    # The number of log levels grows with the releases.
    known.pop("LLL_COUNT", None)
    assert_values(known)


def test_functions_are_declared() -> None:
    # Of the functions that rules ask for, the ones that no build option takes out of the header.
    names = (
        "lws_service lws_service_tsi lws_write lws_callback_on_writable lws_cancel_service lws_create_vhost"
    )
    for name in names.split():
        found = api.function(name)
        assert found is not None and present(found.since, found.removed)
        assert name in identifiers()
    # And the other way round: what the header has, the table has.
    declared = {
        word for word in identifiers() if re.fullmatch(r"lws_(?:service|callback|cancel|client)_\w+", word)
    }
    functions = {
        word for word in declared if not word.endswith(("_t", "_info", "_function", "_reasons", "_flags"))
    }
    unknown = sorted(word for word in functions if api.function(word) is None)
    assert unknown == [], unknown


@pytest.mark.parametrize("struct", ["lws_protocols", "lws_pollargs", "lws_retry_bo"])
def test_members_stand_in_the_order_of_the_header(struct: str) -> None:
    names = api.field_names(struct, installed())
    pairs = itertools.pairwise(names)
    checks = [
        f'_Static_assert(offsetof(struct {struct}, {a}) < offsetof(struct {struct}, {b}), "{a} {b}");'
        for a, b in pairs
    ]
    assert checks
    gcc(INCLUDE + "\n".join(checks), "-fsyntax-only")
