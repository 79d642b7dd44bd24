"""How members of a room hear of each other: a seam, and what is on the other side of it."""

from .base import MemberGone, MemberHere, Signal, Signaling

__all__ = ["MemberGone", "MemberHere", "Signal", "Signaling"]
