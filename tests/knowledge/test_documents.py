"""The keys of lwsws configurations and Secure Streams policies."""

from __future__ import annotations

import msgspec
import pytest

from lwslint.knowledge import documents
from lwslint.knowledge.documents import LWSWS, POLICY
from lwslint.settings import Version


def test_every_key_has_a_release_or_is_to_come() -> None:
    for kind in (LWSWS, POLICY):
        paths = msgspec.structs.asdict(documents._load())[kind]
        assert len(paths) > 80
        for path in paths:
            since = documents.since(kind, path)
            assert since is None or Version(2) <= since <= Version(5), path


@pytest.mark.parametrize(
    ("kind", "prefix", "key", "present"),
    [
        (LWSWS, "global.", "init-ssl", True),
        (LWSWS, "global.", "host-ssl-cert", False),
        (LWSWS, "vhosts[].", "mounts", True),
        (LWSWS, "vhosts[].", "ws-protocols", True),
        (LWSWS, "vhosts[].", "mountpoint", False),
        (LWSWS, "vhosts[].mounts[].", "cache-max-age", True),
        (LWSWS, "vhosts[].mounts[].", "cgi-env", True),
        (POLICY, "s[].*.", "tls", True),
        (POLICY, "s[].*.", "metadata", True),
        (POLICY, "s[].*.", "schema-version", False),
        (POLICY, "", "trust_stores", True),
    ],
)
def test_keys_of_a_level(kind: str, prefix: str, key: str, present: bool) -> None:
    found = documents.keys(kind, prefix)
    assert (key in found) is present
    assert list(found) == sorted(found) and "*" not in found and "" not in found


@pytest.mark.parametrize(
    ("kind", "path", "since"),
    [
        (LWSWS, "vhosts[].host-ssl-cert", Version(2, 0, 0)),
        (LWSWS, "vhosts[].allow-non-tls", Version(3, 2, 0)),
        (LWSWS, "vhosts[].client-ecdh-curve", None),
        (POLICY, "s[].*.allow_redirects", Version(4, 1, 0)),
        (POLICY, "s[].*.no_such_key", None),
    ],
)
def test_since(kind: str, path: str, since: Version | None) -> None:
    assert documents.since(kind, path) == since
