"""Alphabets, segments and PDUs against vectors that other implementations made."""
import unittest

import gsm
import pdu
import reports
import switches
import texts


class Alphabet(unittest.TestCase):
    def test_septets_are_packed_as_gammu_and_kannel_pack_them(self):
        for text, packed in (("hello", "E8329BFD06"), ("hellohello", "E8329BFD4697D9EC37"),
                             ("via smsd å €", "F67418346FCFC9A007685306"),
                             ("kannel at å €", "EBB0DB5D6683C274D003B42903"), ("hej gammu {x} ä", "E8B21A740EB7DB75D00685DFA4407B"),
                             ("1234567", "31D98C56B3DD00"), ("@@@@@@@@", "00000000000000")):
            self.assertEqual(gsm.pack(gsm.encode_septets(text)).hex().upper(), packed, text)

    def test_fill_bits_after_a_header_as_gammu_sets_them(self):
        text = ("lång text " * 30)[:153]
        self.assertTrue(gsm.pack(gsm.encode_septets(text), 6).hex().upper().startswith("D80FF719442FE3E920F6"))

    def test_every_character_comes_back(self):
        text = gsm.BASIC.replace("\x1b", "") + "".join(gsm.EXTENSION.values())
        self.assertTrue(gsm.fits(text))
        self.assertEqual(gsm.decode_septets(gsm.encode_septets(text)), text)
        for header in (0, 6, 7, 8):
            for n in range(1, 30):
                septets = gsm.encode_septets("x" * n)
                self.assertEqual(gsm.unpack(gsm.pack(septets, header), header), septets, (header, n))

    def test_perls_encode_agrees_about_the_whole_table(self):
        import shutil
        import subprocess
        if not shutil.which("perl"):
            self.fail("perl is not installed")
        script = 'use Encode; binmode STDOUT, ":utf8"; print decode("gsm0338", join "", map { chr } grep { $_ != 27 } 0..127)'
        done = subprocess.run(["perl", "-e", script], capture_output=True, check=True)
        self.assertEqual(gsm.decode_septets(bytes(i for i in range(128) if i != 27)), done.stdout.decode())

    def test_an_escape_before_an_unknown_octet_or_the_end(self):
        self.assertEqual(gsm.decode_septets(b"a\x1bAb\x1b\x1b\x1b"), "aAb  ")

    def test_a_text_of_160_characters_is_one_part_and_of_161_two(self):
        self.assertEqual([len(p) for p in gsm.split("a" * 160, "gsm7", 8)], [160])
        self.assertEqual([len(p) for p in gsm.split("a" * 161, "gsm7", 8)], [153, 8])
        self.assertEqual([len(p) for p in gsm.split("a" * 161, "gsm7", 16)], [152, 9])
        self.assertEqual([len(p) for p in gsm.split("ж" * 71, "ucs2", 8)], [67, 4])
        self.assertEqual([len(p) for p in gsm.split("ж" * 71, "ucs2", 16)], [66, 5])

    def test_no_character_is_split_between_parts(self):
        self.assertEqual([len(p) for p in gsm.split("a" * 152 + "€" * 20, "gsm7", 8)], [152, 20])
        self.assertEqual([len(p) for p in gsm.split("ж" * 66 + "🌹" * 5, "ucs2", 8)], [66, 5])

    def test_data_codings_are_told_apart(self):
        for coding, kind in ((0, "default"), (8, "ucs2"), (4, "binary"), (2, "binary"), (0x10, "gsm7"), (0x18, "ucs2"),
                             (0x14, "binary"), (0xC0, "gsm7"),
                             (0xE0, "ucs2"), (0xF0, "gsm7"), (0xF5, "binary"), (3, "charset")):
            self.assertEqual(gsm.coding_of(coding), kind, hex(coding))

    def test_every_data_coding_decodes_something_without_failing(self):
        for coding in range(256):
            for alphabet in ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8"):
                self.assertIsInstance(gsm.decode(bytes(range(256)), coding, alphabet)[0], str)


