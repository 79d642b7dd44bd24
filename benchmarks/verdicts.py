"""Does `roomcall check` tell the truth? `python -m benchmarks.verdicts`, or with less:
`python -m benchmarks.verdicts --clean 5 --only loss`.

Every fault of `benchmarks.faults` is made and checked for: is it found, and with its own cause?
Then come clean runs, which are to find nothing. The table has the exit code, the seconds it took,
and what was said.
"""

import asyncio
import gzip
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
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
@click.option("--clean", default=5, help="Clean runs with all defaults.")
@click.option("--pure", default=10_000, help="Verdicts on clean calls that are made up.")
@click.option("--duration", default=4.0, help="Seconds that a fault is measured.")
@click.option("--only", default="", help="Faults whose name has this; clean runs not.")
@click.option(
    "--record", type=click.Path(path_type=Path), help="Keep each there, as tests/checking has them."
)
def main(clean: int, pure: int, duration: float, only: str, record: Path | None) -> None:
    asyncio.run(run(clean, pure, duration, only, record))


async def run(clean: int, pure: int, duration: float, only: str, record: Path | None) -> None:
    table = Table("", "fault", "code", "seconds", "told")
    found = 0
    clean_record: dict[str, Any] = {}
    faults = [fault for fault in (*FAULTS, CLEAN) if only in fault.name]
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
    console = Console(width=200)
    console.print(table)
    console.print(f"{found} of {len(faults)} faults found with their own cause")
    if clean_record:
        bad = [verdict.texts() for verdict in verdicts(clean_record, pure) if not verdict.ok]
        console.print(f"{len(bad)} of {pure} clean calls made from a recorded one failed {bad[:3]}")
    if not only:
        await run_clean(clean, console)


async def run_clean(count: int, console: Console) -> None:
    codes: Counter[int] = Counter()
    longest = 0.0
    for _ in range(count):
        began = time.monotonic()
        code, verdict = await check(CLEAN, "--peers", "3")
        longest = max(longest, time.monotonic() - began)
        codes[code] += 1
        for text in verdict["failures"]:
            console.print(f"clean, and yet ({code}): {text}")
    ends = ", ".join(f"{number} with {code}" for code, number in sorted(codes.items()))
    console.print(f"{count} clean runs: {ends}; the longest took {longest:.1f} s")


if __name__ == "__main__":
    main()
