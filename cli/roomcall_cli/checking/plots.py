"""Plots over time as inline SVG, which needs no script. Pure.

Colours are classes (`c0` to `c7`) that the page gives a value, in light and in dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

COLOURS = 8
_WIDTH, _HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 24


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order of time (seconds); None is a gap."""

    label: str
    points: Sequence[tuple[float, float | None]]


def plot(series: Sequence[Series], *, begin: float, end: float, least: float) -> str:
    """From `begin` to `end` seconds, and from 0 to `least` at least."""
    highest = max((y for s in series for _, y in s.points if y is not None), default=0.0)
    lowest = min((y for s in series for _, y in s.points if y is not None), default=0.0)
    step = _step(max(highest, least) - min(0.0, lowest))
    top = step * max(1, -floor(-max(highest, least) / step))
    bottom = step * floor(min(0.0, lowest) / step)

    def x(value: float) -> float:
        return _LEFT + (value - begin) / max(end - begin, 1e-9) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (top - value) / (top - bottom) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">']
    for number in range(round((top - bottom) / step) + 1):
        value = bottom + number * step
        parts.append(f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" class="end">{value:g}</text>')
    seconds = _step(max(end - begin, 1.0))
    for number in range(round((end - begin) // seconds) + 1):
        where = x(begin + number * seconds)
        parts.append(
            f'<text x="{where:.1f}" y="{_HEIGHT - 6}" class="middle">{number * seconds:g} s</text>'
        )
    for index, one in enumerate(series):
        title = f"<title>{escape(one.label)}</title>"
        path = " ".join(
            f"{'L' if joined else 'M'}{x(at):.1f} {y(value):.1f}"
            for at, value, joined in _joined(one.points)
        )
        parts.append(f'<path class="line c{index % COLOURS}" d="{path}">{title}</path>')
    return "".join([*parts, "</svg>"])


def _joined(points: Sequence[tuple[float, float | None]]) -> list[tuple[float, float, bool]]:
    """Each point that is there, and whether the one before it was."""
    before = [None, *(value for _, value in points)]
    return [
        (at, value, last is not None)
        for (at, value), last in zip(points, before, strict=False)
        if value is not None
    ]


def _step(span: float) -> float:
    """Between two lines of the grid: 1, 2 or 5 times a power of ten, so that there are few."""
    size: float = 10.0 ** floor(log10(max(span, 1e-6) / 4))
    return next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= 5)
