#!/usr/bin/python3
"""A child connector that prints, fails and refuses, with the module that connectors are to copy."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../connectors/child_echo"))
import wherry_connector
from wherry_connector import Refused


class Careless:
    gateway: wherry_connector.Gateway

    async def hello(self, protocol: int, configuration: dict) -> dict:
        print("Welcome to Careless 1.0!")
        return {"protocol": protocol, "network": {"id": "careless", "name": "Careless", "disco_type": "x"}}

    async def know_account(self, account: int) -> None:
        """Takes less than it is told: what it does not know it ignores."""

    async def parse_contact(self, typed: str, account: int) -> dict:
        print("looked up", typed, flush=True)
        subprocess.run(["echo", "from a helper"], check=True)
        if typed in Refused.CODES:
            raise Refused(typed, "No.")
        if typed == "bug":
            raise KeyError(typed)
        if typed == "where":
            try:
                raise KeyError("romeo's number")
            except KeyError as mistake:
                return {"contact": wherry_connector.where(mistake)}
        if typed == "no such code":
            raise Refused(typed, "No.")
        return {"contact": typed}


wherry_connector.run(Careless)
