"""What the session and the services beside it have in common: the handshake, step by step."""
from __future__ import annotations

from rates import Rates
from wire import Breach, Octets, u16


class Service:
    families: dict[int, int] = {}  # and the highest version of each

    def __init__(self, front, account, stays: bool = True) -> None:
        self.front, self.state, self.account, self.stays = front, front.state, account, stays
        self.rates = Rates(self.state.is_on("slow_messages"))
        self.step = "versions"
        self.versions: dict[int, int] = {}
        self.say(1, 3, b"".join(map(u16, self.families)))

    def say(self, family: int, subtype: int, body: bytes = b"", number: int = 0, flags: int = 0) -> None:
        self.front.say(family, subtype, body, number, flags)

    def refuse(self, family: int, number: int, code: int, tlvs: bytes = b"") -> None:
        self.front.refuse(family, number, code, tlvs)

    def greeted(self, _data: bytes) -> None:
        raise Breach("a second greeting")

    def must(self, *steps: str) -> None:
        if self.step not in steps:
            raise Breach(f"what belongs to the step {' or '.join(steps)} comes in the step {self.step}")

    def may(self, family: int, subtype: int, name: str) -> bool:
        if family not in self.families:
            raise Breach(f"{name} was not offered here")
        if family != 1 and family not in self.versions:
            raise Breach(f"{name} of a family whose version was not told")
        if not self.rates.allow(family, subtype):
            raise Breach(f"{name} comes faster than the rates allow")
        return self.state.switches["silent"] != name

    # ---- the handshake ----

    def take_01_17(self, number: int, body: Octets) -> None:
        self.must("versions")
        while body:
            family, version = body.u16(), body.u16()
            if family in self.versions or not 0 < version <= self.families.get(family, 0):
                raise Breach(f"the version {version} of family {family:02X}, which there is not")
            self.versions[family] = version
        self.step = "rates"
        self.say(1, 0x18, b"".join(u16(family) + u16(version) for family, version in self.versions.items()), number)
        self.say(1, 0x13, u16(4))  # a message of the day

    def take_01_06(self, number: int, _body: Octets) -> None:
        self.must("rates")
        self.step = "acknowledgement"
        self.say(1, 7, self.rates.describe(), number)

    def take_01_08(self, _number: int, body: Octets) -> None:
        self.must("acknowledgement")
        if sorted(body.u16() for _ in self.rates.numbers()) != sorted(self.rates.numbers()):
            raise Breach("not all classes of the rates are acknowledged")
        self.step = "limits"

    def take_01_02(self, _number: int, body: Octets) -> None:
        self.must("limits")
        told = {}
        while body:
            family, version = body.u16(), body.u16()
            body.take(4)
            told[family] = version
        if told != self.versions:
            raise Breach("01/02 has other families or versions than 01/17")
        self.step = "ready"
        self.ready()

    def ready(self) -> None:
        """The client has said that it is."""

    def gone(self) -> None:
        """The connection is over."""
