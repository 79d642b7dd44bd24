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
from .readahead import ReadAhead

logger = logging.getLogger(__name__)

_NAMES: dict[Kind, str] = {"video": "picture", "audio": "sound"}


class Wanted(NamedTuple):
    """What is to be sent of a file. What is needed has to be in it."""

    kinds: set[Kind]
    needed: set[Kind]


async def open_file(
    path: str, wanted: Wanted, options: VideoOptions, clock: Clock, *, loop: bool
) -> Sources:
    """Raises `SourceError`. The first picture and the first sound have been decoded then."""
    opening = ReadAhead(lambda: _open(path, wanted, loop), "roomcall-file-open")
    try:
        demuxer = await opening.peek()
    finally:
        await opening.close()
    timeline = Timeline(clock)
    sources = Sources(
        FileVideo(demuxer, timeline, options) if "video" in demuxer.kinds else None,
        FileAudio(demuxer, timeline) if "audio" in demuxer.kinds else None,
    )
    try:
        return await _prepare(path, sources, wanted)
    except BaseException:
        await sources.close()
        raise


async def _prepare(path: str, sources: Sources, wanted: Wanted) -> Sources:
    readable: dict[Kind, FileVideo | FileAudio] = {}
    for source in (sources.video, sources.audio):
        if not isinstance(source, FileVideo | FileAudio):
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
