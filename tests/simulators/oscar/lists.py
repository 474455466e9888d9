"""Contact lists kept by the server (family 13), and the questions between people that go with them."""
from __future__ import annotations

from state import CONTACT, DENY, GROUP, ICON, MODE, PERMIT, PREFERENCES, Account, Item, plain
from wire import Breach, Octets, s16, s8, tlv, u16, u32, u8

TAKEN, NOT_FOUND, EXISTS, MUST_ASK = 0, 2, 3, 0x0E
FROM_SERVER = 0x80000000
KINDS = (CONTACT, GROUP, PERMIT, DENY, MODE, PREFERENCES, ICON)


def read_items(body: Octets) -> list[Item]:
    items = []
    while body:
        item = Item(body.s16(), body.u16(), body.u16(), body.u16(), Octets(body.s16(), "an item's TLVs").tlvs())
        if item.kind not in KINDS:
            raise Breach(f"an item of the unknown kind {item.kind:02X}")
        if item.kind == GROUP and item.number or item.kind == CONTACT and not (item.name and item.group and item.number):
            raise Breach("an item whose numbers or name do not fit its kind")
        items.append(item)
    if not items:
        raise Breach("a change without items")
    return items


def write_item(item: Item) -> bytes:
    tlvs = b"".join(tlv(kind, value) for kind, value in item.tlvs.items())
    return s16(item.name) + u16(item.group) + u16(item.number) + u16(item.kind) + s16(tlvs)


