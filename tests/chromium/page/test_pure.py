"""The page's pure modules, in the browser that runs them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomcall.peer import renaming
from roomcall_server.http import page

pytestmark = pytest.mark.system("chromium")

FOLDER = Path(__file__).with_name("pure")
RUN = """async (address) => {
  const { default: tests } = await import(address);
  const failures = [];
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
    } catch (error) {
      failures.push(`${name}: ${error.stack}`);
    }
  }
  return { names: Object.keys(tests), failures };
}"""


@pytest.fixture
async def library(chromium: Any) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Evaluates JavaScript where the page's modules are, and those in `pure`."""
    app = web.Application()
    app.add_routes([*page.routes(), web.static("/pure", FOLDER)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    opened = await chromium.do(chromium.open_page(f"http://127.0.0.1:{port}/pure/expect.js"))

    async def run(script: str, argument: Any) -> Any:
        return await chromium.do(opened.evaluate(script, argument))

    yield run
    await chromium.do(opened.context.close())
    await runner.cleanup()


@pytest.mark.parametrize("name", ["negotiation", "line", "others"])
async def test_modules(library: Any, name: str) -> None:
    result = await library(RUN, f"/pure/{name}.js")
    assert result["names"]
    assert not result["failures"], "\n".join(result["failures"])


REPLAY = """async (runs) => {
  const { replay } = await import("/pure/renaming.js");
  return runs.map(replay);
}"""
IDS = st.sampled_from("abcdef")
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("restart"), st.lists(IDS, unique=True, max_size=4)),
        st.tuples(st.just("told"), IDS, IDS),
        st.tuples(st.just("came"), IDS),
        st.tuples(st.just("left"), IDS),
        st.tuples(st.just("tick"), st.lists(IDS, unique=True)),
    ),
    max_size=25,
)


async def test_it_knows_again_whom_a_headless_peer_knows_again(library: Any) -> None:
    """Both have the same rules: the same events have the same effects."""
    runs: list[list[tuple[Any, ...]]] = []

    @settings(max_examples=300, database=None, suppress_health_check=list(HealthCheck))
    @given(EVENTS, st.lists(st.floats(0, 20), min_size=25, max_size=25))
    def collect(events: list[tuple[Any, ...]], pauses: list[float]) -> None:
        now, timed = 0.0, []
        teller: dict[str, str] = {}  # no two tell the same id
        for event, pause in zip(events, pauses, strict=False):
            now += pause
            match event:
                case ("told", old, new) if teller.setdefault(new, old) != old:
                    pass
                case ("restart" | "came", what):
                    timed.append((event[0], what, now))
                case ("tick", dead):
                    timed.append(("tick", now, dead))
                case _:
                    timed.append(event)
        runs.append(timed)

    collect()
    theirs = await library(REPLAY, runs)
    for run, found in zip(runs, theirs, strict=True):
        assert [sorted(step, key=str) for step in found] == _replay(run), run


def _replay(events: list[tuple[Any, ...]]) -> list[list[dict[str, Any]]]:
    ours = renaming.Renaming()
    steps = [_plain(getattr(ours, what)(*given) or []) for what, *given in events]
    return [sorted(step, key=str) for step in steps]


def _plain(effects: list[renaming.Effect]) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = []
    for effect in effects:
        match effect:
            case renaming.Same(old, new):
                plain.append({"do": "same", "old": old, "new": new})
            case renaming.Newcomer(id):
                plain.append({"do": "newcomer", "id": id})
            case renaming.StrayLost(old):
                plain.append({"do": "stray-lost", "old": old})
            case renaming.Renamed():
                pass  # a page tells nobody
    return plain
