"""A client beside the model: what it has been told, and what it must believe by then."""

import json
from typing import Any

from tests.server.model.room import Message
from tests.server.raw import frames


class Line:
    """In the place of a `Connection`. What is sent on a `dead` one is lost, unnoticed."""

    def __init__(self) -> None:
        self.dead = False
        self.sent: list[Message] = []
        self.close_code: int | None = None
        self.on_close: Any = None

    @property
    def closing(self) -> bool:
        return self.close_code is not None

    def send(self, frame: bytes) -> None:
        assert not self.closing
        ((_, message),) = frames(frame)
        self.sent.append(json.loads(message))

    def close(self, code: int) -> None:
        self.close_code = code
        self.on_close(code)


class Caller:
    """A client's side. `due`: what it is still to hear; `noticed`: how much of that when the
    server saw that its line was lost. `view`: the rooms as it must believe them to be; for one
    that it waits for, its position. `near`: the rooms of which it may hear now. `blind`: it came
    back without a count, and has missed something.
    """

    def __init__(self, client: Any, line: Line) -> None:
        self.client = client
        self.id: str = client.id
        self.line: Line | None = line
        self.token: str = line.sent.pop(0)["resumeToken"]
        self.said = 0
        self.heard = 0
        self.due: list[Message] = []
        self.noticed = 0
        self.blind = False
        self.view: dict[str, Any] = {}
        self.chats: dict[str, int] = {}
        self.near: set[str] = set()

    @property
    def live(self) -> bool:
        return self.line is not None and not self.line.dead

    def learn(self, message: Message) -> None:
        """Every message must be news, and about what this client is concerned with."""
        asked = message.get("requestId") is not None
        room = message["room"] if "room" in message else {"id": message.get("roomId")}
        assert asked or room["id"] in self.near, message
        seen = self.view.get(room["id"])
        match message["type"]:
            case "room-created" if not room["participants"]:
                assert room["state"] == "SCHEDULED"  # its maker has not joined
            case "room-created" | "room-joined" | "room-updated":
                self.view[room["id"]] = {
                    key: room[key] for key in ("participants", "host", "state")
                }
            case "queued":
                assert asked or seen != message["position"]
                self.view[room["id"]] = message["position"]
            case "member-joined":
                seen["participants"] = [*seen["participants"], message["memberId"]]
                assert message["participants"] == seen["participants"]
            case "member-left":
                seen["participants"].remove(message["memberId"])
                assert message["participants"] == seen["participants"]
            case "host-changed":
                assert message["host"] != seen["host"]
                seen["host"] = message["host"]
            case "room-state":
                assert message["state"] != seen["state"]
                seen["state"] = message["state"]
            case "offer" | "answer" | "hangup" | "ice-candidate" | "renegotiate":
                assert message["from"] in seen["participants"]  # whom it knows by now
            case "chat" if message["id"] is not None:
                assert message["id"] == self.chats.get(room["id"], message["id"] - 1) + 1
                self.chats[room["id"]] = message["id"]
            case "room-left" | "room-closed" | "removed":
                self._forget(room["id"])
            case "error" if not asked:
                self._forget(room["id"])

    def _forget(self, room: str) -> None:
        del self.view[room]
        self.chats.pop(room, None)
