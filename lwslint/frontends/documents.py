"""Finds the JSON texts that libwebsockets reads, by what they say: files, and string literals of C.

Their names tell little: lwsws reads every file in ``conf.d``, whatever it is called, and a policy is often
pasted together from the literals of a program.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache

from lwslint.facts import Document, FileFacts, Json, JsonArray, JsonObject, Span
from lwslint.frontends import json_tree
from lwslint.frontends.json_tree import Tree
from lwslint.knowledge.documents import LWSWS, POLICY, keys

SIGN = '"s"'
"""What the text of every policy holds."""

# Keys that many other formats have too; none of them tells what a text is.
_COMMON = {
    "global.": frozenset(("uid", "gid", "username", "groupname")),
    "vhosts[].": frozenset(("name", "port", "interface", "headers", "ciphers", "alpn", "dht")),
    "s[].*.": frozenset(
        [
            *("endpoint", "protocol", "port", "tls", "retry", "metadata", "options", "plugins", "server"),
            *("perf", "client_cert", "server_cert", "server_key", "timeout_ms"),
        ]
    ),
}
_QUOTED = re.compile(rb'"([a-z0-9_-]{1,40})"\s*+:')
_PLACEHOLDER = re.compile(rb"@[A-Za-z_]\w*@|\$\{|\{\{|<%|\{%")


def extract(path: str, data: bytes) -> FileFacts | None:
    """The facts of a file; None when it is nothing that libwebsockets reads."""
    if not _guess(data, 1):
        return None
    tree = json_tree.parse(data)
    # A JSON file is kept free of comments, which other readers of it may not know, until it has one.
    commented = not path.endswith((".json", ".json.in")) or json_tree.without_comments(data) != data
    language = "lejp" if commented else "json"
    if tree.limited:
        kind = _guess(data, 2)
        return FileFacts(path, language, len(data), problem=f"not analysed: {tree.problem}") if kind else None
    document = _document(tree, data)
    return None if document is None else FileFacts(path, language, len(data), documents=(document,))


def _document(tree: Tree, data: bytes) -> Document | None:
    """The document that a whole text is, or None."""
    if tree.root is None:
        # What a template leaves open is no mistake.
        kind = _guess(data, 2) if tree.refused and not _PLACEHOLDER.search(data) else ""
        return Document(kind, tree.at, problem=tree.problem) if kind else None
    kind = kind_of(tree.root)
    if not kind or not isinstance(tree.root, JsonObject):
        return None
    return Document(kind, tree.at, tree.root, rest=tree.rest)


def kind_of(root: Json) -> str:
    """``lwsws``, ``policy`` or "" for anything else."""
    if not isinstance(root, JsonObject):
        return ""
    top = {member.key: member.value for member in root.members}
    if _tells(top.get("global"), LWSWS, "global."):
        return LWSWS
    if any(_tells(vhost, LWSWS, "vhosts[].") for vhost in _items(top.get("vhosts"))):
        return LWSWS
    streams = _streams(top)
    if any(_tells(stream, POLICY, "s[].*.") for stream in streams) or (streams and "schema-version" in top):
        return POLICY
    return ""


def _items(value: Json | None) -> tuple[Json, ...]:
    return value.items if isinstance(value, JsonArray) else ()


def _streams(top: Mapping[str, Json]) -> list[Json]:
    found = [item for item in _items(top.get("s")) if isinstance(item, JsonObject)]
    return [member.value for item in found for member in item.members]


def _tells(value: Json | None, kind: str, prefix: str) -> bool:
    """Whether an object has a key that only this kind of document has."""
    if not isinstance(value, JsonObject):
        return False
    present = {member.key for member in value.members}
    if prefix == "s[].*." and {"endpoint", "protocol"} <= present:
        return True
    return not present.isdisjoint(set(keys(kind, prefix)) - _COMMON[prefix])


def _guess(data: bytes, least: int) -> str:
    """The kind that a text is or was to be, as far as its keys tell without a parse: at least that many of
    them are this kind's only."""
    present = {match[1].decode() for match in _QUOTED.finditer(json_tree.without_comments(data))}
    if present & {"vhosts", "global"} and len(present & _signs(LWSWS)) >= least:
        return LWSWS
    return POLICY if "s" in present and len(present & _signs(POLICY)) >= least else ""


@cache
def _signs(kind: str) -> frozenset[str]:
    """The keys that tell a kind of document."""
    if kind == LWSWS:
        known = {"mountpoint", "origin", *keys(LWSWS, "global."), *keys(LWSWS, "vhosts[].")}
        return frozenset(known - _COMMON["global."] - _COMMON["vhosts[]."])
    known = {"trust_stores", "schema-version", *keys(POLICY, "s[].*.")}
    return frozenset(known - (_COMMON["s[].*."] - {"endpoint"}))


# ------------------------------------------------------------------------------------- literals


class Literal:
    """The bytes that adjacent string literals stand for, and where in the file each of them comes from."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._offsets: list[int] = []  # where in the text each piece begins
        self._places: list[tuple[int, int]] = []  # its span in the file

    def add(self, value: bytes, start: int, end: int) -> None:
        """Bytes that the file has at ``start`` to ``end``: one for one, or as one escape sequence."""
        if value:
            self._offsets.append(len(self._text))
            self._places.append((start, end))
            self._text += value

    def document(self) -> Document | None:
        """The document that the text is, None when it is none or not whole: parts of it may be put in at
        run time."""
        tree = json_tree.parse(bytes(self._text), self._span)
        kind = "" if tree.root is None else kind_of(tree.root)
        if not kind or not isinstance(tree.root, JsonObject):
            return None
        rest = None if tree.rest is None else self._span(*tree.rest)
        return Document(kind, self._span(*tree.at), tree.root, rest=rest)

    def _span(self, start: int, end: int) -> Span:
        return Span(self._place(start)[0], self._place(end - 1)[1])

    def _place(self, at: int) -> tuple[int, int]:
        """Where in the file one byte of the text comes from."""
        piece = bisect_right(self._offsets, at) - 1
        offset, (start, end) = self._offsets[piece], self._places[piece]
        following = self._offsets[piece + 1] if piece + 1 < len(self._offsets) else len(self._text)
        if following - offset != end - start:  # an escape sequence
            return start, end
        return start + at - offset, start + at - offset + 1
