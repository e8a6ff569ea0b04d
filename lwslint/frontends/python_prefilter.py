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
_IDIOM = re.compile(
    rb"hread|xecutor|ssl|SSL|CERT_|verif|[Pp]rotocols|Sec-WebSocket-Protocol|CFUNCTYPE|CDLL|dlopen|def_extern|tls_"
    rb"|call_soon|call_later|create_task|ensure_future|run_until_complete|connectWS|wss?://|asyncio\.run|new_event_loop"
    rb"|ctypes|LoadLibrary"
)
# Helpers that other files take an unverified context from, and programs that start the threads.
_WEAKENS = re.compile(
    rb"CERT_NONE|check_hostname|_create_unverified|_create_stdlib|SSLContext\(|create_default_context|_create_default"
)
_THREADS = re.compile(
    rb"Thread\(|Timer\(|_executor|\.submit\(|to_thread|start_new_thread|callInThread|deferToThread"
)
_CALLBACKS = re.compile(rb"gi\.repository|kombu|rospy")
_LOOPS = re.compile(
    rb"asyncio\.Event|asyncio\.Queue|create_task|call_soon\(|call_later|run_until_complete|put_nowait|set_result"
)
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)


def talks_websocket(data: bytes) -> bool:
    """Whether the bytes can be of a file that some Python rule reports."""
    return (
        _LIBRARY.search(data) is not None
        and _WEBSOCKET.search(data) is not None
        and _IDIOM.search(data) is not None
    )


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
    return frozenset((match[1] or match[2]).rpartition(b".")[2].decode() for match in _IMPORT.finditer(data))
