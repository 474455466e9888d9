"""One user's roster on the fake server: the subscription states of RFC 6121 §3 and Appendix A. Pure: it says what to
send, fake_server.py sends it."""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Item:
    to: bool = False       # the user sees the contact
    from_: bool = False    # the contact sees the user
    asked: bool = False    # the user's request is open ("pending out")
    name: str = ""

    @property
    def subscription(self) -> str:
        return {(False, False): "none", (True, False): "to", (False, True): "from", (True, True): "both"}[self.to, self.from_]


@dataclass
class Outcome:
    """What follows from a subscription stanza."""
    passes: bool = False         # the stanza itself goes on (outbound: to the contact; inbound: to the user)
    pushes: bool = False         # the roster item changed: roster push
    shows: bool = False          # the user's presence goes to the contact
    hides: bool = False          # the user's unavailable presence goes to the contact
    replies: str = ""            # a subscription stanza that the server sends back to the contact


@dataclass
class Roster:
    items: dict[str, Item] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)  # requests to the user that wait for an answer ("pending in")

    def item(self, jid: str) -> Item:
        return self.items.setdefault(jid, Item())

    def outbound(self, kind: str, jid: str) -> Outcome:
        """The user sends `kind` to `jid` (RFC 6121 Appendix A.2)."""
        item = self.items.get(jid) or Item()
        if kind == "subscribe":
            if not item.to:
                self.item(jid).asked = True
            return Outcome(passes=True, pushes=not item.to)
        if kind == "unsubscribe":
            item.to = item.asked = False
            return Outcome(passes=True, pushes=jid in self.items)
        if kind == "subscribed":
            if jid not in self.pending:
                return Outcome()  # pre-approval is not offered
            self.pending.discard(jid)
            self.item(jid).from_ = True
            return Outcome(passes=True, pushes=True, shows=True)
        if kind == "unsubscribed":
            asked, saw = jid in self.pending, item.from_
            self.pending.discard(jid)
            item.from_ = False
            return Outcome(passes=asked or saw, pushes=saw, hides=saw)
        return Outcome()

    def inbound(self, kind: str, jid: str) -> Outcome:
        """`jid` sends `kind` to the user (RFC 6121 Appendix A.3)."""
        item = self.items.get(jid) or Item()
        if kind == "subscribe":
            if item.from_:
                return Outcome(replies="subscribed", shows=True)
            new = jid not in self.pending
            self.pending.add(jid)
            return Outcome(passes=new)
        if kind == "subscribed":
            if not item.asked:
                return Outcome()  # nobody asked: not even shown (RFC 6121 §3.1.6)
            item.to, item.asked = True, False
            return Outcome(passes=True, pushes=True)
        if kind == "unsubscribe":
            asked, saw = jid in self.pending, item.from_
            self.pending.discard(jid)
            item.from_ = False
            return Outcome(passes=asked or saw, pushes=saw, hides=saw)
        if kind == "unsubscribed":
            changed = item.to or item.asked
            item.to = item.asked = False
            return Outcome(passes=changed, pushes=changed)
        return Outcome()

    def remove(self, jid: str) -> list[str]:
        """Takes `jid` out: the subscription stanzas that the server sends it for that (RFC 6121 §2.5.2)."""
        item = self.items.pop(jid, None)
        pending = jid in self.pending
        self.pending.discard(jid)
        kinds = []
        if item and (item.to or item.asked):
            kinds.append("unsubscribe")
        if (item and item.from_) or pending:
            kinds.append("unsubscribed")
        return kinds
