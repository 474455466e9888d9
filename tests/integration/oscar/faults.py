"""What goes wrong at a server, over the simulator."""
from __future__ import annotations

import asyncio

from scenarios import scenario
from world import JULIET, NURSE, ROMEO, TYBALT, Play
from xml_stream import to_text


@scenario
async def odd_servers_are_understood(play: Play) -> None:
    """Blocks that must be skipped, lists in pieces with repeats, frames that come octet by octet, a question without an answer."""
    for fault in ("extra_block", "list_in_pieces", "no_own_info", "torn"):
        await play.switch(fault, "1")
    await play.switch("asks_first", ROMEO)
    romeo = await play.registered()
    await romeo.befriend(JULIET)
    await play.switch("twice", ROMEO, JULIET)
    await romeo.befriend(NURSE)
    await play.switch("cut", ROMEO)
    await romeo.online()
    nurse = await play.peer(NURSE)
    await romeo.presence(NURSE)
    await nurse.add(ROMEO)
    await romeo.presence(NURSE, "subscribe")
    await romeo.subscribe(NURSE, "subscribed")
    assert await nurse.answered_by(ROMEO)
    await nurse.write(ROMEO, "торн")
    await romeo.reads(NURSE, "торн")
    await romeo.subscribe(JULIET, "unsubscribe")
    await romeo.subscribe(TYBALT)  # what follows it is done behind it
    await romeo.presence(TYBALT, "subscribed")
    assert await play.switch("contacts", ROMEO) == f"{NURSE} {TYBALT}", "both of her are gone"


@scenario
async def texts_whose_charset_is_named_wrongly_are_read(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    await play.switch("utf16_as_ascii", "1")
    await juliet.write(ROMEO, "привет, Ромео")
    await romeo.reads(JULIET, "привет, Ромео")
    await play.switch("html", "1")
    await juliet.write(ROMEO, "Zoë")
    await romeo.reads(JULIET, "Zoë")


@scenario
async def too_many_logins_are_told_as_that(play: Play) -> None:
    await play.switch("login_error", "20")
    person = await play.user()
    answer = await person.register()
    assert answer.get("type") == "error" and "out of order" in to_text(answer), to_text(answer)
    await play.switch("login_error", "0")
    await person.come()


@scenario
async def a_session_comes_back(play: Play) -> None:
    romeo = await play.registered()
    juliet = await play.befriended(romeo)
    for fault in ("cut", "nonsense"):
        before = play.world.network.sessions("in", ROMEO)
        await play.switch(fault, ROMEO)
        await play.world.network.says(f"in {ROMEO}", before + 1)
        romeo.client.clear()
        await juliet.write(ROMEO, f"after {fault}")
        await romeo.reads(JULIET, f"after {fault}", 60)
        key = await romeo.write(JULIET, f"back after {fault}")
        await juliet.reads(ROMEO, f"back after {fault}", 60)
        assert key


@scenario
async def a_good_bye_without_a_length_is_one(play: Play) -> None:
    romeo = await play.registered()
    await play.switch("short_close", "1")
    await play.switch("good_bye", ROMEO)
    await romeo.trouble("the server ended the session")
    await play.switch("short_close", "0")
    await romeo.online()


@scenario
async def a_message_that_the_server_drops_is_told_as_uncertain(play: Play) -> None:
    romeo = await play.registered()
    await romeo.befriend(JULIET)
    await play.switch("forget_messages", "1")
    key = await romeo.write(JULIET, "into the void")
    await romeo.fails(key, "remote-server-timeout", 60)


@scenario
async def the_pace_of_the_server_is_kept(play: Play) -> None:
    """Whoever is faster is complained of by the simulator: nothing is dropped, and nothing is told."""
    await play.switch("slow_messages", "1")
    romeo = await play.registered()
    juliet = await play.peer(JULIET)
    for number in range(6):
        await romeo.write(JULIET, f"number {number}")
    for number in range(6):
        await juliet.reads(ROMEO, f"number {number}", 60)


@scenario
async def a_hostile_server_ends_one_session_only(play: Play) -> None:
    romeo, juliet = await play.registered(ROMEO), await play.registered(JULIET)
    nurse = await play.peer(NURSE)
    for _ in range(3):
        await play.switch("nonsense", ROMEO)
        await asyncio.sleep(0)
    await nurse.write(JULIET, "are you well?")
    await juliet.reads(NURSE, "are you well?")
    await romeo.trouble("cannot be read")
