"""Results to report on: a tame one, and one in which all that the linted tree controls is hostile."""

from __future__ import annotations

from pathlib import Path

from lwslint.diagnostics import Applicability, Confidence, Diagnostic, Edit, Fix, Severity, Step
from lwslint.engine import Parsed, Result
from lwslint.facts import Place, Span
from lwslint.problem import Problem
from lwslint.reporters import FORMATS, View, render
from lwslint.source import Texts
from tests.conftest import BAD_RULE, FAKE_RULES, LOST_RULE

ALL = tuple(FORMATS)
VIEW = View(rules=FAKE_RULES, fail_on=Severity.WARNING)

TAME = "tame.c"
# Terminal control, line ends, commands of CI systems, markup, escapes of each format, direction marks.
EVIL = (
    "z\x1b[2J\n::error file=x.c::forged\r##[error]f ##vso[task.setvariable variable=P]v %0A%3A,;] "
    "<script>document.title='pwned'<b>]]>&lt;\"'--> [l](1) ${x} \u202e\u2028\x9b\ufffe\udcff.c"
)
_CODE = "int main(void)\n{\n\tlws_write(wsi);\n\treturn run();\n}\n"


def report(name: str, result: Result, view: View = VIEW) -> list[str]:
    return list(render(name, result, view))


def document(name: str, result: Result, view: View = VIEW) -> str:
    return "\n".join(report(name, result, view)) + "\n"


# Short enough to stand whole in a headline, and in a box of a picture.
EVIL_WORD = "<b a='\"'>&lt;"


def tame(folder: Path, like: str = EVIL) -> Result:
    return _result(folder, TAME, ("plain words, " * len(like))[: len(like)])


def hostile(folder: Path, words: str = EVIL) -> Result:
    """Has the shape of the tame result, so that anything the hostile text adds shows."""
    return _result(folder, words.replace("/", "|"), words)


def _result(folder: Path, name: str, words: str) -> Result:
    folder.mkdir(exist_ok=True)
    data = _CODE.replace("wsi", f'"{words}"'.replace("\n", "\r")).encode("utf-8", "surrogateescape")
    real = folder / "source.c"
    real.write_bytes(data)
    clean = folder / "clean.c"
    clean.write_bytes(b"\n")

    def place(needle: bytes) -> Place:
        start = data.index(needle)
        return Place(name, Span(start, start + len(needle)))

    steps = [
        Step(place(b"main"), f"{words} starts", thread=f"the thread {words}"),
        Step(place(b"run()"), f"serviced: {words}", thread="the service thread"),
    ]
    replacement = words.replace("\n", "").replace("\r", "").encode("ascii", "ignore").decode()
    found: tuple[Diagnostic, ...] = (
        BAD_RULE.report(
            place(b"lws_write"),
            f"the program crashes: {words}",
            help="write this:\n    {0}\n{0}".format(words.replace("\n", "")),
            related=steps,
            function=f"f{words}",
            confidence=Confidence.LOW,
            fix=Fix(
                words,
                Applicability.UNSAFE,
                (Edit(place(b"lws_write"), replacement), Edit(place(b"run()"), "0")),
            ),
        ),
        LOST_RULE.report(
            place(b"return"),
            words,
            severity=Severity.NOTE,
            fix=Fix("do it", Applicability.SAFE, (Edit(place(b"return"), "exit"),)),
        ),
        Diagnostic(
            "LWS999", "odd-call", Severity.WARNING, Confidence.HIGH, BAD_RULE.impact, place(b"int"), "m"
        ),
    )
    return Result(
        diagnostics=found,
        parsed=(Parsed(name, "c", len(data), 3, (Span(0, 3),)), Parsed("clean.c", "c", 1, 0)),
        skipped=(),
        problems=(Problem(name, words), Problem("", words)),
        texts=Texts({name: str(real), "clean.c": str(clean)}, 100_000),
    )
