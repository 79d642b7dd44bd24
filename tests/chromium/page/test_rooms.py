"""Ways into a room and out of it: made, by password, from the queue, by the host's word."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import web

import roomcall
from roomcall_server.app import application
from roomcall_server.config import Config
from roomcall_server.service import Service
from roomcall_server.store.memory import MemoryStore

pytestmark = pytest.mark.system("chromium")


async def test_a_room_is_made_found_and_closed(visit: Any, peer: Any) -> None:
    ann, eve = await visit(), await visit()
    await ann.go()
    await ann.fill("Name", "cats & dogs / #1")
    await ann.click("Make it")
    await ann.fill("Your name", "ann")
    await ann.click("Make the room and join")
    await ann.is_in_call()
    await eve.go()
    await eve.click("Join cats & dogs / #1")
    await eve.fill("Your name", "eve")
    await eve.click("Join")
    await eve.is_in_call()
    await eve.reload()  # and she is in again, without a question
    await eve.is_in_call()
    await ann.pictures(1)
    await ann.toggle("people")
    await ann.see(".people li:has-text('eve')")
    await eve.toggle("people")
    assert await eve.run("() => document.querySelectorAll('.people .tools').length") == 0

    await ann.click("Make eve the host")
    await eve.click("Lock the room")
    await ann.see("header .tag", "locked")
    await eve.click("Mute the microphone of ann")
    await ann.see("[aria-label='Unmute microphone']")
    await eve.click("Change the room")
    dialog = eve.page.get_by_role("dialog")
    for label, text in (("Name", "birds"), ("What it is about", "singing"), ("Most people", "2")):
        await eve._do(dialog.get_by_label(label, exact=True).fill(text))
    # Whatever happens in the room meanwhile, what is typed stays.
    await eve.run("async () => (await import('/page/main.js')).app.changed()")
    await eve.click("Change it")
    await ann.see("header", "birds")
    await ann.until("() => location.hash === '#/room/birds'")
    await eve.click("Close the room")
    dialog = eve.page.get_by_role("dialog")
    await eve._do(dialog.get_by_role("button", name="Close the room").click())
    for visitor in (ann, eve):
        await visitor.see("[role=alert]", "The room was closed.")


async def test_who_is_removed_hears_why_and_may_be_banned(visit: Any, peer: Any) -> None:
    ann = await visit()
    await ann.join("standup", "ann")
    await ann.is_in_call()
    bob = await peer("standup", name="bob")
    await ann.toggle("people")
    await ann.click("Remove bob")
    await ann.fill("Why (they are told)", "noise")
    await ann.click("Remove")
    assert (await bob.wait_for(roomcall.Removed, 10)).reason == "noise"

    eve = await visit()
    await eve.join("standup", "eve")
    await eve.is_in_call()
    await ann.click("Remove eve")
    await ann.run("() => document.querySelector('dialog input[name=ban]').click()")
    await ann.click("Remove")
    await eve.see("[role=alert]", "removed you")
    await eve.click("Try again")
    await eve.click("Join")
    await eve.see("[role=alert]", "banned you")
    await ann.click("Let eve come back")
    await ann.see_no("button:has-text('come back')")
    await eve.click("All rooms")
    await eve.click("Join standup")
    await eve.click("Join")
    await eve.is_in_call()


async def test_a_password_is_asked_for(visit: Any, peer: Any) -> None:
    await peer("secret", name="bob", password="open sesame")
    ann = await visit()
    await ann.join("secret", "ann", password="wrong")
    await ann.see("[role=alert]", "The password is wrong.")
    await ann.fill("Password of the room", "open sesame")
    await ann.click("Join")
    await ann.is_in_call()


async def test_the_queue_says_the_position_and_lets_in(visit: Any, peer: Any) -> None:
    bob = await peer("small", name="bob", max_participants=1)
    ann, eve = await visit(), await visit()
    await ann.join("small", "ann")
    await ann.see(".position", "You are number 1")
    await eve.join("small", "eve")
    await eve.see(".position", "You are number 2")
    await bob.leave()
    await ann.is_in_call()
    await eve.see(".position", "You are number 1")
    await eve.click("Leave the queue")
    await eve.see(".preview")


class Clock:
    """The server's, which a test sets forward."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("roomcall_server.app.Service", partial(Service, clock=clock))
    return clock


async def test_a_scheduled_private_room_opens_for_who_waits(
    clock: Clock, visit: Any, room_server: Any
) -> None:
    ann = await visit()
    await ann.go()
    opens = datetime.now(UTC) + timedelta(hours=1)
    settings = {
        "name": "later",
        "opensAt": opens.isoformat().replace("+00:00", "Z"),
        "metadata": {"private": True, "description": "for two"},
    }
    # The form's own field knows whole minutes only.
    make = "async (settings) => (await import('/page/main.js')).app.make(settings)"
    await ann.run(make, settings)
    await ann.see(".preview", "for two")
    await ann.see(".tag", "opens")
    await ann.click("Make the room and join")
    await ann.see(".position", "You are number 1")
    await ann.see(".hint", "opens")
    context = room_server.service.context
    (client,) = context.clients
    (room,) = (await context.store.session(client.id)).rooms
    await context.rooms.tick(room)  # not yet
    await ann.see(".position", "You are number 1")
    clock.ahead = timedelta(hours=1)
    await context.rooms.tick(room)
    await ann.is_in_call()
    # Others come by its id, as they cannot know its name.
    assert re.fullmatch(r"#/room/[0-9a-f-]{36}", await ann.run("() => location.hash"))


async def test_it_works_below_a_prefix(visit: Any) -> None:
    """As where it stands among other things: it has relative addresses only."""
    service = Service(Config(), MemoryStore(0))
    app = web.Application()
    app.add_subapp("/calls", application(service))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/calls"
    ann = await visit(url)
    await ann.join("standup", "ann")
    await ann.is_in_call()
    link = "import('/calls/page/main.js').then(({ app }) => app.linkTo(app.call.room))"
    assert await ann.run(link) == f"{url}/#/room/standup"
    await ann.close()
    await service.close()
    await runner.cleanup()


async def test_what_is_not_there_is_said(visit: Any) -> None:
    ann = await visit()
    await ann.go("/#/room/11111111-2222-4333-8444-555555555555")
    await ann.see("[role=alert]", "There is no such room.")
    await ann.click("All rooms")
    await ann.see(".lobby", "No room is open.")
