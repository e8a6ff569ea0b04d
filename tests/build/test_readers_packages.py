"""Conan, vcpkg, git submodules and Yocto recipes."""

from __future__ import annotations

from time import thread_time

import pytest

from lwslint.build import readers
from tests.build.telling import pointed, tell

CONAN_TEXT = {
    "a version and options": (
        "[requires]\nlibwebsockets/4.3.2@user/stable # comment\nzlib/1.2.13\n\n[options]\n"
        "libwebsockets:with_ssl=False\nlibwebsockets/*:with_zlib = zlib\nzlib:shared=True\n",
        [
            "package libwebsockets:with_ssl=False @6",
            "package libwebsockets:with_zlib=zlib @7",
            "lws == 4.3.2 (conan) @2",
        ],
    ),
    "a range": ("[requires]\nlibwebsockets/[>=4.2 <5]\n", ["lws >= 4.2 (conan) @2"]),
    "a comment, another section": (
        "[requires]\n# libwebsockets/4.3.2\n[generators]\nlibwebsockets/4.3.2\n",
        [],
    ),
}

CONAN_PYTHON = {
    "requires of every kind": (
        'class A(ConanFile):\n    requires = "libwebsockets/4.3.2"\n',
        ["lws == 4.3.2 (conan) @2"],
    ),
    "a tuple": (
        'class A(ConanFile):\n    requires = ("zlib/1.2", ("libwebsockets/3.2.2@a/b", "private"))\n',
        ["lws == 3.2.2 (conan) @2"],
    ),
    "a call": (
        "class A(ConanFile):\n    def requirements(self):\n"
        '        self.requires("libwebsockets/[^4.2]", headers=True)\n',
        ["lws >= 4.2 (conan) @3"],
    ),
    "a call under a condition": (
        "class A(ConanFile):\n    def requirements(self):\n        if not self.options.ws:\n"
        "            pass\n"
        '        else:\n            self.requires("libwebsockets/4.3.2")\n',
        ["lws == 4.3.2 (conan) @6 if self.options.ws"],
    ),
    "options": (
        'class A(ConanFile):\n    default_options = {"shared": False, "libwebsockets/*:with_ssl": False}\n'
        '    def configure(self):\n        self.options["libwebsockets"].with_libuv = True\n',
        [
            "package libwebsockets:with_ssl=False @2",
            "package libwebsockets:with_libuv=True @4",
        ],
    ),
    "options as texts": (
        'class A(ConanFile):\n    default_options = "shared=False", "libwebsockets:with_ssl=openssl"\n',
        ["package libwebsockets:with_ssl=openssl @2"],
    ),
    "a recipe of the library": (
        'class Lws(ConanFile):\n    name = "libwebsockets"\n    version = "4.3.2"\n'
        '    default_options = {"with_ssl": False}\n    def generate(self):\n'
        '        tc.variables["LWS_TLS_LOG_PLAINTEXT_RX"] = True\n        tc.variables["LWS_X"] = self.x\n'
        '        self._cmake.definitions["LWS_MAX"] = 3\n        tc.preprocessor_definitions["DEV"] = 1\n',
        [
            "package LWS_TLS_LOG_PLAINTEXT_RX=ON @6",
            "package LWS_MAX=3 @8",
            "package libwebsockets:with_ssl=False @4",
            "macro DEV=1 @9",
            "lws == 4.3.2 (conan) @3",
        ],
    ),
    "texts that are built at run time": (
        'class A(ConanFile):\n    requires = f"libwebsockets/{V}"\n    def r(self):\n'
        '        self.requires("libwebsockets/" + V)\n',
        [],
    ),
}

