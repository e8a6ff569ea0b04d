"""The TLS settings let weak ciphers or outdated protocol versions be spoken.

## What it reports

- words in `ssl_cipher_list`, `client_ssl_cipher_list`, `tls1_3_plus_cipher_list` and their kin of
  `struct lws_context_creation_info`, and in `ciphers`, `client-ssl-ciphers`, `tls13-ciphers` of lwsws, that
  let in ciphers without encryption or authentication, export ciphers, DES, 3DES, IDEA, RC4, MD5, or all there
  are (`ALL` without `!aNULL`); `@SECLEVEL=0`; versions and ciphers of that kind in GnuTLS's priority strings;
- `ssl_options_clear` and `ssl_client_options_clear` (lwsws: `ssl-option-clear`, `ssl-client-option-clear`)
  that allow SSL 3.0, TLS 1.0 or 1.1 again, and `ssl_options_set` that leaves nothing newer, or sets
  `SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION`;
- on an `SSL_CTX` of lws (in `LWS_CALLBACK_OPENSSL_LOAD_EXTRA_…_VERIFY_CERTS`, or given as
  `provided_client_ssl_ctx`): the same lists and options, `SSL_CTX_set_min_proto_version()` below TLS 1.2,
  `SSL_CTX_set_max_proto_version()` below TLS 1.2, and `SSL_CTX_set_security_level(…, 0)`.

In Python, on an `ssl.SSLContext` that a WebSocket client or server is given: `minimum_version` and
`maximum_version` below TLS 1.2, `PROTOCOL_TLSv1` and its kin (also as `ssl_version` in websocket-client's
`sslopt` and `tls_version` of paho), the same lists in `set_ciphers()` and `"ciphers"`, and the same
`options`.

A note where an operator's switch or a build option asks for it, and in tests, examples and development code
in Python.  A word that is taken out again (`!RC4`,
`-RC4`) is none.

## What happens at run time

What both ends allow is what is spoken, and whoever is on the way can make them fall back to the worst of it.
How bad that is depends on the word; the message says it. TLS libraries of today are built without much of
what an old list names: then the word does nothing, until the program runs with another library.

## Example

```c
info.ssl_cipher_list = "RC4-MD5:RC4-SHA:AES128-SHA:AES256-SHA:HIGH:!DSS:!aNULL";
```

## Write instead

```c
info.ssl_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";   /* or nothing: the library's own list is good */
```

## Known limits

`HIGH`, `MEDIUM` and `DEFAULT` mean what the TLS library makes of them, and are not judged. Lists that come
from a configuration at run time are unknown.

## References

- include/libwebsockets/lws-context-vhost.h:502-540,614-640@v5.0.0; READMEs/README.coding.md:549
- lib/tls/openssl/openssl-server.c:553,577-584, lib/tls/openssl/openssl-client.c:919-927@v5.0.0
- RFC 7465, RFC 8996, RFC 9325 section 4; man openssl-ciphers
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Assign, Binary, Call, Member, Name, Number, Place, Value, walk
from lwslint.model import ciphers
from lwslint.model.alternatives import Circumstance, Possible, Write
from lwslint.model.bodies import Guard
from lwslint.model.documents import configurations, number, spelled
from lwslint.model.exposure import Judge, spell
from lwslint.model.names import names_in
from lwslint.model.project import Located, Project
from lwslint.model.symbols import Definition
from lwslint.rule import Rule
from lwslint_rules.tls._python import weak_settings

rule = Rule(
    code="LWS407",
    name="weak-ciphers-or-protocol-versions",
    family="tls",
    impact=Impact.SECURITY,
    severity=Severity.WARNING,
    languages=("c", "cpp", "python", "lwsws"),
)

INFO = "lws_context_creation_info"
_LISTS = (
    *("ssl_cipher_list", "client_ssl_cipher_list", "tls1_3_plus_cipher_list"),
    *("client_tls_1_3_plus_cipher_list", "tls_ciphers_iana", "client_tls_ciphers_iana"),
)
_CLEAR = ("ssl_options_clear", "ssl_client_options_clear")
_SET = ("ssl_options_set", "ssl_client_options_set")
_LIST_CALLS = (
    *("SSL_CTX_set_cipher_list", "SSL_set_cipher_list", "SSL_CTX_set_ciphersuites", "SSL_set_ciphersuites"),
    *("wolfSSL_CTX_set_cipher_list", "wolfSSL_set_cipher_list"),
)
_OPTION_CALLS = {
    "SSL_CTX_clear_options": True,
    "SSL_clear_options": True,
    "SSL_CTX_set_options": False,
    "SSL_set_options": False,
}
_VERSION_CALLS = {
    "SSL_CTX_set_min_proto_version": "as old as {} may be spoken",
    "SSL_set_min_proto_version": "as old as {} may be spoken",
    "SSL_CTX_set_max_proto_version": "nothing newer than {} can be spoken",
    "SSL_set_max_proto_version": "nothing newer than {} can be spoken",
}
_LEVEL_CALLS = ("SSL_CTX_set_security_level", "SSL_set_security_level")
# include/openssl/prov_ssl.h of 3.0, tls1.h and ssl3.h before.
_VERSIONS = {"SSL3_VERSION": 0x300, "TLS1_VERSION": 0x301, "TLS1_1_VERSION": 0x302}
_NAMES = {0x300: "SSL 3.0", 0x301: "TLS 1.0", 0x302: "TLS 1.1"}
_LWSWS_LISTS = ("ciphers", "client-ssl-ciphers", "tls13-ciphers", "client-tls13-ciphers")
_MOST = 6  # words of a list that a message names
_HELP = (
    "leave this to the TLS library, or allow only what RFC 9325 recommends: TLS 1.2 and later, ECDHE with"
    " AES-GCM or ChaCha20"
)
_PYTHON_HELP = (
    "leave this to ssl.create_default_context(), which allows TLS 1.2 and later with the ciphers that go with"
    " them"
)


def check(project: Project) -> Iterator[Diagnostic]:
    finder = _Finder(project)
    for field in _LISTS:
        for write in _info_writes(project, field):
            yield from finder.list(project.values.possible_in(write.value, write.scope), write, field)
    for field in (*_CLEAR, *_SET):
        for write in _info_writes(project, field):
            yield from finder.options(write.value, write, field, clears=field in _CLEAR)
    yield from _calls(project, finder)
    yield from _lwsws(project)
    yield from weak_settings(project, rule, _PYTHON_HELP)


def _info_writes(project: Project, field: str) -> Iterator[Write]:
    """The writes to a field of a context's or vhost's creation info."""
    for write in project.values.writes.named(field):
        if isinstance(write.target, Member) and write.op in ("=", "|="):
            if project.values.writes.class_of(write.target.object, write.definition) == INFO:
                yield write


class _Finder:
    """Judges what gets into a setting, and who asks for it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.judge = Judge(project)

    def list(self, possible: Possible, write: Write, where: str) -> Iterator[Diagnostic]:
        for alternative in possible.texts:
            if alternative.partial:
                continue
            found = ciphers.weak(alternative.text)
            if not found:
                continue
            place = alternative.pieces[0].place if alternative.pieces else write.place
            yield from self.report(_spoken(found, where), place, write, alternative.when)

    def options(self, value: Value, write: Write, where: str, *, clears: bool) -> Iterator[Diagnostic]:
        bits = _bits(self.project, value, write.definition)
        if clears:
            allowed = ciphers.allowed_by_clearing(bits)
            message = (
                f"{allowed} may be spoken again: {where} clears the options against it" if allowed else ""
            )
        else:
            left = ciphers.weakened_by_setting(bits)
            message = f"connections may get {left}: {where} sets the options for it" if left else ""
        if message:
            yield from self.report(message, Place(write.definition.path, value.span), write)

    def report(
        self, message: str, place: Place, write: Write, when: Sequence[Circumstance] = ()
    ) -> Iterator[Diagnostic]:
        around = self.project.values.around(write)
        exposure = self.judge.expose((*around, *when), write.definition, ())
        if exposure.kind == "never":
            return
        steps: list[Step] = []
        severity = rule.severity
        if write.place.path != place.path or not _within(place, write.place):
            steps.append(Step(write.place, "it gets into the TLS settings here"))
        if exposure.kind in ("switch", "build"):
            severity = Severity.NOTE
            message += f"; only when asked for: {exposure.text}"
            if exposure.place is not None:
                steps.append(Step(exposure.place, f"this condition decides: {exposure.text}"))
        yield rule.report(
            place,
            message,
            severity=severity,
            help=_HELP,
            related=steps,
            function=write.definition.qualified,
        )


