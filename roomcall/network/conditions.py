"""What a network does to packets, as people write it: `delay=80ms,loss=2%,cut=5s+10s`. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import RoomcallError

_UNITS = {
    "time": {"ms": 1e-3, "s": 1.0, "": 1.0},
    "share": {"%": 1e-2, "": 1.0},
    "rate": {"bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "": 1.0},
    "count": {"": 1.0},
}
_KINDS = {
    "delay": "time",
    "jitter": "time",
    "loss": "share",
    "burst": "count",
    "reorder": "share",
    "duplicate": "share",
    "rate": "rate",
}
_EXAMPLE = "such as delay=80ms,loss=2%,cut=5s+10s"


class NetworkError(RoomcallError, ValueError):
    """Conditions that cannot be: the text names what is wrong."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of one direction. Times are seconds, shares are of the packets, `rate` is bits a second.

    `burst` is the mean number of packets that are lost in a row; `rate` 0 is no limit.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    burst: float = 1.0
    reorder: float = 0.0
    duplicate: float = 0.0
    rate: float = 0.0
    cuts: tuple[tuple[float, float], ...] = ()  # from when, for how long

    def __post_init__(self) -> None:
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise NetworkError(f"{name}: {getattr(self, name):g} is no share from 0 to 1")
        for name in ("delay", "jitter", "rate"):
            if getattr(self, name) < 0:
                raise NetworkError(f"{name}: must not be negative")
        if self.burst < 1:
            raise NetworkError("burst: at least 1 packet is lost in a row")
        if any(start < 0 or length <= 0 for start, length in self.cuts):
            raise NetworkError("cut: from when, not negative, and for how long, above 0")


@dataclass(frozen=True, slots=True)
class Network:
    """Both directions of one peer. The same seed gives the nth packet the same fate."""

    send: Conditions = Conditions()
    recv: Conditions = Conditions()
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> "Network":
        """From `NAME=VALUE,…`; a name holds for both directions, or for one as `send.loss=2%`.

        Raises `NetworkError`.
        """
        directions = {"send": Conditions(), "recv": Conditions()}
        seed = 0
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = part.partition("=")
            direction, dot, name = name.rpartition(".")
            if not equals or not value:
                raise NetworkError(f"{part!r} is no NAME=VALUE — {_EXAMPLE}")
            if dot and direction not in directions:
                raise NetworkError(f"{direction}: is neither send nor recv — {_EXAMPLE}")
            if name == "seed" and not dot:
                seed = _seed(value)
                continue
            for each in [direction] if dot else list(directions):
                directions[each] = _with(directions[each], name, value)
        return cls(directions["send"], directions["recv"], seed)


def network(**settings: Any) -> Network:
    """`network(loss=0.05, delay=0.08, seed=7)`: for both directions, or `send={…}`, `recv={…}`.

    Times are seconds, shares from 0 to 1, `rate` bits a second, `cut` is (from when, for how long)
    or a list of such. Raises `NetworkError`.
    """
    seed = settings.pop("seed", 0)
    ways = {way: settings | settings.pop(way, {}) for way in ("send", "recv")}
    for way in ways.values():
        way.pop("recv", None)
    return Network(_made(ways["send"]), _made(ways["recv"]), seed)


def _made(settings: dict[str, Any]) -> Conditions:
    cut = settings.pop("cut", ())
    cuts = (cut,) if cut and not isinstance(cut[0], (tuple, list)) else tuple(map(tuple, cut))
    try:
        return Conditions(**settings, cuts=cuts)
    except TypeError as error:
        raise NetworkError(f"{error} — {_EXAMPLE}") from None


def _with(conditions: Conditions, name: str, value: str) -> Conditions:
    if name == "cut":
        start, plus, length = value.partition("+")
        if not plus:
            raise NetworkError(f"cut={value}: when and for how long, such as cut=5s+10s")
        cut = (_number(name, "time", start), _number(name, "time", length))
        return replace(conditions, cuts=(*conditions.cuts, cut))
    if name not in _KINDS:
        known = ", ".join([*_KINDS, "cut", "seed"])
        raise NetworkError(f"{name}: unknown — there are {known}")
    change: dict[str, Any] = {name: _number(name, _KINDS[name], value)}
    return replace(conditions, **change)


def _number(name: str, kind: str, text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)([a-z%]*)", text.strip().lower())
    unit = _UNITS[kind].get(match[2]) if match else None
    if match is None or unit is None:
        units = ", ".join(filter(None, _UNITS[kind])) or "none"
        raise NetworkError(f"{name}={text}: no number with a unit of {units} — {_EXAMPLE}")
    return float(match[1]) * unit


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NetworkError(f"seed={text}: a whole number is needed") from None
