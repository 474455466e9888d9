"""What the tests share: the services' npm libraries as signers, and the carrier against a fake of the API for each test."""
import json
import os
import pathlib
import subprocess
import threading
from typing import Any

import npm
from carrier import LIMIT, CarrierCase, Driver
from fake_twilio import ACCOUNT, TOKEN, FakeTwilio

HERE = pathlib.Path(__file__).resolve().parent


class Signer:
    """The service's own getExpectedTwilioSignature."""

    def __init__(self, token: str = TOKEN, library: str = "twilio") -> None:
        self.process = subprocess.Popen(["node", str(HERE / "signer.js"), token, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "NODE_PATH": npm.modules()})
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


class TwilioCase(CarrierCase):
    settings: dict[str, Any] = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.signer = Signer()
        cls.addClassCleanup(cls.signer.close)

    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeTwilio(self.signer)
        self.addCleanup(self.fake.close)

    def start(self, up: bool = True, **settings: Any) -> Driver:
        """Starts the driver, or starts it again on the same port with the same storage."""
        return self.start_driver("twilio", {"account_sid": ACCOUNT, "auth_token": TOKEN, "base_url": self.fake.url, "poll_seconds": 3600,
                                            "look_again_seconds": 1, "rate": 0, **self.settings, **settings}, up)
