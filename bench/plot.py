"""Curves over time as one SVG: no library, as a report needs no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN = 860, 240, 60
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf")


@dataclass(frozen=True, slots=True)
class Curve:
    """A name and a value for each instant."""

    name: str
    values: Sequence[float]


def picture(minutes: Sequence[float], panels: Mapping[str, Sequence[Curve]]) -> str:
    """One panel below the other, each from zero to its greatest value, over the same minutes."""
    drawn = "".join(_panel(minutes, name, curves, top=i * HEIGHT) for i, (name, curves) in enumerate(panels.items()))
    height = len(panels) * HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="{WIDTH}" height="{height}" fill="white"/>{drawn}</svg>\n'
    )


def _panel(minutes: Sequence[float], name: str, curves: Sequence[Curve], *, top: int) -> str:
    most = max((max(curve.values) for curve in curves), default=0.0) or 1.0
    longest = max(minutes, default=0.0) or 1.0
    right, bottom, upper = WIDTH - 2 * MARGIN, top + HEIGHT - 30, top + 24
    lines = [
        f'<text x="{MARGIN}" y="{top + 16}" font-weight="bold">{escape(name)}</text>',
        f'<path d="M{MARGIN} {upper}V{bottom}H{right}" fill="none" stroke="#888"/>',
        f'<text x="{MARGIN - 6}" y="{upper + 4}" text-anchor="end">{most:,.0f}</text>',
        f'<text x="{MARGIN - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">{longest:,.0f} min</text>',
    ]
    for i, curve in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(
            f"{MARGIN + at / longest * (right - MARGIN):.1f},{bottom - value / most * (bottom - upper):.1f}"
            for at, value in zip(minutes, curve.values, strict=True)
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        lines.append(f'<text x="{right + 8}" y="{upper + 14 * i + 8}" fill="{colour}">{escape(curve.name)}</text>')
    return "".join(lines)
