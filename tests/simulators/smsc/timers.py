"""Many timers in few, because a load test sets thousands a second."""
import asyncio
from typing import Callable


class Later:
    """Calls functions after a time; those due within the same 5 ms share one timer and keep their order."""

    def __init__(self):
        self._slots: dict[int, list] = {}

    def call(self, ms: float, function: Callable, *arguments) -> None:
        """At once if `ms` is not above zero."""
        if ms <= 0:
            function(*arguments)
            return
        loop = asyncio.get_running_loop()
        slot = int((loop.time() * 1000 + ms) / 5) + 1
        calls = self._slots.get(slot)
        if calls is None:
            self._slots[slot] = calls = []
            loop.call_at(slot * 0.005, self._run, slot)
        calls.append((function, arguments))

    def _run(self, slot: int) -> None:
        for function, arguments in self._slots.pop(slot, ()):
            function(*arguments)

    def clear(self) -> None:
        for calls in self._slots.values():
            calls.clear()
