"""What the HTTP server below us logs: our mistakes, and nothing of what clients send."""

import logging

from aiohttp.http import HttpProcessingError

from ..logs import ROOT

logger = logging.getLogger(f"{ROOT}.http")


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP is answered with 400. A traceback for each would fill the log, with pieces
    of what was sent, and that may be a token."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


logger.addFilter(_is_ours)
