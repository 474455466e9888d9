#!/usr/bin/python3
"""Tests of the tests: the hosts, the raw client, the link and the scenario language, without wherry.

    tests/support/self_test.py [-v] [NAME…]
"""
from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import xml_match  # noqa: E402
from component import EchoComponent  # noqa: E402
from confirmations import Confirmations  # noqa: E402
from hosts import make_host  # noqa: E402
from link import Link  # noqa: E402
from json_rpc import RpcError, RpcPeer  # noqa: E402
from network import NETWORKS, Network, event, owner, phone_number, screen_name  # noqa: E402
from scenario import BadScenario, parse_scenario  # noqa: E402
from scenario_world import RELAY  # noqa: E402
from wherry import Transport, configuration  # noqa: E402
from xml_stream import StreamBroken, StreamParser, local, parse, to_text  # noqa: E402
from xmpp_client import ping  # noqa: E402

DOMAIN = "net.test"


def is_message(text: str):
    return lambda stanza: local(stanza) == "message" and stanza.findtext("{jabber:client}body") == text


def is_presence(kind: str | None, sender: str):
    return lambda stanza: local(stanza) == "presence" and stanza.get("type") == kind and stanza.get("from") == sender


class Hosts(unittest.IsolatedAsyncioTestCase):
    """The same conversation on every host that is installed."""

    async def asyncSetUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    async def _start(self, name: str):
        host = make_host(name, self.folder.name, ["x.test", "y.test"], {DOMAIN: "secret"})
        self.addAsyncCleanup(host.stop)
        await host.start()
        await host.add_user("romeo@x.test")
        await host.add_user("juliet@y.test")
        echo = EchoComponent(DOMAIN, "secret")
        await echo.connect(host.component_port(DOMAIN))
        self.addAsyncCleanup(echo.close)
        return host, echo

    async def _converse(self, name: str) -> None:
        host, echo = await self._start(name)
        romeo = await host.connect("romeo@x.test", "orchard")
        self.addAsyncCleanup(romeo.close)
        juliet = await host.connect("juliet@y.test", "balcony")
        self.addAsyncCleanup(juliet.close)
        await romeo.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>")
        await juliet.send("<presence/>")
        await ping(romeo, DOMAIN, 1, 5)
        await romeo.send(f"<message to='nurse@{DOMAIN}' type='chat'><body>echo &amp; back</body></message>")
        await romeo.take(is_message("echo & back"), 5)
        await romeo.send("<message to='juliet@y.test' type='chat'><body>to Juliet</body></message>")
        await juliet.take(is_message("to Juliet"), 5)
        # RFC 6121 §3.1: both subscriptions, then presence by itself.
        await romeo.send(f"<presence type='subscribe' to='{DOMAIN}'/>")
        await romeo.take(is_presence("subscribed", DOMAIN), 5)
        await romeo.take(is_presence("subscribe", DOMAIN), 5)
        await romeo.send(f"<presence type='subscribed' to='{DOMAIN}'/>")
        echo.write(f"<presence from='{DOMAIN}' to='romeo@x.test'><show>away</show></presence>")
        await romeo.take(is_presence(None, DOMAIN), 5)
        # What the user's server must not show: an approval that nobody asked for (RFC 6121 §3.1.6).
        echo.write(f"<presence type='subscribed' from='stranger@{DOMAIN}' to='romeo@x.test'/>")
        echo.write(f"<message from='stranger@{DOMAIN}' to='romeo@x.test'><body>after it</body></message>")
        await romeo.take(is_message("after it"), 5)
        self.assertFalse([stanza for stanza in romeo.waiting() if is_presence("subscribed", f"stranger@{DOMAIN}")(stanza)])
        # Messages to who is away wait (XEP-0160).
        await romeo.close()
        await ping(juliet, DOMAIN, 2, 5)
        echo.write(f"<message from='nurse@{DOMAIN}' to='romeo@x.test' type='chat'><body>while you were out</body></message>")
        echo.write(f"<message from='nurse@{DOMAIN}' to='juliet@y.test' type='chat'><body>is he out?</body></message>")
        await juliet.take(is_message("is he out?"), 5)
        romeo = await host.connect("romeo@x.test", "phone")
        self.addAsyncCleanup(romeo.close)
        await romeo.send("<presence/>")
        await romeo.take(is_message("while you were out"), 5)
        # A foreign from ends the stream.
        echo.write("<message from='romeo@x.test' to='juliet@y.test'><body>lies</body></message>")
        await asyncio.wait_for(echo.ended.wait(), 5)
        self.assertEqual(echo.error, "invalid-from")
        await romeo.send(f"<message to='nurse@{DOMAIN}' type='chat' id='gone'><body>anybody?</body></message>")
        bounced = await romeo.take(lambda stanza: stanza.get("id") == "gone", 5)
        self.assertEqual(bounced.get("type"), "error")

    async def _die_and_return(self, name: str) -> None:
        host, echo = await self._start(name)
        port = host.component_port(DOMAIN)
        await host.kill()
        await asyncio.wait_for(echo.ended.wait(), 5)
        await host.restart()
        self.assertEqual(host.component_port(DOMAIN), port)
        again = EchoComponent(DOMAIN, "secret")
        await again.connect(port)
        self.addAsyncCleanup(again.close)
        romeo = await host.connect("romeo@x.test", "orchard")
        self.addAsyncCleanup(romeo.close)
        await ping(romeo, DOMAIN, 1, 5)

    async def test_the_fake_server_behaves(self) -> None:
        await self._converse("fake")

    async def test_prosody_behaves_the_same(self) -> None:
        await self._converse("prosody")

    async def test_ejabberd_behaves_the_same(self) -> None:
        await self._converse("ejabberd")

    async def test_prosody_comes_back_after_kill(self) -> None:
        await self._die_and_return("prosody")

    async def test_ejabberd_comes_back_after_kill(self) -> None:
        await self._die_and_return("ejabberd")

    async def test_the_fake_server_turns_away_who_should_be(self) -> None:
        host = make_host("fake", self.folder.name, ["x.test"], {DOMAIN: "secret"})
        self.addAsyncCleanup(host.stop)
        await host.start()
        for domain, secret, condition in ((DOMAIN, "wrong", "not-authorized"), ("other.test", "secret", "host-unknown")):
            component = EchoComponent(domain, secret)
            with self.assertRaises(asyncio.TimeoutError):
                await component.connect(host.component_port(DOMAIN), 0.2)
            self.assertEqual(component.error, condition)
            await component.close()
        first, second = EchoComponent(DOMAIN, "secret"), EchoComponent(DOMAIN, "secret")
        await first.connect(host.component_port(DOMAIN))
        with self.assertRaises(asyncio.TimeoutError):
            await second.connect(host.component_port(DOMAIN), 0.2)
        self.assertEqual(second.error, "conflict")
        first.write(f"<message from='{DOMAIN}' to='romeo@x.test'><body>\x01</body></message>")
        await asyncio.wait_for(first.ended.wait(), 5)
        self.assertEqual(first.error, "not-well-formed")
        await first.close()
        await second.close()

    async def test_the_link_watches_and_cuts(self) -> None:
        host = make_host("fake", self.folder.name, ["x.test"], {DOMAIN: "secret"})
        self.addAsyncCleanup(host.stop)
        await host.start()
        link = Link(host.component_port, [DOMAIN])
        self.addAsyncCleanup(link.stop)
        await link.start()
        echo = EchoComponent(DOMAIN, "secret")
        await echo.connect(link.ports[DOMAIN])
        await link.wait_connected(5)
        echo.write(f"<message from='nurse@{DOMAIN}' to='romeo@x.test'><body>hi</body></message>")
        await link.carried[DOMAIN].take(is_message("hi"), 5)
        self.assertEqual(link.breaches, [])
        echo.write("<message from='nurse@elsewhere.test' to='romeo@x.test'/>")
        await asyncio.wait_for(echo.ended.wait(), 5)
        self.assertEqual(len(link.breaches), 1)
        await echo.close()
        again = EchoComponent(DOMAIN, "secret")
        await again.connect(link.ports[DOMAIN])
        link.down()
        await asyncio.wait_for(again.ended.wait(), 5)
        with self.assertRaises((asyncio.TimeoutError, OSError)):
            await EchoComponent(DOMAIN, "secret").connect(link.ports[DOMAIN], 0.2)
        link.up()
        await again.close()
        last = EchoComponent(DOMAIN, "secret")
        await last.connect(link.ports[DOMAIN])
        await last.close()