class Header(unittest.TestCase):
    def test_both_widths_of_reference(self):
        self.assertEqual(gsm.parse_header(bytes.fromhex("050003280201") + b"x"), (6, gsm.Concat(0x28, 2, 1, 8)))
        self.assertEqual(gsm.parse_header(bytes.fromhex("06080412340301") + b"x"), (7, gsm.Concat(0x1234, 3, 1, 16)))

    def test_unknown_elements_are_skipped_and_senseless_numbers_ignored(self):
        self.assertEqual(gsm.parse_header(bytes.fromhex("0b050415811581 0003070202") + b"x")[1], gsm.Concat(7, 2, 2, 8))
        self.assertIsNone(gsm.parse_header(bytes.fromhex("050003280203"))[1])
        self.assertIsNone(gsm.parse_header(bytes.fromhex("050003280000"))[1])

    def test_a_header_longer_than_the_message_is_refused(self):
        for broken in (b"", b"\x06\x00", bytes.fromhex("0500 09 280201")):
            with self.assertRaises(ValueError):
                gsm.parse_header(broken)


class Pdus(unittest.TestCase):
    SUBMIT = bytes.fromhex("0000003d00000004000000000000000700050041434d450001013135353530303031004000000000010008000a05000307020100680069020400021234")
    RECEIPT = bytes.fromhex(
        "0000009d000000050000000000000003000101313535353030303100000031303030000400000000000000006269643a36363939207375623a30303120646c7672643a303031"
        "207375626d697420646174653a3236313132323132303920646f6e6520646174653a3236313132323132313020737461743a44454c49565244206572723a30303020746578743a"
        "68690427000102001e00053141324200")

    def test_libsmpp34s_submit_sm(self):
        message = pdu.parse_submit(self.SUBMIT)
        self.assertEqual((message.source, message.dest), (pdu.Address(5, 0, b"ACME"), pdu.Address(1, 1, b"15550001")))
        self.assertEqual((message.esm_class, message.registered, message.data_coding), (0x40, 1, 8))
        self.assertEqual((message.body.hex(), message.tlvs), ("05000307020100680069", {0x0204: b"\x12\x34"}))

    def test_libsmpp34s_deliver_sm_comes_out_of_our_encoder_octet_for_octet(self):
        text = b"id:6699 sub:001 dlvrd:001 submit date:2611221209 done date:2611221210 stat:DELIVRD err:000 text:hi"
        body = pdu.message_body(pdu.Address(1, 1, b"15550001"), pdu.Address(0, 0, b"1000"), 4, 0, text,
                                pdu.tlv(0x0427, b"\2") + pdu.tlv(0x1E, b"1A2B\0"))
        self.assertEqual(pdu.pack(5, 0, 3, body), self.RECEIPT)

    def test_the_fast_parser_and_the_table_agree(self):
        fields, message = pdu.decode(self.SUBMIT), pdu.parse_submit(self.SUBMIT)
        self.assertEqual((fields["short_message"], fields["esm_class"], fields["destination_addr"]),
                         (message.body, message.esm_class, message.dest.digits))

    def test_no_truncated_submit_sm_is_taken_for_a_whole_one(self):
        for end in range(16, len(self.SUBMIT)):
            if end == len(self.SUBMIT) - 6:
                continue                                 # exactly without its TLV it is whole
            with self.assertRaises(pdu.Refused, msg=end):
                pdu.parse_submit(self.SUBMIT[:end])

    def test_the_log_hides_passwords(self):
        shown = pdu.describe(bytes.fromhex("0000002100000009000000000000000165736d6500736563726574000034000000"))
        self.assertEqual((shown["system_id"], shown["password"], shown["interface_version"]), ("esme", "hidden", 0x34))
        self.assertNotIn("secret", str(shown))


