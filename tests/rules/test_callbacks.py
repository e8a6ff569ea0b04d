"""LWS301 and LWS302 on small programs: where a callback stands, what its vhost does, where events end."""

from __future__ import annotations

import pytest

from lwslint.diagnostics import Confidence, Diagnostic, Severity
from lwslint.frontends.c import extract
from lwslint.model.project import Project
from lwslint.settings import Settings, Version
from lwslint_rules.callbacks import http_client_falls_through, missing_http_dummy, server_reason_in_client

PARAMETERS = "(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)"
NOTHING = f"static int cb{PARAMETERS} {{ return 0; }}\n"
RECEIVES = f"static int cb{PARAMETERS} {{ if (reason == LWS_CALLBACK_RECEIVE) take(in); return 0; }}\n"
TABLE = 'static const struct lws_protocols table[] = { { "a", cb, 0, 0 }, { NULL, NULL, 0, 0 } };\n'
MAIN = (
    "int main(void) {{ struct lws_context_creation_info info; memset(&info, 0, sizeof info);"
    " info.port = {port}; info.protocols = table; {more} lws_create_context(&info); return 0; }}\n"
)
SERVER = TABLE + MAIN.format(port=8080, more="")
CLIENT = TABLE + MAIN.format(port="CONTEXT_PORT_NO_LISTEN", more="")


def project(*sources: str, version: Version | None = None) -> Project:
    settings = Settings(lws_version=version)
    files = [extract(f"src/f{i}.c", text.encode(), "c", settings) for i, text in enumerate(sources)]
    return Project(files, settings)


def missing(*sources: str, version: Version | None = None) -> list[Diagnostic]:
    return list(missing_http_dummy.check(project(*sources, version=version)))


def severities(*sources: str) -> list[Severity]:
    return [diagnostic.severity for diagnostic in missing(*sources)]


def body(text: str) -> str:
    return f"static int cb{PARAMETERS} {{ {text} }}\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (NOTHING + SERVER, [Severity.ERROR]),
        (NOTHING + CLIENT, [Severity.NOTE]),
        (NOTHING + TABLE + MAIN.format(port="atoi(argv[1])", more=""), [Severity.ERROR]),
        (NOTHING + TABLE + MAIN.format(port="on ? 80 : CONTEXT_PORT_NO_LISTEN", more=""), [Severity.ERROR]),
        (
            NOTHING + TABLE + MAIN.format(port=80, more="if (c) info.port = CONTEXT_PORT_NO_LISTEN;"),
            [Severity.NOTE],
        ),
        (
            NOTHING + TABLE + MAIN.format(port=80, more="info.options = LWS_SERVER_OPTION_ONLY_RAW;"),
            [Severity.NOTE],
        ),
        (RECEIVES + TABLE, [Severity.ERROR]),
        (body("if (reason == LWS_CALLBACK_CLIENT_RECEIVE) take(in); return 0;") + TABLE, [Severity.NOTE]),
        (body("if (reason == LWS_CALLBACK_RAW_RX_FILE) take(in); return 0;") + CLIENT, []),
        (body("return lws_callback_http_dummy(wsi, reason, user, in, len);") + SERVER, []),
        (body("return -1;") + SERVER, []),
    ],
)
def test_the_vhost_decides(source: str, expected: list[Severity]) -> None:
    assert severities(source) == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('struct lws_protocols table[] = { { "h", lws_callback_http_dummy, 0 }, { "a", cb, 0 } };', 0),
        ("struct lws_protocols table[] = { OTHER_FILES_MACRO, { .callback = cb } };", 0),
        ("struct lws_protocols table[] = { [0] = { .name = N, .callback = cb } };", 1),
        ("#define ROW { N, cb, 0 }\nstruct lws_protocols table[] = { ROW, { 0 } };", 1),
        ("struct lws_protocols table[2]; void fill(void) { table[0].callback = cb; }", 1),
        ("struct lws_protocols table[2]; void fill(void) { table[1].callback = cb; }", 0),
        (
            "enum { ONE, TWO }; struct lws_protocols table[2]; void f(void) { table[TWO].callback = &cb; }",
            0,
        ),
        (
            "struct lws_protocols table[2]; void f(int i) { table[i].callback = (lws_callback *)cb; }",
            1,
        ),
    ],
)
def test_only_the_first_row_gets_http(table: str, expected: int) -> None:
    assert len(missing(NOTHING + table + "\n" + MAIN.format(port=80, more=""))) == expected


def test_a_mounted_protocol_gets_http_at_any_index() -> None:
    table = 'struct lws_protocols table[] = { { "h", lws_callback_http_dummy }, { "api", cb } };\n'
    mount = 'struct lws_http_mount m = { .origin_protocol = LWSMPRO_CALLBACK, .protocol = "api" };\n'
    (found,) = missing(NOTHING + table + mount + MAIN.format(port=80, more=""))
    assert found.severity is Severity.ERROR and "callback mount" in found.message


