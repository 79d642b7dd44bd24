"""Where pictures and sounds come from: `open_sources` takes what a user said, and opens it."""

import os
from dataclasses import dataclass

from ...errors import SourceError
from ..clock import Clock, LoopClock
from ..source import Kind, Sources, VideoOptions
from .adapted import AdaptedAudio, AdaptedVideo, receiver
from .inputs import input_of
from .live import open_live
from .opening import Wanted, open_file
from .passing import Passing
from .testsrc import open_testsrc


async def open_sources(
    video: object = None,
    audio: object = None,
    options: VideoOptions = VideoOptions(),  # noqa: B008 - frozen
    *,
    passing: Passing = Passing(allowed=False),  # noqa: B008 - frozen
    loop: bool = True,
    clock: Clock | None = None,
) -> Sources:
    """Open what is to be sent.

    Args:
        video: a path, `testsrc`, `none`, or an object: one with `kind` and `async recv()`, such as
            aiortc's tracks, or an asynchronous iterator of `av.VideoFrame`. None is `none`.
        audio: the same for sound. None is what `video` has.
        options: what is asked of the picture.
        passing: which packets of files may go out as they are, neither decoded nor encoded.
        loop: whether files begin again at their end.
        clock: for tests; the event loop's otherwise.

    Raises:
        SourceError: something cannot be read, or is not supported.
    """
    opening = _Opening(options, passing, clock or LoopClock(), loop)
    video = "none" if video is None else _plain(video)
    if audio is None:
        # Its own sound comes along; a file may have sound alone.
        return await opening.open(video, "video", Wanted({"video", "audio"}, set()))
    audio = _plain(audio)
    if isinstance(video, str) and video == audio:
        return await opening.open(video, "video", Wanted({"video", "audio"}, {"video", "audio"}))
    picture = await opening.open(video, "video", Wanted({"video"}, {"video"}))
    try:
        sound = await opening.open(audio, "audio", Wanted({"audio"}, {"audio"}))
    except BaseException:
        await picture.close()
        raise
    return Sources(picture.video, sound.audio)


@dataclass(frozen=True, slots=True)
class _Opening:
    options: VideoOptions
    passing: Passing
    clock: Clock
    loop: bool

    async def open(self, source: object, place: Kind, wanted: Wanted) -> Sources:
        if not isinstance(source, str):
            return self._adapt(source, place)
        if source == "none":
            return Sources()
        if source == "testsrc":
            return open_testsrc(wanted.kinds, self.options, self.clock)
        try:
            given = input_of(source, self.options, os.environ)
        except ValueError as error:
            raise SourceError(source, str(error)) from None
        if given is not None:
            return await open_live(
                given,
                wanted.kinds & given.kinds or wanted.kinds,
                wanted.needed,
                self.options,
                self.clock,
                again=self.loop,
            )
        return await open_file(
            source, wanted, self.options, self.passing, self.clock, loop=self.loop
        )

    def _adapt(self, source: object, place: Kind) -> Sources:
        name = type(source).__name__
        receive = receiver(source)
        if receive is None:
            raise SourceError(
                name,
                f"{name} is no source — give a path, testsrc, an object with `kind` and "
                "`async recv()`, or an asynchronous iterator of frames",
            )
        kind = getattr(source, "kind", place)
        if kind != place:
            raise SourceError(
                name, f"{name} is a source of {kind}, not of {place} — pass it as {kind}="
            )
        if place == "video":
            return Sources(video=AdaptedVideo(receive, self.options, self.clock))
        return Sources(audio=AdaptedAudio(receive, self.clock))


def _plain(source: object) -> object:
    return os.fspath(source) if isinstance(source, os.PathLike) else source
