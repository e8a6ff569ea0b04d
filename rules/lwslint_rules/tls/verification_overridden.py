"""A callback or a call overrides the certificate check, so any server is accepted.

## What it reports

- `X509_STORE_CTX_set_error(…, X509_V_OK)`: the answer to a failed check is set to "good";
- `SSL_CTX_set_cert_verify_callback()` and `SSL_CTX_set_verify()`/`SSL_set_verify()` with a function that
  returns 1 on every path;
- `SSL_VERIFY_NONE` for a client, and `mbedtls_ssl_conf_authmode(…, MBEDTLS_SSL_VERIFY_NONE)`.

A note where an operator's switch or a build option asks for it. Where the code has looked at the error
first and forgives only that a certificate has expired or is not valid yet (the clock may not be set yet),
it is a warning, and a note under a further condition. Silent where a pinned key or fingerprint was compared
first, and for the server's side, where `SSL_VERIFY_NONE` only means "ask for no client certificate".

In Python: `ssl.create_default_context` or `ssl.SSLContext` replaced by something that does not verify
(error), `ssl._create_default_https_context` (a warning: it changes urllib, and no WebSocket library), and
pyOpenSSL's `set_verify()` with `VERIFY_NONE` or a callback that always answers True.

## What happens at run time

lws asks `LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION` after OpenSSL has found the chain bad. A
callback that sets the error to `X509_V_OK` makes lws accept it: anybody on the way can pose as the server.
A verify callback that always answers 1 does the same without even looking. On its OpenSSL backend lws sets
the verify mode anew for each client connection, so a bare `SSL_VERIFY_NONE` is undone there; it holds for
`SSL_CTX`es that lws does not manage, and for other backends.

Seen with 4.1.6, OpenSSL 3: both take a self-signed and an expired certificate; `SSL_VERIFY_NONE` alone
refuses them.

None of these callbacks exists with mbedTLS or wolfSSL: pinning that lives in them does not happen there.

## Example

```c
case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
    X509_STORE_CTX_set_error((X509_STORE_CTX *)user, X509_V_OK);
    return 0;
```

## Write instead

```c
/* nothing here: give the CA to the context, and let lws check */
info.client_ssl_ca_filepath = "/etc/bank/ca.pem";
```

To pin a key on top of the check, refuse instead of accepting:

```c
case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
    return !len /* preverify_ok */ || !leaf_is_pinned(user);
```

## Known limits

Whether a condition is a comparison with a pin is told from the words in it. Client certificates that a
server accepts unchecked are another rule's matter.

## References

- include/libwebsockets/lws-callbacks.h:189-197@v5.0.0
- lib/tls/openssl/openssl-client.c:60-135,339@v5.0.0; warmcat/libwebsockets issues 168, 1224
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import Binary, Call, Cast, Name, Place, Return, Value, walk
from lwslint.model.alternatives import Circumstance, Scope
from lwslint.model.bodies import Guard, left_before
from lwslint.model.exposure import Exposure, Judge, spell, words_of
from lwslint.model.names import callee_name, names_in
from lwslint.model.project import Located, Project
from lwslint.model.symbols import Definition
from lwslint.rule import Rule
from lwslint_rules.tls._python import overridden

rule = Rule(
    code="LWS403",
    name="verification-overridden",
    family="tls",
    impact=Impact.SECURITY,
    languages=("c", "cpp", "python"),
)

# call → position of the mode, position of the callback (-1: it has none).
_MODES = {
    **dict.fromkeys(
        ("SSL_CTX_set_verify", "SSL_set_verify", "wolfSSL_CTX_set_verify", "wolfSSL_set_verify"), (1, 2)
    ),
    "mbedtls_ssl_conf_authmode": (1, -1),
}
_CALLBACKS = {"SSL_CTX_set_cert_verify_callback": 1}
_PIN_WORDS = frozenset(
    [
        *("pin", "pins", "pinned", "pinning", "fingerprint", "fingerprints", "thumbprint", "digest", "spki"),
        *("sha1", "sha256", "sha512", "memcmp", "pubkey", "certcmp"),
    ]
)
_ERROR = "X509_V_ERR_"
# What these say of a certificate is not whose it is.
_FRESHNESS = frozenset(
    _ERROR + name
    for name in ("CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED", "CRL_NOT_YET_VALID", "CRL_HAS_EXPIRED")
)
_STALE = "a leaked old key keeps working"
_FORGED = "anybody on the way can pose as the server"
# Names of what OpenSSL found and of what lws asks.
_SAYS_RESULT = re.compile(r"(?i)^x509_|^lws_|^reason$|verif|^ok$|err|^user$|^len$")
_SERVER = frozenset(["server", "listener", "accept", "accepted", "listen", "incoming"])
_HELP = (
    "leave the check to lws: drop this, and give the CA that signed the server's certificate as"
    " info.client_ssl_ca_filepath"
)


def check(project: Project) -> Iterator[Diagnostic]:
    judge = Judge(project)
    for located in project.calls_to("X509_STORE_CTX_set_error"):
        yield from _forced(project, judge, located)
    for name, (mode, callback) in _MODES.items():
        for located in project.calls_to(name):
            yield from _mode(project, judge, located, mode)
            if callback >= 0:
                yield from _callback(project, judge, located, callback)
    for name, position in _CALLBACKS.items():
        for located in project.calls_to(name):
            yield from _callback(project, judge, located, position)
    yield from overridden(project, rule)


def _forced(project: Project, judge: Judge, located: Located) -> Iterator[Diagnostic]:
    """An error that is set to X509_V_OK."""
    call = located.site.node
    if not isinstance(call, Call) or len(call.arguments) < 2 or _is_pinning(located):
        return
    value = _plain(call.arguments[1])
    if isinstance(value, Name):
        good = value.id == "X509_V_OK"
    else:
        good = project.values.fold(value, located.definition) == 0
    if not good:
        return
    forgiven = _forgiven(located)
    what = f"X509_V_OK is set {f'for {_and(forgiven)}' if forgiven else 'whatever the check found'}"
    if not forgiven or not _FRESHNESS.issuperset(forgiven):
        yield _report(project, judge, located, located.place, what, Severity.ERROR)
        return
    severity = Severity.NOTE if _asks_more(located) else Severity.WARNING
    yield _report(project, judge, located, located.place, what, severity, effect=_STALE)


def _forgiven(located: Located) -> list[str]:
    """The errors for which alone the code goes on to the call, as far as the tests on the way name them."""
    found: dict[str, None] = {}
    before = left_before(located.definition.function, located.site.node.span)
    for guard in (*before, *located.site.guards):
        if guard.arm is not None:
            found.update(dict.fromkeys(n for label in guard.arm.labels for n in _errors_in(label)))
        elif guard.test is not None:
            same = "==" if guard.holds else "!="
            tests = [n for n in walk(guard.test) if isinstance(n, Binary) and n.op == same]
            found.update(dict.fromkeys(name for test in tests for name in _errors_in(test)))
    return list(found)


def _errors_in(value: Value) -> list[str]:
    return [n.id for n in walk(value) if isinstance(n, Name) and n.id.startswith(_ERROR)]


def _asks_more(located: Located) -> bool:
    """Whether a test around the call is about something else than the check's own result."""
    return any(
        guard.kind == "if"
        and guard.test is not None
        and not any(_SAYS_RESULT.search(name) for name in (*names_in(guard.test), *_calls_in(guard.test)))
        for guard in located.site.guards
    )


