"""One player per kind of case: throws it, and compares what comes back with what the file says. README.md has the formats."""
from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading

import pdu
from cases import Case, Wrong, repeated, unescaped
from mailbox import NotReceived
from world import HANDSET, LIMIT, LINES, ROMEO, SMS, World, own_domain
from wherry import MIGRATIONS
from xml_match import difference, matches
from xml_stream import CLIENT, child, parse, to_text

HERE = os.path.dirname(os.path.abspath(__file__))


async def get(world: World, person: str, pattern_text: str) -> None:
    """That person gets what the pattern describes. Raises Wrong with what came instead."""
    client = world.people[person]
    [pattern] = parse(repeated(pattern_text))
    try:
        await client.take(lambda element: matches(pattern, element, {}) is not None, LIMIT / 4)
    except NotReceived:
        said = [f"{difference(pattern, element, {})}: {to_text(element)[:700]}" for element in client.waiting()]
        raise Wrong(f"{person} did not get {pattern_text}\n" + ("\n".join(said) or "got nothing")) from None


async def body(world: World, person: str, words: str) -> None:
    """That person gets a message; `any` text will do, or `nothing` (which `leftovers` proves)."""
    if words == "nothing":
        return
    client = world.people[person]
    try:
        message = await client.take(lambda element: child(element, "body", CLIENT) is not None, LIMIT / 4)
    except NotReceived:
        raise Wrong(f"{person} got no message; but {client.describe()}") from None
    found = getattr(child(message, "body", CLIENT), "text", None) or ""
    wanted = unescaped(repeated(words)).decode()
    if words != "any" and found != wanted:
        raise Wrong(f"{person} got the text {found[:300]!r}, not {wanted[:300]!r}")


def counted(world: World, case: Case) -> str:
    """`texts N words`: once all of it has arrived, Romeo has so many messages with this text (or `any`); "" where it is so."""
    number, _, words = case.one("texts", "0 any").partition(" ")
    client = world.people["romeo@x.test"]
    found = [getattr(child(element, "body", CLIENT), "text", None) for element in client.waiting()]
    if case.has("texts"):
        client.clear()
        if len(found) != int(number) or any(words not in ("any", text) for text in found):
            return f"{len(found)} texts came, not {number}: {sorted({str(text)[:40] for text in found})}"
    return ""


# ---- stanzas, registrations: what a stranger says through the server ----

async def stanzas(world: World, case: Case) -> None:
    since = len(world.log)
    for word, rest in case.steps:
        if word == "send":
            world.write_to_component(SMS, repeated(rest))
            sender = re.search(r" from='([a-z]+@[a-z.]+)[/']", rest)
            person = sender.group(1) if sender and sender.group(1) in world.people else "romeo@x.test"
        elif word == "answer":
            await world.settled(world.people["romeo@x.test"])
            if rest != "nothing":
                await get(world, person, rest)
        elif word == "log":
            await world.logged(rest, since)
        elif word == "smsc":
            got = await asyncio.wait_for(world.before.bind.texts.get(), LIMIT)
            if got != (ROMEO, rest):
                raise Wrong(f"the SMS centre got {got}")
        else:
            raise SystemExit(f"{case.name}: there is no step {word}")


# ---- streams: what only a broken server says; it costs that stream, and it comes back ----

async def streams(world: World, case: Case) -> None:
    domain = own_domain(case)
    since = len(world.log)
    before = world.server.listener.connected[domain]
    world.write_to_component(domain, unescaped(repeated(case.one("send"))).decode())
    await world.logged(case.one("ends"), since)
    await world.logged(f"component.connected domain={domain}", since)
    if world.server.listener.connected[domain] is before:
        raise Wrong("the stream did not end")
    await world.settled(world.people["romeo@x.test"], domain)


# ---- pdus: what an SMS centre sends ----

SHORT = {"source": f'00 01 01 "{HANDSET}" 00', "destination": f'01 01 "{ROMEO}" 00'}


def octets(text: str, octet: int) -> bytes:
    """`source 00 0x "text" {octet}`: words for whole fields, octets in hexadecimal, texts in quotes."""
    out = b""
    for word in re.findall(r'"[^"]*"|\S+', repeated(text)):
        if word in SHORT:
            out += octets(SHORT[word], octet)
        elif word == "{octet}":
            out += bytes([octet])
        elif word.startswith('"'):
            out += unescaped(word[1:-1])
        else:
            out += bytes.fromhex(word)
    return out


def number(word: str, names: dict[int, str]) -> int:
    known = {name: code for code, name in names.items()}
    return known[word] if word in known else int(word, 0)


