#!/usr/bin/python3
"""A child connector that keeps each name it is asked for, with the module that connectors are to copy."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../connectors/child_echo"))
import wherry_connector
from wherry_connector import Refused


class Keeping:
    gateway: wherry_connector.Gateway

    async def hello(self, protocol: int, configuration: dict) -> dict:
        return {"protocol": protocol, "network": {"id": "keeping", "name": "Keeping", "disco_type": "x"}}

    async def know_account(self, **_: object) -> None:
        pass

    async def parse_contact(self, typed: str, account: int) -> dict:
        try:
            await self.gateway.store_write({typed: "x" * 500_000 if typed == "large" else "kept"})
        except Refused as refused:
            return {"contact": refused.code}
        return {"contact": typed}


wherry_connector.run(Keeping)
