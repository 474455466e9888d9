"""The switches: everything that can be made to go wrong, in one table.

The table is the single source: the defaults, the checks, the drawer of the page and the README's list come from it.
A rule narrows some switches to the numbers that match a pattern; rules apply in order, later ones win.
"""
import fnmatch
import math
from typing import Any, NamedTuple

import pdu

OUTCOMES = ("delivered", "expired", "undeliverable", "rejected", "deleted", "unknown", "never")


class Switch(NamedTuple):
    """`per_number`: may stand in a rule. `low` and `high` bound a number; `choices` list a word's values."""
    name: str
    default: Any
    group: str
    label: str
    per_number: bool = False
    low: float = 0
    high: float = 0
    choices: tuple = ()
    status: bool = False             # an SMPP status name, or empty


def _number(name, default, group, label, high, per_number=False, low=0):
    return Switch(name, default, group, label, per_number, low, high)


def _share(name, group, label, default=0.0):
    return Switch(name, default, group, label, True, 0.0, 1.0)


def _word(name, group, label, choices, per_number=False):
    return Switch(name, choices[0], group, label, per_number, choices=choices)


def _yes(name, group, label, per_number=False):
    return Switch(name, False, group, label, per_number)


def _status(name, group, label, per_number=False):
    return Switch(name, "", group, label, per_number, status=True)


DAY_MS = 86_400_000
TAKING, LOSING, IDS = "Taking texts", "Losing things", "Message ids"
REPORTS, HANDSETS, LINK = "Delivery reports", "Texts from handsets", "The link"

TABLE = (
    _number("delay_ms", 0, TAKING, "Wait this long before each answer (ms)", DAY_MS, True),
    _number("delay_jitter_ms", 0, TAKING, "… plus a random time up to this (ms); answers then overtake each other", DAY_MS, True),
    _status("refuse", TAKING, "Refuse texts with this status", True),
    _share("refuse_share", TAKING, "… but only this share of them", 1.0),
    _number("throttle_every", 0, TAKING, "Answer every n-th text “too fast” (0: never)", 10**9),
    _number("throttle_rate", 0, TAKING, "Answer “too fast” above this many texts a second (0: no limit)", 10**6),

    _share("lose_requests", LOSING, "Share of texts neither taken nor answered", 0.0),
    _share("lose_responses", LOSING, "Share of texts taken and delivered, but never answered"),
    _share("lose_texts", LOSING, "Share of texts answered, but never delivered nor reported"),
    _number("drop_every", 0, LOSING, "Cut the link after taking every n-th text, before its answer (0: never)", 10**9),

    _word("id_format", IDS, "Message ids are", ("hex", "decimal", "uuid")),
    _number("id_width", 0, IDS, "Pad ids with zeros to this many characters", 32),
    _number("id_start", 0, IDS, "Continue counting ids here (0: leave the count alone)", 2**64 - 1),

    _word("report_outcome", REPORTS, "What becomes of a text", OUTCOMES, True),
    _share("report_outcome_share", REPORTS, "… for this share; the others are delivered", 1.0),
    _number("report_delay_ms", 300, REPORTS, "Time from the answer to the outcome (ms)", DAY_MS, True),
    _number("report_jitter_ms", 0, REPORTS, "… plus a random time up to this (ms)", DAY_MS, True),
    _yes("report_before_response", REPORTS, "The report overtakes the answer to the text", True),
    _word("report_form", REPORTS, "Reports carry their facts as", ("both", "text", "tlv"), True),
    _word("report_style", REPORTS, "How the report's text is written", ("standard", "seconds", "terse", "odd"), True),
    _word("report_id", REPORTS, "The id in the report, against the one in the answer",
          ("same", "hex_to_dec", "dec_to_hex", "upper", "lower", "leading_zeros", "no_leading_zeros"), True),
    _yes("report_twice", REPORTS, "Every report comes twice", True),
    Switch("report_then", "", REPORTS, "A second, different report follows", True, choices=("", *OUTCOMES[:-1])),
    _yes("report_intermediate", REPORTS, "Send “on its way” first, if the gateway asked for it", True),
    _word("report_command", REPORTS, "Reports come as", ("deliver_sm", "data_sm"), True),
    _yes("report_unmarked", REPORTS, "Reports look like ordinary texts (esm_class 0)", True),

    Switch("answer", "", HANDSETS, "Handsets answer each text with this ({text}: what arrived; empty: nothing)", True),
    _number("answer_delay_ms", 0, HANDSETS, "… after this time (ms)", DAY_MS, True),
    _word("mo_long", HANDSETS, "Long texts are sent as", ("udh8", "udh16", "sar", "payload"), True),
    _word("mo_encoding", HANDSETS, "Texts are encoded as", ("auto", "gsm7", "ucs2", "latin1"), True),
    _word("mo_order", HANDSETS, "The parts of a long text come", ("in_order", "reversed", "shuffled"), True),
    _share("mo_twice", HANDSETS, "Share of parts that come twice"),
    _word("mo_address", HANDSETS, "Numbers are written", ("international", "unknown", "plus"), True),
    _yes("mo_spread", HANDSETS, "Spread the parts over all binds"),

    _word("alphabet", LINK, "data_coding 0 means", ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8")),
    _number("window", 32, LINK, "Texts and reports under way at once", 10_000, low=1),
    _number("deliver_timeout_ms", 30_000, LINK, "Cut the link when the gateway leaves one unanswered this long (ms)", DAY_MS,
            low=100),
    _number("deliver_retry_ms", 2_000, LINK, "Try again this long after “not now” (ms)", DAY_MS, low=1),
    _number("max_binds", 0, LINK, "Binds allowed at once (0: any number)", 1000),
    _status("bind_refuse", LINK, "Refuse binds with this status"),
    _yes("refuse_connections", LINK, "Hang up on every new connection"),
    _yes("silent", LINK, "Read everything, answer nothing (a dead peer)"),
    _number("enquire_seconds", 30, LINK, "Ask “are you there?” after this much silence (s; 0: never)", 86_400),
    _number("reassembly_seconds", 60, LINK, "Show a long text with holes after this time (s)", 86_400, low=1),
)
BY_NAME = {s.name: s for s in TABLE}
DEFAULT_RULES = [{"pattern": "*0000", "refuse": "RINVDSTADR"}]
MAX_RULES, MAX_PATTERN, MAX_TEXT = 200, 64, 2000


class Invalid(ValueError):
    """A value that a switch cannot take; the message is for the person who set it."""


class Values:
    """One full set of switch values, as attributes."""
    __slots__ = tuple(BY_NAME)

    def __init__(self, values: dict):
        for name in BY_NAME:
            setattr(self, name, values[name])


def check(name: str, value: Any) -> Any:
    """The value in the switch's own type; Invalid if it does not fit."""
    switch = BY_NAME.get(name)
    if switch is None:
        raise Invalid(f"There is no switch “{name}”.")
    kind = type(switch.default)
    if kind is bool:
        if not isinstance(value, bool):
            raise Invalid(f"{name} is true or false.")
        return value
    if kind is str:
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise Invalid(f"{name} is a text of at most {MAX_TEXT} characters.")
        if switch.choices and value not in switch.choices:
            raise Invalid(f"{name} is one of: {', '.join(c or '(empty)' for c in switch.choices)}.")
        if switch.status and value:
            value = value.upper().removeprefix("ESME_")
            if value not in pdu.STATUSES or value == "ROK":
                raise Invalid(f"{name} is an SMPP status such as RINVDSTADR, or empty.")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) \
            or not switch.low <= value <= switch.high:
        raise Invalid(f"{name} is a number from {switch.low:g} to {switch.high:g}.")
    return float(value) if kind is float or name == "throttle_rate" else int(value)


