"""Warm runs: nothing is read or lowered twice, and the outcome is that of a cold run, whatever changed."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lwslint import engine, memory, registry, source, witness, workers
from lwslint.cache import Cache
from lwslint.engine import Result
from lwslint.facts import FileFacts
from lwslint.reporters import View, render
from lwslint.settings import Build, Settings, Version
from lwslint.workers import Unit
from tests.conftest import WriteTree

CLIENT = """\
#include <libwebsockets.h>
#include "wire.h"
int wire_send(struct lws *wsi) {{ return lws_callback_on_writable(wsi); }}
void *wire_loop(void *context) {{ while (lws_service(context, 0) >= 0); return 0; }}
int wire_connect(struct lws_context *context) {{
    struct lws_client_connect_info info = {{0}};
    info.context = context;
    info.protocol = WIRE_NAME;
    info.ssl_connection = LCCSCF_USE_SSL{flags};
    return lws_client_connect_via_info(&info) == 0;
}}
"""
SENDER = """\
#include <pthread.h>
extern int wire_send(void *wsi);
void *{name}_run(void *wsi) {{ wire_send(wsi); return 0; }}
int {name}_start(void *wsi) {{ pthread_t t; return pthread_create(&t, 0, {name}_run, wsi); }}
"""
MAIN = """\
#include <pthread.h>
extern void *wire_loop(void *);
int main(void) { pthread_t t; pthread_create(&t, 0, wire_loop, 0); return sender_start(0); }
"""
TABLE = """\
#include <libwebsockets.h>
static int cb(struct lws *wsi, enum lws_callback_reasons reason, void *u, void *in, size_t n) {{
    switch (reason) {{ case LWS_CALLBACK_{reason}: return 0; default: break; }}
    return 0; /* lwslint: ignore[LWS303] on purpose */
}}
static const struct lws_protocols protocols[] = {{ {{ "{name}", cb, 0, 0 }}, {{ 0 }} }};
"""
PYTHON = """\
import ssl, websocket
from helper import context
def run(url):
    ws = websocket.WebSocketApp(url, subprotocols="{name}")
    ws.run_forever(sslopt={{"cert_reqs": ssl.{mode}}})
