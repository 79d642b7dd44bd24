"""All checks, in phases that do not disturb each other: what is here, servers, codecs.

Those of one phase run at once, except codecs, which want the machine for themselves.
"""

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

from . import devices, machine, network, signaling
from .blocking import in_thread
from .findings import Finding, Status, failed, skipped

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds for each check

IceServers = Sequence[Mapping[str, Any]]
Check = Coroutine[Any, Any, list[Finding]]
Started = asyncio.Task[list[Finding]]


class Report(Protocol):
    def begin(self, title: str) -> None:
        """The findings of a group follow."""

    def add(self, finding: Finding) -> None: ...


async def examine(server: signaling.Server, ice_servers: IceServers, report: Report) -> None:
    """`ice_servers` is W3C `RTCIceServer[]`, asked beside those that the server offers."""
    report.begin("This machine")
    versions = machine.find_versions()  # first, as what it loads would disturb the timings
    usable = all(finding.status is not Status.FAILED for finding in versions)
    for finding in versions:
        report.add(finding)
    await _look_around(report)
    await _ask_servers(server, ice_servers if usable else None, report)
    if usable:
        await _measure_codecs(report)


async def _look_around(report: Report) -> None:
    async with asyncio.TaskGroup() as tasks:
        here = _start(tasks, "machine", in_thread(machine.find_resources))
        net = [
            _start(tasks, "addresses", in_thread(network.find_addresses)),
            _start(tasks, "UDP, IPv4", network.find_udp(4)),
            _start(tasks, "UDP, IPv6", network.find_udp(6)),
        ]
        attached = [
            _start(tasks, "camera", in_thread(devices.find_cameras)),
            _start(tasks, "microphone", in_thread(devices.find_microphones)),
            _start(tasks, "screen", devices.find_screen(os.environ)),
        ]
        await _add(report, [here])
        report.begin("Network")
        await _add(report, net)
        report.begin("Devices")
        await _add(report, attached)


async def _ask_servers(
    server: signaling.Server, ice_servers: IceServers | None, report: Report
) -> None:
    """`ice_servers` is None where there is nothing to ask them with."""
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(signaling.ask_server(server))
        ice = [] if ice_servers is None else _start_ice(tasks, ice_servers, offered=False)
        report.begin("Signaling")
        answer = await asked
        for finding in answer.findings:
            report.add(finding)
        if ice_servers is None:
            return
        report.begin("STUN and TURN")
        ice += _start_ice(tasks, answer.ice_servers, offered=True)
        await _add(report, ice)
        if not ice:
            report.add(skipped("servers", "none given, none offered", "name one: --ice-server"))


def _start_ice(tasks: asyncio.TaskGroup, servers: IceServers, *, offered: bool) -> list[Started]:
    from . import ice

    questions, unusable = ice.questions(servers, offered=offered)
    started = [_start(tasks, question.name, ice.ask(question)) for question in questions]
    return [*(_start(tasks, "", _known(finding)) for finding in unusable), *started]


async def _known(finding: Finding) -> list[Finding]:
    return [finding]


async def _measure_codecs(report: Report) -> None:
    from . import codecs

    report.begin("Codecs")
    for codec in codecs.CODECS:
        for finding in await _guarded(codec, codecs.find_codec(codec)):
            report.add(finding)


def _start(tasks: asyncio.TaskGroup, name: str, check: Check) -> Started:
    return tasks.create_task(_guarded(name, check))


async def _add(report: Report, started: Iterable[Started]) -> None:
    for task in started:
        for finding in await task:
            report.add(finding)


async def _guarded(name: str, check: Check) -> list[Finding]:
    """In time, and a finding whatever happens."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await check
    except TimeoutError:
        text = f"no result within {TIMEOUT:g} s"
        return [failed(name, text, "see with -vv what it waits for")]
    except Exception as error:
        logger.debug("the check of %s fails", name, exc_info=True)
        text = f"{type(error).__name__}: {error}"
        return [failed(name, text, "a fault of roomcall: please report what -vv says")]
