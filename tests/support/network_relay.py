#!/usr/bin/python3
"""The child process that wherry starts for the scripted network: passes lines between its standard streams and the
test's Unix socket, where network.py plays the network.

    network_relay.py SOCKET NAME

Its first line to the socket is {"relay": NAME, "pid": …}. It ends when either side does.
"""
import json
import os
import socket
import sys
import threading


def pump(source: int, target: int) -> None:
    try:
        while data := os.read(source, 65536):
            while data:
                data = data[os.write(target, data):]
    except OSError:
        pass
    os._exit(0)


def main() -> None:
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(sys.argv[1])
    wire.sendall(json.dumps({"relay": sys.argv[2], "pid": os.getpid()}).encode() + b"\n")
    threading.Thread(target=pump, args=(wire.fileno(), sys.stdout.fileno()), daemon=True).start()
    pump(sys.stdin.fileno(), wire.fileno())


main()
