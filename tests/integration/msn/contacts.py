"""Lists and presence, from both sides."""
from __future__ import annotations

import asyncio

from peer import text_payload
from play import JULIET, NURSE, ROMEO, TYBALT, Play, scenario
from world import DOMAIN, LIMIT, body, contact, is_message, is_presence
from xml_stream import local, to_text


@scenario()
async def a_contact_is_added_and_seen(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    await juliet.say_of_self("<Data><PSM>on the balcony &amp; alone</PSM><CurrentMedia></CurrentMedia></Data>")
    await play.comes(is_presence(contact(JULIET), None, "", "on the balcony & alone"))
    for code, show in (("BSY", "dnd"), ("IDL", "away"), ("LUN", "away"), ("PHN", "dnd"), ("NLN", "")):
        await juliet.show(code)
        await play.comes(is_presence(contact(JULIET), None, show))
    await juliet.show("HDN")
    await play.comes(is_presence(contact(JULIET), "unavailable"))


@scenario()
async def an_account_that_nobody_has_cannot_be_added(play: Play) -> None:
    client = await play.registered()
    await client.send(f"<presence type='subscribe' to='{contact('nobody@example.com')}'/>")
    await play.comes(is_presence(contact("nobody@example.com"), "unsubscribed"))


@scenario()
async def somebody_adds_the_user_and_is_accepted(play: Play) -> None:
    client = await play.registered()
    nurse = await play.peer(NURSE)
    await nurse.ns.ask("ADC", "AL", f"N={ROMEO}")
    await nurse.ns.ask("ADC", "FL", f"N={ROMEO}", f"F={ROMEO}")
    await play.comes(is_presence(contact(NURSE), "subscribe"))
    await client.send(f"<presence type='subscribed' to='{contact(NURSE)}'/>")
    await nurse.ns.take(lambda line: line.name in ("ILN", "NLN") and ROMEO in line.words)
    await client.send("<presence><show>dnd</show><status>fighting</status></presence>")
    await nurse.ns.take(lambda line: line.words[:3] == ["NLN", "BSY", ROMEO])
    await nurse.ns.take(lambda line: line.words[:2] == ["UBX", ROMEO] and b"<PSM>fighting</PSM>" in line.payload)


@scenario()
async def somebody_adds_the_user_and_is_refused(play: Play) -> None:
    client = await play.registered()
    tybalt = await play.peer(TYBALT)
    await tybalt.ns.ask("ADC", "AL", f"N={ROMEO}")
    await tybalt.ns.ask("ADC", "FL", f"N={ROMEO}", f"F={ROMEO}")
    await play.comes(is_presence(contact(TYBALT), "subscribe"))
    await client.send(f"<presence type='unsubscribed' to='{contact(TYBALT)}'/>")
    await asyncio.sleep(1)
    board = await tybalt.call()
    assert (await board.ask("CAL", ROMEO)).name == "217", "he is blocked"


@scenario()
async def who_is_refused_is_left_alone_in_the_conversation(play: Play) -> None:
    client = await play.registered()
    tybalt = await play.peer(TYBALT)
    await tybalt.adds(ROMEO)
    await play.comes(is_presence(contact(TYBALT), "subscribe"))
    board = await tybalt.call(ROMEO)
    await board.ask("MSG", "A", payload=text_payload("thou art a villain"))
    await play.comes(is_message(TYBALT, "thou art a villain"))
    await client.send(f"<presence type='unsubscribed' to='{contact(TYBALT)}'/>")
    await board.take(lambda line: line.words[:2] == ["BYE", ROMEO])


@scenario()
async def a_contact_that_the_user_removes_is_told(play: Play) -> None:
    client = await play.registered()
    juliet = await play.befriended()
    await client.send(f"<presence type='unsubscribe' to='{contact(JULIET)}'/>")
    await juliet.ns.take(lambda line: line.name == "REM" and line.words[-2:] == ["RL", ROMEO])


@scenario()
async def a_contact_who_drops_the_user_is_still_seen(play: Play) -> None:
    client = await play.registered()
    juliet = await play.befriended()
    await play.comes(is_presence(contact(JULIET), "subscribe"))
    await client.send(f"<presence type='subscribed' to='{contact(JULIET)}'/>")
    await juliet.ns.take(lambda line: line.name in ("ILN", "NLN") and ROMEO in line.words)
    await juliet.drops(ROMEO)
    await play.comes(is_presence(contact(JULIET), "unsubscribe"))
    await client.send(f"<presence type='unsubscribed' to='{contact(JULIET)}'/>")  # as some programs answer
    await juliet.show("BSY")
    await play.comes_before(is_presence(contact(JULIET), None, "dnd"), lambda s: s.get("type") == "unsubscribed")
    await play.says(JULIET, "still seen")
    assert await juliet.heard_text() == "still seen"
    # The gateway's list goes on having her, and after a login nothing of this is new.
    await juliet.show("IDL")
    await play.world.wherry.stop()
    client.clear()
    await play.world.wherry.start()
    await play.comes_before(is_presence(contact(JULIET), None, "away"),
                            lambda s: s.get("type") in ("subscribe", "unsubscribe", "unsubscribed") and s.get("from") == contact(JULIET))
    await juliet.adds(ROMEO)
    await play.comes(is_presence(contact(JULIET), "subscribe"))
    await client.send(f"<presence type='subscribed' to='{contact(JULIET)}'/>")
    await client.send("<presence><show>away</show></presence>")
    await juliet.ns.take(lambda line: line.words[:3] == ["NLN", "AWY", ROMEO])


@scenario()
async def who_is_refused_asks_no_more(play: Play) -> None:
    client = await play.registered()
    tybalt = await play.peer(TYBALT)
    await tybalt.adds(ROMEO)
    await play.comes(is_presence(contact(TYBALT), "subscribe"))
    await client.send(f"<presence type='unsubscribed' to='{contact(TYBALT)}'/>")
    await tybalt.ns.take(lambda line: line.words[:2] == ["FLN", ROMEO])
    await tybalt.drops(ROMEO)
    await tybalt.adds(ROMEO)
    juliet = await play.peer()
    await juliet.adds(ROMEO)  # behind it
    await play.comes_before(is_presence(contact(JULIET), "subscribe"), is_presence(contact(TYBALT), "subscribe"))


@scenario()
async def the_list_of_the_account_is_offered(play: Play) -> None:
    nurse = await play.peer(ROMEO)  # the user's own, by another program
    await nurse.ns.ask("ADC", "AL", f"N={NURSE}")
    await nurse.ns.ask("ADC", "FL", f"N={NURSE}", f"F={NURSE}")
    await nurse.stop()
    play._peers.remove(nurse)
    await play.registered()
    await play.comes(lambda s: contact(NURSE) in to_text(s) or NURSE in to_text(s))


@scenario()
async def what_changed_on_both_sides_while_the_gateway_was_down_is_told(play: Play) -> None:
    client = await play.registered()
    juliet = await play.befriended()
    tybalt = await play.befriended(TYBALT)
    await play.world.wherry.stop()
    await juliet.ns.take(lambda line: line.words[:2] == ["FLN", ROMEO])
    other = await play.peer(ROMEO)  # the user's own, by another program
    async with asyncio.timeout(LIMIT):
        while not other.members.get(TYBALT, (0, ""))[1]:  # a server may write down late what it has answered
            await other.stop()
            play._peers.remove(other)
            await asyncio.sleep(0.5)
            other = await play.peer(ROMEO)
    await other.adds(NURSE)
    await other.drops(TYBALT)
    await juliet.drops(ROMEO)
    await other.stop()
    play._peers.remove(other)
    nurse = await play.peer(NURSE)
    client.clear()
    await client.send("<presence><show>away</show><status>changed meanwhile</status></presence>")
    await play.world.wherry.start()
    await play.comes(is_presence(contact(JULIET), "unsubscribe"))
    await play.comes(is_presence(contact(TYBALT), "unsubscribed"))
    await play.comes(lambda s: contact(NURSE) in to_text(s))
    await tybalt.ns.take(lambda line: line.words[:3] == ["NLN", "AWY", ROMEO])
    # Once each: the lists as they are now are known.
    await play.goes(tybalt)
    await play.returns()
    await play.says(NURSE, "none the wiser")
    assert await nurse.heard_text() == "none the wiser"
    await nurse.boards[0].ask("MSG", "A", payload=text_payload("done"))
    while not is_message(NURSE, "done")(stanza := await play.comes(lambda s: True)):
        assert stanza.get("type") not in ("unsubscribe", "unsubscribed"), to_text(stanza)


@scenario()
async def two_users_whose_lists_cross(play: Play) -> None:
    romeo = await play.registered()
    other = Play(play.world, play.name + "b")
    juliet = await other.registered(JULIET)
    try:
        for user, who in ((romeo, JULIET), (juliet, ROMEO)):  # at once, so that each asks while the other does
            await user.send(f"<presence type='subscribe' to='{contact(who)}'/>")
        for user, side, who in ((romeo, play, JULIET), (juliet, other, ROMEO)):
            await side.comes(is_presence(contact(who), "subscribed"))
        for user, side, who in ((romeo, play, JULIET), (juliet, other, ROMEO)):
            await side.comes(is_presence(contact(who), "subscribe"))
            await user.send(f"<presence type='subscribed' to='{contact(who)}'/>")
        await romeo.send("<presence><status>by the wall</status></presence>")
        await other.comes(is_presence(contact(ROMEO), None, "", "by the wall"))
        await juliet.send("<presence><show>dnd</show></presence>")
        await play.comes(is_presence(contact(JULIET), None, "dnd"))
        await play.says(JULIET, "it is the east")
        await other.comes(is_message(ROMEO, "it is the east"))
        await other.says(ROMEO, "ay me")
        await play.comes(is_message(JULIET, "ay me"))
        await romeo.send(f"<presence type='unsubscribe' to='{contact(JULIET)}'/>")
        await other.comes(is_presence(contact(ROMEO), "unsubscribe"))
    finally:
        await other.end()


@scenario()
async def two_accounts_of_one_user_keep_apart(play: Play) -> None:
    client = await play.registered()
    juliet = await play.befriended()
    face = f"~second@{DOMAIN}"
    answer = await play.world.register(client, NURSE, "secret-nurse", face=face)
    assert answer.get("type") == "result", to_text(answer)
    await play.comes(is_presence(face, "subscribe"))
    await client.send(f"<presence type='subscribed' to='{face}'/><presence type='subscribe' to='{face}'/>")
    await play.comes(is_presence(face, None, ""))
    second = contact(JULIET, "second")
    await client.send(f"<presence type='subscribe' to='{second}'/>")
    await play.comes(is_presence(second, "subscribed"))
    await juliet.accept(NURSE)
    await play.says(JULIET, "of romeo")
    await client.send(f"<message type='chat' to='{second}' id='n'><body>of the nurse</body></message>")
    for _ in range(2):
        board, line = await juliet.heard()
        sender, text = line.words[1], line.payload.partition(b"\r\n\r\n")[2].decode()
        assert (sender, text) in ((ROMEO, "of romeo"), (NURSE, "of the nurse")), (sender, text)
        await board.ask("MSG", "A", payload=text_payload(f"to {sender}"))
    for address, to in ((contact(JULIET), ROMEO), (second, NURSE)):
        came = await play.comes(lambda s: local(s) == "message" and body(s) == f"to {to}")
        assert came.get("from").partition("/")[0] == address, to_text(came)
    await client.send(f"<iq type='set' to='{face}' id='bye1'><query xmlns='jabber:iq:register'><remove/></query></iq>")
    await play.comes(lambda s: local(s) == "iq" and s.get("id") == "bye1")
    await play.says(JULIET, "still of romeo")
    assert await juliet.heard_text() == "still of romeo"
