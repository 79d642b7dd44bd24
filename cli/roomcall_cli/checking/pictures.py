"""One picture of each stream, as a JPEG."""

import asyncio
import re
from contextlib import aclosing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from roomcall import RemoteTrack

AFTER = 2.0  # seconds: by then it has the quality that it will have


def path_of(folder: Path, peer: str) -> Path:
    """Where that of a peer is; its id comes from outside."""
    return folder / f"{re.sub(r'[^0-9A-Za-z-]', '_', peer)[:64]}.jpg"


async def keep_picture(track: "RemoteTrack", folder: Path) -> None:
    """The first that comes when it has run for a while; none where it ends before. Raises
    `OSError`."""
    begun = asyncio.get_running_loop().time()
    async with aclosing(track.frames()) as frames:
        async for frame in frames:
            if asyncio.get_running_loop().time() - begun >= AFTER:
                assert isinstance(frame, av.VideoFrame)
                path_of(folder, track.peer.id).write_bytes(jpeg(frame))
                return


def jpeg(frame: av.VideoFrame) -> bytes:
    """A picture as a file has it."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.framerate = Fraction(1)
    still = frame.reformat(format="yuvj420p")
    still.pts = None
    return b"".join(map(bytes, [*encoder.encode(still), *encoder.encode(None)]))