VCPKG = {
    "a lower bound and features": (
        '{"dependencies": ["zlib",\n {"name": "libwebsockets", "version>=": "4.3.2#1", "features": ["x"],\n'
        '  "default-features": false}]}\n',
        [
            "package libwebsockets:default-features=false @3",
            "package libwebsockets:x=ON @2",
            "lws >= 4.3.2 (vcpkg) @2",
        ],
    ),
    "an override wins": (
        '{"dependencies": [{"name": "libwebsockets", "version>=": "4.0.0"}],\n'
        ' "overrides": [{"name": "libwebsockets", "version": "4.2.2"},'
        ' {"name": "zlib", "version": "1.2.3"}]}\n',
        ["lws == 4.2.2 (vcpkg) @2"],
    ),
    "a port": ('{"name": "libwebsockets", "version-semver": "4.3.5"}', ["lws == 4.3.5 (vcpkg) @1"]),
    "a feature of a manifest": (
        '{"features": {"ws": {"dependencies": [{"name": "libwebsockets", "version>=": "4.1.0"}]}}}',
        ["lws >= 4.1.0 (vcpkg) @1"],
    ),
    "another package": ('{"name": "relay", "version": "1.2.3", "dependencies": ["libwebsockets"]}', []),
}

GITMODULES = {
    "a branch of a release": (
        '[submodule "lws"]\n\tpath = libs/lws\n\turl = https://github.com/warmcat/libwebsockets.git\n'
        '\tbranch = v4.3-stable\n[submodule "z"]\n\turl = ../zlib\n\tbranch = v1.2.3\n',
        ["lws >= 4.3 (submodule) @4"],
    ),
    "no branch, or one that moves": (
        '[submodule "lws"]\n\turl = https://libwebsockets.org/repo/libwebsockets\n\tbranch = main\n',
        [],
    ),
}

