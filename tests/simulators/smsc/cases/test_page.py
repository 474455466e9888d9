"""The page in a real browser (headless Chromium): what a person sees and types."""
import json
import unittest

import browser
from support import Case, Raw, submit_body

EVIL = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script><b>bold</b>"


class InTheBrowser(Case):
    def setUp(self):
        super().setUp()
        self.raw = Raw(self.sim)
        self.addCleanup(self.raw.close)
        self.raw.bind(2)

    def open(self, width: int = 1280, dark: bool = False) -> browser.Browser:
        page = browser.Browser(self.sim.url, width, dark=dark)
        self.addCleanup(page.close)
        page.until("document.querySelector('#link').textContent.includes('bound')")
        return page

    def submit(self, to: bytes, text: bytes, **fields) -> None:
        self.raw.request(4, 2, submit_body(to=to, text=text, **fields))
        self.raw.read()

    def test_a_text_appears_as_text_and_never_as_markup(self):
        page = self.open()
        self.submit(b"15550001", EVIL.encode())
        self.assertEqual(page.until("document.querySelector('.bubble')?.textContent"), EVIL)
        self.assertEqual(page.evaluate("[document.title, document.querySelectorAll('.bubble *').length].join()"),
                         "SMSC simulator,0")
        self.assertEqual(page.until("document.querySelector('.state.good') && document.querySelector('.phone h2').textContent"),
                         "+15550001")

    def test_a_person_answers_from_the_page(self):
        self.submit(b"15550001", b"hello")
        page = self.open()
        page.until("!!document.querySelector('.bubble')")
        page.evaluate("let t = document.querySelector('textarea'); t.value = 'hello yourself'; t.form.requestSubmit()")
        text = self.sim.texts(direction="from_handset")[0]
        self.assertEqual((text["text"], text["handset"], text["peer"]), ("hello yourself", "+15550001", "+15550100"))
        page.until("[...document.querySelectorAll('.from .bubble')].some(b => b.textContent === 'hello yourself')")

    def test_a_new_handset_is_made_by_typing_its_number(self):
        page = self.open()
        page.until("!!document.querySelector('.empty')")
        page.evaluate("document.querySelector('#number').value = '0044 7700 900123'; document.querySelector('#new').requestSubmit()")
        self.assertEqual(page.until("document.querySelector('.phone h2')?.textContent"), "+447700900123")
        self.assertTrue(page.evaluate("!document.querySelector('.empty')"))

    def test_the_counter_counts_as_the_centre_splits(self):
        self.submit(b"15550001", b"hello")
        page = self.open()
        page.until("!!document.querySelector('textarea')")
        for text, expected in (("a" * 160, "160/160 · GSM 7"), ("a" * 161, "161/306 · GSM 7 · 2 parts"), ("€", "2/160 · GSM 7"),
                               ("ж" * 71, "71/134 · UCS-2 · 2 parts")):
            page.evaluate(f"document.querySelector('textarea').value = {json.dumps(text)}; measure([...phones.values()][0])")
            self.assertEqual(page.evaluate("document.querySelector('.count').textContent"), expected)

    def test_a_switch_turned_in_the_drawer_reaches_the_centre_and_back(self):
        page = self.open()
        page.evaluate("document.querySelector('#open').click()")
        page.until("!!document.querySelector('[data-switch=delay_ms] input')")
        page.evaluate("let i = document.querySelector('[data-switch=delay_ms] input'); i.value = 250; i.dispatchEvent(new Event('change'))")
        page.until("!!document.querySelector('[data-switch=delay_ms].changed')")
        self.assertEqual(self.sim.call("GET", "/api/switches")["switches"]["delay_ms"], 250)
        self.sim.set(silent=True)
        page.until("document.querySelector('[data-switch=silent] input').checked")

    def test_the_wire_shows_pdus(self):
        page = self.open()
        page.evaluate("document.querySelector('#open').click(); document.querySelector('#tab-wire').click()")
        self.submit(b"15550001", b"hello")
        page.until("[...document.querySelectorAll('#lines summary')].some(s => s.textContent.includes('submit_sm'))")

    def test_reset_clears_the_page(self):
        self.submit(b"15550001", b"hello")
        page = self.open()
        page.until("!!document.querySelector('.bubble')")
        self.sim.call("POST", "/api/reset", {})
        page.until("!document.querySelector('.phone') && !!document.querySelector('.empty')")

    def test_nothing_sticks_out_on_a_phones_width_and_everything_has_a_name(self):
        self.submit(b"15550001", b"x" * 150, data_coding=3)
        for width in (360, 1280):
            page = self.open(width)
            page.until("!!document.querySelector('.bubble')")
            page.evaluate("document.querySelector('#open').click()")
            page.until("!!document.querySelector('.switch')")
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
            nameless = page.evaluate("""[...document.querySelectorAll('button, input, select, textarea')].filter(e =>
                !(e.getAttribute('aria-label') || e.labels?.length || e.tagName === 'BUTTON' && e.textContent.trim())).map(e => e.outerHTML)""")
            self.assertEqual(nameless, [])
