"""JSON-RPC 2.0 over lines, both directions at once: the child's side of the connector protocol
(schemas/connector-protocol.schema.json)."""
from __future__ import annotations

import asyncio
import json
from typing import Awaitable, Callable

NUMBERS = {"unsupported": -32601, "bad_input": -32602}  # the other codes are -32000 and stand in data.code


class RpcError(Exception):
    """`code` is one of the contract's (gateway/base/error.hpp)."""

    def __init__(self, code: str, text: str = "", retry_after: int = 0) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.retry_after = code, text, retry_after


class Disconnected(Exception):
    """The other side is gone; whether it took the call is not known."""


class RpcPeer:
    """`handle(method, params)` answers the other side's requests; notifications too, their answer is dropped."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                 handle: Callable[[str, dict], Awaitable[object]]) -> None:
        self._reader, self._writer = reader, writer
        self._handle = handle
        self._calls: dict[int, asyncio.Future] = {}
        self._tasks: dict[object, asyncio.Task] = {}
        self._last = 0

    async def call(self, method: str, params: dict) -> object:
        """Raises RpcError or Disconnected."""
        self._last += 1
        answer = asyncio.get_running_loop().create_future()
        self._calls[self._last] = answer
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        return await answer

    async def run(self) -> None:
        """Until the connection ends."""
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for task in list(self._tasks.values()):
                task.cancel()
            for answer in self._calls.values():
                if not answer.done():
                    answer.set_exception(Disconnected())
                    answer.exception()  # looked at, whoever still waits for it
            self._writer.close()

    def _take(self, message: dict) -> None:
        if message.get("method") == "cancel":
            task = self._tasks.get(message["params"].get("id"))
            if task:
                task.cancel()
        elif "method" in message:
            task = asyncio.create_task(self._answer(message))
            self._tasks[message.get("id", object())] = task
            task.add_done_callback(lambda _done, id=message.get("id"): self._tasks.pop(id, None))
        else:
            answer = self._calls.pop(message["id"], None)
            if answer and not answer.done():
                error = message.get("error")
                if error is None:
                    answer.set_result(message["result"])
                else:
                    data = error.get("data", {})
                    answer.set_exception(RpcError(data.get("code", str(error.get("code"))), error.get("message", "")))

    async def _answer(self, message: dict) -> None:
        reply: dict = {"jsonrpc": "2.0", "id": message.get("id")}
        try:
            reply["result"] = await self._handle(message["method"], message.get("params", {}))
        except RpcError as error:
            reply["error"] = {"code": NUMBERS.get(error.code, -32000), "message": error.text,
                              "data": {"code": error.code, "retry_after": error.retry_after}}
        except Disconnected:
            return
        if "id" in message:
            self._write(reply)

    def _write(self, message: dict) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
