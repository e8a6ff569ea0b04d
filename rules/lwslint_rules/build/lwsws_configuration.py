"""A configuration of lwsws serves in plaintext what it was to protect, or is not read.

## What it reports

In the JSON that lwsws reads (`/etc/lwsws/conf`, `conf.d/*`; told by what is in it, whatever it is called):

- error: a vhost with `host-ssl-cert` that is served in plaintext, because no `global` section has
  `"init-ssl": "yes"`, or because `"allow-non-tls": "0"` or `"redirect-http": "0"` takes it back;
- error: JSON that lwsws refuses (`//` comments, a comma before `}`), and text behind the first object, which
  it never reads;
- warning: `client-cert-required`, port 443 without a certificate, plain HTTP on the TLS port
  (`allow-non-tls` with `allow-http-on-https`), a switch whose value counts as "off" (`"enabled"`), misspelt
  keys, and keys that the configured `lws-version` does not know yet;
- note: `allow-non-tls` with `redirect-http` but without `sts`, or with `fallback-listen-accept`.

## What happens at run time

Without the option that `init-ssl` sets, lws ignores the certificate of a vhost and listens in plaintext,
without a word in the log. The same option is a part of the values behind `allow-non-tls` and
`redirect-http`, so that switching one of these off explicitly switches TLS off: seen with 4.1.6, where
`http://` gets an answer on the vhost's port and `https://` does not. A value other than a number, `on`,
`yes` or `true` is "off".

`client-cert-required` asks for a certificate, and on the OpenSSL backend takes any: lws answers OpenSSL with
what `protocols[0]` made of the check, and no plugin of lwsws makes anything of it. Seen with 4.1.6: a
self-signed certificate that nobody has ever signed is let in.

Keys that lwsws does not know it passes over in silence.

## Example

```json
{ "global": { "server-string": "lwsws" } }

{ "vhosts": [ { "name": "example.com", "port": "443",
    "host-ssl-key":  "/etc/pki/tls/private/example.com.key",
    "host-ssl-cert": "/etc/pki/tls/certs/example.com.crt",
    "allow-non-tls": "0" } ] }
```

## Write instead

```json
{ "global": { "server-string": "lwsws", "init-ssl": "yes" } }

{ "vhosts": [ { "name": "example.com", "port": "443",
    "host-ssl-key":  "/etc/pki/tls/private/example.com.key",
    "host-ssl-cert": "/etc/pki/tls/certs/example.com.crt",
    "sts": "on" } ] }
```

## Known limits

The `global` section is looked for in the folder of the vhost's file and above a `conf.d`; where none is
found, `init-ssl` is not judged. A comment that suppresses begins with `#`, as any comment of lwsws; in a
`.json` file that other programs read too, use `[per-file-ignores]`.

## References

- lib/roles/http/server/lejp-conf.c:34-178,330-353,404,1156,1222-1233@v5.0.0; lib/misc/lejp.c@v5.0.0
- lib/tls/tls-server.c:40-75,270-340@v5.0.0; include/libwebsockets/lws-context-vhost.h:46-80@v5.0.0
- lib/tls/openssl/openssl-server.c:65-70@v5.0.0; READMEs/README.lwsws.md
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity, Step
from lwslint.facts import JsonMember
from lwslint.knowledge.documents import LWSWS
from lwslint.model.documents import (
    Configuration,
    Text,
    Vhost,
    configurations,
    is_doubtful,
    is_on,
    objects,
    of_kind,
    spelled,
)
from lwslint.model.project import Project
from lwslint.rule import Rule
from lwslint_rules.build._documents import unread_keys

rule = Rule(
    code="LWS603",
    name="lwsws-configuration",
    family="build",
    impact=Impact.SECURITY,
    languages=("lwsws",),
)

_TLS_PORTS = (443, 8443)
# Values of set_reset_flag() that hold LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT; "off" clears all their bits.
_BOTH_WAYS = ("allow-non-tls", "redirect-http")
# Sets that option too, and never clears it.
_ONE_WAY = "client-cert-required"
_GLOBAL_SWITCHES = ("init-ssl",)
_SWITCHES = (
    *("sts", "enable-client-ssl", "client-cert-required", "ignore-missing-cert", "strict-host-check"),
    *("allow-non-tls", "redirect-http", "allow-http-on-https", "apply-listen-accept", "onlyraw"),
    *("fallback-listen-accept", "unix-socket"),
)


def check(project: Project) -> Iterator[Diagnostic]:
    for text in of_kind(project, LWSWS):
        yield from _form(text)
    for configuration in configurations(project):
        for text, section in configuration.globals:
            for object in objects(section.value):
                yield from unread_keys(project, rule, text, object, LWSWS, "global.")
                yield from _doubtful(text, object.members, _GLOBAL_SWITCHES)
        # Vhosts that share a port share its socket; the certificate may be another one's.
        tls_ports = configuration.tls_ports
        for vhost in configuration.vhosts:
            yield from _keys(project, vhost)
            if vhost.object.member("host-ssl-cert") is not None:
                yield from _tls(configuration, vhost)
            elif vhost.port not in tls_ports:
                yield from _tls_port_in_plaintext(vhost)
            yield from _client_certificates(vhost)


def _form(text: Text) -> Iterator[Diagnostic]:
    """What lwsws makes nothing of."""
    document = text.document
    if document.root is None:
        yield rule.report(
            text.place(document.span),
            f"lwsws refuses this file, and the vhosts in it do not come up: {document.problem}",
        )
    elif document.rest is not None:
        yield rule.report(
            text.place(document.rest),
            "lwsws never reads this: it stops at the end of the first object",
            help="put both into one object, or into files of their own in conf.d",
            related=[Step(text.place(document.root.span), "this is all that it reads")],
        )


def _keys(project: Project, vhost: Vhost) -> Iterator[Diagnostic]:
    yield from unread_keys(project, rule, vhost.text, vhost.object, LWSWS, "vhosts[].")
    yield from _doubtful(vhost.text, vhost.object.members, _SWITCHES)
    for mount in objects(vhost.value("mounts")):
        yield from unread_keys(project, rule, vhost.text, mount, LWSWS, "vhosts[].mounts[].")


def _doubtful(text: Text, members: tuple[JsonMember, ...], switches: tuple[str, ...]) -> Iterator[Diagnostic]:
    for member in members:
        if member.key in switches and is_doubtful(member.value):
            yield rule.report(
                text.place(member.value.span),
                f'this switches "{member.key}" off: of words, lwsws takes only on, yes and true for "on"',
                severity=Severity.WARNING,
                help=f'"{member.key}": "on"',
            )


# ------------------------------------------------------------------------------------- plaintext


def _tls(configuration: Configuration, vhost: Vhost) -> Iterator[Diagnostic]:
    """Whether a vhost that has a certificate uses it, and who gets in without."""
    certificate = vhost.object.member("host-ssl-cert")
    assert certificate is not None
    initialised: bool | None = None  # nobody knows where there is no global section
    cause: tuple[Text, JsonMember] | None = None
    for text, section in configuration.globals:
        values = [m.value for object in objects(section.value) for m in object.members if m.key == "init-ssl"]
        initialised = bool(initialised) or any(map(is_on, values))
        cause = (text, section)
    taken_back: JsonMember | None = None
    for member in vhost.object.members:
        if member.key == _ONE_WAY and is_on(member.value):
            initialised, taken_back = True, None
        elif member.key in _BOTH_WAYS:
            initialised = is_on(member.value)
            taken_back = None if initialised else member
    if initialised is False:
        yield _plaintext(vhost, certificate, cause, taken_back)
    elif vhost.on("allow-non-tls"):
        yield from _lets_plaintext_in(vhost)


def _plaintext(
    vhost: Vhost,
    certificate: JsonMember,
    cause: tuple[Text, JsonMember] | None,
    taken_back: JsonMember | None,
) -> Diagnostic:
    start = f"port {vhost.port} is served in plaintext" if vhost.port else "this vhost is served in plaintext"
    if taken_back is not None:
        key, value = taken_back.key, spelled(taken_back.value)
        return rule.report(
            vhost.text.place(taken_back.key_span),
            f'{start}: "{key}": "{value}" clears the option that init-ssl sets, too',
            help=f'leave "{key}" out: it is off unless it is switched on',
            related=[Step(vhost.text.place(certificate.key_span), "this certificate is not used")],
            function=vhost.name,
        )
    steps = []
    if cause is not None:
        text, section = cause
        steps.append(Step(text.place(section.key_span), 'this does not say "init-ssl": "yes"'))
    return rule.report(
        vhost.text.place(certificate.key_span),
        f"{start}: lwsws uses no certificate unless the global section says init-ssl",
        help='"init-ssl": "yes" in the global section',
        related=steps,
        function=vhost.name,
    )


def _tls_port_in_plaintext(vhost: Vhost) -> Iterator[Diagnostic]:
    """A vhost without a certificate on a port where TLS is expected."""
    member = vhost.object.member("port")
    raw = vhost.object.member("listen-accept-role") is not None
    if member is None or vhost.port not in _TLS_PORTS or raw or vhost.on("unix-socket"):
        return
    yield rule.report(
        vhost.text.place(member.value.span),
        f"port {vhost.port} is served in plaintext, and https:// to it fails: the vhost has no host-ssl-cert",
        severity=Severity.WARNING,
        help='"host-ssl-cert" and "host-ssl-key", or another port',
        function=vhost.name,
    )


def _lets_plaintext_in(vhost: Vhost) -> Iterator[Diagnostic]:
    """What those get who speak no TLS (lws asks in this order)."""
    member = vhost.object.member("allow-non-tls")
    assert member is not None
    place = vhost.text.place(member.key_span)
    port = f"port {vhost.port}" if vhost.port else "the TLS port"
    if vhost.on("redirect-http"):
        if not vhost.on("sts"):
            yield rule.report(
                place,
                f"the first request of a browser may come to {port} in plaintext, with its cookies, before it"
                " is redirected",
                severity=Severity.NOTE,
                help='"sts": "on", so that browsers that were here once never do it again',
                function=vhost.name,
            )
    elif vhost.on("allow-http-on-https"):
        yield rule.report(
            place,
            f"whoever is on the way can have {port} served in plaintext: allow-http-on-https answers http://"
            " there",
            severity=Severity.WARNING,
            help='"redirect-http": "1" instead of "allow-http-on-https", and "sts": "on"',
            function=vhost.name,
        )
    elif vhost.on("fallback-listen-accept"):
        role = spelled(vhost.value("listen-accept-role")) or "another role"
        yield rule.report(
            place,
            f"whoever connects to {port} without TLS is served by {role}, in plaintext",
            severity=Severity.NOTE,
            function=vhost.name,
        )


# ------------------------------------------------------------------------------------- certificates


def _client_certificates(vhost: Vhost) -> Iterator[Diagnostic]:
    member = vhost.object.member("client-cert-required")
    if member is None or not is_on(member.value) or vhost.object.member("host-ssl-cert") is None:
        return
    yield rule.report(
        vhost.text.place(member.key_span),
        "with OpenSSL, any client certificate gets in, a self-signed one too: lws leaves the verdict to"
        " protocols[0], and lwsws's plugins give none",
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        help="a plugin in protocols[0] that answers LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION"
        " with !len, or lws built with mbedTLS",
        function=vhost.name,
    )
