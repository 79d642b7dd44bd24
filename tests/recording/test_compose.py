"""One video of a recording."""

import itertools
from pathlib import Path

import av
import pytest
from av.filter import Graph

import roomcall
from benchmarks.composed import Beeps
from roomcall.media import marks
from roomcall.media.source import AUDIO_CLOCK
from roomcall.recording.composing import compose
from roomcall.recording.layout import Scene, cells, fit, scenes
from roomcall.recording.reading import Sounds
from roomcall.recording.session import File, Session, Track
from roomcall.testing.media import make_video

SIZE = (640, 480)
PICTURE = (320, 240)


def recorded(*files: tuple[int, float, float]) -> Session:
    """Of participants by number, each file with its offset and length."""
    session = Session("2026-01-01T00:00:00.000Z")
    for participant in range(1 + max(participant for participant, _, _ in files)):
        session.arrive(str(participant), f"number {participant}", 0)
    for place, (participant, offset, seconds) in enumerate(files):
        tracks = [Track("video", "H264", *PICTURE), Track("audio", "opus")]
        name = f"{place}.mkv"
        session.files.append(
            File(name, participant, str(participant), offset, seconds=seconds, tracks=tracks)
        )
    return session


def test_scenes_begin_and_end_with_files() -> None:
    session = recorded((0, 1.0, 4.0), (1, 2.0, 2.0))
    assert scenes(session) == [
        Scene(0, 1, {0: 0}),
        Scene(1, 3, {0: 0, 1: 1}),
        Scene(3, 4, {0: 0}),
    ]


def test_a_short_hole_between_two_files_is_held_and_a_long_one_is_seen() -> None:
    assert scenes(recorded((0, 0.0, 1.0), (0, 1.5, 1.0))) == [
        Scene(0, 1.5, {0: 0}),
        Scene(1.5, 2.5, {0: 1}),
    ]
    assert scenes(recorded((0, 0.0, 1.0), (0, 5.0, 1.0)))[1] == Scene(1, 5, {})


@pytest.mark.parametrize("count", range(1, 12))
def test_cells_lie_side_by_side(count: int) -> None:
    places = cells(count, SIZE)
    assert len(places) == count
    for cell in places:
        assert cell.left + cell.width <= SIZE[0]
        assert cell.top + cell.height + cell.name_height <= SIZE[1]
    for a, b in itertools.combinations(places, 2):
        assert a.left + a.width <= b.left or b.left + b.width <= a.left or a.top != b.top


def test_a_picture_keeps_its_shape() -> None:
    assert fit((320, 240), (640, 360)) == (480, 360)
    assert fit((240, 320), (640, 360)) == (270, 360)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two with flashes and beeps, the second 1.3 s later and until the end of the first."""
    session = recorded((0, 0.5, 4.0), (1, 1.8, 2.7))
    for file in session.files:
        make_video(
            tmp_path / file.file, seconds=file.seconds, size=PICTURE, audio="libopus", fps=25
        )
    (tmp_path / "session.json").write_bytes(session.to_json())
    return tmp_path


def test_flashes_and_beeps_are_where_they_were(folder: Path) -> None:
    output = folder / "all.mp4"
    told: list[tuple[float, float]] = []
    seconds = compose(
        folder, output, size=SIZE, on_progress=lambda *progress: told.append(progress) or True
    )
    assert seconds == pytest.approx(4, abs=0.05)
    assert told == [(n, pytest.approx(4)) for n in (1, 2, 3, 4)]
    flashes, beeps = watch(output)
    assert flashes[0] == pytest.approx([2.0, 3.0], abs=0.06)
    assert flashes[1] == pytest.approx([2.3, 3.3], abs=0.06)
    for flash in (*flashes[0], *flashes[1]):
        assert min(abs(beep - flash) for beep in beeps) <= 0.06, (flashes, beeps)


def test_a_sound_that_is_missing_moves_none_that_follow(tmp_path: Path) -> None:
    """As where a packet was lost: there are 20 ms of nothing."""
    file = make_video(tmp_path / "a.mkv", seconds=2, size=(64, 48), fps=25, audio="libopus")
    sounds = Sounds([(file, 0.0), (file, 2.02), (file, 4.04)])
    frame = av.AudioFrame("s16", "stereo", 6 * AUDIO_CLOCK)
    frame.sample_rate = AUDIO_CLOCK
    frame.planes[0].update(sounds.take(frame.samples))
    heard = memoryview(frame.planes[0]).cast("h")[::2].tolist()
    loud = [at / AUDIO_CLOCK for at, sample in enumerate(heard) if abs(sample) > 4000]
    beeps = [b for a, b in itertools.pairwise([-1, *loud]) if b - a > 0.2]
    first = beeps[0] % 1
    assert [round(beep - first, 2) for beep in beeps[-4:]] == [2.02, 3.02, 4.04, 5.04], beeps


def watch(path: Path) -> tuple[list[list[float]], list[float]]:
    """When each of the two flashes, from when both are there; and when it beeps."""
    first, second = cells(2, SIZE)
    lit: list[list[tuple[float, bool]]] = [[], []]
    beeps = Beeps()
    with av.open(str(path)) as container:
        for frame in container.decode():
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                if frame.time < 1.32:  # the first is alone, and in another place
                    lit[0] = [(frame.time, False)]
                    continue
                for index, cell in enumerate((first, second)):
                    width, height = fit(PICTURE, (cell.width, cell.height))
                    left, top = (cell.width - width) // 2 & ~1, (cell.height - height) // 2 & ~1
                    part = cut(frame, width, height, cell.left + left, cell.top + top)
                    if marks.read(part) is not None:
                        lit[index].append((frame.time, marks.is_flash(part)))
                continue
            beeps.hear(frame)
    return [
        [b for (_, was), (b, now) in itertools.pairwise(each) if now and not was] for each in lit
    ], beeps.times


def cut(frame: av.VideoFrame, width: int, height: int, left: int, top: int) -> av.VideoFrame:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    crop = graph.add("crop", f"{width}:{height}:{left}:{top}")
    graph.link_nodes(source, crop, graph.add("buffersink")).configure()
    source.push(frame)
    part = graph.pull()
    assert isinstance(part, av.VideoFrame)
    return part


def test_it_can_be_ended_early(folder: Path) -> None:
    output = folder / "all.webm"
    assert compose(folder, output, size=(160, 120), on_progress=lambda *_: False) == 1
    with av.open(str(output)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == 25


def test_what_is_no_recording_and_what_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        roomcall.RecordingError, match=r"nowhere/all.mp4 cannot be written: No such"
    ):
        compose(folder, tmp_path / "nowhere" / "all.mp4")
    with pytest.raises(roomcall.RecordingError, match=r"all.txt cannot be written: "):
        compose(folder, tmp_path / "all.txt")
    (folder / "session.json").write_text("{}")
    with pytest.raises(roomcall.SourceError, match="is not of a recording: Object missing"):
        compose(folder, tmp_path / "all.mp4")
    (folder / "session.json").unlink()
    with pytest.raises(roomcall.SourceError, match="cannot be read: No such file"):
        compose(folder, tmp_path / "all.mp4")
