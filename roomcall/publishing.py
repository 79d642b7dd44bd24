"""What a call sends: a publication a kind, whose source may change, stop, or be muted."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from .media.fanout import Publication
from .media.source import Kind, Sources
from .peer.peer import Peer

Kinds = Literal["audio", "video", "all"]
OpenSources = Callable[[Any, Any], Awaitable[Sources]]
SourcesFor = Callable[[Peer], Sources]


class Publishing:
    """`publications` has both kinds, from the beginning on: what is not sent has no source.

    `open_sources(video, audio)` opens what a user names. `on_end` is called when every source that
    there was has ended. `sources_for(peer)` gives what one peer alone is sent, in the place of all.
    """

    def __init__(
        self,
        sources: Sources,
        open_sources: OpenSources,
        *,
        bitrates: Mapping[Kind, int | None],
        on_end: Callable[[], None],
        sources_for: SourcesFor | None = None,
    ) -> None:
        self._open_sources = open_sources
        self._on_end = on_end
        self._sources_for = sources_for
        self._own: dict[Peer, dict[Kind, Publication]] = {}  # of peers that have their own
        given = {"video": sources.video, "audio": sources.audio}
        kinds: tuple[Kind, ...] = ("video", "audio")
        self.publications: dict[Kind, Publication] = {
            kind: Publication(kind, given[kind], bitrate=bitrates[kind], on_end=self._on_source_end)
            for kind in kinds
        }

    def of(self, peer: Peer) -> Mapping[Kind, Publication]:
        """What a peer is sent."""
        if self._sources_for is None:
            return self.publications
        if peer not in self._own:
            sources = self._sources_for(peer)
            own = self._own[peer] = {
                "video": Publication("video", sources.video),
                "audio": Publication("audio", sources.audio),
            }
            for kind, publication in own.items():
                publication.muted = self.is_muted(kind)
                publication.start()
        return self._own[peer]

    async def let_go(self, peer: Peer) -> None:
        """It is gone: what was for it alone ends."""
        for publication in self._own.pop(peer, {}).values():
            await publication.close()

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
        own = (publication for each in self._own.values() for publication in each.values())
        for publication in (*self.publications.values(), *own):
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
