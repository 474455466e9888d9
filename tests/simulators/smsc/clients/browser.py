"""A headless Chromium driven over its DevTools pipe, for the tests of the page. Standard library only."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe")


def find() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""


class Browser:
    """One page. `evaluate` runs a script in it; `until` waits for one to become true."""

    def __init__(self, url: str, width: int = 1280, height: int = 800, dark: bool = False):
        self.folder = tempfile.TemporaryDirectory(prefix="smsc-browser-")
        commands_in, self.commands = os.pipe()
        self.replies, replies_out = os.pipe()

        def three_and_four() -> None:                    # the pipe is file descriptors 3 and 4 by convention
            os.dup2(commands_in, 10), os.dup2(replies_out, 11)
            os.dup2(10, 3), os.dup2(11, 4)
        self.process = subprocess.Popen([find(), *FLAGS, f"--user-data-dir={self.folder.name}", f"--window-size={width},{height}"],
                                        close_fds=False, preexec_fn=three_and_four, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands_in)
        os.close(replies_out)
        self.number, self.buffer, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.enable")
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def call(self, method: str, **parameters) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 60
        while True:
            while b"\0" not in self.buffer:
                if not select.select([self.replies], [], [], max(0, deadline - time.monotonic()))[0]:
                    raise TimeoutError(method)
                piece = os.read(self.replies, 1 << 20)
                if not piece:
                    raise ConnectionError("the browser ended")
                self.buffer += piece
            raw, _, self.buffer = self.buffer.partition(b"\0")
            reply = json.loads(raw)
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise RuntimeError(reply["error"]["message"])
                return reply["result"]

    def evaluate(self, script: str):
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def until(self, script: str, seconds: float = 20):
        """The value of `script` once it is truthy; asked again at every frame."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = self.evaluate(script)
            if value:
                return value
            self.evaluate("new Promise(done => setTimeout(done, 30))")
        raise TimeoutError(f"never true: {script}")

    def screenshot(self, path: str) -> None:
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        os.close(self.commands)
        os.close(self.replies)
        shutil.rmtree(self.folder.name, ignore_errors=True)      # helpers of the browser may still be writing
        self.folder.cleanup()
