"""Registered and well-known subprotocol names."""

from __future__ import annotations

import re

from lwslint.knowledge import subprotocols

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2


def test_names_are_tokens_and_stand_once() -> None:
    everything = subprotocols.load()
    names = [entry.name for entry in (*everything.registered, *everything.well_known)]
    assert len(names) > 70
    assert [name for name in names if not TOKEN.fullmatch(name)] == []
    assert len({name.casefold() for name in names}) == len(names)  # RFC 7936, 2


def test_the_file_says_where_it_comes_from() -> None:
    everything = subprotocols.load()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", everything.registry_date)
    assert everything.source.startswith("https://www.iana.org/")
    assert {entry.seen for entry in everything.registered} == {"registry", "list"}
    assert all(entry.reference for entry in everything.well_known)


def test_look_up() -> None:
    sip = subprotocols.registered("sip")
    assert sip is not None and sip.reference == "RFC 7118"
    assert subprotocols.registered("v12.stomp") and subprotocols.registered("ocpp2.0.1")
    assert subprotocols.registered("graphql-transport-ws") is None
    assert subprotocols.known("graphql-transport-ws")
    assert subprotocols.known("my-chat") is None
    assert subprotocols.known("lws-minimal") is None


def test_case_matters() -> None:
    assert subprotocols.registered("MQTT") is None
    assert subprotocols.misspelt("MQTT") == "mqtt"
    assert subprotocols.misspelt("mqtt") is None
    assert subprotocols.misspelt("nobody-knows") is None
