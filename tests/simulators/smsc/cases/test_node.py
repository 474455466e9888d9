"""npm's smpp as the gateway: texts, long texts, reports in every form, texts from handsets, store and forward, and load."""
import re
import time

from support import LIMIT, Case, Node

DELIVRD, EXPIRED, UNDELIV, REJECTD = 2, 3, 5, 8


class Nodes(Case):
    def setUp(self):
        super().setUp()
        self.node = Node()
        self.addCleanup(self.node.close)

    def bind(self, **fields) -> None:
        self.assertEqual(self.node.bind(self.sim, **fields)["status"], 0)

    def report(self, command: str = "deliver_sm") -> dict:
        """The next report: what its text says and what its TLVs say."""
        pdu = self.node.next(command)
        found = re.match(r"id:(\S+) .*stat:(\S+)", pdu.get("short_message") or "")
        return {"pdu": pdu, "text_id": found and found[1], "stat": found and found[2], "id": pdu.get("receipted_message_id"),
                "state": pdu.get("message_state")}

    def long_text(self, texts: list[bytes], ref: int = 7, to: str = "15550001", **fields) -> list[dict]:
        headers = [bytes((5, 0, 3, ref, len(texts), i)) for i in range(1, len(texts) + 1)]
        return [self.node.submitted(to, header + text, esm_class=0x40, **fields) for header, text in zip(headers, texts)]


