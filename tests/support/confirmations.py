"""What the XMPP server has confirmed of wherry's stanzas by the double ping, read off the wire by the rule of xmpp/component.hpp:

a ping covers what was sent before it; its answer settles what an earlier ping covered whose answer came before this ping was
sent. One for each component's link; independent of wherry's own count, so that each judges the other.
"""
from __future__ import annotations

from typing import Callable
from xml.etree.ElementTree import Element

from xml_stream import child, local

PING = "urn:xmpp:ping"


class Confirmations:
    def __init__(self) -> None:
        self.ids: set[str] = set()                       # of messages, settled on any connection so far
        self.covered: set[str] = set()                   # … that one ping confirmed, which is not enough
        self.on_settled: Callable[[], None] = lambda: None
        self._begin()

    def _begin(self) -> None:
        self._sent: list[str] = []                       # ids of messages on this connection, in order
        self._covered = self._settled = 0                # how many of them
        self._ping: tuple[str, int, int] | None = None   # the one on its way: id, what it covers, what its answer settles

    def watch(self, direction: str, stanza: Element) -> None:
        """Every stanza of the link, "->" from wherry and "<-" to it, in its order."""
        kind, name = local(stanza), stanza.get("id", "")
        if kind == "handshake" and direction == "->":
            self._begin()
        elif kind == "message" and direction == "->":
            self._sent.append(name)
        elif kind == "iq" and direction == "->" and child(stanza, "ping", PING) is not None:
            self._ping = (name, len(self._sent), self._covered)
        elif kind == "iq" and direction == "<-" and self._ping and name == self._ping[0]:
            self.covered.update(self._sent[self._covered:self._ping[1]])
            _, self._covered, settles = self._ping
            self._ping = None
            self.ids.update(self._sent[self._settled:settles])
            if settles > self._settled:
                self._settled = settles
                self.on_settled()
