"""Which files are worth parsing, and that other processes may find it out."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lwslint import engine, gather, prefilter, registry, source, witness, workers
from lwslint.cache import Cache
from lwslint.discovery import NO_IDIOM, NO_LWS, NO_WEBSOCKET, discover
from lwslint.engine import Result
from lwslint.memory import Memory
from lwslint.prefilter import Scout
from lwslint.settings import Settings
from lwslint.source import ReadError
from lwslint.workers import Pool
from tests.conftest import WriteTree

CLIENT = "#include <libwebsockets.h>\nvoid f(struct lws *wsi) { lws_callback_on_writable(wsi); }\n"
FILES: dict[str, str | bytes] = {
    **{f"m{number}/plain.c": f"int x{number};\n" for number in range(20)},
    **{f"m{number}/client.c": CLIENT for number in range(0, 20, 5)},
    "data.c": b"0," * 240_000,
    "large.c": b"0," * 400_000 + b"LWS_PRE",
    "talk.py": "import websockets\n",
    "other.py": "import os\n",
    "late.h": b"\0" * 70_000 + b"LibWebSockets",
}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets other processes help with the fewest files."""
    monkeypatch.setattr(prefilter, "MANY", 3)
    monkeypatch.setattr(prefilter, "_BATCH", 4)


@pytest.fixture
def tree(write_tree: WriteTree) -> Path:
    return write_tree(FILES)


def scouted(root: Path, jobs: int) -> tuple[dict[str, str], gather.Gathered]:
    """What a scout says, and what is gathered with its help."""
    settings = Settings(max_file_size=500_000)
    memory = Memory(None, settings)
    with Pool(jobs) as pool:
        scout = Scout(memory, pool)
        found = discover(["."], cwd=str(root), found=scout.take)
        said = {os.path.relpath(path, root): why for path, why in scout.reasons().items()}
        return said, gather.gather(found.files, settings, None, None, memory, pool, scout)


def outcome(gathered: gather.Gathered) -> object:
    return [f.path for f in gathered.facts], sorted(gathered.skipped, key=str), gathered.problems


def test_what_is_worth_parsing() -> None:
    assert prefilter.mentions_lws(b"x LWS_PRE")
    assert prefilter.mentions_lws(b"libWebSocket")
    assert not prefilter.mentions_lws(b"lw s, websocket")
    assert prefilter.reason_against("a.py", b"lws") == NO_WEBSOCKET
    assert prefilter.reason_against("a.c", b"websocket") == NO_LWS


@pytest.mark.usefixtures("few")
def test_what_other_processes_find_out_is_what_one_finds_out(tree: Path) -> None:
    alone, expected = scouted(tree, 1)
    shared, gathered = scouted(tree, 2)
    assert alone == {}
    assert shared == {
        **{f"m{number}/plain.c": NO_LWS for number in range(20)},
        "data.c": NO_LWS,
        "talk.py": NO_IDIOM,
        "other.py": NO_WEBSOCKET,
    }
    assert outcome(gathered) == outcome(expected)
    assert [problem.path for problem in gathered.problems] == ["large.c"]


@pytest.mark.usefixtures("few")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
def test_a_process_that_dies_over_a_file_costs_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = scouted(tree, 1)[1]
    whole, here = source.read, os.getpid()

    def deadly(path: str, *arguments: object, **options: object) -> bytes:
        if path.endswith(os.path.join("m7", "plain.c")) and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "read", deadly)
    alone: list[str] = []
    monkeypatch.setattr(workers, "_lower_alone", lambda unit, work: alone.append(unit.path))
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    said, gathered = scouted(tree, 2)
    assert os.path.join("m7", "plain.c") not in said
    assert outcome(gathered) == outcome(expected)
    assert not alone  # what comes later has processes again


@pytest.mark.usefixtures("few")
def test_a_file_that_goes_meanwhile_is_told(tree: Path) -> None:
    settings = Settings()
    memory = Memory(None, settings)
    with Pool(2) as pool:
        scout = Scout(memory, pool)
        found = discover(["."], cwd=str(tree))
        (tree / "m3/plain.c").unlink()
        for file in found.files:
            scout.take(file)
        gathered = gather.gather(found.files, settings, None, None, memory, pool, scout)
    assert [(problem.path, problem.message) for problem in gathered.problems] == [
        ("m3/plain.c", "cannot be read: no such file or directory")
    ]


class _Elsewhere(Mapping[str, bytes]):
    def __getitem__(self, path: str) -> bytes:
        raise ReadError("nothing")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.usefixtures("few")
def test_files_that_are_read_from_elsewhere_are_read_here(tree: Path) -> None:
    with source.mounted(_Elsewhere()):
        assert scouted(tree, 2)[0] == {}


@pytest.mark.usefixtures("few")
def test_a_file_too_young_for_its_stamp_is_read_where_the_witness_is(tree: Path) -> None:
    seen = witness.Witness(time.time_ns() - 10_000_000_000)
    with witness.testifying(seen):
        assert scouted(tree, 2)[0] == {}
    assert all(seen.fresh[str(tree / name)] for name in FILES if name != "large.c")
    seen = witness.Witness(time.time_ns() + 10_000_000_000)
    with witness.testifying(seen):
        assert len(scouted(tree, 2)[0]) == 23
    assert seen.is_complete()
    assert not seen.fresh
    assert str(tree / "m3/plain.c") in seen.stamps


@pytest.mark.usefixtures("few")
def test_what_other_processes_found_out_is_remembered(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "settled", lambda stamp, began: True)
    read: list[str] = []
    whole = source.read

    def reader(path: str, *arguments: object, **options: object) -> bytes:
        if options.get("expected") is not None:
            read.append(path)
        return whole(path, *arguments, **options)  # type: ignore[arg-type]

    def lint() -> Result:
        cache = Cache(str(tmp_path / "cache"))
        return engine.lint(["."], Settings(), registry.load(), cwd=str(tree), cache=cache, jobs=2)

    monkeypatch.setattr(source, "read", reader)
    cold = lint()
    assert not [path for path in read if path.endswith("plain.c")]
    read.clear()
    assert lint().skipped == cold.skipped
    assert not read


@pytest.mark.usefixtures("few")
def test_other_processes_find_the_files_that_the_linking_needs(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "ws.c": "#include <libwebsockets.h>\n"
            "void ws_push_out(struct lws *wsi) { lws_callback_on_writable(wsi); }\n",
            "queue.c": "void queue_deliver(void) { ws_push_out(0); }\n",
            "worker.c": "void worker_main_loop(void) { queue_deliver(); }\n",
            **{f"other{number}.c": "void unrelated(void) { }\n" for number in range(20)},
        }
    )
    asked: list[int] = []
    whole = prefilter.answers

    def counted(*arguments: Any) -> dict[str, set[str]]:
        found = whole(*arguments)
        asked.append(len(found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefilter, "answers", counted)
        alone, shared = scouted(root, 1)[1], scouted(root, 2)[1]
    assert [file.path for file in shared.facts] == ["queue.c", "worker.c", "ws.c"]
    assert outcome(shared) == outcome(alone)
    assert asked == [0, 0, 0, 22, 21, 20]
