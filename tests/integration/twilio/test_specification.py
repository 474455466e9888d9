"""The carrier's requests, and the fake's answers, against Twilio's OpenAPI description, checked by Prism between the two.

The description comes in Twilio's npm package @twilio/cli-core; nothing of it is kept here."""
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

import npm
from carrier import LIMIT
from processes import free_port
from world import TwilioCase

DESCRIPTION = "@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"


class Specification(TwilioCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="wherry-twilio-")
        cls.addClassCleanup(folder.cleanup)
        cls.description = pathlib.Path(folder.name, "twilio_api_v2010.json")
        text = pathlib.Path(npm.modules(), DESCRIPTION).read_text()
        # It calls the pages' URIs absolute, but its own examples, like the real service, give paths (RFC 3986 §4.1).
        cls.description.write_text(text.replace('"format": "uri"', '"format": "uri-reference"'))

    def setUp(self) -> None:
        super().setUp()
        port = free_port()
        prism = os.path.join(npm.modules(), ".bin", "prism")
        self.log: list[str] = []
        # A violation on either side becomes an error answer.
        self.prism = subprocess.Popen([prism, "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port), str(self.description), self.fake.url],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.end_prism)
        ready = threading.Event()
        self.reader = threading.Thread(target=self.read, args=(ready,))
        self.reader.start()
        self.assertTrue(ready.wait(LIMIT), "".join(self.log))
        self.settings = {"base_url": f"http://127.0.0.1:{port}"}

    def read(self, ready: threading.Event) -> None:
        for line in self.prism.stdout:
            self.log.append(line)
            if "listening" in line:
                ready.set()

    def end_prism(self) -> None:
        self.prism.terminate()
        self.prism.wait(LIMIT)
        self.reader.join()
        self.prism.stdout.close()

    def test_sending_listing_and_asking_are_as_described(self) -> None:
        missed = self.fake.incoming("missed")
        driver = self.start()
        self.assertEqual(driver.expect("received")["received"]["id"], missed["sid"])
        driver.send("7:k1")
        outcome = driver.outcome("7:k1")
        self.assertEqual(outcome["outcome"], "ok", "".join(self.log[-20:]))
        self.fake.plan("500_after")
        driver.send("7:k2", "second")
        self.assertEqual(driver.outcome("7:k2")["outcome"], "ok", "".join(self.log[-20:]))
        driver.stop()
        self.fake.sent()[0]["status"] = "delivered"
        driver = self.start(up=False)
        self.assertEqual(driver.expect("progressed", lambda p: p["progressed"]["stage"] == "delivered")["progressed"]["key"], "7:k1")
        kinds = {request.split()[0] for request in self.fake.requests}
        self.assertEqual(kinds, {"POST", "LIST", "FETCH"})


if __name__ == "__main__":
    unittest.main()