class Texts(Nodes):
    def test_a_text_appears_on_its_handset(self):
        self.bind()
        answer = self.node.submitted("15550001", b"hello \x00")
        self.assertEqual(answer["command_status"], 0)
        text = self.sim.texts(handset="+15550001")[0]
        self.assertEqual((text["text"], text["peer"], text["direction"], text["encoding"], text["segments"]),
                         ("hello @", "+15550100", "to_handset", "GSM 7", 1))
        self.assertEqual(text["parts"][0]["id"], answer["message_id"])
        self.assertEqual(self.sim.call("GET", "/api/handsets")["handsets"][0]["number"], "+15550001")

    def test_every_usual_data_coding_is_read(self):
        self.bind()
        for coding, octets, text, name in ((1, b"plain", "plain", "ASCII"), (3, "café".encode("latin-1"), "café", "Latin-1"),
                                           (8, "Жук 🌹".encode("utf-16-be"), "Жук 🌹", "UCS-2"),
                                           (4, b"\0\xff", "00 ff", "8-bit"), (0xF1, b"\x1be", "€", "GSM 7"),
                                           (0x18, "é".encode("utf-16-be"), "é", "UCS-2")):
            self.node.submitted(octets=octets, data_coding=coding)
            found = self.sim.texts(contains=text)[-1]
            self.assertEqual((found["text"], found["encoding"]), (text, name))

    def test_data_coding_0_means_what_the_switch_says(self):
        self.bind()
        for alphabet, octets in (("latin1", "naïve".encode("latin-1")), ("utf8", "naïve".encode()),
                                 ("gsm7_packed", bytes.fromhex("E8329BFD4697D9EC37"))):
            self.sim.set(alphabet=alphabet)
            self.node.submitted(octets=octets)
        self.assertEqual([t["text"] for t in self.sim.texts(3)], ["naïve", "naïve", "hellohello"])

    def test_a_long_text_with_headers_is_put_together_whatever_the_order(self):
        self.bind()
        for seq, text in ((3, b"three"), (1, b"one, "), (2, b"two, ")):
            self.node.submitted(octets=bytes((5, 0, 3, 9, 3, seq)) + text, esm_class=0x43)
        text = self.sim.texts()[0]
        self.assertEqual((text["text"], text["segments"], text["incomplete"], text["doubled"]), ("one, two, three", 3, False, 0))

    def test_a_character_that_straddles_two_parts_survives(self):
        self.bind()
        octets = "🌹".encode("utf-16-be")
        self.long_text([octets[:2], octets[2:]], data_coding=8)
        self.long_text([b"a\x1b", b"eb"], ref=8)
        self.assertEqual([t["text"] for t in self.sim.texts(2)], ["🌹", "a€b"])

    def test_a_long_text_with_16_bit_references_and_with_sar_tlvs(self):
        self.bind()
        for seq in (1, 2):
            self.node.submitted(octets=bytes((6, 8, 4, 0x12, 0x34, 2, seq)) + b"wide%d" % seq, esm_class=0x40)
            self.node.submitted(octets=b"sar%d" % seq, sar_msg_ref_num=77, sar_total_segments=2, sar_segment_seqnum=seq)
        self.assertEqual(sorted(t["text"] for t in self.sim.texts(2)), ["sar1sar2", "wide1wide2"])

    def test_message_payload_is_one_text_that_costs_as_many_segments_as_it_needs(self):
        self.bind()
        answer = self.node.submitted(octets=b"", tlvs={"message_payload": (b"x" * 400).hex()})
        text = self.sim.texts()[0]
        self.assertEqual((len(text["text"]), text["segments"], [p["id"] for p in text["parts"]]), (400, 3, [answer["message_id"]]))

    def test_a_part_that_comes_twice_is_counted_and_does_not_spoil_the_text(self):
        self.bind()
        for seq in (1, 1, 2):
            self.node.submitted(octets=bytes((5, 0, 3, 9, 2, seq)) + b"<%d>" % seq, esm_class=0x40)
        text = self.sim.texts()[0]
        self.assertEqual((text["text"], text["doubled"], len(text["parts"])), ("<1><2>", 1, 3))

    def test_a_reference_used_again_for_another_text_begins_a_new_one(self):
        self.bind()
        for seq, text in ((1, b"old"), (1, b"new "), (2, b"text")):
            self.node.submitted(octets=bytes((5, 0, 3, 9, 2, seq)) + text, esm_class=0x40)
        old, new = self.sim.texts(2)
        self.assertEqual((old["text"], old["incomplete"], new["text"], new["incomplete"]), ("old[…]", True, "new text", False))

    def test_a_text_with_holes_is_shown_after_its_time(self):
        self.sim.set(reassembly_seconds=1)
        self.bind()
        for seq in (1, 3):
            self.node.submitted(octets=bytes((5, 0, 3, 9, 3, seq)) + b"<%d>" % seq, esm_class=0x40)
        self.assertEqual(self.sim.call("GET", "/api/status")["assembling"], 1)
        self.assertEqual(self.sim.call("GET", "/api/status", assembling=0, wait=LIMIT)["assembling"], 0)
        text = self.sim.texts()[0]
        self.assertEqual((text["text"], text["incomplete"], text["segments"]), ("<1>[…]<3>", True, 3))

    def test_tls_works_like_the_plain_port(self):
        import shutil
        import subprocess
        import tempfile
        from support import Simulator
        if not shutil.which("openssl"):
            self.fail("openssl is not installed")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                            "2", "-subj", "/CN=localhost",
                            "-keyout", f"{folder}/key", "-out", f"{folder}/cert"], check=True, capture_output=True)
            with Simulator("--tls-cert", f"{folder}/cert", "--tls-key", f"{folder}/key") as sim:
                self.assertEqual(self.node.bind(sim, tls=True)["status"], 0)
                self.assertEqual(self.node.submitted()["command_status"], 0)
                self.assertEqual(sim.texts()[0]["text"], "hello")


