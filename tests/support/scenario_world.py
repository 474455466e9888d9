"""Everything that a run of scenarios shares: the host, the link, the networks, one wherry. Started once, used by all."""
from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Callable

from network import NETWORKS, Network
from scenario import PEOPLE
from stage import SECRET, Stage
from wherry import Transport
from xml_stream import to_text

USERS = "x.test"          # whose users may register
GUESTS = "z.test"         # and these, though to wherry they are another server's
STRANGERS = "y.test"      # whose users may not
POLICIES = {"net.test": "always_on", "im.test": "follow_presence", "trusted.test": "follow_presence", "rich.test": "always_on", "form.test": "always_on"}
RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "network_relay.py")


@dataclass
class Options:
    host: str
    wherry: str
    connector: str = "scripted"
    store: str = "sqlite"
    limit: float = 10.0      # seconds that anything expected may take
    verbose: bool = False


class World(Stage):
    def __init__(self, options: Options, folder: str) -> None:
        self.options = options
        self.domains = list(NETWORKS) if options.connector == "scripted" else ["net.test"]
        super().__init__(options.host, folder, [USERS, GUESTS, STRANGERS], self.domains)
        if options.host == "prosody":
            self.host.keeps_messages = False  # ejabberd does: both kinds of servers are tried
        self.networks = {domain: Network(domain, NETWORKS[domain]) for domain in self.domains}
        self.witness = None      # a client that is always there: its round trips prove what server and gateway have done
        self._users = 0

    async def _begin(self) -> None:
        await self.host.add_user(f"witness@{USERS}")
        self.witness = await self.host.connect(f"witness@{USERS}", "desk")
        self._stack.push_async_callback(self.witness.close)
        path = os.path.join(self.folder, "networks")
        sockets = await asyncio.start_unix_server(self._relay, path, limit=16 << 20)
        self._stack.callback(sockets.close)
        self._make_wherry(self.options.wherry, self.options.store, [self._transport(domain, path) for domain in self.domains],
                          self._log if self.options.verbose else None)
        await self.wherry.start()
        if self.options.verbose:
            self.link.watch = lambda domain, way, stanza: self._log(f"{way} {domain} {to_text(stanza)}")

    def _transport(self, domain: str, path: str) -> Transport:
        scripted = self.options.connector == "scripted"
        return Transport(domain, self.link.ports[domain], SECRET, USERS, [sys.executable, "-I", "-S", RELAY, path, domain] if scripted else [],
                         "" if scripted else self.options.connector, POLICIES[domain], [USERS, GUESTS])

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
