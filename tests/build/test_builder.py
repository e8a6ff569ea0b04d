"""What is decided from the build files of a tree: macros, switches, programs, the release."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from lwslint.build.builder import Builder
from lwslint.build.model import Builds, Switch
from lwslint.config import Options, settings
from lwslint.discovery import discover, named_file
from lwslint.prefilter import mentions_lws
from lwslint.settings import Build, Version
from tests.conftest import WriteTree

SOURCE = "int x; /* lws */\n"


def build(
    write_tree: WriteTree, files: Mapping[str, str], *, name: str | None = None, database: str = ""
) -> Builder:
    """The builder of a tree, which has decided."""
    root = write_tree({"a.c": SOURCE, **files})
    found = discover(["."], cwd=str(root))
    named = named_file(database, str(root)) if database else None
    asked = settings(Options(), build=name)
    builder = Builder(found.build_files, found.files, asked, named, copies=found.copies)
    builder.decide([file.path for file in found.files if mentions_lws((root / file.path).read_bytes())])
    return builder


def compiled(builder: Builder, path: str = "a.c") -> Build:
    return builder.compiled(path)


def switch(builder: Builder, macro: str, path: str = "a.c") -> Switch | None:
    found = builder.builds.compilations.get(path)
    return next((s for s in found.switches if s.macro == macro), None) if found else None


APP = "project(x)\nadd_executable(app a.c)\nset(CMAKE_BUILD_TYPE Release)\n"


def test_without_build_files_the_profile_stands(write_tree: WriteTree) -> None:
    builder = build(write_tree, {})
    assert compiled(builder) == Build()
    assert builder.builds == Builds()


def test_a_macro_of_every_build_is_certain(write_tree: WriteTree) -> None:
    builder = build(write_tree, {"CMakeLists.txt": APP + "add_definitions(-DONE -DDEBUG=3)\n"})
    assert compiled(builder).defines == {"NDEBUG": "1", "ONE": "1", "DEBUG": "3"}
    assert compiled(builder).undefined == ("_DEBUG",)


def test_what_the_user_says_stays(write_tree: WriteTree) -> None:
    root = write_tree({"a.c": SOURCE, "CMakeLists.txt": APP + "add_definitions(-DONE -DTWO)\n"})
    found = discover(["."], cwd=str(root))
    builder = Builder(found.build_files, found.files, settings(Options(), ["TWO=2"], ["ONE"]))
    builder.decide(["a.c"])
    assert compiled(builder).defines == {"NDEBUG": "1", "TWO": "2"}
    assert "ONE" in compiled(builder).undefined


@pytest.mark.parametrize(
    "lines, name, defined",
    [
        ("add_compile_definitions($<$<CONFIG:Debug>:ONE>)\n", None, False),
        ("add_compile_definitions($<$<CONFIG:Debug>:ONE>)\n", "development", True),
        ("if(CMAKE_BUILD_TYPE STREQUAL Debug)\nadd_definitions(-DONE)\nendif()\n", None, False),
        ('set(CMAKE_C_FLAGS_DEBUG "-DONE")\n', None, False),
        ('set(CMAKE_C_FLAGS_RELEASE "-DONE")\n', None, True),
        ("add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:ONE>)\n", None, True),
    ],
)
def test_the_build_type_decides(write_tree: WriteTree, lines: str, name: str | None, defined: bool) -> None:
    text = "project(x)\nadd_executable(app a.c)\n" + lines
    build_of = compiled(build(write_tree, {"CMakeLists.txt": text}, name=name))
    assert ("ONE" in build_of.defines, "ONE" in build_of.undefined) == (defined, not defined)


SWITCHES = {
    "an option that is off": (
        'option(LAB "lab" OFF)\nif(LAB)\nadd_definitions(-DONE)\nendif()\n',
        (False, "CMake option LAB (CMakeLists.txt:4), default OFF"),
    ),
    "an option that is on": (
        'option(LAB "lab" ON)\nif(LAB)\nadd_definitions(-DONE)\nendif()\n',
        (True, "CMake option LAB (CMakeLists.txt:4), default ON"),
    ),
    "the other side of an option": (
        'option(STRICT "strict" ON)\nif(NOT STRICT)\nadd_definitions(-DONE)\nendif()\n',
        (False, "CMake option STRICT (CMakeLists.txt:4), default ON"),
    ),
    "a generator expression": (
        'option(LAB "lab")\ntarget_compile_definitions(app PRIVATE $<$<BOOL:${LAB}>:ONE>)\n',
        (False, "CMake option LAB (CMakeLists.txt:4), default OFF"),
    ),
    "a variable that nothing sets": (
        "if(LAB)\nadd_definitions(-DONE)\nendif()\n",
        (False, "CMake variable LAB (CMakeLists.txt:4), not set by default"),
    ),
    "a header that CMake fills in": (
        'option(LAB "lab")\nif(LAB)\nset(ONE 1)\nendif()\nconfigure_file(config.h.in config.h)\n',
        None,
    ),
    "a build type and an option": (
        'option(LAB "lab")\nif(CMAKE_BUILD_TYPE STREQUAL Release AND LAB)\nadd_definitions(-DONE)\nendif()\n',
        (False, "CMake option LAB (CMakeLists.txt:4), default OFF"),
    ),
    "what the machine decides is no switch": ("if(WIN32)\nadd_definitions(-DONE)\nendif()\n", None),
    "nor what a command of the project may set": (
        "look_for(LAB)\nif(LAB)\nadd_definitions(-DONE)\nendif()\n",
        None,
    ),
    "nor what is set in several ways": (
        "if(WIN32)\nset(LAB ON)\nelse()\nset(LAB OFF)\nendif()\nif(LAB)\nadd_definitions(-DONE)\nendif()\n",
        None,
    ),
    "nor a macro of another target": (
        'option(LAB "lab")\nif(LAB)\ntarget_compile_definitions(other PRIVATE ONE)\nendif()\n',
        None,
    ),
}


@pytest.mark.parametrize("lines, expected", SWITCHES.values(), ids=SWITCHES)
def test_switches(write_tree: WriteTree, lines: str, expected: tuple[bool, str] | None) -> None:
    builder = build(write_tree, {"CMakeLists.txt": APP + lines})
    found = switch(builder, "ONE")
    assert (None if found is None else (found.on, found.text)) == expected
    # Both sides of a switch are read: it is neither defined nor undefined.
    assert "ONE" not in (*compiled(builder).defines, *compiled(builder).undefined)


def test_an_option_of_the_outer_file_decides_in_the_inner_one(write_tree: WriteTree) -> None:
    files = {
        "CMakeLists.txt": 'project(x)\noption(LAB "lab")\nset(SRC b.c)\nadd_subdirectory(net)\n',
        "net/CMakeLists.txt": "if(LAB)\nadd_definitions(-DONE)\nendif()\nadd_executable(net ${SRC})\n"
        "include(${CMAKE_SOURCE_DIR}/cmake/more.cmake)\n",
        "cmake/more.cmake": "target_compile_definitions(net PRIVATE MORE)\n",
        "net/b.c": SOURCE,
    }
    builder = build(write_tree, files)
    found = switch(builder, "ONE", "net/b.c")
    assert found is not None and found.text == "CMake option LAB (CMakeLists.txt:2), default OFF"
    assert compiled(builder, "net/b.c").defines["MORE"] == "1"
    assert builder.builds.compilations["net/b.c"].programs == ("net",)
    assert switch(builder, "ONE", "a.c") is None


def test_an_option_in_a_header_that_cmake_fills_in(write_tree: WriteTree) -> None:
    files = {
        "CMakeLists.txt": APP + 'option(ONE "one")\nset(TWO 1)\nconfigure_file(inc/config.h.in config.h)\n',
        "inc/config.h.in": "#pragma once\n#cmakedefine ONE\n#  cmakedefine01 TWO\n#define THREE @ONE@\n",
        "other/config.h.in": "#cmakedefine FOUR\n",
    }
    builder = build(write_tree, files)
    found = switch(builder, "ONE")
    assert found is not None and found.text == "CMake option ONE (CMakeLists.txt:4), default OFF"
    # Nobody knows which sources include it.
    assert "TWO" not in compiled(builder).defines
    assert [file.path for file in builder.builds.files] == ["CMakeLists.txt", "inc/config.h.in"]


def test_public_macros_spread_along_links(write_tree: WriteTree) -> None:
    text = APP + (
        "add_library(one b.c)\ntarget_compile_definitions(one PUBLIC SPREAD PRIVATE KEPT)\n"
        "add_library(two c.c)\ntarget_link_libraries(two one)\ntarget_link_libraries(app PRIVATE two)\n"
    )
    defines = compiled(build(write_tree, {"CMakeLists.txt": text})).defines
    assert "SPREAD" in defines
    assert "KEPT" not in defines


def test_a_source_of_two_programs_has_what_both_have(write_tree: WriteTree) -> None:
    text = APP + (
        "add_executable(other a.c)\ntarget_compile_definitions(app PRIVATE ONE BOTH)\n"
        "target_compile_definitions(other PRIVATE BOTH)\n"
    )
    found = compiled(build(write_tree, {"CMakeLists.txt": text}))
    assert "BOTH" in found.defines
    assert "ONE" not in (*found.defines, *found.undefined)


# ------------------------------------------------------------------------------------- configurations

LAB = 'option(LAB "lab")\nif(LAB)\nadd_definitions(-DONE)\nendif()\nadd_executable(app a.c)\n'


def presets(**variables: str) -> str:
    return json.dumps({"configurePresets": [{"name": "field", "cacheVariables": variables}]})


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"CMakePresets.json": presets(LAB="ON")}, ["preset field (CMakePresets.json:1)"]),
        ({"CMakePresets.json": presets(LAB="OFF")}, []),
        ({"CMakePresets.json": presets(LAB="ON", CMAKE_BUILD_TYPE="Debug")}, []),
        ({"docs/CMakePresets.json": presets(LAB="ON")}, []),
        ({"build/CMakeCache.txt": "LAB:BOOL=ON\n"}, ["the build (build/CMakeCache.txt:1)"]),
        ({"Dockerfile": "FROM x\nRUN cmake -DLAB=ON . && make\n"}, ["cmake on line 2 (Dockerfile:2)"]),
        ({".github/workflows/ci.yml": "jobs:\n a:\n  steps:\n  - run: cmake -DLAB=ON .\n"}, []),
    ],
)
def test_a_configuration_of_the_tree_may_choose_otherwise(
    write_tree: WriteTree, files: Mapping[str, str], expected: list[str]
) -> None:
    found = switch(build(write_tree, {"CMakeLists.txt": LAB, **files}), "ONE")
    assert found is not None
    assert [other.name for other in found.elsewhere] == expected


@pytest.mark.parametrize(
    "lines, extra, is_switch",
    [
        ("", {}, True),
        ("if(NOT CMAKE_BUILD_TYPE)\nset(CMAKE_BUILD_TYPE Release)\nendif()\n", {}, False),
        ('set(CMAKE_BUILD_TYPE Release CACHE STRING "type")\n', {}, False),
        ("", {"CMakePresets.json": presets(CMAKE_BUILD_TYPE="Release")}, False),
        ("add_definitions(-DNDEBUG)\n", {}, False),
    ],
)
def test_a_build_without_a_type_has_no_ndebug(
    write_tree: WriteTree, lines: str, extra: Mapping[str, str], is_switch: bool
) -> None:
    files = {"CMakeLists.txt": "project(x)\nadd_executable(app a.c)\n" + lines, **extra}
    builder = build(write_tree, files)
    found = switch(builder, "NDEBUG")
    assert (found is not None) is is_switch
    assert ("NDEBUG" in compiled(builder).defines) is not is_switch


# ------------------------------------------------------------------------------------- databases


def database(*entries: tuple[str, str], folder: str = "/ci/work/proj") -> str:
    return json.dumps(
        [
            {
                "directory": f"{folder}/build",
                "file": f"{folder}/{file}",
                "command": f"cc {flags} -o CMakeFiles/app.dir/{file}.o -c {folder}/{file}",
            }
            for file, flags in entries
        ]
    )


def test_a_database_of_another_machine_says_what_was_compiled(write_tree: WriteTree) -> None:
    text = database(("a.c", "-O2 -DONE=1 -D TWO"), ("net/a.c", "-DNDEBUG -DTHREE"))
    builder = build(write_tree, {"build/compile_commands.json": text, "net/a.c": SOURCE})
    assert compiled(builder).defines == {"ONE": "1", "TWO": "1", "__OPTIMIZE__": "1"}
    assert compiled(builder).undefined == ("DEBUG", "_DEBUG", "NDEBUG")
    assert compiled(builder, "net/a.c").defines == {"NDEBUG": "1", "THREE": "1"}
    assert [(p.name, p.sources) for p in builder.builds.programs] == [("app", ("a.c", "net/a.c"))]


def test_sources_without_the_library_are_parts_of_programs(write_tree: WriteTree) -> None:
    entries = json.loads(database(("a.c", "-O2"), ("b.c", "-O2")))
    entries[1]["arguments"] = entries[1].pop("command").split()
    builder = build(write_tree, {"compile_commands.json": json.dumps(entries), "b.c": "int y;\n"})
    assert [(p.name, p.sources) for p in builder.builds.programs] == [("app", ("a.c", "b.c"))]
    assert list(builder.builds.compilations) == ["a.c"]


def test_a_database_of_a_debug_build_says_nothing_about_production(write_tree: WriteTree) -> None:
    files = {"compile_commands.json": database(("a.c", "-g -DDEBUG -DONE"))}
    builder = build(write_tree, files)
    assert compiled(builder) == Build()
    assert builder.builds.idle == ("compile_commands.json",)
    assert "ONE" in compiled(build(write_tree, files, name="development")).defines


def test_a_database_that_was_named_counts_without_its_debugging(write_tree: WriteTree) -> None:
    files = {
        "x/db.json": database(("a.c", "-g -DDEBUG -DONE")),
        "compile_commands.json": database(("a.c", "-DTWO -O2")),
    }
    found = compiled(build(write_tree, files, database="x/db.json"))
    assert found.defines == {"NDEBUG": "1", "ONE": "1"}
    assert found.undefined == ("DEBUG", "_DEBUG")


def test_a_source_that_is_compiled_twice_has_what_both_have(write_tree: WriteTree) -> None:
    text = database(("a.c", "-O2 -DONE -DBOTH"), ("a.c", "-O2 -DBOTH"))
    found = compiled(build(write_tree, {"compile_commands.json": text}))
    assert "BOTH" in found.defines
    assert "ONE" not in found.defines


@pytest.mark.parametrize(
    "text", ["", "{}", "[3, null, {}]", '[{"file": 3}]', "[" * 100_000, '[{"file":"/a.c","command":"\'"}]']
)
def test_a_broken_database_decides_nothing(write_tree: WriteTree, text: str) -> None:
    assert compiled(build(write_tree, {"compile_commands.json": text})) == Build()


def test_a_database_beats_the_switch_of_cmake(write_tree: WriteTree) -> None:
    files = {"CMakeLists.txt": LAB, "compile_commands.json": database(("a.c", "-O2 -DONE"))}
    builder = build(write_tree, files)
    assert switch(builder, "ONE") is None
    assert compiled(builder).defines["ONE"] == "1"


# ------------------------------------------------------------------------------------- other formats


@pytest.mark.parametrize(
    "name, text, expected",
    [
        (
            "Makefile",
            "ifdef LAB\nCFLAGS += -DONE\nendif\napp: a.c\n\tcc $(CFLAGS) -o app a.c\n",
            "make variable LAB",
        ),
        (
            "Makefile",
            "MODE ?= field\nifeq ($(MODE),lab)\nCFLAGS += -DONE\nendif\n"
            "app: a.c\n\tcc $(CFLAGS) -o app a.c\n",
            "make variable MODE (Makefile:1), default field",
        ),
        ("Makefile", "lab: CFLAGS += -DONE\nlab: app\napp: a.c\n\tcc $(CFLAGS) -o app a.c\n", "the goal lab"),
    ],
)
def test_switches_of_make(write_tree: WriteTree, name: str, text: str, expected: str) -> None:
    found = switch(build(write_tree, {name: text}), "ONE")
    assert found is not None
    assert not found.on
    assert found.text.startswith(expected)


def test_an_option_of_meson(write_tree: WriteTree) -> None:
    files = {
        "meson.build": "project('x', 'c')\nif get_option('lab')\n"
        "add_project_arguments('-DONE', language: 'c')\nendif\n"
        "executable('app', 'a.c', c_args: ['-DTWO'])\n",
        "meson_options.txt": "option('lab', type: 'boolean', value: false)\n",
    }
    builder = build(write_tree, files)
    found = switch(builder, "ONE")
    assert found is not None and found.text == "meson option lab (meson_options.txt:1), default false"
    assert compiled(builder).defines["TWO"] == "1"


# ------------------------------------------------------------------------------------- programs, release


def test_programs_have_the_sources_of_what_they_link(write_tree: WriteTree) -> None:
    text = "add_library(net STATIC net/*.c)\nadd_executable(one a.c)\nadd_executable(two b.c)\n"
    text += "target_link_libraries(one net)\nadd_library(plugin MODULE c.c)\n"
    files = {"CMakeLists.txt": text, "b.c": "", "c.c": "", "net/n.c": SOURCE, "net/deep/m.c": ""}
    programs = build(write_tree, files).builds.programs
    assert [(p.name, p.kind, p.sources) for p in programs] == [
        ("one", "program", ("a.c", "net/n.c")),
        ("two", "program", ("b.c",)),
        ("plugin", "module", ("c.c",)),
    ]


def test_a_hostile_pattern_costs_nothing(write_tree: WriteTree) -> None:
    stars = "a*" * 40 + "b"
    text = f"file(GLOB S {stars} {'**/' * 30}x.c)\nadd_executable(app a.c ${{S}})\n"
    builder = build(write_tree, {"CMakeLists.txt": text, "a" * 200 + ".c": ""})
    assert [program.sources for program in builder.builds.programs] == [("a.c",)]


RELEASES = {
    "a tag": (
        "FetchContent_Declare(x GIT_REPOSITORY u/libwebsockets GIT_TAG v4.3.3)\n",
        Version(4, 3, 3),
        "CMakeLists.txt:4",
    ),
    "a lower bound decides none": (
        "find_package(libwebsockets 4.0)\n",
        None,
        "4.0.0 or later (CMakeLists.txt:4",
    ),
    "a branch": (
        "FetchContent_Declare(x GIT_REPOSITORY u/libwebsockets GIT_TAG main)\n",
        None,
        "which is no release",
    ),
    "only under an option": (
        'option(OWN "own")\nif(OWN)\n'
        "FetchContent_Declare(x GIT_REPOSITORY u/libwebsockets GIT_TAG v4.3.3)\nendif()\n",
        None,
        "but not every build has it",
    ),
    "two": (
        "FetchContent_Declare(x GIT_REPOSITORY u/libwebsockets GIT_TAG v4.3.3)\n"
        "find_package(libwebsockets 4.2.1 EXACT)\n",
        None,
        "the files disagree: 4.2.1 (CMakeLists.txt:5) and 4.3.3 (CMakeLists.txt:4)",
    ),
    "none": ("", None, "no build file names one"),
}


def test_a_release_of_one_platform_is_not_that_of_another(write_tree: WriteTree) -> None:
    manifest = {
        "dependencies": ["libwebsockets"],
        "overrides": [{"name": "libwebsockets", "version": "4.3.2"}],
    }
    files = {"vcpkg.json": json.dumps(manifest), "CMakeLists.txt": APP + "find_package(libwebsockets 4.0)\n"}
    found = build(write_tree, files).builds.release
    assert found.version is None
    assert found.reason == "vcpkg.json:1 has 4.3.2, but CMakeLists.txt:4 takes 4.0 or any later one"


def test_a_copy_of_the_library_tells_its_release(write_tree: WriteTree) -> None:
    own = (
        'project(libwebsockets C)\nset(CPACK_PACKAGE_VERSION_MAJOR "4")\n'
        'set(CPACK_PACKAGE_VERSION_MINOR "3")\n'
        'set(CPACK_PACKAGE_VERSION_PATCH_NUMBER "5")\n'
        'set(CPACK_PACKAGE_VERSION_PATCH "${CPACK_PACKAGE_VERSION_PATCH_NUMBER}-${HASH}")\n'
        "set(LWS_LIBRARY_VERSION ${CPACK_PACKAGE_VERSION})\n"
    )
    files = {"deps/lws/lib/core/context.c": "", "deps/lws/lib/roles/x.c": "", "deps/lws/CMakeLists.txt": own}
    builder = build(write_tree, files)
    assert builder.builds.release.version == Version(4, 3, 5)
    assert builder.builds.release.reason == "deps/lws/CMakeLists.txt:2 (the sources themselves)"
    assert not builder.builds.files
    between = own.replace('NUMBER "5"', 'NUMBER "99"')
    assert build(write_tree, {**files, "deps/lws/CMakeLists.txt": between}).builds.release.version is None


@pytest.mark.parametrize("lines, expected, reason", RELEASES.values(), ids=RELEASES)
def test_the_release(write_tree: WriteTree, lines: str, expected: Version | None, reason: str) -> None:
    builder = build(write_tree, {"CMakeLists.txt": APP + lines})
    assert builder.builds.release.version == expected
    assert builder.settings.lws_version == expected
    assert reason in builder.builds.release.reason


def test_what_an_image_installs_is_not_the_release_of_the_program(write_tree: WriteTree) -> None:
    text = "FROM x\nRUN git clone -b v4.3.3 https://github.com/warmcat/libwebsockets\n"
    builder = build(write_tree, {"Dockerfile": text})
    assert builder.builds.release.version is None
    assert "Dockerfile:2 asks for 4.3.3" in builder.builds.release.reason


# ------------------------------------------------------------------------------------- what is read


def test_only_build_files_that_can_matter_are_read(write_tree: WriteTree) -> None:
    files = {
        "app/net/b.c": SOURCE,
        "CMakeLists.txt": "project(x)\n",
        "app/CMakeLists.txt": "include(${CMAKE_SOURCE_DIR}/cmake/one.cmake)\n",
        "app/net/Makefile": "all:\n",
        "cmake/one.cmake": "include(${CMAKE_CURRENT_LIST_DIR}/two.cmake)\n",
        "cmake/two.cmake": "# two\n",
        "cmake/three.cmake": "# three\n",
        "docs/CMakeLists.txt": "project(docs)\n",
        "docker/Dockerfile": "FROM x\n",
        "docker/lab/Dockerfile": "RUN apt install libwebsockets-dev\n",
    }
    builder = build(write_tree, files)
    assert [file.path for file in builder.builds.files] == [
        "CMakeLists.txt",
        "app/CMakeLists.txt",
        "app/net/Makefile",
        "cmake/one.cmake",
        "cmake/two.cmake",
        "docker/lab/Dockerfile",
    ]


def test_no_include_leads_out_of_the_tree_or_runs_in_circles(write_tree: WriteTree) -> None:
    root = write_tree({"a.c": SOURCE})
    (root.parent / "secret.cmake").write_text("add_definitions(-DSECRET)\n")
    (root / "link.cmake").symlink_to(root.parent / "secret.cmake")
    text = "include(../secret.cmake)\ninclude(link.cmake)\ninclude(CMakeLists.txt)\ninclude(b.cmake)\n"
    text += f"include({root.parent}/secret.cmake)\nadd_executable(app a.c)\n"
    builder = build(
        write_tree, {"CMakeLists.txt": text, "b.cmake": "include(CMakeLists.txt)\ninclude(b.cmake)\n"}
    )
    assert [file.path for file in builder.builds.files] == ["CMakeLists.txt", "b.cmake"]
    assert "SECRET" not in compiled(builder).defines
