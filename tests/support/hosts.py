"""The XMPP servers that scenarios run on: the fake one, real Prosody, real ejabberd. All alike to the caller:

    host = make_host("prosody", folder, ["x.test"], {"net.test": "secret"})
    await host.start()
    await host.add_user("romeo@x.test")
    romeo = await host.connect("romeo@x.test", "phone")     # a Client (xmpp_client.py): send, take, close
    host.component_port("net.test")                         # where that component connects; the same over restarts
    await host.kill(); await host.restart()                 # kill -9, and again with its data (not the fake)
    await host.stop()

The real ones are Debian's packages, on loopback ports of their own, in `folder`, without TLS, federation and rate limits.
Tried with Prosody 0.12 and ejabberd 23.01 (Debian 12); paths and versions are asked of the machine.
"""
from __future__ import annotations

import os
import re
import secrets
import subprocess

from fake_server import FakeServer
from processes import Program, free_port
from xmpp_client import Client

PASSWORD = "pw"
TRUSTED = "trusted.test"  # a component of that domain may write to the users' rosters (XEP-0356)


def make_host(name: str, folder: str, domains: list[str], components: dict[str, str]) -> "Fake | Prosody | Ejabberd":
    """`components`: domain and secret of each component that may connect."""
    return {"fake": Fake, "prosody": Prosody, "ejabberd": Ejabberd}[name](folder, domains, components)


class Fake:
    name = "fake"

    def __init__(self, _folder: str, domains: list[str], components: dict[str, str]) -> None:
        self.server = FakeServer(domains, components, TRUSTED)

    def component_port(self, _domain: str) -> int:
        return self.server.component_port

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def add_user(self, jid: str) -> None:
        self.server.add_user(jid)

    async def connect(self, jid: str, resource: str):
        return await self.server.connect(jid, resource)

    def log(self) -> str:
        return "\n".join(f"stream of {domain} ended with {condition}" for domain, condition in self.server.listener.refused)


