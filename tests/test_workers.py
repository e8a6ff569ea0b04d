"""The front end in several processes: the same facts, and a worker that dies costs one file."""

from __future__ import annotations

import os
import signal

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
