"""Comments that suppress findings: what they cover, what is wrong with them, and how they are written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lwslint import cli, engine, registry, rewrite, suppressions
from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result
from lwslint.facts import Place, Span
from lwslint.rewrite import RewriteError
from lwslint.rule import LoadedRule
from lwslint.settings import Settings
from lwslint.source import SourceText
from tests.conftest import BAD_RULE, FAKE_RULES, WriteTree

Output = pytest.CaptureFixture[str]
OWN = tuple(r for r in registry.load(["lwslint_rules"]) if r.rule.family == "suppressions")
RULES = (*OWN, *FAKE_RULES)
BAD = "lws_bad_error();"


@pytest.fixture(autouse=True)
def fake(fake_analysis: tuple[LoadedRule, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda names=None: RULES)


def lint(root: Path, *paths: str, rules: Sequence[LoadedRule] = RULES) -> Result:
    return engine.lint(paths or ["."], Settings(), rules, cwd=str(root), catalogue=RULES)


def shown(result: Result) -> list[tuple[int, str]]:
    """Line and code of each finding."""
    return [
        (result.texts[d.place.path].position(d.place.span.start).line, d.code) for d in result.diagnostics
    ]


def one(write_tree: WriteTree, text: str | bytes, name: str = "a.c") -> Result:
    return lint(write_tree({name: text}))


# ------------------------------------------------------------------------------------- what is covered


@pytest.mark.parametrize(
    "text",
    [
        f"{BAD} // lwslint: ignore[LWS901] why\n",
        f"{BAD} /* lwslint: ignore[LWS901] why */\n",
        f"/* lwslint: ignore[LWS901] why */ {BAD}\n",
        f"// lwslint: ignore[LWS901] why\n{BAD}\n",
        f"  /* lwslint: ignore[LWS901] why\n   * and more\n   */\n{BAD}\n",
        f"/*\n * Things.\n * lwslint: ignore[LWS901] why\n */\n{BAD}\n",
        f"// lwslint: ignore[LWS901] why,\n// at length\n{BAD}\n",
        f"// lwslint: ignore[bad-call] why\n{BAD}\n",
        f"// lwslint: ignore[lws901] why\n{BAD}\n",
        f"//lwslint:ignore[ LWS902 , LWS901 ] why\n{BAD}\n",
        f"{BAD} // NOLINT(x) // lwslint: ignore[LWS901] why\n",
        f"// LWSLINT: Ignore[LWS901]: why\n{BAD}\n",
        f"// lwslint: ignore[LWS901] -- why\r\n{BAD}\r\n",
        f"\ufeff// lwslint: ignore[LWS901] why\n{BAD}\n",
        f"#define X {BAD} // lwslint: ignore[LWS901] why\n",
        f"#define X \\\n  {BAD} /* lwslint: ignore[LWS901] why */ \\\n  y\n",
        f"\n\n{BAD}\n// lwslint: ignore-file[LWS901] why\n",
        f"{BAD} // lwslint: ignore[LWS901] why",
    ],
)
def test_a_directive_suppresses(write_tree: WriteTree, text: str) -> None:
    result = one(write_tree, text)
    assert (1, "LWS901") not in shown(result) and "LWS901" not in {code for _, code in shown(result)}
    assert [s.diagnostic.code for s in result.suppressed] == ["LWS901"]
    assert result.suppressed[0].reason.startswith("why")
    assert [(h.reason, h.number) for h in result.hidden] == [("suppressed by a comment", 1)]


@pytest.mark.parametrize(
    "text",
    [
        f"// lwslint: ignore[LWS901] why\n\n{BAD}\n",  # an empty line between
        f"x(); // lwslint: ignore[LWS901] why\n{BAD}\n",  # behind other code
        f"{BAD}\n// lwslint: ignore[LWS901] why\n",  # on the line after
        f"// lwslint: ignore[LWS902] why\n{BAD}\n",
        f'x("// lwslint: ignore[LWS901] why"); {BAD}\n',
        f"// see lwslint: ignore[LWS901] why\n{BAD}\n",
        f"int lwslint; // ignore[LWS901] why\n{BAD}\n",
    ],
)
def test_a_directive_elsewhere_does_not(write_tree: WriteTree, text: str) -> None:
    result = one(write_tree, text)
    assert "LWS901" in {code for _, code in shown(result)}
    assert not result.suppressed


def test_a_directive_in_a_raw_string_is_text(write_tree: WriteTree) -> None:
    text = f'auto s = R"(\n// lwslint: ignore[LWS901] why\n)"; {BAD}\n'
    assert suppressions.read(SourceText(text.encode()), "cpp") == ([], [])


def test_any_line_of_the_span_will_do() -> None:
    text = SourceText(b"f(a, // lwslint: ignore[LWS901] why\n  b,\n  c);\ng();\n")
    (directive,), _ = suppressions.read(text, "c")
    assert (directive.first, directive.last) == (1, 1)
    diagnostic = BAD_RULE.report(Place("a.c", Span(0, 44)), "x")
    assert suppressions.lines_of(text, diagnostic) == (1, 3)


def test_several_directives_above_one_line_all_count(write_tree: WriteTree) -> None:
    text = f"// lwslint: ignore[LWS901] one\n// lwslint: ignore[LWS901] two\n{BAD}\n"
    result = one(write_tree, text)
    assert shown(result) == []  # and neither is called unused
    assert [s.reason for s in result.suppressed] == ["one"]


# ------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("// lwslint: ignore[LWS901]", "it gives no reason"),
        ("// lwslint: ignore[LWS901] --", "it gives no reason"),
        ("// lwslint: ignore why", "it names no rule in brackets"),
        ("// lwslint: ignore[] why", "it names no rule between its brackets"),
        ("// lwslint: ignore[LWS901 why", "the bracket is not closed on its line"),
        ("// lwslint ignore[LWS901] why", 'there is no colon behind "lwslint"'),
        ("// lwslint: ignored[LWS901] why", "'ignored' is no directive of lwslint; did you mean 'ignore'?"),
        (
            "// lwslint: ignore-next-line[LWS901] why",
            "'ignore-next-line' is no directive of lwslint; did you mean 'ignore-file'?",
        ),
        ("// lwslint: disable", "'disable' is no directive of lwslint"),
        ("// lwslint: ignore[LWS777] why", "no rule is called 'LWS777'"),
        ("// lwslint: ignore[LWS002] why", "LWS002 unused-suppression cannot be suppressed by a comment"),
        ("// lwslint: ignore[bad-cal] why", "no rule is called 'bad-cal'; did you mean 'bad-call'?"),
    ],
)
def test_a_malformed_directive_is_told_and_suppresses_nothing(
    write_tree: WriteTree, comment: str, why: str
) -> None:
    result = one(write_tree, f"{comment}\n{BAD}\n")
    assert shown(result) == [(2, "LWS901"), (1, "LWS001")]
    assert result.diagnostics[1].message == f"this suppresses nothing: {why}"
    assert not result.suppressed


@pytest.mark.parametrize(
    "comment", ["// lwslint is a linter", "// the lwslint: tool", "// lwslinter: x", "// x lwslint ignore[A]"]
)
def test_a_mention_is_no_directive(write_tree: WriteTree, comment: str) -> None:
    assert shown(one(write_tree, f"{comment}\n{BAD}\n")) == [(2, "LWS901")]


def test_the_right_words_of_a_directive_still_count(write_tree: WriteTree) -> None:
    result = one(write_tree, f"{BAD} // lwslint: ignore[LWS999, LWS901] why\n")
    assert shown(result) == [(1, "LWS001")]
    span = result.diagnostics[0].place.span
    assert result.texts["a.c"].data[slice(*span)] == b"LWS999"


def test_what_suppresses_nothing_is_told_word_by_word(write_tree: WriteTree) -> None:
    result = one(
        write_tree, f"{BAD} // lwslint: ignore[LWS901, lost-call] why\n\n// lwslint: ignore-file[LWS902] x"
    )
    assert shown(result) == [(1, "LWS002"), (3, "LWS002")]
    assert [d.message.partition(": ")[2] for d in result.diagnostics] == [
        "LWS902 lost-call reports nothing on line 1",
        "LWS902 lost-call reports nothing in this file",
    ]


def test_unused_is_judged_only_by_a_run_that_saw_enough(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree({"a.c": "lws_x(); // lwslint: ignore[LWS902] why\n"})
    assert shown(lint(root)) == [(1, "LWS002")]
    assert shown(lint(root, rules=(*OWN, FAKE_RULES[0]))) == []  # the rule did not run
    assert shown(lint(root, "a.c")) == []  # the file without its project
    assert shown(lint(root, ".", "missing")) == []  # a path that could not be analysed
    assert shown(lint(root, rules=FAKE_RULES)) == []  # LWS002 itself is left out


def test_an_unsure_finding_keeps_its_directive_needed(write_tree: WriteTree) -> None:
    from lwslint.diagnostics import Confidence

    root = write_tree({"a.c": f"{BAD} // lwslint: ignore[LWS901] why\n"})
    low = LoadedRule(
        BAD_RULE,
        "x",
        lambda project: iter([BAD_RULE.report(Place("a.c", Span(0, 3)), "x", confidence=Confidence.LOW)]),
    )
    settings = Settings(min_confidence=Confidence.HIGH)
    result = engine.lint(["."], settings, (*OWN, low), cwd=str(root), catalogue=RULES)
    assert shown(result) == []
    (root / "a.c").write_text(f"{BAD}\n")
    assert shown(engine.lint(["."], settings, (*OWN, low), cwd=str(root), catalogue=RULES)) == []


def test_code_that_the_build_leaves_out_is_not_judged(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    from lwslint.facts import Condition
    from tests.conftest import fake_facts

    text = "#ifdef DEBUG\nlws_x(); // lwslint: ignore[LWS901] why\n#endif\n"
    monkeypatch.setattr(
        "lwslint.frontends.c.extract",
        lambda path, data, language, settings: msgspec.structs.replace(
            fake_facts(path, data),
            inactive=(Condition(Span(0, len(data)), "DEBUG", False), Condition(Span(0, 5), "X", False)),
        ),
    )
    assert shown(one(write_tree, text)) == []


def test_a_failure_in_here_costs_no_finding(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(suppressions, "read", fail)
    result = one(write_tree, f"{BAD} // lwslint: ignore[LWS901] why\n")
    assert shown(result) == [(1, "LWS901")]
    assert "internal error in the suppressions" in result.problems[0].message


def test_verbose_lists_what_is_suppressed(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(write_tree({"a.c": f"int x;\n{BAD} // lwslint: ignore[LWS901] w\x1b[2Jhy\n"}))
    assert cli.main(["-v"]) == 0
    err = capsys.readouterr().err
    assert "lwslint: suppressed a.c:2 LWS901 bad-call: w\\x1b[2Jhy\n" in err


# ------------------------------------------------------------------------------------- other languages


@pytest.mark.parametrize(
    ("language", "text", "covered"),
    [
        ("python", "x()  # lwslint: ignore[A] why\n", [(1, 1)]),
        ("python", "# lwslint: ignore[A] why\n# more\nx()\n", [(1, 3)]),
        ("python", "s = '# lwslint: ignore[A] why'\n", []),
        ("python", 's = """\n# lwslint: ignore[A] why\n"""\n', []),
        ("python", "# -*- coding: latin-1 -*-\ns = '\xe4' # lwslint: ignore[A] why\n", [(2, 2)]),
        ("python", "x = (1,\n# lwslint: ignore[A] why\n 2)\n", [(2, 3)]),
        ("python", "# lwslint: ignore[A] why\nx()\n'''never closed\n", [(1, 2)]),
        ("cmake", "# lwslint: ignore[A] why\nset(X ON)\n", [(1, 2)]),
        ("cmake", "set(X ON)#lwslint: ignore[A] why\n", [(1, 1)]),
        ("cmake", '#[[ lwslint: ignore[A] why ]]\nset(X "# lwslint: ignore[B] no")\n', [(1, 2)]),
        ("cmake", "set(X [=[\n# lwslint: ignore[A] why\n]=])\nset(Y ON)\n", []),
        ("yaml", "a: b # lwslint: ignore[A] why\nc: '# lwslint: ignore[B] no'\n", [(1, 1)]),
        ("json", '{"a": "# lwslint: ignore[A] why"}\n', []),
    ],
)
def test_comments_of_other_languages(language: str, text: str, covered: list[tuple[int, int]]) -> None:
    directives, malformed = suppressions.read(SourceText(text.encode("latin-1")), language)
    assert [(d.first, d.last) for d in directives] == covered
    assert not malformed


