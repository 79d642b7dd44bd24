"""What a server says of itself at `/metrics`, where it does."""

from collections.abc import Mapping

import aiohttp

from ..signaling.url import http_url
from ..signaling.websocket import SSLOption

_TIMEOUT = aiohttp.ClientTimeout(total=5)
_CPU = "process_cpu_seconds_total"
_STARTED = "process_start_time_seconds"
_SENT, _RECEIVED = "roomcall_messages_sent_total", "roomcall_messages_received_total"
_NOW = {
    "connections": "roomcall_connections",
    "rooms": "roomcall_rooms",
    "residentBytes": "process_resident_memory_bytes",
}


async def figures(server: str, ssl: SSLOption) -> dict[str, float]:
    """By name, those with labels added up; empty where it has no such page."""
    trusted = True if ssl is None else ssl
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session,
            session.get(http_url(server) + "/metrics", ssl=trusted) as response,
        ):
            return read(await response.text()) if response.status == 200 else {}
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return {}


def read(page: str) -> dict[str, float]:
    """Pure. Raises `ValueError` where it is no page of metrics."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def over_the_run(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Pure: what it used between two looks, and what it has at the second."""
    if before.get(_STARTED) != after.get(_STARTED) or _CPU not in after:
        return {}
    spent = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in after}
    found = {name: after[source] for name, source in _NOW.items() if source in after}
    found["cpuSeconds"] = round(spent[_CPU], 3)
    found["messagesReceived"] = spent.get(_RECEIVED, 0.0)
    found["messagesSent"] = spent.get(_SENT, 0.0)
    count = spent.get("roomcall_loop_lag_seconds_count", 0.0)
    if count:
        found["loopLag"] = round(spent["roomcall_loop_lag_seconds_sum"] / count, 6)
    return found
