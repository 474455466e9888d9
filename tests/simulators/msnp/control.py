"""The switches: one line in, one line out."""
from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from letters import Letter


class Control:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer

    async def run(self) -> None:
        while line := await self._reader.readline():
            name, *words = line.decode().split()
            self._writer.write(f"{self._obey(name, *words)}\n".encode())
        self._writer.close()

    def _obey(self, name: str, word: str = "", *more: str) -> object:
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
        elif name == "letters_for":
            return len(self.state.accounts[word].letters)
        elif name == "left":  # SENDER RECIPIENT: with the texts "letter 1", "letter 2" …
            self._leave(self.state.accounts[word], self.state.accounts[more[0]], int(more[1]))
        elif name in self.state.switches:
            self.state.switches[name] = word
        else:
            return f"there is no switch {name}"
        return "ok"

    def _leave(self, sender, recipient, count: int) -> None:
        """Those numbers, written a day ago, in the wrong order."""
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        for number in range(count, 0, -1):
            self.state.leave(recipient, Letter(sender.email, sender.name, f"letter {number}", "{8C9A6F9D-0000-4000-8000-000000000000}", number,
                                               yesterday))
