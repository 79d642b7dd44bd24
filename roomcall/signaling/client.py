"""A client id on a roomcall server, which outlives the connections that carry it."""

import asyncio
import itertools
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

import msgspec
import tenacity
from msgspec import UNSET

from ..errors import ProtocolError, Refused, RoomcallError, ServerUnreachable
from ..protocol import codec, replies, requests
from ..protocol.errors import ErrorCode
from ..protocol.outbox import Outbox
from .url import without_user
from .websocket import ServerSocket, SSLOption

logger = logging.getLogger(__name__)

REPLY_TIMEOUT = 10.0
QUIET_TIMEOUT = 20.0  # heard nothing for so long: ask whether the server is there
PONG_TIMEOUT = 3.0
RECONNECT_FOR = 30.0  # seconds for which a lost server is tried again
LONGEST_WAIT = 1.0  # seconds between two tries: a server that is back has everybody soon
MAX_PENDING_EVENTS = 1000  # then the socket is not read until they are taken
MAX_KEPT_FRAMES, MAX_KEPT_BYTES = 1024, 1 << 20  # not acknowledged; beyond it a break is the end
ACKNOWLEDGE_EVERY = 16  # frames

R = TypeVar("R", bound=replies.Reply)


@dataclass(frozen=True, slots=True)
class LineLost:
    """The connection is broken; it is being mended."""

    reason: str


@dataclass(frozen=True, slots=True)
class LineRestored:
    """Connected again: as the same client where `hello.resumed`, with nothing lost unless
    `hello.gap`; else as one that is in no room."""

    hello: replies.ClientId


ClientEvent = replies.Reply | LineLost | LineRestored


