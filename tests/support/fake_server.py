"""An XMPP server for tests, inside the test's process: a real XEP-0114 acceptor for components, in-process clients for
users, and of RFC 6120/6121 what a gateway meets: routing, bouncing, rosters, subscriptions, presence, offline messages.

Strict where servers are strict: a component's foreign `from`, a character that is no XML, or an oversized stanza ends
its stream (fake_component.py).
"""
from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from fake_component import ComponentListener, domain_of
from fake_roster import Roster
from mailbox import Mailbox
from xml_stream import CLIENT, child, error_reply, local, make, parse

PING = "urn:xmpp:ping"
ROSTER = "jabber:iq:roster"
VCARD = "vcard-temp"
PRIVILEGE = "urn:xmpp:privilege:2"
SUBSCRIPTIONS = ("subscribe", "subscribed", "unsubscribe", "unsubscribed")


def bare(address: str) -> str:
    return address.partition("/")[0]


@dataclass
class _User:
    jid: str
    roster: Roster = field(default_factory=Roster)
    sessions: dict[str, "FakeClient"] = field(default_factory=dict)
    offline: list[Element] = field(default_factory=list)
    vcard: Element | None = None

    def available(self) -> list["FakeClient"]:
        return [session for session in self.sessions.values() if session.presence is not None]


class FakeClient(Mailbox):
    """A connected client of the fake server: like xmpp_client.Client, without the network between."""

    def __init__(self, server: "FakeServer", user: _User, resource: str) -> None:
        super().__init__(f"{user.jid}/{resource}")
        self.jid = f"{user.jid}/{resource}"
        self.user = user
        self.presence: Element | None = None  # its last available presence
        self.interested = False               # it asked for the roster
        self.directed: set[str] = set()
        self._server = server

    async def send(self, xml: str) -> None:
        for stanza in parse(xml):
            stanza.set("from", self.jid)
            self._server.from_client(self, stanza)

    async def close(self) -> None:
        if self.user.sessions.get(self.jid.partition("/")[2]) is self:
            self._server.disconnect(self)