"""
HELPER = "import ssl\ncontext = ssl.create_default_context()\ncontext.check_hostname = {value}\n"

FILES: dict[str, list[str]] = {
    "wire.c": [CLIENT.format(flags=""), CLIENT.format(flags=" | LCCSCF_ALLOW_SELFSIGNED"), "int none;\n"],
    "wire.h": ['#define WIRE_NAME "wire"\n', '#define WIRE_NAME "wave"\n', "#define WIRE_NAME 0\n"],
    "sender.c": [SENDER.format(name="sender"), "int sender_start(void *w) { return 0; }\n"],
    "other.c": [SENDER.format(name="other"), "int unrelated;\n", MAIN],
    "main.c": [MAIN, MAIN.replace("wire_loop", "idle_loop")],
    "lib/table.c": [
        TABLE.format(name="wire", reason="ESTABLISHED"),
        TABLE.format(name="wave", reason="CLIENT_WRITEABLE"),
    ],
    "py/app.py": [
        PYTHON.format(name="wire", mode="CERT_NONE"),
        PYTHON.format(name="wire", mode="CERT_REQUIRED"),
        "def broken(:\n    websocket, cert_reqs\n",
    ],
    "py/helper.py": [HELPER.format(value="False"), HELPER.format(value="True"), "context = None\n"],
    "CMakeLists.txt": [
        "add_executable(wire wire.c sender.c main.c)\ntarget_link_libraries(wire websockets)\n",
        'add_executable(wire wire.c)\noption(DEV "" ON)\nif(DEV)\nadd_definitions(-DWIRE_DEV)\nendif()\n',
    ],
    "conf/server.json": [
        '{"global": {"init-ssl": "no"}, "vhosts": []}\n',
        '{"global": {}, "vhosts": [{"name": "wire", "port": "443", "host-ssl-key": "x"}]}\n',
    ],
    "py/start.py": [
        "import threading, app\nthreading.Thread(target=app.run).start()\n",
        "import app\n",
    ],
}
SETTINGS = (
    Settings(),
    Settings(build=Build(defines={"NDEBUG": "1", "WIRE_DEV": "1"})),
    Settings(subprotocols=("wire",)),
    Settings(lws_version=Version(4, 3)),
    Settings(max_file_size=300),
)

Lowered = list[str]


@pytest.fixture
def store(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"))


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Lowered:
    """The paths that front ends were asked for, in order."""
    asked: Lowered = []
    whole = workers.lower

    def lower(unit: Unit, settings: Settings) -> FileFacts | object:
        asked.append(unit.path)
        return whole(unit, settings)

    monkeypatch.setattr(workers, "lower", lower)
    return asked


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The names of the source files that were read for what they say (not to show a line of them)."""
    names: list[str] = []
    whole = source.read

    def reader(path: str, *arguments: Any, **options: Any) -> bytes:
        if path.endswith((".c", ".h", ".py")) and options.get("expected") is not None:
            names.append(os.path.relpath(path, str(tmp_path / "tree")))
        return whole(path, *arguments, **options)

    monkeypatch.setattr(source, "read", reader)
    return names


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusts stamps at once: files of a test are younger than a run trusts them to be."""
    monkeypatch.setattr(witness, "settled", lambda stamp, began: True)


def lint(root: Path, cache: Cache | None, settings: Settings = SETTINGS[0]) -> Result:
    return engine.lint(["."], settings, registry.load(), cwd=str(root), cache=cache)


def seen(result: Result) -> object:
    """All that a user can see of a result."""
    view = View(rules=registry.load())
    return (
        [list(render(name, result, view)) for name in ("json", "full", "sarif")],
        result.parsed,
        result.skipped,
        result.problems,
        result.everything,
        result.suppressed,
    )


def whole_tree(write_tree: WriteTree) -> Path:
    return write_tree({name: variants[0] for name, variants in FILES.items()})


@pytest.mark.usefixtures("trusting")
def test_a_run_without_changes_reads_and_lowers_nothing(
    write_tree: WriteTree, store: Cache, lowered: Lowered, read: list[str]
) -> None:
    root = whole_tree(write_tree)
    cold = lint(root, None)
    codes = {diagnostic.code for diagnostic in cold.diagnostics}
    assert {"LWS101", "LWS401"} <= codes  # the tree has something of everything
    assert {"sender.c", "main.c", "wire.h", "py/helper.py"} <= set(lowered)  # pulled in by what they define
    first = lint(root, store)
    lowered.clear()
    read.clear()
    warm = lint(root, store)
    assert (lowered, read) == ([], [])
    assert seen(first) == seen(cold)
    assert seen(warm) == seen(cold)


@pytest.mark.usefixtures("trusting")
def test_rules_are_asked_again_only_when_their_facts_have_changed(
    write_tree: WriteTree, store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    whole = engine.check

    def check(project: object, *arguments: object) -> object:
        asked.append(project)
        return whole(project, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "check", check)
    root = whole_tree(write_tree)
    expected = [lint(root, store), lint(root, None)]
    assert len(asked) == 2
    (root / "build").mkdir()
    (root / "build" / "main.o").write_text("compiled")
    (root / "unrelated.c").write_text("int unrelated;\n")
    os.utime(root / "wire.c", (1e9, 1e9))
    assert lint(root, store).diagnostics == expected[0].diagnostics == expected[1].diagnostics
    assert len(asked) == 2
    engine.lint(["."], SETTINGS[0], registry.load()[:3], cwd=str(root), cache=store)
    lint(root, store, SETTINGS[2])
    (root / "conf" / "server.json").write_text(FILES["conf/server.json"][1])
    lint(root, store)
    (root / "CMakeLists.txt").write_text(FILES["CMakeLists.txt"][1])
    lint(root, store)
    assert len(asked) == 6


@pytest.mark.usefixtures("trusting")
def test_findings_of_a_rule_that_broke_are_not_kept(
    write_tree: WriteTree, store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(project: object) -> Iterator[object]:
        raise ValueError("oops")

    root = whole_tree(write_tree)
    rules = registry.load()
    spoiled = [msgspec.structs.replace(rules[0], check=broken), *rules[1:]]
    assert engine.lint(["."], SETTINGS[0], spoiled, cwd=str(root), cache=store).problems
    assert not lint(root, store).problems
    assert seen(lint(root, store)) == seen(lint(root, None))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("name", ["wire.c", "sender.c", "lib/table.c", "py/app.py", "wire.h"])
def test_one_changed_file_is_the_only_one_that_is_read(
    write_tree: WriteTree, store: Cache, lowered: Lowered, read: list[str], name: str
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    (root / name).write_text(FILES[name][0] + "\n\n")
    lowered.clear()
    read.clear()
    warm = lint(root, store)
    assert set(read) == {name}
    assert lowered == [name]
    assert seen(warm) == seen(lint(root, None))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_a_warm_run_says_what_a_cold_one_says(
    write_tree: WriteTree, store: Cache, seed: int
) -> None:
    chance = random.Random(seed)
    root = whole_tree(write_tree)
    outcomes = set()
    for _ in range(14):
        _edit(root, chance)
        settings = chance.choice([SETTINGS[0], *SETTINGS])
        cold = lint(root, None, settings)
        assert seen(lint(root, store, settings)) == seen(cold)
        outcomes.add(str(seen(cold)))
    assert len(outcomes) > 4


def _edit(root: Path, chance: random.Random) -> None:
    name = chance.choice(list(FILES))
    path, other = root / name, root / chance.choice(list(FILES))
    match chance.choice(["change", "change", "remove", "move", "swap", "touch", "quietly", "link"]):
        case "change":
            path.unlink(missing_ok=True)
            path.write_text(chance.choice(FILES[name]))
        case "remove":
            path.unlink(missing_ok=True)
        case "move" if path.exists():
            path.rename(path.with_name(f"moved{path.suffix}"))
        case "swap" if path.exists() and other.exists() and path != other:
            path.rename(root / "aside")
            other.rename(path)
            if (root / "aside").exists():
                (root / "aside").rename(other)
        case "touch" if path.exists():
            os.utime(path, (1e9, 1e9))
        case "quietly" if path.is_file() and not path.is_symlink():
            # The same length and the same time of modification.
            status, data = path.stat(), path.read_bytes()
            path.write_bytes(data.replace(b"wire", b"wave").replace(b"ESTABLISHED", b"CLOSED_HTTP"))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "link" if other.exists() and path != other:
            path.unlink(missing_ok=True)
            path.symlink_to(other)


def test_a_file_that_may_change_without_a_trace_is_not_trusted(
    write_tree: WriteTree, store: Cache, read: list[str], lowered: Lowered
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    read.clear()
    lowered.clear()
    lint(root, store)  # at once: the files are younger than the clock of some disks can tell
    assert "wire.c" in read
    assert lowered == []


@pytest.mark.parametrize(("age", "expected"), [(3, True), (1, False), (-5, False)])
def test_a_stamp_is_trusted_when_it_is_older_than_the_coarsest_clock(age: float, expected: bool) -> None:
    began = 1_700_000_000_000_000_000
    when = began - int(age * 1e9)
    assert witness.settled(witness.Stamp(1, 2, 3, when, when), began) is expected


@pytest.mark.usefixtures("trusting")
def test_new_names_are_looked_for_in_files_that_are_known(
    write_tree: WriteTree, store: Cache, read: list[str]
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    (root / "wire.c").write_text(FILES["wire.c"][0].replace("wire_send", "wire_push"))
    (root / "push.c").write_text(SENDER.format(name="pusher").replace("wire_send", "wire_push"))
    lint(root, store)
    read.clear()
    (root / "wire.c").write_text(FILES["wire.c"][0].replace("WIRE_NAME", "WIRE_TITLE"))
    warm = lint(root, store)
    assert "main.c" in read or "other.c" in read
    assert seen(warm) == seen(lint(root, None))


def test_facts_of_equal_content_are_shared_by_trees_at_any_place(
    write_tree: WriteTree, store: Cache, lowered: Lowered, tmp_path: Path
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    root.rename(tmp_path / "elsewhere")
    lowered.clear()
    lint(tmp_path / "elsewhere", store)
    assert lowered == []


@pytest.mark.parametrize(
    ("settings", "anew"),
    [
        (Settings(), False),
        (Settings(select=("LWS1",), servers=(), exclude=("x",), fail_on=None), False),
        (Settings(subprotocols=("a",), ruff="off"), False),
        (Settings(build=Build(defines={"A": "1"})), True),
        (Settings(lws_version=Version(4, 3)), True),
    ],
)
def test_facts_depend_on_the_settings_that_front_ends_see(
    write_tree: WriteTree, store: Cache, lowered: Lowered, settings: Settings, anew: bool
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    lowered.clear()
    lint(root, store, settings)
    assert bool(lowered) is anew


def test_new_code_means_new_facts(
    write_tree: WriteTree, store: Cache, lowered: Lowered, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = whole_tree(write_tree)
    lint(root, store)
    monkeypatch.setattr(memory, "code", lambda *packages: "another version")
    lowered.clear()
    lint(root, store)
    assert "wire.c" in lowered


def test_the_code_is_known_by_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STARTED", 2**63)
    pack = tmp_path / "pack"
    (pack / "family").mkdir(parents=True)
    (pack / "family" / "rule.py").write_text("x = 1\n")

    def code(*packages: str) -> str:
        memory.code.cache_clear()
        return memory.code(*packages)

    before = code(str(pack))
    assert code(str(pack)) == before != code()
    (pack / "family" / "__pycache__").mkdir()
    (pack / "family" / "__pycache__" / "rule.pyc").write_text("compiled")
    assert code(str(pack)) == before
    (pack / "family" / "rule.py").write_text("x = 2\n")
    assert code(str(pack)) != before
    monkeypatch.undo()
    assert code(str(pack)) != code(str(pack))  # it changed behind the back of this process
    memory.code.cache_clear()


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    "forge",
    [
        lambda content: b"",
        lambda content: b"\xc1",
        lambda content: b"\x93" * 100_000,  # nests without end
        lambda content: msgspec.msgpack.encode({"node": "FileFacts"}),
        lambda content: msgspec.msgpack.encode([{"/x": [1, 2]}, []]),
        lambda content: content[: len(content) // 2],
    ],
)
def test_entries_that_are_whole_but_make_no_sense_are_found_out(
    write_tree: WriteTree, store: Cache, forge: Callable[[bytes], bytes]
) -> None:
    root = whole_tree(write_tree)
    cold = seen(lint(root, store))
    for key in list(_keys(store)):
        content = store.get(key)
        assert content is not None
        store.put(key, forge(content))
    assert seen(lint(root, store)) == cold


@pytest.mark.usefixtures("trusting")
def test_numbers_of_names_that_point_nowhere_find_nothing(write_tree: WriteTree, store: Cache) -> None:
    root = whole_tree(write_tree)
    cold = seen(lint(root, store))
    forged = 0
    for key in list(_keys(store)):
        content = store.get(key)
        assert content is not None
        entry = msgspec.msgpack.decode(content)
        if isinstance(entry, list) and isinstance(entry[0], dict) and str(root / "wire.c") in entry[0]:
            files, rounds = entry
            for row in files.values():
                row[5:] = [99, [10**6]]
            store.put(key, msgspec.msgpack.encode([files, rounds]))
            forged += 1
    assert forged == 1
    assert seen(lint(root, store)) == cold


def _keys(store: Cache) -> Iterator[str]:
    for path in sorted(Path(store.folder).glob("??/*")):
        yield path.parent.name + path.name


def test_what_cannot_be_written_down_is_lowered_anew(
    write_tree: WriteTree, store: Cache, lowered: Lowered
) -> None:
    root = write_tree({"big.c": "int lws_x = 0x1ffffffffffffffffffff;\n", "a.c": "int lws_y = 1;\n"})
    name = os.fsdecode(b"lws\xff.c")
    try:
        (root / name).write_text("int lws_z;\n")
    except OSError:
        name = ""  # a disk that takes UTF-8 only
    expected: Sequence[str] = ["big.c", *([name] if name else [])]
    cold = seen(lint(root, store))
    lowered.clear()
    assert seen(lint(root, store)) == cold
    assert lowered == expected


def test_files_that_cannot_be_analysed_are_a_problem_every_time(write_tree: WriteTree, store: Cache) -> None:
    root = write_tree({"big.c": "int lws_x;\n" * 100, "a.c": "int lws_y;\n", "none.c": "int x;\n" * 100})
    results = [lint(root, store, Settings(max_file_size=200)) for _ in range(3)]
    assert all([p.path for p in result.problems] == ["big.c"] for result in results)
    assert not lint(root, store).problems
    assert lint(root, store, Settings(max_file_size=200)).problems


@pytest.mark.usefixtures("trusting")
def test_a_cache_that_refuses_to_keep_changes_nothing(
    write_tree: WriteTree, store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = whole_tree(write_tree)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cold = seen(lint(root, None))
    assert seen(lint(root, store)) == cold
    assert seen(lint(root, store)) == cold