async def pdus(world: World, case: Case) -> None:
    own = case.has("ends") or case.has("slow")
    bind = world.smsc.binds[world.own_links.get(case.name, "main")]
    since = len(world.log)
    first, last = (int(word, 16) for word in case.one("each", "00 00").split())
    for octet in range(first, last + 1):
        content = octets(case.one("body"), octet)
        bind.sequence += 1
        sequence = int(case.one("sequence", str(bind.sequence)), 0)
        length = int(case.one("length", str(16 + len(content))), 0)
        command = number(case.one("command"), pdu.COMMANDS)
        head = pdu.HEADER.pack(length, command, int(case.one("status", "0"), 0), sequence)
        world.smsc.send(bind, (head + content)[:int(case.one("cut", "99999999"))])
        if (answer := case.one("answer")) != "nothing":
            words = answer.split()
            wanted = (number(words[0], pdu.COMMANDS), number(words[1], pdu.STATUS_NAMES), int(words[2], 0) if len(words) > 2 else sequence)
            try:
                got = await asyncio.wait_for(bind.answers.get(), LIMIT)
            except asyncio.TimeoutError:
                raise Wrong(f"octet {octet:02x}: no answer") from None
            if got != wanted:
                shown = pdu.COMMANDS.get(got[0], hex(got[0])), pdu.STATUS_NAMES.get(got[1], hex(got[1])), got[2]
                raise Wrong(f"octet {octet:02x}: answered {shown}, not {answer} {wanted[2]}")
        if case.has("text"):
            await body(world, "romeo@x.test", case.one("text"))
    if own:
        await asyncio.wait_for(bind.ended.wait(), LIMIT)
        await world.smsc.bound(bind.system_id, 2)
    if case.has("ends"):
        await world.logged(case.one("ends"), since)
    if case.has("log"):
        await world.logged(case.one("log"), since)
    if not bind.answers.empty():
        raise Wrong(f"one answer too many: {bind.answers.get_nowait()}")


# ---- webhooks: what anybody on the Internet posts ----

async def webhooks(world: World, case: Case) -> None:
    request, _, expected = repeated(case.text).strip("\n").partition("\n---\n")
    head, _, content = request.partition("\n\n")
    posted = unescaped(content)
    target = head.split(" ")[1]
    signature = world.sign(target, posted.decode("utf-8", "surrogateescape")) if "{signature}" in head else ""
    head = head.rstrip("\n").replace("{signature}", signature).replace("{length}", str(len(posted)))
    for name, value in (("Host", "sms.x.test"), ("Connection", "close")):
        if f"\n{name}:" not in head:
            head += f"\n{name}: {value}"
    answer = await world.http(unescaped(head.replace("\n", "\r\n")) + b"\r\n\r\n" + posted)
    status = [line.split(b" ", 2)[1].decode() for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    said = answer.partition(b"\r\n\r\n")[2].decode(errors="replace").strip()
    got = f"{' '.join(status)} {said}".strip() or "closed"
    lines = expected.strip("\n").split("\n")
    if got != lines[0]:
        raise Wrong(f"answered: {got[:500]}\nnot: {lines[0]}")
    for line in lines[1:]:
        if line != "slow":
            await body(world, "nurse@x.test", line.removeprefix("nurse gets "))


# ---- lines: what a child connector writes ----

async def lines(world: World, case: Case) -> None:
    domain = own_domain(case) if case.has("ends") else LINES
    there = world.children[domain]
    since, hellos, request = len(world.log), there.hellos, 0
    for word, rest in case.steps:
        if word == "when":       # Romeo's message is on its way: this is asked of the child, what comes before it is answered
            await world.people["romeo@x.test"].send(f"<message type='chat' id='{case.name}' to='{case.name}@{domain}'><body>hi</body></message>")
            while (message := await asyncio.wait_for(there.lines.get(), LIMIT))["method"] != rest:
                there.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {"contact": case.name} if message["method"] == "parse_contact" else {}}).encode())
            request = message["id"]
        elif word == "line":
            there.write(unescaped(repeated(rest).replace("{account}", str(there.account)).replace("{id}", str(request))))
        elif word == "answer":
            got = await asyncio.wait_for(there.lines.get(), LIMIT)
            if got != json.loads(rest):
                raise Wrong(f"answered {json.dumps(got)[:500]}\nnot {rest}")
        elif word == "romeo":
            await get(world, "romeo@x.test", rest)
        elif word == "text":
            await body(world, "romeo@x.test", rest)
        elif word == "ends":
            await world.logged(rest, since)
            await there.until(lambda: there.hellos > hellos)
        elif word == "log":
            await world.logged(rest, since)
        elif word != "texts":
            raise SystemExit(f"{case.name}: there is no step {word}")
    await world.settled(world.people["romeo@x.test"], domain)
    if not there.lines.empty():
        raise Wrong(f"one answer too many: {there.lines.get_nowait()}")


