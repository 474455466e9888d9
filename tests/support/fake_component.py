"""The component side of the fake server: XEP-0114 (v1.6) as a strict server accepts it. Used by fake_server.py."""
from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Callable
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from xml_stream import (CLIENT, COMPONENT, STREAM_ERRORS, STREAMS, Closed, Opened, StreamBroken, StreamParser, renamed,
                        split, to_text)

MOST_STANZA_BYTES = 512 << 10  # what Prosody takes from a component by default


def domain_of(address: str) -> str:
    return address.partition("/")[0].rpartition("@")[2]


class ComponentListener:
    """Accepts components on a loopback port. `secrets` says which may come; `route` gets their stanzas, in
    jabber:client; `came` hears of each that has shaken hands."""

    def __init__(self, secrets: dict[str, str], route: Callable[[Element], None], came: Callable[[str], None]) -> None:
        self.secrets = secrets
        self.route = route
        self.came = came
        self.port = 0
        self.connected: dict[str, _Connection] = {}
        self.refused: list[tuple[str, str]] = []  # (domain, stream error) of connections that were turned away or ended
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, domain: str, stanza: Element) -> bool:
        """Whether that component is connected; then it has the stanza."""
        connection = self.connected.get(domain)
        if connection:
            connection.write(to_text(renamed(stanza, CLIENT, COMPONENT), COMPONENT))
        return connection is not None

    def end(self, domain: str, condition: str) -> None:
        """Ends that component's stream with a stream error, as a server does when it shuts down."""
        self.connected[domain].end(condition)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        connection = _Connection(self, writer)
        try:
            while not connection.ended:
                data = await reader.read(65536)
                if not data:
                    break
                connection.receive(data)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            if self.connected.get(connection.domain) is connection:
                del self.connected[connection.domain]
            writer.close()
            self._tasks.discard(task)


class _Connection:
    def __init__(self, listener: ComponentListener, writer: asyncio.StreamWriter) -> None:
        self._listener = listener
        self._writer = writer
        self._parser = StreamParser(MOST_STANZA_BYTES)
        self._id = os.urandom(8).hex()
        self._opened = False
        self._authenticated = False
        self.domain = ""
        self.ended = False

    def write(self, text: str) -> None:
        self._writer.write(text.encode())

    def receive(self, data: bytes) -> None:
        try:
            for item in self._parser.feed(data):
                if self.ended:
                    return
                if isinstance(item, Opened):
                    self._open(item)
                elif isinstance(item, Closed):
                    self.write("</stream:stream>")
                    self.ended = True
                elif not self._authenticated:
                    self._shake_hands(item)
                else:
                    self._check(item)
                    self._listener.route(renamed(item, COMPONENT, CLIENT))
        except StreamBroken as broken:
            self.end(broken.condition, str(broken))

    def end(self, condition: str, text: str = "") -> None:
        if not self._opened:
            self._header()
        words = f"<text xmlns='{STREAM_ERRORS}'>{text.replace('&', '&amp;').replace('<', '&lt;')}</text>" if text else ""
        self.write(f"<stream:error><{condition} xmlns='{STREAM_ERRORS}'/>{words}</stream:error></stream:stream>")
        self._listener.refused.append((self.domain, condition))
        if self._listener.connected.get(self.domain) is self:
            del self._listener.connected[self.domain]
        self.ended = True
        self._writer.close()

    def _header(self) -> None:
        self._opened = True
        self.write(f"<?xml version='1.0'?><stream:stream xmlns='{COMPONENT}' xmlns:stream='{STREAMS}' "
                   f"from={quoteattr(self.domain)} id='{self._id}'>")

    def _open(self, header: Opened) -> None:
        self.domain = header.get("to", "")
        if header.tag != "{%s}stream" % STREAMS:
            raise StreamBroken("invalid-namespace", header.tag)
        if self.domain not in self._listener.secrets:
            raise StreamBroken("host-unknown", self.domain)
        self._header()

    def _shake_hands(self, element: Element) -> None:
        if element.tag != "{%s}handshake" % COMPONENT:
            raise StreamBroken("not-authorized", "a stanza before the handshake (XEP-0114 §3)")
        digest = hashlib.sha1((self._id + self._listener.secrets[self.domain]).encode()).hexdigest()
        if (element.text or "").strip() != digest:
            raise StreamBroken("not-authorized", "wrong handshake")
        if self.domain in self._listener.connected:
            raise StreamBroken("conflict", "already connected")
        self._authenticated = True
        self._listener.connected[self.domain] = self
        self.write("<handshake/>")
        self._listener.came(self.domain)

    def _check(self, stanza: Element) -> None:
        namespace, name = split(stanza.tag)
        if namespace != COMPONENT or name not in ("message", "presence", "iq"):
            raise StreamBroken("unsupported-stanza-type", stanza.tag)
        if domain_of(stanza.get("from", "")) != self.domain:
            raise StreamBroken("invalid-from", stanza.get("from", "no from"))
        if not stanza.get("to"):
            raise StreamBroken("improper-addressing", "no to")
