"""The SMPP side: connections, framing, binds and commands (SMPP 3.4), on one asyncio loop.

A Session is one connection. It reads with the rules of SMPP 3.4 §3.2 and §4.3, keeps its own window of deliveries, and answers
through the centre. Writes are collected and go out together.
"""
import asyncio
import hmac
import time
from typing import Optional

import pdu
import reports
from centre import Centre
from forward import Delivery
from state import StateFile

BIND_SECONDS = 30                    # an unbound connection may stay this long (session_init_timer, §2.9)
BODY_SECONDS = 10                    # from a PDU's first octet to its last
ENQUIRE_ANSWER_SECONDS = 10
MAX_UNANSWERED = 20_000              # submits of one connection whose answer is put off
MAX_CONNECTIONS = 1000
KINDS = {pdu.BIND_RECEIVER: "receiver", pdu.BIND_TRANSMITTER: "transmitter", pdu.BIND_TRANSCEIVER: "transceiver"}


class Session(asyncio.Protocol):
    """One connection from the gateway: OPEN, then bound as receiver, transmitter or transceiver (§2.2)."""

    def __init__(self, server: "Server"):
        self.server, self.centre, self.log = server, server.centre, server.centre.log
        server.numbered += 1
        self.id = server.numbered
        self.transport: Optional[asyncio.Transport] = None
        self.kind = ""                                   # empty until bound
        self.receives = self.transmits = False
        self.peer, self.since = "", time.time()
        self.pending: dict[int, Delivery] = {}           # our unanswered deliveries by sequence number
        self.unanswered = 0                              # theirs, whose answers are put off
        self._buffer = b""
        self._buffered_since = 0.0
        self._out: list[bytes] = []
        self._sequence = 0
        self._heard = time.monotonic()
        self._enquired = 0.0
        self._commands = {
            pdu.SUBMIT_SM: self._submit, pdu.SUBMIT_SM | pdu.RESPONSE: self._stray,
            pdu.DELIVER_SM | pdu.RESPONSE: self._delivered, pdu.DATA_SM | pdu.RESPONSE: self._delivered,
            pdu.GENERIC_NACK: self._nacked, pdu.DATA_SM: self._data,
            pdu.ENQUIRE_LINK: self._enquire, pdu.ENQUIRE_LINK | pdu.RESPONSE: self._enquire_answered,
            pdu.BIND_RECEIVER: self._bind, pdu.BIND_TRANSMITTER: self._bind, pdu.BIND_TRANSCEIVER: self._bind,
            pdu.UNBIND: self._unbind, pdu.UNBIND | pdu.RESPONSE: self._stray,
            pdu.QUERY_SM: self._query, pdu.CANCEL_SM: self._cancel,
        }

    # -- the connection ------------------------------------------------------------------------------------------------

    def connection_made(self, transport) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername") or ("", 0)
        self.peer = f"{peer[0]}:{peer[1]}"
        refuse = self.centre.switches.all.refuse_connections or len(self.server.connections) >= MAX_CONNECTIONS
        self.server.connections.add(self)
        tls = transport.get_extra_info("ssl_object") is not None
        self.log.event("refused" if refuse else "connected", self.id, peer=self.peer, tls=tls)
        if refuse:
            transport.abort()

    def connection_lost(self, error) -> None:
        self.server.connections.discard(self)
        self.log.event("closed", self.id, why=str(error) if error else "ended")
        self._leave()

    def _leave(self) -> None:
        """No deliveries from here on; what the gateway had not answered waits again."""
        forward = self.centre.forward
        if self in forward.sessions:
            forward.sessions.remove(self)
        self.receives = self.transmits = False
        unanswered, self.pending = list(self.pending.values()), {}
        if unanswered:
            forward.requeue(unanswered)
        elif forward.queue:
            forward.pump()
        self.centre.changed()

    def pause_writing(self) -> None:
        """The gateway does not read: take no more from it either, so that memory stays bounded."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._heard = time.monotonic()
        if self._buffer:
            data = self._buffer + data
        position, end = 0, len(data)
        while end - position >= 16:
            length, command, status, sequence = pdu.HEADER.unpack_from(data, position)
            if length < 16 or length > pdu.MAX_PDU:
                self._broken(length, sequence)
                return
            if length > end - position:
                break
            raw = data[position:position + length]
            position += length
            self.log.pdu(self.id, "in", raw)
            handler = self._commands.get(command)
            try:
                if handler is not None:
                    handler(raw, command, status, sequence)
                elif command & pdu.RESPONSE:
                    self.log.event("stray", self.id, sequence=sequence)
                else:
                    self._answer_nack("RINVCMDID", sequence)
            except pdu.Refused as refusal:
                self.answer(command, sequence, refusal.status, b"")
            if self.transport.is_closing():
                self._buffer = b""
                return
        if end - position >= 4 and not 16 <= (length := pdu.LENGTH.unpack_from(data, position)[0]) <= pdu.MAX_PDU:
            self._broken(length, 0)                      # known from four octets; the other twelve may never come
            return
        if position < end:
            if position or not self._buffer:
                self._buffered_since = self._heard
            self._buffer = data[position:]
        else:
            self._buffer = b""
        self.flush()

    def _broken(self, length: int, sequence: int) -> None:
        """A command_length that cannot be: where the next PDU begins is unknown, so this is the end (§3.2.2, §4.3.1)."""
        self.log.event("broken", self.id, command_length=length)
        self._answer_nack("RINVCMDLEN", sequence if length >= 16 else 0)
        self._buffer = b""
        self.close()

    # -- writing -------------------------------------------------------------------------------------------------------

    def _send(self, raw: bytes) -> None:
        if self.centre.switches.all.silent:
            return
        self.log.pdu(self.id, "out", raw)
        if not self._out:
            asyncio.get_running_loop().call_soon(self.flush)
        self._out.append(raw)

    def flush(self) -> None:
        if self._out and not self.transport.is_closing():
            self.transport.write(b"".join(self._out))
        self._out.clear()

    def answer(self, command: int, sequence: int, status: int, body: bytes) -> None:
        """The response to a request; nothing if the link has ended meanwhile."""
        if not self.transport.is_closing():
            self._send(pdu.pack(command | pdu.RESPONSE, status, sequence, body))

    def answer_later(self, command: int, sequence: int, status: int, body: bytes) -> None:
        self.unanswered -= 1
        self.answer(command, sequence, status, body)

    def _answer_nack(self, status: str, sequence: int) -> None:
        self._send(pdu.pack(pdu.GENERIC_NACK, pdu.STATUSES[status], sequence))

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence

    def deliver(self, delivery: Delivery) -> None:
        sequence = self._next_sequence()
        delivery.sent_at = time.monotonic()
        self.pending[sequence] = delivery
        self._send(pdu.pack(delivery.command, 0, sequence, delivery.body))

    def close(self) -> None:
        """Ends the connection after what is written."""
        self.flush()
        self.transport.close()
        self._leave()

    def say_goodbye(self) -> None:
        if self.kind:
            self._send(pdu.pack(pdu.UNBIND, 0, self._next_sequence()))
        self.close()

    def cut(self, mid_pdu: bool = False) -> None:
        """Ends it without a word, or in the middle of one."""
        self.log.event("cut", self.id, mid_pdu=mid_pdu)
        if mid_pdu:
            self._out.append(pdu.pack(pdu.ENQUIRE_LINK, 0, self._next_sequence())[:10])
            self.close()
        else:
            self._out.clear()
            self.transport.abort()
            self._leave()

    # -- commands ------------------------------------------------------------------------------------------------------

    def _bind(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        fields = pdu.decode(raw)
        switches, bound = self.centre.switches.all, self.centre.forward.sessions
        fault = ("RALYBND" if self.kind
                 else switches.bind_refuse if switches.bind_refuse
                 else "RINVSYSID" if fields["system_id"] != self.server.system_id
                 else "RINVPASWD" if not hmac.compare_digest(fields["password"], self.server.password)
                 else "RALYBND" if switches.max_binds and len(bound) >= switches.max_binds else "")
        if fault:
            self.log.event("bind.refused", self.id, status=fault)
            raise pdu.Refused(fault)
        self.kind = KINDS[command]
        self.receives, self.transmits = command != pdu.BIND_TRANSMITTER, command != pdu.BIND_RECEIVER
        # Without sc_interface_version the peer must take us for an older version (§4.1.2, §5.3.2.25).
        version = pdu.tlv(pdu.SC_INTERFACE_VERSION, b"\x34") if fields["interface_version"] >= 0x34 else b""
        self.answer(command, sequence, 0, b"SMSC\0" + version)
        bound.append(self)
        self.log.event("bound", self.id, kind=self.kind)
        self.centre.changed()
        self.centre.forward.pump()

    def _unbind(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self.answer(command, sequence, 0, b"")
        self.log.event("unbound", self.id)
        self.close()

    def _need(self, allowed: bool) -> None:
        if not allowed:                                  # §2.3: which commands a state allows
            raise pdu.Refused("RINVBNDSTS")

    def _submit(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._take(pdu.parse_submit(raw) if self.transmits else None, command, sequence)

    def _data(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._take(pdu.parse_data(raw) if self.transmits else None, command, sequence)

    def _take(self, message: Optional[pdu.Message], command: int, sequence: int) -> None:
        self._need(message is not None)
        if self.unanswered >= MAX_UNANSWERED:
            raise pdu.Refused("RMSGQFUL")
        self.centre.take(self, command, sequence, message)

    def _query(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._need(self.transmits)
        fields = pdu.decode(raw)
        segment = self.centre.query(fields["message_id"].decode("latin-1"), fields["source_addr"])
        date = time.strftime("%y%m%d%H%M%S000+", time.gmtime(segment.final_at)).encode() if segment.final_at else b""
        outcome = reports.OUTCOMES[segment.state]
        self.answer(command, sequence, 0, fields["message_id"] + b"\0" + date + b"\0" + bytes([outcome.state, outcome.error]))

    def _cancel(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._need(self.transmits)
        fields = pdu.decode(raw)
        self.centre.cancel(fields["message_id"].decode("latin-1"), fields["source_addr"], fields["destination_addr"])
        self.answer(command, sequence, 0, b"")

    def _enquire(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self.answer(command, sequence, 0, b"")

    def _enquire_answered(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._enquired = 0.0

    def _delivered(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        delivery = self.pending.pop(sequence, None)
        if delivery is None:
            self._stray(raw, command, status, sequence)
        else:
            self.centre.forward.answered(delivery, status)

    def _nacked(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self._delivered(raw, command, status or pdu.STATUSES["RUNKNOWNERR"], sequence)

    def _stray(self, raw: bytes, command: int, status: int, sequence: int) -> None:
        self.log.event("stray", self.id, sequence=sequence)

    # -- the clock -----------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Once a second: time limits of this connection."""
        switches = self.centre.switches.all
        if not self.kind and now - self._heard > BIND_SECONDS:
            why = "nobody bound"
        elif self._buffer and now - self._buffered_since > BODY_SECONDS:
            why = "a PDU did not end"
        elif self._enquired and now - self._enquired > ENQUIRE_ANSWER_SECONDS:
            why = "enquire_link was not answered"
        elif self.pending and now - next(iter(self.pending.values())).sent_at > switches.deliver_timeout_ms / 1000:
            why = "a delivery was not answered"
        else:
            quiet = switches.enquire_seconds and now - self._heard > switches.enquire_seconds
            if self.kind and quiet and not self._enquired and not switches.silent:
                self._enquired = now
                self._send(pdu.pack(pdu.ENQUIRE_LINK, 0, self._next_sequence()))
            return
        self.log.event("timed_out", self.id, why=why)
        self.transport.abort()
        self._leave()

    def shown(self) -> dict:
        return {"session": self.id, "kind": self.kind, "peer": self.peer, "since": round(self.since, 3),
                "window": len(self.pending)}


