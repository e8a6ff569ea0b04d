"""ruff as a partner: what is asked, what becomes of its answers, and what breaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from lwslint import config, engine, partner_ruff, registry
from lwslint.cli import main
from lwslint.diagnostics import Severity
from lwslint.engine import Result
from lwslint.knowledge import ruff_rules
from lwslint.partner_ruff import Rows, Source
from lwslint.settings import Settings
from tests.conftest import WriteTree
from tests.fixture_runs import PACK

DOCS = Path(__file__).resolve().parent.parent / "docs"
CATALOGUE = (*registry.load([PACK]), *ruff_rules.loaded())
HEAD = "import asyncio, ssl, time\nimport requests, websockets\n\n\n"

FakeRuff = Callable[[str], Path]


@pytest.fixture(scope="module")
def real_ruff() -> str:
    found = partner_ruff.find(())
    if found is None:
        pytest.skip("NOT TESTED: no ruff (pip install 'lwslint[ruff]')")
    return found


@pytest.fixture
def fake_ruff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRuff:
    """Puts a Python script in the place of ruff; it finds its arguments in ``sys.argv``."""

    def made(text: str) -> Path:
        path = tmp_path / "bin" / "ruff"
        path.parent.mkdir()
        path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(path.parent))
        return path

    return made


def lint(root: Path, settings: Settings | None = None, codes: tuple[str, ...] = ()) -> Result:
    rules = registry.select(CATALOGUE, codes)
    return engine.lint(["."], settings or Settings(), rules, cwd=str(root), catalogue=CATALOGUE)


def found(result: Result) -> list[str]:
    return [
        f"{d.place.path}:{result.texts[d.place.path].position(d.place.span.start).line} {d.code}"
        f" {d.severity.name.lower()}"
        for d in result.diagnostics
    ]


# ------------------------------------------------------------------------------------- with the real ruff


@pytest.mark.usefixtures("real_ruff")
def test_findings_of_ruff_come_under_its_own_codes(write_tree: WriteTree) -> None:
    code = HEAD + "async def run(url):\n    time.sleep(1)\n    requests.get(url, verify=False)\n"
    result = lint(write_tree({"client.py": code, "other.py": code.replace("websockets", "os")}))
    assert found(result) == [
        "client.py:7 S501 warning",
        "client.py:6 ASYNC251 warning",
        "client.py:7 ASYNC210 warning",
    ]
    first = result.diagnostics[0]
    assert result.texts["client.py"].data[slice(*first.place.span)] == b"verify=False"
    assert first.message.startswith("whoever is on the way can answer this HTTP request")
    assert first.url == "https://docs.astral.sh/ruff/rules/request-with-no-cert-validation"
    assert not result.problems
    assert not result.remarks


@pytest.mark.usefixtures("real_ruff")
def test_the_names_are_those_that_ruff_uses(write_tree: WriteTree) -> None:
    done = subprocess.run(
        [str(partner_ruff.find(())), "rule", "--all", "--output-format", "json"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    names = {rule["code"]: rule["name"] for rule in json.loads(done.stdout)}
    assert {row.code: row.name for row in ruff_rules.RULES} == {
        row.code: names[row.code] for row in ruff_rules.RULES
    }


@pytest.mark.usefixtures("real_ruff")
def test_what_a_rule_of_lwslint_says_better_is_left_out(write_tree: WriteTree) -> None:
    code = (
        HEAD + "async def run(url):\n    context = ssl._create_unverified_context()\n"
        "    await websockets.connect(url, ssl=context)\n"
    )
    root = write_tree({"client.py": code})
    assert found(lint(root)) == ["client.py:6 LWS401 error"]
    assert found(lint(root, codes=("ruff",))) == ["client.py:6 S323 warning"]


@pytest.mark.usefixtures("real_ruff")
def test_comments_of_both_tools_suppress(write_tree: WriteTree) -> None:
    lines = (
        "    time.sleep(1)  # noqa: ASYNC251",
        "    time.sleep(2)  # lwslint: ignore[ASYNC251] nothing is connected yet",
        "    time.sleep(3)  # lwslint: ignore[ruff] not a rule",
        "    pass  # lwslint: ignore[S501] nothing here",
    )
    root = write_tree({"client.py": HEAD + "async def run():\n" + "\n".join(lines) + "\n"})
    result = lint(root)
    assert sorted(found(result)) == [
        "client.py:8 ASYNC251 warning",
        "client.py:8 LWS001 warning",
        "client.py:9 LWS002 warning",
    ]
    assert [item.reason for item in result.suppressed] == ["nothing is connected yet"]


def test_a_finding_of_ruff_alone_is_no_empty_run(
    write_tree: WriteTree, fake_ruff: FakeRuff, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_ruff(ANSWER)
    root = write_tree({"client.py": HEAD + "async def run():\n    time.sleep(1)\n"})
    assert main(["--isolated", "--no-cache", str(root)]) == 1
    printed = capsys.readouterr().out
    assert "Nothing for lwslint's own rules to analyse." in printed
    assert "Found 1 finding in 1 file: 1 warning." in printed


@pytest.mark.usefixtures("real_ruff")
def test_the_code_around_softens_what_weakens_tls(write_tree: WriteTree) -> None:
    code = HEAD + (
        "ssl_context = ssl.create_default_context(cafile='ca.pem')\n\n\n"
        "def token(url, insecure):\n    if insecure:\n        requests.get(url, verify=False)\n"
        "    requests.post(url, verify=False)\n\n\nasync def run():\n    time.sleep(1)\n"
    )
    root = write_tree({"client.py": code, "tests/test_client.py": code})
    assert found(lint(root, codes=("ruff",))) == [
        "client.py:11 S501 warning",
        "client.py:15 ASYNC251 warning",
        "client.py:10 S501 note",
        "tests/test_client.py:10 S501 note",
        "tests/test_client.py:11 S501 note",
    ]


@pytest.mark.usefixtures("real_ruff")
def test_the_configuration_of_the_tree_counts_only_when_asked(write_tree: WriteTree) -> None:
    code = HEAD + "async def run(url):\n    time.sleep(1)\n"
    root = write_tree(
        {"client.py": code, "ruff.toml": '[lint.per-file-ignores]\n"client.py" = ["ASYNC251"]\n'}
    )
    assert found(lint(root)) == ["client.py:6 ASYNC251 warning"]
    assert found(lint(root, Settings(ruff="project"))) == []


@pytest.mark.usefixtures("real_ruff")
@pytest.mark.parametrize(
    "name", ["-x.py", "--config=x.py", "a\nb.py", "ä b.py", b"x\xff.py", "@list.py", "client.pyw"]
)
def test_any_file_name_will_do(write_tree: WriteTree, name: str | bytes) -> None:
    root = write_tree({"folder/plain.py": HEAD})
    path = os.fsencode(root / "folder") + b"/" + (name if isinstance(name, bytes) else name.encode())
    try:
        Path(os.fsdecode(path)).write_text(HEAD + "async def run(url):\n    time.sleep(1)\n")
    except OSError:
        pytest.skip("this file system takes no such name")
    [diagnostic] = lint(root).diagnostics
    assert diagnostic.code == "ASYNC251"
    assert os.fsencode(diagnostic.place.path) == b"folder/" + path.rpartition(b"/")[2]


@pytest.mark.usefixtures("real_ruff")
def test_files_that_ruff_cannot_read_cost_nothing(write_tree: WriteTree) -> None:
    latin = "# -*- coding: latin-1 -*-\n# ä\n" + HEAD + "async def run():\n    time.sleep(1)\n"
    broken = HEAD + "async def run(:\n"
    code = HEAD + "async def run():\n    time.sleep(1)\n"
    result = lint(write_tree({"latin.py": latin.encode("latin-1"), "broken.py": broken, "c.py": code}))
    assert found(result) == ["c.py:6 ASYNC251 warning"]
    assert not result.problems


@pytest.mark.usefixtures("real_ruff")
@pytest.mark.parametrize(
    "data",
    [
        b"import websockets, time\rasync def f():\r    '\xc3\xa4\xf0\x9f\x98\x80'; time.sleep(1)\r",
        b"\xef\xbb\xbfimport websockets, time\r\nasync def f(): time.sleep(1)\r\n",
        b"import websockets, time\n\x0casync def f():\r\n\ttime.sleep(1)\r# end\n",
        b"\xef\xbb\xbfimport websockets, time; A = '\xc3\xa4'\nasync def f(): time.sleep(1)",
    ],
)
def test_places_are_bytes(write_tree: WriteTree, data: bytes) -> None:
    [diagnostic] = lint(write_tree({"client.py": data})).diagnostics
    assert data[slice(*diagnostic.place.span)] in (b"time.sleep(1)", b"time.sleep")


# ------------------------------------------------------------------------------------- no ruff, a broken one


def test_without_ruff_one_remark_says_so(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(partner_ruff, "find", lambda distrusted: None)
    code = HEAD + "async def run(url):\n    time.sleep(1)  # lwslint: ignore[ASYNC251] short\n"
    root = write_tree({"client.py": code, "native.c": "#include <libwebsockets.h>\n"})
    assert main(["--isolated", str(root)]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("lwslint: ruff is not installed") == 1
    assert "LWS002" not in captured.out
    assert main(["--isolated", "--no-ruff", str(root)]) == 0
    assert "ruff" not in capsys.readouterr().err
    (root / "client.py").unlink()
    assert main(["--isolated", str(root)]) == 0
    assert "ruff" not in capsys.readouterr().err


def test_what_ruff_alone_finds_stays_in_the_baseline_without_it(
    write_tree: WriteTree,
    fake_ruff: FakeRuff,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_ruff(ANSWER)
    root = write_tree({"client.py": HEAD + "async def run():\n    time.sleep(1)\n"})
    monkeypatch.chdir(root)
    assert main(["baseline", "--isolated", "-o", "known.json", "."]) == 0
    monkeypatch.setattr(partner_ruff, "find", lambda distrusted: None)
    assert main(["baseline", "--isolated", "-o", "known.json", "--prune", "."]) == 0
    assert "ASYNC251" in Path("known.json").read_text()
    capsys.readouterr()


ANSWER = """\
file = sys.argv[-1]
point = {"row": 6, "column": 5}
print(json.dumps([{"code": "ASYNC251", "filename": file, "message": " ".join(sys.argv[1:-1]),
    "location": point, "end_location": {"row": 6, "column": 15}}]))
