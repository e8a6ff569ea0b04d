"""Which findings get a fix and which do not: what the rules ask for, seen in the fixed text."""

from __future__ import annotations

import pytest

from lwslint import config, engine
from lwslint.fixes import plan
from tests.conftest import WriteTree
from tests.fixture_runs import rules

HEAD = "#include <libwebsockets.h>\n#include <string.h>\n\n"
SIGNATURE = "(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)"
DUMMY = "return lws_callback_http_dummy(wsi, reason, user, in, len);"
SERVER = """
static const struct lws_protocols protocols[] = {
	{ "http", callback, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

struct lws_context *serve(void)
{
	struct lws_context_creation_info info;

	memset(&info, 0, sizeof(info));
	info.port = 7681;
	info.protocols = protocols;
	return lws_create_context(&info);
}
"""


def server(body: str, signature: str = SIGNATURE) -> str:
    return f"{HEAD}static int callback{signature}\n{{\n{body}}}\n{SERVER}"


def client(body: str, before: str = "") -> str:
    return (
        f"{HEAD}{before}\nint dial(struct lws_context *context, int insecure, const char *name)\n{{\n"
        "\tstruct lws_client_connect_info i = { 0 };\n\n"
        "\ti.context = context;\n\ti.address = i.host = i.origin = HOST;\n\ti.port = 443;\n"
        f"{body}\treturn lws_client_connect_via_info(&i) ? 0 : -1;\n}}\n"
    ).replace("HOST", '"radio.example.com"')


def fixed(write_tree: WriteTree, code: str, text: str, name: str = "a.c", **options: str) -> str:
    """The text after the fixes of one rule, which must have reported something."""
    root = write_tree({name: text, **{key.replace("_", "."): value for key, value in options.items()}})
    own = root / config.FILE_NAME
    chosen = config.read(str(own)).options if own.is_file() else config.Options()
    result = engine.lint(["."], config.settings(chosen), rules(), cwd=str(root))
    found = [d for d in result.diagnostics if d.code == code]
    assert found, f"{code} reports nothing"
    made = plan.choose(found, unsafe=True)
    return plan.changed(result.texts[name], made.edits.get(name, ())).decode()


# ------------------------------------------------------------------------------------- LWS301


RECEIVE = "\tcase LWS_CALLBACK_RECEIVE:\n\t\tbreak;\n"
HTTP = "\tcase LWS_CALLBACK_HTTP:\n\t\tlws_return_http_status(wsi, 200, NULL);\n"
BREAK = "\t\tbreak;\n"
DEFAULT = "\tdefault:\n"


def switch(*arms: str, behind: str = "\treturn 0;\n") -> str:
    return f"\tswitch (reason) {{\n{''.join(arms)}\t}}\n{behind}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\treturn 0;\n", f"\t{DUMMY}\n"),
        (switch(RECEIVE, DEFAULT, "\t\treturn 0;\n"), switch(RECEIVE, DEFAULT, f"\t\t{DUMMY}\n")),
        # A case of its own for an event that the dummy would answer once more: by default only.
        (switch(HTTP, BREAK, DEFAULT, BREAK), switch(HTTP, BREAK, DEFAULT, f"\t\t{DUMMY}\n")),
        (switch(HTTP, BREAK), switch(HTTP, BREAK, DEFAULT, f"\t\t{DUMMY}\n")),
    ],
)
def test_lost_events_go_to_the_dummy(before: str, after: str, write_tree: WriteTree) -> None:
    assert fixed(write_tree, "LWS301", server(before)) == server(after)


@pytest.mark.parametrize(
    "body",
    [
        # Another value than 0, or one that is not known.
        "\tint r = 0;\n\n\tif (reason == LWS_CALLBACK_RECEIVE)\n\t\tr = -1;\n\treturn r;\n",
        # The last case falls out of the switch, into what would be the default.
        switch(HTTP),
        # An event that has a case of its own and is lost there.
        switch("\tcase LWS_CALLBACK_HTTP_BODY_COMPLETION:\n", BREAK, DEFAULT, BREAK),
        # Something else happens behind the switch.
        switch(HTTP, BREAK, DEFAULT, BREAK, behind='\tlwsl_user("%p", wsi);\n\treturn 0;\n'),
    ],
)
def test_a_callback_of_another_shape_is_left_alone(body: str, write_tree: WriteTree) -> None:
    assert fixed(write_tree, "LWS301", server(body)) == server(body)


def test_a_parameter_does_not_get_a_name_that_the_function_uses(write_tree: WriteTree) -> None:
    unnamed = SIGNATURE.replace("void *in, ", "void *, ")
    taken = HEAD + "int in;\n" + server("\tin++;\n\treturn 0;\n", unnamed).removeprefix(HEAD)
    assert fixed(write_tree, "LWS301", taken, "a.cpp") == taken
    free = server("\treturn 0;\n", unnamed)
    assert fixed(write_tree, "LWS301", free, "a.cpp") == server(f"\t{DUMMY}\n", SIGNATURE)


