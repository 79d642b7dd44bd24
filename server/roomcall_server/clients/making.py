"""What a session becomes in the process that has its connection."""

import asyncio

from roomcall.protocol.outbox import Outbox

from ..config import Config
from .client import Client
from .rate import Bucket, Pace
from .session import Session


class ClientMaker:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()

    def make(self, session: Session, *, restored: bool = False) -> Client:
        config = self._config
        kept = config.resume_frames if config.resume_grace else 0
        return Client(
            session.id,
            session.token_hash,
            Outbox(kept, config.resume_bytes),
            self._pace(),
            direct=session.direct and config.direct_mode,
            restored=restored,
        )

    def _pace(self) -> Pace:
        config, now = self._config, self._loop.time()
        messages = Bucket(config.rate_messages, now, config.rate_patience)
        if not config.rate_bytes:
            return Pace(messages, None)
        largest = config.max_message_bytes
        return Pace(messages, Bucket(config.rate_bytes, now, config.rate_patience, largest))
