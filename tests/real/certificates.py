"""Certificates for servers on loopback: good ones, and one for each way to be bad."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# The name that clients of these tests ask for, as SNI and as the name in the certificate.
HOST = "camera.example.net"
OTHER_HOST = "garage.example.net"

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A server's certificate and key as PEM files."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a Python server needs to present this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


class Certificates:
    """Makes what the tests ask for below one folder; :attr:`trusted` is the file that clients trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA(organization_name="trusted here")
        self._stranger = trustme.CA(organization_name="trusted nowhere")
        self.trusted = folder / "trusted.pem"
        self._authority.cert_pem.write_to_path(str(self.trusted))

    def good(self, host: str = HOST) -> Identity:
        return self._issue("good", self._authority, host)

    def wrong_host(self) -> Identity:
        return self._issue("wrong-host", self._authority, OTHER_HOST)

    def expired(self, host: str = HOST) -> Identity:
        now = datetime.datetime.now(datetime.UTC)
        return self._issue("expired", self._authority, host, now - 30 * _DAY, now - _DAY)

    def not_yet_valid(self) -> Identity:
        now = datetime.datetime.now(datetime.UTC)
        return self._issue("not-yet-valid", self._authority, HOST, now + _DAY, now + 30 * _DAY)

    def unknown_authority(self) -> Identity:
        """The leaf alone: the client cannot find who issued it."""
        return self._issue("unknown-authority", self._stranger, HOST)

    def unknown_authority_sent_along(self) -> Identity:
        """The chain brings its own, self-signed root."""
        identity = self._issue("own-root", self._stranger, HOST)
        identity.chain.write_bytes(identity.chain.read_bytes() + self._stranger.cert_pem.bytes())
        return identity

    def self_signed(self, host: str = HOST) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + 30 * _DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        identity = self._paths(f"self-signed-{host}")
        identity.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        identity.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return identity

    def _paths(self, name: str) -> Identity:
        return Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def _issue(
        self,
        name: str,
        authority: trustme.CA,
        host: str,
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
    ) -> Identity:
        leaf = authority.issue_cert(host, not_before=not_before, not_after=not_after)
        identity = self._paths(f"{name}-{host}")
        identity.chain.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(identity.key))
        return identity
