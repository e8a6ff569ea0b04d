"""Offers of subprotocols, each to the server on the port that is given, and what becomes of them.

    offers.py CASE PORT

Prints the name that the server chose, or the exception.
"""

import asyncio
import sys


def websockets_bare(url):
    from websockets.sync.client import connect

    return connect(url, subprotocols="chat.v1").subprotocol  # expect: LWS202 error


def websocket_client_bare(url):
    import websocket

    return websocket.create_connection(url, subprotocols="chat.v1").subprotocol  # expect: LWS202 error


def aiohttp_bare(url):
    async def run():
        import aiohttp

        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url, protocols="chat.v1") as ws:  # expect: LWS202 error
                return ws.protocol

    return asyncio.run(run())


def tornado_bare(url):
    async def run():
        from tornado.websocket import websocket_connect

        ws = await websocket_connect(url, subprotocols="chat.v1")  # expect: LWS202 error
        return ws.selected_subprotocol

    return asyncio.run(run())


def httpx_bare(url):
    import httpx_ws

    with httpx_ws.connect_ws(url, subprotocols="chat.v1") as ws:  # expect: LWS202 error
        return ws.subprotocol


def websockets_comma(url):
    from websockets.sync.client import connect

    return connect(url, subprotocols=["chat.v1, chat.v2"]).subprotocol  # expect: LWS202 error


def websocket_client_comma(url):
    import websocket

    ws = websocket.create_connection(url, subprotocols=["chat.v1, chat.v2"])  # expect: LWS202 error
    return ws.subprotocol


def websockets_header(url):
    from websockets.sync.client import connect

    header = {"Sec-WebSocket-Protocol": "chat.v1"}  # expect: LWS202 warning
    return connect(url, additional_headers=header).subprotocol


def websocket_client_header(url):
    import websocket

    header = ["Sec-WebSocket-Protocol: chat.v1"]  # expect: LWS202 note
    return websocket.create_connection(url, header=header).subprotocol


def websockets_list(url):
    from websockets.sync.client import connect

    return connect(url, subprotocols=["chat.v2", "chat.v1"]).subprotocol


def websocket_client_list(url):
    import websocket

    return websocket.create_connection(url, subprotocols=["chat.v2", "chat.v1"]).subprotocol


def websocket_client_upper(url):
    import websocket

    ws = websocket.create_connection(url, subprotocols=["Chat.V3"])
    return ws.subprotocol, ws.subprotocol == "Chat.V3"  # expect: LWS205 error


if __name__ == "__main__":
    try:
        print("chosen", globals()[sys.argv[1]](f"ws://127.0.0.1:{sys.argv[2]}/"), flush=True)
    except Exception as error:
        print("failed", type(error).__name__, error, flush=True)
