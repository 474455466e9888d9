"""A wherry with the connector msn beside a fake XMPP server, a server of MSNP, and people on both sides."""
from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../support")]

from processes import Program, free_port  # noqa: E402
from stage import SECRET, Stage  # noqa: E402
from wherry import Transport  # noqa: E402
from xml_stream import CLIENT, child, local  # noqa: E402

DOMAIN, USERS = "msn.test", "x.test"
SIMULATOR = os.path.join(HERE, "../../simulators/msnp/msnp")
PEOPLE = ("romeo", "juliet", "nurse", "tybalt")
LIMIT = 20


@dataclass
class Server:
    """Where a server of MSNP is: the simulator, or a real one that was started by hand."""
    port: int
    nexus_url: str
    ca_file: str
    control: object = None  # the simulator's switches


class Simulator:
    """tests/simulators/msnp as a program of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._program = Program("the simulator", [sys.executable, SIMULATOR, "--folder", folder, *PEOPLE])
        self.server: Server

    async def start(self) -> None:
        await self._program.start()
        await self._program.wait_line(lambda line: line.startswith("ready "), 30)
        line = next(line for line in self._program.lines if line.startswith("ready "))
        _, port, https, control = line.split()
        self._control = int(control)
        self.server = Server(int(port), f"https://localhost:{https}/rdr/pprdr.asp", f"{self._folder}/tls.crt", self)

    async def switch(self, *words: str) -> str:
        """One line of its control port, and the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._control)
        writer.write(" ".join(words).encode() + b"\n")
        answer = (await asyncio.wait_for(reader.readline(), LIMIT)).decode().strip()
        writer.close()
        await writer.wait_closed()
        return answer

    async def stop(self) -> None:
        await self._program.stop()

    def complaints(self) -> list[str]:
        return [line for line in self._program.lines if "complaint" in line or "Traceback" in line]


class World(Stage):
    def __init__(self, binary: str, folder: str, server: Server | None, verbose: bool) -> None:
        super().__init__("fake", folder, [USERS], [DOMAIN])
        self._binary, self._verbose = binary, verbose
        self._simulator = None if server else Simulator(os.path.join(folder, "simulator"))
        self.server = server
        self._clients = 0

    async def _begin(self) -> None:
        if self._simulator:
            os.makedirs(os.path.join(self.folder, "simulator"))
            self._stack.push_async_callback(self._simulator.stop)
            await self._simulator.start()
            self.server = self._simulator.server
        configuration = {"host": "127.0.0.1", "port": self.server.port, "nexus_url": self.server.nexus_url,
                         "ca_file": self.server.ca_file, "logins_per_minute": 1000}
        transport = Transport(DOMAIN, self.link.ports[DOMAIN], SECRET, USERS, [], "msn", "follow_presence", [USERS], [], configuration)
        self._make_wherry(self._binary, "sqlite", [transport], print if self._verbose else None)
        await self.wherry.start()

    def complaints(self) -> list[str]:
        return self._simulator.complaints() if self._simulator else []

    async def user(self, name: str):
        """A fresh user of the XMPP server, connected and available."""
        jid = f"{name}@{USERS}"
        await self.host.add_user(jid)
        client = await self.host.connect(jid, "desk")
        await client.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
        await client.send("<presence/>")
        return client

    async def register(self, client, email: str, password: str, limit: float = LIMIT, face: str = DOMAIN):
        """The answer to the registration."""
        self._clients += 1
        number = f"register{self._clients}"
        await client.send(f"<iq type='set' to='{face}' id='{number}'><query xmlns='jabber:iq:register'><username>{email}</username>"
                          f"<password>{password}</password></query></iq>")
        return await client.take(lambda s: local(s) == "iq" and s.get("id") == number, limit)


def contact(email: str, alias: str = "") -> str:
    """Its address, for the user's first account or the one of that alias."""
    return email.replace("@", "\\40") + (f"~{alias}" if alias else "") + "@" + DOMAIN


def body(stanza) -> str:
    found = child(stanza, "body", CLIENT)
    return (found.text or "") if found is not None else ""


def is_message(email: str, text: str | None = None):
    def match(stanza) -> bool:
        return (local(stanza) == "message" and stanza.get("type") != "error" and stanza.get("from", "").partition("/")[0] == contact(email)
                and bool(body(stanza)) and (text is None or body(stanza) == text))
    return match


def is_presence(sender: str, kind: str | None = None, show: str | None = None, status: str | None = None):
    def text(stanza, name: str) -> str:
        found = child(stanza, name, CLIENT)
        return (found.text or "") if found is not None else ""

    def match(stanza) -> bool:
        return (local(stanza) == "presence" and stanza.get("from", "").partition("/")[0] == sender and stanza.get("type") == kind
                and (show is None or text(stanza, "show") == show) and (status is None or text(stanza, "status") == status))
    return match
