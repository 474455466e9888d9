"""Who has which account, who is on whose lists, who is there; and the switches."""
from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

FL, AL, BL, RL, PL = 1, 2, 4, 8, 16
LISTS = {"FL": FL, "AL": AL, "BL": BL, "RL": RL, "PL": PL}


@dataclass
class Account:
    email: str
    password: str
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = ""
    status: str = "FLN"
    personal: bytes = b""
    object: str = ""                                     # of its picture
    blp: str = "AL"
    lists: dict[str, int] = field(default_factory=dict)  # bits by address, PL beside RL while undecided
    session: object = None                               # the notification session, where there is one
    ticket: str = ""                                     # of the present session, or the last
    letters: list = field(default_factory=list)          # that wait for it

    def lets_see(self, other: str) -> bool:
        bits = self.lists.get(other, 0)
        return not bits & BL and (bool(bits & AL) or self.blp == "AL")

    def shown_to(self, other: str) -> str:
        """Its status as the other sees it."""
        return "FLN" if self.status in ("FLN", "HDN") or not self.lets_see(other) else self.status


class State:
    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.ports: list[int] = []  # notification, switchboard, HTTPS, control
        self.begin()

    def begin(self) -> None:
        """As at the start: nobody there, nobody on a list, no fault."""
        self.accounts = {f"{name}@example.com": Account(f"{name}@example.com", f"secret-{name}", name=name.capitalize()) for name in self.names}
        self.tickets: dict[str, str] = {}          # address by ticket
        self.keys: dict[str, tuple] = {}           # (address, chat or None) by key of a switchboard
        self.chats: dict[str, list] = {}           # members (switchboard sessions) by session id
        self.challenges_answered = 0
        self.switches = {"silence": "-", "nak": "0", "no_join": "0", "no_board": "0", "wrong_ticket": "0", "redirects": "0", "challenge": "0", "torn": "0",
                         "letters": "1", "letters_fail": "0", "letters_stay": "0", "lock": "0"}

    def is_on(self, switch: str) -> bool:
        return self.switches[switch] == "1"

    def ticket_for(self, email: str) -> str:
        ticket = secrets.token_hex(10)
        self.tickets[ticket] = email
        return ticket

    def key_for(self, email: str, chat: str | None) -> str:
        key = secrets.token_hex(10)
        self.keys[key] = (email, chat)
        return key

    def account_with(self, ticket: str) -> Account | None:
        return next((account for account in self.accounts.values() if ticket and account.session and account.ticket == ticket), None)

    def leave(self, recipient: Account, letter) -> None:
        recipient.letters.append(letter)
        if recipient.session:
            recipient.session.announce([letter], False)

    def show(self, account: Account, only: str = "") -> None:
        """Tells everybody, or one, who has the account on FL how it is now."""
        for other in self.accounts.values():
            if other.session and other.email != account.email and other.lists.get(account.email, 0) & FL and only in ("", other.email):
                other.session.show(account)
