"""A Secure Streams policy sends in plaintext what it was to protect, or is refused.

## What it reports

In the JSON of policies, in files and in the string literals of C and C++ (also pasted together from many):

- error: credentials (`http_auth_header`, `use_auth`, a metadata item for `authorization:`, `cookie:` and the
  like) of a stream without TLS; `"tls"` with anything but the word `true` that looks meant to switch it on;
  `"tls": true` with an endpoint `http://`, `ws://` or `mqtt://`;
- error: what makes libwebsockets refuse the whole policy: JSON that it cannot read, and names of retry
  schemes, trust stores, certificates, auths and protocols that it does not find;
- warning: a stream without TLS to port 443, 8443 or 8883, or with a trust store; `allow_redirects` on a
  stream with credentials; other switches with a value that does not count; misspelt keys, and keys that the
  configured `lws-version` does not know yet;
- note: any other stream without TLS to a host that is neither this machine nor in a private network.

Captive portal detection has to be in plaintext and is left alone; so are streams that serve.

## What happens at run time

`tls` is off unless the policy says `"tls": true`: `"true"` in quotes and `1` are taken for "off", without a
word in the log. The stream connects and works, and everybody on the way reads and changes it, or a TLS
server closes it. There is no key that weakens the check of the certificate: plaintext is what can go wrong.

Since 4.1 a stream with `allow_redirects` goes where the server sends it, and gives its headers,
`authorization:` included, to whichever host that is. A redirect from TLS to plaintext is refused.

A name that is not found ends the reading of the policy, and lws_create_context() returns NULL. Keys that
libwebsockets does not know it passes over in silence.

## Example

```json
"s": [ { "feed": {
    "endpoint": "api.example.com", "port": 443, "protocol": "h1", "http_method": "GET", "http_url": "feed",
    "use_auth": "lwa", "http_auth_header": "authorization:", "tls": "true"
} } ]
```

## Write instead

```json
"s": [ { "feed": {
    "endpoint": "api.example.com", "port": 443, "protocol": "h1", "http_method": "GET", "http_url": "feed",
    "use_auth": "lwa", "http_auth_header": "authorization:", "tls": true, "tls_trust_store": "example_ca"
} } ]
```

## Fix

Unsafe: `true` is written for a string or a number that was to be it, and the stream then asks for TLS, which
its server has to speak.

## Known limits

An overlay (a policy that has nothing but `s`) is judged only by its spelling: what it does not say is said
by the policy below it. Literals with a macro or a `%s` among them are not whole, and are left alone.
Endpoints that are put together from metadata (`${…}`) are taken for private ones. In a `.json` file
that other programs read too, suppress by `[per-file-ignores]`; libwebsockets itself reads `#` comments.

## References

- lib/secure-streams/policy-json.c:30-135,748,851-895,1102@v5.0.0; policy.c:518@v4.0.0
- lib/secure-streams/secure-streams.c:862-885@v5.0.0; lib/secure-streams/README.md (overlays, captive portal)
- lib/secure-streams/protocols/ss-h1.c:497-507@v5.0.0; lib/roles/http/client/client-http.c (redirects)
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from lwslint.diagnostics import Diagnostic, Impact, Severity, Step
from lwslint.facts import Json, JsonArray, JsonMember, JsonNumber, JsonObject, JsonText, JsonWord, Span
from lwslint.knowledge.documents import POLICY
from lwslint.model.connections import is_loopback, is_private
from lwslint.model.documents import (
    Stream,
    Text,
    is_overlay,
    is_true,
    named,
    number,
    objects,
    policies,
    spelled,
    streams,
)
from lwslint.model.project import Project
from lwslint.remedies import Applicability, Remedy, Rewrite
from lwslint.rule import Rule
from lwslint_rules.build._documents import unread_keys

rule = Rule(
    code="LWS604",
    name="secure-streams-policy",
    family="build",
    impact=Impact.SECURITY,
    languages=("policy", "c", "cpp"),
)

_TLS_PORTS = (443, 8443, 8883)
_PLAIN_SCHEMES = ("http", "ws", "mqtt")
_PROTOCOLS = ("h1", "h2", "h3", "ws", "mqtt", "raw")
_CREDENTIAL_KEYS = ("http_auth_header", "use_auth")
_CREDENTIAL_HEADERS = frozenset(
    (
        "authorization:",
        "proxy-authorization:",
        "cookie:",
        "x-api-key:",
        "x-auth-token:",
        "x-amz-security-token:",
    )
)
_SWITCHES = (
    *("opportunistic", "nailed_up", "allow_redirects", "urgent_tx", "urgent_rx", "long_poll"),
    *("ws_prioritize_reads", "http_www_form_urlencoded", "swake_validity", "http_cookies"),
    *("http_multipart_ss_in", "attr_low_latency", "attr_high_throughput", "attr_high_reliability"),
    *("attr_low_cost", "perf", "http_no_content_length", "nghttp2_quirk_end_stream", "h2q_oflow_txcr"),
    *("http_fail_redirect", "ws_binary", "local_sink", "server", "mqtt_retain", "mqtt_clean_start"),
    *("mqtt_will_retain", "mqtt_birth_retain", "aws_iot", "direct_proto_str"),
)
_REFUSED = "libwebsockets refuses this policy, and lws_create_context() fails"


def check(project: Project) -> Iterator[Diagnostic]:
    for text in policies(project):
        yield from _form(text)
        for stream in streams(text):
            yield from unread_keys(project, rule, text, stream.object, POLICY, "s[].*.")
            yield from _switches(project, stream)
            if not is_overlay(text):
                yield from _plaintext(project, stream)
                yield from _redirects(stream)
        if not is_overlay(text):
            yield from _names(text)


def _form(text: Text) -> Iterator[Diagnostic]:
    document = text.document
    if document.root is None:
        yield rule.report(text.place(document.span), f"{_REFUSED}: {document.problem}")
    elif document.rest is not None:
        yield rule.report(
            text.place(document.rest),
            "libwebsockets never reads this: it stops at the end of the first object",
            severity=Severity.WARNING,
            related=[Step(text.place(document.root.span), "this is all that it reads")],
        )


def _meant_true(value: Json | None) -> bool:
    """Whether a value that is not the word ``true`` was to switch something on."""
    if isinstance(value, JsonText):
        return value.value.strip().lower() in ("true", "yes", "on", "1")
    return isinstance(value, JsonNumber) and number(value) != 0


def _plain_true(project: Project, text: Text, value: Json) -> Remedy | None:
    """``true`` in place of a string or a number that was to be it."""
    if isinstance(value, JsonNumber):
        before = value.text
    elif isinstance(value, JsonText):
        quote = '\\"' if any(file.path == text.path for file in project.files) else '"'
        before = f"{quote}{value.value}{quote}"
    else:
        return None
    change = Rewrite(((text.place(value.span), before, "true"),))
    return Remedy("write true without quotes", Applicability.UNSAFE, change)


def _switches(project: Project, stream: Stream) -> Iterator[Diagnostic]:
    for member in stream.object.members:
        if member.key in _SWITCHES and _meant_true(member.value):
            yield rule.report(
                stream.text.place(member.value.span),
                f'"{member.key}" stays off for stream "{stream.name}": only the word true, without quotes,'
                " switches it on",
                severity=Severity.WARNING,
                help=f'"{member.key}": true',
                function=stream.name,
                remedy=_plain_true(project, stream.text, member.value),
            )


# ------------------------------------------------------------------------------------- plaintext


def _plaintext(project: Project, stream: Stream) -> Iterator[Diagnostic]:
    """A stream that connects without TLS to a host on some network."""
    endpoint = stream.object.member("endpoint")
    if endpoint is None or stream.true("server") or stream.true("local_sink"):
        return
    written = spelled(endpoint.value)
    scheme, host = _parts(written)
    tls = stream.object.member("tls")
    span = endpoint.value.span if tls is None else tls.value.span
    if stream.true("tls"):
        if scheme not in _PLAIN_SCHEMES or is_private(host):
            return
        start, severity = f"in spite of its tls, {_what(stream, host)}", Severity.ERROR
        span, help = endpoint.value.span, f'"{host}", without {scheme}://'
    else:
        found = _judge(stream, host)
        if found is None:
            return
        severity, start = found
        help = '"tls": true'
    only = _only_where(project, stream.text, span)
    yield rule.report(
        stream.text.place(span),
        start + (f"; only where {only}" if only else ""),
        severity=Severity.NOTE if only else severity,
        help=help,
        related=[Step(stream.text.place(stream.member.key_span), f'stream "{stream.name}"')],
        function=stream.name,
        remedy=_plain_true(project, stream.text, tls.value) if tls and _meant_true(tls.value) else None,
    )


def _judge(stream: Stream, host: str) -> tuple[Severity, str] | None:
    """How bad it is that a stream has no TLS, and what happens; None where it is no matter."""
    tls = stream.value("tls")
    if _meant_true(tls):
        return (
            Severity.ERROR,
            f"{_what(stream, host)}: only the word true, without quotes, switches tls on",
        )
    local = is_private(host) or is_loopback(host) or host.startswith("+")
    if local or "${" in host or "%" in host or _detects_portals(stream):
        return None
    if credential := _credential(stream):
        return Severity.ERROR, f"{_what(stream, host)}, and its credentials ({credential}) with it"
    port = number(stream.value("port"))
    if port in _TLS_PORTS:
        return (
            Severity.WARNING,
            f'the server closes the connection of stream "{stream.name}": plaintext to port {port}, where TLS'
            " is spoken",
        )
    if stream.value("tls_trust_store") is not None:
        return Severity.WARNING, f"{_what(stream, host)}; its trust store is not used"
    return Severity.NOTE, _what(stream, host)


def _what(stream: Stream, host: str) -> str:
    return f'everybody on the way reads and changes what stream "{stream.name}" sends to {host}'


def _parts(endpoint: str) -> tuple[str, str]:
    """Scheme (or "") and host of an endpoint, which is a URI or a host alone."""
    if "://" not in endpoint:
        return "", endpoint
    try:
        parts = urlsplit(endpoint)
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return "", endpoint


def _credential(stream: Stream) -> str:
    """The key that gives a stream credentials; "" without one.  A signature of AWS is of no use to others."""
    if stream.value("aws_region") is None:
        for key in _CREDENTIAL_KEYS:
            if stream.value(key) is not None:
                return key
    for item in named(stream.value("metadata")):
        if spelled(item.value).strip().lower() in _CREDENTIAL_HEADERS:
            return spelled(item.value).strip()
    return ""


def _detects_portals(stream: Stream) -> bool:
    """Whether a stream looks for a captive portal, which can only answer in plaintext."""
    return stream.name == "captive_portal_detect" or number(stream.value("http_expect")) == 204


def _redirects(stream: Stream) -> Iterator[Diagnostic]:
    member = stream.object.member("allow_redirects")
    credential = _credential(stream)
    if member is None or not is_true(member.value) or not credential:
        return
    yield rule.report(
        stream.text.place(member.key_span),
        f'any host that the server redirects to gets the credentials of stream "{stream.name}"'
        f" ({credential})",
        severity=Severity.WARNING,
        help='leave "allow_redirects" out, and put the final endpoint into the policy',
        function=stream.name,
    )


def _only_where(project: Project, text: Text, span: Span) -> str:
    """The condition of ``#if`` around one part of a policy that is not around all of it."""
    whole = text.document.span
    for condition in project.conditions_at(text.path, span):
        inside = whole.start < condition.span.start and condition.span.end < whole.end
        if inside and condition.truth is None:
            return condition.text
    return ""


