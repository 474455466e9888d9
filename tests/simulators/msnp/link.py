"""Lines both ways, read strictly: who breaks a rule of the protocol is complained of on standard output, and cut off."""
from __future__ import annotations

import asyncio
import re
import urllib.parse

PAYLOADS = ("MSG", "UUX", "QRY")
WITHOUT_NUMBER = ("PNG", "OUT")
ARGUMENT = re.compile(r"(?:[^\x00-\x20\x7f%]|%[0-9A-Fa-f]{2})+")


class Broken(Exception):
    """The client broke a rule."""


def encoded(word: object) -> str:
    """As Escargot writes: little is encoded."""
    return str(word).replace("%", "%25").replace(" ", "%20").replace("\r", "%0D").replace("\n", "%0A")


class Link:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer
        self._last = 0

    async def run(self) -> None:
        try:
            while line := await self._reader.readline():
                name, words, payload = await self._parse(line)
                if self.state.switches["silence"] != name:
                    self.obey(name, words, payload)
        except Broken as rule:
            print(f"complaint: {rule}", flush=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.gone()
            self._writer.close()

    def obey(self, name: str, words: list[str], payload: bytes) -> None:
        handler = getattr(self, "take_" + name.lower(), None)
        if handler is None:
            raise Broken(f"there is no command {name} here")
        try:
            handler(*words, **({"payload": payload} if name in PAYLOADS else {}))
        except TypeError as error:
            raise Broken(f"{name} has other arguments: {error}") from error

    async def _parse(self, line: bytes) -> tuple[str, list[str], bytes]:
        if not line.endswith(b"\r\n"):
            raise Broken("a line does not end with CR LF")
        name, *words = line[:-2].decode().split(" ")
        if not re.fullmatch("[A-Z]{3}", name):
            raise Broken("a line does not begin with a command")
        for word in words:
            if not ARGUMENT.fullmatch(word):
                raise Broken(f"{name} has an argument that is empty or not encoded")
        if name not in WITHOUT_NUMBER:
            if not words or not words[0].isdigit() or int(words[0]) <= self._last:
                raise Broken(f"the number of {name} is none, or not larger than the last")
            self._last = int(words[0])
        payload = b""
        if name in PAYLOADS:
            payload = await self._reader.readexactly(int(words.pop()))
        return name, [urllib.parse.unquote(word) for word in words], payload

    def send(self, *words: object, payload: bytes | None = None) -> None:
        """None leaves a word out; an empty one stays."""
        line = " ".join(encoded(word) for word in [*words, *([] if payload is None else [len(payload)])] if word is not None)
        self.write(line.encode() + b"\r\n" + (payload or b""))

    def write(self, data: bytes) -> None:
        if self.state.is_on("torn"):
            asyncio.ensure_future(self._tear(data, getattr(self, "_tearing", None)))
        elif not self._writer.is_closing():
            self._writer.write(data)

    _lock: asyncio.Lock | None = None

    async def _tear(self, data: bytes, _before) -> None:
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            for start in range(0, len(data), 7):
                self._writer.write(data[start:start + 7])
                await asyncio.sleep(0.001)

    def close(self) -> None:
        self._writer.close()

    def gone(self) -> None:
        """The connection is over."""
