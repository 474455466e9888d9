"""Starting and ending the programs that tests need, on free loopback ports, by process id."""
from __future__ import annotations

import asyncio
import collections
import os
import random
import signal
import socket
from typing import Callable

# Below the ports that the kernel gives to outgoing connections (ip_local_port_range), so that none of those takes one of ours
# between here and the program that shall listen on it.
_PORTS = range(12000, 32000)
_given: set[int] = set()


def free_port() -> int:
    """A loopback TCP port that nobody listens on, and that this process was not given before."""
    while True:
        port = random.choice(_PORTS)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class Ended(Exception):
    """A program ended that should be running; the text has its last lines."""


class Program:
    """A running program; its output, both streams together, is kept (the newest lines) and shown to `on_line`."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str] | None = None,
                 on_line: Callable[[str], None] | None = None, cwd: str | None = None) -> None:
        self.name = name
        self.lines: collections.deque[str] = collections.deque(maxlen=4000)
        self._command = command
        self._environment = os.environ | (environment or {})
        self._on_line = on_line
        self._cwd = cwd
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task | None = None
        self._news = asyncio.Event()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=self._environment, cwd=self._cwd, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=8 << 20)
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process and self._process.stdout
        async for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            self.lines.append(line)
            if self._on_line:
                self._on_line(line)
            self._news.set()
        self._news.set()

    async def wait_line(self, match: Callable[[str], bool], limit: float, times: int = 1) -> None:
        """Until `times` lines since the start match. Raises Ended when the program ends first, or after `limit` seconds."""
        end = asyncio.get_running_loop().time() + limit
        while sum(map(match, self.lines)) < times:
            rest = end - asyncio.get_running_loop().time()
            if rest <= 0 or (self._reader and self._reader.done()):
                state = "did not say that it is ready" if rest <= 0 else "ended"
                raise Ended(f"{self.name} {state}; its last lines:\n" + self.tail())
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), rest)
            except asyncio.TimeoutError:
                pass

    async def wait_port(self, port: int, limit: float) -> None:
        """Until it accepts connections there. Raises Ended."""
        end = asyncio.get_running_loop().time() + limit
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            except OSError:
                if not self.running or asyncio.get_running_loop().time() > end:
                    raise Ended(f"{self.name} does not listen on port {port}; its last lines:\n{self.tail()}") from None
                await asyncio.sleep(0.02)  # a port announces itself in no other way

    def tail(self, most: int = 30) -> str:
        return "\n".join(list(self.lines)[-most:])

    async def stop(self, limit: float = 20, number: int = signal.SIGTERM) -> int:
        """SIGTERM (or `number`), and SIGKILL when that takes longer than `limit`. Its exit code, or -signal."""
        return await self._end(number, limit)

    async def kill(self) -> int:
        """SIGKILL."""
        return await self._end(signal.SIGKILL, 20)

    async def _end(self, number: int, limit: float) -> int:
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(number)
        try:
            code = await asyncio.wait_for(self._process.wait(), limit)
        except asyncio.TimeoutError:
            self.lines.append(f"(did not end within {limit:g} s of signal {number}: killed)")
            self._process.kill()
            code = await self._process.wait()
        if self._reader:
            # A grandchild may hold the pipe open for a moment longer than the program lives.
            await asyncio.wait([self._reader], timeout=5)
        return code
