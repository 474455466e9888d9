"""Everything that a run of scenarios shares: the host, the link, the networks, one wherry. Started once, used by all."""
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from typing import Callable

from hosts import make_host
from link import Link
from network import NETWORKS, Network
from scenario import PEOPLE
from wherry import Transport, Wherry
from xml_stream import to_text

SECRET = "scenario secret"
USERS = "x.test"          # whose users may register
GUESTS = "z.test"         # and these, though to wherry they are another server's
STRANGERS = "y.test"      # whose users may not
POLICIES = {"net.test": "always_on", "im.test": "follow_presence", "form.test": "always_on"}
RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "network_relay.py")


@dataclass
class Options:
    host: str
    wherry: str
    connector: str = "scripted"
    store: str = "sqlite"
    limit: float = 10.0      # seconds that anything expected may take
    verbose: bool = False


class World:
    def __init__(self, options: Options, folder: str) -> None:
        self.options = options
        self.folder = folder
        self.domains = list(NETWORKS) if options.connector == "scripted" else ["net.test"]
        self.networks = {domain: Network(domain, NETWORKS[domain]) for domain in self.domains}
        self.host = make_host(options.host, folder, [USERS, GUESTS, STRANGERS], {domain: SECRET for domain in self.domains})
        if options.host == "prosody":
            self.host.keeps_messages = False  # ejabberd does: both kinds of servers are tried
        self.link = Link(self.host.component_port, self.domains)
        self.wherry: Wherry
        self.witness = None      # a client that is always there: its round trips prove what server and gateway have done
        self._sockets: asyncio.Server | None = None
        self._users = 0

    async def __aenter__(self) -> "World":
        self._stack = contextlib.AsyncExitStack()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_failure) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self._stack.push_async_callback(self.host.stop)
        await self.host.start()
        await self.host.add_user(f"witness@{USERS}")
        self.witness = await self.host.connect(f"witness@{USERS}", "desk")
        self._stack.push_async_callback(self.witness.close)
        self._stack.push_async_callback(self.link.stop)
        await self.link.start()
        path = os.path.join(self.folder, "networks")
        self._sockets = await asyncio.start_unix_server(self._relay, path, limit=16 << 20)
        self._stack.callback(self._sockets.close)
        self.wherry = Wherry(self.options.wherry, os.path.join(self.folder, "wherry"), self.options.store,
                             [self._transport(domain, path) for domain in self.domains],
                             os.path.join(os.path.dirname(os.path.abspath(self.options.wherry)), "..", "connectors"),
                             self._log if self.options.verbose else None)
        self._stack.push_async_callback(self._stop_wherry)
        await self.wherry.start()
        if self.options.verbose:
            self.link.watch = lambda domain, way, stanza: self._log(f"{way} {domain} {to_text(stanza)}")

    def _transport(self, domain: str, path: str) -> Transport:
        scripted = self.options.connector == "scripted"
        return Transport(domain, self.link.ports[domain], SECRET, USERS, [sys.executable, "-I", "-S", RELAY, path, domain] if scripted else [],
                         "" if scripted else self.options.connector, POLICIES[domain], [USERS, GUESTS])

    async def _stop_wherry(self) -> None:
        if self.wherry.running:
            await self.wherry.stop()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = json.loads(await reader.readline())
            await self.networks[hello["relay"]].serve(reader, writer, hello["pid"])
        except asyncio.CancelledError:
            writer.close()

    @staticmethod
    def _log(line: str) -> None:
        print(f"        {line[:2000]}", flush=True)

    async def cast(self) -> Callable[[str], str]:
        """Fresh accounts for one scenario: a function from an address as the files write it (romeo@x.test) to the real one."""
        self._users += 1
        number = self._users
        for person, domain in PEOPLE.items():
            await self.host.add_user(f"{person}{number}@{domain}")
        return lambda address: address.replace("@", f"{number}@", 1)

    async def start_wherry(self) -> None:
        """Starts it, and waits until its networks' child processes run and its links are up."""
        starts = {domain: network.starts for domain, network in self.networks.items()}
        await self.wherry.start()
        await self.link.wait_connected(30)
        if self.options.connector == "scripted":
            for domain, network in self.networks.items():
                await network.wait_started(starts[domain] + 1, 30)

    async def mend(self, failed: bool) -> str:
        """After a scenario: everything up again for the next. What was broken that no scenario asked for, or ""."""
        self.link.up()
        report = self.wherry.sanitizer_report()
        if failed and self.options.store == "sqlite":
            # What went wrong may lie in the store, and would go wrong again in every scenario that follows.
            if self.wherry.running:
                await self.wherry.kill()
            self.wherry.erase_store()
            await self.start_wherry()
            return report
        if not self.wherry.running:
            log = self.wherry.log(40)
            await self.start_wherry()
            return report or f"wherry is not running; its last lines:\n{log}"
        await self.link.wait_connected(70)
        return report
