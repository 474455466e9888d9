"""The carrier's requests, and the fake's answers, against Twilio's OpenAPI description, checked by Prism between the two.

The description comes in Twilio's npm package @twilio/cli-core; nothing of it is kept here."""
import os
import pathlib
import subprocess
import tarfile
import threading
import unittest

from carrier import LIMIT, Npm
from processes import free_port
from world import TwilioCase

DESCRIPTION = "package/src/services/twilio-api/twilio_api_v2010.json"


class Specification(TwilioCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.modules = Npm.install("@stoplight/prism-cli@5")
        packed = subprocess.run(["npm", "pack", "--silent", "@twilio/cli-core@9"], cwd=cls.modules, capture_output=True, text=True, timeout=300)
        if packed.returncode:
            raise RuntimeError("npm cannot fetch @twilio/cli-core: " + packed.stderr.strip()[-300:])
        with tarfile.open(pathlib.Path(cls.modules, packed.stdout.split()[-1])) as archive:
            cls.description = pathlib.Path(cls.modules, "twilio_api_v2010.json")
            text = archive.extractfile(DESCRIPTION).read().decode()
        # It calls the pages' URIs absolute, but its own examples, like the real service, give paths (RFC 3986 §4.1).
        cls.description.write_text(text.replace('"format": "uri"', '"format": "uri-reference"'))

    def setUp(self) -> None:
        super().setUp()
        port = free_port()
        prism = os.path.join(self.modules, "node_modules", ".bin", "prism")
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