class ScriptedNetwork(unittest.IsolatedAsyncioTestCase):
    """The scripted network, spoken with as the gateway does: over the relay's standard streams."""

    async def asyncSetUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.network = Network("im.test", NETWORKS["im.test"])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.network.serve(reader, writer, json.loads(await reader.readline())["pid"])

        server = await asyncio.start_unix_server(serve, f"{folder.name}/s")
        self.addCleanup(server.close)
        relay = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", RELAY, f"{folder.name}/s", "im.test",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        self.relay = relay
        self.gateway_hears: list[tuple[str, dict]] = []

        async def hear(method: str, params: dict) -> object:
            self.gateway_hears.append((method, params))
            return {"answers": {"username": "r", "password": "p"}} if method == "ask" else {}

        self.gateway = RpcPeer(relay.stdout, relay.stdin, hear)
        self.task = asyncio.create_task(self.gateway.run())

        async def end() -> None:
            if relay.returncode is None:
                relay.kill()
            await relay.wait()
            await self.task
        self.addAsyncCleanup(end)

    async def test_a_session_from_hello_to_its_end(self) -> None:
        hello = await self.gateway.call("hello", {"protocol": 2, "configuration": {}})
        self.assertEqual(hello["network"]["id"], "im")
        self.network.begin({"romeo@x.test"})
        login = asyncio.create_task(self.gateway.call("log_in", {"login": 1, "user": "romeo@x.test"}))
        asked = await self.network.expect("log_in", lambda request: request.fields["username"] == "r", 5)
        self.assertFalse(login.done())
        asked.answer.set_result({})
        self.assertEqual(await login, {"credentials": {"username": "r", "password": "p"}})
        await self.gateway.call("know_account", {"account": 7, "user": "romeo@x.test", "credentials": {}})
        session = asyncio.create_task(self.gateway.call("open", {"account": 7}))
        await self.network.session("romeo@x.test", 5)
        self.assertIn(("publish", {"account": 7, "event": {"type": "account_changed", "online": True}}), self.gateway_hears)
        send = asyncio.create_task(self.gateway.call("perform", {"account": 7, "action": {"type": "send_message", "chat": "c:nurse", "key": "k", "text": "hi"}}))
        asked = await self.network.expect("send_message", lambda request: request.fields["chat"] == "nurse", 5)
        asked.answer.set_exception(RpcError("not_found", "Nobody."))
        with self.assertRaises(RpcError) as refused:
            await send
        self.assertEqual((refused.exception.code, refused.exception.text), ("not_found", "Nobody."))
        await self.network.need_login("romeo@x.test", "Changed.", 5)
        with self.assertRaises(RpcError) as ended:
            await session
        self.assertEqual(ended.exception.code, "not_authorized")
        self.assertEqual(await self.gateway.call("parse_contact", {"typed": " Nurse "}), {"contact": "nurse"})
        with self.assertRaises(RpcError):
            await self.gateway.call("parse_contact", {"typed": "a*b"})
        self.assertEqual(self.network.unexpected(), [])

    async def test_a_killed_child_is_noticed(self) -> None:
        await self.gateway.call("hello", {"protocol": 2, "configuration": {}})
        os.kill(self.network.pid, 9)
        await asyncio.wait_for(self.task, 5)


