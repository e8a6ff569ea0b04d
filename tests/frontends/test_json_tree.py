"""JSON as lejp reads it: values, places, and what it refuses."""

from __future__ import annotations

import pytest

from lwslint.facts import Json, JsonArray, JsonNumber, JsonObject, JsonText, JsonWord, Span
from lwslint.frontends import json_tree
from lwslint.frontends.json_tree import MAX_DEPTH, MAX_SIZE, parse


def plain(value: Json | None) -> object:
    """The value without places."""
    match value:
        case JsonObject():
            return {member.key: plain(member.value) for member in value.members}
        case JsonArray():
            return [plain(item) for item in value.items]
        case JsonText():
            return value.value
        case JsonNumber():
            return float(value.text)
        case JsonWord():
            return {"true": True, "false": False, "null": None}[value.word]
        case _:
            raise AssertionError(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": [true, null, "x"]}', {"a": 1, "b": [True, None, "x"]}),
        ('# first\n{ # second "a"\n "a#b": "c # d" }', {"a#b": "c # d"}),
        ('{"a": [1, 2, ]}', {"a": [1, 2]}),
        ('{"a": [1, # one\n , "]", ",]"]}', None),
        ('{"a": "\\u00e9\\n\\"#"}', {"a": 'é\n"#'}),
        ('{"a": "\\ud800"}', {"a": "?"}),
        ('{"": {}}', {"": {}}),
    ],
)
def test_values(text: str, expected: object) -> None:
    tree = parse(text.encode())
    if expected is None:
        assert tree.root is None
    else:
        assert (plain(tree.root), tree.problem) == (expected, "")


def test_places_are_those_of_the_text_with_its_comments() -> None:
    data = '# é\n{"é": [1, "x"], }'.replace(", }", "}").encode()
    root = parse(data).root
    assert isinstance(root, JsonObject)
    (member,) = root.members
    assert isinstance(member.value, JsonArray)
    spans = [member.key_span, *(item.span for item in member.value.items), root.span]
    assert [data[start:end].decode() for start, end in spans] == ['"é"', "1", '"x"', '{"é": [1, "x"]}']


def test_the_last_of_two_equal_keys_counts() -> None:
    root = parse(b'{"a": 1, "a": 2}').root
    assert isinstance(root, JsonObject)
    member = root.member("a")
    assert member is not None and isinstance(member.value, JsonNumber) and member.value.text == "2"
    assert len(root.members) == 2 and root.member("b") is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [(b'{"a":1} {"b":2}\n', Span(8, 15)), (b'{"a":1} # end\n', None), (b'{"a":1}]', Span(7, 8))],
)
def test_what_stands_behind_is_never_read(text: bytes, rest: Span | None) -> None:
    tree = parse(text)
    assert (plain(tree.root), tree.rest) == ({"a": 1}, rest)


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ('{"a":1,}', "property name", 7),
        ('{"a" 1}', "':'", 5),
        ('{"a": 1\n "b": 2}', "','", 9),
        ('{"a": tru}', "value", 6),
        ('{"a": "x', "unterminated string", 6),
        ('{"a": "b\nc"}', "control character", 8),
        ('{"a": "\\q"}', "escape", 7),
        ('// x\n{"a":1}', "begin with #", 0),
        ('{"a": /* x */ 1}', "begin with #", 6),
        ("", "value", 0),
        ("\ufeff{}", "byte order mark", 0),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "levels deep", 0),
        ('{"a":' * 100_000, "levels deep", 0),
        (" " * (MAX_SIZE + 1), "larger than", 0),
    ],
)
def test_malformed(text: str, problem: str, at: int) -> None:
    tree = parse(text.encode())
    assert tree.root is None
    assert problem in tree.problem
    assert tree.at.start == at


@pytest.mark.parametrize(
    ("text", "refused"),
    [('{"a": [{"b": 1}}', False), ('{"a": [1, 2}', False), ('{"a": 1]', True), ('{"a": [1', True)],
)
def test_a_brace_closes_an_array_too(text: str, refused: bool) -> None:
    assert parse(text.encode()).refused is refused


def test_nesting_up_to_the_limit() -> None:
    assert parse(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)).problem == ""


@pytest.mark.parametrize(
    "junk", [b'"' * 300_000, b"[1," * 100_000, b"#" * 300_000, b", ]" * 100_000, b"{" * 99_999]
)
def test_junk_is_refused_and_ends(junk: bytes) -> None:
    tree = parse(junk)
    assert tree.root is None or not isinstance(tree.root, JsonObject)


def test_comments_are_blanked_in_place() -> None:
    data = b'{"a#": 1, # "b": 2\n "c": 3}'
    blanked = json_tree.without_comments(data)
    assert len(blanked) == len(data)
    assert b'"b"' not in blanked and b'"a#"' in blanked and blanked.count(b"\n") == 1