def check_rules(rules: Any) -> list[dict]:
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise Invalid(f"rules is a list of at most {MAX_RULES}.")
    checked = []
    for rule in rules:
        pattern = rule.get("pattern") if isinstance(rule, dict) else None
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN:
            raise Invalid(f"Each rule has a pattern of 1 to {MAX_PATTERN} characters, such as +4477* or *0000.")
        clean = {"pattern": pattern}
        for name, value in rule.items():
            if name == "pattern":
                continue
            if name in BY_NAME and not BY_NAME[name].per_number:
                raise Invalid(f"{name} is for the whole link; a rule cannot change it.")
            clean[name] = check(name, value)
        checked.append(clean)
    return checked


class Switches:
    """The current values and rules. `for_number` is on the hot path and remembers its answers until the next change."""

    def __init__(self):
        self.values = {s.name: s.default for s in TABLE}
        self.rules = check_rules(DEFAULT_RULES)
        self._settle()

    def _settle(self) -> None:
        self.all = Values(self.values)
        self._known: dict[str, Values] = {}

    def for_number(self, number: str) -> Values:
        """The values that hold for this number. A '+' in front counts only if the pattern begins with one."""
        known = self._known.get(number)
        if known is None:
            bare = number.lstrip("+")
            known = self.all
            matching = [r for r in self.rules
                        if fnmatch.fnmatchcase(number if r["pattern"].startswith("+") else bare, r["pattern"])]
            if matching:
                merged = dict(self.values)
                for rule in matching:
                    merged.update((k, v) for k, v in rule.items() if k != "pattern")
                known = Values(merged)
            if len(self._known) >= 50_000:
                self._known.clear()
            self._known[number] = known
        return known

    def change(self, wanted: Any) -> None:
        """Takes {switch: value, …, "rules": […]}; all of it or, with Invalid, nothing."""
        if not isinstance(wanted, dict):
            raise Invalid("Send an object of switches and their values.")
        rules = check_rules(wanted["rules"]) if "rules" in wanted else self.rules
        values = {name: check(name, value) for name, value in wanted.items() if name != "rules"}
        self.values = {**self.values, **values}
        self.rules = rules
        self._settle()

    def shown(self) -> dict:
        return {**self.values, "rules": self.rules}


def shown_default(switch: Switch) -> str:
    """The default as a person writes it."""
    value = switch.default
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def described() -> list[dict]:
    """The table for the page: what to show for each switch."""
    rows = []
    for s in TABLE:
        kind = type(s.default).__name__ if not s.status else "status"
        statuses = ["", *(name for name in pdu.STATUSES if name != "ROK")] if s.status else []
        rows.append({"name": s.name, "group": s.group, "label": s.label, "kind": {"float": "share"}.get(kind, kind),
                     "default": s.default, "choices": list(s.choices) or statuses,
                     "low": s.low, "high": s.high, "per_number": s.per_number})
    return rows


def as_markdown() -> str:
    """The table of the README; `python3 switches.py` prints it."""
    lines = []
    for group in dict.fromkeys(s.group for s in TABLE):
        lines += [f"**{group}**", "", "| switch | default | rule | what it does |", "|---|---|---|---|"]
        for s in (s for s in TABLE if s.group == group):
            values = ""
            if s.choices:
                values = f" ({', '.join(f'`{c}`' for c in s.choices if c)})"
            elif s.status:
                values = " (an SMPP status)"
            elif isinstance(s.default, float):
                values = " (0 to 1)"
            lines.append(f"| `{s.name}` | {shown_default(s)} | {'✓' if s.per_number else ''} | {s.label}{values} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_markdown())
