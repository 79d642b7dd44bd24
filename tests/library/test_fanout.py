"""One source to all peers: encoded once, and nobody waits for anybody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import av
import pytest

from roomcall.media import codecs, encoder, encoding, fanout, keyframes, rates
from roomcall.media.encoding import QUEUE_LENGTH, Subscription
from roomcall.media.fanout import Publication
from roomcall.media.source import (
    AUDIO_CLOCK,
    AUDIO_SAMPLES,
    AUDIO_TIME_BASE,
    VIDEO_TIME_BASE,
    SourceEnded,
)

LIBRARIES = {"H264": "h264", "VP8": "libvpx"}


class Source:
    """Gives a frame when the test says so."""

    def __init__(self, kind: Literal["video", "audio"]) -> None:
        self.kind: Any = kind
        self.closed = False
        self._given = 0
        self._frames: asyncio.Queue[Any] = asyncio.Queue()
        self._all_taken = asyncio.Event()

    async def recv(self) -> Any:
        if self._frames.empty():
            self._all_taken.set()
        frame = await self._frames.get()
        if isinstance(frame, Exception):
            raise frame
        return frame

    async def close(self) -> None:
        self.closed = True

    async def give(self, count: int = 1) -> None:
        """Returns when the frames are encoded and their packets handed out."""
        self._all_taken.clear()
        for _ in range(count):
            self._frames.put_nowait(self._frame())
            self._given += 1
        await self._all_taken.wait()

    def end(self, error: Exception) -> None:
        self._frames.put_nowait(error)

    def _frame(self) -> Any:
        if self.kind == "video":
            picture = av.VideoFrame(64, 48, "yuv420p")
            memoryview(picture.planes[0])[:] = bytes([self._given % 256]) * (64 * 48)
            picture.pts, picture.time_base = self._given * 3000, VIDEO_TIME_BASE
            return picture
        sound = av.AudioFrame("s16", "stereo", AUDIO_SAMPLES)
        sound.sample_rate = AUDIO_CLOCK
        sound.pts, sound.time_base = self._given * AUDIO_SAMPLES, AUDIO_TIME_BASE
        return sound


Publish = Callable[[str], tuple[Source, Publication]]


@pytest.fixture
async def publish() -> AsyncIterator[Publish]:
    made: list[Publication] = []

    def publish_one(kind: Any) -> tuple[Source, Publication]:
        source = Source(kind)
        publication = Publication(source.kind, source)
        publication.start()
        made.append(publication)
        return source, publication

    yield publish_one
    for publication in made:
        await publication.close()


@pytest.fixture
def encoders(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[bool]]]:
    """Each encoder that is made, and for each frame that it gets whether a key frame is asked."""
    made: list[tuple[str, list[bool]]] = []

    class Watched:
        def __init__(self, codec: str, bitrate: int | None, *, lower: bool) -> None:
            self._encoder = encoder.make_encoder(codec, bitrate, lower=lower)
            self._asked: list[bool] = []
            made.append((codec, self._asked))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._encoder, name)

        def encode(self, frame: Any, key_frame: bool) -> Any:
            self._asked.append(key_frame)
            return self._encoder.encode(frame, key_frame)

    monkeypatch.setattr(encoding, "make_encoder", Watched)
    return made


def take(subscription: Subscription, count: int = 1) -> list[Any]:
    """So many of those that wait."""
    taken: list[Any] = []

    def take_one(packet: Any) -> None:
        taken.append(packet)
        if len(taken) == count:
            subscription.feed(None)

    subscription.feed(take_one)
    assert len(taken) == count
    return taken


def nothing_waits(subscription: Subscription) -> bool:
    waiting: list[Any] = []
    subscription.feed(waiting.append)
    subscription.feed(None)
    return not waiting


@pytest.mark.parametrize(
    ("kind", "codec"), [("video", "H264"), ("video", "VP8"), ("audio", "opus")]
)
async def test_one_encoder_serves_all_with_the_same_packets(
    publish: Publish, encoders: list[Any], kind: str, codec: str
) -> None:
    source, publication = publish(kind)
    subscriptions = [publication.subscribe(codec) for _ in range(5)]
    await source.give(4)
    first, *others = [take(subscription, 4) for subscription in subscriptions]
    for packets in others:
        assert all(a is b for a, b in zip(first, packets, strict=True))
    assert [(codec, len(asked)) for codec, asked in encoders] == [(codec, 4)]


async def test_each_codec_has_its_encoder_while_somebody_takes_it(
    publish: Publish, encoders: list[Any]
) -> None:
    source, publication = publish("video")
    h264, vp8 = publication.subscribe("H264"), publication.subscribe("VP8")
    await source.give(2)
    vp8.close()
    await source.give(3)
    assert {codec: len(asked) for codec, asked in encoders} == {"H264": 5, "VP8": 2}
    assert len(take(h264, 5)) == 5
    h264.close()
    await source.give(3)
    assert {codec: len(asked) for codec, asked in encoders} == {"H264": 5, "VP8": 2}
    again = publication.subscribe("H264")
    await source.give()
    assert take(again)[0].is_keyframe
    assert len(encoders) == 3


async def test_a_codec_that_nobody_can_encode_is_refused(publish: Publish) -> None:
    _, publication = publish("video")
    with pytest.raises(ValueError, match="AV1"):
        publication.subscribe("AV1")


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_who_comes_late_begins_with_a_key_frame(
    publish: Publish, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "NEWCOMER_WINDOW", 0.0)
    source, publication = publish("video")
    early = publication.subscribe(codec)
    await source.give(5)
    late = publication.subscribe(codec)
    await source.give(3)
    assert [p.is_keyframe for p in take(early, 8)] == [True, *[False] * 4, True, False, False]
    packets = take(late, 3)
    assert codecs.is_key_frame(codec, bytes(packets[0]))
    assert codecs.picture_size(codec, bytes(packets[0])) == (64, 48)
    decoder = av.CodecContext.create(LIBRARIES[codec], "r")
    pictures = [f for p in packets for f in decoder.decode(av.Packet(bytes(p)))]  # type: ignore[attr-defined]
    pictures += decoder.decode(None)  # type: ignore[attr-defined]
    assert len(pictures) == 3


async def test_who_comes_just_after_a_key_frame_gets_nothing_before_the_next(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "NEWCOMER_WINDOW", 1e6)
    source, publication = publish("video")
    publication.subscribe("VP8")
    await source.give()
    late = publication.subscribe("VP8")
    await source.give(3)
    assert nothing_waits(late) and late.dropped == 3
    monkeypatch.setattr(keyframes, "NEWCOMER_WINDOW", 0.0)
    await source.give()
    assert take(late)[0].is_keyframe


async def test_a_slow_peer_loses_pictures_and_delays_nobody(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "PATIENT_WINDOW", 1e6)
    source, publication = publish("video")
    fast, slow = publication.subscribe("VP8"), publication.subscribe("VP8")
    limit = QUEUE_LENGTH["video"]
    for number in range(limit):
        await source.give()
        assert take(fast)[0].pts == number * 3000
    assert slow.dropped == 0
    for _ in range(5):  # the backlog goes, and no picture without its key frame comes
        await source.give()
        assert not take(fast)[0].is_keyframe
    assert nothing_waits(slow) and slow.dropped == limit + 5
    publication._encodings["VP8", False].key_frames.window = 0.0
    await source.give(3)
    resumed = take(slow, 3)
    assert [p.is_keyframe for p in resumed] == [True, False, False]
    assert [p.pts for p in resumed] == [p.pts for p in take(fast, 3)]
    assert (fast.dropped, slow.dropped) == (0, limit + 5)


async def test_a_full_queue_begins_again_with_a_key_frame_that_comes_just_then(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "PATIENT_WINDOW", 0.0)
    source, publication = publish("video")
    fast, slow = publication.subscribe("VP8"), publication.subscribe("VP8")
    limit = QUEUE_LENGTH["video"]
    await source.give(limit)
    take(fast, limit)
    fast.request_key_frame()
    await source.give()
    (packet,) = take(slow)
    assert packet.is_keyframe and packet.pts == limit * 3000
    assert slow.dropped == limit


async def test_a_slow_peer_loses_the_oldest_sounds(publish: Publish) -> None:
    source, publication = publish("audio")
    slow = publication.subscribe("opus")
    limit = QUEUE_LENGTH["audio"]
    await source.give(limit + 7)
    assert slow.dropped == 7
    stamps = [packet.pts for packet in take(slow, limit)]
    steps = {later - earlier for earlier, later in zip(stamps, stamps[1:], strict=False)}
    assert steps == {AUDIO_SAMPLES}
    assert nothing_waits(slow)


async def test_requests_of_all_peers_are_served_by_one_key_frame(
    publish: Publish, encoders: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "PATIENT_WINDOW", 1e6)
    source, publication = publish("video")
    subscriptions = [publication.subscribe("VP8") for _ in range(4)]
    await source.give(2)
    for subscription in subscriptions:
        subscription.request_key_frame()
    await source.give(2)
    publication._encodings["VP8", False].key_frames.window = 0.0
    await source.give(3)
    [(_, asked)] = encoders
    assert asked == [True, False, False, False, True, False, False]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What peers report has its effect without delay."""
    for module, name in (
        (fanout, "ADAPT_EVERY"),
        (rates, "SLOW_AFTER"),
        (rates, "FAST_AFTER"),
        (rates, "RISE_AFTER"),
        (keyframes, "NEWCOMER_WINDOW"),
    ):
        monkeypatch.setattr(module, name, 0.0)
    for module in (rates, encoding):
        monkeypatch.setattr(module, "LOWEST", 1000)  # the pictures here are small


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_peer_that_can_take_less_gets_the_lower_layer_and_comes_back(
    publish: Publish, encoders: list[Any], codec: str
) -> None:
    source, publication = publish("video")
    fast, slow = publication.subscribe(codec), publication.subscribe(codec)
    await source.give(2)
    for _ in range(4):
        slow.on_loss(0.5)
    for _ in range(2):  # the others' bitrate is as it was
        fast.on_loss(0.0)
    assert len(encoders) == 2
    await source.give(2)
    packets = take(slow, 4)
    assert [p.is_keyframe for p in packets] == [True, False, True, False]
    assert [p.is_keyframe for p in take(fast, 4)] == [True, False, False, False]
    size = (codecs.h264_size if codec == "H264" else codecs.vp8_size)(bytes(packets[2]))
    assert size == (32, 24)
    for _ in range(40):
        slow.on_loss(0.0)
    await source.give(2)
    assert len(publication._encodings) == 1
    packets = take(slow, 2)
    assert [p.is_keyframe for p in packets] == [True, False]
    assert [p.pts for p in packets] == [p.pts for p in take(fast, 2)]


