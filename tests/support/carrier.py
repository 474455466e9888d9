"""What the tests of the SMS carriers share: one carrier as a process (its driver), peers as processes, and npm packages.

Each of those processes says and hears JSON lines, and says {"listening":PORT} first.
"""
import json
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time
import unittest
from typing import Any, Callable

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60  # seconds, for anything that must happen
US, THEM = "+15550001", "+15550100"


def built(name: str) -> str:
    """A program of the build folder that WHERRY_BUILD names (build/dev)."""
    folder = pathlib.Path(os.environ.get("WHERRY_BUILD", SOURCE / "build" / "dev"))
    found = sorted(folder.glob(f"**/{name}"))
    if not found:
        raise SystemExit(f"There is no {name} in {folder}: build that target, or name another build folder with WHERRY_BUILD.")
    return str(found[0])


class Peer:
    """A process that says and hears JSON lines."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()
        self.port: int = self.expect("listening")["listening"]

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"ended": True})

    def _read_errors(self) -> None:
        self.errors.extend(self.process.stderr)

    def tell(self, **command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

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
                line = {"ended": f"no {kind!r} within {LIMIT} s"}
            if "ended" in line:
                raise AssertionError(f"{line['ended']}: {self.process.args[0]} without {kind!r}; seen {self.seen}; log:\n{''.join(self.errors[-60:])}")
            if kind in line and fits(line):
                return line
            self.seen.append(line)

    def all_so_far(self, kind: str) -> list[Any]:
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return [line[kind] for line in self.seen if kind in line]

    def kill(self) -> None:
        self.process.kill()
        self._finish()

    def stop(self) -> list[dict[str, Any]]:
        """Ends it in order, by the end of its input; gives what it had said that no test has asked for."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        code = self._finish()
        assert code == 0, f"{self.process.args[0]} ended with {code}:\n{''.join(self.errors[-60:])}"
        self.all_so_far("")
        return [line for line in self.seen if "ended" not in line]

    def _finish(self) -> int:
        code = self.process.wait(LIMIT)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        return code


class Driver(Peer):
    """One carrier, with a file for its storage."""

    def __init__(self, setting: dict[str, Any]) -> None:
        super().__init__([built("twilio_driver"), json.dumps(setting)], {"no_proxy": "127.0.0.1"})
        self.webhook = f"http://127.0.0.1:{self.port}/twilio/tw"

    def send(self, key: str, text: str = "hello", to: str = THEM) -> None:
        self.tell(send={"key": key, "from": US, "to": to, "text": text})

    def outcome(self, key: str) -> dict[str, Any]:
        return self.expect("sent", lambda line: line["sent"] == key)


class CarrierCase(unittest.TestCase):
    """Starts the driver, and again on the same port with the same storage."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="carrier-test-")
        self.addCleanup(self.folder.cleanup)
        self.storage = pathlib.Path(self.folder.name, "storage")
        self.port = 0
        self.driver: Driver | None = None
        self.addCleanup(self._end_driver)

    def _end_driver(self) -> None:
        if self.driver and self.driver.process.poll() is None:
            self.driver.kill()

    def start_driver(self, kind: str, settings: dict[str, Any], up: bool) -> Driver:
        self.driver = Driver({"type": kind, "settings": settings, "numbers": [US, "+15550002"], "assigned": [US], "port": self.port,
                              "storage": str(self.storage)})
        self.port = self.driver.port
        if up:
            self.driver.expect("up", lambda line: line["up"])
        return self.driver
