"""What a call sends: a publication a kind, whose source may change, stop, or be muted."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from .media.fanout import Publication
from .media.source import Kind, Sources

Kinds = Literal["audio", "video", "all"]
OpenSources = Callable[[Any, Any], Awaitable[Sources]]


class Publishing:
    """`publications` has both kinds, from the beginning on: what is not sent has no source.

    `open_sources(video, audio)` opens what a user names. `on_end` is called when every source that
    there was has ended.
    """

    def __init__(
        self,
        sources: Sources,
        open_sources: OpenSources,
        *,
        bitrates: Mapping[Kind, int | None],
        on_end: Callable[[], None],
    ) -> None:
        self._open_sources = open_sources
        self._on_end = on_end
        given = {"video": sources.video, "audio": sources.audio}
        kinds: tuple[Kind, ...] = ("video", "audio")
        self.publications: dict[Kind, Publication] = {
            kind: Publication(kind, given[kind], bitrate=bitrates[kind], on_end=self._on_source_end)
            for kind in kinds
        }

    def start(self) -> None:
        for publication in self.publications.values():
            publication.start()

    async def change(self, wanted: Mapping[Kind, Any]) -> None:
        """Another source for each kind in `wanted`; None stops it. Raises `SourceError`, and then
        nothing has changed."""
        opened = await self._open_sources(
            wanted.get("video") or "none", wanted.get("audio") or "none"
        )
        given = {"video": opened.video, "audio": opened.audio}
        for kind in wanted:
            await self.publications[kind].change(given[kind])

    def silence(self, kinds: Kinds, muted: bool) -> None:
        """The sources go on, and nothing of them is sent."""
        for publication in self.publications.values():
            if kinds in (publication.kind, "all"):
                publication.muted = muted

    def is_muted(self, kind: Kind) -> bool:
        return self.publications[kind].muted

    async def close(self) -> None:
        for publication in self.publications.values():
            await publication.close()

    def _on_source_end(self) -> None:
        if not any(p.sends and not p.ended for p in self.publications.values()):
            self._on_end()
