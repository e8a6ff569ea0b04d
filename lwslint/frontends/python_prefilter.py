"""Which Python files are worth parsing, told from their bytes.

A tree of thousands of Python files has a handful that talk WebSocket, and parsing costs 50 ms per
thousand lines.  A file is taken when it names a library that speaks WebSocket (or libwebsockets) and
holds one of the words without which no Python rule has anything to say.  Plain alternatives: a leading
``\\b`` made the same scan four times slower.
"""

from __future__ import annotations

import re

_LIBRARY = re.compile(
    rb"websocket|WebSocket|WebSock|autobahn|aiohttp|tornado|httpx_ws|picows|paho|socketio|engineio|ws4py|wsproto"
    rb"|libwebsockets|lws_|pylws|gmqtt|aiomqtt|lomond"
)
_WEBSOCKET = re.compile(
    rb"websocket|WebSocket|WebSock|ws_connect|wss?://|autobahn|httpx_ws|picows|paho|socketio|ws4py|wsproto"
    rb"|libwebsockets|lws_|pylws|aiomqtt|lomond"
)
# What a finding of TLS, of subprotocols, of plaintext or of native callbacks begins with.
_IDIOM = re.compile(
    rb"CERT_NONE|cert_reqs|check_hostname|SSLContext|_create_unverified|_create_stdlib|CLIENT_AUTH|verify_flags"
    rb"|verify_ssl|ssl_verify|validate_cert|tls_insecure|verify=False|ssl=|ssl_context=|[\"']ssl[\"']\]|sslopt|set_verify"
    rb"|ClientContextFactory|CertificateOptions|connectWS|ws4py|_create_default_https|create_default_context\s*="
    rb"|ssl_connection|subprotocols|protocols=|Sec-WebSocket-Protocol|CFUNCTYPE|def_extern|lws_"
    rb"|run_coroutine_threadsafe|create_connection"
    rb"|(?:asyncio\.run|run_until_complete)\(\s*(?:\w+\.)+(?:send|recv|receive|close|ping)"
    rb"|ws://(?!localhost|127\.|0\.0\.0\.0)[\w-]+\.\w"
)
# What a finding about threads needs besides a thread.
_LOOPS = re.compile(
    rb"asyncio\.Event|asyncio\.Queue|create_task|ensure_future|call_soon\(|call_later|call_at\(|run_until_complete"
    rb"|asyncio\.run\b|put_nowait|set_result|get_running_loop|IOLoop|write_message|sendMessage|sendClose|callLater"
    rb"|trio\.run|anyio\.run|picows|websockets\.broadcast\b|get_event_loop\("
)
# Helpers that other files take an unverified context from, and programs that start the threads.
_WEAKENS = re.compile(
    rb"CERT_NONE|check_hostname|_create_unverified|_create_stdlib|SSLContext\(|create_default_context|_create_default"
)
_THREADS = re.compile(
    rb"Thread\b|Timer\(|_executor|\.submit\(|to_thread|start_new_thread|callInThread|deferToThread|run_sync"
    rb"|run_in_threadpool|start_background_task|loop_start"
)
_CALLBACKS = re.compile(
    rb"gi\.repository|fastapi|kombu|rospy|loop_start|\.on_message\s*=|pynput|QThread|QRunnable|watchdog|add_event_detect"
    rb"|keyboard|sounddevice|stream_callback|apscheduler|basic_consume|message_callback_add|flask"
)
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)


def holds_idiom(data: bytes) -> bool:
    """Whether the file, given that it talks WebSocket, has something that a rule may report."""
    return _IDIOM.search(data) is not None or uses_loops_on_threads(data)


def uses_websocket(data: bytes) -> bool:
    """Whether the file names a library that speaks WebSocket, and WebSocket itself."""
    return _LIBRARY.search(data) is not None and _WEBSOCKET.search(data) is not None


def uses_loops(data: bytes) -> bool:
    """Whether the file has something that must not be done on another thread than the event loop's."""
    return _LOOPS.search(data) is not None


def is_tls_helper(data: bytes) -> bool:
    """Whether the file may make a TLS context for others."""
    return _WEAKENS.search(data) is not None


def starts_threads(data: bytes) -> bool:
    return _THREADS.search(data) is not None


def uses_loops_on_threads(data: bytes) -> bool:
    """Whether the file has both threads (or a library that calls back on its own) and an event loop."""
    return (starts_threads(data) or _CALLBACKS.search(data) is not None) and _LOOPS.search(data) is not None


def imported_modules(data: bytes) -> frozenset[str]:
    """The last parts of the names of the modules that a file imports (``a.b`` → ``b``)."""
    names = ((match[1] or match[2]).rpartition(b".")[2] for match in _IMPORT.finditer(data))
    return frozenset(name.decode("utf-8", "replace") for name in names)