class Lists:
    """Of a session: account, state, say and must are there."""

    def take_13_02(self, number: int, _body: Octets) -> None:
        self.must("limits")
        self.say(0x13, 3, tlv(4, u16(61) * 21), number)

    def take_13_04(self, number: int, _body: Octets) -> None:
        self.must("limits", "ready")
        items = list(self.account.items.values())
        size = 1 if self.state.is_on("list_in_pieces") else len(items) or 1
        pieces = [items[start:start + size] for start in range(0, len(items), size)] or [[]]
        for place, piece in enumerate(pieces):
            is_last = place == len(pieces) - 1
            self.say(0x13, 6, u8(0) + u16(len(piece)) + b"".join(map(write_item, piece)) + (u32(1) if is_last else b""), number, 0 if is_last else 1)
        self.has_list = True

    def take_13_07(self, _number: int, _body: Octets) -> None:
        self.must("limits")
        if not self.has_list:
            raise Breach("13/07 before the list was asked for")
        self.is_list_active = True

    def take_13_08(self, number: int, body: Octets) -> None:
        self._change(number, 8, read_items(body))

    def take_13_09(self, number: int, body: Octets) -> None:
        self._change(number, 9, read_items(body))

    def take_13_0a(self, number: int, body: Octets) -> None:
        self._change(number, 0x0A, read_items(body))

    def take_13_11(self, _number: int, _body: Octets) -> None:
        self.must("ready")

    take_13_12 = take_13_11

    def _change(self, number: int, subtype: int, items: list[Item]) -> None:
        self.must("ready")
        verdicts, made = [], []
        for item in items:
            verdict = {8: self._insert, 9: self._update, 0x0A: self._remove}[subtype](item)
            verdicts.append(verdict)
            if verdict == TAKEN:
                made.append(item)
        self.say(0x13, 0x0E, b"".join(map(u16, verdicts)), number)
        for item in made:
            self._tell_others(subtype, item)
            self._follow(subtype, item)

    def _tell_others(self, subtype: int, item: Item) -> None:
        for session in self.account.sessions:
            if session is not self:
                session.say(0x13, subtype, write_item(item), FROM_SERVER + subtype)

    def _insert(self, item: Item) -> int:
        account = self.account
        if (item.group, item.number) in account.items:
            return EXISTS
        if item.kind == CONTACT:
            other = self.state.account(item.name)
            if (item.group, 0) not in account.items:
                raise Breach("a contact in a group that there is not")
            if account.contacts(plain(item.name)):
                raise Breach(f"{plain(item.name)} is in the list already")
            if other is None:
                return NOT_FOUND
            if other.asks_first and other.is_icq and account.name not in other.granted and not item.is_waiting:
                if account.is_icq:
                    return MUST_ASK
                self._ask_for(item, other)  # programs of AIM cannot
        self._check_members(item)
        account.items[item.group, item.number] = item
        return TAKEN

    def _ask_for(self, item: Item, other: Account) -> None:
        item.tlvs[0x66] = b""
        other.asked_by.add(self.account.name)
        self.state.tell_or_keep(other.name, 0x19, s8(self.account.spelling) + s16("") + u16(0))

    def _update(self, item: Item) -> int:
        present = self.account.items.get((item.group, item.number))
        if not present or present.kind != item.kind:
            return NOT_FOUND
        if item.kind == CONTACT and plain(present.name) != plain(item.name):
            raise Breach("an update makes another contact of one")
        if present.is_waiting and not item.is_waiting:
            raise Breach("the mark that an answer is awaited is taken off by the client")
        self._check_members(item)
        self.account.items[item.group, item.number] = item
        return TAKEN

    def _remove(self, item: Item) -> int:
        return TAKEN if self.account.items.pop((item.group, item.number), None) else NOT_FOUND

    def _check_members(self, item: Item) -> None:
        """What a group says that is in it is there."""
        members = Octets(item.tlvs.get(0xC8, b""), "a group's members")
        while item.kind == GROUP and members:
            member = members.u16()
            if ((member, 0) if item.group == 0 else (item.group, member)) not in self.account.items:
                raise Breach(f"group {item.group} has the member {member}, which there is not")

    def _follow(self, subtype: int, item: Item) -> None:
        """What a change has for consequences."""
        if item.kind == CONTACT and subtype == 8 and not item.is_waiting:
            other = self.state.account(item.name)
            if not other.denies(self.account.name):
                shown = self.state.presence_of(other)
                if shown[0] == 0x0B:
                    self.say(3, *shown)
            self.state.tell_or_keep(other.name, 0x1C, s8(self.account.spelling))
        elif item.kind in (DENY, MODE):
            for other in self.state.accounts.values():
                if other.sees(self.account.name):
                    denied = self.account.denies(other.name)
                    shown = self.state.presence_of(self.account)
                    self.state.tell(other.name, 3, *((0x0C, s8(self.account.spelling) + u16(0) + u16(0)) if denied else shown))
        elif item.kind == ICON and subtype != 0x0A:
            thing = Octets(item.tlvs.get(0xD5, b""), "an icon's hash")
            thing.u8()
            self.account.icon = thing.s8()
            is_known = self.account.icon in self.state.icons
            self.account.icon_flags = 1 if is_known else 0x41
            self.say(1, 0x21, u16(1) + u8(self.account.icon_flags) + s8(self.account.icon))
            if is_known:
                self.state.announce(self.account)

    # ---- questions and answers ----

    def _other(self, body: Octets) -> Account:
        name = body.s8()
        other = self.state.account(name)
        if other is None:
            raise Breach(f"a question or an answer to {name!r}, whom there is not")
        return other

    def take_13_14(self, _number: int, body: Octets) -> None:
        """A grant in advance."""
        self.must("ready")
        other, text, _ = self._other(body), body.s16(), body.u16()
        self.account.granted.add(other.name)
        self.state.tell_or_keep(other.name, 0x15, s8(self.account.spelling) + s16(text) + u16(0))

    def take_13_18(self, _number: int, body: Octets) -> None:
        self.must("ready")
        other, reason, _ = self._other(body), body.s16(), body.u16()
        if not any(item.is_waiting for item in self.account.contacts(other.name)):
            raise Breach("a request for somebody who is not in the list with the mark that an answer is awaited")
        other.asked_by.add(self.account.name)
        self.state.tell_or_keep(other.name, 0x19, s8(self.account.spelling) + s16(reason) + u16(0))

    def take_13_1a(self, _number: int, body: Octets) -> None:
        self.must("ready")
        other, answer, reason = self._other(body), body.u8(), body.s16()
        if body:
            body.u16()
        if answer > 1:
            raise Breach("an answer that is neither yes nor no")
        if other.name not in self.account.asked_by:
            return
        self.account.asked_by.discard(other.name)
        if answer:
            self.account.granted.add(other.name)
            for item in other.contacts(self.account.name):
                item.tlvs.pop(0x66, None)
                self.state.tell(other.name, 0x13, 9, write_item(item))
        self.state.tell_or_keep(other.name, 0x1B, s8(self.account.spelling) + u8(answer) + s16(reason))
        subtype, shown = self.state.presence_of(self.account)
        if answer and subtype == 0x0B:
            self.state.tell(other.name, 3, subtype, shown)
