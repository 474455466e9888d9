"""Logins, and what a server does to them."""
from __future__ import annotations

import asyncio

from play import JULIET, ROMEO, Play, is_trouble, scenario
from world import DOMAIN, LIMIT, contact, is_presence
from xml_stream import to_text


@scenario()
async def registration_proves_the_password(play: Play) -> None:
    client = await play.user()
    wrong = await play.world.register(client, ROMEO, "wrong")
    assert wrong.get("type") == "error" and "password is wrong" in to_text(wrong), to_text(wrong)
    no_address = await play.world.register(client, "romeo", "secret-romeo")
    assert no_address.get("type") == "error" and "e-mail address" in to_text(no_address), to_text(no_address)
    right = await play.world.register(client, " Romeo@Example.com ", "secret-romeo")
    assert right.get("type") == "result", to_text(right)
    await play.enters()


@scenario()
async def a_login_elsewhere_is_told_and_not_fought(play: Play) -> None:
    await play.registered()
    other = await play.peer(ROMEO)
    await play.comes(is_trouble("logged in to MSN with another program"))
    await asyncio.sleep(4)
    assert not other.ns.is_over, "we came back"
    answer = await play.world.register(play.client, ROMEO, "secret-romeo")
    assert answer.get("type") == "result", to_text(answer)
    await play.comes(is_presence(DOMAIN, None, ""))
    async with asyncio.timeout(LIMIT):
        while not other.ns.is_over:
            await asyncio.sleep(0.05)


@scenario(only_simulator=True)
async def a_server_that_sends_us_on_is_followed_and_one_without_an_end_is_not(play: Play) -> None:
    control = play.world.server.control
    await control.switch("redirects", "5")
    await play.registered()
    await play.end()
    await control.switch("redirects", "6")
    play.name += "2"
    client = await play.user()
    answer = await play.world.register(client, ROMEO, "secret-romeo")
    assert answer.get("type") == "error" and "without an end" in to_text(answer), to_text(answer)


@scenario(only_simulator=True)
async def a_refusal_and_silence_are_told_as_what_they_are(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    juliet = await play.befriended()
    await control.switch("nak", "1")
    await play.says(JULIET, "a", "refused")
    assert "could not bring" in await play.fails("refused", "not-acceptable")
    await control.switch("nak", "0")
    await control.switch("silence", "MSG")
    await play.says(JULIET, "b", "silent")
    await play.fails("silent", "remote-server-timeout", 40)
    await control.switch("silence", "-")
    await play.says(JULIET, "c", "well")
    assert (await juliet.heard(lambda line: line.payload.endswith(b"\r\nc"), 40)) is not None
    await control.switch("no_join", "1")
    await control.switch("letters", "0")
    juliet.boards.clear()
    await control.switch("cut_boards")
    await asyncio.sleep(0.5)
    await play.says(JULIET, "d", "nobody")
    assert "does not come" in await play.fails("nobody", "service-unavailable", 60)
    await control.switch("no_join", "0")


@scenario(only_simulator=True)
async def a_ticket_that_is_refused_needs_a_login(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    await control.switch("wrong_ticket", "1")
    await control.switch("cut", ROMEO)
    await play.comes(is_trouble("does not accept this login"), 60)
    await control.switch("wrong_ticket", "0")


@scenario(only_simulator=True)
async def a_session_comes_back_after_the_server_went_down_and_after_a_cut(play: Play) -> None:
    control = play.world.server.control
    await play.registered()
    juliet = await play.befriended()
    for fault in ("shut_down", "cut", "long_line"):
        play.client.clear()
        await control.switch(fault, ROMEO)
        await play.comes(is_presence(contact(JULIET), None), 60)
        await play.says(JULIET, f"after {fault}")
        assert await juliet.heard_text(40) == f"after {fault}"


@scenario(only_simulator=True)
async def a_challenge_is_answered_and_torn_bytes_are_understood(play: Play) -> None:
    control = play.world.server.control
    await control.switch("challenge", "1")
    await control.switch("torn", "1")
    await play.registered()
    juliet = await play.befriended()
    await play.says(JULIET, "torn")
    assert await juliet.heard_text() == "torn"
    await control.switch("torn", "0")
    await control.switch("challenge", "0")
    assert int(await control.switch("challenges_answered")) >= 1
