"""LWS401, LWS402, LWS403: which certificates are accepted, flag by flag, and what goes out in clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from tests.real.certificates import HOST, OTHER_HOST, Certificates, Identity
from tests.real.harness import FIXTURES, PROGRAMS, SOON, Run, Start
from tests.real.servers import SilentServer, WebSocketServer

Python = Callable[..., WebSocketServer]
Silent = Callable[..., SilentServer]

CLIENT = PROGRAMS / "client.c"
ESTABLISHED = r" CLIENT_ESTABLISHED "
FAILED = r" CLIENT_CONNECTION_ERROR count=1 user=\w+ (.*)"

# What a line of the log holds that is about a certificate.
ABOUT_CERTIFICATES = re.compile("(?i)^log .*(certificate|mismatch|verif|trust|accepting)")

# include/libwebsockets/lws-client.h
USE_SSL, SELFSIGNED, SKIP_HOSTNAME, EXPIRED, INSECURE = 1, 2, 4, 8, 16
WEAKENING = (0, SELFSIGNED, SKIP_HOSTNAME, EXPIRED, INSECURE)

# What the server presents, the one flag beside LCCSCF_USE_SSL that makes the client take it, what the log
# says (at NOTICE) then, and what the log says (as an error) when it is refused.
CERTIFICATES: Mapping[str, tuple[Callable[[Certificates], Identity], int | None, str, str]] = {
    "good": (Certificates.good, None, "", ""),
    "self-signed": (
        Certificates.self_signed,
        SELFSIGNED,
        "accepting self-signed certificate",
        "self-signed certificate ",
    ),
    "own-root": (
        Certificates.unknown_authority_sent_along,
        SELFSIGNED,
        "accepting self-signed certificate",
        "self-signed certificate in certificate chain",
    ),
    "unknown-authority": (
        Certificates.unknown_authority,
        INSECURE,
        "accepting non-trusted certificate",
        "unable to get local issuer certificate",
    ),
    "wrong-host": (Certificates.wrong_host, SKIP_HOSTNAME, "", "hostname mismatch"),
    "expired": (Certificates.expired, EXPIRED, "accepting expired certificate", "certificate has expired"),
    "not-yet-valid": (
        Certificates.not_yet_valid,
        EXPIRED,
        "accepting not yet valid certificate",
        "certificate is not yet valid",
    ),
}


def verdict(run: Run) -> str:
    """``accepted``, or the error text that the client gets."""
    match = run.expect(f"{ESTABLISHED}|{FAILED}", "the handshake succeeds or fails")
    return match[1] or "accepted"


# ------------------------------------------------------------------------------------- LWS401


@pytest.mark.parametrize("name", CERTIFICATES)
def test_each_flag_opens_one_door(
    name: str, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    make, opener, notice, error = CERTIFICATES[name]
    server = ws_server(None, make(certificates).context())
    for flag in WEAKENING:
        run = start(
            CLIENT, f"ssl={USE_SSL | flag}", f"host={HOST}", port=server.port, ca=certificates.trusted
        )
        seen = verdict(run)
        accepted = opener in (None, flag)
        assert (seen == "accepted") == accepted, run.complaint(
            f"the {name} certificate with LCCSCF_USE_SSL | {flag} accepted: {accepted}; it was {seen}"
        )
        logged = [line for line in run.lines if ABOUT_CERTIFICATES.search(line)]
        said = notice if accepted else error
        if said:
            assert any(said in line for line in logged), run.complaint(f"{said!r} in the log")
        elif accepted:
            assert not logged, run.complaint("not a word in the log")
        run.stop()


def test_self_signed_certificate_as_ca_file_needs_no_flag(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    """The page's way out for a server that has no better certificate."""
    identity = certificates.self_signed()
    server = ws_server(None, identity.context())
    run = start(CLIENT, "ssl=1", f"host={HOST}", port=server.port, ca=identity.chain)
    assert verdict(run) == "accepted", run.complaint("a pinned self-signed certificate is accepted")


