"""Python's collector of cycles, for processes that hold thousands of connections."""

import gc


def keep_quiet() -> None:
    """Leave alone what was loaded, and look through all objects hardly ever: with 10,000 clients
    that stops everything for a third of a second. Young objects are looked at in small portions."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 1_000)
