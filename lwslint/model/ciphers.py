"""What in a cipher list, or among the options of a TLS context, lets weak TLS be spoken.

Cipher lists are those of OpenSSL (``man openssl-ciphers``), which wolfSSL follows, and GnuTLS's priority
strings (``man gnutls_priority_init``); names of single ciphers are OpenSSL's, IANA's or mbedTLS's.  What a
list allows is not always spoken: newer libraries are built without much of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec


class Weak(msgspec.Struct, frozen=True):
    """One word of a list that lets something weak in: the word, its offset, and what it gives away."""

    word: str
    offset: int
    why: str


NULL = "no encryption at all"
ANONYMOUS = "no certificate, so that anybody can pose as the server"
EXPORT = "keys short enough to try them all"
SINGLE_DES = "DES, whose keys are short enough to try them all"
RC4 = "RC4, which gives the plaintext away bit by bit (RFC 7465)"
TRIPLE_DES = "ciphers with blocks of 64 bits, which give cookies away on long connections (Sweet32)"
MD5 = "records that are protected by MD5 only"
ALL = "all the library has, anonymous and outdated ciphers too"
LEVEL_0 = "certificates and keys of any size, MD5 signatures, and old protocol versions"
OLD = "TLS 1.0 and 1.1 (RFC 8996) or SSL"
UNSAFE = "renegotiation that lets others put data in front (CVE-2009-3555)"

_WORD = re.compile(r"@?[^:,; @]+")
_GNUTLS = re.compile(
    r"(?:NORMAL|SECURE\d*|PERFORMANCE|LEGACY|NONE|PFS|SUITEB\d+|SYSTEM|@SYSTEM)\b", re.IGNORECASE
)
_GNUTLS_WEAK = {
    "VERS-SSL3.0": OLD,
    "VERS-TLS1.0": OLD,
    "VERS-TLS1.1": OLD,
    "ARCFOUR-128": RC4,
    "NULL": NULL,
    "3DES-CBC": TRIPLE_DES,
    "MD5": MD5,
    "ANON-DH": ANONYMOUS,
    "ANON-ECDH": ANONYMOUS,
    "%UNSAFE_RENEGOTIATION": UNSAFE,
}
# What words of OpenSSL stand for several ciphers, and for which.
_GROUPS = {
    "NULL": NULL,
    "ENULL": NULL,
    "COMPLEMENTOFALL": NULL,
    "ANULL": ANONYMOUS,
    "ADH": ANONYMOUS,
    "AECDH": ANONYMOUS,
    "EXP": EXPORT,
    "EXPORT": EXPORT,
    "EXPORT40": EXPORT,
    "EXPORT56": EXPORT,
    "LOW": SINGLE_DES,
    "DES": SINGLE_DES,
    "RC4": RC4,
    "RC2": EXPORT,
    "3DES": TRIPLE_DES,
    "IDEA": TRIPLE_DES,
    "MD5": MD5,
    "ALL": ALL,
}
# What else takes the word's ciphers out of a list.
_COVERED = {
    "ADH": ("ANULL",),
    "AECDH": ("ANULL",),
    "EXPORT40": ("EXP", "EXPORT"),
    "EXPORT56": ("EXP", "EXPORT"),
    "EXP": ("EXPORT",),
    "EXPORT": ("EXP",),
    "NULL": ("ENULL",),
    "ENULL": ("NULL",),
    "COMPLEMENTOFALL": ("NULL", "ENULL"),
    "DES": ("LOW",),
    # What is left of ALL without them is what today's libraries have.
    "ALL": ("ANULL", "ADH"),
}
_INTEGRITY_ONLY = frozenset(("TLS_SHA256_SHA256", "TLS_SHA384_SHA384"))  # RFC 9150


def weak(ciphers: str) -> tuple[Weak, ...]:
    """The words of a cipher list that let something weak in, in order."""
    words = [(match[0], match.start()) for match in _WORD.finditer(ciphers)]
    if words and _GNUTLS.match(words[0][0]):
        return tuple(_gnutls(words))
    return tuple(_openssl(words))


def _gnutls(words: list[tuple[str, int]]) -> Iterator[Weak]:
    for word, offset in words:
        name = word.removeprefix("+").upper()
        if name == "LEGACY" or (word[0] in "+%" and name in _GNUTLS_WEAK):
            yield Weak(word, offset, _GNUTLS_WEAK.get(name, ALL))


def _openssl(words: list[tuple[str, int]]) -> Iterator[Weak]:
    forever = {word[1:].upper() for word, _ in words if word[0] == "!"}
    # Where each word is last taken out of what stands before it.
    taken = {word[1:].upper(): number for number, (word, _) in enumerate(words) if word[0] == "-"}
    for number, (word, offset) in enumerate(words):
        name = word.upper()
        if name.startswith("@"):
            if name == "@SECLEVEL=0":
                yield Weak(word, offset, LEVEL_0)
            continue
        # A + in front moves ciphers that are in the list already.
        if word[0] in "!-+":
            continue
        why, names = _classify(name)
        if why and forever.isdisjoint(names) and not any(taken.get(other, -1) > number for other in names):
            yield Weak(word, offset, why)


def _classify(name: str) -> tuple[str, set[str]]:
    """What a word gives away ("" for nothing), and the words that take its ciphers out again."""
    if name in _INTEGRITY_ONLY:
        return NULL, {name}
    found: list[str] = []
    names = {name}
    for part in name.split("+"):  # ciphers that are all of these
        group = part if part in _GROUPS else _group_of(part)
        names |= {part, group, *_COVERED.get(group, ())}
        if group:
            found.append(_GROUPS[group])
    return (found[0] if found else ""), names - {""}


def _group_of(cipher: str) -> str:
    """The group that the name of a single cipher says it is in: ``RC4`` for ``ECDHE-RSA-RC4-SHA``."""
    parts = re.split(r"[-_]", cipher)
    if len(parts) < 2:
        return ""
    if "NULL" in parts:
        return "NULL"
    if parts[0] in ("ADH", "AECDH"):
        return parts[0]
    if "ANON" in parts:
        return "ANULL"
    if parts[0].startswith("EXP") or "EXPORT" in parts:
        return "EXPORT"
    for part, group in (("RC4", "RC4"), ("RC2", "RC2"), ("CBC3", "3DES"), ("3DES", "3DES"), ("DES", "DES")):
        if part in parts:
            return group
    return next((part for part in ("IDEA", "MD5") if part in parts), "")


# ------------------------------------------------------------------------------------- options

# include/openssl/ssl.h of 1.0.2 to 3.5; NO_SSLv2 is 0 since 1.1.0.
NO_SSL2, NO_SSL3, NO_TLS1, NO_TLS1_2 = 0x01000000, 0x02000000, 0x04000000, 0x08000000
NO_TLS1_1, NO_TLS1_3 = 0x10000000, 0x20000000
UNSAFE_RENEGOTIATION = 0x00040000

OPTIONS = {
    "SSL_OP_NO_SSLv3": NO_SSL3,
    "SSL_OP_NO_TLSv1": NO_TLS1,
    "SSL_OP_NO_TLSv1_1": NO_TLS1_1,
    "SSL_OP_NO_TLSv1_2": NO_TLS1_2,
    "SSL_OP_NO_TLSv1_3": NO_TLS1_3,
    "SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION": UNSAFE_RENEGOTIATION,
}
_PROTOCOLS = {NO_SSL3: "SSL 3.0", NO_TLS1: "TLS 1.0", NO_TLS1_1: "TLS 1.1"}


def allowed_by_clearing(options: int) -> str:
    """The old protocol versions that are allowed where these options are cleared; "" for none."""
    return " and ".join(name for bit, name in _PROTOCOLS.items() if options & bit)


def weakened_by_setting(options: int) -> str:
    """What is left or let in where these options are set; "" where that is nothing weak."""
    if options & UNSAFE_RENEGOTIATION:
        return UNSAFE
    if options & NO_TLS1_2 and options & NO_TLS1_3:
        left = [name for bit, name in _PROTOCOLS.items() if not options & bit]
        return "no protocol version but " + " and ".join(left) if left else ""
    return ""
