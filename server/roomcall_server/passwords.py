"""Passwords, kept only as a salted slow hash, and hashed away from the event loop."""

import asyncio
import base64
import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

_SALT = 16


class Passwords:
    """scrypt (RFC 7914) in one thread of its own: a second could take the loop's core.

    Each client has one message in work at a time, so that as many hashes wait as clients ask.
    """

    def __init__(self, cost: int) -> None:
        """`cost`: scrypt's N, a power of two; 2**14 takes 16 MiB and some 50 ms."""
        self._cost = cost
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="password")

    async def hash(self, password: str) -> str:
        salt = os.urandom(_SALT)
        digest = await self._run(password, salt, self._cost)
        return f"scrypt${self._cost}${_text(salt)}${_text(digest)}"

    async def verify(self, password: str, hashed: str) -> bool:
        _, cost, salt, digest = hashed.split("$")
        found = await self._run(password, base64.b64decode(salt), int(cost))
        return hmac.compare_digest(found, base64.b64decode(digest))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, password: str, salt: bytes, cost: int) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _scrypt, password, salt, cost)


def _scrypt(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=8, p=1, maxmem=256 * cost * 8, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
