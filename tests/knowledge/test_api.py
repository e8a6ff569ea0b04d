"""The libwebsockets knowledge: invariants of the data, spot checks against what is known, look-ups."""

from __future__ import annotations

import re

import pytest

from lwslint.knowledge import api
from lwslint.knowledge.api import Category, ThreadClass
from lwslint.settings import Version

CITE = re.compile(r"^[\w./-]+\.(?:h|c|md|txt|in|cmake|h\.in):\d+@v\d+(\.\d+){1,2}$")

FUNCTIONS = [found for name in api.function_names() if (found := api.function(name)) is not None]
REASONS = [row for name in api.reason_names() if (row := api.reason(name)) is not None]


def test_every_name_has_a_record() -> None:
    assert len(FUNCTIONS) == len(api.function_names()) > 1500
    assert len(REASONS) == len(api.reason_names()) > 120


def test_nothing_is_removed_before_it_exists() -> None:
    entries = [(f.name, f.since, f.removed) for f in FUNCTIONS] + [
        (r.name, r.since, r.removed) for r in REASONS
    ]
    assert [name for name, since, removed in entries if removed is not None and removed <= since] == []


def test_every_fact_cites_a_line_of_a_release() -> None:
    cites = [(f.name, f.cite) for f in FUNCTIONS]
    cites += [(r.name, r.cite) for r in REASONS]
    cites += [(flag.name, cite) for flag in api.flags() for cite in (flag.cite, *flag.sources)]
    cites += [(option.name, option.cite) for option in api.options()]
    cites += [(f.name, f.tolerated.cite) for f in FUNCTIONS if f.tolerated]
    cites += [(handled.reason, handled.cite) for handled in api.http_dummy()]
    assert [(name, cite) for name, cite in cites if not CITE.match(cite)] == []


def test_roles_are_parameters() -> None:
    for f in FUNCTIONS:
        roles = [f.context, f.wsi, f.vhost, f.stream, f.info, f.protocol, f.timer, f.callback]
        given = [index for index in roles if index is not None]
        assert f.arity is not None or not given, f.name
        assert all(0 <= index < (f.arity or 0) for index in given), f.name
        assert len(set(given)) == len(given), f.name


def test_categories_of_calls_that_touch_the_loop_are_service_thread_only() -> None:
    free = {Category.NONE, Category.CANCEL, Category.STOP, Category.CREATE_CONTEXT}
    wrong = [f.name for f in FUNCTIONS if f.category not in free and f.thread is not ThreadClass.SERVICE]
    assert wrong == []


def test_successors_exist_and_are_not_replaced_themselves() -> None:
    for f in FUNCTIONS:
        if f.modern is not None:
            successor = api.function(f.modern)
            assert successor is not None, f.name
            assert successor.modern is None, f.name


HELPERS = (
    "lws_snprintf lws_strncpy lws_ring_create lws_ring_insert lws_dll2_add_tail lws_dll2_remove "
    "lejp_construct lejp_parse lws_genhash_init lws_genhash_update lws_tokenize "
    "lws_get_library_version lws_ser_wu16be lws_b64_encode_string lws_hex_to_byte_array "
    "lws_cmdline_option lws_buflist_append_segment lwsac_use lwsac_free lws_humanize lws_json_purify "
    "lws_urlencode lws_parse_uri lws_now_usecs lws_now_secs lws_retry_get_delay_ms lws_get_random "
    "libwebsockets_get_random lws_SHA1 lws_jwk_import lws_sql_purify lws_start_foreach_dll "
    "lws_container_of lws_ptr_diff lws_explicit_bzero lws_realloc lws_spa_get_string "
)


