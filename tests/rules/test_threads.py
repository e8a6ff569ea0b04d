"""LWS101-104 on small projects: what a fixture would say at greater length."""

from __future__ import annotations

import pytest

from lwslint.diagnostics import Confidence, Severity
from lwslint_rules.threads import (
    concurrent_service,
    context_moved_between_threads,
    destroy_while_serviced,
    off_thread_call,
)
from tests.model.projects import project

CROWD = """
#include <libwebsockets.h>
#include <pthread.h>
struct entry {{ struct lws *wsi; struct lws_context *context; }};
static struct entry *pending[16];
static int count;
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{{
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED)
        for (int i = 0; i < count; i++) {{
            struct entry *e = pending[i];
            {use}
        }}
    return 0;
}}
static const struct lws_protocols protocols[] = {{ {{ "x", callback, 0, 0 }}, {{ 0 }} }};
static void *serve(void *arg)
{{
    struct lws_context_creation_info info = {{ .protocols = protocols }};
    struct lws_context *context = lws_create_context(&info);
    while (1) lws_service(context, 0);
}}
void start(void) {{ for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, serve, 0); }}
"""


@pytest.mark.parametrize(
    ("use", "reported"),
    [
        ("lws_callback_on_writable(e->wsi);", True),
        ("if (e->context == lws_get_context(wsi)) lws_callback_on_writable(e->wsi);", False),
        ("lws_callback_on_writable(wsi);", False),
    ],
)
def test_a_list_that_several_service_threads_share(use: str, reported: bool) -> None:
    found = list(off_thread_call.check(project(a_c=CROWD.format(use=use))))
    assert [d.severity for d in found] == ([Severity.WARNING] if reported else [])


LIBRARY = """
static struct lws *wsi;
static void *pump(void *arg) { send_it(); return 0; }
void library_start(void) { pthread_create(&t, 0, pump, 0); }
void send_it(void) { lws_write(wsi, 0, 0, 0); }
"""
BROKER = """
static struct lws_context *context;
static void *serve(void *arg) { lws_service(context, 0); send_it(); return 0; }
int main(void) { pthread_create(&t, 0, serve, 0); }
"""


def test_threads_of_two_programs_do_not_meet() -> None:
    client = "int main(void) { library_start(); }"
    p = project(lib__library_c=LIBRARY, broker__main_c=BROKER, client__main_c=client)
    assert list(off_thread_call.check(p)) == []


def test_threads_of_one_program_do() -> None:
    both = BROKER.replace("main(void) {", "main(void) { library_start();")
    (found,) = off_thread_call.check(project(lib__library_c=LIBRARY, broker__main_c=both))
    assert found.place.path == "lib/library.c"
    assert found.confidence is Confidence.HIGH
    assert [step.message for step in found.related][:2] == [
        "pthread_create starts a thread that runs pump()",
        "pump() calls send_it()",
    ]


def test_a_call_that_only_a_build_option_called_wrong_compiles_is_a_note() -> None:
    text = """
    static struct lws_context *context;
    static void *spam(void *arg)
    {
    #if defined(DO_THE_ILLEGAL_THING)
        lws_write(wsi, 0, 0, 0);
    #endif
        return 0;
    }
    int main(void) { pthread_create(&t, 0, spam, 0); while (1) lws_service(context, 0); }
    """
    (found,) = off_thread_call.check(project(a_c=text))
    assert found.severity is Severity.NOTE


def test_a_context_that_was_just_made_is_serviced_by_nobody_yet() -> None:
    text = """
    static struct lws_context *other;
    static void *serve(void *arg) { lws_service(other, 0); return 0; }
    void start(void) { pthread_create(&t, 0, serve, 0); }
    static void dial(struct lws_context *context)
    {
        struct lws_client_connect_info i = { .context = context };
        lws_client_connect_via_info(&i);
    }
    void run(void)
    {
        struct lws_context *mine = lws_create_context(&info);
        dial(mine);
    }
    """
    assert list(off_thread_call.check(project(a_c=text))) == []


INTERFACE = """
struct transport {{ int (*open)(void *); }};
static struct lws *wsi;
static int open_ws(void *p) {{ lws_callback_on_writable(wsi); return 0; }}
{others}
static struct transport transports[] = {{ {{ open_ws }}, {rows} }};
static void *worker(void *arg) {{ struct transport *t = arg; return (void *)(long)t->open(arg); }}
int main(void)
{{
    struct lws_context *context = lws_create_context(&info);
    pthread_create(&t, 0, worker, &transports[0]);
    while (1) lws_service(context, 0);
}}
"""


@pytest.mark.parametrize(("implementations", "reported"), [(1, True), (2, False)])
def test_an_interface_does_not_tell_which_implementation_a_thread_runs(
    implementations: int, reported: bool
) -> None:
    names = [f"open_{i}" for i in range(implementations)]
    others = "\n".join(f"static int {name}(void *p) {{ return 0; }}" for name in names)
    text = INTERFACE.format(others=others, rows=", ".join(f"{{ {name} }}" for name in names))
    assert bool(list(off_thread_call.check(project(a_c=text)))) is reported


