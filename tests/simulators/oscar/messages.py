"""Messages between people (family 4): checked to the last octet, brought or kept, acknowledged."""
from __future__ import annotations

import html
import re
import time

from state import Kept
from wire import Breach, Octets, s16, s8, tlv, u16, u32, u8

AWAY, NOBODY = 4, 0x14
INBOX_FULL = tlv(8, u16(0x0F))
MOST_KEPT = 10  # of one pair of people
MOST_TEXT = 8000
TAGS = re.compile(r"<(?!br/?>|/?a\b|/?b>|/?i>)", re.IGNORECASE)


def text_alone(text: str) -> str:
    """As open-oscar-server takes HTML out of what ICQ users write, except in UTF-16."""
    return html.unescape(re.sub(r"<[/!?a-z][^>]*>", "", re.sub(r"<br[^>]*>", "\n", text, flags=re.IGNORECASE), flags=re.IGNORECASE))


def fragments(text: bytes, charset: int) -> bytes:
    """TLV 02 of a message."""
    return u8(5) + u8(1) + s16(u8(1)) + u8(1) + u8(1) + s16(u16(charset) + u16(0) + text)


def checked_text(message: bytes, is_html: bool) -> tuple[str, int, bytes]:
    """The text, the charset's number, and the octets. Raises Breach."""
    body = Octets(message, "a message's text")
    if (body.u8(), body.u8()) != (5, 1):
        raise Breach("a message does not begin with what it needs")
    body.s16()
    if (body.u8(), body.u8()) != (1, 1):
        raise Breach("a message has no text")
    part = Octets(body.s16(), "a message's text")
    body.end()
    charset, _language, octets = part.u16(), part.u16(), part.rest()
    codecs = {0: "ascii", 2: "utf-16-be", 3: "latin-1"}
    if charset not in codecs or not octets or len(octets) > MOST_TEXT:
        raise Breach(f"a message of {len(octets)} octets in the charset {charset}")
    try:
        text = octets.decode(codecs[charset])
    except UnicodeDecodeError as error:
        raise Breach(f"a text that is not in its charset {charset}") from error
    if is_html and (TAGS.search(text) or re.search(r"&(?!#?\w+;)", text)):
        raise Breach(f"a text for AIM that is not escaped: {text!r}")
    if not is_html and re.search(r"(?<!\r)\n", text):
        raise Breach("a text for ICQ whose lines end without CR")
    return text, charset, octets


class Messages:
    """Of a session."""

    def take_04_02(self, _number: int, body: Octets) -> None:
        self.must("limits")
        body.take(16)

    def take_04_04(self, number: int, _body: Octets) -> None:
        self.must("limits", "ready")
        self.say(4, 5, u16(0) + u32(0x0B) + u16(8000) + u16(999) + u16(999) + u32(0), number)

    def take_04_06(self, number: int, body: Octets) -> None:
        self.must("ready")
        cookie, channel, name = body.take(8), body.u16(), body.s8()
        tlvs = body.tlvs()
        if channel == 2:
            return self._pass_on(name, cookie, tlvs)
        if channel != 1 or set(tlvs) - {2, 3, 6} or not {2, 3} <= set(tlvs) or tlvs[3] or tlvs.get(6) or not any(cookie):
            raise Breach("a message on another channel, without a cookie, or with other TLVs than 02, 03 and 06")
        other = self.state.account(name)
        checked_text(tlvs[2], other is not None and not other.is_icq)
        if other is None:
            return self.refuse(4, number, AWAY)
        if self.state.is_on("forget_messages"):
            return None
        if other.denies(self.account.name):
            return self.refuse(4, number, AWAY)
        if other.sessions:
            sessions = [session for session in other.sessions if not session.is_away and not session.idle] or other.sessions
            for session in sessions:
                session.deliver(self.account, cookie, tlvs[2], self)
        elif 6 not in tlvs:
            return self.refuse(4, number, AWAY)
        elif sum(kept.sender == self.account.name for kept in other.kept) >= MOST_KEPT:
            return self.refuse(4, number, AWAY, INBOX_FULL)
        else:
            # This server's clock is a minute behind: ICQ's own way tells no seconds, and what is a few seconds old looks new.
            other.kept.append(Kept(self.account.name, cookie, tlvs[2], int(time.time()) - 60))
        self.state.senders[cookie] = self.account.name
        return self.say(4, 0x0C, cookie + u16(1) + s8(name), number)

    def _pass_on(self, name: bytes, cookie: bytes, tlvs: dict[int, bytes]) -> None:
        """An offer, or the answer to one: the two programs agree on it between themselves."""
        data, other = Octets(tlvs.get(5, b""), "an offer"), self.state.account(name)
        kind = data.u16()
        data.take(8 + 16)
        if kind > 2 or set(tlvs) != {5} or (data.tlvs().get(0x0B) != u16(1)) == (kind == 1) or other is None:
            raise Breach("an offer to nobody, or with other TLVs than 05, or a refusal that does not say why")
        for session in other.sessions:
            session.say(4, 7, cookie + u16(2) + self.state.user_info(self.account) + tlv(5, tlvs[5]))

    def deliver(self, sender, cookie: bytes, message: bytes, session=None, at: int | None = None) -> None:
        text, charset, octets = checked_text(message, not self.account.is_icq)
        if sender.is_icq and charset != 2:  # whoever can show HTML says so, and no program that is tried here does
            octets = text_alone(text).encode("latin-1", "replace")
        if self.state.is_on("html"):
            octets = f"<HTML><BODY BGCOLOR=\"#ffffff\"><FONT>{text}</FONT></BODY></HTML>".encode("utf-16-be")
            charset = 2
        if charset == 2 and self.state.is_on("utf16_as_ascii"):
            charset = 0
        body = cookie + u16(1) + self.state.user_info(sender, session) + tlv(2, fragments(octets, charset)) + tlv(0x0B)
        self.say(4, 7, body + (tlv(0x16, u32(at)) if at else b""))

    def deliver_kept(self, kept: Kept) -> None:
        self.deliver(self.state.accounts[kept.sender], kept.cookie, kept.text, None, kept.time)

    def take_04_10(self, number: int, _body: Octets) -> None:
        self.must("ready")
        kept, self.account.kept = self.account.kept, []
        for one in kept:
            self.deliver_kept(one)
        self.say(4, 0x17, b"", number)

    def take_04_0b(self, _number: int, body: Octets) -> None:
        """The recipient's program has it: its sender is told."""
        self.must("ready")
        cookie, channel, _name, rest = body.take(8), body.u16(), body.s8(), body.rest()
        sender = self.state.senders.get(cookie)
        if sender is None:
            raise Breach("the acknowledgement of a message that there was not")
        self.state.tell(sender, 4, 0x0B, cookie + u16(channel) + s8(self.account.spelling) + rest)

    def take_04_14(self, _number: int, body: Octets) -> None:
        self.must("ready")
        cookie, channel, name, event = body.take(8), body.u16(), body.s8(), body.u16()
        if any(cookie) or channel != 1 or event not in (0, 1, 2, 0x0F):
            raise Breach("a typing notice with a cookie, on another channel or of an unknown kind")
        other = self.state.account(name)
        if other is not None and not other.denies(self.account.name):
            self.state.tell(other.name, 4, 0x14, cookie + u16(1) + s8(self.account.spelling) + u16(event))
