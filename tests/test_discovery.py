"""Which files are linted, which are not, and the reason given."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lwslint import discovery
from lwslint.discovery import Discovery, discover, language_of
from lwslint.ignores import Exclusion
from tests.conftest import WriteTree


def look(root: Path, *paths: str, exclude: Sequence[Exclusion] = ()) -> Discovery:
    return discover(paths or ["."], cwd=str(root), exclude=exclude)


def names(found: Discovery) -> list[str]:
    return [file.path for file in found.files]


def reasons(found: Discovery) -> dict[str, str]:
    return {item.path: item.reason for item in found.skipped}


def test_c_cpp_and_python_are_taken_by_suffix_sorted_and_the_rest_counted(write_tree: WriteTree) -> None:
    taken = [
        "a.c",
        "b.h",
        "c.cc",
        "d.cpp",
        "e.cxx",
        "f.hpp",
        "g.hh",
        "h.inl",
        "i.c++",
        "j.C",
        "k.ino",
        "l.py",
        "m.pyw",
        "z/a.c",
    ]
    root = write_tree(dict.fromkeys([*taken, "README.md", "x.pyc", "c.txt"], ""))
    found = look(root)
    assert names(found) == sorted(taken)
    assert found.other == 3
    assert not found.skipped
    assert not found.problems


@pytest.mark.parametrize(
    ("path", "data", "language"),
    [
        ("a.c", b"class X {};", "c"),
        ("a.cpp", b"int x;", "cpp"),
        ("a.hpp", b"", "cpp"),
        ("a.h", b"struct x { int y; };", "c"),
        ("a.h", b"class X {\npublic:\n};", "cpp"),
        ("a.h", b"class Forward;", "cpp"),
        ("a.h", b"namespace a::b {\n}", "cpp"),
        ("a.h", b"template <typename T> T f(T);", "cpp"),
        ("a.h", b"std::string f(void);", "cpp"),
        ("a.h", b"#include <string>\n", "cpp"),
        ("a.h", b"/* class X { */ // std::string\nint x;", "c"),
        ("a.h", b'#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n', "c"),
        ("a.C", b"class X {};", "cpp"),
        ("a.c", b"int Socket::init(int port) { return 0; }", "cpp"),
        ("a.c", b'const char *any = "ff02::fb", colon = \'"\'; /* std::string */', "c"),
        ("A.H", b"int x;", "c"),
    ],
)
def test_the_language_is_what_the_name_says_and_where_that_leaves_a_doubt_the_bytes(
    path: str, data: bytes, language: str
) -> None:
    assert language_of(path, data) == language


def test_ignore_rules_nest_and_the_innermost_decides(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            ".gitignore": "*.c\n!keep.c\nout/\n/top.h\n",
            "gone.c": "",
            "keep.c": "",
            "top.h": "",
            "sub/top.h": "",
            "sub/.gitignore": "!gone.c\r\nkeep.c\r\n",
            "sub/gone.c": "",
            "sub/keep.c": "",
            "out/a.h": "",
            ".git/info/exclude": "private.h\n",
            "private.h": "",
        }
    )
    found = look(root)
    assert names(found) == ["keep.c", "sub/gone.c", "sub/top.h"]
    assert reasons(found) == {
        ".git/": "version control folder",
        **dict.fromkeys(["gone.c", "out/", "private.h", "sub/keep.c", "top.h"], discovery.IGNORED),
    }


def test_a_folder_is_taken_back_from_a_pattern_for_everything(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            ".gitignore": "*\n!*.*\n!*/\nbuild\nsecret.c\nlib/**\n!lib/keep.c\n",
            "lib/keep.c": "",
            "lib/gone.c": "",
            "src/web/a.c": "",
            "src/build/b.c": "",
            "src/secret.c": "",
            "main.c": "",
        }
    )
    assert names(look(root)) == ["lib/keep.c", "main.c", "src/web/a.c"]


def test_ignore_files_above_the_linted_path_count_within_a_work_tree(write_tree: WriteTree) -> None:
    root = write_tree({".git/HEAD": "", ".gitignore": "gen_*.c\nbuild/\n", "src/gen_a.c": "", "src/b.c": ""})
    assert names(look(root, "src")) == ["src/b.c"]


def test_an_ignored_folder_is_linted_when_it_is_named(write_tree: WriteTree) -> None:
    root = write_tree(
        {".git/HEAD": "", ".gitignore": "build/\n", "build/a.c": "", "build/.gitignore": "b.c\n"}
    )
    (root / "build/b.c").touch()
    assert names(look(root, "build")) == ["build/a.c"]


def test_a_file_that_is_named_is_always_taken(write_tree: WriteTree) -> None:
    root = write_tree({".gitignore": "a.c\n", "a.c": "", "b.txt": "", "libwebsockets.h": "LWS_WITH_TLS"})
    found = look(root, "a.c", "b.txt", "libwebsockets.h", ".")
    assert names(found) == ["a.c", "b.txt", "libwebsockets.h"]
    assert not found.problems


def test_a_bad_ignore_pattern_does_not_end_the_run(write_tree: WriteTree) -> None:
    root = write_tree({".gitignore": "a.c\n[\n!\n\\\n***/\n[z-a].c\nb.c\n", "a.c": "", "b.c": "", "c.c": ""})
    assert names(look(root)) == ["c.c"]


def test_a_pattern_that_cannot_be_compiled_is_told_to_who_wrote_it_into_the_configuration() -> None:
    with pytest.raises(ValueError, match="bad character range"):
        Exclusion("/", ["*.c", "[z-a].c"])


def test_the_last_pattern_that_matches_decides_among_many(write_tree: WriteTree) -> None:
    patterns = [f"other_{number}.*" for number in range(50)]
    patterns[10] = "/src/*.h"
    patterns[20] = "!/src/a.h"
    patterns[30] = "gen_*/"
    patterns[40] = "b.[ch]"
    root = write_tree(
        {
            ".gitignore": "\n".join(patterns),
            **dict.fromkeys(["src/a.h", "src/b.c", "src/c.h", "src/d.c", "lib/c.h", "x/gen_1/a.c"], ""),
            **dict.fromkeys(["gen_2", "src/other_7.c"], ""),
        }
    )
    assert names(look(root)) == ["lib/c.h", "src/a.h", "src/d.c"]


def test_exclusions_start_in_their_folder(write_tree: WriteTree) -> None:
    root = write_tree({"a/gen/x.c": "", "gen/x.c": "", "a/y.c": ""})
    found = look(root, exclude=[Exclusion(str(root / "a"), ["/gen/"])])
    assert names(found) == ["a/y.c", "gen/x.c"]
    assert reasons(found) == {"a/gen/": discovery.EXCLUDED}


def test_special_files_and_links_out_of_the_tree_are_left_alone(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    root = write_tree({"a.c": ""})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.c").write_text("secret")
    os.mkfifo(root / "fifo.c")
    (root / "passwd.c").symlink_to("/etc/passwd")
    (root / "dir").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "self.c").symlink_to("self.c")
    (root / "nowhere.c").symlink_to("missing")
    found = look(root)
    assert names(found) == ["a.c"]
    assert reasons(found) == {
        "fifo.c": discovery.SPECIAL,
        "passwd.c": discovery.OUTSIDE,
        "dir/": discovery.OUTSIDE,
        "self.c": discovery.DANGLING,
        "nowhere.c": discovery.DANGLING,
    }
    assert not found.problems


def test_a_link_inside_the_tree_is_another_name_of_its_file(write_tree: WriteTree) -> None:
    root = write_tree({".gitignore": "hidden/\n", "z/a.c": "", "hidden/b.c": ""})
    (root / "a_link.c").symlink_to("z/a.c")
    (root / "b_link.c").symlink_to("hidden/b.c")
    found = look(root)
    assert names(found) == ["b_link.c", "z/a.c"]
    assert reasons(found)["a_link.c"] == discovery.TWICE


def test_a_link_that_is_named_is_followed(write_tree: WriteTree, tmp_path: Path) -> None:
    root = write_tree({"a.c": ""})
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "b.c").symlink_to(root / "a.c")
    assert names(discover(["link"], cwd=str(tmp_path))) == ["link/a.c"]
    assert names(discover(["b.c"], cwd=str(tmp_path))) == ["b.c"]


def test_paths_that_overlap_are_linted_once(write_tree: WriteTree) -> None:
    root = write_tree({"src/a.c": ""})
    found = look(root, "src", ".", "src/a.c", "src/../src")
    assert names(found) == ["src/a.c"]
    assert not found.skipped


def test_what_cannot_be_taken_is_a_problem_and_the_rest_goes_on(write_tree: WriteTree) -> None:
    root = write_tree({"a.c": ""})
    os.mkfifo(root / "fifo.c")
    found = look(root, "missing", "fifo.c", "a.c", "nul\0.c")
    assert names(found) == ["a.c"]
    assert {problem.path: problem.message for problem in found.problems} == {
        "missing": "no such file or folder",
        "fifo.c": "not a regular file",
        "nul\0.c": "cannot be read: embedded null byte",
    }


def test_a_folder_that_cannot_be_listed_is_a_problem(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree({"a.c": "", "closed/b.c": ""})
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = look(root)
    assert names(found) == ["a.c"]
    assert [(p.path, p.message) for p in found.problems] == [("closed", "cannot be read: permission denied")]


def test_paths_outside_the_current_folder_are_named_from_the_given_path(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    root = write_tree({"one/src/a.c": "", "two/a.c": "", "cwd/a.c": ""})
    cwd = str(root / "cwd")
    assert names(discover(["../one"], cwd=cwd)) == ["src/a.c"]
    assert names(discover([str(root / "one/src/a.c")], cwd=cwd)) == ["a.c"]
    assert names(discover(["../one", "../two"], cwd=cwd)) == ["one/src/a.c", "two/a.c"]
    assert names(discover([".", "../two"], cwd=cwd)) == [str(root / "two/a.c"), "a.c"]


def test_hostile_names_are_kept_as_they_are(write_tree: WriteTree) -> None:
    strange = ["a\x1b[31m.c", "b\n.c", os.fsdecode(b"\xff.c")]
    root = write_tree(dict.fromkeys(strange, ""))
    assert names(look(root)) == sorted(strange)


LWS_4 = {
    "CMakeLists.txt": "",
    "include/libwebsockets.h": "#define LWS_WITH_TLS",
    "include/libwebsockets/lws-callbacks.h": "",
    "lib/core-net/vhost.c": "",
    "lib/roles/ws/ops-ws.c": "",
    "minimal-examples/client/main.c": "",
    "test-apps/test-client.c": "",
    "plugins/p.c": "",
}


def below(folder: str, files: dict[str, str]) -> dict[str, str | bytes]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def test_a_vendored_libwebsockets_is_left_out_whole(write_tree: WriteTree) -> None:
    root = write_tree({"src/main.c": "", **below("third_party/lws", LWS_4)})
    found = look(root)
    assert names(found) == ["src/main.c"]
    assert reasons(found) == {"third_party/lws/": discovery.LIBWEBSOCKETS}


@pytest.mark.parametrize(
    "copy",
    [
        {"lib/libwebsockets.c": "", "lib/libwebsockets.h": ""},  # 1.x, 2.x
        {"lib/core/context.c": "", "lib/roles/x.c": ""},  # 3.x
        {"libwebsockets.h": "LWS_WITH_", "libwebsockets.c": "", "service.c": ""},  # flat
        {"core/a.c": "", "event-libs/b.c": "", "plat/c.c": "", "roles/d.c": "", "tls/e.c": ""},
        {"lws-callbacks.h": "", "lws-context-vhost.h": "", "lws-misc.h": ""},  # header folder
    ],
)
def test_older_and_partial_copies_are_recognised(write_tree: WriteTree, copy: dict[str, str]) -> None:
    root = write_tree({"src/main.c": "", **below("deps/copy", copy)})
    found = look(root)
    assert names(found) == ["src/main.c"]
    assert reasons(found) == {"deps/copy/": discovery.LIBWEBSOCKETS}


def test_single_copied_headers_are_left_out_by_what_they_say(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "include/libwebsockets.h": "enum lws_callback_reasons { LWS_CALLBACK_ESTABLISHED };",
            "include/lws_config.h": '#define LWS_LIBRARY_VERSION "4.3"',
            "src/libwebsockets.h": "/* my own wrapper */ void relay_start(void);",
            "src/libwebsockets/Client.cpp": "",
            "lib/libwebsockets.h": "#define LWS_WITHOUT_EXTENSIONS",
            "lib/relay.c": "",
        }
    )
    found = look(root)
    assert names(found) == ["lib/relay.c", "src/libwebsockets.h", "src/libwebsockets/Client.cpp"]
    assert set(reasons(found).values()) == {discovery.LIBWEBSOCKETS}


@pytest.mark.parametrize("given", [".", "../tree"])
def test_of_libwebsockets_itself_only_the_library_is_left_out(write_tree: WriteTree, given: str) -> None:
    root = write_tree(dict(LWS_4))
    found = look(root, given)
    assert names(found) == ["minimal-examples/client/main.c", "plugins/p.c", "test-apps/test-client.c"]
    assert reasons(found) == {
        "include/": discovery.LIBWEBSOCKETS,
        "lib/": discovery.LIBWEBSOCKETS,
    }


def test_examples_of_libwebsockets_are_linted_when_named(write_tree: WriteTree) -> None:
    root = write_tree(dict(LWS_4))
    assert names(look(root, "minimal-examples")) == ["minimal-examples/client/main.c"]


def test_a_deep_tree_costs_no_stack(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 900)
    deep.mkdir(parents=True)
    (deep / "a.c").touch()
    assert len(names(discover(["."], cwd=str(tmp_path)))) == 1


@pytest.mark.parametrize(
    "pattern", ["*a*a*a*a*a*a*a*a*a*a*b", "**/a/**/a/**/a/**/a/**/b", "a*" * 40 + "/**/x"]
)
def test_a_costly_ignore_pattern_cannot_stall_the_run(write_tree: WriteTree, pattern: str) -> None:
    root = write_tree(
        {".gitignore": f"{pattern}\nb.c\n", "a" * 200 + ".c": "", "b.c": "", "a/" * 300 + "c.c": ""}
    )
    assert len(names(look(root))) == 2
    with pytest.raises(ValueError, match="too many wildcards"):
        Exclusion(str(root), [pattern])


def test_the_costliest_pattern_that_is_allowed_is_quick(write_tree: WriteTree) -> None:
    patterns = "\n".join(["*a*a*b", "**/*a*a*b/**/x", "a*/**/*a*b"])
    root = write_tree({".gitignore": patterns, "a" * 200 + ".c": "", "a/" * 300 + "a" * 200 + ".c": ""})
    before = time.process_time()
    look(root)
    assert time.process_time() - before < 10


def test_an_empty_path_is_a_mistake(write_tree: WriteTree) -> None:
    found = look(write_tree({"a.c": ""}), "")
    assert not found.files
    assert [problem.message for problem in found.problems] == ["no such file or folder"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("policy.json", True),
        ("policy-local.json.in", True),
        ("etc/lwsws/conf", True),
        ("etc/lwsws/conf.d/libwebsockets.org", True),
        ("etc-lwsws-conf.d-localhost-EXAMPLE", True),
        ("README.md", False),
        (".gitignore", False),
        ("conf.d/plugin.c", False),
        ("image.png", False),
    ],
)
def test_files_that_may_be_documents(write_tree: WriteTree, path: str, expected: bool) -> None:
    found = look(write_tree({path: "{}", "main.c": ""}))
    assert ([file.path for file in found.documents] == [path]) is expected
    assert found.other == (0 if expected or path.endswith(".c") else 1)


def test_a_named_file_without_suffix_is_c_unless_it_begins_like_json(write_tree: WriteTree) -> None:
    root = write_tree({"prog": "int main(void) { return 0; }", "conf": "# x\n{}"})
    found = discover(["prog", "conf"], cwd=str(root))
    assert names(found) == ["prog"]
    assert [file.path for file in found.documents] == ["conf"]


def test_a_conan_recipe_is_a_build_file_and_no_source(write_tree: WriteTree) -> None:
    found = look(write_tree({"conanfile.py": "", "client.py": "", "lib/Makefile": "", "lib/a.c": ""}))
    assert names(found) == ["client.py", "lib/a.c"]
    assert [file.path for file in found.build_files] == ["conanfile.py", "lib/Makefile"]
