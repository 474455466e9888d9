"""node-icq-server, an ICQ server that knows nothing of us, on free ports of the loopback.

It is not in npm's registry. WHERRY_ICQ_SERVER names a folder with its sources (github: Artemchik-Development/node-icq-server)
in which `npm install` has been run. A copy of its files runs with a configuration of ours, without its web pages.
"""
from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess

from processes import Program, free_port

LEFT_OUT = ("config.js", "web.js")  # the web pages listen on every address


def folder() -> pathlib.Path | None:
    """Where the server is, or None."""
    named = os.environ.get("WHERRY_ICQ_SERVER", "")
    return pathlib.Path(named) if named and (pathlib.Path(named) / "server.js").exists() else None


class IcqServer:
    def __init__(self, source: pathlib.Path, into: pathlib.Path, users: dict[str, str]) -> None:
        """`users`: numbers and passwords."""
        self.port, self._session_port = free_port(), free_port()
        self._into = into
        self._environment = {"NODE_PATH": os.environ.get("NODE_PATH", str(source / "node_modules"))}
        into.mkdir()
        for file in source.glob("*.js"):
            if file.name not in LEFT_OUT:
                shutil.copy(file, into)
        (into / "config.js").write_text(
            f"module.exports = {{ HOST: '127.0.0.1', BOS_ADDRESS: '127.0.0.1', AUTH_PORT: {self.port}, BOS_PORT: {self._session_port}, "
            f"DB_PATH: '{into}/icq.db', DEBUG_PACKETS: false, REGISTRATION_ENABLED: false, UIN_MIN: 100000, UIN_MAX: 999999 }};\n")
        for number, password in users.items():
            subprocess.run(["node", "database.js", "add", number, password], cwd=into, env={**os.environ, **self._environment},
                           check=True, capture_output=True, timeout=60)
        self.program = Program("node-icq-server", ["node", "server.js"], self._environment, cwd=str(into))

    async def start(self) -> None:
        await self.program.start()
        await self.program.wait_line(lambda line: "BOS" in line and str(self._session_port) in line, 60)

    async def stop(self) -> None:
        if self.program.running:
            await self.program.kill()

    def contacts(self, number: str) -> list[str]:
        """Of that user's list, as the server keeps it."""
        with contextlib.closing(sqlite3.connect(self._into / "icq.db")) as store:
            return [name for name, in store.execute("SELECT name FROM ssi WHERE uin = ? AND type = 0", (number,))]

    async def said(self, words: str) -> None:
        """Until its log has said that."""
        await self.program.wait_line(lambda line: words in line, 60)
