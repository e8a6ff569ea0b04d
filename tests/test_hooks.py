"""Where lwslint is called from: a commit's few files, pre-commit, CI, shells."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from lwslint import cli
from lwslint.rule import LoadedRule
from tests.conftest import WriteTree

Rules = tuple[LoadedRule, ...]
Output = pytest.CaptureFixture[str]

ROOT = Path(__file__).resolve().parent.parent
BAD = "lws_bad_error();"


@pytest.fixture
def tree(write_tree: WriteTree, fake_analysis: Rules, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree(
        {"src/a.c": BAD, "src/b.c": BAD, "more/c.c": BAD, "lwslint.toml": "exclude = ['more/']"}
    )
    monkeypatch.chdir(root)
    return root


def lint(capsys: Output, *arguments: str) -> tuple[int, list[str], str]:
    try:
        code = cli.main(["--output-format", "concise", "--quiet", *arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, [line.split(": ")[0] for line in out.splitlines()], err


# ------------------------------------------------------------------------------------- named files


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--project", "."], ["src/a.c:1:1", "src/b.c:1:1"]),
        (["--project", ".", "--", "src/a.c"], ["src/a.c:1:1"]),
        (["--project", ".", "src"], ["src/a.c:1:1", "src/b.c:1:1"]),
        (["--project", "src", "src/b.c"], ["src/b.c:1:1"]),
        (["--project", ".", "lwslint.toml"], []),
        (["--project", ".", "more/c.c"], []),  # left out by the configuration, named or not
        (["more/c.c"], ["more/c.c:1:1"]),
    ],
)
def test_reports_are_limited_to_the_named_files(
    tree: Path, capsys: Output, arguments: list[str], expected: list[str]
) -> None:
    assert lint(capsys, *arguments) == (1 if expected else 0, expected, "")


def test_the_rest_of_the_project_is_read_and_counted(tree: Path, capsys: Output) -> None:
    assert cli.main(["--project", ".", "src/a.c"]) == 1
    out = capsys.readouterr().out
    assert "Analysed 2 files." in out
    assert "Not shown: 1 in other files." in out


def test_a_named_file_that_is_not_in_the_project_is_told(tree: Path, capsys: Output) -> None:
    code, found, err = lint(capsys, "--project", "src", "src/a.c", "more/c.c", "gone.c", "")
    assert (code, found) == (2, ["src/a.c:1:1"])
    assert "more/c.c: lies outside of the project src" in err
    assert "gone.c: no such file or folder" in err


def test_links_and_other_spellings_name_the_same_file(
    tree: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink(tree, tree.parent / "link")
    assert len(lint(capsys, "--project", "../link", "src/../src/a.c")[1]) == 1
    assert len(lint(capsys, "--project", ".", str(tree.parent / "link" / "src" / "a.c"))[1]) == 1


def test_the_configuration_is_the_projects(tree: Path, capsys: Output) -> None:
    (tree / "src" / "lwslint.toml").write_text("select = ['LWS902']")
    assert lint(capsys, "--project", ".", "src/a.c")[1] == ["src/a.c:1:1"]
    assert lint(capsys, "src/a.c")[1] == []


# ------------------------------------------------------------------------------------- pre-commit


def hooks() -> dict[str, dict[str, str]]:
    """The hooks by id; enough of YAML for this one file."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in (ROOT / ".pre-commit-hooks.yaml").read_text().splitlines():
        if match := re.fullmatch(r"(- |  )([a-z_]+): (.*?)(?: #.*)?", line):
            current = {} if match[1] == "- " else current
            current[match[2]] = match[3]
            found[current["id"]] = current
    return found


def test_the_hook_takes_no_file_name_for_an_option(tree: Path, capsys: Output) -> None:
    (tree / "--exit-zero.c").write_text(BAD)
    hook = hooks()["lwslint"]
    command = [*hook["entry"].split(), *re.findall(r'"([^"]*)"', hook["args"])]
    assert command[0] == "lwslint" and command[-1] == "--"
    code = cli.main([*command[1:], "--exit-zero.c", "src/a.c"])
    out = capsys.readouterr().out
    assert code == 1
    assert out.count("error[LWS901]") == 2 and "src/b.c" not in out


def test_the_hooks_are_what_pre_commit_expects() -> None:
    assert sorted(hooks()) == ["lwslint", "lwslint-staged"]
    for hook in hooks().values():
        assert hook["language"] == "python"
        assert {"name", "description", "entry", "types_or"} <= set(hook)
        cli._checked(cli._parser().parse_args(hook["entry"].split()[1:]))
    assert hooks()["lwslint"]["require_serial"] == "true"
    assert hooks()["lwslint-staged"]["pass_filenames"] == "false"
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {hook["entry"].split()[0] for hook in hooks().values()} == set(scripts)


