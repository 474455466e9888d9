"""What people do, over the simulator."""
from __future__ import annotations

from typing import Awaitable, Callable

from world import AIM, ICQ, JOE, JULIET, NURSE, ROMEO, TYBALT, Play, is_from
from xml_stream import child, local, to_text

STATES = "http://jabber.org/protocol/chatstates"
RECEIPTS = "urn:xmpp:receipts"
SCENARIOS: list[Callable[[Play], Awaitable[None]]] = []


def scenario(function: Callable[[Play], Awaitable[None]]) -> Callable[[Play], Awaitable[None]]:
    SCENARIOS.append(function)
    return function


@scenario
async def registration_proves_the_password(play: Play) -> None:
    person = await play.user()
    wrong = await person.register("wrong")
    assert wrong.get("type") == "error" and "password is wrong" in to_text(wrong), to_text(wrong)
    await person.come()


@scenario
async def a_contact_is_added_and_seen(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    juliet.show(0x01, "In the garden")
    await romeo.presence(JULIET, None, "away", "In the garden")
    for status, show in ((0x05, "xa"), (0x13, "dnd"), (0x11, "dnd"), (0x20, "chat")):
        juliet.show(status, "")
        await romeo.presence(JULIET, None, show)
    juliet.show(0, "")
    await romeo.presence(JULIET, None, "")
    juliet.show(0x100, "")
    await romeo.presence(JULIET, "unavailable")


@scenario
async def the_user_is_seen(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await romeo.client.send("<presence><show>dnd</show><status>Fighting &amp; losing</status></presence>")
    await juliet.sees(ROMEO, lambda found: found[6][3] == 0x13)
    assert await juliet.away_text(ROMEO) == "Fighting &amp; losing"
    await romeo.client.send("<presence type='unavailable'/>")
    await juliet.sees_gone(ROMEO)


@scenario
async def texts_go_both_ways(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    for text in ("hello", "1 < 2 & 3", "привет, Джульетта ☃ 💃", "Zoë"):
        await romeo.write(JULIET, text)
        await juliet.reads(ROMEO, text)
        await juliet.write(ROMEO, text)
        await romeo.reads(JULIET, text)
    await romeo.write(JULIET, "<b>bold</b> &amp; more")
    await juliet.reads(ROMEO, "<b>bold</b> &amp; more")
    await romeo.write(JULIET, "two\nlines")
    await juliet.reads(ROMEO, "two\r\nlines")


@scenario
async def a_long_text_comes_in_parts_and_whole(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    text = "".join(f"{number:04} wherefore art thou " for number in range(120)).strip()
    await romeo.write(JULIET, text)
    got = ""
    while len(got) < len(text):
        part, _ = await juliet.reads(ROMEO)
        got += (" " if got and not got.endswith(" ") and not part.startswith(" ") else "") + part
    assert got == text, got


@scenario
async def receipts_say_what_the_other_program_said(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    key = await romeo.write(JULIET, "have you got it?")
    _, cookie = await juliet.reads(ROMEO, "have you got it?")
    juliet.confirm(ROMEO, cookie)
    await romeo.comes(lambda s: local(s) == "message" and (found := child(s, "received", RECEIPTS)) is not None and found.get("id") == key)


@scenario
async def typing_goes_both_ways(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await romeo.client.send(f"<message type='chat' to='{romeo.address(JULIET)}'><composing xmlns='{STATES}'/></message>")
    await juliet.sees_typing(ROMEO, 2)
    juliet.type(ROMEO, 2)
    await romeo.comes(lambda s: is_from(s, romeo.address(JULIET)) and child(s, "composing", STATES) is not None)
    juliet.type(ROMEO, 0)
    await romeo.comes(lambda s: is_from(s, romeo.address(JULIET)) and (child(s, "active", STATES) is not None or child(s, "paused", STATES) is not None))


@scenario
async def who_offers_a_file_is_refused(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    file = bytes.fromhex("094613434C7F11D18222444553540000")
    juliet.offer(ROMEO, file)
    await juliet.is_refused(ROMEO, file)
    await romeo.comes(lambda s: is_from(s, ICQ) and "offers you a file, which this gateway does not carry" in to_text(s))


@scenario
async def who_wants_to_be_asked_is_asked(play: Play) -> None:
    for name in (JULIET, NURSE):
        await play.switch("asks_first", name)
    romeo = await play.registered()
    juliet, nurse = await play.peer(JULIET), await play.peer(NURSE)
    await romeo.subscribe(JULIET)
    await juliet.asked_by(ROMEO)
    juliet.answer(ROMEO, True)
    await romeo.presence(JULIET, "subscribed")
    await romeo.presence(JULIET)
    await romeo.subscribe(NURSE)
    await nurse.asked_by(ROMEO)
    nurse.answer(ROMEO, False)
    await romeo.presence(NURSE, "unsubscribed")


@scenario
async def an_answer_that_came_while_nobody_was_there_is_told(play: Play) -> None:
    await play.switch("asks_first", JULIET)
    romeo = await play.registered()
    await romeo.subscribe(JULIET)
    await play.switch("cut", TYBALT)  # the request is on its way once this is answered, or soon after
    juliet = await play.peer(JULIET)
    juliet.line.send(0x15, 2, bytes.fromhex("0001000a0800a28601003c000100"))
    await juliet.asked_by(ROMEO)
    await romeo.client.send("<presence type='unavailable'/>")
    await play.world.network.says(f"out {ROMEO}", play.world.network.sessions("in", ROMEO))
    juliet.answer(ROMEO, True)
    await juliet.line.ask(4, 4, b"", 5)
    await romeo.client.send("<presence/>")
    await romeo.presence(JULIET, "subscribed")
    await romeo.presence(JULIET)


@scenario
async def somebody_asks_the_user(play: Play) -> None:
    await play.switch("asks_first", ROMEO)
    romeo = await play.registered()
    for name, kind in ((NURSE, "subscribed"), (TYBALT, "unsubscribed")):
        peer = await play.peer(name)
        await peer.add(ROMEO)
        await romeo.presence(name, "subscribe")
        await romeo.subscribe(name, kind)
        assert await peer.answered_by(ROMEO) == (kind == "subscribed")
        if kind == "subscribed":
            await peer.sees(ROMEO)


@scenario
async def messages_wait_for_who_is_away(play: Play) -> None:
    romeo = await play.registered()
    await romeo.befriend(JULIET)
    await romeo.write(JULIET, "for later")
    await romeo.write(JULIET, "для потом")
    juliet = await play.peer(JULIET)
    juliet.line.send(4, 0x10)
    await juliet.reads(ROMEO, "for later")
    await juliet.reads(ROMEO, "для потом")
    await romeo.client.send("<presence type='unavailable'/>")
    await play.world.network.says(f"out {ROMEO}", play.world.network.sessions("in", ROMEO))
    await juliet.write(ROMEO, "ты где?")
    await romeo.client.send("<presence/>")
    stanza = await romeo.reads(JULIET, "ты где?")
    assert child(stanza, "delay", "urn:xmpp:delay") is not None, to_text(stanza)


@scenario
async def two_users_whose_lists_cross(play: Play) -> None:
    for name in (ROMEO, JULIET):
        await play.switch("asks_first", name)
    romeo, juliet = await play.registered(ROMEO), await play.registered(JULIET)
    await romeo.subscribe(JULIET)
    await juliet.subscribe(ROMEO)
    await juliet.presence(ROMEO, "subscribe")
    await romeo.presence(JULIET, "subscribe")
    await juliet.subscribe(ROMEO, "subscribed")
    await romeo.subscribe(JULIET, "subscribed")
    await romeo.presence(JULIET, "subscribed")
    await juliet.presence(ROMEO, "subscribed")
    await romeo.presence(JULIET)
    await juliet.presence(ROMEO)
    for number in range(10):
        await romeo.write(JULIET, f"number {number}")
        await juliet.write(ROMEO, f"and {number}")
    for number in range(10):
        await juliet.reads(ROMEO, f"number {number}")
        await romeo.reads(JULIET, f"and {number}")


@scenario
async def two_accounts_of_one_user(play: Play) -> None:
    """An ICQ number and a screen name, and what they write to each other."""
    as_number = await play.registered(ROMEO)
    as_name = await play.registered("romeo", AIM, as_number.client)
    joe = await play.peer(JOE)
    await joe.write(ROMEO, "to the number")
    await joe.write("romeo", "to the &lt;name&gt;<br>of AIM")
    await as_number.reads(JOE, "to the number")
    await as_name.reads(JOE, "to the <name>\nof AIM")
    await as_number.write("romeo", "to myself")
    await as_name.reads(ROMEO, "to myself")
    await as_name.write(JOE, "1 < 2 & 3\nyes")
    await joe.reads("romeo", "1 &lt; 2 &amp; 3<br>yes")


@scenario
async def the_list_of_the_account_is_offered(play: Play) -> None:
    other = await play.peer(ROMEO)  # the user's own, by another program
    await other.add(NURSE, "Household", "Nurse")
    romeo = await play.registered()
    await romeo.takes_no_lists()
    stanza = await romeo.presence(NURSE, "subscribe")
    assert "Nurse" in to_text(stanza), to_text(stanza)
    await other.add(TYBALT, "Household", "Prince of Cats")
    await romeo.takes_no_lists()
    await romeo.presence(TYBALT, "subscribe")


@scenario
async def a_contact_is_removed(play: Play) -> None:
    romeo = await play.registered()
    await romeo.befriend(JULIET)
    assert await play.switch("contacts", ROMEO) == JULIET
    await romeo.subscribe(JULIET, "unsubscribe")
    await romeo.subscribe(NURSE)  # what follows it is done behind it
    await romeo.presence(NURSE, "subscribed")
    assert await play.switch("contacts", ROMEO) == NURSE


@scenario
async def the_list_changed_on_both_sides_while_the_gateway_was_down(play: Play) -> None:
    romeo = await play.registered()
    for name in (JULIET, TYBALT):
        await romeo.befriend(name)

    async def meanwhile() -> None:
        other = await play.peer(ROMEO)
        await other.remove(TYBALT)
        await other.add(NURSE, "Household", "Nurse")
        await other.stop()
        play.peers.remove(other)
        await romeo.subscribe(JULIET, "unsubscribe")  # nobody hears it

    await play.world.restart(meanwhile())
    await romeo.takes_no_lists()
    await romeo.presence(TYBALT, "unsubscribed")
    await romeo.presence(NURSE, "subscribe")
    await romeo.befriend(JULIET)  # whom the server still has
    assert await play.switch("contacts", ROMEO) == f"{JULIET} {NURSE}"
    tybalt = await play.peer(TYBALT)
    await romeo.write(TYBALT, "you left my list")
    await tybalt.reads(ROMEO, "you left my list")


@scenario
async def a_login_elsewhere_is_told_and_not_fought(play: Play) -> None:
    romeo = await play.registered()
    other = await play.peer(ROMEO, stays=False)
    await romeo.trouble("You have logged in elsewhere")
    await other.line.ask(4, 4, b"", 5)
    assert play.world.network.sessions("in", ROMEO) - play.world.network.sessions("out", ROMEO) == 1


@scenario
async def another_program_of_the_account_may_stay(play: Play) -> None:
    romeo = await play.registered()
    other = await play.peer(ROMEO)
    juliet = await play.peer(JULIET)
    await juliet.write(ROMEO, "to both of you")
    await romeo.reads(JULIET, "to both of you")
    await other.reads(JULIET, "to both of you")
