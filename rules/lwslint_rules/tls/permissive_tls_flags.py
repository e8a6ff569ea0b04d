"""A TLS client connection accepts certificates that it should refuse.

## What it reports

`LCCSCF_ALLOW_SELFSIGNED`, `LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK`, `LCCSCF_ALLOW_EXPIRED`,
`LCCSCF_ALLOW_INSECURE` and the flags that allow a redirect to plain HTTP or replayable early data, where
they get into `ssl_connection`: through variables, fields, parameters, out-parameters, returned values,
macros, numbers (`3`), and the positional argument of the functions before 1.7. One report for one
expression, at its first such flag.

- error: every TLS connection made there is weakened. A condition that only asks whether TLS is wanted
  (`use_ssl ? … : 0`, the scheme, port 443, the version of lws, the platform) does not soften it, and
  neither does "no CA file is configured": checks that are off until somebody configures them are off.
- note: an operator's switch (`--insecure`, a field, an environment variable) or a build option asks for it,
  the peer is this machine by its literal address, or the flags leave the certificate's checks alone.
- nothing: code that is not in the production build (`#ifdef DEBUG`). What is in it the build files tell, and
  the message names the option, preset or build type that decides (see `docs/builds.md`).

In Python: contexts that check less than `ssl.create_default_context()` does (`CERT_NONE`, `check_hostname =
False`, `_create_unverified_context()`, a bare `SSLContext()`, `Purpose.CLIENT_AUTH` in a client) on their
way to a WebSocket client, options of the libraries (`sslopt`, aiohttp's `ssl=False`, `validate_cert=False`,
`ssl_verify=False`, `tls_insecure_set(True)`), libraries that check nothing by default (autobahn's
`connectWS(factory)`, ws4py), and `ssl_connection` through ctypes. Python has no build flags, so the ladder
is: test, example and documentation paths and development settings are notes; a switch that asks for it by
its name is a note, and a warning where it is on by default or is `__debug__`; everything else is an error.
The message says which step decided. Contexts of servers and of other clients are not reported.

## What happens at run time

The connection works, with anybody. Whoever sits between client and server presents a certificate of his
own, reads everything, the credentials of the handshake first, and answers what he likes. All that
OpenSSL builds log is a NOTICE, "accepting self-signed certificate", and not even that for a wrong host name.
The flags do different things on different TLS libraries, which the report spells out. Two of them give
less than the code asks for even without a flag: Debian's wolfSSL takes every certificate (seen with lws
4.3.5), and with GnuTLS, which the cmake of lws 5.0 takes by default when HTTP/3 is on, the host name is not
compared (seen with 5.0.0).

## Example

```c
i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED |
                   LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
```

## Write instead

```c
info.client_ssl_ca_filepath = "/etc/radio/ca.pem";  /* what signed the server's certificate */
info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;  /* and nothing else */
/* … */
i.host = "radio.example.com";       /* the name in the certificate */
i.ssl_connection = LCCSCF_USE_SSL;
```

A self-signed server certificate can be given as the CA file itself.

## Fix

Unsafe: a connection to a server without a certificate that can be checked fails from then on. The flags go
(a statement that only adds them as a whole); in Python the options and statements that turn checks off, and
contexts without checks become `ssl.create_default_context()`. For errors only: what an operator's switch or
a build option asks for stays.

## Known limits

Whether a condition is an operator's switch is told from the words in it, and from whether the program has
strict TLS besides; one that leaves the function early (`if (!insecure) return;`), from its words alone.
Flags that are read from a data table are not followed.

## References

- include/libwebsockets/lws-client.h:37-116@v5.0.0: the flags
- lib/tls/openssl/openssl-client.c:105-130@v5.0.0, lib/tls/mbedtls/mbedtls-client.c:165-180@v5.0.0
- warmcat/libwebsockets issues 1171, 2326, 2628, 2711, 2949, 3398
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Place
from lwslint.model.permissive import CHECKS, USE_SSL, Use, Weakness
from lwslint.model.project import Project
from lwslint.remedies import Applicability, DropFlags, Remedy
from lwslint.rule import Rule
from lwslint_rules.tls._flags import spelled_tls
from lwslint_rules.tls._python import permissive

rule = Rule(
    code="LWS401",
    name="permissive-tls-flags",
    family="tls",
    impact=Impact.SECURITY,
    languages=("c", "cpp", "python"),
)

_BACKENDS = (("openssl", "OpenSSL"), ("mbedtls", "mbedTLS"), ("wolfssl", "wolfSSL"))
_HELP = (
    "use LCCSCF_USE_SSL alone, give the CA that signed the server's certificate (or that certificate) as"
    " info.client_ssl_ca_filepath, and put the name in the certificate into .host"
)


def check(project: Project) -> Iterator[Diagnostic]:
    for weakness in project.weaknesses:
        if weakness.tls:
            yield _report(project, weakness)
    yield from permissive(project, rule)


def _report(project: Project, weakness: Weakness) -> Diagnostic:
    steps = [Step(use.place, _effects(use)) for use in weakness.uses]
    steps += [Step(via.place, via.what) for via in weakness.via]
    cause = weakness.exposure.place
    if cause is not None:
        steps.append(Step(cause, f"this condition decides: {weakness.exposure.text}"))
    if weakness.exposure.decider is not None:
        steps.append(Step(weakness.exposure.decider, "the build decides that condition here"))
    return rule.report(
        weakness.place,
        _message(weakness),
        severity=_severity(weakness),
        confidence=Confidence.HIGH if weakness.resolved else Confidence.MEDIUM,
        help=_HELP,
        related=steps,
        function=weakness.definition.qualified,
        remedy=_remedy(project, weakness),
    )


def _remedy(project: Project, weakness: Weakness) -> Remedy | None:
    """Take the flags out; not where a user or a build asks for them: that is a feature of the program."""
    if _severity(weakness) is not Severity.ERROR:
        return None
    # Old releases do not have the name, and newer ones that the code is for take the number.
    tls = "1" if weakness.legacy else spelled_tls(project)
    numbers: dict[Place, int] = {}
    for use in weakness.uses:
        if use.spelled.isdigit():
            numbers[use.place] = numbers.get(use.place, int(use.spelled)) & ~use.flag.value
    names = list(dict.fromkeys(use.flag.name for use in weakness.uses))
    change = DropFlags(
        tuple(dict.fromkeys(use.place for use in weakness.uses if use.place not in numbers)),
        tuple((place, tls if left in (0, USE_SSL) else str(left)) for place, left in numbers.items()),
        alone=tls if weakness.legacy else "",
    )
    return Remedy(f"take {', '.join(names)} out", Applicability.UNSAFE, change)


def _severity(weakness: Weakness) -> Severity:
    if weakness.exposure.kind in ("switch", "build") or weakness.loopback:
        return Severity.NOTE
    if not any(use.flag.value & CHECKS for use in weakness.uses):
        return Severity.NOTE
    return Severity.ERROR


def _message(weakness: Weakness) -> str:
    names = list(dict.fromkeys(use.flag.name for use in weakness.uses))
    lost = "; ".join(dict.fromkeys(use.flag.gives_away for use in weakness.uses))
    spelled = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    gives = "gives" if len(names) == 1 else "give"
    if any(use.spelled.isdigit() for use in weakness.uses):
        number = next(use.spelled for use in weakness.uses if use.spelled.isdigit())
        spelled = f"{number} = {spelled}"
    head = "anybody on the way can pose as the server of this TLS connection"
    if not any(use.flag.value & CHECKS for use in weakness.uses):
        head = "this TLS connection can be weakened from outside"
    text = f"{head}: {spelled} {gives} away {lost}"
    match weakness.exposure.kind:
        case "switch":
            return f"{text}; only when asked for at run time: {weakness.exposure.text}"
        case "build":
            return f"{text}; only in a build with {weakness.exposure.text}"
        case "configured":
            return f"{text}; {weakness.exposure.text}"
        case "fail-open":
            return f"{text}; this is what an unconfigured program does: {weakness.exposure.text}"
    if weakness.loopback:
        return f"{text}; the peer is this machine"
    if weakness.legacy:
        return f"{text} ({weakness.legacy}, where 2 is TLS that accepts self-signed certificates)"
    return text


def _effects(use: Use) -> str:
    known = [(label, use.flag.effect(backend)) for backend, label in _BACKENDS]
    effects = "; ".join(f"{label} {effect}" for label, effect in known if effect)
    return f"{use.flag.name}: {effects}"
