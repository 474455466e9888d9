"""The log: the last PDUs and events in memory, decoded only when somebody reads them; as JSON lines too if asked."""
import json
import time
from collections import deque
from typing import Optional, TextIO

import pdu


class Log:
    """`stream` gets every entry at once as one JSON line; that costs time, so load tests leave it out."""

    def __init__(self, keep: int = 5000, stream: Optional[TextIO] = None):
        self.entries: deque = deque(maxlen=keep)
        self.stream = stream
        self.n = 0

    def pdu(self, session: int, direction: str, raw: bytes) -> None:
        """`direction` is "in" (from the gateway) or "out"."""
        self.n += 1
        entry = (self.n, time.time(), session, direction, raw)
        self.entries.append(entry)
        if self.stream:
            self._write(entry)

    def event(self, name: str, session: int = 0, **facts) -> None:
        self.n += 1
        entry = (self.n, time.time(), session, {"event": name, **facts}, None)
        self.entries.append(entry)
        if self.stream:
            self._write(entry)

    def _write(self, entry: tuple) -> None:
        self.stream.write(json.dumps(shown(entry), ensure_ascii=False) + "\n")
        self.stream.flush()

    def after(self, n: int):
        """Entries younger than `n`, oldest first."""
        newer = []
        for entry in reversed(self.entries):
            if entry[0] <= n:
                break
            newer.append(entry)
        return reversed(newer)


def name_of(entry: tuple) -> str:
    """The command or event of an entry, without decoding the rest."""
    raw = entry[4]
    return entry[3]["event"] if raw is None else pdu.COMMANDS.get(int.from_bytes(raw[4:8], "big"), "unknown")


def shown(entry: tuple) -> dict:
    n, moment, session, what, raw = entry
    head = {"n": n, "time": round(moment, 3), "session": session}
    return {**head, **what} if raw is None else {**head, "direction": what, **pdu.describe(raw)}
