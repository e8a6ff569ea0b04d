"""The store behind warm runs: whole entries or none, whatever happens around it."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest

from lwslint import cache
from lwslint.cache import Cache, digest

KEY = digest("a key")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX's")


@pytest.fixture
def store(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"))


def entry(store: Cache, key: str = KEY) -> Path:
    return Path(store.folder, key[:2], key[2:])


def test_what_is_kept_is_found_again_by_another_run(store: Cache) -> None:
    assert store.get(KEY) is None
    store.put(KEY, b"content" * 1000)
    assert Cache(store.folder).get(KEY) == b"content" * 1000
    assert store.get(digest("another key")) is None
    store.put(KEY, b"")
    assert store.get(KEY) == b""


def test_a_key_depends_on_where_its_parts_end() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")
    assert digest("a") == digest(b"a")
    assert digest("\udc80") != digest("\udc81")  # file names that are not UTF-8


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:10],
        lambda raw: raw[:-1],
        lambda raw: raw + b"x",
        lambda raw: raw[:60] + bytes([raw[60] ^ 1]) + raw[61:],
        lambda raw: b"\x80\x04" + raw,
    ],
)
def test_a_damaged_entry_is_no_entry_and_is_taken_out(store: Cache, damage: object) -> None:
    assert callable(damage)
    store.put(KEY, b"content" * 100)
    entry(store).write_bytes(damage(entry(store).read_bytes()))
    assert store.get(KEY) is None
    assert not entry(store).exists()


def test_an_entry_under_another_name_is_no_entry(store: Cache) -> None:
    other = digest("another key")
    store.put(KEY, b"content")
    entry(store, other).parent.mkdir(exist_ok=True)
    entry(store, other).write_bytes(entry(store).read_bytes())
    assert store.get(other) is None
    assert store.get(KEY) == b"content"


def test_an_entry_that_grows_without_end_when_unpacked_is_no_entry(
    store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, bytes(10_000_000))
    assert entry(store).stat().st_size < 100_000
    monkeypatch.setattr(cache, "_RAW_LIMIT", 1_000_000)
    assert store.get(KEY) is None


@POSIX
def test_what_is_no_file_is_no_entry(store: Cache, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    store.put(KEY, b"content")
    secret.write_bytes(entry(store).read_bytes())
    entry(store).unlink()
    entry(store).symlink_to(secret)
    assert store.get(KEY) is None
    entry(store).unlink(missing_ok=True)
    os.mkfifo(entry(store))
    assert store.get(KEY) is None


def _write_often(folder: str, number: int) -> None:
    store = Cache(folder)
    for turn in range(60):
        store.put(KEY, bytes([number]) * 50_000)
        if turn % 20 == number:
            cache.clean(folder)
        found = store.get(KEY)
        assert found is None or (len(found) == 50_000 and len(set(found)) == 1)


def test_runs_at_the_same_time_see_whole_entries(store: Cache) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(store.folder, n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]


def test_a_full_disk_leaves_nothing_behind_and_is_not_tried_again(
    store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def full(old: str, new: str) -> None:
        tries.append(new)
        raise OSError(28, "No space left on device")

    store.put(digest("before"), b"x")
    monkeypatch.setattr(os, "replace", full)
    store.put(KEY, b"content")
    store.put(digest("later"), b"content")
    assert len(tries) == 1
    assert [path.name for path in Path(store.folder).rglob("*.tmp")] == []
    assert store.get(KEY) is None


@pytest.mark.parametrize("make", [lambda p: p.write_text("a file"), lambda p: None])
def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path, make: object) -> None:
    assert callable(make)
    place = tmp_path / "taken"
    make(place)
    store = Cache(str(place if place.exists() else Path("/proc/nowhere")))
    store.put(KEY, b"content")
    assert store.get(KEY) is None
    store.close()


@POSIX
def test_entries_are_for_their_owner_alone(store: Cache) -> None:
    old = os.umask(0)
    try:
        store.put(KEY, b"content")
    finally:
        os.umask(old)
    assert entry(store).stat().st_mode & 0o077 == 0
    assert Path(store.folder).stat().st_mode & 0o077 == 0
    assert entry(store).parent.stat().st_mode & 0o077 == 0


def test_the_oldest_entries_make_room(store: Cache) -> None:
    keys = [digest(str(number)) for number in range(10)]
    now = time.time()
    for number, key in enumerate(keys):
        store.put(key, os.urandom(1000))
        os.utime(entry(store, key), (now - 100 + number, now - 100 + number))
    size = entry(store, keys[0]).stat().st_size
    assert cache.sweep(store.folder, size_limit=20 * size) == (0, 0)
    assert cache.sweep(store.folder, size_limit=5 * size).entries == 6  # down to four fifths
    assert [store.get(key) is not None for key in keys] == [False] * 6 + [True] * 4
    os.utime(entry(store, keys[9]), (now - 100, now - 100))
    cache.sweep(store.folder, age_limit=99)
    assert store.get(keys[9]) is None and store.get(keys[8]) is not None


def test_use_keeps_an_entry_young(store: Cache) -> None:
    store.put(KEY, b"content")
    os.utime(entry(store), (1e9, 1e9))
    assert store.get(KEY) == b"content"
    assert time.time() - entry(store).stat().st_mtime < 100


def test_what_a_crash_left_unfinished_goes(store: Cache) -> None:
    store.put(KEY, b"content")
    left = entry(store).with_name(entry(store).name + ".123-456.tmp")
    left.write_bytes(b"half")
    cache.sweep(store.folder)
    assert left.exists()  # its writer may still be at work
    os.utime(left, (time.time() - 7200,) * 2)
    cache.sweep(store.folder)
    assert not left.exists() and store.get(KEY) == b"content"


def test_a_run_that_writes_much_looks_at_the_size(store: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_SWEEP_AFTER", 10_000)
    monkeypatch.setattr(cache.sweep, "__defaults__", (20_000, cache.AGE_LIMIT))
    for number in range(40):
        store.put(digest(str(number)), os.urandom(1000))
    store.close()
    total = sum(path.stat().st_size for path in Path(store.folder).rglob("*") if path.is_file())
    assert total < 20_000


def test_cleaning_takes_entries_and_nothing_else(store: Cache) -> None:
    store.put(KEY, b"content")
    precious = Path(store.folder, "precious.txt")
    precious.write_text("mine")
    beside = entry(store).with_name("notes")
    beside.write_text("mine too")
    Path(store.folder, "ab").mkdir(exist_ok=True)  # an empty folder of somebody's
    assert cache.clean(store.folder).entries == 1
    assert precious.read_text() == "mine" and beside.read_text() == "mine too"
    assert Path(store.folder, "ab").is_dir()
    Path(store.folder, "ab").rmdir()
    precious.unlink()
    beside.unlink()
    store.put(KEY, b"content")
    cache.clean(store.folder)
    assert not Path(store.folder).exists()
    assert cache.clean(store.folder) == (0, 0)


# ------------------------------------------------------------------------------------- the place


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"HOME": "/home/u"}, "/home/u/.cache/lwslint"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "/fast"}, "/fast/lwslint"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "relative"}, "/home/u/.cache/lwslint"),
        ("darwin", {"HOME": "/Users/u"}, "/Users/u/Library/Caches/lwslint"),
        ("win32", {"HOME": "/x"}, None),
        ("linux", {"HOME": "/home/u", "LWSLINT_CACHE_DIR": "/other"}, "/other"),
        ("linux", {"HOME": "/home/u", "LWSLINT_CACHE_DIR": ""}, None),
        ("linux", {"HOME": "relative"}, None),
    ],
)
@POSIX
def test_the_default_place_is_the_platforms(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str | None
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "LWSLINT_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache.default_folder() == expected


@POSIX
def test_a_home_that_does_not_exist_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LWSLINT_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    assert cache.find(None) is None
    (tmp_path / "nonexistent").mkdir()
    assert cache.find(None) is not None
    assert cache.find("") is None


@POSIX
def test_a_default_folder_of_somebody_elses_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LWSLINT_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "lwslint"
    assert cache.find(None) is not None
    folder.mkdir(mode=0o700)
    assert cache.find(None) is not None
    folder.chmod(0o777)
    assert cache.find(None) is None
    assert cache.find(str(folder)) is not None  # the user's own choice
    folder.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.find(None) is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache.find(None) is None
