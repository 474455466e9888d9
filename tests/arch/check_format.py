#!/usr/bin/env python3
"""tests/arch/check_format.py [--fix]: every C++ file reads as clang-format writes it by .clang-format (120 columns). --fix: it is written so.

clang-format 16 and 19 agree on this code; the first one found is asked.
"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSIONS = (16, 19, 17, 18)


def program():
    for name in [f"clang-format-{version}" for version in VERSIONS]:
        if shutil.which(name):
            return name
    raise SystemExit("check_format: there is no clang-format-16 or 19; `deploy/packages test` installs it")


def main():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp"], cwd=ROOT, check=True, capture_output=True)
    files = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    if "--fix" in sys.argv[1:]:
        return subprocess.run([program(), "-i", *files], cwd=ROOT).returncode
    asked = subprocess.run([program(), "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode:
        print(asked.stderr[:4000], end="")
        print("check_format: run tests/arch/check_format.py --fix")
    else:
        print(f"{len(files)} files are formatted")
    return asked.returncode


if __name__ == "__main__":
    sys.exit(main())
