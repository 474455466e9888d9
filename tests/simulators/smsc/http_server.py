"""A small HTTP/1.1 server on asyncio: bounded requests, keep-alive, JSON, and no answers to other sites' pages.

It serves people and tests on loopback. A browser sends its requests from any page, so each request must name a host
that is ours (against DNS rebinding), must not come from another origin, and must carry JSON as JSON (so that no HTML form can).
"""
import asyncio
import ipaddress
import json
from typing import Any, Awaitable, Callable, Optional, Union
from urllib.parse import parse_qs, urlsplit

MAX_HEAD, MAX_BODY, MAX_CONNECTIONS = 16 * 1024, 1024 * 1024, 256
IDLE_SECONDS, BODY_SECONDS = 75, 10
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large",
           415: "Unsupported Media Type", 431: "Request Header Fields Too Large"}


class HttpError(Exception):
    """Answered with its status and {"error": text}."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status, self.text = status, text


class Request:
    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes):
        parts = urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = {name: values[-1] for name, values in parse_qs(parts.query, max_num_fields=50).items()}

    def json(self) -> dict:
        """The body as a JSON object; an empty body is an empty object."""
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise HttpError(400, "The body is not JSON.") from None
        if not isinstance(value, dict):
            raise HttpError(400, "The body is a JSON object.")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number of the query, pressed into its bounds."""
        try:
            return min(high, max(low, float(self.query.get(name, default))))
        except ValueError:
            raise HttpError(400, f"{name} is a number.") from None


class Page:
    """A body that is no JSON, with its own headers."""

    def __init__(self, content: bytes, headers: dict[str, str]):
        self.content, self.headers = content, headers


class Stream:
    """A response without an end: `run` writes to it until the client goes."""

    def __init__(self, run: Callable[[asyncio.StreamWriter], Awaitable[None]], content_type: str):
        self.run, self.content_type = run, content_type


Handler = Callable[[Request], Awaitable[Union[Page, Stream, Any]]]


class HttpServer:
    """`handle` answers a request with a JSON value, a Page or a Stream, or raises HttpError."""

    def __init__(self, handle: Handler, allowed_hosts: frozenset[str] = frozenset()):
        self.handle = handle
        self.allowed_hosts = allowed_hosts | {"localhost"}
        self._connections: set[asyncio.Task] = set()
        self._listener = None

    async def listen(self, host: str, port: int) -> int:
        self._listener = await asyncio.start_server(self._connection, host, port, limit=MAX_HEAD)
        return self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass                                         # the client went, dawdled, or we stop
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader, writer) -> bool:
        """One request and its answer; False when the connection is to end."""
        request: Optional[Request] = None
        try:
            request = await self._read(reader)
            self._guard(request)
            answer, status = await self.handle(request), 200
        except HttpError as error:
            answer, status = {"error": error.text}, error.status
        if isinstance(answer, Stream):
            writer.write(_head(200, {"Content-Type": answer.content_type}))
            await answer.run(writer)
            return False
        if isinstance(answer, Page):
            content, headers = answer.content, answer.headers
        else:
            content, headers = json.dumps(answer, ensure_ascii=True).encode(), {"Content-Type": "application/json"}
        stays = request is not None and request.headers.get("connection", "").lower() != "close"
        headers = {**headers, "Content-Length": str(len(content)), "Connection": "keep-alive" if stays else "close"}
        writer.write(_head(status, headers) + (b"" if request is not None and request.method == "HEAD" else content))
        await asyncio.wait_for(writer.drain(), IDLE_SECONDS)
        return stays

    async def _read(self, reader) -> Request:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
        except asyncio.LimitOverrunError:
            raise HttpError(431, "The request's head is too large.") from None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[1].startswith("/") or not words[2].startswith("HTTP/1."):
            raise HttpError(400, "This is no HTTP/1.1 request.")
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            twice = name.lower() in headers and name.lower() in ("host", "content-length")
            if not colon or not name or name != name.strip() or twice:
                raise HttpError(400, "A header line is malformed.")
            headers[name.lower()] = value.strip()
        if "transfer-encoding" in headers:
            raise HttpError(400, "Send the body with a Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 12:
            raise HttpError(400, "Content-Length is a number.")
        if int(length) > MAX_BODY:
            raise HttpError(413, f"A body has at most {MAX_BODY} octets.")
        body = await asyncio.wait_for(reader.readexactly(int(length)), BODY_SECONDS)
        try:
            return Request(words[0], words[1], headers, body)
        except ValueError:
            raise HttpError(400, "The address is malformed.") from None

    def _guard(self, request: Request) -> None:
        host = request.headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self.allowed_hosts and not _is_address(name.strip("[]")):
            raise HttpError(403, f"The host “{name[:80]}” is not this simulator's; allow it with --allow-host.")
        origin = request.headers.get("origin")
        foreign = origin is not None and origin.lower() != f"http://{host.lower()}"
        if foreign or request.headers.get("sec-fetch-site") == "cross-site":
            raise HttpError(403, "Requests from other sites are refused.")
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.method in ("POST", "PUT") and content_type != "application/json":
            raise HttpError(415, "Send Content-Type: application/json.")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return False


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
             "Referrer-Policy: no-referrer", "X-Frame-Options: DENY", "Cross-Origin-Resource-Policy: same-origin"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
