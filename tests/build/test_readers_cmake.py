"""CMake files, presets, caches: what is recorded, where, and under which condition."""

from __future__ import annotations

import json

import pytest

from lwslint.build import readers
from lwslint.build.readers import cmake_commands
from tests.build.telling import pointed, tell

MACROS = {
    "of a folder": ("add_definitions(-DONE -DTWO=2)\n", ["macro ONE=1 @1", "macro TWO=2 @1"]),
    "without -D": ("add_compile_definitions(ONE TWO=2)\n", ["macro ONE=1 @1", "macro TWO=2 @1"]),
    "of options": ('add_compile_options(-Wall -DONE "-UTWO")\n', ["macro ONE=1 @1", "no macro TWO @1"]),
    "taken back": ("remove_definitions(-DONE)\n", ["no macro ONE @1"]),
    "of a target": ("target_compile_definitions(app PRIVATE ONE)\n", ["macro ONE=1 for app @1"]),
    "properties": (
        "set_target_properties(app PROPERTIES FOLDER x COMPILE_DEFINITIONS ONE)\n"
        "set_source_files_properties(a.c PROPERTIES COMPILE_FLAGS -DTWO)\n"
        "set_property(TARGET app APPEND PROPERTY COMPILE_DEFINITIONS THREE)\n"
        "set_property(TARGET app PROPERTY COMPILE_DEFINITIONS_DEBUG FOUR)\n",
        [
            "macro ONE=1 for app @1",
            "macro TWO=1 for src/a.c @2",
            "macro THREE=1 for app @3",
            "macro FOUR=1 for app @4 if $<CONFIG:DEBUG>",
        ],
    ),
    "elseif and else": (
        "if(A)\nadd_definitions(-DONE)\nelseif(B)\nadd_definitions(-DTWO)\n"
        "else()\nadd_definitions(-DTHREE)\nendif()\n",
        [
            "macro ONE=1 @2 if A",
            "macro TWO=1 @4 if not A and B",
            "macro THREE=1 @6 if not A and not B",
        ],
    ),
    "generator expressions": (
        "target_compile_definitions(app PUBLIC $<$<CONFIG:Debug>:ONE>"
        " $<$<AND:$<BOOL:${X}>,$<NOT:$<CONFIG:A,B>>>:TWO>"
        " $<BUILD_INTERFACE:THREE>)\n",
        [
            "macro ONE=1 for app @1 if $<CONFIG:Debug>",
            "macro TWO=1 for app @1 if $<AND:$<BOOL:${X}>,$<NOT:$<CONFIG:A,B>>>",
            "macro THREE=1 for app @1",
        ],
    ),
    "several in one expression": (
        'add_compile_definitions("$<$<CONFIG:Debug>:ONE;TWO=2>")\n',
        ["macro ONE=1 @1 if $<CONFIG:Debug>", "macro TWO=2 @1 if $<CONFIG:Debug>"],
    ),
    "one that spaces split": (
        "target_compile_definitions(app PRIVATE A $<$<CONFIG:Debug>:ONE TWO=2> B)\n",
        [
            "macro A=1 for app @1",
            "macro ONE=1 for app @1 if $<CONFIG:Debug>",
            "macro TWO=2 for app @1 if $<CONFIG:Debug>",
            "macro B=1 for app @1",
        ],
    ),
    "a loop over words": (
        "foreach(name IN ITEMS ONE TWO)\nadd_definitions(-D${name})\nendforeach()\n",
        ["macro ONE=1 @2", "macro TWO=1 @2"],
    ),
    "in a function, which may never run": (
        "function(lab)\nadd_definitions(-DONE)\nendfunction()\n",
        ["macro ONE=1 @2 if function(lab)"],
    ),
    "a comment, and a bracket argument": (
        "# add_definitions(-DONE)\nadd_definitions([[-DTWO]])\n",
        ["macro TWO=1 @2"],
    ),
}


def macros(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("macro", "no macro"))]