"""


def test_what_is_asked_and_how(
    write_tree: WriteTree, fake_ruff: FakeRuff, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ruff(ANSWER + "assert not any(name.startswith('RUFF_') for name in os.environ)")
    monkeypatch.setenv("RUFF_CONFIG", "x.toml")
    root = write_tree({"client.py": HEAD + "async def run():\n    time.sleep(1)\n"})
    result = lint(root, codes=("ASYNC251", "S501"))
    assert not result.problems
    [diagnostic] = result.diagnostics
    asked = "check --isolated --no-cache --no-fix --exit-zero --quiet --output-format json --select "
    asked += "S501,ASYNC251 --"
    assert asked in diagnostic.message
    [diagnostic] = lint(root, Settings(ruff="project")).diagnostics
    assert "--isolated" not in diagnostic.message


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("print('[{')", "ruff's report cannot be read: "),
        ("print('[1]')", "ruff's report cannot be read: "),
        ("print('x\\x1b[2J', file=sys.stderr); sys.exit(2)", "ruff failed (exit code 2): x"),
        ("os.kill(os.getpid(), 9)", "ruff failed (signal 9): it said nothing"),
        ("time.sleep(60)", "ruff did not end within 1 seconds"),
        ("os.close(1); time.sleep(60)", "ruff did not end within 1 seconds"),
        (
            "sys.stdout.write('[' + ' ' * 300000); sys.stdout.flush(); time.sleep(60)",
            "larger than 200000 bytes",
        ),
    ],
)
def test_a_ruff_that_breaks_is_a_problem_and_nothing_else_is_lost(
    write_tree: WriteTree, fake_ruff: FakeRuff, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    fake_ruff("if sys.argv[1] == '--version': print('ruff 99.0'); sys.exit()\n" + script)
    monkeypatch.setattr(partner_ruff, "TIMEOUT", 1)
    monkeypatch.setattr(partner_ruff, "OUTPUT_LIMIT", 200_000)
    code = "import websocket\nwebsocket.create_connection(u, sslopt={'cert_reqs': 0})\n"
    result = lint(write_tree({"a.py": code}))
    assert found(result) == ["a.py:2 LWS401 error"]
    [problem] = result.problems
    assert said in problem.message
    assert problem.message.endswith("(--no-ruff does without)")


def test_a_ruff_that_is_too_old_is_as_good_as_none(write_tree: WriteTree, fake_ruff: FakeRuff) -> None:
    fake_ruff("if sys.argv[1] == '--version': print('ruff 0.4.10')\nelse: sys.exit(2)")
    result = lint(write_tree({"client.py": HEAD}))
    assert not result.problems
    [remark] = result.remarks
    assert remark.startswith("ruff 0.4 is too old: ")


def test_answers_about_other_files_and_rules_are_not_believed(
    write_tree: WriteTree, fake_ruff: FakeRuff
) -> None:
    fake_ruff(ANSWER.replace('"filename": file', '"filename": "/etc/passwd"'))
    root = write_tree({"client.py": HEAD})
    assert found(lint(root)) == []


# ------------------------------------------------------------------------------------- which ruff


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_no_ruff_of_the_linted_tree_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "none"))
    inside = executable(tmp_path / "tree" / "bin" / "ruff")
    outside = executable(tmp_path / "usr" / "bin" / "ruff")
    link = tmp_path / "links" / "bin"
    link.parent.mkdir()
    link.symlink_to(inside.parent)
    monkeypatch.chdir(inside.parent)
    for folders in ([inside.parent], [Path(".")], [Path("")], [link]):
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
        assert partner_ruff.find([str(tmp_path / "tree")]) is None
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, [*folders, outside.parent])))
        assert partner_ruff.find([str(tmp_path / "tree")]) == str(outside)
    assert partner_ruff.find([str(tmp_path / "tre")]) == str(link / "ruff")


def test_the_ruff_beside_the_running_python_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = executable(tmp_path / "env" / "bin" / "ruff")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(beside.parent))
    monkeypatch.setenv("PATH", str(executable(tmp_path / "usr" / "ruff").parent))
    assert partner_ruff.find([str(tmp_path)]) == str(beside)


# ------------------------------------------------------------------------------------- small parts


def test_batches_keep_to_what_a_command_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner_ruff, "BATCH", 30)
    sources = [Source(f"f{n}.py", f"/a/b/f{n}.py") for n in range(7)]
    lots = list(partner_ruff.batches(sources))
    assert [source for lot in lots for source in lot.values()] == sources
    assert all(sum(len(name) + 1 for name in lot) <= 30 for lot in lots)
    assert list(partner_ruff.batches([])) == []
    alike = [Source(os.fsdecode(n), os.fsdecode(n)) for n in (b"/x\xff.py", b"/x\xfe.py", b"/y.py")]
    assert [len(lot) for lot in partner_ruff.batches(alike)] == [1, 2]
    assert [len(lot) for lot in partner_ruff.batches([Source("a", "/" * 500), Source("b", "/b")])] == [1, 1]


def test_rows_outside_the_file_are_clamped() -> None:
    rows = Rows(b"ab\ncd")
    assert [rows.offset(*at) for at in ((1, 1), (2, 2), (2, 99), (3, 1), (0, 1), (1, 0))] == [
        0,
        4,
        5,
        5,
        5,
        0,
    ]


def test_the_configuration_key() -> None:
    def said(value: object) -> str:
        options = config.parse({"ruff": value}, config._Where("lwslint.toml", "", ()))
        return config.settings(options).ruff

    assert [said(v) for v in (True, False, "project", "isolated")] == [
        "isolated",
        "off",
        "project",
        "isolated",
    ]
    for wrong in ("yes", "", "off"):
        with pytest.raises(config.ConfigError, match="none of true, false, isolated, project"):
            said(wrong)


def test_the_page_lists_the_rules() -> None:
    text = (DOCS / "ruff.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if re.match(r"\| [A-Z]+\d", line)]
    listed = {code.strip(): row[3].strip() for row in rows for code in row[1].split(",")}
    assert listed == {row.code: row.severity.name.lower() for row in ruff_rules.RULES}


def test_explanations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "ASYNC251"]) == 0
    text = capsys.readouterr().out
    assert "The event loop stands still" in text
    assert "https://docs.astral.sh/ruff/rules/blocking-sleep-in-async-function" in text
    assert all(row.severity is not Severity.ERROR for row in ruff_rules.RULES)
