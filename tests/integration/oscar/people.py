"""Who people are and what they look like, over the simulator."""
from __future__ import annotations

import base64
import hashlib
import os

from line import s16, s8, tlv, u16
from scenarios import scenario
from world import ICQ, JULIET, NURSE, ROMEO, Person, Play, body, is_from
from xml_stream import child, to_text

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


def icon(picture: bytes, flags: int = 1) -> bytes:
    """As presence names it. Flags 41: the server has not the picture itself."""
    return u16(1) + bytes([flags]) + s8(hashlib.md5(picture).digest())


async def show_card(person: Person, picture: bytes) -> None:
    await person.client.send("<iq type='set' id='card'><vCard xmlns='vcard-temp'><NICKNAME>Montague</NICKNAME><PHOTO><TYPE>image/gif</TYPE>"
                             f"<BINVAL>{base64.b64encode(picture).decode()}</BINVAL></PHOTO></vCard></iq>")
    await person.client.send(f"<presence><x xmlns='vcard-temp:x:update'><photo>{hashlib.sha1(picture).hexdigest()}</photo></x></presence>")


@scenario
async def a_picture_that_the_server_has_already_is_seen(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await juliet.show_icon(PICTURE)
    await show_card(romeo, PICTURE)
    await juliet.sees(ROMEO, lambda found: icon(PICTURE) in found.get(0x1D, b""))
    await show_card(romeo, PICTURE + b";")  # the one before it is done with by then
    await juliet.sees(ROMEO, lambda found: icon(PICTURE + b";") in found.get(0x1D, b""))
    assert not [packet for packet in juliet.line.packets if icon(PICTURE, 0x41) in packet.body]


@scenario
async def the_users_own_nick_and_picture_go_out(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await show_card(romeo, PICTURE)
    await juliet.sees(ROMEO, lambda found: icon(PICTURE) in found.get(0x1D, b""))
    found = to_text(await romeo.ask(ICQ, "set", "<query xmlns='jabber:iq:search'><nick>Montague</nick></query>"))
    assert romeo.address(ROMEO) in found, found


@scenario
async def how_long_somebody_has_not_been_there_is_told(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    juliet.line.send(1, 0x11, (600).to_bytes(4, "big"))
    await romeo.comes(lambda s: is_from(s, romeo.address(JULIET)) and child(s, "idle", "urn:xmpp:idle:1") is not None)


@scenario
async def who_is_blocked_sees_and_says_nothing(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    for word in ("block", "unblock"):
        juliet.line.packets.clear()
        await romeo.client.send(f"<message type='chat' to='{ICQ}'><body>{word} {JULIET}</body></message>")
        await romeo.comes(lambda s: is_from(s, ICQ) and body(s).startswith(romeo.address(JULIET)))  # one command at a time
        await (juliet.sees_gone(ROMEO) if word == "block" else juliet.sees(ROMEO))
        message = os.urandom(8) + u16(1) + s8(ROMEO) + tlv(2, b"\5\1\0\1\1" + b"\1\1" + s16(u16(0, 0) + b"hello")) + tlv(3) + tlv(6)
        answer = await juliet.line.ask(4, 6, message)
        assert answer.subtype == (1 if word == "block" else 0x0C), answer
    await romeo.reads(JULIET, "hello")