@pytest.mark.parametrize("text, expected", MACROS.values(), ids=MACROS)
def test_macros(text: str, expected: list[str]) -> None:
    assert macros(tell("src/CMakeLists.txt", text)) == expected


def test_flags_of_the_compiler_are_macros_of_the_folder() -> None:
    text = 'set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} -Wall -DONE")\nset(CMAKE_C_FLAGS_DEBUG "-g -DTWO=2")\n'
    text += 'string(APPEND CMAKE_CXX_FLAGS " -DTHREE")\nlist(APPEND CMAKE_C_FLAGS -DFOUR)\n'
    assert macros(tell("CMakeLists.txt", text)) == [
        "macro ONE=1 @1",
        "macro TWO=2 @2 if $<CONFIG:DEBUG>",
        "macro THREE=1 @3",
        "macro FOUR=1 @4",
    ]


SETTINGS = {
    "an option is off unless it says so": (
        'option(A "a")\noption(B "b" ON)\n',
        ["option A=OFF @1", "option B=ON @2"],
    ),
    "the cache is a choice, unless it is forced": (
        'set(A ON CACHE BOOL "a")\nset(B ON CACHE BOOL "b" FORCE)\nset(C c)\n',
        ["option A=ON @1", "cache B=ON @2", "variable C=c @3"],
    ),
    "an option that depends on others": (
        'cmake_dependent_option(A "a" ON "B;NOT C" OFF)\n',
        ["option A=ON @1 if (B) AND (NOT C)", "option A=OFF @1 if not (B) AND (NOT C)"],
    ),
    "a function of the project that is called like option": (
        'option_with_env(A "a" ON)\ncheck_it(B)\n',
        ["option A=ON @1", "computed B= @2"],
    ),
    "a variable in a value": (
        "set(A a)\nset(B ${A}/b;${C})\n",
        ["variable A=a @1", "variable B=a/b;${C} @2"],
    ),
    "a variable that grows": (
        "set(A a)\nlist(APPEND A b)\nset(B ${A})\n",
        ["variable A=a @1", "variable B=a;b @3"],
    ),
}


@pytest.mark.parametrize("text, expected", SETTINGS.values(), ids=SETTINGS)
def test_settings(text: str, expected: list[str]) -> None:
    assert tell("CMakeLists.txt", text) == expected


TARGETS = {
    "sources are relative to the file": (
        "add_executable(app WIN32 a.c ../b.c ${CMAKE_CURRENT_SOURCE_DIR}/c.c)\n",
        ["program app: src/a.c b.c src/c.c @1"],
    ),
    "libraries and modules": (
        "add_library(one STATIC a.c)\nadd_library(two MODULE b.c)\nadd_library(three c.c)\n",
        ["library one: src/a.c @1", "module two: src/b.c @2", "library three: src/c.c @3"],
    ),
    "an alias links, an import is nobody's": (
        "add_library(a::b ALIAS b)\nadd_library(c IMPORTED)\n",
        ["library a::b:  with b @1"],
    ),
    "sources in variables, under conditions": (
        "set(S a.c)\nif(WIN32)\nlist(APPEND S win.c)\nendif()\nadd_executable(app ${S})\n",
        ["program app: src/a.c src/win.c @5"],
    ),
    "patterns": (
        "file(GLOB S CONFIGURE_DEPENDS *.c)\nfile(GLOB_RECURSE T lib/*.c)\nadd_executable(app ${S} ${T})\n",
        ["program app: src/*.c src/lib/**/*.c @3"],
    ),
    "links and later sources": (
        "target_link_libraries(app PRIVATE one debug two)\n"
        "target_sources(app PRIVATE z.c $<TARGET_OBJECTS:o>)\n",
        [" app:  with one two @1", " app: src/z.c with o @2"],
    ),
    "a component of ESP-IDF": (
        'idf_component_register(SRCS "a.c" "b.c" INCLUDE_DIRS "." REQUIRES net)\n',
        ["library src: src/a.c src/b.c with net @1"],
    ),
    "a loop makes several": (
        "foreach(x one two)\nadd_executable(${x} ${x}.c)\nendforeach()\n",
        ["program one: src/one.c @2", "program two: src/two.c @2"],
    ),
}


