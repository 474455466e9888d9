"""The HTTP API: its answers, its waiting, its guards; and the program around it: state file, log, arguments, signals."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from support import HERE, LIMIT, Case, Raw, Simulator, submit_body


class Api(Case):
    def test_switches_are_read_changed_and_reset(self):
        self.sim.set(delay_ms=5, rules=[{"pattern": "*", "answer": "x"}])
        shown = self.sim.call("GET", "/api/switches")["switches"]
        self.assertEqual((shown["delay_ms"], shown["rules"]), (5, [{"pattern": "*", "answer": "x"}]))
        self.sim.call("POST", "/api/reset", {"texts": False})
        shown = self.sim.call("GET", "/api/switches")["switches"]
        self.assertEqual((shown["delay_ms"], shown["report_delay_ms"], shown["rules"][0]["pattern"]), (0, 0, "*0000"))

    def test_a_bad_switch_is_told_and_changes_nothing(self):
        status, answer = self.sim.http("PUT", "/api/switches", {"delay_ms": 5, "report_form": "smoke"})
        self.assertEqual((status, answer), (400, {"error": "report_form is one of: both, text, tlv."}))
        self.assertEqual(self.sim.call("GET", "/api/switches")["switches"]["delay_ms"], 0)

    def test_every_switch_is_described_for_the_page(self):
        answer = self.sim.call("GET", "/api/switches", describe=1)
        self.assertEqual({s["name"] for s in answer["table"]} | {"rules"}, set(answer["switches"]))

    def test_a_wait_ends_when_the_text_comes_and_not_before(self):
        found, after = [], self.last()
        thread = threading.Thread(target=lambda: found.extend(self.sim.texts(2, after=after)))
        thread.start()
        self.sim.send("one")
        self.assertTrue(thread.is_alive() and not found)
        self.sim.send("two")
        thread.join(LIMIT)
        self.assertEqual([t["text"] for t in found], ["one", "two"])

    def last(self) -> int:
        return self.sim.call("GET", "/api/status")["last"]

    def test_a_wait_that_is_over_answers_with_what_there_is(self):
        self.assertEqual(self.sim.call("GET", "/api/texts", wait=0.1)["texts"], [])

    def test_texts_are_filtered(self):
        after = self.last()
        self.sim.send("one", sender="+15550001")
        self.sim.send("two", sender="+15550002", to="+15550101")
        for query, expected in (({"handset": "+15550001"}, ["one"]), ({"peer": "+15550101"}, ["two"]), ({"contains": "w"}, ["two"]),
                                ({"direction": "to_handset"}, []),
                                ({"state": "queued"}, ["one", "two"]), ({"last": 1}, ["two"])):
            self.assertEqual([t["text"] for t in self.sim.call("GET", "/api/texts", after=after, **query)["texts"]], expected,
                             query)

    def test_what_cannot_be_sent_is_refused_with_a_reason(self):
        good = {"from": "+15550001", "to": "+15550100", "text": "hi"}
        for change in ({"from": "nonsense number"}, {"to": "ACME"}, {"to": 5}, {"text": ""}, {"text": "x" * 20_001},
                       {"order": "sideways"}, {"only": [2]}, {"hex": "0"}, {"surprise": 1}):
            status, answer = self.sim.http("POST", "/api/send", {**good, **change})
            self.assertEqual((status, bool(answer["error"])), (400, True), change)
        self.assertEqual(self.sim.call("GET", "/api/handsets")["handsets"], [])

    def test_lone_surrogates_and_control_characters_are_sent_somehow(self):
        self.sim.send("a\ud83cb\0\x1b")
        self.assertEqual(self.sim.texts()[0]["text"], "a\ud83cb\0\x1b")

    def test_the_log_shows_every_pdu_with_its_fields_and_no_password(self):
        raw = Raw(self.sim)
        self.addCleanup(raw.close)
        raw.bind()
        raw.request(4, 2, submit_body(to=b"15550001", registered=1, tlvs=b"\x02\x04\x00\x02\x12\x34"))
        raw.read()
        submit = self.sim.log(command="submit_sm")[0]
        self.assertEqual((submit["direction"], submit["destination_addr"], submit["short_message"], submit["registered_delivery"],
                          submit["user_message_reference"]),
                         ("in", "15550001", b"hello".hex(), 1, "1234"))
        self.assertEqual(self.sim.log(command="bind_transceiver")[0]["password"], "hidden")
        self.assertNotIn("secret", json.dumps(self.sim.call("GET", "/api/log")))

    def test_events_stream_what_the_page_shows(self):
        with socket.create_connection(("127.0.0.1", self.sim.http_port), LIMIT) as stream:
            stream.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            file = stream.makefile("rb")
            self.next_event(file, b"switches")
            self.next_event(file, b"status")
            self.sim.send("live")
            self.assertEqual(self.next_event(file, b"texts")[0]["text"], "live")

    @staticmethod
    def next_event(file, name: bytes):
        for line in file:
            if line.strip() == b"event: " + name:
                return json.loads(file.readline().partition(b": ")[2])
        raise AssertionError(f"the stream ended before {name}")


class Guards(Case):
    def exchange(self, octets: bytes) -> bytes:
        """What comes back, until the simulator closes or one whole answer is there."""
        with socket.create_connection(("127.0.0.1", self.sim.http_port), LIMIT) as connection:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_requests_of_other_sites_are_refused(self):
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Host": "evil.example"}, {"Host": "evil.example:80"},
                        {"Host": "127.0.0.1.evil.example"}, {"Origin": f"http://localhost:{self.sim.http_port}"}):
            self.assertEqual(self.sim.http("PUT", "/api/switches", {"delay_ms": 5}, headers)[0], 403, headers)
        self.assertEqual(self.sim.call("GET", "/api/switches")["switches"]["delay_ms"], 0)

    def test_our_own_page_is_let_in(self):
        own = f"127.0.0.1:{self.sim.http_port}"
        self.assertEqual(self.sim.http("PUT", "/api/switches", {"delay_ms": 5},
                                       {"Origin": f"http://{own}", "Sec-Fetch-Site": "same-origin"})[0], 200)
        self.assertEqual(self.sim.http("GET", "/api/status", None, {"Host": "localhost:1"})[0], 200)
        self.assertEqual(self.sim.http("GET", "/api/status", None, {"Host": "[::1]:1"})[0], 200)

    def test_a_form_of_another_page_cannot_speak_json(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            self.assertEqual(self.sim.http("POST", "/api/drop", b"{}", {"Content-Type": kind})[0], 415, kind)

    def test_bodies_that_are_no_object_are_refused(self):
        for body in (b"[", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff"):
            self.assertEqual(self.sim.http("PUT", "/api/switches", body)[0], 400, body[:9])

    def test_malformed_and_oversized_requests_get_a_status_and_end(self):
        for octets, status in ((b"nonsense\r\n\r\n", 400), (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
                               (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
                               (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                               (b"POST /api/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                               (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
                               (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n", 413),
                               (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
                               (b"GET / HTTP/1.1\r\n\r\n", 403)):
            self.assertEqual(self.exchange(octets).split(b" ")[1:2], [b"%d" % status], octets[:60])
        self.sim.call("GET", "/api/status")

    def test_what_is_not_there_and_what_is_not_allowed(self):
        self.assertEqual(self.sim.http("GET", "/etc/passwd")[0], 404)
        self.assertEqual(self.sim.http("GET", "/api/texts/999999")[0], 404)
        self.assertEqual(self.sim.http("DELETE", "/api/texts")[0], 405)
        self.assertEqual(self.sim.http("GET", "/api/texts", after="x")[0], 400)

    def test_the_page_may_load_nothing_from_elsewhere(self):
        answer = self.exchange(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, page = answer.partition(b"\r\n\r\n")
        self.assertIn(b"Content-Security-Policy: default-src 'none'; script-src 'sha256-", head)
        self.assertNotIn(b"unsafe", head)
        for outside in (b"http://", b"https://"):
            self.assertEqual(page.replace(b"http://www.w3.org/2000/svg", b"").count(outside), 0)
        for markup in (b"innerHTML", b"insertAdjacentHTML", b"outerHTML", b"document.write"):
            self.assertNotIn(markup, page)


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "state.json")

    def simulator(self, *arguments) -> Simulator:
        sim = Simulator(*arguments)
        self.addCleanup(sim.stop)
        return sim

    def test_it_stops_cleanly_on_both_signals_and_unbinds_first(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            sim = self.simulator()
            raw = Raw(sim)
            self.addCleanup(raw.close)
            raw.bind()
            self.assertEqual(sim.stop(how), (0, ""))
            self.assertEqual(raw.read()[0], 6)           # unbind
            self.assertTrue(raw.ended())

    def test_what_waits_survives_a_restart(self):
        sim = self.simulator("--state-file", self.path)
        raw = Raw(sim)
        self.addCleanup(raw.close)
        raw.bind(2)                                      # a transmitter: texts and reports must wait
        raw.request(4, 2, submit_body(text=b"reported later", registered=1))
        first_id = raw.read()[3]
        sim.text(sim.texts()[0]["n"], "delivered")
        raw.request(4, 3, submit_body(text=b"\5\0\3\1\2\1half", esm_class=0x40))
        raw.read()
        for i in range(3):
            sim.send(f"waiting {i}")
        sim.set(answer="yes", report_delay_ms=0)
        self.assertEqual(sim.stop()[0], 0)

        sim = self.simulator("--state-file", self.path)
        self.assertEqual([t["text"] for t in sim.texts(4)], ["reported later"] + [f"waiting {i}" for i in range(3)])
        self.assertEqual(sim.call("GET", "/api/switches")["switches"]["answer"], "yes")
        raw = Raw(sim)
        self.addCleanup(raw.close)
        raw.bind()
        bodies = []
        for _ in range(4):
            command, _, sequence, body = raw.read()
            self.assertEqual(command, 5)
            raw.request(0x80000005, sequence, b"\0")
            bodies.append(body)
        self.assertIn(b"id:" + first_id.rstrip(b"\0"), bodies[0])
        self.assertEqual([b"waiting %d" % i in bodies[i + 1] for i in range(3)], [True] * 3)
        raw.request(4, 9, submit_body(text=b"\5\0\3\1\2\2 and half", esm_class=0x40))
        while (answer := raw.read())[0] != 0x80000004:
            pass
        self.assertNotEqual(answer[3], first_id)
        self.assertEqual(sim.texts(contains="half")[0]["text"], "half and half")
        for text in sim.texts(4):
            self.assertNotEqual(text["state"], "queued")

    def test_what_a_second_old_survives_even_a_kill(self):
        sim = self.simulator("--state-file", self.path)
        sim.send("keep me")
        saved = ""
        deadline = threading.Event()
        for _ in range(LIMIT * 20):                      # until the file says so: it is written within about a second
            if os.path.exists(self.path):
                with open(self.path, encoding="utf-8") as file:
                    saved = file.read()
                if "keep me" in saved:
                    break
            deadline.wait(0.05)
        self.assertIn("keep me", saved)
        sim.stop(signal.SIGKILL)
        self.assertEqual(self.simulator("--state-file", self.path).texts()[0]["state"], "queued")

    def test_a_broken_state_file_is_told_and_not_overwritten(self):
        for broken in ("{", "[]", '{"version": 99}', '{"version": 1}'):
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(broken)
            done = subprocess.run([os.path.join(HERE, "smsc"), "--smpp-port", "0", "--http-port", "0", "--state-file", self.path],
                                  capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^smsc: .+\n$")
            with open(self.path, encoding="utf-8") as file:
                self.assertEqual(file.read(), broken)

    def test_the_log_can_be_written_as_json_lines(self):
        sim = self.simulator("--log", self.path)
        raw = Raw(sim)
        self.addCleanup(raw.close)
        raw.bind()
        sim.stop()
        with open(self.path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line.get("event") or line["command"] for line in lines],
                         ["connected", "bind_transceiver", "bind_transceiver_resp", "bound", "unbind", "closed"])

    def test_a_taken_port_and_a_bad_switch_end_the_program_with_a_reason(self):
        sim = self.simulator()
        for arguments in (("--smpp-port", str(sim.smpp_port), "--http-port", "0"),
                          ("--smpp-port", "0", "--http-port", "0", "--switches", '{"delay_ms": -1}'),
                          ("--smpp-port", "0", "--http-port", "0", "--switches", "{")):
            done = subprocess.run([os.path.join(HERE, "smsc"), *arguments], capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"^smsc: .+\n$")

    def test_a_further_host_name_can_be_allowed(self):
        sim = self.simulator("--allow-host", "smsc.test")
        self.assertEqual(sim.http("GET", "/api/status", None, {"Host": "smsc.test:8080"})[0], 200)
        self.assertEqual(sim.http("GET", "/api/status", None, {"Host": "other.test"})[0], 403)

    def test_the_readme_names_every_switch_with_its_default(self):
        import switches
        with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
            readme = file.read()
        for s in switches.TABLE:
            self.assertIn(f"| `{s.name}` | {switches.shown_default(s)} |", readme)