@pytest.mark.parametrize(
    ("flags", "accepted"), [(SELFSIGNED, False), (SKIP_HOSTNAME, False), (SELFSIGNED | SKIP_HOSTNAME, True)]
)
def test_both_flags_take_anybodys_certificate(
    flags: int, accepted: bool, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(None, certificates.self_signed(OTHER_HOST).context())
    run = start(CLIENT, f"ssl={USE_SSL | flags}", f"host={HOST}", port=server.port)
    assert (verdict(run) == "accepted") == accepted, run.complaint(f"accepted: {accepted}")


def test_fixture_with_the_flag_talks_to_anybody(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(None, certificates.self_signed().context())
    bad = start(FIXTURES / "permissive-tls-flags" / "bad-ored-c", port=server.port)
    bad.expect(ESTABLISHED, "LCCSCF_ALLOW_SELFSIGNED takes a certificate that anybody can make")
    bad.expect(r"^log 4 .*accepting self-signed certificate", "a NOTICE is all there is to see of it")
    good = start(FIXTURES / "permissive-tls-flags" / "good-verified-c", port=server.port)
    good.expect(FAILED, "LCCSCF_USE_SSL alone refuses it")
    assert not good.seen(ESTABLISHED)


# ------------------------------------------------------------------------------------- LWS402


@pytest.mark.parametrize(
    "place",
    [f"{name}-{language}" for name in ("bad-two", "bad-selfsigned-alone") for language in ("c", "cpp")],
)
def test_request_goes_out_in_clear(place: str, start: Start, silent_server: Silent) -> None:
    server = silent_server()
    run = start(FIXTURES / "plaintext-despite-tls-flags" / place, port=server.port)
    assert server.received.wait(lambda data: data.startswith(b"GET / HTTP/1.1\r\n"), SOON), run.complaint(
        f"GET / HTTP/1.1 in clear as the first bytes; the server got {server.received.all}"
    )


@pytest.mark.parametrize("flags", [2, 4, 8, 16, 30])
def test_only_bit_0_turns_tls_on(flags: int, start: Start, silent_server: Silent) -> None:
    for ssl_connection, first in ((flags, b"GET / "), (flags | USE_SSL, b"\x16\x03")):
        server = silent_server()
        run = start(CLIENT, f"ssl={ssl_connection}", port=server.port)
        assert server.received.wait(lambda data: True, SOON), run.complaint("bytes on the wire")
        data = server.received.all[0]
        assert data.startswith(first), (
            f"ssl_connection = {ssl_connection}: {first!r} first; {data[:20]!r} was"
        )
        run.stop()


def test_tls_server_ends_the_plaintext_connection(
    start: Start, lws_server: Callable[..., int], ws_server: Python, certificates: Certificates
) -> None:
    identity = certificates.good()
    for port in (
        ws_server(None, identity.context()).port,
        lws_server(str(identity.chain), str(identity.key)),
    ):
        run = start(CLIENT, "ssl=2", f"host={HOST}", port=port, ca=certificates.trusted)
        run.expect(FAILED, "the server closes or sends an alert, the client fails", seconds=12)


def test_good_twin_starts_with_a_tls_record(start: Start, silent_server: Silent) -> None:
    server = silent_server()
    run = start(FIXTURES / "plaintext-despite-tls-flags" / "good-tls-or-plain-c", port=server.port)
    assert server.received.wait(lambda data: data.startswith(b"\x16\x03"), SOON), run.complaint(
        f"a TLS client hello as the first bytes; the server got {server.received.all}"
    )


# ------------------------------------------------------------------------------------- LWS403

OVERRIDDEN = FIXTURES / "verification-overridden"
BANK = "bank.example.com"


@pytest.mark.parametrize(
    ("program", "accepted"),
    [
        ("bad-error-cleared-c", True),
        ("bad-error-cleared-cpp", True),
        ("bad-always-accept-c", True),
        ("bad-verify-none-c", False),  # lws sets the verify mode anew for each connection
        ("good-case-just-breaks-c", False),
        ("good-pinning-c", False),
    ],
)
@pytest.mark.parametrize("presented", ["self-signed", "expired"])
def test_who_overrides_the_check_takes_any_certificate(
    program: str, accepted: bool, presented: str, start: Start, ws_server: Python, certificates: Certificates
) -> None:
    identity = certificates.self_signed(BANK) if presented == "self-signed" else certificates.expired(BANK)
    server = ws_server(None, identity.context())
    run = start(OVERRIDDEN / program, port=server.port, ca=certificates.trusted)
    seen = verdict(run)
    assert (seen == "accepted") == accepted, run.complaint(
        f"the {presented} certificate accepted: {accepted}; it was {seen}"
    )


def test_zero_for_the_verification_event_leaves_a_good_server_accepted(
    start: Start, ws_server: Python, certificates: Certificates
) -> None:
    server = ws_server(None, certificates.good(BANK).context())
    run = start(OVERRIDDEN / "good-case-just-breaks-c", port=server.port, ca=certificates.trusted)
    assert verdict(run) == "accepted", run.complaint("a good certificate is accepted")
