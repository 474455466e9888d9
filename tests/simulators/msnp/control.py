"""The switches: one line in, one line out."""
from __future__ import annotations

import asyncio


class Control:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer

    async def run(self) -> None:
        while line := await self._reader.readline():
            name, *words = line.decode().split()
            self._writer.write(f"{self._obey(name, *words)}\n".encode())
        self._writer.close()

    def _obey(self, name: str, word: str = "") -> object:
        sessions = [account.session for account in self.state.accounts.values() if account.session]
        if name == "reset":
            for session in sessions:
                session.close()
            self.state.begin()
        elif name == "challenges_answered":
            return self.state.challenges_answered
        elif name == "cut_boards":
            for member in [member for members in self.state.chats.values() for member in members]:
                member.close()
        elif name in ("cut", "shut_down", "long_line"):
            session = self.state.accounts[word].session
            if name == "long_line":
                session.write(b"NLN " + b"a" * 100000)
            else:
                session.log_off("OUT SSD" if name == "shut_down" else "")
        elif name in self.state.switches:
            self.state.switches[name] = word
        else:
            return f"there is no switch {name}"
        return "ok"
