"""The thread that writes, and disks that do not take it."""

import queue
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from roomcall.recording import muxing
from roomcall.recording.effects import Stream
from roomcall.recording.muxing import Muxer

SOUND = (Stream("audio", "opus"),)
TOLD = 10.0  # seconds


class Told:
    """What a muxer has told."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[int, int | str]] = queue.Queue()
        self.muxer = Muxer(
            lambda number, size: self._told.put((number, size)),
            lambda number, why: self._told.put((number, why)),
        )

    def next(self) -> tuple[int, int | str]:
        return self._told.get(timeout=TOLD)


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.muxer.close()


def packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux()
            if packet.pts is not None and packet.time_base is not None and packet.size
        ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_is_told_once_and_the_others_go_on(told: Told, tmp_path: Path) -> None:
    class Full(type(tmp_path)):  # type: ignore[misc]  # a new file on a full disk
        def touch(self, **_: object) -> None:
            pass

    told.muxer.begin(0, Full("/dev/full"), SOUND)
    told.muxer.begin(1, tmp_path / "ann.mkv", SOUND)
    for number in range(100):
        for file in (0, 1):
            told.muxer.write(file, "audio", bytes([252, number]) * 500, number / 50, True)
    told.muxer.end(0)
    told.muxer.end(1)
    assert told.next() == (0, "No space left on device")
    number, size = told.next()
    assert number == 1
    assert size == (tmp_path / "ann.mkv").stat().st_size
    assert len(packets(tmp_path / "ann.mkv")) == 100


def test_a_file_that_is_there_is_not_written_over(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "ann.mkv"
    path.write_bytes(b"somebody else's")
    told.muxer.begin(0, path, SOUND)
    assert told.next() == (0, "File exists")
    assert path.read_bytes() == b"somebody else's"


def test_pictures_may_be_shown_in_another_order(told: Told, tmp_path: Path) -> None:
    size = (320, 240)
    told.muxer.begin(0, tmp_path / "ann.mkv", (Stream("video", "VP8", size),))
    times = [0.0, 0.12, 0.04, 0.08, 0.24, 0.16, 0.2]
    for time in times:
        told.muxer.write(0, "video", b"\x10 at %f" % time, time, time == 0)
    told.muxer.end(0)
    told.next()
    assert [round(time, 3) for time, _ in packets(tmp_path / "ann.mkv")] == times
    with av.open(str(tmp_path / "ann.mkv")) as container:
        picture = container.streams.video[0]
        assert (picture.width, picture.height) == size
        assert picture.time_base == Fraction(1, 1000)


def test_what_is_too_much_is_refused(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(muxing, "QUEUE", 0)
    told.muxer.begin(0, tmp_path / "ann.mkv", SOUND)
    assert not told.muxer.write(0, "audio", b"\0", 0, True)
    told.muxer.end(0)
    assert told.next()[0] == 0, "beginnings and ends are never refused"