# ------------------------------------------------------------------------------------- CI


def action_scripts() -> dict[str, str]:
    """The shell scripts of action.yml by the name of their step."""
    text = (ROOT / "action.yml").read_text()
    steps = re.split(r"^    - ", text, flags=re.MULTILINE)[1:]
    found: dict[str, str] = {}
    for step in steps:
        name, script = (
            re.match(r"name: (.*)", step),
            re.search(r"^      run: \|\n((?: {8}.*\n)+)", step, re.M),
        )
        if name and script:
            found[name[1]] = textwrap.dedent(script[1])
    return found


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_action_passes_its_inputs_as_they_are(tmp_path: Path) -> None:
    program = tmp_path / "lwslint" / "bin" / "lwslint"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:])\nsys.exit(1)\n")
    program.chmod(0o755)
    hostile = "$(touch sprung) `x` ; *"
    given = {
        "PATHS": f"src dir\n{hostile}\n--exit-zero\n",
        "NEW_SINCE": hostile,
        "BASELINE": "known findings.json",
        "OPTIONS": "--fail-on=error\n\n--exclude=gen *",
        "SARIF": "out.sarif",
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", action_scripts()["Run lwslint"]],
        env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), **given},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1  # the step fails as lwslint does
    arguments = ast.literal_eval(done.stdout)
    assert arguments == [
        *("--output-format", "github", "--output-format", "sarif:out.sarif"),
        f"--new-since={hostile}",
        "--baseline=known findings.json",
        *("--fail-on=error", "--exclude=gen *", "--"),
        *("src dir", hostile, "--exit-zero"),
    ]
    assert not (tmp_path / "sprung").exists()
    cli._parser().parse_args(arguments)


def test_no_input_of_the_action_is_pasted_into_a_script() -> None:
    scripts = action_scripts()
    assert sorted(scripts) == ["Install lwslint", "Run lwslint"]
    assert not any("${{" in script for script in scripts.values())


def test_the_ci_files_use_options_that_exist() -> None:
    known = {name for action in cli._parser()._actions for name in action.option_strings}
    known |= {name for action in cli._baseline_parser()._actions for name in action.option_strings}
    for path in ("docs/ci.md", "docs/ci/gitlab-ci.yml", "docs/baseline.md", "docs/suppressing.md"):
        text = (ROOT / path).read_text()
        lines = [line for line in text.splitlines() if "lwslint " in line]
        used = {option for line in lines for option in re.findall(r"(?<=[\s\"`])--?[a-z][a-z-]*", line)}
        others = {"--quiet", "--network", "--read-only", "--rm", "--tmpfs"}
        assert used - known - others == set(), path
        assert used, path


# ------------------------------------------------------------------------------------- shells


def completion(shell: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lwslint", "completion", shell],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


CASES = [
    (("--fail-on", "w"), {"warning"}),
    (("base",), {"baseline"}),
    (("baseline", "--pr"), {"--prune"}),
    (("baseline", "--new"), set()),
    (("rule", "LWS40"), {"LWS401", "LWS402", "LWS403", "LWS407"}),
    (("--new",), {"--new-since"}),
    (("--output-format", "sar"), {"sarif"}),
    (("completion", "z"), {"zsh"}),
    (("--config", "lwsl"), {"lwslint.toml"}),
    (("oth",), {"other file.c"}),
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(("words", "expected"), CASES, ids=str)
def test_bash_completes(tmp_path: Path, words: tuple[str, ...], expected: set[str]) -> None:
    for name in ("lwslint.toml", "other file.c"):
        (tmp_path / name).touch()
    (tmp_path / "script").write_text(completion("bash"))
    driver = (
        'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lwslint; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-uc", driver, "bash", "lwslint", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert set(done.stdout.split("\n")) - {""} == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("words", "expected"), CASES, ids=str)
def test_fish_completes(tmp_path: Path, words: tuple[str, ...], expected: set[str]) -> None:
    for name in ("lwslint.toml", "other file.c"):
        (tmp_path / name).touch()
    (tmp_path / "script").write_text(completion("fish"))
    line = " ".join(("lwslint", *words))
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source ./script; complete -C '{line}'"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert {shown.split("\t")[0] for shown in done.stdout.splitlines()} - {"script"} == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_accepts_the_script(tmp_path: Path) -> None:
    (tmp_path / "_lwslint").write_text(completion("zsh"))
    driver = (
        "autoload -Uz compinit; compinit -u -D; source ./_lwslint; "
        "[[ ${_comps[lwslint]} == _lwslint ]] && functions _lwslint >/dev/null && print ok"
    )
    done = subprocess.run(
        ["zsh", "-f", "-c", driver], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("ok\n", "")