class FakeServer:
    def __init__(self, hosts: list[str], components: dict[str, str], trusted: str = "") -> None:
        """`components`: their domains and secrets; the trusted one may write to rosters (XEP-0356)."""
        self.hosts = hosts
        self.trusted = trusted
        self.listener = ComponentListener(components, self.route, self._component_came)
        self._users: dict[str, _User] = {}

    async def start(self) -> None:
        await self.listener.start()

    async def stop(self) -> None:
        await self.listener.stop()

    @property
    def component_port(self) -> int:
        return self.listener.port

    def add_user(self, jid: str) -> None:
        self._users[jid] = _User(jid)

    async def connect(self, jid: str, resource: str) -> FakeClient:
        user = self._users[jid]
        client = FakeClient(self, user, resource)
        user.sessions[resource] = client
        return client

    def disconnect(self, client: FakeClient) -> None:
        self._unavailable(client, make("presence", type="unavailable", **{"from": client.jid}))
        client.user.sessions.pop(client.jid.partition("/")[2], None)
        client.end("it disconnected")

    # ---- From a client ----

    def from_client(self, client: FakeClient, stanza: Element) -> None:
        kind, to = local(stanza), stanza.get("to")
        if kind == "presence":
            self._presence_from(client, stanza)
        elif kind == "iq" and (not to or to == client.user.jid):
            self._account_iq(client, stanza)
        else:
            if not to:
                stanza.set("to", client.user.jid)
            self.route(stanza)

    def _presence_from(self, client: FakeClient, stanza: Element) -> None:
        to, kind = stanza.get("to"), stanza.get("type")
        if kind in SUBSCRIPTIONS and to:
            self._subscription_from(client.user, kind, bare(to), stanza)
        elif to:
            if kind == "unavailable":
                client.directed.discard(to)
            elif not kind and not self._sees(client.user, bare(to)):
                client.directed.add(to)
            self.route(stanza)
        elif kind == "unavailable":
            self._unavailable(client, stanza)
        elif not kind:
            self._available(client, stanza)

    def _available(self, client: FakeClient, stanza: Element) -> None:
        initial, client.presence = client.presence is None, stanza
        self._broadcast(client, stanza)
        if not initial:
            return
        roster = client.user.roster
        for jid, item in roster.items.items():  # RFC 6121 §4.3.1
            if item.to:
                self.route(make("presence", type="probe", to=jid, **{"from": client.jid}))
        for jid in sorted(roster.pending):
            client.put(make("presence", type="subscribe", to=client.user.jid, **{"from": jid}))
        waiting, client.user.offline = client.user.offline, []
        for message in waiting:
            client.put(message)

    def _unavailable(self, client: FakeClient, stanza: Element) -> None:
        if client.presence is not None:
            client.presence = None
            self._broadcast(client, stanza)
        for jid in sorted(client.directed):
            self.route(_addressed(stanza, client.jid, jid))
        client.directed.clear()

    def _broadcast(self, client: FakeClient, stanza: Element) -> None:
        """RFC 6121 §4.2.2: to those who see the user, and to the user's own devices."""
        for jid, item in client.user.roster.items.items():
            if item.from_:
                self.route(_addressed(stanza, client.jid, jid))
        for session in client.user.available():
            session.put(_addressed(stanza, client.jid, session.jid))

    @staticmethod
    def _sees(user: _User, jid: str) -> bool:
        item = user.roster.items.get(jid)
        return bool(item and item.from_)

    def _subscription_from(self, user: _User, kind: str, jid: str, stanza: Element) -> None:
        outcome = user.roster.outbound(kind, jid)
        if outcome.pushes:
            self._push(user, jid)
        if outcome.hides:
            self._show(user, jid, available=False)
        if outcome.passes:
            self.route(_addressed(stanza, user.jid, jid))
        if outcome.shows:
            self._show(user, jid, available=True)

    def _show(self, user: _User, jid: str, available: bool) -> None:
        for session in user.available():
            stanza = session.presence if available else make("presence", type="unavailable")
            assert stanza is not None
            self.route(_addressed(stanza, session.jid, jid))

    def _push(self, user: _User, jid: str, removed: bool = False) -> None:
        for session in user.sessions.values():
            if session.interested:
                push = make("iq", type="set", id=f"push-{jid}", to=session.jid)
                query = make("query", ROSTER)
                query.append(_roster_item(user.roster, jid, removed))
                push.append(query)
                session.put(push)

    def _account_iq(self, client: FakeClient, stanza: Element) -> None:
        """An iq to the server as the keeper of the user's account."""
        if stanza.get("type") in ("result", "error"):
            return
        query = child(stanza, "query", ROSTER)
        if query is not None and stanza.get("type") == "get":
            client.interested = True
            client.put(_result(stanza, _roster(client.user)))
        elif query is not None and len(query):
            self._set_roster(client.user, query[0])
            client.put(_result(stanza))
        elif (vcard := child(stanza, "vCard", VCARD)) is not None and stanza.get("type") == "set":
            client.user.vcard = vcard
            client.put(_result(stanza))
        elif child(stanza, "session", "urn:ietf:params:xml:ns:xmpp-session") is not None or child(stanza, "ping", PING) is not None:
            client.put(_result(stanza))
        else:
            client.put(error_reply(stanza, "cancel", "service-unavailable"))

    def _component_came(self, domain: str) -> None:
        for host in self.hosts if domain == self.trusted else []:
            message = make("message", to=domain, **{"from": host})
            privilege = make("privilege", PRIVILEGE)
            privilege.append(make("perm", PRIVILEGE, access="roster", type="both"))
            message.append(privilege)
            self.route(message)

    def _set_roster(self, user: _User, item: Element, trusted: bool = False) -> None:
        jid = bare(item.get("jid", ""))
        if item.get("subscription") != "remove":
            if trusted and not user.jid.endswith("@z.test"):  # whose server behaves as ejabberd 24.10 does: without subscriptions
                user.roster.item(jid).to = user.roster.item(jid).from_ = item.get("subscription") == "both"
            user.roster.item(jid).name = item.get("name", "")
            self._push(user, jid)
            return
        saw = self._sees(user, jid)
        kinds = user.roster.remove(jid)
        self._push(user, jid, removed=True)
        for kind in kinds:
            self.route(make("presence", type=kind, to=jid, **{"from": user.jid}))
        if saw:
            self._show(user, jid, available=False)

    # ---- To anybody ----

    def route(self, stanza: Element) -> None:
        """Delivers a stanza with from and to, or bounces it (RFC 6121 §8)."""
        to = stanza.get("to", "")
        domain = domain_of(to)
        if domain in self.listener.secrets:
            if not self.listener.send(domain, stanza):
                self._bounce(stanza, "wait", "remote-server-timeout", "Component unavailable")
        elif domain not in self.hosts:
            self._bounce(stanza, "cancel", "remote-server-not-found")
        elif to == domain:
            self._to_host(stanza)
        elif bare(to) not in self._users:
            self._bounce(stanza, "cancel", "service-unavailable")
        else:
            user = self._users[bare(to)]
            session = user.sessions.get(to.partition("/")[2])
            {"message": self._message_to, "presence": self._presence_to, "iq": self._iq_to}[local(stanza)](user, session, stanza)

    def _to_host(self, stanza: Element) -> None:
        if local(stanza) == "iq" and stanza.get("type") in ("get", "set"):
            if child(stanza, "ping", PING) is not None:
                self.route(_result(stanza))
            else:
                self._bounce(stanza, "cancel", "service-unavailable")

    def _message_to(self, user: _User, session: FakeClient | None, stanza: Element) -> None:
        if session:
            session.put(stanza)
            return
        if stanza.get("type") == "error" and "/" in stanza.get("to", ""):
            return  # RFC 6121 §8.5.3.2.1
        targets = user.available()
        for target in targets:
            target.put(stanza)
        if not targets and stanza.get("type") not in ("error", "headline", "groupchat"):
            user.offline.append(stanza)

    def _presence_to(self, user: _User, session: FakeClient | None, stanza: Element) -> None:
        kind, sender = stanza.get("type"), bare(stanza.get("from", ""))
        if kind in SUBSCRIPTIONS:
            self._subscription_to(user, kind, sender, stanza)
        elif kind == "probe":
            if self._sees(user, sender):
                self._show(user, stanza.get("from", ""), available=True)
            else:
                self.route(make("presence", type="unsubscribed", to=sender, **{"from": user.jid}))
        elif session:
            session.put(stanza)
        elif "/" not in stanza.get("to", ""):
            for target in user.available():
                target.put(stanza)

    def _subscription_to(self, user: _User, kind: str, sender: str, stanza: Element) -> None:
        outcome = user.roster.inbound(kind, sender)
        if outcome.replies:
            self.route(make("presence", type=outcome.replies, to=sender, **{"from": user.jid}))
        if outcome.hides:
            self._show(user, sender, available=False)
        if outcome.passes:
            for session in user.available():
                session.put(_addressed(stanza, sender, user.jid))
        if outcome.pushes:
            self._push(user, sender)
        if outcome.shows:
            self._show(user, sender, available=True)

    def _iq_to(self, user: _User, session: FakeClient | None, stanza: Element) -> None:
        query = child(stanza, "query", ROSTER)
        if session:
            session.put(stanza)
        elif stanza.get("from") == self.trusted and query is not None and stanza.get("type") == "set":
            self._set_roster(user, query[0], trusted=True)
            self.route(_result(stanza))
        elif stanza.get("from") == self.trusted and query is not None and stanza.get("type") == "get":
            self.route(_result(stanza, _roster(user)))
        elif user.vcard is not None and stanza.get("type") == "get" and child(stanza, "vCard", VCARD) is not None:
            self.route(_result(stanza, user.vcard))
        else:
            self._bounce(stanza, "cancel", "service-unavailable")

    def _bounce(self, stanza: Element, kind: str, condition: str, text: str = "") -> None:
        if local(stanza) == "presence" or stanza.get("type") in ("error", "result"):
            return
        self.route(error_reply(stanza, kind, condition, text))


def _addressed(stanza: Element, sender: str, to: str) -> Element:
    copy = Element(stanza.tag, dict(stanza.attrib) | {"from": sender, "to": to})
    copy.text = stanza.text
    copy.extend(stanza)
    return copy


def _result(iq: Element, payload: Element | None = None) -> Element:
    reply = make("iq", CLIENT, type="result", id=iq.get("id"), to=iq.get("from"), **{"from": iq.get("to")})
    if payload is not None:
        reply.append(payload)
    return reply


def _roster(user: _User) -> Element:
    query = make("query", ROSTER)
    for jid in user.roster.items:
        query.append(_roster_item(user.roster, jid))
    return query


def _roster_item(roster: Roster, jid: str, removed: bool = False) -> Element:
    if removed:
        return make("item", ROSTER, jid=jid, subscription="remove")
    item = roster.item(jid)
    return make("item", ROSTER, jid=jid, subscription=item.subscription, ask="subscribe" if item.asked else None,
                name=item.name or None)
