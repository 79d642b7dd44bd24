"""Does `roomcall check` tell the truth? `python -m benchmarks.verdicts`, or with less:
`python -m benchmarks.verdicts --clean 5 --only loss`.

Every fault of `benchmarks.faults` is made and checked for: is it found, and with its own cause?
Then come clean calls that are made up from a recorded one, and clean runs, which are to find
nothing either. The table has the exit code, the seconds it took, and what was said. It takes 6
minutes; 100 clean runs take 28 more.
"""

import asyncio
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from roomcall_cli.checking.bundle import read

from .faults import CLEAN, FAULTS, Fault
from .perturbed import verdicts


async def check(fault: Fault, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the verdict; without a verdict, what was on stderr as its failure."""
    async with AsyncExitStack() as stack:
        given = await stack.enter_async_context(fault.setting())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roomcall_cli", "check", *given, *arguments, "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        assert process.stdout is not None and process.stderr is not None
        said = asyncio.create_task(process.stderr.read())
        verdict: dict[str, Any] = {}
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "verdict":
                verdict = event
            if event["event"] == "stats" and fault.dies:
                await stack.aclose()
        code = await process.wait()
        return code, verdict or {"failures": [(await said).decode()], "ok": None}


def recorded(bundle: Path) -> dict[str, Any]:
    """What the verdict was made from."""
    found = read(bundle)
    names = ("code", "complete", "asked", "others", "missing", "peers")
    return {"about": {name: found.about[name] for name in names}, "events": found.events}


@click.command()
@click.option("--clean", "--times", default=5, help="Clean runs with all defaults.")
@click.option("--busy", default=0, help="Cores that are kept busy during those.")
@click.option("--pure", default=10_000, help="Verdicts on clean calls that are made up.")
@click.option("--duration", default=4.0, help="Seconds that a fault is measured.")
@click.option("--only", default="", help="Faults whose name has this; clean runs not.")
@click.option("--no-faults", is_flag=True, help="Clean calls alone.")
@click.option(
    "--record", type=click.Path(path_type=Path), help="Keep each there, as tests/checking has them."
)
def main(
    clean: int,
    busy: int,
    pure: int,
    duration: float,
    only: str,
    no_faults: bool,
    record: Path | None,
) -> None:
    console = Console(width=200)
    faults = [fault for fault in (() if no_faults else FAULTS) if only in fault.name]
    faults += [CLEAN] if only in CLEAN.name else []
    asyncio.run(run(faults, pure, duration, record, console))
    if not only:
        with kept_busy(busy):
            asyncio.run(run_clean(clean, console))


async def run(
    faults: list[Fault], pure: int, duration: float, record: Path | None, console: Console
) -> None:
    table = Table("", "fault", "code", "seconds", "told")
    found = 0
    clean_record: dict[str, Any] = {}
    for fault in faults:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            arguments = ("--duration", str(duration), "--bundle", folder)
            code, verdict = await check(fault, *arguments)
            if record is not None:
                text = json.dumps(recorded(Path(folder)), separators=(",", ":"))
                path = record / f"{fault.name.replace(' ', '-')}.json.gz"
                path.write_bytes(gzip.compress(text.encode(), mtime=0))
            if fault is CLEAN:
                clean_record = recorded(Path(folder))
        told = verdict["failures"]
        right = code == fault.code and any(fault.told in text for text in told or [""])
        found += right
        seconds = f"{time.monotonic() - began:.1f}"
        table.add_row("✓" if right else "✗", fault.name, str(code), seconds, "\n".join(told))
    console.print(table)
    console.print(f"{found} of {len(faults)} faults found with their own cause")
    if clean_record:
        bad = [verdict.texts() for verdict in verdicts(clean_record, pure) if not verdict.ok]
        console.print(f"{len(bad)} of {pure} clean calls made from a recorded one failed {bad[:3]}")


@contextmanager
def kept_busy(cores: int) -> Iterator[None]:
    """Others work meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


async def run_clean(count: int, console: Console) -> None:
    codes: Counter[int] = Counter()
    longest = seconds = 0.0
    used = _cpu_of_children()
    for _ in range(count):
        began = time.monotonic()
        code, verdict = await check(CLEAN, "--peers", "3")
        seconds += time.monotonic() - began
        longest = max(longest, time.monotonic() - began)
        codes[code] += 1
        for text in verdict["failures"]:
            console.print(f"clean, and yet ({code}): {text}")
    ends = ", ".join(f"{number} with {code}" for code, number in sorted(codes.items()))
    cores = (_cpu_of_children() - used) / seconds if count else 0.0
    console.print(
        f"{count} clean runs: {ends}; the longest took {longest:.1f} s; they used {cores:.2f} cores"
    )


def _cpu_of_children() -> float:
    """Seconds of all that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
