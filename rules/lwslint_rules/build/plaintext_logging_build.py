"""A build of libwebsockets writes what TLS protects into its log.

## What it reports

`LWS_TLS_LOG_PLAINTEXT_RX` and `LWS_TLS_LOG_PLAINTEXT_TX` switched on: in CMake files, presets, caches,
recipes and manifests, on the command lines of Dockerfiles, scripts, makefiles and CI files, and as a macro
of the compiler.

- error: in any build that is not plainly one for development;
- warning: in a CI file, whose log is kept, too;
- note: under a condition that the build files leave open.

Silent where the build type is `Debug`, and where the condition, the configuration's name or the file's path
says that it is for debugging or for tests.

## What happens at run time

Every record that is received is written out as a hex dump when it has been decrypted, and every one that is
sent before it is encrypted: passwords, cookies and tokens with them. It comes at the level NOTICE, which
release builds print and programs leave switched on. Whoever reads the log, or whatever it is shipped to,
reads the traffic. Since 4.2.0; off unless it is switched on.

Seen with a Release build of 4.3.5 and OpenSSL 3: the request with its headers, the answer and each message.

## Example

```cmake
set(LWS_TLS_LOG_PLAINTEXT_RX ON CACHE BOOL "" FORCE)
FetchContent_MakeAvailable(libwebsockets)
```

## Write instead

```cmake
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(LWS_TLS_LOG_PLAINTEXT_RX ON CACHE BOOL "" FORCE)
endif()
FetchContent_MakeAvailable(libwebsockets)
```

## Known limits

A value that a variable gives is not judged. A later line that switches the option off again is not
followed. The options that the library's own CMakeLists.txt declares are no choice of anybody's.

## References

- CMakeLists.txt:304-305@v5.0.0; lib/tls/openssl/openssl-ssl.c:332-338,390-396@v5.0.0
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.model.build_options import Choice, choices
from lwslint.model.project import Project
from lwslint.rule import Rule
from lwslint.settings import Version

rule = Rule(
    code="LWS601",
    name="plaintext-logging-build",
    family="build",
    impact=Impact.SECURITY,
    languages=("build",),
)

SINCE = Version(4, 2, 0)
_DIRECTIONS = {"LWS_TLS_LOG_PLAINTEXT_RX": "received", "LWS_TLS_LOG_PLAINTEXT_TX": "sent"}


def check(project: Project) -> Iterator[Diagnostic]:
    version = project.settings.lws_version
    if version is not None and version < SINCE:
        return
    for choice in choices(project, _DIRECTIONS.keys()):
        if choice.on and not choice.development:
            yield _report(choice)


def _report(choice: Choice) -> Diagnostic:
    severity = Severity.WARNING if choice.kind == "ci" else Severity.ERROR
    message = (
        f"everything {_DIRECTIONS[choice.key]} over TLS is written to the log in plaintext, in release builds"
        f" too: {choice.key} is on"
    )
    if choice.only:
        severity, message = Severity.NOTE, f"{message} where {choice.only}"
    return rule.report(
        choice.place,
        message,
        severity=severity,
        help="leave it off, or switch it on in a Debug configuration only",
    )
