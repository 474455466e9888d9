"""Framing, states and malformed PDUs, over bare sockets (SMPP 3.4 §2.2, §3.2, §4.1 to §4.11)."""
import random
import struct

from support import Case, Raw, submit_body

OK, RINVMSGLEN, RINVCMDLEN, RINVCMDID, RINVBNDSTS, RALYBND = 0, 1, 2, 3, 4, 5
NACK = 0x80000000


class Raws(Case):
    def raw(self, bind: int = 9) -> Raw:
        raw = Raw(self.sim)
        self.addCleanup(raw.close)
        if bind:
            self.assertEqual(raw.bind(bind)[:3], (bind | NACK, OK, 1))
        return raw

    def submit(self, raw: Raw, sequence: int = 2, **fields) -> tuple:
        raw.request(4, sequence, submit_body(**fields))
        return raw.read()


class Binds(Raws):
    def test_each_kind_of_bind_is_answered_with_the_version_of_the_centre(self):
        for command in (1, 2, 9):
            raw = Raw(self.sim)
            self.addCleanup(raw.close)
            self.assertEqual(raw.bind(command), (command | NACK, OK, 1, b"SMSC\0" + bytes.fromhex("0210000134")))

    def test_a_peer_of_version_3_3_gets_no_tlv(self):
        raw = self.raw(0)
        self.assertEqual(raw.bind(9, version=0x33)[3], b"SMSC\0")

    def test_a_wrong_password_and_a_wrong_system_id_have_their_own_status_and_no_body(self):
        raw = self.raw(0)
        self.assertEqual(raw.bind(9, password=b"wrong"), (9 | NACK, 0x0E, 1, b""))
        raw.request(9, 2, b"stranger\0secret\0\0\x34\0\0\0")
        self.assertEqual(raw.read(), (9 | NACK, 0x0F, 2, b""))
        self.assertEqual(raw.bind()[1], OK)              # and the connection is still good

    def test_a_second_bind_on_one_connection_is_refused(self):
        raw = self.raw()
        self.assertEqual(raw.bind()[1], RALYBND)

    def test_more_binds_than_allowed_are_refused(self):
        self.sim.set(max_binds=1)
        self.raw()
        self.assertEqual(self.raw(0).bind()[1], RALYBND)

    def test_binds_are_refused_on_request(self):
        self.sim.set(bind_refuse="ESME_RBINDFAIL")
        self.assertEqual(self.raw(0).bind()[1], 0x0D)

    def test_connections_are_refused_on_request(self):
        self.sim.set(refuse_connections=True)
        self.assertTrue(self.raw(0).ended())

    def test_unbind_is_answered_and_the_connection_closed(self):
        raw = self.raw()
        raw.request(6, 2)
        self.assertEqual(raw.read(), (6 | NACK, OK, 2, b""))
        self.assertTrue(raw.ended())
        self.sim.bound(0)


class States(Raws):
    def test_nothing_is_submitted_before_a_bind_or_by_a_receiver(self):
        self.assertEqual(self.submit(self.raw(0))[1], RINVBNDSTS)
        self.assertEqual(self.submit(self.raw(1))[1], RINVBNDSTS)
        self.assertEqual(self.sim.call("GET", "/api/texts")["texts"], [])

    def test_a_transmitter_gets_no_deliver_sm_and_a_receiver_gets_it(self):
        transmitter, receiver = self.raw(2), self.raw(1)
        self.sim.send("hello")
        self.assertEqual(receiver.read()[0], 5)
        transmitter.request(0x15, 7)
        self.assertEqual(transmitter.read()[0], 0x15 | NACK)         # the first thing that it gets

    def test_enquire_link_is_answered_even_before_a_bind(self):
        raw = self.raw(0)
        raw.request(0x15, 3)
        self.assertEqual(raw.read(), (0x15 | NACK, OK, 3, b""))

    def test_silence_is_broken_by_an_enquire_link_of_the_centre(self):
        self.sim.set(enquire_seconds=1)
        raw = self.raw()
        command, status, sequence, body = raw.read()
        self.assertEqual((command, status, body), (0x15, 0, b""))
        raw.request(0x15 | NACK, sequence)
        self.assertEqual(raw.read()[0], 0x15)            # and after another silence the next

    def test_a_silent_centre_reads_and_answers_nothing(self):
        raw = self.raw()
        self.sim.set(silent=True)
        raw.request(4, 2, submit_body())
        self.assertEqual(self.sim.texts()[0]["text"], "hello")
        self.sim.set(silent=False)
        raw.request(0x15, 3)
        self.assertEqual(raw.read()[:3], (0x15 | NACK, OK, 3))


