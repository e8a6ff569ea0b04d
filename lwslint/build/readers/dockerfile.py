"""Dockerfiles: what their images build, with which options, and what they start.

The format is one of instructions, a line each (docs.docker.com/reference/dockerfile); ``RUN`` goes to
:mod:`lwslint.build.readers.shell`.  tree-sitter-dockerfile 0.2 does not load into today's tree-sitter
without a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, shell
from lwslint.build.readers.records import Records, Snippet, decode, text_start, whole
from lwslint.build.readers.words import Word, split, unquote
from lwslint.facts import Span

_DIRECTIVE = re.compile(rb"[ \t]*#[ \t]*escape[ \t]*=[ \t]*(\S)[ \t\r]*\n", re.IGNORECASE)
_INSTRUCTION = re.compile(rb"[ \t]*([A-Za-z]+)(?:[ \t]+|(?=[\\`]\r?\n)|\Z)")
_HEREDOC = re.compile(rb"<<-?[ \t]*([\"']?)([A-Za-z_]\w*)\1")
_FLAGS = re.compile(rb"(?:\s*--[\w-]+(?:=\S*)?\s+)+")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*+)"')
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.*)\Z", re.DOTALL | re.ASCII)
_FROM = re.compile(r"(?i)(\S+)(?:\s+AS\s+(\S+))?")


class Instruction(NamedTuple):
    """One instruction: ``name`` in upper case, ``flags`` (``--from=build``), ``body`` what follows them,
    ``script`` the heredoc of a ``RUN``."""

    name: str
    flags: str
    body: Snippet
    span: Span
    script: Snippet | None = None


class _Stage(NamedTuple):
    """``FROM … AS name``: the instructions of one image."""

    name: str
    base: str
    place: Span
    instructions: list[Instruction]


def read(path: str, data: bytes) -> BuildFile:
    """What the stages of a Dockerfile build.

    A stage that the last one does not need is built only when asked for (``docker build --target``), which
    is a condition of its records.
    """
    return Records(path, "dockerfile", data).read(_read)


def _read(records: Records) -> None:
    before, stages = _stages(instructions(records.data))
    arguments: dict[str, list[Word]] = {}
    for instruction in before:
        if instruction.name == "ARG":
            arguments.update(_pairs(records, instruction, "option", {}))
    needed = _needed(stages)
    environments: dict[str, dict[str, list[Word]]] = {}
    for number, stage in enumerate(stages):
        when = (
            ()
            if number in needed
            else (When(f"docker build --target {stage.name or number}", records.place(stage.place)),)
        )
        # A stage starts with what its base stage has set.
        environment = dict(environments.get(stage.base, {}))
        with records.under(*when):
            for instruction in stage.instructions:
                _instruction(records, instruction, environment, arguments)
        environments[stage.name] = environment


def _instruction(
    records: Records,
    instruction: Instruction,
    environment: dict[str, list[Word]],
    arguments: dict[str, list[Word]],
) -> None:
    match instruction.name:
        case "ARG":
            environment.update(_pairs(records, instruction, "option", arguments))
        case "ENV":
            environment.update(_pairs(records, instruction, "environment", {}))
        case "RUN":
            if instruction.script is not None:
                shell.read_snippet(records, instruction.script, environment)
            elif words := _exec_form(instruction.body):
                commands.read(records, words)
            else:
                shell.read_snippet(records, instruction.body, environment)
        case "ADD":
            commands.read(records, [Word("ADD", instruction.span), *split(instruction.body)])
        case "CMD" | "ENTRYPOINT":
            words = _exec_form(instruction.body) or split(instruction.body)
            if words:
                commands.program_arguments(records, words)


def _stages(found: Iterator[Instruction]) -> tuple[list[Instruction], list[_Stage]]:
    before: list[Instruction] = []
    stages: list[_Stage] = []
    for instruction in found:
        if instruction.name == "FROM":
            match = _FROM.match(decode(instruction.body.text).strip())
            base, name = (match[1], match[2] or "") if match else ("", "")
            stages.append(_Stage(name.lower(), base.lower(), instruction.span, []))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            before.append(instruction)
    return before, stages


def _needed(stages: list[_Stage]) -> set[int]:
    """The stages that building the last one builds too."""
    by_name = {stage.name: number for number, stage in enumerate(stages) if stage.name}
    by_name.update({str(number): number for number in range(len(stages))})
    needed: set[int] = set()
    waiting = [len(stages) - 1] if stages else []
    while waiting:
        number = waiting.pop()
        if number in needed:
            continue
        needed.add(number)
        stage = stages[number]
        used = [stage.base]
        for instruction in stage.instructions:
            used += re.findall(r"\bfrom=([\w.-]+)", instruction.flags.lower())
        waiting += [by_name[name] for name in used if by_name.get(name, number) < number]
    return needed


def _pairs(
    records: Records, instruction: Instruction, scope: str, defaults: dict[str, list[Word]]
) -> dict[str, list[Word]]:
    """The variables of ``ENV A=1 B="x y"``, ``ENV A x y`` and ``ARG A=1``, which become settings."""
    words = split(instruction.body)
    found: dict[str, list[Word]] = {}
    if instruction.name == "ENV" and words and "=" not in words[0].text:
        name, values = words[0].text, words[1:]
        if values:
            span = Span(words[0].span.start, values[-1].span.end)
            records.setting(name, " ".join(word.text for word in values), span, scope)
            found[name] = values
            commands.variable(records, name, values)
        return found
    for word in words:
        match = _PAIR.match(word.text)
        if match is None:
            if word.text in defaults:  # ARG A after FROM: the value from before it
                found[word.text] = defaults[word.text]
            continue
        records.setting(match[1], match[2], word.span, scope)
        found[match[1]] = [Word(part, word.span) for part in match[2].split()]
        commands.variable(records, match[1], found[match[1]])
    return found


def _exec_form(body: Snippet) -> list[Word]:
    """The words of ``["cmake", "-DX=1"]``; none for any other text."""
    text = body.text.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        return []
    return [
        Word(unquote(decode(match[0])), body.span(match.start(), match.end()))
        for match in _STRING.finditer(body.text)
    ]


# --------------------------------------------------------------------------- syntax


def instructions(data: bytes) -> Iterator[Instruction]:
    """The instructions of a Dockerfile in order; comments and what is no instruction are left out."""
    file = whole(data)
    position = text_start(data)
    directive = _DIRECTIVE.match(data, position)
    escape = directive[1] if directive else b"\\"
    while position < len(data):
        end = _line_end(data, position)
        match = _INSTRUCTION.match(data, position, end)
        if match is None:
            position = end + 1
            continue
        text, stop = _joined(data, position, escape)
        body = Snippet(bytes(text), range(position, position + len(text) + 1))
        body = body.part(match.end() - position, len(text))
        behind = _FLAGS.match(body.text)
        flags = behind.end() if behind else 0
        rest = body.part(flags, len(body.text))
        name = decode(match[1]).upper()
        span = Span(match.start(1), min(stop, len(data)))
        position, script = stop, None
        heredoc = _HEREDOC.search(rest.text) if name in ("RUN", "COPY", "ADD") else None
        if heredoc is not None:
            last = re.compile(rb"^[ \t]*" + heredoc[2] + rb"[ \t\r]*$", re.MULTILINE).search(data, stop)
            position = _line_end(data, last.end()) + 1 if last else len(data)
            script = file.part(stop, last.start() if last else len(data)) if name == "RUN" else None
        yield Instruction(name, decode(body.text[:flags]), rest, span, script)


def _line_end(data: bytes, position: int) -> int:
    end = data.find(b"\n", position)
    return len(data) if end < 0 else end


def _joined(data: bytes, position: int, escape: bytes) -> tuple[bytearray, int]:
    """A logical line from ``position``, and the offset behind it; every byte stays in its place.

    Comments between continued lines become blanks; so does an escape mark that the shell does not know.
    """
    text = bytearray()
    first = True
    while position < len(data):
        end = _line_end(data, position)
        line = data[position:end]
        stripped = line.strip()
        if not first and (stripped.startswith(b"#") or not stripped):
            text += b" " * (len(line) + 1)
            position = end + 1
            continue
        first = False
        position = end + 1
        if not line.rstrip().endswith(escape):
            return text + line, position
        kept = line.rstrip()[:-1]
        text += kept + b" " * (len(line) - len(kept) + 1)
    return text[: len(data)], position
