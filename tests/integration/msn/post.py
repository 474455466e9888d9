"""Offline messages as an MSN program leaves and fetches them (SOAP 1.1 over HTTPS), written apart from the connector."""
from __future__ import annotations

import base64
import re
import ssl
import urllib.error
import urllib.request
from email.parser import Parser
from html import unescape

RSI = "http://www.hotmail.msn.com/ws/2004/09/oim/rsi"
OWS = "http://messenger.msn.com/ws/2004/09/oim/"


class Post:
    """Of one person, with the ticket of their session. Every call blocks."""

    def __init__(self, server, email: str, ticket: str) -> None:
        self._host = re.match("https://[^/]*", server.nexus_url)[0]
        self._context = ssl.create_default_context(cafile=server.ca_file)
        self._email, self._ticket, self._last = email, ticket, 0

    def _call(self, path: str, action: str, header: str, body: str) -> str:
        envelope = (f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
                    f"<soap:Header>{header}</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>")
        request = urllib.request.Request(self._host + path, envelope.encode(), {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'})
        with urllib.request.urlopen(request, context=self._context) as answer:
            return answer.read().decode()

    def leave(self, to: str, text: str) -> None:
        self._last += 1
        mail = ("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n"
                "X-OIM-Message-Type: OfflineMessage\nX-OIM-Run-Id: {3A3BE82C-684D-4F4F-8005-CBE8D4F82BAD}\n"
                f"X-OIM-Sequence-Num: {self._last}\n\n{base64.encodebytes(text.encode()).decode()}")
        header = (f'<From memberName="{self._email}" friendlyName="=?utf-8?B?Sg==?=" xml:lang="nl-nl" proxy="MSNMSGR" xmlns="{OWS}" msnpVer="MSNP12" '
                  f'buildVer="7.5.0324"/><To memberName="{to}" xmlns="{OWS}"/><Ticket passport="{self._ticket}" appid="PROD0090YUAUV{{2B" lockkey="x" '
                  f'xmlns="{OWS}"/><Sequence xmlns="http://schemas.xmlsoap.org/ws/2003/03/rm"><Identifier '
                  f'xmlns="http://schemas.xmlsoap.org/ws/2002/07/utility">http://messenger.msn.com</Identifier><MessageNumber>{self._last}</MessageNumber></Sequence>')
        self._call("/OimWS/oim.asmx", OWS + "Store", header, f'<MessageType xmlns="{OWS}">text</MessageType><Content xmlns="{OWS}">{mail}</Content>')

    def fetch(self, number: str) -> str:
        """The text of a letter, which is deleted then."""
        cookie = f'<PassportCookie xmlns="{RSI}"><t>{self._ticket}</t><p></p></PassportCookie>'
        answer = self._call("/rsi/rsi.asmx", RSI + "/GetMessage", cookie,
                            f'<GetMessage xmlns="{RSI}"><messageId>{number}</messageId><alsoMarkAsRead>false</alsoMarkAsRead></GetMessage>')
        mail = Parser().parsestr(unescape(re.search("(?s)<GetMessageResult>(.*)</GetMessageResult>", answer)[1]).replace("\r\n", "\n"))
        self._call("/rsi/rsi.asmx", RSI + "/DeleteMessages", cookie,
                   f'<DeleteMessages xmlns="{RSI}"><messageIds><messageId>{number}</messageId></messageIds></DeleteMessages>')
        return base64.b64decode(mail.get_payload()).decode()


def announced(payload: bytes) -> list[str]:
    """The ids of the letters in a notice."""
    return re.findall("<I>([^<]*)</I><F>", payload.decode())
