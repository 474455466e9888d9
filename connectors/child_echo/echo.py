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


class Echo:
    gateway: wherry_connector.Gateway  # set by wherry_connector.run()

    def __init__(self) -> None:
        self.settings = {"replies": True, "reports": True}
        self.accounts: dict[int, dict] = {}

    # ---- What the network is ----

    async def hello(self, protocol: int, configuration: dict) -> dict:
        """The first request. An error's text begins with the path of the key that is wrong."""
        if protocol != 1:
            raise Refused("unsupported", "This connector speaks version 1 of the protocol.")
        for name, value in configuration.items():
            if name not in self.settings:
                raise Refused("bad_input", f"{name}: no such key; there are replies and reports")
            if not isinstance(value, bool):
                raise Refused("bad_input", f"{name}: must be true or false")
        self.settings |= configuration
        return {
            "protocol": 1,
            "network": {
                "id": "child_echo",
                "name": "Echo",
                "disco_type": "echo",
                "contact_prompt": "Name",
                "contact_help": "Any word of lower-case letters, digits and . _ + -, like juliet.",
                "idempotency": "by_key",
                "redelivers": True,
                "reports_delivery": self.settings["reports"],
            },
            "capabilities": {"files": "full", "delivery_reports": "full" if self.settings["reports"] else "refuse"},
        }

    async def parse_contact(self, typed: str, account: int) -> dict:
        """What a person typed, as a contact's one true id."""
        if not CONTACT.fullmatch(typed):
            raise Refused("bad_input", "A contact is a word of at most 64 lower-case letters, digits and . _ + -, like juliet.")
        return {"contact": typed}

    # ---- Who uses it ----

    async def log_in(self, login: int, user: str, account: dict | None = None) -> dict:
        """The registration: ask as often as needed, verify with the network, return what to keep."""
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

    async def perform(self, account: int, action: dict) -> dict:
        """What the user asks of the network. The result is the message's id there, if there is one."""
        if action["type"] != "send_message":
            raise Refused("unsupported", "The echo network carries messages only.")
        kind, _, contact = action["chat"].partition(":")
        if kind != "c":
            raise Refused("not_found", "The echo network has no rooms.")

        # When publish() raises, the exception passes through us and the send counts as failed; it is asked for again, and
        # since everything here is derived from its key, nothing is doubled by that.
        key = action["key"]
        if self.settings["reports"]:
            await self.gateway.publish(account, {"type": "message_progressed", "id": key, "stage": "delivered"})
        if self.settings["replies"]:
            reply = {
                "type": "message_received",
                "chat": action["chat"],
                "sender": contact,
                "id": "echo-" + key,
                "text": action.get("text", ""),
                "files": action.get("files", []),
                "sent_at": int(time.time() * 1000),
            }
            await self.gateway.publish(account, reply)
        return {"id": key}


if __name__ == "__main__":
    wherry_connector.run(Echo)