def test_python_offsets_are_bytes() -> None:
    data = "\ufeffs = 'äöü€'  # lwslint: ignore[A] wäre zu viel\n".encode()
    (directive,), _ = suppressions.read(SourceText(data), "python")
    label = directive.labels[0]
    assert data[slice(*label.span)] == b"A"
    assert directive.reason == "wäre zu viel"


# ------------------------------------------------------------------------------------- per-file-ignores


def run(capsys: Output, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["--output-format", "concise", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_per_file_ignores(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    config = '[per-file-ignores]\n"tests/**" = ["LWS9"]\n"gen_*.c" = ["bad-call"]\n'
    files = {"tests/deep/a.c": BAD, "src/gen_a.c": BAD, "src/a.c": BAD, "lwslint.toml": config}
    monkeypatch.chdir(write_tree(files))
    code, out, _ = run(capsys)
    assert code == 1
    assert [line.split(":")[0] for line in out.splitlines() if "LWS901" in line] == ["src/a.c", "Fix first"][
        :1
    ]
    assert "Not shown: 2 suppressed by per-file-ignores." in out
    monkeypatch.chdir("src")  # patterns begin at the file that holds them
    assert "gen_a.c" not in run(capsys)[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '"a.c" = ["LWS777"]',
            "lwslint.toml: per-file-ignores: a.c: no rule, family or code is called 'LWS777'",
        ),
        ('"a.c" = "LWS901"', "per-file-ignores: expected array, got str"),
        ('"****a****b" = ["LWS901"]', "per-file-ignores: ****a****b: "),
    ],
)
def test_a_wrong_per_file_ignore_stops_the_run(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output, line: str, said: str
) -> None:
    monkeypatch.chdir(write_tree({"a.c": BAD, "lwslint.toml": f"[per-file-ignores]\n{line}\n"}))
    code, out, err = run(capsys)
    assert (code, out) == (2, "")
    assert said in err


# ------------------------------------------------------------------------------------- writing


def added(text: bytes, language: str = "c", reason: str = "for now") -> suppressions.Additions:
    """The text with suppressions for each `BAD` in it."""
    at = [i for i in range(len(text)) if text.startswith(b"BAD", i)]
    found = [BAD_RULE.report(Place("a", Span(i, i + 3)), "x") for i in at]
    return suppressions.additions(SourceText(text), language, found, reason)


LINE = b"/* lwslint: ignore[LWS901] for now */"


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("c", b"x();\n\tBAD;\n", b"x();\n\t" + LINE + b"\n\tBAD;\n"),
        ("c", b"x();\r\n  BAD;\r\n", b"x();\r\n  " + LINE + b"\r\n  BAD;\r\n"),
        ("c", b"\xef\xbb\xbfBAD;\n", b"\xef\xbb\xbf" + LINE + b"\nBAD;\n"),
        ("c", b"BAD(BAD);", LINE + b"\nBAD(BAD);"),
        ("c", b"#define X \\\n  BAD \\\n  y\n", b"#define X \\\n  BAD " + LINE + b" \\\n  y\n"),
        ("c", b"#define X \\\n  BAD\n", b"#define X \\\n  BAD " + LINE + b"\n"),
        (
            "c",
            b"#define X \\\n  BAD // y\n",
            b"#define X \\\n  BAD // y // lwslint: ignore[LWS901] for now\n",
        ),
        ("c", b"/* a\n*/ BAD;\n", b"/* a\n*/ BAD; " + LINE + b"\n"),
        ("cpp", b"  BAD;\n", b"  // lwslint: ignore[LWS901] for now\n  BAD;\n"),
        ("python", b"if x:\n    BAD\n", b"if x:\n    # lwslint: ignore[LWS901] for now\n    BAD\n"),
        ("python", b"x = 1 + \\\n  BAD\n", b"x = 1 + \\\n  BAD # lwslint: ignore[LWS901] for now\n"),
        ("cmake", b"set(X BAD)\n", b"# lwslint: ignore[LWS901] for now\nset(X BAD)\n"),
    ],
)
def test_a_suppression_is_written_where_it_is_read(language: str, before: bytes, after: bytes) -> None:
    outcome = added(before, language)
    assert outcome.data == after
    assert outcome.refused == ()


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("c", b"/* a\n*/ BAD; /* b\n*/\n", "the line ends inside a literal or a comment"),
        ("cpp", b'auto s = R"(\n)" BAD R"(\n)";\n', "the line ends inside a literal or a comment"),
        ("python", b"x = \\\n  BAD + \\\n  1\n", "no comment can stand on a continued line"),
        ("json", b'{"BAD": 1}', "the format has no comments"),
        ("c", b"x();\rBAD;\r", "the file's lines end in CR alone"),
    ],
)
def test_where_no_comment_can_stand_none_is_written(language: str, text: bytes, why: str) -> None:
    outcome = added(text, language)
    assert outcome.data == text
    assert [reason for _, reason in outcome.refused] == [why]


