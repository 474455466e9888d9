#!/usr/bin/python3
"""deploy/doap.xml and the sources name the same specifications: what is announced is built, what is built is announced."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    announced = set(re.findall(r"xep-(\d{4})\.html", (ROOT / "deploy/doap.xml").read_text()))
    built = set()
    for folder in ("xmpp", "convert", "accounts", "queues", "transport", "features"):
        for path in (ROOT / "gateway" / folder).rglob("*.[ch]pp"):
            built |= set(re.findall(r"XEP-(\d{4})", path.read_text()))
    # Named without being announced: what is read to refuse it in words, formats that are borrowed, and why something is not done.
    borrowed = {"0027", "0060", "0082", "0086", "0103", "0198", "0224", "0234", "0249", "0280", "0300", "0353",
                "0358", "0364", "0372", "0373", "0380", "0384", "0448", "0454", "0482"}
    problems = [f"deploy/doap.xml announces XEP-{x}, which no source names" for x in sorted(announced - built)]
    problems += [f"XEP-{x} is named in the sources, but not announced in deploy/doap.xml" for x in sorted(built - announced - borrowed)]
    for problem in problems:
        print(problem)
    print(f"xeps: {len(announced)} announced, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
