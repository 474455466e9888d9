"""The server that logs in: a challenge, or the old way; it answers with a ticket to the sessions' server."""
from __future__ import annotations

import hashlib
import hmac

from link import CLOSE, Link
from session import Session
from icons import IconService
from wire import Breach, Octets, s16, tlv, u16, u32

MASK = bytes.fromhex("F32681C43986DB9271A3B9E6537A957C")
SALT = b"AOL Instant Messenger (SM)"
CLIENT = {0x03: None, 0x16: 2, 0x17: 2, 0x18: 2, 0x19: 2, 0x1A: 2, 0x14: 4, 0x0F: 2, 0x0E: 2}  # what it must tell of itself, and in how many octets


class Front(Link):
    """A connection of which it is not known yet what it is for: its first frame says it."""
    inner: Link | None = None
    challenge = b""
    name = b""

    def greeted(self, data: bytes) -> None:
        if self.inner:
            return self.inner.greeted(data)
        if self.challenge:
            raise Breach("a second greeting")
        body = Octets(data, "the greeting")
        if body.u32() != 1:
            raise Breach("the greeting is not of version 1")
        tlvs = body.tlvs()
        if not tlvs:
            self.challenge = b"%010d" % next(self.state.answers)
        elif 6 in tlvs:
            self._enter(tlvs)
        else:
            self._log_in_roasted(tlvs)

    def _enter(self, tlvs: dict[int, bytes]) -> None:
        ticket = self.state.tickets.pop(tlvs.pop(6), None)
        if ticket is None or tlvs:
            raise Breach("a ticket that was not given, or that was used")
        name, service, stays = ticket
        kind = IconService if service == "icons" else Session
        self.inner = kind(self, self.state.accounts[name], stays)

    # ---- logging in ----

    def take_17_06(self, number: int, body: Octets) -> None:
        tlvs = body.tlvs()
        if set(tlvs) != {0x01, 0x4B, 0x5A} or not self.challenge or self.name:
            raise Breach("17/06 has other TLVs, or comes at another time")
        self.name = tlvs[1]
        self.say(0x17, 7, s16(self.challenge), number)

    def take_17_02(self, number: int, body: Octets) -> None:
        tlvs = body.tlvs()
        if not self.name or tlvs.get(1) != self.name or 0x4C not in tlvs or len(tlvs.get(0x25, b"")) != 16:
            raise Breach("17/02 is incomplete, or comes before 17/06")
        account = self.state.account(self.name)
        password = account.password.encode() if account else b""
        right = hashlib.md5(self.challenge + hashlib.md5(password).digest() + SALT).digest()
        answer = self._verdict(tlvs, {1, 0x25, 0x4C}, account is not None and hmac.compare_digest(right, tlvs[0x25]))
        self.say(0x17, 3, answer, number)
        self.frame(CLOSE)
        self.cut()

    def _log_in_roasted(self, tlvs: dict[int, bytes]) -> None:
        if 1 not in tlvs or 2 not in tlvs:
            raise Breach("the greeting has a name without a password, or neither")
        password = bytes(octet ^ MASK[i % 16] for i, octet in enumerate(tlvs[2]))
        account = self.state.account(tlvs[1])
        self.frame(CLOSE, self._verdict(tlvs, {1, 2}, account is not None and account.password.encode() == password))
        self.cut()

    def _verdict(self, tlvs: dict[int, bytes], besides: set[int], is_right: bool) -> bytes:
        for kind, octets in CLIENT.items():
            if kind not in tlvs or octets and len(tlvs[kind]) != octets:
                raise Breach(f"the client does not tell TLV {kind:02X} of itself as it should")
        unknown = set(tlvs) - besides - set(CLIENT) - {0x4A}
        if unknown or tlvs.get(0x4A, b"\1") != b"\1":
            raise Breach(f"the login has TLVs that there are not: {unknown}")
        refusal = int(self.state.switches["login_error"]) or (0 if is_right else 5)
        if refusal:
            return tlv(1, tlvs[1]) + tlv(8, u16(refusal)) + tlv(4, "http://x.test/help")
        account = self.state.account(tlvs[1])
        return tlv(1, tlvs[1]) + tlv(5, f"127.0.0.1:{self.state.ports[0]}") + \
            tlv(6, self.state.ticket(account.name, "session", 0x4A in tlvs)) + tlv(0x8E, b"\0")

    # ---- the rest is the session's, or the service's ----

    def may(self, family: int, subtype: int, name: str) -> bool:
        if self.inner:
            return self.inner.may(family, subtype, name)
        if family != 0x17:
            raise Breach(f"{name} before the login")
        return True

    def __getattr__(self, name: str):
        if name.startswith("take_") and self.__dict__.get("inner"):
            return getattr(self.inner, name)
        raise AttributeError(name)

    def gone(self) -> None:
        if self.inner:
            self.inner.gone()
