"""LWS401, LWS402, LWS403: what fires, how loud, and what does not."""

from __future__ import annotations

import pytest

from lwslint.rule import LoadedRule
from lwslint.settings import Build, Settings, Version
from lwslint_rules.tls import permissive_tls_flags, plaintext_despite_tls_flags, verification_overridden
from tests.model.linked import diagnostics, reports

LWS401 = LoadedRule(permissive_tls_flags.rule, "", permissive_tls_flags.check)
LWS402 = LoadedRule(plaintext_despite_tls_flags.rule, "", plaintext_despite_tls_flags.check)
LWS403 = LoadedRule(verification_overridden.rule, "", verification_overridden.check)


def client(body: str, parameters: str = "void", before: str = "") -> dict[str, str]:
    """A client whose connect info is set by ``body``, on line 2."""
    start = f"{before} void f({parameters}) {{ struct lws_client_connect_info i = {{0}};"
    text = f'{start} i.address = "a.example.com";'
    return {"main.c": f"{text}\n{body}\nlws_client_connect_via_info(&i); }}"}


def loudness(files: dict[str, str], settings: Settings | None = None) -> list[str]:
    return [severity for _, _, severity in reports(files, [LWS401], settings)]


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ("i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;", "void"),
        ("i.ssl_connection = 3;", "void"),
        ("i.ssl_connection = use_ssl ? LCCSCF_USE_SSL | LCCSCF_ALLOW_EXPIRED : 0;", "int use_ssl"),
        (
            'if (!strcmp(scheme, "wss")) i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_INSECURE;',
            "char *scheme",
        ),
        ("if (port == 443) i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_INSECURE;", "int port"),
        (
            "i.ssl_connection = 1;\n#ifdef _WIN32\ni.ssl_connection |= LCCSCF_ALLOW_INSECURE;\n#endif\n",
            "void",
        ),
        ("i.ssl_connection = 1; if (!ca_file) i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;", "char *ca_file"),
        ("int lax = 1; i.ssl_connection = lax ? 3 : 1;", "void"),
    ],
)
def test_errors(body: str, parameters: str) -> None:
    assert loudness(client(body, parameters)) == ["error"]


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (
            "i.ssl_connection = 1; if (o->allow_selfsigned) i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;",
            "struct o *o",
        ),
        ("i.ssl_connection = insecure ? 3 : 1;", "int insecure"),
        ('i.ssl_connection = 1; if (getenv("DEV")) i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;', "void"),
        ("i.ssl_connection = verify == 0 ? 3 : 1;", "int verify"),
        ("i.ssl_connection = 1;\n#ifdef ALLOW_SELF_SIGNED\ni.ssl_connection = 3;\n#endif\n", "void"),
        ('i.address = "localhost"; i.ssl_connection = 3;', "void"),
        ("i.ssl_connection = 1 | LCCSCF_ACCEPT_TLS_DOWNGRADE_REDIRECTS;", "void"),
    ],
)
def test_notes(body: str, parameters: str) -> None:
    assert loudness(client(body, parameters)) == ["note"]


@pytest.mark.parametrize(
    "body",
    [
        "i.ssl_connection = LCCSCF_USE_SSL;",
        "i.ssl_connection = 1; if (i.ssl_connection & LCCSCF_ALLOW_SELFSIGNED) return;",
        "i.ssl_connection = 3 & ~LCCSCF_ALLOW_SELFSIGNED;",
        "i.ssl_connection = 1;\n#ifdef DEBUG\ni.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;\n#endif\n",
        "int lax = 0; i.ssl_connection = lax ? 3 : 1;",
        'lwsl_notice("%d", LCCSCF_ALLOW_SELFSIGNED); i.ssl_connection = 1;',
    ],
)
def test_silence(body: str) -> None:
    assert reports(client(body), [LWS401, LWS402]) == []


def test_the_development_build_is_judged_as_one() -> None:
    body = "i.ssl_connection = 1;\n#ifdef DEBUG\ni.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;\n#endif\n"
    build = Build("development", False, {"DEBUG": "1"}, ("NDEBUG",))
    assert loudness(client(body), Settings(build=build)) == ["error"]


def test_one_report_names_every_flag_at_the_first() -> None:
    flags = "LCCSCF_USE_SSL |\n LCCSCF_ALLOW_SELFSIGNED |\n LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK"
    body = f"i.ssl_connection = {flags};"
    files = client(body)
    (found,) = diagnostics(files, LWS401)
    assert reports(files, [LWS401]) == [("main.c", 3, "error")]
    assert "LCCSCF_ALLOW_SELFSIGNED and LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK" in found.message
    assert [step.message.split(":")[0] for step in found.related] == [
        "LCCSCF_ALLOW_SELFSIGNED",
        "LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK",
    ]
    assert all(name in found.related[0].message for name in ("OpenSSL", "mbedTLS", "wolfSSL"))


