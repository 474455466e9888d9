"""The carrier against the npm package smpp as SMS centre."""
import os
import subprocess

from carrier import THEM, US
from peers import Node, SmppCase, bare


class NodeCase(SmppCase):
    def setUp(self) -> None:
        super().setUp()
        self.peer: Node = Node()
        self.addCleanup(self.peer.stop)


class Sending(NodeCase):
    def test_a_text_arrives_and_its_receipt_comes_back(self) -> None:
        driver = self.start()
        self.assertEqual(self.peer.expect("bind"), {"bind": "bind_transceiver", "system_id": "wherry", "version": 0x34})
        driver.send("k1", "hello {€} ä")
        submit, = self.peer.submits(1)
        self.assertEqual((submit["from"], submit["to"], submit["data_coding"], submit["registered_delivery"]), (bare(US), bare(THEM), 0, 1))
        self.assertEqual(submit["text"], "hello {€} ä")
        self.assertEqual(driver.outcome("k1")["outcome"], "ok")
        self.assertEqual(self.report("k1")["stage"], "delivered")
        self.assertEqual(self.peer.answered("receipt"), 0)
        self.assertEqual(self.stored(), {})
        driver.stop()
        self.peer.expect("unbound")

    def test_long_texts_arrive_whole_in_both_alphabets(self) -> None:
        driver = self.start()
        for key, text, parts, coding in (("gsm", "lång text [€] " * 30, 4, 0), ("ucs2", "привет 😀👨‍👩‍👧 " * 12, 4, 8)):
            driver.send(key, text)
            submits = self.peer.submits(parts)
            self.assertEqual({s["udh"][:4] for s in submits}, {"0003"})
            self.assertEqual(len({s["udh"][4:6] for s in submits}), 1)  # one reference
            self.assertEqual([int(s["udh"][6:], 16) for s in submits], [parts * 256 + n for n in range(1, parts + 1)])
            self.assertEqual({s["data_coding"] for s in submits}, {coding})
            self.assertEqual({s["registered_delivery"] for s in submits}, {1})
            self.assertEqual("".join(s["text"] for s in submits), text)
            self.assertEqual(driver.outcome(key)["outcome"], "ok")
            self.assertEqual(self.report(key)["stage"], "delivered")

    def test_the_other_ways_to_send_long_texts(self) -> None:
        text = "0123456789" * 40
        driver = self.start(concatenation="sar")
        driver.send("sar", text)
        submits = self.peer.submits(3)
        self.assertEqual([s["sar"][1:] for s in submits], [[1, 3], [2, 3], [3, 3]])
        self.assertEqual("".join(s["text"] for s in submits), text)
        driver.stop()
        driver = self.start(concatenation="payload")
        driver.send("payload", text)
        self.assertEqual(self.peer.submits(1)[0]["text"], text)
        driver.stop()
        driver = self.start(concatenation="udh16")
        driver.send("udh16", text)
        submits = self.peer.submits(3)
        self.assertEqual({s["udh"][:4] for s in submits}, {"0804"})
        self.assertEqual([s["udh"][8:] for s in submits], ["0301", "0302", "0303"])
        self.assertEqual("".join(s["text"] for s in submits), text)

    def test_receipts_overtake_and_count_in_decimal(self) -> None:
        for settings in ({"receiptFirst": True}, {"receiptFirst": True, "decimalReceipts": True},
                         {"receiptFirst": False, "decimalReceipts": True, "textOnly": True}):
            with self.subTest(settings):
                self.peer.behave(**settings)
                driver = self.start()
                for n in range(5):
                    driver.send(f"k{n}", "hello")
                for n in range(5):
                    self.assertEqual(driver.outcome(f"k{n}")["outcome"], "ok")
                    self.assertEqual(self.report(f"k{n}")["stage"], "delivered")
                    self.assertEqual(self.peer.answered("receipt"), 0)
                self.assertEqual(self.stored(), {})
                driver.stop()

    def test_throttling_loses_nothing_and_keeps_the_order(self) -> None:
        self.peer.behave(throttleEvery=4)
        driver = self.start(window=1)
        for n in range(8):
            driver.send(f"k{n}", f"text {n}")
        for n in range(8):
            self.assertEqual(driver.outcome(f"k{n}")["outcome"], "ok")
        texts = [s["text"] for s in self.peer.submits(10)]
        self.assertEqual(list(dict.fromkeys(texts)), [f"text {n}" for n in range(8)])
        self.assertEqual(texts[3], texts[4])

    def test_two_binds_are_one_link(self) -> None:
        driver = self.start(bind="transmitter_receiver")
        self.assertEqual([self.peer.expect("bind")["bind"] for _ in range(2)], ["bind_transmitter", "bind_receiver"])
        self.peer.behave(receipts=False)
        driver.send("k1", "hello")
        self.assertEqual(driver.outcome("k1")["outcome"], "ok")
        self.peer.deliver("mo", short_message="hi")
        self.assertEqual(self.text()["text"], "hi")

    def test_a_wrong_password_is_said_and_waited_out(self) -> None:
        driver = self.start(up=False, password="wrong")
        down = driver.expect("down")
        self.assertEqual(down["down"], "the peer refuses the bind: ESME_RINVPASWD")
        self.assertEqual(down["at_least"], 300)
        driver.send("k1", "hello")
        self.assertEqual(driver.outcome("k1")["outcome"], "unavailable")

    def test_a_quiet_link_is_asked_whether_it_lives(self) -> None:
        self.start(enquire_link_seconds=1)
        for _ in range(2):
            self.peer.expect("enquired")