class Server:
    """Listens, and keeps every connection's clock. `rate` is the number of submits in the last second."""

    def __init__(self, centre: Centre, system_id: str, password: str):
        self.centre = centre
        self.system_id, self.password = system_id.encode(), password.encode()
        self.connections: set[Session] = set()
        self.numbered = 0
        self.rate = 0
        self._listeners: list[asyncio.Server] = []

    async def listen(self, host: str, port: int, tls=None) -> int:
        """Returns the port, which the system chose if `port` is 0. `tls` is an ssl.SSLContext; there is no STARTTLS in SMPP."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: Session(self), host, port, ssl=tls, backlog=512)
        self._listeners.append(listener)
        return listener.sockets[0].getsockname()[1]

    def drop(self, mid_pdu: bool = False) -> int:
        """Cuts every connection; says how many there were."""
        sessions = list(self.connections)
        for session in sessions:
            session.cut(mid_pdu)
        return len(sessions)

    async def keep_time(self, state: Optional[StateFile]) -> None:
        """Every time limit, and the saving of `state`. Runs until cancelled."""
        before = 0
        while True:
            await asyncio.sleep(1)
            submitted = self.centre.counts["submitted"]
            rate, before = max(0, submitted - before), submitted
            if rate != self.rate:
                self.rate = rate
                self.centre.changed()
            now = time.monotonic()
            for session in list(self.connections):
                session.tick(now)
            self.centre.sweep()
            if state is not None:
                state.save_if_due()

    async def stop(self) -> None:
        """Unbinds politely, without waiting for the answers, and closes."""
        for listener in self._listeners:
            listener.close()
        for session in list(self.connections):
            session.say_goodbye()
        for _ in range(20):                              # what is written still has to leave
            if not self.connections:
                break
            await asyncio.sleep(0.05)
