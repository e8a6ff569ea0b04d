"""Which thread a place runs on, and when: starts, joins, phases, entries."""

from __future__ import annotations

import pytest

from lwslint.model.entries import Role
from lwslint.model.order import Phase
from tests.model.projects import call, function, project

HEAD = """
#include <libwebsockets.h>
#include <pthread.h>
static struct lws_context *context;
static struct lws *wsi;
static volatile int stop;
static void *serve(void *arg) { while (!stop) lws_service(context, 0); return 0; }
"""


def phase_in(body: str, name: str = "lws_callback_on_writable") -> Phase:
    """The phase of the one call of ``name`` in ``run``, relative to the thread of ``serve``."""
    p = project(a_c=HEAD + "void run(void) { pthread_t t; struct lws_context_creation_info i;" + body + "}")
    definition, site = call(p, "run", name)
    (start,) = p.threads.roots[function(p, "serve").id]
    return p.threads.order.phase(definition, site, start)


@pytest.mark.parametrize(
    ("body", "phase"),
    [
        ("lws_callback_on_writable(wsi); pthread_create(&t, 0, serve, 0);", Phase.BEFORE),
        ("pthread_create(&t, 0, serve, 0); lws_callback_on_writable(wsi);", Phase.RUNNING),
        ("pthread_create(&t, 0, serve, 0); pthread_join(t, 0); lws_callback_on_writable(wsi);", Phase.AFTER),
        (
            "pthread_create(&t, 0, serve, 0); lws_callback_on_writable(wsi); pthread_join(t, 0);",
            Phase.RUNNING,
        ),
        ("if (pthread_create(&t, 0, serve, 0)) lws_callback_on_writable(wsi);", Phase.BEFORE),
        ("if (pthread_create(&t, 0, serve, 0) == 0) lws_callback_on_writable(wsi);", Phase.RUNNING),
        ("int r = pthread_create(&t, 0, serve, 0); if (r != 0) lws_callback_on_writable(wsi);", Phase.BEFORE),
        ("int r = pthread_create(&t, 0, serve, 0); if (!r) lws_callback_on_writable(wsi);", Phase.RUNNING),
        (
            "if (stop) goto no; pthread_create(&t, 0, serve, 0); return; no: lws_callback_on_writable(wsi);",
            Phase.BEFORE,
        ),
        (
            "if (stop) pthread_create(&t, 0, serve, 0); else lws_callback_on_writable(wsi);",
            Phase.BEFORE,
        ),
        (
            "pthread_create(&t, 0, serve, 0); while (!stop) usleep(1000); lws_callback_on_writable(wsi);",
            Phase.AFTER,
        ),
    ],
)
def test_the_phase_of_a_call(body: str, phase: Phase) -> None:
    assert phase_in(body) is phase


def test_starts_and_joins_count_through_helpers() -> None:
    p = project(
        a_c=HEAD
        + """
        static pthread_t thread;
        static void begin(void) { pthread_create(&thread, 0, serve, 0); }
        static void finish(void) { stop = 1; pthread_join(thread, 0); }
        void early(void) { lws_callback_on_writable(wsi); begin(); }
        void between(void) { begin(); lws_write(wsi, 0, 0, 0); finish(); }
        void late(void) { begin(); finish(); lws_close_reason(wsi, 0, 0, 0); }
        """
    )
    (start,) = p.threads.roots[function(p, "serve").id]
    phases = {
        inside: p.threads.order.phase(*call(p, inside, name), start)
        for inside, name in (
            ("early", "lws_callback_on_writable"),
            ("between", "lws_write"),
            ("late", "lws_close_reason"),
        )
    }
    assert phases == {"early": Phase.BEFORE, "between": Phase.RUNNING, "late": Phase.AFTER}


@pytest.mark.parametrize(
    "start",
    [
        "pthread_t t; pthread_create(&t, 0, worker, 0);",
        "thrd_t t; thrd_create(&t, worker, 0);",
        "GThread *t = g_thread_new(0, worker, 0);",
        "uv_thread_t t; uv_thread_create(&t, worker, 0);",
        "CreateThread(0, 0, (LPTHREAD_START_ROUTINE)worker, 0, 0, 0);",
        "xTaskCreate(worker, 0, 0, 0, 0, 0);",
        "our_thread_create(&t, worker, 0);",
        "START(worker);",
        "wrap(worker);",
        "wrap_twice(worker);",
    ],
)
def test_thread_starts_in_c(start: str) -> None:
    p = project(
        a_c=f"""
        #define START(fn) pthread_create(&handle, 0, fn, 0)
        static pthread_t handle;
        static void *worker(void *arg) {{ return 0; }}
        static void wrap(void *(*routine)(void *)) {{ pthread_create(&handle, 0, routine, 0); }}
        static void wrap_twice(void *(*routine)(void *)) {{ wrap(routine); }}
        void run(void) {{ {start} }}
        """
    )
    (found,) = p.threads.roots[function(p, "worker").id]
    assert found.definition.qualified == "run"


