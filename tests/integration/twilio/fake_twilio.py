"""Twilio's Messages resource (2010-04-01) on loopback, with a memory, and faults on demand.

A test names what happens to the next sends: fake.plan("cut_after") and so on, one word each:
  ok              201
  cut_before      the connection is closed; nothing is sent
  cut_after       the message is sent; the connection is closed without an answer
  500, 500_after  HTTP 500, without or after sending
  429, 503, 401   refused; 429 and 503 with Retry-After: 2
  CODE            HTTP 400 with that error code, for example 21610
  hold_before     waits until release() or the client is gone, and sends nothing
  hold_after      sends, then waits likewise
  callback_first  sends, posts the status "sent" and "delivered", and only then answers
"""
import base64
import http.server
import json
import secrets
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Callable

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "secret-token"
FILE = b"\xff\xd8\xff\xe0 a picture "
PAGE = 3  # the most messages on a page, so that small tests turn pages


class FakeTwilio:
    signature_header = "X-Twilio-Signature"

    def __init__(self, sign: Callable[[str, dict[str, Any]], str]) -> None:
        self.sign = sign
        self.messages: list[dict[str, Any]] = []  # the oldest first
        self.callbacks: dict[str, str] = {}  # by sid
        self.files: dict[str, list[str]] = {}
        self.requests: list[str] = []  # "POST", "LIST …", "FETCH …", "MEDIA …"
        self.plans: list[str] = []
        self.list_failures: list[int] = []
        self.arrived = threading.Event()
        self.released = threading.Event()
        self.hide = False  # messages are not listed yet
        self.lock = threading.Condition()  # told of every request
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                fake.post(self, dict(urllib.parse.parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)))

            def do_GET(self) -> None:
                fake.get(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    # ---- what a test does ----

    def plan(self, *words: str) -> None:
        self.arrived.clear()
        self.released.clear()
        self.plans.extend(words)

    def release(self) -> None:
        self.released.set()

    def wait_until(self, reached: Callable[[], Any], limit: float) -> None:
        """Looked at with every request. Raises AssertionError."""
        with self.lock:
            assert self.lock.wait_for(reached, limit), f"not within {limit:g} s; the requests: {self.requests}"

    def sent(self) -> list[dict[str, Any]]:
        with self.lock:
            return [m for m in self.messages if m["direction"] == "outbound-api"]

    def add(self, direction: str, sender: str, to: str, body: str, status: str, age: float = 0, files: int = 0) -> dict[str, Any]:
        sid = ("MM" if files else "SM") + secrets.token_hex(16)
        when = formatdate(time.time() - age, usegmt=True).replace("GMT", "+0000")
        base = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}"
        message = {"sid": sid, "account_sid": ACCOUNT, "api_version": "2010-04-01", "direction": direction, "from": sender, "to": to,
                   "body": body, "status": status, "error_code": None, "error_message": None, "num_media": str(files), "num_segments": "1",
                   "date_created": when, "date_updated": when, "date_sent": when if direction == "inbound" else None,
                   "messaging_service_sid": None, "price": None, "price_unit": "USD", "uri": base + ".json",
                   "subresource_uris": {"media": base + "/Media.json"}}
        with self.lock:
            self.messages.append(message)
            self.files[sid] = [f"{base}/Media/ME{n:032x}" for n in range(files)]
        return message

    def incoming(self, body: str, sender: str = "+15550100", to: str = "+15550001", age: float = 0, files: int = 0) -> dict[str, Any]:
        return self.add("inbound", sender, to, body, "received", age, files)

    def webhook_fields(self, message: dict[str, Any]) -> dict[str, Any]:
        fields = {"MessageSid": message["sid"], "SmsSid": message["sid"], "SmsMessageSid": message["sid"], "AccountSid": ACCOUNT,
                  "From": message["from"], "To": message["to"], "Body": message["body"], "NumMedia": message["num_media"],
                  "NumSegments": "1", "SmsStatus": "received", "ApiVersion": "2010-04-01", "FromCity": ""}
        for n, path in enumerate(self.files[message["sid"]]):
            fields[f"MediaUrl{n}"] = self.url + path
            fields[f"MediaContentType{n}"] = "image/jpeg"
        return fields

    def report(self, message: dict[str, Any], status: str, error: int | None = None) -> int:
        """Sets the status and posts it to the message's StatusCallback."""
        with self.lock:
            message["status"], message["error_code"] = status, error
        fields = {"MessageSid": message["sid"], "SmsSid": message["sid"], "AccountSid": ACCOUNT, "From": message["from"],
                  "To": message["to"], "MessageStatus": status, "SmsStatus": status, "ApiVersion": "2010-04-01"}
        if error:
            fields["ErrorCode"] = str(error)
        return self.deliver(self.callbacks[message["sid"]], fields)[0]

    def deliver(self, url: str, fields: dict[str, Any], signature: str | None = None) -> tuple[int, str, str]:
        """Posts a signed webhook: status, content type, body."""
        request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), method="POST")
        request.add_header(self.signature_header, self.sign(url, fields) if signature is None else signature)
        return fetch(request)

    # ---- the API ----

    def answer(self, client: http.server.BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        client.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
            client.send_header(name, value)
        try:
            client.end_headers()
            client.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            client.close_connection = True  # a driver that was killed

    def refuse(self, client: http.server.BaseHTTPRequestHandler, status: int, code: int, headers: dict[str, str] | None = None) -> None:
        self.answer(client, status, {"code": code, "message": "refused", "more_info": "", "status": status}, headers)

    def cut(self, client: http.server.BaseHTTPRequestHandler) -> None:
        client.close_connection = True
        client.connection.shutdown(socket.SHUT_RDWR)

    def wait(self, client: http.server.BaseHTTPRequestHandler) -> None:
        """Until it is released."""
        self.arrived.set()
        self.released.wait(60)

    def authorized(self, client: http.server.BaseHTTPRequestHandler) -> bool:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if client.headers.get("Authorization") == expected:
            return True
        self.refuse(client, 401, 20003)
        return False

    def post(self, client: http.server.BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        if not self.authorized(client):
            return
        with self.lock:
            self.requests.append("POST")
            plan = self.plans.pop(0) if self.plans else "ok"
        if plan in ("429", "503"):
            return self.refuse(client, int(plan), 20429 if plan == "429" else 0, {"Retry-After": "2"})
        if plan == "401":
            return self.refuse(client, 401, 20003)
        if plan == "500":
            return self.refuse(client, 500, 20500)
        if plan.isdigit():
            return self.refuse(client, 400, int(plan))
        if plan == "cut_before":
            return self.cut(client)
        if plan == "hold_before":
            self.wait(client)
            return self.cut(client)
        if not all(form.get(name) for name in ("To", "From", "Body")):
            return self.refuse(client, 400, 21602)
        message = self.add("outbound-api", form["From"], form["To"], form["Body"], "queued")
        with self.lock:
            if "StatusCallback" in form:
                self.callbacks[message["sid"]] = form["StatusCallback"]
            self.lock.notify_all()
        if plan == "500_after":
            return self.refuse(client, 500, 20500)
        if plan == "cut_after":
            return self.cut(client)
        if plan == "hold_after":
            self.wait(client)
        if plan == "callback_first":
            snapshot = dict(message)
            self.report(message, "sent")
            self.report(message, "delivered")
            return self.answer(client, 201, snapshot)
        self.answer(client, 201, message)

    def give_stored(self, client: http.server.BaseHTTPRequestHandler) -> None:
        """Where a file lies: open to whoever has the address, and no place for the account's password."""
        if client.headers.get("Authorization"):
            return self.refuse(client, 400, 0)
        self.requests.append("STORED")
        data = FILE + client.path[-34:].encode()
        client.send_response(200)
        for name, value in {"Content-Type": "image/jpeg", "Content-Length": str(len(data))}.items():
            client.send_header(name, value)
        client.end_headers()
        client.wfile.write(data)

    def get(self, client: http.server.BaseHTTPRequestHandler) -> None:
        if client.path.startswith("/stored/"):
            return self.give_stored(client)
        if not self.authorized(client):
            return
        url = urllib.parse.urlsplit(client.path)
        if "/Media/" in url.path:  # Twilio, Media subresource: behind the account's password, and then elsewhere
            return self.answer(client, 307, {}, {"Location": f"{self.url}/stored/{url.path[-34:]}"})
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.split("/")  # "", "2010-04-01", "Accounts", sid, "Messages…"
        with self.lock:
            if parts[-1] == "Media.json":
                self.requests.append("MEDIA " + parts[5])
                return self.answer(client, 200, {"media_list": [{"sid": p[-34:], "uri": p + ".json", "content_type": "image/jpeg"}
                                                                for p in self.files[parts[5]]]})
            if len(parts) == 6:
                sid = parts[5].removesuffix(".json")
                self.requests.append("FETCH " + sid)
                found = [m for m in self.messages if m["sid"] == sid]
                return self.answer(client, 200, found[0]) if found else self.refuse(client, 404, 20404)
            self.requests.append("LIST " + url.query)
            self.lock.notify_all()
            if self.list_failures:
                return self.refuse(client, self.list_failures.pop(0), 0)
            self.list(client, url.path, query)

    def list(self, client: http.server.BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        since, until = query.get("DateSent>", ""), query.get("DateSent<", "")
        found = []
        for m in reversed(self.messages):  # the newest first
            if self.hide:
                continue
            if query.get("To", m["to"]) != m["to"] or query.get("From", m["from"]) != m["from"]:
                continue
            if since and (m["date_sent"] is None or iso(m["date_sent"]) < since):
                continue
            if until and m["date_sent"] is not None and iso(m["date_sent"]) >= until:
                continue
            found.append(m)
        start = int(query.get("PageToken", "PT0")[2:])
        size = min(PAGE, int(query["PageSize"]))
        more = len(found) > start + size
        rest = {k: v for k, v in query.items() if k not in ("Page", "PageToken")}

        def uri(n: int) -> str:
            return path + "?" + urllib.parse.urlencode({**rest, "Page": n // size, "PageToken": f"PT{n}"})

        self.answer(client, 200, {"messages": found[start:start + size], "next_page_uri": uri(start + size) if more else None,
                                  "previous_page_uri": None, "first_page_uri": uri(0), "uri": uri(start), "page": start // size,
                                  "page_size": size, "start": start, "end": start + len(found[start:start + size])})


def iso(date: str) -> str:
    return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ")


def fetch_file(url: str, method: str = "GET") -> tuple[int, str, int, bytes]:
    """As a client of XMPP opens a file: status, content type, length, octets."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, method=method), timeout=30) as response:
            return response.status, response.headers.get("Content-Type", ""), int(response.headers["Content-Length"]), response.read()
    except urllib.error.HTTPError as error:
        return error.code, "", 0, b""


def fetch(request: urllib.request.Request) -> tuple[int, str, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return response.status, response.headers.get("Content-Type", ""), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read().decode()
