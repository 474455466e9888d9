"""What the kill test runs: a fake XMPP server with five users, the link to it, the SMSC simulator, one wherry; and a
record of every text in either direction. Used by `kills`, which judges the record."""
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import urllib.request
from dataclasses import dataclass, field
from typing import Callable
from xml.etree.ElementTree import Element

from fake_server import FakeClient, FakeServer
from link import Link
from processes import Program
from wherry import Transport, Wherry
from xml_stream import CLIENT, STANZA_ERRORS, child, local

SIMULATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../simulators/smsc/smsc")
GATEWAY, HOST, SECRET = "sms.x.test", "x.test", "kill secret"
USERS = {f"user{i}@{HOST}": f"+1415555010{i}" for i in range(1, 6)}  # with the number of each
HANDSETS = [f"+1415555013{i}" for i in range(1, 5)]
RECEIPTS = "urn:xmpp:receipts"
UNCERTAIN = "It is not known whether this arrived."  # how the gateway's error begins then
BOUNCED = "Component unavailable"                    # the fake server's own words


@dataclass
class Outgoing:
    """A text from a user to a handset."""
    name: str                          # its id and its words
    sender: str
    handset: str
    life: int                          # of wherry, in which it was sent
    ponged: float | None = None        # when the ping sent after it was answered
    accepted: bool = False
    copies: int = 0                    # at the handset
    errors: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)  # the stanza id of each

    @property
    def bounced(self) -> bool:
        return BOUNCED in self.errors

    @property
    def uncertain(self) -> bool:
        return any(error.startswith(UNCERTAIN) for error in self.errors)

    @property
    def refused(self) -> bool:
        return any(error != BOUNCED and not error.startswith(UNCERTAIN) for error in self.errors)

    @property
    def has_outcome(self) -> bool:
        return bool(self.copies or self.errors)


@dataclass
class Incoming:
    """A text from a handset to a user."""
    name: str
    user: str
    arrivals: list[str] = field(default_factory=list)  # the stanza id of each


