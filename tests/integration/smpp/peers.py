"""What the tests share: SMS centres as processes that speak JSON lines, and the carrier as another one."""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from typing import Any, Callable

from world import Driver, driver_program  # tests/integration/twilio: its driver runs any carrier

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 60  # seconds, for anything that must happen
US, THEM = "+15550001", "+15550100"


def bare(number: str) -> str:
    return number.removeprefix("+")


class NodeModules:
    """The npm package smpp, installed once for the whole run."""
    folder: tempfile.TemporaryDirectory | None = None

    @classmethod
    def path(cls) -> str:
        if given := os.environ.get("SMPP_TEST_NODE_MODULES"):
            return given
        if not cls.folder:
            if not shutil.which("npm"):
                raise RuntimeError("npm is not installed")
            cls.folder = tempfile.TemporaryDirectory(prefix="smpp-npm-")
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "smpp@0.5.1"],
                                  cwd=cls.folder.name, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise RuntimeError(f"npm cannot install smpp: {done.stderr.strip()[-300:]}")
        return os.path.join(cls.folder.name, "node_modules")


class Peer:
    """A process that says and hears JSON lines."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.port: int = self.expect("listening")["listening"]

    def read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"ended": True})

    def tell(self, **command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def expect(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda line: True) -> dict[str, Any]:
        """The next line with the member `kind` that fits; what came before it stays in `seen`."""
        for line in list(self.seen):
            if kind in line and fits(line):
                self.seen.remove(line)
                return line
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind!r} within {LIMIT} s; seen {self.seen}") from None
            if line.get("ended"):
                raise AssertionError(f"the SMS centre ended before {kind!r}; seen {self.seen}")
            if kind in line and fits(line):
                return line
            self.seen.append(line)

    def all_so_far(self, kind: str) -> list[Any]:
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return [line[kind] for line in self.seen if kind in line]

    def stop(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Node(Peer):
    def __init__(self, **setting: Any) -> None:
        modules = NodeModules.path()
        setting.setdefault("password", "secret")
        super().__init__(["node", str(HERE / "node_smsc.js"), json.dumps(setting)], {"NODE_PATH": modules})

    def deliver(self, label: str, **fields: Any) -> None:
        self.tell(deliver={"source_addr": bare(THEM), "destination_addr": bare(US), "label": label, **fields})

    def answered(self, label: str) -> int:
        """The status of our answer to that deliver_sm."""
        return self.expect("delivered", lambda line: line["delivered"].get("label") == label)["delivered"]["status"]

    def submits(self, count: int) -> list[dict[str, Any]]:
        return [self.expect("submit")["submit"] for _ in range(count)]


class SmppCase(unittest.TestCase):
    """Starts the carrier against self.peer, and again with the same storage."""
    peer: Peer

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="smpp-test-")
        self.addCleanup(self.folder.cleanup)
        self.driver: Driver | None = None
        self.addCleanup(self.end_driver)

    def end_driver(self) -> None:
        if self.driver and self.driver.process.poll() is None:
            self.driver.kill()

    def start(self, up: bool = True, **settings: Any) -> Driver:
        merged = {"host": "127.0.0.1", "port": self.peer.port, "system_id": "wherry", "password": "secret", **settings}
        setting = {"type": "smpp", "settings": merged, "numbers": [US], "assigned": [US], "port": 0,
                   "storage": os.path.join(self.folder.name, "storage")}
        self.driver = Driver(driver_program(), setting)
        if up:
            self.driver.expect("up", lambda line: line["up"])
        return self.driver

    def stored(self) -> dict[str, str]:
        """What the carrier's storage holds."""
        entries: dict[str, str] = {}
        path = pathlib.Path(self.folder.name, "storage")
        for line in path.read_text().splitlines() if path.exists() else []:
            key, value = json.loads(line)
            entries[key] = value
        return {key: value for key, value in entries.items() if value}

    def wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT
        while not done():
            self.assertLess(time.monotonic(), deadline, f"not within {LIMIT} s: {what}")
            time.sleep(0.02)

    def report(self, key: str) -> dict[str, Any]:
        return self.driver.expect("progressed", lambda line: line["progressed"]["key"] == key)["progressed"]

    def text(self) -> dict[str, Any]:
        return self.driver.expect("received")["received"]
