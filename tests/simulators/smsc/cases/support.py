"""What the cases share: a simulator of their own, the independent clients, and a raw socket. Nothing here sleeps."""
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request
from urllib.parse import urlencode

import npm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLIENTS = os.path.join(HERE, "clients")
LIMIT = 30                           # seconds that anything may take before the test fails


class Simulator:
    """The program under test, started with `arguments`; a context manager."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen([os.path.join(HERE, "smsc"), "--smpp-port", "0", "--http-port", "0", "--password", "secret",
                                         *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate(timeout=LIMIT)[1])
        self.ready = json.loads(line)
        self.smpp_port, self.http_port, self.url = self.ready["smpp_port"], self.ready["http_port"], self.ready["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit status and what it said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        errors = self.process.communicate(timeout=LIMIT)[1]
        return self.process.returncode, errors

    def http(self, method: str, path: str, body: object = None, headers: dict | None = None, **query) -> tuple[int, dict]:
        """Status and JSON of one request."""
        path += "?" + urlencode(query) if query else ""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url.rstrip("/") + path, data, {"Content-Type": "application/json", **(headers or {})},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT + 10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def call(self, method: str, path: str, body: object = None, **query) -> dict:
        status, answer = self.http(method, path, body, **query)
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer

    def texts(self, count: int = 1, wait: float = LIMIT, **query) -> list[dict]:
        """Texts that fit, once there are `count`; fails if they do not come."""
        found = self.call("GET", "/api/texts", count=count, wait=wait, **query)["texts"]
        if len(found) < count:
            raise AssertionError(f"{len(found)} texts instead of {count}: {query}")
        return found

    def text(self, n: int, state: str) -> dict:
        text = self.call("GET", f"/api/texts/{n}", state=state, wait=LIMIT)
        if text["state"] != state:
            raise AssertionError(f"text {n} is {text['state']}, not {state}")
        return text

    def log(self, count: int = 1, wait: float = LIMIT, **query) -> list[dict]:
        found = self.call("GET", "/api/log", count=count, wait=wait, **query)["log"]
        if len(found) < count:
            raise AssertionError(f"{len(found)} log entries instead of {count}: {query}")
        return found

    def bound(self, count: int) -> dict:
        status = self.call("GET", "/api/status", bound=count, wait=LIMIT)
        if (len(status["bound"]) < count) if count else status["bound"]:
            raise AssertionError(f"bound: {status['bound']}, not {count}")
        return status

    def set(self, **switches) -> None:
        self.call("PUT", "/api/switches", switches)

    def send(self, text: str, sender: str = "+15550001", to: str = "+15550100", **options) -> dict:
        return self.call("POST", "/api/send", {"from": sender, "to": to, "text": text, **options})


class Case(unittest.TestCase):
    """One simulator for the class, reset before each test; reports come at once unless a test says otherwise."""
    arguments: tuple = ()

    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator("--seed", "7", "--switches", '{"report_delay_ms": 0}', *cls.arguments)
        cls.addClassCleanup(cls._stop)

    @classmethod
    def _stop(cls):
        ended = cls.sim.stop()
        if ended != (0, ""):                             # whatever the tests did to it
            raise AssertionError(f"the simulator ended with {ended}")

    def setUp(self):
        self.sim.call("POST", "/api/drop", {})
        self.sim.bound(0)
        self.sim.call("POST", "/api/reset", {})


class Events:
    """JSON lines that a client prints; `next` waits for one that fits."""

    def __init__(self, stream):
        self.events: list[dict] = []
        self.arrived = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream) -> None:
        for line in stream:
            if not line.endswith("\n"):
                break                                        # the client was ended while it wrote
            with self.arrived:
                self.events.append(json.loads(line))
                self.arrived.notify_all()
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def next(self, event: str, seconds: float = LIMIT, **fields) -> dict:
        """Takes the oldest event with this name and these fields away, waiting for it."""
        deadline = time.monotonic() + seconds
        with self.arrived:
            while True:
                for i, found in enumerate(self.events):
                    if found["event"] == event and all(found.get(k) == v for k, v in fields.items()):
                        return self.events.pop(i)
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    raise AssertionError(f"no {event} {fields}; there is {self.events}")
                self.arrived.wait(left)


class Client:
    """A client program that takes JSON lines and gives JSON lines."""

    def __init__(self, command: list[str], environment: dict | None = None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.events = Events(self.process.stdout)
        self.next = self.events.next

    def do(self, op: str, **fields) -> None:
        self.process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.events.thread.join(LIMIT)
        self.process.stdout.close()


class Node(Client):
    """npm's smpp. `bind` waits for the answer; `ask` sends any command and waits for its answer."""

    def __init__(self):
        super().__init__(["node", os.path.join(CLIENTS, "node.js")], {"NODE_PATH": npm.modules()})
        self.tags = 0

    def bind(self, sim: Simulator, session: str = "a", kind: str = "transceiver", system_id: str = "wherry",
             password: str = "secret", tls: bool = False) -> dict:
        port = sim.ready["smpps_port"] if tls else sim.smpp_port
        self.do("bind", session=session, kind=kind, port=port, system_id=system_id, password=password, tls=tls)
        return self.next("bound", session=session)

    def start(self, name: str, fields: dict, octets: dict | None = None, udh: str = "", session: str = "a") -> int:
        self.tags += 1
        self.do("request", session=session, name=name, tag=self.tags, fields=fields, octets=octets or {}, udh=udh)
        return self.tags

    def submit(self, to: str = "15550001", octets: bytes = b"hello", session: str = "a", tlvs: dict | None = None, **fields) -> int:
        """Starts a submit_sm of raw octets; the tag of its answer."""
        return self.start("submit_sm", {"source_addr": "15550100", "source_addr_ton": 1, "source_addr_npi": 1,
                                        "destination_addr": to,
                                        "dest_addr_ton": 1, "dest_addr_npi": 1, "data_coding": 0, **fields},
                          {"short_message": octets.hex(), **(tlvs or {})}, session=session)

    def answer(self, tag: int) -> dict:
        return self.next("answer", tag=tag)

    def submitted(self, *arguments, **fields) -> dict:
        return self.answer(self.submit(*arguments, **fields))


