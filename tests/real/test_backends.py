"""LWS401 and LWS601 with libraries built for it: the plaintext log, mbedTLS and wolfSSL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.real import harness, libraries
from tests.real.certificates import HOST, Certificates
from tests.real.harness import PROGRAMS, Run, Start
from tests.real.servers import WebSocketServer
from tests.real.test_tls import (
    CERTIFICATES,
    ESTABLISHED,
    EXPIRED,
    INSECURE,
    SELFSIGNED,
    SKIP_HOSTNAME,
    USE_SSL,
    verdict,
)

Python = Callable[..., WebSocketServer]
Client = Callable[[str], Path]

FLAGS = (0, SELFSIGNED, SKIP_HOSTNAME, EXPIRED, INSECURE, SELFSIGNED | EXPIRED)
# What the client takes with each of FLAGS beside LCCSCF_USE_SSL, with mbedTLS and a release before 5.0: these
# let mbedTLS itself demand a flawless certificate (lib/tls/mbedtls/mbedtls-client.c:120@v4.3.3), so that
# LCCSCF_ALLOW_EXPIRED alone comes too late, and LCCSCF_ALLOW_INSECURE lets everything pass.
ANY_SIGNER = (SELFSIGNED, INSECURE, SELFSIGNED | EXPIRED)
MBEDTLS = {
    "good": FLAGS,
    "self-signed": ANY_SIGNER,
    "own-root": ANY_SIGNER,
    "unknown-authority": ANY_SIGNER,
    "wrong-host": (SKIP_HOSTNAME, INSECURE),
    "expired": (INSECURE, SELFSIGNED | EXPIRED),
    "not-yet-valid": (INSECURE, SELFSIGNED | EXPIRED),
}


@pytest.fixture(scope="module")
def client(
    library: str, lacking: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory
) -> Client:
    """The program ``client.c``, linked with a variant of the library; each is built once."""
    built: dict[str, Path] = {}

    def made(variant: str) -> Path:
        if variant not in built:
            folder = tmp_path_factory.mktemp(variant)
            try:
                prefix = libraries.build(variant, folder)
            except libraries.Lacking as reason:
                lacking(f"nothing shown with a library built for it ({variant}): {reason}")
            harness.build([PROGRAMS / "client.c"], folder / "client", prefix)
            built[variant] = folder / "client"
        return built[variant]

    return made


def connected(start: Start, program: Path, server: WebSocketServer, ca: str, flags: int) -> Run:
    return start(program, f"ssl={USE_SSL | flags}", f"host={HOST}", port=server.port, ca=ca)


# ------------------------------------------------------------------------------------- LWS601


def test_release_build_with_the_option_logs_what_tls_hides(
    client: Client, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    program = client("plaintext-log")
    server = ws_server(None, certificates.good().context())
    run = connected(start, program, server, certificates.trusted, 0)
    run.expect(ESTABLISHED, "the connection is made")
    for pattern in (r"^log 4 .*lws_ssl_capable_write: len", r"^log 4 .* 47 45 54 20 2F 20 .*GET / HTTP/1\.1"):
        run.expect(pattern, "what is sent stands in the log in clear, at NOTICE")
    for pattern in (r"^log 4 .*lws_ssl_capable_read: len", r"^log 4 .*HTTP/1\.1 101 Swi"):
        run.expect(pattern, "what is received stands in the log in clear, at NOTICE")


def test_library_without_the_option_logs_nothing_of_it(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(None, certificates.good().context())
    run = connected(start, PROGRAMS / "client.c", server, certificates.trusted, 0)
    run.expect(ESTABLISHED, "the connection is made")
    run.never(r"^log .*(GET / HTTP|HTTP/1\.1 101)", "no request and no answer in the log")


# ------------------------------------------------------------------------------------- LWS401


@pytest.mark.parametrize("name", CERTIFICATES)
def test_what_mbedtls_takes(
    name: str, client: Client, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    program = client("mbedtls")
    server = ws_server(None, CERTIFICATES[name][0](certificates).context())
    for flags in FLAGS:
        run = connected(start, program, server, certificates.trusted, flags)
        seen = verdict(run)
        accepted = flags in MBEDTLS[name]
        assert (seen == "accepted") == accepted, run.complaint(
            f"the {name} certificate with LCCSCF_USE_SSL | {flags} accepted: {accepted}; it was {seen}"
        )
        run.stop()


@pytest.mark.parametrize("name", CERTIFICATES)
def test_debians_wolfssl_checks_nothing(
    name: str, client: Client, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    """lws asks wolfSSL for no verification, and Debian's wolfSSL does none unless it is asked."""
    program = client("wolfssl")
    server = ws_server(None, CERTIFICATES[name][0](certificates).context())
    run = connected(start, program, server, certificates.trusted, 0)
    assert verdict(run) == "accepted", run.complaint(f"wolfSSL takes the {name} certificate without any flag")
