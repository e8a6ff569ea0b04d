"""Facts here, linking there: shards say what one run on all files would say, byte for byte."""

from __future__ import annotations

import os
import random
import shutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from lwslint import cli, memory, shards, source, workers
from lwslint.facts import FileFacts
from lwslint.settings import Settings
from lwslint.shards import Shard, ShardError
from lwslint.workers import Unit
from tests.conftest import WriteTree
from tests.test_memory import FILES

Output = pytest.CaptureFixture[str]
Said = tuple[int, str, str]

EXTRA = {
    "lwslint.toml": '[per-file-ignores]\n"lib/**" = ["LWS301"]\n',
    "conf/server.json": '{"global": {"init-ssl": "no"}, "vhosts": []}\n',
    "lib/CMakeLists.txt": "add_library(table table.c)\nset(CMAKE_BUILD_TYPE Debug)\n",
    "lib/copy/lws-callbacks.h": "",
    "lib/copy/lws-context-vhost.h": "",
    "vendor/lws/CMakeLists.txt": (
        "project(libwebsockets)\nset(CPACK_PACKAGE_VERSION_MAJOR 4)\nset(CPACK_PACKAGE_VERSION_MINOR 3)\n"
        "set(CPACK_PACKAGE_VERSION_PATCH_NUMBER 2)\n"
    ),
    "vendor/lws/lib/core-net/vhost.c": "int lws_vhost;\n",
    "py/only_ruff.py": "import asyncio, websockets\n\nasync def go():\n    asyncio.create_task(x())\n",
    "notes/readme.txt": "nothing",
    ".gitignore": "ignored/\n",
    "ignored/x.c": "int lws_x;\n",
}
FORMATS: Sequence[Sequence[str]] = [
    ("--output-format", "json"),
    ("--output-format", "full", "-v", "--statistics"),
    ("--output-format", "sarif"),
    ("--output-format", "html"),
    ("--show-files",),
    ("--select", "LWS4", "--output-format", "gitlab", "--fail-on", "never"),
]


def run(capsys: Output, *arguments: str) -> Said:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return (code, *capsys.readouterr())


