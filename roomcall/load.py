"""How busy this process and its machine are: figures that tell whether others can be trusted."""

import asyncio

import psutil

_TICK = 0.05  # seconds between two looks at the clock


class LoadMeter:
    """Measures while `run` does; `take` gives what has been since the last time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = psutil.Process()
        self._lag = 0.0
        self._due = self._loop.time()
        self._shares()  # the first figures of psutil mean nothing

    async def run(self) -> None:
        while True:
            self._due = self._loop.time() + _TICK
            await asyncio.sleep(_TICK)
            self._lag = max(self._lag, self._loop.time() - self._due)

    def take(self) -> dict[str, float]:
        """`loopLag`: seconds that the event loop was late at worst; `cpu`: of one core, this
        process; `machineCpu`: of all cores, whoever used them."""
        lag = max(self._lag, self._loop.time() - self._due)  # the look that is due has not come
        self._lag = 0.0
        own, all = self._shares()
        return {"loopLag": round(lag, 4), "cpu": round(own, 3), "machineCpu": round(all, 3)}

    def _shares(self) -> tuple[float, float]:
        return self._process.cpu_percent() / 100, psutil.cpu_percent() / 100