class Reports(Nodes):
    def test_each_part_of_a_long_text_has_its_own_id_and_report(self):
        self.bind()
        answers = self.long_text([b"one", b"two"], registered_delivery=1)
        reports = [self.report(), self.report()]
        self.assertEqual([r["id"] for r in reports], [a["message_id"] for a in answers])
        self.assertEqual([(r["text_id"], r["stat"], r["state"]) for r in reports],
                         [(a["message_id"], "DELIVRD", DELIVRD) for a in answers])
        self.assertEqual(self.sim.text(self.sim.texts()[0]["n"], "delivered")["segments"], 2)

    def test_no_report_comes_unless_it_was_asked_for(self):
        self.bind()
        self.node.submitted(octets=b"quiet", registered_delivery=0)
        self.sim.text(self.sim.texts()[0]["n"], "delivered")
        asked = self.node.submitted(octets=b"loud", registered_delivery=1)
        self.assertEqual(self.report()["id"], asked["message_id"])

    def test_each_outcome_has_its_word_and_state(self):
        self.bind()
        for outcome, stat, state in (("expired", "EXPIRED", EXPIRED), ("undeliverable", "UNDELIV", UNDELIV),
                                     ("rejected", "REJECTD", REJECTD), ("deleted", "DELETED", 4), ("unknown", "UNKNOWN", 7)):
            self.sim.set(report_outcome=outcome)
            self.node.submitted(octets=outcome.encode(), registered_delivery=1)
            report = self.report()
            self.assertEqual((report["stat"], report["state"]), (stat, state))
            self.sim.text(self.sim.texts(contains=outcome)[0]["n"], outcome)

    def test_never_means_no_outcome_at_all(self):
        self.sim.set(rules=[{"pattern": "*7", "report_outcome": "never"}])
        self.bind()
        self.node.submitted("15550007", registered_delivery=1)
        other = self.node.submitted("15550008", registered_delivery=1)
        self.assertEqual(self.report()["id"], other["message_id"])
        self.assertEqual(self.sim.texts(handset="+15550007")[0]["state"], "enroute")

    def test_text_only_and_tlvs_only(self):
        self.bind()
        self.sim.set(report_form="text")
        answer = self.node.submitted(registered_delivery=1)
        report = self.report()
        self.assertEqual((report["text_id"], report["id"], report["state"]), (answer["message_id"], None, None))
        self.sim.set(report_form="tlv")
        answer = self.node.submitted(registered_delivery=1)
        report = self.report()
        self.assertEqual((report["text_id"], report["id"], report["state"]), (None, answer["message_id"], DELIVRD))

    def test_ids_in_answers_and_reports_differ_as_the_switch_says(self):
        self.bind()
        for form, spelling, expected in (("hex", "hex_to_dec", lambda i: str(int(i, 16))),
                                         ("decimal", "dec_to_hex", lambda i: f"{int(i):x}"), ("hex", "upper", str.upper),
                                         ("hex", "leading_zeros", lambda i: i.rjust(10, "0")), ("uuid", "hex_to_dec", lambda i: i)):
            self.sim.set(id_format=form, report_id=spelling, id_start=0xABCDEF if form == "hex" else 0)
            answer = self.node.submitted(registered_delivery=1)
            report = self.report()
            self.assertEqual((report["id"], report["text_id"]), (expected(answer["message_id"]),) * 2, (form, spelling))
        self.sim.set(id_format="hex", id_width=12, report_id="no_leading_zeros")
        answer = self.node.submitted(registered_delivery=1)
        self.assertEqual(len(answer["message_id"]), 12)
        self.assertEqual(self.report()["id"], answer["message_id"].lstrip("0"))

    def test_the_other_styles_of_text(self):
        self.bind()
        for style, pattern in (("seconds", r"^id:\S+ sub:001 dlvrd:001 submit date:\d{12} done date:\d{12} stat:DELIVRD err:000 text:hello$"),
                               ("terse", r"^id:\S+ sub:1 dlvrd:1 submit date:\d{10} done date:\d{10} stat:DELIVRD err:0$"),
                               ("odd", r"^Id: \S+ Stat: DELIVRD Done Date: \d{14} Submit Date: \d{14} Dlvrd: 001 Err: nul$")):
            self.sim.set(report_style=style)
            self.node.submitted(registered_delivery=1)
            self.assertRegex(self.node.next("deliver_sm")["short_message"], pattern)

    def test_a_report_may_overtake_the_answer_to_its_text(self):
        self.sim.set(report_before_response=True, delay_ms=50)
        self.bind()
        answer = self.node.submitted(registered_delivery=1)
        report = self.report()
        self.assertEqual(report["id"], answer["message_id"])
        commands = [e["command"] for e in self.sim.log(count=4) if e.get("direction") == "out"]
        self.assertLess(commands.index("deliver_sm"), commands.index("submit_sm_resp"))

    def test_overtaking_without_a_receiver_holds_the_answer_back_only_for_a_while(self):
        self.sim.set(report_before_response=True)
        self.bind(kind="transmitter")
        self.assertEqual(self.node.submitted(registered_delivery=1)["command_status"], 0)

    def test_reports_twice_then_another_and_an_intermediate_one_first(self):
        self.sim.set(report_twice=True, report_outcome="undeliverable", report_then="delivered", report_intermediate=True,
                     report_delay_ms=50)
        self.bind()
        self.node.submitted(registered_delivery=0x11)
        reports = [self.report() for _ in range(4)]
        self.assertEqual([r["state"] for r in reports], [1, UNDELIV, UNDELIV, DELIVRD])
        self.assertEqual([r["pdu"]["esm_class"] for r in reports], [0x20, 4, 4, 4])

    def test_reports_may_come_as_data_sm_and_unmarked(self):
        self.sim.set(report_command="data_sm")
        self.bind()
        answer = self.node.submitted(registered_delivery=1)
        pdu = self.node.next("data_sm")
        self.assertEqual((pdu["receipted_message_id"], pdu["esm_class"]), (answer["message_id"], 4))
        self.sim.set(report_command="deliver_sm", report_unmarked=True)
        self.node.submitted(registered_delivery=1)
        self.assertEqual(self.report()["pdu"]["esm_class"], 0)

    def test_a_switched_off_handset_gets_its_text_when_it_is_on_again(self):
        self.sim.call("PUT", "/api/handsets", {"number": "+15550001", "off": True})
        self.sim.set(answer="back")
        self.bind()
        answer = self.node.submitted(registered_delivery=1)
        self.assertEqual((self.sim.texts()[0]["state"], self.sim.call("GET", "/api/handsets")["handsets"][0]["waiting"]),
                         ("enroute", 1))
        self.sim.call("PUT", "/api/handsets", {"number": "+15550001", "off": False})
        self.assertEqual(self.report()["id"], answer["message_id"])
        self.assertEqual(self.node.next("deliver_sm")["short_message"], "back")

    def test_a_text_for_a_switched_off_handset_expires_with_its_validity(self):
        self.sim.call("PUT", "/api/handsets", {"number": "+15550001", "off": True})
        self.bind()
        self.node.submitted(registered_delivery=1, validity_period="000000000001000R")
        self.assertEqual(self.report()["state"], EXPIRED)


