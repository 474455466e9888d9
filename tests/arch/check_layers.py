#!/usr/bin/python3
"""Reads every #include and prints those that go against layers.txt; folders of more than 12 pairs; networks' names outside connectors/."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#include "((?:gateway|connectors)/[^"]+)"')
MOST_PAIRS = 12
# What is to be made smaller, and how large it is now: the number may only shrink.
TOO_MANY_PAIRS = {}


def read_rules():
    allowed, reasons, breaches = {}, {}, set()
    for line in (ROOT / "tests/arch/layers.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("why "):
            name, reason = line[4:].split("|")
            reasons[name.strip()] = reason.strip()
        elif line.startswith("breach "):
            breaches.add(tuple(line.split()[1:]))
        else:
            name, folders = line.split(":")
            allowed[name.strip()] = folders.split()
    return allowed, reasons, breaches


def layer_of(path, allowed):
    """The longest folder of layers.txt that a file of ours is in: gateway/xmpp/jid.hpp → xmpp, gateway/app.hpp → main."""
    parts = pathlib.PurePath(path).parts[:-1]
    if parts[0] == "gateway":
        parts = parts[1:] or ("main",)
    while "/".join(parts) not in allowed:
        parts = parts[:-1]
    return "/".join(parts)


def sources():
    for top in ("gateway", "connectors"):
        for path in sorted((ROOT / top).rglob("*.[ch]pp")):
            yield path.relative_to(ROOT)


def is_another_feature(path, included):
    """No feature includes another feature; features.hpp is the list of all."""
    return path.parts[:2] == ("gateway", "features") and included.startswith("gateway/features/") \
        and included != "gateway/features/features.hpp" and pathlib.PurePath(included).stem != path.stem


def why_not(path, included, allowed, reasons):
    own, target = layer_of(path, allowed), layer_of(included, allowed)
    if own.startswith("connectors") and target.startswith("connectors"):
        if pathlib.PurePath(included).parts[1] != path.parts[1]:
            return f"includes another connector ({included}): connectors do not know each other"
    if is_another_feature(path, included):
        return f"a feature may not include {included}: {reasons['features']}"
    if target == own or target in allowed[own] or included.removeprefix("gateway/") in allowed[own]:
        return None
    return f"{own} may not include {included}: {reasons.get(own, 'see layers.txt')}"


def check_includes(allowed, reasons, breaches):
    used = set()
    for path in sources():
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            reason = match and why_not(path, match.group(1), allowed, reasons)
            if not reason:
                continue
            if (str(path), match.group(1)) in breaches:
                used.add((str(path), match.group(1)))
            else:
                yield f"{path}:{number}: {reason}"
    for path, included in sorted(breaches - used):
        yield f"layers.txt: the breach {path} → {included} is mended: take its line out"


def check_pairs():
    pairs = {}
    for path in sources():
        pairs.setdefault(str(path.parent), set()).add(path.stem)
    for folder, names in pairs.items():
        most = TOO_MANY_PAIRS.get(folder, MOST_PAIRS)
        if len(names) > most:
            yield f"{folder}: {len(names)} pairs of files, at most {most}: look for the seam"
        if folder in TOO_MANY_PAIRS and len(names) < most:
            yield f"check_layers.py: {folder} has {len(names)} pairs now: lower its number"


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
    allowed, reasons, breaches = read_rules()
    problems = list(check_includes(allowed, reasons, breaches)) + list(check_pairs()) + list(check_names())
    for problem in problems:
        print(problem)
    print(f"layers: {len(list(sources()))} files, {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
