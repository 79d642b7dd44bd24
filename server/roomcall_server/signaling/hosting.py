"""What the host asks for: settings, closing, handing over, removing, banning, muting."""

from msgspec import UnsetType

from roomcall.protocol import requests

from ..rooms.permissions import Action, check
from ..rooms.rules import closing, moderating, settings
from .context import Asker, Context


async def update_room(context: Context, client: Asker, request: requests.UpdateRoom) -> None:
    wanted = request.payload
    settings.check_empty_ttl(wanted.empty_ttl_seconds, context.config.max_empty_ttl)
    password: str | None | UnsetType = wanted.password
    if isinstance(password, str):
        # Who may not set it does not get the slow work either.
        check(await context.rooms.get(wanted.room_id), client.id, Action.UPDATE)
        password = await context.passwords.hash(password) if password else None
    await context.rooms.change(
        wanted.room_id,
        lambda room: settings.update(room, client.id, request, password, context.rooms.now()),
    )


async def close_room(context: Context, client: Asker, request: requests.CloseRoom) -> None:
    await context.rooms.change(
        request.payload.room_id,
        lambda room: closing.close(room, client.id, request, context.rooms.now()),
    )


async def transfer_host(context: Context, client: Asker, request: requests.TransferHost) -> None:
    await context.rooms.change(
        request.payload.room_id, lambda room: moderating.transfer_host(room, client.id, request)
    )


async def remove_member(context: Context, client: Asker, request: requests.RemoveMember) -> None:
    await context.rooms.change(
        request.payload.room_id,
        lambda room: moderating.remove_member(room, client.id, request, context.rooms.now()),
    )


async def unban_member(context: Context, client: Asker, request: requests.UnbanMember) -> None:
    await context.rooms.change(
        request.payload.room_id, lambda room: moderating.unban_member(room, client.id, request)
    )


async def mute_member(context: Context, client: Asker, request: requests.MuteMember) -> None:
    await context.rooms.change(
        request.payload.room_id, lambda room: moderating.mute_member(room, client.id, request)
    )


async def set_media_state(context: Context, client: Asker, request: requests.SetMediaState) -> None:
    await context.rooms.change(
        request.payload.room_id,
        lambda room: moderating.set_media_state(room, client.id, request),
    )
