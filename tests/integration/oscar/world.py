"""A wherry with the connector oscar, once for ICQ and once for AIM, beside a fake XMPP server and the simulator; and people on both sides."""
from __future__ import annotations

import asyncio
import os
import sys
from typing import Callable
from xml.etree.ElementTree import Element

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../support")]

from peer import Peer  # noqa: E402
from processes import Program  # noqa: E402
from stage import SECRET, Stage  # noqa: E402
from wherry import Transport  # noqa: E402
from xml_stream import CLIENT, child, local, to_text  # noqa: E402

ICQ, AIM, USERS = "icq.test", "aim.test", "x.test"
SIMULATOR = os.path.join(HERE, "../../simulators/oscar/oscar")
ROMEO, JULIET, NURSE, TYBALT, JOE, ZOE = "100001", "100002", "100003", "100004", "chattyjoe", "zoë"
PASSWORDS = {ROMEO: "secret01", JULIET: "secret02", NURSE: "secret03", TYBALT: "secret04", JOE: "secret05", "romeo": "secret06", ZOE: "secret07"}
SPELT = {JOE: "ChattyJoe", ZOE: "Zoë"}
LIMIT = 30  # seconds for anything that must happen


class Simulator:
    """tests/simulators/oscar as a program of its own."""

    def __init__(self) -> None:
        people = [f"{SPELT.get(name, name)}:{password}" for name, password in PASSWORDS.items()]
        self._program = Program("the simulator", [sys.executable, SIMULATOR, *people])
        self.port = self._control = 0

    async def start(self) -> None:
        await self._program.start()
        await self._program.wait_line(lambda line: line.startswith("ready "), 30)
        line = next(line for line in self._program.lines if line.startswith("ready "))
        self.port, self._control = map(int, line.split()[1:])

    async def switch(self, *words: str) -> str:
        """One line of its control port, and the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._control)
        writer.write(" ".join(words).encode() + b"\n")
        answer = (await asyncio.wait_for(reader.readline(), LIMIT)).decode().strip()
        writer.close()
        assert not answer.startswith("there is no"), answer
        return answer

    async def stop(self) -> None:
        await self._program.stop()

    def sessions(self, word: str, name: str) -> int:
        """How often a session of that account has come ("in") or gone ("out")."""
        return list(self._program.lines).count(f"{word} {name}")

    async def says(self, line: str, times: int) -> None:
        await self._program.wait_line(lambda said: said == line, LIMIT, times)

    def take_breaches(self) -> list[str]:
        breaches = [line for line in self._program.lines if line.startswith("breach") or "Traceback" in line or "Error" in line]
        for line in breaches:
            self._program.lines.remove(line)
        return breaches


class World(Stage):
    def __init__(self, binary: str, folder: str, verbose: bool) -> None:
        super().__init__("fake", folder, [USERS], [ICQ, AIM])
        self._binary, self._verbose = binary, verbose
        self.network = Simulator()
        self._numbers = 0

    async def _begin(self) -> None:
        self._stack.push_async_callback(self.network.stop)
        await self.network.start()
        settings = {"host": "127.0.0.1", "port": self.network.port, "logins_a_minute": 6000}
        transports = [Transport(domain, self.link.ports[domain], SECRET, USERS, [], "oscar", "follow_presence", [USERS], [],
                                settings | {"network": network, "replace_other_sessions": network == "aim"})
                      for domain, network in ((ICQ, "icq"), (AIM, "aim"))]
        self._make_wherry(self._binary, "sqlite", transports, print if self._verbose else None)
        await self.wherry.start()

    async def restart(self, meanwhile) -> None:
        """`meanwhile` is awaited while wherry is down."""
        assert await self.wherry.stop() == 0
        await meanwhile
        await self.wherry.start()

    async def user(self, name: str):
        """A fresh user of the XMPP server, connected and available."""
        jid = f"{name}@{USERS}"
        await self.host.add_user(jid)
        client = await self.host.connect(jid, "desk")
        await client.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
        await client.send("<presence/>")
        return client

    def number(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers}"


class Person:
    """A user of XMPP with an account of ICQ or AIM."""

    def __init__(self, world: World, client, name: str, domain: str = ICQ) -> None:
        self.world, self.client, self.name, self.domain = world, client, name, domain

    def address(self, contact: str) -> str:
        return f"{contact}@{self.domain}"

    async def ask(self, to: str, kind: str, payload: str) -> Element:
        """The answer, whatever it is."""
        number = self.world.number("q")
        await self.client.send(f"<iq xmlns='{CLIENT}' type='{kind}' id='{number}' to='{to}'>{payload}</iq>")
        return await self.comes(lambda s: local(s) == "iq" and s.get("id") == number)

    async def register(self, password: str = "") -> Element:
        return await self.ask(self.domain, "set", f"<query xmlns='jabber:iq:register'><username>{self.name}</username>"
                              f"<password>{password or PASSWORDS[self.name]}</password></query>")

    async def come(self) -> "Person":
        """Registers, and is seen to be online by the gateway's presence."""
        answer = await self.register()
        assert answer.get("type") == "result", to_text(answer)
        await self.comes(is_presence(self.domain, "subscribe"))
        await self.client.send(f"<presence type='subscribed' to='{self.domain}'/><presence type='subscribe' to='{self.domain}'/>")
        await self.online()
        return self

    async def online(self) -> None:
        await self.comes(is_presence(self.domain, None, ""), 60)

    async def comes(self, match: Callable[[Element], bool], limit: float = LIMIT) -> Element:
        return await self.client.take(match, limit)

    async def presence(self, contact: str, kind: str | None = None, show: str | None = None, status: str | None = None) -> Element:
        return await self.comes(is_presence(self.address(contact), kind, show, status), 60)

    async def subscribe(self, contact: str, kind: str = "subscribe") -> None:
        await self.client.send(f"<presence type='{kind}' to='{self.address(contact)}'/>")

    async def befriend(self, contact: str) -> None:
        """Adds who needs not be asked."""
        await self.subscribe(contact)
        await self.presence(contact, "subscribed")

    async def write(self, contact: str, text: str, key: str = "") -> str:
        key = key or self.world.number("m")
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        await self.client.send(f"<message type='chat' to='{self.address(contact)}' id='{key}'><body>{escaped}</body>"
                               "<request xmlns='urn:xmpp:receipts'/></message>")
        return key

    async def reads(self, contact: str, text: str, limit: float = LIMIT) -> Element:
        return await self.comes(lambda s: is_from(s, self.address(contact)) and local(s) == "message" and body(s) == text, limit)

    async def fails(self, key: str, condition: str, limit: float = LIMIT) -> str:
        """A message's error, with that condition; its sentence."""
        stanza = await self.comes(lambda s: local(s) == "message" and s.get("type") == "error" and s.get("id") == key, limit)
        error = child(stanza, "error", CLIENT)
        assert condition in [local(part) for part in error], to_text(stanza)
        return "".join(part.text or "" for part in error if local(part) == "text")

    async def trouble(self, words: str, limit: float = LIMIT) -> None:
        """The gateway's presence says what is wrong with the account."""
        await self.comes(lambda s: local(s) == "presence" and s.get("type") == "error" and is_from(s, self.domain) and words in to_text(s), limit)

    async def takes_no_lists(self) -> None:
        """The gateway asks a program what it can do, before it offers a list."""
        asked = await self.comes(lambda s: local(s) == "iq" and s.get("type") == "get" and is_from(s, self.domain))
        await self.client.send(f"<iq type='error' to='{asked.get('from')}' id='{asked.get('id')}'><error type='cancel'>"
                               "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")

    async def leave(self) -> None:
        await self.client.send(f"<iq type='set' to='{self.domain}' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>")
        await self.comes(lambda s: local(s) == "iq" and s.get("id") == "bye")


