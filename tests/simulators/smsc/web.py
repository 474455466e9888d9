"""The HTTP side: the API for tests and people, the events for the page, and the page itself.

Every GET that can wait takes `wait=seconds`: it answers as soon as what it asks for is there, so that tests never sleep.
"""
import asyncio
import base64
import hashlib
import json
import os
import re
import time
from typing import Callable, Optional

import log as logs
import switches
from centre import Centre
from http_server import HttpError, HttpServer, Page, Request, Stream
from server import Server
from texts import Text, tidy_number

MAX_WAIT, MAX_LISTED, MAX_WATCHED = 120, 2000, 300
FLUSH_SECONDS = 0.1                  # the page hears of changes ten times a second at most
SHOWN_HANDSETS = 60
SEND_OPTIONS = {option: switches.BY_NAME[f"mo_{option}"].choices for option in ("order", "long", "encoding")}


class Web:
    """`at_start` is what the switches return to on reset."""

    def __init__(self, centre: Centre, server: Server, at_start: dict, allowed_hosts: frozenset[str] = frozenset()):
        self.centre, self.server, self.at_start = centre, server, at_start
        self.http = HttpServer(self._handle, allowed_hosts)
        self._page = _load_page()
        self._watched: set[Changed] = set()
        self._routes: dict[tuple[str, str], Callable] = {
            ("GET", "/"): self._get_page,
            ("GET", "/api/status"): self._get_status,
            ("GET", "/api/handsets"): self._get_handsets, ("PUT", "/api/handsets"): self._put_handset,
            ("GET", "/api/texts"): self._get_texts, ("POST", "/api/send"): self._post_send,
            ("GET", "/api/switches"): self._get_switches, ("PUT", "/api/switches"): self._put_switches,
            ("POST", "/api/drop"): self._post_drop, ("POST", "/api/reset"): self._post_reset,
            ("GET", "/api/events"): self._get_events, ("GET", "/api/log"): self._get_log,
        }

    async def _handle(self, request: Request):
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._routes.get((method, request.path))
        if handler is None and method == "GET" and re.fullmatch(r"/api/texts/\d{1,15}", request.path):
            handler = self._get_text
        if handler is None:
            known = any(path == request.path for _, path in self._routes)
            raise HttpError(405 if known else 404, "Not with this method." if known else f"There is nothing at {request.path[:80]}.")
        try:
            return await handler(request)
        except switches.Invalid as fault:
            raise HttpError(400, str(fault)) from None

    async def _wait(self, request: Request, look: Callable[[], tuple[bool, object]]):
        """What `look` finds: as soon as it says it is enough, or when `wait` is over."""
        deadline = time.monotonic() + request.number("wait", 0, 0, MAX_WAIT)
        while True:
            enough, found = look()
            left = deadline - time.monotonic()
            if enough or left <= 0:
                return found
            await self.centre.next_change(left)

    # -- reading -------------------------------------------------------------------------------------------------------

    async def _get_page(self, request: Request) -> Page:
        return self._page

    def status(self) -> dict:
        forward = self.centre.forward
        return {"bound": [s.shown() for s in forward.sessions], "connections": len(self.server.connections),
                "waiting": len(forward.queue) + len(forward.retrying), "assembling": len(self.centre.assemblies), "rate": self.server.rate,
                "counts": dict(self.centre.counts),
                "system_id": self.server.system_id.decode(), "last": self.centre.last_n}

    async def _get_status(self, request: Request):
        bound, assembling = request.query.get("bound"), request.query.get("assembling")
        wanted = int(request.number("bound", 0, 0, 1000))
        most = int(request.number("assembling", 0, 0, 100_000))

        def look():
            there = len(self.centre.forward.sessions)
            enough = bound is None or (there >= wanted if wanted else there == 0)
            return enough and (assembling is None or len(self.centre.assemblies) <= most), self.status()
        return await self._wait(request, look)

    async def _get_handsets(self, request: Request):
        return {"handsets": self._handsets(limit=MAX_LISTED)}

    def _handsets(self, limit: int) -> list[dict]:
        found = []
        for handset in reversed(self.centre.handsets.values()):
            found.append(handset.shown())
            if len(found) >= limit:
                break
        return found

    async def _get_texts(self, request: Request):
        """Texts after number `after` that fit the filters, oldest first; waits until there are `count`."""
        query = request.query
        after, count = int(request.number("after", 0, 0, 2**53)), int(request.number("count", 1, 1, MAX_LISTED))
        last = int(request.number("last", 0, 0, MAX_LISTED))
        handset, peer = _number_in(query.get("handset")), _number_in(query.get("peer"))
        direction, state, contains = query.get("direction"), query.get("state"), query.get("contains")
        if direction not in (None, "to_handset", "from_handset"):
            raise HttpError(400, "direction is to_handset or from_handset.")

        def fits(text: Text) -> bool:
            return (handset in (None, text.handset) and peer in (None, text.peer) and (contains is None or contains in text.text)
                    and (direction is None or text.to_handset == (direction == "to_handset"))
                    and (state is None or text.state() == state))

        def look():
            found = []
            for text in reversed(self.centre.texts):
                if text.n <= after or last and len(found) >= last:
                    break
                if fits(text):
                    found.append(text)
            return len(found) >= count, found
        found = await self._wait(request, look)
        found = found[::-1][:MAX_LISTED]
        return {"texts": [t.shown() for t in found], "last": found[-1].n if found else after}

    async def _get_text(self, request: Request):
        """One text; waits until it has the `state` asked for."""
        text = self.centre.by_n.get(int(request.path.rsplit("/", 1)[1]))
        if text is None:
            raise HttpError(404, "There is no such text, or it is too old to be kept.")
        state = request.query.get("state")
        return (await self._wait(request, lambda: (state is None or text.state() == state, text))).shown()

    async def _get_log(self, request: Request):
        """Entries after number `after`, of one `command` or event if asked, oldest first; waits until there are `count`."""
        after, count = int(request.number("after", 0, 0, 2**53)), int(request.number("count", 1, 1, MAX_LISTED))
        command, direction = request.query.get("command"), request.query.get("direction")

        def look():
            found = [e for e in self.centre.log.after(after)
                     if (command is None or logs.name_of(e) == command) and (direction is None or e[3] == direction)]
            return len(found) >= count, found
        found = (await self._wait(request, look))[:MAX_LISTED]
        return {"log": [logs.shown(e) for e in found], "last": found[-1][0] if found else after}

    async def _get_switches(self, request: Request):
        shown = {"switches": self.centre.switches.shown()}
        return {**shown, "table": switches.described()} if "describe" in request.query else shown

    # -- changing ------------------------------------------------------------------------------------------------------

    async def _put_handset(self, request: Request):
        wish = request.json()
        number = tidy_number(wish["number"]) if isinstance(wish.get("number"), str) else None
        if number is None:
            raise HttpError(400, "number is a phone number such as +15550001.")
        off = wish.get("off")
        if off is not None and not isinstance(off, bool):
            raise HttpError(400, "off is true or false.")
        known = self.centre.handsets.get(number)
        return self.centre.turn_handset(number, off if off is not None else bool(known and known.off)).shown()

    async def _post_send(self, request: Request):
        wish = request.json()
        options: dict = {}
        for name in ("from", "to"):
            if not isinstance(wish.get(name), str):
                raise HttpError(400, f"{name} is a phone number as a text.")
        text = wish.pop("text", "")
        if not isinstance(text, str) or (not text and "hex" not in wish):
            raise HttpError(400, "text is what to send.")
        sender, to = wish.pop("from"), wish.pop("to")
        for name, value in wish.items():
            if name in SEND_OPTIONS and value in SEND_OPTIONS[name]:
                options[name] = value
            elif name == "twice" and isinstance(value, bool):
                options["twice"] = float(value)
            elif name == "only" and isinstance(value, list) and value and all(type(i) is int for i in value):
                options["only"] = value
            elif name == "hex" and isinstance(value, str) and re.fullmatch(r"([0-9A-Fa-f]{2}){0,254}", value):
                options["octets"] = bytes.fromhex(value)
            elif name == "data_coding" and type(value) is int and 0 <= value <= 255:
                options["data_coding"] = value
            elif name == "udh" and isinstance(value, bool):
                options["header"] = value
            else:
                raise HttpError(400, f"{name} is not an option of send, or not with this value.")
        return self.centre.send(sender, to, text, **options).shown()

    async def _put_switches(self, request: Request):
        self.centre.set_switches(request.json())
        return {"switches": self.centre.switches.shown()}

    async def _post_drop(self, request: Request):
        return {"dropped": self.server.drop(request.json().get("mid_pdu") is True)}

    async def _post_reset(self, request: Request):
        wish = request.json()
        if wish.get("texts", True):
            self.centre.reset()
        if wish.get("switches", True):
            self.centre.set_switches(self.at_start)
        return self.status()

    # -- events for the page -------------------------------------------------------------------------------------------

    async def _get_events(self, request: Request) -> Stream:
        return Stream(self._stream, "text/event-stream")

    def _watch(self, text: Text) -> None:
        for changed in self._watched:
            if len(changed) <= MAX_WATCHED:              # beyond that the page is told to fetch anew
                changed[text.n] = text

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """Server-sent events: state (handsets, status, switches) when they differ from the last ones, and texts that changed."""
        changed = Changed()
        self._watched.add(changed)
        self.centre.watch = self._watch
        sent: dict[str, str] = {}
        try:
            while True:
                pieces = []
                for name, value in (("switches", self.centre.switches.shown()), ("status", self.status()),
                                    ("handsets", self._handsets(SHOWN_HANDSETS))):
                    data = json.dumps(value)
                    if sent.get(name) != data:
                        sent[name] = data
                        pieces.append(f"event: {name}\ndata: {data}\n\n")
                if len(changed) > MAX_WATCHED:
                    pieces.append("event: refresh\ndata: {}\n\n")
                elif changed:
                    pieces.append(f"event: texts\ndata: {json.dumps([t.shown() for t in changed.values()])}\n\n")
                changed.clear()
                writer.write("".join(pieces or [": still here\n\n"]).encode())
                await asyncio.wait_for(writer.drain(), 30)
                await asyncio.sleep(FLUSH_SECONDS)
                if not changed:
                    await self.centre.next_change(15)
        finally:
            self._watched.discard(changed)
            if not self._watched:
                self.centre.watch = None


class Changed(dict):
    """The texts that one page has not heard of yet, by number; compared by identity, so that a set can hold it."""
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def _number_in(value: Optional[str]) -> Optional[str]:
    """A number from a query, where an unescaped '+' has become a blank."""
    if value is None:
        return None
    return tidy_number("+" + value[1:] if value.startswith(" ") else value) or value


def _load_page() -> Page:
    """page.html with a policy that allows its own script and style, and nothing from anywhere else."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.html"), encoding="utf-8") as file:
        html = file.read()

    def digest(element: str) -> str:
        inner = re.search(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)[1]
        return f"'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"

    policy = (f"default-src 'none'; script-src {digest('script')}; style-src {digest('style')}; connect-src 'self'; img-src data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    return Page(html.encode(), {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy})
