"""Where log messages go: stderr, in one line each."""

import logging
import sys

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG}


class _Stderr(logging.Handler):
    """Asks for stderr each time: a live table puts another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def configure(verbosity: int) -> None:
    """-1 is quiet, 0 the default, 1 is -v and 2 -vv."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    # Below -vv the libraries that we stand on keep to themselves.
    root = logging.DEBUG if verbosity > 1 else logging.ERROR
    logging.basicConfig(handlers=[handler], level=root, force=True)
    for name in ("roomcall", "roomcall_server", "roomcall_cli"):
        logging.getLogger(name).setLevel(_LEVELS[min(verbosity, 2)])


def log_as_json() -> None:
    """An object a line, with the fields of what the server says."""
    from roomcall_server.logs import JsonLines

    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
