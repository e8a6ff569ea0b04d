"""The front end in several processes: the same facts, and a worker that dies costs one file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from lwslint import workers
from lwslint.build import readers
from lwslint.build.facts import BuildFile
from lwslint.facts import FileFacts
from lwslint.problem import Problem
from lwslint.settings import Settings
from lwslint.workers import Pool, Text, Unit, lower_all, read_build_files


def units(count: int) -> list[Unit]:
    text = (
        "#include <libwebsockets.h>\nint f{n}(struct lws *wsi) {{ return lws_callback_on_writable(wsi); }}\n"
    )
    return [Unit(f"f{n}.c", text.format(n=n).encode() * 40, "c") for n in range(count)]


def lowered(units: list[Unit], jobs: int) -> list[FileFacts | Problem]:
    with Pool(jobs) as pool:
        return lower_all(units, Settings(), pool)


def build_files(count: int) -> list[Text]:
    text = "cmake_minimum_required(VERSION 3.{n})\nproject(p{n})\nadd_executable(p{n} main.c)\n"
    return [Text(f"p{n}/CMakeLists.txt", text.format(n=n).encode() * 20) for n in range(count)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    monkeypatch.setattr(workers, "BATCH", 5_000)
    monkeypatch.setattr(workers, "BUILD_WORTH_IT", 0)
    monkeypatch.setattr(workers, "BUILD_BATCH", 3_000)


@pytest.mark.usefixtures("small")
def test_facts_and_their_order_are_the_same_with_any_number_of_processes() -> None:
    alone = lowered(units(20), 1)
    assert lowered(units(20), 2) == alone
    assert lowered(units(20), 5) == alone


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "odd",
    [Unit("lws\udcff.c", b"int lws_x;\n", "c"), Unit("a.c", b"int lws_x = 0xfffffffffffffffffff;\n", "c")],
)
def test_what_messagepack_cannot_hold_comes_back_too(odd: Unit) -> None:
    assert lowered([odd, *units(9)], 2) == lowered([odd, *units(9)], 1)


@pytest.mark.usefixtures("small")
def test_a_worker_that_dies_costs_the_file_that_killed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = workers.lower

    def deadly(unit: Unit, settings: Settings) -> FileFacts | Problem:
        if unit.path == "f7.c":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(unit, settings)

    monkeypatch.setattr(workers, "lower", deadly)
    found = lowered(units(12), 2)
    assert [type(outcome).__name__ for outcome in found] == ["FileFacts"] * 7 + ["Problem"] + [
        "FileFacts"
    ] * 4
    assert isinstance(found[7], Problem) and found[7].path == "f7.c"


@pytest.mark.usefixtures("small")
def test_build_files_say_the_same_with_any_number_of_processes() -> None:
    alone = read_build_files(build_files(9), Pool(1))
    with Pool(3) as pool:
        assert read_build_files(build_files(9), pool) == alone
    assert [file.path for file in alone] == [text.path for text in build_files(9)]


@pytest.mark.usefixtures("small")
def test_a_worker_that_dies_costs_the_build_file_that_killed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = readers.read

    def deadly(path: str, data: bytes) -> BuildFile:
        if path == "p4/CMakeLists.txt":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(path, data)

    monkeypatch.setattr(readers, "read", deadly)
    with Pool(2) as pool:
        found = read_build_files(build_files(8), pool)
        assert [file.problem for file in found] == [""] * 4 + ["not read: the process that read it died"] + [
            ""
        ] * 3
        assert found[4].kind == "cmake"
        # What comes later has processes again.
        assert len(lower_all(units(6), Settings(), pool)) == 6


@pytest.mark.usefixtures("small")
def test_a_pool_starts_its_processes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    whole = workers._pool

    def counted(count: int) -> object:
        started.append(count)
        return whole(count)

    monkeypatch.setattr(workers, "_pool", counted)
    with Pool(2) as pool:
        read_build_files(build_files(8), pool)
        lower_all(units(8), Settings(), pool)
        lower_all(units(9), Settings(), pool)
    assert started == [2]


@pytest.mark.usefixtures("small")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
@pytest.mark.parametrize("before", [0, 1])
def test_where_the_system_gives_too_few_processes_one_does_it_all(
    monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    expected = lowered(units(9), 1)
    fork, forks = os.fork, iter(range(before))

    def refuse() -> int:
        if next(forks, None) is None:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", refuse)
    assert lowered(units(9), 2) == expected
    assert all(process.exitcode is not None for process in multiprocessing.active_children())


def test_a_little_work_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_pool", lambda count: pytest.fail("a process was started"))
    assert len(lowered(units(3), 8)) == 3


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}, None),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/\n", {"cpu.max": "20000 100000"}, 1),
        ("0::/a/b\n", {"cpu.max": "max 100000", "a/cpu.max": "300000 100000", "a/b/cpu.max": "max 1"}, 3),
        ("0::/../../host\n", {"cpu.max": "400000 100000"}, 4),  # as a container sees it
        ("4:cpu,cpuacct:/x\n", {"cpu/x/cpu.cfs_quota_us": "250000", "cpu/x/cpu.cfs_period_us": "100000"}, 3),
        ("4:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"}, None),
        ("4:memory:/\n", {"cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "100 0"}, None),
        ("nonsense\n", {}, None),
    ],
)
def test_a_containers_quota_limits_the_processes(
    tmp_path: Path, own: str, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "own").write_text(own)
    assert workers._quota(str(tmp_path), str(tmp_path / "own")) == expected
    assert workers._quota(str(tmp_path), str(tmp_path / "nothing")) is None


def test_never_more_processes_than_a_quota_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_quota", lambda: 1)
    assert workers.available() == 1
    monkeypatch.setattr(workers, "_quota", lambda: None)
    assert 1 <= workers.available() <= workers.MAX_PROCESSES


@pytest.mark.usefixtures("small")
def test_numbers_of_any_size_come_back_from_a_worker() -> None:
    """C's literals are read up to eighty digits, MessagePack's integers have 64 bits."""
    text = f"#include <libwebsockets.h>\nint big = {2**70}; int f(void) {{ return lws_service(0, 0); }}\n"
    numbered = [Unit(f"f{n}.c", text.encode() * 60, "c") for n in range(4)]
    assert lowered(numbered, 2) == lowered(numbered, 1)
