"""The JSON texts that libwebsockets reads, as its own readers understand them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename, dirname
from typing import NamedTuple

from lwslint.facts import Document, Json, JsonArray, JsonMember, JsonNumber, JsonObject, JsonText, Place, Span
from lwslint.knowledge.documents import LWSWS, POLICY
from lwslint.model.project import Project

_NUMBER = re.compile(r"\s*([+-]?[0-9]+)")
_ON = ("on", "yes", "true")
_OFF = ("off", "no", "false", "none", "disabled", "")


class Text(NamedTuple):
    """A document and the file it stands in."""

    path: str
    document: Document

    def place(self, span: Span) -> Place:
        return Place(self.path, span)


def of_kind(project: Project, kind: str) -> list[Text]:
    return [Text(path, document) for path, document in project.documents if document.kind == kind]


def spelled(value: Json | None) -> str:
    """A scalar as lejp hands it on: ``true`` is 1, ``false`` 0, ``null`` empty (lejp.c:638-670@v5.0.0)."""
    if value is None or isinstance(value, JsonArray | JsonObject):
        return ""
    if isinstance(value, JsonText):
        return value.value
    if isinstance(value, JsonNumber):
        return value.text
    return {"true": "1", "false": "0"}.get(value.word, "")


def number(value: Json | None) -> int:
    """As C's atoi()."""
    match = _NUMBER.match(spelled(value)[:40])
    return int(match[1]) if match else 0


def is_on(value: Json | None) -> bool:
    """Whether lwsws takes a value for "on" (arg_to_bool, lejp-conf.c:330@v5.0.0)."""
    return number(value) != 0 or spelled(value).lower() in _ON


def is_doubtful(value: Json) -> bool:
    """Whether a value that lwsws takes for "off" was hardly meant so."""
    text = spelled(value).lower()
    return not is_on(value) and text not in _OFF and not _NUMBER.match(text)


def objects(value: Json | None) -> Iterator[JsonObject]:
    """The objects in an array; an object that stands alone is as good to lejp."""
    if isinstance(value, JsonObject):
        yield value
    elif isinstance(value, JsonArray):
        yield from (item for item in value.items if isinstance(item, JsonObject))


# ------------------------------------------------------------------------------------- lwsws


class Vhost(NamedTuple):
    """One vhost of an lwsws configuration."""

    text: Text
    object: JsonObject

    def value(self, key: str) -> Json | None:
        member = self.object.member(key)
        return None if member is None else member.value

    def on(self, key: str) -> bool:
        return is_on(self.value(key))

    @property
    def name(self) -> str:
        return spelled(self.value("name"))

    @property
    def port(self) -> int:
        return number(self.value("port"))


class Configuration(NamedTuple):
    """What one lwsws reads: a ``conf`` and the files in ``conf.d`` beside it.

    ``tls_ports`` are those of vhosts with a certificate.
    """

    globals: tuple[tuple[Text, JsonMember], ...]
    vhosts: tuple[Vhost, ...]

    @property
    def tls_ports(self) -> frozenset[int]:
        return frozenset(vhost.port for vhost in self.vhosts if vhost.object.member("host-ssl-cert"))


def configurations(project: Project) -> list[Configuration]:
    """The lwsws configurations, by folder."""
    by_folder: dict[str, list[Text]] = {}
    for text in of_kind(project, LWSWS):
        folder = dirname(text.path)
        by_folder.setdefault(dirname(folder) if basename(folder) == "conf.d" else folder, []).append(text)
    return [
        Configuration(
            globals=tuple((text, m) for text in texts if (m := _member(text, "global")) is not None),
            vhosts=tuple(
                Vhost(text, vhost)
                for text in texts
                if (m := _member(text, "vhosts")) is not None
                for vhost in objects(m.value)
            ),
        )
        for _, texts in sorted(by_folder.items())
    ]


def _member(text: Text, key: str) -> JsonMember | None:
    return None if text.document.root is None else text.document.root.member(key)


# ------------------------------------------------------------------------------------- policies


class Stream(NamedTuple):
    """One streamtype of a Secure Streams policy; ``member`` names it."""

    text: Text
    member: JsonMember
    object: JsonObject

    @property
    def name(self) -> str:
        return self.member.key

    def value(self, key: str) -> Json | None:
        member = self.object.member(key)
        return None if member is None else member.value

    def true(self, key: str) -> bool:
        """Whether the key is the word ``true``, the only value that switches something on."""
        return is_true(self.value(key))


def is_true(value: Json | None) -> bool:
    return getattr(value, "word", "") == "true"


def policies(project: Project) -> list[Text]:
    return of_kind(project, POLICY)


def named(value: Json | None) -> Iterator[JsonMember]:
    """The members of the objects in an array: ``[{"a": …}, {"b": …}]``."""
    for item in objects(value):
        yield from item.members


def streams(text: Text) -> Iterator[Stream]:
    """The streamtypes that a policy defines or changes."""
    member = _member(text, "s")
    for entry in named(None if member is None else member.value):
        if isinstance(entry.value, JsonObject):
            yield Stream(text, entry, entry.value)


def is_overlay(text: Text) -> bool:
    """Whether a policy only changes one that is loaded before it (lws_ss_policy_overlay())."""
    root = text.document.root
    base = ("release", "product", "schema-version", "retry", "certs", "trust_stores")
    return root is None or not any(root.member(key) for key in base)
