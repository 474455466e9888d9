"""Texts come in once, whoever was down; what is not signed does not come in."""
import unittest
import urllib.request

from fake_twilio import ACCOUNT, FILE, fetch, fetch_file
from world import TwilioCase


class Webhooks(TwilioCase):
    def test_incoming_text_is_published_and_then_answered(self) -> None:
        driver = self.start()
        message = self.fake.incoming("héllo & 😀 = +1")
        status, content_type, body = self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))
        self.assertEqual(status, 200)
        self.assertTrue(content_type.startswith("text/xml"))
        self.assertIn("<Response/>", body)
        self.assertEqual(driver.expect("received")["received"],
                         {"id": message["sid"], "from": "+15550100", "to": "+15550001", "text": "héllo & 😀 = +1"})

    def test_files_can_be_opened_by_whoever_gets_them(self) -> None:
        driver = self.start()
        message = self.fake.incoming("look", files=2)
        self.assertEqual(self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))[0], 200)
        received = driver.expect("received")["received"]
        self.assertEqual(received["text"], "look")
        self.assertEqual(len(received["files"]), 2)
        for path, url in zip(self.fake.files[message["sid"]], received["files"]):
            self.assertNotIn(ACCOUNT, url)
            octets = FILE + path[-34:].encode()
            self.assertEqual(fetch_file(url), (200, "image/jpeg", len(octets), octets))
            self.assertEqual(fetch_file(url, "HEAD"), (200, "image/jpeg", len(octets), b""))
            self.assertEqual(fetch_file(url[:-1] + ("1" if url[-1] == "0" else "0"))[0], 404)

    def test_forged_webhook_is_refused_and_does_nothing(self) -> None:
        driver = self.start()
        message = self.fake.incoming("forged")
        fields = self.fake.webhook_fields(message)
        genuine = self.signer(driver.webhook, fields)
        self.assertEqual(self.fake.deliver(driver.webhook, fields, signature="")[0], 403)
        self.assertEqual(self.fake.deliver(driver.webhook, fields, signature="AAAA" + genuine[4:])[0], 403)
        self.assertEqual(self.fake.deliver(driver.webhook, {**fields, "Body": "other"}, signature=genuine)[0], 403)
        self.assertEqual(self.fake.deliver(driver.webhook + "?x=1", fields, signature=genuine)[0], 403)
        said = driver.stop()
        self.assertEqual([line for line in said if "received" in line], [])
        log = "".join(driver.errors)
        self.assertIn("http_carrier.webhook_refused", log)
        self.assertNotIn("forged", log)
        self.assertNotIn("+15550100", log)

    def test_forged_status_does_nothing(self) -> None:
        driver = self.start()
        driver.send("7:k1")
        driver.outcome("7:k1")
        [message] = self.fake.sent()
        url = self.fake.callbacks[message["sid"]]
        fields = {"MessageSid": message["sid"], "MessageStatus": "delivered"}
        self.assertEqual(self.fake.deliver(url, fields, signature="x")[0], 403)
        self.assertEqual([line for line in driver.stop() if "progressed" in line], [])

    def test_signature_over_the_url_with_a_port_left_out_is_good(self) -> None:
        driver = self.start()
        message = self.fake.incoming("hi")
        fields = self.fake.webhook_fields(message)
        signature = self.signer("http://127.0.0.1/twilio/tw", fields)
        self.assertEqual(self.fake.deliver(driver.webhook, fields, signature=signature)[0], 200)

    def test_replayed_webhook_has_the_same_id(self) -> None:
        driver = self.start()
        message = self.fake.incoming("once")
        fields = self.fake.webhook_fields(message)
        for _ in range(2):
            self.assertEqual(self.fake.deliver(driver.webhook, fields)[0], 200)
        ids = [driver.expect("received")["received"]["id"] for _ in range(2)]  # the gateway's inbox drops the second
        self.assertEqual(ids, [message["sid"]] * 2)

    def test_text_to_nobodys_number_is_not_acknowledged(self) -> None:
        driver = self.start()
        message = self.fake.incoming("hi", to="+15550002")
        self.assertEqual(self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))[0], 404)

    def test_text_is_not_acknowledged_when_the_store_is_lost_and_is_found_by_listing(self) -> None:
        driver = self.start(poll_seconds=1)
        driver.tell(lose_store=True)
        driver.expect("store_lost")
        message = self.fake.incoming("kept")
        self.assertEqual(self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))[0], 500)
        driver.tell(lose_store=False)
        self.assertEqual(driver.expect("received")["received"]["id"], message["sid"])

    def test_status_of_an_unknown_message_is_acknowledged_and_ignored(self) -> None:
        driver = self.start()
        fields = {"MessageSid": "SM" + "f" * 32, "MessageStatus": "delivered", "AccountSid": ACCOUNT}
        self.assertEqual(self.fake.deliver(driver.webhook + "?key=nobody", fields)[0], 200)
        self.assertEqual([line for line in driver.stop() if "progressed" in line], [])

    def test_what_is_no_webhook_is_refused(self) -> None:
        driver = self.start()
        self.assertEqual(fetch(urllib.request.Request(driver.webhook))[0], 405)
        self.assertEqual(self.fake.deliver(driver.webhook, {"Hello": "1"})[0], 400)
        self.assertEqual(self.fake.deliver(driver.webhook, {"Body": "x" * 70000})[0], 413)
        request = urllib.request.Request(driver.webhook, b"%zz=1", {"X-Twilio-Signature": "x"}, method="POST")
        self.assertEqual(fetch(request)[0], 403)


