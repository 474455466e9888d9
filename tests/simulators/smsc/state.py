"""The state file: what the centre would lose by a restart, as one JSON document.

Written whole and renamed into place, at most once a second while something changes, and when the simulator stops; a kill in
between loses at most what happened since.
"""
import json
import os
import time

import gsm
from centre import Centre
from forward import Delivery
from texts import FINAL, Handset, Segment, Text, load_address, number_of

VERSION = 1


def snapshot(centre: Centre) -> dict:
    waiting = centre.forward.waiting()
    return {"version": VERSION, "next_id": centre.next_id, "last_n": centre.last_n, "switches": centre.switches.shown(),
            "handsets": [{"number": h.number, "off": h.off, "seen": h.seen, "peer": h.peer, "texts": h.texts}
                         for h in centre.handsets.values()],
            "texts": [t.save() for t in centre.texts],
            "assemblies": [{"segment": s.save(), "concat": [key[2], key[3], seq, key[4]], "data_coding": a.data_coding,
                            "body": body.hex()}
                           for key, a in centre.assemblies.items() for seq, (body, segments) in a.parts.items() for s in segments],
            "waiting": [{"command": d.command, "body": d.body.hex(), "text": d.text.n if d.text else None, "part": d.part,
                         "segment": d.segment.id if d.segment else None} for d in waiting]}


def restore(centre: Centre, saved: dict) -> None:
    """Fills a fresh centre. What was under way waits again; outcomes that were still to come start anew."""
    if saved.get("version") != VERSION:
        raise ValueError(f"the state file has version {saved.get('version')}, this simulator writes {VERSION}; "
                         "move it away to start anew")
    centre.switches.change(saved["switches"])
    centre.next_id, centre.last_n = saved["next_id"], saved["last_n"]
    for row in saved["handsets"]:
        handset = centre.handsets[row["number"]] = Handset(row["number"])
        handset.off, handset.seen, handset.peer, handset.texts = row["off"], row["seen"], row["peer"], row["texts"]
    for row in saved["texts"]:
        text = Text.load(row, centre.switches)
        centre.texts.append(text)
        centre.by_n[text.n] = text
        if text.to_handset:
            centre.segments.update((p.id, p) for p in text.parts)
    for row in saved["assemblies"]:
        segment = Segment.load(row["segment"], centre.switches.for_number(number_of(load_address(row["segment"]["dest"]))))
        centre.segments[segment.id] = segment
        centre.assemble(segment, gsm.Concat(*row["concat"]), row["data_coding"], bytes.fromhex(row["body"]))
    for row in saved["waiting"]:
        text = centre.by_n.get(row["text"])
        segment = centre.segments.get(row["segment"])
        centre.forward.queue.append(Delivery(row["command"], bytes.fromhex(row["body"]), text, row["part"], segment))
        if text is not None and text.parts[row["part"]] != "taken":
            text.parts[row["part"]] = "queued"
    for segment in list(centre.segments.values()):
        if segment.state not in FINAL:
            centre.start(segment, 0)


class StateFile:
    """Saves a centre when it has changed; `due` is asked once a second and keeps saving below a twentieth of the time."""

    def __init__(self, path: str, centre: Centre):
        self.path, self.centre = path, centre
        self._saved_change = -1
        self._not_before = 0.0

    def load(self) -> None:
        """Does nothing if there is no file yet. Raises ValueError or OSError when there is one that cannot be used."""
        try:
            with open(self.path, encoding="utf-8") as file:
                saved = json.load(file)
        except FileNotFoundError:
            return
        except ValueError as fault:
            raise ValueError(f"{self.path} is no JSON: {fault}") from None
        try:
            restore(self.centre, saved)
        except (KeyError, TypeError, AttributeError, IndexError) as fault:
            raise ValueError(f"{self.path} was not written by this simulator ({fault!r}); move it away to start anew") from None

    def save_if_due(self) -> None:
        if self.centre.change != self._saved_change and time.monotonic() >= self._not_before:
            self.save()

    def save(self) -> None:
        began = time.monotonic()
        self._saved_change = self.centre.change
        fresh = f"{self.path}.new"
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(json.dumps(snapshot(self.centre)))            # not dump(), which is several times slower
        os.replace(fresh, self.path)
        now = time.monotonic()
        self._not_before = now + max(0.0, 20 * (now - began) - 1)