@pytest.mark.parametrize(
    "start",
    [
        "std::thread t(&C::worker, this);",
        "thread_ = std::thread(&C::worker, this);",
        "thread_ = std::thread(std::bind(&C::worker, this));",
        "auto *t = new std::thread(&C::worker, this);",
        "auto f = std::async(std::launch::async, &C::worker, this);",
        "threads_.emplace_back(&C::worker, this);",
        "auto t = std::make_unique<std::thread>(&C::worker, this);",
        "thread_ = std::thread([this] { worker(); });",
    ],
)
def test_thread_starts_in_cpp(start: str) -> None:
    p = project(
        a_cpp=f"""
        #include <thread>
        struct C {{
            std::thread thread_;
            std::vector<std::thread> threads_;
            void worker() {{ lws_write(0, 0, 0, LWS_WRITE_TEXT); }}
            void run() {{ {start} }}
        }};
        """
    )
    routes = p.threads.routes(*call(p, "C::worker", "lws_write"), None)
    assert [r.entry.role for r in routes] == [Role.THREAD]


def test_a_member_thread_in_a_constructor_s_initialiser_list() -> None:
    p = project(
        a_cpp="""
        #include <thread>
        struct C { C(); void worker(); std::thread thread_; };
        C::C() : thread_(&C::worker, this) {}
        void C::worker() {}
        """
    )
    (start,) = p.threads.roots[function(p, "C::worker").id]
    assert start.handle == "thread_"


def test_a_trampoline_s_thread_is_the_routine_s() -> None:
    p = project(
        threads_c="""
        struct job { void *(*run)(void *); void *arg; };
        static void *trampoline(void *p) { struct job *job = p; return job->run(job->arg); }
        int job_start(void *(*run)(void *), void *arg)
        {
            struct job *job = malloc(sizeof(*job));
            pthread_t t;
            job->run = run;
            job->arg = arg;
            return pthread_create(&t, 0, trampoline, job);
        }
        """,
        app_c="""
        static void *serve(void *arg) { lws_service(arg, 0); return 0; }
        static void *produce(void *arg) { lws_write(arg, 0, 0, 0); return 0; }
        int main(void) { job_start(serve, 0); job_start(produce, 0); }
        """,
    )
    routes = p.threads.routes(*call(p, "produce", "lws_write"), None)
    assert [r.entry.definition.qualified for r in routes] == ["produce"]


def test_roles_of_entries() -> None:
    p = project(
        a_c="""
        #include <libwebsockets.h>
        static int cb(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
        { return 0; }
        static void tick(lws_sorted_usec_list_t *sul) {}
        static void handler(int sig) {}
        static void command(void) {}
        static void unused(void) {}
        static const struct { const char *name; void (*run)(void); } commands[] = { { "x", command } };
        void api(void) {}
        int main(void)
        {
            signal(2, handler);
            lws_sul_schedule(context, 0, &sul, tick, 1);
        }
        """
    )
    roles = {
        name: [e.role for e in p.threads.entries.of(function(p, name))]
        for name in ("cb", "tick", "handler", "command", "unused", "api", "main")
    }
    assert roles == {
        "cb": [Role.CALLBACK],
        "tick": [Role.CALLBACK],
        "handler": [Role.SIGNAL],
        "command": [Role.STORED],
        "unused": [],
        "api": [Role.PUBLIC],
        "main": [Role.MAIN],
    }


def test_private_methods_are_no_entries() -> None:
    p = project(a_cpp="class C { public: void open() {} private: void shut() {} };")
    assert [e.role for e in p.threads.entries.of(function(p, "C::open"))] == [Role.PUBLIC]
    assert p.threads.entries.of(function(p, "C::shut")) == ()


def test_two_contexts_two_threads() -> None:
    p = project(
        a_c="""
        static struct lws_context *one, *two;
        static void *serve_one(void *arg) { lws_service(one, 0); return 0; }
        static void *serve_two(void *arg) { lws_service(two, 0); return 0; }
        int main(void)
        {
            one = lws_create_context(&info);
            two = lws_create_context(&info);
            pthread_create(&a, 0, serve_one, 0);
            pthread_create(&b, 0, serve_two, 0);
        }
        """
    )
    contexts = {s.entry.definition.qualified: s.contexts for s in p.threads.services}
    assert len(contexts["serve_one"]) == 1
    assert contexts["serve_one"] != contexts["serve_two"]


def test_one_routine_for_two_contexts_is_two_services() -> None:
    p = project(
        a_c="""
        static struct lws_context *one, *two;
        static void *serve(void *arg) { struct lws_context *mine = arg; lws_service(mine, 0); return 0; }
        int main(void)
        {
            one = lws_create_context(&info);
            two = lws_create_context(&info);
            pthread_create(&a, 0, serve, one);
            pthread_create(&b, 0, serve, two);
        }
        """
    )
    assert sorted(len(s.contexts) for s in p.threads.services) == [1, 1]
    assert len({s.contexts for s in p.threads.services}) == 2


def test_programs_in_one_folder_are_kept_apart() -> None:
    p = project(
        server_c="""
        static struct lws_context *context;
        static void *serve(void *a) { lws_service(context, 0); return 0; }
        int main(void) { pthread_create(&t, 0, serve, 0); }
        """,
        client_c="""
        static struct lws *wsi;
        int main(void) { lws_write(wsi, 0, 0, 0); }
        """,
    )
    assert p.threads.off_thread(*call(p, "main", "lws_write", "client.c")) == ()
