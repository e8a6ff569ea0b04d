"""What cipher lists and TLS options let in."""

from __future__ import annotations

import pytest

from lwslint.model import ciphers
from lwslint.model.ciphers import NO_SSL3, NO_TLS1, NO_TLS1_1, NO_TLS1_2, NO_TLS1_3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # libwebsockets' own sample and default (README.coding.md:549, lejp-conf.c@v5.0.0).
        ("RC4-MD5:RC4-SHA:AES128-SHA:AES256-SHA:HIGH:!DSS:!aNULL", ["RC4-MD5", "RC4-SHA"]),
        ("ECDHE-ECDSA-AES256-GCM-SHA384:HIGH:!aNULL:!eNULL:!EXPORT:!DES:!MD5:!PSK:!RC4:!HMAC_SHA1:!SHA1", []),
        ("ALL", ["ALL"]),
        ("ALL:!aNULL:!eNULL", []),
        ("ALL:!ADH:!LOW:!EXP:@STRENGTH", []),
        ("ALL:RC4+RSA:+HIGH:+MEDIUM:!ADH", ["RC4+RSA"]),
        ("HIGH:MEDIUM", []),
        ("DEFAULT:@SECLEVEL=0", ["@SECLEVEL=0"]),
        ("DEFAULT@SECLEVEL=1", []),
        ("DEFAULT@SECLEVEL=0", ["@SECLEVEL=0"]),
        ("DEFAULT:@SECLEVEL=2", []),
        ("NULL-SHA256,AES128-SHA", ["NULL-SHA256"]),
        ("eNULL:aNULL:EXPORT", ["eNULL", "aNULL", "EXPORT"]),
        ("AECDH-AES128-SHA ADH-AES128-SHA", ["AECDH-AES128-SHA", "ADH-AES128-SHA"]),
        ("ADH-AES128-SHA:!aNULL", []),
        ("ECDHE-RSA-DES-CBC3-SHA", ["ECDHE-RSA-DES-CBC3-SHA"]),
        ("DES-CBC3-SHA:!3DES", []),
        ("DES-CBC3-SHA:!DES", ["DES-CBC3-SHA"]),
        ("DES-CBC-SHA", ["DES-CBC-SHA"]),
        ("EXP-RC4-MD5", ["EXP-RC4-MD5"]),
        ("RC4:-RC4:HIGH", []),
        ("-RC4:RC4", ["RC4"]),
        ("HIGH:+RC4", []),
        ("TLS_RSA_WITH_RC4_128_SHA", ["TLS_RSA_WITH_RC4_128_SHA"]),
        ("TLS-RSA-WITH-3DES-EDE-CBC-SHA", ["TLS-RSA-WITH-3DES-EDE-CBC-SHA"]),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA", ["TLS_DH_anon_WITH_AES_128_CBC_SHA"]),
        ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_8_SHA256", []),
        ("TLS_SHA256_SHA256", ["TLS_SHA256_SHA256"]),
        ("ECDHE-RSA-AES128-SHA:AES128-SHA:CAMELLIA128-SHA", []),
        ("", []),
        (":::", []),
        # GnuTLS
        ("NORMAL", []),
        ("NORMAL:-VERS-TLS1.0:+VERS-TLS1.2:%SERVER_PRECEDENCE", []),
        ("NORMAL:+VERS-TLS1.0:+ARCFOUR-128", ["+VERS-TLS1.0", "+ARCFOUR-128"]),
        ("LEGACY:%UNSAFE_RENEGOTIATION", ["LEGACY", "%UNSAFE_RENEGOTIATION"]),
    ],
)
def test_weak_words(text: str, words: list[str]) -> None:
    found = ciphers.weak(text)
    assert [entry.word for entry in found] == words
    assert all(text[entry.offset :].startswith(entry.word) and entry.why for entry in found)


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (0, ""),
        (NO_SSL3, "SSL 3.0"),
        (NO_TLS1 | NO_TLS1_1, "TLS 1.0 and TLS 1.1"),
        (NO_TLS1_2 | NO_TLS1_3, ""),
        (0x00020000, ""),
    ],
)
def test_clearing(options: int, allowed: str) -> None:
    assert ciphers.allowed_by_clearing(options) == allowed


@pytest.mark.parametrize(
    ("options", "weakened"),
    [
        (NO_SSL3 | NO_TLS1 | NO_TLS1_1, False),
        (NO_TLS1_3, False),
        (NO_TLS1_2, False),
        (NO_TLS1_2 | NO_TLS1_3, True),
        (NO_TLS1_2 | NO_TLS1_3 | NO_TLS1 | NO_TLS1_1 | NO_SSL3, False),
        (0x00040000, True),
    ],
)
def test_setting(options: int, weakened: bool) -> None:
    assert bool(ciphers.weakened_by_setting(options)) is weakened
