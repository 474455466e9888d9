#!/usr/bin/python3
"""A network where everybody repeats what you say, as a child process: connectors/echo in Python, to be copied.

Every method below is a request of the gateway; its parameters are the request's params, and what it returns is the result.
wherry_connector.py carries them over standard input and output.
"""

import asyncio
import re
import time

import wherry_connector
from wherry_connector import Refused

CONTACT = re.compile(r"[a-z0-9._+-]{1,64}")
HANDLE = "echo-file-"  # before the name of whose picture it is


class Echo:
    gateway: wherry_connector.Gateway  # set by wherry_connector.run()

    def __init__(self) -> None:
        self.replies, self.reports = True, True
        self.reactions: list[str] = []  # that there are; none: any
        self.accounts: dict[int, dict] = {}

    # ---- What the network is ----

    async def hello(self, protocol: int, configuration: dict) -> dict:
        """The first request. An error's text begins with the path of the key that is wrong."""
        if protocol != wherry_connector.PROTOCOL:
            raise Refused("unsupported", f"This connector speaks version {wherry_connector.PROTOCOL} of the protocol.")
        for name, value in configuration.items():
            if name not in ("replies", "reports", "reactions"):
                raise Refused("bad_input", f"{name}: no such key; there are replies, reports and reactions")
            if name == "reactions":
                if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
                    raise Refused("bad_input", "reactions: must be an array of texts")
            elif not isinstance(value, bool):
                raise Refused("bad_input", f"{name}: must be true or false")
            setattr(self, name, value)
        return {
            "protocol": wherry_connector.PROTOCOL,
            "network": {
                "id": "child_echo",
                "name": "Echo",
                "disco_type": "echo",
                "contact_prompt": "Name",
                "contact_help": "Any word of lower-case letters, digits and . _ + -, like juliet.",
                "idempotency": "by_key",
                "redelivers": True,
                "reports_delivery": self.reports,
                "refers_to_messages": True,
                "proof_of_life": 600,
            },
            "capabilities": {
                "files": "full",
                "edit": "full",
                "retract": "full",
                "react": "partial" if self.reactions else "full",
                "reactions": self.reactions,
                "reply": "full",
                "typing": "full",
                "read_marks": "full",
                "delivery_reports": "full" if self.reports else "refuse",
            },
        }

    async def parse_contact(self, typed: str, account: int) -> dict:
        """What a person typed, as a contact's one true id."""
        if not CONTACT.fullmatch(typed):
            raise Refused("bad_input", "A contact is a word of at most 64 lower-case letters, digits and . _ + -, like juliet.")
        return {"contact": typed}

    # ---- Who uses it ----

    async def log_in(self, login: int, user: str, account: dict | None = None) -> dict:
        """The registration: ask, verify with the network, return what to keep."""
        on_record = account["credentials"].get("nick", "") if account else ""
        form = {
            "title": "Echo",
            "instructions": "Everybody on this network repeats what you say.",
            "fields": [
                {"name": "nick", "label": "What you would like to be called", "type": "text", "required": False, "value": on_record}
            ],
        }
        answers = await self.gateway.ask(login, form)
        if len(answers.get("nick", "").encode()) > 64:
            raise Refused("bad_input", "The nickname is too long: take at most 64 bytes.")
        return {"credentials": answers}

    async def know_account(self, account: int, user: str, credentials: dict) -> None:
        """Every registered account, live or not: at the start, and when it is added or changed."""
        self.accounts[account] = credentials

    async def forget_account(self, account: int) -> None:
        self.accounts.pop(account, None)

    # ---- A session ----

    async def open(self, account: int) -> None:
        """Runs the session of one account until it is cancelled. Raising Refused ends it: `unavailable` for a broken link
        (the gateway opens it again after a while), `not_authorized` where the user must log in anew."""
        if account not in self.accounts:
            raise Refused("not_authorized", "Please register again.")
        await self.gateway.publish(account, {"type": "account_changed", "online": True})
        await asyncio.Event().wait()  # there is no link to break: until cancelled

    async def probe(self, account: int) -> None:
        """Proves that the session is alive. A real network is asked something here; this one cannot be away."""

    async def perform(self, account: int, action: dict) -> dict:
        """What the user asks of the network. The result has the ids of what was sent, if there are any."""
        do = {
            "send_message": self.send,
            "edit_message": self.edit,
            "retract_message": self.retract,
            "react": self.react,
            "mark_read": self.mark_read,
            "set_typing": self.set_typing,
        }.get(action["type"])
        if do is None:
            raise Refused("unsupported", "The echo network carries messages only.")
        kind, _, contact = action["chat"].partition(":")
        if kind != "c":
            raise Refused("not_found", "The echo network has no rooms.")
        # When publish() raises, the exception passes through us and the action counts as failed; it is asked for again, and
        # since everything here is derived from its key, nothing is doubled by that.
        return await do(account, contact, action) or {}

    async def send(self, account: int, contact: str, action: dict) -> dict:
        key = action["key"]
        if self.reports:
            await self.gateway.publish(account, {"type": "message_progressed", "id": key, "stage": "delivered"})
        await self.repeat(account, contact, action, {"type": "message_received", "sent_at": now()} | content(action))
        return {"ids": [key]}

    async def edit(self, account: int, contact: str, action: dict) -> None:
        event = {"type": "message_edited", "target": repetition(action), "sent_at": now()}
        await self.repeat(account, contact, action, event | content(action))

    async def retract(self, account: int, contact: str, action: dict) -> None:
        await self.repeat(account, contact, action, {"type": "message_retracted", "target": repetition(action)})

    async def react(self, account: int, contact: str, action: dict) -> None:
        if self.reactions and not set(action["reactions"]) <= set(self.reactions):
            raise Refused("rejected", f"There are only the reactions {' '.join(self.reactions)} here.")
        # They react to the very message that the user reacted to.
        target = action["target"]["ids"][-1]
        await self.repeat(account, contact, action, {"type": "reacted", "target": target, "reactions": action["reactions"]})

    async def repeat(self, account: int, contact: str, action: dict, event: dict) -> None:
        """Does the same, as the contact. The id is the action's key, so a repeated action is no second event."""
        if self.replies:
            event |= {"chat": action["chat"], "sender": contact, "id": "echo-" + action["key"]}
            await self.gateway.publish(account, event)

    async def mark_read(self, account: int, contact: str, action: dict) -> None:
        """Who repeats has read what the user sent: up to what was repeated in the message that the user has read now."""
        up_to = action["target"]["ids"][-1].removeprefix("echo-")
        if self.replies:
            await self.gateway.publish(account, {"type": "message_read", "chat": action["chat"], "sender": contact, "up_to": up_to})

    async def set_typing(self, account: int, contact: str, action: dict) -> None:
        if self.replies:
            event = {"type": "typing_changed", "chat": action["chat"], "sender": contact, "typing": action["typing"]}
            await self.gateway.publish(account, event)

    # ---- What is asked at once ----

    async def query(self, account: int, query: dict) -> dict:
        if query["type"] == "profile":
            return {"name": query["contact"].capitalize(), "avatar": query["contact"], "details": {"about": "Repeats what you say."}}
        if query["type"] == "avatar":
            return {"file": {"media_type": "text/plain", "name": query["avatar"] + ".txt", "handle": HANDLE + query["avatar"]}}
        raise Refused("unsupported", "The echo network knows profiles and their pictures only.")

    async def fetch(self, account: int, handle: str, fetch: int) -> None:
        """The file of a handle, piece by piece. Returning ends it; raising Refused says that it cannot be had."""
        if not handle.startswith(HANDLE):
            raise Refused("not_found", "The echo network has no such file.")
        await self.gateway.fetched(fetch, f"A picture of {handle.removeprefix(HANDLE)}.\n".encode())


def now() -> int:
    return int(time.time() * 1000)


def content(action: dict) -> dict:
    """What a message says, as it came."""
    return {name: action[name] for name in ("text", "files", "reply_to", "thread", "location") if name in action}


def repetition(action: dict) -> str:
    """What the contact made of the message that the action is about."""
    return "echo-" + action["target"]["ids"][-1]


if __name__ == "__main__":
    wherry_connector.run(Echo)
