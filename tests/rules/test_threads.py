"""LWS101-104 on small projects: what a fixture would say at greater length."""

from __future__ import annotations

import pytest

from lwslint.diagnostics import Confidence, Severity
from lwslint_rules.threads import off_thread_call
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
