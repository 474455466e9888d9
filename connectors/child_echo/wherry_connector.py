"""The gateway's side of a child connector: JSON-RPC 2.0, one object a line, on standard input and output.

Copy this file next to your connector. It knows no network; echo.py shows how it is used. Python's standard library only.
The protocol is schemas/connector-protocol.schema.json.
"""

import asyncio
import base64
import inspect
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable

PROTOCOL = 2
MOST_LINE_BYTES = 1 << 20
MOST_PIECE_BYTES = 256 << 10  # of a file
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds, before what could not be stored is offered again


class Refused(Exception):
    """An error that goes through the protocol, raised by either side.

    `code` is one of CODES: rejected, not_found, bad_input, conflict (it is somebody else's already), offline (the contact is
    away, and nobody keeps messages for it), unsupported, not_authorized, unavailable (provably not done; may be asked again
    after `retry_after` seconds) and uncertain (may have been done). `text` is a sentence for the human who caused it.
    """

    CODES = ("rejected", "not_found", "bad_input", "conflict", "offline", "unsupported", "not_authorized", "unavailable", "uncertain")
    NUMBERS = {"unsupported": -32601, "bad_input": -32602}

    def __init__(self, code: str, text: str, retry_after: int = 0):
        if code not in self.CODES:
            raise ValueError(f"{code} is no code of an error; there are {', '.join(self.CODES)}")
        super().__init__(text)
        self.code, self.text, self.retry_after = code, text, retry_after

    def to_json(self) -> dict:
        data = {"code": self.code} | ({"retry_after": self.retry_after} if self.retry_after else {})
        return {"code": self.NUMBERS.get(self.code, -32000), "message": self.text, "data": data}

    @classmethod
    def from_json(cls, error: dict) -> "Refused":
        data = error.get("data", {})
        code = data.get("code")
        return cls(code if code in cls.CODES else "uncertain", error.get("message", ""), data.get("retry_after", 0))


