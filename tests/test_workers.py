"""The front end in several processes: the same facts, and a worker that dies costs one file."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from lwslint import workers
from lwslint.facts import FileFacts
from lwslint.problem import Problem
from lwslint.settings import Settings
from lwslint.workers import Unit, lower_all


def units(count: int) -> list[Unit]:
    text = (
        "#include <libwebsockets.h>\nint f{n}(struct lws *wsi) {{ return lws_callback_on_writable(wsi); }}\n"
    )
    return [Unit(f"f{n}.c", text.format(n=n).encode() * 40, "c") for n in range(count)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    monkeypatch.setattr(workers, "BATCH", 5_000)


@pytest.mark.usefixtures("small")
def test_facts_and_their_order_are_the_same_with_any_number_of_processes() -> None:
    alone = lower_all(units(20), Settings(), 1)
    assert lower_all(units(20), Settings(), 2) == alone
    assert lower_all(units(20), Settings(), 5) == alone


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "odd",
    [Unit("lws\udcff.c", b"int lws_x;\n", "c"), Unit("a.c", b"int lws_x = 0xfffffffffffffffffff;\n", "c")],
)
def test_what_messagepack_cannot_hold_comes_back_too(odd: Unit) -> None:
    assert lower_all([odd, *units(9)], Settings(), 2) == lower_all([odd, *units(9)], Settings(), 1)


@pytest.mark.usefixtures("small")
def test_a_worker_that_dies_costs_the_file_that_killed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = workers.lower

    def deadly(unit: Unit, settings: Settings) -> FileFacts | Problem:
        if unit.path == "f7.c":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(unit, settings)

    monkeypatch.setattr(workers, "lower", deadly)
    found = lower_all(units(12), Settings(), 2)
    assert [type(outcome).__name__ for outcome in found] == ["FileFacts"] * 7 + ["Problem"] + [
        "FileFacts"
    ] * 4
    assert isinstance(found[7], Problem) and found[7].path == "f7.c"


def test_a_little_work_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_pool", lambda count: pytest.fail("a process was started"))
    assert len(lower_all(units(3), Settings(), 8)) == 3


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
    assert lower_all(numbered, Settings(), 2) == lower_all(numbered, Settings(), 1)
