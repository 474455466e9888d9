"""The scripted network: what a scenario's `network` lines act on. wherry runs network_relay.py as a child connector; its
lines end here, where the network is played (schemas/connector-protocol.schema.json).

Sends, contact requests and logins wait for the scenario: `network expects …`, and `network answers …` where it is not a
plain success. All else goes well by itself: sessions come up, presences and answers to contact requests are taken; a
scenario may expect these too (set_presence, answer_contact, remove_contact, session_opened, session_closed).
"""
from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import time
from dataclasses import dataclass, field
from typing import Callable

from json_rpc import Disconnected, RpcError, RpcPeer
from mailbox import NotReceived, shorten

ASKED = ("send_message", "edit_message", "retract_message", "react", "add_contact", "log_in")  # what waits for the scenario's answer


@dataclass
class Description:
    """What such a network is, and what it asks of those who register."""
    network: dict
    form: dict
    contact: Callable[[str], str | None]  # what was typed → the contact's id, or None
    capabilities: dict = field(default_factory=dict)


@dataclass
class Request:
    kind: str                 # an action's type, or log_in
    user: str                 # whose account it is for (owner)
    fields: dict[str, str]
    number: int
    answer: asyncio.Future
    expected: bool = False

    def __str__(self) -> str:
        return shorten(" ".join([self.kind] + [f"{key}={value!r}" for key, value in self.fields.items()]), 300)


@dataclass
class Account:
    id: int
    user: str
    credentials: dict
    running: asyncio.Task | None = None
    online: bool = False
    ended: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())  # with an RpcError

    @property
    def owner(self) -> str:
        return owner(self.user, self.credentials)


def owner(user: str, credentials: dict) -> str:
    """Whose account it is: a bare JID; of a further account with its alias, romeo@x.test~work. The gateway tells a network no
    aliases: such an account is one that was registered with a user name like romeo~work."""
    return user + "".join(credentials.get("username", "").partition("~")[1:])


