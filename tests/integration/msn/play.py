"""What the scenarios of the connector msn have in common: a user of XMPP on one side, people of MSN on the other."""
from __future__ import annotations

from peer import Peer
from world import DOMAIN, LIMIT, PEOPLE, World, contact, is_presence
from xml_stream import CLIENT, child, local, to_text

ROMEO, JULIET, NURSE, TYBALT = (f"{name}@example.com" for name in PEOPLE)
SCENARIOS = []
STATES = "http://jabber.org/protocol/chatstates"


def scenario(only_simulator: bool = False):
    def take(function):
        SCENARIOS.append((function, only_simulator))
        return function
    return take


class Play:
    """What one scenario uses: a fresh user of XMPP, and people of MSN."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.client = None
        self._peers: list[Peer] = []

    async def user(self):
        self.client = await self.world.user(self.name)
        return self.client

    async def registered(self, email: str = ROMEO):
        """The user, registered, and seen to be online by the gateway's presence."""
        client = await self.user()
        answer = await self.world.register(client, email, "secret-" + email.partition("@")[0])
        assert answer.get("type") == "result", to_text(answer)
        await self.enters()
        return client

    async def enters(self) -> None:
        """The user and the gateway see each other, and the user is online on MSN."""
        await self.comes(is_presence(DOMAIN, "subscribe"))
        await self.client.send(f"<presence type='subscribed' to='{DOMAIN}'/><presence type='subscribe' to='{DOMAIN}'/>")
        await self.comes(is_presence(DOMAIN, None, ""))

    async def peer(self, email: str = JULIET, version: int = 12, status: str = "NLN") -> Peer:
        peer = Peer(self.world.server, email, "secret-" + email.partition("@")[0], version)
        await peer.start(status)
        self._peers.append(peer)
        return peer

    async def befriended(self, email: str = JULIET, version: int = 12) -> Peer:
        """A person that the user has added, and that sees the user."""
        peer = await self.peer(email, version)
        await self.client.send(f"<presence type='subscribe' to='{contact(email)}'/>")
        await self.comes(is_presence(contact(email), "subscribed"))
        await self.comes(is_presence(contact(email), None))
        await peer.accept(ROMEO)
        return peer

    async def comes(self, match, limit: float = LIMIT):
        return await self.client.take(match, limit)

    async def says(self, email: str, text: str, key: str = "m") -> None:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        await self.client.send(f"<message type='chat' to='{contact(email)}' id='{key}'><body>{escaped}</body></message>")

    async def fails(self, key: str, condition: str, limit: float = LIMIT) -> str:
        """A message's error, with that condition; its sentence."""
        stanza = await self.comes(lambda s: local(s) == "message" and s.get("type") == "error" and s.get("id") == key, limit)
        error = child(stanza, "error", CLIENT)
        conditions = [local(part) for part in error]
        assert condition in conditions, to_text(stanza)
        return "".join(part.text or "" for part in error if local(part) == "text")

    async def comes_before(self, match, other) -> None:
        """What fits `match`; nothing before it fits `other`."""
        while not match(stanza := await self.comes(lambda s: True)):
            assert not other(stanza), to_text(stanza)

    async def end(self) -> None:
        for peer in self._peers:
            await peer.stop()
        if self.client is not None:
            await self.client.send(f"<iq type='set' to='{DOMAIN}' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>")
            await self.comes(lambda s: local(s) == "iq" and s.get("id") == "bye")
            await self.client.close()


    async def goes(self, peer: Peer) -> None:
        """The user, until that person sees it."""
        await self.client.send("<presence type='unavailable'/>")
        await peer.ns.take(lambda line: line.words[:2] == ["FLN", ROMEO])

    async def returns(self) -> None:
        self.client.clear()
        await self.client.send("<presence/>")
        await self.comes(is_presence(DOMAIN, None))

    async def goes_away(self, peer: Peer) -> None:
        """That person, until the user sees it."""
        await peer.stop()
        self._peers.remove(peer)
        await self.comes(is_presence(contact(peer.email), "unavailable"))


def is_trouble(words: str):
    """The gateway's presence that says what is wrong with the account."""
    return lambda s: local(s) == "presence" and s.get("type") == "error" and s.get("from", "").startswith(DOMAIN) and words in to_text(s)
