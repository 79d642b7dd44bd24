"""Bots that come along."""

from .echo import Echo
from .recorder import Recorder

__all__ = ["Echo", "Recorder"]
