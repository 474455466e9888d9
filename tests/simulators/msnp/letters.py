"""Messages that wait for who is away, over SOAP 1.1, as Escargot was seen to keep them."""
from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.header import decode_header
from email.parser import Parser
from uuid import uuid4

from link import Broken

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
RSI = "http://www.hotmail.msn.com/ws/2004/09/oim/rsi"
OWS = "http://messenger.msn.com/ws/2004/09/oim/"
SEQUENCE, UTILITY = "http://schemas.xmlsoap.org/ws/2003/03/rm", "http://schemas.xmlsoap.org/ws/2002/07/utility"
RUN_ID = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
MOST_IN_A_NOTICE = 25


@dataclass
class Letter:
    sender: str
    name: str
    text: str
    run: str
    number: int
    written: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    id: str = field(default_factory=lambda: str(uuid4()).upper())

    def note(self, at_login: bool) -> str:
        when = f"<RT>{self.written:%Y-%m-%dT%H:%M:%SZ}</RT>" if at_login else ""
        return (f"<M><T>11</T><S>6</S>{when}<RS>0</RS><SZ>100</SZ><E>{self.sender}</E><I>{self.id}</I>"
                f"<F>.!!OIM</F><N>=?utf-8?B?{base64.b64encode(self.name.encode()).decode()}?=</N></M>")

    def mail(self) -> str:
        lines = ["Received: from mail pickup service with SMTPSVC;", "\t Sun, 29 Nov 2026 02:44:07 -0800",
                 f"From: {self.name} <{self.sender}>", "Subject: ", "MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8",
                 "Content-Transfer-Encoding: base64", "X-OIM-Message-Type: OfflineMessage", f"X-OIM-Run-Id: {self.run}",
                 f"X-OIM-Sequence-Num: {self.number}", f"X-OriginalArrivalTime: {self.written:%d %b %Y %H:%M:%S.%f} (UTC)",
                 "Date: 01 Jan 2001 00:00:00 -0800", "", base64.b64encode(self.text.encode()).decode()]
        return "\r\n".join(lines)


def notice(letters: list[Letter], at_login: bool) -> bytes:
    """The payload that announces them."""
    kind = "initialmdatanotification" if at_login else "oimnotification"
    notes = "".join(letter.note(at_login) for letter in letters)
    data = f"<MD><E><I>0</I><IU>0</IU><O>0</O><OU>0</OU></E>{notes}</MD>" if len(letters) <= MOST_IN_A_NOTICE else "too-large"
    return f"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgs{kind}; charset=UTF-8\r\n\r\nMail-Data: {data}\r\n".encode()


def envelope(inside: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP[1:-1]}"><soap:Body>{inside}</soap:Body></soap:Envelope>'


def fault(code: str, detail: str = "") -> tuple[str, str]:
    return "500 Internal Server Error", envelope(f'<soap:Fault><faultcode xmlns:q0="{OWS}">q0:{code}</faultcode>'
                                                 f"<faultstring>No.</faultstring><detail>{detail}</detail></soap:Fault>")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


