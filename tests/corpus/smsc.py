"""The SMPP side of the corpus: a bare peer that answers what is right and sends whatever it is told, octet by octet. Its PDUs
come from the simulator's codec (tests/simulators/smsc/pdu.py)."""
from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pdu

LIMIT = 20.0


@dataclass
class Bind:
    """One bound connection of the gateway."""
    system_id: str
    writer: asyncio.StreamWriter
    answers: asyncio.Queue = field(default_factory=asyncio.Queue)   # (command, status, sequence) of its responses
    texts: asyncio.Queue = field(default_factory=asyncio.Queue)     # (source, text) that it submitted
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    sequence: int = 0


class Smsc:
    def __init__(self) -> None:
        self.port = 0
        self.binds: dict[str, Bind] = {}   # by system_id, the present ones
        self.count: dict[str, int] = {}    # how often each has bound
        self._server: asyncio.Server | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server:
            self._server.close()
        for bind in self.binds.values():
            bind.writer.transport.abort()

    async def bound(self, system_id: str, times: int = 1) -> Bind:
        """Waits until it has bound so often and is bound."""
        async def wait() -> Bind:
            while self.count.get(system_id, 0) < times or system_id not in self.binds:
                self._news.clear()
                await self._news.wait()
            return self.binds[system_id]
        return await asyncio.wait_for(wait(), LIMIT)

    def send(self, bind: Bind, octets: bytes) -> None:
        bind.writer.write(octets)

    async def deliver(self, bind: Bind, source: str, to: str, text: str) -> tuple[int, int, int]:
        """A text from a handset; the gateway's answer to it."""
        bind.sequence += 1
        body = pdu.message_body(pdu.Address(1, 1, source.encode()), pdu.Address(1, 1, to.encode()), 0, 0, text.encode("ascii"))
        self.send(bind, pdu.pack(pdu.DELIVER_SM, 0, bind.sequence, body))
        return await asyncio.wait_for(bind.answers.get(), LIMIT)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bind: Bind | None = None
        try:
            while True:
                head = await reader.readexactly(16)
                length, command, status, sequence = pdu.HEADER.unpack(head)
                raw = head + await reader.readexactly(length - 16)
                if command == pdu.BIND_TRANSCEIVER:
                    bind = Bind(pdu.decode(raw)["system_id"].decode(), writer)
                    self.binds[bind.system_id] = bind
                    self.count[bind.system_id] = self.count.get(bind.system_id, 0) + 1
                    writer.write(pdu.pack(command | pdu.RESPONSE, 0, sequence, b"corpus\0"))
                    self._news.set()
                elif command == pdu.SUBMIT_SM:
                    message = pdu.parse_submit(raw)
                    assert bind
                    writer.write(pdu.pack(command | pdu.RESPONSE, 0, sequence, b"%x\0" % sequence))
                    bind.texts.put_nowait((message.source.digits.decode(), message.body.decode("ascii", "replace")))
                elif command in (pdu.ENQUIRE_LINK, pdu.UNBIND):
                    writer.write(pdu.pack(command | pdu.RESPONSE, 0, sequence))
                elif bind:
                    bind.answers.put_nowait((command, status, sequence))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            if bind:
                if self.binds.get(bind.system_id) is bind:
                    del self.binds[bind.system_id]
                bind.ended.set()
            writer.close()
