"""Case files: how they are found and read. The formats are in README.md."""
from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATED = re.compile(r"\{\{(\d+) \* (.+?)\}\}", re.DOTALL)
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|r|n|t|0|\\)")
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


class Wrong(AssertionError):
    """What a case found: not the answer that the file names."""


@dataclass
class Case:
    kind: str
    name: str
    why: str                          # the comment at its head, if the name does not say it all
    steps: list[tuple[str, str]] = field(default_factory=list)   # (first word, the rest), in order
    text: str = ""                    # of kinds that read it as a whole: everything below the comment

    def all(self, word: str) -> list[str]:
        return [rest for key, rest in self.steps if key == word]

    def one(self, word: str, otherwise: str = "") -> str:
        found = self.all(word)
        return found[0] if found else otherwise

    def has(self, word: str) -> bool:
        return any(key == word for key, _ in self.steps)


def repeated(text: str) -> str:
    """`{{1000 * <a>}}` written out."""
    return REPEATED.sub(lambda found: found.group(2) * int(found.group(1)), text)


def unescaped(text: str) -> bytes:
    r"""\r \n \t \0 \\ and \xff as octets, the rest as UTF-8."""
    out, at = b"", 0
    for found in ESCAPE.finditer(text):
        out += text[at:found.start()].encode()
        word = found.group(1)
        out += bytes([int(word[1:], 16)]) if word[0] == "x" and len(word) == 3 else ESCAPES[word]
        at = found.end()
    return out + text[at:].encode()


def read(kind: str, path: str) -> Case:
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    head = 0
    while head < len(lines) and lines[head].startswith("# "):
        head += 1
    name = os.path.basename(path).rpartition(".")[0]
    case = Case(kind, name, " ".join(line.lstrip("# ") for line in lines[:head]), text="\n".join(lines[head:]))
    for line in lines[head:]:
        if not line.strip():
            continue
        if line.startswith(" "):      # the line before goes on
            if not case.steps:
                raise SystemExit(f"{path}: an indented line with nothing before it")
            word, rest = case.steps[-1]
            case.steps[-1] = (word, f"{rest}\n{line.strip()}")
        else:
            word, _, rest = line.partition(" ")
            case.steps.append((word, rest.strip()))
    return case


def load(kind: str) -> list[Case]:
    folder = os.path.join(HERE, kind)
    return [read(kind, os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
