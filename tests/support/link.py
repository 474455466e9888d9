"""The wire between wherry and the XMPP server: a proxy that tests can watch, cut and tear.

It also judges: whatever the scenario, every stanza that wherry sends must have a `to`, a `from` of its own domain
(XEP-0114 §3), and no error may answer an error (RFC 6120 §8.3.1). Breaches are in `breaches`.
"""
from __future__ import annotations

import asyncio
import functools
from typing import Callable
from xml.etree.ElementTree import Element

from fake_component import domain_of
from mailbox import Mailbox
from xml_stream import CLIENT, COMPONENT, Closed, Opened, StreamBroken, StreamParser, local, renamed, to_text


class Link:
    """Listens on one port for each component domain, and passes to whatever `server_port(domain)` says at that moment."""

    def __init__(self, server_port: Callable[[str], int], domains: list[str]) -> None:
        self.ports: dict[str, int] = {}
        self.carried = {domain: Mailbox(f"the link of {domain}") for domain in domains}  # what wherry sent, in jabber:client
        self.breaches: list[str] = []
        self.watch: Callable[[str, str, Element], None] = lambda domain, direction, stanza: None
        self._server_port = server_port
        self._listeners: list[asyncio.Server] = []
        self._wires: set[_Wire] = set()
        self._down = False
        self._refused = 0
        self._news = asyncio.Event()

    async def start(self) -> None:
        for domain in self.carried:
            listener = await asyncio.start_server(functools.partial(self._accept, domain), "127.0.0.1", 0)
            self._listeners.append(listener)
            self.ports[domain] = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Both sides see a reset; what was under way is lost."""
        for wire in list(self._wires):
            wire.abort()

    def tear(self, domain: str) -> None:
        """The next stanza that wherry sends over this component's link reaches the server by half; then the link is cut."""
        for wire in self._wires:
            wire.tears = wire.domain == domain

    def down(self) -> None:
        """Cut, and no new connection gets through until up()."""
        self._down = True
        self._refused = 0
        self.cut()

    def up(self) -> None:
        self._down = False

    def connected(self) -> set[str]:
        """The domains that have shaken hands."""
        return {wire.domain for wire in self._wires if wire.authenticated}

    async def wait_connected(self, limit: float) -> None:
        """Until every domain has shaken hands. Raises TimeoutError."""
        await asyncio.wait_for(self._until(lambda: self.connected() >= set(self.carried)), limit)

    async def wait_refused(self, times: int, limit: float) -> None:
        """Until so many connections came in vain since down(). Raises TimeoutError."""
        await asyncio.wait_for(self._until(lambda: self._refused >= times), limit)

    async def wait_cut(self, limit: float) -> None:
        await asyncio.wait_for(self._until(lambda: len(self.connected()) < len(self.carried)), limit)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._news.clear()
            await self._news.wait()

    async def _accept(self, domain: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire(self, writer)
        if self._down:
            wire.abort()
            self._refused += 1
            self._news.set()
            return
        try:
            server_reader, wire.server = await asyncio.open_connection("127.0.0.1", self._server_port(domain))
        except OSError:
            wire.abort()
            return
        self._wires.add(wire)
        try:
            await asyncio.gather(wire.pass_up(reader), wire.pass_down(server_reader))
        except (OSError, StreamBroken):
            pass
        finally:
            wire.abort()
            self._wires.discard(wire)
            self._news.set()

    def judge(self, domain: str, stanza: Element) -> None:
        if local(stanza) not in ("message", "presence", "iq"):
            return
        if domain_of(stanza.get("from", "")) != domain:
            self.breaches.append(f"a stanza whose from is not of {domain} (XEP-0114 §3): {to_text(stanza)[:500]}")
        if not stanza.get("to"):
            self.breaches.append(f"a stanza without to (XEP-0114 §3): {to_text(stanza)[:500]}")
        if local(stanza) == "iq" and (not stanza.get("id") or stanza.get("type") not in ("get", "set", "result", "error")):
            self.breaches.append(f"an iq without an id or a type (RFC 6120 §8.2.3): {to_text(stanza)[:500]}")
        if stanza.get("type") == "error" and not any(local(part) == "error" for part in stanza):
            self.breaches.append(f"an error without <error/> (RFC 6120 §8.3.1): {to_text(stanza)[:500]}")

    def noticed(self) -> None:
        self._news.set()


class _Wire:
    """One connection, both directions."""

    def __init__(self, link: Link, wherry: asyncio.StreamWriter) -> None:
        self.domain = ""
        self.authenticated = False
        self.tears = False
        self.server: asyncio.StreamWriter | None = None
        self._link = link
        self._wherry = wherry
        self._up = StreamParser()
        self._down: StreamParser | None = StreamParser()

    def abort(self) -> None:
        for writer in (self._wherry, self.server):
            if writer:
                writer.transport.abort()

    async def pass_up(self, reader: asyncio.StreamReader) -> None:
        assert self.server
        while data := await reader.read(65536):
            if self.tears and self.authenticated:
                self.server.write(data[:len(data) // 2])
                await self.server.drain()
                self.abort()
                return
            self.server.write(data)
            self._watch_up(data)
            await self.server.drain()
        self.server.write_eof()

    def _watch_up(self, data: bytes) -> None:
        for item in self._up.feed(data):
            if isinstance(item, Opened):
                self.domain = item.get("to", "")
            elif not isinstance(item, Closed):
                stanza = renamed(item, COMPONENT, CLIENT)
                self._link.judge(self.domain, stanza)
                self._link.watch(self.domain, "->", stanza)
                if self.domain in self._link.carried and local(stanza) != "handshake":
                    self._link.carried[self.domain].put(stanza)

    async def pass_down(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            self._watch_down(data)
            self._wherry.write(data)
            await self._wherry.drain()
        self.authenticated = False
        self._link.noticed()
        self._wherry.write_eof()

    def _watch_down(self, data: bytes) -> None:
        if not self._down:
            return
        try:
            items = self._down.feed(data)
        except StreamBroken:
            # Servers pass on names that no document may have (DECISIONS.md 128). wherry must bear them; we see no more.
            self._down = None
            return
        for item in items:
            if isinstance(item, (Opened, Closed)):
                continue
            if local(item) == "handshake":
                self.authenticated = True
                self._link.noticed()
            self._link.watch(self.domain, "<-", renamed(item, COMPONENT, CLIENT))