def _within(inner: Place, outer: Place) -> bool:
    return outer.span.start <= inner.span.start and inner.span.end <= outer.span.end


def _spoken(found: Sequence[ciphers.Weak], where: str) -> str:
    """What a list lets in, and the words that do."""
    reasons = list(dict.fromkeys(entry.why for entry in found))
    words = list(dict.fromkeys(entry.word for entry in found))
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"connections may get {'; or '.join(reasons[:3])}: {where} allows {', '.join(words[:_MOST])}{more}"


def _bits(project: Project, value: Value, definition: Definition) -> int:
    """The options of OpenSSL in an or-ed expression, by name or as one number."""
    folded = project.values.fold(value, definition)
    if folded is not None:
        return folded
    pieces = [node for node in walk(value) if isinstance(node, Name | Number)]
    if any(isinstance(node, Binary) and node.op != "|" for node in walk(value)):
        return 0
    return _joined(
        ciphers.OPTIONS.get(piece.id, 0) if isinstance(piece, Name) else piece.value for piece in pieces
    )


def _joined(bits: Iterable[int]) -> int:
    result = 0
    for each in bits:
        result |= each
    return result


# ------------------------------------------------------------------------------------- calls


def _calls(project: Project, finder: _Finder) -> Iterator[Diagnostic]:
    """Calls of the TLS library on what belongs to lws."""
    for name in _LIST_CALLS:
        for write in _settings(project, name):
            yield from finder.list(project.values.possible_in(write.value, write.scope), write, f"{name}()")
    for name, clears in _OPTION_CALLS.items():
        for write in _settings(project, name):
            yield from finder.options(write.value, write, f"{name}()", clears=clears)
    for name, effect in _VERSION_CALLS.items():
        for write in _settings(project, name):
            version = _version(project, write)
            if version in _NAMES:
                yield from finder.report(
                    f"{effect.format(_NAMES[version])}: {name}() asks for it", write.place, write
                )
    for name in _LEVEL_CALLS:
        for write in _settings(project, name):
            if project.values.fold(write.value, write.definition) == 0:
                yield from finder.report(
                    f"connections may get {ciphers.LEVEL_0}: {name}() asks for level 0", write.place, write
                )


