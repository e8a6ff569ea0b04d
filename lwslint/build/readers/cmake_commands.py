"""CMake's own syntax: a file's commands in order, each with its arguments and the conditions around it.

Nothing is evaluated here and nothing recurses: a file is untrusted, and may nest without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import tree_sitter_cmake
from tree_sitter import Language, Node, Parser

from lwslint.build.facts import When
from lwslint.facts import Place, Span

MAX_COMMANDS = 20_000
MAX_DEPTH = 64
_MAX_LOOP = 64

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", ";": "\\;"}


class Argument(NamedTuple):
    """One argument: ``text`` without quotes and with its escapes resolved, ``${X}`` as written.

    ``literal`` is true for ``[[…]]``, in which nothing is replaced.
    """

    text: str
    span: Span
    quoted: bool = False
    literal: bool = False


class Command(NamedTuple):
    """One command; ``name`` in lower case.  ``span`` reaches from its name to the closing parenthesis.

    ``sure`` is false in the body of a loop or a function, which runs any number of times.
    """

    name: str
    arguments: tuple[Argument, ...]
    span: Span
    when: tuple[When, ...] = ()
    sure: bool = True


class Parsed(NamedTuple):
    """``problem`` says what was left out, "" when nothing was."""

    commands: tuple[Command, ...]
    problem: str


_PARSER: list[Parser] = []


def _parser() -> Parser:
    if not _PARSER:
        _PARSER.append(Parser(Language(tree_sitter_cmake.language())))
    return _PARSER[0]


class _Task(NamedTuple):
    """A syntax node still to be visited, or a loop's variable to be bound (``bind``)."""

    node: Node | None
    when: tuple[When, ...]
    sure: bool
    bind: Command | None = None


def parse(path: str, data: bytes) -> Parsed:
    """The commands of ``data``; what does not parse is left out and told."""
    root = _parser().parse(data).root_node
    commands: list[Command] = []
    problem = "does not parse as CMake in full" if root.has_error else ""
    tasks = [_Task(root, (), True)]
    while tasks:
        task = tasks.pop()
        if task.bind is not None:
            commands.append(task.bind)
            continue
        if len(commands) >= MAX_COMMANDS:
            return Parsed(tuple(commands), f"only its first {MAX_COMMANDS} commands were read")
        node = task.node
        assert node is not None
        match node.type:
            case "normal_command":
                commands.append(_command(node, data, task))
            case "if_condition" | "foreach_loop" | "while_loop" | "function_def" | "macro_def":
                if len(task.when) >= MAX_DEPTH:
                    problem = f"nests deeper than {MAX_DEPTH} blocks"
                    continue
                make = _conditional if node.type == "if_condition" else _block
                tasks.extend(reversed(list(make(node, data, path, task))))
            case "source_file" | "body" | "block_def":
                tasks.extend(_Task(child, task.when, task.sure) for child in reversed(node.children))
            case _:
                pass
    return Parsed(tuple(commands), problem)


def _conditional(node: Node, data: bytes, path: str, task: _Task) -> Iterator[_Task]:
    """The bodies of an ``if``: each under its own condition and the negation of those before it."""
    earlier: tuple[When, ...] = ()
    current: tuple[When, ...] = ()
    for child in node.children:
        match child.type:
            case "if_command" | "elseif_command":
                text, span = _condition(child, data)
                test = When(text, Place(path, span))
                current = (*earlier, test)
                earlier = (*earlier, When(text, test.place, wanted=False))[:MAX_DEPTH]
            case "else_command":
                current = earlier
            case "body":
                yield _Task(child, (*task.when, *current), task.sure)
            case _:
                pass


def _condition(node: Node, data: bytes) -> tuple[str, Span]:
    for child in node.children:
        if child.type == "argument_list":
            return " ".join(_text(data, child).split()), Span(child.start_byte, child.end_byte)
    return "", Span(node.start_byte, node.end_byte)


def _block(node: Node, data: bytes, path: str, task: _Task) -> Iterator[_Task]:
    """The body of a loop or of a function.

    A ``foreach`` over words is unrolled, each turn with its variable set; any other loop is read once.
    """
    head = next((child for child in node.children if child.type.endswith("_command")), None)
    bodies = [child for child in node.children if child.type == "body"]
    if head is None:
        return
    command = _command(head, data, task)
    if node.type == "foreach_loop":
        words = [argument.text for argument in command.arguments[1:]]
        plain = bool(words) and words[0] not in ("IN", "RANGE") and not any("$" in word for word in words)
        if words[:2] == ["IN", "ITEMS"] and not any("$" in word for word in words):
            words, plain = words[2:], True
        if plain and len(words) <= _MAX_LOOP:
            for word in words:
                variable = command.arguments[0]
                binding = Command("set", (variable, Argument(word, variable.span)), command.span, task.when)
                yield _Task(None, task.when, task.sure, binding)
                yield from (_Task(body, task.when, task.sure) for body in bodies)
            return
    when = task.when
    if node.type in ("function_def", "macro_def"):
        name = command.arguments[0].text if command.arguments else ""
        when = (*when, When(f"{command.name}({name})", Place(path, command.span)))
    yield from (_Task(body, when, False) for body in bodies)


def _command(node: Node, data: bytes, task: _Task) -> Command:
    name = ""
    arguments: tuple[Argument, ...] = ()
    for child in node.children:
        if child.type == "argument_list":
            arguments = tuple(_argument(c, data) for c in child.children if c.type == "argument")
        elif not name:
            name = _text(data, child).lower()
    return Command(name, arguments, Span(node.start_byte, node.end_byte), task.when, task.sure)


def _argument(node: Node, data: bytes) -> Argument:
    span = Span(node.start_byte, node.end_byte)
    raw = _text(data, node)
    if raw.startswith("[") and raw.endswith("]"):
        opening = re.match(r"\[(=*)\[\n?", raw)
        if opening is not None:
            return Argument(raw[opening.end() : -2 - len(opening[1])], span, quoted=True, literal=True)
    quoted = len(raw) > 1 and raw[0] == raw[-1] == '"'
    text = raw[1:-1] if quoted else raw
    return Argument(
        _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), text) if "\\" in text else text, span, quoted
    )


def _text(data: bytes, node: Node) -> str:
    return data[node.start_byte : node.end_byte].decode("utf-8", "replace")
