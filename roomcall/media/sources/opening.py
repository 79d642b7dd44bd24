"""Opens a file as picture and sound, or says in one line why it cannot be and what to do."""

import logging
import os
from pathlib import Path
from typing import NamedTuple

import av

from ...errors import SourceError
from ..clock import Clock, Timeline
from ..source import Kind, SourceEnded, Sources, VideoOptions
from .demuxer import Demuxer
from .file import FileAudio, FileVideo
from .passing import Passing, PassingSource, Track, look_at, why_not
from .readahead import ReadAhead

logger = logging.getLogger(__name__)

_NAMES: dict[Kind, str] = {"video": "picture", "audio": "sound"}


class Wanted(NamedTuple):
    """What is to be sent of a file. What is needed has to be in it."""

    kinds: set[Kind]
    needed: set[Kind]


async def open_file(
    path: str, wanted: Wanted, options: VideoOptions, passing: Passing, clock: Clock, *, loop: bool
) -> Sources:
    """Raises `SourceError`. The first picture and the first sound have been read then, and decoded
    where they cannot go out as they are."""

    def open_and_look() -> tuple[Demuxer, dict[Kind, Track]]:
        return _open(path, wanted, loop), look_at(path) if passing.allowed else {}

    opening = ReadAhead(open_and_look, "roomcall-file-open")
    try:
        demuxer, tracks = await opening.peek()
    finally:
        await opening.close()
    timeline = Timeline(clock)

    def passed(kind: Kind) -> PassingSource | None:
        track = tracks.get(kind)
        if track is None:
            return None
        reason = why_not(track, kind, options, passing)
        how = "goes out as it is" if reason is None else f"is encoded anew: {reason}"
        logger.info("the %s of %s (%s) %s", _NAMES[kind], path, track.codec, how)
        return PassingSource(demuxer, timeline, kind, track.codec) if reason is None else None

    sources = Sources(
        passed("video") or FileVideo(demuxer, timeline, options)
        if "video" in demuxer.kinds
        else None,
        passed("audio") or FileAudio(demuxer, timeline) if "audio" in demuxer.kinds else None,
    )
    try:
        return await _prepare(path, sources, wanted)
    except BaseException:
        await sources.close()
        raise


async def _prepare(path: str, sources: Sources, wanted: Wanted) -> Sources:
    readable: dict[Kind, FileVideo | FileAudio | PassingSource] = {}
    for source in (sources.video, sources.audio):
        if not isinstance(source, FileVideo | FileAudio | PassingSource):
            continue
        try:
            await source.prepare()
            readable[source.kind] = source
        except SourceEnded:
            # A picture that is there is meant to be seen; its sound may be missing.
            if source.kind == "video" or source.kind in wanted.needed or not readable:
                raise _unreadable(path, _NAMES[source.kind]) from None
            logger.warning("the sound of %s cannot be decoded and is not sent", path)
            await source.close()
    video, audio = readable.get("video"), readable.get("audio")
    assert not isinstance(video, FileAudio) and not isinstance(audio, FileVideo)
    return Sources(video, audio)


def _open(path: str, wanted: Wanted, loop: bool) -> Demuxer:
    _check(path)
    try:
        demuxer = Demuxer(path, wanted.kinds, loop=loop)
    except av.FFmpegError:
        raise SourceError(
            path, f"{path} is no media that can be read — give a video, sound or picture file"
        ) from None
    missing = wanted.needed - demuxer.kinds
    if demuxer.kinds and not missing:
        return demuxer
    for kind in demuxer.kinds:
        demuxer.close(kind)
    if missing:
        lacking = " and no ".join(_NAMES[kind] for kind in sorted(missing, reverse=True))
        raise SourceError(path, f"{path} has no {lacking} — give a file that has")
    raise SourceError(
        path, f"{path} has neither picture nor sound — give a video, sound or picture file"
    )


def _check(path: str) -> None:
    file = Path(path)
    if not path or not file.exists():
        raise SourceError(
            path, f"{path or 'a file without a name'} does not exist — check the path"
        )
    if file.is_dir():
        raise SourceError(path, f"{path} is a folder — name a file in it")
    if not file.is_file():
        raise SourceError(path, f"{path} is no regular file — copy it to one first")
    if not os.access(path, os.R_OK):
        raise SourceError(path, f"{path} may not be read — change its permissions")
    if file.stat().st_size == 0:
        raise SourceError(path, f"{path} is empty — check how it was made")


def _unreadable(path: str, what: str) -> SourceError:
    return SourceError(
        path, f"the {what} of {path} cannot be decoded — convert it first (ffmpeg -i FILE NEW.mp4)"
    )