def _version(project: Project, write: Write) -> int:
    if isinstance(write.value, Name) and write.value.id in _VERSIONS:
        return _VERSIONS[write.value.id]
    return project.values.fold(write.value, write.definition) or 0


def _settings(project: Project, name: str) -> Iterator[Write]:
    """Calls of a function on a context of lws, as writes of their second argument."""
    for located in project.calls_to(name):
        call = located.site.node
        if isinstance(call, Call) and len(call.arguments) == 2 and _is_of_lws(project, located, call):
            value = call.arguments[1]
            yield Write(
                Member(value.span, Name(call.span, name), "value", value.span),
                "=",
                value,
                located.definition,
                located.site.order,
                located.site.guards,
                call.span,
                site=located.site,
            )


def _is_of_lws(project: Project, located: Located, call: Call) -> bool:
    """Whether the object that a call is about is lws's: a program may speak TLS by other means too."""
    guards: list[Guard] = list(located.site.guards)
    for edge in project.flow.callers.get(located.definition.id, ())[:8]:
        guards.extend(edge.site.guards)
    if any("_VERIFY_CERTS" in _spelled(guard) for guard in guards):
        return True
    subject = names_in(call.arguments[0])
    if any(
        isinstance(node, Call) and "lws_get_ssl" in names_in(node.function)
        for site in located.definition.body.assigns
        if isinstance(site.node, Assign) and subject & names_in(site.node.target)
        for node in walk(site.node.value)
    ):
        return True
    return any(
        write.definition.path == located.definition.path and subject & names_in(write.value)
        for write in project.values.writes.named("provided_client_ssl_ctx")
    )


def _spelled(guard: Guard) -> str:
    labels = guard.arm.labels if guard.arm is not None else ()
    return " ".join((spell(guard.test), *(spell(label) for label in labels)))


# ------------------------------------------------------------------------------------- lwsws


def _lwsws(project: Project) -> Iterator[Diagnostic]:
    for configuration in configurations(project):
        for vhost in configuration.vhosts:
            for member in vhost.object.members:
                message = ""
                if member.key in _LWSWS_LISTS:
                    found = ciphers.weak(spelled(member.value))
                    message = _spoken(found, f'"{member.key}"') if found else ""
                elif member.key.endswith("option-clear"):
                    allowed = ciphers.allowed_by_clearing(number(member.value))
                    message = f'{allowed} may be spoken again: "{member.key}" clears the options against it'
                    message = message if allowed else ""
                elif member.key.endswith("option-set"):
                    left = ciphers.weakened_by_setting(number(member.value))
                    message = (
                        f'connections may get {left}: "{member.key}" sets the options for it' if left else ""
                    )
                if message:
                    yield rule.report(
                        vhost.text.place(member.value.span), message, help=_HELP, function=vhost.name
                    )
