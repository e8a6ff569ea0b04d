"""LWS201, LWS202, LWS203: what fires, how loud, and what does not."""

from __future__ import annotations

import pytest

from lwslint.model.offers import faults, is_often_overlooked, server_says
from lwslint.rule import LoadedRule
from lwslint.settings import Server, Settings, Version
from lwslint_rules.protocols import malformed_subprotocol, unknown_local_protocol, unsupported_subprotocol
from tests.model.linked import diagnostics, reports

LWS201 = LoadedRule(unsupported_subprotocol.rule, "", unsupported_subprotocol.check)
LWS202 = LoadedRule(malformed_subprotocol.rule, "", malformed_subprotocol.check)
LWS203 = LoadedRule(unknown_local_protocol.rule, "", unknown_local_protocol.check)

TABLE = """
static int cb(struct lws *w, enum lws_callback_reasons r, void *u, void *in, size_t n) {
    switch (r) { case LWS_CALLBACK_CLIENT_RECEIVE: break; default: break; } return 0; }
static struct lws_protocols protocols[] = { { "radio", cb, 0, 0 }, { NULL, NULL, 0, 0 } };
"""
SERVER = """
static int scb(struct lws *w, enum lws_callback_reasons r, void *u, void *in, size_t n) {
    switch (r) { case LWS_CALLBACK_RECEIVE: break; default: break; } return 0; }
static struct lws_protocols table[] = { { "served", scb, 0, 0 }, { NULL, NULL, 0, 0 } };
void serve(void) { struct lws_context_creation_info info = {0}; info.port = 7681;
    info.protocols = table; lws_create_context(&info); }
"""


def client(body: str, parameters: str = "void", host: str = "a.example.com") -> dict[str, str]:
    return {
        "main.c": f"""{TABLE}
void f({parameters}) {{ struct lws_client_connect_info i = {{0}}; i.address = "{host}"; i.port = 7681;
{body}
lws_client_connect_via_info(&i); }}"""
    }


def loudness(files: dict[str, str], settings: Settings | None = None) -> list[str]:
    return [severity for _, _, severity in reports(files, [LWS201], settings)]


@pytest.mark.parametrize(
    ("body", "parameters", "expected"),
    [
        ("i.protocol = protocols[0].name;", "void", ["warning"]),
        ('i.protocol = "radio";', "void", ["warning"]),
        ('i.protocol = name ? name : "radio";', "const char *name", ["warning"]),
        ('i.protocol = "wss";', "void", ["warning"]),
        ('i.protocol = "MQTT";', "void", ["warning"]),
        ('i.protocol = "vendor.v1";', "void", ["note"]),
        ('i.protocol = "radio"; i.local_protocol_name = "radio";', "void", ["warning"]),
        ('i.protocol = "lws-mirror-protocol";', "void", ["warning"]),
        ('i.protocol = "mqtt";', "void", []),
        ('i.protocol = "radio, mqtt";', "void", []),
        ("i.protocol = name;", "const char *name", []),
        ('i.protocol = NULL; i.local_protocol_name = "radio";', "void", []),
        ('i.local_protocol_name = "radio";', "void", []),
        ('i.protocol = "radio"; i.method = "GET";', "void", []),
        ('if (strcmp(name, "none")) i.protocol = name;', "const char *name", []),
    ],
)
def test_what_goes_on_the_wire(body: str, parameters: str, expected: list[str]) -> None:
    assert loudness(client(body, parameters)) == expected


def test_the_place_is_the_assignment() -> None:
    files = client("i.protocol = protocols[0].name;")
    assert reports(files, [LWS201]) == [("main.c", 7, "warning")]


def test_a_row_of_a_table_with_two_ends_is_shown_once() -> None:
    ends = "#ifdef LWS_PROTOCOL_LIST_TERM\nLWS_PROTOCOL_LIST_TERM\n#else\n{ NULL, NULL, 0, 0 }\n#endif\n};"
    body = f'i.protocol = "own"; struct lws_protocols own[] = {{ {{ "own", cb, 0, 0 }},\n{ends}'
    tls = "#ifdef LCCSCF_USE_SSL\ni.ssl_connection = 1;\n#else\ni.ssl_connection = 2;\n#endif"
    files = client(f"{body} info.protocols = own;\n{tls}", "struct lws_context_creation_info info")
    (found,) = diagnostics(files, LWS201)
    assert [step.message for step in found.related].count('"own" is the name of this row') == 1


def test_a_local_name_for_this_machine_is_a_note() -> None:
    assert loudness(client('i.protocol = "radio";', host="localhost")) == ["note"]


