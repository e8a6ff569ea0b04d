"""Which connections a program makes, what their fields hold, and which names its servers have."""

from __future__ import annotations

import time

import pytest

from lwslint.model.connections import Connection, is_loopback, is_private
from tests.model.linked import line, link

DIAL = """
    struct lws_client_connect_info i;
    memset(&i, 0, sizeof(i));
    i.context = context;
"""


def only(files: dict[str, str]) -> tuple[Connection, dict[str, list[str]]]:
    """The one connection of a program, and the texts that its fields may be."""
    connections = link(files).connections
    (connection,) = connections.all
    fields = {
        field: list(connections.texts(connection, field))
        for field in ("protocol", "local_protocol_name", "address")
    }
    return connection, fields


def test_local_struct() -> None:
    source = f"""void f(struct lws_context *context) {{ {DIAL}
        i.address = "a.example"; i.protocol = "chat";
        lws_client_connect_via_info(&i); }}"""
    connection, fields = only({"main.c": source})
    assert fields == {"protocol": ["chat"], "local_protocol_name": [], "address": ["a.example"]}
    assert len(connection.calls) == 1
    assert line({"main.c": source}, connection.writes("protocol")[0].place) == 6


@pytest.mark.parametrize(
    "initialiser",
    [
        '{ .address = "a.example", .protocol = "chat" }',
        '{ NULL, "a.example", 443, 0, "/", "a.example", NULL, "chat" }',
    ],
)
def test_initialiser(initialiser: str) -> None:
    source = f"""void f(void) {{ struct lws_client_connect_info i = {initialiser};
        lws_client_connect_via_info(&i); }}"""
    _, fields = only({"main.c": source})
    assert fields["protocol"] == ["chat"]
    assert fields["address"] == ["a.example"]


def test_filled_in_another_file_than_it_is_used_in() -> None:
    files = {
        "a.c": """void fill(struct lws_client_connect_info *info) { info->protocol = "chat"; }""",
        "b.c": """void f(void) { struct lws_client_connect_info i = {0}; fill(&i);
            lws_client_connect_via_info(&i); }""",
    }
    connection, fields = only(files)
    assert fields["protocol"] == ["chat"]
    assert connection.writes("protocol")[0].place.path == "a.c"


def test_member_of_a_struct_through_a_pointer() -> None:
    source = """
        struct session { struct lws_client_connect_info i; };
        void fill(struct session *s) { struct lws_client_connect_info *p = &s->i; p->protocol = "chat"; }
        void go(struct session *s) { lws_client_connect_via_info(&s->i); }
    """
    connection, fields = only({"main.c": source})
    assert fields["protocol"] == ["chat"]
    assert len(connection.calls) == 1


def test_two_objects_are_two_connections() -> None:
    source = """
        void a(void) { struct lws_client_connect_info i = {0}; i.protocol = "a";
            lws_client_connect_via_info(&i); }
        void b(void) { struct lws_client_connect_info i = {0}; i.protocol = "b";
            lws_client_connect_via_info(&i); }
    """
    connections = link({"main.c": source}).connections
    assert [connections.texts(c, "protocol") for c in connections.all] == [("a",), ("b",)]


def test_one_object_used_twice_has_both_values() -> None:
    source = """void f(void) { struct lws_client_connect_info i = {0};
        i.protocol = "a"; lws_client_connect_via_info(&i);
        i.protocol = "b"; lws_client_connect_via_info(&i); }"""
    _, fields = only({"main.c": source})
    assert fields["protocol"] == ["a", "b"]


def test_positional_call() -> None:
    source = """void f(void *c) {
        lws_client_connect(c, "a.example", 443, 2, "/", "a.example", "o", "chat", -1); }"""
    connection, fields = only({"main.c": source})
    assert (connection.positional, connection.ancient) == ("lws_client_connect", False)
    assert fields["protocol"] == ["chat"]


