#!/usr/bin/python3
"""A child connector that misbehaves in one way, named by its argument: for ChildConnector's tests. One line at a time, no
helper module, so that every octet is deliberate."""

import base64
import json
import os
import subprocess
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


def leave_helper() -> int:
    """A process of ours that holds our pipes, as browsers and bridge daemons do."""
    return subprocess.Popen(["sleep", "60"], start_new_session=True).pid


def fetched(number: str) -> None:
    data = base64.b64encode(b"x" * (300_000 if mode == "fetch_large_piece" else 100_000)).decode()
    write({"id": number, "method": "fetched", "params": {"fetch": fetch, "data": data}})


fetching = fetch = pieces = 0  # the request, its number, and how many pieces were answered
runs = asked_capabilities = 0
answers: list[dict] = []  # the gateway's, to our requests
log_ins = 0
brought = False
known: set[int] = set()  # accounts that we were told of

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
        if str(said["id"]).startswith("f"):
            pieces += 1
            if "error" in said:
                write({"id": fetching, "error": said["error"] | {"message": "In vain: " + said["error"]["message"]}})
            elif pieces < 3:
                fetched(f"f{pieces}")
            elif mode != "fetch_stops":
                write({"id": fetching, "result": {}})
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
        if mode == "varies":
            network["capabilities_vary"] = True
        if mode == "link":
            network["has_shared_link"] = True
        capabilities = {"text": {"most": 160}}
        write({"id": number, "result": {"protocol": 1 if mode == "old" else 2, "network": network, "capabilities": capabilities}})
        if mode == "hangs":
            time.sleep(3600)
        continue
    if method == "ping":
        write({"id": number, "result": {}})
    elif method == "know_account":
        known.add(params["account"])
        write({"id": number, "result": {"idempotency": "queryable"} if mode == "well" else {}})
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
        elif mode == "must_know" and params["account"] not in known:
            write({"id": number, "error": {"code": -32000, "message": "Who?", "data": {"code": "not_authorized"}}})
        elif mode == "link_breaks":
            write({"id": number, "error": {"code": -32000, "message": "lost", "data": {"code": "unavailable"}}})
        else:
            publish(1, params["account"], {"type": "account_changed", "online": True})
    elif method == "run":
        runs += 1
        publish(2, 7, {"type": "contact_removed", "contact": f"run-{runs}"})
        if runs < 3:
            write({"id": number, "error": {"code": -32000, "message": "lost", "data": {"code": "unavailable"}}})
    elif method == "capabilities":
        asked_capabilities += 1
        write({"id": number, "result": {"text": {"most": 1000 + asked_capabilities}, "edit": "full"}})
        publish(3, 7, {"type": "contact_removed", "contact": f"asked-{params['chat']}-{asked_capabilities}"})
    elif method == "query":
        kind = params["query"]["type"]
        if mode == "odd_answers":
            write({"id": number, "result": {"contacts": [{"name": "no id"}], "details": 5}})
        else:
            write({"id": number, "result": {
                "profile": {"name": "Juliet", "details": {"phone": "+1"}},
                "history": {"messages": [message(1)]},
                "rooms": {"rooms": [{"room": "tea", "name": "Tea"}]},
            }[kind]})
    elif method == "probe":
        write({"id": number, "result": {}})
    elif method == "fetch":
        fetching, fetch, pieces = number, params["fetch"], 0
        fetched("f0")
        if mode == "fetch_hurries":
            fetched("f1")
        if mode == "fetch_fails":
            write({"id": number, "error": {"code": -32000, "message": "No such file.", "data": {"code": "not_found"}}})
    elif method == "cancel":
        publish(2, 7, {"type": "contact_removed", "contact": f"cancelled-{params['id']}"})
    elif method == "perform":
        if mode == "dies":
            os._exit(9)
        elif mode == "reads_on":
            # A bad line, and then it goes on as if nothing had happened: what it reads, it does.
            print("oops", flush=True)
            with open(os.environ["RECORD"], "a", buffering=1) as record:
                while line:
                    record.write(json.loads(line)["params"]["action"]["key"] + "\n")
                    line = sys.stdin.readline()
                    time.sleep(0.01)
            os._exit(0)
        elif mode == "leaves_helper":
            leave_helper()
            os._exit(3)
        elif mode == "brings_history" and not brought:
            brought = True
            time.sleep(0.5)  # the others are waiting by now
            for i in range(5000):
                publish(i, params["account"], message(i))
            write({"id": number, "result": {"ids": ["n-" + params["action"]["key"]]}})
        elif mode == "never_answers":
            continue
        elif mode == "floods_log":
            for i in range(50_000):
                write({"method": "log", "params": {"level": "info", "text": f"line {i}"}})
            write({"id": number, "result": {"ids": ["n-" + params["action"]["key"]]}})
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
            write({"id": number, "result": [None, [], {"ids": 5}][int(params["action"]["key"])]})
        else:
            write({"id": number, "result": {"ids": ["n-" + params["action"]["key"]]}})
    elif method == "parse_contact":
        if mode == "varies":
            publish(4, params["account"], {"type": "capabilities_changed", "chat": "c:a"})
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
        elif mode == "room":
            write({"id": "p", "method": "publish", "params": {"account": 7, "event": message(1) | {"chat": "r:tea"}}})
            error = read_answer()["error"]
            write({"id": number, "result": {"contact": f"{error['code']} {error['message']}"}})
        elif mode == "slow_look_ups":
            time.sleep(0.01)
            write({"id": number, "result": {"contact": "c"}})
        elif mode == "descriptors":
            open_ones = " ".join(str(fd) for fd in range(1000) if os.path.exists(f"/proc/self/fd/{fd}"))
            write({"id": number, "result": {"contact": str(os.getpid()) if params["typed"] == "pid" else open_ones}})
        elif mode == "fills_store":
            written = 0
            while True:
                entries = [{"key": f"{written:06}", "value": "x" * 500_000}]
                write({"id": "w", "method": "store_write", "params": {"entries": entries}})
                said = read_answer()
                if "error" not in said:
                    written += 1
                elif said["error"]["data"]["code"] == "unavailable":  # until it is counted anew
                    time.sleep(1)
                else:
                    break
            write({"id": number, "result": {"contact": f"{said['error']['data']['code']} {written}"}})
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
