"""A build that is not for development has libwebsockets with debugging aids, or without the TLS it needs.

## What it reports

In CMake files, presets, caches, recipes, manifests, Dockerfiles, scripts and makefiles:

- warning: `LWS_WITH_ASAN`, `LWS_WITH_SYS_FAULT_INJECTION`, `LWS_WITH_SUL_DEBUGGING`,
  `LWS_WITH_ALLOC_METADATA_LWS`, `LWS_WITH_WAKE_LOGGING`, `LWS_WITH_GCOV`, `LWS_WITH_LATENCY` or
  `LWS_WITH_DETAILED_LATENCY` switched on;
- warning: `LWS_WITH_SSL` or `LWS_WITH_TLS` (Conan: `with_ssl`) switched off where a program of the tree uses
  TLS;
- note: either under a condition that the build files leave open.

Silent where the build type is `Debug`, where the condition, the configuration's name or the file's path says
that it is for debugging or for tests, and in CI files: that is what these options are for.

## What happens at run time

It depends on the option, and the message says it. Without TLS in the library, lws_client_connect_via_info()
returns NULL for a connection with `LCCSCF_USE_SSL` ("lws not configured for tls"). A server that sets
`ssl_cert_filepath` serves plaintext up to 4.0, and does not compile since 4.1.

## Example

```cmake
set(LWS_WITH_SYS_FAULT_INJECTION ON)
FetchContent_MakeAvailable(libwebsockets)
```

## Write instead

```cmake
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(LWS_WITH_SYS_FAULT_INJECTION ON)
endif()
FetchContent_MakeAvailable(libwebsockets)
```

## Known limits

A value that a variable gives is not judged. A later line that takes an option back is not followed.

## References

- CMakeLists.txt:209-211,413,424,442,469,487@v5.0.0; READMEs/README.fault-injection.md
- lib/roles/http/client/client-http.c (LWS_WITH_TLS), include/libwebsockets/lws-context-vhost.h@v5.0.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Member, Place
from lwslint.model.alternatives import is_null
from lwslint.model.build_options import Choice, choices
from lwslint.model.documents import policies, streams
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS602",
    name="debug-options-in-production-build",
    family="build",
    impact=Impact.HYGIENE,
    severity=Severity.WARNING,
    languages=("build",),
)

_AIDS = {
    "LWS_WITH_ASAN": "the library is built for AddressSanitizer: it takes several times the time and memory,"
    " and what it writes about an error tells an attacker where things are",
    "LWS_WITH_SYS_FAULT_INJECTION": "whoever starts the program can make its allocations, connections and"
    " handshakes fail (--fault-injection)",
    "LWS_WITH_SUL_DEBUGGING": "the timers are searched for each object that is freed",
    "LWS_WITH_ALLOC_METADATA_LWS": "each allocation of the library carries a backtrace with it",
    "LWS_WITH_WAKE_LOGGING": "each turn of the event loop writes to the log why it woke up",
    "LWS_WITH_GCOV": "the library counts which of its lines run, and writes that to disk when it ends",
    "LWS_WITH_LATENCY": "the event loop is timed, turn by turn",
    "LWS_WITH_DETAILED_LATENCY": "each read and write is timed and reported",
}
_TLS = ("LWS_WITH_SSL", "LWS_WITH_TLS", "libwebsockets:with_ssl")  # the last is Conan's
_CERTIFICATES = ("ssl_cert_filepath", "server_ssl_cert_mem")
_ASKS_FOR_TLS = re.compile(
    r"LWS_WITH_(?:TLS|SSL)|LWS_OPENSSL_SUPPORT|(?i:with|have|use)_?(?i:tls|ssl|openssl)"
)


def check(project: Project) -> Iterator[Diagnostic]:
    for choice in choices(project, _AIDS.keys()):
        if choice.on and not _is_of_tests(choice):
            yield _report(choice, _AIDS[choice.key], "leave it off, or switch it on for Debug only")
    # The first line of a file that says so; others repeat it.
    without = {
        c.place.path: c for c in reversed(list(choices(project, _TLS))) if c.off and not _is_of_tests(c)
    }
    use = _tls_use(project) if without else None
    if use is not None:
        for choice in without.values():
            yield _report(choice, use[1], "leave it on", [Step(use[0], "this needs TLS")])


def _is_of_tests(choice: Choice) -> bool:
    return choice.development or choice.kind == "ci"


def _report(choice: Choice, effect: str, help: str, related: list[Step] | None = None) -> Diagnostic:
    state = "on" if choice.on else "off"
    message = f"{effect}: {choice.key} is {state}"
    return rule.report(
        choice.place,
        message + (f" where {choice.only}" if choice.only else ""),
        severity=Severity.NOTE if choice.only else rule.severity,
        help=help,
        related=related or (),
    )


def _tls_use(project: Project) -> tuple[Place, str] | None:
    """A place that needs a library with TLS, and what it comes to without."""
    connections = project.connections
    for connection in connections.all:
        for alternative in connections.possible(connection, "ssl_connection").numbers:
            place = connection.writes("ssl_connection")[0].place
            if alternative.number & 1 and not _is_asked(project, place):
                return place, "no TLS connection is made: lws_client_connect_via_info() returns NULL"
    for text in policies(project):
        for stream in streams(text):
            if stream.true("tls"):
                place = text.place(stream.member.key_span)
                return place, f'stream "{stream.name}" never connects: the library has no TLS'
    values = project.values
    for field in _CERTIFICATES:
        for write in values.writes.named(field):
            if not isinstance(write.target, Member) or _is_asked(project, write.place):
                continue
            if values.writes.class_of(write.target.object, write.definition) != "lws_context_creation_info":
                continue
            if not all(map(is_null, values.possible_in(write.value, write.scope).alternatives)):
                return write.place, f"the server speaks no TLS: without it the library has no use for {field}"
    return None


def _is_asked(project: Project, place: Place) -> bool:
    """Whether an ``#if`` around a place asks for TLS."""
    return any(_ASKS_FOR_TLS.search(c.text) for c in project.conditions_at(place.path, place.span))
