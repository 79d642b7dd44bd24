"""What an operator can set, checked."""

from dataclasses import dataclass, field

from roomcall.protocol.errors import MAX_MESSAGE_BYTES, MAX_ROOMS_PER_CLIENT

from .clients.connection import QueueLimits


class ConfigError(ValueError):
    """A setting that cannot be: the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """0 is no limit, where nothing else is said. Times are in seconds."""

    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: str = field(default="", repr=False)
    turn_ttl: int = 3600
    allow_origins: tuple[str, ...] = ()  # beside the server's own; "*" is every one
    max_clients: int = 0
    max_rooms: int = 0
    max_rooms_per_client: int = MAX_ROOMS_PER_CLIENT
    max_message_bytes: int = MAX_MESSAGE_BYTES
    ping_interval: float = 15.0
    ping_timeout: float = 30.0
    queue: QueueLimits = QueueLimits()

    def __post_init__(self) -> None:
        for name in ("stun_urls", "turn_urls", "allow_origins"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ConfigError(f"{name}: a sequence of strings is needed, not one string")
            object.__setattr__(self, name, tuple(value))
        self._check_urls("stun_urls", ("stun:", "stuns:"))
        self._check_urls("turn_urls", ("turn:", "turns:"))
        if self.turn_urls and not self.turn_secret:
            raise ConfigError("turn_secret: needed with turn_urls, to make credentials from")
        for name in ("max_clients", "max_rooms"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}: must not be negative")
        for name in (
            "turn_ttl",
            "max_rooms_per_client",
            "max_message_bytes",
            "ping_interval",
            "ping_timeout",
        ):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}: must be above 0")

    def _check_urls(self, name: str, schemes: tuple[str, ...]) -> None:
        for url in getattr(self, name):
            if not url.startswith(schemes):
                raise ConfigError(f"{name}: {url!r} does not begin with {' or '.join(schemes)}")
