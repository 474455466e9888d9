"""ICQ's own services (family 15): what was kept, profiles, searches. And the look-up by mail address (family 0A)."""
from __future__ import annotations

import struct
import time

from wire import Breach, Octets, lnts, tlv, u16

OK, FAILED = 0x0A, 0x32
NICK, FIRST, LAST, MAIL = 0x154, 0x140, 0x14A, 0x15E
FIELDS = {NICK: "nick", FIRST: "first", LAST: "last", MAIL: "mail"}


def text_of(message: bytes) -> bytes:
    """Of TLV 02 of a message, as UTF-8."""
    body = Octets(message, "a kept message")
    body.take(2)
    body.s16()
    body.take(2)
    text = Octets(body.s16(), "a kept text")
    charset = text.u16()
    text.u16()
    return text.rest().decode({0: "ascii", 2: "utf-16-be", 3: "latin-1"}[charset]).encode()


class Directory:
    """Of a session."""

    def take_15_02(self, number: int, body: Octets) -> None:
        self.must("ready")
        block = Octets(body.tlvs()[1], "a packet of family 15")
        length = block.number(2, little=True)
        inner = Octets(block.take(length), "a packet of family 15")
        block.end()
        uin, kind, sequence = inner.number(4, True), inner.number(2, True), inner.number(2, True)
        if str(uin) != self.account.name:
            raise Breach(f"a packet of family 15 for {uin}")
        if kind == 0x3C:
            self._give_kept(number, sequence)
        elif kind == 0x3E:
            self.account.kept = [kept for kept in self.account.kept if not kept.sender.isdigit()]
        elif kind == 0x7D0:
            self._answer(number, sequence, inner.number(2, True), inner)
        else:
            raise Breach(f"a packet of family 15 of type {kind:04X}")
        inner.end()

    def _packet(self, number: int, sequence: int, kind: int, data: bytes, flags: int = 0) -> None:
        inner = struct.pack("<IHH", int(self.account.name), kind, sequence) + data
        self.say(0x15, 3, tlv(1, struct.pack("<H", len(inner)) + inner), number, flags)

    def _meta(self, number: int, sequence: int, part: int, result: int, data: bytes = b"", more: bool = False) -> None:
        self._packet(number, sequence, 0x7DA, struct.pack("<HB", part, result) + data, 1 if more else 0)

    # ---- what was kept ----

    def _give_kept(self, number: int, sequence: int) -> None:
        for subtype, body in self.account.events:
            self.say(0x13, subtype, body)
        self.account.events = []
        for kept in self.account.kept:
            if kept.sender.isdigit():
                at = time.gmtime(kept.time)
                head = struct.pack("<IHBBBBBB", int(kept.sender), at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, 1, 0)
                self._packet(number, sequence, 0x41, head + lnts(text_of(kept.text)), 1)
            else:
                self.deliver_kept(kept)
        self._packet(number, sequence, 0x42, b"\0")

    # ---- people ----

    def _answer(self, number: int, sequence: int, question: int, body: Octets) -> None:
        if question in (0x4BA, 0x4B2):
            account = self.state.account(str(body.number(4, True)))
            self._profile(number, sequence, question, account)
        elif question == 0x569:
            uin = body.tlvs(little=True).get(0x136, b"")
            self._found(number, sequence, [account for account in self._icq() if account.name == str(int.from_bytes(uin, "little"))])
        elif question == 0x55F:
            wanted = {FIELDS[kind]: Octets(value, "a search").lnts().decode().lower() for kind, value in body.tlvs(little=True).items()}
            if not wanted:
                raise Breach("a search for nothing")
            self._found(number, sequence, [account for account in self._icq()
                                           if all(account.info.get(key, "").lower() == text for key, text in wanted.items())])
        elif question == 0xC3A:
            for kind, value in body.tlvs(little=True).items():
                self.account.info[FIELDS[kind]] = Octets(value, "a change of the profile").lnts().decode()
            self._meta(number, sequence, 0xC3F, OK)
        else:
            raise Breach(f"a question of family 15 of type {question:04X}")

    def _icq(self) -> list:
        return [account for account in self.state.accounts.values() if account.is_icq]

    def _profile(self, number: int, sequence: int, question: int, account) -> None:
        if account is None:
            return self._meta(number, sequence, 0x104, 0x14) if question == 0x4BA else None

        def texts(*keys: str) -> bytes:
            return b"".join(lnts(account.info.get(key, "").encode()) for key in keys)

        if question == 0x4BA:
            return self._meta(number, sequence, 0x104, OK, texts("nick", "first", "last", "mail") + bytes(3))
        country, year, month, day = (int(account.info.get(key, "0")) for key in ("country", "year", "month", "day"))
        self._meta(number, sequence, 0xC8, OK, texts("nick", "first", "last", "mail", "city", "state", "phone", "fax", "street", "mobile", "zip") +
                   struct.pack("<HBBBBB", country, 0, 1, 0, 0, 0), True)
        self._meta(number, sequence, 0xDC, OK, struct.pack("<HB", 0, int(account.info.get("gender", "0"))) + texts("homepage") +
                   struct.pack("<HBBBBBH", year, month, day, 0, 0, 0, 0) + texts("city", "state") + bytes(3), True)
        self._meta(number, sequence, 0xEB, OK, b"\0", True)
        self._meta(number, sequence, 0xE6, OK, texts("about"), True)
        self._meta(number, sequence, 0xF0, OK, b"\0", True)
        self._meta(number, sequence, 0xFA, OK, b"\0\0")

    def _found(self, number: int, sequence: int, accounts: list) -> None:
        if not accounts:
            return self._meta(number, sequence, 0x1AE, FAILED)
        for account in accounts:
            is_last = account is accounts[-1]
            record = struct.pack("<I", int(account.name)) + b"".join(lnts(account.info.get(key, "").encode()) for key in ("nick", "first", "last", "mail")) + \
                struct.pack("<BHBH", 1, 1, 0, 0)
            self._meta(number, sequence, 0x1AE if is_last else 0x1A4, OK, struct.pack("<H", len(record)) + record + bytes(12), not is_last)
        return None

    def take_0a_02(self, number: int, body: Octets) -> None:
        self.must("ready")
        address = body.rest().decode()
        names = [account.spelling for account in self.state.accounts.values() if account.info.get("mail") == address and not account.is_icq]
        if not names:
            return self.refuse(0x0A, number, 0x14)
        return self.say(0x0A, 3, b"".join(tlv(1, name) for name in names), number)