class Breaking(NodeCase):
    def test_a_cut_makes_the_unanswered_uncertain_and_the_link_comes_back(self) -> None:
        self.peer.behave(silentAfter=1)
        driver = self.start()
        driver.send("k1", "answered")
        driver.send("k2", "not answered")
        self.peer.submits(2)
        self.assertEqual(driver.outcome("k1")["outcome"], "ok")
        self.peer.tell(drop=True)
        self.assertEqual(driver.outcome("k2")["outcome"], "uncertain")
        driver.expect("up", lambda line: not line["up"])
        driver.expect("up", lambda line: line["up"])
        self.peer.behave(silentAfter=-1)
        driver.send("k2", "not answered")
        self.assertEqual(driver.outcome("k2")["outcome"], "uncertain")
        driver.send("k3", "later")
        self.assertEqual(driver.outcome("k3")["outcome"], "ok")
        self.assertEqual([s["text"] for s in self.peer.submits(1)], ["later"])

    def test_a_killed_process_still_knows_whose_receipt_comes(self) -> None:
        self.peer.behave(receipts=False)
        driver = self.start()
        driver.send("k1", "hello")
        self.assertEqual(driver.outcome("k1")["outcome"], "ok")
        driver.kill()
        self.start()
        self.peer.deliver("receipt", esm_class=4, short_message="id:A000 stat:UNDELIV err:027 text:hello")
        self.assertEqual(self.report("k1"), {"key": "k1", "stage": "failed", "text": "The network could not deliver the message (code 027)."})

    def test_what_is_sent_again_after_a_break_has_its_id_again(self) -> None:
        self.start()
        self.peer.deliver("one", short_message="ok")
        self.peer.deliver("two", short_message="ok")
        first, second = self.text()["id"], self.text()["id"]
        self.assertNotEqual(first, second)
        self.assertEqual([self.peer.answered("one"), self.peer.answered("two")], [0, 0])
        self.driver.kill()  # our answers may have been lost with it, for all we know
        self.start()
        self.peer.deliver("again", short_message="ok")
        self.assertIn(self.text()["id"], (first, second))


