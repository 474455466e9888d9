"""Perl's Net::SMPP as the gateway: a second opinion on every octet, because it does no character set work."""

from support import Case, Perl


class NetSmpp(Case):
    def perl(self, *arguments) -> Perl:
        perl = Perl(self.sim, *arguments)
        self.addCleanup(perl.close)
        return perl

    def bound(self, *arguments) -> Perl:
        perl = self.perl(*arguments)
        self.assertEqual(perl.next("bound"), {"event": "bound", "status": 0, "system_id": "SMSC"})
        return perl

    def test_a_wrong_password_is_told(self):
        self.assertEqual(self.perl("transceiver", "wrong").next("bound")["status"], 0x0E)

    def test_a_text_goes_out_and_its_report_comes_back(self):
        perl = self.bound()
        taken = perl.ask("submit", "submit_sm_resp", to="15550001", hex=b"hello \x00 \x1be".hex(), registered=1)
        self.assertEqual(taken["status"], 0)
        report = perl.ask("read", "deliver_sm")
        self.assertEqual((report["source_addr"], report["destination_addr"], report["esm_class"]), ("15550001", "15550100", 4))
        self.assertEqual((report["receipted_message_id"].rstrip("\0"), report["message_state"]), (taken["message_id"], 2))
        self.assertRegex(bytes.fromhex(report["hex"]).decode("latin-1"), r"^id:%s sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000 text:hello " % taken["message_id"])
        self.assertEqual(self.sim.texts()[0]["text"], "hello @ €")
        self.sim.text(self.sim.texts()[0]["n"], "delivered")

    def test_a_handsets_text_arrives_in_gsm_septets_and_an_emoji_in_utf_16(self):
        perl = self.bound("receiver")
        self.sim.send("à bientôt @ 5 €")                # ô is not in the alphabet, so all is UCS-2
        first = perl.ask("read", "deliver_sm")
        self.assertEqual((first["data_coding"], bytes.fromhex(first["hex"]).decode("utf-16-be")), (8, "à bientôt @ 5 €"))
        self.sim.send("[5 €] à @")
        second = perl.ask("read", "deliver_sm")
        self.assertEqual((second["data_coding"], second["hex"]), (0, b"\x1b<5 \x1be\x1b> \x7f \x00".hex()))
        self.sim.send("🌹")
        self.assertEqual(perl.ask("read", "deliver_sm")["hex"], "d83cdf39")

    def test_query_and_cancel_follow_a_text(self):
        self.sim.set(report_delay_ms=3_600_000)
        perl = self.bound()
        taken = perl.ask("submit", "submit_sm_resp", to="15550001", hex="6869", registered=1)
        asked = perl.ask("query", "query_sm_resp", id=taken["message_id"], **{"from": "15550100"})
        self.assertEqual((asked["status"], asked["state"], asked["final_date"]), (0, 1, ""))
        self.assertEqual(perl.ask("query", "query_sm_resp", id=taken["message_id"], **{"from": "999"})["status"], 0x0C)
        self.assertEqual(perl.ask("cancel", "cancel_sm_resp", id=taken["message_id"], to="15550001")["status"], 0)
        self.assertEqual(perl.ask("read", "deliver_sm")["message_state"], 4)
        asked = perl.ask("query", "query_sm_resp", id=taken["message_id"], **{"from": "15550100"})
        self.assertEqual(asked["state"], 4)
        self.assertRegex(asked["final_date"], r"^\d{12}000\+$")
        self.assertEqual(perl.ask("cancel", "cancel_sm_resp", id=taken["message_id"], to="15550001")["status"], 0x11)
        self.assertEqual(perl.ask("query", "query_sm_resp", id="nonsense", **{"from": "15550100"})["status"], 0x0C)

    def test_enquire_link_and_unbind_are_answered(self):
        perl = self.bound()
        self.assertEqual(perl.ask("enquire", "enquire_link_resp")["status"], 0)
        self.assertEqual(perl.ask("unbind", "unbind_resp")["status"], 0)
        self.sim.bound(0)
