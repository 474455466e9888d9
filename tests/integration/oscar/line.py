"""Frames, packets and their parts, as the other person's client has them."""
from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import Callable

LIMIT = 20  # seconds that any answer may take


def s8(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return bytes([len(data)]) + data


def s16(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def tlv(kind: int, value: str | bytes = b"") -> bytes:
    return struct.pack(">H", kind) + s16(value)


def u16(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def tlvs(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        kind, length = struct.unpack(">HH", data[:4])
        found[kind], data = data[4:4 + length], data[4 + length:]
    return found


def user(body: bytes) -> tuple[str, dict[int, bytes], bytes]:
    """Name, TLVs and what follows."""
    name, rest = body[1:1 + body[0]], body[1 + body[0]:]
    count, rest, found = struct.unpack(">H", rest[2:4])[0], rest[4:], {}
    for _ in range(count):
        kind, length = struct.unpack(">HH", rest[:4])
        found[kind], rest = rest[4:4 + length], rest[4 + length:]
    return name.decode(), found, rest


def item(name: str, group: int, number: int, kind: int, values: bytes = b"") -> bytes:
    return s16(name) + u16(group, number, kind) + s16(values)


@dataclass
class Packet:
    family: int
    subtype: int
    number: int
    body: bytes


class Connection:
    """Packets both ways; whoever waits for one is given the first that fits, past or to come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.packets: list[Packet] = []
        self.last_words: bytes | None = None
        self.is_over = False
        self._news, self._said, self._numbers = asyncio.Event(), 0, 0
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, host: str, port: int, hello: bytes = b"") -> "Connection":
        connection = cls(*await asyncio.open_connection(host, port))
        connection.frame(1, b"\0\0\0\1" + hello)
        return connection

    async def _read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(6)
                data = await self._reader.readexactly(struct.unpack(">H", head[4:])[0])
                if head[1] == 4:
                    self.last_words = data
                elif head[1] == 2:
                    family, subtype, flags, number = struct.unpack(">HHHI", data[:10])
                    extra = 2 + struct.unpack(">H", data[10:12])[0] if flags & 0x8000 else 0
                    self.packets.append(Packet(family, subtype, number, data[10 + extra:]))
                self._news.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        self.is_over = True
        self._news.set()

    async def take(self, family: int, subtype: int, fits: Callable[[Packet], bool] = lambda packet: True, limit: float = LIMIT) -> Packet:
        """Raises TimeoutError; ConnectionError where nothing can come any more."""
        async with asyncio.timeout(limit):
            while True:
                self._news.clear()
                for packet in self.packets:
                    if (packet.family, packet.subtype) == (family, subtype) and fits(packet):
                        self.packets.remove(packet)
                        return packet
                if self.is_over:
                    raise ConnectionError(f"the server has closed the connection, and {family:02X}/{subtype:02X} did not come")
                await self._news.wait()

    def frame(self, channel: int, data: bytes) -> None:
        self._writer.write(struct.pack(">BBHH", 0x2A, channel, self._said, len(data)) + data)
        self._said = (self._said + 1) & 0xFFFF

    def send(self, family: int, subtype: int, body: bytes = b"") -> int:
        self._numbers += 1
        self.frame(2, struct.pack(">HHHI", family, subtype, 0, self._numbers) + body)
        return self._numbers

    async def ask(self, family: int, subtype: int, body: bytes = b"", answer: int | None = None, limit: float = LIMIT) -> Packet:
        """The answer, or the error (01)."""
        number = self.send(family, subtype, body)
        async with asyncio.timeout(limit):
            while True:
                self._news.clear()
                for packet in self.packets:
                    if packet.number == number and packet.family == family and (packet.subtype == 1 or answer in (None, packet.subtype)):
                        self.packets.remove(packet)
                        return packet
                if self.is_over:
                    raise ConnectionError("the server has closed the connection")
                await self._news.wait()

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)