class World:
    """`async with World(...)`: everything runs, and every user is registered."""

    def __init__(self, binary: str, folder: str) -> None:
        self.binary, self.folder = binary, folder
        self.outgoing: dict[str, Outgoing] = {}
        self.incoming: dict[str, Incoming] = {}
        self.order: dict[str, list[str]] = {user: [] for user in USERS}  # names of incoming texts, as they came
        self.strangers: list[str] = []      # what nobody expected
        self.clients: dict[str, FakeClient] = {}
        self.life = 0                       # how often wherry was started
        self.complaints: list[str] = []     # its error lines, and what sanitizers say
        self._log = open(os.path.join(folder, "wherry.log"), "w", encoding="utf-8")
        self._news = asyncio.Event()
        self._iqs: dict[str, asyncio.Future[Element]] = {}
        self._pings: dict[str, Outgoing] = {}
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self) -> "World":
        self._stack = contextlib.AsyncExitStack()
        self._stack.callback(self._log.close)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_failure) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.server = FakeServer([HOST], {GATEWAY: SECRET})
        self._stack.push_async_callback(self.server.stop)
        await self.server.start()
        for user in USERS:
            self.server.add_user(user)
            client = self.clients[user] = await self.server.connect(user, "phone")
            client.put = lambda stanza, user=user: self._arrived(user, stanza)  # thousands come: recorded, not kept
            await client.send("<presence/>")
        self.link = Link(lambda domain: self.server.component_port, [GATEWAY])
        self._stack.push_async_callback(self.link.stop)
        await self.link.start()
        self.simulator = Program("the simulator", [sys.executable, SIMULATOR, "--smpp-port", "0", "--http-port", "0",
                                                   "--keep", "1000000", "--password", "secret"])
        await self.simulator.start()
        self._stack.push_async_callback(self.simulator.stop)
        await self.simulator.wait_line(lambda line: line.startswith('{"smpp_port"'), 30)
        ready = json.loads(next(line for line in self.simulator.lines if line.startswith('{"smpp_port"')))
        self._url = ready["url"].rstrip("/")
        configuration = {
            "region": "US",
            "numbers": [{"number": number, "carrier": "simulator", "users": [user]} for user, number in USERS.items()],
            "carriers": [{"name": "simulator", "type": "smpp", "host": "127.0.0.1", "port": ready["smpp_port"],
                          "system_id": "wherry", "password": "secret"}]}
        transport = Transport(GATEWAY, self.link.ports[GATEWAY], SECRET, HOST, connector="sms", register_domains=[HOST],
                              configuration=configuration)
        connectors = os.path.join(os.path.dirname(self.binary), "../connectors")
        self.wherry = Life(self.binary, os.path.join(self.folder, "wherry"), "sqlite", [transport], connectors, self._logged)
        self._stack.push_async_callback(self._stop_wherry)
        began = asyncio.get_running_loop().time()
        await self.start_wherry()
        await self.connected()
        self.startup = asyncio.get_running_loop().time() - began  # s, until both links are up
        for user, number in USERS.items():
            answer = await self.ask(user, "set", f"<query xmlns='jabber:iq:register'><phone>{number}</phone></query>")
            if answer.get("type") != "result":
                raise RuntimeError(f"{user} could not register: {error_text(answer)}")
        self._stack.push_async_callback(self._stop_tasks)
        self.spawn(self._collect())

    # ---- wherry ----

    async def start_wherry(self) -> None:
        """Returns once the process runs; connected() waits for its links."""
        self.life += 1
        self._log.write(f"---- life {self.life}\n")
        await self.wherry.launch()

    async def connected(self) -> None:
        """Until the XMPP link and the SMPP bind are up. Raises TimeoutError."""
        await self.link.wait_connected(60)
        await self.get("/api/status?bound=1&wait=60")

    async def _stop_wherry(self) -> None:
        if self.wherry.running:
            await self.wherry.stop()

    def _logged(self, line: str) -> None:
        self._log.write(line + "\n")
        if re.match(r"\S+ (error|critical) ", line) or re.search(r"AddressSanitizer|LeakSanitizer|runtime error:|terminate called", line):
            self.complaints.append(f"life {self.life}: {line}")

    # ---- XMPP ----

    async def send(self, user: str, handset: str, name: str) -> None:
        """A text with a receipt request, and a ping behind it in the same stream (XEP-0199): the pong proves it read."""
        text = self.outgoing[name] = Outgoing(name, user, handset, self.life)
        self._pings["ping-" + name] = text
        await self.clients[user].send(
            f"<message type='chat' id='{name}' to='{handset}@{GATEWAY}'><body>{name}</body>"
            f"<request xmlns='{RECEIPTS}'/></message>"
            f"<iq type='get' id='ping-{name}' to='{GATEWAY}'><ping xmlns='urn:xmpp:ping'/></iq>")

    async def ask(self, user: str, kind: str, payload: str) -> Element:
        name = f"ask-{len(self._iqs)}"
        answered = self._iqs[name] = asyncio.get_running_loop().create_future()
        await self.clients[user].send(f"<iq type='{kind}' id='{name}' to='{GATEWAY}'>{payload}</iq>")
        return await asyncio.wait_for(answered, 30)

    def _arrived(self, user: str, stanza: Element) -> None:
        name = stanza.get("id", "")
        if local(stanza) == "iq":
            if name in self._iqs and stanza.get("type") in ("result", "error"):
                self._iqs[name].set_result(stanza)
            elif name in self._pings and stanza.get("type") == "result":
                self._pings[name].ponged = asyncio.get_running_loop().time()
        elif local(stanza) == "message":
            self._message(user, name, stanza)
        self._news.set()

    def _message(self, user: str, name: str, stanza: Element) -> None:
        received = child(stanza, "received", RECEIPTS)
        body = stanza.findtext("{%s}body" % CLIENT)
        if stanza.get("type") == "error" and name in self.outgoing and self.outgoing[name].sender == user:
            self.outgoing[name].errors.append(error_text(stanza))
        elif received is not None and received.get("id") in self.outgoing:
            self.outgoing[received.get("id", "")].receipts.append(name)
        elif body in self.incoming and self.incoming[body].user == user:
            if not self.incoming[body].arrivals:
                self.order[user].append(body)
            self.incoming[body].arrivals.append(name)
        elif body is not None:
            self.strangers.append(f"to {user}, id {name}: {body[:100]}")

    # ---- The simulator ----

    async def get(self, path: str) -> dict:
        return await asyncio.to_thread(fetch, self._url + path)

    async def text_from(self, handset: str, user: str, name: str) -> int:
        """A handset sends a text; its number in the simulator."""
        self.incoming[name] = Incoming(name, user)
        answer = await asyncio.to_thread(fetch, self._url + "/api/send", {"from": handset, "to": USERS[user], "text": name})
        return answer["n"] if "n" in answer else answer["text"]["n"]

    async def _collect(self) -> None:
        """Notes what arrives at the handsets, as it arrives."""
        after = 0
        while True:
            found = await self.get(f"/api/texts?direction=to_handset&after={after}&count=1&wait=5")
            after = found["last"]
            for text in found["texts"]:
                outgoing = self.outgoing.get(text["text"])
                if outgoing and outgoing.handset == text["handset"] and USERS[outgoing.sender] == text["peer"]:
                    outgoing.copies += 1
                else:
                    self.strangers.append(f"at {text['handset']} from {text['peer']}: {text['text'][:100]}")
            if found["texts"]:
                self._news.set()

    # ---- Waiting ----

    def spawn(self, work) -> asyncio.Task:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, reached: Callable[[], bool], limit: float) -> bool:
        """Whether it came true within `limit` seconds; looked at whenever something arrives."""
        end = asyncio.get_running_loop().time() + limit
        while not reached():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), end - asyncio.get_running_loop().time())
            except asyncio.TimeoutError:
                return reached()
        return True


class Life(Wherry):
    """A wherry that may be killed before it is connected."""

    async def launch(self) -> None:
        self._program = Program("wherry", [self.binary, "run", "--config", self.config_path],
                                {"UBSAN_OPTIONS": "print_stacktrace=1"}, self._on_line)
        await self._program.start()


def error_text(stanza: Element) -> str:
    """The error's text, else its condition."""
    error = child(stanza, "error", CLIENT)
    if error is None:
        return "an error without <error/>"
    return error.findtext("{%s}text" % STANZA_ERRORS) or " ".join(local(part) for part in error)


def fetch(url: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)