@pytest.mark.parametrize("text, expected", TARGETS.values(), ids=TARGETS)
def test_targets(text: str, expected: list[str]) -> None:
    lines = tell("src/CMakeLists.txt", text)
    assert [line for line in lines if not line.startswith("variable")] == expected


REQUIREMENTS = {
    "find_package": ("find_package(Libwebsockets 4.3 REQUIRED)\n", ["lws >= 4.3 (find_package) @1"]),
    "find_package, exactly": (
        "find_package(libwebsockets 4.3.2 EXACT)\n",
        ["lws == 4.3.2 (find_package) @1"],
    ),
    "a range": ("find_package(libwebsockets 4.0...4.9)\n", ["lws >= 4.0 (find_package) @1"]),
    "no version": ("find_package(libwebsockets CONFIG REQUIRED)\n", []),
    "pkg-config": (
        "pkg_check_modules(LWS REQUIRED libwebsockets>=4.0 zlib)\n",
        ["lws >= 4.0 (pkg-config) @1"],
    ),
    "FetchContent": (
        "FetchContent_Declare(libwebsockets\n GIT_REPOSITORY https://github.com/warmcat/libwebsockets.git\n"
        " GIT_TAG v4.3.3)\n",
        ["lws == 4.3.3 (tag) @3"],
    ),
    "a branch is no release": (
        "ExternalProject_Add(lws GIT_REPOSITORY https://x/libwebsockets GIT_TAG v4.3-stable)\n",
        ["lws >= v4.3-stable (tag) @1"],
    ),
    "an archive": (
        "FetchContent_Declare(lws URL https://github.com/warmcat/libwebsockets/archive/refs/tags/v4.3.2.tar.gz)\n",
        ["lws == 4.3.2 (tag) @1"],
    ),
    "CPM": ('CPMAddPackage("gh:warmcat/libwebsockets#v4.3.2")\n', ["lws == 4.3.2 (tag) @1"]),
    "another project's tag": ("FetchContent_Declare(zlib GIT_REPOSITORY https://x/zlib GIT_TAG v1.3)\n", []),
}


@pytest.mark.parametrize("text, expected", REQUIREMENTS.values(), ids=REQUIREMENTS)
def test_requirements(text: str, expected: list[str]) -> None:
    assert [line for line in tell("CMakeLists.txt", text) if line.startswith("lws")] == expected


def test_what_an_external_project_is_told_is_a_configuration_of_its_own() -> None:
    url = "http://x/libwebsockets-4.3.2.tar.gz"
    text = f"ExternalProject_Add(lws URL {url} CMAKE_ARGS -DLWS_WITH_SSL:BOOL=OFF)\n"
    assert tell("CMakeLists.txt", text) == ["cache LWS_WITH_SSL=OFF @1 [lws]", "lws == 4.3.2 (tag) @1"]


def test_includes() -> None:
    text = (
        "add_subdirectory(net)\ninclude(cmake/tls.cmake)\n"
        "set(CMAKE_MODULE_PATH ${CMAKE_SOURCE_DIR}/modules)\n"
        "include(Lab)\ninclude(${CMAKE_CURRENT_LIST_DIR}/../up.cmake)\n"
    )
    assert readers.read("app/CMakeLists.txt", text.encode()).includes == (
        "app/net/CMakeLists.txt",
        "app/cmake/tls.cmake",
        "${CMAKE_SOURCE_DIR}/modules/Lab.cmake",
        "up.cmake",
    )


def test_records_point_at_their_text() -> None:
    text = 'option(A "ü" ON)\nadd_definitions(-DONE)\nfind_package(libwebsockets 4.3)\n'
    assert pointed("CMakeLists.txt", text) == ['option(A "ü" ON)', "-DONE", "4.3"]