class _Real:
    """What the two real servers have in common: a folder, two ports, a process."""
    name = ""

    def __init__(self, folder: str, domains: list[str], components: dict[str, str]) -> None:
        self.folder = os.path.join(folder, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.domains = domains
        self.components = components
        self.client_port = free_port()
        self.component_ports = self._component_ports()
        self._program: Program | None = None

    def _component_ports(self) -> dict[str, int]:
        """By component."""
        port = free_port()
        return {domain: port for domain in self.components}

    def component_port(self, domain: str) -> int:
        return self.component_ports[domain]

    @property
    def pid(self) -> int:
        assert self._program
        return self._program.pid

    async def start(self) -> None:
        """Raises processes.Ended with the server's last words."""
        self._program = self._make()
        await self._program.start()
        for port in {self.client_port, *self.component_ports.values()}:
            await self._program.wait_port(port, 60)

    def _make(self) -> Program:
        raise NotImplementedError  # of an abstract class

    async def stop(self) -> None:
        if self._program:
            await self._program.stop()

    async def kill(self) -> None:
        """kill -9: what is in its buffers is lost, what it wrote stays."""
        assert self._program
        await self._program.kill()

    async def restart(self) -> None:
        """Stops it in good order if it still runs, and starts it again with its data."""
        if self._program and self._program.running:
            await self._program.stop()
        await self.start()

    async def connect(self, jid: str, resource: str) -> Client:
        return await Client.connect(self.client_port, jid, PASSWORD, resource)

    def log(self) -> str:
        return self._program.tail(100) if self._program else ""

    def _write(self, name: str, text: str) -> str:
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Prosody(_Real):
    name = "prosody"
    keeps_messages = True  # for users who are away; otherwise it gives them back

    def _make(self) -> Program:
        disabled = ['"tls"', '"s2s"', '"limits"', '"smacks"'] + ([] if self.keeps_messages else ['"offline"'])
        lines = [
            'run_as_root = true',
            f'pidfile = "{self.folder}/prosody.pid"',
            f'data_path = "{self.folder}/data"',
            'log = { info = "*console" }',
            'interfaces = { "127.0.0.1" }', 'local_interfaces = { "127.0.0.1" }',
            f'c2s_ports = {{ {self.client_port} }}', 'c2s_direct_tls_ports = {}', 'legacy_ssl_ports = {}',
            f'component_ports = {{ {", ".join(map(str, set(self.component_ports.values())))} }}', 'component_interfaces = { "127.0.0.1" }',
            's2s_ports = {}', 's2s_direct_tls_ports = {}',
            'modules_enabled = { "roster", "saslauth", "disco", "ping", "version", "pep", "vcard4", "vcard_legacy", "privilege" }',
            f'privileged_entities = {{ ["{TRUSTED}"] = {{ roster = "both" }} }}',
            f'modules_disabled = {{ {", ".join(disabled)} }}',
            'c2s_require_encryption = false', 'allow_unencrypted_plain_auth = true',
            'authentication = "internal_plain"', 'storage = "internal"',
        ]
        lines += [f'VirtualHost "{domain}"' for domain in self.domains]
        for domain, secret in self.components.items():
            lines += [f'Component "{domain}"', f'  component_secret = "{secret}"', '  modules_enabled = { "privilege" }']
        path = self._write("prosody.cfg.lua", "\n".join(lines) + "\n")
        return Program("prosody", ["prosody", "--config", path, "-F"])

    async def add_user(self, jid: str) -> None:
        user, _, domain = jid.partition("@")
        folder = domain.replace(".", "%2e").replace("-", "%2d")
        self._write(f"data/{folder}/accounts/{user}.dat", f'return {{ ["password"] = "{PASSWORD}"; }};\n')


class Ejabberd(_Real):
    name = "ejabberd"

    def __init__(self, folder: str, domains: list[str], components: dict[str, str]) -> None:
        super().__init__(folder, domains, components)
        self._epmd_port = free_port()
        self._epmd: Program | None = None

    def _component_ports(self) -> dict[str, int]:
        # COMPAT(ejabberd 23.01): whoever shakes hands on a listener is given the stanzas for all domains of that listener.
        return {domain: free_port() for domain in self.components}

    async def start(self) -> None:
        if not self._epmd:
            # Our own port mapper: one that is running belongs to somebody else, and must not be stopped with us.
            self._epmd = Program("epmd", ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"])
            await self._epmd.start()
            await self._epmd.wait_port(self._epmd_port, 20)
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        if self._epmd:
            await self._epmd.stop()

    def _make(self) -> Program:
        application, library = self._installation()
        hosts = "".join(f'  - "{domain}"\n' for domain in self.domains)
        # COMPAT(ejabberd 24.10): from then on it drops the pings of components that the module grants nothing (xmpp/component.cpp).
        privilege = "" if _version(application) >= (24, 10) else "  mod_privilege:\n    roster:\n      both: trusted\n"
        listeners = "".join(f"""
  - port: {self.component_ports[domain]}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    hosts:
      "{domain}": {{ password: "{secret}" }}""" for domain, secret in self.components.items())
        path = self._write("ejabberd.yml", f"""
hosts:
{hosts}
loglevel: warning
listen:
  - port: {self.client_port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: all
    max_stanza_size: 1048576{listeners}
s2s_access: none
acl:
  trusted:
    server: "{TRUSTED}"
access_rules:
  trusted:
    - allow: trusted
auth_method: internal
auth_password_format: plain
registration_timeout: infinity
modules:
  mod_disco: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
{privilege}  mod_roster: {{}}
  mod_vcard: {{}}
  mod_register:
    access: all
    ip_access: all
    welcome_message: {{}}
""")
        environment = {
            "ERL_LIBS": library, "HOME": self.folder, "EJABBERD_CONFIG_PATH": path,
            "EJABBERD_LOG_PATH": f"{self.folder}/ejabberd.log", "EJABBERD_BIN_PATH": f"{application}/priv/bin",
            "ERL_CRASH_DUMP": "/dev/null", "ERL_EPMD_PORT": str(self._epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        if not hasattr(self, "_cookie"):
            self._cookie = secrets.token_hex(8)
        return Program("ejabberd", [
            "erl", "+sbwt", "none", "-noinput", "-start_epmd", "false", "-sname", f"wherry{self._epmd_port}@localhost",
            "-setcookie", self._cookie, "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
            "-mnesia", "dir", f'"{self.folder}/database"', "-s", "ejabberd"], environment, cwd=self.folder)

    @staticmethod
    def _installation() -> tuple[str, str]:
        """The folder of ejabberd's application and the one of all its libraries, as dpkg knows them."""
        files = subprocess.run(["dpkg", "-L", "ejabberd"], check=True, capture_output=True, text=True).stdout.split("\n")
        applications = [path for path in files if path.endswith("/ebin/ejabberd.app")]
        if not applications:
            raise FileNotFoundError("dpkg lists no ebin/ejabberd.app: is the package ejabberd installed?")
        application = os.path.dirname(os.path.dirname(applications[0]))
        return application, os.path.dirname(application)

    async def add_user(self, jid: str) -> None:
        """In-band (XEP-0077): the server keeps its accounts in a database of its own."""
        await Client.register(self.client_port, jid, PASSWORD)

    def log(self) -> str:
        try:
            with open(f"{self.folder}/ejabberd.log", encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-100:])
        except OSError:
            return super().log()


def _version(application: str) -> tuple[int, ...]:
    """Of ejabberd, from the name of its folder: "…/ejabberd-23.01-1"."""
    return tuple(map(int, re.findall(r"ejabberd-(\d+)\.(\d+)", application)[0]))