@pytest.fixture
def root(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree({**{name: variants[0] for name, variants in FILES.items()}, **EXTRA})
    (root / "py" / "link.py").symlink_to("app.py")
    monkeypatch.chdir(root)
    return root


def make(
    root: Path, tmp_path: Path, capsys: Output, parts: Sequence[Sequence[str]], *options: str
) -> list[str]:
    """A shard for each part of the tree; returns their paths."""
    made = []
    for number, part in enumerate(parts):
        path = str(tmp_path / f"{number}.shard")
        code, out, err = run(capsys, "facts", *options, "-o", path, *part)
        assert (code, out) == (0, ""), err
        made.append(path)
    return made


def leave(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder that has the configuration and nothing else; the tree goes for good."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(root / "lwslint.toml", elsewhere)
    monkeypatch.chdir(elsewhere)
    shutil.rmtree(root)
    return elsewhere


def without_places(said: Said, folder: Path) -> Said:
    """``-v`` names the configuration by its absolute path."""
    code, out, err = said
    return code, out, err.replace(str(folder), "")


@pytest.mark.parametrize("arguments", FORMATS)
def test_linking_says_what_one_run_says_where_there_is_no_source(
    root: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    parts = [
        ["lib", "conf", "vendor"],
        ["py", "notes", "ignored"],
        ["wire.c", "wire.h"],
        ["main.c", "sender.c", "other.c"],
    ]
    one = run(capsys, *(path for part in parts for path in part), *arguments)
    assert one[0] in (0, 1)
    made = make(root, tmp_path, capsys, parts)
    elsewhere = leave(root, tmp_path, monkeypatch)
    linked = run(capsys, "link", *made, *arguments)
    assert without_places(linked, elsewhere) == without_places(one, root)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("everything", [False, True])
def test_any_partition_into_shards_says_the_same(
    root: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, seed: int, everything: bool
) -> None:
    chance = random.Random(seed)
    names = [*FILES, *(name for name in EXTRA if name.endswith((".json", ".py")))]
    chance.shuffle(names)
    cut = sorted(chance.sample(range(1, len(names)), 3))
    parts = [names[a:b] for a, b in zip([0, *cut], [*cut, len(names)], strict=True)]
    arguments = chance.choice(FORMATS)
    one = run(capsys, *names, *arguments)
    made = make(root, tmp_path, capsys, parts, *(["--all"] if everything else []))
    chance.shuffle(made)
    elsewhere = leave(root, tmp_path, monkeypatch)
    linked = run(capsys, "link", *made, *arguments)
    assert without_places(linked, elsewhere) == without_places(one, root)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("arguments", FORMATS)
def test_parts_of_a_tree_say_what_a_run_on_the_tree_says(
    root: Path,
    tmp_path: Path,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
    count: int,
) -> None:
    one = run(capsys, ".", *arguments)
    made = []
    for number in range(1, count + 1):
        made += make(root, tmp_path, capsys, [["."]], "--part", f"{number}/{count}")
        made[-1] = str(Path(made[-1]).rename(tmp_path / f"part{number}.shard"))
    elsewhere = leave(root, tmp_path, monkeypatch)
    linked = run(capsys, "link", *made, *arguments)
    assert without_places(linked, elsewhere) == without_places(one, root)


def test_no_part_can_be_forgotten(root: Path, tmp_path: Path, capsys: Output) -> None:
    made = []
    for part in ("1/3", "3/3", "2/2"):
        made += make(root, tmp_path, capsys, [["."]], "--part", part)
        made[-1] = str(Path(made[-1]).rename(tmp_path / f"{len(made)}-of.shard"))
    code, _, err = run(capsys, "link", *made[:2])
    assert (code, err) == (2, "lwslint: error: .: the shard of part 2/3 is missing\n")
    code, _, err = run(capsys, "link", *made)
    assert (code, err) == (2, "lwslint: error: .: was divided in 2 and in 3 parts\n")


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "1/", "/3", "x/y", "1/3/4", "-1/3"])
def test_a_part_is_one_of_several(root: Path, tmp_path: Path, capsys: Output, part: str) -> None:
    code, _, err = run(capsys, "facts", "-o", str(tmp_path / "x.shard"), f"--part={part}", ".")
    assert code == 2 and "is no part such as 1/4" in err


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    whole = workers.lower

    def lower(unit: Unit, settings: Settings) -> FileFacts | object:
        asked.append(unit.path)
        return whole(unit, settings)

    monkeypatch.setattr(workers, "lower", lower)
    return asked


def test_linking_lowers_only_what_no_shard_could_know_to_be_needed(
    root: Path, tmp_path: Path, capsys: Output, lowered: list[str]
) -> None:
    (root / "lib" / "CMakeLists.txt").unlink()
    parts = [["wire.c", "wire.h"], ["main.c", "sender.c", "other.c"], ["lib"], ["py"]]
    made = make(root, tmp_path, capsys, parts)
    assert "main.c" not in lowered  # it has no lws, and is not known to start the thread
    lowered.clear()
    run(capsys, "link", *made)
    assert set(lowered) == {"main.c", "other.c", "sender.c"}
    made = make(root, tmp_path, capsys, parts, "--all")
    lowered.clear()
    run(capsys, "link", *made)
    assert lowered == []


def test_the_same_files_give_the_same_shard(
    root: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = make(root, tmp_path, capsys, [["."]])
    before = Path(first).read_bytes()
    for path in root.rglob("*"):
        os.utime(path, (1e9, 1e9))
    root.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    (second,) = make(root, tmp_path, capsys, [["."]], "--jobs", "1")
    assert Path(second).read_bytes() == before


def test_facts_made_with_other_settings_are_not_used(
    root: Path, tmp_path: Path, capsys: Output, lowered: list[str]
) -> None:
    made = make(root, tmp_path, capsys, [["."]])
    lowered.clear()
    linked = run(capsys, "link", *made, "-DWIRE_DEV=1")
    assert "wire.c" in lowered
    assert linked == run(capsys, ".", "-DWIRE_DEV=1")


def test_a_baseline_and_suppressions_count_when_linking(root: Path, tmp_path: Path, capsys: Output) -> None:
    run(capsys, "baseline", "-o", "known.json", ".")
    made = make(root, tmp_path, capsys, [["."]])
    one = run(capsys, ".", "--baseline", "known.json", "-v")
    assert "known from known.json" in one[1]
    assert run(capsys, "link", *made, "--baseline", "known.json", "-v") == one


def test_files_that_cannot_be_analysed_are_told_when_linking(
    root: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "lwslint.toml").write_text("max-file-size = 200\n")
    (root / "big_plain.c").write_text("int plain;\n" * 1000)
    made = make(root, tmp_path, capsys, [["."]])
    one = run(capsys, ".")
    assert one[0] == 2 and "larger than 200 bytes" in one[2]
    assert run(capsys, "link", *made) == one
    whole = source.open_regular

    def refuse(path: str, **options: object) -> int:
        if str(path).endswith("wire.c"):
            raise source.ReadError("permission denied")
        return whole(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "open_regular", refuse)
    one = run(capsys, ".")
    made = make(root, tmp_path, capsys, [["."]])
    monkeypatch.undo()
    monkeypatch.chdir(root)
    monkeypatch.setenv("LWSLINT_CACHE_DIR", "")
    assert "wire.c: cannot be read: permission denied" in one[2]
    assert run(capsys, "link", *made) == one


def test_names_that_are_not_utf_8_survive(root: Path, tmp_path: Path, capsys: Output) -> None:
    name = os.fsdecode(b"lws\xff.c")
    try:
        (root / name).write_text(FILES["wire.c"][1])
    except OSError:
        pytest.skip("a disk that takes UTF-8 only")
    made = make(root, tmp_path, capsys, [["."]])
    assert run(capsys, "link", *made) == run(capsys, ".")


# ------------------------------------------------------------------------------------- bad shards


def forged(path: str, **changes: object) -> None:
    shard = shards.read(path)
    Path(path).write_bytes(shards._MAGIC + msgspec.msgpack.encode(msgspec.structs.replace(shard, **changes)))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b""), "is no shard of lwslint"),
        (lambda path: path.write_bytes(b"\x80\x04pickle"), "is no shard of lwslint"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is damaged"),
        (lambda path: path.write_bytes(shards._MAGIC + b"\x91" * 100_000), "is damaged"),
        (lambda path: forged(str(path), code="older"), "was made by another version of lwslint"),
    ],
)
def test_a_bad_shard_is_a_clear_error(
    root: Path, tmp_path: Path, capsys: Output, spoil: Callable[[Path], object], why: str
) -> None:
    (made,) = make(root, tmp_path, capsys, [["."]])
    spoil(Path(made))
    code, out, err = run(capsys, "link", made)
    assert (code, out) == (2, "")
    assert err.startswith(f"lwslint: error: {made}: ") and why in err and len(err.splitlines()) == 1


