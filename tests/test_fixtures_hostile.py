"""Linted code is untrusted: whatever a file holds, the run ends, soon, and the file beside it is linted.

The inputs are made here and not stored: an editor or a formatter would heal them.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fixture_marks import FOLDER
from tests.fixture_runs import lint, reports

# Of CPU time: far more than an input of this size may take, less than work needs that grows with its square.
SECONDS = 8.0
BAD_NEIGHBOUR = FOLDER / "off-thread-call" / "bad-producer-writes-c" / "main.c"

CALLBACK = (
    b"#include <libwebsockets.h>\n"
    b"static int cb(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)\n{\n"
)
TABLE = (
    b"\nstatic const struct lws_protocols protocols[] = "
    b'{ { "x", cb, 0, 0, 0, NULL, 0 }, { NULL, NULL, 0, 0, 0, NULL, 0 } };\n'
)


def callback(body: bytes) -> bytes:
    return CALLBACK + body + b"\n}\n" + TABLE


HOSTILE = {
    "empty": b"",
    "nul-bytes": b"lws_write(" + bytes(4096),
    "all-bytes": bytes(range(256)) * 64 + b"lws_write(wsi",
    "broken-utf-8": callback(b'\tlwsl_user("\xc3\x28\xa0\xff\xfe");\n\treturn 0;'),
    "utf-16": "#include <libwebsockets.h>\nint lws;\n".encode("utf-16") + b"lws",
    "bom-and-crlf": b"\xef\xbb\xbf" + callback(b"\treturn 0;").replace(b"\n", b"\r\n"),
    "lone-carriage-returns": callback(b"\treturn 0;").replace(b"\n", b"\r"),
    "bidi-and-escape": callback('\tint \u202elws\u2066 = "\x1b[31m";'.encode()),
    "unterminated-string": callback(b'\tlws_write(wsi, "'),
    "unterminated-comment": CALLBACK + b"/* lws_write(wsi",
    "unterminated-raw-string": CALLBACK + b'auto s = R"lws(',
    "open-braces": callback(b"{" * 3000 + b"lws_write(wsi, 0, 0, 0);"),
    "closed-braces": callback(b"}" * 3000),
    "deep-parentheses": callback(b"\treturn " + b"(" * 20_000 + b"1" + b")" * 20_000 + b";"),
    "deep-blocks": callback(b"{" * 2000 + b"lws_write(wsi, 0, 0, 0);" + b"}" * 2000),
    "deep-ifs": callback(b"\tif (reason)" * 2000 + b"lws_write(wsi, 0, 0, 0);"),
    "else-if-chain": callback(
        b"\tif (reason == 0)\n\t\treturn 0;\n"
        + b"".join(b"\telse if (reason == %d)\n\t\treturn %d;\n" % (n, n) for n in range(1, 600))
    ),
    "many-branches": callback(b"\tif (len) user = in; if (in) len++;\n" * 300 + b"\treturn 0;"),
    "long-sum": callback(b"\treturn " + b"+".join([b"len"] * 20_000) + b";"),
    "long-or": callback(b"\tint f = " + b" | ".join([b"LCCSCF_USE_SSL"] * 5000) + b";\n\treturn f;"),
    "deep-calls": callback(b"\treturn " + b"f(" * 3000 + b")" * 3000 + b";"),
    "deep-ternary": callback(b"\treturn " + b"reason ? 1 : " * 3000 + b"0;"),
    "deep-initialiser": callback(b"\tint x[] = " + b"{" * 3000 + b"1" + b"}" * 3000 + b";"),
    "deep-conditionals": b"#ifdef LWS\n" * 2000 + callback(b"\treturn 0;") + b"#endif\n" * 2000,
    "open-conditionals": b"#if defined(LWS) && (\n" * 500 + callback(b"\treturn 0;"),
    "stray-conditionals": b"#else\n#endif\n#elif LWS\n" * 500 + callback(b"\treturn 0;"),
    "deep-condition": b"#if " + b"(" * 5000 + b"LWS" + b")" * 5000 + b"\n#endif\n" + callback(b"\treturn 0;"),
    "huge-shift": b"#if (1 << 1000000000) || 1 / 0 || 9 % 0\n#endif\n"
    + callback(b"\treturn 1 << 1000000000;"),
    "macro-circle": b"#define LWS_A LWS_B\n#define LWS_B LWS_A\n" + callback(b"\treturn LWS_A;"),
    "macro-bomb": b"#define LWS_0 lws_write(wsi, 0, 0, 0)\n"
    + b"".join(b"#define LWS_%d (LWS_%d + LWS_%d)\n" % (n, n - 1, n - 1) for n in range(1, 60))
    + callback(b"\treturn LWS_59;"),
    "constant-circle": b"enum { LWS_X = LWS_Y, LWS_Y = LWS_X };\n"
    + b"static const int lws_p = lws_q, lws_q = lws_p;\n"
    + callback(b"\tstruct lws_client_connect_info i = { .ssl_connection = LWS_X | lws_p };\n\treturn 0;"),
    "variable-circle": callback(
        b"\tstruct lws_client_connect_info i = { 0 };\n\tint a, b;\n\ta = b;\n\tb = a;\n"
        b"\ti.ssl_connection = a;\n\ti.protocol = i.protocol;\n\treturn i.ssl_connection;"
    ),
    "call-circle": b"#include <libwebsockets.h>\nvoid lws_a(void);\nvoid lws_b(void) { lws_a(); }\n"
    b"void lws_a(void) { lws_b(); }\n" + callback(b"\tlws_a();\n\treturn cb(wsi, reason, user, in, len);"),
    "thread-of-itself": b"#include <pthread.h>\n#include <libwebsockets.h>\n"
    b"void *run(void *p) { pthread_t t; pthread_create(&t, 0, run, p); lws_service(p, 0); return p; }\n",
    "wrapper-of-itself": b"#include <pthread.h>\n#include <libwebsockets.h>\n"
    b"int go(void *(*f)(void *), void *p) { pthread_t t; go(f, p); return pthread_create(&t, 0, f, p); }\n"
    b"void *run(void *p) { lws_service(p, 0); return p; }\nint main(void) { return go(run, 0); }\n",
    "long-call-chain": b"#include <libwebsockets.h>\n"
    + b"void lws_f0(struct lws *w) { lws_callback_on_writable(w); }\n"
    + b"".join(b"void lws_f%d(struct lws *w) { lws_f%d(w); }\n" % (n, n - 1) for n in range(1, 2000))
    + callback(b"\tlws_f1999(wsi);\n\treturn 0;"),
    "class-circle": b"#include <libwebsockets.h>\nstruct A : B { virtual int f(lws *w); };\n"
    b"struct B : A { virtual int f(lws *w) { return lws_callback_on_writable(w); } };\n",
    "alias-circle": b"typedef lws_t lws_u;\ntypedef lws_u lws_t;\nlws_t *lws_x;\n",
    "goto-circle": callback(b"a:\n\tgoto b;\nb:\n\tgoto a;\n\tgoto nowhere;"),
    "long-line": callback(b"\t" + b"lws_callback_on_writable(wsi); " * 10_000 + b"\n\treturn 0;"),
    "long-name": callback(b"\tlws_" + b"x" * 200_000 + b"(wsi);\n\treturn 0;"),
    "hex-array": b"#include <libwebsockets.h>\nstatic const unsigned char lws_logo[] = {\n"
    + b"\t0xde, 0xad, 0xbe, 0xef, 0x00, 0x11, 0x22, 0x33,\n" * 20_000
    + b"};\n",
}


@pytest.mark.parametrize("suffix", [".c", ".cpp"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_costs_no_neighbour(name: str, suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"hostile{suffix}").write_bytes(HOSTILE[name])
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    (neighbour / "main.c").write_bytes(BAD_NEIGHBOUR.read_bytes())

    started = time.process_time()
    result = lint(tmp_path)
    took = time.process_time() - started

    assert not [problem for problem in result.problems if "internal error" in str(problem)]
    found = {
        report.place.code for report in reports(tmp_path, result) if report.place.path == "neighbour/main.c"
    }
    assert "LWS101" in found
    assert took < SECONDS
