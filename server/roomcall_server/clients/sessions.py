"""The life of a client's id: from its first connection until it has left every room."""

from uuid import uuid4

from roomcall.protocol import VERSION
from roomcall.protocol.replies import ClientId, Limits

from ..config import Config
from ..ice import IceServers
from ..logs import get_logger
from ..rooms.manager import RoomManager
from ..rooms.rules import leaving
from ..store.base import Commit, SessionWrite, Store
from .client import Client
from .connection import Connection
from .outbox import Outbox
from .registry import Registry
from .session import Session

log = get_logger("sessions")


class Sessions:
    """Opens and ends them."""

    def __init__(
        self,
        config: Config,
        store: Store,
        rooms: RoomManager,
        registry: Registry,
        ice: IceServers,
    ) -> None:
        self._config = config
        self._store = store
        self._rooms = rooms
        self._registry = registry
        self._ice = ice

    async def open(self, connection: Connection) -> Client:
        """A new client. It has been told its id."""
        config = self._config
        session = Session(id=str(uuid4()), max_rooms=config.max_rooms_per_client)
        await self._store.commit(Commit(sessions=(SessionWrite(None, session),)))
        client = Client(session.id, Outbox(0, 0), connection)
        self._registry.add(client)
        client.greet(
            ClientId(
                id=client.id,
                protocol=VERSION,
                features=["rooms"],
                ice_servers=self._ice.for_client(client.id, self._rooms.now()),
                limits=Limits(
                    max_message_bytes=config.max_message_bytes,
                    max_rooms_per_client=config.max_rooms_per_client,
                ),
            )
        )
        log.info("client connected", client=client.id)
        return client

    async def end(self, client: Client) -> None:
        """It leaves every room, and its id is forgotten. No harm where that has been done."""
        async with client.turn:
            client.connection = None
            if self._registry.get(client.id) is not client:
                return
            self._registry.remove(client)
            while (session := await self._store.session(client.id)) is not None:
                await self._leave_all(session)
        log.info("client gone", client=client.id)

    async def _leave_all(self, session: Session) -> None:
        for room in session.rooms:
            await self._rooms.change(room, lambda room: leaving.disconnect(room, session.id))
        if not session.rooms:
            await self._store.commit(Commit(sessions=(SessionWrite(session, None),)))