class Network:
    """One network; it lives as long as the test run, its child processes come and go."""

    def __init__(self, domain: str, description: Description) -> None:
        self.domain = domain
        self.description = description
        self.users: set[str] = set()      # of the running scenario; what concerns others is answered with success
        self.requests: list[Request] = []
        self.accounts: dict[int, Account] = {}
        self.pid = 0                      # of the relay
        self.starts = 0                   # how often the child was started
        self._down = ""                   # why sessions do not come up, or ""
        self._looks_up = asyncio.Event()  # else what was typed stays unanswered
        self._looks_up.set()
        self._peer: RpcPeer | None = None
        self._numbers = 0
        self._last_expected = 0
        self._news = asyncio.Event()

    # ---- The child process ----

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int) -> None:
        """Plays the network for one child process, until it ends."""
        peer = RpcPeer(reader, writer, self._handle)
        self.pid, self._peer, self.accounts = pid, peer, {}
        self.starts += 1
        self._notice()
        await peer.run()
        if self._peer is peer:
            self._peer, self.accounts = None, {}
            self._notice()

    async def until_child_has_gone(self, limit: float) -> None:
        """After the gateway has ended: what it no longer hears is not told it."""
        await self._until(lambda: self._peer is None, limit, f"{self.domain}'s child goes on without its gateway")

    async def _handle(self, method: str, params: dict) -> object:
        handler = getattr(self, f"_on_{method}", None)
        if handler is None:
            raise RpcError("unsupported", f"no method {method}")
        return await handler(params)

    # ---- What the scenario does ----

    def begin(self, users: set[str]) -> None:
        """A new scenario with these users (bare JIDs)."""
        self.users, self.requests, self._down, self._last_expected = users, [], "", 0

    def end(self) -> None:
        """The scenario is over: what it left open is answered, so that nothing of it hangs into the next."""
        self.end_look_ups()
        for request in self.requests:
            if not request.answer.done():
                request.answer.set_result({})

    async def expect(self, kind: str, matches: Callable[[Request], bool], limit: float, later: bool = False) -> Request:
        """The first request of that kind, past or to come, that matches and was not expected before; with `later`, only
        one that came after the one expected last. Raises NotReceived."""
        found: list[Request] = []

        def look() -> bool:
            found[:] = [request for request in self.requests if request.kind == kind and not request.expected
                        and (not later or request.number > self._last_expected) and matches(request)]
            return bool(found)

        await self._until(look, limit, f"{self.domain}'s network was not asked for it")
        found[0].expected = True
        self._last_expected = found[0].number
        return found[0]

    def forget(self, user: str) -> None:
        """What was asked for the user so far is no longer of interest."""
        for request in self.requests:
            if request.user == user and request.answer.done():
                request.expected = True
                self._last_expected = request.number

    def unexpected(self) -> list[Request]:
        """What was asked for and no line of the scenario expected."""
        return [request for request in self.requests if request.kind in ASKED and not request.expected]

    async def send(self, user: str, event: dict, limit: float) -> None:
        """Publishes an event to a user's account; returns once the gateway has taken it. Raises NotReceived, RpcError."""
        account = await self.account(user, limit)
        assert self._peer
        try:
            await asyncio.wait_for(self._peer.call("publish", {"account": account.id, "event": event}), limit)
        except (asyncio.TimeoutError, Disconnected):
            raise NotReceived(f"the gateway did not take the event within {limit:g} s") from None

    async def account(self, user: str, limit: float) -> Account:
        """The account of an owner, as the gateway told of it. Raises NotReceived."""
        await self._until(lambda: self._find(user) is not None, limit, f"the gateway told {self.domain}'s network of no account of {user}")
        account = self._find(user)
        assert account
        return account

    @property
    def is_down(self) -> bool:
        return bool(self._down)

    def knows(self, user: str) -> bool:
        return self._peer is not None and self._find(user) is not None

    def owners(self) -> list[str]:
        """Of all accounts of the scenario's users."""
        return [account.owner for account in self.accounts.values() if account.user in self.users] if self._peer else []

    def owners_of_sessions(self) -> list[str]:
        """Of the accounts of the scenario's users, those that are not logged out."""
        return [account.owner for account in self.accounts.values() if account.user in self.users and account.running] if self._peer else []

    async def session(self, user: str, limit: float) -> None:
        """Until the user's session is up. Raises NotReceived."""
        await self._until(lambda: any(account.owner == user and account.online for account in self.accounts.values()), limit,
                          f"no session of {user} came up at {self.domain}'s network")

    async def no_session(self, user: str, limit: float) -> None:
        """Until the user has no session. Raises NotReceived."""
        await self._until(lambda: not any(account.owner == user and account.running for account in self.accounts.values()), limit,
                          f"the session of {user} stayed up at {self.domain}'s network")

    async def go_offline(self, reason: str, limit: float) -> None:
        """Every session of the scenario's users reports that it is offline, and new ones do not come up."""
        self._down = reason or "The network is down."
        await self._report(False, self._down, limit)

    async def come_online(self, limit: float) -> None:
        self._down = ""
        await self._report(True, "", limit)

    async def need_login(self, user: str, text: str, limit: float) -> None:
        """The user's session ends, since the credentials no longer work."""
        await self.session(user, limit)
        account = self._find(user)
        assert account
        account.ended.set_result(RpcError("not_authorized", text))
        await self.no_session(user, limit)

    def hold_look_ups(self) -> None:
        """What people type is looked up only when that ends."""
        self._looks_up.clear()

    def end_look_ups(self) -> None:
        self._looks_up.set()

    async def crash(self, limit: float) -> None:
        """kill -9 of the child process; returns when the gateway has started another."""
        starts = self.starts
        os.kill(self.pid, signal.SIGKILL)
        await self.wait_started(starts + 1, limit)

    async def wait_started(self, starts: int, limit: float) -> None:
        await self._until(lambda: self.starts >= starts, limit, f"the gateway did not start {self.domain}'s child process")

    async def barrier(self, user: str, limit: float) -> None:
        """Returns once the gateway has made durable all that came before: a report on a message that nobody sent."""
        self._numbers += 1
        try:
            await self.send(user, {"type": "message_progressed", "id": f"barrier-{self._numbers}", "stage": "accepted"}, limit)
        except RpcError as error:
            if error.code != "not_found":  # the account is gone, and nothing of it is waited for
                raise

    # ---- Parts ----

    def _find(self, user: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.owner == user), None)

    def _notice(self) -> None:
        self._news.set()

    async def _until(self, reached: Callable[[], bool], limit: float, otherwise: str) -> None:
        end = asyncio.get_running_loop().time() + limit
        while not reached():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, end - asyncio.get_running_loop().time()))
            except asyncio.TimeoutError:
                raise NotReceived(f"{otherwise} within {limit:g} s") from None

    async def _report(self, online: bool, text: str, limit: float) -> None:
        for account in list(self.accounts.values()):
            if account.user in self.users and account.running and account.online != online:
                account.online = online
                await self.send(account.owner, {"type": "account_changed", "online": online, "text": text}, limit)
        self._notice()

    def _ask(self, kind: str, user: str, fields: dict[str, str]) -> Request:
        self._numbers += 1
        request = Request(kind, user, fields, self._numbers, asyncio.get_running_loop().create_future())
        is_ours = user.partition("~")[0] in self.users
        if is_ours:
            self.requests.append(request)
        if not is_ours or kind not in ASKED:
            request.answer.set_result({})
        self._notice()
        return request

    # ---- What the gateway asks ----

    async def _on_hello(self, _params: dict) -> object:
        reports = "full" if self.description.network.get("reports_delivery") else "refuse"
        return {"protocol": 2, "network": self.description.network,
                "capabilities": {"delivery_reports": reports} | self.description.capabilities}

    async def _on_ping(self, _params: dict) -> object:
        return {}

    async def _on_know_account(self, params: dict) -> object:
        known = self.accounts.get(params["account"])
        if known:  # changed: its session goes on
            known.credentials = params["credentials"]
        else:
            self.accounts[params["account"]] = Account(params["account"], params["user"], params["credentials"])
        self._notice()
        return {}

    async def _on_forget_account(self, params: dict) -> object:
        self.accounts.pop(params["account"], None)
        self._notice()
        return {}

    async def _on_log_in(self, params: dict) -> object:
        assert self._peer
        form = json.loads(json.dumps(self.description.form))
        present = params.get("account", {}).get("credentials", {})
        for item in form["fields"]:
            if item["type"] != "secret" and item["name"] in present:
                item["value"] = present[item["name"]]
        asked = await self._peer.call("ask", {"login": params["login"], "form": form})
        assert isinstance(asked, dict)
        request = self._ask("log_in", owner(params["user"], asked["answers"]), asked["answers"])
        await request.answer
        return {"credentials": request.fields}

    async def _on_open(self, params: dict) -> object:
        account = self.accounts[params["account"]]
        account.running = asyncio.current_task()
        account.ended = asyncio.get_running_loop().create_future()
        self._ask("session_opened", account.owner, {"username": account.credentials.get("username", "")})
        try:
            assert self._peer
            if not (self._down and account.user in self.users):
                await self._peer.call("publish", {"account": account.id, "event": {"type": "account_changed", "online": True}})
                account.online = True
                self._notice()
            raise await account.ended
        finally:
            account.running, account.online = None, False
            self._ask("session_closed", account.owner, {})

    async def _on_perform(self, params: dict) -> object:
        action = params["action"]
        fields = {key: _flat(value) for key, value in action.items() if key != "type"}
        user = self.accounts[params["account"]].owner
        answer = await self._ask(action["type"], user, fields).answer
        return {"ids": answer["id"].split()} if "id" in answer else answer

    async def _on_query(self, params: dict) -> object:
        query = params["query"]
        if not self.description.network.get("has_search"):
            raise RpcError("unsupported", "This network cannot be asked that.")
        if query["type"] == "search":
            words = query["words"].lower()
            if words == "many":
                return {"contacts": [{"contact": f"person{number}", "name": f"Person {number}"} for number in range(3000)]}
            return {"contacts": [{"contact": contact, "name": known["name"]} for contact, known in PEOPLE.items()
                                 if words in contact or words in known["name"].lower()]}
        if query["type"] == "profile":
            if query["contact"] not in PEOPLE:
                raise RpcError("not_found", f"Nobody is called {query['contact']}.")
            return PEOPLE[query["contact"]]
        if query["type"] == "avatar" and query["avatar"] in PICTURES:
            self._ask("query_avatar", self.accounts[params["account"]].owner, {"avatar": query["avatar"]})
            return {"file": {"handle": query["avatar"]}}
        raise RpcError("unsupported", "This network cannot be asked that.")

    async def _on_fetch(self, params: dict) -> object:
        assert self._peer
        if params["handle"] not in PICTURES:
            raise RpcError("not_found", "The network has it no longer.")
        octets = PICTURES[params["handle"]]
        for start in range(0, len(octets), 100_000):
            piece = base64.b64encode(octets[start:start + 100_000]).decode()
            await self._peer.call("fetched", {"fetch": params["fetch"], "data": piece})
        return {}

    async def _on_parse_contact(self, params: dict) -> object:
        await self._looks_up.wait()
        contact = self.description.contact(params["typed"])
        if contact is None:  # what is only written wrong is another error than what is none
            raise RpcError("bad_input" if params["typed"].isdigit() else "not_found", f"“{shorten(params['typed'], 100)}” is no {self.description.network['contact_prompt'].lower()}.")
        return {"contact": contact}


