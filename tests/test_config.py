"""The configuration file and how it meets the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lwslint import config, profiles
from lwslint.config import ConfigError, Options
from lwslint.diagnostics import Confidence, Severity
from lwslint.settings import Server, Settings, Version

FULL = """
select = ["threads", "LWS4"]
ignore = ["LWS402"]
min-confidence = "medium"
fail-on = "error"
build = "development"
lws-version = "4.3"
subprotocols = ["chat.v1"]
exclude = ["vendor/"]
max-file-size = 1000

[[servers]]
host = "relay.example.com"
subprotocols = []
"""


def load(folder: Path, text: str, name: str = "lwslint.toml") -> Settings:
    (folder / name).write_text(text, encoding="utf-8")
    found = config.find(str(folder))
    assert found is not None
    return config.settings(found.options)


def test_nothing_said_means_the_defaults() -> None:
    assert config.settings(Options()) == Settings()


def test_every_key_is_understood(tmp_path: Path) -> None:
    settings = load(tmp_path, FULL)
    assert settings == Settings(
        select=("threads", "LWS4"),
        ignore=("LWS402",),
        min_confidence=Confidence.MEDIUM,
        fail_on=Severity.ERROR,
        build=profiles.DEVELOPMENT,
        lws_version=Version(4, 3, 0),
        subprotocols=("chat.v1",),
        servers=(Server("relay.example.com", ()),),
        exclude=("vendor/",),
        max_file_size=1000,
    )


def test_pyproject_says_the_same_in_its_table(tmp_path: Path) -> None:
    inside = FULL.replace("[[servers]]", "[[tool.lwslint.servers]]")
    text = f"[tool.other]\nselect = 1\n[tool.lwslint]\n{inside}"
    assert load(tmp_path, text, "pyproject.toml") == load(tmp_path, FULL)


def test_an_empty_list_of_subprotocols_is_not_the_same_as_none(tmp_path: Path) -> None:
    assert load(tmp_path, "subprotocols = []").subprotocols == ()
    assert load(tmp_path, "").subprotocols is None


def test_the_nearest_file_counts_and_a_foreign_pyproject_does_not(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.lwslint]\nselect = ['outer']")
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'")
    (tmp_path / "a" / "lwslint.toml").write_text("select = ['inner']")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.lwslint]\nselect = ['second']")
    found = config.find(str(inner))
    assert found is not None
    assert found.folder == str(tmp_path / "a")
    assert found.options.select == ("inner",)
    (tmp_path / "a" / "lwslint.toml").unlink()
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'lwslint-user'")
    found = config.find(str(inner))
    assert found is not None
    assert found.options.select == ("outer",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nselct = ['x']", r"lwslint\.toml:2: unknown key 'selct'; did you mean 'select'\?"),
        ("fail_on = 'error'", r"lwslint\.toml:1: unknown key 'fail_on'; did you mean 'fail-on'\?"),
        ("zzz = 1", r"lwslint\.toml:1: unknown key 'zzz'$"),
        ("[[servers]]\nhosts = 'x'", r"lwslint\.toml:2: unknown key 'servers\.hosts'; did you mean 'host'\?"),
        ("\n\nselect = 'x'", r"lwslint\.toml:3: select: expected array, got str$"),
        ("select = [1]", r"lwslint\.toml:1: select: expected str, got int$"),
        ("max-file-size = '1M'", r"lwslint\.toml:1: max-file-size: expected int, got str$"),
        ("max-file-size = 0", r"lwslint\.toml:1: max-file-size: 0 is not a number of bytes$"),
        ("servers = 1", r"lwslint\.toml:1: servers: expected array, got int$"),
        ("[[servers]]\nhost = 'x'", r"lwslint\.toml:1: servers: needs subprotocols$"),
        ("fail-on = 'eror'", r"lwslint\.toml:1: fail-on: 'eror' is none of .*; did you mean 'error'\?"),
        ("min-confidence = 'x'", r"lwslint\.toml:1: min-confidence: 'x' is none of low, medium, high"),
        ("build = 'prod'", r"lwslint\.toml:1: build: 'prod' is none of production, development; did you"),
        ("lws-version = '4'", r"lwslint\.toml:1: lws-version: '4' is not a libwebsockets version"),
        ("select = [}", r"lwslint\.toml: is not TOML: .*line 1"),
        ("a = " + "[" * 5000, r"lwslint\.toml: is (nested too deeply|not TOML)"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_a_mistake_in_pyproject_is_found_in_its_table(tmp_path: Path) -> None:
    text = "[tool.black]\nbuidl = 1\n[tool.lwslint]\nbuidl = 'x'\n"
    with pytest.raises(ConfigError, match=r"pyproject\.toml:4: unknown key 'buidl'; did you mean 'build'"):
        load(tmp_path, text, "pyproject.toml")
    with pytest.raises(ConfigError, match=r"pyproject\.toml: lwslint is a table"):
        load(tmp_path, "[tool]\nlwslint = 3", "pyproject.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"select = ['\xff']"])
def test_a_configuration_that_is_not_text_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lwslint.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="is not UTF-8"):
        config.find(str(tmp_path))


def test_a_fifo_is_no_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lwslint.toml")
    with pytest.raises(ConfigError, match="not a regular file"):
        config.read(str(tmp_path / "lwslint.toml"))


def test_a_file_that_is_named_must_say_something(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        config.read(str(tmp_path / "missing.toml"))
    (tmp_path / "pyproject.toml").write_text("[project]")
    with pytest.raises(ConfigError, match=r"has no \[tool\.lwslint\]"):
        config.read(str(tmp_path / "pyproject.toml"))


def test_what_is_said_on_top_wins_and_the_rest_stays() -> None:
    under = Options(select=("a",), build="development", fail_on="note")
    over = Options(select=(), fail_on="never")
    assert config.merge(over, under) == Options(select=(), build="development", fail_on="never")


def test_macros_change_the_build_profile() -> None:
    build = config.settings(Options(), ["DEBUG", "LEVEL=2", "EMPTY="], ["NDEBUG", "TRACE"]).build
    assert build.defines == {"DEBUG": "1", "LEVEL": "2", "EMPTY": ""}
    assert build.undefined == ("_DEBUG", "NDEBUG", "TRACE")
    assert Settings().build.defines == {"NDEBUG": "1"}


@pytest.mark.parametrize(
    ("defines", "undefines"), [(["1X"], []), ([""], []), ([], ["A=1"]), (["F(x)=1"], [])]
)
def test_a_macro_needs_a_name(defines: list[str], undefines: list[str]) -> None:
    with pytest.raises(ConfigError, match="is not a macro's name"):
        config.settings(Options(), defines, undefines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4.3", Version(4, 3)), ("v4.3.2", Version(4, 3, 2)), ("10.0.1", Version(10, 0, 1))],
)
def test_versions(text: str, expected: Version) -> None:
    assert config.version(text) == expected