def _calls_in(test: Value) -> list[str]:
    return [callee_name(node) for node in walk(test) if isinstance(node, Call)]


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _mode(project: Project, judge: Judge, located: Located, position: int) -> Iterator[Diagnostic]:
    """A verify mode that asks for nothing."""
    call = located.site.node
    if not isinstance(call, Call) or len(call.arguments) <= position:
        return
    side = _side(project, located)
    if side == "server":
        return
    scope = Scope(located.definition, None, located.site.order, located.site.guards, call.span)
    possible = project.values.possible_in(call.arguments[position], scope)
    for alternative in possible.alternatives:
        for piece in alternative.pieces:
            if not piece.text.endswith("VERIFY_NONE"):
                continue
            severity = Severity.ERROR if side == "client" else Severity.WARNING
            what = f"{piece.text} asks for no check of the server's certificate"
            yield _report(project, judge, located, located.place, what, severity, alternative.when)
            return


def _callback(project: Project, judge: Judge, located: Located, position: int) -> Iterator[Diagnostic]:
    """A verify callback that says yes on every path."""
    call = located.site.node
    if not isinstance(call, Call) or len(call.arguments) <= position or _side(project, located) == "server":
        return
    for callee in project.flow.functions_of(call.arguments[position], located.definition):
        places = _always_yes(project, callee)
        if places:
            name = f"{callee.function.name}()" if callee.function.name else "the verify callback"
            steps = [Step(place, "this is what it answers") for place in places[:3]]
            what = f"{name} accepts every certificate without looking at it"
            yield _report(project, judge, located, located.place, what, Severity.ERROR, related=steps)
            return


