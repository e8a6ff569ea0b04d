"""ESP-IDF: sdkconfig, Kconfig and idf_component.yml."""

from __future__ import annotations

import pytest

from lwslint.build import readers
from tests.build.telling import pointed, tell


def test_sdkconfig() -> None:
    text = (
        "# Automatically generated\nCONFIG_LWS_WITH_TLS=y\n# CONFIG_LWS_LOG is not set\n"
        'CONFIG_PORT=0x1bb\nCONFIG_HOST="a b"\nCONFIG_OFF=n\n\n# CONFIG_X=y is a comment\nLWS=1\n'
    )
    assert tell("sdkconfig", text) == [
        "cache CONFIG_LWS_WITH_TLS=y @2",
        "cache CONFIG_LWS_LOG=n @3",
        "cache CONFIG_PORT=0x1bb @4",
        "cache CONFIG_HOST=a b @5",
        "cache CONFIG_OFF=n @6",
        "macro CONFIG_LWS_WITH_TLS=1 @2",
        "no macro CONFIG_LWS_LOG @3",
        "macro CONFIG_PORT=0x1bb @4",
        'macro CONFIG_HOST="a b" @5',
        "no macro CONFIG_OFF @6",
    ]


def test_sdkconfig_places_and_line_ends() -> None:
    text = "CONFIG_A=y \r\n # CONFIG_B is not set\r\n"
    assert pointed("sdkconfig.defaults.esp32", text)[:2] == ["CONFIG_A=y", "# CONFIG_B is not set"]
    assert tell("sdkconfig.ci", text)[2:] == ["macro CONFIG_A=1 @1", "no macro CONFIG_B @2"]


KCONFIG = {
    "defaults": (
        'menu "Relay"\nconfig DEV_TLS\n    bool "No checks"\n    default y\n'
        'config NAME\n    string "n"\n    default "relay"\nmenuconfig PORT\n    int\n    default 7681\n'
        "config Z\n    def_bool y\nendmenu\n",
        [
            "option CONFIG_DEV_TLS=y @4",
            "option CONFIG_NAME=relay @7",
            "option CONFIG_PORT=7681 @10",
            "option CONFIG_Z=y @12",
        ],
    ),
    "a switch without a default is off": (
        'config DEV_TLS\n    bool "No checks"\nconfig NAME\n    string "n"\n',
        ["option CONFIG_DEV_TLS=n @1"],
    ),
    "conditions": (
        'if LWS\nmenu "m"\n    depends on TLS\nconfig A\n    bool "a"\n    depends on B && C\n'
        "    default y if DEBUG\n    default n\nendmenu\nendif\n",
        [
            "option CONFIG_A=y @7 if LWS and TLS and B && C and DEBUG",
            "option CONFIG_A=n @8 if LWS and TLS and B && C and not DEBUG",
        ],
    ),
    "negated": (
        'config A\n    bool "a"\n    default y if !RELEASE\n',
        ["option CONFIG_A=y @3 if not RELEASE"],
    ),
    "help is no option": (
        'config A\n    bool "a"\n    default n\n    help\n      config B\n        default y\n',
        ["option CONFIG_A=n @3"],
    ),
    "other files": (
        'source "lws/Kconfig"\nsource "$IDF_PATH/Kconfig"\nsource "/etc/Kconfig"\n',
        ["includes main/lws/Kconfig"],
    ),
}


@pytest.mark.parametrize("case", KCONFIG)
def test_kconfig(case: str) -> None:
    text, expected = KCONFIG[case]
    assert tell("main/Kconfig.projbuild", text) == expected


COMPONENT = {
    "a caret": (
        'dependencies:\n  espressif/libwebsockets: "^4.3.3"\n',
        ["lws >= 4.3.3 (component) @2"],
    ),
    "one version": (
        "dependencies:\n  espressif/libwebsockets:\n    version: 4.3.3~1\n    public: true\n",
        ["lws == 4.3.3 (component) @3"],
    ),
    "exactly": (
        "dependencies:\n  espressif/libwebsockets:\n    version: '==4.3.3'\n",
        ["lws == 4.3.3 (component) @3"],
    ),
    "any": ('dependencies:\n  espressif/libwebsockets: "*"\n  idf: ">=5.3"\n', []),
    "none": ("version: 1.0.0\n", []),
    "broken, as far as it goes": (
        "dependencies:\n  espressif/libwebsockets: '>=4.1'\n  x: [\n",
        ["problem does not parse as YAML in full"],
    ),
}


@pytest.mark.parametrize("case", COMPONENT)
def test_component(case: str) -> None:
    text, expected = COMPONENT[case]
    assert tell("main/idf_component.yml", text)[: len(expected)] == expected
    assert len(tell("main/idf_component.yml", text)) <= len(expected) + 1


def test_component_place() -> None:
    text = "é: ü\ndependencies: {espressif/libwebsockets: {version: '>=4.1'}}\n"
    assert pointed("idf_component.yml", text) == ["'>=4.1'"]


BAD = {
    ("Kconfig", "nested ifs"): (
        "if X\n" * 1_000 + "config A\n default y\n" + "endif\n" * 1_000,
        "nested more than",
    ),
    ("Kconfig", "nested menus"): ('menu "x"\n' * 10_000, "does not parse"),
    ("Kconfig", "nested parentheses"): ("config A\n bool\n default y if " + "(" * 10_000, "does not parse"),
    ("Kconfig", "too large"): ("config A\n" * 600_000, "larger than"),
    ("Kconfig", "not text"): ("\0", "NUL bytes"),
    ("sdkconfig", "many"): ("".join(f"CONFIG_A{i}=y\n" for i in range(30_000)), "more than 20000"),
    ("sdkconfig", "too large"): ("CONFIG_A=y\n" * 500_000, "larger than"),
    ("sdkconfig", "one line"): ("CONFIG_A=" + " " * 900_000, ""),
    ("sdkconfig", "nothing"): ("", ""),
    ("idf_component.yml", "nested blocks"): ("".join(" " * i + "a:\n" for i in range(1_200)), "nested"),
    ("idf_component.yml", "nested lists"): ("- " * 10_000, "nested"),
    ("idf_component.yml", "nested keys"): ("? " * 10_000, "nested"),
    ("idf_component.yml", "nested brackets"): ("a: " + "[" * 10_000 + "]" * 10_000, "nested"),
    ("idf_component.yml", "too large"): ("a: b\n" * 1_000_000, "larger than"),
    ("idf_component.yml", "nothing"): ("", ""),
}


@pytest.mark.parametrize("case", BAD, ids=" ".join)
def test_bad_input(case: tuple[str, str]) -> None:
    text, problem = BAD[case]
    file = readers.read(case[0], text.encode())
    assert "its reader failed" not in file.problem
    assert problem in file.problem
    assert bool(file.problem) == bool(problem)
