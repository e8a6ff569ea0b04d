"""LWS603 and LWS604: cases that the fixtures do not have."""

from __future__ import annotations

import json

import pytest

from lwslint.diagnostics import Diagnostic
from lwslint.frontends import documents
from lwslint.model.project import Project
from lwslint.rule import LoadedRule
from lwslint.settings import Settings, Version
from lwslint_rules.build import lwsws_configuration, secure_streams_policy

LWS603 = LoadedRule(lwsws_configuration.rule, "", lwsws_configuration.check)
LWS604 = LoadedRule(secure_streams_policy.rule, "", secure_streams_policy.check)

CERTIFICATE = {"name": "a", "port": "443", "host-ssl-cert": "/c", "host-ssl-key": "/k"}


def found(rule: LoadedRule, files: dict[str, object], settings: Settings | None = None) -> list[Diagnostic]:
    facts = [documents.extract(path, json.dumps(value).encode()) for path, value in files.items()]
    project = Project([file for file in facts if file is not None], settings or Settings())
    return list(rule.check(project))


def lwsws(vhost: dict[str, object], section: dict[str, object] | None = None) -> list[str]:
    files: dict[str, object] = {"conf.d/site": {"vhosts": [{**CERTIFICATE, **vhost}]}}
    if section is not None:
        files["conf"] = {"global": {"server-string": "x", **section}}
    return [diagnostic.severity.name.lower() for diagnostic in found(LWS603, files)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("yes", []),
        ("ON", []),
        ("True", []),
        ("1", []),
        ("2 or so", []),
        (1, []),
        (True, []),
        ("no", ["error"]),
        ("0", ["error"]),
        (0, ["error"]),
        (False, ["error"]),
        ("", ["error"]),
        ("enabled", ["warning", "error"]),
    ],
)
def test_what_lwsws_takes_for_on(value: object, expected: list[str]) -> None:
    assert lwsws({}, {"init-ssl": value}) == expected


@pytest.mark.parametrize(
    ("vhost", "expected"),
    [
        ({"allow-non-tls": "0"}, ["error"]),
        ({"redirect-http": "0"}, ["error"]),
        # What comes later counts.
        ({"redirect-http": "0", "allow-non-tls": "1"}, []),
        ({"client-cert-required": "1", "allow-non-tls": "0"}, ["error", "warning"]),
        ({"allow-non-tls": "0", "client-cert-required": "1"}, ["warning"]),
        ({"allow-non-tls": "1", "redirect-http": "1", "sts": "on"}, []),
        ({"allow-http-on-https": "1"}, []),
    ],
)
def test_what_takes_tls_back(vhost: dict[str, object], expected: list[str]) -> None:
    assert lwsws(vhost, {"init-ssl": "yes"}) == expected


def test_without_a_global_section_nobody_knows() -> None:
    assert lwsws({}) == []


def test_globals_of_one_folder_do_not_count_in_another() -> None:
    vhost = {"vhosts": [CERTIFICATE]}
    files: dict[str, object] = {
        "a/conf": {"global": {"init-ssl": "yes"}},
        "a/conf.d/site": vhost,
        "b/conf": {"global": {"server-string": "b"}},
        "b/conf.d/site": vhost,
    }
    assert [diagnostic.place.path for diagnostic in found(LWS603, files)] == ["b/conf.d/site"]


@pytest.mark.parametrize(("version", "expected"), [(Version(3, 1, 0), 1), (Version(3, 2, 0), 0)])
def test_keys_that_come_with_a_later_release(version: Version, expected: int) -> None:
    files: dict[str, object] = {"conf": {"global": {"init-ssl": "yes", "username": "http"}}}
    reports = found(LWS603, files, Settings(lws_version=version))
    assert len(reports) == expected
    assert all("3.2.0" in report.message for report in reports)


STREAM: dict[str, object] = {"endpoint": "www.meadow.org", "port": 80, "protocol": "h1", "http_url": ""}


def policy(stream: dict[str, object], **top: object) -> list[str]:
    document = {"schema-version": 1, **top, "s": [{"feed": {**STREAM, **stream}}]}
    return [diagnostic.severity.name.lower() for diagnostic in found(LWS604, {"policy.json": document})]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ({"tls": True}, []),
        ({}, ["note"]),
        ({"tls": False}, ["note"]),
        ({"tls": "false"}, ["note"]),
        ({"tls": "true"}, ["error"]),
        ({"tls": 1}, ["error"]),
        ({"tls": 0}, ["note"]),
        ({"port": 443}, ["warning"]),
        ({"port": 8883, "protocol": "mqtt"}, ["warning"]),
        ({"http_auth_header": "authorization:"}, ["error"]),
        ({"metadata": [{"x": "Cookie:"}]}, ["error"]),
        ({"metadata": [{"x": "content-type:"}]}, ["note"]),
        ({"endpoint": "localhost"}, []),
        ({"endpoint": "10.0.0.1"}, []),
        ({"endpoint": "device"}, []),
        ({"endpoint": "${host}"}, []),
        ({"endpoint": "%s"}, []),
        ({"endpoint": "https://www.meadow.org/x"}, ["note"]),
        ({"endpoint": "ws://www.meadow.org/x", "tls": True}, ["error"]),
        ({"endpoint": "ws://127.0.0.1/x", "tls": True}, []),
        ({"endpoint": "http://[::1"}, []),
        ({"http_expect": 204}, []),
        ({"server": True}, []),
        ({"tls": True, "allow_redirects": True}, []),
        ({"tls": True, "allow_redirects": True, "http_auth_header": "authorization:"}, ["warning"]),
        ({"tls": True, "nailed_up": "yes"}, ["warning"]),
        ({"tls": True, "retry": "default"}, ["error"]),
        ({"tls": True, "protocol": "http"}, ["error"]),
    ],
)
def test_streams(stream: dict[str, object], expected: list[str]) -> None:
    assert policy(stream) == expected


def test_names_are_compared_as_the_library_does() -> None:
    retry = [{"default": {"backoff": [1000]}}]
    assert policy({"tls": True, "retry": "def"}, retry=retry) == []
    assert policy({"tls": True, "retry": "fault"}, retry=retry) == ["error"]
    auth = [{"name": "lwa", "blob": 0}]
    assert policy({"tls": True, "use_auth": "lwa"}, auth=auth) == []
    assert policy({"tls": True, "use_auth": "lw"}, auth=auth) == ["error"]


def test_an_overlay_says_only_what_changes() -> None:
    overlay = {"s": [{"feed": {"http_url": "x", "endpoint": "www.meadow.org", "retry": "other"}}]}
    assert found(LWS604, {"overlay.json": overlay}) == []
    overlay = {"s": [{"feed": {"http_urls": "x", "tls_trust_store": "y"}}]}
    assert [report.severity.name for report in found(LWS604, {"overlay.json": overlay})] == ["WARNING"]
