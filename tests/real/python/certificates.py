"""TLS clients in the ways that lwslint reports, and one that is right for each library.

    certificates.py CASE PORT CA-FILE

Connects to 127.0.0.1 and prints "connected", or the exception.
"""

import asyncio
import socket
import ssl
import sys

HOST = "camera.example.net"
PORT = int(sys.argv[2]) if __name__ == "__main__" else 0
CA = sys.argv[3] if __name__ == "__main__" else ""
URL = f"wss://camera.example.net:{PORT}/"


def to_loopback(host, port, *rest, **options):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def websockets_strict():
    from websockets.sync.client import connect

    connect(URL, ssl=ssl.create_default_context(cafile=CA)).close()


def websockets_no_hostname():
    from websockets.sync.client import connect

    context = ssl.create_default_context(cafile=CA)
    context.check_hostname = False  # expect: LWS401 error
    connect(URL, ssl=context).close()


def websockets_unverified():
    from websockets.sync.client import connect

    connect(URL, ssl=ssl._create_unverified_context()).close()  # expect: LWS401 error


def websockets_bare_context():
    from websockets.sync.client import connect

    connect(URL, ssl=ssl.SSLContext(ssl.PROTOCOL_TLS)).close()  # expect: LWS401 error


def websockets_no_check_time():
    from websockets.sync.client import connect

    context = ssl.create_default_context(cafile=CA)
    context.verify_flags |= 0x200000  # expect: LWS401 error
    connect(URL, ssl=context).close()


def websocket_client_strict():
    import websocket

    websocket.create_connection(URL, sslopt={"ca_certs": CA})


def websocket_client_cert_none():
    import websocket

    websocket.create_connection(URL, sslopt={"cert_reqs": ssl.CERT_NONE})  # expect: LWS401 error


def websocket_client_no_hostname():
    import websocket

    websocket.create_connection(URL, sslopt={"ca_certs": CA, "check_hostname": False})  # expect: LWS401 error


def websocket_client_context():
    """With a context, the keys beside it are ignored."""
    import websocket

    context = ssl.create_default_context(cafile=CA)
    websocket.create_connection(URL, sslopt={"context": context, "cert_reqs": ssl.CERT_NONE})


def websocket_client_unknown_key():
    """A key that websocket-client does not know changes nothing."""
    import websocket

    websocket.create_connection(URL, sslopt={"ca_certs": CA, "verify": False})


def aiohttp_strict():
    async def run():
        import aiohttp

        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(URL, ssl=ssl.create_default_context(cafile=CA)):
                pass

    asyncio.run(run())


def aiohttp_ssl_false():
    async def run():
        import aiohttp

        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(URL, ssl=False):  # expect: LWS401 error
                pass

    asyncio.run(run())


def tornado_strict():
    async def run():
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        (await websocket_connect(HTTPRequest(URL, ca_certs=CA))).close()

    asyncio.run(run())


def tornado_validate_cert():
    async def run():
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        (await websocket_connect(HTTPRequest(URL, validate_cert=False))).close()  # expect: LWS401 error

    asyncio.run(run())


def httpx_strict():
    import httpx
    import httpx_ws

    with httpx.Client(verify=ssl.create_default_context(cafile=CA)) as client:
        with httpx_ws.connect_ws(URL, client):
            pass


def httpx_verify():
    import httpx
    import httpx_ws

    with httpx.Client(verify=False) as client:  # expect: LWS401 error
        with httpx_ws.connect_ws(URL, client):
            pass


def _twisted(context_factory):
    from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, connectWS
    from twisted.internet import reactor

    class Client(WebSocketClientProtocol):
        def onOpen(self):
            outcome.append("")
            reactor.stop()

        def onClose(self, clean, code, reason):
            if not outcome:
                outcome.append(reason)
                reactor.stop()

    outcome = []
    factory = WebSocketClientFactory(URL)
    factory.protocol = Client
    factory.host = "127.0.0.1"
    if context_factory is None:
        connectWS(factory)  # expect: LWS401 error
    else:
        connectWS(factory, context_factory)
    reactor.callLater(10, reactor.stop)
    reactor.run(installSignalHandlers=False)
    if outcome != [""]:
        raise ConnectionError(outcome)


def autobahn_default():
    _twisted(None)


def autobahn_strict():
    from twisted.internet import ssl as twisted_ssl

    with open(CA, "rb") as file:
        root = twisted_ssl.Certificate.loadPEM(file.read())
    _twisted(twisted_ssl.optionsForClientTLS(HOST, trustRoot=root))


def paho(**options):
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets")
    client.tls_set(**options)
    return client


def paho_strict():
    paho(ca_certs=CA).connect(HOST, PORT)


def paho_cert_none():
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets")
    client.tls_set(cert_reqs=ssl.CERT_NONE)  # expect: LWS401 error
    client.tls_insecure_set(True)  # expect: LWS401 error
    client.connect(HOST, PORT)


def old_version():
    from websockets.sync.client import connect

    context = ssl.create_default_context(cafile=CA)
    context.minimum_version = ssl.TLSVersion.TLSv1  # expect: LWS407 warning
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # expect: LWS407 warning
    ws = connect(URL, ssl=context)
    print(ws.socket.version())
    ws.close()


def patched():
    """Replacing the default contexts: of urllib without effect here, of ssl itself with."""
    from websockets.sync.client import connect

    ssl._create_default_https_context = ssl._create_unverified_context  # expect: LWS403 warning
    try:
        connect(URL).close()
        print("_create_default_https_context counts")
    except ssl.SSLError as error:
        print("_create_default_https_context does not count", error)
    ssl.create_default_context = ssl._create_unverified_context  # expect: LWS403 error
    connect(URL).close()


if __name__ == "__main__":
    socket.getaddrinfo = to_loopback
    try:
        globals()[sys.argv[1]]()
        print("connected", flush=True)
    except Exception as error:
        print("failed", type(error).__name__, error, flush=True)