@pytest.mark.parametrize(
    "body", ['i.protocol = "radio"; i.local_protocol_name = "radio";', 'i.protocol = "lws-minimal";']
)
@pytest.mark.parametrize("address", ['"radio.internal"', "peer"])
def test_a_name_that_a_server_of_ones_own_may_have_is_a_note(body: str, address: str) -> None:
    assert loudness(client(f"i.address = {address}; {body}", "const char *peer")) == ["note"]


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("served", "localhost", []),
        ("served", "192.168.0.2", []),
        ("served", "a.example.com", ["note"]),
        ("radio", "localhost", ["error"]),
        ("radio", "a.example.com", ["warning"]),
    ],
)
def test_a_server_in_the_tree(name: str, host: str, expected: list[str]) -> None:
    files = client(f'i.protocol = "{name}";', host=host) | {"server.c": SERVER}
    assert loudness(files) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(subprotocols=("radio",)), []),
        (Settings(subprotocols=("other",)), ["error"]),
        (Settings(subprotocols=()), ["error"]),
        (Settings(servers=(Server("A.example.com", ("radio",)),), subprotocols=("other",)), []),
        (Settings(servers=(Server("a.example.com", ()),), subprotocols=("radio",)), ["error"]),
        (Settings(servers=(Server("b.example.com", ()),)), ["warning"]),
    ],
)
def test_the_configuration_decides(settings: Settings, expected: list[str]) -> None:
    assert loudness(client('i.protocol = "radio";'), settings) == expected


def test_the_configuration_is_asked_before_the_registry() -> None:
    assert loudness(client('i.protocol = "mqtt";'), Settings(subprotocols=())) == ["error"]


def test_the_help_is_written_in_the_terms_of_the_code() -> None:
    (found,) = diagnostics(client("i.protocol = protocols[0].name;"), LWS201)
    assert 'i.protocol = NULL; i.local_protocol_name = "radio";' in found.help
    assert 'subprotocols = ["radio"]' in found.help
    assert "Sec-WebSocket-Protocol: radio" in found.message
    source = """struct S { lws_client_connect_info *i; void f(); };
        void S::f() { i->protocol = "made-up"; lws_client_connect_via_info(i); }"""
    (found,) = diagnostics({"main.cpp": source}, LWS201)
    assert "i->protocol = nullptr; i->local_protocol_name" in found.help
    (found,) = diagnostics(client('i.protocol = "radio";'), LWS201, Settings(lws_version=Version(2, 4)))
    assert "local_protocol_name" not in found.help


def test_the_default_of_something_configurable_says_so() -> None:
    (found,) = diagnostics(client('i.protocol = name ? name : "radio";', "const char *name"), LWS201)
    assert "unless something else is configured" in found.message


def test_positional_argument() -> None:
    source = TABLE + 'void f(void *c) { lws_client_connect(c, "a.b", 80, 0, "/", "a.b", "o", "radio", -1); }'
    assert loudness({"main.c": source}) == ["warning"]


# --------------------------------------------------------------------------- LWS202


@pytest.mark.parametrize(
    "text", ["chat", "chat.v1, chat.v2", "a,b", "a+b", "x" * 63, ",".join(["n" * 20] * 1), "v1.x-y_z"]
)
def test_well_formed(text: str) -> None:
    assert faults(text) == ()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("  ", "without a name"),
        ("a , b", "space before a comma"),
        ("a,,b", "empty name"),
        ("a,", "empty name"),
        ("a b", "a space"),
        ("a/b", "'/'"),
        ("wss://x", "':'"),
        ("a, a", "offered twice"),
        (" a", "spaces around"),
        ("x" * 64, "longer than the 63"),
        (",".join(f"name{n:02}abcdef" for n in range(12)), "longer than the 127"),
    ],
)
def test_malformed(text: str, part: str) -> None:
    assert any(part in fault for fault in faults(text))
    files = client(f'i.protocol = "{text}";')
    assert reports(files, [LWS202]) == [("main.c", 7, "error")]
    assert reports(files, [LWS201]) == []


def test_an_empty_text_is_not_sent_and_not_reported() -> None:
    assert reports(client('i.protocol = "";'), [LWS201, LWS202]) == []


@pytest.mark.parametrize(
    ("text", "overlooked"),
    [
        ("a,,b", True),
        ("a, a", True),
        ("a,", True),
        (",a", False),
        (" a, a", False),
        ("a , a", False),
        ("a b,,c", False),
    ],
)
def test_what_some_servers_overlook_is_called_so(text: str, overlooked: bool) -> None:
    assert is_often_overlooked(text) == overlooked


