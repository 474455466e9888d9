#!/usr/bin/python3
"""The second half of deploy/try: starts Prosody, wherry and the SMSC simulator, lets two people text from a Jabber client
(slixmpp, independent of us), and prints what happens as a transcript. tests/integration/containers has the same conversation."""

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from xml.etree import ElementTree

logging.basicConfig(level=logging.CRITICAL)
import slixmpp  # noqa: E402  (after logging, which it would configure)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOST = "localhost"
GATEWAY = "sms.localhost"
PASSWORD = "wherry"
LIMIT = 30  # seconds; generous, for what takes milliseconds

JULIET_NUMBER = "+14155550100"
ROMEO_NUMBER = "+14155550101"
NURSE = "+14155550132"
WRONG = "+14155550000"  # the simulator knows no numbers that end in 0000
EMOJI = "🌹 What's in a name? That which we call a rose 🌹 by any other name would smell as sweet 🌹; so Romeo would, were he not Romeo call'd, retain that dear perfection 🌙✨"


class Unexpected(Exception):
    pass


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def say(who, text=""):
    print(f"  {who:<9} {text}", flush=True)


# ---- The servers ----

class Reached:
    """Where a conversation takes place: a server's port for clients, and the telephone network through the simulator's API."""

    client_port = 0
    simulator_url = ""

    def get(self, path):
        with urllib.request.urlopen(self.simulator_url + path, timeout=LIMIT + 10) as answer:
            return json.load(answer)

    def post(self, path, body):
        request = urllib.request.Request(self.simulator_url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return json.load(answer)

    def text_at(self, handset, after):
        texts = self.get(f"/api/texts?after={after}&handset={urllib.parse.quote(handset)}&direction=to_handset&count=1&wait={LIMIT}")["texts"]
        if not texts:
            raise Unexpected(f"no text arrived at {handset}")
        return texts[0]

    def last(self):
        return self.get("/api/status")["last"]


class World(Reached):
    """A temporary folder with a Prosody, a wherry and a simulator in it."""

    def __init__(self, build):
        self.build = os.path.join(ROOT, build)
        self.folder = tempfile.mkdtemp(prefix="wherry-try-")
        self.client_port, self.component_port = free_ports(2)
        self.processes = []

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, name, command, **more):
        log = open(os.path.join(self.folder, name + ".log"), "wb")
        process = subprocess.Popen(command, stderr=log, start_new_session=True, **more)
        self.processes.append((name, process))
        return process

    def start_prosody(self):
        config = f"""
run_as_root = true
daemonize = false
pidfile = "{self.folder}/prosody.pid"
data_path = "{self.folder}/prosody"
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.client_port} }}
component_ports = {{ {self.component_port} }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "offline", "carbons", "posix" }}
modules_disabled = {{ "tls", "s2s" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
VirtualHost "{HOST}"
Component "{GATEWAY}"
  component_secret = "secret"
"""
        path = self.write("prosody.cfg.lua", config)
        for user in ("juliet", "romeo"):
            self.write(f"prosody/{HOST}/accounts/{user}.dat", f'return {{ ["password"] = "{PASSWORD}"; }};\n')
        self.start("prosody", ["prosody", "--config", path, "-F"], stdout=subprocess.DEVNULL)
        wait_for_port(self.component_port)

    def start_simulator(self):
        process = self.start("simulator", [os.path.join(ROOT, "tests/simulators/smsc/smsc"), "--smpp-port", "0", "--http-port", "0",
                                           "--system-id", "wherry", "--password", "secret"], stdout=subprocess.PIPE)
        ready = json.loads(process.stdout.readline())
        self.simulator_url = ready["url"].rstrip("/")
        return ready["smpp_port"]

    def start_wherry(self, smpp_port):
        config = f"""
[store]
url = "sqlite:wherry.db"

[[transport]]
domain = "{GATEWAY}"
connector = "sms"
server = {{ host = "127.0.0.1", port = {self.component_port}, secret = "secret", domain = "{HOST}" }}

[transport.configuration]
region = "US"

[[transport.configuration.numbers]]
number = "{JULIET_NUMBER}"
carrier = "simulator"
users = ["juliet@{HOST}"]

[[transport.configuration.numbers]]
number = "{ROMEO_NUMBER}"
carrier = "simulator"
pool = true

[[transport.configuration.carriers]]
name = "simulator"
type = "smpp"
host = "127.0.0.1"
port = {smpp_port}
system_id = "wherry"
password = "secret"
"""
        path = self.write("wherry.toml", config)
        environment = dict(os.environ, WHERRY_CONNECTORS=os.path.join(self.build, "connectors"),
                           WHERRY_MIGRATIONS=os.path.join(ROOT, "schemas/migrations"))
        self.start("wherry", [os.path.join(self.build, "bin/wherry"), "run", "--config", path], env=environment)
        wait_for_line(os.path.join(self.folder, "wherry.log"), "component.connected")

    def stop(self):
        for name, process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def show_logs(self):
        for name, _ in self.processes:
            with open(os.path.join(self.folder, name + ".log"), errors="replace") as file:
                print(f"--- {name}: the end of its log\n" + "".join(file.readlines()[-15:]))


