#!/usr/bin/python3
"""A child connector that misbehaves in one way, named by its argument: for ChildConnector's tests. One line at a time, no
helper module, so that every octet is deliberate."""

import json
import os
import sys
import time

mode = sys.argv[1]
NETWORK = {"id": "fake", "name": "Fake", "disco_type": "x"}


def write(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def publish(number: int, account: int, event: dict) -> None:
    write({"id": number, "method": "publish", "params": {"account": account, "event": event}})


def message(number: int) -> dict:
    return {"type": "message_received", "chat": "c:a", "sender": "a", "id": f"m{number}", "text": "x", "sent_at": number}


def read_answer() -> dict:
    """The next answer to a request of ours. What the gateway asks meanwhile is granted."""
    while True:
        said = json.loads(sys.stdin.readline())
        if "method" not in said:
            return said
        write({"id": said["id"], "result": {}})


answers: list[dict] = []  # the gateway's, to our requests
log_ins = 0

if mode == "speaks_first":
    print("Welcome to Fake 1.0!", flush=True)
if mode == "dies_at_once":
    print("fatal: no licence", file=sys.stderr, flush=True)
    sys.exit(3)

for line in sys.stdin:
    said = json.loads(line)
    method, params, number = said.get("method"), said.get("params", {}), said.get("id")
    if method is None:
        answers.append(said)
        if mode == "asks_store" and len(answers) == 3:
            write({"id": waiting, "result": {"contact": json.dumps(answers)}})
        if mode == "asks_user" and said["id"] == "q":
            write({"id": log_ins, "result": {"credentials": said.get("result", {}).get("answers", {"error": json.dumps(said)})}})
        continue
    if method == "hello":
        if mode == "silent":
            continue
        if mode == "long_hello":
            sys.stdout.write("x" * 3_000_000)
            sys.stdout.flush()
            continue
        network = NETWORK | ({"id": ""} if mode == "bad_greeting" else {})
        write({"id": number, "result": {"protocol": 1, "network": network}})
        if mode == "hangs":
            time.sleep(3600)
        continue
    if method == "ping":
        write({"id": number, "result": {}})
    elif method == "know_account":
        write({"id": number, "result": {}})
        if mode == "garbage":
            print("%$§ oops", flush=True)
        elif mode == "answers_nothing_asked":
            write({"id": 999_999, "result": {}})
        elif mode == "batch":
            print("[]", flush=True)
        elif mode == "long_line":
            print("x" * 2_000_000, flush=True)
        elif mode == "floods":
            for i in range(5000):
                publish(i, params["account"], message(i))
    elif method == "open":
        if mode == "not_authorized":
            write({"id": number, "error": {"code": -32000, "message": "Log in again.", "data": {"code": "not_authorized"}}})
        elif mode == "link_breaks":
            write({"id": number, "error": {"code": -32000, "message": "lost", "data": {"code": "unavailable"}}})
        else:
            publish(1, params["account"], {"type": "account_changed", "online": True})
    elif method == "cancel":
        publish(2, 7, {"type": "contact_removed", "contact": f"cancelled-{params['id']}"})
    elif method == "perform":
        if mode == "dies":
            os._exit(9)
        elif mode == "never_answers":
            continue
        elif mode == "odd_errors":
            odd = [
                {"code": -32601, "message": "what?"},
                {"code": -32602, "message": "bad"},
                {"code": -32603, "message": "internal"},
                {"code": 1, "message": "n", "data": {"code": "not_found"}},
                {"code": 1, "message": "later", "data": {"code": "unavailable", "retry_after": 30}},
                "text",
            ]
            write({"id": number, "error": odd[int(params["action"]["key"])]})
        elif mode == "odd_results":
            write({"id": number, "result": [None, [], {"id": 5}][int(params["action"]["key"])]})
        else:
            write({"id": number, "result": {"id": "n-" + params["action"]["key"]}})
    elif method == "parse_contact":
        if mode == "asks_store":
            waiting = number
            write({"id": "w", "method": "store_write", "params": {"entries": [{"key": "a/1", "value": "one"}, {"key": "b", "value": "x"}]}})
            write({"id": "r", "method": "store_read", "params": {"prefix": "a/", "after": "", "limit": 10}})
            write({"id": "x", "method": "store_read", "params": {"prefix": 5}})
        elif mode == "unknown_method":
            write({"id": "u", "method": "dance", "params": {}})
            said = read_answer()
            write({"id": number, "result": {"contact": str(said["error"]["code"])}})
        elif mode == "odd_contact":
            write({"id": number, "result": {"contact": ""}})
        elif mode == "bad_publish":
            refused = []
            for params in (
                {"account": 7, "event": {"type": "contact_removed"}},
                {"account": 8, "event": {"type": "contact_removed", "contact": "a"}},
                {"account": 7, "event": {"type": "account_changed", "online": False, "needs_login": True}},
                {"account": 7, "event": {"type": "dance"}},
                {},
            ):
                write({"id": "p", "method": "publish", "params": params})
                refused.append(read_answer()["error"]["message"])
            write({"id": number, "result": {"contact": "|".join(refused)}})
        elif mode == "environment":
            write({"id": number, "result": {"contact": os.environ.get("COLOUR", "none")}})
        else:
            write({"id": number, "error": {"code": -32000, "message": "No such.", "data": {"code": "not_found"}}})
    elif method == "log_in":
        log_ins = number
        form = {"title": "T", "fields": [{"name": "phone"}]}
        write({"id": "stray", "method": "ask", "params": {"login": 12345, "form": form}})
        write({"id": "q", "method": "ask", "params": {"login": params["login"], "form": form}})
        if mode == "asks_twice":
            write({"id": "q2", "method": "ask", "params": {"login": params["login"], "form": form}})
        if mode == "dies":
            os._exit(9)
        if mode == "does_not_wait":
            write({"id": number, "result": {"credentials": {"early": "yes"}}})
    elif number is not None:
        write({"id": number, "result": {}})
