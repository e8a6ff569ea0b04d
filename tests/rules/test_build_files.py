"""LWS601, LWS602 and LWS605 in the formats that have no comments to mark, and in odd circumstances."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lwslint import config, engine
from lwslint.settings import Settings
from tests.conftest import WriteTree
from tests.fixture_runs import rules

CODE = "#include <libwebsockets.h>\nint main(void) { return lws_service(0, 0); }\n"


def reports(
    write_tree: WriteTree, files: Mapping[str, str], settings: Settings | None = None
) -> list[tuple[str, str, str]]:
    """Path, code and severity of what the rules on builds find."""
    root = write_tree(files)
    result = engine.lint(["."], settings or config.settings(config.Options()), rules(), cwd=str(root))
    assert not result.problems
    return [
        (d.place.path, d.code, d.severity.name.lower())
        for d in result.diagnostics
        if d.code in ("LWS601", "LWS602", "LWS605")
    ]


def preset(name: str, variables: str) -> str:
    return f'{{"version": 3, "configurePresets": [{{"name": "{name}", "cacheVariables": {{{variables}}}}}]}}'


@pytest.mark.parametrize(
    ("name", "variables", "expected"),
    [
        ("release", '"LWS_TLS_LOG_PLAINTEXT_RX": "ON"', ["error"]),
        ("release", '"LWS_TLS_LOG_PLAINTEXT_RX": {"type": "BOOL", "value": "ON"}', ["error"]),
        ("release", '"LWS_TLS_LOG_PLAINTEXT_RX": "OFF"', []),
        ("release", '"LWS_TLS_LOG_PLAINTEXT_RX": "ON", "CMAKE_BUILD_TYPE": "RelWithDebInfo"', ["error"]),
        ("x", '"LWS_TLS_LOG_PLAINTEXT_RX": "ON", "CMAKE_BUILD_TYPE": "Debug"', []),
        ("asan", '"LWS_TLS_LOG_PLAINTEXT_RX": "ON"', []),
    ],
)
def test_presets(write_tree: WriteTree, name: str, variables: str, expected: list[str]) -> None:
    files = {"main.c": CODE, "CMakePresets.json": preset(name, variables)}
    assert [severity for _, _, severity in reports(write_tree, files)] == expected


def test_a_tree_without_code_is_linted_too(write_tree: WriteTree) -> None:
    """A layer of recipes, or a container's folder, has no sources."""
    files = {"build.sh": "cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON -DLWS_WITH_SSL=OFF libwebsockets\n"}
    assert reports(write_tree, files) == [("build.sh", "LWS601", "error")]


@pytest.mark.parametrize(("version", "expected"), [("4.1.6", []), ("4.2.0", ["LWS601"])])
def test_the_option_came_with_4_2(write_tree: WriteTree, version: str, expected: list[str]) -> None:
    settings = config.settings(config.Options(lws_version=version))
    files = {"main.c": CODE, "CMakeLists.txt": "set(LWS_TLS_LOG_PLAINTEXT_TX ON)\n"}
    assert [code for _, code, _ in reports(write_tree, files, settings)] == expected


def test_a_cache_of_a_debug_build_says_nothing(write_tree: WriteTree) -> None:
    cache = "CMAKE_BUILD_TYPE:STRING=%s\nLWS_WITH_SYS_FAULT_INJECTION:BOOL=ON\n"
    files = {"main.c": CODE, "CMakeCache.txt": cache % "Debug"}
    assert reports(write_tree, files) == []
    files["CMakeCache.txt"] = cache % "Release"
    assert reports(write_tree, files) == [("CMakeCache.txt", "LWS602", "warning")]


def test_the_librarys_own_options_are_nobodys_choice(write_tree: WriteTree) -> None:
    options = "".join(f'option(LWS_WITH_PART_{n} "x" OFF)\n' for n in range(60))
    files = {"main.c": CODE, "CMakeLists.txt": options + 'option(LWS_WITH_ASAN "x" ON)\n'}
    assert reports(write_tree, files) == []


@pytest.mark.parametrize(
    "value", ["${TRACE}", "$<CONFIG:Debug>", "@TRACE@", "OFF", "0", "no", "FALSE", "", "NOTFOUND"]
)
def test_values_that_switch_nothing_on(write_tree: WriteTree, value: str) -> None:
    files = {"main.c": CODE, "CMakeLists.txt": f'set(LWS_TLS_LOG_PLAINTEXT_RX "{value}")\n'}
    assert reports(write_tree, files) == []


