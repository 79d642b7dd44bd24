"""What findings come to, and how they are told."""

import io

import pytest
from rich.console import Console

from roomcall.doctor.codecs import Speed, judge_speed
from roomcall.doctor.findings import Finding, Status, failed, judge, ok, skipped
from roomcall.doctor.machine import parse_meminfo
from roomcall.doctor.network import Address, judge_addresses
from roomcall.doctor.signaling import judge_clock
from roomcall_cli.diagnosis import last_line, table_of

GOOD, BAD, AWAY = ok("a", "1"), failed("b", "2", "mend it"), skipped("c", "3")
BUSY = Finding("d", Status.SATURATED, "4", "", {})


@pytest.mark.parametrize(
    ("findings", "complete", "verdict", "saturated"),
    [
        ([GOOD, AWAY], True, True, False),
        ([GOOD, AWAY], False, None, False),
        ([GOOD, BUSY], True, None, True),
        ([GOOD, BAD], False, False, False),
        ([BAD, BUSY], True, False, True),
    ],
)
def test_a_failure_counts_most_then_saturation(
    findings: list[Finding], complete: bool, verdict: bool | None, saturated: bool
) -> None:
    found = judge(findings, complete=complete)
    assert (found.ok, found.saturated) == (verdict, saturated)
    assert found.failures == (["b: 2"] if BAD in findings else [])


def test_lines_show_mark_name_figure_and_advice_and_no_control_characters() -> None:
    assert [line.split() for line in shown(BAD)] == [["✗", "b", "2"], ["→", "mend", "it"]]
    (line,) = shown(ok("camera", "\x1b[2Jcam"))
    assert "✓ camera" in line and "\x1b" not in line


def shown(finding: Finding) -> list[str]:
    console = Console(width=80, file=io.StringIO())
    with console.capture() as capture:
        console.print(table_of(finding))
    return capture.get().splitlines()


def test_the_last_line_is_the_verdict() -> None:
    assert str(last_line([GOOD, BAD], judge([GOOD, BAD]))).endswith("(1 ✓, 1 ✗, 0 –)")
    assert "too busy" in str(last_line([BUSY], judge([BUSY])))
    assert "not all" in str(last_line([GOOD], judge([GOOD], complete=False)))


@pytest.mark.parametrize(
    ("seconds", "cpu", "status"),
    [(1.0, 1.0, Status.OK), (9.0, 8.5, Status.FAILED), (9.0, 1.0, Status.SATURATED)],
)
def test_a_slow_codec_fails_unless_others_have_the_processor(
    seconds: float, cpu: float, status: Status
) -> None:
    fast = Speed(200, 1.0, 1.0)
    found = judge_speed("VP8", "video", Speed(200, seconds, cpu), fast)
    assert found.status is status
    assert found.values["encode"] == pytest.approx(200 / seconds, abs=0.1)
    assert bool(found.advice) == (status is not Status.OK)


@pytest.mark.parametrize(
    ("date", "offset", "status"),
    [
        ("Thu, 01 Jan 1970 00:16:40 GMT", 0, Status.OK),  # 1000 s
        ("Thu, 01 Jan 1970 00:16:50 GMT", 9.9, Status.OK),
        ("Thu, 01 Jan 1970 00:18:20 GMT", 99.9, Status.FAILED),
        ("Thu, 01 Jan 1970 00:15:00 GMT", -99.0, Status.FAILED),
        ("yesterday", None, Status.SKIPPED),
        (None, None, Status.SKIPPED),
    ],
)
def test_the_clock_of_a_server(date: str | None, offset: float | None, status: Status) -> None:
    found = judge_clock({} if date is None else {"Date": date}, 1000.0, 1000.1)
    assert (found.status, found.values.get("offset")) == (status, offset)


def test_addresses_of_others_come_before_the_loopback() -> None:
    loopback = [Address("lo", "127.0.0.1"), Address("lo", "::1")]
    alone4, alone6 = judge_addresses(loopback)
    assert alone4.status is Status.SKIPPED and "127.0.0.1 only" in alone4.figure
    assert "::1 only" in alone6.figure
    found, _ = judge_addresses([*loopback, Address("eth0", "192.0.2.2")])
    assert (found.status, found.figure) == (Status.OK, "192.0.2.2 (eth0)")
    (none,) = judge_addresses([])
    assert none.status is Status.FAILED and "ip link" in none.advice


def test_meminfo() -> None:
    text = "MemTotal:  1000 kB\nMemAvailable:  10 kB\nHugePages_Total:   0\n"
    assert parse_meminfo(text) == {"MemTotal": 1_024_000, "MemAvailable": 10_240}
