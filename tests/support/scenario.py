"""Reads scenario files (tests/scenarios/README.md has the language) into steps. Pure."""
from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from xml_stream import StreamBroken, parse

HOSTS = ("fake", "prosody", "ejabberd")
PEOPLE = {"romeo": "x.test", "juliet": "x.test", "benvolio": "z.test", "mercutio": "y.test"}  # y.test may not register
WRITTEN_ADDRESS = re.compile(r"\b(" + "|".join(PEOPLE) + r")@(x|y|z)\.test")


class BadScenario(Exception):
    """A file that cannot be read; the text names file and line."""


@dataclass
class Step:
    line: int
    text: str           # as written, for reports
    actor: str          # romeo, romeo/phone, network, link, server, wherry
    verb: str
    xml: str = ""       # of sends: verbatim
    pattern: Element | None = None
    without: list[Element] = field(default_factory=list)
    word: str = ""      # the kind of an action or event, or the verb's one word
    fields: dict[str, str] = field(default_factory=dict)
    skipped_on: dict[str, str] = field(default_factory=dict)  # host → reason


@dataclass
class Scenario:
    path: str
    title: str = ""     # the first comment
    domain: str = "net.test"
    only_on: dict[str, str] = field(default_factory=dict)  # hosts and the reason; empty: all
    connector: str = "scripted"
    steps: list[Step] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".scn")


def read(path: str) -> Scenario:
    with open(path, encoding="utf-8") as file:
        return parse_scenario(file.read(), path)


def parse_scenario(text: str, path: str) -> Scenario:
    """Raises BadScenario."""
    scenario = Scenario(path)
    differing: dict[str, str] = {}
    for number, line in _logical_lines(text):
        if line.startswith("#"):
            scenario.title = scenario.title or line.lstrip("# ")
            continue
        try:
            if _directive(scenario, differing, line):
                continue
            step = _step(number, line)
        except (ValueError, StreamBroken) as error:
            raise BadScenario(f"{path}:{number}: {error}") from error
        step.skipped_on, differing = differing, {}
        scenario.steps.append(step)
    if not scenario.title:
        raise BadScenario(f"{path}:1: begin with a comment: what must be true, and which specification says so")
    if differing:
        raise BadScenario(f"{path}: 'differs on' stands before the line that does not hold there; none follows")
    return scenario


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their continuations: a line that begins with white space belongs to the one before."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if line[0] in " \t" and lines and not lines[-1][1].startswith("#"):
            lines[-1] = (lines[-1][0], lines[-1][1] + line.strip())
        else:
            lines.append((number, line.strip()))
    return lines


def _directive(scenario: Scenario, differing: dict[str, str], line: str) -> bool:
    if line.startswith("at "):
        scenario.domain = line[3:].strip()
    elif line.startswith("only with "):
        scenario.connector = line[10:].strip()
    elif line.startswith("only on "):
        hosts, reason = _reason(line[8:])
        for host in hosts:
            scenario.only_on[host] = reason
    elif line.startswith("differs on "):
        hosts, reason = _reason(line[11:])
        for host in hosts:
            differing[host] = reason
    else:
        return False
    return True


def _reason(text: str) -> tuple[list[str], str]:
    names, colon, reason = text.partition(":")
    hosts = [name.strip() for name in names.replace(" and ", ",").split(",") if name.strip()]
    unknown = [host for host in hosts if host not in HOSTS]
    if unknown or not hosts:
        raise ValueError(f"no such host: {', '.join(unknown) or '(none)'}; there are {', '.join(HOSTS)}")
    if not colon or not reason.strip():
        raise ValueError("give the reason after a colon")
    return hosts, reason.strip()


def _step(number: int, line: str) -> Step:
    actor, _, rest = line.partition(" ")
    rest = rest.strip()
    step = Step(number, re.sub(r"\s+", " ", line), actor, "")
    if actor in ("restart", "kill", "start", "stop"):
        if rest != "wherry":
            raise ValueError(f"{actor} what? There is only wherry")
        step.actor, step.verb = "wherry", actor
    elif actor == "network":
        _network(step, rest)
    elif actor == "link":
        _link(step, rest)
    elif actor == "server":
        if not rest.startswith("ends the stream with "):
            raise ValueError("the server only 'ends the stream with CONDITION'")
        step.verb, step.word = "ends the stream with", rest[21:].strip()
    elif actor.partition("/")[0] in PEOPLE:
        _person(step, rest)
    else:
        raise ValueError(f"who is {actor}? There are {', '.join(PEOPLE)}, network, link, server and wherry")
    return step


def _person(step: Step, rest: str) -> None:
    for verb in ("comes online", "goes offline", "receives nothing"):
        if rest == verb:
            step.verb = verb
            return
    if registers := re.fullmatch(r"registers(?: at (~[a-z0-9-]+))?(?: as (\S+))?", rest):
        step.verb, step.word = "registers", registers[2] or ""
        step.fields = {"alias": registers[1] or ""}
        return
    if rest.startswith("opens "):
        step.verb, step.word = "opens", rest[len("opens "):].strip()
        return
    for verb in ("sends", "then receives", "receives", "does not receive"):
        if rest.startswith(verb + " "):
            step.verb = verb
            step.xml = rest[len(verb):].strip()
            if verb == "sends":
                return
            _pattern(step)
            return
    raise ValueError("a person registers, comes online, goes offline, sends, receives, then receives, does not receive, "
                     "receives nothing, or opens a link")


def _pattern(step: Step) -> None:
    wanted, *without = re.split(r"(?<=>)\s*without\s+(?=<)", step.xml)
    elements = parse(wanted)
    if len(elements) != 1:
        raise ValueError(f"{step.verb} exactly one stanza, not {len(elements)}")
    step.pattern = elements[0]
    for text in without:
        step.without += parse(text)


def _network(step: Step, rest: str) -> None:
    if rest == "expects nothing":
        step.verb = rest
        return
    for state in ("goes offline", "comes online", "needs a login", "crashes", "holds look-ups", "ends look-ups"):
        if rest == state or rest.startswith(state + " "):
            step.verb = state
            step.fields = _fields(shlex.split(rest[len(state):]))
            return
    for verb in ("then expects", "does not expect", "expects", "answers", "sends"):
        if rest.startswith(verb + " "):
            step.verb = verb
            step.word, step.fields = _words(rest[len(verb):])
            return
    raise ValueError("the network expects, does not expect, answers, sends, goes offline, comes online, needs a login, crashes, "
                     "holds look-ups, or ends look-ups")


def _words(text: str) -> tuple[str, dict[str, str]]:
    """`rejected "No such number." retry_after=5` → ("rejected", {"text": "No such number.", "retry_after": "5"})."""
    words = shlex.split(text)
    if not words:
        raise ValueError("a word is missing")
    return words[0], _fields(words[1:])


def _fields(words: list[str]) -> dict[str, str]:
    """key=value words; a word alone is the text."""
    fields = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[a-z_]+", key):
            fields[key] = value
        else:
            fields["text"] = word
    return fields


def _link(step: Step, rest: str) -> None:
    if rest in ("cut", "down", "up", "torn"):
        step.verb = rest
        return
    for verb in ("never carries", "carries"):
        if rest.startswith(verb + " "):
            step.verb = verb
            step.xml = rest[len(verb):].strip()
            _pattern(step)
            return
    raise ValueError("the link is cut, torn, down or up; it carries, or never carries, a stanza")
