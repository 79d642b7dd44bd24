"""A call's recording: follows who comes and goes, and has written what the plans say."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import events
from ..errors import RecordingError
from . import effects as e
from .members import RecordedMember
from .muxing import Muxer, replace_file
from .names import free_name, safe_name
from .session import Chat, File, Room, Session, Track

if TYPE_CHECKING:
    from ..call import Call
    from ..peer.peer import Peer

SAVE_EVERY = 2.0  # seconds
SESSION = "session.json"
_SESSION_NUMBER = -1  # what the muxer knows the session's own file by


class Recording:
    """What `Call.record` gives: runs until `stop`, or the end of the call.

    `session` is what session.json will say, live; `failures` has one line for each file that could
    not be written.
    """

    def __init__(
        self,
        call: "Call",
        emit: Callable[..., Any],
        folder: "str | os.PathLike[str]",
        segment: float | None,
        tell: Callable[[], Awaitable[None]],
    ) -> None:
        self.folder = Path(folder)
        self.session = Session(events.rfc3339(datetime.now(UTC)))
        self.failures: list[str] = []
        self.is_running = False
        self._call = call
        self._emit = emit
        self._segment = segment
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._muxer: Muxer | None = None
        self._members: dict[Peer, RecordedMember] = {}
        self._files: dict[int, tuple[RecordedMember, File]] = {}
        self._numbers = itertools.count()
        self._names: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._finishing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Once, before all else: `Call.record` does it."""
        await asyncio.to_thread(self._prepare)
        self._muxer = Muxer(
            lambda number, size: self._call_soon(self._on_end, number, size),
            lambda number, why: self._call_soon(self._on_failure, number, why),
        )
        self.is_running = True
        if (room := self._call.room) is not None:
            self.session.room = Room(room.id, room.name)
        for peer in self._call.peers.values():
            self._follow(peer)
        for work in (self._follow_events(datetime.now(UTC)), self._save_often(), self._tell()):
            self._tasks.append(asyncio.ensure_future(work))

    async def stop(self) -> None:
        """Finish every file, and tell the others. May be called again."""
        await self.finish()
        await self._tell()

    async def finish(self) -> None:
        """Finish every file. May be called again."""
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish(), name="roomcall-recording-end")
        await asyncio.shield(self._finishing)

    def seconds(self) -> float:
        """Since it began."""
        return self._loop.time() - self._begun

    def _prepare(self) -> None:
        """Raises `RecordingError`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._names = set(os.listdir(self.folder))
            if SESSION not in self._names:
                (self.folder / SESSION).write_bytes(self.session.to_json())
        except OSError as error:
            raise RecordingError(
                str(self.folder),
                f"{self.folder} cannot be written: {error.strerror} — name another folder",
            ) from None
        if SESSION in self._names:
            raise RecordingError(
                str(self.folder),
                f"{self.folder} holds a recording already — name another folder",
            )
        self._names.add(SESSION)

    def _call_soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        """From the muxer's thread."""
        with suppress(RuntimeError):  # the loop has been closed
            self._loop.call_soon_threadsafe(callback, *arguments)

    async def _finish(self) -> None:
        assert self._muxer is not None, "started before it is stopped"
        self.is_running = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in list(self._members):
            await self._part(peer)
        await asyncio.to_thread(self._muxer.close)
        self.session.ended = events.rfc3339(datetime.now(UTC))
        path, content = self.folder / SESSION, self._described()
        try:
            await asyncio.to_thread(replace_file, path, content)
        except OSError as error:
            self._on_failure(_SESSION_NUMBER, error.strerror or str(error))

    # Who is there

    async def _follow_events(self, since: datetime) -> None:
        async for event in self._call:
            match event:
                case events.MemberJoined(peer=peer) if self._is_there(peer):
                    self._follow(peer)
                case events.TrackAdded(peer=peer, track=track) if self._is_there(peer):
                    self._follow(peer).add(track)
                case events.PeerLeft(peer=peer) if peer in self._members:
                    await self._part(peer)
                case events.ChatReceived(time=time) if time >= since:
                    chat = Chat(round(self.seconds(), 3), event.sender, event.name, event.text)
                    self.session.say(chat)

    def _is_there(self, peer: "Peer") -> bool:
        return self._call.peers.get(peer.id) is peer

    def _follow(self, peer: "Peer") -> RecordedMember:
        member = self._members.get(peer)
        if member is None:
            place = self.session.arrive(peer.id, peer.name, self.seconds())
            member = RecordedMember(peer, place, self._segment, self._carry_out)
            self._members[peer] = member
            for track in (peer.video, peer.audio):
                if track is not None:
                    member.add(track)
        return member

    async def _part(self, peer: "Peer") -> None:
        member = self._members.pop(peer)
        self._place(member)
        await member.close()
        self.session.depart(member.place, self.seconds())

    # Files

    def _carry_out(self, member: RecordedMember, effect: e.Effect) -> None:
        assert self._muxer is not None
        match effect:
            case e.Begin(file, streams, time):
                self._begin(member, file, streams, time)
            case e.Write(file, kind, data, time, keyframe):
                number = member.numbers[file]
                described = self._files[number][1]
                if described.state == "failed":
                    return
                if not self._muxer.write(number, kind, data, time, keyframe):
                    member.plan.lost(kind)
                    return
                track = described.track(kind)
                track.frames += 1
                track.bytes += len(data)
                described.bytes += len(data)
                described.seconds = max(described.seconds, round(time, 3))
            case e.Gap(file, kind, start, end, lost):
                self._files[member.numbers[file]][1].track(kind).add_gap(start, end, lost)
            case e.End(file):
                self._muxer.end(member.numbers[file])

    def _begin(
        self, member: RecordedMember, file: int, streams: tuple[e.Stream, ...], time: float
    ) -> None:
        assert self._muxer is not None
        number = member.numbers[file] = next(self._numbers)
        name = free_name(safe_name(member.peer.name), ".mkv", self._names)
        self._names.add(name)
        described = File(
            name,
            member.place,
            member.peer.id,
            0.0,
            follows=self.session.latest_of(member.place),
            tracks=[_track(stream) for stream in streams],
        )
        self.session.files.append(described)
        self._files[number] = member, described
        member.zeros[number] = time
        self._place(member)
        self._muxer.begin(number, self.folder / name, streams)
        self._report("started", member, described)

    def _place(self, member: RecordedMember) -> None:
        """Where a member's files stand on the recording's clock, as it is known now."""
        for number, zero in member.zeros.items():
            offset = member.on_our_clock(zero)
            if offset is not None:
                self._files[number][1].offset = round(offset - self._begun, 4)

    def _on_end(self, number: int, size: int) -> None:
        member, described = self._files[number]
        described.state, described.bytes = "finished", size
        self._report("finished", member, described, seconds=described.seconds, bytes=size)

    def _on_failure(self, number: int, why: str) -> None:
        member, described = self._files.get(number, (None, None))
        name = described.file if described is not None else SESSION
        text = f"{self.folder / name} cannot be written: {why}"
        if text in self.failures:
            return
        self.failures.append(text)
        if described is not None:
            described.state, described.message = "failed", why
        self._report("failed", member, described, message=why)

    def _report(
        self, state: str, member: RecordedMember | None, described: File | None, **more: Any
    ) -> None:
        self._emit(
            events.RecordingChanged,
            peer=None if member is None else member.peer,
            name="" if member is None else member.peer.name,
            state=state,
            file=str(self.folder / (SESSION if described is None else described.file)),
            **more,
        )

    # session.json

    async def _save_often(self) -> None:
        assert self._muxer is not None
        while True:
            await asyncio.sleep(SAVE_EVERY)
            for member in self._members.values():
                await member.measure()
                self._place(member)
            self._muxer.save(_SESSION_NUMBER, self.folder / SESSION, self._described())

    def _described(self) -> bytes:
        self.session.seconds = round(self.seconds(), 3)
        return self.session.to_json()


def _track(stream: e.Stream) -> Track:
    if stream.size is None:
        return Track(stream.kind, stream.codec)
    return Track(stream.kind, stream.codec, *stream.size)
