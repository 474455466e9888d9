"""Plays one scenario: each step of the file on the world of the run."""
from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
from xml.etree.ElementTree import Element

import xml_match
from fake_component import domain_of
from json_rpc import RpcError
from mailbox import NotReceived, shorten
from network import Network, Request, event
from scenario import PEOPLE, WRITTEN_ADDRESS, Scenario, Step
from scenario_world import POLICIES, World
from xml_stream import local, to_text
from xmpp_client import ping

RESOURCE = "orchard"
_pings = itertools.count(1)

VARIABLES = {
    "megabyte": ("all the perfumes of arabia " * 40000)[:1_000_000],
    "apostrophes": "'" * 150_000,
    "controls": "a\x00\x01\x08\x0b\x1b\x1f\ufffe\uffff\x7fz",
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️" * 300,
}


class Failed(AssertionError):
    def __init__(self, step: Step | None, reason: str, seen: list[str]) -> None:
        super().__init__(reason)
        self.step, self.reason, self.seen = step, reason, seen


class Play:
    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario = world, scenario
        self.clients: dict[str, object] = {}       # by actor: "romeo/orchard"
        self.variables = dict(VARIABLES)
        self.network: Network = world.networks[scenario.domain]
        self.stopped = False                       # wherry, by the scenario itself
        self._had_session: list[str] = []          # when wherry went down
        self._asked: Request | None = None         # the request that `network answers` answers
        self._limit = world.options.limit

    async def run(self) -> None:
        """Raises Failed."""
        self._real = await self.world.cast()
        for network in self.world.networks.values():
            network.begin({self._user(person) for person in PEOPLE})
        for carried in self.world.link.carried.values():
            carried.clear()
        self.world.link.breaches.clear()
        try:
            await self._steps()
            await self._end()
        finally:
            for network in self.world.networks.values():
                network.end()
            for client in self.clients.values():
                await client.close()  # type: ignore[attr-defined]

    async def _steps(self) -> None:
        steps = [step for step in self.scenario.steps if self.world.options.host not in step.skipped_on]
        for index, step in enumerate(steps):
            # The next line that has to do with what the network was asked: it may be the answer.
            following = next((later for later in steps[index + 1:] if later.actor == "network" and later.verb in
                              ("expects", "then expects", "answers")), None)
            try:
                method = getattr(self, f"_{re.sub(r'[^a-z]', '_', self._role(step) + '_' + step.verb)}")
                await asyncio.wait_for(method(step, following), 120)
            except (NotReceived, RpcError, asyncio.TimeoutError, OSError, AssertionError) as error:
                if isinstance(error, Failed):
                    raise
                raise Failed(step, str(error) or "took more than 120 s", self._seen(step)) from error

    async def _end(self) -> None:
        """What must hold after every scenario."""
        if not self.stopped:
            try:
                await self._settle()
            except NotReceived as error:
                raise Failed(None, f"afterwards: {error}", []) from error
        unexpected = [str(request) for network in self.world.networks.values() for request in network.unexpected()]
        if unexpected:
            raise Failed(None, "the network was asked for what the scenario does not expect", unexpected)
        if self.world.link.breaches:
            raise Failed(None, "wherry sent what it must not send", self.world.link.breaches)

    # ---- Names ----

    @staticmethod
    def _role(step: Step) -> str:
        return "person" if step.actor.partition("/")[0] in PEOPLE else step.actor

    def _user(self, person: str) -> str:
        return self._real(f"{person}@{PEOPLE[person]}")

    def _addresses(self, text: str) -> str:
        return WRITTEN_ADDRESS.sub(lambda found: self._real(found.group(0)), text)

    def _pattern(self, element: Element) -> Element:
        """A copy of a pattern with the real addresses."""
        copy = Element(element.tag, {key: self._addresses(value) for key, value in element.attrib.items()})
        copy.text = self._addresses(element.text or "")
        copy.extend(self._pattern(part) for part in element)
        return copy

    async def _client(self, actor: str):
        person, _, resource = actor.partition("/")
        key = f"{person}/{resource or RESOURCE}"
        if key not in self.clients:
            self.clients[key] = await self.world.host.connect(self._user(person), resource or RESOURCE)
        return self.clients[key]

    def _seen(self, step: Step) -> list[str]:
        """What waited where the step looked."""
        if self._role(step) == "person":
            return [line for key, client in self.clients.items() if key.startswith(step.actor.partition("/")[0])
                    for line in client.describe()]  # type: ignore[attr-defined]
        if step.actor == "link":
            return self.world.link.carried[self.scenario.domain].describe()
        if step.actor == "network":
            return [str(request) for request in self.network.requests if not request.expected]
        return []

    # ---- Certainty without waiting ----

    async def _settle(self) -> None:
        """Everything sent so far has been processed, stored, and its consequences have arrived: round trips from every
        client through the gateway, and from every account's network into the store, twice, since one may cause another."""
        up = self.world.wherry.running and self.scenario.domain in self.world.link.connected()
        for _round in range(2):
            for client in [*self.clients.values(), self.world.witness]:
                if not client.ended:  # type: ignore[attr-defined]
                    target = self.scenario.domain if up else domain_of(client.jid)  # type: ignore[attr-defined]
                    await ping(client, target, next(_pings), self._limit)
            if up:
                for owner in self.network.owners():
                    await self.network.barrier(owner, self._limit)

    # ---- People ----

    async def _person_comes_online(self, step: Step, _next) -> None:
        client = await self._client(step.actor)
        await client.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
        await client.take(lambda stanza: local(stanza) == "iq" and stanza.get("id") == "roster", self._limit)

    async def _person_goes_offline(self, step: Step, _next) -> None:
        person, _, resource = step.actor.partition("/")
        client = self.clients.pop(f"{person}/{resource or RESOURCE}")
        await client.close()  # type: ignore[attr-defined]

    async def _person_registers(self, step: Step, _next) -> None:
        """XEP-0100 §4.1: the registration, both subscriptions, the login; then all is quiet."""
        person, alias = step.actor.partition("/")[0], step.fields.get("alias", "")
        face, user = alias + "@" * bool(alias) + self.scenario.domain, self._user(person) + alias
        await self._person_comes_online(step, None)
        client = await self._client(step.actor)
        await client.send(f"<iq type='set' id='register' to='{face}'><query xmlns='jabber:iq:register'><username>"
                          f"{step.word or person + alias}</username><password>secret</password></query></iq>")
        request = await self.network.expect("log_in", lambda asked: asked.user == user, self._limit)
        request.answer.set_result({})
        await client.take(lambda stanza: local(stanza) == "iq" and stanza.get("id") == "register" and stanza.get("type") == "result", self._limit)
        await self._presence(client, face, "subscribe", "asks to see the user's presence")
        await client.send(f"<presence type='subscribed' to='{face}'/><presence type='subscribe' to='{face}'/>")
        await self._presence(client, face, "subscribed", "lets the user see its presence")
        await self.network.session(user, self._limit)
        await self._presence(client, face + "/wherry", None, "is available")
        await self._settle()
        self.network.forget(user)
        for key, other in self.clients.items():
            if key.startswith(step.actor.partition("/")[0]):
                other.clear()  # type: ignore[attr-defined]

    async def _presence(self, client, face: str, kind: str | None, what: str) -> None:
        try:
            await client.take(lambda stanza: local(stanza) == "presence" and stanza.get("type") == kind
                              and stanza.get("from") == face, self._limit)
        except NotReceived as error:
            raise NotReceived(f"while registering: the gateway never {what} ({error})") from None

    async def _person_sends(self, step: Step, _next) -> None:
        client = await self._client(step.actor)
        await client.send(xml_match.fill(self._addresses(step.xml), self.variables))

    async def _person_receives(self, step: Step, _next, later: bool = False) -> None:
        assert step.pattern is not None
        client = await self._client(step.actor)
        stanza = await self._take(client, step.pattern, later)
        for absent in step.without:
            if xml_match.contains(self._pattern(absent), stanza, self.variables):
                raise NotReceived(f"it has {to_text(absent)}: {shorten(to_text(stanza))}")
        self.variables |= xml_match.matches(self._pattern(step.pattern), stanza, self.variables) or {}

    async def _take(self, client, pattern: Element, later: bool) -> Element:
        real, match = self._pattern(pattern), self._matcher(pattern)

        def answers(stanza: Element) -> bool:
            """The answer to that very iq: nothing better will come."""
            return stanza.tag == real.tag and local(real) == "iq" and stanza.get("id") == real.get("id")

        try:
            stanza = await client.take(lambda arrived: match(arrived) or answers(arrived), self._limit, later)
        except NotReceived as error:
            near = [stanza for stanza in client.waiting() if stanza.tag == real.tag and stanza.get("from") == real.get("from", stanza.get("from"))]
            hint = f"; the nearest {xml_match.difference(real, near[-1], self.variables)}" if near else ""
            raise NotReceived(f"{error}{hint}") from None
        if not match(stanza):
            raise NotReceived(f"the answer {xml_match.difference(real, stanza, self.variables)}: {shorten(to_text(stanza))}")
        return stanza

    async def _person_then_receives(self, step: Step, following) -> None:
        await self._person_receives(step, following, later=True)

    async def _person_receives_nothing(self, step: Step, _next) -> None:
        client = await self._client(step.actor)
        await self._settle()
        found = [stanza for stanza in client.waiting() if domain_of(stanza.get("from", "")) == self.scenario.domain]
        if found:
            raise NotReceived("it received something")

    async def _person_does_not_receive(self, step: Step, _next) -> None:
        assert step.pattern is not None
        client = await self._client(step.actor)
        await self._settle()
        match = self._matcher(step.pattern)
        for stanza in client.waiting():
            if match(stanza):
                raise NotReceived(f"it received {shorten(to_text(stanza))}")

    async def _person_opens(self, step: Step, _next) -> None:
        link, slash, expected = step.word.partition(" → ")
        url = self.variables[link.removeprefix("$")]
        octets = await asyncio.to_thread(self.world.wherry.open_link, url)
        if slash and hashlib.sha256(octets).hexdigest() != expected:
            raise NotReceived(f"{url} is another file: {octets[:100]!r}")

    def _matcher(self, pattern: Element):
        real = self._pattern(pattern)
        return lambda stanza: xml_match.matches(real, stanza, self.variables) is not None

    # ---- The network ----

    def _fields(self, step: Step) -> tuple[str, dict[str, str]]:
        """Whose account it is for (network.owner), and the other words."""
        fields = {key: self._addresses(value) for key, value in step.fields.items()}
        person, mark, alias = fields.pop("for", "romeo").partition("~")
        return self._user(person) + mark + alias, fields

    async def _network_expects(self, step: Step, following: Step | None, later: bool = False) -> None:
        user, fields = self._fields(step)

        def match(request: Request) -> bool:
            return request.user == user and self._fields_match(fields, request) is not None

        self._asked = await self.network.expect(step.word, match, self._limit, later)
        self.variables |= self._fields_match(fields, self._asked) or {}
        if (following is None or following.verb != "answers") and not self._asked.answer.done():
            self._asked.answer.set_result(self._success(self._asked, {}))

    async def _network_then_expects(self, step: Step, following: Step | None) -> None:
        await self._network_expects(step, following, later=True)

    def _fields_match(self, fields: dict[str, str], request: Request) -> dict[str, str] | None:
        bound: dict[str, str] = {}
        for key, wanted in fields.items():
            found = xml_match.value_matches(wanted, request.fields.get(key), self.variables | bound)
            if found is None:
                return None
            bound |= found
        return bound

    @staticmethod
    def _success(request: Request, fields: dict[str, str]) -> dict:
        if request.kind != "send_message":
            return {}
        return {"id": fields.get("id", f"n-{request.number}")}

    async def _network_does_not_expect(self, step: Step, _next) -> None:
        user, fields = self._fields(step)
        await self._settle()
        for request in self.network.requests:
            if (request.kind == step.word and request.user == user and not request.expected
                    and self._fields_match(fields, request) is not None):
                raise NotReceived(f"the network was asked: {request}")

    async def _network_expects_nothing(self, _step: Step, _next) -> None:
        await self._settle()
        if self.network.unexpected():
            raise NotReceived("the network was asked for something")

    async def _network_answers(self, step: Step, _next) -> None:
        request = self._asked
        if request is None or request.answer.done():
            raise NotReceived("there is nothing to answer: a line `network expects …` must come right before")
        _user, fields = self._fields(step)
        if step.word == "accepted":
            request.answer.set_result(self._success(request, fields))
        elif step.word != "nothing":
            request.answer.set_exception(RpcError(step.word, fields.get("text", ""), int(fields.get("retry_after", "0"))))

    async def _network_sends(self, step: Step, _next) -> None:
        user, fields = self._fields(step)
        filled = {key: xml_match.fill(value, self.variables) for key, value in fields.items()}
        await self.network.send(user, event(step.word, filled), self._limit)

    async def _network_goes_offline(self, step: Step, _next) -> None:
        await self.network.go_offline(step.fields.get("text", ""), self._limit)

    async def _network_comes_online(self, _step: Step, _next) -> None:
        await self.network.come_online(self._limit)

    async def _network_needs_a_login(self, step: Step, _next) -> None:
        user, fields = self._fields(step)
        await self.network.need_login(user, fields.get("text", "The password was changed."), self._limit)

    async def _network_holds_look_ups(self, _step: Step, _next) -> None:
        self.network.hold_look_ups()

    async def _network_ends_look_ups(self, _step: Step, _next) -> None:
        self.network.end_look_ups()

    async def _network_crashes(self, _step: Step, _next) -> None:
        users = [account.owner for account in self.network.accounts.values() if account.online and account.user in self.network.users]
        await self.network.crash(30)
        for user in users:
            await self.network.session(user, 30)

    # ---- The link, the server and wherry itself ----

    async def _link_cut(self, _step: Step, _next) -> None:
        self.world.link.cut()
        await self.world.link.wait_cut(self._limit)
        await self.world.link.wait_connected(30)

    async def _link_torn(self, _step: Step, _next) -> None:
        self.world.link.tear(self.network.domain)

    async def _link_down(self, _step: Step, _next) -> None:
        self.world.link.down()
        await self.world.link.wait_cut(self._limit)

    async def _link_up(self, _step: Step, _next) -> None:
        self.world.link.up()
        if self.world.wherry.running:
            await self.world.link.wait_connected(30)

    async def _link_carries(self, step: Step, _next) -> None:
        assert step.pattern is not None
        await self.world.link.carried[self.scenario.domain].take(self._matcher(step.pattern), self._limit)
        await self._settle()  # now the server has it too

    async def _link_never_carries(self, step: Step, _next) -> None:
        assert step.pattern is not None
        await self._settle()
        match = self._matcher(step.pattern)
        for arrival in self.world.link.carried[self.scenario.domain].arrivals:
            if match(arrival.element):
                raise NotReceived(f"the link carried {shorten(to_text(arrival.element))}")

    async def _server_ends_the_stream_with(self, step: Step, _next) -> None:
        self.world.host.server.listener.end(self.scenario.domain, step.word)  # type: ignore[union-attr]
        await self.world.link.wait_cut(self._limit)
        await self.world.link.wait_connected(30)

    async def _wherry_kill(self, _step: Step, _next) -> None:
        self._going_down()
        await self.world.wherry.kill()
        await self.network.until_child_has_gone(30)

    async def _wherry_stop(self, _step: Step, _next) -> None:
        self._going_down()
        code = await self.world.wherry.stop()
        if code != 0:
            raise NotReceived(f"wherry ended with {code}, not 0:\n{self.world.wherry.log()}")
        await self.network.until_child_has_gone(30)

    def _going_down(self) -> None:
        self.stopped = True
        self._had_session = self.network.owners_of_sessions()

    async def _wherry_start(self, _step: Step, _next) -> None:
        await self.world.start_wherry()
        self.stopped = False
        if POLICIES[self.scenario.domain] == "always_on" and not self.network.is_down:
            for user in self._had_session:
                await self.network.session(user, 30)

    async def _wherry_restart(self, step: Step, following) -> None:
        await self._wherry_stop(step, following)
        await self._wherry_start(step, following)