class LetterService:
    """The two pages: one call, one answer (HTTP status and body)."""

    def __init__(self, state) -> None:
        self.state = state

    def answer(self, path: str, action: str, body: bytes) -> tuple[str, str]:
        if not self.state.is_on("letters"):
            return "404 Not Found", ""
        if self.state.is_on("letters_fail"):
            return "503 Service Unavailable", ""
        root = xml.fromstring(body)
        if path == "/OimWS/oim.asmx" and action == f'"{OWS}Store"':
            return self._store(root)
        name = action.removeprefix(f'"{RSI}/').removesuffix('"')
        call = root.find(f"{SOAP}Body/{{{RSI}}}{name}")
        account = self.state.account_with(root.findtext(f"{SOAP}Header/{{{RSI}}}PassportCookie/{{{RSI}}}t") or "")
        if path != "/rsi/rsi.asmx" or call is None:
            raise Broken(f"a SOAP call that there is not: {path} {action}")
        if account is None:
            return fault("Client")
        return getattr(self, "_" + name)(account, call)

    def _GetMetadata(self, account, call) -> tuple[str, str]:
        if not list(call):  # as Escargot takes an empty element for none
            return "500 Internal Server Error", ""
        notes = f'<MD>{"".join(letter.note(True) for letter in account.letters)}</MD>'
        return "200 OK", envelope(f'<GetMetadataResponse xmlns="{RSI}">{escaped(notes)}</GetMetadataResponse>')

    def _GetMessage(self, account, call) -> tuple[str, str]:
        found = [letter for letter in account.letters if letter.id == call.findtext(f"{{{RSI}}}messageId")]
        if not found or call.findtext(f"{{{RSI}}}alsoMarkAsRead") != "false":
            return "500 Internal Server Error", ""
        return "200 OK", envelope(f'<GetMessageResponse xmlns="{RSI}"><GetMessageResult>{escaped(found[0].mail())}</GetMessageResult></GetMessageResponse>')

    def _DeleteMessages(self, account, call) -> tuple[str, str]:
        ids = [element.text for element in call.findall(f"{{{RSI}}}messageIds/{{{RSI}}}messageId")]
        known = {letter.id for letter in account.letters}
        if not ids or not known.issuperset(ids):
            return fault("Client")
        if not self.state.is_on("letters_stay"):
            account.letters = [letter for letter in account.letters if letter.id not in ids]
        return "200 OK", envelope(f'<DeleteMessagesResponse xmlns="{RSI}" />')

    def _store(self, root) -> tuple[str, str]:
        header = root.find(f"{SOAP}Header")
        sender, to, ticket = (header.find(f"{{{OWS}}}{name}") for name in ("From", "To", "Ticket"))
        number = header.findtext(f"{{{SEQUENCE}}}Sequence/{{{SEQUENCE}}}MessageNumber")
        if header.findtext(f"{{{SEQUENCE}}}Sequence/{{{UTILITY}}}Identifier") != "http://messenger.msn.com":
            raise Broken("Store has no Sequence")
        account = self.state.account_with(ticket.get("passport").removeprefix("t="))
        if account is None or not ticket.get("lockkey") or ticket.get("appid") != "PROD0090YUAUV{2B":
            return fault("AuthenticationFailed")
        if self.state.is_on("lock") and ticket.get("lockkey") != "85ecb0db8f32113df79ce0892b9a102c":
            return fault("AuthenticationFailed", f'<LockKeyChallenge xmlns="{OWS}">22210219642164014968</LockKeyChallenge>')
        recipient = self.state.accounts.get(to.get("memberName"))
        if sender.get("memberName") != account.email or recipient is None or not recipient.lets_see(account.email):
            return fault("SystemUnavailable")
        (name, charset), = decode_header(sender.get("friendlyName"))
        mail = Parser().parsestr(root.findtext(f"{SOAP}Body/{{{OWS}}}Content").replace("\r\n", "\n"))
        right = {"MIME-Version": "1.0", "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "base64",
                 "X-OIM-Message-Type": "OfflineMessage", "X-OIM-Sequence-Num": number}
        if root.findtext(f"{SOAP}Body/{{{OWS}}}MessageType") != "text" or any(mail[key] != value for key, value in right.items()) \
                or not RUN_ID.fullmatch(mail["X-OIM-Run-Id"]) or any(len(line) > 77 for line in mail.get_payload().split("\n")):
            raise Broken("Store has no such content")
        text = base64.b64decode(mail.get_payload(), validate=False).decode()
        self.state.leave(recipient, Letter(account.email, name.decode(charset), text, mail["X-OIM-Run-Id"], int(number)))
        return "200 OK", envelope(f'<StoreResponse xmlns="{OWS}"><PointsConsumed>0</PointsConsumed></StoreResponse>')
