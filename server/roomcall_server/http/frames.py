"""What a client sends on a WebSocket, from bytes to messages. Pure. See RFC 6455 section 5.

Rules of this file:
1. What is not as it must be is a violation by the head of its frame, before the rest has come.
   There are no extensions.
2. Of a message in several frames the whole counts. Control frames may stand between them.
3. A text is not looked into: whether it is UTF-8 shows where it is decoded.
"""

from collections.abc import Iterator

PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009  # close codes: section 7.4.1

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_KNOWN = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_WHOLE_TEXT = 0x80 | TEXT  # the first byte of most frames
_LONGEST_CONTROL = 125
_MOST_PARTS = 4096  # of a message; each costs more than its bytes


class Violation(Exception):
    """`code` is that of the close that answers it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Frames:
    """`most`: bytes in a message."""

    __slots__ = ("_most", "_opcode", "_parts", "_rest", "_size", "_wanted")

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest: bytes | bytearray = b""
        self._wanted = 0  # bytes in the rest before there is any sense in looking at it again
        self._opcode = CONTINUATION  # of the message whose parts are kept
        self._parts: list[bytes] | None = None
        self._size = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The messages that are complete with this, each with its opcode. To be taken to the end.
        Raises `Violation`."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
        at, end, wanted, from_bytes = 0, len(data), 2, int.from_bytes
        while end - at >= 2:
            first, second = data[at], data[at + 1]
            opcode, size = first & 0x0F, second & 0x7F
            body = at + 6
            if size >= 126:
                body += 2 if size == 126 else 8
                if end < body - 4:
                    wanted = body - 4 - at
                    break
                size = from_bytes(data[at + 2 : body - 4], "big")
            plain = first == _WHOLE_TEXT and second >= 0x80 and self._parts is None
            if not plain or size > self._most:
                self._check(first, second, opcode, size)
            if end < body + size:
                wanted = body + size - at
                break
            at = body + size
            # See section 5.3. Two long numbers are faster than many short ones.
            key = from_bytes((data[body - 4 : body] * (size // 4 + 1))[:size], "little")
            payload = (from_bytes(data[body:at], "little") ^ key).to_bytes(size, "little")
            if opcode >= CLOSE or first & 0x80 and opcode:
                yield opcode, payload
            elif (whole := self._add(opcode, payload, last=bool(first & 0x80))) is not None:
                yield self._opcode, whole
        self._rest = bytearray(data[at:]) if at < end else b""
        self._wanted = wanted

    def _check(self, first: int, second: int, opcode: int, size: int) -> None:
        if first & 0x70 or not second & 0x80 or opcode not in _KNOWN:
            raise Violation(PROTOCOL_ERROR)
        if opcode >= CLOSE:
            if size > _LONGEST_CONTROL or not first & 0x80 or (opcode == CLOSE and size == 1):
                raise Violation(PROTOCOL_ERROR)
        elif (opcode == CONTINUATION) != (self._parts is not None):
            raise Violation(PROTOCOL_ERROR)
        elif self._size + size > self._most:
            raise Violation(TOO_BIG)

    def _add(self, opcode: int, payload: bytes, *, last: bool) -> bytes | None:
        """A part of a message; the whole, where this is its last."""
        if self._parts is None:
            self._parts, self._opcode = [], opcode
        elif len(self._parts) >= _MOST_PARTS:
            self._parts = [b"".join(self._parts)]
        self._parts.append(payload)
        self._size += len(payload)
        if not last:
            return None
        whole, self._parts, self._size = b"".join(self._parts), None, 0
        return whole
