"""Which further files linking asks for."""

from __future__ import annotations

import pathlib

import pytest

from lwslint import demand
from lwslint.discovery import discover
from lwslint.frontends.c import extract
from lwslint.gather import gather
from lwslint.settings import Settings


def asked(text: str, language: str = "c") -> demand.Demand:
    asker = demand.Asker()
    asker.add([extract("a.c", text.encode(), language, Settings())])
    return asker.ask()


def test_public_functions_that_lead_to_lws_want_their_callers() -> None:
    wanted = asked(
        """
        static void flush(struct lws *wsi) { lws_callback_on_writable(wsi); }
        void session_send(struct lws *wsi) { flush(wsi); }
        void session_count(void) {}
        """
    )
    assert wanted.callers == {("session_send", "")}


def test_an_unknown_function_that_is_given_a_routine_wants_its_definition() -> None:
    wanted = asked("void go(void) { start_worker_thread(&t, loop); lws_service(c, 0); }")
    assert "start_worker_thread" in wanted.definitions


def test_a_thread_class_that_is_given_a_bound_method_wants_its_definition() -> None:
    text = "void go() { worker = new ControlThread(std::bind(&Gate::loop, this)); lws_service(c, 0); }"
    assert "ControlThread" in asked(text, "cpp").definitions
    assert "WorkerThread" in asked("typedef base::WorkerThread ControlThread;\n" + text, "cpp").definitions


def test_a_class_whose_methods_are_here_wants_its_definition() -> None:
    assert "Relay" in asked("void Relay::send() { lws_write(w, b, n, f); }", "cpp").definitions


@pytest.mark.parametrize(
    ("text", "defines"),
    [
        (b"#define START_IT(f) f()", True),
        (b"int START_IT(void)\n{\n}", True),
        (b"class START_IT : public Base {", True),
        (b"struct START_IT {", True),
        (b"typedef Base START_IT;", True),
        (b"using START_IT = Base;", True),
        (b"enum {\n  START_IT = 4,\n};", True),
        (b'static const char START_IT[] = "x";', True),
        (b'constexpr const char *START_IT = "x";', True),
        (b'const std::string START_IT{"x"};', True),
        (b"if (char_of(START_IT) == 1)", False),
        (b"void f(void) { START_IT(x); }", False),
        (b"int START_IT(void);", False),
        (b"struct START_IT *p;", False),
        (b"#  define\tSTART_IT", True),
        (b"#define START_ITS 1", False),
        (b"define START_IT 1", False),
        (b"class EXPORT\n  START_IT final {", True),
        (b"struct define START_IT :", True),
        (b"subclass START_IT {", False),
        (b"x = START_IT(y) {", False),
        (b"RUN_START_IT(int x) {", False),
        (b"START_IT(a,\n  b)\n{", True),
        (b"int\nSTART_IT = 4;", True),
        (b"unsigned char *START_IT[4] = {0};", True),
        (b"print START_IT = 4;", False),
        (b"int f(START_IT = 4)", False),
        (b"std::string_view\n START_IT(text);", True),
        (b"substring START_IT(text);", False),
        (b"enum {\n\n  START_IT, // first\n", True),
        (b"enum { START_IT, OTHER };", False),
    ],
)
def test_what_counts_as_a_definition(text: bytes, defines: bool) -> None:
    assert demand.defines(text, "START_IT") is defines


def test_files_without_lws_are_pulled_in_until_nothing_is_asked_for(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ws.c").write_text(
        "#include <libwebsockets.h>\nvoid ws_push_out(struct lws *wsi) { lws_callback_on_writable(wsi); }\n"
    )
    (tmp_path / "queue.c").write_text("void queue_deliver(void) { ws_push_out(0); }\n")
    (tmp_path / "worker.c").write_text("void worker_main_loop(void) { queue_deliver(); }\n")
    (tmp_path / "other.c").write_text("void unrelated(void) { }\n")
    found = discover([str(tmp_path)], cwd=str(tmp_path))
    gathered = gather(found.files, Settings())
    assert [pathlib.PurePosixPath(f.path).name for f in gathered.facts] == ["queue.c", "worker.c", "ws.c"]
    assert [pathlib.PurePosixPath(s.path).name for s in gathered.skipped] == ["other.c"]


def test_a_common_word_pulls_nothing_in(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ws.c").write_text(
        "#include <libwebsockets.h>\nvoid transmit(struct lws *wsi) { lws_callback_on_writable(wsi); }\n"
    )
    for n in range(demand.MAX_MENTIONS + 1):
        (tmp_path / f"user{n}.c").write_text("void f(void) { transmit(0); }\n")
    found = discover([str(tmp_path)], cwd=str(tmp_path))
    assert len(gather(found.files, Settings()).facts) == 1


def test_a_method_s_callers_mention_its_class(tmp_path: pathlib.Path) -> None:
    (tmp_path / "relay.cpp").write_text(
        "#include <libwebsockets.h>\nvoid Relay::push() { lws_callback_on_writable(wsi_); }\n"
    )
    (tmp_path / "user.cpp").write_text("void f(Relay &relay) { relay.push(); }\n")
    (tmp_path / "other.cpp").write_text("void g(Stack &stack) { stack.push(); }\n")
    found = discover([str(tmp_path)], cwd=str(tmp_path))
    gathered = gather(found.files, Settings())
    assert [pathlib.PurePosixPath(f.path).name for f in gathered.facts] == ["relay.cpp", "user.cpp"]


@pytest.mark.parametrize("many", [0, 1000])
def test_a_search_knows_whole_words_however_it_looks(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand, "_MANY", many)
    search = demand.Search(
        [("push", ""), ("send", "Relay"), ("operator()", "Relay")], ["START_IT", "missing"]
    )

    assert search.answer(b"void f(void) { push(1); }") == {"call push "}
    assert search.answer(b"void f(void) { pushed(1); unpush(1); _push(); }") == set()
    assert search.answer(b"x.send(1);") == set()
    assert search.answer(b"Relay x; x.send(1);") == {"call send Relay"}
    assert search.answer(b"struct Relay { void operator()(int); };") == set()  # no word behind the name
    assert search.answer(b"START_IT(x);") == set()
    assert search.answer(b"#define START_IT(f) push(f)") == {"call push ", "define START_IT"}


def test_names_that_are_no_words_are_looked_for_as_a_whole() -> None:
    callers = [("operator()", "Client"), ("operator()", ""), ("run", "Client"), ("run", "Server")]
    search = demand.Search(callers, ["~Client"])
    assert set(search.questions) == {
        *("call operator() Client", "call operator() ", "call run Client", "call run Server"),
        "define ~Client",
    }
    assert search.answer(b"Client c; c.operator()x;") == {"call operator() Client", "call operator() "}
    assert search.answer(b"xoperator()x; operator ()x; Client c; c.running();") == set()
    assert search.answer(b"Client c; c.run();") == {"call run Client"}
