"""What every case is thrown at: one wherry under sanitizers, with an XMPP server that writes what it is told, an SMS centre
that does, a Twilio that has nothing to tell, child connectors whose lines come from here; and a bystander who must notice nothing.
"""
from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass

from cases import Case, Wrong
from fake_server import FakeClient, FakeServer
from mailbox import NotReceived
from processes import free_port
from smsc import Bind, Smsc
from webhook import signature
from wherry import Transport, Wherry
from xml_stream import CLIENT, child

RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/network_relay.py")
HOST, SMS, LINES, SECRET = "x.test", "sms.x.test", "lines.x.test", "corpus secret"
ROMEO, JULIET, NURSE, TYBALT, PARIS = "14155550101", "14155550102", "14155550103", "14155550104", "14155550105"
HANDSET = "14155550130"
TOKEN = "corpus-token"
LIMIT = 20.0   # seconds, for anything that must happen
CHILD_NETWORK = {"id": "lines", "name": "Lines", "disco_type": "sms", "contact_prompt": "Name", "contact_help": "", "idempotency": "none",
                 "redelivers": True, "has_presence": False, "reports_delivery": True}


class Child:
    """A child connector whose every line is written here; right answers are given by themselves."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue = asyncio.Queue()   # what it got and nobody answered yet
        self.hellos = 0
        self.account = 0
        self._writer: asyncio.StreamWriter | None = None
        self._news = asyncio.Event()

    def write(self, line: bytes) -> None:
        assert self._writer
        self._writer.write(line + b"\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        while line := await reader.readline():
            message = json.loads(line)
            answer = self._answer(message)
            if message.get("method") == "open":   # a session lasts until it is cancelled
                continue
            if answer is None:
                self.lines.put_nowait(message)
            elif "id" in message:
                self.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer}).encode())

    def _answer(self, message: dict) -> dict | None:
        method = message.get("method")
        if method == "hello":
            self.hellos += 1
            self._news.set()
            return {"protocol": 2, "network": CHILD_NETWORK, "capabilities": {}}
        if method == "know_account":
            self.account = message["params"]["account"]
            self._news.set()
        if method == "log_in":
            return {"credentials": {}}
        return {} if method in ("ping", "know_account", "forget_account", "cancel") else None

    async def until(self, reached) -> None:
        async def wait() -> None:
            while not reached():
                self._news.clear()
                await self._news.wait()
        await asyncio.wait_for(wait(), LIMIT)


def own_domain(case: Case) -> str:
    """Of the component that a case of this kind has to itself."""
    return f"{case.name.replace('_', '-')}.{case.kind}.{HOST}"


@dataclass
class Untouched:
    """What a case may not change, as it was before it."""
    streams: dict[str, object]
    bind: Bind


class World:
    def __init__(self, binary: str, folder: str, cases: dict[str, list[Case]], verbose: bool) -> None:
        self.folder = folder
        self.smsc = Smsc()
        # A case that ends a stream, a link or a process ends its own, and nobody else's.
        self.own_streams = {own_domain(case) for case in cases["streams"]}
        self.own_links = {case.name: f"own{i}" for i, case in enumerate(cases["pdus"]) if case.has("ends") or case.has("slow")}  # system_id
        self.own_children = {own_domain(case): Child() for case in cases["lines"] if case.has("ends")}
        self.children = self.own_children | {LINES: Child()}
        self.domains = {SMS} | self.own_streams | set(self.children)
        self.server = FakeServer([HOST, "y.test"], {domain: SECRET for domain in self.domains})
        self.http_port = free_port()
        self.public_url = f"http://127.0.0.1:{self.http_port}"
        self.log: list[str] = []
        self._binary, self._verbose = binary, verbose
        self._markers = 0
        self._news = asyncio.Event()
        self.people: dict[str, FakeClient] = {}

    # ---- From start to end ----

    async def start(self) -> None:
        await self.server.start()
        await self.smsc.start()
        sockets = os.path.join(self.folder, "children")
        self._sockets = await asyncio.start_unix_server(self._relay, sockets, limit=16 << 20)
        self._twilio = await asyncio.start_server(self._twilio_api, "127.0.0.1", 0)
        transports = [self._transport(SMS, connector="sms", configuration=self._sms(self._twilio.sockets[0].getsockname()[1]))]
        transports += [self._transport(domain, connector="echo") for domain in sorted(self.own_streams)]
        transports += [self._transport(domain, child=[sys.executable, "-I", "-S", RELAY, sockets, domain]) for domain in sorted(self.children)]
        connectors = os.path.join(os.path.dirname(os.path.abspath(self._binary)), "..", "connectors")
        self.wherry = Wherry(self._binary, os.path.join(self.folder, "wherry"), "sqlite", transports, connectors, self._hear)
        self.wherry.serve_http(self.http_port)
        await self.wherry.start(60)
        for name in ("romeo@x.test", "juliet@x.test", "nurse@x.test", "tybalt@x.test", "paris@x.test", "mercutio@y.test"):
            self.server.add_user(name)
            client = self.people[name] = await self.server.connect(name, "desk")
            await client.send("<presence/>")
        for name in ("romeo@x.test", "juliet@x.test", "nurse@x.test"):
            await self._register(name, SMS)
        for domain, there in self.children.items():
            await self._register("romeo@x.test", domain)
            await there.until(lambda there=there: there.account)
        self.before = Untouched(dict(self.server.listener.connected), await self.smsc.bound("main"))
        for system_id in self.own_links.values():
            await self.smsc.bound(system_id)
        await self.undisturbed()
        self._forget()

    async def stop(self) -> int:
        code = await self.wherry.stop()
        await self.server.stop()
        self.smsc.stop()
        self._sockets.close()
        self._twilio.close()
        return code

    def _transport(self, domain: str, **more) -> Transport:
        return Transport(domain, self.server.component_port, SECRET, HOST, register_domains=[HOST], **more)

    def _sms(self, twilio_port: int) -> dict:
        smpp = {"type": "smpp", "host": "127.0.0.1", "port": self.smsc.port, "password": "p", "redelivery_window_seconds": 0}
        carriers = [{"name": "main", "system_id": "main"} | smpp]
        carriers += [{"name": system_id, "system_id": system_id} | smpp for system_id in self.own_links.values()]
        carriers.append({"name": "tw", "type": "twilio", "account_sid": "AC1", "auth_token": TOKEN, "base_url": f"http://127.0.0.1:{twilio_port}"})
        assigned = {ROMEO: ("main", "romeo"), JULIET: ("main", "juliet"), NURSE: ("tw", "nurse"), TYBALT: ("main", "tybalt"), PARIS: ("main", "paris")}
        numbers = [{"number": f"+{number}", "carrier": carrier, "users": [f"{user}@{HOST}"]} for number, (carrier, user) in assigned.items()]
        return {"region": "US", "carriers": carriers, "numbers": numbers}

    async def _register(self, user: str, domain: str) -> None:
        phone = {"romeo@x.test": ROMEO, "juliet@x.test": JULIET, "nurse@x.test": NURSE}[user]
        client = self.people[user]
        await client.send(f"<iq type='set' id='reg' to='{domain}'><query xmlns='jabber:iq:register'><phone>+{phone}</phone></query></iq>")
        answer = await client.take(lambda e: e.get("id") == "reg" and e.tag == "{%s}iq" % CLIENT, LIMIT)
        if answer.get("type") != "result":
            raise Wrong(f"{user} cannot register with {domain}")

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = json.loads(await reader.readline())
            await self.children[hello["relay"]].serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        writer.close()

    @staticmethod
    async def _twilio_api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Twilio has no messages, however often it is asked."""
        body = b'{"messages":[],"next_page_uri":null}'
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        writer.close()

    # ---- The log ----

    def _hear(self, line: str) -> None:
        self.log.append(line)
        self._news.set()
        if self._verbose:
            print(f"        {line[:1000]}", flush=True)

    async def logged(self, words: str, since: int) -> None:
        """Waits for a line with these words, not before the line numbered `since`."""
        async def wait() -> None:
            while not any(words in line for line in self.log[since:]):
                self._news.clear()
                await self._news.wait()
        try:
            await asyncio.wait_for(wait(), LIMIT)
        except asyncio.TimeoutError:
            said = "\n".join(line[:300] for line in self.log[since:][-12:])
            raise Wrong(f"the log does not say: {words}\nit says:\n{said}") from None

    # ---- What the cases do ----

    def write_to_component(self, domain: str, text: str) -> None:
        """As the server would pass it on, whatever it is."""
        self.server.listener.connected[domain].write(text)

    def sign(self, target: str, body: str) -> str:
        return signature(TOKEN, self.public_url + target, body)

    async def http(self, octets: bytes, limit: float = LIMIT) -> bytes:
        """Everything that the gateway's HTTP server says to these octets, until it closes the connection; the octets' own request
        has asked for that, or deserves it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http_port)
        try:
            writer.write(octets)
            return await asyncio.wait_for(reader.read(1 << 20), limit)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    # ---- The bystander ----

    async def undisturbed(self) -> None:
        """Every component stream and the bind are the ones from the beginning, and Juliet's texts go both ways. Raises Wrong."""
        self._markers += 1
        words = f"marker {self._markers}"
        juliet, bind = self.people["juliet@x.test"], self.smsc.binds.get("main")
        if bind is None or bind is not self.before.bind:
            raise Wrong("the SMPP bind is not the same any more")
        await juliet.send(f"<message type='chat' id='k{self._markers}' to='+{HANDSET}@{SMS}'><body>{words}</body></message>")
        try:
            while await asyncio.wait_for(bind.texts.get(), LIMIT) != (JULIET, words):
                pass
        except asyncio.TimeoutError:
            raise Wrong("a bystander's text does not reach the SMS centre") from None
        answer = await self.smsc.deliver(bind, HANDSET, JULIET, words)
        if answer != (0x80000005, 0, bind.sequence):
            raise Wrong(f"a bystander's text from the SMS centre is answered {answer}")
        try:
            await juliet.take(lambda e: (body := child(e, "body", CLIENT)) is not None and body.text == words, LIMIT)
        except NotReceived:
            raise Wrong("a text from the SMS centre does not reach a bystander") from None
        for domain, stream in self.before.streams.items():
            if domain not in self.own_streams and self.server.listener.connected.get(domain) is not stream:
                raise Wrong(f"the component stream of {domain} is not the same any more: {self.server.listener.refused}")
        if report := self.wherry.sanitizer_report():
            raise Wrong(f"the sanitizers:\n{report}")

    async def settled(self, client: FakeClient, domain: str = SMS) -> None:
        """Until everything that the client got the server to pass on before has been worked on: a ping behind it is answered."""
        self._markers += 1
        name = f"p{self._markers}"
        await client.send(f"<iq type='get' id='{name}' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await client.take(lambda e: e.get("id") == name, LIMIT)

    def _forget(self) -> None:
        for client in self.people.values():
            client.clear()

    def leftovers(self) -> list[str]:
        """What came to anybody and no case expected; forgotten now."""
        found = [f"{client.jid} got {line}" for client in self.people.values() for line in client.describe()]
        self._forget()
        return [line for line in found if not re.search(r" got <presence", line)]
