"""With anyio, whose plugin comes with it."""

import pytest

from attendance import attendance


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_who_shows_a_picture_is_there(room_server, peer):
    await peer("standup", name="ann", video="testsrc", video_size=(320, 240))
    assert await attendance(room_server.url, "standup", count=1) == {"ann": True}
