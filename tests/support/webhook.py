"""Twilio's signature of what it posts, written from its documentation: HMAC-SHA1 over the URL and the sorted fields."""
from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl


def signature(token: str, url: str, body: str) -> str:
    fields = sorted(set(parse_qsl(body, keep_blank_values=True)))
    signed = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.new(token.encode(), signed.encode("utf-8", "surrogateescape"), hashlib.sha1).digest()).decode()
