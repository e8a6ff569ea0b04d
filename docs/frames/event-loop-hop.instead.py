import asyncio
import threading

import websockets


class Uplink:
    url = "wss://radio.example.com/feed"

    @1
    async def run(self):
        await self.connect()
        threading.Thread(target=self.read_device, daemon=True).start()
        await asyncio.Future()

    def read_device(self):
        with open("/dev/sensor", "rb") as device:
            while data := device.read(64):
                self.on_sample(data)


asyncio.run(Uplink().run())
