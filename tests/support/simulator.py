"""The SMSC simulator (tests/simulators/smsc) as a test uses it: started, and asked over its API."""
from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request

from processes import Program

SIMULATOR = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../simulators/smsc/smsc"))
PASSWORD = "secret"


class Simulator:
    def __init__(self) -> None:
        self._program = Program("the simulator", [sys.executable, SIMULATOR, "--smpp-port", "0", "--http-port", "0",
                                                  "--keep", "1000000", "--password", PASSWORD])

    async def start(self, **switches: object) -> None:
        await self._program.start()
        await self._program.wait_line(lambda line: line.startswith('{"smpp_port"'), 30)
        ready = json.loads(next(line for line in self._program.lines if line.startswith('{"smpp_port"')))
        self._url = ready["url"].rstrip("/")
        # One carrier of the SMS connector's configuration.
        self.carrier = {"name": "simulator", "type": "smpp", "host": "127.0.0.1", "port": ready["smpp_port"],
                        "system_id": "wherry", "password": PASSWORD}
        await self.switch(**switches)

    async def stop(self) -> None:
        await self._program.stop()

    async def get(self, path: str) -> dict:
        return await asyncio.to_thread(self._fetch, path)

    async def send(self, handset: str, to: str, text: str) -> int:
        """A handset writes. The text's number."""
        return (await asyncio.to_thread(self._fetch, "/api/send", {"from": handset, "to": to, "text": text}))["n"]

    async def power(self, handset: str, on: bool) -> None:
        await asyncio.to_thread(self._fetch, "/api/handsets", {"number": handset, "off": not on}, "PUT")

    async def switch(self, **switches: object) -> None:
        await asyncio.to_thread(self._fetch, "/api/switches", switches, "PUT")

    def _fetch(self, path: str, body: dict | None = None, method: str | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