@pytest.mark.parametrize("name", HELPERS.split())
def test_helpers_are_pure(name: str) -> None:
    assert api.thread_class(name) is ThreadClass.PURE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lws_cancel_service", ThreadClass.ANY),
        ("libwebsocket_cancel_service", ThreadClass.ANY),
        ("lws_smd_msg_send", ThreadClass.ANY),
        ("lws_smd_msg_printf", ThreadClass.ANY),
        ("lws_system_get_ops", ThreadClass.ANY),
        ("lws_set_log_level", ThreadClass.LOG),
        ("lwsl_err", ThreadClass.LOG),
        ("lwsl_wsi_notice", ThreadClass.LOG),
        ("lwsl_hexdump_level", ThreadClass.LOG),
        ("_lws_log", ThreadClass.LOG),
        ("lws_context_user", ThreadClass.GETTER),
        ("lws_get_context", ThreadClass.GETTER),
        ("lws_wsi_user", ThreadClass.GETTER),
        ("lws_create_context", ThreadClass.SETUP),
        ("libwebsocket_create_context", ThreadClass.SETUP),
        ("lws_write", ThreadClass.SERVICE),
        ("libwebsocket_write", ThreadClass.SERVICE),
        ("lws_callback_on_writable", ThreadClass.SERVICE),
        ("lws_client_connect_via_info", ThreadClass.SERVICE),
        ("lws_sul_schedule", ThreadClass.SERVICE),
        ("lws_context_destroy", ThreadClass.SERVICE),
        ("lws_create_vhost", ThreadClass.SERVICE),
        ("lws_set_timeout", ThreadClass.SERVICE),
        ("lws_wsi_close", ThreadClass.SERVICE),
        ("lws_hdr_copy", ThreadClass.SERVICE),
        ("lws_smd_unregister", ThreadClass.SERVICE),
        ("printf", None),
        ("lws_no_such_function", None),
    ],
)
def test_thread_class(name: str, expected: ThreadClass | None) -> None:
    assert api.thread_class(name) is expected
    assert api.is_service_thread_only(name) is (expected is ThreadClass.SERVICE)


def test_a_name_that_lws_took_later_is_the_programs_own() -> None:
    assert api.thread_class("lws_sul_schedule", Version(3, 0)) is None
    assert api.thread_class("lws_sul_schedule", Version(4, 3, 3)) is ThreadClass.SERVICE


@pytest.mark.parametrize(
    ("category", "names"),
    [
        (
            Category.SERVICE,
            "lws_service lws_service_tsi lws_service_fd lws_service_fd_tsi libwebsocket_service",
        ),
        (Category.CREATE_CONTEXT, "lws_create_context libwebsocket_create_context"),
        (Category.DESTROY_CONTEXT, "lws_context_destroy libwebsocket_context_destroy"),
        (Category.CREATE_VHOST, "lws_create_vhost"),
        (Category.DESTROY_VHOST, "lws_vhost_destroy"),
        (
            Category.CONNECT,
            "lws_client_connect_via_info lws_client_connect libwebsocket_client_connect",
        ),
        (Category.WRITE, "lws_write libwebsocket_write"),
        (
            Category.ON_WRITABLE,
            "lws_callback_on_writable lws_callback_on_writable_all_protocol lws_ss_request_tx",
        ),
        (Category.CANCEL, "lws_cancel_service lws_cancel_service_pt libwebsocket_cancel_service"),
        (Category.CLOSE, "lws_close_reason lws_set_timeout lws_wsi_close"),
        (Category.TIMER, "lws_sul_schedule lws_retry_sul_schedule lws_set_timer_usecs"),
        (Category.ADJUST, "lws_rx_flow_control"),
        (Category.READ, "lws_hdr_copy lws_frame_is_binary lws_http_client_read"),
        (Category.NONE, "lws_snprintf printf"),
    ],
)
def test_category(category: Category, names: str) -> None:
    for name in names.split():
        assert api.category(name) is category, name
        assert category is Category.NONE or name in api.functions_in(category)