def test_a_mounts_post_handler_loses_only_the_get() -> None:
    table = 'struct lws_protocols table[] = { { "h", lws_callback_http_dummy }, { "api", cb } };\n'
    mount = 'struct lws_http_mount m = { .origin_protocol = LWSMPRO_CALLBACK, .protocol = "api" };\n'
    post = body("if (reason == LWS_CALLBACK_HTTP_BODY) take(in); return 0;")
    (found,) = missing(post + table + mount + MAIN.format(port=80, more=""))
    assert found.severity is Severity.WARNING and "GET" in found.message


def test_a_plugins_table_has_no_first_row() -> None:
    plugin = "const lws_plugin_protocol_t plugin = { .protocols = table };\n"
    assert missing(RECEIVES + TABLE + plugin) == []


def test_a_table_that_only_a_plugin_has_has_no_first_row() -> None:
    alone = f"#if !defined(LWS_PLUGIN_STATIC)\n{TABLE}#endif\n"
    assert missing(RECEIVES + TABLE)
    assert missing(RECEIVES + alone) == []


def test_the_first_of_an_array_of_pointers_gets_http() -> None:
    rows = (
        f"static int second{PARAMETERS} {{ return 0; }}\n"
        'static const struct lws_protocols one = { "a", cb, 0 }, two = { "b", second, 0 };\n'
        "static const struct lws_protocols *table[] = { &one, &two, NULL };\n"
    )
    (found,) = missing(NOTHING + rows + MAIN.format(port=80, more="").replace("protocols", "pprotocols"))
    assert (found.severity, found.function) == (Severity.ERROR, "cb")


def test_a_standard_array_has_two_pairs_of_braces() -> None:
    table = 'std::array<lws_protocols, 2> table = {{ { "a", cb, 0 }, { nullptr, nullptr, 0 } }};\n'
    use = "void go() { lws_context_creation_info info{}; info.port = 80; info.protocols = table.data(); }\n"
    facts = extract("src/a.cpp", (NOTHING + table + use).encode(), "cpp", Settings())
    (found,) = missing_http_dummy.check(Project([facts], Settings()))
    assert found.severity is Severity.ERROR


def test_a_table_is_followed_through_a_copy_and_a_parameter() -> None:
    source = (
        NOTHING
        + TABLE
        + (
            "static void listen_on(const struct lws_protocols *protocols) {"
            " struct lws_context_creation_info info; info.port = 7681; info.protocols = protocols; }\n"
            "void start(void) { const struct lws_protocols *copy = table; listen_on(copy); }\n"
        )
    )
    (found,) = missing(source)
    assert (found.severity, found.confidence) == (Severity.ERROR, Confidence.HIGH)


def test_a_forwarder_is_judged_by_what_it_hands_on_to() -> None:
    forward = f"int real{PARAMETERS};\n" + body("return real(wsi, reason, user, in, len);") + SERVER
    lost = f"int real{PARAMETERS} {{ return 0; }}\n"
    kept = f"int real{PARAMETERS} {{ return lws_callback_http_dummy(wsi, reason, user, in, len); }}\n"
    (found,) = missing(forward, lost)
    assert found.place.path == "src/f0.c"
    assert found.related[-1].place.path == "src/f1.c" and "ends here" in found.related[-1].message
    assert missing(forward, kept) == []


@pytest.mark.parametrize(
    "text",
    [
        "return cb(wsi, reason, user, in, len);",
        "return elsewhere(wsi, reason, user, in, len);",
        "return handlers[reason](wsi, user, in, len);",
        "const struct lws_protocols *p = find(wsi); return p->callback(wsi, reason, user, in, len);",
    ],
)
def test_what_cannot_be_followed_is_not_reported(text: str) -> None:
    second = f"static int second{PARAMETERS} {{ return 0; }}\n"
    other = "void set(struct lws_protocols *q) { q->callback = second; }\n"
    found = missing(second + other + body(text) + SERVER)
    assert "cb" not in [diagnostic.function for diagnostic in found]


def test_a_function_that_only_names_the_reason_takes_nothing_over() -> None:
    names = "static const char *name_of(int r) { switch (r) { case 12: return lookup(r); } return 0; }\n"
    text = "const char *n = name_of(reason); print_it(n); return 0;"
    (found,) = missing(names + body(text) + SERVER)
    assert found.severity is Severity.ERROR


