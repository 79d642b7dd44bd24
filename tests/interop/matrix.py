"""Each of the other stacks in a call with a peer of ours: `make interop`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import roomcall
import roomcall_server
from tests.coturn import Coturn
from tests.interop.stacks import NAMES, Absent, Browser, Stack, make

SMALL = {"video": "testsrc", "video_size": (320, 240), "fps": 15}
FLOWING = 25.0  # seconds for what is to come, on a machine that is busy

NO_RESTART = "webrtcbin has no ICE restart"
# What cannot be, or is not, and why; whatever else is not green is a failure.
IMPOSSIBLE: dict[tuple[str, str], str] = {
    ("wrtc", "H.264"): "@roamhq/wrtc is built without H.264",
    ("Firefox", "H.264"): "Firefox fetches its H.264 from the network, and the run goes without",
}
BROKEN: dict[tuple[str, str], str] = {
    ("webrtcbin", "they restart ICE"): NO_RESTART,
    ("webrtcbin", "we restart ICE"): NO_RESTART,
    ("werift", "PLI"): "werift gives a PLI to the receiver of who has sent it, not to its sender",
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    row = request.node.get_closest_marker("cell").args[0].format(**request.node.callspec.params)
    if (why := IMPOSSIBLE.get((name, row))) is not None:
        pytest.skip(why)
    if (why := BROKEN.get((name, row))) is not None:
        request.applymarker(pytest.mark.xfail(reason=why, strict=True))
    return name


@pytest.fixture
async def stack(name: str, tmp_path: Path) -> AsyncIterator[Stack]:
    try:
        stack = make(name)
    except Absent as error:
        pytest.skip(f"{name} needs {error}")
    async with stack.running(tmp_path / "log") as running:
        yield running


class Meeting:
    """A peer of ours and a stack, and what both have seen."""

    def __init__(self, call: roomcall.Call, stack: Stack, id: str) -> None:
        self.call = call
        self.stack = stack
        self.peer = call.peers[id]
        self.signals: list[tuple[bool, str, str]] = []

    async def counts(self) -> dict[str, int]:
        stats = (await self.call.stats()).get(self.peer.id, {})
        state = await self.stack.ask("state")
        assert not state["error"], state["error"]
        return {
            f"{kind} {where}": count
            for kind in ("video", "audio")
            for where, count in (
                ("here", stats.get(kind, {}).get("inbound", {}).get("framesReceived", 0)),
                ("there", state[kind]),
            )
        }

    async def flows(self, *, kinds: tuple[str, ...] = ("video", "audio"), more: int = 15) -> None:
        """Until so many more pictures, and as much sound, have come at both ends."""
        before = now = await self.counts()

        async def have_come() -> bool:
            nonlocal now
            now = await self.counts()
            watched = [what for what in now if what.split()[0] in kinds]
            return all(now[what] >= before[what] + more for what in watched)

        try:
            await until(have_come)
        except TimeoutError:
            grown = {what: now[what] - before[what] for what in now}
            raise AssertionError(f"no more comes than {grown}") from None

    async def inbound(self, kind: str = "video") -> dict[str, Any]:
        found: dict[str, Any] = (await self.call.stats())[self.peer.id][kind]["inbound"]
        return found

    async def outbound(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call.stats())[self.peer.id]["video"]["outbound"]
        return found

    def offers(self, ours: bool) -> list[str]:
        """The ICE user names of the offers that one side has made."""
        return [
            sdp.split("a=ice-ufrag:")[1].split()[0]
            for by_us, type, sdp in self.signals
            if by_us is ours and type == "offer"
        ]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = FLOWING) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 -- another process is asked
            await asyncio.sleep(0.2)


class Meet:
    def __init__(self, stack: Stack, peer: Any, server: roomcall_server.Server) -> None:
        self._stack, self._peer, self._server = stack, peer, server

    async def __call__(
        self, *, first: str = "they", relay: bool = False, **options: Any
    ) -> Meeting:
        signals: list[tuple[bool, str, str]] = []

        def on_signal(ours: bool, _: str, message: Any) -> None:
            payload = message.get("payload") or {}
            signals.append((ours, message["type"], str(payload.get("sdp", ""))))

        async def join() -> str:
            codec = options.get("video_codec", "vp8").upper()
            return await self._stack.join(self._server.url, "interop", relay=relay, codec=codec)

        ours = {**SMALL, "on_signal": on_signal, **options}
        if first == "they":
            id = await join()
            call = await self._peer("interop", **ours)
        else:
            call = await self._peer("interop", **ours)
            id = await join()
        await call.wait_for(roomcall.MemberJoined, FLOWING)
        meeting = Meeting(call, self._stack, id)
        meeting.signals = signals
        await call.wait_for(roomcall.PeerConnected, FLOWING, peer=meeting.peer)
        return meeting


@pytest.fixture
async def room_server(stack: Stack) -> AsyncIterator[roomcall_server.Server]:
    origins = [stack.origin] if isinstance(stack, Browser) else []
    async with roomcall_server.serve(port=0, allow_origins=origins) as server:
        yield server


@pytest.fixture
def meet(stack: Stack, peer: Any, room_server: roomcall_server.Server) -> Meet:
    return Meet(stack, peer, room_server)


@pytest.mark.cell("{codec}")
@pytest.mark.parametrize(("codec", "first"), [("H.264", "they"), ("VP8", "we")])
async def test_pictures(meet: Meet, codec: str, first: str) -> None:
    chosen = codec.replace(".", "")
    meeting = await meet(first=first, video_codec=chosen.lower(), watch=True)
    await meeting.flows(kinds=("video",))
    assert (await meeting.inbound())["mimeType"] == f"video/{chosen}"

    async def moves() -> bool:
        seen = (await meeting.call.stats())[meeting.peer.id].get("content", {})
        return seen.get("black") is False and seen.get("frozen") is False

    await until(moves)


@pytest.mark.cell("Opus")
async def test_sound(meet: Meet) -> None:
    meeting = await meet(first="we", watch=True)
    await meeting.flows(kinds=("audio",), more=50)
    assert (await meeting.inbound("audio"))["mimeType"] == "audio/opus"

    async def is_heard() -> bool:
        heard = (await meeting.call.stats())[meeting.peer.id].get("content", {})
        return heard.get("silent") is False

    await until(is_heard)


@pytest.mark.cell("{first} join first")
@pytest.mark.parametrize("first", ["they", "we"])
async def test_either_may_be_first(meet: Meet, first: str) -> None:
    meeting = await meet(first=first)
    assert bool(meeting.offers(ours=True)) == (first == "they")
    await meeting.flows()


@pytest.mark.cell("{who} offer again")
@pytest.mark.parametrize("who", ["they", "we"])
async def test_offers_again(meet: Meet, who: str) -> None:
    # The first offer is the other's.
    meeting = await meet(first=who, **({} if who == "they" else {"audio": "none"}))
    if who == "they":
        await meeting.flows()
        await meeting.stack.ask("offer")
    else:
        await meeting.flows(kinds=("video",))
        await meeting.call.publish(audio="testsrc")
    await meeting.flows(more=45)
    assert meeting.offers(ours=who == "we")


@pytest.mark.cell("{who} restart ICE")
@pytest.mark.parametrize("who", ["they", "we"])
async def test_ice_restart(meet: Meet, who: str) -> None:
    meeting = await meet(first="we")
    await meeting.flows()
    if who == "they":
        await meeting.stack.ask("restart")
    else:
        await meeting.peer.reconnect()
    await meeting.flows(more=60)  # also when the old path is gone
    names = meeting.offers(ours=who == "we")
    assert names and (who == "we" or names[-1] != names[0])


@pytest.mark.cell("data channel")
async def test_data_channel(meet: Meet) -> None:
    meeting = await meet(first="we")  # so they open it
    opened = await meeting.call.wait_for(roomcall.ChannelOpened, FLOWING, label="talk")
    await meeting.stack.ask("say", text="grüezi")
    await meeting.call.wait_for(roomcall.DataReceived, FLOWING, label="talk", data="grüezi")
    await opened.channel.send("hello")

    async def is_heard() -> bool:
        return bool((await meeting.stack.ask("state"))["received"] == ["hello"])

    await until(is_heard)


@pytest.mark.cell("PLI")
async def test_a_key_frame_that_is_asked_for(meet: Meet) -> None:
    meeting = await meet()
    await meeting.flows(kinds=("video",))
    before = (await meeting.inbound())["keyFramesDecoded"]

    async def has_come() -> bool:
        await meeting.peer.video.request_key_frame()
        return bool((await meeting.inbound())["keyFramesDecoded"] > before)

    await until(has_come, 5)


@pytest.mark.cell("NACK")
async def test_losses_are_repaired(meet: Meet) -> None:
    meeting = await meet(network="loss=3%,seed=3")

    async def is_asked_for() -> bool:
        again = (await meeting.outbound())["retransmittedPacketsSent"]
        return bool(again and (await meeting.inbound())["nackCount"])

    await until(is_asked_for)
    await meeting.flows(more=30)
    inbound = await meeting.inbound()
    assert inbound["packetsLost"] <= 0.01 * inbound["packetsReceived"] + 2


class TestThroughTurn:
    @pytest.fixture
    async def room_server(
        self, stack: Stack, coturn_with_secret: Coturn
    ) -> AsyncIterator[roomcall_server.Server]:
        origins = [stack.origin] if isinstance(stack, Browser) else []
        async with roomcall_server.serve(
            port=0,
            allow_origins=origins,
            turn_urls=[coturn_with_secret.turn_url],
            turn_secret=coturn_with_secret.secret,
        ) as server:
            yield server

    @pytest.mark.cell("TURN, theirs")
    async def test_they_relay(self, meet: Meet) -> None:
        meeting = await meet(relay=True)
        await meeting.flows()
        stats = (await meeting.call.stats())[meeting.peer.id]["candidatePair"]
        assert stats["remoteCandidateType"] in ("relay", "prflx")

    @pytest.mark.cell("TURN, ours")
    async def test_we_relay(self, meet: Meet) -> None:
        meeting = await meet(ice_policy="relay")
        await meeting.flows()
        stats = (await meeting.call.stats())[meeting.peer.id]["candidatePair"]
        assert stats["localCandidateType"] == "relay"
