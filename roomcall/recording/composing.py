"""One video of a recording: all pictures in a grid, all sounds mixed.

Everything here blocks: it is not for the event loop.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
from av.filter import Graph
from av.video.format import VideoFormat

from ..errors import RecordingError, SourceError
from ..media.encoder import bitrate_for
from ..media.source import AUDIO_CLOCK, AUDIO_TIME_BASE
from .labels import label
from .layout import Cell, Scene, beginning, cells, fit, scenes
from .reading import Pictures, Sounds
from .session import Session

FPS = 25
_CODECS = {".webm": ("libvpx", "libopus")}  # of others: H.264 and AAC
_OPTIONS = {
    "libvpx": {"deadline": "good", "cpu-used": "5"},
    "libx264": {"preset": "veryfast"},
}


def read_session(folder: Path) -> Session:
    """Raises `SourceError`."""
    path = folder / "session.json"
    try:
        session = msgspec.json.decode(path.read_bytes(), type=Session)
    except OSError as error:
        raise SourceError(
            str(folder), f"{path} cannot be read: {error.strerror} — name a recording's folder"
        ) from None
    except msgspec.MsgspecError as error:
        raise SourceError(
            str(folder), f"{path} is not of a recording: {error} — name a recording's folder"
        ) from None
    session.files = [
        file for file in session.files if file.seconds and (folder / file.file).is_file()
    ]
    if not session.files:
        raise SourceError(str(folder), f"{folder} holds no file to compose — record something")
    return session


def compose(
    folder: Path,
    output: Path,
    *,
    size: tuple[int, int] = (1280, 720),
    on_progress: Callable[[float, float], bool] = lambda done, whole: True,
) -> float:
    """Write one video of a recording, and return its seconds. `on_progress(done, whole)`, in
    seconds, is called once for each of them; where it says False, the video ends there.

    Raises `SourceError`, and `RecordingError` where `output` cannot be written.
    """
    session = read_session(folder)
    whole = scenes(session)[-1].end
    try:
        with av.open(str(output), "w") as container:
            return _Composition(folder, session, container, output, size).run(whole, on_progress)
    except (OSError, ValueError) as error:  # FFmpeg's errors are among them
        why = getattr(error, "strerror", None) or str(error)
        raise RecordingError(
            str(output), f"{output} cannot be written: {why} — name another file, such as all.mp4"
        ) from error


class _Composition:
    def __init__(
        self, folder: Path, session: Session, container: Any, output: Path, size: tuple[int, int]
    ) -> None:
        self._folder = folder
        self._session = session
        self._container = container
        self._size = size
        self._zero = beginning(session)
        picture, sound = _CODECS.get(output.suffix.lower(), ("libx264", "aac"))
        self._picture = container.add_stream(picture, rate=FPS)
        self._picture.width, self._picture.height = size
        self._picture.pix_fmt = "yuv420p"
        self._picture.options = _OPTIONS[picture]
        if picture == "libvpx":  # its own default is for a stamp
            self._picture.bit_rate = 2 * bitrate_for(*size, FPS)
        self._sound = container.add_stream(sound, rate=AUDIO_CLOCK, layout="stereo")
        self._mixer = _Mixer(self._sounds())
        self._number = 0  # of the next picture

    def run(self, whole: float, on_progress: Callable[[float, float], bool]) -> float:
        for scene in scenes(self._session):
            if not self._show(scene, whole, on_progress):
                break
        for stream in (self._picture, self._sound):
            self._container.mux(stream.encode())
        return self._number / FPS

    def _show(
        self, scene: Scene, whole: float, on_progress: Callable[[float, float], bool]
    ) -> bool:
        grid = _Grid(self._folder, self._session, scene, self._zero, self._size)
        try:
            while self._number / FPS < scene.end:
                frame = grid.frame(self._number)
                self._container.mux(self._picture.encode(frame))
                self._number += 1
                mixed = self._mixer.mix(self._number * AUDIO_CLOCK // FPS)
                self._container.mux(self._sound.encode(mixed))
                if self._number % FPS == 0 and not on_progress(self._number / FPS, whole):
                    return False
            return True
        finally:
            grid.close()

    def _sounds(self) -> list[Sounds]:
        files: dict[int, list[tuple[Path, float]]] = {}
        for file in self._session.files:
            place = self._folder / file.file, file.offset - self._zero
            files.setdefault(file.participant, []).append(place)
        return [Sounds(each) for each in files.values()]


class _Mixer:
    def __init__(self, sounds: list[Sounds]) -> None:
        self._sounds = sounds
        self._mixed = 0
        self._graph = Graph()
        self._inputs = [
            self._graph.add_abuffer(
                sample_rate=AUDIO_CLOCK, format="s16", layout="stereo", time_base=AUDIO_TIME_BASE
            )
            for _ in sounds
        ]
        mix = self._graph.add("amix", f"inputs={len(sounds)}:normalize=0")
        for index, source in enumerate(self._inputs):
            source.link_to(mix, 0, index)
        limit = self._graph.add("alimiter", "level=0:latency=1")
        shape = self._graph.add("aformat", "sample_fmts=s16:channel_layouts=stereo")
        self._graph.link_nodes(mix, limit, shape, self._graph.add("abuffersink")).configure()

    def mix(self, end: int) -> "av.AudioFrame | None":
        """All sounds up to a sample; None while the filters hold it."""
        count = end - self._mixed
        for source, sounds in zip(self._inputs, self._sounds, strict=True):
            frame = av.AudioFrame("s16", "stereo", count)
            frame.sample_rate, frame.time_base, frame.pts = (
                AUDIO_CLOCK,
                AUDIO_TIME_BASE,
                self._mixed,
            )
            memoryview(frame.planes[0])[: count * 4] = sounds.take(end)
            source.push(frame)
        self._mixed = end
        try:
            mixed = self._graph.pull()
        except av.BlockingIOError:
            return None
        assert isinstance(mixed, av.AudioFrame)
        return mixed


class _Grid:
    """The pictures of one scene."""

    def __init__(
        self, folder: Path, session: Session, scene: Scene, zero: float, size: tuple[int, int]
    ) -> None:
        self._tiles: list[tuple[Any, Pictures | None, av.VideoFrame]] = []
        self._graph = Graph() if scene.files else None
        self._black = black(size)
        if self._graph is None:
            return
        places: list[tuple[Any, int, int]] = []
        for (participant, place), cell in zip(
            scene.files.items(), cells(len(scene.files), size), strict=True
        ):
            file = session.files[place]
            track = next((track for track in file.tracks if track.kind == "video"), None)
            pictures = None
            picture = cell.width, cell.height
            if track is not None and isinstance(track.width, int) and isinstance(track.height, int):
                picture = fit((track.width, track.height), picture)
                pictures = Pictures(folder / file.file, file.offset - zero)
            places.append((self._add(pictures, black(picture), cell), cell.left, cell.top))
            name = session.participants[participant].name or file.peer[:8]
            shown = label(name, cell.width, cell.name_height)
            below = Cell(cell.left, cell.top + cell.height, cell.width, cell.name_height, 0)
            places.append((self._add(None, shown, below), below.left, below.top))
        layout = "|".join(f"{left}_{top}" for _, left, top in places)
        stack = self._graph.add("xstack", f"inputs={len(places)}:layout={layout}:fill=black")
        for index, (node, _, _) in enumerate(places):
            node.link_to(stack, 0, index)
        whole = self._graph.add("pad", f"{size[0]}:{size[1]}:0:0")
        self._graph.link_nodes(stack, whole, self._graph.add("buffersink")).configure()

    def _add(self, pictures: Pictures | None, first: av.VideoFrame, cell: Cell) -> Any:
        """What fills a cell: pictures, or always the same."""
        assert self._graph is not None
        source = self._graph.add_buffer(
            width=first.width,
            height=first.height,
            format=VideoFormat("yuv420p"),
            time_base=Fraction(1, FPS),
        )
        left, top = (cell.width - first.width) // 2 & ~1, (cell.height - first.height) // 2 & ~1
        pad = self._graph.add("pad", f"{cell.width}:{cell.height}:{left}:{top}")
        source.link_to(pad)
        self._tiles.append((source, pictures, first))
        return pad

    def frame(self, number: int) -> av.VideoFrame:
        for source, pictures, first in self._tiles:
            shown = pictures.at((number + 0.5) / FPS) if pictures is not None else None
            tile = first
            if shown is not None:
                tile = shown.reformat(first.width, first.height, "yuv420p")
            _stamp(tile, number)
            source.push(tile)
        if self._graph is None:
            _stamp(self._black, number)
            return self._black
        whole = self._graph.pull()
        assert isinstance(whole, av.VideoFrame)
        return whole

    def close(self) -> None:
        for _, pictures, _ in self._tiles:
            if pictures is not None:
                pictures.close()


def _stamp(frame: av.VideoFrame, number: int) -> None:
    frame.pts, frame.time_base = number, Fraction(1, FPS)


def black(size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame
