"""LWS603: what the library makes of a configuration of lwsws, key by key."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tests.real import harness
from tests.real.certificates import Certificates, Identity
from tests.real.harness import PROGRAMS, SOON, Run, Start

Skip = Callable[[str], NoReturn]


@pytest.fixture(scope="module")
def lwsws(library: str, lacking: Skip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that reads configurations; skips with a library that is built without their reader."""
    source, folder = PROGRAMS / "lwsws.c", tmp_path_factory.mktemp("lwsws")
    program = folder / "lwsws"
    try:
        harness.build([source], program, spied=False)
    except AssertionError as error:
        if "lwsws_get_config" in str(error):
            lacking("the installed libwebsockets has no reader of lwsws configurations (LWS_WITH_LEJP_CONF)")
        raise
    return program


Configure = Callable[..., tuple[Run, int]]


@pytest.fixture
def configured(lwsws: Path, start: Start, certificates: Certificates, tmp_path: Path) -> Configure:
    """Starts the program with a global section and a vhost with a certificate; returns the vhost's port."""

    def started(section: str, addition: str = "", ca: Path | None = None) -> tuple[Run, int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        identity = certificates.good()
        vhost = {
            "name": "localhost",
            "port": str(port),
            "interface": "lo",
            "host-ssl-key": str(identity.key),
            "host-ssl-cert": str(identity.chain),
            **({"host-ssl-ca": str(ca)} if ca else {}),
        }
        folder = tmp_path / "etc"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "conf.d").mkdir(parents=True)
        (folder / "conf").write_text(f'# globals\n{{ "global": {{ {section} }} }}\n')
        text = json.dumps(vhost)[:-1] + (f", {addition}" if addition else "") + "}"
        (folder / "conf.d" / "site").write_text(f'{{ "vhosts": [{text}] }}\n')
        return start(lwsws, str(folder)), port

    return started


def answers(port: int, *, tls: bool, identity: Identity | None = None) -> bool:
    """Whether an HTTP request gets an answer of any kind."""
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if identity is not None:
            context.load_cert_chain(identity.chain, identity.key)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SOON, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    try:
        connection.request("GET", "/x")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


INIT = '"init-ssl": "yes"'


@pytest.mark.parametrize(
    ("section", "addition", "tls"),
    [
        (INIT, "", True),
        ('"init-ssl": true', "", True),
        ('"server-string": "x"', "", False),
        ('"init-ssl": "enabled"', "", False),
        (INIT, '"allow-non-tls": "0"', False),
        (INIT, '"redirect-http": "off"', False),
        (INIT, '"allow-http-on-https": "1"', True),
        (INIT, '"redirect-http": "1"', True),
        (INIT, '"allow-non-tls": "1"', True),
    ],
)
def test_who_speaks_tls(configured: Configure, section: str, addition: str, tls: bool) -> None:
    run, port = configured(section, addition)
    run.expect("^up$", "the configuration is read")
    seen = (answers(port, tls=True), answers(port, tls=False))
    assert seen == (tls, not tls), run.complaint(f"https and http answer: {(tls, not tls)}; it was {seen}")


def test_plain_http_beside_tls_takes_two_keys(configured: Configure) -> None:
    run, port = configured(INIT, '"allow-non-tls": "1", "allow-http-on-https": "1"')
    run.expect("^up$", "the configuration is read")
    assert (answers(port, tls=True), answers(port, tls=False)) == (True, True)


def test_any_client_certificate_gets_in(configured: Configure, certificates: Certificates) -> None:
    required = '"client-cert-required": "1"'
    run, port = configured(INIT, required, ca=certificates.trusted)
    run.expect("^up$", "the configuration is read")
    assert not answers(port, tls=True), run.complaint("without a certificate nobody gets in")
    stranger = certificates.self_signed()
    assert answers(port, tls=True, identity=stranger), run.complaint("with any certificate everybody does")


REFUSED: Sequence[str] = ('"sts": "on",', '// "sts": "on"', "'sts': 1", '"sts" "on"')


@pytest.mark.parametrize("addition", REFUSED)
def test_what_is_no_json_is_refused(configured: Configure, addition: str) -> None:
    run, _ = configured(INIT, addition)
    run.expect("^refused$", "a configuration that cannot be read is refused")


def test_comments_and_a_last_comma_in_an_array_are_fine(configured: Configure) -> None:
    run, port = configured(INIT, '# a comment\n "mounts": [ ]\n # and another\n')
    run.expect("^up$", "the configuration is read")
    assert answers(port, tls=True)


def test_nothing_behind_the_first_object_is_read(configured: Configure, tmp_path: Path) -> None:
    run, port = configured('"server-string": "x" } } { "global": { "init-ssl": "yes"')
    run.expect("^up$", "the configuration is read")
    assert (answers(port, tls=True), answers(port, tls=False)) == (False, True)