class Gateway:
    """Answers the gateway's requests with the methods of `connector`, and calls the gateway.

    A request `perform` with the params {"account": …, "action": …} becomes `await connector.perform(account=…, action=…)`;
    what that returns is the result. Requests run side by side; a cancelled one gets asyncio.CancelledError.
    """

    METHODS = ("hello", "run", "know_account", "forget_account", "parse_contact", "log_in", "open", "perform", "capabilities",
               "query", "fetch", "probe")

    def __init__(self, connector: object, output: int):
        """`output`: the descriptor to write lines to."""
        self._connector = connector
        self._output = output
        self._tasks: dict[int, asyncio.Task] = {}  # the gateway's requests under way, by id
        self._calls: dict[int, asyncio.Future] = {}  # our requests that wait for an answer
        self._last_id = 0

    # ---- What a connector calls ----

    async def publish(self, account: int, event: dict) -> None:
        """Returns once the gateway has stored the event. Only then acknowledge it to your network. Raises Refused with the
        code `unavailable` when it could not be stored: do not acknowledge then, and publish it again later."""
        await self._call("publish", account=account, event=event)

    async def ask(self, login: int, form: dict) -> dict:
        """Shows a form to the user who is logging in and returns the answers by field name. Raises Refused when they give up."""
        return (await self._call("ask", login=login, form=form))["answers"]

    async def store_write(self, entries: dict[str, str]) -> None:
        """Keeps small texts for ever, by key; an empty text erases. Returns once they are durable: while the gateway cannot
        store them (`unavailable`) they are offered again. Raises Refused where they will never be, `rejected` say."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._call("store_write", entries=[{"key": k, "value": v} for k, v in entries.items()])
                return
            except Refused as refused:
                if refused.code != "unavailable":
                    raise
                await asyncio.sleep(refused.retry_after or pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def store_read(self, prefix: str, after: str = "", limit: int = 1000) -> dict[str, str]:
        """The entries whose key starts with `prefix`, in order, at most `limit`, beginning after the key `after`."""
        found: dict[str, str] = {}
        more = True
        while more and len(found) < limit:  # long values come in several answers
            part = await self._call("store_read", prefix=prefix, after=after, limit=limit - len(found))
            for entry in part["entries"]:
                after = entry["key"]
                found[after] = entry["value"]
            more = part.get("more", False)
        return found

    async def fetched(self, fetch: int, data: bytes) -> None:
        """Gives the next bytes of the file that `fetch` asked for, in pieces that fit. Returns when more can be taken. Raises
        Refused when no more is wanted: let it pass."""
        for start in range(0, len(data), MOST_PIECE_BYTES):
            piece = base64.b64encode(data[start : start + MOST_PIECE_BYTES]).decode()
            await self._call("fetched", fetch=fetch, data=piece)

    def log(self, level: str, text: str) -> None:
        """A line in the gateway's log: debug, info, warn or error. No numbers, names or texts of people, please."""
        self._write({"method": "log", "params": {"level": level, "text": text}})

    # ---- The lines ----

    async def serve(self) -> None:
        """Answers until standard input ends: that is the order to stop."""
        reader = asyncio.StreamReader(limit=2 * MOST_LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self._take(json.loads(line))
        for task in list(self._tasks.values()):
            task.cancel()

    def _take(self, message: dict) -> None:
        method = message.get("method")
        if method is None:  # an answer to a request of ours
            call = self._calls.pop(message["id"], None)
            if call is None or call.done():
                return
            if "error" in message:
                call.set_exception(Refused.from_json(message["error"]))
            else:
                call.set_result(message["result"])
        elif method == "cancel":
            if task := self._tasks.get(message["params"]["id"]):
                task.cancel()
        else:
            task = asyncio.create_task(self._answer(message["id"], method, message["params"]))
            self._tasks[message["id"]] = task
            task.add_done_callback(lambda _: self._tasks.pop(message["id"], None))

    async def _answer(self, request: int, method: str, params: dict) -> None:
        try:
            self._write({"id": request, "result": await self._run(method, params) or {}})
        except Refused as refused:
            self._write({"id": request, "error": refused.to_json()})
        except Exception as mistake:  # one request's bug is not the end of everybody's connector
            self.log("error", f"{method} failed: {where(mistake)}")
            self._write({"id": request, "error": Refused("uncertain", "The connector failed.").to_json()})

    async def _run(self, method: str, params: dict) -> dict | None:
        if method == "ping":
            return {}
        handler: Callable[..., Awaitable[dict | None]] | None = getattr(self._connector, method, None)
        if method not in self.METHODS or handler is None:
            raise Refused("unsupported", f"no such method: {method}")
        return await handler(**known(handler, params))

    async def _call(self, method: str, **params: object) -> dict:
        self._last_id += 1
        answer = self._calls[self._last_id] = asyncio.get_running_loop().create_future()
        self._write({"id": self._last_id, "method": method, "params": params})
        return await answer

    def _write(self, message: dict) -> None:
        # A blocking write: when the gateway does not read, there is nothing better to do than to wait for it.
        line = (json.dumps({"jsonrpc": "2.0"} | message, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        while line:
            line = line[os.write(self._output, line) :]


def known(handler: Callable, params: dict) -> dict:
    """Those of `params` that `handler` takes: a newer gateway may say more, and what is not known is ignored."""
    taken = inspect.signature(handler).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        return params
    return {name: value for name, value in params.items() if name in taken}


def where(mistake: BaseException) -> str:
    """The kind of an exception and the lines that it came through. Its text stays out: it may quote people's data."""
    steps = [f"{os.path.basename(step.filename)}:{step.lineno} {step.name}" for step in traceback.extract_tb(mistake.__traceback__)]
    return f"{type(mistake).__name__} at {' < '.join(reversed(steps))}"


def run(connector_class: type) -> None:
    """Builds the connector with its Gateway and serves until the gateway closes standard input.

    Standard output is the protocol's alone: what anything else writes there (`print`, a library, a process of yours) goes to
    standard error, and so into the gateway's log.
    """
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    async def main() -> None:
        connector = connector_class()
        connector.gateway = Gateway(connector, output)
        await connector.gateway.serve()

    asyncio.run(main())
