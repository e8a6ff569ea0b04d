"""meson.build, meson_options.txt and wrap files."""

from __future__ import annotations

import pytest

from lwslint.build import readers
from lwslint.build.readers.meson_syntax import parse
from tests.build.telling import pointed, tell

BUILD = {
    "a program": (
        "project('relay', 'c', default_options: ['buildtype=release', 'b_ndebug=true'])\n"
        "lws = dependency('libwebsockets', version: ['>=4.0', '<5'])\n"
        "executable('relay', 'main.c', files('ws.c'), sources: ['q.c', 'q.h'],\n"
        "  dependencies: [lws, dependency('threads')], c_args: ['-DRELAY', '-UNDEBUG'])\n",
        [
            "option buildtype=release @1",
            "option b_ndebug=true @1",
            "macro RELAY=1 for relay @4",
            "no macro NDEBUG for relay @4",
            "program relay: src/main.c src/ws.c src/q.c with websockets threads @3",
            "lws >= 4.0 (pkg-config) @2",
        ],
    ),
    "macros of the project": (
        "add_project_arguments('-DDEV_TLS', '-DPORT=7681', language: 'c')\n"
        "add_global_arguments(['-DALL'], language: ['c', 'cpp'])\nadd_project_link_arguments('-DNO')\n",
        ["macro DEV_TLS=1 @1", "macro PORT=7681 @1", "macro ALL=1 @2"],
    ),
    "under conditions": (
        "if get_option('dev_tls') and not x\n  add_project_arguments('-DA', language: 'c')\n"
        "elif get_option('buildtype') == 'debug'\n  add_project_arguments('-DB', language: 'c')\n"
        "else\n  add_project_arguments('-DC', language: 'c')\nendif\nadd_project_arguments('-DD')\n",
        [
            "macro A=1 @2 if get_option('dev_tls') and not x",
            "macro B=1 @4 if not get_option('dev_tls') and not x and get_option('buildtype') == 'debug'",
            "macro C=1 @6 if not get_option('dev_tls') and not x and not get_option('buildtype') == 'debug'",
            "macro D=1 @8",
        ],
    ),
    "a condition with not in front": (
        "if not get_option('b_ndebug')\nadd_project_arguments('-DA')\nendif\n",
        ["macro A=1 @2 if not get_option('b_ndebug')"],
    ),
    "a list that grows under a condition": (
        "args = ['-DA']\nif get_option('dev')\n  args += '-DB'\nendif\nargs += ['-DC']\n"
        "add_project_arguments(args, language: 'c')\n",
        ["macro A=1 @1", "macro B=1 @3 if get_option('dev')", "macro C=1 @5"],
    ),
    "a choice": (
        "add_project_arguments(get_option('dev') ? '-DA' : ['-DB'], language: 'c')\n",
        ["macro A=1 @1 if get_option('dev')", "macro B=1 @1 if not get_option('dev')"],
    ),
    "sums": (
        "v = '4'\nadd_project_arguments('-DV=' + v, ['-DA'] + ['-DB'], language: 'c')\n",
        ["macro V=4 @2", "macro A=1 @2", "macro B=1 @2"],
    ),
    "libraries": (
        "ws = static_library('ws', 'ws.c')\nmod = shared_module('mod', 'mod.c')\n"
        "lib = cc.find_library('websockets')\nexecutable('a', 'a.cpp', link_with: ws, dependencies: lib)\n",
        [
            "library ws: src/ws.c @1",
            "module mod: src/mod.c @2",
            "program a: src/a.cpp with websockets ws @4",
        ],
    ),
    "a program under a condition, in a folder": (
        "if get_option('demos')\nexecutable('demo', join_paths('x', 'y.c'), 'd' / 'demo.c')\nendif\n"
        "subdir('lib')\n",
        ["program demo: src/d/demo.c @2 if get_option('demos')", "includes src/lib/meson.build"],
    ),
    "a config.h": (
        "conf = configuration_data()\nconf.set('A', 1)\nconf.set10('B', false)\nconf.set('C', false)\n"
        "conf.set_quoted('D', 'x')\nconf.set('E', get_option('e'))\n",
        ["macro A=1 @2", "macro B=0 @3", "no macro C @4", 'macro D="x" @5'],
    ),
    "libwebsockets as a CMake subproject": (
        "opts = cmake.subproject_options()\n"
        "opts.add_cmake_defines({'LWS_WITH_SSL': true, 'LWS_TLS_LOG_PLAINTEXT_RX': 'ON'})\n"
        "cmake.subproject('libwebsockets', options: opts)\n",
        ["cache LWS_WITH_SSL=ON @2", "cache LWS_TLS_LOG_PLAINTEXT_RX=ON @2"],
    ),
    "a subproject's options": (
        "subproject('libwebsockets', default_options: ['buildtype=debug'])\n"
        "subproject('zlib', default_options: ['buildtype=debug'])\n",
        ["cache buildtype=debug @1 [subproject libwebsockets]"],
    ),
    "strings of every kind, comments": (
        "# add_project_arguments('-DNO')\n"
        "add_project_arguments('''-DA''', 'it\\'s', f'-DB=@x@', # '-DC'\n '-DD')\n",
        ["macro A=1 @2", "macro B=@x@ @2", "macro D=1 @3"],
    ),
    "loops are left alone, what follows is read": (
        "foreach n : ['a', 'b']\n  executable(n, n + '.c')\nendforeach\nexecutable('c', 'c.c')\n",
        ["program c: src/c.c @4"],
    ),
    "one broken line": (
        "executable('a', 'a.c'))\nexecutable('b', 'b.c')\n",
        ["problem does not parse as Meson in full", "program a: src/a.c @1", "program b: src/b.c @2"],
    ),
}