# ------------------------------------------------------------------------------------- names


def _names(text: Text) -> Iterator[Diagnostic]:
    """Names that the policy does not define before it uses them, as libwebsockets reads it only once."""
    root = text.document.root
    assert root is not None  # else it would be an overlay
    retries: list[str] = []
    certificates: list[str] = []
    stores: list[str] = []
    auths: list[str] = []
    for member in root.members:
        match member.key:
            case "retry":
                retries += [entry.key for entry in named(member.value)]
            case "certs":
                certificates += [entry.key for entry in named(member.value)]
            case "trust_stores":
                yield from _trust_stores(text, member.value, certificates)
                stores += [spelled(m.value) for o in objects(member.value) if (m := o.member("name"))]
            case "auth":
                auths += [spelled(m.value) for o in objects(member.value) if (m := o.member("name"))]
            case "s":
                wanted = (
                    ("retry", "retry scheme", retries, True),
                    ("tls_trust_store", "trust store", stores, True),
                    ("use_auth", "auth", auths, False),
                    ("protocol", "protocol", list(_PROTOCOLS), False),
                )
                for entry in named(member.value):
                    for key, what, known, beginning in wanted:
                        yield from _name(text, entry, key, what, known, beginning)


def _trust_stores(text: Text, value: Json, certificates: list[str]) -> Iterator[Diagnostic]:
    for store in objects(value):
        stack = store.member("stack")
        for item in stack.value.items if stack is not None and isinstance(stack.value, JsonArray) else ():
            if isinstance(item, JsonText) and not _finds(item.value, certificates, beginning=True):
                yield _unknown(text, item, "certificate", certificates)


def _name(
    text: Text, entry: JsonMember, key: str, what: str, known: list[str], beginning: bool
) -> Iterator[Diagnostic]:
    member = entry.value.member(key) if isinstance(entry.value, JsonObject) else None
    if member is None or isinstance(member.value, JsonWord):
        return
    value = member.value
    if isinstance(value, JsonText) and "%" not in value.value and not _finds(value.value, known, beginning):
        yield _unknown(text, value, what, known)


def _finds(name: str, known: list[str], beginning: bool) -> bool:
    """libwebsockets compares some names only as far as the one that is looked for goes."""
    return any(other.startswith(name) if beginning else other == name for other in known)


def _unknown(text: Text, value: JsonText, what: str, known: list[str]) -> Diagnostic:
    there = ", ".join(f'"{name[:60]}"' for name in known[:6])
    return rule.report(
        text.place(value.span),
        f'{_REFUSED}: it defines no {what} "{value.value}" before this',
        help=f"one of {there}" if there else f"define the {what} above",
    )
