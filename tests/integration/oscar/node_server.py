"""wherry with the connector oscar, beside the fake XMPP server, against an ICQ server that is not ours (icq_server.py)."""
from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import sys
import traceback
from typing import Awaitable, Callable
from xml.etree.ElementTree import Element

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "../../support")]

from fake_server import FakeClient, FakeServer  # noqa: E402
from icq_server import IcqServer, folder  # noqa: E402
from wherry import Transport, Wherry  # noqa: E402
from xml_stream import CLIENT, to_text  # noqa: E402

LIMIT = 60  # seconds for anything that must happen
ICQ, HOST = "icq.test", "x.test"
ROMEO, JULIET = "100001", "100002"
PASSWORDS = {ROMEO: "secret01", JULIET: "secret02"}
STATES = "http://jabber.org/protocol/chatstates"


def tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def text_of(element: Element, name: str) -> str:
    return element.findtext("{%s}%s" % (CLIENT, name)) or ""


class World:
    def __init__(self, binary: str, temporary: str) -> None:
        self.binary, self.temporary = binary, pathlib.Path(temporary)
        self.stack = contextlib.AsyncExitStack()
        self.romeo: FakeClient
        self.juliet: FakeClient
        self.numbers = 0

    async def __aenter__(self) -> "World":
        source = folder()
        assert source
        self.icq = IcqServer(source, self.temporary / "icq", PASSWORDS)
        self.stack.push_async_callback(self.icq.stop)
        await self.icq.start()
        self.server = FakeServer([HOST], {ICQ: "secret"})
        self.stack.push_async_callback(self.server.stop)
        await self.server.start()
        for name in ("romeo", "juliet"):
            self.server.add_user(f"{name}@{HOST}")
        settings = {"host": "127.0.0.1", "port": self.icq.port, "acknowledges_stored": False, "code_page": "windows-1251",
                    "logins_a_minute": 60}
        transport = Transport(ICQ, self.server.component_port, "secret", HOST, connector="oscar", policy="follow_presence",
                              register_domains=[HOST], configuration=settings)
        connectors = os.path.join(os.path.dirname(self.binary), "..", "connectors")
        self.wherry = Wherry(self.binary, str(self.temporary / "wherry"), "sqlite", [transport], connectors)
        self.stack.push_async_callback(self.stop_wherry)
        await self.wherry.start()
        self.romeo = await self.server.connect(f"romeo@{HOST}", "orchard")
        self.juliet = await self.server.connect(f"juliet@{HOST}", "balcony")
        return self

    async def stop_wherry(self) -> None:
        if self.wherry.running:
            code = await self.wherry.stop()
            report = self.wherry.sanitizer_report()
            assert code == 0 and not report, f"wherry ended with {code}:\n{report or self.wherry.log()}"

    async def __aexit__(self, *_failure) -> None:
        await self.stack.aclose()

    async def register(self, client: FakeClient, number: str, password: str) -> Element:
        """The answer."""
        self.numbers += 1
        name = f"r{self.numbers}"
        await client.send(f"<iq xmlns='{CLIENT}' type='set' id='{name}' to='{ICQ}'><query xmlns='jabber:iq:register'><username>{number}"
                          f"</username><password>{password}</password></query></iq>")
        return await client.take(lambda s: tag(s) == "iq" and s.get("id") == name, LIMIT)

    async def presence(self, client: FakeClient, sender: str, kind: str | None, fits: Callable[[Element], bool] = lambda s: True) -> Element:
        return await client.take(lambda s: tag(s) == "presence" and s.get("type") == kind and (s.get("from") or "").partition("/")[0] == sender and
                                 fits(s), LIMIT)

    async def write(self, client: FakeClient, to: str, text: str) -> None:
        self.numbers += 1
        await client.send(f"<message xmlns='{CLIENT}' type='chat' id='m{self.numbers}' to='{to}@{ICQ}'><body>{text}</body></message>")

    async def reads(self, client: FakeClient, sender: str, text: str) -> Element:
        return await client.take(lambda s: tag(s) == "message" and (s.get("from") or "").startswith(f"{sender}@{ICQ}") and text_of(s, "body") == text,
                                 LIMIT)

    async def come(self, client: FakeClient, inner: str = "") -> None:
        await client.send(f"<presence xmlns='{CLIENT}'>{inner}</presence>")

    async def online(self, client: FakeClient) -> None:
        await self.presence(client, ICQ, None, lambda s: not text_of(s, "show"))


