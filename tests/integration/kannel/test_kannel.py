"""From the gateway through Kannel to phones and back."""
from carrier import THEM, US
from world import KannelCase


class Sending(KannelCase):
    def test_texts_arrive_whole_and_their_reports_come_back(self) -> None:
        texts = {"gsm": "héllo {€} @ & + % \n two  spaces", "ucs2": "привет 😀", "long": "0123456789" * 40, "long_ucs2": "привет 😀 " * 40}
        for count, (key, text) in enumerate(texts.items(), 1):
            self.driver.send(key, text)
            self.assertEqual(self.driver.outcome(key)["outcome"], "ok")
            self.assertEqual(self.report(key), {"key": key, "stage": "delivered", "text": ""})
            arrived = self.centre.texts(count)[-1]
            self.assertEqual((arrived["handset"], arrived["peer"], arrived["text"]), (THEM, US, text))

    def test_what_the_centre_refuses_is_told_with_its_reason(self) -> None:
        self.driver.send("k1", to="+15550000")
        self.assertEqual(self.driver.outcome("k1")["outcome"], "ok")  # by Kannel, before the centre is asked
        self.assertEqual(self.report("k1"), {"key": "k1", "stage": "failed", "text": "The number does not exist or cannot be reached."})

    def test_what_the_phone_does_not_get_is_told_with_its_reason(self) -> None:
        self.centre.ask("/api/switches", {"report_outcome": "expired"}, "PUT")
        self.driver.send("k1")
        self.assertEqual(self.report("k1"), {"key": "k1", "stage": "failed", "text": "The phone could not be reached in time (code 027)."})

    def test_a_report_after_a_kill_is_brought_home(self) -> None:
        self.centre.ask("/api/handsets", {"number": THEM, "off": True}, "PUT")
        self.driver.send("k1")
        self.assertEqual(self.driver.outcome("k1")["outcome"], "ok")
        self.driver.kill()
        self.start()
        self.centre.ask("/api/handsets", {"number": THEM, "off": False}, "PUT")
        self.assertEqual(self.report("k1")["stage"], "delivered")

    def test_a_text_waits_while_smsbox_is_away(self) -> None:
        self.smsbox.stop()
        self.driver.send("k1")
        self.assertEqual(self.driver.outcome("k1")["outcome"], "unavailable")
        self.start_smsbox()
        self.driver.send("k1")
        self.assertEqual(self.driver.outcome("k1")["outcome"], "ok")
        self.assertEqual(len(self.centre.texts(1)), 1)


class Receiving(KannelCase):
    def write(self, text: str) -> None:
        self.centre.ask("/api/send", {"from": THEM, "to": US, "text": text})

    def test_texts_come_as_they_were_written_and_nothing_goes_back(self) -> None:
        for text in ("  two  spaces\nhé {€} %+&", "привет 😀", "0123456789" * 40, "привет 😀 " * 40):
            self.write(text)
            received = self.received()
            self.assertEqual((received["from"], received["to"], received["text"]), (THEM, US, text))
        self.assertEqual(self.centre.ask("/api/texts?after=0&direction=to_handset")["texts"], [])

    def test_a_text_waits_in_kannel_while_the_gateway_is_away(self) -> None:
        self.driver.kill()
        self.write("are you there?")
        self.smsbox.wait_for("Retrying request")
        self.start()
        self.assertEqual(self.received()["text"], "are you there?")
