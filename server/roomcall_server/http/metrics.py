"""`/metrics`: what the server counts of itself, for Prometheus.

All is read when it is asked for, from plain numbers: counting costs a message next to nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ..figures import Figures, Histogram, StoreCalls
from ..service import Service


def routes(service: Service) -> list[web.RouteDef]:
    registry = CollectorRegistry()
    ours = _Ours(service)
    registry.register(ours)
    ProcessCollector(registry=registry)

    async def metrics(request: web.Request) -> web.Response:
        rooms = await service.context.store.rooms()
        ours.rooms, ours.waiting = len(rooms), sum(len(room.queue) for room in rooms)
        return web.Response(
            body=generate_latest(registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST}
        )

    return [web.get("/metrics", metrics)]


class _Ours(Collector):
    def __init__(self, service: Service) -> None:
        self.rooms = self.waiting = 0
        self._service = service

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        service, figures = self._service, self._service.figures
        waiting = [connection.waiting for connection in service.connections]
        yield GaugeMetricFamily("roomcall_rooms", "Rooms that exist", self.rooms)
        yield GaugeMetricFamily(
            "roomcall_clients",
            "Client ids, also of those in their grace",
            len(service.context.clients),
        )
        yield GaugeMetricFamily("roomcall_connections", "Open WebSockets", len(waiting))
        yield GaugeMetricFamily(
            "roomcall_room_queue_clients",
            "Clients that wait for a place in a room",
            self.waiting,
        )
        yield GaugeMetricFamily(
            "roomcall_outbound_queue_bytes",
            "What clients have still to take, all together",
            sum(waiting),
        )
        yield GaugeMetricFamily(
            "roomcall_outbound_queue_max_bytes",
            "The most that one client has still to take",
            max(waiting, default=0),
        )
        yield from _counted(figures)
        yield _histogram("roomcall_message_seconds", "How long a message took", figures.handled)
        yield _histogram("roomcall_loop_lag_seconds", "How late the event loop was", figures.lag)
        calls = service.context.store.calls
        if calls is not None:
            yield from _called(calls)


def _counted(figures: Figures) -> Iterator[Metric]:
    yield CounterMetricFamily("roomcall_joins", "Clients that entered a room", figures.joins)
    yield _counter(
        "roomcall_messages_received",
        "Messages taken from clients",
        "type",
        {str(one.__struct_config__.tag): count for one, count in figures.received.items()},
    )
    yield _counter(
        "roomcall_messages_sent",
        "Messages to clients about rooms, each counted for each that it is for",
        "type",
        {str(one.__struct_config__.tag): count for one, count in figures.sent.items()},
    )
    yield _counter(
        "roomcall_resumes",
        "Clients that came back: to this server, from another one, or with a gap",
        "how",
        figures.resumes,
    )
    yield _counter("roomcall_errors", "Errors told to clients", "code", figures.errors)
    yield _counter(
        "roomcall_closes",
        "WebSockets that have ended; 1005: by the client",
        "code",
        {str(code): count for code, count in figures.closes.items()},
    )


def _counter(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family


def _called(calls: StoreCalls) -> Iterator[Metric]:
    """None of a store without a server of its own."""
    took = HistogramMetricFamily(
        "roomcall_store_call_seconds", "How long Redis took to answer", labels=("call",)
    )
    for name, histogram in sorted(calls.took.items()):
        took.add_metric((name,), _buckets(histogram), histogram.sum)
    yield took
    yield _counter(
        "roomcall_store_call_errors",
        "Calls that Redis has refused or not answered",
        "call",
        calls.errors,
    )


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, text, buckets=_buckets(histogram), sum_value=histogram.sum)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