class Receiving(NodeCase):
    def test_texts_come_in_every_alphabet(self) -> None:
        self.start()
        for coding, octets, text in ((0, "1b6504".replace("04", "09"), "€Ç"), (8, "0068d83dde00", "h😀"), (3, "e5", "å"), (1, "41", "A"),
                                     (0x18, "0041", "A"), (6, "bfe0d8", "При"), (4, "0102", "[2 bytes of data that is not text]")):
            self.peer.deliver("mo", data_coding=coding, octets=octets)
            received = self.text()
            self.assertEqual((received["text"], received["from"], received["to"]), (text, THEM, US))
            self.assertEqual(self.peer.answered("mo"), 0)

    def test_long_texts_are_put_together_in_any_order_and_over_a_kill(self) -> None:
        self.start()
        for part, text in ((3, "c"), (1, "a"), (3, "c")):
            self.peer.deliver("part", esm_class=0x40, udh=f"050003420{3}0{part}", short_message=text)
            self.assertEqual(self.peer.answered("part"), 0)
        self.driver.kill()
        self.start()
        self.peer.deliver("part", esm_class=0x40, udh="050003420302", short_message="b")
        self.assertEqual(self.text()["text"], "abc")
        self.assertEqual(self.peer.answered("part"), 0)

    def test_an_unfinished_text_is_delivered_as_it_is(self) -> None:
        self.start(part_patience_seconds=1)
        self.peer.deliver("part", esm_class=0x40, udh="050003420201", short_message="beginning")
        self.assertEqual(self.text()["text"], "beginning […] \n[Incomplete: part 2 of 2 did not arrive.]")

    def test_a_payload_is_a_text(self) -> None:
        self.start()
        self.peer.deliver("mo", short_message="", message_payload="long " * 100)
        self.assertEqual(self.text()["text"], "long " * 100)

    def test_a_lost_store_and_an_unknown_number_are_refused(self) -> None:
        self.start()
        self.driver.tell(lose_store=True)
        self.driver.expect("store_lost")
        self.peer.deliver("lost", short_message="x")
        self.assertEqual(self.peer.answered("lost"), 0x64)
        self.driver.tell(lose_store=False)
        self.driver.expect("store_lost")
        self.peer.deliver("found", short_message="x")
        self.assertEqual(self.peer.answered("found"), 0)
        self.peer.deliver("unknown", destination_addr="15550999", short_message="x")
        self.assertEqual(self.peer.answered("unknown"), 0x65)

    def test_senders_of_every_kind(self) -> None:
        self.start()
        for fields, sender in (({"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "ACME"}, "ACME"),
                               ({"source_addr_ton": 3, "source_addr_npi": 0, "source_addr": "72404"}, "72404"),
                               ({"source_addr_ton": 0, "source_addr_npi": 0, "source_addr": "46701234567"}, "+46701234567"),
                               ({"source_addr_ton": 2, "source_addr_npi": 1, "source_addr": "4155550132"}, "+14155550132")):
            self.peer.deliver("mo", short_message="x", **fields)
            self.assertEqual(self.text()["from"], sender)


class Tls(SmppCase):
    def setUp(self) -> None:
        super().setUp()
        self.key, self.certificate = (os.path.join(self.folder.name, name) for name in ("key.pem", "certificate.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key,
                        "-out", self.certificate, "-days", "2", "-subj", "/CN=smsc.test", "-addext", "subjectAltName=DNS:smsc.test"],
                       check=True, capture_output=True)
        self.peer: Node = Node(tls={"key": self.key, "cert": self.certificate})
        self.addCleanup(self.peer.stop)

    def test_a_link_over_tls_checks_who_answers(self) -> None:
        driver = self.start(tls={"ca_file": self.certificate, "server_name": "smsc.test"})
        driver.send("k1", "secret")
        self.assertEqual(self.peer.submits(1)[0]["text"], "secret")
        driver.stop()
        for tls in ({"ca_file": self.certificate, "server_name": "other.test"}, {"server_name": "smsc.test"}):
            driver = self.start(up=False, tls=tls)
            self.assertIn("certificate verify failed", driver.expect("down")["down"])
            driver.kill()
        self.start(tls={"verify": False}).stop()
