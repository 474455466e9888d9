"""wherry as a test sees it: a program with a configuration file and a log. Writes the one, reads the other."""
from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import urllib.request
from dataclasses import dataclass, field
from typing import Callable

from processes import Program

PUBLIC_URL = "https://files.x.test"  # of what others open in a browser
MIGRATIONS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../schemas/migrations"))


@dataclass
class Transport:
    """One [[transport]] of the configuration. Give `child` (a command) or `connector` (a shared object's name)."""
    domain: str
    port: int                        # of the XMPP server's component listener
    secret: str
    server_domain: str = "x.test"    # a domain that the server itself answers for
    child: list[str] = field(default_factory=list)
    connector: str = ""
    policy: str = "always_on"        # or follow_presence
    register_domains: list[str] = field(default_factory=list)
    register_jids: list[str] = field(default_factory=list)
    configuration: dict = field(default_factory=dict)


def toml(value) -> str:
    """A value as TOML: texts, numbers, truth values, lists and tables, inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # texts, integers and truth values are written alike in both


def configuration(folder: str, store: str, transports: list[Transport], connectors_folder: str = "", level: str = "debug") -> str:
    """The text of a configuration file. `store`: "sqlite", or the URL of a database."""
    url = f"sqlite:{folder}/wherry.db" if store == "sqlite" else store
    lines = [f"migrations_folder = {toml(MIGRATIONS)}"]
    if connectors_folder:
        lines.append(f"connectors_folder = {toml(connectors_folder)}")
    lines += ["[store]", f"url = {toml(url)}", f"key_file = {toml(f'{folder}/key')}",
              "[log]", f"level = {toml(level)}", 'format = "text"',
              "[files]", f"folder = {toml(f'{folder}/files')}", "[http]", 'listen = "127.0.0.1:0"', f'public_url = "{PUBLIC_URL}"',
              "[service]", 'contacts = ["xmpp:prince@x.test"]', 'terms = "https://x.test/terms"']
    for transport in transports:
        server = {"host": "127.0.0.1", "port": transport.port, "secret": transport.secret,
                  "domain": transport.server_domain}
        lines += ["[[transport]]", f"domain = {toml(transport.domain)}",
                  f"child = {toml(transport.child)}" if transport.child else f"connector = {toml(transport.connector)}",
                  f"server = {toml(server)}", f"policy = {toml(transport.policy)}",
                  f"register = {toml({'domains': transport.register_domains, 'jids': transport.register_jids})}"]
        if transport.configuration:
            lines.append(f"configuration = {toml(transport.configuration)}")
    return "\n".join(lines) + "\n"


class Wherry:
    """`wherry run` in `folder`, which keeps its store, key and configuration over restarts."""

    def __init__(self, binary: str, folder: str, store: str, transports: list[Transport], connectors_folder: str = "",
                 on_line: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self.binary = binary
        self.domains = [transport.domain for transport in transports]
        self.config_path = os.path.join(folder, "wherry.toml")
        self._on_line = on_line
        self._http_port = 0  # where it listens
        self._program: Program | None = None
        os.makedirs(folder, exist_ok=True)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(configuration(folder, store, transports, connectors_folder))
        if store != "sqlite":  # beside SQLite it makes one by itself
            key = subprocess.run([binary, "generate-key"], check=True, capture_output=True, timeout=60).stdout
            with open(os.open(f"{folder}/key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as key_file:
                key_file.write(key)

    @property
    def running(self) -> bool:
        return self._program is not None and self._program.running

    @property
    def pid(self) -> int:
        assert self._program
        return self._program.pid

    async def launch(self) -> None:
        """Returns once the process runs."""
        self._program = Program("wherry", [self.binary, "run", "--config", self.config_path],
                                {"ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"},
                                self._read_line)
        await self._program.start()

    def _read_line(self, line: str) -> None:
        if listening := re.search(r"http\.listening port=(\d+)", line):
            self._http_port = int(listening[1])
        if self._on_line:
            self._on_line(line)

    async def start(self, limit: float = 30) -> None:
        """Until every transport is connected to its XMPP server. Raises processes.Ended with its last log lines."""
        await self.launch()
        assert self._program
        for domain in self.domains:
            await self._program.wait_line(lambda line: "component.connected" in line and domain in line, limit)

    async def stop(self, limit: float = 20) -> int:
        """SIGTERM. Its exit code (0 is right), or -signal."""
        assert self._program
        return await self._program.stop(limit)

    async def kill(self) -> None:
        """kill -9."""
        assert self._program
        await self._program.kill()

    def serve_http(self, port: int) -> None:
        """From the next start on: at this port, by which others know it, too."""
        with open(self.config_path, encoding="utf-8") as file:
            text = file.read()
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"').replace(PUBLIC_URL, f"http://127.0.0.1:{port}"))

    def open_link(self, url: str) -> bytes:
        """What a browser gets for a link that begins with our public URL: a reverse proxy would bring it to us."""
        assert url.startswith(PUBLIC_URL + "/"), url
        with urllib.request.urlopen(f"http://127.0.0.1:{self._http_port}{url.removeprefix(PUBLIC_URL)}", timeout=30) as answer:
            return answer.read()

    async def wait_line(self, words: str, limit: float) -> None:
        """Until its log says that. Raises processes.Ended with its last log lines."""
        assert self._program
        await self._program.wait_line(lambda line: words in line, limit)

    def erase_store(self) -> None:
        """Of SQLite, while it does not run."""
        for path in glob.glob(f"{glob.escape(self.folder)}/wherry.db*"):
            os.remove(path)

    def log(self, most: int = 60) -> str:
        return self._program.tail(most) if self._program else ""

    def sanitizer_report(self) -> str:
        """What AddressSanitizer or UndefinedBehaviorSanitizer complained of, or ""."""
        lines = list(self._program.lines) if self._program else []
        for index, line in enumerate(lines):
            if "ERROR: AddressSanitizer" in line or "runtime error:" in line or "ERROR: LeakSanitizer" in line:
                return "\n".join(lines[index:index + 40])
        return ""
