"""What people say to each other."""
from __future__ import annotations

import asyncio

from peer import NUDGE, TYPING, text_payload
from play import JULIET, NURSE, ROMEO, STATES, TYBALT, Play, scenario
from world import DOMAIN, body, contact, is_message
from xml_stream import child, local


@scenario()
async def texts_go_both_ways(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    await play.says(JULIET, "Zoë <&> ☃ 💃\nsecond line")
    assert await juliet.heard_text() == "Zoë <&> ☃ 💃\r\nsecond line"
    await juliet.boards[0].ask("MSG", "A", payload=text_payload("wherefore\r\nart thou % ☃"))
    await play.comes(is_message(JULIET, "wherefore\nart thou % ☃"))
    for number in range(10):
        await play.says(JULIET, f"number {number}", f"n{number}")
    for number in range(10):
        assert await juliet.heard_text() == f"number {number}"
    assert len(juliet.boards) == 1, "one conversation is kept"


@scenario()
async def the_other_side_may_be_of_version_11(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended(version=11)
    await play.says(JULIET, "old friend")
    assert await juliet.heard_text() == "old friend"


@scenario()
async def a_conversation_that_the_other_begins_is_answered(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    board = await juliet.call(ROMEO)
    await board.ask("MSG", "A", payload=text_payload("it is I"))
    await play.comes(is_message(JULIET, "it is I"))
    await play.says(JULIET, "and I")
    assert await juliet.heard_text() == "and I"
    assert len(juliet.boards) == 1, "the answer goes into the same conversation"


@scenario(only_simulator=True)
async def a_call_that_cannot_be_followed_is_told_once(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    juliet = await play.befriended()
    await control.switch("no_board", "1")
    board = await juliet.call()
    for _ in range(2):
        await board.ask("CAL", ROMEO)
    await play.comes(lambda s: local(s) == "message" and s.get("from", "").startswith(DOMAIN) and "cannot be opened" in body(s))
    await control.switch("no_board", "0")
    await (await juliet.call(ROMEO)).ask("MSG", "A", payload=text_payload("at last"))
    await play.comes_before(is_message(JULIET, "at last"), lambda s: "cannot be opened" in body(s))


@scenario()
async def a_conversation_that_was_left_is_opened_again(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    for text in ("first", "second", "third"):
        await play.says(JULIET, text)
        assert await juliet.heard_text() == text
        juliet.boards[0].write("OUT")
        await juliet.boards.pop(0).close()
        await asyncio.sleep(0.2)


@scenario()
async def a_long_text_comes_in_parts_and_whole(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    text = "👨‍👩‍👧‍👦" * 200
    await play.says(JULIET, text)
    got = ""
    while len(got) < len(text):
        part = await juliet.heard_text()
        assert part.startswith("👨") and part.endswith("👦"), part
        got += part
    assert got == text


@scenario()
async def typing_goes_both_ways(play: Play) -> None:
    client = await play.registered()
    juliet = await play.befriended()
    board = await juliet.call(ROMEO)
    board.send("MSG", "U", payload=TYPING % JULIET.encode())
    for state in ("composing", "active"):  # the second once she has not said for some seconds that she writes
        await play.comes(lambda s: local(s) == "message" and s.get("from", "").startswith(contact(JULIET)) and child(s, state, STATES) is not None)
    await client.send(f"<message type='chat' to='{contact(JULIET)}'><composing xmlns='{STATES}'/></message>")
    for _ in range(2):  # and again, after five seconds
        await juliet.heard(lambda line: b"text/x-msmsgscontrol" in line.payload)


@scenario()
async def a_nudge_is_a_line_and_a_command(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    board = await juliet.call(ROMEO)
    await board.ask("MSG", "A", payload=NUDGE)
    await play.comes(is_message(JULIET, "/me sends you a nudge."))
    await play.says(JULIET, "/nudge")
    await juliet.heard(lambda line: b"datacast" in line.payload and b"ID: 1" in line.payload)


@scenario()
async def a_group_is_told_in_words(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    nurse = await play.befriended(NURSE)
    await juliet.ns.ask("ADC", "FL", f"N={NURSE}", f"F={NURSE}")
    board = await juliet.call(ROMEO, NURSE)
    await board.ask("MSG", "A", payload=text_payload("all together"))
    await play.comes(lambda s: local(s) == "message" and s.get("from", "").startswith(DOMAIN) and "conversation of several" in body(s))
    await play.comes(is_message(JULIET, "(to all of you) all together"))
    await nurse.heard()
    await board.ask("MSG", "A", payload=NUDGE)
    await play.comes(is_message(JULIET, "/me sends you a nudge. (to all of you)"))
    await play.says(JULIET, "to you alone")
    assert (await juliet.heard(lambda line: b"to you alone" in line.payload))[0] is not board
    assert not any(line.name == "MSG" and b"to you alone" in line.payload for each in nurse.boards for line in each.lines)
    tybalt = await play.befriended(TYBALT)
    await juliet.ns.ask("ADC", "FL", f"N={TYBALT}", f"F={TYBALT}")
    await board.ask("CAL", TYBALT)
    await board.take(lambda line: line.name == "JOI" and line.words[1] == TYBALT)
    await (await tybalt.board()).ask("MSG", "A", payload=text_payload("I am here, too"))
    await play.comes(lambda s: local(s) == "message" and s.get("from", "").startswith(DOMAIN) and "come into your conversation with" in body(s))
    await play.comes(is_message(TYBALT, "(to all of you) I am here, too"))
    for other in (nurse, tybalt):
        await other.boards[0].close()
        await board.take(lambda line: line.name == "BYE")
    await board.ask("MSG", "A", payload=text_payload("just us"))
    await play.comes(is_message(JULIET, "just us"))
