"""Frames and packets both ways: who breaks a rule is told of on standard output, and cut off."""
from __future__ import annotations

import asyncio
import traceback

from wire import Breach, Octets, s16, u16, u32, u8

HELLO, DATA, ERROR, CLOSE, KEEP_ALIVE = range(1, 6)
MOST_FRAME = 8192
EXTRA = 0x8000


class Link:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer
        self._said = 0            # the sequence of ours
        self._heard: int | None = None  # of theirs
        self._ids: set[int] = set()
        self.is_closed = False

    async def run(self) -> None:
        try:
            self.frame(HELLO, u32(1))
            while True:
                channel, data = await self._read()
                if channel == HELLO:
                    self.greeted(data)
                elif channel == DATA:
                    self._take(data)
                elif channel == CLOSE:
                    break
                elif channel != KEEP_ALIVE or data:
                    raise Breach(f"a frame on channel {channel} with {len(data)} octets")
        except Breach as breach:
            print(f"breach: {breach}", flush=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception:
            print("breach: the simulator itself failed", traceback.format_exc(), flush=True)
        finally:
            self.gone()
            self.cut()

    async def _read(self) -> tuple[int, bytes]:
        head = Octets(await self._reader.readexactly(6), "a frame")
        if head.u8() != 0x2A:
            raise Breach("a frame does not begin with 2A")
        channel, sequence, length = head.u8(), head.u16(), head.u16()
        if not HELLO <= channel <= KEEP_ALIVE or length > MOST_FRAME:
            raise Breach(f"a frame of {length} octets on channel {channel}")
        if self._heard is not None and sequence != (self._heard + 1) % 0x10000:
            raise Breach(f"frame {sequence} follows {self._heard}")
        self._heard = sequence
        return channel, await self._reader.readexactly(length)

    def _take(self, data: bytes) -> None:
        head = Octets(data, "a packet's head")
        family, subtype, flags, number = head.u16(), head.u16(), head.u16(), head.u32()
        name = f"{family:02X}/{subtype:02X}"
        if flags or not 0 < number < 0x80000000 or number in self._ids:
            raise Breach(f"{name} has flags {flags}, or the number {number}, which it may not have")
        self._ids.add(number)
        if not self.may(family, subtype, name):
            return
        handler = getattr(self, f"take_{family:02x}_{subtype:02x}", None)
        if handler is None:
            raise Breach(f"there is no {name} here")
        body = Octets(head.rest(), name)
        handler(number, body)
        body.end()

    # ---- what is said ----

    def frame(self, channel: int, data: bytes = b"") -> None:
        if self.is_closed:
            return
        whole = u8(0x2A) + u8(channel) + u16(self._said) + s16(data)
        self._said = (self._said + 1) % 0x10000
        if self.state.is_on("torn"):
            asyncio.ensure_future(self._tear(whole))
        elif not self._writer.is_closing():
            self._writer.write(whole)

    _lock: asyncio.Lock | None = None

    async def _tear(self, data: bytes) -> None:
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            for start in range(0, len(data), 7):
                self._writer.write(data[start:start + 7])
                await asyncio.sleep(0.001)

    def say(self, family: int, subtype: int, body: bytes = b"", number: int = 0, flags: int = 0) -> None:
        if self.state.is_on("extra_block") and family == 0x13 and not number:
            flags, body = flags | EXTRA, s16(u16(6) + s16(u16(3))) + body
        self.frame(DATA, u16(family) + u16(subtype) + u16(flags) + u32(number) + body)

    def refuse(self, family: int, number: int, code: int, tlvs: bytes = b"") -> None:
        self.say(family, 1, u16(code) + tlvs, number)

    def close(self, tlvs: bytes = b"") -> None:
        """Says good-bye: as one server does, without the length, where that is switched on."""
        if self.state.is_on("short_close"):
            self._writer.write(u8(0x2A) + u8(CLOSE) + u16(self._said))
        else:
            self.frame(CLOSE, tlvs)
        self.cut()

    def cut(self) -> None:
        self.is_closed = True
        if self._lock:
            asyncio.ensure_future(self._cut_behind())
        else:
            self._writer.close()

    async def _cut_behind(self) -> None:
        """What was said before is written."""
        async with self._lock:
            self._writer.close()

    # ---- what a subclass has ----

    def greeted(self, data: bytes) -> None:
        raise NotImplementedError

    def may(self, family: int, subtype: int, name: str) -> bool:
        """False: it is dropped. Raises Breach."""
        return True

    def gone(self) -> None:
        """The connection is over."""
