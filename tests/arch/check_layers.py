#!/usr/bin/python3
"""Reads every #include and prints those that go against layers.txt; and every network's name outside connectors/."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#include "((?:gateway|connectors)/[^"]+)"')


def read_rules():
    allowed, reasons = {}, {}
    for line in (ROOT / "tests/arch/layers.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("why "):
            name, reason = line[4:].split("|")
            reasons[name.strip()] = reason.strip()
        else:
            name, folders = line.split(":")
            allowed[name.strip()] = folders.split()
    return allowed, reasons


def layer_of(path):
    """The layer a file of ours belongs to: gateway/xmpp/jid.hpp → xmpp, gateway/app.hpp → main, connectors/… → connectors."""
    parts = pathlib.PurePath(path).parts
    if parts[0] == "connectors":
        return "connectors"
    return parts[1] if len(parts) > 2 else "main"


def sources():
    for top in ("gateway", "connectors"):
        for path in sorted((ROOT / top).rglob("*.[ch]pp")):
            yield path.relative_to(ROOT)


def check_includes(allowed, reasons):
    for path in sources():
        own = layer_of(path)
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match.group(1)
            target = layer_of(included)
            if own == "connectors" and target == "connectors":
                same = pathlib.PurePath(included).parts[1] == path.parts[1]
                if not same:
                    yield f"{path}:{number}: includes another connector ({included}): connectors do not know each other"
                continue
            fine = target == own or target in allowed[own] or included.removeprefix("gateway/") in allowed[own]
            if not fine:
                yield f"{path}:{number}: {own} may not include {included}: {reasons.get(own, 'see layers.txt')}"


def check_names():
    """Nothing outside connectors/ may name a network (house rule: the core knows none)."""
    networks = [p.name for p in (ROOT / "connectors").iterdir() if p.is_dir() and "echo" not in p.name]
    word = re.compile(r"\b(" + "|".join(networks + ["smpp", "twilio", "icq", "msn"]) + r")\b", re.IGNORECASE)
    for path in sources():
        if path.parts[0] == "connectors":
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            code = line.split("//")[0]
            # Examples in texts for people, and the disco type's name in its one table, are no knowledge of a network.
            code = re.sub(r'"[^"]*"', lambda m: '""' if " " in m.group(0) or "." in m.group(0) or m.group(0) == '"sms:"' else m.group(0), code)
            if word.search(code):
                yield f"{path}:{number}: names a network: {line.strip()}"


def main():
    allowed, reasons = read_rules()
    problems = list(check_includes(allowed, reasons)) + list(check_names())
    for problem in problems:
        print(problem)
    print(f"layers: {len(list(sources()))} files, {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