def test_flags_that_reach_no_known_connection_count_too() -> None:
    source = "int flags(int tls) { return tls ? LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED : 0; }"
    assert loudness({"main.c": source}) == ["error"]


def test_a_helper_called_only_when_asked_for_is_a_note() -> None:
    source = """
        static void weaken(struct lws_client_connect_info *i)
        { i->ssl_connection |= LCCSCF_ALLOW_SELFSIGNED; }
        void f(int insecure) { struct lws_client_connect_info i = {0}; i.ssl_connection = 1;
            if (insecure) weaken(&i);
            lws_client_connect_via_info(&i); }
    """
    assert loudness({"main.c": source}) == ["note"]


POSITIONAL = 'void f(void *c) { %s(c, "a.example", 443, %s, "/", "a.example", "o", NULL, -1); }'


@pytest.mark.parametrize("name", ["lws_client_connect", "libwebsocket_client_connect"])
@pytest.mark.parametrize(("value", "expected"), [("2", ["error"]), ("1", []), ("0", [])])
def test_positional_calls(name: str, value: str, expected: list[str]) -> None:
    files = {"main.c": POSITIONAL % (name, value)}
    assert loudness(files) == expected
    assert reports(files, [LWS402]) == []


# --------------------------------------------------------------------------- LWS402


@pytest.mark.parametrize("value", ["2", "LCCSCF_ALLOW_SELFSIGNED", "4", "SELF"])
def test_plaintext_is_an_error_and_no_second_report(value: str) -> None:
    files = client(f"i.ssl_connection = {value};", before="#define SELF 2\n")
    assert [severity for _, _, severity in reports(files, [LWS401, LWS402])] == ["error"]
    assert "without TLS" in diagnostics(files, LWS402)[0].message


def test_old_lws_reads_2_as_tls() -> None:
    files = client("i.ssl_connection = 2;")
    settings = Settings(lws_version=Version(2, 4, 2))
    assert loudness(files, settings) == ["error"]
    assert reports(files, [LWS402], settings) == []


@pytest.mark.parametrize(
    "body",
    [
        "#ifdef WITH_TLS\ni.ssl_connection = 1;\n#else\ni.ssl_connection = LCCSCF_ALLOW_INSECURE;\n#endif\n",
        "i.ssl_connection = LCCSCF_PIPELINE;",
        "i.ssl_connection = 0;",
    ],
)
def test_plain_connections_that_are_meant(body: str) -> None:
    assert reports(client(body), [LWS401, LWS402]) == []


def test_an_option_that_asks_for_tls_and_gets_none() -> None:
    source = """
        int main(int argc, char **argv) { int n, use_ssl = 0; struct lws_client_connect_info i = {0};
            while ((n = getopt(argc, argv, "s")) >= 0) switch (n) {
            case 's': use_ssl = 2; break; }
            i.ssl_connection = use_ssl; lws_client_connect_via_info(&i); }
    """
    assert [severity for _, _, severity in reports({"main.c": source}, [LWS402])] == ["error"]


@pytest.mark.parametrize(("default", "expected"), [("true", ["error"]), ("false", ["note"])])
def test_a_switch_that_is_on_by_default(default: str, expected: list[str]) -> None:
    source = f"""class C {{ bool skip_verify = {default};
        void set(bool x) {{ skip_verify = x; }}
        void f() {{ lws_client_connect_info i{{}}; i.ssl_connection = LCCSCF_USE_SSL;
            if (skip_verify) i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;
            lws_client_connect_via_info(&i); }} }};"""
    assert loudness({"main.cpp": source}) == expected


@pytest.mark.parametrize(
    ("start", "set", "expected"),
    [
        ('{ .host = "x" }', "if (c == 'i') config.first = 1;", ["note"]),
        ('{ .host = "x" }', "config.first = 1;", ["error"]),
        ("{ .first = 1 }", "if (c == 'n') config.first = 1;", ["error"]),
    ],
)
def test_a_field_that_only_an_option_sets_is_a_switch(start: str, set: str, expected: list[str]) -> None:
    source = f"""struct {{ const char *host; int first; }} config = {start};
        void f(void) {{ struct lws_client_connect_info i = {{0}}; i.ssl_connection = LCCSCF_USE_SSL;
            if (config.first) i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;
            lws_client_connect_via_info(&i); }}
        int main(int argc, char **argv) {{ int c = getopt(argc, argv, "in"); {set} f(); }}"""
    assert loudness({"main.c": source}) == expected


def test_a_mode_with_a_strict_choice_is_a_note() -> None:
    source = """
        int flags(int mode) { switch (mode) { case 0: return 0; case 1: return LCCSCF_USE_SSL;
            default: return LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED; } }
        void f(int mode) { struct lws_client_connect_info i = {0};
            i.ssl_connection = flags(mode); lws_client_connect_via_info(&i); }
    """
    assert loudness({"main.c": source}) == ["note"]
    assert loudness({"main.c": source.replace("case 1: return LCCSCF_USE_SSL;", "")}) == ["error"]


