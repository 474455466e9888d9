"""The switches: one line in, one line out."""
from __future__ import annotations

import asyncio

from state import CONTACT, Item, plain
from wire import tlv, u16


class Control:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer

    async def run(self) -> None:
        while line := await self._reader.readline():
            name, *words = line.decode().split()
            self._writer.write(f"{self._obey(name, *words)}\n".encode())
        self._writer.close()

    def _obey(self, name: str, *words: str) -> object:
        if name == "reset":
            for session in self.state.all_sessions():
                session.front.cut()
            self.state.begin()
        elif name in ("cut", "sign_off", "good_bye", "nonsense"):
            for session in list(self.state.accounts[plain(words[0])].sessions):
                if name == "nonsense":
                    session.front.frame(2, b"x")
                    continue
                session.front.cut() if name == "cut" else session.front.close(tlv(9, u16(1)) if name == "sign_off" else b"")
        elif name == "asks_first":
            self.state.accounts[plain(words[0])].asks_first = True
        elif name == "tell":
            self.state.accounts[plain(words[0])].info[words[1]] = " ".join(words[2:])
        elif name == "contacts":
            account = self.state.accounts[plain(words[0])]
            return " ".join(sorted(plain(item.name) for item in account.items.values() if item.kind == CONTACT)) or "none"
        elif name == "twice":  # as a client's repeats have left it
            account = self.state.accounts[plain(words[0])]
            item = account.contacts(plain(words[1]))[0]
            account.items[item.group, item.number + 1000] = Item(item.name, item.group, item.number + 1000, item.kind, dict(item.tlvs))
        elif name in self.state.switches and len(words) == 1:
            self.state.switches[name] = words[0]
        else:
            return f"there is no switch {name}"
        return "ok"
