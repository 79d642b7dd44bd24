"""The server's logs: structured, through the standard library, so that whoever embeds the server
decides where they go. `JsonLines` gives them, and those of everybody else, as JSON."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import structlog

ROOT = "roomcall_server"
_FIELDS = "roomcall_fields"  # of a record: what it says, in parts

_text = structlog.dev.ConsoleRenderer(
    colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """What is bound to the context (the `request`) stands in each line."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(f"{ROOT}.{name}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _render,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, `event`, and what else is said."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, _FIELDS, None)
        line |= {"event": record.getMessage()} if fields is None else fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _render(logger: Any, method: str, event: Any) -> tuple[tuple[str], dict[str, Any]]:
    """As text for whoever formats the record, with the fields beside it."""
    exc_info = event.pop("exc_info", None)
    text = str(_text(logger, method, dict(event)))
    return (text,), {"extra": {_FIELDS: event}, "exc_info": exc_info}
