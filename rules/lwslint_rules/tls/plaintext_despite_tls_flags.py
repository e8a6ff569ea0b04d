"""A connection that is meant to use TLS goes out in plaintext.

## What it reports

`ssl_connection` with bits that concern the certificate (`LCCSCF_ALLOW_SELFSIGNED`, …, or the number 2)
but without `LCCSCF_USE_SSL`. Where the code says that no TLS is wanted (`#else` of a TLS option, the
branch for `ws://`), the bits have no effect and nothing is reported.

In Python: constants that get into `ssl_connection` of a structure, through ctypes or cffi.

## What happens at run time

Up to lws 2.4 any value other than 0 meant TLS, and 2 meant "TLS, self-signed certificates allowed".
Since 3.0 only bit 0 turns TLS on. The first bytes on the wire are `GET / HTTP/1.1`, with the cookies and
the `Authorization` header of the handshake in clear. A TLS server answers with an alert or closes; the
client sees "read failed" or a time-out. A server that speaks both goes on without any protection.
Seen with 4.1.6: `GET /` in clear for 2, 4, 8, 16 and 30, a TLS record as soon as bit 0 is added.

## Example

```c
i.port = 443;
i.ssl_connection = LCCSCF_ALLOW_SELFSIGNED;  /* or 2 */
```

## Write instead

```c
i.port = 443;
i.ssl_connection = LCCSCF_USE_SSL;
```

For a program that must also be built with lws before 2.1, write `1`.

## Fix

Unsafe: the connection uses TLS from then on, and checks certificates. `LCCSCF_USE_SSL` (`1` for targets
before 2.1) stands for all of the bits.

## Known limits

A value put together from a number read at run time is not judged. When the configured `lws-version` is
older than 3.0, or an `#if` on the version says so, `permissive-tls-flags` reports the value instead.

## References

- lib/roles/http/client/client-http.c:34,230@v4.1.6, lib/tls/tls-client.c:193@v5.0.0: only bit 0 is asked
- lib/client.c:261@v2.4.2: any value other than 0
- warmcat/libwebsockets issue 2303
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.model.permissive import Weakness
from lwslint.model.project import Project
from lwslint.remedies import Applicability, DropFlags, Remedy
from lwslint.rule import Rule
from lwslint_rules.tls._flags import spelled_tls
from lwslint_rules.tls._python import native_flags

rule = Rule(
    code="LWS402",
    name="plaintext-despite-tls-flags",
    family="tls",
    impact=Impact.CONNECTION,
    languages=("c", "cpp", "python"),
)


def check(project: Project) -> Iterator[Diagnostic]:
    version = project.settings.lws_version
    target = "lws 3.0 and later" if version is None else f"lws {version}"
    for weakness in project.weaknesses:
        if not weakness.tls:
            yield _report(weakness, target, spelled_tls(project))
    yield from native_flags(project, rule, plaintext=True)


def _report(weakness: Weakness, target: str, tls: str) -> Diagnostic:
    spelled = " | ".join(dict.fromkeys(use.spelled for use in weakness.uses))
    if spelled.isdigit():
        named = " | ".join(dict.fromkeys(use.flag.name for use in weakness.uses))
        spelled = f"{spelled} ({named})"
    message = f"this connects without TLS: {spelled} lacks LCCSCF_USE_SSL, the only bit that {target} asks"
    # An option that asks for TLS and gets none is no excuse; one that asks for weak TLS is its user's choice.
    chosen = weakness.exposure.kind in ("switch", "build") and not weakness.exposure.weak
    if chosen:
        message += f"; only when asked for: {weakness.exposure.text}"
    place = weakness.sink or weakness.place
    steps = [Step(use.place, f"{use.spelled} comes from here") for use in weakness.uses if use.place != place]
    steps += [Step(via.place, via.what) for via in weakness.via]
    cause = weakness.exposure.place
    if chosen and cause is not None:
        steps.append(Step(cause, f"this condition decides: {weakness.exposure.text}"))
    return rule.report(
        place,
        message,
        severity=Severity.NOTE if chosen else Severity.ERROR,
        help="set LCCSCF_USE_SSL, and drop the other bits: they weaken the check of the certificate",
        related=steps,
        function=weakness.definition.qualified,
        remedy=None if chosen else _remedy(weakness, tls),
    )


def _remedy(weakness: Weakness, tls: str) -> Remedy:
    first, *others = dict.fromkeys(use.place for use in weakness.uses)
    change = DropFlags(tuple(others), ((first, tls),))
    return Remedy(f"use {tls} alone", Applicability.UNSAFE, change)