def wait_for_line(file, word):
    """Until a log has the word."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        with open(file, errors="replace") as log:
            if word in log.read():
                return
        time.sleep(0.02)
    raise Unexpected(f"{file} has no {word} after {LIMIT} s")


def wait_for_port(port):
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Unexpected(f"nothing listens on port {port}")


# ---- The people ----

class Person(slixmpp.ClientXMPP):
    """A Jabber client that keeps what it receives until somebody asks for it."""

    def __init__(self, jid):
        super().__init__(jid + "/try", PASSWORD)
        for plugin in ("xep_0004", "xep_0030", "xep_0077", "xep_0184"):
            self.register_plugin(plugin)
        self["xep_0184"].auto_ack = False
        self.received = asyncio.Queue()
        self.ready = asyncio.Event()
        self.auto_authorize = True
        self.auto_subscribe = True
        self.add_event_handler("session_start", self.started)
        self.register_handler(slixmpp.xmlstream.handler.Callback("all", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}message"),
                                                                 self.received.put_nowait))
        self.register_handler(slixmpp.xmlstream.handler.Callback("presences", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}presence"),
                                                                 self.received.put_nowait))

    async def started(self, _):
        await self.get_roster()
        self.send_presence()
        self.ready.set()

    async def wait(self, what, matches):
        """The next stanza that matches; others are put aside for good."""
        async def search():
            while True:
                stanza = await self.received.get()
                if matches(stanza):
                    return stanza
        try:
            return await asyncio.wait_for(search(), LIMIT)
        except asyncio.TimeoutError:
            raise Unexpected(f"{self.boundjid.bare} did not receive {what}") from None

    async def ask(self, kind, payload):
        iq = self.make_iq(ito=GATEWAY, itype=kind)
        iq.xml.append(ElementTree.fromstring(payload))
        return await iq.send(timeout=LIMIT)

    def text(self, to, body, receipt=False):
        message = self.make_message(mto=to, mbody=body, mtype="chat")
        message["id"] = self.new_id()
        if receipt:
            message["request_receipt"] = True
        message.send()
        return message["id"]


async def log_in(world, jid):
    await asyncio.to_thread(wait_for_port, world.client_port)  # an attempt that is lost while the server starts is not repeated in time
    person = Person(jid)
    person.enable_plaintext = True
    person.use_starttls = person.enable_starttls = False
    person["feature_mechanisms"].unencrypted_plain = True
    try:
        person.connect(("127.0.0.1", world.client_port), disable_starttls=True)  # slixmpp 1.8
    except TypeError:
        person.connect("127.0.0.1", world.client_port)  # slixmpp 1.9 and later
    try:
        await asyncio.wait_for(person.ready.wait(), LIMIT)
    except asyncio.TimeoutError:
        raise Unexpected(f"{jid} could not log in") from None
    return person


def is_text(sender):
    return lambda s: s.name == "message" and s["from"].bare == sender and s["type"] == "chat" and bool(s["body"])


def is_receipt(message_id):
    return lambda s: s.name == "message" and (found := s.xml.find("{urn:xmpp:receipts}received")) is not None and found.get("id") == message_id


def is_error(message_id):
    return lambda s: s.name == "message" and s["type"] == "error" and s["id"] == message_id


def is_available(sender):
    return lambda s: s.name == "presence" and s["from"].bare == sender and s["type"] in ("available", "")


# ---- The conversation ----

async def register(person, name, number):
    form = await person.ask("get", "<query xmlns='jabber:iq:register'/>")
    instructions = form.xml.find(".//{jabber:iq:register}instructions")
    say(GATEWAY.split(".")[0], f"asks {name} to register: “{instructions.text.strip()}”")
    await person.ask("set", f"<query xmlns='jabber:iq:register'><phone>{number}</phone></query>")
    await person.wait("the gateway's presence", is_available(GATEWAY))
    say(name, f"registers, and is {number} from now on")


async def talk(world):
    print("\nA conversation\n")
    juliet = await log_in(world, f"juliet@{HOST}")
    romeo = await log_in(world, f"romeo@{HOST}")
    wrong_number = f"{WRONG}@{GATEWAY}"
    nurse = f"{NURSE}@{GATEWAY}"

    await register(juliet, "juliet", JULIET_NUMBER)
    await register(romeo, "romeo", ROMEO_NUMBER)

    found = await juliet.ask("set", "<query xmlns='jabber:iq:gateway'><prompt>(415) 555-0132</prompt></query>")
    jid = found.xml.find(".//{jabber:iq:gateway}jid").text
    if jid != nurse:
        raise Unexpected(f"(415) 555-0132 became {jid}, not {nurse}")
    say("juliet", f"types “(415) 555-0132” and is told: {jid}")
    juliet.send_presence_subscription(pto=nurse)
    await juliet.wait("the contact's presence", is_available(nurse))
    say("juliet", "adds her; she shows as available")

    after = world.last()
    sent = juliet.text(nurse, "Nurse! Is he gone?", receipt=True)
    text = await asyncio.to_thread(world.text_at, NURSE, after)
    if text["text"] != "Nurse! Is he gone?":
        raise Unexpected(f"the handset shows {text['text']!r}")
    say("juliet", "→ nurse: Nurse! Is he gone?")
    say("handset", f"{NURSE} shows “{text['text']}” from {text['peer']}")
    await juliet.wait("the receipt", is_receipt(sent))
    say("juliet", "✓ delivered (the network's own report)")

    await asyncio.to_thread(world.post, "/api/send", {"from": NURSE, "to": JULIET_NUMBER, "text": "Anon, anon! Come, let's away."})
    answer = await juliet.wait("the answer", is_text(nurse))
    say("nurse", f"→ juliet: {answer['body']}")
    if answer["body"] != "Anon, anon! Come, let's away.":
        raise Unexpected("the answer arrived changed")

    after = world.last()
    sent = juliet.text(nurse, EMOJI, receipt=True)
    text = await asyncio.to_thread(world.text_at, NURSE, after)
    if text["text"] != EMOJI or text["segments"] != 3:
        raise Unexpected(f"three segments were expected; the handset has {text['segments']} and shows {text['text']!r}")
    await juliet.wait("the receipt", is_receipt(sent))
    say("juliet", f"→ nurse: {EMOJI}")
    say("handset", f"shows it whole, from {text['segments']} segments ({text['encoding']}); ✓ delivered")

    sent = romeo.text(wrong_number, "Juliet?")
    error = await romeo.wait("the error", is_error(sent))
    reason = error.xml.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}text")
    say("romeo", f"→ {WRONG}: Juliet?")
    say(GATEWAY.split(".")[0], f"✗ “{reason.text if reason is not None else error['error']['condition']}”")

    after = world.last()
    romeo.text(nurse, "A word with you, good nurse.")
    text = await asyncio.to_thread(world.text_at, NURSE, after)
    if text["peer"] != ROMEO_NUMBER:
        raise Unexpected(f"romeo's text came from {text['peer']}")
    say("romeo", "→ nurse: A word with you, good nurse.")
    say("handset", f"shows it from {text['peer']}: each user has a number of their own")
    for person in (juliet, romeo):
        done = person.disconnect()
        if done is not None:
            await done


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--once", action="store_true")
    arguments = parser.parse_args()

    world = World(arguments.build)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    began = time.monotonic()
    try:
        world.start_prosody()
        world.start_wherry(world.start_simulator())
        conversation = asyncio.create_task(talk(world))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({conversation, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not conversation.done():
            conversation.cancel()
            return 130
        conversation.result()
        print(f"\nEverything was as it should be ({time.monotonic() - began:.1f} s).")
        if arguments.once:
            return 0
        print(f"""
It stays up for you:
  log in     juliet@{HOST} or romeo@{HOST}, password {PASSWORD}, server 127.0.0.1 port {world.client_port}, without TLS
             (profanity: /connect juliet@{HOST} server 127.0.0.1 port {world.client_port} tls disable)
  text       any number, like +14155550199@{GATEWAY}
  handsets   {world.simulator_url}/   (read the texts, type answers)
  files      {world.folder}
Ctrl-C stops it.""", flush=True)
        await stop.wait()
        print("\nStopping.")
        return 0
    except Unexpected as e:
        print(f"\nNot as it should be: {e}.")
        world.show_logs()
        return 1
    finally:
        world.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