def _always_yes(project: Project, callee: Definition) -> list[Place]:
    """The returns of a function that answers 1 on every path; none when it does anything else."""
    places: list[Place] = []
    for site in callee.body.returns:
        node = site.node
        if not isinstance(node, Return) or node.value is None:
            return []
        if project.values.fold(node.value, callee) != 1:
            return []
        places.append(callee.place(node.span))
    return places


def _is_pinning(located: Located) -> bool:
    """Whether a pin was compared before: around the call, or on the way to it."""
    names: set[str] = set()
    for guard in located.site.guards:
        if guard.test is not None:
            if guard.holds and _examines(guard.test, located):
                return True
            names |= names_in(guard.test)
    for site in located.definition.body.calls:
        if isinstance(site.node, Call) and site.order < located.site.order:
            names.add(callee_name(site.node))
    return any(_PIN_WORDS & set(words_of(name)) for name in names)


def _examines(test: Value, located: Located) -> bool:
    """Whether a test calls a function of the program's own on the store context whose error is set."""
    call = located.site.node
    assert isinstance(call, Call)
    subject = names_in(call.arguments[0])
    return any(
        isinstance(node, Call)
        and not callee_name(node).startswith("X509_")
        and any(subject & names_in(argument) for argument in node.arguments)
        for node in walk(test)
    )


def _side(project: Project, located: Located) -> str:
    """``client`` or ``server``, as far as the code around a call tells, else ""."""
    guards: list[Guard] = list(located.site.guards)
    for edge in project.flow.callers.get(located.definition.id, ())[:8]:
        guards.extend(edge.site.guards)
    reasons = " ".join(_spelled(guard) for guard in guards)
    if "EXTRA_CLIENT_VERIFY" in reasons or "SERVER_CERT_VERIFICATION" in reasons:
        return "client"
    if "EXTRA_SERVER_VERIFY" in reasons or "CLIENT_CERT_VERIFICATION" in reasons:
        return "server"
    names: set[str] = set()
    for site in located.definition.body.calls:
        if isinstance(site.node, Call):
            names.add(callee_name(site.node))
            for argument in site.node.arguments:
                names |= names_in(argument)
    if any(name.endswith(("_client_method", "SSL_IS_CLIENT")) or name == "SSL_connect" for name in names):
        return "client"
    if any(name.endswith(("_server_method", "SSL_IS_SERVER")) or name == "SSL_accept" for name in names):
        return "server"
    words = set(words_of(located.definition.qualified))
    if isinstance(located.site.node, Call):
        for argument in located.site.node.arguments:
            for name in names_in(argument):
                words.update(words_of(name))
    return "server" if words & _SERVER else ""


def _spelled(guard: Guard) -> str:
    labels = guard.arm.labels if guard.arm is not None else ()
    return " ".join((spell(guard.test), *(spell(label) for label in labels)))


def _plain(value: Value) -> Value:
    while isinstance(value, Cast):
        value = value.operand
    return value


def _report(
    project: Project,
    judge: Judge,
    located: Located,
    place: Place,
    what: str,
    severity: Severity,
    when: tuple[Circumstance, ...] = (),
    related: list[Step] | None = None,
    effect: str = _FORGED,
) -> Diagnostic:
    around = project.values.circumstances(located.definition, located.site.guards, located.site.node.span)
    exposure: Exposure = judge.expose((*around, *when), located.definition, ())
    steps = list(related or ())
    if exposure.kind == "configured":
        what += f"; {exposure.text}"
    if exposure.decider is not None:
        steps.append(Step(exposure.decider, "the build decides that condition here"))
    if exposure.kind in ("switch", "build"):
        severity = Severity.NOTE
        what += f"; only when asked for: {exposure.text}"
        if exposure.place is not None:
            steps.append(Step(exposure.place, f"this condition decides: {exposure.text}"))
    return rule.report(
        place,
        f"{effect}: {what}",
        severity=severity,
        confidence=Confidence.HIGH if severity is not Severity.WARNING else Confidence.MEDIUM,
        help=_HELP,
        related=steps,
        function=located.definition.qualified,
    )
