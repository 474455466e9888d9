"""SignalWire: Twilio's API under other names, with signatures of SignalWire's own npm library."""
from typing import Any

from carrier import THEM, US, CarrierCase, Driver
from fake_twilio import ACCOUNT, TOKEN, FakeTwilio
from world import Signer

SIGNING_KEY = "PSK_of_the_project"


class SignalWire(CarrierCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.signer = Signer(SIGNING_KEY, "@signalwire/compatibility-api")
        cls.addClassCleanup(cls.signer.close)

    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeTwilio(self.signer)
        self.fake.signature_header = "X-SignalWire-Signature"
        self.addCleanup(self.fake.close)

    def start(self, **settings: Any) -> Driver:
        return self.start_driver("signalwire", {"space": "example", "project_id": ACCOUNT, "api_token": TOKEN, "signing_key": SIGNING_KEY,
                                                "base_url": self.fake.url, "poll_seconds": 3600, "look_again_seconds": 1, "rate": 0, **settings}, True)

    def test_a_text_its_report_and_an_answer(self) -> None:
        driver = self.start()
        driver.send("7:k1", "hello")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        [message] = self.fake.sent()
        self.assertEqual((message["from"], message["to"], message["body"]), (US, THEM, "hello"))
        self.assertEqual(self.fake.report(message, "delivered"), 200)
        self.assertEqual(driver.expect("progressed")["progressed"], {"key": "7:k1", "stage": "delivered", "text": ""})

        url, fields = f"http://127.0.0.1:{self.port}/signalwire/tw", self.fake.webhook_fields(self.fake.incoming("hi"))
        self.assertEqual(self.fake.deliver(url, fields)[0], 200)
        self.assertEqual(driver.expect("received")["received"]["text"], "hi")
        self.assertEqual(self.fake.deliver(url, fields, signature="AAAA")[0], 403)

    def test_a_gateway_that_nobody_can_reach_looks_for_everything(self) -> None:
        driver = self.start(webhooks=False, poll_seconds=1)
        driver.send("7:k1", "hello")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(self.fake.callbacks, {})
        self.fake.sent()[0]["status"] = "delivered"
        self.assertEqual(driver.expect("progressed", lambda line: line["progressed"]["stage"] == "delivered")["progressed"]["key"], "7:k1")
        self.fake.incoming("hi")
        self.assertEqual(driver.expect("received")["received"]["text"], "hi")
