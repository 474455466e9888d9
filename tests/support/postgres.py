"""A PostgreSQL of a test's own, on a free loopback port, trusting everybody there. Debian's package, found by its path."""
from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from processes import Program, free_port

USER = "postgres"  # PostgreSQL refuses to run as root


def programs() -> str:
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    if not folders:
        raise FileNotFoundError("install the package postgresql")
    return folders[-1]


def as_server(command: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command] if os.geteuid() == 0 else command


class Postgres:
    """`url` names its empty database."""

    def __init__(self) -> None:
        self._port = free_port()
        self._program: Program | None = None
        self._folder = ""
        self.url = f"postgresql://wherry@127.0.0.1:{self._port}/wherry"

    async def start(self) -> None:
        """Makes the database first, where there is none. Raises processes.Ended with the server's last words."""
        if not self._folder:
            self._make()
        self._program = Program("postgres", as_server([
            f"{programs()}/postgres", "-D", f"{self._folder}/data", "-p", str(self._port), "-h", "127.0.0.1", "-k", self._folder]),
            {"LC_MESSAGES": "C"}, cwd=self._folder)
        await self._program.start()
        await self._program.wait_line(lambda line: "database system is ready to accept connections" in line, 60)

    def _make(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="wherry-postgres-")
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        data = f"{self._folder}/data"
        quiet = {"check": True, "capture_output": True, "cwd": self._folder}
        subprocess.run(as_server([f"{programs()}/initdb", "-D", data, "-U", "wherry", "-A", "trust", "-E", "UTF8", "--no-sync"]), **quiet)
        # Without a server: a backend that reads statements from its input.
        subprocess.run(as_server([f"{programs()}/postgres", "--single", "-D", data, "postgres"]), input=b"CREATE DATABASE wherry\n", **quiet)

    @contextlib.asynccontextmanager
    async def locked(self, table: str, mode: str = "SHARE"):
        """Nobody writes to the table meanwhile; nor reads it, where the mode is ACCESS EXCLUSIVE."""
        psql = await asyncio.create_subprocess_exec(f"{programs()}/psql", self.url, "-XAtq", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        try:
            psql.stdin.write(f"BEGIN; LOCK TABLE {table} IN {mode} MODE; SELECT 'locked';\n".encode())
            assert await psql.stdout.readline() == b"locked\n"
            yield
        finally:
            psql.stdin.close()  # and with the session its transaction
            await psql.wait()

    async def query(self, sql: str) -> str:
        """The answer's rows as psql prints them, unadorned."""
        psql = await asyncio.create_subprocess_exec(f"{programs()}/psql", self.url, "-XAtqc", sql, stdout=asyncio.subprocess.PIPE)
        answer, _ = await psql.communicate()
        return answer.decode().strip()

    async def until(self, sql: str, limit: float) -> str:
        """The query's first answer. Asks now and then: a database announces its sessions' states to nobody. Raises TimeoutError."""
        end = asyncio.get_running_loop().time() + limit
        while asyncio.get_running_loop().time() < end:
            if answer := await self.query(sql):
                return answer
            await asyncio.sleep(0.05)
        raise TimeoutError(sql)

    async def kill(self) -> None:
        """kill -9 of all its processes, as when its machine dies. start() recovers what was committed."""
        assert self._program
        server = self._program.pid
        children = [int(pid) for pid in pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        for child in [server, *children]:  # the server first, or it would begin to recover
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it saw its parent go
        await self._program.kill()

    async def stop_at_once(self) -> None:
        """Its "immediate shutdown": every session ends without a word and nothing is written down; start() recovers."""
        assert self._program
        await self._program.stop(20, signal.SIGQUIT)

    async def remove(self) -> None:
        """Ends it, and deletes its data."""
        if self._program and self._program.running:
            await self.stop_at_once()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""