HOSTILE = {
    "nested without end": "if(A)\n" * 50_000,
    "nested and closed": "if(A)\n" * 5_000 + "add_definitions(-DX)\n" + "endif()\n" * 5_000,
    "loops in loops": "foreach(x 1 2 3 4 5 6 7 8 9)\n" * 12
    + "add_definitions(-D${x})\n"
    + "endforeach()\n" * 12,
    "a variable that doubles": "set(A aaaaaaaa)\n" + "set(A ${A}${A})\n" * 60 + "add_executable(x ${A})\n",
    "elseif without end": "if(A)\n" + "elseif(B)\nadd_definitions(-DX)\n" * 5_000 + "endif()\n",
    "generator expressions": "add_definitions(" + "$<$<A:" * 20_000 + ")\n",
    "no CMake at all": "\0\xff{{{{(((" * 5_000,
    "an open string": 'set(A "' + "x" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_read_as_far_as_it_goes(text: str) -> None:
    file = readers.read("CMakeLists.txt", text.encode("latin-1"))
    assert "failed" not in file.problem
    assert len(file.defines) <= cmake_commands.MAX_COMMANDS * 2
    assert all(len(setting.value) <= 200_000 for setting in file.settings)


def test_what_was_left_out_is_told() -> None:
    deep = readers.read("CMakeLists.txt", b"if(A)\n" * 500 + b"endif()\n" * 500)
    assert deep.problem == "nests deeper than 64 blocks"
    long = readers.read("CMakeLists.txt", b"add_definitions(-DX)\n" * 20_001)
    assert long.problem == "only its first 20000 commands were read"
    broken = readers.read("CMakeLists.txt", b"add_definitions(-DX)\nif(A\nset(((\n")
    assert broken.problem == "does not parse as CMake in full"
    assert [define.name for define in broken.defines] == ["X"]
    assert readers.read("CMakeLists.txt", b"#" * 2_000_000).problem == "larger than 1000000 bytes"


def test_a_template_that_cmake_fills_in_is_no_cmake() -> None:
    assert readers.read("config.h.cmake", b"#cmakedefine A\n#define B @C@\n").problem == ""


# ------------------------------------------------------------------------------------- presets, caches


def preset(name: str, **keys: object) -> dict[str, object]:
    return {"name": name, **keys}


def test_presets_inherit_and_hidden_ones_are_no_choice() -> None:
    presets = [
        preset("base", hidden=True, cacheVariables={"DEV_TLS": True, "A": {"type": "STRING", "value": "a"}}),
        preset("release", inherits="base", cacheVariables={"CMAKE_BUILD_TYPE": "Release", "A": "b"}),
    ]
    text = json.dumps({"version": 3, "configurePresets": presets}, indent=1)
    assert tell("CMakePresets.json", text) == [
        "cache A=b @20 [preset release]",
        "cache CMAKE_BUILD_TYPE=Release @19 [preset release]",
        "cache DEV_TLS=ON @8 [preset release]",
    ]


def test_presets_that_inherit_each_other_end() -> None:
    presets = [preset("a", inherits=["b"], cacheVariables={"X": "1"}), preset("b", inherits=["a", "a"])]
    lines = tell("CMakePresets.json", json.dumps({"configurePresets": presets}))
    assert lines == ["cache X=1 @1 [preset a]", "cache X=1 @1 [preset b]"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"configurePresets": 3}', "[" * 100_000, "\xff"])
def test_broken_presets_are_told(text: str) -> None:
    assert readers.read("CMakePresets.json", text.encode("latin-1")).problem.startswith(
        "is not a presets file"
    )


def test_a_cache_says_what_was_chosen() -> None:
    text = (
        "# made by cmake\n//doc\nDEV_TLS:BOOL=ON\nCMAKE_BUILD_TYPE:STRING=Debug\nX:INTERNAL=1\nnot a line\n"
    )
    assert tell("build/CMakeCache.txt", text) == ["cache DEV_TLS=ON @3", "cache CMAKE_BUILD_TYPE=Debug @4"]
