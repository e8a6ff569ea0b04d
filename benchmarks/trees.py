"""Trees of source files made for measuring, the same ones every time."""

from __future__ import annotations

import pathlib
import random

FOLDERS = 97

_HEADER = """\
#ifndef {name}_H
#define {name}_H

#include <libwebsockets.h>
#include <pthread.h>

struct {name}_item {{ struct {name}_item *next; size_t length; char text[256]; }};

struct {name}_state {{
    struct lws_context *context;
    struct lws *wsi;
    struct {name}_item *head;
    pthread_mutex_t lock;
    pthread_t worker;
    volatile int stop;
    int counts[8];
}};

extern struct {name}_state {name};
int {name}_queue(const char *text, size_t length);
struct {name}_item *{name}_take(void);
void *{name}_work(void *argument);
"""

_MAIN = """\
#include "{name}.h"
#include <signal.h>
#include <string.h>

struct {name}_state {name};

static int on_{name}(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{{
    struct {name}_item *item;
    unsigned char frame[LWS_PRE + 256];

    switch (reason) {{
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        {name}.wsi = wsi;
        lws_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        lwsl_hexdump_notice(in, len);
        break;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if ({name}.wsi)
            lws_callback_on_writable({name}.wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        item = {name}_take();
        if (!item)
            break;
        memcpy(frame + LWS_PRE, item->text, item->length);
        if (lws_write(wsi, frame + LWS_PRE, item->length, LWS_WRITE_TEXT) < (int)item->length)
            return -1;
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        {name}.wsi = NULL;
        break;
    default:
        break;
    }}
    return lws_callback_http_dummy(wsi, reason, user, in, len);
}}

static const struct lws_protocols protocols[] = {{
    {{ "{name}-local", on_{name}, 0, 4096, 0, NULL, 0 }},
    LWS_PROTOCOL_LIST_TERM
}};

static void on_signal(int number) {{ {name}.stop = number; }}

static int {name}_connect(struct lws_context *context, int insecure)
{{
    struct lws_client_connect_info info;

    memset(&info, 0, sizeof(info));
    info.context = context;
    info.address = "{name}.example.net";
    info.host = info.address;
    info.port = 443;
    info.path = "/";
    info.local_protocol_name = protocols[0].name;
    info.ssl_connection = LCCSCF_USE_SSL;
    if (insecure)
        info.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED;
    return !lws_client_connect_via_info(&info);
}}

int main(int argc, const char **argv)
{{
    struct lws_context_creation_info info;
    int n = 0;

    signal(SIGINT, on_signal);
    memset(&info, 0, sizeof info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    {name}.context = lws_create_context(&info);
    if (!{name}.context || {name}_connect({name}.context, !!lws_cmdline_option(argc, argv, "--insecure")))
        return 1;
    pthread_create(&{name}.worker, NULL, {name}_work, &{name});
    while (n >= 0 && !{name}.stop)
        n = lws_service({name}.context, 0);
    pthread_join({name}.worker, NULL);
    lws_context_destroy({name}.context);
    return 0;
}}
"""

_QUEUE = """\
#include "{name}.h"
#include <stdlib.h>
#include <string.h>

int {name}_queue(const char *text, size_t length)
{{
    struct {name}_item *item = malloc(sizeof(*item));

    if (!item || length > sizeof(item->text))
        return -1;
    memcpy(item->text, text, length);
    item->length = length;
    pthread_mutex_lock(&{name}.lock);
    item->next = {name}.head;
    {name}.head = item;
    pthread_mutex_unlock(&{name}.lock);
    lws_cancel_service({name}.context);
    return 0;
}}

struct {name}_item *{name}_take(void)
{{
    struct {name}_item *item;

    pthread_mutex_lock(&{name}.lock);
    item = {name}.head;
    if (item)
        {name}.head = item->next;
    pthread_mutex_unlock(&{name}.lock);
    return item;
}}

void *{name}_work(void *argument)
{{
    struct {name}_state *state = argument;

    while (!state->stop) {{
        char text[64];
        int length = lws_snprintf(text, sizeof(text), "%d", state->counts[0]++);

        {name}_queue(text, (size_t)length);
    }}
    return NULL;
}}
"""