class Refusals(Nodes):
    def test_numbers_that_end_in_0000_are_unknown_by_default(self):
        self.bind()
        self.assertEqual(self.node.submitted("15550000")["command_status"], 0x0B)
        self.assertEqual(self.node.submitted("15550001")["command_status"], 0)

    def test_a_rule_refuses_some_numbers_with_some_status(self):
        self.sim.set(rules=[{"pattern": "+44*", "refuse": "RMSGQFUL"}])
        self.bind()
        self.assertEqual(self.node.submitted("447700900123")["command_status"], 0x14)
        self.assertEqual(self.node.submitted("15550000")["command_status"], 0)

    def test_every_nth_text_is_throttled(self):
        self.sim.set(throttle_every=3)
        self.bind()
        self.assertEqual([self.node.submitted(octets=b"%d" % i)["command_status"] for i in range(6)], [0, 0, 0x58, 0, 0, 0x58])
        self.assertEqual([t["text"] for t in self.sim.texts(4)], ["0", "1", "3", "4"])

    def test_texts_above_the_rate_are_throttled(self):
        self.sim.set(throttle_rate=5)
        self.bind()
        answers = [self.node.answer(tag)["command_status"] for tag in [self.node.submit() for _ in range(40)]]
        self.assertEqual(answers[:5], [0] * 5)
        self.assertGreater(answers.count(0x58), 20)

    def test_a_share_is_the_same_share_again_with_the_same_seed(self):
        runs = []
        for _ in range(2):
            self.sim.call("POST", "/api/reset", {})
            self.sim.set(refuse="RSYSERR", refuse_share=0.5)
            self.node.bind(self.sim, session=f"s{len(runs)}")
            runs.append([self.node.submitted(session=f"s{len(runs)}")["command_status"] for _ in range(40)])
        self.assertEqual(runs[0], runs[1])
        self.assertTrue(8 < runs[0].count(8) < 32)

    def test_answers_wait_and_overtake_each_other(self):
        self.sim.set(rules=[{"pattern": "*1", "delay_ms": 2000}])
        self.bind()
        began = time.monotonic()
        slow, fast = self.node.submit("15550001"), self.node.submit("15550002")
        self.node.answer(fast)
        self.assertNotIn(slow, [e.get("tag") for e in self.node.events.events])
        self.node.answer(slow)
        self.assertGreaterEqual(time.monotonic() - began, 2)