class Perl(Client):
    def __init__(self, sim: Simulator, kind: str = "transceiver", password: str = "secret"):
        super().__init__(["perl", os.path.join(CLIENTS, "perl.pl"), str(sim.smpp_port), "wherry", password, kind])

    def ask(self, op: str, event: str, **fields) -> dict:
        self.do(op, **fields)
        return self.next(event)


class Raw:
    """A bare socket for PDUs that no library would send. Packs by itself, so that it shares nothing with pdu.py."""

    def __init__(self, sim: Simulator):
        self.socket = socket.create_connection(("127.0.0.1", sim.smpp_port), LIMIT)
        self.buffer = b""

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def request(self, command: int, sequence: int, body: bytes = b"") -> None:
        self.send(struct.pack(">IIII", 16 + len(body), command, 0, sequence) + body)

    def bind(self, command: int = 9, version: int = 0x34, password: bytes = b"secret") -> tuple:
        self.request(command, 1, b"wherry\0" + password + b"\0\0" + bytes([version]) + b"\0\0\0")
        return self.read()

    def read(self) -> tuple[int, int, int, bytes]:
        """command_id, status, sequence and body of the next PDU; EOFError when the connection ends."""
        while len(self.buffer) < 4 or len(self.buffer) < struct.unpack(">I", self.buffer[:4])[0]:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.buffer.hex())
            self.buffer += piece
        length, command, status, sequence = struct.unpack(">IIII", self.buffer[:16])
        body, self.buffer = self.buffer[16:length], self.buffer[length:]
        return command, status, sequence, body

    def ended(self) -> bool:
        """True once the other side has closed."""
        try:
            while True:
                self.read()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def close(self) -> None:
        self.socket.close()


def submit_body(to: bytes = b"15550001", text: bytes = b"hello", esm_class: int = 0, registered: int = 0, data_coding: int = 0,
                source: bytes = b"15550100",
                schedule: bytes = b"", validity: bytes = b"", length: int | None = None, tlvs: bytes = b"") -> bytes:
    """A submit_sm body by hand; `length` lies about sm_length."""
    return (b"\0\x01\x01" + source + b"\0\x01\x01" + to + b"\0" + bytes([esm_class, 0, 0]) + schedule + b"\0" + validity + b"\0"
            + bytes([registered, 0, data_coding, 0, len(text) if length is None else length]) + text + tlvs)
