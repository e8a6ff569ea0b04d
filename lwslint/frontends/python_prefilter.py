"""Which Python files are worth parsing, told from their bytes.

A tree of thousands of Python files has a handful that talk WebSocket, and parsing costs 50 ms per
thousand lines.  A file is taken when it names a library that speaks WebSocket (or libwebsockets) and
holds one of the words without which no Python rule has anything to say.

The words are looked for one after the other: Python finds thirty words in a fraction of the time that one
regular expression with thirty alternatives takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Any of these names both a library and WebSocket; of the further libraries and signs, it takes one each.
_BOTH = (
    *(b"websocket", b"WebSock", b"lws_", b"autobahn", b"httpx_ws", b"picows", b"paho", b"socketio", b"ws4py"),
    *(b"wsproto", b"pylws", b"aiomqtt", b"lomond"),
)
_FURTHER_SIGNS = (b"ws://", b"wss://", b"ws_connect")
_FURTHER_LIBRARIES = (b"aiohttp", b"tornado", b"engineio", b"gmqtt")

# What a finding of TLS, of subprotocols, of plaintext or of native callbacks begins with.
_IDIOM = (
    *(b"CERT_NONE", b"cert_reqs", b"check_hostname", b"SSLContext", b"_create_unverified", b"_create_stdlib"),
    *(b"CLIENT_AUTH", b"verify_flags", b"verify_ssl", b"ssl_verify", b"validate_cert", b"tls_insecure"),
    *(b"verify=False", b"ssl=", b"ssl_context=", b'"ssl"]', b"\"ssl']", b"'ssl\"]", b"'ssl']", b"sslopt"),
    *(b"set_verify", b"ClientContextFactory", b"CertificateOptions", b"connectWS", b"ws4py"),
    *(b"_create_default_https", b"ssl_connection", b"subprotocols", b"protocols=", b"Sec-WebSocket-Protocol"),
    *(b"CFUNCTYPE", b"def_extern", b"lws_", b"run_coroutine_threadsafe", b"create_connection"),
)
_RENAMED = re.compile(rb"create_default_context\s*=")
_RUN_ONE_CALL = re.compile(
    rb"(?:asyncio\.run|run_until_complete)\(\s*(?:\w+\.)+(?:send|recv|receive|close|ping)"
)
_PLAINTEXT = re.compile(rb"ws://(?!localhost|127\.|0\.0\.0\.0)[\w-]+\.\w")
# What a finding about threads needs besides a thread.
_LOOPS = (
    *(b"asyncio.Event", b"asyncio.Queue", b"create_task", b"ensure_future", b"call_soon(", b"call_later"),
    *(b"call_at(", b"run_until_complete", b"put_nowait", b"set_result", b"get_running_loop", b"IOLoop"),
    *(b"write_message", b"sendMessage", b"sendClose", b"callLater", b"trio.run", b"anyio.run", b"picows"),
    b"get_event_loop(",
)
_RUN = re.compile(rb"(?:asyncio\.run|websockets\.broadcast)\b")
# Helpers that other files take an unverified context from, and programs that start the threads.
_WEAKENS = (
    *(b"CERT_NONE", b"check_hostname", b"_create_unverified", b"_create_stdlib", b"SSLContext("),
    *(b"create_default_context", b"_create_default"),
)
_THREADS = (
    *(b"Timer(", b"_executor", b".submit(", b"to_thread", b"start_new_thread", b"callInThread"),
    *(b"deferToThread", b"run_sync", b"run_in_threadpool", b"start_background_task", b"loop_start"),
)
_THREAD = re.compile(rb"Thread\b")
_CALLBACKS = (
    *(b"gi.repository", b"fastapi", b"kombu", b"rospy", b"loop_start", b"pynput", b"QThread", b"QRunnable"),
    *(b"watchdog", b"add_event_detect", b"keyboard", b"sounddevice", b"stream_callback", b"apscheduler"),
    *(b"basic_consume", b"message_callback_add", b"flask"),
)
_ON_MESSAGE = re.compile(rb"\.on_message\s*=")
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)


def _any_in(words: Sequence[bytes], data: bytes) -> bool:
    return any(word in data for word in words)


def holds_idiom(data: bytes) -> bool:
    """Whether the file, given that it talks WebSocket, has something that a rule may report."""
    return (
        _any_in(_IDIOM, data)
        or _RENAMED.search(data) is not None
        or _RUN_ONE_CALL.search(data) is not None
        or _PLAINTEXT.search(data) is not None
        or uses_loops_on_threads(data)
    )


def uses_websocket(data: bytes) -> bool:
    """Whether the file names a library that speaks WebSocket, and WebSocket itself."""
    return _any_in(_BOTH, data) or (_any_in(_FURTHER_SIGNS, data) and _any_in(_FURTHER_LIBRARIES, data))


def uses_loops(data: bytes) -> bool:
    """Whether the file has something that must not be done on another thread than the event loop's."""
    return _any_in(_LOOPS, data) or _RUN.search(data) is not None


def is_tls_helper(data: bytes) -> bool:
    """Whether the file may make a TLS context for others."""
    return _any_in(_WEAKENS, data)


def starts_threads(data: bytes) -> bool:
    return _any_in(_THREADS, data) or _THREAD.search(data) is not None


def uses_loops_on_threads(data: bytes) -> bool:
    """Whether the file has both threads (or a library that calls back on its own) and an event loop."""
    return (starts_threads(data) or _is_called_back(data)) and uses_loops(data)


def _is_called_back(data: bytes) -> bool:
    return _any_in(_CALLBACKS, data) or _ON_MESSAGE.search(data) is not None


def imported_modules(data: bytes) -> frozenset[str]:
    """The last parts of the names of the modules that a file imports (``a.b`` → ``b``)."""
    names = ((match[1] or match[2]).rpartition(b".")[2] for match in _IMPORT.finditer(data))
    return frozenset(name.decode("utf-8", "replace") for name in names)
