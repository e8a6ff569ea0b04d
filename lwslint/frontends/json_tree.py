"""JSON with positions, in the dialect of libwebsockets' own parser.

lejp (lib/misc/lejp.c@v2.0.0 to v5.0.0) is JSON with three differences, all followed here: ``#`` begins a
comment that reaches to the end of the line, an array may end in a comma, and whatever stands behind the
first value is never read.  It knows no ``//`` and no ``/*`` comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache

import msgspec
import tree_sitter_json
from tree_sitter import Language, Node, Parser

from lwslint.facts import Json, JsonArray, JsonMember, JsonNumber, JsonObject, JsonText, JsonWord, Span

MAX_DEPTH = 64
"""How deep arrays and objects may nest; lejp itself stops at 16 (LEJP_MAX_DEPTH, lws-lejp.h:186@v5.0.0)."""

MAX_SIZE = 1_000_000
"""The most bytes that are taken for a configuration."""

MAX_VALUES = 40_000
"""The most values in one; more than that are data, and take seconds."""

_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
_TOO_MANY = f"more than {MAX_VALUES} values"
_BOM = b"\xef\xbb\xbf"
# A string ends with its line at the latest: lejp refuses control characters in one.
_STRING = rb'"(?:[^"\\\n]|\\[^\n])*+"?'
_QUIET = re.compile(_STRING + rb"|(?P<comment>#[^\n]*+)")
_LAST_COMMA = re.compile(_STRING + rb"|(?P<comma>,)(?=\s*+\])")
_CONTAINERS = frozenset(("object", "array"))
_WORDS = frozenset(("true", "false", "null"))


class Tree(msgspec.Struct, frozen=True):
    """What a text says: its ``root``, ``at`` its span, or else a ``problem`` and the span ``at`` which it is.

    ``rest`` is what stands behind the root.  ``refused`` is False for a fault that lejp does not mind, and
    ``limited`` True where it is a limit of this reader.
    """

    root: Json | None
    problem: str = ""
    at: Span = Span(0, 0)
    rest: Span | None = None
    refused: bool = True
    limited: bool = False


def parse(data: bytes, where: Callable[[int, int], Span] = Span) -> Tree:
    """Read one JSON text.  Never raises for what the text holds.

    ``where`` makes the spans of the tree's values and keys out of their first byte and the one behind the
    last, for a text that does not stand in its file as it is.
    """
    if len(data) > MAX_SIZE:
        return Tree(None, f"larger than {MAX_SIZE} bytes", limited=True)
    if data.startswith(_BOM):
        return Tree(None, "a byte order mark comes before the first {", Span(0, len(_BOM)))
    text = without_comments(data)
    strict = _blank(_LAST_COMMA, "comma", text)
    tree = _parser().parse(strict)
    values = [node for node in tree.root_node.named_children if node.type != "comment"]
    first = values[0] if values else None
    start = len(strict) - len(strict.lstrip())
    # Where the text is broken, tree-sitter offers whatever piece of it can be read.
    if first is None or first.start_byte != start or first.has_error or _foreign_comment(first):
        return _malformed(strict, start)
    root = _lower(first, strict, where)
    if isinstance(root, str):
        return Tree(None, root, Span(start, start + 1), limited=root == _TOO_MANY)
    behind = text[first.end_byte :]
    rest = None
    if behind.strip():
        rest = Span(len(text) - len(behind.lstrip()), first.end_byte + len(behind.rstrip()))
    return Tree(root, at=Span(first.start_byte, first.end_byte), rest=rest)


def without_comments(data: bytes) -> bytes:
    """The text with its ``#`` comments blanked; every other byte stays where it was."""
    return _blank(_QUIET, "comment", data) if b"#" in data else data


def _blank(pattern: re.Pattern[bytes], group: str, data: bytes) -> bytes:
    def blanked(match: re.Match[bytes]) -> bytes:
        return match[0] if match[group] is None else b" " * len(match[0])

    return pattern.sub(blanked, data)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_json.language()))


def _foreign_comment(first: Node) -> bool:
    """Whether a ``//`` or ``/*`` comment stands inside the first value."""
    stack = [first]
    while stack:
        node = stack.pop()
        if node.type == "comment":
            return True
        if node.type in _CONTAINERS or node.type == "pair":
            stack.extend(node.children)
    return False


def _malformed(text: bytes, start: int) -> Tree:
    """What is wrong, in the words of Python's parser, which says it better than a syntax tree can."""
    message, position = "not well-formed", start
    try:
        json.JSONDecoder().raw_decode(text[start:].decode("latin-1"))
    except json.JSONDecodeError as error:
        message, position = error.msg, start + error.pos
    except RecursionError:
        return Tree(None, _TOO_DEEP, Span(start, start + 1))
    if text[position : position + 2] in (b"//", b"/*"):
        message = "comments begin with # here, not with // or /*"
    message = message[:1].lower() + message[1:].removesuffix(" at")
    end = min(position + 1, len(text))
    # lejp takes any closing brace for the end of what is open, an array too.
    return Tree(
        None, message, Span(position, end), refused=text[position:end] != b"}" or "','" not in message
    )


def _lower(first: Node, text: bytes, where: Callable[[int, int], Span]) -> Json | str:
    """The value of a node, or which limit it exceeds.  Children wait on a list, not on the stack."""
    done: dict[int, Json] = {}
    waiting: list[tuple[Node, int, list[tuple[Node | None, Node]] | None]] = [(first, 0, None)]
    count = 0
    while waiting:
        node, depth, inner = waiting.pop()
        kind = node.type
        span = where(node.start_byte, node.end_byte)
        if kind not in _CONTAINERS:
            done[node.id] = _scalar(node, text, span)
        elif inner is None:
            inner = _inside(node)
            count += len(inner)
            if depth >= MAX_DEPTH or count > MAX_VALUES:
                return _TOO_DEEP if depth >= MAX_DEPTH else _TOO_MANY
            waiting.append((node, depth, inner))
            waiting.extend((child, depth + 1, None) for _, child in inner)
        elif kind == "array":
            done[node.id] = JsonArray(span, tuple([done[child.id] for _, child in inner]))
        else:
            done[node.id] = JsonObject(
                span,
                tuple(
                    [
                        JsonMember(_string(key, text), where(key.start_byte, key.end_byte), done[child.id])
                        for key, child in inner
                        if key is not None
                    ]
                ),
            )
    return done[first.id]


def _inside(node: Node) -> list[tuple[Node | None, Node]]:
    """The nodes of the values directly inside an array or object, each with that of its key."""
    if node.type == "array":
        return [(None, child) for child in node.named_children]
    pairs = (child.named_children for child in node.named_children if child.type == "pair")
    return [(pair[0], pair[-1]) for pair in pairs]


def _scalar(node: Node, text: bytes, span: Span) -> Json:
    if node.type == "string":
        return JsonText(span, _string(node, text))
    written = text[node.start_byte : node.end_byte].decode("utf-8", "replace")
    return JsonWord(span, written) if node.type in _WORDS else JsonNumber(span, written)


def _string(node: Node, text: bytes) -> str:
    written = text[node.start_byte : node.end_byte].decode("utf-8", "replace")
    try:
        value = json.loads(written)
    except ValueError:  # an escape that JSON does not have
        value = written[1:-1]
    # Half of a surrogate pair could not be written out again.
    return str(value).encode("utf-8", "replace").decode("utf-8")