class Losses(Nodes):
    def test_a_lost_response_leaves_a_text_that_arrived(self):
        self.sim.set(rules=[{"pattern": "*1", "lose_responses": 1}])
        self.bind()
        lost = self.node.submit("15550001", registered_delivery=1)
        self.report()                                    # the report comes all the same
        self.node.submitted("15550002")
        self.assertFalse([e for e in self.node.events.events if e.get("tag") == lost])
        self.assertEqual([t["handset"] for t in self.sim.texts(2)], ["+15550001", "+15550002"])

    def test_a_lost_request_leaves_nothing(self):
        self.sim.set(rules=[{"pattern": "*1", "lose_requests": 1}])
        self.bind()
        lost = self.node.submit("15550001", registered_delivery=1)
        self.node.submitted("15550002")
        self.assertFalse([e for e in self.node.events.events if e.get("tag") == lost])
        self.assertEqual([t["handset"] for t in self.sim.texts()], ["+15550002"])

    def test_a_lost_text_is_answered_and_never_heard_of_again(self):
        self.sim.set(rules=[{"pattern": "*1", "lose_texts": 1}])
        self.bind()
        self.assertEqual(self.node.submitted("15550001", registered_delivery=1)["command_status"], 0)
        other = self.node.submitted("15550002", registered_delivery=1)
        self.assertEqual(self.report()["id"], other["message_id"])
        self.assertEqual([t["handset"] for t in self.sim.texts()], ["+15550002"])


