"""Who people are and what they look like, over the simulator."""
from __future__ import annotations

import base64
import hashlib

from scenarios import scenario
from world import ICQ, JULIET, NURSE, Play, is_from
from xml_stream import to_text

PICTURE = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


@scenario
async def a_profile_is_a_vcard(play: Play) -> None:
    for key, text in (("nick", "Jule"), ("first", "Juliet"), ("last", "Capulet"), ("mail", "j@x.test"), ("city", "Verona"), ("country", "39"),
                      ("phone", "+39 1"), ("homepage", "http://x.test/~j"), ("about", "Not yet fourteen"), ("gender", "1"), ("year", "1583"),
                      ("month", "7"), ("day", "31")):
        await play.switch("tell", JULIET, key, text)
    romeo = await play.registered()
    card = to_text(await romeo.ask(romeo.address(JULIET), "get", "<vCard xmlns='vcard-temp'/>"))
    for text in ("Jule", "Juliet", "Capulet", "j@x.test", "Verona", "Italy", "+39 1", "http://x.test/~j", "Not yet fourteen"):
        assert text in card, (text, card)


@scenario
async def people_are_found(play: Play) -> None:
    await play.switch("tell", NURSE, "nick", "Angelica")
    await play.switch("tell", NURSE, "mail", "nurse@x.test")
    romeo = await play.registered()
    for words in ("Angelica", "nurse@x.test", NURSE):
        found = to_text(await romeo.ask(ICQ, "set", f"<query xmlns='jabber:iq:search'><nick>{words}</nick></query>"))
        assert romeo.address(NURSE) in found and "Angelica" in found, found
    none = to_text(await romeo.ask(ICQ, "set", "<query xmlns='jabber:iq:search'><nick>nobody at all</nick></query>"))
    assert "@" + ICQ not in none.replace(f"from='{ICQ}'", ""), none


@scenario
async def a_picture_is_seen(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await juliet.show_icon(PICTURE)
    digest = hashlib.sha1(PICTURE).hexdigest()
    await romeo.comes(lambda s: is_from(s, romeo.address(JULIET)) and digest in to_text(s), 60)
    card = to_text(await romeo.ask(romeo.address(JULIET), "get", "<vCard xmlns='vcard-temp'/>"))
    assert base64.b64encode(PICTURE).decode() in card, card
