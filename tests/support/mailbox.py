"""What arrived at one place, in order, and waiting for what has yet to arrive."""
from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Callable
from xml.etree.ElementTree import Element

from xml_stream import to_text


class NotReceived(AssertionError):
    """What was waited for did not come within the limit."""


@dataclass
class Arrival:
    number: int
    element: Element
    taken: bool = False


class Mailbox:
    def __init__(self, name: str) -> None:
        self.name = name
        self.arrivals: list[Arrival] = []
        self.ended: str | None = None  # why nothing more will come
        self._count = 0
        self._last_taken = 0
        self._news = asyncio.Event()

    def put(self, element: Element) -> None:
        self._count += 1
        self.arrivals.append(Arrival(self._count, element))
        self._news.set()

    def end(self, reason: str) -> None:
        self.ended = reason
        self._news.set()

    def clear(self) -> None:
        """Forgets what arrived so far."""
        self.arrivals.clear()

    def waiting(self) -> list[Element]:
        """What arrived and was not taken."""
        return [arrival.element for arrival in self.arrivals if not arrival.taken]

    async def take(self, match: Callable[[Element], bool], limit: float, later: bool = False) -> Element:
        """The first arrival, past or to come, that matches and was not taken; with `later`, only one that arrived after
        the one taken last. Raises NotReceived after `limit` seconds, or at once where nothing can come any more."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        while True:
            self._news.clear()
            for arrival in self.arrivals:
                if arrival.taken or (later and arrival.number < self._last_taken):
                    continue
                if match(arrival.element):
                    arrival.taken = True
                    self._last_taken = arrival.number
                    return arrival.element
            if self.ended:
                raise NotReceived(f"{self.name} will receive nothing more: {self.ended}")
            rest = end - loop.time()
            if rest <= 0:
                raise NotReceived(f"{self.name} did not receive it within {limit:g} s")
            try:
                await asyncio.wait_for(self._news.wait(), rest)
            except asyncio.TimeoutError:
                pass

    def describe(self, most: int = 12) -> list[str]:
        """What waits here, shortened, for a failure's report."""
        return [shorten(to_text(element)) for element in self.waiting()[-most:]]


def shorten(text: str, most: int = 600) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
