"""What the kill test runs: an XMPP server with five users, the link to it, one wherry with its store, the SMSC simulator; and
a record of every text in either direction. Used by `kills`, which loads it, kills a part of it and judges the record."""
from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable
from xml.etree.ElementTree import Element

from confirmations import Confirmations
from postgres import Postgres
from simulator import Simulator
from stage import SECRET, Stage
from wherry import Transport
from xml_stream import CLIENT, STANZA_ERRORS, child, local

GATEWAY, HOST = "sms.x.test", "x.test"
USERS = {f"user{i}@{HOST}": f"+1415555010{i}" for i in range(1, 6)}  # with the number of each
SLOW = list(USERS)[3:]                                               # may be told to read nothing for a while
HANDSETS = [f"+1415555013{i}" for i in range(1, 5)]
RECEIPTS = "urn:xmpp:receipts"
UNCERTAIN = "It is not known whether this arrived."  # how the gateway's error begins then
LONG = 400                                           # characters: three segments of 153 septets (TS 23.038)

WELCOME = "You are registered with "  # what the gateway says once to who is new


@dataclass
class Options:
    wherry: str
    host: str      # fake, prosody, ejabberd
    store: str     # sqlite, postgres (one of its own), or the URL of an empty database
    victim: str    # wherry, server, store, link
    load: str      # both directions, or in: from the handsets


def words(name: str, is_long: bool) -> str:
    """A text that names itself; a long one in every segment."""
    return (f"{name} " * LONG)[:LONG].rstrip() if is_long else name


def name_in(text: str) -> str:
    """The other way; of a long text a segment is enough. A cut may leave half a name at either end of one."""
    return Counter(text.split()).most_common(1)[0][0] if text.strip() else ""


@dataclass
class Outgoing:
    """A text from a user to a handset."""
    name: str                          # its id
    words: str
    sender: str
    handset: str
    life: int                          # of wherry, in which it was sent
    ponged: float | None = None        # when the ping sent after it was answered
    accepted: bool = False
    copies: int = 0                    # at the handset, whole
    pieces: list[str] = field(default_factory=list)      # … and what came there of it otherwise
    errors: list[str] = field(default_factory=list)      # the text of each
    told: list[str] = field(default_factory=list)        # errors as they left wherry
    receipts: list[str] = field(default_factory=list)    # the stanza id of each
    receipted: set[str] = field(default_factory=set)     # … as they left wherry

    @property
    def bounced(self) -> bool:
        """The server said so: the error is none of wherry's."""
        return any(error not in self.told for error in self.errors)

    @property
    def uncertain(self) -> bool:
        return any(error.startswith(UNCERTAIN) for error in self.errors)

    @property
    def refused(self) -> bool:
        return any(not error.startswith(UNCERTAIN) for error in self.told)


@dataclass
class Incoming:
    """A text from a handset to a user."""
    name: str
    words: str
    user: str
    life: int
    begun: float                       # before the handset sent it
    number: int = 0                    # the simulator's
    arrivals: list[str] = field(default_factory=list)    # the stanza id of each
    sent: set[str] = field(default_factory=set)          # … as they left wherry


