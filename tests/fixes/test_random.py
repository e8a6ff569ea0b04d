"""Random expressions of flags: whatever is dropped, the rest stays, in order, and is C."""

from __future__ import annotations

import ast
import random
import re
from pathlib import Path

import pytest

from lwslint.facts import FileFacts
from lwslint.frontends import scan
from lwslint.remedies import DropElements, DropFlags, DropStatements
from lwslint.settings import Settings
from lwslint.workers import Unit, lower
from tests.fixes.snippets import apply, marked

_TOKEN = re.compile(rb"[A-Za-z_]\w*|\d+")
_GAPS = ("", " ", " ", " ", "\n    ", "\t", " /* c */ ", " // c\n    ", "\r\n  ")


class Dice:
    """Writes expressions; the flags are called F, and are the only names that are marked."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.flags = 0

    def gap(self) -> str:
        return self._random.choice(_GAPS)

    def operand(self, depth: int) -> str:
        kind = self._random.randrange(12 if depth < 3 else 8)
        if kind < 4:
            self.flags += 1
            return "«F»" if kind else "(«F»)"
        if kind < 8:
            return self._random.choice(["A", "b.c", "p->q[1]", "g(x, 2)", "~m", "7", "0x1f", "(int)d"])
        if kind < 10:
            return f"({self.chain(depth + 1)})"
        if kind == 10:
            return f"({self.operand(3)} ? {self.chain(depth + 1)} : {self.chain(depth + 1)})"
        return f"h({self.chain(depth + 1)}, {self.chain(depth + 1)})"

    def chain(self, depth: int = 0) -> str:
        parts = [self.operand(depth) for _ in range(self._random.randrange(1, 6))]
        text = parts[0]
        for part in parts[1:]:
            text += f"{self.gap()}|{self.gap()}{part}"
        return text

    def statement(self) -> str:
        return self._random.choice(
            [
                f"x ={self.gap()}{self.chain()}{self.gap()};",
                f"s.x |={self.gap()}{self.chain()};",
                f"x = x | {self.chain()};",
                f"f({self.chain()}, {self.chain()});",
                f"S t = {{ .x = {self.chain()}, .y = {self.chain()} }};",
                f"x = t ? {self.chain()} : {self.chain()};",
                f"return {self.chain()};",
                f"\n#if T\n  x |= {self.chain()};\n#endif\n",
                f"\n#define M ({self.chain()})\n".replace("\r", "").replace("// c", "/* c */"),
            ]
        )


def continued(text: str) -> str:
    """Line ends within a macro's text, continued."""
    head, sep, rest = text.partition("#define M ")
    if not sep:
        return text
    body, end = rest[:-1], rest[-1]
    return head + sep + body.replace("\n", "\\\n") + end


def names(text: bytes) -> list[bytes]:
    """The names and numbers of the code, without comments."""
    bare = scan.blank_spans(text, [s for s in scan.quiet(text, "c") if text[s[0]] == 0x2F])
    return _TOKEN.findall(bare)


@pytest.mark.parametrize("seed", range(400))
def test_what_is_left_is_what_was_not_dropped(seed: int, tmp_path: Path) -> None:
    dice = Dice(seed)
    text = "int f(void)\n{\n  y;\n  " + continued(dice.statement()) + "\n  z;\n}\n"
    before, places = marked(text, "a.c")
    if not places:
        return
    after = apply(tmp_path, "a.c", text, DropFlags)
    if after is None:
        return
    left = [name for name in names(before) if name != b"F"]
    found = names(after.encode())
    # A statement that only adds flags goes as a whole, and so does `x = x`.
    assert found in (left, _without(left, [b"s", b"x"]), _without(left, [b"x", b"x"]), _without(left, [b"x"]))
    for data in (before, after.encode()):
        facts = lower(Unit("a.c", data, "c"), Settings())
        assert isinstance(facts, FileFacts) and facts.error_bytes == 0, data.decode()