@pytest.mark.parametrize(
    ("name", "role", "index"),
    [
        ("lws_write", "wsi", 0),
        ("lws_service", "context", 0),
        ("lws_service_tsi", "context", 0),
        ("lws_callback_on_writable", "wsi", 0),
        ("libwebsocket_callback_on_writable", "context", 0),
        ("libwebsocket_callback_on_writable", "wsi", 1),
        ("lws_callback_on_writable_all_protocol", "context", 0),
        ("lws_callback_on_writable_all_protocol", "protocol", 1),
        ("lws_callback_on_writable_all_protocol_vhost", "vhost", 0),
        ("lws_client_connect_via_info", "info", 0),
        ("lws_create_context", "info", 0),
        ("lws_create_vhost", "context", 0),
        ("lws_create_vhost", "info", 1),
        ("lws_vhost_destroy", "vhost", 0),
        ("lws_sul_schedule", "context", 0),
        ("lws_sul_schedule", "timer", 2),
        ("lws_sul_schedule", "callback", 3),
        ("lws_ss_request_tx", "stream", 0),
        ("lws_client_connect", "context", 0),
    ],
)
def test_arguments(name: str, role: str, index: int) -> None:
    assert getattr(api.function(name), role) == index


def test_legacy_names_lead_to_todays() -> None:
    assert api.modern_name("libwebsocket_service") == "lws_service"
    assert api.modern_name("libwebsocket_client_connect") == "lws_client_connect_via_info"
    assert api.modern_name("lws_write") == "lws_write"
    assert api.modern_name("puts") == "puts"
    assert api.modern_type("libwebsocket_context") == "lws_context"


def test_on_writable_was_tolerated_from_one_other_thread_for_a_time() -> None:
    found = api.function("lws_callback_on_writable")
    assert found is not None and found.tolerated is not None
    assert (found.tolerated.since, found.tolerated.before) == (Version(3, 0), Version(4, 3, 1))
    write = api.function("lws_write")
    assert write is not None and write.tolerated is None


def test_existence() -> None:
    gone = api.function("libwebsocket_service")
    assert gone is not None
    assert gone.exists_in(Version(1, 5)) and not gone.exists_in(Version(1, 6))


def test_reasons() -> None:
    numbers = [reason.number for reason in REASONS]
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
    http = api.reason("LWS_CALLBACK_HTTP")
    assert http is not None and http.http and not http.client and http.number == 12
    assert api.reason_of(12) is http
    assert api.reason("LWS_CALLBACK_NOPE") is None and api.reason_of(999) is None
    woken = api.reason("LWS_CALLBACK_EVENT_WAIT_CANCELLED")
    assert woken is not None and woken.every_protocol and "user-null" in woken.groups
    lock = api.reason("LWS_CALLBACK_LOCK_POLL")
    assert lock is not None and lock.protocols0_only
    auth = api.reason("LWS_CALLBACK_VERIFY_BASIC_AUTHORIZATION")
    assert auth is not None and "nonzero-accepts" in auth.groups


def test_reason_groups_never_contradict() -> None:
    for reason in REASONS:
        groups = set(reason.groups)
        assert not ({"ws-server", "http-server"} & groups and "client" in groups), reason.name
        assert not ({"ws-client", "http-client"} & groups and "client" not in groups), reason.name
        assert not {"protocols0", "every-protocol"} <= groups, reason.name


def test_http_dummy() -> None:
    always = {handled.reason for handled in api.http_dummy(Version(4, 1, 6)) if not handled.condition}
    assert always == {"LWS_CALLBACK_HTTP", "LWS_CALLBACK_HTTP_WRITEABLE", "LWS_CALLBACK_SSL_INFO"}
    conditions = {handled.reason: handled.condition for handled in api.http_dummy(Version(4, 1, 6))}
    assert conditions["LWS_CALLBACK_HTTP_FILE_COMPLETION"] == "defined(LWS_WITH_SERVER)"
    assert conditions["LWS_CALLBACK_CGI"] == "defined(LWS_WITH_CGI)"
    assert "LWS_CALLBACK_CLIENT_RECEIVE" not in conditions
    assert api.http_dummy(Version(2, 0, 3)) == ()
    early = {handled.reason for handled in api.http_dummy(Version(2, 2))}
    assert "LWS_CALLBACK_HTTP_FILE_COMPLETION" not in early
    assert api.http_dummy() == api.http_dummy(Version(5, 0)) == api.http_dummy(Version(9))
    assert api.http_dummy(Version(4, 3, 0)) == api.http_dummy(Version(4, 3, 9))


