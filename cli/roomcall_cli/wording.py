"""Events in words, for people. Pure.

What others say of themselves (names, chat) never reaches a terminal as control characters.
"""

from rich.text import Text

from roomcall import events


def printable(text: str) -> str:
    """Without anything that moves a cursor, colours, or turns the direction of writing."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def who(name: str, id: str) -> str:
    """A member's name, or where it has none the beginning of its id."""
    return printable(name) or id[:8]


def line_of(event: events.Event) -> Text | None:
    """One line, or None for what a table shows better."""
    said = _say(event)
    if said is None:
        return None
    clock = event.time.astimezone().strftime("%H:%M:%S")
    return Text.assemble((clock, "dim"), "  ", *said)


_Part = str | tuple[str, str]


def _say(event: events.Event) -> list[_Part] | None:
    match event:
        case events.Joined(room=room, created=created):
            if room is None:
                return [("you are in", "bold")]
            how = "a new room" if created else _company(len(room.members) - 1)
            return [("you are in ", ""), (printable(room.name), "bold"), f": {how}"]
        case events.Queued(position=position):
            return [f"waiting for a place: number {position} in the queue"]
        case events.MemberJoined(peer=peer, name=name):
            return [_name(name, peer.id), " is here"]
        case events.MemberUpdated(peer=peer, name=name):
            said = {
                "records the room": event.recording,
                "sound muted": event.audio_muted,
                "picture hidden": event.video_muted,
            }
            words = [text for text, holds in said.items() if holds]
            colour = "red" if event.recording else ""
            return [
                _name(name, peer.id),
                (": " + (", ".join(words) or "neither muted nor recording"), colour),
            ]
        case events.PeerConnected(peer=peer, name=name, seconds=seconds):
            way = f" ({event.local} to {event.remote}, {event.protocol})"
            return [_name(name, peer.id), f" connected in {seconds * 1000:.0f} ms", (way, "dim")]
        case events.FirstFrame(peer=peer, name=name, kind="video"):
            size = f"{event.width}×{event.height}"
            return [_name(name, peer.id), f" first picture {size} after {event.seconds:.1f} s"]
        case events.FirstFrame(peer=peer, name=name):
            return [_name(name, peer.id), f" first sound after {event.seconds:.1f} s"]
        case events.PeerDisconnected(peer=peer, name=name):
            return [_name(name, peer.id), (" is out of reach", "yellow")]
        case events.PeerFailed(peer=peer, name=name, reason=reason):
            return [_name(name, peer.id), (f" not connected: {printable(reason)}", "red")]
        case events.PeerLeft(peer=peer, name=name, reason="left"):
            return [_name(name, peer.id), " left"]
        case events.PeerLeft(peer=peer, name=name, reason=reason):
            return [_name(name, peer.id), f" is gone: {printable(reason)}"]
        case events.ChatReceived(name=name, sender=sender, text=text):
            return [_name(name, sender), ": ", (printable(text), "")]
        case events.RecordingChanged(state="failed", file=file):
            return [(f"{printable(file)} is lost: {printable(event.message or '')}", "red")]
        case events.RecordingChanged(peer=peer, name=name, state=state, file=file) if peer:
            more = "" if event.seconds is None else f": {event.seconds:.1f} s"
            return [_name(name, peer.id), f" {state} in {printable(file)}{more}"]
        case events.Muted(kind=kind):
            what = "muted you" if kind == "all" else f"muted your {kind}"
            return [(f"the host has {what}", "yellow")]
        case events.RoomClosed():
            return ["the room was closed"]
        case events.SignalingLost():
            return [("the server is lost: trying again, media goes on", "yellow")]
        case events.SignalingRestored(resumed=resumed):
            return ["the server is back", "" if resumed else ": joined again"]
        case events.WarningIssued(message=message):
            return [(f"warning: {printable(message)}", "yellow")]
        case events.Left(reason=reason, seconds=seconds):
            return [f"you left after {seconds:.0f} s", ("" if reason == "left" else f" ({reason})")]
        case _:
            return None


def _name(name: str, id: str) -> tuple[str, str]:
    return who(name, id), "bold cyan"


def _company(others: int) -> str:
    return {0: "nobody else is here", 1: "one other is here"}.get(
        others, f"{others} others are here"
    )
