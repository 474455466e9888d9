"""Components by hand (XEP-0114 v1.6): a bare one, and one that echoes, which the tests of the tests speak with."""
from __future__ import annotations

import asyncio
import hashlib
from xml.etree.ElementTree import Element

from xml_stream import (CLIENT, COMPONENT, STREAMS, Closed, Opened, StreamParser, child, error_reply, local, make, renamed,
                        to_text)


class Component:
    """Shakes hands, and passes what arrives to arrived(), in jabber:client."""

    def __init__(self, domain: str, secret: str) -> None:
        self.domain = domain
        self.ended = asyncio.Event()
        self.error = ""  # the stream error's condition, when one came
        self._secret = secret
        self._shaken = asyncio.Event()

    async def connect(self, port: int, limit: float = 10) -> None:
        """Until the handshake succeeded. Raises OSError or TimeoutError."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self.write(f"<?xml version='1.0'?><stream:stream xmlns='{COMPONENT}' xmlns:stream='{STREAMS}' to='{self.domain}'>")
        self._task = asyncio.create_task(self._run())
        await asyncio.wait_for(self._shaken.wait(), limit)

    def arrived(self, stanza: Element) -> None:
        """For a subclass or a test to replace."""

    def write(self, xml: str) -> None:
        self._writer.write(xml.encode())

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        parser = StreamParser()
        try:
            while data := await self._reader.read(65536):
                for item in parser.feed(data):
                    self._take(item)
        except ConnectionError:
            pass
        finally:
            self.ended.set()

    def _take(self, item) -> None:
        if isinstance(item, Opened):
            self.write(f"<handshake>{hashlib.sha1((item.get('id', '') + self._secret).encode()).hexdigest()}</handshake>")
        elif isinstance(item, Closed):
            self._writer.close()
        elif local(item) == "handshake":
            self._shaken.set()
        elif local(item) == "error":
            self.error = local(item[0])
        else:
            self.arrived(renamed(item, COMPONENT, CLIENT))


class EchoComponent(Component):
    """Answers pings and sends every message back."""

    def arrived(self, stanza: Element) -> None:
        sender, to = stanza.get("from"), stanza.get("to")
        if local(stanza) == "message" and stanza.get("type") != "error":
            stanza.set("from", to)
            stanza.set("to", sender)
            self.write(to_text(stanza))
        elif local(stanza) == "presence" and stanza.get("type") == "subscribe":
            for kind in ("subscribed", "subscribe"):
                self.write(to_text(make("presence", type=kind, to=sender, **{"from": to})))
        elif local(stanza) == "iq" and child(stanza, "ping", "urn:xmpp:ping") is not None:
            self.write(to_text(make("iq", type="result", id=stanza.get("id"), to=sender, **{"from": to})))
        elif local(stanza) == "iq" and stanza.get("type") in ("get", "set"):
            self.write(to_text(error_reply(stanza, "cancel", "service-unavailable")))
