"""Those who guess in `benchmarks.hostile`: many clients of one process, each as fast as it can."""

import asyncio
import json
import sys

import aiohttp


async def guess(url: str, room: str, numbers: list[int]) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws") as socket:
        await socket.receive()
        for number in numbers:
            wanted = {"roomId": room, "password": f"guess {number}"}
            await socket.send_str(json.dumps({"type": "join-room", "payload": wanted}))
            answer = await socket.receive_json()
            assert answer["code"] == "wrong-password", answer


async def main(url: str, room: str, count: int, clients: int) -> None:
    shares = [list(range(client, count, clients)) for client in range(clients)]
    await asyncio.gather(*(guess(url, room, share) for share in shares))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