def test_every_reason_of_the_dummy_is_known_and_says_what_is_lost() -> None:
    for version in (Version(2, 1), Version(3, 2), Version(4, 1), Version(5)):
        for handled in api.http_dummy(version):
            assert api.reason(handled.reason) is not None
            assert handled.lost, handled.reason


def test_flags_are_distinct_single_bits() -> None:
    values = [flag.value for flag in api.flags()]
    assert len(set(values)) == len(values) == 32
    assert all(value > 0 and value & (value - 1) == 0 for value in values)


def test_flags_that_weaken_tls() -> None:
    assert [flag.name for flag in api.permissive_flags()] == [
        "LCCSCF_ALLOW_SELFSIGNED",
        "LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK",
        "LCCSCF_ALLOW_EXPIRED",
        "LCCSCF_ALLOW_INSECURE",
        "LCCSCF_ACCEPT_TLS_DOWNGRADE_REDIRECTS",
        "LCCSCF_ALLOW_EARLY_DATA",
    ]
    for flag in api.permissive_flags():
        assert flag.sources
        for backend in ("openssl", "mbedtls", "wolfssl", "gnutls"):
            assert flag.effect(backend), (flag.name, backend)
    plain = api.flag("LCCSCF_USE_SSL")
    assert plain is not None and not plain.weakens and plain.effect("openssl") == ""


def test_flags_in_a_number() -> None:
    assert [flag.name for flag in api.flags_in(7)] == [
        "LCCSCF_USE_SSL",
        "LCCSCF_ALLOW_SELFSIGNED",
        "LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK",
    ]
    assert api.flags_in(0) == ()
    assert len(api.flags_in(-1)) == 32


def test_options() -> None:
    init = api.option("LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT")
    assert init is not None and init.value == 1 << 12
    redirect = api.option("LWS_SERVER_OPTION_REDIRECT_HTTP_TO_HTTPS")
    assert redirect is not None and redirect.value & init.value and redirect.tls == "weakens"
    assert api.option("LWS_SERVER_OPTION_NOPE") is None


def test_constants() -> None:
    assert api.constant_value("CONTEXT_PORT_NO_LISTEN") == -1
    assert api.constant_value("LWS_WRITE_TEXT") == 0
    assert api.enumerator_value("LWS_CALLBACK_CLIENT_RECEIVE") == 8
    assert api.macro_value("LLL_ERR") == 1
    assert api.constant_value("LCCSCF_ALLOW_SELFSIGNED") == 2
    assert api.constant_value("EINVAL") is None


def test_struct_members() -> None:
    assert api.field_names("lws_protocols") == (
        "name",
        "callback",
        "per_session_data_size",
        "rx_buffer_size",
        "id",
        "user",
        "tx_packet_size",
    )
    assert api.field_names("libwebsocket_protocols") == api.field_names("lws_protocols")
    assert api.field_names("lws_client_connect_info")[:4] == ("context", "address", "port", "ssl_connection")
    assert "local_protocol_name" not in api.field_names("lws_client_connect_info", Version(2, 4))
    assert "seq" in api.field_names("lws_client_connect_info", Version(4, 1))
    assert "seq" not in api.field_names("lws_client_connect_info")
    assert api.field_names("lws_pollargs") == ("fd", "events", "prev_events")
    assert api.fields("no_such_struct") == ()


@pytest.mark.parametrize("text", ["v4.1.6", "4.1.6"])
def test_parse_version(text: str) -> None:
    assert api.parse_version(text) == Version(4, 1, 6)


@pytest.mark.parametrize("text", ["", "four", "4.1.6.1", "4..1"])
def test_parse_version_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        api.parse_version(text)