def test_the_files_encoding_is_kept() -> None:
    assert added(b"// \xe4\xf6\xfc\nBAD;\n", reason="f\u00fcr jetzt").data == (
        b"// \xe4\xf6\xfc\n/* lwslint: ignore[LWS901] f\xfcr jetzt */\nBAD;\n"
    )
    refused = added(b"// \xe4\xf6\xfc\nBAD;\n", reason="\u4f60\u597d 1")
    assert [why for _, why in refused.refused] == [
        "the reason cannot be written in the file's encoding, latin-1"
    ]


@pytest.mark.parametrize(
    "reason",
    ["", " - ", "a */ int x; /*", "ends in \\", "a\x1b[2J", "see lwslint: ignore[A]", "x" * 501, "a??/"],
)
def test_a_reason_that_would_not_stay_in_its_comment_is_refused(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        added(b"BAD;\n", reason=reason)


def test_add_ignores_writes_and_the_next_run_is_clean(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    root = write_tree(
        {"src/a.c": f"int x;\r\n  {BAD} lws_bad_note();\r\n", "src/b.c": f"{BAD}\n", "src/c.c": "lws"}
    )
    (root / "src" / "b.c").chmod(0o640)
    monkeypatch.chdir(root)
    code, out, err = run(capsys, "src", "--add-ignores", "--reason", "ticket 7")
    assert (code, err) == (0, "lwslint: suppressed 3 findings in 2 files\n")
    assert "Not shown: 3 suppressed by a comment that was added now." in out
    assert (root / "src/a.c").read_bytes() == (
        b"int x;\r\n  /* lwslint: ignore[LWS901] ticket 7 */\r\n  lws_bad_error(); lws_bad_note();\r\n"
    )
    assert (root / "src/b.c").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in (root / "src").iterdir()) == ["a.c", "b.c", "c.c"]
    before = (root / "src/a.c").read_bytes()
    code, out, err = run(capsys, "src", "--add-ignores", "--reason", "ticket 8")
    assert (code, err) == (0, "lwslint: suppressed 0 findings in 0 files\n")
    assert (root / "src/a.c").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--add-ignores"],
        ["--reason", "x"],
        ["--add-ignores", "--reason", "*/"],
        ["--add-ignores", "--reason", "x", "--show-files"],
    ],
)
def test_add_ignores_needs_a_reason(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output, arguments: list[str]
) -> None:
    root = write_tree({"a.c": BAD})
    monkeypatch.chdir(root)
    assert run(capsys, *arguments)[0] == 2
    assert (root / "a.c").read_text() == BAD


