"""Store and forward: what waits for the gateway, and the PDUs in which a handset's text travels.

Nothing leaves the queue for good before the gateway answered it: an unanswered delivery goes back to the head when its link
ends, and one that was refused for now (ESME_RX_T_APPN and the like) is tried again after a while.
"""
from collections import deque
from typing import Callable

import gsm
import pdu
from log import Log
from switches import Invalid, Switches
from timers import Later

MAX_QUEUE = 200_000
TRY_AGAIN = frozenset(pdu.STATUSES[s] for s in ("RX_T_APPN", "RSYSERR", "RMSGQFUL", "RTHROTTLED"))


class Delivery:
    """One deliver_sm or data_sm for the gateway: a part of a handset's text, or a report on a segment.

    `on_sent` is called when it is on the wire. `sent_at` is in seconds of the monotonic clock.
    """
    __slots__ = ("command", "body", "text", "part", "segment", "sent_at", "on_sent")

    def __init__(self, command, body, text=None, part=0, segment=None, on_sent=None):
        self.command, self.body, self.text, self.part = command, body, text, part
        self.segment, self.on_sent = segment, on_sent
        self.sent_at = 0.0


def bodies_of(source: pdu.Address, dest: pdu.Address, content: str, encoding: str, long: str, alphabet: str,
              reference: Callable[[int], int]) -> list[bytes]:
    """The deliver_sm bodies that carry `content`. `long` is the switch mo_long; `reference` gives the next one of so many bits."""
    if long == "payload":
        data_coding, octets = gsm.encode(content, encoding, alphabet)
        return [pdu.message_body(source, dest, 0, data_coding, b"", pdu.tlv(pdu.MESSAGE_PAYLOAD, octets))]
    width = 16 if long == "udh16" else 8
    parts = gsm.split(content, encoding, width)
    if len(parts) == 1:
        return [pdu.message_body(source, dest, 0, *gsm.encode(content, encoding, alphabet))]
    if len(parts) > 255:
        raise Invalid(f"This text takes {len(parts)} parts; 255 is the most.")
    ref, total = reference(width), len(parts)
    bodies = []
    for i, part in enumerate(parts, 1):
        if long == "sar":                                # SMPP 3.4 §5.3.2.22 to §5.3.2.24
            tlvs = (pdu.tlv(pdu.SAR_REF, ref.to_bytes(2, "big")) + pdu.tlv(pdu.SAR_TOTAL, bytes([total]))
                    + pdu.tlv(pdu.SAR_SEQ, bytes([i])))
            bodies.append(pdu.message_body(source, dest, 0, *gsm.encode(part, encoding, alphabet), tlvs))
        else:
            header = gsm.concat_header(gsm.Concat(ref, total, i, width))
            data_coding, octets = gsm.encode(part, encoding, alphabet, len(header))
            bodies.append(pdu.message_body(source, dest, 0x40, data_coding, header + octets))
    return bodies


class Forwarder:
    """The queue and the windows of the bound receivers. `changed` is told each text whose state moved."""

    def __init__(self, switches: Switches, later: Later, log: Log, counts: dict, changed: Callable):
        self.switches, self.later, self.log, self.counts, self.changed = switches, later, log, counts, changed
        self.sessions: list = []                         # bound, oldest first
        self.queue: deque[Delivery] = deque()
        self.retrying: set[Delivery] = set()
        self._turn = 0

    def clear(self) -> None:
        self.queue.clear()
        self.retrying.clear()

    def add(self, deliveries: list[Delivery]) -> None:
        if len(self.queue) >= MAX_QUEUE:                 # reports only: a handset's text was refused before
            self.counts["dropped"] += len(deliveries)
            self.log.event("queue.full", dropped=len(deliveries))
            return
        self.queue.extend(deliveries)
        self.pump()

    def pump(self) -> None:
        """Hands what waits to bound receivers with room in their window."""
        while self.queue:
            session = self._receiver()
            if session is None:
                return
            delivery = self.queue.popleft()
            session.deliver(delivery)
            self._mark(delivery, "sent")
            if delivery.on_sent:
                session.flush()                          # before anything that on_sent writes, to whichever bind
                delivery.on_sent()

    def _receiver(self):
        window = self.switches.all.window
        receivers = [s for s in self.sessions if s.receives]
        if not receivers:
            return None
        if not self.switches.all.mo_spread:              # one bind after all: the order of texts is kept
            return receivers[0] if len(receivers[0].pending) < window else None
        for _ in receivers:
            self._turn += 1
            session = receivers[self._turn % len(receivers)]
            if len(session.pending) < window:
                return session
        return None

    def _mark(self, delivery: Delivery, word: str) -> None:
        text = delivery.text
        if text is not None:
            if text.parts[delivery.part] != "taken":     # a second copy of a part takes nothing back
                text.parts[delivery.part] = word
        elif delivery.segment is not None:
            delivery.segment.report = word
            text = delivery.segment.text
        if text is not None:
            self.changed(text)

    def answered(self, delivery: Delivery, status: int) -> None:
        """The gateway's answer to a delivery: taken, not now, or no."""
        if status == 0:
            self.counts["delivered"] += 1
            self._mark(delivery, "taken")
        elif status in TRY_AGAIN:
            self.counts["retried"] += 1
            self._mark(delivery, "retrying")
            self.retrying.add(delivery)
            self.later.call(self.switches.all.deliver_retry_ms, self._retry, delivery)
        else:
            self._mark(delivery, f"refused {pdu.STATUS_NAMES.get(status, hex(status))}")
        if self.queue:
            self.pump()

    def _retry(self, delivery: Delivery) -> None:
        self.retrying.discard(delivery)
        self.requeue([delivery])

    def requeue(self, deliveries: list[Delivery]) -> None:
        """Back to the head of the queue, in their order: unanswered when their link ended, or due again."""
        self.queue.extendleft(reversed(deliveries))
        for delivery in deliveries:
            self._mark(delivery, "queued")
        self.pump()

    def waiting(self) -> list[Delivery]:
        """Everything that the gateway has not taken yet, oldest first; for the state file."""
        under_way = [d for session in self.sessions for d in session.pending.values()]
        return under_way + list(self.retrying) + list(self.queue)