def test_only_the_events_that_its_way_of_answering_needs_are_named() -> None:
    serves = body(
        'if (reason == LWS_CALLBACK_HTTP) return lws_serve_http_file(wsi, "a", "b", 0, 0); return 0;'
    )
    (found,) = missing(serves + SERVER)
    assert found.severity is Severity.WARNING
    assert "HTTP_FILE_COMPLETION" in found.message and "HTTP_BODY" not in found.message
    refuses = body(
        "if (reason == LWS_CALLBACK_HTTP) { lws_return_http_status(wsi, 403, 0); return -1; } return 0;"
    )
    assert severities(refuses + SERVER) == [Severity.NOTE]


def test_the_help_uses_the_callbacks_own_names() -> None:
    own = NOTHING.replace("wsi,", "w,").replace("reason,", "why,").replace("void *in", "void *data")
    (found,) = missing(own + SERVER)
    assert "`return lws_callback_http_dummy(w, why, user, data, len);`" in found.help


def test_the_report_stands_on_the_name_and_lists_every_return() -> None:
    text = body("if (in) return 0; if (reason == LWS_CALLBACK_HTTP) log_it(); return 0;")
    (found,) = missing(text + SERVER)
    start, end = found.place.span
    assert (text + SERVER)[start:end] == "cb"
    assert [step.message.split(",")[0] for step in found.related].count(
        "ends here for LWS_CALLBACK_HTTP"
    ) == 2


def test_the_api_before_the_dummy_is_a_note() -> None:
    old = (
        "static int cb(struct libwebsocket_context *c, struct libwebsocket *wsi,"
        " enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len) { return 0; }\n"
        'static struct libwebsocket_protocols table[] = { { "http-only", cb, 0 }, { NULL, NULL, 0 } };\n'
    )
    (found,) = missing(old + MAIN.format(port=80, more=""))
    assert found.severity is Severity.NOTE and "2.1" in found.message
    assert found.message.startswith("a plain HTTP request would hang")
    (found,) = missing(old + MAIN.format(port="CONTEXT_PORT_NO_LISTEN", more=""))
    assert found.message.startswith("harmless in a client")
    answers = "{ if (reason == LWS_CALLBACK_HTTP) return -1; return 0; }"
    (found,) = missing(old.replace("{ return 0; }", answers) + MAIN.format(port=80, more=""))
    assert found.message.startswith("nothing hangs")
    (target,) = missing(NOTHING + SERVER, version=Version(2, 0, 3))
    assert target.severity is Severity.NOTE and "2.1" in target.message
    (today,) = missing(NOTHING + SERVER, version=Version(2, 1))
    assert today.severity is Severity.ERROR and "HTTP_FILE_COMPLETION" not in today.message


# --------------------------------------------------------------------------- LWS302

REQUEST = (
    "void ask(struct lws_context *c) { struct lws_client_connect_info i; i.context = c; i.method = %s;"
    " lws_client_connect_via_info(&i); }\n"
)
GET = REQUEST % '"GET"'
READ = "if (lws_http_client_read(wsi, &at, &room) < 0) return -1;"
DUMMY = "return lws_callback_http_dummy(wsi, reason, user, in, len);"


def client(receive: str, read: str, request: str = GET) -> list[str]:
    text = body(
        "switch (reason) {"
        f" case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: {receive}"
        f" case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ: {read}"
        f" default: break; }} {DUMMY}"
    )
    found = http_client_falls_through.check(project(text + CLIENT + request))
    return [diagnostic.message.split(":")[0] for diagnostic in found]


SPINS = "the service loop spins without progress as soon as an answer has a body"
CRASHES = "a library built with LWS_WITH_HTTP_PROXY asserts or crashes here"


@pytest.mark.parametrize(
    ("receive", "read", "request_", "expected"),
    [
        (READ + " return 0;", "return 0;", GET, []),
        (READ + " break;", "return 0;", GET, [CRASHES]),
        ("break;", "note(lws_get_parent(wsi)); break;", GET, []),
        (READ + " return 0;", "break;", GET, [CRASHES]),
        ("break;", "return 0;", GET, [SPINS]),
        ("return 0;", "return 0;", GET, [SPINS]),
        ("break;", "break;", REQUEST % "NULL", []),
        ("break;", "break;", REQUEST % '"RAW"', []),
        ("break;", "break;", "", []),
        ("break;", "break;", GET.replace("i.context = c;", "i.parent_wsi = p;"), []),
    ],
)
def test_http_clients(receive: str, read: str, request_: str, expected: list[str]) -> None:
    assert client(receive, read, request_) == expected


