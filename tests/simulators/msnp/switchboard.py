"""A switchboard, as Escargot was seen to be one. Who is too late, too long or unknown is cut off without a word."""
from __future__ import annotations

import secrets

from link import Broken, Link
from state import FL

MOST_BYTES = 1664


class Switchboard(Link):
    account = None
    chat = ""

    def _others(self) -> list["Switchboard"]:
        return [member for member in self.state.chats.get(self.chat, []) if member is not self]

    def _enter(self, number: str, email: str, key: str, chat: str | None) -> bool:
        if self.state.keys.pop(key, None) != (email, chat):
            self.send(911, number)
            self.close()
            return False
        self.account = self.state.accounts[email]
        self.chat = chat or secrets.token_hex(16)
        self.state.chats.setdefault(self.chat, [])
        return True

    def take_usr(self, number: str, email: str, key: str) -> None:
        if self._enter(number, email, key, None):
            self.state.chats[self.chat].append(self)
            self.send("USR", number, "OK", email, self.account.name)

    def take_ans(self, number: str, email: str, key: str, chat: str) -> None:
        if self.state.is_on("no_board"):
            self.send(281, number)
            return self.close()
        if not self._enter(number, email, key, chat):
            return
        others = self._others()
        for index, member in enumerate(others, 1):
            self.send("IRO", number, index, len(others), member.account.email, member.account.name, 0)
        self.send("ANS", number, "OK")
        self.state.chats[chat].append(self)
        if not self.state.is_on("no_join"):
            for member in others:
                member.send("JOI", email, self.account.name, 0)

    def take_cal(self, number: str, email: str) -> None:
        if "@" not in email:
            return self.send(208, number)
        called = self.state.accounts.get(email)
        # Of whom it knows by RL or AL alone, Escargot has no status, and takes them for absent.
        bits = self.account.lists.get(email, FL)
        if called is None or not called.session or called.shown_to(self.account.email) == "FLN" or not bits & FL:
            return self.send(217, number)
        if any(member.account is called for member in self._others()):
            return self.send(215, number)
        called.session.ring(self.chat, self.account)
        self.send("CAL", number, "RINGING", self.chat)

    def take_msg(self, number: str, flag: str, payload: bytes) -> None:
        if flag not in "UNAD" or not self.account:
            raise Broken("MSG with another flag, or before the login")
        if len(payload) > MOST_BYTES or b"\r\n\r\n" not in payload or b"Content-Type: " not in payload:
            raise Broken("MSG with a payload that is too long or none")
        if self.state.is_on("nak") and flag in "AN":
            return self.send("NAK", number)
        for member in self._others():
            member.send("MSG", self.account.email, self.account.name, payload=payload)
        if flag in "AD":
            self.send("ACK", number)

    def take_out(self) -> None:
        self.close()

    def gone(self) -> None:
        members = self.state.chats.get(self.chat, [])
        if self in members:
            members.remove(self)
            for member in members:
                member.send("BYE", self.account.email)
