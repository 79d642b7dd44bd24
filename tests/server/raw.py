"""A client's end of a WebSocket byte by byte, for what no library would send."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

TEXT = 0x81
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@asynccontextmanager
async def connection(
    server: Any,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To the server; it ends without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def masked(opcode: int, payload: bytes, *, length: int | None = None) -> bytes:
    """A client's frame, which may lie about its `length`. See RFC 6455 section 5.2."""
    size = len(payload) if length is None else length
    if size < 126:
        head = bytes((opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((opcode, 0x80 | 126)) + struct.pack(">H", size)
    else:
        head = bytes((opcode, 0x80 | 127)) + struct.pack(">Q", size)
    return head + bytes(4) + payload


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """What a server has sent: opcode and payload of each frame."""
    while data:
        opcode, size, head = data[0] & 0x0F, data[1], 2
        if size == 126:
            size, head = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10], "big"), 10
        yield opcode, data[head : head + size]
        data = data[head + size :]
