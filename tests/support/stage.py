"""What every test of the whole gateway stands on: an XMPP server, the link to it, and one wherry. Subclasses add the network."""
from __future__ import annotations

import contextlib
import os
from typing import Callable

from hosts import make_host
from link import Link
from wherry import Transport, Wherry

SECRET = "component secret"


class Stage:
    """`async with Stage(…)`: everything runs; what was started is stopped at the end, the last first."""

    def __init__(self, host: str, folder: str, domains: list[str], components: list[str]) -> None:
        self.folder = folder
        self.host = make_host(host, folder, domains, {component: SECRET for component in components})
        self.link = Link(self.host.component_port, components)
        self.wherry: Wherry
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self):
        try:
            self._stack.push_async_callback(self.host.stop)
            await self.host.start()
            self._stack.push_async_callback(self.link.stop)
            await self.link.start()
            await self._begin()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_failure) -> None:
        await self._stack.aclose()

    async def _begin(self) -> None:
        """The subclass's part: users, the network, wherry."""
        raise NotImplementedError  # of an abstract class

    def _make_wherry(self, binary: str, store: str, transports: list[Transport], on_line: Callable[[str], None] | None) -> None:
        """Its configuration is written; it does not run yet."""
        binary = os.path.abspath(binary)
        connectors = os.path.join(os.path.dirname(binary), "..", "connectors")
        self.wherry = Wherry(binary, os.path.join(self.folder, "wherry"), store, transports, connectors, on_line)
        self._stack.push_async_callback(self._stop_wherry)

    async def _stop_wherry(self) -> None:
        if self.wherry.running:
            await self.wherry.stop()
