"""A member of a room that only talks: what `roomcall chat` does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import tenacity

from roomcall import events
from roomcall.errors import Refused, RoomcallError
from roomcall.protocol import replies
from roomcall.protocol.errors import ErrorCode
from roomcall.signaling.base import Lost, MemberGone, MemberHere, Restored, Signal
from roomcall.signaling.room import RoomClient

from .output import Output, write_warning

if TYPE_CHECKING:
    from roomcall import Peer

Event = Callable[..., events.Event]


@dataclass(frozen=True, slots=True)
class Person:
    """Another member, in the place of a `Peer`: there is no connection with it."""

    id: str
    name: str


class Conversation:
    """Shows what is said in the room of a `client` that has joined."""

    def __init__(self, client: RoomClient, output: Output) -> None:
        self._client = client
        self._output = output
        self._begun = asyncio.get_running_loop().time()
        self._people: dict[str, Person] = {}

    def queued(self, position: int) -> None:
        self._show(events.Queued, position=position)

    def begin(self) -> None:
        self._learn_names()
        created, room = self._client.created, self._client.room
        self._show(events.Joined, id=self._client.id, room=room, created=created)

    def end(self, reason: str) -> None:
        self._show(events.Left, reason=reason, seconds=self._seconds())

    async def recall(self, count: int) -> None:
        """Show the last `count` messages from before."""
        for message in await self._client.history(count):
            self._chat(message)

    async def say(self, text: str) -> None:
        """To all. What the server does not take is a warning."""
        patiently = tenacity.AsyncRetrying(
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            retry=tenacity.retry_if_exception(_too_fast),
        )
        try:
            await patiently(self._client.chat, text)
        except Refused as error:
            write_warning(f"not said: {error}")

    async def follow(self) -> str:
        """Show everything until the end. Returns the reason for it; raises what is an error."""
        async for event in self._client:
            match event:
                case MemberHere(id, name):
                    if id not in self._people:
                        self._people[id] = Person(id, name)
                        self._show_person(events.MemberJoined, self._people[id])
                case MemberGone(id, reason):
                    if person := self._people.pop(id, None):
                        self._show_person(events.MemberLeft, person, reason=reason)
                case Signal(sender, {"type": "offer"} as message):
                    await self._decline(sender, message.get("payload"))
                case replies.ChatMessage():
                    self._chat(event)
                case replies.RoomClosed(room_id=room_id):
                    self._show(events.RoomClosed, room_id=room_id)
                    return "room-closed"
                case replies.Removed(room_id=room_id, reason=reason):
                    self._show(events.Removed, room_id=room_id, reason=reason)
                    raise Refused("removed", f"removed: {reason or 'the host has removed you'}")
                case Lost():
                    self._show(events.SignalingLost)
                case Restored(resumed, id):
                    if not resumed:
                        self._people.clear()
                        self._learn_names()
                    self._show(events.SignalingRestored, resumed=resumed, id=id, renamed={})
        return "left"

    async def _decline(self, sender: str, offer: Any) -> None:
        """The protocol's answer of a member without media."""
        payload = {"reason": "no-media"}
        if isinstance(offer, dict) and "callId" in offer:
            payload["callId"] = offer["callId"]
        await self._client.send(sender, {"type": "hangup", "payload": payload})

    def _learn_names(self) -> None:
        for member in self._client.room.members if self._client.room is not None else ():
            self._people[member.id] = Person(member.id, member.display_name)

    def _chat(self, message: replies.ChatMessage) -> None:
        person = self._people.get(message.sender)
        self._show(
            events.ChatReceived,
            peer=person,
            name=person.name if person else "",
            sender=message.sender,
            text=message.payload,
            id=message.id,
            sent_at=message.sent_at,
            own=message.sender == self._client.id,
        )

    def _show_person(self, event: Event, person: Person, **fields: Any) -> None:
        self._show(event, peer=cast("Peer", person), name=person.name, **fields)

    def _show(self, event: Event, **fields: Any) -> None:
        now = datetime.now(UTC)
        self._output.event(event(time=now, t=self._seconds(), **fields), self._client.id)

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._begun


def _too_fast(error: BaseException) -> bool:
    return isinstance(error, Refused) and error.code == ErrorCode.RATE_LIMITED


async def talk(conversation: Conversation, lines: AsyncIterator[str]) -> None:
    """Say line after line, until they end."""
    async for line in lines:
        if line.strip():
            await conversation.say(line)


async def converse(
    conversation: Conversation, lines: AsyncIterator[str], duration: float | None
) -> None:
    """Talk and listen until the lines end, or for `duration` where it is given, or until the room
    ends it. Raises what is an error."""
    talking = asyncio.create_task(talk(conversation, lines))
    following = asyncio.create_task(conversation.follow())
    reason = "interrupted"
    try:
        if duration is None:
            await asyncio.wait([talking, following], return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.wait([following], timeout=duration)
        if following.done():
            reason = "removed"  # unless it says otherwise
            reason = following.result()
        else:
            reason = "left" if duration is None else "duration"
            if talking.done():
                talking.result()
    except RoomcallError as error:
        reason = "removed" if isinstance(error, Refused) else "server-lost"
        raise
    finally:
        for task in (talking, following):
            task.cancel()
        await asyncio.gather(talking, following, return_exceptions=True)
        conversation.end(reason)
