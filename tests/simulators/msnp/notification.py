"""A notification server, as Escargot was seen to be one for MSNP11 and 12."""
from __future__ import annotations

import asyncio
import re

from letters import notice
from link import Broken, Link
from state import AL, BL, FL, LISTS, PL, RL

STAMP = "2000-01-01T00:00:00.0-00:00"
STATUSES = ("NLN", "BSY", "IDL", "BRB", "AWY", "PHN", "LUN", "HDN")
CHALLENGE, ANSWER = "22210219642164014968", b"85ecb0db8f32113df79ce0892b9a102c"


class Notification(Link):
    version = 0
    email = ""
    account = None
    is_listed = is_shown = False

    # ---- the login ----

    def _redirects(self, number: str) -> bool:
        left = int(self.state.switches["redirects"])
        if left > 0:
            self.state.switches["redirects"] = str(left - 1)
            self.send("XFR", number, "NS", f"127.0.0.1:{self.state.ports[0]}", "0", f"127.0.0.1:{self.state.ports[0]}")
        return left > 0

    def take_ver(self, number: str, *versions: str) -> None:
        known = [version for version in ("MSNP12", "MSNP11") if version in versions]
        if not known or "CVR0" not in versions or self.version:
            raise Broken("VER offers no version that there is, or comes twice")
        self.version = int(known[0][4:])
        self.send("VER", number, known[0])

    def take_cvr(self, number: str, *words: str) -> None:
        if len(words) < 7 or not self.version:
            raise Broken("CVR has too few words, or comes before VER")
        self.send("CVR", number, *[words[5]] * 3, "https://x.test", "https://x.test")

    def take_usr(self, number: str, kind: str, step: str, word: str) -> None:
        if kind != "TWN" or self.account:
            raise Broken("USR of another kind, or twice")
        if step == "I":
            self.email = word
            if not self._redirects(number):
                self.send("USR", number, "TWN", "S", "ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1")
        elif self.state.tickets.pop(word, None) != self.email or self.state.is_on("wrong_ticket"):
            self.send(911, number)
            self.close()
        else:
            self.state.accounts[self.email].ticket = word
            self._log_in(number)

    def _log_in(self, number: str) -> None:
        self.account = self.state.accounts[self.email]
        if self.account.session:
            self.account.session.log_off("OUT OTH")
        self.account.session = self
        self.send("USR", number, "OK", self.email, 1, 0)
        self.send("SBS", 0, "null")
        self.send("MSG", "Hotmail", "Hotmail", payload=b"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nKid: 0\r\n\r\n")
        if self.state.is_on("challenge"):
            self.send("CHL", 0, CHALLENGE)

    def take_qry(self, number: str, product: str, payload: bytes) -> None:
        if payload != ANSWER or product != "PROD0090YUAUV{2B":
            self.send(540, number)
            raise Broken("a challenge is answered wrongly")
        self.state.challenges_answered += 1
        self.send("QRY", number)

    def take_syn(self, number: str, _stamp: str, _other: str) -> None:
        self._must_be_in()
        self.is_listed = True
        self.send("SYN", number, STAMP, STAMP, len(self.account.lists), 1)
        self.send("GTC", "A")
        self.send("BLP", self.account.blp)
        self.send("PRP", "MFN", self.account.name)
        self.send("LSG", "Star-crossed lovers", "11111111-0000-0000-0000-000000000000")
        for email, bits in self.account.lists.items():
            member = self.state.accounts[email]
            shown = bits & ~RL if bits & PL else bits
            self.send("LST", f"N={email}", f"F={member.name}", f"C={member.guid}" if bits & FL else None, shown,
                      "1" if self.version == 12 else None, "")
            self.send("BPR", "PHH", "")

    # ---- what may be asked afterwards ----

    def _must_be_in(self) -> None:
        if not self.account:
            raise Broken("a command before the login")

    def take_png(self) -> None:
        self._must_be_in()
        self.send("QNG", 60)

    def take_out(self) -> None:
        self.close()

    def take_chg(self, number: str, status: str, clientid: str, picture: str = "") -> None:
        if not self.is_listed or status not in STATUSES or not clientid.isdigit():
            raise Broken("CHG before SYN, of a status that there is not, or without capabilities")
        self.account.status, self.account.object = status, picture
        self.send("CHG", number, status, clientid)
        if not self.is_shown:
            self.is_shown = True
            for email, bits in self.account.lists.items():
                if bits & FL:
                    self._show_first(number, self.state.accounts[email])
            self.announce(self.account.letters, True)
        self.state.show(self.account)

    def _show_first(self, number: str, member) -> None:
        status = member.shown_to(self.email)
        if status != "FLN":
            self.send("ILN", number, status, member.email, member.name, 0, member.object or "<msnobj/>")
            self.send("UBX", member.email, payload=member.personal)

    def announce(self, letters: list, at_login: bool) -> None:
        if self.state.is_on("letters"):
            self.send("MSG", "Hotmail", "Hotmail", payload=notice(letters, at_login))

    def show(self, member) -> None:
        if not self.is_shown:
            return
        status = member.shown_to(self.email)
        if status == "FLN":
            self.send("FLN", member.email)
        else:
            self.send("NLN", status, member.email, member.name, 0, member.object or "<msnobj/>")
            self.send("UBX", member.email, payload=member.personal)

    def take_uux(self, number: str, payload: bytes) -> None:
        if not re.fullmatch(rb"<Data><PSM>(?:[^<&]|&[a-z]+;)*</PSM><CurrentMedia>[^<]*</CurrentMedia></Data>", payload):
            raise Broken("UUX has no such payload")
        self.account.personal = payload
        self.send("UUX", number, 0)
        if self.is_shown:
            self.state.show(self.account)

    def take_prp(self, number: str, key: str, value: str = "") -> None:
        if key != "MFN":
            raise Broken("PRP of what is not the name")
        self.account.name = value
        self.send("PRP", number, key, value)
        self.state.show(self.account)

    def take_sbp(self, number: str, guid: str, key: str, value: str) -> None:
        self._by_guid(guid)
        self.send("SBP", number, guid, key, value)

    def _by_guid(self, guid: str):
        found = [member for member in self.state.accounts.values() if member.guid == guid]
        if not found:
            raise Broken("there is no such guid")
        return found[0]

    def take_adc(self, number: str, where: str, who: str, _name: str = "") -> None:
        self._must_be_in()
        bit = LISTS[where]
        if not who.startswith("N=") or bit == PL:
            raise Broken("ADC of nobody, or to PL")
        if "@" not in who:
            return self.send(201, number)
        member = self.state.accounts.get(who[2:])
        if member is None:
            return self.send(208, number)
        bits = self.account.lists.get(member.email, 0)
        if bit == RL and not bits & PL:
            raise Broken("ADC RL of who does not wait")
        if bit & (AL | BL) and bits & (AL | BL) & ~bit:
            raise Broken("somebody is put on AL and BL")
        self.account.lists[member.email] = bits & ~PL | bit if bit == RL else bits | bit
        if bit == FL:
            self.send("ADC", number, where, f"N={member.email}", f"F={member.name}", f"C={member.guid}")
            if not bits & FL:
                self._tell_added(member)
                self._show_first(number, member)
        else:
            self.send("ADC", number, where, f"N={member.email}")
        if bit & (AL | BL):
            self.state.show(self.account, member.email)

    def _tell_added(self, member) -> None:
        known = member.lists.get(self.email, 0)
        member.lists[self.email] = known | RL | (0 if known & (AL | BL) else PL)
        if member.session:
            member.session.send("ADC", 0, "RL", f"N={self.email}", f"F={self.account.name}")

    def take_rem(self, number: str, where: str, who: str) -> None:
        self._must_be_in()
        bit = LISTS[where]
        if bit == RL:
            raise Broken("REM RL")
        member = self._by_guid(who) if bit == FL else self.state.accounts.get(who)
        if member is None or member.email not in self.account.lists:
            return self.send(208, number)
        if bit != PL and not self.account.lists[member.email] & bit:
            return self.send(216, number)
        self.account.lists[member.email] &= ~bit
        self.send("REM", number, where, who)
        if bit == FL:
            member.lists[self.email] = member.lists.get(self.email, 0) & ~(RL | PL)
            if member.session:
                member.session.send("REM", 0, "RL", self.email)
        elif bit & (AL | BL):
            self.state.show(self.account, member.email)

    def take_blp(self, number: str, value: str) -> None:
        self.account.blp = value
        self.send("BLP", number, value)

    def take_xfr(self, number: str, kind: str) -> None:
        if kind != "SB":
            raise Broken("XFR to what is no switchboard")
        if not self.is_shown or self.account.status == "HDN":
            return self.send(913, number)
        self.send("XFR", number, "SB", f"127.0.0.1:{self.state.ports[1]}", "CKI", self.state.key_for(self.email, None))

    def ring(self, chat: str, inviter) -> None:
        self.send("RNG", chat, f"127.0.0.1:{self.state.ports[1]}", "CKI", self.state.key_for(self.email, chat), inviter.email, inviter.name)

    # ---- the end ----

    def log_off(self, line: str) -> None:
        self.write(line.encode() + b"\r\n" if line else b"")
        self.gone()
        asyncio.get_running_loop().call_later(0.05, self.close)

    def gone(self) -> None:
        if self.account and self.account.session is self:
            self.account.session = None
            self.account.status, self.account.personal = "FLN", b""
            self.state.show(self.account)