async def a_wrong_password_is_refused(world: World) -> None:
    answer = await world.register(world.romeo, ROMEO, "wrong")
    assert answer.get("type") == "error", to_text(answer)
    assert "the name or the password is wrong" in to_text(answer), to_text(answer)
    answer = await world.register(world.romeo, "999999", "secret01")
    assert answer.get("type") == "error", to_text(answer)


async def a_right_one_logs_in(world: World) -> None:
    for client, number in ((world.romeo, ROMEO), (world.juliet, JULIET)):
        await world.come(client)
        answer = await world.register(client, number, PASSWORDS[number])
        assert answer.get("type") == "result", to_text(answer)
        await world.presence(client, ICQ, "subscribe")
        for kind in ("subscribe", "subscribed"):
            await client.send(f"<presence xmlns='{CLIENT}' to='{ICQ}' type='{kind}'/>")
        await world.come(client)
        await world.online(client)
        await world.icq.said(f"{number} ONLINE")


async def a_contact_is_added_and_seen(world: World) -> None:
    await world.romeo.send(f"<presence xmlns='{CLIENT}' to='{JULIET}@{ICQ}' type='subscribe'/>")
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", "subscribed")
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", None)
    assert world.icq.contacts(ROMEO) == [JULIET]


async def presence_comes_with_its_text(world: World) -> None:
    await world.come(world.juliet, "<show>away</show><status>In the garden</status>")
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", None, lambda s: text_of(s, "show") == "away" and text_of(s, "status") == "In the garden")
    await world.come(world.juliet, "<show>dnd</show>")
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", None, lambda s: text_of(s, "show") == "dnd")
    await world.come(world.juliet)
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", None, lambda s: not text_of(s, "show"))


async def messages_go_both_ways(world: World) -> None:
    for text in ("hello", "1 &lt; 2 &amp; 3", "привет, Джульетта", "two\nlines"):
        plain = text.replace("&lt;", "<").replace("&amp;", "&")
        await world.write(world.romeo, JULIET, text)
        await world.reads(world.juliet, ROMEO, plain)
        await world.write(world.juliet, ROMEO, text)
        await world.reads(world.romeo, JULIET, plain)


async def typing_is_no_trouble(world: World) -> None:
    """This server passes nothing of it on."""
    await world.romeo.send(f"<message xmlns='{CLIENT}' type='chat' to='{JULIET}@{ICQ}'><composing xmlns='{STATES}'/></message>")
    await world.write(world.romeo, JULIET, "typed")
    await world.reads(world.juliet, ROMEO, "typed")


async def messages_wait_for_who_is_away(world: World) -> None:
    await world.juliet.send(f"<presence xmlns='{CLIENT}' type='unavailable'/>")
    await world.icq.said(f"{JULIET} (")  # [OFFLINE]
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", "unavailable")
    await world.write(world.romeo, JULIET, "for later")
    await world.icq.said(f"{ROMEO} → {JULIET} : for later")
    await world.come(world.juliet)
    await world.reads(world.juliet, ROMEO, "for later")
    errors = [to_text(s) for s in world.romeo.waiting() if tag(s) == "message" and s.get("type") == "error"]
    assert not errors, errors