# --------------------------------------------------------------------------- LWS403

CALLBACK = """
    %s
    static int cb(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
        switch (reason) { case LWS_CALLBACK_OPENSSL_%s: %s break; default: break; }
        return 0; }
"""
SERVER_CERT, CLIENT_CTX, SERVER_CTX = (
    "PERFORM_SERVER_CERT_VERIFICATION",
    "LOAD_EXTRA_CLIENT_VERIFY_CERTS",
    "LOAD_EXTRA_SERVER_VERIFY_CERTS",
)


@pytest.mark.parametrize(
    ("before", "reason", "body", "expected"),
    [
        ("", SERVER_CERT, "X509_STORE_CTX_set_error(user, X509_V_OK);", ["error"]),
        ("", SERVER_CERT, "X509_STORE_CTX_set_error(user, X509_V_ERR_CERT_REJECTED);", []),
        ("", SERVER_CERT, "if (is_pinned(user)) X509_STORE_CTX_set_error(user, X509_V_OK);", []),
        ("", SERVER_CERT, "if (opt.insecure) X509_STORE_CTX_set_error(user, X509_V_OK);", ["note"]),
        ("", CLIENT_CTX, "SSL_CTX_set_verify(user, SSL_VERIFY_NONE, NULL);", ["error"]),
        ("", CLIENT_CTX, "SSL_CTX_set_verify(user, SSL_VERIFY_PEER, NULL);", []),
        ("", SERVER_CTX, "SSL_CTX_set_verify(user, SSL_VERIFY_NONE, NULL);", []),
        (
            "static int yes(int ok, void *s) { return 1; }",
            CLIENT_CTX,
            "SSL_CTX_set_verify(user, 1, yes);",
            ["error"],
        ),
        (
            "static int ask(int ok, void *s) { return ok; }",
            CLIENT_CTX,
            "SSL_CTX_set_verify(user, 1, ask);",
            [],
        ),
        (
            "",
            SERVER_CERT,
            "if (X509_STORE_CTX_get_error(user) == X509_V_ERR_CERT_HAS_EXPIRED)"
            " X509_STORE_CTX_set_error(user, X509_V_OK);",
            ["warning"],
        ),
        (
            "",
            SERVER_CERT,
            "int e = X509_STORE_CTX_get_error(user); if (e != X509_V_ERR_CERT_NOT_YET_VALID) return 1;"
            " if (!clock_is_set()) X509_STORE_CTX_set_error(user, X509_V_OK);",
            ["note"],
        ),
        (
            "",
            SERVER_CERT,
            "if (X509_STORE_CTX_get_error(user) == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)"
            " X509_STORE_CTX_set_error(user, X509_V_OK);",
            ["error"],
        ),
        (
            "static int yes(void *s, void *a) { return 1; }",
            CLIENT_CTX,
            "SSL_CTX_set_cert_verify_callback(user, yes, NULL);",
            ["error"],
        ),
    ],
)
def test_verification(before: str, reason: str, body: str, expected: list[str]) -> None:
    files = {"main.c": CALLBACK % (before, reason, body)}
    assert [severity for _, _, severity in reports(files, [LWS403])] == expected


def test_an_address_that_may_be_configured_is_not_this_machine() -> None:
    here = 'i.address = "localhost";\n'
    weak = "i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;"
    assert loudness(client(here + weak)) == ["note"]
    assert loudness(client(f"{here}if (given) i.address = given;\n{weak}", "const char *given")) == ["error"]


def test_an_if_inside_the_expression_concerns_its_part_only() -> None:
    body = """i.ssl_connection = LCCSCF_USE_SSL
#ifdef ALLOW_SELF_SIGNED
    | LCCSCF_ALLOW_SELFSIGNED
#endif
    {more};"""
    assert loudness(client(body.format(more=""))) == ["note"]
    assert sorted(loudness(client(body.format(more="| LCCSCF_ALLOW_EXPIRED")))) == ["error", "note"]


def test_flags_that_are_overwritten_before_the_connection_do_nothing() -> None:
    body = "i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;\ni.ssl_connection = LCCSCF_USE_SSL;"
    assert loudness(client(body)) == []
    assert loudness(client(body.replace("\n", "\nif (strict) "), "int strict")) != []


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        ("if (!insecure) return;", "note"),
        ("if (!insecure) { log(); { return; } }", "note"),
        ("if (!ready) return;", "error"),
        ("if (!insecure) log();", "error"),
        ("if (other) { if (!insecure) return; }", "error"),
    ],
)
def test_a_switch_that_leaves_before_the_flags(leave: str, expected: str) -> None:
    body = f"i.ssl_connection = LCCSCF_USE_SSL;\n{leave}\ni.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;"
    assert loudness(client(body, "int insecure, int ready, int other")) == [expected]
    nested = body.replace("i.ssl_connection |=", "while (port) i.ssl_connection |=")
    assert loudness(client(nested, "int insecure, int ready, int other, int port")) == [expected]
