#!/usr/bin/python3
"""record.py FILE COMMAND…: runs a child connector and copies its lines, both ways, into FILE: "> " from the gateway, "< " from it."""

import subprocess
import sys
import threading


def copy(source, target, sign: bytes, record, lock) -> None:
    for line in iter(source.readline, b""):
        with lock:
            record.write(sign + line)
            record.flush()
        target.write(line)
        target.flush()
    target.close()


record, lock = open(sys.argv[1], "ab"), threading.Lock()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
threading.Thread(target=copy, args=(sys.stdin.buffer, child.stdin, b"> ", record, lock), daemon=True).start()
copy(child.stdout, sys.stdout.buffer, b"< ", record, lock)
sys.exit(child.wait())