class FromHandsets(Nodes):
    def test_a_text_waits_until_somebody_is_bound_and_is_taken_then(self):
        sent = self.sim.send("hello {€}")
        self.assertEqual(sent["state"], "queued")
        self.bind(kind="receiver")
        pdu = self.node.next("deliver_sm")
        self.assertEqual((pdu["short_message"], pdu["source_addr"], pdu["source_addr_ton"], pdu["destination_addr"]),
                         ("hello {€}", "15550001", 1, "15550100"))
        self.sim.text(sent["n"], "taken")

    def parts(self, count: int) -> list[dict]:
        return [self.node.next("deliver_sm") for _ in range(count)]

    def test_a_long_text_comes_in_parts_with_headers(self):
        self.bind()
        text = "".join(chr(0x41 + i % 26) for i in range(400))
        self.assertEqual(self.sim.send(text)["segments"], 3)
        parts = self.parts(3)
        headers = [bytes.fromhex(p["udh"][0]) for p in parts]         # one element: 00 03 reference total number
        self.assertEqual("".join(p["short_message"] for p in parts), text)
        self.assertEqual([(h[-2], h[-1]) for h in headers], [(3, 1), (3, 2), (3, 3)])
        self.assertEqual({h[:2] for h in headers}, {b"\0\3"})
        self.assertEqual(len({h[2] for h in headers}), 1)

    def test_other_ways_to_send_a_long_text(self):
        self.bind()
        self.sim.send("x" * 200, long="sar")
        self.assertEqual([(p["sar_total_segments"], p["sar_segment_seqnum"]) for p in self.parts(2)], [(2, 1), (2, 2)])
        self.sim.send("x" * 200, long="payload")
        self.assertEqual(self.parts(1)[0]["message_payload"], "x" * 200)
        self.sim.send("🌹" * 50, long="udh16")
        parts = self.parts(2)
        self.assertEqual([(p["udh"][0][:4], p["udh"][0][8:]) for p in parts], [("0804", "0201"), ("0804", "0202")])
        self.assertEqual("".join(p["short_message"] for p in parts), "🌹" * 50)

    def test_parts_come_in_any_order_twice_or_not_at_all(self):
        self.bind()
        text = "a" * 153 + "b" * 153 + "c" * 10
        self.sim.send(text, order="reversed")
        self.assertEqual([p["short_message"][0] for p in self.parts(3)], ["c", "b", "a"])
        self.sim.send(text, twice=True)
        self.assertEqual([p["short_message"][0] for p in self.parts(6)], ["a", "a", "b", "b", "c", "c"])
        sent = self.sim.send(text, only=[3, 1])
        self.assertEqual([p["short_message"][0] for p in self.parts(2)], ["c", "a"])
        self.sim.text(sent["n"], "taken")
        self.sim.set(mo_order="shuffled")
        orders = set()
        for _ in range(12):
            self.sim.send(text)
            orders.add("".join(p["short_message"][0] for p in self.parts(3)))
        self.assertGreater(len(orders), 1)

    def test_octets_of_any_kind_can_be_sent(self):
        self.bind()
        self.sim.call("POST", "/api/send", {"from": "12345", "to": "+15550100", "hex": "00ff10", "data_coding": 4})
        pdu = self.node.next("deliver_sm")
        self.assertEqual((pdu["data_coding"], pdu["source_addr"], pdu["source_addr_ton"], pdu["short_message"].encode("latin-1")),
                         (4, "12345", 0, b"\0\xff\x10"))

    def test_a_name_can_be_the_sender_and_numbers_can_be_written_otherwise(self):
        self.bind()
        self.sim.send("your parcel", sender="Harbour")
        pdu = self.node.next("deliver_sm")
        self.assertEqual((pdu["source_addr"], pdu["source_addr_ton"]), ("Harbour", 5))
        for form, addr, ton in (("plus", "+15550001", 1), ("unknown", "15550001", 0)):
            self.sim.set(mo_address=form)
            self.sim.send("hello")
            pdu = self.node.next("deliver_sm")
            self.assertEqual((pdu["source_addr"], pdu["source_addr_ton"]), (addr, ton))

    def test_refused_for_now_is_tried_again_and_refused_for_good_is_not(self):
        self.sim.set(deliver_retry_ms=50)
        self.bind()
        self.node.do("answer", status=0x64)              # ESME_RX_T_APPN
        self.node.next("answering")
        sent = self.sim.send("later")
        self.node.next("deliver_sm")
        self.node.next("deliver_sm")
        self.node.do("answer", status=0)
        self.sim.text(sent["n"], "taken")
        self.node.do("answer", status=0x65)              # ESME_RX_P_APPN
        self.node.next("answering", status=0x65)
        self.sim.text(self.sim.send("never")["n"], "refused RX_P_APPN")

    def test_what_was_not_answered_comes_again_after_a_cut_in_its_order(self):
        self.bind()
        self.node.do("answer", status=None)
        self.node.next("answering")
        sent = [self.sim.send(f"text {i}")["n"] for i in range(5)]
        self.assertEqual([p["short_message"] for p in self.parts(5)], [f"text {i}" for i in range(5)])
        self.sim.call("POST", "/api/drop", {})
        self.node.next("closed")
        self.node.do("answer", status=0)
        self.node.next("answering", status=0)
        self.bind(session="b")
        self.assertEqual([p["short_message"] for p in self.parts(5)], [f"text {i}" for i in range(5)])
        for n in sent:
            self.sim.text(n, "taken")

    def test_the_window_limits_what_is_under_way(self):
        self.sim.set(window=3)
        self.bind()
        self.node.do("answer", status=None)
        self.node.next("answering")
        for i in range(5):
            self.sim.send(f"text {i}")
        self.parts(3)
        status = self.sim.bound(1)
        self.assertEqual((status["bound"][0]["window"], status["waiting"]), (3, 2))

    def test_parts_can_be_spread_over_all_binds(self):
        self.sim.set(mo_spread=True)
        self.bind(session="a")
        self.bind(session="b")
        self.sim.send("x" * 400)
        self.assertEqual({p["session"] for p in self.parts(3)}, {"a", "b"})

    def test_handsets_answer_by_themselves(self):
        self.sim.set(answer="You wrote: {text}")
        self.bind()
        self.node.submitted("15550001", b"ping")
        pdu = self.node.next("deliver_sm")
        self.assertEqual((pdu["short_message"], pdu["source_addr"], pdu["destination_addr"]),
                         ("You wrote: ping", "15550001", "15550100"))


class Load(Nodes):
    def test_twenty_thousand_texts_with_reports_pass_and_memory_stays_bounded(self):
        self.bind()
        self.node.do("load", session="a", total=20_000, window=100, registered=1)
        loaded = self.node.next("loaded", seconds=LIMIT * 4)
        self.assertEqual(loaded["good"], 20_000)
        print(f"\n[load] {20_000 / loaded['seconds']:.0f} submit_sm/s, each with a report, node and simulator on this machine")
        self.sim.log(command="deliver_sm_resp")
        status = self.sim.call("GET", "/api/status")
        self.assertEqual((status["counts"]["taken"], status["counts"]["reports"]), (20_000, 20_000))
        self.assertEqual(len(self.sim.call("GET", "/api/texts", last=1)["texts"]), 1)
        oldest = self.sim.call("GET", "/api/texts", after=0, count=1, wait=0)["texts"][0]["n"]
        self.assertGreater(oldest, status["last"] - 10_000)          # --keep