def is_from(stanza: Element, sender: str) -> bool:
    return (stanza.get("from") or "").partition("/")[0] == sender


def text_of(stanza: Element, name: str) -> str:
    found = child(stanza, name, CLIENT)
    return (found.text or "") if found is not None else ""


def body(stanza: Element) -> str:
    return "" if stanza.get("type") == "error" else text_of(stanza, "body")


def is_presence(sender: str, kind: str | None = None, show: str | None = None, status: str | None = None) -> Callable[[Element], bool]:
    return lambda s: (local(s) == "presence" and is_from(s, sender) and s.get("type") == kind and
                      (show is None or text_of(s, "show") == show) and (status is None or text_of(s, "status") == status))


class Play:
    """What one scenario uses: fresh users of XMPP, and people with programs of their own."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.people: list[Person] = []
        self.peers: list[Peer] = []
        self.switch = world.network.switch

    async def user(self, name: str = ROMEO, domain: str = ICQ, client=None) -> Person:
        client = client or await self.world.user(f"{self.name}-{len(self.people)}")
        self.people.append(Person(self.world, client, name, domain))
        return self.people[-1]

    async def registered(self, name: str = ROMEO, domain: str = ICQ, client=None) -> Person:
        person = await self.user(name, domain, client)
        return await person.come()

    async def peer(self, name: str = JULIET, status: int = 0, stays: bool = True) -> Peer:
        peer = await Peer(self.world.network.port, name, PASSWORDS[name]).start(status, stays)
        self.peers.append(peer)
        return peer

    async def befriended(self, person: Person, name: str = JULIET) -> Peer:
        """Somebody whom the person has added, and who has added the person."""
        peer = await self.peer(name)
        await person.befriend(name)
        await person.presence(name)
        await peer.add(person.name)
        await peer.sees(person.name)
        return peer

    async def end(self) -> None:
        for peer in self.peers:
            await peer.stop()
        for person in self.people:
            await person.leave()
        for client in {id(person.client): person.client for person in self.people}.values():
            await client.close()