def _without(names: list[bytes], run: list[bytes]) -> list[bytes]:
    """``names`` without the first occurrence of a run of them behind ``int f(void) { y;``."""
    for at in range(4, len(names)):
        if names[at : at + len(run)] == run:
            return names[:at] + names[at + len(run) :]
    return names


def test_most_of_the_random_expressions_can_be_fixed(tmp_path: Path) -> None:
    """Else the test above would test little."""
    outcomes = []
    for seed in range(400):
        text = "int f(void)\n{\n  " + continued(Dice(seed).statement()) + "\n}\n"
        if "«" in text:
            outcomes.append(apply(tmp_path, "a.c", text, DropFlags) is not None)
    assert sum(outcomes) > len(outcomes) // 5


@pytest.mark.parametrize("seed", range(100))
def test_random_arguments_of_python_are_dropped(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    gaps = ("", " ", "\n    ", "  # c\n    ")
    elements = [
        f"k{n}={dice.choice(['1', '(2, 3)', 'g(4, [5])', repr('a,b')])}" for n in range(dice.randrange(1, 7))
    ]
    dropped = {n for n in range(len(elements)) if dice.random() < 0.5} or {0}
    pieces = [f"«{e}»" if n in dropped else e for n, e in enumerate(elements)]
    text = "f(" + dice.choice(gaps) + f",{dice.choice(gaps)}".join(pieces)
    text += dice.choice(["", ",", "\n", ",\n"]) + ")\n"
    after = apply(tmp_path, "a.py", text, DropElements)
    assert after is not None
    namespace: dict[str, object] = {"f": lambda **given: given, "g": lambda *given: given}
    exec(f"got = {after}", namespace)
    assert list(namespace["got"]) == [f"k{n}" for n in range(len(elements)) if n not in dropped]  # type: ignore[call-overload]


def block(dice: random.Random, depth: int) -> list[str]:
    """The lines of a block of Python, some of whose statements are marked."""
    lines: list[str] = []
    for _ in range(dice.randrange(1, 4)):
        kind = dice.randrange(9 if depth < 3 else 6)
        end = dice.choice(["", "", "  # c"])
        if kind < 2:
            lines.append(f"a = {dice.randrange(99)}{end}")
        elif kind < 4:
            lines.append(f"«c.x = False»{end}")
        elif kind == 4:
            lines += ["«c.y = (", "    False", f")»{end}"]
        elif kind == 5:
            lines += [
                dice.choice(["", "# c", f"if a: «c.x = 1»{end}", "b = 1; «c.x = 1»", "«c.x = 1»; b = 2"])
            ]
        else:
            head = dice.choice(["if a:", "for a in b:", "while a:", "with a as b:", "def f():", "class C:"])
            lines += [head + end, *(f"    {line}".rstrip() for line in block(dice, depth + 1))]
            if head == "if a:" and dice.random() < 0.5:
                lines += ["else:", *(f"    {line}".rstrip() for line in block(dice, depth + 1))]
    return lines if any("=" in line or ":" in line for line in lines) else [*lines, "a = 0"]


@pytest.mark.parametrize("seed", range(200))
def test_random_statements_of_python_are_dropped(seed: int, tmp_path: Path) -> None:
    text = "\n".join(block(random.Random(seed), 0)) + random.Random(seed).choice(["", "\n", "\n\n"])
    before, places = marked(text, "a.py")
    ast.parse(before)
    if not places:
        return
    after = apply(tmp_path, "a.py", text, DropStatements)
    assert after is not None
    assert "c.x" not in after and "c.y" not in after
    kept = [ast.dump(node) for node in ast.walk(ast.parse(after)) if isinstance(node, ast.Assign)]
    wanted = [
        ast.dump(node)
        for node in ast.walk(ast.parse(before))
        if isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Attribute)
    ]
    assert sorted(kept) == sorted(wanted)
    assert after.count("# c") >= before.decode().count("# c") - len(places)
