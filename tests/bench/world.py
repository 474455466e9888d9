"""What bench/run measures with: the XMPP server's end of a component, the processes, and loads. Nothing here judges.

CPU time is a process's own (user and system, all its threads), so that a busy machine changes it less than the wall's."""
import itertools
import os
import re
import select
import socket
import sqlite3
import subprocess
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = "gateway.bench.test"
HOST = "bench.test"
BODY = "x" * 100
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 60  # seconds without any progress: then something is lost


sent = itertools.count()  # no two messages have one id: the same again would be one message


class Closed(SystemExit):
    pass


class Server:
    """The server's end of one component's stream (XEP-0114). Answers pings; a message or a request that fails ends the bench."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.socket = None
        self.buffer = b""

    def accept(self):
        self.listener.settimeout(PATIENCE)
        self.socket, _ = self.listener.accept()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until(b">")
        self.socket.sendall(f"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='{DOMAIN}'>".encode())
        self.until(b"</handshake>")
        self.shaken = time.monotonic()
        self.socket.sendall(b"<handshake/>")

    def rest(self, seconds):
        """Nothing but pings, for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                self.take()

    def until_closed(self):
        """Goes on answering pings until the component ends its stream, and ends ours (RFC 6120 §4.4)."""
        try:
            while b"</stream:stream>" not in self.take():
                pass
            self.socket.close()
        except Closed:
            pass

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        self.buffer = self.buffer.split(mark, 1)[1]

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed("the component closed the stream")
        self.buffer += data

    def take(self):
        """What has come since, whole elements, with pings answered. Blocks for at least one read."""
        self.more()
        end = self.buffer.rfind(b">") + 1
        data, self.buffer = self.buffer[:end], self.buffer[end:]
        for ping in re.findall(rb"<iq [^>]*id=['\"]([^'\"]+)['\"][^>]*><ping", data):
            self.socket.sendall(f"<iq type='result' from='{HOST}' to='{DOMAIN}' id='{ping.decode()}'/>".encode())
        # Not presence: an account may honestly say that its network is not connected yet.
        if failed := re.search(rb"<(message|iq) [^>]*type=['\"]error['\"].{0,300}", data, re.S):
            raise SystemExit("an error instead of an answer: " + failed.group().decode(errors="replace"))
        return data