class ServerClient:
    """Asks, and iterates over what the server says unasked. Iteration ends after `close`; it raises
    `ServerUnreachable` or `Refused` where the server ended it for good.

    `patience` is for how many seconds a lost server is tried again; 0 is not at all.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | None = None,
        ssl: SSLOption = None,
        patience: float = RECONNECT_FOR,
    ) -> None:
        self.server = without_user(server)
        self._url = server
        self._token = token
        self._ssl = ssl
        self._patience = patience
        self._hello: replies.ClientId | None = None
        self._socket: ServerSocket | None = None  # None while the line is lost
        self._outbox = Outbox(MAX_KEPT_FRAMES, MAX_KEPT_BYTES)
        self._received = 0
        self._asked = 0  # up to which frame the server was asked to acknowledge
        self._at_break = 0  # how many frames had been sent when the line was lost
        self._unsure: list[int] = []  # requests that were asked before that
        self._events: asyncio.Queue[ClientEvent | None] = asyncio.Queue(MAX_PENDING_EVENTS)
        self._waiting: dict[int, asyncio.Future[replies.Reply]] = {}
        self._request_ids = itertools.count(1)
        self._quiet: asyncio.Timeout | None = None  # how long the server may say nothing yet
        self._task: asyncio.Task[None] | None = None
        self._cause: RoomcallError | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ClientEvent:
        event = await self._events.get()
        if event is not None:
            return event
        self._events.put_nowait(None)  # it stays at its end
        if self._cause is not None:
            raise self._cause
        raise StopAsyncIteration

    async def connect(self) -> replies.ClientId:
        """Returns the server's greeting. Raises `ServerUnreachable`, `Refused`, `ProtocolError`."""
        self._socket = await ServerSocket.open(self._url, token=self._token, ssl=self._ssl)
        self._hello = self._socket.hello
        self._task = asyncio.create_task(self._run(self._socket), name="roomcall-signaling")
        return self._hello

    async def close(self) -> None:
        """Say goodbye, where there is still somebody to hear it. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            self._end(None)
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    @property
    def connected(self) -> bool:
        return self._socket is not None

    @property
    def ended(self) -> bool:
        """Closed, or the server is lost for good."""
        return self._task is None or self._task.done()

    async def request(self, message: requests.Request, *expected: type[R]) -> R:
        """Send and await the reply to it, which is of a type `expected`.

        Past a break of the line it waits for the reply all the same. Raises `Refused` with the
        protocol's code, `ServerUnreachable` where no reply comes, `ProtocolError`.
        """
        request_id = next(self._request_ids)
        future = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send(codec.encode(msgspec.structs.replace(message, request_id=request_id)))
            answer = await self._answer(future)
        finally:
            del self._waiting[request_id]
        if isinstance(answer, replies.Error):
            raise Refused(answer.code, f"{self.server}: {answer.code}: {answer.message}")
        if not isinstance(answer, expected):
            raise ProtocolError(f"{self.server} answers with {type(answer).__name__}")
        return answer

    async def _answer(self, future: "asyncio.Future[replies.Reply]") -> replies.Reply:
        while True:
            socket = self._socket
            await asyncio.wait([future], timeout=REPLY_TIMEOUT)
            if future.done():
                return future.result()
            if socket is not None and socket is self._socket:
                raise ServerUnreachable(f"{self.server} does not answer — try again")

    async def send(self, frame: bytes) -> None:
        """A message, now or when the line is mended. Raises `Refused` where it is too big, and
        `ServerUnreachable` where the server is lost for good."""
        assert self._hello is not None, "connected before it sends"
        if self.ended:
            raise self._cause or ServerUnreachable(f"{self.server} was left")
        most = self._hello.limits.max_message_bytes
        if len(frame) > most:
            text = f"a message of {len(frame)} bytes — the server takes {most}"
            raise Refused(ErrorCode.PAYLOAD_TOO_LARGE, text)
        self._outbox.add(frame)
        if self._socket is None:
            return
        try:
            await self._socket.send(frame)
            if self._outbox.sent - self._asked >= ACKNOWLEDGE_EVERY:
                self._asked = self._outbox.sent
                await self._socket.ping(self._asked)
        except ServerUnreachable as error:
            logger.debug("sent again after the break: %s", error)

    def check(self) -> None:
        """Ask now whether the server is there: it may have fallen silent."""
        if self._quiet is not None and not self._quiet.expired():
            self._quiet.reschedule(asyncio.get_running_loop().time())

    async def _run(self, socket: ServerSocket) -> None:
        """Read until the line breaks, mend it, and read on."""
        try:
            while True:
                try:
                    await self._read(socket)
                except ServerUnreachable as error:
                    self._socket = None
                    self._at_break, self._unsure = self._outbox.sent, list(self._waiting)
                    await socket.abandon()
                    if not self._patience:
                        raise
                    self._tell(LineLost(str(error)))
                socket = await self._restore()
                self._tell(LineRestored(socket.hello))
        except RoomcallError as error:
            self._end(error)

    async def _read(self, socket: ServerSocket) -> None:
        """Messages to replies and events. Raises what ends it."""
        asked = False
        while True:
            try:
                async with asyncio.timeout(PONG_TIMEOUT if asked else QUIET_TIMEOUT) as quiet:
                    self._quiet = None if asked else quiet
                    frame = await socket.receive()
            except TimeoutError:
                if asked:
                    raise ServerUnreachable(f"{self.server} has fallen silent") from None
                asked = True
                await self.send(codec.encode(requests.Ping()))
                continue
            finally:
                self._quiet = None
            asked = False
            self._outbox.acknowledge(socket.acknowledged)
            if frame is None:
                continue
            self._received += 1
            try:
                reply = codec.decode_reply(frame)
            except msgspec.DecodeError as error:
                logger.warning("%s sent what is no message: %s", self.server, error)
                continue
            if reply is not None:
                await self._take(reply)

    async def _take(self, reply: replies.Reply) -> None:
        if isinstance(reply.request_id, int) and (f := self._waiting.get(reply.request_id)):
            if not f.done():
                f.set_result(reply)
            if not isinstance(reply, replies.ChatMessage):
                return  # one's own chat is an event as well
        if not isinstance(reply, replies.Pong):
            await self._events.put(reply)

    async def _restore(self) -> ServerSocket:
        """Raises what the last try has found, when patience is at its end."""
        tries = tenacity.AsyncRetrying(
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT),
            stop=tenacity.stop_after_delay(self._patience),
            # While a server starts, what stands before it may answer in its place.
            retry=tenacity.retry_if_exception_type((ServerUnreachable, ProtocolError)),
            reraise=True,
        )
        return await tries(self._reconnect)

    async def _reconnect(self) -> ServerSocket:
        assert self._hello is not None
        resume = self._hello.resume_token
        socket = await ServerSocket.open(
            self._url,
            token=self._token,
            ssl=self._ssl,
            resume=None if resume is UNSET else resume,
            received=self._received,
        )
        try:
            if socket.hello.resumed:
                received = socket.hello.received
                await self._send_again(socket, self._cross_gap() if received is UNSET else received)
            else:
                self._begin_anew()
        except BaseException:
            await socket.close()
            raise
        # With no step of the loop since the last frame was sent: what comes now finds the line.
        self._hello, self._socket = socket.hello, socket
        return socket

    async def _send_again(self, socket: ServerSocket, arrived: int) -> None:
        """What has not arrived, and what was said since."""
        while (missing := self._outbox.after(arrived)) is not None:
            if not missing:
                self._asked = arrived
                return
            for frame in missing:
                await socket.send(frame)
            arrived += len(missing)
        assert self._hello is not None
        self._hello = msgspec.structs.replace(self._hello, resume_token=UNSET)
        raise ServerUnreachable(f"{self.server} has missed more than was kept — join again")

    def _cross_gap(self) -> int:
        """The server has forgotten how much it has of us. What was sent before the break is not
        sent again: some of it may have arrived. Our count begins anew with what was said since."""
        since = self._outbox.after(self._at_break)
        if since is not None:
            self._outbox = Outbox(MAX_KEPT_FRAMES, MAX_KEPT_BYTES)
            self._at_break = self._asked = 0
            for frame in since:
                self._outbox.add(frame)
        self._fail_requests(self._unsure, self._unanswered())
        return 0

    def _begin_anew(self) -> None:
        self._outbox = Outbox(MAX_KEPT_FRAMES, MAX_KEPT_BYTES)
        self._received = self._asked = 0
        self._fail_requests(self._waiting, self._unanswered())

    def _unanswered(self) -> ServerUnreachable:
        return ServerUnreachable(f"{self.server} was lost before it answered")

    def _fail_requests(self, ids: Iterable[int], error: RoomcallError) -> None:
        for id in ids:
            future = self._waiting.get(id)
            if future is not None and not future.done():
                future.set_exception(error)

    def _end(self, error: RoomcallError | None) -> None:
        self._cause = error
        self._fail_requests(self._waiting, error or ServerUnreachable(f"{self.server} was left"))
        self._tell(None)

    def _tell(self, event: ClientEvent | None) -> None:
        """What cannot wait for a reader: where nobody takes events, the oldest goes."""
        while True:
            try:
                return self._events.put_nowait(event)
            except asyncio.QueueFull:
                self._events.get_nowait()
