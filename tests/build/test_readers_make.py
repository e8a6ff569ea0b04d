"""Makefiles: macros and their conditions, programs and their sources, builds that recipes start."""

from __future__ import annotations

from time import thread_time

import pytest

from lwslint.build import readers
from tests.build.telling import pointed, tell

MACROS = {
    "plain flags": (
        "CFLAGS = -O2 -DDEV_TLS -DPORT=7681 -UNDEBUG\n",
        ["macro DEV_TLS=1 @1", "macro PORT=7681 @1", "no macro NDEBUG @1"],
    ),
    "added flags, continued lines, comments": (
        "CPPFLAGS += -DONE \\\n  -DTWO # -DTHREE\n# CFLAGS += -DFOUR\n",
        ["macro ONE=1 @1", "macro TWO=1 @2"],
    ),
    "CRLF line ends": ("CFLAGS = -DONE \\\r\n -DTWO\r\n", ["macro ONE=1 @1", "macro TWO=1 @2"]),
    "quotes": (
        """DEFS = -DNAME=\\"ws\\" '-DHOST="a b"' -D SPLIT\n""",
        ['macro NAME="ws" @1', 'macro HOST="a b" @1', "macro SPLIT=1 @1"],
    ),
    "through another variable": ("OPTIONS = -DDEV_TLS\nCFLAGS = -g $(OPTIONS)\n", ["macro DEV_TLS=1 @1"]),
    "a linker's or another variable's -D is no macro": ("LDFLAGS = -DX\nNOTE = -DY\n", []),
    "ifdef": (
        "ifdef DEBUG\nCFLAGS += -DDEV_TLS\nelse\nCFLAGS += -DNDEBUG\nendif\n",
        ["macro DEV_TLS=1 @2 if DEBUG", "macro NDEBUG=1 @4 if not DEBUG"],
    ),
    "ifndef": ("ifndef RELEASE\nCFLAGS += -DX\nendif\n", ["macro X=1 @2 if not RELEASE"]),
    "ifeq and a chain": (
        'DEBUG ?= 0\nifeq ($(DEBUG),1)\nCFLAGS += -DX\nelse ifneq "$(SAN)" ""\nCFLAGS += -DY\nendif\n',
        [
            "option DEBUG=0 @1",
            "macro X=1 @3 if $(DEBUG) = 1",
            'macro Y=1 @5 if not $(DEBUG) = 1 and not $(SAN) = ""',
        ],
    ),
    "for one goal": (
        "debug: CFLAGS += -DDEV_TLS\ndebug: all\n",
        ["macro DEV_TLS=1 @1 if make debug"],
    ),
    "for one program": (
        "client: CFLAGS += -DDEV_TLS\nclient: client.o\n",
        ["macro DEV_TLS=1 for client @1", "program client: net/client.c @2"],
    ),
    "define holds no assignments": ("define macro\nCFLAGS += -DX\nendef\nCFLAGS += -DY\n", ["macro Y=1 @4"]),
    "automake's conditions": (
        "if DEV\nAM_CPPFLAGS = -DDEV_TLS\nelse\nAM_CPPFLAGS = -DNDEBUG\nendif\n",
        ["macro DEV_TLS=1 @2 if DEV", "macro NDEBUG=1 @4 if not DEV"],
    ),
}


@pytest.mark.parametrize("case", MACROS)
def test_macros(case: str) -> None:
    text, expected = MACROS[case]
    assert tell("net/Makefile", text) == expected


