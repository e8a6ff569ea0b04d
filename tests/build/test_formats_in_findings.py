"""From a build file of each format to the findings: what it decides, and where the report points."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import fixture_runs
from tests.conftest import WriteTree

CLIENT = """\
#include <libwebsockets.h>
#include <string.h>

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_client_connect_info i;
	struct lws_context *context;

	memset(&info, 0, sizeof info);
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	context = lws_create_context(&info);
	if (!context)
		return 1;
	memset(&i, 0, sizeof i);
	i.context = context;
	i.address = "relay.example.com";
	i.host = i.address;
	i.port = 443;
	i.path = "/";
	i.ssl_connection = LCCSCF_USE_SSL;
#ifdef DEV_TLS
	i.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;
#endif
	if (!lws_client_connect_via_info(&i))
		return 1;
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
"""


def findings(write_tree: WriteTree, files: Mapping[str, str], code: str) -> list[tuple[str, int, str, str]]:
    """Path, line, severity and message of the findings of one rule."""
    tree = write_tree({"client.c": CLIENT, **files})
    result = fixture_runs.lint(tree)
    assert not result.problems
    return [
        (report.place.path, report.place.line, report.severity, report.message)
        for report in fixture_runs.reports(tree, result)
        if report.place.code == code
    ]


# The severity of the permissive flag in `#ifdef DEV_TLS`, and words of the message.
DECIDED = {
    "make, certain": ({"Makefile": "CFLAGS += -DDEV_TLS\nclient: client.o\n"}, "error", ""),
    "make, chosen by a variable": (
        {"Makefile": "DEV ?= 0\nifeq ($(DEV),1)\nCFLAGS += -DDEV_TLS\nendif\nclient: client.o\n"},
        "note",
        "make variable DEV (Makefile:1), default 0",
    ),
    "make, chosen by default": (
        {"Makefile": "DEV ?= 1\nifeq ($(DEV),1)\nCFLAGS += -DDEV_TLS\nendif\nclient: client.o\n"},
        "error",
        "",
    ),
    "make, a goal": (
        {"Makefile": "client: client.o\nunsafe: CFLAGS += -DDEV_TLS\nunsafe: client\n"},
        "note",
        "the goal unsafe (Makefile:2)",
    ),
    "make, for another program": (
        {"Makefile": "tool: CFLAGS += -DDEV_TLS\ntool: tool.o\nclient: client.o\n"},
        "note",
        "only in a build with defined(DEV_TLS)",
    ),
    "automake": (
        {"Makefile.am": "bin_PROGRAMS = client\nclient_SOURCES = client.c\nclient_CPPFLAGS = -DDEV_TLS\n"},
        "error",
        "",
    ),
    "automake, under a condition": (
        {"Makefile.am": "bin_PROGRAMS = client\nif DEV\nAM_CPPFLAGS = -DDEV_TLS\nendif\n"},
        "note",
        "DEV (Makefile.am:2)",
    ),
    "meson, certain": (
        {"meson.build": "project('x', 'c')\nexecutable('client', 'client.c', c_args: '-DDEV_TLS')\n"},
        "error",
        "",
    ),
    "meson, an option that is off": (
        {
            "meson.build": "if get_option('dev')\nadd_project_arguments('-DDEV_TLS', language: 'c')\nendif\n"
            "executable('client', 'client.c')\n",
            "meson_options.txt": "option('dev', type: 'boolean', value: false)\n",
        },
        "note",
        "meson option dev (meson_options.txt:1), default false",
    ),
    "meson, an option that is on": (
        {
            "meson.build": "if get_option('dev')\nadd_project_arguments('-DDEV_TLS', language: 'c')\nendif\n"
            "executable('client', 'client.c')\n",
            "meson_options.txt": "option('dev', type: 'boolean')\n",
        },
        "error",
        "",
    ),
    "CMake, switched on by an image": (
        {
            "CMakeLists.txt": "option(DEV \"no checks\" OFF)\nif(DEV)\nadd_definitions(-DDEV_TLS)\nendif()\n"
            "add_executable(client client.c)\n",
            "Dockerfile": "FROM debian\nARG DEV=ON\nRUN cmake -DCMAKE_BUILD_TYPE=Release -DDEV=$DEV .\n",
        },
        "error",
        "Dockerfile:3",
    ),
    "CMake, switched on by a script": (
        {
            "CMakeLists.txt": "option(DEV \"no checks\" OFF)\nif(DEV)\nadd_definitions(-DDEV_TLS)\nendif()\n"
            "add_executable(client client.c)\n",
            "build.sh": "#!/bin/sh\nOPTIONS='-DDEV=ON -DCMAKE_BUILD_TYPE=Release'\ncmake $OPTIONS .\n",
        },
        "error",
        "build.sh:2",
    ),
    "CMake, switched on by CI, which nobody ships": (
        {
            "CMakeLists.txt": "option(DEV \"no checks\" OFF)\nif(DEV)\nadd_definitions(-DDEV_TLS)\nendif()\n"
            "add_executable(client client.c)\n",
            ".github/workflows/a.yml": "jobs:\n b:\n  steps:\n  - run: cmake -DDEV=ON .\n",
        },
        "note",
        "CMake option DEV (CMakeLists.txt:1), default OFF",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DECIDED)
def test_a_build_file_decides_what_is_in_production(write_tree: WriteTree, case: str) -> None:
    files, severity, words = DECIDED[case]
    found = findings(write_tree, files, "LWS401")
    assert [(path, level) for path, _, level, _ in found] == [("client.c", severity)]
    assert words in found[0][3]


def test_sdkconfig_decides(write_tree: WriteTree) -> None:
    client = CLIENT.replace("DEV_TLS", "CONFIG_DEV_TLS")
    on = {"main/client.c": client, "client.c": "", "sdkconfig": "CONFIG_DEV_TLS=y\n"}
    assert [level for _, _, level, _ in findings(write_tree, on, "LWS401")] == ["error"]
    off = {**on, "sdkconfig": "# CONFIG_DEV_TLS is not set\n"}
    assert [level for _, _, level, _ in findings(write_tree, off, "LWS401")] in ([], ["note"])


# Where LWS601 reports the plaintext log: line and severity in the named file; none for the good twins.
LOGGED = {
    "an image": (
        "Dockerfile",
        "FROM debian\nRUN cmake -DCMAKE_BUILD_TYPE=Release \\\n"
        "    # log\n    -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\n",
        [(4, "error")],
    ),
    "an image for debugging": (
        "Dockerfile",
        "FROM debian AS build\nFROM build AS debug\nRUN cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\nFROM build\n",
        [],
    ),
    "an image whose argument says it": (
        "Dockerfile",
        "FROM debian\nARG LOG=ON\nRUN cmake -DLWS_TLS_LOG_PLAINTEXT_TX=${LOG} .\n",
        [(3, "error")],
    ),
    "a workflow": (
        ".github/workflows/a.yml",
        "jobs:\n b:\n  steps:\n  - run: |\n      cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\n",
        [(5, "warning")],
    ),
    "a workflow, one half of its matrix": (
        ".github/workflows/a.yml",
        "jobs:\n b:\n  strategy: {matrix: {type: [Debug, Release], log: [ON]}}\n  steps:\n"
        "  - run: cmake -DCMAKE_BUILD_TYPE=${{ matrix.type }}"
        " -DLWS_TLS_LOG_PLAINTEXT_RX=${{ matrix.log }} .\n",
        [(5, "warning")],
    ),
    "a workflow's debug build": (
        ".github/workflows/a.yml",
        "env: {TYPE: Debug}\njobs:\n b:\n  steps:\n"
        "  - run: cmake -DCMAKE_BUILD_TYPE=$TYPE -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\n",
        [],
    ),
    "GitLab": (
        ".gitlab-ci.yml",
        "variables: {OPTIONS: -DLWS_TLS_LOG_PLAINTEXT_RX=ON}\nbuild:\n  script:\n  - cmake $OPTIONS .\n",
        [(1, "warning")],
    ),
    "a Yocto recipe": (
        "libwebsockets_%.bbappend",
        'EXTRA_OECMAKE += " \\\n  -DLWS_IPV6=ON \\\n  -DLWS_TLS_LOG_PLAINTEXT_TX=ON \\\n"\n',
        [(3, "error")],
    ),
    "a Yocto recipe's choice that nobody makes": (
        "libwebsockets_%.bbappend",
        'PACKAGECONFIG[log] = "-DLWS_TLS_LOG_PLAINTEXT_TX=ON,-DLWS_TLS_LOG_PLAINTEXT_TX=OFF"\n',
        [],
    ),
    "Buildroot": (
        "package/libwebsockets/libwebsockets.mk",
        "LIBWEBSOCKETS_VERSION = 4.3.2\nLIBWEBSOCKETS_CONF_OPTS = -DLWS_TLS_LOG_PLAINTEXT_RX=ON\n",
        [(2, "error")],
    ),
    "a port": (
        "libwebsockets/Makefile",
        "PORTNAME= libwebsockets\nDISTVERSION= 4.3.2\nCMAKE_ON= LWS_IPV6 LWS_TLS_LOG_PLAINTEXT_RX\n",
        [(3, "error")],
    ),
    "Alpine": (
        "APKBUILD",
        "pkgname=libwebsockets\npkgver=4.3.3\nbuild() {\n  cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\n}\n",
        [(4, "error")],
    ),
    "a release that has no such option": (
        "APKBUILD",
        "pkgname=libwebsockets\npkgver=4.0.20\nbuild() {\n  cmake -DLWS_IPV6=ON .\n}\n",
        [],
    ),
    "Debian": (
        "debian/rules",
        "override_dh_auto_configure:\n\tdh_auto_configure -- -DLWS_TLS_LOG_PLAINTEXT_RX=ON\n",
        [(2, "error")],
    ),
    "Conan": (
        "conanfile.py",
        'class Lws(ConanFile):\n    name = "libwebsockets"\n    def generate(self):\n'
        '        tc.cache_variables["LWS_TLS_LOG_PLAINTEXT_RX"] = True\n'
        '        tc.cache_variables["LWS_TLS_LOG_PLAINTEXT_TX"] = False\n',
        [(4, "error")],
    ),
    "Meson": (
        "meson.build",
        "o = cmake.subproject_options()\no.add_cmake_defines({\n  'LWS_TLS_LOG_PLAINTEXT_RX': true})\n",
        [(3, "error")],
    ),
    "Meson under an option for debugging": (
        "meson.build",
        "o = cmake.subproject_options()\nif get_option('debug')\n"
        "o.add_cmake_defines({'LWS_TLS_LOG_PLAINTEXT_RX': true})\nendif\n",
        [],
    ),
}


@pytest.mark.parametrize("case", LOGGED)
def test_the_plaintext_log_is_found_in_every_format(write_tree: WriteTree, case: str) -> None:
    path, text, expected = LOGGED[case]
    found = findings(write_tree, {path: text}, "LWS601")
    assert {(where, line, severity) for where, line, severity, _ in found} == {
        (path, line, severity) for line, severity in expected
    }


RELEASES = {
    "conanfile.txt": "[requires]\nlibwebsockets/4.2.1\n",
    "vcpkg.json": '{"overrides": [{"name": "libwebsockets", "version": "4.2.1"}]}',
    "subprojects/libwebsockets.wrap": "[wrap-file]\ndirectory = libwebsockets-4.2.1\n",
    "main/idf_component.yml": 'dependencies: {espressif/libwebsockets: "==4.2.1"}\n',
    ".gitmodules": '[submodule "l"]\n url = https://libwebsockets.org/repo/libwebsockets\n branch = v4.2.1\n',
}


@pytest.mark.parametrize("path", RELEASES)
@pytest.mark.parametrize(("release", "has_option"), [("4.2.1", True), ("4.1.6", False)])
def test_the_release_that_a_package_names_is_the_target(
    write_tree: WriteTree, path: str, release: str, has_option: bool
) -> None:
    """LWS_TLS_LOG_PLAINTEXT_RX came with 4.2.0: for an older target there is nothing to report."""
    files = {
        "build.sh": "cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON .\n",
        path.replace("4.2.1", release): RELEASES[path].replace("4.2.1", release),
    }
    assert bool(findings(write_tree, files, "LWS601")) is has_option
