"""The other person: a small OSCAR client, written apart from the connector."""
from __future__ import annotations

import hashlib
import os
import struct
from typing import Callable

from line import LIMIT, Connection, Packet, item, s16, s8, tlv, tlvs, u16, user

SALT = b"AOL Instant Messenger (SM)"
VERSIONS = ((1, 3), (2, 1), (3, 1), (4, 1), (9, 1), (0x0A, 1), (0x13, 4), (0x15, 1))


class Peer:
    def __init__(self, port: int, name: str, password: str) -> None:
        self.port, self.name, self._password = port, name, password
        self.line: Connection

    async def _log_in(self, stays: bool) -> tuple[int, bytes]:
        login = await Connection.open("127.0.0.1", self.port)
        challenge = (await login.ask(0x17, 6, tlv(1, self.name) + tlv(0x4B) + tlv(0x5A))).body[2:]
        answer = hashlib.md5(challenge + hashlib.md5(self._password.encode()).digest() + SALT).digest()
        client = tlv(3, "a peer") + b"".join(tlv(kind, u16(5)) for kind in (0x16, 0x17, 0x18, 0x19, 0x1A)) + tlv(0x14, bytes(4)) + \
            tlv(0x0F, "en") + tlv(0x0E, "us") + (tlv(0x4A, b"\1") if stays else b"")
        found = tlvs((await login.ask(0x17, 2, tlv(1, self.name) + tlv(0x25, answer) + tlv(0x4C) + client, 3)).body)
        await login.close()
        assert 6 in found, f"{self.name} cannot log in: {found}"
        return int(found[5].rpartition(b":")[2]), found[6]

    async def start(self, status: int = 0, stays: bool = True) -> "Peer":
        self.line = line = await self._enter(*await self._log_in(stays))
        await line.ask(0x13, 2, b"", 3)
        await self.read_list(4)
        line.send(0x13, 7)
        line.send(4, 2, u16(0) + bytes([0, 0, 0, 0x0B]) + u16(8000, 999, 999, 0, 0))
        line.send(2, 4, tlv(5, bytes.fromhex("0946134E4C7F11D18222444553540000")))
        line.send(1, 0x1E, tlv(6, struct.pack(">I", status)))
        self._ready(line)
        await line.ask(4, 4, b"", 5)
        return self

    async def _enter(self, port: int, ticket: bytes) -> Connection:
        line = await Connection.open("127.0.0.1", port, tlv(6, ticket))
        offered = (await line.take(1, 3)).body
        families = {struct.unpack(">H", offered[i:i + 2])[0] for i in range(0, len(offered), 2)}
        self._versions = [pair for pair in (*VERSIONS, (0x10, 1)) if pair[0] in families]
        await line.ask(1, 0x17, b"".join(u16(*pair) for pair in self._versions), 0x18)
        rates = (await line.ask(1, 6, b"", 7)).body
        count = struct.unpack(">H", rates[:2])[0]
        line.send(1, 8, b"".join(rates[2 + 35 * i:4 + 35 * i] for i in range(count)))
        return line

    def _ready(self, line: Connection) -> None:
        line.send(1, 2, b"".join(u16(*pair, 0x110, 1) for pair in self._versions))

    async def stop(self) -> None:
        await self.line.close()

    # ---- the list ----

    async def read_list(self, subtype: int = 4) -> None:
        body = (await self.line.ask(0x13, subtype, b"", 6)).body
        count, rest = struct.unpack(">H", body[1:3])[0], body[3:]
        self.items: dict[tuple[int, int], tuple[str, int, bytes]] = {}
        for _ in range(count):
            length = struct.unpack(">H", rest[:2])[0]
            name, rest = rest[2:2 + length].decode(), rest[2 + length:]
            group, number, kind, size = struct.unpack(">HHHH", rest[:8])
            self.items[group, number], rest = (name, kind, rest[8:8 + size]), rest[8 + size:]

    async def change(self, subtype: int, name: str, group: int, number: int, kind: int = 0, values: bytes = b"") -> int:
        """The server's verdict."""
        answer = await self.line.ask(0x13, subtype, item(name, group, number, kind, values), 0x0E)
        verdict = struct.unpack(">H", answer.body)[0]
        if verdict == 0:
            self.items[group, number] = name, kind, values
            if subtype == 0x0A:
                del self.items[group, number]
        return verdict

    async def add(self, name: str, group: str | bytes = "Friends", alias: str | bytes = "", why: str | bytes = "it is I") -> None:
        """Asks for the authorisation where the server wants that."""
        groups = {found: place for place, (found, kind, _) in self.items.items() if kind == 1 and place[0]}
        if group not in groups:
            number = max([place[0] for place in self.items] or [0]) + 1
            assert await self.change(8, group, number, 0, 1) == 0
            groups[group] = number, 0
        place, number = groups[group][0], max([place[1] for place in self.items] or [0]) + 1
        values = tlv(0x131, alias) if alias else b""
        verdict = await self.change(8, name, place, number, 0, values)
        if verdict == 0x0E:
            assert await self.change(8, name, place, number, 0, values + tlv(0x66)) == 0
            self.line.send(0x13, 0x18, s8(name) + s16(why) + u16(0))
        else:
            assert verdict == 0, verdict

    def find(self, name: str) -> tuple[int, int]:
        return next(place for place, (found, kind, _) in self.items.items() if found == name and kind == 0)

    async def remove(self, name: str) -> None:
        assert await self.change(0x0A, name, *self.find(name)) == 0

    async def rename(self, name: str, alias: str) -> None:
        assert await self.change(9, name, *self.find(name), 0, tlv(0x131, alias)) == 0

    async def asked_by(self, name: str) -> None:
        await self.line.take(0x13, 0x19, lambda packet: packet.body.startswith(s8(name)))

    def answer(self, name: str, yes: bool) -> None:
        self.line.send(0x13, 0x1A, s8(name) + bytes([yes]) + s16(""))

    async def answered_by(self, name: str) -> bool:
        packet = await self.line.take(0x13, 0x1B, lambda packet: packet.body.startswith(s8(name)))
        return packet.body[1 + packet.body[0]] == 1

    # ---- presence ----

    def show(self, status: int, text: str = "") -> None:
        self.line.send(1, 0x1E, tlv(6, struct.pack(">I", status)))
        self.line.send(2, 4, tlv(3, 'text/aolrtf; charset="utf-8"') + tlv(4, text))

    async def sees(self, name: str, fits: Callable[[dict[int, bytes]], bool] = lambda found: True) -> dict[int, bytes]:
        packet = await self.line.take(3, 0x0B, lambda packet: user(packet.body)[0] == name and fits(user(packet.body)[1]))
        return user(packet.body)[1]

    async def sees_gone(self, name: str) -> None:
        await self.line.take(3, 0x0C, lambda packet: packet.body[1:1 + packet.body[0]] == name.encode())

    async def away_text(self, name: str) -> str:
        return tlvs(user((await self.line.ask(2, 5, u16(2) + s8(name), 6)).body)[2])[4].decode()

    # ---- messages ----

    async def write(self, to: str, text: str) -> bytes:
        """The cookie; the server has taken it."""
        cookie = os.urandom(8)
        charset, octets = (0, text.encode()) if text.isascii() else (2, text.encode("utf-16-be"))
        message = b"\5\1\0\1\1" + b"\1\1" + s16(u16(charset, 0) + octets)
        answer = await self.line.ask(4, 6, cookie + u16(1) + s8(to) + tlv(2, message) + tlv(3) + tlv(6))
        assert answer.subtype == 0x0C, answer
        return cookie

    async def reads(self, sender: str, text: str | None = None, limit: float = LIMIT) -> tuple[str, bytes]:
        """Text and cookie of the next one (with that text)."""
        def parts(packet: Packet) -> tuple[str, str]:
            name, _, rest = user(packet.body[10:])
            message = tlvs(rest)[2]
            skipped = message[4 + struct.unpack(">H", message[2:4])[0] + 4:]
            return name, skipped[4:].decode("utf-16-be" if skipped[1] == 2 else "latin-1")

        def fits(packet: Packet) -> bool:
            name, said = parts(packet)
            return name == sender and text in (None, said)

        packet = await self.line.take(4, 7, fits, limit)
        return parts(packet)[1], packet.body[:8]

    def confirm(self, sender: str, cookie: bytes) -> None:
        """As programs do that say they have a message."""
        self.line.send(4, 0x0B, cookie + u16(1) + s8(sender) + u16(3))

    def offer(self, to: str, capability: bytes) -> None:
        self.line.send(4, 6, os.urandom(8) + u16(2) + s8(to) + tlv(5, u16(0) + b"a cookie" + capability + tlv(0x0A, u16(1))))

    async def is_refused(self, by: str, capability: bytes) -> None:
        await self.line.take(4, 7, lambda packet: user(packet.body[10:])[0] == by and
                             tlvs(user(packet.body[10:])[2])[5].startswith(u16(1) + b"a cookie" + capability))

    def type(self, to: str, event: int) -> None:
        self.line.send(4, 0x14, bytes(8) + u16(1) + s8(to) + u16(event))

    async def sees_typing(self, name: str, event: int) -> None:
        await self.line.take(4, 0x14, lambda packet: packet.body[10:] == s8(name) + u16(event))

    # ---- icons ----

    async def show_icon(self, picture: bytes) -> bytes:
        """Its hash; the service has the picture."""
        digest = hashlib.md5(picture).digest()
        number = max([place[1] for place in self.items] or [0]) + 1
        assert await self.change(8, "1", 0, number, 0x14, tlv(0xD5, b"\1" + s8(digest)) + tlv(0x131)) == 0
        await self.line.take(1, 0x21)
        found = tlvs((await self.line.ask(1, 4, u16(0x10), 5)).body)
        service = await self._enter(int(found[5].rpartition(b":")[2]), found[6])
        self._ready(service)
        answer = await service.ask(0x10, 2, u16(1) + s16(picture), 3)
        assert answer.body[0] == 0, answer
        await service.close()
        return digest