class Process:
    """A process under measurement."""

    def __init__(self, arguments, **options):
        self.began = time.monotonic()
        self.process = subprocess.Popen(arguments, **options)

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mib(self, field="VmRSS"):
        """VmHWM: the most since it began."""
        return int(re.search(field + r":\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1)) / 1024

    def stop(self, server=None):
        """`server`: the other end of its stream; a gateway that ends waits for the answers to its last pings."""
        self.process.terminate()
        if server and server.socket:
            server.until_closed()
        self.process.wait(PATIENCE)


class Sink(Process):
    """The SMS centre (smpp_sink.cpp)."""

    def __init__(self, build):
        super().__init__([f"{build}/bin/smpp_sink"], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().split()[1])
        self.taken = 0
        self.rest = b""

    def fileno(self):
        return self.process.stdout.fileno()

    def update(self):
        *lines, self.rest = (self.rest + os.read(self.fileno(), 1 << 16)).split(b"\n")
        if lines:
            self.taken = int(lines[-1])


def start_wherry(build, folder, port, connector, configuration):
    """A gateway with its SQLite store in `folder`; `configuration` is the connector's part, as TOML."""
    file = f"{folder}/wherry.toml"
    with open(file, "w") as out:
        out.write(f"""
[store]
url = "sqlite:{folder}/wherry.db"
[http]
listen = "127.0.0.1:0"
[log]
level = "warn"
[[transport]]
domain = "{DOMAIN}"
connector = "{connector}"
server = {{ host = "127.0.0.1", port = {port}, secret = "s", domain = "{HOST}" }}
{configuration}
""")
    environment = dict(os.environ, WHERRY_CONNECTORS=f"{build}/connectors", WHERRY_MIGRATIONS=f"{build}/../../schemas/migrations")
    return Process([f"{build}/bin/wherry", "run", "--config", file], env=environment)


def number_of(user):
    return f"+1415{5550000 + user}"


def sms_configuration(users, port, reports):
    numbers = "\n".join(f'[[transport.configuration.numbers]]\nnumber = "{number_of(user)}"\ncarrier = "sink"\nusers = ["u{user}@{HOST}"]' for user in range(users))
    return f"""[transport.configuration]
region = "US"
{numbers}
[[transport.configuration.carriers]]
name = "sink"
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "wherry"
password = "s"
window = 256
delivery_reports = {str(reports).lower()}
"""


def register(server, users, answers=lambda user: ""):
    """Accounts for all of these users, some at a time, since the gateway bounds how many it works on; returns when each has been
    told that it is registered."""
    users, left = iter(users), set()
    while True:
        for user in itertools.islice(users, 20 - len(left)):
            server.socket.sendall(f"<iq type='set' from='u{user}@{HOST}/r' to='{DOMAIN}' id='r{user}'><query xmlns='jabber:iq:register'>{answers(user)}</query></iq>".encode())
            left.add(f"r{user}".encode())
        if not left:
            return
        left -= set(re.findall(rb"<iq [^>]*id=['\"](r\d+)['\"]", server.take()))


def message(user, contact, id, body, extra=""):
    return f"<message type='chat' from='u{user}@{HOST}/r' to='{contact}@{DOMAIN}' id='{id}-{next(sent)}'><body>{body}</body>{extra}</message>".encode()


@dataclass
class Load:
    count: int
    cpu: float
    wall: float

    def per_cpu_second(self):
        return self.count / max(self.cpu, 1 / TICKS)


def closed_loop(server, process, make, mark, seconds, sink=None, window=256):
    """Keeps `window` messages, made by make(number), on their way for `seconds`, and ends when each has arrived once: on
    the stream, where `mark` tells one (None: nothing comes back), and at the sink if there is one."""
    sent = on_stream = 0
    taken_before = sink.taken if sink else 0
    began, cpu = time.monotonic(), process.cpu_seconds()
    last, moved = None, began
    while True:
        counts = ([on_stream] if mark else []) + ([sink.taken - taken_before] if sink else [])
        batch = []
        while time.monotonic() - began < seconds and sent - min(counts) < window:
            batch.append(make(sent))
            sent += 1
        if batch:
            server.socket.sendall(b"".join(batch))
        if min(counts) >= sent:
            break
        if counts != last:
            last, moved = counts, time.monotonic()
        elif time.monotonic() - moved > PATIENCE:  # not a mere silence: pings go on
            raise SystemExit(f"{sent} messages were sent, {counts} arrived")
        ready, _, _ = select.select([server.socket] + ([sink] if sink else []), [], [], PATIENCE)
        if sink in ready:
            sink.update()
        if server.socket in ready:
            came = server.take()
            on_stream += came.count(mark) if mark else 0
    if counts != [sent] * len(counts):
        raise SystemExit(f"{sent} messages were sent, {counts} arrived")
    return Load(sent, process.cpu_seconds() - cpu, time.monotonic() - began)


def round_trips(server, process, users, seconds):
    return closed_loop(server, process, lambda n: message(n % users, "friend", f"m{n}", BODY), b"<body>", seconds)


def texts(server, process, sink, users, seconds, receipts):
    request = "<request xmlns='urn:xmpp:receipts'/>" if receipts else ""
    make = lambda n: message(n % users, f"+1212{5550000 + n % users}", f"t{n}", BODY, request)
    return closed_loop(server, process, make, b"<received" if receipts else None, seconds, sink)


@dataclass
class Latency:
    times: list  # ms, sorted
    cpu_us: float  # of the process, for each message

    def __str__(self):
        return f"p50 {self.times[len(self.times) // 2]:.2f}, p99 {self.times[int(len(self.times) * 0.99)]:.2f} ms; {self.cpu_us:.0f} µs CPU each"


def latency(server, process, users, rate, seconds, until=lambda: True, on_data=lambda data: None):
    """Round trips of messages sent at a fixed rate whether or not the earlier ones are back, for so long, and until
    `until` says so. `on_data` sees all that comes."""
    times, pending, number = [], {}, 0
    began, cpu = time.monotonic(), process.cpu_seconds()
    ends = began + seconds
    while True:
        now = time.monotonic()
        if now >= ends and not until():
            ends = now + 0.1
        due = began + number / rate
        if due < ends and now >= due:
            pending[number] = now
            server.socket.sendall(message(number % users, "friend", f"l{number}", f"{number}-{BODY}"))
            number += 1
            continue
        if due >= ends and not pending and now >= ends:
            return Latency(sorted(times), (process.cpu_seconds() - cpu) * 1e6 / number)
        ready, _, _ = select.select([server.socket], [], [], max(due - now, 0) if due < ends else max(ends - now, PATIENCE if pending else 0))
        if not ready and due >= ends and pending:
            raise SystemExit(f"{len(pending)} answers did not come")
        data = server.take() if ready else b""
        now = time.monotonic()
        on_data(data)
        for found in re.findall(rb"<body>(\d+)-", data):
            times.append((now - pending.pop(int(found))) * 1000)


def fdatasync_ms(folder, times=300):
    """What one durable write costs here and now: the median of so many, of a page each."""
    file = os.open(f"{folder}/fdatasync", os.O_RDWR | os.O_CREAT)
    try:
        took = []
        for i in range(times):
            os.pwrite(file, bytes(4096), i * 4096)
            began = time.monotonic()
            os.fdatasync(file)
            took.append((time.monotonic() - began) * 1000)
        return sorted(took)[times // 2]
    finally:
        os.close(file)
        os.unlink(f"{folder}/fdatasync")


def give_contacts(folder, contacts):
    """Every account of the stopped gateway gets so many contacts that its user sees, straight into the store."""
    with sqlite3.connect(f"{folder}/wherry.db") as store:
        accounts = [id for id, in store.execute("SELECT id FROM accounts")]
        store.executemany("INSERT INTO contacts (account, contact, name, user_sees, user_asked, contact_sees) VALUES (?, ?, '', 1, 0, 1)",
                          ((account, f"friend{n}") for account in accounts for n in range(contacts)))
    store.close()
