"""What the simulator knows: accounts, their lists, who is there, and the switches."""
from __future__ import annotations

import dataclasses
import itertools
import os

from wire import u16, u8

SWITCHES = {"login_error": "0", "extra_block": "0", "list_in_pieces": "0", "no_own_info": "0", "utf16_as_ascii": "0", "html": "0",
            "short_close": "0", "torn": "0", "no_icons": "0", "silent": "-", "slow_messages": "0", "forget_messages": "0"}
CONTACT, GROUP, PERMIT, DENY, MODE, PREFERENCES, ICON = 0, 1, 2, 3, 4, 5, 0x14


def plain(name: bytes | str) -> str:
    text = name.decode() if isinstance(name, bytes) else name
    return text.replace(" ", "").lower()


@dataclasses.dataclass
class Item:
    name: bytes
    group: int
    number: int
    kind: int
    tlvs: dict[int, bytes]

    @property
    def is_waiting(self) -> bool:
        return self.kind == CONTACT and 0x66 in self.tlvs


@dataclasses.dataclass
class Kept:
    """A message for who is away."""
    sender: str
    cookie: bytes
    text: bytes      # TLV 02
    time: int


@dataclasses.dataclass
class Account:
    name: str          # plain
    spelling: str
    password: str
    asks_first: bool = False           # before others may add it
    items: dict[tuple[int, int], Item] = dataclasses.field(default_factory=dict)
    info: dict[str, str] = dataclasses.field(default_factory=dict)
    kept: list[Kept] = dataclasses.field(default_factory=list)
    events: list[tuple[int, bytes]] = dataclasses.field(default_factory=list)  # of family 13, for who is away
    granted: set[str] = dataclasses.field(default_factory=set)
    asked_by: set[str] = dataclasses.field(default_factory=set)
    sessions: list = dataclasses.field(default_factory=list)  # that are ready
    icon: bytes = b""                  # its hash
    icon_flags: int = 1                # 40: the picture itself is waited for
    away_text: bytes = b""
    profile: bytes = b""

    @property
    def is_icq(self) -> bool:
        return self.name.isdigit()

    def contacts(self, name: str) -> list[Item]:
        return [item for item in self.items.values() if item.kind == CONTACT and plain(item.name) == name]

    def sees(self, name: str) -> bool:
        return any(not item.is_waiting for item in self.contacts(name))

    def denies(self, name: str) -> bool:
        modes = [item.tlvs.get(0xCA) for item in self.items.values() if item.kind == MODE]
        denied = any(item.kind == DENY and plain(item.name) == name for item in self.items.values())
        return denied and u8(4) in modes


class State:
    def __init__(self, people: list[str]) -> None:
        """`people`: NAME:PASSWORD each."""
        self.people = [person.partition(":")[::2] for person in people]
        self.ports: list[int] = []
        self.begin()

    def begin(self) -> None:
        self.switches = dict(SWITCHES)
        self.accounts = {plain(name): Account(plain(name), name, password) for name, password in self.people}
        self.tickets: dict[bytes, tuple[str, str, bool]] = {}  # name, service, whether other sessions stay
        self.icons: dict[bytes, bytes] = {}
        self.senders: dict[bytes, str] = {}  # of messages, by their cookies
        self.answers: itertools.count = itertools.count(1)

    def is_on(self, name: str) -> bool:
        return self.switches[name] == "1"

    def ticket(self, name: str, service: str, stays: bool = True) -> bytes:
        made = os.urandom(64)
        self.tickets[made] = name, service, stays
        return made

    def account(self, name: bytes | str) -> Account | None:
        try:
            return self.accounts.get(plain(name))
        except UnicodeDecodeError:
            return None

    def all_sessions(self) -> list:
        return [session for account in self.accounts.values() for session in account.sessions]

    def tell(self, name: str, family: int, subtype: int, body: bytes) -> bool:
        """To all of an account's sessions; whether there is one."""
        sessions = self.accounts[name].sessions
        for session in sessions:
            session.say(family, subtype, body)
        return bool(sessions)

    def tell_or_keep(self, name: str, subtype: int, body: bytes) -> None:
        """Of family 13."""
        if not self.tell(name, 0x13, subtype, body):
            self.accounts[name].events.append((subtype, body))

    # ---- who is seen by whom ----

    def shown(self, account: Account):
        """The session that others see, or None."""
        visible = [session for session in account.sessions if not session.status & 0x100]
        present = [session for session in visible if not session.is_away]
        return (present or visible or [None])[0]

    def user_info(self, account: Account, session=None) -> bytes:
        session = session or self.shown(account)
        tlvs = [u16(1) + u16(2) + u16((0x40 if account.is_icq else 0x10) | (0x20 if session and session.is_away else 0))]
        if session and account.is_icq:
            tlvs.append(u16(6) + u16(4) + session.status.to_bytes(4, "big"))
        if session and session.idle:
            tlvs.append(u16(4) + u16(2) + u16(session.idle // 60))
        if account.icon:
            thing = u16(1) + u8(account.icon_flags) + u8(len(account.icon)) + account.icon
            tlvs.append(u16(0x1D) + u16(len(thing)) + thing)
        name = account.spelling.encode()
        return u8(len(name)) + name + u16(0) + u16(len(tlvs)) + b"".join(tlvs)

    def watchers(self, account: Account) -> list[Account]:
        return [other for other in self.accounts.values() if other.sees(account.name) and not account.denies(other.name)]

    def presence_of(self, account: Account) -> tuple[int, bytes]:
        if self.shown(account):
            return 0x0B, self.user_info(account)
        name = account.spelling.encode()
        return 0x0C, u8(len(name)) + name + u16(0) + u16(0)

    def announce(self, account: Account) -> None:
        subtype, body = self.presence_of(account)
        for other in self.watchers(account):
            self.tell(other.name, 3, subtype, body)
