"""The table of thread APIs: consistency, and the rows that the project model leans on."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files

import pytest

from lwslint.knowledge import api, threads
from lwslint.knowledge.threads import Form, Role, Runs


def test_the_fast_copy_is_the_table() -> None:
    folder = files("lwslint.knowledge")
    table = tomllib.loads(folder.joinpath("threads.toml").read_text(encoding="utf-8"))
    assert json.loads(folder.joinpath("threads.json").read_bytes()) == table, (
        "run: python -m lwslint.knowledge.convert"
    )


def test_every_role_has_rows() -> None:
    for role in Role:
        assert threads.in_role(role), role


def test_rows_are_well_formed() -> None:
    for row in threads.all_apis():
        assert row.source and row.names
        owned = row.form in (Form.METHOD, Form.OVERRIDE, Form.FIELD)
        assert bool(row.owners) is owned, row.names
        assert isinstance(row.handle, int) or row.handle in (None, "return", "object"), row.names
        indices = [index for index in (*row.entries, row.user, row.at) if index is not None and index >= 0]
        assert len(indices) == len(set(indices)), row.names
        if row.user is not None and row.role is not Role.OTHER:
            assert row.entries, row.names


def test_rows_that_hand_something_over_say_where_it_runs() -> None:
    silent = {Role.JOIN, Role.DETACH, Role.KILL, Role.RUN_LOOP, Role.STOP_LOOP, Role.WAKE, Role.BIND}
    for row in threads.all_apis():
        assert (row.runs is Runs.NOTHING) is (row.role in silent), row.names
        assert (row.runs is Runs.LOOP) <= bool(row.loop), row.names
        assert (row.runs is Runs.SERVICE) is (row.role is Role.SERVICE_CALLBACK), row.names


def test_no_spelling_twice_in_one_role_with_one_form_and_owner() -> None:
    seen: set[tuple[object, ...]] = set()
    for row in threads.all_apis():
        for name in row.names:
            for owner in row.owners or ("",):
                key = (row.role, row.form, name, owner)
                assert key not in seen, key
                seen.add(key)


def test_lws_rows_agree_with_the_api() -> None:
    checked = 0
    for row in threads.all_apis():
        for name in row.names:
            if row.form is not Form.CALL or not name.startswith(("lws_", "__lws_")):
                continue
            known = api.function(name)
            assert known is not None, name
            if row.entries:
                assert row.entries == (known.callback,), name
            if row.at is not None:
                assert row.at == known.context, name
            if known.timer is not None:
                assert row.user == known.timer, name
            checked += 1
    assert checked >= 8


def test_lws_fields_exist() -> None:
    for struct, name in [
        ("lws_protocols", "callback"),
        ("lws_ss_info", "tx"),
        ("lws_threadpool_task_args", "task"),
    ]:
        assert name in api.field_names(struct)
        assert threads.field(name, struct), (struct, name)


@pytest.mark.parametrize(
    ("name", "entry", "user", "handle"),
    [
        ("pthread_create", 2, 3, 0),
        ("thrd_create", 1, 2, 0),
        ("g_thread_new", 1, 2, "return"),
        ("uv_thread_create", 1, 2, 0),
        ("CreateThread", 2, 3, "return"),
        ("_beginthreadex", 2, 3, "return"),
        ("_beginthread", 0, 2, "return"),
        ("SDL_CreateThread", 0, 2, "return"),
        ("xTaskCreate", 0, 3, 5),
        ("xTaskCreatePinnedToCore", 0, 3, 5),
        ("apr_thread_create", 2, 3, 0),
        ("k_thread_create", 3, 4, 0),
        ("tx_thread_create", 2, 3, 0),
        ("std::async", 0, None, "return"),
    ],
)
def test_starts(name: str, entry: int, user: int | None, handle: int | str) -> None:
    (row,) = threads.called(name)
    assert (row.role, row.runs) == (Role.START, Runs.THREAD)
    assert (row.entry, row.user, row.handle) == (entry, user, handle)


def test_cpp_threads() -> None:
    (row,) = threads.constructed("std::thread")
    assert (row.entry, row.rest, row.handle, row.joins_itself) == (0, 1, "object", False)
    (own,) = threads.constructed("std::jthread")
    assert own.joins_itself
    assert [found.role for found in threads.method("join", "std::thread")] == [Role.JOIN]
    assert [found.role for found in threads.method("join", "std::unique_ptr<std::thread>")] == [Role.JOIN]
    assert [found.role for found in threads.method("detach", "std::thread &")] == [Role.DETACH]
    assert threads.method("join", "std::string") == ()
    assert threads.overridden("run", "QThread")[0].role is Role.START
    assert threads.overridden("run", "Widget") == ()


def test_one_call_may_feed_two_threads() -> None:
    work, after = threads.called("uv_queue_work")
    assert (work.entry, work.runs) == (2, Runs.WORKER)
    assert (after.entry, after.runs, after.loop) == (3, Runs.LOOP, "uv")


def test_signal_handlers_and_what_only_looks_like_one() -> None:
    assert threads.called("signal")[0].runs is Runs.SIGNAL
    assert threads.field("sa_handler", "struct sigaction")[0].runs is Runs.SIGNAL
    assert threads.called("evsignal_new")[0].runs is Runs.LOOP
    assert threads.called("g_unix_signal_add")[0].runs is Runs.LOOP


def test_loops() -> None:
    runners = {name for row in threads.in_role(Role.RUN_LOOP) for name in row.names}
    assert {"uv_run", "event_base_dispatch", "event_base_loop", "ev_run", "g_main_loop_run"} <= runners
    assert threads.called("lws_sul_schedule")[0].runs is Runs.SERVICE
    assert threads.called("printf") == ()


@pytest.mark.parametrize(
    ("declared", "bare"),
    [
        ("const struct sigaction *", "sigaction"),
        ("std::thread", "std::thread"),
        ("std::unique_ptr<std::thread>", "std::thread"),
        ("std::vector<std::thread> &", "std::vector<std::thread>"),
        ("struct lws_protocols[]", "lws_protocols"),
    ],
)
def test_bare_type(declared: str, bare: str) -> None:
    assert threads.bare_type(declared) == bare