def test_protocol_of_other_structs_is_no_connection() -> None:
    source = """
        struct vhd { const struct lws_protocols *protocol; };
        void f(struct vhd *vhd, struct lws *wsi) { vhd->protocol = lws_get_protocol(wsi); }
    """
    assert link({"main.c": source}).connections.all == ()


@pytest.mark.parametrize(
    ("method", "expected"),
    [('"GET"', True), ("NULL", False), ('post ? "POST" : NULL', False), ("verb", True)],
)
def test_http_requests(method: str, expected: bool) -> None:
    source = f"""void f(int post, const char *verb) {{ struct lws_client_connect_info i = {{0}};
        i.method = {method}; lws_client_connect_via_info(&i); }}"""
    connections = link({"main.c": source}).connections
    assert connections.is_http(connections.all[0]) is expected


TABLE = """
    static int cb(struct lws *w, enum lws_callback_reasons r, void *u, void *in, size_t n)
    { switch (r) { case %s: break; default: break; } return 0; }
    static const struct lws_protocols protocols[] = { { "feed", cb, 0, 0 }, { NULL, NULL, 0, 0 } };
    void make(void) { struct lws_context_creation_info info; memset(&info, 0, sizeof(info));
        info.port = %s; info.protocols = protocols; lws_create_context(&info); }
"""


@pytest.mark.parametrize(
    ("reason", "port", "server"),
    [
        ("LWS_CALLBACK_RECEIVE", "7681", True),
        ("LWS_CALLBACK_CLIENT_RECEIVE", "CONTEXT_PORT_NO_LISTEN", False),
        ("LWS_CALLBACK_CLIENT_RECEIVE", "7681", False),
    ],
)
def test_a_table_is_a_servers_when_its_context_listens(reason: str, port: str, server: bool) -> None:
    connections = link({"main.c": TABLE % (reason, port)}).connections
    assert [(e.name, e.server) for e in connections.entries] == [("feed", server)]
    assert ("feed" in connections.served) is server
    assert connections.entries[0].ports == ((7681,) if port == "7681" else ())


@pytest.mark.parametrize(
    ("host", "loopback", "private"),
    [
        ("localhost", True, True),
        ("127.0.0.1", True, True),
        ("[::1]", True, True),
        ("192.168.1.7", False, True),
        ("radio.local", False, True),
        ("api.example.com", False, False),
    ],
)
def test_hosts(host: str, loopback: bool, private: bool) -> None:
    assert (is_loopback(host), is_private(host)) == (loopback, private)


@pytest.mark.parametrize(
    "rows",
    [
        'rows.push_back({"feed", cb, 0, 0});',
        'lws_protocols row{}; row.name = "feed"; rows.push_back(row);',
    ],
)
def test_rows_in_a_container(rows: str) -> None:
    source = f"""class C {{ std::vector<lws_protocols> rows; void f() {{ {rows}
        lws_client_connect_info i{{}}; i.protocol = rows[0].name; lws_client_connect_via_info(&i); }} }};"""
    project = link({"main.cpp": source})
    assert [e.name for e in project.connections.entries] == ["feed"]
    (connection,) = project.connections.all
    assert project.connections.offers(connection)[0].from_table


def test_hostile_sources_end() -> None:
    flags = "\n".join(f"if (c{n}) flags |= {1 << n % 5};" for n in range(100))
    calls = "\n".join(
        f"void f{n}(int *p) {{ f{(n + 1) % 50}(p); f{(n + 7) % 50}(p); *p |= 2; }}" for n in range(50)
    )
    source = f"""{calls}
        void g(void) {{ struct lws_client_connect_info i = {{0}}; int flags = 0;
            {flags} f0(&flags); i.ssl_connection = flags; lws_client_connect_via_info(&i); }}"""
    started = time.process_time()
    assert link({"main.c": source}).weaknesses is not None
    assert time.process_time() - started < 20
