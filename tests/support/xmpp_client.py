"""A small raw XMPP client (RFC 6120): SASL PLAIN over plain TCP on the loopback, bind, then XML as the test wrote it.

It answers nothing by itself, so that a test sees everything and does everything.
"""
from __future__ import annotations

import asyncio
import base64
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from mailbox import Mailbox
from xml_stream import CLIENT, STREAMS, Closed, Opened, StreamBroken, StreamParser, child, local

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class LoginFailed(Exception):
    pass


class Client(Mailbox):
    """One connected resource. `jid` is the full address; arrivals are in the mailbox, in jabber:client."""

    def __init__(self, jid: str) -> None:
        super().__init__(jid)
        self.jid = jid
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._parser = StreamParser()
        self._pump_task: asyncio.Task | None = None
        self._items: list = []

    @classmethod
    async def connect(cls, port: int, jid: str, password: str, resource: str, limit: float = 20) -> "Client":
        """Logged in and bound; no presence sent. Raises LoginFailed, OSError or TimeoutError."""
        client = cls(f"{jid}/{resource}")
        await asyncio.wait_for(client._log_in(port, jid, password, resource), limit)
        return client

    @classmethod
    async def register(cls, port: int, jid: str, password: str, limit: float = 20) -> None:
        """Makes the account on its server, in-band (XEP-0077 §3.1). Raises LoginFailed."""
        client = cls(jid)
        await asyncio.wait_for(client._register(port, jid, password), limit)

    async def send(self, xml: str) -> None:
        self._writer.write(xml.encode())
        await self._writer.drain()

    async def close(self) -> None:
        """Ends the stream, as a client that goes offline; returns once the server has ended it too."""
        if not self.ended:
            self._writer.write(b"<presence type='unavailable'/></stream:stream>")
        if self._pump_task:
            await asyncio.wait([self._pump_task], timeout=5)
        self.abort()

    def abort(self) -> None:
        self._writer.close()

    def pause(self) -> None:
        """Reads nothing until resume(): what comes stays in the kernel's buffers, then in the server's."""
        self._writer.transport.pause_reading()

    def resume(self) -> None:
        self._writer.transport.resume_reading()

    async def read_to_end(self, limit: float) -> None:
        """After the server died: until everything that it had written is in the mailbox. Raises TimeoutError."""
        self.resume()
        if self._pump_task:
            await asyncio.wait_for(asyncio.shield(self._pump_task), limit)

    async def _log_in(self, port: int, jid: str, password: str, resource: str) -> None:
        user, _, host = jid.partition("@")
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        await self._open(host)
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        await self.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{token}</auth>")
        answer = await self._next()
        if local(answer) != "success":
            raise LoginFailed(f"{jid}: {[local(part) for part in answer]}")
        self._parser = StreamParser()
        await self._open(host)
        await self.send(f"<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>")
        answer = await self._next()
        bind = child(answer, "bind", BIND)
        if answer.get("type") != "result" or bind is None:
            raise LoginFailed(f"{jid}: cannot bind {resource}")
        self.jid = bind.findtext("{%s}jid" % BIND) or self.jid
        self._pump_task = asyncio.create_task(self._pump())

    async def _register(self, port: int, jid: str, password: str) -> None:
        user, _, host = jid.partition("@")
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await self._open(host)
            await self.send(f"<iq type='set' id='register' to='{host}'><query xmlns='jabber:iq:register'>"
                            f"<username>{user}</username><password>{password}</password></query></iq>")
            answer = await self._next()
            if answer.get("type") != "result":
                raise LoginFailed(f"{jid}: the server refuses the registration")
        finally:
            self._writer.close()

    async def _open(self, host: str) -> None:
        await self.send(f"<?xml version='1.0'?><stream:stream to={quoteattr(host)} version='1.0' xmlns='{CLIENT}' "
                        f"xmlns:stream='{STREAMS}'>")
        features = await self._next()
        if local(features) != "features":
            raise LoginFailed(f"the server answers with <{local(features)}>")

    async def _next(self) -> Element:
        while True:
            while self._items:
                item = self._items.pop(0)
                if isinstance(item, Closed):
                    raise LoginFailed("the server closed the stream")
                if not isinstance(item, Opened):
                    return item
            data = await self._reader.read(65536)
            if not data:
                raise LoginFailed("the server closed the connection")
            self._items = self._parser.feed(data)

    async def _pump(self) -> None:
        reason = "the connection ended"
        try:
            while True:
                for item in self._items:
                    if isinstance(item, Closed):
                        return
                    if not isinstance(item, Opened):
                        self.put(item)
                data = await self._reader.read(65536)
                if not data:
                    return
                self._items = self._parser.feed(data)
        except (OSError, StreamBroken) as error:
            reason = str(error)
        finally:
            self.end(reason)
            self._writer.close()


async def ping(client, to: str, number: int, limit: float) -> None:
    """A XEP-0199 round trip from `client` through the server to `to` and back: what was sent before is processed."""
    await client.send(f"<iq type='get' id='ping-{number}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
    await client.take(lambda element: local(element) == "iq" and element.get("id") == f"ping-{number}"
                      and element.get("type") in ("result", "error"), limit)
