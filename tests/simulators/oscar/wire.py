"""Octets: what is written, and what is read strictly. Whatever does not fit exactly is a breach."""
from __future__ import annotations

import struct


class Breach(Exception):
    """The client broke a rule."""


def u8(value: int) -> bytes:
    return struct.pack(">B", value)


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def s8(data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return u8(len(data)) + data


def s16(data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return u16(len(data)) + data


def tlv(kind: int, value: bytes | str = b"") -> bytes:
    return u16(kind) + s16(value)


def lnts(text: bytes) -> bytes:
    """As ICQ's services write texts: counted the other way round, with a NUL."""
    return struct.pack("<H", len(text) + 1) + text + b"\0"


class Octets:
    """Takes fields off the front."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._what = data, what

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise Breach(f"{self._what} is cut off")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self, octets: int, little: bool = False) -> int:
        return int.from_bytes(self.take(octets), "little" if little else "big")

    def u8(self) -> int:
        return self.number(1)

    def u16(self) -> int:
        return self.number(2)

    def u32(self) -> int:
        return self.number(4)

    def s8(self) -> bytes:
        return self.take(self.u8())

    def s16(self) -> bytes:
        return self.take(self.u16())

    def lnts(self) -> bytes:
        text = self.take(self.number(2, little=True))
        if not text.endswith(b"\0"):
            raise Breach(f"{self._what} has a text without its NUL")
        return text[:-1]

    def tlvs(self, little: bool = False) -> dict[int, bytes]:
        """All to the end; each at most once."""
        found: dict[int, bytes] = {}
        while self._data:
            kind = self.number(2, little)
            if kind in found:
                raise Breach(f"{self._what} has TLV {kind:02X} twice")
            found[kind] = self.take(self.number(2, little))
        return found

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def end(self) -> None:
        if self._data:
            raise Breach(f"{self._what} has {len(self._data)} octets too many")

    def __bool__(self) -> bool:
        return bool(self._data)