@pytest.mark.parametrize("case", BUILD)
def test_build_files(case: str) -> None:
    text, expected = BUILD[case]
    assert tell("src/meson.build", text) == expected


def test_options() -> None:
    text = (
        "option('dev_tls', type: 'boolean', value: false, description: 'no checks')\n"
        "option('on', type : 'boolean')\noption('kind', type: 'combo', choices: ['a'], value: 'a')\n"
        "option('ws', type: 'feature')\n"
    )
    expected = ["option dev_tls=false @1", "option on=true @2", "option kind=a @3", "option ws=auto @4"]
    assert tell("meson_options.txt", text) == expected
    assert tell("sub/meson.options", text) == expected


WRAPS = {
    "an archive": (
        "libwebsockets.wrap",
        "[wrap-file]\ndirectory = libwebsockets-4.3.3\n"
        "source_url = https://github.com/warmcat/libwebsockets/archive/v4.3.3.tar.gz\n",
        ["lws == 4.3.3 (wrap) @2"],
    ),
    "git": (
        "lws.wrap",
        "[wrap-git]\nurl = https://libwebsockets.org/repo/libwebsockets\nrevision = v4.2-stable\n",
        ["lws >= 4.2 (wrap) @3"],
    ),
    "a moving revision": ("libwebsockets.wrap", "[wrap-git]\nrevision = head\n", []),
    "another library": ("zlib.wrap", "[wrap-file]\ndirectory = zlib-1.2.13\n", []),
}


@pytest.mark.parametrize("case", WRAPS)
def test_wraps(case: str) -> None:
    name, text, expected = WRAPS[case]
    assert tell(f"subprojects/{name}", text) == expected


def test_places() -> None:
    text = "é = 1\nif x == 'é'\n  add_project_arguments('-DÜ=1', '-DA=ü', language: 'c')\nendif\n"
    assert pointed("meson.build", text) == ["'-DA=ü'"]
    when = readers.read("meson.build", text.encode()).defines[0].when[0]
    assert when.text == "x == 'é'"
    wrap = "[wrap-file]\r\ndirectory=libwebsockets-4.3.3\r\n"
    assert pointed("libwebsockets.wrap", wrap) == ["directory=libwebsockets-4.3.3"]


SYNTAX = [
    ("x", ["name"]),
    ("x.y(1)[0]", ["index"]),
    ("a or b and not c == d", ["binary"]),
    ("{'a': 1, 'b': [2]}", ["dict"]),
    ("f(a, b: c, )", ["call"]),
    ("x not in y", ["binary"]),
    ("(\n1\n+ 2\n)", ["binary"]),
    ("-1 + \\\n 2", ["binary"]),
]


@pytest.mark.parametrize(("text", "kinds"), SYNTAX)
def test_expressions(text: str, kinds: list[str]) -> None:
    parsed = parse(text.encode())
    assert parsed.problem == ""
    assert [s.expression.kind for s in parsed.statements if s.expression] == kinds


BAD = {
    "nested brackets": ("x = " + "[" * 10_000, "does not parse"),
    "nested parentheses": ("executable(" + "(" * 10_000 + ")" * 10_000 + ")\n", "does not parse"),
    "nested calls": ("f(" * 10_000, "does not parse"),
    "nested ifs": ("if x\n" * 10_000, "conditions nested more than 60 deep"),
    "an endless elif": ("if x\n" + "elif y\n" * 10_000, "conditions nested more than 60 deep"),
    "a chain of sums": ("x = " + "1 + " * 20_000 + "1\n", None),
    "a chain of nots": ("x = " + "not " * 10_000 + "y\n", ""),
    "doubling": ("a = ['-DX']\n" + "a += a\n" * 60 + "add_project_arguments(a)\n", ""),
    "ends without a beginning": ("endif\nelse\nendforeach\n" * 1_000, ""),
    "marks": ("(" * 500_000 + "'" * 400_000, "more than 100000"),
    "five megabytes": ("x" * 5_000_000, "larger than"),
    "not text": ("\0", "NUL bytes"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    text, problem = BAD[case]
    file = readers.read("meson.build", text.encode())
    assert "its reader failed" not in file.problem
    if problem is not None:
        assert problem in file.problem
        assert bool(file.problem) == bool(problem)