RECIPE = {
    "the library's own": (
        "recipes/libwebsockets_4.3.2.bb",
        'EXTRA_OECMAKE += " \\\n  -DLWS_IPV6=ON \\\n"\nEXTRA_OECMAKE:append:qemu = " -DX=1"\n'
        'EXTRA_OECMAKE:remove = "-DY=1"\n# EXTRA_OECMAKE = "-DNO=1"\n',
        [
            "package LWS_IPV6=ON @2",
            "package X=1 @4 if override qemu",
            "lws == 4.3.2 (package) @1",
        ],
    ),
    "a version of its own": (
        "recipes/libwebsockets_git.bb",
        'PV = "4.2.1+git${SRCPV}"\nSRC_URI = "git://github.com/warmcat/libwebsockets.git;branch=v4.2-stable"\n',
        ["lws >= 4.2 (package) @2", "lws == 4.2.1 (package) @1"],
    ),
    "PACKAGECONFIG": (
        "libwebsockets_%.bbappend",
        "PACKAGECONFIG ??= \"ssl ${@bb.utils.filter('ipv6', '${DISTRO_FEATURES}', d)}\"\n"
        'PACKAGECONFIG[ssl] = "-DLWS_WITH_SSL=ON,-DLWS_WITH_SSL=OFF,openssl"\n'
        'PACKAGECONFIG[log] = "-DLWS_TLS_LOG_PLAINTEXT_RX=ON,-DLWS_TLS_LOG_PLAINTEXT_RX=OFF"\n'
        'PACKAGECONFIG[ipv6] = "-DLWS_IPV6=ON,-DLWS_IPV6=OFF"\n',
        [
            "package LWS_WITH_SSL=ON @2",
            "package LWS_TLS_LOG_PLAINTEXT_RX=OFF @3",
            "package LWS_IPV6=ON @4 if ipv6 in PACKAGECONFIG",
        ],
    ),
    "an application, in the old spelling": (
        "recipes/relay_1.0.bb",
        'EXTRA_OECMAKE_append_arm = " -DRELAY_DEV=ON"\nCFLAGS += "-DDEV_TLS"\nrequire relay.inc\n'
        "do_configure_prepend() {\n    cmake -DA=1 .\n}\npython do_x() {\n    cmake = \"-DB=1\"\n}\n",
        [
            "package RELAY_DEV=ON @1 if override arm",
            "cache A=1 @5 [cmake on line 5]",
            "macro DEV_TLS=1 @2",
            "includes recipes/relay.inc",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONAN_TEXT)
def test_conanfile_txt(case: str) -> None:
    text, expected = CONAN_TEXT[case]
    assert tell("conanfile.txt", text) == expected


@pytest.mark.parametrize("case", CONAN_PYTHON)
def test_conanfile_py(case: str) -> None:
    text, expected = CONAN_PYTHON[case]
    assert tell("conanfile.py", text) == expected


def test_conanfile_py_is_not_run() -> None:
    assert tell("conanfile.py", "raise SystemExit(3)\n") == []


@pytest.mark.parametrize("case", VCPKG)
def test_vcpkg(case: str) -> None:
    text, expected = VCPKG[case]
    assert tell("vcpkg.json", text) == expected


@pytest.mark.parametrize("case", GITMODULES)
def test_gitmodules(case: str) -> None:
    text, expected = GITMODULES[case]
    assert tell(".gitmodules", text) == expected


@pytest.mark.parametrize("case", RECIPE)
def test_recipes(case: str) -> None:
    path, text, expected = RECIPE[case]
    found = tell(path, text)
    assert sorted(found) == sorted(expected)


def test_places() -> None:
    python = "\ufeffclass A:\n    é = 1; requires = 'libwebsockets/4.3.2'\n"
    assert pointed("conanfile.py", python) == ["'libwebsockets/4.3.2'"]
    assert pointed("conanfile.txt", "[requires]\r\nlibwebsockets/4.3.2\r\n") == ["libwebsockets/4.3.2"]
    assert pointed("vcpkg.json", '{"é": 1, "name": "libwebsockets", "version": "4.3.5"}') == ['"4.3.5"']
    recipe = 'é = "1"\nEXTRA_OECMAKE = "é -DA=1"\nPACKAGECONFIG[b] = ",-DB=é"\n'
    assert pointed("x.bb", recipe) == ["-DA=1", "-DB=é"]
    assert pointed(".gitmodules", "[x]\n url = x/libwebsockets \n branch = v4.3.2 \n") == ["branch = v4.3.2"]


BAD = {
    ("conanfile.py", "nested brackets"): ("x = " + "(" * 10_000, "nested brackets"),
    ("conanfile.py", "nested minuses"): ("x = " + "-" * 10_000 + "1\n", "operators"),
    ("conanfile.py", "no Python"): ("class A\n", "does not parse as Python"),
    ("conanfile.py", "an endless elif"): ("if a: pass\n" + "elif b: pass\n" * 1_500, "conditions nested"),
    ("conanfile.py", "too large"): ("x = 1\n" * 50_000, "larger than"),
    ("conanfile.txt", "too large"): ("x\n" * 3_000_000, "larger than"),
    ("conanfile.txt", "many"): ("[requires]\n" + "libwebsockets/4.3.2\n" * 30_000, "more than 20000"),
    ("vcpkg.json", "nested"): ('{"a":' * 10_000, "does not parse as JSON"),
    ("vcpkg.json", "nested and closed"): ('{"a":' * 1_000 + "1" + "}" * 1_000, "nested"),
    ("vcpkg.json", "of another kind"): ('["dependencies", {"overrides": 3}]', ""),
    ("vcpkg.json", "not text"): ("\0", "NUL bytes"),
    (".gitmodules", "no section"): ("url = x/libwebsockets\nbranch = \n[[[[\n]=]\n", ""),
    ("x.bb", "an open quote"): ('EXTRA_OECMAKE = "\\\n' * 10_000, ""),
    ("x.bb", "an open function"): ("do_x() {\n" * 10_000, ""),
    ("x.bb", "one line"): ('EXTRA_OECMAKE = "' + "-DX=1 " * 100_000 + '"', "more than 20000"),
    ("x.bb", "nothing"): ("", ""),
}


@pytest.mark.parametrize("case", BAD, ids=" ".join)
def test_bad_input(case: tuple[str, str]) -> None:
    text, problem = BAD[case]
    file = readers.read(case[0], text.encode())
    assert "its reader failed" not in file.problem
    assert problem in file.problem
    assert bool(file.problem) == bool(problem)


@pytest.mark.parametrize("path", [".gitmodules", "conanfile.txt", "sdkconfig", "x.wrap"])
@pytest.mark.parametrize("start", ["CONFIG_A=a", "a", "[x]\nurl = a"])
def test_a_long_run_of_blanks_takes_no_time(path: str, start: str) -> None:
    begin = thread_time()
    assert readers.read(path, (start + " " * 200_000 + "b\n").encode()).problem == ""
    assert thread_time() - begin < 5
