#!/usr/bin/python3
"""An HTTP/1.1 server of the standard library, for HttpClient's tests. Prints its port; ends when standard input does.

http_peer.py [tls]: with a certificate that nobody has signed.
"""

import http.server
import json
import ssl
import subprocess
import sys
import tempfile
import threading

seen: dict[str, int] = {}  # requests by path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        seen[path] = seen.get(path, 0) + 1
        if path == "/echo":
            said = {"method": self.command, "target": self.path, "body": body.decode("latin-1"), "headers": dict(self.headers)}
            self.reply(200, json.dumps(said).encode(), [("X-Two", "first"), ("X-Two", "second")])
        elif path == "/long":
            self.reply(200, b"x" * 2_000_000, [])
        elif path == "/headers":
            self.reply(200, b"", [(f"X-{i}", "y" * 60_000) for i in range(3)])
        elif path == "/redirect":
            self.reply(302, b"", [("Location", "/echo")])
        elif path == "/never":
            threading.Event().wait()
        elif path == "/hang-up":  # the first request of a connection is answered, the next one is not
            if getattr(self, "greeted", False):
                self.close_connection = True
            else:
                self.greeted = True
                self.reply(200, b"hello", [])
        elif path == "/seen":
            self.reply(200, json.dumps(seen).encode(), [])
        else:
            self.reply(404, b"no", [])

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def reply(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_: object) -> None:
        pass  # a client that goes away is part of the tests


server = Server(("127.0.0.1", 0), Handler)
if "tls" in sys.argv:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
             "-keyout", f"{folder}/key", "-out", f"{folder}/cert"],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert", f"{folder}/key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
