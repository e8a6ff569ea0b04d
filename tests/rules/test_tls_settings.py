"""LWS407 and LWS411 for C: cases that the fixtures do not have."""

from __future__ import annotations

import pytest

from lwslint.rule import LoadedRule
from lwslint_rules.tls import plaintext_to_tls_port, weak_ciphers_or_protocol_versions
from tests.model.linked import diagnostics, reports

LWS407 = LoadedRule(weak_ciphers_or_protocol_versions.rule, "", weak_ciphers_or_protocol_versions.check)
LWS411 = LoadedRule(plaintext_to_tls_port.rule, "", plaintext_to_tls_port.check)


def connection(body: str, address: str = "feed.meadow.org", parameters: str = "void") -> dict[str, str]:
    start = f'void f({parameters}) {{ struct lws_client_connect_info i = {{0}}; i.address = "{address}";'
    return {"main.c": f"{start}\n{body}\nlws_client_connect_via_info(&i); }}"}


def severities(files: dict[str, str], rule: LoadedRule) -> list[str]:
    return [severity for _, _, severity in reports(files, [rule])]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("i.port = 443;", ["warning"]),
        ("i.port = 8883; i.ssl_connection = 0;", ["warning"]),
        ("i.port = 443; i.ssl_connection = LCCSCF_PIPELINE;", []),
        ("i.port = 443; i.ssl_connection = LCCSCF_USE_SSL;", []),
        # LWS402 reports it.
        ("i.port = 443; i.ssl_connection = LCCSCF_ALLOW_SELFSIGNED;", []),
        ("i.port = 80;", ["note"]),
        ('i.port = 80; i.method = "GET";', []),
        ('i.port = 80; i.method = "GET"; i.auth_username = "a"; i.auth_password = "b";', ["warning"]),
        ('i.port = 443; i.method = "RAW";', []),
        ("i.port = 443; i.ssl_connection = tls();", []),
    ],
)
def test_plaintext(body: str, expected: list[str]) -> None:
    assert severities(connection(body), LWS411) == expected


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("localhost", 443, []),
        ("::1", 443, []),
        ("+/run/meadow.sock", 443, []),
        ("192.168.1.4", 443, ["warning"]),
        ("192.168.1.4", 80, []),
        ("meadow", 80, []),
        ("meadow.local", 80, []),
        ("8.8.8.8", 80, ["note"]),
    ],
)
def test_peers(address: str, port: int, expected: list[str]) -> None:
    assert severities(connection(f"i.port = {port};", address), LWS411) == expected


def test_ports_that_vary_are_not_judged() -> None:
    assert severities(connection("i.port = tls ? 443 : 80;", parameters="int tls"), LWS411) == ["note"]
    assert severities(connection("i.port = port;", parameters="int port"), LWS411) == ["note"]


def test_positional_connect() -> None:
    source = 'void f(void *c) { lws_client_connect(c, "feed.meadow.org", 443, %d, "/", "h", "o", 0, -1); }'
    assert severities({"main.c": source % 0}, LWS411) == ["warning"]
    assert severities({"main.c": source % 1}, LWS411) == []


INFO = "void f(int insecure) { struct lws_context_creation_info info = {0};\n%s\nlws_create_context(&info); }"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('info.ssl_cipher_list = "RC4-SHA";', ["warning"]),
        ('info.ssl_cipher_list = "RC4-SHA:!RC4";', []),
        ('info.tls1_3_plus_cipher_list = "TLS_SHA256_SHA256";', ["warning"]),
        ('if (insecure) info.ssl_cipher_list = "RC4-SHA";', ["note"]),
        ('info.ssl_cipher_list = insecure ? "RC4-SHA" : "HIGH";', ["note"]),
        ("info.ssl_options_clear = SSL_OP_NO_TLSv1;", ["warning"]),
        ("info.ssl_options_clear |= SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1;", ["warning"]),
        ("info.ssl_options_clear = SSL_OP_NO_TLSv1 & 0;", []),
        ("info.ssl_options_set = SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION;", ["warning"]),
        ("info.ssl_options_set = SSL_OP_NO_TLSv1;", []),
    ],
)
def test_settings_of_a_context(body: str, expected: list[str]) -> None:
    assert severities({"main.c": INFO % body}, LWS407) == expected


def test_message_says_what_and_by_which_words() -> None:
    (found,) = diagnostics({"main.c": INFO % 'info.ssl_cipher_list = "RC4-MD5:RC4-SHA:NULL";'}, LWS407)
    assert found.message.startswith("connections may get RC4")
    assert "no encryption at all" in found.message
    assert found.message.endswith("ssl_cipher_list allows RC4-MD5, RC4-SHA, NULL")


CONTEXT = "void f(struct lws *wsi, SSL_CTX *own) { struct lws_context_creation_info info = {0};\n%s }"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("SSL_CTX_set_min_proto_version(own, TLS1_VERSION);", []),
        (
            "SSL_CTX_set_min_proto_version(own, TLS1_VERSION); info.provided_client_ssl_ctx = own;",
            ["warning"],
        ),
        (
            "SSL_CTX_set_min_proto_version(own, TLS1_2_VERSION); info.provided_client_ssl_ctx = own;",
            [],
        ),
        ('SSL *ssl; ssl = lws_get_ssl(wsi); SSL_set_cipher_list(ssl, "aNULL");', ["warning"]),
        ('SSL *ssl; ssl = SSL_new(own); SSL_set_cipher_list(ssl, "aNULL");', []),
    ],
)
def test_calls_count_on_objects_of_lws(body: str, expected: list[str]) -> None:
    assert severities({"main.c": CONTEXT % body}, LWS407) == expected
