"""What the tests share: the SMS centre, Kannel's two programs, and the carrier before them."""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import urllib.request
from typing import Any

from carrier import LIMIT, SOURCE, CarrierCase, Driver
from processes import free_port

SECRET = "0123456789abcdef0123"
PATH = os.environ.get("PATH", "") + ":/usr/sbin"

CORE = """
group = core
admin-port = {admin}
admin-password = {secret}
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
dlr-storage = internal
store-type = file
store-location = "{folder}/store"

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre}
transceiver-mode = true
smsc-username = wherry
smsc-password = secret
system-type = ""
reconnect-delay = 1
"""

# As connectors/sms/README.md says.
SMSBOX = """
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-chars = "0123456789+"
http-request-retry = 100
http-queue-delay = 1

group = sendsms-user
username = wherry
password = {secret}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{gateway}/kannel/tw/{secret}?id=%I&from=%p&to=%P&text=%b&charset=%C&time=%T"
"""


class Process:
    """A program whose lines, on either output, can be waited for."""

    def __init__(self, *command: str) -> None:
        program = shutil.which(command[0], path=PATH)
        if not program:
            raise RuntimeError(f"{command[0]} is not installed; `deploy/packages test` does that")
        self._process = subprocess.Popen([program, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, words: str) -> str:
        while True:
            line = self._lines.get(timeout=LIMIT)
            if line is None:
                raise AssertionError(f"{self._process.args[0]} ended before it said “{words}”:\n{''.join(self._said[-40:])}")
            self._said.append(line)
            if words in line:
                return line

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(LIMIT)
        self._reader.join()
        self._process.stdout.close()


class Centre:
    """tests/simulators/smsc."""

    def __init__(self) -> None:
        self._process = Process(sys.executable, str(SOURCE / "tests/simulators/smsc/smsc"), "--smpp-port", "0", "--http-port", "0", "--password", "secret")
        ready = json.loads(self._process.wait_for('{"smpp_port"'))
        self.port, self._url = ready["smpp_port"], ready["url"].rstrip("/")

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return json.load(answer)

    def texts(self, count: int, direction: str = "to_handset") -> list[dict[str, Any]]:
        """As soon as there are so many."""
        return self.ask(f"/api/texts?after=0&direction={direction}&count={count}&wait=50")["texts"]

    def wait_bound(self) -> None:
        if len(self.ask("/api/status?bound=1&wait=50")["bound"]) != 1:
            raise AssertionError("Kannel does not bind")

    def stop(self) -> None:
        self._process.stop()


class KannelCase(CarrierCase):
    def setUp(self) -> None:
        super().setUp()
        self.centre = Centre()
        self.addCleanup(self.centre.stop)
        self.box, self.admin, self.sendsms = free_port(), free_port(), free_port()
        self.start()
        self.file = pathlib.Path(self.folder.name, "kannel.conf")
        self.file.write_text((CORE + SMSBOX).format(admin=self.admin, box=self.box, centre=self.centre.port, sendsms=self.sendsms, gateway=self.port,
                                                    secret=SECRET, folder=self.folder.name))
        bearerbox = Process("bearerbox", str(self.file))
        self.addCleanup(bearerbox.stop)
        bearerbox.wait_for("Start-up done")
        self.centre.wait_bound()
        self.start_smsbox()
        self.addCleanup(lambda: self.smsbox.stop())

    def start_smsbox(self) -> None:
        self.smsbox = Process("smsbox", str(self.file))
        self.smsbox.wait_for("Connected to bearerbox")

    def start(self) -> Driver:
        return self.start_driver("kannel", {"base_url": f"http://127.0.0.1:{self.sendsms}", "user": "wherry", "password": SECRET,
                                            "webhook_secret": SECRET, "rate": 0}, True)

    def report(self, key: str) -> dict[str, Any]:
        return self.driver.expect("progressed", lambda line: line["progressed"]["key"] == key)["progressed"]

    def received(self) -> dict[str, Any]:
        return self.driver.expect("received")["received"]
