"""What the centre knows: texts, their segments, handsets, numbers, and long texts that are still being put together."""
import calendar
import re
import time
from typing import Optional

import gsm
import pdu

FINAL = frozenset(("delivered", "expired", "undeliverable", "rejected", "deleted", "unknown"))
_DIGITS = re.compile(r"\+?[0-9*#]{1,20}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11}")


def number_of(address: pdu.Address) -> str:
    """The one spelling of a number here: international with '+', everything else as it came (SMPP 3.4 §5.2.5)."""
    ton, _, digits = address
    text = digits.decode("latin-1")
    if ton == 5:
        return text
    if ton == 1:
        return "+" + text.lstrip("+")
    if ton == 0 and text.startswith("00"):
        return "+" + text[2:]
    if ton == 0 and len(text) >= 10 and text.isdecimal():
        return "+" + text
    return text


def address_of(number: str, form: str) -> pdu.Address:
    """The other way; `form` is the switch mo_address."""
    if _DIGITS.fullmatch(number) is None:
        return pdu.Address(5, 0, number.encode("ascii"))
    if not number.startswith("+"):
        return pdu.Address(0, 1, number.encode())
    return pdu.Address(0 if form == "unknown" else 1, 1, (number if form == "plus" else number[1:]).encode())


def tidy_number(typed: str) -> Optional[str]:
    """A number as a person types it, without blanks, dots, dashes and brackets; None if it is none."""
    bare = re.sub(r"[\s().\-/]", "", typed)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    if _DIGITS.fullmatch(bare) and bare != "+":
        return bare
    return typed.strip() if _NAME.fullmatch(typed.strip()) else None


def is_name(number: str) -> bool:
    return _DIGITS.fullmatch(number) is None