class Framing(Raws):
    def test_pdus_may_come_octet_by_octet_and_many_at_once(self):
        raw = self.raw()
        body = submit_body()
        pdu = struct.pack(">IIII", 16 + len(body), 4, 0, 2) + body
        for i in range(len(pdu)):
            raw.send(pdu[i:i + 1])
        self.assertEqual(raw.read()[:3], (4 | NACK, OK, 2))
        raw.send(pdu * 300)
        self.assertEqual([raw.read()[1] for _ in range(300)], [OK] * 300)

    def test_an_impossible_length_is_nacked_and_ends_the_connection(self):
        for length in (0, 8, 15, 0x7FFFFFFF, 0xFFFFFFFF):
            raw = self.raw()
            raw.send(struct.pack(">I", length))          # four octets are enough to know
            self.assertEqual(raw.read(), (NACK, RINVCMDLEN, 0, b""), length)
            self.assertTrue(raw.ended())

    def test_the_nack_of_a_length_that_is_too_large_names_the_sequence_if_it_is_known(self):
        raw = self.raw()
        raw.send(struct.pack(">IIII", 0x00200000, 4, 0, 77))
        self.assertEqual(raw.read(), (NACK, RINVCMDLEN, 77, b""))

    def test_an_unknown_command_is_nacked_and_the_connection_stays(self):
        raw = self.raw()
        raw.request(0x00000BAD, 5, b"whatever")
        self.assertEqual(raw.read(), (NACK, RINVCMDID, 5, b""))
        self.assertEqual(self.submit(raw)[1], OK)

    def test_answers_that_nobody_asked_for_are_ignored(self):
        raw = self.raw()
        for command in (4 | NACK, 5 | NACK, 0x15 | NACK, 0x800000AB, NACK):
            raw.request(command, 4711)
        self.assertEqual(self.submit(raw)[1], OK)


