"""One network, two users and one wherry whose store is made, or found: for `upgrade` and tests/fixtures/make_store."""
from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../support")]

from postgres import Postgres, programs  # noqa: E402
from scenario_world import Options, World  # noqa: E402
from xml_stream import local  # noqa: E402

FIXTURES = os.path.join(HERE, "../fixtures")
DOMAIN, LIMIT = "net.test", 30
ROMEO, JULIET = "romeo@x.test", "juliet@x.test"
TIMES = re.compile(r"\b1[789][0-9]{11}\b")  # ms since 1970, until 2033


class Upgrade(World):
    """`store`: sqlite or postgres. With a `schema`, the store is that fixture, its times moved to the present."""

    def __init__(self, wherry: str, store: str, folder: str, schema: str = "") -> None:
        super().__init__(Options("fake", wherry, limit=LIMIT, store=store), folder)
        self.domains = [DOMAIN]
        self.networks = {DOMAIN: self.networks[DOMAIN]}
        self.network = self.networks[DOMAIN]
        self.postgres = Postgres()
        self.kind, self.schema = store, schema
        self.clients: dict = {}

    async def _begin(self) -> None:
        if self.kind == "postgres":
            self._stack.push_async_callback(self.postgres.remove)
            await self.postgres.start()
            self.options.store = self.postgres.url
        for user in (ROMEO, JULIET):
            await self.host.add_user(user)
            self.clients[user] = await self.host.connect(user, "phone")
        self.network.begin({ROMEO, JULIET})
        await super()._begin()

    def _make_wherry(self, *arguments) -> None:
        super()._make_wherry(*arguments)
        if self.schema:
            self._lay_fixture()

    def _lay_fixture(self) -> None:
        with open(f"{FIXTURES}/schema_{self.schema}.key", encoding="ascii") as key:
            self.write_key(key.read())
        with open(f"{FIXTURES}/schema_{self.schema}.{self.kind}.sql", encoding="utf-8") as file:
            text = file.read()
        made = int(re.search(r"^-- made ([0-9]+)", text).group(1))
        passed = int(time.time() * 1000) - made
        text = TIMES.sub(lambda found: str(int(found.group()) + passed), text)
        if self.kind == "sqlite":
            database = sqlite3.connect(f"{self.wherry.folder}/wherry.db")
            database.executescript(f"BEGIN;\n{text}\nCOMMIT;")
            database.close()
        else:
            subprocess.run([f"{programs()}/psql", self.postgres.url, "-Xqv", "ON_ERROR_STOP=1", "-f", "-"], input=text.encode(), check=True)

    def write_key(self, text: str) -> None:
        with open(os.open(f"{self.wherry.folder}/key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(text)

    async def dump(self) -> str:
        """The store, in SQL: tables and rows, without what only the dumping program needs."""
        if self.kind == "sqlite":
            database = sqlite3.connect(f"{self.wherry.folder}/wherry.db")
            lines = "\n".join(database.iterdump()).splitlines()
            database.close()
            lines = [line for line in lines if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
        else:
            found = subprocess.run([f"{programs()}/pg_dump", "--inserts", "--no-owner", "--no-privileges", self.postgres.url], check=True, capture_output=True, text=True)
            skipped = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\|$")
            lines = [line for line in found.stdout.splitlines() if not skipped.match(line)]
        return "\n".join(lines) + "\n"

    # ---- What the users and the network do ----

    async def registers(self, user: str) -> None:
        """XEP-0100 §4.1: the registration, both subscriptions, the login."""
        await self.sends(user, "<presence/>")
        name = user.partition("@")[0]
        await self.sends(user, f"<iq type='set' id='r' to='{DOMAIN}'><query xmlns='jabber:iq:register'><username>{name}</username>"
                               f"<password>{name}'s secret</password></query></iq>")
        (await self.asked("log_in", username=name)).answer.set_result({})
        await self.receives(user, "iq", "result", id="r")
        await self.sends(user, f"<presence type='subscribed' to='{DOMAIN}'/><presence type='subscribe' to='{DOMAIN}'/>")
        await self.network.session(user, LIMIT)
        await self.receives(user, "presence", "subscribed", **{"from": DOMAIN})

    async def sends(self, user: str, stanza: str) -> None:
        await self.clients[user].send(stanza)

    async def receives(self, user: str, kind: str, type_: str | None = None, **attributes: str):
        return await self.clients[user].take(
            lambda stanza: local(stanza) == kind and type_ in ("*", stanza.get("type")) and all(stanza.get(key) == value for key, value in attributes.items()), LIMIT)

    async def message(self, user: str, number: str, name: str) -> None:
        await self.sends(user, f"<message type='chat' id='{name}' to='{number}@{DOMAIN}'><body>{name} of {user}</body>"
                               "<request xmlns='urn:xmpp:receipts'/></message>")

    async def asked(self, kind: str, **fields: str):
        return await self.network.expect(kind, lambda request: all(request.fields.get(key) == value for key, value in fields.items()), LIMIT)

    async def publish(self, user: str, **event) -> None:
        await self.network.send(user, event, LIMIT)

    async def text_from(self, user: str, number: str, name: str) -> None:
        await self.publish(user, type="message_received", chat=f"c:{number}", sender=number, id=name, text=name, sent_at=int(time.time() * 1000))
