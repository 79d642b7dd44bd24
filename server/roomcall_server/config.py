"""What an operator can set, checked."""

from dataclasses import dataclass, field
from ipaddress import ip_network

from roomcall.protocol.errors import MAX_MESSAGE_BYTES, MAX_ROOMS_PER_CLIENT

from .clients.connection import QueueLimits
from .http.forwarded import Network

_NOT_NEGATIVE = (
    "max_clients",
    "max_rooms",
    "max_per_address",
    "rate_messages",
    "rate_bytes",
    "rate_joins",
    "empty_ttl",
    "max_empty_ttl",
    "chat_history",
    "history_days",
    "resume_grace",
    "drain_seconds",
)
_POSITIVE = (
    "turn_ttl",
    "max_rooms_per_client",
    "max_message_bytes",
    "ping_interval",
    "ping_timeout",
    "rate_patience",
    "resume_frames",
    "resume_bytes",
)


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
    trust_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For counts
    tls_cert: str = ""  # files in PEM; the certificate with those between it and its authority
    tls_key: str = ""
    admin_token: str = field(default="", repr=False)  # without one nobody is the admin
    max_clients: int = 0
    max_rooms: int = 0
    max_rooms_per_client: int = MAX_ROOMS_PER_CLIENT
    max_message_bytes: int = MAX_MESSAGE_BYTES
    empty_ttl: int = 0  # what an empty room lives on for, where its maker does not say
    max_empty_ttl: int = 86_400
    chat_history: int = 1000  # messages that a room keeps; 0 switches the history off
    history_days: float = 30  # for which the events of rooms are kept; 0 keeps none
    password_cost: int = 2**14  # scrypt's N
    max_per_address: int = 0
    rate_messages: float = 200.0  # a client, a second
    rate_bytes: float = 0.0  # a client, a second
    rate_joins: float = 0.0  # an address, a second
    rate_patience: float = 10.0  # who is over a rate for so long is closed
    jwt_secret: str = field(default="", repr=False)  # with one, every client needs a token
    direct_mode: bool = False
    resume_grace: float = 10.0  # 0 is no resume
    resume_frames: int = 256
    resume_bytes: int = 256 * 1024
    drain_seconds: float = 5.0  # in which all are told that the server goes; 0: at once
    ping_interval: float = 15.0
    ping_timeout: float = 30.0
    queue: QueueLimits = QueueLimits()

    def __post_init__(self) -> None:
        for name in ("stun_urls", "turn_urls", "allow_origins", "trust_proxies"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ConfigError(f"{name}: a sequence of strings is needed, not one string")
            object.__setattr__(self, name, tuple(value))
        self._check_urls("stun_urls", ("stun:", "stuns:"))
        self._check_urls("turn_urls", ("turn:", "turns:"))
        if self.turn_urls and not self.turn_secret:
            raise ConfigError("turn_secret: needed with turn_urls, to make credentials from")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ConfigError("tls_cert, tls_key: one is of no use without the other")
        self.proxies()
        if self.empty_ttl > self.max_empty_ttl:
            raise ConfigError("empty_ttl: above max_empty_ttl")
        if self.password_cost < 2 or self.password_cost & (self.password_cost - 1):
            raise ConfigError("password_cost: must be a power of two above 1")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}: must not be negative")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}: must be above 0")

    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies that are trusted."""
        try:
            return tuple(ip_network(network, strict=False) for network in self.trust_proxies)
        except ValueError as error:
            raise ConfigError(f"trust_proxies: {error}") from None

    def features(self) -> list[str]:
        """What a client is told that this server has switched on."""
        switched = {
            "rooms": True,
            "direct": self.direct_mode,
            "history": self.chat_history > 0,
            "passwords": True,
            "permissions": True,
            "queue": True,
            "schedule": True,
            "resume": self.resume_grace > 0,
        }
        return [name for name, on in switched.items() if on]

    def _check_urls(self, name: str, schemes: tuple[str, ...]) -> None:
        for url in getattr(self, name):
            if not url.startswith(schemes):
                raise ConfigError(f"{name}: {url!r} does not begin with {' or '.join(schemes)}")
