"""The service that keeps pictures, on a connection of its own."""
from __future__ import annotations

import hashlib

from service import Service
from wire import Breach, Octets, s16, s8, u16, u8


class IconService(Service):
    families = {1: 3, 0x10: 1}

    def take_10_02(self, number: int, body: Octets) -> None:
        """A picture of the account's own."""
        self.must("ready")
        kind, picture = body.u16(), body.s16()
        digest = hashlib.md5(picture).digest()
        if kind != 1 or not picture or self.account.icon != digest:
            raise Breach("a picture that the list does not name")
        self.state.icons[digest] = picture
        self.account.icon_flags ^= 0x40  # as the real server does, also to a picture that it has not asked for
        self.say(0x10, 3, u8(0) + u16(1) + u8(self.account.icon_flags) + s8(digest), number)
        self.state.announce(self.account)

    def take_10_04(self, number: int, body: Octets) -> None:
        self.must("ready")
        name, command, kind, flags, digest = body.s8(), body.u8(), body.u16(), body.u8(), body.s8()
        if command != 1 or kind != 1:
            raise Breach("a picture of another kind is asked for")
        self.say(0x10, 5, s8(name) + u16(1) + u8(flags) + s8(digest) + s16(self.state.icons.get(digest, b"")), number)