class Numbers(unittest.TestCase):
    def test_one_number_has_one_spelling(self):
        for ton, digits in ((1, b"15550001234"), (1, b"+15550001234"), (0, b"15550001234"), (0, b"0015550001234"),
                            (0, b"+15550001234")):
            self.assertEqual(texts.number_of(pdu.Address(ton, 1, digits)), "+15550001234", (ton, digits))
        self.assertEqual(texts.number_of(pdu.Address(0, 1, b"12345")), "12345")
        self.assertEqual(texts.number_of(pdu.Address(5, 0, b"ACME")), "ACME")

    def test_people_may_type_numbers_as_they_like(self):
        self.assertEqual(texts.tidy_number(" +1 (555) 000-1 "), "+15550001")
        self.assertEqual(texts.tidy_number("0044 7700 900123"), "+447700900123")
        for nonsense in ("", "+", "x" * 12, "1" * 22, "+1<script>", "12\x0034"):
            self.assertIsNone(texts.tidy_number(nonsense), nonsense)

    def test_validity_is_read_relative_and_absolute(self):
        self.assertEqual(texts.validity_end(b"000000010000000R", 1000.0), 4600.0)
        self.assertEqual(texts.validity_end(b"700101010000004+", 0), texts.validity_end(b"700101000000000+", 0))
        for wrong in (b"x", b"000000010000000X", b"00000001000000R"):
            with self.assertRaises(ValueError):
                texts.validity_end(wrong, 0)


class Reports(unittest.TestCase):
    def test_ids_are_respelled(self):
        for spelling, given, expected in (("hex_to_dec", "1a2b", "6699"), ("dec_to_hex", "6699", "1a2b"), ("upper", "1a2b", "1A2B"),
                                          ("lower", "1A2B", "1a2b"),
                                          ("leading_zeros", "1a2b", "0000001a2b"), ("no_leading_zeros", "001a2b", "1a2b"),
                                          ("hex_to_dec", "812fc7470000001b", "9308878062554710043"),
                                          ("dec_to_hex", "6c1c0b5e-4a53-5d5c-9a34-1d0f1c0b5e4a",
                                           "6c1c0b5e-4a53-5d5c-9a34-1d0f1c0b5e4a")):
            self.assertEqual(reports.respell_id(given, spelling), expected)

    def test_registered_delivery_decides_which_outcomes_are_reported(self):
        for asked, delivered, failed in ((0, False, False), (1, True, True), (2, False, True), (3, True, False),
                                         (0x11, True, True)):
            self.assertEqual((reports.wanted(asked, "delivered"), reports.wanted(asked, "expired")), (delivered, failed), asked)


class Rules(unittest.TestCase):
    def test_later_rules_win_and_a_plus_counts_only_in_a_pattern_with_one(self):
        s = switches.Switches()
        s.change({"rules": [{"pattern": "1555*", "delay_ms": 5}, {"pattern": "+1555*", "delay_ms": 7, "answer": "x"},
                            {"pattern": "*9", "delay_ms": 9}]})
        self.assertEqual([s.for_number(n).delay_ms for n in ("+15550001", "15550001", "+15550009", "+44")], [7, 5, 9, 0])

    def test_a_bad_switch_changes_nothing(self):
        s = switches.Switches()
        for wrong in ({"delay_ms": 5, "nonsense": 1}, {"delay_ms": -1}, {"delay_ms": True}, {"lose_texts": 2}, {"refuse": "ROK"},
                      {"report_form": "smoke"}, {"silent": 1},
                      {"rules": [{"pattern": "*", "window": 3}]}, {"rules": [{"delay_ms": 1}]}, {"delay_ms": float("nan")}, []):
            with self.assertRaises(switches.Invalid, msg=wrong):
                s.change(wrong)
        self.assertEqual(s.shown(), switches.Switches().shown())


if __name__ == "__main__":
    unittest.main()
