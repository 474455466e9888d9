#!/usr/bin/python3
"""tests/support/npm.py: installs what the tests need of npm (package.json beside this file) into build/npm, once. tests/run does it
first of all; a test that runs alone does it by modules()."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

WANTED = pathlib.Path(__file__).resolve().with_name("package.json")
FOLDER = WANTED.parents[2] / "build/npm"
PATIENCE = 600  # seconds


class NotInstalled(RuntimeError):
    """The text says why, in one sentence."""


@functools.cache
def _problem() -> str:
    """Why the packages are not there, or nothing; asked once a process, so that no test waits again for a registry that is away."""
    installed = FOLDER / "package.json"
    if installed.exists() and installed.read_bytes() == WANTED.read_bytes():
        return ""
    if not shutil.which("npm") or not shutil.which("node"):
        return "node and npm are not installed; `deploy/packages test` does that"
    FOLDER.mkdir(parents=True, exist_ok=True)
    work = FOLDER / "new"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copy(WANTED, work)
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"npm did not install the tests' packages within {PATIENCE} s (`{' '.join(command)}` in {work})"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it says nothing"]
        return f"npm cannot install the tests' packages (`{' '.join(command)}` in {work}): {lines[-1]}"
    shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
    os.rename(work / "node_modules", FOLDER / "node_modules")
    os.rename(work / "package.json", installed)  # last: what is half done is done again
    shutil.rmtree(work)
    return ""


def modules() -> str:
    """The node_modules folder with the packages; raises NotInstalled."""
    if problem := _problem():
        raise NotInstalled(problem)
    return str(FOLDER / "node_modules")


if __name__ == "__main__":
    sys.exit(_problem() or 0)
