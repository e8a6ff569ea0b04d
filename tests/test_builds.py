"""Builds on the command line: what is in production, and what the report says about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lwslint import cli
from tests import fixture_marks
from tests.conftest import WriteTree

SEED = fixture_marks.FOLDER / "permissive-tls-flags" / "bad-builds-cmake-c"

CLIENT = """#include <libwebsockets.h>
#include <string.h>

int dial(struct lws_context *context)
{
	struct lws_client_connect_info i;

	memset(&i, 0, sizeof(i));
	i.context = context;
	i.address = "kiosk.example.com";
	i.host = i.address;
	i.port = 443;
	i.path = "/";
	i.ssl_connection = LCCSCF_USE_SSL;
#ifdef %s
	i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;
#endif
	return !lws_client_connect_via_info(&i);
}
"""


def report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path, *argv: str
) -> str:
    """What a run in ``root`` prints about LWS401."""
    monkeypatch.chdir(root)
    cli.main(["--select", "LWS401", "--output-format", "concise", "-q", *argv, "."])
    return capsys.readouterr().out


def verdicts(out: str) -> list[tuple[str, str]]:
    """Severity and the end of each finding, which says what decides."""
    lines = [line for line in out.splitlines() if "[LWS401]" in line]
    return [(line.split("[LWS401]")[0].split()[-1], line.rpartition("; ")[2]) for line in lines]


OFF = "only in a build with DEV_TLS defined: CMake option DEV_TLS (CMakeLists.txt:3), default OFF"
UNSET = (
    "only in a build with NDEBUG undefined: cmake without CMAKE_BUILD_TYPE,"
    " for which CMakeLists.txt sets no default"
)
ASKED = "only when asked for at run time: insecure"
PLAIN = "and those not yet valid, are taken"
NAME = "a valid certificate for any other name is taken"
ROOT = "a chain that carries its own root is taken"
SIGNER = "a chain without a known authority is taken"


def test_each_condition_gets_its_verdict_in_production(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = verdicts(report(capsys, monkeypatch, SEED))
    assert [severity for severity, _ in found] == ["error", "note", "note", "note"]
    assert found[0][1].endswith(PLAIN)
    assert [what for _, what in found[1:]] == [UNSET, OFF, ASKED]


def test_and_in_development(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = verdicts(report(capsys, monkeypatch, SEED, "--build", "development"))
    assert [severity for severity, _ in found] == ["error", "error", "error", "error", "note", "note"]
    ends = [what for _, what in found]
    for end, what in zip((ROOT, NAME, SIGNER, PLAIN, OFF, ASKED), ends, strict=True):
        assert what.endswith(end)


@pytest.mark.parametrize(
    "argv, expected",
    [
        (["-D", "DEV_TLS"], ["error"]),
        (["-U", "DEV_TLS"], []),
        ([], ["note"]),
    ],
)
def test_the_command_line_decides_a_switch(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    expected: list[str],
) -> None:
    found = verdicts(report(capsys, monkeypatch, SEED, *argv))
    # Besides it there are the unconditional one (the first or the last error) and two notes.
    assert len(found) == 3 + len(expected)
    assert [severity for severity, what in found if what.endswith((PLAIN, OFF))][1:] == expected


BUILDS = """
[build.field]
undefined = ["LAB"]
[build.partner]
defines = { LAB = true }
[build.lab]
defines = ["LAB"]
production = false
"""


def test_what_holds_in_one_build_holds_and_says_in_which(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    root = write_tree({"a.c": CLIENT % "LAB", "lwslint.toml": BUILDS})
    (found,) = verdicts(report(capsys, monkeypatch, root))
    assert found == ("error", "only in the build partner")
    assert not verdicts(report(capsys, monkeypatch, root, "--build", "field"))
    (found,) = verdicts(report(capsys, monkeypatch, root, "--build", "lab"))
    assert found[0] == "error"
    assert "build" not in found[1]


def test_builds_that_the_code_does_not_tell_apart_are_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    always = (CLIENT % "LAB").replace("#ifdef LAB\n", "").replace("#endif\n", "")
    root = write_tree({"a.c": always, "lwslint.toml": BUILDS})
    (found,) = verdicts(report(capsys, monkeypatch, root))
    assert found[0] == "error"
    assert "only in" not in found[1]


def test_a_database_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    entry = {"directory": "/x", "file": "/x/a.c", "arguments": ["cc", "-DLAB", "-c", "a.c"]}
    root = write_tree({"tree/a.c": CLIENT % "LAB", "out/db/compile_commands.json": json.dumps([entry])})
    (found,) = verdicts(report(capsys, monkeypatch, root / "tree"))
    assert found == ("note", "only in a build with defined(LAB)")
    (found,) = verdicts(report(capsys, monkeypatch, root / "tree", "-p", "../out/db"))
    assert found[0] == "error"
    monkeypatch.chdir(root)
    (root / "broken.json").write_text("{")
    assert cli.main(["-p", "broken.json", "tree"]) == cli.BROKEN
    assert "broken.json: is not a compilation database" in capsys.readouterr().err
    assert cli.main(["-p", "tree", "."]) == cli.BROKEN
    assert "-p: tree has no compile_commands.json" in capsys.readouterr().err


def test_a_failure_in_here_costs_no_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("lwslint.build.builder.survey", fail)
    monkeypatch.chdir(SEED)
    assert cli.main(["--output-format", "concise", "."]) == cli.BROKEN
    out, err = capsys.readouterr()
    assert "internal error in the build files: KeyError" in err
    assert out.count("[LWS401]") == 4


def test_a_finding_of_any_rule_says_which_configuration_has_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    text = 'option(LAB "lab")\nif(LAB)\nadd_definitions(-DLAB)\nendif()\nadd_executable(a a.c)\n'
    source = (CLIENT % "LAB").replace("LCCSCF_ALLOW_SELFSIGNED", "2").replace("|= 2", "= 2")
    image = "FROM x\nRUN cmake -DLAB=ON . && make\n"
    monkeypatch.chdir(write_tree({"a.c": source, "CMakeLists.txt": text, "Dockerfile": image}))
    cli.main(["--select", "LWS402", "--output-format", "concise", "-q", "."])
    assert "cmake on line 2 (Dockerfile:2) builds it in: LAB defined" in capsys.readouterr().out


def test_a_finding_of_any_rule_says_which_build_it_is_in(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    text = 'option(LAB "lab")\nif(LAB)\nadd_definitions(-DLAB)\nendif()\nadd_executable(a a.c)\n'
    source = (CLIENT % "LAB").replace("LCCSCF_ALLOW_SELFSIGNED", "2").replace("|= 2", "= 2")
    root = write_tree({"a.c": source, "CMakeLists.txt": text})
    monkeypatch.chdir(root)
    cli.main(["--select", "LWS402", "--output-format", "concise", "-q", "."])
    out = capsys.readouterr().out
    assert "[LWS402]" in out
    assert "LAB defined: CMake option LAB (CMakeLists.txt:1), default OFF" in out


# ------------------------------------------------------------------------------------- show and init


def test_show_build_says_what_was_decided_and_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SEED)
    assert cli.main(["--show-build", "."]) == cli.CLEAN
    assert capsys.readouterr().out.splitlines() == [
        "Build production (production)",
        "  defined: NDEBUG",
        "  not defined: DEBUG, _DEBUG",
        "libwebsockets: not decided: no build file names one",
        "Build files: 1 cmake",
        "Certain in this build:",
        "  LAB_BUILD is not defined in 1 source: CMakeLists.txt:7 defines it only for $<CONFIG:Debug>",
        "Chosen by whoever builds:",
        "  DEV_TLS (not defined by default) in 1 source: CMake option DEV_TLS (CMakeLists.txt:3), default"
        " OFF",
        "  NDEBUG (defined by default) in 1 source: cmake without CMAKE_BUILD_TYPE, for which CMakeLists.txt"
        " sets no default",
        "Programs and libraries:",
        "  kiosk (program), 1 source: CMakeLists.txt:5",
    ]


def test_show_build_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SEED)
    assert cli.main(["--show-build", "--output-format", "json", "."]) == cli.CLEAN
    document = json.loads(capsys.readouterr().out)
    assert document["builds"][0]["name"] == "production"
    (source,) = document["sources"]
    assert source["path"] == "main.c"
    assert source["programs"] == ["kiosk"]
    assert [switch["macro"] for switch in source["switches"]] == ["DEV_TLS", "NDEBUG"]
    assert source["switches"][0]["line"] == 3


def test_build_files_alone_are_read_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SEED)
    assert cli.main(["CMakeLists.txt"]) == cli.CLEAN
    assert "Read 1 build file, no C, C++ or Python files." in capsys.readouterr().out
    assert cli.main(["--show-files", "."]) == cli.CLEAN
    assert capsys.readouterr().out.splitlines() == ["lint  main.c  (c)", "read  CMakeLists.txt  (cmake)"]


def test_show_build_is_inert(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    name = "evil\x1b[31m\u202e"
    root = write_tree({"a.c": "int x; /* lws */\n", "CMakeLists.txt": f"add_executable({name} a.c)\n"})
    monkeypatch.chdir(root)
    assert cli.main(["--show-build", "."]) == cli.CLEAN
    out = capsys.readouterr().out
    assert "evil\\x1b[31m\\u202e" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--show-build", "--show-files"], "--show-files and --show-build exclude each other"),
        (
            ["--show-build", "--output-format", "sarif"],
            "--show-build is printed as full or json, not as sarif",
        ),
        (
            ["--build", "prod"],
            "--build: 'prod' is none of production, development; did you mean 'production'?",
        ),
    ],
)
def test_what_does_not_go_together(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argv: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(argv) == cli.BROKEN
    assert message in capsys.readouterr().err


SERVER = """#include <libwebsockets.h>

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	return lws_callback_http_dummy(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
	{ "radio-v1", callback, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

struct lws_context *serve(void)
{
	struct lws_context_creation_info info = { .port = 7681, .protocols = protocols };

	return lws_create_context(&info);
}
"""


def test_init_writes_what_the_tree_says_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree
) -> None:
    text = (
        "FetchContent_Declare(lws GIT_REPOSITORY u/libwebsockets GIT_TAG v4.3.2)\n"
        'option(LAB "lab")\nif(LAB)\nadd_definitions(-DLAB_TLS)\nendif()\nadd_executable(a a.c)\n'
    )
    root = write_tree({"a.c": SERVER, "CMakeLists.txt": text})
    monkeypatch.chdir(root)
    assert cli.main(["init"]) == cli.CLEAN
    written = (root / "lwslint.toml").read_text()
    assert 'lws-version = "4.3.2"\n' in written
    assert '# subprotocols = ["radio-v1"]\n' in written
    assert '# undefined = ["LAB_TLS"]\n' in written
    # What it writes, it can read; with every suggestion taken, too.
    assert cli.main(["--show-build", "."]) == cli.CLEAN
    assert "libwebsockets: 4.3.2" in capsys.readouterr().out
    lines = [line.removeprefix("# ") if _is_suggestion(line) else line for line in written.splitlines()]
    (root / "lwslint.toml").write_text("\n".join(lines) + "\n")
    assert cli.main(["--show-build", "."]) == cli.CLEAN
    assert "Build release (production)" in capsys.readouterr().out
    assert cli.main(["init", "."]) == cli.BROKEN
    assert "exists already" in capsys.readouterr().err
    assert (root / "lwslint.toml").read_text() == "\n".join(lines) + "\n"


def _is_suggestion(line: str) -> bool:
    rest = line.removeprefix("# ")
    return rest != line and (rest.startswith("[") or " = " in rest)


def test_init_says_what_it_cannot_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["init", str(tmp_path / "none")]) == cli.BROKEN
    assert "no such folder" in capsys.readouterr().err
    (tmp_path / "lwslint.toml").symlink_to(tmp_path / "elsewhere")
    assert cli.main(["init", str(tmp_path)]) == cli.BROKEN
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
