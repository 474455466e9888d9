#!/usr/bin/python3
"""g++ 12 miscompiles three shapes of coroutines, so none may appear: an aggregate temporary or a lambda made inside a
co_await expression (no { and no [ between co_await and the end of its statement), a choice inside one or of one (no ?: either; the
sanitizer found a temporary used after its end, and an optional was moved from the wrong place), and a co_await in the condition of an if or a while (one such ended in an
illegal instruction; DECISIONS.md 14)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def breaches(text):
    """Line numbers of co_await expressions that make something in braces or brackets, or choose."""
    text = COMMENT.sub(blank, STRING.sub(blank, text))
    for match in re.finditer(r"\bco_await\b", text):
        if "?" in re.split(r"[;{}]", text[:match.start()])[-1]:  # one of them is chosen
            yield text.count("\n", 0, match.start()) + 1
            continue
        depth = 0
        for i in range(match.end(), len(text)):
            c = text[i]
            if c in "([":
                # A subscript follows a name or a bracket; a lambda's introducer does not.
                if c == "[" and not re.search(r"[\w\])]\s*$", text[match.end():i]):
                    yield text.count("\n", 0, match.start()) + 1
                    break
                depth += 1
            elif c in ")]":
                depth -= 1
                if depth < 0:  # the end of the parentheses around the whole expression: an if, a while, an argument
                    break
            elif c == ";":
                break
            elif c in "{?":
                yield text.count("\n", 0, match.start()) + 1
                break


def conditions(text):
    """Line numbers of if and while whose condition waits."""
    text = COMMENT.sub(blank, STRING.sub(blank, text))
    for match in re.finditer(r"\b(?:if|while)\s*\(", text):
        depth, i = 1, match.end()
        while i < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[i], 0)
            i += 1
        if re.search(r"\bco_await\b", text[match.end():i]):
            yield text.count("\n", 0, match.start()) + 1


def main():
    found = 0
    files = [p for top in ("gateway", "connectors", "tests") for p in sorted((ROOT / top).rglob("*.[ch]pp"))]
    for path in files:
        text = path.read_text()
        for line in breaches(text):
            print(f"{path.relative_to(ROOT)}:{line}: a brace, a lambda or a choice inside a co_await expression: build it in a named local first")
            found += 1
        for line in conditions(text):
            print(f"{path.relative_to(ROOT)}:{line}: co_await in a condition: wait first, then test the result")
            found += 1
    print(f"co_await: {len(files)} files, {found} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