HOSTED = """
#include <libwebsockets.h>
typedef struct host {{ void *(*CreateThread)(void *, void *); void (*JoinThread)(void *); }} host_t;
struct self {{ struct lws_context *context; void *thread; }};
static void *serve(void *arg) {{ struct self *s = arg; while (s->on) lws_service(s->context, 0); }}
int init(host_t *host, struct self *s)
{{
    s->context = lws_create_context(&info);
    s->thread = host->CreateThread(serve, s);
}}
int finish(host_t *host, struct self *s) {{ {join} lws_context_destroy(s->context); }}
"""


@pytest.mark.parametrize(
    ("join", "reported"), [("host->JoinThread(s->thread);", False), ("s->on = 0;", True)]
)
def test_threads_of_a_host_program_are_joined_by_the_handle_that_it_gave(join: str, reported: bool) -> None:
    assert bool(list(destroy_while_serviced.check(project(a_c=HOSTED.format(join=join))))) is reported


CLIENT_LIBRARY = """
static struct lws_context *context;
void client_init(void) { context = lws_create_context(&info); }
void client_loop(void) { while (1) lws_service(context, 0); }
"""
THREADED = """
static void *loop(void *arg) { client_loop(); return 0; }
int main(void)
{
    client_init();
    for (int i = 0; i < 2; i++)
        PICKED pthread_create(&t[i], 0, loop, 0);
    OWN
}
"""


@pytest.mark.parametrize(
    ("picked", "own", "reported"),
    [("if (i == 0)", "", False), ("", "", True), ("if (i == 0)", "client_loop();", True)],
)
def test_main_of_another_program_does_not_service_beside_a_thread(
    picked: str, own: str, reported: bool
) -> None:
    threaded = THREADED.replace("PICKED", picked).replace("OWN", own)
    plain = "int main(void) { client_init(); client_loop(); }"
    p = project(src__client_c=CLIENT_LIBRARY, example__main_c=plain, threaded__main_c=threaded)
    assert bool(list(concurrent_service.check(p))) is reported


SENDER = """
#include <libwebsockets.h>
#include <thread>
struct Socket {{
    void send(int size) {{ lws_callback_on_writable(wsi); }}
    void send(int size, bool later) {{ queue.push_back(size); }}
    struct lws *wsi;
}};
struct Server {{ static void deliver(Socket *s, int n) {{ s->send(n); }} }};
template <class Backend> class Broadcaster {{
public:
    void all(Socket *s) {{ loop->defer([s] {{ Backend::deliver(s, 1); }}); }}
}};
static struct lws_context *context;
static Socket socket;
int main()
{{
    std::thread service([] {{ while (true) lws_service(context, 0); }});
    {use}
    service.join();
}}
"""


@pytest.mark.parametrize(
    ("use", "reported"),
    [
        ("socket.send(1);", True),
        ("socket.send(1, true);", False),
        ("Broadcaster<Server> b; b.all(&socket);", False),
    ],
)
def test_overloads_and_template_parameters_are_told_apart(use: str, reported: bool) -> None:
    found = list(off_thread_call.check(project(a_cpp=SENDER.format(use=use))))
    assert bool(found) is reported


def test_a_static_function_that_is_handed_out_is_called_from_outside() -> None:
    text = """
    static struct lws_context *context;
    static void *serve(void *arg) { while (1) lws_service(context, 0); }
    static int cmd_close(int argc) { lws_close_reason(wsi, 1000, 0, 0); return 0; }
    void load(struct shell *shell)
    {
        pthread_create(&t, 0, serve, 0);
        shell_register(shell, "close", cmd_close);
    }
    """
    (found,) = off_thread_call.check(project(a_c=text))
    assert found.confidence is Confidence.MEDIUM
    assert list(off_thread_call.check(project(a_c=text.replace("shell_register", "//")))) == []


TRANSPORT = """
#include <libwebsockets.h>
class Transport : public rtc::Thread {
public:
    bool connect(const char *url)
    {
        wsc = lws_create_context(&info);
        {late}lws_client_connect_via_info(&i);
        return Start();
    }
    bool listen(int port) { wsc = lws_create_context(&info); return Start(); }
    void Run() override { while (on) lws_service(wsc, 0); }
    void push() { {push} }
    struct lws_context *wsc;
    struct lws *wsi;
};
"""


@pytest.mark.parametrize(
    ("late", "push", "reported"),
    [
        ("", "", False),
        ("Start(); ", "", True),
        ("", "lws_callback_on_writable(wsi);", True),
        ("", "lws_cancel_service(wsc);", False),
    ],
)
def test_a_class_of_a_frameworks_threads(late: str, push: str, reported: bool) -> None:
    text = TRANSPORT.replace("{late}", late).replace("{push}", push)
    text = text.replace("lws_client", "struct lws_client_connect_info i = { .context = wsc }; lws_client")
    rules = (off_thread_call, context_moved_between_threads)
    assert any(list(rule.check(project(a_cpp=text))) for rule in rules) is reported


