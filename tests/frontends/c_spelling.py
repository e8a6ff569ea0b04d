"""Facts spelled as one line of text, spans left out, so that a test can say what it expects at a glance."""

from __future__ import annotations

from lwslint import facts as f
from lwslint.frontends.c import extract
from lwslint.settings import Settings


def lower(source: str | bytes, language: str = "c") -> f.FileFacts:
    data = source.encode() if isinstance(source, str) else source
    return extract("file.c", data, language, Settings())


def value(source: str, language: str = "c") -> str:
    """The spelling of an expression."""
    found = lower(f"void f(void) {{ v = {source}; }}", language)
    assert found.error_bytes == 0
    statement = found.functions[0].body[-1]
    assert isinstance(statement, f.Evaluate) and isinstance(statement.value, f.Assign)
    return spell(statement.value.value)


def body(source: str, language: str = "c") -> str:
    """The spelling of the statements of a function that has ``source`` as its body."""
    return block(lower(f"void f(void) {{ {source} }}", language).functions[0].body)


def block(statements: tuple[f.Statement, ...]) -> str:
    return " ".join(map(spell_statement, statements))


def spell(node: f.Value | None) -> str:
    match node:
        case None:
            return "-"
        case f.Number():
            return str(node.value)
        case f.Text():
            return repr(node.value)
        case f.Null():
            return "null"
        case f.Name():
            return node.id
        case f.Member():
            return f"{spell(node.object)}.{node.field}"
        case f.Index():
            return f"{spell(node.object)}[{spell(node.index)}]"
        case f.Unary():
            return f"({node.op} {spell(node.operand)})"
        case f.Binary():
            return f"({spell(node.left)} {node.op} {spell(node.right)})"
        case f.Conditional():
            return f"({spell(node.test)} ? {spell(node.then)} : {spell(node.other)})"
        case f.Cast():
            return f"<{node.type}>{spell(node.operand)}"
        case f.Assign():
            return f"{spell(node.target)} {node.op} {spell(node.value)}"
        case f.Call():
            kind = "" if node.kind == "call" else f"{node.kind} "
            return f"{kind}{spell(node.function)}({', '.join(map(spell, node.arguments))})"
        case f.Initializer():
            items = [
                (f"{i.designator}: " if i.designator is not None else "") + spell(i.value) for i in node.items
            ]
            return f"{node.type or ''}{{{', '.join(items)}}}"
        case f.Lambda():
            return f"lambda#{node.function}"
        case f.Unknown():
            return f"?({', '.join(map(spell, node.parts))})"


def spell_statement(node: f.Statement) -> str:
    match node:
        case f.Evaluate():
            return f"{spell(node.value)};"
        case f.Declare():
            static = "static " if node.static else ""
            return f"{static}{node.type} {node.name} = {spell(node.value)};"
        case f.If():
            other = f" else {{{block(node.other)}}}" if node.other else ""
            return f"if {spell(node.test)} {{{block(node.then)}}}{other}"
        case f.Switch():
            return f"switch {spell(node.subject)} [{' / '.join(map(_arm, node.arms))}]"
        case f.Loop():
            head = f"{block(node.before)}|{spell(node.test)}|{block(node.step)}"
            return f"{node.kind} ({head}) {{{block(node.body)}}}"
        case f.Return():
            return f"return {spell(node.value)};"
        case f.Jump():
            return f"{node.kind} {node.label};".replace(" ;", ";")
        case f.Label():
            return f"{node.name}:"
        case f.Block():
            return f"{node.kind} {{{block(node.body)}}}"


def _arm(arm: f.Arm) -> str:
    labels = [*map(spell, arm.labels), *(["default"] if arm.default else [])]
    return f"{'|'.join(labels)}: {block(arm.body)}"
