"""The message centre: takes texts, decides what becomes of them, reports, and stores and forwards what handsets write.

It knows sessions only as objects with answer() and cut(); forward.py has the queue, server.py the sockets, web.py the people.
Everything runs in one asyncio loop. Chance comes from one seeded generator.
"""
import asyncio
import random
import time
import uuid
from collections import deque
from typing import Callable, Optional

import gsm
import pdu
import reports
from forward import MAX_QUEUE, Delivery, Forwarder, bodies_of
from log import Log
from switches import Invalid, Switches
from texts import FINAL, Assembly, Handset, Segment, Text, address_of, is_name, number_of, tidy_number, validity_end
from timers import Later

COUNTS = ("submitted", "taken", "refused", "throttled", "lost", "delivered", "reports", "retried", "dropped")
MAX_TEXT, MAX_HANDSETS, MAX_ASSEMBLIES = 20_000, 5_000, 10_000
OVERTAKE_LIMIT_MS = 1000             # a report that cannot be sent holds its text's answer back no longer than this


class Centre:
    def __init__(self, keep: int = 10_000, seed: Optional[int] = None, log: Optional[Log] = None):
        self.keep, self.seed = keep, seed
        self.log = log or Log()
        self.switches = Switches()
        self.later = Later()                 # what becomes of texts; forgotten by reset()
        self.answers = Later()               # answers that are put off; never forgotten
        self.counts: dict[str, int] = {}
        self.forward = Forwarder(self.switches, self.later, self.log, self.counts, self.changed)
        # Without a seed ids begin at the clock, so that they do not come again after a restart.
        self.next_id = 0x1000 if seed is not None else int(time.time()) << 12
        self.last_n = 0
        self.change = 0                      # goes up with every change; what waiters and the page look at
        self.watch: Optional[Callable[[Text], None]] = None
        self._waiters: list[asyncio.Future] = []
        self._waking = False
        self._numbers: dict[pdu.Address, str] = {}
        self._empty()

    def _empty(self) -> None:
        self.random = random.Random(self.seed)
        self.texts: deque[Text] = deque()
        self.by_n: dict[int, Text] = {}
        self.handsets: dict[str, Handset] = {}           # least recently used first
        self.segments: dict[str, Segment] = {}           # by message id, oldest first
        self.assemblies: dict[tuple, Assembly] = {}
        self.references: dict[tuple, int] = {}
        self.forward.clear()
        self.counts.update(dict.fromkeys(COUNTS, 0))
        self.throttle_tokens, self.throttle_time = 0.0, 0.0

    def reset(self) -> None:
        """Forgets texts, handsets, what waits, and the log; binds, switches and the counts of ids and texts stay."""
        self.later.clear()
        self._empty()
        self.log.entries.clear()
        self.changed()

    # -- telling others ------------------------------------------------------------------------------------------------

    def changed(self, text: Optional[Text] = None) -> None:
        self.change += 1
        if text is not None and self.watch and self.by_n.get(text.n) is text:        # not one that was forgotten meanwhile
            self.watch(text)
        if self._waiters and not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_later(0.005, self._wake)

    def _wake(self) -> None:
        self._waking = False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def next_change(self, seconds: float) -> None:
        """Returns soon after something changed, or after `seconds`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await asyncio.wait_for(waiter, seconds)
        except asyncio.TimeoutError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    # -- from the gateway to a handset ---------------------------------------------------------------------------------

    def take(self, session, command: int, sequence: int, message: pdu.Message) -> None:
        """A submit_sm or data_sm: answers through `session` at once, later, or never, as the switches say."""
        number = self._number(message.dest)
        switches = self.switches.for_number(number)
        self.counts["submitted"] += 1
        if switches.lose_requests and self._chance(switches.lose_requests):
            self.counts["lost"] += 1
            return
        delay = self._spread(switches.delay_ms, switches.delay_jitter_ms)
        try:
            self._refuse(switches, number)
            segment = self._accept(message, number, switches)
        except pdu.Refused as refusal:
            self.counts["refused"] += 1
            # A response with an error status has no body (SMPP 3.4 §4.4.2).
            self._answer_after(delay, session, command, sequence, refusal.status, b"")
            return
        self.counts["taken"] += 1
        drop_every = self.switches.all.drop_every
        if drop_every and self.counts["taken"] % drop_every == 0:
            session.cut()
            self.start(segment, 0)
            return
        if switches.lose_responses and self._chance(switches.lose_responses):
            self.start(segment, delay)
            return
        answer = (session, command, sequence, 0, segment.id.encode() + b"\0")
        if switches.report_before_response and segment.report != "never" and not self._is_off(segment):
            self._overtake(segment, delay, answer)
            return
        self._answer_after(delay, *answer)
        self.start(segment, delay)

    def _answer_after(self, delay: float, session, command: int, sequence: int, status: int, body: bytes) -> None:
        if delay <= 0:
            session.answer(command, sequence, status, body)
            return
        session.unanswered += 1
        self.answers.call(delay, session.answer_later, command, sequence, status, body)

    def _number(self, address: pdu.Address) -> str:
        number = self._numbers.get(address)
        if number is None:
            if len(self._numbers) > 50_000:
                self._numbers.clear()
            number = self._numbers[address] = number_of(address)
        return number

    def _chance(self, share: float) -> bool:
        return share >= 1 or (share > 0 and self.random.random() < share)

    def _spread(self, ms: int, jitter: int) -> float:
        return ms + self.random.random() * jitter if jitter else ms

    def _refuse(self, switches, number: str) -> None:
        everyone = self.switches.all
        if everyone.throttle_every and self.counts["submitted"] % everyone.throttle_every == 0:
            self.counts["throttled"] += 1
            raise pdu.Refused("RTHROTTLED")
        if everyone.throttle_rate and not self._token(everyone.throttle_rate):
            self.counts["throttled"] += 1
            raise pdu.Refused("RTHROTTLED")
        if switches.refuse and self._chance(switches.refuse_share):
            raise pdu.Refused(switches.refuse)
        if not number or is_name(number):
            raise pdu.Refused("RINVDSTADR")

    def _token(self, rate: float) -> bool:
        """A bucket of one second's worth of texts."""
        now = time.monotonic()
        if self.throttle_time:
            self.throttle_tokens = min(max(rate, 1.0), self.throttle_tokens + (now - self.throttle_time) * rate)
        else:
            self.throttle_tokens = max(rate, 1.0)
        self.throttle_time = now
        if self.throttle_tokens < 1:
            return False
        self.throttle_tokens -= 1
        return True

    def _accept(self, message: pdu.Message, number: str, switches) -> Segment:
        """From here on the text is the centre's. Raises Refused, and only before anything was kept."""
        now = time.time()
        try:
            expires = validity_end(message.validity, now)
        except ValueError:
            raise pdu.Refused("RINVEXPIRY") from None
        body, concat, alphabet = message.body, None, self.switches.all.alphabet
        header = 0
        if message.esm_class & 0x40:                     # UDH indicator (SMPP 3.4 §5.2.12)
            try:
                header, concat = gsm.parse_header(body)
            except ValueError:
                raise pdu.Refused("RINVMSGLEN") from None
            body = body[header:]
        elif pdu.SAR_REF in message.tlvs:
            concat = self._sar(message.tlvs)
        if message.data_coding == 0 and alphabet == "gsm7_packed":
            body = gsm.unpack(body, header)
        segment = Segment(self._new_id(), message.source, message.dest, message.registered, switches, now, expires)
        self.segments[segment.id] = segment
        if len(self.segments) > 4 * self.keep:
            del self.segments[next(iter(self.segments))]
        if switches.lose_texts and self._chance(switches.lose_texts):
            self.counts["lost"] += 1
            segment.report = "never"
            return segment
        segment.beginning = gsm.decode(body[:40], message.data_coding, alphabet)[0][:20]
        if concat is None or concat.total == 1:
            text, encoding = gsm.decode(body, message.data_coding, alphabet)
            count = gsm.segments_needed(text, encoding) if pdu.MESSAGE_PAYLOAD in message.tlvs else 1
            self._arrive(number, self._number(message.source), text, encoding, count, [segment])
        else:
            self.assemble(segment, concat, message.data_coding, body)
        return segment

    @staticmethod
    def _sar(tlvs: dict) -> Optional[gsm.Concat]:
        ref, total, seq = (int.from_bytes(tlvs.get(t, b""), "big") for t in (pdu.SAR_REF, pdu.SAR_TOTAL, pdu.SAR_SEQ))
        return gsm.Concat(ref, total, seq, 0) if 1 <= seq <= total <= 255 else None

    def _new_id(self) -> str:
        everyone = self.switches.all
        self.next_id += 1
        number = self.next_id
        if everyone.id_format == "uuid":                 # from the count, which survives a restart, so that none comes twice
            return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{number}"))
        return (f"{number:x}" if everyone.id_format == "hex" else str(number)).rjust(everyone.id_width, "0")

    def assemble(self, segment: Segment, concat: gsm.Concat, data_coding: int, body: bytes) -> None:
        """One part of a long text; the text arrives when its last part is there."""
        key = (segment.source, segment.dest, concat.ref, concat.total, concat.width)
        assembly = self.assemblies.get(key)
        if assembly is not None and not assembly.add(concat, body, segment):
            self._finish_assembly(key, incomplete=True)
            assembly = None
        if assembly is None:
            if len(self.assemblies) >= MAX_ASSEMBLIES:
                self._finish_assembly(next(iter(self.assemblies)), incomplete=True)
            assembly = self.assemblies[key] = Assembly(concat.total, data_coding, time.monotonic())
            assembly.add(concat, body, segment)
        if len(assembly.parts) == assembly.total:
            self._finish_assembly(key, incomplete=False)

    def _finish_assembly(self, key: tuple, incomplete: bool) -> None:
        assembly = self.assemblies.pop(key)
        content, encoding, segments = assembly.joined(self.switches.all.alphabet)
        text = self._arrive(self._number(key[1]), self._number(key[0]), content, encoding, assembly.total, segments)
        text.incomplete, text.doubled = incomplete, assembly.doubled

    def _arrive(self, number: str, peer: str, content: str, encoding: str, count: int, segments: list[Segment]) -> Text:
        text = self._keep(Text(self.last_n + 1, number, peer, True, content, encoding, count, segments))
        for segment in segments:
            segment.text = text
        if not self.handsets[number].off:
            self._reply(text)
        return text

    def _reply(self, text: Text) -> None:
        """The automatic answer of a handset, if there is one and the sender can be answered."""
        switches = self.switches.for_number(text.handset)
        if switches.answer and not is_name(text.peer):
            content = switches.answer.replace("{text}", text.text)[:MAX_TEXT]
            self.later.call(max(switches.answer_delay_ms, 1), self.send, text.handset, text.peer, content)

    def _keep(self, text: Text) -> Text:
        self.last_n = text.n
        self.texts.append(text)
        self.by_n[text.n] = text
        if len(self.texts) > self.keep:
            self.by_n.pop(self.texts.popleft().n, None)
        handset = self.handset(text.handset)
        handset.texts += 1
        handset.peer = text.peer
        self.changed(text)
        return text

    def handset(self, number: str) -> Handset:
        """The handset with this number, made if need be, and now the one used last."""
        handset = self.handsets.pop(number, None) or Handset(number)
        handset.seen = time.time()
        self.handsets[number] = handset
        if len(self.handsets) > MAX_HANDSETS:
            oldest = next((h for h in self.handsets.values() if not h.held), handset)
            del self.handsets[oldest.number]
        return handset

    def turn_handset(self, number: str, off: bool) -> Handset:
        """Off: texts wait for it. On again: they arrive, and their reports go out."""
        handset = self.handset(number)
        handset.off = off
        if not off:
            held, handset.held = handset.held, []
            for text in {s.text.n: s.text for s in held if s.text}.values():
                self._reply(text)
            for segment in held:
                self.start(segment, 0)
        self.changed()
        return handset

    # -- what becomes of a segment -------------------------------------------------------------------------------------

    def start(self, segment: Segment, after_ms: float) -> None:
        """Sets the clock for the outcome: `after_ms` until the answer is out, then the report's own delay.

        While its handset is off, the segment waits there instead.
        """
        if segment.report == "never":
            return
        switches = segment.switches
        if switches.report_intermediate and segment.registered & 0x10:
            self.later.call(after_ms + 1, self._report, segment, "enroute", True)
        if self._is_off(segment):
            self.handset(self._number(segment.dest)).held.append(segment)
            return
        delay = after_ms + self._spread(switches.report_delay_ms, switches.report_jitter_ms)
        self.later.call(delay, self._finish, segment, self._outcome(segment))

    def _is_off(self, segment: Segment) -> bool:
        handset = self.handsets.get(self._number(segment.dest))
        return handset is not None and handset.off

    def _outcome(self, segment: Segment) -> str:
        switches = segment.switches
        return switches.report_outcome if self._chance(switches.report_outcome_share) else "delivered"

    def _overtake(self, segment: Segment, delay: float, answer: tuple) -> None:
        """The outcome now, its report first; the answer once the report is on the wire, or will not be soon."""
        pending = [answer]

        def release() -> None:
            if pending:
                self._answer_after(delay, *pending.pop())

        outcome = self._outcome(segment)
        if outcome == "never" or not reports.wanted(segment.registered, outcome):
            release()
            self.start(segment, delay)
            return
        self._finish(segment, outcome, release)
        self.answers.call(OVERTAKE_LIMIT_MS, release)

    def _finish(self, segment: Segment, outcome: str, on_sent: Optional[Callable] = None) -> None:
        if segment.state in FINAL:                       # cancelled meanwhile
            return
        if outcome == "never":
            return
        segment.state, segment.final_at = outcome, time.time()
        if reports.wanted(segment.registered, outcome):
            self._report(segment, outcome, False, on_sent)
            if segment.switches.report_twice:
                self._report(segment, outcome)
        then = segment.switches.report_then
        if then and then != outcome:
            self.later.call(max(segment.switches.report_delay_ms, 20), self._change_mind, segment, then)
        if segment.text is not None:
            self.changed(segment.text)

    def _change_mind(self, segment: Segment, outcome: str) -> None:
        segment.state = outcome
        if reports.wanted(segment.registered, outcome):
            self._report(segment, outcome)
        if segment.text is not None:
            self.changed(segment.text)

    def _report(self, segment: Segment, outcome: str, intermediate: bool = False, on_sent: Optional[Callable] = None) -> None:
        command, body = reports.build(segment.id, segment.source, segment.dest, outcome, segment.switches, segment.submitted,
                                      segment.beginning, self.switches.all.alphabet, intermediate)
        segment.report = "queued"
        self.counts["reports"] += 1
        self.forward.add([Delivery(command, body, segment=segment, on_sent=on_sent)])

    def query(self, message_id: str, source: bytes) -> Segment:
        """The segment that query_sm asks about (SMPP 3.4 §4.8); Refused if there is none of that source."""
        segment = self.segments.get(message_id)
        if segment is None or (source and source != segment.source.digits):
            raise pdu.Refused("RINVMSGID")
        return segment

    def cancel(self, message_id: str, source: bytes, dest: bytes) -> None:
        """cancel_sm (SMPP 3.4 §4.9): by id, or without one all of this pair that are still under way."""
        if message_id:
            found = [self.query(message_id, source)]
        else:
            found = [s for s in self.segments.values()
                     if s.source.digits == source and s.dest.digits == dest and s.state == "enroute"]
        if not found or any(s.state in FINAL for s in found):
            raise pdu.Refused("RCANCELFAIL")
        for segment in found:
            self._finish(segment, "deleted")

    def set_switches(self, wanted: object) -> None:
        """Changes switches and rules; all of it or, with Invalid, nothing."""
        self.switches.change(wanted)
        if isinstance(wanted, dict) and self.switches.all.id_start:
            self.next_id = self.switches.all.id_start - 1
            self.switches.change({"id_start": 0})        # done once, not again with the next change
        self.forward.pump()
        self.changed()

    # -- from a handset to the gateway ---------------------------------------------------------------------------------

    def send(self, sender: str, to: str, content: str, order: str = "", long: str = "", encoding: str = "",
             twice: Optional[float] = None, only: Optional[list] = None, octets: Optional[bytes] = None,
             data_coding: int = 4, header: bool = False) -> Text:
        """A handset writes. Kept until the gateway has taken every part. Invalid says what is wrong with the wish.

        Empty options follow the switches. `only` sends just these parts (from 1); `octets` sends one message of raw octets
        under `data_coding`, with a UDH in front if `header` says so.
        """
        number, peer = tidy_number(sender), tidy_number(to)
        if number is None:
            raise Invalid("from is a number such as +15550001, or a name of at most 11 characters.")
        if peer is None or is_name(peer):
            raise Invalid("to is the gateway's number, such as +15550100; a name cannot be answered.")
        if len(content) > MAX_TEXT:
            raise Invalid(f"A text has at most {MAX_TEXT} characters.")
        if len(self.forward.queue) >= MAX_QUEUE:
            raise Invalid(f"{MAX_QUEUE} texts and reports wait already; bind the gateway first.")
        switches = self.switches.for_number(number)
        source, dest = address_of(number, switches.mo_address), address_of(peer, switches.mo_address)
        if octets is not None:
            bodies = [pdu.message_body(source, dest, 0x40 if header else 0, data_coding, octets)]
            content, name = gsm.decode(octets, data_coding, self.switches.all.alphabet)
        else:
            encoding = encoding or switches.mo_encoding
            if encoding == "auto":
                encoding = "gsm7" if gsm.fits(content) else "ucs2"
            name = gsm.NAMES[encoding]
            bodies = bodies_of(source, dest, content, encoding, long or switches.mo_long, self.switches.all.alphabet,
                               lambda width: self._reference((source, dest), width))
        numbers = only or list(range(1, len(bodies) + 1))
        if any(not 1 <= i <= len(bodies) for i in numbers):
            raise Invalid(f"This text has {len(bodies)} parts; only names another.")
        text = self._keep(Text(self.last_n + 1, number, peer, False, content, name, len(bodies), ["queued"] * len(bodies)))
        for i in set(range(1, len(bodies) + 1)) - set(numbers):
            text.parts[i - 1] = "taken"                  # left out on purpose: nothing to wait for
        order = order or switches.mo_order
        if order == "reversed":
            numbers = numbers[::-1]
        elif order == "shuffled":
            self.random.shuffle(numbers)
        deliveries = []
        for i in numbers:
            delivery = Delivery(pdu.DELIVER_SM, bodies[i - 1], text, i - 1)
            deliveries.append(delivery)
            if self._chance(switches.mo_twice if twice is None else twice):
                deliveries.append(Delivery(delivery.command, delivery.body, text, i - 1))
        self.forward.add(deliveries)
        return text

    def _reference(self, pair: tuple, width: int) -> int:
        """The next reference for long texts of this pair; the first one is random."""
        if len(self.references) > 50_000:
            self.references.clear()
        last = self.references.get(pair)
        self.references[pair] = self.random.getrandbits(width) if last is None else last + 1
        return self.references[pair] % (1 << width)

    def sweep(self) -> None:
        """Once a second: long texts that stay incomplete, and texts that a switched-off handset waited for too long."""
        oldest = time.monotonic() - self.switches.all.reassembly_seconds
        while self.assemblies:
            key = next(iter(self.assemblies))
            if self.assemblies[key].started > oldest:
                break
            self._finish_assembly(key, incomplete=True)
        now = time.time()
        for handset in [h for h in self.handsets.values() if h.held]:
            due = [s for s in handset.held if s.expires is not None and s.expires <= now]
            if due:
                handset.held = [s for s in handset.held if s not in due]
                for segment in due:
                    self._finish(segment, "expired")