class CatchingUp(TwilioCase):
    def test_texts_of_a_downtime_are_found_in_their_order(self) -> None:
        driver = self.start()
        first = self.fake.incoming("before", age=1)
        self.fake.deliver(driver.webhook, self.fake.webhook_fields(first))
        driver.expect("received")
        driver.kill()
        # More than two pages of them.
        for n in range(8):
            self.fake.incoming(f"missed {n}", age=8 - n)
        self.fake.incoming("nobody's", to="+15550002")
        driver = self.start()
        said = [line["received"]["text"] for line in driver.stop() if "received" in line]
        self.assertEqual([text for text in said if text.startswith("missed")], [f"missed {n}" for n in range(8)])
        self.assertTrue(any("PageToken" in r for r in self.fake.requests))

    def test_what_came_before_the_first_start_stays_there(self) -> None:
        self.fake.incoming("long ago", age=3600)
        driver = self.start()
        self.assertEqual([line for line in driver.stop() if "received" in line], [])

    def test_text_that_a_webhook_brought_is_not_listed_again(self) -> None:
        driver = self.start(poll_seconds=1)
        self.fake.hide = True
        message = self.fake.incoming("once")
        self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))
        self.fake.hide = False
        second = self.fake.incoming("by listing")
        self.assertEqual(driver.expect("received")["received"]["id"], message["sid"])
        self.assertEqual(driver.expect("received")["received"]["id"], second["sid"])
        self.assertEqual([line for line in driver.stop() if "received" in line], [])

    def test_files_of_a_listed_text_are_those_that_a_webhook_brings(self) -> None:
        message = self.fake.incoming("look", files=1)
        driver = self.start()
        [listed] = driver.expect("received")["received"]["files"]
        self.fake.deliver(driver.webhook, self.fake.webhook_fields(message))
        [posted] = driver.expect("received")["received"]["files"]
        self.assertEqual(listed, posted)
        self.assertEqual(fetch_file(listed)[0], 200)

    def test_service_that_is_down_at_the_start_is_caught_up_with_later(self) -> None:
        self.fake.list_failures = [500, 503]
        self.fake.incoming("waiting")
        driver = self.start()
        self.assertEqual(len([line for line in driver.seen if "down" in line]), 2)
        self.assertEqual(driver.expect("received")["received"]["text"], "waiting")

    def test_refused_credentials_wait_for_a_person(self) -> None:
        driver = self.start(up=False, auth_token="wrong")
        self.assertEqual(driver.expect("down")["at_least"], 300)


if __name__ == "__main__":
    unittest.main()