_HELPER = """\

static int {name}_step_{number}(struct {name}_state *state, int first, int second)
{{
    int total = 0, i;

    for (i = 0; i < first; i++) {{
        if ((i ^ second) & {mask:#x})
            total += state->counts[i & 7] * {factor};
        else if (total > {limit})
            total -= second;
    }}
    state->counts[{slot}] = total;
    if (total < 0) {{
        lwsl_err("%s: %d is out of range\\n", __func__, total);
        return {calls};
    }}
    return total;
}}
"""


def program(folder: pathlib.Path, name: str, lines: int, chance: random.Random) -> int:
    """Write a client in three files, padded with helper functions to about ``lines``; returns how many lines
    it has."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"main.c": _MAIN, "queue.c": _QUEUE}
    written = {f"{name}.h": _HEADER.format(name=name) + "#endif\n"}
    written |= {f"{name}_{file}": text.format(name=name) for file, text in texts.items()}
    count = sum(text.count("\n") for text in written.values())
    helpers = [f'#include "{name}.h"\n']
    each = _HELPER.count("\n")
    for number in range(max(0, (lines - count) // each)):
        before = f"{name}_step_{number - 1}(state, second, first)" if number else "-1"
        helpers.append(
            _HELPER.format(
                name=name,
                number=number,
                mask=chance.randrange(1, 256),
                factor=chance.randrange(1, 99),
                limit=chance.randrange(10, 10_000),
                slot=number & 7,
                calls=before,
            )
        )
    written[f"{name}_steps.c"] = "".join(helpers)
    for file, text in written.items():
        (folder / file).write_text(text)
    return sum(text.count("\n") for text in written.values())


def programs(folder: pathlib.Path, lines: int, each: int = 1000) -> int:
    """A tree of programs of about ``each`` lines, ``lines`` lines in all; returns how many there are."""
    chance = random.Random(lines)
    done = number = 0
    while done < lines:
        done += program(folder / f"p{number:04d}", f"app{number}", min(each, lines - done), chance)
        number += 1
    return done


def unrelated(folder: pathlib.Path, files: int, related: int) -> None:
    """``files`` C files of 2 to 12 KB in 97 folders, of which ``related`` use libwebsockets."""
    chance = random.Random(1)
    for number in range(FOLDERS):
        (folder / f"m{number}").mkdir(parents=True, exist_ok=True)
    every = files // related if related else 0
    for number in range(files):
        place = folder / f"m{number % FOLDERS}"
        functions = "".join(
            f"static int f{number}_{i}(int a) {{ return a * {i}; }}\n" for i in range(chance.randint(40, 260))
        )
        if every and number % every == 0:
            name = f"app{number}"
            functions = _HEADER.format(name=name) + "#endif\n" + functions
            functions += _MAIN.format(name=name).replace(f'#include "{name}.h"\n', "")
            functions += _QUEUE.format(name=name).replace(f'#include "{name}.h"\n', "")
        (place / f"f{number}.c").write_text(functions)


def large(path: pathlib.Path, size: int) -> None:
    """One program in one file of about ``size`` bytes."""
    chance = random.Random(5)
    name = "big"
    pieces = [_HEADER.format(name=name), "#endif\n"]
    length = 0
    number = 0
    while length < size:
        before = f"{name}_step_{number - 1}(state, second, first)" if number else "-1"
        pieces.append(
            _HELPER.format(
                name=name,
                number=number,
                mask=chance.randrange(1, 256),
                factor=chance.randrange(1, 99),
                limit=chance.randrange(10, 10_000),
                slot=number & 7,
                calls=before,
            )
        )
        length += len(pieces[-1])
        number += 1
    for text in (_MAIN, _QUEUE):
        pieces.append(text.format(name=name).replace(f'#include "{name}.h"\n', ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(pieces))