class Barrier(unittest.TestCase):
    """What the double ping settles (confirmations.py)."""

    def setUp(self) -> None:
        self.confirmations, self.settled = Confirmations(), 0
        self.confirmations.on_settled = self._settle

    def _settle(self) -> None:
        self.settled += 1

    def _pass(self, direction: str, *stanzas: str) -> None:
        for stanza in parse("".join(stanzas)):
            self.confirmations.watch(direction, stanza)

    def _ping(self, name: str) -> str:
        return f"<iq type='get' id='{name}'><ping xmlns='urn:xmpp:ping'/></iq>"

    def test_an_answer_settles_what_was_covered_before_its_ping(self) -> None:
        self._pass("->", "<message id='m1'/>", self._ping("p1"), "<message id='m2'/>")
        self._pass("<-", "<iq type='result' id='other'/>", "<iq type='result' id='p1'/>")
        self.assertEqual((self.confirmations.covered, self.confirmations.ids, self.settled), ({"m1"}, set(), 0))
        self._pass("->", "<message id='m3'/>", self._ping("p2"))
        self._pass("<-", "<iq type='error' id='p2'/>")  # an error is an answer, too
        self.assertEqual((self.confirmations.covered, self.confirmations.ids, self.settled), ({"m1", "m2", "m3"}, {"m1"}, 1))

    def test_a_new_connection_begins_anew_and_keeps_what_was_settled(self) -> None:
        self._pass("->", "<message id='m1'/>", self._ping("p1"))
        self._pass("<-", "<iq type='result' id='p1'/>")
        self._pass("->", "<handshake/>", self._ping("p2"))
        self._pass("<-", "<iq type='result' id='p2'/>", "<iq type='result' id='p1'/>")
        self.assertEqual(self.confirmations.ids, set())
        self._pass("->", "<message id='m1'/>", self._ping("p3"))
        self._pass("<-", "<iq type='result' id='p3'/>")
        self._pass("->", self._ping("p4"))
        self._pass("<-", "<iq type='result' id='p4'/>")
        self._pass("->", "<handshake/>")
        self.assertEqual(self.confirmations.ids, {"m1"})


