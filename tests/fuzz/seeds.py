"""Seeds for the fuzz targets: the corpus of bad input (tests/corpus), and a few inputs in which all is well."""
from __future__ import annotations

import hashlib
import os
import re
import struct
import sys

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus")
sys.path.insert(0, CORPUS)

import cases  # noqa: E402

MOST = 16384  # octets of a seed: what is bad for its size alone is the corpus's business


def stanzas(kind: str) -> list[bytes]:
    return [cases.unescaped(cases.repeated(text)) for case in cases.load(kind) for text in case.all("send")]


def bodies() -> list[bytes]:
    """The texts of the webhooks behind their headers."""
    return [cases.unescaped(cases.repeated(case.text).partition("\n---\n")[0].partition("\n\n")[2]) for case in cases.load("webhooks")]


def lines() -> list[bytes]:
    found = [cases.unescaped(cases.repeated(text).replace("{account}", "1").replace("{id}", "1")) for case in cases.load("lines") for text in case.all("line")]
    return found + [event.group(1) for line in found if (event := re.search(rb'"event":(\{.*\})\}\}$', line))]


def pdus() -> list[bytes]:
    """Each alone, behind the two octets by which the target chooses."""
    found = []
    for case in cases.load("pdus"):
        words = case.one("body").replace("source", '00 01 01 "15550130" 00').replace("destination", '01 01 "15550101" 00').replace("{octet}", "08")
        body = b"".join(cases.unescaped(word[1:-1]) if word[0] == '"' else bytes.fromhex(word) for word in re.findall(r'"[^"]*"|\S+', cases.repeated(words)))
        command = 0x103 if case.one("command") == "data_sm" else 5
        found.append(b"\xff\0" + struct.pack(">IIII", 16 + len(body), command, 0, 1) + body)
    return found


def configurations() -> list[bytes]:
    return [case.text.encode() for case in cases.load("configurations")]


def addresses() -> list[bytes]:
    return [value.encode() for stanza in stanzas("stanzas") for value in re.findall(r"(?:to|from)='([^']*)'", stanza.decode(errors="replace"))]


def frames() -> list[bytes]:
    """Of an ICQ server, each behind the two octets by which the target chooses."""
    def snac(family: int, subtype: int, body: bytes) -> bytes:
        return b"\x2a\x02\0\1" + struct.pack(">HHHHI", 10 + len(body), family, subtype, 0, 0) + body

    user = b"\x06100002\0\0\0\x02\0\x01\0\x02\0\x40\0\x06\0\x04\0\0\0\x01"
    text = b"\x05\x01\0\x01\x01\x01\x01\0\x06\0\0\0\0hi"
    kept = b"\xa2\x86\x01\0\xea\x07\x0b\x1c\x16\x1e\x01\0\x03\0hi\0"
    packet = b"\xa1\x86\x01\0\x41\0\x01\0" + kept
    said = [snac(3, 0x0B, user), snac(4, 7, b"cookie01\0\x01" + user + b"\0\x02" + struct.pack(">H", len(text)) + text),
            snac(0x13, 0x19, b"\x06100002\0\x02hi\0\0"), snac(0x13, 8, b"\0\x06100002\0\x01\0\x02\0\0\0\x04\0\x66\0\0"),
            snac(0x15, 3, b"\0\x01" + struct.pack(">H", len(packet) + 2) + struct.pack("<H", len(packet)) + packet)]
    def answer(part: int, data: bytes) -> bytes:
        inner = b"\xa1\x86\x01\0\xda\x07\x01\0" + struct.pack("<HB", part, 10) + data
        return snac(0x15, 3, b"\0\x01" + struct.pack(">HH", len(inner) + 2, 0) + inner)

    text, icon = b"\x03\0hi\0", b"\x06100002\0\0\0\x01\0\x1d\0\x08\0\x01\x01\x04hash"
    said += [answer(0xC8, text * 11 + b"\x27\0"), answer(0xDC, b"\x1e\0\x01" + text + b"\xcc\x07\x02\x1d"), answer(0xE6, text),
             answer(0x1AE, b"\x1e\0\xa2\x86\x01\0" + text * 4 + bytes(6)), answer(0x118, b"\x54\x01\x05\0" + text), snac(3, 0x0B, icon)]
    login = b"\x2a\x01\0\0\0\x04\0\0\0\x01" + snac(0x17, 7, b"\0\x02ab")
    return [b"\xff\x05" + one for one in said] + [b"\x06\x05" + b"".join(said), b"\xff\0" + login]


MADE = {
    "stream": lambda: [b"\x07" + seed for kind in ("stanzas", "registrations", "streams") for seed in stanzas(kind)],
    "jid": lambda: addresses() + ["Bücher@例え.test/スマホ".encode(), b"a\\20b\\5c40@[::1]/x"],
    "form": lambda: [found for seed in stanzas("registrations") for found in re.findall(rb"<x xmlns='jabber:x:data'[^>]*>(.*)</x>", seed)],
    "line": lines,
    "http_form": bodies,
    "webhook": lambda: [head + body for body in bodies() for head in (b"\0\x0d/twilio?key=1\x04abcd\0\0", b"\1\x0d/telnyx?key=1\x04abcd\x0a1558719886\1")],
    "config": configurations,
    "oscar": frames,
    "smpp": pdus,
    "msn": lambda: [b"\x07VER 1 MSNP12\r\nCVR 2 a b c d e\r\nUSR 3 TWN S ct=1\r\nNLN BSY b@x.test B 0\r\nUBX b@x.test 20\r\n<Data><PSM>&#233;</PSM>",
                    b"\x03USR 1 OK a@x.test A\r\nJOI b@x.test B 0\r\nMSG b@x.test B 34\r\nContent-Type: text/plain\r\n\r\nhello!",
                    b"\x09LST N=b@x.test F=B C=1 3 1 \r\nBPR PHH 1\r\nILN 6 NLN b@x.test B 0 %3Cmsnobj%20Type=%223%22%20SHA1D=%22a=%22/%3E\r\n",
                    b"\x01Content-Type: text/x-msmsgsoimnotification\r\n\r\nMail-Data: <MD><M><T>11</T><RT>2026-11-29T02:44:07Z</RT><E>b@x.test</E>"
                    b"<I>1</I></M></MD>\r\n",
                    b"\x01<GetMessageResult>Date: Sun, 29 Nov 2026 02:44:07 -0800&#13;\nX-OIM-Sequence-Num: 1\nContent-Transfer-Encoding: base64\n\naGk=\n"
                    b"</GetMessageResult><q0:Fault><faultcode>q0:AuthenticationFailed</faultcode><LockKeyChallenge>1</LockKeyChallenge></q0:Fault>"],
    "user_data": lambda: [b"\0\0" + pdu[-24:] for pdu in pdus()] + [b"\x08\0\xd8\x3d\xde\0", b"\0\0\x05\0\x03\x01\x02\x01text"],
    "reassembly": lambda: [b"\x41\0\0\x04text\x41\x01\0\x04more\0", b"\x43\0\x05\x04text\x10\xff\x43\x01\x05\x02\xd8\x3d\0\x43\x02\x05\x02\xde\0"],
}


def write(target: str, folder: str) -> None:
    for seed in MADE[target]():
        if len(seed) <= MOST:
            with open(os.path.join(folder, "seed-" + hashlib.sha1(seed).hexdigest()[:16]), "wb") as file:
                file.write(seed)
