"""The carrier against Perl's Net::SMPP, and our GSM 7 table against Perl's Encode."""
import subprocess
import unittest

from carrier import THEM, US, Peer, built
from peers import HERE, SmppCase, bare


class NetSmpp(SmppCase):
    def setUp(self) -> None:
        super().setUp()
        self.peer = Peer(["perl", str(HERE / "perl_smsc.pl")])
        self.addCleanup(self.peer.stop)

    def deliver(self, text: bytes, **fields: object) -> None:
        self.peer.tell(deliver={"source_addr": bare(THEM), "source_addr_ton": 1, "source_addr_npi": 1, "destination_addr": bare(US),
                                "dest_addr_ton": 1, "dest_addr_npi": 1, "short_message": text.hex(), **fields})

    def test_texts_and_receipts_go_both_ways(self) -> None:
        driver = self.start()
        self.assertEqual(self.peer.expect("bind"), {"bind": "wherry", "password": "secret"})
        driver.send("gsm", "price: 5 €")
        driver.send("ucs2", "привет")
        driver.send("long", "y" * 200)
        submits = [self.peer.expect("submit")["submit"] for _ in range(4)]
        self.assertEqual(bytes.fromhex(submits[0]["octets"]), b"price: 5 \x1b\x65")
        self.assertEqual(bytes.fromhex(submits[1]["octets"]).decode("utf-16-be"), "привет")
        self.assertEqual([s["data_coding"] for s in submits], [0, 8, 0, 0])
        self.assertEqual([s["esm_class"] for s in submits], [0, 0, 0x40, 0x40])
        for key in ("gsm", "ucs2", "long"):
            self.assertEqual(driver.outcome(key)["outcome"], "ok")
            self.assertEqual(self.report(key)["stage"], "delivered")
        for _ in range(4):
            self.assertEqual(self.peer.expect("delivered")["delivered"], 0)
        self.deliver(b"hi \x00", data_coding=0)
        self.assertEqual(self.text()["text"], "hi @")
        self.deliver("тест".encode("utf-16-be"), data_coding=8)
        self.assertEqual(self.text()["text"], "тест")
        driver.stop()
        self.peer.expect("unbound")
        self.assertEqual(self.peer.all_so_far("unexpected"), [])


class Gsm(unittest.TestCase):
    def test_our_table_is_that_of_perl(self) -> None:
        theirs = subprocess.run(["perl", str(HERE / "gsm_table.pl")], check=True, capture_output=True, text=True).stdout.splitlines()
        ours = subprocess.run([built("smpp_codec_check"), "gsm"], check=True, capture_output=True, text=True).stdout.splitlines()
        self.assertGreater(len(ours), 130)
        self.assertEqual(ours, theirs)