async def the_contact_list_is_kept_at_the_server(world: World) -> None:
    """It tells who is there without having been told anew whom to look for."""
    await world.romeo.send(f"<presence xmlns='{CLIENT}' type='unavailable'/>")
    await world.icq.said(f"{ROMEO} (")
    world.romeo.clear()
    await world.come(world.romeo)
    await world.online(world.romeo)
    await world.presence(world.romeo, f"{JULIET}@{ICQ}", None)


async def a_contact_is_removed(world: World) -> None:
    await world.romeo.send(f"<presence xmlns='{CLIENT}' to='{JULIET}@{ICQ}' type='unsubscribe'/>")
    end = asyncio.get_running_loop().time() + LIMIT
    while world.icq.contacts(ROMEO):  # a file does not announce its changes
        assert asyncio.get_running_loop().time() < end, "the server's list still has her"
        await asyncio.sleep(0.05)


async def a_login_elsewhere_is_told_and_survived(world: World) -> None:
    """This server ends the session without a word of why; ours comes back once."""
    await world.write(world.romeo, JULIET, "still here")
    await world.reads(world.juliet, ROMEO, "still here")
    world.romeo.clear()
    await steal(world.icq.port, ROMEO, PASSWORDS[ROMEO])
    await world.presence(world.romeo, ICQ, "error", lambda s: "the server ended the session" in to_text(s))
    await world.online(world.romeo)
    await world.write(world.romeo, JULIET, "back again")
    await world.reads(world.juliet, ROMEO, "back again")


async def steal(port: int, number: str, password: str) -> None:
    """Logs in as another program would, by the old way, and leaves."""
    mask = bytes.fromhex("F32681C43986DB9271A3B9E653 7A957C")
    roasted = bytes(octet ^ mask[i % 16] for i, octet in enumerate(password.encode()))

    def tlv(kind: int, value: bytes) -> bytes:
        return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value

    def frame(data: bytes) -> bytes:
        return b"\x2a\x01\x00\x01" + len(data).to_bytes(2, "big") + data

    async def say_hello(to: int, data: bytes, frames: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", to)
        writer.write(frame(b"\0\0\0\1" + data))
        answer = b""
        for _ in range(frames):
            head = await asyncio.wait_for(reader.readexactly(6), LIMIT)
            answer = await asyncio.wait_for(reader.readexactly(int.from_bytes(head[4:6], "big")), LIMIT)
        writer.close()
        return answer

    answer = await say_hello(port, tlv(1, number.encode()) + tlv(2, roasted), 2)
    tlvs = {}
    while len(answer) >= 4:
        length = int.from_bytes(answer[2:4], "big")
        tlvs[int.from_bytes(answer[:2], "big")] = answer[4:4 + length]
        answer = answer[4 + length:]
    await say_hello(int(tlvs[5].rpartition(b":")[2]), tlv(6, tlvs[6]), 2)


STEPS: list[Callable[[World], Awaitable[None]]] = [
    a_wrong_password_is_refused, a_right_one_logs_in, a_contact_is_added_and_seen, presence_comes_with_its_text, messages_go_both_ways,
    typing_is_no_trouble, messages_wait_for_who_is_away, the_contact_list_is_kept_at_the_server, a_login_elsewhere_is_told_and_survived,
    a_contact_is_removed]


async def main(binary: str, temporary: str) -> int:
    """The steps stand on each other: the first that fails ends the run."""
    async with World(os.path.abspath(binary), temporary) as world:
        for step in STEPS:
            name = step.__name__.replace("_", " ")
            try:
                await step(world)
            except Exception:
                traceback.print_exc()
                for client in (world.romeo, world.juliet):
                    print(f"{client.name} has besides:", *client.describe(), sep="\n  ")
                print("node-icq-server:", *list(world.icq.program.lines)[-15:], sep="\n  ")
                print("wherry:", world.wherry.log(40), sep="\n")
                print(f"FAIL  {name}")
                return 1
            print(f"ok    {name}", flush=True)
    return 0