@pytest.mark.usefixtures("at_once")
async def test_the_bitrate_follows_the_slowest_in_place(publish: Publish) -> None:
    source, publication = publish("video")
    one, other = publication.subscribe("H264"), publication.subscribe("H264")
    await source.give(1)
    made = publication._encodings["H264", False]
    for _ in range(3):
        one.on_loss(0.3)
    await source.give(1)
    context = made._encoder._context  # type: ignore[attr-defined]
    assert rates.LOWEST <= context.bit_rate < made.top
    assert not (take(other, 2))[1].is_keyframe


async def test_who_is_fed_gets_what_waits_and_each_packet_as_it_comes(publish: Publish) -> None:
    source, publication = publish("video")
    subscription = publication.subscribe("VP8")
    await source.give()
    came: list[Any] = []
    subscription.feed(came.append)
    assert [packet.pts for packet in came] == [0]
    await source.give(20)  # more than wait for anybody
    assert [packet.pts for packet in came] == [3000 * number for number in range(21)]
    assert subscription.dropped == 0


@pytest.mark.parametrize(
    ("error", "log"),
    [(SourceEnded(), ""), (ValueError("cannot do"), "video cannot be encoded: cannot do")],
)
async def test_the_end_of_the_source_leaves_readers_waiting(
    error: Exception, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = asyncio.Event()
    source = Source("video")
    publication = Publication(source.kind, source, on_end=ended.set)
    publication.start()
    subscription = publication.subscribe("VP8")
    await source.give()
    source.end(error)
    if not log:
        await ended.wait()
    else:
        pump = publication._pump
        assert pump is not None
        await pump
    assert publication.ended and source.closed is False
    assert take(subscription)[0].is_keyframe
    assert nothing_waits(subscription)
    assert [record.getMessage() for record in caplog.records] == ([log] if log else [])
    await publication.close()


async def test_close_ends_the_source_the_task_and_the_threads() -> None:
    source = Source("video")
    publication = Publication(source.kind, source)
    await publication.close()
    assert source.closed  # also where it never started

    source = Source("video")
    publication = Publication(source.kind, source)
    before = asyncio.all_tasks()
    publication.start()
    for codec in ("H264", "VP8"):
        publication.subscribe(codec)
    await source.give(2)
    await publication.close()
    await publication.close()
    assert source.closed
    assert asyncio.all_tasks() == before  # the threads are watched for every test
