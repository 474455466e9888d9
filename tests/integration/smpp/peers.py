"""What the tests share: the npm package smpp as SMS centre, and the carrier against any SMS centre."""
import json
import pathlib
import time
from typing import Any, Callable

import npm
from carrier import LIMIT, THEM, US, CarrierCase, Driver, Peer

HERE = pathlib.Path(__file__).resolve().parent


def bare(number: str) -> str:
    return number.removeprefix("+")


class Node(Peer):
    def __init__(self, **setting: Any) -> None:
        setting.setdefault("password", "secret")
        super().__init__(["node", str(HERE / "node_smsc.js"), json.dumps(setting)],
                         {"NODE_PATH": npm.modules()})

    def behave(self, **how: Any) -> None:
        """From now on. Returns when that holds: what is told and what is sent go different ways."""
        self.tell(set=how)
        self.expect("set")

    def deliver(self, label: str, **fields: Any) -> None:
        self.tell(deliver={"source_addr": bare(THEM), "destination_addr": bare(US), "label": label, **fields})

    def answered(self, label: str) -> int:
        """The status of our answer to that deliver_sm."""
        return self.expect("delivered", lambda line: line["delivered"].get("label") == label)["delivered"]["status"]

    def submits(self, count: int) -> list[dict[str, Any]]:
        return [self.expect("submit")["submit"] for _ in range(count)]


class SmppCase(CarrierCase):
    peer: Peer

    def start(self, up: bool = True, **settings: Any) -> Driver:
        """The carrier against self.peer."""
        return self.start_driver("smpp", {"host": "127.0.0.1", "port": self.peer.port, "system_id": "wherry", "password": "secret", **settings}, up)

    def stored(self) -> dict[str, str]:
        """What the carrier's storage holds."""
        lines = self.storage.read_text().splitlines() if self.storage.exists() else []
        return {key: value for key, value in dict(map(json.loads, lines)).items() if value}

    def wait_stored(self, done: Callable[[dict[str, str]], bool], what: str) -> None:
        """Looks now and then: a file does not announce its changes."""
        deadline = time.monotonic() + LIMIT
        while not done(self.stored()):
            self.assertLess(time.monotonic(), deadline, f"not within {LIMIT} s: {what}")
            time.sleep(0.02)

    def report(self, key: str) -> dict[str, Any]:
        return self.driver.expect("progressed", lambda line: line["progressed"]["key"] == key)["progressed"]

    def text(self) -> dict[str, Any]:
        return self.driver.expect("received")["received"]
