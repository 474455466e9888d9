"""The other person: a small MSNP client, written apart from the connector, of one version (11 or 12)."""
from __future__ import annotations

import asyncio
import re
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass

from post import Post, announced

LIMIT = 20  # seconds that any answer may take
PAYLOADS = ("MSG", "UBX", "NOT", "GCF")


@dataclass
class Line:
    words: list[str]
    payload: bytes = b""

    @property
    def name(self) -> str:
        return self.words[0]


class Connection:
    """Lines both ways; whoever waits for one is given the first that fits, past or to come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.lines: list[Line] = []
        self.is_over = False
        self._news = asyncio.Event()
        self._last = 0
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        return cls(*await asyncio.open_connection(host, port))

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                words = line.decode().rstrip("\r\n").split(" ")
                payload = b""
                if words[0] in PAYLOADS:
                    payload = await self._reader.readexactly(int(words.pop()))
                self.lines.append(Line(words, payload))
                self._news.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        self.is_over = True
        self._news.set()

    async def take(self, match, limit: float = LIMIT) -> Line:
        """Raises TimeoutError; ConnectionError where nothing can come any more."""
        async with asyncio.timeout(limit):
            while True:
                self._news.clear()
                for line in self.lines:
                    if match(line):
                        self.lines.remove(line)
                        return line
                if self.is_over:
                    raise ConnectionError("the server has closed the connection")
                await self._news.wait()

    def send(self, name: str, *words: object, payload: bytes | None = None) -> int:
        self._last += 1
        tail = [] if payload is None else [len(payload)]
        self._writer.write(" ".join(map(str, [name, self._last, *words, *tail])).encode() + b"\r\n" + (payload or b""))
        return self._last

    def write(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    async def ask(self, name: str, *words: object, payload: bytes | None = None) -> Line:
        """The answer, or an error line."""
        number = str(self.send(name, *words, payload=payload))
        return await self.take(lambda line: len(line.words) > 1 and line.words[1] == number
                               and (line.name == name or line.name.isdigit() or line.name in ("ACK", "NAK", "XFR")))

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._task, self._writer.wait_closed(), return_exceptions=True)


def text_payload(text: str) -> bytes:
    return f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n{text}".encode()


TYPING = b"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: %s\r\n\r\n\r\n"
NUDGE = b"MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n"


class Peer:
    def __init__(self, server, email: str, password: str, version: int = 12) -> None:
        self.server, self.email, self.password, self.version = server, email, password, version
        self.members: dict[str, tuple[int, str]] = {}  # bits and guid by address
        self.boards: list[Connection] = []
        self._opened: list[Connection] = []  # all that there were, boards that were left included
        self.ns: Connection
        self.post: Post
        self._answering: asyncio.Task

    async def start(self, status: str = "NLN") -> None:
        self.ns = await self._open("127.0.0.1", self.server.port)
        await self.ns.ask("VER", f"MSNP{self.version}", "CVR0")
        await self.ns.ask("CVR", "0x0409", "winnt", "5.1", "i386", "MSNMSGR", "7.5.0324", "msmsgs", self.email)
        policy = (await self.ns.ask("USR", "TWN", "I", self.email)).words[4]
        ticket = await asyncio.to_thread(self._ticket, policy)
        self.post = Post(self.server, self.email, ticket)
        answer = await self.ns.ask("USR", "TWN", "S", ticket)
        assert answer.words[2] == "OK", answer
        listed = await self.ns.ask("SYN", "0", "0")
        for _ in range(int(listed.words[4])):
            words = (await self.ns.take(lambda line: line.name == "LST")).words[1:]
            named = {word[0]: word[2:] for word in words if word[1:2] == "="}
            bits = next(word for word in words if word.isdigit())
            self.members[named["N"]] = int(bits), named.get("C", "")
        self._answering = asyncio.create_task(self._answer())
        await self.show(status)

    async def _open(self, host: str, port: int) -> Connection:
        self._opened.append(await Connection.open(host, port))
        return self._opened[-1]

    def _ticket(self, policy: str) -> str:
        context = ssl.create_default_context(cafile=self.server.ca_file)
        with urllib.request.urlopen(self.server.nexus_url, context=context) as answer:
            page = re.search(r"DALogin=([^,]*)", answer.headers["PassportURLs"])[1]
        page = page if page.startswith("https://") else f"https://{page}"
        quote = urllib.parse.quote
        request = urllib.request.Request(page, headers={"Authorization": f"Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,"
                                                        f"sign-in={quote(self.email)},pwd={quote(self.password)},{policy}"})
        with urllib.request.urlopen(request, context=context) as answer:
            return re.search(r"from-PP='([^']*)'", answer.headers["Authentication-Info"])[1]

    async def _answer(self) -> None:
        """Follows every invitation."""
        while True:
            ring = await self.ns.take(lambda line: line.name == "RNG", 100000)
            host, port = ring.words[2].split(":")
            board = await self._open(host, int(port))
            await board.ask("ANS", self.email, ring.words[4], ring.words[1])
            self.boards.insert(0, board)

    async def accept(self, other: str) -> None:
        """As MSN programs do with who has just added them: sees and is seen."""
        try:
            await self.ns.take(lambda line: line.name == "ADC" and line.words[2:4] == ["RL", f"N={other}"], 1)
            await self.ns.ask("REM", "PL", other)
        except TimeoutError:  # he had added us before
            pass
        await self.adds(other)

    async def adds(self, other: str) -> None:
        await self.ns.ask("ADC", "AL", f"N={other}")
        answer = await self.ns.ask("ADC", "FL", f"N={other}", f"F={other}")
        self.members[other] = 3, next(word[2:] for word in answer.words if word.startswith("C="))

    async def drops(self, other: str) -> None:
        await self.ns.ask("REM", "FL", self.members[other][1])

    async def forget(self) -> None:
        """Leaves nobody on a list that is one's own."""
        for other, (bits, guid) in self.members.items():
            for bit, name in ((1, "FL"), (2, "AL"), (4, "BL"), (16, "PL")):
                if bits & bit:
                    await self.ns.ask("REM", name, guid if bit == 1 else other)

    async def show(self, status: str) -> None:
        await self.ns.ask("CHG", status, "0")

    async def say_of_self(self, xml: str) -> None:
        await self.ns.ask("UUX", payload=xml.encode())

    async def heard(self, match=lambda line: b"text/plain" in line.payload, limit: float = LIMIT) -> tuple[Connection, Line]:
        """A message in any conversation, and where."""
        async with asyncio.timeout(limit):
            while True:
                for board in self.boards:
                    for line in board.lines:
                        if line.name == "MSG" and match(line):
                            board.lines.remove(line)
                            return board, line
                await asyncio.sleep(0.02)

    async def heard_text(self, limit: float = LIMIT) -> str:
        return (await self.heard(limit=limit))[1].payload.partition(b"\r\n\r\n")[2].decode()

    async def board(self) -> Connection:
        """The conversation that they were called into last."""
        async with asyncio.timeout(LIMIT):
            while not self.boards:
                await asyncio.sleep(0.02)
        return self.boards[0]

    async def letters(self) -> list[str]:
        """The texts that waited at the login, which are deleted then."""
        notice = await self.ns.take(lambda line: line.name == "MSG" and b"initialmdatanotification" in line.payload)
        return [await asyncio.to_thread(self.post.fetch, number) for number in announced(notice.payload)]

    async def call(self, *others: str) -> Connection:
        """A new conversation with them."""
        answer = await self.ns.ask("XFR", "SB")
        host, port = answer.words[3].split(":")
        board = await self._open(host, int(port))
        await board.ask("USR", self.email, answer.words[5])
        for other in others:
            answer = await board.ask("CAL", other)
            assert answer.name == "CAL", answer
            await board.take(lambda line: line.name == "JOI" and line.words[1] == other)
        self.boards.insert(0, board)
        return board

    async def stop(self) -> None:
        self._answering.cancel()
        await asyncio.gather(self._answering, return_exceptions=True)
        for connection in self._opened:
            await connection.close()