# ---- configurations: what keeps wherry from starting ----

def surroundings(binary: str) -> dict[str, str]:
    connectors = os.path.join(os.path.dirname(os.path.abspath(binary)), "..", "connectors")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WHERRY_")}
    return inherited | {"WHERRY_CONNECTORS": connectors, "WHERRY_MIGRATIONS": MIGRATIONS}


def run(binary: str, command: str, config: str, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run([binary, command, "--config", config], capture_output=True, timeout=60, env=surroundings(binary) | environment)
    said = [line for line in done.stderr.decode(errors="replace").split("\n") if line.startswith("wherry: ") or "Sanitizer" in line or "runtime error" in line]
    return done.returncode, "\n".join(line.removeprefix("wherry: ") for line in said)


def compare(code: int, said: str, wanted: str) -> None:
    beginning, open_end, _ = wanted.partition("…")
    if code != 2 or (not said.startswith(beginning) if open_end else said != wanted):
        raise Wrong(f"exit {code}: {said}\nnot exit 2: {wanted}")


def configurations(binary: str, case: Case) -> None:
    """`#= the sentence`, one for each mistake, with FILE for the file's path; `#env NAME=value`; `#file NAME text`; `#run` where only starting can tell."""
    with tempfile.TemporaryDirectory(prefix="wherry-corpus-") as folder:
        path = os.path.join(folder, "wherry.toml")
        content, wanted, environment, command = b"", "", {}, "check"
        with open(os.path.join(HERE, "configurations", f"{case.name}.toml"), encoding="utf-8") as file:
            text = file.read()
        for line in text.split("\n"):
            key, _, rest = line.partition(" ")
            if key == "#=":
                wanted += ("\n" if wanted else "") + rest.replace("FILE", path).replace("FOLDER", folder)
            elif key == "#env":
                environment |= dict([rest.split("=", 1)])
            elif key == "#file":
                name, _, words = rest.partition(" ")
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(unescaped(repeated(words)))
            elif key == "#folder":
                os.mkdir(os.path.join(folder, rest))
            elif key == "#raw":
                content = unescaped(repeated(rest))
            elif key == "#path":
                path = os.path.join(folder, rest)
            elif key == "#run":
                command = "run"
        wanted = wanted.replace("FILE", path)
        if not os.path.isdir(path) and not os.path.basename(path).startswith("absent"):
            with open(path, "wb") as file:
                file.write(content or repeated(text).replace("FOLDER", folder).encode())
        compare(*run(binary, command, path, environment), wanted)


# ---- hellos: what keeps one network away, and no other ----

def hellos(binary: str, case: Case) -> None:
    """A child that answers hello with `line`, that ends without a word (`silence`), or that is another `command`: wherry runs without it."""
    with tempfile.TemporaryDirectory(prefix="wherry-corpus-") as folder:
        said = os.path.join(folder, "said")
        with open(said, "wb") as file:
            file.write(unescaped(repeated(case.one("line"))) + b"\n")
        path = os.path.join(folder, "wherry.toml")
        command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.stdin.readline(); sys.stdout.buffer.write(open({said!r}, 'rb').read()); sys.stdout.flush(); sys.stdin.readline()"]
        if case.has("silence"):
            command = ["true"]
        if case.has("command"):
            command = [case.one("command")]
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[store]\nurl = "sqlite:wherry.db"\n[[transport]]\ndomain = "a.x.test"\nchild = {json.dumps(command)}\nserver = {{ secret = "s" }}\n')
        code, log = until_failed(binary, path)
        wanted = case.one("wherry").replace("FILE", path)
        told = 'error="' + wanted.replace('"', '\\"') + '"'
        if code != 0 or told not in log[-1]:
            raise Wrong(f"exit {code}: {log[-1]}\nnot exit 0: {told}")


def until_failed(binary: str, config: str) -> tuple[int, list[str]]:
    """Runs wherry until its log says that a transport failed, and ends it; the exit code and the log up to there."""
    with subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.PIPE, text=True, errors="replace", env=surroundings(binary)) as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        log = []
        for line in process.stderr:
            log.append(line.rstrip())
            if " transport.failed " in line:
                break
        process.terminate()
        process.stderr.read()
        code = process.wait()
        guard.cancel()
    return code, log
