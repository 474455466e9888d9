"""One session at the server that keeps it."""
from __future__ import annotations

from directory import Directory
from lists import Lists
from messages import Messages
from service import Service
from state import plain
from wire import Breach, Octets, tlv, u16


class Session(Service, Lists, Messages, Directory):
    families = {1: 4, 2: 1, 3: 1, 4: 1, 9: 1, 0x0A: 1, 0x13: 4, 0x15: 1}
    status = idle = 0
    is_away = has_list = is_list_active = False

    # ---- the rest of the handshake ----

    def take_01_0e(self, number: int, _body: Octets) -> None:
        self.must("limits", "ready")
        if not self.state.is_on("no_own_info"):
            self.say(1, 0x0F, self.state.user_info(self.account, self), number)

    def take_02_02(self, number: int, _body: Octets) -> None:
        self.must("limits")
        self.say(2, 3, tlv(1, u16(4096)), number)

    def take_03_02(self, number: int, _body: Octets) -> None:
        self.must("limits")
        self.say(3, 3, tlv(1, u16(1000)), number)

    def take_09_02(self, number: int, _body: Octets) -> None:
        self.must("limits")
        self.say(9, 3, tlv(1, u16(200)), number)

    def ready(self) -> None:
        if not self.is_list_active:
            raise Breach("01/02 before the list was activated (13/07)")
        if not self.stays:
            for other in list(self.account.sessions):
                other.front.close(tlv(9, u16(1)))
        self.account.sessions.append(self)
        self.state.announce(self.account)
        for other in self.state.accounts.values():
            subtype, body = self.state.presence_of(other)
            if subtype == 0x0B and self.account.sees(other.name) and not other.denies(self.account.name):
                self.say(3, subtype, body)
        print(f"in {self.account.name}", flush=True)

    def gone(self) -> None:
        if self not in self.account.sessions:
            return
        self.account.sessions.remove(self)
        self.state.announce(self.account)
        print(f"out {self.account.name}", flush=True)

    # ---- what the account shows ----

    def take_01_1e(self, _number: int, body: Octets) -> None:
        self.must("limits", "ready")
        tlvs = body.tlvs()
        if set(tlvs) != {6} or len(tlvs[6]) != 4:
            raise Breach("a status that is none")
        self.status = int.from_bytes(tlvs[6], "big")
        self._changed()

    def take_01_11(self, _number: int, body: Octets) -> None:
        self.must("ready")
        self.idle = body.u32()
        self._changed()

    def take_02_04(self, _number: int, body: Octets) -> None:
        self.must("limits", "ready")
        tlvs = body.tlvs()
        if set(tlvs) - {1, 2, 3, 4, 5} or (4 in tlvs) != (3 in tlvs) or len(tlvs.get(5, b"")) % 16:
            raise Breach("02/04 has a text without its type, capabilities that are none, or unknown TLVs")
        if 4 in tlvs:
            self.account.away_text, self.is_away = tlvs[4], bool(tlvs[4])
        if 2 in tlvs:
            self.account.profile = tlvs[2]
        self._changed()

    def _changed(self) -> None:
        if self.step == "ready":
            self.state.announce(self.account)

    def take_02_05(self, number: int, body: Octets) -> None:
        self.must("ready")
        wanted, name = body.u16(), body.s8()
        other = self.state.account(name)
        if wanted not in (1, 2) or other is None or plain(name) != other.name:
            raise Breach("02/05 for nobody, or for nothing that there is")
        if not self.state.shown(other):
            return self.refuse(2, number, 4)
        text = tlv(1, 'text/aolrtf; charset="us-ascii"') + tlv(2, other.profile) if wanted == 1 else \
            tlv(3, 'text/aolrtf; charset="us-ascii"') + tlv(4, other.away_text)
        return self.say(2, 6, self.state.user_info(other) + text, number)

    def take_01_04(self, number: int, body: Octets) -> None:
        """The way to a service beside the session."""
        self.must("ready")
        service = body.u16()
        if service != 0x10 or self.state.is_on("no_icons"):
            return self.refuse(1, number, 5)
        ticket = self.state.ticket(self.account.name, "icons")
        return self.say(1, 5, tlv(0x0D, u16(service)) + tlv(5, f"127.0.0.1:{self.state.ports[0]}") + tlv(6, ticket) + tlv(0x8E, b"\0"), number)
