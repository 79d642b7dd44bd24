"""What is wrong with a Redis when a server cannot start with it. No text names the password."""

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from benchmarks.faults import certificate
from roomcall_server.store.base import StoreError
from roomcall_server.store.redis import link
from roomcall_server.store.redis.store import RedisStore
from tests.redis import RedisServer, free_port, running_redis
from tests.store.conftest import new_room
from tests.store.redis.conftest import Enter, making

SYSTEM = pytest.mark.system("redis-server")
SECRET = "geheim-4711"


async def refused(url: str) -> str:
    with pytest.raises(StoreError) as error:
        await RedisStore.open(url, 10)
    text = str(error.value)
    assert "\n" not in text and SECRET not in text
    return text


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("127.0.0.1:1/0", "127.0.0.1:1/0 cannot be used .* is a Redis running there"),
        ("127.0.0.1:99999", "host or port cannot be read"),
        ("127.0.0.1/zork", "database must be a number"),
        ("127.0.0.1/0?zork=1", "no option 'zork'"),
        ("127.0.0.1/0?db=x", "db"),
    ],
)
async def test_an_url_that_leads_nowhere(rest: str, says: str) -> None:
    assert re.search(says, await refused(f"redis://ann:{SECRET}@{rest}"))
    assert "%2F" in await refused(f"redis://ann:1/{SECRET}@{rest}")


async def http(reader: Any, writer: Any) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def silence(reader: Any, writer: Any) -> None:
    await reader.read()
    writer.close()


async def end(reader: Any, writer: Any) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("serve", "says"),
    [(http, "is no Redis"), (silence, "does not answer"), (end, "cannot be used")],
)
async def test_another_program(
    serve: Callable[..., Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if serve is silence:
        monkeypatch.setattr(link, "TIMEOUT", 0.3)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert says in await refused(f"redis://:{SECRET}@127.0.0.1:{port}/0")


@SYSTEM
async def test_passwords_users_and_prefixes(enter: Enter) -> None:
    user = f"ann on >{SECRET} ~ours:* +@all -@dangerous +info"
    with running_redis("--requirepass", SECRET, "--user", *user.split()) as redis:
        where = f"127.0.0.1:{redis.port}"
        for wrong in ("", ":wrong@", "ann:wrong@", "ben:wrong@"):
            assert "the user or the password" in await refused(f"redis://{wrong}{where}")
        text = await refused(f"redis://ann:{SECRET}@{where}")  # a prefix that is not its own
        assert "keys" in text
        assert "out of range" in await refused(f"redis://:{SECRET}@{where}/99")
        ann = await enter(f"redis://ann:{SECRET}@{where}/0?prefix=ours:")
        theirs = await enter(f"redis://:{SECRET}@{where}/0?prefix=theirs:")
        other = await enter(f"redis://:{SECRET}@{where}/2?prefix=ours:")
        for node in (ann, theirs, other):
            await node.store.commit(making(new_room("den")))
            await node.store.purge(new_room().created_at)
            assert await node.store.room_count() == 1
        for node in (ann, theirs, other):
            await node.store.close()


@SYSTEM
async def test_tls(enter: Enter, tmp_path: Path) -> None:
    file = str(certificate(tmp_path / "redis.pem"))
    port = str(free_port())
    options = ("--tls-port", port, "--tls-cert-file", file, "--tls-key-file", file)
    with running_redis(*options, "--tls-auth-clients", "no"):
        trusting = f"rediss://127.0.0.1:{port}?ssl_ca_certs={file}&ssl_check_hostname=no"
        node = await enter(trusting)
        await node.store.commit(making(new_room("den")))
        assert "certificate verify failed" in await refused(f"rediss://127.0.0.1:{port}")
        await node.store.close()


@SYSTEM
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--cluster-enabled", "yes", "--cluster-port", str(free_port())), "cluster"),
        (("--replicaof", "127.0.0.1", "1"), "read only replica"),
        (("--maxmemory", "1mb"), "maxmemory"),
    ],
)
async def test_a_redis_that_cannot_be_written(arguments: tuple[str, ...], says: str) -> None:
    with running_redis(*arguments) as redis:
        assert says in await refused(redis.url)


@SYSTEM
async def test_a_redis_that_is_full_for_a_while(
    enter: Enter, redis: RedisServer, quick: None
) -> None:
    """Nothing is written, and nobody is told; afterwards all is well."""
    node = await enter(redis.url)
    operator = Redis.from_url(redis.url)
    await operator.config_set("maxmemory", "1mb")
    await node.away()
    await operator.config_set("maxmemory", "0")
    await operator.aclose()
    await node.back()
    await node.store.commit(making(new_room("den")))
    assert node.lost == 0


async def test_who_has_no_redis_does_not_load_its_client() -> None:
    look = "import sys; sys.exit('redis' in sys.modules)"
    code = f"import sys; sys.path[:0] = {sys.path!r}; import roomcall_server; {look}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
