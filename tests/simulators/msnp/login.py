"""Nexus, login page and the pages of letters over HTTPS, one request a connection."""
from __future__ import annotations

import asyncio
import re
import urllib.parse

from letters import LetterService
from link import Broken


class Login:
    def __init__(self, state, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state, self._reader, self._writer = state, reader, writer

    async def run(self) -> None:
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            body = ""
            if method == "POST":
                words = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
                call = await self._reader.readexactly(int(words["content-length"]))
                status, body = LetterService(self.state).answer(path, words["soapaction"], call)
                headers = ["Content-Type: text/xml; charset=utf-8"]
            else:
                status, headers = self._answer(path, head)
            lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body.encode())}", "Connection: close"]
            self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            await self._writer.drain()
        except Broken as rule:
            print(f"complaint: {rule}", flush=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer.close()

    def _answer(self, path: str, head: str) -> tuple[str, list[str]]:
        here = f"localhost:{self.state.ports[2]}"
        if path == "/rdr/pprdr.asp":
            return "200 OK", [f"Passporturls: DARealm=Passport.Net,DALogin={here}/login.srf,DAReg=https://x.test"]
        if path == "/login.srf":
            return "302 Found", [f"Location: https://{here}/login"]
        found = re.search(r"(?im)^authorization: Passport1\.4 OrgVerb=GET,OrgURL=[^,]+,sign-in=([^,]+),pwd=([^,]+),(.+?)\r$", head)
        if path != "/login" or not found:
            return "400 Bad Request", []
        email, password = (urllib.parse.unquote(word) for word in found.groups()[:2])
        account = self.state.accounts.get(email)
        if not account or account.password != password:
            return "401 Unauthorized", ["WWW-Authenticate: Passport1.4 da-status=failed"]
        return "200 OK", [f"Authentication-Info: Passport1.4 da-status=success,from-PP='{self.state.ticket_for(email)}'"]
