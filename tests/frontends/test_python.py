"""What the Python front end makes of each construct, and that every span is where its text is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lwslint.discovery import NOT_PYTHON, NOT_PYTHON_3
from lwslint.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Conditional,
    Declare,
    Evaluate,
    FileFacts,
    Function,
    If,
    Index,
    Initializer,
    Lambda,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Return,
    Statement,
    Switch,
    Text,
    Unary,
    Unknown,
    Value,
    walk,
)
from lwslint.frontends import python
from lwslint.model.names import statements, values_of
from lwslint.settings import Settings

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"


def facts(text: str | bytes) -> FileFacts:
    data = text.encode() if isinstance(text, str) else text
    return python.extract("pack/m.py", data, "python", Settings())


def body(text: str) -> tuple[Statement, ...]:
    found = facts(text)
    assert not found.problem
    return found.functions[0].body


def value(text: str) -> Value:
    statement = body(f"({text})\n")[0]
    assert isinstance(statement, Evaluate)
    return statement.value


def spell(node: Value | None) -> object:
    """A value without its spans."""
    match node:
        case Name():
            return node.id
        case Text() | Number():
            return node.value
        case Null() | None:
            return None
        case Member():
            return (spell(node.object), ".", node.field)
        case Unary():
            return (node.op, spell(node.operand))
        case Binary():
            return (spell(node.left), node.op, spell(node.right))
        case Assign():
            return (spell(node.target), node.op, spell(node.value))
        case Conditional():
            return (spell(node.test), "?", spell(node.then), spell(node.other))
        case Index():
            return (spell(node.object), "[]", spell(node.index))
        case Call():
            return (
                "call",
                spell(node.function),
                *map(spell, node.arguments),
                *((k.name, spell(k.value)) for k in node.keywords),
            )
        case Initializer():
            return (node.type, *((i.designator, spell(i.value)) for i in node.items))
        case Lambda():
            return ("lambda", node.function)
        case Unknown():
            return ("unknown", *map(spell, node.parts))
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("None", None),
        ("True", 1),
        ("0x1F", 31),
        ("1_000", 1000),
        ("'a' \"b\"", "ab"),
        (r"'\x41\n'", "A\n"),
        (r"r'\d'", r"\d"),
        ("b'x'", "x"),
        ("f'ws://{host}/x'", (("ws://", "+", ("unknown", "host")), "+", "/x")),
        ("f'a{{b}}'", "a{b}"),
        ("'a' + 'b'", "ab"),
        ("x + 'a' + 'b'", ("x", "+", "ab")),
        ("not a and b or c", ((("!", "a"), "&&", "b"), "||", "c")),
        ("a < b < c", (("a", "<", "b"), "&&", ("b", "<", "c"))),
        ("a is not None", ("a", "is not", None)),
        ("a if b else c", ("b", "?", "a", "c")),
        ("a.b.c", (("a", ".", "b"), ".", "c")),
        ("a['k']", ("a", "[]", "k")),
        ("f(1, *a, k=2, **d)", ("call", "f", 1, ("*", "a"), ("k", 2), ("**", "d"))),
        ("[1, *a]", ("list", (None, 1), (None, ("*", "a")))),
        (
            "{'k': 1, 2: 3, x: 4, **d}",
            ("dict", ("k", 1), (2, 3), (None, ("unknown", "x", 4)), (None, ("**", "d"))),
        ),
        ("{1}", ("set", (None, 1))),
        ("(n := f())", ("n", "=", ("call", "f"))),
        ("[x.send() for x in y if z]", ("unknown", ("call", ("x", ".", "send")), "y", "z")),
        ("lambda x: x", ("lambda", 1)),
        ("a | b << ~2", ("a", "|", ("b", "<<", ("~", 2)))),
    ],
)
def test_expressions(text: str, expected: object) -> None:
    assert spell(value(text)) == expected


def test_functions_methods_and_what_is_inside_them() -> None:
    found = facts(
        "@decorate(1)\n"
        "async def outer(a, /, b: int = 2, *rest, c=3, **more) -> str:\n"
        "    def inner():\n"
        "        await ready()\n"
        "    return lambda: 1\n"
        "class A:\n"
        "    class B(Base, metaclass=M):\n"
        "        x = f()\n"
        "        y: int\n"
        "        def __init__(self):\n"
        "            self.z = 1\n"
        "        def run(self): pass\n"
    )
    told = [(f.qualified, f.kind, f.owner, f.parent, f.coroutine) for f in found.functions]
    assert told == [
        ("<module>", "function", "", None, False),
        ("outer", "function", "", 0, True),
        ("outer.inner", "function", "", 1, False),
        ("outer.<lambda>", "lambda", "", 1, False),
        ("A.B.__init__", "constructor", "A.B", 0, False),
        ("A.B.run", "method", "A.B", 0, False),
    ]
    outer = found.functions[1]
    assert [(p.name, p.type, spell(p.default)) for p in outer.parameters] == [
        ("a", "", None),
        ("b", "int", 2),
        ("*rest", "", None),
        ("c", "", 3),
        ("**more", "", None),
    ]
    assert spell(outer.decorators[0]) == ("call", "decorate", 1)
    assert outer.returns == "str"
    inner, outermost = found.classes
    assert (inner.qualified, inner.bases, inner.methods) == ("A.B", ("Base",), ("__init__", "run"))
    assert [(f.name, f.type, spell(f.value)) for f in inner.fields] == [
        ("z", "", 1),
        ("x", "", ("call", "f")),
        ("y", "int", None),
    ]
    assert outermost.qualified == "A"


def test_class_bodies_run_where_the_class_stands() -> None:
    [statement] = [s for s in body("class A:\n    x = f()\n") if isinstance(s, Evaluate)]
    assert spell(statement.value) == (("A", ".", "x"), "=", ("call", "f"))


def test_statements() -> None:
    found = body(
        "import a\n"
        "x = y = 1\n"
        "x |= 2\n"
        "z: int = 3\n"
        "global g\n"
        "for i in r:\n    break\n"
        "while t:\n    continue\n"
        "with open(p) as h, lock:\n    pass\n"
        "try:\n    f()\nexcept (A, B) as e:\n    raise\nfinally:\n    g()\n"
        "assert x\n"
        "del x\n"
        "match v:\n    case 1:\n        f()\n    case _:\n        g()\n"
    )
    assert [spell(s.value) for s in found if isinstance(s, Evaluate)] == [
        ("x", "=", ("y", "=", 1)),
        ("x", "|=", 2),
        ("assert", "x"),
        ("delete", "x"),
    ]
    assert [(s.name, s.type, spell(s.value)) for s in found if isinstance(s, Declare)] == [
        ("z", "int", 3),
        ("g", "global", None),
    ]
    first, second = (s for s in found if isinstance(s, Loop))
    assert (first.kind, second.kind, spell(second.test)) == ("range", "while", "t")
    [declared] = first.before
    assert isinstance(declared, Declare)
    assert spell(declared.value) == ("unknown", "r")
    blocks = [s for s in found if isinstance(s, Block)]
    assert [b.kind for b in blocks] == ["with", "try", "catch", "block"]
    entered, locked = blocks[0].body
    assert isinstance(entered, Evaluate)
    assert isinstance(locked, Evaluate)
    assert spell(entered.value) == ("h", "=", ("with", ("call", "open", "p")))
    assert spell(locked.value) == ("with", "lock")
    caught = blocks[2].body[0]
    assert isinstance(caught, Declare)
    assert (caught.name, caught.type) == ("e", "A, B")
    [switch] = (s for s in found if isinstance(s, Switch))
    assert [a.default for a in switch.arms] == [False, True]


def test_if_chains_nest() -> None:
    [first] = body("if a:\n    f()\nelif b:\n    g()\nelse:\n    h()\n")
    assert isinstance(first, If)
    [second] = first.other
    assert isinstance(second, If)
    assert spell(second.test) == "b"
    assert len(second.other) == 1


def test_imports_are_aliases() -> None:
    found = facts(
        "import ssl\nimport a.b\nimport c.d as e\nfrom f import g as h, i\nfrom . import j\n"
        "from ..k import l\n"
        "from m import *\ndef late():\n    import n\n"
    )
    told = [(alias.name, alias.type) for alias in found.aliases]
    assert told == [
        ("ssl", "ssl"),
        ("a", "a"),
        ("", "a.b"),
        ("e", "c.d"),
        ("h", "f.g"),
        ("i", "f.i"),
        ("j", ".j"),
        ("l", "..k.l"),
        ("*", "m"),
        ("n", "n"),
    ]


# ------------------------------------------------------------------------------------- spans


def leaves(found: FileFacts) -> list[Value]:
    return [
        node
        for function in found.functions
        for statement in function.body
        for part in statements((statement,))
        if isinstance(part, (Evaluate, Return, Declare))
        for whole in values_of(part)
        for node in walk(whole)
    ]


@pytest.mark.parametrize(
    "data",
    [
        "é = 'ü'\nname.field(other)\n".encode(),
        b"\xef\xbb\xbfx = 1\nname.field(other)\n",
        b"# coding: latin-1\nx = '\xe9\xe9'; name.field(other)\n",
        b"x = 1\r\nname.field(other)\r\n",
        b"if x:\n\tname.field( # c\n\t (other) ,)",
        b"\x0cx = (name\n  .field(other))",
        b"\xef\xbb\xbf\x0cx = 1\n\x0c\n  \x0cname.field(other)\x0c\n",
        b"# coding: latin-1\r\n\x0c\x0cx = '\xe9'\r\nname.field(other)",
        "with (name as 名):\n    f(( 名 ), [other])\n".encode(),
    ],
)
def test_names_are_where_their_span_says(data: bytes) -> None:
    found = facts(data)
    encoding = "latin-1" if b"latin-1" in data else "utf-8"
    names = [node for node in leaves(found) if isinstance(node, Name)]
    assert {"name", "other"} <= {node.id for node in names}
    for node in names:
        assert data[node.span.start : node.span.end].decode(encoding) == node.id
    for node in leaves(found):
        if isinstance(node, Member):
            assert data[node.field_span.start : node.field_span.end].decode(encoding) == node.field


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.glob("*/*-py/**/*.py")), ids=lambda p: "/".join(p.parts[-3:])
)
def test_every_name_of_the_fixtures_is_where_its_span_says(path: Path) -> None:
    data = path.read_bytes()
    found = python.extract(path.name, data, "python", Settings())
    assert not found.problem
    for node in leaves(found):
        if isinstance(node, Name):
            assert data[node.span.start : node.span.end].decode() == node.id


# ------------------------------------------------------------------------------------- what cannot be parsed


@pytest.mark.parametrize(
    "text",
    [
        "print 'hello'\n",
        "print\nprint x, y\n",
        "try:\n    pass\nexcept IOError, e:\n    print e\n",
        "raise ValueError, 'x'\n",
        "x = 0777\n",
        "if a <> b: pass\n",
        "exec 'x'\n",
        "x = ur'a'\n",
    ],
)
def test_python_2_is_named(text: str) -> None:
    assert facts(text).problem == NOT_PYTHON_3


@pytest.mark.parametrize("data", [b"def f(:\n", b"x = '\xff'\n", b"# coding: no-such\n", b"\0", b"class\n"])
def test_what_is_no_python_is_said(data: bytes) -> None:
    assert facts(data).problem == NOT_PYTHON


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "x", "type X = int\n", "match = 1\n"])
def test_small_and_new_files_parse(text: str) -> None:
    assert not facts(text).problem


HOSTILE = {
    "brackets": lambda n: "(" * n + "1" + ")" * n,
    "lists": lambda n: "[" * n + "]" * n,
    "not": lambda n: "not " * n + "x",
    "plus": lambda n: "+".join(["1"] * n),
    "attributes": lambda n: "a" + ".b" * n,
    "calls": lambda n: "f" + "()" * n,
    "ternaries": lambda n: "1 if x else " * n + "2",
    "elif": lambda n: "if x:\n pass\n" + "elif x:\n pass\n" * n,
    "strings": lambda n: "'a' " * n,
    "lambdas": lambda n: "lambda:" * n + "1",
    "and": lambda n: " and ".join(["a"] * n),
    "power": lambda n: "**".join(["a"] * n),
    "compare": lambda n: "<".join("a" * n),
    "indexes": lambda n: "a" + "[0]" * n,
    "minus": lambda n: "-" * n + "1",
    "tilde": lambda n: "~ " * n + "1",
    "await": lambda n: "async def f():\n " + "(await " * n + "x" + ")" * n,
    "nested blocks": lambda n: "".join(" " * i + "if x:\n" for i in range(min(n, 2000))) + " " * n + "pass",
    "nested functions": lambda n: (
        "".join(" " * i + "def f():\n" for i in range(min(n, 2000))) + " " * n + "pass"
    ),
    "f-strings": lambda n: "f'{" * min(n, 3) + "1" + "}'" * min(n, 3),
    "open": lambda n: "(" * n,
    "quotes": lambda n: "'''" + "\\" * n,
}


@pytest.mark.parametrize("number", [90, 250, 590, 3000, 50_000])
@pytest.mark.parametrize("kind", HOSTILE)
def test_depth_ends_neither_the_process_nor_the_patience(kind: str, number: int) -> None:
    """In a process of its own: libcst overflows the C stack on what must be kept from it."""
    source = HOSTILE[kind](number) + "\n"
    program = (
        "import sys; from lwslint.frontends import python; from lwslint.settings import Settings\n"
        "facts = python.extract('m.py', sys.stdin.buffer.read(), 'python', Settings())\n"
        "print('done', facts.problem)\n"
    )
    if number not in (590, 50_000):
        facts(source)
        return
    done = subprocess.run(
        [sys.executable, "-c", program], input=source.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.stdout.startswith(b"done"), done.stderr.decode()[-300:]


def test_long_but_flat_files_are_parsed() -> None:
    assert not facts("x = [" + "1, " * 20_000 + "]\n" + "f(a, b)\n" * 2_000).problem


def test_the_parser_is_imported_for_python_only() -> None:
    program = (
        "import sys; from lwslint import cli\n"
        "try: cli.main(['--version'])\n"
        "except SystemExit: pass\n"
        "print('libcst' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.endswith("False\n")


def test_functions_are_plain_data() -> None:
    import pickle

    found = facts("async def f(a=1):\n    return a\n")
    assert pickle.loads(pickle.dumps(found)) == found
    assert isinstance(found.functions[1], Function)
