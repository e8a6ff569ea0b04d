"""Objects of an event loop that another thread uses.

    threads.py CASE PORT

Each case connects to the server, lets the loop fall asleep, and prints what happened after how long.
"""

import asyncio
import sys
import threading
import time

import websockets

URL = f"ws://127.0.0.1:{sys.argv[2] if len(sys.argv) > 2 else 0}/"
SOON, LONG = 1.0, 3.0


class Client:
    """Loop and connection live on the main thread; a worker thread is asked to say something."""

    async def run(self, say, wait=None):
        self.loop = asyncio.get_running_loop()
        self.asked = asyncio.Event()
        self.queue = asyncio.Queue()
        async with websockets.connect(URL, ping_interval=None) as self.ws:
            await self.ws.recv()
            worker = threading.Thread(target=say)
            threading.Timer(0.3, worker.start).start()
            waiting = getattr(self, wait)() if wait else asyncio.sleep(LONG)
            try:
                await asyncio.wait_for(waiting, LONG)
            except TimeoutError:
                print("not woken", flush=True)

    async def for_event(self):
        began = time.monotonic()
        await self.asked.wait()
        print("woken after", time.monotonic() - began, flush=True)

    async def for_queue(self):
        began = time.monotonic()
        await self.queue.get()
        print("woken after", time.monotonic() - began, flush=True)

    def task(self):
        self.loop.create_task(self.ws.send("by create_task"))  # expect: LWS109 error

    def hop(self):
        asyncio.run_coroutine_threadsafe(self.ws.send("by hop"), self.loop).result(SOON)

    def event(self):
        self.asked.set()  # expect: LWS109 error

    def event_hop(self):
        self.loop.call_soon_threadsafe(self.asked.set)

    def put(self):
        self.queue.put_nowait("x")  # expect: LWS109 error

    def put_hop(self):
        self.loop.call_soon_threadsafe(self.queue.put_nowait, "x")

    def own_loop_recv(self):
        try:
            asyncio.run(self.receive())  # expect: LWS109 error
        except RuntimeError as error:
            print("failed RuntimeError", error, flush=True)

    async def receive(self):
        print(await self.ws.recv())

    def current(self):
        try:
            asyncio.create_task(self.ws.send("x")).cancel()  # expect: LWS109 error
        except Exception as error:
            print("failed", type(error).__name__, error, flush=True)


class Background:
    """The loop runs on a thread of its own, and the main thread reaches into it."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.connect(), self.loop).result(SOON)

    async def connect(self):
        self.ws = await websockets.connect(URL, ping_interval=None)
        await self.ws.recv()

    def say(self):
        self.loop.create_task(self.ws.send("from the main thread"))  # expect: LWS109 error

    def say_with_hop(self):
        asyncio.run_coroutine_threadsafe(self.ws.send("from the main thread by hop"), self.loop)

    def wait(self):
        self.loop.run_until_complete(self.ws.send("x"))  # expect: LWS109 error


def task():
    client = Client()
    asyncio.run(client.run(client.task))


def hop():
    client = Client()
    asyncio.run(client.run(client.hop))


def event():
    client = Client()
    asyncio.run(client.run(client.event, "for_event"))


def event_hop():
    client = Client()
    asyncio.run(client.run(client.event_hop, "for_event"))


def queue():
    client = Client()
    asyncio.run(client.run(client.put, "for_queue"))


def queue_hop():
    client = Client()
    asyncio.run(client.run(client.put_hop, "for_queue"))


def own_loop_recv():
    client = Client()
    asyncio.run(client.run(client.own_loop_recv))


def current():
    client = Client()
    asyncio.run(client.run(client.current))


def background():
    client = Background()
    time.sleep(0.3)
    client.say()
    time.sleep(LONG)


def background_hop():
    client = Background()
    time.sleep(0.3)
    client.say_with_hop()
    time.sleep(SOON)


def background_wait():
    client = Background()
    try:
        client.wait()
    except RuntimeError as error:
        print("failed RuntimeError", error, flush=True)


def deadlock():
    asyncio.run(wait_for_oneself())


async def wait_for_oneself():
    loop = asyncio.get_running_loop()
    future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
    try:
        print(future.result(SOON))  # expect: LWS109 error
    except TimeoutError:
        print("deadlock", flush=True)


def blocking():
    asyncio.run(ticks())


async def ticks():
    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    before = len(TICKS)
    await connect()
    print("ticks while connecting:", len(TICKS) - before, flush=True)
    ticking.cancel()


TICKS = []


async def tick():
    while True:
        TICKS.append(1)
        await asyncio.sleep(0.01)


async def connect():
    import websocket

    try:
        websocket.create_connection(URL, timeout=SOON)  # expect: LWS109 warning
    except Exception as error:
        print(type(error).__name__)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