class Matching(unittest.TestCase):
    def _matches(self, pattern: str, xml: str, variables: dict | None = None):
        return xml_match.matches(parse(pattern)[0], parse(xml)[0], variables or {})

    def test_more_may_be_there_than_is_named(self) -> None:
        self.assertIsNotNone(self._matches("<message><body>hi</body></message>",
                                           "<message id='1' type='chat'><thread/><body> hi </body></message>"))
        self.assertIsNone(self._matches("<message><body>hi</body></message>", "<message><body>ho</body></message>"))
        self.assertIsNone(self._matches("<message><body/><body/></message>", "<message><body/></message>"))

    def test_a_presence_without_type_is_available_presence_only(self) -> None:
        self.assertIsNotNone(self._matches("<presence/>", "<presence><show>away</show></presence>"))
        self.assertIsNone(self._matches("<presence/>", "<presence type='unavailable'/>"))
        self.assertIsNone(self._matches("<message/>", "<message type='error'/>"))

    def test_names_are_bound_and_then_compared(self) -> None:
        self.assertEqual(self._matches("<message id='$id'><x xmlns='u' id='$id'/></message>",
                                       "<message id='7'><x xmlns='u' id='7'/></message>"), {"id": "7"})
        self.assertIsNone(self._matches("<message id='$id'/>", "<message id='8'/>", {"id": "7"}))

    def test_stars_and_emptiness(self) -> None:
        self.assertIsNotNone(self._matches("<iq id='a*' to=''/>", "<iq id='abc'/>"))
        self.assertIsNone(self._matches("<iq id='*'/>", "<iq/>"))
        self.assertIsNone(self._matches("<iq id=''/>", "<iq id='x'/>"))

    def test_xml_survives_the_round_trip(self) -> None:
        xml = "<message xml:lang='en'><body>a &lt; b</body><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></message>"
        self.assertEqual(to_text(parse(xml)[0]), xml.replace("'", '"'))

    def test_streams_are_bounded_and_restricted(self) -> None:
        for text, condition in (("<!DOCTYPE x []><x>", "restricted-xml"), ("<s><m><!-- --></m>", "restricted-xml"),
                                ("<s><m>" + "x" * 2000 + "</m>", "policy-violation"), ("<s></t>", "not-well-formed")):
            with self.assertRaises(StreamBroken) as broken:
                StreamParser(1000).feed(text.encode())
            self.assertEqual(broken.exception.condition, condition)