class World(Stage):
    """`async with World(...)`: everything runs, and every user is registered and online."""

    def __init__(self, options: Options, folder: str) -> None:
        super().__init__(options.host, folder, [HOST], [GATEWAY])
        self.options = options
        self.outgoing: dict[str, Outgoing] = {}
        self.incoming: dict[str, Incoming] = {}
        self.order: dict[str, list[str]] = {user: [] for user in USERS}  # names of incoming texts, as they came
        self.strangers: list[str] = []      # what nobody expected
        self.clients: dict[str, object] = {}
        self.simulator = Simulator()
        self.postgres = Postgres()
        self.confirmations = Confirmations()
        self.collected = 0                  # the number of the simulator's newest text that is recorded here
        self.life = 0                       # how often wherry was started
        self.complaints: list[str] = []     # its error lines, and what sanitizers say
        self._log = open(os.path.join(folder, "wherry.log"), "w", encoding="utf-8")
        self._stack.callback(self._log.close)
        self._news = asyncio.Event()
        self._iqs: dict[str, asyncio.Future[Element]] = {}
        self._pings: dict[str, Outgoing] = {}
        self._tasks: set[asyncio.Task] = set()

    async def _begin(self) -> None:
        for user in USERS:
            await self.host.add_user(user)
        if self.options.victim == "server":
            await self.host.restart()  # COMPAT(ejabberd 23.01): a kill soon after the registration would lose the accounts
        self._stack.push_async_callback(self._close_clients)
        await self.connect_clients()
        self.link.watch = self._carried
        store = self.options.store
        if store == "postgres":
            self._stack.push_async_callback(self.postgres.remove)
            await self.postgres.start()
            store = self.postgres.url
        # Answers that take a while, and a window of two: so a kill often comes between the segments of a text.
        self._stack.push_async_callback(self.simulator.stop)
        await self.simulator.start(delay_ms=5, delay_jitter_ms=10)
        configuration = {
            "region": "US",
            "numbers": [{"number": number, "carrier": "simulator", "users": [user]} for user, number in USERS.items()],
            "carriers": [{**self.simulator.carrier, "window": 2}]}
        self._make_wherry(self.options.wherry, store, [Transport(
            GATEWAY, self.link.ports[GATEWAY], SECRET, HOST, connector="sms", register_domains=[HOST], configuration=configuration)], self._logged)
        began = asyncio.get_running_loop().time()
        await self.start_wherry()
        await self.connected()
        self.startup = asyncio.get_running_loop().time() - began  # s, until both links are up
        for user, number in USERS.items():
            answer = await self._ask(user, f"<query xmlns='jabber:iq:register'><phone>{number}</phone></query>")
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
        await self.link.wait_connected(90)  # wherry's back-off may have grown to a minute
        await self.simulator.get("/api/status?bound=1&wait=60")

    def _logged(self, line: str) -> None:
        self._log.write(line + "\n")
        if re.match(r"\S+ (error|critical) ", line) or re.search(r"AddressSanitizer|LeakSanitizer|runtime error:|terminate called", line):
            self.complaints.append(f"life {self.life}: {line}")

    # ---- Users ----

    async def connect_clients(self) -> None:
        for user in USERS:
            client = await self.host.connect(user, "phone")
            self.clients[user] = client
            early = client.waiting()
            client.put = lambda stanza, user=user: self._arrived(user, stanza)  # thousands come: recorded, not kept
            for stanza in early:
                self._arrived(user, stanza)
            await client.send("<presence/>")

    def pause_slow(self) -> None:
        for user in SLOW:
            self.clients[user].pause()  # type: ignore[attr-defined]

    async def _close_clients(self) -> None:
        for client in self.clients.values():
            await client.close()  # type: ignore[attr-defined]

    async def send(self, user: str, handset: str, name: str, is_long: bool = False) -> None:
        """A text with a receipt request, and a ping behind it in the same stream (XEP-0199): the pong proves it read.
        Nothing when the user's client knows that it is offline."""
        client = self.clients[user]
        if client.ended:  # type: ignore[attr-defined]
            return
        text = self.outgoing[name] = Outgoing(name, words(name, is_long), user, handset, self.life)
        self._pings["ping-" + name] = text
        try:
            await client.send(  # type: ignore[attr-defined]
                f"<message type='chat' id='{name}' to='{handset}@{GATEWAY}'><body>{text.words}</body>"
                f"<request xmlns='{RECEIPTS}'/></message>"
                f"<iq type='get' id='ping-{name}' to='{GATEWAY}'><ping xmlns='urn:xmpp:ping'/></iq>")
        except OSError:
            pass  # the server died under it: it may have read it or not

    async def _ask(self, user: str, payload: str) -> Element:
        name = f"ask-{len(self._iqs)}"
        answered = self._iqs[name] = asyncio.get_running_loop().create_future()
        await self.clients[user].send(f"<iq type='set' id='{name}' to='{GATEWAY}'>{payload}</iq>")  # type: ignore[attr-defined]
        return await asyncio.wait_for(answered, 30)

    def _arrived(self, user: str, stanza: Element) -> None:
        name = stanza.get("id", "")
        if local(stanza) == "iq":
            if name in self._iqs and stanza.get("type") in ("result", "error"):
                self._iqs[name].set_result(stanza)
            elif name in self._pings and stanza.get("type") == "result":
                self._pings[name].ponged = asyncio.get_running_loop().time()
        elif local(stanza) == "message":
            outgoing, incoming = self._meant(stanza, user)
            if outgoing and stanza.get("type") == "error":
                outgoing.errors.append(error_text(stanza))
            elif outgoing:
                outgoing.receipts.append(name)
            elif incoming:
                if not incoming.arrivals:
                    self.order[user].append(incoming.name)
                incoming.arrivals.append(name)
            elif not (stanza.findtext("{%s}body" % CLIENT) or WELCOME).startswith(WELCOME):
                self.strangers.append(f"to {user}, id {name}: {stanza.findtext('{%s}body' % CLIENT)[:100]}")
        self._news.set()

    def _carried(self, _domain: str, direction: str, stanza: Element) -> None:
        """What passed over the link: wherry's side of the record."""
        if direction == "->" and local(stanza) == "message":
            outgoing, incoming = self._meant(stanza, stanza.get("to", "").partition("/")[0])
            if outgoing and stanza.get("type") == "error":
                outgoing.told.append(error_text(stanza))
            elif outgoing:
                outgoing.receipted.add(stanza.get("id", ""))
            elif incoming:
                incoming.sent.add(stanza.get("id", ""))
        self.confirmations.watch(direction, stanza)

    def _meant(self, stanza: Element, user: str) -> tuple[Outgoing | None, Incoming | None]:
        """Which text of the user's a message is about: one sent (an error, a receipt), or one that it brings."""
        received = child(stanza, "received", RECEIPTS)
        name = stanza.get("id") if stanza.get("type") == "error" else received.get("id") if received is not None else None
        if name is not None:
            outgoing = self.outgoing.get(name)
            return (outgoing if outgoing and outgoing.sender == user else None), None
        body = stanza.findtext("{%s}body" % CLIENT) or ""
        incoming = self.incoming.get(name_in(body))
        return None, (incoming if incoming and incoming.user == user and incoming.words == body else None)

    # ---- Handsets ----

    async def text_from(self, handset: str, user: str, name: str, is_long: bool = False) -> Incoming:
        """A handset sends a text."""
        text = self.incoming[name] = Incoming(name, words(name, is_long), user, self.life, asyncio.get_running_loop().time())
        text.number = await self.simulator.send(handset, USERS[user], text.words)
        return text

    async def _collect(self) -> None:
        """Notes what arrives at the handsets, as it arrives."""
        while True:
            found = await self.simulator.get(f"/api/texts?after={self.collected}&count=1&wait=5")
            for text in found["texts"]:
                if text["direction"] == "from_handset":
                    continue
                outgoing = self.outgoing.get(name_in(text["text"]))
                if not outgoing or outgoing.handset != text["handset"] or USERS[outgoing.sender] != text["peer"]:
                    self.strangers.append(f"at {text['handset']} from {text['peer']}: {text['text'][:100]}")
                elif text["text"] == outgoing.words and not text["doubled"] and not text["incomplete"]:
                    outgoing.copies += 1
                else:
                    segments = len(text["parts"])
                    outgoing.pieces.append(f"{segments} segments of {text['segments']}" + (f", {text['doubled']} twice" if text["doubled"] else ""))
            self.collected = found["last"]
            if found["texts"]:
                self._news.set()

    # ---- What the server lost ----

    def is_over(self, text: Outgoing) -> bool:
        """Its fate is known, and its sender knows it, or would if the server had not lost the word."""
        known = text.errors or (text.told and text.name in self.confirmations.ids)
        return bool(known or (text.copies and (text.receipts or text.receipted & self.confirmations.ids)))

    def is_in(self, text: Incoming) -> bool:
        return bool(text.arrivals or text.sent & self.confirmations.ids)

    def lost_by_server(self) -> dict[str, list[str]]:
        """What the server had confirmed and did not deliver; from now on it counts as arrived. For when all has come that will."""
        lost: dict[str, list[str]] = {"texts from handsets": [], "receipts": [], "errors": []}
        for incoming in self.incoming.values():
            if not incoming.arrivals and self.is_in(incoming):
                incoming.arrivals = sorted(incoming.sent & self.confirmations.ids)
                lost["texts from handsets"].append(incoming.name)
        for outgoing in self.outgoing.values():
            if not outgoing.receipts and outgoing.receipted & self.confirmations.ids:
                outgoing.receipts = sorted(outgoing.receipted & self.confirmations.ids)
                lost["receipts"].append(outgoing.name)
            if outgoing.told and not outgoing.errors and outgoing.name in self.confirmations.ids:
                outgoing.errors = list(outgoing.told)
                lost["errors"].append(outgoing.name)
        return lost

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


def error_text(stanza: Element) -> str:
    """The error's text, else its condition."""
    error = child(stanza, "error", CLIENT)
    if error is None:
        return "an error without <error/>"
    return error.findtext("{%s}text" % STANZA_ERRORS) or " ".join(local(part) for part in error)