def test_classes_of_one_name_in_two_files_are_two() -> None:
    """Two programs' parts that each hide their members in a struct of the usual name."""
    held = "struct Impl {{ struct lws_protocols table[2]; struct lws_context_creation_info info; }};\n"
    start = (
        "static void {name}(struct Impl *me, int port) {{ me->table[0].callback = cb; me->info.port = {port};"
        " me->info.protocols = me->table; lws_create_context(&me->info); }}\n"
    )
    asked = body(
        "if (reason == LWS_CALLBACK_HTTP) return lws_callback_http_dummy(wsi, reason, user, in, len);"
        " return 0;"
    )
    client = NOTHING + held.format() + start.format(name="dial", port="CONTEXT_PORT_NO_LISTEN")
    server = asked + held.format() + start.format(name="serve", port="port")
    assert [d.severity for d in missing(client, server) if d.place.path == "src/f0.c"] == [Severity.NOTE]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", 1),
        ("info.extensions = lws_get_internal_extensions();", 0),
        ("info.user = lws_get_library_version();", 1),
    ],
)
def test_closed_is_right_where_only_old_releases_build_the_program(more: str, expected: int) -> None:
    callback = body(
        "if (reason == LWS_CALLBACK_CLIENT_RECEIVE) take(in); if (reason == LWS_CALLBACK_CLOSED) end();"
        " return 0;"
    )
    client = callback + TABLE + MAIN.format(port="CONTEXT_PORT_NO_LISTEN", more=more)
    assert len(list(server_reason_in_client.check(project(client)))) == expected


ANSWERS = (
    f"static int web{PARAMETERS} {{ return lws_callback_http_dummy(wsi, reason, user, in, len); }}\n"
    'static const struct lws_protocols table[] = { { "a", cb, 0, 0 }, { "http", web, 0, 0 }, { NULL } };\n'
)


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ('{ .mountpoint = "/", .protocol = "http", .origin_protocol = LWSMPRO_FILE }', []),
        ('{ NULL, "/", "./www", "index.html", "http" }', []),
        ('{ .mountpoint = "/", .protocol = "a", .origin_protocol = LWSMPRO_FILE }', [Severity.ERROR]),
        ('{ .mountpoint = "/", .origin_protocol = LWSMPRO_FILE }', [Severity.ERROR]),
        ('{ .mountpoint = "/x", .protocol = "http", .origin_protocol = LWSMPRO_FILE }', [Severity.ERROR]),
    ],
)
def test_a_mount_of_the_whole_site_asks_the_protocol_that_it_names(
    mount: str, expected: list[Severity]
) -> None:
    declared = f"static const struct lws_http_mount mount = {mount};\n"
    server = MAIN.format(port=8080, more="info.mounts = &mount;")
    assert severities(NOTHING + ANSWERS + declared + server) == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("{ one, other, LWS_PROTOCOL_LIST_TERM }", [Severity.ERROR]),
        ("{ other, one, LWS_PROTOCOL_LIST_TERM }", []),
    ],
)
def test_a_table_may_list_structs_by_name(table: str, expected: list[Severity]) -> None:
    source = (
        NOTHING
        + f"static int web{PARAMETERS} {{ return lws_callback_http_dummy(wsi, reason, user, in, len); }}\n"
        'int main(void) { const struct lws_protocols one = { "a", cb, 0, 0 }, other = { "b", web, 0, 0 };'
        f" const struct lws_protocols table[] = {table};"
        " struct lws_context_creation_info info = { .port = 80, .protocols = table };"
        " lws_create_context(&info); }"
    )
    assert severities(source) == expected


def test_a_table_may_list_a_struct_of_another_file() -> None:
    row = NOTHING + 'const struct lws_protocols one = { "a", cb, 0, 0 };\n'
    table = (
        "extern const struct lws_protocols one;\n"
        "int main(void) { const struct lws_protocols table[] = { one, { NULL } };"
        " struct lws_context_creation_info info = { .port = 80, .protocols = table };"
        " lws_create_context(&info); }"
    )
    assert severities(row, table) == [Severity.ERROR]


def test_a_table_may_list_a_row_that_was_passed() -> None:
    source = (
        NOTHING + '#define ROW (struct lws_protocols){ "a", cb, 0, 0 }\n'
        "static void serve(struct lws_protocols row) { struct lws_protocols table[] = { row, { NULL } };"
        " struct lws_context_creation_info info = { .port = 80, .protocols = table };"
        " lws_create_context(&info); }\n"
        "int main(void) { serve(ROW); }"
    )
    assert severities(source) == [Severity.ERROR]


def test_a_table_may_be_made_in_a_constructors_list() -> None:
    source = (
        "class Server { std::vector<lws_protocols> table; static int cb(lws *, lws_callback_reasons, void *,"
        " void *, size_t) { return 0; }\n"
        'public: Server() : table{ { "a", &Server::cb, 0, 0 }, { nullptr, nullptr, 0, 0 } } {'
        " lws_context_creation_info info{}; info.port = 80; info.protocols = this->table.data();"
        " lws_create_context(&info); } };"
    )
    facts = [extract("a.cpp", source.encode(), "cpp", Settings())]
    found = missing_http_dummy.check(Project(facts, Settings()))
    assert [d.severity for d in found] == [Severity.ERROR]