def test_shards_that_disagree_are_told(root: Path, tmp_path: Path, capsys: Output) -> None:
    (first,) = make(root, tmp_path, capsys, [["wire.c"]])
    os.rename(first, tmp_path / "old.shard")
    (root / "wire.c").write_text("int lws_other;\n")
    (second,) = make(root, tmp_path, capsys, [["."]])
    code, _, err = run(capsys, "link", str(tmp_path / "old.shard"), second)
    assert code == 2 and "wire.c is not what it is in another shard" in err


def test_what_a_forged_shard_holds_stays_in_it(root: Path, tmp_path: Path, capsys: Output) -> None:
    (made,) = make(root, tmp_path, capsys, [["."]])
    shard = shards.read(made)
    secret = tmp_path / "secret.py"
    secret.write_text("import websocket # the disk's\n")
    bomb = zlib.compress(bytes(200_000_000))
    odd = tuple(
        shards.File(path, "files", False, data)
        for path, data in (
            (b"../secret.py", zlib.compress(b"import websocket, ssl\nssl.CERT_NONE\n")),
            (os.fsencode(secret), zlib.compress(b"import websocket, ssl\nssl.CERT_NONE\n")),
            (b"bomb.c", bomb),
            (b"broken.c", b"no zlib"),
        )
    )
    forged(made, files=(*shard.files, *odd))
    code, out, err = run(capsys, "link", made, "--output-format", "full", "-v")
    assert code == 2
    assert "broken.c: cannot be read: is damaged in its shard" in err
    assert "the disk's" not in out
    assert secret.read_text() == "import websocket # the disk's\n"


def test_facts_are_of_files_below_the_current_folder(root: Path, tmp_path: Path, capsys: Output) -> None:
    code, _, err = run(capsys, "facts", "-o", str(tmp_path / "x.shard"), "..")
    assert code == 2 and "lies outside of the current folder" in err
    with pytest.raises(ShardError):
        shards.extract([str(tmp_path)], Settings(), cwd=str(root))
    code, _, err = run(capsys, "facts", "-o", str(tmp_path / "x.shard"), "missing.c")
    assert code == 2 and "missing.c: no such file or folder" in err
    code, _, err = run(capsys, "facts", "-o", str(tmp_path / "nowhere" / "x.shard"), ".")
    assert code == 2 and "there is no folder" in err
    assert run(capsys, "facts", ".")[0] == 2
    assert run(capsys, "link")[0] == 2


def test_a_shard_tells_the_code_that_made_it(root: Path, tmp_path: Path, capsys: Output) -> None:
    (made,) = make(root, tmp_path, capsys, [["wire.c"]])
    data = Path(made).read_bytes().removeprefix(shards._MAGIC)
    assert msgspec.msgpack.decode(data, type=Shard).code == memory.code()
