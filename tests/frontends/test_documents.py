"""Which JSON texts are libwebsockets' own, in files and in string literals, and where their parts stand."""

from __future__ import annotations

import json

import pytest

from lwslint.facts import Document, FileFacts, JsonObject, Span
from lwslint.frontends import c, documents
from lwslint.frontends.prefilter_documents import begins_like_json, mentions
from lwslint.settings import Build, Settings

LWSWS = '{"vhosts": [{"name": "a", "port": "443", "host-ssl-cert": "/c", "mounts": []}]}'
POLICY = '{"schema-version": 1, "s": [{"feed": {"endpoint": "a.example", "port": 443, "protocol": "ws"}}]}'


def read(text: str) -> Document | None:
    facts = documents.extract("conf", text.encode())
    return None if facts is None or not facts.documents else facts.documents[0]


def kind(text: str) -> str:
    document = read(text)
    return "" if document is None else document.kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LWSWS, "lwsws"),
        ('# globals\n{"global": {"uid": "48", "init-ssl": "yes"}}', "lwsws"),
        ('{"vhosts": [{"name": "a"}, {"ws-protocols": []}]}', "lwsws"),
        (POLICY, "policy"),
        ('{"s": [{"feed": {"http_url": "/x"}}]}', "policy"),
        # Somebody else's.
        ('{"vhosts": [{"name": "/"}], "users": []}', ""),
        ('{"global": {"uid": 1}}', ""),
        ('{"s": [{"x": {"port": 1}}]}', ""),
        ('{"s": "text"}', ""),
        ('[{"vhosts": []}]', ""),
        ('"vhosts"', ""),
    ],
)
def test_kind_is_told_by_content(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LWSWS[:-3], "lwsws"),
        (POLICY.replace('"ws"', '"ws" "nailed_up": true'), "policy"),
        ('{"vhosts": [', ""),
        # A template's gaps are filled later; lejp takes the brace for the end of the array.
        (LWSWS.replace('"443"', "@PORT@"), ""),
        (LWSWS.replace("}]}", "}}}"), ""),
    ],
)
def test_broken_documents(text: str, expected: str) -> None:
    assert kind(text) == expected
    document = read(text)
    assert document is None or (document.root is None and document.problem)


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("policy.json", POLICY, "json"),
        ("policy.json", "# why\n" + POLICY, "lejp"),
        ("conf.d/site.org", LWSWS, "lejp"),
    ],
)
def test_language_says_whether_comments_may_stand_in_it(path: str, text: str, language: str) -> None:
    facts = documents.extract(path, text.encode())
    assert facts is not None and facts.language == language and facts.size == len(text)


def test_prefilter() -> None:
    assert begins_like_json(b'\xef\xbb\xbf# c\n\n {"a"') and begins_like_json(b"# only a comment")
    assert not begins_like_json(b"#!/bin/sh\necho {") and not begins_like_json(b"\x7fELF{")
    assert mentions(b'{ "vhosts" : [') and mentions(b'"s":') and not mentions(b'{"vhost": 1}')


# ------------------------------------------------------------------------------------- literals


def lower(source: str, settings: Settings | None = None) -> FileFacts:
    return c.extract("main.c", source.encode(), "c", settings or Settings())


def literals(text: str, step: int) -> str:
    """``text`` as C string literals of a few characters each, one on a line."""
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    return "\n".join(json.dumps(piece) for piece in pieces)


def stream(document: Document) -> JsonObject:
    assert document.root is not None
    member = document.root.member("s")
    assert member is not None
    (item,) = member.value.items  # type: ignore[union-attr]
    (named,) = item.members
    return named.value  # type: ignore[no-any-return]


@pytest.mark.parametrize("step", [7, 40, 1000])
def test_places_in_pasted_literals(step: int) -> None:
    source = f"static const char * const policy =\n/* one */ {literals(POLICY, step)};\n"
    (document,) = lower(source).documents
    assert document.kind == "policy"
    for key, value in (("endpoint", "a.example"), ("port", "443"), ("protocol", "ws")):
        member = stream(document).member(key)
        assert member is not None
        written = source.encode()[slice(*member.value.span)].decode()
        assert "".join(written.split('"\n"')).strip('\\"') == value
    assert source.encode()[slice(*document.span)].startswith(b"{")


def test_raw_string_and_escapes() -> None:
    raw = f'const char *policy = R"x({POLICY})x";'
    (document,) = c.extract("main.cpp", raw.encode(), "cpp", Settings()).documents
    member = stream(document).member("port")
    assert member is not None and raw[slice(*member.key_span)] == '"port"'
    source = 'const char *p = "{\\x22s\\x22:[{\\42feed\\42:{\\"http_url\\":\\"\\u00e9\\"}}]}";'
    (document,) = lower(source).documents
    member = stream(document).member("http_url")
    assert member is not None and source[slice(*member.value.span)] == '\\"\\u00e9\\"'


SWITCHED = (
    'const char *p = "{\\"s\\":[{\\"feed\\":{\\"http_url\\":\\"/\\","\n'
    '#if defined(USE_TLS)\n"\\"tls\\":true"\n#else\n"\\"tls\\":false"\n#endif\n'
    '"}}]}"; /* lws_ss */\n'
)


@pytest.mark.parametrize(
    ("build", "word"), [(Build(defines={"USE_TLS": "1"}), "true"), (Build(undefined=("USE_TLS",)), "false")]
)
def test_conditional_literals(build: Build, word: str) -> None:
    document = lower(SWITCHED, Settings(build=build)).documents[0]
    member = stream(document).member("tls")
    assert member is not None and SWITCHED[slice(*member.value.span)] == word


def test_more_literals_than_levels() -> None:
    certificate = "\n".join('"MIIDjjCCAnagAwIBAgIQAzrx5qcR"' for _ in range(1000))
    before, after = (json.dumps(part) for part in f'{{"certs": [{{"root": "%s"}}], {POLICY[1:]}'.split("%s"))
    source = f"const char *p = {before}\n{certificate}\n{after};"
    assert [document.kind for document in lower(source).documents] == ["policy"]


@pytest.mark.parametrize(
    "source",
    [
        'const char *p = "{\\"s\\":[{\\"a\\":{\\"http_url\\":\\"" HOST "\\"}}]}";',
        'const char *p = "{\\"s\\":[{\\"a\\":{\\"http_url\\":%s}}]}";',
        'const char *p = "{\\"s\\":[{\\"a\\":{\\"http_url\\":\\"x\\"";',
        'const char *p = "no \\"s\\" at all";',
        'const char *p = "\\"s\\"";',
    ],
)
def test_texts_that_are_not_whole_are_no_documents(source: str) -> None:
    assert lower(source).documents == ()


def test_a_second_value_is_kept_as_rest() -> None:
    document = read(LWSWS + "\n" + LWSWS)
    assert document is not None and document.rest == Span(len(LWSWS) + 1, 2 * len(LWSWS) + 1)
