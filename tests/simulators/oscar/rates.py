"""How fast a client may be (01/07), by the formula of the real servers."""
from __future__ import annotations

import asyncio
import struct

from wire import u16, u32, u8

# window, clear, alert, limit, disconnect, most
QUICK, SLOW = (80, 2500, 2000, 1500, 800, 6000), (20, 5100, 5000, 4000, 3000, 6000)
MESSAGES = [(4, 6), (2, 5)]
OTHERS = [(1, 0x1E), (1, 0x11), (1, 4), (2, 4), (2, 0x15), (4, 0x14), (4, 0x10), (4, 4), (4, 0x0B), (0x0A, 2), (0x15, 2), (0x10, 2), (0x10, 4)] + \
    [(0x13, subtype) for subtype in (8, 9, 0x0A, 0x11, 0x12, 0x14, 0x18, 0x1A)]


class Rates:
    """Of one connection."""

    def __init__(self, are_messages_slow: bool) -> None:
        self._classes = {1: QUICK, 3: SLOW if are_messages_slow else QUICK}
        self._members = {1: OTHERS, 3: MESSAGES}
        self._levels: dict[int, float] = {}
        self._last: dict[int, float] = {}

    def numbers(self) -> list[int]:
        return list(self._classes)

    def describe(self) -> bytes:
        now = asyncio.get_running_loop().time()
        body = u16(len(self._classes))
        for number, limits in self._classes.items():
            self._levels[number], self._last[number] = limits[-1], now
            body += u16(number) + struct.pack(">6I", *limits[:5], limits[5]) + u32(limits[5]) + u32(0) + u8(0)
        for number, members in self._members.items():
            body += u16(number) + u16(len(members)) + b"".join(u16(family) + u16(subtype) for family, subtype in members)
        return body

    def allow(self, family: int, subtype: int) -> bool:
        """Whether a packet that came now is taken."""
        for number, members in self._members.items():
            if (family, subtype) not in members or number not in self._levels:
                continue
            window, _clear, _alert, limit, _disconnect, most = self._classes[number]
            now = asyncio.get_running_loop().time()
            passed, self._last[number] = (now - self._last[number]) * 1000, now
            self._levels[number] = min(most, (self._levels[number] * (window - 1) + passed) / window)
            return self._levels[number] >= limit
        return True