WRAPPED = """
#include <libwebsockets.h>
#include <functional>
class Thread {{
public:
    Thread(std::function<void(void)> work) {{ process = work; }}
    bool start() {{ return pthread_create(&handle, NULL, enter, this) == 0; }}
private:
    static void *enter(void *self) {{ ((Thread *)self)->once(); return NULL; }}
    void once() {{ {run} }}
    std::function<void(void)> process;
    pthread_t handle;
}};
static struct lws_context *context;
static struct lws *wsi;
static void service() {{ while (true) lws_service(context, 0); }}
static void feed() {{ lws_callback_on_writable(wsi); }}
int main()
{{
    std::function<void(void)> a = std::bind(&service), b = std::bind(&feed);
    Thread first(a), second(b);
    first.start();
    second.start();
}}
"""


@pytest.mark.parametrize(
    ("run", "reported"), [("process();", True), ("while (next()) { service(); process(); }", False)]
)
def test_each_object_of_a_thread_class_runs_what_it_was_given(run: str, reported: bool) -> None:
    found = list(off_thread_call.check(project(a_cpp=WRAPPED.format(run=run))))
    assert [d.related[0].message for d in found] == (
        ["pthread_create starts a thread that runs feed()"] if reported else []
    )


SHARED = """
#include <libwebsockets.h>
#include <memory>
#include <thread>
class Server {
public:
    ~Server() { lws_context_destroy(context); }
    static void serve(KEEP server) { while (server->on) lws_service(server->context, 0); }
    static void listen(KEEP server)
    {
        server->context = lws_create_context(&info);
        std::thread([=]() { Server::serve(server); }).detach();
    }
    struct lws_context *context;
    bool on;
};
"""


@pytest.mark.parametrize(("keep", "reported"), [("std::shared_ptr<Server>", False), ("Server *", True)])
def test_an_object_that_its_service_thread_keeps_is_destroyed_after_it(keep: str, reported: bool) -> None:
    found = list(destroy_while_serviced.check(project(a_cpp=SHARED.replace("KEEP", keep))))
    assert bool(found) is reported


STARTED_BY_A_THREAD = """
#include <libwebsockets.h>
#include <pthread.h>
static struct lws_context *context;
static pthread_t serving;
static void *serve(void *arg) { while (!stop) lws_service(context, 0); return 0; }
void *web(void *arg)
{
    struct lws_context_creation_info info = { 0 };
    context = lws_create_context(&info);
    if (0 != pthread_create(&serving, NULL, serve, arg))
        fprintf(stderr, "no thread");
    while (!stop) {
        if (changed)
            lws_callback_on_writable_all_protocol(context, &protocols[0]);
        sleep_ms(10);
    }
    pthread_join(serving, NULL);
    return 0;
}
"""


def test_a_thread_is_beside_the_service_thread_that_it_starts() -> None:
    main = "int main(void) { pthread_t t; pthread_create(&t, 0, web, 0); pthread_join(t, 0); return 0; }"
    found = off_thread_call.check(project(main_c=main, web__web_c=STARTED_BY_A_THREAD))
    assert [d.related[0].message for d in found] == ["pthread_create starts a thread that runs web()"]


STARTED_IN_TWO_WAYS = """
#include <libwebsockets.h>
#include <functional>
#include <thread>
class Worker {
public:
    Worker(std::function<void()> f) : run(f), thread(nullptr) {}
    void start(bool again)
    {
        if (again)
            thread = new std::thread([&]() { while (on) { run(); pause(); } });
        else
            thread = new std::thread([&]() { run(); });
    }
private:
    std::function<void()> run;
    std::thread *thread;
};
typedef Worker Control;
class Server {
public:
    Server() { context = lws_create_context(&info); control = new Control(std::bind(&Server::loop, this)); }
    void send() { lws_callback_on_writable(wsi); }
private:
    void loop() { lws_service(context, 0); }
    Control *control;
    struct lws_context *context;
    struct lws *wsi;
};
"""


def test_an_object_that_may_start_its_thread_in_two_ways_has_one() -> None:
    found = project(a_cpp=STARTED_IN_TWO_WAYS)
    assert [d.severity for d in off_thread_call.check(found)] == [Severity.WARNING]
    assert not list(concurrent_service.check(found))


def test_the_loop_of_the_service_thread_is_shown_not_a_call_before_it() -> None:
    source = """
    static struct lws_context *context;
    static void *serve(void *arg) { lws_service(context, 0); while (!stop) lws_service(context, 0); }
    static void *feed(void *arg) { lws_callback_on_writable(wsi); return 0; }
    int main(void) { pthread_create(&a, 0, serve, 0); pthread_create(&b, 0, feed, 0); pthread_join(a, 0); }
    """
    (found,) = off_thread_call.check(project(a_c=source))
    assert found.related[-1].place.span.start == source.rindex("lws_service(")