def test_an_http_request_sends_no_list() -> None:
    assert reports(client('i.protocol = "a , b"; i.method = "GET";'), [LWS202]) == []


def test_a_string_that_starts_out_empty_is_not_malformed() -> None:
    source = """struct S { std::string name = ""; void set(std::string x) { name = x; }
        void f() { lws_client_connect_info i{}; i.protocol = name.c_str();
            lws_client_connect_via_info(&i); } };"""
    assert reports({"main.cpp": source}, [LWS201, LWS202]) == []


def test_server_says_ignores_ports_and_case() -> None:
    settings = Settings(servers=(Server("A.example.com", ("x",)),))
    assert server_says(settings, ["a.EXAMPLE.com:443"]) == (("x",), "a.EXAMPLE.com:443")
    assert server_says(settings, ["b.example.com"]) is None


# --------------------------------------------------------------------------- LWS203


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('i.local_protocol_name = "radios";', ["warning"]),
        ('i.protocol = "chat.v1";', ["warning"]),
        ('i.protocol = "radio,chat";', ["warning"]),
        ('i.protocol = "mqtt";', ["note"]),
        ('i.local_protocol_name = "radio";', []),
        ('i.protocol = "chat.v1"; i.local_protocol_name = "radio";', []),
        ("i.local_protocol_name = elsewhere();", []),
    ],
)
def test_local_names(body: str, expected: list[str]) -> None:
    assert [severity for _, _, severity in reports(client(body), [LWS203])] == expected


def test_lws_2_lets_the_server_decide() -> None:
    files = client('i.protocol = "radio,chat";')
    assert reports(files, [LWS203], Settings(lws_version=Version(2, 4, 2))) == []


def test_a_table_with_names_we_do_not_know_says_nothing() -> None:
    files = client('i.local_protocol_name = "radios";') | {
        "other.c": "static struct lws_protocols t[2]; void g(const char *n) { t[0].name = n; }"
    }
    assert reports(files, [LWS203]) == []


def test_one_object_for_two_kinds_of_connections() -> None:
    text = """
struct request { struct lws_client_connect_info cci; };
void page(struct request *r) { r->cci.address = "a.example.com"; r->cci.method = "GET"; }
void talk(struct request *r) { r->cci.address = "a.example.com"; r->cci.protocol = "wss"; }
void serve(struct request *r) { lws_client_connect_via_info(&r->cci); }
"""
    assert reports({"a.c": text}, [LWS201]) == [("a.c", 4, "warning")]
    helper = text.replace('r->cci.address = "a.example.com"; r->cci.method', "r->cci.method")
    assert reports({"a.c": helper}, [LWS201]) == []


@pytest.mark.parametrize("element", ["names[0]", "names.at(0)", "names.front()", "names.back()", "list"])
def test_a_name_kept_in_a_list(element: str) -> None:
    text = f"""
#include <vector>
struct lws_protocols table[] = {{ {{ "radio", cb, 0, 0 }}, {{ 0 }} }};
struct Client {{
    std::vector<std::string> names;
    void add() {{ names.push_back("radio"); }}
    void dial() {{
        struct lws_client_connect_info i = {{}};
        std::string list;
        for (const auto &name : names) list += name;
        i.address = "a.example.com";
        i.protocol = {element}.c_str();
        lws_client_connect_via_info(&i);
    }}
}};
"""
    assert reports({"a.cpp": text}, [LWS201]) == [("a.cpp", 12, "warning")]


@pytest.mark.parametrize(
    ("check", "expected"), [("if (!path || !method) return;", []), ("if (!path) return;", ["warning"])]
)
def test_a_method_that_was_checked_is_set(check: str, expected: list[str]) -> None:
    copy = "static char *copy(const char *s) { if (!s) return NULL; return strdup(s); }"
    files = client(
        f'char *method = copy(given); {check} i.method = method; i.protocol = "radio";', "char *given"
    )
    assert loudness({"main.c": copy + files["main.c"]}) == expected


def test_a_file_implements_the_class_whose_methods_it_has() -> None:
    source = """
#include <client.hpp>
Client::Client() { table[0].name = "radio"; table[0].callback = cb; }
void Client::dial()
{
    struct lws_client_connect_info i = {};
    i.address = "a.example.com";
    i.protocol = table[0].name;
    lws_client_connect_via_info(&i);
}
"""
    full = "class Client { public: Client(); void dial(); struct lws_protocols table[2]; };"
    left_over = "class Client { public: void other(); int count; };"
    files = {"src/client.cpp": source, "include/client.hpp": full, "src/client.hpp": left_over}
    assert reports(files, [LWS201]) == [("src/client.cpp", 8, "warning")]