def test_a_release_that_may_lack_the_dummy_is_not_made_to_need_it(write_tree: WriteTree) -> None:
    text = server("\treturn 0;\n")
    build = "AC_INIT\nPKG_CHECK_MODULES([LWS], [libwebsockets >= 2.0.2])\n"
    assert fixed(write_tree, "LWS301", text, configure_ac=build) == text
    later = build.replace("2.0.2", "2.1.0")
    assert fixed(write_tree, "LWS301", text, configure_ac=later) == server(f"\t{DUMMY}\n")


# ------------------------------------------------------------------------------------- LWS201

TABLE = (
    'static const struct lws_protocols table[] = {\n\t{ "my-radio", NULL, 0, 0, 0, NULL, 0 },\n\t{ 0 }\n};\n'
)


def test_an_offer_is_taken_back(write_tree: WriteTree) -> None:
    text = client("\ti.protocol = table[0].name;\n", TABLE)
    after = client("\ti.protocol = NULL;\n\ti.local_protocol_name = table[0].name;\n", TABLE)
    assert fixed(write_tree, "LWS201", text) == after


def test_the_one_name_that_the_server_speaks_is_offered(write_tree: WriteTree) -> None:
    text = client("\ti.protocol = table[0].name;\n", TABLE)
    after = client('\ti.protocol = "radio.v2";\n\ti.local_protocol_name = table[0].name;\n', TABLE)
    assert fixed(write_tree, "LWS201", text, lwslint_toml='subprotocols = ["radio.v2"]\n') == after


def test_a_registered_name_is_spelled_as_it_is_registered(write_tree: WriteTree) -> None:
    text = client('\ti.local_protocol_name = "my-radio";\n\ti.protocol = "MQTT";\n', TABLE)
    assert fixed(write_tree, "LWS201", text) == text.replace('"MQTT"', '"mqtt"')


@pytest.mark.parametrize("settings", ['subprotocols = ["a", "b"]\n', 'lws-version = "2.4.2"\n'])
def test_an_offer_stays_where_what_to_offer_is_open(settings: str, write_tree: WriteTree) -> None:
    text = client('\ti.protocol = "my-radio";\n', TABLE)
    assert fixed(write_tree, "LWS201", text, lwslint_toml=settings) == text


def test_an_offer_that_is_only_a_default_stays(write_tree: WriteTree) -> None:
    text = client('\ti.protocol = name ? name : "my-radio";\n', TABLE)
    assert fixed(write_tree, "LWS201", text) == text


# ------------------------------------------------------------------------------------- LWS401, LWS402

WEAK = "LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"\ti.ssl_connection = {WEAK};\n", "\ti.ssl_connection = LCCSCF_USE_SSL;\n"),
        ("\ti.ssl_connection = 7;\n", "\ti.ssl_connection = LCCSCF_USE_SSL;\n"),
        ("\ti.ssl_connection = 65539;\n", "\ti.ssl_connection = 65537;\n"),
        (
            "\ti.ssl_connection = LCCSCF_USE_SSL;\n\ti.ssl_connection |= LCCSCF_ALLOW_EXPIRED;\n",
            "\ti.ssl_connection = LCCSCF_USE_SSL;\n",
        ),
        # A user's wish stays.
        (
            f"\ti.ssl_connection = insecure ? {WEAK} : LCCSCF_USE_SSL;\n",
            f"\ti.ssl_connection = insecure ? {WEAK} : LCCSCF_USE_SSL;\n",
        ),
    ],
)
def test_permissive_flags_go_where_nobody_asks_for_them(
    before: str, after: str, write_tree: WriteTree
) -> None:
    assert fixed(write_tree, "LWS401", client(before)) == client(after)


def test_flags_that_are_the_build_s_choice_stay(write_tree: WriteTree) -> None:
    text = client(f"#ifdef WITH_LAB\n\ti.ssl_connection = {WEAK};\n#else\n\ti.ssl_connection = 1;\n#endif\n")
    assert fixed(write_tree, "LWS401", text) == text


def test_old_releases_get_the_number(write_tree: WriteTree) -> None:
    settings = 'lws-version = "2.0.3"\n'
    text = client("\ti.ssl_connection = 2;\n")
    assert fixed(write_tree, "LWS401", text, lwslint_toml=settings) == text.replace("= 2;", "= 1;")


def test_plaintext_becomes_tls_alone(write_tree: WriteTree) -> None:
    text = client("\ti.ssl_connection = LCCSCF_ALLOW_SELFSIGNED | LCCSCF_PIPELINE;\n")
    after = client("\ti.ssl_connection = LCCSCF_USE_SSL | LCCSCF_PIPELINE;\n")
    assert fixed(write_tree, "LWS402", text) == after


# ------------------------------------------------------------------------------------- LWS203


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('\ti.local_protocol_name = "my_radio";\n', '\ti.local_protocol_name = "my-radio";\n'),
        ('\ti.local_protocol_name = "other";\n', '\ti.local_protocol_name = "other";\n'),
        (
            '\ti.protocol = "mqtt, my-radio";\n',
            '\ti.protocol = "mqtt, my-radio";\n\ti.local_protocol_name = "my-radio";\n',
        ),
    ],
)
def test_the_row_that_must_be_meant_is_selected(before: str, after: str, write_tree: WriteTree) -> None:
    assert fixed(write_tree, "LWS203", client(before, TABLE)) == client(after, TABLE)
