"""A bot that greets whoever comes, and answers in the chat.

    roomcall run examples/greeter.py standup

Say "who" to it, or "in 5 tea": then it says "tea" after five seconds.
"""

import asyncio

import roomcall


class Greeter(roomcall.Bot):
    async def on_joined(self, event: roomcall.Joined) -> None:
        self.known = {peer.name for peer in self.call.peers.values()}

    async def on_member_joined(self, event: roomcall.MemberJoined) -> None:
        again = event.name in self.known
        self.known.add(event.name)
        await self.call.chat(f"Welcome back, {event.name}!" if again else f"Hello, {event.name}!")

    async def on_chat_received(self, event: roomcall.ChatReceived) -> None:
        if event.own or event.peer is None:
            return
        match event.text.split(maxsplit=2):
            case ["who"]:
                names = sorted(peer.name for peer in self.call.peers.values())
                await self.call.chat(f"Here are {', '.join(names)}.", to=event.peer)
            case ["in", seconds, what] if seconds.isdecimal():
                self.start(self.remind(min(int(seconds), 3600), what))

    async def remind(self, seconds: int, what: str) -> None:
        await asyncio.sleep(seconds)
        await self.call.chat(what)


if __name__ == "__main__":
    asyncio.run(Greeter().run("standup"))