class Language(unittest.TestCase):
    def test_a_scenario_is_read(self) -> None:
        scenario = parse_scenario(
            "# Title (XEP-0100 §1).\n# more\nonly on fake: because\nat im.test\nromeo registers\n"
            "romeo receives <message>\n  <body>a</body></message> without <x/> without <y/>\n"
            "differs on ejabberd: other\nnetwork answers rejected \"No such thing.\" retry_after=5\nkill wherry\n", "a/b.scn")
        self.assertEqual((scenario.name, scenario.title, scenario.domain), ("b", "Title (XEP-0100 §1).", "im.test"))
        self.assertEqual(scenario.only_on, {"fake": "because"})
        registers, receives, answers, kill = scenario.steps
        self.assertEqual(registers.verb, "registers")
        self.assertEqual(len(receives.without), 2)
        self.assertEqual(answers.fields, {"text": "No such thing.", "retry_after": "5"})
        self.assertEqual((answers.line, answers.skipped_on), (9, {"ejabberd": "other"}))
        self.assertEqual((kill.actor, kill.verb), ("wherry", "kill"))

    def test_a_further_account_has_an_alias_and_its_owner_too(self) -> None:
        first, named, further, both = parse_scenario(
            "# T\nromeo registers\nromeo registers as montague\nromeo registers at ~work\nromeo registers at ~work as m~work\n", "x.scn").steps
        self.assertEqual([(step.word, step.fields["alias"]) for step in (first, named, further, both)],
                         [("", ""), ("montague", ""), ("", "~work"), ("m~work", "~work")])
        self.assertEqual(owner("romeo@x.test", {"username": "romeo~work"}), "romeo@x.test~work")
        self.assertEqual(owner("romeo@x.test", {"username": "montague"}), "romeo@x.test")

    def test_mistakes_are_named_with_their_line(self) -> None:
        for line in ("paris sends <presence/>", "romeo registers at work", "romeo dances", "romeo receives <message>", "network expects",
                     "only on fake", "only on mars: why", "link explodes", "romeo receives <presence/><presence/>"):
            with self.assertRaises(BadScenario) as bad:
                parse_scenario(f"# Title\n{line}\n", "x.scn")
            self.assertIn("x.scn:2:", str(bad.exception))
        with self.assertRaises(BadScenario):
            parse_scenario("romeo registers\n", "x.scn")

    def test_events_and_contacts_of_the_scripted_network(self) -> None:
        made = event("message_received", {"chat": "+1555", "text": "hi", "files": "[]"})
        self.assertEqual((made["chat"], made["sender"], made["files"]), ("c:+1555", "+1555", []))
        self.assertEqual(phone_number("+1 (555) 010-0199"), "+15550100199")
        self.assertEqual(phone_number("0015550100199"), "+15550100199")
        self.assertIsNone(phone_number("nonsense"))
        self.assertEqual(screen_name(" Foo Bar@X "), "foo bar@x")
        self.assertEqual(screen_name("foo%x"), "foo@x")
        self.assertIsNone(screen_name("no*body"))

    def test_the_configuration_is_toml(self) -> None:
        import tomllib
        text = configuration("/f", "sqlite", [Transport("net.test", 5347, 's"\\', child=["a", "b"], register_domains=["x.test"])], "/c")
        read = tomllib.loads(text)
        self.assertEqual(read["transport"][0]["server"], {"host": "127.0.0.1", "port": 5347, "secret": 's"\\', "domain": "x.test"})
        self.assertEqual(read["transport"][0]["register"], {"domains": ["x.test"], "jids": []})
        self.assertEqual(read["connectors_folder"], "/c")


if __name__ == "__main__":
    unittest.main()