def test_add_ignores_writes_through_no_link_and_says_so(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    root = write_tree({"real/a.c": f"{BAD}\n", "tree/.keep": ""})
    os.symlink("../real/a.c", root / "tree" / "link.c")
    monkeypatch.chdir(root)
    code, _, err = run(capsys, "tree/link.c", "--add-ignores", "--reason", "x")
    assert code == 2
    assert "no suppression written: tree/link.c: is a symbolic link" in err
    assert (root / "real/a.c").read_text() == f"{BAD}\n"


# ------------------------------------------------------------------------------------- rewriting


def test_only_the_bytes_that_were_read_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_bytes(b"old")
    rewrite.replace(str(path), [str(tmp_path)], b"old", b"new")
    assert path.read_bytes() == b"new"
    for now in (b"other", b"new and longer", b""):
        path.write_bytes(now)
        with pytest.raises(RewriteError, match="changed since it was read"):
            rewrite.replace(str(path), [str(tmp_path)], b"new", b"x")
        assert path.read_bytes() == now
    assert os.listdir(tmp_path) == ["a.c"]


def test_nothing_is_written_outside_or_through_links(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.c").write_bytes(b"old")
    os.symlink(outside, inside / "folder")
    os.symlink(outside / "a.c", inside / "file.c")
    os.mkfifo(inside / "fifo.c")
    for path, why in (
        (outside / "a.c", "outside the given paths"),
        (inside / "folder" / "a.c", "symbolic link"),
        (inside / "file.c", "symbolic link"),
        (inside / "fifo.c", "not a regular file"),
        (inside / "gone.c", "changed since"),
    ):
        with pytest.raises(RewriteError, match=why):
            rewrite.replace(str(path), [str(inside)], b"old", b"new")
    assert (outside / "a.c").read_bytes() == b"old"


# ------------------------------------------------------------------------------------- hostile files


@pytest.mark.parametrize("language", ["c", "cpp", "python", "cmake", "yaml", "json", "else"])
@pytest.mark.parametrize(
    "data",
    [
        b"// lwslint: ignore[" + b"A," * 100_000,
        b"# lwslint: ignore[A] x\n" * 20_000,
        b"// lwslint: ignore[A] x\n" * 20_000,
        b"/*" + b"\nlwslint: ignore[A] x" * 20_000,
        b"//" + b"/" * 500_000 + b" lwslint: ignore[A] x",
        b"// lwslint: ignore[A] " + b" \\\n" * 200_000,
        b"lwslint " * 100_000,
        b"#[[" * 200_000 + b"lwslint: ignore[A] x",
        b"\"'" * 200_000 + b"# lwslint: ignore[A] x",
        b"(" * 100_000 + b"# lwslint: ignore[A] x",
        b"x = '' # lwslint: ignore[A] x\n" * 20_000,
        b"'' " * 100_000 + b"# lwslint: ignore[A] x",
        bytes(range(256)) * 400 + b"\n# lwslint: ignore[A] x\n// lwslint: ignore[A] x\n",
        b"\x00lwslint: ignore[A] x",
        b"# coding: nonsense\n# lwslint: ignore[A] x\n",
    ],
    ids=range(15),
)
def test_hostile_files_are_read_in_time(data: bytes, language: str) -> None:
    started = time.process_time()
    suppressions.read(SourceText(data), language)
    assert time.process_time() - started < 4


def test_a_file_full_of_directives_gets_a_few_complaints(write_tree: WriteTree) -> None:
    lines = "".join(f"x(); // lwslint: ignore[no-such-{i}] why\n" for i in range(20_000))
    unused = "".join("x(); // lwslint: ignore[LWS902] why\n" for _ in range(20_000))
    root = write_tree(
        {"a.c": "lws" + lines, "b.c": "lws" + unused, "c.c": "lws_bad_error();\n" * 2000 + unused}
    )
    started = time.process_time()
    result = lint(root)
    assert time.process_time() - started < 8
    for path in ("a.c", "b.c"):
        found = [d for d in result.diagnostics if d.place.path == path]
        assert len(found) == suppressions.MAX_COMPLAINTS + 1
        assert (
            found[-1].message
            == f"{20_000 - suppressions.MAX_COMPLAINTS} more of these, from here on, are not listed"
        )


def test_the_order_of_output_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    text = "x(); // lwslint: ignore[LWS101, LWS102, nope, off-thread] why\n" * 5
    (tmp_path / "a.c").write_text("#include <libwebsockets.h>\n" + text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path)))}
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "lwslint", ".", "--output-format", "json"],
            cwd=tmp_path,
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert b"LWS002" in outputs.pop()


def test_findings_are_plain_diagnostics(write_tree: WriteTree) -> None:
    result = one(write_tree, f"{BAD} // lwslint: ignore[LWS901]\n")
    assert all(isinstance(d, Diagnostic) and d.url.startswith("https://") for d in result.diagnostics)
    assert set(result.everything) == set(result.diagnostics)