TLS_CLIENT = """#include <libwebsockets.h>
int f(struct lws_context *c) {
    struct lws_client_connect_info i = {0};
    i.context = c; i.address = "a.example.org"; i.port = 443; i.host = i.address;
    %s
    return !lws_client_connect_via_info(&i); }
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("i.ssl_connection = LCCSCF_USE_SSL;", ["warning"]),
        ("\n#if defined(LWS_WITH_TLS)\ni.ssl_connection = LCCSCF_USE_SSL;\n#endif\n", []),
        ("i.ssl_connection = 0;", []),
    ],
)
def test_tls_that_is_left_out(write_tree: WriteTree, line: str, expected: list[str]) -> None:
    build = "cmake -DLWS_WITH_TLS=OFF libwebsockets\n"
    found = reports(write_tree, {"main.c": TLS_CLIENT % line, "build.sh": build})
    assert found == [("build.sh", "LWS602", severity) for severity in expected]


def test_secure_streams_that_are_left_out(write_tree: WriteTree) -> None:
    code = "#include <libwebsockets.h>\nint f(struct lws_ss_handle *h) { return lws_ss_request_tx(h); }\n"
    files = {"main.c": code, "CMakeLists.txt": "set(LWS_WITH_SECURE_STREAMS OFF)\n"}
    assert reports(write_tree, files) == [("CMakeLists.txt", "LWS605", "warning")]
    own = code.replace("int f", "int lws_ss_request_tx(struct lws_ss_handle *h) { return !h; }\nint f")
    assert reports(write_tree, {**files, "main.c": own}) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("find_package(libwebsockets 4.1 REQUIRED)", []),
        ("find_package(libwebsockets 3.2 REQUIRED)", ["warning"]),
        ("find_package(libwebsockets REQUIRED)", []),
        ("if(OLD)\nfind_package(libwebsockets 3.2 REQUIRED)\nendif()", []),
    ],
)
def test_lower_bounds(write_tree: WriteTree, asked: str, expected: list[str]) -> None:
    code = "#include <libwebsockets.h>\nvoid f(lws_sorted_usec_list_t *s) { lws_sul_cancel(s); }\n"
    found = reports(write_tree, {"main.c": code, "CMakeLists.txt": asked + "\n"})
    assert [severity for _, code, severity in found if code == "LWS605"] == expected


def test_a_function_that_is_gone(write_tree: WriteTree) -> None:
    code = "#include <libwebsockets.h>\nvoid f(void *c, int n) { lws_uv_initloop(c, 0, n); }\n"
    fetch = "FetchContent_Declare(libwebsockets GIT_REPOSITORY https://libwebsockets.org/repo/libwebsockets"
    files = {"main.c": code, "CMakeLists.txt": f"include(FetchContent)\n{fetch} GIT_TAG v4.3.3)\n"}
    assert reports(write_tree, files) == [("CMakeLists.txt", "LWS605", "warning")]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("libwebsockets_4.3.2.bb", 'EXTRA_OECMAKE = "-DLWS_TLS_LOG_PLAINTEXT_RX=ON"\n', ["LWS601"]),
        ("libwebsockets_%.bbappend", 'EXTRA_OECMAKE += "-DLWS_WITH_SYS_FAULT_INJECTION=1"\n', ["LWS602"]),
        ("libwebsockets_%.bbappend", 'EXTRA_OECMAKE += "-DLWS_TLS_LOG_PLAINTEXT_RX=OFF"\n', []),
        (
            "libwebsockets.mk",
            "LIBWEBSOCKETS_VERSION = 4.3.2\nLIBWEBSOCKETS_CONF_OPTS = -DLWS_TLS_LOG_PLAINTEXT_RX=ON\n",
            ["LWS601"],
        ),
        ("portfile.cmake", "vcpkg_cmake_configure(OPTIONS -DLWS_TLS_LOG_PLAINTEXT_RX=ON)\n", ["LWS601"]),
        ("portfile.cmake", "vcpkg_cmake_configure(OPTIONS_DEBUG -DLWS_TLS_LOG_PLAINTEXT_RX=ON)\n", []),
    ],
)
def test_recipes_and_ports(write_tree: WriteTree, path: str, text: str, expected: list[str]) -> None:
    assert [code for _, code, _ in reports(write_tree, {path: text})] == expected


@pytest.mark.parametrize(("value", "expected"), [("False", ["LWS602"]), ("openssl", [])])
def test_conan_without_tls(write_tree: WriteTree, value: str, expected: list[str]) -> None:
    conan = f"[requires]\nlibwebsockets/4.3.2\n[options]\nlibwebsockets/*:with_ssl={value}\n"
    files = {"main.c": TLS_CLIENT % "i.ssl_connection = LCCSCF_USE_SSL;", "conanfile.txt": conan}
    assert [code for _, code, _ in reports(write_tree, files)] == expected


def test_a_copy_of_the_sources_names_no_release(write_tree: WriteTree) -> None:
    """Programs in the library's own tree that nobody builds any more are not the build's fault."""
    options = "".join(f'option(LWS_WITH_PART_{n} "x" OFF)\n' for n in range(60))
    numbers = "".join(
        f'set(CPACK_PACKAGE_VERSION_{part} "{number}")\n'
        for part, number in (("MAJOR", 4), ("MINOR", 3), ("PATCH", 3))
    )
    code = "#include <libwebsockets.h>\nvoid f(void *c, int n) { lws_uv_initloop(c, 0, n); }\n"
    files = {
        "CMakeLists.txt": f"project(libwebsockets C)\n{numbers}{options}",
        "lib/core/context.c": "",
        "lib/roles/README.md": "",
        "examples/main.c": code,
    }
    assert reports(write_tree, files) == []
