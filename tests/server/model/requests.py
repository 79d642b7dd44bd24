"""The model: what each request changes, and who hears what of it, in which order."""

from datetime import timedelta

from tests.server.model.places import Places, Refusal
from tests.server.model.room import Message, Room


class Model(Places):
    def say(self, asker: str, request: Message, new_id: str = "") -> None:
        """A request takes effect. `new_id`: the room that it makes, if it makes one, is this."""
        payload = request.get("payload")
        about = {**request, **payload} if isinstance(payload, dict) else request
        try:
            match request["type"]:
                case "create-room":
                    self._create(asker, request, about, new_id)
                case "join-room":
                    self._join(asker, request, about, new_id)
                case "list-rooms":
                    self._list(asker, request)
                case type:
                    room = self.rooms.get(about["roomId"])
                    if room is None:
                        raise Refusal("room-not-found")
                    getattr(self, "_" + type.replace("-", "_"), self._signal)(
                        asker, request, about, room
                    )
        except Refusal as refusal:
            named = {"roomId": about["roomId"]} if "roomId" in about else {}
            code, type = refusal.args[0], request["type"]
            self._reply(asker, request, "error", code=code, request=type, **named)

    def _list(self, asker: str, request: Message) -> None:
        rows = [
            {"id": room.id, "participantCount": len(room.members), "state": room.state}
            for room in self.rooms.values()
            if not room.private
        ]
        self._reply(asker, request, "rooms-list", rooms=rows, next=None)

    def _get_room(self, asker: str, request: Message, about: Message, room: Room) -> None:
        seen = {**room.wire(), "queueLength": len(room.queue)}
        if asker not in room.members:
            seen |= {"host": None, "participants": [], "members": []}
        self._reply(asker, request, "room-info", room=seen)

    def _leave_room(self, asker: str, request: Message, about: Message, room: Room) -> None:
        if asker not in room.queue:
            _check(room, asker)
        self._reply(asker, request, "room-left", roomId=room.id)
        if asker in room.queue:
            self._leave_queue(room, asker)
        else:
            self._depart(room, asker, "left")

    def _update_room(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker, host=True)
        name, private = about.get("name", room.name), about.get("metadata", {}).get("private")
        private = room.private if private is None else private
        if not private and self._public(name) not in (None, room):
            raise Refusal("name-taken")
        room.name, room.private = name, private
        room.limit = about.get("maxParticipants", room.limit)
        room.locked = about.get("locked", room.locked)
        room.password = about.get("password", room.password)
        if "emptyTtlSeconds" in about:
            room.ttl = timedelta(seconds=about["emptyTtlSeconds"])
        self._tell_all(room, asker, request, "room-updated", room=room.wire())
        queue = list(room.queue)
        if about.get("password") is not None:
            self._tell(queue, "error", code="wrong-password", roomId=room.id)
            room.queue.clear()
        self._settle(room, queue)

    def _close_room(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker, host=True)
        self._reply(asker, request, "room-closed", roomId=room.id)
        self._close(room, asker)

    def _transfer_host(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker, host=True)
        if about["memberId"] == asker:
            raise Refusal("bad-request")
        _check_target(room, about["memberId"])
        room.host = about["memberId"]
        self._tell_all(room, asker, request, "host-changed", roomId=room.id, host=room.host)

    def _remove_member(self, asker: str, request: Message, about: Message, room: Room) -> None:
        target = about["memberId"]
        _check_host_for(room, asker, target)
        left = [id for id in room.members if id != target]
        fields = {"memberId": target, "participants": left, "reason": "removed"}
        self._reply(asker, request, "member-left", roomId=room.id, **fields)
        self._tell([target], "removed", roomId=room.id, reason="")
        if about.get("ban"):
            room.banned.add(target)
        self._depart(room, target, "removed", asker)

    def _unban_member(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker, host=True)
        if about["memberId"] not in room.banned:
            raise Refusal("peer-not-found")
        room.banned.remove(about["memberId"])
        fields = {"roomId": room.id, "memberId": about["memberId"]}
        self._reply(asker, request, "member-unbanned", **fields)

    def _mute_member(self, asker: str, request: Message, about: Message, room: Room) -> None:
        target, kind = about["memberId"], about["kind"]
        _check_host_for(room, asker, target)
        said = {f"{one}Muted": True for one in ("audio", "video") if kind in (one, "all")}
        if self._update_media(asker, request, room, target, said):
            self._tell([target], "muted", roomId=room.id, kind=kind, by=asker)

    def _set_media_state(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker)
        said = {name: about[name] for name in room.members[asker] if name in about}
        self._update_media(asker, request, room, asker, said)

    def _update_media(
        self, asker: str, request: Message, room: Room, target: str, said: dict[str, bool]
    ) -> bool:
        """Was it another before? Else only who asked hears of it."""
        before = dict(room.members[target])
        room.members[target] |= said
        fields = {"roomId": room.id, "member": room.wire_member(target)}
        if before == room.members[target]:
            self._reply(asker, request, "member-updated", **fields)
            return False
        self._tell_all(room, asker, request, "member-updated", **fields)
        return True

    def _signal(self, asker: str, request: Message, about: Message, room: Room) -> None:
        if request["to"] == asker:
            raise Refusal("bad-request")
        _check(room, asker)
        _check_target(room, request["to"])
        state = room.state
        room.signals.append((request["type"], asker, request["to"]))
        fields = {"roomId": room.id, "from": asker, "payload": request["payload"]}
        self._tell([request["to"]], request["type"], **fields)
        self._tell_state(room, state)

    def _chat(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker)
        to = request.get("to")
        chat = {"roomId": room.id, "from": asker, "payload": request["payload"], "to": to}
        if to is None:
            chat["id"] = len(room.chats) + 1
            room.chats.append(chat)
            return self._tell_all(room, asker, request, "chat", **chat)
        _check_target(room, to)
        self._reply(asker, request, "chat", id=None, **chat)
        self._tell({to} - {asker}, "chat", id=None, **chat)

    def _chat_history(self, asker: str, request: Message, about: Message, room: Room) -> None:
        _check(room, asker)
        fields = {"messages": list(room.chats), "hasMore": False}
        self._reply(asker, request, "chat-history", roomId=room.id, **fields)


def _check(room: Room, asker: str, *, host: bool = False) -> None:
    if asker not in room.members:
        raise Refusal("not-in-room")
    if host and asker != room.host:
        raise Refusal("forbidden")


def _check_target(room: Room, target: str) -> None:
    if target not in room.members:
        raise Refusal("peer-not-found")


def _check_host_for(room: Room, asker: str, target: str) -> None:
    """May it do this to that member?"""
    if asker == target:
        raise Refusal("bad-request")
    _check(room, asker, host=True)
    _check_target(room, target)