class Submits(Raws):
    def test_faults_of_a_submit_sm_have_their_own_status(self):
        raw = self.raw()
        for name, fields, status in (
                ("sm_length beyond the PDU", {"length": 200}, RINVMSGLEN),
                ("sm_length above 254", {"text": b"x" * 255}, RINVMSGLEN),
                ("destination too long", {"to": b"1" * 21}, 0x0B), ("source too long", {"source": b"1" * 21}, 0x0A),
                ("no destination", {"to": b""}, 0x0B), ("a name as destination", {"to": b"15x"}, 0x0B),
                ("half a schedule time", {"schedule": b"2601"}, 0x61), ("half a validity", {"validity": b"2601"}, 0x62),
                ("nonsense as validity", {"validity": b"x" * 16}, 0x62),
                ("half a TLV header", {"tlvs": b"\x04\x24\x00"}, 0xC0), ("a TLV beyond the PDU", {"tlvs": b"\x04\x24\x00\x09x"},
                                                                         0xC2),
                ("text in both places", {"tlvs": b"\x04\x24\x00\x01x"}, 0xC1),
                ("a UDH beyond the text", {"esm_class": 0x40, "text": b"\x09\0"}, RINVMSGLEN)):
            with self.subTest(name):
                self.assertEqual(self.submit(raw, **fields), (4 | NACK, status, 2, b""))
        self.assertEqual(self.sim.call("GET", "/api/texts")["texts"], [])

    def test_a_submit_sm_cut_anywhere_is_refused_and_the_connection_stays(self):
        raw = self.raw()
        body = submit_body()
        for end in range(len(body)):
            raw.request(4, 2, body[:end])
            self.assertNotEqual(raw.read()[1], OK, end)
        self.assertEqual(self.submit(raw)[1], OK)

    def test_octets_after_the_text_that_are_tlvs_unknown_to_us_are_fine(self):
        self.assertEqual(self.submit(self.raw(), tlvs=b"\x14\x00\x00\x03abc\x14\x01\x00\x00")[1], OK)

    def test_an_unanswered_half_pdu_ends_the_connection_after_its_time(self):
        raw = self.raw()
        raw.send(struct.pack(">IIII", 100, 4, 0, 2))     # and no body
        self.assertTrue(raw.ended())
        self.assertEqual(self.sim.log(command="timed_out")[0]["why"], "a PDU did not end")

    def test_no_mutilated_pdu_disturbs_the_centre(self):
        chance = random.Random(1)
        bodies = [(4, submit_body(registered=1, tlvs=b"\x02\x0c\0\2\0\1\x02\x0e\0\1\2\x02\x0f\0\1\1")),
                  (4, submit_body(text=b"\5\0\3\1\2\1x", esm_class=0x40)),
                  (0x103, b"\0\1\x0115550100\0\1\x0115550001\0\0\1\0\x04\x24\0\1x"), (3, b"1001\0\1\x0115550100\0"),
                  (8, b"\0\x31\0\1\x0115550100\0\1\x0115550001\0"), (9, b"wherry\0secret\0\0\x34\0\0\0"), (5 | NACK, b"\0")]
        raw = self.raw()
        for i in range(3000):
            command, body = chance.choice(bodies)
            mutilated = bytearray(body)
            for _ in range(chance.randint(1, 4)):
                what, where = chance.random(), chance.randrange(len(mutilated) + 1)
                if what < 0.4 and where < len(mutilated):
                    mutilated[where] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
                elif what < 0.7:
                    del mutilated[where:where + chance.randint(1, 5)]
                else:
                    mutilated[where:where] = chance.randbytes(chance.randint(1, 9))
            raw.request(command, i + 2, bytes(mutilated))
        raw.request(0x15, 9999)
        while raw.read()[2] != 9999:
            pass
        self.sim.call("GET", "/api/log", count=2000)     # every one of them can be shown, too
        self.sim.call("GET", "/api/texts")

    def test_data_sm_is_a_text_too(self):
        raw = self.raw()
        raw.request(0x103, 2, b"\0\x01\x0115550100\0\x01\x0115550001\0\0\x01\x08" + b"\x04\x24\x00\x04\x04\x16\x04\x34")
        command, status, _, body = raw.read()
        self.assertEqual((command, status), (0x80000103, OK))
        text = self.sim.texts()[0]
        self.assertEqual((text["text"], text["encoding"], text["parts"][0]["id"].encode() + b"\0"), ("Жд", "UCS-2", body))


class Cuts(Raws):
    def test_drop_ends_every_connection(self):
        first, second = self.raw(), self.raw(1)
        self.assertEqual(self.sim.call("POST", "/api/drop", {}), {"dropped": 2})
        self.assertTrue(first.ended() and second.ended())

    def test_drop_in_the_middle_of_a_pdu_leaves_ten_octets_of_it(self):
        raw = self.raw()
        self.sim.call("POST", "/api/drop", {"mid_pdu": True})
        with self.assertRaises(EOFError) as end:
            raw.read()
        self.assertEqual(str(end.exception), "00000010000000150000")

    def test_the_link_is_cut_after_taking_every_nth_text_before_its_answer(self):
        self.sim.set(drop_every=2)
        raw = self.raw()
        self.assertEqual(self.submit(raw)[1], OK)
        raw.request(4, 3, submit_body(text=b"second"))
        self.assertTrue(raw.ended())
        self.assertEqual([t["text"] for t in self.sim.texts(2)], ["hello", "second"])

    def test_a_delivery_that_is_never_answered_ends_the_link_and_waits_again(self):
        self.sim.set(deliver_timeout_ms=200)
        raw = self.raw()
        sent = self.sim.send("are you there?")
        first = raw.read()
        self.assertTrue(raw.ended())
        self.sim.text(sent["n"], "queued")
        again = self.raw()
        command, _, sequence, body = again.read()
        self.assertEqual((command, body), (5, first[3]))
        again.request(5 | NACK, sequence, b"\0")
        self.sim.text(sent["n"], "taken")

    def test_a_generic_nack_to_a_delivery_is_a_refusal(self):
        raw = self.raw()
        sent = self.sim.send("what?")
        sequence = raw.read()[2]
        raw.send(struct.pack(">IIII", 16, NACK, RINVCMDID, sequence))
        self.sim.text(sent["n"], "refused RINVCMDID")
