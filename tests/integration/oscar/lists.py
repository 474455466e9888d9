"""Contact lists that several people and programs change, over the simulator."""
from __future__ import annotations

from scenarios import scenario
from world import AIM, JOE, JULIET, NURSE, ROMEO, TYBALT, ZOE, Person, Play
from xml_stream import to_text

HELLO = "Привет".encode("cp1251")


@scenario
async def what_old_programs_write_in_their_code_page_is_read(play: Play) -> None:
    """Why they ask, and what they call contacts and groups."""
    await play.switch("asks_first", ROMEO)
    other = await play.peer(ROMEO)
    await other.add(TYBALT, HELLO, HELLO)
    romeo = await play.registered()
    await romeo.takes_no_lists()
    await romeo.presence(TYBALT, "subscribe")
    nurse = await play.peer(NURSE)
    await nurse.add(ROMEO, why=HELLO)
    asked = await romeo.presence(NURSE, "subscribe")
    assert HELLO.decode("cp1252") in to_text(asked), to_text(asked)
    await nurse.write(ROMEO, "are you still there?")
    await romeo.reads(NURSE, "are you still there?")


@scenario
async def a_name_has_letters_of_any_alphabet(play: Play) -> None:
    romeo = await play.registered()
    zoe = await play.befriended(romeo, ZOE)
    await zoe.write(ROMEO, "c'est moi")
    await romeo.reads(ZOE, "c'est moi")
    await romeo.write(ZOE, "salut")
    await zoe.reads(ROMEO, "salut")


async def befriend_each_other(one: Person, other: Person) -> None:
    """Both by their accounts; both want to be asked."""
    await one.subscribe(other.name)
    await other.presence(one.name, "subscribe")
    await other.subscribe(one.name, "subscribed")
    await one.presence(other.name, "subscribed")
    await other.subscribe(one.name)
    await one.presence(other.name, "subscribe")
    await one.subscribe(other.name, "subscribed")
    await other.presence(one.name, "subscribed")
    await one.presence(other.name)
    await other.presence(one.name)


async def all_write_to_all(people: list[Person], word: str) -> None:
    pairs = [(sender, reader) for sender in people for reader in people if sender is not reader]
    for sender, reader in pairs:
        await sender.write(reader.name, f"{word} from {sender.name} to {reader.name}")
    for sender, reader in pairs:
        await reader.reads(sender.name, f"{word} from {sender.name} to {reader.name}")


async def crossing(play: Play) -> tuple[Person, Person, Person]:
    """One user with a number and a name, another with a number, and all three on each other's lists."""
    for name in (ROMEO, JULIET, "romeo"):
        await play.switch("asks_first", name)
    number = await play.registered(ROMEO)
    name = await play.registered("romeo", AIM, number.client)
    juliet = await play.registered(JULIET)
    await befriend_each_other(number, juliet)
    await befriend_each_other(name, juliet)
    await befriend_each_other(number, name)
    return number, name, juliet


@scenario
async def two_accounts_of_one_user_and_one_of_another_do_not_disturb_each_other(play: Play) -> None:
    number, name, juliet = await crossing(play)
    await all_write_to_all([number, name, juliet], "before")
    await number.subscribe(JULIET, "unsubscribe")
    await number.befriend(NURSE)  # what follows it is done behind it
    assert await play.switch("contacts", ROMEO) == f"{NURSE} romeo"
    assert await play.switch("contacts", "romeo") == f"{ROMEO} {JULIET}"
    assert await play.switch("contacts", JULIET) == f"{ROMEO} romeo"
    await name.client.send("<presence><show>away</show><status>out</status></presence>")
    for contact in (ROMEO, "romeo"):
        await juliet.presence(contact, None, "away")
    await all_write_to_all([number, name, juliet], "after")


@scenario
async def crossing_lists_that_change_on_all_sides_while_the_gateway_is_down(play: Play) -> None:
    number, name, juliet = await crossing(play)

    async def meanwhile() -> None:
        others = [await play.peer(account) for account in (ROMEO, "romeo", JULIET)]
        await others[0].remove(JULIET)
        await others[0].add(NURSE, "Household", "Nurse")
        await others[1].add(JOE, "Friends", "Joe")
        await others[2].remove("romeo")
        for other in others:
            await other.stop()
            play.peers.remove(other)
        await name.subscribe(ROMEO, "unsubscribe")  # nobody hears it

    await play.world.restart(meanwhile())
    await number.presence(JULIET, "unsubscribed")
    await juliet.presence("romeo", "unsubscribed")
    await number.takes_no_lists()
    await number.presence(NURSE, "subscribe")
    await name.takes_no_lists()
    await name.presence(JOE, "subscribe")
    assert await play.switch("contacts", ROMEO) == f"{NURSE} romeo"
    assert await play.switch("contacts", JULIET) == ROMEO
    waiting = [to_text(s) for s in (*number.client.waiting(), *juliet.client.waiting()) if s.get("type") == "unsubscribed"]
    assert not waiting, waiting
    await all_write_to_all([number, name, juliet], "after")
