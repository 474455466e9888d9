"""What the tests share: the driver as a process, Twilio's npm library as a signer, and a fake for each test."""
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

from fake_twilio import ACCOUNT, TOKEN, FakeTwilio

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
LIMIT = 60  # seconds, for anything that must happen
US, THEM = "+15550001", "+15550100"


def driver_program() -> str:
    folder = pathlib.Path(os.environ.get("WHERRY_BUILD", SOURCE / "build" / "dev"))
    found = sorted(folder.glob("**/twilio_driver"))
    if not found:
        raise SystemExit(f"There is no twilio_driver in {folder}: build that target, or name another build folder with WHERRY_BUILD.")
    return str(found[0])


class Node:
    """npm packages in a temporary folder, for the whole run."""
    folder: tempfile.TemporaryDirectory | None = None

    @classmethod
    def modules(cls, *packages: str) -> str:
        if not shutil.which("npm"):
            raise RuntimeError("npm is not installed")
        if not cls.folder:
            cls.folder = tempfile.TemporaryDirectory(prefix="twilio-npm-")
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *packages]
        done = subprocess.run(command, cwd=cls.folder.name, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"npm cannot install {' '.join(packages)}: {done.stderr.strip()[-300:]}")
        return cls.folder.name


class Signer:
    """Twilio's own getExpectedTwilioSignature."""

    def __init__(self, token: str = TOKEN) -> None:
        modules = os.environ.get("TWILIO_TEST_NODE_MODULES") or os.path.join(Node.modules("twilio@6"), "node_modules")
        self.process = subprocess.Popen(["node", str(HERE / "signer.js"), token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "NODE_PATH": modules})
        self.lock = threading.Lock()
        assert self.process.stdout.readline() == "ready\n", "the signer did not start"

    def __call__(self, url: str, fields: dict[str, Any]) -> str:
        with self.lock:
            self.process.stdin.write(json.dumps({"url": url, "params": fields}) + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()


class Driver:
    def __init__(self, program: str, setting: dict[str, Any]) -> None:
        self.process = subprocess.Popen([program, json.dumps(setting)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, "no_proxy": "127.0.0.1"})
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.readers = [threading.Thread(target=self.read_output), threading.Thread(target=self.read_errors)]
        for reader in self.readers:
            reader.start()
        self.port: int = self.expect("listening")["listening"]
        self.webhook = f"http://127.0.0.1:{self.port}/twilio/tw"

    def read_output(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"ended": True})

    def read_errors(self) -> None:
        for line in self.process.stderr:
            self.errors.append(line)

    def tell(self, **command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def send(self, key: str, text: str = "hello", to: str = THEM) -> None:
        self.tell(send={"key": key, "from": US, "to": to, "text": text})

    def outcome(self, key: str) -> dict[str, Any]:
        return self.expect("sent", lambda line: line["sent"] == key)

    def expect(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda line: True) -> dict[str, Any]:
        """The next line with the member `kind` that fits; what came before it stays in `seen`."""
        for line in list(self.seen):
            if kind in line and fits(line):
                self.seen.remove(line)
                return line
        end = time.monotonic() + LIMIT
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind!r} within {LIMIT} s; seen {self.seen}; log:\n{''.join(self.errors[-30:])}") from None
            if line.get("ended"):
                raise AssertionError(f"the driver ended before {kind!r}; log:\n{''.join(self.errors[-60:])}")
            if kind in line and fits(line):
                return line
            self.seen.append(line)

    def kill(self) -> None:
        self.process.kill()
        self.finish()

    def stop(self) -> list[dict[str, Any]]:
        """Ends it in order; gives what it had said that no test has asked for."""
        self.process.stdin.close()
        code = self.finish()
        assert code == 0, f"the driver ended with {code}:\n{''.join(self.errors[-60:])}"
        while not self.lines.empty():
            line = self.lines.get()
            if not line.get("ended"):
                self.seen.append(line)
        return self.seen

    def finish(self) -> int:
        code = self.process.wait(LIMIT)
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        return code


class TwilioCase(unittest.TestCase):
    settings: dict[str, Any] = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.program = driver_program()
        cls.signer = Signer()
        cls.addClassCleanup(cls.signer.close)

    def setUp(self) -> None:
        self.fake = FakeTwilio(self.signer)
        self.addCleanup(self.fake.close)
        self.folder = tempfile.TemporaryDirectory(prefix="twilio-test-")
        self.addCleanup(self.folder.cleanup)
        self.port = 0
        self.driver: Driver | None = None
        self.addCleanup(self.end_driver)

    def end_driver(self) -> None:
        if self.driver and self.driver.process.poll() is None:
            self.driver.kill()

    def start(self, up: bool = True, **settings: Any) -> Driver:
        """Starts the driver, or starts it again on the same port with the same storage."""
        merged = {"account_sid": ACCOUNT, "auth_token": TOKEN, "base_url": self.fake.url, "poll_seconds": 3600, "look_again_seconds": 1,
                  "rate": 0, **self.settings, **settings}
        setting = {"type": "twilio", "settings": merged, "numbers": [US, "+15550002"], "assigned": [US], "port": self.port,
                   "storage": os.path.join(self.folder.name, "storage")}
        self.driver = Driver(self.program, setting)
        self.port = self.driver.port
        if up:
            self.driver.expect("up", lambda line: line["up"])
        return self.driver
