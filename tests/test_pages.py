"""The examples on the rules' pages are code: put into a whole program (docs/frames), each has the finding
that its page is about and no other, and what the page says to write instead has none."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from lwslint import documentation
from lwslint.documentation import Block
from lwslint.rule import LoadedRule
from tests import fixture_runs
from tests.test_fixtures_compile import COMMANDS, compile_unit, lacking

FRAMES = Path(__file__).resolve().parent.parent / "docs" / "frames"
# Rules whose examples fit into one program: the frame of the example, and of what to write instead.
SHARED = {
    "debug-options-in-production-build": ("fetched", "fetched"),
    "malformed-subprotocol": ("connect", "connect"),
    "malformed-suppression": ("connect", "connect"),
    "permissive-tls-flags": ("connect", "connect"),
    "plaintext-despite-tls-flags": ("connect", "connect"),
    "plaintext-logging-build": ("fetched", "fetched"),
    "plaintext-to-tls-port": ("connect", "connect"),
    "unknown-local-protocol": ("table-and-connect", "connect"),
    "unsupported-subprotocol": ("table-and-connect", "connect-radio"),
    "unused-suppression": ("connect", "connect"),
    "version-mismatch": ("found", "found"),
}
# A comment that suppresses nothing leaves its finding where it is.
BESIDE = {"malformed-suppression": {"LWS401"}}
BAD, GOOD = "Example", "Write instead"
# Languages by the names of their fences.  Configurations are whole files, one after each empty line, unless
# there is a frame.
SUFFIXES = {"c": ".c", "cpp": ".cpp", "python": ".py", "json": ".json", "cmake": ".cmake"}
# The program that an example of a build file builds.
BUILT = FRAMES / "main.c"
_PLACE = re.compile(r"(?m)^( *)@\d+\n")
_CUTS = {
    ".json": re.compile(r"\n(?=\n)"),
    ".py": re.compile(r"(?m)(?<!\A)^(?=#.*$)"),
    ".c": re.compile(r"(?m)(?<!\A)^(?=/\*.*\*/$)"),
}
_CUTS[".cpp"] = _CUTS[".c"]
_CUTS[".cmake"] = _CUTS[".py"]

RULES = fixture_runs.rules()
CASES = [
    pytest.param(
        loaded, section, number, block, id=f"{loaded.rule.name}-{section.split()[0].lower()}-{number}"
    )
    for loaded in RULES
    for section in (BAD, GOOD)
    for number, block in enumerate(
        (b for b in documentation.blocks(loaded.documentation) if b.section == section), 1
    )
    if block.language in SUFFIXES
]


def frame(loaded: LoadedRule, section: str, number: int, suffix: str) -> Path:
    """The program that a block of a rule's page belongs into."""
    name = loaded.rule.name
    bad, good = (name, f"{name}.instead")
    if suffix in (".c", ".cmake"):
        bad, good = SHARED.get(name, (bad, good))
    if section == BAD:
        return FRAMES / f"{bad}{suffix}"
    numbered = FRAMES / f"{good}-{number}{suffix}"
    if number > 1 and numbered.exists():
        return numbered
    own = FRAMES / f"{good}{suffix}"
    return own if own.exists() else FRAMES / f"{bad}{suffix}"


def program(text: str, pieces: Sequence[str]) -> str:
    """The frame's text with the pieces of a block in its places."""
    places = len(_PLACE.findall(text))
    assert len(pieces) <= places, f"{len(pieces)} pieces for {places} places"
    filled = iter([""] * (places - len(pieces)) + list(pieces))
    return _PLACE.sub(lambda match: textwrap.indent(next(filled), match[1]), text)


def write(loaded: LoadedRule, section: str, number: int, block: Block, folder: Path) -> list[Path]:
    """Writes the files that a block stands for into a folder."""
    suffix = SUFFIXES[block.language]
    pieces = [piece for piece in _CUTS[suffix].split(block.text) if piece.strip()]
    around = frame(loaded, section, number, suffix)
    if suffix == ".json" and not around.exists():
        texts = pieces
    else:
        texts = [program(around.read_text(encoding="utf-8"), pieces)]
    places = [folder / f"program-{index}{suffix}" for index in range(1, len(texts) + 1)]
    if suffix == ".cmake":
        places = [folder / "CMakeLists.txt"]
        shutil.copy(BUILT, folder / "main.c")
    for place, text in zip(places, texts, strict=True):
        place.write_text(text, encoding="utf-8")
    return places


def findings(folder: Path) -> list[str]:
    result = fixture_runs.lint(folder)
    assert not result.problems
    return [
        f"{report.place.code} {report.severity} line {report.place.line}: {report.message}"
        for report in fixture_runs.reports(folder, result)
    ]


@pytest.mark.parametrize(("loaded", "section", "number", "block"), CASES)
def test_example_says_what_the_page_says(
    loaded: LoadedRule, section: str, number: int, block: Block, tmp_path: Path
) -> None:
    places = write(loaded, section, number, block, tmp_path)
    found = findings(tmp_path)
    wanted = {loaded.rule.code, *BESIDE.get(loaded.rule.name, ())} if section == BAD else set()
    assert {line.split()[0] for line in found} == wanted, "\n".join(
        [*(p.read_text() for p in places), *found]
    )


@pytest.mark.parametrize(("loaded", "section", "number", "block"), CASES)
def test_example_compiles(
    loaded: LoadedRule, section: str, number: int, block: Block, tmp_path: Path
) -> None:
    for place in write(loaded, section, number, block, tmp_path):
        if place.suffix == ".py":
            compile(place.read_text(encoding="utf-8"), str(place), "exec")
        if place.suffix not in COMMANDS:
            continue
        if reason := lacking():
            pytest.skip(f"EXAMPLES NOT COMPILED: {reason}")
        said = compile_unit(place)
        assert not said, f"{said}\n{place.read_text()}"


def test_every_page_has_both() -> None:
    for loaded in RULES:
        sections = {block.section for block in documentation.blocks(loaded.documentation)}
        assert {BAD, GOOD} <= sections, loaded.rule.name


def test_every_frame_is_used() -> None:
    used = {frame(*case.values[:3], SUFFIXES[case.values[3].language]) for case in CASES}  # type: ignore[arg-type, attr-defined]
    unused = {path for path in FRAMES.iterdir() if path.suffix != ".md"} - used - {BUILT}
    assert not unused
