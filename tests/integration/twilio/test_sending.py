"""Texts go out once, whatever happens to the answer."""
import time
import unittest

from carrier import LIMIT, THEM, US
from world import TwilioCase


class Sending(TwilioCase):
    def test_text_is_sent_and_its_reports_come(self) -> None:
        driver = self.start()
        driver.send("7:k1", "héllo & 😀")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        [message] = self.fake.sent()
        self.assertEqual((message["from"], message["to"], message["body"]), (US, THEM, "héllo & 😀"))
        for status in ("sent", "delivered"):
            self.assertEqual(self.fake.report(message, status), 200)
        progress = driver.expect("progressed")["progressed"]
        self.assertEqual(progress, {"key": "7:k1", "stage": "delivered", "text": ""})

    def test_report_before_the_answer_counts(self) -> None:
        driver = self.start()
        self.fake.plan("callback_first")
        driver.send("7:k1")
        self.assertEqual(driver.expect("progressed")["progressed"]["stage"], "delivered")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")

    def test_reports_doubled_and_out_of_order_are_told_once(self) -> None:
        driver = self.start()
        driver.send("7:k1")
        driver.outcome("7:k1")
        [message] = self.fake.sent()
        for status in ("delivered", "sent", "delivered", "undelivered", "queued"):
            self.assertEqual(self.fake.report(message, status, 30003 if status == "undelivered" else None), 200)
        told = [line for line in driver.stop() if "progressed" in line]
        self.assertEqual([line["progressed"]["stage"] for line in told], ["delivered"])

    def test_late_failure_has_a_reason_for_people(self) -> None:
        driver = self.start()
        driver.send("7:k1")
        driver.outcome("7:k1")
        self.fake.report(self.fake.sent()[0], "undelivered", 30006)
        progress = driver.expect("progressed")["progressed"]
        self.assertEqual(progress["stage"], "failed")
        self.assertIn("landline", progress["text"])

    def test_lost_answer_is_found_in_the_list_and_not_doubled(self) -> None:
        driver = self.start()
        self.fake.plan("cut_after")
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)
        self.assertTrue(any(r.startswith("LIST") and "From" in r for r in self.fake.requests))
        self.fake.report(self.fake.sent()[0], "delivered")
        self.assertEqual(driver.expect("progressed")["progressed"]["key"], "7:k1")

    def test_lost_answer_of_the_same_words_again_is_not_taken_for_the_first(self) -> None:
        driver = self.start()
        driver.send("7:k1", "ok")
        driver.outcome("7:k1")
        self.fake.plan("cut_before")
        driver.send("7:k2", "ok")
        self.assertEqual(driver.outcome("7:k2")["outcome"], "unavailable")
        driver.send("7:k2", "ok")
        self.assertEqual(driver.outcome("7:k2")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 2)

    def test_message_that_is_listed_late_is_still_found(self) -> None:
        driver = self.start()
        self.fake.hide = True
        self.fake.plan("cut_after")
        before = len(self.fake.requests)
        driver.send("7:k1")
        self.fake.wait_until(lambda: any(r.startswith("LIST") for r in self.fake.requests[before:]), LIMIT)
        self.fake.hide = False
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_report_tells_what_the_list_does_not(self) -> None:
        driver = self.start(look_again_seconds=5)
        self.fake.hide = True
        self.fake.plan("cut_after")
        driver.send("7:k1")
        self.fake.wait_until(lambda: self.fake.callbacks, LIMIT)
        self.fake.report(self.fake.sent()[0], "sent")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")

    def test_request_that_never_arrived_may_be_sent_again(self) -> None:
        driver = self.start()
        self.fake.plan("cut_before")
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "unavailable")
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_error_500_is_looked_into(self) -> None:
        driver = self.start()
        self.fake.plan("500_after", "500")
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        driver.send("7:k2")
        self.assertEqual(driver.outcome("7:k2")["outcome"], "unavailable")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_list_that_cannot_be_read_leaves_the_outcome_uncertain(self) -> None:
        driver = self.start()
        self.fake.plan("cut_after")
        self.fake.list_failures = [500, 500, 500]
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "uncertain")
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_429_and_503_wait_as_long_as_they_say(self) -> None:
        driver = self.start()
        for plan in ("429", "503"):
            self.fake.plan(plan)
            driver.send("7:" + plan)
            outcome = driver.outcome("7:" + plan)
            self.assertEqual((outcome["outcome"], outcome["retry_after"]), ("unavailable", 2))
            driver.send("7:" + plan)
            self.assertEqual(driver.outcome("7:" + plan)["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 2)

    def test_refusals_are_told_apart(self) -> None:
        driver = self.start()
        for plan, expected in (("21211", "not_found"), ("21610", "rejected"), ("21606", "rejected"), ("401", "unavailable"), ("30001", "unavailable")):
            self.fake.plan(plan)
            driver.send("7:" + plan)
            self.assertEqual(driver.outcome("7:" + plan)["outcome"], expected, plan)
        self.assertEqual(self.fake.sent(), [])

    def test_too_long_text_is_refused_here(self) -> None:
        driver = self.start()
        driver.send("7:k1", "é" * 1601)
        self.assertEqual(driver.outcome("7:k1")["outcome"], "bad_input")
        driver.send("7:k2", "é" * 1600)
        self.assertEqual(driver.outcome("7:k2")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_same_key_again_is_sent_once(self) -> None:
        driver = self.start()
        for _ in range(2):
            driver.send("7:k1")
            self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_rate_is_kept_for_each_number(self) -> None:
        driver = self.start(rate=5)
        driver.send("7:k0")
        driver.outcome("7:k0")
        begun = time.monotonic()
        for n in range(1, 11):
            driver.send(f"7:k{n}", to=f"+1555010{n:02}")
        for n in range(1, 11):
            driver.outcome(f"7:k{n}")
        self.assertGreater(time.monotonic() - begun, 0.9)  # a burst of five, less the first, and five at five a second


class Crashing(TwilioCase):
    def test_killed_after_the_message_was_taken_sends_it_no_second_time(self) -> None:
        driver = self.start()
        self.fake.plan("hold_after")
        driver.send("7:k1")
        self.assertTrue(self.fake.arrived.wait(LIMIT))
        driver.kill()
        self.fake.release()
        driver = self.start()
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)
        self.fake.report(self.fake.sent()[0], "delivered")
        self.assertEqual(driver.expect("progressed", lambda p: p["progressed"]["stage"] == "delivered")["progressed"]["key"], "7:k1")

    def test_killed_before_the_message_was_taken_sends_it_once(self) -> None:
        driver = self.start()
        self.fake.plan("hold_before")
        driver.send("7:k1")
        self.assertTrue(self.fake.arrived.wait(LIMIT))
        driver.kill()
        self.fake.release()
        driver = self.start()
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_stopped_in_order_between_request_and_answer_is_uncertain_and_sent_once(self) -> None:
        driver = self.start()
        self.fake.plan("hold_after")
        driver.send("7:k1")
        self.assertTrue(self.fake.arrived.wait(LIMIT))
        said = driver.stop()
        self.assertEqual([line["outcome"] for line in said if "sent" in line], ["uncertain"])
        self.fake.release()
        driver = self.start()
        driver.send("7:k1")
        self.assertEqual(driver.outcome("7:k1")["outcome"], "ok")
        self.assertEqual(len(self.fake.sent()), 1)

    def test_status_that_came_while_it_was_down_is_asked_for(self) -> None:
        driver = self.start()
        driver.send("7:k1")
        driver.outcome("7:k1")
        driver.stop()
        self.fake.sent()[0]["status"] = "delivered"
        driver = self.start(up=False)
        self.assertEqual(driver.expect("progressed")["progressed"], {"key": "7:k1", "stage": "delivered", "text": ""})

    def test_nobody_asks_again_but_the_sender_hears(self) -> None:
        """Where the gateway does not repeat, the next start finds what became of the text."""
        driver = self.start()
        self.fake.plan("hold_after")
        driver.send("7:k1")
        self.assertTrue(self.fake.arrived.wait(LIMIT))
        driver.kill()
        self.fake.release()
        self.fake.sent()[0]["status"] = "delivered"
        driver = self.start(up=False)
        self.assertEqual(driver.expect("progressed")["progressed"]["stage"], "delivered")


if __name__ == "__main__":
    unittest.main()
