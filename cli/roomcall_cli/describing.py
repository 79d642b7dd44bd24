"""What the server tells its admin, in words. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .wording import printable, who


def room_lines(room: dict[str, Any]) -> Iterator[str]:
    """A room, and a line for each member."""
    limit = f" of {room['maxParticipants']}" if room["maxParticipants"] else ""
    marks = {
        "private": room["metadata"]["private"],
        "password": room["hasPassword"],
        "locked": room["locked"],
    }
    state = [room["state"].lower().replace("_", " "), *(name for name, on in marks.items() if on)]
    yield f"{printable(room['name'])}  {room['id']}"
    count = f"{len(room['participants'])}{limit} in it, {room['queueLength']} waiting"
    yield f"{', '.join(state)}; {count}"
    if room["metadata"]["description"]:
        yield printable(room["metadata"]["description"])
    for name in ("opensAt", "closesAt"):
        if room[name]:
            yield f"{name[:-2]} at {_time(room[name])}"
    for member in room["members"]:
        yield "  " + member_line(member)


def member_line(member: dict[str, Any]) -> str:
    marks = [
        *(["host"] if member["role"] == "host" else []),
        *(["audio muted"] if member["audioMuted"] else []),
        *(["video muted"] if member["videoMuted"] else []),
        *(["recording"] if member["recording"] else []),
    ]
    more = f" ({', '.join(marks)})" if marks else ""
    return f"{who(member['displayName'], member['id'])}  {member['id']}{more}"


def history_lines(history: dict[str, Any]) -> Iterator[str]:
    for event in history["events"]:
        rest = {name: value for name, value in event.items() if name not in ("event", "at")}
        told = "  ".join(f"{name}={printable(str(value))}" for name, value in rest.items())
        yield f"{_time(event['at'])}  {event['event']}  {told}".rstrip()


def analytics_lines(analytics: dict[str, Any]) -> Iterator[str]:
    for name, value in analytics.items():
        yield f"{name:20}{'-' if value is None else value}"


def _time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().isoformat(" ", "seconds")