def validity_end(period: bytes, now: float) -> Optional[float]:
    """When a validity_period ends, in seconds since 1970; None if it is empty. ValueError if malformed (SMPP 3.4 §7.1.1)."""
    if not period:
        return None
    if len(period) != 16 or not period[:15].isdigit():
        raise ValueError("validity_period")
    parts = [int(period[i:i + 2]) for i in range(0, 12, 2)]
    if period[15:] == b"R":
        years, months, days, hours, minutes, seconds = parts
        return now + (((years * 365 + months * 30 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    sign = {b"+": 1, b"-": -1}.get(period[15:])
    if sign is None:
        raise ValueError("validity_period")
    utc = calendar.timegm((2000 + parts[0], *parts[1:], 0, 0, 0)) - sign * int(period[13:15]) * 900
    return float(utc)


class Segment:
    """One submit_sm that was taken: its id, what was asked for it, and what became of it."""
    __slots__ = ("id", "source", "dest", "registered", "switches", "submitted", "state", "final_at", "expires", "report",
                 "beginning", "text")

    def __init__(self, id_, source, dest, registered, switches, submitted, expires):
        self.id, self.source, self.dest, self.registered, self.switches = id_, source, dest, registered, switches
        self.submitted, self.expires = submitted, expires
        self.state = "enroute"
        self.final_at = 0.0
        self.report = "none"         # none, queued, sent, taken, or the status with which the gateway refused it
        self.beginning = ""
        self.text: Optional["Text"] = None

    def save(self) -> dict:
        return {"id": self.id, "source": save_address(self.source), "dest": save_address(self.dest), "registered": self.registered,
                "submitted": self.submitted, "expires": self.expires, "state": self.state, "final_at": self.final_at,
                "report": self.report, "beginning": self.beginning}

    @classmethod
    def load(cls, saved: dict, switches) -> "Segment":
        segment = cls(saved["id"], load_address(saved["source"]), load_address(saved["dest"]), saved["registered"], switches,
                      saved["submitted"], saved["expires"])
        for name in ("state", "final_at", "report", "beginning"):
            setattr(segment, name, saved[name])
        return segment


def save_address(address: pdu.Address) -> list:
    return [address.ton, address.npi, address.digits.decode("latin-1")]


def load_address(saved: list) -> pdu.Address:
    return pdu.Address(saved[0], saved[1], saved[2].encode("latin-1"))


class Text:
    """One text on one handset, in either direction. `parts` holds Segments, or for a handset's own text a word for each part."""
    __slots__ = ("n", "handset", "peer", "to_handset", "text", "encoding", "segments", "time", "parts", "incomplete", "doubled")

    def __init__(self, n, handset, peer, to_handset, text, encoding, segments, parts):
        self.n, self.handset, self.peer, self.to_handset = n, handset, peer, to_handset
        self.text, self.encoding, self.segments, self.parts = text, encoding, segments, parts
        self.time = time.time()
        self.incomplete = False
        self.doubled = 0             # parts that came more than once

    def state(self) -> str:
        """One word for the whole text: of several parts the one that matters most to a person."""
        if self.to_handset:
            states = [p.state for p in self.parts]
            worst = next((s for s in states if s in FINAL and s != "delivered"), None)
            return worst or ("delivered" if all(s == "delivered" for s in states) else "enroute")
        words = set(self.parts)
        refused = next((w for w in self.parts if w.startswith("refused")), None)
        return refused or next((w for w in ("retrying", "queued", "sent") if w in words), "taken")

    def shown(self) -> dict:
        """The text for the API and the page."""
        if self.to_handset:
            parts = [{"id": p.id, "state": p.state, "report": p.report} for p in self.parts]
        else:
            parts = [{"state": p} for p in self.parts]
        return {"n": self.n, "handset": self.handset, "peer": self.peer,
                "direction": "to_handset" if self.to_handset else "from_handset", "text": self.text, "encoding": self.encoding,
                "segments": self.segments, "state": self.state(), "time": round(self.time, 3), "parts": parts,
                "incomplete": self.incomplete, "doubled": self.doubled}

    def save(self) -> dict:
        return {"n": self.n, "handset": self.handset, "peer": self.peer, "to_handset": self.to_handset, "text": self.text,
                "encoding": self.encoding, "segments": self.segments, "time": self.time, "incomplete": self.incomplete,
                "doubled": self.doubled, "parts": [p.save() for p in self.parts] if self.to_handset else self.parts}

    @classmethod
    def load(cls, saved: dict, switches) -> "Text":
        parts = saved["parts"]
        if saved["to_handset"]:
            values = switches.for_number(saved["handset"])
            parts = [Segment.load(p, values) for p in parts]
        text = cls(saved["n"], saved["handset"], saved["peer"], saved["to_handset"], saved["text"], saved["encoding"],
                   saved["segments"], parts)
        text.time, text.incomplete, text.doubled = saved["time"], saved["incomplete"], saved["doubled"]
        for part in parts if text.to_handset else ():
            part.text = text
        return text


class Handset:
    """A phone. While it is switched off, texts wait for it: `held` are the segments whose outcome is put off."""
    __slots__ = ("number", "off", "seen", "peer", "texts", "held")

    def __init__(self, number: str):
        self.number = number
        self.off = False
        self.seen = time.time()
        self.peer = ""               # the other side of its last text
        self.texts = 0
        self.held: list[Segment] = []

    def shown(self) -> dict:
        return {"number": self.number, "off": self.off, "seen": round(self.seen, 3), "peer": self.peer, "texts": self.texts,
                "waiting": len(self.held)}


class Assembly:
    """The parts of one long text as they come (TS 23.040 §9.2.3.24.1)."""
    __slots__ = ("total", "data_coding", "parts", "started", "doubled")

    def __init__(self, total: int, data_coding: int, started: float):
        self.total, self.data_coding, self.started = total, data_coding, started
        self.parts: dict[int, tuple[bytes, list[Segment]]] = {}
        self.doubled = 0

    def add(self, concat: gsm.Concat, body: bytes, segment: Segment) -> bool:
        """False if this part contradicts an earlier one: then the reference was used again, for another text."""
        have = self.parts.get(concat.seq)
        if have is None:
            self.parts[concat.seq] = (body, [segment])
        elif have[0] != body:
            return False
        else:
            have[1].append(segment)
            self.doubled += 1
        return True

    def joined(self, alphabet: str) -> tuple[str, str, list[Segment]]:
        """Text, encoding and segments; holes are marked. The octets are joined first: a character may straddle two parts."""
        pieces, run, encoding = [], b"", ""
        for seq in range(1, self.total + 1):
            if seq in self.parts:
                run += self.parts[seq][0]
                continue
            if run:
                pieces.append(gsm.decode(run, self.data_coding, alphabet)[0])
                run = b""
            pieces.append("[…]")
        last, encoding = gsm.decode(run, self.data_coding, alphabet)
        segments = [s for seq in sorted(self.parts) for s in self.parts[seq][1]]
        return "".join(pieces) + last, encoding, segments