PROGRAMS = {
    "objects and make's own rules": (
        "OBJS = a.o sub/b.o\nLDLIBS = -lwebsockets -lssl\na: $(OBJS)\n",
        ["program a: net/a.c net/sub/b.c with websockets ssl @3"],
    ),
    "a recipe that links": (
        "SRCS := a.c b.c\nserver: $(SRCS:.c=.o)\n\t@$(CC) $(CFLAGS) -o $@ $^ -lwebsockets\n",
        ["program server: net/a.c net/b.c with websockets @2"],
    ),
    "a recipe that compiles and links at once": (
        "server: server.c util.c\n\tgcc -DX -g $^ -o $@ `pkg-config --libs libwebsockets`\n",
        ["macro X=1 for server @2", "program server: net/server.c net/util.c with websockets @1"],
    ),
    "objects in a folder of their own": (
        "server: $(patsubst src/%.c,obj/%.o,src/a.c src/b.c)\n\tcc -o $@ $^\n"
        "obj/%.o: src/%.c\n\tcc -c -o $@ $<\n",
        ["program server: net/src/a.c net/src/b.c @1"],
    ),
    "C++ beside C: the suffix is left open": (
        "CXX = g++\nserver: a.o\n\t$(CXX) -o $@ $^\n",
        ["program server: net/a.c* @2"],
    ),
    "all, and nothing else": (
        "all: client server\nLDLIBS = -lwebsockets\n",
        [
            "program client: net/client.c with websockets @1",
            "program server: net/server.c with websockets @1",
        ],
    ),
    "a wildcard stays a pattern": (
        "prog: $(wildcard src/*.c)\n\tcc $^ -o $@\n",
        ["program prog: net/src/*.c @1"],
    ),
    "a static library": ("libws.a: a.o\n\t$(AR) rcs $@ $^\n", ["library ws: net/a.c @1"]),
    "sources of other folders": ("prog: ../lib/a.c\n\tcc $^ -o $@\n", ["program prog: lib/a.c @1"]),
    "sources outside of the tree": ("prog: ../../a.c b.c\n\tcc $^ -o $@\n", ["program prog: net/b.c @1"]),
    "automake": (
        "bin_PROGRAMS = ws-client\nws_client_SOURCES = a.c a.h b.cpp\nws_client_CPPFLAGS = -DDEV_TLS\n"
        "ws_client_LDADD = $(LIBWEBSOCKETS_LIBS) -lm\n",
        [
            "macro DEV_TLS=1 for ws_client @3",
            "program ws_client: net/a.c net/b.cpp with websockets m @1",
        ],
    ),
    "automake's library under a condition": (
        "if ENABLE_WS\nlib_LTLIBRARIES = libws.la\nlibws_la_SOURCES = ws.c\nendif\n",
        ["library libws_la: net/ws.c @2 if ENABLE_WS"],
    ),
    "automake's module": (
        "mod_LTLIBRARIES = mod_ws.la\nmod_ws_la_SOURCES = ws.c\nmod_ws_la_LDFLAGS = -module -avoid-version\n",
        ["module mod_ws_la: net/ws.c @1"],
    ),
    "Android": (
        "include $(CLEAR_VARS)\nLOCAL_MODULE := ws\nLOCAL_SRC_FILES := ws.c\nLOCAL_CFLAGS := -DX\n"
        "LOCAL_STATIC_LIBRARIES := websockets\ninclude $(BUILD_SHARED_LIBRARY)\n",
        ["macro X=1 for ws @4", "library ws: net/ws.c with websockets @6"],
    ),
    "another makefile": ("-include config.mk $(DEPS)\n", ["includes net/config.mk"]),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs(case: str) -> None:
    text, expected = PROGRAMS[case]
    assert tell("net/Makefile", text) == expected


BUILDS = {
    "cmake in a recipe": (
        "lws:\n\tcd lws && cmake -DLWS_WITH_SSL=ON -DCMAKE_BUILD_TYPE=Debug ..\n",
        [
            "cache LWS_WITH_SSL=ON @2 [cmake on line 2]",
            "cache CMAKE_BUILD_TYPE=Debug @2 [cmake on line 2]",
        ],
    ),
    "its options in variables, some under a condition": (
        "OPTS = -DLWS_WITH_HTTP2=OFF\nifdef LOG\nOPTS += -DLWS_TLS_LOG_PLAINTEXT_RX=ON\nendif\n"
        "lws:\n\tcmake $(OPTS) \\\n\t  -DLWS_IPV6=ON ..\n",
        [
            "cache LWS_WITH_HTTP2=OFF @1 [cmake on line 6]",
            "cache LWS_IPV6=ON @7 [cmake on line 6]",
            "cache LWS_TLS_LOG_PLAINTEXT_RX=ON @3 if LOG [cmake on line 6]",
        ],
    ),
    "Buildroot": (
        "LIBWEBSOCKETS_VERSION = 4.3.2\nLIBWEBSOCKETS_CONF_OPTS = -DLWS_WITH_STATIC=OFF\n"
        "ifeq ($(BR2_PACKAGE_OPENSSL),y)\nLIBWEBSOCKETS_CONF_OPTS += -DLWS_WITH_SSL=ON\nendif\n",
        [
            "package LWS_WITH_STATIC=OFF @2",
            "package LWS_WITH_SSL=ON @4 if $(BR2_PACKAGE_OPENSSL) = y",
            "lws == 4.3.2 (package) @1",
        ],
    ),
    "OpenWrt": (
        "PKG_NAME:=libwebsockets\nPKG_VERSION:=4.3.3\nCMAKE_OPTIONS += -DLWS_TLS_LOG_PLAINTEXT_RX=ON\n",
        ["package LWS_TLS_LOG_PLAINTEXT_RX=ON @3", "lws == 4.3.3 (package) @2"],
    ),
    "OpenWrt, another package": ("PKG_NAME:=ttyd\nPKG_VERSION:=1.7.4\n", []),
    "FreeBSD": (
        "PORTNAME= libwebsockets\nDISTVERSION= 4.3.2\nCMAKE_ON= LWS_IPV6 \\\n LWS_WITH_HTTP2\n"
        "CMAKE_OFF=LWS_X\nUV_CMAKE_ON= -DLWS_WITH_LIBUV=ON\n",
        [
            "package LWS_IPV6=ON @3",
            "package LWS_WITH_HTTP2=ON @4",
            "package LWS_X=OFF @5",
            "package LWS_WITH_LIBUV=ON @6 if port option UV",
            "lws == 4.3.2 (package) @2",
        ],
    ),
    "Debian": (
        "override_dh_auto_configure:\n\tdh_auto_configure -- -DLWS_IPV6=ON \\\n\t  -DLWS_X=1\n",
        [
            "cache LWS_IPV6=ON @2 [dh_auto_configure on line 2]",
            "cache LWS_X=1 @3 [dh_auto_configure on line 2]",
        ],
    ),
    "a release by git": (
        "lws:\n\tgit clone --branch v4.3.2 https://github.com/warmcat/libwebsockets\n",
        ["lws == 4.3.2 (tag) @2"],
    ),
}


@pytest.mark.parametrize("case", BUILDS)
def test_builds_that_recipes_start(case: str) -> None:
    text, expected = BUILDS[case]
    assert tell("Makefile", text) == expected


def test_places() -> None:
    text = 'DEBUG ?= 0\nifeq ($(DEBUG),1)\nDEFS += "-DA=b c" -D X\nendif\nprog: prog.o\n'
    assert pointed("Makefile", text) == ["DEBUG ?= 0", '"-DA=b c"', "-D X", "prog"]
    condition = readers.read("Makefile", text.encode()).defines[0].when[0]
    assert text[condition.place.span.start : condition.place.span.end] == "($(DEBUG),1)"


def test_names() -> None:
    for name in ("Makefile", "GNUmakefile", "src/rules.mk", "Makefile.am", "debian/rules"):
        assert tell(name, "CFLAGS = -DX\n") == ["macro X=1 @1"]
    assert readers.format_of("Makefile.in") is None
    assert readers.format_of("x/rules") is None


BAD = {
    "conditions without end": ("ifdef X\n" * 10_000, "conditions nested more than 60 deep"),
    "ends without a condition": ("endif\nelse\n" * 10_000, ""),
    "nested references": ("A = " + "$(" * 10_000 + "\nCFLAGS = $(A)\n", ""),
    "a variable of itself": ("A = $(B) -DX\nB = $(A)\nCFLAGS = $(A)\n", ""),
    "doubling": (
        "".join(f"A{i} = $(A{i + 1})$(A{i + 1})\n" for i in range(80)) + "A80 = -DX\nCFLAGS = $(A0)\n",
        "variables that grow",
    ),
    "one line of a megabyte": ("CFLAGS = " + "-DX " * 240_000, "a list of more than 20000 words"),
    "continued without end": ("A = \\\n" * 100_000, ""),
    "five megabytes": ("x" * 5_000_000, "larger than"),
    "not text": ("\0" * 100, "NUL bytes"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    text, problem = BAD[case]
    file = readers.read("Makefile", text.encode())
    assert file.kind == "make"
    assert problem in file.problem
    assert bool(file.problem) == bool(problem)


def test_what_a_variable_of_itself_still_says() -> None:
    assert tell("Makefile", BAD["a variable of itself"][0]) == ["macro X=1 @1"]


@pytest.mark.parametrize("filler", [" ", "\t", "lws_", "$(", "pkg-config."])
@pytest.mark.parametrize("start", ["ifeq (", "LIBS = ", "X: "])
def test_time_grows_with_the_length_only(start: str, filler: str) -> None:
    """A run of one character or word in the wrong place: no pattern looks at it again and again."""
    text = (start + filler * 20_000 + "x\n").encode()
    begin = thread_time()
    file = readers.read("Makefile", text)
    assert thread_time() - begin < 5
    assert "its reader failed" not in file.problem