# Whom networks that can be asked about people know.
PEOPLE = {
    "nurse": {"name": "Angelica", "details": {"first_name": "Angelica", "phone": "+39 045 010 0199", "city": "Verona", "about": "In the house of Capulet"}},
    "tybalt": {"name": "Tybalt", "details": {"email": "tybalt@capulet.example"}},
}
PICTURES = {
    "nurse-1": base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
    "endless": b"\x89PNG\r\n\x1a\n" + bytes(300_000),
    "no-picture": b"<svg onload='alert(1)'/>",
}


def _flat(value) -> str:
    """A member of an action as a scenario writes it: chat=+15550100 for "c:+15550100"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value[2:] if value.startswith("c:") else value
    return json.dumps(value, ensure_ascii=False)


def event(kind: str, fields: dict[str, str]) -> dict:
    """An event as JSON from a scenario's words; a message's sender, id and time may be left out."""
    made: dict = {"type": kind} | fields
    if made.get("chat") and not re.match(r"[cr]:", made["chat"]):
        made["chat"] = "c:" + made["chat"]
    if kind in ("message_received", "message_edited", "message_retracted", "reacted", "message_read", "typing_changed"):
        made.setdefault("chat", "c:" + made.get("sender", ""))
        made.setdefault("sender", made["chat"][2:])
    if kind in ("message_received", "message_edited", "message_retracted", "reacted", "account_notice"):
        made.setdefault("id", f"n{time.monotonic_ns()}")
    if kind in ("message_received", "message_edited"):
        made["sent_at"] = int(made.get("sent_at", int(time.time() * 1000)))
    if "idle_since" in made:
        made["idle_since"] = int(made["idle_since"])
    for key, value in made.items():
        if key in ("accepted", "online", "typing", "from_me", "still_seen"):
            made[key] = value == "true"
        elif key in ("files", "contacts", "reactions", "reply_to"):
            made[key] = json.loads(value)
    return made


def phone_number(typed: str) -> str | None:
    """As an SMS network reads what people type: +1 (555) 010-0199, 0015550100199."""
    digits = re.sub(r"[\s().-]", "", typed)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return digits if re.fullmatch(r"\+[1-9][0-9]{4,14}", digits) else None


def screen_name(typed: str) -> str | None:
    """As an IM network reads them: letters, digits, and . _ - @ and single spaces inside; case does not matter. Clients that
    cannot escape write % for @."""
    name = typed.strip().lower().replace("%", "@")
    return name if re.fullmatch(r"[a-z0-9._@'-]+( [a-z0-9._@'-]+)*", name) and len(name) <= 64 else None


def _field(name: str, label: str, kind: str = "text", **more) -> dict:
    return {"name": name, "label": label, "type": kind, "required": True} | more


_ACCOUNT = [_field("username", "User name"), _field("password", "Password", "secret")]

NETWORKS = {
    # Like SMS: always on, no presence, delivery reports, a repeat may double.
    "net.test": Description(
        {"id": "net", "name": "Net", "disco_type": "sms", "contact_prompt": "Phone number",
         "contact_prompts": {"de": {"prompt": "Telefonnummer", "help": "Mit Ländervorwahl, wie +1 555 010 0199."}},
         "contact_help": "With the country code, like +1 555 010 0199.", "idempotency": "none", "redelivers": True,
         "has_presence": False, "reports_delivery": True},
        {"title": "Net", "instructions": "Your account at Net.", "fields": _ACCOUNT}, phone_number),
    # Like instant messaging: follows the user's presence, has presence, no reports, repeats are recognised by their key.
    "im.test": Description(
        {"id": "im", "name": "IM", "disco_type": "xmpp", "client_type": "phone", "contact_prompt": "Screen name",
         "contact_help": "The screen name of the person.", "idempotency": "by_key", "redelivers": True,
         "has_search": True, "has_blocking": True, "has_profile": True, "has_presence": True, "has_contact_list": True, "reports_delivery": False},
        {"title": "IM", "instructions": "Your account at IM.", "fields": _ACCOUNT}, screen_name),
    # The same, at a gateway that the server lets write to its users' rosters (hosts.py, XEP-0356).
    "trusted.test": Description(
        {"id": "trusted", "name": "Trusted", "disco_type": "xmpp", "contact_prompt": "Screen name", "contact_help": "",
         "idempotency": "by_key", "redelivers": True, "has_presence": True, "has_contact_list": True, "reports_delivery": False},
        {"title": "Trusted", "instructions": "Your account at Trusted.", "fields": _ACCOUNT}, screen_name),
    # Like modern messengers: what was said can be changed, taken back and reacted to; typing and reading are shown.
    "rich.test": Description(
        {"id": "rich", "name": "Rich", "disco_type": "xmpp", "contact_prompt": "Screen name", "contact_help": "",
         "idempotency": "by_key", "redelivers": True, "has_presence": False, "reports_delivery": True, "refers_to_messages": True},
        {"title": "Rich", "instructions": "Your account at Rich.", "fields": _ACCOUNT}, screen_name,
        {"edit": "full", "retract": "full", "react": "partial", "reactions": ["👍", "♥"], "most_reactions": 1, "reply": "full",
         "typing": "full", "read_marks": "full"}),
    # Asks for something that XEP-0077 has no field for.
    "form.test": Description(
        {"id": "form", "name": "Form", "disco_type": "gadu-gadu", "contact_prompt": "Number", "contact_help": "",
         "idempotency": "none", "redelivers": True, "has_presence": False, "reports_delivery": False},
        {"title": "Form", "instructions": "Your account at Form.",
         "fields": _ACCOUNT + [_field("region", "Region", "choice", choices=["north", "south"])]}, phone_number),
}
