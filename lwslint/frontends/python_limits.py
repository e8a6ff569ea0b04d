"""Whether a Python file is safe to hand to libcst, told from its bytes.

libcst's parser is recursive: a few thousand nested brackets, ``not``s or ``elif``s overflow the C
stack and end the process, and chains of operators take time that grows with the square of their
length.  (Measured with libcst 1.9: 5,000 open brackets crash it, 5,000 ``+`` in one expression take 17
seconds.)  So nesting and chains are counted first, by a scan that knows only strings, comments and
brackets.
"""

from __future__ import annotations

import re

MAX_BRACKETS = 200  # what CPython's own tokenizer accepts
MAX_CHAIN = 600
MAX_CHAIN_COST = 3_000_000  # the sum of squares, about two seconds
MAX_ELIFS = 2_000
MAX_STRINGS = 300

_TOKEN = re.compile(
    rb"""(?P<string>[bBfFrRuUtT]{0,3}(?:'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)
                                     |\"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\"|\Z)
                                     |'(?:[^'\\\n]|\\.)*+(?:'|(?=\n)|\Z)
                                     |"(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\Z)))
       |(?P<comment>\#[^\n]*)
       |(?P<open>[(\[{])
       |(?P<close>[)\]}])
       |(?P<end>[,;\n]|(?<![=!<>+\-*/%&|^@:])=(?!=))
       |(?P<chain>\b(?:not|and|or|if|else|lambda|await|for|in|is)\b|[-+*/%&|^~@<>.]+)
       |(?P<elif>\belif\b)
       |(?P<word>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def excess(data: bytes) -> str:
    """What in ``data`` is more than libcst is given, as a reason to skip the file; "" when nothing is."""
    depth = elifs = cost = 0
    counts = [0]  # of the operators in the current element, for each open bracket
    strings = 0
    for match in _TOKEN.finditer(data):
        kind = match.lastgroup
        if kind == "string":
            strings += 1
            if strings > MAX_STRINGS:
                return f"more than {MAX_STRINGS} adjacent string literals"
            continue
        if kind == "comment" or (match[0] == b"\n" and depth):
            continue
        strings = 0
        match kind:
            case "open":
                depth += 1
                counts[-1] += 1
                counts.append(0)
                if depth > MAX_BRACKETS:
                    return f"more than {MAX_BRACKETS} nested brackets"
            case "close":
                if depth:
                    depth -= 1
                    cost += counts.pop() ** 2
            case "end":
                cost += counts[-1] ** 2
                counts[-1] = 0
            case "chain":
                counts[-1] += 1 if match[0].isalpha() else len(match[0])
            case "elif":
                elifs += 1
                if elifs > MAX_ELIFS:
                    return f"more than {MAX_ELIFS} elif branches"
        if counts[-1] > MAX_CHAIN:
            return f"more than {MAX_CHAIN} operators in one expression"
        if cost > MAX_CHAIN_COST:
            return "too many long chains of operators"
    return ""


# Statements that only Python 2 has, as a reader tells them: they need no certainty, since they only
# explain why a file did not parse.
_PYTHON_2 = re.compile(
    rb"""^[ \t]*(?: print[ \t]+(?!\()[\w"'%] | print[ \t]*>> | print[ \t]*$ | print[ \t]*\([^\n]*\)[ \t]*[%,]
                  | exec[ \t]+["'\w]
                  | except[ \t]+[\w.()]+[ \t]*,[ \t]*\w+[ \t]*:
                  | except[ \t]*\([^)\n]*\)[ \t]*,[ \t]*\w+[ \t]*:
                  | raise[ \t]+[\w.]+[ \t]*,
                )
      | <> | \b0[0-7]+[lL]?\b(?![.xob]) | \b\d+[lL]\b | \b[uU][rR]["'] | `[^`\n]+`
    """,
    re.MULTILINE | re.VERBOSE,
)


def is_python_2(data: bytes) -> bool:
    """Whether a file that does not parse looks like Python 2."""
    return _PYTHON_2.search(data) is not None
