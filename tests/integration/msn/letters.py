"""Messages for who is away, both ways."""
from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from peer import text_payload
from play import JULIET, ROMEO, Play, scenario
from world import LIMIT, body, contact, is_message, is_presence
from xml_stream import child, local, to_text


@scenario()
async def a_text_for_who_is_away_waits_for_them(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    await play.goes_away(juliet)
    await play.says(JULIET, "hello? Zoë <&> ☃\nsecond line")
    await play.says(JULIET, "/nudge", "nudge")  # of which nobody has anything later
    assert JULIET in await play.fails("nudge", "service-unavailable")
    back = await play.peer(JULIET)
    assert await back.letters() == ["hello? Zoë <&> ☃\r\nsecond line"]


@scenario()
async def what_was_left_for_the_user_comes_once_and_in_order(play: Play) -> None:
    await play.registered()
    juliet = await play.befriended()
    await play.goes(juliet)
    for number in range(1, 4):
        await asyncio.to_thread(juliet.post.leave, ROMEO, f"letter {number}: Zoë <&> ☃")
    await asyncio.sleep(1.1)  # a server's clock may tick in seconds
    await play.returns()
    for number in range(1, 4):
        came = await play.comes(lambda s: is_message(JULIET)(s))
        assert body(came) == f"letter {number}: Zoë <&> ☃", body(came)
    await asyncio.to_thread(juliet.post.leave, ROMEO, "while online")
    await play.comes(is_message(JULIET, "while online"))
    await asyncio.sleep(0.5)
    await play.goes(juliet)
    romeo = await play.peer(ROMEO)  # another program of his finds none
    assert await romeo.letters() == []


@scenario(only_simulator=True)
async def letters_that_could_not_be_deleted_come_once_in_order_and_without_a_notice_of_their_own(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    juliet = await play.befriended()
    await play.goes(juliet)
    await control.switch("letters_stay", "1")
    await control.switch("left", JULIET, ROMEO, "30")  # more than a notice takes
    seen = {}  # the stanza's id by its text
    for attempt in ("first", "again", "killed"):
        if attempt == "killed":
            await play.world.wherry.kill()
            await play.world.wherry.start()
        await play.returns()
        for number in range(1, 31) if attempt == "first" else ():
            came = await play.comes(is_message(JULIET))
            assert body(came) == f"letter {number}", body(came)
            delay = child(came, "delay", "urn:xmpp:delay")
            assert delay is not None and delay.get("stamp") < f"{datetime.now(timezone.utc) - timedelta(hours=23):%Y-%m-%dT%H:%M:%SZ}", to_text(came)
            seen[body(came)] = came.get("id")
        await play.says(JULIET, f"there {attempt}", f"m{attempt}")
        assert await juliet.heard_text() == f"there {attempt}"
        await juliet.boards[0].ask("MSG", "A", payload=text_payload(f"done {attempt}"))
        # After a crash what was not confirmed comes again, as the same stanza.
        while body(came := await play.comes(lambda s: local(s) == "message" and bool(body(s)))) != f"done {attempt}":
            assert seen.get(body(came)) == came.get("id"), to_text(came)
        seen[body(came)] = came.get("id")
        if attempt != "killed":
            await play.goes(juliet)
            juliet.boards.clear()


@scenario(only_simulator=True)
async def a_server_without_offline_messages_is_told_as_one(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    juliet = await play.befriended()
    await control.switch("lock", "1")
    await play.goes_away(juliet)
    await play.says(JULIET, "with a key", "key")
    async with asyncio.timeout(LIMIT):
        while await control.switch("letters_for", JULIET) != "1":
            await asyncio.sleep(0.05)
    juliet = await play.peer(JULIET)
    assert await juliet.letters() == ["with a key"]
    await control.switch("letters", "0")
    await play.comes(is_presence(contact(JULIET), None))
    await play.goes_away(juliet)
    await play.says(JULIET, "hello?", "gone")
    assert JULIET in await play.fails("gone", "service-unavailable")
